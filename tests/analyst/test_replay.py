"""orders replay shows and writes what was asked for, and says what is wrong with what cannot be."""

import asyncio
import csv
import json
import sys
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner, Result

from events.analysis import History
from tests.analyst.truth import Row, parsed, truth
from workers.cli import cli

pytestmark = [pytest.mark.infra, pytest.mark.usefixtures("environment")]


@pytest.fixture(scope="module")
def rows(past: str) -> list[Row]:
    return asyncio.run(truth(past))


def replay(*words: str) -> Result:
    return CliRunner().invoke(cli, ["replay", *words])


def told(*words: str) -> list[Row]:
    """What it writes as JSON Lines."""
    answer = replay(*words, "--json")
    assert answer.exit_code == 0, answer.stderr
    return parsed(answer.stdout)


def by_time(rows: list[Row]) -> list[Row]:
    return sorted(
        rows, key=lambda row: (row["at"], f"{row['context']}.events", row["log_partition"], row["log_position"])
    )


def test_all_of_it_comes_in_the_order_of_time(rows: list[Row]) -> None:
    assert told() == by_time(rows)


@pytest.mark.parametrize("field", ["stream", "correlation_id", "customer_id"])
def test_filters_by_name(rows: list[Row], field: str) -> None:
    placed = next(row for row in rows[500:] if row["type"] == "order.placed.v1")
    option = {"stream": "--stream", "correlation_id": "--correlation", "customer_id": "--customer"}[field]
    streams = {row["stream"] for row in rows if row.get("customer_id") == placed["customer_id"]}
    mine = [
        row for row in rows if (row["stream"] in streams if field == "customer_id" else row[field] == placed[field])
    ]

    assert told(option, placed[field]) == by_time(mine)
    assert len(mine) > 5


def test_filters_by_type_context_and_time(rows: list[Row]) -> None:
    since, until = "2017-01-03T12:00:00+00:00", "2017-01-04T00:00:00+00:00"
    inside = [row for row in rows if since <= row["at"].isoformat() < until]

    assert told("--from", since, "--to", "2017-01-04") == by_time(inside)
    ships = [row for row in inside if row["type"] in ("order.shipped.v1", "order.placed.v1")]
    assert told("--from", since, "--to", "2017-01-04", "--type", "order.ship", "--type", "order.placed") == by_time(
        ships
    )
    assert told("--context", "product", "--type", "stock") == by_time(
        [r for r in rows if r["type"] == "stock.received.v1"]
    )


def test_filters_by_position(rows: list[Row]) -> None:
    wanted = [row for row in rows if row["context"] == "order" and
              ((row["log_partition"] == 1 and 40 <= row["log_position"] <= 60)
               or (row["log_partition"] == 2 and row["log_position"] >= 3000))]  # fmt: skip

    assert told("--context", "order", "--positions", "1:40-60,2:3000-") == by_time(wanted)
    assert [row["log_position"] for row in told("--context", "order", "--positions", "1:40")] == [40]


def test_people_see_one_line_an_event(rows: list[Row]) -> None:
    placed = next(row for row in rows if row["type"] == "order.placed.v1")
    answer = replay("--stream", placed["stream"])
    lines = answer.stdout.splitlines()

    assert len(lines) == len([row for row in rows if row["stream"] == placed["stream"]])
    assert "order.placed.v1" in lines[0]
    assert f"customer_id={placed['customer_id']}" in lines[0]


def test_one_file_appears_whole_in_every_format(rows: list[Row], environment: Path) -> None:
    placed = by_time([row for row in rows if row["type"] == "order.placed.v1"])
    for name in ("placed.parquet", "placed.csv", "placed.jsonl", "placed.txt"):
        answer = replay("--type", "order.placed", "--out", str(environment / name))
        assert answer.exit_code == 0, answer.stderr
    assert pq.read_table(environment / "placed.parquet").to_pylist() == placed
    assert parsed((environment / "placed.jsonl").read_text()) == placed
    with (environment / "placed.csv").open() as file:
        read = list(csv.DictReader(file))
    assert [(r["event_id"], int(r["total"]), json.loads(r["lines"])) for r in read] == [
        (r["event_id"], r["total"], r["lines"]) for r in placed
    ]
    assert len((environment / "placed.txt").read_text().splitlines()) == len(placed)
    assert not list(environment.glob(".*.part"))


def test_several_types_in_one_table_have_their_fields_as_json(rows: list[Row], environment: Path) -> None:
    replay("--context", "product", "--out", str(environment / "all.parquet"))
    table = pq.read_table(environment / "all.parquet").to_pylist()
    mine = by_time([row for row in rows if row["context"] == "product"])

    assert [(row["event_id"], json.loads(row["body"])["sku"]) for row in table] == [
        (row["event_id"], row["sku"]) for row in mine
    ]


def test_a_folder_that_grows_is_the_default_of_parquet(rows: list[Row], environment: Path) -> None:
    first, second = (json.loads(replay("--format", "parquet", "--json").stdout) for _ in range(2))

    assert (first["added"], second["added"], second["events"]) == (len(rows), 0, len(rows))
    assert first["folder"] == str(environment / "home" / "export")


def test_a_folder_of_another_export_is_refused_and_both_are_named(environment: Path) -> None:
    place = str(environment / "ships")
    assert replay("--to-folder", place, "--type", "order.shipped").exit_code == 0
    before = sorted(Path(place).rglob("*"))
    for words in (["--type", "order.placed"], [], ["--type", "order.shipped", "--format", "csv"],
                  ["--type", "order.shipped", "--as-recorded"]):  # fmt: skip
        answer = replay("--to-folder", place, *words)
        assert answer.exit_code == 1
        assert "is an export of contexts order, types order.shipped, as parquet, upcast" in answer.stderr
        assert "this would be one of" in answer.stderr
    assert sorted(Path(place).rglob("*")) == before


BAD: dict[str, tuple[list[str], int, str]] = {
    "context": (["--context", "sales"], 3, "there is no context 'sales'; there are: order, product"),
    "type": (["--type", "order.flown"], 3, "there is no type 'order.flown'; there are: order.placed.v1"),
    "empty type": (["--type", ""], 3, "there is no type ''"),
    "type of another context": (["--context", "order", "--type", "stock"], 3, "there is no type 'stock'"),
    "kind of stream": (["--stream", "parcel-1"], 3, "there is no kind of stream 'parcel-1'"),
    "stream": (["--stream", "order-1"], 3, "the log has nothing of 'order-1'"),
    "stream of another context": (["--stream", "order-1", "--context", "user"], 1, "order-1 is of the context order"),
    "correlation": (["--correlation", "x"], 3, "the log has nothing of 'x'"),
    "customer": (["--customer", "nobody"], 3, "nobody has ordered as 'nobody'"),
    "customer of a type that has none": (["--customer", "x", "--type", "product.listed"], 2, "belongs to a customer"),
    "customer of a context that has none": (["--customer", "x", "--context", "user"], 2, "belongs to a customer"),
    "time": (["--from", "yesterday"], 2, "--from 'yesterday' is no time: write 2017-10-10"),
    "times": (["--from", "2017-02-01", "--to", "2017-02-01"], 2, "is not after"),
    "positions": (["--context", "order", "--positions", "1-2"], 2, "are no positions: write 0:17"),
    "positions backwards": (["--context", "order", "--positions", "1:9-2"], 2, "are no positions"),
    "positions of all": (["--positions", "1:2"], 2, "--positions are of one context"),
    "partition": (["--context", "order", "--positions", "7:2"], 3, "there is no partition '7'; there are: 0, 1, 2, 3"),
    "format": (["--format", "xml"], 2, "'xml' is not one of"),
    "two ways": (["--out", "a.csv", "--to-folder", "b"], 2, "are two ways: name one"),
    "text in a folder": (["--format", "text", "--to-folder", "{here}/x"], 2, "a folder holds parquet, csv or jsonl"),
    "no format": (["--out", "{here}/events.xyz"], 2, "--format says what to write"),
    "a folder as file": (["--out", "{here}", "--format", "csv"], 1, "is a folder: name a file"),
    "no such folder": (["--out", "{here}/nowhere/x.csv"], 1, "cannot be written: No such file"),
    "somebody's folder": (["--to-folder", "{here}/full"], 1, "holds something else: name a folder that is new"),
    "a file as folder": (["--to-folder", "{here}/full/notes"], 1, "cannot be written: Not a directory"),
    "spoilt": (["--to-folder", "{here}/spoilt"], 1, "export.json cannot be read"),
}


@pytest.mark.parametrize("name", BAD)
def test_what_makes_no_sense_is_said_and_nothing_is_written(name: str, environment: Path) -> None:
    (environment / "full").mkdir()
    (environment / "full" / "notes").write_text("mine")
    (environment / "spoilt").mkdir()
    (environment / "spoilt" / "export.json").write_text("{")
    before = sorted(environment.rglob("*"))
    words, code, why = BAD[name]

    answer = replay(*(word.replace("{here}", str(environment)) for word in words))

    assert (answer.exit_code, answer.stdout) == (code, "")
    assert why in " ".join(answer.stderr.replace("│", " ").split())
    assert sorted(environment.rglob("*")) == before


def test_who_lacks_the_libraries_is_told_how_to_get_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    answer = replay()
    assert answer.exit_code == 1
    assert "this needs pyarrow: pip install 'orderlog[data]'" in answer.stderr


def test_nobody_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ORDERLOG_KAFKA", "127.0.0.1:1")
    answer = replay()
    assert answer.exit_code == 4
    assert "no answer from Kafka" in answer.stderr


def test_three_lines_of_a_notebook(rows: list[Row]) -> None:
    placed = History().table("order.placed", since="2017-01-02")
    mine = by_time([row for row in rows if row["type"] == "order.placed.v1" and row["at"].day > 1])

    assert [{"context": "order", "type": "order.placed.v1", **row} for row in placed.to_pylist()] == mine
    assert placed.schema == History().schema("order.placed.v1")
    assert len(placed.to_pandas()) == len(mine)


async def _inside(stream: str) -> list[Any]:
    return list(History().events("order.placed", "order.shipped", stream=stream))


def test_a_notebook_whose_event_loop_runs_reads_too(rows: list[Row]) -> None:
    stream = next(row["stream"] for row in rows if row["type"] == "order.shipped.v1")
    placed, shipped = asyncio.run(_inside(stream))

    assert (placed.event.tag, shipped.event.tag, shipped.stream) == ("order.placed.v1", "order.shipped.v1", stream)


def test_who_has_seen_enough_leaves(rows: list[Row]) -> None:
    batches = History().batches("order.lines_reserved")
    assert next(batches).num_rows > 0
    batches.close()  # type: ignore[attr-defined]


def test_a_notebook_is_told_what_there_is() -> None:
    with pytest.raises(ValueError, match=r"there is no type 'order'; there are: order\.placed\.v1"):
        History().table("order")
    with pytest.raises(ValueError, match="'soon' is no time"):
        History().table("order.placed", until="soon")

"""Operators look: who owns what, how far everybody is, what happened, and whether anything could be lost."""

import os
import signal
import subprocess
import sys
from uuid import uuid4

import pytest

from events.topics import PARTITIONS, TOPICS
from schemas.settings import CONTEXTS
from tests.operator.conftest import Environment, Orders, Shop
from tests.scenarios.shop import order, product, sku_on
from tests.system.test_commands import heeding_ctrl_c

pytestmark = pytest.mark.infra


def test_status_names_the_owner_of_every_partition(shop: Shop) -> None:
    said = shop.orders("status", "--over", "0.1", "--json")
    found = said.json
    assert (said.code, found["healthy"], found["reasons"]) == (0, True, [])
    places = {(row["context"], row["partition"]) for row in found["partitions"]}
    assert places == {(context, p) for context in CONTEXTS for p in range(PARTITIONS)}
    assert {row["owner"].rpartition("-")[2] for row in found["partitions"]} == {str(shop.worker.pid)}
    assert all(row["epoch"] > 0 and row["writer"] and row["head"] >= row["view"] for row in found["partitions"])
    assert [row["context"] for row in found["contexts"]] == list(CONTEXTS)
    tables = {table["name"]: table for table in found["contexts"][0]["tables"]}
    assert (tables["orders"]["live"], tables["orders"]["code"]) == (True, tables["orders"]["this_code"])


def test_status_can_be_asked_for_one_context_and_drawn(shop: Shop) -> None:
    drawn = shop.orders("status", "--context", "user", "--over", "0.1").out
    assert "user/3" in drawn
    assert "order/0" not in drawn
    assert "healthy" in drawn


def test_consumers_tells_since_when_each_partition_has_its_owner(shop: Shop) -> None:
    found = shop.orders("consumers", "--json").json
    assert all(row["process"] and row["since"] and row["claim"] is not None for row in found["owners"])
    reads = {row["group"]: row for row in found["readers"]}
    assert {"order.reactions", "product.reactions", "payment.reactions", "orderlog-streams"} <= reads.keys()
    assert reads["order.reactions"]["process"].endswith(str(shop.worker.pid))
    assert all(row["lost"] == 0 for row in found["readers"])


def test_log_show_tells_an_aggregates_whole_story(shop: Shop) -> None:
    rows = shop.orders("log", "show", shop.stream, "--json").json
    versions = [int(row["version"]) for row in rows if row["version"] != "0"]
    assert rows[0]["type"] == "order.placed.v1"
    assert versions == list(range(1, len(versions) + 1))
    assert {row["counts"] for row in rows} == {"effective"}
    assert rows[0]["body"]["customer_id"] == "ada"


@pytest.mark.parametrize("way", [(), ("--scan",)])
def test_log_find_follows_a_request_across_contexts(shop: Shop, way: tuple[str, ...]) -> None:
    rows = shop.orders("log", "find", "--correlation", shop.correlation, "--json", *way).json
    assert [rows[0]["type"], rows[-1]["type"]] == ["order.placed.v1", "notification.delivered.v1"]
    assert {row["context"] for row in rows} >= {"order", "product", "payment", "notification"}
    assert [row["at"] for row in rows] == sorted(row["at"] for row in rows)
    assert rows[-1]["since_first_ms"] == pytest.approx(sum(row["after_ms"] for row in rows), abs=len(rows))


def test_log_tail_shows_the_newest_of_a_type(shop: Shop) -> None:
    said = shop.orders("log", "tail", "--context", "order", "--type", "order.confirmed", "--last", "1", "--json")
    assert (said.json["type"], said.json["counts"]) == ("order.confirmed.v1", "effective")
    assert shop.stream in shop.orders("log", "tail", "--context", "order", "--last", "50").out


def test_log_tail_follows_until_it_is_interrupted(shop: Shop, environment: Environment) -> None:
    words = [sys.executable, "-m", "workers", "log", "tail", "--follow", "--json", "--type", "product.listed"]
    sku = sku_on(1)
    here = {**os.environ, **environment}
    with subprocess.Popen(words, env=here, stdout=subprocess.PIPE, preexec_fn=heeding_ctrl_c) as tail:
        assert tail.stdout is not None
        tail.stdout.readline()  # the newest of before: it is there, and follows
        shop.send([(product(sku, 1), str(uuid4()))])
        while f"product-{sku}".encode() not in tail.stdout.readline():
            assert tail.poll() is None
        tail.send_signal(signal.SIGINT)
        assert tail.wait(10) == 130


def test_doctor_finds_nothing_that_fails(shop: Shop) -> None:
    said = shop.orders("doctor", "--json")
    levels = {check["name"]: check["level"] for check in said.json["checks"]}
    assert [name for name, level in levels.items() if level == "fail"] == []
    assert said.code == 0
    assert levels["settings: inside"] == "ok"
    assert levels["topics"] == levels["positions"] == levels["owners"] == levels["clock: Postgres"] == "ok"


def test_topics_are_as_the_table_says(shop: Shop) -> None:
    said = shop.orders("topics", "check", "--json")
    assert (said.code, said.json) == (0, {"ok": True, "differences": []})
    assert [row["topic"] for row in shop.orders("topics", "show", "--json").json] == [topic.name for topic in TOPICS]


def test_split_says_what_to_start(orders: Orders) -> None:
    found = orders("split", "payment", "--json").json
    assert found["worker"] == "orders worker --contexts payment"
    assert found["reads"] == ["payment.commands", "payment.events", "order.events"]
    assert found["environment"].keys() >= {"ORDERLOG_KAFKA", "ORDERLOG_PROVIDER"}
    assert "orders worker --contexts notification" in orders("split", "notification").out


@pytest.mark.parametrize(
    ("words", "there"),
    [
        (("status", "--context", "nix"), "payment"),
        (("consumers", "--context", "nix"), "payment"),
        (("log", "tail", "--context", "nix"), "payment"),
        (("split", "nix"), "payment"),
        (("snapshots", "check", "nix"), "payment"),
        (("snapshots", "drop", "nix", "--yes"), "payment"),
        (("topics", "show", "nix"), "payment.events"),
        (("log", "show", "nix"), "order-"),
        (("log", "show", "order-nix"), "order-"),
        (("log", "find", "--correlation", "nix"), "there are"),
    ],
)
def test_what_there_is_not_is_told_with_what_there_is(shop: Shop, words: tuple[str, ...], there: str) -> None:
    said = shop.orders(*words)
    assert said.code == 3
    assert "nix" in said.err
    assert there in said.err


def test_a_late_writers_record_is_shown_as_ignored(shop: Shop) -> None:
    late = order((shop.sku, 1))
    shop.forge(late.stream, "order.events")
    [row] = shop.orders("log", "show", late.stream, "--json").json
    assert row["counts"] == "ignored"


def test_an_aggregate_is_shown_as_it_was(shop: Shop) -> None:
    events = [row for row in shop.orders("log", "show", shop.stream, "--json").json if row["counts"] == "effective"]
    first = shop.orders("at", shop.stream, "--as-of", str(events[0]["offset"]), "--json").json
    assert (first["version"], first["state"]["status"], first["rows"]["orders"]["status"]) == (1, "placed", "placed")
    assert "payment_token" not in first["state"]
    last = shop.orders("at", shop.stream, "--as-of", "2999-01-01T00:00:00Z", "--json").json
    assert last["rows"]["orders"]["status"] == "confirmed"
    drawn = shop.orders("at", shop.stream, "--as-of", "2999-01-01")
    assert (drawn.code, "confirmed" in drawn.out, "spending" in drawn.out) == (0, True, True)


@pytest.mark.parametrize(
    ("stream", "as_of", "said"),
    [("order-17", "2999-01-01", "was not there yet"), ("order-17", "soon", "2026-11-28T10:00:00Z"),
     ("basket-1", "5", "order-…")],
)  # fmt: skip
def test_what_cannot_be_shown_is_refused_with_the_way_out(shop: Shop, stream: str, as_of: str, said: str) -> None:
    refused = shop.orders("at", stream, "--as-of", as_of)
    assert refused.code == 3
    assert said in refused.err

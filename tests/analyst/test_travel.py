"""Time travel and what if, on a supermarket's first orders: known answers, live databases untouched, kills survived."""

import asyncio
import os
import re
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple

import psycopg
import pytest

from events import topics
from events.errors import Undecodable
from events.event import Event
from events.fence import Fence
from events.kafka import KafkaLog
from events.log import Place
from events.order import OrderPlaced
from events.product import ReservationCommitted, ReservationMade
from events.sweep import effective
from projections.order import ORDERS
from projections.postgres import Database
from projections.registry import CHECKPOINTS, PROJECTIONS, install
from projections.store import Store
from schemas.settings import CONTEXTS
from tests.analyst.travel import HOLDS, write_holds
from tests.api.world import world_on
from tests.bench.past import write_year
from tests.operator.conftest import Orders, cli_in
from workers.analyst import difference
from workers.analyst import what_if as what_ifs
from workers.analyst.rerun import Rule
from workers.analyst.then import heads
from workers.deciders import decider_of
from workers.fold import Fold
from workers.local import Servers
from workers.print_docs import ROOT
from workers.projector import Projector

pytestmark = pytest.mark.infra

ORDERS_WRITTEN = 400
NOON = "2017-01-02T12:00:00Z"
GUIDE = ROOT / "docs/time-travel.md"


class Past(NamedTuple):
    kafka: str
    postgres: str
    orders: Orders
    env: dict[str, str]


@pytest.fixture(scope="module")
def past(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Past]:
    """Servers with a history, and live read models of the orders' context."""
    home = tmp_path_factory.mktemp("travel")
    with Servers.start(home, lambda _: None) as servers:
        kafka, postgres = servers.kafka.url, servers.postgres.url
        asyncio.run(write_year(kafka, ORDERS_WRITTEN))
        asyncio.run(write_holds(kafka))
        asyncio.run(live(kafka, postgres))
        env = {"ORDERLOG_KAFKA": kafka, "ORDERLOG_POSTGRES": postgres, "ORDERLOG_HOME": str(home),
               "ORDERLOG_WHO": "ada", "ORDERLOG_PROVIDER": "in-process", "ORDERLOG_SMTP": "in-process"}  # fmt: skip
        yield Past(kafka, postgres, cli_in(env), env)


async def live(kafka: str, postgres: str) -> None:
    """Let the ordinary projector fill the orders' read models."""
    log, database = KafkaLog(kafka), Database(postgres, "order", wait=20)
    await install(database, "order")
    running = asyncio.create_task(
        Projector(log, "order", Store(database, "order", PROJECTIONS["order"]), 0.03).run(frozenset(range(4)))
    )
    try:
        ends = [(await log.bounds(Place("order.events", p)))[1] for p in range(4)]
        while [row["next"] for row in await database.fetch(CHECKPOINTS)] != ends:
            await asyncio.sleep(0.05)
            if running.done():
                running.result()
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        await database.close()
        await log.close()


async def scanned(kafka: str, context: str) -> list[tuple[datetime, Event]]:
    """Every event that counts, by a plain scan."""
    log, found = KafkaLog(kafka), []
    try:
        for p in range(4):
            place = Place(topics.events(context), p)
            _, end = await log.bounds(place)
            async for batch in effective(log, place, Fence(), end):
                for each in batch:
                    try:
                        found.append((each.at, each.event()))
                    except Undecodable:
                        continue
    finally:
        await log.close()
    return found


def asked(past: Past, database: str, query: str) -> list[Any]:
    with psycopg.connect(past.postgres, dbname=database) as connection:
        return connection.execute(query).fetchall()


def print_of(past: Past, database: str) -> dict[str, Any]:
    """A print of every table of a database, to tell whether anything was changed."""
    tables = [row[0] for row in asked(past, database, "SELECT tablename FROM pg_tables WHERE schemaname = 'public'")]
    query = "SELECT count(*), sum(hashtextextended(t::text, 0)::numeric) FROM {} AS t"
    return {table: asked(past, database, query.format(table)) for table in sorted(tables)}


async def ends_of(kafka: str) -> dict[tuple[str, int], tuple[int, int]]:
    log = KafkaLog(kafka)
    try:
        return {
            (topic.name, p): await log.bounds(Place(topic.name, p))
            for topic in topics.OF_CONTEXTS
            for p in range(topic.partitions)
        }
    finally:
        await log.close()


async def folded(kafka: str, moment: datetime) -> dict[str, dict[str, Any]]:
    """The orders as they were, by a plain fold up to the first event that is later."""
    log, rows = KafkaLog(kafka), dict[str, dict[str, Any]]()
    try:
        for p in range(4):
            place, end = Place("order.events", p), 0
            _, head = await log.bounds(place)
            async for batch in effective(log, place, Fence(), head):
                end = max([end, *(each.offset + 1 for each in batch if each.at <= moment)])
            fold = Fold(log, ORDERS, p)
            await fold.upto(end)
            rows |= fold.rows()
    finally:
        await log.close()
    return rows


def test_a_sandbox_has_what_was_so_then_and_touches_nothing_that_is_live(past: Past) -> None:
    before, ends = print_of(past, "orderlog_order"), asyncio.run(ends_of(past.kafka))
    made = past.orders("sandbox", "create", "noon", "--as-of", NOON, "--context", "order", "--why", "to see")
    assert made.code == 0, made.err
    assert "psql 'host=" in made.out
    assert print_of(past, "orderlog_order") == before
    assert asyncio.run(ends_of(past.kafka)) == ends
    moment = datetime.fromisoformat(NOON)
    wanted = {
        name: (row["status"], row["total"], row["position"])
        for name, row in asyncio.run(folded(past.kafka, moment)).items()
    }
    found = asked(past, "orderlog_sandbox_noon_order", "SELECT order_id, status, total, position FROM orders")
    assert {name: tuple(rest) for name, *rest in found} == wanted
    assert 0 < len(wanted) < ORDERS_WRITTEN
    for table in ("spending", "revenue_totals", "history", "outcomes", "dead_letters", "checkpoints"):
        asked(past, "orderlog_sandbox_noon_order", f"SELECT * FROM {table}")
    [listed] = past.orders("sandbox", "list", "--json").json
    assert (listed["name"], listed["context"], listed["state"]) == ("noon", "order", "ready")
    again = past.orders("sandbox", "create", "noon", "--as-of", NOON, "--context", "order")
    assert (again.code, "orders sandbox drop noon" in again.err) == (1, True)
    rows = past.orders("sandbox", "query", "noon", "SELECT count(*) AS n FROM orders", "--json").json
    assert rows == [{"n": len(wanted)}]
    acts = past.orders("audit", "--json").json
    [act, *_] = [act for act in acts if act["target"] == "noon"]
    assert (act["action"], act["outcome"], act["why"]) == ("sandbox.create", "done", "to see")


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("create", "No-Name", "--as-of", NOON), 2, "no name for a sandbox"),
        (("create", "x"), 2, "either --as-of or --positions"),
        (("create", "x", "--as-of", "yesterday"), 3, "no time such as"),
        (("create", "x", "--as-of", "2999-01-01"), 3, "has yet to come"),
        (("create", "x", "--as-of", NOON, "--context", "orders"), 3, "there is no context"),
        (("create", "x", "--positions", "0:1"), 2, "say --context"),
        (("create", "x", "--positions", "0:x", "--context", "order"), 3, "no positions such as 0:"),
        (("create", "x", "--positions", "9:1", "--context", "order"), 3, "there is no partition '9'"),
        (("create", "x", "--positions", "0:99999999", "--context", "order"), 3, "beyond what there is"),
        (("drop", "nobody", "--yes"), 3, "there is no sandbox 'nobody'"),
        (("query", "nobody", "SELECT 1"), 3, "there is no sandbox 'nobody'"),
    ],
)
def test_senseless_sandboxes_are_refused(past: Past, words: tuple[str, ...], code: int, said: str) -> None:
    answer = past.orders("sandbox", *words)
    assert (answer.code, said in answer.err) == (code, True), answer.err
    assert not asked(past, "postgres", "SELECT datname FROM pg_database WHERE datname LIKE 'orderlog_sandbox_x%'")


@pytest.mark.parametrize(
    ("sql", "said"),
    [
        ("SELEC 1", "syntax error"),
        ("SELECT 1\nFROM nowhere", "in line 2: FROM nowhere"),
        ("DELETE FROM checkpoints", "read-only"),
        ("COMMIT; DROP TABLE checkpoints", "multiple commands"),
    ],
)
def test_a_senseless_question_is_answered_with_the_way_out(past: Past, sql: str, said: str) -> None:
    past.orders("sandbox", "create", "asked", "--positions", "0:50,1:20", "--context", "order")
    answer = past.orders("sandbox", "query", "asked", sql)
    assert (answer.code, said in answer.err, "orders" in answer.err) == (1, True, True), answer.err
    assert asked(past, "orderlog_sandbox_asked_order", "SELECT next FROM checkpoints ORDER BY 1") == [(0,), (0,), (20,), (50,)]  # fmt: skip # noqa: E501


def test_a_killed_create_is_seen_to_be_unfinished_and_gone_on_with(past: Past) -> None:
    words = ["sandbox", "create", "killed", "--as-of", "2017-12-31", "--context", "order"]
    named = "SELECT FROM pg_database WHERE datname = 'orderlog_sandbox_killed_order'"
    for wait in (0.0, 0.1, 0.15):
        process = subprocess.Popen([sys.executable, "-m", "workers", *words], env={**os.environ, **past.env},
                                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)  # fmt: skip
        deadline = time.monotonic() + 20
        while not asked(past, "postgres", named) and process.poll() is None:
            assert time.monotonic() < deadline
            time.sleep(0.01)
        time.sleep(wait)
        process.send_signal(signal.SIGKILL)
        process.wait()
        [box] = [box for box in past.orders("sandbox", "list", "--json").json if box["name"] == "killed"]
        assert box["state"] == "unfinished"
        assert past.orders("sandbox", "query", "killed", "SELECT 1").code == 1
    done = past.orders(*words)
    assert done.code == 0, done.err
    live = asked(past, "orderlog_order", "SELECT status, count(*), sum(total) FROM orders GROUP BY 1 ORDER BY 1")
    there = asked(past, "orderlog_sandbox_killed_order", "SELECT status, count(*), sum(total) FROM orders GROUP BY 1 ORDER BY 1")  # fmt: skip # noqa: E501
    assert there == live
    assert past.orders("sandbox", "drop", "killed", "--yes").code == 0
    assert not asked(past, "postgres", named)


@contextmanager
def creating(past: Past, *words: str) -> Iterator[subprocess.Popen[bytes]]:
    """A create that has begun to fill, killed at the end."""
    command = [sys.executable, "-m", "workers", "sandbox", "create", *words, "--json"]
    out, err = subprocess.PIPE, subprocess.DEVNULL
    with subprocess.Popen(command, env={**os.environ, **past.env}, stdout=out, stderr=err) as process:
        assert process.stdout is not None
        assert process.stdout.readline()
        process.send_signal(signal.SIGSTOP)
        try:
            yield process
        finally:
            process.kill()


def test_every_context_of_a_killed_create_is_known_to_be_missing(past: Past) -> None:
    with creating(past, "wide", "--as-of", "2017-01-02"):
        dropping = past.orders("sandbox", "drop", "wide", "--yes")
        assert (dropping.code, "somebody fills wide" in dropping.err) == (1, True)

    def states() -> dict[str, str]:
        every = past.orders("sandbox", "list", "--json").json
        return {box["context"]: box["state"] for box in every if box["name"] == "wide"}

    assert states() == dict.fromkeys(CONTEXTS, "unfinished")
    done = past.orders("sandbox", "create", "wide", "--as-of", "2017-01-02")
    assert (done.code, states()) == (0, dict.fromkeys(CONTEXTS, "ready")), done.err
    assert past.orders("sandbox", "drop", "wide", "--yes").code == 0


def test_an_answer_has_every_column_exact_sums_and_no_secrets(past: Past) -> None:
    assert past.orders("sandbox", "create", "exact", "--as-of", "2017-01-02", "--context", "order").code == 0

    def ask(question: str, *words: str) -> Any:
        return past.orders("sandbox", "query", "exact", question, "--json", *words)

    [(first, last)] = asked(past, "orderlog_sandbox_exact_order", "SELECT min(total), sum(total)::bigint FROM orders")
    assert ask("SELECT min(total) AS of, sum(total) AS of, 'tok' AS payment_token FROM orders").json == [
        {"of": first, "of_2": last, "payment_token": "***"}
    ]
    few = ask("TABLE orders", "--limit", "2")
    assert (few.code, len(few.json), "the first 2 rows" in few.err) == (0, 2, True)
    assert (ask("TABLE orders", "--limit", "0").code, ask("SELECT 1 AS one WHERE false").json) == (2, [])


def what_if(past: Past, module: Path, *words: str) -> Any:
    answer = past.orders("what-if", str(module), "--json", *words)
    assert answer.code == 0, answer.err
    return answer.json


def counts(told: Any) -> dict[str, tuple[int, int]]:
    return {row["type"]: (row["as_it_is"], row["what_if"]) for row in told["events"]}


def test_orders_under_ten_refused_is_what_a_plain_scan_says(past: Past) -> None:
    told = what_if(past, ROOT / "docs/what-if/minimum_order.py")
    totals = [event.total for _, event in asyncio.run(scanned(past.kafka, "order")) if isinstance(event, OrderPlaced)]
    large = [total for total in totals if total >= 1000]
    assert told["not_reproduced"] == {"aggregates": 0, "why": []}
    assert told["kept"] == 0
    assert counts(told)["order.placed.v1"] == (len(totals), len(large)) != (len(totals), len(totals))
    money = {"as_it_is": 0, "what_if": 0}
    for row in told["read_models"]:
        if (row["read_model"], row["what"]) == ("orders", "total"):
            money = {side: money[side] + row[side] for side in money}
    assert money == {"as_it_is": sum(totals), "what_if": sum(large)}
    assert told["differing"] == len(totals) - len(large)
    assert len(told["first"]) == 3


def test_a_hold_of_five_minutes_is_what_a_plain_scan_says(past: Past) -> None:
    told = what_if(past, ROOT / "docs/what-if/hold_five_minutes.py")
    found = asyncio.run(scanned(past.kafka, "product"))
    made = {event.order_id: at for at, event in found if isinstance(event, ReservationMade)}
    kept = {event.order_id: at for at, event in found if isinstance(event, ReservationCommitted)}
    in_time = [name for name, at in kept.items() if at - made[name] <= timedelta(minutes=5)]
    assert (len(made), len(kept), len(in_time)) == (HOLDS + 1, HOLDS * 2 // 3, HOLDS // 3)
    assert told["not_reproduced"] == {"aggregates": 0, "why": []}
    said = counts(told)
    assert said["reservation.committed.v1"] == (len(kept), len(in_time))
    # The last piece comes back after five minutes, so the second who asks for it gets it.
    assert said["reservation.made.v1"] == (len(made), len(made) + 1)
    assert said["reservation.refused.v1"] == (1, 0)
    assert said["reservation.lapsed.v1"][0] == len(made) - len(kept)


def test_a_rule_in_force_from_a_time_on_leaves_what_was_before(past: Past) -> None:
    since = datetime(2017, 1, 2, tzinfo=UTC)
    told = what_if(
        past, ROOT / "docs/what-if/minimum_order.py", "--from", since.isoformat(), "--to", NOON, "--show", "0"
    )
    placed = [
        (at, event.total) for at, event in asyncio.run(scanned(past.kafka, "order")) if isinstance(event, OrderPlaced)
    ]
    upto = [(at, total) for at, total in placed if at <= datetime.fromisoformat(NOON)]
    small = [total for at, total in upto if at >= since and total < 1000]
    assert counts(told)["order.placed.v1"] == (len(upto), len(upto) - len(small))


@pytest.mark.anyio
async def test_the_rules_as_they_are_give_again_what_a_living_saga_recorded(past: Past) -> None:
    async with world_on(past.postgres, "travel") as world:
        sku, scarce = await world.listed(stock=50), await world.listed(stock=1)
        placed = [await world.placed(each) for each in (sku, sku, scarce, scarce)]
        placed.append(await world.placed(sku, payment_token="tok_declined"))
        for row in placed:
            await world.settled(row["order_id"])
        await world.until(f"/payments/{placed[1]['order_id']}", status="captured")
        await world.post(f"/orders/{placed[1]['order_id']}/cancel")
        await world.until(f"/payments/{placed[1]['order_id']}", refunded=250)
        for context in ("order", "product", "payment"):
            rules = decider_of(context)
            rule = Rule("as it is", rules, PROJECTIONS[context])
            ends = await heads(world.log, context)
            found = await what_ifs.rerun(world.log, context, rule, rule, ends, None, None, True)
            assert found.recorded
            apart = difference.differing(found.recorded, found.base.streams)
            assert difference.why(found.recorded, found.base.streams, apart) == []
            assert found.kept == 0 or context == "payment"


PROJECTS = """
from msgspec.structs import replace
from projections.order import ORDERS, project
def doubled(view, event, at):
    view = project(view, event, at)
    return replace(view, total=2 * event.total) if event.tag == "order.placed.v1" else view
PROJECTIONS = (replace(ORDERS, project=doubled),)
"""
RAISES = """
CONTEXT = "order"
seen = 0
def change(command):
    global seen
    seen += 1
    if seen == 7:
        raise ZeroDivisionError("a bug")
    return command
"""


def test_another_projection_is_run_over_the_recorded_events(past: Past, tmp_path: Path) -> None:
    (tmp_path / "twice.py").write_text(PROJECTS)
    told = what_if(past, tmp_path / "twice.py")
    rows = [row for row in told["read_models"] if (row["read_model"], row["what"]) == ("orders", "total")]
    assert rows
    assert all(row["what_if"] == 2 * row["as_it_is"] for row in rows)
    assert told["differing"] == 0


@pytest.mark.parametrize(
    ("text", "words", "code", "said"),
    [
        (RAISES, (), 1, "raises ZeroDivisionError('a bug') at number 7, order."),
        ("1 +", (), 1, "cannot be loaded: SyntaxError"),
        ("x = 1\n1 / 0", (), 1, "in line 2"),
        ("x = 1", (), 1, "changes nothing. A module says"),
        ("DECIDER = 1", (), 1, "DECIDER in"),
        ("PROJECTIONS = 1", (), 1, "no tuple of Projection"),
        ("def change(c): return c", (), 1, "does not say of which context"),
        ("def change(c): return c", ("--context", "orders"), 3, "there is no context 'orders'"),
        ("CONTEXT = 'order'\ndef change(c): return c", ("--from", "noon"), 3, "no time such as"),
        ("CONTEXT = 'order'\ndef change(c): return c", ("--from", NOON, "--to", "2017-01-01"), 2, "is not after"),
        ("CONTEXT = 'user'\ndef change(c): return c", (), 3, "user has no history"),
    ],
)
def test_a_module_that_makes_no_sense_is_refused(
    past: Past, tmp_path: Path, text: str, words: tuple[str, ...], code: int, said: str
) -> None:
    (tmp_path / "odd.py").write_text(text)
    answer = past.orders("what-if", str(tmp_path / "odd.py"), *words)
    assert (answer.code, said in answer.err) == (code, True), answer.err
    if text == RAISES:
        assert re.search(r"of order-\S+: order.events/0, offset \d+. Nothing was written", answer.err)


def test_a_module_that_is_not_there_is_refused(past: Past) -> None:
    assert past.orders("what-if", "nowhere.py").code == 3


def test_the_guide_can_be_followed_word_by_word(past: Past, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    [stream] = asked(past, "orderlog_order", "SELECT order_id FROM orders ORDER BY placed_at, order_id LIMIT 1")[0]
    for block in re.findall(r"^```console\n(.*?)^```$", GUIDE.read_text(), re.MULTILINE | re.DOTALL):
        for step in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
            command, _, wanted = step.partition("\n")
            words = shlex.split(command.replace("order-ORDER", f"order-{stream}"))
            answer = past.orders(*words[1:])
            pattern = r"\s+".join(re.escape(word).replace("…", ".*?") for word in wanted.split())
            assert re.search(pattern, answer.out + answer.err, re.DOTALL), f"$ {command}\n{answer.out}{answer.err}"

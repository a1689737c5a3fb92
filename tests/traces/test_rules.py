"""What is told of a decision, what is not, and what tracing leaves alone: on the log in memory, told for real."""

import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable
from uuid import uuid4

import pytest
from msgspec.structs import replace

from events import tracing
from events.envelope import Envelope
from events.errors import Fenced
from events.log import Draft
from events.memory import MemoryLog
from schemas.order import CancelOrder
from schemas.values import Command
from tests.scenarios.house import House
from tests.scenarios.shop import client_draft, order, place_of, sku_on
from tests.traces.collector import Collector, Told, collecting
from tests.traces.tree import tree

pytestmark = pytest.mark.anyio


@pytest.fixture
async def house() -> AsyncIterator[House]:
    house = House(MemoryLog())
    await house.open()
    house.begin()
    yield house
    await house.close()


def asked(house: House, command: Command, traceparent: str) -> Draft:
    """A client's command that belongs to a trace, and is waited for."""
    command_id = str(uuid4())
    house.sent[command_id] = command
    house.chronicle.expect(command_id, command.tag)
    draft = client_draft(command, command_id)
    envelope = replace(Envelope.read(dict(draft.headers)), traceparent=traceparent)
    return draft._replace(headers=envelope.headers())


async def ordered(house: House, traceparent: str) -> str:
    """An order from its placing to its mail, for a client who names its trace; the id."""
    tea = sku_on(1)
    await house.stocked({tea: 10})
    bought = order((tea, 2))
    await house.log.append(place_of(bought), [asked(house, bought, traceparent)])
    await house.settle()
    assert house.status(bought.order_id) == "confirmed"
    return bought.order_id


def of(house: House, order_id: str) -> set[str]:
    """The traceparents of everything that was recorded because of an order's placing."""
    placing = next(name for name, command in house.sent.items() if getattr(command, "order_id", "") == order_id)
    return {told.envelope.traceparent for told in house.chronicle.told if told.envelope.correlation == placing}


def fresh(flags: str = "01") -> str:
    return f"00-{uuid4().hex}-b7ad6b7169203331-{flags}"


def decisions(collector: Collector, command: str) -> list[Told]:
    return [each for each in collector.spans if each.facts.get("orderlog.command") == command]


async def test_off_the_clients_traceparent_is_passed_on_as_it_came_to_the_very_end(house: House) -> None:
    given = fresh()
    assert of(house, await ordered(house, given)) == {given}
    assert of(house, await ordered(house, "")) == {""}


async def test_what_the_client_does_not_record_is_not_recorded_and_written_as_if_all_were_off(house: House) -> None:
    given = fresh("00")
    with collecting() as collector:
        async with tracing.exporting(collector.url, 1.0, "here"):
            order_id = await ordered(house, given)
    assert of(house, order_id) == {given}
    assert [each for each in collector.spans if each.trace == tracing.trace_of(given)] == []


async def test_a_trace_is_recorded_as_a_whole_or_not_at_all(house: House) -> None:
    with collecting() as collector:
        async with tracing.exporting(collector.url, 0.0, "here"):
            begun = await ordered(house, "")
            asked_for = fresh()
            await ordered(house, asked_for)
    [unrecorded] = of(house, begun)
    assert unrecorded.endswith("-00"), "every hop is told the same no"
    assert {each.trace for each in collector.spans} == {tracing.trace_of(asked_for)}


async def test_a_batch_that_joins_traces_is_one_of_its_own_linked_to_each(house: House) -> None:
    tea = sku_on(1)
    await house.stocked({tea: 10})
    bought = order((tea, 2))
    first, second = asked(house, bought, fresh()), asked(house, CancelOrder(order_id=bought.order_id), fresh())
    with collecting() as collector:
        async with tracing.exporting(collector.url, 1.0, "here"):
            await house.log.append(place_of(bought), [first, second])
            await house.settle()
    placed, cancelled = decisions(collector, "order.place")[0], decisions(collector, "order.cancel")[0]
    assert placed.trace != cancelled.trace
    both = [(placed.trace, placed.span), (cancelled.trace, cancelled.span)]
    assert cancelled.links == both[:1], "a later request leads back to what had happened"
    [append] = [each for each in collector.spans if each.name == "append order.events" and both[0] in each.links]
    assert (append.links, append.parent) == (both, "")
    assert append.trace not in {placed.trace, cancelled.trace}


async def test_a_no_of_the_rules_is_an_outcome_and_no_error(house: House) -> None:
    with collecting() as collector:
        async with tracing.exporting(collector.url, 1.0, "here"):
            await house.send(CancelOrder(order_id=str(uuid4())))
            await house.settle()
    [deciding] = decisions(collector, "order.cancel")
    assert deciding.facts["orderlog.outcome"] == "rejected"
    assert deciding.facts["orderlog.events"] == ["command.rejected.v1"]
    assert deciding.error == ""
    assert deciding.parent == ""


async def test_what_is_set_aside_is_an_error(house: House) -> None:
    bought = order((sku_on(1), 1))
    draft = asked(house, bought, fresh())
    with collecting() as collector:
        async with tracing.exporting(collector.url, 1.0, "here"):
            await house.log.append(place_of(bought), [draft._replace(value=b"{}")])
            await house.until(lambda: house.letters(bought.stream), "a letter")
    [deciding] = decisions(collector, "order.place")
    assert (deciding.facts["orderlog.outcome"], deciding.error) == ("parked", "parked")


async def test_a_repeat_is_told_and_changes_nothing(house: House) -> None:
    bought = order((sku_on(1), 1))
    draft = asked(house, bought, fresh())
    with collecting() as collector:
        async with tracing.exporting(collector.url, 1.0, "here"):
            await house.log.append(place_of(bought), [draft])
            await house.log.append(place_of(bought), [draft])
            await house.settle()
            await house.send(CancelOrder(order_id=bought.order_id))
            await house.settle()
    outcomes = [each.facts["orderlog.outcome"] for each in decisions(collector, "order.place")]
    assert sorted(outcomes) == ["accepted", "repeated"]


@pytest.mark.parametrize("fault", [lambda c: setattr(c, "hang", 3.0), lambda c: setattr(c, "status", 500)])
async def test_a_collector_that_hangs_or_fails_holds_up_nobody(
    house: House, fault: Callable[[Collector], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OTEL_BSP_MAX_QUEUE_SIZE", "20")
    monkeypatch.setenv("OTEL_BSP_SCHEDULE_DELAY", "10")
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_TIMEOUT", "1")
    with collecting() as collector:
        fault(collector)
        async with tracing.exporting(collector.url, 1.0, "here"):
            began = time.monotonic()
            for _ in range(3):
                await ordered(house, fresh())
            took, dropped = time.monotonic() - began, tracing.dropped()
            left = time.monotonic()
        assert time.monotonic() - left < 4
        collector.hang = 0.0
    assert took < 10
    assert dropped > 0
    assert collector.asked > 0
    await house.check()


def test_an_error_ends_a_span_by_its_kind_and_without_its_words() -> None:
    with collecting() as collector:
        recorder = _recorder(collector)
        with pytest.raises(Fenced), tracing.Span(*recorder.start("order", "x", "internal", "", (), {}, None)):
            raise Fenced("ada@example.org")
        recorder.end()
    [told] = collector.spans
    assert (told.error, told.facts["error.type"]) == ("Fenced", "Fenced")
    assert "ada" not in str(told)


def test_off_nothing_of_opentelemetry_is_imported() -> None:
    code = "import sys, workers.process; sys.exit(any(name.startswith('opentelemetry') for name in sys.modules))"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@pytest.mark.parametrize(
    ("given", "known"),
    [
        ("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", True),
        ("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00", False),
        ("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-03", True),
        ("00-00000000000000000000000000000000-b7ad6b7169203331-01", None),
        ("00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01", None),
        ("00-zz-zz-00", None),
        ("", None),
    ],
)
def test_only_a_traceparent_as_w3c_has_it_is_one(given: str, known: bool | None) -> None:
    found = tracing.parsed(given)
    assert (found and found[2]) is known
    assert tracing.is_recorded(given) is bool(known)


async def test_a_tree_has_every_span_below_its_parent(house: House) -> None:
    given = fresh()
    with collecting() as collector:
        async with tracing.exporting(collector.url, 1.0, "here"):
            await ordered(house, given)
    lines = tree(collector.of(tracing.trace_of(given))).splitlines()
    indents = {line.split("ms  ")[1].strip(): len(line.split("ms  ")[1]) - len(line.split("ms  ")[1].lstrip())
               for line in lines}  # fmt: skip
    assert indents["payment: authorize payment  authorize"] > 0
    assert len(lines) == len(collector.of(tracing.trace_of(given)))


def _recorder(collector: Collector) -> tracing.Recorder:
    from events.otlp import Otlp

    return Otlp(collector.url, 1.0, "here")

"""What snapshots keep of an aggregate that is unreadable, and what the keys of forged records do to those who load."""

from collections.abc import Sequence

import msgspec
import pytest

from aggregates.order import DECIDER, Status
from aggregates.repository import Repository
from events.fence import Fence
from events.log import Record
from tests.aggregates.test_unreadable import OTHER, STREAM, forged, two_orders, without_header, written
from tests.simulation import loop
from tests.simulation.tables import Line, MemorySnapshots, Tables
from tests.simulation.test_found import Here, calm
from workers.hotset import HotSet


def taken_over(tables: Tables, records: Sequence[Record]) -> Repository:
    """What the next owner knows: from the snapshots, and from those of the records that lie behind them."""
    hot = HotSet(DECIDER, 0, MemorySnapshots(Line(tables, Here(), calm())))

    async def main() -> None:
        fence = await hot.restore()
        for record in records[fence.next :]:
            hot.fold(record)
        await hot.settle()
        await hot.prefetch({STREAM, OTHER})
        await hot.flush(Fence(len(records), 1, "w"))

    loop.run(main())
    return hot.repository


def test_a_snapshot_keeps_that_an_aggregate_is_unreadable() -> None:
    tables, records = Tables("order"), [*written(two_orders()), forged(2, STREAM)]
    first = taken_over(tables, records)

    second = taken_over(tables, records)

    assert first.entities[STREAM].unreadable
    assert second.entities == first.entities


def test_without_snapshots_the_log_is_folded_anew() -> None:
    tables, records = Tables("order"), [*written(two_orders()), forged(2, STREAM)]
    taken_over(tables, records)
    tables.delete_snapshots([STREAM])

    repository = taken_over(tables, records[:2])

    assert repository.entities[STREAM].state.status is Status.PLACED


def test_a_snapshot_from_before_there_was_such_a_mark_is_read() -> None:
    tables, records = Tables("order"), written(two_orders())
    first = taken_over(tables, records)
    for stream, (partition, entity, pending) in tables.snapshots.items():
        kept = msgspec.json.decode(entity)
        del kept["unreadable"]
        tables.snapshots[stream] = partition, msgspec.json.encode(kept).decode(), pending

    assert taken_over(tables, records).entities == first.entities


@pytest.mark.parametrize("key", [b"weather-today", b"\xff\xfe", OTHER.encode()])
def test_the_key_of_a_forged_record_need_not_be_what_it_is_about(key: bytes) -> None:
    tables, records = Tables("order"), written(two_orders())
    taken_over(tables, records)

    repository = taken_over(tables, [*records, forged(2, STREAM)._replace(key=key)])

    assert repository.entities[STREAM].unreadable
    assert repository.entities[OTHER].state.status is Status.PLACED


def test_a_record_that_names_nothing_at_all_is_passed_over() -> None:
    tables, records = Tables("order"), written(two_orders())
    first = taken_over(tables, records)

    nameless = without_header("ce_id")(forged(2, STREAM))._replace(key=b"\xff")

    assert taken_over(tables, [*records, nameless]).entities == first.entities

"""A header whose name is no text stops no reader; and what aiokafka does there is still what we mend."""

from collections.abc import Sequence
from importlib import import_module
from typing import Any

import pytest
from aiokafka.consumer import fetcher
from aiokafka.record.default_records import _DefaultRecordBatchBuilderPy
from aiokafka.structs import TopicPartition

from events import lenient
from tests.attacks.writing import Noise

CODECS = {"none": 0, "gzip": 1, "lz4": 3, "zstd": 4}
READ = "\ufffd\ufffd"
ODD = ("odd", Noise("x"))
Named = tuple[str, str]


def batch(base: int, records: Sequence[Named], codec: str = "none", gap: int = 0) -> bytes:
    """A batch of records, each a key and a header's name; `gap` offsets are left free behind each of them."""
    builder = _DefaultRecordBatchBuilderPy(2, CODECS[codec], False, -1, -1, -1, 1 << 20)
    for index, (key, name) in enumerate(records):
        builder.append(index * (gap + 1), 1, key.encode(), 100 * b"v", [(name, b"1"), ("epoch", None)])
    return base.to_bytes(8, "big") + bytes(builder.build())[8:]


def unpacked(
    raw: bytes, start: int = 0, batches: Any = lenient.FetchedBatches, records: Any = lenient.FetchedRecords
) -> list[tuple[int, str, str]]:
    """What a consumer that has reached `start` is given: offsets, keys, and the first header's name."""
    found = records(TopicPartition("t", 0), batches(raw), [], start, None, None, True, 0)
    return [(record.offset, record.key.decode(), record.headers[0][0]) for record in found]


@pytest.mark.parametrize("codec", CODECS)
def test_the_record_comes_through_and_nothing_around_it_is_lost_or_reordered(codec: str) -> None:
    raw = b"".join(
        [
            batch(0, [("a", "n"), ("b", "n")], codec),
            batch(2, [("c", "n"), ODD, ("e", "n"), ODD], codec),
            batch(6, [ODD]),
            batch(7, [("h", "n"), ("i", "n")], codec),
        ]
    )
    names = ["n", "n", "n", READ, "n", READ, READ, "n", "n"]
    keys = ["a", "b", "c", "odd", "e", "odd", "odd", "h", "i"]
    assert unpacked(raw) == list(zip(range(9), keys, names, strict=True))


@pytest.mark.parametrize("start", range(5))
def test_a_consumer_that_begins_in_the_midst_of_a_batch_gets_the_rest_of_it(start: int) -> None:
    raw = batch(0, [("a", "n"), ("b", "n"), ODD, ("d", "n"), ("e", "n")])
    assert [offset for offset, *_ in unpacked(raw, start)] == list(range(start, 5))


def test_offsets_that_are_missing_stay_missing() -> None:
    raw = batch(0, [("a", "n")]) + batch(10, [("b", "n"), ODD, ("d", "n")], gap=2) + batch(20, [("e", "n")])
    assert [offset for offset, *_ in unpacked(raw, 5)] == [10, 13, 16, 20]


def test_the_tail_of_a_batch_that_a_fetch_has_cut_off_is_left_for_the_next() -> None:
    whole, cut = batch(0, [("a", "n"), ODD]), batch(2, [("c", "n")])
    assert [offset for offset, *_ in unpacked(whole + cut[:-1])] == [0, 1]


def test_a_record_that_anybody_can_unpack_looks_the_same_either_way() -> None:
    def all_of(record: Any) -> Any:
        return {field: getattr(record, field) for field in record.__dataclass_fields__}

    raw = batch(4, [("a", "n")])
    fast = lenient.FetchedRecords(TopicPartition("t", 0), lenient.FetchedBatches(raw), [], 4, None, None, True, 0)
    slow = lenient.FetchedRecords(TopicPartition("t", 0), lenient.FetchedBatches(raw), [], 4, None, None, True, 0)
    assert [all_of(record) for record in fast] == [all_of(record) for record in slow._second_reading()]


def test_aiokafka_itself_still_cannot_read_it() -> None:
    """Once this fails, events/lenient.py is needed no more."""
    batches, records = lenient.FetchedBatches.__base__, lenient.FetchedRecords.__base__
    with pytest.raises(UnicodeDecodeError):
        unpacked(batch(0, [ODD]), 0, batches, records)


def test_every_consumer_that_is_made_beside_our_log_is_lenient() -> None:
    import_module("events.kafka")
    assert (fetcher.MemoryRecords, fetcher.PartitionRecords) == (lenient.FetchedBatches, lenient.FetchedRecords)

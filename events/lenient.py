"""Lenient makes aiokafka read on past a header whose name is no text, where it would stop a reader for good.

Brokers take such a record from any client; aiokafka raises while it unpacks, whenever it is asked again, and has no
setting for it. So two private names of its fetcher are replaced by classes that do the same, and after the error unpack
that one batch again, slowly: the name becomes one that nobody of ours has, and the record any other stranger's.

The same classes hand out whole batches to a consumer that asks for them: there is nothing in aiokafka between all of a
record's objects and none.
"""

import struct
from collections.abc import Iterator
from itertools import chain
from typing import Any, NamedTuple

from aiokafka.consumer import fetcher
from aiokafka.errors import CorruptRecordException
from aiokafka.record.default_records import DefaultRecordBatch, _DefaultRecordBatchPy

_START = struct.Struct(">qi")
"""A batch's first offset, and how many bytes follow."""


class Whole(NamedTuple):
    """A batch as it was written; of its records, those before `start` have been read already."""

    raw: bytes
    start: int


def whole(body: bytes) -> bytes:
    """As a consumer's `value_deserializer`, the mark of one that wants a Whole instead of each batch's records."""
    return body


class FetchedBatches(fetcher.MemoryRecords):  # type: ignore[misc]
    """The batches of one fetch, and the bytes that they are in."""

    def __init__(self, raw: bytes) -> None:
        super().__init__(raw)
        self.raw = raw


class FetchedRecords(fetcher.PartitionRecords):  # type: ignore[misc]
    """The records of one fetch; those of a batch that could not be unpacked come from a second reading of it."""

    _records_iterator: Any
    next_fetch_offset: int

    def __next__(self) -> Any:
        try:
            return next(self._records_iterator)
        except StopIteration:
            self._records_iterator = None
            raise
        except UnicodeDecodeError:
            # The batches have moved on: what is unpacked after this one are those behind it.
            self._records_iterator = chain(self._second_reading(), self._unpack_records())
            return next(self)

    def _unpack_records(self) -> Iterator[Any]:
        return self._wholes() if self._value_deserializer is whole else super()._unpack_records()

    def _wholes(self) -> Iterator[Whole]:
        for raw in _slices(self._records.raw):
            batch, start = DefaultRecordBatch(raw), self.next_fetch_offset
            if self._check_crcs and not batch.validate_crc():
                raise CorruptRecordException(f"Invalid CRC - {self._tp}")
            self.next_fetch_offset = max(start, batch.next_offset)
            if not batch.is_control_batch and batch.next_offset > start:
                yield Whole(raw, start)

    def _second_reading(self) -> Iterator[Any]:
        batch = next(each for each in _batches(self._records.raw) if each.next_offset > self.next_fetch_offset)
        batch._maybe_uncompress()
        batch._buffer = _Text(batch._buffer)
        for record in batch:
            if record.offset >= self.next_fetch_offset:
                self.next_fetch_offset = record.offset + 1
                yield self._consumer_record(self._tp, record)
        self.next_fetch_offset = batch.next_offset


class _Text(bytearray):
    """Bytes of which every part is text, if need be with U+FFFD in it."""

    def __getitem__(self, part: Any) -> Any:
        found = super().__getitem__(part)
        return _Text(found) if isinstance(part, slice) else found

    def decode(self, *_: str) -> str:
        return super().decode("utf-8", "replace")


def _batches(raw: bytes) -> Iterator[Any]:
    return map(_DefaultRecordBatchPy, _slices(raw))


def _slices(raw: bytes) -> Iterator[bytes]:
    """The batches of a fetch; what it has cut off at its end is left for the next."""
    at = 0
    while at + _START.size <= len(raw):
        _, length = _START.unpack_from(raw, at)
        end = at + _START.size + length
        if end > len(raw):
            return
        yield raw[at:end]
        at = end


def read_leniently() -> None:
    """Make every consumer of this process lenient, Faust's too."""
    fetcher.MemoryRecords, fetcher.PartitionRecords = FetchedBatches, FetchedRecords

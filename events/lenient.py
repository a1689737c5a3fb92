"""Lenient makes aiokafka read on past a header whose name is no text, where it would stop a reader for good.

Brokers take such a record from any client; aiokafka raises while it unpacks, whenever it is asked again, and has no
setting for it. So two private names of its fetcher are replaced by classes that do the same, and after the error unpack
that one batch again, slowly: the name becomes one that nobody of ours has, and the record any other stranger's.
"""

import struct
from collections.abc import Iterator
from itertools import chain
from typing import Any

from aiokafka.consumer import fetcher
from aiokafka.record.default_records import _DefaultRecordBatchPy

_START = struct.Struct(">qi")
"""A batch's first offset, and how many bytes follow."""


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
    at = 0
    while at < len(raw):
        _, length = _START.unpack_from(raw, at)
        yield _DefaultRecordBatchPy(raw[at : at + _START.size + length])
        at += _START.size + length


def read_leniently() -> None:
    """Make every consumer of this process lenient, Faust's too."""
    fetcher.MemoryRecords, fetcher.PartitionRecords = FetchedBatches, FetchedRecords

"""Unpack reads a batch as Kafka stores it, in one pass over its bytes, where the batch is wholly of our own making.

Ours are not compressed, and their headers are those of Envelope.headers, in that order and all shorter than 64 bytes:
one regular expression knows them all, with their lengths, and so reads what Envelope.read would have read. Any other
batch, be it for one record, is unpacked by aiokafka as ever. Format: Kafka's DefaultRecordBatch, magic 2.
"""

import re
import struct
from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import Any

from aiokafka.structs import TopicPartition

from events.fence import CLAIM
from events.lenient import FetchedBatches, FetchedRecords, Whole
from events.log import Record
from events.sweep import Found
from schemas.settings import CONTEXTS

_BATCH = struct.Struct(">qiibIhiqqqhii")
_COMPRESSED, _STAMPED = 0x07, 0x08
"""Bits of a batch's attributes: its records are compressed; the broker's time stands for all of them."""

_ID = "\x48.{36}"


def _any_of(*values: str) -> str:
    return "(?:" + "|".join(re.escape(chr(2 * len(value)) + value) for value in values) + ")"


def _of_length(kind: str, *lengths: int) -> str:
    return "(?:" + "|".join(f"{re.escape(chr(2 * n))}{kind}{{{n}}}" for n in lengths) + ")"


# Names and values are preceded by their length, doubled. It decides where they end, or is compared with where they do.
_OURS = re.compile(
    "(?:\x1a|(\x1c))"  # 13 headers, or 14
    "\x1cce_specversion\x061\\.0"
    f"\x0ace_id{_ID}"
    "\x0ece_type([\x02-\x7e][ -~]+)"
    f"\x12ce_source{_any_of(*CONTEXTS)}"
    f"\x0ece_time({_of_length('.', 25, 32)})"
    "\x14ce_subject([\x02-\x7e][ -~]+)"
    f"\x16correlation{_ID}"
    f"\x12causation{_ID}"
    f"\x0corigin(?:{_any_of('client', 'owner')}|{_of_length('.', *range(15, 45))})"
    "(?(1)\x16traceparent\x6e.{55})"
    "\x0eversion([\x02-\x24][0-9]+)"
    f"\x0aepoch([\x02-\x24][0-9]+\x0cwriter{_ID})"
    f"\x10position(?:\x04-1|{_of_length('[0-9]', *range(1, 19))})",
    re.DOTALL,
)


def unpack(whole: Whole) -> list[Found]:
    """The records of a batch, from the offset on that was asked for."""
    found = _quickly(whole.raw)
    if found is None:
        return [Found.of(record_of(each)) for each in _carefully(whole)]
    if found and found[0].offset < whole.start:
        return [each for each in found if each.offset >= whole.start]
    return found


def _quickly(raw: bytes) -> list[Found] | None:
    base, _, _, magic, _, attributes, _, first_time, last_time, _, _, _, count = _BATCH.unpack_from(raw)
    if magic != 2 or attributes & _COMPRESSED:
        return None
    try:
        return _records(raw, base, count, last_time if attributes & _STAMPED else first_time)
    except IndexError:
        return None


def _records(raw: bytes, base: int, count: int, timestamp: int) -> list[Found] | None:
    """All of it, in as few steps as possible: whatever is done here, is done for every record of the history."""
    text, at = raw.decode("latin-1"), _BATCH.size
    match, type_of, version_of = _OURS.fullmatch, _type, _version
    claim, epoch, writer = "", 0, ""
    records: list[Found] = []
    append = records.append
    for number in range(count):
        # Numbers have seven bits a byte, the lowest first, and are doubled unless negative.
        size = raw[at]
        at += 1
        if size > 127:
            size, at = size & 127 | raw[at] << 7, at + 1
            if size > 16383:
                size, at = size & 16383 | raw[at] << 14, at + 1
        end = at + (size >> 1)
        if raw[at] or raw[at + 1]:  # attributes, and milliseconds since the batch's first record
            return None
        at += 2
        offset = raw[at]
        at += 1
        if offset > 127:
            offset, at = offset & 127 | raw[at] << 7, at + 1
        if offset != 2 * number:  # nothing is missing where nothing is compacted
            return None
        key_at = at
        at += 1 + (raw[at] >> 1)
        key = text[key_at:at]
        size = raw[at]
        at += 1
        if size > 127:
            size, at = size & 127 | raw[at] << 7, at + 1
            if size > 16383:
                size, at = size & 16383 | raw[at] << 14, at + 1
        body_at = at
        at += size >> 1
        if not (found := match(text, at, end)):
            return None
        tag, time, stream, version, claimed = found.group(2, 3, 4, 5, 6)
        if claimed != claim:
            claim = claimed
            epoch, writer = _claimed(claimed)
        kind, numbered, rest = type_of(tag), version_of(version), text[at:end]
        if stream != key or not kind or numbered < 0 or epoch < 0 or not rest.isascii() or "\0" in rest:
            return None
        append(
            Found(
                base + number,
                kind,
                key[1:],
                numbered,
                time[1:],
                raw[body_at:at],
                epoch,
                writer,
                timestamp,
                rest,
            )
        )
        at = end
    return records if at == len(raw) else None


@lru_cache(maxsize=4096)
def _type(measured: str) -> str:
    """A tag with its length before it; empty if that is not its length, or if it is a claim, which is not for us."""
    tag = _value(measured)
    return "" if tag is None or tag == CLAIM else tag


@lru_cache(maxsize=4096)
def _version(measured: str) -> int:
    value = _value(measured)
    return -1 if value is None else int(value)


@lru_cache(maxsize=256)
def _claimed(measured: str) -> tuple[int, str]:
    number, _, writer = measured.partition("\x0cwriter")
    value = _value(number)
    return (-1, "") if value is None else (int(value), writer[1:])


def _value(measured: str) -> str | None:
    return measured[1:] if ord(measured[0]) == 2 * (len(measured) - 1) else None


def _carefully(whole: Whole) -> Iterator[Any]:
    nowhere = TopicPartition("", 0)
    return iter(FetchedRecords(nowhere, FetchedBatches(whole.raw), [], whole.start, None, None, False, 0))


def record_of(consumed: Any) -> Record:
    """A consumer's record as ours."""
    return Record(
        consumed.offset, consumed.key or b"", consumed.value or b"", _named(consumed.headers), consumed.timestamp
    )


def _named(headers: Sequence[tuple[str, bytes | None]]) -> dict[str, bytes]:
    """As Record has them; a stranger's header may have no value."""
    named = dict(headers)
    if None in named.values():
        return {name: value or b"" for name, value in headers}
    return named  # type: ignore[return-value]

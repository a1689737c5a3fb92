"""Fence is the checker's own fold of claims: who owns a partition, which records count (docs/fenced-log.md, rule 2)."""

from typing import Any

from tests.faults.checker.contexts import CLAIM
from tests.faults.checker.wire import Record, Text

CLAIMED, COUNTS, IGNORED = "claimed", "counts", "ignored"

LONGEST_HEADERS = 1000
NEEDED = frozenset({"ce_id", "ce_type", "ce_source", "ce_time", "ce_subject", "correlation", "causation", "origin"})
NUMBERS = ("version", "epoch", "position")


class Fence:
    """The claim in force as of `next`, the offset to be read next; `ignored` counts what did not count."""

    def __init__(self) -> None:
        self.next, self.epoch, self.writer, self.ignored = 0, 0, "", 0

    def judge(self, record: Record) -> str:
        """Take a record into account: a claim that took effect, a record that counts, or one that is ignored."""
        self.next = record.offset + 1
        headers = record.headers
        epoch, writer = number(headers.get("epoch"), -1), headers.get("writer") or ""
        if headers.get("ce_type") == CLAIM:
            if epoch > self.epoch and isinstance(writer, str) and writer:
                self.epoch, self.writer = epoch, writer
                return CLAIMED
        elif epoch == self.epoch and writer == self.writer and epoch > 0:
            return COUNTS
        self.ignored += 1
        return IGNORED


def number(content: Text, otherwise: int) -> int:
    """A header as an integer, or `otherwise`."""
    try:
        return int(as_bytes(content)) if content is not None else otherwise
    except ValueError:
        return otherwise


def as_bytes(content: str | bytes) -> bytes:
    """What lay in the log."""
    return content.encode() if isinstance(content, str) else content


def readable(record: Record) -> bool:
    """Whether the headers are those of a message; a record of which they are not is set aside wherever it lies."""
    headers: dict[str, Any] = record.headers
    try:
        whole = "".join(headers.values())
    except TypeError:
        return _readable_if_odd(record)
    if not whole.isascii():
        return _readable_if_odd(record)
    fits = len(whole) <= LONGEST_HEADERS and "\0" not in whole and headers.keys() >= NEEDED and headers["ce_id"] != ""
    return fits and all(_is_number(headers.get(name, "0")) for name in NUMBERS)


def _readable_if_odd(record: Record) -> bool:
    """The same with headers that are no ASCII, no text, or nothing at all."""
    headers = {name: "" if value is None else value for name, value in record.headers.items()}  # none is an empty one
    whole = b"".join(as_bytes(value) for value in headers.values())
    if len(whole) > LONGEST_HEADERS or b"\0" in whole:
        return False
    if not all(isinstance(headers.get(name), str) for name in NEEDED) or not headers["ce_id"]:
        return False
    if any(isinstance(headers.get(name, ""), bytes) for name in ("traceparent", "writer")):
        return False
    return all(_is_number(headers.get(name, "0")) for name in NUMBERS)


def _is_number(content: Text) -> bool:
    if isinstance(content, str) and content.isascii() and content.isdigit():
        return True
    try:
        int(as_bytes(content or ""))
    except ValueError:
        return False
    return True

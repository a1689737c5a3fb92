"""The model of the readers: whoever reads a partition, from wherever, must come to the same records that count."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from tests.model.fenced import FencedLog
from tests.model.history import Entry
from tests.model.states import CLAIM, Message, State


class Record(NamedTuple):
    """One record of the log: a claim has no entry. `version` is what its writer believed it to be."""

    epoch: int
    writer: int
    entry: Entry | None = None
    version: int = 0


class Checkpoint(NamedTuple):
    """All that a reader keeps: the next offset and the claim in force there."""

    offset: int = 0
    epoch: int = 0
    writer: int = 0


def records(model: FencedLog, log: Sequence[Message]) -> Iterator[Record]:
    """A log of messages as a log of records, offset by offset."""
    for kind, epoch, writer, *commit in log:
        if kind == CLAIM:
            yield Record(epoch, writer)
            continue
        base, new = (model.histories.entries[history] for history in commit)
        version = sum(entry.outcome == "accepted" for entry in base)
        for entry in new[len(base) :]:
            version += entry.outcome == "accepted"
            yield Record(epoch, writer, entry, version if entry.outcome == "accepted" else 0)


def read(log: Sequence[Record], start: Checkpoint) -> Iterator[tuple[bool, Checkpoint]]:
    """Whether each record counts, and the checkpoint after it."""
    _, epoch, writer = start
    for offset in range(start.offset, len(log)):
        record = log[offset]
        if record.entry is None:
            counts = record.epoch > epoch
            if counts:
                epoch, writer = record.epoch, record.writer
        else:
            counts = (record.epoch, record.writer) == (epoch, writer)
        yield counts, Checkpoint(offset + 1, epoch, writer)


class Readers:
    """A check of every state: the log is folded anew, from its start and from every checkpoint."""

    def __init__(self, model: FencedLog) -> None:
        self.model, self.rules = model, model.rules
        self.start, self.steps = model.start, model.steps
        self.logs: set[tuple[Message, ...]] = set()

    def check(self, s: State) -> str:
        """As FencedLog.check, and the readers' agreement on every log that is new."""
        broken = self.model.check(s)
        if broken or s.log in self.logs:
            return broken
        self.logs.add(s.log)
        log = list(records(self.model, s.log))
        whole = list(read(log, Checkpoint()))
        return self._fold_differs(s, log, whole) or self._resuming_differs(log, whole)

    def _fold_differs(self, s: State, log: list[Record], whole: list[tuple[bool, Checkpoint]]) -> str:
        effective = [record for record, (counts, _) in zip(log, whole, strict=True) if counts and record.entry]
        if tuple(record.entry for record in effective) != self.model.histories.entries[s.history]:
            return "disagreement: the fold from the start is not what the writers know"
        versions = [record.version for record in effective if record.version]
        return "" if versions == list(range(1, len(versions) + 1)) else "gap: versions are not gapless"

    def _resuming_differs(self, log: list[Record], whole: list[tuple[bool, Checkpoint]]) -> str:
        for offset, (_, checkpoint) in enumerate(whole, 1):
            kept = checkpoint if self.rules.checkpoints_keep_the_claim else Checkpoint(offset)
            if list(read(log, kept)) != whole[offset:]:
                return f"disagreement: a reader that resumes at offset {offset} counts other records"
        return ""

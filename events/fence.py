"""Fence is the rule by which every reader of a partition agrees on which records count (docs/fenced-log.md, rule 2).

A claim takes effect if its epoch is higher than the current one; an event is effective if its (epoch, writer) is the
current claim's. All else is ignored and counted. The state is one small value per partition.
"""

from collections.abc import Mapping
from enum import Enum

import msgspec

HIGHEST = 2**62
"""No epoch is so high: databases keep them in 64 bits, and a claim must leave room for the next."""

CLAIM = "log.claimed.v1"
"""The type of a claim record; its epoch and writer headers are all it says."""


class Verdict(Enum):
    """What a record is to every reader."""

    CLAIM = "a claim that took effect"
    EFFECTIVE = "counts"
    IGNORED = "does not count"


class Fence(msgspec.Struct):
    """Who owns the partition as of `next`, the offset to be read next; `ignored` counts what did not count."""

    next: int = 0
    epoch: int = 0
    writer: str = ""
    ignored: int = 0

    def judge(self, offset: int, headers: Mapping[str, bytes]) -> Verdict:
        """Take the next record into account and say whether it counts."""
        self.next = offset + 1
        try:
            epoch = int(headers.get("epoch", -1))
            writer = (headers.get("writer") or b"").decode()
            if epoch >= HIGHEST:
                epoch = -1
        except (ValueError, TypeError):
            epoch, writer = -1, ""
        if headers.get("ce_type") == CLAIM.encode():
            if epoch > self.epoch and writer:
                self.epoch, self.writer = epoch, writer
                return Verdict.CLAIM
        elif epoch == self.epoch and writer == self.writer and epoch > 0:
            return Verdict.EFFECTIVE
        self.ignored += 1
        return Verdict.IGNORED

"""Fenced is the log's protocol: claim a partition, append to it as its owner, read only what counts.

The rules, and why each is needed: docs/fenced-log.md. Everything here stands on the dumb port of log.py, so the
in-memory twin and Kafka run the same code.
"""

from collections.abc import Callable, Sequence
from uuid import uuid4

from events.envelope import Envelope
from events.errors import Fenced
from events.failpoints import reach
from events.fence import CLAIM, Fence, Verdict
from events.log import Draft, Log, Place, Record, scan

Fold = Callable[[Record], None]
"""Takes one effective record into account."""


def claim_draft(place: Place, epoch: int, writer: str) -> Draft:
    """The record that asks for a partition."""
    headers = [("ce_type", CLAIM.encode()), ("epoch", b"%d" % epoch), ("writer", writer.encode())]
    return Draft(f"{place.topic}/{place.partition}", b"{}", headers)


async def catch_up(log: Log, place: Place, fence: Fence, end: int, fold: Fold) -> None:
    """Read from the fence's position up to `end`, folding what counts."""
    async for records in scan(log, place, fence.next, end):
        for record in records:
            if fence.judge(record.offset, record.headers) is Verdict.EFFECTIVE:
                fold(record)


class Owner:
    """The right to append to one partition, for as long as nobody else claims it."""

    def __init__(self, log: Log, place: Place, fence: Fence) -> None:
        self.log, self.place, self.fence = log, place, fence
        self.epoch, self.writer = fence.epoch, fence.writer  # ours, wherever the fence may be read on to

    async def append(self, commit: Sequence[tuple[Envelope, bytes]]) -> int:
        """Append one commit as one batch and return its first offset; only then may state advance.

        Raises:
            Fenced: somebody came between, or nobody knows: forget what was decided and claim again.
            Unavailable, TooLarge: nothing was written.
        """
        drafts = [Draft(envelope.subject, body, envelope.headers()) for envelope, body in commit]
        expected = self.fence.next
        base = await self.log.append(self.place, drafts)
        reach("append.written")
        # Rule 3. An offset that is not the expected one means that another writer's record lies between our state
        # and this commit. It may be a claim, and then readers ignore what we have just written.
        if base != expected:
            raise Fenced(f"{self.place}: expected offset {expected}, got {base}")
        self.fence.next = base + len(drafts)
        return base


async def claim(log: Log, place: Place, fence: Fence, fold: Fold) -> Owner:
    """Become the owner of a partition: read it to its end, claim it, read up to the claim, until one takes effect.

    `fence` and `fold` carry on from wherever a snapshot left them.
    """
    while True:
        _, end = await log.bounds(place)
        await catch_up(log, place, fence, end, fold)
        writer = str(uuid4())  # new for every claim: a late append of our former self must not count
        offset = await log.append(place, [claim_draft(place, fence.epoch + 1, writer)])
        reach("claim.written")
        await catch_up(log, place, fence, offset + 1, fold)
        if fence.writer == writer:
            return Owner(log, place, fence)

"""Bugs in the fenced log's protocol (docs/fenced-log.md): each leaves out one of its rules."""

from collections.abc import Mapping, Sequence
from uuid import uuid4

from msgspec.structs import replace

from aggregates.stage import Stage
from events.envelope import Envelope
from events.errors import Fenced
from events.event import Event
from events.fence import CLAIM, Fence, Verdict
from events.fenced import Fold, Owner, catch_up, claim_draft
from events.log import Draft, Log, Place
from tests.faults.bugs.put import Put, launch
from workers import writer


def dedupe_off(put: Put) -> None:
    """Nobody remembers which commands have been handled, neither origins nor clients' ids (rule 4).

    Breaks clients.one_outcome, clients.unknown_at_most_once and log.reactions_once. Seen when a client repeats a
    request, and when a reactor is killed and sends again what it had not noted.
    """
    put(Stage, "_repeated", lambda *_: False)


def offset_comparison_off(put: Put) -> None:
    """An owner takes every append for effective, whatever offset comes back, and even if none does (rule 3).

    Breaks log.claims_again wherever a stranger's record lies between two commits (a zombie's, poison on a topic of
    events), and log.versions_gapless and log.every_command_answered where an append was lost with its broker.
    """
    append = Owner.append

    async def trusting(self: Owner, commit: Sequence[tuple[Envelope, bytes]]) -> int:
        try:
            return await append(self, commit)
        except Fenced:
            self.fence.next += len(commit)
            return self.fence.next - len(commit)

    put(Owner, "append", trusting)


def claims_ignored(put: Put) -> None:
    """Readers count every record that some owner wrote, whoever owns the partition by then (rule 2).

    Breaks views.history and log.reactions_once, and, as owners are readers too, log.versions_gapless. Seen when a
    writer is stopped, replaced, and wakes up with a commit in its hands.
    """
    judge = Fence.judge

    def lenient(self: Fence, offset: int, headers: Mapping[str, bytes]) -> Verdict:
        verdict = judge(self, offset, headers)
        owned = headers.get("ce_type") != CLAIM.encode() and headers.get("epoch", b"").isdigit()
        return Verdict.EFFECTIVE if verdict is Verdict.IGNORED and owned else verdict

    put(Fence, "judge", lenient)


def epoch_not_raised(put: Put) -> None:
    """A new owner claims under the epoch that it found, and does not look whether that counts (rule 1).

    Breaks clients.accepted_has_outcome, log.every_command_answered and, where something was under way,
    liveness.settled: nobody else counts what such an owner writes. Seen after any kill of a worker.
    """

    async def claim(log: Log, place: Place, fence: Fence, fold: Fold) -> Owner:
        _, end = await log.bounds(place)
        await catch_up(log, place, fence, end, fold)
        epoch, name = max(fence.epoch, 1), str(uuid4())
        offset = await log.append(place, [claim_draft(place, epoch, name)])
        await catch_up(log, place, fence, offset + 1, fold)
        return Owner(log, place, replace(fence, epoch=epoch, writer=name))

    put(writer, "claim", claim)


def commit_before_write(put: Put) -> None:
    """State advances, and effects begin, while the append is only on its way (rule 3).

    Breaks log.versions_gapless and log.every_command_answered: what is lost with the broker is counted on all the same.
    Seen when the broker is killed, or cut off for longer than a producer waits.
    """

    async def hasty(self: Owner, commit: Sequence[tuple[Envelope, bytes]]) -> int:
        drafts = [Draft(envelope.subject, body, envelope.headers()) for envelope, body in commit]
        launch(self.log.append(self.place, drafts))
        self.fence.next += len(drafts)
        return self.fence.next - len(drafts)

    put(Owner, "append", hasty)


def version_repeated(put: Put) -> None:
    """All events that one command causes in one stream get the same version.

    Breaks log.versions_gapless. Seen whenever a product is listed with stock, or a captured payment is cancelled.
    """
    record = Stage.record

    def once(self: Stage, event: Event, index: int, cause: Envelope, position: int) -> Envelope:
        recorded = record(self, event, index, cause, position)
        if index and self.commit[-2][0].subject == self.commit[-1][0].subject and self.commit[-1][0].version:
            envelope, body = self.commit[-1]
            self.commit[-1] = replace(envelope, version=self.commit[-2][0].version), body
        return recorded

    put(Stage, "record", once)


BUGS = (
    dedupe_off,
    offset_comparison_off,
    claims_ignored,
    epoch_not_raised,
    commit_before_write,
    version_repeated,
)

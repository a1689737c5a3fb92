"""Removed takes one rule at a time out of the application: a simulation that does not notice is worth nothing."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, suppress
from itertools import count
from typing import Any
from unittest.mock import patch

from psycopg.errors import SerializationFailure

import aggregates.payment.settling
import aggregates.reservation
import workers.payment
import workers.writer
from aggregates.repository import Entity, Handled, Repository
from aggregates.stage import Incoming, Stage
from events.envelope import CLIENT, Envelope
from events.errors import Fenced, LogError
from events.fence import CLAIM, Fence, Verdict
from events.fenced import Owner, catch_up, claim_draft
from events.log import Draft, Log, Place
from events.outcome import CommandRejected, CommandUnchanged
from projections.store import Store
from workers.reactor import Reactor

Removal = Callable[[], AbstractContextManager[Any]]


def origins_are_remembered() -> AbstractContextManager[Any]:
    whole = Stage._repeated
    return patch.object(Stage, "_repeated", lambda self, asked, of: asked.origin == CLIENT and whole(self, asked, of))


def client_ids_are_remembered() -> AbstractContextManager[Any]:
    whole = Stage._repeated
    return patch.object(Stage, "_repeated", lambda self, asked, of: asked.origin != CLIENT and whole(self, asked, of))


def positions_are_remembered() -> AbstractContextManager[Any]:
    whole = Handled.note
    return patch.object(Handled, "note", lambda self, origin, _: whole(self, origin, -1))


def offsets_are_compared() -> AbstractContextManager[Any]:
    async def append(self: Owner, commit: Sequence[tuple[Envelope, bytes]]) -> int:
        drafts = [Draft(envelope.subject, body, envelope.headers()) for envelope, body in commit]
        base = await self.log.append(self.place, drafts)
        self.fence.next = base + len(drafts)
        return base

    return patch.object(Owner, "append", append)


def a_claim_follows_whatever_nobody_knows() -> AbstractContextManager[Any]:
    whole = Owner.append

    async def append(self: Owner, commit: Sequence[tuple[Envelope, bytes]]) -> int:
        try:
            return await whole(self, commit)
        except Fenced:
            self.fence.next = (await self.log.bounds(self.place))[1]
            return await whole(self, commit)

    return patch.object(Owner, "append", append)


def readers_apply_claims() -> AbstractContextManager[Any]:
    whole = Fence.judge

    def judge(self: Fence, offset: int, headers: dict[str, bytes]) -> Verdict:
        verdict = whole(self, offset, headers)
        ours = headers.get("ce_type") != CLAIM.encode() and "version" in headers
        return Verdict.EFFECTIVE if verdict is Verdict.IGNORED and ours else verdict

    return patch.object(Fence, "judge", judge)


def an_owner_reads_up_to_its_claim() -> AbstractContextManager[Any]:
    async def claim(log: Log, place: Place, fence: Fence, fold: Any) -> Owner:
        _, end = await log.bounds(place)
        await catch_up(log, place, fence, end, fold)
        offset = await log.append(place, [claim_draft(place, fence.epoch + 1, f"writer-{next(_numbers)}")])
        await catch_up(log, place, fence, offset + 1, lambda record: None)
        return Owner(log, place, fence)

    return patch.object(workers.writer, "claim", claim)


def a_reaction_waits_for_every_ack() -> AbstractContextManager[Any]:
    whole = Reactor._append

    async def append(self: Reactor, partition: int, asked: Sequence[Incoming]) -> None:
        try:
            await whole(self, partition, asked)
        except LogError:
            return

    return patch.object(Reactor, "_append", append)


def refusals_and_needless_commands_are_recorded() -> AbstractContextManager[Any]:
    whole = Stage._answer

    def answer(self: Stage, incoming: Any) -> Any:
        return [e for e in whole(self, incoming) if not isinstance(e, CommandRejected | CommandUnchanged)]

    return patch.object(Stage, "_answer", answer)


def the_providers_key_follows_from_the_payment() -> AbstractContextManager[Any]:
    return patch.object(workers.payment, "key_of", lambda order_id, step: f"{order_id} {step} {next(_numbers)}")


def stock_is_checked() -> AbstractContextManager[Any]:
    return patch.object(aggregates.reservation, "_enough", lambda product, quantity: product.on_sale)


def money_of_a_cancelled_order_goes_back() -> AbstractContextManager[Any]:
    return patch.object(aggregates.payment.settling, "give_back", lambda order_id, payment: [])


def a_view_moves_with_its_checkpoint() -> AbstractContextManager[Any]:
    whole = Store._move

    async def move(self: Store, connection: Any, steps: Sequence[Any]) -> None:
        with suppress(SerializationFailure):
            await whole(self, connection, steps)

    return patch.object(Store, "_move", move)


@contextmanager
def what_a_snapshot_has_is_not_folded_again() -> Iterator[None]:
    whole = Repository.fold

    def fold(self: Repository, record: Any) -> None:
        stream = record.headers["ce_subject"].decode()
        entity = self.get(stream)
        self.entities[stream] = Entity(entity.state, 0, entity.correlation, entity.causation, entity.seen)
        whole(self, record)

    with patch.object(Repository, "fold", fold):
        yield


_numbers = count()

CHANGES = ("rebalanced", "paused", "cut off", "killed")
"""What gives a partition to somebody else."""

RULES: dict[Removal, tuple[str, ...]] = {
    origins_are_remembered: ("positions deleted",),
    client_ids_are_remembered: (),
    positions_are_remembered: ("poison", "killed"),
    offsets_are_compared: CHANGES,
    a_claim_follows_whatever_nobody_knows: ("storm on acks",),
    readers_apply_claims: CHANGES,
    an_owner_reads_up_to_its_claim: ("rebalanced",),
    a_reaction_waits_for_every_ack: ("storm on commands", "brokers down"),
    refusals_and_needless_commands_are_recorded: (),
    the_providers_key_follows_from_the_payment: ("storm on provider",),
    stock_is_checked: (),
    money_of_a_cancelled_order_goes_back: (),
    a_view_moves_with_its_checkpoint: ("views deleted", "database crashed", "rebalanced"),
    what_a_snapshot_has_is_not_folded_again: ("killed",),
}
"""Each rule, and the weather in which it is needed."""

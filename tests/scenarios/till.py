"""Till is a payment provider that does as a script says, per order and step, and otherwise as the in-process one."""

import asyncio
from collections import defaultdict, deque
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple
from uuid import UUID

from workers.provider import Authorized, Captured, Declined, ProviderUnavailable, Refunded, Voided
from workers.provider_twin import InProcessProvider

Do = Callable[[], Awaitable[Any]]
Act = Callable[[Do], Awaitable[Any]]
"""What happens to one call: `do` is what the provider would have done."""


async def plain(do: Do) -> Any:
    """Answers at once."""
    return await do()


async def down(_: Do) -> Any:
    """Does nothing, and gives no answer."""
    raise ProviderUnavailable(0.01, "scripted outage")


async def answer_lost(do: Do) -> Any:
    """Does it, and the answer gets lost."""
    await do()
    raise ProviderUnavailable(0.01, "scripted loss")


def declines(reason: str) -> Act:
    """Says no."""

    async def act(_: Do) -> Any:
        return Declined(reason)

    return act


def expiring(seconds: float) -> Act:
    """Authorizes for so long only."""

    async def act(do: Do) -> Any:
        answer = await do()
        return replace(answer, expires_at=datetime.now(UTC) + timedelta(seconds=seconds))

    return act


def held_before(gate: asyncio.Event) -> Act:
    """Does it only when the gate opens."""

    async def act(do: Do) -> Any:
        await gate.wait()
        return await do()

    return act


def held_after(gate: asyncio.Event) -> Act:
    """Does it at once, and answers when the gate opens."""

    async def act(do: Do) -> Any:
        answer = await do()
        await gate.wait()
        return answer

    return act


class Move(NamedTuple):
    """Money that was moved: one line of the provider's ledger."""

    order_id: str
    step: str
    amount: int


class Till:
    """`moves` is the ledger, by idempotency key; `calls` counts every call; `reached` those that began."""

    def __init__(self) -> None:
        self.inner = InProcessProvider()
        self.moves: dict[str, Move] = {}
        self.calls: defaultdict[tuple[str, str], list[str]] = defaultdict(list)
        self._scripts: defaultdict[tuple[str, str], deque[Act]] = defaultdict(deque)
        self._orders: dict[str, str] = {}

    def script(self, order_id: str, step: str, *acts: Act) -> None:
        """What happens to the next calls of a step for an order; after them it answers plainly."""
        self._scripts[order_id, step].extend(acts)

    def ledger(self, order_id: str, step: str) -> list[int]:
        """The amounts moved by a step for an order."""
        return [move.amount for move in self.moves.values() if (move.order_id, move.step) == (order_id, step)]

    async def authorize(
        self,
        key: str,
        payment_id: UUID | str,
        amount: int,
        currency: str,
        token: str,
        attempt: int = 1,
        in_parts: bool = False,
    ) -> Authorized | Declined:
        """As Provider.authorize."""
        do = self._noting(key, Move(str(payment_id), "authorize", amount))
        return await self._act(  # type: ignore[no-any-return]
            key,
            str(payment_id),
            "authorize",
            lambda: do(self.inner.authorize(key, payment_id, amount, currency, token, attempt, in_parts)),
        )

    async def capture(self, key: str, reference: str, amount: int, final: bool = True) -> Captured | Declined:
        """As Provider.capture."""
        order_id = self._orders[reference]
        do = self._noting(key, Move(order_id, "capture", amount))
        return await self._act(  # type: ignore[no-any-return]
            key, order_id, "capture", lambda: do(self.inner.capture(key, reference, amount, final))
        )

    async def void(self, key: str, reference: str) -> Voided | Declined:
        """As Provider.void."""
        order_id = self._orders[reference]
        do = self._noting(key, Move(order_id, "void", 0))
        return await self._act(  # type: ignore[no-any-return]
            key, order_id, "void", lambda: do(self.inner.void(key, reference))
        )

    async def refund(self, key: str, reference: str, amount: int) -> Refunded | Declined:
        """As Provider.refund."""
        order_id = self._orders[reference]
        do = self._noting(key, Move(order_id, "refund", amount))
        return await self._act(  # type: ignore[no-any-return]
            key, order_id, "refund", lambda: do(self.inner.refund(key, reference, amount))
        )

    async def aclose(self) -> None:
        """Nothing to let go."""

    async def _act(self, key: str, order_id: str, step: str, do: Do) -> Any:
        self.calls[order_id, step].append(key)
        script = self._scripts[order_id, step]
        return await (script.popleft() if script else plain)(do)

    def _noting(self, key: str, move: Move) -> Callable[[Awaitable[Any]], Awaitable[Any]]:
        async def noted(answering: Awaitable[Any]) -> Any:
            answer = await answering
            if not isinstance(answer, Declined):
                self.moves.setdefault(key, move)
                self._orders[getattr(answer, "reference", key)] = move.order_id
            return answer

        return noted

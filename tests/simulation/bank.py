"""Bank and post are the world outside: what is asked of them arrives, or not, and their answers come back, or not."""

import asyncio
from collections.abc import Awaitable, Callable, Container, Mapping
from typing import Any, TypeVar
from uuid import UUID

from tests.scenarios.till import Till
from tests.scenarios.world import now
from tests.simulation.broker import Process
from tests.simulation.chance import Chance
from workers.channel import PLAIN, Delivered, MailUnavailable, Manner, Refused
from workers.mail import InProcessMailbox, Letter
from workers.provider import EXPIRED, Authorized, Captured, Declined, Provider, ProviderUnavailable, Refunded, Voided

T = TypeVar("T")

PATIENCE = 1.0
"""Seconds that a caller waits for an answer."""


async def call(who: str, process: Process, chance: Chance, do: Callable[[], T], no: Callable[[], Exception]) -> T:
    """Ask the world outside. Once it is on its way, it happens, whatever becomes of the caller.

    Raises:
        what `no` makes: there is no answer.
    """
    loop = asyncio.get_running_loop()
    await process.awake()
    if process.cut or chance.happens(f"{who} down"):
        await asyncio.sleep(chance.delay())
        await process.awake()
        raise no()
    answer: asyncio.Future[T] = loop.create_future()
    late = chance.happens(f"{who} late")
    loop.call_later(chance.between(1, 9) if late else chance.delay(), _happen, do, answer)
    lost = late or chance.happens(f"{who} answer lost")
    await (asyncio.sleep(PATIENCE) if lost else answer)
    await asyncio.sleep(chance.between(0, 6) if chance.happens(f"{who} slow") else chance.delay())
    await process.awake()
    if lost or process.cut:
        raise no()
    return answer.result()


def _happen(do: Callable[[], T], answer: asyncio.Future[T]) -> None:
    try:
        done = do()
    except Exception as error:
        answer.set_exception(error)
    else:
        if not answer.done():
            answer.set_result(done)


class Bank(Provider):
    """One process's way to the provider, which authorizes the money of `unwilling` orders and never hands it over.

    It forgets of `forgetful` orders what it has held first.
    """

    def __init__(
        self, till: Till, unwilling: Container[str], forgetful: Container[str], process: Process, chance: Chance
    ) -> None:
        self._till, self._unwilling, self._forgetful = till, unwilling, forgetful
        self._process, self._chance = process, chance

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
        return await self._ask(
            f"authorize {payment_id}",
            lambda: self._till.authorize(key, payment_id, amount, currency, token, attempt, in_parts),
        )

    async def capture(self, key: str, reference: str, amount: int, final: bool = True) -> Captured | Declined:
        """As Provider.capture."""
        if self._till._orders[reference] in self._unwilling:
            return Declined("fraud")
        if self._till._orders[reference] in self._forgetful and reference == self._first(reference):
            return Declined(EXPIRED)
        return await self._ask(f"capture {reference}", lambda: self._till.capture(key, reference, amount, final))

    def _first(self, reference: str) -> str:
        """What was held first for the same order."""
        order_id = self._till._orders[reference]
        return next(known for known, whose in self._till._orders.items() if whose == order_id)

    async def void(self, key: str, reference: str) -> Voided | Declined:
        """As Provider.void."""
        return await self._ask(f"void {reference}", lambda: self._till.void(key, reference))

    async def refund(self, key: str, reference: str, amount: int) -> Refunded | Declined:
        """As Provider.refund."""
        return await self._ask(f"refund {reference}", lambda: self._till.refund(key, reference, amount))

    async def _ask(self, what: str, doing: Callable[[], Awaitable[T]]) -> T:
        def do() -> T:
            if self._chance.say:
                self._chance.say(f"the bank is asked by {self._process.name} to {what}")
            return now(doing())

        def no() -> ProviderUnavailable:
            return ProviderUnavailable(self._chance.between(0.1, 1))

        return await call("provider", self._process, self._chance, do, no)

    async def aclose(self) -> None:
        """As Provider.aclose."""


class Mailbox(InProcessMailbox):
    """The mailbox's twin, less the letters' text, which costs more than all the rest of a run."""

    async def deliver(
        self,
        notification_id: UUID | str,
        recipient: str,
        template: str,
        params: Mapping[str, Any],
        manner: Manner = PLAIN,
    ) -> Delivered | Refused:
        """Keep one mail."""
        reference = f"<{notification_id}@{self._sender.rpartition('@')[2]}>"
        self.repeats += reference in self.letters
        self.letters.setdefault(reference, Letter(recipient, template, ""))
        return Delivered(reference)


class Post:
    """One process's way to the mail server."""

    def __init__(self, mailbox: Mailbox, process: Process, chance: Chance) -> None:
        self._mailbox, self._process, self._chance = mailbox, process, chance

    async def deliver(
        self,
        notification_id: UUID | str,
        channel: str,
        recipient: str,
        template: str,
        params: Mapping[str, Any],
        manner: Manner = PLAIN,
    ) -> Delivered | Refused:
        """As Mailer.deliver."""

        def do() -> Delivered | Refused:
            return now(self._mailbox.deliver(notification_id, recipient, template, params))

        return await call("mail", self._process, self._chance, do, lambda: MailUnavailable("no answer"))

    async def aclose(self) -> None:
        """As Mailer.aclose."""

"""House is the whole shop in one process: five contexts on one log, and what tests need to ask of them."""

import asyncio
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from uuid import uuid4

from aggregates.letters import Letter
from events import topics
from events.log import Log, Place, Reader
from events.outcome import CommandRejected
from projections.postgres import Database
from projections.registry import CHECKPOINTS, PROJECTIONS
from projections.snapshots import Snapshots
from projections.store import Store
from projections.versions import fences
from schemas.order import DeliverOrder, PlaceOrder, ShipOrder
from schemas.parking import DiscardLetter, EditLetter, ParkRecord, RetryLetter
from schemas.settings import CONTEXTS, Settings
from schemas.values import Command
from tests.builders.values import CARD_WITHIN
from tests.scenarios import laws, read_models
from tests.scenarios.chronicle import Chronicle
from tests.scenarios.contacts import Contacts, Phones
from tests.scenarios.shop import client_draft, place_of, product
from tests.scenarios.switchboard import Door, Switchboard
from tests.scenarios.till import Till
from workers.channel import ByChannel
from workers.compose import parts_of
from workers.contact_book import ContactBook
from workers.context import Assign, Context
from workers.mail import InProcessMailbox

DEADLINES = {"product": timedelta(seconds=900), "payment": timedelta(seconds=600)}
EVERY = frozenset(range(topics.PARTITIONS))
PATIENCE_SECONDS = 40.0


class Clock:
    """The time, less what a test has put it back: deadlines set now are due so much earlier."""

    def __init__(self) -> None:
        self.behind = timedelta()

    def __call__(self) -> datetime:
        return datetime.now(UTC) - self.behind


class House:
    """Five contexts on one log. With databases, they have read models and snapshots too."""

    def __init__(self, log: Log, databases: Mapping[str, Database] | None = None) -> None:
        self.log, self.databases = Switchboard(log), databases or {}
        self.till, self.mailbox = Till(), InProcessMailbox()
        settings = Settings(
            hold_seconds=DEADLINES["product"].total_seconds(),
            overdue_seconds=DEADLINES["payment"].total_seconds(),
            card_seconds=CARD_WITHIN.total_seconds(),
        )
        self.phones = Phones()
        mailer = ByChannel({"email": self.mailbox, "sms": self.phones})
        known = self.databases.get("notification")
        contacts = ContactBook(known, self.log) if known else Contacts(lambda: self.chronicle)
        self.parts = dict(parts_of(settings, self.till, mailer, contacts))
        self.clocks = {name: Clock() for name in CONTEXTS}
        self.contexts: dict[str, Context] = {}
        self.sent: dict[str, Command] = {}
        self.chronicle = Chronicle(self.parts)
        self._running: dict[str, asyncio.Task[None]] = {}
        self._reader: Reader | None = None
        self._disturbed = False
        self.pause: frozenset[str] = frozenset()

    async def open(self) -> None:
        """Start everything."""
        self._reader = await self.log.reader(dict.fromkeys(self.chronicle.places, 0))
        await self.start(*CONTEXTS)

    async def close(self) -> None:
        """Stop everything."""
        await self.stop(*self._running)
        if self._reader:
            await self._reader.close()

    def begin(self) -> None:
        """A new test: what others have left behind is none of its business."""
        self.sent = {}
        self.chronicle.forget()
        self.log.forget()
        self.log.twice = self.log.far = self._disturbed = False
        for clock in self.clocks.values():
            clock.behind = timedelta()

    async def start(self, *names: str) -> None:
        """Start contexts that do not run, and return once they own their partitions."""
        for name in names:
            self.contexts[name] = self.another(name)
            self._running[name] = asyncio.create_task(self.contexts[name].run())
        await self.until(lambda: all(self.contexts[name].writer.ready.is_set() for name in names), "start")

    async def stop(self, *names: str) -> None:
        """Stop contexts in whatever they are doing."""
        self._disturbed = True
        tasks = [self._running.pop(name) for name in list(names)]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def restart(self, *names: str) -> None:
        """Others take over."""
        await self.stop(*names)
        await self.start(*names)

    def another(self, name: str) -> Context:
        """One more process for a context, not yet running."""
        database = self.databases.get(name)
        store = Store(database, name, PROJECTIONS[name]) if database else None
        snapshots = Snapshots(database) if database else None
        context = Context(
            self.log, self.parts[name], _all_is_ours, store, snapshots, 0.05, self.clocks[name], self.pause
        )

        async def door() -> Door:
            return Door(await context.writer.inbox(), self.log)

        context.reactor._inbox = door
        return context

    async def send(self, command: Command, command_id: str = "") -> str:
        """Ask as a client, and return the command's id."""
        command_id = command_id or str(uuid4())
        self.sent[command_id] = command
        self.chronicle.expect(command_id, command.tag)
        await self.log.append(place_of(command), [client_draft(command, command_id)])
        return command_id

    async def of_letter(
        self,
        context: str,
        about: str,
        letter: str,
        kind: type[RetryLetter | EditLetter | DiscardLetter] = RetryLetter,
        **more: str,
    ) -> str:
        """Ask, as an operator does, what is to become of a letter."""
        place = next(place for place, r in self.chronicle.repositories.items() if about in r.entities)
        command = kind(about=about, letter=letter, partition=place.partition, **more)
        command_id = str(uuid4())
        self.chronicle.expect(command_id, command.tag)
        await self.log.append(Place(topics.commands(context), place.partition), [client_draft(command, command_id)])
        return command_id

    def placing(self, bought: PlaceOrder) -> str:
        """The id of the command that placed an order."""
        return next(name for name, command in self.sent.items() if command == bought)

    async def retry(self, context: str, about: str) -> str:
        """Retry the first of a stream's letters."""
        return await self.of_letter(context, about, self.letters(about)[0].id)

    def letters(self, about: str) -> tuple[Letter, ...]:
        """What is open of a stream, as the log has it."""
        found = (r.entities[about].letters.open for r in self.chronicle.repositories.values() if about in r.entities)
        return next(found, ())

    async def stocked(self, stock: Mapping[str, int]) -> None:
        """List products, and wait until they can be bought."""
        for sku, quantity in stock.items():
            await self.send(product(sku, quantity))
        await self.until(lambda: not self.chronicle.open(), "stock")

    async def until(self, happened: Callable[[], object], what: str) -> None:
        """Listen to the log until something is so."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not happened():
            assert time.monotonic() < deadline, f"{what}: still open {self.chronicle.open()[:20]}"
            for task in self._running.values():
                if task.done():
                    task.result()
            assert self._reader is not None
            for place, records in (await self._reader.batch(timeout=0.01)).items():
                self.chronicle.take(place, records)

    async def told(self, tag: str, command_id: str) -> None:
        """Wait until this is recorded because of a client's command."""
        await self.until(lambda: self.chronicle.saw(tag, command_id), tag)

    async def settle(self) -> None:
        """Wait until every command has its outcome, and every effect its answer."""
        await self.until(lambda: not self.chronicle.open(), "settle")

    async def said(self) -> None:
        """Wait until every word for a moment is said: the chronicle may see the moment before we do."""
        await self.until(lambda: not self.log.waiting, "a word at its moment")

    async def check(self) -> None:
        """When all is quiet, whatever happened, these laws hold."""
        await self.settle()
        await self._quiet()
        laws.check(laws.Facts(self.chronicle, self.till, self.mailbox, self.sent))
        for name, database in self.databases.items():
            await read_models.check(name, database, self.chronicle, self.sent)

    async def _quiet(self) -> None:
        """Wait until nothing is under way any more; where there may be repeats, until the last of them is handled."""
        if self._disturbed:
            await self._barrier()
        heads = {place: fence.next for place, fence in self.chronicle.fences.items()}
        await self.until(lambda: self._reacted(heads), "reactions")
        await self._barrier()  # behind all that reactors have sent
        for name in self.databases:
            await self._projected(name)

    async def _barrier(self) -> None:
        """A harmless record through every partition: what was sent before it has been handled when it has."""
        await asyncio.gather(*(self._harmless(name, p) for name in CONTEXTS if name != "user" for p in EVERY))
        await self.until(lambda: not self.chronicle.open(), "barrier")

    async def _harmless(self, name: str, p: int) -> None:
        park = ParkRecord(about=f"{name}-barrier", topic="barrier", partition=p, offset=0, reason="", key="", value="")
        command_id = str(uuid4())
        self.chronicle.expect(command_id, f"barrier of {name}/{p}")
        await self.log.append(Place(topics.commands(name), p), [client_draft(park, command_id)])

    def _reacted(self, heads: Mapping[Place, int]) -> bool:
        fences = [context.reactor.fences for context in self.contexts.values()]
        return all(fence.next >= heads[place] for following in fences for place, fence in following.items())

    async def _projected(self, name: str) -> None:
        deadline = time.monotonic() + PATIENCE_SECONDS
        while await self._behind(name):
            assert time.monotonic() < deadline, f"read models of {name} are behind"
            await asyncio.sleep(0.01)

    async def _behind(self, name: str) -> bool:
        found = fences(await self.databases[name].fetch(CHECKPOINTS))
        heads = {p: self.chronicle.fences[Place(topics.events(name), p)].next for p in EVERY}
        return any(p not in found or found[p].next < heads[p] for p in EVERY)

    async def handed_over(self, order_id: str) -> None:
        """Ship an order and deliver it, as far as the rules let us."""
        for command in (ShipOrder(order_id=order_id, tracking="T1"), DeliverOrder(order_id=order_id)):
            await self.send(command)
            await self.settle()

    def due_in(self, context: str, seconds: float) -> None:
        """Put a context's clock back, so that deadlines set from now on are due so soon."""
        self.clocks[context].behind = DEADLINES[context] - timedelta(seconds=seconds)

    def cards_due_in(self, seconds: float) -> None:
        """Put payment's clock back, so that cards for the rest of an order are due so soon."""
        self.clocks["payment"].behind = CARD_WITHIN - timedelta(seconds=seconds)

    def history(self, stream: str) -> list[str]:
        """What has happened to an aggregate, as tags."""
        return [event.tag for event in self.chronicle.history(stream)]

    def status(self, order_id: str) -> str:
        """Where an order stands."""
        return str(self.chronicle.state(f"order-{order_id}").status.value)

    def outcome(self, command_id: str) -> str:
        """What became of a client's command: the rejection's code, or the tag of the first event."""
        first = self.chronicle.outcomes[command_id][0].event
        return first.code if isinstance(first, CommandRejected) else first.tag

    def stock(self, sku: str) -> tuple[int, int]:
        """How many of a product are on its shelf, and how many of those are held."""
        state = self.chronicle.state(f"product-{sku}")
        return state.on_hand, state.held

    def money(self, order_id: str) -> int:
        """What the provider has taken for an order and not given back."""
        return sum(self.till.ledger(order_id, "capture")) - sum(self.till.ledger(order_id, "refund"))


async def _all_is_ours(assign: Assign) -> None:
    await assign(EVERY)
    await asyncio.Event().wait()

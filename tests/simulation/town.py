"""Town is all there is in one run: processes, brokers, databases, customers, and the world outside."""

import asyncio
from collections.abc import Iterator

from api.lanes import Lanes
from events.log import Place
from schemas.settings import Settings
from schemas.values import Command
from tests.scenarios.chronicle import Chronicle
from tests.scenarios.laws import Facts
from tests.scenarios.till import Till
from tests.simulation.answers import Answered
from tests.simulation.bank import Mailbox, Post
from tests.simulation.broker import Broker
from tests.simulation.chance import Chance
from tests.simulation.customers import Customers
from tests.simulation.group import Group
from tests.simulation.nemesis import Nemesis
from tests.simulation.node import Node
from tests.simulation.stream import Claims
from tests.simulation.tables import Tables
from workers.compose import parts_of

NAMES: tuple[str, ...] = ("order", "product", "payment", "notification")
DAY = 8.0
"""Seconds in which customers come, and things go wrong."""

PATIENCE = 60.0
"""Seconds after healing in which all must be settled."""

QUIET = 2.0
"""Seconds without a record after which no more is expected."""

LAYOUTS: tuple[dict[str, tuple[str, ...]], ...] = (
    {"one": NAMES},
    {"one": NAMES, "two": NAMES},
    {"one": NAMES, "two": NAMES, "three": NAMES},
    {"one": NAMES, "two": ("order", "payment")},
    {"one": ("order", "notification"), "two": ("product", "payment")},
    {"one": ("order",), "two": ("product",), "three": ("payment", "notification")},
    {"one": ("order", "product"), "two": ("product", "payment"), "three": ("payment", "order", "notification")},
)
"""Which process runs which contexts."""

SETTINGS = Settings()


class Town:
    """One run; `facts` is what is known of it, up to date when it is quiet."""

    def __init__(self, chance: Chance) -> None:
        self.chance, self.names = chance, NAMES
        hold, overdue = chance.one_of(((15.0, 10.0), (4.0, 3.0), (8.0, 2.0), (2.0, 8.0)))
        self.settings = SETTINGS.model_copy(update={"hold_seconds": hold, "overdue_seconds": overdue})
        self.snapshots, self.hubs, self.streams = chance.maybe(0.8), chance.maybe(0.5), chance.maybe(0.5)
        self.broker, self.till, self.mailbox = Broker(chance), Till(), Mailbox()
        self.groups = {name: Group(name, chance) for name in (*NAMES, "stream")}
        self.claims: list[Claims] = [{}]
        self.tables = {name: Tables(name) for name in NAMES}
        self.unwilling: set[str] = set()
        self.forgetful: set[str] = set()
        self.poison: list[tuple[Place, int]] = []
        self.sent: dict[str, Command] = {}
        self.answered: list[Answered] = []
        self.layout = {**chance.one_of(LAYOUTS), "api": ()}
        self.nodes: dict[str, Node] = {}
        for name in self.layout:
            self.begin(name)
        found = parts_of(self.settings, self.till, Post(self.mailbox, self.nodes["api"], chance))
        self.chronicle = Chronicle({name: found[name] for name in NAMES})
        self.facts = Facts(self.chronicle, self.till, self.mailbox, self.sent)

    def begin(self, name: str) -> None:
        """Start a process of this name, in place of the last."""
        self.nodes[name] = node = Node(self, name, self.layout[name])
        node.start()
        if name == "api":
            self.lanes = Lanes(node.log)

    async def live(self) -> None:
        """A day with all that goes wrong, the mending of it, and the time until all is quiet.

        Raises:
            AssertionError: it does not become quiet.
        """
        customers = asyncio.create_task(Customers(self, DAY).come())
        await Nemesis(self, DAY).strike()
        self.heal()
        healed = asyncio.get_running_loop().time()
        await customers
        await self._settled(max(healed, asyncio.get_running_loop().time()) + PATIENCE)

    def heal(self) -> None:
        """Nothing goes wrong any more."""
        self.chance.calm = True
        if self.chance.say:
            self.chance.say("all is well again")

    async def _settled(self, deadline: float) -> None:
        """Wait until nothing is under way, and for a while nothing more happens."""
        loop = asyncio.get_running_loop()
        written, since = -1, loop.time()
        while True:
            self._listen()
            self._alive()
            records = sum(map(len, self.broker.log.records.values()))
            if records != written or self.broker.on_the_way:
                written, since = records, loop.time()
            open_ = [*self.chronicle.open(), *self._behind(), *self._between_lives()]
            if not open_ and loop.time() - since >= QUIET:
                return
            assert loop.time() < deadline, f"not settled {PATIENCE:.0f} s after healing: {open_[:10]}"
            await asyncio.sleep(0.5)

    def _listen(self) -> None:
        for place, fence in self.chronicle.fences.items():
            self.chronicle.take(place, self.broker.log.records[place][fence.next :])

    def _behind(self) -> Iterator[str]:
        for name, tables in self.tables.items():
            for place, fence in self.chronicle.fences.items():
                if place.topic == f"{name}.events":
                    at = tables.checkpoints.get(place.partition, {}).get("next", 0)
                    if at < fence.next:
                        yield f"the views of {place.topic}/{place.partition} at {at} of {fence.next}"

    def _between_lives(self) -> Iterator[str]:
        """Owners that begin again: what they know is of their former life until they have claimed."""
        for node in self.nodes.values():
            for name, context in node.contexts.items():
                for tenure in () if context.writer.ready.is_set() else context.writer.tenures.values():
                    if self.chronicle.fences[tenure.owner.place].writer == tenure.owner.writer:
                        yield f"{name} of {node.name} begins again"

    def _alive(self) -> None:
        """Nothing has ended by itself."""
        for node in self.nodes.values():
            for task in node.tasks:
                if task.done() and not node.dead:
                    task.result()
                    raise AssertionError(f"a context of {node.name} has ended")

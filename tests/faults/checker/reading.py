"""Reading is the one pass over the dump: it judges every record of every context and feeds what counts to the folds."""

import base64
import json
from collections import Counter
from typing import Any, NamedTuple

from tests.faults.checker.contexts import CLIENT, CONTEXTS, LETTERS, OUTCOMES, OWNER, PARKED, reactions_to
from tests.faults.checker.evidence import Evidence, Ledger, Place, Request, key_of
from tests.faults.checker.fence import CLAIMED, COUNTS, Fence, number, readable
from tests.faults.checker.findings import Fact, Findings, Violation
from tests.faults.checker.folds.orders import Orders
from tests.faults.checker.folds.payments import Payments
from tests.faults.checker.folds.people import Messages, Users
from tests.faults.checker.folds.product import Products
from tests.faults.checker.folds.statistics import Statistics
from tests.faults.checker.invariants.log import Commands, Tenure
from tests.faults.checker.invariants.views import Views
from tests.faults.checker.wire import Decoder, Record, records


class Claim(NamedTuple):
    """A claim that took effect; `at` in seconds."""

    context: str
    partition: int
    at: float


class Outcome(NamedTuple):
    """What became of a client's command: its first record tells."""

    context: str
    fact: Fact

    @property
    def code(self) -> str:
        """Of a rule's no; else empty."""
        return str(self.fact.body.get("code", "")) if self.fact.kind == "command.rejected.v1" else ""


class World:
    """All that is known after the pass."""

    def __init__(self, evidence: Evidence) -> None:
        self.evidence, self.ledger = evidence, Ledger(evidence.ledger)
        self.findings = Findings()
        report = self.findings.report
        self.orders = Orders(report)
        self.products = Products(self.orders, report)
        self.payments = Payments(self.orders, report)
        self.messages, self.users = Messages(report), Users()
        self.statistics = Statistics()
        self.folds: dict[str, Any] = {
            "order": self.orders,
            "product": self.products,
            "payment": self.payments,
            "user": self.users,
            "notification": self.messages,
        }
        self.asked: dict[str, Request] = {request.command_id: request for request in evidence.requests}
        self.views: dict[str, Views] = {}
        self.writers: dict[str, str] = {}
        self.claims: list[Claim] = []
        self.outcomes: dict[str, list[Outcome]] = {}
        self.expected: dict[str, dict[str, dict[int, int]]] = {context: {} for context in CONTEXTS}
        self.reacted: dict[str, dict[str, dict[int, int]]] = {context: {} for context in CONTEXTS}
        self.parked: dict[Place, list[Fact]] = {}
        self.letters: list[Fact] = []
        self.became: dict[str, Fact] = {}
        self.waiting: set[tuple[str, str, int]] = set()
        self.unreadable: dict[Place, str] = {}
        self.forged: dict[Place, Fact] = {}
        self.heeded: set[Place] = set()
        self.counts: Counter[str] = Counter()

    def poisoned(self, record: Record) -> bool:
        """Whether the nemesis wrote it."""
        return (record.topic, record.partition, record.offset) in self.evidence.poison


def read(evidence: Evidence) -> World:
    """Go through the dump once, context by context."""
    world = World(evidence)
    for context in CONTEXTS:
        views = world.views[context] = Views(evidence, context, world.folds[context], world.findings)
        for partition in range(evidence.partitions):
            _Partition(world, views, context, partition).read()
        views.end()
    return world


class _Partition:
    """One partition of a context's events, with the commands that they answer."""

    def __init__(self, world: World, views: Views, context: str, partition: int) -> None:
        self._world, self._views = world, views
        self._context, self._partition = context, partition
        self._fold = world.folds[context]
        self._decoder = Decoder()
        self._counted = context in ("order", "payment")

    def read(self) -> None:
        """Go through it once."""
        world, context, partition = self._world, self._context, self._partition
        self._commands = Commands(world, context, partition, self._decoder)
        self._tenure = Tenure(world, context, partition, self._commands)
        fence, tenure = Fence(), self._tenure
        self._views.begin(partition)
        for record in records(world.evidence.dump, f"{context}.events", partition):
            if record.offset != fence.next:
                self._hole(f"{record.topic}/{partition}: {fence.next} to {record.offset} are missing")
            if record.offset in self._views.stops:
                self._views.stop(record.offset, fence, tenure.versions)
            verdict = fence.judge(record)
            if verdict == COUNTS:
                self._take(record)
            elif verdict == CLAIMED:
                tenure.claimed(record, fence)
                world.claims.append(Claim(context, partition, record.timestamp / 1000))
            else:
                tenure.ignored(record)
                self._ignored(record)
        self._views.stop(fence.next, fence, tenure.versions)
        self._views.finish(fence.next)
        self._commands.finish()
        self._whole(fence.next)

    def _whole(self, end: int) -> None:
        place = f"{self._context}.events/{self._partition}"
        first, last = self._world.evidence.layout.get("bounds", {}).get(place, (0, end))
        if first:
            self._hole(f"{place} begins at {first}: its history is not whole")
        if last > end:
            self._hole(f"{place}: {end} to {last} are missing")

    def _hole(self, said: str) -> None:
        self._world.evidence.problems.append(said)

    def _ignored(self, record: Record) -> None:
        world, headers = self._world, record.headers
        place = (record.topic, record.partition, record.offset)
        if headers.get("ce_type") == "log.claimed.v1":
            world.counts["claims_lost"] += not world.poisoned(record)
        elif not readable(record):
            world.unreadable[place] = self._context
        elif not world.poisoned(record):
            world.counts["stale_append_ignored"] += 1

    def _take(self, record: Record) -> None:
        """A record that counts: decode it, and let everybody see it."""
        world = self._world
        fact = self._decoded(record)
        if fact is None:
            return
        world.counts["effective"] += 1
        if self._decoder.floats:
            self._say("log.no_float", fact, f"{fact.kind} has a number that is no integer")
        try:
            new = self._tenure.took(record, fact)
            self._look(fact, new)
            if fact.version:
                self._fold.apply(fact)
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            self._say("log.readable", fact, f"{fact.kind} lacks sense: {error!r}")
        self._views.took(fact)

    def _look(self, fact: Fact, new: bool) -> None:
        world = self._world
        if fact.kind in LETTERS:
            self._became(fact)
        if fact.kind in PARKED:
            body = fact.body
            if str(body.get("consumer", "")).endswith(".reactions"):
                source, offset, _ = fact.origin.rsplit("/", 2)
                world.waiting.add((self._context, source, int(offset)))
            place = (body["topic"], body["partition"], body["offset"])
            world.parked.setdefault(place, []).append(fact)
            if place in world.evidence.poison:
                return
        elif (asked := (f"{self._context}.commands", self._partition, fact.position)) in world.evidence.poison:
            world.heeded.add(asked)
        if new and fact.origin == CLIENT:
            world.outcomes.setdefault(key_of(fact.causation), []).append(Outcome(self._context, fact))
        elif new and fact.origin != OWNER:
            self._reacted(fact)
        if fact.kind in OUTCOMES:
            return
        for context, commands in reactions_to(fact.kind, fact.body, world.evidence.partitions).items():
            source = f"{self._context}.events/{self._partition}"
            world.expected[context].setdefault(source, {})[fact.offset] = commands
        if self._counted:
            world.statistics.add(fact)

    def _became(self, fact: Fact) -> None:
        """What became of a letter: its command's final outcome, or an event to be reacted to here and now."""
        world, body = self._world, fact.body
        world.letters.append(fact)
        if body.get("command") and body.get("became") != "parked":
            world.became[key_of(body["command"])] = fact
        if fact.kind == "letter.released.v1":
            heard = json.loads(base64.b64decode(body["value"]))
            commands = reactions_to(body["type"], heard, world.evidence.partitions).get(self._context, 0)
            source = f"{self._context}.events/{self._partition}"
            world.expected[self._context].setdefault(source, {})[fact.offset] = commands

    def _reacted(self, fact: Fact) -> None:
        source, offset, index = fact.origin.rsplit("/", 2)
        done = self._world.reacted[self._context].setdefault(source, {})
        bit = 1 << int(index)
        if done.get(int(offset), 0) & bit:
            self._say("log.reactions_once", fact, f"a second outcome of the reaction to {fact.origin}")
        done[int(offset)] = done.get(int(offset), 0) | bit

    def _decoded(self, record: Record) -> Fact | None:
        headers = record.headers
        try:
            if not readable(record) or not isinstance(record.value, str):
                raise ValueError("no message")
            body = self._decoder.decode(record.value)
            if not isinstance(body, dict):
                raise ValueError("no object")
        except ValueError as error:
            if not self._world.poisoned(record):
                said = f"counts, and is no message: {error}"
                self._world.findings.add(
                    Violation("log.readable", record.place, said, record.timestamp / 1000, record.place)
                )
            return None
        text: dict[str, Any] = headers
        fact = Fact(
            self._context, record.partition, record.offset, record.timestamp,
            text["ce_type"], text["ce_subject"], number(text.get("version"), 0), text["ce_time"], text["ce_id"],
            text["correlation"], text["causation"], text["origin"], number(text.get("position"), -1), body,
        )  # fmt: skip
        if self._world.poisoned(record):
            self._world.forged[(record.topic, record.partition, record.offset)] = fact
        return fact

    def _say(self, promise: str, fact: Fact, said: str) -> None:
        self._world.findings.report(promise, subject_of(fact), said, fact)


def subject_of(fact: Fact) -> str:
    """The order that an event is about; else its stream."""
    order_id = fact.body.get("order_id")
    if isinstance(order_id, str):
        return order_id
    about = fact.body.get("about")
    stream = about if isinstance(about, str) else fact.stream
    kind, _, rest = stream.partition("-")
    return rest if kind in ("order", "payment", "product") else stream

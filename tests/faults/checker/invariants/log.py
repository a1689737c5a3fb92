"""The log's own promises: claims, versions, positions, and one outcome for every command."""

from typing import TYPE_CHECKING

from tests.faults.checker.contexts import CLIENT, CONTEXTS, OUTCOMES, OWNER, PARKED, home_of
from tests.faults.checker.evidence import key_of
from tests.faults.checker.fence import Fence, readable
from tests.faults.checker.findings import Fact, Violation
from tests.faults.checker.wire import Decoder, Record, records

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.faults.checker.reading import World

KINDS = {
    "order": ("order",),
    "product": ("product", "stock", "reservation"),
    "payment": ("payment",),
    "user": ("user",),
    "notification": ("notification", "contact"),
}
"""What the events of a context begin with."""


class Commands:
    """The commands of one partition: which id lies at which position, and which of them are answered."""

    def __init__(self, world: "World", context: str, partition: int, decoder: Decoder) -> None:
        self._world, self._topic, self._partition = world, f"{context}.commands", partition
        self._ids: dict[int, str] = {}
        self.answered: set[str] = set()
        seen: set[str] = set()
        for record in records(world.evidence.dump, self._topic, partition):
            world.counts["commands"] += 1
            poisoned = world.poisoned(record)
            if not poisoned:
                self._look(record, decoder)
            name = record.headers.get("ce_id")
            if not isinstance(name, str) or not readable(record):
                continue
            self._ids[record.offset] = name
            if name in seen and not poisoned:
                who = "client" if record.headers.get("origin") == CLIENT else "reaction"
                world.counts[f"{who}_command_written_again"] += 1
            seen.add(name)

    def id_at(self, position: int) -> str:
        """The id of the command there; empty if there is none."""
        return self._ids.get(position, "")

    def finish(self) -> None:
        """Every command must have been answered by now."""
        missing = {offset for offset, name in self._ids.items() if name not in self.answered}
        if not missing:
            return
        for record in records(self._world.evidence.dump, self._topic, self._partition):
            if record.offset in missing and not self._world.poisoned(record):
                said = f"{record.headers.get('ce_type')!s} has no outcome"
                self._violate("log.every_command_answered", record, said)

    def _look(self, record: Record, decoder: Decoder) -> None:
        try:
            decoder.decode(record.value if isinstance(record.value, str) else "")
        except ValueError:
            self._violate("log.readable", record, "a command that is no JSON, and was not put there on purpose")
        else:
            if decoder.floats:
                self._violate("log.no_float", record, "a command has a number that is no integer")

    def _violate(self, promise: str, record: Record, said: str) -> None:
        subject = str(record.headers.get("ce_subject") or record.key)
        order_id = subject.removeprefix("order-").removeprefix("payment-")
        self._world.findings.add(Violation(promise, order_id, said, record.timestamp / 1000, record.place))


class Tenure:
    """One partition's owners, one after the other, and what they have recorded."""

    def __init__(self, world: "World", context: str, partition: int, commands: Commands) -> None:
        self._world, self._context, self._partition, self._commands = world, context, partition, commands
        self.versions: dict[str, int] = {}
        self._epoch = 0
        self._foreign = self._commit = ""
        self._last = ("", -1, -1)

    def claimed(self, record: Record, fence: Fence) -> None:
        """A claim has taken effect."""
        if not self._world.poisoned(record):
            if fence.epoch != self._epoch + 1:
                self._violate(record, f"epoch {fence.epoch} follows {self._epoch}")
            first = self._world.writers.setdefault(fence.writer, record.place)
            if first != record.place:
                self._violate(record, f"writer {fence.writer} has claimed {first} before")
        self._epoch, self._foreign, self._commit = fence.epoch, "", ""

    def ignored(self, record: Record) -> None:
        """A record that does not count lies among the owner's: its next commit is its last before it claims again."""
        if self._epoch and not self._foreign:
            self._foreign = record.place

    def took(self, record: Record, fact: Fact) -> bool:
        """A record that counts; True if it begins the outcome of another command than the one before it."""
        self._goes_on(fact)
        self._counts_up(record, fact)
        return self._answers(fact)

    def _goes_on(self, fact: Fact) -> None:
        # All records of one commit carry the time of its decision, and no two commits the same.
        if self._foreign and fact.time != self._commit:
            if self._commit:
                said = f"the owner went on after the foreign record {self._foreign} without a claim"
                self._report("log.claims_again", said, fact)
                self._foreign = ""
            self._commit = fact.time

    def _counts_up(self, record: Record, fact: Fact) -> None:
        outcome = fact.kind in OUTCOMES
        if not outcome and fact.kind.split(".")[0] not in KINDS[self._context]:
            self._report("log.readable", f"{fact.kind} is none of {self._context}'s events", fact)
        expected = 0 if outcome else self.versions.get(fact.stream, 0) + 1
        if fact.version != expected:
            said = f"{fact.kind} of {fact.stream} has version {fact.version}, not {expected}"
            self._report("log.versions_gapless", said, fact)
        if not outcome:
            self.versions[fact.stream] = fact.version
            home = home_of(fact.stream, self._world.evidence.partitions)
            if record.key != fact.stream or fact.partition != home:
                self._report("log.at_home", f"{fact.stream} belongs to partition {home}", fact)

    def _answers(self, fact: Fact) -> bool:
        group = (fact.causation, fact.position)
        if group == self._last[:2] and fact.offset == self._last[2] + 1:
            self._last = (*group, fact.offset)
            return False
        self._last = (*group, fact.offset)
        if self._is_of_poison(fact):
            return True
        # A reaction beside its writer hands its commands over without a way through the topic: they have no position.
        lies = fact.origin == CLIENT or fact.position >= 0
        if fact.origin != OWNER and lies and self._commands.id_at(fact.position) != fact.causation:
            said = f"it answers {fact.causation}, which is not at {self._context}.commands/{fact.partition}/"
            self._report("log.answers_its_command", f"{said}{fact.position}", fact)
        if fact.causation in self._commands.answered:
            self._report(self._promise_of(fact), f"a second outcome of command {fact.causation}: {fact.kind}", fact)
        self._commands.answered.add(fact.causation)
        return True

    def _is_of_poison(self, fact: Fact) -> bool:
        body = fact.body
        place = (body.get("topic"), body.get("partition"), body.get("offset"))
        return fact.kind in PARKED and place in self._world.evidence.poison

    def _promise_of(self, fact: Fact) -> str:
        if fact.origin not in (CLIENT, OWNER):
            return "log.reactions_once"
        request = self._world.asked.get(key_of(fact.causation))
        return "clients.unknown_at_most_once" if request and request.unclear else "clients.one_outcome"

    def _report(self, promise: str, said: str, fact: Fact) -> None:
        order_id = fact.body.get("order_id")
        self._world.findings.report(promise, order_id if isinstance(order_id, str) else fact.stream, said, fact)

    def _violate(self, record: Record, said: str) -> None:
        place = f"{record.topic}/{record.partition}"
        self._world.findings.add(Violation("log.one_owner", place, said, record.timestamp / 1000, record.place))


def reactions_once(world: "World") -> "Iterator[Violation]":
    """Every event must have been reacted to by every context that listens; and nothing else."""
    for context in CONTEXTS:
        expected, reacted = world.expected[context], world.reacted[context]
        for source in sorted({*expected, *reacted}):
            due, done = expected.get(source, {}), reacted.get(source, {})
            for offset in sorted({*due, *done}):
                commands, answered = due.get(offset, 0), done.get(offset, 0)
                if answered == 1 and (context, source, offset) in world.waiting:
                    continue  # it was set aside, and is reacted to when it is released
                if answered != (1 << commands) - 1:
                    said = f"{context} answered {answered.bit_count()} of the {commands} commands that follow from it"
                    said = (
                        said if commands else f"{context} reacted to a record that asks for nothing, or does not count"
                    )
                    yield Violation("log.reactions_once", f"{source}/{offset}", said, place=f"{source}/{offset}")

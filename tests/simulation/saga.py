"""Saga is a world with crashes between any two steps, owners that do not know they are deposed, and lost answers."""

from aggregates.stage import Incoming
from events import topics
from events.errors import Fenced
from events.log import Place
from schemas.values import Command
from tests.scenarios import laws
from tests.scenarios.chronicle import Chronicle
from tests.scenarios.shop import client_draft, place_of
from tests.scenarios.till import answer_lost
from tests.scenarios.world import Step, World, now
from workers.provider import ProviderUnavailable
from workers.writer import Tenure

CONTEXTS = ("order", "product", "payment", "notification")


class Saga(World):
    """All contexts that take part in an order's life; `chronicle` has read what is written so far."""

    def __init__(self) -> None:
        self.deposed: list[tuple[str, Tenure, int]] = []
        super().__init__(CONTEXTS, ())
        self.deposed.clear()
        self.chronicle = Chronicle(self.parts)

    @property
    def facts(self) -> laws.Facts:
        """What is known by now."""
        for place, fence in self.chronicle.fences.items():
            self.chronicle.take(place, self.log.records[place][fence.next :])
        return laws.Facts(self.chronicle, self.till, self.mailbox, self.sent)

    def ask(self, command: Command, command_id: str) -> None:
        """A client asks; under an id that he has used before, he asks again."""
        self.sent[command_id] = command
        self.chronicle.expect(command_id, command.tag)
        now(self.log.append(place_of(command), [client_draft(command, command_id)]))

    def untimed(self) -> list[Step]:
        """What may happen next, but that a deadline passes."""
        return [step for step in self.steps() if not self.timed(step)]

    def deadlines(self) -> list[Step]:
        """Those that may pass."""
        return [step for step in self.steps() if self.timed(step)]

    def crash(self, context: str, p: int) -> None:
        """A new owner takes over; the old one may come back to life, and then knows nothing of it."""
        place = Place(topics.commands(context), p)
        self.deposed.append((context, self.tenures[place], self.decided[place]))
        self.replace(context, p)

    def forget(self, context: str) -> None:
        """A context's reactions begin from the start."""
        self.do(Step("forget", context))

    def lose(self, step: Step) -> None:
        """The provider does what it is asked, and its answer gets lost; or else an answer that is here is lost."""
        if step.what == "answer":
            del self.answers[step.stream, step.key]
            return
        if step.context == "payment":
            self.till.script(step.stream.removeprefix("payment-"), step.key.partition(":")[0], answer_lost)
        self.do(step)
        self.answers.pop((step.stream, step.key), None)

    def wake(self, which: int, count: int) -> bool:
        """An owner that was deposed decides on what came next, and tries to write it; False if there was nothing."""
        context, old, position = self.deposed[which]
        place, events = Place(topics.commands(context), old.partition), Place(topics.events(context), old.partition)
        decoded = self.writers[context]._decoded
        incoming = [decoded(place, record) for record in self.log.records[place][position : position + count]]
        head, new = len(self.log.records[events]), self.tenures[place]
        self.tenures[place] = old
        try:
            super()._commit(place, incoming)
        except Fenced:
            del self.deposed[which]
            return True
        finally:
            self.tenures[place] = new
        assert head == len(self.log.records[events]), "a deposed owner was told that its commit counts"
        return False

    def _commit(self, place: Place, incoming: list[Incoming]) -> None:
        try:
            super()._commit(place, incoming)
        except Fenced:
            self.replace(place.topic.removesuffix(".commands"), place.partition)

    def _ask(self, step: Step) -> None:
        try:
            super()._ask(step)
        except ProviderUnavailable:
            return  # it stays on the list

"""The model of the fenced log on one partition: writers that claim, append, pause and crash, and a late network.

Offsets are modeled by what rule 3 asks of them: whether anything was written since the writer looked. An ack that is
lost is a writer that stops waiting before its message is written; a crash, a rebalance and a time-out all make a writer
forget; a pause is a writer whose turn does not come; a message that is never written stays late for ever.
"""

from collections.abc import Iterator

from tests.model.broker import Broker
from tests.model.history import TOPIC, Delivery, Histories
from tests.model.rules import Rules
from tests.model.search import Step
from tests.model.states import (
    CLAIM,
    CLAIMING,
    COMMIT,
    COMMITTING,
    FRESH,
    IDLE,
    OWNER,
    Landing,
    Message,
    State,
    Writer,
)


class FencedLog:
    """One partition. `symmetric` takes states that differ in the writers' order for one; traces want names instead."""

    def __init__(
        self,
        rules: Rules,
        *,
        writers: int = 3,
        claims: int = 4,
        topic: tuple[Delivery, ...] = TOPIC,
        symmetric: bool = True,
        keep_log: bool = False,
    ) -> None:
        self.rules, self.claims, self.symmetric = rules, claims, symmetric
        self.histories = Histories(rules, topic)
        self.broker = Broker(rules, self.histories, keep_log=keep_log)
        self.start = State(0, 0, 0, 0, 0, 0, (), ((IDLE,),) * writers, ())

    def steps(self, s: State) -> Iterator[Step[State]]:
        """Everything that may happen next."""
        actions = (self._idle, self._claiming, self._owner, self._committing)
        for i, writer in enumerate(s.writers):
            if not (self.symmetric and writer in s.writers[:i]):
                yield from actions[writer[0]](s, i, writer)
        for j, message in enumerate(s.late):
            if message not in s.late[:j]:
                yield from self._late(s, j, message)

    def check(self, s: State) -> str:
        """Whether a partition that everybody has left can be taken over, and every command is handled then."""
        if any(writer != (IDLE,) for writer in s.writers):
            return ""
        if not self.rules.epochs_increase and s.epoch:
            return "stuck: nobody can take the partition over"
        cursor = self.histories.resume(s.history) if self.rules.resume_from_log else s.group
        command = self.histories.unhandled(s.history, cursor)
        return f"lost: {command} will never be handled" if command else ""

    # What a writer may do, by what it is.

    def _idle(self, s: State, i: int, _: Writer) -> Iterator[Step[State]]:
        if s.claims == self.claims:
            return
        epoch = s.epoch + 1 if self.rules.epochs_increase else 1
        writer = s.claims + 1 if self.rules.fresh_writer_ids else 1
        writers = self._with(s.writers, i, (CLAIMING, epoch, writer, s.history))
        label = f"{_name(i)} reads to the end and sends a claim: epoch {epoch}, writer {writer}"
        yield label, State(s[0], s[1], s[2], s.claims + 1, s.group, s.told, s.late, writers, s.log)

    def _claiming(self, s: State, i: int, w: Writer) -> Iterator[Step[State]]:
        message = (CLAIM, *w[1:3])
        yield self._forget(s, i, message)
        landing = self.broker.land(s, message)
        won = (landing.epoch, landing.writer) == w[1:3]
        after: Writer = (IDLE,)
        if won or not self.rules.check_that_the_claim_won:
            history = s.history if self.rules.read_up_to_own_claim else w[3]
            cursor = self.histories.resume(history) if self.rules.resume_from_log else s.group
            after = (OWNER, w[1], w[2], history, cursor, 1)
        heard = "it is the owner" if after != (IDLE,) else "it lost"
        label = f"{_name(i)}'s claim is written; {_name(i)} reads up to it: {heard}"
        yield label, landing.broken or self._landed(s, landing, s.late, i, after)

    def _owner(self, s: State, i: int, w: Writer) -> Iterator[Step[State]]:
        yield self._forget(s, i, None)
        for text, history, cursor in self.histories.options(w[3], w[4]):
            if history == w[3]:
                yield self._refuse(s, i, w, text, cursor)
                continue
            writers = self._with(s.writers, i, (COMMITTING, *w[1:], history, cursor))
            group = s.group if self.rules.resume_from_log else max(s.group, cursor)
            label = f"{_name(i)} decides and sends a commit under epoch {w[1]}: [{text}]"
            told = s.told
            if not self.rules.answer_after_ack:
                label += ", and answers at once"
                told |= self.histories.bits(history, "refused")
            yield label, State(s[0], s[1], s[2], s[3], group, told, s.late, writers, s.log)

    def _committing(self, s: State, i: int, w: Writer) -> Iterator[Step[State]]:
        message = (COMMIT, w[1], w[2], w[3], w[6])
        yield self._forget(s, i, message, w)
        if not self.rules.one_batch_per_commit and not self.histories.torn(w[3]):
            yield self._half(s, i, w)
        landing = self.broker.land(s, message)
        after: Writer = (IDLE,)
        broken = landing.broken
        if w[FRESH] or not self.rules.compare_offsets:
            after = (OWNER, w[1], w[2], w[6], w[7], 1)
            broken = broken or ("" if landing.history == w[6] else "false answer: no effective record says so")
        heard = "the ack comes, it answers" if after != (IDLE,) else "the offset is not the expected one, it forgets"
        label = f"{_name(i)}'s commit is written; {heard}"
        yield label, broken or self._landed(s, landing, s.late, i, after)
        if not self.rules.idempotent_producer and len(s.late) < 2:
            yield f"{label}; a copy is on its way", broken or self._landed(s, landing, (*s.late, message), i, after)

    def _late(self, s: State, j: int, message: Message) -> Iterator[Step[State]]:
        landing = self.broker.land(s, message)
        what = "claim" if message[0] == CLAIM else "commit"
        label = f"a late message is written: the {what} of epoch {message[1]}, writer {message[2]}"
        yield label, landing.broken or self._landed(s, landing, s.late[:j] + s.late[j + 1 :], -1, (IDLE,))

    # The parts of these.

    def _forget(self, s: State, i: int, message: Message | None, w: Writer = (IDLE,)) -> Step[State]:
        """A crash, a rebalance, a time-out: whatever is under way may still be written."""
        after: Writer = (IDLE,)
        if message and message[0] == COMMIT and not self.rules.claim_after_unknown:
            after = (OWNER, *w[1:6])
        late = tuple(sorted((*s.late, message))) if message else s.late
        label = f"{_name(i)} gives up" + (" waiting; its message is late" if message else "")
        if len(late) > self.claims:
            after, late = (IDLE,), s.late
        return label, State(s[0], s[1], s[2], s[3], s[4], s[5], late, self._with(s.writers, i, after), s.log)

    def _refuse(self, s: State, i: int, w: Writer, text: str, cursor: int) -> Step[State]:
        """A refusal that leaves no record."""
        bit = 1 << self.histories.topic[cursor - 1].origin
        writers = self._with(s.writers, i, (*w[:4], cursor, w[5]))
        return f"{_name(i)} answers without a record: {text}", s._replace(told=s.told | bit, writers=writers)

    def _half(self, s: State, i: int, w: Writer) -> Step[State]:
        """The first record of a commit that is not one batch."""
        half = self.histories.half(w[3], w[6])
        landing = self.broker.land(s, (COMMIT, w[1], w[2], w[3], half))
        after = (COMMITTING, w[1], w[2], half, *w[4:])
        return f"half of {_name(i)}'s commit is written", landing.broken or self._landed(s, landing, s.late, i, after)

    def _landed(self, s: State, to: Landing, late: tuple[Message, ...], i: int, after: Writer) -> State:
        """Something was written: nobody else's expected offset is the next one any more."""
        aged = [(*w[:FRESH], 0, *w[FRESH + 1 :]) if w[0] >= OWNER and w[FRESH] else w for w in s.writers]
        if i >= 0:
            aged[i] = after
        writers = tuple(sorted(aged) if self.symmetric else aged)
        return State(to.epoch, to.writer, to.history, s.claims, s.group, s.told, late, writers, to.log)

    def _with(self, writers: tuple[Writer, ...], i: int, writer: Writer) -> tuple[Writer, ...]:
        changed = [*writers[:i], writer, *writers[i + 1 :]]
        return tuple(sorted(changed) if self.symmetric else changed)


def _name(i: int) -> str:
    return "ABCDEFGH"[i]

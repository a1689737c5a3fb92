"""The model of effects: owners work off a to-do list that they read from state, at a provider that keeps keys.

One payment. It is requested (a command) and may be cancelled (a timer), in either order; a request that comes after the
cancellation is refused. A charge that stands when the payment is cancelled is refunded. Owners crash and pause
anywhere; a deposed one may still call, but what it records does not count (the fenced log sees to that).
"""

from collections.abc import Iterator
from typing import NamedTuple, TypeAlias

from tests.model.rules import Rules
from tests.model.search import Step

REQUESTED, CANCELLED, CHARGED, REFUNDED = 1, 2, 4, 8
FACTS = {REQUESTED: "requested", CANCELLED: "cancelled", CHARGED: "charged", REFUNDED: "refunded"}
CALLS = {CHARGED: "charge", REFUNDED: "refund"}

Worker: TypeAlias = tuple[int, int, int, bool]
"""The claim it works under (0: none), the facts it knows, the effect it waits for (0: none), and whether it heard."""
GONE: Worker = (0, 0, 0, False)


class State(NamedTuple):
    """`facts` as recorded, `done` as the provider has it, `keys` that it remembers, `late` calls on their way."""

    facts: int
    done: int
    keys: int
    claims: int
    late: tuple[int, ...]
    workers: tuple[Worker, ...]


class Effects:
    """One payment, three workers, and a provider that performs whatever reaches it."""

    def __init__(self, rules: Rules, *, workers: int = 3, claims: int = 4) -> None:
        self.rules, self.claims = rules, claims
        self.start = State(0, 0, 0, 0, (), (GONE,) * workers)

    def steps(self, s: State) -> Iterator[Step[State]]:
        """Everything that may happen next."""
        for i, worker in enumerate(s.workers):
            if worker not in s.workers[:i]:
                yield from self._worker(s, i, worker)
        for j, call in enumerate(s.late):
            after = self._perform(s._replace(late=s.late[:j] + s.late[j + 1 :]), call)
            yield f"a late call to {CALLS[call]} reaches the provider", after
        if s.keys and not self.rules.keys_outlive_attempts:
            yield "the provider forgets its keys", s._replace(keys=0)

    def check(self, s: State) -> str:
        """Whether a new owner, undisturbed, brings the money to where the log says it is."""
        if any(worker != GONE for worker in s.workers):
            return ""
        facts, done = s.facts, s.done
        if not facts & CANCELLED:
            facts |= REQUESTED
        while effect := self._due(facts):
            facts, done = facts | effect, done | effect
        owed = bool(facts & REQUESTED) and not facts & CANCELLED
        held = bool(done & CHARGED) and not done & REFUNDED
        return "" if owed == held else "orphan: the provider holds money that no recorded payment owes"

    def _due(self, facts: int) -> int:
        """The to-do list, read from state."""
        if facts & REQUESTED and not facts & CHARGED:
            return CHARGED if self.rules.ask_until_answered or not facts & CANCELLED else 0
        return REFUNDED if facts & CHARGED and facts & CANCELLED and not facts & REFUNDED else 0

    def _worker(self, s: State, i: int, worker: Worker) -> Iterator[Step[State]]:
        claim, facts, effect, heard = worker
        name = "ABC"[i]
        if not claim:
            if s.claims < self.claims:
                owner = (s.claims + 1, s.facts, 0, False)
                yield f"{name} becomes the owner", self._with(s, i, owner)._replace(claims=s.claims + 1)
            return
        late = tuple(sorted((*s.late, effect))) if effect and not heard else s.late
        yield f"{name} gives up", self._with(s, i, GONE)._replace(late=late)
        if not effect:
            yield from self._decide(s, i, worker)
        elif heard:
            before = 0 if self.rules.record_before_call else REQUESTED
            yield self._record(s, i, worker, effect | (before if effect == CHARGED else 0))
        else:
            told = (claim, facts, effect, True)
            after = self._perform(s, effect)
            label = f"{name}'s call to {CALLS[effect]} reaches the provider, which answers"
            yield label, after if isinstance(after, str) else self._with(after, i, told)

    def _decide(self, s: State, i: int, worker: Worker) -> Iterator[Step[State]]:
        claim, facts, _, _ = worker
        if not facts & CANCELLED:
            yield self._record(s, i, worker, CANCELLED)
        due = self._due(facts)
        if not facts & (CANCELLED | REQUESTED):
            if self.rules.record_before_call:
                yield self._record(s, i, worker, REQUESTED)
            else:
                due = CHARGED
        if due:
            yield f"{'ABC'[i]} calls the provider: {CALLS[due]}", self._with(s, i, (claim, facts, due, False))

    def _record(self, s: State, i: int, worker: Worker, fact: int) -> Step[State]:
        """It counts only under the claim in force; a worker that learns otherwise forgets."""
        text = " and ".join(name for bit, name in FACTS.items() if fact & bit)
        if worker[0] != s.claims:
            return f"{'ABC'[i]} records {text}, which does not count", self._with(s, i, GONE)
        facts = s.facts | fact
        return f"{'ABC'[i]} records: {text}", self._with(s, i, (worker[0], facts, 0, False))._replace(facts=facts)

    def _perform(self, s: State, call: int) -> State | str:
        """The provider performs a call, unless it remembers the key."""
        if self.rules.idempotency_key and s.keys & call:
            return s
        if s.done & call:
            return f"twice: the provider performs the {CALLS[call]} a second time"
        return s._replace(done=s.done | call, keys=s.keys | call)

    def _with(self, s: State, i: int, worker: Worker) -> State:
        return s._replace(workers=(*s.workers[:i], worker, *s.workers[i + 1 :]))

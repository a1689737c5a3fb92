"""The model of snapshots: a cache of what the log says, flushed by owners who may be deposed, and deleted by anybody.

Two aggregates take turns: even offsets are x's events, odd ones y's. An owner flushes the aggregates that changed since
its last flush and the resume point, the offset they are the state at. A new owner reads the resume point, then loads
each aggregate when it first needs it, and applies the events from the resume point on.
"""

from collections.abc import Iterator
from typing import NamedTuple, TypeAlias

from tests.model.rules import Rules
from tests.model.search import Step

EVENTS = 5
Owner: TypeAlias = tuple[str, int, int]
"""What it does, the offset it has reached, and the resume point as it knows it."""
GONE: Owner = ("gone", 0, 0)


class State(NamedTuple):
    """`head`: effective events in the log. `cached`: the version of each snapshot. `resume`: the resume point.

    `claim`: which owner's appends count.
    """

    head: int
    cached: tuple[int, int]
    resume: int
    claim: int
    owners: tuple[Owner, ...]


def version(aggregate: int, offset: int) -> int:
    """The events of an aggregate before an offset."""
    return (offset + 1 - aggregate) // 2


class Snapshots:
    """Two owners that take turns."""

    def __init__(self, rules: Rules) -> None:
        self.rules = rules
        self.start = State(0, (0, 0), 0, -1, (GONE, GONE))

    def steps(self, s: State) -> Iterator[Step[State]]:
        """Everything that may happen next."""
        if s.cached != (0, 0) or s.resume:
            yield "somebody deletes the snapshots and the resume point", s._replace(cached=(0, 0), resume=0)
        for i, owner in enumerate(s.owners):
            doing, _, known = owner
            name = "AB"[i]
            if doing != "gone":
                yield f"{name} gives up", self._with(s, i, GONE)
            if doing == "gone":
                yield f"{name} reads the resume point: {s.resume}", self._with(s, i, ("reads", s.resume, s.resume))
            elif doing == "reads":
                text = f"{name} claims the partition and reads to offset {s.head}"
                yield text, self._with(s, i, ("loads x", s.head, known))._replace(claim=i)
            elif doing in ("loads x", "loads y"):
                yield self._load(s, i, owner)
            elif doing == "sets":
                yield from self._write(s, i, owner)
            else:
                yield from self._own(s, i, owner)

    def check(self, _: State) -> str:
        """Loading says whether the cache misleads."""
        return ""

    def _own(self, s: State, i: int, owner: Owner) -> Iterator[Step[State]]:
        _, reached, known = owner
        if s.claim == i and s.head < EVENTS:
            after = self._with(s, i, ("owns", reached + 1, known))._replace(head=reached + 1)
            yield f"{'AB'[i]} appends an event of {'xy'[reached % 2]}", after
        if reached > known:
            yield from self._flush(s, i, owner)

    def _flush(self, s: State, i: int, owner: Owner) -> Iterator[Step[State]]:
        _, reached, known = owner
        fits = s.resume == known if self.rules.compare_for_equality else s.resume < reached
        if self.rules.compare_and_set and not fits:
            yield f"{'AB'[i]} cannot flush: the resume point is not what it left", self._with(s, i, GONE)
            return
        after = s._replace(resume=reached)
        if not self.rules.flush_in_one_transaction:
            yield f"{'AB'[i]} sets the resume point: {reached}", self._with(after, i, ("sets", reached, known))
            return
        yield from self._write(after, i, owner)

    def _write(self, s: State, i: int, owner: Owner) -> Iterator[Step[State]]:
        """Only what changed since the last flush is written."""
        _, reached, known = owner
        pairs = [(version(n, reached), version(n, known), cached) for n, cached in enumerate(s.cached)]
        x, y = (now if now > before else cached for now, before, cached in pairs)
        text = f"{'AB'[i]} flushes what changed between offsets {known} and {reached}"
        yield text, self._with(s, i, ("owns", reached, reached))._replace(cached=(x, y))

    def _load(self, s: State, i: int, owner: Owner) -> Step[State]:
        doing, head, resume = owner
        n = 0 if doing == "loads x" else 1
        text = f"{'AB'[i]} loads {'xy'[n]} at version {s.cached[n]} and applies the events from offset {resume}"
        if s.resume < resume and self.rules.loads_check_the_resume_point:
            return f"{'AB'[i]} finds the resume point gone, and starts over", self._with(s, i, GONE)
        if s.cached[n] < version(n, resume):
            return text, f"wrong state: the snapshot of {'xy'[n]} is older than the resume point says"
        if s.cached[n] > version(n, resume) and not self.rules.skip_versions_seen:
            return text, f"wrong state: events of {'xy'[n]} are applied twice"
        return text, self._with(s, i, ("owns" if n else "loads y", head, resume))

    def _with(self, s: State, i: int, owner: Owner) -> State:
        return s._replace(owners=(*s.owners[:i], owner, *s.owners[i + 1 :]))

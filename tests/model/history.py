"""Histories are what the effective records of one partition say, numbered so that a state of the model holds an int.

The world is one unit of stock. Four commands ask for it: r1, r2 and r3 come from a reaction, k from a client; r1 and k
arrive twice. Whoever has the unit loses it when the reservation lapses, once: a local command of the owner's. So every
outcome depends on everything before it.
"""

from functools import cache
from typing import NamedTuple

from tests.model.rules import Rules


class Delivery(NamedTuple):
    """A record of the command topic. `origin` is the offset of its cause; 0 when a client sent it."""

    command: str
    origin: int


class Entry(NamedTuple):
    """What one effective record says. `position` is the offset of the command handled; -1 for a local one."""

    command: str
    outcome: str
    position: int


class Option(NamedTuple):
    """What an owner may do next: the commit's text, the history it leads to, the cursor after it."""

    text: str
    history: int
    cursor: int


TOPIC = (
    Delivery("r1", 1),
    Delivery("k", 0),
    Delivery("r1", 1),
    Delivery("r2", 2),
    Delivery("k", 0),
    Delivery("r3", 3),
)
ORIGINS = {delivery.command: delivery.origin for delivery in TOPIC}


class Histories:
    """Every history met so far, and what the rules make of it."""

    def __init__(self, rules: Rules, topic: tuple[Delivery, ...] = TOPIC) -> None:
        self.rules, self.topic = rules, topic
        self.entries: list[tuple[Entry, ...]] = []
        self._numbers: dict[tuple[Entry, ...], int] = {}
        self.options = cache(self._options)
        self.flaw = cache(self._flaw)
        self.unhandled = cache(self._unhandled)
        self.number(())

    def number(self, entries: tuple[Entry, ...]) -> int:
        """The number of a history; 0 is the empty one."""
        if entries not in self._numbers:
            self._numbers[entries] = len(self.entries)
            self.entries.append(entries)
        return self._numbers[entries]

    def resume(self, history: int) -> int:
        """The position on the command topic where a new owner begins: the log alone says it."""
        return max((entry.position for entry in self.entries[history]), default=-1) + 1

    def half(self, base: int, new: int) -> int:
        """The history after the first of a commit's two records."""
        first = self.entries[new][len(self.entries[base])]
        return self.number((*self.entries[base], first._replace(outcome="half")))

    def torn(self, history: int) -> bool:
        """Whether a commit was written in half."""
        return any(entry.outcome == "half" for entry in self.entries[history])

    def bits(self, history: int, outcome: str) -> int:
        """The commands of one outcome, as a set of bits."""
        return sum(1 << ORIGINS[entry.command] for entry in self.entries[history] if entry.outcome == outcome)

    def _options(self, history: int, cursor: int) -> tuple[Option, ...]:
        """One command, two in one commit, or the lapse."""
        found = []
        if first := self._next(history, cursor):
            found.append(first)
            second = self._next(first.history, first.cursor)
            if second and history != first.history != second.history:
                found.append(Option(f"{first.text}, {second.text}", second.history, second.cursor))
        entries = self.entries[history]
        if _stock(entries) == 0 and all(entry.command != "lapse" for entry in entries):
            found.append(Option("lapse", self.number((*entries, Entry("lapse", "done", -1))), cursor))
        return tuple(found)

    def _next(self, history: int, cursor: int) -> Option | None:
        """Handle the next command that was not handled before."""
        entries = self.entries[history]
        for position in range(cursor, len(self.topic)):
            command = self.topic[position].command
            if self._handled(entries, self.topic[position]):
                continue
            outcome = "accepted" if _stock(entries) else "refused"
            text = f"{command} {outcome}"
            if outcome == "refused" and not self.rules.record_noops:
                return Option(text, history, position + 1)
            return Option(text, self.number((*entries, Entry(command, outcome, position))), position + 1)
        return None

    def _handled(self, entries: tuple[Entry, ...], delivery: Delivery) -> bool:
        if delivery.origin:
            high = max((ORIGINS.get(entry.command, 0) for entry in entries), default=0)
            return self.rules.drop_old_origins and delivery.origin <= high
        return self.rules.remember_client_ids and any(entry.command == delivery.command for entry in entries)

    def _flaw(self, history: int) -> str:
        """What is wrong with a history, whoever wrote it."""
        handled: set[str] = set()
        reached = 0
        for entry in self.entries[history]:
            if entry.command in handled:
                return f"duplicate: {entry.command} was handled twice"
            handled.add(entry.command)
            # Without rule 4's outcome records a refusal leaves a gap that means nothing.
            if self.rules.record_noops and (skipped := self._skipped(reached, entry, handled)):
                return f"lost: {skipped} was skipped"
            reached = max(reached, entry.position + 1)
        return ""

    def _skipped(self, reached: int, entry: Entry, handled: set[str]) -> str:
        passed = self.topic[reached : max(entry.position, 0)]
        return next((delivery.command for delivery in passed if delivery.command not in handled), "")

    def _unhandled(self, history: int, cursor: int) -> str:
        """A command that a new owner, undisturbed, would never handle."""
        while option := self._next(history, cursor):
            history, cursor = option.history, option.cursor
        if not self.rules.record_noops:
            return ""
        handled = {entry.command for entry in self.entries[history]}
        return next((d.command for d in self.topic if d.command not in handled), "")


def _stock(entries: tuple[Entry, ...]) -> int:
    taken = sum(entry.outcome == "accepted" for entry in entries)
    return 1 - taken + sum(entry.command == "lapse" for entry in entries)

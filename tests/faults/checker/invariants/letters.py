"""Dead letters are exactly the poison.

What becomes of poison depends on where it lies. Among commands it is parked: a record of the context says so, once.
Among events it does not count, as its writer owns nothing; if it is no message at all, the read model shows it as a
dead letter. A line of poison.jsonl with `"parked": false` says that the record is odd, and yet a good command.
"""

from collections.abc import Iterator
from typing import NamedTuple

from tests.faults.checker.contexts import CONTEXTS
from tests.faults.checker.evidence import Place
from tests.faults.checker.findings import Violation
from tests.faults.checker.reading import World
from tests.faults.checker.wire import lines


def only_poison(world: World) -> Iterator[Violation]:
    """Nothing else was parked, and nothing else lies about that is no message."""
    for place, facts in world.parked.items():
        if place not in world.evidence.poison:
            fact = facts[0]
            said = f"parked: {str(fact.body.get('reason'))[:300]}"
            subject = fact.stream.removeprefix("order-").removeprefix("payment-")
            yield Violation("letters.only_poison", subject, said, fact.timestamp / 1000, _name(place))
    for place in world.unreadable:
        if place not in world.evidence.poison:
            yield Violation(
                "letters.only_poison", _name(place), "no message, and no poison of ours", place=_name(place)
            )


def all_poison(world: World) -> Iterator[Violation]:
    """Each poisoned command is parked once."""
    for place, line in world.evidence.poison.items():
        topic = place[0]
        parked = [fact for fact in world.parked.get(place, ()) if f"{fact.context}.commands" == topic]
        if not topic.endswith(".commands"):
            continue
        if len(parked) > 1:
            said = f"{line.get('what')}: parked {len(parked)} times"
            yield Violation("letters.all_poison", _name(place), said, parked[1].timestamp / 1000, parked[1].place)
        elif parked and not line.get("parked", True):
            said = f"{line.get('what')}: parked, and it was a good command"
            yield Violation("letters.all_poison", _name(place), said, parked[0].timestamp / 1000, parked[0].place)
        elif not parked and line.get("parked", True):
            became = "taken for a good command" if place in world.heeded else "neither parked nor anything else"
            yield Violation("letters.all_poison", _name(place), f"{line.get('what')}: {became}", place=_name(place))


def table_of_dead_letters(world: World) -> Iterator[Violation]:
    """What each context shows as dead letters is what its log says, up to its checkpoint."""
    for context in CONTEXTS:
        due, changed = _due(world, context), _changed(world, context)
        for row in lines(world.evidence.dump / "tables" / context / "dead_letters.jsonl"):
            if row["topic"] is None:
                place = (f"{context}.events", row["home"], row["recorded"])
                if changed.pop(place, None) != row["id"]:
                    yield Violation("views.dead_letters", _name(place), f"{context} shows what became of no letter")
                continue
            place = (row["topic"], row["partition"], row["position"])
            ours = due.pop(row["id"] if row["id"] in due else _name(place), None)
            if ours is None:
                yield Violation("views.dead_letters", _name(place), f"{context} shows what it has not parked")
            elif ours.said not in ({}, {"stream": row["stream"], "reason": row["reason"]}):
                yield Violation("views.dead_letters", _name(place), f"{context} shows it with another reason or stream")
        for place in (*(each.place for each in due.values()), *changed):
            yield Violation("views.dead_letters", _name(place), f"{context} does not show what was parked")


CHECKS = (only_poison, all_poison, table_of_dead_letters)


class _Due(NamedTuple):
    """A dead letter that must be shown: where it lies, and stream and reason where the log has them."""

    place: Place
    said: dict[str, str]


def _due(world: World, context: str) -> dict[str, _Due]:
    """The dead letters that a context must show, by id; by place, where nobody could read an id."""
    upto = world.views[context].upto
    due = {
        _name(place): _Due(place, {})
        for place, where in world.unreadable.items()
        if where == context and place[2] < upto.get(place[1], 0)
    }
    for place, facts in world.parked.items():
        for fact in facts:
            if fact.context == context and fact.offset < upto.get(fact.partition, 0):
                said = {"stream": fact.stream, "reason": str(fact.body.get("reason"))}
                due.setdefault(str(fact.body.get("letter") or fact.id), _Due(place, said))
    return due


def _changed(world: World, context: str) -> dict[Place, str]:
    """The records that say what became of a letter, with its id."""
    upto = world.views[context].upto
    return {
        (f"{context}.events", fact.partition, fact.offset): str(fact.body.get("letter"))
        for fact in world.letters
        if fact.context == context and fact.offset < upto.get(fact.partition, 0)
    }


def _name(place: Place) -> str:
    return "/".join(map(str, place))

"""Orders of arrival are gone through here: all of them in the small, and at random, with accidents, in the large."""

from collections.abc import Callable, Iterator
from random import Random

from events import topics
from events.log import Place
from tests.scenarios.world import Step, World

Allowed = Callable[[Step], bool]


def ends_of(start: World, may_lapse: Allowed, limit: int = 500_000) -> Iterator[World]:
    """Every world that all possible orders of arrival can end in; worlds that cannot be told apart count once.

    Of steps that commute with whatever else may happen, one order stands for all; see _commutes.
    """
    seen, waiting = {start.key()}, [start]
    while waiting:
        world = waiting.pop()
        steps = _steps(world, may_lapse)
        if all(world.timed(step) for step in steps):
            yield world
        for step in steps:
            after = world.copy()
            after.do(step)
            _settle(after, may_lapse)
            if (key := after.key()) not in seen:
                seen.add(key)
                waiting.append(after)
        assert len(seen) < limit, "too many orders of arrival"


def _steps(world: World, may_lapse: Allowed) -> list[Step]:
    return [step for step in world.steps() if not world.timed(step) or may_lapse(step)]


def _settle(world: World, may_lapse: Allowed) -> None:
    while commuting := next((s for s in _steps(world, may_lapse) if _commutes(world, s, may_lapse)), None):
        world.do(commuting)


def _commutes(world: World, step: Step, may_lapse: Allowed) -> bool:
    """Whether nothing else that may happen now or later can tell when this step happens.

    Product and payment hear of one partition of the order context only, so what waits in their queues stands for what
    was not heard yet; the order hears of several, and there hearing is the choice. A queue's head commutes as long as
    no deadline and no answer of a provider may come between.
    """
    match step.what:
        case "hear":
            return step.context != "order"
        case "decide":
            return step.context == "order" or not any(
                pending.place == step.place for pending in _pending(world, may_lapse)
            )
        case "ask":
            return not world.timed(step)
        case "answer":
            return step.key == "lapse"
        case _:
            return False


def _pending(world: World, may_lapse: Allowed) -> Iterator[Step]:
    for step in _steps(world, may_lapse):
        if step.what == "ask":
            yield step
    for stream, key in world.answers:
        place = Place(topics.commands(stream.partition("-")[0]), topics.partition_of(stream))
        yield Step("answer", place=place, stream=stream, key=key)


def wander(world: World, random: Random, accidents: int) -> None:
    """Go on at random to an end: anything that may happen next is as likely; deadlines and accidents are rarer."""
    while steps := list(world.steps()):
        world.batch = random.choice((1, 1, 5))
        due = [step for step in steps if world.timed(step)]
        if len(due) == len(steps) and random.random() < 0.5:
            return
        if accidents and random.random() < 0.05:
            accidents -= 1
            world.do(_accident(world, random))
            continue
        soon = [step for step in steps if not world.timed(step)]
        world.do(random.choice(due if due and (not soon or random.random() < 0.005) else soon))


def _accident(world: World, random: Random) -> Step:
    context = random.choice(world.names)
    if random.random() < 0.5:
        return Step("forget", context)
    return Step("replace", context, Place(topics.commands(context), random.choice(world.partitions)))

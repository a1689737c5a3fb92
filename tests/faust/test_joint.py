"""Agents that share a stream each get what they listen to, and none loses anything by the other."""

import pytest

from events.errors import Unavailable
from tests.faust.world import NOON, World, confirmed, placed, reached, recorded, tell, until
from workers.agents import Notify, Statistics
from workers.joint import Joint

pytestmark = [pytest.mark.infra, pytest.mark.anyio]


class Away(Statistics):
    """Statistics whose table is away, as long as it is told so."""

    away = True

    async def flush(self) -> None:
        """As Statistics.flush."""
        if self.away:
            raise Unavailable("away")
        await super().flush()


def counting(world: World) -> Statistics:
    return Statistics(world.log, world.flush, world.park, [world.events], name=f"statistics-{world.word}")


def joint(world: World, counted: Statistics) -> Joint:
    told = Notify(world.log, tell, world.park, [world.events], world.commands, name=f"notify-{world.word}")
    return Joint(f"joint-{world.word}", [told, counted], pace_seconds=0.05)


async def test_an_event_reaches_every_agent_once(world: World) -> None:
    owner = await world.own()
    await owner.append([recorded(event, owner) for event in (placed(), placed(), confirmed())])

    async with world.listening(agent := joint(world, counting(world))):
        await reached(agent, owner.place, 4)
        await until(lambda: bool(world.rows))

    assert len(await world.all_sent()) == 2
    (row,) = world.rows.values()
    assert (row.minute, row.window.placed, row.window.confirmed) == (NOON, 2, 1)


async def test_after_a_restart_all_of_them_go_on_where_they_were(world: World) -> None:
    owner = await world.own()
    await owner.append([recorded(placed(), owner) for _ in range(3)])
    async with world.listening(first := joint(world, counting(world))):
        await reached(first, owner.place, 4)

    await owner.append([recorded(placed(), owner) for _ in range(2)])
    async with world.listening(second := joint(world, counting(world))):
        await reached(second, owner.place, 6)
        await until(lambda: [row.window.placed for row in world.rows.values()] == [5])

    assert [command.origin.split("/")[2] for command in await world.all_sent()] == ["1", "2", "3", "4", "5"]


async def test_nothing_is_acked_before_all_have_written_it_out(world: World) -> None:
    owner = await world.own()
    await owner.append([recorded(placed(), owner)])
    counted = Away(world.log, world.flush, world.park, [world.events], name=f"away-{world.word}")

    async with world.listening(agent := joint(world, counted)):
        await until(lambda: agent.waiting_for != "")
        before = dict(agent.positions)
        counted.away = False
        await reached(agent, owner.place, 2)

    assert owner.place not in before

"""Notification under Faust: what the other contexts record becomes commands, each of which takes effect once."""

import asyncio
from collections.abc import Sequence

import pytest

from events.errors import Unavailable
from events.event import Event
from events.ids import derive
from events.kafka import KafkaLog
from events.log import Draft, Log, Place
from events.order import OrderPlaced
from schemas.values import Command
from tests.attacks.writing import Noise, any_names
from tests.faust.world import World, confirmed, placed, reached, recorded, tell, until
from workers.agents import Notify, React

pytestmark = [pytest.mark.infra, pytest.mark.anyio]


def notify(world: World, react: React = tell, log: Log | None = None) -> Notify:
    return Notify(log or world.log, react, world.park, [world.events], world.commands, name=f"notify-{world.word}")


async def test_an_event_becomes_a_command_that_follows_from_it(world: World) -> None:
    owner = await world.own()
    order = recorded(placed(), owner)
    await owner.append([order, recorded(confirmed(), owner)])
    agent = notify(world)

    async with world.listening(agent):
        await reached(agent, owner.place, 3)

    (command,) = await world.all_sent()
    assert command.id == derive(order[0].id, f"{agent.name}/0")
    assert command.origin == f"{world.events}/0/1/0"
    assert command.correlation == order[0].correlation
    assert command.causation == order[0].id


async def test_after_a_restart_the_stream_goes_on_where_it_was(world: World) -> None:
    owner = await world.own()
    await owner.append([recorded(placed(), owner) for _ in range(3)])
    async with world.listening(first := notify(world)):
        await reached(first, owner.place, 4)

    await owner.append([recorded(placed(), owner) for _ in range(2)])
    async with world.listening(second := notify(world)):
        await reached(second, owner.place, 6)
        written = [await world.log.bounds(Place(world.commands, p)) for p in range(4)]

    assert [command.origin.split("/")[2] for command in await world.all_sent()] == ["1", "2", "3", "4", "5"]
    assert sum(end for _, end in written) == 5, "a clean stop commits what was settled: nothing is sent again"


async def test_a_poisonous_event_is_parked_and_the_stream_goes_on(world: World) -> None:
    poison = placed(total=13)

    def react(event: Event) -> Sequence[Command]:
        if isinstance(event, OrderPlaced) and event.order_id == poison.order_id:
            raise ZeroDivisionError("a bug")
        return tell(event)

    owner = await world.own()
    nonsense = (recorded(placed(), owner)[0], b"{}")
    await owner.append([recorded(poison, owner), nonsense, recorded(placed(), owner)])
    async with world.listening(agent := notify(world, react)):
        await reached(agent, owner.place, 4)

    bug, bytes_without_sense = world.parked
    assert (bug.place, bug.record.offset, bug.attempts) == (owner.place, 1, 3)
    assert "a bug" in bug.reason
    assert (bytes_without_sense.record.offset, bytes_without_sense.attempts) == (2, 1)
    assert [command.origin.split("/")[2] for command in await world.all_sent()] == ["3"]


async def test_a_header_whose_name_is_no_text_does_not_stop_the_stream(world: World) -> None:
    owner = await world.own()
    strange = Draft("strange", b"{}", [(Noise("x"), b"1")])
    with any_names():
        await world.log.append(owner.place, [strange, strange])
        owner.fence.next += 2
        await owner.append([recorded(placed(), owner)])
        async with world.listening(agent := notify(world)):
            await reached(agent, owner.place, 4)
            await world.log.append(owner.place, [strange])
            owner.fence.next += 1
            await owner.append([recorded(placed(), owner)])
            await reached(agent, owner.place, 6)

    assert not world.parked
    assert [command.origin.split("/")[2] for command in await world.all_sent()] == ["3", "5"]


async def test_what_a_stale_writer_appends_is_ignored(world: World) -> None:
    stale = await world.own()
    owner = await world.own()
    await owner.append([recorded(placed(), owner)])
    await world.append(stale.place, recorded(placed(), stale))
    async with world.listening(agent := notify(world)):
        await reached(agent, owner.place, 4)

    assert [command.origin.split("/")[2] for command in await world.all_sent()] == ["2"]


async def test_a_stale_writer_is_ignored_after_a_restart_past_its_claim_too(world: World) -> None:
    stale = await world.own()
    await stale.append([recorded(placed(), stale)])
    owner = await world.own()
    async with world.listening(first := notify(world)):
        await reached(first, owner.place, 3)

    await world.append(owner.place, recorded(placed(), stale))
    await world.append(owner.place, recorded(placed(), owner))
    async with world.listening(second := notify(world)):
        await reached(second, owner.place, 5)

    assert [command.origin.split("/")[2] for command in await world.all_sent()] == ["1", "4"]


async def test_while_the_log_does_not_take_commands_the_event_waits_and_is_not_parked(world: World) -> None:
    owner = await world.own()
    await owner.append([recorded(placed(), owner)])
    outage = Outage(world.settings.kafka)
    async with world.listening(first := notify(world, log=outage)):
        await until(lambda: bool(first.waiting_for))
        assert not first.healthy

    # Stopped while it waited: what was not settled must come again.
    outage.over = True
    async with world.listening(second := notify(world, log=outage)):
        await reached(second, owner.place, 2)
        assert second.healthy

    assert len(await world.all_sent()) == 1
    assert world.parked == []
    await outage.close()


async def test_a_stream_that_stands_still_is_built_anew(world: World) -> None:
    owner = await world.own()
    await owner.append([recorded(placed(), owner), recorded(placed(), owner)])
    outage = Outage(world.settings.kafka)
    outage.hangs = True
    async with world.listening(agent := notify(world, log=outage), patience_seconds=1.0):
        await until(lambda: outage.hanging)
        outage.hangs, outage.over = False, True  # the call that hangs will never return
        await reached(agent, owner.place, 3)

    assert len(await world.all_sent()) == 2
    await outage.close()


class Outage(KafkaLog):
    """A log that takes nothing, and may not even say so, until it is over."""

    over = hangs = hanging = False

    async def append(self, place: Place, drafts: Sequence[Draft]) -> int:
        if self.hangs:
            self.hanging = True
            await asyncio.Event().wait()
        if not self.over:
            raise Unavailable
        return await super().append(place, drafts)

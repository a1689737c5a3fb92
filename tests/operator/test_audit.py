"""What operators do is on record: who, what, when and why, also when it was refused or cut off."""

import asyncio
from collections.abc import Sequence

import pytest

from events import audit as stream
from events.errors import Unavailable
from events.log import Draft, Place
from events.memory import MemoryLog
from workers.operator import audit
from workers.operator.audit import acting, merged, record
from workers.operator.terms import Refused

pytestmark = pytest.mark.anyio


@pytest.fixture(autouse=True)
def ada(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ORDERLOG_WHO", "ada")


async def rows(log: MemoryLog) -> list[tuple[str, ...]]:
    acts = merged(await stream.read(log, 100)).values()
    return [tuple(act[name] for name in ("who", "action", "target", "why", "outcome")) for act in acts]


async def test_an_act_is_recorded_with_who_and_why() -> None:
    log = MemoryLog()
    await record(log, "dead-letters retry", "order", "mended", letters=3)
    assert await rows(log) == [("ada", "dead-letters retry", "order", "mended", "done")]
    [act] = await stream.read(log, 1)
    assert act.event is not None
    assert act.event.detail == {"letters": 3}


async def test_an_act_of_several_steps_is_one_row_with_its_end() -> None:
    log = MemoryLog()
    async with acting(log, "snapshots drop", "order", "a new shape", partitions=4) as found:
        assert await rows(log) == [("ada", "snapshots drop", "order", "a new shape", "begun")]
        found["dropped"] = 7
    assert await rows(log) == [("ada", "snapshots drop", "order", "a new shape", "done")]
    [row] = merged(await stream.read(log, 100)).values()
    assert row["detail"] == {"partitions": 4, "dropped": 7}


@pytest.mark.parametrize(("error", "outcome"), [(Refused("no"), "refused"), (RuntimeError("cut off"), "stopped")])
async def test_an_act_that_does_not_come_to_its_end_says_so(error: Exception, outcome: str) -> None:
    log = MemoryLog()
    with pytest.raises(type(error)):
        async with acting(log, "snapshots drop", "order", ""):
            raise error
    assert await rows(log) == [("ada", "snapshots drop", "order", "", outcome)]


async def test_a_strangers_record_hides_no_act() -> None:
    log = MemoryLog()
    await log.append(stream.PLACE, [Draft("", b"\xff", [("ce_type", b"\xff")])])
    await record(log, "topics create", "order.events", "")
    assert [outcome for *_, outcome in await rows(log)] == ["unreadable", "done"]


class Deaf(MemoryLog):
    """A log whose broker has gone while it was written to."""

    async def append(self, place: Place, drafts: Sequence[Draft]) -> int:
        """As Log.append, but for the end."""
        await asyncio.Event().wait()
        return 0


async def test_an_act_that_cannot_be_put_on_record_is_not_waited_for_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(audit, "PATIENCE_SECONDS", 0.05)
    with pytest.raises(Unavailable, match="could not be put on record"):
        async with acting(Deaf(), "topic.create", "order.events", "none"):
            raise AssertionError("nothing is changed that is not on record")

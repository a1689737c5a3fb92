"""A key that one process destroys is dropped by all that follow the log, as they read of it, and not kept by others."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager

import pytest

from events import topics
from events.envelope import CLIENT, Envelope
from events.errors import Unavailable
from events.log import Draft, Place, Record
from events.memory import MemoryLog, MemoryReader
from events.user import KeyDestroyed
from projections import forgetting, person_keys
from projections.forgetting import Forgetting
from projections.person_keys import KeysInMemory, PersonKeys, Secrets
from schemas.mark import ERASED
from tests.builders.values import NOON, A
from workers.together import end

pytestmark = pytest.mark.anyio


async def told(log: MemoryLog, person: str) -> None:
    """The user context records that the person's key is destroyed."""
    stream = f"user-{person}"
    envelope = Envelope(A, KeyDestroyed.tag, "user", NOON.isoformat(), stream, A, A, CLIENT)
    place = Place(topics.events("user"), topics.partition_of(stream))
    await log.append(place, [Draft(stream, b'{"user_id":"%s"}' % person.encode(), envelope.headers())])


async def until(so: Callable[[], bool]) -> None:
    async with asyncio.timeout(5):
        while not so():
            await asyncio.sleep(0)


@asynccontextmanager
async def following(log: MemoryLog, keys: PersonKeys) -> AsyncIterator[None]:
    """A process that hears of destroyed keys."""
    keys.wanted.set()
    task = asyncio.create_task(Forgetting(log, keys).run())
    try:
        await until(lambda: keys._fresh == person_keys.FRESH)
        yield
    finally:
        await end([task])


async def test_a_process_that_follows_the_log_drops_a_key_as_it_reads_that_it_is_destroyed() -> None:
    log, source = MemoryLog(), KeysInMemory()
    here, there = PersonKeys(source), PersonKeys(source)
    async with following(log, there):
        ada, bob = [(await there.key(name)).seal("name", name) for name in ("ada", "bob")]
        await here.destroy("ada")
        assert await there.opened(ada) == "ada"
        await told(log, "ada")
        await until(lambda: "ada" not in there._known)
        assert (await there.opened(ada), await there.opened(bob)) == (ERASED, "bob")
        assert "bob" in there._known


async def test_nobody_follows_before_there_is_a_key_to_forget() -> None:
    log, keys = Breaking(), PersonKeys(KeysInMemory())
    log.down = True
    task = asyncio.create_task(Forgetting(log, keys).run())
    await asyncio.sleep(0)
    assert log.asked == 0
    await keys.key("ada")
    await until(lambda: log.asked == 1)
    await end([task])


async def test_what_was_known_before_anybody_listened_is_asked_for_anew() -> None:
    log, source = MemoryLog(), KeysInMemory()
    keys = PersonKeys(source)
    ada = (await keys.key("ada")).seal("name", "ada")
    await source.destroy("ada")
    await told(log, "ada")
    async with following(log, keys):
        assert await keys.opened(ada) == ERASED


class Slow(KeysInMemory):
    """Answers with what was there when it was asked, and takes its time."""

    def __init__(self) -> None:
        super().__init__()
        self.asked, self.go = asyncio.Event(), asyncio.Event()

    async def fetch(self, persons: Sequence[str], make: bool) -> Secrets:
        found = await super().fetch(persons, make)
        self.asked.set()
        await self.go.wait()
        return found


async def test_a_key_that_was_on_its_way_when_it_was_destroyed_is_not_kept() -> None:
    source = Slow()
    keys = PersonKeys(source)
    asking = asyncio.create_task(keys.key("ada"))
    await source.asked.wait()
    await source.destroy("ada")
    keys.forget("ada")
    source.go.set()
    ada = (await asking).seal("name", "ada")
    assert await keys.opened(ada) == ERASED


class Breaking(MemoryLog):
    """A log that cannot be reached while somebody says so."""

    down, asked = False, 0

    async def bounds(self, place: Place) -> tuple[int, int]:
        self.asked += 1
        if self.down:
            raise Unavailable("down")
        return await super().bounds(place)

    async def reader(self, positions: Mapping[Place, int]) -> MemoryReader:
        log = self

        class Reader(MemoryReader):
            async def batch(self, max_records: int = 500, timeout: float = 1.0) -> dict[Place, list[Record]]:
                found = await super().batch(max_records, timeout)
                if log.down:
                    raise Unavailable("down")
                return found

        return Reader(self, dict(positions))


async def test_while_the_log_cannot_be_followed_a_key_is_kept_for_a_moment_only(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(forgetting, "AGAIN", 0.0)
    monkeypatch.setattr(person_keys, "ALONE", 0.0)
    log, source = Breaking(), KeysInMemory()
    keys = PersonKeys(source)
    async with following(log, keys):
        ada = (await keys.key("ada")).seal("name", "ada")
        log.down = True
        await told(log, "bob")  # wakes the reader
        await until(lambda: keys._fresh == 0.0)
        await source.destroy("ada")
        assert await keys.opened(ada) == ERASED
        log.down = False
        await until(lambda: keys._fresh == person_keys.FRESH)
    assert caplog.text.count("destroyed keys are not heard of") == 1

"""A person has one key, whoever asks, until it is destroyed; then they have none, for good."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from uuid import uuid4

import pytest

from projections import person_keys
from projections.person_keys import Erased, KeyMissing, KeysInMemory, KeyTable, PersonKeys, Secrets, Source
from projections.postgres import Database, DatabaseUnavailable
from projections.registry import install
from schemas.mark import ERASED, UNREADABLE
from schemas.user import ChangeProfile, EndSessions

pytestmark = pytest.mark.anyio


@pytest.fixture(scope="module")
async def table(postgres: str) -> AsyncIterator[KeyTable]:
    database = Database(postgres, "user")
    await install(database, "user")
    yield KeyTable(database)
    await database.close()


@pytest.fixture(params=["memory", "postgres"])
def source(request: pytest.FixtureRequest) -> Source:
    return KeysInMemory() if request.param == "memory" else request.getfixturevalue("table")


def someone() -> str:
    return str(uuid4())


async def test_a_key_is_made_once_however_many_ask_at_once(source: Source) -> None:
    ada, bob = someone(), someone()
    found = await asyncio.gather(*(source.fetch([ada, bob] if n % 2 else [bob, ada], True) for n in range(12)))
    assert len({(secrets[ada], secrets[bob]) for secrets in found}) == 1
    assert len(found[0][ada] or b"") == 32
    assert found[0][ada] != found[0][bob]


async def test_who_never_had_a_key_is_not_given_one_by_reading(source: Source) -> None:
    assert await source.fetch([someone()], False) == {}


async def test_a_destroyed_key_is_gone_and_never_made_again_though_it_never_was(source: Source) -> None:
    ada, bob = someone(), someone()
    await source.fetch([ada], True)
    for person in (ada, bob, ada):
        await source.destroy(person)
    assert await source.fetch([ada, bob], True) == {ada: None, bob: None}


async def test_what_was_sealed_opens_until_the_key_is_destroyed(source: Source) -> None:
    keys, ada = PersonKeys(source), someone()
    sealed = (await keys.key(ada)).seal("name", "Ada")
    raw = f'{{"name":"{sealed}","x":1}}'.encode()
    assert (await keys.opened(sealed), await keys.opened_json(raw)) == ("Ada", b'{"name":"Ada","x":1}')
    await keys.destroy(ada)
    assert (await keys.opened(sealed), await keys.opened_json(raw)) == (ERASED, b'{"name":"erased","x":1}')
    with pytest.raises(Erased):
        await keys.sealed(ChangeProfile(user_id=ada, name="Ada"), ada)
    unpersonal = EndSessions(user_id=ada)
    assert await keys.sealed(unpersonal, ada) is unpersonal


async def test_a_key_that_is_lost_is_not_taken_for_one_that_was_destroyed(caplog: pytest.LogCaptureFixture) -> None:
    there = PersonKeys(KeysInMemory())
    sealed = (await there.key("ada")).seal("name", "Ada")
    elsewhere = PersonKeys(KeysInMemory())
    with pytest.raises(KeyMissing):
        await elsewhere.opened(sealed)
    assert await elsewhere.opened_json(f'"{sealed}"'.encode()) == f'"{UNREADABLE}"'.encode()
    assert "no key of ada" in caplog.text


class Counting(KeysInMemory):
    """Counts questions; those that are under way wait until let go."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[list[str]] = []
        self.go = asyncio.Event()

    async def fetch(self, persons: Sequence[str], make: bool) -> Secrets:
        self.asked.append(sorted(persons))
        await self.go.wait()
        return await super().fetch(persons, make)


async def test_those_that_are_wanted_at_once_are_asked_for_together_and_then_kept_in_mind() -> None:
    source = Counting()
    keys = PersonKeys(source)
    waiting = [asyncio.create_task(keys.key(name)) for name in ("a", "b", "c", "b")]
    await asyncio.sleep(0)
    source.go.set()
    found = await asyncio.gather(*waiting)
    assert [key.person for key in found] == ["a", "b", "c", "b"]
    assert sorted(name for asked in source.asked for name in asked) == ["a", "b", "c"]
    asked = len(source.asked)
    await keys.key("b")
    assert len(source.asked) == asked
    keys.forget("b")
    await keys.key("b")
    assert len(source.asked) == asked + 1


async def test_a_process_forgets_keys_after_a_moment_and_keeps_a_bounded_number(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(person_keys, "REMEMBERED", 3)
    source = KeysInMemory()
    keys = PersonKeys(source)
    sealed = [(await keys.key(f"p{n}")).seal("name", "x") for n in range(5)]
    assert len(keys._known) == 3
    await source.destroy("p4")  # by another process
    assert await keys.opened(sealed[4]) == "x"
    monkeypatch.setattr(person_keys, "ALONE", 0.0)
    keys.hears(False)
    assert await keys.opened(sealed[4]) == ERASED


async def test_where_keys_cannot_be_had_whoever_waits_hears_it_and_the_next_ask_anew() -> None:
    class Down(KeysInMemory):
        down = True

        async def fetch(self, persons: Sequence[str], make: bool) -> Secrets:
            if self.down:
                raise DatabaseUnavailable("down")
            return await super().fetch(persons, make)

    source = Down()
    keys = PersonKeys(source)
    for found in await asyncio.gather(*(keys.key(f"p{n}") for n in range(3)), return_exceptions=True):
        assert isinstance(found, DatabaseUnavailable)
    source.down = False
    assert (await keys.key("p1")).person == "p1"

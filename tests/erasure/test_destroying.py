"""A key is destroyed though the database is away and the worker ends in between; and what is asked again stays done."""

import asyncio

import pytest

from events.memory import MemoryLog
from projections.person_keys import KeysInMemory, PersonKeys
from projections.postgres import DatabaseUnavailable
from schemas.settings import Settings
from schemas.user import EraseUser
from tests.builders.user import USER_ID, register
from tests.scenarios.house import House
from workers.channel import ByChannel
from workers.compose import parts_of

pytestmark = pytest.mark.anyio


class Away(KeysInMemory):
    """A table that cannot be reached until somebody says so; or is, and its answer is lost."""

    def __init__(self, lost: bool) -> None:
        super().__init__()
        self.there, self.asked, self._lost = False, asyncio.Event(), lost

    async def destroy(self, person: str) -> None:
        self.asked.set()
        if self._lost:
            await super().destroy(person)
        if not self.there:
            raise DatabaseUnavailable("away")
        await super().destroy(person)


@pytest.mark.parametrize("lost", [False, True])
async def test_a_key_is_destroyed_once_the_log_says_so_whatever_ends_in_between(lost: bool) -> None:
    keys, house = Away(lost), House(MemoryLog())
    await keys.fetch([USER_ID], True)
    house.parts = dict(parts_of(Settings(), house.till, ByChannel({"email": house.mailbox}), keys=PersonKeys(keys)))
    await house.open()
    try:
        await house.send(register())
        await house.send(EraseUser(user_id=USER_ID))
        stream = f"user-{USER_ID}"
        await house.until(lambda: "user.erased.v1" in house.history(stream), "erased")
        await asyncio.wait_for(keys.asked.wait(), 10)
        assert house.history(stream)[-1] == "user.erased.v1"
        keys.there = True
        await house.restart("user")
        await house.until(lambda: "user.key_destroyed.v1" in house.history(stream), "the key is destroyed")
        assert keys.secrets == {USER_ID: None}
        await house.send(EraseUser(user_id=USER_ID))
        await house.settle()
        assert house.history(stream) == ["user.registered.v1", "user.erased.v1", "user.key_destroyed.v1"]
    finally:
        await house.close()

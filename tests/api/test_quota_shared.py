"""Gateways that share a store count as one, and each for itself while the store is away."""

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from typing import Any

import httpx2
import pytest
from limits.aio.storage import RedisStorage

from api import quota as quotas
from api.front import Front
from api.quota import Policy, Quota
from events.circuit import Circuit
from events.memory import MemoryLog
from tests.api.alone import alive, alone
from tests.api.entries import Person, serving
from tests.api.store import Store, running
from tests.api.test_quota import URL, Clock, statuses
from tests.api.world import HOME, settings

pytestmark = pytest.mark.anyio

THREE = Policy("user", 3)


@pytest.fixture
def store() -> Iterator[Store]:
    with running() as store:
        yield store


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> None:
    """A wall clock that stands still in the middle of a minute, for what a process counts alone."""
    monkeypatch.setattr("time.time", Clock())


@asynccontextmanager
async def two(store: Store) -> AsyncIterator[list[Quota]]:
    """What two gateways count with; each asks again 0.1 s after the store was found to be away."""
    of = settings(rate_store=store.url)
    counting = [Quota(of, Circuit("the store", threshold=2, seconds=0.1)) for _ in range(2)]
    try:
        yield counting
    finally:
        for quota in counting:
            await quota.close()


async def allowed(quota: Quota, times: int, who: str = "ada") -> int:
    return sum([(await quota.count(THREE, who)).allowed for _ in range(times)])


async def test_two_processes_count_together_and_no_user_for_another(store: Store) -> None:
    with alone(home=str(HOME), rate_store=store.url, rate_user="6", inside="closed") as url:
        front = Front(settings(rate_store=store.url, rate_user=6, inside="closed"), MemoryLog(), {})
        async with serving(front) as here, _client(url) as there, _client(here) as beside:
            await alive(there)
            ada, grace = Person(there, "customer"), Person(beside, "customer")
            assert await statuses(ada, 3) == [200] * 3
            assert await statuses(ada, 3, f"{here}{URL}") == [200] * 3
            for refused in (await ada.get(URL), await ada.get(f"{here}{URL}")):
                assert (refused.status_code, refused.headers["ratelimit"][:10]) == (429, '"user";r=0')
            assert await statuses(grace, 6) == [200] * 6


async def test_of_many_requests_at_once_no_more_are_allowed_than_one_process_would(store: Store) -> None:
    async with two(store) as counting:
        counts = await asyncio.gather(*(quota.count(THREE, "ada") for quota in counting * 20))
    assert sum(count.allowed for count in counts) == 3


async def test_a_store_that_is_killed_leaves_each_counting_for_itself_until_it_is_back(
    store: Store, clock: None, caplog: pytest.LogCaptureFixture
) -> None:
    async with two(store) as counting:
        assert [await allowed(quota, 2) for quota in counting] == [2, 1]
        store.kill()
        with caplog.at_level(logging.WARNING):
            assert [await allowed(quota, 5) for quota in counting] == [3, 3]
        assert caplog.messages[0].startswith("requests are counted by this process alone: ")
        store.start()
        await _until(lambda: all(quota._circuit.probe_in == 0 for quota in counting))
        assert [await allowed(quota, 2) for quota in counting] == [2, 1]


async def test_a_store_that_says_nothing_holds_nobody_up_for_long(store: Store, clock: None) -> None:
    async with two(store) as counting:
        assert await allowed(counting[0], 1) == 1
        began = time.monotonic()
        with store.silent():
            assert await allowed(counting[0], 5) == 3
        assert time.monotonic() - began < 3


async def test_nothing_stays_in_the_store_when_it_counts_no_more(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(quotas, "MINUTE", 1)
    async with two(store) as counting:
        assert [await allowed(quota, 2, who) for quota in counting for who in ("ada", "grace")] == [2, 2, 1, 1]
        redis: Any = _redis(counting[0])
        assert await redis.dbsize() == 2
        while await redis.dbsize():
            await asyncio.sleep(0.02)
        assert [await allowed(quota, 2) for quota in counting] == [2, 1]


async def test_valkeys_urls_are_understood(store: Store) -> None:
    quota = Quota(settings(rate_store=store.url.replace("redis", "valkey")))
    assert await allowed(quota, 4) == 3
    assert await _redis(quota).dbsize() == 1
    await quota.close()


def _client(url: str) -> httpx2.AsyncClient:
    return httpx2.AsyncClient(base_url=url, timeout=5)


def _redis(quota: Quota) -> Any:
    assert isinstance(quota._store, RedisStorage)
    return quota._store.bridge.storage  # type: ignore[attr-defined]


async def _until(so: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 5
    while not so():
        assert time.monotonic() < deadline
        await asyncio.sleep(0.01)

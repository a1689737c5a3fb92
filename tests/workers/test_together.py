"""A task that has lost its cancellation, as wait_for could before Python 3.12, is cancelled again until it ends."""

import asyncio

import pytest

from workers.together import end

pytestmark = pytest.mark.anyio


async def deaf_once() -> None:
    try:
        await asyncio.Event().wait()
    except asyncio.CancelledError:
        await asyncio.Event().wait()


async def test_a_cancellation_that_gets_lost_is_repeated() -> None:
    task = asyncio.create_task(deaf_once())
    await asyncio.sleep(0)

    async with asyncio.timeout(10):
        await end([task], again_seconds=0.01)

    assert task.cancelled()

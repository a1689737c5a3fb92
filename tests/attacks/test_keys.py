"""Keys on the real thing: many at once, an API that is killed in between, and what is there afterwards."""

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from uuid import uuid4

import httpx2
import pytest

from tests.api.world import WAIT, order
from tests.attacks.wire import Door
from tests.provider.stub import free_port
from workers.run import Run

pytestmark = [pytest.mark.infra, pytest.mark.anyio]


@pytest.fixture
async def client(door: Door, run: Run) -> AsyncIterator[httpx2.AsyncClient]:
    limits = httpx2.Limits(max_connections=60)
    async with httpx2.AsyncClient(base_url=run.address.api, timeout=30, limits=limits) as client:
        yield client


async def listed(client: httpx2.AsyncClient) -> str:
    sku = f"sku-{uuid4().hex[:12]}"
    product = {"sku": sku, "name": "tea", "price": 250, "stock": 100}
    answer = await client.post("/products", json=product, headers=WAIT)
    assert answer.status_code == 201, answer.text
    return sku


async def placed(client: httpx2.AsyncClient, customer: str) -> list[str]:
    found = await client.get("/orders", params={"customer_id": customer})
    return [row["order_id"] for row in found.json()["items"]]


async def test_fifty_duplicates_at_once_make_one_order(client: httpx2.AsyncClient) -> None:
    key, customer = str(uuid4()), f"c-{uuid4()}"
    body = order(await listed(client), customer_id=customer)

    async def send() -> httpx2.Response:
        """As a client should: who is told that the first is still being answered comes again."""
        while True:
            answer = await client.post("/orders", json=body, headers={**WAIT, "Idempotency-Key": key})
            if answer.status_code != 409:
                return answer
            seen["KeyRunning"] += answer.json()["code"] == "KeyRunning"
            await asyncio.sleep(0.05)

    seen: Counter[str] = Counter()
    answers = await asyncio.gather(*(send() for _ in range(50)))
    assert {answer.status_code for answer in answers} == {201}
    assert all(answer.json() == answers[0].json() for answer in answers)
    replayed = [answer.headers.get("idempotent-replayed") for answer in answers]
    assert Counter(replayed) == {None: 1, "true": 49}
    assert seen["KeyRunning"]
    assert await placed(client, customer) == [answers[0].json()["order_id"]]


@contextmanager
def doomed(run: Run, point: str) -> Iterator[tuple[str, subprocess.Popen[bytes]]]:
    """Another process of the API, which is killed when it gets to this point."""
    port = str(free_port())
    env = {**os.environ, **run.env_of("api"), "ORDERLOG_API_PORT": port, "ORDERLOG_FAILPOINT": f"{point}@1:kill"}
    process = subprocess.Popen([sys.executable, "-m", "tests.faults.api_worker"], env=env)
    try:
        yield f"http://127.0.0.1:{port}", process
    finally:
        process.kill()
        process.wait()


@pytest.mark.parametrize(("point", "is_written"), [("api.sending", False), ("api.acked", True)])
async def test_a_key_holds_over_a_crash_of_the_api(
    client: httpx2.AsyncClient, door: Door, run: Run, point: str, is_written: bool
) -> None:
    key, customer = str(uuid4()), f"c-{uuid4()}"
    body = order(await listed(client), customer_id=customer)
    headers = {**WAIT, "Idempotency-Key": key}
    door.quiet()
    before = door.commands()

    with doomed(run, point) as (url, process):
        await until_it_listens(url)
        with pytest.raises(httpx2.TransportError):
            await client.post(f"{url}/orders", json=body, headers=headers)
        assert await asyncio.to_thread(process.wait, 10) == -signal.SIGKILL
    assert (door.commands() > before) is is_written

    again = await client.post("/orders", json=body, headers=headers)
    third = await client.post("/orders", json=body, headers=headers)
    assert (again.status_code, third.status_code, third.json()) == (201, 201, again.json())
    assert third.headers["idempotent-replayed"] == "true"
    assert await placed(client, customer) == [again.json()["order_id"]]
    other = await client.post("/orders", json={**body, "email": "eve@example.org"}, headers=headers)
    assert (other.status_code, other.json()["code"]) == (422, "KeyReused")


async def until_it_listens(url: str) -> None:
    deadline = time.monotonic() + 30
    async with httpx2.AsyncClient() as client:
        while True:
            try:
                await client.get(f"{url}/health")
                return
            except httpx2.TransportError:
                assert time.monotonic() < deadline, url
                await asyncio.sleep(0.1)

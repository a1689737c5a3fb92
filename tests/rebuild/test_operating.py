"""An operator deploys a new read model while orders come in: rebuilds, is killed, goes on, sees a bug, rolls back."""

import asyncio
import json
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from projections.order import ORDERS
from schemas.client import Problem
from tests.rebuild.release import Release, plain
from tests.rebuild.workshop import until
from tests.scenarios.shop import order, sku_on
from tests.system.house import House, house

pytestmark = [pytest.mark.infra, pytest.mark.anyio, pytest.mark.long]

FILE = "projections/order.py"
RIGHT, WRONG = 'status="confirmed", confirmed_at=at', 'status="secured", confirmed_at=at'
ORDER_WORKER = "worker-order-product-payment-user"


class Said(NamedTuple):
    """What a command said, line by line as JSON, and its exit code."""

    code: int
    lines: list[Any]
    errors: str


class Desk:
    """The operator's terminal, with some release of the code."""

    def __init__(self, home: House, release: Release | None) -> None:
        self._env = {**plain(), **home.run._env, **(release.env if release else {}), "ORDERLOG_WHO": "olga"}

    async def began(self, *words: str) -> asyncio.subprocess.Process:
        """A command, under way."""
        command = (sys.executable, "-m", "workers", "projections", *words, "--json")
        pipe = asyncio.subprocess.PIPE
        return await asyncio.create_subprocess_exec(*command, stdout=pipe, stderr=pipe, env=self._env)

    async def __call__(self, *words: str) -> Said:
        """A command, done."""
        process = await self.began(*words)
        out, err = await process.communicate()
        return Said(process.returncode or 0, [json.loads(line) for line in out.splitlines()], err.decode())

    async def versions(self, name: str) -> dict[int, dict[str, Any]]:
        """The versions of a read model of orders."""
        [rows] = (await self("list")).lines
        return {row["version"]: row for row in rows if (row["context"], row["name"]) == ("order", name)}


@pytest.fixture(scope="module")
async def shop(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[House]:
    async with house(tmp_path_factory.mktemp("operating")) as running:
        yield running


async def heard(process: asyncio.subprocess.Process, name: str) -> Any:
    """The next JSON line that has this member."""
    assert process.stdout is not None
    async for line in process.stdout:
        if name in (said := json.loads(line)):
            return said
    assert process.stderr is not None
    raise AssertionError(f"never said {name!r}: {(await process.stderr.read()).decode()}")


async def customers(shop: House, sku: str) -> None:
    """Thirty orders a second, until cancelled."""
    while True:
        await shop.shop.place(order((sku, 1)))
        await asyncio.sleep(1 / 30)


async def seen(shop: House, counts: list[int]) -> None:
    """How many orders readers see, ever again."""
    while True:
        with suppress(Problem):  # Postgres goes away for a while
            summary = await shop.shop.get("/summary")
            counts.append(sum(row["orders"] for row in summary["orders"]))
        await asyncio.sleep(0.02)


async def test_a_new_release_takes_over_a_read_model_and_gives_it_back(shop: House, tmp_path: Path) -> None:
    sku, counts = sku_on(0), list[int]()
    await shop.shop.list_product({"sku": sku, "name": "Tea", "price": 250, "stock": 100_000}, wait=10)
    for _ in range(150):
        await shop.shop.place(order((sku, 1)))
    busy = [asyncio.create_task(customers(shop, sku)), asyncio.create_task(seen(shop, counts))]
    old = Desk(shop, None)

    # A bug in the new code: the second fold agrees, for the code means it; readers would see another status.
    second = Release(tmp_path / "second").change(
        "projections/order.py", f"    version={ORDERS.version},", f"    version={ORDERS.version + 1},"
    )
    buggy = second.change(
        "projections/order.py", 'status="confirmed", confirmed_at=at', 'status="secured", confirmed_at=at'
    )
    new = Desk(shop, buggy)
    caught = await new("rebuild", "orders", "--yes", "--why", "statuses")
    proof = next(line for line in caught.lines if "proof" in line)
    assert (caught.code, proof["sound"], proof["same"]) == (1, True, False)
    assert proof["fields"].keys() == {"status", "ready_to_ship"}
    assert "--accept-differences" in caught.errors
    assert [number for number, row in (await old.versions("orders")).items() if row["live"]] == [1]

    # Mended, and killed in the middle: it goes on where it was.
    second.change(FILE, WRONG, RIGHT)
    killed = await new.began("rebuild", "orders", "--again", "--rate", "400", "--yes", "--why", "statuses")
    await heard(killed, "progress")
    killed.kill()
    await killed.wait()
    left = max((await new.versions("orders")).values(), key=lambda row: row["version"])
    assert (left["state"], left["live"], sum(left["positions"].values()) > 0) == ("building", False, True)

    # Postgres goes away in the middle, and comes back.
    cut = await new.began("rebuild", "orders", "--rate", "400", "--yes", "--why", "statuses")
    await heard(cut, "progress")
    shop.run.servers.kill("postgres")
    assert await cut.wait() in (0, 4, 5)
    await asyncio.to_thread(shop.run.servers.restart, "postgres")
    assert (await old.versions("orders"))[1]["live"]

    # To the end; no worker has the new code yet, so the command keeps the new version up to date itself.
    last = await new.began("rebuild", "orders", "--yes", "--why", "statuses")
    assert (await heard(last, "proof"))["same"]
    assert (await heard(last, "switched"))["switched"] == f"orders_v{left['version']}"
    await heard(last, "waiting")
    shop.run._env |= second.env
    shop.run.child(ORDER_WORKER).stop()
    shop.run.mend()
    assert await asyncio.wait_for(last.wait(), 60) == 0, "a worker with the new code has taken over"
    rows = await new.versions("orders")
    assert (rows[left["version"]]["live"], rows[left["version"]]["state"]) == (True, "up to date")
    assert (await new("verify", "orders")).code == 0

    # Back, with the release that has the old code; the new code alone would show the past.
    refused = await new("rollback", "orders", "--to", "1", "--yes", "--why", "no")
    assert (refused.code, "--stale" in refused.errors) == (1, True)
    back = await old("rollback", "orders", "--yes", "--to", "1", "--why", "never mind")
    assert back.lines[-1] == {"switched": "orders_v1", "former": f"orders_v{left['version']}"}, back
    for task in busy:
        task.cancel()
    await asyncio.gather(*busy, return_exceptions=True)
    for name in second.env:
        del shop.run._env[name]
    shop.run.child(ORDER_WORKER).stop()
    shop.run.mend()
    await until(lambda: _joined(old, 1), 60)
    assert await shop.settled()
    assert (await old("verify", "orders")).code == 0
    assert counts == sorted(counts), "a reader saw fewer orders than before"

    # A worker that is told so has it done by itself.
    shop.run._env |= {**second.env, "ORDERLOG_REBUILD": "true"}
    shop.run.child(ORDER_WORKER).stop()
    shop.run.mend()
    await until(lambda: _live_code(old, ORDERS.version + 1), 60)
    for name in (*second.env, "ORDERLOG_REBUILD"):
        del shop.run._env[name]
    shop.run.child(ORDER_WORKER).stop()
    shop.run.mend()
    assert (await old("rollback", "orders", "--yes", "--to", "1", "--why", "as it was")).code == 0
    await until(lambda: _joined(old, 1), 60)


async def _joined(desk: Desk, number: int) -> bool:
    return bool((await desk.versions("orders"))[number]["state"] == "up to date")


async def _live_code(desk: Desk, code: int) -> bool:
    rows = (await desk.versions("orders")).values()
    return any(row["live"] and row["code"] == code and row["state"] == "up to date" for row in rows)


async def test_what_there_is_not_is_said_with_what_there_is(shop: House) -> None:
    desk = Desk(shop, None)
    for words, names in (
        (("rebuild", "ordres", "--yes"), "order.orders"),
        (("rebuild", "history", "--yes"), "product.history"),
        (("rebuild", "orders", "--yes", "--partition", "9"), "0, 1, 2, 3"),
        (("rebuild", "orders", "--yes", "--upto", "soon"), "2026-"),
        (("rebuild", "orders", "--yes", "--upto", "0:999999"), "0:"),
        (("rebuild", "orders", "--yes", "--aggregate", "nobody"), "is the key right"),
        (("rollback", "orders", "--yes", "--to", "77"), "there are: 1"),
        (("drop", "orders", "77", "--yes"), "there are: 1"),
    ):
        said = await desk(*words)
        assert (said.code, names in said.errors) == (3, True), said
    unasked = await asyncio.to_thread(
        subprocess.run,
        (sys.executable, "-m", "workers", "projections", "pause", "orders"),
        env=desk._env, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert (unasked.returncode, "--yes" in unasked.stderr) == (1, True)


async def test_one_row_one_partition_and_a_moment_in_the_past(shop: House) -> None:
    desk, sku = Desk(shop, None), sku_on(1)
    await shop.shop.list_product({"sku": sku, "name": "Tea", "price": 250, "stock": 10}, wait=10)
    bought = order((sku, 1))
    await shop.shop.place(bought)
    assert await shop.settled()
    mended = await desk("rebuild", "orders", "--aggregate", bought.order_id, "--yes", "--why", "a look")
    assert mended.lines[-1] == {"key": bought.order_id, "row": "unchanged"}, mended
    part = await desk("rebuild", "orders", "--partition", "2", "--yes", "--why", "a disk")
    assert (part.code, part.lines[-1]["former"]) == (0, "orders_v1"), part

    placed = (await shop.shop.get(f"/orders/{bought.order_id}"))["placed_at"]
    past = await desk("rebuild", "orders", "--upto", placed, "--yes", "--why", "who was first")
    built = past.lines[-1]["built"]
    assert (await desk("rollback", "orders", "--to", built.rpartition("_v")[2], "--yes")).code == 1, "it is as of then"
    paused = await desk("pause", "orders", "--yes", "--why", "maintenance")
    resumed = await desk("resume", "orders", "--yes", "--why", "done")
    assert (paused.lines[-1], resumed.lines[-1]) == (
        {"paused": part.lines[-1]["switched"]},
        {"resumed": part.lines[-1]["switched"]},
    )
    assert (await desk("drop", "orders", built.rpartition("_v")[2], "--yes")).code == 0
    assert (await desk("verify", "orders")).code == 0

"""A poison command, a worker killed while it waits, and an operator: one order waits, and then all is in order."""

import asyncio
import json
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from typer.testing import CliRunner

from events.envelope import CLIENT, Envelope
from events.kafka import KafkaLog
from events.log import Draft
from schemas.order import CancelOrder, PlaceOrder
from tests.scenarios.shop import order, place_of, sku_on
from tests.system.house import House, house, wait_until
from workers.cli import cli

pytestmark = [pytest.mark.infra, pytest.mark.anyio]

QUICK = {"ORDERLOG_SESSION_TIMEOUT_MS": "3000"}


async def orders(here: House, *words: str, code: int = 0) -> Any:
    """What the command line says, as JSON, or else in words."""
    address = here.run.address
    environment = {"ORDERLOG_KAFKA": address.kafka, "ORDERLOG_POSTGRES": address.postgres, "ORDERLOG_WHO": "ada"}
    said = await asyncio.to_thread(CliRunner(env=environment).invoke, cli, ["dead-letters", *words])
    assert said.exit_code == code, said.output
    return json.loads(said.stdout) if "--json" in words and not code else said.output


async def bought(here: House, sku: str) -> PlaceOrder:
    placed = order((sku, 1))
    await here.shop.place(placed)
    await here.shop.get(f"/orders/{placed.order_id}", wait_for="settled", timeout=30)
    return placed


async def poisoned(here: House, about: PlaceOrder) -> str:
    """A cancellation as a client of another make has written it; its id."""
    name, command = str(uuid4()), CancelOrder(order_id=about.order_id)
    envelope = Envelope(name, command.tag, "till", "2026-11-27T12:00:00+00:00", about.stream, name, name, CLIENT)
    log = KafkaLog(here.run.address.kafka)
    try:
        draft = Draft(about.stream, b'{"order": "' + about.order_id.encode() + b'"}', envelope.headers())
        await log.append(place_of(command), [draft])
    finally:
        await log.close()
    return name


async def test_one_order_waits_through_a_kill_is_mended_and_comes_out_right(tmp_path: Path) -> None:
    async with house(tmp_path, env=QUICK, workers=((),)) as here:
        sku = sku_on(0)
        await here.shop.list_product({"sku": sku, "name": "Tea", "price": 250, "stock": 100}, wait=20)
        unlucky, lucky = await bought(here, sku), await bought(here, sku)
        cancelling = await poisoned(here, unlucky)
        shipping = (await here.shop.ship_order(unlucky.order_id))["command_id"]  # type: ignore[typeddict-item]

        async def both_wait() -> bool:
            return len(await orders(here, "list", "--json")) == 2

        await wait_until(both_wait, 20, "the shipment waits behind the cancellation")
        here.run.child("worker").kill()
        here.run.spawn("worker", "workers", "worker")
        another = await bought(here, sku)

        [head, behind] = await orders(here, "list", "order", "--json")
        assert (head["message"], head["waiting"], behind["behind"]) == (cancelling, 1, head["id"])
        shown = await orders(here, "show", "order", head["id"][:8], "--json")
        assert shown["body"] == {"order": unlucky.order_id}
        assert [each["type"] for each in shown["waiting_behind"]] == ["order.ship"]
        assert "order_id" in await orders(here, "retry", "order", head["id"], "--yes", code=1)
        assert "LetterWaits" in await orders(here, "retry", "order", behind["id"], "--yes", code=1)
        body = tmp_path / "body.json"
        body.write_text(json.dumps({"order_id": lucky.order_id}))
        assert "is about" in await mend(here, head["id"], body, code=1)
        body.write_text(json.dumps({"order_id": 7}))
        assert "order_id: Input should be a valid string" in await mend(here, head["id"], body, code=1)
        body.write_text(json.dumps({"order_id": unlucky.order_id, "reason": "typo"}))
        await mend(here, head["id"], body)

        assert await orders(here, "list", "--json") == []
        for each, status in ((unlucky, "cancelled"), (lucky, "confirmed"), (another, "confirmed")):
            assert (await here.shop.get(f"/orders/{each.order_id}"))["status"] == status
        told = {name: await here.shop.get(f"/commands/order/{name}") for name in (cancelling, shipping)}
        assert [(row["status"], row["code"]) for row in told.values()] == [
            ("accepted", ""),
            ("rejected", "OrderSettled"),
        ]
        story = [(e.type, getattr(event, "became", "")) for e, event in await here.events("order")
                 if e.subject == unlucky.stream][3:]  # fmt: skip
        assert [row for row in story if row[0] != "order.lines_committed.v1"] == [
            ("letter.parked.v1", ""), ("letter.parked.v1", ""), ("letter.retried.v1", "parked"),
            ("command.rejected.v1", ""), ("letter.edited.v1", ""), ("letter.retried.v1", "accepted"),
            ("order.cancelled.v1", ""), ("letter.retried.v1", "rejected"),
        ]  # fmt: skip


async def mend(here: House, letter: str, body: Path, code: int = 0) -> Any:
    return await orders(
        here, "edit", "order", letter, "--body", str(body), "--why", "a till of old", "--yes", code=code
    )

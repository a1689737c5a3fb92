"""The typed client is what the OpenAPI says, and asks as a patient client would."""

from collections.abc import Callable
from typing import Any
from uuid import uuid4

import httpx2
import pytest

from api.print_client import FILE, client
from schemas.client import Client, Problem
from tests.api.world import World, order

pytestmark = pytest.mark.anyio


def test_what_is_printed_is_what_the_api_says() -> None:
    assert FILE.read_text(encoding="utf-8") == client(), "`make docs` prints it again"


@pytest.mark.infra
async def test_somebody_registers_logs_in_orders_and_cancels_with_it(entry: httpx2.AsyncClient, world: World) -> None:
    sku, email, password = await world.listed(), f"{uuid4().hex}@example.org", "correct horse"
    async with Client("http://shop", transport=entry._transport) as shop:
        await shop.register({"email": email, "name": "Ada", "password": password}, wait=10)
        with pytest.raises(Problem) as nobody:
            await shop.me()
        await shop.log_in(email, password)
        me = (await shop.me())["user_id"]
        placed = await shop.place_order(order(sku, customer_id=me), wait=10)  # type: ignore[arg-type]
        order_id = placed["order_id"]  # type: ignore[typeddict-item]
        settled = await shop.get_order(order_id, wait_for="settled")
        cancelled = await shop.cancel_order(order_id, {"reason": "changed my mind"}, wait=10)
        listed = [row["order_id"] async for row in shop.pages("/api/orders", limit=1)]
        heard = [happening.type async for happening in shop.follow_order(order_id)]
        with pytest.raises(Problem) as no:
            await shop.change_address(order_id, {"shipping_address": settled["shipping_address"]}, wait=10)  # type: ignore[typeddict-item]

    assert (nobody.value.status, nobody.value.code) == (401, "NotLoggedIn")
    assert (settled["status"], cancelled["status"], listed) == ("confirmed", "cancelled", [order_id])
    assert (heard[0], heard[-1]) == ("order.placed.v1", "order.cancelled.v1")
    assert (no.value.status, no.value.code) == (409, "OrderSettled")


async def asked(answer: Callable[[httpx2.Request], httpx2.Response]) -> tuple[Any, list[httpx2.Request]]:
    """What a client makes of these answers, and what it sent."""
    sent: list[httpx2.Request] = []

    def keep(request: httpx2.Request) -> httpx2.Response:
        sent.append(request)
        return answer(request)

    async with Client("http://api", token="t0ken", patience=1, transport=httpx2.MockTransport(keep)) as shop:
        try:
            return await shop.cancel_order("a/b", {"reason": "why not"}), sent
        except (Problem, httpx2.TransportError) as no:
            return no, sent


async def test_busy_and_broken_connections_are_asked_again_under_the_same_key() -> None:
    answers = iter(["busy", "broken", "well"])

    def answer(request: httpx2.Request) -> httpx2.Response:
        match next(answers):
            case "busy":
                return httpx2.Response(503, headers={"Retry-After": "0"})
            case "broken":
                raise httpx2.ReadError("reset", request=request)
            case _:
                return httpx2.Response(202, json={"status": "pending"})

    said, sent = await asked(answer)
    assert said == {"status": "pending"}
    assert len({request.headers["Idempotency-Key"] for request in sent}) == 1
    assert [request.url.raw_path for request in sent] == [b"/api/orders/a%2Fb/cancel"] * 3
    assert sent[0].headers["Authorization"] == "Bearer t0ken"


async def test_a_stream_is_gone_on_with_wherever_it_was_cut() -> None:
    block = 'id: {0}\nevent: order.noted.v1\ndata: {{"version": {0}}}\n\n'
    parts = [
        "retry: 1\nid: 0\n\n" + block.format(1) + ":\n\n" + block.format(2) + "id: 3\nevent: order.no",
        "busy",
        "retry: 1\nid: 2\n\n" + block.format(3) + "id: 3e\nevent: end\ndata: {}\n\n" + block.format(4),
    ]
    asked = []

    def answer(request: httpx2.Request) -> httpx2.Response:
        asked.append((request.url.path, request.headers.get("Last-Event-ID")))
        match parts.pop(0):
            case "busy":
                return httpx2.Response(503, headers={"Retry-After": "0"})
            case text:
                return httpx2.Response(200, headers={"Content-Type": "text/event-stream"}, text=text)

    async with Client("http://api", transport=httpx2.MockTransport(answer)) as shop:
        heard = [(happening.id, happening.data["version"]) async for happening in shop.follow_order("a/b")]
    assert heard == [("1", 1), ("2", 2), ("3", 3)]
    assert asked == [("/api/orders/a/b/live", None), ("/api/orders/a/b/live", "2"), ("/api/orders/a/b/live", "2")]


async def test_who_may_not_follow_and_who_has_heard_all_is_told_at_once() -> None:
    answers = [httpx2.Response(404, json={"code": "OrderUnknown"}), httpx2.Response(204)]
    async with Client("http://api", transport=httpx2.MockTransport(lambda _: answers.pop(0))) as shop:
        with pytest.raises(Problem, match="OrderUnknown"):
            await anext(shop.follow_order("nobody's"))
        assert [happening async for happening in shop.follow_order("over", after="9e")] == []


async def test_a_problem_says_what_is_wrong_with_which_field() -> None:
    problem = {"code": "Invalid", "detail": "no", "errors": [{"field": "reason", "detail": "is too long"}]}
    said, sent = await asked(lambda _: httpx2.Response(422, json=problem))
    assert (said.status, said.code, said.fields) == (422, "Invalid", {"reason": "is too long"})
    assert str(said) == "POST /api/orders/a/b/cancel: 422 Invalid: no"
    assert len(sent) == 1


async def test_it_gives_up_when_its_patience_is_over() -> None:
    said, sent = await asked(lambda _: httpx2.Response(503, headers={"Retry-After": "0"}))
    assert said.status == 503
    assert len(sent) > 1

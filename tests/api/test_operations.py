"""Operations: health, readiness, figures, dead letters, and pages that describe all this."""

import json
import re
from datetime import UTC, datetime, timedelta

import pytest

from aggregates.errors import Rejection
from api.app import create_app
from api.problems import PROBLEMS, REJECTIONS
from events.log import Draft, Place
from events.memory import MemoryLog
from projections.statistics import Figure, keep
from tests.api.world import World, client_of, settings

pytestmark = pytest.mark.anyio


async def test_every_rejection_has_a_status() -> None:
    assert set(Rejection.__subclasses__()) == set(REJECTIONS)


async def test_health_asks_nobody(door: World) -> None:
    answer = await door.client.get("/health")
    assert (answer.status_code, answer.json()["status"]) == (200, "ok")
    assert answer.json()["contexts"] == ["order", "product", "payment", "user", "notification"]


async def test_ready_says_how_far_the_read_models_are_behind(world: World) -> None:
    await world.listed()
    answer = await world.client.get("/ready")
    assert answer.status_code == 200, answer.text
    assert set(answer.json()["checks"]["product"]["lag"]) == {"0", "1", "2", "3"}


async def test_not_ready_gives_its_reasons(door: World) -> None:
    answer = await door.client.get("/ready")
    assert (answer.status_code, answer.json()["code"]) == (503, "NotReady")
    assert "order: the database gives no answer" in answer.json()["reasons"]
    assert answer.json()["checks"]["log"] == {"ok": True}


async def test_only_the_chosen_contexts_are_served() -> None:
    async with client_of(create_app(settings(contexts="product"), log=MemoryLog())) as client:
        assert (await client.post("/orders")).status_code == 404
        assert (await client.get("/payments")).status_code == 404
        assert (await client.get("/commands/order/9e4b2a2c-6b0e-4a57-8d6c-0d4a1ad3b6b1")).status_code == 404
        assert (await client.post("/products/tea/withdraw")).status_code == 202
        assert (await client.get("/health")).json()["contexts"] == ["product"]
        assert "/orders" not in (await client.get("/openapi.json")).json()["paths"]


async def test_the_summary_adds_up(world: World) -> None:
    row = await world.placed(await world.listed())
    await world.until(f"/payments/{row['order_id']}", status="captured")
    summary = (await world.client.get("/summary")).json()
    assert summary.keys() == {"orders", "reasons", "money", "stock", "messages"}
    assert summary["stock"][0]["oversold"] == 0
    assert summary["money"][0]["captured"] >= 250


async def test_statistics_are_per_minute_of_the_last_hour(world: World) -> None:
    now = datetime.now(UTC)
    figures = [Figure(now - ago, "order.events/0", "placed", "", 7, 3) for ago in (timedelta(0), timedelta(hours=2))]
    await keep(world.databases["order"], figures)
    items = (await world.client.get("/statistics")).json()["items"]
    assert [(item["context"], item["name"], item["value"]) for item in items] == [("order", "placed", 3)]


async def test_what_nobody_can_decode_is_found_among_the_dead_letters(world: World) -> None:
    await world.log.append(Place("order.commands", 2), [Draft("order-x", b"\xff", [("ce_type", b"nonsense")])])
    [letter] = await world.listing("/dead-letters/order?status=aside")
    assert (letter["topic"], letter["partition"]) == ("order.commands", 2)
    assert letter["reason"]
    assert letter in (await world.client.get("/dead-letters?limit=200")).json()["items"]


async def test_the_index_shows_figures_and_leads_to_everything(world: World) -> None:
    await world.listed(name="<script>alert(1)</script>")
    page = await world.client.get("/")
    assert page.headers["content-type"].startswith("text/html")
    assert "<script" not in page.text
    for url in re.findall(r'href="([^"]+)"', page.text):
        assert (await world.client.get(url)).status_code == 200, url


async def test_the_index_is_there_when_the_databases_are_not(door: World) -> None:
    page = await door.client.get("/")
    assert (page.status_code, "cannot be reached" in page.text) == (200, True)


async def test_every_problem_is_explained_where_its_type_leads(door: World) -> None:
    problem = (await door.client.get("/nothing")).json()
    page = await door.client.get("/problems")
    assert problem["type"] == "/problems#NotFound"
    assert all(f'id="{code}"' in page.text for code in PROBLEMS)


async def test_openapi_describes_every_body_and_refers_to_nothing_missing(door: World) -> None:
    document = (await door.client.get("/openapi.json")).json()
    refs = set(re.findall(r'"#/components/schemas/([^"]+)"', json.dumps(document)))
    assert refs <= document["components"]["schemas"].keys()
    posts = {path: item["post"] for path, item in document["paths"].items() if "post" in item}
    assert [path for path, post in posts.items() if "requestBody" not in post] == ["/logout/all"]
    assert "order_id" not in document["components"]["schemas"]["CancelOrder"]["properties"]


async def test_a_bug_says_nothing_of_itself() -> None:
    app = create_app(settings(contexts="order"), log=MemoryLog())

    @app.get("/bug")
    async def bug() -> None:
        raise RuntimeError("secret")

    async with client_of(app) as client:
        answer = await client.get("/bug")
    assert (answer.status_code, answer.json()["code"]) == (500, "InternalError")
    assert answer.headers["x-request-id"] == answer.json()["request_id"]
    assert "secret" not in answer.text

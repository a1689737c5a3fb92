"""One order is explained across contexts, and the stock that a live saga keeps is the same when SQL adds it up."""

import asyncio
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4
from xml.etree import ElementTree

import pytest

from events import topics
from events.kafka import KafkaLog
from events.log import Place, scan
from projections.order import ORDERS
from projections.product import PRODUCTS
from projections.view import Projection
from schemas.order import (
    AddNote,
    CancelLine,
    CancelOrder,
    ChangeAddress,
    DeliverOrder,
    InspectedItem,
    OrderItem,
    PlaceOrder,
    ReceiveReturn,
    RequestReturn,
    ShipOrder,
)
from schemas.product import AdjustStock, CountStock, DescribeProduct, PriceProduct, ReceiveStock, WithdrawProduct
from schemas.values import Command
from tests.operator.conftest import Shop, until
from tests.scenarios.shop import ADDRESS, order, product, sku_on
from workers.fold import Fold

pytestmark = pytest.mark.infra

Row = dict[str, Any]
SVG = "{http://www.w3.org/2000/svg}"


def explained(shop: Shop, *words: str) -> list[Row]:
    said = shop.orders("explain", *words, "--json")
    assert said.code == 0, said.err
    return said.json  # type: ignore[no-any-return]


def test_an_order_is_explained_from_its_command_to_its_last_message(shop: Shop) -> None:
    found = explained(shop, shop.correlation)
    types = [row["type"] for row in found]
    assert types[:2] == ["order.place", "order.placed.v1"]
    assert types[-1] == "notification.delivered.v1"
    assert {row["context"] for row in found} >= {"order", "product", "payment", "notification"}
    asked = {row["type"] for row in found if row["kind"] == "command"}
    assert asked >= {"order.place", "product.reserve_stock", "payment.request", "order.confirm", "notification.request"}
    assert [row["at"] for row in found] == sorted(row["at"] for row in found)
    assert found[-1]["since_ms"] == pytest.approx(sum(row["after_ms"] for row in found), abs=0.1)
    assert not [row for row in found if "no answer" in row["says"]]


def test_every_step_has_its_cause_before_it(shop: Shop) -> None:
    found = explained(shop, shop.correlation)
    at = {row["id"]: row["number"] for row in found}
    assert len(at) == len(found)
    assert all(at[row["cause"]] < row["number"] for row in found if row["cause"] in at and row["cause"] != row["id"])
    followed = [row for row in found if row["kind"] != "command" and row["by"] != "owner"]
    assert all(row["cause"] in at for row in followed)


def test_an_order_a_command_its_stream_and_the_log_itself_tell_the_same_story(shop: Shop) -> None:
    found = explained(shop, shop.correlation)
    names = (shop.stream.removeprefix("order-"), shop.stream)
    assert all(explained(shop, name) == found for name in names)
    assert explained(shop, names[0], "--scan") == found


def test_a_refusal_is_part_of_the_story(shop: Shop) -> None:
    refused = str(uuid4())
    shop.send([(ShipOrder(order_id=str(uuid4())), refused)])
    until(lambda: shop.orders("explain", refused).code == 0, "it is refused")
    [asked, no] = explained(shop, refused)
    assert (asked["kind"], no["kind"], no["type"]) == ("command", "rejection", "command.rejected.v1")
    assert "OrderUnknown" in no["says"]


def test_the_story_is_drawn_a_lane_a_context(shop: Shop, tmp_path: Path) -> None:
    said = shop.orders("explain", shop.correlation, "--svg", str(tmp_path / "order.svg"))
    assert "drawn into" in said.out
    drawn = ElementTree.parse(tmp_path / "order.svg").getroot()
    texts = [each.text for each in drawn.iter(f"{SVG}text")]
    assert [text for text in texts if text in ("order", "product", "payment", "notification")] == [
        "order", "product", "payment", "notification"]  # fmt: skip
    assert {"order.placed.v1", "payment.captured.v1", "notification.delivered.v1"} <= set(texts)
    assert [path.name for path in tmp_path.iterdir()] == ["order.svg"]


def test_what_is_not_known_or_cannot_be_drawn_is_said(shop: Shop, tmp_path: Path) -> None:
    for more in ((), ("--scan",)):
        said = shop.orders("explain", "nix", *more)
        assert (said.code, "correlation" in said.err, "nix" in said.err) == (3, True, True)
    said = shop.orders("explain", shop.correlation, "--svg", str(tmp_path / "nix" / "order.svg"))
    assert (said.code, "no folder" in said.err) == (1, True)


async def folded(kafka: str, model: Projection, streams: set[str], keys: set[str], moment: str) -> dict[str, Row]:
    """The rows of these keys, as their records until a moment make them."""
    log = KafkaLog(kafka)
    found: dict[str, dict[str, Any]] = {}
    try:
        for p in range(topics.PARTITIONS):
            place = Place(topics.events(model.context), p)
            end = 0
            async for records in scan(log, place, *await log.bounds(place)):
                for record in records:
                    if record.key.decode() in streams and record.headers["ce_time"].decode() <= moment:
                        end = record.offset + 1
            fold = Fold(log, model, p, keys)
            await fold.upto(end)
            found |= fold.rows()
    finally:
        await log.close()
    return found


LISTS = {"shipments", "returns", "notes", "staff_notes"}
"""What only the read model of orders has: in SQL, each is its events' own view."""


def plain(row: Row) -> Row:
    times = ("placed_at", "updated_at", "confirmed_at", "listed_at")
    return {
        name: datetime.fromisoformat(value).astimezone(UTC) if name in times and isinstance(value, str) else value
        for name, value in row.items()
        if name not in LISTS
    }


def whole_life(placed: PlaceOrder) -> list[Command]:
    """What may be asked of a confirmed order of three SKUs, of which all but one come to nothing in the end."""
    order_id, (first, second, third) = placed.order_id, (line.sku for line in placed.lines)
    returned, one = str(uuid4()), OrderItem(sku=first, quantity=1)
    inspected = (InspectedItem(sku=first, quantity=1, verdict="restock"),)
    return [
        CancelLine(order_id=order_id, cancellation_id=str(uuid4()), sku=first, quantity=1),
        ChangeAddress(order_id=order_id, shipping_address=ADDRESS.model_copy(update={"street": "Side Street 2"})),
        CancelLine(order_id=order_id, cancellation_id=str(uuid4()), sku=second),
        ShipOrder(order_id=order_id, tracking="2Z", shipment_id=str(uuid4()), lines=(one,)),
        AddNote(order_id=order_id, note_id=str(uuid4()), text="fragile"),
        CancelLine(order_id=order_id, cancellation_id=str(uuid4()), sku=third),
        CancelLine(order_id=order_id, cancellation_id=str(uuid4()), sku=first),
        DeliverOrder(order_id=order_id),
        RequestReturn(order_id=order_id, return_id=returned, items=(one,), reason="too green"),
        ReceiveReturn(order_id=order_id, return_id=returned, items=inspected, note="as new"),
    ]


def test_read_models_as_of_any_time_are_those_of_the_running_saga(shop: Shop, kafka: str) -> None:
    skus = [sku_on(shelf) for shelf in (0, 1, 2)]
    changes = [
        AdjustStock(sku=skus[0], delta=-3, reason="broken"), ReceiveStock(sku=skus[0], quantity=20),
        CountStock(sku=skus[1], quantity=41), ReceiveStock(sku=skus[1], quantity=5),
        PriceProduct(sku=skus[1], price=99, currency="EUR"), WithdrawProduct(sku=skus[2], reason="old"),
        DescribeProduct(sku=skus[0], name="other", description="a", department="B"),
    ]  # fmt: skip
    shop.send([(product(sku, 50), str(uuid4())) for sku in skus])
    until(lambda: all(shop.orders("log", "show", f"product-{sku}").code == 0 for sku in skus), "they are listed")
    placed = [order((skus[0], 2), (skus[1], 1)), order((skus[1], 4)), order((skus[2], 1)), order((skus[0], 900))]
    placed.append(order((skus[0], 1), token="tok_declined"))
    placed.append(order((skus[0], 3), (skus[1], 1), (skus[2], 2)))
    shop.send([(each, str(uuid4())) for each in placed])

    def came(one: int, tag: str) -> None:
        until(lambda: tag in shop.orders("log", "show", placed[one].stream).out, f"{tag} of order {one}")

    for one in (0, 1, 2, 5):
        came(one, "order.lines_committed.v1")
    for one in (3, 4):
        came(one, "order.rejected.v1")
    shop.send([(each, str(uuid4())) for each in changes])
    shop.send([(each, str(uuid4())) for each in whole_life(placed[5])])
    shop.send([(ShipOrder(order_id=placed[0].order_id, tracking="1Z"), str(uuid4()))])
    shop.send([(CancelOrder(order_id=placed[1].order_id), str(uuid4()))])
    came(0, "order.shipped.v1")
    shop.send([(DeliverOrder(order_id=placed[0].order_id), str(uuid4()))])
    came(0, "order.delivered.v1")
    came(1, "order.cancelled.v1")
    came(5, "order.return_received.v1")
    until(lambda: "stock.shipped.v1" in shop.orders("log", "show", f"product-{skus[0]}").out, "it is shipped")
    until(lambda: "stock.released.v1" in shop.orders("log", "show", f"product-{skus[1]}").out, "it is released")
    assert shop.orders("query", "SELECT 1").code == 0

    def asked(sql: str) -> list[Row]:
        said = shop.orders("query", sql, "--no-update", "--json")
        assert said.code == 0, said.err
        return json.loads(said.out)  # type: ignore[no-any-return]

    mine = {
        "orders": (ORDERS, "order_id", {each.order_id for each in placed}, {each.stream for each in placed}),
        "stock": (PRODUCTS, "sku", set(skus), {f"product-{sku}" for sku in skus}),
    }
    for name, (model, key, keys, streams) in mine.items():
        listed = ", ".join(f"'{each}'" for each in keys)
        named = ", ".join(f"'{each}'" for each in streams)
        times = [
            row["at"]
            for row in asked(f'SELECT DISTINCT happened_at AS "at" FROM events WHERE stream IN ({named}) ORDER BY 1')
        ]
        assert len(times) > 6
        for moment in [*times[:: max(len(times) // 6, 1)], times[-1], "2100-01-01T00:00:00Z"]:
            found = {row[key]: plain(row) for row in asked(f"FROM {name}_as_of('{moment}') WHERE {key} IN ({listed})")}
            told = datetime.fromisoformat(moment).astimezone(UTC).isoformat()
            wanted = asyncio.run(folded(kafka, model, streams, keys, told))
            assert found == {one: plain(row) for one, row in wanted.items()}, (name, moment)

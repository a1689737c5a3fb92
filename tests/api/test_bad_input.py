"""What makes no sense is refused at the door, with the field's name, and nothing is written."""

import json
from collections.abc import AsyncIterator
from typing import Any
from uuid import NAMESPACE_URL, uuid5

import pytest

from tests.api.world import World, order

pytestmark = pytest.mark.anyio

LINE = {"sku": "tea", "quantity": 1, "unit_price": 250}
ORDER_ID = str(uuid5(NAMESPACE_URL, "an order"))


def with_line(**changes: Any) -> dict[str, Any]:
    return order(lines=[LINE, {**LINE, **changes}])


def without(field: str) -> dict[str, Any]:
    return {name: value for name, value in order("tea").items() if name != field}


BAD_ORDERS = [
    (with_line(quantity=-1), "lines[1].quantity"),
    (with_line(quantity=0), "lines[1].quantity"),
    (with_line(quantity=10**9), "lines[1].quantity"),
    (with_line(quantity=10**30), "lines[1].quantity"),
    (with_line(quantity=1.5), "lines[1].quantity"),
    (with_line(quantity="1"), "lines[1].quantity"),
    (with_line(quantity=True), "lines[1].quantity"),
    (with_line(quantity=None), "lines[1].quantity"),
    (with_line(unit_price=-1), "lines[1].unit_price"),
    (with_line(unit_price=9.99), "lines[1].unit_price"),
    (with_line(sku="no such/sku"), "lines[1].sku"),
    (with_line(sku=""), "lines[1].sku"),
    (with_line(sku="a" * 65), "lines[1].sku"),
    (with_line(colour="red"), "lines[1].colour"),
    (order(), "lines"),
    (order("tea", lines={}), "lines"),
    (order(*["tea"] * 501), "lines"),
    (order("tea", coupon="X"), "coupon"),
    (order("tea", customer_id=7), "customer_id"),
    (order("tea", customer_id="a b"), "customer_id"),
    (order("tea", email="nobody"), "email"),
    (order("tea", email="a\0@example.org"), "email"),
    (order("tea", payment_token="tok\0"), "payment_token"),
    (order("tea", currency="euro"), "currency"),
    (order("tea", order_id="17"), "order_id"),
    (order("tea", shipping_address="here"), "shipping_address"),
    (order("tea", shipping_address={**order()["shipping_address"], "country": "Italy"}), "shipping_address.country"),
    (order("tea", shipping_address={**order()["shipping_address"], "street": "\0"}), "shipping_address.street"),
    (without("customer_id"), "customer_id"),
    (without("lines"), "lines"),
    (without("shipping_address"), "shipping_address"),
]


@pytest.mark.parametrize(("body", "field"), BAD_ORDERS, ids=[f"{i} {field}" for i, (_, field) in enumerate(BAD_ORDERS)])
async def test_an_order_that_does_not_fit_is_refused_with_the_name_of_the_field(
    door: World, body: dict[str, Any], field: str
) -> None:
    answer = await door.client.post("/orders", json=body)
    assert answer.status_code == 422, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    problem = answer.json()
    assert problem["code"] == "Invalid"
    assert field in [error["field"] for error in problem["errors"]]
    assert field in problem["detail"]
    assert door.commands() == 0


BAD_COMMANDS = [
    ("/products", {"sku": "a b", "name": "x", "price": 1}, "sku"),
    ("/products", {"sku": "search", "name": "x", "price": 1}, "sku"),
    ("/products", {"sku": "a", "name": "", "price": 1}, "name"),
    ("/products", {"sku": "a", "name": "x", "price": -1}, "price"),
    ("/products", {"sku": "a", "name": "x", "price": 1, "stock": -5}, "stock"),
    ("/products", {"sku": "a", "name": "x", "price": 1, "description": "\0"}, "description"),
    ("/products/tea/stock/receive", {"quantity": -5}, "quantity"),
    ("/products/tea/stock/receive", {"quantity": 10**12}, "quantity"),
    ("/products/tea/stock/receive", {}, "quantity"),
    ("/products/tea/stock/receive", {"quantity": 1, "sku": "other"}, "sku"),
    ("/products/tea/stock/adjust", {"delta": 10**9, "reason": "x"}, "delta"),
    ("/products/tea/stock/adjust", {"delta": 1}, "reason"),
    ("/products/tea/stock/count", {"quantity": -1}, "quantity"),
    ("/products/tea/price", {"price": "1"}, "price"),
    ("/products/tea/describe", {"name": 1}, "name"),
    ("/products/tea/withdraw", {"why": "x"}, "why"),
    ("/products/te%20a/withdraw", {}, "sku"),
    ("/products/te%00a/withdraw", {}, "sku"),
    (f"/orders/{ORDER_ID}/cancel", {"reason": ""}, "reason"),
    (f"/orders/{ORDER_ID}/cancel", {"reason": "\0"}, "reason"),
    (f"/orders/{ORDER_ID}/ship", {"tracking": 5}, "tracking"),
    (f"/orders/{ORDER_ID}/deliver", {"order_id": ORDER_ID}, "order_id"),
    (f"/orders/{ORDER_ID}/refund", {"amount": 0}, "amount"),
    (f"/payments/{ORDER_ID}/attempts", {}, "payment_token"),
    (f"/payments/{ORDER_ID}/attempts", {"payment_token": "tok", "attempt_id": ORDER_ID}, "attempt_id"),
    (f"/orders/{ORDER_ID}/refund", {"amount": -5}, "amount"),
    (f"/orders/{ORDER_ID}/refund", {"refund_id": ORDER_ID}, "refund_id"),
    ("/orders/17/cancel", {}, "order_id"),
    ("/users", {"email": "a@b.c", "name": "x", "password": "short"}, "password"),
    ("/users", {"email": "a@b.c", "name": "x", "password": "long enough", "admin": True}, "admin"),
    ("/users", {"email": "ab", "name": "x", "password": "long enough"}, "email"),
    ("/login", {"email": "a@b.c"}, "password"),
]


@pytest.mark.parametrize(("url", "body", "field"), BAD_COMMANDS)
async def test_every_command_names_the_field_that_does_not_fit(door: World, url: str, body: Any, field: str) -> None:
    answer = await door.client.post(url, json=body)
    assert answer.status_code == 422, answer.text
    assert field in [error["field"] for error in answer.json()["errors"]]
    assert door.commands() == 0


@pytest.mark.parametrize(
    "body",
    [
        b"{",
        b"not json",
        b'{"email": "\xff"}',
        b"\xff\xfe{\0}\0",
        b'{"a": "\\ud800"}',
        b"[" * 10_000,
        b"{} {}",
        b" ",
        b"\0",
    ],
)
async def test_what_is_no_json_in_utf8_is_a_400(door: World, body: bytes) -> None:
    answer = await door.client.post("/orders", content=body, headers={"content-type": "application/json"})
    assert (answer.status_code, answer.json()["code"]) == (400, "BadJson")
    assert door.commands() == 0


@pytest.mark.parametrize("body", [b"[]", b"null", b"7", b'"x"'])
async def test_json_that_is_no_object_is_a_422(door: World, body: bytes) -> None:
    answer = await door.client.post("/orders", content=body, headers={"content-type": "application/json"})
    assert answer.status_code == 422
    assert door.commands() == 0


@pytest.mark.parametrize(
    "headers",
    [
        {"content-type": "application/x-www-form-urlencoded"},
        {"content-type": "text/plain"},
        {"content-type": "application/json", "content-encoding": "gzip"},
    ],
)
async def test_a_body_of_another_kind_is_a_415(door: World, headers: dict[str, str]) -> None:
    answer = await door.client.post("/orders", content=b"a=1", headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (415, "UnsupportedMediaType")
    assert door.commands() == 0


async def test_a_body_over_one_mebibyte_is_a_413_by_its_announced_length(door: World) -> None:
    body = json.dumps(order("tea", customer_id="c" * (1 << 20)))
    answer = await door.client.post("/orders", content=body, headers={"content-type": "application/json"})
    assert (answer.status_code, answer.json()["code"]) == (413, "BodyTooLarge")
    assert door.commands() == 0


async def test_a_body_without_an_announced_length_is_read_no_further_than_the_limit(door: World) -> None:
    given = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal given
        while given < 50 << 20:
            given += 1 << 16
            yield b"[" * (1 << 16)

    answer = await door.client.post("/orders", content=endless(), headers={"content-type": "application/json"})
    assert (answer.status_code, answer.json()["code"]) == (413, "BodyTooLarge")
    assert given < 3 << 20
    assert door.commands() == 0


@pytest.mark.parametrize("key", ["", "a" * 201, "caf\xe9", "tab\there"])
async def test_an_idempotency_key_that_is_none_is_a_400(door: World, key: str) -> None:
    headers = [(b"Idempotency-Key", key.encode("latin-1"))]
    answer = await door.client.post("/orders", json=order("tea"), headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (400, "BadIdempotencyKey")
    assert door.commands() == 0


@pytest.mark.parametrize(
    ("url", "field"),
    [
        ("/orders?limit=0", "limit"),
        ("/orders?limit=x", "limit"),
        ("/orders?limit=100000", "limit"),
        ("/orders?status=lost", "status"),
        ("/orders?customer=c-1", "customer"),
        ("/orders?customer_id=%00", "customer_id"),
        ("/orders?cursor=zzz", "cursor"),
        ("/orders?cursor=WzEsMl0", "cursor"),
        ("/orders?cursor=%ff", "cursor"),
        ("/orders?cursor=WyIyMDI2LTAxLTAxVDAwOjAwOjAwIiwieCJd", "cursor"),
        ("/orders/17", "order_id"),
        (f"/orders/{ORDER_ID}?wait_for=ever", "wait_for"),
        (f"/orders/{ORDER_ID}?timeout=31", "timeout"),
        ("/orders/17/history", "order_id"),
        ("/orders/17/notifications", "order_id"),
        ("/products/a%00b", "sku"),
        ("/products?q=%00", "q"),
        ("/products?q=", "q"),
        ("/products?cursor=WyJhXHUwMDAwYiJd", "cursor"),
        ("/products/search?q=", "q"),
        ("/products/search?q=%20%20", "q"),
        ("/products/search?q=%00", "q"),
        (f"/products/search?q={'x' * 201}", "q"),
        ("/products/search?q=tea&limit=0", "limit"),
        ("/products/search?q=tea&limit=201", "limit"),
        ("/products/search?q=tea&page=2", "page"),
        ("/products/search?sort=price%3B", "sort"),
        ("/products/search?min_price=-1", "min_price"),
        ("/products/search?min_price=2&max_price=1", "min_price"),
        ("/products/search?max_price=1e99", "max_price"),
        ("/products/search?currency=eur", "currency"),
        ("/products/search?in_stock=perhaps", "in_stock"),
        ("/products/search?department=%00", "department[0]"),
        (f"/products/search?brand={'x' * 201}", "brand[0]"),
        ("/products/search?" + "&".join(["brand=x"] * 21), "brand"),
        ("/products/search?cursor=zzz", "cursor"),
        ("/products/te%20a/stock", "sku"),
        ("/products/tea/stock?limit=x", "limit"),
        ("/customers/a%20b/spending", "customer_id"),
        ("/spending?currency=eur", "currency"),
        ("/spending?limit=0", "limit"),
        ("/revenue?from=yesterday", "from"),
        ("/revenue?from=7", "from"),
        ("/revenue?from=2026-02-30", "from"),
        ("/revenue?to=2026-01-01T00:00:00", "to"),
        ("/revenue?to=", "to"),
        ("/revenue?from=2026-02-02&to=2026-02-01", "from"),
        ("/revenue?from=2020-01-01&to=2026-01-01", "to"),
        ("/revenue?by=sku", "by"),
        ("/revenue?by=", "by"),
        ("/revenue?by=day,day", "by"),
        ("/revenue?since=2026-01-01", "since"),
        ("/payments/x", "order_id"),
        ("/payments?cursor=1", "cursor"),
        ("/notifications?limit=-1", "limit"),
        ("/commands/order/x", "command_id"),
        ("/commands/x", "command_id"),
        ("/dead-letters?limit=x", "limit"),
    ],
)
async def test_parameters_that_do_not_fit_are_named(door: World, url: str, field: str) -> None:
    answer = await door.client.get(url)
    assert answer.status_code == 422, answer.text
    assert [error["field"] for error in answer.json()["errors"]] == [field]


@pytest.mark.parametrize(
    ("method", "url", "status"),
    [
        ("GET", "/nothing", 404),
        ("GET", "/orders/", 404),
        ("GET", "/docs", 404),
        ("GET", "/dead-letters/nobody", 404),
        ("GET", f"/commands/nobody/{ORDER_ID}", 404),
        ("DELETE", "/orders", 405),
        ("POST", f"/orders/{ORDER_ID}", 405),
        ("GET", "/login", 405),
    ],
)
async def test_what_is_not_there_is_a_problem_too(door: World, method: str, url: str, status: int) -> None:
    answer = await door.client.request(method, url)
    assert (answer.status_code, answer.json()["status"]) == (status, status)
    assert answer.headers["content-type"] == "application/problem+json"
    assert status != 405 or answer.headers["allow"]


async def test_a_problem_lists_no_more_errors_than_people_read(door: World) -> None:
    body = order(lines=[{"sku": "a b", "quantity": 0, "unit_price": -1}] * 400)
    answer = await door.client.post("/orders", json=body)
    assert len(answer.json()["errors"]) == 20
    assert len(answer.content) < 5000


async def test_a_pointer_is_written_as_rfc_6901_asks(door: World) -> None:
    answer = await door.client.post("/orders", json=order("tea", **{"a/b~c": 1}))
    assert [error["pointer"] for error in answer.json()["errors"]] == ["#/a~1b~0c"]


async def test_an_order_for_unknown_skus_names_the_lines(world: World) -> None:
    sku, before = await world.listed(), world.commands()
    answer = await world.post("/orders", order(sku, "nowhere-1", "nowhere-2"))
    assert (answer.status_code, answer.json()["code"]) == (422, "SkuUnknown")
    assert [error["field"] for error in answer.json()["errors"]] == ["lines[1].sku", "lines[2].sku"]
    assert world.commands() == before


async def test_a_withdrawn_product_cannot_be_ordered(world: World) -> None:
    sku = await world.listed()
    await world.post(f"/products/{sku}/withdraw")
    answer = await world.post("/orders", order(sku))
    assert [error["field"] for error in answer.json()["errors"]] == ["lines[0].sku"]

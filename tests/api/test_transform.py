"""What changes on the way through the gateway is in a table: headers, names, versions, and what browsers are told."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any

import httpx2
import pytest
from starlette.types import Message, Scope

from api import gateway as gateways
from api.front import Front
from api.paths import inward, outward, outward_of, relinked, relinked_header
from api.transform import RULES, Rule, Version, request_headers, version_of
from events.memory import MemoryLog
from tests.api.entries import Person, client_of, closed

pytestmark = pytest.mark.anyio

JWKS = "/api/auth/.well-known/jwks.json"


@asynccontextmanager
async def gateway(table: dict[str, Any] | None = None, **changes: Any) -> AsyncIterator[httpx2.AsyncClient]:
    """A gateway with nothing behind it."""
    async with client_of(Front(closed(**changes), MemoryLog(), None, **(table or {}))) as client:
        yield client


OLD = Version(
    "v1",
    paths={"/shop/keys": JWKS.removeprefix("/api")},
    deprecated=datetime(2026, 11, 1, tzinfo=UTC),
    sunset=datetime(2027, 5, 1, 12, tzinfo=UTC),
    successor="v2",
)


async def test_an_old_version_goes_on_under_its_old_paths_and_says_until_when() -> None:
    async with gateway({"versions": (OLD, Version("v2"))}) as client:
        old = await client.get("/api/v1/shop/keys")
        assert (old.status_code, old.json()) == (200, (await client.get(JWKS)).json())
        assert old.headers["deprecation"] == "@1793491200"
        assert old.headers["sunset"] == "Sat, 01 May 2027 12:00:00 GMT"
        assert old.headers["link"] == '</api/v2/auth/.well-known/jwks.json>; rel="successor-version"'
        new = await client.get("/api/v2/auth/.well-known/jwks.json")
        assert new.status_code == 200
        assert not {"deprecation", "sunset", "link"} & new.headers.keys()
        assert (await client.get("/api/v3/auth/.well-known/jwks.json")).status_code == 404


def test_links_stay_in_the_version_that_was_asked() -> None:
    assert version_of("/v1/orders/1") == (Version("v1"), "/orders/1")
    assert version_of("/orders/1") == (None, "/orders/1")
    assert outward("/orders/1?x=/y", "/api/v1") == "/api/v1/orders/1?x=/y"


async def test_a_row_of_the_table_changes_what_is_below_its_path_alone() -> None:
    rule = Rule("/api/auth", hide=frozenset({"cache-control"}), add={"x-shop": "ours"})
    async with gateway({"rules": (rule, *RULES)}) as client:
        changed, other = await client.get(JWKS), await client.get("/api/products")
    assert (changed.headers["x-shop"], changed.headers["cache-control"]) == ("ours", "no-store")
    assert "x-shop" not in other.headers


def test_a_request_loses_what_only_a_proxy_may_say_and_old_names() -> None:
    given = [(b"x-user-id", b"root"), (b"x-idempotency-key", b"mine"), (b"accept", b"*/*")]
    assert request_headers(RULES, "/api/orders", given) == [(b"idempotency-key", b"mine"), (b"accept", b"*/*")]
    both = [(b"idempotency-key", b"new"), (b"x-idempotency-key", b"old")]
    assert request_headers(RULES, "/api/orders", both) == both


@pytest.mark.parametrize("url", [JWKS, "/api/nothing", "/api/orders", "/api/products"])
async def test_every_answer_tells_browsers_to_take_care(url: str) -> None:
    async with gateway() as client:
        headers = (await client.get(url)).headers
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["content-security-policy"] == "default-src 'none'; frame-ancestors 'none'"
    assert headers["strict-transport-security"].startswith("max-age=31536000")
    assert headers["cache-control"] == ("max-age=300" if url == JWKS else "no-store")
    assert not {"server", "x-powered-by", "access-control-allow-origin"} & headers.keys()


PREFLIGHT = {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "authorization"}


async def test_pages_of_other_origins_may_ask_only_where_it_is_said() -> None:
    async with gateway() as client:
        refused = await client.options("/api/orders", headers={"Origin": "https://shop.example", **PREFLIGHT})
        assert "access-control-allow-origin" not in refused.headers
    async with gateway(origins="https://shop.example, https://www.shop.example") as client:
        allowed = await client.options("/api/orders", headers={"Origin": "https://shop.example", **PREFLIGHT})
        assert (allowed.status_code, allowed.headers["access-control-allow-origin"]) == (200, "https://shop.example")
        for stranger in ("https://shop.example.attacker.example", "null", "http://shop.example"):
            answer = await client.options("/api/orders", headers={"Origin": stranger, **PREFLIGHT})
            assert "access-control-allow-origin" not in answer.headers
        answer = await client.get(JWKS, headers={"Origin": "https://shop.example"})
        assert answer.headers["access-control-allow-origin"] == "https://shop.example"
        assert "access-control-allow-credentials" not in answer.headers


@pytest.mark.parametrize(
    ("public", "inner"),
    [
        ("/orders", "/orders"),
        ("/orders/1/cancel", "/orders/1/cancel"),
        ("/auth/register", "/users"),
        ("/auth/login", "/login"),
        ("/auth/password/reset", "/password/reset"),
        ("/users/me", "/me"),
        ("/users/me/addresses", "/me/addresses"),
        ("/auth", ""),
        ("/auth/", ""),
        ("/auth/orders", ""),
        ("/auth/me", ""),
        ("/me", ""),
        ("/login", ""),
        ("/products/../orders", ""),
        ("/products/./x", ""),
        ("/..", ""),
        ("/openapi.json", ""),
        ("/health", ""),
        ("/", ""),
    ],
)
def test_a_public_path_has_one_inside_or_none(public: str, inner: str) -> None:
    assert inward(public) == inner
    if inner:
        assert outward_of("user", inner) == f"/api{public}"


def test_links_are_found_in_bodies_and_headers_and_nothing_else_is_touched() -> None:
    body = b'{"next":"/orders?cursor=a","type":"order.placed.v1","lines":[{"next":"/orders"}],"command":null}'
    assert relinked(body, outward, "/") == body.replace(b'"next":"/orders?', b'"next":"/api/orders?')
    assert relinked(b'[{"a":"/orders"}]', outward, "/") == b'[{"a":"/orders"}]'
    assert relinked_header('</orders?cursor=a>; rel="next"', outward) == '</api/orders?cursor=a>; rel="next"'
    assert relinked_header("https://elsewhere.example/orders", outward) == "https://elsewhere.example/orders"


async def test_a_body_that_never_ends_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gateways, "BODY_SECONDS", 0.05)
    async with gateway() as client:
        ada = Person(client, "customer")

        async def slowly() -> AsyncIterator[bytes]:
            yield b"{"
            await asyncio.Event().wait()

        answer = await ada.ask("POST", "/api/orders", content=slowly())
        assert (answer.status_code, answer.json()["code"]) == (408, "RequestTimeout")
        assert answer.headers["connection"] == "close"


@pytest.mark.parametrize("announced", [str(2 << 20), "9" * 30, "1"])
async def test_a_body_that_is_too_large_is_read_no_further(announced: str) -> None:
    given = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal given
        while given < 50 << 20:
            given += 1 << 16
            yield b"[" * (1 << 16)

    async with gateway() as client:
        ada = Person(client, "customer")
        headers = {"Content-Length": announced}
        answer = await ada.ask("POST", "/api/orders", content=endless(), headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (413, "BodyTooLarge")
    assert given < 3 << 20


async def test_a_path_goes_in_as_it_was_decoded_and_none_leads_back_out() -> None:
    front = Front(closed(), MemoryLog())
    async with client_of(front):
        for path in ("/api/products/../orders", "/api/auth/../orders", "/api/..", "/api/./orders", "/api/products/.."):
            assert await _status(front, path) == 404, path
        assert await _status(front, "/api/orders") == 401


async def _status(front: Front, path: str) -> int:
    """The status of a request that no client would send."""
    scope: Scope = {
        "type": "http", "method": "GET", "path": path, "raw_path": path.encode(), "query_string": b"", "headers": [],
        "client": ("192.0.2.1", 1), "server": ("shop", 80), "scheme": "http", "root_path": "", "http_version": "1.1",
    }  # fmt: skip
    found: list[int] = []

    async def receive() -> Message:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Message) -> None:
        found.extend([message["status"]] if message["type"] == "http.response.start" else [])

    await front(scope, receive, send)
    return found[0]

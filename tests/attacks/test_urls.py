"""Paths, queries and cursors that somebody has played with: a 4xx that names the field, and nothing in the log."""

import base64
import json
import random
from urllib.parse import unquote
from uuid import NAMESPACE_URL, uuid5

import pytest

from api.questions import signature
from schemas.settings import Settings
from tests.attacks.wire import Door

pytestmark = pytest.mark.infra

ID = str(uuid5(NAMESPACE_URL, "an order"))
DIGITS = "%EF%BC%91%EF%BC%92"
"""12 in full-width digits."""

NOWHERE = [
    "/%2e%2e/%2e%2e/etc/passwd",
    "/..%2f..%2fetc%2fpasswd",
    "/orders/%2e%2e/cancel/x",
    f"//orders/{ID}",
    f"/orders//{ID}",
    f"/orders/{ID}/",
    f"/orders/{ID}/cancel/",
    "/Orders",
    "/orders;a=1",
    "/orders%00",
    "/%c0%af",
    "/\\orders",
    "/static/../orders",
    "/commands/nobody/" + ID,
    "/dead-letters/%2e",
    "/dead-letters/order%00",
    "/.git/config",
    "/" + "a" * 20_000,
    "/" + "a/" * 5_000,
]


@pytest.mark.parametrize("target", NOWHERE, ids=[target[:30] for target in NOWHERE])
def test_where_nothing_is_nothing_is_found(door: Door, target: str) -> None:
    answer = door.get(target)
    assert (answer.status, answer.problem["code"]) == (404, "NotFound")


IDS = [
    "17",
    "..",
    "%2e%2e",
    "%20" + ID,
    ID + "%20",
    ID + "%0a",
    ID + "%00",
    ID.replace("-", ""),
    "%7B" + ID + "%7D",
    "urn:uuid:" + ID,
    DIGITS * 16,
    "%E2%80%AE" + ID,
    "%ff" * 36,
    "%25" + ID,
    ID + ";x=1",
    "null",
    "*",
    "%27%20OR%201=1--",
    "a" * 20_000,
]


@pytest.mark.parametrize("key", IDS, ids=[key[:20] for key in IDS])
def test_an_id_that_is_none_is_named(door: Door, key: str) -> None:
    before = door.commands()
    for path, field in (
        (f"/orders/{key}", "order_id"),
        (f"/payments/{key}", "order_id"),
        (f"/commands/{key}", "command_id"),
    ):
        answer = door.get(path)
        assert (answer.status, answer.fields) == (422, [field]), path
    for step in ("cancel", "ship", "deliver", "refund"):
        answer = door.post(f"/orders/{key}/{step}", b"")
        assert (answer.status, answer.fields) == (422, ["order_id"]), step
    assert door.commands() == before


SKUS = ["a%20b", "a%00", "a%0a", "caf%c3%a9", DIGITS, "a" * 65, "a" * 20_000, "%ff", "a;b", "a,b"]


@pytest.mark.parametrize("sku", SKUS, ids=[sku[:20] for sku in SKUS])
def test_a_sku_that_is_none_is_named(door: Door, sku: str) -> None:
    before = door.commands()
    assert (door.get(f"/products/{sku}").status, door.get(f"/products/{sku}").fields) == (422, ["sku"])
    assert door.post(f"/products/{sku}/withdraw", b"").fields == ["sku"]
    assert door.commands() == before


@pytest.mark.parametrize("sku", [".", ".."])
def test_a_sku_that_no_url_can_name_is_refused(door: Door, sku: str) -> None:
    answer = door.post("/products", json.dumps({"sku": sku, "name": "x", "price": 1}).encode())
    assert (answer.status, answer.fields) == (422, ["sku"])


QUERIES = [
    ("/orders?limit=1e2", "limit"),
    ("/orders?limit=0x10", "limit"),
    ("/orders?limit=99999999999999999999999", "limit"),
    ("/orders?limit=" + "9" * 5000, "limit"),
    ("/orders?limit=-0.5", "limit"),
    ("/orders?limit=%00", "limit"),
    ("/orders?limit=", "limit"),
    ("/orders?limit[]=1", "limit[]"),
    ("/orders?customer_id=%27%3B--", "customer_id"),
    ("/orders?customer_id=" + "a" * 20_000, "customer_id"),
    ("/orders?status=placed%00", "status"),
    ("/orders?" + "&".join(f"x{n}=1" for n in range(2000)), "x0"),
    ("/orders?%ff=1", "\ufffd"),
    ("/orders?__class__=1", "__class__"),
    (f"/orders/{ID}?timeout=nan", "timeout"),
    (f"/orders/{ID}?timeout=inf", "timeout"),
    (f"/orders/{ID}?timeout=-1", "timeout"),
    (f"/orders/{ID}?timeout=1e400", "timeout"),
    (f"/orders/{ID}?wait_for=settled&timeout=31", "timeout"),
    ("/products?q=%00", "q"),
    ("/products?q=" + "a" * 201, "q"),
    ("/dead-letters?limit=201", "limit"),
]


@pytest.mark.parametrize(("target", "field"), QUERIES, ids=[target[:40] for target, _ in QUERIES])
def test_a_parameter_that_does_not_fit_is_named(door: Door, target: str, field: str) -> None:
    answer = door.get(target)
    assert answer.status == 422, answer
    assert field in answer.fields
    assert len(answer.body) < 10_000


WORDS = [
    "%27",
    "%25",
    "%5c",
    "a%20%26%20b",
    "%22a",
    "-",
    "or%20or",
    "%ff",
    "%E2%80%AE",
    "(((",
    "a:*",
    "%ed%a0%80",
    "!!",
]


@pytest.mark.parametrize("words", WORDS)
def test_whatever_is_searched_for_is_only_words(door: Door, words: str) -> None:
    assert door.get(f"/products?q={words}").status == 200


def word(place: object) -> str:
    text = place if isinstance(place, str) else json.dumps(place)
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def signed(path: str, cursor: str) -> str:
    return f"{cursor}.{signature(Settings().account_secret, unquote(cursor, errors='replace'), path)}"


CURSORS = [
    "x",
    "====",
    "%00",
    "%ff",
    DIGITS,
    "a" * 300,
    "a" * 301,
    word("null"),
    word("[]"),
    word("[1, 2]"),
    word("{}"),
    word("[" * 200),
    word(["2026-03-02T12:00:00", ID]),
    word(["2026-03-02T12:00:00+00:00", ID, 1]),
    word(["2026-03-02T12:00:00+00:00", "a\0"]),
    word('["2026-03-02T12:00:00+00:00", "\\ud800"]'),
    word(["99999-03-02T12:00:00+00:00", ID]),
    word(["2026-13-45T12:00:00+00:00", ID]),
    word(["2026-03-02T12:00:00+99:00", ID]),
    word([1e400, ID]),
    word(["now()", "' OR 1=1--"]),
]
LISTS = ["/orders", "/payments", "/notifications"]


@pytest.mark.parametrize("cursor", CURSORS, ids=[cursor[:30] for cursor in CURSORS])
@pytest.mark.parametrize("path", LISTS)
def test_a_cursor_that_no_list_has_given_is_refused(door: Door, path: str, cursor: str) -> None:
    answer = door.get(f"{path}?cursor={cursor}")
    assert (answer.status, answer.fields) == (422, ["cursor"])


@pytest.mark.parametrize("cursor", CURSORS, ids=[cursor[:30] for cursor in CURSORS])
@pytest.mark.parametrize("path", LISTS)
def test_a_cursor_that_is_signed_and_makes_no_sense_is_refused_too(door: Door, path: str, cursor: str) -> None:
    answer = door.get(f"{path}?cursor={signed(path, cursor)}")
    assert (answer.status, answer.fields) == (422, ["cursor"])


@pytest.mark.parametrize("place", [["0001-01-01T00:00:00+14:00", "~"], ["9999-12-31T23:59:59-14:00", ""]])
@pytest.mark.parametrize("path", LISTS)
def test_a_cursor_at_the_end_of_time_gives_a_page(door: Door, path: str, place: list[str]) -> None:
    assert door.get(f"{path}?cursor={signed(path, word(place))}").status == 200


def test_a_cursor_with_bits_turned_is_refused(door: Door) -> None:
    dice = random.Random(4)
    given = signed("/orders", word(["2026-03-02T12:00:00.123456+00:00", ID])).encode()
    assert door.get(f"/orders?cursor={given.decode()}").status == 200
    for _ in range(300):
        turned = bytearray(given)
        for where in dice.sample(range(len(turned)), dice.randint(1, 3)):
            turned[where] ^= 1 << dice.randrange(7)
        answer = door.get("/orders?cursor=" + "".join(f"%{byte:02x}" for byte in turned))
        assert (answer.status, answer.fields) == (422, ["cursor"]), turned


METHODS = ["PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "HEAD", "QUERY", "PROPFIND", "CONNECT", "M-SEARCH"]


@pytest.mark.parametrize("method", METHODS)
def test_a_method_that_a_resource_does_not_know_is_refused_and_leaves_nothing(door: Door, method: str) -> None:
    before = door.commands()
    answer = door.ask(method, "/orders", [])
    assert answer.status in (400, 405), answer
    assert answer.status == 400 or answer.headers["allow"] == "GET, POST"
    assert door.commands() == before

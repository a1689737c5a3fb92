"""Bodies that are deep, huge, slow or no text: each is refused with the way out, and nothing reaches the log."""

import gzip
import time
from collections.abc import Iterator
from pathlib import Path
from threading import Thread
from typing import Any
from uuid import uuid4

import pytest

from api.bodies import LIMIT
from tests.attacks.wire import JSON, Answer, Door, encoded, order
from workers.run import Run

pytestmark = pytest.mark.infra

MANY = 100_000
LINE = {"sku": "tea", "quantity": 1, "unit_price": 250}
TEXT = encoded(order())


def line(**changes: Any) -> bytes:
    return encoded(order(lines=[{**LINE, **changes}]))


def said(raw: bytes, old: bytes = b'"mallory"') -> bytes:
    """The order with bytes of our choice in the place of the customer's id."""
    return TEXT.replace(old, raw, 1)


BAD_JSON = {
    "arrays in arrays": b"[" * MANY,
    "arrays in arrays, closed": b"[" * MANY + b"]" * MANY,
    "objects in objects": b'{"a":' * MANY + b"1" + b"}" * MANY,
    "an order with a deep field": TEXT[:-1] + b', "x": ' + b"[" * MANY + b"]" * MANY + b"}",
    "a deep field that is known": said(b"[" * MANY + b"]" * MANY),
    "a byte order mark": b"\xef\xbb\xbf" + TEXT,
    "UTF-16": TEXT.decode().encode("utf-16"),
    "UTF-32": TEXT.decode().encode("utf-32"),
    "Latin-1": said(b'"caf\xe9"'),
    "an overlong encoding": said(b'"\xc0\xaf"'),
    "a surrogate in UTF-8": said(b'"\xed\xa0\x80"'),
    "a surrogate alone": said(rb'"\ud800"'),
    "surrogates the wrong way round": said(rb'"\udc00\ud800"'),
    "a NUL byte": said(b'"a\0"'),
    "a control character": said(b'"a\x1fb"'),
    "only NUL bytes": bytes(1000),
    "a name that is no text": TEXT.replace(b'"customer_id"', b"customer_id"),
    "single quotes": TEXT.replace(b'"', b"'"),
    "a comment": b"/* hello */" + TEXT,
    "a comma too many": TEXT[:-1] + b",}",
    "two documents": TEXT + TEXT,
    "an end that is missing": TEXT[:-1],
    "an escape that is none": said(rb'"\x41"'),
    "hexadecimal": line().replace(b"250", b"0xfa"),
    "a number with a nought before it": line().replace(b"250", b"0250"),
    "a plus sign": line().replace(b"250", b"+250"),
    "compressed": gzip.compress(TEXT),
}


@pytest.mark.parametrize("body", BAD_JSON.values(), ids=BAD_JSON)
def test_what_is_no_json_is_refused_and_leaves_nothing(door: Door, body: bytes) -> None:
    before, began = door.commands(), time.monotonic()
    answer = door.post("/orders", body)
    assert (answer.status, answer.problem["code"]) == (400, "BadJson")
    assert answer.problem["detail"]
    assert time.monotonic() - began < 2
    assert door.commands() == before


BAD_FIELDS = {
    "NaN": (line(quantity=float("nan")), "lines[0].quantity"),
    "infinity": (line(unit_price=float("inf")), "lines[0].unit_price"),
    "minus infinity": (line(unit_price=float("-inf")), "lines[0].unit_price"),
    "a number of 400 digits": (line(quantity=10**400), "lines[0].quantity"),
    "a number of 4000 digits": (line(unit_price=-(10**4000)), "lines[0].unit_price"),
    "an exponent without end": (line().replace(b"250", b"1e400"), "lines[0].unit_price"),
    "a float for a whole number": (line(quantity=1.0), "lines[0].quantity"),
    "a fraction": (line(unit_price=2.5), "lines[0].unit_price"),
    "minus nought": (line().replace(b"250", b"-0.0"), "lines[0].unit_price"),
    "a number as text": (line(quantity="1"), "lines[0].quantity"),
    "true for one": (line(quantity=True), "lines[0].quantity"),
    "a text without end": (said(encoded("a" * 500_000)), "customer_id"),
    "a name without end": (TEXT[:-1] + b", " + encoded("a" * 500_000) + b": 1}", "a" * 100),
    "a NUL as an escape": (said(rb'"a\u0000"'), "customer_id"),
    "a NUL that is kept": (encoded(order(email="a\0@example.org")), "email"),
    "an id in other digits": (encoded(order(order_id="\uff11" * 36)), "order_id"),
    "an id that ends with a line": (encoded(order(order_id=f"{uuid4()}\n")), "order_id"),
    "a SKU that climbs": (line(sku="../../etc/passwd"), "lines[0].sku"),
    "a name twice": (TEXT[:-1] + b', "customer_id": "eve"}', "customer_id"),
    "a name twice, once as an escape": (TEXT[:-1] + rb', "customer\u005fid": "eve"}', "customer_id"),
    "a name twice in a line": (line().replace(b'"quantity"', b'"quantity": 9, "quantity"'), "lines[0].quantity"),
    "a prototype": (encoded(order(__proto__={"admin": True})), "__proto__"),
    "an object for a list": (encoded(order(lines={"0": LINE})), "lines"),
    "a list for the order": (b"[" + TEXT + b"]", ""),
    "nothing for the order": (b"null", ""),
    "many unknown fields": (encoded(order(**{f"x{n}": 1 for n in range(2000)})), "x0"),
    "more unknown fields than anybody reads": (encoded(order(**{f"x{n}": 1 for n in range(70_000)})), ""),
    "more lines of nothing than anybody reads": (encoded(order(lines=[1] * 300_000)), ""),
    "many lines": (encoded(order(lines=[LINE] * 10_000)), "lines"),
}


@pytest.mark.parametrize(("body", "field"), BAD_FIELDS.values(), ids=BAD_FIELDS)
def test_what_does_not_fit_is_named_and_leaves_nothing(door: Door, body: bytes, field: str) -> None:
    before, began = door.commands(), time.monotonic()
    answer = door.post("/orders", body)
    assert (answer.status, answer.problem["code"]) == (422, "Invalid")
    assert field in answer.fields
    assert all(error["detail"] and error["pointer"].startswith("#") for error in answer.problem["errors"])
    assert len(answer.body) < 10_000
    assert time.monotonic() - began < 2
    assert door.commands() == before


def test_a_refund_of_more_than_a_number_holds_is_refused(door: Door) -> None:
    answer = door.post(f"/orders/{uuid4()}/refund", b'{"amount": 1%s}' % (b"0" * 400))
    assert (answer.status, answer.fields) == (422, ["amount"])


KINDS = {
    "text": [("Content-Type", "text/plain")],
    "a form": [("Content-Type", "application/x-www-form-urlencoded")],
    "a form of parts": [("Content-Type", "multipart/form-data; boundary=x")],
    "XML": [("Content-Type", "application/xml")],
    "nearly JSON": [("Content-Type", "application/jsonp")],
    "bytes": [("Content-Type", "application/octet-stream")],
    "no kind at all": [("Content-Type", "")],
    "a kind of noise": [("Content-Type", "\xff\xfe;;;===")],
    "compressed": [*JSON, ("Content-Encoding", "gzip")],
    "compressed twice": [*JSON, ("Content-Encoding", "gzip, br")],
    "an unknown encoding": [*JSON, ("Content-Encoding", "rot13")],
}


@pytest.mark.parametrize("headers", KINDS.values(), ids=KINDS)
def test_a_body_of_another_kind_is_refused_with_the_kind_to_send(door: Door, headers: list[tuple[str, str]]) -> None:
    before = door.commands()
    answer = door.post("/orders", TEXT, headers)
    assert (answer.status, answer.problem["code"]) == (415, "UnsupportedMediaType")
    assert "application/json" in answer.problem["detail"]
    assert door.commands() == before


def chunked(parts: Iterator[bytes]) -> Iterator[bytes]:
    yield b"POST /orders HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
    for part in parts:
        yield b"%x\r\n%s\r\n" % (len(part), part)
    yield b"0\r\n\r\n"


def assert_too_large(answer: Answer) -> None:
    assert (answer.status, answer.problem["code"]) == (413, "BodyTooLarge")
    assert str(LIMIT) in answer.problem["detail"]


def test_a_body_one_byte_too_long_is_refused_by_its_length(door: Door) -> None:
    before = door.commands()
    assert_too_large(door.post("/orders", b" " * (LIMIT + 1)))
    assert door.post("/orders", b" " * LIMIT).status == 400
    assert door.commands() == before


def test_a_body_that_only_says_it_is_long_is_not_waited_for(door: Door) -> None:
    began = time.monotonic()
    assert_too_large(door.ask("POST", "/orders", [*JSON, ("Content-Length", str(10**15))]))
    assert time.monotonic() - began < 2


@pytest.mark.parametrize("size", [1 << 16, LIMIT + 1], ids=["many chunks", "one chunk"])
def test_a_body_without_a_length_is_refused_as_soon_as_it_is_too_long(door: Door, size: int) -> None:
    before, given = door.commands(), 0

    def endless() -> Iterator[bytes]:
        nonlocal given
        while given < 64 * LIMIT:
            given += size
            yield b"[" * size

    assert_too_large(door.send(chunked(endless())))
    assert given < 16 * LIMIT  # sockets hold some of it
    assert door.commands() == before


def test_a_body_that_drips_holds_up_nobody_else_and_is_answered(door: Door) -> None:
    before = door.commands()
    answers: list[Answer] = []

    def dripping() -> Iterator[bytes]:
        for at in range(30):
            time.sleep(0.1)
            yield TEXT[at : at + 1]

    slow = [Thread(target=lambda: answers.append(door.send(chunked(dripping())))) for _ in range(20)]
    for thread in slow:
        thread.start()
    waits = []
    while any(thread.is_alive() for thread in slow):
        began = time.monotonic()
        assert door.get("/health").status == 200
        waits.append(time.monotonic() - began)
    assert [answer.status for answer in answers] == [400] * 20
    assert max(waits) < 1
    assert door.commands() == before


def resident(pid: int) -> int:
    """Bytes of memory that a process has."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return 1024 * next(int(line.split()[1]) for line in lines if line.startswith("VmRSS:"))


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="only Linux says it in /proc")
def test_whatever_is_sent_memory_stays_as_it_was(run: Run, door: Door) -> None:
    api = run.pids["api"]
    huge = [b"[" * LIMIT, b'{"a":' * MANY, encoded(order(lines=[LINE] * 10_000)), gzip.compress(bytes(64 * LIMIT))]

    def attack() -> None:
        for body in (*huge, bytes(LIMIT + 1)):
            assert door.post("/orders", body).status in (400, 413, 415, 422)

    attack()
    before = resident(api)
    for _ in range(10):
        attack()
    assert resident(api) - before < 16 * LIMIT


def test_a_client_that_leaves_in_the_middle_leaves_nothing(door: Door) -> None:
    before = door.commands()
    for part in (0, 10, len(TEXT) - 1):
        head = b"POST /orders HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n"
        door.leave(head % len(TEXT) + TEXT[:part])
    assert door.get("/health").status == 200
    assert door.commands() == before

"""Headers that lie, repeat themselves or make no sense: refused or ignored, as their standards ask, and never a 500."""

import time
from uuid import uuid4

import pytest

from tests.attacks.wire import JSON, Answer, Door, encoded, order

pytestmark = pytest.mark.infra

BODY = encoded(order())

BAD_KEYS = {
    "empty": "",
    "too long": "k" * 201,
    "endless": "k" * 30_000,
    "with a tab": "a\tb",
    "of another alphabet": "\xe9\xe8",
    "only quotes": '""',
}


@pytest.mark.parametrize("key", BAD_KEYS.values(), ids=BAD_KEYS)
def test_a_key_that_is_none_is_refused(door: Door, key: str) -> None:
    before = door.commands()
    answer = door.post("/orders", BODY, [*JSON, ("Idempotency-Key", key)])
    assert_refused(answer)
    assert door.commands() == before


def test_two_keys_are_refused(door: Door) -> None:
    before = door.commands()
    keys = [("Idempotency-Key", str(uuid4())), ("Idempotency-Key", str(uuid4()))]
    answer = door.post(f"/orders/{uuid4()}/cancel", b"", keys)
    assert answer.status == 400
    assert door.commands() == before


PREFERENCES = [
    "wait=-1",
    "wait=",
    "wait=1e3",
    "wait=0x10",
    "wait=99999999999",
    "wait=nan",
    "w\xe4it=5",
    ";;;,,,",
    "wait",
]


@pytest.mark.parametrize("preference", [*PREFERENCES, "respond-async, wait=0", "x" * 30_000, "wait =" + " " * 20_000])
def test_a_preference_that_makes_no_sense_is_none(door: Door, preference: str) -> None:
    began = time.monotonic()
    answer = door.post(f"/orders/{uuid4()}/cancel", b"", [("Prefer", preference)])
    assert answer.status == 202
    assert time.monotonic() - began < 2


IGNORED = {
    "a name that is none": ("X-Request-Id", "a b\xff"),
    "a name without end": ("X-Request-Id", "x" * 30_000),
    "a trace that is none": ("traceparent", "00-zz-zz-00"),
    "a trace without end": ("traceparent", "0" * 30_000),
    "a token that is none": ("Authorization", "Bearer a.b.c"),
    "a range": ("Range", "bytes=0-1"),
    "a condition": ("If-Match", '"x"'),
    "another method": ("X-HTTP-Method-Override", "DELETE"),
    "another address": ("X-Forwarded-For", "127.0.0.1, \xff"),
    "a cookie of noise": ("Cookie", "a=\xff; =; ;;"),
    "nothing that we speak": ("Accept", "application/xml;q=x"),
    "no language": ("Accept-Language", "\xff"),
    "a hop": ("TE", "trailers, \xff"),
}


@pytest.mark.parametrize(("name", "value"), IGNORED.values(), ids=IGNORED)
def test_a_header_that_is_nothing_to_us_is_ignored(door: Door, name: str, value: str) -> None:
    answer = door.ask("GET", "/orders", [(name, value)])
    assert answer.status == 200
    assert len(answer.headers["x-request-id"]) <= 64


@pytest.mark.parametrize("host", ["", "[", "a/b", "a?b#c", "\xff", "a:99999999", "a@b", "a" * 10_000, "a b"])
def test_whatever_the_host_is_said_to_be_the_answer_is_the_same(door: Door, host: str) -> None:
    lines = f"GET /orders/17 HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n"
    answer = door.send([lines.encode("latin-1")])
    assert answer.status in (400, 422)
    assert answer.status == 400 or answer.problem["instance"] == "/orders/17"


def request(*lines: bytes, body: bytes = b"") -> bytes:
    return b"\r\n".join([*lines, b"Connection: close", b"", body])


POST = b"POST /orders HTTP/1.1"
KIND = b"Content-Type: application/json"
LENGTH = b"Content-Length: %d" % len(BODY)
BROKEN = {
    "two lengths": request(POST, b"Host: a", KIND, LENGTH, b"Content-Length: 3", body=BODY),
    "a length that is none": request(POST, b"Host: a", KIND, b"Content-Length: x", body=BODY),
    "a negative length": request(POST, b"Host: a", KIND, b"Content-Length: -1", body=BODY),
    "a length and chunks": request(POST, b"Host: a", KIND, LENGTH, b"Transfer-Encoding: chunked", body=b"0\r\n\r\n"),
    "chunks that are none": request(POST, b"Host: a", KIND, b"Transfer-Encoding: chunked", body=b"zz\r\n" + BODY),
    "an unknown transfer": request(POST, b"Host: a", KIND, b"Transfer-Encoding: rot13", body=BODY),
    "a header without a colon": request(POST, b"Host: a", b"nonsense", body=BODY),
    "a header of noise": request(POST, b"Host: a", b"\xff\xfe: 1", body=BODY),
    "a NUL in a header": request(POST, b"Host: a", b"Idempotency-Key: a\0b", KIND, LENGTH, body=BODY),
    "a header that never ends": request(POST, b"Host: a", b"X: " + b"x" * 200_000, body=BODY),
    "headers without end": request(POST, b"Host: a", *[b"X-%d: 1" % n for n in range(20_000)], body=BODY),
    "an unknown version": request(b"POST /orders HTTP/9.9", b"Host: a", KIND, LENGTH, body=BODY),
    "a control character in a header": request(POST, b"Host: a", b"Idempotency-Key: a\x01b", KIND, LENGTH, body=BODY),
    "a method of noise": request(b"\xff\xfe /orders HTTP/1.1", b"Host: a"),
    "a method in small letters": request(b"post /orders HTTP/1.1", b"Host: a", KIND, LENGTH, body=BODY),
    "another protocol": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(64),
    "noise": bytes(range(256)) * 4,
}


@pytest.mark.parametrize("raw", BROKEN.values(), ids=BROKEN)
def test_what_is_no_http_is_refused_or_cut_off(door: Door, raw: bytes) -> None:
    before = door.commands()
    answer = door.send([raw])
    assert answer.status == 0 or 400 <= answer.status < 500, answer
    assert door.get("/health").status == 200
    assert door.commands() == before


def assert_refused(answer: Answer) -> None:
    assert answer.status == 400, answer
    assert answer.problem["code"] == "BadIdempotencyKey"
    assert "Idempotency-Key" in answer.problem["detail"]

"""Wire is the API as an attacker sees it: a socket that takes any bytes, and a log that must not have grown."""

import json
import socket
import time
from collections.abc import Iterable, Sequence
from contextlib import suppress
from http.client import HTTPResponse
from typing import Any
from urllib.parse import urlsplit

from confluent_kafka import Consumer, TopicPartition
from msgspec import Struct

from events.topics import PARTITIONS, commands
from schemas.settings import CONTEXTS

PATIENCE = 10.0
"""Seconds for any answer; a request that waits for an outcome asks for less."""

JSON = [("Content-Type", "application/json")]
PLACES = [TopicPartition(commands(context), p) for context in CONTEXTS for p in range(PARTITIONS)]


class Answer(Struct, frozen=True):
    """What came back. `status` is 0 if the connection was closed without an answer."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def problem(self) -> dict[str, Any]:
        """The problem document (RFC 9457)."""
        assert self.headers.get("content-type") == "application/problem+json", self
        problem: dict[str, Any] = json.loads(self.body)
        return problem

    @property
    def fields(self) -> list[str]:
        """The fields that the problem names."""
        return [error["field"] for error in self.problem.get("errors", [])]


class Door:
    """The API's address, and the log behind it."""

    def __init__(self, api: str, kafka: str) -> None:
        parts = urlsplit(api)
        self.host, self.port = parts.hostname or "", parts.port or 80
        self._consumer = Consumer({"bootstrap.servers": kafka, "group.id": "attacks"})

    def close(self) -> None:
        """Let the log go."""
        self._consumer.close()

    def commands(self) -> int:
        """How many commands lie in the log, of clients and of reactions."""
        return sum(self._consumer.get_watermark_offsets(place, PATIENCE)[1] for place in PLACES)

    def quiet(self) -> None:
        """Wait until nothing is under way."""
        deadline, before = time.monotonic() + 60, -1
        while before != (before := self.commands()):
            assert time.monotonic() < deadline, "the log grows and grows"
            time.sleep(0.3)

    def post(self, path: str, body: bytes, headers: Sequence[tuple[str, str]] = JSON) -> Answer:
        """Send a body with its length; the headers are sent as they are, even twice."""
        return self.ask("POST", path, [*headers, ("Content-Length", str(len(body)))], body)

    def get(self, target: str) -> Answer:
        """Ask for a target, which is sent as it is."""
        return self.ask("GET", target, [])

    def ask(self, method: str, target: str, headers: Sequence[tuple[str, str]], body: bytes = b"") -> Answer:
        """Send one request."""
        lines = [f"{method} {target} HTTP/1.1", f"Host: {self.host}", "Connection: close"]
        head = "\r\n".join([*lines, *(f"{name}: {value}" for name, value in headers)]) + "\r\n\r\n"
        return self.send([head.encode("latin-1"), body], method)

    def send(self, parts: Iterable[bytes], method: str = "") -> Answer:
        """Send bytes as they come, and read one answer; who is not listened to any more stops sending."""
        with socket.create_connection((self.host, self.port), timeout=PATIENCE) as connection:
            with suppress(ConnectionError):
                for part in parts:
                    connection.sendall(part)
            return _answer(connection, method)

    def leave(self, part: bytes) -> None:
        """Send some of a request, and go."""
        with socket.create_connection((self.host, self.port), timeout=PATIENCE) as connection:
            connection.sendall(part)


def _answer(connection: socket.socket, method: str) -> Answer:
    response = HTTPResponse(connection, method=method)
    try:
        response.begin()
        headers = {name.lower(): value for name, value in response.getheaders()}
        return Answer(response.status, headers, response.read())
    except (ConnectionError, OSError):
        return Answer(0, {}, b"")
    finally:
        response.close()


def order(**changes: Any) -> dict[str, Any]:
    """An order that would be taken, were its SKU on sale."""
    return {
        "customer_id": "mallory",
        "email": "mallory@example.org",
        "shipping_address": {
            "name": "Mallory",
            "street": "Main Street 1",
            "city": "Turin",
            "postal_code": "10121",
            "country": "IT",
        },
        "lines": [{"sku": "tea", "quantity": 1, "unit_price": 250}],
        **changes,
    }


def encoded(body: Any) -> bytes:
    """As JSON."""
    return json.dumps(body).encode()

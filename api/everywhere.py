"""Everywhere asks every context at once, for what no single one can answer, and makes one answer of theirs."""

import asyncio
from collections.abc import Sequence
from typing import Any

import msgspec
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.answers import as_recorded
from api.problems import Problem, respond

Answer = tuple[Message, bytes]


class Everywhere:
    """Several contexts' apps as one."""

    def __init__(self, apps: Sequence[ASGIApp]) -> None:
        self._apps = apps

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        answers = await asyncio.gather(*(_answer(app, scope) for app in self._apps))
        good = [msgspec.json.decode(body) for start, body in answers if start["status"] == 200]
        known = [found for found in good if found.get("status") != "pending"]
        if scope["path"].startswith("/commands/") and known:
            return await as_recorded(known[0])(scope, receive, send)
        for start, body in answers:
            if start["status"] != 200:
                await send(start)
                return await send({"type": "http.response.body", "body": body})
        return await as_recorded(_merged(good))(scope, receive, send)


def _merged(answers: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Lists of the same name one behind the other; of all else the first."""
    found: dict[str, Any] = {}
    for answer in answers:
        for name, value in answer.items():
            both = isinstance(value, list) and isinstance(found.get(name), list)
            found[name] = [*found[name], *value] if both else found.get(name, value)
    return found


async def _answer(app: ASGIApp, scope: Scope) -> Answer:
    start: Message = {}
    body = bytearray()

    async def nothing() -> Message:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Message) -> None:
        start.update(message if message["type"] == "http.response.start" else {})
        body.extend(message.get("body", b""))

    own = dict(scope)
    try:
        await app(own, nothing, send)
    except Problem as problem:
        await respond(Request(own), problem)(own, nothing, send)
    return start, bytes(body)

"""Answers are what goes back over the wire, and the two ways of not answering."""

from typing import Any

import msgspec
from fastapi import Request, Response
from starlette.types import Receive, Scope, Send

from api.stub.book import DONE, Entry


class Json(Response):
    """A response of JSON bytes."""

    media_type = "application/json"

    def render(self, content: Any) -> bytes:
        """Encode with msgspec, which knows structs."""
        return msgspec.json.encode(content)


class LostAnswer(Response):
    """An answer cut off after its first line: the work is done and the client cannot know it."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Promise a body and hang up."""
        headers = [(b"content-length", b"2")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})


async def silence(request: Request) -> Response:
    """Wait until the client has given up."""
    while (await request.receive())["type"] != "http.disconnect":
        pass
    return LostAnswer()


def answer(entry: Entry, replayed: bool) -> Response:
    """The answer to an entry: always the same for one entry."""
    headers = {"Idempotent-Replayed": "true"} if replayed else None
    if entry.declined:
        return error(entry.status, "declined", entry.declined, headers)
    body = {
        "id": entry.id,
        "status": DONE[entry.operation],
        "authorization": entry.authorization,
        "capture": entry.capture or None,
        "reference": entry.reference,
        "amount": entry.amount,
        "currency": entry.currency,
    }
    if entry.expires_at:
        body["expires_at"] = entry.expires_at
    return Json(body, headers=headers)


def error(status: int, kind: str, code: str, headers: dict[str, str] | None = None) -> Response:
    """An error: `kind` is declined, in_progress, invalid_request or provider_error."""
    return Json({"error": {"type": kind, "code": code}}, status, headers)

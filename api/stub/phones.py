"""Phones is an SMS provider to play with: it takes messages as Twilio does, keeps them, and reports whether they came.

A number that ends in 0000 is not reached. What came to the others is in a file of JSON lines.
"""

import asyncio
import base64
import binascii
import hashlib
import hmac
import http.client
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import parse_qsl, urlencode, urlsplit
from uuid import uuid4

import msgspec
from fastapi import APIRouter, Request, Response

from api.stub.answers import Json

ATTEMPTS = 5
NEEDED = ("To", "Body")


class Text(msgspec.Struct, frozen=True):
    """What came to a phone."""

    sid: str
    to: str
    text: str
    at: datetime


class Phones:
    """The phones of everybody; `file` is what came to them."""

    def __init__(self, file: Path) -> None:
        self._file, self._reports = file, set[asyncio.Task[None]]()
        file.parent.mkdir(parents=True, exist_ok=True)

    async def take(self, request: Request, account: str) -> Response:
        """One message, from whoever has the account's token, which signs the reports too."""
        name, token = _credentials(request.headers.get("authorization", ""))
        if name != account or not token:
            return Json({"code": 20003, "message": "Authenticate", "status": 401}, 401)
        form = dict(parse_qsl((await request.body()).decode(errors="replace")))
        if missing := [field for field in NEEDED if not form.get(field)]:
            return Json({"code": 21604, "message": f"{missing[0]} is missing", "status": 400}, 400)
        sid, reached = f"SM{uuid4().hex}", not form["To"].endswith("0000")
        if reached:
            with self._file.open("ab") as texts:
                texts.write(msgspec.json.encode(Text(sid, form["To"], form["Body"], datetime.now(UTC))) + b"\n")
        if url := form.get("StatusCallback"):
            said = {"MessageSid": sid, "MessageStatus": "delivered", "To": form["To"], "AccountSid": account}
            self._tell(url, token, said if reached else {**said, "MessageStatus": "undelivered", "ErrorCode": "30003"})
        return Json({"sid": sid, "status": "queued", "error_code": None}, 201)

    def _tell(self, url: str, token: str, form: Mapping[str, str]) -> None:
        task = asyncio.create_task(_report(url, token, form))
        self._reports.add(task)
        task.add_done_callback(self._reports.discard)


def router_of(file: Path) -> APIRouter:
    """The provider's routes."""
    phones, router = Phones(file), APIRouter()

    @router.post("/2010-04-01/Accounts/{account}/Messages.json")
    async def take(request: Request, account: str) -> Response:
        return await phones.take(request, account)

    return router


def signature(token: str, url: str, form: Mapping[str, str]) -> str:
    """The value of the header `X-Twilio-Signature`."""
    said = url + "".join(name + form[name] for name in sorted(form))
    return base64.b64encode(hmac.new(token.encode(), said.encode(), hashlib.sha1).digest()).decode()


async def _report(url: str, token: str, form: Mapping[str, str]) -> None:
    for attempt in range(ATTEMPTS):
        if await asyncio.to_thread(_posted, url, form, signature(token, url, form)):
            return
        await asyncio.sleep(0.2 * 2**attempt)


def _posted(url: str, form: Mapping[str, str], signed: str) -> bool:
    parts = urlsplit(url)
    kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
    connection = kind(parts.hostname or "127.0.0.1", parts.port, timeout=5)
    headers = {"Content-Type": "application/x-www-form-urlencoded", "X-Twilio-Signature": signed}
    try:
        connection.request("POST", parts.path, urlencode(form), headers)
        return connection.getresponse().status < 300
    except OSError:
        return False
    finally:
        connection.close()


def _credentials(said: str) -> tuple[str, str]:
    try:
        name, _, token = base64.b64decode(said.removeprefix("Basic "), validate=True).decode().partition(":")
    except (binascii.Error, ValueError):
        return "", ""
    return name, token

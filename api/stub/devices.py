"""Devices is a push provider to play with: it takes pushes to phones as FCM does, and to a browser as push services do.

A registration token that ends in `gone` is registered no more, and so is such an endpoint. The folder has the keys
that a local run has made (workers/local/push_keys.py); what came is in its file of JSON lines.
"""

import json
import secrets
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

import http_ece
import jwt
import msgspec
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from fastapi import APIRouter, Request, Response
from py_vapid import Vapid02, VapidException

from api.stub.answers import Json
from schemas import words

CAME = "pushes.jsonl"
LIVES = 3600
"""Seconds that a token counts, as Google says; here it counts for as long as the process runs."""


class Push(msgspec.Struct, frozen=True):
    """What a device has shown."""

    to: str
    title: str
    text: str
    tag: str
    at: datetime
    order_id: str = ""


class Devices:
    """The phones and the browser of everybody."""

    def __init__(self, folder: Path) -> None:
        self._file = folder / CAME
        account = json.loads((folder / "fcm.json").read_text())
        subscription = json.loads((folder / "browser.json").read_text())
        self._buyer: Any = load_pem_private_key(account["private_key"].encode(), None).public_key()
        self._browser = load_pem_private_key((folder / "browser.pem").read_bytes(), None)
        self._secret = words.read(subscription["keys"]["auth"])
        self._sells, self._origin = account["token_uri"], subscription["endpoint"].removesuffix("/push/browser")
        self._sold: set[str] = set()

    async def sell(self, request: Request) -> Response:
        """A token, for a signature of the service account's."""
        form = dict(parse_qsl((await request.body()).decode(errors="replace")))
        try:
            jwt.decode(form.get("assertion", ""), self._buyer, algorithms=["RS256"], audience=self._sells)
        except jwt.InvalidTokenError as error:
            return Json({"error": "invalid_grant", "error_description": str(error)}, 400)
        token = secrets.token_urlsafe(24)
        self._sold.add(token)
        return Json({"access_token": token, "expires_in": LIVES, "token_type": "Bearer"})

    async def take(self, request: Request) -> Response:
        """A push to a phone."""
        if request.headers.get("authorization", "").removeprefix("Bearer ") not in self._sold:
            return _no(401, "UNAUTHENTICATED")
        try:
            message = json.loads(await request.body())["message"]
            to, said, data = message["token"], message["notification"], message.get("data", {})
            push = Push(
                to, said["title"], said["body"], data.get("notification_id", ""), _now(), data.get("order_id", "")
            )
        except (ValueError, KeyError, TypeError):
            return _no(400, "INVALID_ARGUMENT")
        if to.endswith("gone"):
            return _no(404, "NOT_FOUND", "UNREGISTERED")
        self._keep(push)
        return Json({"name": f"projects/orderlog/messages/{secrets.token_hex(8)}"})

    async def show(self, request: Request, name: str) -> Response:
        """A push to the browser, which nobody but it can read."""
        if name.endswith("gone"):
            return Response(status_code=410)
        if not self._signed(request.headers.get("authorization", "")):
            return Response(status_code=403)
        try:
            plain = http_ece.decrypt(
                await request.body(), private_key=self._browser, auth_secret=self._secret, version="aes128gcm"
            )
            said = json.loads(plain)
            self._keep(Push(name, said["title"], said["body"], said["tag"], _now()))
        except (http_ece.ECEException, ValueError, KeyError, TypeError):
            return Response(status_code=400)
        return Response(status_code=201, headers={"Location": f"/messages/{secrets.token_hex(8)}"})

    def _signed(self, said: str) -> bool:
        """Whether the sender has signed that it means us (RFC 8292)."""
        token = said.partition("t=")[2].partition(",")[0]
        try:
            claims = jwt.decode(token, options={"verify_signature": False})
            return bool(Vapid02.verify(said)) and claims["aud"] == self._origin
        except (VapidException, InvalidSignature, jwt.InvalidTokenError, KeyError, ValueError):
            return False

    def _keep(self, push: Push) -> None:
        with self._file.open("ab") as pushes:
            pushes.write(msgspec.json.encode(push) + b"\n")


def router_of(folder: Path) -> APIRouter:
    """The provider's routes."""
    devices, router = Devices(folder), APIRouter()
    router.add_api_route("/token", devices.sell, methods=["POST"])
    router.add_api_route("/v1/projects/{project}/messages:send", devices.take, methods=["POST"])
    router.add_api_route("/push/{name}", devices.show, methods=["POST"])
    return router


def _no(status: int, name: str, code: str = "") -> Response:
    kind = "type.googleapis.com/google.firebase.fcm.v1.FcmError"
    details = [{"@type": kind, "errorCode": code}] if code else []
    return Json({"error": {"code": status, "status": name, "message": name, "details": details}}, status)


def _now() -> datetime:
    return datetime.now(UTC)

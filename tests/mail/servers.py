"""Servers that speak as Twilio, Google and a push service do: each checks what it is sent, and keeps it."""

import asyncio
import base64
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import parse_qsl

import http_ece
import jwt
import uvicorn
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from py_vapid import Vapid02
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from tests.mail.mailbox import free_port

ACCOUNT, TOKEN, NUMBER = "AC00000000000000000000000000000001", "twilio-secret", "+15005550006"

Handler = Callable[[Request], Awaitable[Response]]


@asynccontextmanager
async def serving(handler: Handler) -> AsyncIterator[str]:
    """The base URL of a server that has one answer to all POSTs."""
    port = free_port()

    async def answer(request: Request) -> Response:
        return await handler(request)

    app = Starlette(routes=[Route("/{path:path}", answer, methods=["POST"])])
    server = uvicorn.Server(
        uvicorn.Config(app, port=port, log_level="error", ws="none", lifespan="off", http="h11", loop="none")
    )
    running = asyncio.create_task(server.serve())
    while not server.started:
        assert not running.done()
        await asyncio.sleep(0.005)
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        server.should_exit = True
        await running


class Faults:
    """What goes wrong with the next requests: statuses, or `drop`: the work is done and its answer lost."""

    def __init__(self) -> None:
        self.next: list[Any] = []

    def take(self) -> Any:
        return self.next.pop(0) if self.next else None


class Twilio:
    """Messages by SID."""

    def __init__(self) -> None:
        self.messages: dict[str, dict[str, str]] = {}
        self.faults = Faults()
        self.requests = 0

    async def __call__(self, request: Request) -> Response:
        self.requests += 1
        fault = self.faults.take()
        if isinstance(fault, int):
            return JSONResponse({"code": 20429 if fault == 429 else 20500, "status": fault}, fault)
        if isinstance(fault, tuple):
            code, message = fault
            return JSONResponse({"code": code, "message": message, "status": 400}, 400)
        expected = base64.b64encode(f"{ACCOUNT}:{TOKEN}".encode()).decode()
        if request.headers.get("authorization") != f"Basic {expected}":
            return JSONResponse({"code": 20003, "message": "Authenticate", "status": 401}, 401)
        assert request.url.path == f"/2010-04-01/Accounts/{ACCOUNT}/Messages.json"
        assert request.headers["content-type"] == "application/x-www-form-urlencoded"
        form = dict(parse_qsl((await request.body()).decode(), strict_parsing=True))
        sid = f"SM{len(self.messages):032x}"
        self.messages[sid] = form
        if fault == "drop":
            return JSONResponse({}, 502)
        return JSONResponse({"sid": sid, "status": "queued", "error_code": None}, 201)


class Google:
    """The token endpoint, and FCM behind it: a token counts until it is revoked."""

    def __init__(self) -> None:
        self.key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        self.url = ""
        self.sold: list[str] = []
        self.revoked: set[str] = set()
        self.sent: list[dict[str, Any]] = []
        self.unregistered: set[str] = set()
        self.faults = Faults()

    def key_file(self) -> dict[str, str]:
        """As Google's console gives it."""
        pem = self.key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        return {
            "type": "service_account",
            "project_id": "shop",
            "private_key_id": "key-1",
            "private_key": pem.decode(),
            "client_email": "orders@shop.iam.gserviceaccount.com",
            "token_uri": f"{self.url}/token",
        }

    async def __call__(self, request: Request) -> Response:
        if request.url.path == "/token":
            return await self._sell(request)
        assert request.url.path == "/v1/projects/shop/messages:send"
        fault = self.faults.take()
        if isinstance(fault, int):
            return _google_error(fault, "UNAVAILABLE", "UNAVAILABLE")
        token = request.headers["authorization"].removeprefix("Bearer ")
        if token not in self.sold or token in self.revoked:
            return _google_error(401, "UNAUTHENTICATED", "")
        message = (await request.json())["message"]
        if message["token"] in self.unregistered:
            return _google_error(404, "NOT_FOUND", "UNREGISTERED")
        if not message["token"].startswith("device"):
            return _google_error(400, "INVALID_ARGUMENT", "INVALID_ARGUMENT")
        self.sent.append(message)
        return JSONResponse({"name": f"projects/shop/messages/{len(self.sent)}"})

    async def _sell(self, request: Request) -> Response:
        form = dict(parse_qsl((await request.body()).decode()))
        assert form["grant_type"] == "urn:ietf:params:oauth:grant-type:jwt-bearer"
        assert jwt.get_unverified_header(form["assertion"])["kid"] == "key-1"
        claims = jwt.decode(
            form["assertion"],
            self.key.public_key(),
            algorithms=["RS256"],
            audience=f"{self.url}/token",
            options={"verify_exp": False},
        )
        assert claims["scope"] == "https://www.googleapis.com/auth/firebase.messaging"
        assert claims["exp"] - claims["iat"] <= 3600
        self.sold.append(f"token-{len(self.sold)}")
        return JSONResponse({"access_token": self.sold[-1], "expires_in": 3599, "token_type": "Bearer"})


def _google_error(status: int, name: str, code: str) -> Response:
    kind = "type.googleapis.com/google.firebase.fcm.v1.FcmError"
    details = [{"@type": kind, "errorCode": code}] if code else []
    return JSONResponse({"error": {"code": status, "status": name, "message": name, "details": details}}, status)


class Browser:
    """A browser and its push service: what comes is decrypted, and its signature checked."""

    def __init__(self) -> None:
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.secret = b"0123456789abcdef"
        self.url = ""
        self.shown: list[dict[str, Any]] = []
        self.headers: list[dict[str, str]] = []
        self.status = 201

    def subscription(self) -> str:
        point = self.key.public_key().public_bytes(
            serialization.Encoding.X962, serialization.PublicFormat.UncompressedPoint
        )
        keys = {"p256dh": _text(point), "auth": _text(self.secret)}
        return json.dumps({"endpoint": f"{self.url}/push/one", "keys": keys})

    async def __call__(self, request: Request) -> Response:
        if self.status != 201:
            return Response(status_code=self.status)
        assert request.headers["content-encoding"] == "aes128gcm"
        signature = request.headers["authorization"]
        assert Vapid02.verify(signature)
        claims = jwt.decode(signature.partition("t=")[2].partition(",")[0], options={"verify_signature": False})
        assert claims["aud"] == self.url
        assert claims["sub"] == "mailto:orders@orderlog.example"
        body = await request.body()
        self.headers.append(dict(request.headers))
        plain = http_ece.decrypt(body, private_key=self.key, auth_secret=self.secret, version="aes128gcm")
        self.shown.append(json.loads(plain))
        return Response(status_code=201, headers={"Location": "/m/1"})


def _text(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")

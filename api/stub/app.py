"""The app is the stub's HTTP face: authorizations, captures, voids and refunds, its ledger, and a switch for faults."""

import asyncio
import hashlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any

import msgspec
from fastapi import FastAPI, Request, Response

from api.stub import devices, phones
from api.stub.answers import Json, LostAnswer, answer, error, silence
from api.stub.book import Ask, NotFoundHere, Operation
from api.stub.faults import Faults, Rule
from api.stub.ledger import Ledger
from api.stub.till import KeyReused, Till
from api.stub.webhooks import Webhooks

Amount = Annotated[int, msgspec.Meta(ge=0, le=10**12)]


class AuthorizeBody(msgspec.Struct, forbid_unknown_fields=True):
    """A card's token, an amount in minor units, the payment's own id as the reference, and its how-manieth attempt."""

    amount: Amount
    currency: Annotated[str, msgspec.Meta(pattern="^[A-Z]{3}$")]
    token: str
    reference: str
    attempt: Annotated[int, msgspec.Meta(ge=1, le=100)] = 1


class AmountBody(msgspec.Struct, forbid_unknown_fields=True):
    """How much to refund, in minor units."""

    amount: Amount


class CaptureBody(msgspec.Struct, forbid_unknown_fields=True):
    """How much to capture, in minor units, and whether the rest is let go."""

    amount: Amount
    final: bool = True


class ClockBody(msgspec.Struct, forbid_unknown_fields=True):
    """By how much the stub's clock is ahead of the world's: what it holds expires so much earlier."""

    ahead_seconds: Annotated[float, msgspec.Meta(ge=0, le=10**8)]


class EmptyBody(msgspec.Struct, forbid_unknown_fields=True):
    """A void asks for nothing more."""


BODIES: dict[Operation, type[msgspec.Struct]] = {
    "authorize": AuthorizeBody,
    "capture": CaptureBody,
    "void": EmptyBody,
    "refund": AmountBody,
}


USUAL = (("attempt", 1), ("final", True))
"""What requests left unsaid before it could be said: their fingerprints must stay what they were."""


class Stub:
    """What the endpoints share."""

    def __init__(self, ledger: Path, webhook: str | None, secret: str, lasting: timedelta | None) -> None:
        self.till = Till(Ledger(ledger), lasting)
        self.faults = Faults()
        self.webhooks = Webhooks(webhook, secret)

    @asynccontextmanager
    async def lifespan(self, _: FastAPI) -> AsyncIterator[None]:
        """Send webhooks for as long as the app runs."""
        sender = asyncio.create_task(self.webhooks.run())
        yield
        sender.cancel()
        self.till.ledger.close()

    async def serve(self, request: Request, operation: Operation, target: str = "") -> Response:
        """Read a request, let its fault happen, and answer it by its key."""
        body = await request.body()
        key = request.headers.get("idempotency-key", "")
        if not 0 < len(key) <= 255:
            return error(400, "invalid_request", "idempotency_key_missing")
        try:
            ask = _ask(operation, target, body)
        except msgspec.MsgspecError as broken:
            return error(400, "invalid_request", str(broken))
        return await self._go_wrong_or_settle(request, ask, key)

    async def _go_wrong_or_settle(self, request: Request, ask: Ask, key: str) -> Response:
        rule = self.faults.draw(ask, key)
        match rule.mode:
            case "error500":
                return error(500, "provider_error", "out_of_order")
            case "busy":
                return error(409, "in_progress", "idempotency_key_in_use", {"Retry-After": "0"})
            case "timeout":
                return await silence(request)
            case "slow":
                await asyncio.sleep(rule.ms / 1000)
        response = self._settle(ask, key, rule)
        return LostAnswer() if rule.mode == "lose_answer" else response

    def _settle(self, ask: Ask, key: str, rule: Rule) -> Response:
        declined = "card_declined" if rule.mode == "decline" else ""
        try:
            entry, replayed = self.till.settle(ask, key, declined)
        except KeyReused:
            return error(422, "invalid_request", "idempotency_key_reused")
        except NotFoundHere:
            return error(404, "invalid_request", "not_found")
        if not replayed:
            self.webhooks.send(entry, times=2 if rule.mode == "repeat_webhook" else 1)
        return answer(entry, replayed)


def _ask(operation: Operation, target: str, body: bytes) -> Ask:
    asked = msgspec.json.decode(body or b"{}", type=BODIES[operation])
    fields: dict[str, Any] = msgspec.structs.asdict(asked)
    said = {name: value for name, value in fields.items() if (name, value) not in USUAL}
    plain = msgspec.json.encode([operation, target, said], order="sorted")
    return Ask(operation, hashlib.blake2b(plain, digest_size=16).hexdigest(), target, **fields)


def _documented(body: type[msgspec.Struct]) -> dict[str, Any]:
    """What the interactive page shows of a request; the endpoints read their bodies by themselves, for speed."""
    (schema,), parts = msgspec.json.schema_components([body])
    content = {"application/json": {"schema": parts.get(body.__name__, schema)}}
    key = {"in": "header", "name": "Idempotency-Key", "required": True, "schema": {"type": "string"}}
    return {"requestBody": {"content": content}, "parameters": [key]}


def create(
    ledger: Path,
    webhook: str | None = None,
    secret: str = "whsec_development",  # noqa: S107
    lasting: timedelta | None = None,
    sms: Path | None = None,
    push: Path | None = None,
) -> FastAPI:
    """The app over a ledger file; webhooks go to the URL, if there is one.

    With a file for them, SMS are taken; with the folder of a run's keys, pushes.

    Money is held for so long, or for ever.
    """
    stub = Stub(ledger, webhook, secret, lasting)
    app = FastAPI(title="Payment provider stub", lifespan=stub.lifespan, default_response_class=Json)

    @app.post("/v1/authorizations", openapi_extra=_documented(AuthorizeBody))
    async def authorize(request: Request) -> Response:
        return await stub.serve(request, "authorize")

    @app.post("/v1/authorizations/{authorization}/capture", openapi_extra=_documented(CaptureBody))
    async def capture(request: Request, authorization: str) -> Response:
        return await stub.serve(request, "capture", authorization)

    @app.post("/v1/authorizations/{authorization}/void", openapi_extra=_documented(EmptyBody))
    async def void(request: Request, authorization: str) -> Response:
        return await stub.serve(request, "void", authorization)

    @app.post("/v1/captures/{capture_id}/refunds", openapi_extra=_documented(AmountBody))
    async def refund(request: Request, capture_id: str) -> Response:
        return await stub.serve(request, "refund", capture_id)

    _add_reading(app, stub)
    _add_switch(app, stub)
    if sms:
        app.include_router(phones.router_of(sms))
    if push:
        app.include_router(devices.router_of(push))
    return app


def _add_reading(app: FastAPI, stub: Stub) -> None:
    @app.get("/v1/ledger")
    async def ledger(reference: str | None = None, after: int = 0, limit: int = 1000) -> Response:
        """Entries in order, of one payment or of all, numbered above `after`."""
        return Json({"entries": stub.till.entries(reference, max(after, 0), max(limit, 0))})

    @app.get("/v1/totals")
    async def totals() -> Response:
        """Sums per currency, replays since the start, and payments that were captured twice."""
        return Json({**stub.till.book.totals(), "replays": stub.till.replays})

    @app.get("/health")
    async def health() -> Response:
        """Up."""
        return Json({"status": "ok"})


def _add_switch(app: FastAPI, stub: Stub) -> None:
    @app.get("/v1/mode")
    async def mode() -> Response:
        """The fault that is switched on."""
        return Json(stub.faults.state())

    @app.put("/v1/mode", openapi_extra={"requestBody": _documented(Rule)["requestBody"]})
    async def switch(request: Request) -> Response:
        """Switch a fault on, or `normal`."""
        try:
            stub.faults.switch(msgspec.json.decode(await request.body(), type=Rule))
        except msgspec.MsgspecError as broken:
            return error(400, "invalid_request", str(broken))
        return Json(stub.faults.state())

    @app.put("/v1/clock", openapi_extra={"requestBody": _documented(ClockBody)["requestBody"]})
    async def put_clock(request: Request) -> Response:
        """Put the clock ahead, so that what is held expires."""
        try:
            asked = msgspec.json.decode(await request.body(), type=ClockBody)
        except msgspec.MsgspecError as broken:
            return error(400, "invalid_request", str(broken))
        stub.till.ahead = timedelta(seconds=asked.ahead_seconds)
        return Json(asked)

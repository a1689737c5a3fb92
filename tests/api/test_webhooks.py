"""A provider's webhook is believed if it is signed, counts once, and changes nothing that is decided already."""

import hashlib
import hmac
import json
import time
from collections.abc import AsyncIterator
from typing import Any
from uuid import uuid4

import httpx2
import pytest

from api.app import create_app
from events.memory import MemoryLog
from events.registry import command_codec
from schemas.payment import RecordAuthorization, RecordCapture, RecordDecline, RecordExpiry, RecordVoid
from schemas.webhook import signature
from tests.api.world import client_of, settings

pytestmark = pytest.mark.anyio

SECRET = "whsec_ours"
ORDER = "00000000-0000-4000-8000-000000000001"


class Ears:
    """The API, and the commands that it has sent to the payment context."""

    def __init__(self, client: httpx2.AsyncClient, log: MemoryLog) -> None:
        self.client, self.log = client, log

    async def tell(self, body: bytes, headers: dict[str, str], sender: str = "stripe") -> httpx2.Response:
        return await self.client.post(f"/payments/webhooks/{sender}", content=body, headers=headers)

    def commands(self) -> list[Any]:
        records = [
            each for place, found in self.log.records.items() if place.topic == "payment.commands" for each in found
        ]
        return [command_codec.decode(each.headers["ce_type"].decode(), each.value) for each in records]

    def ids(self) -> set[bytes]:
        return {each.headers["ce_id"] for found in self.log.records.values() for each in found}


@pytest.fixture
async def ears(anyio_backend: str) -> AsyncIterator[Ears]:
    log = MemoryLog()
    async with client_of(create_app(settings(webhook_secret=SECRET), log=log)) as client:
        yield Ears(client, log)


def stripe(kind: str, event: str = "evt_1", **intent: Any) -> bytes:
    about = {"id": "pi_1", "metadata": {"order_id": ORDER}, **intent}
    return json.dumps({"id": event, "type": kind, "data": {"object": about}}).encode()


def signed(body: bytes, at: float | None = None, secret: str = SECRET) -> dict[str, str]:
    sent = int(time.time() if at is None else at)
    mac = hmac.new(secret.encode(), f"{sent}.".encode() + body, hashlib.sha256).hexdigest()
    return {"Stripe-Signature": f"t={sent},v1={'0' * 64},v1={mac},v0=old"}


@pytest.mark.parametrize(
    ("body", "command"),
    [
        (
            stripe("payment_intent.amount_capturable_updated"),
            RecordAuthorization(order_id=ORDER, reference="pi_1"),
        ),
        (
            stripe(
                "payment_intent.payment_failed", last_payment_error={"code": "card_declined", "decline_code": "lost"}
            ),
            RecordDecline(order_id=ORDER, reason="lost"),
        ),
        (
            stripe("payment_intent.amount_capturable_updated", metadata={"order_id": ORDER, "attempt": "2"}),
            RecordAuthorization(order_id=ORDER, reference="pi_1", attempt=2),
        ),
        (
            stripe("payment_intent.payment_failed", metadata={"order_id": ORDER, "attempt": "3"}),
            RecordDecline(order_id=ORDER, reason="card_declined", attempt=3),
        ),
        (stripe("payment_intent.succeeded"), RecordCapture(order_id=ORDER, reference="pi_1")),
        (stripe("payment_intent.canceled"), RecordVoid(order_id=ORDER)),
        (
            stripe("payment_intent.canceled", cancellation_reason="automatic"),
            RecordExpiry(order_id=ORDER, reference="pi_1"),
        ),
    ],
)
async def test_what_stripe_tells_becomes_what_its_answer_would_have_become(
    ears: Ears, body: bytes, command: Any
) -> None:
    assert (await ears.tell(body, signed(body))).status_code == 204
    assert ears.commands() == [command]


@pytest.mark.parametrize("body", [stripe("charge.updated"), stripe("payment_intent.succeeded", metadata={})])
async def test_what_is_none_of_our_business_is_taken_and_left(ears: Ears, body: bytes) -> None:
    assert (await ears.tell(body, signed(body))).status_code == 204
    assert not ears.commands()


async def test_one_that_comes_twice_is_one_command(ears: Ears) -> None:
    body = stripe("payment_intent.succeeded")
    for _ in range(2):
        await ears.tell(body, signed(body))
    assert len(ears.ids()) == 1
    await ears.tell(other := stripe("payment_intent.succeeded", "evt_2"), signed(other))
    assert len(ears.ids()) == 2


BODY = stripe("payment_intent.succeeded")


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Stripe-Signature": ""},
        {"Stripe-Signature": "t=,v1="},
        {"Stripe-Signature": "v1=é"},
        signed(BODY, secret="whsec_theirs"),
        signed(BODY + b" "),
        signed(BODY, at=time.time() - 301),
        signed(BODY, at=time.time() + 4000),
        {"Stripe-Signature": signed(BODY)["Stripe-Signature"].replace("t=1", "t=2")},
    ],
)
async def test_what_is_not_signed_by_the_provider_just_now_is_refused(ears: Ears, headers: dict[str, str]) -> None:
    answer = await ears.tell(BODY, {name: value.encode() for name, value in headers.items()})  # type: ignore[misc]
    assert (answer.status_code, answer.json()["code"]) == (400, "BadSignature")
    assert not ears.commands()


@pytest.mark.parametrize(
    "body", [b"", b"[]", b"{}", b"\xff", stripe("payment_intent.succeeded", metadata={"order_id": "nobody's"})]
)
async def test_what_is_signed_and_no_event_is_refused_and_says_so(ears: Ears, body: bytes) -> None:
    answer = await ears.tell(body, signed(body))
    assert answer.status_code in (400, 422)
    assert not ears.commands()


async def test_without_a_secret_none_is_taken() -> None:
    async with client_of(create_app(settings(), log=MemoryLog())) as client:
        answer = await client.post("/payments/webhooks/stripe", content=BODY, headers=signed(BODY, secret=""))
    assert answer.status_code == 404
    assert "ORDERLOG_WEBHOOK_SECRET" in answer.json()["detail"]


async def test_the_provider_that_our_stub_plays_is_understood_too(ears: Ears) -> None:
    entry = {"key": str(uuid4()), "operation": "authorize", "reference": ORDER, "id": "auth_1"}
    body = json.dumps({"type": "payment.authorized", "data": entry}).encode()
    sent = int(time.time())
    headers = {
        "webhook-id": "m",
        "webhook-timestamp": str(sent),
        "webhook-signature": signature(SECRET, "m", sent, body),
    }
    assert (await ears.tell(body, headers, "provider")).status_code == 204
    assert ears.commands() == [RecordAuthorization(order_id=ORDER, reference="auth_1")]
    assert (await ears.tell(body, {**headers, "webhook-id": "n"}, "provider")).status_code == 400

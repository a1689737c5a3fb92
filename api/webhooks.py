"""Webhooks bring what a provider has to say of its own accord: an answer that was lost, or is late, comes this way too.

Each becomes the command that the provider's answer would have become, under an id that follows from the webhook's. So
one that comes twice counts once, one that comes late or out of order changes nothing that is decided already, and money
that is held for an order which is off goes back by the rules of the payment itself.
"""

import json
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, Literal, NamedTuple

from fastapi import APIRouter, Request, Response
from pydantic import ValidationError

from api.bodies import raw_of
from api.commands import put_told
from api.problems import Problem, field_error, invalid
from api.signatures import check_standard, check_stripe
from api.system import of
from schemas.payment import PaymentCommand, RecordAuthorization, RecordCapture, RecordDecline, RecordExpiry, RecordVoid

router = APIRouter(tags=["payments"])


class Told(NamedTuple):
    """What a provider tells: of which event, and what is to be recorded, if anything."""

    event_id: str
    command: PaymentCommand | None


def told_by_stripe(event: Mapping[str, Any]) -> Told:
    """An event of Stripe; those that are not about intents of ours say nothing here."""
    intent = event["data"]["object"]
    about, reference = intent.get("metadata") or {}, intent.get("id", "")
    order_id, attempt = about.get("order_id"), int(about.get("attempt", 1))
    if not order_id:
        return Told(event["id"], None)
    match event["type"]:
        case "payment_intent.amount_capturable_updated":
            return Told(event["id"], RecordAuthorization(order_id=order_id, reference=reference, attempt=attempt))
        case "payment_intent.payment_failed":
            error = intent.get("last_payment_error") or {}
            reason = error.get("decline_code") or error.get("code") or "card_declined"
            return Told(event["id"], RecordDecline(order_id=order_id, reason=reason, attempt=attempt))
        case "payment_intent.succeeded":
            return Told(event["id"], RecordCapture(order_id=order_id, reference=reference))
        case "payment_intent.canceled" if intent.get("cancellation_reason") == "automatic":
            return Told(event["id"], RecordExpiry(order_id=order_id, reference=reference))
        case "payment_intent.canceled":
            return Told(event["id"], RecordVoid(order_id=order_id))
        case _:
            return Told(event["id"], None)


def told_by_provider(event: Mapping[str, Any]) -> Told:
    """An entry in the ledger of the provider that our stub plays."""
    entry, done = event["data"], event["type"]
    order_id, event_id, attempt = entry["reference"], entry["key"], entry.get("attempt", 1)
    match entry["operation"], done:
        case "authorize", "payment.authorized":
            told = {"reference": entry["id"], "expires_at": _time(entry.get("expires_at"))}
            return Told(event_id, RecordAuthorization(order_id=order_id, attempt=attempt, **told))
        case "authorize", "payment.declined":
            return Told(event_id, RecordDecline(order_id=order_id, reason=entry["declined"], attempt=attempt))
        case "capture", "payment.captured":
            return Told(event_id, RecordCapture(order_id=order_id, reference=entry["id"]))
        case "void", "payment.voided":
            return Told(event_id, RecordVoid(order_id=order_id))
        case _:
            return Told(event_id, None)


def _time(said: str | None) -> datetime | None:
    return datetime.fromisoformat(said) if said else None


SENDERS: dict[str, tuple[Callable[[Mapping[str, str], bytes, str], None], Callable[[Mapping[str, Any]], Told]]] = {
    "stripe": (check_stripe, told_by_stripe),
    "provider": (check_standard, told_by_provider),
}


@router.post(
    "/payments/webhooks/{sender}",
    status_code=204,
    response_class=Response,
    openapi_extra={"requestBody": {"required": True, "content": {"application/json": {"schema": {"type": "object"}}}}},
)
async def hear_provider(request: Request, sender: Literal["stripe", "provider"]) -> Response:
    """What the payment provider has to say, signed with the secret that we share."""
    secret = of(request).settings.webhook_secret
    if not secret:
        raise Problem("NotFound", "No webhooks are taken here: ORDERLOG_WEBHOOK_SECRET is not set.")
    check, understand = SENDERS[sender]
    body = await raw_of(request)
    check(request.headers, body, secret)
    try:
        event_id, command = understand(json.loads(body))
    except ValidationError as no:
        raise invalid([field_error([str(no.errors()[0]["loc"][0])], no.errors()[0]["msg"], "of_nobody")]) from None
    except (ValueError, LookupError, TypeError, AttributeError):
        raise Problem("BadRequest", f"It is signed, and yet no event as {sender} sends them.") from None
    if command is not None:
        await put_told(request, command, f"webhook/{sender}/{command.tag}", event_id)
    return Response(status_code=204)

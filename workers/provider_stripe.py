"""StripeProvider is Stripe behind its HTTP API: one PaymentIntent per payment, captured by hand, refunded in parts.

Stripe keeps an idempotency key for 24 hours at least. What is asked again later finds the intent in its new state and
is declined as `already_captured` or `already_voided`; only a refund that stays without an answer for longer than that
could be given twice, so a person has to look at one that is a day old.

Source: https://docs.stripe.com/api (payment_intents, refunds, errors, idempotent_requests).
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Unpack
from urllib.parse import urlencode
from uuid import UUID

from workers.breaker import Busy
from workers.caller import Answer, Caller, Manners, opened
from workers.provider import EXPIRED, Authorized, Captured, Declined, ProviderMisused, Refunded, Voided

API = "https://api.stripe.com"
VERSION = "2024-06-20"
FREE = "free"
"""The reference of a payment of nothing, of which Stripe does not hear."""

_SETTLED = {"succeeded": "already_captured", "canceled": "already_voided"}
_EXPIRED = ("charge_expired_for_capture", "capture_charge_authorization_expired")
_TOO_MUCH = {"amount_to_capture": "exceeds_authorized", "amount": "exceeds_captured"}


class StripeProvider(Caller):
    """Stripe, with the account's secret key."""

    def __init__(self, secret_key: str, base_url: str = API, **manners: Unpack[Manners]) -> None:
        headers = {
            "Content-Type": "application/x-www-form-urlencoded",
            "Authorization": f"Bearer {secret_key}",
            "Stripe-Version": VERSION,
        }
        super().__init__(base_url, headers, understood, **manners)

    async def authorize(
        self,
        key: str,
        payment_id: UUID | str,
        amount: int,
        currency: str,
        token: str,
        attempt: int = 1,
        in_parts: bool = False,
    ) -> Authorized | Declined:
        """Hold an amount on a payment method (`pm_…`) or a card's token (`tok_…`).

        A card that wants its owner's consent first is declined as `authentication_required`: nobody is there to ask.
        One that cannot be captured `in_parts`, if that is wanted, is let go, and declined: `multicapture_unavailable`.
        """
        if not amount:
            return Authorized(FREE)
        asked = {
            "amount": amount,
            "currency": currency.lower(),
            "capture_method": "manual",
            "confirm": "true",
            "payment_method_types[]": "card",
            "error_on_requires_action": "true",
            "expand[]": "latest_charge",
            "metadata[order_id]": str(payment_id),
            **_method(token),
        }
        if attempt > 1:
            asked["metadata[attempt]"] = attempt
        if in_parts:
            asked["payment_method_options[card][request_multicapture]"] = "if_available"
        intent = await self._post("/v1/payment_intents", key, asked)
        if isinstance(intent, Declined):
            return intent
        _refuse_other(intent, amount=amount, currency=currency.lower(), status="requires_capture")
        if in_parts and (_card(intent).get("multicapture") or {}).get("status") != "available":
            await self.void(f"{key}/void", intent["id"])
            return Declined("multicapture_unavailable")
        return Authorized(intent["id"], _capture_before(intent))

    async def capture(self, key: str, reference: str, amount: int, final: bool = True) -> Captured | Declined:
        """Take an authorized amount or a part of it; Stripe lets the rest go after the `final` one."""
        if reference == FREE:
            return Captured(FREE) if not amount else Declined("exceeds_authorized")
        asked = {"amount_to_capture": amount} if final else {"amount_to_capture": amount, "final_capture": "false"}
        intent = await self._post(f"/v1/payment_intents/{reference}/capture", key, asked)
        if isinstance(intent, Declined):
            return intent
        _refuse_other(intent, id=reference)
        _refuse_less(intent, amount, final)
        return Captured(reference)

    async def void(self, key: str, reference: str) -> Voided | Declined:
        """Let an authorization go that has not been captured."""
        if reference == FREE:
            return Voided()
        intent = await self._post(f"/v1/payment_intents/{reference}/cancel", key, {})
        if isinstance(intent, Declined):
            return Voided() if intent.reason == EXPIRED else intent
        _refuse_other(intent, id=reference, status="canceled")
        return Voided()

    async def refund(self, key: str, reference: str, amount: int) -> Refunded | Declined:
        """Give back a part or all of a capture; one that a bank has yet to confirm counts as given."""
        refund = await self._post("/v1/refunds", key, {"payment_intent": reference, "amount": amount})
        if isinstance(refund, Declined):
            return refund
        if refund.get("status") in ("failed", "canceled"):
            return Declined(f"refund_{refund.get('failure_reason') or refund['status']}")
        _refuse_other(refund, payment_intent=reference, amount=amount)
        return Refunded(refund["id"])

    async def _post(self, path: str, key: str, form: Mapping[str, Any]) -> dict[str, Any] | Declined:
        return await self.post(path, key, urlencode(form).encode())


def _refuse_less(intent: Mapping[str, Any], amount: int, final: bool) -> None:
    """All captures of an intent add up in what it has received; the last of them ends it."""
    if intent.get("amount_received", 0) < amount or (final and intent.get("status") != "succeeded"):
        raise ProviderMisused(f"answered with {intent.get('amount_received')!r}, {intent.get('status')!r}")


def _card(intent: Mapping[str, Any]) -> Mapping[str, Any]:
    """What Stripe says of the card that was charged."""
    charge = intent.get("latest_charge")
    return (charge.get("payment_method_details") or {}).get("card") or {} if isinstance(charge, dict) else {}


def _capture_before(intent: Mapping[str, Any]) -> datetime | None:
    """Until when the charge may be captured; Stripe says so of cards."""
    until = _card(intent).get("capture_before")
    return datetime.fromtimestamp(until, UTC) if until else None


def _method(token: str) -> dict[str, str]:
    if token.startswith("tok"):
        return {"payment_method_data[type]": "card", "payment_method_data[card][token]": token}
    return {"payment_method": token}


def _refuse_other(answer: Mapping[str, Any], **wanted: Any) -> None:
    """An answer that is about something else must not be recorded as ours."""
    for name, value in wanted.items():
        if answer.get(name) != value:
            raise ProviderMisused(f"answered with {name} {answer.get(name)!r}, not {value!r}")


def understood(answer: Answer) -> dict[str, Any] | Declined:
    """What Stripe means: the status decides first, then the error's type and code."""
    body, error = opened(answer)
    kind, code = error.get("type"), error.get("code", "")
    if answer.status < 300:
        return body
    if answer.status == 429 or code in ("idempotency_key_in_use", "lock_timeout"):
        raise Busy(f"HTTP {answer.status} {code}", answer.again_in)
    if kind == "card_error":
        return Declined(error.get("decline_code") or code)
    if kind == "idempotency_error":
        raise ProviderMisused("idempotency_key_reused")
    if code == "resource_missing":
        raise ProviderMisused("not_found")
    return _invalid(error, answer.status)


def _invalid(error: Mapping[str, Any], status: int) -> Declined:
    """What the intent's state, or its amount, does not allow; anything else is a bug of ours."""
    code, intent = error.get("code", ""), error.get("payment_intent") or {}
    if code in _EXPIRED or intent.get("cancellation_reason") == "automatic":
        return Declined(EXPIRED)
    if code == "payment_intent_unexpected_state" and (reason := _SETTLED.get(intent.get("status", ""))):
        return Declined(reason)
    if code == "charge_already_refunded":
        return Declined("exceeds_captured")
    if code in ("amount_too_small", "amount_too_large"):
        return Declined(code)
    if reason := _TOO_MUCH.get(error.get("param", "")):
        return Declined(reason)
    raise ProviderMisused(f"HTTP {status} {error.get('type')} {code} {error.get('param', '')}".strip())

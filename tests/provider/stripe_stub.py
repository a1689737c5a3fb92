"""A Stripe of ours, for tests: it takes what Stripe's API takes, in its form, and refuses the rest as Stripe does."""

import asyncio
import time
from collections.abc import Callable
from typing import Any
from uuid import uuid4

from aiohttp import web

from workers.provider import DECLINED_AMOUNT, DECLINED_TOKEN
from workers.provider_stripe import VERSION

SECRET = "sk_test_ours"
HELD_SECONDS = 7 * 86_400
Said = tuple[int, dict[str, Any]]


def no(status: int, kind: str, code: str = "", **more: Any) -> Said:
    return status, {"error": {"type": kind, "code": code, "message": "no", **more}}


class Stripe:
    """Intents and refunds in memory; `requests` is what came, `spoil` changes an answer before it leaves."""

    def __init__(self) -> None:
        self.intents: dict[str, dict[str, Any]] = {}
        self.requests: list[tuple[str, dict[str, str]]] = []
        self.spoil: Callable[[Said], Said] = lambda said: said
        self.lose = 0
        self._answers: dict[str, tuple[tuple[str, dict[str, str]], Said]] = {}

    async def __aenter__(self) -> "Stripe":
        app = web.Application()
        app.router.add_post("/v1/{path:.*}", self._take)
        self._runner = web.AppRunner(app)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        self.url = f"http://127.0.0.1:{self._runner.addresses[0][1]}"
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._runner.cleanup()

    def expire(self) -> None:
        """All that is held is held no longer."""
        for intent in self.intents.values():
            if intent["status"] == "requires_capture":
                intent |= {"status": "canceled", "cancellation_reason": "automatic"}

    async def _take(self, request: web.Request) -> web.Response:
        form = {name: str(value) for name, value in (await request.post()).items()}
        path = request.match_info["path"]
        self.requests.append((path, form))
        status, body = self.spoil(self._answer(request, path, form))
        if self.lose:
            self.lose -= 1
            assert request.transport is not None
            request.transport.close()
            await asyncio.sleep(0)
        return web.json_response(body, status=status, headers={"Request-Id": "req_1"})

    def _answer(self, request: web.Request, path: str, form: dict[str, str]) -> Said:
        if request.headers.get("Authorization") != f"Bearer {SECRET}":
            return no(401, "invalid_request_error", "api_key_invalid")
        if request.content_type != "application/x-www-form-urlencoded":
            return no(400, "invalid_request_error", "content_type")
        if request.headers.get("Stripe-Version") != VERSION:
            return no(400, "invalid_request_error", "version")
        key, asked = request.headers["Idempotency-Key"], (path, form)
        if key in self._answers and self._answers[key][0] != asked:
            return no(400, "idempotency_error")
        if key not in self._answers:
            self._answers[key] = asked, self._do(path, form)
        return self._answers[key][1]

    def _do(self, path: str, form: dict[str, str]) -> Said:
        match path.split("/"):
            case ["payment_intents"]:
                return self._authorize(form)
            case ["payment_intents", reference, "capture"]:
                return self._of(reference, lambda intent: self._capture(intent, form))
            case ["payment_intents", reference, "cancel"]:
                return self._of(reference, self._cancel)
            case ["refunds"]:
                return self._of(form["payment_intent"], lambda intent: self._refund(intent, form))
            case _:
                return no(404, "invalid_request_error", "url_invalid")

    def _authorize(self, form: dict[str, str]) -> Said:
        method = form.get("payment_method") or form.get("payment_method_data[card][token]")
        fixed = ("capture_method", "confirm", "error_on_requires_action")
        if method is None or [form.get(name) for name in fixed] != ["manual", "true", "true"]:
            return no(400, "invalid_request_error", "parameter_missing")
        if form["currency"] != form["currency"].lower():
            return no(400, "invalid_request_error", param="currency")
        amount = int(form["amount"])
        if amount < 50:
            return no(400, "invalid_request_error", "amount_too_small", param="amount")
        if method == DECLINED_TOKEN or amount == DECLINED_AMOUNT:
            return no(402, "card_error", "card_declined")
        if method == "pm_authenticate":
            return no(402, "card_error", "authentication_required", decline_code="authentication_required")
        intent = {
            "id": f"pi_{uuid4().hex}",
            "amount": amount,
            "amount_received": 0,
            "currency": form["currency"],
            "status": "requires_capture",
            "metadata": {name[9:-1]: value for name, value in form.items() if name.startswith("metadata[")},
            "refunded": 0,
        }
        if form.get("expand[]") == "latest_charge":
            card: dict[str, Any] = {"capture_before": int(time.time()) + HELD_SECONDS}
            if form.get("payment_method_options[card][request_multicapture]") == "if_available":
                card["multicapture"] = {"status": "unavailable" if method == "pm_once" else "available"}
            intent["latest_charge"] = {"payment_method_details": {"card": card}}
            intent["in_parts"] = card.get("multicapture") == {"status": "available"}
        self.intents[str(intent["id"])] = intent
        return 200, dict(intent)

    def _of(self, reference: str, do: Callable[[dict[str, Any]], Said]) -> Said:
        intent = self.intents.get(reference)
        return do(intent) if intent else no(404, "invalid_request_error", "resource_missing")

    def _capture(self, intent: dict[str, Any], form: dict[str, str]) -> Said:
        amount = int(form["amount_to_capture"])
        if intent["status"] != "requires_capture":
            return no(400, "invalid_request_error", "payment_intent_unexpected_state", payment_intent=dict(intent))
        if amount > intent["amount"] - intent["amount_received"]:
            return no(400, "invalid_request_error", param="amount_to_capture")
        final = form.get("final_capture", "true") == "true"
        if not final and not intent["in_parts"]:
            return no(400, "invalid_request_error", param="final_capture")
        status = "succeeded" if final else "requires_capture"
        intent |= {"status": status, "amount_received": intent["amount_received"] + amount}
        return 200, dict(intent)

    def _cancel(self, intent: dict[str, Any]) -> Said:
        if intent["status"] != "requires_capture":
            return no(400, "invalid_request_error", "payment_intent_unexpected_state", payment_intent=dict(intent))
        intent |= {"status": "canceled"}
        return 200, dict(intent)

    def _refund(self, intent: dict[str, Any], form: dict[str, str]) -> Said:
        amount, left = int(form["amount"]), intent["amount_received"] - intent["refunded"]
        if not left:
            return no(400, "invalid_request_error", "charge_already_refunded")
        if amount > left:
            return no(400, "invalid_request_error", param="amount")
        intent["refunded"] += amount
        refund = {"id": f"re_{uuid4().hex}", "amount": amount, "payment_intent": intent["id"], "status": "succeeded"}
        return 200, refund

"""HttpProvider is the provider behind a URL, as our stub speaks it: JSON, and an idempotency key for every call."""

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Unpack
from uuid import UUID

from workers.breaker import Busy, NoAnswer
from workers.caller import Answer, Caller, Manners, opened
from workers.provider import Authorized, Captured, Declined, ProviderMisused, Refunded, Voided


class HttpProvider(Caller):
    """The provider behind a base URL."""

    def __init__(self, base_url: str, *, api_key: str = "", **manners: Unpack[Manners]) -> None:
        headers = {"Content-Type": "application/json"}
        if api_key:
            headers["Authorization"] = f"Bearer {api_key}"
        super().__init__(base_url, headers, _understood, **manners)

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
        """Hold an amount on the card that the token stands for."""
        asked: dict[str, Any] = {"amount": amount, "currency": currency, "token": token, "reference": str(payment_id)}
        if attempt > 1:
            asked["attempt"] = attempt
        answer = await self._post("/v1/authorizations", key, asked)
        if isinstance(answer, Declined):
            return answer
        _check(answer, amount=amount, currency=currency)
        until = answer.get("expires_at")
        return Authorized(answer["id"], datetime.fromisoformat(until) if until else None)

    async def capture(self, key: str, reference: str, amount: int, final: bool = True) -> Captured | Declined:
        """Take an authorized amount, once, or a part of it."""
        asked = {"amount": amount} if final else {"amount": amount, "final": False}
        answer = await self._post(f"/v1/authorizations/{reference}/capture", key, asked)
        if isinstance(answer, Declined):
            return answer
        _check(answer, amount=amount)
        return Captured(answer["id"])

    async def void(self, key: str, reference: str) -> Voided | Declined:
        """Let an authorization go that has not been captured."""
        answer = await self._post(f"/v1/authorizations/{reference}/void", key, {})
        return answer if isinstance(answer, Declined) else Voided()

    async def refund(self, key: str, reference: str, amount: int) -> Refunded | Declined:
        """Give back a part or all of a capture; `reference` is the capture's."""
        answer = await self._post(f"/v1/captures/{reference}/refunds", key, {"amount": amount})
        if isinstance(answer, Declined):
            return answer
        _check(answer, amount=amount)
        return Refunded(answer["id"])

    async def _post(self, path: str, key: str, body: Mapping[str, Any]) -> dict[str, Any] | Declined:
        return await self.post(path, key, json.dumps(body).encode())


def _check(answer: Mapping[str, Any], **asked: Any) -> None:
    """An answer about another amount is none to us.

    Raises:
        ProviderMisused: it is; a person must look.
    """
    for name, value in asked.items():
        if answer.get(name) != value:
            raise ProviderMisused(f"{name} {answer.get(name)!r}, not {value!r}")


def _understood(answer: Answer) -> dict[str, Any] | Declined:
    """What the answer means: its status decides first, then the error's type."""
    body, error = opened(answer)
    kind, code = error.get("type"), error.get("code", "")
    if answer.status < 300:
        if not isinstance(body.get("id"), str):
            raise NoAnswer(f"HTTP {answer.status} without an id")
        return body
    if answer.status == 429 or kind == "in_progress":
        raise Busy(f"HTTP {answer.status} {code}", answer.again_in)
    if kind == "declined":
        return Declined(code)
    raise ProviderMisused(f"HTTP {answer.status} {code}")

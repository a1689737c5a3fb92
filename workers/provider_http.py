"""HttpProvider is the provider behind a URL, as our stub speaks it: JSON, and an idempotency key for every call."""

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Unpack
from uuid import UUID

from workers.breaker import Busy
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
        until = answer.get("expires_at")
        return Authorized(answer["id"], datetime.fromisoformat(until) if until else None)

    async def capture(self, key: str, reference: str, amount: int, final: bool = True) -> Captured | Declined:
        """Take an authorized amount, once, or a part of it."""
        asked = {"amount": amount} if final else {"amount": amount, "final": False}
        answer = await self._post(f"/v1/authorizations/{reference}/capture", key, asked)
        return answer if isinstance(answer, Declined) else Captured(answer["id"])

    async def void(self, key: str, reference: str) -> Voided | Declined:
        """Let an authorization go that has not been captured."""
        answer = await self._post(f"/v1/authorizations/{reference}/void", key, {})
        return answer if isinstance(answer, Declined) else Voided()

    async def refund(self, key: str, reference: str, amount: int) -> Refunded | Declined:
        """Give back a part or all of a capture; `reference` is the capture's."""
        answer = await self._post(f"/v1/captures/{reference}/refunds", key, {"amount": amount})
        return answer if isinstance(answer, Declined) else Refunded(answer["id"])

    async def _post(self, path: str, key: str, body: Mapping[str, Any]) -> dict[str, Any] | Declined:
        return await self.post(path, key, json.dumps(body).encode())


def _understood(answer: Answer) -> dict[str, Any] | Declined:
    """What the answer means: its status decides first, then the error's type."""
    body, error = opened(answer)
    kind, code = error.get("type"), error.get("code", "")
    if answer.status < 300:
        return body
    if answer.status == 429 or kind == "in_progress":
        raise Busy(f"HTTP {answer.status} {code}", answer.again_in)
    if kind == "declined":
        return Declined(code)
    raise ProviderMisused(f"HTTP {answer.status} {code}")

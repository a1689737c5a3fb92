"""Proofs puts the token into a mail as it leaves: no event, log line or view holds it, it follows from our secret."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from schemas.ticket import Purpose, mailed
from workers.channel import PLAIN, Delivered, Mailer, Manner, Refused

PROVING: dict[str, Purpose] = {"verify_email": "verification", "password_reset": "reset"}
"""Templates with a token, and what it is for."""


class Proving:
    """A mailer that fills in the token of those mails that have one."""

    def __init__(self, mailer: Mailer, secret: str) -> None:
        self._mailer, self._secret = mailer, secret

    async def deliver(
        self,
        notification_id: UUID | str,
        channel: str,
        recipient: str,
        template: str,
        params: Mapping[str, Any],
        manner: Manner = PLAIN,
    ) -> Delivered | Refused:
        """As Mailer.deliver."""
        if (purpose := PROVING.get(template)) is not None and (said := proof_of(params)) is not None:
            params = {**params, "token": mailed(purpose, *said, self._secret)}
        return await self._mailer.deliver(notification_id, channel, recipient, template, params, manner)

    async def aclose(self) -> None:
        """As Mailer.aclose."""
        await self._mailer.aclose()


def proof_of(params: Mapping[str, Any]) -> tuple[str, str, str] | None:
    """User, proof and nonce that a token follows from; None where one of them is missing."""
    try:
        UUID(params["user_id"]), UUID(params["proof_id"])
        return params["user_id"], params["proof_id"], params["nonce"]
    except (KeyError, ValueError, AttributeError, TypeError):
        return None

"""Fcm takes a push to a phone by Firebase's HTTP v1 API, under a token that a service account's signature buys.

It knows no idempotency key; a repeat replaces the first on the device, where both are shown under one tag.
"""

import asyncio
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import jwt

from projections.wording import WordingError, Words, words
from workers.channel import PLAIN, Delivered, MailUnavailable, Manner, Refused
from workers.outside import Answer, Outside

SCOPE = "https://www.googleapis.com/auth/firebase.messaging"
GRANT = "urn:ietf:params:oauth:grant-type:jwt-bearer"
LIFETIME = 3600
EARLY = 60.0
"""Seconds before its end at which a token is no longer used."""
OUR_FAULT = (401, 403)


@dataclass(frozen=True, slots=True, repr=False)
class ServiceAccount:
    """What Google's key file says; its key is shown nowhere."""

    project_id: str
    client_email: str
    private_key_id: str
    private_key: str
    token_uri: str

    @classmethod
    def read(cls, file: Mapping[str, Any]) -> "ServiceAccount":
        """The parts of a key file that are needed.

        Raises:
            ValueError: one is missing; the message names it.
        """
        names = cls.__slots__
        if missing := [name for name in names if not isinstance(file.get(name), str) or not file[name]]:
            raise ValueError(f"the service account's key file has no {missing[0]}")
        return cls(**{name: file[name] for name in names})


class FcmChannel:
    """Push by `POST /v1/projects/{project}/messages:send`; the recipient is a registration token."""

    def __init__(
        self,
        account: ServiceAccount,
        *,
        base_url: str = "https://fcm.googleapis.com",
        outside: Outside | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._account, self._clock = account, clock
        self._url = f"{base_url.rstrip('/')}/v1/projects/{account.project_id}/messages:send"
        self._outside = outside or Outside("fcm")
        self._token, self._until = "", 0.0
        self._buying = asyncio.Lock()

    async def deliver(
        self,
        notification_id: UUID | str,
        recipient: str,
        template: str,
        params: Mapping[str, Any],
        manner: Manner = PLAIN,
    ) -> Delivered | Refused:
        """Hand one push over; a token that is taken for none is bought anew, once."""
        try:
            said = words(template, "push", manner.locale, params)
        except WordingError as error:
            return Refused(str(error))
        body = {"message": _message(str(notification_id), recipient, said, params)}
        token = await self._bought("")
        answer = await self._send(token, body)
        if answer.status == 401:
            answer = await self._send(await self._bought(token), body)
        return _understood(answer)

    async def aclose(self) -> None:
        """Let connections go."""
        await self._outside.aclose()

    async def _send(self, token: str, body: dict[str, Any]) -> Answer:
        return await self._outside.post(self._url, headers={"Authorization": f"Bearer {token}"}, json=body)

    async def _bought(self, refused: str) -> str:
        """The token in use, or a new one if it is old or the one that was refused; many at once buy one."""
        async with self._buying:
            if self._token in ("", refused) or self._clock() >= self._until - EARLY:
                self._token, self._until = await self._buy()
            return self._token

    async def _buy(self) -> tuple[str, float]:
        account, now = self._account, int(self._clock())
        claims = {
            "iss": account.client_email,
            "scope": SCOPE,
            "aud": account.token_uri,
            "iat": now,
            "exp": now + LIFETIME,
        }
        signed = jwt.encode(claims, account.private_key, "RS256", {"kid": account.private_key_id})
        answer = await self._outside.post(account.token_uri, form={"grant_type": GRANT, "assertion": signed})
        token, lives = answer.body.get("access_token"), answer.body.get("expires_in")
        if answer.status != 200 or not isinstance(token, str) or not isinstance(lives, int):
            raise MailUnavailable(f"fcm: no token: HTTP {answer.status} {answer.body.get('error', '')}".strip())
        return token, now + lives


def _message(notification_id: str, recipient: str, said: Words, params: Mapping[str, Any]) -> dict[str, Any]:
    """The same tag on all platforms, so that a repeat replaces the first."""
    data = {"notification_id": notification_id}
    if "order_id" in params:
        data["order_id"] = str(params["order_id"])
    return {
        "token": recipient,
        "notification": {"title": said.subject, "body": said.text},
        "data": data,
        "android": {"notification": {"tag": notification_id}},
        "apns": {"headers": {"apns-collapse-id": notification_id}},
    }


def _understood(answer: Answer) -> Delivered | Refused:
    """A no is for the message's address or form, unless it is about our keys or our quota."""
    if answer.status < 300 and (name := str(answer.body.get("name", ""))):
        return Delivered(name)
    error = answer.body.get("error")
    error = error if isinstance(error, dict) else {}
    details = [each for each in error.get("details", []) if isinstance(each, dict)]
    code = next((each["errorCode"] for each in details if "errorCode" in each), error.get("status", ""))
    if code == "UNREGISTERED":
        return Refused("fcm: UNREGISTERED", gone=True)
    if code == "SENDER_ID_MISMATCH":
        return Refused("fcm: SENDER_ID_MISMATCH", gone=True)
    if answer.status in OUR_FAULT or answer.status < 400:
        raise MailUnavailable(f"fcm: HTTP {answer.status} {code}".strip())
    return Refused(f"fcm: HTTP {answer.status} {code}".strip())

"""WebPush takes a push to a browser: encrypted for it alone (RFC 8291), signed with our key (RFC 8292).

A push service knows no idempotency key; of several with one topic that wait for a browser it keeps the last (RFC 8030).
"""

import json
import time
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

from py_vapid import Vapid02
from pywebpush import WebPusher, WebPushException

from projections.wording import WordingError, words
from schemas.words import written
from workers.channel import PLAIN, Delivered, MailUnavailable, Manner, Refused
from workers.outside import Answer, Outside

KEPT = 24 * 3600
"""Seconds that a push service keeps what a browser does not fetch."""
LIFETIME = 12 * 3600
"""Seconds that a signature counts; 24 hours are the most allowed."""
SERVICES = (
    "fcm.googleapis.com",
    ".push.services.mozilla.com",
    ".notify.windows.com",
    ".push.apple.com",
)
"""Who runs push services: an address is the client's word, and we must not be made to call just anybody.

One that begins with a dot stands for all below it.
"""


class WebPushChannel:
    """Web Push; the recipient is a subscription as JSON. `services` are the hosts that may be called."""

    def __init__(
        self,
        key: Vapid02,
        subject: str,
        *,
        services: tuple[str, ...] = SERVICES,
        outside: Callable[[str], Outside] = Outside,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._key, self._subject, self._services, self._clock = key, subject, services, clock
        self._outside, self._made = outside, dict[str, Outside]()

    async def deliver(
        self,
        notification_id: UUID | str,
        recipient: str,
        template: str,
        params: Mapping[str, Any],
        manner: Manner = PLAIN,
    ) -> Delivered | Refused:
        """Hand one push over."""
        try:
            said = words(template, "push", manner.locale, params)
        except WordingError as error:
            return Refused(str(error))
        shown = {"title": said.subject, "body": said.text, "tag": str(notification_id)}
        try:
            subscription = json.loads(recipient)
            endpoint = str(subscription["endpoint"])
            sealed = bytes(WebPusher(subscription).encode(json.dumps(shown).encode())["body"])
        except (ValueError, KeyError, TypeError, IndexError, WebPushException):
            return Refused("web push: the subscription is none")
        if (origin := origin_of(endpoint, self._services)) is None:
            return Refused("web push: nobody that we know runs this push service")
        headers = {
            **self._signed(origin),
            "Content-Type": "application/octet-stream",
            "Content-Encoding": "aes128gcm",
            "TTL": str(KEPT),
            "Topic": written(UUID(str(notification_id)).bytes),
        }
        # A breaker for each service: a subscription that is dead on purpose must not shut the others out.
        service = self._made.get(origin) or self._made.setdefault(origin, self._outside(f"web push to {origin}"))
        return _understood(await service.post(endpoint, headers=headers, content=sealed))

    async def aclose(self) -> None:
        """Let connections go."""
        while self._made:
            await self._made.popitem()[1].aclose()

    def _signed(self, origin: str) -> dict[str, str]:
        claims = {"aud": origin, "sub": self._subject, "exp": int(self._clock()) + LIFETIME}
        return dict(self._key.sign(claims))


def key_of(pem: bytes) -> Vapid02:
    """Our key.

    Raises:
        ValueError: it is none.
    """
    try:
        return Vapid02.from_pem(pem)
    except Exception as error:
        raise ValueError(f"the VAPID key is no EC key in PEM: {type(error).__name__}") from error


def origin_of(endpoint: str, services: tuple[str, ...]) -> str | None:
    """The origin of a subscription's endpoint, if one of these services has it; plain HTTP only on this machine."""
    try:
        url = urlsplit(endpoint)
        host, port, plain = url.hostname or "", url.port, url.username is not None or url.password is not None
    except ValueError:
        return None
    ours = any(host == name or (name.startswith(".") and host.endswith(name)) for name in services)
    if not ours or plain or url.scheme not in ("https", "http") or (url.scheme == "http" and host != "127.0.0.1"):
        return None
    return f"{url.scheme}://{host}:{port}" if port else f"{url.scheme}://{host}"


def _understood(answer: Answer) -> Delivered | Refused:
    """201 is yes; 404 and 410 say that the browser has left; 401 and 403 are about our key."""
    match answer.status:
        case 200 | 201 | 202:
            return Delivered("")
        case 404 | 410:
            return Refused(f"web push: HTTP {answer.status}, the subscription is over", gone=True)
        case 401 | 403:
            raise MailUnavailable(f"web push: HTTP {answer.status}")
        case _:
            return Refused(f"web push: HTTP {answer.status}")

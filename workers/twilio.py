"""Twilio takes an SMS over its HTTP API, and reports later whether it arrived (api/reports.py).

It knows no idempotency key: a message whose answer was lost is asked for again, and may come twice.
"""

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote
from uuid import UUID

from projections.wording import WordingError, words
from schemas.links import report_url
from workers.channel import PLAIN, Delivered, MailUnavailable, Manner, Refused
from workers.outside import Outside

LONGEST = 1600
"""Characters that Twilio takes."""
OUR_FAULT = (401, 403)
"""Wrong keys, a closed account: nothing is wrong with the message, and somebody has to mend it."""
STOPPED = 21610
"""The person has answered STOP to our number."""


class TwilioChannel:
    """SMS by `POST /2010-04-01/Accounts/{account}/Messages.json`; reports go to `public_url`, if there is one."""

    def __init__(
        self,
        account: str,
        token: str,
        sender: str,
        *,
        base_url: str = "https://api.twilio.com",
        public_url: str = "",
        outside: Outside | None = None,
    ) -> None:
        self._auth, self._sender, self._public = (account, token), sender, public_url
        self._url = f"{base_url.rstrip('/')}/2010-04-01/Accounts/{quote(account, safe='')}/Messages.json"
        self._outside = outside or Outside("twilio")

    async def deliver(
        self,
        notification_id: UUID | str,
        recipient: str,
        template: str,
        params: Mapping[str, Any],
        manner: Manner = PLAIN,
    ) -> Delivered | Refused:
        """Hand one SMS over."""
        try:
            said = words(template, "sms", manner.locale, params)
        except WordingError as error:
            return Refused(str(error))
        # A messaging service is a pool of numbers; its id begins with MG.
        origin = "MessagingServiceSid" if self._sender.startswith("MG") else "From"
        form = {"To": recipient, origin: self._sender, "Body": said.text[:LONGEST]}
        if self._public:
            form["StatusCallback"] = report_url(self._public, str(notification_id))
        answer = await self._outside.post(self._url, form=form, auth=self._auth)
        if answer.status < 300 and (reference := str(answer.body.get("sid", ""))):
            return Delivered(reference)
        code = answer.body.get("code", "")
        if answer.status in OUR_FAULT or answer.status < 400:
            raise MailUnavailable(f"twilio: HTTP {answer.status} {code}".strip())
        return Refused(f"twilio: {code} {answer.body.get('message', '')}".strip(), gone=code == STOPPED)

    async def aclose(self) -> None:
        """Let connections go."""
        await self._outside.aclose()

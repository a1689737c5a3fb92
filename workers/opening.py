"""Opening reads sealed texts for a mail as it leaves; to who has been erased, nothing is sent any more.

What a mail server answers may name the recipient, and is recorded: so what was opened is taken out of it again.
"""

import re
from collections.abc import Awaitable, Callable, Mapping
from typing import Any
from uuid import UUID

from projections.person_keys import KeyMissing
from projections.postgres import DatabaseUnavailable
from schemas.mark import ERASED, person_of
from workers.channel import PLAIN, Delivered, Mailer, MailUnavailable, Manner, Refused

Open = Callable[[str], Awaitable[str]]
"""What a sealed text says."""
HIDDEN = "…"
SHORTEST = 3
"""Characters of a mailbox's name that is taken out of a text: shorter ones would be found in other words."""


class Opening:
    """A mailer that opens what is sealed, just before it leaves."""

    def __init__(self, mailer: Mailer, opened: Open) -> None:
        self._mailer, self._opened = mailer, opened

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
        said: set[str] = set()
        try:
            to, filled = await self._read(recipient, said), await self._read(dict(params), said)
        except (DatabaseUnavailable, KeyMissing) as error:
            raise MailUnavailable(f"what is sealed cannot be opened now: {error}") from error
        if to == ERASED != recipient:
            return Refused("the recipient has been erased")
        try:
            answer = await self._mailer.deliver(notification_id, channel, to, template, filled, manner)
        except MailUnavailable as error:
            raise MailUnavailable(_without(said, str(error))) from None
        return Refused(_without(said, answer.reason), answer.gone) if isinstance(answer, Refused) else answer

    async def aclose(self) -> None:
        """As Mailer.aclose."""
        await self._mailer.aclose()

    async def _read(self, value: Any, said: set[str]) -> Any:
        """The value with what is sealed in it opened, and noted in `said`."""
        match value:
            case str() if person_of(value) is not None:
                text = await self._opened(value)
                said.add(text)
                return text
            case dict():
                return {name: await self._read(part, said) for name, part in value.items()}
            case list() | tuple():
                return [await self._read(part, said) for part in value]
            case _:
                return value


def _without(said: set[str], text: str) -> str:
    """The text without what was opened, nor what stands before the @ of an address: servers say that alone, too."""
    mailboxes = {name for secret in said if len(name := secret.partition("@")[0]) >= SHORTEST and "@" in secret}
    for secret in sorted(filter(None, said | mailboxes), key=len, reverse=True):
        text = re.sub(re.escape(secret), HIDDEN, text, flags=re.IGNORECASE)
    return text

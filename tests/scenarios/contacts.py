"""Contacts are how customers are reached as the log has it, and phones are what comes to their numbers."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from events.notification import ContactEvent
from projections.contact import ContactView, project
from projections.wording import words
from schemas.notification import DropDevice, RecordBounce
from tests.scenarios.chronicle import Chronicle
from workers.channel import PLAIN, Delivered, Manner, Refused


class Contacts:
    """Folds what the chronicle has heard, as the read model does; a test waits until a word is heard."""

    def __init__(self, chronicle: Callable[[], Chronicle]) -> None:
        self._chronicle = chronicle

    async def of(self, customer_id: str) -> ContactView | None:
        """As Contacts.of."""
        view: ContactView | None = None
        for told in list(self._chronicle().told):
            if isinstance(told.event, ContactEvent) and told.event.customer_id == customer_id:
                view = project(view, told.event, datetime.fromisoformat(told.envelope.time))
        return view

    async def tell(self, command: DropDevice | RecordBounce, cause: str) -> None:
        """As Contacts.tell; no address is gone here."""
        raise AssertionError(f"{command} because of {cause}")


class Phones:
    """The twin of an SMS channel: what came to each number, each message once."""

    def __init__(self) -> None:
        self.texts: dict[tuple[str, str], str] = {}

    async def deliver(
        self,
        notification_id: UUID | str,
        recipient: str,
        template: str,
        params: Mapping[str, Any],
        manner: Manner = PLAIN,
    ) -> Delivered | Refused:
        """As Channel.deliver."""
        self.texts[recipient, str(notification_id)] = words(template, "sms", manner.locale, params).text
        return Delivered(f"sms-{notification_id}")

    def to(self, number: str) -> list[str]:
        """What came, in the order of its coming."""
        return [text for (recipient, _), text in self.texts.items() if recipient == number]

    async def aclose(self) -> None:
        """Nothing to let go."""

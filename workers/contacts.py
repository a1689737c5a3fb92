"""Contacts are where the effects look up how a customer is reached, as a port; the adapter: contact_book.py."""

from typing import Protocol

from projections.contact import ContactView
from schemas.notification import DropDevice, RecordBounce


class Contacts(Protocol):
    """Who is reached how."""

    async def of(self, customer_id: str) -> ContactView | None:
        """What the customer has said; None if nothing.

        Raises:
            MailUnavailable: nobody knows, now.
        """

    async def tell(self, command: DropDevice | RecordBounce, cause: str) -> None:
        """Have noted what a provider says of an address: it is gone. The same cause again changes nothing.

        Raises:
            LogError: nobody knows whether it was written.
        """


class Nobody:
    """No customer has said anything."""

    async def of(self, customer_id: str) -> ContactView | None:
        """As Contacts.of."""
        return None

    async def tell(self, command: DropDevice | RecordBounce, cause: str) -> None:
        """As Contacts.tell."""


NOBODY = Nobody()

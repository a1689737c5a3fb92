"""Contacts are where the effects look up how a customer is reached, as a port; the adapter: contact_book.py."""

from typing import Protocol

from projections.contact import ContactView
from schemas.notification import DropDevice


class Contacts(Protocol):
    """Who is reached how."""

    async def of(self, customer_id: str) -> ContactView | None:
        """What the customer has said; None if nothing.

        Raises:
            MailUnavailable: nobody knows, now.
        """

    async def drop(self, command: DropDevice, cause: str) -> None:
        """Have a device forgotten that a provider says is gone; the same cause again changes nothing.

        Raises:
            LogError: nobody knows whether it was written.
        """


class Nobody:
    """No customer has said anything."""

    async def of(self, customer_id: str) -> ContactView | None:
        """As Contacts.of."""
        return None

    async def drop(self, command: DropDevice, cause: str) -> None:
        """As Contacts.drop."""


NOBODY = Nobody()

"""ContactBook is how customers are reached as the context's own read model has it, as of now."""

from typing import Any

import msgspec

from events.ids import derive
from events.log import Log
from projections.contact import ONE, ContactView
from projections.postgres import Database, DatabaseUnavailable
from schemas.notification import DropDevice, RecordBounce
from workers.channel import MailUnavailable
from workers.reactor import ask


class ContactBook:
    """The contacts of one database."""

    def __init__(self, database: Database, log: Log) -> None:
        self._database, self._log = database, log

    async def of(self, customer_id: str) -> ContactView | None:
        """As Contacts.of."""
        try:
            rows = await self._database.fetch(ONE, {"customer_id": customer_id})
        except DatabaseUnavailable as down:
            raise MailUnavailable("how the customer is reached cannot be looked up") from down
        return view_of(rows[0]) if rows else None

    async def tell(self, command: DropDevice | RecordBounce, cause: str) -> None:
        """As Contacts.tell. The contact may live in a partition that is another process's, so it goes by the topic."""
        await ask(self._log, "notification", command, derive(cause, command.tag), cause)


def view_of(row: dict[str, Any]) -> ContactView:
    """A row as the view that it is of."""
    return msgspec.convert({name: row[name] for name in ContactView.__struct_fields__}, ContactView)

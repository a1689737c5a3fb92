"""Persons says whose what a command tells is, and whether orders of theirs are under way; and seals what it tells."""

from typing import Any

import msgspec
from starlette.requests import Request

from api.owners import owner_of
from api.problems import Problem
from api.system import PATIENCE, System, in_time, of
from events.ids import derive
from projections.order import OPEN, UNDER_WAY
from projections.person_keys import Erased
from projections.user import ACTIVE
from schemas.mark import person_of
from schemas.personal import tells
from schemas.sealing import PersonKey
from schemas.values import Command

ADDRESSES = "@addresses"
"""Whose key stands for e-mail addresses where accounts are looked up: nobody can be called so."""
_COME_AGAIN = (
    "The read model does not have the order (yet): come again with the Log-Position of the answer that accepted it."
)
_NOTHING_MORE = (
    "This person has been erased: nothing more is recorded of them. What need not be told, such as a reason, can be "
    "left out, and the rest asked for."
)
IN_ONE = 4
"""Accounts of one address, one after the other's erasure, that are asked for at once."""


async def sealed(request: Request, command: Command) -> Command:
    """The command as it may be recorded.

    Raises:
        Problem: 404, if it is about an order that the read model does not have; 410, if the person has been erased.
    """
    system = of(request)
    if not (system.settings.seal and tells(command)):
        return command
    try:
        return await system.sealed(command, command.person or await _customer(request, command))
    except Erased:
        raise Problem("PersonErased", _NOTHING_MORE) from None


async def _customer(request: Request, command: Command) -> str:
    _, _, order_id = command.stream.partition("-")
    owner = await owner_of(request, order_id)
    if owner is None:
        raise Problem("NotFound", _COME_AGAIN)
    return owner


class Account(msgspec.Struct, frozen=True):
    """Whose account an address opens; `key` is theirs, if they have one."""

    user_id: str
    key: PersonKey | None = None

    def opened(self, text: str) -> str:
        """What is sealed for them; nothing, where it does not open."""
        return self.key.open(text) if self.key and person_of(text) else text


async def account_of(system: System, email: str) -> Account:
    """Whose account the address is: the id follows from the address and a key, so that no record tells the address.

    Who comes again after an erasure is somebody new. Accounts of before the ids were keyed keep theirs. Whatever is
    found, the same is asked.
    """
    index = await in_time(system.keys.key(ADDRESSES), PATIENCE)
    old = derive("user", email.lower())
    first = 0
    while True:
        ids = [derive(index.digest(f"{n}/{email.lower()}"), "user") for n in range(first, first + IN_ONE)]
        secrets = await in_time(system.keys.source.fetch([old, *ids], False), PATIENCE)
        rows = await system.rows("user", ACTIVE, {"user_ids": [old]})
        found = [user_id for user_id in ids if secrets.get(user_id, b"") is not None]
        if rows or found:
            user_id = old if rows else found[0]
            secret = secrets.get(user_id)
            return Account(user_id, PersonKey(user_id, secret) if secret else None)
        first += IN_ONE


async def refuse_with_open_orders(request: Request, customer_id: str) -> None:
    """A parcel needs its address: nobody is erased before the last of their orders is shipped or off.

    Raises:
        Problem: 409; 503 and 404 as `owner_of`.
    """
    system = of(request)
    if "order" in system.contexts:
        rows = await system.rows("order", OPEN, {"customer_id": customer_id})
    else:
        found = [await _asked(request, f"/orders?customer_id={customer_id}&status={status}") for status in UNDER_WAY]
        rows = [row for items in found for row in items]
    if rows:
        raise Problem("OrdersOpen", order_ids=[row["order_id"] for row in rows[:10]])


async def _asked(request: Request, target: str) -> list[dict[str, Any]]:
    way = request.app.state.ways.get("order")
    if way is None:
        raise Problem("NotServedHere", "What orders there are the order context knows; ORDERLOG_WAYS says where it is.")
    headers = [(name, value) for name, value in request.headers.raw if name == b"authorization"]
    headers.append((b"x-request-id", request.scope["request_id"].encode()))
    async with way.asked("GET", target, headers) as answer:
        if answer.status_code != 200:
            raise Problem("ContextUnavailable", f"The order context answered {answer.status_code}.")
        items: list[dict[str, Any]] = msgspec.json.decode(await answer.aread())["items"]
        return items

"""Orders over HTTP: place, cancel, ship, deliver; one order, its history, and lists by customer and status."""

from collections.abc import Sequence
from functools import partial
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Path, Query, Request, Response
from pydantic import Field

from aggregates.order import Status
from api.access import among_staff, only_of, principal_of, refuse_foreign_order, shown
from api.answers import Paged, before, history, paged, reply
from api.asking import asked
from api.bodies import body_of, read
from api.commands import sent, submit
from api.openapi import gives, lists, pages, takes
from api.problems import Problem
from api.resources import AsOf, one
from api.system import of
from projections.order import PAGE
from projections.registry import HISTORY
from schemas.order import (
    AddNote,
    AmendOrder,
    Asked,
    CancelLine,
    CancelOrder,
    ChangeAddress,
    DeliverOrder,
    OrderLine,
    PlaceOrder,
    ReceiveReturn,
    RequestReturn,
    ShipOrder,
)
from schemas.values import CustomerId, OrderId, Sku, Uuid

router = APIRouter(tags=["orders"])

Id = Annotated[OrderId, Path()]


class OneOrder(AsOf):
    """As it was; or wait until it is confirmed, rejected or cancelled, `timeout` seconds at most."""

    wait_for: Literal["settled"] | None = None
    timeout: float = Field(10, ge=0, le=30)


class Orders(Paged):
    """Which orders."""

    customer_id: CustomerId | None = None
    status: Status | None = None


@router.post("/orders", **takes(PlaceOrder, optional=("order_id",), view="OrderView"))
async def place_order(request: Request) -> Response:
    """Order these lines; every SKU must be on sale."""
    ask = asked(request)
    fields = dict(await read(request, body_of(PlaceOrder, optional=("order_id",))))
    refuse_foreign_order(request, fields["customer_id"], fields["order_id"])
    order_id = fields.pop("order_id") or ask.derived("order")
    command = PlaceOrder(order_id=order_id, **fields)

    return await sent(request, ask, command, creates=True, check=partial(_refuse_unknown, request, command.lines))


@router.post("/orders/{order_id}/cancel", **takes(CancelOrder, "order_id", "by", view="OrderView"))
async def cancel_order(request: Request, order_id: Id) -> Response:
    """Call the order off; possible until it is shipped."""
    return await submit(request, CancelOrder, order_id=order_id, by=_by(request))


@router.post(
    "/orders/{order_id}/lines/{sku}/cancel",
    **takes(CancelLine, "order_id", "sku", "cancellation_id", "by", view="OrderView"),
)
async def cancel_line(request: Request, order_id: Id, sku: Annotated[Sku, Path()]) -> Response:
    """Call off so many of one SKU, or all that have not left the house; what is paid for them already is given back."""
    return await _named(request, CancelLine, "cancellation_id", order_id=order_id, sku=sku)


@router.post("/orders/{order_id}/ship", **takes(ShipOrder, "order_id", "shipment_id", "by", view="OrderView"))
async def ship_order(request: Request, order_id: Id) -> Response:
    """Hand these items to the carrier, or all that are left."""
    return await _named(request, ShipOrder, "shipment_id", order_id=order_id)


@router.post("/orders/{order_id}/deliver", **takes(DeliverOrder, "order_id", "by", view="OrderView"))
async def deliver_order(request: Request, order_id: Id) -> Response:
    """Record that a shipment has arrived, or all that are under way."""
    return await submit(request, DeliverOrder, order_id=order_id, by=_by(request))


@router.post("/orders/{order_id}/returns", **takes(RequestReturn, "order_id", "return_id", "by", view="OrderView"))
async def request_return(request: Request, order_id: Id) -> Response:
    """Announce that items come back; the order's `returns` tell the return's id."""
    return await _named(request, RequestReturn, "return_id", order_id=order_id)


@router.post(
    "/orders/{order_id}/returns/{return_id}/receive",
    **takes(ReceiveReturn, "order_id", "return_id", "by", view="OrderView"),
)
async def receive_return(request: Request, order_id: Id, return_id: Annotated[Uuid, Path()]) -> Response:
    """Say what came back and what is to become of it; what is accepted is given back."""
    return await submit(request, ReceiveReturn, order_id=order_id, return_id=return_id, by=_by(request))


@router.post("/orders/{order_id}/address", **takes(ChangeAddress, "order_id", "by", view="OrderView"))
async def change_address(request: Request, order_id: Id) -> Response:
    """Send the order elsewhere; possible until something has been shipped."""
    return await submit(request, ChangeAddress, order_id=order_id, by=_by(request))


@router.post("/orders/{order_id}/amend", **takes(AmendOrder, "order_id", "amendment_id", "by", view="OrderView"))
async def amend_order(request: Request, order_id: Id) -> Response:
    """Add lines, or change how many of one; possible until the stock of all lines is held, so mostly for a moment."""
    ask, by = asked(request), _by(request)
    body = await read(request, body_of(AmendOrder, "order_id", "amendment_id", "by"))
    command = AmendOrder(order_id=order_id, amendment_id=ask.derived("amendment"), by=by, **dict(body))
    return await sent(request, ask, command, check=partial(_refuse_unknown, request, command.lines))


@router.post("/orders/{order_id}/notes", **takes(AddNote, "order_id", "note_id", "by", view="OrderView"))
async def add_note(request: Request, order_id: Id) -> Response:
    """Write something down about the order."""
    return await _named(request, AddNote, "note_id", order_id=order_id)


@router.get("/orders", **pages("OrderView"))
async def list_orders(request: Request, query: Annotated[Orders, Query()]) -> Response:
    """Orders, the latest first."""
    only = only_of(request)
    if only is not None and query.customer_id not in (None, only):
        return reply({"items": [], "next": None})
    wanted = {"customer_id": query.customer_id or only, "status": query.status and query.status.value}
    parameters = {**wanted, **before(query.cursor), "limit": query.limit + 1}
    rows = [shown(request, row) for row in await of(request).rows("order", PAGE, parameters)]
    return paged(request, rows, query.limit, "placed_at", "order_id")


@router.get("/orders/{order_id}", **gives("OrderView"))
async def get_order(request: Request, order_id: Id, query: Annotated[OneOrder, Query()]) -> Response:
    """One order."""
    if query.wait_for:
        await of(request).settled(order_id, query.timeout)
    return await one(request, f"order-{order_id}", query.as_of)


@router.get("/orders/{order_id}/history", **lists("Happened"))
async def get_history(request: Request, order_id: Id) -> Response:
    """What happened to the order: its recorded events."""
    rows = await of(request).rows("order", HISTORY, {"stream": f"order-{order_id}"})
    if not rows:
        raise Problem("OrderUnknown")
    return reply({"items": history(row for row in rows if only_of(request) is None or not among_staff(row))})


async def _named(request: Request, command: type[Asked], name: str, **known: Any) -> Response:
    """Send a command that names what is to happen once: the id, in the field of this name, follows from the key."""
    ask, by = asked(request), _by(request)
    body = await read(request, body_of(command, name, "by", *known))
    return await sent(request, ask, command(**{name: ask.derived(name)}, by=by, **known, **dict(body)))


async def _refuse_unknown(request: Request, lines: Sequence[OrderLine]) -> None:
    """Whatever is ordered must be on sale, as far as this process can know."""
    if (catalogue := of(request).catalogue) is not None:
        await catalogue.refuse_unknown(lines)


def _by(request: Request) -> str:
    """Who asks: the user that the token names; nobody we know without one."""
    principal = principal_of(request)
    return principal.subject if principal else ""

"""Notifications over HTTP: what was sent to whom, and whether it arrived; to customers, what was sent to them."""

from typing import Annotated
from uuid import uuid4

from fastapi import APIRouter, Path, Query, Request, Response

from api.access import TOLD, only_of
from api.answers import Paged, before, paged, public, reply
from api.openapi import gives, lists, pages
from api.resources import AsOf, one
from api.system import of
from projections.notification import ABOUT, PAGE, WHOSE
from schemas.values import CustomerId, OrderId, Uuid

router = APIRouter(tags=["notifications"])


class Notifications(Paged):
    """Those to one customer."""

    customer_id: CustomerId | None = None


@router.get("/notifications", **pages("NotificationView"))
async def list_notifications(request: Request, query: Annotated[Notifications, Query()]) -> Response:
    """Messages, the latest first."""
    only = only_of(request, TOLD)
    if only is not None and query.customer_id not in (None, only):
        return reply({"items": [], "next": None})
    parameters = {**before(query.cursor), "customer_id": query.customer_id or only, "limit": query.limit + 1}
    rows = await of(request).rows("notification", PAGE, parameters)
    return paged(request, rows, query.limit, "requested_at", "notification_id")


@router.get("/notifications/{notification_id}", **gives("NotificationView"))
async def get_notification(
    request: Request, notification_id: Annotated[Uuid, Path()], query: Annotated[AsOf, Query()]
) -> Response:
    """One message: over which ways it goes, and whether it arrived."""
    shown = await _visible(request, notification_id)
    return await one(request, f"notification-{shown}", query.as_of)


async def _visible(request: Request, notification_id: str) -> str:
    """The id, if the message may be seen; else one that no message has."""
    only = only_of(request, TOLD)
    if only is None:
        return notification_id
    row = await of(request).row("notification", WHOSE, notification_id=notification_id)
    return notification_id if row is not None and row["customer_id"] == only else str(uuid4())


@router.get("/orders/{order_id}/notifications", **lists("NotificationView"))
async def list_about_order(request: Request, order_id: Annotated[OrderId, Path()]) -> Response:
    """Messages about one order, the earliest first."""
    rows = await of(request).rows("notification", ABOUT, {"about": f"order-{order_id}"})
    return reply({"items": [public(row) for row in rows]})

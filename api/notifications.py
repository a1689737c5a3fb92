"""Notifications over HTTP: what was sent to whom, and whether it arrived."""

from typing import Annotated

from fastapi import APIRouter, Path, Query, Request, Response

from api.answers import Paged, before, paged, public, reply
from api.openapi import gives
from api.resources import AsOf, load_as_of
from api.system import of
from projections.notification import ABOUT, PAGE
from schemas.values import CustomerId, OrderId, Uuid

router = APIRouter(tags=["notifications"])


class Notifications(Paged):
    """Those to one customer."""

    customer_id: CustomerId | None = None


@router.get("/notifications")
async def list_notifications(request: Request, query: Annotated[Notifications, Query()]) -> Response:
    """Messages, the latest first."""
    parameters = {**before(query.cursor), "customer_id": query.customer_id, "limit": query.limit + 1}
    rows = await of(request).rows("notification", PAGE, parameters)
    return paged(request, rows, query.limit, "requested_at", "notification_id")


@router.get("/notifications/{notification_id}", **gives("NotificationView"))
async def get_notification(
    request: Request, notification_id: Annotated[Uuid, Path()], query: Annotated[AsOf, Query()]
) -> Response:
    """One message: over which ways it goes, and whether it arrived."""
    return reply(await load_as_of(of(request), f"notification-{notification_id}", query.as_of))


@router.get("/orders/{order_id}/notifications")
async def list_about_order(request: Request, order_id: Annotated[OrderId, Path()]) -> Response:
    """Messages about one order, the earliest first."""
    rows = await of(request).rows("notification", ABOUT, {"about": f"order-{order_id}"})
    return reply({"items": [public(row) for row in rows]})

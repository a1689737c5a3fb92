"""Notifications over HTTP: what was sent to whom, and whether it arrived."""

from typing import Annotated

from fastapi import APIRouter, Path, Query, Request, Response

from api.answers import Paged, before, paged, public, reply
from api.openapi import lists, pages
from api.system import of
from projections.notification import ABOUT, PAGE
from schemas.values import OrderId

router = APIRouter(tags=["notifications"])


@router.get("/notifications", **pages("NotificationView"))
async def list_notifications(request: Request, query: Annotated[Paged, Query()]) -> Response:
    """Messages, the latest first."""
    parameters = {**before(query.cursor), "limit": query.limit + 1}
    rows = await of(request).rows("notification", PAGE, parameters)
    return paged(request, rows, query.limit, "requested_at", "notification_id")


@router.get("/orders/{order_id}/notifications", **lists("NotificationView"))
async def list_about_order(request: Request, order_id: Annotated[OrderId, Path()]) -> Response:
    """Messages about one order, the earliest first."""
    rows = await of(request).rows("notification", ABOUT, {"about": f"order-{order_id}"})
    return reply({"items": [public(row) for row in rows]})

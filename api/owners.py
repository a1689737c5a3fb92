"""Owners says whose an order is, wherever the order context runs."""

import re
from typing import Any

import msgspec
from starlette.requests import Request

from api.problems import Problem
from api.system import of
from projections.order import CUSTOMER

_PASSED_ON = (b"authorization", b"log-position")
_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


async def owner_of(request: Request, order_id: str) -> str | None:
    """The customer of the order; None if there is none, or, asked over HTTP, none that the token may see.

    Raises:
        Problem: 503, when the order context gives no answer; 404, when nobody knows where it is.
    """
    if not _UUID.fullmatch(order_id):
        return None
    system = of(request)
    if "order" in system.contexts:
        row = await system.row("order", CUSTOMER, order_id=order_id)
        return row["customer_id"] if row else None
    way = request.app.state.ways.get("order")
    if way is None:
        raise Problem("NotServedHere", "Whose an order is the order context knows; ORDERLOG_WAYS says where that is.")
    headers = [(name, value) for name, value in request.headers.raw if name in _PASSED_ON]
    if after := request.query_params.get("after"):
        headers.append((b"log-position", after.encode()))
    headers.append((b"x-request-id", request.scope["request_id"].encode()))
    async with way.asked("GET", f"/orders/{order_id}", headers) as answer:
        if answer.status_code == 200:
            found: dict[str, Any] = msgspec.json.decode(await answer.aread())
            return str(found["customer_id"])
        if answer.status_code == 404:
            return None
        raise Problem("ContextUnavailable", f"The order context answered {answer.status_code}.")

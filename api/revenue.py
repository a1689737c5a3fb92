"""Revenue over HTTP: what was sold by day and department, composed of what two contexts know.

The order context knows what was sold, the product context which department it belongs to: each is asked its part.
"""

import re
from datetime import UTC, date, datetime
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response
from pydantic import BeforeValidator, Field

from api.answers import Strict, reply
from api.openapi import lists
from api.problems import Problem, field_error, invalid
from api.system import System, of
from projections.product import DEPARTMENTS
from projections.revenue import SKUS, report

router = APIRouter(tags=["revenue"])

USUAL, MOST = 30, 366
"""Days that are reported on if none are named, and at most."""


def _written(value: Any) -> Any:
    """Numbers make dates too, but nobody means them."""
    if not re.fullmatch(r"\d{4}-\d{2}-\d{2}", str(value)):
        raise ValueError("is not a day, such as 2026-11-27")
    return value


Day = Annotated[date, BeforeValidator(_written)]


class Report(Strict):
    """Which days (UTC, both included; without them the last 30), and by what to sum up."""

    first: Day | None = Field(None, alias="from")
    last: Day | None = Field(None, alias="to")
    by: str = Field("day,department", pattern=r"^(day|department|day,department|department,day)$")


@router.get("/revenue", **lists("Revenue"))
async def get_revenue(request: Request, query: Annotated[Report, Query()]) -> Response:
    """What the orders confirmed on these days come to, without those cancelled since, in minor units.

    By `day`, by `department`, or by both; a SKU that the catalogue does not know has the department "".
    """
    first, last = _days(query)
    by, days = query.by.split(","), {"first": first, "last": last}
    known = await _departments(of(request), days) if "department" in by else {"skus": [], "departments": []}
    rows = await of(request).rows("order", report(by), {**days, **known})
    return reply({"from": first, "to": last, "items": rows})


def _days(query: Report) -> tuple[date, date]:
    """The first and the last day.

    Raises:
        Problem: 422, naming the parameter.
    """
    last = query.last or max(datetime.now(UTC).date(), query.first or date.min)
    first = query.first or date.fromordinal(max(1, last.toordinal() - USUAL + 1))
    if first > last:
        raise invalid([field_error(["from"], f"is after {last}, the last day", "from_after_to")])
    if (last - first).days >= MOST:
        raise invalid([field_error(["to"], f"is more than {MOST} days from {first}", "too_many_days")])
    return first, last


async def _departments(system: System, days: dict[str, date]) -> dict[str, list[str]]:
    """The SKUs sold on these days, as far as the catalogue knows them, and beside each its department.

    Raises:
        Problem: this process does not serve the context that knows.
    """
    if "product" not in system.contexts:
        raise Problem(
            "NotServedHere",
            f"Departments are known to product, and this process serves {', '.join(system.contexts)}: ask for by=day "
            "here, or ask a process that serves both.",
        )
    sold = [row["sku"] for row in await system.rows("order", SKUS, days)]
    rows = await system.rows("product", DEPARTMENTS, {"skus": sold})
    return {"skus": [row["sku"] for row in rows], "departments": [row["department"] for row in rows]}

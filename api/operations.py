"""Operations are what those who run the system ask: outcomes and figures; letters.py has what was set aside."""

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Path, Request, Response

from api.access import visible_command
from api.answers import reply
from api.asking import wait_of
from api.openapi import gives
from api.resources import url_of
from api.system import System, of, served
from api.watch import Row
from projections import notification, order, payment, product
from projections.registry import STATISTICS
from schemas.values import Uuid

router = APIRouter(tags=["operations"])

Id = Annotated[Uuid, Path()]

SUMMARY = {
    "orders": ("order", order.BY_STATUS),
    "reasons": ("order", order.BY_REASON),
    "money": ("payment", payment.MONEY),
    "stock": ("product", product.STOCK),
    "messages": ("notification", notification.BY_STATUS),
}
"""Parts of the summary: the context asked, and the question."""


@router.get("/commands/{command_id}", **gives("Outcome"))
async def find_command(request: Request, command_id: Id) -> Response:
    """What became of a command, whichever context it went to; pending if nobody knows (yet)."""
    system = of(request)
    visible = visible_command(request, command_id)
    found = await asyncio.gather(*(system.outcome(context, visible) for context in system.contexts))
    hit = next(((c, row) for c, row in zip(system.contexts, found, strict=True) if row), ("", None))
    return _outcome(command_id, *hit)


@router.get("/commands/{context}/{command_id}", **gives("Outcome"))
async def get_command(request: Request, context: str, command_id: Id) -> Response:
    """What became of a command; with `Prefer: wait=N`, as soon as it is known."""
    visible = visible_command(request, command_id)
    row = await of(request).outcome(served(request, context), visible, wait_of(request))
    return _outcome(command_id, context, row)


@router.get("/summary", **gives("Summary"))
async def get_summary(request: Request) -> Response:
    """How many orders, how much money, stock and post there is."""
    return reply(await summary(of(request)))


@router.get("/statistics", **gives("Statistics"))
async def get_statistics(request: Request) -> Response:
    """What happened per minute, over the last hour."""
    since = datetime.now(UTC) - timedelta(hours=1)
    return reply({"since": since, "items": await everywhere(of(request), STATISTICS, {"since": since})})


async def summary(system: System) -> dict[str, list[Row]]:
    """The parts that this process can answer."""
    parts = {name: asked for name, asked in SUMMARY.items() if asked[0] in system.contexts}
    found = await asyncio.gather(*(system.rows(context, query) for context, query in parts.values()))
    return dict(zip(parts, found, strict=True))


async def everywhere(system: System, query: str, parameters: dict[str, Any]) -> list[Row]:
    """The rows of all contexts that this process serves."""
    found = await asyncio.gather(*(system.rows(context, query, parameters) for context in system.contexts))
    return [row for context, rows in zip(system.contexts, found, strict=True) for row in labelled(context, rows)]


def labelled(context: str, rows: Sequence[Row]) -> list[Row]:
    """Rows with the context that they are from."""
    return [{"context": context, **row} for row in rows]


def _outcome(command_id: str, context: str, row: Row | None) -> Response:
    if row is None:
        return reply({"command_id": command_id, "status": "pending"}, headers={"Retry-After": "1"})
    said = {"command_id": command_id, **{name: row[name] for name in ("status", "code", "detail", "at")}}
    if row["status"] == "parked":
        said["detail"] = ""  # a bug's trace, for those who read the dead letters
    return reply({**said, "context": context, "resource": url_of(row["stream"])})

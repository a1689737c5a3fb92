"""Live is what happens to orders as it happens, told as server-sent events that a client resumes where it was cut."""

import asyncio
import time
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import ExitStack
from typing import Annotated, Any, Protocol

from fastapi import APIRouter, Header, Path, Query, Request, Response
from pydantic import Field

from api import bookmarks
from api.access import among_staff, only_of, principal_of
from api.answers import Strict, history
from api.event_stream import ALIVE, BEAT, EVENTS, EventStream, event, opening
from api.feed import Listener, in_time_order
from api.problems import Problem
from api.system import System, of
from api.watch import Row
from events.topics import PARTITIONS
from projections.following import MISSED, Course, further
from projections.postgres import DatabaseUnavailable
from projections.registry import HISTORY
from schemas.values import CustomerId, OrderId

router = APIRouter(tags=["orders"])

PAGE = 500
"""Events of a customer's past that one question is about."""

Resumed = Annotated[str | None, Header(alias="Last-Event-ID", description="id of the last event that was heard")]
STREAM: dict[str, Any] = {
    "status_code": 200,
    "response_class": EventStream,
    "response_description": "Server-sent events; the schema is of one of them",
}


class Following(Strict):
    """From where, for clients that cannot set Last-Event-ID; and after how many seconds to end, at the latest."""

    last_event_id: str | None = Field(None, max_length=bookmarks.LONGEST)
    timeout: float | None = Field(None, ge=0, le=3600)


class Told(Protocol):
    """One stream, at its place."""

    @property
    def key(self) -> str: ...
    @property
    def place(self) -> str:
        """Up to where it has been told."""

    @property
    def last(self) -> bytes:
        """What it ends with; nothing while there is more to come."""

    def tell(self, row: Row) -> bytes:
        """An event, unless it was told before or is none of the listener's business."""

    def missed(self, system: System) -> AsyncIterator[list[Row]]:
        """What has happened before the listener came, and is to be told."""


class OfOrder:
    """One order's stream: from its first event, or behind one that was heard, until the order is over."""

    def __init__(self, key: str, heard: Sequence[int], all_notes: bool) -> None:
        self.key = key
        self._heard, self._known, self._all_notes = heard[0], 0, all_notes
        self._course = Course()
        self._begun: list[Row] = []

    @property
    def place(self) -> str:
        return bookmarks.write(self.key, self._heard, 0)

    @property
    def last(self) -> bytes:
        said = {"detail": "nothing is to come; the history tells what comes all the same"}
        return event(bookmarks.write(self.key, self._heard, 1), "end", said) if self._course.over else b""

    def begin(self, rows: list[Row]) -> bool:
        """Take the order's history so far; whether there is anything to tell or to wait for."""
        self._begun, course = rows, Course()
        for row in rows:
            course = further(course, row["type"], row["data"])
        return not course.over or rows[-1]["version"] > self._heard

    def tell(self, row: Row) -> bytes:
        version = row["version"]
        if version <= self._known:
            return b""
        self._known, self._course = version, further(self._course, row["type"], row["data"])
        if version <= self._heard:
            return b""
        self._heard = version
        return _told(self.place, row, self._all_notes)

    async def missed(self, _: System) -> AsyncIterator[list[Row]]:
        yield self._begun
        self._begun = []


class OfCustomer:
    """The stream of all orders of a customer: from now on, or behind an event that was heard, for ever."""

    last = b""

    def __init__(self, customer_id: str, heard: Sequence[int] | None, heads: Sequence[int], all_notes: bool) -> None:
        self.key = f"customer-{customer_id}"
        self._customer_id, self._all_notes = customer_id, all_notes
        self._resumed, self._next = heard is not None, list(heard or heads)

    @property
    def place(self) -> str:
        return bookmarks.write(self.key, *self._next)

    def tell(self, row: Row) -> bytes:
        partition, position = row["partition"], row["position"]
        if position < self._next[partition]:
            return b""
        self._next[partition] = position + 1
        return _told(self.place, row, self._all_notes)

    async def missed(self, system: System) -> AsyncIterator[list[Row]]:
        more = self._resumed
        while more:
            asked = {"customer_id": self._customer_id, "froms": list(self._next), "limit": PAGE}
            rows = await system.rows("order", MISSED, asked)
            yield list(in_time_order(rows))
            more = len(rows) == PAGE


@router.get(
    "/orders/{order_id}/live", **STREAM, responses={**EVENTS, 204: {"description": "Over, and all of it was heard"}}
)
async def follow_order(
    request: Request,
    order_id: Annotated[OrderId, Path()],
    query: Annotated[Following, Query()],
    last_event_id: Resumed = None,
) -> Response:
    """What happens to the order, from its first event or behind the last that was heard, until it is over."""
    system, key = of(request), f"order-{order_id}"
    heard = _heard(key, last_event_id or query.last_event_id, 2)
    told = OfOrder(key, heard or (0, 0), only_of(request) is None)
    with ExitStack() as held:
        listener = await _joined(request, key, held)
        rows = await system.rows("order", HISTORY, {"stream": key})
        if not rows:
            raise Problem("OrderUnknown")
        if not told.begin(rows) and heard and heard[1]:
            return Response(status_code=204)  # which tells a browser not to come again
        return EventStream(_blocks(system, told, listener, _ends(request, query)), listener, held.pop_all())


@router.get("/customers/{customer_id}/live", **STREAM, responses=EVENTS)
async def follow_customer(
    request: Request,
    customer_id: Annotated[CustomerId, Path()],
    query: Annotated[Following, Query()],
    last_event_id: Resumed = None,
) -> Response:
    """What happens to all orders of the customer, from now on or behind the last event that was heard."""
    if only_of(request) not in (None, customer_id):
        raise Problem("NotFound")
    system, key = of(request), f"customer-{customer_id}"
    heard = _heard(key, last_event_id or query.last_event_id, PARTITIONS)
    with ExitStack() as held:
        listener = await _joined(request, key, held, together=True)
        told = OfCustomer(customer_id, heard, listener.since, only_of(request) is None)
        return EventStream(_blocks(system, told, listener, _ends(request, query)), listener, held.pop_all())


async def _joined(request: Request, key: str, held: ExitStack, together: bool = False) -> Listener:
    """A listener with a seat; both are let go with what holds them.

    Raises:
        Problem: 429, 503.
    """
    system, principal = of(request), principal_of(request)
    who = principal.subject if principal else ""
    system.seats.take(who)
    held.callback(system.seats.leave, who)
    listener = Listener(key)
    held.callback(system.feed.leave, listener)
    await system.feed.join(listener, together)
    return listener


async def _blocks(system: System, told: Told, listener: Listener, ends: float) -> AsyncGenerator[bytes]:
    """What has been missed, then what comes, until the stream is over, its time is, or the listener was let go."""
    clock = asyncio.get_running_loop().time
    yield opening(told.place)
    try:
        async for rows in told.missed(system):
            yield await _opened(system, told, rows)
        while not told.last and not listener.ended and (left := ends - clock()) > 0:
            rows = await listener.news(min(BEAT, left))
            yield await _opened(system, told, rows) if rows else ALIVE
    except DatabaseUnavailable:
        return  # the client resumes
    if told.last and not listener.ended:
        yield told.last


async def _opened(system: System, told: Told, rows: list[Row]) -> bytes:
    """The events of these rows, with what is sealed in them opened."""
    return await system.opened(b"".join(map(told.tell, rows)))


def _heard(key: str, given: str | None, length: int) -> Sequence[int] | None:
    return bookmarks.read(key, given, length) if given else None


def _ends(request: Request, query: Following) -> float:
    """When the stream ends, by the loop's clock: with the token, or after the time that was asked for."""
    principal = principal_of(request)
    seconds = [query.timeout] if query.timeout is not None else []
    if principal is not None and principal.until is not None:
        seconds.append(principal.until - time.time())
    return asyncio.get_running_loop().time() + min(seconds, default=float("inf"))


def _told(place: str, row: Row, all_notes: bool) -> bytes:
    if not all_notes and among_staff(row):
        return b""
    return event(place, row["type"], history([row])[0])

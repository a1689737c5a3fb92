"""Projections over HTTP: which versions of read models there are, and how far a rebuild is, also as it goes on."""

import asyncio
from collections.abc import AsyncIterator

from fastapi import APIRouter, Request, Response
from fastapi.responses import StreamingResponse
from msgspec import json

from api.answers import reply
from api.event_stream import EVENTS, KIND
from api.openapi import lists
from api.problems import Problem
from api.system import System, in_time, of, served
from events.errors import LogError
from events.log import Place
from events.topics import PARTITIONS, events
from projections.registry import CHECKPOINTS, models
from projections.standing import Standing, standings
from projections.versions import POSITIONS, VERSIONS, Version

router = APIRouter(tags=["operations"])

EVERY_SECONDS = 0.5
"""Between two events of a stream."""
PATIENCE = 1.0
"""Seconds that the log may take to say where it ends."""


@router.get("/projections", **lists("Standing"))
async def list_projections(request: Request) -> Response:
    """Every version of every read model: which is live, how far it is, what it waits for."""
    system = of(request)
    found = await asyncio.gather(*(_standings(system, context) for context in system.contexts))
    return reply({"items": [one for several in found for one in several]})


@router.get("/projections/{context}/{name}", **lists("Standing"))
async def get_projection(request: Request, context: str, name: str) -> Response:
    """The versions of one read model."""
    return reply({"items": await _named(of(request), served(request, context), name)})


@router.get("/projections/{context}/{name}/progress", response_class=StreamingResponse, responses=EVENTS)
async def follow_projection(request: Request, context: str, name: str) -> Response:
    """How far its versions are, as server-sent events, until none is being built any more."""
    system = of(request)
    first = await _named(system, served(request, context), name)
    return StreamingResponse(_progress(system, context, name, first), media_type=KIND)


async def _progress(system: System, context: str, name: str, found: list[Standing]) -> AsyncIterator[bytes]:
    while True:
        built = any(one.state == "building" for one in found)
        yield b"event: %b\ndata: %b\n\n" % (b"progress" if built else b"done", json.encode(found))
        if not built:
            return
        await asyncio.sleep(EVERY_SECONDS)
        found = await _named(system, context, name)


async def _named(system: System, context: str, name: str) -> list[Standing]:
    found = [one for one in await _standings(system, context) if one.name == name]
    if not found:
        there = ", ".join(model.name for model in models(context))
        raise Problem("NotFound", f"{context} has no read model {name[:100]!r}; there are {there}.")
    return found


async def _standings(system: System, context: str) -> list[Standing]:
    places = [Place(events(context), partition) for partition in range(PARTITIONS)]
    versions, apart, marks, heads = await asyncio.gather(
        system.rows(context, VERSIONS),
        system.rows(context, POSITIONS),
        system.rows(context, CHECKPOINTS),
        in_time(_heads(system, places), PATIENCE),
    )
    return standings(
        context,
        models(context),
        [Version(**row) for row in versions],
        {row["partition"]: row["next"] for row in marks},
        apart,
        heads,
    )


async def _heads(system: System, places: list[Place]) -> dict[int, int]:
    """Where each partition ends; nothing is behind a log that does not answer."""
    try:
        return {place.partition: (await system.log.bounds(place))[1] for place in places}
    except LogError:
        return {}

"""Commands are sent here: under an id that makes a retry safe, and answered at once or with their outcome.

The id follows from the Idempotency-Key, the path and who asks, so nobody's key means anything to another; from inside,
a key that is a UUID is the id itself. Without a key it is random. The writer drops an id that it has seen, and the
outcomes in the read model answer for older ones. That the same key came with another payload is not noticed as long as
the aggregate is the same: the first request counts, the second gets the first's outcome. To compare payloads, a second
truth beside the log would have to be kept.
"""

import re
from contextlib import suppress
from typing import Any, NamedTuple
from uuid import uuid4

from starlette.requests import Request
from starlette.responses import Response

from api.access import command_id_of, shown
from api.answers import reply
from api.bodies import body_of, read
from api.lanes import CONTEXT_OF, Unanswered
from api.persons import sealed
from api.problems import Problem
from api.resources import load, url_of
from api.system import of
from api.watch import Row
from events import tracing
from events.errors import Fenced
from events.ids import derive
from projections.postgres import DatabaseUnavailable
from schemas.values import Command

LONGEST_WAIT = 30

_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
_KEY = re.compile(r"[\x20-\x7e]{1,200}")
_WAIT = re.compile(r"(?:^|[,;\s])wait\s*=\s*\"?(\d{1,6})\"?\s*(?:$|[,;])", re.IGNORECASE)
_TRACE = re.compile(r"[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}")


class Asked(NamedTuple):
    """What a request's headers say of its command; `keyed` if it may be a repeat, `wait` in seconds."""

    key: str
    command_id: str
    keyed: bool
    wait: int
    request_id: str
    traceparent: str


def asked(request: Request) -> Asked:
    """Read the headers.

    Raises:
        Problem: 400, if the Idempotency-Key is none.
    """
    headers = request.headers
    keys, trace = headers.getlist("idempotency-key"), headers.get("traceparent", "")
    if len(keys) > 1:
        raise Problem("BadIdempotencyKey", "There are several; one request has one key.")
    key = keys[0].strip('"') if keys else str(uuid4())
    return Asked(
        key=key,
        command_id=_command_id(request, key),
        keyed=bool(keys),
        wait=wait_of(request),
        request_id=request.scope["request_id"],
        traceparent=tracing.here() or (trace if _TRACE.fullmatch(trace) else ""),
    )


def _command_id(request: Request, key: str) -> str:
    if not _KEY.fullmatch(key):
        raise Problem("BadIdempotencyKey")
    if theirs := command_id_of(request, key, request.url.path):
        return theirs
    return key.lower() if _UUID.fullmatch(key) else derive("idempotency", f"{request.url.path}/{key}")


def wait_of(request: Request) -> int:
    """The seconds of `Prefer: wait=N` (RFC 7240), 30 at most; what makes no sense is no preference."""
    found = _WAIT.search(request.headers.get("prefer", ""))
    return min(int(found[1]), LONGEST_WAIT) if found else 0


async def submit(request: Request, command: type[Command], **known: Any) -> Response:
    """Send the command that the body and what is known, such as the path's ids, make."""
    body = await read(request, body_of(command, *known))
    return await sent(request, asked(request), command(**known, **dict(body)))


async def sent(request: Request, ask: Asked, command: Command, creates: bool = False) -> Response:
    """Send a command and answer 202, or with its outcome if the client waits or has sent it before."""
    if answer := await repeated(request, ask, command, creates):
        return answer
    await put(request, ask, command)
    context = CONTEXT_OF[type(command)]
    outcome = await of(request).outcome(context, ask.command_id, ask.wait) if ask.wait else None
    if outcome is not None:
        with suppress(DatabaseUnavailable):  # the command is safe all the same
            return await _answered(request, outcome, command, creates, {"Preference-Applied": f"wait={ask.wait}"})
    return accepted(context, ask.command_id, url_of(command.stream))


async def repeated(request: Request, ask: Asked, command: Command, creates: bool = False) -> Response | None:
    """The answer to a repeat whose first is decided already; else None."""
    if not ask.keyed:
        return None
    outcome = await of(request).outcome(CONTEXT_OF[type(command)], ask.command_id)
    if outcome is None:
        return None
    return await _answered(request, outcome, command, creates, {"Idempotent-Replayed": "true"})


async def put(request: Request, ask: Asked, command: Command, context: str = "") -> None:
    """Put the command on its topic, what is personal in it sealed.

    Raises:
        Problem: 503, when nobody knows whether it is there; 404 and 410 as `sealed`.
    """
    recorded = await sealed(request, command)
    try:
        await of(request).lanes.send(
            recorded,
            command_id=ask.command_id,
            correlation=ask.request_id,
            causation=ask.request_id,
            traceparent=ask.traceparent,
            context=context,
        )
    except (Fenced, Unanswered):
        detail = (
            "Nobody knows whether the command was written. Send it again with this Idempotency-Key: it counts once."
        )
        raise Problem("OutcomeUnknown", detail, command_id=ask.command_id, idempotency_key=ask.key) from None


def accepted(context: str, command_id: str, resource: str) -> Response:
    """The command is durable, and not yet decided upon."""
    location = f"/commands/{context}/{command_id}"
    said = {"command_id": command_id, "status": "pending", "command": location, "resource": resource}
    return reply(said, 202, {"Location": location, "Retry-After": "1"})


async def _answered(
    request: Request, outcome: Row, command: Command, creates: bool, headers: dict[str, str]
) -> Response:
    if outcome["stream"] != command.stream:
        raise Problem("KeyReused", f"It was first used for {outcome['stream']}.")
    if outcome["status"] == "rejected":
        raise Problem(outcome["code"], outcome["detail"], headers=headers, command_id=outcome["command_id"])
    if outcome["status"] == "parked":
        raise Problem("CommandParked", headers=headers, command_id=outcome["command_id"])
    row = shown(request, await load(of(request), command.stream))
    if creates and outcome["status"] == "accepted":
        return reply(row, 201, {**headers, "Location": url_of(command.stream)})
    return reply(row, 200, headers)

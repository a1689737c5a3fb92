"""Commands are sent here: under an id that makes a retry safe, and answered at once or with their outcome.

The answer to a command is made from its outcome and the resource as the command left it, both read from the log's own
records: so a repeat gets the first answer again, from any process and after any crash.
"""

from collections.abc import Awaitable, Callable
from contextlib import nullcontext, suppress
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from api.answers import reply
from api.asking import Asked, asked
from api.bodies import body_of, read
from api.lanes import CONTEXT_OF, Unanswered
from api.persons import sealed
from api.positions import HEADER, Seen, at, write
from api.problems import Problem
from api.repeats import refuse_other
from api.resources import load_left, tagged, url_of
from api.system import of
from api.watch import Row
from events.errors import Fenced
from events.topics import partition_asked
from projections.postgres import DatabaseUnavailable
from schemas.values import Command

REPLAYED = {"Idempotent-Replayed": "true"}
Check = Callable[[], Awaitable[None]]
"""What must hold before a command is sent, and raises a Problem if it does not."""


async def submit(request: Request, command: type[Command], **known: Any) -> Response:
    """Send the command that the body and what is known, such as the path's ids, make."""
    body = await read(request, body_of(command, *known))
    return await sent(request, asked(request), command(**known, **dict(body)))


async def sent(
    request: Request, ask: Asked, command: Command, creates: bool = False, check: Check | None = None
) -> Response:
    """Send a command and answer 202, or with its outcome if the client waits or has sent it before."""
    command_id = ask.id_of(command)
    if type(command).__name__ in request.app.state.conditional and not ask.expected:
        raise Problem("ConditionMissing")
    with of(request).repeats.held(command_id) if ask.keyed else nullcontext(False) as durable:
        if ask.keyed and (answer := await _repeated(request, command_id, command, creates)):
            return answer
        if not durable:
            if check is not None:
                await check()
            await put(request, ask, command, command_id)
        headers = REPLAYED if durable else {}
        return await _followed(request, ask, command, command_id, creates, headers)


async def _repeated(request: Request, command_id: str, command: Command, creates: bool) -> Response | None:
    """The answer to a repeat whose first is decided already; else None.

    Raises:
        Problem: 422, if the key has been used for something else.
    """
    outcome = await outcome_under(request, CONTEXT_OF[type(command)], command_id)
    if outcome is None:
        return None
    return await _answered(request, outcome, command, creates, REPLAYED)


async def outcome_under(request: Request, context: str, command_id: str) -> Row | None:
    """What became of a command that was sent under this key.

    Raises:
        Problem: 422, if it was another.
    """
    rows = {row["command_id"]: row for row in await of(request).outcomes_under_key(context, command_id)}
    if rows and command_id not in rows:
        refuse_other(command_id, next(iter(rows)))
    return rows.get(command_id)


async def _followed(
    request: Request, ask: Asked, command: Command, command_id: str, creates: bool, headers: dict[str, str]
) -> Response:
    """The answer to a durable command."""
    context = CONTEXT_OF[type(command)]
    outcome = await of(request).outcome(context, command_id, ask.wait) if ask.wait else None
    if outcome is not None:
        with suppress(DatabaseUnavailable):  # the command is safe all the same
            waited = {"Preference-Applied": f"wait={ask.wait}"}
            return await _answered(request, outcome, command, creates, {**waited, **headers})
    seen = Seen(context, partition_asked(command), command_id=command_id)
    return accepted(context, command_id, url_of(command.stream), {HEADER: write([seen]), **headers})


async def put(request: Request, ask: Asked, command: Command, command_id: str, context: str = "") -> None:
    """Put the command on its topic under its id, `ask.id_of(command)`, what is personal in it sealed.

    Raises:
        Problem: 503, when nobody knows whether it is there; 404 and 410 as `sealed`.
    """
    recorded = await sealed(request, command)
    try:
        await of(request).lanes.send(
            recorded,
            command_id=command_id,
            correlation=ask.request_id,
            causation=ask.request_id,
            traceparent=ask.traceparent,
            context=context,
            expected=ask.expected,
        )
    except (Fenced, Unanswered):
        detail = (
            "Nobody knows whether the command was written. Send it again with this Idempotency-Key: it counts once."
        )
        raise Problem("OutcomeUnknown", detail, command_id=command_id, idempotency_key=ask.key) from None
    if ask.keyed:
        of(request).repeats.note(command_id)


async def put_told(request: Request, command: Command, where: str, key: str) -> None:
    """Put what somebody else tells us on its topic, under a key of what they tell: told twice is told once.

    Raises:
        Problem: as `put`.
    """
    ask = asked(request)._replace(who="", where=where, key=key)
    await put(request, ask, command, ask.id_of(command))


def accepted(context: str, command_id: str, resource: str, headers: dict[str, str] | None = None) -> Response:
    """The command is durable, and not yet decided upon."""
    location = f"/commands/{context}/{command_id}"
    said = {"command_id": command_id, "status": "pending", "command": location, "resource": resource}
    return reply(said, 202, {"Location": location, "Retry-After": "1", **(headers or {})})


async def _answered(
    request: Request, outcome: Row, command: Command, creates: bool, headers: dict[str, str]
) -> Response:
    headers = {**at(CONTEXT_OF[type(command)], outcome), **headers}
    if outcome["status"] == "rejected":
        raise Problem(outcome["code"], outcome["detail"], headers=headers, command_id=outcome["command_id"])
    if outcome["status"] == "parked":
        raise Problem("CommandParked", headers=headers, command_id=outcome["command_id"])
    row = await load_left(of(request), command.stream, outcome)
    if creates and outcome["status"] == "accepted":
        return tagged(request, command.stream, row, 201, {**headers, "Location": url_of(command.stream)})
    return tagged(request, command.stream, row, 200, headers)

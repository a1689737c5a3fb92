"""Dead letters over HTTP: what was set aside, in which order it waits, and what is to become of it."""

from datetime import UTC, datetime
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Path, Query, Request, Response

from api.answers import Limited, as_recorded
from api.asking import asked
from api.bodies import MODELS, body_of, parse, read
from api.commands import accepted, outcome_under, put
from api.openapi import gives, lists, takes, takes_body
from api.operations import everywhere, labelled
from api.problems import Problem, field_error, invalid
from api.system import of, served
from api.watch import Row
from events import audit
from projections.letter_bodies import about, brief, decoded, line, model_of, whole
from projections.letters import DEAD_LETTERS, OF_STREAM
from schemas.parking import LONGEST, DiscardLetter, EditLetter, OfLetter, RetryLetter
from schemas.values import Text, Uuid, Value

router = APIRouter(tags=["operations"], prefix="/dead-letters")

Id = Annotated[Uuid, Path()]
ELSEWHERE = ("about", "letter", "partition")


class Listed(Limited):
    """Which letters are listed: those that wait, those that nobody can retry, those that are done with, or all."""

    status: Literal["open", "aside", "retried", "discarded"] | None = None


class EditedLetter(Value):
    """The body that a letter is to have, and why. Secrets that are left out stay as they are."""

    body: dict[str, Any]
    why: Text


MODELS.update(EditedLetter=EditedLetter)


@router.get("", **lists("Letter"))
async def list_dead_letters(request: Request, query: Annotated[Listed, Query()]) -> Response:
    """What was set aside, with the reason, where it lies, what it waits behind and how many wait behind it."""
    return as_recorded(
        {"items": [brief(row) for row in await everywhere(of(request), DEAD_LETTERS, query.model_dump())]}
    )


@router.get("/{context}", **lists("Letter"))
async def list_dead_letters_of(request: Request, context: str, query: Annotated[Listed, Query()]) -> Response:
    """What one context has set aside."""
    rows = await of(request).rows(served(request, context), DEAD_LETTERS, query.model_dump())
    return as_recorded({"items": [brief(row) for row in labelled(context, rows)]})


@router.get("/{context}/{letter}", **gives("WholeLetter"))
async def get_dead_letter(request: Request, context: str, letter: Id) -> Response:
    """One letter, decoded as far as possible, and who waits behind it."""
    return as_recorded(await _shown(request, context, letter))


@router.post("/{context}/{letter}/retry", **takes(RetryLetter, *ELSEWHERE, view="WholeLetter"))
async def retry_dead_letter(request: Request, context: str, letter: Id) -> Response:
    """Handle it as if it came now; if that goes well, those that wait behind it too."""
    await read(request, body_of(RetryLetter, *ELSEWHERE))
    row = await _row(request, context, letter)
    return await _sent(request, context, RetryLetter(about=row["stream"], letter=letter, partition=row["home"]))


@router.post("/{context}/{letter}/edit", **takes_body("EditedLetter", "WholeLetter"))
async def edit_dead_letter(request: Request, context: str, letter: Id) -> Response:
    """Give it another body, which must fit its type, and retry it."""
    edited = await read(request, EditedLetter, sealed=True)
    row = await _row(request, context, letter)
    value = fitting(row, edited.body)
    command = EditLetter(about=row["stream"], letter=letter, partition=row["home"], value=value, why=edited.why)
    return await _sent(request, context, command)


@router.post("/{context}/{letter}/discard", **takes(DiscardLetter, *ELSEWHERE, view="WholeLetter"))
async def discard_dead_letter(request: Request, context: str, letter: Id) -> Response:
    """Set it aside for good; those that wait behind it are handled."""
    said = await read(request, body_of(DiscardLetter, *ELSEWHERE))
    row = await _row(request, context, letter)
    command = DiscardLetter(about=row["stream"], letter=letter, partition=row["home"], **dict(said))
    return await _sent(request, context, command)


async def _row(request: Request, context: str, letter: str) -> Row:
    return (await _line(request, context, letter))[0]


async def _line(request: Request, context: str, letter: str) -> tuple[Row, list[Row]]:
    """A letter, and the open ones of its stream.

    Raises:
        Problem: 404.
    """
    rows = await of(request).rows(served(request, context), OF_STREAM, {"letter": letter})
    for row in rows:
        if row["id"] == letter:
            return row, rows
    raise Problem("LetterUnknown")


async def _shown(request: Request, context: str, letter: str) -> Row:
    row, rows = await _line(request, context, letter)
    return {"context": context, **brief(row), **decoded(row), "waiting_behind": line(row, rows)}


async def _sent(request: Request, context: str, command: OfLetter) -> Response:
    """Send what is to become of a letter; answer 202, or with the letter if the client waits or has asked before."""
    ask, system = asked(request), of(request)
    command_id = ask.id_of(command)
    outcome = await outcome_under(request, context, command_id) if ask.keyed else None
    if outcome is None:
        await _on_record(request, context, command)
        await put(request, ask, command, command_id, context)
        outcome = await system.outcome(context, command_id, ask.wait) if ask.wait else None
    if outcome is None:
        return accepted(context, command_id, f"/dead-letters/{context}/{command.letter}")
    if outcome["status"] == "rejected":
        raise Problem(outcome["code"], outcome["detail"], command_id=command_id)
    return as_recorded(await _shown(request, context, command.letter))


async def _on_record(request: Request, context: str, command: OfLetter) -> None:
    """Note who asks, before anything is changed; the API does not know operators by name."""
    who = f"api, from {request.client.host if request.client else 'nowhere'}"
    why, target = getattr(command, "why", ""), f"{context}/{command.letter}"
    action = f"dead-letters {command.tag.rpartition('.')[2]}"
    act = audit.OperatorActed(who=who, action=action, target=target, why=why, detail={"stream": command.about})
    await audit.append(of(request).log, act, datetime.now(UTC), request.scope["request_id"])


def fitting(row: Row, body: dict[str, Any]) -> str:
    """A new body for a letter, as its JSON.

    Raises:
        Problem: 422, naming the fields.
    """
    model = model_of(row)
    if model is None:
        raise Problem("LetterUnfit", "Nobody knows what it is; it can only be discarded.")
    raw = whole(row, body)
    if len(raw) > LONGEST:
        raise Problem("BodyTooLarge", f"A letter's body may have {LONGEST} bytes.")
    message: Any = parse(model, raw, sealed=True)
    if message.stream != about(row):
        raise invalid([field_error(["body"], f"is about {message.stream}, not {about(row)}", "stream")])
    return raw.decode()

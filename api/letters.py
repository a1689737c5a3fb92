"""Dead letters over HTTP: what was set aside, in which order it waits, and what is to become of it."""

import base64
from typing import Annotated, Any, Literal

import msgspec
from fastapi import APIRouter, Path, Query, Request, Response
from pydantic import BaseModel

from aggregates.letters import is_heard
from api.answers import SECRET, Limited, public, reply
from api.bodies import MODELS, body_of, parse, read
from api.commands import accepted, asked, put
from api.openapi import takes, takes_body
from api.operations import everywhere, labelled
from api.problems import Problem, field_error, invalid
from api.system import of, served
from api.watch import Row
from events.registry import command_codec, event_codec
from projections.letters import DEAD_LETTERS, OF_STREAM
from schemas.parking import DiscardLetter, EditLetter, OfLetter, RetryLetter
from schemas.values import Text, Uuid, Value

router = APIRouter(tags=["operations"], prefix="/dead-letters")

Id = Annotated[Uuid, Path()]
ELSEWHERE = ("about", "letter", "partition")
SHOWN = 64_000
"""Characters of a body that are shown."""


class Listed(Limited):
    """Which letters are listed: those that wait, those that nobody can retry, those that are done with, or all."""

    status: Literal["open", "aside", "retried", "discarded"] | None = None


class EditedLetter(Value):
    """The body that a letter is to have, and why. Secrets that are left out stay as they are."""

    body: dict[str, Any]
    why: Text


MODELS.update(EditedLetter=EditedLetter)


@router.get("")
async def list_dead_letters(request: Request, query: Annotated[Listed, Query()]) -> Response:
    """What was set aside, with the reason, where it lies, what it waits behind and how many wait behind it."""
    return reply({"items": [brief(row) for row in await everywhere(of(request), DEAD_LETTERS, query.model_dump())]})


@router.get("/{context}")
async def list_dead_letters_of(request: Request, context: str, query: Annotated[Listed, Query()]) -> Response:
    """What one context has set aside."""
    rows = await of(request).rows(served(request, context), DEAD_LETTERS, query.model_dump())
    return reply({"items": [brief(row) for row in labelled(context, rows)]})


@router.get("/{context}/{letter}")
async def get_dead_letter(request: Request, context: str, letter: Id) -> Response:
    """One letter, decoded as far as possible, and who waits behind it."""
    return reply(await _shown(request, context, letter))


@router.post("/{context}/{letter}/retry", **takes(RetryLetter, *ELSEWHERE))
async def retry_dead_letter(request: Request, context: str, letter: Id) -> Response:
    """Handle it as if it came now; if that goes well, those that wait behind it too."""
    await read(request, body_of(RetryLetter, *ELSEWHERE))
    row = await _row(request, context, letter)
    return await _sent(request, context, RetryLetter(about=row["stream"], letter=letter, partition=row["home"]))


@router.post("/{context}/{letter}/edit", **takes_body("EditedLetter"))
async def edit_dead_letter(request: Request, context: str, letter: Id) -> Response:
    """Give it another body, which must fit its type, and retry it."""
    edited = await read(request, EditedLetter)
    row = await _row(request, context, letter)
    value = fitting(row, edited.body)
    command = EditLetter(about=row["stream"], letter=letter, partition=row["home"], value=value, why=edited.why)
    return await _sent(request, context, command)


@router.post("/{context}/{letter}/discard", **takes(DiscardLetter, *ELSEWHERE))
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
    waits = row["status"] == "open" and row["blocks"]
    later = [other for other in rows if waits and other["blocks"] and other["recorded"] > row["recorded"]]
    line = [{name: other[name] for name in ("id", "type", "message", "at")} for other in later]
    return {"context": context, **brief(row), **decoded(row), "waiting_behind": line}


async def _sent(request: Request, context: str, command: OfLetter) -> Response:
    """Send what is to become of a letter; answer 202, or with the letter if the client waits or has asked before."""
    ask, system = asked(request), of(request)
    outcome = await system.outcome(context, ask.command_id) if ask.keyed else None
    if outcome is None:
        await put(request, ask, command, context)
        outcome = await system.outcome(context, ask.command_id, ask.wait) if ask.wait else None
    if outcome is None:
        return accepted(context, ask.command_id, f"/dead-letters/{context}/{command.letter}")
    if outcome["stream"] != command.stream:
        raise Problem("KeyReused", f"It was first used for {outcome['stream']}.")
    if outcome["status"] == "rejected":
        raise Problem(outcome["code"], outcome["detail"], command_id=ask.command_id)
    return reply(await _shown(request, context, command.letter))


def brief(row: Row) -> Row:
    """A letter without its bytes."""
    return {name: value for name, value in row.items() if name not in ("key", "value", "recorded")}


def decoded(row: Row) -> Row:
    """Its body: as JSON if it is some, else as text; and whether code of today can read it."""
    raw = base64.b64decode(row["value"])
    try:
        body = msgspec.json.decode(raw)
    except msgspec.DecodeError:
        return {"text": raw[:SHOWN].decode(errors="backslashreplace"), "readable": False}
    return {"body": public(body) if isinstance(body, dict) else body, "readable": _reads(row, raw)}


def _reads(row: Row, raw: bytes) -> bool:
    model = model_of(row)
    try:
        return model is not None and bool(model.model_validate_json(raw))
    except ValueError:
        return False


def model_of(row: Row) -> type[BaseModel] | None:
    """What a letter's body is to be."""
    codec: Any = event_codec if is_heard(row["consumer"]) else command_codec
    found: type[BaseModel] | None = codec.types.get(row["type"])
    return found


def fitting(row: Row, body: dict[str, Any]) -> str:
    """A new body for a letter, as its JSON; secrets that it does not name are those of the old one.

    Raises:
        Problem: 422, naming the fields; 409 for a letter without a type.
    """
    model = model_of(row)
    if model is None:
        raise Problem("LetterUnfit", "Nobody knows what it is; it can only be discarded.")
    before = decoded_whole(row)
    whole = {**{name: before[name] for name in SECRET if name in before}, **body}
    raw = msgspec.json.encode(whole)
    message: Any = parse(model, raw)
    about = row["stream"] if not is_heard(row["consumer"]) else row["stream"].partition("-hears-")[2]
    if message.stream != about:
        raise invalid([field_error(["body"], f"is about {message.stream}, not {about}", "stream")])
    return raw.decode()


def decoded_whole(row: Row) -> dict[str, Any]:
    """The body with its secrets, if it is an object."""
    try:
        body = msgspec.json.decode(base64.b64decode(row["value"]))
    except msgspec.DecodeError:
        return {}
    return body if isinstance(body, dict) else {}

"""DeadLetters are what was set aside: listed, shown, retried, mended, discarded, one order waiting and no other."""

import asyncio
import sys
import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any
from uuid import uuid4

import typer
from msgspec import DecodeError, json
from pydantic import ValidationError

from events import topics
from events.envelope import CLIENT, Envelope
from events.log import Draft, Place
from events.registry import command_codec
from projections.letter_bodies import about, brief, decoded, line, model_of, whole
from projections.letters import DEAD_LETTERS, OF_STREAM
from projections.registry import OUTCOME
from schemas.parking import LONGEST, DiscardLetter, EditLetter, OfLetter, RetryLetter
from workers.operator.audit import acting
from workers.operator.ground import Ground, chosen, known_context, standing
from workers.operator.terms import Exit, Json, Refused, Why, Yes, run, screen, show, show_json, sure, unknown

app = typer.Typer(no_args_is_help=True, help="Dead letters: what was set aside, and who waits behind it.")

Row = dict[str, Any]
PATIENCE = 15.0
"""Seconds that a command waits for its outcome."""
MOST = 10_000
"""Letters that are listed."""

STATUSES = ("open", "aside", "retried", "discarded", "all")
Context = Annotated[str, typer.Argument(help="the context that has set it aside")]
Letter = Annotated[str, typer.Argument(help="the letter's id, or how it begins")]
File = Annotated[Path, typer.Option("--body", help="file with the new body, as JSON; - for the standard input")]


@app.command("list")
def list_letters(
    context: Annotated[str | None, typer.Argument(help="one context; all if none is named")] = None,
    status: Annotated[str, typer.Option(help=f"which: {', '.join(STATUSES)}")] = "open",
    json: Json = False,
) -> None:
    """What waits for a person, in order; `behind` names the letter that one waits for."""
    run(_list(context, status, json))


@app.command("show")
def show_letter(context: Context, letter: Letter, json: Json = False) -> None:
    """One letter: decoded as far as possible, the reason, and who waits behind it."""
    run(_show(context, letter, json))


@app.command()
def retry(
    context: Context,
    letter: Annotated[str, typer.Argument(help="the letter's id, or how it begins")] = "",
    every: Annotated[bool, typer.Option("--all", help="every letter that waits for no other")] = False,
    yes: Yes = False,
    why: Why = "",
    json: Json = False,
) -> None:
    """Handle a letter as if it came now, and then those that wait behind it; exits with 1 if one fails again."""
    if bool(letter) == every:
        raise typer.BadParameter("name a letter, or say --all")
    run(_retry(context, letter, yes, why, json))


@app.command()
def edit(context: Context, letter: Letter, body: File, why: Why, yes: Yes = False, json: Json = False) -> None:
    """Give a letter another body, which must fit its type, and retry it."""
    run(_edit(context, letter, body, yes, why, json))


@app.command()
def discard(context: Context, letter: Letter, why: Why, yes: Yes = False, json: Json = False) -> None:
    """Set a letter aside for good; those that wait behind it go on."""
    run(_discard(context, letter, yes, why, json))


async def _list(context: str | None, status: str, as_json: bool) -> None:
    if status not in STATUSES:
        raise unknown("status", status, STATUSES)
    async with standing() as ground:
        rows = [{"context": name, **row} for name in chosen(context) for row in await _letters(ground, name, status)]
    show([brief(row) if as_json else _short(row) for row in rows], as_json, nothing="nothing waits for a person")


async def _letters(ground: Ground, context: str, status: str) -> list[Row]:
    asked = {"status": None if status == "all" else status, "limit": MOST}
    return await ground.databases[context].fetch(DEAD_LETTERS, asked)


def _short(row: Row) -> Row:
    """For people: one line each."""
    shown = {"letter": row["id"][:8], "context": row["context"], "stream": row["stream"], "type": row["type"] or "?"}
    reason = row["reason"].strip().rpartition("\n")[2]
    behind = {"behind": row["behind"][:8], "waiting": row["waiting"], "attempts": row["attempts"]}
    return {**shown, "status": row["status"], **behind, "reason": reason[:70]}


async def _show(context: str, letter: str, as_json: bool) -> None:
    async with standing() as ground:
        row, rows = await _found(ground, context, letter)
    behind = line(row, rows)
    if as_json:
        show_json({"context": context, **brief(row), **decoded(row), "waiting_behind": behind})
        return
    said = {
        name: value for name, value in brief(row).items() if name not in ("reason", "home") and value not in ("", None)
    }
    told = decoded(row)
    show([{"what": name, "": str(value)} for name, value in said.items()], False)
    text = json.format(json.encode(told["body"]), indent=2).decode() if "body" in told else told["text"]
    note = "" if told["readable"] else ", which code of today cannot read"
    screen().print(f"\nbody{note}:\n{text}\n\nreason:\n{row['reason']}\n", markup=False, highlight=False)
    show(behind, False, title="waiting behind it", nothing="nobody waits behind it")


async def _retry(context: str, letter: str, yes: bool, why: str, as_json: bool) -> None:
    async with standing() as ground:
        if letter:
            rows = [(await _found(ground, context, letter))[0]]
        else:
            rows = [row for row in await _letters(ground, known_context(context), "open") if not row["behind"]]
        sure(f"Retry {len(rows)} of {context}, and what waits behind?", yes)
        told = [
            await _asked(
                ground, context, RetryLetter(about=row["stream"], letter=row["id"], partition=row["home"]), why
            )
            for row in rows
        ]
    _said(told, as_json)


def _retry_of(row: Row) -> RetryLetter:
    return RetryLetter(about=row["stream"], letter=row["id"], partition=row["home"])


async def _edit(context: str, letter: str, file: Path, yes: bool, why: str, as_json: bool) -> None:
    raw = sys.stdin.buffer.read() if str(file) == "-" else _read(file)
    async with standing() as ground:
        row, _ = await _found(ground, context, letter)
        value = _fitting(row, raw)
        sure(f"Put this body in the place of {row['id']}'s, and retry it?", yes)
        command = EditLetter(about=row["stream"], letter=row["id"], partition=row["home"], value=value, why=_why(why))
        _said([await _asked(ground, context, command, why)], as_json)


async def _discard(context: str, letter: str, yes: bool, why: str, as_json: bool) -> None:
    async with standing() as ground:
        row, rows = await _found(ground, context, letter)
        sure(f"Discard {row['type'] or row['id']} for good, and let {len(line(row, rows))} behind it go on?", yes)
        command = DiscardLetter(about=row["stream"], letter=row["id"], partition=row["home"], why=_why(why))
        _said([await _asked(ground, context, command, why)], as_json)


def _read(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as no:
        raise Refused(f"{file}: {no.strerror}") from None


def _why(said: str) -> str:
    if not said.strip():
        raise Refused("say --why: it is kept with the letter")
    return said.strip()[:200]


def _fitting(row: Row, raw: bytes) -> str:
    """A body that fits the letter's type and stream, as its JSON.

    Raises:
        Refused: naming the fields that do not.
    """
    model = model_of(row)
    if model is None:
        raise Refused("nobody knows what it is; it can only be discarded")
    try:
        value = whole(row, json.decode(raw, type=dict[str, Any]))
        message: Any = model.model_validate_json(value)
    except ValidationError as error:
        found = error.errors(include_url=False, include_context=False, include_input=False)
        fields = "\n".join(f"  {'.'.join(map(str, each['loc']))}: {each['msg']}" for each in found[:20])
        raise Refused(f"the body does not fit {row['type']}:\n{fields}") from None
    except DecodeError as error:
        raise Refused(f"the body is no JSON object: {error}") from None
    if len(value) > LONGEST:
        raise Refused(f"the body is longer than {LONGEST:,} bytes")
    if message.stream != about(row):
        raise Refused(f"the body is about {message.stream}, not {about(row)}")
    return value.decode()


async def _found(ground: Ground, context: str, letter: str) -> tuple[Row, list[Row]]:
    """A letter by its id, or how that begins, and the open ones of its stream."""
    database = ground.databases[known_context(context)]
    known = await database.fetch(
        "SELECT DISTINCT id FROM dead_letters WHERE starts_with(id, %(begin)s) LIMIT 20", {"begin": letter}
    )
    if len(known) != 1:
        there = known or await _letters(ground, context, "open")
        raise unknown("one dead letter", letter, [row["id"] for row in there[:20]])
    rows = await database.fetch(OF_STREAM, {"letter": known[0]["id"]})
    return next(row for row in rows if row["id"] == known[0]["id"]), rows


async def _asked(ground: Ground, context: str, command: OfLetter, why: str) -> Row:
    """Ask the context, on record, and wait for what it says."""
    command_id, action = str(uuid4()), f"dead-letters {command.tag.rpartition('.')[2]}"
    target = f"{context}/{command.letter}"
    async with acting(ground.log, action, target, why, stream=command.about, command=command_id) as told:
        at = datetime.now(UTC).isoformat()
        envelope = Envelope(command_id, command.tag, "operator", at, command.stream, command_id, command_id, CLIENT)
        draft = Draft(command.stream, command_codec.encode(command), envelope.headers())
        await ground.log.append(Place(topics.commands(context), command.partition), [draft])
        outcome = await _outcome(ground, context, command_id)
        told["became"] = outcome["status"] if outcome else "unknown yet"
    if outcome is None:
        raise Refused(
            f"nobody has answered for {PATIENCE:.0f} s: does the context run? It will be done when it does; "
            f"look with `orders dead-letters show {context} {command.letter}`",
            Exit.STOPPED,
        )
    now = {row["id"]: row for row in await ground.databases[context].fetch(OF_STREAM, {"letter": command.letter})}
    left = sum(row["status"] == "open" for row in now.values())
    return {"letter": command.letter, "stream": command.about, **_told(outcome), "still_open": left}


def _told(outcome: Mapping[str, Any]) -> Row:
    return {name: outcome[name] for name in ("status", "code", "detail")}


async def _outcome(ground: Ground, context: str, command_id: str) -> Row | None:
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        if rows := await ground.databases[context].fetch(OUTCOME, {"command_id": command_id}):
            return rows[0]
        await asyncio.sleep(0.05)
    return None


def _said(told: Sequence[Row], as_json: bool) -> None:
    show(told, as_json, nothing="nothing waits for a person")
    if refused := [row for row in told if row["status"] == "rejected"]:
        raise Refused("; ".join(f"{row['letter'][:8]}: {row['code']}: {row['detail']}" for row in refused))

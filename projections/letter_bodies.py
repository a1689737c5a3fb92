"""LetterBodies are what was set aside, read as far as possible, and whether another body would fit."""

import base64
from typing import Any

import msgspec
from pydantic import BaseModel

from events.letter import is_heard, subject_of
from events.registry import command_codec, event_codec
from schemas.values import SECRET

Row = dict[str, Any]
SHOWN = 64_000
"""Characters of a body that are shown."""


def brief(row: Row) -> Row:
    """A letter without its bytes."""
    return {name: value for name, value in row.items() if name not in ("key", "value", "recorded")}


def decoded(row: Row) -> Row:
    """Its body: as JSON if it is some, else as text; and whether code of today can read it."""
    raw = base64.b64decode(row["value"])
    try:
        body = msgspec.json.decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return {"text": raw[:SHOWN].decode(errors="backslashreplace"), "readable": False}
    shown = {name: v for name, v in body.items() if name not in SECRET} if isinstance(body, dict) else body
    return {"body": shown, "readable": _reads(row, raw)}


def model_of(row: Row) -> type[BaseModel] | None:
    """What a letter's body is to be; None if nobody knows."""
    codec: Any = event_codec if is_heard(row["consumer"]) else command_codec
    found: type[BaseModel] | None = codec.types.get(row["type"])
    return found


def about(row: Row) -> str:
    """The stream that a letter's body must be about."""
    return subject_of(row["stream"]) if is_heard(row["consumer"]) else str(row["stream"])


def whole(row: Row, body: Row) -> bytes:
    """A new body: secrets that it does not name are those of the old one, for nobody was shown them."""
    try:
        before = msgspec.json.decode(base64.b64decode(row["value"]), type=dict[str, Any])
    except (msgspec.MsgspecError, UnicodeDecodeError):
        before = {}
    return msgspec.json.encode({**{name: before[name] for name in SECRET if name in before}, **body})


def line(row: Row, rows: list[Row]) -> list[Row]:
    """Those of a stream's open letters that wait behind one, in order."""
    waits = row["status"] == "open" and row["blocks"]
    later = [other for other in rows if waits and other["blocks"] and other["recorded"] > row["recorded"]]
    return [{name: other[name] for name in ("id", "type", "message", "at")} for other in later]


def _reads(row: Row, raw: bytes) -> bool:
    model = model_of(row)
    try:
        return model is not None and bool(model.model_validate_json(raw))
    except ValueError:
        return False

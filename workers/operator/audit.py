"""Audit puts what operators do on record, and shows it."""

import asyncio
import getpass
import os
import socket
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime
from typing import Annotated, Any

import typer

from events import audit as stream
from events.errors import LogError, Unavailable
from events.log import Log
from schemas.settings import Settings
from workers.operator.ground import standing
from workers.operator.terms import Json, Refused, run, show

PATIENCE_SECONDS = 5.0


def who() -> str:
    """The person at the keyboard, as far as can be known: ORDERLOG_WHO, or user@host."""
    if named := Settings().who:
        return named
    try:
        user = getpass.getuser()
    except (OSError, KeyError):  # a container's account may have no name
        user = f"uid-{os.getuid()}"
    return f"{user}@{socket.gethostname()}"


async def record(
    log: Log,
    action: str,
    target: str,
    why: str,
    outcome: stream.Outcome = "done",
    correlation: str = "",
    **detail: Any,
) -> str:
    """Put an act on record, and return the correlation that what follows from it shall have.

    Raises:
        Fenced, Unavailable: nobody knows whether it was recorded, or it was not.
    """
    act = stream.OperatorActed(who=who(), action=action, target=target, why=why, outcome=outcome, detail=detail)
    try:
        async with asyncio.timeout(PATIENCE_SECONDS):  # a producer without a broker would wait for one for ever
            return await stream.append(log, act, datetime.now(UTC), correlation)
    except TimeoutError:
        raise Unavailable(f"the act could not be put on record within {PATIENCE_SECONDS:.0f} s") from None


@asynccontextmanager
async def acting(log: Log, action: str, target: str, why: str, **detail: Any) -> AsyncIterator[dict[str, Any]]:
    """Act on record: begun before anything is changed, then how it ended. What is put into the dict is recorded too.

    So nothing is changed while the log cannot be reached, and an act that a crash cut off is seen to be begun.
    """
    correlation = await record(log, action, target, why, "begun", **detail)
    found: dict[str, Any] = {}
    try:
        yield found
    except BaseException as error:
        with suppress(LogError):
            ended: stream.Outcome = "refused" if isinstance(error, Refused) else "stopped"
            await record(log, action, target, why, ended, correlation, **detail, **found, error=str(error))
        raise
    await record(log, action, target, why, "done", correlation, **detail, **found)


def audit(
    last: Annotated[int, typer.Option(help="how many of the newest acts", min=1)] = 20, json: Json = False
) -> None:
    """What operators did: who, what, when and why, newest last."""
    run(_audit(last, json))


async def _audit(last: int, as_json: bool) -> None:
    async with standing() as ground:
        acts = await stream.read(ground.log, 2 * last)  # most are begun and ended
    rows = list(merged(acts).values())[-last:]
    show([row if as_json else _short(row) for row in rows], as_json, nothing="nobody has changed anything yet")


def merged(acts: Iterable[stream.Act]) -> dict[str, dict[str, Any]]:
    """One row an act, as it was begun and with what became of it; by correlation."""
    rows: dict[str, dict[str, Any]] = {}
    for act in acts:
        if act.envelope is None or act.event is None:
            rows[f"{act.offset}"] = _row("", "", act.offset, dict.fromkeys(_SAID, "") | {"outcome": "unreadable"})
            continue
        key = act.envelope.correlation
        at = rows[key]["at"] if key in rows else act.envelope.time
        rows[key] = _row(at, key, act.offset, act.event.model_dump())
    return rows


_SAID = ("who", "action", "target", "outcome", "why")


def _row(at: str, correlation: str, offset: int, said: dict[str, Any]) -> dict[str, Any]:
    told = {name: said[name] for name in _SAID}
    return {"at": at, **told, "detail": said.get("detail", {}), "correlation": correlation, "offset": offset}


def _short(row: dict[str, Any]) -> dict[str, Any]:
    """For people, at their own time."""
    at = datetime.fromisoformat(row["at"]).astimezone().strftime("%Y-%m-%d %H:%M:%S") if row["at"] else ""
    detail = ", ".join(f"{name} {value}" for name, value in row["detail"].items())
    return {"at": at, **{name: row[name] for name in _SAID}, "detail": detail}

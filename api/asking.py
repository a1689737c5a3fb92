"""Asking is what a request's headers say of its command: under which key, on which condition, how long one waits.

A command's id follows from who asks, the method, the path, the Idempotency-Key and what is asked. So the ids of two
that were sent under one key begin alike, and the log alone says whether a key was used before, and for the same.
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple
from uuid import uuid4

from starlette.requests import Request

from api.conditions import expected
from api.problems import Problem
from events.ids import derive, key_half, under
from schemas.values import Command

LONGEST_WAIT = 30

CONDITIONAL_WAIT = 5
"""Seconds for which a command with a condition is waited for if the client does not say: a 412 is worth it."""

REMEMBERED = 10_000

_SALTED = {"password_hash"}
"""Fields that differ each time though the same was said; secrets, of which not even a digest is to be recorded."""
_KEY = re.compile(r"[\x20-\x7e]{1,200}")
_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
_WAIT = re.compile(r"(?:^|[,;\s])wait\s*=\s*\"?(\d{1,6})\"?\s*(?:$|[,;])", re.IGNORECASE)
_TRACE = re.compile(r"[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}")


class Asked(NamedTuple):
    """What a request's headers say of its command; `keyed` if it may be a repeat, `wait` in seconds."""

    scope: str
    key: str
    keyed: bool
    wait: int
    request_id: str
    traceparent: str
    expected: str

    def id_of(self, command: Command) -> str:
        """The command's id."""
        said = command.model_dump_json(exclude=_SALTED, exclude_defaults=True)
        return under(self.scope, self.key, f"{command.tag} {said}".encode())

    def derived(self, name: str) -> str:
        """An id that follows from who asks, where, and the key: for what is created without an id of its own."""
        return derive(key_half(under(self.scope, self.key, b"")), name)


def asked(request: Request) -> Asked:
    """Read the headers.

    Raises:
        Problem: 400, if the Idempotency-Key or If-Match is none.
    """
    headers = request.headers
    keys, trace = headers.getlist("idempotency-key"), headers.get("traceparent", "")
    if len(keys) > 1:
        raise Problem("BadIdempotencyKey", "There are several; one request has one key.")
    wanted, wait = expected(headers.getlist("if-match")), wait_of(request)
    return Asked(
        scope=_scope_of(request),
        key=_key(keys[0]) if keys else str(uuid4()),
        keyed=bool(keys),
        wait=wait or (CONDITIONAL_WAIT if wanted else 0),
        request_id=request.scope["request_id"],
        traceparent=trace if _TRACE.fullmatch(trace) else "",
        expected=wanted,
    )


def _scope_of(request: Request) -> str:
    """Who asks for what: somebody else's key, or the same at another URL, is another one."""
    scope = request.scope
    who, root = getattr(scope.get("principal"), "subject", ""), scope.get("root_path", "")
    return f"{who}\n{scope['method']} {scope['path'].removeprefix(root)}"


def _key(said: str) -> str:
    key = said.strip('"')
    if not _KEY.fullmatch(key):
        raise Problem("BadIdempotencyKey")
    return key.lower() if _UUID.fullmatch(key) else key


def wait_of(request: Request) -> int:
    """The seconds of `Prefer: wait=N` (RFC 7240), 30 at most; what makes no sense is no preference."""
    found = _WAIT.search(request.headers.get("prefer", ""))
    return min(int(found[1]), LONGEST_WAIT) if found else 0


class Keys:
    """The keys that this process is answering under, and those whose command it has lately seen durable.

    They spare the log repeats, no more: another process, or this one after a crash, sends the command again, and its
    writer drops it.
    """

    def __init__(self) -> None:
        self._running: dict[str, str] = {}
        self._durable: dict[str, str] = {}

    @contextmanager
    def held(self, command_id: str) -> Iterator[bool]:
        """Answer under a key; whether its command is known to be durable.

        Raises:
            Problem: 409, if another request does so; 422, if one has done so for something else.
        """
        half = key_half(command_id)
        if (other := self._running.get(half)) is not None:
            refuse_other(command_id, other)
            raise Problem("KeyRunning", headers={"Retry-After": "1"}, command_id=command_id)
        if (other := self._durable.get(half)) is not None:
            refuse_other(command_id, other)
        self._running[half] = command_id
        try:
            yield other is not None
        finally:
            del self._running[half]

    def note(self, command_id: str) -> None:
        """The command is durable."""
        self._durable[key_half(command_id)] = command_id
        if len(self._durable) > REMEMBERED:
            del self._durable[next(iter(self._durable))]


def refuse_other(command_id: str, other: str) -> None:
    """Refuse what is sent under the key of another command.

    Raises:
        Problem: 422.
    """
    if other != command_id:
        raise Problem("KeyReused", command_id=other)

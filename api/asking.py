"""Asking is what a request's headers say of its command: under which key, on which condition, how long one waits.

A command's id follows from who asks, the method, the path, the Idempotency-Key and what is asked. So the ids of two
that were sent under one key begin alike, and the log alone says whether a key was used before, and for the same.
"""

import re
from typing import NamedTuple
from uuid import uuid4

from starlette.requests import Request

from api.access import whose
from api.conditions import expected
from api.paths import asked_for
from api.problems import Problem
from events import tracing
from events.ids import derive, key_of, under
from schemas.values import SECRET, Command

LONGEST_WAIT = 30

CONDITIONAL_WAIT = 5
"""Seconds for which a command with a condition is waited for if the client does not say: a 412 is worth it."""

_UNSAID = {*SECRET} - {"payment_token"}
"""Fields that differ each time though the same was said; secrets, of which not even a digest is to be recorded.

Another payment token under the same key is another request.
"""
_KEY = re.compile(r"[\x20-\x7e]{1,200}")
_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
_WAIT = re.compile(r"(?:^|[,;\s])wait\s*=\s*\"?(\d{1,6})\"?\s*(?:$|[,;])", re.IGNORECASE)
_TRACE = re.compile(r"[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}")


class Asked(NamedTuple):
    """What a request's headers say of its command; `keyed` if it may be a repeat, `wait` in seconds."""

    who: str
    where: str
    key: str
    keyed: bool
    wait: int
    request_id: str
    traceparent: str
    expected: str

    def id_of(self, command: Command) -> str:
        """The command's id."""
        said = command.model_dump_json(exclude=_UNSAID, exclude_defaults=True)
        return under(self.who, self.where, self.key, f"{command.tag} {said}".encode())

    def derived(self, name: str) -> str:
        """An id that follows from who asks, where, and the key: for what is created without an id of its own."""
        return derive(key_of(under(self.who, self.where, self.key, b"")), name)

    def secretly(self) -> "Asked":
        """The same under a key that only we know: who knew it could ask what became of the command."""
        return self._replace(key=str(uuid4()), keyed=False, expected="")


def asked(request: Request) -> Asked:
    """Read the headers.

    Raises:
        Problem: 400 or 422, if the Idempotency-Key or If-Match is none.
    """
    headers = request.headers
    keys, trace = headers.getlist("idempotency-key"), headers.get("traceparent", "")
    if len(keys) > 1:
        raise Problem("BadIdempotencyKey", "There are several; one request has one key.")
    return Asked(
        who=whose(request),
        where=_where(request),
        key=_key(keys[0]) if keys else str(uuid4()),
        keyed=bool(keys),
        wait=wait_of(request),
        request_id=request.scope["request_id"],
        traceparent=tracing.here() or (trace if _TRACE.fullmatch(trace) else ""),
        expected=expected(headers.getlist("if-match")),
    )


def _where(request: Request) -> str:
    """What is asked for: the same key at another URL is another one."""
    return f"{request.scope['method']} {asked_for(request.scope)}"


def _key(said: str) -> str:
    key = said.strip('"')
    if not _KEY.fullmatch(key):
        raise Problem("BadIdempotencyKey")
    return key.lower() if _UUID.fullmatch(key) else key


def wait_of(request: Request) -> int:
    """The seconds of `Prefer: wait=N` (RFC 7240), 30 at most; what makes no sense is no preference."""
    found = _WAIT.search(request.headers.get("prefer", ""))
    if found is None:
        return CONDITIONAL_WAIT if "if-match" in request.headers else 0
    return min(int(found[1]), LONGEST_WAIT)

"""Door is the outermost middleware: it names every request, and turns what nobody expected into a plain problem."""

import logging
import re
from uuid import uuid4

from starlette.requests import ClientDisconnect, Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.problems import Problem, respond

logger = logging.getLogger(__name__)

_NAME = re.compile(rb"[A-Za-z0-9._-]{1,64}")


class Door:
    """Gives a request the id that the client sent in X-Request-Id, or one of its own."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or "request_id" in scope:  # named already, further out
            return await self._app(scope, receive, send)
        name = scope["request_id"] = _name_of(scope)
        started = False

        async def named(message: Message) -> None:
            nonlocal started
            if message["type"] == "http.response.start":
                started = True
                message["headers"] = [*message["headers"], (b"x-request-id", name.encode())]
            await send(message)

        try:
            await self._app(scope, receive, named)
        except ClientDisconnect:
            logger.info("the client of request %s has left", name)
        except Exception:
            logger.exception("bug in %s %s, request %s", scope["method"], scope["path"], name)
            if started:
                raise
            await respond(Request(scope), Problem("InternalError"))(scope, receive, named)


def _name_of(scope: Scope) -> str:
    given: bytes = next((value for name, value in scope["headers"] if name == b"x-request-id"), b"")
    return given.decode() if _NAME.fullmatch(given) else str(uuid4())

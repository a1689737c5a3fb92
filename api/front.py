"""Front is what a port shows: the gateway below /api/, what everybody may see, and the rest only where it is said."""

from collections.abc import Mapping
from typing import Any

from starlette.middleware.cors import CORSMiddleware
from starlette.requests import Request
from starlette.types import ASGIApp, Receive, Scope, Send

from api.app import ROUTERS, create_app
from api.document import Document
from api.door import Door
from api.gateway import Gateway
from api.paths import PREFIX
from api.problems import Problem, respond
from events.log import Log
from projections.postgres import Database
from schemas.settings import CONTEXTS, Settings
from schemas.words import listed

JWKS = "/.well-known/jwks.json"
OPEN = ("/health", "/ready", "/problems")
"""What is there for everybody, whatever the settings say."""

EXPOSED = (
    *("Location", "Link", "Retry-After", "RateLimit", "RateLimit-Policy", "X-Request-Id", "ETag", "Deprecation"),
    *("Log-Position", "Idempotent-Replayed", "Preference-Applied"),
)
ALLOWED = (
    *("Authorization", "Content-Type", "Idempotency-Key", "Prefer", "If-Match", "If-None-Match", "Log-Position"),
    *("Last-Event-ID", "X-Request-Id", "traceparent"),
)


class Front:
    """The API's app as `python -m api` serves it; `inner` is that of the contexts in this process."""

    def __init__(
        self,
        settings: Settings,
        log: Log | None = None,
        databases: Mapping[str, Database] | None = None,
        **gateway: Any,
    ) -> None:
        self.inner = create_app(settings, log, databases)
        routes = {context: [route for router in ROUTERS[context] for route in router.routes] for context in CONTEXTS}
        tokens, self.document = self.inner.state.tokens, Document(settings, routes)
        self.gateway = Gateway(settings, tokens, routes, self.inner.state.ways, self.inner, self.document, **gateway)
        self._inside = settings.inside != "closed"
        self._app = Door(_shared(self._choose, settings.origins))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            return await self._app(scope, receive, send)
        try:
            await self.inner(scope, receive, send)  # for as long as the server lives
        finally:
            await self.gateway.close()

    def end_streams(self) -> None:
        """Let those go who follow live streams, as the server would else wait for them: it is about to stop."""
        self.inner.state.system.feed.end()
        for way in self.inner.state.ways.values():
            way.end_streams()

    async def _choose(self, scope: Scope, receive: Receive, send: Send) -> None:
        path = scope["path"]
        if path == JWKS:
            await self.gateway({**scope, "path": f"{PREFIX}/auth{JWKS}"}, receive, send)
        elif path == PREFIX or path.startswith(f"{PREFIX}/"):
            await self.gateway(scope, receive, send)
        elif self._inside or path in OPEN:
            await self.inner(scope, receive, send)
        else:
            problem = Problem("NotFound", f"All there is is below {PREFIX}/.")
            await respond(Request(scope), problem)(scope, receive, send)


def _shared(app: ASGIApp, origins: str) -> ASGIApp:
    """The app, with what browsers ask before they let another origin's pages ask it."""
    allowed = listed(origins)
    if not allowed:
        return app
    return CORSMiddleware(
        app,
        allow_origins=allowed,
        allow_methods=["GET", "POST", "PUT", "PATCH", "DELETE"],
        allow_headers=ALLOWED,
        expose_headers=EXPOSED,
        max_age=600,
    )

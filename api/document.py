"""Document is the OpenAPI of the public API: the contexts' own, under the paths that clients call, with who may."""

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any

from starlette.routing import BaseRoute
from starlette.types import Receive, Scope, Send

from api.access import RULES, Rule
from api.answers import reply
from api.app import create_app
from api.described import with_headers
from api.paths import outward_of
from schemas.settings import CONTEXTS, Settings

_ADDED = ("RateLimit", "RateLimit-Policy", "Deprecation", "Sunset")
"""Headers of answers that the gateway adds, the last two where the version of the API is to end."""

_OUTSIDE = ("/health", "/ready")
"""What is there without the prefix too, and below it is not."""

SCHEME = {
    "type": "http",
    "scheme": "bearer",
    "bearerFormat": "JWT",
    "description": "From POST /api/auth/login; EdDSA, verified by the keys at /.well-known/jwks.json.",
}


class Document:
    """The document, of all contexts, wherever they run; made when first asked for."""

    def __init__(self, settings: Settings, routes: Mapping[str, Sequence[BaseRoute]]) -> None:
        self._settings = settings.model_copy(update={"contexts": ",".join(CONTEXTS), "ways": ""})
        self._context = {route.path: name for name, several in routes.items() for route in several}  # type: ignore[attr-defined]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await reply(self.document)(scope, receive, send)

    @cached_property
    def document(self) -> dict[str, Any]:
        """As clients read it."""
        inner: dict[str, Any] = create_app(self._settings, databases={}).openapi()
        paths = {self._called(path): _secured(path, found) for path, found in inner["paths"].items()}
        components = {**inner["components"], "securitySchemes": {"token": SCHEME}}
        return {**inner, "paths": paths, "components": components}

    def _called(self, path: str) -> str:
        return path if path in _OUTSIDE else outward_of(self._context.get(path, ""), path)


def _secured(path: str, methods: Mapping[str, Any]) -> dict[str, Any]:
    return {method: _may(RULES.get((method.upper(), path), Rule()), said) for method, said in methods.items()}


def _may(rule: Rule, operation: Mapping[str, Any]) -> dict[str, Any]:
    answers = {status: with_headers(answer, *_ADDED) for status, answer in operation["responses"].items()}
    operation = {**operation, "responses": answers}
    if rule.anyone:
        return {**operation, "security": []}
    roles = "; ".join(filter(None, [", ".join(sorted(rule.roles)), "a customer what is theirs" if rule.owner else ""]))
    said = f"{operation.get('description', '')}\n\nFor: {roles}.".strip()
    return {**operation, "description": said, "security": [{"token": []}]}

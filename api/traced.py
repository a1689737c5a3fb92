"""Traced is the middleware that begins a request's span, or goes on with the trace that its client names.

What is told of a request is its method, its route, its answer and its id; never its path, its body or who asks.
"""

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from events import tracing
from events.log import Place
from events.tracing import Fact
from schemas.values import Command


class Traced:
    """Stands outside of everything else; where tracing is off, it only passes requests on."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not tracing.on():
            return await self._app(scope, receive, send)
        method = scope["method"]
        given = next((value for name, value in scope["headers"] if name == b"traceparent"), b"").decode("latin-1")
        parent = given if tracing.parsed(given) else ""
        facts = {"http.request.method": method, "url.scheme": scope["scheme"]}
        with tracing.span("api", method, "server", parent, facts=facts) as span:

            async def told(message: Message) -> None:
                if message["type"] == "http.response.start":
                    status = message["status"]
                    span.state({"http.response.status_code": status})
                    if status >= 500:
                        span.failed(str(status))
                await send(message)

            try:
                await self._app(scope, receive, told)
            finally:
                span.note(request_id=scope.get("request_id", ""))
                if path := getattr(scope.get("route"), "path", ""):
                    span.rename(f"{method} {path}")
                    span.state({"http.route": path})


def sending(place: Place, command: Command) -> dict[str, Fact]:
    """What is told of a command that is put on its topic."""
    facts: dict[str, Fact] = {
        "messaging.system": "kafka",
        "messaging.operation.name": "send",
        "messaging.operation.type": "send",
        "messaging.destination.name": place.topic,
        "messaging.destination.partition.id": str(place.partition),
        "orderlog.command": command.tag,
        "orderlog.stream": command.stream,
    }
    order_id = getattr(command, "order_id", "")
    return {**facts, "orderlog.order_id": order_id} if order_id else facts

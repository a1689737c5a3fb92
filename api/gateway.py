"""Gateway is the one entry for all clients: who asks, how often, where it goes, and what is changed on the way."""

import asyncio
import json
import re
from collections.abc import Callable, Mapping, Sequence
from functools import partial

from starlette.requests import Request
from starlette.routing import BaseRoute, Match
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.bodies import raw_of
from api.everywhere import Everywhere
from api.paths import PREFIX, inward, outward, relinked, relinked_header
from api.problems import Problem, respond
from api.quota import Count, Policy, Quota, account_of, address_of, networks
from api.tokens import Principal, Tokens
from api.transform import RULES, VERSIONS, Headers, Rule, Version, answer_headers, request_headers, version_of
from schemas.settings import CONTEXTS, Settings

BODY_SECONDS = 10.0
"""That a client may take to send a body."""

DOCUMENT = "/openapi.json"
SIGNED = re.compile(r"/payments/webhooks/|/notifications/(unsubscribe/|reports/|[^/]+/reports/)")
"""What many send from few addresses: providers, and the mail programs of a whole provider."""
OF_ALL = ("/summary", "/statistics", "/dead-letters", "/projections")
"""What every context answers for itself."""


class Gateway:
    """Passes requests to the contexts: to apps in this process or to what runs apart, all as ASGI.

    `routes` are those of each context, `inner` what this process serves itself, `document` describes all of it.
    """

    def __init__(
        self,
        settings: Settings,
        tokens: Tokens,
        routes: Mapping[str, Sequence[BaseRoute]],
        apart: Mapping[str, ASGIApp],
        inner: ASGIApp,
        document: ASGIApp,
        rules: Sequence[Rule] = RULES,
        versions: Sequence[Version] = VERSIONS,
    ) -> None:
        here = dict.fromkeys(settings.chosen(), inner)
        self._apps: dict[str, ASGIApp] = {**here, **apart}
        self._tokens, self._routes, self._inner, self._document = tokens, routes, inner, document
        self._quota, self._trusted = Quota(settings), networks(settings.proxies)
        self._rules, self._versions = rules, versions

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        out = Outward(send, scope["path"], partial(answer_headers, self._rules, scope["path"]))
        try:
            await self._pass(scope, receive, out)
        except Problem as problem:
            if out.started:
                raise
            await respond(Request(scope), problem)(scope, receive, out)

    async def _pass(self, scope: Scope, receive: Receive, out: "Outward") -> None:
        version, public = version_of(scope["path"][len(PREFIX) :] or "/", self._versions)
        if version:
            out.prefix = f"{PREFIX}/{version.name}"
            out.extra += version.headers(f"{PREFIX}{version.successor and '/' + version.successor}{public}")
        headers = request_headers(self._rules, scope["path"], scope["headers"])
        principal = self._tokens.who(headers)
        login = scope["method"] == "POST" and (public == "/users" or public.startswith("/auth/"))
        await self._count(scope, out, public, principal, login)
        path = inward(public)
        app = self._app_for(scope, path, public)
        body = await _body(Request(scope, receive))
        if login:
            await self._count_account(out, body)
        inside = {**scope, "path": path, "raw_path": path.encode(), "root_path": "", "headers": headers}
        await app({**inside, "principal": principal}, _again(body, receive), out)

    async def _count(self, scope: Scope, out: "Outward", public: str, principal: Principal, login: bool) -> None:
        quota, address = self._quota, address_of(scope, self._trusted)
        if login:
            await self._counted(out, quota.login, address)
        elif principal.subject:
            await self._counted(out, quota.user, principal.subject)
        elif SIGNED.match(public):
            await self._counted(out, quota.webhook, address)
        else:
            await self._counted(out, quota.anonymous, address)

    async def _count_account(self, out: "Outward", body: bytes) -> None:
        """Attempts on one account count together, from whichever addresses they come."""
        try:
            email = json.loads(body)["email"]
        except (ValueError, TypeError, KeyError, RecursionError):
            return
        if isinstance(email, str):
            await self._counted(out, self._quota.account, account_of(email))

    async def _counted(self, out: "Outward", policy: Policy, who: str) -> None:
        count = await self._quota.count(policy, who)
        out.count = count if out.count is None or count.left <= out.count.left else out.count
        if not count.allowed:
            out.count = count
            said = f"{policy.limit} a minute are allowed to this {_WHOSE[policy.name]}."
            raise Problem("TooManyRequests", said, headers={"Retry-After": str(count.seconds)})

    def _app_for(self, scope: Scope, path: str, public: str) -> ASGIApp:
        """The app that answers.

        Raises:
            Problem: 404, if there is none.
        """
        if path in OF_ALL or path.startswith(("/commands/", "/dead-letters/", "/projections/")):
            return self._of_operations(path)
        if path == "/problems":
            return self._inner
        if public == DOCUMENT:
            return self._document
        context = self._context(scope, path)
        if context is None or (public.startswith("/auth/") and context != "user"):
            raise Problem("NotFound")
        return self._app(context)

    def _of_operations(self, path: str) -> ASGIApp:
        second = path.split("/")[2:3]
        if second and second[0] in CONTEXTS:
            return self._app(second[0])
        apps = list(dict.fromkeys(self._apps.values()))
        return apps[0] if len(apps) == 1 else Everywhere(apps)

    def _app(self, context: str) -> ASGIApp:
        if context not in self._apps:
            raise Problem("NotServedHere", f"Nobody knows where {context} is; ORDERLOG_WAYS says it.")
        return self._apps[context]

    def _context(self, scope: Scope, path: str) -> str | None:
        """Whose route it is; one that knows the path but not the method says so itself."""
        asked = {**scope, "path": path, "root_path": ""}
        found: str | None = None
        for context, routes in self._routes.items():
            for route in routes:
                match route.matches(asked)[0]:
                    case Match.FULL:
                        return context
                    case Match.PARTIAL:
                        found = found or context
        return found


_WHOSE = {
    "user": "user",
    "anonymous": "address without a token",
    "login": "address",
    "account": "account",
    "webhook": "address",
}


class Outward:
    """Sends an answer on as clients see it: links with the prefix, headers as the table says, the quota's beside."""

    def __init__(self, send: Send, asked: str, dress: Callable[[Headers], Headers]) -> None:
        self.prefix = PREFIX
        self.extra: Headers = []
        self.count: Count | None = None
        self.started = False
        self._send, self._asked, self._dress = send, asked, dress
        self._start: Message | None = None
        self._body = bytearray()

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self._start, self._body = {**message, "headers": self._headers(message["headers"])}, bytearray()
            if not _is_json(message["headers"]):
                await self._begin(self._start)
        elif self.started:
            await self._send(message)
        else:
            self._body += message.get("body", b"")
            if not message.get("more_body"):
                await self._all()

    def _called(self, path: str) -> str:
        return path if path.startswith(f"{PREFIX}/") else outward(path, self.prefix)

    async def _all(self) -> None:
        assert self._start is not None  # noqa: S101  a body comes after its start
        body = relinked(bytes(self._body), self._called, self._asked)
        headers = [(k, v) for k, v in self._start["headers"] if k != b"content-length"]
        headers.append((b"content-length", str(len(body)).encode()))
        await self._begin({**self._start, "headers": headers})
        await self._send({"type": "http.response.body", "body": body})

    async def _begin(self, start: Message) -> None:
        self.started = True
        await self._send(start)

    def _headers(self, headers: Headers) -> Headers:
        linked = [(k, self._linked(v) if k in (b"location", b"link") else v) for k, v in headers]
        counted = self.count.headers() if self.count else []
        return self._dress([*linked, *self.extra, *counted])

    def _linked(self, value: bytes) -> bytes:
        return relinked_header(value.decode("latin-1"), self._called).encode("latin-1")


def _is_json(headers: Headers) -> bool:
    kind = next((value for name, value in headers if name == b"content-type"), b"")
    return kind.startswith((b"application/json", b"application/problem+json"))


async def _body(request: Request) -> bytes:
    """All of the body.

    Raises:
        Problem: 408, 413.
    """
    try:
        async with asyncio.timeout(BODY_SECONDS):
            return await raw_of(request)
    except TimeoutError:
        raise Problem("RequestTimeout", headers={"Connection": "close"}) from None


def _again(body: bytes, receive: Receive) -> Receive:
    """The body once more, then whatever else the client says."""
    given = False

    async def receive_again() -> Message:
        nonlocal given
        if given:
            return await receive()
        given = True
        return {"type": "http.request", "body": body, "more_body": False}

    return receive_again

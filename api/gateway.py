"""Gateway is the one entry for all clients: who asks, how often, where it goes, and what is changed on the way."""

import asyncio
import json
import re
from collections.abc import Mapping, Sequence
from functools import partial

from starlette.requests import Request
from starlette.routing import BaseRoute, Match
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.bodies import raw_of
from api.everywhere import Everywhere
from api.naming import Naming
from api.outgoing import JSON, Outgoing, kind_of
from api.paths import PREFIX, inward
from api.problems import Problem, respond
from api.quota import Policy, Quota, account_of, address_of, networks
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
        out = Outgoing(send, scope["path"], partial(answer_headers, self._rules, scope["path"]))
        try:
            await self._pass(scope, receive, out)
        except Problem as problem:
            if out.started:
                raise
            await respond(Request(scope), problem)(scope, receive, out)

    async def close(self) -> None:
        """Let connections go."""
        await self._quota.close()

    async def _pass(self, scope: Scope, receive: Receive, out: Outgoing) -> None:
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
        if version and (naming := version.naming(public)) and not SIGNED.match(public):
            body, headers = _named_as_today(naming, body, headers)
            out.named(naming, scope["method"])
        if login:
            await self._count_account(out, body)
        inside = {**scope, "path": path, "raw_path": path.encode(), "root_path": "", "headers": headers}
        await app({**inside, "principal": principal}, _again(body, receive), out)

    async def _count(self, scope: Scope, out: Outgoing, public: str, principal: Principal, login: bool) -> None:
        quota, address = self._quota, address_of(scope, self._trusted)
        if login:
            await self._counted(out, quota.login, address)
        elif principal.subject:
            works_here = principal.roles - {"customer"}
            await self._counted(out, quota.staff if works_here else quota.user, principal.subject)
        elif SIGNED.match(public):
            await self._counted(out, quota.webhook, address)
        else:
            await self._counted(out, quota.anonymous, address)

    async def _count_account(self, out: Outgoing, body: bytes) -> None:
        """Attempts on one account count together, from whichever addresses they come."""
        try:
            email = json.loads(body)["email"]
        except (ValueError, TypeError, KeyError, RecursionError):
            return
        if isinstance(email, str):
            await self._counted(out, self._quota.account, account_of(email))

    async def _counted(self, out: Outgoing, policy: Policy, who: str) -> None:
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
    "staff": "user",
    "anonymous": "address without a token",
    "login": "address",
    "account": "account",
    "webhook": "address",
}


def _named_as_today(naming: Naming, body: bytes, headers: Headers) -> tuple[bytes, Headers]:
    """A JSON body under today's names, and the headers that fit it.

    Raises:
        Problem: 422.
    """
    if kind_of(headers) not in (JSON, b"") or not body:
        return body, headers
    body = naming.request(body)
    return body, [(k, str(len(body)).encode() if k == b"content-length" else v) for k, v in headers]


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

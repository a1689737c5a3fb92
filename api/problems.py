"""Problems are every error that a client sees (RFC 9457): one table says which status each has.

A code is for programs and never changes, a detail is for people. What a bug says stays in the log.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Match

from aggregates import errors as no
from events.errors import Fenced, TooLarge, Truncated, Unavailable
from events.tracing import here, trace_of
from projections.postgres import DatabaseUnavailable

REJECTIONS: dict[type[no.Rejection], int] = {
    no.OrderUnknown: 404,
    no.OrderExists: 409,
    no.OrderSettled: 409,
    no.OrderAlreadyShipped: 409,
    no.OrderAlreadySecured: 409,
    no.TooManyLines: 422,
    no.PriceStands: 409,
    no.OrderNotReady: 409,
    no.OrderNotShipped: 409,
    no.LineUnknown: 404,
    no.LineTooSmall: 409,
    no.ShipmentUnknown: 404,
    no.ReturnUnknown: 404,
    no.ReturnTooLarge: 409,
    no.ProductUnknown: 404,
    no.ProductExists: 409,
    no.ProductAlreadyWithdrawn: 409,
    no.StockHeld: 409,
    no.StockElsewhere: 409,
    no.StockThere: 409,
    no.WaitingListFull: 409,
    no.PaymentUnknown: 404,
    no.NothingToRefund: 409,
    no.AttemptNotAwaited: 409,
    no.RefundTooLarge: 422,
    no.UserUnknown: 404,
    no.EmailTaken: 409,
    no.CredentialsStale: 401,
    no.SessionOver: 401,
    no.TokenJustUsed: 409,
    no.ProofSpent: 422,
    no.AddressUnknown: 404,
    no.AddressExists: 409,
    no.TooManyAddresses: 409,
    no.SecurityMailStays: 422,
    no.KeyReused: 422,
    no.PreconditionFailed: 412,
    no.DeviceUnknown: 404,
    no.TooManyDevices: 409,
    no.PersonErased: 410,
    no.LetterUnknown: 404,
    no.LetterWaits: 409,
    no.LetterUnfit: 422,
}
PROBLEMS: dict[str, tuple[int, str]] = {
    "BadRequest": (400, "The request makes no sense."),
    "BadJson": (400, "The body is no JSON in UTF-8."),
    "BadIdempotencyKey": (400, "The Idempotency-Key is not 1 to 200 visible ASCII characters."),
    "BadSignature": (400, "The webhook's signature does not fit its body, or is older than 5 minutes."),
    "BadCondition": (422, "The If-Match header is neither * nor a list of entity tags that we have given."),
    "ConditionMissing": (428, "This command needs an If-Match header with the ETag of the resource."),
    "KeyRunning": (409, "A request under this Idempotency-Key is still being answered."),
    "BehindPosition": (503, "The read model has not reached the Log-Position in time."),
    "NotLoggedIn": (401, "There is no valid token."),
    "CredentialsWrong": (401, "E-mail address and password do not belong together, or the address is not verified."),
    "TokenReused": (401, "The token had been exchanged before, so its session has been ended: log in anew."),
    "PasswordWrong": (403, "The old password is another one."),
    "Forbidden": (403, "None of your roles may do this."),
    "SignatureWrong": (403, "The provider's signature does not fit what it signs."),
    "NotFound": (404, "There is nothing here."),
    "NotServedHere": (404, "This process does not serve a context that the answer needs."),
    "MethodNotAllowed": (405, "The resource does not know this method."),
    "RequestTimeout": (408, "The request did not come in time."),
    "HeadTooLarge": (431, "The head of the request has more than 64 KiB, or more than 200 headers."),
    "BodyTooLarge": (413, "The body is too large."),
    "UnsupportedMediaType": (415, "The body must be application/json."),
    "Invalid": (422, "The request does not fit its schema."),
    "OrdersOpen": (409, "An order of this person is still to be shipped: erase them when it is, or cancel it."),
    "SkuUnknown": (422, "A line names a product that is not on sale."),
    "TooManyRequests": (429, "You have asked too often; wait as long as Retry-After says."),
    "TooManyStreams": (429, "You follow as many streams as one user may; end one of them."),
    "InternalError": (500, "This is our fault, and it has been logged."),
    "CommandParked": (500, "The command was set aside for a person to look at; it has changed nothing."),
    "LetterFailedAgain": (409, "The dead letter could not be handled this time either; it stays in its place."),
    "LetterDiscarded": (409, "The command was set aside, and somebody has decided that it is not to be handled."),
    "LogUnavailable": (503, "The log cannot be reached; nothing has been written."),
    "OutcomeUnknown": (503, "The log has not answered in time; the command may have been written."),
    "ReadModelUnavailable": (503, "The read model cannot be reached."),
    "ContextUnavailable": (503, "The context that would answer cannot be reached."),
    "NotReady": (503, "The service is not ready."),
    "Busy": (503, "Too many requests of this kind wait already."),
    **{cls.__name__: (status, cls.__doc__ or "") for cls, status in REJECTIONS.items()},
}
EXCEPTIONS: dict[type[Exception], str] = {
    Unavailable: "LogUnavailable",
    Truncated: "LogUnavailable",
    Fenced: "OutcomeUnknown",
    TooLarge: "BodyTooLarge",
    DatabaseUnavailable: "ReadModelUnavailable",
}
_BY_STATUS = {400: "BadRequest", 404: "NotFound", 405: "MethodNotAllowed", 413: "BodyTooLarge"}
_LISTED = 20
"""Errors that one problem lists; a body can have thousands."""


class Problem(Exception):
    """A request that cannot be answered as asked. `more` are extension members, such as `command_id`."""

    def __init__(
        self,
        code: str,
        detail: str = "",
        errors: Sequence[Mapping[str, str]] = (),
        headers: Mapping[str, str] | None = None,
        **more: Any,
    ) -> None:
        super().__init__(detail or code)
        self.code, self.detail, self.errors, self.more = code, detail, errors, more
        self.status, self.title = PROBLEMS.get(code, (409, "A rule says no."))
        self.headers = dict(headers or {})


def field_error(where: Sequence[str | int], detail: str, code: str) -> dict[str, str]:
    """What is wrong with one field of a body: as people write it, and as a JSON pointer (RFC 6901)."""
    parts = [str(part)[:100] for part in where]
    name = "".join(f"[{part}]" if part.isdigit() else f".{part}" for part in parts).lstrip(".")
    pointer = "".join("/" + part.replace("~", "~0").replace("/", "~1") for part in parts)
    return {"field": name, "pointer": f"#{pointer}", "detail": detail, "code": code}


def invalid(errors: Sequence[Mapping[str, str]]) -> Problem:
    """A 422 that names the fields."""
    listed = list(errors[:_LISTED])
    detail = "; ".join(f"{error['field'] or 'body'}: {error['detail']}" for error in listed[:3])
    return Problem("Invalid", detail, listed)


def respond(request: Request, problem: Problem) -> Response:
    """The problem as a response."""
    said = {
        "type": f"/problems#{problem.code}",
        "title": problem.title,
        "status": problem.status,
        "code": problem.code,
        "detail": problem.detail or problem.title,
        "instance": request.url.path,
        "request_id": request.scope.get("request_id", ""),
        **_traced(request),
        **({"errors": problem.errors} if problem.errors else {}),
        **problem.more,
    }
    if problem.status == 503:
        problem.headers.setdefault("Retry-After", "1")
    return Response(msgspec.json.encode(said), problem.status, problem.headers, "application/problem+json")


def _traced(request: Request) -> dict[str, str]:
    """The id of the trace that the request belongs to: ours, or the one that it names (W3C Trace Context)."""
    trace = trace_of(here() or request.headers.get("traceparent", ""))
    return {"trace_id": trace} if trace else {}


async def on_problem(request: Request, error: Exception) -> Response:
    assert isinstance(error, Problem)  # noqa: S101  registered for this class only
    return respond(request, error)


async def on_known(request: Request, error: Exception) -> Response:
    """An exception of the table. Its text names our servers, so clients get the table's words."""
    code = next(code for cls, code in EXCEPTIONS.items() if isinstance(error, cls))
    return respond(request, Problem(code))


async def on_http(request: Request, error: Exception) -> Response:
    """What the framework refuses: no such path, no such method."""
    assert isinstance(error, HTTPException)  # noqa: S101
    headers = {"Allow": ", ".join(_known_methods(request))} if error.status_code == 405 else error.headers
    return respond(request, Problem(_BY_STATUS.get(error.status_code, "BadRequest"), headers=headers))


def _known_methods(request: Request) -> list[str]:
    """The methods of all routes to this path; the framework would name those of the first one it finds."""
    asked = [(method, {**request.scope, "method": method}) for method in ("GET", "POST")]
    return [name for name, scope in asked if any(r.matches(scope)[0] is Match.FULL for r in request.app.routes)]


async def on_invalid(request: Request, error: Exception) -> Response:
    """Parameters of the path and the query that do not fit."""
    assert isinstance(error, RequestValidationError)  # noqa: S101
    return respond(request, invalid([field_error(e["loc"][1:], e["msg"], e["type"]) for e in error.errors()]))


HANDLERS = {
    Problem: on_problem,
    HTTPException: on_http,
    RequestValidationError: on_invalid,
    **dict.fromkeys(EXCEPTIONS, on_known),
}

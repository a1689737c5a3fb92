"""Access says who may do what, one line a route: a route that is not listed is nobody's.

A customer sees and touches what is theirs. What is another's looks as if it were not there: the same question is asked
about both, and the same answer given, in the same time.
"""

from typing import NamedTuple
from uuid import uuid4

from fastapi import Request
from starlette.types import ASGIApp, Receive, Scope, Send

from api.owners import owner_of
from api.problems import Problem, field_error, invalid
from api.tokens import ROLES, Principal, Role, Tokens
from api.watch import Row
from events.ids import mark
from events.order import OrderNoted


class Rule(NamedTuple):
    """Who may: these roles, or the customer whom, or whose order, the path names; or `anyone`, without a token too."""

    roles: frozenset[Role] = frozenset()
    owner: bool = False
    anyone: bool = False


def _may(*roles: Role, owner: bool = False) -> Rule:
    return Rule(frozenset(roles), owner)


ANYONE = Rule(anyone=True)
_LOGGED_IN = Rule(frozenset(ROLES))
_STAFF = _may("staff")
_OPERATOR = _may("operator")
_FIGURES = _may("staff", "operator", "analyst")
_READ = _may("staff", "analyst", owner=True)
_THEIRS_ALONE = _may(owner=True)

RULES: dict[tuple[str, str], Rule] = {
    # order
    ("POST", "/orders"): _may("customer", "staff"),
    ("GET", "/orders"): _may("customer", "staff", "analyst"),
    ("GET", "/orders/{order_id}"): _READ,
    ("GET", "/orders/{order_id}/history"): _READ,
    ("GET", "/orders/{order_id}/live"): _may("staff", owner=True),
    ("POST", "/orders/{order_id}/cancel"): _may("staff", owner=True),
    ("POST", "/orders/{order_id}/ship"): _STAFF,
    ("POST", "/orders/{order_id}/deliver"): _STAFF,
    ("POST", "/orders/{order_id}/lines/{sku}/cancel"): _may("staff", owner=True),
    ("POST", "/orders/{order_id}/address"): _may("staff", owner=True),
    ("POST", "/orders/{order_id}/amend"): _may("staff", owner=True),
    ("POST", "/orders/{order_id}/notes"): _may("staff", owner=True),
    ("POST", "/orders/{order_id}/returns"): _may("staff", owner=True),
    ("POST", "/orders/{order_id}/returns/{return_id}/receive"): _STAFF,
    ("GET", "/customers/{customer_id}/live"): _may("customer", "staff"),
    ("GET", "/customers/{customer_id}/spending"): _may("customer", "staff", "analyst"),
    ("GET", "/spending"): _may("staff", "analyst"),
    ("GET", "/revenue"): _may("staff", "analyst"),
    # product
    ("GET", "/products"): ANYONE,
    ("GET", "/products/search"): ANYONE,
    ("GET", "/products/{sku}"): ANYONE,
    ("GET", "/products/{sku}/prices"): ANYONE,
    ("GET", "/products/{sku}/stock"): _may("staff", "analyst"),
    ("POST", "/products"): _STAFF,
    ("POST", "/products/{sku}/describe"): _STAFF,
    ("POST", "/products/{sku}/price"): _STAFF,
    ("POST", "/products/{sku}/withdraw"): _STAFF,
    ("POST", "/products/{sku}/stock/receive"): _STAFF,
    ("POST", "/products/{sku}/stock/adjust"): _STAFF,
    ("POST", "/products/{sku}/stock/count"): _STAFF,
    ("POST", "/products/{sku}/stock/transfer"): _STAFF,
    ("POST", "/products/{sku}/stock/low"): _STAFF,
    ("POST", "/products/{sku}/stock/await"): _may("customer", "staff"),
    ("POST", "/products/{sku}/stock/stop-awaiting"): _may("customer", "staff"),
    # payment
    ("POST", "/orders/{order_id}/refund"): _STAFF,
    ("POST", "/payments/{order_id}/attempts"): _may("staff", owner=True),
    ("GET", "/payments"): _may("staff", "analyst"),
    ("GET", "/payments/{order_id}"): _READ,
    ("POST", "/payments/webhooks/{sender}"): ANYONE,  # whoever knows the secret that it is signed with
    # user
    ("POST", "/users"): ANYONE,
    ("POST", "/users/verification"): ANYONE,
    ("POST", "/users/verify"): ANYONE,
    ("POST", "/login"): ANYONE,
    ("POST", "/refresh"): ANYONE,
    ("POST", "/logout"): ANYONE,
    ("POST", "/logout/all"): _LOGGED_IN,
    ("POST", "/password-reset"): ANYONE,
    ("POST", "/password-reset/confirm"): ANYONE,
    ("GET", "/me"): _LOGGED_IN,
    ("POST", "/me/profile"): _LOGGED_IN,
    ("POST", "/me/password"): _LOGGED_IN,
    ("POST", "/me/addresses"): _LOGGED_IN,
    ("POST", "/me/addresses/{address_id}"): _LOGGED_IN,
    ("POST", "/me/addresses/{address_id}/default"): _LOGGED_IN,
    ("POST", "/me/addresses/{address_id}/remove"): _LOGGED_IN,
    ("POST", "/me/preferences"): _LOGGED_IN,
    ("POST", "/me/delete"): _LOGGED_IN,
    ("POST", "/users/{user_id}/erase"): _may("customer", "staff"),
    ("POST", "/keys"): ANYONE,  # whoever proves to be of this house; the gateway has no way to it
    ("GET", "/.well-known/jwks.json"): ANYONE,
    # notification
    ("GET", "/notifications"): _may("customer", "staff"),
    ("GET", "/notifications/{notification_id}"): _may("customer", "staff"),
    ("GET", "/orders/{order_id}/notifications"): _may("staff", owner=True),
    ("GET", "/notifications/contacts/{customer_id}"): _may("staff", owner=True),
    ("POST", "/notifications/contacts/{customer_id}/describe"): _THEIRS_ALONE,
    ("POST", "/notifications/contacts/{customer_id}/channels"): _THEIRS_ALONE,
    ("POST", "/notifications/contacts/{customer_id}/devices"): _THEIRS_ALONE,
    ("POST", "/notifications/contacts/{customer_id}/devices/{device_id}/drop"): _THEIRS_ALONE,
    ("POST", "/notifications/contacts/{customer_id}/trust"): _STAFF,
    ("GET", "/notifications/templates"): _STAFF,
    ("GET", "/notifications/templates/{name}/preview"): _STAFF,
    ("GET", "/notifications/unsubscribe/{token}"): ANYONE,  # whoever has the mail that the link is in
    ("POST", "/notifications/unsubscribe/{token}"): ANYONE,
    ("POST", "/notifications/{notification_id}/reports/twilio"): ANYONE,  # signed, too
    ("POST", "/notifications/reports/mail"): ANYONE,
    # operations; of commands everybody sees their own
    ("GET", "/commands/{command_id}"): ANYONE,
    ("GET", "/commands/{context}/{command_id}"): ANYONE,
    ("GET", "/summary"): _FIGURES,
    ("GET", "/statistics"): _FIGURES,
    ("GET", "/projections"): _OPERATOR,
    ("GET", "/projections/{context}/{name}"): _OPERATOR,
    ("GET", "/projections/{context}/{name}/progress"): _OPERATOR,
    ("GET", "/dead-letters"): _OPERATOR,
    ("GET", "/dead-letters/{context}"): _OPERATOR,
    ("GET", "/dead-letters/{context}/{letter}"): _OPERATOR,
    ("POST", "/dead-letters/{context}/{letter}/retry"): _OPERATOR,
    ("POST", "/dead-letters/{context}/{letter}/edit"): _OPERATOR,
    ("POST", "/dead-letters/{context}/{letter}/discard"): _OPERATOR,
    ("GET", "/health"): ANYONE,
    ("GET", "/ready"): ANYONE,
    ("GET", "/"): _FIGURES,
    ("GET", "/problems"): ANYONE,
}
"""By method and path of the route."""

WHOLE: frozenset[Role] = frozenset({"staff", "analyst"})
"""Roles that see every customer's orders."""
TOLD: frozenset[Role] = frozenset({"staff"})
"""Roles that see what every customer was told."""


class Recognize:
    """Finds out who asks, unless the gateway has in this process: `principal` of the scope is somebody, nobody, or
    not there, for those who come from inside without a valid token, where the settings let them."""

    def __init__(self, app: ASGIApp, tokens: Tokens, inside: bool) -> None:
        self._app, self._tokens, self._inside = app, tokens, inside

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and "principal" not in scope:
            principal = self._tokens.who(scope["headers"])
            if principal.subject or not self._inside:
                scope["principal"] = principal
        await self._app(scope, receive, send)


def principal_of(request: Request) -> Principal | None:
    """Who asks; None if it is one of us, from inside."""
    principal: Principal | None = request.scope.get("principal")
    return principal


async def admit(request: Request) -> None:
    """Let a request in, before anything of it is read, except that it must be an owner's.

    Raises:
        Problem: 401, 403.
    """
    principal, rule = principal_of(request), _rule_of(request)
    if principal is None or rule.anyone or rule.roles & principal.roles:
        return
    if not principal.subject:
        raise not_logged_in()
    if not (rule.owner and "customer" in principal.roles):
        raise Problem("Forbidden")
    if request.path_params.get("customer_id", principal.subject) != principal.subject:
        raise Problem("NotFound")


async def admit_owner(request: Request) -> None:
    """Let in what a customer asks of an order, if it is theirs; once the read models have what the client has seen.

    Raises:
        Problem: the 404 of what is not there.
    """
    principal, rule = principal_of(request), _rule_of(request)
    if principal is None or rule.anyone or rule.roles & principal.roles:
        return
    if "customer_id" in request.path_params:
        return  # admit has compared it
    if await owner_of(request, request.path_params["order_id"]) != principal.subject:
        of_payment = request.scope["route"].path.startswith("/payments/")
        raise Problem("PaymentUnknown" if of_payment else "OrderUnknown")


def _rule_of(request: Request) -> Rule:
    return RULES.get((request.method, request.scope["route"].path), Rule())


def not_logged_in() -> Problem:
    """A 401."""
    return Problem("NotLoggedIn", headers={"WWW-Authenticate": "Bearer"})


def user_of(request: Request) -> str:
    """The id of the user who asks.

    Raises:
        Problem: 401, if nobody is logged in.
    """
    principal = principal_of(request)
    if principal is None or not principal.subject:
        raise not_logged_in()
    return principal.subject


def only_of(request: Request, whole: frozenset[Role] = WHOLE) -> str | None:
    """The customer of whom alone this request may see something; None if it may see all, as these roles may."""
    principal = principal_of(request)
    return None if principal is None or principal.roles & whole else principal.subject


def shown(request: Request, row: Row) -> Row:
    """What of a row this request may see: what staff write down for each other is no customer's business."""
    return row if only_of(request) is None or "staff_notes" not in row else {**row, "staff_notes": []}


def among_staff(row: Row) -> bool:
    """Whether a recorded event is what staff write down for each other."""
    return bool(row["type"] == OrderNoted.tag and row["data"]["audience"] == "staff")


def refuse_foreign(request: Request, customer_id: str) -> None:
    """A customer asks for themselves.

    Raises:
        Problem: 422, naming the field.
    """
    only = only_of(request)
    if only is not None and customer_id != only:
        raise invalid([field_error(["customer_id"], f"is not you; you are {only}", "customer_not_you")])


def refuse_foreign_order(request: Request, customer_id: str, order_id: str | None) -> None:
    """A customer orders for themselves, under an id that we choose: their own choice could tell which ids exist.

    Raises:
        Problem: 422, naming the field.
    """
    refuse_foreign(request, customer_id)
    if only_of(request) is not None and order_id is not None:
        raise invalid([field_error(["order_id"], "is chosen here; leave it out", "order_id_chosen")])


def whose(request: Request) -> str:
    """Who asks, as ids of commands and cursors are bound to it; empty for those inside, and for nobody else."""
    principal = principal_of(request)
    return "" if principal is None else f"user {principal.subject}"


def visible_command(request: Request, command_id: str) -> str:
    """The id, if the command may be seen, as it says whose it is; else one that no command has."""
    principal = principal_of(request)
    if principal is None or principal.roles & {"staff", "operator"} or command_id.startswith(mark(whose(request))):
        return command_id
    return str(uuid4())

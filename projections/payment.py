"""Payment view: where the money of an order is."""

from datetime import datetime
from typing import Any, assert_never

from msgspec import Struct
from msgspec.structs import replace

from events.event import Event
from events.payment import (
    AttemptDeclined,
    AuthorizationExpired,
    CaptureAwaited,
    CaptureRequested,
    CardAwaited,
    PaymentAttempted,
    PaymentAuthorized,
    PaymentCancelled,
    PaymentCaptured,
    PaymentDeclined,
    PaymentEvent,
    PaymentGivenUp,
    PaymentLapsed,
    PaymentReduced,
    PaymentRefunded,
    PaymentRefused,
    PaymentRequested,
    PaymentVoided,
    RefundRequested,
    RenewalDeclined,
    RenewalRequested,
    ShipmentCaptureRequested,
    StrayAuthorized,
    StrayVoided,
    VoidRequested,
)
from projections.view import Projection

TAKEN = ("captured", "refunding", "refunded")
"""Where all that was to be captured is."""


class PaymentView(Struct, frozen=True):
    """One payment; amounts in minor units, `refunds` are those that the provider has not answered yet, by id.

    Of the amount, so much will not be captured, or was not, as is `reduced`. While it is `awaiting_method`, another
    card may be named until it is due. Each of its `attempts` says how much it asked for, when, and what came of it;
    `attempts_left` may follow. What is authorized is held until it `expires_at`, if that is known.
    Where money is taken `per_shipment`, `captures` lists what for, until it is `closed`.
    """

    order_id: str
    status: str
    reason: str
    currency: str
    amount: int
    captured: int
    refunded: int
    refunds: dict[str, int]
    reference: str
    requested_at: datetime
    updated_at: datetime
    reduced: int = 0
    due_at: datetime | None = None
    expires_at: datetime | None = None
    attempts_left: int = 0
    attempts: list[dict[str, Any]] = []
    capture: str = "at_confirmation"
    captures: list[dict[str, Any]] = []
    closed: bool = False


def project(view: PaymentView | None, event: PaymentEvent, at: datetime) -> PaymentView | None:
    if isinstance(event, PaymentRequested):
        return _requested(event, at)
    if view is None:
        return None
    match event:
        case PaymentAuthorized():
            status = "partially_captured" if view.captured else "authorized"
            changed = replace(_came_of(view, at, "authorized"), status=status, reference=event.reference)
            changed = replace(changed, expires_at=event.expires_at)
        case AuthorizationExpired():
            changed = replace(
                _forgone(view, event.final), status="expired", reason="the authorization expired", expires_at=None
            )
        case RenewalRequested():
            attempts = [*view.attempts, _asked(event.attempt, event.amount, at)]
            changed = replace(view, status="requested", attempts=attempts)
        case PaymentDeclined() | RenewalDeclined():
            changed = _came_of(view, at, "declined", event.reason)
            changed = replace(changed, status="declined", reason=event.reason, refunds=_of_taken(view))
        case AttemptDeclined():
            changed = _came_of(view, at, "declined", event.reason)
            changed = replace(changed, status="awaiting_method", reason=event.reason)
        case CardAwaited():
            left = event.attempts_left
            changed = replace(view, status="awaiting_method", due_at=event.due_at, attempts_left=left)
        case PaymentGivenUp():
            changed = _given_up(view, event)
        case PaymentAttempted():
            attempts = [*view.attempts, _asked(event.attempt, event.amount, at)]
            changed = replace(
                view, status="requested", reason="", attempts=attempts, attempts_left=view.attempts_left - 1
            )
        case StrayAuthorized() | StrayVoided() | CaptureAwaited():
            changed = view
        case PaymentLapsed():
            changed = _off(view, "the provider did not answer in time", "no other card was named in time")
        case PaymentCancelled():
            changed = _off(view, "order off", "order off")
        case PaymentReduced():
            changed = replace(view, reason=event.reason, reduced=view.reduced + event.amount)
        case CaptureRequested():
            changed = replace(view, status="capturing")
        case ShipmentCaptureRequested():
            capture = {"shipment_id": event.shipment_id, "amount": event.amount, "asked_at": at.isoformat()}
            captures = [*view.captures, {**capture, "captured_at": None}]
            changed = replace(view, captures=captures, closed=view.closed or event.final)
        case PaymentCaptured(shipment_id=""):
            status = "refunding" if view.refunds else "captured"
            changed = replace(view, status=status, reference=event.reference, captured=event.amount)
        case PaymentCaptured():
            changed = _taken(view, event, at)
        case VoidRequested():
            changed = replace(view, status="voiding", refunds=_of_taken(view))
        case PaymentVoided():
            changed = replace(view, status="voided")
        case RefundRequested():
            refunds = {**view.refunds, event.refund_id: event.amount}
            # Elsewhere, nothing is there to give back yet, or more is to come.
            status = "refunding" if view.status in TAKEN else view.status
            changed = replace(view, status=status, reason=event.reason, refunds=refunds)
        case PaymentRefunded():
            changed = _given(view, event.refund_id, event.amount)
        case PaymentRefused():
            changed = replace(_refused(view, event.step), reason=f"{event.step}: {event.reason}")
        case _:
            assert_never(event)
    return replace(changed, updated_at=at)


def _requested(event: PaymentRequested, at: datetime) -> PaymentView:
    return PaymentView(
        order_id=event.order_id,
        status="requested",
        reason="",
        currency=event.currency,
        amount=event.amount,
        captured=0,
        refunded=0,
        refunds={},
        reference="",
        requested_at=at,
        updated_at=at,
        due_at=event.due_at,
        attempts_left=event.attempts - 1,
        attempts=[_asked(1, event.amount, at)],
        capture=event.capture,
    )


def _asked(attempt: int, amount: int, at: datetime) -> dict[str, Any]:
    asked = {"attempt": attempt, "amount": amount, "asked_at": at.isoformat()}
    return {**asked, "status": "asked", "reason": "", "answered_at": None}


def _came_of(view: PaymentView, at: datetime, status: str, reason: str = "") -> PaymentView:
    """The last attempt has its answer."""
    *before, last = view.attempts
    answered = {**last, "status": status, "reason": reason, "answered_at": at.isoformat()}
    return replace(view, attempts=[*before, answered])


def _forgone(view: PaymentView, final: bool) -> PaymentView:
    """What was to be given back of what was not taken."""
    if view.capture == "at_confirmation":
        return replace(view, reduced=view.reduced + sum(view.refunds.values()), refunds={})
    return replace(view, refunds={}) if final and not view.captured else view


def _of_taken(view: PaymentView) -> dict[str, int]:
    """What is still to be given back once no more is to be taken."""
    return view.refunds if view.captures and view.captured else {}


def _given_up(view: PaymentView, event: PaymentGivenUp) -> PaymentView:
    """No more is taken, and what was to be given back of it is not."""
    forgone = {less.refund_id: less.amount for less in event.forgone}
    left = {key: amount - forgone.get(key, 0) for key, amount in view.refunds.items()}
    refunds = {key: amount for key, amount in left.items() if amount}
    reduced = view.reduced + sum(forgone.values())
    over = replace(view, reason=event.reason, refunds=refunds, reduced=reduced, closed=True)
    return replace(over, status="declined" if event.unpaid else _settled(over))


def _off(view: PaymentView, asked: str, awaiting: str) -> PaymentView:
    """Nothing is to be kept; where nobody is being asked, it is over."""
    if view.status == "awaiting_method":
        return replace(view, status="declined", reason=awaiting)
    return replace(view, reason=asked)


def _refused(view: PaymentView, step: str) -> PaymentView:
    match step.split(":"):
        case ["refund", refund_id, *_]:
            return _answered(view, refund_id)
        case ["void", _]:
            return view
        case _:
            return replace(view, status="refused", refunds=_of_taken(view))


def _taken(view: PaymentView, event: PaymentCaptured, at: datetime) -> PaymentView:
    """The money of one shipment is ours."""
    captures = [
        {**each, "captured_at": at.isoformat()} if each["shipment_id"] == event.shipment_id else each
        for each in view.captures
    ]
    taken = replace(view, captures=captures, captured=view.captured + event.amount, reference=event.reference)
    if not view.closed or any(each["captured_at"] is None for each in captures):
        return replace(taken, status="partially_captured")
    return replace(taken, status="refunding" if view.refunds else "captured")


def _answered(view: PaymentView, refund_id: str) -> PaymentView:
    refunds = {key: amount for key, amount in view.refunds.items() if key != refund_id}
    if view.status not in TAKEN:
        return replace(view, refunds=refunds)
    answered = replace(view, refunds=refunds)
    return replace(answered, status=_settled(answered))


def _given(view: PaymentView, refund_id: str, amount: int) -> PaymentView:
    """A refund is given, or a piece of it."""
    given = replace(view, refunded=view.refunded + amount)
    left = view.refunds.get(refund_id, 0) - amount
    if left <= 0:
        return _answered(given, refund_id)
    return replace(given, refunds={**view.refunds, refund_id: left})


def _settled(view: PaymentView) -> str:
    """Where all that was to be taken is."""
    return "refunding" if view.refunds else "refunded" if view.refunded == view.captured else "captured"


def key_of(event: Event) -> str | None:
    return getattr(event, "order_id", None)


PAYMENTS = Projection(
    name="payments",
    context="payment",
    view=PaymentView,
    key_of=key_of,
    project=project,
    version=3,
    indexes=("CREATE INDEX {table}_by_time ON {table} (requested_at DESC, order_id DESC)",),
)

ONE = "SELECT * FROM payments WHERE order_id = %(order_id)s"
PAGE = """
SELECT * FROM payments
WHERE (%(before_at)s::timestamptz IS NULL OR (requested_at, order_id) < (%(before_at)s, %(before_id)s))
ORDER BY requested_at DESC, order_id DESC LIMIT %(limit)s
"""
MONEY = """
SELECT currency, count(*) AS payments, sum(captured)::bigint AS captured, sum(refunded)::bigint AS refunded,
  count(*) FILTER (WHERE status = 'declined') AS declined, count(*) FILTER (WHERE status = 'voided') AS voided,
  count(*) FILTER (WHERE status IN ('requested', 'awaiting_method', 'capturing', 'voiding', 'refunding')
    OR (status = 'authorized' AND capture = 'at_confirmation')
    OR (status IN ('authorized', 'partially_captured')
      AND (captures @? '$[*] ? (@.captured_at == null)' OR refunds <> '{}'::jsonb))
  ) AS under_way
FROM payments GROUP BY currency
"""

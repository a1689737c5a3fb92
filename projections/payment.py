"""Payment view: where the money of an order is."""

from datetime import datetime
from typing import assert_never

from msgspec import Struct
from msgspec.structs import replace

from events.event import Event
from events.payment import (
    CaptureRequested,
    PaymentAuthorized,
    PaymentCancelled,
    PaymentCaptured,
    PaymentDeclined,
    PaymentEvent,
    PaymentLapsed,
    PaymentReduced,
    PaymentRefunded,
    PaymentRefused,
    PaymentRequested,
    PaymentVoided,
    RefundRequested,
    VoidRequested,
)
from projections.view import Projection


class PaymentView(Struct, frozen=True):
    """One payment; amounts in minor units, `refunds` are those that the provider has not answered yet, by id.

    Of the amount, so much will not be captured, or was not, as is `reduced`.
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


def project(view: PaymentView | None, event: PaymentEvent, at: datetime) -> PaymentView | None:
    if isinstance(event, PaymentRequested):
        return PaymentView(event.order_id, "requested", "", event.currency, event.amount, 0, 0, {}, "", at, at)
    if view is None:
        return None
    match event:
        case PaymentAuthorized():
            changed = replace(view, status="authorized", reference=event.reference)
        case PaymentDeclined():
            changed = replace(view, status="declined", reason=event.reason)
        case PaymentLapsed():
            changed = replace(view, reason="the provider did not answer in time")
        case PaymentCancelled():
            changed = replace(view, reason="order off")
        case PaymentReduced():
            changed = replace(view, reason=event.reason, reduced=view.reduced + event.amount)
        case CaptureRequested():
            changed = replace(view, status="capturing")
        case PaymentCaptured():
            status = "refunding" if view.refunds else "captured"
            changed = replace(view, status=status, reference=event.reference, captured=event.amount)
        case VoidRequested():
            changed = replace(view, status="voiding")
        case PaymentVoided():
            changed = replace(view, status="voided")
        case RefundRequested():
            refunds = {**view.refunds, event.refund_id: event.amount}
            status = "refunding" if view.status != "capturing" else view.status  # nothing is there to give back yet
            changed = replace(view, status=status, reason=event.reason, refunds=refunds)
        case PaymentRefunded():
            changed = _answered(replace(view, refunded=view.refunded + event.amount), event.refund_id)
        case PaymentRefused():
            _, _, refund_id = event.step.partition(":")
            changed = _answered(view, refund_id) if refund_id else replace(view, status="refused", refunds={})
            changed = replace(changed, reason=f"{event.step}: {event.reason}")
        case _:
            assert_never(event)
    return replace(changed, updated_at=at)


def _answered(view: PaymentView, refund_id: str) -> PaymentView:
    refunds = {key: amount for key, amount in view.refunds.items() if key != refund_id}
    status = "refunding" if refunds else "refunded" if view.refunded == view.captured else "captured"
    return replace(view, refunds=refunds, status=status)


def key_of(event: Event) -> str | None:
    return getattr(event, "order_id", None)


PAYMENTS = Projection(
    name="payments",
    context="payment",
    view=PaymentView,
    key_of=key_of,
    project=project,
    version=2,
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
  count(*) FILTER (WHERE status IN ('requested', 'authorized', 'capturing', 'voiding', 'refunding')) AS under_way
FROM payments GROUP BY currency
"""

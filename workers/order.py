"""Order reactions: what an order does when product or payment has spoken."""

from events.payment import (
    AuthorizationExpired,
    PaymentAuthorized,
    PaymentDeclined,
    PaymentGivenUp,
    PaymentLapsed,
    PaymentRefused,
    RenewalDeclined,
)
from events.product import (
    ReservationCommitted,
    ReservationExtended,
    ReservationLapsed,
    ReservationMade,
    ReservationRefused,
)
from schemas.order import (
    CancelOrder,
    CancelRest,
    ConfirmOrder,
    RecordCommitment,
    RecordLapse,
    RecordReservation,
    RejectOrder,
)
from workers.policy import on


def record_when_reserved(event: ReservationMade) -> list[RecordReservation]:
    return [RecordReservation(order_id=event.order_id, skus=tuple(item.sku for item in event.items))]


def record_when_extended(event: ReservationExtended) -> list[RecordReservation]:
    skus = tuple(item.sku for item in event.items)
    return [RecordReservation(order_id=event.order_id, skus=skus, amendment_id=event.part_id)]


def reject_when_refused(event: ReservationRefused) -> list[RejectOrder]:
    return [RejectOrder(order_id=event.order_id, reason=event.reason, skus=event.skus)]


def record_when_committed(event: ReservationCommitted) -> list[RecordCommitment]:
    return [RecordCommitment(order_id=event.order_id, skus=event.skus)]


def reject_or_cancel_when_lapsed(event: ReservationLapsed) -> list[RecordLapse]:
    return [RecordLapse(order_id=event.order_id, skus=event.skus)]


def confirm_when_authorized(event: PaymentAuthorized) -> list[ConfirmOrder]:
    return [ConfirmOrder(order_id=event.order_id)]


def reject_when_declined(event: PaymentDeclined) -> list[RejectOrder]:
    return [RejectOrder(order_id=event.order_id, reason=f"payment declined: {event.reason}")]


def reject_when_overdue(event: PaymentLapsed) -> list[RejectOrder]:
    return [RejectOrder(order_id=event.order_id, reason="payment overdue")]


def cancel_when_not_captured(event: PaymentRefused) -> list[CancelOrder]:
    if event.step.partition(":")[0] != "capture":
        return []
    return [CancelOrder(order_id=event.order_id, reason=f"payment not captured: {event.reason}"[:200])]


def cancel_when_expired(event: AuthorizationExpired) -> list[CancelRest]:
    return [CancelRest(order_id=event.order_id, reason="payment expired")] if event.final else []


def cancel_when_not_renewed(event: RenewalDeclined) -> list[CancelRest]:
    return [CancelRest(order_id=event.order_id, reason=f"payment expired, and declined: {event.reason}"[:200])]


def cancel_when_given_up(event: PaymentGivenUp) -> list[CancelRest]:
    return [CancelRest(order_id=event.order_id, reason=f"payment expired: {event.reason}"[:200])]


REACTIONS = (
    on(ReservationMade, record_when_reserved),
    on(ReservationExtended, record_when_extended),
    on(ReservationRefused, reject_when_refused),
    on(ReservationCommitted, record_when_committed),
    on(ReservationLapsed, reject_or_cancel_when_lapsed),
    on(PaymentAuthorized, confirm_when_authorized),
    on(PaymentDeclined, reject_when_declined),
    on(PaymentLapsed, reject_when_overdue),
    on(PaymentRefused, cancel_when_not_captured),
    on(AuthorizationExpired, cancel_when_expired),
    on(RenewalDeclined, cancel_when_not_renewed),
    on(PaymentGivenUp, cancel_when_given_up),
)

"""Notification reactions and effects: which milestones a customer hears of, and how a message leaves the house."""

from collections.abc import Awaitable, Callable
from typing import Any

from aggregates.decider import Todo
from aggregates.notification import Notification
from events.ids import derive
from events.order import (
    OrderCancelled,
    OrderConfirmed,
    OrderDelivered,
    OrderLineCancelled,
    OrderPartlyShipped,
    OrderRejected,
    OrderReturnReceived,
    OrderReturnRequested,
    OrderShipped,
)
from events.payment import PaymentRefunded
from events.product import StockTold
from events.user import (
    PasswordChanged,
    RegistrationRepeated,
    ResetRequested,
    SessionRevoked,
    UserDeleted,
    UserRegistered,
    VerificationRequested,
)
from schemas.notification import NotificationCommand, RecordDelivery, RecordRefusal, RequestNotification
from workers.mail import Mailer, Refused
from workers.policy import on


def tell_when_confirmed(event: OrderConfirmed) -> list[RequestNotification]:
    params = {"order_id": event.order_id, "total": event.amount, "currency": event.currency, "lines": len(event.skus)}
    return [_mail(event.stream, event.email, "order_confirmed", params)]


def tell_when_rejected(event: OrderRejected) -> list[RequestNotification]:
    return [_mail(event.stream, event.email, "order_rejected", {"order_id": event.order_id, "reason": event.reason})]


def tell_when_cancelled(event: OrderCancelled) -> list[RequestNotification]:
    return [_mail(event.stream, event.email, "order_cancelled", {"order_id": event.order_id, "reason": event.reason})]


def tell_when_line_cancelled(event: OrderLineCancelled) -> list[RequestNotification]:
    names = ("order_id", "sku", "quantity", "left", "currency", "reason")
    params = {**{name: getattr(event, name) for name in names}, "total": event.amount}
    return [_mail(event.stream, event.email, "order_line_cancelled", params, event.cancellation_id)]


def tell_when_shipped(event: OrderShipped) -> list[RequestNotification]:
    params = {"order_id": event.order_id, "tracking": event.tracking}
    return [_mail(event.stream, event.email, "order_shipped", params)]


def tell_when_partly_shipped(event: OrderPartlyShipped) -> list[RequestNotification]:
    items = {item.sku: item.quantity for item in event.items}
    params = {"order_id": event.order_id, "tracking": event.tracking, "items": items}
    return [_mail(event.stream, event.email, "order_partly_shipped", params, event.shipment_id)]


def tell_when_delivered(event: OrderDelivered) -> list[RequestNotification]:
    return [_mail(event.stream, event.email, "order_delivered", {"order_id": event.order_id})]


def tell_when_return_requested(event: OrderReturnRequested) -> list[RequestNotification]:
    items = {item.sku: item.quantity for item in event.items}
    params = {"order_id": event.order_id, "return_id": event.return_id, "items": items}
    return [_mail(event.stream, event.email, "order_return_requested", params, event.return_id)]


def tell_when_return_received(event: OrderReturnReceived) -> list[RequestNotification]:
    items = [{"sku": item.sku, "quantity": item.quantity, "accepted": item.accepted} for item in event.items]
    params: dict[str, Any] = {"order_id": event.order_id, "items": items, "note": event.note}
    params |= {"total": event.amount, "currency": event.currency}
    return [_mail(event.stream, event.email, "order_return_received", params, event.return_id)]


def tell_when_refunded(event: PaymentRefunded) -> list[RequestNotification]:
    params = {"order_id": event.order_id, "total": event.amount, "currency": event.currency}
    return [_mail(f"order-{event.order_id}", event.email, "payment_refunded", params, event.refund_id)]


def welcome_when_registered(event: UserRegistered) -> list[RequestNotification]:
    return [_mail(event.stream, event.email, "welcome", {"name": event.name})]


def tell_when_back(event: StockTold) -> list[RequestNotification]:
    params = {"sku": event.sku, "name": event.name}
    return [
        _mail(event.stream, customer.email, "back_in_stock", params, f"{event.nth}/{customer.customer_id}")
        for customer in event.customers
    ]


def prove_when_verification_requested(event: VerificationRequested) -> list[RequestNotification]:
    return [_mail(event.stream, event.email, "verify_email", _proof(event), event.proof_id)]


def prove_when_reset_requested(event: ResetRequested) -> list[RequestNotification]:
    return [_mail(event.stream, event.email, "password_reset", _proof(event), event.proof_id)]


def _proof(event: VerificationRequested | ResetRequested) -> dict[str, Any]:
    """What the mail's token follows from, together with a secret that no record has (workers/proofs.py)."""
    return {"name": event.name, "user_id": event.user_id, "proof_id": event.proof_id, "nonce": event.nonce}


def tell_when_registered_again(event: RegistrationRepeated) -> list[RequestNotification]:
    return [_mail(event.stream, event.email, "account_exists", {"name": event.name}, event.repeated_at.isoformat())]


def tell_when_password_changed(event: PasswordChanged) -> list[RequestNotification]:
    return [_mail(event.stream, event.email, "password_changed", {"name": event.name}, str(event.changes))]


def warn_when_session_revoked(event: SessionRevoked) -> list[RequestNotification]:
    return [_mail(event.stream, event.email, "session_revoked", {"name": event.name}, event.session_id)]


def tell_when_deleted(event: UserDeleted) -> list[RequestNotification]:
    return [_mail(event.stream, event.email, "account_deleted", {"name": event.name}, str(event.changes))]


def _mail(about: str, recipient: str, template: str, params: dict[str, Any], which: str = "") -> RequestNotification:
    """One mail per template and subject; `which` tells apart those that may come more than once."""
    return RequestNotification(
        notification_id=derive(about, f"{template}/{which}"),
        about=about,
        recipient=recipient,
        template=template,
        params=params,
    )


REACTIONS = (
    on(OrderConfirmed, tell_when_confirmed),
    on(OrderRejected, tell_when_rejected),
    on(OrderCancelled, tell_when_cancelled),
    on(OrderShipped, tell_when_shipped),
    on(OrderDelivered, tell_when_delivered),
    on(PaymentRefunded, tell_when_refunded),
    on(StockTold, tell_when_back),
    on(UserRegistered, welcome_when_registered),
    on(OrderLineCancelled, tell_when_line_cancelled),
    on(OrderPartlyShipped, tell_when_partly_shipped),
    on(OrderReturnRequested, tell_when_return_requested),
    on(OrderReturnReceived, tell_when_return_received),
    on(VerificationRequested, prove_when_verification_requested),
    on(RegistrationRepeated, tell_when_registered_again),
    on(ResetRequested, prove_when_reset_requested),
    on(PasswordChanged, tell_when_password_changed),
    on(SessionRevoked, warn_when_session_revoked),
    on(UserDeleted, tell_when_deleted),
)

Effect = Callable[[str, Notification, Todo], Awaitable[NotificationCommand]]


def effects(mailer: Mailer) -> dict[str, Effect]:
    """How a requested message is delivered."""

    async def deliver(stream: str, message: Notification, _: Todo) -> NotificationCommand:
        notification_id = stream.removeprefix("notification-")
        answer = await mailer.deliver(
            notification_id, message.channel, message.recipient, message.template, message.params
        )
        if isinstance(answer, Refused):
            return RecordRefusal(notification_id=notification_id, reason=answer.reason)
        return RecordDelivery(notification_id=notification_id)

    return {"deliver": deliver}

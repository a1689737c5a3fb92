"""Notification reactions are which milestones a customer hears of, and which choices of theirs count."""

from typing import Any, TypeAlias

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
from events.payment import CardAwaited, PaymentRefunded
from events.product import StockRanLow, StockTold
from events.user import (
    EmailVerified,
    PasswordChanged,
    PreferencesChanged,
    ProfileChanged,
    RegistrationRepeated,
    ResetRequested,
    SessionRevoked,
    UserDeleted,
    UserErased,
    UserRegistered,
    VerificationRequested,
)
from schemas.notification import (
    ChooseChannel,
    ChooseLanguage,
    ForgetContact,
    Kind,
    RequestNotification,
    TrustAddresses,
)
from workers.policy import on

OfOrder: TypeAlias = (
    OrderConfirmed
    | OrderRejected
    | OrderCancelled
    | OrderLineCancelled
    | OrderShipped
    | OrderPartlyShipped
    | OrderDelivered
    | OrderReturnRequested
    | OrderReturnReceived
    | PaymentRefunded
    | CardAwaited
)
"""What the customer of an order is told of."""
OfAccount: TypeAlias = (
    UserRegistered
    | VerificationRequested
    | RegistrationRepeated
    | ResetRequested
    | PasswordChanged
    | SessionRevoked
    | UserDeleted
)
"""What the owner of an account is told of."""


def tell_when_confirmed(event: OrderConfirmed) -> list[RequestNotification]:
    params = {"order_id": event.order_id, "total": event.amount, "currency": event.currency, "lines": len(event.skus)}
    return [_of_order(event, "order_confirmed", params)]


def tell_when_rejected(event: OrderRejected) -> list[RequestNotification]:
    return [_of_order(event, "order_rejected", {"order_id": event.order_id, "reason": event.reason})]


def tell_when_cancelled(event: OrderCancelled) -> list[RequestNotification]:
    return [_of_order(event, "order_cancelled", {"order_id": event.order_id, "reason": event.reason})]


def tell_when_line_cancelled(event: OrderLineCancelled) -> list[RequestNotification]:
    names = ("order_id", "sku", "quantity", "left", "currency", "reason")
    params = {**{name: getattr(event, name) for name in names}, "total": event.amount}
    return [_of_order(event, "order_line_cancelled", params, event.cancellation_id)]


def tell_when_shipped(event: OrderShipped) -> list[RequestNotification]:
    return [_of_order(event, "order_shipped", {"order_id": event.order_id, "tracking": event.tracking})]


def tell_when_partly_shipped(event: OrderPartlyShipped) -> list[RequestNotification]:
    items = {item.sku: item.quantity for item in event.items}
    params = {"order_id": event.order_id, "tracking": event.tracking, "items": items}
    return [_of_order(event, "order_partly_shipped", params, event.shipment_id)]


def tell_when_delivered(event: OrderDelivered) -> list[RequestNotification]:
    return [_of_order(event, "order_delivered", {"order_id": event.order_id})]


def tell_when_return_requested(event: OrderReturnRequested) -> list[RequestNotification]:
    items = {item.sku: item.quantity for item in event.items}
    params = {"order_id": event.order_id, "return_id": event.return_id, "items": items}
    return [_of_order(event, "order_return_requested", params, event.return_id)]


def tell_when_return_received(event: OrderReturnReceived) -> list[RequestNotification]:
    items = [{"sku": item.sku, "quantity": item.quantity, "accepted": item.accepted} for item in event.items]
    params: dict[str, Any] = {"order_id": event.order_id, "items": items, "note": event.note}
    params |= {"total": event.amount, "currency": event.currency}
    return [_of_order(event, "order_return_received", params, event.return_id)]


def tell_when_refunded(event: PaymentRefunded) -> list[RequestNotification]:
    params = {"order_id": event.order_id, "total": event.amount, "currency": event.currency}
    which = event.refund_id if event.piece == 1 else f"{event.refund_id}/{event.piece}"
    return [_of_order(event, "payment_refunded", params, which)]


def ask_when_card_awaited(event: CardAwaited) -> list[RequestNotification]:
    params = {"order_id": event.order_id, "total": event.amount, "currency": event.currency}
    params |= {"due_at": event.due_at.isoformat()}
    return [_of_order(event, "card_awaited", params, str(event.attempt))]


def tell_when_back(event: StockTold) -> list[RequestNotification]:
    params = {"sku": event.sku, "name": event.name}
    return [
        _message(
            event.stream, who.email, "back_in_stock", params, f"{event.nth}/{who.customer_id}", who.customer_id, "order"
        )
        for who in event.customers
    ]


def tell_when_low(event: StockRanLow) -> list[RequestNotification]:
    """Whoever was named when it was said what is low; it is no customer, and gets a mail."""
    params = {"sku": event.sku, "name": event.name, "available": event.available, "threshold": event.threshold}
    if not event.tell:
        return []
    return [_message(event.stream, event.tell, "stock_low", params, str(event.nth), "", "account")]


def welcome_when_registered(event: UserRegistered) -> list[RequestNotification]:
    return [_of_account(event, "welcome", {"name": event.name}, kind="account")]


def prove_when_verification_requested(event: VerificationRequested) -> list[RequestNotification]:
    return [_of_account(event, "verify_email", _proof(event), event.proof_id)]


def prove_when_reset_requested(event: ResetRequested) -> list[RequestNotification]:
    return [_of_account(event, "password_reset", _proof(event), event.proof_id)]


def _proof(event: VerificationRequested | ResetRequested) -> dict[str, Any]:
    """What the mail's token follows from, together with a secret that no record has (workers/proofs.py)."""
    return {"name": event.name, "user_id": event.user_id, "proof_id": event.proof_id, "nonce": event.nonce}


def tell_when_registered_again(event: RegistrationRepeated) -> list[RequestNotification]:
    return [_of_account(event, "account_exists", {"name": event.name}, event.repeated_at.isoformat())]


def tell_when_password_changed(event: PasswordChanged) -> list[RequestNotification]:
    return [_of_account(event, "password_changed", {"name": event.name}, str(event.changes))]


def warn_when_session_revoked(event: SessionRevoked) -> list[RequestNotification]:
    return [_of_account(event, "session_revoked", {"name": event.name}, event.session_id)]


def tell_and_forget_when_deleted(event: UserDeleted) -> list[RequestNotification | ForgetContact]:
    """What is said to them after this goes by mail."""
    last = _of_account(event, "account_deleted", {"name": event.name}, str(event.changes))
    return [last, ForgetContact(customer_id=event.user_id)]


def forget_when_erased(event: UserErased) -> list[ForgetContact]:
    return [ForgetContact(customer_id=event.user_id)]


def trust_when_verified(event: EmailVerified) -> list[TrustAddresses]:
    return [TrustAddresses(customer_id=event.user_id)]


def choose_language_when_profile_changed(event: ProfileChanged) -> list[ChooseLanguage]:
    """A phone number in a profile is nobody's leave to send SMS; nothing is said in languages of three letters."""
    known = len(event.locale.partition("-")[0]) == 2
    return [ChooseLanguage(customer_id=event.user_id, locale=event.locale)] if known else []


def choose_when_preferences_changed(event: PreferencesChanged) -> list[ChooseChannel]:
    """What was chosen before already changes nothing."""
    return [
        ChooseChannel.model_validate({"customer_id": event.user_id, "kind": kind, "channel": channel, "wanted": wanted})
        for kind, channels in event.preferences.items()
        for channel, wanted in channels.items()
    ]


def _of_order(event: OfOrder, template: str, params: dict[str, Any], which: str = "") -> RequestNotification:
    return _message(f"order-{event.order_id}", event.email, template, params, which, event.customer_id, "order")


def _of_account(
    event: OfAccount, template: str, params: dict[str, Any], which: str = "", kind: Kind = "security"
) -> RequestNotification:
    return _message(f"user-{event.user_id}", event.email, template, params, which, event.user_id, kind)


def _message(
    about: str, recipient: str, template: str, params: dict[str, Any], which: str, customer_id: str, kind: Kind
) -> RequestNotification:
    """One message per template and subject; `which` tells apart those that may come more than once."""
    return RequestNotification(
        notification_id=derive(about, f"{template}/{which}"),
        about=about,
        recipient=recipient,
        template=template,
        params=params,
        customer_id=customer_id,
        kind=kind,
    )


BESIDE = (on(StockTold, tell_when_back), on(StockRanLow, tell_when_low))
"""What the context's reactor hears, beside the streams: a product's events are many, and few are told to anybody."""
REACTIONS = (
    *BESIDE,
    on(OrderConfirmed, tell_when_confirmed),
    on(OrderRejected, tell_when_rejected),
    on(OrderCancelled, tell_when_cancelled),
    on(OrderShipped, tell_when_shipped),
    on(OrderDelivered, tell_when_delivered),
    on(PaymentRefunded, tell_when_refunded),
    on(CardAwaited, ask_when_card_awaited),
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
    on(UserDeleted, tell_and_forget_when_deleted),
    on(UserErased, forget_when_erased),
    on(EmailVerified, trust_when_verified),
    on(ProfileChanged, choose_language_when_profile_changed),
    on(PreferencesChanged, choose_when_preferences_changed),
)

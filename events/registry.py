"""Registry lists what each context may record and may be asked: the closed world of tags."""

from typing import get_args

from events import audit, letter, notification, order, outcome, payment, product, user
from events.codec import Codec
from events.event import Event
from schemas import notification as ask_notification
from schemas import order as ask_order
from schemas import payment as ask_payment
from schemas import product as ask_product
from schemas import user as ask_user
from schemas.parking import EVERYWHERE
from schemas.values import Command

EVENTS: dict[str, tuple[type[Event], ...]] = {
    "order": get_args(order.OrderEvent),
    "product": get_args(product.ProductEvent) + get_args(product.ReservationEvent),
    "payment": get_args(payment.PaymentEvent),
    "user": get_args(user.UserEvent),
    "notification": get_args(notification.NotificationEvent) + get_args(notification.ContactEvent),
}
COMMANDS: dict[str, tuple[type[Command], ...]] = {
    "order": get_args(ask_order.OrderCommand),
    "product": get_args(ask_product.ProductCommand),
    "payment": get_args(ask_payment.PaymentCommand),
    "user": get_args(ask_user.UserCommand),
    "notification": get_args(ask_notification.NotificationCommand) + get_args(ask_notification.ContactCommand),
}
OUTCOMES: tuple[type[Event], ...] = get_args(outcome.Outcome) + get_args(letter.LetterEvent)
"""What any context may record of what changed no state: it has no version."""

OPERATIONS: tuple[type[Event], ...] = (audit.OperatorActed,)
"""What is recorded of operators, in no context."""

event_codec: Codec[Event] = Codec(
    [cls for classes in EVENTS.values() for cls in classes] + list(OUTCOMES) + list(OPERATIONS)
)
command_codec: Codec[Command] = Codec([cls for classes in COMMANDS.values() for cls in classes] + list(EVERYWHERE))

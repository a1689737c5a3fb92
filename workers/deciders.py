"""Deciders are the rules of every context, with the times that the settings give them."""

from datetime import timedelta

from aggregates import notification, order, payment, reservation, user
from aggregates.decider import Decider
from schemas.settings import Settings


def deciders(settings: Settings) -> dict[str, Decider]:
    """By context."""
    hold, overdue = timedelta(seconds=settings.hold_seconds), timedelta(seconds=settings.overdue_seconds)
    return {
        "order": order.DECIDER,
        "product": reservation.decider(hold),
        "payment": payment.decider(overdue, timedelta(seconds=settings.card_seconds)),
        "user": user.DECIDER,
        "notification": notification.DECIDER,
    }


def decider_of(context: str) -> Decider:
    """A context's rules, with the settings of this process."""
    return deciders(Settings())[context]

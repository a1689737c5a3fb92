"""Compose is where a context's parts are chosen: its rules, its effects, its reactions."""

from collections.abc import Mapping
from datetime import timedelta

from aggregates import notification as notifications
from aggregates import order as orders
from aggregates import payment as payments
from aggregates import reservation as reservations
from aggregates import user as users
from projections.person_keys import KeysInMemory, PersonKeys
from schemas.settings import Settings
from workers import notification, order, payment, product, user
from workers.context import Parts
from workers.mail import ByChannel, InProcessMailbox, Mailer, SmtpChannel
from workers.opening import Opening
from workers.proofs import Proving
from workers.provider import Provider
from workers.provider_http import HttpProvider
from workers.provider_stripe import StripeProvider
from workers.provider_twin import InProcessProvider


def provider_of(settings: Settings) -> Provider:
    """The payment provider that the settings name.

    Raises:
        ValueError: Stripe without a key.
    """
    match settings.provider:
        case "in-process":
            return InProcessProvider()
        case "stripe" if settings.stripe_key:
            return StripeProvider(settings.stripe_key, settings.stripe_url)
        case "stripe":
            raise ValueError("the provider is stripe, and there is no key: set ORDERLOG_STRIPE_KEY")
        case url:
            return HttpProvider(url)


def mailer_of(settings: Settings) -> Mailer:
    """The ways to customers that the settings name."""
    if settings.smtp == "in-process":
        return ByChannel({"email": InProcessMailbox(settings.sender)})
    host, _, port = settings.smtp.rpartition(":")
    return ByChannel({"email": SmtpChannel(host, int(port), settings.sender)})


def parts_of(
    settings: Settings, provider: Provider, mailer: Mailer, keys: PersonKeys | None = None
) -> Mapping[str, Parts]:
    """The parts of every context; without keys, they are kept in memory."""
    keys = keys or PersonKeys(KeysInMemory())
    return {
        "order": Parts(orders.DECIDER, {}, order.REACTIONS),
        "product": Parts(
            reservations.decider(timedelta(seconds=settings.hold_seconds)),
            product.EFFECTS,
            product.REACTIONS,
            view_pace=0.1,
        ),
        "payment": Parts(
            payments.decider(timedelta(seconds=settings.overdue_seconds)),
            payment.effects(provider),
            payment.REACTIONS,
            view_pace=0.1,
        ),
        "user": Parts(users.DECIDER, user.effects(keys.destroy), ()),
        "notification": Parts(
            notifications.DECIDER,
            notification.effects(Opening(Proving(mailer, settings.account_secret), keys.opened)),
            notification.REACTIONS,
            writer_pace=0.2,
            view_pace=0.5,
        ),
    }

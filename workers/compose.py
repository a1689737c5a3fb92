"""Compose is where a context's parts are chosen: its rules, its effects, its reactions."""

import json
from collections.abc import Mapping

from projections.person_keys import KeysInMemory, PersonKeys
from schemas.links import unsubscribe_url, write_token
from schemas.settings import Settings
from schemas.words import listed
from workers import notification, order, payment, product, sending, user
from workers.channel import ByChannel, Channel, Mailer
from workers.contacts import NOBODY, Contacts
from workers.context import Parts
from workers.deciders import deciders
from workers.fcm import FcmChannel, ServiceAccount
from workers.mail import InProcessMailbox, SmtpChannel
from workers.opening import Opening
from workers.proofs import Proving
from workers.provider import Provider
from workers.provider_http import HttpProvider
from workers.provider_stripe import StripeProvider
from workers.provider_twin import InProcessProvider
from workers.twilio import TwilioChannel
from workers.web_push import WebPushChannel, key_of


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
    """The ways to customers that the settings name.

    Raises:
        OSError, ValueError: a key file cannot be read; the message says which.
    """
    channels: dict[str, Channel] = {"email": _mail(settings)}
    if settings.twilio_account:
        channels["sms"] = TwilioChannel(
            settings.twilio_account,
            settings.twilio_token,
            settings.twilio_sender,
            base_url=settings.twilio_url,
            public_url=settings.public_url,
        )
    if settings.fcm_key:
        account = ServiceAccount.read(json.loads(settings.fcm_key.read_text()))
        channels["fcm"] = FcmChannel(account, base_url=settings.fcm_url)
    if settings.vapid_key:
        services = tuple(listed(settings.push_services))
        key = key_of(settings.vapid_key.read_bytes())
        channels["web"] = WebPushChannel(key, settings.vapid_subject, services=services)
    return ByChannel(channels)


def _mail(settings: Settings) -> Channel:
    if settings.smtp == "in-process":
        return InProcessMailbox(settings.sender)
    host, _, port = settings.smtp.rpartition(":")
    return SmtpChannel(host, int(port), settings.sender)


def links_of(settings: Settings) -> sending.Links:
    """Links to the API, where its address is known."""

    def link(customer_id: str, kind: str) -> str:
        return unsubscribe_url(settings.public_url, write_token(settings.link_secret, customer_id, kind))

    return link if settings.public_url else sending.no_links


def parts_of(
    settings: Settings,
    provider: Provider,
    mailer: Mailer,
    contacts: Contacts = NOBODY,
    keys: PersonKeys | None = None,
) -> Mapping[str, Parts]:
    """The parts of every context; without keys, they are kept in memory."""
    keys = keys or PersonKeys(KeysInMemory())
    leaving = Opening(Proving(mailer, settings.account_secret), keys.opened)
    rules = deciders(settings)
    return {
        "order": Parts(rules["order"], {}, order.REACTIONS),
        "product": Parts(rules["product"], product.EFFECTS, product.REACTIONS, view_pace=0.1),
        "payment": Parts(rules["payment"], payment.effects(provider), payment.REACTIONS, view_pace=0.1),
        "user": Parts(rules["user"], user.effects(keys.destroy), ()),
        "notification": Parts(
            rules["notification"],
            sending.effects(leaving, contacts, links_of(settings)),
            notification.REACTIONS,
            writer_pace=0.2,
            view_pace=0.5,
        ),
    }

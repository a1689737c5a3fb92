"""Which milestones a customer hears of, each once, and how a message leaves the house."""

import pytest

from aggregates.decider import Todo
from aggregates.notification import Notification, Status
from events.event import Event
from events.registry import EVENTS
from events.topics import events
from events.user import PreferencesChanged, ProfileChanged
from schemas.notification import (
    ChooseChannel,
    ChooseLanguage,
    ForgetContact,
    RecordDelivery,
    RecordRefusal,
    RequestNotification,
    TrustAddresses,
)
from tests.builders import notification, order, payment, product, user
from tests.builders.values import EMAIL, FIGS
from tests.workers.hearing import asks
from workers.agents import TOLD
from workers.channel import ByChannel
from workers.mail import InProcessMailbox
from workers.notification import BESIDE, REACTIONS
from workers.proofs import Proving
from workers.sending import effects

MILESTONES: dict[str, Event] = {
    "order_confirmed": order.confirmed(),
    "order_rejected": order.rejected(),
    "order_cancelled": order.cancelled(),
    "order_shipped": order.shipped(),
    "order_delivered": order.delivered(),
    "order_line_cancelled": order.line_cancelled(),
    "order_partly_shipped": order.partly_shipped(),
    "order_return_requested": order.return_requested((FIGS, 1)),
    "order_return_received": order.return_received(order.returned(FIGS, 1, "restock", 150)),
    "payment_refunded": payment.refunded(),
    "card_awaited": payment.card_awaited(),
    "welcome": user.registered(),
    "back_in_stock": product.told(),
    "stock_low": product.ran_low_for(EMAIL),
    "verify_email": user.verification_requested(),
    "account_exists": user.repeated(),
    "password_reset": user.reset_requested(),
    "password_changed": user.password_changed(),
    "session_revoked": user.revoked(),
    "account_deleted": user.deleted(),
}


def mail(event: Event) -> RequestNotification:
    [asked] = [asked for asked in asks(REACTIONS, event) if isinstance(asked, RequestNotification)]
    return asked


@pytest.mark.parametrize("template", MILESTONES)
def test_the_customer_hears_of_each_milestone(template: str) -> None:
    asked = mail(MILESTONES[template])
    assert (asked.template, asked.recipient, asked.channel) == (template, EMAIL, "email")


def test_every_event_that_is_reacted_to_is_heard_by_the_streams_or_beside_them() -> None:
    beside = {reaction.event for reaction in BESIDE}
    streamed = {reaction.event for reaction in REACTIONS} - beside
    topics = {events(context): set(types) for context, types in EVENTS.items()}
    assert streamed <= set().union(*(topics[name] for name in TOLD))
    assert beside.isdisjoint(set().union(*(topics[name] for name in TOLD)))


def test_choices_among_preferences_are_choices_of_the_contact() -> None:
    said = {"marketing": {"email": True, "sms": False}, "order": {"push": False}}
    asked = asks(REACTIONS, PreferencesChanged(user_id=user.USER_ID, preferences=said))
    assert asked == [
        ChooseChannel(customer_id=user.USER_ID, kind="marketing", channel="email", wanted=True),
        ChooseChannel(customer_id=user.USER_ID, kind="marketing", channel="sms", wanted=False),
        ChooseChannel(customer_id=user.USER_ID, kind="order", channel="push", wanted=False),
    ]


def test_the_language_of_a_profile_is_the_contacts_and_its_phone_number_is_not() -> None:
    changed = ProfileChanged(user_id=user.USER_ID, name="Ada", phone="+491701234567", locale="de")
    assert asks(REACTIONS, changed) == [ChooseLanguage(customer_id=user.USER_ID, locale="de")]
    for other in ("", "gsw", "gsw-CH"):
        assert asks(REACTIONS, changed.model_copy(update={"locale": other})) == []


def test_who_closes_the_account_is_told_a_last_time_and_forgotten() -> None:
    assert asks(REACTIONS, user.deleted())[1:] == [ForgetContact(customer_id=user.USER_ID)]


def test_messages_to_who_has_an_account_name_it_and_security_is_of_its_own_kind() -> None:
    asked = mail(user.password_changed())
    assert (asked.customer_id, asked.kind, mail(user.registered()).kind) == (user.USER_ID, "security", "account")


def test_each_message_about_an_order_names_its_customer() -> None:
    told = [mail(event) for name, event in MILESTONES.items() if name.startswith(("order_", "payment_", "card_"))]
    assert {(each.customer_id, each.kind) for each in told} == {(order.CUSTOMER, "order")}
    assert len(told) == 11


def test_a_milestone_is_told_of_once_however_often_it_is_heard() -> None:
    assert mail(order.confirmed()) == mail(order.confirmed()) == notification.request()


def test_each_card_that_is_asked_for_and_each_piece_of_a_refund_is_a_message_of_its_own() -> None:
    assert mail(payment.card_awaited(1)).notification_id != mail(payment.card_awaited(2)).notification_id
    assert mail(payment.refunded()).notification_id != mail(payment.refunded(piece=2)).notification_id


def test_milestones_of_one_order_are_messages_of_their_own() -> None:
    assert len({mail(event).notification_id for event in MILESTONES.values()}) == len(MILESTONES)


def test_each_of_those_who_waited_has_a_message_of_their_own_each_time() -> None:
    asked = [*asks(REACTIONS, product.told("ada", "bob")), *asks(REACTIONS, product.told("ada", nth=2))]
    assert len({request.stream for request in asked}) == 3
    assert asks(REACTIONS, product.told("ada", "bob")) == asked[:2]


def test_low_stock_is_told_each_time_to_whoever_is_named_and_to_nobody_else() -> None:
    first, second = mail(product.ran_low_for(EMAIL, 1)), mail(product.ran_low_for(EMAIL, 2))
    assert first.notification_id != second.notification_id
    assert (first.recipient, first.customer_id) == (EMAIL, "")
    assert asks(REACTIONS, product.ran_low(3, 3)) == []


def test_each_change_of_a_password_and_each_code_is_told_of() -> None:
    assert mail(user.password_changed(1)).notification_id != mail(user.password_changed(2)).notification_id
    other = user.reset_requested().model_copy(update={"proof_id": user.OTHER})
    assert mail(user.reset_requested()).notification_id != mail(other).notification_id


def test_each_refund_of_an_order_is_told_of() -> None:
    one, other = mail(payment.refunded(payment.R1, 100)), mail(payment.refunded(payment.R2, 100))
    assert one.notification_id != other.notification_id
    assert one.about == other.about == order.placed().stream


async def deliver(message: Notification) -> object:
    mailer = Proving(ByChannel({"email": InProcessMailbox("orders@orderlog.example")}), "secret")
    return await effects(mailer)["deliver"](f"notification-{notification.MAIL}", message, Todo("deliver"))


@pytest.mark.anyio
@pytest.mark.parametrize("template", MILESTONES)
async def test_every_milestone_has_a_template_that_its_message_fills(template: str) -> None:
    asked = mail(MILESTONES[template])
    message = Notification(Status.REQUESTED, asked.channel, asked.recipient, asked.template, asked.params)
    assert await deliver(message) == RecordDelivery(notification_id=notification.MAIL)


@pytest.mark.anyio
async def test_a_message_that_can_never_be_sent_is_refused_with_a_reason() -> None:
    answer = await deliver(Notification(Status.REQUESTED, "email", EMAIL, "no_such_template", {}))
    assert isinstance(answer, RecordRefusal)
    assert answer.reason


def test_who_verifies_their_address_is_written_to_again() -> None:
    assert asks(REACTIONS, user.verified()) == [TrustAddresses(customer_id=user.USER_ID)]

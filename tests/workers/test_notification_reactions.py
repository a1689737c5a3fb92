"""Which milestones a customer hears of, each once, and how a message leaves the house."""

import pytest

from aggregates.decider import Todo
from aggregates.notification import Notification, Status
from events.event import Event
from schemas.notification import RecordDelivery, RecordRefusal, RequestNotification
from tests.builders import notification, order, payment, product, user
from tests.builders.values import EMAIL
from tests.workers.hearing import asks
from workers.channel import ByChannel
from workers.mail import InProcessMailbox
from workers.notification import REACTIONS, effects

MILESTONES: dict[str, Event] = {
    "order_confirmed": order.confirmed(),
    "order_rejected": order.rejected(),
    "order_cancelled": order.cancelled(),
    "order_shipped": order.shipped(),
    "order_delivered": order.delivered(),
    "payment_refunded": payment.refunded(),
    "welcome": user.registered(),
    "back_in_stock": product.told(),
}


def mail(event: Event) -> RequestNotification:
    [asked] = asks(REACTIONS, event)
    assert isinstance(asked, RequestNotification)
    return asked


@pytest.mark.parametrize("template", MILESTONES)
def test_the_customer_hears_of_each_milestone(template: str) -> None:
    asked = mail(MILESTONES[template])
    assert (asked.template, asked.recipient, asked.channel) == (template, EMAIL, "email")


def test_a_milestone_is_told_of_once_however_often_it_is_heard() -> None:
    assert mail(order.confirmed()) == mail(order.confirmed()) == notification.request()


def test_milestones_of_one_order_are_messages_of_their_own() -> None:
    assert len({mail(event).notification_id for event in MILESTONES.values()}) == len(MILESTONES)


def test_each_of_those_who_waited_has_a_message_of_their_own_each_time() -> None:
    asked = [*asks(REACTIONS, product.told("ada", "bob")), *asks(REACTIONS, product.told("ada", nth=2))]
    assert len({request.stream for request in asked}) == 3
    assert asks(REACTIONS, product.told("ada", "bob")) == asked[:2]


def test_each_refund_of_an_order_is_told_of() -> None:
    one, other = mail(payment.refunded(payment.R1, 100)), mail(payment.refunded(payment.R2, 100))
    assert one.notification_id != other.notification_id
    assert one.about == other.about == order.placed().stream


async def deliver(message: Notification) -> object:
    mailer = ByChannel({"email": InProcessMailbox("orders@orderlog.example")})
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

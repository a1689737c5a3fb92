"""Quiet hours: a customer's night holds up no order and no warning, and what was said in it comes in the morning."""

from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from schemas.notification import ChooseChannel, DescribeContact, Quiet
from schemas.order import PlaceOrder
from schemas.user import ChangePreferences, OpenAccount
from tests.builders import user
from tests.scenarios.house import House
from tests.scenarios.shop import order, sku_on

pytestmark = pytest.mark.anyio

HOUR = timedelta(hours=1)


def quiet(begins: datetime, ends: datetime) -> Quiet:
    return Quiet(begins=f"{begins:%H:%M}", ends=f"{ends:%H:%M}")


def contact(customer: str, number: str, night: Quiet | None) -> DescribeContact:
    return DescribeContact(customer_id=customer, phone=number, locale="de", time_zone="UTC", quiet=night)


def account(customer: str) -> OpenAccount:
    return user.open_account(user_id=customer, email=f"{customer}@example.org")


def number() -> str:
    return f"+4917{uuid4().int % 10**9:09}"


async def told(house: House, about: str, template: str, tag: str) -> str:
    """The stream of a message, once this has happened to it."""

    def found() -> list[str]:
        return [
            stream
            for stream in house.chronicle.states("notification")
            if (asked := house.chronicle.history(stream)[0]).about == about  # type: ignore[attr-defined]
            and asked.template == template  # type: ignore[attr-defined]
            and tag in house.history(stream)
        ]

    await house.until(found, f"{tag} of {template} about {about}")
    [stream] = found()
    return stream


async def bought_by(house: House, customer: str) -> PlaceOrder:
    apple = sku_on(0)
    await house.stocked({apple: 10})
    bought = order((apple, 1)).model_copy(update={"customer_id": customer})
    await house.send(bought)
    return bought


async def test_what_is_said_at_night_is_due_in_the_morning_and_goes_every_way_then(house: House) -> None:
    customer, phone = f"c-{uuid4().hex}", number()
    await house.send(contact(customer, phone, Quiet(begins="22:00", ends="07:00")))
    await house.settle()
    midnight = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    morning = midnight - timedelta(days=1) + 7 * HOUR
    house.clocks["notification"].behind = datetime.now(UTC) - (morning - 4 * HOUR)  # it is 3 o'clock there

    bought = await bought_by(house, customer)
    await house.settle()

    stream = await told(house, bought.stream, "order_confirmed", "notification.routed.v1")
    [routed] = [event for event in house.chronicle.history(stream) if event.tag == "notification.routed.v1"]
    assert (routed.due_at, set(routed.ways)) == (morning, {"email", "sms"})  # type: ignore[attr-defined]
    assert house.history(stream)[2:] == ["notification.sent.v1"] * 2
    assert house.phones.to(phone) == [f"Ihre Bestellung {bought.order_id} ist bestätigt: 2,50 EUR."]
    await house.check()


async def test_a_night_holds_up_no_order_and_no_word_about_security_and_outlives_a_takeover(house: House) -> None:
    customer, phone, now = str(uuid4()), number(), datetime.now(UTC)
    await house.send(contact(customer, phone, quiet(now - HOUR, now + 2 * HOUR)))
    await house.settle()

    bought = await bought_by(house, customer)
    stream = await told(house, bought.stream, "order_confirmed", "notification.routed.v1")
    await house.restart("notification")
    await house.send(account(customer))
    proving = await told(house, f"user-{customer}", "verify_email", "notification.sent.v1")

    assert len(house.mailbox.of(proving.removeprefix("notification-"))) == 1
    assert house.status(bought.order_id) == "confirmed"
    assert house.history(stream) == ["notification.requested.v1", "notification.routed.v1"]
    assert (house.phones.to(phone), house.mailbox.of(stream.removeprefix("notification-"))) == ([], [])


async def test_what_was_not_wanted_any_more_is_not_said(house: House) -> None:
    customer, phone = str(uuid4()), number()
    await house.send(account(customer))
    await house.settle()
    await house.send(contact(customer, phone, None))
    await house.send(ChooseChannel(customer_id=customer, kind="order", channel="email", wanted=False))
    await house.send(ChangePreferences(user_id=customer, preferences={"order": {"sms": False}}))
    await house.check()  # the read model, by which messages are routed, has it

    bought = await bought_by(house, customer)
    await house.settle()

    await told(house, bought.stream, "order_confirmed", "notification.suppressed.v1")
    assert house.phones.to(phone) == []
    await house.check()

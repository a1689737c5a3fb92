"""A message goes the ways that the customer has chosen, as chosen when each is gone."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest
from msgspec import structs

from aggregates.contact import fingerprint
from aggregates.decider import Todo
from aggregates.notification import Notification, Status, Way
from projections.contact import ContactView
from schemas.notification import (
    DropDevice,
    NotificationCommand,
    Quiet,
    RecordBounce,
    RecordDelivery,
    RecordFailure,
    RecordRefusal,
    RecordRoute,
    RecordSending,
)
from tests.builders.notification import MAIL, PARAMS, PHONE, bounce
from tests.builders.values import EMAIL
from workers.channel import PLAIN, Delivered, MailUnavailable, Manner, Refused
from workers.provider import CircuitOpen
from workers.sending import BOUNCED as NOBODYS
from workers.sending import effects

pytestmark = pytest.mark.anyio

STREAM = f"notification-{MAIL}"
ADA = ContactView(
    "ada", PHONE, "de", "Europe/Berlin", {"begins": "22:00", "ends": "07:00"}, {},
    {"pixel": "fcm", "laptop": "web"}, {"pixel": "token-1", "laptop": "{}"}, datetime(2026, 3, 1, tzinfo=UTC),
)  # fmt: skip


class Book:
    """One customer's contact; `told` is what was said of addresses that are gone."""

    def __init__(self, contact: ContactView | None = ADA) -> None:
        self.contact = contact
        self.told: list[tuple[DropDevice | RecordBounce, str]] = []

    async def of(self, customer_id: str) -> ContactView | None:
        return self.contact if customer_id == "ada" else None

    async def tell(self, command: DropDevice | RecordBounce, cause: str) -> None:
        self.told.append((command, cause))


class Outbox:
    """All channels: keeps what it is handed, and answers as told."""

    def __init__(self, answer: Delivered | Refused | Exception) -> None:
        self.answer, self.handed = answer, list[tuple[str, str, Manner]]()

    async def deliver(
        self,
        notification_id: UUID | str,
        channel: str,
        recipient: str,
        template: str,
        params: Mapping[str, Any],
        manner: Manner = PLAIN,
    ) -> Delivered | Refused:
        self.handed.append((channel, recipient, manner))
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer

    async def aclose(self) -> None:
        """Nothing to let go."""


def message(kind: str = "order", customer_id: str = "ada", ways: dict[str, Way] | None = None) -> Notification:
    status = Status.ROUTED if ways else Status.REQUESTED
    return Notification(
        status, "email", EMAIL, "order_confirmed", PARAMS, customer_id, kind, "de" if ways else "en", ways or {}
    )


async def do(step: str, asked: Notification, book: Book, outbox: Outbox | None = None) -> NotificationCommand:
    def link(customer_id: str, kind: str) -> str:
        return f"https://shop.example/{customer_id}/{kind}"

    doing = effects(outbox or Outbox(Delivered("r-1")), book, link)
    name, _, _ = step.partition(":")
    return await doing[name](STREAM, asked, Todo(name, key=step))


async def sent(way: str, book: Book, outbox: Outbox) -> NotificationCommand:
    return await do(f"send:{way}:0", message(ways={way: Way("")}), book, outbox)


async def test_a_customer_who_has_said_nothing_gets_the_mail_at_once() -> None:
    outbox = Outbox(Delivered("<1>"))
    assert await do("deliver", message(), Book(None), outbox) == RecordDelivery(notification_id=MAIL)
    assert outbox.handed == [("email", EMAIL, Manner("en", "https://shop.example/ada/order"))]


async def test_what_names_no_customer_asks_for_no_contact() -> None:
    outbox = Outbox(Delivered("<1>"))
    await do("deliver", message(customer_id=""), Book(), outbox)
    assert outbox.handed == [("email", EMAIL, Manner("en"))]


async def test_a_message_is_routed_over_all_that_the_customer_has_given() -> None:
    assert await do("deliver", message(), Book()) == RecordRoute(
        notification_id=MAIL,
        ways={"email": EMAIL, "sms": PHONE, "push:pixel": "pixel", "push:laptop": "laptop"},
        locale="de",
        time_zone="Europe/Berlin",
        quiet=Quiet(begins="22:00", ends="07:00"),
    )


async def test_why_a_way_is_not_gone_is_said() -> None:
    contact = ContactView("ada", None, "en", "UTC", None, {"order/email": False}, {}, {}, ADA.updated_at)
    asked = await do("deliver", message(), Book(contact))
    assert isinstance(asked, RecordRoute)
    assert (asked.ways, asked.skipped) == (
        {},
        {"email": "not wanted", "sms": "no phone number", "push": "no device"},
    )


@pytest.mark.parametrize("customer_id", ["", "ada", "stranger"])
async def test_nobody_gets_marketing_unasked(customer_id: str) -> None:
    asked = await do("deliver", message("marketing", customer_id), Book())
    assert isinstance(asked, RecordRoute)
    assert asked.ways == {}


async def test_security_has_no_link_to_be_rid_of_it() -> None:
    outbox = Outbox(Delivered("<1>"))
    await do("send:email:0", message("security", ways={"email": Way(EMAIL)}), Book(), outbox)
    assert outbox.handed == [("email", EMAIL, Manner("de"))]


async def test_each_way_goes_to_its_address_as_it_is_now() -> None:
    outbox = Outbox(Delivered("r-1"))
    for way in ("email", "sms", "push:pixel", "push:laptop"):
        answer = await sent(way, Book(), outbox)
        assert answer == RecordSending(notification_id=MAIL, way=way, reference="r-1")
    assert [handed[:2] for handed in outbox.handed] == [
        ("email", EMAIL),
        ("sms", PHONE),
        ("fcm", "token-1"),
        ("web", "{}"),
    ]


async def test_what_is_not_wanted_any_more_when_the_night_is_over_is_not_sent() -> None:
    contact = ContactView("ada", PHONE, "de", "UTC", None, {"order/sms": False}, {}, {}, ADA.updated_at)
    outbox = Outbox(Delivered("r-1"))
    for way in ("sms", "push:pixel"):
        answer = await sent(way, Book(contact), outbox)
        assert answer == RecordFailure(notification_id=MAIL, way=way, reason="not wanted any more", final=True)
    assert outbox.handed == []


async def test_a_device_that_is_gone_is_forgotten_before_that_is_recorded() -> None:
    book = Book()
    answer = await sent("push:pixel", book, Outbox(Refused("fcm: UNREGISTERED", gone=True)))
    assert answer == RecordFailure(notification_id=MAIL, way="push:pixel", reason="fcm: UNREGISTERED", final=True)
    [(dropped, _)] = book.told
    assert isinstance(dropped, DropDevice)
    assert (dropped.customer_id, dropped.device_id) == ("ada", "pixel")
    assert dropped.fingerprint == fingerprint("fcm", "token-1")


async def test_a_phone_number_that_is_gone_is_no_device() -> None:
    book = Book()
    await sent("sms", book, Outbox(Refused("twilio: 21610", gone=True)))
    assert book.told == []


async def test_what_may_pass_is_an_attempt_and_an_open_circuit_is_none() -> None:
    answer = await sent("sms", Book(), Outbox(MailUnavailable("twilio: HTTP 503")))
    assert answer == RecordFailure(notification_id=MAIL, way="sms", reason="twilio: HTTP 503")
    with pytest.raises(CircuitOpen):
        await sent("sms", Book(), Outbox(CircuitOpen(1.0)))


GONE = Refused("550 5.1.1 no such mailbox", gone=True)
BOUNCED = structs.replace(ADA, devices={}, bounced=[{"email": EMAIL, "reason": "550 5.1.1"}])
WHY = f"{NOBODYS}: 550 5.1.1"


@pytest.mark.parametrize("contact", [None, ADA])
async def test_that_nobody_has_an_address_is_noted_before_the_refusal_is(contact: ContactView | None) -> None:
    book = Book(contact)
    answer = await sent("email", book, Outbox(GONE)) if contact else await do("deliver", message(), book, Outbox(GONE))
    assert answer.reason == GONE.reason  # type: ignore[union-attr]
    assert [told for told, _ in book.told] == [bounce()]


async def test_a_mail_that_is_refused_for_another_reason_or_to_no_customer_says_nothing_of_the_address() -> None:
    book = Book(None)
    await do("deliver", message(), book, Outbox(Refused("554 5.7.1 spam")))
    await do("deliver", message(customer_id=""), book, Outbox(GONE))
    assert book.told == []


async def test_no_mail_goes_where_nobody_is_and_the_other_ways_are_gone() -> None:
    asked = await do("deliver", message(), Book(BOUNCED))
    assert isinstance(asked, RecordRoute)
    assert (asked.ways, asked.skipped["email"]) == ({"sms": PHONE}, WHY)
    outbox = Outbox(Delivered("r-1"))
    late = await sent("email", Book(BOUNCED), outbox)
    assert (late, outbox.handed) == (RecordFailure(notification_id=MAIL, way="email", reason=WHY, final=True), [])


@pytest.mark.parametrize("kind", ["order", "security"])
async def test_where_there_is_no_other_way_the_message_is_refused(kind: str) -> None:
    contact = structs.replace(BOUNCED, phone=None)
    assert await do("deliver", message(kind), Book(contact)) == RecordRefusal(notification_id=MAIL, reason=WHY)


async def test_a_mail_that_proves_an_address_goes_there_and_so_does_one_to_another_address() -> None:
    proving = structs.replace(message("security"), template="verify_email")
    elsewhere = structs.replace(message("security"), recipient="new@example.com")
    for asked in (proving, elsewhere):
        routed = await do("deliver", asked, Book(BOUNCED))
        assert isinstance(routed, RecordRoute)
        assert routed.ways == {"email": asked.recipient}

"""How a customer is reached, what the customer wants to hear of, and when it is night there."""

from datetime import UTC, datetime

import pytest

from aggregates.contact import due, fingerprint, wants
from aggregates.errors import DeviceUnknown, SecurityMailStays, TooManyDevices
from aggregates.notification import DECIDER
from events.notification import MOST_BOUNCED
from schemas.notification import ChooseLanguage, ForgetContact
from tests.builders.notification import (
    add_device,
    added,
    address_bounced,
    bounce,
    choose,
    chosen,
    describe,
    described,
    drop,
    dropped,
    forgotten,
    trust,
    trusted,
)
from tests.spec import Spec

contact = Spec(DECIDER)


def test_how_a_customer_is_reached_is_said_as_a_whole_and_once() -> None:
    contact.when(describe()).then(described())
    contact.given(described()).when(describe()).then_nothing()
    contact.given(described()).when(describe(phone=None)).then(described(phone=None))


def test_a_language_is_chosen_and_all_else_stays() -> None:
    contact.given(described()).when(ChooseLanguage(customer_id="ada", locale="de")).then_nothing()
    english = described().model_copy(update={"locale": "en"})
    contact.given(described()).when(ChooseLanguage(customer_id="ada", locale="en")).then(english)
    contact.when(ChooseLanguage(customer_id="ada", locale="en")).then_nothing()


def test_a_contact_is_forgotten_once_and_may_be_described_anew() -> None:
    forget = ForgetContact(customer_id="ada")
    contact.when(forget).then_nothing()
    contact.given(described(), chosen(), added()).when(forget).then(forgotten())
    contact.given(described(), forgotten()).when(forget).then_nothing()
    contact.given(described(), forgotten()).when(describe()).then(described())


def test_a_choice_counts_until_the_next() -> None:
    contact.when(choose()).then(chosen())
    contact.given(chosen()).when(choose()).then_nothing()
    contact.given(chosen()).when(choose(wanted=True)).then(chosen(wanted=True))


def test_mails_about_security_cannot_be_turned_off() -> None:
    contact.when(choose("security", "email", False)).then_rejected(SecurityMailStays)
    contact.when(choose("security", "sms", False)).then(chosen("security", "sms", False))


def test_without_a_word_all_but_marketing_comes() -> None:
    assert [kind for kind in ("order", "account", "security", "marketing") if wants({}, kind, "email")] == [
        "order",
        "account",
        "security",
    ]
    assert wants({"marketing/email": True}, "marketing", "email")
    assert not wants({"order/sms": False}, "order", "sms")


def test_a_device_is_added_once_and_its_address_may_change() -> None:
    contact.when(add_device()).then(added())
    contact.given(added()).when(add_device()).then_nothing()
    contact.given(added()).when(add_device(address="token-2")).then(added(address="token-2"))


def test_a_customer_has_no_more_than_twenty_devices() -> None:
    many = [added(f"phone-{n}") for n in range(20)]
    contact.given(*many).when(add_device("one-more")).then_rejected(TooManyDevices)
    contact.given(*many).when(add_device("phone-3", "token-2")).then(added("phone-3", "token-2"))
    contact.given(*many, dropped("phone-3")).when(add_device("one-more")).then(added("one-more"))


def test_a_device_is_dropped_and_news_of_an_old_address_drops_nothing() -> None:
    contact.given(added()).when(drop()).then(dropped())
    contact.when(drop()).then_rejected(DeviceUnknown)
    old = fingerprint("fcm", "token-1")
    contact.given(added()).when(drop(fingerprint=old)).then(dropped())
    contact.given(added(address="token-2")).when(drop(fingerprint=old)).then_nothing()
    contact.when(drop(fingerprint=old)).then_nothing()


def utc(day: int, hour: int, minute: int = 0, month: int = 3) -> datetime:
    return datetime(2026, month, day, hour, minute, tzinfo=UTC)


@pytest.mark.parametrize(
    ("at", "end"),
    [
        (utc(2, 20, 59), None),  # 21:59 in Berlin
        (utc(2, 21), utc(3, 6)),  # 22:00
        (utc(3, 2), utc(3, 6)),
        (utc(3, 5, 59), utc(3, 6)),
        (utc(3, 6), None),  # 07:00
        (utc(28, 23), utc(29, 5)),  # the clock is put forward in this night
        (utc(24, 22, month=10), utc(25, 6, month=10)),  # and back in this one
    ],
)
def test_quiet_hours_over_midnight_end_in_the_morning_there(at: datetime, end: datetime | None) -> None:
    assert due(at, "Europe/Berlin", ("22:00", "07:00")) == end


def test_quiet_hours_of_one_day_and_none() -> None:
    assert due(utc(2, 12), "UTC", ("11:00", "13:30")) == utc(2, 13, 30)
    assert due(utc(2, 13, 30), "UTC", ("11:00", "13:30")) is None
    assert due(utc(2, 12), "UTC", ("12:00", "12:00")) is None
    assert due(utc(2, 12), "UTC", None) is None


def test_an_end_that_the_clock_jumps_over_comes_at_once_after() -> None:
    assert due(utc(29, 0, 30), "Europe/Berlin", ("22:00", "02:30")) == utc(29, 1, 30)


def test_an_address_that_nobody_has_is_noted_once_until_one_is_proved_anew() -> None:
    contact.when(bounce()).then(address_bounced())
    contact.given(address_bounced()).when(bounce()).then_nothing()
    contact.given(address_bounced()).when(bounce("other@example.com")).then(address_bounced("other@example.com"))
    contact.given(address_bounced()).when(trust()).then(trusted())
    contact.when(trust()).then_nothing()
    contact.given(address_bounced(), trusted()).when(bounce()).then(address_bounced())


def test_of_many_addresses_that_nobody_has_the_latest_are_known() -> None:
    life = contact.given(*(address_bounced(f"a{n}@example.com") for n in range(MOST_BOUNCED + 1)))
    life.when(bounce(f"a{MOST_BOUNCED}@example.com")).then_nothing()
    life.when(bounce("a0@example.com")).then(address_bounced("a0@example.com"))

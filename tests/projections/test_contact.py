"""What clients, and the effects, see of how a customer is reached."""

from projections.contact import CONTACTS
from projections.notification import NOTIFICATIONS
from tests.builders import notification as said
from tests.builders.values import EMAIL
from tests.projections.view import at, rows, shown


def test_a_contact_shows_all_that_the_customer_has_said() -> None:
    view = shown(CONTACTS, said.described(), said.chosen(), said.added(), said.added("tablet", "token-2"))
    assert (view.phone, view.locale, view.quiet) == (said.PHONE, "de", {"begins": "22:00", "ends": "07:00"})
    assert (view.chosen, view.devices) == ({"order/sms": False}, {"pixel": "fcm", "tablet": "fcm"})
    assert view.push_addresses == {"pixel": "token-1", "tablet": "token-2"}
    assert view.updated_at == at(3)


def test_a_dropped_device_leaves_no_address() -> None:
    view = shown(CONTACTS, said.added(), said.dropped())
    assert view.devices == view.push_addresses == {}


def test_of_a_forgotten_contact_nothing_is_left_but_that_it_was() -> None:
    view = shown(CONTACTS, said.described(), said.chosen(), said.added(), said.forgotten())
    assert (view.phone, view.locale, view.quiet, view.time_zone) == (None, "en", None, "UTC")
    assert view.chosen == view.devices == view.push_addresses == {}


def test_messages_to_a_customer_change_no_contact() -> None:
    assert rows(CONTACTS, [said.requested(), said.routed(), said.sent()]) == {}


def test_a_message_shows_where_each_of_its_ways_stands() -> None:
    view = shown(NOTIFICATIONS, said.requested(), said.routed(at(9)), said.deferred(1, at(60)))
    assert (view.status, view.skipped, view.locale) == ("routed", {"push": "no device"}, "de")
    assert (view.ways["email"].due_at, view.ways["sms"].due_at) == (at(9), at(60))
    history = (said.requested(), said.routed(), said.sent("email", "<1>"), said.sent(), said.bounced())
    view = shown(NOTIFICATIONS, *history)
    assert (view.status, view.ways["sms"].status, view.ways["sms"].reference) == ("sent", "bounced", said.SID)


def test_a_suppressed_message_says_why() -> None:
    view = shown(NOTIFICATIONS, said.requested(), said.suppressed())
    assert (view.status, view.skipped) == ("suppressed", {"email": "not wanted"})


def test_a_contact_shows_which_addresses_nobody_has() -> None:
    view = shown(CONTACTS, said.address_bounced())
    assert view.bounced == [{"email": EMAIL, "reason": said.NOBODY}]
    assert shown(CONTACTS, said.address_bounced(), said.trusted()).bounced == []
    assert shown(CONTACTS, said.address_bounced(), said.forgotten()).bounced == []


def test_a_mail_that_bounced_after_its_server_had_taken_it_says_where_to() -> None:
    view = shown(NOTIFICATIONS, said.requested(), said.delivered(), said.mail_bounced())
    assert view.status == "bounced"
    assert (view.ways["email"].recipient, view.ways["email"].reason) == (EMAIL, "mail: failed 5.1.1")

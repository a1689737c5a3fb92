"""What clients see of the messages that they were sent."""

from projections.notification import NOTIFICATIONS
from tests.builders.notification import ABOUT, PARAMS, delivered, refused, requested
from tests.projections.view import at, rows, shown


def test_a_requested_message_shows_what_it_is_to_say_and_to_whom() -> None:
    view = shown(NOTIFICATIONS, requested())
    assert (view.about, view.channel, view.template, view.status) == (ABOUT, "email", "order_confirmed", "requested")
    assert (view.recipient, view.params) == ("ada@customers.example", PARAMS)


def test_a_message_was_delivered_or_refused() -> None:
    done = shown(NOTIFICATIONS, requested(), delivered())
    assert (done.status, done.requested_at, done.updated_at) == ("delivered", at(0), at(1))
    no = shown(NOTIFICATIONS, requested(), refused("no such mailbox"))
    assert (no.status, no.reason) == ("refused", "no such mailbox")


def test_the_end_of_a_message_that_was_never_requested_shows_nothing() -> None:
    assert rows(NOTIFICATIONS, [delivered(), refused()]) == {}

"""A message is requested once, then delivered or refused, once."""

from aggregates.notification import DECIDER
from schemas.notification import RecordDelivery, RecordRefusal
from tests.builders.notification import MAIL, delivered, refused, request, requested
from tests.spec import Spec

message = Spec(DECIDER)
STREAM = f"notification-{MAIL}"
DELIVERY = RecordDelivery(notification_id=MAIL)
REFUSAL = RecordRefusal(notification_id=MAIL, reason="no such mailbox")


def test_a_message_is_requested_and_then_to_be_delivered() -> None:
    message.when(request()).then(requested())
    message.given(requested()).leaves(STREAM, "deliver")


def test_a_message_is_requested_once() -> None:
    for past in ((requested(),), (requested(), delivered()), (requested(), refused())):
        message.given(*past).when(request()).then_nothing()


def test_a_message_is_delivered_or_refused() -> None:
    message.given(requested()).when(DELIVERY).then(delivered())
    message.given(requested()).when(REFUSAL).then(refused())


def test_a_message_ends_once_and_leaves_nothing_to_be_done() -> None:
    for end in (delivered(), refused()):
        life = message.given(requested(), end)
        life.when(DELIVERY).then_nothing()
        life.when(REFUSAL).then_nothing()
        life.leaves(STREAM)


def test_a_message_that_nobody_requested_has_no_end() -> None:
    message.when(DELIVERY).then_nothing()
    message.when(REFUSAL).then_nothing()


def test_a_delivered_message_keeps_nothing_of_what_it_said() -> None:
    assert message.given(requested(), delivered()).state(STREAM).params == {}

"""A message is requested once, then delivered or refused, once."""

from datetime import UTC, datetime, timedelta

from aggregates.notification import DECIDER, Status
from events.notification import NotificationArrived, NotificationDeferred
from schemas.notification import RecordDelivery, RecordRefusal
from tests.builders.notification import (
    MAIL,
    MAIL_ID,
    QUIET,
    arrived,
    bounced,
    declined,
    delivered,
    failure,
    mail_bounced,
    mail_report,
    refused,
    report,
    request,
    requested,
    route,
    routed,
    sending,
    sent,
    suppressed,
)
from tests.builders.values import NOON
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


def test_a_routed_message_leaves_each_of_its_ways_to_be_gone() -> None:
    life = message.given(requested())
    life.when(route()).then(routed())
    message.given(requested(), routed()).leaves(STREAM, "send:email:0", "send:sms:0")
    message.given(requested(), routed()).when(route()).then_nothing()


def test_what_nobody_wants_is_suppressed_and_leaves_nothing() -> None:
    asked = route(ways={}, skipped={"email": "not wanted"})
    message.given(requested()).when(asked).then(suppressed())
    message.given(requested(), suppressed()).leaves(STREAM)


def test_in_quiet_hours_a_message_waits_for_their_end_but_security_does_not() -> None:
    night = datetime(2026, 3, 2, 23, 0, tzinfo=UTC)
    quiet = route(quiet=QUIET, time_zone="Europe/Berlin")
    message.given(requested()).when(quiet, night).then(routed(datetime(2026, 3, 3, 6, 0, tzinfo=UTC)))
    secure = requested().model_copy(update={"kind": "security"})
    message.given(secure).when(quiet, night).then(routed())


def test_what_asks_for_something_before_the_quiet_hours_end_waits_for_no_end() -> None:
    night, morning = datetime(2026, 3, 2, 23, 0, tzinfo=UTC), datetime(2026, 3, 3, 6, 0, tzinfo=UTC)
    quiet = route(quiet=QUIET, time_zone="Europe/Berlin")
    for hours, due in ((1, None), (10, morning)):
        asks = requested().model_copy(update={"params": {"due_at": (night + timedelta(hours=hours)).isoformat()}})
        message.given(asks).when(quiet, night).then(routed(due))


def test_a_way_is_sent_once() -> None:
    message.given(requested(), routed()).when(sending()).then(sent())
    message.given(requested(), routed(), sent()).when(sending()).then_nothing()
    message.given(requested(), routed(), sent()).leaves(STREAM, "send:email:0")


def test_a_way_that_is_not_taken_is_tried_again_later_and_later_until_it_is_given_up() -> None:
    life, at, waited = message.given(requested(), routed()), NOON, []
    for _ in range(8):
        [event] = life.ask(failure(), at)
        if isinstance(event, NotificationDeferred):
            waited.append(int((event.due_at - at).total_seconds()))
            at = event.due_at
            life.leaves(STREAM, "send:email:0", f"send:sms:{event.attempts}")
    assert waited == [30, 60, 120, 240, 480, 960, 1920]
    life.leaves(STREAM, "send:email:0")
    assert life.state(STREAM).ways["sms"].status is Status.DECLINED


def test_a_final_no_is_not_tried_again() -> None:
    message.given(requested(), routed()).when(failure(final=True)).then(declined())


def test_a_report_ends_a_way_once_whatever_comes_after() -> None:
    life = message.given(requested(), routed(), sent())
    life.when(report()).then(arrived())
    life.when(report(arrived=False, reason="twilio: undelivered 30003")).then(bounced())
    for end in (arrived(), bounced()):
        over = message.given(requested(), routed(), sent(), end)
        for late in (report(), report(arrived=False), sending(), failure()):
            over.when(late).then_nothing()


def test_a_report_that_is_faster_than_our_own_note_is_both() -> None:
    message.given(requested(), routed()).when(report()).then(sent(), arrived())


def test_where_it_went_out_twice_the_others_arrival_counts_and_its_bounce_does_not() -> None:
    life = message.given(requested(), routed(), sent())
    life.when(report(arrived=False, reference="SM-another")).then_nothing()
    life.when(report(reference="SM-another")).then(arrived())


def test_a_report_of_a_way_that_the_message_does_not_go_changes_nothing() -> None:
    for past in ((), (requested(),), (requested(), suppressed())):
        message.given(*past).when(report()).then_nothing()


def test_a_message_stands_where_the_best_of_its_ways_does() -> None:
    life = message.given(requested(), routed())
    stands = [life.state(STREAM).status.value]
    for event in (declined(), sent("email", ""), arrived()):
        life.record([event])
        stands.append(life.state(STREAM).status.value)
    assert stands == ["routed", "routed", "sent", "delivered"]
    assert life.state(STREAM).params == {}


def test_a_mail_that_went_the_one_way_may_bounce_once_its_server_has_taken_it() -> None:
    lost, gone = mail_report(arrived=False), mail_bounced()
    message.given(requested(), delivered()).when(lost).then(gone)
    message.given(requested()).when(lost).then(delivered(), gone)  # the report was faster than our own note
    message.given(requested(), delivered()).when(mail_report()).then_nothing()
    for past in ((requested(), delivered(), gone), (requested(), refused()), (requested(), suppressed()), ()):
        for late in (lost, mail_report()):
            message.given(*past).when(late).then_nothing()


def test_a_mail_among_several_ways_bounces_as_an_sms_does() -> None:
    life = message.given(requested(), routed(), sent("email", MAIL_ID))
    life.when(mail_report(arrived=False)).then(mail_bounced())
    life.when(mail_report(arrived=True)).then(NotificationArrived(notification_id=MAIL, way="email"))

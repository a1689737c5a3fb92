"""What cannot be handled waits with the later ones of its aggregate, is retried in order, and holds up nobody else."""

import base64
from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from aggregates.letters import LOOSE, Letter
from aggregates.order import DECIDER, Status
from aggregates.repository import LOCAL
from aggregates.stage import Incoming
from events.event import Event
from events.letter import LetterDiscarded, LetterEdited, LetterParked, LetterReleased, LetterRetried, hearing
from events.order import OrderCancelled, OrderStockSecured
from events.outcome import CommandRejected, CommandUnchanged, RecordParked
from events.registry import event_codec
from schemas.order import CancelOrder, RecordReservation, ShipOrder
from schemas.parking import DiscardLetter, EditLetter, ParkEvent, RetryLetter
from schemas.values import Command
from tests.aggregates.desk import Desk, incoming
from tests.aggregates.test_stage import broken, tags
from tests.builders.order import SKUS, place
from tests.builders.values import A, B

STREAM = f"order-{A}"
RESERVED, SHIP, CANCEL = RecordReservation(order_id=A, skus=SKUS), ShipOrder(order_id=A), CancelOrder(order_id=A)


def stuck(*later: Command) -> Desk:
    """An order whose reservation could not be recorded, for a bug that is mended by now, and what came later."""
    desk = Desk(broken(DECIDER, RecordReservation))
    desk.stage(incoming(place(), "place"), incoming(RESERVED, "reserved", "product.events/0/7/0"))
    desk.stage(*(incoming(command, command.tag, offset=9 + n) for n, command in enumerate(later)))
    return mended(desk)


def mended(desk: Desk) -> Desk:
    """A new owner, of the right rules, that knows the log alone."""
    heir = Desk()
    heir.repository, heir.recorded = desk.folded(), desk.recorded
    heir.repository.decider = DECIDER
    return heir


def letters(desk: Desk, stream: str = STREAM) -> tuple[Letter, ...]:
    return desk.repository.get(stream).letters.open


def retry(desk: Desk, nth: int = 0, name: str = "retry", stream: str = STREAM) -> list[Event]:
    return desk.stage(incoming(RetryLetter(about=stream, letter=letters(desk, stream)[nth].id, partition=0), name))


def mangled(subject: str = STREAM, name: str = "mangled", body: bytes = b'{"order_id": "?"}') -> Incoming:
    """A cancellation of which everything but the body makes sense."""
    one = incoming(None, name, subject=subject, why="order_id: String should match pattern")
    envelope = replace(one.envelope, type=CANCEL.tag)
    return Incoming(envelope, None, one.topic, 0, 3, subject.encode(), body, one.reason, mendable=True)


def test_later_commands_of_a_stuck_order_wait_behind_it_and_another_order_goes_on() -> None:
    desk = stuck()

    ship, cancel, other = desk.stage(incoming(SHIP, "2"), incoming(CANCEL, "3"), incoming(place(B), "4"))

    [first, *_] = letters(desk)
    assert isinstance(ship, LetterParked)
    assert isinstance(cancel, LetterParked)
    assert (ship.behind, cancel.behind, ship.attempts) == (first.id, first.id, 0)
    assert other.tag == "order.placed.v1"
    assert desk.state(STREAM).status is Status.PLACED


def test_a_retry_handles_all_that_waited_in_the_order_in_which_they_came() -> None:
    desk = stuck(SHIP, CANCEL)

    told = retry(desk)

    assert tags(told) == [
        "letter.retried.v1",
        "order.stock_secured.v1",
        "letter.retried.v1",
        "letter.retried.v1",
        "order.cancelled.v1",
    ]
    assert [event.became for event in told if isinstance(event, LetterRetried)] == ["accepted", "rejected", "accepted"]
    assert letters(desk) == ()
    assert desk.state(STREAM).status is Status.CANCELLED


def test_a_retry_stops_at_the_first_that_fails_again_and_the_rest_stays_in_its_place() -> None:
    desk = stuck(SHIP, CANCEL)
    desk.repository.decider = broken(DECIDER, ShipOrder)

    retry(desk)

    assert [(letter.type, letter.attempts) for letter in letters(desk)] == [(SHIP.tag, 1), (CANCEL.tag, 0)]
    assert desk.state(STREAM).status is Status.SECURED
    [told] = retry(desk, name="again")
    assert isinstance(told, LetterRetried)
    assert (told.became, told.attempts) == ("parked", 2)
    assert "ZeroDivisionError" in told.detail


def test_what_a_retry_leads_to_follows_from_it_and_from_no_old_origin() -> None:
    desk = stuck()
    retry(desk)
    retried, secured = (envelope for envelope, _ in desk.recorded[-2:])
    assert secured.causation == retried.id
    assert (secured.origin, secured.position) == (LOCAL, -1)
    assert secured.correlation == retried.correlation == incoming(RESERVED, "reserved").envelope.correlation
    later = incoming(RESERVED, "later", "product.events/0/8/0")
    assert desk.stage(later) == [CommandUnchanged(about=STREAM)]


def test_an_answer_of_the_world_waits_for_nobody() -> None:
    desk = stuck()
    assert tags(desk.stage(incoming(RESERVED, "answer", LOCAL))) == ["order.stock_secured.v1"]


def test_a_repeat_of_what_waits_is_dropped() -> None:
    desk = stuck(CANCEL)
    assert desk.stage(incoming(CANCEL, CANCEL.tag)) == []
    assert desk.stage(incoming(RESERVED, "reserved", "product.events/0/7/0")) == []


def test_a_retry_that_comes_twice_is_one() -> None:
    desk = stuck()
    asked = incoming(RetryLetter(about=STREAM, letter=letters(desk)[0].id, partition=0), "retry")
    assert len(desk.stage(asked, asked)) == 2
    assert desk.stage(asked) == []


def test_one_that_waits_cannot_go_first() -> None:
    desk = stuck(CANCEL)
    [told] = retry(desk, nth=1)
    assert isinstance(told, CommandRejected)
    assert told.code == "LetterWaits"
    assert len(letters(desk)) == 2


@pytest.mark.parametrize("about", [STREAM, f"order-{B}", "weather-today", "order-unknown"])
def test_a_letter_that_nobody_has_cannot_be_retried(about: str) -> None:
    [told] = stuck().stage(incoming(RetryLetter(about=about, letter=B, partition=0), "retry"))
    assert isinstance(told, CommandRejected)
    assert told.code == "LetterUnknown"


def test_a_command_that_cannot_be_decoded_blocks_the_order_that_it_is_about() -> None:
    desk = Desk()
    desk.stage(incoming(place(), "place"))
    parked, waits = desk.stage(mangled(), incoming(RESERVED, "reserved", "product.events/0/7/0"))
    assert isinstance(parked, LetterParked)
    assert base64.b64decode(parked.value) == b'{"order_id": "?"}'
    assert isinstance(waits, LetterParked)
    assert waits.behind == parked.letter


def test_one_about_an_order_that_does_not_exist_blocks_nobody_and_can_be_mended_all_the_same() -> None:
    desk = Desk()
    assert tags(desk.stage(mangled(), incoming(place(), "place"))) == ["letter.parked.v1", "order.placed.v1"]
    edit = EditLetter(about=STREAM, letter=letters(desk)[0].id, partition=0, value=CANCEL.model_dump_json(), why="typo")
    assert tags(desk.stage(incoming(edit, "edit"))) == ["letter.edited.v1", "letter.retried.v1", "order.cancelled.v1"]


def test_garbage_that_could_be_mended_is_kept_for_a_while_and_then_only_in_the_log() -> None:
    desk = Desk()
    told = desk.stage(*(mangled(name=f"mangled {n}") for n in range(LOOSE + 1)))
    assert len(letters(desk)) == LOOSE
    assert isinstance(told[-1], RecordParked)


def test_an_edited_letter_is_handled_as_it_is_now_and_what_it_was_stays_on_record() -> None:
    desk = Desk()
    desk.stage(incoming(place(), "place"), mangled(), incoming(SHIP, "ship"))
    edit = EditLetter(about=STREAM, letter=letters(desk)[0].id, partition=0, value=CANCEL.model_dump_json(), why="typo")

    edited, retried, cancelled, shipping = desk.stage(incoming(edit, "edit"))

    assert isinstance(edited, LetterEdited)
    assert base64.b64decode(edited.before) == b'{"order_id": "?"}'
    assert isinstance(retried, LetterRetried)
    assert (retried.became, retried.command) == ("accepted", mangled().envelope.id)
    assert isinstance(cancelled, OrderCancelled)
    assert isinstance(shipping, LetterRetried)
    assert (shipping.became, shipping.code) == ("rejected", "OrderSettled")


@pytest.mark.parametrize("body", ["{}", "[]", "no JSON", CancelOrder(order_id=B).model_dump_json()])
def test_an_edit_that_does_not_fit_changes_nothing(body: str) -> None:
    desk = stuck()
    [letter] = letters(desk)
    [told] = desk.stage(incoming(EditLetter(about=STREAM, letter=letter.id, partition=0, value=body, why="so"), "edit"))
    assert isinstance(told, CommandRejected)
    assert told.code == "LetterUnfit"
    assert letters(desk) == (letter,)


def test_with_the_first_discarded_the_others_go_on_in_order() -> None:
    desk = stuck(SHIP, CANCEL)
    discard = DiscardLetter(about=STREAM, letter=letters(desk)[0].id, partition=0, why="nobody wants it")
    told = desk.stage(incoming(discard, "discard"))
    assert tags(told) == ["letter.discarded.v1", "letter.retried.v1", "letter.retried.v1", "order.cancelled.v1"]
    assert letters(desk) == ()


def test_with_one_discarded_that_waits_the_first_still_blocks() -> None:
    desk = stuck(SHIP, CANCEL)
    discard = DiscardLetter(about=STREAM, letter=letters(desk)[1].id, partition=0, why="nobody wants it")
    [told] = desk.stage(incoming(discard, "discard"))
    assert isinstance(told, LetterDiscarded)
    assert told.command == incoming(SHIP, SHIP.tag).envelope.id
    assert [letter.type for letter in letters(desk)] == [RESERVED.tag, CANCEL.tag]


def test_letters_of_an_unreadable_order_wait_until_somebody_can_read_it() -> None:
    desk = stuck(CANCEL)
    desk.repository.entities[STREAM] = replace(desk.repository.entities[STREAM], unreadable="2: of newer code")
    [told] = retry(desk)
    assert isinstance(told, LetterRetried)
    assert (told.became, "cannot be known" in told.detail) == ("parked", True)


HEARING = hearing("order", f"payment-{A}")


def event(name: str, offset: int, reason: str = "a bug", letter: str = "", attempts: int = 1) -> Incoming:
    """What a reactor asks when it cannot react to an event, or, without a reason, not yet."""
    command = ParkEvent(
        about=HEARING, letter=letter, type="payment.authorized.v1", message=name, subject=f"payment-{A}",
        topic="payment.events", partition=0, offset=offset, reason=reason, key="", value="e30=", attempts=attempts,
    )  # fmt: skip
    return incoming(command, name, f"payment.events/0/{offset}/0", offset=-1)


def test_events_that_a_reaction_could_not_take_are_released_in_order() -> None:
    desk = Desk()
    desk.stage(event("1", 5), event("2", 6, ""))
    told = retry(desk, stream=HEARING)
    assert [(type(each), each.offset) for each in told if isinstance(each, LetterReleased)] == [
        (LetterReleased, 5),
        (LetterReleased, 6),
    ]
    assert letters(desk, HEARING) == ()
    assert desk.repository.get(HEARING).letters.heard == ("payment.events/0/5/0", "payment.events/0/6/0")


def test_one_that_comes_behind_a_letter_which_has_just_gone_goes_after_it_at_once() -> None:
    desk = Desk()
    desk.stage(event("1", 5))
    retry(desk, stream=HEARING)
    assert tags(desk.stage(event("2", 6, ""))) == ["letter.parked.v1", "letter.released.v1"]


@pytest.mark.parametrize("about", [STREAM, hearing("order", f"payment-{B}"), hearing("payment", f"order-{A}")])
def test_nobody_can_make_an_order_wait_by_asking_for_it(about: str) -> None:
    desk = Desk()
    desk.stage(incoming(place(), "place"))
    asked = event("1", 5).command
    assert asked is not None
    told = desk.stage(incoming(asked.model_copy(update={"about": about}), "ask"), incoming(CANCEL, "cancel"))
    assert tags(told) == ["record.parked.v1", "order.cancelled.v1"]


@pytest.mark.parametrize("later", list(permutations((RESERVED, SHIP, CANCEL))))
def test_a_new_owner_that_reads_the_log_knows_who_waits(later: tuple[Command, ...]) -> None:
    desk = stuck(*later)
    assert desk.folded().entities == desk.repository.entities
    retry(desk)
    assert desk.folded().entities == desk.repository.entities
    assert desk.folded().handled == desk.repository.handled


ASKED = st.sampled_from(["reserve", "ship", "cancel", "mangle", "retry", "discard", "break", "mend"])


@given(st.lists(ASKED, max_size=14), st.integers(0, 40))
def test_whatever_happens_replaying_equals_living_and_order_is_kept(asked: list[str], from_here: int) -> None:
    desk = Desk()
    desk.stage(incoming(place(), "place"))
    came: list[str] = []
    for n, what in enumerate(asked):
        name = f"{what} {n}"
        match what:
            case "break":
                desk.repository.decider = broken(DECIDER, CancelOrder)
            case "mend":
                desk.repository.decider = DECIDER
            case "retry" | "discard":
                if letters(desk):
                    asked_of = RetryLetter(about=STREAM, letter=letters(desk)[0].id, partition=0)
                    discard = DiscardLetter(**dict(asked_of), why="so")
                    desk.stage(incoming(asked_of if what == "retry" else discard, name))
            case _:
                one = {"reserve": RESERVED, "ship": SHIP, "cancel": CANCEL}.get(what)
                asking = incoming(one, name, offset=n) if one else mangled(name=name)
                desk.stage(asking)
                came.append(asking.envelope.id)
    waiting = [letter.message for letter in letters(desk)]
    assert waiting == [message for message in came if message in waiting]
    assert desk.folded().entities.keys() == desk.repository.entities.keys()
    assert desk.folded().get(STREAM) == desk.repository.get(STREAM)
    _refolded_on_a_snapshot_is_the_same(desk, from_here)


def _refolded_on_a_snapshot_is_the_same(desk: Desk, from_here: int) -> None:
    """A snapshot may be newer than the place that is folded on from."""
    letters = desk.repository.get(STREAM).letters
    for envelope, body in desk.recorded[from_here:]:
        letters = letters.after(envelope, event_codec.decode(envelope.type, body))
    assert letters.open == desk.repository.get(STREAM).letters.open


def test_a_stock_that_was_secured_late_is_secured_once() -> None:
    desk = stuck(RESERVED, CANCEL)
    told = retry(desk)
    assert sum(isinstance(each, OrderStockSecured) for each in told) == 1

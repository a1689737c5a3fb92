"""Every input is decided upon once, every answer is recorded, and what makes no sense is set aside without stopping."""

from collections.abc import Callable

import pytest

from aggregates.decider import Decider
from aggregates.order import DECIDER, Status
from aggregates.repository import LOCAL
from events.envelope import CLIENT
from events.event import Event
from events.letter import LetterParked
from events.outcome import CommandRejected, CommandUnchanged, RecordParked
from schemas.order import CancelOrder, RecordReservation, ShipOrder
from schemas.parking import ParkRecord
from schemas.payment import CapturePayment
from tests.aggregates.desk import Desk, incoming
from tests.builders.order import SKUS, place
from tests.builders.values import FIGS, A, B

STREAM = f"order-{A}"
CANCEL = CancelOrder(order_id=A)
RESERVED = RecordReservation(order_id=A, skus=SKUS)


def tags(events: list[Event]) -> list[str]:
    return [event.tag for event in events]


def test_a_command_that_a_client_sends_twice_is_decided_upon_once() -> None:
    desk = Desk()
    assert tags(desk.stage(incoming(place()), incoming(place()))) == ["order.placed.v1"]
    assert desk.stage(incoming(place())) == []


def test_a_client_id_is_remembered_though_a_rule_said_no() -> None:
    desk = Desk()
    desk.stage(incoming(ShipOrder(order_id=A)))
    assert desk.stage(incoming(ShipOrder(order_id=A))) == []


def test_a_command_at_or_below_the_last_origin_of_its_source_is_a_repeat() -> None:
    desk = Desk()
    desk.stage(incoming(place()))
    told = incoming(RESERVED, "told", "product.events/0/7/1")
    assert tags(desk.stage(told, told)) == ["order.stock_secured.v1"]
    for origin in ("product.events/0/7/1", "product.events/0/7/0", "product.events/0/6/9"):
        assert desk.stage(incoming(CANCEL, "late", origin)) == []


def test_origins_of_other_partitions_and_later_ones_are_news() -> None:
    desk = Desk()
    desk.stage(incoming(place()), incoming(RESERVED, "told", "product.events/0/7/1"))
    assert desk.stage(incoming(RESERVED, "other", "product.events/1/0/0")) == [CommandUnchanged(about=STREAM)]
    assert desk.stage(incoming(RESERVED, "next", "product.events/0/10/0")) == [CommandUnchanged(about=STREAM)]


def test_a_rejection_is_recorded_with_its_name_and_its_reason() -> None:
    said = Desk().stage(incoming(CANCEL))
    assert said == [CommandRejected(about=STREAM, code="OrderUnknown", detail="There is no such order.")]


def test_what_is_so_already_is_recorded_too_so_that_the_log_knows_it_was_handled() -> None:
    desk = Desk()
    desk.stage(incoming(place()))
    assert desk.stage(incoming(place(), "again", offset=5)) == [CommandUnchanged(about=STREAM)]
    assert desk.folded().handled.position == 5


def test_the_owner_records_nothing_when_its_own_command_changes_nothing() -> None:
    desk = Desk()
    assert desk.stage(incoming(RecordReservation(order_id=A, skus=(FIGS,)), origin=LOCAL)) == []


def test_versions_have_no_gap_and_outcomes_have_none() -> None:
    desk = Desk()
    asked = [place(), ShipOrder(order_id=A), RESERVED, RESERVED, CANCEL]
    desk.stage(*[incoming(command, str(index)) for index, command in enumerate(asked)])
    assert [envelope.version for envelope, _ in desk.recorded] == [1, 0, 2, 0, 3]


def test_ids_follow_from_the_command_and_name_their_cause() -> None:
    one, other = Desk(), Desk()
    for desk in (one, other):
        desk.stage(incoming(place()), incoming(RESERVED, "told", "product.events/0/7/0"))
    assert one.recorded == other.recorded
    ids = [envelope.id for envelope, _ in one.recorded]
    assert len(set(ids)) == len(ids)
    assert one.recorded[0][0].causation == incoming(place()).envelope.id


def test_a_command_is_decided_upon_what_the_ones_before_it_in_the_batch_have_left() -> None:
    desk = Desk()
    assert tags(desk.stage(incoming(place()), incoming(CANCEL, "second"))) == ["order.placed.v1", "order.cancelled.v1"]
    assert desk.state(STREAM).status is Status.CANCELLED


def test_nothing_is_so_before_it_is_written() -> None:
    desk = Desk()
    desk.stage()
    assert desk.state(STREAM).status is Status.UNKNOWN


def test_a_new_owner_that_reads_the_log_knows_what_the_old_one_knew() -> None:
    desk = Desk()
    asked = [
        incoming(place(), "1", offset=3),
        incoming(RESERVED, "2", "product.events/0/7/1", offset=4),
        incoming(ShipOrder(order_id=A), "3", offset=5),
        incoming(CANCEL, "4", LOCAL, offset=-1),
        incoming(place(B), "5", offset=6),
    ]
    desk.stage(*asked)
    assert desk.folded().entities == desk.repository.entities
    assert desk.folded().handled == desk.repository.handled


def test_what_could_not_be_decoded_is_parked_with_its_place_and_its_bytes() -> None:
    [parked] = Desk().stage(incoming(None, offset=9, subject=STREAM, why="lines: Field required"))
    assert parked.model_dump() == {
        "about": STREAM,
        "topic": "order.commands",
        "partition": 0,
        "offset": 9,
        "reason": "lines: Field required",
        "key": "a2V5",
        "value": "dmFsdWU=",
    }


@pytest.mark.parametrize("subject", ["", "nonsense", "payment-x", "-", "\ufffd"])
def test_what_names_no_stream_of_ours_is_parked_under_a_stream_of_ours(subject: str) -> None:
    [parked] = Desk().stage(incoming(None, subject=subject, why="no message"))
    assert parked.stream == "order-unknown"


@pytest.mark.parametrize("origin", [CLIENT, "order.events/0/1/0"])
def test_a_command_of_another_context_is_parked(origin: str) -> None:
    [parked] = Desk().stage(incoming(CapturePayment(order_id=A), origin=origin))
    assert isinstance(parked, RecordParked)


def test_a_parking_that_a_client_asks_for_is_recorded() -> None:
    letter = ParkRecord(about="strange", topic="t", partition=0, offset=1, reason="odd", key="", value="")
    [parked] = Desk().stage(incoming(letter))
    assert parked.stream == "order-unknown"


@pytest.mark.parametrize(
    "origin", ["a/b/c/d", "//", "order.events/0/1/x", "order.events/0/-1/-1", f"order.events/0/{9**99}/0", ""]
)
def test_an_origin_that_makes_no_sense_stops_nobody(origin: str) -> None:
    desk = Desk()
    assert tags(desk.stage(incoming(place(), origin=origin), incoming(CANCEL, "next"))) == [
        "order.placed.v1",
        "order.cancelled.v1",
    ]
    assert desk.folded().entities == desk.repository.entities


def test_a_bug_in_a_rule_is_parked_and_the_next_command_is_decided_upon() -> None:
    desk = Desk(broken(DECIDER, CancelOrder))
    parked, rejected = desk.stage(incoming(CANCEL), incoming(ShipOrder(order_id=B), "next"))
    assert isinstance(parked, LetterParked)
    assert "ZeroDivisionError" in parked.reason
    assert isinstance(rejected, CommandRejected)


def broken(decider: Decider, kind: type[object]) -> Decider:
    """The same rules, with a bug in one."""
    decide: Callable[..., list[Event]] = decider.decide

    def decide_badly(command: object, *known: object) -> list[Event]:
        return [] if isinstance(command, kind) and 1 / 0 else decide(command, *known)

    return Decider(decider.context, decider.initial, decider.evolve, decide_badly)


def test_repeats_that_leave_no_record_still_move_the_place_to_go_on_from() -> None:
    desk = Desk()
    desk.stage(incoming(place(), offset=3))
    stage = desk.staged(incoming(place(), offset=4))
    stage.handled(4)
    stage.handled(4)
    desk.written(stage)
    assert desk.folded().handled.position == 4
    assert len(desk.recorded) == 2

"""What the circumstances of a client's command forbid is refused by its writer, whatever the rules say."""

import pytest
from msgspec.structs import replace

from aggregates.order import DECIDER, Status
from aggregates.stage import Incoming
from events.ids import under
from events.letter import LetterParked
from events.outcome import CommandRejected, RecordParked
from schemas.order import CancelOrder, RecordReservation, ShipOrder
from schemas.values import Command
from tests.aggregates.desk import Desk, incoming
from tests.aggregates.test_letters import letters, retry, stuck
from tests.aggregates.test_stage import broken, tags
from tests.builders.order import SKUS, place
from tests.builders.values import A

STREAM = f"order-{A}"
CANCEL, SHIP = CancelOrder(order_id=A), ShipOrder(order_id=A)


def sent(command: Command, expected: str = "", key: str = "") -> Incoming:
    """A client's command, on a condition, under a key."""
    one = incoming(command, f"{command.tag} {expected}")
    command_id = under("user ada", "POST /orders", key, repr(command).encode()) if key else one.envelope.id
    return replace(one, envelope=replace(one.envelope, id=command_id, expected=expected))


@pytest.mark.parametrize("expected", ["1", "*", "7,1"])
def test_a_command_for_the_version_that_is_there_is_obeyed(expected: str) -> None:
    desk = Desk()
    desk.stage(incoming(place()))
    assert tags(desk.stage(sent(CANCEL, expected))) == ["order.cancelled.v1"]


@pytest.mark.parametrize("expected", ["0", "2", "11"])
def test_a_command_for_another_version_is_refused_on_record_and_changes_nothing(expected: str) -> None:
    desk = Desk()
    desk.stage(incoming(place()))
    [no] = desk.stage(sent(CANCEL, expected))
    assert isinstance(no, CommandRejected)
    assert (no.about, no.code) == (STREAM, "PreconditionFailed")
    assert desk.state(STREAM).status is Status.PLACED
    assert desk.stage(sent(CANCEL, expected)) == []


def test_any_version_is_none_where_nothing_is() -> None:
    [no] = Desk().stage(sent(CANCEL, "*"))
    assert isinstance(no, CommandRejected)
    assert no.code == "PreconditionFailed"


def test_while_a_letter_waits_a_command_on_a_condition_is_refused_and_waits_for_nobody() -> None:
    desk = stuck()
    version = desk.repository.get(STREAM).version

    [no] = desk.stage(sent(CANCEL, str(version)))

    assert isinstance(no, CommandRejected)
    assert (no.code, no.detail) == ("PreconditionFailed", "Something that came before waits for a person.")
    assert len(letters(desk)) == 1
    retry(desk)
    assert letters(desk) == ()
    assert desk.state(STREAM).status is Status.SECURED
    [waits] = stuck().stage(sent(CANCEL))
    assert isinstance(waits, LetterParked)


def test_a_command_on_a_condition_whose_rule_is_broken_is_set_aside_for_good_and_nobody_waits_for_it() -> None:
    desk = Desk(broken(DECIDER, CancelOrder))
    desk.stage(incoming(place()))

    parked, secured = desk.stage(
        sent(CANCEL, "1"), incoming(RecordReservation(order_id=A, skus=SKUS), "2", "product.events/0/7/0")
    )

    assert isinstance(parked, RecordParked)
    assert "ZeroDivisionError" in parked.reason
    assert secured.tag == "order.stock_secured.v1"
    assert letters(desk) == ()


def test_another_command_under_a_key_is_refused_also_by_the_next_owner() -> None:
    desk = Desk()
    desk.stage(incoming(place()), sent(CANCEL, key="mine"))
    heir = Desk()
    heir.repository, heir.recorded = desk.folded(), desk.recorded
    for owner in (desk, heir):
        [no] = owner.stage(sent(SHIP, key="mine"))
        assert isinstance(no, CommandRejected)
        assert no.code == "KeyReused"
        assert owner.stage(sent(CANCEL, key="mine")) == []
        [other] = owner.stage(sent(SHIP, key="another"))
        assert isinstance(other, CommandRejected)
        assert other.code != "KeyReused"

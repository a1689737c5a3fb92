"""An order is over when it has arrived, or will not, and nothing of it is on its way back."""

import pytest

from projections.following import Course, further

RETURN = {"return_id": "r-1"}


def after(*events: tuple[str, dict[str, str]]) -> Course:
    course = Course()
    for kind, data in events:
        course = further(course, kind, data)
    return course


@pytest.mark.parametrize("kind", ["order.rejected.v1", "order.cancelled.v1", "order.delivered.v1"])
def test_it_ends_in_one_of_three_ways(kind: str) -> None:
    assert after((kind, {})).over


@pytest.mark.parametrize(
    "kind", ["order.placed.v1", "order.confirmed.v1", "order.shipped.v1", "order.shipment_delivered.v1"]
)
def test_before_that_more_is_to_come(kind: str) -> None:
    assert not after((kind, {})).over


def test_a_return_is_waited_for_and_a_note_is_not() -> None:
    delivered: tuple[str, dict[str, str]] = ("order.delivered.v1", {})
    asked = ("order.return_requested.v1", RETURN)
    assert not after(delivered, asked).over
    assert after(delivered, asked, ("order.return_received.v1", RETURN)).over
    assert not after(asked, delivered).over
    assert after(delivered, ("order.noted.v1", {})).over

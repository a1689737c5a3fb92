"""What counts as well: an owner, and a view that keeps up or moves."""

import pytest

from events.cluster import Member
from events.fence import Fence
from events.log import Place
from workers.operator.health import _unowned, _wrong
from workers.operator.look import Look, Seen

PLACE = Place("order.events", 2)
ADA = Member("order.writers", "orderlog-desk-1", "127.0.0.1", ())


def seen(head: int, view: int | None, first: int = 0, owner: Member | None = ADA) -> Seen:
    return Seen(first, head, None if view is None else Fence(view, 1, "w"), owner)


@pytest.mark.parametrize(
    ("before", "now", "why"),
    [
        (seen(10, 10), seen(10, 10), ""),
        (seen(900, 0), seen(1000, 0), ""),
        (seen(5000, 100), seen(5000, 900), ""),
        (seen(5000, 100), seen(5000, 100), "order/2: the view stands still, 4,900 records behind"),
        (seen(20_000, 100), seen(20_000, 900), "order/2: the view is 19,100 records behind"),
        (seen(50, 10, first=20), seen(50, 10, first=20), "order/2: the log begins at 20, after the view"),
        (seen(50, None), seen(50, None), ""),
    ],
)
def test_a_view_keeps_up_or_moves(before: Seen, now: Seen, why: str) -> None:
    said = _wrong(PLACE, before, now, {})
    assert "".join(said).startswith(why)
    assert bool(said) == bool(why)


def test_partitions_that_nobody_owns_are_named() -> None:
    look = Look(0.0, {Place("order.events", p): seen(1, 1, owner=ADA if p else None) for p in range(4)}, {})
    assert _unowned("order", look) == "order: nobody owns 0; start a worker with this context"
    assert _unowned("user", look) == ""

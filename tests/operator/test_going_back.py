"""Which version a rollback goes back to, where nobody names one."""

from datetime import UTC, datetime
from typing import Any

import pytest
from msgspec.structs import replace

from projections.order import ORDERS
from projections.versions import Version
from workers.operator.desk import Desk
from workers.operator.projections import _before
from workers.operator.terms import Refused

READY = Version("orders", 1, 1, False, False, "ready", "", None, datetime(2026, 3, 2, tzinfo=UTC))
LIVE = replace(READY, number=4, live=True, joined=True)
NOWHERE: Any = None
DESK = Desk(NOWHERE, ORDERS, NOWHERE)


def before(*others: Version) -> int:
    return _before(DESK, LIVE, [*others, LIVE]).number


def test_it_is_the_last_one_before_the_live_one() -> None:
    assert before(READY, replace(READY, number=3), replace(READY, number=5)) == 3
    assert before(replace(READY, number=5)) == 5


@pytest.mark.parametrize("state", ["building", "stopped", "refused"])
def test_it_is_none_that_was_never_finished_or_was_found_wrong(state: str) -> None:
    assert before(READY, replace(READY, number=3, state=state)) == 1
    with pytest.raises(Refused):
        before(replace(READY, number=3, state=state))


def test_it_is_none_of_the_past_and_none_of_another_read_model() -> None:
    assert before(READY, replace(READY, number=3, upto={"0": 5}), replace(READY, number=3, name="history")) == 1

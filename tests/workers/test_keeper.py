"""What a worker says of read models that its code does not keep, and has done about it."""

from datetime import UTC, datetime

from msgspec.structs import replace

from projections.order import ORDERS
from projections.versions import Version
from workers.keeper import notices

LIVE = Version("orders", 3, ORDERS.version, True, True, "ready", "", None, datetime(2026, 11, 28, tzinfo=UTC))
SECOND = replace(ORDERS, version=ORDERS.version + 1)


def test_nothing_is_said_of_what_is_kept() -> None:
    assert list(notices([ORDERS], [LIVE])) == []


def test_a_read_model_that_has_no_version_is_rebuilt_if_asked_for() -> None:
    [notice] = notices([ORDERS], [])
    assert notice.said.startswith("order.orders has no live version yet")
    assert (notice.words[:2], notice.asked) == (("rebuild", "order.orders"), True)


def test_other_code_than_the_live_tables_is_said_and_rebuilt_if_asked_for() -> None:
    [notice] = notices([SECOND], [LIVE])
    said = f"version {SECOND.version} in this code, and orders_v3 is made by version {ORDERS.version}"
    assert said in notice.said
    assert "--leave" in notice.words


def test_a_live_version_that_stands_apart_is_brought_up_by_who_has_its_code() -> None:
    apart = replace(LIVE, joined=False)
    [notice] = notices([ORDERS], [apart])
    assert (notice.words[:2], notice.asked, notice.version) == (("resume", "order.orders"), False, apart)
    assert list(notices([ORDERS], [replace(apart, state="paused")])) == [], "somebody wants it so"
    assert [one.words[0] for one in notices([SECOND], [apart])] == ["rebuild"], "this code cannot keep it"

"""Stock by location, what is said when it runs low, and who is told when it is back."""

from datetime import timedelta
from typing import Any

import pytest

from aggregates.errors import (
    ProductAlreadyWithdrawn,
    ProductUnknown,
    StockElsewhere,
    StockHeld,
    StockThere,
    WaitingListFull,
)
from aggregates.product import MOST_WAITING, TOLD_AT_ONCE, Product
from aggregates.reservation import decider
from aggregates.shelf import taken
from schemas.product import (
    AdjustStock,
    AwaitStock,
    CommitReservation,
    CountStock,
    ReceiveStock,
    ReleaseReservation,
    ReserveStock,
    SetLowStock,
    ShipReservation,
    StopAwaitingStock,
    TellWaiting,
    TransferStock,
)
from tests.builders.product import (
    SHELF,
    adjusted,
    awaited,
    counted,
    items,
    listed,
    low_stock_set,
    made,
    not_awaited,
    ran_low,
    ran_low_for,
    received,
    released,
    returned,
    shipped,
    stock_released,
    stock_reserved,
    stock_shipped,
    told,
    transferred,
    withdrawn,
)
from tests.builders.values import EMAIL, FIGS, A
from tests.spec import Spec

product = Spec(decider(timedelta(minutes=15)))
HERE: dict[str, Any] = {"order_id": A, "partition": SHELF}
ANNEX: dict[str, Any] = {"sku": FIGS, "location": "annex"}
AWAIT = AwaitStock(sku=FIGS, customer_id="ada", email=EMAIL)
TWO_PLACES = (listed(), received(2), received(5, location="annex"))


def test_goods_are_received_adjusted_and_counted_where_they_lie() -> None:
    there = product.given(*TWO_PLACES)
    there.when(ReceiveStock(**ANNEX, quantity=4)).then(received(4, location="annex"))
    there.when(AdjustStock(**ANNEX, delta=-5, reason="broken")).then(adjusted(-5, location="annex"))
    there.when(CountStock(**ANNEX, quantity=4)).then(counted(4, location="annex"))
    there.when(CountStock(**ANNEX, quantity=5)).then_nothing()
    assert there.state(f"product-{FIGS}").locations == {"main": 2, "annex": 5}


def test_a_count_of_one_location_leaves_the_others() -> None:
    state = product.given(*TWO_PLACES, counted(1, location="annex")).state(f"product-{FIGS}")
    assert (state.on_hand, state.locations) == (3, {"main": 2, "annex": 1})


def test_no_location_goes_below_zero_though_others_have_more() -> None:
    there = product.given(*TWO_PLACES)
    there.when(AdjustStock(sku=FIGS, delta=-3, reason="broken")).then_rejected(StockElsewhere)
    there.when(TransferStock(sku=FIGS, quantity=3, source="main", target="annex")).then_rejected(StockElsewhere)
    there.when(TransferStock(sku=FIGS, quantity=1, source="nowhere", target="annex")).then_rejected(StockElsewhere)


def test_goods_are_transferred_and_what_is_held_goes_along() -> None:
    held = product.given(*TWO_PLACES, stock_reserved(7))
    held.when(TransferStock(sku=FIGS, quantity=2, source="main", target="annex")).then(transferred(2))
    held.when(TransferStock(sku=FIGS, quantity=2, source="main", target="main")).then_nothing()
    held.when(CountStock(**ANNEX, quantity=4)).then_rejected(StockHeld)
    state = product.given(*TWO_PLACES, transferred(2)).state(f"product-{FIGS}")
    assert (state.on_hand, state.locations) == (7, {"annex": 7})
    product.when(TransferStock(sku=FIGS, quantity=1, source="a", target="b")).then_rejected(ProductUnknown)


def test_an_order_holds_what_lies_at_several_locations_and_it_leaves_from_where_most_is_first() -> None:
    product.given(*TWO_PLACES).when(ReserveStock(**HERE, items=items((FIGS, 6)))).then(
        stock_reserved(6), made((FIGS, 6))
    )
    held = product.given(*TWO_PLACES, stock_reserved(6), made((FIGS, 6)))
    held.ask(CommitReservation(**HERE))
    held.when(ShipReservation(**HERE)).then(stock_shipped(6, annex=5, main=1), shipped())
    held.ask(ShipReservation(**HERE))
    assert held.state(f"product-{FIGS}").locations == {"main": 1}


def test_what_lies_at_main_alone_leaves_without_a_word_as_it_always_did() -> None:
    held = product.given(listed(), received(5), stock_reserved(2), made((FIGS, 2)))
    held.ask(CommitReservation(**HERE))
    held.when(ShipReservation(**HERE)).then(stock_shipped(2), shipped())


@pytest.mark.parametrize(
    ("quantity", "there", "from_where"),
    [
        (3, {"b": 3, "a": 3}, {"a": 3}),
        (4, {"b": 3, "a": 3}, {"a": 3, "b": 1}),
        (1, {"main": 1, "a": 9}, {"a": 1}),
        (3, {"a": 3}, {"a": 3}),
    ],
)
def test_as_few_locations_as_possible_and_of_equals_the_first_by_name(
    quantity: int, there: dict[str, int], from_where: dict[str, int]
) -> None:
    assert {part.location: part.quantity for part in taken(quantity, there)} == from_where


def test_stock_that_runs_low_is_said_with_its_cause_whatever_that_is() -> None:
    there = product.given(listed(), received(5), low_stock_set(3))
    there.when(ReserveStock(**HERE, items=items((FIGS, 1)))).then(stock_reserved(1), made((FIGS, 1)))
    there.when(ReserveStock(**HERE, items=items((FIGS, 2)))).then(stock_reserved(2), made((FIGS, 2)), ran_low(3, 3))
    there.when(AdjustStock(sku=FIGS, delta=-4, reason="broken")).then(adjusted(-4), ran_low(1, 3))
    there.when(CountStock(sku=FIGS, quantity=0)).then(counted(0), ran_low(0, 3))
    there.when(SetLowStock(sku=FIGS, threshold=5)).then(low_stock_set(5), ran_low(5, 5))
    there.when(SetLowStock(sku=FIGS, threshold=4)).then(low_stock_set(4))


def test_it_is_said_once_until_there_was_more() -> None:
    low = product.given(listed(), received(3), low_stock_set(3), ran_low(3, 3))
    low.when(AdjustStock(sku=FIGS, delta=-1, reason="broken")).then(adjusted(-1))
    low.when(SetLowStock(sku=FIGS, threshold=3)).then_nothing()
    more = product.given(listed(), received(3), low_stock_set(3), ran_low(3, 3), received(1))
    more.when(AdjustStock(sku=FIGS, delta=-1, reason="broken")).then(adjusted(-1), ran_low(3, 3))


def test_whoever_is_named_is_told_each_time_with_the_products_name() -> None:
    asked = SetLowStock(sku=FIGS, threshold=3, tell=EMAIL)
    set_ = low_stock_set(3).model_copy(update={"tell": EMAIL})
    product.given(listed(), received(4)).when(asked).then(set_)
    product.given(listed(), received(4), set_).when(asked).then_nothing()
    said = ran_low_for(EMAIL).model_copy(update={"name": listed().name})
    there = product.given(listed(), received(4), set_)
    there.when(AdjustStock(sku=FIGS, delta=-1, reason="broken")).then(adjusted(-1), said)
    again = product.given(listed(), received(4), set_, adjusted(-1), said, received(1))
    again.when(AdjustStock(sku=FIGS, delta=-1, reason="broken")).then(adjusted(-1), said.model_copy(update={"nth": 2}))
    product.given(listed(), received(4), set_).when(SetLowStock(sku=FIGS, threshold=3)).then(low_stock_set(3))


def test_without_a_threshold_or_on_sale_no_more_nothing_is_low() -> None:
    none = product.given(listed(), received(3), low_stock_set(3), ran_low(3, 3), low_stock_set(None))
    none.when(CountStock(sku=FIGS, quantity=0)).then(counted(0))
    gone = product.given(listed(), received(9), low_stock_set(3), withdrawn())
    gone.when(CountStock(sku=FIGS, quantity=0)).then(counted(0))


def test_who_waits_is_noted_once_and_may_think_better_of_it() -> None:
    product.given(listed()).when(AWAIT).then(awaited())
    waiting = product.given(listed(), awaited())
    waiting.when(AWAIT).then_nothing()
    waiting.when(AwaitStock(sku=FIGS, customer_id="ada", email="a@b.example")).then(awaited(email="a@b.example"))
    waiting.when(StopAwaitingStock(sku=FIGS, customer_id="ada")).then(not_awaited())
    waiting.when(StopAwaitingStock(sku=FIGS, customer_id="bob")).then_nothing()


def test_nobody_waits_for_what_is_there_or_gone_or_with_too_many_others() -> None:
    product.when(AWAIT).then_rejected(ProductUnknown)
    product.given(listed(), received(1)).when(AWAIT).then_rejected(StockThere)
    product.given(listed(), withdrawn()).when(AWAIT).then_rejected(ProductAlreadyWithdrawn)
    crowd = [awaited(f"c-{n}") for n in range(MOST_WAITING)]
    full = product.given(listed(), *crowd)
    full.when(AWAIT).then_rejected(WaitingListFull)
    full.when(AwaitStock(sku=FIGS, customer_id="c-1", email="new@b.example")).then(awaited("c-1", "new@b.example"))


def test_stock_that_comes_back_is_one_event_of_the_product_and_only_where_somebody_waits() -> None:
    waiting = product.given(listed(), awaited(), awaited("bob"))
    waiting.when(ReceiveStock(sku=FIGS, quantity=4)).then(received(4), returned(4, 2))
    product.given(listed()).when(ReceiveStock(sku=FIGS, quantity=4)).then(received(4))
    product.given(listed(), awaited(), received(4)).when(ReceiveStock(sku=FIGS, quantity=4)).then(received(4))
    held = product.given(listed(), received(2), stock_reserved(2), made((FIGS, 2)), awaited())
    held.when(ReleaseReservation(**HERE)).then(stock_released(2), released(), returned(2))


def test_those_who_wait_are_told_some_at_a_time_each_once_in_the_order_in_which_they_came() -> None:
    crowd = [awaited(f"c-{n}") for n in range(TOLD_AT_ONCE + 1)]
    back = product.given(listed(), *crowd, received(1))
    back.leaves(f"product-{FIGS}", "tell c-0")
    first, rest = told(*(f"c-{n}" for n in range(TOLD_AT_ONCE))), told(f"c-{TOLD_AT_ONCE}", nth=2)
    back.when(TellWaiting(sku=FIGS)).then(first)
    back.ask(TellWaiting(sku=FIGS))
    back.leaves(f"product-{FIGS}", f"tell c-{TOLD_AT_ONCE}")
    back.when(TellWaiting(sku=FIGS)).then(rest)
    back.ask(TellWaiting(sku=FIGS))
    back.leaves(f"product-{FIGS}")
    back.when(TellWaiting(sku=FIGS)).then_nothing()


def test_nobody_is_told_of_what_was_sold_in_the_meantime() -> None:
    sold = product.given(listed(), awaited(), received(1), stock_reserved(1))
    sold.leaves(f"product-{FIGS}")
    sold.when(TellWaiting(sku=FIGS)).then_nothing()


def test_records_of_before_there_were_locations_all_lie_at_main() -> None:
    old = Product(listed=True, on_hand=5, held=1)
    assert old.locations == {"main": 5}, "as a snapshot of before is read"

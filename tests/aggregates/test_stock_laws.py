"""Whatever is asked of a shelf, in whatever order: on hand ≥ held ≥ 0, and what is held is what reservations hold."""

from collections import Counter
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from aggregates.product import Product
from aggregates.reservation import Reservation, Status, decider
from events.product import StockAwaited, StockNotAwaited, StockRanLow, StockTold
from schemas.product import (
    AdjustStock,
    AwaitStock,
    CommitReservation,
    CountStock,
    LapseReservation,
    ProductCommand,
    ReceiveStock,
    ReleaseItems,
    ReleaseReservation,
    ReserveStock,
    SetLowStock,
    ShipItems,
    ShipReservation,
    StopAwaitingStock,
    TellWaiting,
    TransferStock,
    WithdrawProduct,
)
from schemas.values import Item
from tests.aggregates.laws import asking_twice_changes_nothing_more, every_law_of_history, lived, moderately
from tests.builders.order import K1, K2
from tests.builders.product import SHELF, list_product
from tests.builders.values import EMAIL, FIGS, HOLD, MILK, WATER, A, B, C
from tests.spec import Life

DECIDER = decider(HOLD)
skus = st.sampled_from([FIGS, MILK, WATER])
orders = st.sampled_from([A, B, C])
few = st.integers(1, 6)
places = st.sampled_from(["main", "annex", "shop"])
customers = st.sampled_from(["ada", "bob"])
baskets = st.lists(st.builds(Item, sku=skus, quantity=few), min_size=1, max_size=4).map(tuple)


def of_reservation(kind: Any) -> st.SearchStrategy[ProductCommand]:
    return orders.map(lambda order_id: kind(order_id=order_id, partition=SHELF))


reserve = st.builds(ReserveStock, order_id=orders, partition=st.just(SHELF), items=baskets)
reactions: st.SearchStrategy[ProductCommand] = st.one_of(
    reserve,
    of_reservation(CommitReservation),
    of_reservation(ReleaseReservation),
    of_reservation(ShipReservation),
    of_reservation(LapseReservation),
    *(
        st.builds(part, order_id=orders, partition=st.just(SHELF), part_id=st.sampled_from([K1, K2]), items=baskets)
        for part in (ReleaseItems, ShipItems)
    ),
)
shelf_work: st.SearchStrategy[ProductCommand] = st.one_of(
    st.builds(ReceiveStock, sku=skus, quantity=few, location=places),
    st.builds(AdjustStock, sku=skus, delta=st.integers(-6, 6), reason=st.just("counted"), location=places),
    st.builds(CountStock, sku=skus, quantity=st.integers(0, 12), location=places),
    st.builds(TransferStock, sku=skus, quantity=few, source=places, target=places),
    st.builds(SetLowStock, sku=skus, threshold=st.none() | st.integers(0, 4)),
    st.builds(AwaitStock, sku=skus, customer_id=customers, email=st.just(EMAIL)),
    st.builds(StopAwaitingStock, sku=skus, customer_id=customers),
    st.builds(TellWaiting, sku=skus),
    st.builds(WithdrawProduct, sku=skus),
)
OPENING = [list_product(FIGS, stock=6), list_product(MILK, stock=3), list_product(WATER)]
pasts = st.lists(st.one_of(reactions, reserve, shelf_work), max_size=25).map(
    lambda commands: lived(DECIDER, [*OPENING, *commands])
)


@moderately
@given(pasts)
def test_no_prefix_of_any_history_promises_more_than_there_is(life: Life) -> None:
    again = Life(DECIDER)
    for event in life.history:
        again.record([event])
        for state in again.states.values():
            if isinstance(state, Product):
                assert state.on_hand >= state.held >= 0
                assert sum(state.locations.values()) == state.on_hand
                assert min(state.locations.values(), default=1) > 0


@moderately
@given(pasts)
def test_low_stock_is_said_when_it_becomes_low_and_once(life: Life) -> None:
    again, low = Life(DECIDER), dict.fromkeys((FIGS, MILK, WATER), False)
    for event in life.history:
        again.record([event])
        if (sku := getattr(event, "sku", None)) is None:
            continue
        state = again.state(f"product-{sku}")
        is_low = state.threshold is not None and state.available <= state.threshold
        if isinstance(event, StockRanLow):
            assert is_low, event
            assert not low[sku], "it had been said"
            low[sku] = True
        low[sku] &= is_low
        assert state.low == low[sku]
    for state in (life.state(f"product-{sku}") for sku in (FIGS, MILK, WATER)):
        if state.on_sale and state.threshold is not None and state.available <= state.threshold:
            assert state.low, "nobody has said so"


@moderately
@given(pasts)
def test_nobody_is_told_who_does_not_wait_and_nobody_twice(life: Life) -> None:
    waiting: dict[str, set[str]] = {sku: set() for sku in (FIGS, MILK, WATER)}
    for event in life.history:
        match event:
            case StockAwaited():
                waiting[event.sku].add(event.customer_id)
            case StockNotAwaited():
                waiting[event.sku].remove(event.customer_id)
            case StockTold():
                for customer in event.customers:
                    waiting[event.sku].remove(customer.customer_id)
    assert all(set(life.state(f"product-{sku}").waiting) == left for sku, left in waiting.items())


@moderately
@given(pasts)
def test_what_is_held_is_what_open_reservations_hold(life: Life) -> None:
    held: Counter[str] = Counter()
    for state in life.states.values():
        if isinstance(state, Reservation) and state.status in (Status.HELD, Status.COMMITTED):
            held.update(dict(state.items))
    assert all(life.state(f"product-{sku}").held == held[sku] for sku in (FIGS, MILK, WATER))


@moderately
@given(pasts)
def test_once_every_order_is_off_nothing_is_held(life: Life) -> None:
    for order_id in (A, B, C):
        life.ask(ReleaseReservation(order_id=order_id, partition=SHELF))
    assert [life.state(f"product-{sku}").held for sku in (FIGS, MILK, WATER)] == [0, 0, 0]


@moderately
@given(pasts, reactions)
def test_asking_a_reservation_the_same_twice_changes_nothing_more(life: Life, command: ProductCommand) -> None:
    asking_twice_changes_nothing_more(life, command)


@moderately
@given(pasts)
def test_replaying_a_shelf_equals_living_it(life: Life) -> None:
    every_law_of_history(life)

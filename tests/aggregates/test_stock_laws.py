"""Whatever is asked of a shelf, in whatever order: on hand ≥ held ≥ 0, and what is held is what reservations hold."""

from collections import Counter
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from aggregates.product import Product
from aggregates.reservation import Reservation, Status, decider
from schemas.product import (
    AdjustStock,
    CommitReservation,
    CountStock,
    LapseReservation,
    ProductCommand,
    ReceiveStock,
    ReleaseItems,
    ReleaseReservation,
    ReserveStock,
    ShipItems,
    ShipReservation,
    WithdrawProduct,
)
from schemas.values import Item
from tests.aggregates.laws import asking_twice_changes_nothing_more, every_law_of_history, lived, moderately
from tests.builders.order import K1, K2
from tests.builders.product import SHELF, list_product
from tests.builders.values import FIGS, HOLD, MILK, WATER, A, B, C
from tests.spec import Life

DECIDER = decider(HOLD)
skus = st.sampled_from([FIGS, MILK, WATER])
orders = st.sampled_from([A, B, C])
few = st.integers(1, 6)
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
    st.builds(ReceiveStock, sku=skus, quantity=few),
    st.builds(AdjustStock, sku=skus, delta=st.integers(-6, 6), reason=st.just("counted")),
    st.builds(CountStock, sku=skus, quantity=st.integers(0, 12)),
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
            assert not isinstance(state, Product) or state.on_hand >= state.held >= 0


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

"""Whatever is asked of an order, in whatever order: it has at most one end, and the end is final."""

from hypothesis import given
from hypothesis import strategies as st

from aggregates.order import DECIDER, Order, Status
from aggregates.order.lines import cost_of, quantity_of
from events.order import OrderCancelled, OrderConfirmed, OrderDelivered, OrderPlaced, OrderRejected, OrderShipped
from schemas.order import (
    CancelLine,
    CancelOrder,
    ConfirmOrder,
    DeliverOrder,
    InspectedItem,
    OrderCommand,
    OrderItem,
    ReceiveReturn,
    RecordCommitment,
    RecordLapse,
    RecordReservation,
    RejectOrder,
    RequestReturn,
    ShipOrder,
)
from tests.aggregates.laws import asking_twice_changes_nothing_more, every_law_of_history, lived, moderately
from tests.builders.order import K1, K2, SKUS, R, place
from tests.builders.payment import R1 as S1
from tests.builders.payment import R2 as S2
from tests.builders.payment import R3 as S3
from tests.builders.values import A
from tests.spec import Life

some_skus = st.lists(st.sampled_from(SKUS), unique=True).map(tuple)
reactions: st.SearchStrategy[OrderCommand] = st.one_of(
    some_skus.map(lambda skus: RecordReservation(order_id=A, skus=skus)),
    some_skus.map(lambda skus: RecordCommitment(order_id=A, skus=skus)),
    some_skus.map(lambda skus: RecordLapse(order_id=A, skus=skus)),
    some_skus.map(lambda skus: RejectOrder(order_id=A, reason="out of stock", skus=skus)),
    st.just(ConfirmOrder(order_id=A)),
)
on_the_way: st.SearchStrategy[OrderCommand] = st.sampled_from(
    [
        RecordReservation(order_id=A, skus=SKUS),
        ConfirmOrder(order_id=A),
        RecordCommitment(order_id=A, skus=SKUS),
        ShipOrder(order_id=A),
    ]
)
of_lines: st.SearchStrategy[OrderCommand] = st.builds(
    CancelLine,
    order_id=st.just(A),
    cancellation_id=st.sampled_from([K1, K2]),
    sku=st.sampled_from(SKUS),
    quantity=st.sampled_from([None, 1, 2]),
)
parts: st.SearchStrategy[OrderCommand] = st.one_of(
    st.builds(
        ShipOrder,
        order_id=st.just(A),
        shipment_id=st.sampled_from([S1, S2]),
        lines=st.lists(st.builds(OrderItem, sku=st.sampled_from(SKUS), quantity=st.integers(1, 2)), max_size=2).map(
            tuple
        ),
    ),
    st.builds(DeliverOrder, order_id=st.just(A), shipment_id=st.sampled_from([None, S1, S2])),
)
asked: st.SearchStrategy[OrderCommand] = st.one_of(
    on_the_way,
    reactions,
    of_lines,
    parts,
    st.sampled_from([place(), CancelOrder(order_id=A), DeliverOrder(order_id=A)]),
)
few = st.integers(1, 2)
returns: st.SearchStrategy[OrderCommand] = st.one_of(
    st.builds(
        RequestReturn,
        order_id=st.just(A),
        return_id=st.sampled_from([S3, R]),
        items=st.lists(st.builds(OrderItem, sku=st.sampled_from(SKUS), quantity=few), min_size=1, max_size=2).map(
            tuple
        ),
        reason=st.just("too small"),
    ),
    st.builds(
        ReceiveReturn,
        order_id=st.just(A),
        return_id=st.sampled_from([S3, R]),
        items=st.lists(
            st.builds(
                InspectedItem,
                sku=st.sampled_from(SKUS),
                quantity=few,
                verdict=st.sampled_from(["restock", "damaged", "refuse"]),
            ),
            max_size=3,
        ).map(tuple),
    ),
)
WAY = (
    RecordReservation(order_id=A, skus=SKUS),
    ConfirmOrder(order_id=A),
    RecordCommitment(order_id=A, skus=SKUS),
)
sent: st.SearchStrategy[OrderCommand] = st.one_of(parts, returns, of_lines, on_the_way)
paid = st.lists(sent, max_size=20).map(lambda commands: lived(DECIDER, [place(), *WAY, *commands]))
pasts = st.lists(asked, max_size=12).map(lambda commands: lived(DECIDER, [place(), *commands]))
FINAL = (Status.DELIVERED, Status.REJECTED, Status.CANCELLED)
ENDS = (OrderDelivered, OrderRejected, OrderCancelled)


def status(life: Life) -> Status:
    state = life.state(f"order-{A}")
    assert isinstance(state, Order)
    return state.status


@moderately
@given(pasts)
def test_replaying_an_order_equals_living_it(life: Life) -> None:
    every_law_of_history(life)


@moderately
@given(paid)
def test_a_paid_orders_history_is_told_again_as_it_was_lived(life: Life) -> None:
    every_law_of_history(life)


@moderately
@given(paid, sent)
def test_a_part_asked_for_twice_under_one_id_is_done_once(life: Life, command: OrderCommand) -> None:
    asking_twice_changes_nothing_more(life, command)


@moderately
@given(pasts, asked)
def test_asking_an_order_the_same_twice_changes_nothing_more(life: Life, command: OrderCommand) -> None:
    asking_twice_changes_nothing_more(life, command)


@moderately
@given(pasts, st.lists(asked, max_size=8))
def test_the_end_of_an_order_is_final(life: Life, later: list[OrderCommand]) -> None:
    if status(life) in FINAL:
        assert [event for command in later for event in life.ask(command)] == []


@moderately
@given(pasts)
def test_every_milestone_is_passed_at_most_once_and_only_one_end_is_reached(life: Life) -> None:
    kinds = [type(event) for event in life.history]
    for milestone in (OrderPlaced, OrderConfirmed, OrderShipped):
        assert kinds.count(milestone) <= 1
    assert sum(kinds.count(end) for end in ENDS) <= 1


@moderately
@given(pasts)
def test_from_wherever_an_order_stands_good_answers_lead_it_to_an_end(life: Life) -> None:
    rest = [
        RecordReservation(order_id=A, skus=SKUS),
        ConfirmOrder(order_id=A),
        RecordCommitment(order_id=A, skus=SKUS),
        ShipOrder(order_id=A),
        DeliverOrder(order_id=A),
    ]
    for command in rest:
        life.ask(command)
    assert status(life) in FINAL


@moderately
@given(pasts, st.sampled_from([RejectOrder(order_id=A, reason="payment overdue"), CancelOrder(order_id=A)]))
def test_what_is_not_shipped_can_still_be_called_off(life: Life, no: OrderCommand) -> None:
    before = status(life)
    life.ask(no)
    if before in (Status.PLACED, Status.SECURED):
        assert status(life) in (Status.REJECTED, Status.CANCELLED)


@moderately
@given(pasts)
def test_an_order_is_not_shipped_unless_all_of_its_stock_is_committed(life: Life) -> None:
    if any(isinstance(event, OrderShipped) for event in life.history):
        assert not life.state(f"order-{A}").uncommitted


@moderately
@given(st.one_of(pasts, paid))
def test_no_more_is_shipped_than_ordered_or_delivered_than_shipped_or_returned_than_delivered(life: Life) -> None:
    order = life.state(f"order-{A}")
    for sku in SKUS:
        delivered, shipped = order.delivered.get(sku, 0), order.shipped.get(sku, 0)
        assert 0 <= order.returnable(sku) <= delivered <= shipped <= quantity_of(order.lines, sku)
    assert order.amount == cost_of(order.lines)
    assert (order.status is Status.SHIPPED) <= (not order.unshipped)

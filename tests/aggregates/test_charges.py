"""What each shipment is charged for: its lines with their tax, the first with all of the shipping, to the cent."""

from aggregates.order import DECIDER
from events.order import OrderEvent, OrderLineCancelled, OrderPartlyShipped, OrderPlaced, OrderShipped
from schemas.order import (
    CancelLine,
    DeliverOrder,
    InspectedItem,
    OrderItem,
    OrderLine,
    PlaceOrder,
    ReceiveReturn,
    RecordReservation,
    RequestReturn,
    ShipOrder,
)
from schemas.values import total_of
from tests.builders.order import K1, K2, R, committed, confirmed, place, placed, reserved, secured
from tests.builders.values import BREAD, FIGS, A
from tests.spec import Life, Spec

order = Spec(DECIDER)
LINES = (
    OrderLine(sku=FIGS, quantity=3, unit_price=100, tax_cents=10),
    OrderLine(sku=BREAD, quantity=2, unit_price=50, tax_cents=1),
)
SHIPPING = 490
TOTAL = total_of(LINES) + SHIPPING


def asked() -> PlaceOrder:
    return place(lines=LINES).model_copy(update={"shipping_cents": SHIPPING, "capture": "per_shipment"})


def ready() -> Life:
    """An order of three and two, which may be shipped."""
    past: tuple[OrderEvent, ...] = (
        OrderPlaced(**dict(asked()), total=TOTAL),
        reserved(FIGS, BREAD),
        secured(),
        confirmed(),
        committed(FIGS, BREAD),
    )
    return order.given(*past)


def ship(life: Life, *items: tuple[str, int], which: str = K1) -> int:
    """What the shipment is charged for."""
    lines = tuple(OrderItem(sku=sku, quantity=quantity) for sku, quantity in items)
    [event] = life.ask(ShipOrder(order_id=A, shipment_id=which, lines=lines))
    assert isinstance(event, OrderPartlyShipped | OrderShipped)
    assert event.charge is not None
    return event.charge


def off(life: Life, sku: str, quantity: int | None = None, which: str = K2) -> OrderLineCancelled:
    event = life.ask(CancelLine(order_id=A, cancellation_id=which, sku=sku, quantity=quantity))[0]
    assert isinstance(event, OrderLineCancelled)
    return event


def amount(life: Life) -> int:
    return int(life.state(f"order-{A}").amount)


def test_an_order_that_says_nothing_of_it_has_no_charges() -> None:
    life = order.given(placed(lines=LINES), reserved(FIGS, BREAD), secured(), confirmed(), committed(FIGS, BREAD))
    part = life.ask(ShipOrder(order_id=A, lines=(OrderItem(sku=FIGS, quantity=1),)))
    rest = life.ask(ShipOrder(order_id=A))
    assert all("charge" not in event.model_dump(mode="json") for event in [*part, *rest])
    assert "capture" not in placed().model_dump(mode="json")


def test_the_payment_is_told_how_the_order_was_placed() -> None:
    [event] = order.when(asked()).events
    assert isinstance(event, OrderPlaced)
    assert event.capture == "per_shipment"
    held = order.given(event, reserved(FIGS)).ask(RecordReservation(order_id=A, skus=(BREAD,)))
    assert [getattr(each, "capture", None) for each in held] == ["per_shipment"]


def test_the_first_shipment_carries_the_shipping_and_the_last_the_rest() -> None:
    life = ready()
    first = ship(life, (FIGS, 1))
    assert first == SHIPPING + 100 + 3  # a third of the tax, rounded down
    second = ship(life, (FIGS, 1), (BREAD, 1), which=K2)
    assert first + second == SHIPPING + 200 + 6 + 50
    assert first + second + ship(life, which=R) == TOTAL


def test_a_single_shipment_is_charged_for_all() -> None:
    assert ship(ready()) == TOTAL


def test_what_is_called_off_is_charged_to_nobody() -> None:
    life = ready()
    first = ship(life, (FIGS, 2))
    assert not off(life, FIGS).closes
    assert first + ship(life, which=R) == amount(life) == SHIPPING + 200 + 6 + 100 + 1


def test_calling_off_all_that_was_not_shipped_closes_the_order() -> None:
    life = ready()
    ship(life, (FIGS, 3), (BREAD, 1))
    assert off(life, BREAD).closes
    earlier = ready()
    assert not off(earlier, BREAD).closes
    ship(earlier, (FIGS, 2))
    assert off(earlier, FIGS, which=R).closes


def test_what_came_back_before_the_last_shipment_is_not_charged_again_nor_forgotten() -> None:
    life = ready()
    first = ship(life, (FIGS, 2))
    life.ask(DeliverOrder(order_id=A))
    item = OrderItem(sku=FIGS, quantity=1)
    life.ask(RequestReturn(order_id=A, return_id=R, items=(item,), reason="stale"))
    back = InspectedItem(sku=FIGS, quantity=1, verdict="restock")
    [received] = life.ask(ReceiveReturn(order_id=A, return_id=R, items=(back,)))
    assert first + ship(life, which=K2) - received.amount == amount(life)  # type: ignore[attr-defined]

"""Every order in which messages may arrive, and every moment at which a customer may cancel or time may run out."""

from random import Random
from uuid import uuid4

import pytest

from aggregates.order import Status
from events import topics
from schemas.order import (
    CancelLine,
    CancelOrder,
    DeliverOrder,
    InspectedItem,
    OrderItem,
    PlaceOrder,
    ReceiveReturn,
    RequestReturn,
    ShipOrder,
)
from schemas.payment import RefundPayment
from tests.scenarios import laws
from tests.scenarios.chronicle import Chronicle
from tests.scenarios.orders_of_arrival import ends_of, wander
from tests.scenarios.shop import order, product, sku_on
from tests.scenarios.world import Asked, Guard, Step, World

CORE = ("order", "product", "payment")
ALL = (*CORE, "notification")
MOMENTS = (Status.UNKNOWN, Status.PLACED, Status.SECURED, Status.CONFIRMED, Status.PARTIALLY_SHIPPED, Status.SHIPPED)


def check(world: World) -> str:
    """All laws hold; return where the order stands."""
    chronicle = Chronicle(world.parts)
    for command_id, command in world.sent.items():
        chronicle.expect(command_id, command.tag)
    for place in chronicle.places:
        chronicle.take(place, world.log.records[place])
    facts = laws.Facts(chronicle, world.till, world.mailbox, world.sent)
    assert not chronicle.open()
    for law in laws.LAWS:
        if "notification" in world.names or law is not laws.every_milestone_is_told_once:
            law(facts)
    return ", ".join(sorted(str(state.status.value) for _, state in facts.orders()))


def on_the_way(stock: int, cancel: bool) -> tuple[World, PlaceOrder]:
    """An order of two shelves that has just been placed; it may be cancelled at any time."""
    order_id = str(uuid4())
    near, far = topics.partition_of(f"order-{order_id}"), topics.partition_of(f"payment-{order_id}")
    far = far if far != near else (near + 1) % topics.PARTITIONS
    skus = (sku_on(near), sku_on(far))
    placed = order(*((sku, 1) for sku in skus), order_id=order_id)
    script = [Asked(product(skus[0], 1)), Asked(product(skus[1], stock)), Asked(placed)]
    if cancel:
        script.append(Asked(CancelOrder(order_id=order_id), lambda world: len(world.sent) == 3))
    world = World(CORE, script, sorted({near, far}))
    for i in range(2):
        world.do(Step("send", key=str(i)))
        while step := next((s for s in world.steps() if s.what in ("decide", "hear")), None):
            world.do(step)
    world.do(Step("send", key="2"))
    return world, placed


def never(_: Step) -> bool:
    return False


def when(placed: PlaceOrder, *statuses: Status) -> Guard:
    """When the order stands here."""
    return lambda world: (state := world.state(placed.stream)) is not None and state.status in statuses


def test_an_order_may_be_cancelled_in_every_order_of_arrival() -> None:
    world, _ = on_the_way(1, cancel=True)

    found = [check(end) for end in ends_of(world, never)]

    assert set(found) == {"cancelled"}
    assert len(found) > 10


def test_an_order_with_a_refused_line_is_undone_in_every_order_of_arrival() -> None:
    world, _ = on_the_way(0, cancel=True)

    found = [check(end) for end in ends_of(world, never)]

    assert set(found) == {"cancelled", "rejected"}


@pytest.mark.parametrize("which", ["reservation", "payment"])
def test_time_may_run_out_in_every_order_of_arrival(which: str) -> None:
    world, _ = on_the_way(1, cancel=False)

    found = [check(end) for end in ends_of(world, lambda step: step.stream.startswith(which))]

    assert {"confirmed", "rejected"} <= set(found) <= {"confirmed", "rejected", "cancelled"}


def test_shipping_and_cancelling_race_in_every_order_of_arrival() -> None:
    world, placed = on_the_way(1, cancel=True)
    world.script = (*world.script, Asked(ShipOrder(order_id=placed.order_id), when(placed, Status.CONFIRMED)))

    found = [check(end) for end in ends_of(world, never)]

    assert {"cancelled", "shipped"} <= set(found) <= {"cancelled", "shipped", "confirmed"}


def test_a_line_may_be_cancelled_in_every_order_of_arrival() -> None:
    world, placed = on_the_way(1, cancel=False)
    world.script = (*world.script, Asked(line_off(placed, None), lambda world: len(world.sent) == 3))

    found = [check(end) for end in ends_of(world, never)]

    assert set(found) == {"confirmed"}
    assert len(found) > 10


def test_an_order_goes_on_without_a_line_that_was_cancelled_before_the_order_heard_it_was_refused() -> None:
    world, placed = on_the_way(0, cancel=False)
    world.script = (*world.script, Asked(line_off(placed, None, -1), lambda world: len(world.sent) == 3))

    found = [check(end) for end in ends_of(world, never)]

    assert set(found) == {"confirmed", "rejected"}


@pytest.mark.parametrize("seed", range(8))
def test_laws_hold_in_forty_random_orders_of_arrival_with_crashes_and_repeats(seed: int) -> None:
    for schedule in range(40):
        random = Random(f"{seed}/{schedule}")
        world = World(ALL, busy_day(random))

        wander(world, random, accidents=4)

        check(world)


def busy_day(random: Random) -> list[Asked]:
    """Two or three customers who want more than there is, and change their minds."""
    skus = [sku_on(shelf) for shelf in random.sample(range(4), 3)]
    script = [Asked(product(sku, random.randint(2, 5))) for sku in skus]
    for _ in range(random.randint(2, 3)):
        token = random.choice(["tok_visa", "tok_visa", "tok_visa", "tok_declined"])
        wanted = random.sample(skus, random.randint(1, 3))
        script += wishes(order(*((sku, random.randint(1, 2)) for sku in wanted), token=token), random)
    return script


def line_off(placed: PlaceOrder, quantity: int | None, line: int = 0) -> CancelLine:
    """A line is not wanted any more, or so many of it."""
    sku = placed.lines[line].sku
    return CancelLine(order_id=placed.order_id, cancellation_id=str(uuid4()), sku=sku, quantity=quantity)


def wishes(placed: PlaceOrder, random: Random) -> list[Asked]:
    """What one customer asks in the life of an order."""

    def ready(world: World) -> bool:
        return (
            when(placed, Status.CONFIRMED, Status.PARTIALLY_SHIPPED)(world)
            and not world.state(placed.stream).uncommitted
        )

    def offered(world: World) -> bool:
        return all(world.state(f"product-{line.sku}") for line in placed.lines)

    order_id = placed.order_id
    part = OrderItem(sku=placed.lines[0].sku, quantity=1)
    refund = RefundPayment(order_id=order_id, refund_id=str(uuid4()), amount=random.choice([None, 100]))
    chosen = [
        Asked(CancelOrder(order_id=order_id), when(placed, random.choice(MOMENTS))),
        Asked(line_off(placed, random.choice([None, 1])), when(placed, random.choice(MOMENTS))),
        Asked(line_off(placed, 1), when(placed, random.choice(MOMENTS))),
        Asked(ShipOrder(order_id=order_id), ready),
        Asked(ShipOrder(order_id=order_id, shipment_id=str(uuid4()), lines=(part,)), ready),
        Asked(refund, when(placed, Status.CONFIRMED, Status.SHIPPED, Status.CANCELLED)),
    ]
    back = RequestReturn(
        order_id=order_id,
        return_id=str(uuid4()),
        items=(OrderItem(sku=placed.lines[-1].sku, quantity=1),),
        reason="too small",
    )
    seen = InspectedItem(sku=placed.lines[-1].sku, quantity=1, verdict=random.choice(["restock", "damaged", "refuse"]))
    chosen += [
        Asked(back, when(placed, Status.DELIVERED, Status.PARTIALLY_SHIPPED)),
        Asked(
            ReceiveReturn(order_id=order_id, return_id=back.return_id, items=(seen,)),
            lambda world: when(placed, *Status)(world) and back.return_id in world.state(placed.stream).returning,
        ),
    ]
    always = [
        Asked(placed, offered),
        Asked(DeliverOrder(order_id=order_id), when(placed, Status.SHIPPED, Status.PARTIALLY_SHIPPED)),
    ]
    return always + random.sample(chosen, random.randint(0, len(chosen)))

"""A storm: many orders for little stock, while everything that can go wrong does, at random."""

from random import Random
from uuid import uuid4

import pytest

from schemas.order import CancelOrder, PlaceOrder, ShipOrder
from tests.scenarios.house import House
from tests.scenarios.moments import PLACING
from tests.scenarios.shop import order, sku_on
from tests.scenarios.till import Act, answer_lost, declines, down

pytestmark = pytest.mark.anyio

ORDERS = 30
FAULTS: tuple[Act, ...] = (down, answer_lost)
RESTARTED = ("order", "product", "payment", "notification")


def place(house: House, random: Random, skus: list[str]) -> PlaceOrder:
    """An order that may be declined, cancelled at a moment of its way, or meet a provider that is away."""
    wanted = random.sample(skus, random.randint(1, 4))
    token = random.choice(["tok_visa"] * 5 + ["tok_declined"])
    placed = order(*((sku, random.randint(1, 2)) for sku in wanted), token=token)
    if random.random() < 0.1:
        house.till.script(placed.order_id, "authorize", down, declines("out of luck"))
    else:
        for step in ("authorize", "capture", "void", "refund"):
            house.till.script(placed.order_id, step, *random.choices(FAULTS, k=random.choice((0, 0, 1, 2))))
    return placed


def change_of_mind(house: House, random: Random, placed: PlaceOrder, placing: str) -> None:
    """In two of five cases the customer cancels at some moment; in one of five the goods are to be sent at once."""
    order_id = placed.order_id
    then = random.choice((CancelOrder(order_id=order_id), CancelOrder(order_id=order_id), ShipOrder(order_id=order_id)))
    if random.random() < 0.6:
        house.log.at(random.choice(PLACING), placing, lambda: house.send(then))


@pytest.mark.parametrize("seed", range(3))
async def test_all_laws_hold_after_a_storm(house: House, seed: int) -> None:
    random = Random(seed)
    skus = [sku_on(n % 4) for n in range(8)]
    await house.stocked({sku: random.randint(3, 20) for sku in skus})
    house.log.twice, house.log.far = seed % 2 == 0, seed % 3 == 0
    house.due_in("product", 2)

    for n in range(ORDERS):
        placed, placing = place(house, random, skus), str(uuid4())
        change_of_mind(house, random, placed, placing)
        await house.send(placed, placing)
        if n % 8 == 7:
            house.log.lost_acks = random.choice((0, 0, 1))
            await house.restart(*random.sample(RESTARTED, random.randint(1, 2)))

    await house.check()

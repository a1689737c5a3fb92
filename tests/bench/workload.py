"""Workload is the peers' order workload: the same seed gives the same orders, each with a known end.

1,000 SKUs with ample stock, 10 scarce ones; two lines an order; about 2 % ask for more of a scarce SKU than there is,
about 2 % carry a card that is declined.
"""

import random
import uuid
from collections.abc import Iterator

from schemas.order import OrderLine, PlaceOrder, ShippingAddress
from schemas.product import ListProduct

SEED = 20261122
SKUS, STOCK = 1_000, 1_000_000
SCARCE_SKUS, SCARCE_STOCK = 10, 5
CUSTOMERS = 10_000
ADDRESS = ShippingAddress(name="Ada", street="1 Main Street", city="Springfield", postal_code="12345", country="US")


def products() -> Iterator[ListProduct]:
    """The catalogue with its stock."""
    for number in range(SKUS):
        yield ListProduct(sku=f"SKU-{number:04d}", name=f"Product {number}", price=500 + 7 * number, stock=STOCK)
    for number in range(SCARCE_SKUS):
        yield ListProduct(sku=f"SCARCE-{number:02d}", name=f"Scarce {number}", price=9900, stock=SCARCE_STOCK)


def orders(count: int, salt: str) -> Iterator[tuple[PlaceOrder, str]]:
    """So many orders, each with the status that it must end in."""
    rng = random.Random(f"{SEED}/{salt}")
    for _ in range(count):
        order_id = str(uuid.UUID(int=rng.getrandbits(128), version=4))
        customer = f"c-{rng.randrange(CUSTOMERS):05d}"
        pair = rng.sample(range(SKUS), 2)
        lines = [OrderLine(sku=f"SKU-{sku:04d}", quantity=rng.randint(1, 3), unit_price=500 + 7 * sku) for sku in pair]
        dice, end, token = rng.random(), "confirmed", f"tok_{rng.getrandbits(64):016x}"
        if dice < 0.02:
            scarce = f"SCARCE-{rng.randrange(SCARCE_SKUS):02d}"
            quantity = rng.randint(SCARCE_STOCK + 1, SCARCE_STOCK + 4)
            lines[rng.randrange(2)] = OrderLine(sku=scarce, quantity=quantity, unit_price=9900)
            end = "rejected"
        elif dice < 0.04:
            token, end = "tok_declined", "rejected"
        order = PlaceOrder(
            order_id=order_id,
            customer_id=customer,
            email=f"{customer}@customers.example",
            shipping_address=ADDRESS,
            payment_token=token,
            lines=tuple(lines),
        )
        yield order, end

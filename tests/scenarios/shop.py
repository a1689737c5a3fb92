"""Shop is what tests buy and sell: products on chosen shelves, orders, and where a command goes."""

from itertools import count
from uuid import uuid4

from events import topics
from events.envelope import CLIENT, Envelope
from events.log import Draft, Place
from events.registry import COMMANDS, command_codec
from schemas.order import OrderLine, PlaceOrder, ShippingAddress
from schemas.product import ListProduct
from schemas.values import Capture, Command
from workers.writer import now_utc

PRICE = 250
ADDRESS = ShippingAddress(name="Ada", street="Main Street 1", city="Berlin", postal_code="10115", country="DE")
CONTEXT_OF = {command.tag: context for context, commands in COMMANDS.items() for command in commands}


def sku_on(shelf: int, name: str = "sku") -> str:
    """A new SKU that lives on a shelf, that is: in a partition of the product context."""
    mark = uuid4().hex[:8]
    return next(sku for n in count() if topics.shelf_of(sku := f"{name}-{mark}-{n}") == shelf)


def product(sku: str, stock: int) -> ListProduct:
    """A product with stock at the standard price."""
    return ListProduct(sku=sku, name=sku, price=PRICE, stock=stock)


def order(
    *lines: tuple[str, int],
    token: str = "tok_visa",
    order_id: str = "",
    attempts: int = 1,
    capture: Capture = "at_confirmation",
) -> PlaceOrder:
    """An order of so many of each SKU, whose payment may be tried so often, and is taken at once or per shipment."""
    return PlaceOrder(
        order_id=order_id or str(uuid4()),
        customer_id="ada",
        email="ada@example.org",
        shipping_address=ADDRESS,
        payment_token=token,
        payment_attempts=attempts,
        capture=capture,
        lines=tuple(OrderLine(sku=sku, quantity=quantity, unit_price=PRICE) for sku, quantity in lines),
    )


def client_draft(command: Command, command_id: str) -> Draft:
    """A command as a client's gateway appends it; it is the request that begins something."""
    time = now_utc().isoformat()
    envelope = Envelope(command_id, command.tag, "api", time, command.stream, command_id, command_id, CLIENT)
    return Draft(command.stream, command_codec.encode(command), envelope.headers())


def place_of(command: Command) -> Place:
    """Where a command is appended."""
    partition = topics.partition_of(command.stream) if command.shelf is None else command.shelf
    return Place(topics.commands(CONTEXT_OF[command.tag]), partition)

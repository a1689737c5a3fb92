"""Stories are the sagas that are worth drawing: one that goes well, and each way in which one does not."""

import asyncio
from collections.abc import Awaitable, Callable

from schemas.order import CancelOrder, DeliverOrder, OrderItem, OrderLine, PlaceOrder, ShipOrder, ShippingAddress
from schemas.payment import AttemptPayment
from schemas.product import ListProduct
from schemas.values import Capture
from workers.printing.story import Arrow, Story

ORDER = "00000000-0000-4000-8000-000000000001"
SECOND = "00000000-0000-4000-8000-000000000002"
ADDRESS = ShippingAddress(name="Ada", street="1 Mill Lane", city="Springfield", postal_code="12345", country="US")
PAYS, DECLINED = "tok_visa", "tok_declined"

Plot = Callable[[Story], Awaitable[None]]


def place(*skus: str, token: str = PAYS, attempts: int = 1, capture: Capture = "at_confirmation") -> PlaceOrder:
    """One of each."""
    lines = tuple(OrderLine(sku=sku, quantity=1, unit_price=250) for sku in skus)
    return PlaceOrder(
        order_id=ORDER,
        customer_id="ada",
        email="ada@orderlog.example",
        shipping_address=ADDRESS,
        payment_token=token,
        payment_attempts=attempts,
        capture=capture,
        lines=lines,
    )


async def goes_well(story: Story) -> None:
    await story.ask(place("bread", "milk"))
    await story.ask(ShipOrder(order_id=ORDER))
    await story.ask(DeliverOrder(order_id=ORDER))


async def out_of_stock(story: Story) -> None:
    await story.ask(place("bread", "tea"))


async def declined(story: Story) -> None:
    await story.ask(place("bread", token=DECLINED))


async def another_card(story: Story) -> None:
    await story.ask(place("bread", token=DECLINED, attempts=2))
    await story.ask(AttemptPayment(order_id=ORDER, attempt_id=SECOND, payment_token=PAYS))


async def taken_per_shipment(story: Story) -> None:
    await story.ask(place("bread", "milk", capture="per_shipment"))
    await story.ask(ShipOrder(order_id=ORDER, lines=(OrderItem(sku="bread", quantity=1),)))
    await story.ask(ShipOrder(order_id=ORDER))


async def cancelled_when_paid(story: Story) -> None:
    await story.ask(place("bread"))
    await story.ask(CancelOrder(order_id=ORDER))


async def cancelled_while_paying(story: Story) -> None:
    await story.ask(place("bread"), silent=("payment",))
    await story.ask(CancelOrder(order_id=ORDER), silent=("payment",))
    await story.go_on()


async def hold_lapses(story: Story) -> None:
    await story.ask(place("bread"), silent=("payment",))
    await story.pass_time("product")
    await story.go_on(silent=("payment",))
    await story.go_on()


async def provider_too_slow(story: Story) -> None:
    await story.ask(place("bread"), silent=("payment",))
    await story.pass_time("payment")
    await story.go_on(silent=("payment",))
    await story.go_on()


STORIES: dict[str, Plot] = {
    "It goes well: goods from two shelves, paid, shipped, delivered": goes_well,
    "A shelf is short: what the other shelf held is given back": out_of_stock,
    "The card is declined": declined,
    "The card is declined, and another one pays": another_card,
    "The money is taken per shipment": taken_per_shipment,
    "The customer cancels what is paid: the money goes back": cancelled_when_paid,
    "The customer cancels while the provider is asked: its late answer is undone": cancelled_while_paying,
    "The hold lapses before the provider answers": hold_lapses,
    "The provider takes too long": provider_too_slow,
}


def told(plot: Plot) -> list[Arrow]:
    """What is said in a story, once there is something on the shelves."""

    async def tell() -> list[Arrow]:
        story = Story()
        await story.ask(*(ListProduct(sku=sku, name=sku, price=250, stock=9) for sku in ("bread", "milk")))
        story.said.clear()
        await plot(story)
        return story.said

    return asyncio.run(tell())

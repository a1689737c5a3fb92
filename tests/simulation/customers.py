"""Customers order, change their minds, and ask until they have an answer, some twice; the shop ships and refunds."""

import asyncio
from collections.abc import Callable
from typing import Any, Protocol

from api.lanes import Lanes, Unanswered
from events.errors import LogError
from schemas.order import (
    AddNote,
    CancelLine,
    CancelOrder,
    ChangeAddress,
    DeliverOrder,
    InspectedItem,
    OrderItem,
    OrderLine,
    PlaceOrder,
    ReceiveReturn,
    RequestReturn,
    ShipOrder,
)
from schemas.payment import AttemptPayment, RefundPayment
from schemas.product import AdjustStock, CountStock, ListProduct, ReceiveStock
from schemas.values import Command
from tests.scenarios.chronicle import Chronicle
from tests.scenarios.shop import ADDRESS, PRICE
from tests.simulation.chance import Chance
from tests.simulation.tables import Tables
from workers.provider import DECLINED_TOKEN

Change = Callable[[str], Command]


def _awaits(view: Any, number: int) -> bool:
    return bool(view.status == "awaiting_method" and len(view.attempts) == number - 1)


class Shop(Protocol):
    """What customers know of."""

    chance: Chance
    lanes: Lanes
    chronicle: Chronicle
    sent: dict[str, Command]
    tables: dict[str, Tables]
    unwilling: set[str]
    forgetful: set[str]


class Customers:
    """Everyone who asks for something; `until` is when they go home, in seconds."""

    def __init__(self, shop: Shop, until: float) -> None:
        self._shop, self._chance, self._until = shop, shop.chance, until
        self.repeats: list[asyncio.Task[None]] = []

    async def come(self) -> None:
        """All of them, until the last has gone."""
        chance = self._chance
        skus = [f"sku-{n}" for n in chance.random.sample(range(100), chance.random.randint(2, 4))]
        listing = [
            self._ask(ListProduct(sku=sku, name=sku, price=PRICE, stock=chance.one_of((1, 2, 4, 9)))) for sku in skus
        ]
        await asyncio.gather(*listing)
        visits = [self._visit(skus) for _ in range(chance.random.randint(3, 8))]
        await asyncio.gather(self._keep_shelves(skus), *visits)
        await asyncio.gather(*self.repeats)

    async def _ask(self, command: Command) -> None:
        """Ask until it is durable, each time under the same id; now and then once more, at once or much later."""
        command_id = str(self._chance.uuid())
        self._shop.sent[command_id] = command
        self._shop.chronicle.expect(command_id, command.tag)
        if self._chance.maybe(0.15):
            self._chance.count("request repeated")
            again = self._again(command, command_id, self._chance.between(0, 1) if self._chance.maybe(0.5) else 5.0)
            self.repeats.append(asyncio.create_task(again))
        await self._again(command, command_id, 0.0)

    async def _again(self, command: Command, command_id: str, after: float) -> None:
        await asyncio.sleep(after)
        while True:
            try:
                await self._shop.lanes.send(
                    command, command_id=command_id, correlation=command_id, causation=command_id
                )
                return
            except (LogError, Unanswered):
                await asyncio.sleep(self._chance.between(0.1, 1))

    async def _visit(self, skus: list[str]) -> None:
        chance = self._chance
        await asyncio.sleep(chance.between(0, self._until / 2))
        placed = self._order(skus)
        if chance.maybe(0.05):
            self._shop.unwilling.add(placed.order_id)
        elif chance.maybe(0.15):
            self._shop.forgetful.add(placed.order_id)
        if chance.maybe(0.1):
            await self._ask(CancelOrder(order_id=placed.order_id))  # it overtakes the order
        await self._ask(placed)
        if placed.payment_attempts > 1 and placed.payment_token == DECLINED_TOKEN:
            await self._pay_otherwise(placed)
        await asyncio.sleep(chance.between(0, 0.4) if chance.maybe(0.5) else chance.between(0, 5))
        # Goods that are sent out before the money is captured are gone if the provider then refuses: people look.
        wishes = (
            (self._cancel,)
            if placed.order_id in self._shop.unwilling
            else (self._cancel, self._cancel_line, self._send_out, self._send_out, self._refund, self._amend)
        )
        for _ in range(chance.one_of((0, 1, 1, 2))):
            await chance.one_of(wishes)(placed)
            await asyncio.sleep(chance.between(0, 3))

    def _order(self, skus: list[str]) -> PlaceOrder:
        chance = self._chance
        wanted = chance.random.sample(skus, chance.random.randint(1, min(3, len(skus))))
        return PlaceOrder(
            order_id=str(chance.uuid()),
            customer_id="ada",
            email="ada@example.org",
            shipping_address=ADDRESS,
            payment_token=DECLINED_TOKEN if chance.maybe(0.2) else "tok_visa",
            payment_attempts=chance.one_of((1, 2, 3)),
            capture=chance.one_of(("at_confirmation", "at_confirmation", "per_shipment")),
            lines=tuple(OrderLine(sku=sku, quantity=chance.random.randint(1, 2), unit_price=PRICE) for sku in wanted),
        )

    async def _pay_otherwise(self, placed: PlaceOrder) -> None:
        """Name other cards while there are attempts left, and call the order off where that is of no use."""
        for number in range(2, placed.payment_attempts + 1):
            if not await self._until_view("payment", "payments", placed.order_id, lambda v: _awaits(v, number)):  # noqa: B023
                break
            await asyncio.sleep(self._chance.between(0, 1))
            if self._chance.maybe(0.2):
                await self._cancel_line(placed)
            token = DECLINED_TOKEN if self._chance.maybe(0.4) else "tok_other"
            which = str(self._chance.uuid())
            await self._ask(AttemptPayment(order_id=placed.order_id, attempt_id=which, payment_token=token))
            if token != DECLINED_TOKEN:
                return
        await self._cancel(placed)

    async def _cancel(self, placed: PlaceOrder) -> None:
        await self._ask(CancelOrder(order_id=placed.order_id))

    async def _cancel_line(self, placed: PlaceOrder) -> None:
        sku, quantity = self._chance.one_of(placed.lines).sku, self._chance.one_of((None, 1))
        which = str(self._chance.uuid())
        await self._ask(CancelLine(order_id=placed.order_id, cancellation_id=which, sku=sku, quantity=quantity))

    async def _amend(self, placed: PlaceOrder) -> None:
        there = ADDRESS.model_copy(update={"city": "Potsdam"})
        await self._ask(ChangeAddress(order_id=placed.order_id, shipping_address=there))
        await self._ask(AddNote(order_id=placed.order_id, note_id=str(self._chance.uuid()), text="it has moved"))

    async def _send_out(self, placed: PlaceOrder) -> None:
        order_id = placed.order_id
        await self._until_view("order", "orders", order_id, lambda view: view.ready_to_ship)
        if self._chance.maybe(0.5):
            part = OrderItem(sku=self._chance.one_of(placed.lines).sku, quantity=1)
            await self._ask(ShipOrder(order_id=order_id, shipment_id=str(self._chance.uuid()), lines=(part,)))
            await self._ask(self._chance.one_of((DeliverOrder(order_id=order_id), CancelOrder(order_id=order_id))))
        await self._ask(ShipOrder(order_id=order_id, tracking="T1"))
        await asyncio.sleep(self._chance.between(0, 1))
        await self._ask(DeliverOrder(order_id=order_id))
        if self._chance.maybe(0.5):
            await self._send_back(placed)

    async def _send_back(self, placed: PlaceOrder) -> None:
        order_id, return_id = placed.order_id, str(self._chance.uuid())
        await self._until_view("order", "orders", order_id, lambda view: view.status == "delivered")
        sku, verdict = self._chance.one_of(placed.lines).sku, self._chance.one_of(("restock", "damaged", "refuse"))
        item = OrderItem(sku=sku, quantity=1)
        await self._ask(RequestReturn(order_id=order_id, return_id=return_id, items=(item,), reason="too small"))
        back = InspectedItem.model_validate({"sku": sku, "quantity": 1, "verdict": verdict})
        await self._ask(ReceiveReturn(order_id=order_id, return_id=return_id, items=(back,)))

    async def _refund(self, placed: PlaceOrder) -> None:
        order_id = placed.order_id
        await self._until_view("payment", "payments", order_id, lambda view: view.captured)
        refund_id, amount = str(self._chance.uuid()), self._chance.one_of((None, 100))
        await self._ask(RefundPayment(order_id=order_id, refund_id=refund_id, amount=amount))

    async def _until_view(self, context: str, table: str, key: str, ready: Callable[[Any], object]) -> bool:
        """Wait until the read model says so, but not for ever; whether it does."""
        loop = asyncio.get_running_loop()
        while loop.time() < self._until:
            row = self._shop.tables[context].views[table].get(key)
            if row and ready(row.view):
                return True
            await asyncio.sleep(0.1)
        return False

    async def _keep_shelves(self, skus: list[str]) -> None:
        for _ in range(self._chance.random.randint(0, 3)):
            await asyncio.sleep(self._chance.between(0, self._until / 3))
            sku, n = self._chance.one_of(skus), self._chance.random.randint(1, 3)
            await self._ask(
                self._chance.one_of(
                    (
                        ReceiveStock(sku=sku, quantity=n),
                        CountStock(sku=sku, quantity=n),
                        AdjustStock(sku=sku, delta=-n, reason="breakage"),
                    )
                )
            )

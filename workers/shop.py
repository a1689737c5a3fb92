"""Shop is a client of the API, as a storefront would be: it waits until all is there, offers products, and orders."""

import asyncio
from collections.abc import Callable, Sequence
from typing import Any, cast

import httpx2

from schemas.client import Client, Problem, calls
from schemas.client.connection import AT_ONCE
from schemas.order import PlaceOrder
from schemas.product import ListProduct


class Shop(Client):
    """The API at `url`; whoever lists products, and orders for others, has a token that says they work here."""

    async def until_ready(self, seconds: float) -> None:
        """Wait until the API says that everything is there.

        Raises:
            TimeoutError: with what is missing.
        """
        reasons: Any = "no answer"
        deadline = asyncio.get_running_loop().time() + seconds
        while asyncio.get_running_loop().time() < deadline:
            try:
                await self.ask("GET", "/ready", patience=0)
                return
            except Problem as no:
                reasons = no.said
            except httpx2.TransportError as error:
                reasons = repr(error)
            await asyncio.sleep(0.1)
        raise TimeoutError(f"not ready after {seconds:.0f} s: {reasons}")

    async def get(self, path: str, **parameters: Any) -> Any:
        """What a page says, now."""
        return await self.ask("GET", path, parameters, patience=0)

    async def place(self, order: PlaceOrder) -> None:
        """Place an order; the same order again changes nothing."""
        await self.place_order(cast("calls.PlaceOrder", order.model_dump(mode="json")), key=order.order_id)

    async def offer(self, products: Sequence[ListProduct], done: Callable[[int], None]) -> None:
        """Put products into the catalogue; the same product again changes nothing."""
        waiting = iter(products)

        async def send() -> None:
            for product in waiting:
                await self.list_product(cast("calls.ListProduct", product.model_dump(mode="json")), key=product.sku)
                done(1)

        await asyncio.gather(*(send() for _ in range(AT_ONCE)))

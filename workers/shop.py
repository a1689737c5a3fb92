"""Shop is a client of the API over HTTP, as a storefront would be: it places, waits, ships and asks."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from typing import Any

import httpx2

from schemas.order import PlaceOrder
from schemas.product import ListProduct
from schemas.values import Command

AT_ONCE = 24
"""Requests under way at the same time."""

PATIENCE = 30.0
"""Seconds for which a request is repeated while the API says 503: its key makes that safe."""


class Refused(Exception):
    """The API said no; the message is its problem's detail."""


class Shop:
    """The API at `url`."""

    def __init__(self, url: str) -> None:
        self.url = url
        self._client = httpx2.AsyncClient(base_url=url, timeout=35.0, limits=httpx2.Limits(max_connections=AT_ONCE))

    async def close(self) -> None:
        """Let connections go."""
        await self._client.aclose()

    async def ready(self, seconds: float) -> None:
        """Wait until the API says that everything is there.

        Raises:
            TimeoutError: with what is missing.
        """
        reasons: Any = "no answer"
        deadline = asyncio.get_running_loop().time() + seconds
        while asyncio.get_running_loop().time() < deadline:
            try:
                answer = await self._client.get("/ready")
                if answer.status_code == 200:
                    return
                reasons = answer.json()
            except httpx2.HTTPError as error:
                reasons = repr(error)
            await asyncio.sleep(0.1)
        raise TimeoutError(f"not ready after {seconds:.0f} s: {reasons}")

    async def get(self, path: str, **parameters: Any) -> Any:
        """What a page says."""
        answer = await self._client.get(path, params=parameters or None)
        return self._understood(answer)

    async def pages(self, path: str, **parameters: Any) -> AsyncIterator[dict[str, Any]]:
        """Every row of a paged list."""
        page = await self.get(path, limit=200, **parameters)
        while True:
            for row in page["items"]:
                yield row
            if not page["next"]:
                return
            page = await self.get(page["next"])

    async def list_products(self, products: Sequence[ListProduct], done: Callable[[int], None]) -> None:
        """Put products into the catalogue; the same product again changes nothing."""
        await self._all([("/products", product.sku, product) for product in products], done)

    async def place(self, order: PlaceOrder) -> None:
        """Place an order; the same order again changes nothing."""
        await self.post("/orders", order.order_id, order.model_dump_json())

    async def post(self, path: str, key: str, body: str = "{}", wait: int = 0) -> Any:
        """Send a command under an idempotency key; with `wait`, up to so many seconds for its outcome.

        Raises:
            Refused: the API said no, or for too long that it cannot answer now.
        """
        headers = {"Idempotency-Key": key, "Content-Type": "application/json"}
        if wait:
            headers["Prefer"] = f"wait={wait}"
        clock = asyncio.get_running_loop().time
        deadline = clock() + PATIENCE
        while True:
            answer = await self._client.post(path, content=body, headers=headers)
            if answer.status_code != httpx2.codes.SERVICE_UNAVAILABLE or clock() > deadline:
                return self._understood(answer)
            await asyncio.sleep(float(answer.headers.get("Retry-After", 1)))

    async def _all(self, requests: Sequence[tuple[str, str, Command]], done: Callable[[int], None]) -> None:
        waiting = iter(requests)

        async def send() -> None:
            for path, key, command in waiting:
                await self.post(path, key, command.model_dump_json())
                done(1)

        await asyncio.gather(*(send() for _ in range(AT_ONCE)))

    def _understood(self, answer: httpx2.Response) -> Any:
        if answer.is_error:
            raise Refused(f"{answer.request.method} {answer.request.url.path}: {answer.status_code} {answer.text}")
        return answer.json()

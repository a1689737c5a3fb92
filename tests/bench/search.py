"""Search is how long the catalogue takes to answer: every product of the supermarket, asked over HTTP as shoppers do.

The read models are filled by the code that fills them in life; the API is asked in this process, one request at a time
and then several at once, so that Postgres is what is measured, and not the network.
"""

import asyncio
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any
from uuid import UUID

import duckdb
import httpx2
from msgspec import Struct
from rich.table import Table

from api.app import create_app
from events.envelope import CLIENT, Envelope
from events.event import Event
from events.fence import Fence
from events.log import Record
from events.memory import MemoryLog
from events.product import ProductListed, StockReceived
from events.registry import event_codec
from events.topics import PARTITIONS, shelf_of
from projections.postgres import Database
from projections.recorded import Effective, Step
from projections.registry import PROJECTIONS, install
from projections.store import Store
from schemas.product import ListProduct
from schemas.settings import Settings
from workers.baskets import Baskets, listing
from workers.local import Servers

EVERY = """
SELECT p.product_id, p.department, p.brand, p.product_category, p.product_type, p.package_size,
  coalesce(max(round(100 * t.sales_value / t.quantity)) FILTER (t.quantity > 0 AND t.sales_value > 0), 0)::BIGINT
FROM read_parquet(?) AS p LEFT JOIN read_parquet(?) AS t USING (product_id) GROUP BY ALL ORDER BY p.product_id
"""
BATCH = 2000
OWNER = str(UUID(int=1))
START = datetime(2017, 1, 1, tzinfo=UTC)
EACH = 300
"""Requests of each kind."""
AT_ONCE = 4

Ask = Callable[[Random, ListProduct], dict[str, Any]]
"""The parameters that find a product, or those like it."""


class Searched(Struct):
    """Milliseconds of one kind of question; `found` is how many products fit, in the middle."""

    kind: str
    ms: list[float]
    found: list[int]

    def at(self, share: float) -> float:
        return sorted(self.ms)[min(len(self.ms) - 1, int(share * len(self.ms)))]


def products() -> list[ListProduct]:
    """Every product that the wheel describes; those never sold cost nothing, and every third is out of stock."""
    folder = Baskets.from_wheel().folder
    with duckdb.connect() as connection:
        files = [str(folder / f"{name}.parquet") for name in ("products", "transactions")]
        rows = connection.execute(EVERY, files).fetchall()
    return [listing(str(sku), tuple(known), price, 0 if sku % 3 == 0 else 100) for sku, *known, price in rows]


async def fill(database: Database, catalogue: Sequence[ListProduct]) -> float:
    """Have the read models take every listing in, and return the seconds that it took."""
    await install(database, "product")
    store = Store(database, "product", PROJECTIONS["product"])
    fences = await store.checkpoints(range(PARTITIONS))
    shelves: list[list[Effective]] = [[] for _ in range(PARTITIONS)]
    began = time.monotonic()
    for nth, command in enumerate(catalogue):
        shelf = shelves[shelf_of(command.sku)]
        for version, event in enumerate(_events(command), 1):
            shelf.append(_recorded(len(shelf), version, event, START + timedelta(seconds=nth)))
    for partition, items in enumerate(shelves):
        for first in range(0, len(items), BATCH):
            batch = items[first : first + BATCH]
            after = Fence(first + len(batch), 1, OWNER, 0)
            await store.apply([Step(partition, fences[partition], after, batch)])
            fences[partition] = after
    async with database.connection() as connection:
        await connection.execute("ANALYZE")
    return time.monotonic() - began


def _events(command: ListProduct) -> Iterator[Event]:
    yield ProductListed(**command.model_dump(exclude={"stock"}))
    if command.stock:
        yield StockReceived(sku=command.sku, quantity=command.stock)


def _recorded(offset: int, version: int, event: Event, at: datetime) -> Effective:
    known = str(UUID(int=(shelf_of(event.stream.removeprefix("product-")) << 64) + offset))
    circumstances = Envelope(
        known, event.tag, "product", at.isoformat(), event.stream, known, known, CLIENT, "", version, 1, OWNER, offset
    )
    record = Record(offset, event.stream.encode(), event_codec.encode(event), dict(circumstances.headers()), 0)
    return Effective(record, circumstances, event)


def _word(random: Random, product: ListProduct) -> str:
    return random.choice([word for word in product.name.replace(",", " ").split() if len(word) > 3] or [product.name])


def _misspelt(random: Random, product: ListProduct) -> str:
    word = max(product.name.replace(",", " ").split(), key=len)
    gone = random.randrange(1, max(2, len(word) - 1))
    return word[:gone] + word[gone + 1 :]


KINDS: dict[str, Ask] = {
    "one word": lambda random, product: {"q": _word(random, product)},
    "two words": lambda random, product: {"q": f"{_word(random, product)} {_word(random, product)}"},
    "one word with a letter missing": lambda random, product: {"q": _misspelt(random, product)},
    "a word, its department, brand, price, in stock": lambda random, product: {
        "q": _word(random, product),
        "department": [product.department, "GROCERY"],
        "brand": product.brand,
        "max_price": product.price + 500,
        "in_stock": True,
    },
    "a word, cheapest first": lambda random, product: {"q": _word(random, product), "sort": "price"},
    "no word, a department, newest first": lambda _, product: {"department": product.department, "sort": "newest"},
    "no word and no filter: all products": lambda _, __: {"sort": "name"},
}


async def measure(url: str) -> tuple[int, float, list[Searched], float]:
    """How many products, the seconds to take them in, each kind by itself, and requests a second of a mixture."""
    catalogue, database, random = products(), Database(url, "product"), Random(7)
    try:
        seconds = await fill(database, catalogue)
        settings = Settings(
            postgres=url, kafka="127.0.0.1:1", provider="in-process", smtp="in-process", contexts="product"
        )
        app = create_app(settings, log=MemoryLog(), databases={"product": database})
        async with (
            app.router.lifespan_context(app),
            httpx2.AsyncClient(transport=httpx2.ASGITransport(app), base_url="http://api") as client,
        ):
            found = [await _kind(client, name, ask, random, catalogue) for name, ask in KINDS.items()]
            found.append(await _following(client, random, catalogue))
            return len(catalogue), seconds, found, await _mixed(client, random, catalogue)
    finally:
        await database.close()


async def _asked(client: httpx2.AsyncClient, url: str, parameters: dict[str, Any] | None = None) -> tuple[float, Any]:
    began = time.perf_counter()
    answer = await client.get(url, params=parameters)
    took = 1000 * (time.perf_counter() - began)
    assert answer.status_code == 200, answer.text
    return took, answer.json()


async def _kind(
    client: httpx2.AsyncClient, name: str, ask: Ask, random: Random, catalogue: Sequence[ListProduct]
) -> Searched:
    found = Searched(name, [], [])
    for _ in range(EACH):
        took, page = await _asked(client, "/products/search", ask(random, random.choice(catalogue)))
        found.ms.append(took)
        found.found.append(page["total"])
    return found


async def _following(client: httpx2.AsyncClient, random: Random, catalogue: Sequence[ListProduct]) -> Searched:
    found = Searched("the second page of one word", [], [])
    while len(found.ms) < EACH:
        _, page = await _asked(client, "/products/search", {"q": _word(random, random.choice(catalogue))})
        if page["next"]:
            took, _ = await _asked(client, page["next"])
            found.ms.append(took)
            found.found.append(page["total"])
    return found


async def _mixed(client: httpx2.AsyncClient, random: Random, catalogue: Sequence[ListProduct]) -> float:
    kinds = [ask for name, ask in KINDS.items() if not name.startswith("no word and")]
    questions = [random.choice(kinds)(random, random.choice(catalogue)) for _ in range(EACH)]
    began, waiting = time.perf_counter(), iter(questions)

    async def shopper() -> None:
        for parameters in waiting:
            await _asked(client, "/products/search", parameters)

    async with asyncio.TaskGroup() as group:
        for _ in range(AT_ONCE):
            group.create_task(shopper())
    return EACH / (time.perf_counter() - began)


def search(folder: Path) -> Table:
    """The figures, on a fresh Postgres."""
    with Servers.start(folder, lambda _: None) as servers:
        count, seconds, found, rate = asyncio.run(measure(servers.postgres.url))
    table = Table(f"search among {count:,} products over HTTP, ms", "p50", "p99", "worst", "products that fit (median)")
    for each in found:
        middle = sorted(each.found)[len(each.found) // 2]
        table.add_row(each.kind, f"{each.at(0.5):.1f}", f"{each.at(0.99):.1f}", f"{max(each.ms):.1f}", f"{middle:,}")
    table.add_row(f"a mixture, {AT_ONCE} at once: {rate:.0f} requests/s", "", "", "", "")
    table.add_row(f"read models filled in {seconds:.0f} s", "", "", "", "")
    return table

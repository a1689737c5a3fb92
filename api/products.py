"""Products over HTTP: the catalogue and its stock, who holds some of it, and search."""

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Path, Query, Request, Response
from pydantic import Field, StringConstraints

from api.access import refuse_foreign
from api.answers import Limited, Paged, after, before_version, linked, paged, reply, sorted_after, write_cursor
from api.asking import asked
from api.bodies import body_of, read
from api.commands import sent, submit
from api.openapi import gives, pages, takes
from api.problems import Problem, field_error, invalid
from api.questions import following
from api.resources import AsOf, one
from api.system import of
from projections.finding import SORTS, question
from projections.price import OF_PRODUCT as PRICES
from projections.product import PAGE
from projections.reservation import STOCK
from schemas.product import (
    AdjustStock,
    AwaitStock,
    CountStock,
    DescribeProduct,
    ListProduct,
    PriceProduct,
    ReceiveStock,
    SetLowStock,
    StopAwaitingStock,
    TransferStock,
    WithdrawProduct,
)
from schemas.values import Cents, Currency, Sku

router = APIRouter(tags=["products"])

Key = Annotated[Sku, Path()]


class Products(Paged):
    """Words to search for, in names, departments, descriptions and SKUs; whether the stock is low."""

    low: bool | None = None
    q: str | None = Field(None, min_length=1, max_length=200, pattern=r"^[^\x00]*$")


Words = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200, pattern=r"^[^\x00]*$")]
Choice = Annotated[list[Annotated[str, StringConstraints(max_length=200, pattern=r"^[^\x00]*$")]], Field(max_length=20)]


class Search(Paged):
    """Words as people type them, those side by side in quotation marks; and what else there is to choose by.

    Several departments (or brands) mean any of them, and the empty one what has none. Prices are in minor units of each
    product's currency: who has several names one. Without words, relevance is the order of SKUs.
    """

    q: Words | None = None
    department: Choice = Field([])
    brand: Choice = Field([])
    min_price: Cents | None = None
    max_price: Cents | None = None
    currency: Currency | None = None
    in_stock: bool | None = None
    sort: Literal["relevance", "price", "-price", "newest", "name"] = "relevance"
    cursor: str | None = Field(None, max_length=2000)

    def given(self) -> dict[str, Any]:
        """What is asked, as a question's parameters."""
        asked = {name: getattr(self, name) for name in ("q", "min_price", "max_price", "currency", "in_stock")}
        asked |= {"departments": self.department or None, "brands": self.brand or None}
        return {name: value for name, value in asked.items() if value is not None}


@router.post("/products", **takes(ListProduct, view="ProductView"))
async def list_product(request: Request) -> Response:
    """Offer a product, with the stock there is at the start."""
    ask = asked(request)
    command = ListProduct(**dict(await read(request, body_of(ListProduct))))
    if command.sku == "search":
        raise invalid([field_error(["sku"], "is where products are searched for", "sku_reserved")])
    return await sent(request, ask, command, creates=True)


@router.post("/products/{sku}/describe", **takes(DescribeProduct, "sku", view="ProductView"))
async def describe_product(request: Request, sku: Key) -> Response:
    """Change what the catalogue says of a product."""
    return await submit(request, DescribeProduct, sku=sku)


@router.post("/products/{sku}/price", **takes(PriceProduct, "sku", view="ProductView"))
async def price_product(request: Request, sku: Key) -> Response:
    """Change a product's price, and say why; orders already placed keep theirs."""
    return await submit(request, PriceProduct, sku=sku)


@router.post("/products/{sku}/withdraw", **takes(WithdrawProduct, "sku", view="ProductView"))
async def withdraw_product(request: Request, sku: Key) -> Response:
    """Stop selling a product; stock already held stays held."""
    return await submit(request, WithdrawProduct, sku=sku)


@router.post("/products/{sku}/stock/receive", **takes(ReceiveStock, "sku", view="ProductView"))
async def receive_stock(request: Request, sku: Key) -> Response:
    """Put goods on the shelf, at one of the places where it stands."""
    return await submit(request, ReceiveStock, sku=sku)


@router.post("/products/{sku}/stock/adjust", **takes(AdjustStock, "sku", view="ProductView"))
async def adjust_stock(request: Request, sku: Key) -> Response:
    """Correct the stock of a location by a difference, such as -2 for breakage."""
    return await submit(request, AdjustStock, sku=sku)


@router.post("/products/{sku}/stock/count", **takes(CountStock, "sku", view="ProductView"))
async def count_stock(request: Request, sku: Key) -> Response:
    """Set the stock of a location to what was counted there."""
    return await submit(request, CountStock, sku=sku)


@router.post("/products/{sku}/stock/transfer", **takes(TransferStock, "sku", view="ProductView"))
async def transfer_stock(request: Request, sku: Key) -> Response:
    """Take goods from one location to another; what orders hold goes along."""
    return await submit(request, TransferStock, sku=sku)


@router.post("/products/{sku}/stock/low", **takes(SetLowStock, "sku", view="ProductView"))
async def set_low_stock(request: Request, sku: Key) -> Response:
    """Say at how many available the stock is low, and who is told by mail; null says that it never is."""
    return await submit(request, SetLowStock, sku=sku)


@router.post("/products/{sku}/stock/await", **takes(AwaitStock, "sku", view="ProductView"))
async def await_stock(request: Request, sku: Key) -> Response:
    """Have a customer told by mail, once, when there is something to buy again."""
    return await _waiting(request, AwaitStock, sku)


@router.post("/products/{sku}/stock/stop-awaiting", **takes(StopAwaitingStock, "sku", view="ProductView"))
async def stop_awaiting_stock(request: Request, sku: Key) -> Response:
    """The customer wants to hear of it no more."""
    return await _waiting(request, StopAwaitingStock, sku)


async def _waiting(request: Request, command: type[AwaitStock | StopAwaitingStock], sku: str) -> Response:
    """Customers say this for themselves."""
    body = await read(request, body_of(command, "sku"))
    refuse_foreign(request, body.model_dump()["customer_id"])
    return await sent(request, asked(request), command(sku=sku, **dict(body)))


@router.get("/products", **pages("ProductView"))
async def list_products(request: Request, query: Annotated[Products, Query()]) -> Response:
    """Products by SKU, those that fit the words, those of which no more are left than their threshold says."""
    parameters = {"words": query.q, "low": query.low, **after(query.cursor), "limit": query.limit + 1}
    return paged(request, await of(request).rows("product", PAGE, parameters), query.limit, "sku")


@router.get("/products/search", **gives("FoundPage"))
async def search_products(request: Request, query: Annotated[Search, Query()]) -> Response:
    """Products on sale that fit, page by page; the first page counts them by department, brand and price.

    By relevance, those that have the words come first, then those with a name much like them. A facet counts what all
    filters but its own leave. What changes its place between two pages may be on both, or on none.
    """
    if query.min_price is not None and query.max_price is not None and query.min_price > query.max_price:
        raise invalid([field_error(["min_price"], "is above max_price", "range")])
    asked = query.given() | sorted_after(query.cursor, query.sort, SORTS[query.sort][1])
    sql = question(asked, query.sort, counted=query.cursor is None)
    [row] = await of(request).rows("product", sql, {**asked, "limit": query.limit + 1})
    items = row["items"]
    places = [item.pop("place") for item in items][: query.limit]
    url = following(request, write_cursor(places[-1], query.sort)) if len(items) > query.limit else None
    page = {"items": items[: query.limit], "next": url, "total": row.get("total"), "facets": row.get("facets")}
    return reply(page, headers=linked(url))


@router.get("/products/{sku}/stock", **gives("Stock"))
async def get_stock(request: Request, sku: Key, query: Annotated[Limited, Query()]) -> Response:
    """A product's stock, and the reservations that hold some of it: those that lapse soonest, `limit` at most."""
    row = await of(request).row("product", STOCK, sku=sku, limit=query.limit)
    if row is None:
        raise Problem("ProductUnknown")
    return reply(row)


@router.get("/products/{sku}/prices", **pages("Price"))
async def list_prices(request: Request, sku: Key, query: Annotated[Paged, Query()]) -> Response:
    """Every price that the product has had, the latest first: since when, until when, why, by which request."""
    parameters = {"sku": sku, **before_version(query.cursor), "limit": query.limit + 1}
    rows = await of(request).rows("product", PRICES, parameters)
    if not rows and query.cursor is None:
        raise Problem("ProductUnknown")
    return paged(request, rows, query.limit, "version")


@router.get("/products/{sku}", **gives("ProductView"))
async def get_product(request: Request, sku: Key, query: Annotated[AsOf, Query()]) -> Response:
    """One product with its stock."""
    return await one(request, f"product-{sku}", query.as_of)

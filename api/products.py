"""Products over HTTP: the catalogue and its stock, who holds some of it, and search."""

from typing import Annotated

from fastapi import APIRouter, Path, Query, Request, Response
from pydantic import Field, StringConstraints

from api.answers import Limited, Paged, after, paged, reply
from api.asking import asked
from api.bodies import body_of, read
from api.commands import sent, submit
from api.openapi import gives, lists, takes
from api.problems import Problem, field_error, invalid
from api.resources import AsOf, one
from api.system import of
from projections.product import PAGE
from projections.reservation import STOCK
from projections.search import FIND
from schemas.product import (
    AdjustStock,
    CountStock,
    DescribeProduct,
    ListProduct,
    PriceProduct,
    ReceiveStock,
    WithdrawProduct,
)
from schemas.values import Sku

router = APIRouter(tags=["products"])

Key = Annotated[Sku, Path()]


class Products(Paged):
    """Words to search for, in names, departments, descriptions and SKUs."""

    q: str | None = Field(None, min_length=1, max_length=200, pattern=r"^[^\x00]*$")


class Search(Limited):
    """Words to search for, as people type them; who means words side by side puts them in quotation marks."""

    q: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200, pattern=r"^[^\x00]*$")]


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
    """Change a product's price; orders already placed keep theirs."""
    return await submit(request, PriceProduct, sku=sku)


@router.post("/products/{sku}/withdraw", **takes(WithdrawProduct, "sku", view="ProductView"))
async def withdraw_product(request: Request, sku: Key) -> Response:
    """Stop selling a product; stock already held stays held."""
    return await submit(request, WithdrawProduct, sku=sku)


@router.post("/products/{sku}/stock/receive", **takes(ReceiveStock, "sku", view="ProductView"))
async def receive_stock(request: Request, sku: Key) -> Response:
    """Put goods on the shelf."""
    return await submit(request, ReceiveStock, sku=sku)


@router.post("/products/{sku}/stock/adjust", **takes(AdjustStock, "sku", view="ProductView"))
async def adjust_stock(request: Request, sku: Key) -> Response:
    """Correct the stock by a difference, such as -2 for breakage."""
    return await submit(request, AdjustStock, sku=sku)


@router.post("/products/{sku}/stock/count", **takes(CountStock, "sku", view="ProductView"))
async def count_stock(request: Request, sku: Key) -> Response:
    """Set the stock to what was counted."""
    return await submit(request, CountStock, sku=sku)


@router.get("/products")
async def list_products(request: Request, query: Annotated[Products, Query()]) -> Response:
    """Products by SKU, or those that fit the words."""
    parameters = {"words": query.q, **after(query.cursor), "limit": query.limit + 1}
    return paged(request, await of(request).rows("product", PAGE, parameters), query.limit, "sku")


@router.get("/products/search", **lists("Found"))
async def search_products(request: Request, query: Annotated[Search, Query()]) -> Response:
    """Products on sale that fit the words, those that have them first, then those with a name much like them."""
    return reply({"items": await of(request).rows("product", FIND, {"q": query.q, "limit": query.limit})})


@router.get("/products/{sku}/stock", **gives("Stock"))
async def get_stock(request: Request, sku: Key, query: Annotated[Limited, Query()]) -> Response:
    """A product's stock, and the reservations that hold some of it: those that lapse soonest, `limit` at most."""
    row = await of(request).row("product", STOCK, sku=sku, limit=query.limit)
    if row is None:
        raise Problem("ProductUnknown")
    return reply(row)


@router.get("/products/{sku}", **gives("ProductView"))
async def get_product(request: Request, sku: Key, query: Annotated[AsOf, Query()]) -> Response:
    """One product with its stock."""
    return await one(request, f"product-{sku}", query.as_of)

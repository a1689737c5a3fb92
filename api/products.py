"""Products over HTTP: the catalogue and its stock, with search."""

from typing import Annotated

from fastapi import APIRouter, Path, Query, Request, Response
from pydantic import Field

from api.answers import Paged, after, paged, reply
from api.bodies import body_of, read
from api.commands import asked, sent, submit
from api.openapi import gives, takes
from api.resources import load
from api.system import of
from projections.product import PAGE
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


@router.post("/products", **takes(ListProduct, view="ProductView"))
async def list_product(request: Request) -> Response:
    """Offer a product, with the stock there is at the start."""
    ask = asked(request)
    body = await read(request, body_of(ListProduct))
    return await sent(request, ask, ListProduct(**dict(body)), creates=True)


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


@router.get("/products/{sku}", **gives("ProductView"))
async def get_product(request: Request, sku: Key) -> Response:
    """One product with its stock."""
    return reply(await load(of(request), f"product-{sku}"))

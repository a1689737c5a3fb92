"""Order builders: two bags of figs and a bottle of milk from shelf 0, a loaf from shelf 1, 850 cents together."""

from events.order import (
    OrderCancelled,
    OrderConfirmed,
    OrderDelivered,
    OrderLinesCommitted,
    OrderLinesReserved,
    OrderPlaced,
    OrderRejected,
    OrderShipped,
    OrderStockSecured,
)
from schemas.order import OrderLine, PlaceOrder, ShippingAddress
from schemas.values import total_of
from tests.builders.values import BREAD, EMAIL, EUR, FIGS, MILK, A

TOTAL = 850
CUSTOMER = "ada"
SKUS = (FIGS, MILK, BREAD)
LINES = (
    OrderLine(sku=FIGS, quantity=2, unit_price=150),
    OrderLine(sku=MILK, quantity=1, unit_price=300),
    OrderLine(sku=BREAD, quantity=1, unit_price=250),
)
ADDRESS = ShippingAddress(name="Ada", street="1 Mill Lane", city="Springfield", postal_code="12345", country="US")


def place(order_id: str = A, lines: tuple[OrderLine, ...] = LINES, customer_id: str = CUSTOMER) -> PlaceOrder:
    return PlaceOrder(
        order_id=order_id,
        customer_id=customer_id,
        email=EMAIL,
        currency=EUR,
        shipping_address=ADDRESS,
        payment_token="tok_visa",
        lines=lines,
    )


def placed(order_id: str = A, lines: tuple[OrderLine, ...] = LINES) -> OrderPlaced:
    return OrderPlaced(**dict(place(order_id, lines)), total=total_of(lines))


def reserved(*skus: str, order_id: str = A) -> OrderLinesReserved:
    return OrderLinesReserved(order_id=order_id, skus=skus or SKUS)


def secured(order_id: str = A) -> OrderStockSecured:
    return OrderStockSecured(order_id=order_id, email=EMAIL, amount=TOTAL, currency=EUR, payment_token="tok_visa")


def confirmed(order_id: str = A) -> OrderConfirmed:
    return OrderConfirmed(order_id=order_id, email=EMAIL, skus=SKUS, amount=TOTAL, currency=EUR, customer_id=CUSTOMER)


def committed(*skus: str, order_id: str = A) -> OrderLinesCommitted:
    return OrderLinesCommitted(order_id=order_id, skus=skus or SKUS)


def rejected(reason: str = "out of stock", *refused: str, order_id: str = A) -> OrderRejected:
    return OrderRejected(
        order_id=order_id, email=EMAIL, reason=reason, skus=SKUS, refused=refused, customer_id=CUSTOMER
    )


def cancelled(reason: str = "customer's wish", order_id: str = A) -> OrderCancelled:
    return OrderCancelled(order_id=order_id, email=EMAIL, reason=reason, skus=SKUS, customer_id=CUSTOMER)


def shipped(tracking: str = "", order_id: str = A) -> OrderShipped:
    return OrderShipped(order_id=order_id, email=EMAIL, tracking=tracking, skus=SKUS, customer_id=CUSTOMER)


def delivered(order_id: str = A) -> OrderDelivered:
    return OrderDelivered(order_id=order_id, email=EMAIL, customer_id=CUSTOMER)

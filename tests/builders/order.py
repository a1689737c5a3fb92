"""Order builders: two bags of figs and a bottle of milk from shelf 0, a loaf from shelf 1, 850 cents together."""

from events.ids import derive
from events.order import (
    OrderAddressChanged,
    OrderAmended,
    OrderCancelled,
    OrderConfirmed,
    OrderDelivered,
    OrderLineCancelled,
    OrderLinesCommitted,
    OrderLinesReserved,
    OrderNoted,
    OrderPartlyShipped,
    OrderPlaced,
    OrderRejected,
    OrderReturnReceived,
    OrderReturnRequested,
    OrderShipmentDelivered,
    OrderShipped,
    OrderStockSecured,
)
from schemas.order import OrderLine, PlaceOrder, ShippingAddress
from schemas.values import Audience, Item, Returned, total_of
from tests.builders.values import BREAD, EMAIL, EUR, FIGS, MILK, A

TOTAL = 850
K1 = "1c000000-0000-4000-8000-00000000000a"
K2 = "2c000000-0000-4000-8000-00000000000a"
R = "1d000000-0000-4000-8000-00000000000a"
"""Ids of cancellations, shipments and returns."""
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
    return OrderStockSecured(
        order_id=order_id, email=EMAIL, amount=TOTAL, currency=EUR, payment_token="tok_visa", customer_id=CUSTOMER
    )


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


def line_cancelled(
    sku: str = FIGS, quantity: int = 1, left: int = 1, amount: int = 150, which: str = K1, order_id: str = A
) -> OrderLineCancelled:
    return OrderLineCancelled(
        order_id=order_id,
        email=EMAIL,
        cancellation_id=which,
        sku=sku,
        quantity=quantity,
        left=left,
        amount=amount,
        tax_cents=0,
        currency=EUR,
        reason="customer's wish",
        customer_id=CUSTOMER,
    )


def amended(
    *lines: OrderLine, added: tuple[Item, ...] = (), removed: tuple[Item, ...] = (), shipping: int = 0, which: str = K1
) -> OrderAmended:
    return OrderAmended(
        order_id=A,
        email=EMAIL,
        amendment_id=which,
        currency=EUR,
        lines=lines,
        shipping_cents=shipping,
        total=total_of(lines) + shipping,
        added=added,
        removed=removed,
        customer_id=CUSTOMER,
    )


def partly_shipped(*items: tuple[str, int], which: str = K1, order_id: str = A) -> OrderPartlyShipped:
    gone = items_of(*items) if items else items_of((FIGS, 1))
    return OrderPartlyShipped(
        order_id=order_id, email=EMAIL, shipment_id=which, tracking="1Z", items=gone, customer_id=CUSTOMER
    )


def shipped(tracking: str = "", *items: tuple[str, int], which: str = "", order_id: str = A) -> OrderShipped:
    gone = items_of(*items) if items else items_of(*((line.sku, line.quantity) for line in LINES))
    return OrderShipped(
        order_id=order_id,
        email=EMAIL,
        tracking=tracking,
        skus=tuple(item.sku for item in gone),
        shipment_id=which or derive(order_id, "shipment/0"),
        items=gone,
        customer_id=CUSTOMER,
    )


def shipped_in_the_early_days(tracking: str = "") -> OrderShipped:
    return OrderShipped(order_id=A, email=EMAIL, tracking=tracking, skus=SKUS)


def shipment_delivered(which: str = K1) -> OrderShipmentDelivered:
    return OrderShipmentDelivered(order_id=A, email=EMAIL, shipment_id=which)


def return_requested(*items: tuple[str, int], which: str = R, reason: str = "too small") -> OrderReturnRequested:
    return OrderReturnRequested(
        order_id=A, email=EMAIL, return_id=which, items=items_of(*items), reason=reason, customer_id=CUSTOMER
    )


def return_received(*items: Returned, which: str = R, note: str = "") -> OrderReturnReceived:
    amount = sum(item.amount for item in items)
    said = {"order_id": A, "email": EMAIL, "return_id": which, "currency": EUR, "note": note}
    return OrderReturnReceived(**said, items=items, amount=amount, customer_id=CUSTOMER)


def returned(sku: str, quantity: int, verdict: str, amount: int, tax_cents: int = 0) -> Returned:
    said = {"sku": sku, "quantity": quantity, "verdict": verdict, "amount": amount, "tax_cents": tax_cents}
    return Returned.model_validate(said)


def address_changed(city: str = "Shelbyville") -> OrderAddressChanged:
    return OrderAddressChanged(order_id=A, email=EMAIL, shipping_address=elsewhere(city))


def elsewhere(city: str = "Shelbyville") -> ShippingAddress:
    return ADDRESS.model_copy(update={"city": city})


def noted(text: str = "ring twice", audience: Audience = "staff", which: str = K1, by: str = "") -> OrderNoted:
    return OrderNoted(order_id=A, note_id=which, text=text, audience=audience, by=by)


def items_of(*items: tuple[str, int]) -> tuple[Item, ...]:
    return tuple(Item(sku=sku, quantity=quantity) for sku, quantity in items)


def delivered(order_id: str = A) -> OrderDelivered:
    return OrderDelivered(order_id=order_id, email=EMAIL, customer_id=CUSTOMER)

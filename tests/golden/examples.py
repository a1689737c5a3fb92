"""Examples are one message of every kind; their recorded form is kept for ever beside this file."""

from typing import Any

from events import letter
from events.audit import OperatorActed
from events.event import Event
from events.outcome import CommandRejected, CommandUnchanged, RecordParked
from schemas import notification as notifications
from schemas import order as orders
from schemas import payment as payments
from schemas import product as products
from schemas.parking import DiscardLetter, EditLetter, ParkEvent, ParkRecord, RetryLetter
from schemas.values import Command
from tests.builders import notification, order, payment, product, user
from tests.builders.values import EUR, FIGS, MILK, A, B

LETTER: dict[str, Any] = {"topic": "order.commands", "partition": 0, "offset": 7, "reason": "lines: Field required"}
BYTES: dict[str, Any] = {"key": "b3JkZXItYQ==", "value": "e30="}
L = "11111111-1111-5111-8111-111111111111"
KEPT: dict[str, Any] = {
    "consumer": "order.writer",
    "type": "order.cancel",
    "message": A,
    "subject": f"order-{A}",
    "attempts": 1,
}
HERE: dict[str, Any] = {"order_id": A, "partition": product.SHELF}

_EVENTS: tuple[Event, ...] = (
    order.placed(),
    order.reserved(FIGS, MILK),
    order.secured(),
    order.confirmed(),
    order.committed(FIGS, MILK),
    order.rejected("out of stock", FIGS),
    order.cancelled(),
    order.line_cancelled(),
    order.partly_shipped(),
    order.shipped("1Z999"),
    order.shipment_delivered(),
    order.delivered(),
    order.address_changed(),
    order.noted(by="ada"),
    order.return_requested((FIGS, 2)),
    order.return_received(order.returned(FIGS, 1, "restock", 150), order.returned(FIGS, 1, "refuse", 0), note="opened"),
    product.listed(),
    product.described(),
    product.priced(),
    product.withdrawn(),
    product.received(5),
    product.adjusted(-2),
    product.counted(3),
    product.stock_reserved(2),
    product.stock_released(2),
    product.stock_shipped(2),
    product.transferred(2),
    product.low_stock_set(3),
    product.ran_low(3, 3),
    product.awaited(),
    product.not_awaited(),
    product.returned(5),
    product.told(),
    product.made(),
    product.refused(FIGS),
    product.committed(),
    product.released(),
    product.reduced((FIGS, 1)),
    product.lapsed(),
    product.shipped(),
    payment.requested(),
    payment.authorized(),
    payment.declined(),
    payment.lapsed(),
    payment.cancelled(),
    payment.reduced(),
    payment.capture_requested(),
    payment.captured(),
    payment.void_requested(),
    payment.voided(),
    payment.refund_requested(),
    payment.refunded(),
    payment.refused("capture"),
    user.registered(),
    notification.requested(),
    notification.delivered(),
    notification.refused(),
    CommandRejected(about=f"order-{A}", code="OrderUnknown", detail="There is no such order."),
    CommandUnchanged(about=f"order-{A}"),
    RecordParked(about="order-unknown", **LETTER, **BYTES),
    letter.LetterParked(about=f"order-{A}", letter=L, **LETTER, **BYTES, **KEPT, behind="", blocks=True),
    letter.LetterRetried(about=f"order-{A}", letter=L, attempts=2, became="accepted", code="", detail="", command=A),
    letter.LetterReleased(about=f"order-{A}", letter=L, topic="payment.events", partition=0, offset=7, **BYTES, **KEPT),
    letter.LetterEdited(about=f"order-{A}", letter=L, value="e30=", before="e30=", why="a typo"),
    letter.LetterDiscarded(about=f"order-{A}", letter=L, why="nobody wants it", command=A),
    OperatorActed(who="ada@desk", action="snapshots drop", target="order", why="a new shape", detail={"dropped": 7}),
)
_COMMANDS: tuple[Command, ...] = (
    order.place(),
    orders.CancelOrder(order_id=A, reason="too slow"),
    orders.CancelLine(order_id=A, cancellation_id=order.K1, sku=FIGS, quantity=1, reason="too many"),
    orders.ShipOrder(order_id=A, tracking="1Z999"),
    orders.DeliverOrder(order_id=A),
    orders.ChangeAddress(order_id=A, shipping_address=order.elsewhere()),
    orders.AddNote(order_id=A, note_id=order.K1, text="ring twice", by="ada"),
    orders.RequestReturn(
        order_id=A, return_id=order.R, items=(orders.OrderItem(sku=FIGS, quantity=2),), reason="too small"
    ),
    orders.ReceiveReturn(
        order_id=A,
        return_id=order.R,
        items=(orders.InspectedItem(sku=FIGS, quantity=1, verdict="restock"),),
        note="opened",
    ),
    orders.RecordReservation(order_id=A, skus=(FIGS, MILK)),
    orders.RecordCommitment(order_id=A, skus=(FIGS, MILK)),
    orders.RecordLapse(order_id=A, skus=(FIGS, MILK)),
    orders.ConfirmOrder(order_id=A),
    orders.RejectOrder(order_id=A, reason="out of stock", skus=(FIGS,)),
    product.list_product(stock=5),
    products.DescribeProduct(sku=FIGS, name="Dried figs", description="from Izmir", department="dried fruit"),
    products.PriceProduct(sku=FIGS, price=175, currency=EUR),
    products.WithdrawProduct(sku=FIGS),
    products.ReceiveStock(sku=FIGS, quantity=5),
    products.AdjustStock(sku=FIGS, delta=-2, reason="broken"),
    products.CountStock(sku=FIGS, quantity=3),
    products.TransferStock(sku=FIGS, quantity=2, source="main", target="annex"),
    products.SetLowStock(sku=FIGS, threshold=3),
    products.AwaitStock(sku=FIGS, customer_id="ada", email="ada@example.org"),
    products.StopAwaitingStock(sku=FIGS, customer_id="ada"),
    products.TellWaiting(sku=FIGS),
    products.ReserveStock(**HERE, items=product.items()),
    products.CommitReservation(**HERE),
    products.ReleaseReservation(**HERE),
    products.ReleaseItems(**HERE, part_id=order.K1, items=product.items((FIGS, 1))),
    products.ShipReservation(**HERE),
    products.ShipItems(**HERE, part_id=order.K1, items=product.items((FIGS, 1))),
    products.LapseReservation(**HERE),
    payment.request(),
    payments.CapturePayment(order_id=A),
    payments.CancelPayment(order_id=A),
    payments.RefundPayment(order_id=A, refund_id=payment.R1, amount=100),
    payments.ReducePayment(order_id=A, refund_id=payment.R1, amount=150, reason="line cancelled"),
    payments.RecordAuthorization(order_id=A, reference="auth-1"),
    payments.RecordDecline(order_id=A, reason="card_declined"),
    payments.RecordCapture(order_id=A, reference="capture-1"),
    payments.RecordVoid(order_id=A),
    payments.RecordRefund(order_id=A, refund_id=payment.R1, reference="refund-1"),
    payments.RecordRefusal(order_id=A, step="capture", reason="expired"),
    payments.LapsePayment(order_id=A),
    user.register(),
    notification.request(),
    notifications.RecordDelivery(notification_id=notification.MAIL),
    notifications.RecordRefusal(notification_id=notification.MAIL, reason="no such mailbox"),
    ParkRecord(about="order-unknown", **LETTER, **BYTES),
    ParkEvent(about=f"order-hears-{B}", letter="", type="x.y.v1", message=A, subject=B, attempts=1, **LETTER, **BYTES),
    RetryLetter(about=f"order-{A}", letter=L, partition=0),
    EditLetter(about=f"order-{A}", letter=L, partition=0, value="{}", why="a typo"),
    DiscardLetter(about=f"order-{A}", letter=L, partition=0, why="nobody wants it"),
)
EVENTS = {event.tag: event for event in _EVENTS}
COMMANDS = {command.tag: command for command in _COMMANDS}

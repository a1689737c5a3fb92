"""Payment reactions and effects: what the money does when an order has spoken, and how the provider is asked.

Every call carries an idempotency key that follows from the payment and the step, so that asking again, after a
crash or by a new owner, is asking once.
"""

from collections.abc import Awaitable, Callable

from aggregates.decider import Todo
from aggregates.payment import Payment
from aggregates.payment.state import Part
from events.failpoints import reach
from events.ids import derive
from events.order import (
    OrderCancelled,
    OrderConfirmed,
    OrderLineCancelled,
    OrderPartlyShipped,
    OrderRejected,
    OrderReturnReceived,
    OrderShipped,
    OrderStockSecured,
)
from schemas.payment import (
    CancelPayment,
    CapturePayment,
    CaptureShipment,
    LapsePayment,
    PaymentCommand,
    RecordAuthorization,
    RecordCapture,
    RecordDecline,
    RecordExpiry,
    RecordRefund,
    RecordRefusal,
    RecordVoid,
    ReducePayment,
    RequestPayment,
)
from workers.policy import on
from workers.provider import EXPIRED, Authorized, Declined, Provider


def request_when_secured(event: OrderStockSecured) -> list[RequestPayment]:
    return [
        RequestPayment(
            order_id=event.order_id,
            amount=event.amount,
            currency=event.currency,
            token=event.payment_token,
            email=event.email,
            customer_id=event.customer_id,
            attempts=event.payment_attempts,
            capture=event.capture,
        )
    ]


def capture_when_confirmed(event: OrderConfirmed) -> list[CapturePayment]:
    return [CapturePayment(order_id=event.order_id)]


def capture_when_shipped(event: OrderPartlyShipped | OrderShipped) -> list[CaptureShipment]:
    """An order whose money is taken at its confirmation has no charge."""
    if event.charge is None:
        return []
    last = isinstance(event, OrderShipped)
    return [CaptureShipment(order_id=event.order_id, shipment_id=event.shipment_id, amount=event.charge, last=last)]


def cancel_when_off(event: OrderRejected | OrderCancelled) -> list[CancelPayment]:
    return [CancelPayment(order_id=event.order_id)]


def reduce_when_line_cancelled(event: OrderLineCancelled) -> list[ReducePayment]:
    return [
        ReducePayment(
            order_id=event.order_id,
            refund_id=event.cancellation_id,
            amount=event.amount,
            reason="line cancelled",
            closes=event.closes,
        )
    ]


def reduce_when_returned(event: OrderReturnReceived) -> list[ReducePayment]:
    return [
        ReducePayment(
            order_id=event.order_id,
            refund_id=event.return_id,
            amount=event.amount,
            reason="items returned",
            returned=True,
        )
    ]


REACTIONS = (
    on(OrderStockSecured, request_when_secured),
    on(OrderConfirmed, capture_when_confirmed),
    on(OrderPartlyShipped, capture_when_shipped),
    on(OrderShipped, capture_when_shipped),
    on(OrderRejected, cancel_when_off),
    on(OrderCancelled, cancel_when_off),
    on(OrderLineCancelled, reduce_when_line_cancelled),
    on(OrderReturnReceived, reduce_when_returned),
)

Effect = Callable[[str, Payment, Todo], Awaitable[PaymentCommand]]


def key_of(order_id: str, step: str) -> str:
    """The idempotency key of a step of an order's payment."""
    return derive(order_id, f"payment/{step}")


def effects(provider: Provider) -> dict[str, Effect]:
    """How each step that a payment's state asks for is done."""

    async def authorize(stream: str, payment: Payment, todo: Todo) -> PaymentCommand:
        order_id = _order_of(stream)
        key, attempt = key_of(order_id, todo.key), payment.attempt
        asked = (payment.asking, payment.currency, payment.token, attempt, payment.per_shipment)
        answer = await provider.authorize(key, order_id, *asked)
        reach("provider.authorized")
        if isinstance(answer, Authorized):
            reference, until = answer.reference, answer.expires_at
            return RecordAuthorization(order_id=order_id, reference=reference, attempt=attempt, expires_at=until)
        return RecordDecline(order_id=order_id, reason=answer.reason, attempt=attempt)

    async def capture(stream: str, payment: Payment, todo: Todo) -> PaymentCommand:
        return await taken(_order_of(stream), payment, todo, Part(payment.due, final=True))

    async def capture_shipment(stream: str, payment: Payment, todo: Todo) -> PaymentCommand:
        shipment_id = todo.key.split(":")[1]
        return await taken(_order_of(stream), payment, todo, payment.parts[shipment_id], shipment_id)

    async def taken(
        order_id: str, payment: Payment, todo: Todo, part: Part, shipment_id: str = ""
    ) -> RecordCapture | RecordExpiry | RecordRefusal:
        answer = await provider.capture(key_of(order_id, todo.key), payment.reference, part.amount, part.final)
        reach("provider.captured")
        if isinstance(answer, Declined):
            if answer.reason == EXPIRED:
                return RecordExpiry(order_id=order_id, reference=payment.reference, step=todo.key)
            return RecordRefusal(order_id=order_id, step=todo.key, reason=answer.reason)
        return RecordCapture(order_id=order_id, reference=answer.reference, shipment_id=shipment_id)

    async def void(stream: str, payment: Payment, todo: Todo) -> PaymentCommand:
        order_id = _order_of(stream)
        answer = await provider.void(key_of(order_id, todo.key), payment.reference)
        reach("provider.voided")
        if isinstance(answer, Declined):
            return RecordRefusal(order_id=order_id, step=todo.key, reason=answer.reason)
        return RecordVoid(order_id=order_id)

    async def void_stray(stream: str, _: Payment, todo: Todo) -> PaymentCommand:
        order_id, stray = _order_of(stream), todo.key.partition(":")[2]
        answer = await provider.void(key_of(order_id, todo.key), stray)
        if isinstance(answer, Declined):
            return RecordRefusal(order_id=order_id, step=todo.key, reason=answer.reason)
        return RecordVoid(order_id=order_id, stray=stray)

    async def refund(stream: str, payment: Payment, todo: Todo) -> PaymentCommand:
        order_id, refund_id = _order_of(stream), todo.key.split(":")[1]
        piece, amount = payment.piece(refund_id)
        answer = await provider.refund(key_of(order_id, todo.key), payment.pot.reference, amount)
        reach("provider.refunded")
        if isinstance(answer, Declined):
            return RecordRefusal(order_id=order_id, step=todo.key, reason=answer.reason)
        return RecordRefund(order_id=order_id, refund_id=refund_id, reference=answer.reference, piece=piece)

    async def expire(stream: str, payment: Payment, _: Todo) -> PaymentCommand:
        return RecordExpiry(order_id=_order_of(stream), reference=payment.reference)

    async def lapse(stream: str, _: Payment, __: Todo) -> PaymentCommand:
        return LapsePayment(order_id=_order_of(stream))

    return {
        "authorize": authorize,
        "capture": capture,
        "capture_shipment": capture_shipment,
        "void": void,
        "void_stray": void_stray,
        "refund": refund,
        "expire": expire,
        "lapse": lapse,
    }


def _order_of(stream: str) -> str:
    return stream.removeprefix("payment-")

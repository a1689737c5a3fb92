"""What the money asks of itself when an order has spoken, and how each step asks the provider, once."""

import pytest

from aggregates.decider import Todo
from aggregates.payment import Payment, decider
from schemas.payment import (
    CancelPayment,
    CapturePayment,
    CaptureShipment,
    LapsePayment,
    PaymentCommand,
    RecordAuthorization,
    RecordCapture,
    RecordDecline,
    RecordRefund,
    RecordRefusal,
    RecordVoid,
    ReducePayment,
)
from tests.builders import order, payment
from tests.builders.values import FIGS, OVERDUE, A
from tests.spec import Life, Spec
from tests.workers.hearing import asks
from workers.payment import REACTIONS, effects, key_of
from workers.provider import DECLINED_AMOUNT
from workers.provider_twin import InProcessProvider

STREAM = f"payment-{A}"
money = Spec(decider(OVERDUE))


def test_a_secured_order_asks_for_its_money() -> None:
    assert asks(REACTIONS, order.secured()) == [payment.request()]


def test_a_confirmed_order_takes_its_money() -> None:
    assert asks(REACTIONS, order.confirmed()) == [CapturePayment(order_id=A)]


def test_a_shipment_takes_its_money_where_that_is_taken_per_shipment() -> None:
    part, rest = order.partly_shipped(), order.shipped()
    assert asks(REACTIONS, part) == asks(REACTIONS, rest) == []
    charged = part.model_copy(update={"charge": 150})
    assert asks(REACTIONS, charged) == [
        CaptureShipment(order_id=A, shipment_id=part.shipment_id, amount=150, last=False)
    ]
    last = rest.model_copy(update={"charge": 0})
    assert asks(REACTIONS, last) == [CaptureShipment(order_id=A, shipment_id=rest.shipment_id, amount=0, last=True)]


def test_an_order_that_is_off_wants_no_money() -> None:
    assert asks(REACTIONS, order.rejected()) == [CancelPayment(order_id=A)]
    assert asks(REACTIONS, order.cancelled()) == [CancelPayment(order_id=A)]


def test_every_step_and_every_refund_has_a_key_of_its_own_that_never_changes() -> None:
    steps = ["authorize", "capture", "void", f"refund:{payment.R1}", f"refund:{payment.R2}"]
    assert len({key_of(A, step) for step in steps}) == 5
    assert key_of(A, "authorize") == key_of(A, "authorize")


class Till:
    """A payment with its provider: whatever its state asks for is asked, and the answer is recorded."""

    def __init__(self, amount: int = 850) -> None:
        self.life: Life = money.given(payment.requested(amount))
        self.provider = InProcessProvider()
        self.effects = effects(self.provider)

    @property
    def payment(self) -> Payment:
        state = self.life.state(STREAM)
        assert isinstance(state, Payment)
        return state

    async def do(self, key: str) -> PaymentCommand:
        """Do one thing of the list, and record its answer."""
        [todo] = [todo for todo in money.decider.todos(self.payment) if (todo.key or todo.step) == key]
        answer = await self.effects[todo.step](STREAM, self.payment, todo)
        self.life.ask(answer)
        return answer


@pytest.mark.anyio
async def test_money_is_authorized_captured_and_refunded() -> None:
    till = Till()
    assert isinstance(await till.do("authorize"), RecordAuthorization)
    till.life.ask(CapturePayment(order_id=A))
    assert isinstance(await till.do("capture"), RecordCapture)
    till.life.ask(CancelPayment(order_id=A))
    assert isinstance(await till.do(f"refund:{payment.WHOLE}"), RecordRefund)
    assert till.payment.refunded == 850


@pytest.mark.anyio
async def test_authorized_money_is_voided() -> None:
    till = Till()
    await till.do("authorize")
    till.life.ask(CancelPayment(order_id=A))
    assert await till.do("void") == RecordVoid(order_id=A)


@pytest.mark.anyio
async def test_asking_the_provider_again_is_asking_once() -> None:
    till = Till()
    todo = Todo("authorize", key="authorize")
    first = await till.effects["authorize"](STREAM, till.payment, todo)
    assert await till.effects["authorize"](STREAM, till.payment, todo) == first


@pytest.mark.anyio
async def test_a_declined_card_is_recorded() -> None:
    assert isinstance(await Till(DECLINED_AMOUNT).do("authorize"), RecordDecline)


@pytest.mark.anyio
async def test_a_capture_of_what_somebody_has_voided_is_recorded_as_refused() -> None:
    till = Till()
    await till.do("authorize")
    await till.provider.void("by hand", till.payment.reference)
    till.life.ask(CapturePayment(order_id=A))
    assert await till.do("capture") == RecordRefusal(order_id=A, step="capture", reason="already_voided")


@pytest.mark.anyio
async def test_a_void_of_what_somebody_has_captured_is_recorded_as_refused() -> None:
    till = Till()
    await till.do("authorize")
    await till.provider.capture("by hand", till.payment.reference, 850)
    till.life.ask(CancelPayment(order_id=A))
    assert await till.do("void") == RecordRefusal(order_id=A, step="void", reason="already_captured")


@pytest.mark.anyio
async def test_a_refund_of_what_somebody_has_refunded_is_recorded_as_refused() -> None:
    till = Till()
    await till.do("authorize")
    till.life.ask(CapturePayment(order_id=A))
    await till.do("capture")
    await till.provider.refund("by hand", till.payment.reference, 850)
    till.life.ask(CancelPayment(order_id=A))
    answer = await till.do(f"refund:{payment.WHOLE}")
    assert isinstance(answer, RecordRefusal)
    assert till.payment.refunded == 0


@pytest.mark.anyio
async def test_a_provider_that_is_too_late_makes_the_payment_lapse() -> None:
    assert await Till().do("lapse") == LapsePayment(order_id=A)


def test_a_cancelled_line_reduces_the_payment_under_its_own_id() -> None:
    asked = ReducePayment(order_id=A, refund_id=order.K1, amount=150, reason="line cancelled")
    assert asks(REACTIONS, order.line_cancelled()) == [asked]


def test_what_came_back_reduces_the_payment_under_the_id_of_the_return() -> None:
    asked = ReducePayment(order_id=A, refund_id=order.R, amount=150, reason="items returned", returned=True)
    assert asks(REACTIONS, order.return_received(order.returned(FIGS, 1, "damaged", 150))) == [asked]

"""Order and payment together, whatever is asked and whenever the provider answers: what is owed is kept, every cent."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from aggregates.order import DECIDER as ORDERS
from aggregates.order import OVER
from aggregates.payment import Status, decider
from events.event import Event
from events.ids import derive
from events.payment import PaymentCaptured, PaymentGivenUp, PaymentRefunded
from schemas.order import (
    CancelLine,
    CancelOrder,
    ConfirmOrder,
    DeliverOrder,
    InspectedItem,
    OrderItem,
    OrderLine,
    PlaceOrder,
    ReceiveReturn,
    RecordCommitment,
    RecordReservation,
    RequestReturn,
    ShipOrder,
)
from schemas.payment import (
    AttemptPayment,
    LapsePayment,
    PaymentCommand,
    RecordAuthorization,
    RecordCapture,
    RecordDecline,
    RecordExpiry,
    RecordRefund,
    RecordVoid,
)
from schemas.values import Capture, Command, Verdict
from tests.aggregates.laws import moderately
from tests.builders.order import place
from tests.builders.values import BREAD, FIGS, OVERDUE, A
from tests.spec import Life
from workers.order import REACTIONS as OF_ORDER
from workers.payment import REACTIONS

PAYMENTS = decider(OVERDUE)
SKUS = (FIGS, BREAD)
ANSWER = "the provider answers"
EXPIRY = "what is held expires"
NO = "the card declines"
CARD = "another card is named"
TOO_LATE = "no card was named in time"


class Till:
    """The two contexts with nothing in between; the provider answers when it is told to."""

    def __init__(self, placed: PlaceOrder) -> None:
        self.order, self.payment = Life(ORDERS), Life(PAYMENTS)
        self.ask(placed)
        for command in (RecordReservation, ConfirmOrder, RecordCommitment):
            more: dict[str, Any] = {} if command is ConfirmOrder else {"skus": SKUS}
            self.ask(command(order_id=A, **more))
            self.answer()

    def ask(self, command: Command) -> None:
        for event in self.order.ask(command):
            for reaction in REACTIONS:
                for heard in reaction.react(event) if reaction.event is type(event) else ():
                    self.pay(heard)

    def pay(self, command: Command) -> None:
        for event in self.payment.ask(command):
            for reaction in OF_ORDER:
                for heard in reaction.react(event) if reaction.event is type(event) else ():
                    self.ask(heard)

    def answer(self) -> bool:
        """The first of what the provider is asked for; whether there was anything."""
        state = self.payment.state(f"payment-{A}")
        for todo in PAYMENTS.todos(state):
            if todo.due is None:
                self.pay(_answer(todo.step, todo.key))
                return True
        return False

    def expire(self) -> None:
        """What is held is so no longer, but for what was taken of it already."""
        reference = self.payment.state(f"payment-{A}").reference
        self.pay(RecordExpiry(order_id=A, reference=reference, step="capture"))

    def decline(self) -> None:
        self.pay(RecordDecline(order_id=A, reason="no", attempt=self.payment.state(f"payment-{A}").attempt))

    def name(self) -> None:
        attempt = self.payment.state(f"payment-{A}").attempt
        self.pay(AttemptPayment(order_id=A, attempt_id=derive(A, f"card {attempt}"), payment_token="tok_other"))

    @property
    def taken(self) -> int:
        return sum(event.amount for event in self.payment.history if isinstance(event, PaymentCaptured))

    @property
    def unpaid(self) -> int:
        """What goods cost at most whose money could not be had, and the cents that rounding had left to the last."""
        given_up = [event.unpaid for event in self.payment.history if isinstance(event, PaymentGivenUp)]
        return sum(given_up) + len(SKUS) * len(given_up)

    def kept(self) -> int:
        return self.taken - sum(e.amount for e in self.payment.history if isinstance(e, PaymentRefunded))


def _answer(step: str, key: str) -> PaymentCommand:
    _, *about = key.split(":")
    match step:
        case "authorize":
            return RecordAuthorization(order_id=A, reference=f"auth-{key}", attempt=int(about[0]) if about else 1)
        case "capture":
            return RecordCapture(order_id=A, reference=key)
        case "capture_shipment":
            return RecordCapture(order_id=A, reference=key, shipment_id=about[0])
        case "void":
            return RecordVoid(order_id=A)
        case _:
            piece = int(about[1]) if about[1:] else 1
            return RecordRefund(order_id=A, refund_id=about[0], reference=key, piece=piece)


few = st.integers(1, 3)
skus = st.sampled_from(SKUS)
ids = st.sampled_from([derive(A, f"part {number}") for number in range(6)])


def _shipped(shipment_id: str, sku: str, quantity: int) -> list[Command]:
    return [ShipOrder(order_id=A, shipment_id=shipment_id, lines=(OrderItem(sku=sku, quantity=quantity),))]


def _called_off(which: str, sku: str, quantity: int | None) -> list[Command]:
    return [CancelLine(order_id=A, cancellation_id=which, sku=sku, quantity=quantity)]


def _sent_back(which: str, sku: str, quantity: int, verdict: Verdict) -> list[Command]:
    item = OrderItem(sku=sku, quantity=quantity)
    seen = InspectedItem(sku=sku, quantity=quantity, verdict=verdict)
    return [
        DeliverOrder(order_id=A),
        RequestReturn(order_id=A, return_id=which, items=(item,), reason="stale"),
        ReceiveReturn(order_id=A, return_id=which, items=(seen,)),
    ]


verdicts: st.SearchStrategy[Verdict] = st.sampled_from(["restock", "restock", "refuse"])
wishes: st.SearchStrategy[list[Command]] = st.one_of(
    st.builds(_shipped, ids, skus, few),
    st.builds(_called_off, ids, skus, st.one_of(few, few, st.none())),
    st.builds(_sent_back, ids, skus, few, verdicts),
)
steps = st.lists(
    st.one_of(wishes, st.sampled_from([ANSWER, ANSWER, EXPIRY, NO, CARD, TOO_LATE])), min_size=4, max_size=25
)
captures: st.SearchStrategy[Capture] = st.sampled_from(["per_shipment", "per_shipment", "at_confirmation"])


@st.composite
def orders(draw: st.DrawFn) -> PlaceOrder:
    """Lines whose tax does not divide, or of nothing; with shipping, or without."""
    cents = st.integers(0, 20)
    lines = tuple(
        OrderLine(sku=sku, quantity=draw(st.integers(1, 7)), unit_price=draw(cents), tax_cents=draw(cents))
        for sku in SKUS
    )
    more = {"shipping_cents": draw(cents), "capture": draw(captures)}
    return place(lines=lines).model_copy(update=more)


def played(placed: PlaceOrder, script: list[Any]) -> Till:
    till = Till(placed)
    for step in script:
        if step == ANSWER:
            till.answer()
        elif step == EXPIRY:
            till.expire()
        elif step == NO:
            till.decline()
        elif step == CARD:
            till.name()
        elif step == TOO_LATE:
            till.pay(LapsePayment(order_id=A))
        else:
            for command in step:
                till.ask(command)
    return till


def ended(till: Till) -> Till:
    """Nothing is asked for any more, and no other card is named."""
    while till.answer():
        pass
    till.pay(LapsePayment(order_id=A))
    while till.answer():
        pass
    return till


@moderately
@given(orders(), steps)
def test_once_all_is_shipped_or_called_off_what_is_kept_is_what_the_order_comes_to(
    placed: PlaceOrder, script: list[Any]
) -> None:
    till = played(placed, script)
    till.ask(ShipOrder(order_id=A))
    ended(till)
    order = till.order.state(f"order-{A}")
    owed = 0 if order.status in OVER else order.amount
    assert owed - till.unpaid <= till.kept() <= owed
    assert PAYMENTS.todos(till.payment.state(f"payment-{A}")) == []


@moderately
@given(orders(), steps)
def test_what_is_kept_before_that_is_what_was_charged_and_did_not_come_back(
    placed: PlaceOrder, script: list[Any]
) -> None:
    till = ended(played(placed, script))
    order = till.order.state(f"order-{A}")
    if placed.capture == "per_shipment" and order.unshipped and order.status not in OVER:
        assert 0 <= till.kept() <= order.amount
        if not order.shipped:
            assert till.kept() == 0


@moderately
@given(orders(), steps)
def test_at_no_moment_is_more_taken_than_authorized_or_given_back_than_taken(
    placed: PlaceOrder, script: list[Any]
) -> None:
    till = ended(played(placed, script))
    again = Life(PAYMENTS)
    kept = 0
    for event in till.payment.history:
        again.record([event])
        kept += _moved(event)
        state = again.state(f"payment-{A}")
        assert 0 <= kept <= state.amount
        assert sum(pot.left for pot in state.earlier) + state.pot.left >= 0
        assert state.charged <= state.due or not state.per_shipment


@moderately
@given(orders(), steps)
def test_an_order_that_is_called_off_keeps_nothing(placed: PlaceOrder, script: list[Any]) -> None:
    till = played(placed, script)
    till.ask(CancelOrder(order_id=A))
    ended(till)
    if till.order.state(f"order-{A}").status in OVER:
        assert till.kept() == 0


def _moved(event: Event) -> int:
    match event:
        case PaymentCaptured(amount=amount):
            return amount
        case PaymentRefunded(amount=amount):
            return -amount
        case _:
            return 0


def test_a_cent_of_tax_that_rounding_took_too_much_goes_back() -> None:
    lines = (OrderLine(sku=FIGS, quantity=7, unit_price=1, tax_cents=5), OrderLine(sku=BREAD, quantity=1, unit_price=0))
    placed = place(lines=lines).model_copy(update={"capture": "per_shipment"})
    one, two, three, four = (derive(A, f"part {number}") for number in range(4))
    steps = [_shipped(one, FIGS, 3), ANSWER, _called_off(two, FIGS, 2), _called_off(three, FIGS, 2)]
    till = ended(played(placed, [*steps, _called_off(four, BREAD, None)]))

    assert till.order.state(f"order-{A}").amount == till.kept() == 3 + 1
    assert [event.amount for event in till.payment.history if isinstance(event, PaymentRefunded)] == [1]
    assert till.payment.state(f"payment-{A}").status is Status.CAPTURED

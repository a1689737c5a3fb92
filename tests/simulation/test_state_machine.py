"""A saga's life is tried by hypothesis: anyone asks anything at any time, and crashes come between any two steps."""

from collections import Counter
from typing import Any
from uuid import UUID

from hypothesis import HealthCheck, event, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from schemas.order import CancelOrder, DeliverOrder, ShipOrder
from schemas.payment import RefundPayment
from schemas.product import AdjustStock, CountStock, ReceiveStock, TransferStock
from schemas.values import Command
from tests.scenarios import laws
from tests.scenarios.shop import order, product
from tests.simulation.saga import CONTEXTS, Saga

SKUS = ("sku-1", "sku-2", "sku-3")
ALWAYS = (
    laws.no_shelf_is_ever_oversold,
    laws.what_happens_once_happens_once,
    laws.versions_have_no_gaps,
    laws.one_request_is_behind_every_event,
)
any_one = st.integers(0, 1_000_000)
few = st.integers(0, 3)


class OrderLife(RuleBasedStateMachine):
    """Up to three orders, for little stock."""

    def __init__(self) -> None:
        super().__init__()
        self.saga = Saga()
        self.orders: list[str] = []
        self.asked: list[str] = []

    def _ask(self, command: Command) -> None:
        self.asked.append(str(UUID(int=len(self.asked) + 1)))
        self.saga.ask(command, self.asked[-1])

    def _order(self, which: int) -> str:
        return self.orders[which % len(self.orders)]

    @initialize(stock=st.lists(st.integers(0, 4), min_size=len(SKUS), max_size=len(SKUS)))
    def open_the_shop(self, stock: list[int]) -> None:
        for sku, quantity in zip(SKUS, stock, strict=True):
            self._ask(product(sku, quantity))
        while steps := self.saga.untimed():
            self.saga.do(steps[0])

    @precondition(lambda self: len(self.orders) < 3)
    @rule(lines=st.dictionaries(st.sampled_from(SKUS), st.integers(1, 3), min_size=1), declined=st.integers(0, 4))
    def place(self, lines: dict[str, int], declined: int) -> None:
        order_id = str(UUID(int=0xABC000 + len(self.orders)))
        self.orders.append(order_id)
        token = "tok_visa" if declined else "tok_declined"
        self._ask(order(*lines.items(), token=token, order_id=order_id))

    @precondition(lambda self: self.orders)
    @rule(which=few)
    def cancel(self, which: int) -> None:
        self._ask(CancelOrder(order_id=self._order(which)))

    @precondition(lambda self: self.orders)
    @rule(which=few)
    def ship_and_deliver(self, which: int) -> None:
        self._ask(ShipOrder(order_id=self._order(which)))
        self._ask(DeliverOrder(order_id=self._order(which)))

    @precondition(lambda self: self.orders)
    @rule(which=few, amount=st.sampled_from([None, 100, 250]))
    def refund(self, which: int, amount: int | None) -> None:
        refund_id = str(UUID(int=0xDEF000 + len(self.asked)))
        self._ask(RefundPayment(order_id=self._order(which), refund_id=refund_id, amount=amount))

    @rule(sku=st.sampled_from(SKUS), quantity=st.integers(1, 3), how=few)
    def change_stock(self, sku: str, quantity: int, how: int) -> None:
        changes: tuple[Command, ...] = (
            ReceiveStock(sku=sku, quantity=quantity),
            CountStock(sku=sku, quantity=quantity),
            AdjustStock(sku=sku, delta=-quantity, reason="breakage"),
            ReceiveStock(sku=sku, quantity=quantity, location="annex"),
            TransferStock(sku=sku, quantity=quantity, source="annex", target="main"),
            TransferStock(sku=sku, quantity=quantity, source="main", target="annex"),
        )
        self._ask(changes[how % len(changes)])

    @rule(which=any_one)
    def ask_again(self, which: int) -> None:
        command_id = self.asked[which % len(self.asked)]
        self.saga.ask(self.saga.sent[command_id], command_id)

    @rule(which=st.lists(any_one, min_size=1, max_size=12))
    def go_on(self, which: list[int]) -> None:
        for n in which:
            if steps := self.saga.untimed():
                self.saga.do(steps[n % len(steps)])

    @rule(batch=st.integers(1, 4))
    def go_on_in_order(self, batch: int) -> None:
        self.saga.batch = batch
        for _ in range(15):
            if steps := self.saga.untimed():
                self.saga.do(steps[0])

    @precondition(lambda self: self.saga.deadlines())
    @rule(which=any_one)
    def run_out_of_time(self, which: int) -> None:
        event("a deadline passes")
        deadlines = self.saga.deadlines()
        self.saga.do(deadlines[which % len(deadlines)])

    @precondition(lambda self: any(step.what in ("ask", "answer") for step in self.saga.untimed()))
    @rule(which=any_one)
    def lose_an_answer(self, which: int) -> None:
        event("an answer is lost")
        steps = [step for step in self.saga.untimed() if step.what in ("ask", "answer")]
        self.saga.lose(steps[which % len(steps)])

    @rule(context=st.sampled_from(CONTEXTS), p=few)
    def crash(self, context: str, p: int) -> None:
        self.saga.crash(context, p)

    @rule(context=st.sampled_from(CONTEXTS))
    def forget_what_was_heard(self, context: str) -> None:
        self.saga.forget(context)

    @precondition(lambda self: self.saga.deposed)
    @rule(which=any_one, count=st.integers(1, 3))
    def wake_a_deposed_owner(self, which: int, count: int) -> None:
        if self.saga.wake(which % len(self.saga.deposed), count):
            event("a deposed owner writes")

    @invariant()
    def laws_that_hold_at_any_time_hold(self) -> None:
        facts = self.saga.facts
        for law in ALWAYS:
            law(facts)

    @invariant()
    def the_provider_has_taken_at_most_once_and_given_back_no_more(self) -> None:
        for order_id in self.orders:
            taken, given = (self.saga.till.ledger(order_id, step) for step in ("capture", "refund"))
            assert len(self.saga.till.ledger(order_id, "authorize")) <= 1
            assert len(taken) <= 1, f"{order_id}: {taken}"
            assert sum(given) <= sum(taken), f"{order_id}: {taken} {given}"

    def teardown(self) -> None:
        """Whatever is under way comes to its end, and then all laws hold."""
        while steps := self.saga.untimed():
            self.saga.do(steps[0])
        facts = self.saga.facts
        assert not facts.chronicle.open()
        laws.check(facts)
        for status, n in Counter(str(state.status.value) for _, state in facts.orders()).items():
            event(f"{status}: {n}")


def lived(examples: int, steps: int) -> Any:
    """So many lives of so many steps at most, always the same ones."""
    return settings(
        max_examples=examples,
        stateful_step_count=steps,
        derandomize=True,
        deadline=None,
        database=None,
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
    )


TestOrderLife = OrderLife.TestCase
TestOrderLife.settings = lived(30, 40)

"""Bugs in the rules and where the outside is met: before each is put in, all is right; after, it is wrong."""

from typing import Any

import pytest

from aggregates import payment as payments
from aggregates.reservation import decider as reservations
from events.order import OrderRejected
from events.outcome import RecordParked
from projections import journals
from projections.recorded import Effective
from schemas.order import OrderLine
from schemas.payment import CancelPayment
from schemas.product import ReleaseReservation, ReserveStock
from tests.aggregates.desk import Desk, incoming
from tests.builders import order, payment, product
from tests.builders.values import EMAIL, FIGS, HOLD, OVERDUE, A
from tests.faults.bugs.conftest import Break
from tests.spec import Spec
from tests.workers.test_reactor import record
from workers import product as reactions
from workers.caller import Answer, Caller
from workers.mail import InProcessMailbox
from workers.payment import effects
from workers.provider_http import HttpProvider
from workers.provider_twin import InProcessProvider

pytestmark = pytest.mark.anyio


def test_oversell(put_in: Break) -> None:
    def reserved() -> str:
        shelf = Spec(reservations(HOLD)).given(product.listed(), product.received(1))
        return shelf.ask(ReserveStock(order_id=A, partition=0, items=product.items((FIGS, 2))))[-1].tag

    assert reserved() == "reservation.refused.v1"
    put_in("oversell")
    assert reserved() == "reservation.made.v1"


def test_release_twice(put_in: Break) -> None:
    def released() -> list[int]:
        held = [product.listed(), product.received(5), product.stock_reserved(2), product.made((FIGS, 2))]
        shelf = Spec(reservations(HOLD)).given(*held)
        [row] = [row for row in reactions.REACTIONS if row.event is OrderRejected]
        asked = [command for command in row.react(order.rejected()) if command.shelf == product.SHELF]
        assert all(isinstance(command, ReleaseReservation) for command in asked)
        return [len(shelf.ask(command)) for command in asked]

    assert released() == [2]
    put_in("release-twice")
    assert released() == [2, 2]


def test_stock_never_released(put_in: Break) -> None:
    assert OrderRejected in [row.event for row in reactions.REACTIONS]
    put_in("stock-never-released")
    assert OrderRejected not in [row.event for row in reactions.REACTIONS]


def test_no_refund(put_in: Break) -> None:
    def cancelled() -> list[str]:
        history = [payment.requested(), payment.authorized(), payment.capture_requested(), payment.captured()]
        paid = Spec(payments.decider(OVERDUE)).given(*history)
        return [event.tag for event in paid.ask(CancelPayment(order_id=A))]

    assert cancelled() == ["payment.cancelled.v1", "payment.refund_requested.v1"]
    put_in("no-refund")
    assert cancelled() == ["payment.cancelled.v1"]


def test_price_as_float(put_in: Break) -> None:
    def total() -> str:
        desk = Desk()
        desk.stage(incoming(order.place(lines=(OrderLine(sku=FIGS, quantity=1, unit_price=29),))))
        [(_, body)] = desk.recorded
        return body.decode().partition('"total":')[2].partition("}")[0].partition(",")[0]

    assert total() == "29"
    put_in("price-as-float")
    assert total() == "28.0"


async def test_provider_key_random(put_in: Break, monkeypatch: pytest.MonkeyPatch) -> None:
    keys: list[str] = []

    async def send(_: Caller, path: str, key: str, body: bytes) -> Answer:
        keys.append(key)
        return Answer(200, "", b'{"id": "auth_1", "amount": 850, "currency": "EUR"}')

    monkeypatch.setattr(Caller, "_send", send)

    async def ask(provider: Any, times: int = 2) -> None:
        state = payments.evolve(payments.Payment(), payment.requested())
        for _ in range(times):
            await effects(provider)["authorize"](f"payment-{A}", state, payments.todos(state)[0])

    over_http, twin = HttpProvider("http://provider.example"), InProcessProvider()
    await ask(over_http)
    await ask(twin)
    assert len(set(keys)) == len(twin._held) == 1
    put_in("provider-key-random")
    await ask(over_http)
    await ask(twin)
    assert len(set(keys)) == len(twin._held) == 3
    await over_http.aclose()


async def test_mail_id_random(put_in: Break) -> None:
    async def kept() -> int:
        mailbox = InProcessMailbox()
        for _ in range(2):
            await mailbox.deliver("n-1", EMAIL, "order_delivered", {"order_id": A})
        return len(mailbox.letters)

    assert await kept() == 1
    put_in("mail-id-random")
    assert await kept() == 2


def test_poison_skipped(put_in: Break) -> None:
    poison = incoming(None, why="no JSON")
    unread = Effective(record(order.placed()), None, None, "a header is missing")
    assert [type(event) for event in Desk().stage(poison)] == [RecordParked]
    assert journals._dead_letter("order.events", 0, unread) is not None
    put_in("poison-skipped")
    assert Desk().stage(poison) == []
    assert journals._dead_letter("order.events", 0, unread) is None

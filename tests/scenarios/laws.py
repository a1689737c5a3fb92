"""Laws are what must hold of every saga, whatever went wrong on the way; each is one function."""

from collections import Counter, defaultdict
from collections.abc import Iterator
from typing import Any, NamedTuple

from aggregates.order import OVER
from aggregates.order import Status as Order
from aggregates.payment import Status as Payment
from aggregates.repository import LOCAL
from aggregates.reservation import Status as Reservation
from events import notification, order, payment, product, user
from events.event import Event
from events.letter import LetterParked
from events.outcome import CommandRejected, CommandUnchanged, RecordParked
from schemas.values import Command
from tests.scenarios.chronicle import Chronicle
from tests.scenarios.till import Till
from workers.mail import InProcessMailbox

MILESTONES: dict[type[Event], str] = {
    order.OrderConfirmed: "order_confirmed",
    order.OrderRejected: "order_rejected",
    order.OrderCancelled: "order_cancelled",
    order.OrderLineCancelled: "order_line_cancelled",
    order.OrderPartlyShipped: "order_partly_shipped",
    order.OrderReturnRequested: "order_return_requested",
    order.OrderReturnReceived: "order_return_received",
    order.OrderShipped: "order_shipped",
    order.OrderDelivered: "order_delivered",
    payment.PaymentRefunded: "payment_refunded",
    payment.CardAwaited: "card_awaited",
    user.UserRegistered: "welcome",
    user.VerificationRequested: "verify_email",
    user.RegistrationRepeated: "account_exists",
    user.ResetRequested: "password_reset",
    user.PasswordChanged: "password_changed",
    user.SessionRevoked: "session_revoked",
    user.UserDeleted: "account_deleted",
}
OF_PAYMENT = (payment.PaymentRefunded, payment.CardAwaited)
AT_MOST_ONCE = (
    order.OrderPlaced, order.OrderStockSecured, order.OrderConfirmed, order.OrderRejected, order.OrderCancelled,
    order.OrderShipped, order.OrderDelivered,
    product.ReservationMade, product.ReservationRefused, product.ReservationCommitted,
    product.ReservationLapsed, product.ReservationShipped,
    payment.PaymentRequested, payment.PaymentDeclined, payment.PaymentLapsed, payment.PaymentCancelled,
    payment.VoidRequested, payment.PaymentVoided,
    payment.RenewalRequested, payment.RenewalDeclined, payment.CaptureAwaited, payment.PaymentGivenUp,
    notification.NotificationRequested, notification.NotificationDelivered, notification.NotificationRefused,
    notification.NotificationRouted, notification.NotificationSuppressed,
)  # fmt: skip
ENDS = (product.ReservationRefused, product.ReservationReleased, product.ReservationLapsed, product.ReservationShipped)
OUTCOMES = (CommandRejected, CommandUnchanged, RecordParked, LetterParked)


class Facts(NamedTuple):
    """What a test knows at its end; `sent` are the client's commands by id."""

    chronicle: Chronicle
    till: Till
    mailbox: InProcessMailbox
    sent: dict[str, Command]

    def orders(self) -> Iterator[tuple[str, Any]]:
        """Every order of this test, with its id."""
        for stream, state in self.chronicle.states("order").items():
            yield stream.removeprefix("order-"), state


def every_order_is_settled_in_one_final_state(facts: Facts) -> None:
    for order_id, state in facts.orders():
        assert state.status not in (Order.PLACED, Order.SECURED), f"{order_id} is {state.status}"
        tags = [tag for tag in facts.chronicle.tags(f"order-{order_id}") if tag != order.OrderNoted.tag]
        ends = [tag for tag in tags if tag in (order.OrderRejected.tag, order.OrderCancelled.tag)]
        assert tags[0] == order.OrderPlaced.tag
        assert ends == tags[-1:] if ends else tags.count(order.OrderConfirmed.tag) == 1, tags


def no_shelf_is_ever_oversold(facts: Facts) -> None:
    there: Counter[tuple[str, str]] = Counter()
    held: Counter[str] = Counter()
    for told in facts.chronicle.told:
        match told.event:
            case product.StockReceived(sku=sku, quantity=n, location=where):
                there[sku, where] += n
            case product.StockAdjusted(sku=sku, delta=n, location=where):
                there[sku, where] += n
            case product.StockCounted(sku=sku, quantity=n, location=where):
                there[sku, where] = n
            case product.StockTransferred(sku=sku, quantity=n, source=source, target=target):
                there[sku, source] -= n
                there[sku, target] += n
            case product.StockReserved(sku=sku, quantity=n):
                held[sku] += n
            case product.StockReleased(sku=sku, quantity=n):
                held[sku] -= n
            case product.StockShipped(sku=sku, quantity=n, taken=taken):
                there.subtract({(sku, part.location): part.quantity for part in taken} or {(sku, "main"): n})
                held[sku] -= n
            case _:
                continue
        of_sku = [n for (name, _), n in there.items() if name == sku]
        assert min(of_sku, default=0) >= 0, f"{sku}: {there} at {told.place}"
        assert 0 <= held[sku] <= sum(of_sku), f"{sku}: {held[sku]} held of {sum(of_sku)} at {told.place}"


def held_stock_is_what_open_reservations_hold(facts: Facts) -> None:
    held: Counter[str] = Counter()
    for state in facts.chronicle.states("reservation").values():
        held.update(dict(state.items))
    for stream, state in facts.chronicle.states("product").items():
        assert state.held == held[stream.removeprefix("product-")], stream


def a_confirmed_order_holds_its_goods_and_any_other_holds_none(facts: Facts) -> None:
    for order_id, state in facts.orders():
        held: Counter[str] = Counter()
        for stream, reservation in facts.chronicle.states("reservation").items():
            if stream.endswith(order_id):
                assert reservation.status in (Reservation.COMMITTED, Reservation.EMPTY, Reservation.OVER), stream
                held.update(dict(reservation.items))
        wanted: Counter[str] = Counter()
        if state.status in (Order.CONFIRMED, Order.PARTIALLY_SHIPPED):
            wanted = _ordered(facts, order_id) - _sent(facts, order_id)
            assert not state.uncommitted, order_id
        assert held == wanted, f"{order_id} is {state.status}, and holds {held}"


def an_order_owes_what_was_kept(facts: Facts) -> None:
    ours = {event.cancellation_id for event in facts.chronicle.of(order.OrderLineCancelled)}
    ours |= {event.return_id for event in facts.chronicle.of(order.OrderReturnReceived)}
    goodwill: Counter[str] = Counter()
    for refund in facts.chronicle.of(payment.RefundRequested):
        asked = refund.reason != "order cancelled" and refund.refund_id not in ours
        goodwill[refund.order_id] += refund.amount if asked else 0
    for order_id, state in facts.orders():
        if _status(facts, order_id) is Payment.REFUSED:
            continue  # a person must look
        owed = 0 if state.status in OVER else max(0, _owed(facts, order_id, state) - goodwill[order_id])
        owed -= _unpaid(facts, order_id)
        assert _recorded(facts, order_id) == _moved(facts, order_id) == owed, f"{order_id} is {state.status}"


def the_provider_moved_money_once_and_left_none_on_hold(facts: Facts) -> None:
    for order_id, state in facts.orders():
        ledger = {step: facts.till.ledger(order_id, step) for step in ("authorize", "capture", "void")}
        strays = _count(facts, payment.StrayAuthorized, order_id)
        gone = _count(facts, payment.AuthorizationExpired, order_id)
        parts = _count(facts, payment.ShipmentCaptureRequested, order_id)
        most = {"authorize": 1 + strays + gone, "capture": max(1, parts), "void": 1 + strays}
        assert all(len(moves) <= most[step] for step, moves in ledger.items()), f"{order_id}: {ledger}"
        if _status(facts, order_id) is not Payment.REFUSED:
            taken = _taken_of_the_held(facts, order_id)
            held = len(ledger["authorize"]) - taken - len(ledger["void"]) - gone
            assert held == (_is_open(state) and not taken), f"{order_id}: {ledger}"
        if state.status not in OVER and not _count(facts, payment.PaymentGivenUp, order_id):
            assert len(ledger["capture"]) == max(parts, not state.per_shipment), order_id
    moved = [move for move in facts.till.moves.values() if move.step == "capture"]
    assert facts.till.inner.captured == sum(move.amount for move in moved)


def no_more_comes_back_than_was_sent(facts: Facts) -> None:
    for order_id, _ in facts.orders():
        accepted: Counter[str] = Counter()
        for event in facts.chronicle.of(order.OrderReturnReceived):
            if event.order_id == order_id:
                for item in event.items:
                    accepted[item.sku] += item.quantity if item.accepted else 0
        assert accepted <= _sent(facts, order_id), f"{order_id}: {accepted} came back"


def what_is_restocked_is_on_its_shelf_once(facts: Facts) -> None:
    good: Counter[tuple[str, str]] = Counter()
    received: Counter[tuple[str, str]] = Counter()
    for told in facts.chronicle.told:
        match told.event:
            case order.OrderReturnReceived(items=items):
                for item in items:
                    good[told.envelope.correlation, item.sku] += item.quantity if item.verdict == "restock" else 0
            case product.StockReceived(sku=sku, quantity=quantity):
                received[told.envelope.correlation, sku] += quantity
    assert all(received[key] == quantity for key, quantity in good.items()), (good, received)


def what_happens_once_happens_once(facts: Facts) -> None:
    counted = Counter((t.envelope.subject, type(t.event)) for t in facts.chronicle.told)
    twice = [key for key, n in counted.items() if n > 1 and key[1] in AT_MOST_ONCE]
    assert not twice, twice
    for (stream, kind), n in counted.items():
        if kind in (payment.PaymentAuthorized, payment.CaptureRequested):
            assert n <= 1 + counted[stream, payment.AuthorizationExpired], (stream, kind)
        if kind is payment.PaymentCaptured:
            assert n <= max(1, counted[stream, payment.ShipmentCaptureRequested]), stream
    for stream in facts.chronicle.states("reservation"):
        ends = [event for event in facts.chronicle.history(stream) if isinstance(event, ENDS) and not _of_part(event)]
        assert len(ends) <= 1, stream
    for refunds in _refunds(facts).values():
        assert all(n == 1 for n in Counter(refunds).values()), refunds
    reserved = Counter((e.sku, e.order_id) for e in facts.chronicle.of(product.StockReserved))
    gone: Counter[tuple[str, str]] = Counter()
    for e in facts.chronicle.of(product.StockReleased, product.StockShipped):
        gone[e.sku, e.order_id] += e.quantity
    added = facts.chronicle.of(order.OrderAmended)
    asked = Counter((item.sku, event.order_id) for event in added for item in event.added)
    assert all(n <= 1 + asked[key] for key, n in reserved.items())
    taken: Counter[tuple[str, str]] = Counter()
    for e in facts.chronicle.of(product.StockReserved):
        taken[e.sku, e.order_id] += e.quantity
    assert all(n <= taken[key] for key, n in gone.items()), "more was released or shipped than was reserved"


def versions_have_no_gaps(facts: Facts) -> None:
    versions: defaultdict[str, list[int]] = defaultdict(list)
    for told in facts.chronicle.told:
        if told.envelope.version:
            versions[told.envelope.subject].append(told.envelope.version)
    for stream, seen in versions.items():
        assert seen == list(range(1, len(seen) + 1)), f"{stream}: {seen}"


def every_command_has_one_outcome(facts: Facts) -> None:
    for command_id, what in facts.chronicle.expected.items():
        outcome = facts.chronicle.outcomes[command_id]
        ids = [told.envelope.id for told in outcome]
        assert ids, f"{what} has none"
        assert len(set(ids)) == len(ids), f"{what} was handled twice: {[t.envelope.type for t in outcome]}"
        assert len(ids) == 1 or not any(isinstance(told.event, OUTCOMES) for told in outcome), what
        offsets = [told.offset for told in outcome]
        assert offsets == list(range(offsets[0], offsets[0] + len(offsets))), f"{what} was not one commit"


def every_milestone_is_told_once(facts: Facts) -> None:
    owed = Counter(
        (f"order-{event.order_id}" if kind in OF_PAYMENT else event.stream, template)
        for kind, template in MILESTONES.items()
        for event in facts.chronicle.of(kind)
    )
    asked = facts.chronicle.of(notification.NotificationRequested)
    assert Counter((event.about, event.template) for event in asked) == owed
    delivered = facts.chronicle.of(notification.NotificationDelivered)
    ways = [(e.notification_id, e.way) for e in facts.chronicle.of(notification.NotificationSent)]
    assert len(set(ways)) == len(ways), "a way was gone twice"
    mailed = [*(e.notification_id for e in delivered), *(name for name, way in ways if way == "email")]
    unwanted = [e.notification_id for e in facts.chronicle.of(notification.NotificationSuppressed)]
    assert sorted([*mailed, *unwanted]) == sorted(e.notification_id for e in asked)
    assert all(len(facts.mailbox.of(name)) == 1 for name in mailed)


def one_request_is_behind_every_event(facts: Facts) -> None:
    requests: defaultdict[str, set[str]] = defaultdict(set)
    for command_id, command in facts.sent.items():
        requests[getattr(command, "order_id", "")].add(command_id)
    for told in facts.chronicle.told:
        envelope = told.envelope
        assert envelope.origin == LOCAL or envelope.causation in facts.chronicle.expected, envelope
        if (order_id := getattr(told.event, "order_id", None)) is not None:
            assert envelope.correlation in requests[order_id], f"{envelope} is behind no request"


LAWS = (
    every_order_is_settled_in_one_final_state,
    no_shelf_is_ever_oversold,
    held_stock_is_what_open_reservations_hold,
    a_confirmed_order_holds_its_goods_and_any_other_holds_none,
    an_order_owes_what_was_kept,
    the_provider_moved_money_once_and_left_none_on_hold,
    no_more_comes_back_than_was_sent,
    what_is_restocked_is_on_its_shelf_once,
    what_happens_once_happens_once,
    versions_have_no_gaps,
    every_command_has_one_outcome,
    every_milestone_is_told_once,
    one_request_is_behind_every_event,
)


def check(facts: Facts) -> None:
    """All laws."""
    for law in LAWS:
        law(facts)


def _ordered(facts: Facts, order_id: str) -> Counter[str]:
    """How many of each SKU were ordered, or amended, and not called off after that."""
    found: Counter[str] = Counter()
    for event in facts.chronicle.history(f"order-{order_id}"):
        match event:
            case order.OrderPlaced(lines=lines) | order.OrderAmended(lines=lines):
                found = Counter()
                for line in lines:
                    found[line.sku] += line.quantity
            case order.OrderLineCancelled(sku=sku, quantity=quantity):
                found[sku] -= quantity
    return found


def _of_part(event: Event) -> bool:
    """Whether it tells of the last part of a reservation, which may be had anew."""
    return isinstance(event, product.ReservationReleased) and bool(event.part_id)


def _sent(facts: Facts, order_id: str) -> Counter[str]:
    """How many of each SKU have left the house."""
    found: Counter[str] = Counter()
    for event in facts.chronicle.of(order.OrderPartlyShipped, order.OrderShipped):
        if event.order_id == order_id:
            found.update({item.sku: item.quantity for item in event.items})
    return found


def _comes_to(facts: Facts, order_id: str) -> int:
    """What was ordered less what was called off by line or taken back, at the prices and taxes that were asked."""
    total = 0
    for event in facts.chronicle.history(f"order-{order_id}"):
        match event:
            case order.OrderPlaced(total=asked) | order.OrderAmended(total=asked):
                total = asked
            case order.OrderLineCancelled(amount=less) | order.OrderReturnReceived(amount=less):
                total -= less
    return total


def _count(facts: Facts, kind: type[Event], order_id: str) -> int:
    """How many events of a kind are about an order."""
    return sum(event.order_id == order_id for event in facts.chronicle.of(kind))


def _taken_of_the_held(facts: Facts, order_id: str) -> bool:
    """Whether anything was taken of what is held."""
    money = (payment.PaymentAuthorized, payment.PaymentCaptured, payment.AuthorizationExpired)
    told = [event for event in facts.chronicle.of(*money) if event.order_id == order_id]
    return bool(told) and isinstance(told[-1], payment.PaymentCaptured)


def _unpaid(facts: Facts, order_id: str) -> int:
    """What is owed for goods whose money could not be had."""
    found = facts.chronicle.states("payment").get(f"payment-{order_id}")
    return max(0, found.outstanding) if found and found.given_up else 0


def _is_open(state: Any) -> bool:
    """Whether money is still to be taken for what is to be shipped."""
    return bool(state.per_shipment and state.status in (Order.CONFIRMED, Order.PARTIALLY_SHIPPED))


def _owed(facts: Facts, order_id: str, state: Any) -> int:
    """What the order comes to; where money is taken per shipment, and something is to go, what was charged for."""
    if not _is_open(state):
        return _comes_to(facts, order_id)
    shipped = facts.chronicle.of(order.OrderPartlyShipped)
    back = facts.chronicle.of(order.OrderReturnReceived)
    charged = sum(event.charge for event in shipped if event.order_id == order_id)
    return int(charged - sum(event.amount for event in back if event.order_id == order_id))


def _status(facts: Facts, order_id: str) -> Payment:
    found = facts.chronicle.states("payment").get(f"payment-{order_id}")
    return found.status if found else Payment.UNKNOWN


def _recorded(facts: Facts, order_id: str) -> int:
    """Captured less refunded, as our own log has it."""
    chronicle = facts.chronicle
    taken = [int(e.amount) for e in chronicle.of(payment.PaymentCaptured) if e.order_id == order_id]
    given = [int(e.amount) for e in chronicle.of(payment.PaymentRefunded) if e.order_id == order_id]
    return sum(taken) - sum(given)


def _moved(facts: Facts, order_id: str) -> int:
    """The same, as the provider has it."""
    return sum(facts.till.ledger(order_id, "capture")) - sum(facts.till.ledger(order_id, "refund"))


def _refunds(facts: Facts) -> dict[str, list[str]]:
    refunds: dict[str, list[str]] = {"asked": [], "given": []}
    for event in facts.chronicle.of(payment.RefundRequested, payment.PaymentRefunded):
        if isinstance(event, payment.RefundRequested):
            refunds["asked"].append(event.refund_id)
        else:
            refunds["given"].append(f"{event.refund_id}/{event.piece}")
    return refunds

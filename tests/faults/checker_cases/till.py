"""Till is how money travels on paper: asked for, held, taken, given back, and what the read model shows of it."""

from typing import Any

from tests.faults.checker_cases.desk import Desk
from tests.faults.checker_cases.paper import Event, New, uuid

PRICE = 100


class Till(Desk):
    """A desk with the payment provider beside it."""

    def request_payment(self, order: str) -> None:
        """The provider is to be asked."""
        row, stream = self.orders[order], f"payment-{order}"
        body = {
            "order_id": order,
            "amount": row["total"],
            "currency": "EUR",
            "token": "tok_visa",
            "email": row["email"],
        }
        allowed, due = self.allowed[order], self.time()
        body |= {"attempts": allowed} if allowed > 1 else {}
        body |= {"capture": "per_shipment"} if order in self.in_parts else {}
        news = ("payment.requested.v1", stream, {**body, "due_at": due})
        [event] = self.react(self.last[order]["secured"], "payment", "payment.request", stream, body, news)
        self.payments[order] = {
            "order_id": order, "status": "requested", "reason": "", "currency": "EUR", "amount": row["total"],
            "captured": 0, "refunded": 0, "refunds": {}, "reduced": 0, "reference": "", "requested_at": event.time,
            "due_at": due, "expires_at": None, "attempts_left": allowed - 1,
            "attempts": [_asked(1, row["total"], event)], "captures": [], "closed": False,
            "capture": "per_shipment" if order in self.in_parts else "at_confirmation",
        }  # fmt: skip
        self._touch(self.payments[order], event)

    def authorize(self, order: str, *then: New) -> None:
        """The provider says yes."""
        row, amount = self.payments[order], self.payments[order]["attempts"][-1]["amount"]
        reference = self.provide(order, "authorize", amount)
        said = {"order_id": order, "reference": reference, "amount": amount, "currency": "EUR"}
        events = self.owner("payment", f"payment-{order}", ("payment.authorized.v1", f"payment-{order}", said), *then)
        status = "voiding" if then else "partially_captured" if row["captured"] else "authorized"
        self._touch(row, events[-1], status=status, reference=reference)
        self._came_of(order, events[0], "authorized")
        self.last[order]["authorized"] = events[0]

    def decline(self, order: str) -> None:
        """The provider says no, and another card is awaited."""
        row, stream = self.payments[order], f"payment-{order}"
        self.refuse(order, "authorize", row["attempts"][-1]["amount"], "card_declined")
        said = {"order_id": order, "attempt": len(row["attempts"]), "reason": "card_declined"}
        wanted = {"order_id": order, "attempt": len(row["attempts"]), "email": self.orders[order]["email"]}
        left = row["attempts_left"] or 1
        wanted |= {"amount": _outstanding(row), "currency": "EUR", "due_at": row["due_at"], "attempts_left": left}
        no, event = self.owner(
            "payment", stream, ("payment.attempt_declined.v1", stream, said),
            ("payment.card_awaited.v1", stream, wanted),
        )  # fmt: skip
        self._touch(row, event, status="awaiting_method", reason="card_declined", attempts_left=left)
        self._came_of(order, no, "declined", "card_declined")
        self.mail(event, order, "card_awaited", str(len(row["attempts"])))

    def try_again(self, order: str) -> None:
        """The customer names another card."""
        row, stream, number = self.payments[order], f"payment-{order}", len(self.payments[order]["attempts"]) + 1
        said = {"order_id": order, "attempt_id": uuid(f"{order}/attempt/{number}"), "attempt": number}
        amount = _outstanding(row)
        said |= {"token": "tok_other", "amount": amount}
        [event] = self.client(
            "attempt", order, f"/payments/{order}/attempts", {"payment_token": "tok_other"}, "payment",
            "payment.attempt", stream, ("payment.attempted.v1", stream, said),
        )  # fmt: skip
        attempts = [*row["attempts"], _asked(number, amount, event)]
        self._touch(
            row, event, status="requested", reason="", attempts=attempts, attempts_left=row["attempts_left"] - 1
        )

    def lose(self, order: str, attempt: int) -> None:
        """The provider holds money after all for an attempt that it had declined; it is let go."""
        row, stream = self.payments[order], f"payment-{order}"
        reference = self.provide(order, "authorize", row["amount"])
        said = {"order_id": order, "attempt": attempt, "reference": reference}
        [event] = self.owner("payment", stream, ("payment.stray_authorized.v1", stream, said))
        self._touch(row, event)
        self.provide(order, "void", row["amount"])
        said = {"order_id": order, "reference": reference}
        [event] = self.owner("payment", stream, ("payment.stray_voided.v1", stream, said))
        self._touch(row, event)

    def _came_of(self, order: str, event: Event, status: str, reason: str = "") -> None:
        *before, last = self.payments[order]["attempts"]
        told = {"status": status, "reason": reason, "answered_at": event.time}
        self.payments[order]["attempts"] = [*before, {**last, **told}]

    def _owe_less(self, order: str, event: Event, amount: int, which: str, reason: str = "line cancelled") -> None:
        """The provider captures so much less, or gives it back."""
        row, stream = self.payments[order], f"payment-{order}"
        taken = row["status"] == "captured" or (order in self.in_parts and reason == "items returned")
        said = {"order_id": order, "refund_id": which, "amount": amount, "reason": reason}
        kind = "payment.refund_requested.v1" if taken else "payment.reduced.v1"
        [asked] = self.react(event, "payment", "payment.reduce", stream, said, (kind, stream, said))
        self._touch(row, asked, reason=reason, reduced=row["reduced"] + (0 if taken else amount))
        if taken:
            self.give_back(order, which, amount)

    def _charge(self, order: str, items: dict[str, int]) -> dict[str, int]:
        return {"charge": sum(items.values()) * PRICE} if order in self.in_parts else {}

    def _take_part(self, order: str, shipped: Event, final: bool) -> None:
        """What is in a shipment is paid for."""
        if order not in self.in_parts:
            return
        row, stream, body = self.payments[order], f"payment-{order}", shipped.line["value"]
        which, amount = body["shipment_id"], body["charge"]
        said = {"order_id": order, "shipment_id": which, "amount": amount}
        news = ("payment.shipment_capture_requested.v1", stream, {**said, "final": final})
        [asked] = self.react(shipped, "payment", "payment.capture_shipment", stream, said, news)
        reference = self.provide(order, "capture", amount)
        told = {**said, "reference": reference, "currency": "EUR"}
        [event] = self.owner("payment", stream, ("payment.captured.v1", stream, told))
        part = {"shipment_id": which, "amount": amount, "asked_at": asked.time, "captured_at": event.time}
        done = {"status": "captured" if final else "partially_captured", "closed": final, "reference": reference}
        self._touch(row, event, **done, captured=row["captured"] + amount, captures=[*row["captures"], part])

    def lose_hold(self, order: str) -> int:
        """The provider forgets what it held, and is asked to hold what is still to be taken."""
        row, stream = self.payments[order], f"payment-{order}"
        due, number = _outstanding(row), len(row["attempts"]) + 1
        held = [entry for entry in self.ledger if (entry["reference"], entry["operation"]) == (order, "authorize")]
        gone = {"order_id": order, "reference": held[-1]["id"], "final": False}
        again = {"order_id": order, "attempt": number, "amount": due}
        [_, event] = self.owner(
            "payment", stream, ("payment.authorization_expired.v1", stream, gone),
            ("payment.renewal_requested.v1", stream, again),
        )  # fmt: skip
        attempts = [*row["attempts"], _asked(number, due, event)]
        self._touch(row, event, status="requested", reason="the authorization expired", attempts=attempts)
        return int(due)

    def expire(self, order: str) -> None:
        """What the provider holds no longer it holds again, and it is to be captured."""
        stream, due = f"payment-{order}", self.lose_hold(order)
        said = {"reference": self.provide(order, "authorize", due), "amount": due, "currency": "EUR"}
        held = ("payment.authorized.v1", stream, {"order_id": order, **said})
        [event, _] = self.owner("payment", stream, held, ("payment.capture_requested.v1", stream, {"order_id": order}))
        self._came_of(order, event, "authorized")
        self.react(event, "order", "order.confirm", f"order-{order}", {})

    def _capture(self, order: str, confirmed: Event, late: bool = False) -> None:
        row, stream = self.payments[order], f"payment-{order}"
        if order in self.in_parts:
            self.react(confirmed, "payment", "payment.capture", stream, {})
            return
        news = ("payment.capture_requested.v1", stream, {"order_id": order})
        self.react(confirmed, "payment", "payment.capture", stream, {}, news)
        if late:
            self.expire(order)
        due = row["amount"] - row["reduced"]
        said = {"reference": self.provide(order, "capture", due), "amount": due, "currency": "EUR"}
        [event] = self.owner("payment", stream, ("payment.captured.v1", stream, {"order_id": order, **said}))
        self._touch(row, event, status="captured", captured=due, reference=said["reference"])

    def cancel_payment(self, order: str, because: Event, *news: New) -> list[Event]:
        """The payment hears that the order is off."""
        stream = f"payment-{order}"
        off = ("payment.cancelled.v1", stream, {"order_id": order})
        events = self.react(because, "payment", "payment.cancel", stream, {}, off, *news)
        if order in self.payments:
            self._touch(self.payments[order], events[-1], reason="order off")
        return events

    def compensate(self, order: str, because: Event) -> None:
        """What was captured is given back in full."""
        amount, refund_id = self.payments[order]["captured"], uuid(f"{order}/compensation")
        said = {"order_id": order, "refund_id": refund_id, "amount": amount, "reason": "order cancelled"}
        self.cancel_payment(order, because, ("payment.refund_requested.v1", f"payment-{order}", said))
        self.payments[order]["reason"] = "order cancelled"
        self.give_back(order, refund_id, amount)

    def void(self, order: str) -> None:
        """An authorization is let go."""
        self.provide(order, "void", self.payments[order]["amount"])
        stream = f"payment-{order}"
        [event] = self.owner("payment", stream, ("payment.voided.v1", stream, {"order_id": order}))
        self._touch(self.payments[order], event, status="voided")

    def give_back(self, order: str, refund_id: str, amount: int) -> None:
        """The provider refunds."""
        row, stream = self.payments[order], f"payment-{order}"
        reference, email = self.provide(order, "refund", amount), self.orders[order]["email"]
        said = {"order_id": order, "refund_id": refund_id, "reference": reference, "amount": amount}
        news = ("payment.refunded.v1", stream, {**said, "currency": "EUR", "email": email})
        [event] = self.owner("payment", stream, news)
        row["refunded"] += amount
        self._touch(row, event, status="refunded" if row["refunded"] == row["captured"] else "captured")
        self.mail(event, order, "payment_refunded", refund_id)


def _outstanding(row: dict[str, Any]) -> int:
    """What is still to be taken."""
    return int(row["amount"] - row["reduced"] - row["captured"])


def _asked(number: int, amount: int, event: Event) -> dict[str, Any]:
    asked = {"attempt": number, "amount": amount, "asked_at": event.time}
    return {**asked, "status": "asked", "reason": "", "answered_at": None}

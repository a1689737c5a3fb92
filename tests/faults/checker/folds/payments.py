"""Payments as the log tells of them, step by step, and whether each step was legal."""

from tests.faults.checker.findings import Fact
from tests.faults.checker.folds.orders import Orders, Report
from tests.faults.checker.folds.payment import TAKEN, Payment


class Payments:
    """All payments, by order id; a refund is (amount, reason)."""

    def __init__(self, orders: Orders, report: Report) -> None:
        self.all: dict[str, Payment] = {}
        self._orders, self._report = orders, report

    def apply(self, fact: Fact) -> None:
        """Take an event into account, and say so if it must not have happened."""
        order_id = fact.body["order_id"]
        payment = self.all.get(order_id) or self.all.setdefault(order_id, Payment(order_id))
        step = getattr(self, "_" + fact.kind.split(".")[1])
        if not step(payment, fact):
            off = ", off" if payment.off else ""
            said = f"{fact.kind} of a payment that was {payment.status or 'unknown'}{off}"
            self._report("money.legal_steps", order_id, said, fact)
        payment.updated_at, payment.last = fact.time, fact.timestamp
        payment.partition, payment.version, payment.position = fact.partition, fact.version, fact.offset

    # Each step changes the payment and says whether it was legal.

    def _requested(self, payment: Payment, fact: Fact) -> bool:
        legal = not payment.status and not payment.off
        body = fact.body
        payment.status = payment.shown = "requested"
        payment.amount, payment.currency = body["amount"], body["currency"]
        payment.requested_at, payment.requested = fact.time, fact.timestamp
        payment.allowed, payment.due_at = body.get("attempts", 1), body["due_at"]
        payment.per_shipment = body.get("capture") == "per_shipment"
        self._ask(payment, fact, 1, body["amount"])
        order = self._orders.all.get(payment.order_id)
        if order is None or (
            order.requested, order.currency, order.token, order.attempts, order.per_shipment,
        ) != (payment.amount, payment.currency, body["token"], payment.allowed, payment.per_shipment):  # fmt: skip
            self._report("money.amounts", payment.order_id, f"{payment.amount} requested: not the order's total", fact)
        return legal

    def _authorized(self, payment: Payment, fact: Fact) -> bool:
        legal = payment.status == "requested"
        payment.status = "authorized"
        payment.shown = "partially_captured" if payment.captured_amount else "authorized"
        payment.reference, payment.taken_here = fact.body["reference"], 0
        payment.held.append(payment.reference)
        payment.authorized, payment.expires_at = fact.timestamp, fact.body.get("expires_at")
        self._same_amount(payment, fact, payment.asking)
        self._came_of(payment, fact, "authorized")
        return legal

    def _declined(self, payment: Payment, fact: Fact) -> bool:
        legal = payment.status == "requested" and (
            payment.off or (len(payment.attempts) == payment.allowed and not payment.renewed)
        )
        payment.status = payment.shown = "declined"
        payment.reason, payment.declined = fact.body["reason"], fact.timestamp
        self._came_of(payment, fact, "declined")
        payment.parts = {}
        self._forget_refunds(payment)
        return legal

    def _authorization_expired(self, payment: Payment, fact: Fact) -> bool:
        legal = payment.status in ("authorized", "capturing") and fact.body["reference"] == payment.held[-1]
        legal = legal and fact.body["final"] == (payment.off or (payment.renewed and not payment.sent))
        payment.status = payment.shown = "expired"
        payment.reason, payment.expires_at = "the authorization expired", None
        payment.gone.append(fact.body["reference"])
        if payment.per_shipment:
            if fact.body["final"]:
                payment.parts = {}
                self._forget_refunds(payment)
            return legal
        # What was to be given back of it was never taken.
        payment.reduced += sum(payment.pending.values())
        payment.refunds = {key: each for key, each in payment.refunds.items() if key not in payment.pending}
        payment.pending = {}
        return legal

    def _forget_refunds(self, payment: Payment) -> None:
        """What was never taken is not given back."""
        if not payment.captured_amount:
            payment.refunds = {key: each for key, each in payment.refunds.items() if key not in payment.pending}
            payment.pending = {}

    def _renewal_requested(self, payment: Payment, fact: Fact) -> bool:
        legal = payment.status == "expired" and not payment.off and not payment.renewed
        payment.status = payment.shown = "requested"
        payment.renewed, payment.allowed = True, payment.allowed + 1
        if fact.body["amount"] != payment.outstanding:
            said = f"the card is asked for {fact.body['amount']} again, and {payment.outstanding} are owed"
            self._report("money.amounts", payment.order_id, said, fact)
        self._ask(payment, fact, fact.body["attempt"], fact.body["amount"])
        return legal and fact.body["attempt"] == len(payment.attempts)

    def _renewal_declined(self, payment: Payment, fact: Fact) -> bool:
        legal = payment.status == "requested" and payment.renewed and not payment.off
        payment.status = payment.shown = "declined"
        payment.reason, payment.declined = fact.body["reason"], fact.timestamp
        self._came_of(payment, fact, "declined")
        payment.parts = {}
        self._forget_refunds(payment)
        return legal

    def _capture_awaited(self, payment: Payment, _: Fact) -> bool:
        legal = payment.status == "requested" and payment.renewed and not payment.wanted
        payment.wanted = True
        return legal

    def _attempt_declined(self, payment: Payment, fact: Fact) -> bool:
        more = len(payment.attempts) < payment.allowed or (payment.renewed and payment.sent)
        legal = payment.status == "requested" and not payment.off and more
        payment.status = payment.shown = "awaiting_method"
        payment.reason, payment.declined = fact.body["reason"], fact.timestamp
        self._came_of(payment, fact, "declined")
        return legal and fact.body["attempt"] == len(payment.attempts)

    def _card_awaited(self, payment: Payment, fact: Fact) -> bool:
        body = fact.body
        lost = payment.status == "declined" and payment.renewed and not payment.given_up
        legal = (
            (payment.status in ("awaiting_method", "expired") or lost) and not payment.off and body["attempts_left"] > 0
        )
        legal = legal and (payment.sent if payment.renewed else body["due_at"] == payment.due_at)
        payment.status = payment.shown = "awaiting_method"
        payment.due_at, payment.cards_asked = body["due_at"], payment.cards_asked + 1
        payment.allowed = len(payment.attempts) + body["attempts_left"]
        if (body["amount"], body["currency"]) != (payment.outstanding, payment.currency):
            said = f"another card is awaited for {body['amount']}, and {payment.outstanding} are owed"
            self._report("money.amounts", payment.order_id, said, fact)
        return legal and body["attempt"] == len(payment.attempts)

    def _given_up(self, payment: Payment, fact: Fact) -> bool:
        forgone = {each["refund_id"]: each["amount"] for each in fact.body.get("forgone", ())}
        unpaid = sum(amount for amount, _ in payment.parts.values())
        legal = payment.status == "awaiting_method" and payment.renewed and payment.sent and not payment.off
        legal = legal and fact.body["unpaid"] == unpaid >= sum(forgone.values())
        legal = legal and all(payment.pending.get(key, 0) >= amount for key, amount in forgone.items())
        left = {key: amount - forgone.get(key, 0) for key, amount in payment.pending.items()}
        payment.pending = {key: amount for key, amount in left.items() if amount}
        payment.forgone += sum(forgone.values())
        payment.reduced += sum(forgone.values())
        payment.parts, payment.closed, payment.given_up = {}, True, True
        payment.status, payment.reason = "declined" if unpaid else "captured", fact.body["reason"]
        done = "refunded" if payment.refunded == payment.captured_amount else "captured"
        payment.shown = "declined" if unpaid else "refunding" if payment.pending else done
        return legal

    def _attempted(self, payment: Payment, fact: Fact) -> bool:
        legal = payment.status == "awaiting_method" and not payment.off
        payment.status = payment.shown = "requested"
        payment.reason = ""
        if fact.body["amount"] != payment.outstanding:
            said = f"another card is asked for {fact.body['amount']}, and {payment.outstanding} are owed"
            self._report("money.amounts", payment.order_id, said, fact)
        self._ask(payment, fact, fact.body["attempt"], fact.body["amount"])
        return legal and fact.body["attempt"] == len(payment.attempts) <= payment.allowed

    def _stray_authorized(self, payment: Payment, fact: Fact) -> bool:
        reference, attempt = fact.body["reference"], fact.body["attempt"]
        legal = reference not in payment.held and reference not in payment.strays
        payment.strays[reference] = False
        return legal and [each["status"] for each in payment.attempts if each["attempt"] == attempt] == ["declined"]

    def _stray_voided(self, payment: Payment, fact: Fact) -> bool:
        legal = payment.strays.get(fact.body["reference"]) is False
        payment.strays[fact.body["reference"]] = True
        return legal

    def _ask(self, payment: Payment, fact: Fact, attempt: int, amount: int) -> None:
        asked = {"attempt": attempt, "amount": amount, "asked_at": fact.time}
        payment.attempts = [*payment.attempts, {**asked, "status": "asked", "reason": "", "answered_at": None}]

    def _came_of(self, payment: Payment, fact: Fact, status: str) -> None:
        *before, last = payment.attempts
        told = {"status": status, "reason": fact.body.get("reason", ""), "answered_at": fact.time}
        payment.attempts = [*before, {**last, **told}]

    def _over(self, payment: Payment, reason: str, awaiting: str) -> None:
        """No money is to be kept; where another card was awaited, none will be asked for."""
        payment.off, payment.off_while = True, payment.status
        payment.reason = reason
        if payment.status == "awaiting_method":
            payment.status, payment.shown, payment.reason = "declined", "declined", awaiting

    def _lapsed(self, payment: Payment, _: Fact) -> bool:
        legal = payment.status in ("requested", "awaiting_method") and not payment.off
        self._over(payment, "the provider did not answer in time", "no other card was named in time")
        return legal

    def _cancelled(self, payment: Payment, _: Fact) -> bool:
        legal = not payment.off and payment.status not in ("declined", "voided", "expired", "refused")
        self._over(payment, "order off" if payment.known else payment.reason, "order off")
        return legal

    def _capture_requested(self, payment: Payment, fact: Fact) -> bool:
        legal = payment.status == "authorized" and not payment.off
        payment.status = payment.shown = "capturing"
        payment.wanted_capture = fact.timestamp
        return legal

    def _reduced(self, payment: Payment, fact: Fact) -> bool:
        amount = fact.body["amount"]
        open_ = payment.status in ("requested", "awaiting_method", "authorized")
        if payment.per_shipment:
            open_ = open_ or payment.captured_amount > 0 or payment.given_up
        left = payment.due - (payment.charged if payment.per_shipment else 0)
        legal = open_ and not payment.off and 0 < amount <= left
        payment.reduced, payment.reason = payment.reduced + amount, fact.body["reason"]
        self._is_owed_less(payment, fact)
        return legal

    def _shipment_capture_requested(self, payment: Payment, fact: Fact) -> bool:
        body, open_ = fact.body, payment.due - payment.charged
        to_be_held = payment.status in ("requested", "awaiting_method") and payment.renewed
        lost = payment.status == "expired" or (payment.status == "declined" and payment.renewed)
        held = payment.status == "authorized" or to_be_held or (lost and not payment.given_up)
        legal = payment.per_shipment and held and not payment.closed
        known = [each["shipment_id"] for each in payment.captures]
        payment.parts = {**payment.parts, body["shipment_id"]: (body["amount"], body["final"])}
        asked = {"shipment_id": body["shipment_id"], "amount": body["amount"], "asked_at": fact.time}
        payment.captures = [*payment.captures, {**asked, "captured_at": None}]
        payment.closed = payment.closed or body["final"]
        wanted = 0 if payment.off else open_
        if not 0 <= body["amount"] <= wanted or (body["final"] and body["amount"] != wanted):
            self._report("money.amounts", payment.order_id, f"{body['amount']} for a shipment, of {wanted}", fact)
        return bool(legal) and body["shipment_id"] not in known and (not payment.off or body["final"])

    def _part_captured(self, payment: Payment, fact: Fact) -> bool:
        which, amount = fact.body["shipment_id"], fact.body["amount"]
        expected, _ = payment.parts.get(which, (0, False))
        legal = payment.status == "authorized" and which in payment.parts
        self._same_amount(payment, fact, expected)
        payment.parts = {key: part for key, part in payment.parts.items() if key != which}
        payment.captures = [
            {**each, "captured_at": fact.time} if each["shipment_id"] == which else each for each in payment.captures
        ]
        payment.captured_amount += amount
        payment.taken_here += amount
        payment.shown = "partially_captured"
        if payment.closed and not payment.parts:
            payment.status, payment.shown = "captured", "refunding" if payment.pending else "captured"
        return legal

    def _captured(self, payment: Payment, fact: Fact) -> bool:
        payment.reference, payment.captured = fact.body["reference"], fact.timestamp
        payment.captured_references.append(payment.reference)
        if fact.body.get("shipment_id"):
            return self._part_captured(payment, fact)
        legal = payment.status == "capturing"
        payment.status = payment.shown = "captured"
        payment.captured_amount = fact.body["amount"]
        payment.shown = "refunding" if payment.pending else "captured"
        self._same_amount(payment, fact, payment.due)
        return legal

    def _void_requested(self, payment: Payment, _: Fact) -> bool:
        legal = payment.status == "authorized" and payment.off and not payment.parts and not payment.taken_here
        payment.status = payment.shown = "voiding"
        self._forget_refunds(payment)
        return legal

    def _voided(self, payment: Payment, fact: Fact) -> bool:
        legal = payment.status == "voiding"
        payment.status = payment.shown = "voided"
        payment.voided = fact.timestamp
        return legal

    def _refund_requested(self, payment: Payment, fact: Fact) -> bool:
        refund_id, amount = fact.body["refund_id"], fact.body["amount"]
        left = (payment.charged if payment.per_shipment else payment.due) - payment.promised_back
        order = self._orders.all.get(payment.order_id)
        part = order is not None and refund_id in order.parts
        if part:
            self._is_owed_less(payment, fact)
        taken = payment.captured_amount > 0 or (part and payment.parts) if payment.per_shipment else False
        legal = bool(taken) or payment.status in (("captured", "capturing") if part else ("captured",))
        legal = legal and refund_id not in payment.refunds and 0 < amount <= left
        payment.refunds[refund_id] = (amount, fact.body["reason"])
        payment.pending = {**payment.pending, refund_id: amount}
        payment.shown = "refunding" if payment.shown in TAKEN else payment.shown
        payment.reason = fact.body["reason"]
        return legal

    def _refunded(self, payment: Payment, fact: Fact) -> bool:
        refund_id, amount = fact.body["refund_id"], fact.body["amount"]
        left = payment.pending.get(refund_id, 0) - amount
        legal = bool(left >= 0 and amount and fact.body["currency"] == payment.currency)
        legal = legal and (not left or len(payment.gone) > 0)
        payment.given.append((fact.body["reference"], amount))
        payment.refunded += amount
        if left > 0:
            payment.pending = {**payment.pending, refund_id: left}
        else:
            self._answered(payment, refund_id)
        return legal

    def _refused(self, payment: Payment, fact: Fact) -> bool:
        step, _, refund_id = fact.body["step"].partition(":")
        payment.refused.append(fact.body["step"])
        if step == "void" and refund_id:
            legal = payment.strays.get(refund_id) is False
            payment.strays[refund_id] = True  # as far as we are concerned: a person must look
        elif step == "capture" and payment.per_shipment:
            legal = payment.status == "authorized" and refund_id.partition(":")[0] in payment.parts
            payment.status, payment.shown, payment.parts = "refused", "refused", {}
            self._forget_refunds(payment)
        elif step == "refund":
            refund_id = refund_id.partition(":")[0]
            legal = refund_id in payment.pending
            payment.refused_refunds += payment.pending.get(refund_id, 0)
            self._answered(payment, refund_id)
        else:
            legal = payment.status == {"capture": "capturing", "void": "voiding"}.get(step)
            payment.status = payment.shown = "refused"
            payment.pending = {}  # nothing was taken
        payment.reason = f"{fact.body['step']}: {fact.body['reason']}"
        return legal

    def _answered(self, payment: Payment, refund_id: str) -> None:
        payment.pending = {key: amount for key, amount in payment.pending.items() if key != refund_id}
        done = "refunded" if payment.refunded == payment.captured_amount else "captured"
        if payment.shown in TAKEN:
            payment.shown = "refunding" if payment.pending else done

    def _same_amount(self, payment: Payment, fact: Fact, amount: int) -> None:
        if (fact.body["amount"], fact.body["currency"]) != (amount, payment.currency):
            self._report("money.amounts", payment.order_id, f"{fact.kind} of another amount than requested", fact)

    def _is_owed_less(self, payment: Payment, fact: Fact) -> None:
        order = self._orders.all.get(payment.order_id)
        if order is None or fact.body["amount"] > order.parts.get(fact.body["refund_id"], 0):
            self._report("money.amounts", payment.order_id, f"{fact.body['amount']} less, for no reason", fact)

"""Shop plays orders on paper, from the request to the mail, and keeps the read models that follow."""

from typing import Any

from tests.faults.checker_cases.paper import Event, New, home, uuid
from tests.faults.checker_cases.till import PRICE, Till

ADDRESS = {"name": "Ada", "street": "1 Mill Lane", "city": "Springfield", "postal_code": "12345", "country": "US"}


def _told(items: dict[str, int]) -> list[dict[str, Any]]:
    return [{"sku": sku, "quantity": quantity} for sku, quantity in items.items()]


class Shop(Till):
    """A shop with one price for everything."""

    # What customers ask for.

    def list_product(self, sku: str, stock: int) -> None:
        """Offer a product with some stock."""
        offer = {"sku": sku, "name": sku, "description": "", "department": "", "price": PRICE, "currency": "EUR"}
        stream = f"product-{sku}"
        events = self.client(
            "list", sku, "/products", {**offer, "stock": stock}, "product", "product.list", stream,
            ("product.listed.v1", stream, offer), ("stock.received.v1", stream, {"sku": sku, "quantity": stock}),
        )  # fmt: skip
        row = {**offer, "brand": "", "withdrawn": False, "held": 0, "shipped": 0, "threshold": None, "low": False}
        self.products[sku] = {**row, "listed_at": events[0].time, **_stocked(stock)}
        self._touch(self.products[sku], events[-1], available=stock)

    def place(self, order: str, wanted: dict[str, int], attempts: int = 1, in_parts: bool = False) -> bool:
        """Place an order, whose payment may be tried so often, or is taken per shipment; whether all of it is held."""
        lines = [{"sku": sku, "quantity": quantity, "unit_price": PRICE} for sku, quantity in wanted.items()]
        total = sum(wanted.values()) * PRICE
        asked = {"order_id": order, "customer_id": "ada", "email": f"{order[:4]}@example.com", "lines": lines}
        body = {**asked, "currency": "EUR", "shipping_address": ADDRESS, "payment_token": "tok_visa", "total": total}
        body |= {"payment_attempts": attempts} if attempts > 1 else {}
        body |= {"capture": "per_shipment"} if in_parts else {}
        stream = f"order-{order}"
        [placed] = self.client(
            "place", order, "/orders", asked, "order", "order.place", stream, ("order.placed.v1", stream, body)
        )
        row = {name: body[name] for name in ("order_id", "customer_id", "email", "currency", "total", "lines")}
        self.orders[order] = row | {
            "shipping_address": ADDRESS, "status": "placed", "reason": "", "line_count": len(lines), "tracking": "",
            "shipping_cents": 0, "cancelled": {}, "shipments": [], "returns": [], "notes": [], "staff_notes": [],
            "lines": [{**line, "tax_cents": 0} for line in lines],
            "uncommitted": sorted(wanted), "ready_to_ship": False, "placed_at": placed.time, "confirmed_at": None,
        }  # fmt: skip
        self._touch(self.orders[order], placed)
        self.last[order] = {"placed": placed}
        self.allowed[order] = attempts
        if in_parts:
            self.in_parts[order] = 0
        if self.amending:
            self._amend(order, next(iter(wanted)), 2)
        return self._reserve(order, placed, wanted)

    def place_and_amend(self, order: str, wanted: dict[str, int], sku: str, more: int) -> None:
        """Place an order, and let it have more of one SKU before any of its stock is held."""
        self.amending = True
        self.place(order, wanted)
        self.amending = False
        row, stream, which, shelf = self.orders[order], f"order-{order}", self.amendment, home(f"product-{sku}")
        added = [{"sku": sku, "quantity": more}]
        part = {"order_id": order, "partition": shelf, "part_id": which, "items": added, "expires_at": self.time()}
        extended = ("reservation.extended.v1", f"reservation-{shelf}-{order}", part)
        held = [("stock.reserved.v1", sku, more)]
        event = self._stock(self.last[order]["amended"], 0, shelf, order, "product.extend_reservation", held, extended)
        paid = {"email": row["email"], "amount": row["total"], "currency": "EUR", "payment_token": "tok_visa"}
        news = ("order.stock_secured.v1", stream, {"order_id": order, **paid})
        [done] = self.react(event, "order", "order.record_reservation", stream, {}, news)
        self._touch(row, done, status="secured")
        self.last[order]["secured"] = done

    def _amend(self, order: str, sku: str, more: int) -> None:
        row, stream, which = self.orders[order], f"order-{order}", uuid(f"{order}/amendment")
        lines = [{**line, "quantity": line["quantity"] + (more if line["sku"] == sku else 0)} for line in row["lines"]]
        total, self.amendment = row["total"] + more * PRICE, which
        body = {"order_id": order, "email": row["email"], "amendment_id": which, "currency": "EUR", "lines": lines}
        body |= {"shipping_cents": 0, "total": total, "added": [{"sku": sku, "quantity": more}], "removed": []}
        asked = {"lines": [line for line in lines if line["sku"] == sku]}
        [event] = self.client(
            "amend", order, f"/orders/{order}/amend", asked, "order", "order.amend", stream,
            ("order.amended.v1", stream, body),
        )  # fmt: skip
        self._touch(row, event, lines=lines, total=total)
        self.last[order]["amended"] = event

    def pay(self, order: str, fewer: str = "") -> None:
        """The provider authorizes, the order is confirmed, the money is captured; before, one `fewer` may be wanted."""
        self.request_payment(order)
        if fewer:
            self.cancel_line(order, fewer, 1)
        self.confirm(order)

    def confirm(self, order: str, late: bool = False) -> None:
        """The provider says yes, the order is confirmed, and the money is taken, if it was not too `late` at first."""
        self.authorize(order)
        row, stream = self.orders[order], f"order-{order}"
        sure = {name: row[name] for name in ("order_id", "email", "currency")}
        skus = [line["sku"] for line in row["lines"]]
        news = ("order.confirmed.v1", stream, {**sure, "skus": skus, "amount": row["total"]})
        [confirmed] = self.react(self.last[order]["authorized"], "order", "order.confirm", stream, {}, news)
        self._touch(row, confirmed, status="confirmed", confirmed_at=confirmed.time)
        for index, shelf in enumerate(self._shelves(skus)):
            here = [sku for sku in skus if home(f"product-{sku}") == shelf]
            body = {"order_id": order, "partition": shelf, "skus": here}
            kept = ("reservation.committed.v1", f"reservation-{shelf}-{order}", body)
            [committed] = self.shelf(confirmed, index, shelf, order, "product.commit_reservation", kept)
            news = ("order.lines_committed.v1", stream, {"order_id": order, "skus": here})
            [done] = self.react(committed, "order", "order.record_commitment", stream, {}, news)
            left = [sku for sku in row["uncommitted"] if sku not in here]
            self._touch(row, done, uncommitted=left, ready_to_ship=not left)
        self._capture(order, confirmed, late)
        self.mail(confirmed, order, "order_confirmed")

    def cancel(self, order: str) -> Event:
        """The customer cancels; stock is given back. What becomes of the money, the caller says."""
        row, stream = self.orders[order], f"order-{order}"
        skus = [line["sku"] for line in row["lines"]]
        body = {"order_id": order, "email": row["email"], "reason": "a wish", "skus": skus}
        [event] = self.client(
            "cancel", order, f"/orders/{order}/cancel", {"reason": "a wish"}, "order", "order.cancel", stream,
            ("order.cancelled.v1", stream, body),
        )  # fmt: skip
        self._touch(row, event, status="cancelled", reason="a wish", ready_to_ship=False)
        self._move(order, event, "released")
        self.mail(event, order, "order_cancelled")
        return event

    def cancel_line(self, order: str, sku: str, quantity: int) -> None:
        """The customer wants so many fewer; the stock is given back, and what was paid for them."""
        row, stream, which = self.orders[order], f"order-{order}", uuid(f"{order}/{sku}/{len(self.history)}")
        there = sum(line["quantity"] for line in row["lines"] if line["sku"] == sku) - row["cancelled"].get(sku, 0)
        said = {"order_id": order, "email": row["email"], "cancellation_id": which, "sku": sku, "quantity": quantity}
        said |= {"left": there - quantity, "amount": quantity * PRICE, "tax_cents": 0, "currency": "EUR"}
        [event] = self.client(
            "cancel_line", order, f"/orders/{order}/lines/{sku}/cancel", {"quantity": quantity}, "order",
            "order.cancel_line", stream, ("order.line_cancelled.v1", stream, {**said, "reason": "a wish"}),
        )  # fmt: skip
        cancelled = {**row["cancelled"], sku: row["cancelled"].get(sku, 0) + quantity}
        self._touch(row, event, cancelled=cancelled, total=row["total"] - quantity * PRICE)
        self._give_back_items(order, event, sku, quantity, which)
        self._owe_less(order, event, quantity * PRICE, which)
        self.mail(event, order, "order_line_cancelled", which)

    def _give_back_items(self, order: str, event: Event, sku: str, quantity: int, which: str) -> None:
        shelf = home(f"product-{sku}")
        body = {"order_id": order, "partition": shelf, "part_id": which, "items": [{"sku": sku, "quantity": quantity}]}
        less = ("reservation.reduced.v1", f"reservation-{shelf}-{order}", body)
        self._stock(event, 0, shelf, order, "product.release_items", [("stock.released.v1", sku, quantity)], less)

    def refund(self, order: str, amount: int) -> None:
        """A customer is given back a part."""
        stream, refund_id = f"payment-{order}", uuid(f"{order}/refund/{amount}")
        body = {"order_id": order, "refund_id": refund_id, "amount": amount, "reason": "goodwill"}
        [event] = self.client(
            "refund", order, f"/orders/{order}/refund", {"amount": amount}, "payment", "payment.refund", stream,
            ("payment.refund_requested.v1", stream, body),
        )  # fmt: skip
        self._touch(self.payments[order], event, reason="goodwill")
        self.give_back(order, refund_id, amount)

    def ship(self, order: str) -> None:
        """The goods leave, and arrive."""
        row, stream = self.orders[order], f"order-{order}"
        items = self._unsent(order)
        shipment = {"shipment_id": uuid(f"{order}/rest"), "tracking": "T1", "items": items}
        sure = {"order_id": order, "email": row["email"]}
        body = {**shipment, "skus": list(items), "items": _told(items), **self._charge(order, items)}
        for step, done, more in (("ship", "shipped", body), ("deliver", "delivered", {})):
            [event] = self.client(
                step, order, f"/orders/{order}/{step}", {}, "order", f"order.{step}", stream,
                (f"order.{done}.v1", stream, {**sure, **more}),
            )  # fmt: skip
            if done == "shipped":
                row["shipments"].append({**shipment, "shipped_at": event.time, "delivered_at": None})
                self._move(order, event, "shipped")
                self._take_part(order, event, True)
            else:
                row["shipments"] = [{**each, "delivered_at": event.time} for each in row["shipments"]]
            self._touch(row, event, status=done, ready_to_ship=False, tracking="T1")
            self.mail(event, order, f"order_{done}")

    def ship_part(self, order: str, sku: str, quantity: int) -> None:
        """Some of the goods leave."""
        row, stream, shelf = self.orders[order], f"order-{order}", home(f"product-{sku}")
        which, items = uuid(f"{order}/{sku}/part"), {sku: quantity}
        shipment = {"shipment_id": which, "tracking": "T0"}
        body = {"order_id": order, "email": row["email"], **shipment, "items": _told(items)}
        body |= self._charge(order, items)
        [event] = self.client(
            "ship", order, f"/orders/{order}/ship", {"lines": _told(items)}, "order", "order.ship", stream,
            ("order.partly_shipped.v1", stream, body),
        )  # fmt: skip
        row["shipments"].append({**shipment, "items": items, "shipped_at": event.time, "delivered_at": None})
        self._touch(row, event, status="partially_shipped", tracking="T0")
        part = {"order_id": order, "partition": shelf, "part_id": which, "items": _told(items)}
        less = ("reservation.reduced.v1", f"reservation-{shelf}-{order}", part)
        self._stock(event, 0, shelf, order, "product.ship_items", [("stock.shipped.v1", sku, quantity)], less)
        self._take_part(order, event, False)
        self.mail(event, order, "order_partly_shipped", which)

    def send_back(self, order: str, sku: str, good: int, refused: int) -> None:
        """Some goods come back; the good ones are put on the shelf and paid back, the others are refused."""
        row, stream, which = self.orders[order], f"order-{order}", uuid(f"{order}/{sku}/back")
        sure = {"order_id": order, "email": row["email"], "return_id": which}
        items = {sku: good + refused}
        [event] = self.client(
            "return", order, f"/orders/{order}/returns", {"items": _told(items)}, "order", "order.request_return",
            stream, ("order.return_requested.v1", stream, {**sure, "items": _told(items), "reason": "too small"}),
        )  # fmt: skip
        asked = {"return_id": which, "reason": "too small", "items": items, "requested_at": event.time}
        self._touch(row, event)
        self.mail(event, order, "order_return_requested", which)
        seen = [{"sku": sku, "quantity": n, "verdict": v} for n, v in ((good, "restock"), (refused, "refuse"))]
        amounts = (good * PRICE, 0)
        priced = [{**item, "amount": amount, "tax_cents": 0} for item, amount in zip(seen, amounts, strict=True)]
        body = {**sure, "items": priced, "amount": good * PRICE, "currency": "EUR", "note": ""}
        [event] = self.client(
            "receive", order, f"/orders/{order}/returns/{which}/receive", {"items": seen}, "order",
            "order.receive_return", stream, ("order.return_received.v1", stream, body),
        )  # fmt: skip
        told = {"received": seen, "amount": good * PRICE, "note": "", "received_at": event.time}
        self._touch(row, event, returns=[*row["returns"], {**asked, **told}], total=row["total"] - good * PRICE)
        [back] = self.react(
            event, "product", "product.receive_stock", f"product-{sku}", {},
            ("stock.received.v1", f"product-{sku}", {"sku": sku, "quantity": good}),
        )  # fmt: skip
        self.products[sku] |= _stocked(self.products[sku]["on_hand"] + good)
        self._touch(self.products[sku], back, available=self.products[sku]["on_hand"] - self.products[sku]["held"])
        self._owe_less(order, event, good * PRICE, which, "items returned")
        self.mail(event, order, "order_return_received", which)

    def _unsent(self, order: str) -> dict[str, int]:
        row = self.orders[order]
        left = {line["sku"]: line["quantity"] - row["cancelled"].get(line["sku"], 0) for line in row["lines"]}
        for shipment in row["shipments"]:
            for sku, quantity in shipment["items"].items():
                left[sku] -= quantity
        return {sku: quantity for sku, quantity in left.items() if quantity}

    # What the system does by itself.

    def _reserve(self, order: str, placed: Event, wanted: dict[str, int]) -> bool:
        short = [sku for sku, quantity in wanted.items() if quantity > self.products[sku]["available"]]
        if short:
            self._refuse(order, placed, wanted, short)
            return False
        stream, awaited = f"order-{order}", set(wanted)
        row = self.orders[order]
        for index, shelf in enumerate(self._shelves(wanted)):
            here = {sku: quantity for sku, quantity in wanted.items() if home(f"product-{sku}") == shelf}
            held = [("stock.reserved.v1", sku, quantity) for sku, quantity in here.items()]
            items = [{"sku": sku, "quantity": quantity} for sku, quantity in here.items()]
            body = {"order_id": order, "partition": shelf, "items": items, "expires_at": self.time()}
            made = ("reservation.made.v1", f"reservation-{shelf}-{order}", body)
            event = self._stock(placed, index, shelf, order, "product.reserve_stock", held, made)
            awaited -= set(here)
            awaited |= {"what is added"} if self.amending else set()
            paid = {"email": row["email"], "amount": row["total"], "currency": "EUR", "payment_token": "tok_visa"}
            news = ("order.lines_reserved.v1", stream, {"order_id": order, "skus": list(here)}) if awaited else (
                "order.stock_secured.v1", stream, {"order_id": order, **paid})  # fmt: skip
            [done] = self.react(event, "order", "order.record_reservation", stream, {}, news)
            self._touch(row, done, status="placed" if awaited else "secured")
            self.last[order]["secured"] = done
        return True

    def _refuse(self, order: str, placed: Event, wanted: dict[str, int], short: list[str]) -> None:
        shelf = home(f"product-{short[0]}")
        stream, row, reason = f"order-{order}", self.orders[order], "out of stock"
        refusal = {"order_id": order, "partition": shelf, "reason": reason, "skus": short}
        news = ("reservation.refused.v1", f"reservation-{shelf}-{order}", refusal)
        [refused] = self.shelf(placed, 0, shelf, order, "product.reserve_stock", news)
        said = {"order_id": order, "email": row["email"], "reason": reason, "skus": list(wanted), "refused": short}
        [event] = self.react(refused, "order", "order.reject", stream, {}, ("order.rejected.v1", stream, said))
        self._touch(row, event, status="rejected", reason=f"{reason}: {', '.join(short)}")
        self.shelf(event, 0, shelf, order, "product.release_reservation")
        self.cancel_payment(order, event)
        self.mail(event, order, "order_rejected")

    def _move(self, order: str, cause: Event, done: str) -> None:
        """What is held is released or shipped, shelf by shelf."""
        wanted = self._unsent(order) if done == "released" else self.orders[order]["shipments"][-1]["items"]
        for index, shelf in enumerate(self._shelves(wanted)):
            moved = [(f"stock.{done}.v1", sku, n) for sku, n in wanted.items() if home(f"product-{sku}") == shelf]
            body = {"order_id": order, "partition": shelf}
            over = (f"reservation.{done}.v1", f"reservation-{shelf}-{order}", body)
            self._stock(cause, index, shelf, order, f"product.{done}", moved, over)

    def _stock(
        self, cause: Event, index: int, shelf: int, order: str, tag: str, moved: list[tuple[str, str, int]], over: New
    ) -> Event:
        stream = f"reservation-{shelf}-{order}"
        news = [(kind, f"product-{sku}", {"sku": sku, "order_id": order, "quantity": n}) for kind, sku, n in moved]
        events = self._react(cause, index, "product", shelf, tag, stream, {}, (*news, over))
        for (kind, sku, quantity), event in zip(moved, events, strict=False):
            row = self.products[sku]
            row["held"] += quantity if kind == "stock.reserved.v1" else -quantity
            if kind == "stock.shipped.v1":
                row |= _stocked(row["on_hand"] - quantity)
                row["shipped"] += quantity
            self._touch(row, event, available=row["on_hand"] - row["held"])
        return events[-1]

    def _shelves(self, skus: Any) -> list[int]:
        return sorted({home(f"product-{sku}") for sku in skus})


def _stocked(quantity: int) -> dict[str, Any]:
    """So many, all at the main location."""
    return {"on_hand": quantity, "locations": {"main": quantity} if quantity else {}}

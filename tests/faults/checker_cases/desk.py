"""Desk is how things travel on paper: requests, reactions, answers, the provider's ledger; and the rows they leave."""

from collections.abc import Iterator
from typing import Any

from tests.faults.checker_cases.paper import Body, Command, Event, New, Paper, command_id, home, uuid

UNCHANGED = "command.unchanged.v1"


class Desk(Paper):
    """Paper with the read models beside it."""

    def __init__(self) -> None:
        super().__init__()
        self.orders: dict[str, Body] = {}
        self.products: dict[str, Body] = {}
        self.payments: dict[str, Body] = {}
        self.messages: dict[str, Body] = {}
        self.last: dict[str, dict[str, Event]] = {}
        self.allowed: dict[str, int] = {}
        self.in_parts: dict[str, int] = {}
        self.amending, self.amendment = False, ""

    def client(
        self, kind: str, target: str, path: str, asked: Body, context: str, tag: str, stream: str, *news: New
    ) -> list[Event]:
        """A request, accepted, and what is recorded upon it."""
        key = uuid(f"key/{len(self.history)}")
        name = command_id(key, path)
        n = self.send(kind, target, path, asked, key)
        given = self.command(
            context, home(stream), tag, stream, asked, Command(name, "client", -1, uuid(f"request {n}"))
        )
        self.answer(n, "ok", 202, name)
        return self.record(context, home(stream), given, news)

    def react(self, cause: Event, context: str, tag: str, stream: str, body: Body, *news: New) -> list[Event]:
        """What a context asks of itself because of an event, and records."""
        return self._react(cause, 0, context, home(stream), tag, stream, body, news)

    def shelf(self, cause: Event, index: int, shelf: int, order: str, tag: str, *news: New) -> list[Event]:
        """The same, of a reservation."""
        return self._react(cause, index, "product", shelf, tag, f"reservation-{shelf}-{order}", {}, news)[-1:]

    def owner(self, context: str, stream: str, *news: New) -> list[Event]:
        """What an owner records by itself: an effect's answer, a deadline."""
        name = uuid(f"{stream}/{news[0][0]}/{self.now}")
        return self.record(context, home(stream), Command(name, "owner", -1, name), news)

    def _react(
        self, cause: Event, index: int, context: str, p: int, tag: str, stream: str, body: Body, news: tuple[New, ...]
    ) -> list[Event]:
        name = uuid(f"{cause.line['headers']['ce_id']}/{context}/{index}")
        origin = f"{cause.context}.events/{cause.partition}/{cause.offset}/{index}"
        given = Command(name, origin, -1, cause.line["headers"]["correlation"])
        given = self.command(context, p, tag, stream, body, given)
        return self.record(context, p, given, news or [(UNCHANGED, stream, {"about": stream})])

    def refuse(self, order: str, operation: str, amount: int, reason: str) -> None:
        """The provider writes down that it has said no."""
        self.provide(order, operation, amount)
        self.ledger[-1] |= {"id": "", "declined": reason}

    def provide(self, order: str, operation: str, amount: int, key: str = "") -> str:
        """The provider writes into its ledger; the reference."""
        key = key or uuid(f"{order}/{operation}/{len(self.ledger)}")
        reference = f"{operation[:4]}_{key[:8]}"
        entry = {"seq": len(self.ledger) + 1, "at": self.time(), "key": key, "operation": operation, "id": reference}
        self.ledger.append({**entry, "reference": order, "amount": amount, "currency": "EUR"})
        return reference

    def mail(self, because: Event, order: str, template: str, which: str = "") -> None:
        """A customer hears of it."""
        name, recipient = uuid(f"{order}/{template}/{which}"), self.orders[order]["email"]
        stream, about = f"notification-{name}", f"order-{order}"
        said = {"notification_id": name, "about": about, "channel": "email", "recipient": recipient}
        said |= {"template": template, "params": {"order_id": order}}
        news = ("notification.requested.v1", stream, said)
        [asked] = self.react(because, "notification", "notification.request", stream, said, news)
        subject = f"{template} {order}"
        self.mails.append({"id": name, "to": recipient, "subject": subject, "at": self.now, "repeats": 0})
        [told] = self.owner("notification", stream, ("notification.delivered.v1", stream, {"notification_id": name}))
        unchosen = {"customer_id": "", "kind": "order", "locale": "en", "ways": {}, "skipped": {}}
        self.messages[name] = {
            **said,
            **unchosen,
            "status": "delivered",
            "reason": "",
            "requested_at": asked.time,
        }
        self._touch(self.messages[name], told)

    def last_place(self, order: str, tag: str) -> str:
        """Where an order's event of a kind lies."""
        p = home(f"order-{order}")
        lines = [line for line in self.topics["order.events", p] if line["headers"].get("ce_type") == tag]
        return f"order.events/{p}/{[line for line in lines if line['value']['order_id'] == order][-1]['offset']}"

    def _touch(self, row: Body, event: Event, **changes: Any) -> None:
        row.update(changes, updated_at=event.time, **event.stamp)

    def rows(self) -> None:
        """Write the read models down."""
        self.common_tables()
        self.tables["order", "orders"] = list(self.orders.values())
        self.tables["product", "products"] = list(self.products.values())
        self.tables["payment", "payments"] = list(self.payments.values())
        self.tables["notification", "notifications"] = list(self.messages.values())
        self.tables["user", "users"] = []
        self.tables["notification", "statistics"] = list(self._figures())

    def _figures(self) -> Iterator[Body]:
        """All of it happened in one minute."""
        counted = {f"order.{name}.v1": (name, "") for name in ("placed", "confirmed", "rejected", "cancelled")}
        counted |= {f"payment.{name}.v1": (name, "EUR") for name in ("captured", "refunded")}
        rows: dict[tuple[str, str], Body] = {}
        for (topic, p), lines in self.topics.items():
            for line in lines if topic in ("order.events", "payment.events") else ():
                figure = counted.get(line["headers"].get("ce_type"))
                if figure is None or line["key"] == "late":
                    continue
                name, currency = figure
                at = {
                    "minute": "2025-11-24T16:00:00+00:00",
                    "source": f"{topic}/{p}",
                    "name": name,
                    "currency": currency,
                }
                row = rows.setdefault((f"{topic}/{p}", name), {**at, "value": 0})
                row["value"] += line["value"]["amount"] if currency else 1
                row["upto"] = line["offset"]
        yield from rows.values()

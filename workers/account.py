"""Account tells what has happened, in tables: orders and why not, money, stock, mail, speed, one order's story."""

from datetime import datetime
from pathlib import Path
from typing import Any, Protocol

from rich.console import Console
from rich.table import Table

from workers.mailbox import list_mail
from workers.post import PUSHES, SMS
from workers.shop import Shop
from workers.steps import Moments, under_way

NEXT = """
[bold]Look[/bold]   {first}                      what there is, with links
       {api}/orders?limit=5        orders, newest first
       {api}/orders/{order}/history
       {provider}/v1/totals            the payment provider's own ledger
       orders mail                 mails, SMS and pushes, as the customers got them; the mails are in {mailbox}/
[bold]Try[/bold]    curl -s {api}/summary
       curl -s {url}/ready
       orders --help
"""
FROM_OUTSIDE = """[bold]With[/bold]   -H "Authorization: Bearer $(.venv/bin/python -m api.locksmith token --role staff)"
"""


class Address(Protocol):
    """Where everything listens."""

    @property
    def api(self) -> str: ...
    @property
    def provider(self) -> str: ...


async def tell(console: Console, address: Address, home: Path, shop: Shop, moments: Moments, apart: bool) -> bool:
    """Print the account; True if all is settled, and our books agree with the provider's and with the shelves."""
    summary, ledger = await shop.get_summary(), await _ledger(address)
    orders = [row async for row in shop.pages("/api/orders")]
    for table in (
        _orders(summary),
        _reasons(summary),
        _money(summary, ledger),
        _stock(summary),
        _mail(summary, home),
        _speed(orders, moments),
        await _story(shop, orders),
    ):
        if table.row_count:
            console.print()
            console.print(table)
    wrong = [*await under_way(shop), *_wrong(summary, ledger)]
    verdict = f"[bold red]Wrong: {'; '.join(wrong)}[/]" if wrong else "[bold green]Settled, and the books balance.[/]"
    console.print(f"\n{verdict}")
    shown = next((order["order_id"] for order in orders if order["status"] == "delivered"), "ORDER_ID")
    pages = NEXT.format(
        first=f"{shop.url}/api/openapi.json" if apart else f"{shop.url}/",
        url=shop.url,
        api=f"{shop.url}/api" if apart else shop.url,
        provider=address.provider,
        mailbox=home / "mailbox",
        order=shown,
    )
    pages += FROM_OUTSIDE if apart else ""
    console.print(pages, highlight=False, soft_wrap=True)
    return not wrong


async def _ledger(address: Address) -> Any:
    """The payment provider's own totals, by currency."""
    provider = Shop(address.provider)
    try:
        return await provider.get("/v1/totals")
    finally:
        await provider.close()


def _wrong(summary: Any, ledger: Any) -> list[str]:
    """What does not agree: money with the provider's ledger, stock with itself."""
    ours = {row["currency"]: (row["captured"], row["refunded"]) for row in summary["money"]}
    theirs = {currency: (row["captured"], row["refunded"]) for currency, row in ledger["currencies"].items()}
    wrong = [f"{c}: {ours.get(c)} by our books, {theirs.get(c)} by the provider's" for c in ours | theirs
             if ours.get(c, (0, 0)) != theirs.get(c, (0, 0))]  # fmt: skip
    wrong += [f"captured twice: {payment}" for payment in ledger["captured_twice"]]
    return wrong + [f"{row['oversold']} products oversold" for row in summary["stock"] if row["oversold"]]


def _table(title: str, *columns: str) -> Table:
    table = Table(title=title, title_justify="left", title_style="bold", box=None, pad_edge=False)
    for index, column in enumerate(columns):
        table.add_column(column, justify="right" if index else "left", style=None if index else "cyan")
    return table


def _amount(cents: int) -> str:
    return f"{cents / 100:,.2f}"


def _orders(summary: Any) -> Table:
    table = _table("Orders", "status", "orders", "lines", "total")
    for row in summary["orders"]:
        table.add_row(row["status"], str(row["orders"]), str(row["lines"]), _amount(row["total"]))
    count, lines, total = (sum(row[key] for row in summary["orders"]) for key in ("orders", "lines", "total"))
    table.add_row("all", str(count), str(lines), _amount(total), style="bold")
    return table


def _reasons(summary: Any, most: int = 6) -> Table:
    table = _table("Why orders were rejected or cancelled", "reason", "orders")
    by_kind: dict[str, int] = {}
    for row in summary["reasons"]:
        kind = row["reason"].partition(": ")[0] if row["reason"].startswith("out of stock") else row["reason"]
        by_kind[kind] = by_kind.get(kind, 0) + row["orders"]
    for reason, count in sorted(by_kind.items(), key=lambda item: -item[1])[:most]:
        table.add_row(reason, str(count))
    return table


def _money(summary: Any, ledger: Any) -> Table:
    table = _table("Money", "", "captured", "refunded", "kept", "declined", "voided")
    for row in summary["money"]:
        table.add_row(f"our books, {row['currency']}", *_kept(row), str(row["declined"]), str(row["voided"]))
    for currency, row in ledger["currencies"].items():
        table.add_row(f"the provider's, {currency}", *_kept(row), "", "")
    return table


def _kept(row: Any) -> list[str]:
    captured, refunded = row.get("captured", 0), row.get("refunded", 0)
    return [_amount(amount) for amount in (captured, refunded, captured - refunded)]


def _stock(summary: Any) -> Table:
    table = _table("Stock", "products", "on hand", "of it held", "available", "shipped", "oversold")
    for row in summary["stock"]:
        figures = [row[key] for key in ("products", "on_hand", "held", "available", "shipped", "oversold")]
        table.add_row(*(f"{figure:,}" for figure in figures))
    return table


def _mail(summary: Any, home: Path) -> Table:
    table = _table("Mail", "template", "status", "mails")
    for row in summary["messages"]:
        table.add_row(row["template"], row["status"], str(row["messages"]))
    letters = list_mail(home / "mailbox")
    table.add_row(
        "in the mailbox", f"{sum(letter.repeats for letter in letters)} repeats", str(len(letters)), style="bold"
    )
    for name, file in (("on the phones", SMS), ("pushed", PUSHES)):
        if (came := home / file).exists():
            table.add_row(name, "", str(len(came.read_bytes().splitlines())), style="bold")
    return table


def _speed(orders: list[dict[str, Any]], moments: Moments) -> Table:
    """From the moment the request was sent to the moment the confirmation was recorded."""
    waits = sorted(
        1000 * (datetime.fromisoformat(order["confirmed_at"]).timestamp() - moments.sent[order["order_id"]])
        for order in orders
        if order["confirmed_at"] and order["order_id"] in moments.sent
    )
    table = _table("Speed", "from request sent to order confirmed", "ms")
    if waits:
        for name, share in (("p50", 0.5), ("p95", 0.95), ("p99", 0.99)):
            table.add_row(name, f"{waits[min(int(len(waits) * share), len(waits) - 1)]:.0f}")
        table.add_row("orders a second, offered", f"{len(moments.sent) / moments.seconds:.0f}")
    return table


async def _story(shop: Shop, orders: list[dict[str, Any]]) -> Table:
    """One order's own events, with the milliseconds since it was placed."""
    table = _table("One order's story", "event", "ms")
    told = next((order for order in orders if order["status"] == "delivered"), None)
    if told:
        table.title = f"The story of order {told['order_id']}, {told['line_count']} lines"
        history = (await shop.get_history(told["order_id"]))["items"]
        began = datetime.fromisoformat(history[0]["at"])
        for event in history:
            passed = (datetime.fromisoformat(event["at"]) - began).total_seconds() * 1000
            table.add_row(event["type"], f"{passed:,.0f}")
    return table

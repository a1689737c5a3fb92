"""Every template renders, with all of its parameters and with only those that it needs."""

from importlib.resources import files

import pytest
from jinja2 import TemplateError

from workers.mail import money, render

NAMES = sorted(
    file.name.removesuffix(".txt") for file in files("workers.templates").iterdir() if file.name.endswith(".txt")
)
FULL = {"order_id": "o-1", "total": 1299, "currency": "EUR", "lines": 2, "reason": "out of stock", "name": "Ada"}
NEEDED = {"order_id": "o-1", "token": "t-1"}
ALWAYS: dict[str, dict[str, object]] = {
    "order_line_cancelled": {
        "sku": "figs", "quantity": 1, "left": 0, "total": 250, "currency": "EUR", "reason": "too many"
    },
    "order_partly_shipped": {"items": {"figs": 2}, "tracking": ""},
    "order_return_requested": {"items": {"figs": 2}, "return_id": "r-1"},
    "order_return_received": {
        "items": [{"sku": "figs", "quantity": 2, "accepted": True}], "note": "", "total": 500, "currency": "EUR"
    },
}  # fmt: skip
"""What some templates cannot do without, and their events always have."""


def test_there_is_a_template_for_each_milestone() -> None:
    assert NAMES == [
        "account_deleted",
        "account_exists",
        "back_in_stock",
        "order_cancelled",
        "order_confirmed",
        "order_delivered",
        "order_line_cancelled",
        "order_partly_shipped",
        "order_rejected",
        "order_return_received",
        "order_return_requested",
        "order_shipped",
        "password_changed",
        "password_reset",
        "payment_refunded",
        "session_revoked",
        "verify_email",
        "welcome",
    ]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("params", [{**FULL, **NEEDED}, NEEDED], ids=["full", "bare"])
def test_it_renders_as_text_and_as_html(name: str, params: dict[str, object]) -> None:
    subject, text, html = render(name, {**params, **ALWAYS.get(name, {})})

    assert subject
    assert text.strip()
    assert html.startswith("<!doctype html>")
    assert "{" not in subject + text


def test_a_confirmation_says_what_was_bought() -> None:
    _, text, html = render("order_confirmed", FULL)
    assert "Items: 2\nTotal: 12.99 EUR\n" in text
    assert "12.99 EUR" in html


def test_what_comes_from_outside_is_escaped_in_html() -> None:
    _, _, html = render("order_rejected", {"order_id": "o-1", "reason": "<script>alert(1)</script>"})
    assert "&lt;script&gt;" in html
    assert "<script>" not in html


def test_a_parameter_that_is_missing_is_an_error() -> None:
    with pytest.raises(TemplateError, match="order_id"):
        render("order_confirmed", {})


@pytest.mark.parametrize(
    ("amount", "currency", "written"),
    [(5, "EUR", "0.05 EUR"), (-1299, "USD", "-12.99 USD"), (500, "JPY", "500 JPY"), (1234, "KWD", "1.234 KWD")],
)
def test_money_is_written_as_people_write_it(amount: int, currency: str, written: str) -> None:
    assert money(amount, currency) == written

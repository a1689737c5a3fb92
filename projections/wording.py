"""Wording is what a message says: its template filled in, for a channel, in the reader's language.

A template is `templates/<language>/<name>.<channel>`; what is not there in a language is said in English.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Literal, TypeAlias, get_args

from jinja2 import Environment, PackageLoader, StrictUndefined, TemplateError, pass_context, select_autoescape
from jinja2.runtime import Context
from jinja2.sandbox import SandboxedEnvironment
from msgspec import Struct

Medium: TypeAlias = Literal["email", "sms", "push"]

FALLBACK = "en"
LANGUAGES = ("en", "de")
DECIMALS = {"JPY": 0, "KRW": 0, "CLP": 0, "ISK": 0, "VND": 0, "BHD": 3, "KWD": 3, "OMR": 3, "TND": 3, "JOD": 3}
POINT = {"de": ","}
"""What stands before the cents."""

MONTHS = {
    "en": "January February March April May June July August September October November December",
    "de": "Januar Februar März April Mai Juni Juli August September Oktober November Dezember",
}

_ORDER = {"order_id": "9c22106e-35b2-578c-81b9-80464a145cdf"}
_MONEY = {"total": 1299, "currency": "EUR"}
_ITEMS = {"items": {"tea": 2, "mate": 1}}
_NAME = {"name": "Ada"}
SAMPLES: dict[str, dict[str, Any]] = {
    "order_confirmed": {**_ORDER, **_MONEY, "lines": 2},
    "order_rejected": {**_ORDER, "reason": "out of stock: tea"},
    "order_cancelled": {**_ORDER, "reason": "customer's wish"},
    "order_shipped": {**_ORDER, "tracking": "1Z999"},
    "order_delivered": {**_ORDER},
    "payment_refunded": {**_ORDER, **_MONEY},
    "card_awaited": {**_ORDER, **_MONEY, "due_at": "2026-12-01T15:30:00+00:00"},
    "back_in_stock": {"sku": "tea", "name": "Green tea"},
    "welcome": {**_NAME},
    "order_line_cancelled": {**_ORDER, **_MONEY, "sku": "tea", "quantity": 1, "left": 2, "reason": "customer's wish"},
    "order_partly_shipped": {**_ORDER, **_ITEMS, "tracking": "1Z999"},
    "order_return_requested": {**_ORDER, **_ITEMS, "return_id": "1d7c5b1e-0d5f-4d4b-8c7e-5a5c7a6f2b11"},
    "order_return_received": {
        **_ORDER,
        **_MONEY,
        "items": [{"sku": "tea", "quantity": 2, "accepted": True}],
        "note": "One box was open.",
    },
    "stock_low": {"sku": "tea", "name": "Green tea", "available": 3, "threshold": 5},
    "verify_email": {**_NAME, "token": "a code"},
    "password_reset": {**_NAME, "token": "a code"},
    "account_exists": {**_NAME},
    "password_changed": {**_NAME},
    "session_revoked": {**_NAME},
    "account_deleted": {**_NAME},
}
"""Every template, with what fills it: for previews, and for the tests."""
SECURITY = frozenset(
    {"verify_email", "password_reset", "account_exists", "password_changed", "session_revoked", "account_deleted"}
)
"""Templates about the security of an account: they go by mail alone, in which a token is put as it leaves."""
MAIL_ALONE = SECURITY | {"stock_low"}
"""So do those to people who are no customers: of their mail address alone it is known."""


def media_of(template: str) -> tuple[Medium, ...]:
    """Over which channels a template is said."""
    return ("email",) if template in MAIL_ALONE else get_args(Medium)


class WordingError(Exception):
    """There is no such template, or a parameter that it needs is missing; the text names it."""


class Words(Struct, frozen=True):
    """What a message says: a mail has a subject, a text and HTML, a push a title and a text, an SMS a text."""

    locale: str
    subject: str
    text: str
    html: str = ""


def money(amount: int, currency: str, locale: str = FALLBACK) -> str:
    """An amount in minor units as people write it, such as 12.99 EUR."""
    decimals, point = DECIMALS.get(currency, 2), POINT.get(locale, ".")
    sign, digits = "-" if amount < 0 else "", str(abs(amount)).rjust(decimals + 1, "0")
    whole, cents = digits[: len(digits) - decimals], digits[len(digits) - decimals :]
    return f"{sign}{whole}{point if cents else ''}{cents} {currency}"


def moment(at: str, locale: str = FALLBACK) -> str:
    """A moment as people write it, such as 1 December 2026, 15:30 UTC."""
    there = datetime.fromisoformat(at).astimezone(UTC)
    month = MONTHS.get(locale, MONTHS[FALLBACK]).split()[there.month - 1]
    return f"{there.day}{'.' if locale == 'de' else ''} {month} {there:%Y, %H:%M} UTC"


@pass_context
def _moment(context: Context, at: str) -> str:
    return moment(at, context["locale"])


@pass_context
def _money(context: Context, amount: int, currency: str) -> str:
    return money(amount, currency, context["locale"])


def _environment() -> Environment:
    # Sandboxed, since what fills a template comes from outside; strict, since a mail with gaps is worse than none.
    made = SandboxedEnvironment(
        loader=PackageLoader("projections", "templates"),
        autoescape=select_autoescape(("html",)),
        undefined=StrictUndefined,
        auto_reload=False,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters["money"], made.filters["moment"] = _money, _moment
    return made


TEMPLATES = _environment()


def spoken(locale: str) -> str:
    """The language in which somebody of this locale is written to."""
    language = locale.partition("-")[0]
    return language if language in LANGUAGES else FALLBACK


def words(template: str, medium: Medium, locale: str, params: Mapping[str, Any], unsubscribe: str = "") -> Words:
    """What a message says; `unsubscribe` is where a reader says that it was the last of its kind.

    Raises:
        WordingError: it cannot be said.
    """
    try:
        if medium == "email":
            language, text = _filled(template, "mail.txt", locale, params)
            _, html = _filled(template, "mail.html", locale, {**params, "unsubscribe": unsubscribe})
            subject, _, body = text.partition("\n")
            return Words(language, _one_line(subject), f"{body.strip()}\n", html)
        language, text = _filled(template, f"{medium}.txt", locale, params)
    except (TemplateError, TypeError) as error:
        raise WordingError(str(error) or type(error).__name__) from error
    if medium == "sms":
        return Words(language, "", text.strip())
    title, _, body = text.partition("\n")
    return Words(language, _one_line(title), body.strip())


def _filled(template: str, ending: str, locale: str, params: Mapping[str, Any]) -> tuple[str, str]:
    names = dict.fromkeys((spoken(locale), FALLBACK))
    found = TEMPLATES.select_template([f"{language}/{template}.{ending}" for language in names])
    language = (found.name or FALLBACK).partition("/")[0]
    return language, found.render({**params, "locale": language})


def _one_line(text: str) -> str:
    return " ".join(text.split())

"""Shown is what clients see of what is otherwise said in other words."""

from datetime import datetime
from typing import Any

from msgspec import Struct


class ContactShown(Struct, frozen=True):
    """How a customer is reached. `chosen` by kind and channel, such as `order/sms`; `devices` are platforms by id."""

    customer_id: str
    phone: str | None
    locale: str
    time_zone: str
    quiet: dict[str, str] | None
    chosen: dict[str, bool]
    devices: dict[str, str]
    updated_at: datetime


class Template(Struct, frozen=True):
    """A message's template, and the parameters that a preview fills in."""

    name: str
    channels: list[str]
    locales: list[str]
    params: dict[str, Any]


class Preview(Struct, frozen=True):
    """What a message would say: a mail has a subject, a text and HTML, a push a title and a text, an SMS a text."""

    locale: str
    subject: str
    text: str
    html: str

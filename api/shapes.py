"""Shapes are what answers look like that are no view of one aggregate; they describe, nothing is made of them."""

from datetime import datetime
from typing import Any, Literal

from msgspec import Struct


class Accepted(Struct):
    """A command that is durable and not yet decided: under `command` its outcome will be told."""

    command_id: str
    status: Literal["pending"]
    command: str
    resource: str


class Outcome(Struct):
    """What became of a command. One that is pending, or is none of yours, has no more than its id."""

    command_id: str
    status: Literal["pending", "accepted", "unchanged", "rejected", "parked"]
    code: str = ""
    detail: str = ""
    at: datetime | None = None
    context: str = ""
    resource: str = ""


class Happened(Struct):
    """A recorded event: where it lies, which version of its stream it made, what caused it, and what it says."""

    partition: int
    position: int
    stream: str
    version: int
    id: str
    type: str
    at: datetime
    correlation: str
    causation: str
    data: dict[str, Any]


class Tokens(Struct):
    """Who one is, for minutes, and what is exchanged for the next."""

    access_token: str
    token_type: Literal["Bearer"]
    expires_in: int
    refresh_token: str
    refresh_expires_in: int


class Done(Struct):
    """What has been done, in a word."""

    status: str


class Erased(Struct):
    """Who has been erased, or is being: then their key is about to be destroyed."""

    user_id: str
    status: str


class Template(Struct):
    """A message's template, and the parameters that a preview fills in."""

    name: str
    channels: list[str]
    locales: list[str]
    params: dict[str, Any]


class Preview(Struct):
    """What a message would say: a mail has a subject, a text and HTML, a push a title and a text, an SMS a text."""

    locale: str
    subject: str
    text: str
    html: str


class Noted(Struct):
    """The same answer whatever becomes of it."""

    status: Literal["accepted"]
    detail: str


class Letter(Struct):
    """Something that was set aside: where it lies, why, what it waits behind, and how many wait behind it."""

    context: str
    id: str
    status: Literal["open", "aside", "retried", "discarded"]
    stream: str
    consumer: str | None
    type: str | None
    message: str | None
    command_id: str | None
    topic: str | None
    partition: int | None
    position: int | None
    reason: str | None
    attempts: int | None
    blocks: bool | None
    why: str | None
    at: datetime
    changed: datetime
    home: int
    behind: str
    waiting: int


class WholeLetter(Letter, kw_only=True):
    """The same, its body decoded as JSON or else as text, whether code of today reads it, and who waits behind it."""

    readable: bool
    waiting_behind: list[dict[str, Any]]
    body: Any = None
    text: str = ""


class Summary(Struct):
    """How many orders, how much money, stock and post there is; of the contexts that this process serves."""

    orders: list[dict[str, Any]] = []
    reasons: list[dict[str, Any]] = []
    money: list[dict[str, Any]] = []
    stock: list[dict[str, Any]] = []
    messages: list[dict[str, Any]] = []


class Figure(Struct):
    """A figure of one minute."""

    context: str
    minute: datetime
    name: str
    currency: str
    value: int


class Statistics(Struct):
    """What happened per minute since then."""

    since: datetime
    items: list[Figure]


class Health(Struct):
    """The process is there."""

    status: Literal["ok"]
    version: str
    contexts: list[str]
    uptime_seconds: float


class Ready(Struct):
    """The log and the databases answer, and no read model is far behind: by context, records by partition."""

    status: Literal["ready"]
    checks: dict[str, dict[str, Any]]


class Jwks(Struct):
    """Public keys (RFC 7517)."""

    keys: list[dict[str, str]]


class FieldError(Struct):
    """What is wrong with one field: as people write it, and as a JSON pointer (RFC 6901)."""

    field: str
    pointer: str
    detail: str
    code: str


class Problem(Struct, omit_defaults=True):
    """Why not (RFC 9457): `code` is for programs and stays, `/problems` explains each."""

    type: str
    title: str
    status: int
    code: str
    detail: str
    instance: str = ""
    request_id: str = ""
    trace_id: str = ""
    errors: list[FieldError] = []


SHAPES = (
    Accepted, Outcome, Happened, Tokens, Done, Erased, Noted, Letter, WholeLetter, Summary, Statistics, Health, Ready,
    Jwks, Template, Preview, Problem,
)  # fmt: skip

"""Catalogue lists every message there is: its tag, fields, meaning, and who sends and hears it."""

import inspect
from collections.abc import Iterable, Iterator, Sequence

from pydantic import BaseModel

from events.event import Event
from events.registry import COMMANDS, EVENTS, OPERATIONS, OUTCOMES
from events.topics import AUDIT
from schemas.parking import EVERYWHERE
from schemas.values import Address, Command, Item, Line
from workers.printing.shapes import fields
from workers.printing.tables import askers, hearers, recorders

PREFACE = """\
# The catalogue

Printed from the code by `make docs`: every command and event, with its tag, its fields and who hears it. The same as
JSON Schemas: `schemas/json/<tag>.json`; as AsyncAPI: [asyncapi.json](../schemas/asyncapi.json). A tag never
changes once recorded; a new shape gets a new tag and an upcaster (`events/codec.py`), and `make check` refuses a change
that could not read what is recorded or sent (`tests/gate`). Amounts are integers of minor units. What is accepted is
strict (unknown fields are refused); what is recorded is read tolerantly (unknown fields are ignored).
"""


def catalogue() -> str:
    """docs/catalogue.md."""
    return "\n".join([PREFACE, *(line for name in EVENTS for line in _context(name)), *_all_contexts(), *_values()])


def _context(name: str) -> Iterator[str]:
    yield from (f"## {name}", "", "### Commands", "", "| tag | fields | meaning | asked by |", "|---|---|---|---|")
    for command in COMMANDS[name]:
        by = "<br>".join(askers(command))
        yield f"| {_tag(command.tag, command)} | {_fields(command)} | {said(command)} | {by} |"
    yield from ("", "### Events", "", "| tag | fields | meaning | recorded upon | heard by |", "|---|---|---|---|---|")
    for event in EVENTS[name]:
        upon = "<br>".join(f"`{command.tag}`" for command in recorders(event))
        by = ", ".join(dict.fromkeys(hearers(event)))
        yield f"| {_tag(event.tag, event)} | {_fields(event)} | {said(event)} | {upon} | {by} |"
    yield ""


def _all_contexts() -> Iterator[str]:
    yield from _meanings("In every context", (*EVERYWHERE, *OUTCOMES))
    yield from _meanings(f"Of operators, on `{AUDIT.name}`", OPERATIONS)


def _meanings(title: str, models: Sequence[type[Command] | type[Event]]) -> Iterator[str]:
    yield from (f"## {title}", "", "| tag | fields | meaning |", "|---|---|---|")
    for model in models:
        yield f"| {_tag(model.tag, model)} | {_fields(model)} | {said(model)} |"
    yield ""


def _values() -> Iterator[str]:
    yield from ("## Values", "", "| value | fields | meaning |", "|---|---|---|")
    for model in (Line, Item, Address):
        yield f"| {model.__name__} | {_fields(model)} | {said(model)} |"
    yield from (
        "",
        "Commands are stricter: OrderLine and ShippingAddress, `schemas/json/order.place.json`.",
        "",
    )


def said(model: type[BaseModel]) -> str:
    """The docstring of the class itself, on one line; its base's would say nothing of it."""
    return _cell(" ".join(inspect.cleandoc(model.__dict__.get("__doc__") or "").split()))


def _tag(tag: str, model: type[BaseModel]) -> str:
    return f"`{tag}`<br>{model.__name__}"


def _fields(model: type[BaseModel]) -> str:
    return _lines(fields(model))


def _lines(lines: Iterable[str]) -> str:
    return "<br>".join(f"`{_cell(line)}`" for line in lines)


def _cell(text: str) -> str:
    return text.replace("|", "\\|")

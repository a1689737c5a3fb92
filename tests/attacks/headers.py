"""Headers that no message has, and headers that are merely odd: each way takes a record's headers and gives others."""

from collections.abc import Callable, Sequence
from random import Random

from events.envelope import LONGEST
from events.event import Event
from events.registry import COMMANDS, EVENTS
from schemas.values import Command

Headers = list[tuple[str, bytes | None]]
Spoil = Callable[[Random, str, Headers], Headers]
"""From a random source, the context whose topic it is, and the headers."""

NEEDED = ("ce_id", "ce_type", "ce_source", "ce_time", "ce_subject", "correlation", "causation", "origin")
NUMBERS = ("version", "epoch", "position")
_NO_NUMBERS = (b"", b"x", b"1.0", b"1e3", b"0x1", b"--1", b"\xff", b"1 2", b"null")
_NO_TEXT = (b"\xff", b"\xc0\x80", b"a\xed\xa0\x80", b"\x80abc")


def put(headers: Headers, name: str, value: bytes | None) -> Headers:
    """The headers with one of them so."""
    return [*((other, kept) for other, kept in headers if other != name), (name, value)]


def _without(random: Random, context: str, headers: Headers) -> Headers:
    missing = random.choice(NEEDED)
    return [(name, value) for name, value in headers if name != missing]


def _too_long(random: Random, context: str, headers: Headers) -> Headers:
    name = random.choice((*NEEDED, "traceparent", "x-unknown"))
    return put(headers, name, b"x" * random.choice((LONGEST + 1, 5000, 50_000)))


def _number(random: Random, context: str, headers: Headers) -> Headers:
    return put(headers, random.choice(NUMBERS), random.choice(_NO_NUMBERS))


def _last_of_two(random: Random, context: str, headers: Headers) -> Headers:
    return [*headers, ("ce_type", b"order.eat.v1")]


def _future(random: Random, context: str, headers: Headers) -> Headers:
    tag = random.choice([*_tags(COMMANDS[context]), *_tags(EVENTS[context])]).removesuffix(".v1")
    return put(headers, "ce_type", f"{tag}.v{random.randint(2, 99)}".encode())


def _other_kind(random: Random, context: str, headers: Headers) -> Headers:
    """A command's type among events, or an event's among commands."""
    recorded = any(name == "version" for name, _ in headers)
    tags = _tags(COMMANDS[context]) if recorded else _tags(EVENTS[context])
    return put(headers, "ce_type", random.choice(tags).encode())


def _tags(classes: Sequence[type[Command] | type[Event]]) -> list[str]:
    return [cls.tag for cls in classes]


def _always(name: str, *values: bytes | None) -> Spoil:
    return lambda random, context, headers: put(headers, name, random.choice(values))


def _any_of(names: tuple[str, ...], *values: bytes | None) -> Spoil:
    return lambda random, context, headers: put(headers, random.choice(names), random.choice(values))


UNREADABLE: dict[str, Spoil] = {
    "no headers": lambda random, context, headers: [],
    "a header is missing": _without,
    "no id": _always("ce_id", b"", None),
    "a header that is no text": _any_of(NEEDED, *_NO_TEXT),
    "a NUL in a header": _any_of((*NEEDED, "traceparent", "x-unknown"), b"a\0b", b"\0"),
    "headers without end": _too_long,
    "a number that is none": _number,
    "a number without a value": _any_of(("version", "position"), None),
}
"""An envelope cannot be read from these."""

UNKNOWN: dict[str, Spoil] = {
    "an unknown type": _always("ce_type", b"weather.change", b"os.system", b"events.order:OrderPlaced", b"*"),
    "no type": _always("ce_type", b"", b" ", None),
    "a type of the future": _future,
    "a type that goes elsewhere": _other_kind,
    "two types": _last_of_two,
}
"""An envelope can be read from these, but nobody knows its type."""


def _strangers(random: Random, context: str, headers: Headers) -> Headers:
    more: Headers = [(random.choice(("x", "", "caf\u00e9", "ce_", "content-type", "x" * 300)), b"1") for _ in range(5)]
    return [*more, *headers]


def _unknown_origin(random: Random, context: str, headers: Headers) -> Headers:
    return put(headers, "origin", b"weather-%d.events/0/1/0" % random.getrandbits(64))


def _higher_epoch(random: Random, context: str, headers: Headers) -> Headers:
    return put(headers, "epoch", b"%d" % random.choice((99, 2**31, 2**63, 10**30)))


def _no_owner(random: Random, context: str, headers: Headers) -> Headers:
    return [(name, value) for name, value in headers if name not in (*NUMBERS, "writer")]


ODD: dict[str, Spoil] = {
    "a time that is none": _always("ce_time", b"soon", b"", b"99999-01-01", b"2026-13-45T99:99", b"0"),
    "a subject of nobody": _always("ce_subject", b"weather-today", b"", b"-", b"order", b"order-\n", b"x" * 250),
    "a subject in other letters": _always("ce_subject", "order-\u202e\u0645\u0631\u062d\u0628\u0627".encode()),
    "no source": _always("ce_source", b"", None),
    "an origin that is no place": _always(
        "origin", b"a/b/c", b"", b"owner", b"a/1/2/3", b"x/-1/0", b"x/1/" + b"9" * 20
    ),
    "an origin of nobody": _unknown_origin,
    "a trace that is none": _always("traceparent", b"", b"zz", b"00-0-0-00"),
    "headers of strangers": _strangers,
    "a higher epoch": _higher_epoch,
    "a writer without a value": _always("writer", b"", None),
    "no owner": _no_owner,
}
"""An envelope can be read from these, and means what it meant."""

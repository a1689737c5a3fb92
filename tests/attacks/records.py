"""Records for the topics that a stranger could write: poison that nobody can read, and events that must not count.

Whatever is drawn follows from the random source alone, so the same seed gives the same records.
"""

from collections.abc import Callable
from random import Random
from typing import NamedTuple, TypeVar

from events.fence import CLAIM
from events.topics import events
from tests.attacks import bodies, headers
from tests.attacks.headers import Headers
from tests.attacks.samples import fresh_id, sample_command, sample_event

T = TypeVar("T")

HUGE_EVERY = 200
"""One record in so many is very large; more of them would only measure the disk."""


class Poison(NamedTuple):
    """A record as it is written, and `what` is wrong with it.

    `parked` says whether it must become a dead letter, once; else it must be passed over as if it were not there.
    """

    key: bytes | None
    value: bytes | None
    headers: Headers
    what: str
    parked: bool


def poison(random: Random, topic: str, claims: bool = False) -> Poison:
    """A record for a topic of commands or of events that changes nothing, to be written to any of its partitions.

    Every one for commands must be parked. With `claims`, a record for events may also be a claim that takes effect:
    the protocol honours it by design, for whoever may write to a topic may claim it, and the owner claims again.
    A record for events never has the writer of a claim that did: it would count, as the owner's own do.
    """
    context = topic.partition(".")[0]
    return _event(random, context, claims) if topic == events(context) else _command(random, context)


def _command(random: Random, context: str) -> Poison:
    sample = sample_command(random, context)
    key, value, named, odd = _circumstances(random, sample.key, sample.body, sample.headers)
    spoil_body, spoil_headers = random.choice(((True, False), (False, True), (True, True)))
    what = [odd] if odd else []
    if spoil_body:
        name, body = _pick(random, bodies.UNREADABLE)
        value = body(random, sample)
        what.insert(0, name)
    if spoil_headers:
        name, spoil = _pick(random, {**headers.UNREADABLE, **headers.UNKNOWN})
        named = spoil(random, context, named)
        what.insert(0, name)
    return _enlarged(random, Poison(key, value, named, ", ".join(what), True))


def _event(random: Random, context: str, claims: bool) -> Poison:
    if random.random() < 0.1:
        return _claim(random, claims)
    sample = sample_event(random, context)
    key, value, named, odd = _circumstances(random, sample.key, sample.body, sample.headers)
    what = [odd] if odd else ["a writer of nobody"]
    if random.random() < 0.5:
        name, body = _pick(random, bodies.UNREADABLE)
        value = body(random, sample)
        what.insert(0, name)
    unreadable = random.random() < 0.5
    if unreadable or random.random() < 0.5:
        name, spoil = _pick(random, headers.UNREADABLE if unreadable else headers.UNKNOWN)
        named = spoil(random, context, named)
        what.insert(0, name)
    return _enlarged(random, Poison(key, value, named, ", ".join(what), unreadable))


def _claim(random: Random, effective: bool) -> Poison:
    """A claim; one that takes no effect lacks a writer or a number above nought."""
    if effective:
        what, epoch, writer = "a claim", b"%d" % random.randint(1, 50), fresh_id(random).encode()
    else:
        what = "a claim of no effect"
        epoch, writer = random.choice(((b"7", b""), (b"0", b"w"), (b"-1", b"w"), (b"1e3", b"w"), (b"", b"w")))
    named: Headers = [("ce_type", CLAIM.encode()), ("epoch", epoch), ("writer", writer)]
    return Poison(b"claim", b"{}", named, what, False)


def _circumstances(
    random: Random, key: bytes, body: bytes, named: Headers
) -> tuple[bytes | None, bytes | None, Headers, str]:
    """Now and then something that is odd and matters to nobody: the key, or a header that says where and when."""
    dice = random.random()
    if dice < 0.15:
        name, odd_key = _pick(random, ODD_KEYS)
        return odd_key(random), body, named, name
    if dice < 0.4:
        name, odd = _pick(random, headers.ODD)
        return key, body, odd(random, "", named), name
    return key, body, named, ""


def _enlarged(random: Random, poison: Poison) -> Poison:
    if random.random() >= 1 / HUGE_EVERY:
        return poison
    if random.random() < 0.5:
        return poison._replace(value=bytes(random.randint(200_001, 900_000)), what=f"{poison.what}, a very long body")
    return poison._replace(key=b"k" * random.randint(70_000, 300_000), what=f"{poison.what}, a very long key")


ODD_KEYS: dict[str, Callable[[Random], bytes | None]] = {
    "no key": lambda random: None,
    "an empty key": lambda random: b"",
    "a key of random bytes": lambda random: random.randbytes(random.randint(1, 40)),
    "another stream's key": lambda random: f"order-{fresh_id(random)}".encode(),
    "a key with a NUL": lambda random: b"order-\0",
}


def _pick(random: Random, table: dict[str, T]) -> tuple[str, T]:
    name = random.choice(list(table))
    return name, table[name]

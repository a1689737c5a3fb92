"""Bodies that no command has: each way of spoiling one leaves bytes that cannot be read, whichever command it was."""

import gzip
import json
from collections.abc import Callable
from random import Random
from typing import Any

from tests.attacks.samples import Sample

Spoil = Callable[[Random, Sample], bytes | None]

_WRONG: dict[type, tuple[Any, ...]] = {
    str: (7, 1.5, True, None, [], {}, ["text"]),
    int: ("7", 1.5, None, [], {}, float("nan"), float("inf")),
    list: (7, None, {}, "text", {"0": 1}),
    dict: (7, None, [], "text", [{}]),
    bool: (7, "true", None, [], {}, "yes"),
}
_NO_IDS = ("", "17 ", "a b", "a/b", "../..", "%2e", "caf\u00e9", "\uff11\uff12", "a\nb", "\u202e", "a" * 65, "a" * 5000)
_SHAPES = (b"null", b"[]", b"7", b'"text"', b"true", b"{}", b"[{}]", b"NaN", b"-Infinity", b"[[[[]]]]", b"{} {}", b" ")
_CONTROLS = bytes(byte for byte in range(32) if byte not in b"\t\n\r")


def _cut(random: Random, sample: Sample) -> bytes:
    return sample.body[: random.randrange(len(sample.body))]


def _mutated(random: Random, sample: Sample) -> bytes:
    """A control character, which JSON allows nowhere, beside other changes."""
    body = bytearray(sample.body)
    for _ in range(random.randint(0, 5)):
        body[random.randrange(len(body))] = random.randrange(256)
    body[random.randrange(len(body))] = random.choice(_CONTROLS)
    return bytes(body)


def _not_utf8(random: Random, sample: Sample) -> bytes:
    at = random.randrange(len(sample.body))
    return sample.body[:at] + random.choice((b"\xff\xfe", b"\xc0\x80", b"\xed\xa0\x80", b"\x80")) + sample.body[at:]


def _without(random: Random, sample: Sample) -> bytes:
    missing = random.choice(sample.needed)
    return json.dumps({name: value for name, value in sample.fields.items() if name != missing}).encode()


def _wrong_type(random: Random, sample: Sample) -> bytes:
    name = random.choice(sample.needed)
    return _with(sample, name, random.choice(_WRONG[type(sample.fields[name])]))


def _surplus(random: Random, sample: Sample) -> bytes:
    name = random.choice(("surprise", "__class__", "tag", "", "order_id\u0000", "$ref", "constructor"))
    return _with(sample, name, random.choice((1, None, {"a": []}, "x" * 1000)))


def _twice(random: Random, sample: Sample) -> bytes:
    """The same name again, with a value that it cannot have: the last one counts."""
    return sample.body[:-1] + b', "%s": null}' % random.choice(sample.needed).encode()


def _deep(random: Random, sample: Sample) -> bytes:
    depth = random.choice((200, 1000, 20_000))
    begin, end = random.choice(((b"[", b"]"), (b'{"a":', b"}")))
    return sample.body[:-1] + b', "deep": ' + begin * depth + b"1" + end * depth + b"}"


def _with(sample: Sample, name: str, value: Any) -> bytes:
    return json.dumps({**sample.fields, name: value}).encode()


UNREADABLE: dict[str, Spoil] = {
    "no value": lambda random, sample: None,
    "an empty body": lambda random, sample: b"",
    "random bytes": lambda random, sample: random.randbytes(random.randint(1, 500)),
    "truncated JSON": _cut,
    "mutated JSON": _mutated,
    "no UTF-8": _not_utf8,
    "a byte order mark": lambda random, sample: b"\xef\xbb\xbf" + sample.body,
    "UTF-16": lambda random, sample: sample.body.decode().encode("utf-16"),
    "compressed": lambda random, sample: gzip.compress(sample.body, mtime=0),
    "JSON of another shape": lambda random, sample: random.choice(_SHAPES),
    "a list of it": lambda random, sample: b"[" + sample.body + b"]",
    "it as a text": lambda random, sample: json.dumps(sample.body.decode()).encode(),
    "a field is missing": _without,
    "a field of another type": _wrong_type,
    "an unknown field": _surplus,
    "a field twice": _twice,
    "an id that is none": lambda random, sample: _with(sample, sample.name, random.choice(_NO_IDS)),
    "an endless number": lambda random, sample: _with(sample, sample.name, 10 ** random.choice((19, 400, 4000))),
    "a NUL": lambda random, sample: _with(sample, sample.name, "a\0b"),
    "a lone surrogate": lambda random, sample: _with(sample, sample.name, "\ud800"),
    "nesting without end": _deep,
}
"""Ways to spoil a command's body; the name says what is wrong."""

"""Bookmarks say up to where somebody has heard a live stream: the ids of its events, opaque and good for it alone.

A bookmark is no secret and opens nothing: it is checked so that one that was cut, mistyped or given by another stream
is refused instead of skipping or repeating what happened.
"""

from collections.abc import Sequence
from hashlib import sha256

from api.problems import Problem, field_error, invalid
from schemas import words

LONGEST = 200
_CHECK = 8
_FAR = 2**62


def write(stream: str, *place: int) -> str:
    """A place in a stream as an opaque word."""
    said = ".".join(map(str, place)).encode()
    return words.written(_check(stream, said) + said)


def read(stream: str, word: str, length: int) -> Sequence[int]:
    """The place, of so many numbers, that this stream has given.

    Raises:
        Problem: 422, if it has not.
    """
    try:
        raw = words.read(word)
        check, said = raw[:_CHECK], raw[_CHECK:]
        place = tuple(map(int, said.decode("ascii").split(".")))
    except ValueError:
        raise _strange() from None
    if check != _check(stream, said) or len(place) != length or not all(0 <= number < _FAR for number in place):
        raise _strange()
    return place


def _check(stream: str, said: bytes) -> bytes:
    return sha256(stream.encode() + b"\n" + said).digest()[:_CHECK]


def _strange() -> Problem:
    said = "is not an id that this stream has given; leave it out to begin anew"
    return invalid([field_error(["Last-Event-ID"], said, "last_event_id")])

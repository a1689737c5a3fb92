"""Answers are what owners were told of their commits: whoever is told that it is written may tell others."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import NamedTuple
from unittest.mock import patch

from events.envelope import Envelope
from events.fenced import Owner
from events.log import Place


class Answered(NamedTuple):
    """A commit, as its owner knows it."""

    place: Place
    base: int
    records: int


@contextmanager
def noted(answered: list[Answered]) -> Iterator[None]:
    """Note every commit that an owner takes for effective."""
    whole = Owner.append

    async def append(self: Owner, commit: Sequence[tuple[Envelope, bytes]]) -> int:
        base = await whole(self, commit)
        answered.append(Answered(self.place, base, len(commit)))
        return base

    with patch.object(Owner, "append", append):
        yield

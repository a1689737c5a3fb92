"""Accounts are what login needs of passwords: their hashes (argon2), off the event loop."""

from functools import cache
from typing import NamedTuple
from uuid import uuid4

from anyio import CapacityLimiter, to_thread
from pwdlib import PasswordHash
from pwdlib.hashers.argon2 import Argon2Hasher

from api.problems import Problem

_BESIDE = 2
_QUEUE = 32
"""A hash costs a core for tens of milliseconds: more than these would only wait for each other."""

_hasher = PasswordHash((Argon2Hasher(),))


@cache
def _nobodys() -> str:
    """A hash that no password has."""
    return _hasher.hash(str(uuid4()))


class Verified(NamedTuple):
    """Whether a password is right; `newer` is its hash as made today, if the one that is kept was made otherwise."""

    right: bool
    newer: str | None


class Passwords:
    """Hashes, two at a time."""

    def __init__(self) -> None:
        self._limiter = CapacityLimiter(_BESIDE)
        _nobodys()  # made now, or the first login with an unknown address would take longer than others

    async def hash(self, password: str) -> str:
        """The password's hash.

        Raises:
            Problem: 503, when too many wait.
        """
        self._refuse_crowd()
        return await to_thread.run_sync(_hasher.hash, password, limiter=self._limiter)

    async def verify(self, password: str, hashed: str) -> Verified:
        """Whether it is the password. Without a hash, as there is no account, it takes as long and says no.

        Raises:
            Problem: 503, when too many wait.
        """
        self._refuse_crowd()
        return await to_thread.run_sync(_verify, password, hashed, limiter=self._limiter)

    def _refuse_crowd(self) -> None:
        if self._limiter.statistics().tasks_waiting >= _QUEUE:
            raise Problem("Busy")


def _verify(password: str, hashed: str) -> Verified:
    right, newer = _hasher.verify_and_update(password, hashed or _nobodys())
    return Verified(right and bool(hashed), newer)

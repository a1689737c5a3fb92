"""KeysApart are the persons' keys, asked for over HTTP: for processes beside the one that runs the user context."""

import base64
import time
from collections.abc import Sequence

from httpx2 import TransportError

from projections.person_keys import Secrets
from projections.postgres import DatabaseUnavailable
from schemas.client.connection import Connection, Problem
from schemas.house import proof

PATH = "/keys"
TARGET = f"POST {PATH}"
MANY = 500
"""Persons in one question."""
AGAIN = 1.0
"""Seconds for which one that is busy is asked again."""


class KeysApart:
    """The user context behind a URL; empty where nobody has said where it is."""

    def __init__(self, url: str, secret: str) -> None:
        self._url, self._secret = url, secret
        self._connection: Connection | None = None

    async def fetch(self, persons: Sequence[str], make: bool) -> Secrets:
        """As Source.fetch."""
        if not self._url:
            raise DatabaseUnavailable("keys of persons are with the user context: ORDERLOG_KEYS_URL says where")
        found: dict[str, bytes | None] = {}
        for first in range(0, len(persons), MANY):
            found |= await self._asked(list(persons[first : first + MANY]), make)
        return found

    async def destroy(self, person: str) -> None:
        """Nothing that is asked for from here."""
        raise RuntimeError("keys are destroyed by the user context itself")

    async def aclose(self) -> None:
        """Let connections go."""
        if self._connection is not None:
            await self._connection.close()
            self._connection = None

    async def _asked(self, persons: list[str], make: bool) -> dict[str, bytes | None]:
        if self._connection is None:  # it belongs to the loop in which it is first used
            self._connection = Connection(self._url)
        headers = {"Authorization": proof(self._secret, TARGET, time.time())}
        body = {"persons": persons, "make": make}
        try:
            said = await self._connection.ask("POST", PATH, headers=headers, body=body, patience=AGAIN)
        except (Problem, TransportError) as error:
            raise DatabaseUnavailable(f"persons' keys cannot be had: {error}") from error
        return {person: base64.b64decode(key) if key else None for person, key in said["keys"].items()}

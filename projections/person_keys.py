"""PersonKeys are the keys that personal texts are sealed with, one a person: a table of the user context.

It is the one thing beside the log that does not come back from it, and must not: what is to be forgotten cannot lie in
what is kept for ever (docs/decisions/0015-persons-have-keys.md). A destroyed key leaves its row, so that nobody gets a
second one.
"""

import asyncio
import logging
import time
from collections import OrderedDict
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Protocol

from msgspec import json

from projections.gathered import Gathered
from projections.postgres import Connection, Database
from schemas.mark import ERASED, UNREADABLE, person_of
from schemas.personal import sealed, tells
from schemas.sealing import Broken, PersonKey, new_secret, replaced_in, sealed_in
from schemas.values import Command

logger = logging.getLogger(__name__)

DDL = """
CREATE TABLE IF NOT EXISTS person_keys (
  person text PRIMARY KEY, key bytea, made_at timestamptz NOT NULL DEFAULT now(), destroyed_at timestamptz,
  CHECK ((key IS NULL) = (destroyed_at IS NOT NULL))
);
"""
_FIND = "SELECT person, key FROM person_keys WHERE person = ANY(%(persons)s)"
_MAKE = """
INSERT INTO person_keys (person, key) SELECT * FROM unnest(%s::text[], %s::bytea[]) ON CONFLICT DO NOTHING
"""
_DESTROY = """
INSERT INTO person_keys (person, key, destroyed_at) VALUES (%s, NULL, now())
ON CONFLICT (person) DO UPDATE SET key = NULL, destroyed_at = now() WHERE person_keys.key IS NOT NULL
"""

FRESH = 30.0
"""Seconds for which a process goes by a key that it has asked for, while it hears of those that are destroyed."""
ALONE = 1.0
"""The same, while it does not: so long may it read what was just erased."""
REMEMBERED = 10_000
"""Keys that a process keeps in mind."""

Secrets = Mapping[str, bytes | None]
"""By person; None where it was destroyed. Who never had one is not there."""


class Erased(Exception):
    """The person's key has been destroyed: nothing more is recorded of them."""


class KeyMissing(Exception):
    """A text is sealed with a key that nobody has, nor has anybody destroyed it: the table of keys is not all there."""


class Source(Protocol):
    """Where the keys are."""

    async def fetch(self, persons: Sequence[str], make: bool) -> Secrets:
        """These persons' keys; with `make`, whoever has none gets one, which is safe before this returns.

        Raises:
            DatabaseUnavailable: nobody can say.
        """

    async def destroy(self, person: str) -> None:
        """Destroy a key for good, also one that was never made.

        Raises:
            DatabaseUnavailable: nobody can say.
        """


class KeyTable:
    """The table, for processes that run the user context."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def fetch(self, persons: Sequence[str], make: bool) -> Secrets:
        """As Source.fetch."""
        found = await self._found(persons)
        missing = sorted(set(persons) - found.keys()) if make else []
        if missing:
            async with self._durably() as connection:
                await connection.execute(_MAKE, [missing, [new_secret() for _ in missing]])
            found |= await self._found(missing)  # somebody else's, where two have made one
        return found

    async def _found(self, persons: Sequence[str]) -> dict[str, bytes | None]:
        rows = await self._database.fetch(_FIND, {"persons": list(persons)})
        return {row["person"]: row["key"] for row in rows}

    @asynccontextmanager
    async def _durably(self) -> AsyncIterator[Connection]:
        """A transaction that waits for the disk: what is sealed with a key that a crash takes is lost."""
        async with self._database.transaction() as connection:
            await connection.execute("SET LOCAL synchronous_commit = on")
            yield connection

    async def destroy(self, person: str) -> None:
        """As Source.destroy."""
        async with self._durably() as connection:
            await connection.execute(_DESTROY, [person])


class KeysInMemory:
    """The twin of the table."""

    def __init__(self) -> None:
        self.secrets: dict[str, bytes | None] = {}

    async def fetch(self, persons: Sequence[str], make: bool) -> Secrets:
        """As Source.fetch."""
        if make:
            for person in persons:
                self.secrets.setdefault(person, new_secret())
        return {person: self.secrets[person] for person in persons if person in self.secrets}

    async def destroy(self, person: str) -> None:
        """As Source.destroy."""
        self.secrets[person] = None


class PersonKeys:
    """What seals and opens, for one process; keys are kept in mind for a moment. `wanted` once one was asked for."""

    def __init__(self, source: Source) -> None:
        self.source = source
        self._known: OrderedDict[str, tuple[float, PersonKey | None]] = OrderedDict()
        self._fresh, self._forgotten = ALONE, 0
        self.wanted = asyncio.Event()
        self._make = Gathered(lambda persons: source.fetch(persons, True))
        self._find = Gathered(lambda persons: source.fetch(persons, False))

    async def sealed(self, command: Command, person: str) -> Command:
        """The command as it may be recorded, its personal texts being this person's.

        Raises:
            Erased: nothing more is recorded of them.
            DatabaseUnavailable: their key cannot be had now.
        """
        if not tells(command):
            return command
        return sealed(command, await self.key(person))

    async def key(self, person: str) -> PersonKey:
        """The person's key, which is made if there was none.

        Raises:
            Erased: it has been destroyed.
            DatabaseUnavailable: it cannot be had now.
        """
        found = (await self._all({person}, self._make))[person]
        if found is None:
            raise Erased(person)
        return found

    async def opened(self, text: str) -> str:
        """The text, if it is sealed, as it was said; `erased` where nobody can read it any more.

        Raises:
            KeyMissing: there should be a key.
            DatabaseUnavailable: it cannot be had now.
        """
        person = person_of(text)
        if person is None:
            return text
        keys = await self._all({person}, self._find)
        if person not in keys:
            raise KeyMissing(f"there is no key of {person}")
        return _read(text, keys[person])

    async def opened_json(self, raw: bytes) -> bytes:
        """The JSON document with every sealed string opened; `unreadable` stands for those whose key is not there.

        Raises:
            DatabaseUnavailable: keys cannot be had now.
        """
        if not (found := sealed_in(raw)):
            return raw
        persons = set(found.values())
        keys = await self._all(persons, self._find)
        if lost := persons - keys.keys():
            logger.error("there is no key of %s: the table of keys is not all there", ", ".join(sorted(lost)[:5]))
        said = {
            string: _read(string[1:-1].decode(), keys[person]) if person in keys else UNREADABLE
            for string, person in found.items()
        }
        return replaced_in(raw, {string: json.encode(text) for string, text in said.items()})

    async def destroy(self, person: str) -> None:
        """Destroy a person's key.

        Raises:
            DatabaseUnavailable: nobody knows whether it is.
        """
        await self.source.destroy(person)
        self.forget(person)

    def forget(self, person: str) -> None:
        """Ask anew when the person's key is wanted next."""
        self._known.pop(person, None)
        self._forgotten += 1

    def hears(self, of_destroyed: bool) -> bool:
        """Whether somebody tells us, from now on, whose key to forget; what was known before may be destroyed.

        Gives back whether somebody did until now.
        """
        heard, self._fresh = self._fresh == FRESH, FRESH if of_destroyed else ALONE
        self._known.clear()
        self._forgotten += 1
        return heard

    async def _all(self, persons: set[str], ask: Gathered[bytes | None]) -> dict[str, PersonKey | None]:
        now = time.monotonic()
        keys = {p: self._known[p][1] for p in persons if p in self._known and self._known[p][0] > now}
        if missing := persons - keys.keys():
            self.wanted.set()
            forgotten = self._forgotten
            for person, secret in (await ask(missing)).items():
                keys[person] = PersonKey(person, secret) if secret else None
                if forgotten == self._forgotten:  # else this may be the key of just before it was destroyed
                    self._remember(person, keys[person])
        return keys

    def _remember(self, person: str, key: PersonKey | None) -> None:
        self._known[person] = time.monotonic() + self._fresh, key
        self._known.move_to_end(person)
        if len(self._known) > REMEMBERED:
            self._known.popitem(last=False)


def _read(text: str, key: PersonKey | None) -> str:
    try:
        return key.open(text) if key else ERASED
    except Broken:
        logger.error("what is said to be sealed for %s does not open", key and key.person)
        return UNREADABLE

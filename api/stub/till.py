"""The till answers each idempotency key once: the same key again gets the same answer, whatever happened since."""

from collections import defaultdict
from datetime import UTC, datetime, timedelta

from api.stub.book import BRIEF_TOKEN, Ask, Book, Entry
from api.stub.ledger import Ledger

BRIEFLY = timedelta(seconds=2)


class KeyReused(ValueError):
    """This Idempotency-Key was used with another request."""


class Till:
    """The book in memory, the ledger in its file, and which key made which entry.

    Authorizations last for ever, or as long as they are said to, by a clock that may be put `ahead`.
    """

    def __init__(self, ledger: Ledger, lasting: timedelta | None = None) -> None:
        self.ahead, self._lasting = timedelta(), lasting
        self.book = Book()
        self.ledger = ledger
        self.replays = 0
        self._by_key: dict[str, Entry] = {}
        self._by_reference: defaultdict[str, list[Entry]] = defaultdict(list)
        for entry in ledger.entries:
            self._remember(entry)

    def settle(self, ask: Ask, key: str, declined: str = "") -> tuple[Entry, bool]:
        """The entry of this key, which is in the ledger, and whether it is a replay.

        Raises:
            KeyReused: if the key came with another request before.
            NotFoundHere: if there is no such authorization or capture; nothing is recorded.
        """
        known = self._by_key.get(key)
        if known is not None and known.fingerprint != ask.fingerprint:
            raise KeyReused(key)
        entry = known or self._record(ask, key, declined)
        self.replays += known is not None
        return entry, known is not None

    def entries(self, reference: str | None, after: int, limit: int) -> list[Entry]:
        """Entries numbered above `after`, of one payment or of all."""
        if reference is None:
            return self.ledger.entries[after : after + limit]
        found = self._by_reference.get(reference, [])
        return [entry for entry in found if after < entry.seq][:limit]

    def _record(self, ask: Ask, key: str, declined: str) -> Entry:
        now = datetime.now(UTC) + self.ahead
        lasting = BRIEFLY if ask.token == BRIEF_TOKEN else self._lasting
        until = (now + lasting).isoformat() if lasting else ""
        entry = self.book.decide(ask, key, now.isoformat(), declined, until)
        self._remember(entry)
        self.ledger.append(entry)
        return entry

    def _remember(self, entry: Entry) -> None:
        self.book.apply(entry)
        self._by_key[entry.key] = entry
        self._by_reference[entry.reference].append(entry)

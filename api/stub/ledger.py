"""The ledger is an append-only file of JSON lines: an entry is in the file before anybody hears of it.

Written, not synced: it outlives the process, as the log does whose broker does not sync either. A provider is another
house with another disk; here its syncs would stand in the way of the broker and the database they share a disk with.
"""

import os
from pathlib import Path

import msgspec

from api.stub.book import Entry


class Ledger:
    """One file, one writer."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self.entries = _load(path)
        self._file = path.open("ab", buffering=0)

    def append(self, entry: Entry) -> None:
        """Put an entry into the file."""
        try:
            rest = memoryview(msgspec.json.encode(entry) + b"\n")
            while rest:
                rest = rest[self._file.write(rest) :]
        except OSError:
            # The book is ahead of the file now: only a restart from the file makes them agree again.
            os._exit(74)
        self.entries.append(entry)

    def close(self) -> None:
        """Let the file go."""
        self._file.close()


def _load(path: Path) -> list[Entry]:
    """The entries of the file; a last line that was cut short was never answered, and is cut off."""
    data = path.read_bytes() if path.exists() else b""
    whole = data.rfind(b"\n") + 1
    if whole < len(data):
        os.truncate(path, whole)
    decoder = msgspec.json.Decoder(Entry)
    return [decoder.decode(line) for line in data[:whole].splitlines()]

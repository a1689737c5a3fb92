"""The ledger is an append-only file of JSON lines: an entry is on the disk before anybody hears of it."""

import asyncio
import os
from pathlib import Path

import msgspec

from api.stub.book import Entry


class Ledger:
    """One file, one writer; entries of concurrent requests share an fsync."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self.entries = _load(path)
        self.durable = len(self.entries)
        self._file = path.open("ab", buffering=0)
        _sync_folder(path.parent)
        self._waiting: list[Entry] = []
        self._flush: asyncio.Task[None] | None = None
        self._written = asyncio.Event()

    def append(self, entry: Entry) -> None:
        """Put an entry in line for the disk, in order; `until` tells when it is there."""
        self._waiting.append(entry)
        if self._flush is None or self._flush.done():
            self._flush = asyncio.create_task(self._write_all())

    async def until(self, seq: int) -> None:
        """Return when the entry of this number, and so all before it, are on the disk."""
        while self.durable < seq:
            await self._written.wait()

    def close(self) -> None:
        """Let the file go."""
        self._file.close()

    async def _write_all(self) -> None:
        while self._waiting:
            batch, self._waiting = self._waiting, []
            await asyncio.to_thread(self._write, b"".join(msgspec.json.encode(e) + b"\n" for e in batch))
            self.entries.extend(batch)
            self.durable = batch[-1].seq
            self._written.set()
            self._written = asyncio.Event()

    def _write(self, lines: bytes) -> None:
        try:
            view = memoryview(lines)
            while view:
                view = view[self._file.write(view) :]
            os.fsync(self._file.fileno())
        except OSError:
            # The book is ahead of the disk now: only a restart from the disk makes them agree again.
            os._exit(74)


def _load(path: Path) -> list[Entry]:
    """The entries of the file; a last line that was cut short was never answered, and is cut off."""
    data = path.read_bytes() if path.exists() else b""
    whole = data.rfind(b"\n") + 1
    if whole < len(data):
        os.truncate(path, whole)
    decoder = msgspec.json.Decoder(Entry)
    return [decoder.decode(line) for line in data[:whole].splitlines()]


def _sync_folder(folder: Path) -> None:
    """Make a new file's name as durable as its content."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)

"""Folder is where an export lies: what was asked for, how far each context has come, and which files count.

A file counts if its number is below its context's `steps`. The mark that says so is replaced in one step, after all its
files are in place: whoever is killed in between leaves files that do not count, and the next one deletes them.
"""

import os
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from msgspec import DecodeError, Struct, ValidationError, json

from events.fence import Fence
from events.selection import Selection
from workers.local.locks import take_lock
from workers.operator.terms import Refused

ASKED, LOCK, PART = "export.json", "lock", ".part"
FORMATS = {"parquet": "parquet", "csv": "csv", "jsonl": "jsonl"}
PATIENCE = 5.0
"""Seconds for which processes of an export that was killed are waited for."""


class Asked(Struct, frozen=True):
    """What an export is of: the log's id, the format, former shapes as recorded or upcast, the filters."""

    log: str
    format: str = "parquet"
    recorded: bool = False
    selection: Selection = Selection()


class Mark(Struct):
    """How far a context has come: the steps and events that count, and how far each partition was read."""

    steps: int = 0
    events: int = 0
    partitions: dict[str, Fence] = {}


@contextmanager
def opened(folder: Path, asked: Asked) -> Iterator[int]:
    """The folder, for this process and those it starts (they get the descriptor), and ready to be added to.

    Raises:
        Refused: it holds something else, or an export of something else, or cannot be written.
    """
    try:
        there = set(os.listdir(folder)) if folder.exists() else set()
        if ASKED not in there and there - {LOCK, "." + ASKED + PART}:
            raise Refused(f"{folder} holds something else: name a folder that is new or empty, or an export's")
        _fits(folder, asked)
        folder.mkdir(parents=True, exist_ok=True)
        lock = os.open(folder / LOCK, os.O_RDWR | os.O_CREAT, 0o644)
    except OSError as error:
        raise Refused(f"{folder} cannot be written: {error.strerror}") from None
    try:
        _take(folder, lock)
        if not _fits(folder, asked):
            replace(folder / ASKED, json.encode(asked))
        for left in leftovers(folder):
            left.unlink()
        yield lock
    finally:
        os.close(lock)


def _fits(folder: Path, asked: Asked) -> bool:
    """Whether it is an export of the same; False if it is none yet.

    Raises:
        Refused: it is one of something else.
    """
    former = read(folder)
    if former is not None and former != asked:
        raise Refused(f"{folder} is an export of {told(former)}, and this would be one of {told(asked)}: "
                      "name another folder, or ask for the same")  # fmt: skip
    return former is not None


def _take(folder: Path, lock: int) -> None:
    deadline = time.monotonic() + PATIENCE
    while not take_lock(lock):
        if time.monotonic() > deadline:
            owner = os.pread(lock, 20, 0).decode(errors="replace").strip()
            raise Refused(f"{folder} is being added to by process {owner}: wait until it has ended")
        time.sleep(0.05)
    os.ftruncate(lock, 0)
    os.pwrite(lock, b"%d" % os.getpid(), 0)


def read(folder: Path) -> Asked | None:
    """What a folder is an export of; None if it is none.

    Raises:
        Refused: nobody can read that.
    """
    try:
        return json.decode((folder / ASKED).read_bytes(), type=Asked)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except (DecodeError, ValidationError) as error:
        raise Refused(f"{folder / ASKED} cannot be read: {error}; delete the folder, and export anew") from None


def mark(folder: Path, context: str) -> Mark:
    """How far a context has come.

    Raises:
        Refused: nobody can read that.
    """
    file = _mark(folder, context)
    try:
        return json.decode(file.read_bytes(), type=Mark)
    except FileNotFoundError:
        return Mark()
    except (DecodeError, ValidationError) as error:
        raise Refused(f"{file} cannot be read: {error}; delete the folder, and export anew") from None


def commit(
    folder: Path, context: str, former: Mark, parts: Sequence[str], events: int, came: Mapping[int, Fence]
) -> Mark:
    """Let files count that have been written under another name, and what was read with them."""
    for part in parts:
        place, _, name = part.rpartition("/")
        os.rename(folder / part, folder / place / f"{former.steps:06d}.{name.split('.')[-2]}")
    partitions = former.partitions | {str(partition): fence for partition, fence in came.items()}
    now = Mark(former.steps + bool(parts), former.events + events, partitions)
    if parts:
        os.sync()  # one for all of them: each alone would cost as much
    file = _mark(folder, context)
    file.parent.mkdir(exist_ok=True)
    replace(file, json.encode(now))
    return now


def counted(folder: Path, contexts: Iterable[str] | None = None) -> Iterator[Path]:
    """The files that count."""
    for place in sorted((folder / "data").glob("context=*")):
        context = place.name.partition("=")[2]
        if contexts is None or context in contexts:
            steps = mark(folder, context).steps
            yield from (file for file in sorted(_files(place)) if _step(file) < steps)


def leftovers(folder: Path) -> Iterator[Path]:
    """The files that an export has left behind that was killed."""
    for place in (folder / "data").glob("context=*"):
        steps = mark(folder, place.name.partition("=")[2]).steps
        yield from (file for file in _files(place) if _step(file) >= steps)


def replace(file: Path, content: bytes) -> None:
    """Write a file that appears at once, or not at all, whatever happens."""
    part = file.with_name(f".{file.name}{PART}")
    with part.open("wb") as out:
        out.write(content)
        out.flush()
        os.fsync(out.fileno())
    part.rename(file)
    folder = os.open(file.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def told(asked: Asked) -> str:
    """What was asked for, in words."""
    wanted = json.decode(json.encode(asked.selection))
    if asked.selection.contexts == Selection().contexts:
        wanted.pop("contexts", None)
    filters = ", ".join(f"{name} {_words(value)}" for name, value in wanted.items()) or "everything"
    shapes = "as recorded" if asked.recorded else "upcast"
    return f"{filters}, as {asked.format}, {shapes}, from the log {asked.log}"


def _words(value: object) -> str:
    return "+".join(map(str, value)) if isinstance(value, list) else json.encode(value).decode().strip('"')


def _mark(folder: Path, context: str) -> Path:
    return folder / "positions" / f"{context}.json"


def _files(place: Path) -> Iterator[Path]:
    for at, _, names in os.walk(place):
        yield from (Path(at, name) for name in names)


def _step(file: Path) -> float:
    """The number of a file's step; none has that of a part."""
    number = file.name.partition(".")[0]
    return int(number) if number.isdigit() else float("inf")

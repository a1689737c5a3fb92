"""Where each server comes from: the first of four ways that is possible, and a sentence on why.

An address in the environment, a server that listens on the usual port already, the machine's own programs, wheels.
"""

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from workers.local import probe
from workers.local.errors import LauncherError, Unavailable
from workers.local.fetch import OnProgress
from workers.local.home import Home
from workers.local.kafka import Kafka
from workers.local.postgres import Postgres

WAYS = ("url", "running", "system", "wheel")
Say = Callable[[str], None]
Own = Kafka | Postgres


@dataclass(frozen=True)
class Server:
    """A server to use: `url` is `host:port` for Kafka, and an administrator's URL for Postgres."""

    kind: str
    url: str
    origin: str
    started_by_us: bool = False
    log: Path | None = None
    pid: int | None = None


@dataclass(frozen=True)
class Kind:
    """What there is to know about one kind of server."""

    name: str
    title: str
    variable: str
    usual: str
    problem: Callable[[str], str | None]
    packages: str


KAFKA = Kind("kafka", "Kafka", "ORDERLOG_KAFKA", "127.0.0.1:9092", probe.kafka, "a Java of 17 or newer")
POSTGRES = Kind(
    "postgres",
    "Postgres",
    "ORDERLOG_POSTGRES",
    "postgresql://orderlog@127.0.0.1:5432/postgres",
    probe.postgres,
    "Postgres 15 or newer",
)


def resolve(kind: Kind, home: Home, say: Say, progress: OnProgress | None) -> Server | Own:
    """A server that runs elsewhere, or one that is ours to start."""
    reasons = []
    for way in ways(kind):
        try:
            return take(kind, way, home, say, progress)
        except Unavailable as why:
            reasons.append(f"  {way}: {why}")
        except LauncherError as why:
            raise LauncherError(f"{why}\n{ways_out(kind)}") from why
    raise LauncherError("\n".join([f"No {kind.title} could be found or started.", *reasons, ways_out(kind)]))


def ways(kind: Kind) -> tuple[str, ...]:
    only = os.environ.get(f"{kind.variable}_FROM")
    if only and only not in WAYS:
        raise LauncherError(f"{kind.variable}_FROM is {only!r}; it may be {', '.join(WAYS)}.")
    return (only,) if only else WAYS


def take(kind: Kind, way: str, home: Home, say: Say, progress: OnProgress | None) -> Server | Own:
    match way:
        case "url":
            return named(kind, say)
        case "running":
            return running(kind, say)
        case _:
            own = Kafka(home, way, progress) if kind is KAFKA else Postgres(home, way, say)
            say(f"{kind.title}: starting {own} on port {own.port}")
            return own


def named(kind: Kind, say: Say) -> Server:
    """The address in the environment is taken at its word: what it needs may be more than a probe can say."""
    url = os.environ.get(kind.variable)
    if not url:
        raise Unavailable(f"{kind.variable} is not set")
    why = kind.problem(url)
    say(f"{kind.title}: {shown(url)}, from {kind.variable}" + (f"; for now it {why}" if why else ""))
    return Server(kind.name, url, "url")


def running(kind: Kind, say: Say) -> Server:
    why = kind.problem(kind.usual)
    if why is None:
        say(f"{kind.title}: using the one that runs already, {kind.usual}")
        return Server(kind.name, kind.usual, "running")
    if why != probe.SILENT:
        say(f"{kind.title}: not using {kind.usual}, for it {why}")
    raise Unavailable(f"{kind.usual} {why}")


def shown(url: str) -> str:
    """The address without its password."""
    scheme, mark, rest = url.rpartition("://")
    user, at, place = rest.rpartition("@")
    return f"{scheme}{mark}{user.split(':')[0]}{at}{place}"


def ways_out(kind: Kind) -> str:
    return (
        f"Either name a running one ({kind.variable}={kind.usual}), or `docker compose up`, "
        f"or install {kind.packages} with apt or brew, or `pip install 'orderlog[local]'`."
    )

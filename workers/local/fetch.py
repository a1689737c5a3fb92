"""Fetching Kafka's jars, through jgo, into Maven's ordinary cache; what is there already costs no network."""

import base64
import fcntl
import hashlib
import os
import time
import warnings
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from workers.local.errors import LauncherError, Unavailable
from workers.local.kafka_jars import JARS, KAFKA

AT_ONCE, ATTEMPTS = 4, 3


@dataclass(frozen=True)
class Progress:
    """How far a download has come."""

    what: str
    done: int
    total: int
    megabytes: float
    seconds: float

    def __str__(self) -> str:
        return f"{self.what}: {self.done} of {self.total}, {self.megabytes:.0f} MB, {self.seconds:.0f} s"


OnProgress = Callable[[Progress], None]


@dataclass(frozen=True)
class Jar:
    group: str
    name: str
    version: str
    digest: str

    @classmethod
    def parse(cls, line: str) -> "Jar":
        coordinates, digest = line.split()
        group, name, version = coordinates.split(":")
        return cls(group, name, version, digest)

    def path(self, cache: Path) -> Path:
        folder = cache.joinpath(*self.group.split("."), self.name, self.version)
        return folder / f"{self.name}-{self.version}.jar"

    def is_whole(self, cache: Path) -> bool:
        """Whether it is cached and is what it should be; a fetch that was killed leaves half a jar behind."""
        try:
            content = self.path(cache).read_bytes()
        except OSError:
            return False
        return hashlib.sha256(content).digest() == base64.b64decode(self.digest)


def kafka_jars(progress: OnProgress | None = None) -> list[Path]:
    """The broker's class path, fetched where needed."""
    return cached([Jar.parse(line) for line in JARS.strip().splitlines()], progress)


def cached(jars: list[Jar], progress: OnProgress | None = None) -> list[Path]:
    """Where these jars are, fetched where needed."""
    cache = Path(os.environ.get("M2_REPO") or Path.home() / ".m2" / "repository")
    if not all(jar.is_whole(cache) for jar in jars):
        cache.mkdir(parents=True, exist_ok=True)
        with (cache / ".orderlog.lock").open("w") as lock:  # two projects may start for the first time at once
            fcntl.flock(lock, fcntl.LOCK_EX)
            fetch_all([jar for jar in jars if not jar.is_whole(cache)], cache, progress)
    return [jar.path(cache) for jar in jars]


def fetch_all(jars: list[Jar], cache: Path, progress: OnProgress | None) -> None:
    context = maven(cache)
    pool = ThreadPoolExecutor(AT_ONCE)
    try:
        report([pool.submit(fetch, jar, cache, context) for jar in jars], progress)
    except Exception as error:
        raise LauncherError(
            f"Kafka's jars could not be fetched (a mirror may be named: ORDERLOG_MAVEN): {error}"
        ) from error
    finally:
        pool.shutdown(wait=False, cancel_futures=True)


def report(fetches: list[Future[int]], progress: OnProgress | None) -> None:
    began, size = time.monotonic(), 0
    for done, fetched in enumerate(as_completed(fetches), 1):
        size += fetched.result()
        if progress is not None:
            seconds = time.monotonic() - began
            progress(Progress(f"Kafka {KAFKA} jars", done, len(fetches), size / 1e6, seconds))


def fetch(jar: Jar, cache: Path, context: Any) -> int:
    """Fetch one jar, check it, and return its size in bytes."""
    for attempt in range(1, ATTEMPTS + 1):
        jar.path(cache).unlink(missing_ok=True)
        try:
            context.project(jar.group, jar.name).at_version(jar.version).artifact().resolve()
        except Exception:
            if attempt == ATTEMPTS:
                raise
            continue
        if jar.is_whole(cache):
            return jar.path(cache).stat().st_size
    raise LauncherError(f"{jar.path(cache).name} arrived {ATTEMPTS} times with another checksum than expected")


def maven(cache: Path) -> Any:
    """jgo's way to the jars; ORDERLOG_MAVEN names a mirror to use instead of the public one."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # a machine without XDG_RUNTIME_DIR is warned about at import
            from jgo.maven import MavenContext
    except ImportError as error:
        raise Unavailable("jgo, which fetches Kafka's jars, is not installed: pip install 'orderlog[local]'") from error
    mirror = os.environ.get("ORDERLOG_MAVEN")
    return MavenContext(repo_cache=cache, local_repos=[], remote_repos={"mirror": mirror} if mirror else None)

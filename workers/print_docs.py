"""PrintDocs writes what the code can say of itself: `python -m workers.print_docs`; `--check` names what is stale."""

import argparse
import sys
from pathlib import Path

from workers.printing.asyncapi import asyncapi
from workers.printing.catalogue import catalogue
from workers.printing.choreography import choreography
from workers.printing.command_line import command_line
from workers.printing.shapes import files

ROOT = Path(__file__).parent.parent


def pages() -> dict[str, str]:
    """Every printed file, by its path."""
    return {
        "docs/choreography.md": choreography(),
        "docs/catalogue.md": catalogue(),
        "schemas/asyncapi.json": asyncapi(),
        "docs/command-line.md": command_line(),
        **files(),
    }


def stale(root: Path, wanted: dict[str, str]) -> list[str]:
    """The files that say something else than the code, are missing, or describe what is gone."""
    differing = [path for path, text in wanted.items() if _read(root / path) != text]
    there = {path.relative_to(root).as_posix() for path in (root / "schemas/json").glob("*.json")}
    return differing + sorted(there - wanted.keys())


def write(root: Path, wanted: dict[str, str]) -> list[str]:
    """Bring the files up to date, and say which were stale."""
    changed = stale(root, wanted)
    for path in changed:
        target = root / path
        if path in wanted:
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(wanted[path], encoding="utf-8", newline="\n")
        else:
            target.unlink()
    return changed


def _read(path: Path) -> str | None:
    return path.read_text(encoding="utf-8") if path.exists() else None


def main() -> None:
    """Write, or check."""
    parser = argparse.ArgumentParser(prog="python -m workers.print_docs", description="Print documents from the code.")
    parser.add_argument("--check", action="store_true", help="write nothing; exit with 1 if anything is stale")
    parser.add_argument("--root", type=Path, default=ROOT, help="folder to write into")
    given = parser.parse_args()
    changed = (stale if given.check else write)(given.root, pages())
    for path in changed:
        sys.stdout.write(f"{'stale' if given.check else 'printed'}: {path}\n")
    if given.check and changed:
        sys.stdout.write("`make docs` prints them again.\n")
        sys.exit(1)


if __name__ == "__main__":
    main()

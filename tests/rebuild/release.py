"""Release is a copy of the code, changed: what an operator deploys, and goes back from."""

import os
import shutil
from pathlib import Path

from workers.print_docs import ROOT

FOLDERS = ("schemas", "events", "aggregates", "projections", "workers", "api")


class Release:
    """The code in a folder of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        for name in FOLDERS:
            shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))

    def change(self, path: str, before: str, after: str) -> "Release":
        """Put one piece of text in the place of another, which must be there once."""
        file = self.folder / path
        text = file.read_text()
        assert text.count(before) == 1, f"{before!r} is {text.count(before)} times in {path}"
        file.write_text(text.replace(before, after))
        return self

    @property
    def env(self) -> dict[str, str]:
        """The variables with which `python -m …` runs this code, wherever it is started."""
        return {"PYTHONSAFEPATH": "1", "PYTHONPATH": str(self.folder), "PYTHONDONTWRITEBYTECODE": "1"}


def plain() -> dict[str, str]:
    """The variables with which the installed code runs."""
    return {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}

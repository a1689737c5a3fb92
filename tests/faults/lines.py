"""Lines are files of JSON, one object a line, handed to the system as it is written: a cut run keeps them."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from msgspec import json


class Lines:
    """One file; written, not fsynced: it must outlive this process, not the machine."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._file = path.open("ab", buffering=0)
        self._encoder = json.Encoder()

    def write(self, line: Mapping[str, Any]) -> None:
        """Append one object."""
        self._file.write(self._encoder.encode(line) + b"\n")

    def close(self) -> None:
        """Let the file go."""
        self._file.close()


def read(path: Path) -> list[dict[str, Any]]:
    """All whole lines of a file; none if it is not there. A last line that was cut short is left out."""
    if not path.exists():
        return []
    data = path.read_bytes()
    return [json.decode(line) for line in data[: data.rfind(b"\n") + 1].splitlines()]

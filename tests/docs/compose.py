"""Compose reads the few things that the tests ask of docker-compose.yml: its lists are written as JSON, one a line."""

import json
import re
from pathlib import Path

from workers.print_docs import ROOT

FILE = ROOT / "docker-compose.yml"
_SERVICE = re.compile(r"^  ([a-z]+):$")
_LIST = re.compile(r"^    +(command|test): (\[.*\])$")
_VARIABLE = re.compile(r"^ +(ORDERLOG_\w+): (.*)$")


def lists(kind: str, path: Path = FILE) -> dict[str, list[str]]:
    """The commands (`command`) or health checks (`test`) of the services, by service; shared parts are left out."""
    found: dict[str, list[str]] = {}
    service = ""
    for line in path.read_text(encoding="utf-8").partition("\nservices:\n")[2].splitlines():
        if named := _SERVICE.match(line):
            service = named[1]
        elif (listed := _LIST.match(line)) and listed[1] == kind:
            found[service] = json.loads(listed[2])
    return found


def variables(path: Path = FILE) -> list[tuple[str, str]]:
    """Every ORDERLOG_ variable that is set, with its value where nobody sets another."""
    lines = path.read_text(encoding="utf-8").splitlines()
    return [(found[1], _default(found[2])) for line in lines if (found := _VARIABLE.match(line))]


def _default(value: str) -> str:
    return re.sub(r"\$\{\w+:-([^}]*)\}", r"\1", value)

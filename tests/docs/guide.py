"""Guides are followed by these: the commands of a page, what each says there, and whether that was said."""

import re
from collections.abc import Iterator
from pathlib import Path

_CONSOLE = re.compile(r"^```console\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def steps(guide: Path) -> Iterator[tuple[str, str]]:
    """Each command, whose lines after the first begin with >, and what it says."""
    for block in _CONSOLE.findall(guide.read_text()):
        for step in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
            first, *rest = step.splitlines()
            more = [line.removeprefix(">").removeprefix(" ") for line in rest if line.startswith(">")]
            yield "\n".join([first, *more]), "\n".join(rest[len(more) :])


def agree(command: str, said: str, wanted: str) -> None:
    """What the guide prints was said; `…` is anything, and so is how many spaces there are."""
    pattern = r"\s+".join(re.escape(word).replace("…", ".*?") for word in wanted.split())
    found = re.search(pattern, said, re.DOTALL)
    assert found or not wanted.strip(), f"$ {command}\n{said}\nand not\n{wanted}"

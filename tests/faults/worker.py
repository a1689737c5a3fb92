"""The command line of the workers, for processes that are to be hurt: `python -m tests.faults.worker worker …`.

It is `python -m workers`, but first does what the environment asks for:

    ORDERLOG_FAILPOINT     ends or halts itself at given moments (failpoints.py)
    ORDERLOG_BUG           puts a bug into the application (bugs/)
    ORDERLOG_TEST_CLOCK    a file with the seconds by which this process' clock is off; read again at every look
"""

import os
import sys
from collections.abc import Iterable
from datetime import datetime, timedelta, tzinfo
from pathlib import Path
from types import ModuleType

from tests.faults import bugs, failpoints
from workers import agents, cli, effects, writer

CLOCKS = (writer, effects, agents)
"""The modules of a worker that ask for the time of a decision or a deadline."""


def main() -> None:
    """Run the command line, prepared."""
    if listed(sys.argv[1:]):
        return
    prepare(*CLOCKS)
    cli.main()


def listed(words: list[str]) -> bool:
    """Print the list that was asked for, one name a line; False if none was."""
    lists: dict[str, Iterable[str]] = {"--list-failpoints": failpoints.NAMES, "--list-bugs": bugs.BUGS}
    for word in words:
        if word in lists:
            print(*lists[word], sep="\n")
            return True
    return False


def prepare(*clocks: ModuleType) -> None:
    """Do as the environment asks; a wish that makes no sense ends the process."""
    try:
        armed = failpoints.arm()
        if bug := os.environ.get("ORDERLOG_BUG"):
            bugs.install(bug)
    except ValueError as unknown:
        sys.exit(str(unknown))
    if file := os.environ.get("ORDERLOG_TEST_CLOCK"):
        shift(Path(file), *clocks)
    print(f"Under test: {', '.join(map(str, armed)) or 'nothing armed'}; bug: {bug or 'none'}", file=sys.stderr)


def shift(file: Path, *modules: ModuleType) -> None:
    """Let these modules see the clock as far off as the file says.

    Records keep their true time stamps, which are evidence; nor does the monotonic clock jump, as it never does.
    """

    class Shifted(datetime):
        @classmethod
        def now(cls, tz: tzinfo | None = None) -> datetime:  # type: ignore[override]
            return datetime.now(tz) + timedelta(seconds=_seconds(file))

    for module in modules:
        module.datetime = Shifted  # type: ignore[attr-defined]


def _seconds(file: Path) -> float:
    try:
        return float(file.read_text())
    except (OSError, ValueError):  # not there yet, or just being written
        return 0.0


if __name__ == "__main__":
    main()

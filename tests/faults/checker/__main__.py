"""The command: `python -m tests.faults.checker collect|check|both RUN`.

Exits with 0 for valid, 1 for invalid, 2 for unknown, 64 for a wrong command line.
"""

import sys
from collections.abc import Sequence
from pathlib import Path

from tests.faults.checker.collect import Incomplete, collect
from tests.faults.checker.verdict import CODES, UNKNOWN, account, check

USAGE = 64


def main(arguments: Sequence[str]) -> int:
    """Do what was asked for; the exit code."""
    if len(arguments) != 2 or arguments[0] not in ("collect", "check", "both") or not Path(arguments[1]).is_dir():
        print(__doc__, file=sys.stderr)
        return USAGE
    what, run = arguments[0], Path(arguments[1])
    try:
        if what in ("collect", "both"):
            collect(run)
    except (Incomplete, OSError) as error:
        print(f"UNKNOWN: {error}", file=sys.stderr)
        return CODES[UNKNOWN]
    if what == "collect":
        return 0
    verdict = check(run)
    print("\n".join(account(verdict)))
    return CODES[verdict["verdict"]]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

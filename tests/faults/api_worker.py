"""The API for a process that is to be hurt: `python -m tests.faults.api_worker`, prepared as worker.py says."""

import sys

from api import __main__ as api
from api import lanes, operations, tokens
from tests.faults.worker import listed, prepare

CLOCKS = (lanes, tokens, operations)
"""The modules of the API that ask for the time."""


def main() -> None:
    """Serve, prepared."""
    if listed(sys.argv[1:]):
        return
    prepare(*CLOCKS)
    api.main()


if __name__ == "__main__":
    main()

"""Bugs are put into the application by tests alone, to see that the checker catches each of them.

    ORDERLOG_BUG=no-refund python -m tests.faults.worker worker

A bug is a function that replaces something of the application; its docstring says what is broken, which promise of the
checker (tests/faults/checker/promises.py) must be found broken, and which fault makes it visible. table.py has the same
for programs.
"""

from collections.abc import Callable
from typing import Any

Put = Callable[[Any, str, Any], object]
"""Replaces an attribute: `setattr`, or one that can be taken back."""

Bug = Callable[[Put], None]

BUGS: dict[str, Bug] = {}


def install(name: str, put: Put = setattr) -> None:
    """Break the application in this process.

    Raises:
        ValueError: there is no such bug.
    """
    if name not in BUGS:
        raise ValueError(f"there is no bug {name!r}, but {', '.join(BUGS)}")
    BUGS[name](put)

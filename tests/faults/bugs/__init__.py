"""Bugs are put into the application by tests alone, to see that the checker catches each of them.

    ORDERLOG_BUG=no-refund python -m tests.faults.worker worker

A bug is a function that replaces something of the application: its docstring says what is broken, which promise of the
checker (tests/faults/checker/promises.py) is then broken, and what makes it visible. table.py says so to programs.
"""

from tests.faults.bugs import edges, protocol, rules, state
from tests.faults.bugs.put import Bug, Put

BUGS: dict[str, Bug] = {
    bug.__name__.replace("_", "-"): bug for module in (protocol, state, rules, edges) for bug in module.BUGS
}


def install(name: str, put: Put = setattr) -> None:
    """Break the application in this process.

    Raises:
        ValueError: there is no such bug.
    """
    if name not in BUGS:
        raise ValueError(f"there is no bug {name!r}, but {', '.join(BUGS)}")
    BUGS[name](put)

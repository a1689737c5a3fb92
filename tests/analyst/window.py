"""Window is a history to ask questions about: the supermarket's first 3,000 baskets of 2017, eight days, on a Kafka.

    python -m tests.analyst.window

starts one on the home folder, writes them, and stays up until Ctrl-C; docs/analysts.md asks it ten questions.
"""

import asyncio
import signal
import sys
from pathlib import Path

from schemas.settings import Settings
from tests.bench.past import write_year
from workers.local import Servers

ORDERS = 3_000


def main(home: Path) -> None:
    """Start, write unless it has been written, and wait."""
    mark = home / "window"
    with Servers.start(home, print, postgres=False) as servers:
        if not mark.exists():
            print(asyncio.run(write_year(servers.kafka.url, ORDERS)))
            mark.touch()
        print("Up. Ctrl-C stops it.")
        signal.sigwait({signal.SIGINT, signal.SIGTERM})


if __name__ == "__main__":
    main(Path(sys.argv[1]) if sys.argv[1:] else Settings().home)

"""A collector to look at traces with, where there is none: `python -m tests.traces` prints each once it is at rest."""

import argparse
import time

from tests.traces.collector import Collector
from tests.traces.tree import tree

QUIET_SECONDS = 3.0
"""A trace that has grown no more for so long is printed."""


def main() -> None:
    """Print until interrupted."""
    parser = argparse.ArgumentParser(prog="python -m tests.traces", description=__doc__)
    parser.add_argument("--port", type=int, default=4318, help="port to listen on, at 127.0.0.1")
    parser.add_argument("--smallest", type=int, default=10, help="spans that a trace must have to be printed")
    asked = parser.parse_args()
    collector = Collector(asked.port)
    print(f"Listening: ORDERLOG_OTLP={collector.url}", flush=True)
    sizes: dict[str, tuple[int, float]] = {}
    while True:
        time.sleep(0.2)
        spans, now = list(collector.spans), time.monotonic()
        for trace in {each.trace for each in spans}:
            size = sum(each.trace == trace for each in spans)
            if sizes.get(trace, (0, 0.0))[0] != size:
                sizes[trace] = size, now
        done = [trace for trace, (_, since) in sizes.items() if now - since > QUIET_SECONDS]
        for trace in done:
            told = collector.of(trace)
            if len(told) >= asked.smallest:
                print(f"\ntrace {trace}: {len(told)} spans\n{tree(told)}", flush=True)
            del sizes[trace]
            collector.spans = [each for each in collector.spans if each.trace != trace]


if __name__ == "__main__":
    main()

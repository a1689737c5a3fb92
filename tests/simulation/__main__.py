"""`python -m tests.simulation` plays many seeds, or one, and exits with 1 if one of them has failed."""

import argparse
import os
import sys

from tests.simulation.many import Progress, play_all, told
from tests.simulation.run import play


def main() -> int:
    """Do what is asked for; the exit code."""
    parser = argparse.ArgumentParser(prog="python -m tests.simulation", description=__doc__)
    parser.add_argument("--seeds", type=int, default=200, help="how many")
    parser.add_argument("--from", type=int, default=0, dest="first", help="the first of them")
    parser.add_argument("--processes", type=int, default=2, help="how many at a time")
    parser.add_argument("--seed", type=int, help="only this one")
    parser.add_argument("--trace", action="store_true", help="with --seed: tell all that happens")
    asked = parser.parse_args()
    return _one(asked.seed, asked.trace) if asked.seed is not None else _many(asked.first, asked.seeds, asked.processes)


def _one(seed: int, trace: bool) -> int:
    if os.environ.get("PYTHONHASHSEED") != "0":  # it can only be set before Python starts
        os.execve(sys.executable, [sys.executable, *sys.orig_argv[1:]], {**os.environ, "PYTHONHASHSEED": "0"})
    verdict = play(seed, tell=trace)
    for line in verdict.trace:
        print(line)
    print(f"seed {seed}: {verdict.records} records in {verdict.seconds:.1f} virtual s, mark {verdict.mark}")
    print(f"failed: {verdict.failure}" if verdict.failure else "all laws hold")
    return 1 if verdict.failure else 0


def _many(first: int, count: int, processes: int) -> int:
    tally = play_all(range(first, first + count), processes, Progress())
    if tally.failures:
        print(f"{told(tally.failures[0])}\n")
    print(tally)
    print(tally.counts())
    return 1 if tally.failures else 0


if __name__ == "__main__":
    sys.exit(main())

"""Run goes through one seed from its beginning to its verdict."""

import logging
import random
import traceback
from asyncio import get_running_loop
from collections import Counter
from collections.abc import Sequence
from hashlib import sha256
from typing import NamedTuple

from tests.simulation import answers, checks, loop, windows
from tests.simulation.chance import Chance
from tests.simulation.clock import virtual
from tests.simulation.town import Town

LOGGERS = ("workers", "aggregates", "events", "projections", "api")


class Verdict(NamedTuple):
    """What came of a seed. `failure` is empty if all held; `mark` is the same for runs that went the same way."""

    seed: int
    failure: str
    faults: Counter[str]
    windows: Counter[str]
    records: int
    seconds: float
    mark: str
    trace: list[str]


class Listener(logging.Handler):
    """Hears what the application complains of: an error there is a bug, whatever the log says."""

    def __init__(self, trace: list[str] | None) -> None:
        super().__init__(logging.WARNING)
        self.errors: list[str] = []
        self._trace = trace

    def emit(self, record: logging.LogRecord) -> None:
        """As logging.Handler.emit."""
        if record.levelno >= logging.ERROR:
            trouble = record.exc_info and record.exc_info[1]
            self.errors.append(f"{record.getMessage()} {trouble!r}")
        if self._trace is not None:
            self._trace.append(f"{_seconds()}   {record.getMessage()}")

    def __enter__(self) -> "Listener":
        for name in LOGGERS:
            logger = logging.getLogger(name)
            logger.addHandler(self)
            logger.propagate = False
        return self

    def __exit__(self, *_: object) -> None:
        for name in LOGGERS:
            logger = logging.getLogger(name)
            logger.removeHandler(self)
            logger.propagate = True


def play(seed: int, tell: bool = False, weather: Sequence[str] = ()) -> Verdict:
    """Play a seed; with `tell`, keep its trace; in a `weather` of certain faults."""
    trace: list[str] = []
    chance = Chance(seed, (lambda what: trace.append(f"{_seconds()} {what}")) if tell else None, weather)
    towns: list[Town] = []
    times: list[float] = []

    async def main() -> None:
        towns.append(Town(chance))
        try:
            with answers.noted(towns[0].answered):
                await towns[0].live()
        finally:
            times.append(get_running_loop().time())
        checks.check(towns[0])

    random.seed(seed)  # effects draw their pauses from it
    failure = ""
    with Listener(trace if tell else None) as listener, virtual(chance.uuid, chance.one_of((2, 1000))):
        try:
            loop.run(main())
        except BaseException as error:
            if isinstance(error, KeyboardInterrupt):
                raise
            failure = f"{type(error).__name__} in {_where(error)}: {error}"
    if listener.errors:
        failure = "; ".join(filter(None, [failure, *listener.errors[:3]]))
    return Verdict(
        seed, failure, chance.counts, _windows(towns, failure), *_size(towns), sum(times), _mark(towns), trace
    )


def _windows(towns: list[Town], failure: str) -> Counter[str]:
    return Counter() if failure or not towns else windows.of(towns[0])


def _size(towns: list[Town]) -> tuple[int]:
    return (sum(map(len, towns[0].broker.log.records.values())) if towns else 0,)


def _mark(towns: list[Town]) -> str:
    digest = sha256()
    for place, records in sorted(towns[0].broker.log.records.items()) if towns else ():
        digest.update(f"{place} {[(r.headers.get('ce_id'), r.headers.get('writer')) for r in records]}".encode())
    return digest.hexdigest()[:16]


def _where(error: BaseException) -> str:
    return traceback.extract_tb(error.__traceback__)[-1].name


def _seconds() -> str:
    try:
        return f"{get_running_loop().time():8.3f}"
    except RuntimeError:
        return "        "

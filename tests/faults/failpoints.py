"""Failpoints armed by the environment: the n-th time that a moment comes, this process ends or halts itself.

    ORDERLOG_FAILPOINT=provider.captured@3:kill,writer.decided@1:stop
    ORDERLOG_FAILPOINT_LOG=<file>   a line of JSON for each that fires, synced to the disk before it acts

kill: SIGKILL to itself. stop: SIGSTOP to itself; whoever sends SIGCONT lets it go on where it was.

Nearly all are reached in the application (events/failpoints.py). Those in IN_FLIGHT no line of ours can reach, as they
lie inside the client library: between a request's way into the kernel and its ack.
"""

import json
import os
import signal
import time
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from aiokafka.conn import AIOKafkaConnection
from aiokafka.protocol.produce import ProduceRequest

from events import failpoints

IN_FLIGHT = {
    "append.in_flight": "a commit is on its way; its ack has not come",
    "api.in_flight": "commands of clients are on their way; their acks have not come",
}
NAMES = {**failpoints.FAILPOINTS, **IN_FLIGHT}
ACTIONS = {"kill": signal.SIGKILL, "stop": signal.SIGSTOP}

_BY_KIND = {"events": "append.in_flight", "commands": "api.in_flight"}


class Failpoint(NamedTuple):
    """What to do, and the how manieth time of which moment."""

    name: str
    nth: int
    action: str

    def __str__(self) -> str:
        return f"{self.name}@{self.nth}:{self.action}"


def parse(text: str) -> list[Failpoint]:
    """`<name>@<n>:<action>`, comma separated.

    Raises:
        ValueError: one of them is none.
    """
    return [_parsed(word.strip()) for word in text.split(",") if word.strip()]


def _parsed(word: str) -> Failpoint:
    where, _, action = word.partition(":")
    name, _, nth = where.partition("@")
    if name not in NAMES or action not in ACTIONS or not (nth.isdecimal() and int(nth)):
        raise ValueError(f"{word!r} is no failpoint: <name>@<n>:{'|'.join(ACTIONS)}, see --list-failpoints")
    return Failpoint(name, int(nth), action)


class Trigger:
    """Counts what is reached, and acts when it is time; `log` is where that is written down."""

    def __init__(self, armed: list[Failpoint], log: Path | None) -> None:
        self._log = log
        self._counts: Counter[str] = Counter()
        self._armed = {(point.name, point.nth): point for point in armed}

    def __call__(self, name: str) -> None:
        self._counts[name] += 1
        if point := self._armed.get((name, self._counts[name])):
            self._note(point)
            os.kill(os.getpid(), ACTIONS[point.action])

    def _note(self, point: Failpoint) -> None:
        if self._log is None:
            return
        said = {"at": time.time(), "pid": os.getpid(), "failpoint": point.name, "n": point.nth, "action": point.action}
        with self._log.open("ab") as log:  # one write in append mode: other processes write here too
            log.write(json.dumps(said).encode() + b"\n")
            log.flush()
            os.fsync(log.fileno())


def arm(environment: Mapping[str, str] = os.environ) -> list[Failpoint]:
    """Arm what the environment asks for, in this process, and say what that is.

    Raises:
        ValueError: it asks for what there is not.
    """
    armed = parse(environment.get("ORDERLOG_FAILPOINT", ""))
    if armed:
        log = environment.get("ORDERLOG_FAILPOINT_LOG")
        failpoints.armed = Trigger(armed, Path(log) if log else None)
    if any(point.name in IN_FLIGHT for point in armed):
        _watch_requests()
    return armed


def _watch_requests() -> None:
    send = AIOKafkaConnection.send

    def watched(self: Any, request: Any, expect_response: bool = True) -> Any:
        answer = send(self, request, expect_response)
        if isinstance(request, ProduceRequest):
            for name in {_BY_KIND.get(topic.rpartition(".")[2]) for topic, _ in request._topics} - {None}:
                # The loop hands bytes to the kernel at the end of its turn at the latest: look after the next one.
                self._loop.call_soon(self._loop.call_soon, failpoints.reach, name)
        return answer

    AIOKafkaConnection.send = watched

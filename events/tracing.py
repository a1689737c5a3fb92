"""Tracing is the port through which code tells what it does while somebody waits: spans, each the child of another.

It is off until `exporting` has begun it, and then free: nothing is remembered, and nothing of OpenTelemetry is
imported. A span that is not recorded passes on the traceparent that it was given, so what is written to the log is
then what was asked for, byte for byte. Spans name ids, kinds and outcomes, never people (docs/traces.md).
"""

import asyncio
import re
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from contextvars import ContextVar, Token
from typing import Literal, Protocol

Kind = Literal["server", "client", "producer", "consumer", "internal"]
Fact = str | int | float | bool | Sequence[str]

_TRACEPARENT = re.compile(r"00-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-([0-9a-f]{2})")
_here: ContextVar[str] = ContextVar("traceparent", default="")


class Recorded(Protocol):
    """A span in the hands of a recorder."""

    traceparent: str

    def note(self, facts: Mapping[str, Fact]) -> None: ...
    def rename(self, name: str) -> None: ...
    def failed(self, why: str) -> None: ...
    def end(self) -> None: ...


class Recorder(Protocol):
    """Records spans; None for one that is not to be recorded, with what its children are to be told instead."""

    def start(
        self,
        service: str,
        name: str,
        kind: Kind,
        parent: str,
        links: Iterable[str],
        facts: Mapping[str, Fact],
        began: int | None,
    ) -> tuple[str, Recorded | None]: ...

    def dropped(self) -> int: ...
    def end(self) -> None: ...


class Span:
    """One thing that is being done; as a context, what is done within it is its child, and an error is its own.

    `traceparent` is what those who go on from here are told.
    """

    __slots__ = ("_recorded", "_token", "traceparent")

    def __init__(self, traceparent: str, recorded: Recorded | None = None) -> None:
        self.traceparent, self._recorded = traceparent, recorded
        self._token: Token[str] | None = None

    def note(self, **facts: Fact) -> None:
        """Add what has come to be known; `order_id` is told as `orderlog.order_id`."""
        if self._recorded is not None:
            self._recorded.note({f"orderlog.{name}": fact for name, fact in facts.items()})

    def state(self, facts: Mapping[str, Fact]) -> None:
        """Add what has come to be known, under names that others have defined."""
        if self._recorded is not None:
            self._recorded.note(facts)

    def rename(self, name: str) -> None:
        """Call it otherwise, now that one knows what it is."""
        if self._recorded is not None:
            self._recorded.rename(name)

    def failed(self, why: str) -> None:
        """It has come to nothing; `why` is a kind of error, not its text, which may name people."""
        if self._recorded is not None:
            self._recorded.failed(why)

    def end(self) -> None:
        """It is done."""
        if self._recorded is not None:
            self._recorded.end()
            self._recorded = None

    def __enter__(self) -> "Span":
        if self.traceparent:
            self._token = _here.set(self.traceparent)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: object) -> None:
        if self._token is not None:
            _here.reset(self._token)
        if self._recorded is not None:
            if isinstance(error, asyncio.CancelledError):
                self.note(outcome="given up")
            elif kind is not None:
                self.failed(kind.__name__)
            self.end()


_recorder: Recorder | None = None


def on() -> bool:
    """Whether anything is recorded: to be asked where a span's facts would cost something."""
    return _recorder is not None


def span(
    service: str,
    name: str,
    kind: Kind = "internal",
    parent: str = "",
    links: Iterable[str] = (),
    facts: Mapping[str, Fact] | None = None,
    began: int | None = None,
) -> Span:
    """Begin a span of a service: the child of the parent, or else of the one around it, or the first of a trace.

    `began` is when it did, in nanoseconds since 1970, if not now.
    """
    parent = parent or _here.get()
    if _recorder is None:
        return Span(parent)
    return Span(*_recorder.start(service, name, kind, parent, links, facts or {}, began))


def joint(service: str, name: str, kind: Kind, members: Iterable[str], facts: Mapping[str, Fact] | None = None) -> Span:
    """Begin a span of a batch, linked to each of its members.

    Where all of them are of one trace it is a part of it, the child of the first. Where traces join, it begins one of
    its own. Without a member that is recorded, it is not recorded either.
    """
    if _recorder is None:
        return Span("")
    linked = [each for each in dict.fromkeys(members) if is_recorded(each)]
    if not linked:
        return Span("")
    parent = linked[0] if len({trace_of(each) for each in linked}) == 1 else ""
    return Span(*_recorder.start(service, name, kind, parent, linked, facts or {}, None))


def here() -> str:
    """The traceparent of the span around us; empty without one."""
    return _here.get()


def parsed(traceparent: str) -> tuple[str, str, bool] | None:
    """Trace, span, and whether it is recorded; None of what is no traceparent of W3C's version 00."""
    found = _TRACEPARENT.fullmatch(traceparent)
    return (found[1], found[2], bool(int(found[3], 16) & 1)) if found else None


def trace_of(traceparent: str) -> str:
    """The id of the trace; empty if there is none."""
    found = parsed(traceparent)
    return found[0] if found else ""


def is_recorded(traceparent: str) -> bool:
    """Whether its sender says that it records it."""
    found = parsed(traceparent)
    return found is not None and found[2]


def dropped() -> int:
    """How many spans of this process have been dropped, as nobody took them in time."""
    return _recorder.dropped() if _recorder is not None else 0


@asynccontextmanager
async def exporting(otlp: str, sampled: float, process: str) -> AsyncIterator[None]:
    """Record what is done in the meantime, and send it to an OTLP/HTTP collector at this URL; nothing without one."""
    global _recorder
    if not otlp:
        yield
        return
    from events.otlp import Otlp

    before, _recorder = _recorder, Otlp(otlp, sampled, process)
    recorder = _recorder
    try:
        yield
    finally:
        _recorder = before
        await asyncio.to_thread(recorder.end)

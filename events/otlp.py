"""Otlp records spans with OpenTelemetry, and sends them over OTLP/HTTP from a thread that nobody waits for.

What the collector does not take in time is dropped and counted: a dead one costs traces, never orders.
"""

import logging
import os
import threading
from collections import deque
from collections.abc import Iterable, Mapping

from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan, SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult
from opentelemetry.sdk.trace.sampling import ALWAYS_ON, TraceIdRatioBased
from opentelemetry.trace import (
    Link,
    NonRecordingSpan,
    SpanContext,
    SpanKind,
    Status,
    StatusCode,
    TraceFlags,
    Tracer,
    set_span_in_context,
)
from opentelemetry.trace import Span as OtelSpan

from events.tracing import Fact, Kind, is_recorded, parsed
from schemas.version import this_version

logger = logging.getLogger(__name__)
logging.getLogger("opentelemetry").setLevel(logging.CRITICAL)  # it would say so for every batch; we do so once

KINDS = {
    "server": SpanKind.SERVER,
    "client": SpanKind.CLIENT,
    "producer": SpanKind.PRODUCER,
    "consumer": SpanKind.CONSUMER,
    "internal": SpanKind.INTERNAL,
}
LAST_SECONDS = 2.0
"""How long the end of a process waits for its last spans to be taken."""


class Otlp:
    """The recorder of a process; each of its services is one to the collector. `sampled` is the share of traces."""

    def __init__(self, url: str, sampled: float, process: str) -> None:
        self._sending = Sending(OTLPSpanExporter(f"{url.rstrip('/')}/v1/traces"))
        self._process, self._ratio = process, TraceIdRatioBased(sampled)
        self._tracers: dict[str, tuple[Tracer, Tracer]] = {}

    def start(
        self,
        service: str,
        name: str,
        kind: Kind,
        parent: str,
        links: Iterable[str],
        facts: Mapping[str, Fact],
        began: int | None,
    ) -> tuple[str, "Recorded | None"]:
        """Begin a span; not if its parent is not recorded, or if it begins a trace that is not among the sampled."""
        found = parsed(parent)
        if found is not None and not found[2]:
            return parent, None
        linked = [Link(_context(each)) for each in links if is_recorded(each)]
        sampled, always = self._tracers.get(service) or self._tracers.setdefault(service, self._tracers_of(service))
        # Whoever has a parent that is recorded, or joins others that are, is too.
        tracer = always if found is not None or linked else sampled
        context = Context() if found is None else set_span_in_context(NonRecordingSpan(_context(parent)), Context())
        span = tracer.start_span(name, context, KINDS[kind], dict(facts), linked, began)
        traceparent = _traceparent(span.get_span_context())
        return traceparent, Recorded(span, traceparent) if span.is_recording() else None

    def dropped(self) -> int:
        """How many spans were not taken."""
        return self._sending.dropped

    def end(self) -> None:
        """Send what is left, in so far as that does not take long."""
        self._sending.shutdown()

    def _tracers_of(self, service: str) -> tuple[Tracer, Tracer]:
        named = {"service.namespace": "orderlog", "service.name": service, "service.version": this_version()}
        resource = Resource.create({**named, "service.instance.id": self._process})
        found = []
        for sampler in (self._ratio, ALWAYS_ON):
            provider = TracerProvider(sampler, resource, shutdown_on_exit=False)
            provider.add_span_processor(self._sending)
            found.append(provider.get_tracer("orderlog", this_version()))
        return found[0], found[1]


class Recorded:
    """A span that is recorded."""

    __slots__ = ("_span", "traceparent")

    def __init__(self, span: OtelSpan, traceparent: str) -> None:
        self._span, self.traceparent = span, traceparent

    def note(self, facts: Mapping[str, Fact]) -> None:
        """Add attributes."""
        for name, fact in facts.items():
            self._span.set_attribute(name, fact)

    def rename(self, name: str) -> None:
        """Give it another name."""
        self._span.update_name(name)

    def failed(self, why: str) -> None:
        """Say that it failed, by a name for the kind of error."""
        self._span.set_status(Status(StatusCode.ERROR, why))
        self._span.set_attribute("error.type", why)

    def end(self) -> None:
        """It is done."""
        self._span.end()


class Sending(SpanProcessor):
    """Takes spans that have ended, as many as there is room for, and hands them to the exporter in a thread.

    OpenTelemetry's own drops without counting what the exporter could not send. Its variables count here too:
    OTEL_BSP_MAX_QUEUE_SIZE, OTEL_BSP_MAX_EXPORT_BATCH_SIZE and OTEL_BSP_SCHEDULE_DELAY, in milliseconds.
    """

    def __init__(self, exporter: SpanExporter) -> None:
        self._exporter = exporter
        self._room = _number("OTEL_BSP_MAX_QUEUE_SIZE", 8192)
        self._batch = _number("OTEL_BSP_MAX_EXPORT_BATCH_SIZE", 512)
        self._every = _number("OTEL_BSP_SCHEDULE_DELAY", 1000) / 1000
        self._waiting: deque[ReadableSpan] = deque()
        self._ending, self._refused = threading.Event(), False
        self._full, self._unsent = 0, 0
        self._thread = threading.Thread(target=self._run, name="traces", daemon=True)
        self._thread.start()

    @property
    def dropped(self) -> int:
        """Spans for which there was no room, and those that nobody took."""
        return self._full + self._unsent  # each is counted by one thread only

    def on_end(self, span: ReadableSpan) -> None:
        """Take a span, or drop it; never wait."""
        if len(self._waiting) >= self._room:
            self._full += 1
        else:
            self._waiting.append(span)

    def shutdown(self) -> None:
        """Send what is left, for a moment."""
        self._ending.set()
        self._thread.join(LAST_SECONDS)
        self._exporter.shutdown()
        self._thread.join(0.5)
        if lost := self.dropped + len(self._waiting):
            logger.warning("traces: %d spans were dropped in all", lost)

    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        """Nobody waits for spans."""
        return not self._waiting

    def _run(self) -> None:
        while not self._ending.wait(self._every):
            self._send()
        self._send()

    def _send(self) -> None:
        """Send all that waits; but once the end has come, nothing more after a batch that was not taken."""
        while self._waiting:
            batch = [self._waiting.popleft() for _ in range(min(self._batch, len(self._waiting)))]
            taken = self._taken(batch)
            if not taken:
                self._unsent += len(batch)
            if taken is self._refused:
                self._refused = not taken
                say = "traces are taken again" if taken else "the collector of traces takes none"
                logger.warning("%s; %d spans were dropped so far", say, self.dropped)
            if not taken and self._ending.is_set():
                return

    def _taken(self, batch: list[ReadableSpan]) -> bool:
        try:
            return self._exporter.export(batch) is SpanExportResult.SUCCESS
        except Exception:
            logger.exception("bug in the export of traces")
            return False


def _number(variable: str, otherwise: int) -> int:
    """A variable of OpenTelemetry's; what makes no sense is not set."""
    said = os.environ.get(variable, "")
    return int(said) if said.isascii() and said.isdigit() and int(said) > 0 else otherwise


def _context(traceparent: str) -> SpanContext:
    found = parsed(traceparent)
    if found is None:
        raise ValueError(f"no traceparent: {traceparent!r}")
    return SpanContext(int(found[0], 16), int(found[1], 16), is_remote=True, trace_flags=TraceFlags(int(found[2])))


def _traceparent(context: SpanContext) -> str:
    return f"00-{context.trace_id:032x}-{context.span_id:016x}-{context.trace_flags & 1:02x}"

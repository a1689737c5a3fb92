"""Collector takes spans over OTLP/HTTP, as any collector does: protobuf, gzipped or not; and keeps them."""

import gzip
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from email.message import Message
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from msgspec import Struct
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)

KINDS = ("", "internal", "server", "client", "producer", "consumer")


class Told(Struct, frozen=True):
    """A span as it was told; links are traceparts of other spans: trace and span. Times are nanoseconds since 1970."""

    service: str
    name: str
    kind: str
    trace: str
    span: str
    parent: str
    links: list[tuple[str, str]]
    facts: dict[str, Any]
    error: str
    began: int
    ended: int

    @property
    def what(self) -> str:
        """The service and the name."""
        return f"{self.service}: {self.name}"


class Collector:
    """All spans that came; with `status` it can be told to answer otherwise, with `hang` not to answer for so long."""

    def __init__(self, port: int = 0) -> None:
        self.spans: list[Told] = []
        self.status, self.hang, self.asked, self.closed = 200, 0.0, 0, False
        collector = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                if collector.closed:  # a connection that was kept alive
                    self.close_connection = True
                    return
                answer = collector.take(self.path, self.headers, body)
                self.send_response(collector.status)
                self.send_header("Content-Type", "application/x-protobuf")
                self.send_header("Content-Length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)

            def log_message(self, *_: Any) -> None:
                """Say nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
        self._server.daemon_threads = True
        self.port = self._server.server_address[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Listen no more."""
        self.closed = True
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def take(self, path: str, headers: Message, body: bytes) -> bytes:
        """Take one request."""
        self.asked += 1
        time.sleep(self.hang)
        assert path == "/v1/traces"
        assert headers["Content-Type"] == "application/x-protobuf"
        if headers.get("Content-Encoding") == "gzip":
            body = gzip.decompress(body)
        if self.status == 200:
            self.spans += told(ExportTraceServiceRequest.FromString(body))
        response: bytes = ExportTraceServiceResponse().SerializeToString()
        return response

    def of(self, trace: str) -> list[Told]:
        """The spans of a trace, in the order of their beginnings."""
        return sorted((each for each in self.spans if each.trace == trace), key=lambda each: each.began)


@contextmanager
def collecting(port: int = 0) -> Iterator[Collector]:
    """A collector, while it is needed."""
    collector = Collector(port)
    try:
        yield collector
    finally:
        collector.close()


def told(request: Any) -> Iterator[Told]:
    """The spans of one request."""
    for resource in request.resource_spans:
        service = {each.key: each.value.string_value for each in resource.resource.attributes}["service.name"]
        for span in (span for scope in resource.scope_spans for span in scope.spans):
            yield Told(
                service=service,
                name=span.name,
                kind=KINDS[span.kind],
                trace=span.trace_id.hex(),
                span=span.span_id.hex(),
                parent=span.parent_span_id.hex(),
                links=[(link.trace_id.hex(), link.span_id.hex()) for link in span.links],
                facts={each.key: _plain(each.value) for each in span.attributes},
                error=(span.status.message or "error") if span.status.code == 2 else "",
                began=span.start_time_unix_nano,
                ended=span.end_time_unix_nano,
            )


def _plain(value: Any) -> Any:
    if value.WhichOneof("value") == "array_value":
        return [_plain(each) for each in value.array_value.values]
    return getattr(value, value.WhichOneof("value"))

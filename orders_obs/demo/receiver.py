"""An OTLP/HTTP receiver for traces in memory: for looking only."""

from __future__ import annotations

import gzip
import threading
import zlib
from collections import OrderedDict
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

from google.protobuf.message import DecodeError
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from orders_obs.demo.spans import TraceSpan

if TYPE_CHECKING:
    from opentelemetry.proto.common.v1.common_pb2 import AnyValue
    from opentelemetry.proto.trace.v1.trace_pb2 import Span

__all__ = ["TraceReceiver"]

_MOST_BYTES = 8 << 20
_MOST_TRACES = 5000
_KINDS = ("unspecified", "internal", "server", "client", "producer", "consumer")


class TraceReceiver:
    """Takes spans on a free port of loopback and keeps the newest 5,000 traces."""

    def __init__(self) -> None:
        self._traces: OrderedDict[str, list[TraceSpan]] = OrderedDict()
        self._lock = threading.Lock()
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                status = receiver._take(self)
                self.send_response(status)
                self.send_header("content-type", "application/x-protobuf")
                self.send_header("content-length", "0")
                if status != 200:
                    # What is left of the body was not read; the connection cannot go on.
                    self.close_connection = True
                self.end_headers()

            def log_message(self, format: str, *args: Any) -> None:
                """Say nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(
            target=self._server.serve_forever, name="orders-obs-receiver", daemon=True
        )
        self._thread.start()

    @property
    def url(self) -> str:
        """The base address for `OTEL_EXPORTER_OTLP_ENDPOINT`."""
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def trace(self, trace_id: str) -> list[TraceSpan]:
        """The spans of a trace that have arrived."""
        with self._lock:
            return list(self._traces.get(trace_id, ()))

    def close(self) -> None:
        """Stop listening."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(5)

    def _take(self, request: BaseHTTPRequestHandler) -> int:
        if request.path != "/v1/traces":
            return 404
        try:
            length = int(request.headers.get("content-length", ""))
        except ValueError:
            return 411
        if length > _MOST_BYTES:
            return 413
        body = request.rfile.read(length)
        message = ExportTraceServiceRequest()
        try:
            if request.headers.get("content-encoding") == "gzip":
                body = gzip.decompress(body)
            message.ParseFromString(body)
        except (OSError, EOFError, zlib.error, DecodeError):
            return 400
        self._keep(message)
        return 200

    def _keep(self, message: ExportTraceServiceRequest) -> None:
        with self._lock:
            for group in message.resource_spans:
                service = next(
                    (a.value.string_value for a in group.resource.attributes if a.key == "service.name"),
                    "unknown",
                )
                for scope in group.scope_spans:
                    for span in scope.spans:
                        trace_id = span.trace_id.hex()
                        self._traces.setdefault(trace_id, []).append(_span(span, service))
            while len(self._traces) > _MOST_TRACES:
                self._traces.popitem(last=False)


def _span(span: Span, service: str) -> TraceSpan:
    return TraceSpan(
        span.span_id.hex(),
        span.parent_span_id.hex(),
        service,
        span.name,
        _KINDS[span.kind] if span.kind < len(_KINDS) else "unspecified",
        span.start_time_unix_nano // 1000,
        (span.end_time_unix_nano - span.start_time_unix_nano) // 1000,
        {attribute.key: _value(attribute.value) for attribute in span.attributes},
    )


def _value(value: AnyValue) -> Any:
    kind = value.WhichOneof("value")
    if kind == "array_value":
        return [_value(item) for item in value.array_value.values]
    return None if kind is None else getattr(value, kind)

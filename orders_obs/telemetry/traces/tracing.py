"""Where spans come from: the application's provider if it has one, ours if there is somewhere to send them, else ids only."""

from __future__ import annotations

import logging
import random
from typing import TYPE_CHECKING, Any

from opentelemetry import trace
from opentelemetry.trace import (
    NonRecordingSpan,
    ProxyTracerProvider,
    SpanContext,
    SpanKind,
    Status,
    StatusCode,
    TraceFlags,
)

from orders_obs._version import __version__
from orders_obs.redact import redact_query, redact_text
from orders_obs.signals.instruments import NO_ROUTE, OTHER_METHOD
from orders_obs.telemetry.guard import guarded
from orders_obs.telemetry.record import State
from orders_obs.telemetry.traces.propagation import extract
from orders_obs.telemetry.traces.spans import record_exception

if TYPE_CHECKING:
    from collections.abc import Mapping

    from opentelemetry.context import Context
    from opentelemetry.trace import Span, TracerProvider

    from orders_obs.settings import Settings
    from orders_obs.telemetry.export.delivery import Delivery
    from orders_obs.telemetry.metrics.api import Metrics
    from orders_obs.telemetry.record import RequestRecord

__all__ = ["Tracing"]

_log = logging.getLogger("orders_obs.traces")


class Tracing:
    """The server span of each request."""

    def __init__(self, settings: Settings, metrics: Metrics, delivery: Delivery) -> None:
        present = trace.get_tracer_provider()
        self.provider: TracerProvider | None = None
        if not isinstance(present, ProxyTracerProvider):
            # The application exports by itself; we add our spans to its own.
            self.provider = present
            delivery.add(_ForeignProvider(present))
        elif settings.traces_endpoint is not None:
            self.provider = _own_provider(settings, metrics, delivery)
            if self.provider is not None:
                trace.set_tracer_provider(self.provider)
        # Through the global provider: one that the application sets later is joined then.
        self._tracer = trace.get_tracer("orders_obs", __version__)

    def start(self, record: RequestRecord, headers: Mapping[str, str]) -> tuple[Span, Context | None]:
        """The server span of a request.

        Returns:
            The span, and the context to run the request in; None where a server span is there already (the framework's own),
            which is then used and not ended by us.
        """
        present = trace.get_current_span()
        if present.is_recording() and getattr(present, "kind", None) is SpanKind.SERVER:
            return present, None
        context = extract(headers, new_span_id=_random_id(64))
        parent = trace.get_current_span(context).get_span_context()
        span: Span = trace.INVALID_SPAN
        with guarded("traces.start"):
            span = self._tracer.start_span(
                record.method if record.method != OTHER_METHOD else "HTTP",
                context,
                SpanKind.SERVER,
                attributes={
                    "http.request.method": record.method,
                    "url.scheme": record.scheme,
                    "url.path": redact_text(record.path),
                },
                start_time=record.start_time_ns,
            )
        made = span.get_span_context()
        if not span.is_recording() and (not made.is_valid or made.span_id == parent.span_id):
            span = NonRecordingSpan(_ids(parent))
        return span, trace.set_span_in_context(span, context)

    def end(self, record: RequestRecord, *, ours: bool) -> None:
        """Complete the request's span from its record; ended only if it is ours."""
        span = record.span
        if span is None:
            return
        if span.is_recording():
            span.update_name(_name(record))
            span.set_attributes(_attributes(record))
            if record.exception is not None:
                record_exception(span, record.exception)
            if record.error_type and (record.server_fault or record.state is State.DISCONNECTED):
                span.set_status(Status(StatusCode.ERROR))
        if ours:
            span.end(record.end_time_ns)


class _ForeignProvider:
    """Flushes a provider that is the application's; it stays theirs to shut down."""

    def __init__(self, provider: TracerProvider) -> None:
        self._provider = provider

    def drain(self) -> None:
        """Its processors have a rhythm of their own."""

    def flush(self, timeout: float) -> bool:
        """Ask it to flush, and wait no longer than `timeout` seconds: the SDK's own deadlines do not hold."""
        force_flush = getattr(self._provider, "force_flush", None)
        if force_flush is None:
            return True
        from orders_obs.telemetry.export.deadline import within

        return within(timeout, lambda: bool(force_flush(int(timeout * 1000))))

    def close(self) -> None:
        """Nothing of it is ours."""


def _own_provider(settings: Settings, metrics: Metrics, delivery: Delivery) -> TracerProvider | None:
    assert settings.traces_endpoint is not None  # noqa: S101  # the caller looked
    try:
        from orders_obs.telemetry.traces import sdk
    except ImportError:
        _log.warning(
            "traces are not exported: the OpenTelemetry SDK is missing; pip install 'orders-obs[otlp]'"
        )
        return None
    from orders_obs.telemetry.export.otlp import Exporter, HttpSender

    try:
        sender = HttpSender(settings.traces_endpoint, settings)
        exporter = Exporter("spans", sdk.encode, sdk.rejected, sender, settings, metrics)
        provider = sdk.build_provider(settings, exporter.put, exporter.flush)
    except ValueError as error:  # the SDK refuses a variable that only it reads
        _log.warning("traces are not exported: %s", redact_text(str(error)))
        return None
    delivery.add(exporter)
    return provider


def _random_id(bits: int) -> int:
    return random.getrandbits(bits) or 1


def _ids(parent: SpanContext) -> SpanContext:
    """A context for lines and outgoing calls where nobody records.

    Without a parent it says sampled: whether a service further on records must not depend on our having no exporter.
    """
    if parent.is_valid:
        return SpanContext(
            parent.trace_id,
            _random_id(64),
            is_remote=False,
            trace_flags=parent.trace_flags,
            trace_state=parent.trace_state,
        )
    return SpanContext(
        _random_id(128), _random_id(64), is_remote=False, trace_flags=TraceFlags(TraceFlags.SAMPLED)
    )


def _name(record: RequestRecord) -> str:
    method = record.method if record.method != OTHER_METHOD else "HTTP"
    return method if record.route == NO_ROUTE else f"{method} {record.route}"


def _attributes(record: RequestRecord) -> dict[str, Any]:
    """Semantic conventions 1.44 for HTTP servers."""
    attributes: dict[str, Any] = {
        "http.response.status_code": record.status,
        "http.response.body.size": record.bytes_sent,
        "orders_obs.request_id": record.request_id,
    }
    if record.state is State.DISCONNECTED and not record.first_byte_time and record.status == 499:
        del attributes["http.response.status_code"]  # none was sent
    if record.route != NO_ROUTE:
        attributes["http.route"] = record.route
    if record.error_type:
        attributes["error.type"] = record.error_type
    if record.method != record.original_method:
        attributes["http.request.method_original"] = record.original_method[:64]
    if record.query:
        attributes["url.query"] = redact_query(record.query)
    if record.host:
        host, _, port = (
            record.host.rpartition(":") if not record.host.endswith("]") else (record.host, "", "")
        )
        attributes["server.address"] = host or record.host
        if host and port.isdigit():
            attributes["server.port"] = int(port)
    optional = {
        "network.protocol.version": record.http_version,
        "client.address": record.client,
        "user_agent.original": record.user_agent,
    }
    attributes.update((key, value) for key, value in optional.items() if value)
    return attributes

"""The one module that knows the OpenTelemetry SDK: a provider whose ended spans go to our exporter, and their OTLP bytes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceResponse
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan, SpanLimits, SpanProcessor, TracerProvider

from orders_obs._version import __version__
from orders_obs.redact import REDACTED, is_secret_name, redact_text

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from opentelemetry.context import Context
    from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue
    from opentelemetry.sdk.trace import Span

    from orders_obs.settings import Settings

__all__ = ["build_provider", "encode", "rejected"]


def build_provider(
    settings: Settings, enqueue: Callable[[ReadableSpan], None], flush: Callable[[float], bool]
) -> TracerProvider:
    """A provider that hands each sampled span, when it ends, to `enqueue`.

    The sampler and the limits follow OpenTelemetry's own variables; `flush` takes seconds and is what `force_flush` calls.
    """
    attributes: dict[str, str] = {
        "service.name": settings.service,
        "service.instance.id": settings.instance,
        "deployment.environment.name": settings.environment,
        "telemetry.distro.name": "orders-obs",
        "telemetry.distro.version": __version__,
    }
    if settings.version:
        attributes["service.version"] = settings.version
    provider = TracerProvider(
        resource=Resource.create(attributes),
        span_limits=SpanLimits(max_span_attribute_length=settings.attribute_length),
        # Shutting down is ours, with our own deadline.
        shutdown_on_exit=False,
    )
    provider.add_span_processor(_Enqueue(enqueue, flush))
    return provider


class _Enqueue(SpanProcessor):
    def __init__(self, enqueue: Callable[[ReadableSpan], None], flush: Callable[[float], bool]) -> None:
        self._enqueue = enqueue
        self._flush = flush

    def on_start(self, span: Span, parent_context: Context | None = None) -> None:
        """Nothing is known of a span before it ends."""

    def on_end(self, span: ReadableSpan) -> None:
        """Take a span that was sampled."""
        if span.context is not None and span.context.trace_flags.sampled:
            self._enqueue(span)

    def shutdown(self) -> None:
        """What waits is delivered by our own shutdown."""

    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        """Deliver what waits; the deadline holds."""
        return self._flush(timeout_millis / 1000)


def encode(spans: Sequence[ReadableSpan]) -> bytes:
    """An OTLP `ExportTraceServiceRequest`, with everything secret taken out of its texts."""
    request = encode_spans(spans)
    for resource_spans in request.resource_spans:
        for scope_spans in resource_spans.scope_spans:
            for span in scope_spans.spans:
                span.name = redact_text(span.name)
                if span.status.message:
                    span.status.message = redact_text(span.status.message)
                _redact_attributes(span.attributes)
                for event in span.events:
                    _redact_attributes(event.attributes)
                for link in span.links:
                    _redact_attributes(link.attributes)
    body: bytes = request.SerializeToString()
    return body


def rejected(body: bytes) -> int:
    """How many spans an OTLP success response says were not taken."""
    response = ExportTraceServiceResponse()
    response.ParseFromString(body)
    return int(response.partial_success.rejected_spans)


def _redact_attributes(attributes: Iterable[KeyValue]) -> None:
    for attribute in attributes:
        if is_secret_name(attribute.key):
            attribute.value.Clear()
            attribute.value.string_value = REDACTED
        else:
            _redact_value(attribute.value)


def _redact_value(value: AnyValue) -> None:
    kind: Any = value.WhichOneof("value")
    if kind == "string_value":
        clean = redact_text(value.string_value)
        if clean is not value.string_value:
            value.string_value = clean
    elif kind == "array_value":
        for item in value.array_value.values:
            _redact_value(item)
    elif kind == "kvlist_value":
        _redact_attributes(value.kvlist_value.values)

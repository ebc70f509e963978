"""Trace context in and out: W3C Trace Context first, then AWS X-Ray's header."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from opentelemetry import trace
from opentelemetry.baggage.propagation import W3CBaggagePropagator
from opentelemetry.context import Context
from opentelemetry.trace import NonRecordingSpan, SpanContext, TraceFlags, TraceState
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

if TYPE_CHECKING:
    from collections.abc import Mapping, MutableMapping

__all__ = ["extract", "inject", "xray_header"]

_W3C = TraceContextTextMapPropagator()
_BAGGAGE = W3CBaggagePropagator()
_XRAY_ROOT = re.compile(r"1-([0-9a-f]{8})-([0-9a-f]{24})\Z")
_XRAY_PARENT = re.compile(r"[0-9a-f]{16}\Z")
# W3C Baggage: a whole header of at most 8,192 bytes.
_MAX_BAGGAGE = 8192


def extract(headers: Mapping[str, str], *, new_span_id: int) -> Context:
    """The context that a request brings: that of `traceparent` if it is valid, else of `X-Amzn-Trace-Id`, else a new one.

    Args:
        headers: Lower-case names; only `traceparent`, `tracestate`, `baggage` and `x-amzn-trace-id` are read.
        new_span_id: Stands in as the parent where a load balancer sent a trace id and no parent.
    """
    context = Context()
    if "traceparent" in headers:
        context = _W3C.extract(headers, context)
    if not trace.get_current_span(context).get_span_context().is_valid and "x-amzn-trace-id" in headers:
        parent = _from_xray(headers["x-amzn-trace-id"], new_span_id)
        if parent is not None:
            context = trace.set_span_in_context(NonRecordingSpan(parent), context)
    if 0 < len(headers.get("baggage", "")) <= _MAX_BAGGAGE:
        context = _BAGGAGE.extract(headers, context)
    return context


def inject(carrier: MutableMapping[str, str], *, xray: bool = False) -> None:
    """Write the current context into the headers of an outgoing request."""
    context = trace.get_current_span().get_span_context()
    if not context.is_valid:
        return
    _W3C.inject(carrier)
    _BAGGAGE.inject(carrier)
    if xray:
        carrier["X-Amzn-Trace-Id"] = xray_header(context)


def xray_header(context: SpanContext) -> str:
    """A span's context as AWS X-Ray writes it."""
    trace_id = f"{context.trace_id:032x}"
    sampled = int(context.trace_flags.sampled)
    return f"Root=1-{trace_id[:8]}-{trace_id[8:]};Parent={context.span_id:016x};Sampled={sampled}"


def _from_xray(header: str, new_span_id: int) -> SpanContext | None:
    parts = dict(part.strip().partition("=")[::2] for part in header[:512].split(";"))
    root = _XRAY_ROOT.match(parts.get("Root", ""))
    if root is None:
        return None
    parent = parts.get("Parent", "")
    span_id = int(parent, 16) if _XRAY_PARENT.match(parent) else new_span_id
    # Without a flag (an Application Load Balancer sends Root alone) the decision is ours, and the default is to sample.
    sampled = parts.get("Sampled") != "0"
    context = SpanContext(
        int(root[1] + root[2], 16),
        span_id or new_span_id,
        is_remote=True,
        trace_flags=TraceFlags(TraceFlags.SAMPLED if sampled else TraceFlags.DEFAULT),
        trace_state=TraceState(),
    )
    return context if context.is_valid else None

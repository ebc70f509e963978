"""Spans by hand: `with span("create-order", customer_id=…) as s:`."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from opentelemetry import context as otel_context
from opentelemetry import trace
from opentelemetry.trace import SpanKind, Status, StatusCode

from orders_obs._version import __version__
from orders_obs.redact import redact_text
from orders_obs.telemetry.guard import guarded
from orders_obs.telemetry.logs.render import exception_text
from orders_obs.telemetry.record import qualified_name

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from opentelemetry.trace import Span

__all__ = ["attributes_of", "client_span", "record_exception", "span"]

_NOTED = "__orders_obs_span_event__"
_KINDS = {kind.name.lower(): kind for kind in SpanKind}


@contextmanager
def span(name: str, *, kind: str = "internal", **attributes: Any) -> Iterator[Span]:
    """A span around a block of code, current while the block runs.

    Args:
        name: Of low cardinality: `create-order`, never an id.
        kind: `internal`, `client`, `server`, `producer` or `consumer`.
        attributes: What is known at the start; None is left out, what is no OpenTelemetry value becomes text.

    Yields:
        The span, with OpenTelemetry's `set_attribute` and `add_event`.

    An exception of the block marks the span as failed, is recorded once however many spans it passes, and goes on.
    """
    with client_span(name, _KINDS.get(kind, SpanKind.INTERNAL), attributes_of(attributes)) as current:
        yield current


@contextmanager
def client_span(name: str, kind: SpanKind, attributes: Mapping[str, Any]) -> Iterator[Span]:
    """`span` for instrumentation, which has its attributes ready. No fault of a sampler or processor reaches the caller."""
    current: Span = trace.INVALID_SPAN
    with guarded("traces.start"):
        current = trace.get_tracer("orders_obs", __version__).start_span(
            name, kind=kind, attributes=dict(attributes)
        )
    # Where no span could be started the one around stays current.
    token = None if current is trace.INVALID_SPAN else otel_context.attach(trace.set_span_in_context(current))
    try:
        yield current
    except Exception as error:
        with guarded("traces.span"):
            record_exception(current, error)
            current.set_attribute("error.type", qualified_name(error))
            current.set_status(Status(StatusCode.ERROR))
        raise
    finally:
        if token is not None:
            otel_context.detach(token)
        with guarded("traces.end"):
            current.end()


def record_exception(current: Span, exception: BaseException) -> None:
    """Add the exception as an event, on the first span only that it passes."""
    if not current.is_recording() or getattr(exception, _NOTED, False):
        return
    message = redact_text(str(exception)) if _has_text(exception) else ""
    current.add_event(
        "exception",
        {
            "exception.type": qualified_name(exception),
            "exception.message": message[:1024],
            "exception.stacktrace": exception_text(exception),
        },
    )
    try:
        setattr(exception, _NOTED, True)
    except Exception:  # noqa: S110  # a class with slots: at worst the event stands on two spans
        pass


def attributes_of(values: Mapping[str, Any]) -> dict[str, Any]:
    """Values as OpenTelemetry takes them."""
    return {key: _attribute(value) for key, value in values.items() if value is not None}


def _attribute(value: Any) -> Any:
    if isinstance(value, (bool, int, float, str)):
        return value
    if isinstance(value, (list, tuple)) and value and all(isinstance(v, type(value[0])) for v in value):
        return [_attribute(v) for v in value]
    try:
        return str(value)
    except Exception:
        return f"<{type(value).__qualname__}>"


def _has_text(exception: BaseException) -> bool:
    try:
        str(exception)
    except Exception:
        return False
    return True

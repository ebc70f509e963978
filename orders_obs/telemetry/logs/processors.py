"""structlog processors: what the library adds to a line, and the end of our own chain."""

from __future__ import annotations

import logging
import sys
import time
from typing import TYPE_CHECKING, Any

from opentelemetry import trace

from orders_obs.telemetry.guard import internal_error
from orders_obs.telemetry.logs.render import exception_text, render_console, render_json, timestamp
from orders_obs.telemetry.record import CURRENT, qualified_name

if TYPE_CHECKING:
    from collections.abc import MutableMapping

    from orders_obs.settings import Settings

__all__ = ["AddContext", "Render", "level_number"]

_LEVELS = {
    "debug": 10,
    "info": 20,
    "warning": 30,
    "warn": 30,
    "error": 40,
    "exception": 40,
    "critical": 50,
    "fatal": 50,
}


def level_number(name: str) -> int:
    """The standard library's number of a level's name."""
    return _LEVELS.get(name, logging.INFO)


class AddContext:
    """Adds what the surroundings know: the trace, the request and what was bound to it. The line's own fields win."""

    def __call__(
        self, _logger: Any, _method: str, event: MutableMapping[str, Any]
    ) -> MutableMapping[str, Any]:
        try:
            record = CURRENT.get()
            context = trace.get_current_span().get_span_context()
            if not context.is_valid and record is not None and record.span is not None:
                context = record.span.get_span_context()
            if record is not None:
                for key, value in record.fields.items():
                    event.setdefault(key, value)
                if record.request_id:
                    event.setdefault("request_id", record.request_id)
            if context.is_valid:
                event["trace_id"] = f"{context.trace_id:032x}"
                event["span_id"] = f"{context.span_id:016x}"
                event["trace_flags"] = f"{context.trace_flags:02x}"
        except Exception:
            internal_error("logs.context")
        return event


class Render:
    """The end of our chain: the reserved fields, the exception, one line.

    A caller's field that bears a reserved name is kept as `field_NAME`, so that it falsifies nothing.
    """

    _RESERVED = frozenset({"timestamp", "environment", "service", "version", "level", "logger"})

    def __init__(self, settings: Settings) -> None:
        self._common = {"environment": settings.environment, "service": settings.service}
        if settings.version:
            self._common["version"] = settings.version
        self._console = settings.log_format == "console"
        self._color = settings.color
        self._names = dict(settings.field_names)

    def __call__(self, logger: Any, method: str, event: MutableMapping[str, Any]) -> bytes:
        try:
            return self.line(method, dict(event), name=getattr(logger, "name", ""))
        except Exception:
            internal_error("logs.render")
            return render_json({"level": method, "event": "a line could not be rendered", **self._common})

    def line(
        self, method: str, event: dict[str, Any], *, name: str = "", created: float | None = None
    ) -> bytes:
        """One line of an event: its level, its fields, the name of its logger, its wall time in seconds."""
        self._take_exception(event)
        fields: dict[str, Any] = {
            "timestamp": timestamp(time.time() if created is None else created),
            "level": {"warn": "warning", "exception": "error", "fatal": "critical"}.get(method, method),
            "event": event.pop("event", ""),
            **self._common,
        }
        if name:
            fields["logger"] = name
        for key, value in event.items():
            fields[f"field_{key}" if key in self._RESERVED else key] = value
        if self._names:
            fields = {self._names.get(key, key): value for key, value in fields.items()}
        return render_console(fields, color=self._color) if self._console else render_json(fields)

    def _take_exception(self, event: dict[str, Any]) -> None:
        info = event.pop("exc_info", None)
        event.pop("stack_info", None)
        if not info:
            return
        if isinstance(info, tuple):
            info = info[1]
        elif not isinstance(info, BaseException):
            info = sys.exc_info()[1]
        if info is not None:
            event.setdefault("error_type", qualified_name(info))
            event.setdefault("exception", exception_text(info))

"""What a process has once: settings, where records go, and how everything is delivered at the end."""

from __future__ import annotations

import logging
import threading
from typing import TYPE_CHECKING

from orders_obs.telemetry.clients import instrument_clients
from orders_obs.telemetry.export.delivery import Delivery
from orders_obs.telemetry.export.lines import LineWriter
from orders_obs.telemetry.guard import guarded
from orders_obs.telemetry.logs.access import AccessLog
from orders_obs.telemetry.logs.config import adopt_server_loggers, configure
from orders_obs.telemetry.metrics.api import metrics
from orders_obs.telemetry.traces.tracing import Tracing

if TYPE_CHECKING:
    from orders_obs.settings import Settings
    from orders_obs.telemetry.record import RequestRecord

__all__ = ["Telemetry", "start"]

_log = logging.getLogger("orders_obs")
_lock = threading.Lock()
_present: Telemetry | None = None


class Telemetry:
    """The telemetry of this process."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.metrics = metrics
        self.metrics.start(settings.series_budget)
        self.delivery = Delivery(settings.shutdown_timeout)
        writer = LineWriter(metrics)
        structlog_is_ours = configure(settings, writer)
        self.tracing = Tracing(settings, metrics, self.delivery)
        # Last, so that what the others have to say at the end is written too.
        self.delivery.add(writer)
        self._access = AccessLog(ours=structlog_is_ours)
        self._serving = False
        instrument_clients(settings)
        self.delivery.chain_sigterm()
        for problem in settings.problems:
            _log.warning(problem)

    def serving(self) -> None:
        """The server runs: what it set up after us (signal handlers, loggers) is taken into account, once."""
        if not self._serving:
            self._serving = True
            self.delivery.chain_sigterm()
            adopt_server_loggers()

    def tell(self, record: RequestRecord, *, span_is_ours: bool) -> None:
        """A request ended: one sample, one span, one line, all from its record. No fault of one costs another."""
        span = record.span
        exemplar = None
        if span is not None and span.is_recording():
            context = span.get_span_context()
            if context.trace_flags.sampled:
                exemplar = {"trace_id": f"{context.trace_id:032x}", "span_id": f"{context.span_id:016x}"}
        with guarded("tell.metrics"):
            self.metrics.request_over(record, exemplar)
        with guarded("tell.span"):
            self.tracing.end(record, ours=span_is_ours)
        with guarded("tell.line"):
            self._access.write(record)


def start(settings: Settings) -> Telemetry:
    """The telemetry of this process, started by the first call; a later one with another service joins it and says so."""
    global _present  # noqa: PLW0603  # one process, one pipeline
    with _lock:
        if _present is None:
            _present = Telemetry(settings)
        elif settings.service != _present.settings.service:
            _log.warning(
                "instrument(service=%r): this process already reports as %r, which is kept",
                settings.service,
                _present.settings.service,
            )
        return _present

"""The access line: one per request, with the database and cache figures of that very request."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import structlog

from orders_obs.telemetry.logs.config import mark_recorded
from orders_obs.telemetry.logs.render import exception_text
from orders_obs.telemetry.record import State

if TYPE_CHECKING:
    from orders_obs.telemetry.record import RequestRecord

__all__ = ["AccessLog"]

EVENT = "API metrics"


class AccessLog:
    """Writes the line of a request that ended, from its record alone.

    Args:
        ours: Whether structlog is set up by us, not by the application.
    """

    def __init__(self, *, ours: bool) -> None:
        # A logger factory of the application's need not take a name.
        self._log: Any = structlog.get_logger("orders_obs.access") if ours else structlog.get_logger()

    def write(self, record: RequestRecord) -> None:
        """Say how the request ended: errors of the service at level error, the client's at warning, the rest at info."""
        fields: dict[str, Any] = {
            "method": record.method,
            "endpoint": record.route,
            "status_code": record.status,
            "response_time_ms": round(record.duration * 1000, 3),
            "db_query_time_ms": round(record.database_seconds * 1000, 3),
            "cache_hit": record.cache_hit,
            "request_id": record.request_id,
            "response_bytes": record.bytes_sent,
        }
        if record.first_byte_time:
            fields["first_byte_ms"] = round((record.first_byte_time - record.start_time) * 1000, 3)
        if record.error_type:
            fields["error_type"] = record.error_type
        if record.exception is not None:
            fields["exception"] = exception_text(record.exception)
        if record.server_fault:
            self._log.error(EVENT, **fields)
        elif record.state is State.DISCONNECTED or record.status >= 400:
            self._log.warning(EVENT, **fields)
        else:
            self._log.info(EVENT, **fields)
        if record.exception is not None:
            mark_recorded(record.exception)

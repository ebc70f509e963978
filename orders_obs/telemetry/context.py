"""What belongs to one request: fields bound to it, and what must not leak out of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import structlog

from orders_obs.telemetry.guard import guarded
from orders_obs.telemetry.record import CURRENT

if TYPE_CHECKING:
    from orders_obs.telemetry.record import RequestRecord

__all__ = ["bind_context", "bound", "current_request_id", "restore"]


def bind_context(**fields: Any) -> None:
    """Put fields on every later line of this request, whichever thread or task writes it, and on its access line.

    Outside a request they go to structlog's context variables.
    """
    record = CURRENT.get()
    if record is None or record.over:
        structlog.contextvars.bind_contextvars(**fields)
    else:
        record.fields.update(fields)


def current_request_id() -> str:
    """The id of the request that the running code serves, empty outside one."""
    record: RequestRecord | None = CURRENT.get()
    return "" if record is None else record.request_id


def bound() -> dict[str, Any]:
    """What is bound by structlog's own context variables before a request, for `restore` after it."""
    return structlog.contextvars.get_contextvars()


def restore(before: dict[str, Any]) -> None:
    """Take back what a request bound, where a server runs several requests in one task."""
    with guarded("context.restore"):
        after = structlog.contextvars.get_contextvars()
        if after != before:
            structlog.contextvars.unbind_contextvars(*after.keys())
            structlog.contextvars.bind_contextvars(**before)

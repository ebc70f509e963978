"""Faults of telemetry itself: kept from the application, counted, and raised again under the test runner."""

from __future__ import annotations

import os
import sys
import threading
import time
import traceback
from contextlib import contextmanager
from typing import TYPE_CHECKING

from orders_obs.redact import redact_text

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

__all__ = ["guarded", "internal_error", "set_counter"]

_REPORT_EVERY = 60.0

_lock = threading.Lock()
_last_report: dict[str, float] = {}
_count: Callable[[str], None] | None = None


def set_counter(count: Callable[[str], None]) -> None:
    """Name what counts the faults, by place; the metrics do, once they are there."""
    global _count  # noqa: PLW0603  # one process, one counter
    _count = count


def internal_error(where: str) -> None:
    """Take note of the exception that is being handled: count it, and say it on stderr once a minute a place.

    With `ORDERS_OBS_RAISE_INTERNAL_ERRORS` set, as in our own tests, it is raised again, so that a fault never hides.
    """
    if os.environ.get("ORDERS_OBS_RAISE_INTERNAL_ERRORS"):
        raise  # noqa: PLE0704  # called from an except block: the exception at hand
    try:
        if _count is not None:
            _count(where)
        now = time.monotonic()
        with _lock:
            if now - _last_report.get(where, -_REPORT_EVERY) < _REPORT_EVERY:
                return
            _last_report[where] = now
        # Not through the log: what failed may be the log. No exception text by itself: it may quote data.
        text = redact_text(traceback.format_exc(limit=-4))
        sys.stderr.write(f"orders_obs: internal error in {where} (kept from the application)\n{text}")
    except Exception:  # noqa: S110  # nowhere left to say it
        pass


@contextmanager
def guarded(where: str) -> Iterator[None]:
    """Keep any exception of the block from the caller, as `internal_error` does."""
    try:
        yield
    except Exception:
        internal_error(where)

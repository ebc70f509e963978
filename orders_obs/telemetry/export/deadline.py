"""Waiting for something that may not return."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from orders_obs.telemetry.guard import guarded

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["within"]


def within(seconds: float, work: Callable[[], bool]) -> bool:
    """Run `work` in a daemon thread and wait no longer than `seconds`; its result, or False where it was not done by then."""
    result: list[bool] = []

    def run() -> None:
        with guarded("export.deadline"):
            result.append(work())

    thread = threading.Thread(target=run, name="orders-obs-deadline", daemon=True)
    try:
        thread.start()
    except RuntimeError:  # the interpreter is ending
        return False
    thread.join(seconds)
    return bool(result and result[0])

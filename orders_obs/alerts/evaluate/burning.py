"""The plain rule of a burn rate: what an alert on an error budget means before any engine."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from orders_obs.alerts.model import BurnWindow

__all__ = ["burns"]


def burns(part: Sequence[int], total: Sequence[int], windows: Sequence[BurnWindow], every: float) -> bool:
    """Whether the budget burns at the last look.

    Args:
        part: Bad events between each look and the one before, newest last.
        total: All events, likewise.
        windows: The pairs, of which one must burn in both its windows.
        every: Seconds between two looks.
    """

    def share(seconds: float) -> tuple[float, int]:
        looks = round(seconds / every)
        events = sum(total[-looks:])
        return (sum(part[-looks:]) / events if events else 0.0), events

    for window in windows:
        (long, events), (short, _) = share(window.long), share(window.short)
        if events >= window.minimum and long > window.threshold and short > window.threshold:
            return True
    return False

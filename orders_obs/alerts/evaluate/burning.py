"""The plain rule of a burn rate: what an alert on an error budget means before any engine."""

from __future__ import annotations

from itertools import accumulate
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from orders_obs.alerts.model import BurnWindow

__all__ = ["burning", "burns"]


def burning(
    part: Sequence[int], total: Sequence[int], windows: Sequence[BurnWindow], every: float
) -> list[bool]:
    """Whether the budget burns, at each look.

    Args:
        part: Bad events between each look and the one before, newest last.
        total: All events, likewise.
        windows: The pairs, of which one must burn in both its windows.
        every: Seconds between two looks.
    """
    parts, totals = list(accumulate(part, initial=0)), list(accumulate(total, initial=0))

    def share(look: int, seconds: float) -> tuple[float, int]:
        first = max(0, look - round(seconds / every))
        events = totals[look] - totals[first]
        return ((parts[look] - parts[first]) / events if events else 0.0), events

    def burns_at(look: int) -> bool:
        for window in windows:
            (long, events), (short, _) = share(look, window.long), share(look, window.short)
            if events >= window.minimum and long > window.threshold and short > window.threshold:
                return True
        return False

    return [burns_at(look) for look in range(1, len(totals))]


def burns(part: Sequence[int], total: Sequence[int], windows: Sequence[BurnWindow], every: float) -> bool:
    """Whether the budget burns at the last look; the arguments are those of `burning`."""
    looks = max((round(window.long / every) for window in windows), default=0)
    return (burning(part[-looks:], total[-looks:], windows, every) or [False])[-1]

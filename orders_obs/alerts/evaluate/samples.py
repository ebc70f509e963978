"""The plain sample rule: what an alert means before any engine."""

from __future__ import annotations

import operator
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from orders_obs.alerts.model import Alert, Comparison, WhenMissing
    from orders_obs.signals.model import Statistic

_COMPARE: dict[Comparison, Callable[[float, float], bool]] = {
    "above": operator.gt,
    "below": operator.lt,
    "at_least": operator.ge,
    "at_most": operator.le,
}

__all__ = ["SampleRule", "level_sample", "ratio_sample"]


@dataclass(frozen=True, slots=True)
class SampleRule:
    """When an alert fires, from its samples alone.

    Attributes:
        comparison: On which side of the threshold a sample breaches.
        threshold: In the sample's unit.
        breaching: M: so many samples must breach.
        samples: N: of the last so many.
        when_missing: What a missing sample does.
    """

    comparison: Comparison
    threshold: float
    breaching: int
    samples: int
    when_missing: WhenMissing

    @classmethod
    def of(cls, alert: Alert) -> SampleRule:
        """The rule of an alert."""
        return cls(alert.comparison, alert.threshold, alert.breaching, alert.samples, alert.when_missing)

    def fires(self, values: Sequence[float | None], *, fired: bool) -> bool:
        """Whether the alert fires at this look.

        Args:
            values: The last N samples, newest last; None is a missing one. Fewer than N: the older ones are missing.
            fired: Whether it fired at the look before.
        """
        last = values[-self.samples :]
        real = [value for value in last if value is not None]
        bad = sum(self._breaches(value) for value in real)
        missing = self.samples - len(real)
        if self.when_missing == "breach":
            return bad + missing >= self.breaching
        if bad >= self.breaching:
            return True
        if self.when_missing == "keep":
            # Over only when the good ones alone rule out M breaching samples.
            return fired and len(real) - bad <= self.samples - self.breaching
        return False

    def _breaches(self, value: float) -> bool:
        return _COMPARE[self.comparison](value, self.threshold)


def level_sample(values: Sequence[float | None], statistic: Statistic) -> float | None:
    """The values of one sample as one, or None where there is none."""
    real = [value for value in values if value is not None]
    if not real:
        return None
    if statistic == "Average":
        return sum(real) / len(real)
    return max(real) if statistic == "Maximum" else min(real)


def ratio_sample(part: float, total: float, minimum: int) -> float | None:
    """The share of `part` in `total` events of one sample, or None where there are fewer than `minimum`."""
    return part / total if total >= max(1, minimum) else None

"""Metrics with a budget of series that never raise into the application, on top of prometheus_client."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from prometheus_client import REGISTRY, Counter, Gauge, Histogram

from orders_obs.signals.instruments import OVERFLOW
from orders_obs.telemetry.guard import guarded, internal_error

if TYPE_CHECKING:
    from collections.abc import Callable

    from prometheus_client import CollectorRegistry

    from orders_obs.signals.instruments import Instrument

__all__ = ["CounterFamily", "Family", "GaugeFamily", "HistogramFamily", "register"]

_M = TypeVar("_M", Counter, Gauge, Histogram)


class Family(Generic[_M]):
    """The series of one instrument, each found by one look-up in a dictionary.

    `labels(...)` gives the series of the given values as an object with the methods of prometheus_client's own
    (`inc`, `set`, `observe`). Wrong labels neither raise nor make a series: they are counted as an internal error and the sample
    goes nowhere.
    """

    def __init__(
        self, instrument: Instrument, metric: _M, budget: int, overflowed: Callable[[str], None]
    ) -> None:
        self.instrument = instrument
        self._metric: _M = metric
        self._budget = budget
        self._overflowed = overflowed
        self._series: dict[tuple[str, ...], _M] = {}
        self._lock = threading.Lock()

    def labels(self, **labels: Any) -> _Series[_M]:
        """The series with these label values, each turned into text."""
        try:
            if labels.keys() != set(self.instrument.labels):
                names = ", ".join(self.instrument.labels) or "none"
                raise ValueError(  # noqa: TRY301  # one way out for every misuse
                    f"{self.instrument.name} has the labels {names}, not {', '.join(sorted(labels))}"
                )
            return _Series(self.child(*(_text(labels[name]) for name in self.instrument.labels)))
        except Exception:
            internal_error(f"metrics.{self.instrument.name}")
            return _Series(None)

    def child(self, *values: str) -> _M:
        """The prometheus_client object of these label values, in the instrument's order."""
        series = self._series.get(values)
        return self._add(values) if series is None else series

    def _add(self, values: tuple[str, ...]) -> _M:
        with self._lock:
            if len(self._series) >= self._budget and values not in self._series:
                self._overflowed(self.instrument.name)
                values = (OVERFLOW,) * len(values)
            series = self._series.get(values)
            if series is None:
                series = self._metric.labels(*values) if values else self._metric
                self._series[values] = series
            return series


class _Series(Generic[_M]):
    """One series, as the application sees it: no method raises."""

    __slots__ = ("_child",)

    def __init__(self, child: _M | None) -> None:
        self._child: _M | None = child

    def inc(self, amount: float = 1) -> None:
        """Add to a counter or gauge."""
        self._call("inc", amount)

    def dec(self, amount: float = 1) -> None:
        """Take from a gauge."""
        self._call("dec", amount)

    def set(self, value: float) -> None:
        """Set a gauge."""
        self._call("set", value)

    def observe(self, value: float) -> None:
        """Add a sample to a histogram."""
        self._call("observe", value)

    def _call(self, method: str, value: float) -> None:
        if self._child is not None:
            with guarded("metrics"):
                getattr(self._child, method)(value)


class _Unlabelled(Family[_M]):
    def inc(self, amount: float = 1) -> None:
        """Add to the metric's only series."""
        self.labels().inc(amount)


class CounterFamily(_Unlabelled[Counter]):
    """A counter."""


class GaugeFamily(_Unlabelled[Gauge]):
    """A gauge."""

    def set(self, value: float) -> None:
        """Set the metric's only series."""
        self.labels().set(value)


class HistogramFamily(Family[Histogram]):
    """A histogram."""

    def observe(self, value: float) -> None:
        """Add a sample to the metric's only series."""
        self.labels().observe(value)


def register(
    instrument: Instrument,
    budget: int,
    overflowed: Callable[[str], None],
    registry: CollectorRegistry = REGISTRY,
) -> CounterFamily | GaugeFamily | HistogramFamily:
    """Put an instrument into a registry, its known label values at 0 from the start.

    Raises:
        ValueError: prometheus_client refuses the name, the labels or the buckets, or the name is taken.
    """
    family: CounterFamily | GaugeFamily | HistogramFamily
    if instrument.kind == "counter":
        counter = Counter(instrument.name, instrument.help, instrument.labels, registry=registry)
        family = CounterFamily(instrument, counter, budget, overflowed)
    elif instrument.kind == "gauge":
        gauge = Gauge(instrument.name, instrument.help, instrument.labels, registry=registry)
        family = GaugeFamily(instrument, gauge, budget, overflowed)
    else:
        histogram = Histogram(
            instrument.name, instrument.help, instrument.labels, registry=registry, buckets=instrument.buckets
        )
        family = HistogramFamily(instrument, histogram, budget, overflowed)
    for values in _known(instrument):
        family.child(*values)
    return family


def _known(instrument: Instrument) -> list[tuple[str, ...]]:
    values = dict(instrument.values)
    if not instrument.labels or set(instrument.labels) - values.keys():
        return []
    combinations: list[tuple[str, ...]] = [()]
    for name in instrument.labels:
        combinations = [(*head, value) for head in combinations for value in values[name]]
    return combinations


def _text(value: Any) -> str:
    text = value if isinstance(value, str) else str(value)
    # A lone surrogate would make every later scrape fail to encode.
    return text.encode("utf-8", "replace").decode("utf-8")[:256]

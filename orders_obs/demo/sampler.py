"""Looks at `/metrics` each second and keeps the last minutes: values of signals, exemplars, and alerts by the plain sample rule."""

from __future__ import annotations

import re
import threading
import time
import urllib.error
import urllib.request
from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from prometheus_client.openmetrics.parser import text_string_to_metric_families

from orders_obs.alerts.evaluate import SampleRule, ratio_sample
from orders_obs.signals import Count, Level, Ratio, Selector, Share
from orders_obs.signals.model import Matcher
from orders_obs.signals.promql import le_literal

if TYPE_CHECKING:
    from collections.abc import Sequence

    from orders_obs.alerts import Alert
    from orders_obs.signals import Signal

__all__ = ["Exemplar", "Sampler", "Snapshot"]

_KEPT = 300
_ACCEPT = "application/openmetrics-text; version=1.0.0"


@dataclass(frozen=True, slots=True)
class Exemplar:
    """An example of a histogram's bucket."""

    trace_id: str
    value: float
    route: str


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The series of one scrape: name and labels to value."""

    series: dict[tuple[str, frozenset[tuple[str, str]]], float] = field(default_factory=dict)

    def total(self, selector: Selector, *extra: Matcher, suffix: str = "") -> float | None:
        """The sum of the series that match, None where none does."""
        name = selector.instrument.name + suffix
        matchers = (*selector.matchers, *extra)
        found = [
            value
            for (series, labels), value in self.series.items()
            if series == name and all(_matches(matcher, dict(labels)) for matcher in matchers)
        ]
        return sum(found) if found else None


class Sampler:
    """Scrapes one address each second, in a thread of its own, until it is closed."""

    def __init__(self, url: str, alerts: Sequence[Alert]) -> None:
        self._url = url
        self._alerts = alerts
        self._snapshots: deque[Snapshot] = deque(maxlen=_KEPT)
        self._firing = dict.fromkeys(((a.name, a.severity.name) for a in alerts), False)
        self._lock = threading.Lock()
        self._ended = threading.Event()
        self.exemplars: dict[str, Exemplar] = {}
        self.fired: set[tuple[str, str]] = set()
        self.resolved: set[tuple[str, str]] = set()
        self._thread = threading.Thread(target=self._run, name="orders-obs-sampler", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Stop."""
        self._ended.set()
        self._thread.join(5)

    def value(self, signal: Signal, seconds: int = 60) -> float | None:
        """What a signal reads over the last `seconds`: a share, events per second, the mean time of a call, a level."""
        with self._lock:
            snapshots = list(self._snapshots)
        if not snapshots:
            return None
        now, before = snapshots[-1], snapshots[max(0, len(snapshots) - 1 - seconds)]
        elapsed = max(1, min(seconds, len(snapshots) - 1))
        if isinstance(signal, Level):
            own = [now.total(source) for source in signal.prometheus if isinstance(source, Selector)]
            return next(
                (value for value in own if value is not None), 1.0 if signal.name == "running_tasks" else None
            )
        if isinstance(signal, Count) and signal.events is not None:
            increase = _increase(now, before, signal.events)
            return None if increase is None else increase / elapsed
        if isinstance(signal, Ratio):
            total = _increase(now, before, signal.total)
            return ratio_sample(_increase(now, before, signal.part) or 0.0, total, 1) if total else None
        assert isinstance(signal, Share)  # noqa: S101  # the report shows no other kinds
        count = _increase(now, before, signal.events, suffix="_count")
        spent = _increase(now, before, signal.events, suffix="_sum")
        return None if not count or spent is None else spent / count

    def _run(self) -> None:
        following = time.monotonic()
        while not self._ended.wait(max(0.0, following - time.monotonic())):
            following += 1
            try:
                request = urllib.request.Request(self._url, headers={"accept": _ACCEPT})  # noqa: S310  # an address of ours
                with urllib.request.urlopen(request, timeout=1) as response:  # noqa: S310  # as above
                    text = response.read().decode()
            except (OSError, urllib.error.URLError):
                continue
            self._take(text)
            self._evaluate()

    def _take(self, text: str) -> None:
        snapshot = Snapshot()
        for family in text_string_to_metric_families(text):  # type: ignore[no-untyped-call]  # prometheus_client's parser has no types
            for sample in family.samples:
                snapshot.series[sample.name, frozenset(sample.labels.items())] = sample.value
                if sample.exemplar is not None and "trace_id" in sample.exemplar.labels:
                    trace_id = sample.exemplar.labels["trace_id"]
                    self.exemplars[trace_id] = Exemplar(
                        trace_id, sample.exemplar.value, sample.labels.get("route", "")
                    )
        with self._lock:
            self._snapshots.append(snapshot)

    def _evaluate(self) -> None:
        for alert in self._alerts:
            key = alert.name, alert.severity.name
            samples = [self._sample(alert, back) for back in reversed(range(alert.samples))]
            fires = SampleRule.of(alert).fires(samples, fired=self._firing[key])
            if fires:
                self.fired.add(key)
                self.resolved.discard(key)
            elif self._firing[key]:
                self.resolved.add(key)
            self._firing[key] = fires

    def _sample(self, alert: Alert, back: int) -> float | None:
        window = round(alert.over)
        end = len(self._snapshots) - 1 - back * window
        if end - window < 0:
            return None
        now, before = self._snapshots[end], self._snapshots[end - window]
        signal = alert.signal
        if isinstance(signal, Count) and signal.events is not None:
            return _increase(now, before, signal.events)
        if isinstance(signal, Ratio):
            part, total = _increase(now, before, signal.part), _increase(now, before, signal.total)
        else:
            assert isinstance(signal, Share)  # noqa: S101  # the traffic fires no alerts on other kinds
            assert alert.bound is not None  # noqa: S101  # the catalogue gives every share a bound
            total = _increase(now, before, signal.events, suffix="_count")
            bound = Matcher("le", "=", le_literal(alert.bound))
            part = (total or 0.0) - (_increase(now, before, signal.events, bound, suffix="_bucket") or 0.0)
        return None if total is None else ratio_sample(part or 0.0, total, alert.minimum)


def _increase(
    now: Snapshot, before: Snapshot, selector: Selector, *extra: Matcher, suffix: str = ""
) -> float | None:
    value = now.total(selector, *extra, suffix=suffix)
    return None if value is None else value - (before.total(selector, *extra, suffix=suffix) or 0.0)


def _matches(matcher: Matcher, labels: dict[str, str]) -> bool:
    value = labels.get(matcher.label, "")
    equal = re.fullmatch(matcher.value, value) is not None if "~" in matcher.op else value == matcher.value
    return equal != matcher.op.startswith("!")

"""PromQL pieces that alerts and dashboards share: selectors, bucket literals, rates and ratios that survive aggregation."""

from __future__ import annotations

from typing import TYPE_CHECKING

from orders_obs.signals.model import PromQL, Selector

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from orders_obs.signals.model import External, Level, Matcher, Ratio

__all__ = ["label_set", "le_literal", "level", "quantile", "rate", "ratio", "series"]

_LONGEST_WHOLE = 6
"""Digits before the point from which on Go writes an exponent."""


def le_literal(bound: float) -> str:
    """A bucket's `le` as the text of the series that Prometheus scrapes from prometheus_client: `5.0`, never `5`; `1e+06`.

    Source: `prometheus_client.utils.floatToGoString`; `{le="5"}` finds nothing in a real Prometheus 3.
    """
    text = repr(float(bound))
    whole, point, _ = text.partition(".")
    if bound > 0 and point and len(whole) > _LONGEST_WHOLE:
        digits = text.replace(".", "").rstrip("0")
        return f"{digits[0]}.{digits[1:]}".rstrip(".") + f"e+{len(whole) - 1:02d}"
    return text


def label_set(matchers: Iterable[Matcher | str]) -> str:
    """Matchers as `{a="b",c=~"d"}`; a string is taken as it is, so that a dashboard can pass `job=~"$job"`."""
    parts = [m if isinstance(m, str) else f"{m.label}{m.op}{_quoted(m.value)}" for m in matchers]
    return "{" + ",".join(parts) + "}" if parts else ""


def series(selector: Selector, *extra: Matcher | str, suffix: str = "") -> str:
    """The instant vector of a selector, such as `http_requests_total{job="orders-api",status=~"5.."}`.

    Args:
        selector: Which instrument and which of its series.
        extra: Matchers that come first, such as the one on `job`.
        suffix: Of a histogram's parts: `_bucket`, `_count` or `_sum`.
    """
    return f"{selector.instrument.name}{suffix}{label_set((*extra, *selector.matchers))}"


def rate(
    selector: Selector, *extra: Matcher | str, window: str, by: Sequence[str] = (), suffix: str = ""
) -> str:
    """Events per second, summed: `sum by (…) (rate(…[window]))`."""
    return f"sum{_by(by)} (rate({series(selector, *extra, suffix=suffix)}[{window}]))"


def ratio(signal: Ratio, *extra: Matcher | str, window: str, by: Sequence[str] = ()) -> str:
    """Part over total, each summed before the division; 0 where there is a total and the part has no series yet."""
    part = rate(signal.part, *extra, window=window, by=by)
    total = rate(signal.total, *extra, window=window, by=by)
    return f"({part} or 0 * {total}) / {total}"


def quantile(q: float, selector: Selector, *extra: Matcher | str, window: str, by: Sequence[str] = ()) -> str:
    """An estimate of a histogram's quantile, from buckets that are summed by `le`."""
    return (
        f"histogram_quantile({q}, {rate(selector, *extra, window=window, by=(*by, 'le'), suffix='_bucket')})"
    )


def level(signal: Level, *extra: Matcher | str, by: Sequence[str] = ()) -> str:
    """The sum of a level over its series; the first of its sources that has data counts."""

    def source(of: Selector | External) -> str:
        if isinstance(of, Selector):
            return series(of, *extra)
        return of.name + (label_set(extra) if of.of_service else "")

    series_of = [of for of in signal.prometheus if not isinstance(of, PromQL)]
    return " or ".join(f"sum{_by(by)} ({source(of)})" for of in series_of)


def _by(labels: Sequence[str]) -> str:
    return f" by ({', '.join(labels)})" if labels else ""


def _quoted(value: str) -> str:
    escaped = value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'

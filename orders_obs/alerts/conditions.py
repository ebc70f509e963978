"""From the merged words of an alert to what it means; one function for each form that an alert can have."""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING, Any

from orders_obs.alerts import units
from orders_obs.alerts.model import Alert, BurnAlert, BurnWindow, EventAlert
from orders_obs.alerts.nodes import did_you_mean
from orders_obs.alerts.raw import RAW_WORDS, raw
from orders_obs.signals import SIGNALS, Count, Event, Level, Presence, Ratio, Share

if TYPE_CHECKING:
    from collections.abc import Mapping

    from orders_obs.alerts.model import Comparison, Environment, SampledSignal, Severity, WhenMissing
    from orders_obs.alerts.nodes import Node
    from orders_obs.signals import Signal
    from orders_obs.signals.model import Statistic

__all__ = [
    "CONDITION_WORDS",
    "RAW_WORDS",
    "SIDES",
    "SLO_WORDS",
    "WHEN_MISSING",
    "burn",
    "event",
    "raw",
    "sampled",
    "signal_of",
]

SIDES: tuple[Comparison, ...] = ("above", "below", "at_least", "at_most")
CONDITION_WORDS = (*SIDES, "absent_for", "breaching", "over", "slower_than")
SLO_WORDS = ("objective", "page", "period", "signal", "slower_than", "ticket")
WHEN_MISSING: dict[str, WhenMissing] = {"ok": "ok", "breach": "breach", "keep": "keep", "unknown": "unknown"}

_STATISTICS: dict[str, Statistic] = {"average": "Average", "maximum": "Maximum", "minimum": "Minimum"}
_OBJECTIVE = re.compile(r"(\d{1,15}(?:\.\d{1,15})?)\s*%\Z", re.ASCII)
_HOUR, _DAY = 3600.0, 86_400.0
# Long window, and the share of the budget that is gone when the pair fires: SRE workbook, chapter 5, table 5-8.
_PAGE = ((_HOUR, 0.02), (6 * _HOUR, 0.05))
_TICKET = ((3 * _DAY, 0.1),)
_SHORT = 12


def signal_of(node: Node) -> Signal:
    """The signal that a word names."""
    signal = SIGNALS.get(node.text())
    if signal is None:
        node.fail(f"{node.text()!r} is no signal", did_you_mean(node.text(), SIGNALS))
    return signal


def sampled(signal: SampledSignal, values: Mapping[str, Node], place: Node, common: dict[str, Any]) -> Alert:
    """An alert on samples.

    Args:
        signal: What is watched.
        values: The words, the nearest of each.
        place: What an error about the whole condition names.
        common: The values of `AnyAlert`.
    """
    environment: Environment = common["environment"]
    level = isinstance(signal, Level)
    if "statistic" in values and not level:
        values["statistic"].fail(f"does not go with {signal.name}", "it goes with a level")
    if isinstance(signal, Presence):
        return _absence(signal, values, place, common)
    if "absent_for" in values:
        values["absent_for"].fail(f"does not go with {signal.name}", "it goes with what must be there")
    sides = [side for side in SIDES if side in values]
    if len(sides) != 1:
        place.fail("needs exactly one of above, below, at_least and at_most")
    threshold, bound = _threshold(signal, values, values[sides[0]], place)
    if "over" not in values:
        place.fail("does not say the length of a sample", "add over: 5m")
    over = _over(values["over"], environment, counted=not level)
    breaching, samples = units.m_of_n(values["breaching"]) if "breaching" in values else (1, 1)
    missing = values["when_missing"].text() if "when_missing" in values else "ok"
    if missing not in WHEN_MISSING:
        values["when_missing"].fail(f"{missing!r} is no policy", f"one of {', '.join(WHEN_MISSING)}")
    statistic = signal.statistic if isinstance(signal, Level) else "Average"
    if "statistic" in values:
        word = values["statistic"].text()
        if word not in _STATISTICS:
            values["statistic"].fail(f"{word!r} is no statistic", f"one of {', '.join(_STATISTICS)}")
        statistic = _STATISTICS[word]
    return Alert(
        **common,
        signal=signal,
        comparison=sides[0],
        threshold=threshold,
        bound=bound,
        over=over,
        breaching=breaching,
        samples=samples,
        minimum=_minimum(signal, values, place),
        statistic=statistic,
        when_missing=WHEN_MISSING[missing],
    )


def burn(
    slo: Node,
    values: Mapping[str, Node],
    severities: Mapping[str, Severity],
    common: dict[str, Any],
    renamed: Mapping[str, str],
) -> list[BurnAlert]:
    """The alerts of an objective: one for each severity that it has.

    Args:
        slo: Its words.
        values: The alert's other words.
        severities: All that the catalogue has.
        common: The values of `AnyAlert`, the severity left out.
        renamed: The names that severities have where the objective stands, to those of the catalogue.
    """
    words = slo.mapping(SLO_WORDS)
    for word in ("signal", "objective"):
        if word not in words:
            slo.fail(
                f"does not say {word}", "such as {signal: http_error_ratio, objective: 99.9%, period: 30d}"
            )
    signal = signal_of(words["signal"])
    if not isinstance(signal, Ratio | Share) or (isinstance(signal, Ratio) and signal.good_is_high):
        words["signal"].fail(f"{signal.name} is no share of bad events", "take http_error_ratio or a latency")
    objective = _objective(words["objective"])
    period = units.duration(words["period"]) if "period" in words else 30 * _DAY
    if not 7 * _DAY <= period <= 90 * _DAY:
        words["period"].fail(f"{words['period'].text()} is no period for an objective", "7d to 90d")
    bound = _bound(signal, words, slo) if isinstance(signal, Share) else None
    if "slower_than" in words and bound is None:
        words["slower_than"].fail(f"does not go with {signal.name}", "it goes with a latency")
    wanted = _wanted(signal, values)
    alerts: list[BurnAlert] = []
    urgent, slow = _defaults(severities)
    for word, pairs, default in (("page", _PAGE, urgent), ("ticket", _TICKET, slow)):
        own = words[word].text() if word in words else default
        name = renamed.get(own, own) if word in words else own
        if name == "none" or (word not in words and not name):
            continue
        if name not in severities:
            words[word].fail(f"{name!r} is no severity", did_you_mean(name, severities))
        windows = tuple(
            _window(long, share, objective, period, wanted, common["environment"], words["objective"])
            for long, share in pairs
        )
        place = words.get(word, slo)
        if any(alert.severity.name == name for alert in alerts):
            place.fail(f"{name!r} is the severity of page too", "give each its own, or say none")
        alerts.append(
            BurnAlert(
                **(common | {"severity": severities[name], "source": place.source}),
                signal=signal,
                bound=bound,
                objective=objective,
                period=period,
                windows=windows,
            )
        )
    if not alerts:
        slo.fail("tells nobody", "say page: SEVERITY or ticket: SEVERITY")
    return alerts


def event(signal: Event, common: dict[str, Any]) -> EventAlert:
    """An announcement."""
    return EventAlert(**common, signal=signal)


def _absence(signal: Presence, values: Mapping[str, Node], place: Node, common: dict[str, Any]) -> Alert:
    if "absent_for" not in values:
        place.fail(f"{signal.name} is there or it is not", "say absent_for: 5m")
    for word in (*SIDES, "over", "slower_than", "minimum", "when_missing"):
        if word in values:
            values[word].fail("does not go with absent_for", "which says it all")
    breaching, samples = units.m_of_n(values["breaching"]) if "breaching" in values else (1, 1)
    return Alert(
        **common,
        signal=signal,
        comparison="below",
        threshold=1.0,
        bound=None,
        over=_over(values["absent_for"], common["environment"], counted=False),
        breaching=breaching,
        samples=samples,
        minimum=0,
        statistic="Maximum",
        when_missing="breach",
    )


def _over(node: Node, environment: Environment, *, counted: bool) -> float:
    over = units.duration(node) / environment.faster
    if not _is_multiple(over, environment.every):
        every = units.duration_text(environment.every)
        node.fail(
            f"{node.text()} is no multiple of {every}",
            f"environment {environment.name} looks once every {every}",
        )
    if counted and over < environment.scrape:
        scrape = units.duration_text(environment.scrape)
        node.fail(
            f"{node.text()} is shorter than the time between two scrapes, {scrape}",
            "a counter that is read less often than a sample lasts cannot be counted",
        )
    return over


def _is_multiple(seconds: float, every: float) -> bool:
    """Whether so many seconds are whole looks, one at least; durations are floats, so 0.3 is three times 0.1."""
    looks = round(seconds / every)
    return looks >= 1 and abs(seconds / every - looks) < 1e-9 * looks


def _threshold(
    signal: Ratio | Share | Count | Level, values: Mapping[str, Node], node: Node, place: Node
) -> tuple[float, float | None]:
    if isinstance(signal, Share):
        return units.share(node), _bound(signal, values, place)
    if "slower_than" in values:
        values["slower_than"].fail(f"does not go with {signal.name}", "it goes with a latency")
    if isinstance(signal, Ratio):
        return units.share(node), None
    number = (
        units.amount(node, signal.unit)
        if isinstance(signal, Level)
        else float(units.count(node, signal.counted))
    )
    if number == 0 and "below" in values:
        node.fail("nothing is below 0", "the smallest that means something is below: 1, which is none")
    if number == 0 and "at_least" in values:
        node.fail("everything is at least 0", "the smallest that means something is at_least: 1")
    return number, None


def _bound(signal: Share, values: Mapping[str, Node], place: Node) -> float:
    if "slower_than" not in values:
        place.fail("does not say what is slow", "add slower_than: 5s")
    bound = units.duration(values["slower_than"])
    buckets = signal.events.instrument.buckets
    if bound not in buckets:
        near = sorted(sorted(buckets, key=lambda b: abs(b - bound))[:2])
        values["slower_than"].fail(
            f"{values['slower_than'].text()} is no bucket of {signal.events.instrument.name}, so it cannot be counted exactly",
            f"the nearest are {' and '.join(units.duration_text(b) for b in near)}",
        )
    return bound


def _minimum(signal: Ratio | Share | Count | Level, values: Mapping[str, Node], place: Node) -> int:
    if isinstance(signal, Count | Level):
        if "minimum" in values:
            values["minimum"].fail(f"does not go with {signal.name}", "it gates ratios and shares")
        return 0
    if "minimum" not in values:
        place.fail(
            "has no minimum, so one failure among two requests would fire it", "add minimum: 100 requests"
        )
    return _wanted(signal, values)


def _wanted(signal: Ratio | Share, values: Mapping[str, Node]) -> int:
    """The minimum that the words ask for; 0 where they do not."""
    if "minimum" not in values:
        return 0
    instrument = signal.total.instrument if isinstance(signal, Ratio) else signal.events.instrument
    minimum = units.count(values["minimum"], "{request}" if instrument.unit == "s" else instrument.unit)
    if minimum < 1:
        values["minimum"].fail("must be at least 1", "a share of nothing is no share")
    return minimum


def _objective(node: Node) -> float:
    match = _OBJECTIVE.match(node.text())
    objective = round(float(match[1]) / 100, 9) if match else 0.0
    if not 0 < objective < 1:
        node.fail(f"{node.text()!r} is no objective", "such as 99.9%; it must leave a budget of 0.0000001%")
    return objective


def _window(
    long: float,
    share: float,
    objective: float,
    period: float,
    wanted: int,
    environment: Environment,
    node: Node,
) -> BurnWindow:
    factor = share * period / long
    threshold = round(factor * (1 - objective), 12)
    if threshold >= 1:
        reachable = math.floor((1 - 1 / factor) * 10_000 + 1) / 100
        node.fail(
            f"at {node.text()} the window of {units.duration_text(long)} would need {threshold:.0%} of bad events, which can never be",
            f"an objective above {reachable:g}% can be alerted on this way",
        )
    # So many that one failure stays below the threshold (SRE workbook, "Low-traffic services").
    minimum = max(wanted, math.floor(1 / threshold) + 1)
    length = long / environment.faster
    if not _is_multiple(length / _SHORT, environment.every):
        every = units.duration_text(environment.every)
        node.fail(
            f"the window of {units.duration_text(length / _SHORT)} is no multiple of {every}",
            f"environment {environment.name} looks once every {every}",
        )
    return BurnWindow(length, length / _SHORT, factor, threshold, minimum)


def _defaults(severities: Mapping[str, Severity]) -> tuple[str, str]:
    """The severities of the fast and of the slow windows unless told otherwise; empty where there is none.

    The first that pages, or where none does the first that tells somebody; and the first other one that does not page.
    """
    told = [severity for severity in severities.values() if not severity.log]
    urgent = next((severity.name for severity in told if severity.page), told[0].name if told else "")
    return urgent, next((s.name for s in told if not s.page and s.name != urgent), "")

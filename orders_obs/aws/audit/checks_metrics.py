"""Alarms on metrics that are not there."""

from __future__ import annotations

from typing import TYPE_CHECKING

from orders_obs.alerts.lint.cloudwatch.views import Series
from orders_obs.aws.audit.read_metrics import is_of_aws, readings
from orders_obs.aws.audit.rules import RULES
from orders_obs.signals.aws_metrics import aws_names

if TYPE_CHECKING:
    from collections.abc import Iterator

    from orders_obs.aws.audit.alarms import Alarm
    from orders_obs.aws.audit.model import Issue, Listing, Subject
    from orders_obs.aws.audit.read_metrics import Reading
    from orders_obs.aws.audit.view import View
    from orders_obs.findings import Level

__all__ = ["are_there", "metrics"]

_NEW = 1 / 24
"""Days within which an alarm's metric may not be listed yet: a new one takes up to 15 minutes (API reference of ListMetrics)."""
_TOO_NEW = "The alarm is new, and a new metric is listed after up to 15 minutes. "
_SHOWN = 5
_NOISE: Subject = "noise"

_Pairs = frozenset[tuple[str, str]]


def are_there(view: View, alarm: Alarm) -> bool:
    """Whether everything that an alarm reads had values in the last two weeks."""
    found = list(readings(alarm))
    return bool(found) and all(_is_there(view, _owned(view, reading), asked) for reading, asked, _ in found)


def fires_without_data(alarm: Alarm) -> bool:
    """Whether an alarm on a metric without values is in ALARM, and not silent. What an expression makes of it is not known."""
    return alarm.view.missing == "breaching" and isinstance(alarm.view.result, Series)


def _owned(view: View, reading: Reading) -> Reading:
    return (reading[0] if reading[0] != view.seen.account else "", reading[1], reading[2])


def _is_there(view: View, reading: Reading, asked: _Pairs) -> bool:
    return asked in view.sent.get(reading, ()) or view.seen.exact.get((*reading, asked), False)


def metrics(view: View) -> Iterator[Issue]:
    """Alarms whose metric had no value in two weeks."""
    for alarm in view.alarms:
        for reading, asked, series in readings(alarm):
            owned = _owned(view, reading)
            listing = view.seen.metrics.get(owned)
            if listing is None or _is_there(view, owned, asked):
                continue
            # Beyond what was listed, only what was asked for by itself is known.
            if not listing.complete and view.seen.exact.get((*owned, asked), True):
                continue
            yield from _missing(view, alarm, owned, asked, series, listing)


def _missing(
    view: View, alarm: Alarm, reading: Reading, asked: _Pairs, series: Series, listing: Listing
) -> Iterator[Issue]:
    near = _other_case(asked, listing)
    under = _text(asked)
    fires = fires_without_data(alarm)
    tail, subject = (", and missing data breaches, so it fires for ever", _NOISE) if fires else ("", None)
    if near:
        yield view.issue(
            "metric-other-dimensions", "alarm", alarm.name,
            f"{series.text} has no values under {under}, and has under {near}: dimensions are compared letter by letter{tail}",
            subject=subject,
        )  # fmt: skip
        return
    age = view.days(str(alarm.described.get("AlarmConfigurationUpdatedTimestamp", "")))
    new = age is not None and age < _NEW
    names = frozenset(name for name, _ in asked)
    ways = {frozenset(found) for found in listing.sets}
    documented = series.known is not None and names in series.known.dimensions
    if ways and names not in ways and not documented:
        shown = " or ".join(sorted("+".join(sorted(way)) or "no dimension" for way in ways)[:_SHOWN])
        found = _closest(asked, listing)
        level: Level | None = "info" if alarm.maker else "warning" if new else None
        yield view.issue(
            "metric-other-dimensions", "alarm", alarm.name,
            f"{series.text} has no values under {under}, and has under other dimensions{tail}",
            f"It has under {shown}{f', such as {found}' if found else ''}. {RULES['metric-other-dimensions'].remedy}", level=level,
            subject=subject,
        )  # fmt: skip
        return
    judged = _judged(view, alarm, reading, asked, series)
    if judged is None:
        return
    level, why = judged
    if alarm.maker or new:
        level = "info"
    elif fires and level == "error":
        # It may be meant so: what is gone is told.
        level = "warning"
    yield view.issue(
        "metric-dead", "alarm", alarm.name,
        f"{series.text} of {reading[1]} had no value under {under} in the last two weeks: {why}{tail}",
        f"{_TOO_NEW if new else ''}{RULES['metric-dead'].remedy}", level=level, subject=subject,
    )  # fmt: skip


def _judged(
    view: View, alarm: Alarm, reading: Reading, asked: _Pairs, series: Series
) -> tuple[Level, str] | None:
    """How sure it is that there will never be one, and why; None where there need be none."""
    owner, namespace, name = reading
    related = view.seen.related.get((owner, namespace, asked))
    reported = series.known.reported if series.known is not None else ""
    if not is_of_aws(namespace):
        return _custom(alarm, series, related=related, filtered=view.seen.filtered.get((namespace, name)))
    if related is None and asked:
        return None
    if related:
        if reported == "always":
            return "warning", "the resource has other metrics, and not this one"
        if reported or name in aws_names(namespace):
            return None
        return (
            "info",
            "the resource has other metrics; right where this one comes only when something happens",
        )
    if reported == "always":
        return "error", "nothing of that resource had; it is gone, or its name is another"
    return "warning", "nothing of that resource had; it is gone, idle, or its name is another"


def _custom(
    alarm: Alarm, series: Series, *, related: bool | None, filtered: bool | None
) -> tuple[Level, str] | None:
    rises = alarm.view.op in (">", ">=") and alarm.view.missing != "breaching"
    # A metric filter sends a value only when a line of the log matches.
    if filtered and rises:
        return None
    if rises and alarm.view.missing == "notBreaching":
        return "info", "right where it is sent only when something fails"
    if alarm.view.missing == "breaching":
        return "warning", "nobody sends it"
    if rises and series.stat in ("Sum", "SampleCount"):
        unsure: Level = "info" if filtered is None else "warning"
        return unsure, "nobody sends it; right only where it is sent when something fails"
    others = "others of the same dimensions are sent, and this one is not" if related else "nobody sends it"
    return "warning" if related else "error", others


def _other_case(asked: _Pairs, listing: Listing) -> str:
    lowered = frozenset((name.lower(), value.lower()) for name, value in asked)
    for found in listing.sets:
        pairs = frozenset(found.items())
        if pairs != asked and frozenset((n.lower(), v.lower()) for n, v in pairs) == lowered:
            return _text(pairs)
    return ""


def _closest(asked: _Pairs, listing: Listing) -> str:
    """The set that shares most with what is asked for; empty where none shares anything."""
    ranked = [
        (len(asked & frozenset(found.items())), -len(found), _text(frozenset(found.items())))
        for found in listing.sets
    ]
    best = max(ranked, default=(0, 0, ""))
    return best[2] if best[0] else ""


def _text(pairs: _Pairs) -> str:
    return ", ".join(f"{name}={value}" for name, value in sorted(pairs)) or "no dimension"

"""Rules on missing data and on the arithmetic of an alarm: what a gap, a zero and a fill make of the result."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from orders_obs.alerts.lint.cloudwatch.metric_math import (
    Call,
    Infix,
    Listed,
    Name,
    Number,
    Term,
    divisions,
    factor,
    names,
    plain,
    walk,
)
from orders_obs.alerts.lint.cloudwatch.views import AlarmView, Said, Series

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = [
    "fill_pins_newest",
    "is_share",
    "missing_data_fires",
    "missing_data_hides_outage",
    "missing_data_on_sparse",
    "ratio_of_nothing",
    "ratio_without_minimum",
    "scalar_in_alarm",
    "sparse_operand_dropped",
]

_EVENTS = re.compile(r"5XX|4XX|50\d|Error|Fail|Miss|Hit|Throttle|Reject", re.IGNORECASE)


def is_share(alarm: AlarmView, division: Infix) -> bool:
    """Whether a division is a share: it divides some events by all: what is above is told by its name, or stands below too."""
    part, total = plain(factor(division.left)[1]), names(division.right)
    if not part or not total or set(part) - set(alarm.by_id) or set(total) - set(alarm.by_id):
        return False
    counted = all(alarm.by_id[name].stat == "Sum" for name in (*part, *total))
    named = all(_EVENTS.search(alarm.by_id[name].name or "") for name in part)
    whole = any(not _EVENTS.search(alarm.by_id[name].name or "") for name in total)
    return counted and ((named and whole) or set(part) < set(total))


# Missing data

_PRESENCE = {
    ("AWS/ApplicationELB", "HealthyHostCount"),
    ("ECS/ContainerInsights", "RunningTaskCount"),
    ("ECS/ContainerInsights", "TaskCount"),
    ("AWS/RDS", "EngineUptime"),
}


def missing_data_hides_outage(alarm: AlarmView) -> Iterator[Said]:
    result = alarm.result
    if alarm.missing in ("breaching", None) or alarm.op not in ("<", "<=") or not isinstance(result, Series):
        return
    known = result.known
    if known is None:
        return
    asks_presence = (known.namespace, known.name) in _PRESENCE
    counts_reports = result.stat == "SampleCount"
    counts_traffic = known.kind == "count" and known.reported == "traffic" and result.stat == "Sum"
    if asks_presence or counts_reports or counts_traffic:
        yield Said(
            f"{result.text} is missing when all is down, and missing data is {_READ_AS[alarm.missing]}",
            "set TreatMissingData to breaching",
            # AWS's own recommended alarms leave it so, and the metric goes on while the service is there.
            "info" if known.namespace == "ECS/ContainerInsights" else "",
        )


_READ_AS = {
    "notBreaching": "read as good (notBreaching)",
    "ignore": "ignored: the state stays as it was",
    "missing": "no alarm but INSUFFICIENT_DATA (missing)",
}


def missing_data_fires(alarm: AlarmView) -> Iterator[Said]:
    if alarm.missing == "breaching" and alarm.op in (">", ">=") and _all_sparse(alarm):
        reads = ", ".join(series.text for series in alarm.compared)
        yield Said(
            f"{reads} is reported only when it is not zero, and missing data counts as breaching: it fires for ever when all is well",
            "set TreatMissingData to notBreaching",
        )


def _all_sparse(alarm: AlarmView) -> bool:
    """Whether there is no point at all while nothing happens."""
    sparse = bool(alarm.compared) and all(
        series.known is not None and series.known.sparse for series in alarm.compared
    )
    result = alarm.result
    return sparse and (
        isinstance(result, Series)
        or (
            result is not None
            and not any(isinstance(part, Call) and part.name == "FILL" for part in walk(result))
        )
    )


def missing_data_on_sparse(alarm: AlarmView) -> Iterator[Said]:
    if alarm.missing not in ("missing", "ignore") or alarm.op not in (">", ">=") or not _all_sparse(alarm):
        return
    reads = ", ".join(series.text for series in alarm.compared)
    after = (
        "a fired alarm stays until the next value"
        if alarm.missing == "ignore"
        else "it is INSUFFICIENT_DATA when all is well, and never OK"
    )
    yield Said(
        f"{reads} is reported only when it is not zero, so {after}", "set TreatMissingData to notBreaching"
    )


# Arithmetic


def _is_counted(alarm: AlarmView, name: str) -> bool:
    series = alarm.by_id.get(name)
    return series is not None and series.stat in ("Sum", "SampleCount")


def ratio_without_minimum(alarm: AlarmView) -> Iterator[Said]:
    result = alarm.result
    if (
        result is None
        or isinstance(result, Series)
        or alarm.op not in (">", ">=")
        or any(_gates(part) for part in walk(result))
    ):
        return
    if any(is_share(alarm, division) for division in divisions(result)):
        yield Said(
            "compares a share of events without a minimum of events: one failure in ten requests at night is 10 %",
            "IF(total >= 100, 100 * part / total, 0)",
        )


def _gates(term: Term) -> bool:
    """Whether it compares something with a number: a gate, in IF or as a factor."""
    return (
        isinstance(term, Infix)
        and term.op in (">", ">=", "<", "<=")
        and (isinstance(term.left, Number) or isinstance(term.right, Number))
    )


def ratio_of_nothing(alarm: AlarmView) -> Iterator[Said]:
    result = alarm.result
    if result is None or isinstance(result, Series) or alarm.missing not in ("breaching", "missing"):
        return
    for division in divisions(result):
        below = plain(division.right)
        if (
            below
            and all(_is_counted(alarm, name) for name in below)
            and not any(_gates(part) for part in walk(result))
        ):
            then = "fires" if alarm.missing == "breaching" else "goes to INSUFFICIENT_DATA"
            yield Said(
                f"divides by {' + '.join(below)}, which may be 0: the point is dropped, and with {alarm.missing} the alarm {then} without traffic",
                "IF(total > 0, part / total, 0), and TreatMissingData notBreaching",
                "" if alarm.missing == "breaching" else "info",
            )
            return


def sparse_operand_dropped(alarm: AlarmView) -> Iterator[Said]:
    result = alarm.result
    if result is None or isinstance(result, Series):
        return
    for part in walk(result):
        if isinstance(part, Call) and part.name == "IF" and len(part.arguments) == 3:
            for place, argument in (("condition", part.arguments[0]), ("third argument", part.arguments[2])):
                asked = (
                    argument.left
                    if isinstance(argument, Infix) and _gates(argument) and isinstance(argument.right, Number)
                    else argument
                )
                series = alarm.by_id.get(asked.value) if isinstance(asked, Name) else None
                if series is not None and series.known is not None and series.known.sparse:
                    yield Said(
                        f"{series.text} is reported only when it is not zero, and the {place} of IF without a value drops the point",
                        f"FILL({series.id}, 0)",
                    )


def fill_pins_newest(alarm: AlarmView) -> Iterator[Said]:
    result = alarm.result
    if (
        result is None
        or isinstance(result, Series)
        or alarm.periods is None
        or alarm.periods != alarm.datapoints
    ):
        return
    for part in dict.fromkeys(walk(result)):
        if not (
            isinstance(part, Call)
            and part.name == "FILL"
            and part.arguments
            and isinstance(part.arguments[0], Name)
        ):
            continue
        series = alarm.by_id.get(part.arguments[0].value)
        if series is not None and series.known is not None and not series.known.sparse:
            yield Said(
                f"FILL of {series.text}, which always comes, sets the newest minute to the fill value until it has come",
                "fill only what is reported when it is not zero, or let DatapointsToAlarm be less than EvaluationPeriods",
            )


_SCALARS = ("AVG", "MAX", "MIN", "SUM", "STDDEV")
_DISCOURAGED = ("RUNNING_SUM", "DATAPOINT_COUNT", "REMOVE_EMPTY")


def scalar_in_alarm(alarm: AlarmView) -> Iterator[Said]:
    result = alarm.result
    if result is None or isinstance(result, Series):
        return
    for part in dict.fromkeys(walk(result)):
        if not isinstance(part, Call) or not part.arguments:
            continue
        inside: Any = part.arguments[0]
        one = not isinstance(inside, Listed) and not (
            isinstance(inside, Call) and inside.name in ("METRICS", "SEARCH", "SLICE", "SORT")
        )
        if (part.name in _SCALARS and one and names(inside)) or part.name in _DISCOURAGED:
            yield Said(
                f"{part.name} of one series is computed over all points that CloudWatch fetches, whose number AWS does not publish",
                "let Statistic and Period do it, or give a list: SUM([m1, m2])",
            )

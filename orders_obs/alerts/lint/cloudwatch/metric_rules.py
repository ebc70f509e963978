"""Rules on what an alarm watches: the metric, its dimensions, its statistic, the threshold."""

from __future__ import annotations

import difflib
import re
from typing import TYPE_CHECKING

from orders_obs.alerts.lint.cloudwatch.data_rules import is_share
from orders_obs.alerts.lint.cloudwatch.files import Unknown
from orders_obs.alerts.lint.cloudwatch.metric_math import Term, scale
from orders_obs.alerts.lint.cloudwatch.views import AlarmView, Said, Series
from orders_obs.signals.aws_metrics import AWS_NAMESPACES, aws_names

if TYPE_CHECKING:
    from collections.abc import Iterator

    from orders_obs.findings import Level

__all__ = [
    "always_fires",
    "average_of_latency",
    "dimension_set_unknown",
    "dimension_value_form",
    "metric_unknown",
    "never_fires",
    "percentile_low_samples",
    "statistic_meaningless",
    "threshold_scale",
    "unit_mismatch",
]

# Namespaces whose metrics and dimension sets are all in the catalogue.
_COMPLETE = frozenset({"AWS/ApplicationELB", "AWS/ECS", "AWS/SNS"})
_INSTEAD = {
    ("AWS/ApplicationELB", "Errors"): "use HTTPCode_Target_5XX_Count (answers of the targets) and HTTPCode_ELB_5XX_Count (the load balancer's own), Sum of each",
    ("AWS/ApplicationELB", "Latency"): "use TargetResponseTime, in seconds",
    ("AWS/ApplicationELB", "HTTPCode_Backend_5XX"): "use HTTPCode_Target_5XX_Count",
    ("AWS/ECS", "RunningTaskCount"): "it is in ECS/ContainerInsights, with Container Insights on",
    ("AWS/ECS", "DesiredTaskCount"): "it is in ECS/ContainerInsights, with Container Insights on",
    ("AWS/RDS", "FreeMemory"): "use FreeableMemory, in bytes",
}  # fmt: skip


def metric_unknown(alarm: AlarmView) -> Iterator[Said]:
    for series in alarm.series:
        space, name = series.namespace, series.name
        if space not in AWS_NAMESPACES or name is None or name in aws_names(str(space)):
            continue
        near = difflib.get_close_matches(name, sorted(aws_names(str(space))), 1)
        hint = _INSTEAD.get((str(space), name)) or (f"did you mean {near[0]}?" if near else "")
        level: Level = "info" if not hint else "error" if space in _COMPLETE else "warning"
        yield Said(
            f"{name} is no known metric of {space}: of one that is not there, there is no data",
            hint or "look it up in the service's guide",
            level,
        )


def dimension_set_unknown(alarm: AlarmView) -> Iterator[Said]:
    for series in alarm.series:
        if (
            series.known is None
            or series.values is None
            or frozenset(series.values) in series.known.dimensions
        ):
            continue
        given = ", ".join(sorted(series.values)) or "no dimension"
        ways = " or ".join("+".join(sorted(ways)) or "none" for ways in series.known.dimensions)
        level: Level = "error" if series.namespace in _COMPLETE else "warning"
        yield Said(f"{series.text} has no values under {given}", f"dimensions that have: {ways}", level)


_FORMS = {
    "LoadBalancer": (re.compile(r"(app|net|gwy)/[^/]+/[0-9a-f]+"), "app/NAME/ID, the end of its ARN"),
    "TargetGroup": (re.compile(r"targetgroup/[^/]+/[0-9a-f]+"), "targetgroup/NAME/ID, the end of its ARN"),
}
_RIGHT_ATTRIBUTE = {
    "aws_lb": "arn_suffix",
    "aws_alb": "arn_suffix",
    "aws_lb_target_group": "arn_suffix",
    "aws_alb_target_group": "arn_suffix",
    "aws_sns_topic": "name",
    "AWS::ElasticLoadBalancingV2::LoadBalancer": "LoadBalancerFullName",
    "AWS::ElasticLoadBalancingV2::TargetGroup": "TargetGroupFullName",
    "AWS::SNS::Topic": "TopicName",
}


def dimension_value_form(alarm: AlarmView) -> Iterator[Said]:
    for series in alarm.series:
        if series.namespace not in AWS_NAMESPACES or series.values is None:
            continue
        for name, value in series.values.items():
            pattern, form = _FORMS.get(name, (None, "its name"))
            if isinstance(value, Unknown):
                kind, _, attribute = value.of.partition(".")
                right = _RIGHT_ATTRIBUTE.get(kind, "")
                wrong = attribute in ("", "arn", "id", "name", "dns_name", "Arn", "TopicArn", "LoadBalancerName", "LoadBalancerArn", "TargetGroupName", "TargetGroupArn", "DNSName")  # fmt: skip
                if right and wrong and attribute != right:
                    yield Said(
                        f"dimension {name} of {series.text} is {value.text}, which is not {form}",
                        f"use the attribute {right}",
                    )
            elif isinstance(value, str) and (
                value.startswith("arn:") or (pattern and not pattern.fullmatch(value))
            ):
                yield Said(
                    f"dimension {name} of {series.text} is {value!r}, so it matches nothing",
                    f"it must be {form}",
                )


def unit_mismatch(alarm: AlarmView) -> Iterator[Said]:
    for series in alarm.series:
        if series.known is not None and series.unit not in (None, series.known.unit):
            yield Said(
                f"asks for {series.text} in {series.unit}, but AWS sends it in {series.known.unit}: there is never data",
                "leave out Unit: it is a filter, it converts nothing",
            )


# Statistics


def _percentile(stat: str | None) -> float | None:
    found = re.fullmatch(r"p(\d+(?:\.\d+)?)", stat or "")
    return float(found[1]) if found else None


def statistic_meaningless(alarm: AlarmView) -> Iterator[Said]:
    for series in alarm.series:
        known, stat = series.known, series.stat
        if known is None or stat is None:
            continue
        if known.kind == "count" and known.namespace in ("AWS/ApplicationELB", "AWS/Events"):
            if stat not in known.statistics:
                one = known.name.startswith("HTTPCode_")
                said = "is 1 whatever happens" if one else "says nothing of how many there are"
                yield Said(f"{stat} of {series.text} {said}", "use Sum", "error" if one else "")
        elif known.kind != "count" and stat == "Sum" and not _adds_up(series):
            yield Said(
                f"Sum of {series.text}, which is up or down at each moment, grows with the number of samples",
                "use Average, Maximum or Minimum",
            )
        elif (
            stat == "SampleCount"
            and known.name in ("HealthyHostCount", "UnHealthyHostCount")
            and alarm.missing != "breaching"
        ):
            yield Said(f"SampleCount of {series.text} counts reports, not hosts", "use Minimum or Maximum")


def _adds_up(series: Series) -> bool:
    per_minute = series.namespace == "ECS/ContainerInsights" and series.period in (None, 60.0)
    return series.name in ("ConsumedLCUs", "CPUCreditUsage", "PublishSize") or per_minute


def average_of_latency(alarm: AlarmView) -> Iterator[Said]:
    for series in alarm.compared:
        known = series.known
        if (
            known is not None
            and known.kind == "timing"
            and known.reported == "traffic"
            and series.stat == "Average"
        ):
            yield Said(
                f"Average of {series.text} hides the slow requests among many fast ones",
                "use p99, or the share of slow requests",
            )


def percentile_low_samples(alarm: AlarmView) -> Iterator[Said]:
    result = alarm.result
    if not isinstance(result, Series) or result.known is None or result.known.reported != "traffic":
        return
    percent = _percentile(result.stat)
    if percent is None or not 0 < percent < 100 or "EvaluateLowSampleCountPercentile" in alarm.arguments:
        return
    needed = 1000 / (100 - percent) if percent >= 50 else 1000 / percent
    yield Said(
        f"{result.stat} of {result.text} means little below {needed:.0f} samples in a period",
        "set EvaluateLowSampleCountPercentile to ignore, or gate on the number of requests",
    )


# Thresholds


def _bounds(series: Series) -> tuple[float, float]:
    """The smallest and the largest value that a point may have."""
    known = series.known
    if series.stat == "SampleCount":
        return 0.0, float("inf")
    if known is None:
        return float("-inf"), float("inf")
    # A service may use more than it has reserved.
    capped = known.unit == "Percent" and known.namespace != "AWS/ECS" and series.stat != "Sum"
    return 0.0, 100.0 if capped else float("inf")


def _never(op: str, threshold: float, low: float, high: float) -> bool:
    return {">": high <= threshold, ">=": high < threshold, "<": low >= threshold, "<=": low > threshold}.get(
        op, False
    )


_OTHER_SIDE = {">": "<=", ">=": "<", "<": ">=", "<=": ">"}


def never_fires(alarm: AlarmView) -> Iterator[Said]:
    result, threshold = alarm.result, alarm.threshold
    if (
        not isinstance(result, Series)
        or threshold is None
        or not alarm.op
        or alarm.missing in ("breaching", None)
    ):
        return
    low, high = _bounds(result)
    if _never(alarm.op, threshold, low, high):
        span = f"at most {high:g}" if alarm.op[0] == ">" else f"at least {low:g}"
        yield Said(
            f"`{result.text} {alarm.condition}` can never be true: it is {span}",
            "set a threshold that it can cross",
        )
    elif (
        result.known is not None
        and result.known.sparse
        and result.stat == "Sum"
        and _never(alarm.op, threshold, 1.0, high)
    ):
        yield Said(
            f"`{result.text} {alarm.condition}` can never be true: it is reported only when it is not zero, and its absence counts as good",
            "set TreatMissingData to breaching",
        )


def always_fires(alarm: AlarmView) -> Iterator[Said]:
    result, threshold = alarm.result, alarm.threshold
    if not isinstance(result, Series) or threshold is None or not alarm.op:
        return
    low, high = _bounds(result)
    if _never(_OTHER_SIDE[alarm.op], threshold, low, high):
        span = f"at least {low:g}" if alarm.op[0] == ">" else f"at most {high:g}"
        yield Said(
            f"`{result.text} {alarm.condition}` is true of each value: it is {span}",
            "set a threshold that it can cross",
        )


def threshold_scale(alarm: AlarmView) -> Iterator[Said]:
    result, threshold = alarm.result, alarm.threshold
    if threshold is None or not alarm.op or result is None:
        return
    if isinstance(result, Series):
        yield from _scale_of_series(alarm, result, threshold)
    else:
        yield from _scale_of_share(alarm, result, threshold)


def _scale_of_series(alarm: AlarmView, series: Series, threshold: float) -> Iterator[Said]:
    known = series.known
    if known is None or series.stat in ("SampleCount", "Sum"):
        return
    written = f"`{series.text} {alarm.condition}`"
    if known.unit == "Seconds" and known.kind == "timing":
        if threshold >= (100 if known.namespace == "AWS/ApplicationELB" else 1):
            yield Said(
                f"{written}: it is in seconds, this reads as milliseconds",
                f"{threshold / 1000:g} would be {threshold:g} ms",
            )
    elif known.name == "Duration" and known.unit == "Milliseconds" and 0 < threshold < 10:
        yield Said(
            f"{written}: it is in milliseconds, this reads as seconds",
            f"{threshold * 1000:g} would be {threshold:g} s",
        )
    elif known.unit == "Percent":
        if 0 < threshold < 1:
            yield Said(
                f"{written}: it is in percent, from 0 to 100, this reads as a share",
                f"{threshold * 100:g} would be that share; look at the values first",
            )
        elif threshold > 100 and known.namespace == "AWS/ECS":
            yield Said(
                f"{written}: it is above 100 only where a task may use more than it reserves",
                "take a threshold below 100",
            )
    elif known.unit == "Bytes" and known.name.startswith("Free") and 0 < threshold < 1024 * 1024:
        yield Said(
            f"{written}: it is in bytes, and less than 1 MiB is left only when it is too late",
            "give the threshold in bytes: 1 GiB is 1073741824",
        )


def _scale_of_share(alarm: AlarmView, result: Term, threshold: float) -> Iterator[Said]:
    factor, division = scale(result)
    if division is None or not is_share(alarm, division):
        return
    if _never(alarm.op, threshold, 0.0, factor) or _never(_OTHER_SIDE[alarm.op], threshold, 0.0, factor):
        hint = (
            f"{threshold / 100:g} would be {threshold:g} %, or multiply the expression by 100"
            if factor == 1
            else "take a threshold between"
        )
        yield Said(
            f"the result is a share from 0 to {factor:g}, and it is compared with `{alarm.condition}`", hint
        )

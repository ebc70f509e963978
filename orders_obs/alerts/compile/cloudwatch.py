"""Classic CloudWatch alarms: the arguments of `put_metric_alarm`.

A ratio is `FILL(bad, 0) / IF(total >= minimum, total, 0)`: below the minimum the division by zero drops the point, and the policy for
missing data decides. Only counts that AWS reports when they are not zero are filled: filling the total would pin the newest, not yet
complete minute to good.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, NoReturn

from orders_obs.alerts.compile.prometheus import describe
from orders_obs.errors import UserError
from orders_obs.signals.model import Count, Ratio

if TYPE_CHECKING:
    from orders_obs.alerts.model import Alert, ResolvedCatalogue
    from orders_obs.signals.model import CloudWatchMetric

__all__ = ["compile_alarms", "render"]

_TREAT_MISSING = {"ok": "notBreaching", "breach": "breaching", "keep": "ignore", "unknown": "missing"}
_OPERATOR = {"above": "GreaterThanThreshold", "below": "LessThanThreshold"}

# CloudWatch's documented limits (user guide, "CloudWatch service quotas"; API reference of PutMetricAlarm).
_SHORT_PERIODS = (10, 20, 30)
_NAME_LENGTH = 255
_DESCRIPTION_LENGTH = 1024
_ONE_DAY, _ONE_WEEK = 86_400, 604_800


def compile_alarms(catalogue: ResolvedCatalogue) -> list[dict[str, Any]]:
    """The alarms of one environment, in the order of the catalogue.

    Raises:
        UserError: An alert cannot be expressed, or a resource that it needs is not filled in.
    """
    return [_alarm(alert) for alert in catalogue.alerts]


def render(alarms: list[dict[str, Any]]) -> str:
    """The alarms as JSON, one object an alarm."""
    return json.dumps(alarms, indent=2, sort_keys=True) + "\n"


def _alarm(alert: Alert) -> dict[str, Any]:
    if len(alert.full_name) > _NAME_LENGTH:
        _fail(
            alert,
            f"its name on CloudWatch has {len(alert.full_name)} characters",
            f"{_NAME_LENGTH} are allowed",
        )
    period = _period(alert)
    text = f"{alert.signal.title}: fires while {describe(alert)}. Runbook: {alert.runbook}"
    alarm: dict[str, Any] = {
        "AlarmName": alert.full_name,
        "AlarmDescription": text[:_DESCRIPTION_LENGTH],
        "ActionsEnabled": True,
        "ComparisonOperator": _OPERATOR[alert.comparison],
        "Threshold": alert.threshold,
        "EvaluationPeriods": alert.samples,
        "DatapointsToAlarm": alert.breaching,
        "TreatMissingData": _TREAT_MISSING[alert.when_missing],
        "Tags": [
            {"Key": "managed-by", "Value": "orders-obs"},
            {"Key": "service", "Value": alert.service},
            {"Key": "environment", "Value": alert.environment.name},
            {"Key": "alert-id", "Value": alert.alert_id},
            {"Key": "severity", "Value": alert.severity.name},
        ],
    }
    topic = _topic(alert)
    if topic:
        alarm["AlarmActions"] = alarm["OKActions"] = [topic]
    signal = alert.signal
    if isinstance(signal, Count):
        alarm.update(_count(alert, period))
    elif isinstance(signal, Ratio):
        alarm["Metrics"] = _ratio(alert, signal, period)
    else:
        alarm["Metrics"] = _share(alert, period)
    return alarm


def _count(alert: Alert, period: int) -> dict[str, Any]:
    metric = _metric(alert, getattr(alert.signal, "cloudwatch", None))
    return {**metric, "Statistic": "Sum", "Period": period}


def _ratio(alert: Alert, signal: Ratio, period: int) -> list[dict[str, Any]]:
    if not signal.cloudwatch_part or not signal.cloudwatch_total:
        _no_metric(alert)
    metrics = list(dict.fromkeys((*signal.cloudwatch_part, *signal.cloudwatch_total)))
    ids = {metric: f"m{index}" for index, metric in enumerate(metrics, 1)}

    def added(parts: tuple[CloudWatchMetric, ...]) -> str:
        return " + ".join(f"FILL({ids[m]}, 0)" if m.sparse else ids[m] for m in parts)

    total = added(signal.cloudwatch_total)
    expression = f"({added(signal.cloudwatch_part)}) / IF(({total}) >= {alert.minimum}, {total}, 0)"
    return [
        _result(expression, signal.title),
        *(_stat(ids[metric], _metric(alert, metric), "Sum", period) for metric in metrics),
    ]


def _share(alert: Alert, period: int) -> list[dict[str, Any]]:
    """The share above a bound is what the percentile rank of the bound leaves; the minimum gates by the number of samples."""
    metric = _metric(alert, getattr(alert.signal, "cloudwatch", None))
    assert alert.bound is not None  # noqa: S101  # the catalogue gives every share a bound
    return [
        _result(f"(100 - rank) / 100 / IF(samples >= {alert.minimum}, 1, 0)", alert.signal.title),
        _stat("rank", metric, f"PR(:{alert.bound:g})", period),
        _stat("samples", metric, "SampleCount", period),
    ]


def _result(expression: str, label: str) -> dict[str, Any]:
    return {"Id": "result", "Expression": expression, "Label": label, "ReturnData": True}


def _stat(identifier: str, metric: dict[str, Any], statistic: str, period: int) -> dict[str, Any]:
    return {
        "Id": identifier,
        "MetricStat": {"Metric": metric, "Period": period, "Stat": statistic},
        "ReturnData": False,
    }


def _metric(alert: Alert, metric: CloudWatchMetric | None) -> dict[str, Any]:
    if metric is None:
        _no_metric(alert)
    own = {"service": alert.service, "environment": alert.environment.name}
    dimensions = []
    for name, placeholder in metric.dimensions:
        value = own.get(placeholder) or alert.environment.resources.get(placeholder)
        if value is None:
            raise UserError(
                f"environment {alert.environment.name} does not say what {placeholder} is, which {alert.name} needs",
                hint=f"add {placeholder} to its resources",
                file=alert.environment.source.file,
                line=alert.environment.source.line,
            )
        dimensions.append({"Name": name, "Value": value})
    return {"Namespace": metric.namespace, "MetricName": metric.name, "Dimensions": dimensions}


def _period(alert: Alert) -> int:
    period = round(alert.over)
    if period != alert.over or (period not in _SHORT_PERIODS and (period < 60 or period % 60)):
        _fail(
            alert, f"CloudWatch has no period of {alert.over:g} s", "10, 20, 30 s or a multiple of one minute"
        )
    if period in _SHORT_PERIODS and not isinstance(alert.signal, Count):
        _fail(
            alert, f"AWS's own metrics have no values every {period} s", "take samples of a minute or longer"
        )
    span = period * alert.samples
    if span > (_ONE_WEEK if period >= 3600 else _ONE_DAY):
        _fail(
            alert,
            f"{alert.samples} samples of {period} s are {span} s",
            "CloudWatch looks back a day, or a week from 1 h up",
        )
    return period


def _topic(alert: Alert) -> str:
    environment = alert.environment
    if not alert.severity.topic:
        return ""
    if not environment.account or not environment.region:
        raise UserError(
            f"environment {environment.name} has no account and region, so it has no CloudWatch alarms",
            hint="add account and region, or build another engine",
            file=environment.source.file,
            line=environment.source.line,
        )
    return f"arn:aws:sns:{environment.region}:{environment.account}:{alert.severity.topic}-{environment.name}"


def _no_metric(alert: Alert) -> NoReturn:
    _fail(alert, f"{alert.signal.name} has no metric on CloudWatch", "alert on it in Prometheus")


def _fail(alert: Alert, message: str, hint: str) -> NoReturn:
    raise UserError(f"{alert.name}: {message}", hint=hint, file=alert.source.file, line=alert.source.line)

"""Classic CloudWatch alarms: the arguments of `put_metric_alarm`.

A ratio is `FILL(bad, 0) / IF(total >= minimum, total, 0)`: below the minimum the division by zero drops the point, and the policy for
missing data decides. Only counts that AWS reports when they are not zero are filled: filling the total would pin the newest, not yet
complete minute to good.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, NoReturn

from orders_obs.alerts.describe import describe
from orders_obs.alerts.units import duration_text
from orders_obs.errors import UserError
from orders_obs.signals.model import Count, Ratio

if TYPE_CHECKING:
    from orders_obs.alerts.model import Alert, ResolvedCatalogue
    from orders_obs.signals.model import CloudWatchMetric, Share

__all__ = ["compile_alarm", "compile_alarms", "render"]

_TREAT_MISSING = {"ok": "notBreaching", "breach": "breaching", "keep": "ignore", "unknown": "missing"}
_OPERATOR = {"above": "GreaterThanThreshold", "below": "LessThanThreshold"}

# CloudWatch's documented limits (user guide, "CloudWatch service quotas"; API reference of PutMetricAlarm).
_SHORT_PERIODS = (10, 20, 30)
_NAME_LENGTH = 255
_DESCRIPTION_LENGTH = 1024
_MINUTE, _HOUR, _DAY, _WEEK = 60, 3600, 86_400, 604_800


def compile_alarms(catalogue: ResolvedCatalogue) -> list[dict[str, Any]]:
    """The alarms of one environment, in the order of the catalogue.

    Raises:
        UserError: An alert cannot be expressed, or a resource that it needs is not filled in.
    """
    return [compile_alarm(alert) for alert in catalogue.alerts]


def render(alarms: list[dict[str, Any]]) -> str:
    """The alarms as JSON, one object an alarm."""
    return json.dumps(alarms, indent=2, sort_keys=True) + "\n"


def compile_alarm(alert: Alert) -> dict[str, Any]:
    """The alarm of one alert; as `compile_alarms`."""
    if len(alert.full_name) > _NAME_LENGTH:
        _fail(
            alert,
            f"its name on CloudWatch has {len(alert.full_name)} characters",
            f"{_NAME_LENGTH} are allowed",
        )
    period = _period(alert)
    alarm: dict[str, Any] = {
        "AlarmName": alert.full_name,
        "AlarmDescription": _description(alert),
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
            {"Key": "page", "Value": "true" if alert.severity.page else "false"},
        ],
    }
    topic = _topic(alert)
    if topic:
        alarm["AlarmActions"] = alarm["OKActions"] = [topic]
    signal = alert.signal
    if isinstance(signal, Count):
        alarm.update(_count(alert, signal, period))
    elif isinstance(signal, Ratio):
        alarm["Metrics"] = _ratio(alert, signal, period)
    else:
        alarm["Metrics"] = _share(alert, signal, period)
    return alarm


def _count(alert: Alert, signal: Count, period: int) -> dict[str, Any]:
    metric = _metric(alert, signal.cloudwatch)
    needs_zero = alert.comparison == "below" or alert.when_missing == "breach"
    if signal.cloudwatch is not None and signal.cloudwatch.sparse and needs_zero:
        _fail(
            alert,
            f"{signal.cloudwatch.name} is reported only when it is not zero, so no value would be taken for none",
            "watch a count that is always reported, or alert on it in Prometheus",
        )
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


def _share(alert: Alert, signal: Share, period: int) -> list[dict[str, Any]]:
    """The share above a bound is what the percentile rank of the bound leaves; the minimum gates by the number of samples."""
    metric = _metric(alert, signal.cloudwatch)
    assert alert.bound is not None  # noqa: S101  # the catalogue gives every share a bound
    return [
        _result(f"(100 - rank) / 100 / IF(samples >= {alert.minimum}, 1, 0)", signal.title),
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


def _description(alert: Alert) -> str:
    text = f"{alert.signal.title}: fires while {describe(alert)}."
    if alert.runbook:
        text += f" Runbook: {alert.runbook}"
    if len(text) > _DESCRIPTION_LENGTH:
        _fail(
            alert,
            f"its description on CloudWatch has {len(text)} characters",
            f"{_DESCRIPTION_LENGTH} are allowed: shorten the runbook's address",
        )
    return text


def _period(alert: Alert) -> int:
    period = round(alert.over)
    if period != alert.over or (period not in _SHORT_PERIODS and period % _MINUTE):
        _fail(
            alert,
            f"CloudWatch has no period of {alert.over:g} s",
            "it has 10, 20, 30 s and multiples of a minute",
        )
    if period in _SHORT_PERIODS and not isinstance(alert.signal, Count):
        _fail(
            alert, f"AWS's own metrics have no values every {period} s", "take samples of a minute or longer"
        )
    span = period * alert.samples
    longest = _WEEK if period >= _HOUR else _DAY
    if span > longest:
        _fail(
            alert,
            f"{alert.samples} samples of {period} s are {span} s, more than CloudWatch looks back",
            "that is a day, or a week with samples of 1h and longer",
        )
    every = 10 if period < _MINUTE else _MINUTE if span <= _DAY else _HOUR
    if alert.environment.every != every:
        _fail(
            alert,
            f"CloudWatch looks at such samples every {duration_text(every)},"
            f" environment {alert.environment.name} every {duration_text(alert.environment.every)}",
            f"set every: {duration_text(every)}, or take other samples",
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

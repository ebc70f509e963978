"""Classic CloudWatch alarms: the arguments of `put_metric_alarm`, `put_composite_alarm` and `put_alarm_mute_rule`.

A ratio is `FILL(bad, 0) / IF(total >= minimum, total, 0)`: below the minimum the division by zero drops the point, and the policy for
missing data decides. Only counts that AWS reports when they are not zero are filled: filling the total would pin the newest, not yet
complete minute to good.

Where an alert has several severities, the worse one mutes the other: what tells is a composite with the worse alarm as its suppressor.
A burn rate is a composite of one alarm for each window.
"""

from __future__ import annotations

import json
from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NoReturn

from orders_obs.alerts.compile.composites import children_first
from orders_obs.alerts.compile.engines import Difference, chosen
from orders_obs.alerts.compile.names import own_things, resource, tags, topic_arn
from orders_obs.alerts.describe import describe, title
from orders_obs.alerts.model import Alert, BurnAlert, RawAlert
from orders_obs.alerts.raw import HEAD
from orders_obs.alerts.units import duration_text
from orders_obs.errors import UserError
from orders_obs.signals.model import Count, Level, Presence, Ratio, Share

if TYPE_CHECKING:
    from collections.abc import Sequence

    from orders_obs.alerts.model import AnyAlert, MuteWindow, ResolvedCatalogue
    from orders_obs.signals.model import CloudWatchMetric

__all__ = ["Alarms", "alarm_head", "alarm_name", "compile_all", "compile_one", "mute_rules", "render"]

_TREAT_MISSING = {"ok": "notBreaching", "breach": "breaching", "keep": "ignore", "unknown": "missing"}
_OPERATOR = {
    "above": "GreaterThanThreshold",
    "below": "LessThanThreshold",
    "at_least": "GreaterThanOrEqualToThreshold",
    "at_most": "LessThanOrEqualToThreshold",
}
# From the base unit of a signal to the unit of the metric.
_SCALE = {"Percent": 100.0, "Milliseconds": 1000.0, "Megabytes": 1e-6, "Kilobytes": 1e-3}

# CloudWatch's documented limits (user guide, "CloudWatch service quotas"; API reference of PutMetricAlarm).
_SHORT_PERIODS = (10, 20, 30)
_WALL_CLOCK_PERIODS = (3600, 86_400, 604_800)
_NAME_LENGTH = 255
_DESCRIPTION_LENGTH = 1024
_METRICS = 10
_MUTED_ALARMS = 100
_CHILDREN, _RULE_LENGTH = 100, 10_240
_MINUTE, _HOUR, _DAY, _WEEK = 60, 3600, 86_400, 604_800
# Seconds that a warning waits for the worse alarm to mute it, and stays mute after it: two looks, and one.
_MUTE_WAIT, _MUTE_AFTER = 120, 60
_MEASURE, _WORSE = "measure", "worse"


@dataclass(slots=True)
class Alarms:
    """The alarms of one environment.

    Attributes:
        metric: Arguments of `put_metric_alarm`.
        composite: Arguments of `put_composite_alarm`, children first.
        differences: What is not as the catalogue says.
    """

    metric: list[dict[str, Any]] = field(default_factory=list)
    composite: list[dict[str, Any]] = field(default_factory=list)
    differences: list[Difference] = field(default_factory=list)


def compile_all(catalogue: ResolvedCatalogue) -> Alarms:
    """The alarms of one environment, in the order of the catalogue.

    Raises:
        UserError: An alert cannot be expressed, or a resource that it needs is not filled in.
    """
    found, differences = chosen(catalogue, "cloudwatch")
    alarms = Alarms(differences=list(differences))
    own = _Own(own_things(catalogue))
    live: dict[str, list[AnyAlert]] = defaultdict(list)
    for alert in found:
        # What tells nobody mutes nobody.
        if alert.mode == "live" and alert.severity.topic and not alert.severity.log:
            live[alert.name].append(alert)
    made_by: dict[str, AnyAlert] = {}
    for alert in found:
        before = len(alarms.metric), len(alarms.composite)
        worse = [other for other in live[alert.name] if other.severity.rank < alert.severity.rank]
        _add(alarms, alert, worse, own)
        for alarm in (*alarms.metric[before[0] :], *alarms.composite[before[1] :]):
            other = made_by.setdefault(alarm["AlarmName"], alert)
            if other is not alert:
                _fail(
                    alert,
                    f"its alarm {alarm['AlarmName']} is one of {other.name} too, in {other.source.short}",
                    "a name on CloudWatch is one alarm: give one of them another",
                )
    if catalogue.raws:
        alarms.composite = _children_first(alarms.composite, made_by)
    return alarms


def compile_one(alert: AnyAlert) -> Alarms:
    """The alarms of one alert by itself, muted by nothing; as `compile_all`."""
    alarms = Alarms()
    _add(
        alarms,
        alert,
        [],
        _Own({"@topics": ["one"], "@rules": ["one"], "@rule:backup_finished": ["one"]}),
    )
    return alarms


def alarm_name(alert: AnyAlert) -> str:
    """The name of the alarm that tells.

    Raises:
        UserError: It is longer than CloudWatch takes.
    """
    if len(alert.full_name) > _NAME_LENGTH:
        _fail(
            alert,
            f"its name on CloudWatch has {len(alert.full_name)} characters",
            f"{_NAME_LENGTH} are allowed",
        )
    return alert.full_name


def mute_rules(catalogue: ResolvedCatalogue, alarms: Alarms) -> list[dict[str, Any]]:
    """Arguments of `put_alarm_mute_rule` for the catalogue's mute windows, a hundred alarms each at most."""
    made = {alarm["AlarmName"] for alarm in (*alarms.metric, *alarms.composite)}
    rules = []
    for window in catalogue.mutes:
        names = sorted({alert.full_name for alert in catalogue if window.covers(alert)} & made)
        for start in range(0, len(names), _MUTED_ALARMS):
            part = f"-{start // _MUTED_ALARMS + 1}" if start else ""
            schedule = {
                "Expression": _schedule(window),
                "Duration": _iso_duration(window.length),
                "Timezone": window.timezone,
            }
            rules.append(
                {
                    "Name": f"{catalogue.service}-{catalogue.environment.name}-{window.name}{part}",
                    "Description": window.reason,
                    "Rule": {"Schedule": schedule},
                    "MuteTargets": {"AlarmNames": names[start : start + _MUTED_ALARMS]},
                    "Tags": tags(catalogue.service, catalogue.environment),
                }
            )
    return rules


def render(content: Any) -> str:
    """What is built, as JSON: the same text for the same catalogue."""
    return json.dumps(content, indent=2, sort_keys=True) + "\n"


def _add(alarms: Alarms, alert: AnyAlert, worse: Sequence[AnyAlert], own: _Own) -> None:
    """Add what an alert is; `worse` are the severities of it that mute it."""
    if isinstance(alert, Alert):
        alarms.differences += [*_late(alert), *_stuck(alert)]
        made = own.metric_alarms(alert)
        if not worse and len(made) == 1:
            alarms.metric += made
            return
        measured = [
            _silent(alarm, alert, _MEASURE + (f"-{number}" if number > 1 else ""))
            for number, alarm in enumerate(made, 1)
        ]
        alarms.metric += measured
        alarms.composite += _joined(alert, [alarm["AlarmName"] for alarm in measured], worse)
    elif isinstance(alert, BurnAlert):
        children, rule = own.burning(alert)
        alarms.metric += children
        alarms.composite += _composites(alert, rule, worse)
        alarms.differences += _late_windows(alert)
    elif isinstance(alert, RawAlert):
        assert alert.cloudwatch is not None  # noqa: S101  # else the engine does not have it
        (alarms.composite if alert.composite else alarms.metric).append(_raw(alert, alert.cloudwatch))


class _Own:
    """Makes the alarms of one catalogue, whose own topics and rules they may watch."""

    def __init__(self, values: dict[str, list[str]]) -> None:
        self._values = values

    def metric_alarms(self, alert: Alert) -> list[dict[str, Any]]:
        """The alarm of an alert, or several where it watches more of the catalogue's own things than one alarm takes."""
        placeholder = _placeholder(alert)
        if not placeholder:
            return [_metric_alarm(alert, {})]
        values = self._values.get(placeholder, [])
        if not values:
            _fail(alert, f"watches {placeholder[1:]}, of which the catalogue has none", "take the alert out")
        return [
            _metric_alarm(alert, {placeholder: values[start : start + _METRICS]})
            for start in range(0, len(values), _METRICS)
        ]

    def burning(self, alert: BurnAlert) -> tuple[list[dict[str, Any]], str]:
        """The alarms of the windows of a burn rate, and the rule that joins them."""
        children: list[dict[str, Any]] = []
        pairs = []
        for window in alert.windows:
            names = []
            for seconds, minimum in ((window.long, window.minimum), (window.short, 1)):
                child = self._window(alert, seconds, window.threshold, minimum)
                if child["AlarmName"] not in {other["AlarmName"] for other in children}:
                    children.append(child)
                names.append(f'ALARM("{child["AlarmName"]}")')
            pairs.append(f"({' AND '.join(names)})")
        return children, " OR ".join(pairs)

    def _window(self, alert: BurnAlert, seconds: float, threshold: float, minimum: int) -> dict[str, Any]:
        period = _period(alert, seconds, 1)
        signal = alert.signal
        metrics = (
            _ratio(alert, signal, period, minimum)
            if isinstance(signal, Ratio)
            else _share(alert, signal, period, alert.bound, minimum)
        )
        alarm = {
            **alarm_head(alert),
            "ComparisonOperator": "GreaterThanThreshold",
            "Threshold": threshold,
            "EvaluationPeriods": 1,
            "DatapointsToAlarm": 1,
            "TreatMissingData": "notBreaching",
            "Metrics": metrics,
        }
        return _silent(alarm, alert, f"{threshold:g}-over-{duration_text(seconds)}")


def alarm_head(alert: AnyAlert) -> dict[str, Any]:
    """What every alarm has: name, words, tags, whom it tells.

    Raises:
        UserError: Its name or its words are longer than CloudWatch takes.
    """
    head: dict[str, Any] = {
        "AlarmName": alarm_name(alert),
        **({"AlarmDescription": _description(alert)} if not _says(alert, "AlarmDescription") else {}),
        "ActionsEnabled": alert.mode == "live",
        "Tags": tags(
            alert.service,
            alert.environment,
            alert_id=alert.alert_id,
            severity=alert.severity.name,
            page="true" if alert.severity.page else "false",
            owner=alert.owner,
        ),
    }
    topic = "" if alert.severity.log else topic_arn(alert.severity, alert.environment)
    if topic:
        head["AlarmActions"] = head["OKActions"] = [topic]
    return head


def _says(alert: AnyAlert, word: str) -> bool:
    """Whether a raw form says a word itself."""
    return isinstance(alert, RawAlert) and word in (alert.cloudwatch or {})


def _raw(alert: RawAlert, given: dict[str, Any]) -> dict[str, Any]:
    """A raw form with what it leaves to the catalogue; what it says to be empty is left out."""
    alarm = {**alarm_head(alert), **given}
    # Shadow tells nobody, whatever the alarm says.
    alarm["ActionsEnabled"] = alert.mode == "live" and given.get("ActionsEnabled", True)
    return {key: value for key, value in alarm.items() if key not in HEAD or value not in ("", [])}


def _children_first(composites: list[dict[str, Any]], made_by: dict[str, AnyAlert]) -> list[dict[str, Any]]:
    ordered, left = children_first(composites)
    if left:
        names = ", ".join(alarm["AlarmName"] for alarm in left)
        _fail(
            made_by[left[0]["AlarmName"]],
            f"composites depend on each other in a circle: {names}",
            "take one of them out of the other's AlarmRule",
        )
    return ordered


def _metric_alarm(alert: Alert, own: dict[str, list[str]]) -> dict[str, Any]:
    period = _period(alert, alert.over, alert.samples)
    alarm = {
        **alarm_head(alert),
        "ComparisonOperator": _OPERATOR[alert.comparison],
        "Threshold": alert.threshold,
        "EvaluationPeriods": alert.samples,
        "DatapointsToAlarm": alert.breaching,
        "TreatMissingData": _TREAT_MISSING[alert.when_missing],
    }
    signal = alert.signal
    if isinstance(signal, Ratio):
        alarm["Metrics"] = _ratio(alert, signal, period, alert.minimum)
    elif isinstance(signal, Share):
        alarm["Metrics"] = _share(alert, signal, period, alert.bound, alert.minimum)
    elif isinstance(signal, Count):
        alarm.update(_count(alert, signal, period, own))
    elif isinstance(signal, Level):
        metric = signal.cloudwatch
        alarm.update({**_metric(alert, metric), "Statistic": alert.statistic, "Period": period})
        assert metric is not None  # noqa: S101  # else there is no such alarm
        alarm["Threshold"] = round(alert.threshold * _SCALE.get(metric.unit, 1.0), 9)
    else:
        alarm.update(_presence(alert, signal, period, own))
    return alarm


def _presence(alert: Alert, signal: Presence, period: int, own: dict[str, list[str]]) -> dict[str, Any]:
    """Values are there or not, so they are counted; none at all is missing, which breaches."""
    metric = _metric(alert, signal.cloudwatch, own)
    window = (
        {"EvaluationWindow": {"WallClockWindow": {"Timezone": "UTC"}}}
        if period in _WALL_CLOCK_PERIODS
        else {}
    )
    return {**metric, "Statistic": "SampleCount", "Period": period, **window}


def _count(alert: Alert, signal: Count, period: int, own: dict[str, list[str]]) -> dict[str, Any]:
    metric = signal.cloudwatch
    needs_zero = not alert.high_is_bad or alert.when_missing == "breach"
    if metric is not None and metric.sparse and needs_zero:
        _fail(
            alert,
            f"{metric.name} is reported only when it is not zero, so no value would be taken for none",
            "watch a count that is always reported, or alert on it in Prometheus",
        )
    values = own.get(_placeholder(alert), [])
    if len(values) <= 1:
        return {**_metric(alert, metric, own), "Statistic": "Sum", "Period": period}
    queries = [
        _stat(f"m{index}", _metric(alert, metric, {_placeholder(alert): [value]}), "Sum", period)
        for index, value in enumerate(values, 1)
    ]
    total = " + ".join(f"FILL({query['Id']}, 0)" for query in queries)
    return {"Metrics": [_result(total, signal.title), *queries]}


def _ratio(alert: AnyAlert, signal: Ratio, period: int, minimum: int) -> list[dict[str, Any]]:
    if not signal.cloudwatch_part or not signal.cloudwatch_total:
        _no_metric(alert, signal.name)
    metrics = list(dict.fromkeys((*signal.cloudwatch_part, *signal.cloudwatch_total)))
    ids = {metric: f"m{index}" for index, metric in enumerate(metrics, 1)}

    def added(parts: tuple[CloudWatchMetric, ...]) -> str:
        return " + ".join(f"FILL({ids[m]}, 0)" if m.sparse else ids[m] for m in parts)

    total = added(signal.cloudwatch_total)
    expression = f"({added(signal.cloudwatch_part)}) / IF(({total}) >= {minimum}, {total}, 0)"
    return [
        _result(expression, signal.title),
        *(_stat(ids[metric], _metric(alert, metric), "Sum", period) for metric in metrics),
    ]


def _share(
    alert: AnyAlert, signal: Share, period: int, bound: float | None, minimum: int
) -> list[dict[str, Any]]:
    """The share above a bound is what the percentile rank of the bound leaves; the minimum gates by the number of samples."""
    metric = _metric(alert, signal.cloudwatch)
    assert bound is not None  # noqa: S101  # the catalogue gives every share a bound
    return [
        _result(f"(100 - rank) / 100 / IF(samples >= {minimum}, 1, 0)", signal.title),
        _stat("rank", metric, f"PR(:{bound:g})", period),
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


def _metric(
    alert: AnyAlert, metric: CloudWatchMetric | None, own: dict[str, list[str]] | None = None
) -> dict[str, Any]:
    if metric is None:
        _no_metric(alert, title(alert))
    dimensions = [
        {
            "Name": name,
            "Value": own[placeholder][0] if own and placeholder in own else resource(alert, placeholder),
        }
        for name, placeholder in metric.dimensions
    ]
    return {"Namespace": metric.namespace, "MetricName": metric.name, "Dimensions": dimensions}


def _placeholder(alert: Alert) -> str:
    """The placeholder of its metric that stands for the catalogue's own things; empty where it has none."""
    signal = alert.signal
    metric = signal.cloudwatch if isinstance(signal, Count | Presence) else None
    dimensions = metric.dimensions if metric else ()
    return next((placeholder for _, placeholder in dimensions if placeholder.startswith("@")), "")


def _silent(alarm: dict[str, Any], alert: AnyAlert, suffix: str) -> dict[str, Any]:
    """The alarm under another name, telling nobody: what joins it tells."""
    name = f"{alarm['AlarmName']}-{suffix}"
    if len(name) > _NAME_LENGTH:
        _fail(alert, f"its name on CloudWatch has {len(name)} characters", f"{_NAME_LENGTH} are allowed")
    kept = {key: value for key, value in alarm.items() if key not in ("AlarmActions", "OKActions")}
    return {**kept, "AlarmName": name, "ActionsEnabled": False}


def _joined(alert: Alert, children: list[str], worse: Sequence[AnyAlert]) -> list[dict[str, Any]]:
    """The composite that tells for its children, after the ones that it is made of."""
    rule = _any(children)
    if len(children) > _CHILDREN or len(rule) > _RULE_LENGTH:
        _fail(
            alert,
            f"it watches so many of the catalogue's own things that it is {len(children)} alarms",
            f"a composite takes {_CHILDREN}, and a rule of {_RULE_LENGTH} characters: split the catalogue",
        )
    return _composites(alert, rule, worse)


def _composites(alert: AnyAlert, rule: str, worse: Sequence[AnyAlert]) -> list[dict[str, Any]]:
    """The composite that tells, muted by what is worse: one alarm, or another composite of several."""
    head = alarm_head(alert)
    if not worse:
        return [{**head, "AlarmRule": rule}]
    suppressor = worse[0].full_name
    made: list[dict[str, Any]] = []
    if len(worse) > 1:
        several = _silent(head, alert, _WORSE)
        several["AlarmDescription"] = (
            f"Whether {alert.name} fires with a worse severity than {alert.severity.name}."
        )
        several["AlarmRule"] = _any([other.full_name for other in worse])
        suppressor = several["AlarmName"]
        made.append(several)
    muted = {
        "ActionsSuppressor": suppressor,
        "ActionsSuppressorWaitPeriod": _MUTE_WAIT,
        "ActionsSuppressorExtensionPeriod": _MUTE_AFTER,
    }
    return [*made, {**head, "AlarmRule": rule, **muted}]


def _any(names: Sequence[str]) -> str:
    return " OR ".join(f'ALARM("{name}")' for name in names)


def _description(alert: AnyAlert) -> str:
    text = f"{title(alert)}: fires while {describe(alert)}."
    if alert.runbook:
        text += f" Runbook: {alert.runbook}"
    if len(text) > _DESCRIPTION_LENGTH:
        _fail(
            alert,
            f"its description on CloudWatch has {len(text)} characters",
            f"{_DESCRIPTION_LENGTH} are allowed: shorten the runbook's address",
        )
    return text


def _period(alert: AnyAlert, over: float, samples: int) -> int:
    period = round(over)
    if period != over or (period not in _SHORT_PERIODS and period % _MINUTE):
        _fail(
            alert,
            f"CloudWatch has no period of {over:g} s",
            "it has 10, 20, 30 s and multiples of a minute",
        )
    if period in _SHORT_PERIODS and not (isinstance(alert, Alert) and isinstance(alert.signal, Count)):
        _fail(
            alert, f"AWS's own metrics have no values every {period} s", "take samples of a minute or longer"
        )
    span = period * samples
    longest = _WEEK if period >= _HOUR else _DAY
    if span > longest:
        _fail(
            alert,
            f"{samples} samples of {period} s are {span} s, more than CloudWatch looks back",
            "that is a day, or a week with samples of 1h and longer",
        )
    every = 10 if period < _MINUTE else _MINUTE
    if alert.environment.every != every and not (span > _DAY and alert.environment.every == _HOUR):
        _fail(
            alert,
            f"CloudWatch looks at such samples every {duration_text(every)},"
            f" environment {alert.environment.name} every {duration_text(alert.environment.every)}",
            f"set every: {duration_text(every)}, or take other samples",
        )
    return period


def _late(alert: Alert) -> list[Difference]:
    if alert.over * alert.samples <= _DAY or alert.environment.every >= _HOUR:
        return []
    return [_hourly(alert, alert.over * alert.samples)]


def _stuck(alert: Alert) -> list[Difference]:
    """What keeps its state without data is not over where a metric has no values but those that breach."""
    metric = alert.signal.cloudwatch if isinstance(alert.signal, Count) else None
    if metric is None or not metric.sparse or alert.when_missing != "keep":
        return []
    reason = f"{metric.name} is reported only when it is not zero: with keep the alarm stays after the last ones, until fewer come"
    return [Difference(alert.name, alert.source.short, f"CloudWatch: {reason}; when_missing: ok ends it")]


def _late_windows(alert: BurnAlert) -> list[Difference]:
    longest = max(window.long for window in alert.windows)
    return [_hourly(alert, longest)] if longest > _DAY else []


def _hourly(alert: AnyAlert, span: float) -> Difference:
    return Difference(
        alert.name,
        alert.source.short,
        f"CloudWatch looks back {duration_text(span)} only once an hour, so it is up to an hour later there",
    )


def _schedule(window: MuteWindow) -> str:
    hour, minute = divmod(window.minute, 60)
    if window.on:
        return f"at({window.on.isoformat()}T{hour:02}:{minute:02})"
    days = ",".join(("MON", "TUE", "WED", "THU", "FRI", "SAT", "SUN")[day] for day in window.days) or "*"
    return f"cron({minute} {hour} * * {days})"


def _iso_duration(minutes: int) -> str:
    days, rest = divmod(minutes, 1440)
    hours, left = divmod(rest, 60)
    time = (f"{hours}H" if hours else "") + (f"{left}M" if left else "")
    return "P" + (f"{days}D" if days else "") + (f"T{time}" if time else "")


def _no_metric(alert: AnyAlert, signal: str) -> NoReturn:
    _fail(alert, f"{signal} has no metric on CloudWatch", "alert on it in Prometheus")


def _fail(alert: AnyAlert, message: str, hint: str) -> NoReturn:
    raise UserError(f"{alert.name}: {message}", hint=hint, file=alert.source.file, line=alert.source.line)

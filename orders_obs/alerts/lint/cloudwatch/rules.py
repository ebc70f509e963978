"""Lint of CloudWatch alarms, whoever wrote them: what AWS takes without a word and yet never fires, or always does."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from orders_obs.alerts.lint.cloudwatch import call_rules as calls
from orders_obs.alerts.lint.cloudwatch import composite_rules as composite
from orders_obs.alerts.lint.cloudwatch import data_rules as data
from orders_obs.alerts.lint.cloudwatch import metric_rules as metric
from orders_obs.alerts.lint.cloudwatch import reach_rules as reach
from orders_obs.alerts.lint.cloudwatch import setting_rules as setting
from orders_obs.alerts.lint.cloudwatch.views import AlarmView
from orders_obs.findings import Finding

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from orders_obs.alerts.lint.cloudwatch.files import AlarmFile
    from orders_obs.alerts.lint.cloudwatch.reach_rules import FileView, Found
    from orders_obs.alerts.lint.cloudwatch.views import Said
    from orders_obs.findings import Level

__all__ = ["RULES", "lint_alarm", "lint_alarms"]


def lint_alarms(file: AlarmFile) -> list[Finding]:
    """What is wrong with the alarms of a file, and with the topics, subscriptions and event rules beside them.

    A value that cannot be known without AWS is taken to be right. No finding repeats the address of a subscription.
    """
    view = reach.FileView(file)
    findings = [finding for alarm in view.alarms for finding in _own(alarm)]
    for name, check in _FILE_CHECKS.items():
        for where, thing, said in check.find(view):
            findings.append(
                Finding(name, said.level or check.level, where, f"{thing}: {said.message}", said.hint)
            )
    for alarm in view.alarms:
        findings += _refused(alarm, findings)
    return list(dict.fromkeys(findings))


def lint_alarm(arguments: dict[str, Any], where: str) -> list[Finding]:
    """What is wrong with one alarm by itself; whom it tells is left out.

    Args:
        arguments: Of boto3's `put_metric_alarm` or `put_composite_alarm`.
        where: Its place, for the findings.
    """
    alarm = AlarmView(arguments, where)
    findings = _own(alarm)
    return list(dict.fromkeys([*findings, *_refused(alarm, findings)]))


def _own(alarm: AlarmView) -> list[Finding]:
    return [
        Finding(name, said.level or check.level, alarm.where, f"{alarm.name}: {said.message}", said.hint)
        for name, check in _CHECKS.items()
        for said in check.find(alarm)
    ]


def _refused(alarm: AlarmView, findings: list[Finding]) -> list[Finding]:
    """What AWS refuses of an alarm and none of the findings says."""
    about = f"{alarm.name}: "
    said = {f.rule for f in findings if f.where == alarm.where and f.message.startswith(about)}
    return [
        Finding(_REFUSED, "error", alarm.where, f"{about}{each.message}", each.hint)
        for each in calls.call_refused(alarm, said)
    ]


@dataclass(frozen=True, slots=True)
class _Check:
    """A rule on one alarm."""

    level: Level
    why: str
    find: Callable[[AlarmView], Iterable[Said]]


@dataclass(frozen=True, slots=True)
class _FileCheck:
    """A rule on a whole file."""

    level: Level
    why: str
    find: Callable[[FileView], Iterable[Found]]


_CHECKS: dict[str, _Check] = {
    "metric-unknown": _Check("warning", "CloudWatch takes an alarm on any name, and one that nobody publishes never has data.", metric.metric_unknown),
    "dimension-set-unknown": _Check("error", "A metric has values only under the sets of dimensions that the service publishes; any other set is another, empty metric.", metric.dimension_set_unknown),
    "dimension-value-form": _Check("error", "A dimension is compared letter by letter, and a load balancer's is the end of its ARN, not its name and not the ARN.", metric.dimension_value_form),
    "unit-mismatch": _Check("error", "Unit in an alarm chooses values that were sent in that unit; it converts nothing.", metric.unit_mismatch),
    "statistic-meaningless": _Check("warning", "A count is added up and a level is not: the wrong statistic gives a number that means nothing.", metric.statistic_meaningless),
    "average-of-latency": _Check("info", "An average of response times moves little when one request in twenty is slow.", metric.average_of_latency),
    "percentile-low-samples": _Check("info", "A high percentile of a few requests is the slowest request, which fires at night.", metric.percentile_low_samples),
    "alarm-never-fires": _Check("error", "The value cannot reach the threshold, so the alarm is silent whatever happens.", metric.never_fires),
    "alarm-always-fires": _Check("error", "Each value is on the wrong side of the threshold, so the alarm fires for ever.", metric.always_fires),
    "threshold-scale": _Check("warning", "A threshold in another unit than the metric's is off by a factor of 100 or 1,000.", metric.threshold_scale),
    "missing-data-hides-outage": _Check("warning", "Some metrics are missing when all is down, so missing data must count as breaching.", data.missing_data_hides_outage),
    "missing-data-fires": _Check("error", "A metric that is reported only when it is not zero is missing when all is well.", data.missing_data_fires),
    "missing-data-on-sparse": _Check("warning", "Without values an alarm is not OK unless missing data counts as good.", data.missing_data_on_sparse),
    "ratio-without-minimum": _Check("info", "A share of few events jumps: without a minimum of traffic one failure at night wakes someone.", data.ratio_without_minimum),
    "ratio-of-nothing": _Check("warning", "CloudWatch drops the point of a division by zero, and TreatMissingData decides.", data.ratio_of_nothing),
    "sparse-operand-dropped": _Check("warning", "IF drops the point where its condition or its third argument has no value.", data.sparse_operand_dropped),
    "fill-pins-newest": _Check("warning", "The newest minute is evaluated before its values have come, and a fill takes their place.", data.fill_pins_newest),
    "scalar-in-alarm": _Check("warning", "AVG, SUM, MIN and MAX of one series are one number over a range that AWS does not publish, and AWS advises against them in alarms.", data.scalar_in_alarm),
    "period-invalid": _Check("error", "CloudWatch takes periods of 10, 20, 30 and multiples of 60 seconds.", setting.period_invalid),
    "window-over-limit": _Check("error", "CloudWatch refuses an alarm that looks back further than its limit.", setting.window_over_limit),
    "datapoints-over-periods": _Check("error", "M of N datapoints with M above N can never be reached, and is refused.", setting.datapoints_over_periods),
    "mixed-periods": _Check("error", "The metrics of one alarm must have one period.", setting.mixed_periods),
    "over-limit": _Check("error", "CloudWatch refuses what is above its limits, at deployment.", setting.over_limit),
    "results-not-one": _Check("error", "An alarm compares the one query whose ReturnData is true.", setting.results_not_one),
    "search-in-alarm": _Check("error", "An alarm needs one series, and SEARCH gives any number of them.", setting.search_in_alarm),
    "id-invalid": _Check("error", "Ids of queries begin with a lower-case letter and are unique.", setting.id_invalid),
    "id-unknown": _Check("error", "An expression that reads an id that no query has is refused.", setting.id_unknown),
    "ec2-action-impossible": _Check("error", "CloudWatch runs EC2 actions only from an alarm on a single metric of an instance.", setting.math_on_ec2),
    "one-datapoint": _Check("info", "One value over a minute or less makes an alarm of each spike.", setting.one_datapoint),
    "expensive-alarm": _Check("info", "Each metric in an alarm is billed, three times as much at high resolution.", setting.expensive),
    "promql-with-threshold": _Check("error", "A PromQL alarm has its condition in the query and nothing of a classic alarm.", setting.promql_with_threshold),
    "promql-invalid": _Check("error", "A query that does not parse is never evaluated.", setting.promql_invalid),
    "promql-always-fires": _Check("warning", "Each series that the query of a PromQL alarm returns breaches.", setting.promql_always_fires),
    "rate-of-delta": _Check("warning", "Metrics of AWS services come as differences, and rate() takes them for a counter with restarts.", setting.promql_rate_of_delta),
}  # fmt: skip

_FILE_CHECKS: dict[str, _FileCheck] = {
    "no-action": _FileCheck("warning", "An alarm without an action changes its colour in a console that nobody looks at.", reach.no_action),
    "actions-disabled": _FileCheck("warning", "With its actions off an alarm tells nobody, and nothing reminds anyone to turn them on.", reach.actions_disabled),
    "missing-ok-action": _FileCheck("info", "Without an OK action nobody hears that it is over.", reach.missing_ok_action),
    "insufficient-data-action": _FileCheck("warning", "Missing data is no alarm, and telling the same people trains them to look away.", reach.insufficient_data_action),
    "slack-on-sns": _FileCheck("error", "SNS sends nothing to an address that has not confirmed, and a Slack webhook cannot confirm.", reach.slack_on_sns),
    "topic-key-of-aws": _FileCheck("error", "The policy of AWS's own key lets no AWS service publish to an encrypted topic.", reach.topic_key_of_aws),
    "topic-without-policy": _FileCheck("error", "A topic's policy replaces the default one, and CloudWatch publishes only where it is let in.", reach.topic_without_policy),
    "topic-without-subscription": _FileCheck("info", "SNS takes messages for a topic that nobody reads.", reach.topic_without_subscription),
    "name-clash": _FileCheck("error", "An alarm's name is its identity, and the second put replaces the first.", reach.name_clash),
    "duplicate-alarm": _FileCheck("warning", "Two alarms on the same condition tell everybody twice and cost twice.", reach.duplicate_alarm),
    "warning-above-critical": _FileCheck("warning", "A warning that comes after the critical alarm warns of nothing.", reach.warning_above_critical),
    "composite-child-unknown": _FileCheck("info", "CloudWatch refuses a composite that refers to an alarm that is not there.", composite.composite_child_unknown),
    "composite-state-impossible": _FileCheck("warning", "An alarm whose missing data is decided leaves INSUFFICIENT_DATA at its first evaluation.", composite.composite_state_impossible),
    "composite-rule-invalid": _FileCheck("error", "CloudWatch refuses a rule that it cannot read.", composite.composite_rule_invalid),
    "composite-cycle": _FileCheck("error", "Composites that depend on each other are not evaluated and cannot be deleted.", composite.composite_cycle),
    "suppressor-without-periods": _FileCheck("error", "A suppressor needs the time to wait for it and the time that it lasts on.", composite.suppressor_without_periods),
    "event-pattern-matches-nothing": _FileCheck("error", "EventBridge takes any pattern, and says nothing of one that no event has.", composite.event_pattern_matches_nothing),
    "event-pattern-over-limit": _FileCheck("warning", "EventBridge refuses a pattern that is too long.", composite.event_pattern_over_limit),
    "event-detail-type-unknown": _FileCheck("warning", "A detail-type is compared letter by letter, and one that the service does not send matches nothing.", composite.detail_type_unknown),
}  # fmt: skip

_REFUSED = "call-refused"

RULES: dict[str, str] = {
    **{name: check.why for name, check in _CHECKS.items()},
    **{name: check.why for name, check in _FILE_CHECKS.items()},
    _REFUSED: calls.WHY,
}
"""Each rule of this lint, and why it is one."""

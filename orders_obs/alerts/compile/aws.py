"""Everything that AWS should have for one environment, as the arguments of its calls."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from orders_obs.alerts.compile import cloudwatch, eventbridge, logs, promql, sns
from orders_obs.alerts.compile.engines import Difference

if TYPE_CHECKING:
    from orders_obs.alerts.model import ResolvedCatalogue

__all__ = ["DesiredState", "compile_state"]


@dataclass(frozen=True, slots=True)
class DesiredState:
    """What AWS should have.

    Attributes:
        topics: Arguments of SNS `create_topic`, with the `Policy` to set.
        subscriptions: Arguments of SNS `subscribe`; `Secret` in place of an endpoint that is one.
        key: Of encrypted topics: alias and policy; None where none is.
        metric_alarms: Arguments of CloudWatch `put_metric_alarm`, PromQL alarms included.
        composite_alarms: Arguments of `put_composite_alarm`, children first.
        mute_rules: Arguments of `put_alarm_mute_rule`.
        rules: Arguments of EventBridge `put_rule`, with the `Targets` of `put_targets`.
        log_groups: Of CloudWatch Logs, with retention.
        log_policy: Its resource policy; None where no rule writes into a group.
        differences: What is not there as the catalogue says.
    """

    topics: list[dict[str, Any]]
    subscriptions: list[dict[str, Any]]
    key: dict[str, Any] | None
    metric_alarms: list[dict[str, Any]]
    composite_alarms: list[dict[str, Any]]
    mute_rules: list[dict[str, Any]]
    rules: list[dict[str, Any]]
    log_groups: list[dict[str, Any]]
    log_policy: dict[str, Any] | None
    differences: list[Difference]

    def as_data(self) -> dict[str, Any]:
        """For JSON."""
        return {
            "topics": self.topics,
            "subscriptions": self.subscriptions,
            "key": self.key,
            "metric_alarms": self.metric_alarms,
            "composite_alarms": self.composite_alarms,
            "mute_rules": self.mute_rules,
            "rules": self.rules,
            "log_groups": self.log_groups,
            "log_policy": self.log_policy,
        }


def compile_state(catalogue: ResolvedCatalogue) -> DesiredState:
    """The desired state of one environment: what its engines evaluate.

    An alert that asks for the engine `cloudwatch-promql` and not for `cloudwatch` is a PromQL alarm; where the environment has that
    engine, so is one that classic alarms have no data for.

    Raises:
        UserError: An alert cannot be expressed, or a resource that it needs is not filled in.
    """
    classic, elsewhere = _of_classic(catalogue)
    alarms = cloudwatch.compile_all(classic)
    differences = [*alarms.differences, *elsewhere]
    made = {alarm["AlarmName"] for alarm in (*alarms.metric, *alarms.composite)}
    wanted = "cloudwatch-promql" in catalogue.environment.engines
    but = {
        alert.full_name
        for alert in catalogue
        if alert.full_name in made or not (wanted or "cloudwatch-promql" in alert.engines)
    }
    added, said = promql.compile_alarms(catalogue, but=but)
    if added:
        alarms.metric += added
        full_names = {alarm["AlarmName"] for alarm in added}
        names = {alert.name for alert in catalogue if alert.full_name in full_names}
        differences = [d for d in differences if d.name not in names] + [d for d in said if d.name in names]
    rules = eventbridge.compile_rules(replace(catalogue, events=classic.events), alarms)
    subscriptions, unreached = sns.compile_subscriptions(catalogue)
    return DesiredState(
        topics=sns.compile_topics(catalogue),
        subscriptions=subscriptions,
        key=sns.compile_key(catalogue),
        metric_alarms=alarms.metric,
        composite_alarms=alarms.composite,
        mute_rules=cloudwatch.mute_rules(catalogue, alarms),
        rules=rules,
        log_groups=logs.compile_groups(catalogue, rules),
        log_policy=logs.compile_policy(catalogue, rules),
        differences=[*differences, *unreached, *_unmuted(catalogue)],
    )


def _unmuted(catalogue: ResolvedCatalogue) -> list[Difference]:
    reason = "announcements are not muted on AWS: EventBridge has no mute windows"
    return [
        Difference(alert.name, alert.source.short, reason)
        for alert in catalogue.events
        if alert.mode == "live"
        and not alert.severity.log
        and any(window.covers(alert) for window in catalogue.mutes)
    ]


def _of_classic(catalogue: ResolvedCatalogue) -> tuple[ResolvedCatalogue, list[Difference]]:
    """The catalogue without the alerts that no classic alarm or rule is wanted of, and what that leaves out."""
    environment = catalogue.environment
    if "cloudwatch" in environment.engines:
        return catalogue, []
    announced = "cloudwatch-promql" in environment.engines
    kept = replace(
        catalogue,
        alerts=tuple(alert for alert in catalogue.alerts if "cloudwatch" in alert.engines),
        burns=tuple(alert for alert in catalogue.burns if "cloudwatch" in alert.engines),
        raws=tuple(alert for alert in catalogue.raws if "cloudwatch" in alert.engines),
        events=tuple(alert for alert in catalogue.events if announced or "cloudwatch" in alert.engines),
    )
    there = {alert.full_name for alert in kept}
    return kept, [
        Difference(
            alert.name, alert.source.short, f"not on cloudwatch: {environment.name} has no such engine"
        )
        for alert in catalogue
        if alert.full_name not in there and not alert.engines
    ]

"""Rules on composite alarms and on EventBridge rules."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from orders_obs.alerts.aws_calls.alarm_rule import RuleError, read_rule
from orders_obs.alerts.lint.cloudwatch.files import AlarmFile, EventRule, text_of
from orders_obs.alerts.lint.cloudwatch.reach_rules import FileView, Found, alarm_name
from orders_obs.alerts.lint.cloudwatch.views import Said, known_number

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

__all__ = [
    "composite_child_unknown",
    "composite_cycle",
    "composite_rule_invalid",
    "composite_state_impossible",
    "detail_type_unknown",
    "event_pattern_matches_nothing",
    "event_pattern_over_limit",
    "suppressor_without_periods",
]

# Composite alarms


def composite_child_unknown(view: FileView) -> Iterator[Found]:
    for alarm in view.composite:
        named = [name for _, name in view.children[alarm.name]]
        if "ActionsSuppressor" in alarm.arguments:
            named.append(alarm_name(alarm.arguments["ActionsSuppressor"]))
        for name in dict.fromkeys(named):
            if name not in view.names and "${" not in name:
                yield (
                    alarm.where,
                    alarm.name,
                    Said(
                        f"refers to {name}, which is not in this file",
                        "CloudWatch refuses a composite whose alarms are not there",
                        "error" if view.file.complete else "info",
                    ),
                )


def composite_state_impossible(view: FileView) -> Iterator[Found]:
    for alarm in view.composite:
        for state, name in view.children[alarm.name]:
            child = view.names.get(name)
            if state != "INSUFFICIENT_DATA" or child is None:
                continue
            if child in view.composite or child.missing in ("breaching", "notBreaching"):
                why = "a composite" if child in view.composite else f"its missing data is {child.missing}"
                yield (
                    alarm.where,
                    alarm.name,
                    Said(
                        f"asks for INSUFFICIENT_DATA of {name}, which has that state only when it is new: {why}",
                        "ask for ALARM or OK",
                    ),
                )


def composite_rule_invalid(view: FileView) -> Iterator[Found]:
    for alarm in view.composite:
        rule = alarm.arguments.get("AlarmRule")
        if not isinstance(rule, str):
            continue
        try:
            read_rule(rule)
        except RuleError as error:
            yield alarm.where, alarm.name, Said(f"its rule cannot be read: {error}", error.hint)
        if len(view.children[alarm.name]) > 100:
            yield (
                alarm.where,
                alarm.name,
                Said(
                    f"its rule has {len(view.children[alarm.name])} alarms, and the limit is 100",
                    "make composites of composites",
                ),
            )


def suppressor_without_periods(view: FileView) -> Iterator[Found]:
    for alarm in view.composite:
        periods = ("ActionsSuppressorWaitPeriod", "ActionsSuppressorExtensionPeriod")
        without = [key for key in periods if alarm.arguments.get(key) is None]
        if "ActionsSuppressor" in alarm.arguments and without:
            yield (
                alarm.where,
                alarm.name,
                Said(
                    f"has an ActionsSuppressor without {' and '.join(without)}",
                    "CloudWatch needs both, in seconds",
                ),
            )
        elif "ActionsSuppressor" not in alarm.arguments and any(
            known_number(alarm.arguments.get(key)) for key in periods
        ):
            yield (
                alarm.where,
                alarm.name,
                Said("has periods of suppression and no ActionsSuppressor", "name the alarm that suppresses"),
            )


def composite_cycle(view: FileView) -> Iterator[Found]:
    for alarm in view.composite:
        reached: set[str] = set()
        todo = [name for _, name in view.children[alarm.name]]
        while todo:
            name = todo.pop()
            if name not in reached:
                reached.add(name)
                todo += [child for _, child in view.children.get(name, ())]
        if alarm.name in reached:
            yield (
                alarm.where,
                alarm.name,
                Said(
                    "depends on itself, so CloudWatch stops evaluating it, and it cannot be deleted",
                    "break the cycle: set one rule to FALSE",
                ),
            )


# Event rules


def _patterns(file: AlarmFile) -> Iterator[tuple[EventRule, dict[str, Any]]]:
    for rule in file.rules:
        if isinstance(rule.pattern, dict):
            yield rule, rule.pattern


def _words(value: Any) -> list[str]:
    return [word for word in value if isinstance(word, str)] if isinstance(value, list) else []


def event_pattern_matches_nothing(view: FileView) -> Iterator[Found]:
    for rule, pattern in _patterns(view.file):
        detail = pattern.get("detail")
        asked = _words(detail.get("eventName")) if isinstance(detail, dict) else []
        types = _words(pattern.get("detail-type"))
        if "aws.ecs" not in _words(pattern.get("source")):
            continue
        if "deploymentStateChanged" in asked:
            yield (
                rule.where,
                text_of(rule.name),
                Said(
                    "eventName deploymentStateChanged is in no event of ECS, so it matches nothing",
                    'detail-type "ECS Deployment State Change" with eventName SERVICE_DEPLOYMENT_FAILED',
                ),
            )
        elif (
            types == ["ECS Service Action"]
            and asked
            and all(name.startswith("SERVICE_DEPLOYMENT_") for name in asked)
        ):
            yield (
                rule.where,
                text_of(rule.name),
                Said(
                    f"{', '.join(asked)} is no event of detail-type ECS Service Action, so it matches nothing",
                    'detail-type "ECS Deployment State Change"',
                ),
            )
        if types == ["ECS Deployment State Change"] and isinstance(detail, dict) and "clusterArn" in detail:
            yield (
                rule.where,
                text_of(rule.name),
                Said(
                    "an ECS Deployment State Change has no clusterArn in its detail, so it matches nothing",
                    "select the service by `resources`",
                ),
            )


def event_pattern_over_limit(view: FileView) -> Iterator[Found]:
    for rule, pattern in _patterns(view.file):
        size = len(json.dumps(pattern, separators=(",", ":"), default=text_of))
        if size > 4096:
            yield (
                rule.where,
                text_of(rule.name),
                Said(f"its pattern has {size} characters, and the limit is 4096", "split the rule", "error"),
            )
        elif size > 2048:
            yield (
                rule.where,
                text_of(rule.name),
                Said(
                    f"its pattern has {size} characters, and the limit is 2048 unless AWS has raised it",
                    "split the rule",
                ),
            )


_DETAIL_TYPES = {
    "aws.ecs": ("ECS Container Instance State Change", "ECS Task State Change", "ECS Service Action", "ECS Deployment State Change",
                "ECS Service Deployment State Change", "AWS API Call via CloudTrail", "AWS Service Event via CloudTrail",
                "ECS Managed Instance State Change"),
    "aws.rds": ("RDS DB Instance Event", "RDS DB Cluster Event", "RDS DB Snapshot Event", "RDS DB Cluster Snapshot Event",
                "RDS DB Parameter Group Event", "RDS DB Security Group Event", "RDS DB Proxy Event", "RDS Blue Green Deployment Event",
                "RDS Custom Engine Version Event", "RDS DB Shard Group Event", "RDS Integration Event", "AWS API Call via CloudTrail",
                "AWS Service Event via CloudTrail"),
}  # fmt: skip


def detail_type_unknown(view: FileView) -> Iterator[Found]:
    for rule, pattern in _patterns(view.file):
        sources = _words(pattern.get("source"))
        if len(sources) != 1 or sources[0] not in _DETAIL_TYPES:
            continue
        known = _DETAIL_TYPES[sources[0]]
        for word in _words(pattern.get("detail-type")):
            if word not in known:
                yield (
                    rule.where,
                    text_of(rule.name),
                    Said(f"{sources[0]} is not known to send {word!r}", f"known: {_listed(known)}"),
                )


def _listed(words: Iterable[str]) -> str:
    return ", ".join(word for word in words if "CloudTrail" not in word)

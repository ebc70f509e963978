"""What `alerts build` writes, by the name of the engine."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from orders_obs.alerts.compile import (
    alertmanager,
    aws,
    cloudformation,
    cloudwatch,
    eventbridge,
    logs,
    prometheus,
    promql,
    promtool,
    sns,
    terraform,
)
from orders_obs.errors import UserError

if TYPE_CHECKING:
    from collections.abc import Callable

    from orders_obs.alerts.compile.engines import Difference
    from orders_obs.alerts.model import ResolvedCatalogue

__all__ = ["OUTPUTS", "Files", "build"]

Files = tuple[dict[str, str], "list[Difference]"]
"""Texts by the names of their files (`FOLDER/NAME` for one in a sub-folder), the main one first; and what they do not have as the catalogue says."""

# AWS's limit of a template's size that is passed by reference (CloudFormation quotas).
_TEMPLATE_SIZE = 1_048_576
# And of what a template declares.
_TEMPLATE_RESOURCES = 500


def build(catalogue: ResolvedCatalogue, engine: str, *, imports: bool = False) -> Files:
    """What an engine takes.

    Args:
        catalogue: One environment.
        engine: One of `OUTPUTS`.
        imports: For Terraform: whether to add blocks that import what is there already.

    Raises:
        UserError: An alert cannot be expressed.
    """
    if engine == "terraform":
        return _terraform(catalogue, imports=imports)
    return OUTPUTS[engine](catalogue)


def _prometheus(catalogue: ResolvedCatalogue) -> Files:
    group = prometheus.compile_rules(catalogue)
    name = f"{catalogue.environment.name}.rules.yml"
    return {
        name: prometheus.render(group),
        **promtool.render(catalogue, group, name),
    }, group.differences


def _alertmanager(catalogue: ResolvedCatalogue) -> Files:
    content, differences = alertmanager.configuration(catalogue)
    return {
        f"{catalogue.environment.name}.alertmanager.yml": alertmanager.render(content, differences)
    }, differences


def _cloudwatch(catalogue: ResolvedCatalogue) -> Files:
    alarms = cloudwatch.compile_all(catalogue)
    content = {
        "metric_alarms": alarms.metric,
        "composite_alarms": alarms.composite,
        "mute_rules": cloudwatch.mute_rules(catalogue, alarms),
    }
    return _json(catalogue, "alarms", content), alarms.differences


def _promql(catalogue: ResolvedCatalogue) -> Files:
    alarms, differences = promql.compile_alarms(catalogue)
    return _json(catalogue, "promql-alarms", {"metric_alarms": alarms}), differences


def _eventbridge(catalogue: ResolvedCatalogue) -> Files:
    return _json(
        catalogue, "rules", {"rules": eventbridge.compile_rules(catalogue, cloudwatch.compile_all(catalogue))}
    ), []


def _sns(catalogue: ResolvedCatalogue) -> Files:
    subscriptions, differences = sns.compile_subscriptions(catalogue)
    topics = sns.compile_topics(catalogue)
    content = {"topics": topics, "subscriptions": subscriptions, "key": sns.compile_key(catalogue)}
    return _json(catalogue, "topics", content), differences


def _logs(catalogue: ResolvedCatalogue) -> Files:
    rules = eventbridge.compile_rules(catalogue, cloudwatch.compile_all(catalogue))
    content = {
        "log_groups": logs.compile_groups(catalogue, rules),
        "log_policy": logs.compile_policy(catalogue, rules),
    }
    return _json(catalogue, "logs", content), []


def _aws(catalogue: ResolvedCatalogue) -> Files:
    state = aws.compile_state(catalogue)
    return _json(catalogue, "aws", state.as_data()), state.differences


def _cloudformation(catalogue: ResolvedCatalogue) -> Files:
    state = aws.compile_state(catalogue)
    template = cloudformation.template(catalogue, state)
    text = json.dumps(template, indent=1) + "\n"
    for number, most, what in (
        (len(template["Resources"]), _TEMPLATE_RESOURCES, "resources"),
        (len(text), _TEMPLATE_SIZE, "bytes"),
    ):
        if number <= most:
            continue
        raise UserError(
            f"the template of {catalogue.environment.name} has {number} {what}, and CloudFormation takes {most}",
            hint="split the catalogue by service",
            file=catalogue.environment.source.file,
            line=catalogue.environment.source.line,
        )
    return {f"{catalogue.environment.name}.template.json": text}, state.differences


def _terraform(catalogue: ResolvedCatalogue, *, imports: bool = False) -> Files:
    state = aws.compile_state(catalogue)
    content, missing = terraform.document(catalogue, state, imports=imports)
    return {f"{catalogue.environment.name}.tf.json": json.dumps(content, indent=2) + "\n"}, [
        *state.differences,
        *missing,
    ]


def _json(catalogue: ResolvedCatalogue, what: str, content: dict[str, Any]) -> dict[str, str]:
    return {f"{catalogue.environment.name}.{what}.json": cloudwatch.render(content)}


OUTPUTS: dict[str, Callable[[ResolvedCatalogue], Files]] = {
    "prometheus": _prometheus,
    "alertmanager": _alertmanager,
    "cloudwatch": _cloudwatch,
    "cloudwatch-promql": _promql,
    "eventbridge": _eventbridge,
    "sns": _sns,
    "logs": _logs,
    "aws": _aws,
    "cloudformation": _cloudformation,
    "terraform": _terraform,
}
"""By the name of the engine: what makes its files."""

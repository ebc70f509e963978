"""What AWS refuses of an alarm, said once: only what no other rule of this lint has said of it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from orders_obs.alerts.aws_calls import find_problems
from orders_obs.alerts.lint.cloudwatch.files import Unknown
from orders_obs.alerts.lint.cloudwatch.views import AlarmView, Said

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

    from orders_obs.alerts.aws_calls import Problem

__all__ = ["WHY", "call_refused"]

WHY = "A call that AWS refuses ends a deployment in the middle, and it can be known before."
"""Why `call-refused` is a rule."""

# What describe-alarms says of an alarm beside the arguments that made it.
_ANSWERS = frozenset(
    {"AlarmArn", "AlarmConfigurationUpdatedTimestamp", "StateValue", "StateReason", "StateReasonData", "StateUpdatedTimestamp",
     "StateTransitionedTimestamp", "EvaluationState", "ActionsSuppressedBy", "ActionsSuppressedReason"}
)  # fmt: skip
# By what a problem is of: the rules that say the same.
_SAID: dict[str, tuple[str, ...]] = {
    "cycle": ("composite-cycle",),
    "datapoints": ("datapoints-over-periods",),
    "ec2-action": ("ec2-action-impossible",),
    "id": ("id-invalid",),
    "id-unknown": ("id-unknown",),
    "mixed-periods": ("mixed-periods",),
    "period": ("period-invalid",),
    "promql": ("promql-invalid",),
    "promql-classic": ("promql-with-threshold",),
    "returned": ("results-not-one",),
    "rule": ("composite-rule-invalid",),
    "search": ("search-in-alarm",),
    "suppressor": ("suppressor-without-periods",),
    "window": ("window-over-limit",),
}
_LEAST = {"EvaluationPeriods": "datapoints-over-periods", "DatapointsToAlarm": "datapoints-over-periods"}
_COUNTED = ("AlarmName", "AlarmDescription", "AlarmRule", "AlarmActions", "OKActions", "InsufficientDataActions", "Tags", "Dimensions",
            "Metrics", "EvaluationCriteria")  # fmt: skip


def call_refused(alarm: AlarmView, said: Collection[str]) -> Iterator[Said]:
    """What AWS refuses of an alarm.

    Args:
        alarm: The alarm.
        said: The rules that have said something of it already.
    """
    operation = "put_composite_alarm" if "AlarmRule" in alarm.arguments else "put_metric_alarm"
    for problem in find_problems(operation, _arguments(alarm.arguments), unknown=(Unknown,), loose=True):
        if not _is_said(problem, said):
            where = "" if problem.message.startswith(problem.path) else f"{problem.path}: "
            yield Said(f"AWS refuses it: {where}{problem.message}", problem.hint)


def _arguments(arguments: Mapping[str, Any]) -> dict[str, Any]:
    """The arguments of the call: without what only an answer has, and without what is there and empty."""
    return {
        str(name): _without_none(value)
        for name, value in arguments.items()
        if name not in _ANSWERS and value is not None
    }


def _without_none(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _without_none(child) for name, child in value.items() if child is not None}
    if isinstance(value, list):
        return [_without_none(child) for child in value if child is not None]
    return value


def _is_said(problem: Problem, said: Collection[str]) -> bool:
    if problem.kind == "form" and problem.message.startswith("none"):
        return True  # not every form of a file that is read holds all that an alarm may have
    if problem.kind == "limit":
        first = re.split(r"[.\[]", problem.path)[0]
        return _LEAST.get(first, "") in said or (first in _COUNTED and "over-limit" in said)
    return any(rule in said for rule in _SAID.get(problem.kind, ()))

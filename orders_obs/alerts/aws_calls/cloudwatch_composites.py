"""What `put_composite_alarm` and `put_log_alarm` refuse."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from orders_obs.alerts.aws_calls.actions import action_problems
from orders_obs.alerts.aws_calls.alarm_rule import RuleError, read_rule
from orders_obs.alerts.aws_calls.cloudwatch_alarms import (
    BAND_OPERATORS,
    MISSING_DATA,
    common_problems,
    configuration_problems,
)
from orders_obs.alerts.aws_calls.limits import limit
from orders_obs.alerts.aws_calls.problems import Problem
from orders_obs.alerts.aws_calls.reading import mapping, number, shown, text
from orders_obs.alerts.aws_calls.tags import tag_problems

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from orders_obs.alerts.aws_calls.problems import Rules

__all__ = ["RULES"]

_PERIODS = ("ActionsSuppressorWaitPeriod", "ActionsSuppressorExtensionPeriod")


def _put_composite_alarm(arguments: Mapping[str, Any]) -> Iterator[Problem]:
    yield from common_problems(arguments)
    yield from configuration_problems(arguments)
    yield from action_problems(arguments, "composite")
    yield from _rule(arguments)
    yield from _suppressor(arguments)


def _rule(arguments: Mapping[str, Any]) -> Iterator[Problem]:
    written = text(arguments.get("AlarmRule"))
    if not written:
        return
    try:
        rule = read_rule(written)
    except RuleError as error:
        yield Problem("AlarmRule", f"the rule cannot be read: {error}", error.hint, "rule")
        return
    children = {child.name for child in rule.children}
    for count, of, name in (
        (len(children), "alarms", "composite-children"),
        (rule.elements, "elements", "composite-elements"),
    ):
        if count > limit(name):
            yield Problem(
                "AlarmRule",
                f"the rule has {count} {of}, and the limit is {limit(name)}",
                "composites of composites",
                "rule",
            )
    own = text(arguments.get("AlarmName"))
    if own is not None and own in children:
        yield Problem(
            "AlarmRule",
            "the rule asks for the alarm itself",
            "a cycle is never evaluated and cannot be deleted",
            "cycle",
        )


def _suppressor(arguments: Mapping[str, Any]) -> Iterator[Problem]:
    suppressed = "ActionsSuppressor" in arguments
    for name in _PERIODS:
        seconds = number(arguments.get(name))
        if suppressed and name not in arguments:
            yield Problem(
                name, f"{name} is missing, which goes with ActionsSuppressor", "in seconds", "suppressor"
            )
        elif not suppressed and seconds:
            yield Problem(
                name,
                f"{name} goes with ActionsSuppressor only",
                "name the alarm that suppresses",
                "suppressor",
            )
        if seconds is not None and seconds < 0:
            yield Problem(name, f"{seconds:g} seconds", "0 or more")
    suppressor, own = text(arguments.get("ActionsSuppressor")), text(arguments.get("AlarmName"))
    if suppressor and own and (suppressor.rpartition(":alarm:")[2] or suppressor) == own:
        yield Problem("ActionsSuppressor", "the alarm suppresses itself", "another alarm")


def _put_log_alarm(arguments: Mapping[str, Any]) -> Iterator[Problem]:
    yield from common_problems(arguments)
    yield from configuration_problems(arguments)
    yield from action_problems(arguments, "log")
    operator = text(arguments.get("ComparisonOperator"))
    if operator in BAND_OPERATORS:
        yield Problem(
            "ComparisonOperator",
            f"{operator} is of anomaly bands",
            "GreaterThanThreshold, GreaterThanOrEqualToThreshold, LessThanThreshold, LessThanOrEqualToThreshold",
        )
    missing = text(arguments.get("TreatMissingData"))
    if missing is not None and missing not in MISSING_DATA:
        yield Problem(
            "TreatMissingData", f"{shown(missing)} is not among its values", ", ".join(MISSING_DATA)
        )
    many, of = number(arguments.get("QueryResultsToAlarm")), number(arguments.get("QueryResultsToEvaluate"))
    if of is not None and of > limit("log-alarm-results"):
        yield Problem(
            "QueryResultsToEvaluate", f"{of:g} results, and the limit is {limit('log-alarm-results')}"
        )
    if many is not None and of is not None and many > of:
        yield Problem("QueryResultsToAlarm", f"{many:g} results of {of:g}", "at most QueryResultsToEvaluate")
    lines = number(arguments.get("ActionLogLineCount"))
    if lines is not None and not 0 <= lines <= limit("log-alarm-lines"):
        yield Problem("ActionLogLineCount", f"{lines:g} lines", f"from 0 to {limit('log-alarm-lines')}")
    if lines is not None and lines > 0 and "ActionLogLineRoleArn" not in arguments:
        yield Problem(
            "ActionLogLineRoleArn",
            "ActionLogLineRoleArn is missing, which ActionLogLineCount above 0 needs",
            "the role that reads the lines",
        )
    yield from _scheduled_query(arguments)


def _scheduled_query(arguments: Mapping[str, Any]) -> Iterator[Problem]:
    path = "ScheduledQueryConfiguration"
    query = mapping(arguments.get(path))
    yield from tag_problems(query, path=path)
    schedule = mapping(query.get("ScheduleConfiguration"))
    start, end = number(schedule.get("StartTimeOffset")), number(schedule.get("EndTimeOffset"))
    if start is not None and end is not None and end >= start:
        yield Problem(
            f"{path}.ScheduleConfiguration.EndTimeOffset",
            f"an end {end:g} s before the run and a start {start:g} s before it",
            "less than StartTimeOffset",
        )
    expression = text(schedule.get("ScheduleExpression"))
    if expression and (fault := _rate_fault(expression)):
        yield Problem(f"{path}.ScheduleConfiguration.ScheduleExpression", fault, "such as rate(5 minutes)")


def _rate_fault(expression: str) -> str:
    found = re.fullmatch(r"rate\(\s*(\d+)\s+(minutes?|hours?|days?)\s*\)", expression.strip())
    if found is None:
        # Scheduled queries of Logs take cron too; of log alarms AWS says rate() only.
        return "" if re.fullmatch(r"cron\(.+\)", expression.strip()) else f"{expression!r} is no rate()"
    return "" if int(found[1]) > 0 else "a rate of 0"


RULES: Rules = {
    "put_composite_alarm": (_put_composite_alarm,),
    "put_log_alarm": (_put_log_alarm,),
}

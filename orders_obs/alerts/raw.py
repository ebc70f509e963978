"""Alerts in an engine's own form: what CloudWatch's and Prometheus's own words are, and what is wrong with them.

A raw alarm says what it watches; name, words and whom it tells are the catalogue's, unless it says them too. So an alarm that was
there before the catalogue stays as it is.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from orders_obs.alerts.model import RawAlert
from orders_obs.alerts.nodes import did_you_mean
from orders_obs.errors import UserError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from orders_obs.alerts.nodes import Node

__all__ = ["ACTIONS", "HEAD", "PROMETHEUS_WORDS", "RAW_WORDS", "exact", "raw"]

RAW_WORDS = ("cloudwatch", "prometheus")
ACTIONS = ("AlarmActions", "OKActions", "InsufficientDataActions")
HEAD = ("AlarmName", "AlarmDescription", "ActionsEnabled", *ACTIONS)
"""What the catalogue gives an alarm that does not say it itself."""

_TIMES = ("for", "keep_firing_for")
PROMETHEUS_WORDS = ("alert", "annotations", "expr", *_TIMES, "labels")
# Prometheus's own notation, which has weeks, years and sums such as 1h30m.
_TIME = re.compile(r"0|(?=\d)(\d+y)?(\d+w)?(\d+d)?(\d+h)?(\d+m)?(\d+s)?(\d+ms)?", re.ASCII)
_LABEL = re.compile(r"(?!__)[a-zA-Z_][a-zA-Z0-9_]*")
# What the compiler gives an alarm, whatever it says.
_GIVEN = ("Tags",)

# What the arguments of `put_metric_alarm` are, where other engines read them; `!` marks what must be there. Source: its model in botocore.
_DIMENSIONS = [{"Name!": "text", "Value!": "text"}]
_STAT = {
    "Metric!": {"Namespace!": "text", "MetricName!": "text", "Dimensions": _DIMENSIONS},
    "Period!": "whole number",
    "Stat!": "text",
    "Unit": "text",
}
_QUERY = {
    "Id!": "text",
    "MetricStat": _STAT,
    "Expression": "text",
    "Label": "text",
    "ReturnData": "true or false",
    "Period": "whole number",
    "AccountId": "text",
}
_HEAD = {
    "AlarmName": "text",
    "AlarmDescription": "text",
    "ActionsEnabled": "true or false",
    **{key: ["text"] for key in ACTIONS},
}
_ALARM = {
    **_HEAD,
    **dict.fromkeys(
        ("MetricName", "Namespace", "Statistic", "ExtendedStatistic", "Unit", "ComparisonOperator", "TreatMissingData",
         "EvaluateLowSampleCountPercentile", "ThresholdMetricId"),
        "text",
    ),
    **dict.fromkeys(("Period", "EvaluationPeriods", "DatapointsToAlarm", "EvaluationInterval"), "whole number"),
    "Threshold": "number",
    "Dimensions": _DIMENSIONS,
    "Metrics": [_QUERY],
}  # fmt: skip
_PERIODS = ("ActionsSuppressorWaitPeriod", "ActionsSuppressorExtensionPeriod")
_COMPOSITE = {
    **_HEAD,
    "AlarmRule": "text",
    "ActionsSuppressor": "text",
    **dict.fromkeys(_PERIODS, "whole number"),
}
_TYPES: dict[str, tuple[type, ...]] = {
    "text": (str,),
    "number": (int, float),
    "whole number": (int,),
    "true or false": (bool,),
}

# botocore's models of PutMetricAlarm and PutCompositeAlarm.
_METRIC_ARGUMENTS = (
    *HEAD, "ActionConfiguration", "ComparisonOperator", "DatapointsToAlarm", "Dimensions", "EvaluateLowSampleCountPercentile",
    "EvaluationCriteria", "EvaluationInterval", "EvaluationPeriods", "EvaluationWindow", "ExtendedStatistic", "MetricName",
    "Metrics", "Namespace", "Period", "Statistic", "Threshold", "ThresholdMetricId", "TreatMissingData", "Unit",
    "WarmUpConfiguration",
)  # fmt: skip
_COMPOSITE_ARGUMENTS = (*HEAD, "ActionConfiguration", "ActionsSuppressor", *_PERIODS, "AlarmRule")
_ENUMERATIONS = {
    "ComparisonOperator": (
        "GreaterThanOrEqualToThreshold", "GreaterThanThreshold", "LessThanThreshold", "LessThanOrEqualToThreshold",
        "LessThanLowerOrGreaterThanUpperThreshold", "LessThanLowerThreshold", "GreaterThanUpperThreshold",
    ),
    "Statistic": ("SampleCount", "Average", "Sum", "Minimum", "Maximum"),
    "TreatMissingData": ("breaching", "notBreaching", "ignore", "missing"),
    "EvaluateLowSampleCountPercentile": ("evaluate", "ignore"),
}  # fmt: skip
# Characters and entries, by the same models.
_NAME_LENGTH, _DESCRIPTION_LENGTH, _RULE_LENGTH, _ACTION_LENGTH = 255, 1024, 10_240, 1024
_MOST_ACTIONS = 5
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")


def raw(node: Node, common: dict[str, Any]) -> RawAlert:
    """An alert in an engine's own form.

    Args:
        node: Its words.
        common: The values of `AnyAlert`.
    """
    words = node.mapping(RAW_WORDS)
    if not words:
        node.fail("has no engine", f"one of {', '.join(RAW_WORDS)}")
    return RawAlert(
        **common,
        cloudwatch=_cloudwatch(words["cloudwatch"]) if "cloudwatch" in words else None,
        prometheus=_prometheus(words["prometheus"]) if "prometheus" in words else None,
    )


def _cloudwatch(node: Node) -> dict[str, Any]:
    given = node.mapping()
    for key in _GIVEN:
        if key in given:
            given[key].fail("is what the catalogue itself gives", "leave it out")
    composite = "AlarmRule" in given
    _check_shape(node, _COMPOSITE if composite else _ALARM)
    (_check_composite if composite else _check_metric)(node, given)
    _check_head(given)
    return {key: value.data() for key, value in sorted(given.items())}


def _check_metric(node: Node, given: Mapping[str, Node]) -> None:
    """What PutMetricAlarm refuses by its model: names, enumerations, what must be there."""
    for key, value in given.items():
        if key in _COMPOSITE_ARGUMENTS and key not in _METRIC_ARGUMENTS:
            value.fail("belongs to a composite", "add its AlarmRule, or leave it out")
        if key not in _METRIC_ARGUMENTS:
            value.fail("is no argument of put_metric_alarm", did_you_mean(key, _METRIC_ARGUMENTS))
        if key in _ENUMERATIONS and value.text() not in _ENUMERATIONS[key]:
            value.fail(f"{value.text()!r} is not what AWS takes", f"one of {', '.join(_ENUMERATIONS[key])}")
    if "EvaluationCriteria" in given:
        return
    for key in ("ComparisonOperator", "EvaluationPeriods"):
        if key not in given:
            node.fail(f"has no {key}")
    if "Threshold" not in given and "ThresholdMetricId" not in given:
        node.fail("has no Threshold")


def _check_composite(_: Node, given: Mapping[str, Node]) -> None:
    """What PutCompositeAlarm refuses by its model and its text."""
    for key, value in given.items():
        if key not in _COMPOSITE_ARGUMENTS:
            known = key in _METRIC_ARGUMENTS
            value.fail(
                "does not go with AlarmRule" if known else "is no argument of put_composite_alarm",
                "a composite has no metric of its own" if known else did_you_mean(key, _COMPOSITE_ARGUMENTS),
            )
    rule = given["AlarmRule"]
    length = len(str(rule.data()))
    if not rule.text():
        rule.fail("is empty", 'such as ALARM("a") AND NOT ALARM("b")')
    if length > _RULE_LENGTH:
        rule.fail(f"has {length} characters", f"{_RULE_LENGTH} are allowed")
    suppressor = given.get("ActionsSuppressor")
    for key in _PERIODS:
        if suppressor is not None and key not in given:
            suppressor.fail(f"has no {key}", "add both periods, in seconds")
        if suppressor is None and key in given:
            given[key].fail("needs an ActionsSuppressor")
    if suppressor is not None and not suppressor.text():
        suppressor.fail("is empty", "the name of an alarm")


def _check_head(given: Mapping[str, Node]) -> None:
    """The words that take the place of what the catalogue gives."""
    if "AlarmName" in given:
        name = str(given["AlarmName"].data())
        if not name or len(name) > _NAME_LENGTH or _CONTROL.search(name):
            given["AlarmName"].fail(
                f"{name[:50]!r} is no name of an alarm", f"1 to {_NAME_LENGTH} characters that can be printed"
            )
    if "AlarmDescription" in given:
        length = len(str(given["AlarmDescription"].data()))
        if length > _DESCRIPTION_LENGTH:
            given["AlarmDescription"].fail(f"has {length} characters", f"{_DESCRIPTION_LENGTH} are allowed")
    for key in ACTIONS:
        actions = given[key].sequence() if key in given else []
        if len(actions) > _MOST_ACTIONS:
            given[key].fail(f"has {len(actions)} actions", f"{_MOST_ACTIONS} are allowed")
        for action in actions:
            # What stands here in place of an ARN may be an address that is a secret, so it is not said again.
            if not action.text().startswith("arn:") or len(action.text()) > _ACTION_LENGTH:
                action.fail("is no ARN", "CloudWatch takes ARNs, such as that of an SNS topic")


def _check_shape(node: Node, shape: Any) -> None:
    """See that a value is of the form that its readers count on; what AWS may have added goes through unread."""
    if isinstance(shape, list):
        for item in node.sequence():
            _check_shape(item, shape[0])
    elif isinstance(shape, dict):
        values = node.mapping()
        for word, inner in shape.items():
            name = word.removesuffix("!")
            if name in values:
                _check_shape(values[name], inner)
            elif name != word:
                node.fail(f"does not say {name}")
    else:
        value = node.data()
        if not isinstance(value, _TYPES[shape]) or (isinstance(value, bool) and shape != "true or false"):
            node.fail(
                f"{value!r} is no {shape}"
                if shape != "true or false"
                else f"{value!r} is neither true nor false"
            )


def _prometheus(node: Node) -> dict[str, Any]:
    own = node.mapping(PROMETHEUS_WORDS)
    if "expr" not in own:
        node.fail("has no expr")
    kept = "alert" in own
    found = {key: _prometheus_word(key, value, kept=kept) for key, value in own.items()}
    if not found["expr"]:
        own["expr"].fail("is empty")
    if kept and not found["alert"]:
        own["alert"].fail("is empty")
    return found


def _prometheus_word(word: str, node: Node, *, kept: bool) -> Any:
    if word in ("annotations", "labels"):
        return _labels(node, spaces=kept or word == "annotations")
    if word in _TIMES and not _TIME.fullmatch(node.text()):
        node.fail(f"{node.text()!r} is no duration of Prometheus", f"such as {word}: 5m")
    return node.text()


def _labels(node: Node, *, spaces: bool) -> dict[str, str]:
    values = node.mapping()
    for name, value in values.items():
        if not _LABEL.fullmatch(name):
            value.fail("is no name of a label", "letters, digits and _, no digit and no __ first")
    return {name: exact(value) if spaces else value.text() for name, value in sorted(values.items())}


def exact(node: Node) -> str:
    """Text with the spaces and lines at its ends; what is a number or a date without quotes, as it is written."""
    text = node.text()
    if not text:
        return ""
    try:
        value = node.data()
    except UserError:
        return text
    return value if isinstance(value, str) else text

"""One form for what was asked of AWS and what AWS says it has, so that equal things compare equal.

AWS fills in defaults, adds times and states, and keeps lists whose order means nothing in an order of its own.
"""

from __future__ import annotations

import hashlib
import json
import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

__all__ = ["comparable", "digest", "put_arguments"]

_ACTIONS = ("AlarmActions", "OKActions", "InsufficientDataActions")
_COMMON = ("AlarmName", "AlarmDescription", "ActionsEnabled", *_ACTIONS, "ActionConfiguration")
# The arguments of PutMetricAlarm, PutCompositeAlarm and PutAlarmMuteRule that describing them gives back (botocore 1.44).
_METRIC = (
    *_COMMON, "MetricName", "Namespace", "Statistic", "ExtendedStatistic", "Dimensions", "Period", "Unit", "EvaluationPeriods",
    "DatapointsToAlarm", "Threshold", "ComparisonOperator", "TreatMissingData", "EvaluateLowSampleCountPercentile", "Metrics",
    "ThresholdMetricId", "EvaluationWindow", "WarmUpConfiguration", "EvaluationCriteria", "EvaluationInterval",
)  # fmt: skip
_COMPOSITE = (
    *_COMMON, "AlarmRule", "ActionsSuppressor", "ActionsSuppressorWaitPeriod", "ActionsSuppressorExtensionPeriod",
)  # fmt: skip
_MUTE = ("Name", "Description", "Rule", "MuteTargets", "StartDate", "ExpireDate")
_DIGEST = 16
_ROOT = re.compile(r"arn:[a-z-]+:iam::(\d{12}):root")


def put_arguments(described: Mapping[str, Any]) -> dict[str, Any]:
    """The arguments with which boto3 would make what it described.

    Args:
        described: An entry of `describe_alarms`, or the answer of `get_alarm_mute_rule`.

    Returns:
        Of `put_metric_alarm`, `put_composite_alarm` or `put_alarm_mute_rule`, tags left out; what is empty is left out too.
    """
    known = _MUTE if "MuteTargets" in described else _COMPOSITE if "AlarmRule" in described else _METRIC
    return {name: described[name] for name in known if described.get(name) not in (None, "", [], {})}


def comparable(kind: str, arguments: Mapping[str, Any]) -> dict[str, Any]:
    """The one form of a thing's arguments: plain data, without tags, without what says the default.

    Args:
        kind: `metric-alarm`, `composite-alarm`, `mute-rule`, or another kind, whose values are only made plain.
        arguments: As boto3 takes them.
    """
    plain = _plain({key: value for key, value in arguments.items() if key not in ("Tags", "tags")})
    content: dict[str, Any] = {key: value for key, value in plain.items() if value not in (None, "", [], {})}
    _FORMS.get(kind, _as_it_is)(content)
    return content


def digest(content: Any) -> str:
    """A short hash of plain data: 16 hexadecimal digits of SHA-256 over its canonical JSON."""
    text = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return hashlib.sha256(text.encode()).hexdigest()[:_DIGEST]


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    if isinstance(value, datetime):
        return (value if value.tzinfo else value.replace(tzinfo=UTC)).astimezone(UTC).isoformat()
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return value


def _as_it_is(_content: dict[str, Any]) -> None:
    """Nothing of such a thing has a default that we know."""


def _alarm(content: dict[str, Any]) -> None:
    content.setdefault("ActionsEnabled", True)
    for name in _ACTIONS:
        if name in content:
            content[name] = sorted(set(content[name]))
    spread = content.get("ActionConfiguration", {}).get("AlarmTagsPropagation", {})
    if spread and not spread.get("Enabled"):
        del content["ActionConfiguration"]


def _metric(content: dict[str, Any]) -> None:
    _alarm(content)
    if "Dimensions" in content:
        content["Dimensions"] = _dimensions(content["Dimensions"])
    if content.get("DatapointsToAlarm") == content.get("EvaluationPeriods"):
        content.pop("DatapointsToAlarm", None)
    for name, default in (("TreatMissingData", "missing"), ("EvaluateLowSampleCountPercentile", "evaluate")):
        if content.get(name) == default:
            del content[name]
    if "SlidingWindow" in content.get("EvaluationWindow", {}):
        del content["EvaluationWindow"]
    warm = content.get("WarmUpConfiguration", {})
    if warm.get("OnlyStartEvaluatingAfterWarmUpPeriodEnds") is False:
        del warm["OnlyStartEvaluatingAfterWarmUpPeriodEnds"]
    criteria = content.get("EvaluationCriteria", {}).get("PromQLCriteria", {})
    for name in ("PendingPeriod", "RecoveryPeriod"):
        if criteria.get(name) == 0:
            del criteria[name]
    if criteria:
        # AWS has this default only for alarms that evaluate a query (API reference of PutMetricAlarm).
        for name in ("EvaluationPeriods", "DatapointsToAlarm", "TreatMissingData", "Threshold"):
            content.pop(name, None)
    if "Metrics" in content:
        content["Metrics"] = sorted(map(_query, content["Metrics"]), key=lambda query: str(query.get("Id")))


def _query(query: dict[str, Any]) -> dict[str, Any]:
    query = {key: value for key, value in query.items() if value not in (None, "", [], {})}
    query.setdefault("ReturnData", True)
    statistic = query.get("MetricStat")
    if statistic and "Dimensions" in statistic["Metric"]:
        dimensions = _dimensions(statistic["Metric"]["Dimensions"])
        metric = {key: value for key, value in statistic["Metric"].items() if key != "Dimensions"}
        if dimensions:
            metric["Dimensions"] = dimensions
        query["MetricStat"] = {**statistic, "Metric": metric}
    return query


def _dimensions(dimensions: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return sorted(dimensions, key=lambda dimension: (str(dimension["Name"]), str(dimension["Value"])))


def _composite(content: dict[str, Any]) -> None:
    _alarm(content)
    content["AlarmRule"] = " ".join(str(content.get("AlarmRule", "")).split())


def _mute(content: dict[str, Any]) -> None:
    schedule = content.get("Rule", {}).get("Schedule", {})
    if schedule.get("Timezone") == "UTC":
        del schedule["Timezone"]
    names = content.get("MuteTargets", {}).get("AlarmNames", [])
    content["MuteTargets"] = {"AlarmNames": sorted(names)}


def _rule(content: dict[str, Any]) -> None:
    content.setdefault("State", "ENABLED")
    if isinstance(content.get("EventPattern"), str):
        content["EventPattern"] = json.loads(content["EventPattern"])
    if content.get("EventBusName") == "default":
        del content["EventBusName"]


def _topic(content: dict[str, Any]) -> None:
    statements = content.get("Statements", {})
    content["Statements"] = {
        sid: [_statement(part) for part in found] if isinstance(found, list) else _statement(found)
        for sid, found in statements.items()
    }


def _log_policy(content: dict[str, Any]) -> None:
    document = content.get("policyDocument")
    if isinstance(document, dict) and isinstance(document.get("Statement"), list):
        content["policyDocument"] = {
            **document,
            "Statement": [_statement(part) for part in document["Statement"]],
        }


def _statement(statement: Any) -> Any:
    """A statement of a policy in one form: sets in order, one alone bare, actions in lower case, an account as its root."""
    if not isinstance(statement, dict):
        return statement
    plain = {key: _set(value) for key, value in statement.items()}
    for key in ("Action", "NotAction"):
        if key in plain:
            plain[key] = _set(_each(plain[key], str.lower))
    principal = plain.get("Principal")
    if isinstance(principal, dict):
        plain["Principal"] = {
            kind: _set(_each(value, _root) if kind == "AWS" else value) for kind, value in principal.items()
        }
    condition = plain.get("Condition")
    if isinstance(condition, dict):
        plain["Condition"] = {
            operator: {key: _set(value) for key, value in keys.items()} if isinstance(keys, dict) else keys
            for operator, keys in condition.items()
        }
    return plain


def _set(value: Any) -> Any:
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        return value
    items = sorted(set(value))
    return items[0] if len(items) == 1 else items


def _each(value: Any, change: Callable[[str], str]) -> Any:
    if isinstance(value, list):
        return [change(item) if isinstance(item, str) else item for item in value]
    return change(value) if isinstance(value, str) else value


def _root(principal: str) -> str:
    """An account by its root; the partition is that of all of the policy, so that it says nothing."""
    found = _ROOT.fullmatch(principal)
    return found[1] if found else principal


_FORMS: dict[str, Callable[[dict[str, Any]], None]] = {
    "metric-alarm": _metric,
    "composite-alarm": _composite,
    "mute-rule": _mute,
    "rule": _rule,
    "topic": _topic,
    "log-policy": _log_policy,
}

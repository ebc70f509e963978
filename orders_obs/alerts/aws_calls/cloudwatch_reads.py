"""What CloudWatch refuses of the calls that look for alarms, set their state, switch them, tag and delete them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from orders_obs.alerts.aws_calls.actions import arn_service
from orders_obs.alerts.aws_calls.cloudwatch_metrics import dimension_problems
from orders_obs.alerts.aws_calls.limits import limit
from orders_obs.alerts.aws_calls.problems import Problem
from orders_obs.alerts.aws_calls.reading import number, text, texts
from orders_obs.alerts.aws_calls.statistics import is_extended
from orders_obs.alerts.aws_calls.tags import tag_key_problems, tag_problems

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from orders_obs.alerts.aws_calls.problems import Rules

__all__ = ["RULES"]

_PAGING = ("MaxRecords", "NextToken")


def _describe_alarms(arguments: Mapping[str, Any]) -> Iterator[Problem]:
    if "AlarmNames" in arguments and "AlarmNamePrefix" in arguments:
        yield Problem(
            "AlarmNamePrefix", "AlarmNamePrefix and AlarmNames do not go together", "one of the two"
        )
    for name in ("ChildrenOfAlarmName", "ParentsOfAlarmName"):
        others = sorted(str(key) for key in arguments if key not in (name, *_PAGING))
        if name in arguments and others:
            yield Problem(
                name,
                f"{name} goes with MaxRecords and NextToken only",
                f"without {', '.join(others)}",
            )


def _describe_alarms_for_metric(arguments: Mapping[str, Any]) -> Iterator[Problem]:
    yield from dimension_problems(arguments)
    if "Statistic" in arguments and "ExtendedStatistic" in arguments:
        yield Problem(
            "ExtendedStatistic", "Statistic and ExtendedStatistic do not go together", "one of the two"
        )
    extended = text(arguments.get("ExtendedStatistic"))
    if extended is not None and not is_extended(extended):
        yield Problem("ExtendedStatistic", f"{extended!r} is no percentile", "between p0.0 and p100")


def _set_alarm_state(arguments: Mapping[str, Any]) -> Iterator[Problem]:
    data = text(arguments.get("StateReasonData"))
    if not data:
        return
    try:
        json.loads(data)
    except (ValueError, RecursionError):
        yield Problem("StateReasonData", "it is not JSON", 'such as {"reason": "drill"}')


def _tag_resource(arguments: Mapping[str, Any]) -> Iterator[Problem]:
    if _is_ours(arguments):
        yield from _resource(arguments)
        yield from tag_problems(arguments)


def _untag_resource(arguments: Mapping[str, Any]) -> Iterator[Problem]:
    if _is_ours(arguments):
        yield from _resource(arguments)
        for path, key in texts(arguments, "TagKeys"):
            if key.lower().startswith("aws:"):
                yield from tag_key_problems(path, key)


def _list_tags_for_resource(arguments: Mapping[str, Any]) -> Iterator[Problem]:
    if _is_ours(arguments):
        yield from _resource(arguments)


def _is_ours(arguments: Mapping[str, Any]) -> bool:
    """EventBridge has the same methods with the same arguments."""
    arn = text(arguments.get("ResourceARN"))
    return arn is not None and arn_service(arn) != "events"


def _resource(arguments: Mapping[str, Any]) -> Iterator[Problem]:
    arn = text(arguments.get("ResourceARN"))
    if arn and arn_service(arn) != "cloudwatch":
        yield Problem(
            "ResourceARN", f"{arn!r} is no ARN of CloudWatch", "arn:aws:cloudwatch:REGION:ACCOUNT:alarm:NAME"
        )


def _list_metrics(arguments: Mapping[str, Any]) -> Iterator[Problem]:
    yield from dimension_problems(arguments)
    if "OwningAccount" in arguments and arguments.get("IncludeLinkedAccounts", False) is False:
        yield Problem(
            "OwningAccount",
            "OwningAccount goes with IncludeLinkedAccounts true",
            "IncludeLinkedAccounts: True",
        )


def _describe_anomaly_detectors(arguments: Mapping[str, Any]) -> Iterator[Problem]:
    yield from dimension_problems(arguments)
    filters = [
        name
        for name in ("Namespace", "MetricName", "Dimensions", "AnomalyDetectorTypes")
        if name in arguments
    ]
    if "AnomalyDetectorIds" in arguments and filters:
        yield Problem(
            "AnomalyDetectorIds",
            f"AnomalyDetectorIds and {', '.join(filters)} do not go together",
            "ids or filters",
        )
    most = number(arguments.get("MaxResults"))
    if most is not None and most > limit("describe-detectors"):
        yield Problem("MaxResults", f"{most:g}, and the limit is {limit('describe-detectors')}")


RULES: Rules = {
    "describe_alarms": (_describe_alarms,),
    "describe_alarms_for_metric": (_describe_alarms_for_metric,),
    "describe_anomaly_detectors": (_describe_anomaly_detectors,),
    "list_metrics": (_list_metrics,),
    "list_tags_for_resource": (_list_tags_for_resource,),
    "set_alarm_state": (_set_alarm_state,),
    "tag_resource": (_tag_resource,),
    "untag_resource": (_untag_resource,),
}

"""What an alarm sends: its message on SNS and its event on EventBridge, as samples that filters and patterns are held against.

Fields after the published examples of both (CloudWatch user guide, "Alarm events and EventBridge"; SNS message of an alarm).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from orders_obs.aws.audit.patterns import Free

if TYPE_CHECKING:
    from orders_obs.aws.audit.alarms import Alarm
    from orders_obs.aws.audit.model import Seen

__all__ = ["alarm_event", "alarm_message", "any_alarm_event"]

_FREE = Free()
_TRIGGER = (
    "MetricName", "Namespace", "Statistic", "ExtendedStatistic", "Unit", "Period", "EvaluationPeriods", "DatapointsToAlarm",
    "ComparisonOperator", "Threshold", "TreatMissingData",
)  # fmt: skip


def alarm_message(alarm: Alarm, seen: Seen) -> dict[str, Any]:
    """The body of the message that an alarm publishes when it goes to ALARM."""
    described = alarm.described
    body: dict[str, Any] = {
        "AlarmName": alarm.name,
        "AlarmDescription": described.get("AlarmDescription"),
        "AWSAccountId": seen.account,
        "AlarmArn": alarm.arn,
        "NewStateValue": "ALARM",
        "OKActions": described.get("OKActions") or [],
        "AlarmActions": described.get("AlarmActions") or [],
        "InsufficientDataActions": described.get("InsufficientDataActions") or [],
        # The region is written as its name in words; the rest changes with each message.
        **dict.fromkeys(("Region", "OldStateValue", "NewStateReason", "StateChangeTime", "AlarmConfigurationUpdatedTimestamp"), _FREE),
    }  # fmt: skip
    if described.get("ActionConfiguration"):
        # The alarm's tags may be in it, under names that AWS has given no example of.
        body |= dict.fromkeys(("AlarmTags", "Tags", "tags", "AlarmTagsPropagation"), _FREE)
    if alarm.kind == "metric" and described.get("MetricName"):
        trigger: dict[str, Any] = {key: described[key] for key in _TRIGGER if key in described}
        trigger["Dimensions"] = [
            {"name": dimension.get("Name"), "value": dimension.get("Value")}
            for dimension in described.get("Dimensions") or ()
        ]
        for key in ("StatisticType", "Statistic", "Unit", "EvaluateLowSampleCountPercentile"):
            trigger[key] = _FREE
        body["Trigger"] = trigger
    elif alarm.kind == "composite":
        body |= {"AlarmRule": described.get("AlarmRule"), "TriggeringChildren": _FREE}
        body |= dict.fromkeys(("ActionsSuppressedBy", "ActionsSuppressedReason"), _FREE)
    else:
        body["Trigger"] = _FREE
    return body


def any_alarm_event(seen: Seen) -> dict[str, Any]:
    """What the events of all alarms have in common."""
    return {
        "version": "0",
        "id": _FREE,
        "detail-type": "CloudWatch Alarm State Change",
        "source": "aws.cloudwatch",
        "account": seen.account,
        "time": _FREE,
        "region": seen.region,
        "resources": _FREE,
        "detail": _FREE,
    }


def alarm_event(alarm: Alarm, seen: Seen) -> dict[str, Any]:
    """The event by which an alarm tells EventBridge that it has gone to ALARM."""
    return {
        **any_alarm_event(seen),
        "resources": [alarm.arn],
        "detail": {
            "alarmName": alarm.name,
            "alarmArn": _FREE,
            "state": {
                "value": "ALARM",
                **dict.fromkeys(("reason", "reasonData", "timestamp", "actionsSuppressedBy"), _FREE),
            },
            "previousState": _FREE,
            "configuration": _FREE,
            "muteDetail": _FREE,
        },
    }

"""What an account says of the past: notifications that failed over a week, changes of state, actions that CloudWatch could not run."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from orders_obs.aws.audit.model import Delivery
from orders_obs.redact import redact_text

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from orders_obs.aws.audit.model import Seen
    from orders_obs.aws.audit.reading import Reader

__all__ = ["DAYS", "read_deliveries", "read_history"]

DAYS = 7
_QUERIES = 500
"""Queries that one GetMetricData takes."""
_ITEMS = 10_000
"""Items of history that are read at most, the newest first: a hundred pages, half a minute at 3 a second."""
_SAID = 300
_COUNTED = ("NumberOfNotificationsDelivered", "NumberOfNotificationsFailed")


def read_deliveries(reader: Reader, seen: Seen, topics: Sequence[str], now: datetime) -> None:
    """Read how many notifications of topics arrived and failed, in as few calls as there can be."""
    start, end = _span(now)
    queries = [
        {
            "Id": f"t{number}_{which}",
            "MetricStat": {
                "Metric": {
                    "Namespace": "AWS/SNS",
                    "MetricName": name,
                    "Dimensions": [{"Name": "TopicName", "Value": topic.rpartition(":")[2]}],
                },
                "Period": 86_400,
                "Stat": "Sum",
            },
        }
        for number, topic in enumerate(topics)
        for which, name in enumerate(_COUNTED)
    ]
    sums: dict[str, float] = {}
    for first in range(0, len(queries), _QUERIES):
        found = reader.pages(
            "cloudwatch", "get_metric_data", about="failed notifications of topics", keep=_sums,
            MetricDataQueries=queries[first : first + _QUERIES], StartTime=start, EndTime=end,
        )  # fmt: skip
        if found is None:
            return
        for name, total in found:
            sums[name] = sums.get(name, 0.0) + total
    for number, topic in enumerate(topics):
        seen.deliveries[topic] = Delivery(sums.get(f"t{number}_0", 0.0), sums.get(f"t{number}_1", 0.0))


def _sums(page: Mapping[str, Any]) -> list[Any]:
    return [
        [result["Id"], float(sum(result.get("Values") or ()))]
        for result in page.get("MetricDataResults") or ()
    ]


def read_history(reader: Reader, seen: Seen, now: datetime) -> None:
    """Read the changes of state, and the actions that failed, of the last week."""
    start, end = _span(now)
    for kind, keep in (("StateUpdate", _change), ("Action", _failure)):
        items = reader.pages(
            "cloudwatch", "describe_alarm_history", about=f"alarm history of {DAYS} days ({kind})",
            keep=lambda page, keep=keep: [  # type: ignore[misc]
                kept for item in page.get("AlarmHistoryItems") or () if (kept := keep(item))
            ],
            AlarmTypes=["MetricAlarm", "CompositeAlarm", "LogAlarm"], HistoryItemType=kind, StartDate=start, EndDate=end,
            ScanBy="TimestampDescending", PaginationConfig={"PageSize": 100, "MaxItems": _ITEMS},
        )  # fmt: skip
        if items is None:
            continue
        if kind == "StateUpdate":
            seen.transitions = {}
            for name, at in items:
                seen.transitions.setdefault(name, []).append(at)
        else:
            for name, arn, at, said in items:
                seen.failed_actions.setdefault(name, (arn, at, said))
        if len(items) >= _ITEMS:
            seen.warnings.append(f"the newest {_ITEMS} items of the history were read, and there are more")


def _change(item: Mapping[str, Any]) -> list[str] | None:
    data = _data(item)
    new = data.get("newState") if isinstance(data.get("newState"), dict) else {}
    to_alarm = (new or {}).get("stateValue") == "ALARM" or str(item.get("HistorySummary", "")).endswith(
        "to ALARM"
    )
    return [str(item["AlarmName"]), str(item["Timestamp"])] if to_alarm else None


def _failure(item: Mapping[str, Any]) -> list[str] | None:
    data = _data(item)
    if data.get("actionState") != "Failed" and not str(item.get("HistorySummary", "")).startswith("Failed"):
        return None
    said = redact_text(str(data.get("error") or item.get("HistorySummary") or ""))[:_SAID]
    return [str(item["AlarmName"]), str(data.get("notificationResource") or ""), str(item["Timestamp"]), said]


def _data(item: Mapping[str, Any]) -> dict[str, Any]:
    try:
        data = json.loads(item.get("HistoryData") or "{}")
    except ValueError:
        return {}
    return data if isinstance(data, dict) else {}


def _span(now: datetime) -> tuple[datetime, datetime]:
    """The days that are looked at, to the next midnight, so that a run that goes on the same day asks for the same."""
    end = now.replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=1)
    return end - timedelta(days=DAYS + 1), end

"""Requests to CloudWatch: right ones to start from, and wrong ones, each with the place in AWS's documents that its rule comes from.

API: the API reference, whose text botocore's model carries; GUIDE: the CloudWatch user guide; SEEN: an answer of AWS's that somebody reported.
"""

from __future__ import annotations

import copy
import json
import re
from datetime import UTC, datetime, timedelta
from typing import Any

__all__ = ["RIGHT", "WRONG", "changed", "right"]

TOPIC = "arn:aws:sns:eu-west-1:111122223333:orders-critical"
FUNCTION = "arn:aws:lambda:eu-west-1:111122223333:function:relay"
INSTANCE = "arn:aws:automate:eu-west-1:ec2:recover"
SCALING = (
    "arn:aws:autoscaling:eu-west-1:111122223333:scalingPolicy:1a2b:autoScalingGroupName/web:policyName/out"
)
ALARM = "arn:aws:cloudwatch:eu-west-1:111122223333:alarm:orders"
ITEM = "arn:aws:ssm:eu-west-1:111122223333:opsitem:3#CATEGORY=Performance"


def metric(name: str = "Errors", **more: Any) -> dict[str, Any]:
    return {"Metric": {"Namespace": "Orders", "MetricName": name}, "Period": 60, "Stat": "Sum"} | more


CLASSIC = {
    "AlarmName": "orders",
    "AlarmActions": [TOPIC],
    "Namespace": "AWS/EC2",
    "MetricName": "CPUUtilization",
    "Dimensions": [{"Name": "InstanceId", "Value": "i-0123"}],
    "Statistic": "Average",
    "Period": 300,
    "EvaluationPeriods": 3,
    "DatapointsToAlarm": 2,
    "Threshold": 80.0,
    "ComparisonOperator": "GreaterThanThreshold",
}
MATH = {
    "AlarmName": "orders",
    "Metrics": [
        {"Id": "e1", "Expression": "100 * m1 / m2", "ReturnData": True},
        {"Id": "m1", "MetricStat": metric("Errors"), "ReturnData": False},
        {"Id": "m2", "MetricStat": metric("Requests"), "ReturnData": False},
    ],
    "EvaluationPeriods": 3,
    "Threshold": 5.0,
    "ComparisonOperator": "GreaterThanThreshold",
}
BAND = {
    "AlarmName": "orders",
    "Metrics": [
        {"Id": "m1", "MetricStat": metric("Requests", Stat="Average"), "ReturnData": True},
        {"Id": "t1", "Expression": "ANOMALY_DETECTION_BAND(m1, 3)"},
    ],
    "EvaluationPeriods": 2,
    "ThresholdMetricId": "t1",
    "ComparisonOperator": "LessThanLowerOrGreaterThanUpperThreshold",
}
INSIGHTS = {
    "AlarmName": "orders",
    "Metrics": [
        {"Id": "q1", "Expression": 'SELECT MAX(CPUUtilization) FROM SCHEMA("AWS/EC2", InstanceId)', "Period": 60, "ReturnData": True}
    ],
    "EvaluationPeriods": 5,
    "Threshold": 90.0,
    "ComparisonOperator": "GreaterThanThreshold",
}  # fmt: skip
PROMQL = {
    "AlarmName": "orders",
    "AlarmActions": [TOPIC],
    "EvaluationCriteria": {"PromQLCriteria": {"Query": 'sum(rate({"errors"}[5m])) > 5', "PendingPeriod": 120, "RecoveryPeriod": 300}},
    "EvaluationInterval": 60,
}  # fmt: skip
COMPOSITE = {
    "AlarmName": "site",
    "AlarmRule": 'ALARM("errors") AND NOT ALARM("deploying")',
    "AlarmActions": [TOPIC, FUNCTION, ITEM],
    "ActionsSuppressor": "deploying",
    "ActionsSuppressorWaitPeriod": 120,
    "ActionsSuppressorExtensionPeriod": 60,
}
MUTE = {
    "Name": "night",
    "Rule": {
        "Schedule": {"Expression": "cron(0 2 * * SUN)", "Duration": "PT4H", "Timezone": "Europe/Berlin"}
    },
    "MuteTargets": {"AlarmNames": ["orders"]},
}
LOG = {
    "AlarmName": "orders",
    "ScheduledQueryConfiguration": {
        "QueryString": "fields @message | filter level = 'ERROR'",
        "LogGroupIdentifiers": ["/orders/api/production"],
        "ScheduledQueryRoleARN": "arn:aws:iam::111122223333:role/queries",
        "ScheduleConfiguration": {"ScheduleExpression": "rate(5 minutes)", "StartTimeOffset": 360, "EndTimeOffset": 60},
        "AggregationExpression": "count(*)",
    },
    "QueryResultsToEvaluate": 3,
    "QueryResultsToAlarm": 2,
    "Threshold": 5.0,
    "ComparisonOperator": "GreaterThanThreshold",
}  # fmt: skip
NOW = datetime.now(UTC)
READ = {
    "MetricDataQueries": [
        {"Id": "m1", "MetricStat": metric()},
        {
            "Id": "e1",
            "Expression": "SEARCH('{AWS/EC2,InstanceId} MetricName=\"CPUUtilization\"', 'Average', 300)",
        },
        {"Id": "e2", "Expression": "SUM(METRICS()) / 2"},
    ],
    "StartTime": datetime(2026, 11, 1, tzinfo=UTC),
    "EndTime": datetime(2026, 11, 2, tzinfo=UTC),
    "MaxDatapoints": 100_800,
    "LabelOptions": {"Timezone": "+0130"},
}
WRITE = {
    "Namespace": "Orders",
    "MetricData": [
        {
            "MetricName": "OrdersCreated",
            "Value": 3.0,
            "Unit": "Count",
            "StorageResolution": 1,
            "Timestamp": NOW,
        },
        {"MetricName": "Latency", "Values": [0.1, 0.2], "Counts": [3, 4]},
        {"MetricName": "Size", "StatisticValues": {"SampleCount": 2, "Sum": 5, "Minimum": 1, "Maximum": 4}},
    ],
}
WIDGETS: list[dict[str, Any]] = [
    {"type": "metric", "x": 0, "y": 0, "width": 12, "height": 6, "properties": {
        "metrics": [["AWS/EC2", "CPUUtilization", "InstanceId", "i-012345"], [".", "NetworkIn", ".", "."], ["...", "i-2", {"color": "#d62728"}],
                    [{"expression": "m1 / 2", "id": "e1"}]],
        "period": 300, "stat": "Average", "region": "us-east-1", "title": "EC2", "view": "timeSeries"}},
    {"type": "text", "x": 0, "y": 7, "width": 3, "height": 3, "properties": {"markdown": "Hello world"}},
    {"type": "alarm", "properties": {"title": "alarms", "alarms": [ALARM]}},
    {"type": "log", "properties": {"query": "SOURCE 'a' | fields @message", "region": "us-east-1"}},
    {"type": "metric", "properties": {"annotations": {"alarms": [ALARM]}, "region": "us-east-1"}},
]  # fmt: skip


def board(*widgets: Any, **more: Any) -> dict[str, Any]:
    return {"DashboardName": "Orders-API_1", "DashboardBody": json.dumps({"widgets": list(widgets), **more})}


def widget(number: int, **changes: Any) -> dict[str, Any]:
    made = copy.deepcopy(WIDGETS[number])
    return changed(made, {name.replace("__", "."): value for name, value in changes.items()})


DETECTOR = {
    "SingleMetricAnomalyDetector": {"Namespace": "Orders", "MetricName": "Requests", "Stat": "p99", "AccountId": "111122223333"},
    "Configuration": {"MetricTimezone": "Europe/Berlin", "AdaptationSpeed": "FAST",
                      "ExcludedTimeRanges": [{"StartTime": datetime(2026, 1, 1, tzinfo=UTC), "EndTime": datetime(2026, 1, 2, tzinfo=UTC)}]},
}  # fmt: skip
MATH_DETECTOR = {
    "MetricMathAnomalyDetector": {
        "MetricDataQueries": [
            {"Id": "e1", "Expression": "m1 * 2", "ReturnData": True},
            {"Id": "m1", "MetricStat": metric(), "ReturnData": False},
        ]
    }
}
TAG = {"ResourceARN": ALARM, "Tags": [{"Key": "team", "Value": "orders"}]}

BASES: dict[str, tuple[str, dict[str, Any]]] = {
    "classic": ("put_metric_alarm", CLASSIC),
    "math": ("put_metric_alarm", MATH),
    "band": ("put_metric_alarm", BAND),
    "insights": ("put_metric_alarm", INSIGHTS),
    "promql": ("put_metric_alarm", PROMQL),
    "composite": ("put_composite_alarm", COMPOSITE),
    "mute": ("put_alarm_mute_rule", MUTE),
    "log": ("put_log_alarm", LOG),
    "read": ("get_metric_data", READ),
    "write": ("put_metric_data", WRITE),
    "board": ("put_dashboard", board(*WIDGETS)),
    "detector": ("put_anomaly_detector", DETECTOR),
    "math detector": ("put_anomaly_detector", MATH_DETECTOR),
    "tag": ("tag_resource", TAG),
    "untag": ("untag_resource", {"ResourceARN": ALARM, "TagKeys": ["team"]}),
    "tags of": ("list_tags_for_resource", {"ResourceARN": ALARM}),
    "look": ("describe_alarms", {"AlarmNames": ["orders"], "AlarmTypes": ["MetricAlarm", "CompositeAlarm"], "MaxRecords": 100}),
    "children": ("describe_alarms", {"ChildrenOfAlarmName": "site", "MaxRecords": 10}),
    "of metric": ("describe_alarms_for_metric", {"Namespace": "Orders", "MetricName": "Latency", "ExtendedStatistic": "p99.9"}),
    "history": ("describe_alarm_history", {"AlarmName": "orders", "HistoryItemType": "StateUpdate", "ScanBy": "TimestampAscending"}),
    "state": ("set_alarm_state", {"AlarmName": "orders", "StateValue": "ALARM", "StateReason": "drill", "StateReasonData": '{"a": 1}'}),
    "off": ("disable_alarm_actions", {"AlarmNames": ["orders"]}),
    "on": ("enable_alarm_actions", {"AlarmNames": ["orders"]}),
    "delete": ("delete_alarms", {"AlarmNames": ["orders"]}),
    "unmute": ("delete_alarm_mute_rule", {"AlarmMuteRuleName": "night"}),
    "muted": ("get_alarm_mute_rule", {"AlarmMuteRuleName": "night"}),
    "mutes": ("list_alarm_mute_rules", {"Statuses": ["ACTIVE"], "MaxRecords": 50}),
    "list": ("list_metrics", {"Namespace": "Orders", "RecentlyActive": "PT3H", "Dimensions": [{"Name": "Service"}]}),
    "boards": ("delete_dashboards", {"DashboardNames": ["Orders-API_1"]}),
    "detectors": ("describe_anomaly_detectors", {"Namespace": "Orders", "MaxResults": 100}),
}  # fmt: skip
"""Right requests, by a short name: the operation and its arguments."""

REMOVED = object()


def changed(made: dict[str, Any], changes: dict[str, Any]) -> dict[str, Any]:
    """A copy with values set at paths such as `Metrics[0].Expression`; `REMOVED` takes one away."""
    made = copy.deepcopy(made)
    for path, value in changes.items():
        parts: list[Any] = [int(part) if part.isdigit() else part for part in re.findall(r"[^.\[\]]+", path)]
        at: Any = made
        for part in parts[:-1]:
            at = at[part] if isinstance(part, int) else at.setdefault(part, {})
        if value is REMOVED:
            del at[parts[-1]]
        else:
            at[parts[-1]] = value
    return made


def right(name: str, changes: dict[str, Any] | None = None) -> tuple[str, dict[str, Any]]:
    """One of the right requests, changed."""
    operation, arguments = BASES[name]
    return operation, changed(arguments, changes or {})


PERIOD = "API PutMetricAlarm, Period"
STATISTIC = "API PutMetricAlarm, Statistic: MetricName needs one of the two"
EXTENDED = "API PutMetricAlarm, ExtendedStatistic: valid values; GUIDE statistics definitions, syntax"
DIMENSION = "API Dimension"
QUERY = "API MetricDataQuery"
FUNCTIONS = "GUIDE metric math, functions"
RULE = "API PutCompositeAlarm, AlarmRule; GUIDE composite alarms, rule expressions"
SCHEDULE = "API Schedule"
BODY = "API dashboard body structure"
PROM = "API PutMetricAlarm, EvaluationCriteria: parameters that it excludes"
TAGS = "GUIDE tagging, tag restrictions"
FILTER = "API DescribeAlarms"
MODEL = "API, model constraint"

WRONG: list[tuple[str, str, dict[str, Any], str]] = [
    # One metric: base, changes, path of the problem, source.
    ("API PutMetricAlarm, MetricName: one of three", "classic", {"MetricName": REMOVED}, ""),
    ("API PutMetricAlarm, MetricName: one of three", "classic", {"Metrics": MATH["Metrics"]}, ""),
    ("API PutMetricAlarm, EvaluationCriteria: one of three", "classic", {"EvaluationCriteria": PROMQL["EvaluationCriteria"], "EvaluationInterval": 60}, ""),
    ("API PutMetricAlarm, Namespace of MetricName", "classic", {"Namespace": REMOVED}, "Namespace"),
    (PERIOD, "classic", {"Period": REMOVED}, "Period"),
    ("SEEN: EvaluationPeriods must not be null", "classic", {"EvaluationPeriods": REMOVED}, "EvaluationPeriods"),
    ("SEEN: ComparisonOperator must not be null", "classic", {"ComparisonOperator": REMOVED}, "ComparisonOperator"),
    ("API PutMetricAlarm, Threshold: required for static thresholds", "classic", {"Threshold": REMOVED}, "Threshold"),
    (STATISTIC, "classic", {"Statistic": REMOVED}, "Statistic"),
    (STATISTIC, "classic", {"ExtendedStatistic": "p99"}, "Statistic"),
    (MODEL, "classic", {"Statistic": "p99"}, "Statistic"),
    (MODEL, "classic", {"Statistic": "Median"}, "Statistic"),
    *[(EXTENDED, "classic", {"Statistic": REMOVED, "ExtendedStatistic": stat}, "ExtendedStatistic")
      for stat in ("Average", "p101", "p-1", "p", "P99", "TM99", "tm101", "PR(5)", "PR(1%:2%)", "TM(10:90%)", "TM(101%:)", "TC()", "PR(:)", "iqm", "p9 9",
                   "median", "p99.12345678901", "")],
    (PERIOD, "classic", {"Period": 90}, "Period"),
    (PERIOD, "classic", {"Period": 15}, "Period"),
    (PERIOD, "classic", {"Period": 5}, "Period"),
    (MODEL, "classic", {"Period": 0}, "Period"),
    (f"{PERIOD}: one day below an hour", "classic", {"Period": 60, "EvaluationPeriods": 1441}, "EvaluationPeriods"),
    (f"{PERIOD}: seven days", "classic", {"Period": 3600, "EvaluationPeriods": 169}, "EvaluationPeriods"),
    ("SEEN: DatapointsToAlarm must be less than or equal to EvaluationPeriods", "classic", {"DatapointsToAlarm": 4}, "DatapointsToAlarm"),
    (MODEL, "classic", {"DatapointsToAlarm": 0}, "DatapointsToAlarm"),
    (MODEL, "classic", {"ComparisonOperator": "GreaterThan"}, "ComparisonOperator"),
    ("SEEN: ComparisonOperators for ranges require ThresholdMetricId", "classic", {"ComparisonOperator": "GreaterThanUpperThreshold"}, "ComparisonOperator"),
    ("API PutMetricAlarm, TreatMissingData: valid values", "classic", {"TreatMissingData": "notbreaching"}, "TreatMissingData"),
    ("API PutMetricAlarm, EvaluateLowSampleCountPercentile: valid values", "classic",
     {"Statistic": REMOVED, "ExtendedStatistic": "p99", "EvaluateLowSampleCountPercentile": "skip"}, "EvaluateLowSampleCountPercentile"),
    ("API PutMetricAlarm, EvaluateLowSampleCountPercentile: used only for percentiles", "classic", {"EvaluateLowSampleCountPercentile": "ignore"},
     "EvaluateLowSampleCountPercentile"),
    ("API PutMetricAlarm, ThresholdMetricId: the id of a query", "classic",
     {"ThresholdMetricId": "t1", "Threshold": REMOVED, "ComparisonOperator": "GreaterThanUpperThreshold"}, "ThresholdMetricId"),
    ("API PutMetricAlarm, EvaluationInterval: cannot be with MetricName", "classic", {"EvaluationInterval": 60}, "EvaluationInterval"),
    (MODEL, "classic", {"Unit": "Requests"}, "Unit"),
    ("API PutMetricAlarm, AlarmName: no ASCII control characters", "classic", {"AlarmName": "or\tders"}, "AlarmName"),
    ("API PutMetricAlarm, AlarmName: UTF-8", "classic", {"AlarmName": "or\ud800ders"}, "AlarmName"),
    (MODEL, "classic", {"AlarmName": ""}, "AlarmName"),
    (MODEL, "classic", {"AlarmName": "x" * 256}, "AlarmName"),
    (MODEL, "classic", {"AlarmDescription": "x" * 1025}, "AlarmDescription"),
    (MODEL, "classic", {"Namespace": ":orders"}, "Namespace"),
    (MODEL, "classic", {"AlarmActions": [TOPIC] * 6}, "AlarmActions"),
    ("API PutMetricAlarm: maximum payload of 120 KB", "math", {"Metrics[0].Label": "x" * 123_000}, ""),
    # Dimensions and tags
    ("API Dimension: up to 30", "classic", {"Dimensions": [{"Name": f"d{n}", "Value": "v"} for n in range(31)]}, "Dimensions"),
    (DIMENSION, "classic", {"Dimensions[0].Name": ":name"}, "Dimensions[0].Name"),
    (DIMENSION, "classic", {"Dimensions[0].Name": "größe"}, "Dimensions[0].Name"),
    (DIMENSION, "classic", {"Dimensions[0].Name": "  "}, "Dimensions[0].Name"),
    (DIMENSION, "classic", {"Dimensions[0].Value": "größe"}, "Dimensions[0].Value"),
    (DIMENSION, "classic", {"Dimensions[0].Value": "a\nb"}, "Dimensions[0].Value"),
    (DIMENSION, "classic", {"Dimensions[0].Value": " "}, "Dimensions[0].Value"),
    (DIMENSION, "classic", {"Dimensions": [{"Name": "InstanceId", "Value": "a"}, {"Name": "InstanceId", "Value": "b"}]}, "Dimensions[1].Name"),
    (MODEL, "classic", {"Dimensions[0].Value": "x" * 1025}, "Dimensions[0].Value"),
    ("API PutMetricAlarm, Tags: as many as 50", "classic", {"Tags": [{"Key": f"k{n}", "Value": ""} for n in range(51)]}, "Tags"),
    (TAGS, "classic", {"Tags": [{"Key": "aws:team", "Value": "a"}]}, "Tags[0].Key"),
    (TAGS, "classic", {"Tags": [{"Key": "team", "Value": "orders (main)"}]}, "Tags[0].Value"),
    (TAGS, "classic", {"Tags": [{"Key": "a;b", "Value": ""}]}, "Tags[0].Key"),
    (TAGS, "classic", {"Tags": [{"Key": "a", "Value": "1"}, {"Key": "a", "Value": "2"}]}, "Tags[1].Key"),
    (MODEL, "classic", {"Tags": [{"Key": "x" * 129, "Value": ""}]}, "Tags[0].Key"),
    (MODEL, "classic", {"Tags": [{"Key": "a", "Value": "x" * 257}]}, "Tags[0].Value"),
    (MODEL, "classic", {"Tags": {"team": "orders"}}, "Tags"),
    # Actions
    ("SEEN: Invalid arn syntax", "classic", {"AlarmActions": ["orders-critical"]}, "AlarmActions[0]"),
    ("API PutMetricAlarm, AlarmActions: valid values", "classic", {"AlarmActions": ["arn:aws:sqs:eu-west-1:111122223333:queue"]}, "AlarmActions[0]"),
    ("API PutMetricAlarm, AlarmActions: valid values", "classic", {"AlarmActions": ["arn:aws:sns:eu-west-1:1111:orders"]}, "AlarmActions[0]"),
    ("API PutMetricAlarm, AlarmActions: valid values", "classic", {"AlarmActions": ["arn:aws:sns:eu-west-1:111122223333:a:b"]}, "AlarmActions[0]"),
    ("API PutMetricAlarm, AlarmActions: valid values", "classic", {"OKActions": ["arn:aws:automate:eu-west-1:ec2:start"]}, "OKActions[0]"),
    ("API PutMetricAlarm, AlarmActions: valid values", "classic", {"AlarmActions": ["arn:aws:ssm:eu-west-1:111122223333:opsitem:5"]}, "AlarmActions[0]"),
    ("API PutMetricAlarm, AlarmActions: valid values", "classic", {"AlarmActions": ["arn:aws:lambda:eu-west-1:111122223333:relay"]}, "AlarmActions[0]"),
    ("API PutMetricAlarm: investigations are of AlarmActions", "classic",
     {"OKActions": ["arn:aws:aiops:eu-west-1:111122223333:investigation-group:abc"]}, "OKActions[0]"),
    ("SEEN: An EC2 action can only be used if the alarm is monitoring an EC2 instance", "classic",
     {"AlarmActions": [INSTANCE], "Dimensions": [{"Name": "AutoScalingGroupName", "Value": "web"}]}, "AlarmActions[0]"),
    ("SEEN: An EC2 action can only be used if the alarm is monitoring an EC2 instance", "classic", {"AlarmActions": [INSTANCE], "Dimensions": REMOVED},
     "AlarmActions[0]"),
    ("GUIDE: alarms on math cannot perform EC2 actions", "math", {"AlarmActions": [INSTANCE]}, "AlarmActions[0]"),
    ("GUIDE: EC2 actions need one metric of an instance", "promql", {"AlarmActions": [INSTANCE]}, "AlarmActions[0]"),
    ("API PutMetricAlarm: anomaly alarms cannot have Auto Scaling actions", "band", {"AlarmActions": [SCALING]}, "AlarmActions[0]"),
    # Windows, warm-up, tags in messages
    ("API WallClockWindow: periods", "classic", {"EvaluationWindow": {"WallClockWindow": {}}, "Period": 120}, "EvaluationWindow.WallClockWindow"),
    ("API WallClockWindow, Timezone: aligned to 5 minutes", "classic", {"EvaluationWindow": {"WallClockWindow": {"Timezone": "+05:31"}}},
     "EvaluationWindow.WallClockWindow.Timezone"),
    ("API WallClockWindow, Timezone", "classic", {"EvaluationWindow": {"WallClockWindow": {"Timezone": "Berlin"}}}, "EvaluationWindow.WallClockWindow.Timezone"),
    ("API EvaluationWindow: a union", "classic", {"EvaluationWindow": {"WallClockWindow": {}, "SlidingWindow": {}}}, "EvaluationWindow"),
    ("API EvaluationWindow: a union", "classic", {"EvaluationWindow": {}}, "EvaluationWindow"),
    (MODEL, "classic", {"WarmUpConfiguration": {"WarmUpPeriodDurationInMinutes": 2881}}, "WarmUpConfiguration.WarmUpPeriodDurationInMinutes"),
    (MODEL, "classic", {"WarmUpConfiguration": {}}, "WarmUpConfiguration.WarmUpPeriodDurationInMinutes"),
    ("API AlarmTagsPropagation: not both", "classic",
     {"ActionConfiguration": {"AlarmTagsPropagation": {"Enabled": True, "IncludedTagKeys": ["a"], "ExcludedTagKeys": ["b"]}}},
     "ActionConfiguration.AlarmTagsPropagation"),
    (MODEL, "classic", {"ActionConfiguration": {"AlarmTagsPropagation": {"Enabled": True, "IncludedTagKeys": []}}},
     "ActionConfiguration.AlarmTagsPropagation.IncludedTagKeys"),
    # Types
    (MODEL, "classic", {"Threshold": "80"}, "Threshold"),
    (MODEL, "classic", {"Threshold": float("nan")}, "Threshold"),
    (MODEL, "classic", {"Threshold": None}, "Threshold"),
    (MODEL, "classic", {"Period": 60.5}, "Period"),
    (MODEL, "classic", {"EvaluationPeriods": True}, "EvaluationPeriods"),
    (MODEL, "classic", {"ActionsEnabled": "yes"}, "ActionsEnabled"),
    (MODEL, "classic", {"Dimension": []}, "Dimension"),
    (MODEL, "classic", {"AlarmActions": TOPIC}, "AlarmActions"),
    (MODEL, "classic", {"Dimensions[0].Value": REMOVED}, "Dimensions[0].Value"),
    (MODEL, "classic", {"MetricName": b"CPUUtilization"}, "MetricName"),
    # Metric math
    *[("API PutMetricAlarm, Metrics: what it excludes", "math", {name: value}, name)
      for name, value in (("Namespace", "a"), ("Dimensions", CLASSIC["Dimensions"]), ("Period", 60), ("Unit", "Count"), ("Statistic", "Sum"),
                          ("ExtendedStatistic", "p99"))],
    ("API PutMetricAlarm, MetricName: none of the three", "math", {"Metrics": []}, ""),
    (QUERY, "math", {"Metrics[1].Id": "M1", "Metrics[0].Expression": "m2"}, "Metrics[1].Id"),
    (QUERY, "math", {"Metrics[1].Id": "m-1", "Metrics[0].Expression": "m2"}, "Metrics[1].Id"),
    (QUERY, "math", {"Metrics[1].Id": "1m", "Metrics[0].Expression": "m2"}, "Metrics[1].Id"),
    (QUERY, "math", {"Metrics[2].Id": "m1", "Metrics[0].Expression": "m1"}, "Metrics[2].Id"),
    (QUERY, "math", {"Metrics[1].Expression": "m2"}, "Metrics[1]"),
    (QUERY, "math", {"Metrics[1].MetricStat": REMOVED}, "Metrics[1]"),
    (QUERY, "math", {"Metrics": [{"Id": f"m{n}", "MetricStat": metric(), "ReturnData": n == 0} for n in range(11)]}, "Metrics"),
    (QUERY, "math", {"Metrics": [{"Id": "m1", "MetricStat": metric(), "ReturnData": True}, *({"Id": f"e{n}", "Expression": "m1", "ReturnData": False} for n in range(11))]}, "Metrics"),
    ("SEEN: Exactly one element of the metrics list should return data", "math", {"Metrics[0].ReturnData": False}, "Metrics"),
    ("SEEN: Exactly one element of the metrics list should return data", "math", {"Metrics[1].ReturnData": True}, "Metrics"),
    ("API MetricDataQuery, ReturnData: left out it is true", "math", {"Metrics[1].ReturnData": REMOVED}, "Metrics"),
    ("GUIDE: each metric must be using the same period", "math", {"Metrics[1].MetricStat.Period": 300}, "Metrics"),
    (PERIOD, "math", {"Metrics[1].MetricStat.Period": 90, "Metrics[2].MetricStat.Period": 90}, "Metrics[1].MetricStat.Period"),
    (f"{PERIOD}: one day below an hour", "math", {"EvaluationPeriods": 1441}, "EvaluationPeriods"),
    ("API Metric: MetricName is required", "math", {"Metrics[1].MetricStat.Metric.MetricName": REMOVED}, "Metrics[1].MetricStat.Metric.MetricName"),
    ("SEEN: Invalid metrics list", "math", {"Metrics[1].MetricStat.Metric.Namespace": REMOVED}, "Metrics[1].MetricStat.Metric.Namespace"),
    ("SEEN: Invalid metrics list", "math", {"Metrics[1].MetricStat.Stat": "Mean"}, "Metrics[1].MetricStat.Stat"),
    ("SEEN: Period must not be null", "math",
     {"Metrics": [{"Id": "e1", "Expression": 'INSIGHT_RULE_METRIC("rule", "UniqueContributors")', "ReturnData": True}]}, "Metrics"),
    ("API MetricDataQuery, AccountId", "math", {"Metrics[1].AccountId": "orders"}, "Metrics[1].AccountId"),
    ("API PutMetricAlarm, EvaluateLowSampleCountPercentile; SEEN: only applicable to percentiles", "math", {"EvaluateLowSampleCountPercentile": "ignore"},
     "EvaluateLowSampleCountPercentile"),
    (MODEL, "math", {"Metrics[0].Expression": "m1" + " + m1" * 500}, "Metrics[0].Expression"),
    *[(FUNCTIONS, "math", {"Metrics[0].Expression": text}, "Metrics[0].Expression")
      for text in ("m1 +", "(m1", "m1 m2", "m1 % m2", "m1 / m3", "M1", "MEDIAN(m1)", "FILL(m1)", "FILL(m1, repeat)", "IF(m1)", "RATE(m1, m2)", "sum([m1, m2])",
                   "Sum([m1, m2])", "SUM(m1, m2)", "m1 + 'a'", '"m1"', "AVG(m1)", "5", "PERIOD(m1)", "METRICS()", "[m1, m2]", "ABS([m1, m2])", "METRICS() * 2",
                   "SORT(METRICS(), SUM, DESC)", "SORT(m1, MEDIAN, DESC)", "REMOVE_EMPTY(METRICS())", "TIME_SERIES(m1)", "SUM(5)", "RATE(3)", "IF(1, 2, 3)",
                   "PERIOD(m1 + m2) * m1", "SLICE(METRICS())", "METRICS(m1)", "m1 == ", "m1 = 1", "m1 & m2", "FILL('m1', 0)", "ANOMALY_DETECTION_BAND(m1, 2)",
                   "ANOMALY_DETECTION_BAND()", "DIFF()", "e1", "m1 + e1", "SUM(SELECT AVG(a) FROM b)", "m1 $ 2", "'a", "max([m1, m2]) - m1", "DB_PERF_INSIGHTS('RDS')")],
    ("GUIDE: no alarm on SEARCH; SEEN: SEARCH is not supported on Metric Alarms", "math", {"Metrics[0].Expression": "SUM(SEARCH('{AWS/EC2} CPU', 'Sum', 60))"},
     "Metrics[0].Expression"),
    ("API MetricDataQuery: the result is one series", "math",
     {"Metrics": [{"Id": "e1", "Expression": "e2 * 2", "ReturnData": True}, {"Id": "e2", "Expression": "[m1, m1]", "ReturnData": False},
                  {"Id": "m1", "MetricStat": metric(), "ReturnData": False}]}, "Metrics[0].Expression"),
    ("API MetricDataQuery, Expression: ids of other queries", "math",
     {"Metrics": [{"Id": "e1", "Expression": "e2", "ReturnData": True}, {"Id": "e2", "Expression": "e1 + m1", "ReturnData": False},
                  {"Id": "m1", "MetricStat": metric(), "ReturnData": False}]}, "Metrics[0].Expression"),
    # Bands
    ("SEEN: Threshold and ThresholdMetricId cannot both be set", "band", {"Threshold": 5.0}, "Threshold"),
    ("API PutMetricAlarm, ComparisonOperator", "band", {"ComparisonOperator": "GreaterThanThreshold"}, "ComparisonOperator"),
    ("SEEN: must contain exactly one metric matching the ThresholdMetricId", "band", {"ThresholdMetricId": "t2"}, "ThresholdMetricId"),
    ("API PutMetricAlarm, ThresholdMetricId: the id of the band", "band", {"ThresholdMetricId": "m1"}, "ThresholdMetricId"),
    ("SEEN: Exactly two elements of the metrics list should return data", "band", {"Metrics[0].ReturnData": False}, "Metrics"),
    ("SEEN: Exactly two elements of the metrics list should return data", "band", {"Metrics[1].ReturnData": False}, "Metrics"),
    (FUNCTIONS, "band", {"Metrics[1].Expression": "ANOMALY_DETECTION_BAND(m1, 2, 3)"}, "Metrics[1].Expression"),
    (FUNCTIONS, "band", {"Metrics[1].Expression": "ANOMALY_DETECTION_BAND(m2)"}, "Metrics[1].Expression"),
    ("GUIDE: anomaly detection on metric math, not supported", "band", {"Metrics[1].Expression": "ANOMALY_DETECTION_BAND(METRICS())"}, "Metrics[1].Expression"),
    ("GUIDE: anomaly detection on metric math, not supported", "band",
     {"Metrics[1].Expression": "ANOMALY_DETECTION_BAND(m1) + ANOMALY_DETECTION_BAND(m1)"}, "Metrics[1].Expression"),
    # Metrics Insights
    ("SEEN: Period must not be null", "insights", {"Metrics[0].Period": REMOVED}, "Metrics[0].Period"),
    ("API GetMetricData: three hours in alarms", "insights", {"Metrics[0].Period": 300, "EvaluationPeriods": 37}, "EvaluationPeriods"),
    ("GUIDE: several series need GROUP BY and ORDER BY", "insights", {"Metrics[0].Expression": "SELECT MAX(a) FROM SCHEMA(\"b\", c) GROUP BY c"}, "Metrics[0].Expression"),
    ("GUIDE: Metrics Insights syntax", "insights", {"Metrics[0].Expression": "SELECT MAX(a)"}, "Metrics[0].Expression"),
    ("GUIDE: Metrics Insights syntax", "insights", {"Metrics[0].Expression": "SELECT MEDIAN(a) FROM b"}, "Metrics[0].Expression"),
    ("GUIDE: Metrics Insights syntax", "insights", {"Metrics[0].Expression": "SELECT MAX(a) WHERE c = 'd' FROM b"}, "Metrics[0].Expression"),
    ("GUIDE: Metrics Insights quotas", "insights", {"Metrics[0].Expression": "SELECT MAX(a) FROM b LIMIT 501"}, "Metrics[0].Expression"),
    # PromQL
    *[(PROM, "promql", {name: value}, name)
      for name, value in (("Namespace", "a"), ("Dimensions", CLASSIC["Dimensions"]), ("Period", 60), ("Unit", "Count"), ("Statistic", "Sum"),
                          ("ExtendedStatistic", "p99"), ("Threshold", 5.0), ("ComparisonOperator", "GreaterThanThreshold"), ("ThresholdMetricId", "t1"),
                          ("EvaluationPeriods", 1), ("DatapointsToAlarm", 1))],
    ("API PutMetricAlarm, EvaluationWindow: not with PromQL", "promql", {"EvaluationWindow": {"SlidingWindow": {}}}, "EvaluationWindow"),
    ("API PutMetricAlarm, EvaluationInterval: required", "promql", {"EvaluationInterval": REMOVED}, "EvaluationInterval"),
    ("API PutMetricAlarm, EvaluationInterval: valid values", "promql", {"EvaluationInterval": 90}, "EvaluationInterval"),
    (MODEL, "promql", {"EvaluationInterval": 7200}, "EvaluationInterval"),
    (MODEL, "promql", {"EvaluationInterval": 5}, "EvaluationInterval"),
    (MODEL, "promql", {"EvaluationCriteria": {}}, "EvaluationCriteria"),
    (MODEL, "promql", {"EvaluationCriteria.PromQLCriteria.PendingPeriod": 86_401}, "EvaluationCriteria.PromQLCriteria.PendingPeriod"),
    (MODEL, "promql", {"EvaluationCriteria.PromQLCriteria.Query": "a" * 10_001}, "EvaluationCriteria.PromQLCriteria.Query"),
    *[("API AlarmPromQLCriteria, Query: a vector", "promql", {"EvaluationCriteria.PromQLCriteria.Query": query}, "EvaluationCriteria.PromQLCriteria.Query")
      for query in ("sum(rate(a[5m])", "a >", "rate(a)", "a[5m]", "5", "'a'", "time()", "scalar(a)", "1 + 1")],
    # Composite alarms
    *[(RULE, "composite", {"AlarmRule": rule}, "AlarmRule")
      for rule in ("ALARM(a) OR", "ALARM(a", "ALARM(a))", "()", "ALARM()", 'ALARM("")', "ALARM(a b)", "ALARM(a) ALARM(b)", "a AND b", "AND ALARM(a)", "NOT", "ALARM a",
                   "BREACHING(a)", 'ALARM("a)', "ALARM(a) && ALARM(b)", "ALARM(a) XOR ALARM(b)", "AT_LEAST(2, ALARM, (a))", "AT_LEAST(0, ALARM, (a))",
                   "AT_LEAST(101%, ALARM, (a))", "AT_LEAST(0%, ALARM, (a))", "AT_LEAST(1.5, ALARM, (a, b))", "AT_LEAST(2, ALARM, a, b)", "AT_LEAST(2, FIRING, (a, b))", "AT_LEAST(ALARM, (a, b))", "AT_LEAST(1, ALARM, ())",
                   "AT_LEAST(50%, NOT, (a, b))", "ALARM(a, b)", "  ", '"TRUE"')],
    ("API PutCompositeAlarm: as many as 100 children", "composite", {"AlarmRule": " OR ".join(f"ALARM(a{n})" for n in range(101))}, "AlarmRule"),
    ("API PutCompositeAlarm: as many as 500 elements", "composite", {"AlarmRule": " OR ".join(["TRUE"] * 501)}, "AlarmRule"),
    (MODEL, "composite", {"AlarmRule": "ALARM(" + "a" * 10_240 + ")"}, "AlarmRule"),
    ("API PutCompositeAlarm: cycles", "composite", {"AlarmRule": "ALARM(site) OR ALARM(errors)"}, "AlarmRule"),
    ("API PutCompositeAlarm, ActionsSuppressorWaitPeriod: required", "composite", {"ActionsSuppressorWaitPeriod": REMOVED}, "ActionsSuppressorWaitPeriod"),
    ("API PutCompositeAlarm, ActionsSuppressorExtensionPeriod: required", "composite", {"ActionsSuppressorExtensionPeriod": REMOVED}, "ActionsSuppressorExtensionPeriod"),
    ("API PutCompositeAlarm, ActionsSuppressorWaitPeriod: seconds", "composite", {"ActionsSuppressorWaitPeriod": -1}, "ActionsSuppressorWaitPeriod"),
    ("API PutCompositeAlarm, ActionsSuppressor: another alarm", "composite", {"ActionsSuppressor": "site"}, "ActionsSuppressor"),
    ("GUIDE: composite alarms cannot perform EC2 actions", "composite", {"AlarmActions": [INSTANCE]}, "AlarmActions[0]"),
    ("GUIDE: composite alarms cannot perform Auto Scaling actions", "composite", {"AlarmActions": [SCALING]}, "AlarmActions[0]"),
    (MODEL, "composite", {"AlarmRule": ""}, "AlarmRule"),
    (MODEL, "composite", {"Threshold": 5.0}, "Threshold"),
    # Mute rules
    *[(SCHEDULE, "mute", {"Rule.Schedule.Expression": text}, "Rule.Schedule.Expression")
      for text in ("cron(0 2 * *)", "cron(0 2 * * * *)", "cron(60 2 * * *)", "cron(0 24 * * *)", "cron(0 2 0 * *)", "cron(0 2 32 * *)", "cron(0 2 * 13 *)",
                   "cron(0 2 * * 8)", "cron(0 2 * * FUNDAY)", "cron(0 2 ? * SUN)", "cron(0 2 L * *)", "cron(0 2 * * SUN#1)", "cron(5-1 2 * * *)", "cron(a 2 * * *)",
                   "cron(0 2 * * SUN", "rate(1 hour)", "0 2 * * *", "at(2026-02-30T00:00)", "at(2026-12-23)", "at(2026-12-23T00:00:00)", "at(2026-12-23T25:00)",
                   "cron(0, 2 * * *)", "cron(*/0 * * * *)")],
    *[(SCHEDULE, "mute", {"Rule.Schedule.Duration": text}, "Rule.Schedule.Duration")
      for text in ("P", "PT", "4h", "PT30S", "PT0M", "P15DT1M", "P16D", "P1M", "P1Y", "PT4", "-PT4H", "P3W")],
    (SCHEDULE, "mute", {"Rule.Schedule.Timezone": "Europe/Atlantis"}, "Rule.Schedule.Timezone"),
    (SCHEDULE, "mute", {"Rule.Schedule.Timezone": "PST"}, "Rule.Schedule.Timezone"),
    (MODEL, "mute", {"Rule.Schedule.Duration": REMOVED}, "Rule.Schedule.Duration"),
    (MODEL, "mute", {"Rule": {}}, "Rule.Schedule"),
    (MODEL, "mute", {"MuteTargets": {"AlarmNames": ["a"] * 101}}, "MuteTargets.AlarmNames"),
    (MODEL, "mute", {"Name": "x" * 256}, "Name"),
    ("API PutAlarmMuteRule, ExpireDate: after it the rule mutes nothing", "mute", {"StartDate": datetime(2026, 2, 1, tzinfo=UTC), "ExpireDate": "2026-01-01T00:00:00Z"}, "ExpireDate"),
    (MODEL, "mute", {"StartDate": "tomorrow"}, "StartDate"),
    # Log alarms
    ("API PutLogAlarm, ComparisonOperator: valid values", "log", {"ComparisonOperator": "GreaterThanUpperThreshold"}, "ComparisonOperator"),
    ("API PutLogAlarm, QueryResultsToAlarm", "log", {"QueryResultsToAlarm": 4}, "QueryResultsToAlarm"),
    ("API PutLogAlarm, QueryResultsToEvaluate: 1 through 100", "log", {"QueryResultsToEvaluate": 101}, "QueryResultsToEvaluate"),
    ("API PutLogAlarm, ActionLogLineCount: 0 through 50", "log", {"ActionLogLineCount": 51, "ActionLogLineRoleArn": "arn:aws:iam::111122223333:role/a"}, "ActionLogLineCount"),
    ("API PutLogAlarm, ActionLogLineRoleArn: required", "log", {"ActionLogLineCount": 5}, "ActionLogLineRoleArn"),
    ("API ScheduleConfiguration, EndTimeOffset", "log", {"ScheduledQueryConfiguration.ScheduleConfiguration.EndTimeOffset": 360}, "ScheduledQueryConfiguration.ScheduleConfiguration.EndTimeOffset"),
    ("API ScheduleConfiguration, ScheduleExpression", "log", {"ScheduledQueryConfiguration.ScheduleConfiguration.ScheduleExpression": "5m"}, "ScheduledQueryConfiguration.ScheduleConfiguration.ScheduleExpression"),
    ("API PutLogAlarm, TreatMissingData", "log", {"TreatMissingData": "keep"}, "TreatMissingData"),
    ("API PutLogAlarm, AlarmActions: valid values", "log", {"AlarmActions": [SCALING]}, "AlarmActions[0]"),
    # Reading and writing metrics
    ("API GetMetricData: up to 500", "read", {"MetricDataQueries": [{"Id": f"m{n}", "MetricStat": metric()} for n in range(501)]}, "MetricDataQueries"),
    ("API GetMetricData: only one query", "read", {"MetricDataQueries": [{"Id": f"q{n}", "Expression": "SELECT MAX(a) FROM b", "Period": 60} for n in range(2)]}, "MetricDataQueries"),
    ("SEEN: StartTime must be less than EndTime", "read", {"EndTime": datetime(2026, 10, 1, tzinfo=UTC)}, "EndTime"),
    ("API GetMetricData: 100,800 data points", "read", {"MaxDatapoints": 100_801}, "MaxDatapoints"),
    ("API LabelOptions, Timezone", "read", {"LabelOptions.Timezone": "Europe/Berlin"}, "LabelOptions.Timezone"),
    ("API MetricStat, Period", "read", {"MetricDataQueries[0].MetricStat.Period": 45}, "MetricDataQueries[0].MetricStat.Period"),
    (QUERY, "read", {"MetricDataQueries[1].Id": "E1"}, "MetricDataQueries[1].Id"),
    (QUERY, "read", {"MetricDataQueries[1].Expression": "m9 * 2"}, "MetricDataQueries[1].Expression"),
    ("API PutMetricData, Namespace: ASCII", "write", {"Namespace": "Aufträge"}, "Namespace"),
    ("API PutMetricData: what to write", "write", {"MetricData": REMOVED}, ""),
    ("API PutMetricData: no more than 1000 metrics", "write", {"MetricData": [{"MetricName": "a", "Value": 1.0}] * 1001}, "MetricData"),
    ("API MetricDatum: one form of value", "write", {"MetricData[0].Values": [1.0]}, "MetricData[0]"),
    ("API MetricDatum: one form of value", "write", {"MetricData[0].Value": REMOVED}, "MetricData[0]"),
    ("API MetricDatum, Value: range", "write", {"MetricData[0].Value": 2.0**361}, "MetricData[0].Value"),
    ("API MetricDatum, Value: no special values", "write", {"MetricData[0].Value": float("inf")}, "MetricData[0].Value"),
    ("API MetricDatum, Values: up to 150", "write", {"MetricData[1].Values": [1.0] * 151, "MetricData[1].Counts": REMOVED}, "MetricData[1].Values"),
    ("API MetricDatum, Counts: as many as Values", "write", {"MetricData[1].Counts": [1]}, "MetricData[1].Counts"),
    ("API MetricDatum, Counts: with Values", "write", {"MetricData[0].Counts": [1]}, "MetricData[0].Counts"),
    ("API MetricDatum, StorageResolution", "write", {"MetricData[0].StorageResolution": 10}, "MetricData[0].StorageResolution"),
    ("API PutMetricData: two weeks", "write", {"MetricData[0].Timestamp": NOW - timedelta(days=20)}, "MetricData[0].Timestamp"),
    ("API PutMetricData: two hours", "write", {"MetricData[0].Timestamp": NOW + timedelta(hours=6)}, "MetricData[0].Timestamp"),
    ("API PutMetricData, StrictEntityValidation: required", "write", {"EntityMetricData": []}, "StrictEntityValidation"),
    ("API PutMetricData, EntityMetricData: up to two", "write", {"EntityMetricData": [{}, {}, {}], "StrictEntityValidation": True}, "EntityMetricData"),
    (DIMENSION, "write", {"MetricData[0].Dimensions": [{"Name": ":a", "Value": "b"}]}, "MetricData[0].Dimensions[0].Name"),
    ("API ListMetrics, OwningAccount", "list", {"OwningAccount": "111122223333"}, "OwningAccount"),
    (MODEL, "list", {"RecentlyActive": "PT1H"}, "RecentlyActive"),
    (MODEL, "list", {"Dimensions": [{"Name": f"d{n}"} for n in range(11)]}, "Dimensions"),
    # Detectors
    ("API PutAnomalyDetector: what it excludes", "detector", {"Namespace": "Orders"}, "Namespace"),
    ("API PutAnomalyDetector: what it excludes", "detector", MATH_DETECTOR, ""),
    ("SEEN: MissingRequiredParameter", "detector", {"SingleMetricAnomalyDetector": REMOVED, "Namespace": "a", "MetricName": "b"}, "Stat"),
    ("API AnomalyDetectorMetricStat", "detector", {"SingleMetricAnomalyDetector.Stat": "P99"}, "SingleMetricAnomalyDetector.Stat"),
    ("API AnomalyDetectorConfiguration, MetricTimezone", "detector", {"Configuration.MetricTimezone": "Berlin"}, "Configuration.MetricTimezone"),
    ("API PutAnomalyDetector: 10 time ranges", "detector", {"Configuration.ExcludedTimeRanges": [{"StartTime": 0, "EndTime": 1}] * 11}, "Configuration.ExcludedTimeRanges"),
    ("API Range", "detector", {"Configuration.ExcludedTimeRanges": [{"StartTime": 2, "EndTime": 1}]}, "Configuration.ExcludedTimeRanges[0].EndTime"),
    ("API MetricMathAnomalyDetector", "math detector", {"MetricMathAnomalyDetector.MetricDataQueries[0].ReturnData": False}, "MetricMathAnomalyDetector.MetricDataQueries"),
    ("GUIDE: anomaly detection on metric math", "math detector", {"MetricMathAnomalyDetector.MetricDataQueries[0].Expression": "SUM(METRICS())"},
     "MetricMathAnomalyDetector.MetricDataQueries[0].Expression"),
    ("GUIDE: anomaly detection on metric math", "math detector", {"MetricMathAnomalyDetector.MetricDataQueries[1].MetricStat.Period": 10}, "MetricMathAnomalyDetector.MetricDataQueries"),
    ("API DescribeAnomalyDetectors: ids or filters", "detectors", {"AnomalyDetectorIds": ["a"]}, "AnomalyDetectorIds"),
    ("API DescribeAnomalyDetectors: 100", "detectors", {"MaxResults": 101}, "MaxResults"),
    # Dashboards
    ("API PutDashboard, DashboardName", "board", {"DashboardName": "orders api"}, "DashboardName"),
    ("API PutDashboard, DashboardName", "board", {"DashboardName": ""}, "DashboardName"),
    ("API PutDashboard, DashboardName: 255", "board", {"DashboardName": "a" * 256}, "DashboardName"),
    (BODY, "board", {"DashboardBody": "{widgets: []}"}, "DashboardBody"),
    (BODY, "board", {"DashboardBody": "[]"}, "DashboardBody"),
    (BODY, "board", {"DashboardBody": "{}"}, "DashboardBody.widgets"),
    (BODY, "board", {"DashboardBody": '{"widgets": {}}'}, "DashboardBody.widgets"),
    (BODY, "board", board(widget(1, type=REMOVED)), "DashboardBody.widgets[0].type"),
    (BODY, "board", board(widget(1, type="txt")), "DashboardBody.widgets[0].type"),
    (BODY, "board", board(widget(1, x=24)), "DashboardBody.widgets[0].x"),
    (BODY, "board", board(widget(1, y=-1)), "DashboardBody.widgets[0].y"),
    (BODY, "board", board(widget(1, width=25)), "DashboardBody.widgets[0].width"),
    (BODY, "board", board(widget(1, height=0)), "DashboardBody.widgets[0].height"),
    (BODY, "board", board(widget(1, properties={})), "DashboardBody.widgets[0].properties.markdown"),
    (BODY, "board", board(widget(1, properties=REMOVED)), "DashboardBody.widgets[0].properties"),
    ("SEEN: The metric widget should have specified a region", "board", board(widget(0, properties__region=REMOVED)), "DashboardBody.widgets[0].properties.region"),
    ("SEEN: Should have required property 'metrics'", "board", board(widget(0, properties__metrics=REMOVED)), "DashboardBody.widgets[0].properties.metrics"),
    (BODY, "board", board(widget(0, properties__metrics=["AWS/EC2"])), "DashboardBody.widgets[0].properties.metrics[0]"),
    (BODY, "board", board(widget(0, properties__metrics=[["AWS/EC2", "CPU", "InstanceId"]])), "DashboardBody.widgets[0].properties.metrics[0]"),
    ("GUIDE quotas: 500 metrics of a widget", "board", board(widget(0, properties__metrics=[["a", "b"]] * 501)), "DashboardBody.widgets[0].properties.metrics"),
    ("GUIDE quotas: 500 widgets", "board", board(*[widget(1)] * 501), "DashboardBody.widgets"),
    ("GUIDE quotas: 2500 metrics", "board", board(*[widget(0, properties__metrics=[["a", "b"]] * 500)] * 6), "DashboardBody.widgets"),
    ("SEEN: a colour that is none", "board", board(widget(0, properties__metrics=[["a", "b", {"color": "red"}]])), "DashboardBody.widgets[0].properties.metrics[0].color"),
    (BODY, "board", board(widget(0, properties__period=45)), "DashboardBody.widgets[0].properties.period"),
    (BODY, "board", board(widget(0, properties__view="timeseries")), "DashboardBody.widgets[0].properties.view"),
    (BODY, "board", board(widget(2, properties__alarms=[])), "DashboardBody.widgets[0].properties.alarms"),
    (BODY, "board", board(widget(2, properties__alarms=["orders"])), "DashboardBody.widgets[0].properties.alarms[0]"),
    (BODY, "board", board(widget(3, properties__query=REMOVED)), "DashboardBody.widgets[0].properties.query"),
    (BODY, "board", board(periodOverride="none"), "DashboardBody.periodOverride"),
    ("API DeleteDashboards: up to 100", "boards", {"DashboardNames": ["a"] * 101}, "DashboardNames"),
    # The rest
    (FILTER, "look", {"AlarmNamePrefix": "o"}, "AlarmNamePrefix"),
    (FILTER, "look", {"MaxRecords": 101}, "MaxRecords"),
    (FILTER, "look", {"AlarmTypes": ["Metric"]}, "AlarmTypes[0]"),
    (FILTER, "look", {"AlarmNames": ["a"] * 101}, "AlarmNames"),
    (f"{FILTER}, ChildrenOfAlarmName", "children", {"StateValue": "OK"}, "ChildrenOfAlarmName"),
    ("API DescribeAlarmsForMetric, ExtendedStatistic", "of metric", {"ExtendedStatistic": "p100.5"}, "ExtendedStatistic"),
    (STATISTIC, "of metric", {"Statistic": "Sum"}, "ExtendedStatistic"),
    (MODEL, "history", {"HistoryItemType": "Update"}, "HistoryItemType"),
    ("API SetAlarmState, StateReasonData: JSON", "state", {"StateReasonData": "drill"}, "StateReasonData"),
    (MODEL, "state", {"StateValue": "FIRING"}, "StateValue"),
    (MODEL, "state", {"StateReason": "x" * 1024}, "StateReason"),
    ("API DeleteAlarms: up to 100", "delete", {"AlarmNames": ["a"] * 101}, "AlarmNames"),
    (MODEL, "off", {"AlarmNames": ["a"] * 101}, "AlarmNames"),
    (MODEL, "on", {"AlarmNames": REMOVED}, "AlarmNames"),
    (MODEL, "unmute", {"AlarmMuteRuleName": ""}, "AlarmMuteRuleName"),
    (MODEL, "muted", {"AlarmMuteRuleName": "x" * 256}, "AlarmMuteRuleName"),
    (MODEL, "mutes", {"Statuses": ["ON"]}, "Statuses[0]"),
    ("API TagResource, ResourceARN", "tag", {"ResourceARN": "orders"}, "ResourceARN"),
    ("API TagResource, ResourceARN", "tag", {"ResourceARN": TOPIC}, "ResourceARN"),
    (TAGS, "tag", {"Tags[0].Key": "AWS:team"}, "Tags[0].Key"),
    (TAGS, "untag", {"TagKeys": ["aws:cloudformation:stack-name"]}, "TagKeys[0]"),
    ("API ListTagsForResource, ResourceARN", "tags of", {"ResourceARN": "arn:aws:s3:::orders"}, "ResourceARN"),
]  # fmt: skip
"""Where the rule comes from, the right request to start from, what is changed, the path of the problem."""

CLASSIC_99 = {"Statistic": REMOVED, "ExtendedStatistic": "p99"}
RIGHT: list[tuple[str, dict[str, Any]]] = [
    *((name, {}) for name in BASES),
    *(("classic", {"Period": period, "EvaluationPeriods": 1, "DatapointsToAlarm": REMOVED}) for period in (10, 20, 30, 60, 120, 900, 86_400, 604_800)),
    ("classic", {"Period": 60, "EvaluationPeriods": 1440}),
    ("classic", {"Period": 3600, "EvaluationPeriods": 168}),
    *(("classic", {"Statistic": REMOVED, "ExtendedStatistic": stat})
      for stat in ("p0", "p0.0", "p50", "p99.9", "p100", "p99.0123456789", "tm90", "tc90", "ts90.5", "wm98", "IQM", "PR(:300)", "PR(10:)", "PR(100:2000)", "PR(0.5:1e3)",
                   "TM(2%:98%)", "TM(150:1000)", "TC(0.005:0.030)", "TC(:0.5)", "TS(80%:)", "WM(10%:90%)", "TM(:95%)")),
    ("classic", {**CLASSIC_99, "EvaluateLowSampleCountPercentile": "ignore"}),
    ("classic", {**CLASSIC_99, "EvaluateLowSampleCountPercentile": "evaluate"}),
    *(("classic", {"TreatMissingData": value}) for value in ("breaching", "notBreaching", "ignore", "missing")),
    ("classic", {"AlarmName": "Größe + größer (%) / \U0001f525", "AlarmDescription": ""}),
    ("classic", {"AlarmName": "x" * 255, "AlarmDescription": "ü" * 1024, "Dimensions": [{"Name": f"d{n}", "Value": "v"} for n in range(30)]}),
    ("classic", {"AlarmActions": [TOPIC, FUNCTION, f"{FUNCTION}:live", f"{FUNCTION}:$LATEST", ITEM], "OKActions": [TOPIC], "InsufficientDataActions": []}),
    ("classic", {"AlarmActions": [INSTANCE, "arn:aws:swf:eu-west-1:111122223333:action/actions/AWS_EC2.InstanceId.Stop/1.0", SCALING]}),
    ("classic", {"AlarmActions": ["arn:aws-cn:sns:cn-north-1:111122223333:a", "arn:aws-us-gov:automate:us-gov-west-1:ec2:stop",
                                  "arn:aws:ssm-incidents::111122223333:responseplan/orders", "arn:aws:ssm:eu-west-1:111122223333:opsitem:1",
                                  "arn:aws:aiops:eu-west-1:111122223333:investigation-group:abc"]}),
    ("classic", {"AlarmActions": ["arn:aws:autoscaling:eu-west-1:111122223333:scalingPolicy:1a:resource/ecs/service/a/b:policyName/out:createdBy/1b"]}),
    ("classic", {"AlarmActions": ["arn:aws:sns:eu-west-1:111122223333:orders.fifo"]}),
    ("classic", {"Tags": [{"Key": f"k{n}", "Value": "Wert: ä_./=+-@"} for n in range(50)]}),
    ("classic", {"Threshold": -1, "Unit": "None", "Metrics": []}),
    ("classic", {"EvaluationWindow": {"SlidingWindow": {}}}),
    *(("classic", {"EvaluationWindow": {"WallClockWindow": {"Timezone": zone}}}) for zone in ("America/New_York", "+05:30", "UTC+05:30", "UTC", "-03:00")),
    ("classic", {"EvaluationWindow": {"WallClockWindow": {}}, "WarmUpConfiguration": {"WarmUpPeriodDurationInMinutes": 2880}}),
    ("classic", {"ActionConfiguration": {"AlarmTagsPropagation": {"Enabled": True, "ExcludedTagKeys": ["a"]}}}),
    ("promql", {"TreatMissingData": "missing", "EvaluationInterval": 10, "Tags": []}),
    *(("promql", {"EvaluationCriteria.PromQLCriteria.Query": query})
      for query in ("up == 0", 'histogram_quantile(0.99, sum by ("@aws.account") (rate({"http.duration", "@resource.service.name"="a"}[5m]))) > 1', "absent(up)", "vector(1)",
                    "new_function_of_tomorrow(a) > 1", "-a", "a offset -5m", "+".join(["a"] * 4000), "(" * 4000 + "a" + ")" * 4000)),
    # Metric math: the examples of the user guide, as one series.
    *(("math", {"Metrics[0].Expression": text})
      for text in ("m1 + m2", "PERIOD(m1)/60 + m1", "5 * m1", "-5*m1", "-m1", "SUM(-[m1, m2])", "SUM(100/[m1, m2])", "AVG([m1,m2]/m2)", "m1 < m2", "m1 >= 30",
                   "m1 > 15 AND m2 > 15", "m1 > 15 && m2 > 15 || m1 == 1", "ABS(m1-m2)", "MIN(ABS([m1, m2]))", "SUM([m1,m2])/AVG(m2)", "AVG(METRICS())", "CEIL(m1)",
                   "SUM(CEIL(METRICS()))", "SUM(m1) / DATAPOINT_COUNT(m1) + m1", "DIFF(m1)", "DIFF_TIME(m1)", "FILL(m1,10)", "FILL(m1, MIN(m1))", "FILL(m1, REPEAT)",
                   "FILL(m1, LINEAR)", "SUM(FILL(METRICS(), 0))", "IF(FIRST(SORT(METRICS(), AVG, DESC))>100, 1, 0)", "LAST(ANOMALY_DETECTION_BAND(m1))", "FLOOR(m1)",
                   "LOG(m1)", "LOG10(m1)", "MAX(m1)/m1", "MAX(METRICS())", "m1/METRIC_COUNT(METRICS())", 'SUM(METRICS("errors")) + m1', 'SUM([METRICS("4xx"), METRICS("5xx")])',
                   "m1-MIN(m1)", "MINUTE(m1)", "IF(DAY(m1)<6,m1)", "IF(HOUR(m1) > 19 OR HOUR(m1) < 2, m1)", "EPOCH(m1)", "m1/PERIOD(m1)", "RATE(m1)", "RUNNING_SUM(m1)",
                   "m1/SERVICE_QUOTA(m1)*100", "SUM(SLICE(SORT(METRICS(), SUM, DESC), 0, 10))", "FIRST(SORT(METRICS(), AVG, DESC, 10))", "m1/STDDEV(m1)", "STDDEV(METRICS())",
                   "SUM(METRICS())/SUM(m1)", "TIME_SERIES(MAX(m1))", "TIME_SERIES(5*AVG(m1))", "TIME_SERIES(10) + m1", "IF(m1<400, m1)", "IF(m1<400, 10, 2)", "IF(m1, 5, m2)",
                   "IF(1, m1, m2)", 'TIME_SERIES(0) + ((INSIGHT_RULE_METRIC("rule", "MaxContributorValue") / m1) * 100)', "IF(m1 >= 100, FILL(m2, 0) / m1, 0)",
                   "DB_PERF_INSIGHTS('RDS', 'db-ABC', 'os.cpuUtilization.user.avg') + m1", "m1 ^ 2", "2 ^ -m1", "1e3 * m1 + .5", "((((m1))))", "100 - m1", "FIRST([m1, m2])",
                   "m1\n  + m2", "(m1 != 0) * m2", "LAMBDA('fn', 'a') + m1", "m1 * 1.5E-3")),
    ("math", {"Metrics": [{"Id": "m1", "MetricStat": metric()}], "EvaluateLowSampleCountPercentile": REMOVED} | {"EvaluateLowSampleCountPercentile": "ignore", "Metrics": [{"Id": "m1", "MetricStat": metric(Stat="p99")}]}),
    ("math", {"Metrics": [{"Id": "m1", "MetricStat": metric(), "AccountId": "111122223333", "Label": "${LABEL}"}]}),
    ("math", {"Metrics": [{"Id": "e1", "Expression": 'INSIGHT_RULE_METRIC("rule", "UniqueContributors")', "Period": 60, "ReturnData": True}]}),
    ("math", {"Metrics": [*({"Id": f"m{n}", "MetricStat": metric(), "ReturnData": False} for n in range(10)),
                          *({"Id": f"e{n}", "Expression": "SUM(METRICS())", "ReturnData": n == 0} for n in range(10))]}),
    ("math", {"Dimensions": [], "EvaluationWindow": {"WallClockWindow": {}}}),
    ("band", {"Metrics[0].ReturnData": REMOVED}),
    ("band", {"Metrics[1].Expression": "ANOMALY_DETECTION_BAND(m1)", "TreatMissingData": "ignore"}),
    ("band", {"Metrics": [{"Id": "e1", "Expression": "m1 * 2"}, {"Id": "t1", "Expression": "ANOMALY_DETECTION_BAND(e1, 2)"},
                          {"Id": "m1", "MetricStat": metric(), "ReturnData": False}]}),
    ("insights", {"Metrics[0].Expression": "SELECT AVG(DatabaseConnections) FROM \"AWS/RDS\" WHERE a = 'b' GROUP BY DBInstanceIdentifier ORDER BY AVG() DESC LIMIT 500"}),
    ("insights", {"Metrics[0].Expression": 'select max(CPUUtilization) from SCHEMA("AWS/EC2", InstanceId)', "Metrics[0].Period": 300, "EvaluationPeriods": 36}),
    # Composite alarms: AWS's own examples and its spellings.
    *(("composite", {"AlarmRule": rule})
      for rule in ("ALARM(CPUUtilizationTooHigh) AND ALARM(DiskReadOpsTooHigh)", "ALARM(CPUUtilizationTooHigh) AND NOT ALARM(DeploymentInProgress)",
                   "(ALARM(CPUUtilizationTooHigh) OR ALARM(DiskReadOpsTooHigh)) AND OK(NetworkOutTooHigh)", "TRUE", "FALSE", "false", "NOT (TRUE OR FALSE)", "NOT NOT TRUE",
                   'ALARM("a name (of mine), with signs")', r'ALARM("quoted \"name\"")', f'ALARM("{ALARM}")', f"ALARM({ALARM}) OR INSUFFICIENT_DATA(a/b-c_d.e:f)",
                   "ALARM ( a ) or ok( b )", "AT_LEAST(2, ALARM, (a, b, c))", f'AT_LEAST(60%, NOT OK, ("{ALARM}", "b c", d)) OR ALARM(e)', "AT_LEAST(100%, INSUFFICIENT_DATA, (a))", "AT_LEAST(33.3%, OK, (a, b, c))",
                   "ALARM(ä)", " OR ".join(f"ALARM(a{n})" for n in range(100)), " AND ".join(["TRUE"] * 500), "((((ALARM(a)))))", "\n ALARM(a)\n OR\tALARM(b)\n",
                   " OR ".join(["ALARM(a)"] * 300))),
    ("composite", {"ActionsSuppressor": REMOVED, "ActionsSuppressorWaitPeriod": REMOVED, "ActionsSuppressorExtensionPeriod": REMOVED, "AlarmActions": REMOVED}),
    ("composite", {"ActionsSuppressorWaitPeriod": 0, "ActionsSuppressor": ALARM, "AlarmActions": ["arn:aws:aiops:eu-west-1:111122223333:investigation-group:a"]}),
    *(("mute", {"Rule.Schedule.Expression": text})
      for text in ("cron(0 2 * * *)", "cron(0 2 * * SUN)", "cron(0 1 1 * *)", "cron(0 18 * * FRI)", "cron(0 23 * * *)", "cron(0,30 9-17 1,15 JAN-MAR MON-FRI)", "cron(0 2 * * 0)",
                   "cron(0 2 * * 7)", "cron(0 2 * * FRI-MON)", "cron(*/15 * * * *)", "cron(0 2 * jan sun)", "at(2024-05-10T14:00)", "at(2024-12-23T00:00)")),
    *(("mute", {"Rule.Schedule.Duration": text}) for text in ("PT4H", "P2DT12H", "PT6H", "PT2H", "P7D", "PT1M", "P15D", "PT90M", "P1W", "PT60S", "PT1H30M")),
    *(("mute", {"Rule.Schedule.Timezone": text}) for text in ("America/New_York", "Asia/Tokyo", "UTC", "America/Los_Angeles", "Europe/London")),
    ("mute", {"MuteTargets": REMOVED, "Rule.Schedule.Timezone": REMOVED, "Description": "", "StartDate": "2026-04-15T08:00:00Z", "ExpireDate": datetime(2026, 12, 31, tzinfo=UTC)}),
    ("log", {"AlarmActions": [TOPIC, FUNCTION, ITEM], "ActionLogLineCount": 50, "ActionLogLineRoleArn": "arn:aws:iam::111122223333:role/lines", "QueryResultsToEvaluate": 100}),
    *(("read", {"MetricDataQueries[0].MetricStat.Period": period}) for period in (1, 5, 10, 20, 30, 60, 3600)),
    ("read", {"MetricDataQueries": [{"Id": "q1", "Expression": "SELECT MAX(a) FROM b GROUP BY c", "Period": 60}, {"Id": "e1", "Expression": "SORT(q1, MAX, DESC)"}]}),
    ("write", {"Namespace": "AWS/Orders", "MetricData[0].Value": -(2.0**360)}),
    ("write", {"MetricData": [{"MetricName": "a", "Value": 1}] * 1000}),
    ("write", {"MetricData[1].Values": [1.5] * 150, "MetricData[1].Counts": [1.0] * 150, "MetricData[0].Timestamp": NOW - timedelta(days=13)}),
    ("write", {"EntityMetricData": [{"Entity": {"KeyAttributes": {"Type": "Service", "Name": "orders", "Environment": "production"}},
                                     "MetricData": [{"MetricName": "a", "Value": 1.0}]}], "StrictEntityValidation": True}),
    ("board", board(widget(0, properties__view="a view of tomorrow"), {"type": "widget-of-tomorrow", "properties": {}}, {"type": "explorer", "properties": {}}, start="-PT3H", periodOverride="inherit")),
    ("board", board()),
    ("detector", {"SingleMetricAnomalyDetector": REMOVED, "Namespace": "a", "MetricName": "b", "Stat": "Sum", "Dimensions": []}),
    ("look", {"AlarmNames": REMOVED, "AlarmNamePrefix": "orders-", "StateValue": "ALARM", "ActionPrefix": "arn:aws:sns:"}),
    ("children", {"ChildrenOfAlarmName": REMOVED, "ParentsOfAlarmName": "a", "NextToken": "t"}),
    ("tag", {"ResourceARN": "arn:aws:cloudwatch::111122223333:dashboard/orders"}),
    ("tag", {"ResourceARN": "arn:aws:events:eu-west-1:111122223333:rule/orders"}),
    ("list", {"OwningAccount": "111122223333", "IncludeLinkedAccounts": True}),
]  # fmt: skip
"""Requests that AWS takes: a right one, and what is changed."""

"""The sentences of AWS's API text that the rules rest on, as the installed botocore carries them: a change of AWS's is seen here first."""

from __future__ import annotations

import html
import re
from pathlib import Path
from typing import Any

import botocore.session
import pytest

from orders_obs.alerts import aws_calls
from orders_obs.alerts.aws_calls.limits import LIMITS

# Operation or structure, member (empty: the text of the whole), what stands there.
SENTENCES = [
    ("PutMetricAlarm", "", "maximum uncompressed payload of 120 KB"),
    ("PutMetricAlarm", "", "Alarms based on anomaly detection models cannot have Auto Scaling actions"),
    ("PutMetricAlarm", "AlarmName", "can't contain ASCII control characters"),
    ("PutMetricAlarm", "MetricName", "you must specify either MetricName , a Metrics array, or an EvaluationCriteria"),
    ("PutMetricAlarm", "Statistic", "you must specify either Statistic or ExtendedStatistic, but not both"),
    ("PutMetricAlarm", "ExtendedStatistic", "p90 tm90 tc90 ts90 wm90 IQM PR("),
    ("PutMetricAlarm", "Period", "Valid values are 10, 20, 30, and any multiple of 60"),
    ("PutMetricAlarm", "Period", "can't be more than 604,800 seconds"),
    ("PutMetricAlarm", "Period", "can't be longer than one day (86,400 seconds)"),
    ("PutMetricAlarm", "Period", "Period is required for alarms based on static thresholds"),
    ("PutMetricAlarm", "Threshold", "required for alarms based on static thresholds, but should not be used for alarms based on anomaly"),
    ("PutMetricAlarm", "ComparisonOperator", "are used only for alarms based on anomaly detection models"),
    ("PutMetricAlarm", "TreatMissingData", "breaching | notBreaching | ignore | missing"),
    ("PutMetricAlarm", "EvaluateLowSampleCountPercentile", "Used only for alarms based on percentiles"),
    ("PutMetricAlarm", "EvaluateLowSampleCountPercentile", "evaluate | ignore"),
    ("PutMetricAlarm", "Metrics", "you cannot include the Namespace , MetricName , Dimensions , Period , Unit , Statistic , or ExtendedStatistic"),
    ("PutMetricAlarm", "Tags", "as many as 50 tags"),
    ("PutMetricAlarm", "ThresholdMetricId", "make this value match the ID of the ANOMALY_DETECTION_BAND function"),
    ("PutMetricAlarm", "EvaluationWindow", "except alarms that are based on a PromQL query"),
    ("PutMetricAlarm", "EvaluationCriteria", ("you cannot include the Namespace , MetricName , Dimensions , Period , Unit , Statistic , ExtendedStatistic , Metrics , "
     "Threshold , ComparisonOperator , ThresholdMetricId , EvaluationPeriods , or DatapointsToAlarm")),
    ("PutMetricAlarm", "EvaluationInterval", "Valid values are 10, 20, 30, and any multiple of 60"),
    ("PutMetricAlarm", "EvaluationInterval", "required for alarms that use EvaluationCriteria , and cannot be specified for alarms configured with"),
    ("PutMetricAlarm", "AlarmActions", "arn:aws:aiops:"),
    ("PutMetricAlarm", "AlarmActions", "arn:aws:ssm-incidents::"),
    ("MetricDataQuery", "", "as many as 10 structures that contain a MetricStat parameter"),
    ("MetricDataQuery", "", "as many as 10 structures that contain the Expression parameter"),
    ("MetricDataQuery", "", "must return a single time series"),
    ("MetricDataQuery", "Id", "The first character must be a lowercase letter"),
    ("MetricDataQuery", "Expression", "you must specify either Expression or MetricStat but not both"),
    ("MetricStat", "Period", "can be 1, 5, 10, 20, 30, 60, or any multiple of 60"),
    ("Dimension", "Name", "must contain only ASCII characters, must include at least one non-whitespace character, and cannot start with a colon"),
    ("Dimension", "Value", "must contain only ASCII characters and must include at least one non-whitespace character"),
    ("WallClockWindow", "", "must be 1 minute (60 seconds), 5 minutes (300 seconds), 1 hour (3,600 seconds), 1 day (86,400 seconds), or 1 week"),
    ("WallClockWindow", "Timezone", "aligned to a multiple of 5 minutes"),
    ("AlarmTagsPropagation", "IncludedTagKeys", "You can't specify both"),
    ("AlarmPromQLCriteria", "Query", "must return a result of vector type"),
    ("PutCompositeAlarm", "AlarmRule", 'as many as 100 "children" alarms'),
    ("PutCompositeAlarm", "AlarmRule", "as many as 500 elements"),
    ("PutCompositeAlarm", "AlarmRule", 'can be surrounded with double-quotes ("), but do not have to be'),
    ("PutCompositeAlarm", "ActionsSuppressorWaitPeriod", "required only when ActionsSuppressor is specified"),
    ("PutCompositeAlarm", "ActionsSuppressorExtensionPeriod", "required only when ActionsSuppressor is specified"),
    ("Schedule", "Expression", "cron(Minutes Hours Day-of-month Month Day-of-week)"),
    ("Schedule", "Expression", "at(yyyy-MM-ddThh:mm)"),
    ("Schedule", "Duration", "minimum of 1 minute ( PT1M ) and maximum of 15 days ( P15D )"),
    ("Schedule", "Timezone", "standard timezone identifiers"),
    ("PutLogAlarm", "ActionLogLineCount", "Valid range is 0 through 50"),
    ("PutLogAlarm", "ActionLogLineRoleArn", "Required when ActionLogLineCount is greater than 0"),
    ("PutLogAlarm", "QueryResultsToEvaluate", "Valid range is 1 through 100"),
    ("PutLogAlarm", "QueryResultsToAlarm", "Must be less than or equal to QueryResultsToEvaluate"),
    ("PutLogAlarm", "ComparisonOperator", "GreaterThanThreshold , GreaterThanOrEqualToThreshold , LessThanThreshold , and LessThanOrEqualToThreshold"),
    ("ScheduleConfiguration", "EndTimeOffset", "less than StartTimeOffset"),
    ("GetMetricData", "", "each GetMetricData operation can include only one query"),
    ("GetMetricData", "", "only the most recent three hours"),
    ("GetMetricData", "", "as many as 100,800 data points"),
    ("GetMetricData", "MetricDataQueries", "as many as 500 MetricDataQuery structures"),
    ("LabelOptions", "Timezone", "+ or - followed by four digits"),
    ("PutMetricData", "", "limited to 1 MB"),
    ("PutMetricData", "", "no more than 1000 different metrics"),
    ("PutMetricData", "", "range of -2^360 to 2^360"),
    ("PutMetricData", "", "as much as two weeks before the current date, and as much as 2 hours after"),
    ("PutMetricData", "Namespace", "You can use ASCII characters for the namespace, except for control characters"),
    ("PutMetricData", "EntityMetricData", "up to two EntityMetricData objects"),
    ("PutMetricData", "StrictEntityValidation", "required when EntityMetricData is included"),
    ("MetricDatum", "Values", "up to 150 unique values"),
    ("MetricDatum", "Counts", "must include the same amount of values as the Values array"),
    ("MetricDatum", "StorageResolution", "Valid values are 1 and 60"),
    ("PutDashboard", "DashboardName", 'maximum length is 255, and valid characters are A-Z, a-z, 0-9, "-", and "_"'),
    ("DeleteDashboards", "", "up to 100 dashboards"),
    ("PutAnomalyDetector", "Configuration", "as many as 10 time ranges"),
    ("PutAnomalyDetector", "SingleMetricAnomalyDetector", "you cannot include the following parameters"),
    ("MetricMathAnomalyDetector", "MetricDataQueries", "must return a single time series"),
    ("DescribeAnomalyDetectors", "MaxResults", "maximum value that you can specify is 100"),
    ("DescribeAlarms", "AlarmNamePrefix", "you cannot specify AlarmNames"),
    ("DescribeAlarms", "ChildrenOfAlarmName", "except for MaxRecords and NextToken"),
    ("DescribeAlarms", "ParentsOfAlarmName", "except for MaxRecords and NextToken"),
    ("DescribeAlarmsForMetric", "ExtendedStatistic", "between p0.0 and p100"),
    ("SetAlarmState", "StateReasonData", "in JSON format"),
    ("TagResource", "", "as many as 50 tags"),
    ("ListMetrics", "OwningAccount", "also specify true for IncludeLinkedAccounts"),
]  # fmt: skip


def text(documented: Any) -> str:
    return re.sub(r"\s+", " ", html.unescape(re.sub(r"<[^>]+>", " ", documented or ""))).strip()


@pytest.mark.parametrize(("of", "member", "said"), SENTENCES)
def test_aws_still_says_what_the_rules_rest_on(of: str, member: str, said: str) -> None:
    model = botocore.session.get_session().get_service_model("cloudwatch")
    if of in model.operation_names:
        operation = model.operation_model(of)
        found = operation.input_shape.members[member].documentation if member else operation.documentation
    else:
        shape = model.shape_for(of)
        found = shape.members[member].documentation if member else shape.documentation
    assert said in text(found)


def test_every_limit_is_used_and_says_where_it_is_from() -> None:
    code = "".join(path.read_text(encoding="utf-8") for path in Path(aws_calls.__file__).parent.glob("*.py"))
    assert [name for name in LIMITS if code.count(f'"{name}"') < 2] == []
    assert all(each.value > 0 and each.of and len(each.source) > 5 for each in LIMITS.values())

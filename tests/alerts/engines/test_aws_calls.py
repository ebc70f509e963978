"""The arguments of AWS's calls, judged by botocore's models and by AWS's documented limits."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from typing import Any

import pytest

from orders_obs.signals import SIGNALS
from tests.alerts.engines import grammar
from tests.alerts.engines.conftest import Built, build
from tests.alerts.engines.model import faults

Call = tuple[str, str, dict[str, Any]]


def calls(built: Built) -> Iterator[Call]:
    """The calls that put the desired state in place, as an apply step would split it."""
    state = built.state
    if state.key:
        tags = [{"TagKey": tag["Key"], "TagValue": tag["Value"]} for tag in state.key["Tags"]]
        policy = json.dumps(state.key["Policy"])
        yield "kms", "CreateKey", {"Description": state.key["Description"], "Policy": policy, "Tags": tags}
        yield (
            "kms",
            "CreateAlias",
            {"AliasName": state.key["Alias"], "TargetKeyId": "1234abcd-12ab-34cd-56ef-1234567890ab"},
        )
    for topic in state.topics:
        content = {key: value for key, value in topic.items() if key != "Policy"}
        yield "sns", "CreateTopic", content
        arn = topic["Policy"]["Statement"][0]["Resource"]
        attribute = {"AttributeName": "Policy", "AttributeValue": json.dumps(topic["Policy"])}
        yield "sns", "SetTopicAttributes", {"TopicArn": arn, **attribute}
    for subscription in state.subscriptions:
        content = {key: value for key, value in subscription.items() if key != "Secret"}
        if "Secret" in subscription:
            content["Endpoint"] = "https://events.example.com/secret"
        yield "sns", "Subscribe", content
    for group in state.log_groups:
        yield "logs", "CreateLogGroup", {key: group[key] for key in ("logGroupName", "tags")}
        yield "logs", "PutRetentionPolicy", {key: group[key] for key in ("logGroupName", "retentionInDays")}
    if state.log_policy:
        document = json.dumps(state.log_policy["policyDocument"])
        yield "logs", "PutResourcePolicy", {**state.log_policy, "policyDocument": document}
    for alarm in state.metric_alarms:
        yield "cloudwatch", "PutMetricAlarm", alarm
    for alarm in state.composite_alarms:
        yield "cloudwatch", "PutCompositeAlarm", alarm
    for mute in state.mute_rules:
        yield "cloudwatch", "PutAlarmMuteRule", mute
    for rule in state.rules:
        yield "events", "PutRule", {key: value for key, value in rule.items() if key != "Targets"}
        yield "events", "PutTargets", {"Rule": rule["Name"], "Targets": rule["Targets"]}


def beyond_the_model(call: Call) -> list[str]:
    """What AWS documents and the model does not say."""
    _, operation, arguments = call
    found = []
    if len(json.dumps(arguments)) > 120_000:
        found.append("a request has 120 kB at most")
    if len({tag["Key"] for tag in arguments.get("Tags", []) if "Key" in tag}) > 50:
        found.append("50 tags at most")
    if operation == "PutMetricAlarm":
        found += metric_alarm(arguments)
    elif operation == "PutCompositeAlarm":
        found += composite_alarm(arguments)
    elif operation == "PutRule" and len(arguments["EventPattern"]) > 2048:
        found.append("a pattern has 2048 characters at most")
    elif operation == "PutTargets" and not 1 <= len(arguments["Targets"]) <= 5:
        found.append("a rule has 1 to 5 targets")
    elif operation == "SetTopicAttributes":
        policy = json.loads(arguments["AttributeValue"])
        if len(arguments["AttributeValue"]) > 30_720 or len(policy["Statement"]) > 100:
            found.append("a policy of a topic has 30 kB and 100 statements at most")
    elif operation == "PutResourcePolicy" and len(arguments["policyDocument"]) > 5120:
        found.append("a resource policy of logs has 5120 characters at most")
    elif operation == "CreateKey" and len(arguments["Policy"]) > 32_768:
        found.append("a policy of a key has 32 kB at most")
    return found


SAMPLED = {"Period", "Statistic", "ExtendedStatistic", "MetricName", "Namespace", "Dimensions", "Unit"}
EVALUATED = {"ComparisonOperator", "Threshold", "EvaluationPeriods", "DatapointsToAlarm", "TreatMissingData"}
NEEDED = {"ComparisonOperator", "Threshold", "EvaluationPeriods"}


def metric_alarm(alarm: dict[str, Any]) -> list[str]:
    forms = [key for key in ("MetricName", "Metrics", "EvaluationCriteria") if key in alarm]
    if len(forms) != 1:
        return [f"one form is wanted, and there are {forms}"]
    if forms == ["EvaluationCriteria"]:
        mixed = alarm.keys() & (SAMPLED | EVALUATED)
        return [f"a PromQL alarm has no {mixed}"] if mixed else []
    found = [f"{key} is missing" for key in sorted(NEEDED - alarm.keys())]
    if forms == ["Metrics"]:
        found += [f"{key} does not go with metrics" for key in sorted(alarm.keys() & SAMPLED)]
        found += metric_math(alarm["Metrics"])
        periods = {query["MetricStat"]["Period"] for query in alarm["Metrics"] if "MetricStat" in query}
        if len(periods) != 1:
            return [*found, f"all metrics have the same period, not {periods}"]
        (period,) = periods
    else:
        period = alarm["Period"]
        if ("Statistic" in alarm) == ("ExtendedStatistic" in alarm):
            found.append("one statistic is wanted")
    if period not in (10, 20, 30) and period % 60:
        found.append(f"a period of {period} s")
    span = period * alarm["EvaluationPeriods"]
    if span > (604_800 if period >= 3600 else 86_400):
        found.append(f"{span} s at a period of {period} s")
    if alarm.get("DatapointsToAlarm", 1) > alarm["EvaluationPeriods"]:
        found.append("more datapoints than periods")
    if alarm["TreatMissingData"] not in ("breaching", "notBreaching", "ignore", "missing"):
        found.append(f"missing data as {alarm['TreatMissingData']}")
    if "EvaluationWindow" in alarm and period not in (60, 300, 3600, 86_400, 604_800):
        found.append(f"a wall-clock window of {period} s")
    return found


def metric_math(queries: list[dict[str, Any]]) -> list[str]:
    found = []
    ids = [query["Id"] for query in queries]
    if len(set(ids)) != len(ids) or any(not identifier[0].islower() for identifier in ids):
        found.append(f"ids {ids}")
    if sum(query["ReturnData"] for query in queries) != 1:
        found.append("exactly one returns data")
    stats = [query for query in queries if "MetricStat" in query]
    expressions = [query for query in queries if "Expression" in query]
    if len(stats) > 10 or len(expressions) > 10 or len(stats) + len(expressions) != len(queries):
        found.append("10 metrics and 10 expressions at most")
    for query in expressions:
        try:
            unknown = grammar.math_names(query["Expression"]) - set(ids)
        except ValueError as error:
            found.append(f"{query['Expression']}: {error}")
        else:
            found += [f"{name} is no id" for name in sorted(unknown)]
    return found


def composite_alarm(alarm: dict[str, Any]) -> list[str]:
    try:
        rule = grammar.rule(alarm["AlarmRule"])
    except ValueError as error:
        return [str(error)]
    found = []
    if not 1 <= len(set(rule.names)) <= 100 or rule.elements > 500:
        found.append("100 children and 500 elements at most")
    waits = {"ActionsSuppressorWaitPeriod", "ActionsSuppressorExtensionPeriod"} & alarm.keys()
    if len(waits) != (2 if "ActionsSuppressor" in alarm else 0):
        found.append("a suppressor goes with both its periods")
    if any(":automate:" in action or ":autoscaling:" in action for action in alarm.get("AlarmActions", [])):
        found.append("no EC2 or Auto Scaling action")
    return found


def test_every_call_is_one_that_aws_takes(built: Built) -> None:
    made = list(calls(built))
    assert {operation for _, operation, _ in made} >= {
        "PutMetricAlarm",
        "PutCompositeAlarm",
        "PutRule",
        "PutTargets",
    }
    for call in made:
        assert faults(*call) + beyond_the_model(call) == [], call


def test_the_wide_catalogue_makes_every_kind_of_call_and_uses_every_signal(wide: Built) -> None:
    assert {operation for _, operation, _ in calls(wide)} == {
        "CreateAlias", "CreateKey", "CreateLogGroup", "CreateTopic", "PutAlarmMuteRule", "PutCompositeAlarm", "PutMetricAlarm",
        "PutResourcePolicy", "PutRetentionPolicy", "PutRule", "PutTargets", "SetTopicAttributes", "Subscribe",
    }  # fmt: skip
    catalogue = wide.catalogue
    used = {alert.signal.name for alert in catalogue.alerts}
    used |= {alert.signal.name for alert in catalogue.burns}
    used |= {alert.signal.name for alert in catalogue.events}
    assert used == set(SIGNALS)
    forms = [
        key
        for alarm in wide.state.metric_alarms
        for key in ("MetricName", "Metrics", "EvaluationCriteria")
        if key in alarm
    ]
    assert set(forms) == {"MetricName", "Metrics", "EvaluationCriteria"}


def test_names_are_unique_and_what_an_alarm_refers_to_comes_before_it(built: Built) -> None:
    state = built.state
    before = [alarm["AlarmName"] for alarm in state.metric_alarms]
    for alarm in state.composite_alarms:
        named = [
            *grammar.rule(alarm["AlarmRule"]).names,
            *([alarm["ActionsSuppressor"]] if "ActionsSuppressor" in alarm else []),
        ]
        assert set(named) <= set(before), alarm["AlarmName"]
        before.append(alarm["AlarmName"])
    assert len(set(before)) == len(before)
    for mute in state.mute_rules:
        assert set(mute["MuteTargets"]["AlarmNames"]) <= set(before)
    for names in ([rule["Name"] for rule in state.rules], [topic["Name"] for topic in state.topics]):
        assert len(set(names)) == len(names)


def test_every_action_leads_to_a_topic_of_the_catalogue(built: Built) -> None:
    own = {topic["Policy"]["Statement"][0]["Resource"] for topic in built.state.topics}
    external = {
        severity.topic for severity in built.catalogue.severities if severity.topic.startswith("arn:")
    }
    told = {
        arn
        for alarm in (*built.state.metric_alarms, *built.state.composite_alarms)
        for key in ("AlarmActions", "OKActions", "InsufficientDataActions")
        for arn in alarm.get(key, [])
    }
    assert told
    assert told <= own | external
    assert {subscription["TopicArn"] for subscription in built.state.subscriptions} <= own


def _first(operation: str, **having: Any) -> Call:
    return copy.deepcopy(
        next(
            call
            for call in calls(build("wide"))
            if call[1] == operation and all((key in call[2]) == value for key, value in having.items())
        )
    )


@pytest.mark.parametrize(
    ("operation", "having", "change"),
    [
        ("PutMetricAlarm", {}, {"AlarmName": "x" * 256}),
        ("PutMetricAlarm", {}, {"AlarmDescription": "x" * 1025}),
        ("PutMetricAlarm", {}, {"AlarmActions": ["a"] * 6}),
        ("PutMetricAlarm", {}, {"Tags": [{"Key": "owner", "Value": "team (orders)"}]}),
        ("PutMetricAlarm", {"MetricName": True}, {"Period": 90}),
        ("PutMetricAlarm", {"MetricName": True}, {"Statistic": "Median"}),
        ("PutMetricAlarm", {"MetricName": True}, {"Period": 60, "EvaluationPeriods": 1441}),
        ("PutMetricAlarm", {"MetricName": True}, {"Metrics": []}),
        ("PutMetricAlarm", {"MetricName": True}, {"DatapointsToAlarm": 99}),
        ("PutMetricAlarm", {"MetricName": True}, {"TreatMissingData": "keep"}),
        ("PutMetricAlarm", {"Metrics": True}, {"Period": 60}),
        ("PutMetricAlarm", {"Metrics": True}, {"Metrics": [{"Id": "m1", "Expression": "m2", "ReturnData": True}]}),
        ("PutMetricAlarm", {"EvaluationCriteria": True}, {"Threshold": 1.0}),
        ("PutMetricAlarm", {"EvaluationCriteria": True}, {"EvaluationInterval": 5}),
        ("PutCompositeAlarm", {}, {"AlarmRule": 'ALARM("a") OR ALARM("b") AND ALARM("c")'}),
        ("PutCompositeAlarm", {}, {"AlarmRule": "ALARM(a) OR"}),
        ("PutCompositeAlarm", {"ActionsSuppressor": False}, {"ActionsSuppressor": "a"}),
        ("PutAlarmMuteRule", {}, {"Rule": {"Schedule": {"Expression": "cron(0 2 * *)", "Duration": "PT1H"}}}),
        ("PutAlarmMuteRule", {}, {"Rule": {"Schedule": {"Expression": "cron(0 2 * * *)", "Duration": "P"}}}),
        ("PutAlarmMuteRule", {}, {"MuteTargets": {"AlarmNames": ["a"] * 101}}),
        ("PutRule", {}, {"Name": "x" * 65}),
        ("PutRule", {}, {"Name": "a name"}),
        ("PutRule", {}, {"EventPattern": "x" * 2049}),
        ("PutTargets", {}, {"Targets": []}),
        ("CreateTopic", {}, {"Name": "orders.critical"}),
        ("CreateTopic", {}, {"Attributes": {"KmsKey": "alias/a"}}),
        ("Subscribe", {}, {"Protocol": "slack"}),
        ("PutRetentionPolicy", {}, {"retentionInDays": 31}),
        ("CreateLogGroup", {}, {"logGroupName": "orders api"}),
        ("CreateLogGroup", {}, {"tags": {"owner": "a, b"}}),
        ("CreateAlias", {}, {"AliasName": "alias/orders alerts"}),
    ],
)  # fmt: skip
def test_the_judges_are_awake(operation: str, having: dict[str, bool], change: dict[str, Any]) -> None:
    service, _, arguments = _first(operation, **having)
    broken: Call = (service, operation, arguments | change)
    assert faults(*broken) + beyond_the_model(broken)


@pytest.mark.parametrize(
    "text",
    ["m1 +", "FILL(m1)", "SEARCH('a', 'b', 1)", "(m1", "m1 m2", "M1 / m2", "IF(m1 >= 2, m1)", "AVG(m1)"],
)
def test_what_is_no_metric_math_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        grammar.math_names(text)

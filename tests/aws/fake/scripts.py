"""Calls for a comparison: drawn at random from few names, so that they meet each other.

What the others are known to get wrong as a whole is left out, and stated in tests/aws/test_fake.py alone: tags in an update, which AWS
ignores and they take; subscriptions that a person has to confirm, which they take for confirmed; DescribeAlarms without AlarmTypes.
"""

from __future__ import annotations

import json
from typing import Any

from hypothesis import strategies as st

from tests.aws.fake.compare import Step

__all__ = ["REGION", "alarm_steps", "composite_steps", "event_steps", "log_steps", "topic_steps"]

REGION = "eu-west-1"
_TAGS = st.dictionaries(
    st.sampled_from(["team", "env", "managed-by"]), st.sampled_from(["a", "b", ""]), max_size=3
)
_NAMES = st.sampled_from(["alpha", "beta", "gamma"])


def _pairs(tags: dict[str, str]) -> list[dict[str, str]]:
    return [{"Key": key, "Value": value} for key, value in tags.items()]


def _script(step: st.SearchStrategy[Step], *ready: Step) -> st.SearchStrategy[list[Step]]:
    """Steps after those that make something to work on, or without them."""
    steps = st.lists(step, min_size=1, max_size=14)
    return st.one_of(steps.map(lambda drawn: [*ready, *drawn]), steps)


def _step(service: str, operation: str, **arguments: st.SearchStrategy[Any]) -> st.SearchStrategy[Step]:
    return st.fixed_dictionaries(arguments).map(
        lambda drawn: Step(
            service, operation, {key: value for key, value in drawn.items() if value is not None}
        )
    )


def _maybe(value: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.none() | value


# --- alarms


def _arn(service: str, account: str, rest: str) -> str:
    return f"arn:aws:{service}:{REGION}:{account}:{rest}"


_DIMENSIONS = st.sampled_from(
    [[], [{"Name": "d", "Value": "1"}], [{"Name": "d", "Value": "1"}, {"Name": "a", "Value": "2"}]]
)
_MATH = [
    {"Id": "e", "Expression": "100 * b / a", "Label": "share", "ReturnData": True},
    {
        "Id": "a",
        "MetricStat": {"Metric": {"Namespace": "n", "MetricName": "all", "Dimensions": [{"Name": "d", "Value": "1"}]}, "Period": 60, "Stat": "Sum"},
        "ReturnData": False,
    },
    {
        "Id": "b",
        "MetricStat": {"Metric": {"Namespace": "n", "MetricName": "bad", "Dimensions": [{"Name": "d", "Value": "1"}]}, "Period": 60, "Stat": "Sum"},
        "ReturnData": False,
    },
]  # fmt: skip


def alarm_steps(account: str) -> st.SearchStrategy[list[Step]]:
    """Metric alarms."""
    actions = st.lists(
        st.sampled_from([_arn("sns", account, "x"), _arn("sns", account, "y")]), max_size=2, unique=True
    )
    common = {
        "AlarmName": _NAMES,
        "AlarmDescription": _maybe(st.sampled_from(["", "text", "größer"])),
        "ActionsEnabled": _maybe(st.booleans()),
        "AlarmActions": _maybe(actions),
        "OKActions": _maybe(actions),
        "EvaluationPeriods": st.integers(2, 5),
        "DatapointsToAlarm": _maybe(st.integers(1, 2)),
        "Threshold": st.sampled_from([0.0, 0.5, 5, -1]),
        "ComparisonOperator": st.sampled_from(["GreaterThanThreshold", "LessThanOrEqualToThreshold"]),
        "TreatMissingData": _maybe(st.sampled_from(["breaching", "notBreaching", "ignore", "missing"])),
    }
    single = _step(
        "cloudwatch", "put_metric_alarm",
        **common, Namespace=st.just("n"), MetricName=st.sampled_from(["m", "k"]), Statistic=st.sampled_from(["Sum", "Average"]),
        Period=st.sampled_from([60, 300]), Dimensions=_maybe(_DIMENSIONS), Unit=_maybe(st.sampled_from(["Count", "Seconds"])),
    )  # fmt: skip
    percentile = _step(
        "cloudwatch", "put_metric_alarm",
        **common, Namespace=st.just("n"), MetricName=st.just("m"), ExtendedStatistic=st.sampled_from(["p99", "p90"]),
        Period=st.just(60), EvaluateLowSampleCountPercentile=_maybe(st.sampled_from(["evaluate", "ignore"])),
    )  # fmt: skip
    math = _step("cloudwatch", "put_metric_alarm", **common, Metrics=st.just(_MATH))
    some = st.lists(_NAMES, min_size=1, max_size=3, unique=True)
    others = [
        _step("cloudwatch", "delete_alarms", AlarmNames=some),
        _step("cloudwatch", "enable_alarm_actions", AlarmNames=some),
        _step("cloudwatch", "disable_alarm_actions", AlarmNames=some),
        _step(
            "cloudwatch", "set_alarm_state",
            AlarmName=_NAMES, StateValue=st.sampled_from(["OK", "ALARM", "INSUFFICIENT_DATA"]), StateReason=st.just("drill"),
        ),
        *_alarm_tags(account),
        _step("cloudwatch", "describe_alarms", AlarmNames=_maybe(some)),
        _step("cloudwatch", "describe_alarms", AlarmNamePrefix=st.sampled_from(["a", "be", "zeta"])),
        _step(
            "cloudwatch", "describe_alarms_for_metric",
            Namespace=st.just("n"), MetricName=st.just("m"), Dimensions=_DIMENSIONS, Statistic=st.just("Sum"), Period=st.just(60),
        ),
    ]  # fmt: skip
    first = Step(
        "cloudwatch", "put_metric_alarm",
        {
            "AlarmName": "alpha", "Namespace": "n", "MetricName": "m", "Statistic": "Sum", "Period": 60, "EvaluationPeriods": 3,
            "Threshold": 1, "ComparisonOperator": "GreaterThanThreshold", "Tags": [{"Key": "team", "Value": "a"}],
        },
    )  # fmt: skip
    return _script(st.one_of(single, percentile, math, *others), first)


def _alarm_tags(account: str) -> list[st.SearchStrategy[Step]]:
    arns = _NAMES.map(lambda name: _arn("cloudwatch", account, f"alarm:{name}"))
    return [
        _step("cloudwatch", "list_tags_for_resource", ResourceARN=arns),
        _step("cloudwatch", "tag_resource", ResourceARN=arns, Tags=_TAGS.filter(bool).map(_pairs)),
        _step("cloudwatch", "untag_resource", ResourceARN=arns, TagKeys=st.just(["team"])),
    ]


def composite_steps(account: str) -> st.SearchStrategy[list[Step]]:
    """Composite alarms over metric alarms that are there."""
    ready = [
        Step("cloudwatch", "put_metric_alarm", {
            "AlarmName": name, "Namespace": "n", "MetricName": "m", "Statistic": "Sum", "Period": 60, "EvaluationPeriods": 1,
            "Threshold": 1, "ComparisonOperator": "GreaterThanThreshold",
        })
        for name in ("alpha", "beta")
    ]  # fmt: skip
    names = st.sampled_from(["one", "two"])
    put = _step(
        "cloudwatch", "put_composite_alarm",
        AlarmName=names,
        AlarmRule=st.sampled_from([
            "ALARM(alpha)", 'ALARM("alpha") OR ALARM("beta")', "NOT (ALARM(alpha) AND OK(beta))", "ALARM(one)",
            f'ALARM("{_arn("cloudwatch", account, "alarm:beta")}")', "FALSE",
        ]),
        AlarmDescription=_maybe(st.just("text")),
        ActionsEnabled=_maybe(st.booleans()),
        AlarmActions=_maybe(st.just([_arn("sns", account, "x")])),
    )  # fmt: skip
    suppressed = _step(
        "cloudwatch", "put_composite_alarm",
        AlarmName=names, AlarmRule=st.just("ALARM(alpha)"), ActionsSuppressor=st.just("beta"),
        ActionsSuppressorWaitPeriod=st.just(60), ActionsSuppressorExtensionPeriod=st.sampled_from([60, 120]),
    )  # fmt: skip
    every = st.sampled_from([["one"], ["two"], ["alpha"], ["one", "beta"]])
    others = [
        _step("cloudwatch", "describe_alarms", AlarmTypes=st.just(["CompositeAlarm", "MetricAlarm"])),
        _step("cloudwatch", "delete_alarms", AlarmNames=every),
    ]  # fmt: skip
    return st.lists(st.one_of(put, suppressed, *others), min_size=1, max_size=10).map(
        lambda drawn: [*ready, *drawn]
    )


# --- topics


def topic_steps(account: str) -> st.SearchStrategy[list[Step]]:
    """Topics and subscriptions."""
    arns = _NAMES.map(lambda name: _arn("sns", account, name))
    # What somebody has to confirm cannot be compared: the others take it for confirmed.
    ends = st.sampled_from(
        [("sqs", _arn("sqs", account, "q")), ("sqs", _arn("sqs", account, "r")), ("lambda", _arn("lambda", account, "function:f"))]
    )  # fmt: skip
    policy = {"Version": "2012-10-17", "Statement": [{"Sid": "mine", "Effect": "Allow", "Principal": {"Service": "cloudwatch.amazonaws.com"}, "Action": "sns:Publish", "Resource": "*"}]}  # fmt: skip
    filters = st.sampled_from([{"FilterPolicy": '{"a": ["b"]}'}, {"RawMessageDelivery": "true"}])

    def joined(operation: str, **more: st.SearchStrategy[Any]) -> st.SearchStrategy[Step]:
        return st.tuples(arns, ends, st.fixed_dictionaries(more)).map(
            lambda drawn: Step(
                "sns", operation, {"SubscriptionArn": ("subscription", drawn[0], *drawn[1]), **drawn[2]}
            )
        )

    subscribe = st.tuples(arns, ends, _maybe(filters)).map(
        lambda drawn: Step(
            "sns", "subscribe",
            {"TopicArn": drawn[0], "Protocol": drawn[1][0], "Endpoint": drawn[1][1]} | ({"Attributes": drawn[2]} if drawn[2] else {}),
        )
    )  # fmt: skip
    return _script(
        st.one_of(
            _step("sns", "create_topic", Name=_NAMES, Tags=_maybe(_TAGS.map(_pairs))),
            _step("sns", "create_topic", Name=_NAMES, Attributes=st.sampled_from([{}, {"DisplayName": "Pages"}])),
            _step("sns", "get_topic_attributes", TopicArn=arns),
            _step("sns", "set_topic_attributes", TopicArn=arns, AttributeName=st.just("DisplayName"), AttributeValue=st.sampled_from(["x", "y"])),
            _step("sns", "set_topic_attributes", TopicArn=arns, AttributeName=st.just("Policy"), AttributeValue=st.just(json.dumps(policy))),
            _step("sns", "set_topic_attributes", TopicArn=arns, AttributeName=st.just("KmsMasterKeyId"), AttributeValue=st.just("alias/k")),
            _step("sns", "delete_topic", TopicArn=arns),
            _step("sns", "list_topics"),
            subscribe,
            _step("sns", "list_subscriptions_by_topic", TopicArn=arns),
            joined("get_subscription_attributes"),
            joined("set_subscription_attributes", AttributeName=st.just("RawMessageDelivery"), AttributeValue=st.sampled_from(["true", "false"])),
            joined("set_subscription_attributes", AttributeName=st.just("FilterPolicy"), AttributeValue=st.just('{"k": ["v"]}')),
            joined("unsubscribe"),
            _step("sns", "list_tags_for_resource", ResourceArn=arns),
            _step("sns", "tag_resource", ResourceArn=arns, Tags=_TAGS.filter(bool).map(_pairs)),
            _step("sns", "untag_resource", ResourceArn=arns, TagKeys=st.just(["team"])),
        ),
        Step("sns", "create_topic", {"Name": "alpha", "Tags": [{"Key": "team", "Value": "a"}]}),
        Step("sns", "create_topic", {"Name": "beta"}),
        Step("sns", "subscribe", {"TopicArn": _arn("sns", account, "alpha"), "Protocol": "sqs", "Endpoint": _arn("sqs", account, "q")}),
    )  # fmt: skip


# --- EventBridge


def event_steps(account: str) -> st.SearchStrategy[list[Step]]:
    """Rules and targets."""
    arns = _NAMES.map(lambda name: _arn("events", account, f"rule/{name}"))
    bus = _maybe(st.just("default"))
    target = st.fixed_dictionaries(
        {"Id": st.sampled_from(["1", "2", "3", "4", "5", "6"]), "Arn": st.sampled_from([_arn("sns", account, "x"), _arn("sns", account, "y")])},
        optional={"InputTransformer": st.just({"InputPathsMap": {"a": "$.detail.a"}, "InputTemplate": '"a is <a>"'})},
    )  # fmt: skip
    ids = st.lists(st.sampled_from(["1", "2", "3", "9"]), min_size=1, max_size=3, unique=True)
    return _script(
        st.one_of(
            _step(
                "events", "put_rule",
                Name=_NAMES, EventPattern=st.sampled_from(['{"source": ["aws.ecs"]}', '{"source": ["aws.rds"], "detail": {"a": [{"prefix": "b"}]}}']),
                Description=_maybe(st.just("text")), State=_maybe(st.sampled_from(["ENABLED", "DISABLED"])), EventBusName=bus,
            ),
            _step("events", "put_rule", Name=_NAMES, ScheduleExpression=st.just("rate(5 minutes)")),
            _step("events", "put_rule", Name=_NAMES, EventPattern=st.sampled_from(["{", "[]"])),
            _step("events", "put_rule", Name=_NAMES),
            _step("events", "describe_rule", Name=_NAMES),
            _step("events", "list_rules", NamePrefix=_maybe(st.sampled_from(["a", "be"]))),
            _step("events", "delete_rule", Name=_NAMES),
            _step("events", "put_targets", Rule=_NAMES, Targets=st.lists(target, min_size=1, max_size=3, unique_by=lambda t: t["Id"])),
            _step("events", "remove_targets", Rule=_NAMES, Ids=ids),
            _step("events", "list_targets_by_rule", Rule=_NAMES),
            _step("events", "list_rule_names_by_target", TargetArn=st.just(_arn("sns", account, "x"))),
            _step("events", "list_tags_for_resource", ResourceARN=arns),
            _step("events", "tag_resource", ResourceARN=arns, Tags=_TAGS.filter(bool).map(_pairs)),
            _step("events", "untag_resource", ResourceARN=arns, TagKeys=st.just(["team"])),
        ),
        Step("events", "put_rule", {"Name": "alpha", "EventPattern": '{"source": ["aws.s3"]}', "Tags": [{"Key": "team", "Value": "a"}]}),
        Step("events", "put_rule", {"Name": "beta", "EventPattern": '{"source": ["aws.s3"]}', "Description": "second"}),
        Step("events", "put_targets", {"Rule": "alpha", "Targets": [{"Id": "1", "Arn": _arn("sns", account, "x")}]}),
    )  # fmt: skip


# --- Logs


def log_steps(account: str, now: int) -> st.SearchStrategy[list[Step]]:
    """Groups, streams, events, resource policies; `now` is in milliseconds."""
    groups, streams = st.sampled_from(["/a/b", "/a/c"]), st.sampled_from(["s", "t"])
    arns = groups.map(lambda name: _arn("logs", account, f"log-group:{name}"))
    lines = st.tuples(st.integers(0, 5000), st.sampled_from(["one", "two red", "red"]))
    events = st.lists(lines, min_size=1, max_size=3).map(
        lambda drawn: [{"timestamp": now - age, "message": text} for age, text in sorted(drawn, reverse=True)]
    )
    return _script(
        st.one_of(
            _step("logs", "create_log_group", logGroupName=groups, tags=_maybe(_TAGS.filter(bool))),
            _step("logs", "describe_log_groups", logGroupNamePrefix=_maybe(st.sampled_from(["/a", "/a/c", "/z"]))),
            _step("logs", "put_retention_policy", logGroupName=groups, retentionInDays=st.sampled_from([1, 30, 3653, 31])),
            _step("logs", "delete_retention_policy", logGroupName=groups),
            _step("logs", "delete_log_group", logGroupName=groups),
            _step("logs", "list_tags_for_resource", resourceArn=arns),
            _step("logs", "tag_resource", resourceArn=arns, tags=_TAGS.filter(bool)),
            _step("logs", "untag_resource", resourceArn=arns, tagKeys=st.just(["team"])),
            _step("logs", "put_resource_policy", policyName=_NAMES, policyDocument=st.sampled_from(['{"Version": "2012-10-17", "Statement": []}', '{"Version": "2012-10-17"}'])),
            _step("logs", "describe_resource_policies"),
            _step("logs", "delete_resource_policy", policyName=_NAMES),
            _step("logs", "create_log_stream", logGroupName=groups, logStreamName=streams),
            _step("logs", "describe_log_streams", logGroupName=groups, logStreamNamePrefix=_maybe(streams)),
            _step("logs", "delete_log_stream", logGroupName=groups, logStreamName=streams),
            _step("logs", "put_log_events", logGroupName=groups, logStreamName=streams, logEvents=events),
            _step("logs", "get_log_events", logGroupName=groups, logStreamName=streams, startFromHead=st.just(True)),
            _step("logs", "filter_log_events", logGroupName=groups, logStreamNames=_maybe(st.just(["s"])), filterPattern=_maybe(st.just("red"))),
        ),
        Step("logs", "create_log_group", {"logGroupName": "/a/b", "tags": {"team": "a"}}),
        Step("logs", "create_log_stream", {"logGroupName": "/a/b", "logStreamName": "s"}),
    )  # fmt: skip

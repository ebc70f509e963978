"""What AWS refuses of CloudWatch Logs is refused here before any call, each rule with the place in AWS's documents; what it takes is not.

API: the API reference; GUIDE: the CloudWatch Logs user guide; SEEN: an answer of AWS's that somebody reported.
"""

from __future__ import annotations

import json
import time
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orders_obs.alerts.aws_calls import validate
from orders_obs.alerts.aws_calls.log_patterns import pattern_faults

PLACE = "eu-west-1:111122223333"
GROUP = f"arn:aws:logs:{PLACE}:log-group:/orders/api"
ROLE = "arn:aws:iam::111122223333:role/logs"
FUNCTION = f"arn:aws:lambda:{PLACE}:function:relay"
STREAM = f"arn:aws:kinesis:{PLACE}:stream/orders"
NOW = int(time.time() * 1000)
HOUR = 3_600_000
ID = "a" * 36


def metric_filter(pattern: str = "", **more: Any) -> dict[str, Any]:
    transformation = {"metricName": "Errors", "metricNamespace": "Orders", "metricValue": "1", **more}
    return {
        "logGroupName": "g",
        "filterName": "f",
        "filterPattern": pattern,
        "metricTransformations": [transformation],
    }


def subscription_filter(destination: str, pattern: str = "", **more: Any) -> dict[str, Any]:
    return {
        "logGroupName": "g",
        "filterName": "f",
        "filterPattern": pattern,
        "destinationArn": destination,
        **more,
    }


def events(*given: tuple[int, str]) -> dict[str, Any]:
    made = [{"timestamp": at, "message": text} for at, text in given]
    return {"logGroupName": "g", "logStreamName": "s", "logEvents": made}


def policy(**statement: Any) -> dict[str, Any]:
    whole = {
        "Effect": "Allow",
        "Principal": {"Service": "events.amazonaws.com"},
        "Action": ["logs:CreateLogStream", "logs:PutLogEvents"],
        "Resource": f"{GROUP}:*",
        **statement,
    }
    document = json.dumps({"Version": "2012-10-17", "Statement": [whole]})
    return {"policyName": "orders", "policyDocument": document}


def query(**more: Any) -> dict[str, Any]:
    return {"queryString": "fields @message", "startTime": 1, "endTime": 2, **more}


FIELDS = "GUIDE configuring metric values and dimensions"
TERMS = "GUIDE filter pattern syntax, terms"
IN_JSON = "GUIDE filter pattern syntax, JSON"
SPACED = "GUIDE filter pattern syntax, space-delimited"
REGULAR = "GUIDE filter pattern syntax, regular expressions"
EVENTS = "API PutLogEvents"
RETENTION = "API PutRetentionPolicy"
STARTED = "API StartQuery"

WRONG_PATTERNS = [
    ("SEEN quoted terms with colons", '"event": "failed"'),
    (TERMS, "ERROR: failed"),
    ("SEEN Invalid filter pattern", "ORDER-ITEM-1"),
    ("SEEN Invalid filter pattern", "email@example.com"),
    (TERMS, "ERROR && WARN"),
    (TERMS, "(ERROR)"),
    (TERMS, '"unclosed'),
    ("SEEN Invalid subscription filter pattern", '?"?REPORT ?NR_LAMBDA ?"Task timed out""'),
    ("SEEN a pattern that starts with { must end with }", '{ $.level = "error"'),
    ("SEEN selector without $", '{ status = "401" }'),
    (IN_JSON, "{ }"),
    (IN_JSON, "{ $.level }"),
    (IN_JSON, "{ $.level = }"),
    (IN_JSON, "{ $.level == 1 }"),
    (IN_JSON, "{ ($.level = 1 }"),
    (IN_JSON, "{ $.level = 1) }"),
    (IN_JSON, "{ $.level = 1 $.a = 2 }"),
    (IN_JSON, "{ $.level = 1 && }"),
    (IN_JSON, '{ $.level LIKE "x" }'),
    (IN_JSON, "{ $.level IS EMPTY }"),
    (IN_JSON, "{ $.a..b = 1 }"),
    (IN_JSON, "{ $. = 1 }"),
    (IN_JSON, "{ $.mail = a@b }"),
    ("SEEN > with a text", '{ $.eventType > "UpdateTrail" }'),
    ("SEEN <= with a word", "{ $.eventType <= UpdateTrail }"),
    ("SEEN >= with a number in quotation marks", '{ $.someInt >= "123" }'),
    (SPACED, "[a, b"),
    (SPACED, "[]"),
    (SPACED, "[a b]"),
    (SPACED, "[a = , b]"),
    (SPACED, "[= 5, b]"),
    (SPACED, "[bytes > many]"),
    (REGULAR, "%something!%"),
    ("SEEN Invalid character(s) in term", "%a(b)%"),
    (REGULAR, "%größe%"),
    ("API PutMetricFilter: two regular expressions", "{ $.a = %x% && $.b = %y% && $.c = %z% }"),
]

WRONG: list[tuple[str, str, dict[str, Any], str]] = [
    *((source, "put_metric_filter", metric_filter(pattern), "filterPattern") for source, pattern in WRONG_PATTERNS),
    ("API CreateLogGroup", "create_log_group", {"logGroupName": "aws/orders"}, "logGroupName"),
    ("API CreateLogGroup: characters", "create_log_group", {"logGroupName": "orders api"}, "logGroupName"),
    ("API CreateLogGroup: 512", "create_log_group", {"logGroupName": "a" * 513}, "logGroupName"),
    ("API CreateLogGroup, kmsKeyId", "create_log_group", {"logGroupName": "a", "kmsKeyId": "alias/orders"}, "kmsKeyId"),
    ("API CreateLogGroup, logGroupClass", "create_log_group", {"logGroupName": "a", "logGroupClass": "CHEAP"}, "logGroupClass"),
    ("general reference, tagging", "create_log_group", {"logGroupName": "a", "tags": {"aws:a": "b"}}, "tags.aws:a"),
    (RETENTION, "put_retention_policy", {"logGroupName": "a", "retentionInDays": 10}, "retentionInDays"),
    (RETENTION, "put_retention_policy", {"logGroupName": "a", "retentionInDays": 0}, "retentionInDays"),
    (RETENTION, "put_retention_policy", {"logGroupName": "a", "retentionInDays": 364}, "retentionInDays"),
    ("API CreateLogStream", "create_log_stream", {"logGroupName": "a", "logStreamName": "a:b"}, "logStreamName"),
    ("API PutResourcePolicy: required", "put_resource_policy", {"policyName": "orders"}, "policyDocument"),
    ("API PutResourcePolicy: required", "put_resource_policy", {"policyDocument": policy()["policyDocument"]}, "policyName"),
    ("API PutResourcePolicy: JSON", "put_resource_policy", {"policyName": "orders", "policyDocument": "{"}, "policyDocument"),
    ("API PutResourcePolicy: supported actions", "put_resource_policy", policy(Action="sns:Publish"), "policyDocument"),
    ("SEEN no ARNs as principals", "put_resource_policy", policy(Principal={"AWS": "arn:aws:iam::111122223333:root"}), "policyDocument"),
    ("SEEN Could not convert to persistable policy", "put_resource_policy", policy(Principal={"AWS": "delivery.logs.amazonaws.com"}), "policyDocument"),
    ("IAM guide, Effect", "put_resource_policy", policy(Effect="allow"), "policyDocument"),
    ("IAM guide, Resource", "put_resource_policy", policy(Resource="/orders/api"), "policyDocument"),
    ("API PutResourcePolicy: LogGroup ARN", "put_resource_policy", {**policy(), "resourceArn": FUNCTION}, "resourceArn"),
    (EVENTS, "put_log_events", events((NOW, "b"), (NOW - 1, "a")), "logEvents[1].timestamp"),
    (EVENTS, "put_log_events", events((NOW - 25 * HOUR, "a"), (NOW, "b")), "logEvents"),
    (EVENTS, "put_log_events", events(*[(NOW, "a" * 600_000)] * 2), "logEvents"),
    (EVENTS, "put_log_events", events((NOW, "ä" * 524_288)), "logEvents[0].message"),
    (EVENTS, "put_log_events", events(*[(NOW, "a")] * 10_001), "logEvents"),
    (FIELDS, "put_metric_filter", metric_filter(metricValue="latency"), "metricTransformations[0].metricValue"),
    (FIELDS, "put_metric_filter", metric_filter("{ $.a = * }", dimensions={f"d{n}": f"$.d{n}" for n in range(4)}), "metricTransformations[0].dimensions"),
    (FIELDS, "put_metric_filter", metric_filter("{ $.a = * }", dimensions={"a": "$.a"}, defaultValue=0), "metricTransformations[0].defaultValue"),
    ("SEEN The specified filter pattern does not support dimensions", "put_metric_filter", metric_filter("?ERROR ?WARN", dimensions={"a": "b"}), "metricTransformations[0].dimensions"),
    ("SEEN non-selectors as dimension values (roadmap #108)", "put_metric_filter", metric_filter("{ $.a = * }", dimensions={"a": "prod"}), "metricTransformations[0].dimensions.a"),
    ("API PutMetricFilter", "put_metric_filter", metric_filter(metricName="a:b"), "metricTransformations[0].metricName"),
    ("API PutMetricFilter", "put_metric_filter", metric_filter(unit="Furlongs"), "metricTransformations[0].unit"),
    ("API PutMetricFilter", "put_metric_filter", {**metric_filter(), "emitSystemFieldDimensions": ["@message"]}, "emitSystemFieldDimensions[0]"),
    ("API PutMetricFilter: one", "put_metric_filter", {**metric_filter(), "metricTransformations": metric_filter()["metricTransformations"] * 2}, "metricTransformations"),
    (IN_JSON, "test_metric_filter", {"filterPattern": "{ level = 1 }", "logEventMessages": ["a"]}, "filterPattern"),
    ("API PutSubscriptionFilter, destinationArn", "put_subscription_filter", subscription_filter(f"arn:aws:sns:{PLACE}:orders"), "destinationArn"),
    ("API PutSubscriptionFilter, destinationArn", "put_subscription_filter", subscription_filter("relay"), "destinationArn"),
    ("SEEN vendor kinesis cannot be used without roleArn", "put_subscription_filter", subscription_filter(STREAM), "roleArn"),
    ("SEEN vendor lambda cannot be used with roleArn", "put_subscription_filter", subscription_filter(FUNCTION, roleArn=ROLE), "roleArn"),
    (TERMS, "put_subscription_filter", subscription_filter(FUNCTION, "a:b"), "filterPattern"),
    ("API PutSubscriptionFilter", "put_subscription_filter", subscription_filter(FUNCTION, emitSystemFields=["@x"]), "emitSystemFields[0]"),
    ("API PutQueryDefinition", "put_query_definition", {"name": "a" * 256, "queryString": "fields @message"}, "name"),
    ("API PutQueryDefinition", "put_query_definition", {"name": "a", "queryString": "a" * 10_001}, "queryString"),
    ("API StartQuery: up to 50", "put_query_definition", {"name": "a", "queryString": "a", "logGroupNames": [f"g{n}" for n in range(51)]}, "logGroupNames"),
    ("API PutQueryDefinition, parameters", "put_query_definition", {"name": "a", "queryString": "a", "queryLanguage": "SQL", "parameters": [{"name": "a"}]}, "parameters"),
    (STARTED, "start_query", query(), ""),
    (STARTED, "start_query", query(logGroupName="a", logGroupNames=["b"]), ""),
    (STARTED, "start_query", query(logGroupName="a", endTime=0), "endTime"),
    (STARTED, "start_query", query(logGroupNames=[f"g{n}" for n in range(51)]), "logGroupNames"),
    (STARTED, "start_query", query(logGroupName="a", limit=100_001), "limit"),
    ("API DescribeLogGroups", "describe_log_groups", {"logGroupNamePrefix": "a", "logGroupNamePattern": "b"}, "logGroupNamePrefix"),
    ("API DescribeLogGroups", "describe_log_groups", {"logGroupIdentifiers": ["a"], "logGroupClass": "STANDARD"}, "logGroupIdentifiers"),
    ("API DescribeLogStreams", "describe_log_streams", {"logGroupName": "a", "orderBy": "LastEventTime", "logStreamNamePrefix": "b"}, "logStreamNamePrefix"),
    ("API DescribeLogStreams", "describe_log_streams", {}, ""),
    ("API FilterLogEvents", "filter_log_events", {"logGroupName": "a", "logGroupIdentifier": "a"}, ""),
    ("API FilterLogEvents", "filter_log_events", {"logGroupName": "a", "logStreamNames": ["a"], "logStreamNamePrefix": "b"}, "logStreamNames"),
    ("API FilterLogEvents", "filter_log_events", {"logGroupName": "a", "startFromHead": False, "startTime": 1}, "startTime"),
    (IN_JSON, "filter_log_events", {"logGroupName": "a", "filterPattern": "{ a = 1 }"}, "filterPattern"),
    ("API DescribeMetricFilters", "describe_metric_filters", {"metricName": "a"}, "metricNamespace"),
    ("API AssociateKmsKey", "associate_kms_key", {"kmsKeyId": f"arn:aws:kms:{PLACE}:key/1"}, ""),
    ("API DeleteResourcePolicy", "delete_resource_policy", {}, "policyName"),
    ("API PutDestinationPolicy: 5120", "put_destination_policy", {"destinationName": "a", "accessPolicy": json.dumps({"Statement": [{"Effect": "Allow", "Principal": {"AWS": "111122223333"}, "Action": "logs:PutSubscriptionFilter", "Sid": "a" * 5200}]})}, "accessPolicy"),
    ("API CreateExportTask", "create_export_task", {"logGroupName": "a", "from": 2, "to": 1, "destination": "b"}, "to"),
    ("API TagResource", "tag_resource", {"resourceArn": "/orders/api", "tags": {"a": "b"}}, "resourceArn"),
    ("general reference, tagging", "tag_resource", {"resourceArn": GROUP, "tags": {"a": "x;y"}}, "tags.a"),
    ("general reference, tagging", "untag_resource", {"resourceArn": GROUP, "tagKeys": ["aws:a"]}, "tagKeys[0]"),
]  # fmt: skip

PATTERNS = [
    "", " ", "ERROR", "ERROR Exception", "?ERROR ?WARN", "ERROR -WARN", '"Failed to process the request"', '"ERROR" - "Exiting"',
    '?REPORT ?NR_LAMBDA_MONITORING ?"Task timed out"', "%ERROR [0-9]+%", "level=error", '-"deprecated"', "[ip, ident, user, ts, request, status=5??, bytes, ...]", '[version, srcaddr != "-", protocol]', '?"ERROR" -%a|b%', '"Total amount" -"level=DEBUG"', "5xx",
    '{ $.eventType = "UpdateTrail" }', "{ $.sourceIPAddress != 123.123.* }", '{ $.arrayKey[0] = "value" }', "{ $.objectList[1].id = 2 }",
    "{ $.SomeObject IS NULL }", "{ $.SomeOtherObject NOT EXISTS }", "{ $.ThisFlag IS TRUE }",
    '{ ($.user.id = 1) && ($.users[0].email = "John.Doe@example.com") }',
    '{ ($.user.id = 2 && $.users[0].email = "nonmatch") || $.actions[2] = "GET" }',
    '{ $.user.email = "John.Stiles@example.com" || $.coordinates[0][1] = nonmatch && $.actions[2] = nomatch }',
    "{ $.latency >= 500 }", "{ $.numbers[0] < 10e3 }", "{ $.numbers[0] < 10e-3 }", "{ $.processes[4].averageRuntime <= 55.5 }",
    "{ $.latency > +1000 }", "{$.foo = bar || $.foo = baz }", "{ $.latency = * }", "{ $.a = %[A-Z]+% }", '{ $.user-agent = "x" }',
    '{ $.["@timestamp"] = "x" }', '{ $.someEscaped = "error \\"message\\"" }', "{ $.someString = 111*111 }", "{ $.someFloat = 12.34*}",
    '{ ($.errorCode = "*UnauthorizedOperation") || ($.errorCode = "AccessDenied*") }',
    '{ $.userIdentity.type = "Root" && $.userIdentity.invokedBy NOT EXISTS && $.eventType != "AwsServiceEvent" }',
    '{($.eventName=ConsoleLogin) && ($.errorMessage="Failed authentication")}',
    "{($.eventSource = kms.amazonaws.com) && (($.eventName = DisableKey) || ($.eventName = ScheduleKeyDeletion)) }",
    "[ip, user, username, timestamp, request, status_code, bytes]", "[..., status_code, bytes]", "[ip, user, ..., status_code, bytes]",
    "[ip, user, ...]", "[ip, user, username, timestamp, request, status_code, bytes > 1000]",
    "[ip, user, username, timestamp, request = *html*, status_code = 4*, bytes]",
    "[ip, user, username, timestamp, request, status_code = 4* && status_code != 403, bytes]",
    "[..., request=*.html*, status_code=4*,]", "[w1=ERROR || w1=WARN, w2]", "[w1=!ERROR&&w1=!WARN, w2]",
    '[timestamp=*Z, request_id="*-*", event]', '[timestamp=*Z && request_id="*-*" && type && event="{*"]', "[w1=%ERROR%, w2]",
    '[version, account, eni, source, destination, srcport, destport="22", protocol="6", packets, bytes, windowstart, windowend, action="REJECT", flowstatus]',
]  # fmt: skip
RIGHT: list[tuple[str, dict[str, Any]]] = [
    *(("put_metric_filter", metric_filter(pattern)) for pattern in PATTERNS),
    ("create_log_group", {"logGroupName": "/aws/lambda/orders#1_a.b", "tags": {"a": "", "b c": "ö"}, "logGroupClass": "STANDARD"}),
    ("create_log_group", {"logGroupName": "a", "kmsKeyId": f"arn:aws:kms:{PLACE}:key/1234abcd-12ab-34cd-56ef-1234567890ab"}),
    *(("put_retention_policy", {"logGroupName": "a", "retentionInDays": days}) for days in (1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653)),
    ("put_resource_policy", policy()),
    ("put_resource_policy", policy(Principal={"Service": ["events.amazonaws.com", "delivery.logs.amazonaws.com"]}, Action="logs:PutLogEvents", Resource="*", Condition={"ArnLike": {"aws:SourceArn": "arn:aws:events:*"}, "StringEquals": {"aws:SourceAccount": "111122223333"}})),
    ("put_resource_policy", {**policy(), "resourceArn": GROUP, "expectedRevisionId": "1"}),
    ("put_resource_policy", policy(Principal={"AWS": ["*", "111122223333"]})),
    ("put_resource_policy", policy(Action=["logs:PutLogEvents", "logs:PutLogEventsBatch", "logs:CreateLogStream"], Principal={"Service": "es.amazonaws.com"})),
    ("put_log_events", events((NOW - 23 * HOUR, "a"), (NOW, "b"), (NOW, "c"))),
    ("put_log_events", events((NOW - 30 * 24 * HOUR, "rejected alone"), (NOW, "b"))),
    ("put_log_events", events(*[(NOW, "a" * 78)] * 10_000)),
    ("put_metric_filter", metric_filter("{ $.latency = * }", metricValue="$.latency", defaultValue=0.0, unit="Milliseconds")),
    ("put_metric_filter", metric_filter("[ip, bytes]", metricValue="$bytes", dimensions={"ip": "$ip"})),
    ("put_metric_filter", metric_filter("{ $.a = * }", metricValue="1.5", dimensions={"a": "$.a", "b": "$.b", "c": "$.c"})),
    ("put_subscription_filter", subscription_filter(FUNCTION, "?ERROR ?WARN")),
    ("put_subscription_filter", subscription_filter(STREAM, roleArn=ROLE, distribution="Random", emitSystemFields=["@aws.account", "@source.log"])),
    ("put_subscription_filter", subscription_filter(f"arn:aws:logs:{PLACE}:destination:central")),
    ("put_query_definition", {"name": "orders/errors", "queryString": "fields @message | limit 20", "logGroupNames": ["/orders/api"]}),
    ("start_query", query(logGroupName="a")),
    ("start_query", query(logGroupIdentifiers=[GROUP])),
    ("start_query", query(queryString="SOURCE logGroups(namePrefix: ['a']) | fields @message")),
    ("start_query", query(queryLanguage="SQL", queryString="SELECT * FROM `a`")),
    ("describe_log_groups", {"logGroupNamePrefix": "/orders", "limit": 50}),
    ("describe_log_groups", {"logGroupIdentifiers": [GROUP], "includeLinkedAccounts": True}),
    ("describe_log_streams", {"logGroupName": "a", "orderBy": "LastEventTime", "descending": True}),
    ("filter_log_events", {"logGroupName": "a", "filterPattern": "ERROR", "startTime": 1}),
    ("delete_resource_policy", {"policyName": "orders"}),
    ("tag_resource", {"resourceArn": GROUP, "tags": {"a": "b"}}),
    ("untag_resource", {"resourceArn": f"arn:aws:logs:{PLACE}:destination:x", "tagKeys": ["a"]}),
]  # fmt: skip


@pytest.mark.parametrize(
    ("source", "operation", "params", "path"), WRONG, ids=[f"{n}-{row[1]}" for n, row in enumerate(WRONG)]
)
def test_what_logs_refuses_is_refused_at_its_place(
    source: str, operation: str, params: dict[str, Any], path: str
):
    found = validate(operation, params)
    assert path in [problem.path for problem in found], f"{source}: {found}"
    assert all(problem.message and len(str(problem)) < 700 for problem in found)


@pytest.mark.parametrize(("operation", "params"), RIGHT, ids=[f"{n}-{row[0]}" for n, row in enumerate(RIGHT)])
def test_what_logs_takes_is_not_refused(operation: str, params: dict[str, Any]):
    assert validate(operation, params) == []


@settings(max_examples=600, deadline=None)
@given(st.text(alphabet='{}[]()$.=!<>&|%"?-*,\\ aIS1é', max_size=30) | st.text(max_size=30))
def test_no_filter_pattern_raises(pattern: str):
    assert all(pattern_faults(pattern))


@pytest.mark.parametrize(
    "pattern",
    [
        "{" + "(" * 500 + "}",
        "{" + "(" * 500 + "$.a=1" + ")" * 500 + "}",
        "%" * 900,
        '"' * 901,
        "[" * 900,
        "[" + "," * 900 + "]",
    ],
)
def test_long_patterns_of_brackets_end_without_an_exception(pattern: str):
    assert all(isinstance(fault, str) for fault in pattern_faults(pattern))

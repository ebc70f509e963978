"""What AWS refuses of EventBridge is refused here before any call, each rule with the place in AWS's documents; what it takes is not.

API: the API reference; GUIDE: the EventBridge user guide; RULER: aws/event-ruler, which compiles the patterns; SEEN: an answer of AWS's that
somebody reported.
"""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orders_obs.alerts.aws_calls import validate
from orders_obs.alerts.aws_calls.event_schedules import event_schedule_fault

PLACE = "eu-west-1:111122223333"
TOPIC = f"arn:aws:sns:{PLACE}:orders"
QUEUE = f"arn:aws:sqs:{PLACE}:orders"
GROUP = f"arn:aws:logs:{PLACE}:log-group:/aws/events/orders"
ROLE = "arn:aws:iam::111122223333:role/events"
CLUSTER = f"arn:aws:ecs:{PLACE}:cluster/orders"
TASK = f"arn:aws:ecs:{PLACE}:task-definition/orders:1"
JOBS = f"arn:aws:batch:{PLACE}:job-queue/orders"
RULE = f"arn:aws:events:{PLACE}:rule/orders"
EVENT = {"id": "1", "account": "111122223333", "source": "a", "time": "2026-01-01T00:00:00Z", "region": "eu-west-1", "resources": [], "detail-type": "b"}  # fmt: skip


def rule(pattern: Any = None, **more: Any) -> dict[str, Any]:
    written = pattern if isinstance(pattern, str) else json.dumps(pattern)
    return {"Name": "orders", **({} if pattern is None else {"EventPattern": written}), **more}


def condition(value: Any) -> dict[str, Any]:
    return rule({"detail": {"state": [value]}})


def at(schedule: str, **more: Any) -> dict[str, Any]:
    return {"Name": "orders", "ScheduleExpression": schedule, **more}


def target(arn: str = TOPIC, **more: Any) -> dict[str, Any]:
    return {"Rule": "orders", "Targets": [{"Id": "one", "Arn": arn, **more}]}


def template(text: str, arn: str = TOPIC, **paths: str) -> dict[str, Any]:
    return target(arn, InputTransformer={"InputPathsMap": paths, "InputTemplate": text})


def ecs(**more: Any) -> dict[str, Any]:
    return target(CLUSTER, RoleArn=ROLE, EcsParameters={"TaskDefinitionArn": TASK, **more})


def event(**more: Any) -> dict[str, Any]:
    return {"Entries": [{"Source": "orders", "DetailType": "shipped", "Detail": "{}", **more}]}


PATTERN = "GUIDE event patterns; RULER JsonRuleCompiler"
OPERATORS = "GUIDE comparison operators; RULER JsonRuleCompiler"
CRON = "GUIDE cron and rate expressions"
TARGETS = "API PutTargets, Target"
TRANSFORMER = "API InputTransformer"
DLQ = "GUIDE dead-letter queues: standard SQS"
ENTRY = "API PutEventsRequestEntry"
ECS = "API EcsParameters"

WRONG: list[tuple[str, str, dict[str, Any], str]] = [
    ("API PutRule: at least one", "put_rule", {"Name": "orders"}, ""),
    ("API PutRule, Name", "put_rule", rule({"source": ["a"]}, Name="my rule"), "Name"),
    ("API PutRule, Name: 64", "put_rule", rule({"source": ["a"]}, Name="a" * 65), "Name"),
    ("API PutRule, Description: 512", "put_rule", rule({"source": ["a"]}, Description="a" * 513), "Description"),
    ("API PutRule, State", "put_rule", rule({"source": ["a"]}, State="enabled"), "State"),
    ("API PutRule, RoleArn", "put_rule", rule({"source": ["a"]}, RoleArn="events"), "RoleArn"),
    ("GUIDE quotas: 2048", "put_rule", rule({"source": ["a" * 2048]}), "EventPattern"),
    ("general reference, tagging", "put_rule", rule({"source": ["a"]}, Tags=[{"Key": "AWS:x", "Value": ""}]), "Tags[0].Key"),
    ("API PutRule, State", "put_rule", rule({"source": ["a"]}, EventBusName="aws.partner/x.com/y", State="ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS"), "State"),
    (PATTERN, "put_rule", rule("{'source': ['a']}"), "EventPattern"),
    (PATTERN, "put_rule", rule('{"source": ["a"],}'), "EventPattern"),
    (PATTERN, "put_rule", rule(["a"]), "EventPattern"),
    (PATTERN, "put_rule", rule({}), "EventPattern"),
    ("SEEN must be an object or an array", "put_rule", rule({"detail": {"pipeline": {"slug": "some-pipeline"}}}), "EventPattern"),
    (PATTERN, "put_rule", rule({"source": "aws.ec2"}), "EventPattern"),
    (PATTERN, "put_rule", rule({"source": []}), "EventPattern"),
    (PATTERN, "put_rule", rule({"source": ["a"], "detail": {}}), "EventPattern"),
    (PATTERN, "put_rule", rule({"source": [["a"]]}), "EventPattern"),
    (PATTERN, "put_rule", rule({"source": None}), "EventPattern"),
    (OPERATORS, "put_rule", condition({"starts-with": "a"}), "EventPattern"),
    (OPERATORS, "put_rule", condition({"regex": "a.*"}), "EventPattern"),
    (OPERATORS, "put_rule", condition({}), "EventPattern"),
    (OPERATORS, "put_rule", condition({"prefix": "a", "suffix": "b"}), "EventPattern"),
    (OPERATORS, "put_rule", condition({"prefix": ["a"]}), "EventPattern"),
    (OPERATORS, "put_rule", condition({"suffix": 5}), "EventPattern"),
    (OPERATORS, "put_rule", condition({"prefix": {"wildcard": "a*"}}), "EventPattern"),
    (OPERATORS, "put_rule", condition({"equals-ignore-case": ["a"]}), "EventPattern"),
    (OPERATORS, "put_rule", condition({"exists": "false"}), "EventPattern"),
    (OPERATORS, "put_rule", condition({"wildcard": "a**b"}), "EventPattern"),
    ("RULER WildcardParser", "put_rule", condition({"wildcard": "a\\b"}), "EventPattern"),
    (OPERATORS, "put_rule", condition({"wildcard": 1}), "EventPattern"),
    (OPERATORS, "put_rule", condition({"anything-but": []}), "EventPattern"),
    (OPERATORS, "put_rule", condition({"anything-but": ["a", 1]}), "EventPattern"),
    (OPERATORS, "put_rule", condition({"anything-but": [None]}), "EventPattern"),
    (OPERATORS, "put_rule", condition({"anything-but": True}), "EventPattern"),
    (OPERATORS, "put_rule", condition({"anything-but": {"exists": True}}), "EventPattern"),
    (OPERATORS, "put_rule", condition({"anything-but": {"prefix": ""}}), "EventPattern"),
    ("SEEN anything-but with a list of wildcards", "put_rule", condition({"anything-but": [{"wildcard": "*a*"}]}), "EventPattern"),
    (OPERATORS, "put_rule", condition({"numeric": "> 5"}), "EventPattern"),
    (OPERATORS, "put_rule", condition({"numeric": [">"]}), "EventPattern"),
    (OPERATORS, "put_rule", condition({"numeric": [">", "5"]}), "EventPattern"),
    (OPERATORS, "put_rule", condition({"numeric": ["==", 5]}), "EventPattern"),
    (OPERATORS, "put_rule", condition({"numeric": ["<", 5, ">", 1]}), "EventPattern"),
    (OPERATORS, "put_rule", condition({"numeric": [">", 5, "<=", 1]}), "EventPattern"),
    (OPERATORS, "put_rule", condition({"numeric": ["=", 5, "<", 9]}), "EventPattern"),
    (OPERATORS, "put_rule", condition({"cidr": "10.0.0.0"}), "EventPattern"),
    (OPERATORS, "put_rule", condition({"cidr": "10.0.0.0/32"}), "EventPattern"),
    (OPERATORS, "put_rule", condition({"cidr": "ten/8"}), "EventPattern"),
    ("GUIDE $or; RULER", "put_rule", rule({"$or": [{"source": ["a"]}]}), "EventPattern"),
    ("RULER: one reading of $or for the whole pattern", "put_rule", rule({"$or": [{"y": ["a"]}, {"$or": ["a"]}]}), "EventPattern"),
    ("GUIDE $or; RULER", "put_rule", rule({"$or": [{"source": ["a"]}, {"source": "b"}]}), "EventPattern"),
    (CRON, "put_rule", at("rate(5 minute)"), "ScheduleExpression"),
    (CRON, "put_rule", at("rate(1 hours)"), "ScheduleExpression"),
    (CRON, "put_rule", at("rate(0 days)"), "ScheduleExpression"),
    (CRON, "put_rule", at("rate(1.5 hours)"), "ScheduleExpression"),
    (CRON, "put_rule", at("rate(30 seconds)"), "ScheduleExpression"),
    (CRON, "put_rule", at("0 12 * * ? *"), "ScheduleExpression"),
    ("GUIDE: at() is of EventBridge Scheduler", "put_rule", at("at(2030-01-01T00:00:00)"), "ScheduleExpression"),
    (CRON, "put_rule", at("cron(0 12 * * *)"), "ScheduleExpression"),
    (CRON, "put_rule", at("cron(0 12 * * * *)"), "ScheduleExpression"),
    (CRON, "put_rule", at("cron(0 12 ? * ? *)"), "ScheduleExpression"),
    (CRON, "put_rule", at("cron(0 12 1 * MON *)"), "ScheduleExpression"),
    (CRON, "put_rule", at("cron(60 12 * * ? *)"), "ScheduleExpression"),
    (CRON, "put_rule", at("cron(0 24 * * ? *)"), "ScheduleExpression"),
    (CRON, "put_rule", at("cron(0 12 0 * ? *)"), "ScheduleExpression"),
    (CRON, "put_rule", at("cron(0 12 * 13 ? *)"), "ScheduleExpression"),
    (CRON, "put_rule", at("cron(0 12 ? * 0 *)"), "ScheduleExpression"),
    (CRON, "put_rule", at("cron(0 12 ? * MO *)"), "ScheduleExpression"),
    (CRON, "put_rule", at("cron(0 12 ? * 2#6 *)"), "ScheduleExpression"),
    (CRON, "put_rule", at("cron(0 12 * * ? 2200)"), "ScheduleExpression"),
    (CRON, "put_rule", at("cron(0 12 * * ? 1969)"), "ScheduleExpression"),
    (CRON, "put_rule", at("cron(L 12 * * ? *)"), "ScheduleExpression"),
    ("SEEN */60 of the minutes", "put_rule", at("cron(*/60 * * * ? *)"), "ScheduleExpression"),
    ("SEEN -1 as day of week", "put_rule", at("cron(15 12 ? * -1 *)"), "ScheduleExpression"),
    ("SEEN ? as hours", "put_rule", at("cron(* ? * * * *)"), "ScheduleExpression"),
    ("GUIDE cron: one day with #", "put_rule", at("cron(0 12 ? * 3#1,6#3 *)"), "ScheduleExpression"),
    ("SEEN ScheduleExpression is supported only on the default event bus", "put_rule", at("rate(5 minutes)", EventBusName="orders"), "ScheduleExpression"),
    ("API PutTargets: five targets", "put_targets", {"Rule": "orders", "Targets": [{"Id": str(n), "Arn": TOPIC} for n in range(6)]}, "Targets"),
    (TARGETS, "put_targets", {"Rule": "orders", "Targets": [{"Id": "a", "Arn": TOPIC}, {"Id": "a", "Arn": QUEUE}]}, "Targets[1].Id"),
    ("API Target, Id", "put_targets", {"Rule": "orders", "Targets": [{"Id": "a b", "Arn": TOPIC}]}, "Targets[0].Id"),
    ("SEEN Provided Arn is not in correct format", "put_targets", target("orders"), "Targets[0].Arn"),
    ("API PutTargets: mutually exclusive", "put_targets", target(Input="{}", InputPath="$.detail"), "Targets[0]"),
    ("API Target, Input", "put_targets", target(Input="hello"), "Targets[0].Input"),
    ("API PutTargets: JSON path", "put_targets", target(InputPath="detail.state"), "Targets[0].InputPath"),
    ("API PutTargets: dot notation", "put_targets", target(InputPath="$.detail['state']"), "Targets[0].InputPath"),
    (TRANSFORMER, "put_targets", template('"<a>"', a="$['detail']"), "Targets[0].InputTransformer.InputPathsMap.a"),
    (TRANSFORMER, "put_targets", template('"<a>"', **{"AWS.a": "$.detail", "a": "$.b"}), "Targets[0].InputTransformer.InputPathsMap.AWS.a"),
    ("SEEN contains invalid placeholder", "put_targets", template('"<state> of <instance>"', state="$.detail.state"), "Targets[0].InputTransformer.InputTemplate"),
    ("GUIDE predefined variables", "put_targets", template('"<aws.events.rule>"'), "Targets[0].InputTransformer.InputTemplate"),
    ("SEEN template that is a bare text", "put_targets", template("EC2 is <state>", state="$.detail.state"), "Targets[0].InputTransformer.InputTemplate"),
    (TRANSFORMER, "put_targets", template('{"state": <state>', state="$.detail.state"), "Targets[0].InputTransformer.InputTemplate"),
    (TRANSFORMER, "put_targets", template('{"<state>": 1}', state="$.detail.state"), "Targets[0].InputTransformer.InputTemplate"),
    ("SEEN Input for target is not a valid JSON text", "put_targets", template('"<state>"', GROUP, state="$.detail.state"), "Targets[0].InputTransformer.InputTemplate"),
    (DLQ, "put_targets", target(DeadLetterConfig={"Arn": f"{QUEUE}.fifo"}), "Targets[0].DeadLetterConfig.Arn"),
    (DLQ, "put_targets", target(DeadLetterConfig={"Arn": TOPIC}), "Targets[0].DeadLetterConfig.Arn"),
    ("API RetryPolicy: 185", "put_targets", target(RetryPolicy={"MaximumRetryAttempts": 186}), "Targets[0].RetryPolicy.MaximumRetryAttempts"),
    ("API RetryPolicy: 60 to 86400", "put_targets", target(RetryPolicy={"MaximumEventAgeInSeconds": 59}), "Targets[0].RetryPolicy.MaximumEventAgeInSeconds"),
    ("SEEN RoleArn is required for target", "put_targets", target(f"arn:aws:states:{PLACE}:stateMachine:x"), "Targets[0].RoleArn"),
    ("SEEN RoleArn is required for target", "put_targets", target(f"arn:aws:codebuild:{PLACE}:project/x"), "Targets[0].RoleArn"),
    ("SEEN RoleArn is required for target", "put_targets", target(f"arn:aws:codepipeline:{PLACE}:x"), "Targets[0].RoleArn"),
    ("SEEN RoleArn is required for target", "put_targets", target(f"arn:aws:events:{PLACE}:api-destination/x/1"), "Targets[0].RoleArn"),
    ("API PutTargets: roles for Kinesis", "put_targets", target(f"arn:aws:kinesis:{PLACE}:stream/x"), "Targets[0].RoleArn"),
    ("API Target, RoleArn", "put_targets", target(RoleArn="admin"), "Targets[0].RoleArn"),
    ("API Target, EcsParameters", "put_targets", target(EcsParameters={"TaskDefinitionArn": TASK}), "Targets[0].EcsParameters"),
    ("API Target, EcsParameters", "put_targets", target(CLUSTER, RoleArn=ROLE), "Targets[0].EcsParameters"),
    ("API Target, BatchParameters", "put_targets", target(JOBS, RoleArn=ROLE), "Targets[0].BatchParameters"),
    ("API Target, KinesisParameters", "put_targets", target(KinesisParameters={"PartitionKeyPath": "$.id"}), "Targets[0].KinesisParameters"),
    ("API Target, SqsParameters", "put_targets", target(SqsParameters={"MessageGroupId": "a"}), "Targets[0].SqsParameters"),
    ("SEEN SqsParameters must be specified for target", "put_targets", target(f"{QUEUE}.fifo"), "Targets[0].SqsParameters"),
    ("GUIDE targets: no FIFO topics", "put_targets", target(f"{TOPIC}.fifo"), "Targets[0].Arn"),
    ("API PutTargets: bus of another account", "put_targets", target("arn:aws:events:eu-west-1:999999999999:event-bus/x", Input="{}") | {"EventBusName": f"arn:aws:events:{PLACE}:event-bus/default"}, "Targets[0].Input"),
    (ECS, "put_targets", ecs(LaunchType="FARGATE"), "Targets[0].EcsParameters.NetworkConfiguration"),
    (ECS, "put_targets", ecs(LaunchType="EC2", CapacityProviderStrategy=[{"capacityProvider": "a"}]), "Targets[0].EcsParameters.LaunchType"),
    (ECS, "put_targets", ecs(LaunchType="EC2", NetworkConfiguration={"awsvpcConfiguration": {"Subnets": ["s"], "AssignPublicIp": "ENABLED"}}), "Targets[0].EcsParameters.NetworkConfiguration.awsvpcConfiguration.AssignPublicIp"),
    (ECS, "put_targets", ecs(NetworkConfiguration={"awsvpcConfiguration": {"Subnets": ["s"] * 17}}), "Targets[0].EcsParameters.NetworkConfiguration.awsvpcConfiguration.Subnets"),
    ("API PlacementConstraint", "put_targets", ecs(PlacementConstraints=[{"type": "distinctInstance", "expression": "x"}]), "Targets[0].EcsParameters.PlacementConstraints[0].expression"),
    ("API BatchArrayProperties", "put_targets", target(JOBS, RoleArn=ROLE, BatchParameters={"JobDefinition": "a", "JobName": "b", "ArrayProperties": {"Size": 1}}), "Targets[0].BatchParameters.ArrayProperties.Size"),
    ("API BatchRetryStrategy", "put_targets", target(JOBS, RoleArn=ROLE, BatchParameters={"JobDefinition": "a", "JobName": "b", "RetryStrategy": {"Attempts": 11}}), "Targets[0].BatchParameters.RetryStrategy.Attempts"),
    ("API RemoveTargets: 10", "remove_targets", {"Rule": "orders", "Ids": [str(n) for n in range(11)]}, "Ids"),
    (ENTRY, "put_events", event(Detail="hello"), "Entries[0].Detail"),
    (ENTRY, "put_events", event(Detail="[1]"), "Entries[0].Detail"),
    (ENTRY, "put_events", event(DetailType="a" * 129), "Entries[0].DetailType"),
    (ENTRY, "put_events", {"Entries": [{"DetailType": "a", "Detail": "{}"}]}, "Entries[0].Source"),
    ("SEEN NotAuthorizedForSourceException", "put_events", event(Source="aws.orders"), "Entries[0].Source"),
    ("API PutEvents: 1 MB", "put_events", event(Detail=json.dumps({"a": "b" * 1_048_576})), "Entries"),
    ("API PutEvents: 10", "put_events", {"Entries": event()["Entries"] * 11}, "Entries"),
    ("API PutEvents: 64 bits", "put_events", event(Detail='{"a": 9223372036854775808}'), "Entries[0].Detail"),
    ("API TestEventPattern: mandatory fields", "test_event_pattern", {"EventPattern": '{"source": ["a"]}', "Event": '{"source": "a"}'}, "Event"),
    ("API TestEventPattern", "test_event_pattern", {"EventPattern": '{"source": "a"}', "Event": json.dumps(EVENT)}, "EventPattern"),
    ("API PutPermission: Condition", "put_permission", {"Action": "events:PutEvents", "Principal": "*", "StatementId": "a", "Condition": {"Type": "StringLike", "Key": "aws:PrincipalOrgID", "Value": "o-1"}}, "Condition.Type"),
    ("API PutPermission", "put_permission", {"Action": "events:PutEvents", "Principal": "*"}, "StatementId"),
    ("API CreateEventBus", "create_event_bus", {"Name": "default"}, "Name"),
    ("API CreateEventBus", "create_event_bus", {"Name": "orders/eu"}, "Name"),
    ("API TagResource", "tag_resource", {"ResourceARN": f"arn:aws:events:{PLACE}:archive/x", "Tags": []}, "ResourceARN"),
    ("general reference, tagging", "tag_resource", {"ResourceARN": RULE, "Tags": [{"Key": "a", "Value": "1"}, {"Key": "a", "Value": "1"}]}, "Tags[1].Key"),
]  # fmt: skip

PATTERNS: list[Any] = [
    {"source": ["aws.ec2"], "detail-type": ["EC2 Instance State-change Notification"], "detail": {"state": ["terminated"]}},
    {"time": [{"prefix": "2017-10-02"}]},
    {"service": [{"prefix": {"equals-ignore-case": "eventb"}}, {"suffix": {"equals-ignore-case": "tbridge"}}]},
    {"detail": {"FileName": [{"suffix": ".png"}], "LastName": [""], "UserID": [None], "flag": [True, False]}},
    {"detail": {"state": [{"anything-but": "initializing"}, {"anything-but": ["stopped", "overloaded"]}]}},
    {"detail": {"x-limit": [{"anything-but": 123}, {"anything-but": [100, 200, 300]}]}},
    {"detail": {"a": [{"anything-but": {"prefix": "init"}}, {"anything-but": {"suffix": [".txt", ".rtf"]}}, {"anything-but": {"prefix": ["a", "b"]}}]}},
    {"detail": {"a": [{"anything-but": {"equals-ignore-case": ["initializing", "stopped"]}}, {"anything-but": {"wildcard": "*/lib/*"}}]}},
    {"detail": {"c": [{"numeric": [">", 0, "<=", 5]}], "d": [{"numeric": ["<", 10]}], "x": [{"numeric": ["=", 3.018e2]}]}},
    {"detail": {"sourceIPAddress": [{"cidr": "10.0.0.0/24"}, {"cidr": "2001:db8::/32"}]}},
    {"detail": {"c-count": [{"exists": True}], "d": [{"exists": False}]}},
    {"detail": {"name": [{"equals-ignore-case": "alice"}], "account": [111122223333, "111122223333"]}},
    {"EventBusArn": [{"wildcard": "arn:aws:events:us-east-1:*:event-bus/*"}], "p": [{"wildcard": "a\\*b\\\\*"}]},
    {"$or": [{"detail": {"Location": ["New York"]}}, {"detail": {"Day": ["Monday"]}}]},
    {"source": ["aws.cloudwatch"], "$or": [{"metricName": ["CPU"]}, {"metricType": ["M"], "namespace": ["AWS/EC2"], "$or": [{"metricId": [1234]}, {"spaceId": [1000]}]}, {"scope": ["Service"]}]},
    {"source": ["aws.cloudwatch"], "$or": {"metricType": ["MetricType"], "namespace": ["AWS/EC2", "AWS/ES"]}},
    {"$or": ["a", "b"]},
    {"detail": {"a": [{"numeric": [">", 1e12]}]}},
    {"detail": {"prefix": ["a"], "exists": {"numeric": [1]}}},
]  # fmt: skip
SCHEDULES = [
    "rate(5 minutes)", "rate(1 hour)", "rate(7 days)", "rate(1 minute)", "cron(0 10 * * ? *)", "cron(15 12 * * ? *)",
    "cron(0 18 ? * MON-FRI *)", "cron(0 8 1 * ? *)", "cron(0/15 * * * ? *)", "cron(0/10 * ? * MON-FRI *)", "cron(0/5 8-17 ? * MON-FRI *)",
    "cron(0/30 20-2 ? * MON-FRI *)", "cron(0 9 ? * 2#1 *)", "cron(15 10 ? * 6L 2002-2005)", "cron(0 0 L * ? *)", "cron(0 0 3W * ? *)",
    "cron(0 8 LW * ? *)", "cron(0 0 ? JAN,FEB mon *)", "cron(*/5 * * 1-6 ? 2026)", "cron(0 12 ? * TUE#3 *)", "cron(0/5, 9-18, ?, *, MON-FRI, *)", "cron(* 1 * * ? *)", "cron(0,30 11,12 ? APR,MAY SAT,SUN *)", "cron(/15 */6 * * ? *)",
]  # fmt: skip
RIGHT: list[tuple[str, dict[str, Any]]] = [
    *(("put_rule", rule(pattern)) for pattern in PATTERNS),
    *(("put_rule", at(schedule)) for schedule in SCHEDULES),
    ("put_rule", at("rate(5 minutes)", EventBusName=f"arn:aws:events:{PLACE}:event-bus/default")),
    ("put_rule", rule({"source": ["a"]}, ScheduleExpression="rate(1 day)", State="DISABLED", RoleArn=ROLE, Tags=[{"Key": "a", "Value": ""}])),
    ("put_rule", rule({"source": ["a"]}, State="ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS", EventBusName="orders")),
    ("put_targets", {"Rule": "orders", "Targets": [{"Id": str(n), "Arn": TOPIC} for n in range(5)]}),
    ("put_targets", target(Input='"hello"')),
    ("put_targets", target(InputPath="$.detail.items[0].a-b_c")),
    ("put_targets", target(GROUP, RetryPolicy={"MaximumRetryAttempts": 0, "MaximumEventAgeInSeconds": 60}, DeadLetterConfig={"Arn": QUEUE})),
    ("put_targets", target(QUEUE, RoleArn=ROLE)),
    ("put_targets", target(f"{QUEUE}.fifo", SqsParameters={"MessageGroupId": "$.detail.id"})),
    ("put_targets", target(QUEUE, SqsParameters={"MessageGroupId": "a"})),
    ("put_targets", target(f"arn:aws:lambda:{PLACE}:function:relay:live")),
    ("put_targets", target(f"arn:aws:events:{PLACE}:event-bus/other", Input="{}")),
    ("put_targets", target(f"arn:aws:execute-api:{PLACE}:abc/prod/POST/x", HttpParameters={"HeaderParameters": {"a": "b"}})),
    ("put_targets", target(f"arn:aws:ssm:{PLACE}:document/x", RoleArn=ROLE, RunCommandParameters={"RunCommandTargets": [{"Key": "tag:env", "Values": ["prod"]}]})),
    ("put_targets", target(f"arn:aws:kinesis:{PLACE}:stream/x", RoleArn=ROLE, KinesisParameters={"PartitionKeyPath": "$.id"})),
    ("put_targets", ecs(LaunchType="FARGATE", NetworkConfiguration={"awsvpcConfiguration": {"Subnets": ["s"], "AssignPublicIp": "ENABLED"}})),
    ("put_targets", template('"<instance> is in state <status>"', instance="$.detail.instance", status="$.detail.status")),
    ("put_targets", template('"<instance> is in state \\"<status>\\""', instance="$.detail.instance", status="$.detail.status")),
    ("put_targets", template('{"myInstance": <instance>,"myStatus": "<instance> is in state \\"<status>\\""}', instance="$.detail.instance", status="$.detail.status")),
    ("put_targets", template('"one <a>"\n"two <aws.events.rule-name>"', a="$.detail.*")),
    ("put_targets", template('{"e": <aws.events.event.json>, "t": "<aws.events.event.ingestion-time>", "x": <aws.events.event>}')),
    ("put_targets", template('{"timestamp": <time>, "message": "<a>"}', GROUP, time="$.time", a="$.detail-type")),
    ("remove_targets", {"Rule": "orders", "Ids": ["a", "b"], "Force": True}),
    ("delete_rule", {"Name": "orders", "Force": True}),
    ("put_events", event(Detail='{"a": 9223372036854775807, "b": -9223372036854775808, "c": 1e300}', DetailType="a" * 128)),
    ("put_events", {"Entries": event()["Entries"] * 10}),
    ("test_event_pattern", {"EventPattern": '{"source": ["a"]}', "Event": json.dumps(EVENT)}),
    ("put_permission", {"Action": "events:PutEvents", "Principal": "111122223333", "StatementId": "a"}),
    ("put_permission", {"Policy": json.dumps({"Statement": {"Effect": "Allow", "Principal": {"AWS": "111122223333"}, "Action": "events:PutEvents", "Resource": f"arn:aws:events:{PLACE}:event-bus/default"}})}),
    ("create_event_bus", {"Name": "aws.partner/example.com/x", "EventSourceName": "aws.partner/example.com/x"}),
    ("tag_resource", {"ResourceARN": RULE, "Tags": [{"Key": "a", "Value": "1"}]}),
    ("tag_resource", {"ResourceARN": f"arn:aws:cloudwatch:{PLACE}:alarm:x", "Tags": [{"Key": "a", "Value": "1"}]}),
]  # fmt: skip


@pytest.mark.parametrize(
    ("source", "operation", "params", "path"), WRONG, ids=[f"{n}-{row[1]}" for n, row in enumerate(WRONG)]
)
def test_what_eventbridge_refuses_is_refused_at_its_place(
    source: str, operation: str, params: dict[str, Any], path: str
):
    found = validate(operation, params)
    assert path in [problem.path for problem in found], f"{source}: {found}"
    assert all(problem.message and len(str(problem)) < 700 for problem in found)


@pytest.mark.parametrize(("operation", "params"), RIGHT, ids=[f"{n}-{row[0]}" for n, row in enumerate(RIGHT)])
def test_what_eventbridge_takes_is_not_refused(operation: str, params: dict[str, Any]):
    assert validate(operation, params) == []


def test_what_moto_refuses_of_patterns_is_refused_here_too():
    moto = pytest.importorskip("moto.events.models")
    refused = 0
    for _, operation, params, path in WRONG:
        if operation == "put_rule" and path == "EventPattern":
            try:
                moto.EventPattern.load(params["EventPattern"])
            except Exception:
                refused += 1
    assert refused > 3
    for pattern in PATTERNS:
        if not any(key == "$or" for key in pattern):
            moto.EventPattern.load(json.dumps(pattern))


LEAVES = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=6)
JSON = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, max_size=4)
    | st.dictionaries(st.sampled_from(["$or", "a", "prefix", "numeric", "anything-but", "exists", "cidr", "wildcard"]), inner, max_size=3),
    max_leaves=15,
)  # fmt: skip


@settings(max_examples=300, deadline=None)
@given(JSON, st.text(alphabet='<a>{}":,$ \\1', max_size=20))
def test_no_pattern_and_no_template_raises(content: Any, text: str):
    assert all(problem.message for problem in validate("put_rule", rule(json.dumps(content))))
    assert all(problem.message for problem in validate("put_targets", template(text or "a", a="$.a")))
    assert all(problem.message for problem in validate("put_events", event(Detail=json.dumps(content))))


@settings(max_examples=300, deadline=None)
@given(st.sampled_from(["cron", "rate"]), st.text(alphabet="0123456789*?,-/LW# MONJAminutesday", max_size=30))
def test_no_schedule_raises(kind: str, text: str):
    assert isinstance(event_schedule_fault(f"{kind}({text})"), str)

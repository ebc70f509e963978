"""A sound account, and one with a defect for each rule of the audit."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from tests.aws.audit.world import ACCOUNT, LOAD_BALANCER, NOW, REGION, TARGET_GROUP, World, publish_policy

__all__ = ["DEFECTS", "Defect", "sound"]

_KEY = "1234abcd-12ab-34cd-56ef-1234567890ab"
_SCALING = f"arn:aws:autoscaling:{REGION}:{ACCOUNT}:scalingPolicy:11111111-1111-1111-1111-111111111111:resource/ecs/service/shops/shop:policyName/cpu"
_LONG = NOW - timedelta(days=40)
_RIGHT_BODY = json.dumps({"NewStateValue": ["ALARM"], "AlarmName": [{"prefix": ""}]})
_NIGHTLY = {"Schedule": {"Expression": "cron(0 2 * * *)", "Duration": "PT2H", "Timezone": "UTC"}}


def dims(values: dict[str, str]) -> list[dict[str, str]]:
    return [{"Name": name, "Value": value} for name, value in values.items()]


def key_policy(service: str = "cloudwatch.amazonaws.com", **more: Any) -> dict[str, Any]:
    root = {
        "Effect": "Allow",
        "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:root"},
        "Action": "kms:*",
        "Resource": "*",
    }
    use = {
        "Sid": "Use",
        "Effect": "Allow",
        "Principal": {"Service": service},
        "Action": ["kms:Decrypt", "kms:GenerateDataKey*"],
        "Resource": "*",
    }
    return {"Version": "2012-10-17", "Statement": [root, use | more]}


def sound(world: World) -> World:
    """Fill an account with all that looks wrong to a naive eye and is right."""
    ops = world.topic("ops")
    world.alarm("checkout-cpu")
    # The policy that SNS itself gives a topic.
    default = {"Version": "2008-10-17", "Statement": [{"Sid": "__default_statement_ID", "Effect": "Allow", "Principal": {"AWS": "*"}, "Action": ["SNS:GetTopicAttributes", "SNS:Publish"], "Resource": world.arn("sns", "plain"), "Condition": {"StringEquals": {"AWS:SourceOwner": ACCOUNT}}}]}  # fmt: skip
    plain = world.topic("plain", policy=default)
    world.alarm("plain-cpu", AlarmActions=[plain], OKActions=[plain])
    # A key of one's own, conditions, a function, a filter that sorts by the body, a webhook with a dead-letter queue.
    world.keys[_KEY] = {"policy": key_policy()}
    safe = world.topic(
        "safe", hears=False, KmsMasterKeyId=_KEY,
        policy=publish_policy(world.arn("sns", "safe"), "cloudwatch.amazonaws.com", StringEquals={"aws:SourceAccount": ACCOUNT}, ArnLike={"aws:SourceArn": world.arn("cloudwatch", "alarm:*")}),
    )  # fmt: skip
    letters = json.dumps({"deadLetterTargetArn": world.arn("sqs", "letters")})
    world.subscribe(safe, "lambda", world.function("relay", "sns.amazonaws.com"), RedrivePolicy=letters)
    world.subscribe(safe, "https", "https://events.pagerduty.com/integration/0123456789/enqueue", RedrivePolicy=letters, FilterPolicy=_RIGHT_BODY, FilterPolicyScope="MessageBody")  # fmt: skip
    world.alarm("safe-cpu-critical", AlarmActions=[safe], OKActions=[safe])
    # What services make for themselves.
    world.alarm(
        "TargetTracking-service/shops/shop-AlarmLow-0a1b", AlarmActions=[_SCALING], OKActions=[], StateValue="ALARM", StateTransitionedTimestamp=_LONG,
        ComparisonOperator="LessThanThreshold", Threshold=45.0, EvaluationPeriods=15, DatapointsToAlarm=15, Dimensions=dims({"ClusterName": "checkout-cpu"}),
        AlarmDescription="DO NOT EDIT OR DELETE. For TargetTrackingScalingPolicy " + _SCALING,
    )  # fmt: skip
    world.alarm("awseb-e-abcdefghij-stack-AWSEBCloudwatchAlarmLow-1A2B", AlarmActions=[_SCALING], OKActions=[], StateValue="ALARM", StateTransitionedTimestamp=_LONG, Namespace="AWS/EC2", MetricName="NetworkOut", Dimensions=dims({"AutoScalingGroupName": "web"}), Statistic="Average", ComparisonOperator="LessThanThreshold", Threshold=2e6)  # fmt: skip
    world.metrics.append(("AWS/EC2", "NetworkOut", {"AutoScalingGroupName": "web"}))
    for name, does in (("recover", "arn:aws:automate:eu-west-1:ec2:recover"), ("status", ops)):
        world.alarm(f"instance-{name}", AlarmActions=[does], OKActions=[] if does != ops else [ops], Namespace="AWS/EC2", MetricName="StatusCheckFailed_System", Dimensions=dims({"InstanceId": "i-0123456789abcdef0"}), Statistic="Maximum", Threshold=0.0, EvaluationPeriods=2, DatapointsToAlarm=2)  # fmt: skip
    world.metrics.append(("AWS/EC2", "StatusCheckFailed_System", {"InstanceId": "i-0123456789abcdef0"}))
    # No action of their own, and somebody who looks.
    for name in ("child-a", "child-b", "deployed", "released", "announced", "quiet-window"):
        world.alarm(name, AlarmActions=[], OKActions=[])
    world.composite("both", 'ALARM("child-a") AND ALARM("child-b")', ActionsSuppressor="quiet-window", ActionsSuppressorWaitPeriod=60, ActionsSuppressorExtensionPeriod=60)  # fmt: skip
    world.services.append({"serviceName": "shop", "deploymentConfiguration": {"alarms": {"alarmNames": ["deployed"], "enable": True, "rollback": True}}})  # fmt: skip
    world.deployment_groups.append({"applicationName": "shop", "deploymentGroupName": "blue", "alarmConfiguration": {"enabled": True, "alarms": [{"name": "released"}]}})  # fmt: skip
    world.rule("alarm-states", {"source": ["aws.cloudwatch"], "detail-type": ["CloudWatch Alarm State Change"], "detail": {"alarmName": [{"prefix": "announced"}], "state": {"value": ["ALARM"]}}}, ops)  # fmt: skip
    # Metrics that come only when something is wrong.
    world.metrics.append(("AWS/ApplicationELB", "ConsumedLCUs", LOAD_BALANCER))
    world.metrics.append(
        (
            "AWS/ApplicationELB",
            "HTTPCode_ELB_5XX_Count",
            {"LoadBalancer": "app/other/0123456789abcdef", "AvailabilityZone": "eu-west-1a"},
        )
    )
    world.alarm("lb-5xx", Namespace="AWS/ApplicationELB", MetricName="HTTPCode_ELB_5XX_Count", Dimensions=dims(LOAD_BALANCER), Statistic="Sum", Threshold=10.0, TreatMissingData="notBreaching")  # fmt: skip
    world.alarm("db-connection-errors", Namespace="Orders", MetricName="DatabaseConnectionErrors", Dimensions=dims({"service": "orders"}), Statistic="Sum", Threshold=5.0, TreatMissingData="notBreaching")  # fmt: skip
    world.filters.add(("CIS", "RootLogin"))
    world.alarm("root-login", Namespace="CIS", MetricName="RootLogin", Dimensions=[], Statistic="Sum", Threshold=1.0, ComparisonOperator="GreaterThanOrEqualToThreshold")  # fmt: skip
    # A function that is seldom called.
    world.metrics.append(("AWS/Lambda", "Errors", {"FunctionName": "monthly"}))
    world.alarm("monthly-errors", Namespace="AWS/Lambda", MetricName="Errors", Dimensions=dims({"FunctionName": "monthly"}), Statistic="Sum", Threshold=1.0, StateValue="INSUFFICIENT_DATA", StateTransitionedTimestamp=_LONG)  # fmt: skip
    # A night that a composite reads, and a scaling policy that tells people too.
    world.alarm("night", AlarmActions=[], OKActions=[], StateValue="ALARM", StateTransitionedTimestamp=_LONG)
    world.composite("by-day", 'ALARM("child-a") AND NOT ALARM("night")')
    world.alarm("scale-in", AlarmActions=[_SCALING, ops], StateValue="ALARM", StateTransitionedTimestamp=_LONG, ComparisonOperator="LessThanThreshold", Threshold=20.0)  # fmt: skip
    # A warning before the critical alarm, to other people.
    world.metrics.append(("AWS/RDS", "CPUUtilization", {"DBInstanceIdentifier": "orders"}))
    for severity, threshold, topic in (("critical", 95.0, ops), ("warning", 85.0, plain)):
        world.alarm(f"rds-cpu-{severity}", Namespace="AWS/RDS", Dimensions=dims({"DBInstanceIdentifier": "orders"}), Threshold=threshold, AlarmActions=[topic], OKActions=[topic])  # fmt: skip
    # Another account's topic, another kind of action, an event rule to logs, a mute rule of every night.
    world.alarm("shared-cpu", AlarmActions=[f"arn:aws:sns:{REGION}:999988887777:central"], OKActions=[f"arn:aws:sns:{REGION}:999988887777:central"])  # fmt: skip
    world.alarm("ticket-cpu", AlarmActions=[world.arn("ssm", "opsitem:2")], OKActions=[])
    group = world.arn("logs", "log-group:/aws/events/deployments")
    world.groups.append("/aws/events/deployments")
    world.log_policies.append({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": {"Service": ["events.amazonaws.com", "delivery.logs.amazonaws.com"]}, "Action": ["logs:CreateLogStream", "logs:PutLogEvents"], "Resource": f"{group}:*"}]})  # fmt: skip
    world.rule("deployments", {"source": ["aws.ecs"], "detail-type": ["ECS Deployment State Change"]}, group)
    world.mutes.append(
        {
            "Name": "nightly",
            "Status": "SCHEDULED",
            "Rule": _NIGHTLY,
            "MuteTargets": {"AlarmNames": ["checkout-cpu"]},
        }
    )
    world.values = {"ops NumberOfNotificationsDelivered": [5.0]}
    return world


Defect = tuple[str, str, Callable[[World], None]]
DEFECTS: list[Defect] = []
"""The rule, the thing, and what makes it so."""


def defect(rule: str, thing: str = "bad") -> Callable[[Callable[[World], None]], Callable[[World], None]]:
    def note(seed: Callable[[World], None]) -> Callable[[World], None]:
        DEFECTS.append((rule, thing, seed))
        return seed

    return note


def tells(world: World, topic: str, **more: Any) -> None:
    world.alarm("bad", AlarmActions=[topic], OKActions=[topic], **more)


@defect("metric-dead")
def _gone(world: World) -> None:
    world.alarm("bad", Dimensions=dims({"ClusterName": "was-deleted"}))


@defect("metric-dead")
def _custom_never_sent(world: World) -> None:
    world.alarm("bad", Namespace="Orders", MetricName="OrdersCreated", Dimensions=[], Statistic="Sum", ComparisonOperator="LessThanThreshold", Threshold=1.0)  # fmt: skip


@defect("metric-dead")
def _filter_is_gone(world: World) -> None:
    world.alarm(
        "bad", Namespace="CIS", MetricName="RootLogins", Dimensions=[], Statistic="Sum", Threshold=1.0
    )


@defect("metric-other-dimensions")
def _other_dimensions(world: World) -> None:
    world.metrics.append(("Orders", "OrdersCreated", {"service": "orders", "env": "production"}))
    world.alarm("bad", Namespace="Orders", MetricName="OrdersCreated", Dimensions=dims({"service": "orders"}), Statistic="Sum", TreatMissingData="notBreaching")  # fmt: skip


@defect("metric-other-dimensions")
def _other_case(world: World) -> None:
    world.metrics.append(("AWS/SQS", "ApproximateAgeOfOldestMessage", {"QueueName": "Orders"}))
    world.alarm("bad", Namespace="AWS/SQS", MetricName="ApproximateAgeOfOldestMessage", Dimensions=dims({"QueueName": "orders"}), Statistic="Maximum")  # fmt: skip


@defect("metric-dead")
def _math(world: World) -> None:
    world.metrics.append(("AWS/ApplicationELB", "RequestCount", LOAD_BALANCER))
    gone = {"LoadBalancer": "app/gone/fedcba9876543210"}
    world.alarm(
        "bad", Namespace=None, MetricName=None, Dimensions=None, Statistic=None, Period=None, TreatMissingData="notBreaching", Threshold=0.05,
        Metrics=[
            {"Id": "share", "Expression": "IF(total >= 100, bad / total, 0)", "ReturnData": True},
            {"Id": "bad", "ReturnData": False, "MetricStat": {"Metric": {"Namespace": "AWS/ApplicationELB", "MetricName": "HTTPCode_Target_5XX_Count", "Dimensions": dims(gone)}, "Period": 60, "Stat": "Sum"}},
            {"Id": "total", "ReturnData": False, "MetricStat": {"Metric": {"Namespace": "AWS/ApplicationELB", "MetricName": "RequestCount", "Dimensions": dims(LOAD_BALANCER)}, "Period": 60, "Stat": "Sum"}},
        ],
    )  # fmt: skip


@defect("evaluation-error")
def _error(world: World) -> None:
    world.alarm("bad", EvaluationState="EVALUATION_ERROR", StateReason="Unchecked: the expression fails")


@defect("evaluation-partial")
def _partial(world: World) -> None:
    world.alarm("bad", EvaluationState="PARTIAL_DATA")


@defect("insufficient-data")
def _silent(world: World) -> None:
    world.alarm("bad", StateValue="INSUFFICIENT_DATA", StateTransitionedTimestamp=_LONG)


@defect("stuck-in-alarm")
def _stuck(world: World) -> None:
    world.alarm("bad", StateValue="ALARM", StateTransitionedTimestamp=_LONG)


@defect("stuck-in-alarm")
def _stuck_log_alarm(world: World) -> None:
    world.logs.append({"AlarmName": "bad", "AlarmArn": world.arn("cloudwatch", "alarm:bad"), "StateValue": "ALARM", "StateTransitionedTimestamp": _LONG, "ScheduledQueryConfiguration": {"QueryString": "fields @message"}, "AlarmActions": [world.arn("sns", "ops")], "OKActions": [world.arn("sns", "ops")], "ActionsEnabled": True})  # fmt: skip


@defect("composite-child-missing")
def _child(world: World) -> None:
    world.composite("bad", 'ALARM("checkout-cpu") OR ALARM("deleted")')


@defect("suppressor-missing")
def _suppressor(world: World) -> None:
    world.composite("bad", 'ALARM("checkout-cpu")', ActionsSuppressor="deleted", ActionsSuppressorWaitPeriod=60, ActionsSuppressorExtensionPeriod=60)  # fmt: skip


@defect("suppressor-stuck")
def _suppressed(world: World) -> None:
    world.alarm(
        "window",
        AlarmActions=[],
        OKActions=[],
        StateValue="ALARM",
        StateTransitionedTimestamp=NOW - timedelta(days=5),
    )
    world.composite("bad", 'ALARM("checkout-cpu")', ActionsSuppressor=world.arn("cloudwatch", "alarm:window"), ActionsSuppressorWaitPeriod=60, ActionsSuppressorExtensionPeriod=60)  # fmt: skip


@defect("no-action")
def _no_action(world: World) -> None:
    world.alarm("bad", AlarmActions=[], OKActions=[])


@defect("actions-disabled")
def _off(world: World) -> None:
    world.alarm("bad", ActionsEnabled=False)


@defect("action-elsewhere")
def _region(world: World) -> None:
    tells(world, f"arn:aws:sns:us-east-1:{ACCOUNT}:ops")


@defect("topic-missing", "deleted")
def _topic_gone(world: World) -> None:
    tells(world, world.arn("sns", "deleted"))


@defect("topic-unheard", "deaf")
def _nobody(world: World) -> None:
    tells(world, world.topic("deaf", hears=False))


@defect("topic-unheard", "deaf")
def _only_pending(world: World) -> None:
    topic = world.topic("deaf", hears=False)
    world.subscribe(topic, "email", "on-call@example.com", pending=True)
    tells(world, topic)


@defect("subscription-pending", "half")
def _pending(world: World) -> None:
    topic = world.topic("half")
    world.subscribe(topic, "email", "new@example.com", pending=True)
    tells(world, topic)


@defect("subscription-slack", "slack")
def _slack(world: World) -> None:
    topic = world.topic("slack", hears=False)
    world.subscribe(topic, "https", "https://hooks.slack.com/services/T0/B0/very-secret", pending=True)
    tells(world, topic)


@defect("subscription-filter-drops", "filtered")
def _filter_on_attributes(world: World) -> None:
    topic = world.topic("filtered", hears=False)
    world.subscribe(
        topic, "email", "on-call@example.com", FilterPolicy=json.dumps({"severity": ["critical"]})
    )
    tells(world, topic)


@defect("subscription-filter-drops", "filtered")
def _filter_on_body(world: World) -> None:
    topic = world.topic("filtered", hears=False)
    world.subscribe(
        topic,
        "email",
        "on-call@example.com",
        FilterPolicyScope="MessageBody",
        FilterPolicy=json.dumps({"severity": ["critical"]}),
    )
    tells(world, topic)


@defect("alarm-unheard")
def _filter_sorts_one_out(world: World) -> None:
    topic = world.topic("sorted", hears=False)
    world.subscribe(
        topic,
        "email",
        "on-call@example.com",
        FilterPolicyScope="MessageBody",
        FilterPolicy=json.dumps({"AlarmName": [{"prefix": "good"}]}),
    )
    tells(world, topic)
    world.alarm("good-cpu", AlarmActions=[topic], OKActions=[topic])


@defect("subscription-function-fails", "called")
def _function_gone(world: World) -> None:
    topic = world.topic("called", hears=False)
    world.subscribe(topic, "lambda", world.arn("lambda", "function:deleted"))
    tells(world, topic)


@defect("subscription-function-fails", "called")
def _function_shut(world: World) -> None:
    topic = world.topic("called", hears=False)
    world.subscribe(topic, "lambda", world.function("shut"))
    tells(world, topic)


@defect("subscription-function-fails", "called")
def _function_off(world: World) -> None:
    topic = world.topic("called", hears=False)
    world.subscribe(topic, "lambda", world.function("off", "sns.amazonaws.com", reserved=0))
    tells(world, topic)


@defect("function-forbids")
def _action_function(world: World) -> None:
    world.alarm(
        "bad",
        AlarmActions=[world.function("fixer", "sns.amazonaws.com")],
        OKActions=[world.arn("sns", "ops")],
    )


@defect("subscription-plain-http", "plain-http")
def _http(world: World) -> None:
    topic = world.topic("plain-http")
    world.subscribe(
        topic,
        "http",
        "http://hooks.example.com/alarm?key=secret",
        RedrivePolicy=json.dumps({"deadLetterTargetArn": "x"}),
    )
    tells(world, topic)


@defect("topic-policy-forbids", "shut")
def _policy(world: World) -> None:
    tells(world, world.topic("shut", policy=publish_policy(world.arn("sns", "shut"), "events.amazonaws.com")))


@defect("topic-policy-forbids", "shut")
def _policy_of_another_account(world: World) -> None:
    policy = publish_policy(
        world.arn("sns", "shut"),
        "cloudwatch.amazonaws.com",
        StringEquals={"aws:SourceAccount": "999988887777"},
    )
    tells(world, world.topic("shut", policy=policy))


@defect("topic-policy-forbids", "shut")
def _policy_of_other_alarms(world: World) -> None:
    policy = publish_policy(
        world.arn("sns", "shut"),
        "cloudwatch.amazonaws.com",
        ArnLike={"aws:SourceArn": world.arn("cloudwatch", "alarm:good-*")},
    )
    topic = world.topic("shut", policy=policy)
    world.alarm("good-cpu", AlarmActions=[topic], OKActions=[topic])
    tells(world, topic)


@defect("topic-policy-forbids", "shut")
def _policy_denies(world: World) -> None:
    policy = publish_policy(world.arn("sns", "shut"), "cloudwatch.amazonaws.com")
    policy["Statement"].append(
        {
            "Sid": "Never",
            "Effect": "Deny",
            "Principal": "*",
            "Action": "sns:Publish",
            "Resource": "*",
            "Condition": {"StringNotEquals": {"aws:SourceArn": "x"}},
        }
    )
    tells(world, world.topic("shut", policy=policy))


@defect("topic-key-of-aws", "locked")
def _key_of_aws(world: World) -> None:
    tells(world, world.topic("locked", KmsMasterKeyId="alias/aws/sns"))


@defect("topic-key-forbids", "locked")
def _key(world: World) -> None:
    world.keys["shut"] = {"policy": key_policy("events.amazonaws.com")}
    tells(world, world.topic("locked", KmsMasterKeyId="shut"))


@defect("topic-key-forbids", "locked")
def _key_for_half(world: World) -> None:
    world.keys["shut"] = {"policy": key_policy(Action="kms:Decrypt")}
    tells(world, world.topic("locked", KmsMasterKeyId="alias/shut"))


@defect("topic-key-unusable", "locked")
def _key_to_be_deleted(world: World) -> None:
    world.keys["ending"] = {"policy": key_policy(), "state": "PendingDeletion"}
    tells(world, world.topic("locked", KmsMasterKeyId="ending"))


@defect("topic-key-unusable", "locked")
def _key_gone(world: World) -> None:
    tells(world, world.topic("locked", KmsMasterKeyId="deleted"))


@defect("delivery-failing", "flaky")
def _failing(world: World) -> None:
    tells(world, world.topic("flaky"))
    world.values |= {
        "flaky NumberOfNotificationsFailed": [1.0, 2.0],
        "flaky NumberOfNotificationsDelivered": [7.0],
    }


@defect("missing-ok-action", "bad-critical")
def _no_recovery(world: World) -> None:
    world.alarm("bad-critical", OKActions=[])


@defect("duplicate-alarm", "checkout-cpu-again")
def _twice(world: World) -> None:
    world.alarm("checkout-cpu-again", Dimensions=dims({"ClusterName": "checkout-cpu"}))


@defect("mute-for-ever", "always")
def _muted(world: World) -> None:
    rule = {"Schedule": {"Expression": "cron(0 0 * * *)", "Duration": "P1D", "Timezone": "UTC"}}
    world.mutes.append(
        {"Name": "always", "Status": "ACTIVE", "Rule": rule, "MuteTargets": {"AlarmNames": ["checkout-cpu"]}}
    )


@defect("mute-unknown-alarm", "lost")
def _mutes_nothing(world: World) -> None:
    world.mutes.append(
        {"Name": "lost", "Status": "SCHEDULED", "Rule": _NIGHTLY, "MuteTargets": {"AlarmNames": ["renamed"]}}
    )


@defect("rule-target-missing", "to-nowhere")
def _rule_topic(world: World) -> None:
    world.rule("to-nowhere", {"source": ["aws.rds"]}, world.arn("sns", "deleted"))


@defect("rule-target-missing", "to-nowhere")
def _rule_function(world: World) -> None:
    world.rule("to-nowhere", {"source": ["aws.rds"]}, world.arn("lambda", "function:deleted"))


@defect("rule-target-missing", "to-nowhere")
def _rule_group(world: World) -> None:
    world.rule("to-nowhere", {"source": ["aws.rds"]}, world.arn("logs", "log-group:/aws/events/gone"))


@defect("rule-target-forbids", "shut-out")
def _rule_forbidden(world: World) -> None:
    world.rule("shut-out", {"source": ["aws.rds"]}, world.arn("sns", "plain"))


@defect("rule-target-forbids", "shut-out")
def _rule_logs_forbidden(world: World) -> None:
    world.groups.append("/other")
    world.rule("shut-out", {"source": ["aws.rds"]}, world.arn("logs", "log-group:/other:*"))


@defect("rule-topic-unheard", "unheard")
def _rule_unheard(world: World) -> None:
    world.rule("unheard", {"source": ["aws.rds"]}, world.topic("deaf", hears=False))


@defect("rule-without-target", "aimless")
def _rule_aimless(world: World) -> None:
    world.rule("aimless", {"source": ["aws.rds"]})


@defect("event-pattern-matches-nothing", "never")
def _rule_pattern(world: World) -> None:
    world.rule(
        "never",
        {"source": ["aws.ecs"], "detail": {"eventName": ["deploymentStateChanged"]}},
        world.arn("sns", "ops"),
    )


# What lint says of settings, on live alarms


@defect("dimension-value-form")
def _value_form(world: World) -> None:
    world.alarm("bad", Namespace="AWS/ApplicationELB", MetricName="RequestCount", Dimensions=dims({"LoadBalancer": "shop"}), Statistic="Sum", TreatMissingData="breaching", ComparisonOperator="LessThanThreshold", Threshold=1.0)  # fmt: skip


@defect("alarm-never-fires")
def _never(world: World) -> None:
    world.alarm(
        "bad", Namespace="AWS/RDS", Dimensions=dims({"DBInstanceIdentifier": "orders"}), Threshold=100.0
    )


@defect("missing-data-hides-outage")
def _hides(world: World) -> None:
    world.metrics.append(("AWS/ApplicationELB", "HealthyHostCount", TARGET_GROUP))
    world.alarm("bad", Namespace="AWS/ApplicationELB", MetricName="HealthyHostCount", Dimensions=dims(TARGET_GROUP), Statistic="Minimum", ComparisonOperator="LessThanThreshold", Threshold=1.0, TreatMissingData="notBreaching")  # fmt: skip


@defect("missing-data-on-sparse")
def _sparse(world: World) -> None:
    world.alarm("bad", Namespace="AWS/ApplicationELB", MetricName="HTTPCode_ELB_5XX_Count", Dimensions=dims(LOAD_BALANCER), Statistic="Sum", StateValue="INSUFFICIENT_DATA", StateTransitionedTimestamp=_LONG, Threshold=20.0)  # fmt: skip

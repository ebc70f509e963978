"""CloudWatch alarms that other people wrote: every seeded defect is found, and an alarm that is well made is left in peace."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import pytest

from orders_obs.alerts import load
from orders_obs.alerts.compile import cloudformation, terraform
from orders_obs.alerts.compile.aws import compile_state
from orders_obs.alerts.lint.cloudwatch.files import (
    AlarmFile,
    EventRule,
    Placed,
    Subscription,
    Topic,
    Unknown,
    read_alarms,
)
from orders_obs.alerts.lint.cloudwatch.rules import RULES, lint_alarm, lint_alarms
from orders_obs.findings import Finding

ROOT = Path(__file__).resolve().parents[4]
FILE = Path("alarms.json")
WEBHOOK = "https://hooks.slack.com/services/T0000/B0000/not-a-real-one"

TOPIC = "arn:aws:sns:eu-west-1:111122223333:orders-critical"
BALANCER = {"Name": "LoadBalancer", "Value": "app/orders/50dc6c495c0c9188"}
TARGETS = {"Name": "TargetGroup", "Value": "targetgroup/orders/73e2d6bc24d8a067"}
DATABASE = [{"Name": "DBInstanceIdentifier", "Value": "orders"}]
SERVICE = [{"Name": "ClusterName", "Value": "orders"}, {"Name": "ServiceName", "Value": "orders-api"}]
CACHE = [{"Name": "CacheClusterId", "Value": "orders-001"}]


def alarm(
    namespace: str, name: str, dimensions: list[dict[str, str]], stat: str, condition: str, **more: Any
) -> dict[str, Any]:
    """An alarm on one metric; `condition` such as `> 80`, `more` over the rest, None to leave out."""
    sign, threshold = condition.split()
    words = {">": "GreaterThan", ">=": "GreaterThanOrEqualTo", "<": "LessThan", "<=": "LessThanOrEqualTo"}
    made = {
        "AlarmName": "orders",
        "AlarmActions": [TOPIC],
        "OKActions": [TOPIC],
        "Namespace": namespace,
        "MetricName": name,
        "Dimensions": dimensions,
        "ExtendedStatistic" if stat[0] in "pt" else "Statistic": stat,
        "ComparisonOperator": f"{words[sign]}Threshold",
        "Threshold": float(threshold),
        "Period": 60,
        "EvaluationPeriods": 5,
        "DatapointsToAlarm": 5,
        "TreatMissingData": "missing",
    } | more
    return {key: value for key, value in made.items() if value is not None}


def errors(condition: str = "> 10", **more: Any) -> dict[str, Any]:
    given = {"TreatMissingData": "notBreaching"} | more
    return alarm("AWS/ApplicationELB", "HTTPCode_Target_5XX_Count", [BALANCER], "Sum", condition, **given)


def cpu(condition: str = "> 80", **more: Any) -> dict[str, Any]:
    return alarm("AWS/RDS", "CPUUtilization", DATABASE, "Average", condition, **more)


def latency(stat: str, condition: str, **more: Any) -> dict[str, Any]:
    return alarm("AWS/ApplicationELB", "TargetResponseTime", [BALANCER], stat, condition, **more)


def balancer(
    name: str, condition: str, *dimensions: dict[str, str], stat: str = "Sum", **more: Any
) -> dict[str, Any]:
    given = {"TreatMissingData": "notBreaching"} | more
    return alarm("AWS/ApplicationELB", name, list(dimensions), stat, condition, **given)


def query(name: str, metric: str, period: int = 300, stat: str = "Sum", **more: Any) -> dict[str, Any]:
    inner = {"Namespace": "AWS/ApplicationELB", "MetricName": metric, "Dimensions": [BALANCER]}
    return {
        "Id": name,
        "ReturnData": False,
        "MetricStat": {"Metric": inner, "Period": period, "Stat": stat},
    } | more


FAILED, ELB, ALL = (
    query("m1", "HTTPCode_Target_5XX_Count"),
    query("m2", "HTTPCode_ELB_5XX_Count"),
    query("m3", "RequestCount"),
)
GATED = "IF(m3 >= 100, 100 * m1 / m3, 0)"


def math(expression: str, *queries: dict[str, Any], condition: str = "> 5", **more: Any) -> dict[str, Any]:
    base = errors(condition, **({"EvaluationPeriods": 3, "DatapointsToAlarm": 2} | more))
    for key in ("Namespace", "MetricName", "Dimensions", "Statistic", "Period"):
        del base[key]
    result = {"Id": "result", "Expression": expression, "ReturnData": True}
    return base | {"Metrics": [result, *(queries or (FAILED, ALL))]}


def promql(text: str, **more: Any) -> dict[str, Any]:
    criteria = {"PromQLCriteria": {"Query": text, "PendingPeriod": 120, "RecoveryPeriod": 0}}
    return {
        "AlarmName": "orders",
        "AlarmActions": [TOPIC],
        "OKActions": [TOPIC],
        "EvaluationCriteria": criteria,
        **more,
    }


def composite(rule: str, name: str = "whole", **more: Any) -> dict[str, Any]:
    return {"AlarmName": name, "AlarmActions": [TOPIC], "OKActions": [TOPIC], "AlarmRule": rule, **more}


VENDED = '{"RequestCount", "@instrumentation.@name"="cloudwatch.aws/applicationelb"}'
FULL_ARN = "arn:aws:elasticloadbalancing:eu-west-1:111122223333:loadbalancer/app/orders/50dc6c495c0c9188"

# Rule, an alarm that has the defect, the same made right.
DEFECTS: list[tuple[str, dict[str, Any], dict[str, Any]]] = [
    ("metric-unknown", balancer("Errors", "> 1", BALANCER), errors()),
    ("metric-unknown", balancer("HTTPCode_Target_5xx_Count", "> 1", BALANCER), errors()),
    (
        "metric-unknown",
        alarm("AWS/RDS", "CpuUtilization", DATABASE, "Average", "> 80"),
        alarm("AWS/RDS", "BlockedTransactions", DATABASE, "Average", "> 80"),
    ),
    (
        "metric-unknown",
        alarm("AWS/ECS", "RunningTaskCount", SERVICE, "Average", "> 1"),
        alarm("Orders", "RunningTaskCount", SERVICE, "Average", "> 1"),
    ),
    ("dimension-set-unknown", balancer("RequestCount", "> 1", TARGETS), balancer("RequestCount", "> 1", BALANCER, TARGETS)),
    ("dimension-set-unknown", balancer("HTTPCode_ELB_5XX_Count", "> 9", BALANCER, TARGETS), balancer("HTTPCode_ELB_5XX_Count", "> 9", BALANCER)),
    ("dimension-set-unknown", cpu(Dimensions=[{"Name": "dbInstanceIdentifier", "Value": "orders"}]), cpu()),
    ("dimension-set-unknown", errors(Dimensions=None), errors(Dimensions=Unknown("${var.dimensions}"))),
    ("dimension-value-form", errors(Dimensions=[BALANCER | {"Value": "orders"}]), errors()),
    ("dimension-value-form", errors(Dimensions=[BALANCER | {"Value": FULL_ARN}]), errors()),
    (
        "dimension-value-form",
        errors(Dimensions=[BALANCER | {"Value": Unknown("${aws_lb.main.arn}", "aws_lb.arn")}]),
        errors(Dimensions=[BALANCER | {"Value": Unknown("${aws_lb.main.arn_suffix}", "aws_lb.arn_suffix")}]),
    ),
    (
        "dimension-value-form",
        errors(Dimensions=[BALANCER | {"Value": Unknown("${Alb}", "AWS::ElasticLoadBalancingV2::LoadBalancer")}]),
        errors(Dimensions=[BALANCER | {"Value": Unknown("${Name}")}]),
    ),
    (
        "dimension-value-form",
        balancer("UnHealthyHostCount", ">= 1", BALANCER, TARGETS | {"Value": "orders"}, stat="Minimum"),
        balancer("UnHealthyHostCount", ">= 1", BALANCER, TARGETS, stat="Minimum"),
    ),
    ("unit-mismatch", latency("p99", "> 2", Unit="Milliseconds"), latency("p99", "> 2", Unit="Seconds")),
    ("statistic-meaningless", errors("> 0.5", Statistic="Average"), errors()),
    ("statistic-meaningless", balancer("RejectedConnectionCount", "> 1", BALANCER, stat="Maximum"), balancer("RejectedConnectionCount", "> 1", BALANCER)),
    ("statistic-meaningless", alarm("AWS/RDS", "DatabaseConnections", DATABASE, "Sum", "> 80"), alarm("AWS/RDS", "DatabaseConnections", DATABASE, "Maximum", "> 80")),
    ("statistic-meaningless", cpu(Statistic="Sum"), cpu()),
    ("average-of-latency", latency("Average", "> 2"), latency("p99", "> 2")),
    ("percentile-low-samples", latency("p99", "> 2"), latency("p99", "> 2", EvaluateLowSampleCountPercentile="ignore")),
    ("alarm-never-fires", cpu("> 100"), cpu("> 99")),
    ("alarm-never-fires", errors("< 0"), errors("> 0")),
    ("alarm-never-fires", balancer("HTTPCode_Target_2XX_Count", "< 1", BALANCER), balancer("HTTPCode_Target_2XX_Count", "< 1", BALANCER, TreatMissingData="breaching")),
    ("alarm-always-fires", errors(">= 0"), errors(">= 1")),
    ("alarm-always-fires", cpu("<= 100"), cpu("<= 99")),
    ("threshold-scale", latency("p99", "> 1000"), latency("p99", "> 1")),
    ("threshold-scale", alarm("AWS/RDS", "ReadLatency", DATABASE, "p90", "> 20"), alarm("AWS/RDS", "ReadLatency", DATABASE, "p90", "> 0.02")),
    ("threshold-scale", cpu("> 0.8"), cpu("> 80")),
    ("threshold-scale", alarm("AWS/ElastiCache", "CacheHitRate", CACHE, "Average", "< 0.8"), alarm("AWS/ElastiCache", "CacheHitRate", CACHE, "Average", "< 80")),
    ("threshold-scale", alarm("AWS/RDS", "FreeStorageSpace", DATABASE, "Minimum", "< 10"), alarm("AWS/RDS", "FreeStorageSpace", DATABASE, "Minimum", "< 1073741824")),
    ("threshold-scale", alarm("AWS/ECS", "MemoryUtilization", SERVICE, "Average", "> 110"), alarm("AWS/ECS", "MemoryUtilization", SERVICE, "Average", "> 85")),
    ("threshold-scale", math("IF(m3 >= 100, m1 / m3, 0)"), math("IF(m3 >= 100, m1 / m3, 0)", condition="> 0.05")),
    ("threshold-scale", math(GATED, condition="> 100"), math(GATED)),
    ("missing-data-hides-outage", balancer("HealthyHostCount", "< 1", BALANCER, TARGETS, stat="Minimum"), balancer("HealthyHostCount", "< 1", BALANCER, TARGETS, stat="Minimum", TreatMissingData="breaching")),
    ("missing-data-hides-outage", alarm("ECS/ContainerInsights", "RunningTaskCount", SERVICE, "Average", "<= 0"), alarm("ECS/ContainerInsights", "RunningTaskCount", SERVICE, "Average", "<= 0", TreatMissingData="breaching")),
    ("missing-data-hides-outage", cpu("< 1", Statistic="SampleCount"), cpu("< 1", Statistic="SampleCount", TreatMissingData="breaching")),
    ("missing-data-hides-outage", balancer("RequestCount", "< 1", BALANCER), balancer("RequestCount", "< 1", BALANCER, TreatMissingData=Unknown("${x}"))),
    ("missing-data-fires", errors(TreatMissingData="breaching"), errors()),
    ("missing-data-fires", math("m1 + m2", FAILED, ELB, TreatMissingData="breaching"), math("FILL(m1, 0) + FILL(m2, 0)", FAILED, ELB, TreatMissingData="breaching")),
    ("missing-data-on-sparse", errors(TreatMissingData=None), errors()),
    ("missing-data-on-sparse", errors(TreatMissingData="ignore"), errors()),
    ("ratio-without-minimum", math("100 * m1 / m3"), math(GATED)),
    ("ratio-without-minimum", math("m1 / m3", condition="> 0.05"), math("(m1 / m3) * (m3 > 100)", condition="> 0.05")),
    ("ratio-of-nothing", math("100 * m1 / m3", TreatMissingData="breaching"), math("100 * m1 / m3")),
    ("sparse-operand-dropped", math("IF(m1 > 10, m1, 0)"), math("IF(FILL(m1, 0) > 10, m1, 0)")),
    ("sparse-operand-dropped", math("IF(m3 > 10, m1, m1)"), math("IF(m3 > 10, m1, 0)")),
    ("fill-pins-newest", math("IF(m3 > 9, m1 / FILL(m3, 1), 0)", condition="> 0.1", DatapointsToAlarm=3), math("IF(m3 > 9, FILL(m1, 0) / m3, 0)", condition="> 0.1", DatapointsToAlarm=3)),
    ("scalar-in-alarm", math("AVG(m1)", FAILED), math("SUM([m1, m2])", FAILED, ELB)),
    ("scalar-in-alarm", math("RUNNING_SUM(m1)", FAILED), math("SUM(METRICS())", FAILED, ELB)),
    ("period-invalid", errors(Period=45), errors(Period=30)),
    ("window-over-limit", errors(Period=300, EvaluationPeriods=289), errors(Period=300, EvaluationPeriods=288)),
    ("window-over-limit", errors(Period=3600, EvaluationPeriods=169), errors(Period=3600, EvaluationPeriods=168)),
    ("datapoints-over-periods", errors(DatapointsToAlarm=6), errors(DatapointsToAlarm=None)),
    ("call-refused", errors(TreatMissingData="notbreaching"), errors(TreatMissingData=Unknown("${x}"))),
    ("call-refused", errors(EvaluationPeriods=None), errors(EvaluationPeriods=Unknown("${x}"), DatapointsToAlarm=None)),
    ("call-refused", errors(AlarmActions=["orders"]), errors(AlarmActions=[Unknown("${aws_sns_topic.orders.arn}")])),
    ("call-refused", math("MEDIAN(m1)", FAILED), math("AVG(METRICS())", FAILED)),
    ("call-refused", promql("up == 0", EvaluationInterval=90), promql("up == 0", EvaluationInterval=60)),
    ("mixed-periods", math(GATED, FAILED, query("m3", "RequestCount", 60)), math(GATED)),
    ("over-limit", errors(AlarmName="x" * 256), errors(AlarmName="x" * 255)),
    ("over-limit", errors(AlarmDescription="x" * 1025), errors(AlarmDescription="x" * 1024)),
    ("over-limit", errors(AlarmActions=[TOPIC] * 6), errors(AlarmActions=[TOPIC] * 5)),
    ("over-limit", math("m1", *(query(f"m{n}", "RequestCount") for n in range(1, 12))), math("m1", *(query(f"m{n}", "RequestCount") for n in range(1, 11)))),
    ("over-limit", math("m1 + " * 410 + "m1"), math("m1 + " * 409 + "m1")),
    ("results-not-one", math(GATED, FAILED | {"ReturnData": True}, ALL), math(GATED)),
    ("search-in-alarm", math("SUM(SEARCH('{AWS/ApplicationELB,LoadBalancer} RequestCount', 'Sum', 300))"), math("SUM(METRICS())")),
    ("id-invalid", math("m1", query("M1", "RequestCount"), FAILED), math("m1", FAILED)),
    ("id-unknown", math("100 * m1 / m4"), math(GATED)),
    ("ec2-action-impossible", math(GATED, AlarmActions=["arn:aws:automate:eu-west-1:ec2:reboot"]), cpu(AlarmActions=["arn:aws:automate:eu-west-1:ec2:reboot"])),
    ("one-datapoint", cpu(EvaluationPeriods=1, DatapointsToAlarm=1), cpu(EvaluationPeriods=5, DatapointsToAlarm=3)),
    ("expensive-alarm", math("m1 + m2", *(query(f"m{n}", "RequestCount") for n in range(1, 7))), math("m1 + m2", *(query(f"m{n}", "RequestCount") for n in range(1, 6)))),
    ("expensive-alarm", errors(Period=10), errors()),
    ("promql-with-threshold", promql("up == 0", TreatMissingData="breaching"), promql("up == 0")),
    ("promql-invalid", promql("sum(rate(x[5m]) > 1"), promql("sum(rate(x[5m])) > 1")),
    ("promql-always-fires", promql("sum(rate(x[5m]))"), promql("absent(up) or sum(rate(x[5m])) > 1")),
    ("rate-of-delta", promql(f"sum(rate({VENDED}[5m])) > 5"), promql(f"sum(sum_over_time({VENDED}[5m])) > 5")),
]  # fmt: skip


def rules_of(findings: list[Finding]) -> set[str]:
    return {finding.rule for finding in findings}


@pytest.mark.parametrize(
    ("rule", "wrong", "right"), DEFECTS, ids=[f"{n}-{d[0]}" for n, d in enumerate(DEFECTS)]
)
def test_a_seeded_defect_of_one_alarm_is_found_and_its_right_form_is_not(
    rule: str, wrong: dict[str, Any], right: dict[str, Any]
) -> None:
    found = [finding for finding in lint_alarm(wrong, "alarms.json:7") if finding.rule == rule]
    assert found
    assert all(finding.where == "alarms.json:7" and finding.message for finding in found)
    assert rule not in rules_of(lint_alarm(right, "alarms.json:7"))


def file(*alarms: dict[str, Any], **parts: Any) -> AlarmFile:
    made = AlarmFile(FILE, **parts)
    for number, arguments in enumerate(alarms, 1):
        to = made.composites if "AlarmRule" in arguments else made.alarms
        to.append(Placed(arguments, f"{FILE}:{number}"))
    return made


def topic(policy: Any = None, **attributes: Any) -> list[Topic]:
    return [Topic(frozenset({TOPIC}), attributes, policy, f"{FILE}:9")]


def subscription(protocol: str = "email", endpoint: Any = "team@example.com") -> list[Subscription]:
    return [Subscription(TOPIC, protocol, endpoint, f"{FILE}:9")]


def event(**pattern: Any) -> list[EventRule]:
    named = {key.replace("_", "-"): value for key, value in pattern.items()}
    return [EventRule("deployments", {"source": ["aws.ecs"], **named}, f"{FILE}:9")]


def allowing(service: str) -> dict[str, Any]:
    return {"Statement": [{"Effect": "Allow", "Principal": {"Service": service}, "Action": "sns:Publish"}]}


def named(name: str, condition: str = "> 10", **more: Any) -> dict[str, Any]:
    return errors(condition, AlarmName=name, **more)


FILE_DEFECTS: list[tuple[str, AlarmFile, AlarmFile]] = [
    ("no-action", file(errors(AlarmActions=None)), file(errors())),
    ("no-action", file(errors(AlarmActions=[])), file(errors(AlarmActions=Unknown("${var.actions}")))),
    ("no-action", file(named("a", AlarmActions=None)), file(named("a", AlarmActions=None), composite('ALARM("a")'))),
    ("actions-disabled", file(errors(ActionsEnabled=False)), file(errors(ActionsEnabled=True))),
    ("missing-ok-action", file(errors(OKActions=None)), file(errors())),
    ("insufficient-data-action", file(errors(InsufficientDataActions=[TOPIC])), file(errors(InsufficientDataActions=[TOPIC + "-log"]))),
    ("slack-on-sns", file(subscriptions=subscription("https", WEBHOOK)), file(subscriptions=subscription("https", "https://events.pagerduty.com/x"))),
    ("topic-key-of-aws", file(topics=topic(KmsMasterKeyId="alias/aws/sns")), file(topics=topic(KmsMasterKeyId="alias/orders"))),
    ("topic-without-policy", file(errors(), topics=topic(allowing("events.amazonaws.com"))), file(errors(), topics=topic(allowing("cloudwatch.amazonaws.com")))),
    ("topic-without-policy", file(errors(), topics=topic({"Statement": []})), file(errors(), topics=topic())),
    ("topic-without-subscription", file(errors(), topics=topic()), file(errors(), topics=topic(), subscriptions=subscription())),
    ("name-clash", file(named("a"), named("a", "> 20")), file(named("a"), named("b", "> 20"))),
    ("duplicate-alarm", file(named("a"), named("b")), file(named("a"), named("b", "> 20"))),
    ("warning-above-critical", file(named("e-critical"), named("e-warning", "> 20")), file(named("e-critical"), named("e-warning", "> 5"))),
    (
        "warning-above-critical",
        file(named("a", Tags=[{"Key": "severity", "Value": "critical"}]), named("b", "> 20", Tags=[{"Key": "severity", "Value": "warning"}])),
        file(named("a", Tags=[{"Key": "severity", "Value": "warning"}]), named("b", "> 20", Tags=[{"Key": "severity", "Value": "critical"}])),
    ),
    ("composite-child-unknown", file(composite('ALARM("a")'), complete=True), file(named("a"), composite('ALARM("a")'), complete=True)),
    ("composite-child-unknown", file(named("a"), composite("AT_LEAST(1, ALARM, (a, b))")), file(named("a"), composite("ALARM(arn:aws:cloudwatch:eu-west-1:1:alarm:a)"))),
    ("composite-state-impossible", file(named("a"), composite('INSUFFICIENT_DATA("a")')), file(named("a", TreatMissingData="missing"), composite('INSUFFICIENT_DATA("a")'))),
    ("composite-rule-invalid", file(composite('(ALARM("a")')), file(composite('NOT ALARM("a (1)")'))),
    ("composite-rule-invalid", file(composite("ALARM")), file(composite("FALSE"))),
    ("composite-cycle", file(composite('ALARM("b")', "a"), composite('ALARM("a")', "b")), file(composite('ALARM("b")', "a"), composite("FALSE", "b"))),
    (
        "suppressor-without-periods",
        file(composite("FALSE", ActionsSuppressor="a", ActionsSuppressorWaitPeriod=60)),
        file(composite("FALSE", ActionsSuppressor="a", ActionsSuppressorWaitPeriod=60, ActionsSuppressorExtensionPeriod=0)),
    ),
    (
        "event-pattern-matches-nothing",
        file(rules=event(detail_type=["ECS Service Action"], detail={"eventName": ["deploymentStateChanged"]})),
        file(rules=event(detail_type=["ECS Deployment State Change"], detail={"eventName": ["SERVICE_DEPLOYMENT_FAILED"]})),
    ),
    (
        "event-pattern-matches-nothing",
        file(rules=event(detail_type=["ECS Service Action"], detail={"eventName": ["SERVICE_DEPLOYMENT_FAILED"]})),
        file(rules=event(detail_type=["ECS Service Action"], detail={"eventName": ["SERVICE_TASK_START_IMPAIRED"]})),
    ),
    ("event-pattern-over-limit", file(rules=event(resources=["x" * 2100])), file(rules=event(resources=["x" * 1900]))),
    ("event-detail-type-unknown", file(rules=event(detail_type=["ECS Deployment state change"])), file(rules=event(detail_type=["ECS Task State Change"]))),
]  # fmt: skip


@pytest.mark.parametrize(
    ("rule", "wrong", "right"), FILE_DEFECTS, ids=[f"{n}-{d[0]}" for n, d in enumerate(FILE_DEFECTS)]
)
def test_a_seeded_defect_of_a_file_is_found_and_its_right_form_is_not(
    rule: str, wrong: AlarmFile, right: AlarmFile
) -> None:
    assert rule in rules_of(lint_alarms(wrong))
    assert rule not in rules_of(lint_alarms(right))


def test_each_rule_has_a_reason_and_a_seeded_defect() -> None:
    assert set(RULES) == {rule for rule, _, _ in DEFECTS} | {rule for rule, _, _ in FILE_DEFECTS}
    assert all(why.endswith(".") and ". " not in why for why in RULES.values())


def test_errors_of_a_load_balancer_says_which_metrics_to_use() -> None:
    (found,) = [
        f for f in lint_alarm(balancer("Errors", "> 1", BALANCER), "x:1") if f.rule == "metric-unknown"
    ]
    assert found.level == "error"
    assert "HTTPCode_Target_5XX_Count" in found.hint


def test_a_threshold_in_milliseconds_on_seconds_says_what_it_would_be() -> None:
    (found,) = [f for f in lint_alarm(latency("p99", "> 1500"), "x:1") if f.rule == "threshold-scale"]
    assert (found.level, "1.5" in found.hint) == ("warning", True)


def test_the_address_of_a_webhook_is_never_repeated() -> None:
    findings = lint_alarms(file(subscriptions=subscription("https", WEBHOOK)))
    assert rules_of(findings) == {"slack-on-sns"}
    assert "T0000" not in repr(findings)
    assert "T0000" not in repr(subscription("https", WEBHOOK))


def test_what_cannot_be_known_is_taken_to_be_right() -> None:
    unknown = Unknown("${something}")
    for _, wrong, _ in DEFECTS:
        for key in wrong:
            assert lint_alarm(wrong | {key: unknown}, "x:1") is not None
    alarm_of_unknowns = dict.fromkeys(errors(), unknown) | {"AlarmName": "orders"}
    assert lint_alarms(file(alarm_of_unknowns)) == []
    assert lint_alarms(file(math(GATED) | {"Metrics": unknown})) == []


@pytest.mark.parametrize(
    "value",
    [None, 0, "words", [[]], {"a": []}],
    ids=repr,
)
def test_a_value_of_any_shape_ends_in_no_fault(value: Any) -> None:
    for _, wrong, _ in DEFECTS:
        for key in wrong:
            changed = copy.deepcopy(wrong) | {key: value}
            lint_alarms(file(changed, composite('ALARM("orders")')))
        for index, query_ in enumerate(wrong.get("Metrics", ())):
            for key in query_:
                changed = copy.deepcopy(wrong)
                changed["Metrics"][index][key] = value
                lint_alarm(changed, "x:1")


# After the settings that AWS recommends for these metrics.
WELL_MADE = [
    alarm("AWS/ECS", "CPUUtilization", SERVICE, "Average", "> 80"),
    alarm("AWS/ECS", "MemoryUtilization", SERVICE, "Average", "> 80"),
    alarm("ECS/ContainerInsights", "RunningTaskCount", SERVICE, "Average", "<= 0", TreatMissingData="breaching"),
    cpu("> 90"),
    alarm("AWS/RDS", "DatabaseConnections", DATABASE, "Average", "> 900"),
    alarm("AWS/RDS", "FreeableMemory", DATABASE, "Average", "< 2147483648", EvaluationPeriods=15, DatapointsToAlarm=15),
    alarm("AWS/RDS", "ReplicaLag", DATABASE, "Maximum", "> 60", EvaluationPeriods=10, DatapointsToAlarm=10),
    alarm("AWS/RDS", "ReadLatency", DATABASE, "p90", "> 0.02"),
    alarm("AWS/RDS", "DBLoad", DATABASE, "Average", "> 4", EvaluationPeriods=15, DatapointsToAlarm=15),
    alarm("AWS/RDS", "EBSByteBalance%", DATABASE, "Average", "< 10", EvaluationPeriods=3, DatapointsToAlarm=3),
    alarm("AWS/ElastiCache", "EngineCPUUtilization", CACHE, "Average", "> 90"),
    alarm("AWS/ElastiCache", "CurrConnections", CACHE, "Average", "> 5000", EvaluationPeriods=10, DatapointsToAlarm=10),
    alarm("AWS/ElastiCache", "ReplicationLag", CACHE, "Average", "> 10", EvaluationPeriods=15, DatapointsToAlarm=15),
    alarm("AWS/SNS", "NumberOfNotificationsFailed", [{"Name": "TopicName", "Value": "orders"}], "Sum", "> 0", TreatMissingData="notBreaching"),
    alarm("AWS/SNS", "NumberOfNotificationsFilteredOut-InvalidAttributes", [{"Name": "TopicName", "Value": "orders"}], "Sum", "> 0", TreatMissingData="notBreaching"),
    alarm("AWS/Events", "FailedInvocations", [{"Name": "RuleName", "Value": "orders"}], "Sum", "> 0", TreatMissingData="notBreaching"),
    alarm("AWS/Lambda", "Errors", [{"Name": "FunctionName", "Value": "relay"}], "Sum", "> 0", TreatMissingData="notBreaching"),
    balancer("UnHealthyHostCount", ">= 1", BALANCER, TARGETS, stat="Minimum", EvaluationPeriods=3, DatapointsToAlarm=3),
    balancer("HealthyHostCount", "< 1", BALANCER, TARGETS, stat="Minimum", TreatMissingData="breaching"),
    latency("p99", "> 5", EvaluateLowSampleCountPercentile="ignore"),
    errors(),
    math("IF(m3 + FILL(m2, 0) >= 100, 100 * (FILL(m1, 0) + FILL(m2, 0)) / (m3 + FILL(m2, 0)), 0)", FAILED, ELB, ALL),
    alarm("Orders", "OrdersCreated", [{"Name": "Service", "Value": "orders-api"}], "Sum", "< 1", TreatMissingData="breaching"),
]  # fmt: skip


def test_well_made_alarms_have_no_findings() -> None:
    made = [{**arguments, "AlarmName": f"alarm-{number}"} for number, arguments in enumerate(WELL_MADE)]
    assert lint_alarms(file(*made)) == []


def test_the_alarms_that_this_product_builds_have_neither_error_nor_warning() -> None:
    catalogue = load(ROOT / "alerts").resolve("production")
    state = compile_state(catalogue)
    builds = [
        state.as_data(),
        cloudformation.template(catalogue, state),
        terraform.document(catalogue, state)[0],
    ]
    for built in builds:
        read = read_alarms(json.dumps(built), FILE)
        assert read is not None
        assert (len(read.alarms), len(read.composites)) == (
            len(state.metric_alarms),
            len(state.composite_alarms),
        )
        assert len(read.topics) == len(state.topics)
        assert len(read.rules) == len(state.rules)
        assert [finding for finding in lint_alarms(read) if finding.level != "info"] == []

from __future__ import annotations

from datetime import timedelta

import pytest

from orders_obs.aws.audit.rules import BY_INPUT, RULES
from tests.aws.audit.seeds import DEFECTS, Defect, dims, sound
from tests.aws.audit.world import NOW, World

# Rules whose findings are worth knowing only, or need the history: each has a test below.
_ELSEWHERE = {
    "action-failed", "flapping", "mute-expired", "muted-now", "nearly-duplicate", "never-changed", "page-by-email-only",
    "rule-disabled", "subscription-without-dead-letters",
}  # fmt: skip


def test_nothing_is_wrong_with_a_sound_account() -> None:
    assert [(issue.rule, issue.thing, issue.message) for issue in sound(World()).found(history=True)] == []


@pytest.mark.parametrize("defect", DEFECTS, ids=lambda defect: f"{defect[0]}-{defect[2].__name__}")
def test_one_defect_is_one_finding(defect: Defect) -> None:
    rule, thing, seed = defect
    world = sound(World())
    seed(world)
    assert [(issue.rule, issue.thing) for issue in world.found()] == [(rule, thing)]


def test_each_rule_has_a_defect_that_it_finds() -> None:
    assert set(RULES) - {rule for rule, _, _ in DEFECTS} == _ELSEWHERE
    assert set(RULES) <= set(BY_INPUT["live account"])


def rules(world: World, level: str, **options: bool) -> list[tuple[str, str]]:
    return [(issue.rule, issue.thing) for issue in world.result(**options).issues if issue.level == level]


def test_an_alarm_that_fires_twice_a_day_flaps_where_history_is_asked_for() -> None:
    world = World()
    world.topic("ops")
    world.alarm("nervous")
    world.history = [
        {"AlarmName": "nervous", "Timestamp": NOW - timedelta(hours=hours), "HistoryItemType": "StateUpdate", "HistorySummary": "Alarm updated from OK to ALARM"}
        for hours in range(0, 160, 10)
    ]  # fmt: skip
    assert world.found() == []
    assert [issue.rule for issue in world.found(history=True)] == ["flapping"]
    assert "cloudwatch:describe_alarm_history" in world.calls


def test_an_action_that_cloudwatch_could_not_run_is_an_error() -> None:
    world = World()
    world.topic("ops")
    world.alarm("locked-out")
    world.history = [
        {"AlarmName": "locked-out", "Timestamp": NOW, "HistoryItemType": "Action", "HistorySummary": "Failed to execute action",
         "HistoryData": '{"actionState": "Failed", "error": "AWSKMS AccessDenied", "notificationResource": "arn:aws:sns:eu-west-1:111122223333:ops"}'},
        {"AlarmName": "locked-out", "Timestamp": NOW, "HistoryItemType": "Action", "HistorySummary": "Successfully executed action",
         "HistoryData": '{"actionState": "Succeeded"}'},
    ]  # fmt: skip
    (issue,) = world.found(history=True)
    assert (issue.rule, issue.level) == ("action-failed", "error")
    assert "ops" in issue.message
    assert "AWSKMS AccessDenied" in issue.hint


def test_what_is_worth_knowing_is_no_warning() -> None:
    world = World()
    mail = world.topic("ops")
    world.alarm("by-mail-critical")
    world.alarm("old", StateTransitionedTimestamp=NOW - timedelta(days=400))
    world.alarm("old-too", Dimensions=dims({"ClusterName": "old"}), Threshold=85.0)
    hook = world.topic("hook", hears=False)
    world.subscribe(hook, "https", "https://example.com/hook")
    world.alarm("hooked", AlarmActions=[hook], OKActions=[hook])
    world.rule("paused", {"source": ["aws.rds"]}, mail, State="DISABLED")
    world.mutes = [
        {"Name": "over", "Status": "EXPIRED", "Rule": {}, "MuteTargets": {"AlarmNames": ["old"]}, "ExpireDate": NOW},
        {"Name": "now", "Status": "ACTIVE", "Rule": {"Schedule": {"Expression": "at(2026-11-25T11:00)", "Duration": "PT2H"}},
         "MuteTargets": {"AlarmNames": ["old"]}},
    ]  # fmt: skip
    assert world.found() == []
    assert set(rules(world, "info")) == {
        ("mute-expired", "over"), ("muted-now", "now"), ("nearly-duplicate", "old-too"), ("never-changed", "old"),
        ("page-by-email-only", "ops"), ("rule-disabled", "paused"), ("subscription-without-dead-letters", "hook"),
    }  # fmt: skip


def test_a_filter_beside_a_subscription_that_hears_all_is_only_worth_knowing() -> None:
    world = World()
    world.subscribe(world.topic("ops"), "sqs", world.arn("sqs", "errors"), FilterPolicy='{"kind": ["error"]}')
    world.alarm("cpu")
    assert world.found() == []
    assert ("subscription-filter-drops", "ops") in rules(world, "info")


def test_a_new_alarm_whose_metric_is_not_listed_yet_is_only_worth_knowing() -> None:
    world = World()
    world.topic("ops")
    world.alarm(
        "new",
        Dimensions=dims({"ClusterName": "new-one"}),
        AlarmConfigurationUpdatedTimestamp=NOW - timedelta(minutes=10),
    )
    assert world.found() == []
    assert rules(world, "info") == [("metric-dead", "new")]


def test_an_alarm_without_action_is_only_worth_knowing_where_deployments_cannot_be_looked_at() -> None:
    world = World()
    world.topic("ops")
    world.alarm("bad", AlarmActions=[], OKActions=[])
    world.denied = {"list_applications"}
    assert world.found() == []
    assert ("no-action", "bad") in rules(world, "info")


def test_a_topic_is_said_once_with_all_alarms_that_tell_it() -> None:
    world = World()
    topic = world.topic("deaf", hears=False)
    for number in range(30):
        world.alarm(f"cpu-{number}", AlarmActions=[topic], OKActions=[topic])
    (issue,) = world.found()
    assert (issue.rule, issue.thing, len(issue.alarms)) == ("topic-unheard", "deaf", 30)


def test_a_metric_of_another_account_is_looked_up_there() -> None:
    world = World()
    world.topic("ops")
    stat = {
        "Metric": {
            "Namespace": "AWS/ECS",
            "MetricName": "CPUUtilization",
            "Dimensions": dims({"ClusterName": "other"}),
        },
        "Period": 60,
        "Stat": "Average",
    }
    world.alarm("linked", Namespace=None, MetricName=None, Dimensions=None, Statistic=None, Period=None, Metrics=[{"Id": "m", "AccountId": "999988887777", "MetricStat": stat, "ReturnData": True}])  # fmt: skip
    world.metrics.append(("AWS/ECS", "CPUUtilization", {"ClusterName": "other"}))
    assert world.found() == []
    assert list(world.read().metrics) == [("999988887777", "AWS/ECS", "CPUUtilization")]


def test_of_a_metric_with_very_many_sets_the_one_of_the_alarm_is_asked_for_by_itself() -> None:
    world = World()
    world.topic("ops")
    world.metrics = [("Orders", "Depth", {"queue": f"q{number}"}) for number in range(6000)]
    world.alarm("there", Namespace="Orders", MetricName="Depth", Dimensions=dims({"queue": "q5999"}))
    world.alarm("not-there", Namespace="Orders", MetricName="Depth", Dimensions=dims({"queue": "q6000"}))
    assert [(issue.rule, issue.thing) for issue in world.found()] == [("metric-dead", "not-there")]


def test_where_aws_does_not_know_alarms_of_logs_the_others_are_read() -> None:
    world = World()
    world.topic("ops")
    world.alarm("cpu")
    world.known_types = {"MetricAlarm", "CompositeAlarm"}
    assert [alarm["AlarmName"] for alarm in world.read().alarms] == ["cpu"]


def test_what_a_service_looks_after_is_at_most_worth_knowing() -> None:
    world = World()
    scaling = (
        "arn:aws:autoscaling:eu-west-1:111122223333:scalingPolicy:1:resource/ecs/service/a/b:policyName/c"
    )
    world.alarm(
        "TargetTracking-service/a/b-AlarmHigh-1",
        AlarmActions=[scaling],
        OKActions=[],
        Dimensions=dims({"ClusterName": "gone"}),
        Threshold=100.0,
    )
    assert world.found() == []
    assert [rule for rule, _ in rules(world, "info")] == ["metric-dead"]


def test_a_filter_that_sorts_is_no_finding_on_its_subscription() -> None:
    world = World()
    topic = world.topic("sorted")
    world.subscribe(
        topic,
        "sqs",
        world.arn("sqs", "some"),
        FilterPolicyScope="MessageBody",
        FilterPolicy='{"AlarmName": [{"prefix": "shop-"}]}',
    )
    for name in ("shop-cpu", "other-cpu"):
        world.alarm(name, AlarmActions=[topic], OKActions=[topic])
    assert world.result().issues == ()


def test_a_key_that_surely_refuses_one_of_both_actions_refuses() -> None:
    world = World()
    unsure = {
        "Effect": "Allow",
        "Principal": {"Service": "cloudwatch.amazonaws.com"},
        "Action": "kms:Decrypt",
        "Resource": "*",
        "Condition": {"StringEquals": {"kms:ViaService": "sns"}},
    }
    world.keys["half"] = {"policy": {"Statement": [unsure]}}
    topic = world.topic("locked", KmsMasterKeyId="half")
    world.alarm("cpu", AlarmActions=[topic], OKActions=[topic])
    assert [issue.rule for issue in world.found()] == ["topic-key-forbids"]
    world.keys["half"]["policy"]["Statement"][0]["Action"] = "kms:*"
    assert world.found() == []


def test_a_metric_that_has_values_is_one_though_lint_does_not_know_it() -> None:
    world = World()
    world.topic("ops")
    new = {"LoadBalancer": "app/shop/0123456789abcdef", "Zone": "eu-west-1a"}
    world.alarm(
        "new",
        Namespace="AWS/ApplicationELB",
        MetricName="LatencyOfTomorrow",
        Dimensions=dims(new),
        Statistic="Maximum",
    )
    assert world.found() != []
    world.metrics.append(("AWS/ApplicationELB", "LatencyOfTomorrow", new))
    assert world.found() == []

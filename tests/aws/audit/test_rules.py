from __future__ import annotations

from datetime import timedelta

import pytest

from orders_obs.aws.audit.report import wasted
from orders_obs.aws.audit.rules import BY_INPUT, RULES
from tests.aws.audit.seeds import DEFECTS, Defect, dims, sound
from tests.aws.audit.world import NOW, World

# Rules whose findings are worth knowing only, or need the history: each has a test below.
_ELSEWHERE = {
    "action-failed", "duplicate-other-receivers", "flapping", "mute-expired", "muted-now", "nearly-duplicate", "never-changed", "page-by-email-only",
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


def test_an_alarm_without_action_reaches_nobody_where_deployments_cannot_be_asked_too() -> None:
    world = World()
    world.topic("ops")
    world.alarm("bad", AlarmActions=[], OKActions=[])
    (before,) = world.found()
    for operation in ("list_applications", "list_clusters"):
        world.denied = {operation}
        (issue,) = world.found()
        assert (issue.rule, issue.level, issue.subject) == ("no-action", "warning", "reaches nobody")
        assert "Whether a deployment watches it could not be asked" in issue.hint
        # So that a baseline of a caller with more rights knows it.
        assert issue.message == before.message


def test_what_is_called_one_for_deployments_is_only_worth_knowing_where_these_cannot_be_asked() -> None:
    world = World()
    world.topic("ops")
    world.alarm("checkout-rollback", AlarmActions=[], OKActions=[])
    assert [issue.rule for issue in world.found()] == ["no-action"]
    world.denied = {"list_clusters"}
    assert world.found() == []
    assert ("no-action", "checkout-rollback") in rules(world, "info")


def test_what_ecs_says_counts_where_codedeploy_cannot_be_asked() -> None:
    world = World()
    world.topic("ops")
    world.alarm("watched", AlarmActions=[], OKActions=[])
    world.services.append({"serviceName": "shop", "deploymentConfiguration": {"alarms": {"alarmNames": ["watched"]}}})  # fmt: skip
    world.denied = {"list_applications"}
    assert world.result().issues == ()


_SAME = {"Dimensions": dims({"ClusterName": "a"})}


def test_alarms_on_one_condition_that_tell_different_people_are_not_called_duplicates() -> None:
    world = World()
    team, slack = world.topic("team"), world.topic("slack")
    world.alarm("a", AlarmActions=[team], OKActions=[team])
    world.alarm("b", AlarmActions=[slack], OKActions=[slack], **_SAME)
    world.alarm("c", AlarmActions=[], OKActions=[], **_SAME)
    world.alarm("d", AlarmActions=[slack], OKActions=[slack], **_SAME)
    found = {issue.thing: issue for issue in world.result().issues if issue.subject == "duplicate"}
    assert {thing: issue.rule for thing, issue in found.items()} == {
        "b": "duplicate-other-receivers", "c": "duplicate-other-receivers", "d": "duplicate-alarm",
    }  # fmt: skip
    assert found["b"].message.endswith("they tell different people (team, and slack)")
    assert found["c"].message.endswith("they tell different people (team, and nobody)")
    assert "put the actions together" in found["b"].hint
    assert found["b"].level == "info"
    assert found["d"].alarms == ("d", "b")
    # What a team alone hears is no waste.
    result = world.result()
    assert wasted([result], result.issues) == 0.1


def test_what_an_alarm_tells_when_it_is_over_and_whether_its_actions_are_off_count_as_whom_it_tells() -> None:
    world = World()
    ops, slack = world.topic("ops"), world.topic("slack")
    world.alarm("a", AlarmActions=[ops], OKActions=[ops])
    world.alarm("b", AlarmActions=[ops], OKActions=[slack], **_SAME)
    world.alarm("c", AlarmActions=[ops], OKActions=[ops], ActionsEnabled=False, **_SAME)
    messages = {issue.thing: issue.message for issue in world.result().issues if issue.rule == "duplicate-other-receivers"}  # fmt: skip
    assert "different people when it is over" in messages["b"]
    assert "(ops, and nobody)" in messages["c"]


def test_more_actions_than_an_alarm_takes_go_by_a_topic() -> None:
    world = World()
    every = [world.topic(f"t{number}") for number in range(6)]
    world.alarm("a", AlarmActions=every[:3], OKActions=every[:3])
    world.alarm("b", AlarmActions=every[3:], OKActions=every[3:], **_SAME)
    (issue,) = [issue for issue in world.result().issues if issue.subject == "duplicate"]
    assert issue.hint.startswith("Together they have 6 actions, and one alarm takes 5")


@pytest.mark.parametrize(
    "settings",
    [
        {"Namespace": "Orders", "MetricName": "Heartbeat", "Dimensions": []},
        {"Dimensions": dims({"ClusterName": "gone"})},
        {"Namespace": "Orders", "MetricName": "Sent", "Dimensions": dims({"queue": "A"})},
        {"Namespace": "Orders", "MetricName": "Sent", "Dimensions": []},
        {"Namespace": "AWS/ApplicationELB", "MetricName": "RequestCount", "Dimensions": dims({"LoadBalancer": "shop"}), "Statistic": "Sum"},
    ],
)  # fmt: skip
def test_what_fires_for_ever_does_not_stand_below_what_never_fires(settings: dict[str, object]) -> None:
    world = World()
    world.topic("ops")
    world.metrics.append(("Orders", "Sent", {"queue": "a"}))
    world.alarm("bad", TreatMissingData="breaching", ComparisonOperator="LessThanThreshold", Threshold=1.0, **settings)  # fmt: skip
    (issue,) = world.found()
    assert issue.subject == "noise"
    assert "fires for ever" in issue.message or issue.rule == "dimension-value-form"
    assert wasted([world.result()], [issue]) == 0
    world.alarms[0]["TreatMissingData"] = "missing"
    (issue,) = [issue for issue in world.found() if issue.subject == "never fires"]
    assert "fires for ever" not in issue.message


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

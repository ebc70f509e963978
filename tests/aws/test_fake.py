"""The fake behaves as AWS's documents say: [model] is the text in botocore's service models, [guide] a user guide, [seen] a reported answer."""

from __future__ import annotations

import functools
import json
from collections.abc import Callable
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError, ParamValidationError
from hypothesis import given, settings
from hypothesis import strategies as st
from moto import mock_aws

from tests.aws.fake import Clock, FakeAccount, Killed
from tests.aws.fake.compare import Step, differences
from tests.aws.fake.known import MOTO_UNLIKE, MOTO_UNREFUSED
from tests.aws.fake.scripts import REGION, alarm_steps, event_steps, log_steps, topic_steps

ALARM: dict[str, Any] = {
    "Namespace": "shop", "MetricName": "errors", "Statistic": "Sum", "Period": 60, "EvaluationPeriods": 3, "Threshold": 1,
    "ComparisonOperator": "GreaterThanThreshold",
}  # fmt: skip
PROMQL: dict[str, Any] = {
    "EvaluationCriteria": {"PromQLCriteria": {"Query": "up == 0"}},
    "EvaluationInterval": 60,
}
TEAM = [{"Key": "team", "Value": "a"}]
PATTERN = '{"source": ["aws.ecs"]}'


@pytest.fixture
def account() -> FakeAccount:
    return FakeAccount()


@pytest.fixture
def client(account: FakeAccount) -> Callable[[str], Any]:
    return functools.cache(account.session().client)


@pytest.fixture
def cloudwatch(client: Callable[[str], Any]) -> Any:
    return client("cloudwatch")


@pytest.fixture
def sns(client: Callable[[str], Any]) -> Any:
    return client("sns")


@pytest.fixture
def events(client: Callable[[str], Any]) -> Any:
    return client("events")


@pytest.fixture
def logs(client: Callable[[str], Any]) -> Any:
    return client("logs")


def refused(call: Callable[..., Any], code: str, **arguments: Any) -> dict[str, Any]:
    with pytest.raises(ClientError) as caught:
        call(**arguments)
    assert caught.value.response["Error"]["Code"] == code
    return dict(caught.value.response)


# --- the client is botocore's own


def test_the_sdk_checks_names_and_types_itself(cloudwatch: Any) -> None:
    with pytest.raises(ParamValidationError):
        cloudwatch.put_metric_alarm(AlarmName="a", Thresold=1)
    with pytest.raises(ParamValidationError):
        cloudwatch.put_metric_alarm(AlarmName="a", **ALARM | {"Period": "60"})


def test_a_value_outside_the_model_is_refused_though_the_sdk_sends_it(cloudwatch: Any, events: Any) -> None:
    refused(cloudwatch.put_metric_alarm, "ValidationError", AlarmName="a", **ALARM | {"Statistic": "Median"})
    refused(cloudwatch.put_metric_alarm, "ValidationError", AlarmName="a" * 256, **ALARM)
    refused(events.put_rule, "ValidationException", Name="with space", EventPattern=PATTERN)


def test_a_refusal_is_the_exception_of_the_service(cloudwatch: Any, sns: Any) -> None:
    with pytest.raises(cloudwatch.exceptions.ResourceNotFound):
        cloudwatch.set_alarm_state(AlarmName="none", StateValue="OK", StateReason="")
    with pytest.raises(sns.exceptions.NotFoundException):
        sns.get_topic_attributes(TopicArn="arn:aws:sns:eu-west-1:111122223333:none")


def test_an_answer_and_a_snapshot_are_nobody_elses(account: FakeAccount, cloudwatch: Any) -> None:
    mine = {**ALARM, "Dimensions": [{"Name": "d", "Value": "1"}]}
    cloudwatch.put_metric_alarm(AlarmName="a", **mine)
    before = account.snapshot()
    mine["Dimensions"].append({"Name": "x", "Value": "y"})
    cloudwatch.describe_alarms()["MetricAlarms"][0]["Dimensions"].clear()
    account.calls[0].arguments["Dimensions"].clear()
    assert account.snapshot() == before


def test_what_the_fake_does_not_know_is_never_silently_fine(account: FakeAccount, client: Any) -> None:
    with pytest.raises(NotImplementedError, match=r"cloudwatch\.put_dashboard"):
        client("cloudwatch").put_dashboard(DashboardName="d", DashboardBody="{}")
    with pytest.raises(NotImplementedError, match=r"s3\.list_buckets"):
        client("s3").list_buckets()
    with pytest.raises(NotImplementedError, match="put_alarm"):
        account.fail("put_alarm", "Throttling")


def test_a_client_of_another_region_is_refused(account: FakeAccount) -> None:
    elsewhere = account.session().client("cloudwatch", region_name="us-east-1")
    with pytest.raises(NotImplementedError, match="us-east-1"):
        elsewhere.describe_alarms()


# --- metric alarms


def test_a_new_alarm_has_no_data_and_a_promql_alarm_is_ok(cloudwatch: Any) -> None:
    # [model] PutMetricAlarm: "immediately set to INSUFFICIENT_DATA. For PromQL alarms … OK".
    cloudwatch.put_metric_alarm(AlarmName="a", **ALARM)
    cloudwatch.put_metric_alarm(AlarmName="b", **PROMQL)
    states = {one["AlarmName"]: one["StateValue"] for one in cloudwatch.describe_alarms()["MetricAlarms"]}
    assert states == {"a": "INSUFFICIENT_DATA", "b": "OK"}


def test_an_update_replaces_the_configuration_and_keeps_state_and_tags(
    account: FakeAccount, cloudwatch: Any
) -> None:
    # [model] PutMetricAlarm: "its state is left unchanged, but the update completely overwrites"; Tags: "are ignored".
    cloudwatch.put_metric_alarm(AlarmName="a", AlarmDescription="old", Tags=TEAM, **ALARM)
    account.set_state("a", "ALARM")
    cloudwatch.put_metric_alarm(
        AlarmName="a", Tags=[{"Key": "team", "Value": "b"}], **ALARM | {"Threshold": 2}
    )
    kept = account.snapshot()["metric-alarm/a"]
    assert "AlarmDescription" not in kept
    assert (kept["Threshold"], kept["StateValue"], kept["Tags"]) == (2.0, "ALARM", {"team": "a"})


def test_metric_and_composite_alarms_share_their_names(cloudwatch: Any) -> None:
    # [model] AlarmName: "must be unique within the Region".
    cloudwatch.put_metric_alarm(AlarmName="a", **ALARM)
    cloudwatch.put_composite_alarm(AlarmName="c", AlarmRule="ALARM(a)")
    refused(cloudwatch.put_composite_alarm, "ValidationError", AlarmName="a", AlarmRule="TRUE")
    refused(cloudwatch.put_metric_alarm, "ValidationError", AlarmName="c", **ALARM)


@pytest.mark.parametrize(
    "wrong",
    [
        {"Period": 45},
        {"Period": 60, "EvaluationPeriods": 1441},
        {"Period": 3600, "EvaluationPeriods": 169},
        {"DatapointsToAlarm": 4},
        {"ExtendedStatistic": "p99"},
        {"Metrics": [{"Id": "m", "Expression": "1", "Period": 60}]},
        {"EvaluationInterval": 60},
        {"ThresholdMetricId": "band"},
        {"TreatMissingData": "zero"},
        {"Tags": [{"Key": str(number), "Value": ""} for number in range(51)]},
    ],
)
def test_what_the_text_of_put_metric_alarm_forbids_is_refused(
    account: FakeAccount, cloudwatch: Any, wrong: dict[str, Any]
) -> None:
    with pytest.raises(ClientError):
        cloudwatch.put_metric_alarm(AlarmName="a", **ALARM | wrong)
    assert account.snapshot() == {}


def test_describe_alarms_shows_metric_alarms_unless_asked_otherwise(cloudwatch: Any) -> None:
    # [model] AlarmTypes: "If you omit this parameter, only metric alarms are returned".
    cloudwatch.put_metric_alarm(AlarmName="a", **ALARM)
    cloudwatch.put_composite_alarm(AlarmName="c", AlarmRule="ALARM(a)")

    def names(**arguments: Any) -> list[str]:
        answer = cloudwatch.describe_alarms(**arguments)
        return [one["AlarmName"] for kind in ("MetricAlarms", "CompositeAlarms") for one in answer[kind]]

    assert names() == ["a"]
    assert names(AlarmNames=["a", "c"]) == ["a"]
    assert names(AlarmTypes=["CompositeAlarm"]) == ["c"]
    assert names(AlarmTypes=["MetricAlarm", "CompositeAlarm"]) == ["a", "c"]


def test_describe_alarms_has_pages_of_50_and_at_most_100(cloudwatch: Any) -> None:
    # [model] MaxRecords (max 100); [guide] CloudWatch API reference: 50 by default.
    for number in range(105):
        cloudwatch.put_metric_alarm(AlarmName=f"a{number:03}", **ALARM)
    first = cloudwatch.describe_alarms()
    assert len(first["MetricAlarms"]) == 50
    assert len(cloudwatch.describe_alarms(NextToken=first["NextToken"])["MetricAlarms"]) == 50
    pages = list(cloudwatch.get_paginator("describe_alarms").paginate(PaginationConfig={"PageSize": 100}))
    assert [len(page["MetricAlarms"]) for page in pages] == [100, 5]
    assert len({one["AlarmName"] for page in pages for one in page["MetricAlarms"]}) == 105
    refused(cloudwatch.describe_alarms, "ValidationError", MaxRecords=101)
    refused(cloudwatch.describe_alarms, "ValidationError", AlarmNames=[str(number) for number in range(101)])
    refused(cloudwatch.describe_alarms, "InvalidNextToken", NextToken="nonsense")


def test_an_alarm_deleted_between_two_pages_hides_no_other(cloudwatch: Any) -> None:
    for number in range(4):
        cloudwatch.put_metric_alarm(AlarmName=f"a{number}", **ALARM)
    first = cloudwatch.describe_alarms(MaxRecords=2)
    cloudwatch.delete_alarms(AlarmNames=["a0"])
    second = cloudwatch.describe_alarms(MaxRecords=2, NextToken=first["NextToken"])
    assert [one["AlarmName"] for one in second["MetricAlarms"]] == ["a2", "a3"]


def test_describe_alarms_filters(account: FakeAccount, cloudwatch: Any) -> None:
    topic = "arn:aws:sns:eu-west-1:111122223333:t"
    cloudwatch.put_metric_alarm(AlarmName="a1", **ALARM, OKActions=[topic])
    cloudwatch.put_metric_alarm(AlarmName="b1", **ALARM)
    account.set_state("b1", "ALARM")
    for arguments, names in (
        ({"AlarmNamePrefix": "a"}, ["a1"]),
        ({"StateValue": "ALARM"}, ["b1"]),
        ({"ActionPrefix": "arn:aws:sns"}, ["a1"]),
    ):
        assert [one["AlarmName"] for one in cloudwatch.describe_alarms(**arguments)["MetricAlarms"]] == names
    refused(cloudwatch.describe_alarms, "ValidationError", AlarmNames=["a1"], AlarmNamePrefix="a")


def test_an_alarm_may_come_back_with_defaults_and_in_another_order(
    account: FakeAccount, cloudwatch: Any
) -> None:
    dimensions = [{"Name": "a", "Value": "1"}, {"Name": "b", "Value": "2"}]
    cloudwatch.put_metric_alarm(AlarmName="a", **ALARM, Dimensions=dimensions)
    [plain] = cloudwatch.describe_alarms()["MetricAlarms"]
    assert "TreatMissingData" not in plain
    assert plain["Dimensions"] == dimensions
    account.fills_defaults = account.shuffles = True
    [other] = cloudwatch.describe_alarms()["MetricAlarms"]
    assert (other["TreatMissingData"], other["DatapointsToAlarm"]) == ("missing", 3)
    assert other["Dimensions"] == dimensions[::-1]


# --- composite alarms


def test_a_composite_needs_its_children_and_its_suppressor(cloudwatch: Any) -> None:
    # [seen] awsdocs/aws-cloudformation-user-guide#911: "alarms … in the alarm rule do not exist"; [model] ActionsSuppressor.
    said = refused(cloudwatch.put_composite_alarm, "ValidationError", AlarmName="c", AlarmRule="ALARM(a)")
    assert "do not exist" in said["Error"]["Message"]
    cloudwatch.put_metric_alarm(AlarmName="a", **ALARM)
    whole = {
        "AlarmName": "c",
        "AlarmRule": "ALARM(a)",
        "ActionsSuppressor": "s",
        "ActionsSuppressorWaitPeriod": 1,
    }
    refused(cloudwatch.put_composite_alarm, "ValidationError", **whole)
    refused(cloudwatch.put_composite_alarm, "ValidationError", **whole, ActionsSuppressorExtensionPeriod=1)
    cloudwatch.put_metric_alarm(AlarmName="s", **ALARM)
    cloudwatch.put_composite_alarm(**whole, ActionsSuppressorExtensionPeriod=1)


@pytest.mark.parametrize(
    ("rule", "state"),
    [
        ("ALARM(a)", "ALARM"),
        ('ALARM("a") AND OK(b)', "OK"),
        ("OK(b) AND ALARM(b) OR ALARM(a)", "ALARM"),
        ("NOT ALARM(a) OR INSUFFICIENT_DATA(b)", "ALARM"),
        ("NOT (ALARM(a) OR ALARM(b))", "OK"),
        ("ALARM(arn:aws:cloudwatch:eu-west-1:111122223333:alarm:a)", "ALARM"),
        ("AT_LEAST(1, ALARM, (a, b))", "ALARM"),
        ("AT_LEAST(100%, ALARM, (a, b))", "OK"),
        ("AT_LEAST(50%, NOT OK, (a, b))", "ALARM"),
        ("ALARM(a) AND FALSE", "OK"),
    ],
)
def test_a_composite_follows_its_children(
    account: FakeAccount, cloudwatch: Any, rule: str, state: str
) -> None:
    # [model] PutCompositeAlarm, AlarmRule; after creation it is never INSUFFICIENT_DATA again.
    for name in ("a", "b"):
        cloudwatch.put_metric_alarm(AlarmName=name, **ALARM)
    cloudwatch.put_composite_alarm(AlarmName="c", AlarmRule=rule)
    assert account.snapshot()["composite-alarm/c"]["StateValue"] == "INSUFFICIENT_DATA"
    account.set_state("a", "ALARM")
    assert account.snapshot()["composite-alarm/c"]["StateValue"] == state


@pytest.mark.parametrize(
    "rule", ["ALARM(a", "ALARM a", "", "a AND b", "ALARM(a) ALARM(a)", "AT_LEAST(x, ALARM, (a))", "ALARM()"]
)
def test_what_is_no_rule_is_refused(cloudwatch: Any, rule: str) -> None:
    cloudwatch.put_metric_alarm(AlarmName="a", **ALARM)
    refused(cloudwatch.put_composite_alarm, "ValidationError", AlarmName="c", AlarmRule=rule or " ")


def test_an_alarm_that_a_composite_needs_cannot_be_deleted(account: FakeAccount, cloudwatch: Any) -> None:
    # [seen] ekristen/aws-nuke#462, cloud-custodian#7763: nothing is deleted where one alarm of the call is needed.
    for name in ("a", "b"):
        cloudwatch.put_metric_alarm(AlarmName=name, **ALARM)
    cloudwatch.put_composite_alarm(AlarmName="c", AlarmRule="ALARM(a)")
    before = account.snapshot()
    said = refused(cloudwatch.delete_alarms, "ValidationError", AlarmNames=["a", "b"])
    assert said["Error"]["Message"] == "Cannot delete a as there are composite alarm(s) depending on it."
    assert account.snapshot() == before
    cloudwatch.delete_alarms(AlarmNames=["c"])
    cloudwatch.delete_alarms(AlarmNames=["a", "b"])
    assert account.snapshot() == {}


def test_a_cycle_is_deleted_only_once_a_rule_breaks_it(account: FakeAccount, cloudwatch: Any) -> None:
    # [model] PutCompositeAlarm: "change the AlarmRule of one of the alarms to false"; evaluation of a cycle stops.
    cloudwatch.put_composite_alarm(AlarmName="c", AlarmRule="FALSE")
    cloudwatch.put_composite_alarm(AlarmName="d", AlarmRule="ALARM(c)")
    cloudwatch.put_composite_alarm(AlarmName="c", AlarmRule="NOT ALARM(d)")
    account.set_state("d", "ALARM")
    assert account.snapshot()["composite-alarm/c"]["StateValue"] == "INSUFFICIENT_DATA"
    for name in ("c", "d"):
        refused(cloudwatch.delete_alarms, "ValidationError", AlarmNames=[name])
    cloudwatch.put_composite_alarm(AlarmName="c", AlarmRule="false")
    for name in ("d", "c"):
        cloudwatch.delete_alarms(AlarmNames=[name])
    assert account.snapshot() == {}


def test_one_call_deletes_at_most_one_composite_and_a_hundred_alarms(cloudwatch: Any) -> None:
    # [model] DeleteAlarms.
    for name in ("c", "d"):
        cloudwatch.put_composite_alarm(AlarmName=name, AlarmRule="FALSE")
    refused(cloudwatch.delete_alarms, "ValidationError", AlarmNames=["c", "d"])
    refused(cloudwatch.delete_alarms, "ValidationError", AlarmNames=[str(number) for number in range(101)])


def test_a_wrong_name_among_those_to_delete_keeps_no_other_alive(
    account: FakeAccount, cloudwatch: Any
) -> None:
    # [model] DeleteAlarms: "the alarms you specify with correct names are still deleted"; error ResourceNotFound.
    cloudwatch.put_metric_alarm(AlarmName="a", **ALARM)
    refused(cloudwatch.delete_alarms, "ResourceNotFound", AlarmNames=["a", "none"])
    assert account.snapshot() == {}


def test_relatives_are_glimpsed(cloudwatch: Any) -> None:
    # [model] ChildrenOfAlarmName, ParentsOfAlarmName: few fields, and no other parameter.
    cloudwatch.put_metric_alarm(AlarmName="a", **ALARM)
    cloudwatch.put_composite_alarm(AlarmName="c", AlarmRule="ALARM(a)")
    [child] = cloudwatch.describe_alarms(ChildrenOfAlarmName="c")["MetricAlarms"]
    assert set(child) == {"AlarmName", "AlarmArn", "StateValue", "StateUpdatedTimestamp"}
    [parent] = cloudwatch.describe_alarms(ParentsOfAlarmName="a")["CompositeAlarms"]
    assert set(parent) == {"AlarmName", "AlarmArn"}
    refused(cloudwatch.describe_alarms, "ValidationError", ParentsOfAlarmName="a", StateValue="OK")


# --- states, history, tags, metrics, mute rules


def test_history_tells_configurations_states_and_actions_and_outlives_the_alarm(
    account: FakeAccount, cloudwatch: Any
) -> None:
    # [model] DescribeAlarmHistory: "retains the history of an alarm even if you delete the alarm".
    topic = "arn:aws:sns:eu-west-1:111122223333:t"
    cloudwatch.put_metric_alarm(AlarmName="a", AlarmActions=[topic], **ALARM)
    cloudwatch.set_alarm_state(AlarmName="a", StateValue="ALARM", StateReason="drill")
    cloudwatch.set_alarm_state(AlarmName="a", StateValue="ALARM", StateReason="again")
    cloudwatch.disable_alarm_actions(AlarmNames=["a"])
    account.set_state("a", "OK")
    cloudwatch.delete_alarms(AlarmNames=["a"])
    pages = cloudwatch.get_paginator("describe_alarm_history").paginate(
        AlarmName="a", ScanBy="TimestampAscending", PaginationConfig={"PageSize": 2}
    )
    kinds = [item["HistoryItemType"] for page in pages for item in page["AlarmHistoryItems"]]
    configured, changed, acted = "ConfigurationUpdate", "StateUpdate", "Action"
    assert kinds == [configured, changed, acted, configured, changed, configured]


def test_an_evaluation_state_is_shown(account: FakeAccount, cloudwatch: Any) -> None:
    cloudwatch.put_metric_alarm(AlarmName="a", **ALARM)
    account.set_state("a", "INSUFFICIENT_DATA", evaluation="EVALUATION_ERROR")
    assert cloudwatch.describe_alarms()["MetricAlarms"][0]["EvaluationState"] == "EVALUATION_ERROR"
    account.set_state("a", "OK", evaluation="")
    assert "EvaluationState" not in cloudwatch.describe_alarms()["MetricAlarms"][0]


def test_tags_are_set_and_taken_by_calls_of_their_own(account: FakeAccount, client: Any) -> None:
    cloudwatch, sns, events, logs = (client(service) for service in ("cloudwatch", "sns", "events", "logs"))
    cloudwatch.put_metric_alarm(AlarmName="a", Tags=TEAM, **ALARM)
    topic = sns.create_topic(Name="t", Tags=TEAM)["TopicArn"]
    rule = events.put_rule(Name="r", EventPattern=PATTERN, Tags=TEAM)["RuleArn"]
    logs.create_log_group(logGroupName="/g", tags={"team": "a"})
    alarm = cloudwatch.describe_alarms()["MetricAlarms"][0]["AlarmArn"]
    group = logs.describe_log_groups()["logGroups"][0]["logGroupArn"]
    new = [{"Key": "env", "Value": "x"}]
    for one, key, arn in (
        (cloudwatch, "ResourceARN", alarm),
        (sns, "ResourceArn", topic),
        (events, "ResourceARN", rule),
    ):
        one.tag_resource(**{key: arn}, Tags=new)
        one.untag_resource(**{key: arn}, TagKeys=["team", "none"])
        assert one.list_tags_for_resource(**{key: arn})["Tags"] == new
    logs.tag_resource(resourceArn=group, tags={"env": "x"})
    logs.untag_resource(resourceArn=group, tagKeys=["team"])
    assert logs.list_tags_for_resource(resourceArn=group)["tags"] == {"env": "x"}
    found = client("resourcegroupstaggingapi").get_resources(TagFilters=[{"Key": "env", "Values": ["x"]}])
    assert {one["ResourceARN"] for one in found["ResourceTagMappingList"]} == {alarm, topic, rule, group}
    for name in ("metric-alarm/a", f"topic/{topic}", "rule/r"):
        assert account.snapshot()[name]["Tags"] == {"env": "x"}


def test_the_tagging_api_has_pages_and_types(client: Any, sns: Any, cloudwatch: Any) -> None:
    # [model] GetResources: up to 100 a page; type `service[:resourceType]` as in the ARN.
    for number in range(120):
        sns.create_topic(Name=f"t{number:03}", Tags=TEAM)
    sns.create_topic(Name="plain")
    cloudwatch.put_metric_alarm(AlarmName="a", Tags=TEAM, **ALARM)
    tagging = client("resourcegroupstaggingapi")

    def sizes(**arguments: Any) -> list[int]:
        pages = tagging.get_paginator("get_resources").paginate(**arguments)
        return [len(page["ResourceTagMappingList"]) for page in pages]

    assert sizes(TagFilters=[{"Key": "team"}]) == [100, 21]
    assert sizes(ResourceTypeFilters=["cloudwatch:alarm"]) == [1]
    assert sizes(ResourceTypeFilters=["cloudwatch"]) == [1]
    assert sizes(ResourceTypeFilters=["sns"]) == [100, 20]
    assert sizes(TagFilters=[{"Key": "team", "Values": ["b"]}]) == [0]


def test_list_metrics_matches_dimensions_that_a_metric_has_among_others(
    account: FakeAccount, cloudwatch: Any
) -> None:
    # [model] ListMetrics, Dimensions: "and also other dimensions, it will be returned"; 500 a page.
    account.put_metric("shop", "errors", {"route": "/pay", "zone": "a"})
    account.put_metric("shop", "errors", {"zone": "a"})
    account.put_metric("shop", "count")

    def found(**arguments: Any) -> int:
        return len(cloudwatch.list_metrics(**arguments)["Metrics"])

    assert found(Namespace="shop") == 3
    assert found(Namespace="shop", MetricName="errors") == 2
    assert found(Dimensions=[{"Name": "route"}]) == 1
    assert found(Dimensions=[{"Name": "zone", "Value": "a"}]) == 2
    assert found(Dimensions=[{"Name": "zone", "Value": "b"}]) == 0
    for number in range(600):
        account.put_metric("many", f"m{number:03}")
    pages = cloudwatch.get_paginator("list_metrics").paginate(Namespace="many")
    assert [len(page["Metrics"]) for page in pages] == [500, 100]


def test_mute_rules_are_kept_listed_and_deleted_twice(account: FakeAccount, cloudwatch: Any) -> None:
    # [model] PutAlarmMuteRule, GetAlarmMuteRule, ListAlarmMuteRules, DeleteAlarmMuteRule ("This operation is idempotent").
    cloudwatch.put_metric_alarm(AlarmName="a", **ALARM)
    nightly = {"Schedule": {"Expression": "cron(0 2 * * *)", "Duration": "PT4H", "Timezone": "Europe/Berlin"}}
    cloudwatch.put_alarm_mute_rule(Name="m", Rule=nightly, MuteTargets={"AlarmNames": ["a"]}, Tags=TEAM)
    kept = cloudwatch.get_alarm_mute_rule(AlarmMuteRuleName="m")
    assert (kept["Rule"], kept["MuteTargets"], kept["MuteType"]) == (
        nightly,
        {"AlarmNames": ["a"]},
        "RECURRING",
    )
    [listed] = cloudwatch.list_alarm_mute_rules(AlarmName="a")["AlarmMuteRuleSummaries"]
    assert listed["AlarmMuteRuleArn"] == kept["AlarmMuteRuleArn"]
    assert account.snapshot()["mute-rule/m"]["Tags"] == {"team": "a"}
    refused(cloudwatch.get_alarm_mute_rule, "ResourceNotFoundException", AlarmMuteRuleName="none")
    for _ in range(2):
        cloudwatch.delete_alarm_mute_rule(AlarmMuteRuleName="m")
    assert "mute-rule/m" not in account.snapshot()


# --- SNS


def test_create_topic_is_idempotent_but_for_other_attributes_and_tags(sns: Any) -> None:
    # [model] CreateTopic: "idempotent"; [seen] localstack#2405 and MassTransit#3721: "already exists with different …".
    arn = sns.create_topic(Name="t", Attributes={"DisplayName": "x"}, Tags=TEAM)["TopicArn"]
    assert sns.create_topic(Name="t")["TopicArn"] == arn
    assert sns.create_topic(Name="t", Attributes={"DisplayName": "x"}, Tags=TEAM)["TopicArn"] == arn
    refused(sns.create_topic, "InvalidParameter", Name="t", Attributes={"DisplayName": "y"})
    refused(sns.create_topic, "InvalidParameter", Name="t", Tags=[{"Key": "team", "Value": "b"}])
    refused(sns.create_topic, "InvalidParameter", Name="with space")


def test_a_new_topic_has_the_policy_of_its_owner_and_a_set_one_replaces_it(sns: Any) -> None:
    # [guide] SNS access control; alerting.md 9.8: SetTopicAttributes replaces.
    arn = sns.create_topic(Name="t")["TopicArn"]
    policy = json.loads(sns.get_topic_attributes(TopicArn=arn)["Attributes"]["Policy"])
    assert policy["Statement"][0]["Condition"] == {"StringEquals": {"AWS:SourceOwner": "111122223333"}}
    mine = json.dumps({"Version": "2012-10-17", "Statement": []})
    sns.set_topic_attributes(TopicArn=arn, AttributeName="Policy", AttributeValue=mine)
    assert sns.get_topic_attributes(TopicArn=arn)["Attributes"]["Policy"] == mine
    refused(
        sns.set_topic_attributes, "InvalidParameter", TopicArn=arn, AttributeName="Policy", AttributeValue="{"
    )
    refused(
        sns.set_topic_attributes, "InvalidParameter", TopicArn=arn, AttributeName="Nothing", AttributeValue=""
    )


def test_an_email_waits_for_a_person_and_a_queue_does_not(account: FakeAccount, sns: Any) -> None:
    # [model] Subscribe: "pending confirmation"; [guide] ListSubscriptionsByTopic shows "PendingConfirmation".
    arn = sns.create_topic(Name="t")["TopicArn"]
    mail = {"TopicArn": arn, "Protocol": "email", "Endpoint": "a@example.com"}
    queue = {"TopicArn": arn, "Protocol": "sqs", "Endpoint": "arn:aws:sqs:eu-west-1:111122223333:q"}
    assert sns.subscribe(**mail)["SubscriptionArn"] == "pending confirmation"
    pending = sns.subscribe(**mail, ReturnSubscriptionArn=True)["SubscriptionArn"]
    confirmed = sns.subscribe(**queue)["SubscriptionArn"]
    assert sns.subscribe(**queue)["SubscriptionArn"] == confirmed
    listed = {one["Protocol"]: one for one in sns.list_subscriptions_by_topic(TopicArn=arn)["Subscriptions"]}
    assert listed["email"]["SubscriptionArn"] == "PendingConfirmation"
    assert listed["sqs"]["SubscriptionArn"] == confirmed
    # [seen] terraform-provider-aws refuses with it: one that is pending cannot be unsubscribed.
    refused(sns.unsubscribe, "InvalidParameter", SubscriptionArn=pending)
    refused(sns.unsubscribe, "InvalidParameter", SubscriptionArn="PendingConfirmation")
    account.confirm(arn, "a@example.com")
    attributes = sns.get_topic_attributes(TopicArn=arn)["Attributes"]
    assert (attributes["SubscriptionsConfirmed"], attributes["SubscriptionsPending"]) == ("2", "0")
    for _ in range(2):
        sns.unsubscribe(SubscriptionArn=pending)
    assert len(sns.list_subscriptions_by_topic(TopicArn=arn)["Subscriptions"]) == 1


def test_a_subscription_keeps_its_filter_and_refuses_another_at_subscribe(sns: Any) -> None:
    arn = sns.create_topic(Name="t")["TopicArn"]
    queue = {"TopicArn": arn, "Protocol": "sqs", "Endpoint": "arn:aws:sqs:eu-west-1:111122223333:q"}
    one = sns.subscribe(
        **queue, Attributes={"FilterPolicy": '{"a": ["b"]}', "FilterPolicyScope": "MessageBody"}
    )
    kept = sns.get_subscription_attributes(SubscriptionArn=one["SubscriptionArn"])["Attributes"]
    assert (kept["FilterPolicy"], kept["FilterPolicyScope"]) == ('{"a": ["b"]}', "MessageBody")
    refused(sns.subscribe, "InvalidParameter", **queue, Attributes={"FilterPolicy": "{}"})


def test_deleting_a_topic_deletes_its_subscriptions_and_is_idempotent(account: FakeAccount, sns: Any) -> None:
    # [model] DeleteTopic.
    arn = sns.create_topic(Name="t")["TopicArn"]
    sns.subscribe(TopicArn=arn, Protocol="https", Endpoint="https://example.com/hook")
    for _ in range(2):
        sns.delete_topic(TopicArn=arn)
    assert account.snapshot() == {}


def test_topics_and_subscriptions_have_pages_of_100(sns: Any) -> None:
    # [model] ListTopics, ListSubscriptionsByTopic.
    for number in range(101):
        sns.create_topic(Name=f"t{number}")
    arn = sns.create_topic(Name="t0")["TopicArn"]
    for number in range(101):
        sns.subscribe(TopicArn=arn, Protocol="email", Endpoint=f"a{number}@example.com")
    assert [len(page["Topics"]) for page in sns.get_paginator("list_topics").paginate()] == [100, 1]
    pages = sns.get_paginator("list_subscriptions_by_topic").paginate(TopicArn=arn)
    assert [len(page["Subscriptions"]) for page in pages] == [100, 1]


# --- EventBridge


def test_put_rule_forgets_what_is_left_out_and_keeps_tags_and_targets(
    account: FakeAccount, events: Any
) -> None:
    # [model] PutRule: "replaced with null values"; "any tags you specify in the PutRule operation are ignored".
    events.put_rule(Name="r", EventPattern=PATTERN, Description="text", State="DISABLED", Tags=TEAM)
    events.put_targets(Rule="r", Targets=[{"Id": "1", "Arn": "arn:aws:sns:eu-west-1:111122223333:t"}])
    events.put_rule(Name="r", EventPattern=PATTERN, Tags=[{"Key": "x", "Value": "y"}])
    kept = account.snapshot()["rule/r"]
    assert "Description" not in kept
    assert (kept["State"], kept["Tags"], list(kept["Targets"])) == ("ENABLED", {"team": "a"}, ["1"])


def test_a_rule_with_targets_is_not_deleted_and_one_that_is_gone_is_deleted_again(events: Any) -> None:
    # [model] DeleteRule; [seen] getmoto/moto#5056 (against an account): ValidationException.
    events.put_rule(Name="r", EventPattern=PATTERN)
    events.put_targets(Rule="r", Targets=[{"Id": "1", "Arn": "arn:aws:sns:eu-west-1:111122223333:t"}])
    refused(events.delete_rule, "ValidationException", Name="r")
    events.remove_targets(Rule="r", Ids=["1"])
    for _ in range(2):
        events.delete_rule(Name="r")
    refused(events.describe_rule, "ResourceNotFoundException", Name="r")


def test_a_rule_has_at_most_five_targets_and_an_id_is_put_over(events: Any) -> None:
    # [model] PutTargets: "Each rule can have up to five (5) targets"; 10 entries a request.
    events.put_rule(Name="r", EventPattern=PATTERN)
    targets = [{"Id": str(number), "Arn": "arn:aws:sns:eu-west-1:111122223333:t"} for number in range(5)]
    assert events.put_targets(Rule="r", Targets=targets)["FailedEntryCount"] == 0
    refused(events.put_targets, "LimitExceededException", Rule="r", Targets=[{**targets[0], "Id": "9"}])
    events.put_targets(Rule="r", Targets=[{"Id": "0", "Arn": "arn:aws:sns:eu-west-1:111122223333:u"}])
    listed = {one["Id"]: one["Arn"][-1] for one in events.list_targets_by_rule(Rule="r")["Targets"]}
    assert listed == {"0": "u", "1": "t", "2": "t", "3": "t", "4": "t"}


def test_targets_may_fail_in_an_answer_that_is_no_error(account: FakeAccount, events: Any) -> None:
    # [model] PutTargets, RemoveTargets: FailedEntryCount.
    events.put_rule(Name="r", EventPattern=PATTERN)
    targets = [{"Id": name, "Arn": "arn:aws:sns:eu-west-1:111122223333:t"} for name in ("1", "2")]
    for operation in ("put_targets", "remove_targets"):
        account.partial(operation)
    answer = events.put_targets(Rule="r", Targets=targets)
    assert answer["FailedEntryCount"] == 1
    assert [one["TargetId"] for one in answer["FailedEntries"]] == ["1"]
    assert [one["Id"] for one in events.list_targets_by_rule(Rule="r")["Targets"]] == ["2"]
    assert events.put_targets(Rule="r", Targets=targets)["FailedEntryCount"] == 0
    assert events.remove_targets(Rule="r", Ids=["1", "2"])["FailedEntryCount"] == 1
    assert [one["Id"] for one in events.list_targets_by_rule(Rule="r")["Targets"]] == ["1"]


def test_a_managed_rule_is_not_ours_to_change(account: FakeAccount, events: Any) -> None:
    # [model] ManagedRuleException, Force.
    account.seed_managed_rule("AutoScalingManagedRule", "autoscaling.amazonaws.com", PATTERN)
    assert events.describe_rule(Name="AutoScalingManagedRule")["ManagedBy"] == "autoscaling.amazonaws.com"
    refused(events.put_rule, "ManagedRuleException", Name="AutoScalingManagedRule", EventPattern=PATTERN)
    refused(events.delete_rule, "ManagedRuleException", Name="AutoScalingManagedRule")


# --- Logs


def test_a_group_and_a_stream_are_made_once(logs: Any) -> None:
    # [model] CreateLogGroup, CreateLogStream: ResourceAlreadyExistsException.
    logs.create_log_group(logGroupName="/g")
    refused(logs.create_log_group, "ResourceAlreadyExistsException", logGroupName="/g")
    logs.create_log_stream(logGroupName="/g", logStreamName="s")
    refused(logs.create_log_stream, "ResourceAlreadyExistsException", logGroupName="/g", logStreamName="s")
    refused(logs.create_log_stream, "ResourceNotFoundException", logGroupName="/h", logStreamName="s")


def test_of_two_that_make_the_same_stream_one_wins(account: FakeAccount, logs: Any) -> None:
    logs.create_log_group(logGroupName="/g")
    other = account.session().client("logs")
    account.before(
        "create_log_stream", lambda: other.create_log_stream(logGroupName="/g", logStreamName="lock")
    )
    refused(logs.create_log_stream, "ResourceAlreadyExistsException", logGroupName="/g", logStreamName="lock")
    assert [call.operation for call in account.calls] == ["create_log_group", "create_log_stream"]


def test_retention_is_one_of_the_lengths_that_there_are(logs: Any) -> None:
    # [model] PutRetentionPolicy, retentionInDays.
    logs.create_log_group(logGroupName="/g")
    refused(logs.put_retention_policy, "InvalidParameterException", logGroupName="/g", retentionInDays=31)
    logs.put_retention_policy(logGroupName="/g", retentionInDays=30)
    assert logs.describe_log_groups()["logGroups"][0]["retentionInDays"] == 30
    logs.delete_retention_policy(logGroupName="/g")
    assert "retentionInDays" not in logs.describe_log_groups()["logGroups"][0]


def test_the_tags_of_a_group_are_asked_for_without_the_star(logs: Any) -> None:
    # [model] LogGroup: `arn` ends with `:*`, `logGroupArn` is for tagging; the pattern of resourceArn has no star.
    logs.create_log_group(logGroupName="/g")
    [group] = logs.describe_log_groups()["logGroups"]
    assert group["arn"] == group["logGroupArn"] + ":*"
    refused(logs.list_tags_for_resource, "InvalidParameterException", resourceArn=group["arn"])


def test_events_come_back_in_order_of_time_and_those_of_another_age_are_rejected(
    account: FakeAccount, logs: Any
) -> None:
    # [model] PutLogEvents (14 days, 2 hours), GetLogEvents (endTime excluded), FilterLogEvents (endTime included).
    logs.create_log_group(logGroupName="/g")
    logs.create_log_stream(logGroupName="/g", logStreamName="s")
    now, where = account.clock.millis(), {"logGroupName": "/g", "logStreamName": "s"}
    lines = [{"timestamp": now - 1000, "message": "one"}, {"timestamp": now, "message": "two"}]
    logs.put_log_events(**where, logEvents=lines[1:])
    logs.put_log_events(**where, logEvents=lines[:1])
    read = logs.get_log_events(**where, startFromHead=True, limit=1)
    assert [one["message"] for one in read["events"]] == ["one"]
    following = logs.get_log_events(**where, startFromHead=True, nextToken=read["nextForwardToken"])
    assert [one["message"] for one in following["events"]] == ["two"]
    end = logs.get_log_events(**where, startFromHead=True, nextToken=following["nextForwardToken"])
    assert end["nextForwardToken"] == following["nextForwardToken"]
    assert len(logs.get_log_events(**where, endTime=now)["events"]) == 1
    assert len(logs.filter_log_events(logGroupName="/g", endTime=now)["events"]) == 2
    assert len(logs.filter_log_events(logGroupName="/g", filterPattern="two")["events"]) == 1
    late = [{"timestamp": now, "message": "x"}, {"timestamp": now + 3 * 3_600_000, "message": "y"}]
    answer = logs.put_log_events(**where, logEvents=late)
    assert answer["rejectedLogEventsInfo"] == {"tooNewLogEventStartIndex": 1}
    refused(logs.put_log_events, "InvalidParameterException", **where, logEvents=lines[::-1])


def test_streams_are_ordered_by_name_or_by_their_last_event(account: FakeAccount, logs: Any) -> None:
    # [model] DescribeLogStreams: "If you order the results by event time, you cannot specify the logStreamNamePrefix".
    logs.create_log_group(logGroupName="/g")
    for name, age in (("a", 10), ("b", 30), ("c", 20)):
        logs.create_log_stream(logGroupName="/g", logStreamName=name)
        event = {"timestamp": account.clock.millis() - age, "message": "x"}
        logs.put_log_events(logGroupName="/g", logStreamName=name, logEvents=[event])

    def names(**arguments: Any) -> list[str]:
        pages = logs.get_paginator("describe_log_streams").paginate(logGroupName="/g", **arguments)
        return [stream["logStreamName"] for page in pages for stream in page["logStreams"]]

    assert names(limit=1) == ["a", "b", "c"]
    assert names(orderBy="LastEventTime", descending=True) == ["a", "c", "b"]
    assert names(logStreamNamePrefix="b") == ["b"]
    refused(
        logs.describe_log_streams, "InvalidParameterException",
        logGroupName="/g", orderBy="LastEventTime", logStreamNamePrefix="a",
    )  # fmt: skip


def test_resource_policies_are_put_over_and_at_most_ten(account: FakeAccount, logs: Any) -> None:
    # [model] PutResourcePolicy: "up to 10 resource policies per … Region".
    for number in range(10):
        logs.put_resource_policy(policyName=f"p{number}", policyDocument="{}")
    logs.put_resource_policy(policyName="p0", policyDocument='{"a": 1}')
    refused(logs.put_resource_policy, "LimitExceededException", policyName="p10", policyDocument="{}")
    assert account.snapshot()["log-policy/p0"] == {"policyDocument": '{"a": 1}'}
    logs.delete_resource_policy(policyName="p0")
    refused(logs.delete_resource_policy, "ResourceNotFoundException", policyName="p0")


# --- what others made


def test_what_others_made_is_found(account: FakeAccount, client: Any) -> None:
    secret = account.seed_secret("hook", "https://example.com/x")
    function = account.seed_function("relay")
    key = account.seed_key("1234", {"Version": "2012-10-17", "Statement": []}, alias="alias/alerts")
    account.seed_service("shops", "shop", alarms=("gate",))
    account.seed_scaling_policy("out", "ecs", "service/shops/shop", ("busy",))
    account.seed_group_policy("more", "group", ("load",))
    assert (
        client("secretsmanager").get_secret_value(SecretId=secret[:-7])["SecretString"]
        == "https://example.com/x"
    )
    assert client("secretsmanager").describe_secret(SecretId="hook")["ARN"] == secret
    refused(client("secretsmanager").get_secret_value, "ResourceNotFoundException", SecretId="none")
    functions = client("lambda")
    refused(functions.get_policy, "ResourceNotFoundException", FunctionName="relay")
    allowed = {
        "FunctionName": function,
        "StatementId": "s",
        "Action": "lambda:InvokeFunction",
        "Principal": "sns.amazonaws.com",
    }
    functions.add_permission(**allowed)
    refused(functions.add_permission, "ResourceConflictException", **allowed)
    [statement] = json.loads(functions.get_policy(FunctionName="relay")["Policy"])["Statement"]
    assert statement["Principal"] == {"Service": "sns.amazonaws.com"}
    assert client("kms").describe_key(KeyId="alias/alerts")["KeyMetadata"]["Arn"] == key
    refused(client("kms").get_key_policy, "NotFoundException", KeyId="alias/alerts")
    [service] = client("ecs").describe_services(cluster="shops", services=["shop"])["services"]
    assert service["deploymentConfiguration"]["alarms"]["alarmNames"] == ["gate"]
    [policy] = client("application-autoscaling").describe_scaling_policies(ServiceNamespace="ecs")[
        "ScalingPolicies"
    ]
    assert policy["Alarms"][0]["AlarmName"] == "busy"
    assert client("autoscaling").describe_policies()["ScalingPolicies"][0]["Alarms"][0]["AlarmName"] == "load"
    assert client("sts").get_caller_identity()["Account"] == account.account


# --- faults


def test_calls_are_told_in_order_with_those_that_failed(account: FakeAccount, cloudwatch: Any) -> None:
    account.fail("put_metric_alarm", "Throttling", times=2)
    for _ in range(2):
        refused(cloudwatch.put_metric_alarm, "Throttling", AlarmName="a", **ALARM)
    cloudwatch.put_metric_alarm(AlarmName="a", **ALARM)
    cloudwatch.describe_alarms()
    told = [(call.operation, call.write, call.error) for call in account.calls]
    put = "put_metric_alarm"
    assert told == [
        (put, True, "Throttling"),
        (put, True, "Throttling"),
        (put, True, ""),
        ("describe_alarms", False, ""),
    ]
    assert len(account.writes) == 3


def test_a_fault_of_one_service_leaves_its_namesakes_alone(
    account: FakeAccount, sns: Any, events: Any
) -> None:
    topic = sns.create_topic(Name="t")["TopicArn"]
    rule = events.put_rule(Name="r", EventPattern=PATTERN)["RuleArn"]
    account.fail("sns.tag_resource", "AuthorizationError", status=403)
    events.tag_resource(ResourceARN=rule, Tags=TEAM)
    refused(sns.tag_resource, "AuthorizationError", ResourceArn=topic, Tags=TEAM)
    sns.tag_resource(ResourceArn=topic, Tags=TEAM)


def test_a_region_may_lack_an_operation(account: FakeAccount, cloudwatch: Any, events: Any) -> None:
    account.without("list_alarm_mute_rules")
    account.without("list_rules")
    refused(cloudwatch.list_alarm_mute_rules, "InvalidAction")
    refused(events.list_rules, "UnknownOperationException")


@pytest.mark.parametrize(("before", "alarms"), [(False, ["a0", "a1"]), (True, ["a0"])])
def test_a_killed_process_makes_no_more_calls_and_the_next_one_does(
    account: FakeAccount, before: bool, alarms: list[str]
) -> None:
    dying = account.session().client("cloudwatch")
    account.die_after(2, before=before)
    dying.put_metric_alarm(AlarmName="a0", **ALARM)
    dying.describe_alarms()
    with pytest.raises(Killed):
        dying.put_metric_alarm(AlarmName="a1", **ALARM)
    with pytest.raises(Killed):
        dying.describe_alarms()
    with pytest.raises(Killed):
        dying.delete_alarms(AlarmNames=["a0"])
    following = account.session().client("cloudwatch")
    assert [one["AlarmName"] for one in following.describe_alarms()["MetricAlarms"]] == alarms
    following.put_metric_alarm(AlarmName="a2", **ALARM)


def test_somebody_elses_change_comes_once_just_before_the_call(account: FakeAccount, cloudwatch: Any) -> None:
    other = account.session().client("cloudwatch")
    account.before("describe_alarms", lambda: other.put_metric_alarm(AlarmName="theirs", **ALARM))
    account.fail("put_metric_alarm", "Throttling")
    assert len(cloudwatch.describe_alarms()["MetricAlarms"]) == 1
    assert [call.operation for call in account.calls] == ["describe_alarms"]
    refused(cloudwatch.put_metric_alarm, "Throttling", AlarmName="a", **ALARM)


# --- time


def test_the_most_calls_within_a_second_are_reported(account: FakeAccount, cloudwatch: Any) -> None:
    for pause in (0.0, 1 / 3, 1 / 3, 1 / 3, 0.1, 0.1, 2.0):
        account.sleep(pause)
        cloudwatch.put_metric_alarm(AlarmName="a", **ALARM)
    assert account.rate_report() == {"put_metric_alarm": 5}


def test_even_thirds_of_a_second_are_three_a_second(account: FakeAccount, cloudwatch: Any) -> None:
    account.strict_rate = True
    for _ in range(30):
        cloudwatch.put_metric_alarm(AlarmName="a", **ALARM)
        account.sleep(1 / 3)
    assert account.rate_report() == {"put_metric_alarm": 3}


def test_too_many_calls_a_second_are_refused_where_the_rate_is_strict(
    account: FakeAccount, cloudwatch: Any
) -> None:
    # [guide] CloudWatch quotas: PutMetricAlarm 3 a second, each operation by itself.
    account.strict_rate = True
    for _ in range(3):
        cloudwatch.put_metric_alarm(AlarmName="a", **ALARM)
    refused(cloudwatch.put_metric_alarm, "Throttling", AlarmName="a", **ALARM)
    cloudwatch.put_composite_alarm(AlarmName="c", AlarmRule="ALARM(a)")
    account.sleep(1.0)
    cloudwatch.put_metric_alarm(AlarmName="a", **ALARM)


def test_accounts_may_share_a_clock_and_nothing_else() -> None:
    clock = Clock()
    one, two = FakeAccount(clock=clock), FakeAccount("999988887777", clock=clock)
    one.session().client("cloudwatch").put_metric_alarm(AlarmName="a", **ALARM)
    one.sleep(5)
    assert (two.clock(), two.snapshot(), two.calls) == (5.0, {}, [])


# --- the same calls to moto

# Drawn data must not depend on when it is drawn.
NOW = Clock().millis()
SCRIPTS: dict[str, Callable[[str], st.SearchStrategy[list[Step]]]] = {
    "alarms": alarm_steps,
    "topics": topic_steps,
    "events": event_steps,
    "logs": lambda account: log_steps(account, NOW),
}
MOTO = "123456789012"


@pytest.mark.parametrize("script", SCRIPTS)
@settings(max_examples=5, deadline=None)
@given(data=st.data())
def test_moto_answers_as_the_fake_does(script: str, data: st.DataObject) -> None:
    steps = data.draw(SCRIPTS[script](MOTO))
    with mock_aws():
        session = boto3.session.Session(region_name=REGION)
        found = differences(
            FakeAccount(MOTO).session().client, session.client, steps, MOTO_UNLIKE, MOTO_UNREFUSED
        )
    assert not found, "\n".join(found)

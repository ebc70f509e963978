"""An environment on a fake account: what an apply does, records and says, and what it will not do."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from orders_obs.alerts.compile.sns import RETRIES
from orders_obs.aws.guards import Revision
from orders_obs.aws.management import Options
from orders_obs.aws.subscriptions import subscription_settings
from orders_obs.aws.things import Thing
from orders_obs.errors import UserError
from tests.aws.fake import FakeAccount, Killed
from tests.aws.managed import SHOP, account, applied, aws_of, managed

CPU = "shop-production-cpu-warning"


@pytest.fixture
def fake() -> FakeAccount:
    return account()


def _rules(found: object) -> list[str]:
    return sorted({finding.rule for finding in found})  # type: ignore[attr-defined]


def test_a_first_apply_makes_everything_and_a_second_writes_nothing(fake: FakeAccount, tmp_path: Path):
    applied(fake, tmp_path)
    before, calls = fake.snapshot(), len(fake.writes)
    made = managed(fake, tmp_path)
    plan, _ = made.plan()
    assert plan.changes == []
    assert made.apply(plan).complete
    assert len(fake.writes) == calls
    assert fake.snapshot() == before


def test_everything_made_is_marked_as_the_catalogues(fake: FakeAccount, tmp_path: Path):
    made = applied(fake, tmp_path)
    live = made.plan()[1]
    marked = [
        thing
        for thing in live.things.values()
        if thing.kind not in ("subscription", "log-policy") and thing.name != made.desired.record_group
    ]
    assert len(marked) > 8
    assert all(made.desired.owner.has(thing.tags) for thing in marked)
    assert all(thing.tags["orders-obs:content"] == thing.content for thing in marked)


def test_tags_that_a_put_dropped_are_set_afterwards(fake: FakeAccount, tmp_path: Path):
    """Without the right to tag CloudWatch drops the tags of a put; an emulator does so always."""
    made = managed(fake, tmp_path)
    plan, _ = made.plan()

    def forget() -> None:
        fake.session().client("cloudwatch").untag_resource(
            ResourceARN=made.desired.things[f"metric-alarm/{CPU}"].arn, TagKeys=["managed-by", "service"]
        )

    fake.before("list_tags_for_resource", forget)
    assert made.apply(plan).complete
    live = managed(fake, tmp_path).plan()[1]
    assert live.things[f"metric-alarm/{CPU}"].tags["managed-by"] == "orders-obs"


def test_r4_an_apply_leaves_a_record_of_who_did_what_from_which_revision(fake: FakeAccount, tmp_path: Path):
    made = applied(fake, tmp_path, revision=Revision("c0ffee", False, tmp_path))
    entries = list(made.record.entries())
    end = entries[0]
    assert (end["event"], end["revision"], end["service"], end["environment"]) == (
        "applied",
        "c0ffee",
        "shop",
        "production",
    )
    assert end["by"].startswith("arn:aws:")
    changed = {entry["name"]: entry for entry in entries if entry["event"] == "change"}
    assert {"path": "Threshold", "was": None, "will": 80} in changed[CPU]["fields"]
    assert any(entry["event"] == "started" for entry in entries)
    group = fake.snapshot()["log-group//orders-obs/shop-production"]
    assert "400" in json.dumps(group, default=str)


def test_the_record_of_an_apply_that_failed_says_what_was_done_and_what_was_not(
    fake: FakeAccount, tmp_path: Path
):
    made = managed(fake, tmp_path)
    plan, _ = made.plan()
    fake.fail("create_topic", "AuthorizationError", times=1, status=403)
    done = made.apply(plan)
    assert not done.complete
    outcomes = {entry.change.identity: entry.outcome for entry in done.done}
    assert outcomes["topic/shop-critical-production"] == "failed"
    assert outcomes["metric-alarm/shop-production-errors-critical"] == "not begun"
    assert outcomes[f"metric-alarm/{CPU}"] == "done"
    entries = list(made.record.entries())
    assert entries[0]["event"] == "applied in part"
    assert [
        entry["outcome"]
        for entry in entries
        if entry["event"] == "change" and entry.get("name") == "shop-critical-production"
    ] == ["failed"]


def test_a_plan_made_from_another_state_is_not_applied(fake: FakeAccount, tmp_path: Path):
    applied(fake, tmp_path)
    made = managed(fake, tmp_path, SHOP.replace("80%", "90%"))
    plan, _ = made.plan()
    client = fake.session().client("cloudwatch")
    client.delete_alarms(AlarmNames=[CPU])
    with pytest.raises(UserError, match="has changed since the plan was made"):
        made.apply(plan)
    assert CPU not in json.dumps(sorted(fake.snapshot()))


def test_two_that_apply_at_once_do_not_both_go_on(fake: FakeAccount, tmp_path: Path):
    applied(fake, tmp_path)
    first = managed(fake, tmp_path, SHOP.replace("80%", "90%"))
    lock = first.record.acquire()
    second = managed(fake, tmp_path, SHOP.replace("80%", "70%"))
    plan, _ = second.plan()
    with pytest.raises(UserError, match="is changing this environment now"):
        second.apply(plan)
    first.record.release(lock)
    assert second.apply(second.plan()[0]).complete


def test_the_lock_of_one_that_died_lapses(fake: FakeAccount, tmp_path: Path):
    applied(fake, tmp_path)
    managed(fake, tmp_path).record.acquire()
    fake.sleep(15 * 60 + 1)
    made = managed(fake, tmp_path, SHOP.replace("80%", "70%"))
    assert made.apply(made.plan()[0]).complete


def test_a_lock_can_be_broken(fake: FakeAccount, tmp_path: Path):
    applied(fake, tmp_path)
    managed(fake, tmp_path).record.acquire()
    made = managed(fake, tmp_path, SHOP.replace("80%", "70%"))
    assert made.apply(made.plan()[0], Options(break_lock=True)).complete


def test_of_two_that_take_the_lock_at_the_same_moment_one_gets_it(fake: FakeAccount, tmp_path: Path):
    applied(fake, tmp_path)
    late, early = managed(fake, tmp_path).record, managed(fake, tmp_path).record
    fake.before("create_log_stream", early.acquire)
    with pytest.raises(UserError, match="is changing this environment now"):
        late.acquire()


def test_an_alarm_of_somebody_else_refuses_the_whole_plan(fake: FakeAccount, tmp_path: Path):
    client = fake.session().client("cloudwatch")
    alarm = {
        "AlarmName": CPU, "Namespace": "AWS/EC2", "MetricName": "CPUUtilization", "Statistic": "Average", "Period": 60,
        "EvaluationPeriods": 1, "Threshold": 1.0, "ComparisonOperator": "GreaterThanThreshold",
    }  # fmt: skip
    client.put_metric_alarm(**alarm)
    before = fake.snapshot()
    made = managed(fake, tmp_path)
    plan, _ = made.plan()
    assert _rules(plan.refusals) == ["not-ours"]
    with pytest.raises(UserError, match="nothing was applied"):
        made.apply(plan)
    assert fake.snapshot() == before


def test_an_alarm_of_nobody_can_be_taken_over(fake: FakeAccount, tmp_path: Path):
    applied(fake, tmp_path)
    arn = managed(fake, tmp_path).desired.things[f"metric-alarm/{CPU}"].arn
    tags = fake.session().client("cloudwatch").list_tags_for_resource(ResourceARN=arn)["Tags"]
    fake.session().client("cloudwatch").untag_resource(ResourceARN=arn, TagKeys=[tag["Key"] for tag in tags])
    made = managed(fake, tmp_path)
    assert _rules(made.plan()[0].refusals) == ["not-ours"]
    options = Options(adopt=(CPU,))
    plan, _ = made.plan(options)
    assert [(change.action, change.cause) for change in plan.changes] == [("tag", "adopted")]
    made.apply(plan, options)
    assert managed(fake, tmp_path).plan()[0].changes == []


def test_more_than_a_fifth_gone_needs_to_be_asked_for(fake: FakeAccount, tmp_path: Path):
    applied(fake, tmp_path)
    fewer = SHOP[: SHOP.index("  errors:")]
    made = managed(fake, tmp_path, fewer)
    options = Options(prune=True)
    assert "deletions-many" in _rules(made.plan(options)[0].refusals)
    options = Options(prune=True, allow=("deletions",))
    plan, _ = made.plan(options)
    assert plan.refusals == []
    assert made.apply(plan, options).complete


def test_orphans_stay_until_they_are_pruned(fake: FakeAccount, tmp_path: Path):
    applied(fake, tmp_path)
    fewer = SHOP[: SHOP.index("  failed:")]
    plan, _ = managed(fake, tmp_path, fewer).plan()
    assert not plan.deletions
    assert "rule/shop-production-failed-critical" in [thing.identity for thing in plan.orphans]


def test_an_alarm_that_fires_is_not_deleted(fake: FakeAccount, tmp_path: Path):
    applied(fake, tmp_path)
    fake.set_state(CPU, "ALARM")
    without = SHOP.replace(SHOP[SHOP.index("  cpu:") : SHOP.index("  errors:")], "")
    made = managed(fake, tmp_path, without)
    assert "alarm-firing" in _rules(made.plan(Options(prune=True))[0].refusals)
    assert made.plan(Options(prune=True, allow=("firing",)))[0].refusals == []


def test_an_alarm_that_others_use_is_not_deleted(fake: FakeAccount, tmp_path: Path):
    applied(fake, tmp_path)
    fake.session().client("cloudwatch").put_composite_alarm(AlarmName="theirs", AlarmRule=f'ALARM("{CPU}")')
    without = SHOP.replace(SHOP[SHOP.index("  cpu:") : SHOP.index("  errors:")], "")
    found = managed(fake, tmp_path, without).plan(Options(prune=True))[0].refusals
    assert [(finding.rule, "theirs" in finding.message) for finding in found] == [("alarm-in-use", True)]


def test_an_alarm_that_watches_deployments_is_not_deleted(fake: FakeAccount, tmp_path: Path):
    applied(fake, tmp_path)
    fake.seed_service("shops", "shop", alarms=(CPU,))
    without = SHOP.replace(SHOP[SHOP.index("  cpu:") : SHOP.index("  errors:")], "")
    found = managed(fake, tmp_path, without).plan(Options(prune=True))[0].refusals
    assert [(finding.rule, "deployments" in finding.message) for finding in found] == [("alarm-in-use", True)]


def test_an_older_revision_is_not_applied_over_a_newer_one(fake: FakeAccount, tmp_path: Path):
    applied(fake, tmp_path, revision=Revision("aaaa", False, tmp_path))
    made = managed(fake, tmp_path, SHOP.replace("80%", "90%"), revision=Revision("bbbb", False, tmp_path))
    assert _rules(made.plan()[0].refusals) == ["revision-older"]
    assert made.plan(Options(allow=("older",)))[0].refusals == []


def test_an_alarm_on_hold_stays_as_a_person_left_it_until_the_day_has_passed(
    fake: FakeAccount, tmp_path: Path
):
    applied(fake, tmp_path)
    arn = managed(fake, tmp_path).desired.things[f"metric-alarm/{CPU}"].arn
    day = fake.clock.now().date().isoformat()
    fake.session().client("cloudwatch").tag_resource(
        ResourceARN=arn, Tags=[{"Key": "orders-obs:hold", "Value": f"{day} ann: load test"}]
    )
    text = SHOP.replace("80%", "90%")
    plan, _ = managed(fake, tmp_path, text).plan()
    assert plan.changes == []
    assert [words for _, words in plan.held] == [f"{day} ann: load test"]
    fake.sleep(2 * 86_400)
    made = managed(fake, tmp_path, text)
    plan, _ = made.plan()
    assert [(change.action, change.untag) for change in plan.changes] == [("update", ("orders-obs:hold",))]
    assert made.apply(plan).complete


def test_a_secret_that_is_not_there_is_said_before_anything_is_written(fake: FakeAccount, tmp_path: Path):
    text = SHOP.replace("topic: shop-critical,", "topic: shop-critical, pagerduty: secret:shop/pager,")
    made = managed(fake, tmp_path, text)
    assert _rules(made.plan()[0].refusals) == ["secret-missing"]


def test_r3_the_address_of_a_receiver_is_in_no_plan_record_or_error(fake: FakeAccount, tmp_path: Path):
    canary = "https://events.pagerduty.com/integration/CANARY0123456789/enqueue"
    fake.seed_secret("shop/pager", canary)
    text = SHOP.replace("topic: shop-critical,", "topic: shop-critical, pagerduty: secret:shop/pager,")
    made = managed(fake, tmp_path, text)
    plan, _ = made.plan()
    fake.fail("subscribe", "InvalidParameter", times=1, message=f"Invalid parameter: Endpoint {canary}")
    first = made.apply(plan)
    assert len(first.failed) == 1
    second = managed(fake, tmp_path, text)
    done = second.apply(second.plan()[0])
    assert done.complete
    said = json.dumps(
        [
            plan.fingerprint,
            [change.as_data() for change in plan.changes],
            [entry.as_data() for entry in (*first.done, *done.done)],
            [finding.message for finding in done.findings],
            list(made.record.entries()),
        ],
        default=str,
    )
    assert "CANARY" not in said
    subscribed = json.dumps(fake.snapshot(), default=str).count("CANARY")
    assert subscribed >= 1


def test_a_topic_of_another_catalogue_is_not_taken(fake: FakeAccount, tmp_path: Path):
    applied(fake, tmp_path)
    other = SHOP.replace("service: shop", "service: till")
    found = managed(fake, tmp_path, other).plan()[0].refusals
    assert {finding.where for finding in found} == {
        "topic/shop-critical-production",
        "topic/shop-alerts-production",
    }
    assert all("the catalogue of shop for production" in finding.message for finding in found)


def test_others_statements_and_targets_stay(fake: FakeAccount, tmp_path: Path):
    made = applied(fake, tmp_path)
    topic = made.desired.things["topic/shop-critical-production"].arn
    sns = fake.session().client("sns")
    policy = json.loads(sns.get_topic_attributes(TopicArn=topic)["Attributes"]["Policy"])
    theirs = {
        "Sid": "Backup",
        "Effect": "Allow",
        "Principal": {"Service": "backup.amazonaws.com"},
        "Action": "sns:Publish",
        "Resource": topic,
    }
    policy["Statement"] = [
        statement for statement in policy["Statement"] if statement["Sid"] != "RdsEvents"
    ] + [theirs]
    sns.set_topic_attributes(TopicArn=topic, AttributeName="Policy", AttributeValue=json.dumps(policy))
    made = managed(fake, tmp_path)
    plan, _ = made.plan()
    assert [change.identity for change in plan.changes] == ["topic/shop-critical-production"]
    assert any("Backup" in line for line in plan.others)
    assert made.apply(plan).complete
    policy = json.loads(sns.get_topic_attributes(TopicArn=topic)["Attributes"]["Policy"])
    assert {statement["Sid"] for statement in policy["Statement"]} == {
        "Owner",
        "CloudWatchAlarms",
        "EventBridgeRules",
        "RdsEvents",
        "Backup",
    }


def test_the_rights_that_are_printed_are_those_that_are_used(fake: FakeAccount, tmp_path: Path):
    from orders_obs.aws.rights import rights

    fake.seed_secret("shop/pager", "https://events.pagerduty.com/integration/x/enqueue")
    text = SHOP.replace("topic: shop-critical,", "topic: shop-critical, pagerduty: secret:shop/pager,")
    made = managed(fake, tmp_path, text)
    made.plan()
    reads = {_action(call.service, call.operation) for call in fake.calls if call.service != "sts"}
    assert reads <= _allowed(rights(made.desired, "plan"))
    applied(fake, tmp_path, text)
    options = Options(prune=True, destroy=True, allow=("deletions", "empty"))
    last = managed(fake, tmp_path, text)
    assert last.apply(last.plan(options)[0], options).complete
    used = {_action(call.service, call.operation) for call in fake.calls if call.service != "sts"}
    assert used <= _allowed(rights(made.desired, "apply"))
    assert not any(
        call.write
        for call in fake.calls
        if _action(call.service, call.operation) in _allowed(rights(made.desired, "plan"))
    )


def _action(service: str, operation: str) -> str:
    prefix = {"resourcegroupstaggingapi": "tag"}.get(service, service)
    return f"{prefix}:{''.join(word.capitalize() for word in operation.split('_'))}"


def _allowed(policy: dict[str, object]) -> set[str]:
    return {action for statement in policy["Statement"] for action in statement["Action"]}  # type: ignore[attr-defined]


def test_destroy_takes_away_what_is_ours_and_leaves_the_logs(fake: FakeAccount, tmp_path: Path):
    applied(fake, tmp_path)
    fake.session().client("cloudwatch").put_composite_alarm(AlarmName="theirs", AlarmRule="FALSE")
    made = managed(fake, tmp_path)
    options = Options(prune=True, destroy=True, allow=("deletions", "empty"))
    plan, _ = made.plan(options)
    assert made.apply(plan, options).complete
    left = {name.partition("/")[0] for name in fake.snapshot()}
    assert "metric-alarm" not in left
    assert "topic" not in left
    assert {"composite-alarm", "log-group"} <= left


def test_what_nobody_hears_is_said_after_the_apply(fake: FakeAccount, tmp_path: Path):
    made = managed(fake, tmp_path)
    done = made.apply(made.plan()[0])
    assert {"subscription-pending", "metric-without-data"} <= set(_rules(done.findings))
    fake.confirm(made.desired.things["topic/shop-critical-production"].arn, "oncall@example.com")
    text = SHOP.replace("80%", "90%")
    made = managed(fake, tmp_path, text)
    pending = [f.where for f in made.apply(made.plan()[0]).findings if f.rule == "subscription-pending"]
    assert pending == ["subscription/shop-alerts-production email shop@example.com"]


def test_a_topic_that_slack_would_hear_by_a_relay_asks_for_the_relay(fake: FakeAccount, tmp_path: Path):
    text = SHOP.replace("email: [oncall@example.com]", "slack: secret:shop/slack").replace(
        ", email: [shop@example.com]", ""
    )
    made = managed(fake, tmp_path, text)
    findings = made.apply(made.plan()[0]).findings
    hints = {f.where: f.hint for f in findings if f.rule == "topic-without-subscription"}
    assert hints == {
        "topic/shop-critical-production": "slack takes no message of SNS: name the relay as the resource relay_function",
        "topic/shop-alerts-production": "give its severity email, slack or pagerduty",
    }


def test_credentials_of_another_account_are_refused(fake: FakeAccount, tmp_path: Path):
    other = FakeAccount(account="999999999999", region="eu-west-1")
    with pytest.raises(
        UserError, match="is in account 123456789012, and the credentials are those of 999999999999"
    ):
        managed(other, tmp_path)
    assert aws_of(other).account == "999999999999"


def test_whoever_lost_the_lock_stops(fake: FakeAccount, tmp_path: Path):
    applied(fake, tmp_path)
    slow = managed(fake, tmp_path, SHOP.replace("80%", "90%").replace("5%", "6%").replace("1%", "2%"))
    plan, _ = slow.plan()

    def suspended() -> None:
        fake.sleep(16 * 60)
        managed(fake, tmp_path).record.acquire()

    fake.before("put_metric_alarm", suspended)
    done = slow.apply(plan)
    assert [entry.outcome for entry in done.done].count("done") == 1
    assert "not begun" in [entry.outcome for entry in done.done]
    assert not done.complete


def test_what_was_there_before_is_recorded_before_the_first_write(fake: FakeAccount, tmp_path: Path):
    applied(fake, tmp_path)
    made = managed(fake, tmp_path, SHOP.replace("80%", "90%"))
    plan, _ = made.plan()
    fake.before("put_metric_alarm", lambda: fake.die_after(1, before=True))
    with pytest.raises(Killed):
        made.apply(plan)
    record = managed(fake, tmp_path).record
    planned = [entry for entry in record.entries() if entry["event"] == "planned" and entry["name"] == CPU]
    assert {"path": "Threshold", "was": 80, "will": 90} in planned[0]["fields"]


def test_an_entry_with_a_secret_in_it_is_still_an_entry(fake: FakeAccount, tmp_path: Path):
    record = applied(fake, tmp_path).record
    texts = [
        'login with password="a b"',
        'pwd="zz',
        "-----BEGIN PRIVATE KEY-----\\nabc",
        '{"token": "x\\"y"}',
    ]
    record.write([{"event": "probe", "fields": [{"was": text}]} for text in texts])
    found = [entry for entry in record.entries() if entry["event"] == "probe"]
    assert len(found) == len(texts)
    assert "a b" not in json.dumps(found)


def test_a_revision_that_was_applied_in_part_counts_as_applied(fake: FakeAccount, tmp_path: Path):
    made = managed(fake, tmp_path, revision=Revision("bbbb", False, tmp_path))
    plan, _ = made.plan()
    fake.fail("put_rule", "InternalFailure", times=1, status=500)
    assert not made.apply(plan).complete
    older = managed(fake, tmp_path, revision=Revision("aaaa", False, tmp_path))
    assert "revision-older" in _rules(older.plan()[0].refusals)


TOPICS = SHOP.replace("topic: shop-critical,", "topic: shop-page,")


def test_a_topic_that_is_wanted_no_more_is_an_orphan_and_can_be_pruned(fake: FakeAccount, tmp_path: Path):
    applied(fake, tmp_path)
    made = managed(fake, tmp_path, TOPICS)
    plan, _ = made.plan()
    assert "topic/shop-critical-production" in [thing.identity for thing in plan.orphans]
    assert made.apply(plan).complete
    made, options = managed(fake, tmp_path, TOPICS), Options(prune=True)
    assert made.apply(made.plan(options)[0], options).complete
    topics = [name for name in fake.snapshot() if name.startswith("topic/")]
    assert len(topics) == 2
    assert not any("shop-critical" in name for name in topics)


def test_no_topic_goes_that_others_alarms_send_to(fake: FakeAccount, tmp_path: Path):
    made = applied(fake, tmp_path)
    topic = made.desired.things["topic/shop-critical-production"].arn
    fake.session().client("cloudwatch").put_composite_alarm(
        AlarmName="theirs", AlarmRule="FALSE", AlarmActions=[topic]
    )
    options = Options(prune=True, destroy=True, allow=("deletions", "empty"))
    found = made.plan(options)[0].refusals
    assert [(finding.rule, "theirs" in finding.message) for finding in found] == [("topic-in-use", True)]


def test_no_topic_goes_that_a_released_alarm_sends_to(fake: FakeAccount, tmp_path: Path):
    made = applied(fake, tmp_path)
    arn = made.desired.things[f"metric-alarm/{CPU}"].arn
    tags = fake.session().client("cloudwatch").list_tags_for_resource(ResourceARN=arn)["Tags"]
    fake.session().client("cloudwatch").untag_resource(ResourceARN=arn, TagKeys=[tag["Key"] for tag in tags])
    options = Options(prune=True, destroy=True, allow=("deletions", "empty"))
    found = made.plan(options)[0].refusals
    assert [(finding.rule, finding.where) for finding in found] == [
        ("topic-in-use", "topic/shop-alerts-production")
    ]


def test_what_somebody_adds_to_a_topic_meanwhile_does_not_go_with_it(fake: FakeAccount, tmp_path: Path):
    applied(fake, tmp_path)
    made = managed(fake, tmp_path, TOPICS)
    made.apply(made.plan()[0])
    topic = "arn:aws:sns:eu-west-1:123456789012:shop-critical-production"
    made, options = managed(fake, tmp_path, TOPICS), Options(prune=True)
    plan, _ = made.plan(options)
    queue = "arn:aws:sqs:eu-west-1:123456789012:theirs"
    # The apply plans anew first, and finds it then already.
    fake.before(
        "put_log_events",
        lambda: fake.session().client("sns").subscribe(TopicArn=topic, Protocol="sqs", Endpoint=queue),
    )
    with pytest.raises(UserError):
        made.apply(plan, options)
    assert f"topic/{topic}" in fake.snapshot()


def test_somebody_who_unsubscribed_stops_no_plan(
    fake: FakeAccount, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    made = applied(fake, tmp_path)
    before = made.aws.pages

    def pages(service: str, operation: str, **more: object) -> list[dict[str, object]]:
        found: list[dict[str, object]] = before(service, operation, **more)  # type: ignore[arg-type]
        if operation == "list_subscriptions_by_topic":
            for page in found:
                for entry in page["Subscriptions"]:  # type: ignore[attr-defined]
                    entry["SubscriptionArn"] = "Deleted"
        return found

    monkeypatch.setattr(made.aws, "pages", pages)
    plan, _ = made.plan()
    assert {change.action for change in plan.changes if change.thing.kind == "subscription"} == {"create"}


def test_an_alert_that_was_named_otherwise_leaves_no_second_alarm(fake: FakeAccount, tmp_path: Path):
    applied(fake, tmp_path)
    made = managed(fake, tmp_path, SHOP.replace("  cpu:\n", "  cpu_high:\n    was: [cpu]\n"))
    plan, _ = made.plan()
    assert plan.refusals == []
    assert {(change.action, change.thing.name) for change in plan.changes if "cpu" in change.thing.name} == {
        ("create", "shop-production-cpu_high-warning"),
        ("delete", CPU),
    }
    assert made.apply(plan).complete


PAGED = SHOP.replace("topic: shop-critical,", "topic: shop-critical, pagerduty: secret:shop/pager,")
TOPIC = "arn:aws:sns:eu-west-1:123456789012:shop-critical-production"


def _paged(fake: FakeAccount, folder: Path, *, confirmed: bool = True) -> str:
    """The ARN of PagerDuty's subscription after an apply."""
    address = "https://events.pagerduty.com/integration/x/enqueue"
    fake.seed_secret("shop/pager", address)
    applied(fake, folder, PAGED)
    if confirmed:
        fake.confirm(TOPIC, address)
    (arn,) = [arn for arn, one in fake.topics.subscriptions.items() if one.endpoint == address]
    return arn


def _policy(fake: FakeAccount, arn: str) -> dict[str, Any]:
    content: dict[str, Any] = json.loads(fake.topics.subscriptions[arn].attributes["DeliveryPolicy"])
    return content


def test_retries_that_somebody_changed_are_put_right_once_and_the_rest_of_the_policy_stays(
    fake: FakeAccount, tmp_path: Path
):
    arn = _paged(fake, tmp_path)
    assert _policy(fake, arn) == {"healthyRetryPolicy": RETRIES}
    assert managed(fake, tmp_path, PAGED).plan()[0].changes == []
    changed = {
        "healthyRetryPolicy": {**RETRIES, "numRetries": 3, "numMaxDelayRetries": 0},
        "throttlePolicy": {"maxReceivesPerSecond": 5},
    }
    fake.session().client("sns").set_subscription_attributes(
        SubscriptionArn=arn, AttributeName="DeliveryPolicy", AttributeValue=json.dumps(changed)
    )
    plan = managed(fake, tmp_path, PAGED).plan()[0]
    (change,) = plan.changes
    assert (change.action, change.cause) == ("update", "by hand")
    assert {f.path.rpartition(".")[2]: (f.was, f.will) for f in change.fields} == {
        "numRetries": (3, RETRIES["numRetries"]),
        "numMaxDelayRetries": (0, RETRIES["numMaxDelayRetries"]),
    }
    applied(fake, tmp_path, PAGED)
    assert _policy(fake, arn) == {**changed, "healthyRetryPolicy": RETRIES}
    writes = len(fake.writes)
    applied(fake, tmp_path, PAGED)
    assert len(fake.writes) == writes


def test_retries_that_somebody_took_away_come_back(fake: FakeAccount, tmp_path: Path):
    arn = _paged(fake, tmp_path)
    del fake.topics.subscriptions[arn].attributes["DeliveryPolicy"]
    applied(fake, tmp_path, PAGED)
    assert _policy(fake, arn) == {"healthyRetryPolicy": RETRIES}
    assert managed(fake, tmp_path, PAGED).plan()[0].changes == []


def test_a_subscription_that_waits_for_confirmation_is_taken_to_be_as_it_was_made(
    fake: FakeAccount, tmp_path: Path
):
    arn = _paged(fake, tmp_path, confirmed=False)
    fake.topics.subscriptions[arn].attributes.clear()
    assert managed(fake, tmp_path, PAGED).plan()[0].changes == []


def test_an_address_of_others_is_not_changed_where_the_secret_cannot_be_read(
    fake: FakeAccount, tmp_path: Path
):
    _paged(fake, tmp_path)
    address = "https://others.example.com/x"
    sns = fake.session().client("sns")
    sns.subscribe(TopicArn=TOPIC, Protocol="https", Endpoint=address)
    fake.confirm(TOPIC, address)
    fake.fail("get_secret_value", "AccessDeniedException", times=1, status=400)
    plan = managed(fake, tmp_path, PAGED).plan()[0]
    assert [change for change in plan.changes if change.thing.kind == "subscription"] == []
    assert any("cannot be read" in note for note in plan.notes)


@pytest.mark.parametrize(
    ("policy", "seen"),
    [
        ({"healthyRetryPolicy": {**RETRIES, "newField": 1}, "guaranteed": False}, RETRIES),
        ({"healthyRetryPolicy": {"numRetries": 3}}, {"numRetries": 3}),
        ({"healthyRetryPolicy": None, "throttlePolicy": None}, None),
        ("no object", None),
    ],
)
def test_of_a_delivery_policy_only_the_fields_that_are_set_are_looked_at(policy: Any, seen: Any):
    wanted = Thing("subscription", "t https <s>", {"DeliveryPolicy": {"healthyRetryPolicy": RETRIES}})
    settings = subscription_settings({"DeliveryPolicy": json.dumps(policy)}, wanted)
    assert settings == ({} if seen is None else {"DeliveryPolicy": {"healthyRetryPolicy": seen}})


def test_a_delivery_policy_on_a_subscription_that_wants_none_is_its_owners(fake: FakeAccount, tmp_path: Path):
    applied(fake, tmp_path)
    for one in fake.topics.subscriptions.values():
        one.pending = False
        one.attributes["DeliveryPolicy"] = '{"healthyRetryPolicy":{"numRetries":1}}'
    assert managed(fake, tmp_path).plan()[0].changes == []


def test_an_address_of_a_chat_gets_into_no_subscription(fake: FakeAccount, tmp_path: Path):
    fake.seed_secret("shop/pager", "https://hooks.slack.com/services/T0/B0/CANARY")
    text = SHOP.replace("topic: shop-critical,", "topic: shop-critical, pagerduty: secret:shop/pager,")
    found = managed(fake, tmp_path, text).plan()[0].refusals
    assert [finding.rule for finding in found] == ["secret-unfit"]
    assert "CANARY" not in str(found)


def test_what_a_killed_apply_did_not_get_to_mark_is_still_ours(fake: FakeAccount, tmp_path: Path):
    """An emulator drops the tags of a put, so that an apply can be killed between the two."""
    made = managed(fake, tmp_path)
    plan, _ = made.plan()
    arn = made.desired.things[f"metric-alarm/{CPU}"].arn

    def forget_and_die() -> None:
        client = fake.session().client("cloudwatch")
        keys = [tag["Key"] for tag in client.list_tags_for_resource(ResourceARN=arn)["Tags"]]
        if keys:
            client.untag_resource(ResourceARN=arn, TagKeys=keys)
        fake.die_after(1, before=True)

    fake.before("cloudwatch.list_tags_for_resource", forget_and_die)
    with pytest.raises(Killed):
        made.apply(plan)
    fake.sleep(16 * 60)
    made = managed(fake, tmp_path)
    plan, _ = made.plan()
    assert plan.refusals == []
    assert made.apply(plan).complete

"""Apply against an account in memory: what others do meanwhile, what a secret holds, and what takes another name."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest

from orders_obs.aws.apply import apply_plan
from orders_obs.aws.plan import Change, Plan
from orders_obs.aws.plan_text import plan_text
from orders_obs.aws.things import Thing
from orders_obs.errors import EnvironmentFault, UserError
from tests.alerts.random_catalogues import ACCOUNT, REGION
from tests.aws.by_hand import Damage, metric
from tests.aws.worlds import (
    ALL,
    CANARY,
    RECORD,
    World,
    differences,
    of_text,
    ours,
    wanted_state,
)
from tests.aws.worn import (
    CPU,
    EVENT,
    FIRST,
    HEAD,
    SECOND,
    SLO,
    STORAGE,
    assert_ordered,
    at,
    changed,
    worn,
)

# --- Overtaken


def by_hand(world: World, thing: Thing) -> None:
    """Somebody makes a thing before we do, in his own way."""
    name = thing.name
    if thing.kind == "metric-alarm":
        world.hand("cloudwatch", "put_metric_alarm", **metric(name))
    elif thing.kind == "composite-alarm":
        world.hand("cloudwatch", "put_composite_alarm", AlarmName=name, AlarmRule="FALSE")
    elif thing.kind == "topic":
        world.hand("sns", "create_topic", Name=name)
    elif thing.kind == "subscription":
        endpoint = thing.arguments.get("Endpoint", CANARY)
        topic, protocol = thing.arguments["TopicArn"], thing.arguments["Protocol"]
        world.hand("sns", "subscribe", TopicArn=topic, Protocol=protocol, Endpoint=endpoint)
    elif thing.kind == "rule":
        world.hand("events", "put_rule", Name=name, EventPattern='{"source":["aws.ec2"]}')
    elif thing.kind == "log-group":
        world.hand("logs", "create_log_group", logGroupName=name)
    elif thing.kind == "log-policy":
        world.hand("logs", "put_resource_policy", policyName=name, policyDocument="{}")
    else:
        schedule = {"Schedule": {"Expression": "cron(0 5 * * ? *)", "Duration": "PT1H"}}
        world.hand(
            "cloudwatch", "put_alarm_mute_rule", Name=name, Rule=schedule, MuteTargets={"AlarmNames": ["x"]}
        )


def edit(world: World, thing: Thing) -> None:
    """Somebody changes a thing that is there."""
    name, account = thing.name, world.account
    if thing.kind in ("metric-alarm", "composite-alarm"):
        account.alarms.all[name].config["AlarmDescription"] = "somebody was here"
    elif thing.kind == "topic":
        topic = account.topics.topics[thing.arn]
        topic.attributes["KmsMasterKeyId"] = "alias/of-somebody"
    elif thing.kind == "subscription":
        account.topics.subscriptions[thing.arn].attributes["FilterPolicy"] = '{"a":["b"]}'
    elif thing.kind == "rule":
        account.events.rules[name].config["Description"] = "somebody was here"
    elif thing.kind == "log-group":
        account.logs.groups[name].config["retentionInDays"] = 3
    elif thing.kind == "log-policy":
        account.logs.policies[name]["policyDocument"] = '{"Statement":[]}'
    else:
        account.alarms.mutes.rules[name].config["Description"] = "somebody was here"


def retag(world: World, thing: Thing) -> None:
    """Somebody takes a thing over."""
    name, account = thing.name, world.account
    if thing.kind in ("metric-alarm", "composite-alarm"):
        account.alarms.all[name].tags["managed-by"] = "terraform"
    elif thing.kind == "topic":
        account.topics.topics[thing.arn].tags["managed-by"] = "terraform"
    elif thing.kind == "rule":
        account.events.rules[name].tags["managed-by"] = "terraform"
    elif thing.kind == "log-group":
        account.logs.groups[name].tags["managed-by"] = "terraform"
    elif thing.kind == "mute-rule":
        account.alarms.mutes.rules[name].tags["managed-by"] = "terraform"


def remove(world: World, thing: Thing) -> None:
    name, account = thing.name, world.account
    if thing.kind in ("metric-alarm", "composite-alarm"):
        for alarm in account.alarms.all.values():
            if name in alarm.children:
                alarm.config["AlarmRule"], alarm.children = "FALSE", ()
        del account.alarms.all[name]
    elif thing.kind == "topic":
        world.hand("sns", "delete_topic", TopicArn=thing.arn)
    elif thing.kind == "subscription":
        del account.topics.subscriptions[thing.arn]
    elif thing.kind == "rule":
        del account.events.rules[name]
    elif thing.kind == "log-group":
        del account.logs.groups[name]
    elif thing.kind == "log-policy":
        del account.logs.policies[name]
    else:
        del account.alarms.mutes.rules[name]


ACTS: dict[str, Callable[[World, Thing], None]] = {"edit": edit, "remove": remove, "retag": retag}


def races(plan: Plan) -> Iterator[tuple[Change, str]]:
    for change in plan.changes:
        if change.live is None:
            yield change, "make"
            continue
        for act in ("edit", "remove", "retag"):
            if act == "retag" and change.thing.kind in ("subscription", "log-policy"):
                continue
            if not (act == "remove" and change.action == "delete"):  # It is gone, as it should be.
                yield change, act


def test_what_somebody_makes_changes_takes_over_or_deletes_between_plan_and_write_is_left_alone_and_named() -> (
    None
):
    start = worn()
    wanted = of_text(SECOND)
    plan = start.plan(wanted)
    seen = set()
    for change, act in races(plan):
        world = start.copy()
        managed = world.manage(wanted)
        managed.record.open()
        lock = managed.record.acquire()
        thing = change.live or change.thing
        if act == "make":
            if thing.kind == "subscription" and thing.name.split(" ")[0] not in str(world.snapshot()):
                continue
            by_hand(world, thing)
        else:
            ACTS[act](world, thing)
        kept = at(world, thing)
        done = apply_plan(managed.aws, wanted, plan, managed.record, lock, {"run": "x"})
        (found,) = [entry for entry in done if entry.change == change]
        seen.add((change.action, act, thing.kind))
        assert found.outcome != "done", (change.identity, act)
        assert found.outcome == "not begun" or "since the plan was made; plan again" in found.reason, (
            change.identity,
            act,
            found,
        )
        if thing.kind != "topic" or act != "make":
            assert at(world, thing) == kept, (change.identity, act)
    assert {action for action, _, _ in seen} >= {"create", "update", "replace", "delete"}
    assert {kind for _, _, kind in seen} >= {
        "metric-alarm",
        "composite-alarm",
        "rule",
        "subscription",
        "topic",
        "mute-rule",
        "log-group",
    }


def test_what_has_changed_since_the_plan_was_looked_at_refuses_it_before_anything_is_written() -> None:
    world, wanted = worn(), of_text(SECOND)
    managed = world.manage(wanted)
    plan, _ = managed.plan(ALL)
    Damage("change alarm", 0, 0).do(world)
    edit(world, next(c.live for c in plan.changes if c.live and c.thing.kind == "metric-alarm"))
    kept = world.snapshot()
    with pytest.raises(UserError, match=r"has changed since the plan was made: .*metric-alarm/"):
        managed.apply(plan, ALL)
    assert world.snapshot() == kept


def test_an_alarm_that_begins_to_fire_before_it_would_go_stays() -> None:
    world, wanted = worn(), of_text(SECOND)
    managed = world.manage(wanted)
    plan, _ = managed.plan(replace(ALL, allow=("deletions",)))
    change = next(c for c in plan.changes if c.action == "delete" and c.thing.kind == "metric-alarm")
    managed.record.open()
    lock = managed.record.acquire()
    world.account.set_state(change.thing.name, "ALARM")
    done = apply_plan(managed.aws, wanted, plan, managed.record, lock, {"run": "x"})
    (found,) = [entry for entry in done if entry.change == change]
    assert "it fires since the plan was made" in found.reason
    assert change.thing.name in world.account.alarms.all


def test_the_state_of_an_alarm_is_no_change_of_what_was_looked_at() -> None:
    world, wanted = worn(), of_text(SECOND)
    managed = world.manage(wanted)
    plan, _ = managed.plan(ALL)
    updated = next(c for c in plan.changes if c.action == "update" and c.thing.kind == "metric-alarm")
    world.account.set_state(updated.thing.name, "ALARM")
    assert managed.apply(plan, ALL).complete


# --- Secrets


def test_what_a_secret_holds_gets_into_the_subscription_and_nowhere_else() -> None:
    world, wanted = (
        World(),
        of_text(changed(FIRST, **{", email: [a@example.com]": "", ", email: [team@example.com]": ""})),
    )
    managed = world.manage(wanted)
    plan, live = managed.plan(ALL)
    said = [
        plan_text(plan, wanted, live),
        json.dumps([change.as_data() for change in plan.changes]),
        plan.fingerprint,
    ]
    world.account.fail("subscribe", "InvalidParameter", message=f"Invalid parameter: Endpoint {CANARY}")
    applied = managed.apply(plan, ALL)
    assert len([done for done in applied.failed if done.outcome == "failed"]) == 1
    said += [done.reason for done in applied.failed] + [str(applied.findings), repr(applied.done)]
    applied = world.apply(wanted)
    assert applied.complete
    said += [str(applied.findings), repr(applied.done), repr(applied.left)]
    moved = of_text(FIRST.replace(', pagerduty: "secret:orders/address"', ""))
    plan, live = world.manage(moved).plan(ALL)
    said += [plan_text(plan, moved, live), repr(plan)]
    said += [str(exc) for exc in refused(world)]
    said += world.told
    for text in said:
        assert "CANARY" not in text, text
    holding = [key for key, thing in world.account.snapshot().items() if "CANARY" in str(thing) + key]
    assert holding == [f"subscription/arn:aws:sns:{REGION}:{ACCOUNT}:shop-critical-production/https/{CANARY}"]


def refused(world: World) -> list[Exception]:
    world.account.fail("get_secret_value", "AccessDenied", message=f"no {CANARY[8:20]}")
    try:
        world.plan(of_text(FIRST))
    except EnvironmentFault as fault:
        return [fault]
    return []


def test_a_failure_that_is_cut_in_the_midst_of_a_secret_address_does_not_show_the_rest_of_it() -> None:
    world, wanted = (
        World(),
        of_text(changed(FIRST, **{", email: [a@example.com]": "", ", email: [team@example.com]": ""})),
    )
    for length in range(220, 300, 8):
        world.account.fail("subscribe", "InvalidParameter", message="x" * length + CANARY)
        (failed,) = [done for done in world.apply(wanted).failed if done.outcome == "failed"]
        assert "CANARY" not in failed.reason
        assert "hooks.example" not in failed.reason


def test_an_address_that_a_secret_no_longer_holds_is_still_known_as_ours() -> None:
    world, wanted = World(), of_text(FIRST)
    assert world.apply(wanted).complete
    topic = f"arn:aws:sns:{REGION}:{ACCOUNT}:shop-critical-production"
    world.account.confirm(topic, CANARY)
    world.hand("sns", "subscribe", TopicArn=topic, Protocol="https", Endpoint="https://other.example.com/x")
    world.account.confirm(topic, "https://other.example.com/x")
    world.account.seed_secret("orders/address", "https://new.example.com/y")
    plan = world.plan(wanted, replace(ALL, prune=False))
    assert [thing.kind for thing in plan.orphans] == ["subscription"]
    assert world.apply(wanted).complete
    endpoints = {one.endpoint for one in world.account.topics.subscriptions.values() if one.topic == topic}
    assert endpoints == {"a@example.com", "https://other.example.com/x", "https://new.example.com/y"}
    assert world.apply(wanted).plan.changes == []


def test_one_address_in_two_secrets_is_one_subscription() -> None:
    world = World()
    world.account.seed_secret("orders/other", CANARY)
    wanted = of_text(FIRST.replace("email: [a@example.com]", 'webhook: "secret:orders/other"'))
    assert world.apply(wanted).complete
    assert world.apply(wanted).plan.changes == []


# --- Names that change


RAW = (
    "  cpu: {severity: critical, raw: {cloudwatch: {Namespace: AWS/ECS, MetricName: CPUUtilization, Statistic: Average, Period: 60, "
    "EvaluationPeriods: 5, Threshold: 90, ComparisonOperator: GreaterThanThreshold}}}\n"
)
RENAMES = {
    "an alert gets another name and keeps its identity": (CPU, CPU.replace("cpu:", "processor:").replace("{signal", "{id: cpu, signal")),
    "an alert gets another name and says the old one": (CPU, CPU.replace("cpu:", "processor:").replace("{signal", "{was: [cpu], signal")),
    "a second severity comes": ("  cpu: {signal: service_cpu, warning: {above: 80%, over: 5m}}\n", CPU),
    "a second severity goes": (CPU, "  cpu: {signal: service_cpu, warning: {above: 80%, over: 5m}}\n"),
    "the lower severity goes": (CPU, "  cpu: {signal: service_cpu, critical: {above: 90%, over: 5m}}\n"),
    "a signal becomes raw": (CPU, RAW),
    "the windows of a promise change": (SLO, SLO.replace("page: critical", "period: 7d, page: critical").replace("99.9%", "99.5%")),
    "a promise gets a ticket": (SLO, SLO.replace("ticket: none", "ticket: warning")),
    "an event becomes a sample": (EVENT, EVENT.replace("{signal: deployment_failed, severity: critical}", "{signal: service_cpu, critical: {above: 90%, over: 5m}}")),
    "an alert goes into the shadow": (CPU, CPU.replace("{signal", "{mode: shadow, signal")),
}  # fmt: skip


@pytest.mark.parametrize("name", RENAMES)
@pytest.mark.parametrize("backwards", [False, True])
def test_whatever_takes_another_name_leaves_nothing_of_its_old_one(name: str, backwards: bool) -> None:
    texts = [HEAD + STORAGE + part for part in RENAMES[name]]
    before, after = (of_text(text) for text in (reversed(texts) if backwards else texts))
    world = World()
    assert world.apply(before).complete
    world.account.calls.clear()
    applied = world.apply(after)
    assert_ordered(world.account.writes)
    assert applied.complete, [(done.change.identity, done.reason) for done in applied.failed]
    assert differences(world, wanted_state(after)) == []
    assert {thing.name for thing in after.alarms} == set(world.account.alarms.all)
    assert world.apply(after).plan.changes == []


def test_a_severity_that_gets_another_name_takes_its_alarms_along() -> None:
    world = World()
    assert world.apply(of_text(FIRST)).complete
    renamed = of_text(FIRST.replace("critical", "page_now").replace("shop-page_now", "shop-critical"))
    assert world.apply(renamed).complete
    assert differences(world, wanted_state(renamed)) == []
    assert {thing.name for thing in renamed.alarms} == set(world.account.alarms.all)


def test_destroy_takes_all_that_is_ours_but_what_is_in_logs_and_nothing_else() -> None:
    world, wanted = worn(), of_text(FIRST)
    world.account.events.rules["shop-production-done-note"].targets.pop("other1")
    for topic in world.account.topics.topics.values():
        policy = json.loads(topic.attributes["Policy"])
        policy["Statement"] = [s for s in policy["Statement"] if not s["Sid"].startswith("Other")]
        topic.attributes["Policy"] = json.dumps(policy)
    options = replace(ALL, destroy=True)
    plan = world.plan(wanted, options)
    assert [finding.rule for finding in plan.refusals] == ["topic-in-use"]
    assert "other0@example.com" in plan.refusals[0].message
    for arn, one in list(world.account.topics.subscriptions.items()):
        if one.endpoint == "other0@example.com":
            del world.account.topics.subscriptions[arn]
    theirs, groups = world.foreign(), set(world.account.logs.groups)
    applied = world.apply(wanted, options)
    assert applied.complete, [(done.change.identity, done.reason) for done in applied.failed]
    assert world.harmed(theirs) == []
    assert set(world.account.logs.groups) - groups == set()
    kept = world.account.snapshot()
    # The record of it stays, too.
    assert [key for key in kept if key in ours(kept)] == [RECORD]
    assert world.apply(wanted, options).plan.changes == []


def test_an_index_of_tags_that_runs_behind_changes_nothing_that_is_done() -> None:
    world, wanted = World(), of_text(FIRST)
    world.apply(wanted)
    index: Any = world.account.services["resourcegroupstaggingapi"]
    stale = index.get_resources({})
    index.get_resources = lambda args: stale
    index.get_resources.writes = False
    second = of_text(SECOND)
    assert world.apply(second).complete
    assert world.apply(second).plan.changes == []
    assert differences(world, wanted_state(second)) == []


def test_a_composite_under_which_an_alarm_is_made_anew_is_as_it_was_afterwards() -> None:
    world, wanted = World(), of_text(HEAD + SLO)
    assert world.apply(wanted).complete
    Damage("type", 0, 0).do(world)
    plan = world.plan(wanted)
    assert [change.action for change in plan.changes] == ["replace", "update"]
    assert "depends on nothing while" in plan.changes[1].note
    assert world.apply(wanted).complete
    assert differences(world, wanted_state(wanted)) == []
    assert world.apply(wanted).plan.changes == []


def test_an_event_that_goes_to_a_topic_and_no_longer_into_a_log_leaves_no_target_behind() -> None:
    world = World()
    assert world.apply(of_text(FIRST)).complete
    moved = of_text(FIRST.replace("note: {log: true}", "note: {topic: shop-notes}"))
    assert world.apply(moved).complete
    assert set(world.account.events.rules["shop-production-done-note"].targets) == {"topic"}
    assert differences(world, wanted_state(moved)) == []


def test_what_keeps_messages_of_ours_from_a_subscription_goes() -> None:
    world, wanted = World(), of_text(FIRST)
    assert world.apply(wanted).complete
    Damage("subscription", 0, 2).do(world)
    Damage("subscription", 1, 3).do(world)
    plan = world.plan(wanted)
    assert {(c.action, c.cause, c.fields[0].path) for c in plan.changes} == {
        ("update", "by hand", "FilterPolicy"),
        ("update", "by hand", "RawMessageDelivery"),
    }
    assert world.apply(wanted).complete
    assert differences(world, wanted_state(wanted)) == []


def test_a_target_that_others_put_on_a_rule_is_said_and_keeps_the_rule_from_going() -> None:
    world, wanted = World(), of_text(FIRST)
    assert world.apply(wanted).complete
    Damage("rule", 1, 2).do(world)
    assert any("target other1" in line for line in world.plan(wanted).others)
    plan = world.plan(wanted, replace(ALL, destroy=True))
    assert [finding.rule for finding in plan.refusals] == ["rule-in-use"]

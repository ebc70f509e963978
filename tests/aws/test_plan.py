"""What a plan says of each thing: what happens to it, and why."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from orders_obs.aws.desired import Desired
from orders_obs.aws.live import Live
from orders_obs.aws.plan import Change, Plan, make_plan
from orders_obs.aws.things import CONTENT_TAG, HOLD_TAG, SOURCE_TAG, TOLD_TAG, Thing
from tests.aws.worlds import World, of_text

HEAD = """\
catalogue: 1
service: shop
severities:
  critical: {topic: shop-critical, email: [a@example.com]}
  note: {log: true}
environments:
  production:
    account: "111122223333"
    region: eu-west-1
    resources: {cluster: shops, ecs_service: shop, db_instance: shop}
alerts:
"""
CPU = "  cpu: {signal: service_cpu, critical: {above: 90%, over: 5m}}\n"
MEMORY = "  memory: {signal: service_memory, critical: {above: 90%, over: 5m}}\n"
DONE = "  done: {signal: deployment_done, severity: note}\n"
ALARM = "metric-alarm/shop-production-cpu-critical"
TODAY = "2026-06-15"


@pytest.fixture
def wanted() -> Desired:
    return of_text(HEAD + CPU + MEMORY + DONE)


def live_of(desired: Desired) -> Live:
    """What is there after an apply."""
    world = World()
    assert world.apply(desired).complete
    return world.manage(desired).plan()[1]


def planned(desired: Desired, live: Live, **options: Any) -> Plan:
    return make_plan(desired, live, account="111122223333", region="eu-west-1", today=TODAY, **options)


def edited(live: Live, identity: str, **changes: Any) -> Live:
    """What is there, with something else of one thing."""
    thing = live.things[identity]
    for name in ("settings", "tags"):
        if name in changes:
            changes[name] = {
                k: v for k, v in {**getattr(thing, name), **changes[name]}.items() if v is not None
            }
    return Live(live.things | {identity: replace(thing, **changes)})


def one(plan: Plan) -> Change:
    (change,) = plan.changes
    return change


def test_where_everything_is_as_it_should_be_there_is_nothing_to_do(wanted: Desired) -> None:
    plan = planned(wanted, live_of(wanted))
    assert (plan.changes, plan.orphans, plan.refusals, plan.unchanged) == ([], [], [], len(wanted.things))


def test_what_is_not_there_is_made_because_of_the_catalogue(wanted: Desired) -> None:
    plan = planned(wanted, Live())
    assert {(change.action, change.cause) for change in plan.changes} == {("create", "catalogue")}
    assert [change.identity for change in plan.changes] == list(wanted.things)


def test_other_words_of_the_team_are_the_catalogues_cause(wanted: Desired) -> None:
    other = of_text(
        (HEAD + CPU + MEMORY + DONE).replace(
            "{above: 90%, over: 5m}}\n  memory", "{above: 80%, over: 5m}}\n  memory"
        )
    )
    change = one(planned(other, live_of(wanted)))
    assert (change.action, change.cause, change.identity) == ("update", "catalogue", ALARM)
    assert ("Threshold", 90, 80) in [(f.path, f.was, f.will) for f in change.fields]
    assert set(change.tags) == {CONTENT_TAG, SOURCE_TAG}


def test_the_same_words_that_make_something_else_are_the_packages_cause(wanted: Desired) -> None:
    live = live_of(wanted)
    older = replace(live.things[ALARM], settings={**live.things[ALARM].settings, "Threshold": 85})
    live = edited(live, ALARM, settings=older.settings, tags={CONTENT_TAG: older.content})
    assert one(planned(wanted, live)).cause == "package"


def test_settings_that_do_not_fit_their_hash_were_changed_by_hand(wanted: Desired) -> None:
    change = one(planned(wanted, edited(live_of(wanted), ALARM, settings={"Threshold": 85})))
    assert (change.action, change.cause) == ("update", "by hand")
    # What is put right says again what its tags say already.
    assert change.tags == {}


def test_settings_without_a_hash_are_of_an_apply_that_was_interrupted(wanted: Desired) -> None:
    rule = next(name for name in wanted.things if name.startswith("rule/"))
    live = edited(live_of(wanted), rule, settings={"Targets": None}, tags={CONTENT_TAG: None})
    change = one(planned(wanted, live))
    assert (change.action, change.cause, set(change.tags)) == ("update", "interrupted", {CONTENT_TAG})


def test_a_hash_alone_that_does_not_fit_is_of_an_apply_that_was_interrupted(wanted: Desired) -> None:
    change = one(planned(wanted, edited(live_of(wanted), ALARM, tags={CONTENT_TAG: "0" * 16})))
    assert (change.action, change.cause, set(change.tags)) == ("tag", "interrupted", {CONTENT_TAG})


def test_words_that_made_no_difference_are_no_reason_to_write(wanted: Desired) -> None:
    assert planned(wanted, edited(live_of(wanted), ALARM, tags={SOURCE_TAG: "0" * 16})).changes == []


def test_a_tag_of_ours_that_is_wanted_no_more_goes_and_one_of_others_stays(wanted: Desired) -> None:
    change = one(planned(wanted, edited(live_of(wanted), ALARM, tags={"owner": "x", "cost-center": "42"})))
    assert (change.action, change.untag, change.tags) == ("tag", ("owner",), {})


def test_what_is_not_ours_refuses_the_plan_until_it_is_adopted(wanted: Desired) -> None:
    live = edited(live_of(wanted), ALARM, tags={"managed-by": None})
    plan = planned(wanted, live)
    assert [(finding.rule, finding.where) for finding in plan.refusals] == [("not-ours", ALARM)]
    assert "--adopt shop-production-cpu-critical" in plan.refusals[0].hint
    assert plan.changes == []
    plan = planned(wanted, live, adopt=["shop-production-cpu-critical"])
    assert plan.refusals == []
    change = one(plan)
    assert (change.action, change.cause) == ("tag", "adopted")
    assert change.tags == wanted.things[ALARM].tags


def test_what_another_catalogue_manages_is_not_adopted(wanted: Desired) -> None:
    live = edited(live_of(wanted), ALARM, tags={"service": "other"})
    plan = planned(wanted, live, adopt=["shop-production-cpu-critical"])
    assert plan.changes == []
    assert "belongs to the catalogue of other for production" in plan.refusals[0].message


def test_a_name_to_adopt_that_nobody_wants_is_refused(wanted: Desired) -> None:
    assert [f.rule for f in planned(wanted, live_of(wanted), adopt=["nothing"]).refusals] == ["adopt-unknown"]


def test_what_is_wanted_no_more_stays_until_it_is_pruned(wanted: Desired) -> None:
    live = live_of(wanted)
    fewer = of_text(HEAD + CPU)
    plan = planned(fewer, live)
    gone = {"metric-alarm/shop-production-memory-critical", "rule/shop-production-done-note"}
    kept = {"log-group//aws/events/shop-production", "log-policy/shop-production-events"}
    assert plan.changes == []
    assert {thing.identity for thing in plan.orphans} == gone | kept
    plan = planned(fewer, live, prune=True)
    assert {c.identity: c.action for c in plan.changes} == {
        **dict.fromkeys(gone, "delete"), "log-policy/shop-production-events": "delete", "log-group//aws/events/shop-production": "release",
    }  # fmt: skip


def test_what_another_name_took_the_place_of_goes_at_once(wanted: Desired) -> None:
    live = live_of(wanted)
    thing = live.things[ALARM]
    old = replace(thing, name="shop-production-old", arn=thing.arn.replace("cpu-critical", "old"))
    change = one(planned(wanted, Live(live.things | {old.identity: old})))
    assert (change.action, change.identity, change.note) == (
        "delete",
        old.identity,
        "another name took its place",
    )


def test_what_is_on_hold_stays_as_it_is_and_is_said(wanted: Desired) -> None:
    live = edited(live_of(wanted), ALARM, settings={"Threshold": 85}, tags={HOLD_TAG: f"{TODAY} ci: a test"})
    plan = planned(wanted, live)
    assert plan.changes == []
    assert [(change.identity, words) for change, words in plan.held] == [(ALARM, f"{TODAY} ci: a test")]
    live = edited(live, ALARM, tags={HOLD_TAG: "2026-06-14 ci: a test"})
    change = one(planned(wanted, live))
    assert (change.action, change.untag) == ("update", (HOLD_TAG,))


def test_what_is_on_hold_is_not_pruned(wanted: Desired) -> None:
    identity = "metric-alarm/shop-production-memory-critical"
    live = edited(live_of(wanted), identity, tags={HOLD_TAG: f"{TODAY} ci: a test"})
    plan = planned(of_text(HEAD + CPU + DONE), live, prune=True)
    assert plan.changes == []
    assert [change.identity for change, _ in plan.held] == [identity]


def test_what_others_added_is_said_and_stays(wanted: Desired) -> None:
    live = live_of(wanted)
    rule = "rule/shop-production-done-note"
    live = edited(live, rule, found={"Targets": {"mine": {"Id": "mine", "Arn": "arn:x"}}})
    live = edited(live, "topic/shop-critical-production", found={"Others": [{"Sid": "Budgets"}]})
    theirs = Thing(
        "subscription", "shop-critical-production email x@example.com", {}, arn="arn:y", state="confirmed"
    )
    live.add(theirs)
    plan = planned(wanted, live, prune=True)
    assert plan.changes == []
    assert plan.others == [
        "topic/shop-critical-production: statement Budgets of its policy is others'; stays",
        f"{rule}: target mine (arn:x) is others'; stays",
        "shop-critical-production email x@example.com: subscribed by others; stays",
    ]


def test_a_subscription_of_ours_is_known_by_what_its_topic_says(wanted: Desired) -> None:
    live = live_of(wanted)
    other = of_text((HEAD + CPU + MEMORY + DONE).replace("a@example.com", "b@example.com"))
    name = "subscription/shop-critical-production email a@example.com"
    pending = planned(other, live, prune=True)
    assert any("not confirmed" in note for note in pending.notes)
    assert [c.action for c in pending.changes if c.identity == name] == []
    live = edited(live, name, arn="arn:y", state="confirmed")
    assert [thing.identity for thing in planned(other, live).orphans] == [name]
    assert [c.action for c in planned(other, live, prune=True).changes if c.identity == name] == ["delete"]
    untold = edited(live, "topic/shop-critical-production", tags={TOLD_TAG: None})
    plan = planned(other, untold, prune=True)
    assert [c.action for c in plan.changes if c.identity == name] == []
    assert plan.others == ["shop-critical-production email a@example.com: subscribed by others; stays"]


@pytest.mark.parametrize("kind", ["rule", "topic"])
def test_nothing_goes_with_what_others_added_to_it(kind: str, wanted: Desired) -> None:
    live = live_of(wanted)
    identity = {"rule": "rule/shop-production-done-note", "topic": "topic/shop-critical-production"}[kind]
    found = (
        {"Targets": {"mine": {"Id": "mine", "Arn": "arn:x"}}}
        if kind == "rule"
        else {"Others": [{"Sid": "mine"}]}
    )
    live = edited(live, identity, found=found)
    text = (HEAD + CPU).replace("topic: shop-critical,", "topic: shop-other,")
    plan = planned(of_text(text), live, prune=True)
    (finding,) = plan.refusals
    assert (finding.rule, finding.where) == (f"{kind}-in-use", identity)
    assert "mine" in finding.message


def composite(name: str, child: str, tags: dict[str, str], **more: str) -> Thing:
    arn = f"arn:aws:cloudwatch:eu-west-1:111122223333:alarm:{name}"
    return Thing(
        "composite-alarm",
        name,
        {"AlarmRule": f'ALARM("{child}")', "ActionsEnabled": True},
        {**tags, **more},
        arn,
    )


def test_a_child_stays_for_as_long_as_a_composite_of_ours_that_stays_depends_on_it(wanted: Desired) -> None:
    live = live_of(wanted)
    thing = live.things[ALARM]
    old = replace(thing, name="shop-production-old")
    parent = composite("shop-production-parent", old.name, wanted.owner.tags)
    live.add(old)
    live.add(parent)
    plan = planned(wanted, live)
    assert plan.changes == []
    assert {thing.identity for thing in plan.orphans} == {old.identity, parent.identity}
    assert any("stays for as long as shop-production-parent depends on it" in note for note in plan.notes)
    order = [change.identity for change in planned(wanted, live, prune=True).changes]
    assert order == [parent.identity, old.identity]


def test_an_alarm_is_not_made_anew_under_a_composite_of_ours_that_stays(wanted: Desired) -> None:
    live = live_of(wanted)
    thing = live.things.pop(ALARM)
    live.add(replace(thing, kind="composite-alarm", settings={"AlarmRule": "FALSE", "ActionsEnabled": True}))
    parent = composite("shop-production-parent", thing.name, wanted.owner.tags)
    live.add(parent)
    plan = planned(wanted, live)
    assert [(f.rule, f.where) for f in plan.refusals] == [("alarm-needed", ALARM)]
    assert parent.name in plan.refusals[0].message
    assert planned(wanted, live, prune=True).refusals == []


def test_the_fingerprint_is_of_what_would_be_done_and_not_of_the_moment(wanted: Desired) -> None:
    live = edited(live_of(wanted), ALARM, settings={"Threshold": 85})
    plan = planned(wanted, live)
    assert planned(wanted, edited(live, ALARM, state="ALARM")).fingerprint == plan.fingerprint
    assert planned(wanted, edited(live, ALARM, settings={"Threshold": 86})).fingerprint != plan.fingerprint
    assert planned(wanted, live_of(wanted)).fingerprint != plan.fingerprint

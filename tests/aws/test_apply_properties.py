"""Apply against an account in memory: from whatever is there it reaches what is wanted, touches nothing else, and bears being killed and refused."""

from __future__ import annotations

import json
import os
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, event, given, settings
from hypothesis import strategies as st

from orders_obs.aws.apply import Done
from orders_obs.aws.desired import Desired
from orders_obs.aws.management import Applied, Management, Options
from orders_obs.aws.plan import Plan
from orders_obs.errors import EnvironmentFault, UserError
from tests.aws.by_hand import Damage, damages, foreigners, settle
from tests.aws.fake import Killed
from tests.aws.worlds import (
    ALL,
    RECORD,
    World,
    adopting,
    desires,
    differences,
    of_text,
    wanted_state,
)
from tests.aws.worn import (
    CPU,
    FIRST,
    HEAD,
    SECOND,
    SLO,
    assert_ordered,
    at,
    settled,
    worn,
)

settings.register_profile("ci", derandomize=True)
settings.load_profile("ci" if os.environ.get("CI") else "default")
COMMON: dict[str, Any] = {
    "deadline": None,
    "derandomize": True,
    "suppress_health_check": list(HealthCheck),
    "phases": (Phase.explicit, Phase.generate),
}

REFUSALS = {
    "not-ours", "rule-in-use", "topic-in-use", "alarm-in-use", "alarm-needed", "deletions-many", "alarm-firing", "catalogue-empty",
}  # fmt: skip


# --- From anywhere to what is wanted


@settings(max_examples=80, **COMMON)
@given(
    desires(), desires(), damages(2, 8), foreigners(), st.booleans(), st.sampled_from(["", "", "", "fills_defaults", "shuffles"])
)  # fmt: skip
def test_apply_reaches_what_is_wanted_from_whatever_is_there_and_a_second_one_writes_nothing(
    before: Desired, wanted: Desired, acts: list[Damage], foreign: list[str], prune: bool, habit: str
) -> None:
    world = World()
    if habit:
        setattr(world.account, habit, True)
    assert world.apply(before).complete
    for act in acts:
        act.do(world)
    settle(world, foreign, wanted)
    theirs, world.account.calls = world.foreign(), []
    options = replace(ALL, prune=prune)
    plan = world.plan(wanted, options)
    if plan.refusals:
        assert_refused(world, wanted, plan, options)
        event(plan.refusals[0].rule)
        options = adopting(plan, options)
        plan = world.plan(wanted, options)
        if plan.refusals:
            assert_refused(world, wanted, plan, options)
            return
    orphans = {thing.identity: thing for thing in plan.orphans}
    applied = world.apply(wanted, options)
    assert not applied.failed, [(done.change.identity, done.reason) for done in applied.failed]
    assert applied.complete, (applied.unread, applied.left and [c.as_data() for c in applied.left.changes])
    assert differences(world, wanted_state(wanted)) == []
    assert world.harmed(theirs, options.adopt) == []
    assert_ordered(world.account.writes)
    assert_paced(world)
    count = len(world.account.writes)
    again = world.apply(wanted, options)
    assert (again.plan.changes, len(world.account.writes)) == ([], count)
    assert {thing.identity: thing for thing in again.plan.orphans}.keys() == orphans.keys()


def assert_refused(world: World, wanted: Desired, plan: Plan, options: Options) -> None:
    """Nothing was written, and what is said names something that is there and not ours to change, or a guard."""
    kept, count = world.snapshot(), len(world.account.writes)
    with pytest.raises(UserError, match="nothing was applied"):
        world.manage(wanted).apply(plan, options)
    assert (world.snapshot(), len(world.account.writes)) == (kept, count)
    for finding in plan.refusals:
        assert finding.rule in REFUSALS, finding
        if finding.rule.endswith("-in-use"):
            assert "other" in finding.message, finding
        if finding.rule == "not-ours":
            assert finding.where.partition("/")[2] in str(kept), finding


def assert_paced(world: World) -> None:
    for operation, most in world.account.rate_report().items():
        if "alarm" in operation:
            assert most <= 3, operation


# --- Killed


def test_killed_at_any_write_the_next_apply_ends_where_an_undisturbed_one_does() -> None:
    start = worn()
    wanted = of_text(SECOND)
    undisturbed = start.copy()
    assert undisturbed.apply(wanted).complete
    end, theirs = settled(undisturbed), start.foreign()
    writes = sum(not call.error for call in undisturbed.account.writes)
    kinds = {call.operation for call in undisturbed.account.writes}
    assert kinds >= {
        "put_metric_alarm", "put_composite_alarm", "delete_alarms", "put_rule", "put_targets", "delete_rule", "subscribe", "unsubscribe",
        "set_topic_attributes", "tag_resource", "put_retention_policy", "put_alarm_mute_rule",
    }  # fmt: skip
    # Death before the first write; death before any other one is death after the one that comes before it.
    for number in range(writes + 1):
        world = start.copy()
        world.account.die_after(max(1, number), before=not number)
        with pytest.raises(Killed):
            world.apply(wanted)
        assert world.harmed(theirs) == []
        world.lapse()
        applied = world.apply(wanted)
        assert applied.complete, (number, [(done.change.identity, done.reason) for done in applied.failed])
        assert settled(world) == end, number
        assert world.harmed(theirs) == []


def test_until_its_time_is_over_the_lock_of_who_died_keeps_others_out() -> None:
    world = World()
    world.account.die_after(8)
    with pytest.raises(Killed):
        world.apply(of_text(FIRST))
    kept = world.account.snapshot()
    with pytest.raises(UserError, match="is changing this environment now"):
        world.apply(of_text(FIRST))
    kept.pop(RECORD)
    left = world.account.snapshot()
    left.pop(RECORD)
    assert left == kept
    assert world.apply(of_text(FIRST), replace(ALL, break_lock=True)).complete


def test_what_an_interrupted_apply_left_is_not_said_to_have_been_done_by_hand() -> None:
    wanted = of_text(FIRST)
    whole = World()
    whole.apply(wanted)
    for number in range(1, len(whole.account.writes)):
        world = World()
        world.account.die_after(number)
        with pytest.raises(Killed):
            world.apply(wanted)
        causes = {change.cause for change in world.plan(wanted).changes}
        assert "by hand" not in causes, number


# --- Refused


FAULTS = ("AccessDenied", "InternalFailure", "ValidationError")


def test_each_call_that_fails_once_is_named_and_the_next_apply_makes_it_good() -> None:
    start = worn()
    wanted = of_text(SECOND)
    undisturbed = start.copy()
    undisturbed.apply(wanted)
    end, theirs = settled(undisturbed), start.foreign()
    operations = sorted(
        {(call.service, call.operation) for call in undisturbed.account.calls if call.service != "sts"}
    )
    assert len(operations) > 25
    for number, (service, operation) in enumerate(operations):
        code = FAULTS[number % len(FAULTS)]
        world = start.copy()
        managed = world.manage(wanted)
        plan, _ = managed.plan(ALL)
        world.account.fail(f"{service}.{operation}", code)
        fault, applied = tried(managed, plan)
        if applied is None:
            assert operation.replace("_", "") in fault.lower(), (operation, fault)
        else:
            said = [done.reason for done in applied.failed] + [applied.unread] + world.told
            said += [finding.message for finding in applied.findings]
            said += [note.replace("cannot be read", "getsecretvalue") for note in applied.plan.notes]
            assert any(operation.replace("_", "") in text.lower() for text in said), (operation, said)
            assert_recorded(world, applied.done)
        assert world.harmed(theirs) == []
        world.lapse()
        assert world.apply(wanted).complete, operation
        assert settled(world) == end, operation


def tried(managed: Management, plan: Plan) -> tuple[str, Applied | None]:
    """What an apply did, or why it did not begin."""
    try:
        return "", managed.apply(plan, ALL)
    except EnvironmentFault as fault:
        return fault.message, None


def assert_recorded(world: World, done: list[Done]) -> None:
    entries = recorded(world)
    run = entries[-1]["run"]
    written = [
        (e["kind"], e["name"], e["outcome"]) for e in entries if e["event"] == "change" and e["run"] == run
    ]
    kinds = [(d.change.thing.kind, d.change.thing.name, d.outcome) for d in done if d.outcome != "not begun"]
    assert written == kinds


def recorded(world: World) -> list[dict[str, Any]]:
    streams = world.account.snapshot()[RECORD]["streams"]
    return [json.loads(message) for _, message in streams["changes"]]


def outcomes(done: list[Done]) -> dict[str, str]:
    return {entry.change.identity: entry.outcome for entry in done}


def test_what_depends_on_a_topic_that_failed_is_not_begun_and_the_rest_is_done() -> None:
    world, wanted = World(), of_text(FIRST)
    world.account.fail("create_topic", "InternalFailure")
    applied = world.apply(wanted)
    assert {done.change.identity for done in applied.failed if done.outcome == "failed"} == {
        "topic/shop-critical-production"
    }
    found = outcomes(applied.done)
    critical = {
        thing.identity
        for thing in wanted.things.values()
        if "shop-critical-production" in json.dumps(thing.settings) + thing.name and thing.kind != "topic"
    }
    assert len(critical) > 4
    begun = {identity for identity, outcome in found.items() if outcome == "not begun"}
    # An alarm waits for the one that suppresses it, and what mutes alarms for all of them.
    assert begun == critical | {
        "composite-alarm/shop-production-cpu-warning",
        "mute-rule/shop-production-nightly",
    }
    assert all(
        "shop-critical-production" in done.reason or "slo" in done.reason or "cpu" in done.reason
        for done in applied.failed
    )
    assert world.apply(wanted).complete


def test_a_composite_is_not_begun_where_one_of_its_children_failed() -> None:
    world, wanted = World(), of_text(HEAD + CPU + SLO)
    world.account.before(
        "put_metric_alarm", lambda: world.account.fail("put_metric_alarm", "InternalFailure", times=2)
    )
    applied = world.apply(wanted)
    failed = {identity for identity, outcome in outcomes(applied.done).items() if outcome == "failed"}
    assert failed == {
        "metric-alarm/shop-production-cpu-critical",
        "metric-alarm/shop-production-cpu-warning-measure",
    }
    found = outcomes(applied.done)
    assert found["composite-alarm/shop-production-cpu-warning"] == "not begun"
    assert found["composite-alarm/shop-production-slo-critical"] == "done"
    assert not any(
        call.arguments.get("AlarmName") == "shop-production-cpu-warning" for call in world.account.writes
    )


def test_nothing_goes_where_what_takes_its_place_failed() -> None:
    world = worn()
    world.account.fail("put_rule", "InternalFailure")
    applied = world.apply(of_text(SECOND))
    gone = [done for done in applied.done if done.change.action == "delete"]
    assert gone
    assert {done.outcome for done in gone} == {"not begun"}
    assert all(at(world, done.change.thing) for done in gone)


@pytest.mark.parametrize("operation", ["put_targets", "remove_targets"])
def test_targets_that_were_taken_in_part_are_a_failure_that_names_the_target(operation: str) -> None:
    world = worn()
    wanted = of_text(SECOND)
    world.account.partial(operation)
    applied = world.apply(wanted)
    (failed,) = [done for done in applied.failed if done.outcome == "failed"]
    assert failed.change.thing.kind == "rule"
    assert failed.change.thing.name in failed.reason
    assert "in part only: target " in failed.reason
    assert world.apply(wanted).complete


def test_a_lost_session_stops_at_once_and_says_what_was_not_begun() -> None:
    world, wanted = World(), of_text(FIRST)

    def expire() -> None:
        for operation in ("put_rule", "put_log_events", "describe_rule", "describe_alarms"):
            world.account.fail(operation, "ExpiredToken", times=99)

    world.account.before("put_rule", expire)
    applied = world.apply(wanted)
    found = [done.outcome for done in applied.done]
    assert found.count("failed") == 1
    assert found[found.index("failed") + 1 :] == ["not begun"] * (len(found) - found.index("failed") - 1)
    assert applied.unread
    assert not applied.complete


def test_where_the_record_cannot_be_written_no_more_is_done() -> None:
    world = World()
    alerts = "".join(
        f"  a{n}: {{signal: service_cpu, warning: {{above: {n + 10}%, over: 5m}}}}\n" for n in range(60)
    )
    wanted = of_text(HEAD + alerts)
    world.account.before("put_metric_alarm", lambda: world.account.fail("put_log_events", "InternalFailure"))
    applied = world.apply(wanted)
    found = [done.outcome for done in applied.done]
    assert found == ["done"] * 25 + ["not begun"] * (len(found) - 25)
    assert all("could not be recorded" in done.reason for done in applied.failed)
    assert_recorded(world, applied.done)


@pytest.mark.parametrize(
    "operation",
    ["describe_alarms", "cloudwatch.list_tags_for_resource", "list_targets_by_rule", "get_secret_value"],
)
def test_a_look_right_before_a_write_that_fails_makes_that_change_fail(operation: str) -> None:
    world, wanted = World(), of_text(FIRST)
    world.account.before("create_topic", lambda: world.account.fail(operation, "InternalFailure"))
    applied = world.apply(wanted)
    failed = [done for done in applied.failed if done.outcome == "failed"]
    word = operation.rpartition(".")[2].replace("_", "")
    # Nothing has a target or tags to look at before it is made.
    assert len(failed) == 1 or word in applied.unread.lower()
    assert all(word in done.reason.lower() for done in failed)
    assert world.apply(wanted).complete


def test_each_change_is_recorded_once_in_its_order() -> None:
    world = World()
    alerts = "".join(
        f"  a{n}: {{signal: service_cpu, warning: {{above: {n + 10}%, over: 5m}}}}\n" for n in range(60)
    )
    applied = world.apply(of_text(HEAD + alerts))
    assert applied.complete
    assert_recorded(world, applied.done)

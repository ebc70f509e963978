"""EventBridge: somebody else's matcher, and AWS's documented events, say what each rule takes."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import pytest
from moto.events.models import EventPattern

from orders_obs.alerts.compile.names import rule_name
from tests.alerts.engines.conftest import Built

SAMPLES = {
    path.stem: json.loads(path.read_text()) for path in sorted(Path(__file__).parent.glob("events/*.json"))
}
CASES = [
    pytest.param(case, id=f"{stem}: {case['name']}")
    for stem, sample in SAMPLES.items()
    for case in sample["cases"]
]


def matching(built: Built, event: dict[str, Any]) -> set[str]:
    """Names of the rules that take an event."""
    return {
        rule["Name"]
        for rule in built.state.rules
        if EventPattern.load(rule["EventPattern"]).matches_event(event)  # type: ignore[arg-type]  # a plain event
    }


@pytest.mark.parametrize("case", CASES)
def test_a_documented_event_is_taken_by_the_rules_of_its_signal_and_by_no_other(
    built: Built, case: dict[str, Any]
) -> None:
    wanted = {
        rule_name(alert.full_name)
        for alert in built.catalogue.events
        if alert.signal.name in case["matched_by"]
    }
    assert bool(wanted) == bool(case["matched_by"])
    assert matching(built, case["event"]) == wanted


def test_every_announcement_has_a_documented_event_that_it_takes_and_near_ones_that_it_does_not(
    built: Built,
) -> None:
    cases = [case for sample in SAMPLES.values() for case in sample["cases"]]
    for alert in built.catalogue.events:
        own = [case for case in cases if alert.signal.name in case["matched_by"]]
        near = [
            case
            for case in cases
            if case["event"]["source"] == alert.signal.source and alert.signal.name not in case["matched_by"]
        ]
        assert own, alert.name
        assert near, alert.name


@pytest.mark.parametrize("field", ["source", "detail-type", "account", "region", "resources", "detail"])
def test_the_matcher_is_awake(built: Built, field: str) -> None:
    """An event that differs in one field only is another event."""
    case = next(case for case in SAMPLES["ecs-deployment"]["cases"] if case["name"] == "failed")
    other = copy.deepcopy(case["event"])
    other[field] = {"resources": [], "detail": {"eventName": "ANOTHER"}}.get(field, "another")
    assert matching(built, case["event"])
    assert not matching(built, other)


def state_change(name: str, *, account: str = "111122223333") -> dict[str, Any]:
    event: dict[str, Any] = copy.deepcopy(SAMPLES["cloudwatch-alarm"]["cases"][0]["event"])
    event["account"] = account
    event["detail"]["alarmName"] = name
    return event


def test_changes_of_state_of_what_tells_nobody_are_recorded_and_of_all_else_not(wide: Built) -> None:
    prefix = "orders-api-of-the-european-market-production-"
    alarms = [alarm["AlarmName"] for alarm in (*wide.state.metric_alarms, *wide.state.composite_alarms)]
    recorded = {name for name in alarms if matching(wide, state_change(name))}
    assert recorded == {f"{prefix}backlog-urgent", f"{prefix}told_in_shadow-wake_up"}
    targets = {
        target["Arn"]
        for rule in wide.state.rules
        if rule["Name"] in matching(wide, state_change(f"{prefix}backlog-urgent"))
        for target in rule["Targets"]
    }
    assert targets == {
        "arn:aws:logs:eu-west-1:111122223333:log-group:/aws/events/orders-api-of-the-european-market-production"
    }
    assert not matching(wide, state_change(f"{prefix}backlog-urgent", account="444455556666"))


def test_each_rule_leads_where_its_severity_says(built: Built) -> None:
    rules = {rule["Name"]: rule for rule in built.state.rules}
    group = f"/aws/events/{built.catalogue.service}-production"
    for alert in built.catalogue.events:
        (target,) = rules[rule_name(alert.full_name)]["Targets"]
        severity = alert.severity
        if severity.log or alert.mode == "shadow":
            assert target == {"Id": "log", "Arn": f"arn:aws:logs:eu-west-1:111122223333:log-group:{group}"}
        elif severity.topic.startswith("arn:"):
            assert target == {"Id": "topic", "Arn": severity.topic}
        else:
            topic = f"arn:aws:sns:eu-west-1:111122223333:{severity.topic}-production"
            assert target == {"Id": "topic", "Arn": topic}


def test_every_sample_names_the_page_that_it_is_from() -> None:
    assert all(sample["source"].startswith("https://docs.aws.amazon.com/") for sample in SAMPLES.values())

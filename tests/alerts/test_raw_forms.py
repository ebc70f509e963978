"""Raw forms: an alarm that says its own name, words and actions, composites among them, and rules that stay as they were."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import botocore.session
import jsonschema
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from orders_obs.alerts import load, raw
from orders_obs.alerts.compile import cloudwatch
from orders_obs.alerts.compile.aws import compile_state
from orders_obs.alerts.compile.composites import children_first, named_alarms
from orders_obs.alerts.compile.outputs import build
from orders_obs.alerts.explain import explain
from orders_obs.alerts.lint.catalogue_rules import lint_catalogue
from orders_obs.alerts.model import RawAlert, ResolvedCatalogue
from orders_obs.errors import UserError

ROOT = Path(__file__).resolve().parents[2]
HEAD = """\
catalogue: 1
service: shop
runbook_base: https://wiki.example.com/
severities: {critical: {page: true, topic: shop-critical}, warning: {topic: shop-alerts}}
environments:
  production: {account: "111122223333", region: eu-west-1, resources: {cluster: shop, ecs_service: api}}
  staging: {account: "111122223333", region: eu-west-1, resources: {cluster: shop-staging, ecs_service: api}}
  other: {account: "444455556666", region: eu-west-1, resources: {cluster: shop, ecs_service: api}}
alerts:
"""
METRIC = (
    "Namespace: A, MetricName: B, Statistic: Sum, Period: 60, EvaluationPeriods: 1, Threshold: 1,"
    " ComparisonOperator: GreaterThanThreshold"
)
ARN = "arn:aws:sns:eu-west-1:111122223333:else"


def resolved(tmp_path: Path, alerts: str, environment: str = "production") -> ResolvedCatalogue:
    path = tmp_path / "shop.yaml"
    path.write_text(HEAD + alerts)
    return load(path).resolve(environment)


def one(tmp_path: Path, words: str, more: str = "") -> dict[str, Any]:
    """The alarm of a raw form in production."""
    text = (
        f"  one: {{severity: critical, environments: [production]{more}, raw: {{cloudwatch: {{{words}}}}}}}\n"
    )
    state = compile_state(resolved(tmp_path, text))
    (alarm,) = (*state.metric_alarms, *state.composite_alarms)
    return alarm


def refused(tmp_path: Path, alerts: str) -> UserError:
    with pytest.raises(UserError) as caught:
        resolved(tmp_path, alerts)
    assert caught.value.line is not None
    return caught.value


def test_what_an_alarm_does_not_say_is_the_catalogues(tmp_path: Path) -> None:
    alarm = one(tmp_path, METRIC)
    topic = "arn:aws:sns:eu-west-1:111122223333:shop-critical-production"
    assert alarm["AlarmName"] == "shop-production-one-critical"
    assert "Runbook: https://wiki.example.com/one" in alarm["AlarmDescription"]
    assert (alarm["AlarmActions"], alarm["OKActions"], alarm["ActionsEnabled"]) == ([topic], [topic], True)
    assert "InsufficientDataActions" not in alarm


def test_what_an_alarm_says_takes_the_place_of_what_the_catalogue_gives(tmp_path: Path) -> None:
    own = f'AlarmName: "Own: 1", AlarmDescription: " as it was\\n", ActionsEnabled: false, OKActions: ["{ARN}"],'
    alarm = one(tmp_path, f'{own} InsufficientDataActions: ["{ARN}"], AlarmActions: [], {METRIC}')
    assert (alarm["AlarmName"], alarm["AlarmDescription"], alarm["ActionsEnabled"]) == (
        "Own: 1",
        " as it was\n",
        False,
    )
    assert (alarm["OKActions"], alarm["InsufficientDataActions"]) == ([ARN], [ARN])
    assert "AlarmActions" not in alarm
    assert {tag["Key"]: tag["Value"] for tag in alarm["Tags"]}["alert-id"] == "one"


def test_an_empty_description_is_none(tmp_path: Path) -> None:
    assert "AlarmDescription" not in one(tmp_path, f'AlarmDescription: "", {METRIC}')


def test_in_shadow_an_alarm_tells_nobody_whatever_it_says(tmp_path: Path) -> None:
    for said in ("true", "false"):
        alarm = one(tmp_path, f"ActionsEnabled: {said}, {METRIC}", ", mode: shadow")
        assert alarm["ActionsEnabled"] is False


def test_a_rule_of_alarms_makes_a_composite(tmp_path: Path) -> None:
    words = (
        "AlarmRule: 'ALARM(\"a\")', ActionsSuppressor: b, ActionsSuppressorWaitPeriod: 60,"
        " ActionsSuppressorExtensionPeriod: 0, AlarmDescription: c"
    )
    state = compile_state(
        resolved(
            tmp_path,
            f"  one: {{severity: critical, environments: [production], raw: {{cloudwatch: {{{words}}}}}}}\n",
        )
    )
    assert state.metric_alarms == []
    (alarm,) = state.composite_alarms
    assert (alarm["AlarmRule"], alarm["ActionsSuppressor"]) == ('ALARM("a")', "b")
    assert (alarm["ActionsSuppressorWaitPeriod"], alarm["ActionsSuppressorExtensionPeriod"]) == (60, 0)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("AlarmRule: ''", "is empty"),
        ("AlarmRule: [a]", "must be a single value|is no text"),
        ("AlarmRule: x, Threshold: 5", "does not go with AlarmRule"),
        ("AlarmRule: x, Nonsense: 5", "is no argument of put_composite_alarm"),
        ("AlarmRule: x, ActionsSuppressor: a", "has no ActionsSuppressorWaitPeriod"),
        ("AlarmRule: x, ActionsSuppressorWaitPeriod: 5", "needs an ActionsSuppressor"),
        (f"AlarmRule: {'x' * 10_241}", "10240 are allowed"),
        ("AlarmRule: x, Tags: []", "is what the catalogue itself gives"),
        (f"{METRIC}, ActionsSuppressor: a", "belongs to a composite"),
        (f"{METRIC}, AlarmName: ''", "is no name of an alarm"),
        (f'{METRIC}, AlarmName: "a\\nb"', "is no name of an alarm"),
        (f"{METRIC}, AlarmName: {'x' * 256}", "is no name of an alarm"),
        (f"{METRIC}, AlarmName: 5", "5 is no text"),
        (f"{METRIC}, AlarmDescription: {'x' * 1025}", "1024 are allowed"),
        (f"{METRIC}, ActionsEnabled: 1", "neither true nor false"),
        (f"{METRIC}, AlarmActions: {ARN}", "must be a list"),
        (f'{METRIC}, AlarmActions: ["{ARN}", "{ARN}1", "{ARN}2", "{ARN}3", "{ARN}4", "{ARN}5"]', "5 are allowed"),
        (f'{METRIC}, OKActions: ["https://hooks.slack.com/services/T0/B0/abcdef"]', "is no ARN"),
    ],
)  # fmt: skip
def test_what_aws_would_refuse_is_one_error_with_its_line(tmp_path: Path, words: str, said: str) -> None:
    error = refused(tmp_path, f"  one:\n    severity: critical\n    raw:\n      cloudwatch: {{{words}}}\n")
    assert any(part in str(error) for part in said.split("|"))
    assert error.line == 13
    assert "abcdef" not in str(error)


def test_the_arguments_of_a_composite_are_those_of_the_model() -> None:
    model = botocore.session.get_session().get_service_model("cloudwatch")
    shape = model.operation_model("PutCompositeAlarm").input_shape
    assert {*raw._COMPOSITE_ARGUMENTS, *raw._GIVEN} == set(shape.members)


def named(name: str, alert: str = "one", more: str = "") -> str:
    return f"  {alert}: {{severity: critical{more}, raw: {{cloudwatch: {{AlarmName: {name}, {METRIC}}}}}}}\n"


def test_a_name_is_one_alarm_in_an_environment(tmp_path: Path) -> None:
    here = ", environments: [production]"
    error = refused(tmp_path, named("x", more=here) + named("x", "two", here))
    assert "two: x is the name of the alarm of one too, in shop.yaml:10" in error.message
    assert error.line == 11
    level = "  cpu: {signal: service_cpu, critical: {above: 80%, over: 5m}}\n"
    error = refused(tmp_path, level + named("shop-production-cpu-critical", more=here))
    assert "is the name of the alarm of cpu too" in error.message


def test_a_name_that_belongs_to_a_part_of_another_alert_is_refused_where_it_is_built(tmp_path: Path) -> None:
    level = (
        "  cpu: {signal: service_cpu, critical: {above: 80%, over: 5m}, warning: {above: 70%, over: 5m}}\n"
    )
    both = level + named("shop-production-cpu-warning-measure", more=", environments: [production]")
    with pytest.raises(UserError) as caught:
        compile_state(resolved(tmp_path, both))
    assert "its alarm shop-production-cpu-warning-measure is one of" in caught.value.message
    assert caught.value.line in (10, 11)


def test_two_environments_of_one_account_cannot_both_have_an_alarm(tmp_path: Path) -> None:
    error = refused(tmp_path, named("x"))
    assert "x is one alarm, and production and staging are in the same account and region" in error.message
    assert error.hint == "say whose it is, such as environments: [production]"
    for here in ("[production]", "[production, other]"):
        resolved(tmp_path, named("x", more=f", environments: {here}"))


def test_an_alert_is_in_the_environments_that_it_names(tmp_path: Path) -> None:
    text = "  cpu: {signal: service_cpu, environments: [staging, other], critical: {above: 80%, over: 5m}}\n"
    there = {name: len(resolved(tmp_path, text, name).alerts) for name in ("production", "staging", "other")}
    assert there == {"production": 0, "staging": 1, "other": 1}
    assert "did you mean staging" in refused(tmp_path, text.replace("[staging", "[stagin")).hint
    assert "is empty" in refused(tmp_path, text.replace("[staging, other]", "[]")).message
    assert "must be a list" in refused(tmp_path, text.replace("[staging, other]", "staging")).message


def test_an_own_name_is_the_alarms_name_everywhere(tmp_path: Path) -> None:
    text = named("x", more=", mode: shadow, was: [old], environments: [production]")
    mute = 'mute: {night: {at: "02:00", for: 1h, reason: quiet}}\n'
    catalogue = resolved(tmp_path, text + mute)
    state = compile_state(catalogue)
    assert state.mute_rules[0]["MuteTargets"]["AlarmNames"] == ["x"]
    assert [json.loads(rule["EventPattern"])["detail"]["alarmName"] for rule in state.rules] == [["x"]]
    terraform = json.loads(next(iter(build(catalogue, "terraform")[0].values())))
    assert "moved" not in terraform
    (alert,) = catalogue.raws
    assert explain(alert).name == "x"


def composite(alert: str, rule: str, name: str = "") -> str:
    own = f"AlarmName: {name}, " if name else ""
    return f"  {alert}: {{severity: critical, environments: [production], raw: {{cloudwatch: {{{own}AlarmRule: '{rule}'}}}}}}\n"


def test_composites_come_after_those_that_they_refer_to_ours_and_raw_ones_alike(tmp_path: Path) -> None:
    alerts = (
        composite("top", "ALARM(middle) AND NOT ALARM(unknown)")
        + composite("middle", 'ALARM("shop-production-cpu-warning")', "middle")
        + "  cpu: {signal: service_cpu, critical: {above: 80%, over: 5m}, warning: {above: 70%, over: 5m}}\n"
    )
    catalogue = resolved(tmp_path, alerts)
    made = [alarm["AlarmName"] for alarm in compile_state(catalogue).composite_alarms]
    assert made == ["shop-production-cpu-warning", "middle", "shop-production-top-critical"]
    template = json.loads(next(iter(build(catalogue, "cloudformation")[0].values())))["Resources"]
    assert "CompositeAlarmMiddle" in template["CompositeAlarmShopProductionTopCritical"]["DependsOn"]
    assert "CompositeAlarmShopProductionCpuWarning" in template["CompositeAlarmMiddle"]["DependsOn"]


def test_composites_in_a_circle_are_refused(tmp_path: Path) -> None:
    alerts = composite("one", "ALARM(b)", "a") + composite("two", "ALARM(a)", "b")
    with pytest.raises(UserError) as caught:
        compile_state(resolved(tmp_path, alerts))
    assert "depend on each other in a circle: a, b" in caught.value.message
    assert caught.value.line == 10


@pytest.mark.parametrize(
    ("rule", "names"),
    [
        ('ALARM("a b") AND NOT OK(c)', ["a b", "c"]),
        ("ALARM(a) OR ALARM(a)", ["a"]),
        ("INSUFFICIENT_DATA ( a )", ["a"]),
        ('ALARM("arn:aws:cloudwatch:eu-west-1:111122223333:alarm:x:y")', ["x:y"]),
        ('AT_LEAST(2, ALARM, (a, "b, (c)", d)) AND OK("e")', ["a", "b, (c)", "d", "e"]),
        ('AT_LEAST(50%, NOT OK, (a, b))', ["a", "b"]),
        ('ALARM("ALARM(x)")', ["ALARM(x)"]),
        ("TRUE", []),
    ],
)  # fmt: skip
def test_a_rule_names_alarms_in_every_way_that_aws_takes(rule: str, names: list[str]) -> None:
    assert named_alarms({"AlarmRule": rule}) == names
    assert named_alarms({"AlarmRule": rule, "ActionsSuppressor": "s"}) == [*names, "s"]


@given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9)), max_size=15))
def test_children_come_first_or_what_is_left_is_a_circle_or_above_one(pairs: list[tuple[int, int]]) -> None:
    rules: dict[int, list[str]] = {number: [] for number in range(10)}
    for parent, child in pairs:
        rules[parent].append(f"ALARM(n{child})")
    composites = [
        {"AlarmName": f"n{number}", "AlarmRule": " OR ".join(terms)} for number, terms in rules.items()
    ]
    ordered, left = children_first(composites)
    assert len(ordered) + len(left) == 10
    done: set[str] = set()
    for alarm in ordered:
        assert set(named_alarms(alarm)) <= done
        done.add(alarm["AlarmName"])
    for alarm in left:
        assert not set(named_alarms(alarm)) <= done
    if not pairs:
        assert ordered == composites


def test_explain_says_whom_the_alarm_itself_tells_and_what_it_costs(tmp_path: Path) -> None:
    alerts = (
        f'  a: {{severity: critical, raw: {{cloudwatch: {{AlarmDescription: "says\\n it", AlarmActions: ["{ARN}"], {METRIC}}}}}}}\n'
        f"  b: {{severity: critical, raw: {{cloudwatch: {{AlarmActions: [], {METRIC}}}}}}}\n"
        f"  c: {{severity: critical, raw: {{cloudwatch: {{ActionsEnabled: false, {METRIC}}}}}}}\n"
        "  d: {severity: critical, raw: {cloudwatch: {AlarmRule: ALARM(x)}}}\n"
    )
    rows = [dict(explain(alert).rows) for alert in resolved(tmp_path, alerts).raws]
    assert [row["tells"] for row in rows] == [
        f"what its own alarm names: {ARN}",
        "nobody: its alarm has no AlarmActions",
        "nobody: its actions are disabled",
        "nobody: topic shop-critical-production has no subscriber",
    ]
    assert rows[0]["says"] == "says it"
    assert rows[3]["cloudwatch"].startswith("0 metrics and 1 composite, 0.50 USD a month")


def test_lint_judges_a_raw_composite_and_a_rule_that_keeps_its_name(tmp_path: Path) -> None:
    path = tmp_path / "shop.yaml"
    rule = '{alert: High, expr: "errors_total > 5", labels: {team: x}, annotations: {summary: s}}'
    path.write_text(
        HEAD + composite("top", "ALARM(a)") + f"  rule: {{severity: critical, raw: {{prometheus: {rule}}}}}\n"
    )
    found = {finding.rule: finding.message for finding in lint_catalogue(load(path))}
    assert "cannot-be-built" not in found
    assert found["level-of-counter"].startswith("rule critical: compares the counter")
    assert "alert-without-summary" not in found


def test_compiled_alone_a_raw_composite_is_the_same(tmp_path: Path) -> None:
    catalogue = resolved(tmp_path, composite("top", "ALARM(a)"))
    (alert,) = catalogue.raws
    assert isinstance(alert, RawAlert)
    assert cloudwatch.compile_one(alert).composite == cloudwatch.compile_all(catalogue).composite


def test_the_schema_for_editors_takes_what_the_loader_takes_and_refuses_what_it_refuses(
    tmp_path: Path,
) -> None:
    schema = json.loads((ROOT / "alerts/catalogue.schema.json").read_text())
    good = (
        composite("top", "ALARM(a)", "x")
        + named("y", "one", ", environments: [production]")
        + "  rule: {severity: critical, raw: {prometheus: {alert: High, expr: up, annotations: {summary: s}}}}\n"
    )
    resolved(tmp_path, good)
    jsonschema.validate(yaml.safe_load(HEAD + good), schema)
    for old, new in (
        ("AlarmName: x", "AlarmName: ''"),
        ("AlarmName: x", "Tags: []"),
        ("AlarmName: x", "OKActions: [mail]"),
        ("AlarmName: x", "ActionsSuppressor: z"),
        ("[production]", "[]"),
        ("alert: High", "alert: ''"),
    ):
        assert old in good
        bad = good.replace(old, new, 1)
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate(yaml.safe_load(HEAD + bad), schema)
        refused(tmp_path, bad)


def test_parts_are_taken_as_if_they_were_written(tmp_path: Path) -> None:
    path = tmp_path / "shop.yaml"
    part = tmp_path / "imported.yaml"
    path.write_text(HEAD + named("x", "one", ", environments: [production]"))
    added = "catalogue: 1\nalerts:\n" + named("y", "two", ", environments: [production]")
    assert load(path, parts={part: added}).alert_names == {"one", "two"}
    assert load(path).alert_names == {"one"}
    path.write_text(path.read_text() + "include: [imported.yaml]\n")
    assert load(path, parts={part: added}).alert_names == {"one", "two"}
    part.write_text(added)
    assert load(path, parts={part: "catalogue: 1\n"}).alert_names == {"one"}
    with pytest.raises(UserError) as caught:
        load(path, parts={part: "alerts: [\n"})
    assert caught.value.file == part

"""Catalogues at the edges: layers that disagree, numbers that are very small or large, names at their limits."""

from __future__ import annotations

import json
import os
import re
import subprocess
from pathlib import Path

import botocore.session
import pytest
import yaml

from orders_obs.alerts import load, raw
from orders_obs.alerts.compile import alertmanager, aws, cloudwatch, prometheus, promql, sns
from orders_obs.cli import main
from orders_obs.errors import UserError
from orders_obs.sandbox import programs
from tests.alerts.read_back import read_rules
from tests.alerts.test_catalogue import write
from tests.alerts.test_engines import HEAD, catalogue, promtool_tests

ERRORS = "signal: http_error_ratio, minimum: 9 requests"
ONE = f"  one: {{{ERRORS}, critical: {{above: 5%, over: 5m}}}}\n"
THREE = "severities: {critical: {topic: a}, warning: {topic: b}, note: {topic: c}}"
TWO = "severities: {critical: {page: true, topic: a}, warning: {topic: b}}"
SEVERITIES = "severities: {critical: {topic: shop-critical}}"


def refused(folder: Path, alerts: str, head: str = HEAD) -> UserError:
    with pytest.raises(UserError) as caught:
        catalogue(folder, alerts, head)
    assert caught.value.line
    return caught.value


# --- Files


@pytest.mark.parametrize(
    "text", ["[" * 100_000, "- " * 100_000, "".join(" " * n + "a:\n" for n in range(2000))]
)
def test_what_nests_without_end_is_refused_and_ends_no_process(tmp_path: Path, text: str) -> None:
    with pytest.raises(UserError, match="is nested too deeply"):
        load(write(tmp_path, text))


def test_a_value_that_holds_itself_is_refused(tmp_path: Path) -> None:
    error = refused(tmp_path, "  one: &x {raw: *x}\n")
    assert "holds itself" in error.message
    assert error.line == 19


@pytest.mark.parametrize("name", ["none.yaml", "x" * 5000, '"\\0"', '""', "{file: .}"])
def test_a_part_that_is_no_file_is_refused(tmp_path: Path, name: str) -> None:
    error = refused(
        tmp_path, ONE, HEAD.replace("1\nservice: shop\n", f"1\ninclude: [{name}]\nservice: shop\n")
    )
    assert "there is no file" in error.message


def test_of_a_thousand_known_alerts_some_are_named(tmp_path: Path) -> None:
    many = "".join(ONE.replace("one", f"alert_{n}") for n in range(100))
    error = refused(
        tmp_path, many, HEAD.replace("    every: 1m\n", "    every: 1m\n    alerts: {zzz: {mode: shadow}}\n")
    )
    assert error.hint.endswith("and 80 more")


# --- Quantities


@pytest.mark.parametrize(
    ("alert", "said"),
    [
        (ONE.replace("over: 5m", "over: 0.0001ms"), "no whole number of milliseconds"),
        (ONE.replace("over: 5m", "over: 1.5ms"), "no whole number of milliseconds"),
        (ONE.replace("over: 5m", "over: 999999999d"), "is longer than 3653 days"),
        (ONE.replace("over: 5m", f"over: {'9' * 400}m"), "is no duration"),
        (ONE.replace("above: 5%", "above: \u0665%"), "is no share"),
        (ONE.replace("9 requests", f"{'9' * 400} requests"), "is no number of requests"),
        (ONE.replace("over: 5m", f"over: 5m, breaching: 1 of {'9' * 5000}"), "is no M of N"),
        (
            "  one: {slo: {signal: http_error_ratio, objective: 99.99999999%, page: critical}}\n",
            "is no objective",
        ),
    ],
)
def test_numbers_that_no_engine_has_are_refused(tmp_path: Path, alert: str, said: str) -> None:
    assert said in refused(tmp_path, alert).message


def test_an_environment_that_looks_in_no_time_is_refused(tmp_path: Path) -> None:
    assert "milliseconds" in refused(tmp_path, ONE, HEAD.replace("every: 1m", "every: 0.0001ms")).message


def test_a_tenth_of_a_second_divides_the_windows_of_a_budget(tmp_path: Path) -> None:
    slo = "  one: {slo: {signal: http_error_ratio, objective: 99.9%, page: critical, ticket: none}}\n"
    (burn,) = catalogue(tmp_path, slo, HEAD.replace("every: 1m", "every: 100ms")).burns
    assert burn.windows[0].short == 300


@pytest.mark.parametrize(
    ("words", "text"), [("7%", "0.07"), ("0.1%", "0.001"), ("29%", "0.29"), ("0.0000001%", "0.000000001")]
)
def test_thresholds_are_written_without_the_noise_of_floats(tmp_path: Path, words: str, text: str) -> None:
    resolved = catalogue(tmp_path, ONE.replace("5%", words))
    assert f"> bool {text})" in prometheus.render(prometheus.compile_rules(resolved))
    (alarm,) = cloudwatch.compile_all(resolved).metric
    assert alarm["Threshold"] == float(text)


def test_a_level_far_below_a_percent_is_no_0_on_cloudwatch(tmp_path: Path) -> None:
    resolved = catalogue(tmp_path, "  one: {signal: rds_cpu, critical: {above: 0.00000123%, over: 5m}}\n")
    (alarm,) = cloudwatch.compile_all(resolved).metric
    assert alarm["Threshold"] == 0.00000123 or alarm["Threshold"] == 0.0000012


# --- Layers


def test_another_form_takes_the_place_of_the_one_below_with_its_conditions(tmp_path: Path) -> None:
    (tmp_path / "part.yaml").write_text("alerts:\n" + ONE.replace("over: 5m", "over: 5m, breaching: 2 of 3"))
    slo = "  one: {slo: {signal: http_error_ratio, objective: 99.9%, page: critical, ticket: none}}\n"
    resolved = catalogue(
        tmp_path, slo, HEAD.replace("1\nservice: shop\n", "1\nservice: shop\ninclude: [part.yaml]\n")
    )
    assert (len(resolved.burns), resolved.alerts) == (1, ())


@pytest.mark.parametrize(
    "word",
    ["over: 5m", "breaching: 1 of 2", "when_missing: keep", "statistic: average", "severity: critical"],
)
def test_an_objective_takes_no_words_of_samples(tmp_path: Path, word: str) -> None:
    slo = f"  one: {{slo: {{signal: http_error_ratio, objective: 99.9%, page: critical}}, {word}}}\n"
    assert "has no meaning here" in refused(tmp_path, slo).message


def test_page_and_ticket_are_two_severities(tmp_path: Path) -> None:
    slo = "  one: {slo: {signal: http_error_ratio, objective: 99.9%, page: critical, ticket: critical}}\n"
    assert "is the severity of page too" in refused(tmp_path, slo).message


PART = """\
severities: {theirs: {topic: shop-critical}}
mute: {nightly: {at: "02:00", for: 1h, severities: [theirs], reason: theirs}}
alerts:
  goal: {slo: {signal: http_error_ratio, objective: 99.9%, page: theirs, ticket: none}}
  done: {signal: deployment_done, severity: theirs}
"""


def test_a_parts_own_severities_are_the_catalogues_wherever_it_says_them(tmp_path: Path) -> None:
    (tmp_path / "part.yaml").write_text(PART)
    head = HEAD.replace(
        "severities: {critical: {topic: shop-critical}}",
        "include: [{file: part.yaml, severities: {theirs: critical}}]",
    )
    path = write(tmp_path, head.removesuffix("alerts:\n"))
    resolved = load(path).resolve("test")
    assert {alert.severity.name for alert in resolved} == {"critical"}
    assert [severity.name for severity in resolved.severities] == ["critical"]
    assert resolved.mutes[0].severities == ("critical",)
    merged = yaml.safe_load(load(path).merged_text("test"))["alerts"]
    assert (merged["goal"]["slo"]["page"], merged["done"]["severity"]) == ("critical", "critical")


def test_a_severity_is_mapped_to_one_that_is_there(tmp_path: Path) -> None:
    include = "include: [{package: http-service, severities: {warning: critcal}}]\n"
    error = refused(tmp_path, ONE, HEAD.replace("1\nservice: shop\n", f"1\nservice: shop\n{include}"))
    assert str(error).endswith("'critcal' is no severity of this catalogue; did you mean critical?")


def test_of_two_mute_windows_of_one_name_the_nearest_wins(tmp_path: Path) -> None:
    window = 'mute: {nightly: {at: "02:00", for: 1h, reason: %s}}\n'
    (tmp_path / "part.yaml").write_text(window % "theirs")
    resolved = catalogue(
        tmp_path, ONE, HEAD.replace("alerts:\n", f"include: [part.yaml]\n{window % 'ours'}alerts:\n")
    )
    assert [mute.reason for mute in resolved.mutes] == ["ours"]


@pytest.mark.parametrize(
    ("window", "said"),
    [
        ('"bad name": {at: "02:00", for: 1h, reason: x}', "is no name"),
        ('nightly: {at: "02:00", for: 1h, alerts: [], reason: x}', "is empty"),
        ('nightly: {at: "02:00", for: 1h, severities: [], reason: x}', "is empty"),
    ],
)
def test_a_mute_window_says_what_it_mutes(tmp_path: Path, window: str, said: str) -> None:
    assert said in refused(tmp_path, ONE, HEAD.replace("alerts:\n", f"mute: {{{window}}}\nalerts:\n")).message


@pytest.mark.parametrize(
    ("first", "second", "said"),
    [
        ("id: same", "id: same", "'same' is the identity of one already"),
        ("id: two", "mode: live", "'two' is the identity of one already"),
        ("was: [old]", "was: [old]", "'old' is an old name of one already"),
        ("was: [Old Name]", "mode: live", "is no name for it"),
    ],
)
def test_an_identity_belongs_to_one_alert(tmp_path: Path, first: str, second: str, said: str) -> None:
    def alert(name: str, word: str) -> str:
        return ONE.replace("one: {", f"{name}: {{{word}, ")

    assert said in refused(tmp_path, alert("one", first) + alert("two", second)).message


def test_the_watchdogs_name_is_taken_where_there_is_one(tmp_path: Path) -> None:
    alert = ONE.replace("one", "watchdog")
    assert len(catalogue(tmp_path, alert).alerts) == 1
    head = HEAD.replace("every: 1m", "every: 1m\n    watchdog: file:watchdog")
    assert "is what the watchdog of test is called" in refused(tmp_path, alert, head).message


def test_the_merged_words_stay_yaml_whatever_stands_in_them(tmp_path: Path) -> None:
    expr = 'sum(rate(http_requests_total{job="shop",status=~"5.."}[5m]))  >  5 # errors'
    raw = f"  one:\n    severity: critical\n    raw:\n      prometheus:\n        expr: |\n          {expr}\n          or up == 0\n"
    long = ONE.replace("one", "two").replace(
        "critical:", f"runbook: 'https://wiki.example.com/{'x' * 60}  y', critical:"
    )
    text = load(write(tmp_path, HEAD + raw + long)).merged_text("test")
    merged = yaml.safe_load(text)["alerts"]
    assert merged["one"]["raw"]["prometheus"]["expr"].splitlines() == [expr, "or up == 0"]
    assert merged["two"]["runbook"] == f"https://wiki.example.com/{'x' * 60}  y"


# --- Raw forms


@pytest.mark.parametrize(
    ("raw", "said"),
    [
        ("cloudwatch: {Namespace: 2027-01-01}", "is neither text nor a number"),
        ("cloudwatch: {Threshold: .inf}", "is no number"),
        ("cloudwatch: {Namespace: !thing x}", "is no value"),
        ("cloudwatch: {Namespace: 2027-13-45}", "is no value"),
        ("cloudwatch: {Dimensions: [{Name: a, Name: b}]}", "stands here a second time"),
        ("cloudwatch: {Dimensions: [{Name: a}]}", "does not say Value"),
        ("cloudwatch: {Dimensions: {a: b}}", "must be a list"),
        ("cloudwatch: {Dimensions: [{Name: a, Value: 5}]}", "5 is no text"),
        ("cloudwatch: {Metrics: [{Expression: a}]}", "does not say Id"),
        ("cloudwatch: {Metrics: [{Id: a, MetricStat: {Period: 60, Stat: Sum}}]}", "does not say Metric"),
        ("cloudwatch: {Metrics: [{Id: a, ReturnData: 1}]}", "1 is neither true nor false"),
        ("cloudwatch: {Period: 60.5}", "60.5 is no whole number"),
        ("cloudwatch: {Threshold: true}", "True is no number"),
        ("prometheus: {expr: ''}", "is empty"),
        ("prometheus: {expr: up, for: 5 minutes}", "is no duration of Prometheus"),
        ("prometheus: {expr: up, labels: [ab]}", "must be a mapping"),
        ("prometheus: {expr: up, labels: {a-b: c}}", "is no name of a label"),
        ("prometheus: {expr: up, labels: {__name__: c}}", "is no name of a label"),
    ],
)
def test_a_raw_form_holds_what_its_engine_can_be_given(tmp_path: Path, raw: str, said: str) -> None:
    assert said in refused(tmp_path, f"  one: {{severity: critical, raw: {{{raw}}}}}\n").message


def test_raw_labels_are_as_they_are_written(tmp_path: Path) -> None:
    raw = "{severity: critical, raw: {prometheus: {expr: up, for: 1h30m, labels: {on: true, n: 05}}}}"
    rules = read_rules(prometheus.render(prometheus.compile_rules(catalogue(tmp_path, f"  one: {raw}\n"))))
    rule = rules.alerts["one", "critical"]
    assert (rule["labels"]["on"], rule["labels"]["n"], rule["for"]) == ("true", "05", "1h30m")


def test_an_expression_with_what_cannot_be_printed_stays_yaml(tmp_path: Path) -> None:
    raw = r'{severity: critical, raw: {prometheus: {expr: "up{a=\"\x07\u2028\"}"}}}'
    text = prometheus.render(prometheus.compile_rules(catalogue(tmp_path, f"  one: {raw}\n")))
    (rule,) = yaml.safe_load(text)["groups"][0]["rules"]
    assert rule["expr"] == 'up{a="\x07\u2028"}'


# --- CloudWatch


def test_of_three_severities_each_worse_one_mutes(tmp_path: Path) -> None:
    alert = ONE.replace(
        "critical: {above: 5%, over: 5m}",
        "critical: {above: 5%, over: 5m}, warning: {above: 2%, over: 5m}, note: {above: 1%, over: 5m}",
    )
    alarms = cloudwatch.compile_all(catalogue(tmp_path, alert, HEAD.replace(SEVERITIES, THREE)))
    by_name = {alarm["AlarmName"]: alarm for alarm in alarms.composite}
    assert by_name["shop-test-one-warning"]["ActionsSuppressor"] == "shop-test-one-critical"
    assert by_name["shop-test-one-note"]["ActionsSuppressor"] == "shop-test-one-note-worse"
    worse = by_name["shop-test-one-note-worse"]
    assert worse["AlarmRule"] == 'ALARM("shop-test-one-critical") OR ALARM("shop-test-one-warning")'
    assert "AlarmActions" not in worse
    names = [alarm["AlarmName"] for alarm in (*alarms.metric, *alarms.composite)]
    assert len(names) == len(set(names)) == 6


def _topics(count: int) -> tuple[str, str]:
    severities = ", ".join(f"s{n}: {{topic: topic-{n}}}" for n in range(count))
    events = "".join(f"  event_{n}: {{signal: deployment_done, severity: s{n}}}\n" for n in range(count))
    return HEAD.replace(SEVERITIES, f"severities: {{{severities}}}"), events


def test_more_topics_than_one_alarm_takes_are_one_alert_that_is_muted_as_one(tmp_path: Path) -> None:
    head, events = _topics(12)
    head = head.replace("alerts:\n", 'mute: {nightly: {at: "02:00", for: 1h, reason: x}}\nalerts:\n')
    resolved = catalogue(
        tmp_path,
        events + "  failed: {signal: notifications_failed, s0: {at_least: 1 notification, over: 5m}}\n",
        head,
    )
    alarms = cloudwatch.compile_all(resolved)
    (teller,) = alarms.composite
    assert teller["AlarmName"] == "shop-test-failed-s0"
    assert [alarm["AlarmName"] for alarm in alarms.metric] == [
        "shop-test-failed-s0-measure",
        "shop-test-failed-s0-measure-2",
    ]
    assert all("AlarmActions" not in alarm for alarm in alarms.metric)
    (mute,) = cloudwatch.mute_rules(resolved, alarms)
    assert mute["MuteTargets"]["AlarmNames"] == ["shop-test-failed-s0"]


def test_a_name_that_grows_beyond_cloudwatchs_limit_is_refused(tmp_path: Path) -> None:
    long = "x" * 63
    head = HEAD.replace("service: shop", f"service: {long}").replace("  test:", f"  {long}:")
    warning = f"{long[:-1]}y"
    head = head.replace(SEVERITIES, f"severities: {{{long}: {{topic: a}}, {warning}: {{topic: b}}}}")
    one = f"  {long}: {{{ERRORS}, {long}: {{above: 5%, over: 5m}}}}\n"
    path = write(tmp_path, head + one)
    (alarm,) = cloudwatch.compile_all(load(path).resolve(long)).metric
    assert len(alarm["AlarmName"]) == 255
    both = one.replace(f"{long}: {{above", f"{warning}: {{above: 1%, over: 5m}}, {long}: {{above")
    with pytest.raises(UserError, match="its name on CloudWatch has 263 characters"):
        cloudwatch.compile_all(load(write(tmp_path, head + both)).resolve(long))


def test_keep_on_a_metric_that_is_only_there_when_it_is_bad_is_a_difference(tmp_path: Path) -> None:
    alert = "  one: {signal: database_connection_errors, when_missing: %s, critical: {at_least: 5 errors, over: 5m}}\n"
    (difference,) = cloudwatch.compile_all(catalogue(tmp_path, alert % "keep")).differences
    assert "DatabaseConnectionErrors is reported only when it is not zero" in difference.reason
    assert cloudwatch.compile_all(catalogue(tmp_path, alert % "ok")).differences == []


# --- CloudWatch PromQL


def test_what_watches_rules_of_its_own_needs_some_in_promql_too(tmp_path: Path) -> None:
    resolved = catalogue(
        tmp_path, "  one: {signal: rule_deliveries_failed, critical: {at_least: 1 delivery, over: 5m}}\n"
    )
    with pytest.raises(UserError, match="watches rules, of which the catalogue has none"):
        promql.compile_alarms(resolved)


@pytest.mark.parametrize(
    ("every", "interval"), [("1s", 10), ("20s", 20), ("1h", 3600), ("2h", 0), ("90s", 0)]
)
def test_promql_alarms_are_looked_at_when_cloudwatch_can(tmp_path: Path, every: str, interval: int) -> None:
    resolved = catalogue(tmp_path, ONE.replace("5m", "6h"), HEAD.replace("every: 1m", f"every: {every}"))
    if not interval:
        with pytest.raises(UserError, match="CloudWatch cannot look every"):
            promql.compile_alarms(resolved)
        return
    (alarm,), differences = promql.compile_alarms(resolved)
    assert alarm["EvaluationInterval"] == interval
    assert any("looks every 10 s, not every 1s" in d.reason for d in differences) == (every == "1s")


def test_an_alert_that_asks_for_promql_is_there_in_any_environment(tmp_path: Path) -> None:
    alert = ONE.replace("one: {", "one: {engines: [cloudwatch-promql], ")
    (alarm,) = aws.compile_state(catalogue(tmp_path, alert)).metric_alarms
    assert "EvaluationCriteria" in alarm


def test_a_query_that_is_too_long_does_not_matter_where_there_is_a_classic_alarm(tmp_path: Path) -> None:
    alert = ONE.replace("over: 5m", "over: 5m, breaching: 1 of 100")
    resolved = catalogue(
        tmp_path, alert, HEAD.replace("every: 1m", "every: 1m\n    engines: [cloudwatch, cloudwatch-promql]")
    )
    with pytest.raises(UserError, match="its query has"):
        promql.compile_alarms(resolved)
    (alarm,) = aws.compile_state(resolved).metric_alarms
    assert (alarm["DatapointsToAlarm"], alarm["EvaluationPeriods"]) == (1, 100)


# --- Prometheus


def test_two_alerts_on_the_same_samples_record_them_once(tmp_path: Path) -> None:
    alerts = ONE + ONE.replace("one", "two") + ONE.replace("one", "three").replace("5m", "90m")
    rules = read_rules(prometheus.render(prometheus.compile_rules(catalogue(tmp_path, alerts))))
    counts = [name for name in rules.records if ":count" in name]
    assert counts == [
        f"job:http_error_ratio_{part}:count{over}" for over in ("5m", "90m") for part in ("all", "part")
    ]


def test_severities_of_one_alert_may_differ_in_the_length_of_their_samples(tmp_path: Path) -> None:
    alert = ONE.replace("over: 5m}", "over: 5m}, warning: {above: 1%, over: 1h}")
    resolved = catalogue(tmp_path, alert, HEAD.replace(SEVERITIES, TWO))
    rules = read_rules(prometheus.render(prometheus.compile_rules(resolved)))
    assert {name for name in rules.records if ":breach" in name} == {
        "job:one:critical:breach5m",
        "job:one:warning:breach1h",
    }
    assert {
        alarm["Metrics"][1]["MetricStat"]["Period"] for alarm in cloudwatch.compile_all(resolved).metric
    } == {300, 3600}


LEVELS = [
    "healthy_hosts, critical: {below: 8 hosts, over: 1m}",
    "running_tasks, critical: {below: 1 task, over: 1m}",
    "running_tasks, statistic: average, critical: {below: 3 tasks, over: 4m}",
    "unhealthy_hosts, critical: {at_least: 8 hosts, over: 1m}",
    "unhealthy_hosts, critical: {above: 0 hosts, over: 1m}",
    "pool_connections, critical: {above: 0 connections, over: 1m}",
    "pool_connections, critical: {at_most: 0 connections, over: 1m}",
    "database_connections, when_missing: keep, critical: {above: 80 connections, over: 15m, breaching: 3 of 3}",
    "service_cpu, critical: {above: 80%, over: 3m}",
    "service_cpu, critical: {above: 12.3456789%, over: 15m}",
    "orders_created, when_missing: keep, critical: {above: 5 orders, over: 5m, breaching: 1 of 20}",
]


@pytest.mark.parametrize("words", LEVELS)
def test_the_test_of_each_alert_shows_it_silent_and_firing(tmp_path: Path, words: str) -> None:
    (test,) = promtool_tests(catalogue(tmp_path, f"  one: {{signal: {words}}}\n"))
    assert {bool(look["exp_samples"]) for look in test["promql_expr_test"]} == {True, False}


def test_an_alert_on_more_targets_than_a_story_can_have_is_not_told_one(tmp_path: Path) -> None:
    resolved = catalogue(
        tmp_path, "  one: {signal: healthy_hosts, critical: {below: 999999999 hosts, over: 1m}}\n"
    )
    assert promtool_tests(resolved) == []


SLOW_LOOKS = HEAD.replace("every: 1m", "every: 10m")


@pytest.mark.live
@pytest.mark.parametrize(
    ("words", "head"),
    [
        *((words, HEAD) for words in LEVELS),
        (
            "http_error_ratio, minimum: 3 requests, when_missing: keep, critical: {above: 1%, over: 10m, breaching: 2 of 3}",
            SLOW_LOOKS,
        ),
        ("http_error_ratio, minimum: 3 requests, when_missing: keep, critical: {above: 1%, over: 2h}", HEAD),
        ("cache_hit_ratio, minimum: 3 requests, critical: {at_most: 0.1%, over: 90m}", HEAD),
        ("http_error_ratio, minimum: 3 requests, critical: {above: 0.0000001%, over: 5m}", HEAD),
    ],
)
def test_promtool_agrees_with_the_plain_sample_rule(tmp_path: Path, words: str, head: str) -> None:
    tool = programs.locate("promtool")
    if tool is None:
        reason = "not installed: promtool; run `orders-obs sandbox install`"
        (pytest.fail if os.environ.get("CI") else pytest.skip)(reason)
    path = write(tmp_path, f"{head}  one: {{signal: {words}}}\n")
    build = ["alerts", "build", "--engine", "prometheus", "--env", "test", "--catalogue", str(path)]
    assert main([*build, "-o", str(tmp_path)]) == 0
    test = tmp_path / "test.rules.tests/one.test"
    done = subprocess.run(
        [tool, "test", "rules", test], capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, (done.stdout + done.stderr)[:2000]


def test_a_thousand_samples_are_an_expression_that_can_be_read(tmp_path: Path) -> None:
    alert = ONE.replace("over: 5m", "over: 5m, breaching: 1 of 1000")
    text = prometheus.render(prometheus.compile_rules(catalogue(tmp_path, alert)))
    offsets = re.findall(r"offset (\S+) or", str(read_rules(text).alerts["one", "critical"]["expr"]))
    assert len(offsets) == 999
    assert json.dumps(offsets[:3]) == '["5m", "10m", "15m"]'


# --- What a stranger writes


def test_a_parts_severities_come_after_the_catalogues_and_what_tells_nobody_mutes_nobody(
    tmp_path: Path,
) -> None:
    (tmp_path / "part.yaml").write_text("severities: {quiet: {log: true}, team: {topic: team}}\n")
    head = HEAD.replace(
        SEVERITIES, "include: [part.yaml]\nseverities: {note: {log: true}, page: {topic: pages}}"
    )
    both = "  one: {signal: http_requests, note: {above: 9 requests, over: 5m}, page: {above: 5 requests, over: 5m}}\n"
    resolved = catalogue(tmp_path, both, head)
    assert [severity.name for severity in resolved.severities] == ["note", "page", "quiet", "team"]
    assert cloudwatch.compile_all(resolved).composite == []
    content, _ = alertmanager.configuration(resolved)
    muting = {rule["source_matchers"][0] for rule in content["inhibit_rules"]}
    assert muting == {'severity=~"page"'}


def test_a_topic_is_encrypted_where_any_severity_on_it_asks_for_it(tmp_path: Path) -> None:
    head = HEAD.replace(SEVERITIES, "severities: {critical: {topic: a}, warning: {topic: a, encrypt: true}}")
    (topic,) = sns.compile_topics(catalogue(tmp_path, ONE, head))
    assert topic["Attributes"]["KmsMasterKeyId"].startswith("alias/")
    assert sns.compile_key(catalogue(tmp_path, ONE, head)) is not None


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("app/shop/1", "arn:aws:elasticloadbalancing:eu-west-1:1:loadbalancer/app/shop/1", "app/NAME/ID"),
        ("app/shop/1", "shop", "app/NAME/ID"),
        ("targetgroup/shop/1", "shop", "targetgroup/NAME/ID"),
        ("db_instance: shop", "db_instance: 'arn:aws:rds:eu-west-1:1:db:shop'", "the instance's identifier"),
        ("cluster: shops", "cluster: 'arn:aws:ecs:eu-west-1:1:cluster/shops'", "the name alone"),
    ],
)
def test_a_resource_in_a_form_that_no_metric_has_is_refused(
    tmp_path: Path, old: str, new: str, said: str
) -> None:
    assert old in HEAD
    error = refused(tmp_path, ONE, HEAD.replace(old, new))
    assert said in error.hint
    assert "is not how CloudWatch names it" in error.message


RAW = (
    "  one: {severity: critical, raw: {cloudwatch: {Namespace: A, MetricName: B, Statistic: Sum, Period: 60,"
    " EvaluationPeriods: 1, Threshold: 1, ComparisonOperator: GreaterThanThreshold}}}\n"
)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("MetricName", "MetricNam", "is no argument of put_metric_alarm; did you mean MetricName"),
        ("GreaterThanThreshold", "GreaterThan", "is not what AWS takes; one of GreaterThan"),
        ("Sum", "p99", "is not what AWS takes"),
        ("Threshold: 1, ", "", "has no Threshold"),
        ("EvaluationPeriods: 1, ", "", "has no EvaluationPeriods"),
    ],
)
def test_a_raw_form_that_aws_refuses_by_its_model_is_refused(
    tmp_path: Path, old: str, new: str, said: str
) -> None:
    catalogue(tmp_path, RAW)
    assert said in str(refused(tmp_path, RAW.replace(old, new, 1)))


def test_the_arguments_of_a_raw_form_are_those_of_the_model() -> None:
    model = botocore.session.get_session().get_service_model("cloudwatch")
    shape = model.operation_model("PutMetricAlarm").input_shape
    assert {*raw._METRIC_ARGUMENTS, *raw._GIVEN} == set(shape.members)
    for key, values in raw._ENUMERATIONS.items():
        known = getattr(shape.members[key], "enum", None)
        assert not known or list(known) == list(values)


def test_where_nobody_is_paged_the_fast_windows_of_an_objective_stay_with_the_worst(tmp_path: Path) -> None:
    slo = "  one: {slo: {signal: http_error_ratio, objective: 99.9%}}\n"
    for paging in ("true", "false"):
        head = HEAD.replace(SEVERITIES, TWO.replace("page: true", f"page: {paging}"))
        burns = catalogue(tmp_path, slo, head).burns
        assert [(b.severity.name, len(b.windows)) for b in burns] == [("critical", 2), ("warning", 1)]


def test_an_address_in_a_wrong_place_is_not_said_again(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    secret = "T01234567/B01234567/abcdefghijklmnop"
    for old, new in (
        ("{topic: shop-critical}", f'{{topic: a, email: ["https://hooks.slack.com/services/{secret}"]}}'),
        (
            "    every: 1m",
            f'    alertmanager: {{smtp: "smtp://a:{secret}@mail:25", from: a@example.com}}\n    every: 1m',
        ),
        ("environments:", f'include: ["https://user:{secret}@example.com/own.yaml"]\nenvironments:'),
    ):
        path = write(tmp_path, HEAD.replace(old, new) + ONE)
        assert main(["alerts", "show", "--catalogue", str(path)]) == 2
        assert secret not in capsys.readouterr().err


def test_an_alert_that_no_engine_of_an_environment_evaluates_is_shown_as_such(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    head = HEAD.replace("    every: 1m", "    engines: [prometheus]\n    every: 1m")
    cpu = "  cpu: {signal: rds_cpu, critical: {above: 80%, over: 5m}}\n"
    path = write(tmp_path, head + ONE + cpu)
    assert main(["alerts", "show", "--catalogue", str(path)]) == 0
    out = capsys.readouterr().out
    assert "    on prometheus\n" in out
    assert "    on no engine of this environment: it never fires here\n" in out
    assert main(["alerts", "explain", "one", "--catalogue", str(path)]) == 0
    assert "cloudwatch   not there: test has no such engine" in capsys.readouterr().out


def test_receivers_of_a_topic_that_is_managed_elsewhere_are_a_difference(tmp_path: Path) -> None:
    topic = "{topic: 'arn:aws:sns:eu-west-1:111122223333:pages', email: [a@example.com]}"
    _, differences = sns.compile_subscriptions(
        catalogue(tmp_path, ONE, HEAD.replace("{topic: shop-critical}", topic))
    )
    assert [d.reason for d in differences] == [
        "severity critical: its topic is managed elsewhere, and so is who subscribes: not a@example.com"
    ]


def test_a_command_says_which_catalogue_it_took_where_there_is_none_here(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["alerts", "lint"]) == 0
    assert "no folder alerts here: this is the shipped catalogue, of orders-api" in capsys.readouterr().err


def test_an_expression_without_end_is_refused_and_ends_no_process(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "rules.yml"
    for terms, said in ((900, "nests more than 300 levels"), (20_000, "too many operators to be judged")):
        expr = " + ".join(["up"] * terms)
        file.write_text(
            f"groups: [{{name: g, rules: [{{alert: A, labels: {{severity: x}}, expr: '{expr} > 1'}}]}}]\n"
        )
        assert main(["alerts", "lint", str(file)]) == 1
        assert said in capsys.readouterr().out


def test_aws_has_what_the_engines_of_the_environment_evaluate(tmp_path: Path) -> None:
    alerts = ONE + (
        "  cpu: {signal: rds_cpu, engines: [cloudwatch], critical: {above: 80%, over: 5m}}\n"
        "  failed: {signal: deployment_failed, severity: critical}\n"
    )

    def built(engines: str) -> aws.DesiredState:
        head = HEAD.replace("    every: 1m", f"    engines: [{engines}]\n    every: 1m")
        return aws.compile_state(catalogue(tmp_path, alerts, head))

    here = built("prometheus")
    assert [alarm["AlarmName"] for alarm in here.metric_alarms] == ["shop-test-cpu-critical"]
    assert here.rules == []
    assert {d.name: d.reason for d in here.differences} == dict.fromkeys(
        ("one", "failed"), "not on cloudwatch: test has no such engine"
    )
    promql_only = built("cloudwatch-promql")
    assert [("EvaluationCriteria" in alarm) for alarm in promql_only.metric_alarms] == [False, True]
    assert len(promql_only.rules) == 1
    assert len(built("prometheus, cloudwatch").metric_alarms) == 2


def test_what_is_only_recorded_is_recorded_on_either_engine_of_cloudwatch(tmp_path: Path) -> None:
    head = HEAD.replace("    every: 1m", "    engines: [cloudwatch, cloudwatch-promql]\n    every: 1m")
    head = head.replace(SEVERITIES, "severities: {note: {log: true}}")
    dropped = "  dropped: {signal: telemetry_dropped, note: {above: 5 items, over: 5m}}\n"
    state = aws.compile_state(catalogue(tmp_path, dropped, head))
    assert [alarm["AlarmName"] for alarm in state.metric_alarms] == ["shop-test-dropped-note"]
    (rule,) = state.rules
    assert json.loads(rule["EventPattern"])["detail"] == {"alarmName": ["shop-test-dropped-note"]}

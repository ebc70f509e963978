"""What each engine can express, and what it refuses."""

from __future__ import annotations

from dataclasses import replace
from itertools import product
from pathlib import Path
from typing import Any

import botocore.session
import promql_parser
import pytest
import yaml
from botocore.validate import ParamValidator

from orders_obs.alerts import Alert, ResolvedCatalogue, load
from orders_obs.alerts.compile import cloudwatch, prometheus
from orders_obs.alerts.compile.engines import chosen
from orders_obs.alerts.compile.outputs import build
from orders_obs.errors import UserError
from orders_obs.signals import SIGNALS, CloudWatchMetric, Count, Event, Level, Presence, Ratio, Share
from orders_obs.signals.aws_metrics import AWS_NAMESPACES, aws_metric
from tests.alerts.rule_parts import assert_parts_are_the_rules
from tests.alerts.test_catalogue import write

HEAD = """\
catalogue: 1
service: shop
severities: {critical: {topic: shop-critical}}
environments:
  test:
    every: 1m
    account: "111122223333"
    region: eu-west-1
    resources:
      load_balancer: app/shop/1
      target_group: targetgroup/shop/1
      cluster: shops
      ecs_service: shop
      db_instance: shop
      cache_cluster: shop-001
      postgres_job: postgres
      relay_function: relay
alerts:
"""
SAMPLED = tuple(name for name, signal in SIGNALS.items() if not isinstance(signal, Event))
AMOUNTS = {"1": "5%", "By": "7GiB", "s": "7s"}


def catalogue(folder: Path, alerts: str, head: str = HEAD) -> ResolvedCatalogue:
    return load(write(folder, head + alerts)).resolve("test")


def each_alert(signals: tuple[str, ...]) -> str:
    """One alert of each signal on each side, under each policy, with one sample and with several."""
    lines = []
    for name, side, policy, m_of_n in product(
        signals, ("above", "below"), ("ok", "breach", "keep", "unknown"), ("1 of 1", "2 of 3")
    ):
        signal = SIGNALS[name]
        key = f"{name}_{side}_{policy}_{m_of_n[0]}"
        if isinstance(signal, Presence):
            if (side, policy) == ("below", "breach"):
                lines.append(
                    f"  {key}: {{signal: {name}, critical: {{absent_for: 5m, breaching: {m_of_n}}}}}\n"
                )
            continue
        slower = "slower_than: 1s, " if isinstance(signal, Share) else ""
        minimum = "minimum: 20 requests, " if isinstance(signal, Ratio | Share) else ""
        if isinstance(signal, Level | Count):
            unit = signal.unit if isinstance(signal, Level) else signal.counted
            bound = AMOUNTS.get(unit) or f"7 {unit.strip('{}')}s"
        else:
            bound = "5%"
        # A metric that is only there when it is not zero cannot say that something is missing.
        engines = ""
        sparse = isinstance(signal, Count) and signal.cloudwatch is not None and signal.cloudwatch.sparse
        if isinstance(signal, Count) and sparse and (side == "below" or policy == "breach"):
            if signal.events is None:
                continue
            engines = "engines: [prometheus], "
        condition = f"{{{slower}{side}: {bound}, over: 5m, breaching: {m_of_n}}}"
        lines.append(
            f"  {key}: {{signal: {name}, {engines}{minimum}when_missing: {policy}, critical: {condition}}}\n"
        )
    return "".join(lines)


def promtool_tests(resolved: ResolvedCatalogue) -> list[dict[str, Any]]:
    """The tests of all alerts that are built for promtool."""
    files, _ = build(resolved, "prometheus")
    return [
        test
        for name, text in files.items()
        if name.endswith(".test")
        for test in yaml.safe_load(text)["tests"]
    ]


def test_prometheus_takes_every_signal_that_has_a_source(tmp_path: Path) -> None:
    resolved = catalogue(tmp_path, each_alert(SAMPLED))
    there = {alert.full_name for alert in chosen(resolved, "prometheus")[0]}
    group_text = prometheus.compile_rules(resolved)
    (group,) = yaml.safe_load(prometheus.render(group_text))["groups"]
    alerts = [rule for rule in group["rules"] if "alert" in rule]
    assert len(alerts) == len(there) > 200
    # Every other alert is named as a difference.
    assert {difference.name for difference in group_text.differences} == {
        alert.name for alert in resolved.alerts if alert.full_name not in there
    }
    records = [rule["record"] for rule in group["rules"] if "record" in rule]
    assert len(records) == len(set(records))
    for rule in group["rules"]:
        promql_parser.parse(rule["expr"])
    tests = promtool_tests(resolved)
    assert len(tests) == len(there)
    for test in tests:
        shown = [bool(look["exp_samples"]) for look in test["promql_expr_test"]]
        assert set(shown) == {True, False}


def test_the_parts_that_promtool_tests_are_together_the_deployed_rules_of_every_kind(tmp_path: Path) -> None:
    others = """\
  goal: {slo: {signal: http_error_ratio, objective: 99.9%, page: critical, ticket: none}}
  fast: {slo: {signal: http_latency, slower_than: 1s, objective: 99.5%, page: critical, ticket: none}}
  own: {severity: critical, raw: {prometheus: {expr: up == 0, for: 5m, labels: {team: x}}}}
"""
    head = HEAD.replace("every: 1m", "every: 1m\n    watchdog: file:watchdog")
    resolved = catalogue(tmp_path, each_alert(SAMPLED) + others, head)
    files, _ = build(resolved, "prometheus")
    assert_parts_are_the_rules(files)
    untested = {name for name, text in files.items() if name.endswith(".test") and "\ntests: []" in text}
    assert untested == {f"test.rules.tests/{name}.test" for name in ("own", "watchdog")}


def test_each_story_of_a_signal_names_series_that_the_signal_chooses(tmp_path: Path) -> None:
    resolved = catalogue(
        tmp_path, each_alert(("errors", "cache_hit_ratio", "orders_created", "database", "service_cpu"))
    )
    series = {entry["series"] for test in promtool_tests(resolved) for entry in test["input_series"]}
    target = 'job="shop",instance="127.0.0.1:8000"'
    assert f'errors_total{{{target},route="/api/v1/orders",error_type="example"}}' in series
    assert f'cache_requests_total{{{target},cache_name="example",result="hit"}}' in series
    assert f'cache_requests_total{{{target},cache_name="example",result="miss"}}' in series
    assert f'orders_created_total{{{target},status="success"}}' in series
    assert 'pg_up{job="postgres",instance="127.0.0.1:9187"}' in series
    assert f"process_cpu_seconds_total{{{target}}}" in series


def test_cloudwatch_takes_every_signal_that_it_has_within_its_model(tmp_path: Path) -> None:
    resolved = catalogue(tmp_path, each_alert(SAMPLED) + each_event())
    alarms = cloudwatch.compile_all(resolved)
    model = botocore.session.get_session().get_service_model("cloudwatch").operation_model("PutMetricAlarm")
    there = {alert.full_name: alert for alert in chosen(resolved, "cloudwatch")[0]}
    assert len({alarm["AlarmName"] for alarm in alarms.metric}) == len(alarms.metric)
    found = {name for name in (alarm["AlarmName"] for alarm in alarms.metric) if name in there}
    assert found == {name for name, alert in there.items() if isinstance(alert, Alert)}
    for alarm in alarms.metric:
        report = ParamValidator().validate(alarm, model.input_shape)
        assert not report.has_errors(), report.generate_report()
        alert = there.get(alarm["AlarmName"])
        assert isinstance(alert, Alert)
        assert alarm["TreatMissingData"] == {
            "ok": "notBreaching", "breach": "breaching", "keep": "ignore", "unknown": "missing",
        }[alert.when_missing]  # fmt: skip
        assert alarm["ComparisonOperator"].startswith("Greater" if alert.high_is_bad else "Less")
        assert (alarm["DatapointsToAlarm"], alarm["EvaluationPeriods"]) == (alert.breaching, alert.samples)


def each_event() -> str:
    events = [name for name, signal in SIGNALS.items() if isinstance(signal, Event)]
    return "".join(f"  {name}: {{signal: {name}, severity: critical}}\n" for name in events)


def test_every_alarm_names_metrics_that_aws_has_with_dimensions_under_which_there_are_values(
    tmp_path: Path,
) -> None:
    resolved = catalogue(tmp_path, each_alert(SAMPLED) + each_event())
    named = []
    for alarm in cloudwatch.compile_all(resolved).metric:
        metrics = [
            query["MetricStat"]["Metric"] for query in alarm.get("Metrics", []) if "MetricStat" in query
        ]
        named += metrics or [alarm]
    assert len(named) > 100
    for metric in named:
        known = aws_metric(metric["Namespace"], metric["MetricName"])
        if metric["Namespace"] in AWS_NAMESPACES:
            assert known is not None, metric
            assert frozenset(dimension["Name"] for dimension in metric["Dimensions"]) in known.dimensions, (
                metric
            )


@pytest.mark.parametrize(
    "signal",
    ["errors", "database_latency", "pool_connections", "telemetry_dropped", "telemetry_internal_errors"],
)
def test_what_cloudwatch_has_no_data_for_is_a_difference_with_what_would_bring_it(
    tmp_path: Path, signal: str
) -> None:
    alarms = cloudwatch.compile_all(catalogue(tmp_path, each_alert((signal,))))
    assert alarms.metric == []
    assert {difference.reason for difference in alarms.differences} == {
        f"not on cloudwatch: it has no data for {signal}; {SIGNALS[signal].elsewhere}"
    }


def test_an_alert_that_asks_for_an_engine_without_data_is_refused(tmp_path: Path) -> None:
    alert = "  one: {signal: rds_cpu, engines: [prometheus], critical: {above: 80%, over: 5m}}\n"
    with pytest.raises(
        UserError, match=r"one: asks for prometheus: it has no data for rds_cpu; a CloudWatch exporter"
    ):
        prometheus.compile_rules(catalogue(tmp_path, alert))


def test_a_level_is_compared_in_the_unit_of_its_metric(tmp_path: Path) -> None:
    resolved = catalogue(
        tmp_path,
        """\
  cpu: {signal: rds_cpu, critical: {above: 80%, over: 5m}}
  storage: {signal: rds_free_storage, statistic: average, critical: {at_most: 10GiB, over: 5m}}
  hosts: {signal: unhealthy_hosts, critical: {at_least: 1 host, over: 1m, breaching: 3 of 3}}
  gone: {signal: database, critical: {absent_for: 5m}}
""",
    )
    cpu, storage, hosts, gone = cloudwatch.compile_all(resolved).metric
    assert (cpu["Threshold"], cpu["Statistic"], cpu["ComparisonOperator"]) == (
        80,
        "Average",
        "GreaterThanThreshold",
    )
    assert (storage["Threshold"], storage["Statistic"]) == (10 * 1024**3, "Average")
    assert storage["ComparisonOperator"] == "LessThanOrEqualToThreshold"
    assert (hosts["Threshold"], hosts["Statistic"]) == (1, "Minimum")
    assert hosts["ComparisonOperator"] == "GreaterThanOrEqualToThreshold"
    assert (gone["Statistic"], gone["Threshold"], gone["TreatMissingData"]) == ("SampleCount", 1, "breaching")


ONE = "  one: {signal: orders_created, critical: {above: 5 orders, over: 1m}}\n"
RATIO = "  one: {signal: http_error_ratio, minimum: 9 requests, critical: {above: 5%, over: 1m}}\n"


@pytest.mark.parametrize(
    ("alert", "old", "new", "said"),
    [
        (ONE, "every: 1m", "every: 1s", "looks at such samples every 1m, environment test every 1s"),
        (ONE, "over: 1m", "over: 30m, breaching: 1 of 49", "49 samples of 1800 s are 88200 s, more than"),
        (ONE, "over: 1m", "over: 1h, breaching: 1 of 169", "169 samples of 3600 s are 608400 s, more than"),
        (RATIO.replace("1m}", "10s}"), "every: 1m", "every: 10s", "AWS's own metrics have no values every 10 s"),
        (ONE.replace("1m}", "15s}"), "every: 1m", "every: 5s", "no period of 15 s"),
        (RATIO, "load_balancer: app", "balancer: app", "does not say what load_balancer is, which one needs"),
        (RATIO, "minimum", f"runbook: https://{'x' * 1000}, minimum", "its description on CloudWatch has 1"),
        (ONE, '    account: "111122223333"\n', "", "has no account and region"),
    ],
)  # fmt: skip
def test_what_cloudwatch_does_not_do_is_refused_with_its_place(
    tmp_path: Path, alert: str, old: str, new: str, said: str
) -> None:
    text = HEAD + alert
    assert old in text
    with pytest.raises(UserError, match=said) as caught:
        cloudwatch.compile_all(catalogue(tmp_path, "", text.replace(old, new)))
    assert caught.value.file == tmp_path / "catalogue.yaml"
    assert caught.value.line in (5, 19)


def test_ten_second_samples_of_a_count_are_an_alarm_of_high_resolution(tmp_path: Path) -> None:
    head = HEAD.replace("every: 1m", "every: 10s")
    (alarm,) = cloudwatch.compile_all(catalogue(tmp_path, ONE.replace("1m}", "10s}"), head)).metric
    assert (alarm["Period"], alarm["EvaluationPeriods"]) == (10, 1)


@pytest.mark.parametrize(
    ("comparison", "when_missing", "refused"),
    [("above", "ok", False), ("below", "ok", True), ("above", "breach", True)],
)
def test_quiet_is_not_taken_for_absence_where_a_metric_is_reported_only_when_not_zero(
    tmp_path: Path, comparison: Any, when_missing: Any, *, refused: bool
) -> None:
    resolved = catalogue(tmp_path, ONE)
    (alert,) = resolved.alerts
    assert isinstance(alert.signal, Count)
    signal = replace(alert.signal, cloudwatch=CloudWatchMetric("Shop", "Sales", sparse=True))
    changed = replace(alert, signal=signal, comparison=comparison, when_missing=when_missing)
    wanted = replace(resolved, alerts=(changed,))
    if refused:
        with pytest.raises(UserError, match="Sales is reported only when it is not zero"):
            cloudwatch.compile_all(wanted)
    else:
        assert len(cloudwatch.compile_all(wanted).metric) == 1


def test_an_alarm_without_topic_tells_nobody_and_needs_no_account(tmp_path: Path) -> None:
    head = HEAD.replace("{topic: shop-critical}", "{}").replace('    account: "111122223333"\n', "")
    (alarm,) = cloudwatch.compile_all(catalogue(tmp_path, ONE, head)).metric
    assert "AlarmActions" not in alarm
    assert "OKActions" not in alarm


def test_a_folder_that_cannot_be_written_is_the_users_error(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from orders_obs.cli import main

    path = write(tmp_path, HEAD + ONE)
    words = ["alerts", "build", "--engine", "prometheus", "--env", "test", "--catalogue", str(path)]
    assert main([*words, "-o", str(path)]) == 2
    assert f"{path}: cannot be written to: " in capsys.readouterr().err

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

from orders_obs.alerts import ResolvedCatalogue, load
from orders_obs.alerts.compile import cloudwatch, prometheus, promtool
from orders_obs.errors import UserError
from orders_obs.signals import SIGNALS, CloudWatchMetric, Count, Level, Share
from tests.alerts.test_catalogue import write

HEAD = """\
catalogue: 1
service: shop
severities: {critical: {topic: shop-critical}}
environments:
  test: {every: 1m, account: "111122223333", region: eu-west-1, resources: {load_balancer: app/shop/1}}
alerts:
"""
ON_CLOUDWATCH = ("http_requests", "http_error_ratio", "http_latency", "orders_created")


def catalogue(folder: Path, alerts: str, head: str = HEAD) -> ResolvedCatalogue:
    return load(write(folder, head + alerts)).resolve("test")


def each_alert(signals: tuple[str, ...]) -> str:
    """One alert of each signal on each side, under each policy, with one sample and with several."""
    lines = []
    for name, side, policy, m_of_n in product(
        signals, ("above", "below"), ("ok", "breach", "keep", "unknown"), ("1 of 1", "2 of 3")
    ):
        signal = SIGNALS[name]
        bound = f"7 {signal.events.instrument.unit.strip('{}')}s" if isinstance(signal, Count) else "5%"
        slower = "slower_than: 1s, " if isinstance(signal, Share) else ""
        minimum = "" if isinstance(signal, Count) else "minimum: 20 requests, "
        condition = f"{{{slower}{side}: {bound}, over: 5m, breaching: {m_of_n}}}"
        lines.append(
            f"  {name}_{side}_{policy}_{m_of_n[0]}: {{signal: {name}, {minimum}when_missing: {policy}, critical: {condition}}}\n"
        )
    return "".join(lines)


def test_prometheus_takes_every_signal_that_can_be_alerted_on(tmp_path: Path) -> None:
    usable = tuple(name for name, signal in SIGNALS.items() if not isinstance(signal, Level))
    resolved = catalogue(tmp_path, each_alert(usable))
    (group,) = yaml.safe_load(prometheus.render(prometheus.compile_rules(resolved)))["groups"]
    alerts = [rule for rule in group["rules"] if "alert" in rule]
    assert len(alerts) == len(resolved.alerts) == len(usable) * 16
    records = [rule["record"] for rule in group["rules"] if "record" in rule]
    assert len(records) == len(set(records))
    for rule in group["rules"]:
        promql_parser.parse(rule["expr"])
    tests = yaml.safe_load(promtool.render(resolved, "rules.yml"))["tests"]
    for test in tests:
        shown = [bool(look["exp_samples"]) for look in test["promql_expr_test"]]
        assert True in shown
        assert False in shown


def test_each_story_of_a_signal_names_series_that_the_signal_chooses(tmp_path: Path) -> None:
    resolved = catalogue(tmp_path, each_alert(("errors", "cache_hit_ratio", "orders_created")))
    series = {
        entry["series"]
        for test in yaml.safe_load(promtool.render(resolved, "rules.yml"))["tests"]
        for entry in test["input_series"]
    }
    target = 'job="shop",instance="127.0.0.1:8000"'
    assert f'errors_total{{{target},route="/api/v1/orders",error_type="example"}}' in series
    assert f'cache_requests_total{{{target},cache_name="example",result="hit"}}' in series
    assert f'cache_requests_total{{{target},cache_name="example",result="miss"}}' in series
    assert f'orders_created_total{{{target},status="success"}}' in series


def test_cloudwatch_takes_every_signal_that_it_has_within_its_model(tmp_path: Path) -> None:
    resolved = catalogue(tmp_path, each_alert(ON_CLOUDWATCH))
    alarms = cloudwatch.compile_alarms(resolved)
    model = botocore.session.get_session().get_service_model("cloudwatch").operation_model("PutMetricAlarm")
    assert len({alarm["AlarmName"] for alarm in alarms}) == len(ON_CLOUDWATCH) * 16
    for alarm, alert in zip(alarms, resolved.alerts, strict=True):
        report = ParamValidator().validate(alarm, model.input_shape)
        assert not report.has_errors(), report.generate_report()
        assert alarm["TreatMissingData"] == {
            "ok": "notBreaching", "breach": "breaching", "keep": "ignore", "unknown": "missing",
        }[alert.when_missing]  # fmt: skip
        assert alarm["ComparisonOperator"] == (
            "GreaterThanThreshold" if alert.comparison == "above" else "LessThanThreshold"
        )
        assert (alarm["DatapointsToAlarm"], alarm["EvaluationPeriods"]) == (alert.breaching, alert.samples)
        assert len(alarm.get("AlarmActions", [])) <= 5
        assert len(alarm["Tags"]) <= 50


@pytest.mark.parametrize("signal", [name for name in SIGNALS if name not in ON_CLOUDWATCH])
def test_a_signal_that_cloudwatch_lacks_is_refused(tmp_path: Path, signal: str) -> None:
    if isinstance(SIGNALS[signal], Level):
        expected = "is a level, on which there are no alerts yet"
    else:
        expected = f"{signal} has no metric on CloudWatch; alert on it in Prometheus"
    with pytest.raises(UserError, match=expected):
        cloudwatch.compile_alarms(catalogue(tmp_path, each_alert((signal,))))


ONE = "  one: {signal: orders_created, critical: {above: 5 orders, over: 1m}}\n"
RATIO = "  one: {signal: http_error_ratio, minimum: 9 requests, critical: {above: 5%, over: 1m}}\n"


@pytest.mark.parametrize(
    ("alert", "old", "new", "said"),
    [
        (ONE, "every: 1m", "every: 1s", "looks at such samples every 1m, environment test every 1s"),
        (ONE, "over: 1m", "over: 12h, breaching: 3 of 3", "every 1h, environment test every 1m; set every: 1h"),
        (ONE, "over: 1m", "over: 30m, breaching: 1 of 49", "49 samples of 1800 s are 88200 s, more than"),
        (ONE, "over: 1m", "over: 1h, breaching: 1 of 169", "169 samples of 3600 s are 608400 s, more than"),
        (RATIO.replace("1m}", "10s}"), "every: 1m", "every: 10s", "AWS's own metrics have no values every 10 s"),
        (ONE.replace("1m}", "15s}"), "every: 1m", "every: 5s", "no period of 15 s"),
        (RATIO, "load_balancer: app", "balancer: app", "does not say what load_balancer is, which one needs"),
        (RATIO, "minimum", f"runbook: https://{'x' * 1000}, minimum", "its description on CloudWatch has 1"),
        (ONE, 'account: "111122223333", ', "", "has no account and region"),
    ],
)  # fmt: skip
def test_what_cloudwatch_does_not_do_is_refused_with_its_place(
    tmp_path: Path, alert: str, old: str, new: str, said: str
) -> None:
    text = HEAD + alert
    assert old in text
    with pytest.raises(UserError, match=said) as caught:
        cloudwatch.compile_alarms(catalogue(tmp_path, "", text.replace(old, new)))
    assert caught.value.file == tmp_path / "catalogue.yaml"
    assert caught.value.line in (5, 7)


def test_ten_second_samples_of_a_count_are_an_alarm_of_high_resolution(tmp_path: Path) -> None:
    head = HEAD.replace("every: 1m", "every: 10s")
    (alarm,) = cloudwatch.compile_alarms(catalogue(tmp_path, ONE.replace("1m}", "10s}"), head))
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
            cloudwatch.compile_alarms(wanted)
    else:
        assert len(cloudwatch.compile_alarms(wanted)) == 1


def test_an_alarm_without_topic_tells_nobody_and_needs_no_account(tmp_path: Path) -> None:
    head = HEAD.replace("{topic: shop-critical}", "{}").replace('account: "111122223333", ', "")
    (alarm,) = cloudwatch.compile_alarms(catalogue(tmp_path, ONE, head))
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

"""What the engines get: judged by a PromQL parser, by botocore's own model, and by CloudWatch's documented limits."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import botocore.session
import promql_parser
import pytest
import yaml
from botocore.validate import ParamValidator

from orders_obs.alerts import load
from orders_obs.alerts.compile import cloudwatch, prometheus
from orders_obs.alerts.compile.outputs import build
from orders_obs.cli import main
from orders_obs.errors import UserError
from orders_obs.signals import INSTRUMENTS, SIGNALS, Level
from orders_obs.signals.promql import le_literal
from tests.alerts.rule_parts import assert_parts_are_the_rules
from tests.alerts.test_catalogue import GOOD, write

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(params=["demo", "production"])
def rules(request: pytest.FixtureRequest) -> Any:
    resolved = load(ROOT / "alerts").resolve(request.param)
    return yaml.safe_load(prometheus.render(prometheus.compile_rules(resolved)))["groups"][0]["rules"]


def test_every_expression_is_promql_restricted_to_the_service(rules: Any) -> None:
    for rule in rules:
        promql_parser.parse(rule["expr"])
        # What another exporter gives is restricted to that exporter's job.
        assert 'job="orders-api"' in rule["expr"] or '"job", "orders-api"' in rule["expr"]


def test_every_alert_says_who_what_and_where_to_look(rules: Any) -> None:
    alerts = [rule for rule in rules if "alert" in rule]
    assert len(alerts) >= 13
    for alert in alerts:
        assert alert["labels"].keys() == {"severity", "service", "env", "alert_id"}
        assert alert["annotations"].keys() == {"summary", "description", "owner", "runbook_url"}


@pytest.mark.parametrize("environment", ["demo", "production"])
def test_every_runbook_that_an_alert_names_is_there(environment: str) -> None:
    pages = {alert.runbook.rpartition("/")[2] for alert in load(ROOT / "alerts").resolve(environment)} - {""}
    assert len(pages) > 10
    assert {page for page in pages if not (ROOT / "docs/runbooks" / page).is_file()} == set()


def test_each_rule_carries_its_source_line_and_arithmetic() -> None:
    text = prometheus.render(prometheus.compile_rules(load(ROOT / "alerts").resolve("production")))
    said = "fires while http_error_ratio is above 5% over 5m; a sample needs 100 events."
    assert f"# package:http-service:7: {said}" in text


def test_the_same_catalogue_gives_the_same_text_and_the_committed_rules_are_fresh() -> None:
    resolved = load(ROOT / "alerts").resolve("demo")
    folder = ROOT / "collector/prometheus/rules"
    files, _ = build(resolved, "prometheus")
    # Comments name the catalogue's file only, so that the text does not depend on where the checkout is.
    assert {name: (folder / name).read_text() for name in files} == files


def test_bucket_literals_are_those_of_a_real_scrape() -> None:
    from prometheus_client import CollectorRegistry, Histogram, generate_latest

    buckets = INSTRUMENTS["http_request_duration_seconds"].buckets
    registry = CollectorRegistry()
    Histogram("h", "h", buckets=buckets, registry=registry)
    text = generate_latest(registry).decode()
    assert all(f'le="{le_literal(bucket)}"' in text for bucket in buckets)


def test_every_signal_of_the_report_has_an_expression_that_parses() -> None:
    from orders_obs.demo.backends import expression
    from orders_obs.demo.report import REPORTED

    for name in REPORTED:
        promql_parser.parse(expression(SIGNALS[name]))
        assert isinstance(SIGNALS[name], Level) or "sum" in expression(SIGNALS[name])


@pytest.fixture(scope="module")
def alarms() -> dict[str, dict[str, Any]]:
    made = cloudwatch.compile_all(load(ROOT / "alerts").resolve("production")).metric
    return {alarm["AlarmName"]: alarm for alarm in made}


def test_every_alarm_is_what_botocores_model_of_put_metric_alarm_takes(
    alarms: dict[str, dict[str, Any]],
) -> None:
    model = botocore.session.get_session().get_service_model("cloudwatch").operation_model("PutMetricAlarm")
    assert len(alarms) > 25
    for alarm in alarms.values():
        report = ParamValidator().validate(alarm, model.input_shape)
        assert not report.has_errors(), report.generate_report()


def test_every_alarm_keeps_the_limits_that_the_model_does_not_know(alarms: dict[str, dict[str, Any]]) -> None:
    for alarm in alarms.values():
        assert len(alarm["AlarmName"]) <= 255
        assert len(alarm["AlarmDescription"]) <= 1024
        assert alarm["DatapointsToAlarm"] <= alarm["EvaluationPeriods"]
        queries = alarm.get("Metrics", [])
        if queries:
            assert "MetricName" not in alarm
            assert [query["ReturnData"] for query in queries].count(True) == 1
            assert all(query["Id"][0].islower() for query in queries)
            assert len({query["MetricStat"]["Period"] for query in queries if "MetricStat" in query}) == 1
            assert all(len(query.get("Expression", "")) <= 2048 for query in queries)


def test_the_error_rate_is_target_and_load_balancer_5xx_over_both_requests(
    alarms: dict[str, dict[str, Any]],
) -> None:
    alarm = alarms["orders-api-production-error_rate-critical"]
    names = {q["Id"]: q["MetricStat"]["Metric"]["MetricName"] for q in alarm["Metrics"] if "MetricStat" in q}
    (expression,) = [q["Expression"] for q in alarm["Metrics"] if "Expression" in q]
    for identifier in sorted(names, reverse=True):
        expression = expression.replace(identifier, names[identifier])
    bad, total = (
        "FILL(HTTPCode_Target_5XX_Count, 0) + FILL(HTTPCode_ELB_5XX_Count, 0)",
        "RequestCount + FILL(HTTPCode_ELB_5XX_Count, 0)",
    )
    assert expression == f"({bad}) / IF(({total}) >= 100, {total}, 0)"
    assert (alarm["Threshold"], alarm["TreatMissingData"]) == (0.05, "ignore")
    assert alarm["AlarmActions"] == ["arn:aws:sns:eu-west-1:111122223333:orders-critical-production"]


def test_slow_requests_are_the_rest_of_the_percentile_rank(alarms: dict[str, dict[str, Any]]) -> None:
    alarm = alarms["orders-api-production-slow_requests-critical"]
    statistics = {q["Id"]: q["MetricStat"]["Stat"] for q in alarm["Metrics"] if "MetricStat" in q}
    assert statistics == {"rank": "PR(:5)", "samples": "SampleCount"}
    assert alarm["Metrics"][0]["Expression"] == "(100 - rank) / 100 / IF(samples >= 100, 1, 0)"
    assert alarm["Threshold"] == 0.01


def test_orders_per_minute_is_a_plain_sum(alarms: dict[str, dict[str, Any]]) -> None:
    alarm = alarms["orders-api-production-orders_per_minute-warning"]
    assert (alarm["Namespace"], alarm["MetricName"], alarm["Statistic"]) == ("Orders", "OrdersCreated", "Sum")
    assert (alarm["Period"], alarm["EvaluationPeriods"], alarm["DatapointsToAlarm"]) == (60, 2, 2)
    assert (alarm["Threshold"], alarm["TreatMissingData"]) == (100, "notBreaching")


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        (
            ", resources: {load_balancer: app/shop/1}",
            "",
            "does not say what load_balancer is, which errors needs",
        ),
        (", region: eu-west-1", "", "has no account and region"),
        ("over: 1m", "over: 1h, breaching: 1 of 200", "are 720000 s"),
    ],
)
def test_what_cloudwatch_cannot_have_is_an_error(tmp_path: Path, old: str, new: str, said: str) -> None:
    assert old in GOOD
    with pytest.raises(UserError, match=said):
        cloudwatch.compile_all(load(write(tmp_path, GOOD.replace(old, new))).resolve("production"))


def test_samples_of_five_seconds_cannot_be_had_from_cloudwatch(capsys: pytest.CaptureFixture[str]) -> None:
    assert (
        main(
            [
                "alerts",
                "build",
                "--engine",
                "cloudwatch",
                "--env",
                "demo",
                "--catalogue",
                str(ROOT / "alerts"),
            ]
        )
        == 2
    )
    assert "CloudWatch has no period of 5 s" in capsys.readouterr().err


def test_build_writes_rules_with_their_tests_and_alarms_as_json(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    common = ["--env", "production", "--catalogue", str(ROOT / "alerts")]
    assert main(["alerts", "build", "--engine", "prometheus", "-o", str(tmp_path), *common]) == 0
    assert main(["alerts", "build", "--engine", "cloudwatch", "-o", str(tmp_path), *common]) == 0
    assert sorted(p.name for p in tmp_path.iterdir()) == [
        "production.alarms.json", "production.rules.tests", "production.rules.yml",
    ]  # fmt: skip
    capsys.readouterr()
    assert main(["alerts", "build", "--engine", "cloudwatch", *common]) == 0
    assert json.loads(capsys.readouterr().out) == json.loads(
        (tmp_path / "production.alarms.json").read_text()
    )


def test_the_parts_that_promtool_tests_are_together_the_deployed_rules(rules: Any) -> None:
    environment = rules[-1]["labels"]["env"]
    files, _ = build(load(ROOT / "alerts").resolve(environment), "prometheus")
    assert_parts_are_the_rules(files)
    assert len(files) == 1 + 2 * len({rule["alert"] for rule in rules if "alert" in rule})


def test_each_part_says_that_it_is_for_tests_and_which_file_is_deployed() -> None:
    files, _ = build(load(ROOT / "alerts").resolve("demo"), "prometheus")
    main_name, *parts = files
    for name in parts:
        first, second, *_ = files[name].splitlines()
        assert first.startswith("# For `promtool test rules` only")
        assert f"what is deployed is {main_name}" in second
    # Nothing that takes all YAML files of a folder and of those below it for rules finds them.
    assert {Path(name).suffix for name in parts} == {".rules", ".test"}


def test_output_to_a_pipe_is_the_rules_alone(capsys: pytest.CaptureFixture[str]) -> None:
    words = ["--engine", "prometheus", "--env", "demo", "--catalogue", str(ROOT / "alerts")]
    assert main(["alerts", "build", *words]) == 0
    assert capsys.readouterr().out == (ROOT / "collector/prometheus/rules/demo.rules.yml").read_text()


def test_the_tests_of_an_alert_that_is_gone_go_with_it_and_nothing_else_does(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    other = "  other: {signal: http_requests, critical: {above: 5 requests, over: 1m}}\n"
    out = tmp_path / "out"

    def built(text: str, engine: str = "prometheus") -> set[str]:
        path = write(tmp_path, text)
        words = ["--engine", engine, "--env", "production", "--catalogue", str(path), "-o", str(out)]
        assert main(["alerts", "build", *words]) == 0
        return {file.name for file in (out / "production.rules.tests").iterdir()}

    before = built(GOOD + other)
    assert {"other.rules", "other.test"} < before
    folder = out / "production.rules.tests"
    part = (folder / "other.rules").read_text()
    kept = {
        "notes.md": part,
        "own.rules": "groups: []\n",
        "own.test": f"# Mine\n{part}",
        "other.rules.yml": part,
    }
    for name, text in kept.items():
        (folder / name).write_text(text)
    (folder / "folder.rules").mkdir()
    (folder / "link.test").symlink_to(folder / "notes.md")
    (out / "other.rules").write_text(part)
    everything = {*before, *kept, "folder.rules", "link.test"}
    assert built(GOOD, "alertmanager") == everything
    capsys.readouterr()
    assert built(GOOD) == everything - {"other.rules", "other.test"}
    assert capsys.readouterr().err.count("its alert is gone") == 2
    assert {name: (folder / name).read_text() for name in kept} == kept
    assert (out / "other.rules").is_file()
    # Also where no alert is left that has a test.
    head, _, _ = GOOD.partition("  fast:\n")
    head = head.replace("load_balancer: app/shop/1", "cluster: shops, ecs_service: shop")
    event = "  done: {signal: deployment_done, severity: critical}\n"
    assert built(f"{head}alerts:\n{event}") == {*kept, "folder.rules", "link.test"}

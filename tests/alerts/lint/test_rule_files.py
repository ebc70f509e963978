"""Rule files that other people wrote: every seeded defect is found, and a rule that is well made is left in peace."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import textwrap
from pathlib import Path

import pytest

from orders_obs.alerts.lint.rule_files import RULES, lint_rules
from orders_obs.errors import UserError
from orders_obs.findings import Finding

ROOT = Path(__file__).resolve().parents[3]
FILE = Path("team.rules.yml")

ERROR_SHARE = 'sum(rate(http_requests_total{status=~"5.."}[5m])) / sum(rate(http_requests_total[5m]))'
OUR_P99 = "histogram_quantile(0.99, sum by (le) (rate(http_request_duration_seconds_bucket[5m])))"


def alert(expr: str, name: str = "Alert", labels: str = "{severity: warning}") -> str:
    return textwrap.dedent(f"""\
        - alert: {name}
          expr: {json.dumps(expr)}
          labels: {labels}
          annotations: {{summary: It is broken., runbook_url: "https://wiki.example.com/it"}}
        """)


def record(name: str, expr: str) -> str:
    return f"- record: {name}\n  expr: {json.dumps(expr)}\n"


def lint(*rules: str) -> list[Finding]:
    text = "groups:\n  - name: group\n    rules:\n" + textwrap.indent("".join(rules), "      ")
    return lint_rules(text, FILE)


def lint_alert(expr: str) -> list[Finding]:
    return lint(alert(expr))


DEFECTS = [
    ("promql-invalid", "sum(rate(x_total[5m])", "sum(rate(x_total[5m])) > 1"),
    (
        "sides-never-match",
        "sum by (job) (rate(x_total[5m])) / sum(rate(y_total[5m])) > 2",
        "sum by (job) (rate(x_total[5m])) / sum by (job) (rate(y_total[5m])) > 2",
    ),
    (
        "quantile-without-le",
        "histogram_quantile(0.99, sum by (job) (rate(x_seconds_bucket[5m]))) > 1",
        "histogram_quantile(0.99, sum by (job, le) (rate(x_seconds_bucket[5m]))) > 1",
    ),
    (
        "quantile-without-le",
        "histogram_quantile(0.99, sum without (le) (rate(x_seconds_bucket[5m]))) > 1",
        "histogram_quantile(0.99, sum without (pod) (rate(x_seconds_bucket[5m]))) > 1",
    ),
    (
        "quantile-without-le",
        "histogram_quantile(0.99, sum(sum by (le) (rate(x_seconds_bucket[5m])))) > 1",
        "histogram_quantile(0.99, sum(rate(x_seconds[5m]))) > 1",
    ),
    (
        "quantile-without-le",
        "histogram_quantile(0.99, sum by (job) (job:x_seconds_bucket:rate5m)) > 1",
        "histogram_quantile(0.99, sum by (le) (job:x_seconds_bucket:rate5m)) > 1",
    ),
    (
        "quantile-of-raw-histogram",
        "histogram_quantile(0.99, http_request_duration_seconds) > 1",
        "histogram_quantile(0.99, rate(x_seconds[5m])) > 1",
    ),
    (
        "quantile-of-raw-histogram",
        "histogram_quantile(0.99, sum by (le) (x_seconds_bucket)) > 1",
        "histogram_quantile(0.99, sum by (le) (x_seconds_bucket - x_seconds_bucket offset 5m)) > 1",
    ),
    (
        "quantile-of-raw-histogram",
        "histogram_quantile(0.99, sum by (le) (rate(x_seconds_count[5m]))) > 1",
        "histogram_quantile(0.99, sum by (le) (rate(x_seconds_bucket[5m]))) > 1",
    ),
    (
        "ratio-of-unaggregated",
        'rate(x_total{status=~"5.."}[5m]) / rate(x_total[5m]) > 0.05',
        'sum(rate(x_total{status=~"5.."}[5m])) / sum(rate(x_total[5m])) > 0.05',
    ),
    (
        "ratio-of-unaggregated",
        '100 * increase(x_total{status=~"5.."}[5m]) / increase(x_total[5m]) > 5',
        'sum without (status) (rate(x_total{status=~"5.."}[5m])) / ignoring (status) rate(x_total{status="all"}[5m]) > 0.05',
    ),
    (
        "ratio-of-unaggregated",
        'connections{state="used"} / connections > 0.9',
        'connections{state="used"} / ignoring (state) connections{state="limit"} > 0.9',
    ),
    (
        "sides-never-match",
        "rate(errors_total[5m]) / sum(rate(http_requests_total[5m])) > 0.05",
        "rate(errors_total[5m]) / scalar(sum(rate(http_requests_total[5m]))) > 0.05",
    ),
    (
        "sides-never-match",
        "sum(rate(errors_total[5m])) / rate(http_requests_total[5m]) > 0.05",
        "sum(rate(errors_total[5m])) / rate(job:http_requests:sum[5m]) > 0.05",
    ),
    (
        "sides-never-match",
        "100 * rate(errors_total[5m]) / sum by (job) (rate(http_requests_total[5m])) > 5",
        "rate(errors_total[5m]) / on (job) group_left sum by (job) (rate(http_requests_total[5m])) > 0.05",
    ),
    (
        "quantile-threshold-out-of-reach",
        f"{OUR_P99} > 30",
        f"{OUR_P99} >= 30",
    ),
    (
        "quantile-threshold-out-of-reach",
        f"1000 * {OUR_P99} > 60000",
        f"1000 * {OUR_P99} > 5000",
    ),
    ("quantile-threshold-not-on-bucket", f"{OUR_P99} > 4", f"{OUR_P99} > 5"),
    ("burn-threshold-unreachable", f"{ERROR_SHARE} > 14.4 * 0.07", f"{ERROR_SHARE} > 14.4 * 0.001"),
    ("burn-threshold-unreachable", f"{ERROR_SHARE} > 6 * (1 - 0.5)", f"{ERROR_SHARE} > 6 * (1 - 0.999)"),
    (
        "burn-threshold-unreachable",
        "slo:sli_error:ratio_rate1h > (14.4 * 0.1)",
        "slo:sli_error:ratio_rate1h > (14.4 * 0.01)",
    ),
    (
        "burn-threshold-unreachable",
        "sum(rate(errors_total[1h])) / sum(rate(http_requests_total[1h])) > 14.4 * 0.07",
        "sum(rate(bytes_total[1h])) / sum(rate(http_requests_total[1h])) > 2 * 1024",
    ),
    (
        "rate-of-gauge",
        "rate(database_pool_connections[5m]) > 1",
        "delta(database_pool_connections[5m]) > 1",
    ),
    (
        "rate-of-gauge",
        "increase(process_resident_memory_bytes[1h]) > 1e9",
        "deriv(process_resident_memory_bytes[1h]) > 1e5",
    ),
    ("level-of-counter", "x_errors_total > 100", "increase(x_errors_total[5m]) > 100"),
    (
        "level-of-counter",
        "sum by (job) (x_errors_total) / sum by (job) (x_requests_total) > 0.05",
        "sum(x_errors_total - x_errors_total offset 5m) > 100",
    ),
    (
        "level-of-counter",
        "x_errors_total > 9",
        "x_errors_total > 0 and rate(x_requests_total[5m]) > 3",
    ),
    ("rate-of-sum", "rate(sum(x_total)[5m:1m]) > 1", "sum(rate(x_total[5m])) > 1"),
    ("never-true", "up > 1", "up < 1"),
    ("never-true", 'absent(up{job="x"}) > 1', 'absent(up{job="x"}) == 1'),
    ("never-true", f"{ERROR_SHARE} > 5", f"100 * {ERROR_SHARE} > 5"),
    ("never-true", "count(up == 1) == 0", "(count(up == 1) or vector(0)) == 0"),
    ("never-true", "0 > rate(x_total[5m])", "0 == rate(x_total[5m])"),
    (
        "never-true",
        '1 - rate(x_seconds_bucket{le="5.0"}[5m]) / ignoring (le) rate(x_seconds_count[5m]) > 1',
        '1 - rate(x_seconds_bucket{le="5.0"}[5m]) / ignoring (le) rate(x_seconds_count[5m]) > 0.1',
    ),
    ("never-true", "(x > bool 3) + (x offset 1m > bool 3) > 2", "(x > bool 3) + (x offset 1m > bool 3) >= 2"),
    ("never-true", "(up and on () y) > 1", "(up and on () y) < 1"),
    ("never-true", "(up or vector(1)) > 1", "(up or vector(2)) > 1"),
    ("never-true", f"{OUR_P99} == 60", f"{OUR_P99} == 30"),
    (
        "never-true",
        '(sum(rate(x_total[5m])) - sum(rate(x_total{ok="yes"}[5m]))) / sum(rate(x_total[5m])) > 1',
        '(sum(rate(x_total[5m])) - sum(rate(x_total{ok="yes"}[5m]))) / sum(rate(y_total[5m])) > 1',
    ),
    (
        "never-true",
        '(sum(rate(x_total{ok="no"}[5m])) or 0 * sum(rate(x_total[5m]))) / sum(rate(x_total[5m])) > 1.5',
        '(sum(rate(x_total{ok="no"}[5m])) or sum(rate(y_total[5m]))) / sum(rate(x_total[5m])) > 1.5',
    ),
    (
        "never-true",
        'sum by (a, b) (rate(x_total{ok="no"}[5m])) / on (a) group_left sum by (a) (rate(x_total[5m])) > 2',
        'sum by (a) (rate(x_total{ok="no"}[5m])) / on (a) group_right sum by (a, b) (rate(x_total[5m])) > 2',
    ),
    ("always-true", "avg by (job) (up) <= 1", "avg by (job) (up) < 1"),
    ("always-true", f"{ERROR_SHARE} >= 0", f"{ERROR_SHARE} > 0"),
    ("always-true", "rate(x_total[5m]) >= 0", "rate(x_total[5m]) >= 0 and y > 3"),
]


@pytest.mark.parametrize(("rule", "wrong", "right"), DEFECTS)
def test_a_seeded_defect_is_found_and_its_right_form_is_not_reported(
    rule: str, wrong: str, right: str
) -> None:
    (found,) = [finding for finding in lint_alert(wrong) if finding.level != "info"]
    assert (found.rule, found.where) == (rule, "team.rules.yml:4")
    assert found.message.startswith("Alert: ")
    assert found.hint
    assert [finding for finding in lint_alert(right) if finding.level != "info"] == []


def test_a_condition_that_cannot_hold_is_explained_by_the_values_that_there_can_be() -> None:
    said = {
        f"1 - {ERROR_SHARE} > 1": "a share of events goes from 0 to 1",
        f"100 * {ERROR_SHARE} > 120": "a share of events goes from 0 to 100",
        "rate(x_total[5m]) < 0": "growth of a counter is never below 0",
        "absent(up) == 0": "absent() or group(), where it answers at all, is 1",
    }
    for expr, why in said.items():
        (message,) = [found.message for found in lint_alert(expr) if found.level == "error"]
        assert message.endswith(why)


def test_an_alert_on_a_ratio_says_in_passing_that_it_has_no_minimum_of_traffic() -> None:
    (found,) = lint_alert(f"{ERROR_SHARE} > 0.05")
    assert (found.rule, found.level) == ("ratio-without-minimum", "info")
    assert lint_alert(f"{ERROR_SHARE} > 0.05 and sum(rate(http_requests_total[5m])) > 0") == [found]
    gate = "sum(increase(http_requests_total[5m])) > 100"
    assert lint_alert(f"{ERROR_SHARE} > 0.05 and {gate}") == []
    assert lint_alert(f"({gate} and 1 - {ERROR_SHARE} < 0.95)") == []
    assert [
        found.rule for found in lint_alert(f"({ERROR_SHARE} > 0.05 and {gate}) or {ERROR_SHARE} > 0.5")
    ] == ["ratio-without-minimum"]
    mean = "rate(x_seconds_sum[5m]) / rate(x_seconds_count[5m])"
    assert lint_alert(f"{mean} > 0.5") == []


def test_an_expression_is_judged_by_what_the_file_records_under_its_name() -> None:
    ratio = record("job:errors:share5m", ERROR_SHARE)
    assert [f.rule for f in lint(ratio, alert("job:errors:share5m > 14.4 * 0.07")) if f.level == "error"] == [
        "burn-threshold-unreachable"
    ]
    assert [f.rule for f in lint(ratio, alert("job:errors:share5m > 0.05"))] == ["ratio-without-minimum"]
    p99 = record("job:latency:p99", OUR_P99)
    assert [f.rule for f in lint(p99, alert("job:latency:p99 > 60"))] == ["quantile-threshold-out-of-reach"]
    total = record("requests_by_job", "sum by (job) (http_requests_total)")
    assert [f.rule for f in lint(total, alert("rate(requests_by_job[5m]) > 5"))] == ["rate-of-sum"]
    counts = record("errors_each_minute_total", "sum(increase(errors_total[1m]))")
    assert lint(counts, alert("errors_each_minute_total > 5")) == []
    rates = record("latency_rates", "sum by (le) (rate(x_seconds_bucket[5m]))")
    assert lint(rates, alert("histogram_quantile(0.99, latency_rates) > 5")) == []


def test_a_series_that_records_itself_is_no_endless_riddle() -> None:
    assert lint(record("a", "b + 1"), record("b", "a"), alert("a > 3 and b / a > 2")) == []


def test_the_buckets_of_someone_elses_metric_of_the_same_name_are_not_ours() -> None:
    theirs = OUR_P99.replace("_bucket[", '_bucket{handler="query"}[')
    assert lint_alert(f"{theirs} > 40") == []
    assert lint_alert(f"{OUR_P99.replace('(le)', '(le, handler)')} > 40") == []
    ours = OUR_P99.replace("_bucket[", '_bucket{job="orders-api", route="/orders"}[')
    assert [found.rule for found in lint_alert(f"{ours} > 40")] == ["quantile-threshold-out-of-reach"]


@pytest.mark.parametrize(
    "expr",
    [
        "vector(1)",
        'absent(up{job="x"} == 1)',
        "100 * (count by (job) (up == 0) / count by (job) (up)) > 10",
        "count(up) > 0",
        "min_over_time(up[5m]) == 0",
        "changes(process_start_time_seconds[10m]) > 4",
        "process_open_fds / process_max_fds > 0.8",
        "time() - max(backup_last_success_timestamp_seconds) > 86400",
        "x_started_total - x_finished_total > 100",
        "count(x_errors_total) > 3",
        "used_bytes_total / capacity > 0.9",
        'rate(x_total{job="a"}[5m]) / rate(x_total{job="a"}[5m] offset 1d) > 2',
        "rate(x_total[5m]) / rate(x_total[1h]) > 2",
        "sum by (a) (rate(x_total[5m])) / on (a) group_left sum by (a, b) (rate(x_total[5m])) > 2",
        'sum(rate(x_seconds_bucket{le=~"1|5"}[5m])) / sum(rate(x_seconds_count[5m])) > 1.5',
        "histogram_quantile(0.99, topk(5, rate(x_seconds_bucket[5m]))) > 5",
        "histogram_quantile(0.9, rate(x_seconds_bucket[5m]) and on (job) sum by (job) (x) > 5) > 5",
        'histogram_quantile(0.9, label_replace(sum by (b) (rate(x_bucket[5m])), "le", "$1", "b", "(.*)")) > 5',
        'rate(x_total{a="1" or b="2"}[5m]) / rate(x_total[5m]) > 2',
        "vector(1) < 2",
        "(up == 0) <= 1",
        "sum(up - 1) < -3",
        "job:errors_total > 5",
        "x_total / x_total offset 1d > 2",
        "increase(sum(rate(x_total[5m]))[1h:1m]) > 3",
        'rate(x_total{a="1"}[5m]) / rate(x_total[1h]) > 2',
        'sum(rate(x_total{a="1"}[5m])) / sum(rate(x_total{b="2"}[5m])) > 2',
        'sum(rate(x_total{a="1"}[5m])) / sum(rate(x_total[1h])) > 2',
        'sum(rate(x_total{c="3"}[5m])) / sum(rate(x_total{a="1" or b="2"}[5m])) > 2',
        "x > 0 / 0 * y",
        "x > 2 ^ 9999",
    ],
)
def test_sound_and_odd_expressions_give_neither_error_nor_warning(expr: str) -> None:
    assert [finding for finding in lint_alert(expr) if finding.level != "info"] == []


def test_an_alert_needs_a_severity_and_should_have_a_summary_and_a_runbook() -> None:
    bare = "- alert: Bare\n  expr: up == 0\n  labels: {severity: }\n"
    assert {(found.rule, found.level) for found in lint(bare)} == {
        ("alert-without-severity", "warning"),
        ("alert-without-summary", "info"),
        ("missing-runbook", "info"),
    }
    assert lint(record("job:up:sum", "sum by (job) (up)")) == []


def test_a_severity_that_the_group_gives_counts() -> None:
    text = "groups:\n- name: g\n  labels: {severity: page}\n  rules:\n" + alert("up == 0", labels="{}")
    assert lint_rules(text, FILE) == []


def test_a_rule_that_stands_twice_is_found_at_its_second_place() -> None:
    twice = lint(alert("up == 0"), alert("up == 0"))
    assert [(found.rule, found.where) for found in twice] == [("duplicate-rule", "team.rules.yml:8")]
    assert [found.rule for found in lint(record("a:b", "x"), record("a:b", "y"))] == ["duplicate-rule"]


def test_rules_of_one_name_that_differ_in_what_they_watch_are_no_duplicates() -> None:
    assert lint(alert("up == 0"), alert("up == 0", labels="{severity: critical}")) == []
    assert lint(alert("up == 0"), alert("x == 0")) == []
    assert lint(record("a:b", 'x{job="one"}'), record("a:b", 'x{job="two"}')) == []


def test_a_finding_that_an_expression_gives_twice_is_said_once() -> None:
    burn = f"{ERROR_SHARE} > 14.4 * 0.07"
    assert [f.rule for f in lint_alert(f"{burn} and {burn}") if f.level == "error"] == [
        "burn-threshold-unreachable"
    ]


def test_a_rule_of_the_prometheus_operator_is_read_too() -> None:
    text = "kind: PrometheusRule\nspec:\n  groups:\n  - name: g\n    rules:\n"
    (found,) = lint_rules(text + textwrap.indent(alert("up > 1"), "    "), FILE)
    assert (found.rule, found.where) == ("never-true", "team.rules.yml:6")


def test_rules_that_share_their_fields_by_yaml_merges_are_read_whole() -> None:
    base = "- &base\n" + textwrap.indent(alert("up == 0").replace("- ", "  ", 1), "")
    merged = "- <<: *base\n  alert: Other\n  expr: up > 1\n"
    assert [(found.rule, found.where) for found in lint(base, merged)] == [("never-true", "team.rules.yml:9")]


@pytest.mark.parametrize(
    ("text", "line", "said"),
    [
        ("", 1, "is no rule file"),
        ("just words", 1, "is no rule file"),
        ("- a\n- b\n", 1, "is no rule file"),
        ("scrape_configs: []\n", 1, "is no rule file"),
        ("spec: {replicas: 2}\n", 1, "is no rule file"),
        ("groups:\n  - name: [\n", 3, "is not YAML"),
        ("groups: \x00\n", 1, "is not YAML"),
        ("groups: []\n---\ngroups: []\n", 2, "is not YAML"),
        ("groups:\n- rules: !!python/name:os.system\n", 2, "is not YAML"),
        ("groups: words\n", 1, "must be a list"),
        ("groups:\n- rules: words\n", 2, "must be a list"),
        ("groups:\n- words\n", 2, "must be a mapping"),
        ("x: &x {rules: []}\ngroups:\n- <<: *x\n", 3, "from a merge"),
        ("groups:\n- rules:\n  - words\n", 3, "must be a mapping"),
        ("groups:\n- rules:\n  - expr: up\n", 3, "one of `alert:` and `record:`"),
        ("groups:\n- rules:\n  - {alert: A, record: b, expr: up}\n", 3, "one of `alert:` and `record:`"),
        ("groups:\n- rules:\n  - alert: A\n", 3, "has no `expr:`"),
        ("groups:\n- rules:\n  - alert: A\n    expr: up\n    expr: up\n", 5, "a second time"),
        ("groups:\n- rules:\n  - {alert: A, expr: up, labels: [x]}\n", 3, "must be names and texts"),
    ],
)
def test_what_is_no_rule_file_is_refused_with_its_line(text: str, line: int, said: str) -> None:
    with pytest.raises(UserError) as caught:
        lint_rules(text, FILE)
    assert said in str(caught.value)
    assert (caught.value.file, caught.value.line) == (FILE, line)


def test_a_file_without_rules_has_no_findings() -> None:
    assert lint_rules("groups:\n", FILE) == []
    assert lint_rules("groups: [{name: a}, {name: b, rules: }, {name: c, rules: []}]\n", FILE) == []


def test_each_rule_has_a_reason_and_a_seeded_defect() -> None:
    elsewhere = {
        "ratio-without-minimum",
        "alert-without-severity",
        "alert-without-summary",
        "missing-runbook",
    }
    assert set(RULES) == {rule for rule, _, _ in DEFECTS} | elsewhere | {"duplicate-rule"}
    assert all(why.endswith(".") and ". " not in why for why in RULES.values())


def test_the_rules_that_this_product_builds_have_neither_error_nor_warning() -> None:
    built = sorted((ROOT / "collector/prometheus/rules").glob("*.rules.yml"))
    assert built
    for path in built:
        found = lint_rules(path.read_text(), path)
        assert [finding for finding in found if finding.level != "info"] == []


@pytest.fixture(scope="session")
def public_rules() -> Path:
    """Thanos's own rule files, from its Go module, which `make public-rules` has fetched."""
    go = shutil.which("go")
    command = [go or "go", "mod", "download", "-json", "github.com/thanos-io/thanos"]
    folder = Path(__file__).parent / "public_rules"
    offline = {**os.environ, "GOPROXY": "off"}
    done = (
        subprocess.run(command, cwd=folder, env=offline, capture_output=True, timeout=120, check=False)
        if go
        else None
    )
    if done is None or done.returncode != 0:
        reason = "Thanos's rule files are not there: they need Go, and `make public-rules`"
        if os.environ.get("CI"):
            pytest.fail(reason)
        pytest.skip(reason)
    return Path(json.loads(done.stdout)["Dir"]) / "examples/alerts"


def test_of_well_made_public_rules_only_a_real_defect_is_reported(public_rules: Path) -> None:
    """ThanosBucketReplicateRunLatency does sum `_bucket` by job alone, so its quantile returns nothing."""
    found = [
        finding
        for name in ("alerts.yaml", "rules.yaml")
        for finding in lint_rules((public_rules / name).read_text(), Path(name))
    ]
    assert [f"{f.rule} {f.message.partition(':')[0]}" for f in found if f.level != "info"] == [
        "quantile-without-le ThanosBucketReplicateRunLatency"
    ]
    assert {finding.rule for finding in found if finding.level == "info"} == {"ratio-without-minimum"}

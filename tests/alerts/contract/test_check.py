"""Every seeded breach of the contract is found, and what is right beside it is left in peace."""

from __future__ import annotations

import json
import math
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orders_obs.alerts.catalogue import load
from orders_obs.alerts.contract.check import RULES, check
from orders_obs.alerts.contract.dashboards import dashboard_queries
from orders_obs.alerts.contract.known import library, read_also, well_known
from orders_obs.alerts.contract.model import Emitted, Query
from orders_obs.alerts.contract.sources import read_sources
from orders_obs.alerts.contract.thresholds import buckets_for, thresholds
from orders_obs.alerts.contract.used import catalogue_queries, rule_file_queries
from orders_obs.alerts.promql import parse
from orders_obs.errors import UserError
from orders_obs.findings import Finding
from orders_obs.signals.instruments import INSTRUMENTS

ROOT = Path(__file__).resolve().parents[3]

SHOP = """
from prometheus_client import Counter, Gauge, Histogram, Summary, Info, Enum
ORDERS = Counter("shop_orders", "Orders.", ["status", "route"])
ORDERS.labels("paid", route()).inc()
ORDERS.labels(status="failed", route=route()).inc()
OPEN = Gauge("shop_carts", "Carts.")
AGE = Gauge("shop_age_seconds", "Age.")
TIME = Histogram("shop_time_seconds", "Time.", ["route"], buckets=(0.1, 0.5, 1, 5))
SIZE = Summary("shop_size_bytes", "Size.")
BUILD = Info("shop_build", "Build.")
MODE = Enum("shop_mode", "Mode.", states=["open", "closed"])
"""


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> list[Emitted]:
    folder = tmp_path_factory.mktemp("shop")
    (folder / "shop.py").write_text(SHOP)
    return [*read_sources([folder]).emitted, *library(), *well_known()]


def query(expr: str, unit: str = "", records: str = "", labels: tuple[str, ...] = ()) -> Query:
    return Query("f.yml:1", "Alert", parse(expr), expr, "rules", unit, labels, records)


def found(emitted: list[Emitted], *queries: Query) -> list[Finding]:
    return [finding for finding in check(emitted, queries) if finding.rule != "emitted-never-used"]


BREACHES = [
    # rule, level, wrong, right
    ("metric-not-emitted", "error", "shop_order_total > 1", "shop_orders_total > 1"),
    ("metric-not-emitted", "error", "rate(shop_orders[5m])", "rate(shop_orders_total[5m])"),
    ("metric-not-emitted", "error", "process_cpu_second_total", "process_cpu_seconds_total"),
    ("metric-not-emitted", "info", "node_load1 > 4", "up == 0"),
    ("metric-not-emitted", "warning", '{__name__=~"shopping_.*"}', '{__name__=~"shop_.*"}'),
    ("label-not-emitted", "error", 'shop_orders_total{code="500"}', 'shop_orders_total{job="a",pod="b",route="c"}'),
    ("label-not-emitted", "error", 'shop_orders_total{code=~"5.."}', 'shop_orders_total{code=~".*"}'),
    ("label-not-emitted", "warning", 'shop_orders_total{code!="500"}', 'shop_orders_total{code=""}'),
    ("label-not-emitted", "error", 'shop_time_seconds_count{le="5.0"}', 'shop_time_seconds_bucket{le="5.0"}'),
    ("label-not-emitted", "warning", "sum by (code) (rate(shop_orders_total[5m]))", "sum by (route) (rate(shop_orders_total[5m]))"),
    ("label-not-emitted", "info", "sum without (code) (shop_carts)", "sum without (instance) (shop_carts)"),
    ("label-not-emitted", "warning", "shop_carts / on (code) up", "shop_carts / on (job, instance) up"),
    ("label-not-emitted", "warning", "max by (pod) (sum by (job) (shop_carts))", "max by (job) (sum by (job, pod) (shop_carts))"),
    ("label-not-emitted", "warning", 'sum by (x) (shop_carts)', 'sum by (x) (label_replace(shop_carts, "x", "$1", "job", "(.*)"))'),
    ("label-not-emitted", "warning", "sum by (v) (shop_carts)", "sum by (v) (shop_carts * on (job) group_left (v) target_info)"),
    ("label-not-emitted", "warning", "sum by (v) (count by (job) (up))", 'sum by (v) (count_values("v", shop_carts))'),
    ("label-not-emitted", "warning", "sum by (le) (shop_carts)", "sum by (le) (rate(shop_time_seconds_bucket[5m]))"),
    ("label-not-emitted", "warning", "sum by (le) (histogram_quantile(0.9, rate(shop_time_seconds_bucket[5m])))",
     "sum by (route) (histogram_quantile(0.9, rate(shop_time_seconds_bucket[5m])))"),
    ("label-value-not-emitted", "warning", 'shop_orders_total{status="payed"}', 'shop_orders_total{status="paid"}'),
    ("label-value-not-emitted", "warning", 'shop_orders_total{status=~"p"}', 'shop_orders_total{status=~"p.*"}'),
    ("label-value-not-emitted", "error", 'shop_mode{shop_mode="shut"}', 'shop_mode{shop_mode="closed"}'),
    ("label-value-not-emitted", "error", 'orders_created_total{status="ok"}', 'orders_created_total{status="success"}'),
    ("metric-type-mismatch", "error", "rate(shop_carts[5m])", "delta(shop_carts[5m])"),
    ("metric-type-mismatch", "warning", "deriv(shop_orders_total[5m])", "increase(shop_orders_total[5m])"),
    ("metric-type-mismatch", "error", "rate(shop_size_bytes_bucket[5m])", "rate(shop_size_bytes_sum[5m])"),
    ("metric-type-mismatch", "error", "shop_size_bytes", "shop_size_bytes_count"),
    ("metric-type-mismatch", "error", "rate(shop_carts_count[5m])", "shop_carts"),
    ("metric-type-mismatch", "error", "rate(shop_time_seconds[5m])", "rate(shop_time_seconds_count[5m])"),
    ("metric-type-mismatch", "error", "histogram_quantile(0.9, rate(shop_time_seconds_sum[5m]))",
     "histogram_quantile(0.9, sum by (le) (rate(shop_time_seconds_bucket[5m])))"),
    ("metric-type-mismatch", "error", "histogram_avg(rate(shop_time_seconds_bucket[5m]))",
     "rate(shop_time_seconds_sum[5m]) / rate(shop_time_seconds_count[5m])"),
    ("bucket-not-emitted", "error", 'shop_time_seconds_bucket{le="5"}', 'shop_time_seconds_bucket{le="5.0"}'),
    ("bucket-not-emitted", "error", 'shop_time_seconds_bucket{le="2.0"}', 'shop_time_seconds_bucket{le="+Inf"}'),
    ("bucket-not-emitted", "error", 'shop_time_seconds_bucket{le=~"2.*"}', 'shop_time_seconds_bucket{le=~"0.1|2.0"}'),
    ("bucket-not-emitted", "warning", "histogram_quantile(0.9, rate(shop_time_seconds_bucket[5m])) > 0.7",
     "histogram_quantile(0.9, rate(shop_time_seconds_bucket[5m])) > 0.5"),
    ("bucket-not-emitted", "error", "histogram_quantile(0.9, rate(shop_time_seconds_bucket[5m])) * 1000 > 8000",
     "histogram_quantile(0.9, rate(shop_time_seconds_bucket[5m])) * 1000 > 500"),
    ("unit-mismatch", "error", "histogram_quantile(0.9, rate(shop_time_seconds_bucket[5m])) > 500",
     "histogram_quantile(0.9, rate(shop_time_seconds_bucket[5m])) > 0.5"),
]  # fmt: skip


@pytest.mark.parametrize(("rule", "level", "wrong", "right"), BREACHES)
def test_a_breach_is_found_and_what_is_right_is_not(
    rule: str, level: str, wrong: str, right: str, shop: list[Emitted]
) -> None:
    others = [Emitted("target_info", "gauge", "otel", "file")]
    assert [(f.rule, f.level) for f in found([*shop, *others], query(wrong))] == [(rule, level)]
    assert found([*shop, *others], query(right)) == []


def test_every_rule_says_why_in_a_sentence() -> None:
    assert {rule for rule, *_ in BREACHES} <= RULES.keys()
    assert all(why.endswith(".") and len(why.split()) > 8 for why in RULES.values())


@pytest.mark.parametrize(
    ("wrong", "hint"),
    [
        ("shop_order_total", "shop_orders_total"),
        ("rate(shop_orders[5m])", "shop_orders_total"),
        ('shop_orders_total{stats="x"}', "did you mean status?"),
        ('shop_orders_total{status="payed"}', "paid, failed"),
        ('shop_time_seconds_bucket{le="5"}', 'le="5.0"'),
        ("histogram_quantile(0.9, rate(shop_time_seconds_bucket[5m])) > 500", "seconds that is 0.5"),
    ],
)
def test_the_remedy_names_what_would_be_right(wrong: str, hint: str, shop: list[Emitted]) -> None:
    (finding,) = found(shop, query(wrong))
    assert hint in finding.hint


@pytest.mark.parametrize(
    ("expr", "unit", "fits"),
    [
        ("histogram_quantile(0.9, rate(shop_time_seconds_bucket[5m]))", "ms", False),
        ("histogram_quantile(0.9, rate(shop_time_seconds_bucket[5m])) * 1000", "ms", True),
        ("histogram_quantile(0.9, rate(shop_time_seconds_bucket[5m]))", "s", True),
        ("max(shop_age_seconds)", "bytes", False),
        ("sum(rate(shop_time_seconds_sum[5m])) / sum(rate(shop_time_seconds_count[5m]))", "ms", False),
        ("time() - process_start_time_seconds", "dateTimeAsIso", True),
        ("rate(process_cpu_seconds_total[5m])", "percentunit", True),
    ],
)
def test_a_panel_shows_a_value_in_the_unit_that_it_is_measured_in(
    expr: str, unit: str, fits: bool, shop: list[Emitted]
) -> None:
    assert [f.rule for f in found(shop, query(expr, unit))] == ([] if fits else ["unit-mismatch"])


def test_what_a_rule_records_is_emitted_with_the_labels_that_it_keeps(shop: list[Emitted]) -> None:
    rule = query("sum by (job) (rate(shop_orders_total[5m]))", records="job:shop_orders:rate5m")
    assert found(shop, rule, query('job:shop_orders:rate5m{job="a"} > 1')) == []
    (finding,) = found(shop, rule, query('job:shop_orders:rate5m{route="a"} > 1'))
    assert finding.rule == "label-not-emitted"
    assert found(shop, query("job:shop_orders:rate5m > 1"))[0].rule == "metric-not-emitted"


def test_a_label_of_the_team_s_scrapes_is_there(shop: list[Emitted]) -> None:
    team = query('shop_carts{shard="a"}')
    assert [f.rule for f in found(shop, team)] == ["label-not-emitted"]
    assert not [f for f in check(shop, [team], target_labels=["shard"]) if f.level != "info"]


def test_a_metric_that_an_unread_declaration_may_be_is_no_error(tmp_path: Path) -> None:
    (tmp_path / "m.py").write_text(
        "import os\nfrom prometheus_client import Histogram\nH = Histogram(os.environ['P'] + '_wait_seconds', 'W.')\n"
    )
    source = read_sources([tmp_path])
    queries = [query("rate(shop_wait_seconds_bucket[5m])"), query("shop_weight_total")]
    levels = {f.rule: f.level for f in check(source.emitted, queries[:1], unread=source.unread)}
    assert levels == {"metric-not-emitted": "info", "declaration-not-read": "info"}
    assert "error" in {f.level for f in check(source.emitted, queries[1:], unread=source.unread)}


def test_what_nobody_uses_is_said_once_a_metric_and_the_library_s_in_one(shop: list[Emitted]) -> None:
    unused = [f for f in check(shop, [query("shop_carts")]) if f.rule == "emitted-never-used"]
    own = {f.message.split()[0] for f in unused if f.where != "orders_obs"}
    assert own == {
        "shop_orders_total", "shop_age_seconds", "shop_time_seconds", "shop_size_bytes", "shop_build_info", "shop_mode",
    }  # fmt: skip
    assert sum(f.where == "orders_obs" for f in unused) == 1
    assert {f.level for f in unused} == {"info"}
    by_pattern = check(shop, [query('{__name__=~"shop_.+"}')])
    assert [f.where for f in by_pattern] == ["orders_obs"]


@pytest.mark.parametrize(
    ("second", "said"),
    [
        ("Counter('a', 'A.', ['x'])", []),
        ("Counter('a', 'A.', ['y'])", ["warning"]),
        ("Gauge('a_total', 'A.', ['x'])", ["error"]),
        ("Gauge('a_created', 'A.')", ["error"]),
    ],
)
def test_two_declarations_of_one_name_must_agree(second: str, said: list[str], tmp_path: Path) -> None:
    (tmp_path / "one.py").write_text("from prometheus_client import Counter\nA = Counter('a', 'A.', ['x'])\n")
    (tmp_path / "two.py").write_text(f"from prometheus_client import Counter, Gauge\nB = {second}\n")
    twice = [f for f in check(read_sources([tmp_path]).emitted, []) if f.rule == "declared-twice"]
    assert [f.level for f in twice] == said
    assert all(f.where == f"{tmp_path / 'two.py'}:2" for f in twice)


def test_a_metric_of_the_application_stands_for_the_library_s_of_that_name(tmp_path: Path) -> None:
    text = "from prometheus_client import Counter\nA = Counter('http_requests', 'A.', ['path'])\n"
    (tmp_path / "m.py").write_text(text)
    emitted = [*read_sources([tmp_path]).emitted, *library()]
    expr = query('http_requests_total{path="/"}')
    assert [f.rule for f in check(emitted, [expr], uses_ours=False) if f.level != "info"] == []
    assert [f.rule for f in check(emitted, [expr]) if f.level != "info"] == ["declared-twice"]


def test_where_the_source_does_not_use_the_library_its_names_are_somebody_else_s(shop: list[Emitted]) -> None:
    theirs = query('rate(http_requests_total{code="500",handler="query"}[5m])')
    assert [f.rule for f in found(shop, theirs)] == ["label-not-emitted"] * 2
    others = check(shop, [theirs], uses_ours=False)
    assert {f.rule for f in others} == {"emitted-never-used"}
    assert not any(f.where == "orders_obs" for f in others)


# What is read


EXPOSITION = """\
# HELP jobs_total Jobs.
# TYPE jobs_total counter
jobs_total{queue="a"} 3
# TYPE wait_seconds histogram
wait_seconds_bucket{le="0.5"} 1
wait_seconds_bucket{le="+Inf"} 1
wait_seconds_sum 1
wait_seconds_count 1
# TYPE rpc_seconds summary
rpc_seconds{quantile="0.9"} 1
rpc_seconds_sum 1
rpc_seconds_count 1
# TYPE plain counter
plain 1
free 1
"""


def test_the_text_of_a_metrics_gives_types_labels_and_buckets(tmp_path: Path) -> None:
    (tmp_path / "metrics.txt").write_text(EXPOSITION)
    metrics = {m.name: m for m in read_also(tmp_path / "metrics.txt")}
    assert {(m.name, m.kind, m.labels, m.buckets) for m in metrics.values()} == {
        ("jobs_total", "counter", ("queue",), None),
        ("wait_seconds", "histogram", (), (0.5,)),
        ("rpc_seconds", "summary", ("quantile",), None),
        ("plain", "counter", (), None),
        ("free", "unknown", (), None),
    }
    assert set(metrics["rpc_seconds"].series) == {"rpc_seconds", "rpc_seconds_sum", "rpc_seconds_count"}
    assert metrics["jobs_total"].where.endswith("metrics.txt:1")


def test_a_list_of_names_says_that_they_are_there(tmp_path: Path) -> None:
    (tmp_path / "names.txt").write_text("# ours\nnode_load1\n\npg_locks_total\n")
    metrics = read_also(tmp_path / "names.txt")
    assert [(m.name, m.kind, m.labels) for m in metrics] == [
        ("node_load1", "unknown", None),
        ("pg_locks_total", "counter", None),
    ]
    assert found(metrics, query('rate(node_load1{mode="x"}[5m])')) == []


def test_a_file_that_is_neither_is_refused(tmp_path: Path) -> None:
    (tmp_path / "x").write_text("a b c {{{\n")
    with pytest.raises(UserError, match="neither a list of names"):
        read_also(tmp_path / "x")


def test_rules_of_a_file_are_read_with_their_lines(tmp_path: Path) -> None:
    path = tmp_path / "team.rules.yml"
    path.write_text(
        "groups:\n  - name: g\n    rules:\n      - record: a:b\n        expr: sum by (job) (up)\n"
        "      - alert: X\n        expr: |-\n          a:b\n          == 0\n      - alert: Y\n        expr: sum(\n"
    )
    used = rule_file_queries(path)
    assert [(q.name, q.where, q.records) for q in used.queries] == [
        ("a:b", f"{path}:4", "a:b"),
        ("X", f"{path}:6", ""),
    ]
    assert [(f.rule, f.level, f.where) for f in used.findings] == [("promql-invalid", "error", f"{path}:10")]


def test_the_catalogue_s_queries_stand_at_their_alert_s_line() -> None:
    queries = catalogue_queries(load(ROOT / "alerts")).queries
    assert {q.where.rpartition(":")[0] for q in queries} <= {
        *(str(path) for path in (ROOT / "alerts").glob("*.yaml")),
        *(f"package:{path.stem}" for path in (ROOT / "orders_obs/alerts/packages").glob("*.yaml")),
    }


def dashboard(tmp_path: Path, **content: object) -> Path:
    path = tmp_path / "d.json"
    path.write_text(json.dumps(content, indent=2))
    return path


PROMETHEUS = {"type": "prometheus", "uid": "${ds}"}


def panel(expr: str, source: object = PROMETHEUS, **more: object) -> dict[str, object]:
    return {"title": "P", "datasource": source, "targets": [{"refId": "A", "expr": expr}], **more}


@pytest.mark.parametrize(
    "expr",
    [
        'sum by ($group) (rate(shop_orders_total{job=~"$job", route=~"${route:regex}"}[$__rate_interval]))',
        "increase(shop_orders_total[$__range]) / $__range_s",
        "topk($n, sum by (route) (rate(shop_orders_total[$window])))",
        "shop_carts offset $ago > ${limit}",
        "rate(shop_orders_total[[[interval]]]) + rate(shop_orders_total[${__interval}])",
        'shop_carts{job="[[job]]"} # $comment with "a quote',
        "avg_over_time(shop_carts[$__range:$__interval])",
        "shop_${what}_total > 0",
        'shop_orders_total{route=~"/a$|/b$"}',
        "histogram_quantile($q, sum by (le) (rate(shop_time_seconds_bucket[5m])))",
    ],
)
def test_variables_and_macros_of_grafana_are_read(expr: str, tmp_path: Path, shop: list[Emitted]) -> None:
    used = dashboard_queries(dashboard(tmp_path, panels=[panel(expr)]))
    assert used.findings == []
    assert len(used.queries) == 1
    assert found(shop, *used.queries) == []


def test_rows_annotations_and_variables_are_read_with_their_lines(
    tmp_path: Path, shop: list[Emitted]
) -> None:
    path = dashboard(
        tmp_path,
        panels=[{"type": "row", "panels": [panel("shop_nested")]}],
        rows=[{"panels": [panel("shop_old", "Prometheus")]}],
        annotations={"list": [{"name": "N", "datasource": PROMETHEUS, "expr": "shop_note"}]},
        templating={
            "list": [
                {"name": "ds", "type": "datasource", "query": "prometheus"},
                {
                    "name": "a",
                    "type": "query",
                    "datasource": PROMETHEUS,
                    "query": "label_values(shop_carts, code)",
                },
                {
                    "name": "b",
                    "type": "query",
                    "datasource": PROMETHEUS,
                    "query": {"query": "query_result(shop_result)"},
                },
                {"name": "c", "type": "query", "datasource": PROMETHEUS, "query": "label_values(job)"},
                {
                    "name": "d",
                    "type": "query",
                    "datasource": PROMETHEUS,
                    "query": 'label_values(up{job=~"$a"}, job)',
                },
            ]
        },
    )
    used = dashboard_queries(path)
    findings = found(shop, *used.queries)
    assert [f.message.split()[2] for f in findings if f.rule == "metric-not-emitted"] == [
        "shop_old", "shop_nested", "shop_note", "shop_result",
    ]  # fmt: skip
    assert [f.message.split(":")[0] for f in findings if f.rule == "label-not-emitted"] == ["variable 'a'"]
    line = path.read_text().splitlines().index('              "expr": "shop_nested"') + 1
    assert f"{path}:{line}" in {f.where for f in findings}


@pytest.mark.parametrize(
    ("source", "level"),
    [(PROMETHEUS, "error"), ("Some source", "info"), ({"type": "loki", "uid": "x"}, None)],
)
def test_a_query_that_is_no_promql_is_said_where_it_ought_to_be(
    source: object, level: str | None, tmp_path: Path
) -> None:
    used = dashboard_queries(
        dashboard(
            tmp_path,
            panels=[panel('{app="x"} |= "error"', source)],
            templating={"list": [{"name": "ds", "type": "datasource", "query": "prometheus"}]},
        )
    )
    assert [(f.rule, f.level) for f in used.findings] == (
        [("dashboard-query-unparsable", level)] if level else []
    )


def test_a_folder_may_hold_other_json_but_a_named_file_must_be_a_dashboard(tmp_path: Path) -> None:
    (tmp_path / "package.json").write_text('{"name": "x"}')
    dashboard(tmp_path, panels=[panel("up")])
    assert len(dashboard_queries(tmp_path).queries) == 1
    with pytest.raises(UserError, match="no dashboard"):
        dashboard_queries(tmp_path / "package.json")


# Buckets


def test_thresholds_are_found_in_quantiles_recorded_series_and_bounds() -> None:
    queries = [
        query("histogram_quantile(0.9, sum by (le) (rate(a_seconds_bucket[5m])))", records="job:a:p90"),
        query("max_over_time(job:a:p90[10m]) * 1000 > 250"),
        query('sum(rate(a_seconds_bucket{le="2.0"}[5m])) / sum(rate(a_seconds_count[5m])) < 0.99'),
        query("1 < histogram_quantile(0.5, rate(b_bucket[5m]))"),
    ]
    assert sorted((t.histogram, t.bound) for t in thresholds(queries)) == [
        ("a_seconds", 0.25),
        ("a_seconds", 2.0),
        ("b", 1.0),
    ]


def test_buckets_are_readable_and_go_beyond_the_thresholds() -> None:
    assert buckets_for([1, 5]) == (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 25.0)
    assert buckets_for([0.3], existing=(0.1, 0.2, 1.0)) == (0.1, 0.2, 0.3, 0.5, 1.0)
    with pytest.raises(ValueError):
        buckets_for([])


@given(st.lists(st.floats(1e-6, 1e9), min_size=1, max_size=8), st.lists(st.floats(1e-6, 1e9), max_size=8))
def test_every_threshold_is_a_bucket_with_two_above_the_highest_and_some_below(
    bounds: list[float], existing: list[float]
) -> None:
    buckets = buckets_for(bounds, existing)
    assert set(bounds) | set(existing) <= set(buckets)
    assert list(buckets) == sorted(set(buckets))
    assert sum(bucket > max(bounds) for bucket in buckets) >= 2
    assert existing or sum(bucket < min(bounds) for bucket in buckets) >= 3


def test_the_thresholds_of_the_shipped_catalogue_are_buckets_of_our_histograms() -> None:
    asked = thresholds(catalogue_queries(load(ROOT / "alerts")).queries)
    assert {t.bound for t in asked if t.histogram == "http_request_duration_seconds"} >= {1.0, 5.0}
    for threshold in asked:
        buckets = INSTRUMENTS[threshold.histogram].buckets
        assert any(math.isclose(threshold.bound, bound) for bound in buckets), threshold
        assert sum(bound > threshold.bound for bound in buckets) >= 2, threshold


# This repository


def test_the_shipped_catalogue_and_dashboards_keep_the_contract() -> None:
    source = read_sources([ROOT / "examples", ROOT / "orders_obs"])
    used = catalogue_queries(load(ROOT / "alerts"))
    used.add(dashboard_queries(ROOT / "dashboards"))
    assert len(used.queries) > 50
    emitted = [*source.emitted, *library(source.calls), *well_known()]
    findings = [*source.findings, *used.findings, *check(emitted, used.queries, unread=source.unread)]
    assert [f for f in findings if f.level != "info"] == []

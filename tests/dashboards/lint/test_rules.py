"""Each rule sees its defect, and nothing else does: one place of a clean dashboard broken at a time."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from orders_obs.dashboards.lint.rules import NOT_READ, RULES, UID_TWICE, lint_dashboard
from tests.dashboards.judges import errors, schema

if TYPE_CHECKING:
    from collections.abc import Callable

ROOT = Path(__file__).resolve().parents[3]
JOB = 'job=~"$job", instance=~"$instance"'
RATE = "[$__rate_interval]"


def found(dashboard: dict[str, Any], **options: Any) -> list[tuple[str, str]]:
    return [(f.rule, f.level) for f in lint_dashboard(dashboard, "x.json", **options)]


def at(*path: Any, to: Any) -> Callable[[dict[str, Any]], None]:
    """Set a value; the path leads to it."""

    def change(dashboard: dict[str, Any]) -> None:
        place: Any = dashboard
        for part in path[:-1]:
            place = place[part]
        place[path[-1]] = to

    return change


def without(*path: Any) -> Callable[[dict[str, Any]], None]:
    def change(dashboard: dict[str, Any]) -> None:
        place: Any = dashboard
        for part in path[:-1]:
            place = place[part]
        del place[path[-1]]

    return change


def p(number: int, *path: Any, to: Any) -> Callable[[dict[str, Any]], None]:
    """Set a value in a panel."""
    return at("panels", number, *path, to=to)


def expr(text: str) -> Callable[[dict[str, Any]], None]:
    """The first panel's query."""
    return p(0, "targets", 0, "expr", to=text)


def both(*changes: Callable[[dict[str, Any]], object]) -> Callable[[dict[str, Any]], None]:
    def change(dashboard: dict[str, Any]) -> None:
        for one in changes:
            one(dashboard)

    return change


def add_panel(**changes: Any) -> Callable[[dict[str, Any]], None]:
    """One more panel, below the others, as wide as the grid."""

    def change(dashboard: dict[str, Any]) -> None:
        more = copy.deepcopy(dashboard["panels"][0])
        more |= {"id": 9, "title": "More", "gridPos": {"x": 0, "y": 24, "w": 24, "h": 8}} | changes
        dashboard["panels"].append(more)

    return change


def in_row(dashboard: dict[str, Any]) -> None:
    """Put the last panel into a row that is open."""
    row = {
        "id": 8,
        "type": "row",
        "title": "More",
        "collapsed": False,
        "gridPos": {"x": 0, "y": 23, "w": 24, "h": 1},
    }
    dashboard["panels"].append(row | {"panels": [dashboard["panels"].pop()]})


STEPS = ("fieldConfig", "defaults", "thresholds", "steps")
OVERRIDE = ("fieldConfig", "overrides", 0)
VARIABLE = ("templating", "list", 4)
BUCKET = "http_request_duration_seconds_bucket"


def share(part: str = 'http_requests_total{status=~"5.."}', total: str = "http_requests_total") -> str:
    """A share of events by route, from 0 to 1."""
    one, other = (
        f"sum by (route) (rate({name.rstrip('}')}{',' if '{' in name else '{'}{JOB}}}{RATE}))"
        for name in (part, total)
    )
    return f"{one} / {other}"


WRONG_SCALE = [
    ("percent", share()),
    ("percent", share("errors_total")),
    ("percent", f"1 - {share()}"),
    ("percent", f"max by (route) ({share()}) > 0.01"),
    ("percent", f"avg by (job) (up{{{JOB}}})"),
    ("percent", f"process_open_fds{{{JOB}}} / process_max_fds{{{JOB}}}"),
    ("percentunit", f"100 * ({share()})"),
    ("percentunit", f"100 * {share()}"),
    ("percentunit", f"100 - 100 * ({share()})"),
    ("percentunit", f"avg by (job) (process_open_fds{{{JOB}}} / process_max_fds{{{JOB}}} * 100)"),
]


def heatmap(form: str) -> Callable[[dict[str, Any]], None]:
    """The second panel as a heat map of the buckets."""
    buckets = f"sum by (le) (increase({BUCKET}{{{JOB}}}{RATE}))"
    return both(
        p(1, "type", to="heatmap"),
        p(1, "options", to={"calculate": False}),
        p(1, "fieldConfig", "defaults", "custom", to={}),
        p(1, "targets", 0, "expr", to=buckets),
        p(1, "targets", 0, "format", to=form),
    )


DEFECTS: list[tuple[str, str, Callable[[dict[str, Any]], object]]] = [
    ("dashboard-without-title", "error", at("title", to=" ")),
    ("uid-invalid", "error", at("uid", to="orders dashboard")),
    ("uid-invalid", "error", at("uid", to="x" * 41)),
    ("uid-missing", "info", without("uid")),
    ("instance-id", "info", at("id", to=17)),
    ("schema-version", "info", at("schemaVersion", to=27)),
    ("schema-version", "info", at("schemaVersion", to=99)),
    ("schema-version", "warning", without("schemaVersion")),
    ("export-inputs", "info", at("__inputs", to=[{"name": "DS_X", "type": "datasource", "pluginId": "prometheus"}])),
    ("key-unknown", "warning", p(0, "fieldConfigs", to={})),
    ("key-unknown", "info", p(0, "wobble", to=1)),
    ("key-unknown", "warning", p(0, "options", "legend", "showlegends", to=True)),
    ("key-legacy", "info", p(0, "aliasColors", to={})),
    ("type-wrong", "error", p(0, "fieldConfig", "defaults", "decimals", to="2")),
    ("type-wrong", "error", p(0, "options", "legend", "placement", to="left")),
    ("type-wrong", "error", p(0, "gridPos", "h", to=7.5)),
    ("type-wrong", "error", p(0, "targets", 0, "range", to="yes")),
    ("type-wrong", "error", at("tags", to="orders")),
    ("angular-panel", "error", add_panel(type="flant-statusmap-panel", fieldConfig={}, options={})),
    ("angular-panel", "info", add_panel(type="graph", fieldConfig={}, options={}, yaxes=[{"format": "s"}])),
    ("legacy-alert", "warning", p(0, "alert", to={"name": "x"})),
    ("duplicate-panel-id", "error", p(1, "id", to=1)),
    ("duplicate-ref-id", "error", lambda d: d["panels"][0]["targets"].append(d["panels"][0]["targets"][0])),
    ("grid-missing", "warning", both(add_panel(), without("panels", -1, "gridPos"))),
    ("grid-outside", "warning", add_panel(gridPos={"x": 0, "y": 24, "w": 25, "h": 8})),
    ("grid-outside", "warning", add_panel(gridPos={"x": 0, "y": 24, "w": 0, "h": 8})),
    ("grid-overlap", "warning", add_panel(gridPos={"x": 0, "y": 23, "w": 12, "h": 8})),
    ("grid-gap", "info", add_panel(gridPos={"x": 0, "y": 24, "w": 8, "h": 8})),
    ("title-missing", "info", p(0, "title", to="")),
    ("description-missing", "info", without("panels", 0, "description")),
    ("unit-missing", "info", without("panels", 1, "fieldConfig", "defaults", "unit")),
    ("unit-unknown", "warning", p(1, "fieldConfig", "defaults", "unit", to="percentunits")),
    ("unit-unknown", "warning", p(1, "fieldConfig", "defaults", "unit", to="seconds")),
    ("unit-unknown", "info", p(1, "fieldConfig", "defaults", "unit", to="kittens")),
    ("targets-missing", "warning", add_panel(targets=[])),
    ("targets-missing", "warning", p(0, "targets", 0, "hide", to=True)),
    ("targets-missing", "warning", expr(" ")),
    ("targets-missing", "warning", p(3, "targets", 0, "expr", to="")),
    ("datasource-missing", "info", lambda d: (d["panels"][0].pop("datasource"), d["panels"][0]["targets"][0].pop("datasource"))),
    ("datasource-missing", "error", lambda d: (d["panels"][0].update(datasource={"type": "mixed", "uid": "-- Mixed --"}), d["panels"][0]["targets"][0].pop("datasource"))),
    ("datasource-hard-wired", "info", p(0, "datasource", to={"type": "prometheus", "uid": "PBFA97"})),
    ("threshold-first-not-null", "warning", p(0, *STEPS, 0, "value", to=0.5)),
    ("thresholds-unordered", "warning", p(0, *STEPS, 1, "value", to=9)),
    ("thresholds-unordered", "warning", p(0, *STEPS, 2, "value", to=None)),
    ("reducer-unknown", "warning", p(0, "options", "legend", "calcs", to=["average"])),
    ("reducer-unknown", "warning", p(2, "options", "reduceOptions", "calcs", to=["p100"])),
    ("reducer-missing", "info", p(2, "options", "reduceOptions", "calcs", to=[])),
    ("override-matcher-unknown", "warning", p(0, *OVERRIDE, "matcher", "id", to="byTitle")),
    ("override-property-unknown", "warning", p(0, *OVERRIDE, "properties", 0, "id", to="custom.linewidths")),
    ("override-property-unknown", "warning", p(0, *OVERRIDE, "properties", 1, "id", to="units")),
    ("transformation-unknown", "warning", p(0, "transformations", 0, "id", to="organise")),
    ("panels-in-open-row", "warning", both(add_panel(), in_row)),
    ("variable-undefined", "error", expr(f"sum by (route) (rate(http_requests_total{{{JOB}, route=\"$route\"}}{RATE}))")),
    ("variable-undefined", "error", p(0, "repeat", to="route")),
    ("global-variable-unknown", "error", expr(f"sum by (route) (rate(http_requests_total{{{JOB}}}[$__rate_intervall]))")),
    ("global-variable-unknown", "error", p(3, "targets", 0, "expr", to='{app="orders"} |= "$__autoo"')),
    ("variable-undefined", "error", p(0, "datasource", "uid", to="${prometheus}")),
    ("variable-undefined", "error", at("annotations", "list", to=[{"name": "Deploys", "enable": True, "iconColor": "red", "datasource": {"type": "prometheus", "uid": "${nowhere}"}, "expr": "up"}])),
    ("variable-unused", "info", lambda d: d["templating"]["list"].append({"name": "idle", "type": "textbox", "query": "x"})),
    ("variable-duplicate", "error", lambda d: d["templating"]["list"].append(d["templating"]["list"][3])),
    ("variable-query-broken", "error", at(*VARIABLE, "query", "query", to='label_values(http_requests_total{job=~"$job", instance)')),
    ("variable-query-broken", "error", at(*VARIABLE, "query", "query", to='label_values(sum(http_requests_total, instance)')),
    ("variable-query-broken", "error", at(*VARIABLE, "query", to="")),
    ("variable-regex-broken", "error", at(*VARIABLE, "regex", to="/(.+)")),
    ("variable-cycle", "error", at(*VARIABLE, "query", "query", to='label_values(up{instance=~"$instance"}, instance)')),
    ("variable-never-refreshed", "warning", without(*VARIABLE, "refresh")),
    ("variable-never-refreshed", "info", at(*VARIABLE, "refresh", to=1)),
    ("variable-equals-several", "warning", expr(f'sum by (route) (rate(http_requests_total{{job="$job", instance=~"$instance"}}{RATE}))')),
    ("variable-equals-several", "warning", p(3, "targets", 0, "expr", to='{app="$job"} |= "error"')),
    ("matcher-missing", "info", expr(f'sum by (route) (rate(http_requests_total{{job=~"$job"}}{RATE}))')),
    ("time-missing", "info", without("time")),
    ("time-invalid", "error", at("time", "from", to="an hour ago")),
    ("refresh-invalid", "error", at("refresh", to="often")),
    ("refresh-too-fast", "warning", at("refresh", to="1s")),
    ("timezone-unknown", "warning", at("timezone", to="Europe/Bonn")),
    ("dashboard-editable", "info", at("editable", to=True)),
    ("link-broken", "warning", lambda d: d["links"].append({"title": "Other", "type": "link", "url": ""})),
    ("link-http", "info", p(0, "links", 0, "url", to="http://example.com/guide")),
    ("link-same-tab", "info", p(0, "links", 0, "targetBlank", to=False)),
    ("secret-in-text", "error", p(0, "description", to="ask with Authorization: Bearer glsa_0123456789abcdefghijKLMN")),
    ("promql-invalid", "error", expr(f"sum by (route) (rate(http_requests_total{{{JOB}}}{RATE})")),
    ("rate-window-fixed", "warning", expr(f"sum by (route) (rate(http_requests_total{{{JOB}}}[5m]))")),
    ("rate-window-fixed", "info", expr(f"sum by (route) (rate(http_requests_total{{{JOB}}}[6h]))")),
    ("rate-over-interval", "warning", expr(f"sum by (route) (rate(http_requests_total{{{JOB}}}[$__interval]))")),
    ("irate-on-graph", "info", expr(f"sum by (route) (irate(http_requests_total{{{JOB}}}{RATE}))")),
    ("counter-shown", "warning", expr(f"sum by (route) (http_requests_total{{{JOB}}})")),
    ("rate-of-gauge", "warning", expr(f"sum by (route) (rate(node_load1{{{JOB}}}{RATE}))")),
    ("rate-of-sum", "error", expr(f"rate(sum by (route) (http_requests_total{{{JOB}}}){RATE[:-1]}:])")),
    ("quantile-without-le", "error", expr(f"histogram_quantile(0.9, sum by (route) (rate({BUCKET}{{{JOB}}}{RATE})))")),
    ("quantile-of-raw-histogram", "error", expr(f"histogram_quantile(0.9, sum by (le) ({BUCKET}{{{JOB}}}))")),
    ("quantile-out-of-range", "error", expr(f"histogram_quantile(95, sum by (le, route) (rate({BUCKET}{{{JOB}}}{RATE})))")),
    ("quantile-of-average", "warning", expr(f"histogram_quantile(0.9, max by (le, route) (rate({BUCKET}{{{JOB}}}{RATE})))")),
    ("quantile-averaged", "warning", expr(f"avg by (route) (histogram_quantile(0.9, sum by (le, route) (rate({BUCKET}{{{JOB}}}{RATE}))))")),
    ("quantile-averaged", "info", expr(f'avg by (route) (rpc_duration_seconds{{{JOB}, quantile="0.9"}})')),
    ("ratio-averaged", "info", expr(f"avg by (route) (rate(a_total{{{JOB}}}{RATE}) / rate(b_total{{{JOB}}}{RATE}))")),
    ("ratio-of-unaggregated", "error", expr(f'rate(a_total{{{JOB}, code="500"}}{RATE}) / rate(a_total{{{JOB}}}{RATE})')),
    *(
        ("sides-never-match", "error", expr(f"{one} / {other}"))
        for one, other in (
            (f"rate(errors_total{{{JOB}}}{RATE})", f"sum(rate(http_requests_total{{{JOB}}}{RATE}))"),
            (f"sum(rate(errors_total{{{JOB}}}{RATE}))", f"rate(http_requests_total{{{JOB}}}{RATE})"),
            (f"100 * rate(errors_total{{{JOB}}}{RATE})", f"sum by (job) (rate(http_requests_total{{{JOB}}}{RATE}))"),
        )
    ),
    *(("unit-scale", "warning", both(expr(text), p(0, "fieldConfig", "overrides", to=[]), p(0, "fieldConfig", "defaults", "unit", to=unit))) for unit, text in WRONG_SCALE),
    ("heatmap-format", "warning", heatmap("time_series")),
    *(
        ("counter-as-gauge", "warning", expr(f"sum by (route) ({function}(http_requests_total{{{JOB}}}{RATE}))"))
        for function in ("delta", "idelta", "deriv", "sum_over_time")
    ),
    ("link-forgets-choices", "info", at("links", to=[{"title": "Others", "type": "dashboards", "tags": ["a"], "keepTime": False, "includeVars": False}])),
    ("sides-never-match", "error", expr(f"sum by (route) (rate(a_total{{{JOB}}}{RATE})) / sum by (code) (rate(a_total{{{JOB}}}{RATE}))")),
    ("instant-on-graph", "warning", lambda d: d["panels"][0]["targets"][0].update(instant=True, range=False)),
    ("exemplar-without-histogram", "info", both(expr(f"sum by (route) (queue_length{{{JOB}}})"), p(0, "targets", 0, "exemplar", to=True))),
    ("legend-missing", "info", both(expr(f"sum(rate(a_total{{{JOB}}}{RATE}))"), p(0, "targets", 0, "legendFormat", to="__auto"))),
    ("logql-invalid", "error", p(3, "targets", 0, "expr", to='{app="orders" |= "error"')),
    ("logql-invalid", "error", p(3, "targets", 0, "expr", to='{app=~".*"} |= "error"')),
    ("logql-invalid", "error", p(3, "targets", 0, "expr", to='app="orders"')),
    ("logql-shape", "warning", p(3, "targets", 0, "expr", to='sum(count_over_time({app="orders"}[$__auto]))')),
    ("logql-window-fixed", "info", both(p(3, "type", to="timeseries"), p(3, "targets", 0, "expr", to='sum(count_over_time({app="orders"}[5m]))'))),
    ("cloudwatch-metric-unknown", "error", p(4, "targets", 0, "metricName", to="Errors")),
    ("cloudwatch-dimensions-unknown", "error", p(4, "targets", 0, "dimensions", to={"LoadBalancer": ["app/orders/0123456789abcdef"], "Cluster": ["x"]})),
    ("cloudwatch-dimension-value", "error", p(4, "targets", 0, "dimensions", to={"LoadBalancer": ["orders"]})),
    ("cloudwatch-statistic", "error", p(4, "targets", 0, "statistic", to="Average")),
    ("cloudwatch-id-invalid", "error", p(4, "targets", 2, "id", to="Share")),
    ("cloudwatch-id-unknown", "error", p(4, "targets", 2, "expression", to="errors / request")),
    ("cloudwatch-log-group-missing", "error", p(5, "targets", 0, "logGroups", to=[])),
]  # fmt: skip
# These take a dashboard that is broken as a whole; each has a test of its own below.
ELSEWHERE = {"dashboard-without-panels", "job-variable-missing", "panel-type-unknown", NOT_READ, UID_TWICE}


def test_nothing_is_said_of_the_clean_dashboard(good: dict[str, Any]) -> None:
    assert lint_dashboard(good, "x.json") == []


@pytest.mark.parametrize(
    ("rule", "level", "change"),
    DEFECTS,
    ids=[f"{rule}-{index}" for index, (rule, _, _) in enumerate(DEFECTS)],
)
def test_each_defect_gives_exactly_its_finding(
    good: dict[str, Any], rule: str, level: str, change: Callable[[dict[str, Any]], object]
) -> None:
    change(good)
    assert found(json.loads(json.dumps(good))) == [(rule, level)]


def test_each_rule_has_a_defect_and_a_reason_of_one_sentence() -> None:
    assert {rule for rule, _, _ in DEFECTS} | ELSEWHERE == RULES.keys()
    assert all(why.endswith(".") and ". " not in why for why in RULES.values())


@pytest.mark.parametrize("change", [change for rule, _, change in DEFECTS if rule == "type-wrong"])
def test_grafanas_own_schema_refuses_what_is_said_to_be_of_a_wrong_type(
    good: dict[str, Any], schemas: Path, change: Callable[[dict[str, Any]], object]
) -> None:
    def refusals(dashboard: dict[str, Any]) -> int:
        panel = dashboard["panels"][0]
        return sum(
            len(errors(content, schema(schemas, name, definition)))
            for content, name, definition in (
                (dashboard, "dashboard", None),
                (panel, "dashboard", "Panel"),
                (panel["options"], "timeseries", "Options"),
                (panel["targets"][0], "prometheus", "Dataquery"),
            )
        )

    before = refusals(good)
    change(good)
    assert refusals(good) > before


def test_the_documentation_has_each_rule_with_its_level_and_reason() -> None:
    text = (ROOT / "docs/dashboard-lint.md").read_text()
    for name, why in RULES.items():
        assert f"| `{name}` | " in text, name
        assert f"| {why} |" in text, name


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("$__rate_intervall", "$__rate_interval"),
        ("${__rate_interva}", "$__rate_interval"),
        ("[[__intervall]]", "$__interval"),
        ("$__rate", "$__rate_interval"),
        ("$__foo", ""),
    ],
)
def test_a_mistyped_global_variable_is_an_error_with_what_was_meant(
    good: dict[str, Any], written: str, meant: str
) -> None:
    expr(f"sum by (route) (rate(http_requests_total{{{JOB}}}[{written}]))")(good)
    (finding,) = (f for f in lint_dashboard(good, "x.json") if f.rule == "global-variable-unknown")
    assert finding.level == "error"
    assert (f"did you mean {meant}?" in finding.hint) == bool(meant)


@pytest.mark.parametrize(
    "written", ["$__interval", "${__range_s}s", "${__rate_interval_ms}ms", "$__auto", "[[__range]]"]
)
def test_a_global_variable_of_grafana_is_no_mistake(good: dict[str, Any], written: str) -> None:
    expr(f"sum by (route) (rate(http_requests_total{{{JOB}}}[{written}]))")(good)
    assert "global-variable-unknown" not in dict(found(good))


def test_macros_of_a_data_source_that_is_not_judged_are_its_own(good: dict[str, Any]) -> None:
    good["panels"][0]["targets"][0] = {
        "refId": "A", "rawSql": "SELECT 1 WHERE $__timeGroupAlias(at, 1m) AND $__unixEpochFilter(at)",
        "datasource": {"type": "mysql", "uid": "${datasource}"},
    }  # fmt: skip
    assert "global-variable-unknown" not in dict(found(good))


@pytest.mark.parametrize(
    ("kind", "level", "hint"),
    [
        ("timeserie", "error", "did you mean timeseries?"),
        ("timeseries-panel", "error", "did you mean timeseries?"),
        ("nonsense", "error", "timeseries, stat, table, …"),
        ("vendor-thing-panel", "info", "say where the dashboard is published that it needs the plugin"),
    ],
)
def test_a_panel_that_grafana_does_not_bring_is_told_from_a_plugin(
    good: dict[str, Any], kind: str, level: str, hint: str
) -> None:
    good["panels"][0]["type"] = kind
    (finding,) = (f for f in lint_dashboard(good, "x.json") if f.rule == "panel-type-unknown")
    assert (finding.level, finding.hint) == (level, hint)


@pytest.mark.parametrize("target", [{"expr": ""}, {"expr": "  "}, {}])
def test_a_query_that_asks_nothing_leaves_its_panel_empty(
    good: dict[str, Any], target: dict[str, Any]
) -> None:
    source = good["panels"][0]["datasource"]
    good["panels"][0]["targets"] = [{"refId": "A", "datasource": source, **target}]
    assert ("targets-missing", "warning") in found(good)


def test_that_a_dashboard_can_be_edited_is_said_with_what_publish_does(good: dict[str, Any]) -> None:
    good["editable"] = True
    (finding,) = lint_dashboard(good, "x.json")
    assert "overwrites" not in finding.message
    assert "refuses" in finding.message

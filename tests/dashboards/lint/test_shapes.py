"""Shapes of dashboards that are in use and well: of each the lint says nothing above info."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orders_obs.dashboards.lint.rules import NOT_READ, RULES, lint_dashboard
from tests.dashboards.lint.conftest import clean

if TYPE_CHECKING:
    from collections.abc import Callable

ROOT = Path(__file__).resolve().parents[3]
PROMETHEUS = {"type": "prometheus", "uid": "${datasource}"}


def above_info(dashboard: Any, **options: Any) -> list[str]:
    return [
        f"{f.rule}: {f.message}" for f in lint_dashboard(dashboard, "x.json", **options) if f.level != "info"
    ]


def query(text: str, **more: Any) -> Callable[[dict[str, Any]], object]:
    return lambda d: d["panels"][0]["targets"][0].update(expr=text, **more)


def variable(**values: Any) -> Callable[[dict[str, Any]], object]:
    """A variable that the first panel uses."""

    def change(dashboard: dict[str, Any]) -> None:
        dashboard["templating"]["list"].append({"name": "x", **values})
        dashboard["panels"][0]["targets"][0]["expr"] = (
            'sum by (route) (rate(http_requests_total{route=~"$x"}[$__rate_interval]))'
        )

    return change


RATE = "[$__rate_interval]"
SHARE = f'sum by (route) (rate(a_total{{code="500"}}{RATE})) / sum by (route) (rate(a_total{RATE}))'


def unit(name: str) -> Callable[[dict[str, Any]], object]:
    """The first panel's unit, of each of its columns."""
    return lambda d: d["panels"][0]["fieldConfig"].update(
        overrides=[], defaults=d["panels"][0]["fieldConfig"]["defaults"] | {"unit": name}
    )


SHAPES: dict[str, Callable[[dict[str, Any]], object]] = {
    "a macro as window": query(f"sum by (route) (rate(a_total{RATE}))"),
    "the whole range as window": query("sum by (route) (increase(a_total[$__range]))"),
    "seconds of the range as window": query("sum by (route) (increase(a_total[${__range_s}s]))"),
    "a chosen window": lambda d: (variable(type="interval", query="1m,5m")(d), query("sum by (route) (rate(a_total[$x]))")(d)),
    "a chosen window in brackets": lambda d: (variable(type="custom", query="1,5")(d), query("sum by (route) (rate(a_total[[[x]]m]))")(d)),
    "a number of minutes as window": lambda d: (variable(type="custom", query="1,5")(d), query("sum by (route) (rate(a_total[${x}m]))")(d)),
    "a unit as window": lambda d: (variable(type="custom", query="m,h")(d), query("sum by (route) (rate(a_total[5$x]))")(d)),
    "milliseconds of the range as window": query("sum by (route) (increase(a_total[${__range_ms}ms]))"),
    "a variable as metric": lambda d: (variable(type="custom", query="a,b")(d), query("sum by (route) (rate($x[5m:1m]))")(d)),
    "a variable as label": lambda d: (variable(type="custom", query="a,b")(d), query(f"sum by ($x) (rate(a_total{RATE}))")(d)),
    "a variable as number": lambda d: (variable(type="textbox", query="5")(d), query(f"topk($x, sum by (route) (rate(a_total{RATE})))")(d)),
    "a variable as function": lambda d: (variable(type="custom", query="sum,max")(d), query(f"$x by (route) (rate(a_total{RATE}))")(d)),
    "a variable as the whole query": lambda d: (variable(type="textbox", query="up")(d), query("${x:raw}")(d)),
    "a variable in its oldest spelling": lambda d: (variable(type="custom", query="a")(d), query(f'sum by (route) (rate(a_total{{a=~"[[x:regex]]"}}{RATE}))')(d)),
    "a group of a regular expression": query(f'label_replace(sum by (route) (rate(a_total{RATE})), "r", "$1-${{2}}", "route", "(.*)/(.*)")'),
    "a regular expression that ends": query(f'sum by (route) (rate(a_total{{code=~"5..$|^4"}}{RATE}))'),
    "a comment": query(f"# all\nsum by (route) (rate(a_total{RATE})) # by route"),
    "a counter counted": query("count by (route) (a_total)"),
    "the difference of two counters": query("sum by (route) (a_opened_total) - sum by (route) (a_closed_total)"),
    "buckets of VictoriaMetrics": query(f"histogram_quantile(0.9, sum by (vmrange) (rate(a_bucket{RATE})))"),
    "words of MetricsQL": query(f"topk_last(5, sum by (route) (rate(a_total{RATE})))"),
    "a native histogram": query(f"histogram_quantile(0.9, sum by (route) (rate(a{RATE})))"),
    "a share of one metric": query(f'sum by (route) (rate(a_total{{code="500"}}{RATE})) / sum by (route) (rate(a_total{RATE}))'),
    "a fixed window of an instant query": lambda d: d["panels"][2]["targets"][0].update(expr="sum(rate(a_total[5m]))"),
    "a hidden query of one moment": lambda d: d["panels"][0]["targets"].append(d["panels"][0]["targets"][0] | {"refId": "B", "expr": "up", "instant": True, "range": False, "hide": True}),
    "a data source by name": lambda d: d["panels"][0].update(datasource="Prometheus"),
    "the default data source": lambda d: d["panels"][0].update(datasource=None),
    "a data source without its type": lambda d: d["panels"][0].update(datasource={"uid": "$datasource"}),
    "mixed data sources": lambda d: d["panels"][0].update(datasource={"type": "datasource", "uid": "-- Mixed --"}),
    "the data of another panel": lambda d: d["panels"][0].update(datasource={"type": "datasource", "uid": "-- Dashboard --"}, targets=[{"panelId": 2, "refId": "A"}]),
    "Grafana's own data source": lambda d: d["panels"][0].update(datasource={"type": "datasource", "uid": "grafana"}, targets=[{"queryType": "randomWalk", "refId": "A"}]),
    "an input of an export": lambda d: (d.update(__inputs=[{"name": "DS_X", "type": "datasource", "pluginId": "prometheus"}]), d["panels"][0].update(datasource={"type": "prometheus", "uid": "${DS_X}"})),
    "a library panel": lambda d: d["panels"].__setitem__(0, {"id": 1, "gridPos": d["panels"][0]["gridPos"], "libraryPanel": {"uid": "x", "name": "Requests"}}),
    "a repeated panel": lambda d: (d["panels"][0].update(repeat="route", repeatDirection="h", maxPerRow=4), d["templating"]["list"].append({"name": "route", "type": "custom", "query": "a,b"})),
    "a collapsed row": lambda d: d["panels"].append({"id": 20, "type": "row", "title": "More", "collapsed": True, "gridPos": {"x": 0, "y": 24, "w": 24, "h": 1}, "panels": [d["panels"].pop()]}),
    "an open row": lambda d: d["panels"].append({"id": 20, "type": "row", "title": "More", "collapsed": False, "gridPos": {"x": 0, "y": 24, "w": 24, "h": 1}, "panels": []}),
    "a text": lambda d: d["panels"].append({"id": 21, "type": "text", "title": "", "gridPos": {"x": 0, "y": 24, "w": 24, "h": 4}, "options": {"mode": "markdown", "content": "costs $5, or $PATH"}}),
    "a panel of a plugin": lambda d: d["panels"][0].update(type="marcusolsson-treemap-panel", options={"tiling": "x"}),
    "a base of zero": lambda d: d["panels"][0]["fieldConfig"]["defaults"]["thresholds"]["steps"][0].update(value=0),
    "a unit of one's own": lambda d: d["panels"][0]["fieldConfig"]["defaults"].update(unit="suffix: orders"),
    "no refresh": lambda d: d.update(refresh=False),
    "no zone": lambda d: d.update(timezone=""),
    "a zone": lambda d: d.update(timezone="Europe/Berlin"),
    "a day": lambda d: d.update(time={"from": "now/d", "to": "now/d"}),
    "a moment": lambda d: d.update(time={"from": "2026-01-01T00:00:00.000Z", "to": "2026-01-02T00:00:00.000Z"}),
    "a label called token": query(f'sum by (route) (rate(a_total{{token="refresh",secret!~"none.*"}}{RATE}))'),
    "a token that is a variable": lambda d: d["panels"][0]["links"][0].update(url="https://example.com/?token=${__user.id}"),
    "ad hoc filters": lambda d: d["templating"]["list"].append({"name": "filters", "type": "adhoc", "datasource": PROMETHEUS, "filters": []}),
    "a constant": variable(type="constant", query="/.*"),
    "a choice": variable(type="custom", query="GET, POST", multi=True, includeAll=True),
    "an interval": variable(type="interval", query="1m,5m", auto=True, auto_count=30, auto_min="10s"),
    "a switch": variable(type="switch", query="a"),
    "labels of all metrics": variable(type="query", datasource=PROMETHEUS, query="label_values(route)", refresh=2),
    "names of metrics": variable(type="query", datasource=PROMETHEUS, query="metrics(http_.*)", refresh=2),
    "names of labels": variable(type="query", datasource=PROMETHEUS, query="label_names()", refresh=2),
    "the result of a query": variable(type="query", datasource=PROMETHEUS, query=f"query_result(topk(5, sum by (route) (rate(a_total{RATE}))))", refresh=2),
    "variables of Loki": variable(type="query", datasource={"type": "loki", "uid": "${loki}"}, query={"label": "app", "stream": "", "type": 1, "refId": "x"}, refresh=2),
    "regions of CloudWatch": variable(type="query", datasource={"type": "cloudwatch", "uid": "${cloudwatch}"}, query={"queryType": "regions", "refId": "x"}, refresh=2),
    "values of a regular expression with flags": variable(type="query", datasource=PROMETHEUS, query="label_values(up, job)", regex="/a.*/i", refresh=2),
    "lines with a format": lambda d: d["panels"][3]["targets"][0].update(expr='{app=~"$job", level!=""} | json | line_format "{{.message}}" | __error__=``'),
    "lines counted over a macro": lambda d: d["panels"][3].update(type="timeseries", targets=[{"datasource": d["panels"][3]["datasource"], "expr": 'sum by (app) (rate({app=~"${job:regex}"} |= `a}` [$__auto]))', "legendFormat": "{{app}}", "refId": "A"}]),
    "a search of CloudWatch": lambda d: d["panels"][4].update(targets=[d["panels"][4]["targets"][0] | {"dimensions": {"TargetGroup": ["*"]}, "matchExact": False}]),
    "CloudWatch of old": lambda d: (
        d["panels"][4].update(datasource="$cloudwatch", targets=[{"refId": "A", "region": "$region", "namespace": "AWS/Logs", "metricName": "IncomingBytes", "dimensions": {"LogGroupName": "$group"}, "statistics": ["Sum"], "period": "", "alias": "", "expression": "", "id": "", "highResolution": False}]),
        d["templating"]["list"].extend(
            {"name": name, "type": "query", "datasource": "$cloudwatch", "query": text, "refresh": 1}
            for name, text in (("region", "regions()"), ("group", "dimension_values($region,AWS/Logs,IncomingBytes,LogGroupName)"))
        ),
    ),
    "a dimension by variable": lambda d: d["panels"][4]["targets"][0].update(dimensions={"LoadBalancer": ["$job"]}),
    "built-in annotations": lambda d: d["annotations"]["list"].append({"builtIn": 1, "datasource": {"type": "grafana", "uid": "-- Grafana --"}, "enable": True, "hide": True, "iconColor": "rgba(0, 211, 255, 1)", "name": "Annotations & Alerts", "type": "dashboard"}),
    "metrics by SQL": lambda d: d["panels"][4].update(targets=[d["panels"][4]["targets"][0] | {"metricQueryType": 1, "sqlExpression": "SELECT SUM(x) FROM y"}]),
    "a metric of one's own": lambda d: d["panels"][4]["targets"][0].update(namespace="Orders", metricName="Placed", dimensions={"Shop": "x"}),
    "a query of SQL": lambda d: d["panels"][0].update(datasource={"type": "mysql", "uid": "${sql}"}, targets=[{"rawSql": "SELECT $__time(t), v FROM x WHERE $__timeFilter(t)", "format": "time_series", "refId": "A"}]) or d["templating"]["list"].append({"name": "sql", "type": "datasource", "query": "mysql"}),
    "an expression": lambda d: d["panels"][0]["targets"].append({"datasource": {"type": "__expr__", "uid": "__expr__"}, "type": "math", "expression": "$A * 2", "refId": "B"}),
    "a share as a share": lambda d: (query(SHARE)(d), unit("percentunit")(d)),
    "a share times 100 as per cent": lambda d: (query(f"100 * ({SHARE})")(d), unit("percent")(d)),
    "a mean of per cent": lambda d: (query("sum by (route) (a_percent) / count by (route) (a_percent)")(d), unit("percent")(d)),
    "a share whose column has its own unit": lambda d: (query(SHARE)(d), d["panels"][0]["fieldConfig"]["defaults"].update(unit="percent")),
    "a share that a transformation multiplies": lambda d: (query(SHARE)(d), unit("percent")(d), d["panels"][0].update(transformations=[{"id": "calculateField", "options": {}}])),
    "a heat map of buckets": lambda d: d["panels"][1].update(type="heatmap", options={"calculate": False}, targets=[d["panels"][1]["targets"][0] | {"expr": "sum by (le) (increase(a_bucket[$__rate_interval]))", "format": "heatmap"}]),
    "a heat map that Grafana computes": lambda d: d["panels"][1].update(type="heatmap", options={"calculate": True}, targets=[d["panels"][1]["targets"][0] | {"expr": "a_seconds"}]),
    "the change of a gauge": query("sum by (route) (delta(a_bytes[$__rate_interval]))"),
    "the sum of increases": query("sum by (route) (sum_over_time(increase(a_total[1m])[$__range:1m]))"),
    "a query that only another reads": lambda d: d["panels"][0]["targets"].insert(0, d["panels"][0]["targets"][0] | {"refId": "B", "hide": True}),
    "a share of each instance": query(f'sum by (instance) (rate(a_total{{code="500"}}{RATE})) / on (instance) group_left rate(a_total{RATE})'),
    "a rate of each instance over its own sum": query(f"rate(a_total{RATE}) / sum by (instance, job) (rate(b_total{RATE}))"),
    "a rate over a number": query(f"rate(a_total{RATE}) / scalar(sum(rate(b_total{RATE})))"),
    "a rate over what a variable groups": lambda d: (variable(type="custom", query="a,b")(d), query(f"rate(a_total{RATE}) / sum by ($x) (rate(b_total{RATE}))")(d)),
    "links to dashboards": lambda d: d["links"].append({"title": "Others", "type": "dashboards", "tags": ["orders"], "asDropdown": True, "icon": "external link", "includeVars": True, "keepTime": True, "targetBlank": False, "tooltip": "", "url": ""}),
}  # fmt: skip


@pytest.mark.parametrize("name", SHAPES)
def test_a_shape_that_is_well_gives_nothing_above_info(good: dict[str, Any], name: str) -> None:
    SHAPES[name](good)
    assert above_info(json.loads(json.dumps(good))) == []


# The form of Grafana 4 and of old mixins: rows of spans, graphs of Angular, data sources by name.
OLD: dict[str, Any] = {
    "title": "Old", "uid": "old", "schemaVersion": 14, "version": 0, "style": "dark", "hideControls": False, "refresh": "10s",
    "editable": False, "time": {"from": "now-1h", "to": "now"}, "timepicker": {"time_options": ["1h"]}, "annotations": {"list": []},
    "rows": [
        {"title": "Requests", "height": "250px", "collapse": False, "panels": [
            {
                "id": number, "title": f"Requests {number}", "type": "graph", "span": 6, "datasource": "$datasource", "aliasColors": {},
                "yaxes": [{"format": "short", "show": True}, {"format": "short", "show": False}], "thresholds": [], "fill": 1,
                "targets": [{"expr": 'sum by (code) (rate(a_total{job="$job"}[$interval]))', "format": "time_series", "intervalFactor": 2, "legendFormat": "{{code}}", "step": 10}],
            }
            for number in (1, 2)
        ]},
    ],
    "templating": {"list": [
        {"name": "datasource", "type": "datasource", "query": "prometheus", "current": {"text": "default", "value": "default"}},
        {"name": "interval", "type": "interval", "query": "5m,1h", "auto": True, "auto_count": 300, "auto_min": "10s"},
        {"name": "job", "type": "query", "datasource": "$datasource", "query": "label_values(up, job)", "refresh": 1, "useTags": False, "tags": []},
    ]},
}  # fmt: skip


def test_a_dashboard_of_the_oldest_form_is_read_and_only_its_age_is_said() -> None:
    findings = lint_dashboard(OLD, "x.json")
    assert [f for f in findings if f.level != "info"] == []
    assert {"schema-version", "angular-panel", "key-legacy", "description-missing"} <= {
        f.rule for f in findings
    }


def test_defects_in_rows_of_the_oldest_form_are_found() -> None:
    old = json.loads(json.dumps(OLD))
    old["rows"][0]["panels"][1] |= {"id": 1, "alert": {"name": "x"}}
    old["rows"][0]["panels"][1]["targets"][0]["expr"] = "rate(a_total[$nowhere]"
    assert {line.partition(":")[0] for line in above_info(old)} == {
        "duplicate-panel-id", "legacy-alert", "variable-undefined", "promql-invalid",
    }  # fmt: skip


def test_defects_in_collapsed_rows_are_found(good: dict[str, Any]) -> None:
    SHAPES["a collapsed row"](good)
    good["panels"][-1]["panels"][0]["targets"][0]["logGroups"] = []
    good["panels"][-1]["panels"][0]["id"] = 1
    assert [line.partition(":")[0] for line in above_info(good)] == [
        "duplicate-panel-id",
        "cloudwatch-log-group-missing",
    ]


def test_two_collapsed_rows_do_not_share_a_grid(good: dict[str, Any]) -> None:
    inside = good["panels"].pop()
    for number in (30, 40):
        row = {
            "id": number,
            "type": "row",
            "collapsed": True,
            "title": "",
            "gridPos": {"x": 0, "y": number, "w": 24, "h": 1},
        }
        good["panels"].append(row | {"panels": [inside | {"id": number + 1}]})
    assert above_info(good) == []


@pytest.mark.parametrize("dashboard", [{"elements": {}}, {"layout": {"kind": "GridLayout"}, "title": "x"}])
def test_of_schema_v2_it_is_said_that_it_was_not_read(dashboard: dict[str, Any]) -> None:
    (finding,) = lint_dashboard(dashboard, "x.json")
    assert (finding.rule, finding.level) == (NOT_READ, "warning")


def test_an_empty_dashboard_has_no_panels_title_or_version() -> None:
    assert {line.partition(":")[0] for line in above_info({})} == {
        "dashboard-without-panels", "dashboard-without-title", "schema-version",
    }  # fmt: skip


def test_a_dashboard_without_a_choice_of_services_is_told_so(good: dict[str, Any]) -> None:
    good["templating"]["list"] = good["templating"]["list"][:3]
    good["panels"] = good["panels"][3:]
    query("sum by (route) (rate(a_total[$__rate_interval]))", datasource=PROMETHEUS)(good)
    assert "job-variable-missing" in {f.rule for f in lint_dashboard(good, "x.json")}


def test_a_link_to_a_dashboard_that_is_not_there_is_broken_where_the_others_are_known(
    good: dict[str, Any],
) -> None:
    good["panels"][0]["links"][0]["url"] = "/d/payments/payments?orgId=1"
    assert above_info(good) == []
    assert above_info(good, uids=frozenset({"orders", "payments"})) == []
    (said,) = above_info(good, uids=frozenset({"orders"}))
    assert said.startswith("link-broken: panel 'Requests', link 'Guide' goes to the dashboard 'payments'")


def test_a_secret_is_not_repeated(good: dict[str, Any]) -> None:
    good["panels"][0]["description"] = "https://reader:hunter2-hunter2@example.com/"
    (finding,) = lint_dashboard(good, "x.json")
    assert finding.rule == "secret-in-text"
    assert "hunter2" not in finding.message + finding.hint


@pytest.mark.parametrize("file", sorted((ROOT / "dashboards").glob("*.json")), ids=lambda path: path.stem)
def test_of_this_projects_own_dashboards_nothing_is_said_above_info(file: Path) -> None:
    assert above_info(json.loads(file.read_text())) == []


# Nothing ends in an exception

KEYS = st.sampled_from(
    [
        *("panels", "rows", "targets", "datasource", "expr", "gridPos", "x", "y", "w", "h", "templating", "list", "name", "type"),
        *("query", "fieldConfig", "defaults", "overrides", "matcher", "properties", "id", "options", "legend", "calcs", "links"),
        *("url", "thresholds", "steps", "value", "custom", "unit", "transformations", "annotations", "time", "from", "to"),
        *("refresh", "schemaVersion", "uid", "__inputs", "dimensions", "expression", "queryMode", "logGroups", "repeat", "regex"),
        *("reduceOptions", "mappings", "yaxes", "current", "schemaVersion", "collapsed", "spec", "timezone", "title"),
    ]
)  # fmt: skip
WORDS = st.one_of(
    st.text(max_size=12),
    st.sampled_from(
        [
            *("row", "timeseries", "stat", "graph", "logs", "text", "prometheus", "loki", "cloudwatch", "query", "$a", "${a:b}"),
            *("[[a]]", "rate(a[$b])", "sum(", "{a=\"b\"}", "label_values(a, b)", "-- Mixed --", "now-1h", "A", "reduce"),
            *("histogram_quantile(0.9, a)", "AWS/ECS", "a / b", "/a", "10s", "$__interval", "Metrics", "Logs", "a_total"),
        ]
    ),
)  # fmt: skip
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | WORDS,
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(KEYS | st.text(max_size=4), inner, max_size=6)
    ),
    max_leaves=30,
)


@given(dashboard=st.dictionaries(KEYS, JSON, max_size=8))
@settings(max_examples=100, deadline=None)
def test_no_json_ends_in_an_exception(dashboard: dict[str, Any]) -> None:
    assert all(finding.rule in RULES for finding in lint_dashboard(dashboard, "x.json"))


@given(data=st.data())
@settings(max_examples=100, deadline=None)
def test_no_part_put_in_the_place_of_another_ends_in_an_exception(data: st.DataObject) -> None:
    dashboard = clean()
    for _ in range(data.draw(st.integers(1, 3))):
        place: Any = dashboard
        while True:
            keys = list(place) if isinstance(place, dict) else list(range(len(place)))
            if not keys:
                break
            key = data.draw(st.sampled_from(keys))
            if not isinstance(place[key], dict | list) or data.draw(st.integers(0, 3)) == 0:
                place[key] = data.draw(JSON)
                break
            place = place[key]
    assert all(finding.rule in RULES for finding in lint_dashboard(dashboard, "x.json"))


def test_what_a_terminal_would_obey_is_not_repeated(good: dict[str, Any]) -> None:
    good["panels"][0] |= {"title": "a\x1b[2J\ud800", "repeat": "nowhere"}
    good["annotations"]["list"].append({"name": "b\nc\x1b[2J", "expr": "sum(", "datasource": PROMETHEUS})
    findings = lint_dashboard(good, "x.json")
    assert {f.rule for f in findings} >= {"variable-undefined", "promql-invalid"}
    assert all((f.message + f.hint).isprintable() for f in findings)


def test_nor_what_stands_in_the_name_of_a_file(good: dict[str, Any]) -> None:
    del good["uid"]
    assert [f.where for f in lint_dashboard(good, "a\x1b]0;x\x07\udcff.json")] == [
        "a\ufffd]0;x\ufffd\ufffd.json"
    ]
    assert [f.where for f in lint_dashboard({"elements": {}}, "a\x1b[2J")] == ["a\ufffd[2J"]


@pytest.mark.parametrize(
    "words",
    [
        *("a" * 200_000, " " * 200_000, "a, " * 50_000, "(" * 200_000, "$a " * 50_000, 'a="' * 50_000),
        *("${a:" * 50_000, "${a." * 50_000, "[[a:" * 50_000, " " * 19_000, " ," * 9_000),
    ],
)
def test_long_texts_end_in_time(good: dict[str, Any], words: str) -> None:
    good["panels"][0]["targets"][0]["expr"] = words
    good["panels"][3]["targets"][0]["expr"] = words
    good["panels"][4]["targets"][2]["expression"] = words
    good["panels"][0] |= {"description": words, words: 1}
    good["templating"]["list"][4]["query"] = f"label_values({words}, a)"
    assert lint_dashboard(good, "x.json") is not None

"""What the built dashboards are, judged by Grafana's own schemas and types and by a PromQL parser."""

from __future__ import annotations

import copy
import json
import re
from pathlib import Path
from typing import Any

import promql_parser
import pytest

from orders_obs.alerts import load
from orders_obs.alerts.compile.prometheus import compile_rules
from orders_obs.alerts.contract.known import well_known
from orders_obs.dashboards.build import build, sources
from orders_obs.dashboards.lint.rules import lint_dashboard
from orders_obs.dashboards.queries import prometheus_queries
from orders_obs.signals import INSTRUMENTS
from orders_obs.signals.aws_metrics import aws_metric
from tests.dashboards.judges import (
    FILES,
    ROOT,
    expressions,
    lost_keys,
    misfits,
    panels,
    read,
    selectors,
    untiled,
)

D1 = {
    "Request rate",
    "Error rate",
    "Response time, p99",
    "Database query time, p95",
    "Cache hit rate",
    "Active connections",
    "ECS task count",
    "Recent errors",
}
# They show no series, so they have no unit.
BARE = {"alertlist", "dashlist", "text"}


@pytest.fixture(params=FILES, ids=lambda path: path.stem)
def built(request: pytest.FixtureRequest) -> dict[str, Any]:
    return read(request.param.stem)


@pytest.fixture
def d1() -> dict[str, Any]:
    return read("orders-api-production")


def test_it_fits_grafanas_schemas_panel_by_panel(built: dict[str, Any], schemas: Path) -> None:
    assert misfits(built, schemas) == []


@pytest.mark.parametrize(
    "place",
    [
        ("fieldConfig", "defaults", "thresholds", "steps", 0, "value"),
        ("options", "tooltip", "mode"),
        ("fieldConfig", "defaults", "custom", "drawStyle"),
        ("targets", 0, "exemplar"),
    ],
)
def test_the_schemas_would_see_a_defect(place: tuple[Any, ...], d1: dict[str, Any], schemas: Path) -> None:
    broken = copy.deepcopy(d1)
    holder = broken["panels"][0]
    for step in place[:-1]:
        holder = holder[step]
    holder[place[-1]] = "null"
    assert misfits(broken, schemas)


def test_grafanas_own_types_keep_every_key(built: dict[str, Any]) -> None:
    assert lost_keys(built) == []


def test_our_own_lint_finds_nothing_worth_a_warning(built: dict[str, Any]) -> None:
    uids = frozenset(path.stem for path in FILES)
    found = lint_dashboard(built, built["uid"], uids=uids)
    assert [finding for finding in found if finding.level != "info"] == []


def test_every_expression_is_promql(built: dict[str, Any]) -> None:
    for expr in expressions(built):
        promql_parser.parse(expr)


def test_every_metric_and_label_is_one_that_is_emitted(built: dict[str, Any]) -> None:
    recorded = recorded_names()
    exported = {metric.name: metric.labels for metric in well_known()}
    for expr in expressions(built):
        for name, labels in selectors(promql_parser.parse(expr)):
            base = name
            for suffix in ("_bucket", "_count", "_sum"):
                if name.removesuffix(suffix) in INSTRUMENTS:
                    base = name.removesuffix(suffix)
            known = {"job", "instance", "le"}
            if base in INSTRUMENTS:
                known |= set(INSTRUMENTS[base].labels)
            elif base == "ALERTS":
                known |= {"alertname", "alertstate", "severity", "service", "env", "mode"}
            elif base in exported:
                known |= set(exported[base] or ())
                known |= {"service"} if base == "ecs_service_running_count" else set()
            else:
                assert base in recorded, f"{name} in {expr}"
            assert set(labels) <= known, f"{labels} in {expr}"


def test_what_it_reads_of_recorded_series_is_what_the_rules_of_its_environment_record() -> None:
    for environment, name in (("production", "service-objectives"), ("demo", "service-objectives-demo")):
        content = read(name)
        asked = {
            name
            for expr in expressions(content)
            for name, _ in selectors(promql_parser.parse(expr))
            if name.startswith("job:")
        }
        assert len(asked) >= 8
        assert asked <= recorded_names(environment)


def recorded_names(*environments: str) -> set[str]:
    catalogue = load(ROOT / "alerts")
    names = set()
    for environment in environments or ("production", "demo"):
        for rule in compile_rules(catalogue.resolve(environment)).rules:
            names.add(getattr(rule, "record", ""))
    return names


def test_every_cloudwatch_query_names_a_metric_under_dimensions_that_have_values(
    built: dict[str, Any],
) -> None:
    for panel in panels(built):
        for target in panel.get("targets", ()):
            if target.get("queryMode") != "Metrics" or target["expression"]:
                continue
            if target["namespace"] == "Orders":
                continue
            metric = aws_metric(target["namespace"], target["metricName"])
            assert metric is not None, target["metricName"]
            assert frozenset(target["dimensions"]) in metric.dimensions, panel["title"]
            statistic = target["statistic"]
            assert statistic in metric.statistics or (metric.kind == "timing" and statistic.startswith("p"))
            for values in target["dimensions"].values():
                assert all(values)


def test_cloudwatch_math_names_queries_of_its_own_panel(built: dict[str, Any]) -> None:
    for panel in panels(built):
        targets = [target for target in panel.get("targets", ()) if target.get("queryMode") == "Metrics"]
        ids = {target["id"] for target in targets if not target["expression"]}
        hidden = {target["id"] for target in targets if target.get("hide")}
        read: set[str] = set()
        for target in targets:
            if target["expression"]:
                words = set("".join(c if c.isalnum() else " " for c in target["expression"]).split())
                names = {word for word in words if word[0].islower()}
                assert names <= ids, panel["title"]
                read |= names
        assert hidden == read, panel["title"]


def test_every_variable_that_is_used_is_declared_and_each_is_used(built: dict[str, Any]) -> None:
    declared = {variable["name"] for variable in built["templating"]["list"]}
    text = json.dumps({key: value for key, value in built.items() if key != "templating"})
    inside = json.dumps(built["templating"])
    used = {name for name in declared if f"${name}" in text or f"${{{name}" in text or f"${name}" in inside}
    assert used == declared
    for expr in expressions(built):
        assert "$" not in expr.replace("$__", "")


def test_every_data_source_is_a_variable_of_its_kind(built: dict[str, Any]) -> None:
    kinds = {v["name"]: v["query"] for v in built["templating"]["list"] if v["type"] == "datasource"}
    for panel in panels(built):
        for holder in (panel, *panel.get("targets", ())):
            if "datasource" in holder:
                source = holder["datasource"]
                assert kinds[source["uid"].strip("${}")] == source["type"]


def test_ids_are_unique_and_panels_tile_the_grid(built: dict[str, Any]) -> None:
    every = [*built["panels"], *(panel for row in built["panels"] for panel in row.get("panels", ()))]
    ids = [panel["id"] for panel in every]
    assert len(set(ids)) == len(ids)
    assert untiled(built) == []


def test_every_panel_has_title_description_and_a_unit_that_grafana_knows(built: dict[str, Any]) -> None:
    from grafana_foundation_sdk.models import units

    known = {
        value for name, value in vars(units).items() if isinstance(value, str) and not name.startswith("_")
    }
    titles = [panel["title"] for panel in panels(built)]
    assert len(set(titles)) == len(titles)
    for panel in panels(built):
        assert panel["title"]
        assert panel["description"]
        if panel["type"] not in BARE:
            assert panel["fieldConfig"]["defaults"]["unit"] in known
    assert len(titles) <= 23


def test_d1_has_its_eight_panels() -> None:
    for name in ("orders-api-production", "orders-api-production-aws"):
        content = read(name)
        assert content["uid"] == name
        assert {panel["title"] for panel in panels(content)} - {"Recent error traces"} == D1


def test_the_p99_panel_shows_exemplars_and_the_thresholds_of_the_alerts(d1: dict[str, Any]) -> None:
    (panel,) = [panel for panel in panels(d1) if panel["title"] == "Response time, p99"]
    assert panel["targets"][0]["exemplar"] is True
    steps = panel["fieldConfig"]["defaults"]["thresholds"]["steps"]
    assert [step["value"] for step in steps] == [None, 1, 5]


def test_a_number_or_bar_is_asked_for_now_so_that_none_outlives_what_gave_it(built: dict[str, Any]) -> None:
    for panel in panels(built):
        if panel["type"] in ("stat", "gauge", "bargauge"):
            assert all(target["instant"] and not target["range"] for target in panel["targets"]), panel[
                "title"
            ]


def test_no_search_for_traces_says_that_nothing_failed_where_it_may_have_searched_nothing() -> None:
    searches = [
        panel["fieldConfig"]["defaults"]["noValue"]
        for path in FILES
        for panel in panels(read(path.stem))
        if any(target["datasource"]["type"] == "jaeger" for target in panel.get("targets", ()))
    ]
    assert len(searches) >= 5
    assert all(said.endswith("trace found (choose one service)") for said in searches)


def test_statuses_have_the_colour_of_their_class_and_a_shade_of_their_own() -> None:
    (panel,) = [panel for panel in panels(read("service-overview")) if panel["title"] == "Requests by status"]
    colors = {}
    for status in (
        200,
        201,
        204,
        301,
        304,
        400,
        401,
        402,
        403,
        404,
        405,
        409,
        422,
        429,
        499,
        500,
        502,
        503,
        504,
    ):
        for override in panel["fieldConfig"]["overrides"]:
            if re.search(override["matcher"]["options"].strip("/"), str(status)):
                color = override["properties"][0]["value"]
        assert color["mode"] == "fixed"
        colors[status] = color["fixedColor"]
    assert len(set(colors.values())) == len(colors)
    hues = {"2": {"green"}, "3": {"blue"}, "4": {"yellow", "orange"}, "5": {"red"}}
    assert all(color.rpartition("-")[2] in hues[str(status)[0]] for status, color in colors.items())


def test_every_uid_is_its_file_name_so_that_links_outlive_titles() -> None:
    for path in FILES:
        content = json.loads(path.read_text())
        assert content["uid"] == path.stem
        assert len(content["uid"]) <= 40
        assert not {"id", "version"} & content.keys()


def test_the_committed_files_are_what_the_sources_build() -> None:
    wanted = build(sources(ROOT / "dashboards"))
    assert sorted(wanted) == FILES
    for path, text in wanted.items():
        assert path.read_text() == text, f"{path.name} is stale: run `orders-obs dashboards build`"


def test_a_query_with_a_variable_that_has_no_value_is_said(d1: dict[str, Any]) -> None:
    with pytest.raises(KeyError, match="job"):
        prometheus_queries(d1)

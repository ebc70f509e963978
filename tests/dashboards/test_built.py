"""What the built dashboards are, judged by Grafana's own schemas and types and by a PromQL parser."""

from __future__ import annotations

import copy
import json
import warnings
from pathlib import Path
from typing import Any

import jsonschema
import promql_parser
import pytest

from orders_obs.dashboards.build import build, sources
from orders_obs.dashboards.queries import prometheus_queries
from orders_obs.signals import INSTRUMENTS

ROOT = Path(__file__).resolve().parents[2]
# Metrics of other exporters: postgres_exporter, a CloudWatch exporter, Prometheus itself.
FOREIGN = {"pg_stat_activity_count", "ecs_service_running_count", "up"}
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


def schema(folder: Path, name: str, definition: str | None = None) -> dict[str, Any]:
    """One of Grafana's schemas, its generator's four known defects mended."""
    content: dict[str, Any] = json.loads((folder / f"{name}.json").read_text())
    definitions = content["definitions"]
    for kind, field in (
        ("MatcherConfig", "options"),
        ("DynamicConfigValue", "value"),
        ("VariableModel", "query"),
    ):
        if kind in definitions:
            definitions[kind]["properties"][field] = {}
    if "TableCellOptions" in definitions:
        cell = definitions["TableCellOptions"]
        cell["anyOf"] = cell.pop("oneOf", cell.get("anyOf", []))
    if definition:
        content["$ref"] = f"#/definitions/{definition}"
    return content


def errors(content: Any, rules: dict[str, Any]) -> list[str]:
    found = jsonschema.Draft7Validator(rules).iter_errors(content)
    return [f"{'/'.join(map(str, error.absolute_path))}: {error.message[:200]}" for error in found]


def test_it_fits_grafanas_dashboard_schema(dashboard: dict[str, Any], schemas: Path) -> None:
    assert errors(dashboard, schema(schemas, "dashboard")) == []


def test_each_panels_options_and_fields_fit_the_schema_of_its_type(
    dashboard: dict[str, Any], schemas: Path
) -> None:
    for panel in dashboard["panels"]:
        kind = panel["type"]
        assert errors(panel["options"], schema(schemas, kind, "Options")) == [], panel["title"]
        rules = schema(schemas, kind)
        if "FieldConfig" in rules["definitions"]:
            custom = panel["fieldConfig"]["defaults"]["custom"]
            assert errors(custom, schema(schemas, kind, "FieldConfig")) == [], panel["title"]


def test_each_query_fits_the_schema_of_its_data_source(dashboard: dict[str, Any], schemas: Path) -> None:
    definitions: dict[str, Any] = {
        "prometheus": lambda _target: ("prometheus", "Dataquery"),
        "cloudwatch": lambda target: ("cloudwatch", f"{target['queryMode']}Query"),
    }
    checked = 0
    for panel in dashboard["panels"]:
        for target in panel["targets"]:
            find = definitions.get(target["datasource"]["type"])
            if find is not None:
                assert errors(target, schema(schemas, *find(target))) == [], panel["title"]
                checked += 1
    assert checked >= 8


def test_the_schemas_would_see_a_defect(dashboard: dict[str, Any], schemas: Path) -> None:
    broken = copy.deepcopy(dashboard)
    broken["panels"][0]["fieldConfig"]["defaults"]["thresholds"]["steps"][0]["value"] = "null"
    assert errors(broken, schema(schemas, "dashboard"))


def test_grafanas_own_types_keep_every_key(dashboard: dict[str, Any]) -> None:
    """A key that vanishes in the foundation SDK's round trip is one that Grafana does not know."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=".*dashboardv2.*", category=DeprecationWarning)
        from grafana_foundation_sdk.cog.encoder import JSONEncoder
        from grafana_foundation_sdk.cog.plugins import register_default_plugins
        from grafana_foundation_sdk.models.dashboard import Dashboard
    register_default_plugins()
    again = json.loads(JSONEncoder(sort_keys=True).encode(Dashboard.from_json(copy.deepcopy(dashboard))))
    assert missing(dashboard, again) == []


def missing(before: Any, after: Any, path: str = "") -> list[str]:
    if isinstance(before, dict):
        gone = [f"{path}/{key}" for key in before if not isinstance(after, dict) or key not in after]
        return gone + [
            m
            for key in before
            if isinstance(after, dict) and key in after
            for m in missing(before[key], after[key], f"{path}/{key}")
        ]
    if isinstance(before, list):
        return [
            m
            for i, (b, a) in enumerate(zip(before, after, strict=True))
            for m in missing(b, a, f"{path}/{i}")
        ]
    return []


def test_every_expression_is_promql(dashboard: dict[str, Any]) -> None:
    queries = prometheus_queries(dashboard, job="orders-api")
    assert len(queries) >= 6
    for query in queries:
        promql_parser.parse(query.expr)


def test_every_metric_and_label_is_one_that_is_emitted(dashboard: dict[str, Any]) -> None:
    for query in prometheus_queries(dashboard, job="orders-api"):
        for name, labels in selectors(promql_parser.parse(query.expr)):
            base = name
            for suffix in ("_bucket", "_count", "_sum"):
                if name.removesuffix(suffix) in INSTRUMENTS:
                    base = name.removesuffix(suffix)
            assert base in INSTRUMENTS or base in FOREIGN, f"{query.panel}: {name}"
            known = {"job", "instance", "le", *(INSTRUMENTS[base].labels if base in INSTRUMENTS else ())}
            assert set(labels) <= known, f"{query.panel}: {labels}"


def selectors(expr: Any) -> list[tuple[str, list[str]]]:
    """Metric names and the labels matched on, anywhere in an expression."""
    found: list[tuple[str, list[str]]] = []

    def visit(node: Any) -> None:
        if type(node).__name__ == "VectorSelector":
            found.append((node.name, [matcher.name for matcher in node.matchers.matchers]))
        for child in ("lhs", "rhs", "expr", "vector_selector", "args"):
            below = getattr(node, child, None)
            if isinstance(below, list):
                for item in below:
                    visit(item)
            elif (below is not None and child != "vector_selector") or below is not None:
                visit(below)

    visit(expr)
    assert found
    return found


def test_d1_has_its_eight_panels(dashboard: dict[str, Any]) -> None:
    titles = {panel["title"] for panel in dashboard["panels"]}
    assert titles - {"Recent error traces"} == D1


def test_ids_are_unique_and_panels_tile_the_grid(dashboard: dict[str, Any]) -> None:
    ids = [panel["id"] for panel in dashboard["panels"]]
    assert len(set(ids)) == len(ids)
    cells = [
        (x, y)
        for panel in dashboard["panels"]
        for x in range(panel["gridPos"]["x"], panel["gridPos"]["x"] + panel["gridPos"]["w"])
        for y in range(panel["gridPos"]["y"], panel["gridPos"]["y"] + panel["gridPos"]["h"])
    ]
    height = max(y for _, y in cells) + 1
    assert sorted(cells) == [(x, y) for x in range(24) for y in range(height)]


def test_every_panel_has_title_description_and_a_unit_that_grafana_knows(dashboard: dict[str, Any]) -> None:
    from grafana_foundation_sdk.models import units

    known = {
        value for name, value in vars(units).items() if isinstance(value, str) and not name.startswith("_")
    }
    for panel in dashboard["panels"]:
        assert panel["title"]
        assert panel["description"]
        assert panel["fieldConfig"]["defaults"]["unit"] in known


def test_the_p99_panel_shows_exemplars_and_the_thresholds_of_the_alerts(dashboard: dict[str, Any]) -> None:
    (panel,) = [panel for panel in dashboard["panels"] if panel["title"] == "Response time, p99"]
    assert panel["targets"][0]["exemplar"] is True
    steps = panel["fieldConfig"]["defaults"]["thresholds"]["steps"]
    assert [step["value"] for step in steps] == [None, 1, 5]


def test_the_committed_files_are_what_the_sources_build() -> None:
    for path, text in build(sources(ROOT / "dashboards")).items():
        assert path.read_text() == text, f"{path.name} is stale: run `orders-obs dashboards build`"


def test_a_query_with_a_variable_that_has_no_value_is_said(dashboard: dict[str, Any]) -> None:
    with pytest.raises(KeyError, match="job"):
        prometheus_queries(dashboard)

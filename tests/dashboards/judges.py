"""Judges of a built dashboard that know nothing of how it was made: Grafana's JSON Schemas, the foundation SDK, a PromQL parser."""

from __future__ import annotations

import copy
import json
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema

from orders_obs.dashboards.queries import prometheus_queries

ROOT = Path(__file__).resolve().parents[2]
FILES = sorted((ROOT / "dashboards").glob("*.json"))
VALUES = {"job": "orders-api", "route": ".*", "env": ".*", "environment": ".*"}
"""What a viewer may have chosen."""


def read(name: str) -> dict[str, Any]:
    """One of the committed dashboards."""
    content: dict[str, Any] = json.loads((ROOT / f"dashboards/{name}.json").read_text())
    return content


def panels(content: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Every panel, those of folded rows included, the bars left out."""
    for panel in content["panels"]:
        if panel["type"] == "row":
            yield from panels(panel)
        else:
            yield panel


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


def misfits(built: dict[str, Any], schemas: Path) -> list[str]:
    """What does not fit Grafana's schemas: of the dashboard, and of each panel its options, field options and queries."""
    found = errors(built, schema(schemas, "dashboard"))
    for panel in panels(built):
        # By itself too: a folded row leaves its panels open, and of a union the errors say little.
        said = errors(panel, schema(schemas, "dashboard", "Panel"))
        kind = panel["type"].replace("-", "")
        if (schemas / f"{kind}.json").is_file():
            said += errors(panel["options"], schema(schemas, kind, "Options"))
            if "FieldConfig" in schema(schemas, kind)["definitions"]:
                custom = panel["fieldConfig"]["defaults"]["custom"]
                said += errors(custom, schema(schemas, kind, "FieldConfig"))
        for target in panel.get("targets", ()):
            source = target["datasource"]["type"]
            definition = {"prometheus": "Dataquery", "loki": "dataquery"}.get(source)
            if source == "cloudwatch":
                definition = f"{target['queryMode']}Query"
            if definition is not None:
                said += errors(target, schema(schemas, source, definition))
        found += [f"{panel['title']}: {one}" for one in said]
    return found


def lost_keys(built: dict[str, Any]) -> list[str]:
    """The keys that vanish in the foundation SDK's round trip: Grafana does not know them."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=".*dashboardv2.*", category=DeprecationWarning)
        from grafana_foundation_sdk.cog.encoder import JSONEncoder
        from grafana_foundation_sdk.cog.plugins import register_default_plugins
        from grafana_foundation_sdk.models.dashboard import Dashboard
    register_default_plugins()
    again = json.loads(JSONEncoder(sort_keys=True).encode(Dashboard.from_json(copy.deepcopy(built))))
    return missing(built, again)


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


def expressions(content: dict[str, Any]) -> list[str]:
    """Of panels and annotations, their variables filled in."""
    asked = [query.expr for query in prometheus_queries(content, **VALUES)]
    holder = {"type": "timeseries", "title": "annotations", "datasource": {"type": "prometheus"}}
    targets = [
        {"refId": str(index), "expr": annotation["expr"]}
        for index, annotation in enumerate(content["annotations"]["list"])
        if "expr" in annotation
    ]
    asked += [
        query.expr for query in prometheus_queries({"panels": [{**holder, "targets": targets}]}, **VALUES)
    ]
    return asked


def selectors(expr: Any) -> list[tuple[str, list[str]]]:
    """Metric names and the labels matched on, anywhere in an expression."""
    found: list[tuple[str, list[str]]] = []

    def visit(node: Any) -> None:
        if type(node).__name__ == "VectorSelector":
            found.append((node.name, [matcher.name for matcher in node.matchers.matchers]))
        for child in ("lhs", "rhs", "expr", "vector_selector", "args"):
            below = getattr(node, child, None)
            for item in below if isinstance(below, list) else [below]:
                if item is not None:
                    visit(item)

    visit(expr)
    assert found
    return found


def untiled(built: dict[str, Any]) -> list[tuple[int, int]]:
    """Cells of the grid that no panel has, or several: of the dashboard, and of each folded row below its bar."""
    found = _untiled(built["panels"], 0)
    for row in built["panels"]:
        if row.get("panels"):
            found += _untiled(row["panels"], row["gridPos"]["y"] + 1)
    return found


def _untiled(placed: list[dict[str, Any]], top: int) -> list[tuple[int, int]]:
    cells = [
        (x, y)
        for panel in placed
        for x in range(panel["gridPos"]["x"], panel["gridPos"]["x"] + panel["gridPos"]["w"])
        for y in range(panel["gridPos"]["y"], panel["gridPos"]["y"] + panel["gridPos"]["h"])
    ]
    whole = {(x, y) for x in range(24) for y in range(top, max(y for _, y in cells) + 1)}
    return sorted({cell for cell in cells if cells.count(cell) > 1} | whole.symmetric_difference(cells))

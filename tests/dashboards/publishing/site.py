"""A folder of dashboards and a settings file as a team has them, and the commands run on it as `orders-obs` runs them."""

from __future__ import annotations

import argparse
import copy
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from orders_obs.dashboards.publishing.cli import register
from orders_obs.errors import EnvironmentFault, UserError
from orders_obs.redact import redact_text

PROMETHEUS = {"type": "prometheus", "uid": "${datasource}"}

# A panel as Grafana's documentation has one ("Create Dashboard"), with what our builds emit.
BUILT: dict[str, Any] = {
    "annotations": {
        "list": [{"builtIn": 1, "datasource": {"type": "grafana", "uid": "-- Grafana --"}, "enable": True, "name": "Annotations & Alerts", "type": "dashboard"}]
    },
    "description": "What the orders API does.",
    "editable": False,
    "graphTooltip": 1,
    "links": [],
    "panels": [
        {
            "datasource": PROMETHEUS, "description": "5xx of all.", "gridPos": {"h": 8, "w": 12, "x": 0, "y": 0}, "id": 1,
            "fieldConfig": {
                "defaults": {
                    "min": 0.0, "unit": "percentunit", "custom": {"lineWidth": 2},
                    "thresholds": {"mode": "absolute", "steps": [{"color": "green", "value": None}, {"color": "red", "value": 0.05}]},
                },
                "overrides": [],
            },
            "options": {"legend": {"showLegend": True}}, "pluginVersion": "13.1.0",
            "targets": [{"datasource": PROMETHEUS, "expr": "errors / requests", "refId": "A"}], "title": "Error rate", "type": "timeseries",
        },
        {
            "datasource": {"type": "jaeger", "uid": "jaeger"}, "gridPos": {"h": 8, "w": 12, "x": 12, "y": 0}, "id": 2,
            "targets": [{"datasource": {"type": "jaeger", "uid": "jaeger"}, "queryType": "search", "refId": "A"}],
            "title": "Traces", "type": "table",
        },
    ],
    "refresh": "10s", "schemaVersion": 42, "tags": ["orders-obs"],
    "templating": {
        "list": [
            {"name": "datasource", "query": "prometheus", "type": "datasource"},
            {"current": {"text": "orders-api", "value": "orders-api"}, "datasource": PROMETHEUS, "name": "job", "query": "label_values(job)", "type": "query"},
        ]
    },
    "time": {"from": "now-1h", "to": "now"}, "title": "Orders", "uid": "orders",
}  # fmt: skip

_CODE = """\
import json
from grafanalib.core import Dashboard


class Raw(Dashboard):
    def to_json_data(self):
        return json.loads({text!r})


dashboard = Raw(title="raw")
"""


def run(argv: list[str]) -> int:
    """The command as `orders_obs.cli.main` runs it."""
    parser = argparse.ArgumentParser(prog="orders-obs dashboards")
    register(parser.add_subparsers(dest="subcommand", required=True))
    args = parser.parse_args(argv)
    try:
        code: int = args.run(args)
    except UserError as error:
        print(f"orders-obs: {redact_text(str(error))}", file=sys.stderr)
        return 2
    except EnvironmentFault as error:
        print(f"orders-obs: {redact_text(str(error))}", file=sys.stderr)
        return 3
    return code


class Site:
    def __init__(self, folder: Path, url: str, *, more: str = "") -> None:
        self.folder = folder
        self.targets = folder / "targets.yaml"
        folder.mkdir(parents=True, exist_ok=True)
        self.settings(f"    url: {url}\n{more}")

    def settings(self, target: str, set_name: str = "shop") -> None:
        self.targets.write_text(f"publish: 1\nset: {set_name}\ntargets:\n  test:\n{target}")

    def dashboard(
        self, name: str = "orders", change: Callable[[dict[str, Any]], None] | None = None, **top: Any
    ) -> Path:
        """Write a dashboard as code: the one above, its uid the name, changed."""
        content = copy.deepcopy(BUILT) | {"uid": name, "title": name.title()} | top
        if change is not None:
            change(content)
        path = self.folder / f"{name}.dashboard.py"
        path.write_text(_CODE.format(text=json.dumps(content)))
        return path

    def __call__(self, *words: str | Path) -> int:
        command, *rest = (str(word) for word in words)
        return run([command, "--targets", str(self.targets), *rest])

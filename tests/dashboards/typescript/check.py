"""A judge of dashboards that knows nothing of this package: the types that Grafana publishes of its own JSON, and `tsc`.

Each panel, with its options, its field options and its queries, becomes a constant of its published type; what the compiler says of a
constant is said of the panel. package.json names the types and their version.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from orders_obs.errors import EnvironmentFault

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

__all__ = ["check_all"]

_HERE = Path(__file__).parent
_REMEDY = "run `make grafana-types`, which needs Node.js 20 or newer"
_OPTIONS = (
    "--noEmit", "--strict", "--skipLibCheck", "--pretty", "false",
    "--target", "es2022", "--module", "es2022", "--moduleResolution", "bundler",
)  # fmt: skip
_COMPOSABLE = "@grafana/schema/dist/esm/raw/composable"
# Grafana's name of a panel's type, to the folder and the module of its types; the others have none that are published.
_PANELS = {
    "barchart": "barchart/panelcfg/x/BarChartPanelCfg_types.gen",
    "bargauge": "bargauge/panelcfg/x/BarGaugePanelCfg_types.gen",
    "dashlist": "dashboardlist/panelcfg/x/DashboardListPanelCfg_types.gen",
    "gauge": "gauge/panelcfg/x/GaugePanelCfg_types.gen",
    "heatmap": "heatmap/panelcfg/x/HeatmapPanelCfg_types.gen",
    "logs": "logs/panelcfg/x/LogsPanelCfg_types.gen",
    "stat": "stat/panelcfg/x/StatPanelCfg_types.gen",
    "state-timeline": "statetimeline/panelcfg/x/StateTimelinePanelCfg_types.gen",
    "table": "table/panelcfg/x/TablePanelCfg_types.gen",
    "text": "text/panelcfg/x/TextPanelCfg_types.gen",
    "timeseries": "timeseries/panelcfg/x/TimeSeriesPanelCfg_types.gen",
}
_WITH_FIELDS = {"barchart", "heatmap", "state-timeline", "table", "timeseries"}
_QUERIES = "cloudwatch/dataquery/x/CloudWatchDataQuery_types.gen"
# JSON has the values of enumerations, not their names.
_LOOSE = """\
type Loose<T> = unknown extends T ? T
  : T extends string ? (string extends T ? string : `${T}`)
  : T extends number | boolean | null | undefined ? T
  : T extends Array<infer U> ? Array<Loose<U>>
  : { [K in keyof T]: Loose<T[K]> };
"""
_DIAGNOSIS = re.compile(r"document(?P<document>\d+)\.ts\((?P<line>\d+),\d+\): error TS\d+: (?P<message>.*)")


@dataclass
class _Program:
    lines: list[str] = field(default_factory=list)
    places: list[str] = field(default_factory=list)

    def add(self, place: str, text: str) -> None:
        for line in text.splitlines():
            self.lines.append(line)
            self.places.append(place)

    def constant(self, place: str, kind: str, value: Any) -> None:
        text = json.dumps(value, indent=1, ensure_ascii=True)
        self.add(place, f"export const c{len(self.lines)}: {kind} = {text};")


def check_all(documents: Mapping[str, dict[str, Any]], workdir: Path) -> dict[str, list[str]]:
    """What is wrong with each dashboard, as `PANEL: what`; empty where nothing is. In one run of the compiler.

    Args:
        documents: Dashboards as Grafana loads them, by a name.
        workdir: Where the programs may be written.

    Raises:
        EnvironmentFault: Node.js, the compiler or the types are not there, or cannot be used.
    """
    tsc = _toolchain()
    modules = workdir / "node_modules"
    if not modules.exists():
        modules.symlink_to(_HERE / "node_modules", target_is_directory=True)
    programs = [_program(document) for document in documents.values()]
    for index, program in enumerate(programs):
        (workdir / f"document{index}.ts").write_text("\n".join(program.lines) + "\n", encoding="utf-8")
    files = [f"document{index}.ts" for index in range(len(programs))]
    done = subprocess.run(
        [*tsc, *_OPTIONS, *files], cwd=workdir, capture_output=True, text=True, timeout=300, check=False
    )
    found: list[list[str]] = [[] for _ in programs]
    for line in done.stdout.splitlines():
        match = _DIAGNOSIS.match(line)
        if match is not None:
            number = int(match["document"])
            place = programs[number].places[int(match["line"]) - 1]
            found[number].append(f"{place}: {match['message']}")
        elif not line.startswith(" "):
            raise EnvironmentFault(f"the compiler said: {line}", hint=_REMEDY)
    if done.returncode != 0 and not any(found):
        raise EnvironmentFault(
            f"the compiler ended with {done.returncode}: {done.stderr[-300:]}", hint=_REMEDY
        )
    return dict(zip(documents, found, strict=True))


def _toolchain() -> tuple[str, str]:
    modules = _HERE / "node_modules"
    wanted: dict[str, str] = json.loads((_HERE / "package.json").read_text())["devDependencies"]
    for name, version in wanted.items():
        manifest = modules / name / "package.json"
        there = json.loads(manifest.read_text())["version"] if manifest.is_file() else "nothing"
        if there != version:
            message = f"the judge of dashboards needs {name} {version}, and found {there}"
            raise EnvironmentFault(message, hint=_REMEDY)
    node = shutil.which("node")
    if node is None:
        raise EnvironmentFault("the judge of dashboards needs Node.js", hint=_REMEDY)
    return node, str(modules / "typescript/bin/tsc")


def _program(document: dict[str, Any]) -> _Program:
    program = _Program()
    program.add(
        "types", "import type { Dashboard, Panel, RowPanel, AnnotationQuery } from '@grafana/schema';"
    )
    program.add("types", f"import type * as CloudWatch from '{_COMPOSABLE}/{_QUERIES}';")
    for kind, module in _PANELS.items():
        program.add("types", f"import type * as {_name(kind)} from '{_COMPOSABLE}/{module}';")
    program.add("types", _LOOSE)
    annotations = document["annotations"]["list"]
    program.constant("dashboard", "Loose<Dashboard>", {**document, "panels": [], "annotations": {"list": []}})
    for annotation in annotations:
        # What a data source reads of an annotation is its own: `target` belongs to Grafana's, the texts to Prometheus's.
        program.constant(
            f"annotation {annotation['name']}",
            "Loose<Omit<AnnotationQuery, 'target'>> & Record<string, unknown>",
            annotation,
        )
    for panel in _panels(document["panels"]):
        place = f"{panel['type']} {panel['title']}"
        if panel["type"] == "row":
            program.constant(place, "Loose<RowPanel>", {**panel, "panels": []})
            continue
        program.constant(place, "Loose<Panel>", panel)
        if panel["type"] in _PANELS:
            name = _name(panel["type"])
            # Partial: a newer Grafana fills in options that an older one does not know.
            program.constant(f"{place}: options", f"Loose<Partial<{name}.Options>>", panel["options"])
            if panel["type"] in _WITH_FIELDS:
                custom = panel["fieldConfig"]["defaults"]["custom"]
                program.constant(f"{place}: fields", f"Loose<{name}.FieldConfig>", custom)
        for target in panel.get("targets", ()):
            if target["datasource"]["type"] == "cloudwatch":
                kind = "CloudWatchMetricsQuery" if target["queryMode"] == "Metrics" else "CloudWatchLogsQuery"
                program.constant(f"{place}: {target['refId']}", f"Loose<CloudWatch.{kind}>", target)
    return program


def _panels(panels: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    for panel in panels:
        yield panel
        yield from _panels(panel.get("panels", []))


def _name(kind: str) -> str:
    return "".join(part.capitalize() for part in kind.split("-"))

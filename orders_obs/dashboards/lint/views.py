"""A dashboard as the rules see it: its panels, queries and variables, whatever shape the JSON has."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from orders_obs.findings import Level

__all__ = [
    "BUILT_IN",
    "VARIABLE",
    "DashboardView",
    "Panel",
    "Said",
    "Target",
    "listed",
    "mapping",
    "number",
    "printable",
    "text",
    "variables_of",
]

VARIABLE = re.compile(r"\$\{(\w+)(?:\.[^:${}]+)?(?::[^${}]+)?\}|\[\[(\w+?)(?::\w+)?\]\]|\$(\w+)")
"""A variable in a text, in Grafana's three spellings."""
BUILT_IN = (
    "-- Mixed --",
    "-- Grafana --",
    "-- Dashboard --",
    "grafana",
    "mixed",
    "dashboard",
    "__expr__",
    "-100",
)
"""Data sources that Grafana brings: of several, of itself, of another panel, of expressions."""
_MANAGED = {
    "grafana-amazonprometheus-datasource": "prometheus",
    "grafana-azureprometheus-datasource": "prometheus",
    "victoriametrics-datasource": "victoriametrics",
}
_NAMED = ("loki", "tempo", "jaeger", "cloudwatch", "elastic", "influx", "victoria", "prometheus")
_DEEPEST = 20


@dataclass(frozen=True, slots=True)
class Said:
    """What a rule found.

    Attributes:
        message: One sentence.
        hint: What would be right.
        at: The part of the JSON that it is about, for the line.
        level: Where it differs from the rule's own.
    """

    message: str
    hint: str = ""
    at: Any = None
    level: Level | None = None


def mapping(value: Any) -> Mapping[str, Any]:
    """The value where it is an object, else an empty one."""
    return value if isinstance(value, dict) else {}


def listed(value: Any) -> list[dict[str, Any]]:
    """The objects of a list; empty for anything else."""
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def text(value: Any) -> str:
    """The value where it is a text, else an empty one."""
    return value if isinstance(value, str) else ""


def printable(words: str) -> str:
    """A text without what a terminal would obey or could not print; a dashboard and a file's name may hold anything."""
    return words if words.isprintable() else "".join(c if c.isprintable() else "\ufffd" for c in words)


def number(value: Any) -> float | None:
    """The value where it is a finite number, else None."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        return float(value) if abs(value) < 1e300 else None
    except OverflowError:
        return None


def variables_of(words: str) -> list[str]:
    """The names of the variables in a text; `$1` of a regular expression is none."""
    names = (found[1] or found[2] or found[3] for found in VARIABLE.finditer(words))
    return list(dict.fromkeys(name for name in names if not name[0].isdigit()))


@dataclass(frozen=True)
class Target:
    """A query of a panel."""

    json: dict[str, Any]
    panel: Panel

    @property
    def name(self) -> str:
        """For a sentence: `panel 'Requests', query A`."""
        return f"{self.panel.name}, query {text(self.json.get('refId')) or '?'}"

    @property
    def hidden(self) -> bool:
        """Whether it is only there for others to compute with."""
        return self.json.get("hide") is True

    @cached_property
    def kind(self) -> str:
        """The plugin of its data source, such as `prometheus`; empty where the dashboard does not say."""
        own = self.panel.view.kind_of(self.json.get("datasource"))
        return own or self.panel.view.kind_of(self.panel.json.get("datasource"))

    @property
    def instant_only(self) -> bool:
        """Whether it asks for one moment, not for a range."""
        return self.json.get("instant") is True and self.json.get("range") is not True


@dataclass(frozen=True)
class Panel:
    """A panel that shows something; `inside` is the row that holds it, None on the dashboard itself."""

    json: dict[str, Any]
    view: DashboardView
    inside: dict[str, Any] | None = None

    @property
    def name(self) -> str:
        """For a sentence: `panel 'Requests'`."""
        title = text(self.json.get("title")).strip()
        return f"panel {title!r}" if title else f"panel {self.json.get('id', '?')!s:.20}"

    @property
    def type(self) -> str:
        """Such as `timeseries`."""
        return text(self.json.get("type"))

    @cached_property
    def targets(self) -> list[Target]:
        """Its queries."""
        return [Target(item, self) for item in listed(self.json.get("targets"))]

    @property
    def defaults(self) -> Mapping[str, Any]:
        """The options of its fields."""
        return mapping(mapping(self.json.get("fieldConfig")).get("defaults"))

    @property
    def options(self) -> Mapping[str, Any]:
        """The options of its kind."""
        return mapping(self.json.get("options"))

    @property
    def is_reference(self) -> bool:
        """Whether it is a library panel, whose content is elsewhere."""
        return "libraryPanel" in self.json

    @property
    def reads_another(self) -> bool:
        """Whether it shows the data of another panel."""
        source = self.json.get("datasource")
        uid = mapping(source).get("uid") if isinstance(source, dict) else source
        return uid in ("-- Dashboard --", "dashboard")


class DashboardView:
    """A dashboard's JSON, read.

    Args:
        json: Of schema v1, without the API's wrapping.
    """

    def __init__(self, json: Mapping[str, Any]) -> None:
        self.json = json
        self.variables: dict[str, dict[str, Any]] = {}
        self.variable_list = listed(mapping(json.get("templating")).get("list"))
        for variable in self.variable_list:
            if name := text(variable.get("name")):
                self.variables.setdefault(name, variable)
        self.inputs = {text(item.get("name")): item for item in listed(json.get("__inputs"))} | {
            text(item.get("name")): item for item in listed(json.get("inputs"))
        }
        self.rows: list[dict[str, Any]] = []
        self.panels = list(self._panels(json, None, 0))
        for row in listed(json.get("rows")):
            self.panels += self._panels(row, row, 0)

    @property
    def schema(self) -> int:
        """Its schemaVersion, 0 where it has none."""
        return int(number(self.json.get("schemaVersion")) or 0)

    @property
    def is_v1_of_today(self) -> bool:
        """Whether it was last saved by Grafana 9 or newer, so that its forms are today's."""
        return self.schema >= 36

    @property
    def targets(self) -> Iterator[Target]:
        """The queries of all panels."""
        for panel in self.panels:
            yield from panel.targets

    @property
    def annotations(self) -> list[dict[str, Any]]:
        """What it marks on its graphs."""
        return listed(mapping(self.json.get("annotations")).get("list"))

    def _panels(self, holder: Any, inside: dict[str, Any] | None, depth: int) -> Iterator[Panel]:
        for item in listed(holder.get("panels")):
            if item.get("type") == "row":
                self.rows.append(item)
                if depth < _DEEPEST:
                    yield from self._panels(item, item, depth + 1)
            else:
                yield Panel(item, self, inside)

    def kind_of(self, source: Any) -> str:
        """The plugin of a data source as a panel, query or variable names it; empty where the dashboard does not say."""
        if isinstance(source, dict):
            name, kind = text(source.get("uid")), text(source.get("type"))
        else:
            name, kind = text(source), ""
        if kind == "mixed" or name == "-- Mixed --":
            return ""
        found = VARIABLE.fullmatch(name)
        if found is not None and VARIABLE.fullmatch(kind or "$x"):
            called = found[1] or found[2] or found[3]
            variable = self.variables.get(called, {})
            kind = text(variable.get("query")) if variable.get("type") == "datasource" else ""
            kind = kind or text(self.inputs.get(called, {}).get("pluginId"))
        if not kind and name not in BUILT_IN:
            kind = next((word for word in _NAMED if word in name.lower()), "")
        return _MANAGED.get(kind, kind.lower())

"""The Prometheus queries of Grafana's dashboards: panels, annotations and variables, with Grafana's own words filled in."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from orders_obs.alerts.contract.model import Query
from orders_obs.alerts.contract.used import Used
from orders_obs.alerts.nodes import read_text
from orders_obs.alerts.promql import parse
from orders_obs.alerts.promql.fill import fill
from orders_obs.errors import UserError
from orders_obs.findings import Finding

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

__all__ = ["VARIABLE", "dashboard_queries"]

VARIABLE = "__grafana_variable__"
"""What stands for a variable of a dashboard in a name, a label or a value."""

_VARIABLE = re.compile(r"\$\{(\w+)(?:[.:][^${}]*)?\}|\[\[(\w+)(?::\w+)?\]\]|\$(\w+)")
_NUMBERS = frozenset(
    {
        "__range_s",
        "__range_ms",
        "__interval_ms",
        "__rate_interval_ms",
        "__from",
        "__to",
        "__dashboard",
        "__org",
    }
)
_DURATIONS = frozenset({"__rate_interval", "__interval", "__range"})
_QUOTES = "\"'`"
_KEYS = ("panels", "rows", "templating", "annotations", "elements")


def dashboard_queries(path: Path | str) -> Used:
    """What a dashboard, or each `*.json` of a folder, asks Prometheus.

    In a folder, JSON that is no dashboard is left out.

    Raises:
        UserError: It cannot be read, or is no dashboard.
    """
    path = Path(path)
    if not path.is_dir():
        return _read(path, named=True)
    used = Used()
    for file in sorted(path.rglob("*.json")):
        if not any(part == "node_modules" or part.startswith(".") for part in file.relative_to(path).parts):
            used.add(_read(file, named=False))
    return used


def _read(path: Path, *, named: bool) -> Used:
    text = read_text(path)
    try:
        content = json.loads(text)
    except json.JSONDecodeError as error:
        raise UserError(f"is not JSON: {error.msg}", file=path, line=error.lineno) from None
    except RecursionError:
        raise UserError("is nested too deeply", file=path) from None
    for wrapper in ("dashboard", "spec"):
        if isinstance(content, dict) and not any(key in content for key in _KEYS):
            content = content.get(wrapper, content)
    if not isinstance(content, dict) or not any(key in content for key in _KEYS):
        if named:
            raise UserError("is no dashboard of Grafana", hint="it has no `panels`", file=path)
        return Used()
    return _Dashboard(path, text, content).read()


@dataclass(slots=True)
class _Dashboard:
    path: Path
    text: str
    content: Mapping[str, Any]
    used: Used = field(default_factory=Used)
    variables: dict[str, Mapping[str, Any]] = field(default_factory=dict)

    def read(self) -> Used:
        listed = _mapping(self.content.get("templating")).get("list") or ()
        self.variables = {str(one["name"]): one for one in listed if isinstance(one, dict) and "name" in one}
        for panel in _panels(self.content):
            self._panel(panel)
        for element in _mapping(self.content.get("elements")).values():
            self._element(_mapping(element))
        for annotation in _mapping(self.content.get("annotations")).get("list") or ():
            if isinstance(annotation, dict):
                target = _mapping(annotation.get("target"))
                kind = self._kind(annotation.get("datasource"))
                text = annotation.get("expr") or target.get("expr")
                self._query(f"annotation {annotation.get('name', '')!r}", text, kind)
        for name, variable in self.variables.items():
            if variable.get("type") == "query":
                self._variable(name, variable)
        return self.used

    def _panel(self, panel: Mapping[str, Any]) -> None:
        title = f"panel {str(panel.get('title') or panel.get('id', ''))!r}"
        unit = str(
            _mapping(_mapping(panel.get("fieldConfig")).get("defaults")).get("unit")
            or panel.get("format")
            or ""
        )
        for target in panel.get("targets") or ():
            if isinstance(target, dict):
                kind = self._kind(target.get("datasource")) or self._kind(panel.get("datasource"))
                self._query(title, target.get("expr"), kind, unit)

    def _element(self, element: Mapping[str, Any]) -> None:
        """A panel of the newer form, in which each query says what it is."""
        spec = _mapping(element.get("spec"))
        title = f"panel {str(spec.get('title', ''))!r}"
        defaults = _mapping(
            _mapping(_mapping(_mapping(spec.get("vizConfig")).get("spec")).get("fieldConfig")).get("defaults")
        )
        for found in _mapping(_mapping(spec.get("data")).get("spec")).get("queries") or ():
            query = _mapping(_mapping(_mapping(found).get("spec")).get("query"))
            kind = str(query.get("group") or query.get("kind") or "")
            self._query(
                title, _mapping(query.get("spec")).get("expr"), kind.lower(), str(defaults.get("unit") or "")
            )

    def _variable(self, name: str, variable: Mapping[str, Any]) -> None:
        query = variable.get("query")
        text = query.get("query") if isinstance(query, dict) else query
        kind = self._kind(variable.get("datasource"))
        if not isinstance(text, str) or kind not in ("", "prometheus"):
            return
        text = text.strip()
        what = f"variable {name!r}"
        values = re.fullmatch(r"label_values\(\s*(?:(.+?)\s*,\s*)?([\w$\[\]{}:]+)\s*\)", text, re.DOTALL)
        result = re.fullmatch(r"query_result\((.+)\)", text, re.DOTALL)
        names = re.fullmatch(r"metrics\((.*)\)", text, re.DOTALL)
        if values is not None and values[1]:
            label = VARIABLE if _VARIABLE.search(values[2]) else values[2]
            self._query(what, values[1], kind, labels=(label,))
        elif result is not None:
            self._query(what, result[1], kind)
        elif names is not None and names[1]:
            pattern = names[1].strip().strip(_QUOTES)
            self._query(what, "{__name__=~" + json.dumps(f".*{pattern}.*") + "}", kind)
        elif not re.match(r"label_(values|names)\(", text) and kind == "prometheus":
            self._query(what, text, kind)

    def _query(
        self, name: str, text: Any, kind: str, unit: str = "", *, labels: tuple[str, ...] = ()
    ) -> None:
        if not isinstance(text, str) or not text.strip() or kind not in ("", "prometheus"):
            return
        where = self._where(text)
        fault = ""
        for attempt in _attempts(text, self.variables):
            try:
                tree = parse(attempt)
            except ValueError as error:
                fault = fault or str(error)
                continue
            self.used.queries.append(Query(where, name, tree, text, "dashboard", unit, labels))
            return
        self.used.findings.append(
            Finding(
                "dashboard-query-unparsable",
                "error" if kind == "prometheus" else "info",
                where,
                f"{name}: `{_short(text)}` is no PromQL: {fault}",
                "the panel shows an error; open it in Grafana's editor"
                if kind == "prometheus"
                else "give its data source a type, if it is one of Prometheus",
            )
        )

    def _kind(self, source: Any) -> str:
        """The plugin of a data source in one word; empty where the dashboard does not say."""
        if isinstance(source, dict):
            name, kind = str(source.get("uid", "")), str(source.get("type") or "")
        else:
            name, kind = str(source or ""), ""
        variable = _VARIABLE.fullmatch(name)
        if not kind and variable is not None:
            found = self.variables.get(variable[1] or variable[2] or variable[3], {})
            kind = str(found.get("query") or "") if found.get("type") == "datasource" else ""
        if not kind:
            kind = next(
                (
                    word
                    for word in ("loki", "tempo", "jaeger", "cloudwatch", "elastic")
                    if word in name.lower()
                ),
                "",
            )
        managed = kind in ("grafana-amazonprometheus-datasource", "grafana-azureprometheus-datasource")
        return "prometheus" if managed else "" if kind == "mixed" or name == "-- Mixed --" else kind.lower()

    def _where(self, text: str) -> str:
        for quoted in (json.dumps(text), json.dumps(text, ensure_ascii=False)):
            at = self.text.find(quoted)
            if at >= 0:
                return f"{self.path}:{self.text.count(chr(10), 0, at) + 1}"
        return str(self.path)


def _panels(content: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    for row in content.get("rows") or ():
        if isinstance(row, dict):
            yield from _panels(row)
    for panel in content.get("panels") or ():
        if isinstance(panel, dict):
            yield panel
            yield from _panels(panel)


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _short(text: str) -> str:
    text = " ".join(text.split())
    return text if len(text) <= 80 else f"{text[:77]}..."


def _attempts(text: str, variables: Mapping[str, Mapping[str, Any]]) -> Iterator[str]:
    """The query with its variables filled in, in the ways that they may be meant."""
    yield _filled(text, variables, VARIABLE)
    yield _filled(text, variables, "1")
    current = _filled(text, variables, "")
    if current:
        yield current


def _filled(text: str, variables: Mapping[str, Mapping[str, Any]], word: str) -> str:
    """The query with each variable outside of texts as `word`, or as what the dashboard has chosen where that is empty."""

    def instead(found: re.Match[str], quote: str, in_range: bool, before: str) -> str:
        name = found[1] or found[2] or found[3]
        return VARIABLE if quote else _instead(name, variables, word, in_range=in_range, before=before)

    return fill(text, _VARIABLE, instead)


def _instead(
    name: str, variables: Mapping[str, Mapping[str, Any]], word: str, *, in_range: bool, before: str
) -> str:
    if in_range or name in _DURATIONS or before.rstrip().endswith("offset"):
        return "1" if before[-1:].isdigit() else "5m"
    if name in _NUMBERS:
        return "1"
    if word:
        return word
    value = _mapping(_mapping(variables.get(name)).get("current")).get("value")
    return str(value) if isinstance(value, (str, int, float)) else VARIABLE

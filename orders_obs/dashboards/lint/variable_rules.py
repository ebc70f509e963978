"""Rules on variables: defined, used, asked for in a way that gives values, and compared in a way that takes several."""

from __future__ import annotations

import difflib
import re
from typing import TYPE_CHECKING, Any

from orders_obs.alerts.promql import uses
from orders_obs.dashboards.lint.known import GLOBALS
from orders_obs.dashboards.lint.queries import PLACEHOLDER, variable_query
from orders_obs.dashboards.lint.views import Said, mapping, text, variables_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from orders_obs.dashboards.lint.queries import PromQuery
    from orders_obs.dashboards.lint.views import DashboardView

__all__ = [
    "cycle",
    "duplicate",
    "global_unknown",
    "job_missing",
    "matcher_missing",
    "multi_compared",
    "never_refreshed",
    "query_broken",
    "regex_broken",
    "strings",
    "undefined",
    "unused",
]

# What Grafana 12 and newer give without a definition, besides all that begins with two underscores.
_GIVEN = frozenset({"timezone"})
_JUDGED = ("", "prometheus", "loki", "cloudwatch")
_DEEPEST = 60


def strings(value: Any, path: str = "", depth: int = 0) -> Iterator[tuple[str, str]]:
    """Every text below a value, each with its path."""
    if isinstance(value, str):
        yield path, value
    elif depth > _DEEPEST:
        return
    elif isinstance(value, dict):
        for key, item in value.items():
            yield from strings(item, f"{path}.{key}" if path else str(key), depth + 1)
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from strings(item, f"{path}[{index}]", depth + 1)


def undefined(view: DashboardView) -> Iterator[Said]:
    for name, words, at in _asking(view):
        for variable in variables_of(words):
            known = variable in view.variables or variable in view.inputs or variable in _GIVEN
            if not known and not variable.startswith("__"):
                yield Said(
                    f"{name} uses ${variable}, which the dashboard does not define, so it is sent as it is written",
                    f"a variable {variable!r}, or its value",
                    at,
                )


def global_unknown(view: DashboardView) -> Iterator[Said]:
    for name, words, at in _asking(view):
        # A data source that is not named may have macros of its own, as SQL has; what has `expr` speaks PromQL or LogQL.
        if view.kind_of(at.get("datasource")) == "" and "expr" not in at:
            continue
        for variable in variables_of(words):
            if variable in view.variables or variable in view.inputs or not variable.startswith("__"):
                continue
            if variable not in GLOBALS:
                begun = sorted((one for one in GLOBALS if one.startswith(variable)), key=len)
                near = begun or difflib.get_close_matches(variable[:60], sorted(GLOBALS), 1)
                yield Said(
                    f"{name} uses ${variable:.60}, which Grafana does not know, so it is sent as it is written",
                    f"did you mean ${near[0]}?"
                    if near
                    else "one of Grafana's global variables, such as $__rate_interval",
                    at,
                )


_SHOWN_ONLY = ("legendFormat", "label", "alias", "refId")


def _asking(view: DashboardView) -> Iterator[tuple[str, str, Any]]:
    """The texts that ask for data, each with what it belongs to."""
    for panel in view.panels:
        repeat = panel.json.get("repeat")
        if isinstance(repeat, str) and repeat:
            yield panel.name, f"${repeat}" if re.fullmatch(r"\w+", repeat) else "", panel.json
        for _, words in strings(panel.json.get("datasource")):
            yield panel.name, words, panel.json
        for target in panel.targets:
            for _, words in strings(target.json.get("datasource")):
                yield target.name, words, target.json
            if target.kind in _JUDGED:
                for key, item in target.json.items():
                    if key not in (*_SHOWN_ONLY, "datasource"):
                        for _, words in strings(item):
                            yield target.name, words, target.json
    for row in view.rows:
        repeat = row.get("repeat")
        if isinstance(repeat, str) and re.fullmatch(r"\w+", repeat):
            yield f"row {text(row.get('title'))!r}", f"${repeat}", row
    for annotation in view.annotations:
        if view.kind_of(annotation.get("datasource")) in _JUDGED:
            for key in ("datasource", "expr", "target"):
                for _, words in strings(annotation.get(key)):
                    yield f"annotation {text(annotation.get('name'))!r:.60}", words, annotation
    for name, variable in view.variables.items():
        if variable.get("type") == "query" and view.kind_of(variable.get("datasource")) in _JUDGED:
            for key in ("datasource", "query"):
                for _, words in strings(variable.get(key)):
                    yield f"variable {name!r}", words, variable


def unused(view: DashboardView) -> Iterator[Said]:
    shown = {
        key: value for key, value in view.json.items() if key not in ("templating", "__inputs", "__requires")
    }
    used = _named(shown)
    by_variable = {
        name: _named({k: v for k, v in variable.items() if k not in ("name", "current", "options", "label")})
        for name, variable in view.variables.items()
    }
    for name, variable in view.variables.items():
        others = (names for other, names in by_variable.items() if other != name)
        if (
            name not in used
            and not any(name in names for names in others)
            and variable.get("type") != "adhoc"
        ):
            yield Said(
                f"variable {name!r} is used by nothing, so choosing a value changes nothing",
                "use it, or take it out",
                variable,
            )


def _named(value: Any) -> set[str]:
    found: set[str] = set()
    for path, words in strings(value):
        if "$" in words or "[[" in words:
            found.update(variables_of(words))
        if path.endswith(("repeat", "variable")):
            found.add(words)
        if "var-" in words:
            found.update(re.findall(r"var-(\w+)", words))
    return found


def duplicate(view: DashboardView) -> Iterator[Said]:
    seen = set()
    for variable in view.variable_list:
        name = text(variable.get("name"))
        if name and name in seen:
            yield Said(
                f"two variables have the name {name!r}, so one is never asked", "another name", variable
            )
        seen.add(name)


def query_broken(view: DashboardView) -> Iterator[Said]:
    for name, variable in view.variables.items():
        if variable.get("type") != "query":
            continue
        query = variable_query(name, variable, view)
        if isinstance(query, str):
            yield Said(f"variable {name!r} {query}", "label_values(metric, label)", variable)
        elif query is not None and query.tree is None and query.sure:
            yield Said(
                f"variable {name!r}: `{query.text:.80}` is no PromQL: {query.fault}",
                "label_values(metric, label)",
                variable,
            )


def regex_broken(view: DashboardView) -> Iterator[Said]:
    for name, variable in view.variables.items():
        regex = text(variable.get("regex"))
        if regex.startswith("/") and not re.search(r"/[gimsuy]*\Z", regex[1:]):
            yield Said(
                f"variable {name!r}: the regex {regex!r:.60} begins with a slash and does not end with one",
                "/…/",
                variable,
            )


def cycle(view: DashboardView) -> Iterator[Said]:
    needs = {
        name: [other for _, words in strings(variable.get("query")) for other in variables_of(words)]
        for name, variable in view.variables.items()
        if variable.get("type") == "query"
    }
    for name, first in needs.items():
        reached: list[str] = []
        ahead = list(first)
        while ahead:
            other = ahead.pop()
            if other not in reached:
                reached.append(other)
                ahead += needs.get(other, [])
        if name in reached:
            yield Said(
                f"variable {name!r} is asked for with its own value, so it never gets one",
                "take it out of its query",
                view.variables[name],
            )


def never_refreshed(view: DashboardView) -> Iterator[Said]:
    for name, variable in view.variables.items():
        if variable.get("type") != "query":
            continue
        refresh = variable.get("refresh")
        if refresh in (None, 0, False):
            yield Said(
                f"variable {name!r} is never asked again: it offers what was there when the dashboard was saved",
                "refresh: 2, when the time range changes",
                variable,
            )
        elif refresh == 1 and view.kind_of(variable.get("datasource")) in ("", "prometheus", "loki"):
            # CloudWatch names the dimensions of two weeks, whatever the range.
            yield Said(
                f"variable {name!r} is asked at load only: another time range offers what is there now",
                "refresh: 2, when the time range changes",
                variable,
                "info",
            )


def _takes_several(variable: Any) -> bool:
    return mapping(variable).get("multi") is True or mapping(variable).get("includeAll") is True


def multi_compared(view: DashboardView, queries: Sequence[PromQuery]) -> Iterator[Said]:
    for query in queries:
        said = set()
        for use in uses(query.tree) if query.tree is not None else ():
            for matcher in use.matchers:
                name = matcher.value.removeprefix(PLACEHOLDER)
                whole = matcher.value.startswith(PLACEHOLDER) and _takes_several(view.variables.get(name))
                if whole and matcher.op in ("=", "!=") and not _formatted(query.text, name):
                    said.add((matcher.label, matcher.op, name))
        for label, op, name in sorted(said):
            yield Said(
                f"{query.name} compares {label} by `{op}` with ${name}, which can be several values: then nothing matches",
                f'{label}{"=~" if op == "=" else "!~"}"${name}"',
                query.at,
            )
    for target in view.targets:
        for found in _EQUALS.finditer(text(target.json.get("expr"))) if target.kind == "loki" else ():
            name = found[3] or found[4]
            if _takes_several(view.variables.get(name)):
                yield Said(
                    f"{target.name} compares {found[1]} by `{found[2]}` with ${name}, which can be several values: then nothing matches",
                    f'{found[1]}{"=~" if found[2] == "=" else "!~"}"${name}"',
                    target.json,
                )


_EQUALS = re.compile(r'(?<![\w.])([\w.]+)\s*(!?=)\s*"(?:\$(\w+)|\$\{(\w+)\})"')


def _formatted(words: str, name: str) -> bool:
    return re.search(rf"\$\{{{re.escape(name)}:(?:text|raw|queryparam|value)", words) is not None


def job_missing(view: DashboardView, queries: Sequence[PromQuery]) -> Iterator[Said]:
    if any(query.target is not None for query in queries) and not view.variables.keys() & {"job", "instance", "cluster", "namespace", "service"}:  # fmt: skip
        yield Said(
            "the dashboard has no variable for job or instance, so it mixes all that share a metric",
            "a variable `job`: label_values(metric, job)",
        )


def matcher_missing(view: DashboardView, queries: Sequence[PromQuery]) -> Iterator[Said]:
    for label in ("job", "instance"):
        if label not in view.variables:
            continue
        for query in queries:
            if query.tree is None or query.target is None or label in query.names:
                continue
            without = [
                use.metric for use in uses(query.tree) if not any(m.label == label for m in use.matchers)
            ]
            if without:
                yield Said(
                    f"{query.name} does not go by ${label}, which the dashboard offers: {without[0] or 'a selector'} is of all",
                    f'{label}=~"${label}"',
                    query.at,
                )

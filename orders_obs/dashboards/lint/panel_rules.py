"""Rules on what a panel says of itself: title, unit, data source, thresholds, reducers, overrides."""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING, Any

from orders_obs.dashboards.lint import structure
from orders_obs.dashboards.lint.known import (
    ANGULAR,
    MATCHERS,
    MIGRATED,
    NEWER_KEYS,
    NUMERIC_PANELS,
    OLD_PROPERTIES,
    OLD_UNITS,
    PLAIN_PANELS,
    PROPERTIES,
    REDUCING,
    TRANSFORMATIONS,
    is_reducer,
    is_unit,
)
from orders_obs.dashboards.lint.views import BUILT_IN, VARIABLE, Said, listed, mapping, number, text

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from orders_obs.dashboards.lint.views import DashboardView, Panel, Target

__all__ = [
    "datasource_hard_wired",
    "datasource_missing",
    "description_missing",
    "legacy_alert",
    "matcher_unknown",
    "property_unknown",
    "reducer_missing",
    "reducer_unknown",
    "targets_missing",
    "thresholds_first",
    "thresholds_order",
    "title_missing",
    "transformation_unknown",
    "unit_missing",
    "unit_unknown",
]


def _shown(view: DashboardView) -> Iterator[Panel]:
    """The panels whose content is here and that show data."""
    for panel in view.panels:
        if not panel.is_reference and panel.type and panel.type not in PLAIN_PANELS:
            yield panel


def title_missing(view: DashboardView) -> Iterator[Said]:
    for panel in _shown(view):
        if not text(panel.json.get("title")).strip():
            yield Said(
                f"{panel.name} has no title, so nobody knows what it shows", "say what is shown", panel.json
            )


def description_missing(view: DashboardView) -> Iterator[Said]:
    for panel in _shown(view):
        if not text(panel.json.get("description")).strip():
            yield Said(
                f"{panel.name} has no description", "say what is counted, and when it is bad", panel.json
            )


def legacy_alert(view: DashboardView) -> Iterator[Said]:
    for panel in view.panels:
        if isinstance(panel.json.get("alert"), dict):
            yield Said(
                f"{panel.name} holds an alert of the old kind, which no Grafana from 11 on evaluates",
                "make it an alert rule, and take it out here",
                panel.json,
            )


# Units

_NEAR = 0.85


def unit_missing(view: DashboardView) -> Iterator[Said]:
    for panel in _shown(view):
        if panel.type not in NUMERIC_PANELS or panel.defaults.get("mappings"):
            continue
        if mapping(panel.options.get("reduceOptions")).get("fields"):
            continue  # it shows a text, not a number
        if panel.type == "heatmap" or panel.type in MIGRATED:
            said = bool(list(_unit_words(panel)))
        else:
            said = bool(text(panel.defaults.get("unit"))) or _by_override(panel)
        if not said:
            yield Said(f"{panel.name} has no unit", "`none` or `short` where there is none", panel.json)


def _by_override(panel: Panel) -> bool:
    return any(
        entry.get("id") == "unit"
        for override in _overrides(panel)
        for entry in listed(override["properties"])
    )


def _unit_words(panel: Panel) -> Iterator[str]:
    """The units that a panel names, in its old forms too."""
    words: list[Any] = [
        panel.defaults.get("unit"),
        panel.json.get("format"),
        mapping(panel.options.get("yAxis")).get("unit"),
        mapping(panel.json.get("yAxis")).get("format"),
        *(axis.get("format") for axis in listed(panel.json.get("yaxes")) if axis.get("show") is not False),
    ]
    for override in _overrides(panel):
        words += [item.get("value") for item in listed(override["properties"]) if item.get("id") == "unit"]
    yield from (word for word in words if isinstance(word, str) and word)


def unit_unknown(view: DashboardView) -> Iterator[Said]:
    ids = structure.units()
    for panel in view.panels:
        for word in dict.fromkeys(_unit_words(panel)):
            if is_unit(word, ids):
                continue
            near = OLD_UNITS.get(word) or next(
                iter(difflib.get_close_matches(word[:60], sorted(ids), 1, _NEAR)), ""
            )
            # Grafana writes a unit that it does not know behind the number, and some mean just that.
            yield Said(
                f"{panel.name}: {word!r} is no unit of Grafana, which writes it behind the number as it is",
                f"did you mean {near!r}? Else `suffix:{word}`" if near else f"`suffix:{word}` says so",
                panel.json,
                None if near else "info",
            )


# Data


_ASKS = {"expression", "metricName", "query", "queryType", "rawSql", "target"}


def targets_missing(view: DashboardView) -> Iterator[Said]:
    for panel in _shown(view):
        known = panel.type in NUMERIC_PANELS or panel.type in ("table", "logs", "piechart")
        if not known or panel.json.get("snapshotData"):
            continue
        if not panel.targets:
            yield Said(f"{panel.name} has no query", "give it one, or take it out", panel.json)
        elif all(target.hidden or _is_empty(target) for target in panel.targets):
            one = len(panel.targets) == 1
            each = f"{'its only query' if one else 'each query'} is {'empty' if _is_empty(panel.targets[0]) else 'hidden'}"
            yield Said(f"{panel.name} shows nothing: {each}", "write it, show it, or take it out", panel.json)


def _is_empty(target: Target) -> bool:
    """Whether a query of Prometheus or Loki asks nothing; of another source it may stand under another key."""
    asked = target.json.get("expr")
    if target.kind in ("prometheus", "loki"):
        return not text(asked).strip()
    return not target.kind and isinstance(asked, str) and not asked.strip() and not target.json.keys() & _ASKS


def _sources(view: DashboardView) -> Iterator[tuple[str, Any, Any]]:
    for panel in _shown(view):
        yield panel.name, panel.json.get("datasource"), panel.json
        for target in panel.targets:
            yield target.name, target.json.get("datasource"), target.json
    for name, variable in view.variables.items():
        if variable.get("type") == "query":
            yield f"variable {name!r}", variable.get("datasource"), variable


def datasource_missing(view: DashboardView) -> Iterator[Said]:
    for panel in _shown(view):
        own = panel.json.get("datasource")
        mixed = own in ("-- Mixed --", "mixed") or mapping(own).get("uid") in ("-- Mixed --", "mixed")
        for target in panel.targets:
            if not mixed and own not in (None, "", {}):
                continue
            if target.json.get("datasource") in (None, "", {}):
                if mixed:
                    yield Said(
                        f"{target.name} names no data source, in a panel of mixed ones",
                        "name it in each query",
                        target.json,
                        "error",
                    )
                elif own in (None, "", {}):
                    yield Said(
                        f"{panel.name} names no data source, so it asks whichever is the default one",
                        "datasource: {type: prometheus, uid: ${datasource}}",
                        panel.json,
                    )
                    break


def datasource_hard_wired(view: DashboardView) -> Iterator[Said]:
    seen = set()
    for name, source, at in _sources(view):
        uid = text(mapping(source).get("uid")) if isinstance(source, dict) else text(source)
        if not uid or uid in BUILT_IN or VARIABLE.search(uid) or uid in seen:
            continue
        seen.add(uid)
        yield Said(
            f"{name} names the data source {uid!r}, which another Grafana does not have",
            "a variable of the type datasource, and ${datasource} as the uid",
            at,
        )


# Thresholds


def _threshold_lists(panel: Panel) -> Iterator[list[dict[str, Any]]]:
    yield listed(mapping(panel.defaults.get("thresholds")).get("steps"))
    for override in _overrides(panel):
        for item in listed(override["properties"]):
            if item.get("id") == "thresholds":
                yield listed(mapping(item.get("value")).get("steps"))


def thresholds_first(view: DashboardView) -> Iterator[Said]:
    for panel in view.panels:
        for steps in _threshold_lists(panel):
            # Grafana 12 and newer write a 0 there themselves.
            if steps and steps[0].get("value") not in (None, 0):
                yield Said(
                    f"{panel.name}: the first threshold is {steps[0]['value']!r:.40}, and Grafana takes it for the base, below all",
                    "a first step whose value is null",
                    panel.json,
                )


def thresholds_order(view: DashboardView) -> Iterator[Said]:
    for panel in view.panels:
        for steps in _threshold_lists(panel):
            values = [value for step in steps[1:] if (value := number(step.get("value"))) is not None]
            if values != sorted(values):
                said = ", ".join(f"{value:g}" for value in values)
                yield Said(
                    f"{panel.name}: the thresholds {said} do not ascend, so a colour never shows",
                    "in ascending order",
                    panel.json,
                )
            if any(step.get("value") is None for step in steps[1:]):
                yield Said(
                    f"{panel.name}: a threshold after the first has no value",
                    "only the base has none",
                    panel.json,
                )


# Reducers, overrides, transformations


def _calcs(panel: Panel) -> Iterator[str]:
    holders = [
        mapping(panel.options.get("reduceOptions")).get("calcs"),
        mapping(panel.options.get("legend")).get("calcs"),
        mapping(panel.options.get("footer")).get("reducer"),
    ]
    for item in listed(panel.json.get("transformations")):
        options = mapping(item.get("options"))
        if item.get("id") == "reduce":
            holders.append(options.get("reducers"))
        if item.get("id") == "calculateField":
            holders.append([mapping(options.get("reduce")).get("reducer")])
        if item.get("id") == "groupBy":
            fields = mapping(options.get("fields")).values()
            holders += [mapping(field).get("aggregations") for field in fields]
    for holder in holders:
        yield from (word for word in holder if isinstance(word, str)) if isinstance(holder, list) else ()


def reducer_unknown(view: DashboardView) -> Iterator[Said]:
    for panel in view.panels:
        for word in dict.fromkeys(_calcs(panel)):
            if not is_reducer(word):
                yield Said(
                    f"{panel.name}: {word!r} computes nothing that Grafana knows",
                    _near(word, ("lastNotNull", "mean", "max", "min", "sum", "count", "last", "median", "p95", "p99")),
                    panel.json,
                )  # fmt: skip


def reducer_missing(view: DashboardView) -> Iterator[Said]:
    for panel in _shown(view):
        if (
            panel.type not in REDUCING
            or "fieldOptions" in panel.options
            or not panel.json.get("pluginVersion")
        ):
            continue
        how = mapping(panel.options.get("reduceOptions"))
        if how.get("values") is not True and not how.get("calcs"):
            yield Said(
                f"{panel.name} does not say how one value is made of a series, so Grafana takes one of its own",
                "options.reduceOptions.calcs: [lastNotNull]",
                panel.json,
            )


def _overrides(panel: Panel) -> Iterator[dict[str, Any]]:
    for override in listed(mapping(panel.json.get("fieldConfig")).get("overrides")):
        yield {"matcher": override.get("matcher"), "properties": override.get("properties")}


def matcher_unknown(view: DashboardView) -> Iterator[Said]:
    for panel in view.panels:
        for override in _overrides(panel):
            name = mapping(override["matcher"]).get("id")
            if not isinstance(name, str) or name not in MATCHERS:
                yield Said(
                    f"{panel.name}: an override chooses its fields by {name!r:.40}, which Grafana does not know",
                    _near(str(name), MATCHERS),
                    panel.json,
                )


def property_unknown(view: DashboardView) -> Iterator[Said]:
    for panel in view.panels:
        if panel.type in ANGULAR or panel.type in MIGRATED:
            continue
        custom = structure.custom_fields(panel.type)
        for name in dict.fromkeys(
            item.get("id") for override in _overrides(panel) for item in listed(override["properties"])
            if isinstance(item.get("id"), str)
        ):  # fmt: skip
            if name in PROPERTIES or name in OLD_PROPERTIES:
                continue
            head, dot, rest = str(name).partition(".")
            if (
                head == "custom"
                and dot
                and (custom is None or rest.partition(".")[0] in (*custom, *NEWER_KEYS))
            ):
                continue
            known = [*PROPERTIES, *(f"custom.{field}" for field in custom or ())]
            yield Said(
                f"{panel.name}: an override sets {name!r:.60}, which a {panel.type or 'panel'} does not have",
                _near(str(name), known),
                panel.json,
            )


def transformation_unknown(view: DashboardView) -> Iterator[Said]:
    for panel in view.panels:
        for item in listed(panel.json.get("transformations")):
            name = item.get("id")
            if not isinstance(name, str) or name not in TRANSFORMATIONS:
                yield Said(
                    f"{panel.name}: {name!r:.40} is no transformation of Grafana's",
                    _near(str(name), TRANSFORMATIONS),
                    panel.json,
                )


def _near(word: str, known: Iterable[str]) -> str:
    near = difflib.get_close_matches(word[:60], sorted(known), 1)
    return f"did you mean {near[0]}?" if near else ""

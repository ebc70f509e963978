"""Rules on queries of CloudWatch: metrics, dimensions and statistics that are there, ids that metric math can read."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from orders_obs.alerts.lint.cloudwatch import metric_rules
from orders_obs.alerts.lint.cloudwatch.metric_math import names, parse
from orders_obs.alerts.lint.cloudwatch.views import AlarmView
from orders_obs.dashboards.lint.views import Said, mapping, text

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from orders_obs.alerts.lint.cloudwatch.views import Said as AlarmSaid
    from orders_obs.dashboards.lint.views import DashboardView, Panel, Target

__all__ = [
    "dimension_value",
    "dimensions_unknown",
    "id_invalid",
    "id_unknown",
    "log_group_missing",
    "metric_unknown",
    "statistic_meaningless",
]

_ID = re.compile(r"[a-z][A-Za-z0-9_]*")
_PLAIN = ("Average", "Sum", "Minimum", "Maximum", "SampleCount")


def _targets(view: DashboardView, mode: str) -> Iterator[Target]:
    for target in view.targets:
        if target.kind == "cloudwatch" and (text(target.json.get("queryMode")) or "Metrics") == mode:
            yield target


def _metric(target: Target) -> AlarmView | None:
    """A query of one metric as an alarm on it would name it; None where a variable or an expression decides."""
    json = target.json
    if (
        json.get("metricQueryType") in (1, "1")
        or json.get("metricEditorMode") in (1, "1")
        or text(json.get("expression")).strip()
    ):
        return None
    space, name = text(json.get("namespace")), text(json.get("metricName"))
    if not space or not name or "$" in space + name:
        return None
    arguments: dict[str, Any] = {"AlarmName": target.name, "Namespace": space, "MetricName": name}
    dimensions = []
    for key, value in mapping(json.get("dimensions")).items():
        values = value if isinstance(value, list) else [value]
        dimensions.append({"Name": key, "Value": str(values[0]) if values else ""})
    arguments["Dimensions"] = dimensions
    statistic = text(json.get("statistic"))
    if statistic in _PLAIN:
        arguments["Statistic"] = statistic
    elif statistic and "$" not in statistic:
        arguments["ExtendedStatistic"] = statistic
    return AlarmView(arguments, "")


def _said(
    view: DashboardView, rule: Callable[[AlarmView], Iterable[AlarmSaid]], *, exact: bool = False
) -> Iterator[Said]:
    for target in _targets(view, "Metrics"):
        alarm = _metric(target)
        if alarm is None or (exact and not _is_exact(target)):
            continue
        for said in rule(alarm):
            yield Said(f"{target.name}: {said.message}", said.hint, target.json, said.level or None)


def _is_exact(target: Target) -> bool:
    """Whether the dimensions are all that the metric has: a search, which a star or no exact match makes, finds more."""
    dimensions = mapping(target.json.get("dimensions"))
    values = [
        item for value in dimensions.values() for item in (value if isinstance(value, list) else [value])
    ]
    return (
        target.json.get("matchExact") is not False
        and "*" not in values
        and not any("$" in key for key in dimensions)
    )


def metric_unknown(view: DashboardView) -> Iterator[Said]:
    return _said(view, metric_rules.metric_unknown)


def dimensions_unknown(view: DashboardView) -> Iterator[Said]:
    return _said(view, metric_rules.dimension_set_unknown, exact=True)


def dimension_value(view: DashboardView) -> Iterator[Said]:
    def plain(alarm: AlarmView) -> Iterator[AlarmSaid]:
        listed = [one for one in alarm.arguments["Dimensions"] if not {"$", "*"} & set(one["Value"])]
        return metric_rules.dimension_value_form(AlarmView({**alarm.arguments, "Dimensions": listed}, ""))

    return _said(view, plain)


def statistic_meaningless(view: DashboardView) -> Iterator[Said]:
    return _said(view, metric_rules.statistic_meaningless)


def log_group_missing(view: DashboardView) -> Iterator[Said]:
    for target in _targets(view, "Logs"):
        json = target.json
        source = re.search(r"^\s*SOURCE\b|\bFROM\b", text(json.get("expression")), re.IGNORECASE)
        if not json.get("logGroups") and not json.get("logGroupNames") and source is None:
            yield Said(
                f"{target.name} names no log group, so it finds nothing", "logGroups: [{arn, name}]", json
            )
        elif not text(json.get("expression")).strip():
            yield Said(f"{target.name} has no query", "fields @timestamp, @message", json)


# Metric math


def _by_panel(view: DashboardView) -> Iterator[tuple[Panel, list[Target]]]:
    for panel in view.panels:
        found = [target for target in panel.targets if target.kind == "cloudwatch"]
        if found:
            yield panel, found


def id_invalid(view: DashboardView) -> Iterator[Said]:
    for panel, targets in _by_panel(view):
        seen = set()
        for target in targets:
            name = text(target.json.get("id"))
            if not name:
                continue
            if not _ID.fullmatch(name):
                yield Said(
                    f"{target.name} has the id {name!r:.40}, which CloudWatch refuses",
                    "a lower-case letter, then letters, digits and _",
                    target.json,
                )
            elif name in seen:
                yield Said(
                    f"{panel.name}: two queries have the id {name!r}, so CloudWatch refuses both",
                    "an id each",
                    target.json,
                )
            seen.add(name)


def id_unknown(view: DashboardView) -> Iterator[Said]:
    for _, targets in _by_panel(view):
        ids = {text(target.json.get("id")) for target in targets} - {""}
        # Grafana gives a query without an id one that is made of its refId.
        ids |= {f"query{text(target.json.get('refId'))}" for target in targets}
        for target in targets:
            words = text(target.json.get("expression"))
            mode = text(target.json.get("queryMode")) or "Metrics"
            if (
                mode != "Metrics"
                or not words
                or "$" in words
                or "SEARCH" in words.upper()
                or "SELECT" in words.upper()
            ):
                continue
            term = parse(words)
            for name in dict.fromkeys(names(term) if term is not None else ()):
                if _ID.fullmatch(name) and name not in ids:
                    yield Said(
                        f"{target.name} computes with {name!r}, and no query of the panel has that id",
                        "the id of a query of the same panel",
                        target.json,
                    )

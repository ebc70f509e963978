"""What `put_dashboard` and `delete_dashboards` refuse: names, and the body's widgets.

Source: PutDashboard; the API reference's "Dashboard body structure and syntax".
"""

from __future__ import annotations

import difflib
import json
import re
from typing import TYPE_CHECKING, Any

from orders_obs.alerts.aws_calls.cloudwatch_metrics import period_problems
from orders_obs.alerts.aws_calls.limits import limit
from orders_obs.alerts.aws_calls.problems import Problem
from orders_obs.alerts.aws_calls.reading import items, listed, mapping, number, shown, text, texts
from orders_obs.alerts.aws_calls.tags import tag_problems

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from orders_obs.alerts.aws_calls.problems import Rules

__all__ = ["RULES"]

_NAME = re.compile(r"[A-Za-z0-9_-]+")
_PREFIX = re.compile(r"[A-Za-z0-9._-]+")
_TYPES = ("metric", "text", "log", "alarm", "explorer", "custom")
_VIEWS = ("timeSeries", "singleValue", "gauge", "bar", "pie", "table")
_COLOUR = re.compile(r"#[0-9a-fA-F]{6}")


def _put_dashboard(arguments: Mapping[str, Any]) -> Iterator[Problem]:
    name = text(arguments.get("DashboardName"))
    if name is not None:
        yield from _name_problems("DashboardName", name)
    yield from tag_problems(arguments)
    body = text(arguments.get("DashboardBody"))
    if body is None:
        return
    try:
        content = json.loads(body)
    except (ValueError, RecursionError):
        yield Problem("DashboardBody", "it is not JSON", 'such as {"widgets": []}')
        return
    if not isinstance(content, dict):
        yield Problem("DashboardBody", "it is no JSON object", '{"widgets": […]}')
        return
    yield from _body(content)


def _delete_dashboards(arguments: Mapping[str, Any]) -> Iterator[Problem]:
    count, most = len(listed(arguments.get("DashboardNames"))), limit("delete-dashboards")
    if count > most:
        yield Problem(
            "DashboardNames", f"{count} dashboards, and the limit is {most}", "several calls", "limit"
        )
    for path, name in texts(arguments, "DashboardNames"):
        yield from _name_problems(path, name)


def _get_dashboard(arguments: Mapping[str, Any]) -> Iterator[Problem]:
    name = text(arguments.get("DashboardName"))
    if name is not None:
        yield from _name_problems("DashboardName", name)


def _list_dashboards(arguments: Mapping[str, Any]) -> Iterator[Problem]:
    prefix = text(arguments.get("DashboardNamePrefix"))
    if prefix and not _PREFIX.fullmatch(prefix):
        yield Problem("DashboardNamePrefix", f"{shown(prefix)} begins no name", "A-Z, a-z, 0-9, ., - and _")


def _name_problems(path: str, name: str) -> Iterator[Problem]:
    if not _NAME.fullmatch(name):
        yield Problem(path, f"{shown(name)} is no name of a dashboard", "A-Z, a-z, 0-9, - and _")
    if len(name) > limit("dashboard-name"):
        yield Problem(
            path, f"{len(name)} characters, and the limit is {limit('dashboard-name')}", "", "limit"
        )


def _body(content: Mapping[str, Any]) -> Iterator[Problem]:
    path = "DashboardBody.widgets"
    if "widgets" not in content:
        yield Problem(path, "the body has no widgets", '{"widgets": []}', "missing")
        return
    if not isinstance(content["widgets"], list):
        yield Problem(path, "widgets is no list", '{"widgets": []}')
        return
    count, most = len(content["widgets"]), limit("dashboard-widgets")
    if count > most:
        yield Problem(path, f"{count} widgets, and the limit is {most}", "several dashboards", "limit")
    override = content.get("periodOverride", "auto")
    if override not in ("auto", "inherit"):
        yield Problem(
            "DashboardBody.periodOverride", f"{shown(override)} is not among its values", "auto, inherit"
        )
    total = 0
    for where, widget in items(content, "widgets", "DashboardBody"):
        if not isinstance(widget, dict):
            yield Problem(
                where, "a widget is a JSON object", '{"type": "text", "properties": {"markdown": "…"}}'
            )
            continue
        total += len(listed(mapping(widget.get("properties")).get("metrics")))
        yield from _widget(where, widget)
    if total > limit("dashboard-metrics"):
        yield Problem(
            path,
            f"{total} metrics, and the limit of a dashboard is {limit('dashboard-metrics')}",
            "several dashboards",
            "limit",
        )


def _widget(where: str, widget: Mapping[str, Any]) -> Iterator[Problem]:
    kind = widget.get("type")
    if not isinstance(kind, str):
        yield Problem(
            f"{where}.type", "a widget needs its type", "metric, text, log, alarm, explorer", "missing"
        )
    elif kind not in _TYPES and (near := _near(kind, _TYPES)):
        yield Problem(f"{where}.type", f"there is no widget of type {kind!r}", f"did you mean {near}?")
    columns, rows = limit("dashboard-columns"), limit("widget-height")
    for name, low, high in (
        ("x", 0, columns - 1),
        ("y", 0, None),
        ("width", 1, columns),
        ("height", 1, rows),
    ):
        value = widget.get(name)
        if value is None:
            continue
        # JSON knows no whole numbers: 6.0 is 6.
        whole = number(value) is not None and float(value).is_integer()
        if not whole or value < low or (high is not None and value > high):
            span = f"a whole number from {low}" + (f" to {high}" if high is not None else "")
            yield Problem(f"{where}.{name}", f"{shown(value)} is no {name} of a widget", span)
    properties = widget.get("properties")
    if not isinstance(properties, dict):
        if kind not in ("explorer", "custom"):
            yield Problem(f"{where}.properties", "a widget needs its properties", "a JSON object", "missing")
        return
    if kind == "text" and not isinstance(properties.get("markdown"), str):
        yield Problem(
            f"{where}.properties.markdown", "a text widget needs its markdown", '{"markdown": "…"}', "missing"
        )
    elif kind == "metric":
        yield from _metric(f"{where}.properties", properties)
    elif kind == "log":
        yield from _log(f"{where}.properties", properties)
    elif kind == "alarm":
        yield from _alarm(f"{where}.properties", properties)


def _metric(where: str, properties: Mapping[str, Any]) -> Iterator[Problem]:
    metrics, annotations = properties.get("metrics"), mapping(properties.get("annotations"))
    alarms = listed(annotations.get("alarms"))
    if "metrics" not in properties and not alarms:
        yield Problem(
            f"{where}.metrics",
            "a metric widget needs metrics, or an alarm among its annotations",
            '[["AWS/EC2", "CPUUtilization"]]',
            "missing",
        )
    if "region" not in properties:
        yield Problem(f"{where}.region", "a metric widget needs its region", "such as eu-west-1", "missing")
    if "metrics" in properties and not isinstance(metrics, list):
        yield Problem(f"{where}.metrics", "metrics is no list", '[["AWS/EC2", "CPUUtilization"]]')
    if len(listed(metrics)) > limit("widget-metrics"):
        yield Problem(
            f"{where}.metrics",
            f"{len(listed(metrics))} metrics, and the limit of a widget is {limit('widget-metrics')}",
            "several widgets",
            "limit",
        )
    for path, entry in items(properties, "metrics", where):
        yield from _line(path, entry)
    view = properties.get("view")
    if view is not None and view not in _VIEWS and (not isinstance(view, str) or _near(view, _VIEWS)):
        yield Problem(f"{where}.view", f"{shown(view)} is not among its values", ", ".join(_VIEWS))
    yield from period_problems(f"{where}.period", properties.get("period"), alarm=False)
    for side in ("horizontal", "vertical"):
        for path, note in items(annotations, side, f"{where}.annotations"):
            colour = mapping(note).get("color")
            if isinstance(colour, str) and not _COLOUR.fullmatch(colour):
                yield Problem(
                    f"{path}.color", f"{colour!r} is no colour", "six hexadecimal digits, such as #d62728"
                )


def _line(path: str, entry: Any) -> Iterator[Problem]:
    if not isinstance(entry, list) or not entry:
        yield Problem(path, "a metric is a list", '["AWS/EC2", "CPUUtilization", "InstanceId", "i-012345"]')
        return
    options = entry[-1] if isinstance(entry[-1], dict) else {}
    names = entry[:-1] if isinstance(entry[-1], dict) else entry
    if "expression" in options:
        if names:
            yield Problem(
                path, "an expression stands without a namespace and a name", '[{"expression": "m1 / m2"}]'
            )
    elif any(not isinstance(name, str) for name in names):
        yield Problem(
            path,
            "the parts of a metric are texts, with an object at the end at most",
            '["AWS/EC2", "CPUUtilization", {"stat": "Sum"}]',
        )
    elif names and "..." not in names and len(names) % 2:
        yield Problem(
            path,
            f"{len(names)} parts: a namespace, a name, and pairs of dimensions",
            '["AWS/EC2", "CPUUtilization", "InstanceId", "i-012345"]',
        )
    colour = options.get("color")
    if isinstance(colour, str) and not _COLOUR.fullmatch(colour):
        yield Problem(f"{path}.color", f"{colour!r} is no colour", "six hexadecimal digits, such as #d62728")
    yield from period_problems(f"{path}.period", options.get("period"), alarm=False)


def _log(where: str, properties: Mapping[str, Any]) -> Iterator[Problem]:
    for name in ("query", "region"):
        if not isinstance(properties.get(name), str):
            yield Problem(f"{where}.{name}", f"a log widget needs its {name}", "", "missing")


def _alarm(where: str, properties: Mapping[str, Any]) -> Iterator[Problem]:
    alarms = properties.get("alarms")
    if not isinstance(alarms, list) or not alarms:
        yield Problem(f"{where}.alarms", "an alarm widget needs its alarms", "their ARNs", "missing")
        return
    if len(alarms) > limit("widget-alarms"):
        yield Problem(
            f"{where}.alarms",
            f"{len(alarms)} alarms, and the limit is {limit('widget-alarms')}",
            "several widgets",
            "limit",
        )
    for index, alarm in enumerate(alarms):
        if not isinstance(alarm, str) or not alarm.startswith("arn:"):
            yield Problem(
                f"{where}.alarms[{index}]",
                f"{shown(alarm)} is no ARN",
                "arn:aws:cloudwatch:REGION:ACCOUNT:alarm:NAME",
            )


def _near(word: str, words: tuple[str, ...]) -> str:
    """A known word that another is a slip of the pen of; types and views that came later than this list are left open."""
    lower = {known.lower(): known for known in words}
    found = difflib.get_close_matches(word.lower(), list(lower), 1, 0.8)
    return lower[found[0]] if found else ""


RULES: Rules = {
    "delete_dashboards": (_delete_dashboards,),
    "get_dashboard": (_get_dashboard,),
    "list_dashboards": (_list_dashboards,),
    "put_dashboard": (_put_dashboard,),
}

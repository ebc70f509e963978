"""From a panel and its answers to what the page draws: plain data, or a placeholder that says why there is nothing to draw."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from orders_obs.dashboards.preview import markdown, sources
from orders_obs.dashboards.preview.asking import Asked, Asker
from orders_obs.dashboards.preview.fields import config_of, defaults_of, regex_matches, shown_name
from orders_obs.dashboards.preview.series import CALCULATIONS, calculate, number, of_matrix, of_vector, short
from orders_obs.dashboards.preview.tables import Frame, instant_frame, series_frame, transformed

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from orders_obs.dashboards.preview.asking import Context
    from orders_obs.dashboards.preview.reading import Placed
    from orders_obs.dashboards.preview.series import Series

__all__ = ["draw", "unreadable"]

MOST_SERIES = 60
"""Lines of one graph; more cannot be told apart."""
_MOST_ROWS = 200
_ALWAYS = ("min", "max", "mean", "lastNotNull")
_ANGULAR = {"graph", "singlestat", "table-old", "grafana-singlestat-panel", "grafana-piechart-panel"}
# What a graph can do with names alone.
_ON_NAMES = {"filterFieldsByName", "renameByRegex", "organize"}


def draw(context: Context, placed: Placed, number_of: int) -> dict[str, Any]:
    """What the page needs of one panel.

    Args:
        context: Of the dashboard.
        placed: The panel.
        number_of: Its number on the page.
    """
    panel = placed.panel
    asker = Asker(context, placed)
    kind = str(panel.get("type") or "")
    data: dict[str, Any] = {
        "description": asker.text(str(panel.get("description") or "")),
        "grid": [placed.x, placed.y, placed.w, placed.h],
        "id": f"panel-{number_of}",
        "kind": kind,
        "notes": [],
        "queries": [],
        "state": "ok",
        "title": asker.text(str(panel.get("title") or "")),
        "transparent": bool(panel.get("transparent")),
    }
    if kind == "text":
        options = panel.get("options") or {}
        data["text"] = markdown.tree(
            asker.text(str(options.get("content") or "")), str(options.get("mode") or "markdown")
        )
        return data
    reason = _cannot(panel, kind)
    asked = [] if reason else asker.ask()
    if reason:
        asked = [_unasked(asker, target) for target in asker.targets]
    elif any(one.reason for one in asked):
        # What is not asked is shown, and with it the hidden ones that a sum of CloudWatch names.
        asked += [_unasked(asker, target) for target in asker.hidden]
    data["queries"] = [
        {
            "ref": one.ref,
            "source": sources.spoken(one.kind),
            "text": one.text,
            "error": one.error,
            "reason": one.reason,
        }
        for one in asked
    ]
    data["step"] = asker.step
    usable = [one for one in asked if one.answer is not None or one.traces is not None]
    if not usable:
        errors = [one.error for one in asked if one.error]
        reasons = list(dict.fromkeys(one.reason for one in asked if one.reason))
        data["state"] = "error" if errors and not reason else "placeholder"
        data["reason"] = reason or "; ".join(errors or reasons) or "the panel has no query"
        return data
    data["notes"] += [f"{one.ref}: {one.error or one.reason}" for one in asked if one.error or one.reason]
    data["notes"] += [warning for one in usable if one.answer for warning in one.answer.warnings]
    if any(_native(one) for one in usable):
        data["notes"].append("native histograms are not drawn by a preview")
    if panel.get("timeFrom") or panel.get("timeShift"):
        data["notes"].append("the panel's own time is not applied by a preview")
    if any(one.error for one in asked):
        data["state"] = "error"
        data["reason"] = "; ".join(f"{one.ref}: {one.error}" for one in asked if one.error)
    _KINDS[kind](data, asker, usable)
    if data.pop("empty", False) and data["state"] == "ok":
        data["state"] = "empty"
    return data


def unreadable(placed: Placed, number_of: int, error: Exception) -> dict[str, Any]:
    """What the page shows of a panel whose JSON is not as Grafana has it."""
    panel = placed.panel
    return {
        "description": "",
        "grid": [placed.x, placed.y, placed.w, placed.h],
        "id": f"panel-{number_of}",
        "kind": str(panel.get("type") or ""),
        "notes": [],
        "queries": [],
        "reason": f"its JSON is not as Grafana has it ({type(error).__name__}: {error})"[:300],
        "state": "error",
        "title": str(panel.get("title") or ""),
        "transparent": False,
    }


def _native(asked: Asked) -> bool:
    result = asked.answer.result if asked.answer is not None else []
    return any(
        isinstance(entry, dict) and ("histogram" in entry or "histograms" in entry) for entry in result
    )


def _cannot(panel: Mapping[str, Any], kind: str) -> str:
    if panel.get("libraryPanel") and not panel.get("targets"):
        return "a library panel lives in Grafana, not in this file"
    if kind in _ANGULAR:
        return f"panels of kind {kind!r} are gone from Grafana 12"
    if kind == "logs":
        return "log lines are not read by a preview"
    if kind not in _KINDS:
        return f"a panel of kind {kind or 'unknown'!r} is not drawn by a preview"
    if kind == "heatmap" and (panel.get("options") or {}).get("calculate"):
        return "a heat map that Grafana computes from series is not drawn by a preview; one of buckets is"
    return ""


def _unasked(asker: Asker, target: Mapping[str, Any]) -> Asked:
    context = asker.context
    kind = sources.kind_of(
        target.get("datasource"), asker.panel.get("datasource"), context.kinds, context.inputs
    )
    return Asked(target, str(target.get("refId") or ""), kind, asker.text(sources.query_text(target)))


def _series(asker: Asker, usable: list[Asked]) -> list[Series]:
    found: list[Series] = []
    for one in usable:
        if one.answer is None:
            continue
        if one.answer.kind == "matrix":
            found += of_matrix(one.answer, {**one.target, "expr": one.text}, asker.times)
        else:
            found += of_vector(one.answer, {**one.target, "expr": one.text})
    return found


def _encoded(asker: Asker, series: list[Series], calcs: list[str]) -> list[dict[str, Any]]:
    """The series with what differs from the panel's defaults, and the numbers of the legend."""
    base = defaults_of(asker.panel)
    rows = []
    for one in series:
        config = config_of(asker.panel, one.name, ref=one.ref, values=one.values)
        wanted = list(dict.fromkeys([*calcs, *_ALWAYS]))
        row: dict[str, Any] = {
            "calcs": {name: short(calculate(name, one.values)) for name in wanted},
            "labels": one.labels,
            "name": shown_name(config, one.name, one.labels),
            "values": [short(value) for value in one.values],
        }
        if config != base:
            row["config"] = config
        rows.append(row)
    return rows


def _limited(data: dict[str, Any], series: list[Series]) -> list[Series]:
    if len(series) > MOST_SERIES:
        data["notes"].append(f"{MOST_SERIES} of {len(series)} series are drawn")
    return series[:MOST_SERIES]


def _renamed(data: dict[str, Any], asker: Asker, series: list[Series]) -> list[Series]:
    """What transformations on names do to series; others are said."""
    for step in asker.panel.get("transformations") or ():
        if not isinstance(step, dict) or step.get("disabled"):
            continue
        name = str(step.get("id"))
        if name not in _ON_NAMES:
            data["notes"].append(f"the transformation {name!r} is not done by a preview")
            continue
        names = list(dict.fromkeys(one.name for one in series))
        (frame,), _ = transformed([Frame(names, [list(names)])], [step])
        new = dict(zip(frame.rows[0], frame.columns, strict=True)) if frame.rows else {}
        series = [replace(one, name=new[one.name]) for one in series if one.name in new]
    return series


def _graph(data: dict[str, Any], asker: Asker, usable: list[Asked]) -> None:
    panel = asker.panel
    series = _limited(data, _renamed(data, asker, _series(asker, usable)))
    instant = [one for one in series if len(one.values) == 1 and len(asker.times) != 1]
    if instant:
        # Grafana draws them as one point at the end.
        for one in instant:
            one.values[:0] = [None] * (len(asker.times) - 1)
    options = panel.get("options") or {}
    legend = options.get("legend") or {}
    if not isinstance(legend, dict):
        raise TypeError(f"legend is {legend!r}")
    calcs = [str(name) for name in legend.get("calcs") or ()]
    data["options"] = {"legend": {**legend, "calcs": calcs}, "tooltip": options.get("tooltip") or {}}
    data["config"] = defaults_of(panel)
    data["times"] = asker.times
    data["series"] = _encoded(asker, series, calcs)
    data["exemplars"] = [point for one in usable for point in one.exemplars]
    data["empty"] = not any(value is not None for one in series for value in one.values)


def _numbers(data: dict[str, Any], asker: Asker, usable: list[Asked]) -> None:
    """Stat, gauge and bar gauge: a number for each series, and its course."""
    panel = asker.panel
    options = panel.get("options") or {}
    reduce = options.get("reduceOptions") or {}
    calc = str((reduce.get("calcs") or ["lastNotNull"])[0])
    if calc not in CALCULATIONS and not calc.startswith("p"):
        data["notes"].append(f"the calculation {calc!r} is not known; the last value stands in its place")
        calc = "lastNotNull"
    fields = str(reduce.get("fields") or "")
    series = _renamed(data, asker, _series(asker, usable))
    if fields:
        series = [one for one in series if regex_matches(fields, one.name)] or series
    data["options"] = options
    data["config"] = defaults_of(panel)
    data["times"] = asker.times
    data["calc"] = calc
    data["series"] = _encoded(asker, _limited(data, series), [calc])
    data["empty"] = not any(row["calcs"][calc] is not None for row in data["series"])


def _table(data: dict[str, Any], asker: Asker, usable: list[Asked]) -> None:
    several = len([one for one in usable if one.answer is not None]) > 1
    frames: list[Frame] = []
    for one in usable:
        if one.traces is not None:
            rows = [[row["trace"], row["name"], row["start"], row["duration"]] for row in one.traces]
            kinds = {"Start time": "time", "Duration": "number"}
            frames.append(Frame(["Trace ID", "Trace name", "Start time", "Duration"], rows, kinds, one.ref))
            links = {row["trace"]: row["link"] for row in one.traces if row["link"]}
            data["links"] = data.get("links", {}) | links
        elif one.answer is not None and one.answer.kind == "matrix":
            series = of_matrix(one.answer, {**one.target, "expr": one.text}, asker.times)
            frames.append(series_frame(asker.times, series))
        elif one.answer is not None:
            frames.append(instant_frame(one.answer, one.ref, several=several))
    frames, left_out = transformed(frames, asker.panel.get("transformations") or ())
    data["notes"] += [f"the transformation {name!r} is not done by a preview" for name in left_out]
    if len(frames) > 1:
        data["notes"].append(f"the first of {len(frames)} tables is shown; Grafana lets you choose")
    frame = frames[0] if frames else Frame([], [])
    if len(frame.rows) > _MOST_ROWS:
        data["notes"].append(f"{_MOST_ROWS} of {len(frame.rows)} rows are shown")
    columns = []
    for place, name in enumerate(frame.columns):
        kind = frame.kind(name)
        config = config_of(asker.panel, name, ref=frame.ref, kind=kind, values=_column(frame, place))
        if data.get("links") and name == "Duration":
            config["unit"] = "s"
        columns.append({"name": shown_name(config, name, {}), "kind": kind, "config": config})
    data["options"] = asker.panel.get("options") or {}
    data["columns"] = columns
    data["rows"] = [
        [short(v) if isinstance(v, float) and abs(v) < 1e9 else v for v in row]
        for row in frame.rows[:_MOST_ROWS]
    ]  # times keep their digits
    data["empty"] = not frame.rows


def _column(frame: Frame, place: int) -> list[float | None]:
    return [number(row[place]) for row in frame.rows] if frame.kind(frame.columns[place]) == "number" else []


def _heat(data: dict[str, Any], asker: Asker, usable: list[Asked]) -> None:
    """Buckets by their upper bound; those of a histogram hold all below them too, which is taken off."""
    rows: list[tuple[float, str, list[float | None]]] = []
    cumulative = any(one.target.get("format") == "heatmap" for one in usable)
    for one in _series(asker, usable):
        label = one.labels.get("le", one.name)
        bound = float("inf") if label == "+Inf" else number(label)
        rows.append((len(rows) if bound is None else bound, label, one.values))
    rows.sort(key=lambda row: row[0])
    buckets: list[dict[str, Any]] = []
    below = [0.0] * len(asker.times)
    for _, label, values in rows:
        if len(values) != len(asker.times):
            continue
        own = values
        if cumulative:
            own = [None if v is None else max(0.0, v - b) for v, b in zip(values, below, strict=True)]
        below = [b if v is None else v for v, b in zip(values, below, strict=True)]
        buckets.append({"label": label, "bound": number(label), "values": [short(v) for v in own]})
    data["options"] = asker.panel.get("options") or {}
    data["config"] = defaults_of(asker.panel)
    data["times"] = asker.times
    data["buckets"] = buckets
    data["empty"] = not any(v for bucket in buckets for v in bucket["values"])


def _states(data: dict[str, Any], asker: Asker, usable: list[Asked]) -> None:
    _graph(data, asker, usable)
    data["options"] = asker.panel.get("options") or {}


def _bars(data: dict[str, Any], asker: Asker, usable: list[Asked]) -> None:
    """A bar for each row of the table; its name is the first column of text."""
    _table(data, asker, usable)
    data["config"] = defaults_of(asker.panel)
    columns = data["columns"]
    wanted = data["options"].get("xField")
    texts = [i for i, c in enumerate(columns) if c["kind"] != "number"]
    named = [i for i in texts if columns[i]["kind"] == "string" and columns[i]["name"] != "__name__"]
    asked = [i for i, c in enumerate(columns) if c["name"] == wanted]
    x = next(iter([*asked, *named, *texts]), None)
    data["x"] = x
    data["y"] = [i for i, c in enumerate(columns) if c["kind"] == "number" and i != x]
    data["empty"] = not data["rows"] or not data["y"]


_KINDS: dict[str, Callable[[dict[str, Any], Asker, list[Asked]], None]] = {
    "timeseries": _graph,
    "stat": _numbers,
    "gauge": _numbers,
    "bargauge": _numbers,
    "piechart": _numbers,
    "table": _table,
    "heatmap": _heat,
    "state-timeline": _states,
    "status-history": _states,
    "barchart": _bars,
}

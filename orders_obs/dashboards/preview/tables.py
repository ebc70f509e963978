"""Tables: rows and columns of instant queries, and the transformations that can be done without a Grafana."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from functools import cmp_to_key, partial
from typing import TYPE_CHECKING, Any

from orders_obs.dashboards.preview.fields import regex_matches
from orders_obs.dashboards.preview.series import calculate, number

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from orders_obs.dashboards.preview.prometheus import Answer
    from orders_obs.dashboards.preview.series import Series

__all__ = ["Frame", "instant_frame", "series_frame", "transformed"]

_VALUE = "Value"


@dataclass(frozen=True, slots=True)
class Frame:
    """A table.

    Attributes:
        columns: Their names.
        rows: Each a value for each column: a number, a text or None; a time in seconds.
        kinds: `number`, `string` or `time`, by column.
        ref: Of the query.
    """

    columns: list[str]
    rows: list[list[Any]]
    kinds: dict[str, str] = field(default_factory=dict)
    ref: str = ""

    def kind(self, column: str) -> str:
        """What a column holds."""
        return self.kinds.get(column, "string")


def instant_frame(answer: Answer, ref: str, *, several: bool) -> Frame:
    """One row for each series: its time, its labels, its value.

    Args:
        answer: A vector.
        ref: Of the query.
        several: Whether the panel has several queries: the value's column is then named for its own.
    """
    value = f"{_VALUE} #{ref}" if several else _VALUE
    entries = [entry for entry in answer.result if isinstance(entry, dict)]
    names = sorted({name for entry in entries for name in entry.get("metric") or {}})
    rows = []
    for entry in entries:
        time, text = entry.get("value") or (0, "NaN")
        metric = entry.get("metric") or {}
        rows.append([float(time), *(metric.get(name) for name in names), number(text)])
    if answer.kind == "scalar":
        rows = [[float(answer.result[0]), number(answer.result[1])]]
    return Frame(["Time", *names, value], rows, {"Time": "time", value: "number"}, ref)


def series_frame(times: Sequence[float], series: Sequence[Series]) -> Frame:
    """One row for each time, newest first, a column for each series."""
    columns = list(dict.fromkeys(one.name for one in series))
    first = {one.name: one for one in reversed(series)}
    rows = [[time, *(first[name].values[i] for name in columns)] for i, time in enumerate(times)]
    return Frame(["Time", *columns], rows[::-1], {"Time": "time"} | dict.fromkeys(columns, "number"))


def transformed(frames: list[Frame], steps: Sequence[Any]) -> tuple[list[Frame], list[str]]:
    """The tables after a panel's transformations, and the names of those that were not done."""
    left_out = []
    for step in steps:
        if not isinstance(step, dict) or step.get("disabled"):
            continue
        name, options = str(step.get("id", "")), step.get("options") or {}
        whole = _WHOLE.get(name)
        single = _SINGLE.get(name)
        if whole is not None:
            frames = whole(frames, options)
        elif single is not None:
            frames = [single(frame, options) for frame in frames]
        elif name not in _NOTHING:
            left_out.append(name)
    return frames, left_out


def _organize(frame: Frame, options: Mapping[str, Any]) -> Frame:
    hidden = {name for name, hide in (options.get("excludeByName") or {}).items() if hide}
    included = {name for name, show in (options.get("includeByName") or {}).items() if show}
    order = {
        name: at for name, at in (options.get("indexByName") or {}).items() if isinstance(at, int | float)
    }
    renames = {name: str(new) for name, new in (options.get("renameByName") or {}).items() if new}
    kept = [name for name in frame.columns if name not in hidden and (not included or name in included)]
    kept.sort(key=lambda name: order.get(name, math.inf))
    return _renamed(_chosen(frame, kept), renames)


def _chosen(frame: Frame, kept: Sequence[str]) -> Frame:
    places = [frame.columns.index(name) for name in kept]
    rows = [[row[place] for place in places] for row in frame.rows]
    return Frame(list(kept), rows, {name: frame.kind(name) for name in kept}, frame.ref)


def _renamed(frame: Frame, names: Mapping[str, str]) -> Frame:
    kinds = {names.get(name, name): frame.kind(name) for name in frame.columns}
    return Frame([names.get(name, name) for name in frame.columns], frame.rows, kinds, frame.ref)


def _sorted(frame: Frame, options: Mapping[str, Any]) -> Frame:
    rows = frame.rows
    for rule in reversed(options.get("sort") or []):
        if isinstance(rule, dict) and rule.get("field") in frame.columns:
            keyed = partial(_key, frame.columns.index(rule["field"]))
            rows = sorted(rows, key=keyed, reverse=bool(rule.get("desc")))
    return Frame(frame.columns, rows, frame.kinds, frame.ref)


def _key(place: int, row: list[Any]) -> Any:
    return _ordered(row[place])


@cmp_to_key
def _ordered(one: Any, other: Any) -> int:
    """Numbers by size, texts by letters, what is not there first."""
    if one is None or other is None:
        return (one is not None) - (other is not None)
    if isinstance(one, int | float) and isinstance(other, int | float):
        return (one > other) - (one < other)
    return (str(one) > str(other)) - (str(one) < str(other))


def _filtered_by_name(frame: Frame, options: Mapping[str, Any]) -> Frame:
    include, exclude = options.get("include"), options.get("exclude")
    kept = [name for name in frame.columns if include is None or _named(include, name)]
    return _chosen(frame, [name for name in kept if exclude is None or not _named(exclude, name)])


def _named(rule: Any, name: str) -> bool:
    if not isinstance(rule, dict):
        return False
    pattern = rule.get("pattern")
    return name in (rule.get("names") or ()) or bool(pattern and regex_matches(str(pattern), name))


def _filtered_by_value(frame: Frame, options: Mapping[str, Any]) -> Frame:
    rules = [rule for rule in options.get("filters") or () if isinstance(rule, dict)]
    fitting = all if options.get("match") == "all" else any

    def passes(row: list[Any]) -> bool:
        return fitting(
            _passes(row[frame.columns.index(rule["fieldName"])], rule.get("config") or {})
            for rule in rules
            if rule.get("fieldName") in frame.columns
        )

    wanted = options.get("type", "include") == "include"
    rows = [row for row in frame.rows if passes(row) == wanted] if rules else frame.rows
    return Frame(frame.columns, rows, frame.kinds, frame.ref)


def _passes(value: Any, config: Mapping[str, Any]) -> bool:
    kind, options = config.get("id"), config.get("options") or {}
    if kind in ("isNull", "isNotNull"):
        return bool((value is None) == (kind == "isNull"))
    if kind == "regex":
        return regex_matches(f"/{options.get('value', '')}/", "" if value is None else str(value))
    if kind in ("equal", "notEqual"):
        wanted = options.get("value")
        same = value is not None and (str(value) == str(wanted) or _same_number(value, wanted))
        return bool(same == (kind == "equal"))
    found = number(value)
    if found is None:
        return False
    if kind == "between":
        low, high = number(options.get("from")), number(options.get("to"))
        return bool(low is not None and high is not None and low < found < high)
    bound = number(options.get("value"))
    if bound is None:
        return False
    tests = {"greater": found > bound, "greaterOrEqual": found >= bound, "lower": found < bound}
    return tests.get(str(kind), found <= bound)


def _same_number(one: Any, other: Any) -> bool:
    first, second = number(one), number(other)
    return first is not None and first == second


def _limited(frame: Frame, options: Mapping[str, Any]) -> Frame:
    most = options.get("limitField", 10)
    rows = frame.rows[: most if isinstance(most, int) else 10]
    return Frame(frame.columns, rows, frame.kinds, frame.ref)


def _renamed_by_regex(frame: Frame, options: Mapping[str, Any]) -> Frame:
    import re

    pattern = str(options.get("regex", ""))
    replacement = re.sub(r"\$(\d)", r"\\g<\1>", str(options.get("renamePattern", "")).replace("\\", "\\\\"))
    try:
        names = {name: re.sub(pattern, replacement, name, count=1) for name in frame.columns}
    except (re.error, IndexError):
        return frame
    return _renamed(frame, names)


def _merged(frames: list[Frame], _options: Mapping[str, Any]) -> list[Frame]:
    """One table: rows that agree in what both have become one."""
    columns = list(dict.fromkeys(name for frame in frames for name in frame.columns))
    kinds = {name: frame.kind(name) for frame in frames for name in frame.columns}
    rows: dict[tuple[Any, ...], dict[str, Any]] = {}
    shared = [name for name in columns if all(name in frame.columns for frame in frames)]
    for frame in frames:
        for row in frame.rows:
            values = dict(zip(frame.columns, row, strict=True))
            key = tuple(values[name] for name in shared) if len(frames) > 1 else (len(rows),)
            rows.setdefault(key, {}).update(values)
    return [Frame(columns, [[values.get(name) for name in columns] for values in rows.values()], kinds)]


def _joined(frames: list[Frame], options: Mapping[str, Any]) -> list[Frame]:
    """One table by a common column; of other columns of one name the later are numbered, as Grafana does."""
    by = options.get("byField") or "Time"
    with_it = [frame for frame in frames if by in frame.columns]
    if not with_it:
        return frames
    columns, kinds, rows = [by], {by: with_it[0].kind(by)}, dict[Any, dict[str, Any]]()
    seen: dict[Any, int] = {}
    for at, frame in enumerate(with_it, 1):
        names = {}
        for name in frame.columns:
            if name != by:
                names[name] = f"{name} {at}" if name in columns else name
                columns.append(names[name])
                kinds[names[name]] = frame.kind(name)
        for row in frame.rows:
            values = dict(zip(frame.columns, row, strict=True))
            rows.setdefault(values[by], {by: values[by]}).update(
                {names[n]: v for n, v in values.items() if n != by}
            )
            seen[values[by]] = seen.get(values[by], 0) + 1
    inner = options.get("mode") == "inner"
    kept = [row for key, row in rows.items() if not inner or seen[key] >= len(with_it)]
    return [Frame(columns, [[row.get(name) for name in columns] for row in kept], kinds)]


def _reduced(frames: list[Frame], options: Mapping[str, Any]) -> list[Frame]:
    """A row for each numeric column."""
    chosen = [str(name) for name in options.get("reducers") or ["max"]]
    rows = []
    for frame in frames:
        for place, name in enumerate(frame.columns):
            if frame.kind(name) == "number":
                values = [row[place] for row in frame.rows]
                # Rows stand newest first.
                rows.append([name, *(calculate(one, values[::-1]) for one in chosen)])
    titles = [_TITLES.get(one, one) for one in chosen]
    return [Frame(["Field", *titles], rows, {"Field": "string"} | dict.fromkeys(titles, "number"))]


_TITLES = {
    "lastNotNull": "Last *",
    "last": "Last",
    "max": "Max",
    "min": "Min",
    "mean": "Mean",
    "sum": "Total",
}
_SINGLE: dict[str, Callable[[Frame, Mapping[str, Any]], Frame]] = {
    "organize": _organize,
    "sortBy": _sorted,
    "filterFieldsByName": _filtered_by_name,
    "filterByValue": _filtered_by_value,
    "limit": _limited,
    "renameByRegex": _renamed_by_regex,
}
_WHOLE: dict[str, Callable[[list[Frame], Mapping[str, Any]], list[Frame]]] = {
    "merge": _merged,
    "joinByField": _joined,
    "seriesToColumns": _joined,
    "reduce": _reduced,
}
# They change nothing that is seen here.
_NOTHING = {"convertFieldType"}

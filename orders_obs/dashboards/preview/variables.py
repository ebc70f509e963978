"""The values of a dashboard's variables: those that are given, those it was saved with, those Prometheus has."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from orders_obs.dashboards.preview.interpolate import ALL, Value, fill, names_in
from orders_obs.dashboards.preview.prometheus import QueryFailed
from orders_obs.dashboards.preview.times import as_seconds, duration_text, rate_interval
from orders_obs.errors import UserError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from orders_obs.dashboards.preview.prometheus import Api
    from orders_obs.dashboards.preview.times import Range

__all__ = ["Variables", "absent", "macros", "resolve"]

_LABEL_VALUES = re.compile(r"label_values\((?:(.+),)?\s*([a-zA-Z_$][\w${}:]*)\s*\)\s*", re.DOTALL)
_LABEL_NAMES = re.compile(r"label_names\((.*)\)\s*", re.DOTALL)
_METRICS = re.compile(r"metrics\((.*)\)\s*", re.DOTALL)
_QUERY_RESULT = re.compile(r"query_result\((.+)\)\s*", re.DOTALL)
_SLASHED = re.compile(r"/(.*)/([gimsuy]*)", re.DOTALL)
_MOST = 1000
"""Values of one variable; more make an expression that no server takes."""
_SORTS = {
    1: (False, False),
    2: (False, True),
    3: (True, False),
    4: (True, True),
    5: (False, False),
    6: (False, True),
}
_AUTO = 30
_NAMED = 8


@dataclass(slots=True)
class Variables:
    """What the variables of a dashboard stand for.

    Attributes:
        values: By name.
        sources: Kind of data source of each variable that names one.
        shown: Label and value of those that a person sees.
        problems: What could not be had, in words.
        notes: What a preview leaves out.
    """

    values: dict[str, Value] = field(default_factory=dict)
    sources: dict[str, str] = field(default_factory=dict)
    shown: list[tuple[str, str]] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def macros(span: Range, step: float, scrape: float) -> dict[str, Value]:
    """Grafana's built-in variables for a panel's step."""
    rate = rate_interval(step, scrape)
    texts = {
        "__interval": duration_text(step),
        "__interval_ms": str(round(step * 1000)),
        "__rate_interval": duration_text(rate),
        "__rate_interval_ms": str(round(rate * 1000)),
        "__range": duration_text(round(span.seconds)),
        "__range_s": str(round(span.seconds)),
        "__range_ms": str(round(span.seconds * 1000)),
        "__from": str(round(span.start * 1000)),
        "__to": str(round(span.end * 1000)),
    }
    return {name: Value((text,), raw=True) for name, text in texts.items()}


def resolve(
    dashboard: Mapping[str, Any], given: Mapping[str, Sequence[str]], api: Api, span: Range
) -> Variables:
    """The values of all variables; a query whose answer cannot be had leaves its variable as it was saved.

    Args:
        dashboard: As built.
        given: Values by name that take the place of the dashboard's own.
        api: Who is asked.
        span: When.

    Raises:
        UserError: A name is none of the dashboard's, or several values are given for one that takes one.
    """
    found = Variables()
    entries = [
        entry
        for entry in (dashboard.get("templating") or {}).get("list") or ()
        if isinstance(entry, dict) and entry.get("name")
    ]
    names = {str(entry["name"]) for entry in entries}
    base = macros(span, 60, 15)
    title = Value((str(dashboard.get("title", "")),), raw=True)
    found.values |= {
        "__dashboard": title,
        "__timezone": Value((str(dashboard.get("timezone") or "browser"),)),
    }
    for entry in _in_order(entries, names):
        name = str(entry["name"])
        asked = given.get(name)
        if asked and len(asked) > 1 and not entry.get("multi"):
            raise UserError(f"--var {name} takes one value", hint="the variable is not `multi`")
        kind = str(entry.get("type", ""))
        if kind == "datasource":
            found.sources[name] = _filled(entry.get("query"), found.values)
            found.values[name] = Value((asked[0] if asked else f"${{{name}}}",), text=found.sources[name])
            continue
        if kind == "adhoc":
            if entry.get("filters") or entry.get("baseFilters"):
                found.notes.append(f"variable {name}: ad hoc filters are not applied")
            found.values[name] = Value(("",), raw=True)
            continue
        try:
            value = _value(entry, kind, asked, api, span, base | found.values, found.problems)
        except (AttributeError, LookupError, TypeError, ValueError) as error:
            found.problems.append(f"variable {name}: its JSON is not as Grafana has it ({error})")
            value = Value(tuple(asked or ("",)))
        found.values[name] = value
        if entry.get("hide") not in (2, "hideVariable") and kind != "constant":
            found.shown.append((str(entry.get("label") or name), value.text or " + ".join(value.values)))
    return found


def absent(dashboard: Mapping[str, Any], found: Variables, api: Api, span: Range) -> list[str]:
    """The first variable whose chosen value the Prometheus does not have, with those that it has; what depends on it is empty too.

    Args:
        dashboard: As built.
        found: Its variables, as `resolve` gave them.
        api: Who is asked.
        span: When.
    """
    entries = [
        entry
        for entry in (dashboard.get("templating") or {}).get("list") or ()
        if isinstance(entry, dict) and entry.get("name") and entry.get("type") == "query"
    ]
    for entry in _in_order(entries, {str(entry["name"]) for entry in entries}):
        name = str(entry["name"])
        value = found.values.get(name)
        if value is None or value.raw or not any(value.values) or "label_values" not in _text_of(entry):
            continue
        problems: list[str] = []
        there = _options(entry, "query", api, span, macros(span, 60, 15) | found.values, problems)
        if problems or set(value.values) & set(there):
            continue
        more = f" and {len(there) - _NAMED} more" if len(there) > _NAMED else ""
        others = f"there are {', '.join(there[:_NAMED])}{more}" if there else "nor has any other"
        return [f"{name}={' + '.join(value.values)} has no values here; {others}"]
    return []


def _in_order(entries: list[dict[str, Any]], names: set[str]) -> Iterable[dict[str, Any]]:
    """Those first that others are made of; a circle in the order of the file."""
    waiting, done = list(entries), set[str]()
    while waiting:
        ready = [e for e in waiting if not (names_in(_text_of(e)) & names) - done - {str(e["name"])}]
        chosen = ready[0] if ready else waiting[0]
        waiting.remove(chosen)
        done.add(str(chosen["name"]))
        yield chosen


def _text_of(entry: Mapping[str, Any]) -> str:
    query = entry.get("query")
    text = " ".join(str(v) for v in query.values()) if isinstance(query, dict) else str(query or "")
    return f"{text} {entry.get('regex') or ''}"


def _value(
    entry: Mapping[str, Any],
    kind: str,
    asked: Sequence[str] | None,
    api: Api,
    span: Range,
    known: Mapping[str, Value],
    problems: list[str],
) -> Value:
    name, many = str(entry["name"]), bool(entry.get("multi") or entry.get("includeAll"))
    current = entry.get("current") or {}
    saved = _listed(current.get("value"))
    chosen = list(asked) if asked else [value for value in saved if value not in ("", None)]
    if kind in ("constant", "textbox", "switch"):
        text = str((chosen or [_filled(entry.get("query"), known)])[0])
        return Value((text,), text=text)
    everything = chosen in ([ALL], ["All"]) or (not chosen and bool(entry.get("includeAll")))
    if everything and entry.get("allValue"):
        return Value((fill(str(entry["allValue"]), known),), text="All", many=True, raw=True)
    if chosen and not everything and kind != "interval":
        texts = [str(value) for value in chosen]
        return Value(tuple(texts), text=" + ".join(texts), many=many)
    options = _options(entry, kind, api, span, known, problems)
    if kind == "interval":
        text = str((chosen or options or ["1m"])[0])
        if text.startswith("$__auto"):
            least = as_seconds(str(entry.get("auto_min") or "10s")) or 10
            text = duration_text(max(least, round(span.seconds / int(entry.get("auto_count") or _AUTO))))
        return Value((text,), text=text)
    if everything:
        return Value(tuple(options[:_MOST]) or (".*",), text="All", many=True, raw=not options)
    if not options:
        problems.append(f"variable {name} has no value")
        return Value(("",), many=many)
    return Value((options[0],), text=options[0], many=many)


def _options(
    entry: Mapping[str, Any],
    kind: str,
    api: Api,
    span: Range,
    known: Mapping[str, Value],
    problems: list[str],
) -> list[str]:
    if kind in ("custom", "interval"):
        parts = re.findall(r"(?:\\,|[^,])+", str(entry.get("query") or ""))
        return [_option(part) for part in parts if part.strip()]
    if kind != "query":
        problems.append(f"variable {entry['name']}: its kind {kind!r} is not known")
        return []
    query = entry.get("query")
    text = query.get("query") or query.get("expr") or "" if isinstance(query, dict) else query or ""
    filled = fill(str(text or entry.get("definition") or ""), known, default="promql").strip()
    try:
        values = _asked(filled, api, span)
        return _sorted(_matching(values, str(entry.get("regex") or "")), entry.get("sort") or 0)
    except QueryFailed as error:
        problems.append(f"variable {entry['name']}: {error}")
    except re.error as error:
        problems.append(f"variable {entry['name']}: its regular expression is not understood: {error}")
    return []


def _asked(text: str, api: Api, span: Range) -> list[str]:
    found = _LABEL_VALUES.fullmatch(text)
    if found:
        return api.label_values(found[2], (found[1] or "").strip(), span.start, span.end)
    if _LABEL_NAMES.fullmatch(text):
        return api.label_names(span.start, span.end)
    found = _METRICS.fullmatch(text)
    if found:
        wanted = re.compile(found[1].strip())
        return [
            name for name in api.label_values("__name__", "", span.start, span.end) if wanted.search(name)
        ]
    found = _QUERY_RESULT.fullmatch(text)
    answer = api.query(found[1] if found else text, span.end)
    if answer.kind == "scalar":
        return [str(answer.result[1])]
    return [_series_text(series) for series in answer.result if isinstance(series, dict)]


def _series_text(series: Mapping[str, Any]) -> str:
    metric = dict(series.get("metric") or {})
    name = metric.pop("__name__", "")
    labels = ",".join(f'{key}="{value}"' for key, value in sorted(metric.items()))
    time, value = series.get("value") or (0, "")
    return f"{name}{{{labels}}} {value} {round(float(time) * 1000)}"


def _matching(values: Iterable[str], regex: str) -> list[str]:
    """Grafana's filter: what matches, and of that the group named `value`, else the first one."""
    kept = dict.fromkeys(values)
    if not regex:
        return list(kept)
    slashed = _SLASHED.fullmatch(regex)
    flags = re.IGNORECASE if slashed and "i" in slashed[2] else 0
    # JavaScript's named groups are Python's with a P.
    source = re.sub(r"\(\?<(?![=!])", "(?P<", slashed[1] if slashed else f"^{regex}$")
    pattern = re.compile(source, flags)
    result: dict[str, None] = {}
    for value in kept:
        match = pattern.search(value)
        if match:
            named = match.groupdict()
            text = named.get("value") or named.get("text") or next((g for g in match.groups() if g), None)
            result[text or value] = None
    return list(result)


def _sorted(values: list[str], sort: Any) -> list[str]:
    if sort not in _SORTS:
        return values
    numeric, backwards = _SORTS[sort]

    def key(text: str) -> Any:
        number = re.search(r"\d+", text)
        return (
            (int(number[0]) if number else -1) if numeric else text.lower() if sort >= 5 else text
        )  # 5 and 6 ignore case

    return sorted(values, key=key, reverse=backwards)


def _option(text: str) -> str:
    text = text.strip().replace("\\,", ",")
    label, colon, value = text.partition(" : ")
    return value.strip() if colon else label


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [] if value is None else [value]


def _filled(text: Any, known: Mapping[str, Value]) -> str:
    return fill(str(text or ""), known)

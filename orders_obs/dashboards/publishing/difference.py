"""What differs between two dashboards, in the words of a person who edits them: by panel, query, variable and setting."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from orders_obs.dashboards.printable import printable
from orders_obs.dashboards.publishing.marks import same
from orders_obs.redact import redact, redact_text

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

__all__ = ["Change", "difference", "lines"]

_SHORT = 60
_ABSENT = object()
_ELSE = "something else differs"
_PREFIXES = (
    ("fieldConfig.defaults.custom.", ""),
    ("fieldConfig.defaults.", ""),
    ("fieldConfig.overrides", "override"),
    ("options.", ""),
)


@dataclass(frozen=True, slots=True)
class Change:
    """One setting that differs.

    Attributes:
        where: `panel "Error rate"`, `variable job`, or empty for the dashboard's own.
        setting: Its name, such as `target A expr` or `threshold red`.
        old: Its value before; None where it had none.
        new: Its value after; None where it has none.
        quiet: Whether Grafana changes it by itself, so that it says little.
    """

    where: str
    setting: str
    old: Any
    new: Any
    quiet: bool = False


def difference(old: dict[str, Any], new: dict[str, Any]) -> list[Change]:
    """What differs between two dashboards, each as `marks.normal` gives it; never nothing where something does."""
    found = list(_changes(old, new))
    if all(change.quiet for change in found) and not same(old, new):
        found.append(Change("", _ELSE, "", ""))
    return found


def lines(changes: Sequence[Change]) -> list[str]:
    """Changes for a person, a long value on lines of its own."""
    told: list[str] = []
    for change in changes:
        if change.quiet:
            continue
        head = f"{change.where}: {change.setting}" if change.where else change.setting
        name = change.setting.rpartition(".")[2]
        old, new = _shown(change.old, name), _shown(change.new, name)
        if change.setting in ("added", "removed", _ELSE):
            told.append(head)
        elif max(len(old), len(new)) <= _SHORT:
            told.append(f"{head}: {old} -> {new}")
        else:
            told += [f"{head}:", f"  - {old}", f"  + {new}"]
    quiet = sum(change.quiet for change in changes)
    if quiet:
        told.append(f"and {quiet} that Grafana sets by itself (pluginVersion)")
    return [printable(redact_text(line)) for line in told]


def _shown(value: Any, name: str) -> str:
    if value is None:
        return "(none)"
    value = redact(value, "" if isinstance(value, dict | list) else name)
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, sort_keys=True)
    return redact_text(text) or '""'


def _keyed(entries: list[Any], key: str) -> dict[str, dict[str, Any]]:
    """Entries by their name; the second one of a name has a number behind it."""
    found: dict[str, dict[str, Any]] = {}
    for entry in entries:
        if not isinstance(entry, dict):
            continue
        name = plain = str(entry.get(key))
        number = 1
        while name in found:
            number += 1
            name = f"{plain} ({number})"
        found[name] = entry
    return found


def _rest(dashboard: dict[str, Any], key: str) -> Any:
    """What stands beside the list of variables or annotations."""
    value = dashboard.get(key, _ABSENT)
    return (
        {name: entry for name, entry in value.items() if name != "list"} if isinstance(value, dict) else value
    )


def _changes(old: dict[str, Any], new: dict[str, Any]) -> Iterator[Change]:
    for key in sorted({*old, *new} - {"panels", "templating", "annotations", "links"}):
        yield from _values("", key, old.get(key, _ABSENT), new.get(key, _ABSENT))
    for key in ("templating", "annotations"):
        first, second = _rest(old, key), _rest(new, key)
        # A list that is empty, and none, are the same to a person.
        if first is not _ABSENT and second is not _ABSENT:
            yield from _values("", key, first, second)
    yield from _named("variable", "name", _list(old, "templating"), _list(new, "templating"))
    yield from _named("annotation", "name", _list(old, "annotations"), _list(new, "annotations"))
    yield from _named("link", "title", _entries(old.get("links")), _entries(new.get("links")))
    yield from _panels(_flat(_entries(old.get("panels"))), _flat(_entries(new.get("panels"))))


def _list(dashboard: dict[str, Any], key: str) -> list[Any]:
    value = dashboard.get(key)
    return _entries(value.get("list") if isinstance(value, dict) else None)


def _entries(value: Any) -> list[Any]:
    """A list of a dashboard; what else stands in its place is no entry."""
    return value if isinstance(value, list) else []


def _flat(panels: list[Any], row: str = "") -> list[dict[str, Any]]:
    """Panels in one list, those of collapsed rows with the title of the row."""
    found: list[dict[str, Any]] = []
    for panel in panels:
        if not isinstance(panel, dict):
            continue
        rest = {key: value for key, value in panel.items() if key != "panels"}
        found.append(rest | ({"in row": row} if row else {}))
        if isinstance(panel.get("panels"), list):
            found += _flat(panel["panels"], str(panel.get("title") or "untitled"))
    return found


def _named(kind: str, key: str, old: list[Any], new: list[Any]) -> Iterator[Change]:
    """Entries of a list by their name; their order is one more setting."""
    before, after = _keyed(old, key), _keyed(new, key)
    for name in [*before, *(name for name in after if name not in before)]:
        where = f"{kind} {name}"
        if name not in after:
            yield Change(where, "removed", before[name], None)
        elif name not in before:
            yield Change(where, "added", None, after[name])
        else:
            for setting in sorted({*before[name], *after[name]}):
                yield from _values(
                    where, setting, before[name].get(setting, _ABSENT), after[name].get(setting, _ABSENT)
                )
    yield from _order(f"{kind}s", "order", list(before), list(after))


def _order(where: str, setting: str, old: list[str], new: list[str]) -> Iterator[Change]:
    first, second = [name for name in old if name in new], [name for name in new if name in old]
    if first != second:
        yield Change(where, setting, ", ".join(first), ", ".join(second))


def _panels(old: list[dict[str, Any]], new: list[dict[str, Any]]) -> Iterator[Change]:
    pairs, gone, come = _paired(old, new)
    for panel in gone:
        yield Change(_where(panel), "removed", panel, None)
    for panel in come:
        yield Change(_where(panel), "added", None, panel)
    for before, after in pairs:
        where = _where(before)
        for key in sorted({*before, *after}):
            first, second = before.get(key, _ABSENT), after.get(key, _ABSENT)
            if key == "gridPos" and _place(first) != _place(second):
                yield Change(where, "place", _place(first), _place(second))
            elif key == "targets" and isinstance(first, list) and isinstance(second, list):
                yield from _targets(where, first, second)
            elif key == "pluginVersion" and first != second:
                yield Change(where, key, _or_none(first), _or_none(second), quiet=True)
            else:
                yield from _values(where, key, first, second)
    numbers = {id(after): number for number, (_, after) in enumerate(pairs)}
    order = [numbers[id(panel)] for panel in new if id(panel) in numbers]
    if order != sorted(order):
        titles = [_title(before) for before, _ in pairs]
        yield Change("panels", "order", ", ".join(titles), ", ".join(titles[number] for number in order))


def _paired(
    old: list[dict[str, Any]], new: list[dict[str, Any]]
) -> tuple[list[tuple[dict[str, Any], dict[str, Any]]], list[dict[str, Any]], list[dict[str, Any]]]:
    """Panels that are the same one: of the same id, type and title, then of the same type and title, then of the same id and type."""
    pairs: list[tuple[dict[str, Any], dict[str, Any]]] = []
    left, right = list(old), list(new)
    for keys in (("id", "type", "title"), ("type", "title"), ("id", "type"), ("id", "title")):
        for panel in list(left):
            same = [other for other in right if all(panel.get(key) == other.get(key) for key in keys)]
            if len(same) == 1 or (same and "id" not in keys):
                pairs.append((panel, same[0]))
                left = [other for other in left if other is not panel]
                right = [other for other in right if other is not same[0]]
    order = {id(panel): index for index, panel in enumerate(old)}
    return sorted(pairs, key=lambda pair: order[id(pair[0])]), left, right


def _where(panel: dict[str, Any]) -> str:
    kind = "row" if panel.get("type") == "row" else "panel"
    return f'{kind} "{_title(panel)}"'


def _title(panel: dict[str, Any]) -> str:
    return str(panel.get("title") or "untitled")


def _place(value: Any) -> Any:
    if not isinstance(value, dict):
        return None
    return f"{value.get('w')} x {value.get('h')} at {value.get('x')}, {value.get('y')}"


def _targets(where: str, old: list[Any], new: list[Any]) -> Iterator[Change]:
    before, after = _keyed(old, "refId"), _keyed(new, "refId")
    for name in [*before, *(name for name in after if name not in before)]:
        first, second = before.get(name), after.get(name)
        if first is None or second is None:
            shown = (first or second or {}).get("expr") or "a query"
            yield Change(where, f"target {name}", shown if first else None, shown if second else None)
            continue
        for key in sorted({*first, *second}):
            yield from _values(
                where, f"target {name} {key}", first.get(key, _ABSENT), second.get(key, _ABSENT)
            )
    yield from _order(where, "order of targets", list(before), list(after))


def _values(where: str, setting: str, old: Any, new: Any) -> Iterator[Change]:
    """What differs between two values, down to the single settings of mappings."""
    if setting.endswith("thresholds.steps") and isinstance(old, list) and isinstance(new, list):
        yield from _thresholds(where, old, new)
    elif isinstance(old, dict) and isinstance(new, dict):
        for key in sorted({*old, *new}):
            yield from _values(where, f"{setting}.{key}", old.get(key, _ABSENT), new.get(key, _ABSENT))
    elif isinstance(old, list) and isinstance(new, list) and len(old) == len(new) and _mappings(old + new):
        for number, (first, second) in enumerate(zip(old, new, strict=True), 1):
            yield from _values(where, f"{setting} {number}", first, second)
    elif old != new or repr(old) != repr(new):
        # To Python 1 is True.
        yield Change(where, _friendly(setting), _or_none(old), _or_none(new))


def _mappings(values: list[Any]) -> bool:
    return all(isinstance(value, dict) for value in values)


def _thresholds(where: str, old: list[Any], new: list[Any]) -> Iterator[Change]:
    """Threshold lines by their color, where each has one of its own."""
    before = {str(step.get("color")): step.get("value") for step in old if isinstance(step, dict)}
    after = {str(step.get("color")): step.get("value") for step in new if isinstance(step, dict)}
    plain = all(isinstance(step, dict) and set(step) <= {"color", "value"} for step in [*old, *new])
    shared = [color for color in before if color in after], [color for color in after if color in before]
    if not plain or len(before) != len(old) or len(after) != len(new) or shared[0] != shared[1]:
        yield Change(where, "thresholds", old, new)
        return
    for color in [*before, *(color for color in after if color not in before)]:
        first, second = before.get(color, _ABSENT), after.get(color, _ABSENT)
        if first != second:
            yield Change(where, f"threshold {color}", _step(first), _step(second))


def _step(value: Any) -> Any:
    """The base of the thresholds has no value."""
    return "base" if value is None else None if value is _ABSENT else value


def _or_none(value: Any) -> Any:
    return None if value is _ABSENT else value


def _friendly(setting: str) -> str:
    for prefix, shorter in _PREFIXES:
        if setting.startswith(prefix):
            return f"{shorter}{setting.removeprefix(prefix)}"
    return setting

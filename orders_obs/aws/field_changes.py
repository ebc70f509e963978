"""The settings in which two forms of a thing differ, one by one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["FieldChange", "field_changes"]

_KEYS = ("Id", "Sid", "Name")


@dataclass(frozen=True, slots=True)
class FieldChange:
    """One setting that differs.

    Attributes:
        path: Such as `Metrics[bad].MetricStat.Period`.
        was: What is there; None where there is nothing.
        will: What will be; None where it goes.
    """

    path: str
    was: Any
    will: Any


def field_changes(was: Any, will: Any, path: str = "") -> Iterator[FieldChange]:
    """The leaves in which two settings differ; lists of named things by their names.

    Args:
        was: What is there.
        will: What will be.
        path: Of both.
    """
    if isinstance(was, dict) and isinstance(will, dict):
        for key in sorted({*was, *will}):
            yield from field_changes(was.get(key), will.get(key), f"{path}.{key}" if path else key)
        return
    key = _key_of(was) if isinstance(was, list) and isinstance(will, list) else ""
    if key and key == _key_of(will):
        before, after = ({item[key]: item for item in items} for items in (was, will))
        for name in dict.fromkeys((*before, *after)):
            yield from field_changes(before.get(name), after.get(name), f"{path}[{name}]")
        return
    if was != will:
        yield FieldChange(path, was, will)


def _key_of(items: list[Any]) -> str:
    for key in _KEYS:
        if items and all(isinstance(item, dict) and key in item for item in items):
            names = [item[key] for item in items]
            return key if len(set(map(str, names))) == len(names) else ""
    return ""

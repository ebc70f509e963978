"""Arguments of any type, read without trust: what is not of the type that a rule asks for is left to the walk over the model."""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["at", "instant", "items", "listed", "mapping", "number", "shown", "size", "text", "texts"]

_LONG = 80
_EMPTY: Mapping[str, Any] = {}


def text(value: Any) -> str | None:
    """Text, else None."""
    return value if isinstance(value, str) else None


def number(value: Any) -> float | None:
    """A finite number, else None."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        found = float(value)
    except OverflowError:
        return None
    return found if math.isfinite(found) else None


def mapping(value: Any) -> Mapping[str, Any]:
    """Keys and values, else none."""
    return value if isinstance(value, Mapping) else _EMPTY


def listed(value: Any) -> list[Any]:
    """A list's items, else none."""
    return list(value) if isinstance(value, list | tuple) else []


def items(arguments: Mapping[str, Any], name: str, path: str = "") -> Iterator[tuple[str, Any]]:
    """The items of a list among the arguments, each with its path."""
    for index, item in enumerate(listed(arguments.get(name))):
        yield f"{at(path, name)}[{index}]", item


def texts(arguments: Mapping[str, Any], name: str, path: str = "") -> Iterator[tuple[str, str]]:
    """Those items of a list that are text, each with its path."""
    for where, item in items(arguments, name, path):
        if isinstance(item, str):
            yield where, item


def at(path: str, name: str) -> str:
    """The path of a member."""
    return f"{path}.{name}" if path else name


def instant(value: Any) -> datetime | None:
    """A moment as boto3 takes it: a datetime, ISO 8601 text, seconds since 1970; None where it is none of these."""
    if isinstance(value, datetime):
        return value if value.tzinfo else value.replace(tzinfo=UTC)
    try:
        if isinstance(value, str) and not value.replace(".", "", 1).isdigit():
            found = datetime.fromisoformat(value)
            return found if found.tzinfo else found.replace(tzinfo=UTC)
        seconds = number(float(value) if isinstance(value, str) else value)
        return None if seconds is None else datetime.fromtimestamp(seconds, UTC)
    except (ValueError, OverflowError, OSError):
        return None


def shown(value: Any) -> str:
    """A value for a sentence, cut where it is long."""
    try:
        said = repr(value)
    except (ValueError, RecursionError):
        said = type(value).__name__  # a number of more digits than Python prints
    return said if len(said) <= _LONG else f"{said[:_LONG]}…"


def size(value: Any) -> int:
    """Bytes of all names and texts of the arguments: fewer than any encoding of the request needs."""
    total, todo, seen = 0, [value], set[int]()
    while todo:
        item = todo.pop()
        if isinstance(item, str):
            total += len(item.encode("utf-8", "surrogatepass"))
        elif isinstance(item, bytes | bytearray):
            total += len(item)
        elif isinstance(item, Mapping | list | tuple) and id(item) not in seen:
            seen.add(id(item))
            if isinstance(item, Mapping):
                todo += list(item.keys())
                todo += list(item.values())
            else:
                todo += item
    return total

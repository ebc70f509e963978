"""Grafana's variables in a text: `$name`, `${name:format}`, `[[name]]`, with the formats that Grafana documents."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import quote

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["ALL", "Value", "fill", "names_in", "promql_text"]

ALL = "$__all"
"""What Grafana stores for "All"."""

_VARIABLE = re.compile(
    r"\$\{(\w+)(?:\.([^:${}]+))?(?::([^${}]+))?\}|\[\[(\w+?)(?:\.([^\]:]+))?(?::(\w+))?\]\]|\$(\w+)"
)
_REGEX = re.compile(r"[\\^$*+?.()|\[\]{}/]")
_PROMQL_SPECIAL = re.compile(r"[$^*{}\[\]'+?.()|]")


@dataclass(frozen=True, slots=True)
class Value:
    """What a variable stands for.

    Attributes:
        values: One, or several where the variable may have several.
        text: For people, in titles.
        many: Whether it may have several: its values then stand in a regular expression.
        raw: Put in as it is, as a variable's own value for "All" is.
    """

    values: tuple[str, ...]
    text: str = ""
    many: bool = False
    raw: bool = False


def names_in(text: str) -> set[str]:
    """The names of the variables in a text."""
    return {match[1] or match[4] or match[7] for match in _VARIABLE.finditer(text)}


def fill(text: str, values: Mapping[str, Value], *, default: str = "glob") -> str:
    """The text with its variables' values; what is no variable stays.

    Args:
        text: Of the dashboard.
        values: By name.
        default: The format where the text names none: `promql`, `text`, `glob` or another of Grafana's.
    """

    def replaced(match: re.Match[str]) -> str:
        value = values.get(match[1] or match[4] or match[7])
        if value is None:
            return match[0]
        kind = match[3] or match[6] or ("text" if (match[2] or match[5]) == "text" else default)
        return _formatted(value, kind)

    return _VARIABLE.sub(replaced, text)


def promql_text(value: Value) -> str:
    """A value inside a PromQL string: as a regular expression where it may be several."""
    if value.raw:
        return value.values[0] if value.values else ""
    if not value.many:
        return value.values[0].replace("\\", "\\\\").replace('"', '\\"') if value.values else ""
    escaped = [_PROMQL_SPECIAL.sub(r"\\\\\g<0>", v.replace("\\", "\\\\\\\\")) for v in value.values]
    return escaped[0] if len(escaped) == 1 else f"({'|'.join(escaped)})"


def _formatted(value: Value, kind: str) -> str:
    values = value.values
    if kind == "text":
        return value.text or " + ".join(values)
    if value.raw:
        return values[0] if values else ""
    if kind == "promql":
        return promql_text(value)
    if kind == "regex":
        escaped = [_REGEX.sub(r"\\\g<0>", v) for v in values]
        return escaped[0] if len(escaped) == 1 else f"({'|'.join(escaped)})"
    if kind == "pipe":
        return "|".join(values)
    if kind == "json":
        return json.dumps(list(values) if value.many else (values or ("",))[0])
    if kind == "percentencode":
        return quote(_glob(values), safe="")
    if kind in {"doublequote", "singlequote", "sqlstring"}:
        mark = '"' if kind == "doublequote" else "'"
        double = mark * 2 if kind == "sqlstring" else "\\" + mark
        return ",".join(f"{mark}{v.replace(mark, double)}{mark}" for v in values)
    if kind in {"csv", "raw"}:
        return ",".join(values)
    return _glob(values)


def _glob(values: tuple[str, ...]) -> str:
    return values[0] if len(values) == 1 else "{" + ",".join(values) + "}"

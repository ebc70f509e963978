"""A dashboard's JSON, whatever wrapping it came in; its rows and panels in the order of the page, repeated ones repeated."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from orders_obs.dashboards.preview.interpolate import Value, fill
from orders_obs.errors import UserError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

__all__ = ["Placed", "Section", "read", "sections"]

_WIDTH = 24
_OLDEST = 16
"""Before this schema panels stood in `rows`, which Grafana's own migration lays out."""


@dataclass(frozen=True, slots=True)
class Placed:
    """A panel at its place.

    Attributes:
        panel: As built.
        x: Column of 24.
        y: Row of the grid, counted from the section's top.
        w: Columns.
        h: Rows of the grid.
        values: Variables that this repetition fixes.
    """

    panel: Mapping[str, Any]
    x: int
    y: int
    w: int
    h: int
    values: Mapping[str, Value] = field(default_factory=dict)


@dataclass(slots=True)
class Section:
    """A row with its panels.

    Attributes:
        title: Of the row; empty for the panels above the first one.
        collapsed: Whether it is shut at first.
        panels: In the order that one reads them.
    """

    title: str
    collapsed: bool
    panels: list[Placed] = field(default_factory=list)


def read(path: Path) -> dict[str, Any]:
    """A built dashboard: plain, as Grafana's API has it, or as a resource of schema v1.

    Raises:
        UserError: The file cannot be read, or holds none.
    """
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise UserError(f"cannot be read: {error.strerror}", file=path) from None
    except json.JSONDecodeError as error:
        hint = "give the built JSON, not the source" if path.suffix == ".py" else ""
        raise UserError(f"is no JSON: {error.msg}", hint=hint, file=path, line=error.lineno) from None
    except (ValueError, RecursionError):
        raise UserError("is no JSON", file=path) from None
    if isinstance(content, dict):
        version = str(content.get("apiVersion", ""))
        for key in ("dashboard", "spec"):
            if isinstance(content.get(key), dict):
                content = content[key]
        if "elements" in content or "/v2" in version:
            hint = "give the v1 JSON (in Grafana: Export, model Classic)"
            raise UserError("is a dashboard of schema v2", hint=hint, file=path)
    if not isinstance(content, dict) or not isinstance(
        content.get("panels", content.get("title")), list | str
    ):
        raise UserError(
            "is no dashboard", hint="give the JSON that `orders-obs dashboards build` writes", file=path
        )
    for key in ("annotations", "templating", "time"):
        inner = content.get(key)
        if inner is not None and not isinstance(inner, dict):
            raise UserError(f"{key} is no object", hint="see Grafana's JSON model of a dashboard", file=path)
        if inner and key != "time" and not isinstance(inner.get("list") or [], list):
            raise UserError(
                f"{key}.list is no list", hint="see Grafana's JSON model of a dashboard", file=path
            )
    if content.get("rows"):
        hint = f"open and save it in Grafana, which migrates what is older than schema {_OLDEST}"
        raise UserError("has the layout `rows` of an old Grafana", hint=hint, file=path)
    return content


def sections(dashboard: Mapping[str, Any], values: Mapping[str, Value]) -> list[Section]:
    """The rows of a dashboard, and the panels above the first one, as they stand on the page."""
    found = [Section("", collapsed=False)]
    for panel in sorted(_dicts(dashboard.get("panels")), key=_place):
        if panel.get("type") != "row":
            found[-1].panels += _repeated(panel, values)
            continue
        for row_values in _each(panel, values):
            title = fill(str(panel.get("title") or "Row"), {**values, **row_values}, default="text")
            section = Section(title, bool(panel.get("collapsed")))
            for inner in sorted(_dicts(panel.get("panels")), key=_place):
                section.panels += [
                    Placed(p.panel, p.x, p.y, p.w, p.h, {**row_values, **p.values})
                    for p in _repeated(inner, {**values, **row_values})
                ]
            found.append(section)
    return [_settled(section) for section in found if section.panels or section.title]


def _dicts(value: Any) -> list[dict[str, Any]]:
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def _place(panel: Mapping[str, Any]) -> tuple[int, int]:
    grid = panel.get("gridPos")
    grid = grid if isinstance(grid, dict) else {}
    return _whole(grid.get("y"), 0), _whole(grid.get("x"), 0)


def _whole(value: Any, otherwise: int) -> int:
    return int(value) if isinstance(value, int | float) and math.isfinite(value) else otherwise


def _each(panel: Mapping[str, Any], values: Mapping[str, Value]) -> Iterator[dict[str, Value]]:
    """The fixed variables of each repetition; one without any where nothing is repeated."""
    name = panel.get("repeat")
    value = values.get(str(name)) if name else None
    if value is None or value.raw or not value.values:
        yield {}
        return
    for one in value.values:
        yield {str(name): Value((one,), text=one, many=value.many)}


def _repeated(panel: Mapping[str, Any], values: Mapping[str, Value]) -> list[Placed]:
    grid = panel.get("gridPos")
    grid = grid if isinstance(grid, dict) else {}
    y, x = _place(panel)
    w = min(_WIDTH, max(1, _whole(grid.get("w"), 12)))
    h = max(1, _whole(grid.get("h"), 8))
    x = min(max(0, x), _WIDTH - w)
    every = list(_each(panel, values))
    if len(every) == 1:
        return [Placed(panel, x, y, w, h, every[0])]
    if panel.get("repeatDirection") == "v":
        return [Placed(panel, x, y + h * at, w, h, one) for at, one in enumerate(every)]
    in_row = min(len(every), max(1, _whole(panel.get("maxPerRow"), 4)))
    width = _WIDTH // in_row
    return [
        Placed(panel, at % in_row * width, y + at // in_row * h, width, h, one)
        for at, one in enumerate(every)
    ]


def _settled(section: Section) -> Section:
    """The panels moved up to the section's top, and down where a repetition would lie upon them, as Grafana's grid does."""
    done: list[Placed] = []
    top = min((placed.y for placed in section.panels), default=0)
    for placed in sorted(section.panels, key=lambda p: (p.y, p.x)):
        y = placed.y - top
        while any(_overlap(placed, y, other) for other in done):
            y += 1
        done.append(Placed(placed.panel, placed.x, y, placed.w, placed.h, placed.values))
    done.sort(key=lambda p: (p.y, p.x))
    return Section(section.title, section.collapsed, done)


def _overlap(one: Placed, y: int, other: Placed) -> bool:
    beside = one.x + one.w <= other.x or other.x + other.w <= one.x
    above = y + one.h <= other.y or other.y + other.h <= y
    return not beside and not above

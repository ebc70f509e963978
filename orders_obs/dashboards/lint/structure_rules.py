"""Rules on the shape of the JSON: keys that Grafana does not know, values of another type than its own."""

from __future__ import annotations

import difflib
import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

from orders_obs.dashboards.lint.known import ANGULAR, LEGACY_KEYS, MIGRATED, NEWER_KEYS
from orders_obs.dashboards.lint.structure import mismatches
from orders_obs.dashboards.lint.views import Said

if TYPE_CHECKING:
    from collections.abc import Iterator

    from orders_obs.dashboards.lint.structure import Mismatch
    from orders_obs.dashboards.lint.views import DashboardView, Panel

__all__ = ["Found", "found_in", "key_legacy", "key_unknown", "type_wrong"]

_NEAR = 0.8


Found = Sequence["tuple[Panel | None, Mismatch]"]
"""Mismatches, each with its panel."""


def found_in(view: DashboardView) -> Found:
    """Where the dashboard differs from Grafana's types, for the rules here."""
    return list(mismatches(view.json, view.panels))


def _about(panel: Panel | None) -> str:
    return f"{panel.name}: " if panel is not None else ""


def _is_of_angular(panel: Panel | None) -> bool:
    return panel is not None and (panel.type in MIGRATED or panel.type in ANGULAR)


def key_unknown(every: Found) -> Iterator[Said]:
    groups: dict[str, list[tuple[str, Mismatch]]] = {}
    for panel, found in every:
        if found.unknown and not _is_explained(found) and not _is_of_angular(panel):
            groups.setdefault(re.sub(r"\[\d+\]|^query \S+", "", found.path), []).append(
                (_about(panel), found)
            )
    for several in groups.values():
        about, found = several[0]
        near = difflib.get_close_matches(found.key[:60], found.known, 1, _NEAR)
        more = f" (nor at {len(several) - 1} more places)" if len(several) > 1 else ""
        yield Said(
            f"{about}{found.path} {found.message}{more}, so it does nothing",
            f"did you mean {near[0]}?" if near else "take it out; a plugin may know it",
            found.at,
            None if near else "info",
        )


def _is_explained(found: Mismatch) -> bool:
    """Whether Grafana itself writes it, or did so once."""
    empty_panels = found.key == "panels" and not found.at.get("panels")
    return found.key in LEGACY_KEYS or found.key in NEWER_KEYS or empty_panels


def key_legacy(every: Found) -> Iterator[Said]:
    old: dict[str, None] = {}
    for panel, found in every:
        if found.unknown and found.key in LEGACY_KEYS and not _is_of_angular(panel):
            old[found.key] = None
    old.pop("alert", None)  # has a rule of its own
    if old:
        names = ", ".join(list(old)[:8]) + (", …" if len(old) > 8 else "")
        yield Said(
            f"it holds {len(old)} keys that Grafana wrote once and no longer reads: {names}",
            "load it in today's Grafana and save it",
        )


def type_wrong(view: DashboardView, every: Found) -> Iterator[Said]:
    for panel, found in every:
        if found.unknown or _is_taken(found):
            continue
        # What an older version wrote, Grafana still turns into today's form.
        yield Said(
            f"{_about(panel)}{found.path} {found.message}",
            "Grafana 13 refuses it when it is saved through its new API",
            found.at,
            None if view.is_v1_of_today else "info",
        )


def _is_taken(found: Mismatch) -> bool:
    """Whether Grafana itself wrote such a value, and reads it."""
    value = found.at.get(found.key) if isinstance(found.at, dict) else None
    return (
        (found.key == "datasource" and isinstance(value, str))
        or (found.key == "refresh" and value is False)
        or (found.key == "gnetId" and isinstance(value, int))
        or (found.path == "options.footer.fields" and value == "")
    )

"""What every panel of Grafana 11 to 13 shares: known keys only, explicit field options, reference ids."""

from __future__ import annotations

import copy
import itertools
import string
from typing import Any

import attr
from grafanalib.core import Panel

__all__ = ["ModernPanel", "attributes", "link_to"]

PLUGIN_VERSION = "13.1.0"
"""Grafana migrates a panel that names no version as one of 6.1."""
attributes: Any = attr.s
"""Under another name mypy's attrs plugin leaves the classes alone: it does not see what the untyped bases declare."""

_PANEL_KEYS = frozenset(
    {
        "datasource", "description", "gridPos", "id", "interval", "links", "maxDataPoints", "maxPerRow", "repeat",
        "repeatDirection", "targets", "timeFrom", "timeShift", "title", "transformations", "transparent",
    }
)  # fmt: skip


@attributes
class ModernPanel(Panel):  # type: ignore[misc]  # grafanalib has no types
    """A panel that is spelt out.

    Attributes:
        unit: Grafana's id of the unit.
        decimals: Digits after the point; None lets Grafana choose.
        lines: Thresholds as pairs of value and colour, the base first with None as its value.
        minimum: Lowest value of the axis.
        maximum: Highest value of the axis.
        mappings: Value mappings, as Grafana has them.
        overrides: Field overrides, as Grafana has them.
        data_links: Links of values, as Grafana has them.
        no_value: What stands where there is no data.
        width: Columns of the 24 that it takes in its row; an even share where 0.
        maxDataPoints: None lets Grafana choose; grafanalib's own choice makes coarse graphs.
    """

    unit = attr.ib(default="short")
    decimals = attr.ib(default=None)
    lines: Any = attr.ib(default=((None, "green"),))
    minimum = attr.ib(default=None)
    maximum = attr.ib(default=None)
    mappings: Any = attr.ib(factory=list)
    overrides: Any = attr.ib(factory=list)
    data_links: Any = attr.ib(factory=list)
    no_value = attr.ib(default=None)
    width = attr.ib(default=0)
    maxDataPoints = attr.ib(default=None)  # noqa: N815  # grafanalib's name

    def modern(
        self,
        kind: str,
        options: dict[str, Any],
        custom: dict[str, Any] | None = None,
        color: str = "palette-classic",
    ) -> dict[str, Any]:
        """The panel's JSON: grafanalib's own keys that are still known, and what this kind adds.

        Args:
            kind: Grafana's name of the type.
            options: The type's own options, all of them.
            custom: The type's own field options.
            color: How a value gets its colour.
        """
        taken = {target.refId for target in self.targets}
        letters = (
            *string.ascii_uppercase,
            *map("".join, itertools.product(string.ascii_uppercase, repeat=2)),
        )
        free = (letter for letter in letters if letter not in taken)
        for target in self.targets:
            target.refId = target.refId or next(free)
        known = {
            key: value
            for key, value in self.panel_json({}).items()
            if key in _PANEL_KEYS and value not in ([], "")
        }
        if not known.get("repeat"):
            known.pop("repeatDirection", None)
        defaults: dict[str, Any] = {
            "color": {"mode": color},
            "custom": custom or {},
            "decimals": self.decimals,
            "mappings": copy.deepcopy(self.mappings),
            "max": self.maximum,
            "min": self.minimum,
            "noValue": self.no_value,
            "thresholds": {
                "mode": "absolute",
                "steps": [{"color": name, "value": value} for value, name in self.lines],
            },
            "unit": self.unit,
        }
        if self.data_links:
            defaults["links"] = copy.deepcopy(self.data_links)
        return {
            **known,
            "fieldConfig": {"defaults": defaults, "overrides": copy.deepcopy(self.overrides)},
            "options": copy.deepcopy(options),
            "pluginVersion": PLUGIN_VERSION,
            "type": kind,
        }

    def bare(self, kind: str, options: dict[str, Any]) -> dict[str, Any]:
        """The JSON of a panel that shows no series, and so has neither queries nor field options."""
        made = self.modern(kind, options)
        made["fieldConfig"] = {"defaults": {}, "overrides": []}
        return made


def link_to(title: str, url: str) -> dict[str, Any]:
    """A link of a panel or of its values, with every key that Grafana's schema asks for.

    Args:
        title: What stands there.
        url: May name variables, and `${__value.raw}` for the value that is clicked.
    """
    return {
        "asDropdown": False,
        "icon": "",
        "includeVars": False,
        "keepTime": False,
        "tags": [],
        "targetBlank": True,
        "title": title,
        "tooltip": "",
        "type": "link",
        "url": url,
    }

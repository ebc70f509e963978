"""The queries of a built dashboard, as a Prometheus would get them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

__all__ = ["PanelQuery", "prometheus_queries"]

_VARIABLE = re.compile(r"\$(?:\{(\w+)(?::\w+)?\}|(\w+))")
_MACROS = {"__rate_interval": "1m", "__interval": "15s", "__range": "1h", "__range_s": "3600"}


@dataclass(frozen=True, slots=True)
class PanelQuery:
    """One Prometheus query of a panel, its variables filled in."""

    panel: str
    ref_id: str
    expr: str


def prometheus_queries(dashboard: Mapping[str, Any], **variables: str) -> list[PanelQuery]:
    """The Prometheus queries of a dashboard's JSON, panels of collapsed rows included.

    Args:
        dashboard: As built.
        variables: Values of its variables and of Grafana's macros, such as `job` and `__rate_interval`.

    Raises:
        KeyError: A query uses a variable that has no value.
    """
    values = _MACROS | variables
    return [
        PanelQuery(str(panel.get("title", "")), str(target["refId"]), _filled(target["expr"], values))
        for panel in _panels(dashboard.get("panels", ()))
        for target in panel.get("targets", ())
        if (target.get("datasource") or panel.get("datasource") or {}).get("type") == "prometheus"
    ]


def _panels(panels: Any) -> Iterator[Mapping[str, Any]]:
    for panel in panels:
        yield panel
        yield from _panels(panel.get("panels", ()))


def _filled(expr: str, values: Mapping[str, str]) -> str:
    return _VARIABLE.sub(lambda match: values[match[1] or match[2]], expr)

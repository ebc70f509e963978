"""Panels with an axis: time series, heat map, state timeline, bar chart."""

from __future__ import annotations

from typing import Any

import attr

from orders_obs.dashboards.base import ModernPanel, attributes

__all__ = ["BarChartPanel", "HeatmapPanel", "StateTimelinePanel", "TimeSeriesPanel"]

_AXIS = {
    "axisBorderShow": False,
    "axisCenteredZero": False,
    "axisColorMode": "text",
    "axisLabel": "",
    "axisPlacement": "auto",
}
_SHOWN = {"legend": False, "tooltip": False, "viz": False}


@attributes
class TimeSeriesPanel(ModernPanel):
    """A graph over time; thresholds are drawn as dashed lines.

    Attributes:
        stacked: Whether the series add up to something.
        bars: Bars instead of lines; for numbers that belong to a stretch of time.
        calcs: What the legend says of a series; none makes it a list of names.
    """

    stacked = attr.ib(default=False)
    bars = attr.ib(default=False)
    calcs: Any = attr.ib(default=("lastNotNull", "max"))

    def to_json_data(self) -> dict[str, Any]:
        """As Grafana has it."""
        custom = {
            **_AXIS,
            "barAlignment": 0,
            "drawStyle": "bars" if self.bars else "line",
            "fillOpacity": 60 if self.bars else 30 if self.stacked else 10,
            "gradientMode": "none",
            "hideFrom": _SHOWN,
            "insertNulls": False,
            "lineInterpolation": "linear",
            "lineWidth": 1 if self.bars or self.stacked else 2,
            "pointSize": 5,
            "scaleDistribution": {"type": "linear"},
            "showPoints": "auto",
            "spanNulls": False,
            "stacking": {"group": "A", "mode": "normal" if self.stacked else "none"},
            "thresholdsStyle": {"mode": "dashed" if len(self.lines) > 1 else "off"},
        }
        options = {
            "legend": {
                "calcs": list(self.calcs),
                "displayMode": "table" if self.calcs else "list",
                "placement": "bottom",
                "showLegend": True,
            },
            "tooltip": {"hideZeros": False, "mode": "multi", "sort": "desc"},
        }
        return self.modern("timeseries", options, custom)


@attributes
class HeatmapPanel(ModernPanel):
    """The buckets of a histogram over time; the unit is that of its bounds. Exemplars are drawn where its query asks for them.

    Attributes:
        cells: Unit of what a cell counts.
    """

    cells = attr.ib(default="short")

    def to_json_data(self) -> dict[str, Any]:
        """As Grafana has it."""
        options = {
            "calculate": False,
            "cellGap": 1,
            "cellValues": {"unit": self.cells},
            "color": {
                "exponent": 0.5,
                "fill": "dark-orange",
                "mode": "scheme",
                "reverse": False,
                "scale": "exponential",
                "scheme": "Oranges",
                "steps": 64,
            },
            "exemplars": {"color": "rgba(80,160,255,0.9)"},
            # Empty buckets are background, not a colour.
            "filterValues": {"le": 1e-9},
            "legend": {"show": True},
            "rowsFrame": {"layout": "auto"},
            "showValue": "never",
            "tooltip": {"mode": "single", "showColorScale": True, "yHistogram": True},
            "yAxis": {"axisPlacement": "left", "reverse": False, "unit": self.unit},
        }
        return self.modern("heatmap", options, {"hideFrom": _SHOWN, "scaleDistribution": {"type": "linear"}})


@attributes
class StateTimelinePanel(ModernPanel):
    """When something was in which state, a line each.

    Attributes:
        values: Whether the state's name stands in the line.
    """

    values = attr.ib(default=True)

    def to_json_data(self) -> dict[str, Any]:
        """As Grafana has it."""
        custom = {
            "axisPlacement": "auto",
            "fillOpacity": 80,
            "hideFrom": _SHOWN,
            "lineWidth": 0,
        }
        options = {
            "alignValue": "left",
            "legend": {"calcs": [], "displayMode": "list", "placement": "bottom", "showLegend": False},
            "mergeValues": True,
            "rowHeight": 0.8,
            "showValue": "auto" if self.values else "never",
            "tooltip": {"hideZeros": False, "mode": "single", "sort": "none"},
        }
        return self.modern("state-timeline", options, custom, color="thresholds")


@attributes
class BarChartPanel(ModernPanel):
    """Bars by name.

    Attributes:
        names: The field whose values name the bars.
    """

    names = attr.ib(default="")

    def to_json_data(self) -> dict[str, Any]:
        """As Grafana has it."""
        custom = {
            **_AXIS,
            "fillOpacity": 80,
            "gradientMode": "none",
            "hideFrom": _SHOWN,
            "lineWidth": 1,
            "scaleDistribution": {"type": "linear"},
            "thresholdsStyle": {"mode": "dashed" if len(self.lines) > 1 else "off"},
        }
        options: dict[str, Any] = {
            "barRadius": 0,
            "barWidth": 0.9,
            "fullHighlight": False,
            "groupWidth": 0.7,
            "legend": {"calcs": [], "displayMode": "list", "placement": "bottom", "showLegend": False},
            "orientation": "horizontal",
            "showValue": "auto",
            "stacking": "none",
            "tooltip": {"hideZeros": False, "mode": "single", "sort": "none"},
            "xTickLabelMaxLength": 40,
            "xTickLabelRotation": 0,
            "xTickLabelSpacing": 0,
        }
        if self.names:
            options["xField"] = self.names
        return self.modern("barchart", options, custom)

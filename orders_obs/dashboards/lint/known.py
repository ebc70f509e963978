"""Words that Grafana knows and no schema lists: reducers, matchers, transformations, panels, what was there once.

Sources: the registries of `@grafana/data` (fieldReducer, matchers, transformers, valueFormats) and the panel plugins of Grafana 7 to 13,
as of November 2026.
"""

from __future__ import annotations

import re

__all__ = [
    "ANGULAR",
    "GLOBALS",
    "LEGACY_KEYS",
    "MATCHERS",
    "MIGRATED",
    "NEWER_KEYS",
    "NEWEST_SCHEMA",
    "NUMERIC_PANELS",
    "OLD_PROPERTIES",
    "OLD_UNITS",
    "PANELS",
    "PLAIN_PANELS",
    "PROPERTIES",
    "REDUCING",
    "TRANSFORMATIONS",
    "is_reducer",
    "is_unit",
]

NEWEST_SCHEMA = 42
"""The newest schemaVersion that Grafana's migrations know."""

_REDUCERS = frozenset(
    {
        *("sum", "max", "min", "logmin", "mean", "variance", "stdDev", "last", "median", "first", "count", "countAll"),
        *("range", "diff", "diffperc", "delta", "step", "firstNotNull", "lastNotNull", "changeCount", "distinctCount"),
        *("allIsZero", "allIsNull", "allValues", "uniqueValues", "current", "avg", "total"),
    }
)  # fmt: skip
_PERCENTILE = re.compile(r"p[1-9]\d?")


def is_reducer(name: str) -> bool:
    """Whether Grafana can compute one value of a series by that name."""
    return name in _REDUCERS or _PERCENTILE.fullmatch(name) is not None


MATCHERS = frozenset(
    {
        *("anyMatch", "allMatch", "invertMatch", "alwaysMatch", "neverMatch", "numeric", "time", "first"),
        *("firstTimeField", "byType", "byTypes", "byName", "byNames", "byRegexp", "byRegexpOrNames", "byFrameRefID"),
        *("byValue", "byLabel", "byIndex"),
    }
)  # fmt: skip
"""Ids of what chooses the fields of an override."""
PROPERTIES = frozenset(
    {
        *("unit", "min", "max", "decimals", "displayName", "displayNameFromDS", "color", "thresholds", "mappings"),
        *("noValue", "links", "actions", "filterable", "description", "fieldMinMax", "path", "unitScale"),
    }
)  # fmt: skip
"""Ids of what an override may set on the fields of every panel."""
OLD_PROPERTIES = frozenset({"custom.displayMode", "custom.lineMode", "custom.hidden", "custom.filterable"})
"""Those that Grafana still turns into today's."""
TRANSFORMATIONS = frozenset(
    {
        *("append", "reduce", "order", "organize", "rename", "calculateField", "seriesToColumns", "joinByField"),
        *("joinByLabels", "seriesToRows", "merge", "concatenate", "labelsToFields", "filterFields"),
        *("filterFieldsByName", "filterFrames", "filterByRefId", "renameByRegex", "filterByValue", "noop"),
        *("ensureColumns", "groupBy", "sortBy", "histogram", "configFromData", "rowsToFields", "prepareTimeSeries"),
        *("convertFieldType", "fieldLookup", "heatmap", "spatial", "extractFields", "groupingToMatrix", "limit"),
        *("partitionByValues", "formatString", "formatTime", "timeSeriesTable", "transpose", "groupToNestedTable"),
        *("regression", "smoothing", "convertFrameType", "addFieldFromCalculation"),
    }
)  # fmt: skip

MIGRATED = {
    "graph": "timeseries",
    "singlestat": "stat",
    "grafana-singlestat-panel": "stat",
    "table-old": "table",
    "grafana-piechart-panel": "piechart",
    "grafana-worldmap-panel": "geomap",
    "natel-discrete-panel": "state-timeline",
}
"""Panels of Angular that Grafana turns into one of today's when it loads them."""
ANGULAR = frozenset(
    {
        *("flant-statusmap-panel", "vonage-status-panel", "blackmirror1-statusbygroup-panel", "briangann-gauge-panel"),
        *("jdbranham-diagram-panel", "farski-blendstat-panel", "natel-plotly-panel", "btplc-status-dot-panel"),
        *("btplc-trend-box-panel", "mtanda-histogram-panel", "mtanda-heatmap-epoch-panel", "raintank-worldping-panel"),
        *("savantly-heatmap-panel", "pluginlist", "digrich-bubblechart-panel", "citilogics-geoloop-panel"),
        *("michaeldmoore-annunciator-panel", "ryantxu-annolist-panel", "snuids-radar-panel", "zuburqan-parity-report-panel"),
    }
)  # fmt: skip
"""Panels of Angular that no Grafana from 12 on can show."""

PANELS = frozenset(
    {
        *("alertlist", "annolist", "barchart", "bargauge", "candlestick", "canvas", "dashlist", "datagrid", "debug"),
        *("flamegraph", "gauge", "geomap", "gettingstarted", "heatmap", "histogram", "live", "logs", "logstable", "news"),
        *("nodeGraph", "piechart", "radialbar", "row", "stat", "state-timeline", "status-history", "table", "text"),
        *("timeseries", "traces", "trend", "welcome", "xychart"),
        # of old, and of what is in a library
        *("heatmap-new", "library-panel-ref"),
    }
)  # fmt: skip
"""Panels that Grafana brings."""
GLOBALS = frozenset(
    {
        *("__dashboard", "__from", "__to", "__interval", "__interval_ms", "__name", "__org", "__user", "__range"),
        *("__range_ms", "__range_s", "__rate_interval", "__rate_interval_ms", "__timeFilter", "__timezone"),
        *("__url_time_range", "__all_variables"),
        # of data sources: Loki's step, CloudWatch's log groups and period, what is typed into a variable's search, "All"
        *("__auto", "__logGroups", "__period_auto", "__searchFilter", "__all"),
        # of the value that a link belongs to
        *("__value", "__series", "__field", "__data", "__cell", "__trace", "__span", "__tags"),
    }
)  # fmt: skip
"""Variables that Grafana gives without a definition (grafana.com/docs, "Global variables", 13.2), and its data sources' own."""

NUMERIC_PANELS = frozenset(
    {"timeseries", "stat", "gauge", "bargauge", "graph", "singlestat", "barchart", "trend", "heatmap"}
)
"""Panels that show numbers on an axis or by themselves."""
REDUCING = frozenset({"stat", "gauge", "bargauge", "piechart"})
"""Panels that make one value of a series."""
PLAIN_PANELS = frozenset(
    {"text", "row", "news", "dashlist", "alertlist", "annolist", "welcome", "gettingstarted", "canvas"}
)
"""Panels that may stand without a query."""

OLD_UNITS = {
    "percentunit100": "percent",
    "bytes/sec": "Bps",
    "bits/sec": "bps",
    "seconds": "s",
    "second": "s",
    "sec": "s",
    "milliseconds": "ms",
    "minutes": "m",
    "hours": "h",
    "days": "d",
    "B": "bytes",
    "byte": "bytes",
    "Byte": "bytes",
    "Bytes": "bytes",
    "%": "percent",
    "ratio": "percentunit",
    "number": "none",
    "farenheit": "fahrenheit",
}
"""Words that people write for a unit, and Grafana's id."""
# Grafana still reads them, though the list of units no longer offers them.
_STILL_READ = frozenset(
    {
        *("", "logical", "farenheit", "rps", "ppm", "bool", "bool_yes_no", "bool_on_off", "dateTimeAsLocal"),
        *("dateTimeAsLocalNoDateIfToday", "dateTimeAsSystem", "dateTimeFromNow", "µs", "us", "conμgm3", "conμgNm3"),
        *("none", "short", "string", "sishort"),
    }
)  # fmt: skip
_CUSTOM_UNIT = re.compile(r"(?:prefix|suffix|time|si|count|currency|bool):.+", re.DOTALL)


def is_unit(name: str, ids: frozenset[str]) -> bool:
    """Whether Grafana formats by that name: one of its ids, one of its own of old, or one that is made up (`suffix: orders`)."""
    return name in ids or name in _STILL_READ or _CUSTOM_UNIT.fullmatch(name) is not None or "$" in name


NEWER_KEYS = frozenset(
    {
        *("showValues", "footer", "regexApplyTo", "filterable", "showSearch", "hideFrom", "unwrappedColumns", "annotations"),
        *("enablePagination", "wrapHeaderText", "wrapText", "valuesFormat", "enableGroupBy", "maxHeight", "styleField"),
        *("shape", "barShape", "barWidthFactor", "segmentCount", "segmentSpacing", "endpointMarker", "effects", "textMode"),
        *("sparkline", "neutral", "tooltip", "frozenColumns", "showControls", "controlsStorageKey", "syntaxHighlighting"),
    }
)  # fmt: skip
"""Keys that Grafana 12.2 to 13.2 write and the pinned foundation SDK does not have."""
LEGACY_KEYS = frozenset(
    {
        # of the dashboard
        *("style", "hideControls", "rows", "iteration", "sharedCrosshair", "originalTitle", "gnetId", "inputs"),
        *("time_options", "timeOptions", "now", "enable", "notice", "status", "nowDelay", "collapse", "type", "dashboard"),
        # of variables
        *("tagValuesQuery", "tagsQuery", "useTags", "tags", "queryValue", "filters", "baseFilters", "isNone"),
        *("auto_min", "auto_count", "refresh_on_load", "hideLabel", "hideVariable", "allFormat", "multiFormat", "error"),
        *("defaultKeys", "allowCustomValue", "applyMode", "supportsMultiValueOperators"),
        # of graphs of Angular
        *("aliasColors", "bars", "dashLength", "dashes", "fill", "fillGradient", "hiddenSeries", "lines", "linewidth"),
        *("nullPointMode", "percentage", "pointradius", "points", "renderer", "seriesOverrides", "spaceLength"),
        *("paceLength", "stack", "steppedLine", "timeRegions", "xaxis", "yaxes", "yaxis", "legend", "tooltip", "thresholds"),
        *("span", "minSpan", "height", "editable", "error", "isNew", "decimals", "grid", "leftYAxisLabel", "alert"),
        *("alertThreshold", "scopedVars", "repeatIteration", "repeatPanelId", "repeatedByRow", "interval", "unit"),
        *("x-axis", "y-axis", "y_formats", "leftMax", "leftMin", "rightMax", "rightMin", "sortColor", "maxPerRow"),
        # of single stats, tables, heat maps and texts of Angular
        *("colorBackground", "colorValue", "colors", "format", "gauge", "mappingType", "mappingTypes", "nullText"),
        *("postfix", "postfixFontSize", "prefix", "prefixFontSize", "rangeMaps", "sparkline", "tableColumn"),
        *("valueFontSize", "valueMaps", "valueName", "colorPostfix", "colorPrefix", "columns", "fontSize", "scroll"),
        *("showHeader", "sort", "styles", "transform", "pageSize", "filterNull", "cards", "color", "dataFormat", "heatmap"),
        *("hideZeroBuckets", "highlightCards", "reverseYBuckets", "xAxis", "yAxis", "xBucketNumber", "xBucketSize"),
        *("yBucketBound", "yBucketNumber", "yBucketSize", "tooltipDecimals", "content", "mode", "hideTimeOverride"),
        *("headings", "limit", "query", "recent", "search", "starred", "folderId", "onlyAlertsOnDashboard", "show"),
        *("sortOrder", "stateFilter", "nameFilter", "dashboardTags", "dashboardFilter", "displayMode", "unitScale"),
        # of queries
        *("intervalFactor", "dataLinks", "default", "showIn", "step", "metric", "target", "textEditor", "rawQuery", "logBase", "legendLink", "min", "max", "exemplar", "key"),
        *("hide", "alias", "statistics", "highResolution", "functions", "useBackend", "disableTextWrap", "fromExploreMetrics"),
        *("fullMetaSearch", "includeNullMetadata", "useMetricsResultTypes", "scopes", "adhocFilters", "groupByKeys"),
        *("interval", "intervalMs", "maxDataPoints", "valueType", "builder", "operation", "direction", "maxLines"),
    }
)  # fmt: skip
"""Keys that Grafana itself has written at some time and no longer reads, or that a plugin adds."""

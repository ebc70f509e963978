"""Which data source a query is for, and how a query reads where it cannot be asked."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from orders_obs.dashboards.preview.interpolate import names_in

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["PROMETHEUS", "kind_of", "query_text", "spoken"]

PROMETHEUS = "prometheus"
_PROMETHEUS = {
    "prometheus",
    "grafana-amazonprometheus-datasource",
    "grafana-azureprometheus-datasource",
    "victoriametrics-metrics-datasource",
}
_OF_GRAFANA = {
    "-- Mixed --": "mixed",
    "-- Dashboard --": "dashboard",
    "-- Grafana --": "grafana",
    "grafana": "grafana",
    "__expr__": "expression",
}
_SPOKEN = {
    PROMETHEUS: "Prometheus",
    "cloudwatch": "CloudWatch",
    "loki": "Loki",
    "jaeger": "Jaeger",
    "tempo": "Tempo",
    "elasticsearch": "Elasticsearch",
    "influxdb": "InfluxDB",
    "alertmanager": "Alertmanager",
    "grafana-x-ray-datasource": "X-Ray",
    "dashboard": "the result of another panel",
    "expression": "an expression that Grafana computes",
    "grafana": "Grafana itself",
    "unknown": "a data source that the dashboard does not name",
}
_NOT_SHOWN = {"datasource", "refId", "id", "hide", "statsGroups", "region", "period", "key"}


def kind_of(source: Any, outer: Any, variables: Mapping[str, str], inputs: Mapping[str, str]) -> str:
    """The kind of data source of a query, such as `prometheus` or `cloudwatch`.

    Args:
        source: The query's own.
        outer: The panel's, where the query names none.
        variables: The kinds of the variables that name data sources.
        inputs: The kinds of the inputs of a dashboard that was exported for sharing.
    """
    for given in (source, outer):
        if given in (None, "", {}):
            continue
        kind = _kind(given, variables, inputs)
        if kind != "mixed":
            return kind
    # The default one, which nobody names; in a dashboard for a Prometheus it is that.
    return PROMETHEUS


def _kind(given: Any, variables: Mapping[str, str], inputs: Mapping[str, str]) -> str:
    uid = str(given.get("uid") or "") if isinstance(given, dict) else str(given)
    kind = str(given.get("type") or "") if isinstance(given, dict) else ""
    if uid in _OF_GRAFANA or kind in _OF_GRAFANA:
        return _OF_GRAFANA.get(uid) or _OF_GRAFANA[kind]
    if not kind:
        for name in names_in(uid):
            kind = variables.get(name) or inputs.get(name) or kind
    if not kind:
        lowered = uid.lower()
        kind = next((name for name in (*_PROMETHEUS, *_SPOKEN) if name in lowered), "unknown")
    return PROMETHEUS if kind in _PROMETHEUS else kind


def spoken(kind: str) -> str:
    """The name of a kind of data source in a sentence."""
    return _SPOKEN.get(kind, kind)


def query_text(target: Mapping[str, Any]) -> str:
    """A query as a person reads it, where it is none of Prometheus; after the name that others know it by."""
    name = target.get("id")
    return f"{name} = {_text(target)}" if isinstance(name, str) and name else _text(target)


def _text(target: Mapping[str, Any]) -> str:
    for key in ("expr", "rawSql", "sqlExpression", "expression", "query"):
        text = target.get(key)
        if isinstance(text, str) and text.strip():
            return text
    if target.get("metricName"):
        dimensions = target.get("dimensions") or {}
        inside = ", ".join(f"{key}={_joined(value)}" for key, value in dimensions.items())
        parts = (target.get("statistic", ""), target.get("namespace", ""), target["metricName"])
        return " ".join(str(part) for part in parts if part) + (f" {{{inside}}}" if inside else "")
    shown = {
        key: value
        for key, value in target.items()
        if key not in _NOT_SHOWN and value not in (None, "", [], {})
    }
    return json.dumps(shown, ensure_ascii=False, sort_keys=True) if shown else ""


def _joined(value: Any) -> str:
    return "|".join(str(item) for item in value) if isinstance(value, list) else str(value)

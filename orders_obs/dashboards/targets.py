"""Queries of panels: Prometheus, CloudWatch metrics and logs, Jaeger and Loki, as Grafana 11 to 13 write them."""

from __future__ import annotations

from typing import Any

import attr
from grafanalib.core import Target

__all__ = ["CloudWatchLogsTarget", "CloudWatchTarget", "JaegerTarget", "LokiTarget", "PromTarget"]

# Under another name mypy's attrs plugin leaves the classes alone: it does not see what the untyped bases declare.
_attributes: Any = attr.s


@_attributes
class _Target(Target):  # type: ignore[misc]  # grafanalib has no types
    """What the queries share.

    Attributes:
        needs: What must be there for data, where a service alone is not enough: `postgres` (postgres_exporter), `aws`, `rules:ENV`
            (the rules of that environment). For whoever checks the queries; the JSON does not have it.
        hidden: Whether it is only read by another query of the panel.
    """

    needs = attr.ib(default="")
    hidden = attr.ib(default=False)

    def _with(self, **values: Any) -> dict[str, Any]:
        shown = {"hide": True} if self.hidden else {}
        return {"datasource": self.datasource, "refId": self.refId, **shown, **values}


@_attributes
class PromTarget(_Target):
    """A Prometheus query.

    Attributes:
        exemplar: Show exemplars; for queries of histograms.
        now: One value a series at the end of the range, instead of a graph.
        table: Likewise, a row a series with its labels as columns.
        heatmap: The series are a histogram's buckets.
        interval: Seconds that a step lasts at the least, such as `1m`; the data source's own scrape interval unless said.
    """

    exemplar = attr.ib(default=False)
    now = attr.ib(default=False)
    table = attr.ib(default=False)
    heatmap = attr.ib(default=False)
    interval = attr.ib(default="")

    def to_json_data(self) -> dict[str, Any]:
        """As Grafana's Prometheus data source has it."""
        instant = self.now or self.table
        step = {"interval": self.interval} if self.interval else {}
        return self._with(
            editorMode="code",
            exemplar=self.exemplar,
            expr=self.expr,
            format="table" if self.table else "heatmap" if self.heatmap else "time_series",
            instant=instant,
            legendFormat=self.legendFormat or "__auto",
            range=not instant,
            **step,
        )


@_attributes
class JaegerTarget(_Target):
    """A search for traces in Jaeger.

    Attributes:
        service: Whose traces.
        operation: Of which operation; all unless said.
        tags: Conditions in logfmt, such as `error=true`.
        longer_than: Only traces that last at least so long, such as `500ms`.
        limit: Traces at the most.
    """

    service = attr.ib(default="")
    operation = attr.ib(default="")
    tags = attr.ib(default="")
    longer_than = attr.ib(default="")
    limit = attr.ib(default=20)

    def to_json_data(self) -> dict[str, Any]:
        """As Grafana's Jaeger data source has it."""
        wanted = {"operation": self.operation, "minDuration": self.longer_than}
        return self._with(
            limit=self.limit,
            queryType="search",
            service=self.service,
            tags=self.tags,
            **{key: value for key, value in wanted.items() if value},
        )


@_attributes
class LokiTarget(_Target):
    """A query of Loki, in LogQL.

    Attributes:
        lines: Lines at the most.
    """

    lines = attr.ib(default=100)

    def to_json_data(self) -> dict[str, Any]:
        """As Grafana's Loki data source has it."""
        return self._with(
            editorMode="code",
            expr=self.expr,
            legendFormat=self.legendFormat,
            maxLines=self.lines,
            queryType="range",
        )


@_attributes
class CloudWatchTarget(_Target):
    """A metric of CloudWatch, or metric math over others of the panel.

    Attributes:
        namespace: Such as `ECS/ContainerInsights`.
        dimensions: Dimension name to value, or to several, each a series of its own; a value may be a variable.
        statistic: Such as `Average` or `p99`.
        period: Seconds of a data point, as text; Grafana's choice by the range that is shown where empty.
        id: What math calls it; a lower-case letter first.
        math: The expression, in place of a metric.
    """

    namespace = attr.ib(default="")
    dimensions: Any = attr.ib(factory=dict)
    statistic = attr.ib(default="Average")
    period = attr.ib(default="")
    id = attr.ib(default="")
    math = attr.ib(default="")

    def to_json_data(self) -> dict[str, Any]:
        """As Grafana's CloudWatch data source has it."""
        values = {
            name: [value] if isinstance(value, str) else list(value)
            for name, value in self.dimensions.items()
        }
        return self._with(
            dimensions=values,
            expression=self.math,
            id=self.id,
            label=self.legendFormat,
            matchExact=True,
            metricEditorMode=1 if self.math else 0,
            metricName=self.metric,
            metricQueryType=0,
            namespace=self.namespace,
            period=self.period,
            queryMode="Metrics",
            region="default",
            statistic=self.statistic,
        )


@_attributes
class CloudWatchLogsTarget(_Target):
    """A query of CloudWatch Logs Insights.

    Attributes:
        log_groups: Their names.
    """

    log_groups: Any = attr.ib(factory=tuple)

    def to_json_data(self) -> dict[str, Any]:
        """As Grafana's CloudWatch data source has it."""
        return self._with(
            expression=self.expr,
            id="",
            logGroups=[{"arn": name, "name": name} for name in self.log_groups],
            queryLanguage="CWLI",
            queryMode="Logs",
            region="default",
            statsGroups=[],
        )

"""Panels of what AWS measures: signals on CloudWatch, announcements and lines in its logs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from orders_obs.alerts.compile.names import event_log_group, own_things
from orders_obs.dashboards.frame import CLOUDWATCH, dimension, source
from orders_obs.dashboards.given import signal_named
from orders_obs.dashboards.grafana import CloudWatchLogsTarget, CloudWatchTarget, LogsPanel, TimeSeriesPanel
from orders_obs.dashboards.thresholds import of_signal, runbooks, threshold_lines, with_conditions
from orders_obs.errors import UserError
from orders_obs.signals import CloudWatchMetric, Count, Level, Presence, Ratio, Share

if TYPE_CHECKING:
    from collections.abc import Iterable

    from orders_obs.alerts.model import ResolvedCatalogue
    from orders_obs.signals import Signal

__all__ = ["cloudwatch_panel_of", "cloudwatch_variables", "events_of", "log_lines"]

# CloudWatch's word for a metric's unit, to Grafana's id.
_UNITS = {
    "Percent": "percent",
    "Bytes": "bytes",
    "Seconds": "s",
    "Milliseconds": "ms",
    "Bytes/Second": "Bps",
    "Count": "short",
    "Count/Second": "cps",
}
_PERCENT = 100
_LABELS = {
    "load_balancer": "Load balancer",
    "target_group": "Target group",
    "cluster": "ECS cluster",
    "ecs_service": "ECS service",
    "db_instance": "Database instance",
    "cache_cluster": "Cache cluster",
    "relay_function": "Relay",
}


def cloudwatch_panel_of(
    name: str, catalogue: ResolvedCatalogue, *, q: float = 0.99, **options: Any
) -> TimeSeriesPanel:
    """A graph of a signal as CloudWatch has it, with the lines of the catalogue's alerts on it.

    Dimensions are the dashboard's variables, which `cloudwatch_variables` makes; the catalogue's own topics and rules, its service and
    its environment stand as they are.

    Args:
        name: The signal.
        catalogue: As an environment sees it.
        q: For a latency: the quantile.
        options: Attributes of the panel that differ, such as `title`.

    Raises:
        UserError: CloudWatch has no such metric, or the catalogue has nothing that it is about.
    """
    signal = signal_named(name)
    alerts = of_signal(name, catalogue.alerts)
    metrics = _metrics(signal)
    if not metrics:
        raise UserError(f"{name} has no metric on CloudWatch", hint="panel_of draws what Prometheus has")
    unit, scale = _UNITS.get(metrics[0].unit, "short"), 1
    lines, said = threshold_lines(name, catalogue.alerts), signal.description
    if isinstance(signal, Level):
        scale = _PERCENT if signal.unit == "1" and unit == "percent" else 1
        lines = threshold_lines(name, catalogue.alerts, scale=scale)
        statistic = alerts[-1].statistic if alerts else signal.statistic
        targets = [_target(catalogue, metrics[0], statistic, signal.title.lower())]
    elif isinstance(signal, Share):
        lines = threshold_lines(name, catalogue.alerts, q=q)
        said = f"The {signal.title.lower()} that {q * 100:g} of 100 stay within, as AWS measures it."
        targets = [_target(catalogue, metrics[0], f"p{q * 100:g}", f"p{q * 100:g}")]
    elif isinstance(signal, Ratio):
        unit = "percentunit"
        targets = _ratio(catalogue, signal)
    elif isinstance(signal, Count):
        unit = "reqps" if signal.counted == "{request}" else "eps"
        targets = _per_second(catalogue, signal, metrics[0])
    else:
        # Values while it is there: their number says so, whatever they are.
        unit = "short"
        targets = [_target(catalogue, metrics[0], "SampleCount", "samples")]
    values: dict[str, Any] = {
        "title": f"{signal.title}, p{q * 100:g}" if isinstance(signal, Share) else signal.title,
        "description": with_conditions(said, alerts),
        "dataSource": CLOUDWATCH,
        "links": runbooks(alerts),
        "unit": unit,
        "minimum": 0,
        "lines": lines,
        "targets": targets,
    }
    if isinstance(signal, Ratio) and signal.good_is_high:
        values["maximum"] = 1
    if unit == "percent":
        values["maximum"] = _PERCENT
    if isinstance(signal, Level) and signal.unit.startswith("{"):
        values["decimals"] = 0
    return TimeSeriesPanel(**(values | options))


def cloudwatch_variables(names: Iterable[str], catalogue: ResolvedCatalogue) -> list[Any]:
    """The variables that panels of these signals need: the data source, and one for each resource that is a dimension.

    Args:
        names: The signals.
        catalogue: Its environment says what is chosen first.
    """
    variables = {"cloudwatch": source("cloudwatch", "CloudWatch", "cloudwatch")}
    for name in names:
        for metric in _metrics(signal_named(name)):
            for key, placeholder in metric.dimensions:
                if placeholder not in variables and _is_variable(placeholder):
                    variables[placeholder] = dimension(
                        placeholder,
                        _LABELS.get(placeholder, placeholder.replace("_", " ").capitalize()),
                        metric.namespace,
                        metric.name,
                        key,
                        catalogue.environment.resources.get(placeholder, ""),
                    )
    return list(variables.values())


def events_of(catalogue: ResolvedCatalogue, **options: Any) -> LogsPanel:
    """What AWS announced and is only recorded: deployments done, scaling, backups; and changes of alarms that tell nobody.

    Args:
        catalogue: Whose log group it is.
        options: Attributes of the panel that differ.
    """
    recorded = [alert for alert in catalogue.events if alert.severity.log]
    told = "; ".join(alert.signal.description.rstrip(".") for alert in recorded)
    query = (
        "fields @timestamp, `detail-type`, detail.eventName, detail.EventID, detail.Message, detail.alarmName, detail.state.value\n"
        "| sort @timestamp desc\n| limit 100"
    )
    group = event_log_group(catalogue.service, catalogue.environment)
    description = f"What is recorded and tells nobody, from {group}. {told}".rstrip(". ") + "."
    return log_lines("Announcements", query, (group,), description=description, **options)


def log_lines(title: str, query: str, groups: tuple[str, ...], **options: Any) -> LogsPanel:
    """Lines by CloudWatch Logs Insights.

    Args:
        title: Of the panel.
        query: In its language.
        groups: Names of log groups.
        options: Attributes of the panel that differ.
    """
    target = CloudWatchLogsTarget(expr=query, log_groups=groups, datasource=CLOUDWATCH, needs="aws")
    return LogsPanel(**({"title": title, "dataSource": CLOUDWATCH, "targets": [target]} | options))


def _metrics(signal: Signal) -> list[CloudWatchMetric]:
    if isinstance(signal, Ratio):
        if not signal.cloudwatch_part or not signal.cloudwatch_total:
            return []
        return list(dict.fromkeys((*signal.cloudwatch_part, *signal.cloudwatch_total)))
    if isinstance(signal, Share | Count | Level | Presence) and signal.cloudwatch is not None:
        return [signal.cloudwatch]
    return []


def _is_variable(placeholder: str) -> bool:
    return not placeholder.startswith("@") and placeholder not in ("service", "environment")


def _dimensions(catalogue: ResolvedCatalogue, metric: CloudWatchMetric) -> dict[str, Any]:
    own = own_things(catalogue)
    found: dict[str, Any] = {}
    for key, placeholder in metric.dimensions:
        if placeholder.startswith("@"):
            if not own.get(placeholder):
                raise UserError(
                    f"the catalogue has nothing that {metric.namespace} {metric.name} is about",
                    hint="leave the panel out, or add the alert that makes it",
                )
            found[key] = own[placeholder]
        elif placeholder == "service":
            found[key] = catalogue.service
        elif placeholder == "environment":
            found[key] = catalogue.environment.name
        else:
            found[key] = f"${placeholder}"
    return found


def _target(
    catalogue: ResolvedCatalogue, metric: CloudWatchMetric, statistic: str, legend: str, **options: Any
) -> CloudWatchTarget:
    return CloudWatchTarget(
        namespace=metric.namespace,
        metric=metric.name,
        dimensions=_dimensions(catalogue, metric),
        statistic=statistic,
        datasource=CLOUDWATCH,
        legendFormat=legend,
        needs="aws",
        **options,
    )


def _math(expression: str, legend: str) -> CloudWatchTarget:
    return CloudWatchTarget(
        math=expression, id="shown", datasource=CLOUDWATCH, legendFormat=legend, needs="aws", statistic="Sum"
    )


def _ratio(catalogue: ResolvedCatalogue, signal: Ratio) -> list[CloudWatchTarget]:
    ids = {metric: f"m{index}" for index, metric in enumerate(_metrics(signal), 1)}

    def added(metrics: tuple[CloudWatchMetric, ...]) -> str:
        return " + ".join(f"FILL({ids[metric]}, 0)" if metric.sparse else ids[metric] for metric in metrics)

    parts = [
        _target(catalogue, metric, "Sum", metric.name, id=name, hidden=True) for metric, name in ids.items()
    ]
    return [
        *parts,
        _math(
            f"({added(signal.cloudwatch_part)}) / ({added(signal.cloudwatch_total)})", signal.title.lower()
        ),
    ]


def _per_second(
    catalogue: ResolvedCatalogue, signal: Count, metric: CloudWatchMetric
) -> list[CloudWatchTarget]:
    dimensions = _dimensions(catalogue, metric)
    several = next((key for key, value in dimensions.items() if isinstance(value, list)), None)
    names = dimensions[several] if several else [""]
    targets = []
    for index, name in enumerate(names, 1):
        legend = name or signal.title.lower()
        one = _target(catalogue, metric, "Sum", legend, id=f"m{index}", hidden=True)
        if several:
            one.dimensions = {**dimensions, several: name}
        filled = f"FILL(m{index}, 0)" if metric.sparse else f"m{index}"
        shown = _math(f"{filled} / PERIOD(m{index})", legend)
        shown.id = f"rate{index}"
        targets += [one, shown]
    return targets

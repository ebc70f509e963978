"""The dashboard "Runtime and telemetry": the processes, and whether what the other dashboards show can be trusted."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from orders_obs.dashboards.frame import PROMETHEUS, Scope, service_dashboard
from orders_obs.dashboards.given import catalogue_of
from orders_obs.dashboards.grafana import (
    BarGaugePanel,
    PromTarget,
    StateTimelinePanel,
    TablePanel,
    TimeSeriesPanel,
)
from orders_obs.dashboards.panels import WINDOW, panel_of
from orders_obs.signals import INSTRUMENTS

if TYPE_CHECKING:
    from orders_obs.alerts.catalogue import Catalogue
    from orders_obs.alerts.model import ResolvedCatalogue
    from orders_obs.dashboards.grafana import ModernDashboard, Row

__all__ = ["runtime"]


def runtime(
    catalogue: Catalogue | ResolvedCatalogue | None = None, *, environment: str = ""
) -> ModernDashboard:
    """Are the processes well, and does their telemetry arrive.

    Args:
        catalogue: Whose alerts are drawn; the one in `alerts` here, else the shipped one, unless said.
        environment: The label that tells environments apart, where one does.
    """
    catalogue = catalogue_of(catalogue)
    alerts = catalogue.alerts
    scope = Scope(environment)
    own = scope.text
    dropped, exported = INSTRUMENTS["telemetry_dropped_total"], INSTRUMENTS["telemetry_exported_total"]
    faults = INSTRUMENTS["telemetry_internal_errors_total"]
    lost = f"sum by (signal, reason) (increase({dropped.name}{{{own}}}[$__range]))"
    rows: list[Row] = [
        "Is it scraped",
        (
            6,
            [
                _up(own),
                _graph(
                    "Time of a scrape",
                    "How long each instance takes to answer a scrape; a scrape that takes longer than the time-out is lost.",
                    f"max by (instance) (scrape_duration_seconds{{{own}}})",
                    "{{instance}}",
                    unit="s",
                ),
                _graph(
                    "Samples a scrape",
                    "Series that each instance exposes. What grows without end has a label whose values do.",
                    f"max by (instance) (scrape_samples_scraped{{{own}}})",
                    "{{instance}}",
                ),
            ],
        ),
        "Is its telemetry complete",
        (
            7,
            [
                panel_of(
                    "telemetry_dropped",
                    alerts=alerts,
                    scope=scope,
                    description=f"{dropped.help} What is lost is missing in logs, traces and metrics.",
                ),
                _graph(
                    "Telemetry delivered",
                    exported.help,
                    f"sum by (signal) (rate({exported.name}{{{own}}}[{WINDOW}]))",
                    "{{signal}}",
                    unit="eps",
                    no_value="Nothing is sent",
                ),
                _graph(
                    "Lost, by why",
                    f"{dropped.help} In the time that is shown.",
                    f'{lost} or (label_replace(0 * sum(up{{{own}}} == 1), "signal", "nothing", "", "") unless on () {lost})',
                    "{{signal}} {{reason}}",
                    now=True,
                    decimals=0,
                ),
                panel_of("telemetry_internal_errors", alerts=alerts, scope=scope, description=faults.help),
            ],
        ),
        "Processes",
        (
            7,
            [
                panel_of(
                    "service_cpu", by=("instance",), alerts=alerts, scope=scope, title="CPU by instance"
                ),
                _graph(
                    "Memory",
                    "Memory of each process that is in RAM.",
                    f"process_resident_memory_bytes{{{own}}}",
                    "{{instance}}",
                    unit="bytes",
                ),
                _graph(
                    "Open files",
                    "File descriptors in use, as a share of what the process may open.",
                    f"process_open_fds{{{own}}} / process_max_fds{{{own}}}",
                    "{{instance}}",
                    unit="percentunit",
                ),
                _graph(
                    "Requests in progress",
                    f"{INSTRUMENTS['http_requests_in_progress'].help} What piles up waits for something.",
                    f"sum by (instance) (http_requests_in_progress{{{own}}})",
                    "{{instance}}",
                    decimals=0,
                ),
            ],
        ),
        "Python",
        (
            7,
            [
                _graph(
                    "Garbage collections",
                    "Runs of the collector by generation; the oldest one stops the process for longest.",
                    f"sum by (generation) (rate(python_gc_collections_total{{{own}}}[{WINDOW}]))",
                    "generation {{generation}}",
                    unit="ops",
                ),
                _graph(
                    "Objects collected",
                    "Objects that the collector freed, by generation.",
                    f"sum by (generation) (rate(python_gc_objects_collected_total{{{own}}}[{WINDOW}]))",
                    "generation {{generation}}",
                    unit="ops",
                ),
                _instances(own),
            ],
        ),
    ]
    return service_dashboard(
        "Runtime and telemetry",
        "service-runtime",
        "The processes of a service, and whether its metrics, traces and log lines arrive: whether the other dashboards can be trusted.",
        rows,
        scope=scope,
        service=catalogue.service,
    )


def _graph(title: str, description: str, expr: str, legend: str, *, now: bool = False, **options: Any) -> Any:
    values: dict[str, Any] = {
        "title": title,
        "description": description,
        "dataSource": PROMETHEUS,
        "minimum": 0,
        "targets": [PromTarget(expr=expr, datasource=PROMETHEUS, legendFormat=legend, now=now)],
    }
    return (BarGaugePanel if now else TimeSeriesPanel)(**(values | options))


def _up(own: str) -> StateTimelinePanel:
    return StateTimelinePanel(
        title="Instances",
        description="Whether each instance answers the scrape. One that is taken away ends; one that does not answer is red.",
        dataSource=PROMETHEUS,
        lines=((None, "red"), (1, "green")),
        mappings=[
            {
                "type": "value",
                "options": {
                    "0": {"color": "red", "index": 0, "text": "down"},
                    "1": {"color": "green", "index": 1, "text": "up"},
                },
            }
        ],
        targets=[
            PromTarget(
                expr=f"max by (instance) (up{{{own}}})", datasource=PROMETHEUS, legendFormat="{{instance}}"
            )
        ],
    )


def _instances(own: str) -> TablePanel:
    return TablePanel(
        title="Versions and age",
        description="Python's version and the age of each process: whether all run the same, and since when.",
        dataSource=PROMETHEUS,
        targets=[
            PromTarget(
                expr=f"max by (instance, version) (python_info{{{own}}})",
                datasource=PROMETHEUS,
                table=True,
                refId="A",
            ),
            PromTarget(
                expr=f"max by (instance) (time() - process_start_time_seconds{{{own}}})",
                datasource=PROMETHEUS,
                table=True,
                refId="B",
            ),
        ],
        transformations=[
            {"id": "joinByField", "options": {"byField": "instance", "mode": "outer"}},
            {
                "id": "organize",
                "options": {
                    "excludeByName": {"Time": True, "Time 1": True, "Time 2": True, "Value #A": True},
                    "indexByName": {},
                    "renameByName": {"Value #B": "Age", "instance": "Instance", "version": "Python"},
                },
            },
        ],
        overrides=[
            {
                "matcher": {"id": "byName", "options": "Age"},
                "properties": [{"id": "unit", "value": "dtdurations"}],
            }
        ],
    )

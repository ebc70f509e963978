"""The dashboard "Objectives and alerts": how much of each error budget is left, how fast it burns, and what fires."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING, Any

from orders_obs.alerts.describe import number
from orders_obs.alerts.units import duration_text
from orders_obs.dashboards.base import link_to
from orders_obs.dashboards.frame import PROMETHEUS, SERVICE, choice, service_dashboard
from orders_obs.dashboards.given import catalogue_of
from orders_obs.dashboards.grafana import (
    AlertListPanel,
    PromTarget,
    StateTimelinePanel,
    StatPanel,
    TablePanel,
    TimeSeriesPanel,
)
from orders_obs.dashboards.thresholds import color_of, runbooks
from orders_obs.signals import Share

if TYPE_CHECKING:
    from orders_obs.alerts.catalogue import Catalogue
    from orders_obs.alerts.model import BurnAlert, BurnWindow, ResolvedCatalogue, Severity
    from orders_obs.dashboards.grafana import ModernDashboard, Row

__all__ = ["objectives"]

# Severity none is the watchdog's, which fires always; what is in shadow tells nobody.
_OF_SERVICE = 'service=~"$job",env=~"$env",severity!="none"'
_LIVE = f'{_OF_SERVICE},mode!="shadow"'
_LOW = 0.25


def objectives(
    catalogue: Catalogue | ResolvedCatalogue | None = None, *, uid: str = "service-objectives"
) -> ModernDashboard:
    """Is the promise kept, for how long still, and what fires.

    It reads what the catalogue's own rules record, so it sees what the alerts see; the rules of that environment must run.

    Args:
        catalogue: Whose objectives and alerts; the one in `alerts` here, else the shipped one, unless said.
        uid: The dashboard's identity, where several environments have one.
    """
    catalogue = catalogue_of(catalogue)
    rows: list[Row] = [(5, [*_firing(catalogue), *_budgets(catalogue)])]
    for name, alerts in _objectives(catalogue).items():
        first = alerts[0]
        share = number(round(first.objective * 100, 6))
        rows += [
            f"{name}: {share}% over {_period(first)}",
            (8, [_burn(alert, window) for alert in alerts for window in alert.windows]),
            (7, [_bad(first), _left_over_time(first)]),
        ]
    rows += ["Alerts", (9, [_history(catalogue)]), (9, [_table(catalogue), _list()])]
    environment = catalogue.environment.name
    return service_dashboard(
        f"Objectives and alerts - {environment}",
        uid,
        "Error budgets: what is left, how fast it burns, with the thresholds of the alerts on it; and which alerts fire and fired.",
        rows,
        service=catalogue.service,
        variables=[
            choice("env", "Environment", 'label_values(ALERTS{service=~"$job"}, env)', every=".*"),
        ],
        since="now-6h",
        refresh="30s",
    )


def _objectives(catalogue: ResolvedCatalogue) -> dict[str, list[BurnAlert]]:
    return {name: list(group) for name, group in groupby(catalogue.burns, key=lambda alert: alert.name)}


def _recorded(alert: BurnAlert, seconds: float) -> tuple[str, str]:
    """The series of bad and of all events over a window, as the catalogue's rules record them, over the chosen services."""
    bad = (
        f"slower_{duration_text(alert.bound)}"
        if isinstance(alert.signal, Share) and alert.bound is not None
        else "part"
    )
    window = duration_text(seconds)
    own = f"{{{SERVICE.text}}}"
    return f"job:{alert.signal.name}_{bad}:sum{window}{own}", f"job:{alert.signal.name}_all:sum{window}{own}"


def _bad_share(alert: BurnAlert, seconds: float) -> str:
    bad, every = _recorded(alert, seconds)
    return f"sum({bad}) / sum({every})"


def _left(alert: BurnAlert) -> str:
    """The share of the budget that is left: adjacent windows of the shortest length, added up over the period."""
    step = min(window.short for window in alert.windows)
    span = f"[{_period(alert)}:{duration_text(step)}]"
    bad, every = (f"sum(sum_over_time({series}{span}))" for series in _recorded(alert, step))
    return f"1 - ({bad} / {every}) / {_budget(alert)}"


def _period(alert: BurnAlert) -> str:
    return duration_text(alert.period / alert.environment.faster)


def _budget(alert: BurnAlert) -> str:
    return number(round(1 - alert.objective, 9))


def _prom(expr: str, legend: str, **options: Any) -> PromTarget:
    return PromTarget(expr=expr, datasource=PROMETHEUS, legendFormat=legend, **options)


def _of_rules(alert: BurnAlert, expr: str, legend: str, **options: Any) -> PromTarget:
    """A query of what the rules of the alert's environment record."""
    return _prom(expr, legend, needs=f"rules:{alert.environment.name}", **options)


def _budgets(catalogue: ResolvedCatalogue) -> list[StatPanel]:
    panels = []
    for name, alerts in _objectives(catalogue).items():
        first = alerts[0]
        period, shown = _period(first), first.windows[0].long
        panels += [
            StatPanel(
                title=f"Budget left: {name}",
                description=f"What is left of the {_percent(first)} of events that may be bad in {period}. Below 0 the objective is missed.",
                dataSource=PROMETHEUS,
                links=runbooks(alerts),
                unit="percentunit",
                decimals=1,
                course=False,
                lines=((None, "red"), (0, "orange"), (_LOW, "green")),
                targets=[_of_rules(first, _left(first), "left", now=True)],
            ),
            StatPanel(
                title=f"Burn now: {name}",
                description=(
                    f"How many times faster than allowed the budget is spent, over {duration_text(shown)}:"
                    " at 1 it lasts exactly for the period."
                ),
                dataSource=PROMETHEUS,
                links=runbooks(alerts),
                decimals=1,
                minimum=0,
                course=False,
                lines=_burn_lines(alerts, shown),
                targets=[
                    _of_rules(first, f"({_bad_share(first, shown)}) / {_budget(first)}", "times", now=True)
                ],
            ),
        ]
    return panels


def _percent(alert: BurnAlert) -> str:
    return f"{number(round((1 - alert.objective) * 100, 6))}%"


def _burn_lines(alerts: list[BurnAlert], seconds: float) -> tuple[tuple[float | None, str], ...]:
    """The factors that are compared with the burn over this window; those of longer ones are lower, and of another burn."""
    lines: dict[float, str] = {}
    for alert in sorted(alerts, key=lambda alert: -alert.severity.rank):
        lines |= {
            window.factor: color_of(alert.severity) for window in alert.windows if window.long == seconds
        }
    return ((None, "green"), *sorted(lines.items()))


def _burn(alert: BurnAlert, window: BurnWindow) -> TimeSeriesPanel:
    long, short = duration_text(window.long), duration_text(window.short)
    return TimeSeriesPanel(
        title=f"Burn over {long} and {short}: {alert.name}",
        description=(
            f"How many times faster than allowed the budget of {_percent(alert)} is spent. {alert.name} ({alert.severity.name}) fires"
            f" while both are above {number(window.factor)}, with at least {window.minimum} events in {long}."
        ),
        dataSource=PROMETHEUS,
        links=runbooks([alert]),
        minimum=0,
        decimals=1,
        lines=((None, "green"), (window.factor, color_of(alert.severity))),
        targets=[
            _of_rules(
                alert, f"({_bad_share(alert, seconds)}) / {_budget(alert)}", f"over {duration_text(seconds)}"
            )
            for seconds in (window.long, window.short)
        ],
    )


def _bad(alert: BurnAlert) -> TimeSeriesPanel:
    window = alert.windows[0].short
    return TimeSeriesPanel(
        title=f"Bad events: {alert.name}",
        description=f"{alert.signal.description} Over {duration_text(window)}; the line is what the objective allows over its period.",
        dataSource=PROMETHEUS,
        unit="percentunit",
        minimum=0,
        lines=((None, "green"), (round(1 - alert.objective, 9), "yellow")),
        targets=[_of_rules(alert, _bad_share(alert, window), f"over {duration_text(window)}")],
    )


def _left_over_time(alert: BurnAlert) -> TimeSeriesPanel:
    return TimeSeriesPanel(
        title=f"Budget over time: {alert.name}",
        description="What was left of the budget at each moment, looking back over the period from there. A step down is an incident.",
        dataSource=PROMETHEUS,
        unit="percentunit",
        maximum=1,
        lines=((None, "red"), (0, "transparent")),
        # Each step adds up a whole period.
        interval="5m" if alert.environment.faster == 1 else None,
        targets=[_of_rules(alert, _left(alert), "left")],
    )


def _firing(catalogue: ResolvedCatalogue) -> list[StatPanel]:
    told = [severity for severity in catalogue.severities if not severity.log]
    return [
        StatPanel(
            title=f"Firing: {severity.name}",
            description=f"Alerts of severity {severity.name} that fire now, muted ones too.",
            dataSource=PROMETHEUS,
            decimals=0,
            minimum=0,
            background=True,
            course=False,
            lines=((None, "green"), (1, color_of(severity))),
            targets=[
                _prom(
                    f'count(ALERTS{{alertstate="firing",severity="{severity.name}",{_LIVE}}})'
                    f" or 0 * sum(up{{{SERVICE.text}}})",
                    severity.name,
                    now=True,
                )
            ],
        )
        for severity in told
    ]


def _history(catalogue: ResolvedCatalogue) -> StateTimelinePanel:
    told = [severity for severity in catalogue.severities if not severity.log]
    return StateTimelinePanel(
        title="Alerts over time",
        description="When each alert fired. What stands here and was not told was muted by a worse one, or in shadow.",
        dataSource=PROMETHEUS,
        no_value="Nothing fired in this time",
        values=False,
        mappings=[{"type": "value", "options": {"1": {"index": 0, "text": "firing"}}}],
        overrides=[_in_color(severity) for severity in told],
        targets=[
            _prom(
                f'max by (alertname, severity) (ALERTS{{alertstate="firing",{_OF_SERVICE}}})',
                "{{alertname}} ({{severity}})",
            )
        ],
    )


def _in_color(severity: Severity) -> dict[str, Any]:
    return {
        "matcher": {"id": "byRegexp", "options": f"/\\({severity.name}\\)$/"},
        "properties": [{"id": "color", "value": {"fixedColor": color_of(severity), "mode": "fixed"}}],
    }


def _table(catalogue: ResolvedCatalogue) -> TablePanel:
    columns = {"alertname": "Alert", "severity": "Severity", "env": "Environment", "alertstate": "State"}
    runbook = _runbook_of_any(catalogue)
    named = {
        "matcher": {"id": "byName", "options": "Alert"},
        "properties": [{"id": "links", "value": [link_to("Runbook", runbook)]}],
    }
    painted = {
        "matcher": {"id": "byName", "options": "Severity"},
        "properties": [
            {"id": "custom.cellOptions", "value": {"type": "color-text"}},
            {
                "id": "mappings",
                "value": [
                    {
                        "type": "value",
                        "options": {
                            severity.name: {
                                "color": color_of(severity),
                                "index": index,
                                "text": severity.name,
                            }
                            for index, severity in enumerate(catalogue.severities)
                        },
                    }
                ],
            },
        ],
    }
    return TablePanel(
        title="Alerts now",
        description="Alerts that fire or are about to, as Prometheus evaluates them. An alert's name leads to its runbook.",
        dataSource=PROMETHEUS,
        no_value="Nothing fires",
        targets=[
            _prom(
                f"max by (alertname, severity, env, alertstate) (ALERTS{{{_OF_SERVICE}}})",
                "",
                table=True,
            )
        ],
        transformations=[
            {
                "id": "organize",
                "options": {
                    "excludeByName": {"Time": True, "Value": True},
                    "indexByName": {name: index for index, name in enumerate(columns)},
                    "renameByName": columns,
                },
            }
        ],
        overrides=[*([named] if runbook else []), painted],
    )


def _runbook_of_any(catalogue: ResolvedCatalogue) -> str:
    """The address of an alert's runbook with the alert's name as a variable; empty where they do not follow one pattern."""
    patterns = {
        alert.runbook.replace(alert.name, "${__value.raw}")
        for alert in catalogue
        if alert.runbook and not alert.severity.log
    }
    return patterns.pop() if len(patterns) == 1 else ""


def _list() -> AlertListPanel:
    return AlertListPanel(
        title="Alerts in Grafana",
        description="The same from Grafana's own view of all rules that it knows, its own included.",
        matching='{service=~"${job:regex}"}',
    )

"""The rules on Grafana dashboards, each with its level and the reason why it is one."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from orders_obs.dashboards.lint import cloudwatch_rules as cloudwatch
from orders_obs.dashboards.lint import dashboard_rules as whole
from orders_obs.dashboards.lint import layout_rules as layout
from orders_obs.dashboards.lint import loki_rules as loki
from orders_obs.dashboards.lint import panel_rules as panel
from orders_obs.dashboards.lint import promql_rules as promql
from orders_obs.dashboards.lint import shown_rules as shown
from orders_obs.dashboards.lint import structure_rules as shape
from orders_obs.dashboards.lint import variable_rules as variable
from orders_obs.dashboards.lint.queries import prometheus_queries
from orders_obs.dashboards.lint.views import DashboardView, printable
from orders_obs.findings import Finding

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from collections.abc import Set as AbstractSet

    from orders_obs.dashboards.lint.queries import PromQuery
    from orders_obs.dashboards.lint.views import Said
    from orders_obs.findings import Level

__all__ = ["NOT_READ", "RULES", "UID_TWICE", "lint_dashboard"]

NOT_READ = "schema-not-read"
UID_TWICE = "uid-duplicate"


def lint_dashboard(
    dashboard: Mapping[str, Any],
    where: str,
    *,
    uids: AbstractSet[str] = frozenset(),
    line_of: Callable[[Any], int | None] = lambda _part: None,
) -> list[Finding]:
    """What is wrong with a dashboard.

    Args:
        dashboard: Its JSON, of schema v1.
        where: Its name or file, for the findings.
        uids: The uids of the dashboards that it may link to; empty where they are not known.
        line_of: The line of a part of the JSON, counted from 1; None where it is not known.

    Raises:
        EnvironmentFault: The foundation SDK, which has Grafana's types, is not installed.
    """
    if "elements" in dashboard or ("layout" in dashboard and "panels" not in dashboard):
        return [
            Finding(
                NOT_READ,
                "warning",
                printable(where),
                "the dashboard is of schema v2, which this lint does not read: nothing of it was judged",
                "give it the v1 JSON of the same dashboard (Grafana exports both)",
            )
        ]
    view = DashboardView(dashboard)
    given = _Input(view, list(prometheus_queries(view)), uids)
    findings = []
    for name, check in _CHECKS.items():
        for said in check.find(given):
            line = line_of(said.at) if said.at is not None else None
            place = printable(where if line is None else f"{where}:{line}")
            message, hint = printable(said.message), printable(said.hint)
            findings.append(Finding(name, said.level or check.level, place, message, hint))
    return list(dict.fromkeys(findings))


@dataclass(frozen=True)
class _Input:
    view: DashboardView
    queries: Sequence[PromQuery]
    uids: AbstractSet[str]

    @cached_property
    def shape(self) -> shape.Found:
        """Where it differs from Grafana's types."""
        return shape.found_in(self.view)

    @cached_property
    def shared(self) -> Mapping[str, list[Said]]:
        """What the rules that alerts have as well say of the queries."""
        return promql.shared(self.queries)


@dataclass(frozen=True, slots=True)
class _Check:
    level: Level
    why: str
    find: Callable[[_Input], Iterable[Said]]


def _view(level: Level, why: str, rule: Callable[[DashboardView], Iterable[Said]]) -> _Check:
    return _Check(level, why, lambda given: rule(given.view))


def _promql(level: Level, why: str, rule: Callable[[Sequence[PromQuery]], Iterable[Said]]) -> _Check:
    return _Check(level, why, lambda given: rule(given.queries))


def _both(
    level: Level, why: str, rule: Callable[[DashboardView, Sequence[PromQuery]], Iterable[Said]]
) -> _Check:
    return _Check(level, why, lambda given: rule(given.view, given.queries))


def _shared(name: str, level: Level, why: str) -> _Check:
    return _Check(level, why, lambda given: given.shared.get(name, ()))


_CHECKS: dict[str, _Check] = {
    "dashboard-without-title": _view("error", "Grafana refuses a dashboard without a title.", whole.no_title),
    "dashboard-without-panels": _view("warning", "An empty dashboard looks like one where all is quiet.", whole.no_panels),
    "uid-invalid": _view("error", "Links, publication and provisioning go by the uid, and Grafana takes not every word for one.", whole.uid_invalid),
    "uid-missing": _view("info", "Without a uid each Grafana gives it another one, and links to it break.", whole.uid_missing),
    "instance-id": _view("info", "The numeric id belongs to the database of one Grafana, and names another dashboard in the next.", whole.instance_id),
    "schema-version": _view("info", "An old form is migrated at each load, and its oldest ones no longer by every build.", whole.schema_version),
    "export-inputs": _view("info", "What an export leaves open only the import dialogue fills in, so elsewhere no data source is found.", whole.export_inputs),
    "key-unknown": _Check("warning", "Grafana passes over a key that it does not know, so a typing error changes nothing that one sees.", lambda given: shape.key_unknown(given.shape)),
    "key-legacy": _Check("info", "Keys of panels that are gone make the file long and say nothing.", lambda given: shape.key_legacy(given.shape)),
    "type-wrong": _Check("error", "A value of another type than Grafana's is refused by its new API and read as nothing by its pages.", lambda given: shape.type_wrong(given.view, given.shape)),
    "angular-panel": _view("info", "Grafana 12 and newer have no Angular: a panel of that kind is turned into another one, or shows an error.", layout.angular_panel),
    "panel-type-unknown": _view("error", "A panel of a kind that is not installed shows an error in place of its data.", layout.type_unknown),
    "legacy-alert": _view("warning", "Alerts inside of panels ended with Grafana 11, so nobody is told.", panel.legacy_alert),
    "duplicate-panel-id": _view("error", "Links, alerts and edits name a panel by its id, and two of one id are one.", layout.duplicate_panel_id),
    "duplicate-ref-id": _view("error", "Answers are told apart by refId, so of two of one refId one is lost.", layout.duplicate_ref_id),
    "grid-missing": _view("warning", "Without a place Grafana stacks panels in the corner.", layout.grid_missing),
    "grid-outside": _view("warning", "The grid has 24 columns, and what is beyond is moved.", layout.grid_outside),
    "grid-overlap": _view("warning", "Grafana pushes panels apart that lie on each other, so the file is not what one sees.", layout.grid_overlap),
    "grid-gap": _view("info", "Empty columns are room that a graph could use.", layout.grid_gap),
    "panels-in-open-row": _view("warning", "Panels inside of a row that is not collapsed are not where Grafana looks for them.", layout.panels_in_open_row),
    "title-missing": _view("info", "Who is woken reads titles first.", panel.title_missing),
    "description-missing": _view("info", "A graph does not say when it is bad, nor where its numbers come from.", panel.description_missing),
    "unit-missing": _view("info", "0.25 may be seconds, a share, or requests.", panel.unit_missing),
    "unit-unknown": _view("warning", "Grafana writes a word that is none of its units behind a number that it does not scale.", panel.unit_unknown),
    "unit-scale": _promql("warning", "The unit percent takes 5 for 5 %, percentunit takes 0.05, and the wrong one is wrong a hundredfold.", shown.unit_scale),
    "targets-missing": _view("warning", "A panel without a query that is shown is an empty one.", panel.targets_missing),
    "datasource-missing": _view("info", "Without a name the default data source is asked, which is another one in each Grafana.", panel.datasource_missing),
    "datasource-hard-wired": _view("info", "A data source by its uid is found in one Grafana only, and a variable in each.", panel.datasource_hard_wired),
    "threshold-first-not-null": _view("warning", "The first step is the base, whatever its value says.", panel.thresholds_first),
    "thresholds-unordered": _view("warning", "Grafana takes the last step that is below the value, so unordered ones hide each other.", panel.thresholds_order),
    "reducer-unknown": _view("warning", "An unknown calculation gives an empty value.", panel.reducer_unknown),
    "reducer-missing": _view("info", "One number of a series is the last or the mean, and which one should not be chance.", panel.reducer_missing),
    "override-matcher-unknown": _view("warning", "An override that chooses nothing changes nothing.", panel.matcher_unknown),
    "override-property-unknown": _view("warning", "A property that a panel does not have changes nothing.", panel.property_unknown),
    "transformation-unknown": _view("warning", "An unknown transformation ends in an error in the panel.", panel.transformation_unknown),
    "variable-undefined": _view("error", "A variable that is not defined is sent to the data source as it is written, and nothing matches it.", variable.undefined),
    "global-variable-unknown": _view("error", "What begins with $__ is Grafana's own, and a name that it does not know is sent as it is written.", variable.global_unknown),
    "variable-unused": _view("info", "A choice that changes nothing misleads whoever makes it.", variable.unused),
    "variable-duplicate": _view("error", "Of two variables of one name one is never asked.", variable.duplicate),
    "variable-query-broken": _view("error", "A variable whose query fails has no values, and every panel that uses it is empty.", variable.query_broken),
    "variable-regex-broken": _view("error", "A regular expression that does not end ends in an error when the dashboard loads.", variable.regex_broken),
    "variable-cycle": _view("error", "A variable that waits for itself never gets a value.", variable.cycle),
    "variable-never-refreshed": _view("warning", "Services come and go, and a saved list does not know.", variable.never_refreshed),
    "variable-equals-several": _both("warning", "Several values are sent as a regular expression, which `=` compares letter by letter.", variable.multi_compared),
    "job-variable-missing": _both("info", "Metrics of the same name come from many services, which a dashboard should tell apart.", variable.job_missing),
    "matcher-missing": _both("info", "A panel that passes over a choice of the dashboard shows something else than its neighbours.", variable.matcher_missing),
    "time-missing": _view("info", "The range that a dashboard opens with should be the one that it was made for.", whole.time_missing),
    "time-invalid": _view("error", "A range that Grafana cannot read opens the dashboard on another one.", whole.time_invalid),
    "refresh-invalid": _view("error", "Grafana refuses to save an interval that it cannot read.", whole.refresh_invalid),
    "refresh-too-fast": _view("warning", "Each viewer sends every query at each refresh.", whole.refresh_too_fast),
    "timezone-unknown": _view("warning", "A time zone that is none shows times that nobody expects.", whole.timezone_unknown),
    "dashboard-editable": _view("info", "What is changed by hand is not in the source, so the two drift apart.", whole.editable),
    "link-broken": _Check("warning", "A link that leads nowhere is found out when it is needed.", lambda given: whole.link_broken(given.view, given.uids)),
    "link-forgets-choices": _view("info", "Who follows a link while it burns should not have to choose the time and the service again.", whole.link_forgets),
    "link-http": _view("info", "What goes over http can be read and changed on the way.", whole.link_http),
    "link-same-tab": _view("info", "A link that replaces the dashboard takes the time range and the choices with it.", whole.link_same_tab),
    "secret-in-text": _view("error", "A dashboard is read by all who may see it, and stays in its history.", whole.secret),
    "promql-invalid": _promql("error", "A query that does not parse shows an error instead of data.", promql.promql_invalid),
    "rate-window-fixed": _promql("warning", "On a long range the points are further apart than a fixed window, and what is between them is not counted.", promql.rate_window),
    "rate-over-interval": _promql("warning", "On a short range $__interval is shorter than two scrapes, and rate() needs two samples.", promql.rate_interval),
    "irate-on-graph": _promql("info", "irate() shows chance: two samples of many.", promql.irate),
    "counter-shown": _promql("warning", "A counter holds all that happened since its process began.", promql.counter_shown),
    "counter-as-gauge": _promql("warning", "A counter falls at each restart, and its values are all that was counted so far.", promql.counter_as_gauge),
    "rate-of-gauge": _shared("rate-of-gauge", "warning", "rate() takes each fall of a gauge for a restart, so what goes up and down only grows."),
    "rate-of-sum": _shared("rate-of-sum", "error", "A restart of one process makes a sum of counters fall, and rate() reads all that is left as new events."),
    "quantile-without-le": _shared("quantile-without-le", "error", "histogram_quantile reads a classic histogram's buckets by `le`; where an aggregation drops it there is no result."),
    "quantile-of-raw-histogram": _shared("quantile-of-raw-histogram", "error", "Without rate() a quantile is over each process's whole life, or over a series that has no buckets at all."),
    "quantile-out-of-range": _promql("error", "A quantile is a share from 0 to 1: 0.95, not 95.", promql.quantile_out_of_range),
    "quantile-of-average": _promql("warning", "A bucket is a count, and counts are added up.", promql.quantile_of_average),
    "quantile-averaged": _promql("warning", "The mean of quantiles is the quantile of nothing.", promql.quantile_averaged),
    "ratio-averaged": _promql("info", "The mean of ratios gives an idle instance the weight of a busy one.", promql.ratio_averaged),
    "ratio-of-unaggregated": _shared("ratio-of-unaggregated", "error", "A series is divided by the one with equal labels: a failing series by itself, which is 1 at any error rate."),
    "sides-never-match": _shared("sides-never-match", "error", "An operator joins series with equal labels, so two sides that keep different labels give nothing."),
    "instant-on-graph": _promql("warning", "A query of one moment draws one point.", promql.instant_on_graph),
    "heatmap-format": _promql("warning", "Buckets are cumulative, and only as a heat map Grafana takes the lower ones out and puts them in order.", shown.heatmap_format),
    "exemplar-without-histogram": _promql("info", "Exemplars belong to buckets and counters, and asking for others costs a request each.", promql.exemplar_without_histogram),
    "legend-missing": _promql("info", "A legend that is an expression has no room and says little.", promql.legend_missing),
    "logql-invalid": _view("error", "A query that Loki refuses shows an error instead of lines.", loki.logql_invalid),
    "logql-window-fixed": _view("info", "On a long range the points are further apart than a fixed window, and what is between them is not counted.", loki.logql_window),
    "logql-shape": _view("warning", "Lines are no numbers, and a panel for the one shows nothing of the other.", loki.logql_shape),
    "cloudwatch-metric-unknown": _view("warning", "CloudWatch answers with nothing where nobody publishes a metric of that name.", cloudwatch.metric_unknown),
    "cloudwatch-dimensions-unknown": _view("error", "A metric has values only under the sets of dimensions that the service publishes.", cloudwatch.dimensions_unknown),
    "cloudwatch-dimension-value": _view("error", "A dimension is compared letter by letter, and a load balancer's is the end of its ARN, not its name and not the ARN.", cloudwatch.dimension_value),
    "cloudwatch-statistic": _view("warning", "A count is added up and a level is not: the wrong statistic gives a number that means nothing.", cloudwatch.statistic_meaningless),
    "cloudwatch-id-invalid": _view("error", "Ids of queries begin with a lower-case letter and are unique.", cloudwatch.id_invalid),
    "cloudwatch-id-unknown": _view("error", "Metric math that reads an id that no query has is refused.", cloudwatch.id_unknown),
    "cloudwatch-log-group-missing": _view("error", "Logs Insights searches the log groups that are named, and no others.", cloudwatch.log_group_missing),
}  # fmt: skip

RULES: dict[str, str] = {name: check.why for name, check in _CHECKS.items()} | {
    NOT_READ: "What was not read was not judged, and that should not look like a pass.",
    UID_TWICE: "Grafana knows a dashboard by its uid, so of two with one uid the one that comes last is left.",
}
"""Each rule and why it is one."""

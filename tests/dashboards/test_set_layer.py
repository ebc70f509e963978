"""The layer that dashboards are made with: what panels take from signals and alerts, and what JSON comes out."""

from __future__ import annotations

import json
import os
import random
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import promql_parser
import pytest

from orders_obs.alerts import load
from orders_obs.alerts.compile.prometheus import compile_rules
from orders_obs.alerts.model import ResolvedCatalogue
from orders_obs.dashboards.aws import aws_resources
from orders_obs.dashboards.cloudwatch import cloudwatch_panel_of, cloudwatch_variables, events_of
from orders_obs.dashboards.frame import (
    CLOUDWATCH,
    PROMETHEUS,
    service_dashboard,
    source,
    traces_of,
    version_changes,
)
from orders_obs.dashboards.grafana import (
    AlertListPanel,
    BarChartPanel,
    BarGaugePanel,
    CloudWatchTarget,
    DashboardListPanel,
    Folded,
    GaugePanel,
    LogsPanel,
    LokiTarget,
    PromTarget,
    TextPanel,
    TimeSeriesPanel,
    lay_out,
    to_json,
)
from orders_obs.dashboards.lint.rules import lint_dashboard
from orders_obs.dashboards.objectives import objectives
from orders_obs.dashboards.orders import orders_production
from orders_obs.dashboards.panels import expression, heatmap_of, panel_of, presence_of, slow_share_of, stat_of
from orders_obs.dashboards.runtime import runtime
from orders_obs.dashboards.service import service_overview
from orders_obs.dashboards.thresholds import threshold_lines
from orders_obs.errors import EnvironmentFault, UserError
from orders_obs.signals import SIGNALS, Event, Presence
from tests.dashboards import judges
from tests.dashboards.typescript.check import check_all

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def production() -> ResolvedCatalogue:
    return load(ROOT / "alerts").resolve("production")


def catalogue(folder: Path, alerts: str, severities: str = "") -> ResolvedCatalogue:
    (folder / "service.yaml").write_text(
        "catalogue: 1\nservice: orders-api\nowner: team\n"
        f"severities:\n{severities or '  critical: {page: true, topic: a}' + chr(10) + '  warning: {topic: b}'}\n"
        "environments:\n  production: {account: '111122223333', region: eu-west-1, resources: {postgres_job: pg}}\n"
        f"alerts:\n{alerts}\n"
    )
    return load(folder).resolve("production")


# Thresholds


def test_lines_are_the_alerts_thresholds_in_their_severities_colours(production: ResolvedCatalogue) -> None:
    assert threshold_lines("http_error_ratio", production.alerts) == (
        (None, "green"),
        (0.01, "orange"),
        (0.05, "red"),
    )


def test_where_low_is_bad_the_line_has_the_colour_of_the_alert_and_numbers_that_of_where_they_are(
    production: ResolvedCatalogue,
) -> None:
    gib = 2**30
    drawn = threshold_lines("rds_free_storage", production.alerts)
    assert drawn == ((None, "red"), (2 * gib, "orange"), (10 * gib, "transparent"))
    painted = threshold_lines("cache_hit_ratio", production.alerts, painted=True)
    assert painted == ((None, "orange"), (0.5, "green"))


def test_of_a_count_the_line_is_the_rate_that_breaches_when_it_lasts(production: ResolvedCatalogue) -> None:
    (panel,) = lay_out([(8, [panel_of("orders_created", alerts=production.alerts)])])
    steps = to_json_of(panel)["fieldConfig"]["defaults"]["thresholds"]["steps"]
    assert steps[1] == {"color": "orange", "value": pytest.approx(100 / 60)}


def test_a_quantile_has_the_bounds_of_the_alerts_on_its_own_share_only(tmp_path: Path) -> None:
    own = catalogue(
        tmp_path,
        "  slow: {signal: http_latency, minimum: 100 requests, over: 5m,"
        " critical: {slower_than: 5s, above: 10%}, warning: {slower_than: 1s, above: 1%}}",
    )
    assert threshold_lines("http_latency", own.alerts, q=0.99) == ((None, "green"), (1, "orange"))
    assert threshold_lines("http_latency", own.alerts, q=0.9) == ((None, "green"), (5, "red"))
    assert threshold_lines("http_latency", own.alerts) == ((None, "green"), (0.01, "orange"), (0.1, "red"))


def test_of_two_alerts_at_one_threshold_the_worse_one_is_drawn(tmp_path: Path) -> None:
    own = catalogue(
        tmp_path,
        "  one: {signal: http_error_ratio, minimum: 100 requests, warning: {above: 5%, over: 5m}}\n"
        "  two: {signal: http_error_ratio, minimum: 100 requests, critical: {above: 5%, over: 1m}}",
    )
    assert threshold_lines("http_error_ratio", own.alerts) == ((None, "green"), (0.05, "red"))


def test_severities_of_other_names_have_colours_by_what_they_do(tmp_path: Path) -> None:
    own = catalogue(
        tmp_path,
        "  one: {signal: http_error_ratio, minimum: 100 requests, over: 5m, p1: {above: 5%}, p2: {above: 2%}, p3: {above: 1%}, p4: {above: 0.5%}}",
        "  p1: {page: true, topic: a}\n  p2: {topic: b}\n  p3: {topic: c}\n  p4: {log: true}",
    )
    lines = threshold_lines("http_error_ratio", own.alerts)
    assert [color for _, color in lines] == ["green", "blue", "yellow", "orange", "red"]


def test_a_panel_says_when_its_alerts_fire_and_leads_to_their_runbooks(production: ResolvedCatalogue) -> None:
    panel = to_json_of(panel_of("http_latency", alerts=production.alerts))
    assert (
        "slow_requests (critical): the share of http_latency slower than 5s is above 1%"
        in panel["description"]
    )
    assert [link["title"] for link in panel["links"]] == ["Runbook: slow_requests"]
    assert panel["links"][0]["url"].endswith("/slow_requests.md")
    assert "links" not in to_json_of(panel_of("http_requests", alerts=production.alerts))


# Signals


def test_every_signal_has_a_panel(production: ResolvedCatalogue, schemas: Path, tmp_path: Path) -> None:
    rows: list[Any] = []
    for name, signal in SIGNALS.items():
        made: list[Any] = []
        for make in (
            lambda name: panel_of(name, alerts=production.alerts, title=f"{name} here"),
            lambda name: stat_of(name, alerts=production.alerts, title=f"{name} now"),
            lambda name: presence_of(name, alerts=production.alerts, title=f"{name} there"),
            lambda name: cloudwatch_panel_of(name, production, title=f"{name} on AWS"),
            lambda name: slow_share_of(name, alerts=production.alerts, title=f"{name} slow"),
            lambda name: heatmap_of(name, title=f"{name} spread"),
        ):
            try:
                made.append(make(name))
            except UserError:
                continue
        assert made or isinstance(signal, Event), name
        if made:
            rows.append((8, made))
    rows.append((8, [events_of(production)]))
    variables = cloudwatch_variables(SIGNALS, production)
    built = to_json(service_dashboard("Every signal", "every-signal", "All.", rows, variables=variables))
    judged_by_all(built, schemas, tmp_path)
    assert len(list(judges.panels(built))) > 60


@pytest.mark.parametrize("name", ["deployment_failed", "rds_cpu", "notifications_failed"])
def test_what_prometheus_does_not_have_is_said_with_where_it_is(name: str) -> None:
    with pytest.raises(UserError, match=f"{name} has no series on Prometheus") as caught:
        panel_of(name)
    assert "cloudwatch" in str(caught.value.hint)


def test_what_cloudwatch_does_not_have_is_said(production: ResolvedCatalogue) -> None:
    with pytest.raises(UserError, match="database_latency has no metric on CloudWatch"):
        cloudwatch_panel_of("database_latency", production)


def test_a_panel_of_topics_needs_a_catalogue_that_has_some(tmp_path: Path) -> None:
    own = catalogue(
        tmp_path,
        "  one: {signal: errors, critical: {above: 1 errors, over: 5m}, mode: shadow}",
        "  critical: {log: true}",
    )
    with pytest.raises(UserError, match="nothing that AWS/SNS NumberOfNotificationsFailed is about"):
        cloudwatch_panel_of("notifications_failed", own)


def test_an_exporter_counts_with_the_job_that_the_environment_names(tmp_path: Path) -> None:
    own = catalogue(
        tmp_path, "  many: {signal: database_connections, warning: {above: 80 connections, over: 5m}}"
    )
    expr = expression(SIGNALS["database_connections"], alerts=own.alerts)
    assert expr.startswith('sum (pg_stat_activity_count{job="pg"} and on () group (')
    assert "pg_stat_activity_count" not in expression(SIGNALS["database_connections"])


def test_a_counter_without_series_reads_0_while_the_service_answers() -> None:
    assert expression(SIGNALS["telemetry_dropped"]).endswith('or 0 * sum(up{job=~"$job"} == 1)')
    assert "or" not in expression(SIGNALS["telemetry_dropped"], by=("reason",)).split()


def test_ratios_are_summed_before_the_division_however_they_are_split() -> None:
    for by in ((), ("route",), ("route", "method")):
        expr = expression(SIGNALS["http_error_ratio"], by=by).replace("$__rate_interval", "1m")
        tree: Any = promql_parser.parse(expr)
        while type(tree).__name__ == "ParenExpr":
            tree = tree.expr
        assert str(tree.op) == "/"
        assert type(tree.rhs).__name__ == "AggregateExpr"


def test_percentages_of_cloudwatch_have_their_lines_at_percentages(production: ResolvedCatalogue) -> None:
    panel = to_json_of(cloudwatch_panel_of("service_cpu", production))
    defaults = panel["fieldConfig"]["defaults"]
    assert (defaults["unit"], defaults["max"]) == ("percent", 100)
    assert defaults["thresholds"]["steps"][1]["value"] == 80


def test_a_statistic_that_an_alert_chooses_is_the_panels(tmp_path: Path) -> None:
    own = catalogue(
        tmp_path, "  busy: {signal: rds_cpu, statistic: maximum, critical: {above: 80%, over: 5m}}"
    )
    assert to_json_of(cloudwatch_panel_of("rds_cpu", own))["targets"][0]["statistic"] == "Maximum"
    assert presence_of("database", alerts=own.alerts).targets[0].needs == "postgres"


# Frame


def test_an_environment_that_is_a_label_narrows_every_series(schemas: Path, tmp_path: Path) -> None:
    for number, dashboard in enumerate((service_overview(environment="stage"), runtime(environment="stage"))):
        built = to_json(dashboard)
        assert "environment" in [variable["name"] for variable in built["templating"]["list"]]
        asked = judges.expressions(built)
        assert len(asked) > 10
        for expr in asked:
            for name, labels in judges.selectors(promql_parser.parse(expr)):
                assert "stage" in labels or name == "ALERTS", expr
        assert judges.errors(built, judges.schema(schemas, "dashboard")) == [], number


def test_a_new_version_is_one_that_was_not_there_before_in_a_service_that_was() -> None:
    annotation = version_changes("app_build_info", "version")
    (expr,) = judges.expressions({"panels": [], "annotations": {"list": [annotation]}})
    names = judges.selectors(promql_parser.parse(expr))
    assert [name for name, _ in names] == ["app_build_info"] * 3
    assert "unless" in expr


def test_links_into_explore_are_json_once_grafana_has_filled_them_in() -> None:
    address = traces_of()["url"]
    for variable, value in (
        ("${traces}", "jaeger-uid"),
        ("${job:raw}", "orders-api"),
        ("${__from}", "1795600000000"),
        ("${__to}", "1795603600000"),
    ):
        assert variable in address
        address = address.replace(variable, value)
    (panes,) = parse_qs(urlsplit(address).query)["panes"]
    shown = json.loads(panes)["shown"]
    assert shown["datasource"] == "jaeger-uid"
    assert shown["queries"][0]["service"] == "orders-api"
    assert shown["range"] == {"from": "1795600000000", "to": "1795603600000"}


def test_an_objective_on_a_latency_reads_what_its_rules_record(tmp_path: Path, schemas: Path) -> None:
    own = catalogue(
        tmp_path,
        "  fast: {slo: {signal: http_latency, slower_than: 500ms, objective: 99%, period: 28d}}\n"
        "  good: {slo: {signal: http_error_ratio, objective: 99.9%, period: 30d}}",
    )
    recorded = {getattr(rule, "record", "") for rule in compile_rules(own).rules}
    built = to_json(objectives(own, uid="own"))
    asked = {
        name
        for expr in judges.expressions(built)
        for name, _ in judges.selectors(promql_parser.parse(expr))
        if name.startswith("job:")
    }
    assert any("slower_500ms" in name for name in asked)
    assert asked <= recorded
    titles = [panel["title"] for panel in judges.panels(built)]
    assert {"Budget left: fast", "Budget left: good"} <= set(titles)
    judged_by_all(built, schemas, tmp_path)


def test_the_burn_of_now_has_the_factors_of_the_windows_that_it_is_over(tmp_path: Path) -> None:
    own = catalogue(tmp_path, "  good: {slo: {signal: http_error_ratio, objective: 99.9%, period: 30d}}")
    factors = {(window.long, window.factor) for alert in own.burns for window in alert.windows}
    assert len({factor for _, factor in factors}) > 1
    (panel,) = [
        panel for panel in judges.panels(to_json(objectives(own))) if panel["title"] == "Burn now: good"
    ]
    assert "over 1h" in panel["description"]
    steps = panel["fieldConfig"]["defaults"]["thresholds"]["steps"]
    assert [step["value"] for step in steps] == [None, *sorted(f for long, f in factors if long == 3600)]


def test_a_catalogue_without_objectives_still_has_its_alerts(tmp_path: Path) -> None:
    own = catalogue(tmp_path, "  one: {signal: errors, critical: {above: 1 errors, over: 5m}}")
    titles = [panel["title"] for panel in judges.panels(to_json(objectives(own)))]
    assert "Alerts now" in titles
    assert not [title for title in titles if "Budget" in title]


# Layout and kinds


def test_an_id_stays_when_a_panel_is_added_before() -> None:
    some = [panel_of("http_requests"), panel_of("http_error_ratio")]
    before = {panel.title: panel.id for panel in lay_out([(8, some)])}
    after = {panel.title: panel.id for panel in lay_out([(4, [panel_of("errors")]), "Bar", (8, some)])}
    assert {title: after[title] for title in before} == before


def test_rows_fill_the_width_whatever_shares_it_and_ids_differ() -> None:
    draw = random.Random(1)
    for _ in range(50):
        rows: list[Any] = []
        for number in range(draw.randrange(1, 5)):
            panels = [panel_of("errors") for _ in range(draw.randrange(1, 9))]
            if len(panels) > 1 and draw.random() < 0.5:
                panels[0].width = draw.randrange(1, 16 - len(panels))
            row = (draw.randrange(3, 9), panels)
            rows += [row] if draw.random() < 0.5 else [f"Bar {number}", Folded(f"More {number}", [row])]
        built = to_json(service_dashboard("Any", "any", "Any.", rows))
        assert judges.untiled(built) == []
        every = [*built["panels"], *(panel for row in built["panels"] for panel in row.get("panels", ()))]
        assert len({panel["id"] for panel in every}) == len(every)


def test_a_panel_may_stand_in_two_dashboards() -> None:
    shared = panel_of("errors")
    first, second = lay_out([(8, [shared])]), lay_out([(4, [panel_of("http_requests")]), (6, [shared])])
    assert (first[0].gridPos.y, first[0].gridPos.h) == (0, 8)
    assert (second[1].gridPos.y, second[1].gridPos.h) == (4, 6)


def test_a_panel_may_have_more_queries_than_the_alphabet_has_letters() -> None:
    targets = [PromTarget(expr="up", datasource=PROMETHEUS) for _ in range(60)]
    ids = [target["refId"] for target in to_json_of(TimeSeriesPanel(targets=targets))["targets"]]
    assert len(set(ids)) == 60
    assert ids[25:28] == ["Z", "AA", "AB"]


def test_the_kinds_that_the_set_does_not_use_fit_grafanas_types_too(schemas: Path, tmp_path: Path) -> None:
    described: dict[str, Any] = {"description": "As it is.", "dataSource": PROMETHEUS}
    up = 'sum by (job) (up{job=~"$job"})'
    rows: list[Any] = [
        (
            6,
            [
                GaugePanel(
                    title="Gauge",
                    minimum=0,
                    maximum=1,
                    targets=[PromTarget(expr=up, datasource=PROMETHEUS)],
                    **described,
                ),
                BarGaugePanel(
                    title="Bars", targets=[PromTarget(expr=up, datasource=PROMETHEUS)], **described
                ),
                BarChartPanel(
                    title="Chart",
                    names="job",
                    targets=[PromTarget(expr=up, datasource=PROMETHEUS, table=True)],
                    **described,
                ),
                TextPanel(title="Text", content="# Read me", description="As it is."),
            ],
        ),
        (
            6,
            [
                DashboardListPanel(title="Dashboards", tags=("orders-obs",), description="As it is."),
                AlertListPanel(title="Alerts", matching='{service="orders-api"}', description="As it is."),
                LogsPanel(
                    title="Lines",
                    description="As it is.",
                    dataSource={"type": "loki", "uid": "${logs}"},
                    targets=[
                        LokiTarget(
                            expr='{job=~"$job"} | json | level="error"',
                            datasource={"type": "loki", "uid": "${logs}"},
                        )
                    ],
                ),
                TimeSeriesPanel(
                    title="One metric",
                    description="As it is.",
                    dataSource=CLOUDWATCH,
                    targets=[
                        CloudWatchTarget(
                            namespace="AWS/SQS",
                            metric="ApproximateAgeOfOldestMessage",
                            dimensions={"QueueName": ["a", "b"]},
                            statistic="Maximum",
                            period="60",
                            datasource=CLOUDWATCH,
                        )
                    ],
                ),
            ],
        ),
    ]
    variables = [source("logs", "Logs", "loki"), source("cloudwatch", "CloudWatch", "cloudwatch")]
    judged_by_all(
        to_json(service_dashboard("Kinds", "kinds", "Each kind.", rows, variables=variables)),
        schemas,
        tmp_path,
    )


def to_json_of(panel: Any) -> dict[str, Any]:
    built: dict[str, Any] = to_json(service_dashboard("One", "one", "One.", [(8, [panel])]))["panels"][0]
    return built


def judged_by_all(built: dict[str, Any], schemas: Path, folder: Path) -> None:
    assert judges.misfits(built, schemas) == []
    assert judges.lost_keys(built) == []
    for expr in judges.expressions(built):
        promql_parser.parse(expr)
    try:
        assert check_all({"it": built}, folder) == {"it": []}
    except EnvironmentFault:
        # test_set_types says it, and fails where it must be there.
        assert not os.environ.get("CI")


def test_presences_are_those_that_come_and_go() -> None:
    with pytest.raises(UserError, match="nothing that Prometheus can see come and go"):
        presence_of("http_requests")
    assert [
        name for name, signal in SIGNALS.items() if isinstance(signal, Presence) and signal.prometheus
    ] == [
        "database",
        "service",
    ]


@pytest.mark.parametrize(
    "name", ["http_requests", "http_error_ratio", "http_latency", "errors", "service_cpu"]
)
def test_a_label_that_is_given_as_a_text_is_one_label(name: str) -> None:
    one, several = panel_of(name, by="route"), panel_of(name, by=("route",))
    assert one.targets[0].expr == several.targets[0].expr
    assert one.targets[0].legendFormat == "{{route}}"
    assert expression(SIGNALS[name], by="route") == several.targets[0].expr


@pytest.mark.parametrize("make", [service_overview, runtime, objectives, aws_resources, orders_production])
def test_each_dashboard_of_the_set_takes_a_catalogue_the_same_way(make: Any) -> None:
    whole = load(ROOT / "alerts")
    other = next(name for name in whole.environments if name != "production")
    assert to_json(make(whole)) == to_json(make(whole.resolve("production"))) == to_json(make())
    assert to_json(make(whole.resolve(other)))["title"]


@pytest.mark.parametrize("options", [{}, {"aws": True}], ids=["prometheus", "aws"])
@pytest.mark.parametrize("make", [service_overview, runtime, objectives, aws_resources, orders_production])
def test_the_set_shows_nothing_that_a_small_catalogue_does_not_have(
    make: Any, options: dict[str, Any], tmp_path: Path
) -> None:
    own = catalogue(tmp_path, "  one: {signal: errors, critical: {above: 1 errors, over: 5m}}")
    takes = options if make in (service_overview, orders_production) else {}
    found = lint_dashboard(to_json(make(own, **takes)), "x.json")
    assert [finding for finding in found if finding.level != "info"] == []


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ([panel_of("http_requests")], "a row is 1 panels without a height"),
        (panel_of("http_requests"), "a row is the panel 'Request rate' alone"),
        (("8", [panel_of("http_requests")]), "a row is something else"),
        (8, "a row is of type int"),
    ],
)
def test_a_row_without_a_height_is_refused_in_words(row: Any, said: str) -> None:
    with pytest.raises(UserError, match=said):
        lay_out([row])
    with pytest.raises(UserError, match=said):
        lay_out([Folded("More", [row])])

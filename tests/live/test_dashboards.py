"""Every query of every dashboard, asked of the real servers under the demonstration's traffic."""

from __future__ import annotations

import asyncio
import json
import math
import re
import runpy
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from orders_obs.dashboards.build import sources
from orders_obs.dashboards.frame import version_changes
from orders_obs.dashboards.queries import prometheus_queries
from orders_obs.dashboards.targets import JaegerTarget, PromTarget
from orders_obs.demo.stage import set_up
from orders_obs.demo.traffic import NORMAL, TROUBLE, Sent, run_phase
from orders_obs.sandbox import native
from tests.live.conftest import need

ROOT = Path(__file__).resolve().parents[2]
# What the sandbox has; a query that needs something else says so itself.
THERE = {"", "rules:demo"}
VALUES = {"job": "orders-api", "route": ".*", "env": ".*", "__rate_interval": "10s", "__range": "1m"}


@dataclass
class Servers:
    """The servers that have seen the traffic, and when it began."""

    prometheus: str
    jaeger: str
    since: float
    client: httpx.Client

    def prom(self, path: str, **parameters: Any) -> Any:
        answer = self.client.get(f"{self.prometheus}/api/v1/{path}", params=parameters)
        assert answer.status_code == 200, answer.text
        return answer.json()["data"]

    def series(self, expr: str) -> list[dict[str, Any]]:
        """The series of an expression that had a value while the traffic ran."""
        result: list[dict[str, Any]] = self.prom(
            "query_range", query=expr, start=self.since, end=time.time(), step="1s"
        )["result"]
        return [one for one in result if any(math.isfinite(float(value)) for _, value in one["values"])]


@pytest.fixture(scope="module")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Servers]:
    need(*native.NEEDED)
    with pytest.MonkeyPatch.context() as patch, httpx.Client(timeout=10) as client:
        patch.setenv("ORDERS_OBS_STATE_DIR", str(tmp_path_factory.mktemp("dashboards")))
        with set_up("native", [], need_running=False) as stage:
            since = time.time()
            asyncio.run(traffic(stage.services.url("orders-api")))
            yield Servers(stage.addresses["prometheus"], stage.addresses["jaeger"], since, client)


async def traffic(address: str) -> None:
    sent = Sent()
    async with httpx.AsyncClient(base_url=address, timeout=10) as client:
        for phase in (NORMAL, TROUBLE):
            await run_phase(client, phase, sent)


def dashboards() -> dict[str, Any]:
    return {path.name: runpy.run_path(str(path))["dashboard"] for path in sources(ROOT / "dashboards")}


def queries(dashboard: Any) -> Iterator[tuple[str, Any]]:
    """Every query with its panel's title, those of folded rows included."""
    pending = list(dashboard.panels)
    while pending:
        panel = pending.pop()
        pending += getattr(panel, "panels", None) or []
        for target in panel.targets:
            yield str(panel.title), target


def filled(expr: str) -> str:
    target = {"refId": "A", "expr": expr, "datasource": {"type": "prometheus"}}
    (query,) = prometheus_queries({"panels": [{"title": "", "targets": [target]}]}, **VALUES)
    return query.expr


def test_every_prometheus_query_has_data_whose_labels_its_legend_names(servers: Servers) -> None:
    wrong, asked = [], 0
    for name, dashboard in dashboards().items():
        for title, target in queries(dashboard):
            if not isinstance(target, PromTarget) or target.needs not in THERE:
                continue
            asked += 1
            series = servers.series(filled(target.expr))
            labels = set().union(*(one["metric"] for one in series)) if series else set()
            named = set(re.findall(r"{{(\w+)}}", target.legendFormat))
            if not series:
                wrong.append(f"{name}: {title}: no data: {target.expr}")
            # Nothing may be lost in the demonstration, for no reason then.
            elif not named <= labels | {"reason"} or (
                named and not all(named & one["metric"].keys() for one in series)
            ):
                wrong.append(
                    f"{name}: {title}: the legend {target.legendFormat} is not among {sorted(labels)}"
                )
    assert wrong == []
    assert asked >= 50


def test_every_annotation_and_every_choice_of_a_variable_has_data(servers: Servers) -> None:
    asked = 0
    for name, dashboard in dashboards().items():
        for annotation in dashboard.annotations.list:
            if "expr" in annotation:
                assert servers.series(filled(annotation["expr"])), f"{name}: {annotation['name']}"
                asked += 1
        for variable in dashboard.templating.list:
            query = variable.to_json_data()["query"]
            match = (
                re.fullmatch(r"label_values\((.+), (\w+)\)", query["query"]) if "qryType" in query else None
            )
            if match is not None:
                found = servers.prom(f"label/{match[2]}/values", **{"match[]": filled(match[1])})
                assert found, f"{name}: {variable.name}"
                asked += 1
    assert asked >= 15


def test_what_is_left_of_a_budget_is_what_the_counters_say(servers: Servers) -> None:
    """Adjacent recorded windows, added up, hold every request once; of a rule's look that came too late, a second is missing."""
    (left,) = [
        target.expr
        for title, target in queries(dashboards()["service-objectives-demo.dashboard.py"])
        if title.startswith("Budget left")
    ]
    every = 'sum(http_requests_total{job="orders-api"})'
    failed = 'sum(http_requests_total{job="orders-api",status=~"5.."})'
    expected = f"1 - ({failed} / {every}) / 0.001"

    def now(expr: str) -> float:
        ((_, value),) = [one["value"] for one in servers.prom("query", query=expr)["result"]]
        return float(value)

    # The last window is there when it has passed.
    deadline = time.monotonic() + 30
    while not math.isclose(now(filled(left)), now(expected), rel_tol=0.03):
        assert time.monotonic() < deadline, f"{now(filled(left))} for {now(expected)}"
        time.sleep(0.5)
    assert now(expected) < 0, "the traffic spends the whole budget"


def test_a_new_version_is_marked_while_it_is_new_and_the_first_one_is_not(
    program: Callable[[str], Path], tmp_path: Path
) -> None:
    expr = version_changes("app_build_info")["expr"].replace('job=~"$job"', 'job="a"')
    old, new = 'app_build_info{job="a",version="1"}', 'app_build_info{job="a",version="2"}'
    marked = {"2m": [], "12m": ["2"], "14m": ["2"], "16m": [], "25m": []}
    series = {old: "1x11 _x30", new: "_x10 1x30"}
    expected = {
        (expr, moment): [(f'{{job="a",version="{one}"}}', 1.0) for one in versions]
        for moment, versions in marked.items()
    }
    assert_values(program("promtool"), tmp_path, series, expected)


def assert_values(
    promtool: Path,
    folder: Path,
    series: dict[str, str],
    expected: dict[tuple[str, str], list[tuple[str, float]]],
) -> None:
    """A real Prometheus's evaluation of expressions, each at a time, over series of a sample a minute."""
    tests = {
        "rule_files": [],
        "evaluation_interval": "1m",
        "tests": [
            {
                "interval": "1m",
                "input_series": [{"series": name, "values": values} for name, values in series.items()],
                "promql_expr_test": [
                    {
                        "expr": expr,
                        "eval_time": moment,
                        "exp_samples": [{"labels": labels, "value": value} for labels, value in samples],
                    }
                    for (expr, moment), samples in expected.items()
                ],
            }
        ],
    }
    file = folder / "values.test.json"
    file.write_text(json.dumps(tests))
    done = subprocess.run(
        [promtool, "test", "rules", file], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


def shown(name: str, title: str, job: str) -> str:
    """The first query of a panel, asked for a service."""
    expr = next(t.expr for at, t in queries(dashboards()[f"{name}.dashboard.py"]) if at == title)
    target = {"refId": "A", "expr": expr, "datasource": {"type": "prometheus"}}
    values = VALUES | {"job": job, "__rate_interval": "4m", "__range": "1h"}
    (query,) = prometheus_queries({"panels": [{"title": "", "targets": [target]}]}, **values)
    return query.expr


@pytest.mark.parametrize(
    ("name", "title", "zero"),
    [
        ("service-overview", "Requests now", "{}"),
        ("service-overview", "Database connection errors", "{}"),
        ("service-runtime", "Telemetry lost", "{}"),
        ("service-runtime", "Telemetry faults", "{}"),
        ("service-runtime", "Lost, by why", '{signal="nothing"}'),
    ],
)
def test_a_counter_reads_0_while_the_service_answers_and_nothing_when_it_does_not(
    program: Callable[[str], Path], tmp_path: Path, name: str, title: str, zero: str
) -> None:
    expr = shown(name, title, "orders-api")
    series = {'up{job="orders-api",instance="a"}': "1x10 0x30", 'up{job="checkout",instance="b"}': "1x40"}
    expected = {(expr, "5m"): [(zero, 0.0)], (expr, "30m"): []}
    assert_values(program("promtool"), tmp_path, series, expected)


def test_what_an_exporter_says_of_others_is_not_shown_of_the_service_that_is_chosen(
    program: Callable[[str], Path], tmp_path: Path
) -> None:
    series = {
        'up{job="orders-api",instance="a"}': "1x9",
        'up{job="checkout",instance="b"}': "1x9",
        'up{job="billing",instance="c"}': "1x9",
        'pg_stat_activity_count{job="postgres",state="idle"}': "40x9",
        'pg_stat_activity_count{job="postgres",state="active"}': "2x9",
        'database_pool_connections{job="orders-api",instance="a",state="used"}': "5x9",
        'ecs_service_running_count{job="ecs",service="orders-api"}': "3x9",
        'ecs_service_running_count{job="ecs",service="checkout"}': "7x9",
    }
    connections = {"orders-api": [("{}", 42.0)], "checkout": [], "orders-api|checkout": [("{}", 42.0)]}
    tasks = {"orders-api": 3.0, "checkout": 7.0, "orders-api|checkout": 10.0, "billing": 1.0}
    page = "orders-api-production"
    expected = {
        (shown(page, "Active connections", job), "5m"): samples for job, samples in connections.items()
    } | {(shown(page, "ECS task count", job), "5m"): [("{}", count)] for job, count in tasks.items()}
    assert_values(program("promtool"), tmp_path, series, expected)


def test_histograms_that_ask_for_exemplars_have_some(servers: Servers) -> None:
    asked = 0
    for name, dashboard in dashboards().items():
        for title, target in queries(dashboard):
            if isinstance(target, PromTarget) and target.exemplar and "http_request_duration" in target.expr:
                found = servers.prom(
                    "query_exemplars", query=filled(target.expr), start=servers.since, end=time.time()
                )
                traces = [e["labels"].get("trace_id") for one in found for e in one["exemplars"]]
                assert any(traces), f"{name}: {title}"
                asked += 1
    assert asked >= 5


def test_every_search_for_traces_finds_some(servers: Servers) -> None:
    """Of a panel with several searches one is enough: not every store of Jaeger searches everything."""
    found: dict[str, int] = {}
    for name, dashboard in dashboards().items():
        for title, target in queries(dashboard):
            if not isinstance(target, JaegerTarget):
                continue
            parameters = {
                "service": target.service.replace("$job", "orders-api"),
                "limit": str(target.limit),
                "start": str(int(servers.since * 1e6)),
                "end": str(int(time.time() * 1e6)),
            }
            if target.tags:
                parameters["tags"] = json.dumps(dict(pair.split("=") for pair in target.tags.split()))
            if target.longer_than:
                parameters["minDuration"] = target.longer_than
            answer = servers.client.get(f"{servers.jaeger}/api/traces", params=parameters)
            place = f"{name}: {title}"
            found[place] = found.get(place, 0) + len(answer.json()["data"])
    assert len(found) >= 3
    assert all(found.values()), found

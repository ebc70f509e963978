"""Every query of every dashboard, asked of the real servers under the demonstration's traffic."""

from __future__ import annotations

import asyncio
import json
import math
import re
import runpy
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from orders_obs.dashboards.build import sources
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
            if not series:
                wrong.append(f"{name}: {title}: no data: {target.expr}")
            # Nothing may be lost in the demonstration: a zero has no labels.
            elif "or 0 *" not in target.expr and not set(
                re.findall(r"{{(\w+)}}", target.legendFormat)
            ) <= labels | {"reason"}:
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
    asked = 0
    for name, dashboard in dashboards().items():
        for title, target in queries(dashboard):
            if not isinstance(target, JaegerTarget):
                continue
            parameters = {
                "service": target.service.replace("$job", "orders-api"),
                "limit": target.limit,
                "lookback": "1h",
                "start": int(servers.since * 1e6),
                "end": int(time.time() * 1e6),
            }
            if target.tags:
                parameters["tags"] = json.dumps(dict(pair.split("=") for pair in target.tags.split()))
            if target.longer_than:
                parameters["minDuration"] = target.longer_than
            answer = servers.client.get(f"{servers.jaeger}/api/traces", params=parameters)
            assert answer.json()["data"], f"{name}: {title}"
            asked += 1
    assert asked >= 3

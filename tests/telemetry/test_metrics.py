"""Counting: budgets, misuse, a team's own metrics, and `/metrics` as Prometheus reads it."""

from __future__ import annotations

import gzip
from collections.abc import Iterator
from typing import Any

import pytest
from fastapi import FastAPI
from prometheus_client import CollectorRegistry
from prometheus_client.openmetrics import parser as openmetrics
from prometheus_client.parser import text_string_to_metric_families as parse_text
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Mount, Route

from orders_obs import UserError, instrument
from orders_obs.signals import INSTRUMENTS
from orders_obs.telemetry import guard
from orders_obs.telemetry.metrics.api import Metrics
from orders_obs.telemetry.record import RequestRecord
from tests.telemetry.conftest import Drive, Seen, forget_provider

parse_openmetrics: Any = openmetrics.text_string_to_metric_families


@pytest.fixture
def own() -> Iterator[Metrics]:
    """Metrics in a registry of their own."""
    before = guard._count
    yield Metrics(CollectorRegistry())
    guard._count = before


def value(metrics: Metrics, name: str, **labels: str) -> float | None:
    return metrics.registry.get_sample_value(name, labels)


def test_every_instrument_is_exposed_with_its_type_labels_and_buckets(own: Metrics) -> None:
    own.start(100)
    families = {family.name: family for family in own.registry.collect()}
    for instrument_ in INSTRUMENTS.values():
        name = instrument_.name.removesuffix("_total")
        assert families[name].type == instrument_.kind
    own.record_query("select", "orders", 0.2)
    bounds = [
        sample.labels["le"]
        for family in own.registry.collect()
        for sample in family.samples
        if sample.name == "database_query_duration_seconds_bucket"
    ]
    assert [float(bound) for bound in bounds[:-1]] == list(
        INSTRUMENTS["database_query_duration_seconds"].buckets
    )


def test_there_is_a_bucket_at_every_threshold_that_the_alerts_use_and_two_above_the_highest() -> None:
    from orders_obs._resources import resource_path
    from orders_obs.alerts import load

    catalogue = load(resource_path("alerts"))
    bounds = {a.bound for name in catalogue.environments for a in catalogue.resolve(name).alerts if a.bound}
    buckets = INSTRUMENTS["http_request_duration_seconds"].buckets
    assert bounds <= set(buckets)
    assert len([bucket for bucket in buckets if bucket > max(bounds)]) >= 2


def test_known_label_values_exist_at_zero(own: Metrics) -> None:
    own.start(100)
    assert value(own, "orders_created_total", status="success") == 0
    assert value(own, "orders_created_total", status="failed") == 0
    assert value(own, "database_connection_errors_total") == 0


def test_beyond_the_budget_samples_go_to_an_overflow_series_and_that_is_counted(own: Metrics) -> None:
    own.budget = 3
    counter = own.counter("visits", labels=["who"])
    for index in range(10):
        counter.labels(who=f"user{index}").inc()
    series = [s for f in own.registry.collect() for s in f.samples if s.name == "visits_total"]
    assert len(series) == 4
    assert value(own, "visits_total", who="__overflow__") == 7
    assert value(own, "telemetry_dropped_total", signal="metrics", reason="series_budget:visits_total") == 7


def test_misuse_neither_raises_nor_makes_a_series(own: Metrics, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ORDERS_OBS_RAISE_INTERNAL_ERRORS")
    counter = own.counter("refunds", labels={"status": ["done"]})
    counter.labels(wrong="x").inc()
    counter.labels().inc()
    counter.labels(status="done").inc(-1)
    counter.labels(status="done").inc("a lot")  # type: ignore[arg-type]
    counter.inc()
    assert [s.labels for f in own.registry.collect() for s in f.samples if s.name == "refunds_total"] == [
        {"status": "done"}
    ]
    assert value(own, "refunds_total", status="done") == 0


def test_no_label_value_can_make_a_scrape_fail(own: Metrics) -> None:
    from prometheus_client import generate_latest

    counter = own.counter("odd", labels=["x"])
    for odd in ("\ud800", "\x00", 'a"b\\\n', "é" * 1000, None, 5, b"\xff"):
        counter.labels(x=odd).inc()
    list(parse_text(generate_latest(own.registry).decode()))


def test_a_metric_is_declared_once_and_got_again(own: Metrics) -> None:
    assert own.counter("refunds", labels=["a"]) is own.counter("refunds_total", labels=["a"])
    with pytest.raises(UserError, match="declared already, as a counter with labels"):
        own.counter("refunds", labels=["b"])
    with pytest.raises(UserError, match="cannot be declared"):
        own.gauge("no spaces")
    with pytest.raises(UserError, match="cannot be declared"):
        own.gauge("reserved", labels=["__name__"])
    own.gauge("depth").set(3)
    own.histogram("wait_seconds", buckets=[1, 2]).observe(1.5)
    assert value(own, "depth") == 3
    assert value(own, "wait_seconds_bucket", le="2.0") == 1


def test_a_metric_of_the_application_with_a_name_of_ours_stays_and_nothing_breaks(own: Metrics) -> None:
    from prometheus_client import Counter, Gauge

    theirs = Counter("http_requests", "theirs", ["path"], registry=own.registry)
    theirs.labels("/x").inc()
    Gauge("cache_hit_rate", "theirs", registry=own.registry).set(7)
    own.start(100)
    record = RequestRecord("GET", "/x")
    own.request_started(record)
    record.start_response(200)
    record.end()
    own.request_over(record, None)
    own.cache_lookup("orders", hit=True)
    assert value(own, "http_requests_total", path="/x") == 1
    assert value(own, "cache_hit_rate") == 7
    assert [
        s.labels for f in own.registry.collect() for s in f.samples if s.name == "http_requests_total"
    ] == [{"path": "/x"}]
    assert (
        value(own, "http_request_duration_seconds_count", method="GET", route="__unmatched__", status="200")
        == 1
    )


def test_a_query_inside_an_instrumented_call_is_counted_once(own: Metrics) -> None:
    with own.query("insert", "orders"):
        own.record_query("insert", "orders", 5)
    assert value(own, "database_query_duration_seconds_count", operation="insert", table="orders") == 1


def test_cache_hit_rate_is_worked_out_from_counts(own: Metrics) -> None:
    for hit in (True, True, False, True):
        own.cache_lookup("orders", hit=hit)
    assert value(own, "cache_hit_rate", cache_name="orders") == 0.75


def test_the_pools_connections_are_counted_at_each_scrape(own: Metrics) -> None:
    class Pool:
        def checkedout(self) -> int:
            return 2

        def checkedin(self) -> int:
            return 3

    pool = Pool()
    own.computed.track_pool(pool)
    assert value(own, "database_pool_connections", state="used") == 2
    del pool
    assert value(own, "database_pool_connections", state="used") == 0


def instrumented() -> FastAPI:
    app = FastAPI()

    @app.get("/x")
    def x() -> str:
        return ""

    return instrument(app, service="test")


def test_metrics_are_text_by_default_and_not_counted_themselves(seen: Seen, drive: Drive) -> None:
    app = instrumented()
    drive(app, "/x")
    exchange = drive(app, "/metrics")
    assert exchange.status == 200
    assert exchange.headers["content-type"].startswith("text/plain; version=")
    assert exchange.headers["content-length"] == str(len(exchange.body))
    assert {family.name for family in parse_text(exchange.body.decode())} >= {
        "http_requests",
        "http_request_duration_seconds",
    }
    assert len(seen.access) == len(seen.server_spans) == 1


def test_openmetrics_carries_the_exemplar_of_the_very_request(seen: Seen, drive: Drive) -> None:
    app = instrumented()

    @app.get("/exemplar")
    def exemplar() -> str:
        return ""

    drive(app, "/exemplar")
    exchange = drive(app, "/metrics", headers={"accept": "application/openmetrics-text; version=1.0.0"})
    assert exchange.headers["content-type"].startswith("application/openmetrics-text")
    exemplars = [
        sample.exemplar.labels
        for family in parse_openmetrics(exchange.body.decode())
        for sample in family.samples
        if sample.exemplar is not None and sample.labels.get("route") == "/exemplar"
    ]
    (span,) = seen.server_spans
    assert exemplars == [
        {
            "trace_id": f"{span.context.trace_id:032x}",
            "span_id": f"{span.context.span_id:016x}",
        }
    ]


def test_a_request_that_is_not_sampled_leaves_no_exemplar(seen: Seen, drive: Drive) -> None:
    app = instrumented()
    drive(app, "/x", headers={"traceparent": f"00-{'a' * 32}-{'b' * 16}-00"})
    exchange = drive(app, "/metrics", headers={"accept": "application/openmetrics-text; version=1.0.0"})
    assert b"a" * 32 not in exchange.body
    assert seen.access[0]["trace_id"] == "a" * 32


def test_a_span_that_is_recorded_and_not_exported_leaves_no_exemplar(seen: Seen, drive: Drive) -> None:
    from opentelemetry import trace
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.sampling import Decision, StaticSampler

    forget_provider()
    trace.set_tracer_provider(TracerProvider(sampler=StaticSampler(Decision.RECORD_ONLY)))
    app = instrumented()

    @app.get("/recorded")
    def recorded() -> str:
        return ""

    drive(app, "/recorded")
    exchange = drive(app, "/metrics", headers={"accept": "application/openmetrics-text; version=1.0.0"})
    assert seen.access[0]["trace_id"].encode() not in exchange.body
    assert b'route="/recorded"' in exchange.body


def test_metrics_are_compressed_filtered_and_headed(seen: Seen, drive: Drive) -> None:
    app = instrumented()
    drive(app, "/x")
    squeezed = drive(app, "/metrics", headers={"accept-encoding": "gzip, br"})
    assert squeezed.headers["content-encoding"] == "gzip"
    assert b"http_requests_total" in gzip.decompress(squeezed.body)
    filtered = drive(app, "/metrics", query=b"name[]=orders_created_total")
    assert {family.name for family in parse_text(filtered.body.decode())} == {"orders_created"}
    head = drive(app, "/metrics", "HEAD")
    assert (head.status, head.body) == (200, b"")
    assert int(head.headers["content-length"]) > 0
    assert drive(app, "/metrics", "POST").status == 405


def test_a_collector_that_fails_costs_only_itself(
    seen: Seen, drive: Drive, monkeypatch: pytest.MonkeyPatch
) -> None:
    from prometheus_client import REGISTRY
    from prometheus_client.registry import Collector

    class Broken(Collector):
        def collect(self) -> Any:
            raise RuntimeError("broken")

        def describe(self) -> Any:
            return []

    monkeypatch.delenv("ORDERS_OBS_RAISE_INTERNAL_ERRORS")
    broken = Broken()
    REGISTRY.register(broken)
    try:
        exchange = drive(instrumented(), "/metrics")
    finally:
        REGISTRY.unregister(broken)
    assert exchange.status == 200
    assert b"http_requests_total" in exchange.body


async def mine(_request: Any) -> PlainTextResponse:
    return PlainTextResponse("mine")


async def mounted(_scope: Any, _receive: Any, send: Any) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"mine"})


@pytest.mark.parametrize(
    "routes",
    [
        [Route("/metrics", mine), Route("/health/live", mine)],
        [Route("/{anything:path}", mine)],
        [Mount("/metrics", routes=[Route("/", mine)]), Mount("/health", app=mounted)],
        [Mount("/", routes=[Route("/metrics", mine), Route("/health/live", mine)])],
    ],
)
def test_an_applications_own_metrics_and_health_routes_win(
    seen: Seen, drive: Drive, routes: list[Any]
) -> None:
    app = instrument(Starlette(routes=routes), service="test")
    assert drive(app, "/metrics").body in (b"mine", b"")
    assert (
        drive(app, "/metrics").headers.get("location", "http://127.0.0.1:8000/metrics/").endswith("/metrics/")
    )
    assert drive(app, "/health/live").body == b"mine"


def test_the_paths_can_be_moved_and_switched_off(seen: Seen, drive: Drive) -> None:
    app = instrument(FastAPI(), service="test", metrics_path="/-/metrics", health_path="")
    assert drive(app, "/-/metrics").status == 200
    assert drive(app, "/metrics").status == 404
    assert drive(app, "/health/live").status == 404


def test_readiness_asks_the_checks_and_says_no_more_than_the_kind_of_a_failure(
    seen: Seen, drive: Drive
) -> None:
    async def cache() -> bool:
        return False

    def database() -> None:
        raise ConnectionError("postgresql://bob:hunter2@db")

    app = instrument(
        FastAPI(), service="test", readiness={"database": database, "cache": cache, "disk": lambda: None}
    )
    assert drive(app, "/health/live").status == 200
    exchange = drive(app, "/health/ready")
    assert exchange.status == 503
    assert b"hunter2" not in exchange.body
    assert exchange.body == (
        b'{"status":"unavailable","checks":{"database":"failed: ConnectionError","cache":"failed","disk":"ok"}}'
    )
    assert seen.texts == []
    assert seen.spans == []

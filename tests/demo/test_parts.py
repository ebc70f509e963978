"""The demonstration's parts: the receiver against the SDK's own exporter, the sampler, where time went, and the report."""

from __future__ import annotations

import asyncio
import gzip
import json
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
import pytest
from opentelemetry.exporter.otlp.proto.http import Compression
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.trace import SpanKind
from prometheus_client import CollectorRegistry, Counter, Histogram
from prometheus_client.openmetrics import exposition

from orders_obs.alerts import load
from orders_obs.demo.receiver import TraceReceiver
from orders_obs.demo.report import Report, render
from orders_obs.demo.sampler import Exemplar, Sampler
from orders_obs.demo.spans import TraceSpan, break_down, root_of
from orders_obs.demo.traffic import Followed, Sent
from orders_obs.signals import SIGNALS

generate_latest: Any = exposition.generate_latest
ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def receiver() -> Iterator[TraceReceiver]:
    made = TraceReceiver()
    yield made
    made.close()


@pytest.mark.parametrize("compression", [Compression.NoCompression, Compression.Gzip])
def test_the_receiver_takes_what_the_sdks_own_exporter_sends(
    receiver: TraceReceiver, compression: Compression
) -> None:
    provider = TracerProvider(resource=Resource({"service.name": "shop"}))
    exporter = OTLPSpanExporter(f"{receiver.url}/v1/traces", compression=compression)
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    tracer = provider.get_tracer("t")
    with tracer.start_as_current_span(
        "outer", kind=SpanKind.SERVER, attributes={"n": 1, "many": ["a"]}
    ) as outer:
        with tracer.start_as_current_span("inner"):
            pass
        trace_id = f"{outer.get_span_context().trace_id:032x}"
    provider.shutdown()
    inner_span, outer_span = receiver.trace(trace_id)
    assert (outer_span.name, outer_span.kind, outer_span.service) == ("outer", "server", "shop")
    assert outer_span.attributes == {"n": 1, "many": ["a"]}
    assert inner_span.parent_id == outer_span.span_id
    assert receiver.trace("0" * 32) == []


@pytest.mark.parametrize(
    ("path", "body", "headers", "status"),
    [
        ("/v1/traces", b"\xff\xff\xff", {}, 400),
        ("/v1/traces", b"no gzip", {"content-encoding": "gzip"}, 400),
        ("/v1/traces", gzip.compress(b"\xff"), {"content-encoding": "gzip"}, 400),
        ("/v1/traces", b"x", {"content-length": "99999999"}, 413),
        ("/v1/logs", b"", {}, 404),
    ],
)
def test_the_receiver_refuses_what_is_no_trace_and_goes_on(
    receiver: TraceReceiver, path: str, body: bytes, headers: dict[str, str], status: int
) -> None:
    request = urllib.request.Request(receiver.url + path, body, headers)
    with pytest.raises(urllib.error.HTTPError) as caught:
        urllib.request.urlopen(request, timeout=10)
    caught.value.close()
    assert caught.value.code == status
    with urllib.request.urlopen(urllib.request.Request(receiver.url + "/v1/traces", b""), timeout=10) as good:
        assert good.status == 200


def test_the_sampler_sees_values_exemplars_and_alerts_come_and_go(monkeypatch: pytest.MonkeyPatch) -> None:
    registry = CollectorRegistry()
    requests = Counter("http_requests", "h", ["method", "route", "status"], registry=registry)
    duration = Histogram(
        "http_request_duration_seconds",
        "h",
        ["method", "route", "status"],
        registry=registry,
        buckets=(0.5, 1, 2),
    )
    alerts = [a for a in load(ROOT / "alerts").resolve("demo").alerts if a.name == "error_rate"]
    monkeypatch.setattr(Sampler, "_run", lambda _self: None)
    sampler = Sampler("", alerts)

    def second(good: int, bad: int) -> None:
        requests.labels("GET", "/x", "200").inc(good)
        requests.labels("GET", "/x", "500").inc(bad)
        duration.labels("GET", "/x", "200").observe(0.3, {"trace_id": "abc"})
        sampler._take(generate_latest(registry).decode())
        sampler._evaluate()

    for _ in range(12):
        second(10, 0)
    assert sampler.fired == set()
    for _ in range(12):
        second(10, 2)
    assert sampler.fired == {("error_rate", "critical"), ("error_rate", "warning")}
    assert sampler.resolved == set()
    for _ in range(12):
        second(0, 0)
    assert sampler.resolved == set(), "without traffic the alert keeps its state"
    for _ in range(12):
        second(10, 0)
    assert sampler.resolved == sampler.fired
    assert sampler.exemplars == {"abc": Exemplar("abc", 0.3, "/x")}
    assert sampler.value(SIGNALS["http_error_ratio"], 5) == 0
    assert sampler.value(SIGNALS["http_requests"], 5) == pytest.approx(10, abs=0.01)
    assert sampler.value(SIGNALS["http_latency"], 5) == pytest.approx(0.3)
    assert sampler.value(SIGNALS["orders_created"]) is None


def test_the_sampler_scrapes_a_real_server_each_second() -> None:
    registry = CollectorRegistry()
    Counter("http_requests", "h", ["method", "route", "status"], registry=registry).labels(
        "GET", "/", "200"
    ).inc()
    asked: list[str] = []
    enough = threading.Event()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.headers["accept"])
            self.send_response(200)
            self.end_headers()
            self.wfile.write(generate_latest(registry))
            if len(asked) == 2:
                enough.set()

        def log_message(self, format: str, *args: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    sampler = Sampler(f"http://127.0.0.1:{server.server_address[1]}/metrics", [])
    assert enough.wait(10)
    sampler.close()
    server.shutdown()
    server.server_close()
    assert asked[0].startswith("application/openmetrics-text")
    assert sampler.value(SIGNALS["http_requests"]) == 0


def made(
    name: str,
    start: int,
    duration: int,
    kind: str = "client",
    service: str = "orders-api",
    parent: str = "root",
    **attributes: Any,
) -> TraceSpan:
    return TraceSpan(
        name,
        parent,
        service,
        name,
        kind,
        start,
        duration,
        {k.replace("__", "."): v for k, v in attributes.items()},
    )


TRACE = [
    made("root", 1000, 10_000, kind="server", parent=""),
    made("INSERT orders", 2000, 1000, db__system__name="sqlite"),
    made("SELECT orders", 2500, 1000, db__system__name="sqlite"),
    made("POST", 4000, 4000, http__request__method="POST"),
    made("POST /charges", 4500, 3000, kind="server", service="payments-api", parent="POST"),
    made("charge-db", 5000, 1000, service="payments-api", parent="POST /charges", db__system__name="sqlite"),
    made("cache.set", 9000, 500, db__system__name="redis"),
    made("late", 10_500, 5000, db__system__name="redis"),
]


def test_where_the_time_went_counts_overlaps_once_and_only_inside_the_request() -> None:
    root = root_of(TRACE, "orders-api")
    assert root is TRACE[0]
    found = break_down(TRACE, root)
    assert (found.total, found.database, found.payment, found.cache, found.other) == (10, 1.5, 4, 1, 3.5)


def report() -> Report:
    order = Followed("ord_1", "ab" * 16, "req-1", 201)
    lines = [
        {"timestamp": f"2026-11-24T12:00:00.{n}00000Z", "service": service, "level": "info", "event": "API metrics",
         "endpoint": "/x", "status_code": 200, "response_time_ms": 1.0, "db_query_time_ms": 0.5, "request_id": request}
        for n, service, request in ((1, "payments-api", "other"), (2, "orders-api", "req-1"))
    ]  # fmt: skip
    alert = {("error_rate", "critical")}
    return Report(
        "native", order, Sent(), spans=TRACE, lines=lines, exemplar=Exemplar("ab" * 16, 0.01, "/x"),
        signals={"http_error_ratio": 0.05, "http_requests": 2.0, "running_tasks": 1.0, "http_latency": 0.2},
        fired=set(alert), resolved=set(alert), expected=set(alert), panels={"Error rate": 1}, addresses={"jaeger": "http://j"},
    )  # fmt: skip


def test_the_report_reads_like_this() -> None:
    text = render(report(), color=False)
    assert all(len(line) <= 100 for line in text.splitlines())
    assert "\x1b" not in text
    assert "\x1b[1m" in render(report(), color=True)
    assert text == (Path(__file__).parent / "report.txt").read_text()


def test_the_report_as_data_is_json() -> None:
    made_report = report()
    made_report.sent.kinds["create"] += 3
    made_report.sent.statuses[201] += 3
    data = json.loads(json.dumps(made_report.as_data()))
    assert data["sent"] == {"kinds": {"create": 3}, "statuses": {"201": 3}}
    assert data["breakdown_ms"]["payment"] == 4
    assert data["missing"] == []


def without(**changes: Any) -> Report:
    made_report = report()
    for name, value in changes.items():
        setattr(made_report, name, value)
    return made_report


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"followed": Followed("", "ab" * 16, "req-1", 500)}, "the order was not created: status 500"),
        ({"spans": TRACE[:4]}, "the trace holds no span of payments-api"),
        ({"spans": [s for s in TRACE if s.name != "POST"]}, "the trace shows no time for payment"),
        ({"lines": []}, "no log line of orders-api carries the trace id"),
        ({"exemplar": None}, "no exemplar leads to the trace"),
        ({"signals": {"errors": None}}, "signal errors has no value"),
        ({"fired": set(), "resolved": set()}, "alert error_rate (critical) did not fire"),
        ({"resolved": set()}, "alert error_rate (critical) fired and is not over"),
        ({"panels": {"Error rate": 0}}, "panel Error rate has no data"),
    ],
)
def test_whatever_was_not_found_is_named(changes: dict[str, Any], said: str) -> None:
    assert report().missing() == []
    made_report = without(**changes)
    assert said in made_report.missing()
    assert f"  - {said}" in render(made_report, color=False)


def test_the_inbox_keeps_what_alertmanager_posts() -> None:
    from orders_obs.demo.inbox import app

    payload = {"status": "firing", "alerts": [{"status": "firing", "labels": {"alertname": "a"}, "extra": 1}]}

    async def talk() -> Any:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://inbox") as client:
            assert (await client.post("/alerts", json=payload)).status_code == 200
            return (await client.get("/alerts")).json()

    assert asyncio.run(talk())[-1] == {
        "status": "firing", "labels": {"alertname": "a"}, "annotations": None, "startsAt": None, "endsAt": None,
    }  # fmt: skip


def test_a_wrong_setting_ends_the_demo_before_anything_is_started(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from orders_obs.cli import main
    from orders_obs.demo import run

    def fail(*_args: Any, **_keywords: Any) -> None:
        raise AssertionError("started")

    monkeypatch.setenv("ORDERS_OBS_LOG_LEVEL", "loud")
    monkeypatch.setattr(run, "set_up", fail)
    assert main(["demo"]) == 2
    assert "ORDERS_OBS_LOG_LEVEL: must be one of" in capsys.readouterr().err

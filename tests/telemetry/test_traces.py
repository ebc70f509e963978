"""Context in and out, spans by hand, ids without an exporter, and nothing secret in OTLP."""

from __future__ import annotations

from typing import Any

import pytest
from fastapi import FastAPI
from opentelemetry import trace
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import StatusCode

from orders_obs import get_logger, instrument, span
from orders_obs.telemetry.export.lines import LineWriter
from orders_obs.telemetry.traces import sdk
from tests.telemetry.conftest import Drive, Seen, forget_provider

TRACE, PARENT = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"


def app_with(handler: Any) -> FastAPI:
    app = FastAPI()
    app.add_api_route("/x", handler)
    return instrument(app, service="test")


async def nothing() -> str:
    return ""


@pytest.mark.parametrize(
    ("headers", "trace_id", "parent_id", "sampled"),
    [
        ({"traceparent": f"00-{TRACE}-{PARENT}-01"}, TRACE, PARENT, True),
        ({"traceparent": f"00-{TRACE}-{PARENT}-00"}, TRACE, PARENT, False),
        ({"traceparent": f"cc-{TRACE}-{PARENT}-01-what-comes-later"}, TRACE, PARENT, True),
        ({"x-amzn-trace-id": f"Root=1-{TRACE[:8]}-{TRACE[8:]};Parent={PARENT};Sampled=1"}, TRACE, PARENT, True),
        ({"x-amzn-trace-id": f"Root=1-{TRACE[:8]}-{TRACE[8:]};Parent={PARENT};Sampled=0"}, TRACE, PARENT, False),
        ({"x-amzn-trace-id": f"Self=1-1-1;Root=1-{TRACE[:8]}-{TRACE[8:]}"}, TRACE, None, True),
        (
            {"traceparent": f"00-{TRACE}-{PARENT}-01", "x-amzn-trace-id": f"Root=1-{'1' * 8}-{'2' * 24};Sampled=0"},
            TRACE, PARENT, True,
        ),
        ({"traceparent": "00-zz-zz-01", "x-amzn-trace-id": f"Root=1-{TRACE[:8]}-{TRACE[8:]};Parent={PARENT}"}, TRACE, PARENT, True),
    ],
)  # fmt: skip
def test_a_trace_that_comes_in_is_continued(
    seen: Seen, drive: Drive, headers: dict[str, str], trace_id: str, parent_id: str | None, sampled: bool
) -> None:
    drive(app_with(nothing), "/x", headers=headers)
    assert seen.access[0]["trace_id"] == trace_id
    if not sampled:
        assert seen.spans == []
        return
    (server,) = seen.server_spans
    assert f"{server.context.trace_id:032x}" == trace_id
    assert parent_id is None or f"{server.parent.span_id:016x}" == parent_id


@pytest.mark.parametrize(
    "headers",
    [
        {"traceparent": f"00-{'0' * 32}-{PARENT}-01"},
        {"traceparent": f"00-{TRACE}-{'0' * 16}-01"},
        {"traceparent": f"ff-{TRACE}-{PARENT}-01"},
        {"traceparent": f"00-{TRACE.upper()}-{PARENT}-01"},
        {"x-amzn-trace-id": "Root=1-xyz"},
        {},
    ],
)
def test_what_is_no_valid_context_starts_a_new_trace(
    seen: Seen, drive: Drive, headers: dict[str, str]
) -> None:
    drive(app_with(nothing), "/x", headers=headers)
    assert seen.server_spans[0].parent is None
    assert seen.access[0]["trace_id"] not in (TRACE, "0" * 32)


def test_a_server_span_follows_the_semantic_conventions(seen: Seen, drive: Drive) -> None:
    drive(
        app_with(nothing), "/x", query=b"a=1&token=hunter2",
        headers={"host": "shop.example:8443", "user-agent": "curl/8"},
    )  # fmt: skip
    (server,) = seen.server_spans
    attributes = dict(server.attributes)
    del attributes["orders_obs.request_id"]
    assert server.name == "GET /x"
    assert attributes == {
        "http.request.method": "GET",
        "http.response.status_code": 200,
        "http.response.body.size": 2,
        "http.route": "/x",
        "url.path": "/x",
        "url.scheme": "http",
        "url.query": "a=1&token=[REDACTED]",
        "server.address": "shop.example",
        "server.port": 8443,
        "network.protocol.version": "1.1",
        "client.address": "127.0.0.1",
        "user_agent.original": "curl/8",
    }
    assert server.status.status_code is StatusCode.UNSET


def test_spans_by_hand_nest_under_the_request_with_attributes_events_and_exceptions(
    seen: Seen, drive: Drive
) -> None:
    async def handler() -> str:
        with span("create-order", customer_id="c1", item_count=2, nothing=None, odd={"a"}) as outer:
            outer.add_event("order_created", {"order_id": "o1"})
            with pytest.raises(ValueError, match="bad"), span("inner"), span("innermost"):
                raise ValueError("bad password=hunter2")
            get_logger().info("inside")
        return ""

    drive(app_with(handler), "/x")
    by_name = {s.name: s for s in seen.spans}
    outer, inner, innermost = by_name["create-order"], by_name["inner"], by_name["innermost"]
    assert outer.parent.span_id == by_name["GET /x"].context.span_id
    assert inner.parent.span_id == outer.context.span_id
    assert dict(outer.attributes) == {"customer_id": "c1", "item_count": 2, "odd": "{'a'}"}
    assert [(e.name, dict(e.attributes)) for e in outer.events] == [("order_created", {"order_id": "o1"})]
    assert outer.status.status_code is StatusCode.UNSET
    assert inner.status.status_code is innermost.status.status_code is StatusCode.ERROR
    assert [e.name for e in innermost.events] == ["exception"]
    assert innermost.events[0].attributes["exception.type"] == "ValueError"
    assert inner.events == (), "one exception is one event"
    assert seen.lines[0]["span_id"] == f"{outer.context.span_id:016x}"


def test_the_opentelemetry_api_lands_in_the_same_place(seen: Seen, drive: Drive) -> None:
    tracer = trace.get_tracer("mine")

    async def handler() -> str:
        with tracer.start_as_current_span("theirs"):
            return ""

    drive(app_with(handler), "/x")
    theirs, server = seen.spans
    assert theirs.parent.span_id == server.context.span_id


def test_without_exporter_there_are_ids_and_no_network(drive: Drive, monkeypatch: pytest.MonkeyPatch) -> None:
    texts: list[bytes] = []
    monkeypatch.setattr(LineWriter, "write", lambda _self, line: texts.append(line))
    drive(app_with(nothing), "/x", headers={"traceparent": f"00-{TRACE}-{PARENT}-00"})
    drive(app_with(nothing), "/x")
    assert isinstance(trace.get_tracer_provider(), trace.ProxyTracerProvider)
    import json

    first, second = (json.loads(text) for text in texts)
    assert (first["trace_id"], first["trace_flags"]) == (TRACE, "00")
    assert first["span_id"] not in (PARENT, "0" * 16)
    assert second["trace_flags"] == "01", "a service further on may record"
    assert second["trace_id"] != first["trace_id"]


def test_a_provider_that_the_application_sets_later_is_joined(
    drive: Drive, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(LineWriter, "write", lambda _self, _line: None)
    forget_provider()
    app = app_with(nothing)
    exporter = InMemorySpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    trace.set_tracer_provider(provider)
    drive(app, "/x")
    assert [s.name for s in exporter.get_finished_spans()] == ["GET /x"]


def test_a_provider_that_is_there_is_not_replaced(seen: Seen, monkeypatch: pytest.MonkeyPatch) -> None:
    present = trace.get_tracer_provider()
    instrument(FastAPI(), service="test", endpoint="http://127.0.0.1:9")
    assert trace.get_tracer_provider() is present


def test_traceresponse_is_sent_where_it_is_wanted(seen: Seen, drive: Drive) -> None:
    app = FastAPI()
    app.add_api_route("/x", nothing)
    exchange = drive(instrument(app, service="test", traceresponse=True), "/x")
    (server,) = seen.server_spans
    context = server.context
    assert (
        exchange.headers["traceresponse"]
        == f"00-{context.trace_id:032x}-{context.span_id:016x}-{context.trace_flags:02x}"
    )


def encoded(*spans: Any) -> Any:
    request = ExportTraceServiceRequest()
    request.ParseFromString(sdk.encode(spans))
    return request


def test_nothing_secret_is_in_what_is_exported(seen: Seen) -> None:
    with (
        pytest.raises(ValueError, match="hunter2"),
        span(
            "call https://bob:hunter2@host",
            password="hunter2",
            note="Bearer hunter2hunter2",
            many=["token=hunter2"],
        ) as s,
    ):
        s.add_event("e", {"api_key": "hunter2"})
        raise ValueError("secret=hunter2")
    assert b"hunter2" not in encoded(*seen.spans).SerializeToString()
    assert b"call https://" in encoded(*seen.spans).SerializeToString()


def test_what_is_not_secret_is_encoded_as_the_sdks_own_encoder_does(seen: Seen) -> None:
    from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans

    with span("plain", n=1, ratio=0.5, ok=True, names=["a", "b"]) as s:
        s.add_event("e", {"order_id": "o1"})
    assert encoded(*seen.spans) == encode_spans(seen.spans)


@pytest.mark.parametrize("where", ["sampler", "on_start", "on_end"])
def test_a_sampler_or_processor_that_fails_does_not_reach_the_application(
    drive: Drive, monkeypatch: pytest.MonkeyPatch, where: str
) -> None:
    from opentelemetry.sdk.trace import SpanProcessor
    from opentelemetry.sdk.trace.sampling import Sampler

    class FailingProcessor(SpanProcessor):
        def on_start(self, span: Any, parent_context: Any = None) -> None:
            if where == "on_start":
                raise RuntimeError("broken")

        def on_end(self, span: Any) -> None:
            if where == "on_end":
                raise RuntimeError("broken")

    class FailingSampler(Sampler):
        def should_sample(self, *_args: Any, **_keywords: Any) -> Any:
            raise RuntimeError("broken")

        def get_description(self) -> str:
            return "failing"

    monkeypatch.delenv("ORDERS_OBS_RAISE_INTERNAL_ERRORS")
    texts: list[bytes] = []
    monkeypatch.setattr(LineWriter, "write", lambda _self, line: texts.append(line))
    provider = TracerProvider(sampler=FailingSampler()) if where == "sampler" else TracerProvider()
    provider.add_span_processor(FailingProcessor())
    trace.set_tracer_provider(provider)

    async def handler() -> str:
        with span("work"):
            return "done"

    exchange = drive(app_with(handler), "/x")
    assert (exchange.status, exchange.body, exchange.error) == (200, b'"done"', None)
    assert len(texts) == 1


def test_a_variable_that_only_the_sdk_reads_and_refuses_keeps_no_service_from_starting(
    drive: Drive, monkeypatch: pytest.MonkeyPatch
) -> None:
    texts: list[bytes] = []
    monkeypatch.setattr(LineWriter, "write", lambda _self, line: texts.append(line))
    monkeypatch.setenv("OTEL_SPAN_EVENT_COUNT_LIMIT", "many")
    app = FastAPI()
    app.add_api_route("/x", nothing)
    assert drive(instrument(app, service="test", endpoint="http://127.0.0.1:9"), "/x").status == 200
    assert b"traces are not exported" in texts[0]
    assert len(texts) == 2

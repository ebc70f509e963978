"""One request, one record, three signals that agree: for every way in which a request can end."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from fastapi import APIRouter, BackgroundTasks, FastAPI, HTTPException
from fastapi.responses import StreamingResponse
from opentelemetry.trace import StatusCode
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Mount, Route

from orders_obs import bind_context, current_request_id, get_logger, instrument, metrics
from tests.telemetry.conftest import Drive, Exchange, Message, Seen


def agree(seen: Seen, method: str, route: str, status: int, *, error_type: str = "") -> None:
    """Sample, span and line of the one request say the same."""
    labels = {"method": method, "route": route, "status": str(status)}
    assert seen.changes("http_requests_total") == {frozenset(labels.items()): 1}
    assert seen.change("http_request_duration_seconds_count", **labels) == 1
    (span,) = seen.server_spans
    assert span.attributes.get("http.route", "__unmatched__") == route
    assert span.attributes.get("http.response.status_code", status) == status
    assert span.attributes.get("error.type", "") == error_type
    (line,) = seen.access
    assert (line["method"], line["endpoint"], line["status_code"]) == (method, route, status)
    assert line.get("error_type", "") == error_type
    assert line["trace_id"] == f"{span.context.trace_id:032x}"
    assert line["span_id"] == f"{span.context.span_id:016x}"
    seconds = seen.change("http_request_duration_seconds_sum", **labels)
    assert line["response_time_ms"] == pytest.approx(seconds * 1000, abs=0.001)
    assert (span.end_time - span.start_time) / 1e9 == pytest.approx(seconds, abs=1e-6)
    assert seen.changes("http_requests_in_progress") == {}


def fastapi_app() -> FastAPI:
    app = FastAPI()
    orders = APIRouter(prefix="/orders")

    @orders.get("/{order_id}")
    def read(order_id: int) -> int:
        return order_id

    @orders.get("/{order_id}/fail")
    async def fail(order_id: int) -> None:
        raise LookupError(f"order {order_id}")

    @orders.get("/{order_id}/gone")
    def gone(order_id: int) -> None:
        raise HTTPException(503, "no")

    app.include_router(orders, prefix="/v1")
    app.include_router(orders, prefix="/v2")
    below = FastAPI()

    @below.get("/items/{item}")
    def item(item: str) -> str:
        return item

    app.mount("/tenants/{tenant}", below)
    return instrument(app, service="test")


@pytest.mark.parametrize(
    ("method", "path", "route", "status"),
    [
        ("GET", "/v1/orders/7", "/v1/orders/{order_id}", 200),
        ("GET", "/v2/orders/7", "/v2/orders/{order_id}", 200),
        ("GET", "/v1/orders/x", "/v1/orders/{order_id}", 422),
        ("DELETE", "/v1/orders/7", "/v1/orders/{order_id}", 405),
        ("GET", "/v1/orders/7/", "/v1/orders/{order_id}", 307),
        ("GET", "/tenants/a/items/1", "/tenants/{tenant}/items/{item}", 200),
        ("POST", "/tenants/a/items/1", "/tenants/{tenant}/items/{item}", 405),
        ("GET", "/tenants/a/none", "/tenants/{tenant}/__unmatched__", 404),
        ("GET", "/openapi.json", "/openapi.json", 200),
        ("GET", "/none", "__unmatched__", 404),
        ("GET", "/", "__unmatched__", 404),
    ],
)
def test_fastapi_routes_are_whole_templates_in_all_three_signals(
    seen: Seen, drive: Drive, method: str, path: str, route: str, status: int
) -> None:
    assert drive(fastapi_app(), path, method).status == status
    agree(seen, method, route, status)


@pytest.mark.parametrize(
    ("path", "route", "status"),
    [
        ("/a/5", "/a/{n}", 200),
        ("/sub/b", "/sub/b", 200),
        ("/sub/none", "/sub/__unmatched__", 404),
        ("/a/5/", "/a/{n}", 307),
        ("/none", "__unmatched__", 404),
    ],
)
def test_starlette_routes_are_whole_templates(
    seen: Seen, drive: Drive, path: str, route: str, status: int
) -> None:
    async def answer(_request: Any) -> PlainTextResponse:
        return PlainTextResponse("yes")

    app = Starlette(routes=[Route("/a/{n:int}", answer), Mount("/sub", routes=[Route("/b", answer)])])
    assert drive(instrument(app, service="test"), path).status == status
    agree(seen, "GET", route, status)


def test_a_router_added_after_the_first_request_is_seen(seen: Seen, drive: Drive) -> None:
    app = fastapi_app()
    drive(app, "/late")

    @app.get("/late")
    def late() -> str:
        return "now"

    drive(app, "/late")
    assert [line["endpoint"] for line in seen.access] == ["__unmatched__", "/late"]


def test_an_application_mounted_after_the_first_request_is_seen(seen: Seen, drive: Drive) -> None:
    async def answer(_request: Any) -> PlainTextResponse:
        return PlainTextResponse("yes")

    app = instrument(Starlette(), service="test")
    drive(app, "/late/b/1")
    app.router.routes.append(Mount("/late", routes=[Route("/b/{n}", answer)]))
    drive(app, "/late/b/1")
    assert [line["endpoint"] for line in seen.access] == ["__unmatched__", "/late/b/{n}"]


def test_behind_a_proxy_prefix_the_template_stays(seen: Seen, drive: Drive) -> None:
    drive(fastapi_app(), "/shop/v1/orders/7", scope={"root_path": "/shop"})
    assert seen.access[0]["endpoint"] == "/v1/orders/{order_id}"


def test_unknown_paths_and_methods_make_no_new_series(seen: Seen, drive: Drive) -> None:
    app = fastapi_app()
    drive(app, "/a.php", "BREW")
    first = set(seen.changes("http_requests_total"))
    for index in range(20):
        drive(app, f"/{index}.php", f"BREW{index}")
    assert (
        set(seen.changes("http_requests_total"))
        == first
        == {frozenset({("method", "_OTHER"), ("route", "__unmatched__"), ("status", "404")})}
    )
    assert {span.name for span in seen.server_spans} == {"HTTP"}


def test_an_exception_before_the_response_is_one_record_and_reaches_the_server_unchanged(
    seen: Seen, drive: Drive
) -> None:
    exchange = drive(fastapi_app(), "/v1/orders/7/fail")
    assert isinstance(exchange.error, LookupError)
    assert exchange.status == 500
    agree(seen, "GET", "/v1/orders/{order_id}/fail", 500, error_type="LookupError")
    assert seen.change("errors_total", route="/v1/orders/{order_id}/fail", error_type="LookupError") == 1
    (span,) = seen.server_spans
    assert span.status.status_code is StatusCode.ERROR
    assert [event.name for event in span.events] == ["exception"]
    (line,) = seen.access
    assert line["level"] == "error"
    assert line["exception"].endswith("LookupError: order 7")


def test_an_error_status_without_exception_is_an_error_of_that_type(seen: Seen, drive: Drive) -> None:
    drive(fastapi_app(), "/v1/orders/7/gone")
    agree(seen, "GET", "/v1/orders/{order_id}/gone", 503, error_type="503")
    assert seen.change("errors_total", route="/v1/orders/{order_id}/gone", error_type="503") == 1


def test_errors_total_exists_at_zero_from_a_routes_first_request(seen: Seen, drive: Drive) -> None:
    from prometheus_client import REGISTRY

    drive(fastapi_app(), "/v2/orders/1")
    assert (
        REGISTRY.get_sample_value("errors_total", {"route": "/v2/orders/{order_id}", "error_type": "500"})
        == 0
    )


def bare(*messages: Message, fail: BaseException | None = None) -> Any:
    async def app(_scope: Any, _receive: Any, send: Any) -> None:
        for message in messages:
            await send(message)
        if fail is not None:
            raise fail

    return instrument(app, service="test")


START: Message = {"type": "http.response.start", "status": 200, "headers": [(b"x-own", b"1")]}


def chunk(data: bytes, *, more: bool) -> Message:
    return {"type": "http.response.body", "body": data, "more_body": more}


def test_an_exception_after_the_response_has_started_keeps_the_status_that_was_sent(
    seen: Seen, drive: Drive
) -> None:
    exchange = drive(bare(START, chunk(b"ab", more=True), fail=ValueError("late")))
    assert isinstance(exchange.error, ValueError)
    agree(seen, "GET", "__unmatched__", 200, error_type="ValueError")
    assert seen.server_spans[0].status.status_code is StatusCode.ERROR
    assert seen.change("errors_total", route="__unmatched__", error_type="ValueError") == 1


def test_an_application_that_returns_without_an_answer_is_a_500(seen: Seen, drive: Drive) -> None:
    drive(bare())
    agree(seen, "GET", "__unmatched__", 500, error_type="no_response")


def test_a_stream_is_timed_to_its_last_byte_and_its_bytes_are_counted(seen: Seen, drive: Drive) -> None:
    clock = [0.0]

    async def app(_scope: Any, _receive: Any, send: Any) -> None:
        await send(START)
        await send(chunk(b"abc", more=True))
        clock[0] = 1
        await asyncio.sleep(0.05)
        await send(chunk(b"de", more=False))

    drive(instrument(app, service="test"))
    agree(seen, "GET", "__unmatched__", 200)
    (line,) = seen.access
    assert line["response_bytes"] == 5
    assert line["response_time_ms"] >= 50 > line["first_byte_ms"]


def test_work_after_the_last_byte_is_not_in_the_duration_and_the_record_does_not_wait_for_it(
    seen: Seen, drive: Drive
) -> None:
    told: list[int] = []
    app = FastAPI()

    async def background() -> None:
        told.append(len(seen.access))
        await asyncio.sleep(0.2)

    @app.get("/work")
    async def work(tasks: BackgroundTasks) -> str:
        tasks.add_task(background)
        return "done"

    drive(instrument(app, service="test"), "/work")
    assert told == [1]
    assert seen.access[0]["response_time_ms"] < 200


def test_an_error_page_is_timed_to_its_last_byte_though_it_is_told_when_the_application_returns(
    seen: Seen, drive: Drive
) -> None:
    async def app(_scope: Any, _receive: Any, send: Any) -> None:
        await send({**START, "status": 503})
        await send(chunk(b"no", more=False))
        await asyncio.sleep(0.2)

    drive(instrument(app, service="test"))
    assert seen.access[0]["response_time_ms"] < 200


def test_a_client_that_leaves_while_the_application_reads_is_a_disconnect(seen: Seen, drive: Drive) -> None:
    async def app(_scope: Any, receive: Any, _send: Any) -> None:
        assert (await receive())["type"] == "http.disconnect"

    async def receive() -> Message:
        return {"type": "http.disconnect"}

    drive(instrument(app, service="test"), receive=receive)
    agree(seen, "GET", "__unmatched__", 499, error_type="client_disconnect")
    assert "http.response.status_code" not in seen.server_spans[0].attributes
    assert seen.changes("errors_total") == {}


def test_a_client_that_leaves_a_stream_keeps_the_status_that_was_sent(seen: Seen, drive: Drive) -> None:
    async def send(message: Message) -> None:
        if message.get("body") == b"2":
            raise OSError("gone")

    app = FastAPI()

    @app.get("/export")
    async def export() -> StreamingResponse:
        async def pieces() -> Any:
            for piece in (b"1", b"2", b"3"):
                yield piece

        return StreamingResponse(pieces())

    drive(instrument(app, service="test"), "/export", send=send)
    agree(seen, "GET", "/export", 200, error_type="client_disconnect")
    assert seen.server_spans[0].status.status_code is StatusCode.ERROR
    assert seen.access[0]["level"] == "warning"


def test_a_request_that_the_server_cancels_is_a_disconnect(seen: Seen, drive: Drive) -> None:
    exchange = drive(bare(fail=asyncio.CancelledError()))
    assert isinstance(exchange.error, asyncio.CancelledError)
    agree(seen, "GET", "__unmatched__", 499, error_type="cancelled")


@pytest.mark.parametrize(("status", "error_type"), [(200, ""), (503, "503")])
def test_a_disconnect_after_the_last_byte_is_none(
    seen: Seen, drive: Drive, status: int, error_type: str
) -> None:
    async def app(_scope: Any, receive: Any, send: Any) -> None:
        await send({**START, "status": status})
        await send(chunk(b"all", more=False))
        await receive()

    async def receive() -> Message:
        return {"type": "http.disconnect"}

    drive(instrument(app, service="test"), receive=receive)
    agree(seen, "GET", "__unmatched__", status, error_type=error_type)


def answers(with_us: Exchange, without: Exchange) -> None:
    """Byte for byte the same, but for the request id."""
    headers = [(key, value) for key, value in with_us.sent[0]["headers"] if key != b"x-request-id"]
    assert {**with_us.sent[0], "headers": headers} == {
        **without.sent[0],
        "headers": list(without.sent[0]["headers"]),
    }
    assert with_us.sent[1:] == without.sent[1:]


@pytest.mark.parametrize(
    "path", ["/v1/orders/7", "/v1/orders/7/fail", "/none", "/v1/orders/7/", "/openapi.json"]
)
def test_responses_are_byte_identical_with_and_without_us(
    seen: Seen, drive: Drive, monkeypatch: pytest.MonkeyPatch, path: str
) -> None:
    instrumented = drive(fastapi_app(), path)
    monkeypatch.setenv("ORDERS_OBS_DISABLED", "1")
    answers(instrumented, drive(fastapi_app(), path))


def test_disabled_leaves_the_application_as_if_we_were_not_there(
    seen: Seen, drive: Drive, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ORDERS_OBS_DISABLED", "true")
    app = fastapi_app()
    for path in ("/v1/orders/7", "/metrics", "/health/live"):
        assert "x-request-id" not in drive(app, path).headers
    assert drive(app, "/metrics").status == 404
    assert seen.texts == []
    assert seen.changes("http_requests_total") == {}


@pytest.mark.parametrize("room", ["metrics.request_over", "tracing.end", "_access.write"])
def test_a_signal_that_fails_costs_only_itself(
    seen: Seen, drive: Drive, monkeypatch: pytest.MonkeyPatch, room: str
) -> None:
    from orders_obs.telemetry import runtime

    app = fastapi_app()
    drive(app, "/v1/orders/1")
    seen.texts.clear()
    seen.exporter.clear()
    seen.start()
    monkeypatch.delenv("ORDERS_OBS_RAISE_INTERNAL_ERRORS")
    telemetry = runtime._present
    assert telemetry is not None
    holder, _, method = room.partition(".")

    def fail(*_args: Any, **_keywords: Any) -> None:
        raise RuntimeError("telemetry is broken")

    monkeypatch.setattr(getattr(telemetry, holder), method, fail)
    exchange = drive(app, "/v1/orders/2")
    assert (exchange.status, exchange.body, exchange.error) == (200, b"2", None)
    left = [bool(seen.changes("http_requests_total")), bool(seen.server_spans), bool(seen.access)]
    assert left.count(False) == 1
    assert sum(seen.changes("telemetry_internal_errors_total").values()) == 1


def test_the_request_id_is_taken_over_when_it_is_one_and_made_when_it_is_not(
    seen: Seen, drive: Drive
) -> None:
    app = fastapi_app()
    assert (
        drive(app, "/v1/orders/1", headers={"x-request-id": "abc-1.2_3"}).headers["x-request-id"]
        == "abc-1.2_3"
    )
    for bad in ("a b", "x" * 129, "é", 'a"b', ""):
        made = drive(app, "/v1/orders/1", headers={"x-request-id": bad}).headers["x-request-id"]
        assert len(made) == 32
        assert made != bad
    assert all(bad not in text for bad in ("a b", "x" * 129) for text in seen.texts)


def test_every_response_has_the_request_id_also_the_unhandled_500(seen: Seen, drive: Drive) -> None:
    exchange = drive(fastapi_app(), "/v1/orders/7/fail")
    assert exchange.headers["x-request-id"] == seen.access[0]["request_id"]


def test_an_applications_own_request_id_header_stays_its_own(seen: Seen, drive: Drive) -> None:
    own = {**START, "headers": [(b"X-Request-ID", b"mine")]}
    exchange = drive(bare(own, chunk(b"", more=False)))
    assert [value for key, value in exchange.sent[0]["headers"] if key.lower() == b"x-request-id"] == [
        b"mine"
    ]


def test_the_request_id_header_can_be_switched_off(seen: Seen, drive: Drive) -> None:
    app = instrument(FastAPI(), service="test", request_id_header="off")
    assert "x-request-id" not in drive(app, "/none").headers


def test_fields_bound_in_a_worker_thread_are_on_every_later_line_and_on_no_other_request(
    seen: Seen, drive: Drive
) -> None:
    app = FastAPI()
    log = get_logger("shop")

    @app.get("/orders/{order_id}")
    def read(order_id: int) -> str:  # a plain function: FastAPI runs it in a thread
        bind_context(order_id=order_id, customer_id="c1")
        log.info("reading", extra_field=1)
        return current_request_id()

    @app.get("/plain")
    async def plain() -> str:
        log.info("plain")
        return ""

    instrument(app, service="test")
    drive(app, "/orders/5")
    drive(app, "/plain")
    reading, access, plain_line, plain_access = seen.lines
    assert reading["order_id"] == access["order_id"] == 5
    assert reading["request_id"] == access["request_id"]
    assert "order_id" not in plain_line
    assert "order_id" not in plain_access


def test_what_structlog_binds_in_a_request_does_not_leak_into_the_next(seen: Seen, drive: Drive) -> None:
    import structlog

    async def app(scope: Any, _receive: Any, send: Any) -> None:
        if scope["path"] == "/bind":
            structlog.contextvars.bind_contextvars(customer="c1")
        await send(START)
        await send(chunk(b"", more=False))

    instrumented = instrument(app, service="test")

    async def both(scope: Any, receive: Any, send: Any) -> None:
        await instrumented({**scope, "path": "/bind"}, receive, send)
        await instrumented({**scope, "path": "/next"}, receive, send)

    drive(both)
    assert ["customer" in line for line in seen.access] == [True, False]


def test_the_access_line_has_the_database_and_cache_figures_of_its_own_request(
    seen: Seen, drive: Drive
) -> None:
    app = FastAPI()

    @app.get("/{hit}")
    async def read(hit: str) -> None:
        with metrics.query("select", "orders"):
            await asyncio.sleep(0.01)
        if hit != "none":
            metrics.cache_lookup("orders", hit=True)
            metrics.cache_lookup("orders", hit=hit == "yes")

    instrument(app, service="test")
    for path in ("/yes", "/no", "/none"):
        drive(app, path)
    assert [line["cache_hit"] for line in seen.access] == [True, False, None]
    assert all(10 <= line["db_query_time_ms"] <= line["response_time_ms"] for line in seen.access)
    assert seen.change("cache_requests_total", cache_name="orders", result="hit") == 3
    assert seen.change("cache_requests_total", cache_name="orders", result="miss") == 1
    assert seen.change("database_query_duration_seconds_count", operation="select", table="orders") == 3


def test_instrument_gives_back_the_same_object_and_twice_is_once(seen: Seen, drive: Drive) -> None:
    app = FastAPI()
    assert instrument(app, service="test") is app
    assert instrument(app, service="test") is app
    drive(app, "/none")
    assert len(seen.access) == len(seen.server_spans) == 1


def test_a_mounted_application_that_is_instrumented_too_makes_no_second_record(
    seen: Seen, drive: Drive
) -> None:
    below = FastAPI()

    @below.get("/x")
    def x() -> str:
        return ""

    app = FastAPI()
    app.mount("/sub", instrument(below, service="test"))
    drive(instrument(app, service="test"), "/sub/x")
    agree(seen, "GET", "/sub/x", 200)


def test_middleware_added_after_instrument_is_inside_of_us(seen: Seen, drive: Drive) -> None:
    app = fastapi_app()

    @app.middleware("http")
    async def refuse(_request: Any, _call_next: Any) -> PlainTextResponse:
        return PlainTextResponse("no", 418)

    assert drive(app, "/v1/orders/7").status == 418
    assert seen.access[0]["status_code"] == 418


def test_fastapis_own_telemetry_is_off_so_there_is_one_server_span(seen: Seen, drive: Drive) -> None:
    """Pins the private names that FastAPI 0.165 has for it."""
    drive(fastapi_app(), "/v1/orders/7")
    drive(fastapi_app(), "/tenants/a/items/1")
    assert [span.kind.name for span in seen.spans] == ["SERVER", "SERVER"]


def test_fastapis_own_telemetry_is_used_where_the_application_asked_for_it(seen: Seen, drive: Drive) -> None:
    from opentelemetry import trace

    app = FastAPI(telemetry={"tracer_provider": trace.get_tracer_provider(), "operation_spans": False})

    @app.get("/x")
    def x() -> str:
        return ""

    drive(instrument(app, service="test"), "/x")
    assert len(seen.server_spans) == 1
    assert seen.access[0]["trace_id"] == f"{seen.server_spans[0].context.trace_id:032x}"


def test_websockets_and_unknown_scopes_pass_untouched(seen: Seen) -> None:
    passed: list[Any] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        passed.append((scope["type"], receive, send))

    async def receive() -> Message:
        return {}

    async def send(_message: Message) -> None:
        return None

    instrumented = instrument(app, service="test")
    for kind in ("websocket", "something"):
        asyncio.run(instrumented({"type": kind}, receive, send))
    assert passed == [("websocket", receive, send), ("something", receive, send)]
    assert seen.texts == []


@pytest.mark.parametrize(
    "scope",
    [
        {"client": None, "server": None},
        {"headers": []},
        {"client": ["x"], "query_string": b"\xff\xfe=%zz"},
        {"path": "/caf\udce9", "raw_path": b"/caf\xe9"},
        {"http_version": None, "scheme": None},
    ],
)
def test_odd_facts_about_the_connection_are_tolerated(
    seen: Seen, drive: Drive, scope: dict[str, Any]
) -> None:
    assert drive(fastapi_app(), "/v1/orders/7", scope=scope).status in (200, 404)
    assert len(seen.access) == 1


@pytest.mark.parametrize(
    "header", ["traceparent", "x-amzn-trace-id", "baggage", "x-request-id", "user-agent", "host"]
)
@pytest.mark.parametrize("value", ["\xff\xfe", "", "00-0-0-0", "a" * 9000, "=;,=", "Root=1-zz"])
def test_hostile_headers_change_no_answer(seen: Seen, drive: Drive, header: str, value: str) -> None:
    assert drive(fastapi_app(), "/v1/orders/7", headers={header: value}).status == 200
    assert len(seen.access) == len(seen.server_spans) == 1

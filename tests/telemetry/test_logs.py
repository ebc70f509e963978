"""Lines: strict JSON whatever comes, one shape for every logger, and joining what an application has set up."""

from __future__ import annotations

import decimal
import json
import logging
import uuid
from typing import Any

import pytest
import structlog
from fastapi import FastAPI

from orders_obs import get_logger, instrument
from orders_obs.telemetry.logs.render import MAX_LINE, exception_text, render_console, render_json
from tests.telemetry.conftest import Drive, Seen


class Hostile:
    def __str__(self) -> str:
        raise RuntimeError("no")

    __repr__ = __str__


class Secret:
    def __str__(self) -> str:
        return "**********"


loop: dict[str, Any] = {}
loop["self"] = loop


@pytest.mark.parametrize(
    "value",
    [
        None, 1, 1 << 200, float("nan"), float("inf"), "é\ud800\x00\x1b[31m\n", b"\xff\x00", {1: {2: 3}}, {(1, 2): {3}}, [object()],
        Hostile(), decimal.Decimal("1.10"), uuid.UUID(int=1), ValueError("x"), loop, {"a": Hostile()}, print, "x" * 1_000_000,
        [["deep"]] * 3, Exception, memoryview(b"ab"),
    ],
)  # fmt: skip
def test_any_value_makes_one_strict_json_line(value: Any) -> None:
    line = render_json({"event": "e", "value": value})
    assert line.count(b"\n") == 1
    assert line.endswith(b"\n")
    assert len(line) <= MAX_LINE

    def refuse(constant: str) -> None:
        raise AssertionError(constant)

    assert json.loads(line, parse_constant=refuse)["event"] == "e"


def test_a_line_too_long_is_cut_and_says_so() -> None:
    line = json.loads(render_json({"event": "e", **{f"k{i}": "x" * 5000 for i in range(100)}}))
    assert line["event"] == "e"
    assert line["truncated"] > MAX_LINE


def test_a_type_that_hides_its_value_stays_hidden() -> None:
    assert json.loads(render_json({"value": Secret()}))["value"] == "**********"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("password", "hunter2"), ("api_key", "hunter2"), ("Authorization", "hunter2"), ("dbPassword", "hunter2"), ("pin", 4711),
        ("note", "password=hunter2"), ("url", "https://bob:hunter2@host/x"), ("note", "Bearer hunter2hunter2"),
        ("body", {"card": {"cvv": "hunter2"}}), ("items", [{"token": "hunter2"}]), ("note", '{"client_secret": "hunter2"}'),
        ("note", "https://hooks.slack.com/services/T0/B0/hunter2"), ("note", "AKIA" + "A" * 16),
    ],
)  # fmt: skip
def test_secrets_are_not_in_lines(name: str, value: Any) -> None:
    for line in (
        render_json({"event": "e", name: value}),
        render_console({"event": "e", name: value}, color=False),
    ):
        assert b"hunter2" not in line
        assert b"4711" not in line
        assert b"AKIAA" not in line


def test_an_exception_is_rendered_without_locals_bounded_and_redacted() -> None:
    def fail(depth: int) -> None:
        local = "local-value"
        if depth == 0:
            raise ValueError(f"token=hunter2 {len(local)} " + "x" * 100_000)
        fail(depth - 1)

    with pytest.raises(ValueError, match="token") as caught:
        fail(200)
    text = exception_text(caught.value)
    assert len(text) < 30_000
    assert "hunter2" not in text
    assert "local-value" not in text.replace('local = "local-value"', "")
    assert "characters cut" in text


def test_an_exception_that_cannot_be_shown_is_still_one_line() -> None:
    class BadError(Exception):
        def __str__(self) -> str:
            raise RuntimeError("no")

    assert "BadError" in exception_text(BadError())


def test_console_text_cannot_steer_the_terminal_or_forge_a_line() -> None:
    line = render_console({"event": "a\nb\x1b[2J", "level": "info", "user": "x\r\x07"}, color=False)
    assert line.count(b"\n") == 1
    assert b"\x1b" not in line
    assert b"\r" not in line


def test_the_console_has_colour_only_where_it_is_wanted(monkeypatch: pytest.MonkeyPatch) -> None:
    from orders_obs.settings import Settings

    assert Settings.load({"ORDERS_OBS_ENVIRONMENT": "development"}).color
    assert not Settings.load({"ORDERS_OBS_ENVIRONMENT": "development", "NO_COLOR": "1"}).color
    assert not Settings.load({"ORDERS_OBS_ENVIRONMENT": "production"}).color
    assert Settings.load({"ORDERS_OBS_ENVIRONMENT": "development"}).log_format == "console"
    assert b"\x1b[" in render_console({"event": "e", "level": "info"}, color=True)


def test_every_line_has_the_required_fields(seen: Seen) -> None:
    instrument(FastAPI(), service="shop", version="1.2.3", environment="staging")
    get_logger("mine").info("hello", n=1)
    (line,) = seen.lines
    assert line["timestamp"].endswith("Z")
    assert len(line["timestamp"]) == len("2026-11-24T12:00:00.000000Z")
    assert {k: v for k, v in line.items() if k != "timestamp"} == {
        "level": "info", "event": "hello", "environment": "staging", "service": "shop", "version": "1.2.3", "logger": "mine", "n": 1,
    }  # fmt: skip


def test_the_callers_field_of_a_reserved_name_falsifies_nothing(seen: Seen) -> None:
    instrument(FastAPI(), service="shop")
    get_logger().info("e", service="evil", timestamp="evil", level="evil")
    (line,) = seen.lines
    assert line["service"] == "shop"
    assert line["level"] == "info"
    assert line["field_service"] == line["field_timestamp"] == line["field_level"] == "evil"


def test_a_logger_made_before_instrument_and_the_standard_librarys_have_the_same_shape(seen: Seen) -> None:
    before = get_logger("before")
    instrument(FastAPI(), service="shop")
    before.warning("one")
    logging.getLogger("library").error("two %s", "x", extra={"order_id": 5})
    one, two = seen.lines
    assert one.keys() - {"order_id"} == two.keys() - {"order_id"}
    assert (two["event"], two["level"], two["logger"], two["order_id"]) == ("two x", "error", "library", 5)


def test_an_exception_logged_anywhere_has_its_stack_and_type(seen: Seen) -> None:
    instrument(FastAPI(), service="shop")
    try:
        raise KeyError("k")
    except KeyError:
        get_logger().exception("one")
        logging.getLogger("l").exception("two")
    for line in seen.lines:
        assert line["level"] == "error"
        assert line["error_type"] == "KeyError"
        assert line["exception"].startswith("Traceback")


@pytest.mark.parametrize(
    "call",
    [
        lambda log: log.info("100%", 1),
        lambda log: log.error("%d items", "x", order_id=5),
        lambda log: log.warning(Hostile()),
        lambda log: log.info("e", value=Hostile()),
        lambda log: log.log("no level", "e"),
        lambda log: log.info(),
    ],
)
def test_a_log_call_never_raises_and_leaves_a_line_where_there_is_anything_to_say(
    seen: Seen, monkeypatch: pytest.MonkeyPatch, call: Any
) -> None:
    monkeypatch.delenv("ORDERS_OBS_RAISE_INTERNAL_ERRORS")
    instrument(FastAPI(), service="shop")
    call(get_logger())
    get_logger().info("after")
    assert seen.lines[-1]["event"] == "after"


def test_a_line_whose_arguments_do_not_fit_is_written_with_all_of_them(
    seen: Seen, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("ORDERS_OBS_RAISE_INTERNAL_ERRORS")
    instrument(FastAPI(), service="shop")
    get_logger().error("%d items", "many", order_id=5)
    (line,) = seen.lines
    assert (line["event"], line["order_id"], line["level"]) == ("%d items many", 5, "error")


def test_an_extra_named_event_falsifies_nothing(seen: Seen) -> None:
    instrument(FastAPI(), service="shop")
    logging.getLogger("l").warning("said", extra={"event": "evil"})
    (line,) = seen.lines
    assert (line["event"], line["field_event"]) == ("said", "evil")


def test_lines_below_the_level_are_not_written(seen: Seen) -> None:
    instrument(FastAPI(), service="shop", log_level="warning")
    get_logger().info("no")
    logging.getLogger("l").info("no")
    get_logger().warning("yes")
    assert [line["event"] for line in seen.lines] == ["yes"]


def test_fields_can_be_renamed(seen: Seen, drive: Drive) -> None:
    drive(
        instrument(FastAPI(), service="shop", field_names={"event": "message", "endpoint": "route"}), "/none"
    )
    (line,) = seen.lines
    assert line["message"] == "API metrics"
    assert line["route"] == "__unmatched__"


def test_a_structlog_configuration_that_is_there_is_joined_not_replaced(seen: Seen, drive: Drive) -> None:
    written: list[dict[str, Any]] = []

    def keep(_logger: Any, _method: str, event: dict[str, Any]) -> dict[str, Any]:
        written.append(dict(event))
        raise structlog.DropEvent

    mine: list[Any] = [structlog.processors.add_log_level, keep]
    structlog.configure(processors=mine)
    bound = structlog.get_logger().bind(team="orders")
    app = instrument(FastAPI(), service="shop")

    @app.get("/x")
    async def x() -> str:
        bound.info("hello")
        return ""

    drive(app, "/x")
    assert structlog.get_config()["processors"] is mine
    hello, access = written
    assert hello["team"] == "orders"
    assert hello["trace_id"] == access["trace_id"] == f"{seen.server_spans[0].context.trace_id:032x}"
    assert access["endpoint"] == "/x"
    assert seen.texts == []


def test_a_logger_factory_that_takes_no_name_still_gets_the_access_line(seen: Seen, drive: Drive) -> None:
    written: list[str] = []

    class Mine:
        def msg(self, text: str) -> None:
            written.append(text)

        log = debug = info = warning = error = msg

    mine: Any = lambda: Mine()  # noqa: E731, PLW0108
    structlog.configure(processors=[structlog.processors.JSONRenderer()], logger_factory=mine)
    drive(instrument(FastAPI(), service="shop"), "/none")
    (line,) = [json.loads(text) for text in written]
    assert (line["event"], line["endpoint"]) == ("API metrics", "__unmatched__")


def test_root_handlers_that_are_there_stay_and_their_records_carry_the_trace(
    seen: Seen, drive: Drive
) -> None:
    records: list[logging.LogRecord] = []

    class Mine(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            records.append(record)

    root = logging.getLogger()
    mine = Mine()
    root.addHandler(mine)
    app = instrument(FastAPI(), service="shop")

    @app.get("/x")
    async def x() -> str:
        logging.getLogger("l").warning("hello")
        return ""

    drive(app, "/x")
    assert root.handlers == [mine]
    (record,) = [record for record in records if record.getMessage() == "hello"]
    assert vars(record)["trace_id"] == seen.access[0]["trace_id"]
    assert vars(record)["request_id"] == seen.access[0]["request_id"]


def test_uvicorns_own_handlers_give_way_and_its_access_line_is_not_even_made(seen: Seen) -> None:
    import logging.config

    from uvicorn.config import LOGGING_CONFIG

    logging.config.dictConfig(LOGGING_CONFIG)
    try:
        instrument(FastAPI(), service="shop")
        logging.getLogger("uvicorn.error").warning("from the server")
        assert not logging.getLogger("uvicorn.access").hasHandlers()
        assert [line["event"] for line in seen.lines] == ["from the server"]
    finally:
        for name in ("uvicorn", "uvicorn.access", "uvicorn.error"):
            logging.getLogger(name).handlers.clear()
            logging.getLogger(name).filters.clear()
            logging.getLogger(name).propagate = True


def test_the_servers_line_about_an_exception_that_is_told_already_is_left_out(
    seen: Seen, drive: Drive
) -> None:
    async def app(_scope: Any, _receive: Any, _send: Any) -> None:
        raise ValueError("x")

    error = drive(instrument(app, service="shop")).error
    assert error is not None
    logging.getLogger("uvicorn.error").error("Exception in ASGI application", exc_info=error)
    logging.getLogger("uvicorn.error").error("Exception in ASGI application", exc_info=ValueError("another"))
    assert [line["event"] for line in seen.lines] == ["API metrics", "Exception in ASGI application"]


def test_a_wrong_variable_is_said_once_and_does_not_keep_the_service_from_starting(
    seen: Seen, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ORDERS_OBS_LOG_LEVEL", "loud")
    instrument(FastAPI(), service="shop")
    (line,) = seen.lines
    assert "ORDERS_OBS_LOG_LEVEL: must be one of" in line["event"]

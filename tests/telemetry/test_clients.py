"""Calls that go out: spans, figures and context, without a line of the application's code."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import httpx
import pytest
import redis
import redis.asyncio
import sqlalchemy as sa
from fastapi import FastAPI
from opentelemetry.trace import SpanKind, StatusCode
from prometheus_client import REGISTRY

from orders_obs import instrument, metrics, span
from tests.telemetry.conftest import Seen


@pytest.fixture(autouse=True)
def instrumented(seen: Seen) -> None:
    instrument(FastAPI(), service="test")
    seen.start()


table = sa.Table(
    "orders", sa.MetaData(), sa.Column("id", sa.Integer, primary_key=True), sa.Column("note", sa.String)
)
other = sa.Table("items", table.metadata, sa.Column("order_id", sa.Integer))


@pytest.fixture
def engine() -> Iterator[sa.Engine]:
    made = sa.create_engine("sqlite://", poolclass=sa.pool.StaticPool)
    table.metadata.create_all(made)
    yield made
    made.dispose()


def test_each_statement_has_a_span_and_a_sample_with_operation_and_table(
    engine: sa.Engine, seen: Seen
) -> None:
    with engine.begin() as connection:
        connection.execute(sa.insert(table).values(id=1, note="hunter2"))
        connection.execute(sa.select(table).where(table.c.id == 1)).all()
        connection.execute(sa.update(table).values(note="x"))
        connection.execute(sa.delete(table))
        connection.execute(sa.select(table).join(other, other.c.order_id == table.c.id)).all()
        connection.execute(sa.text("SELECT 1"))
    calls = [s for s in seen.spans if s.attributes["db.operation.name"] not in ("CREATE", "PRAGMA", "COMMIT")]
    assert [s.name for s in calls] == [
        "INSERT orders", "SELECT orders", "UPDATE orders", "DELETE orders", "SELECT", "SELECT",
    ]  # fmt: skip
    insert = calls[0]
    assert insert.kind is SpanKind.CLIENT
    assert insert.attributes["db.system.name"] == "sqlite"
    assert insert.attributes["db.collection.name"] == "orders"
    assert "hunter2" not in insert.attributes["db.query.text"]
    for operation in ("insert", "update", "delete"):
        assert seen.change("database_query_duration_seconds_count", operation=operation, table="orders") == 1
    assert seen.change("database_query_duration_seconds_count", operation="select", table="_OTHER") == 2


def test_a_statement_that_fails_ends_its_span_as_an_error_and_raises_unchanged(
    engine: sa.Engine, seen: Seen
) -> None:
    with pytest.raises(sa.exc.IntegrityError), engine.begin() as connection:
        connection.execute(sa.insert(table), [{"id": 1}])
        connection.execute(sa.insert(table), [{"id": 1}])
    failed = next(s for s in seen.spans if s.status.status_code is StatusCode.ERROR)
    assert failed.status.status_code is StatusCode.ERROR
    assert failed.attributes["error.type"] == "sqlite3.IntegrityError"
    assert seen.change("database_query_duration_seconds_count", operation="insert", table="orders") == 2


def test_a_commit_is_a_call_of_its_own_and_a_failed_one_raises_unchanged(tmp_path: Any, seen: Seen) -> None:
    engine = sa.create_engine(f"sqlite:///{tmp_path / 'a.db'}")
    table.metadata.create_all(engine)
    seen.start()
    before = len(seen.spans)
    with engine.begin() as connection:
        connection.execute(sa.insert(table).values(id=1))
    insert, commit = seen.spans[before:]
    assert (insert.name, commit.name) == ("INSERT orders", "COMMIT")
    assert commit.attributes["db.namespace"] == "a.db"
    assert seen.change("database_query_duration_seconds_count", operation="commit", table="_OTHER") == 1

    class BrokenError(Exception):
        pass

    def broken(_connection: Any) -> None:
        raise BrokenError

    other_engine = sa.create_engine("sqlite://")
    dialect: Any = other_engine.dialect
    dialect.do_commit = broken
    with pytest.raises(BrokenError), other_engine.begin() as connection:
        connection.execute(sa.text("SELECT 1"))
    assert seen.spans[-1].status.status_code is StatusCode.ERROR
    engine.dispose()
    other_engine.dispose()


def test_a_query_timed_by_hand_has_the_statements_spans_and_one_sample(engine: sa.Engine, seen: Seen) -> None:
    seen.start()
    with metrics.query("insert", "orders"), engine.begin() as connection:
        connection.execute(sa.insert(table).values(id=1))
    assert [s.name for s in seen.spans[-2:]] == ["INSERT orders", "COMMIT"]
    assert seen.change("database_query_duration_seconds_count", operation="insert", table="orders") == 1
    assert seen.change("database_query_duration_seconds_count", operation="commit", table="_OTHER") == 0


def test_a_connection_that_cannot_be_made_is_counted(seen: Seen) -> None:
    engine = sa.create_engine("sqlite:////nowhere/at/all.db")
    with pytest.raises(sa.exc.OperationalError):
        engine.connect()
    assert seen.change("database_connection_errors_total") == 1


def test_the_connections_of_a_pool_are_shown(tmp_path: Any) -> None:
    engine = sa.create_engine(f"sqlite:///{tmp_path / 'a.db'}")
    before = REGISTRY.get_sample_value("database_pool_connections", {"state": "used"}) or 0
    with engine.connect():
        assert REGISTRY.get_sample_value("database_pool_connections", {"state": "used"}) == before + 1
    engine.dispose()


@pytest.fixture
def server() -> Iterator[tuple[str, list[dict[str, str]]]]:
    seen_headers: list[dict[str, str]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            seen_headers.append({key.lower(): value for key, value in self.headers.items()})
            self.send_response(int(self.path.rpartition("/")[2].partition("?")[0]))
            self.send_header("content-length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: Any) -> None:
            pass

    made = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=made.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{made.server_address[1]}", seen_headers
    made.shutdown()
    made.server_close()


@pytest.mark.parametrize("asynchronous", [False, True])
def test_a_request_that_goes_out_has_a_span_and_carries_its_context(
    server: tuple[str, list[dict[str, str]]], seen: Seen, asynchronous: bool
) -> None:
    url, headers = server

    async def fetch() -> None:
        async with httpx.AsyncClient(trust_env=False) as client:
            await client.get(f"{url}/200?token=hunter2")

    with span("outer"):
        if asynchronous:
            asyncio.run(fetch())
        else:
            with httpx.Client(trust_env=False) as client:
                client.get(f"{url}/200?token=hunter2")
    call, outer = seen.spans
    assert call.name == "GET"
    assert call.kind is SpanKind.CLIENT
    assert call.parent.span_id == outer.context.span_id
    assert call.attributes["http.response.status_code"] == 200
    assert call.attributes["url.full"] == f"{url}/200?token=[REDACTED]"
    trace_id, span_id = f"{call.context.trace_id:032x}", f"{call.context.span_id:016x}"
    assert headers[0]["traceparent"][:52] == f"00-{trace_id}-{span_id}"
    assert "x-amzn-trace-id" not in headers[0]


def test_an_error_status_and_a_refused_connection_are_errors(
    server: tuple[str, list[dict[str, str]]], seen: Seen
) -> None:
    with httpx.Client(trust_env=False) as client:
        client.get(f"{server[0]}/503")
        with pytest.raises(httpx.ConnectError):
            client.get("http://127.0.0.1:9/")
    assert [s.attributes["error.type"] for s in seen.spans] == ["503", "httpx.ConnectError"]
    assert all(s.status.status_code is StatusCode.ERROR for s in seen.spans)


@pytest.fixture
def fake_redis() -> Iterator[int]:
    """Enough of the Redis protocol: every command is answered with +OK."""
    import socketserver

    class Handler(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            while line := self.rfile.readline():
                if line.startswith(b"*"):
                    for _ in range(int(line[1:])):
                        size = int(self.rfile.readline()[1:])
                        self.rfile.read(size + 2)
                    self.wfile.write(b"+OK\r\n")

    class Server(socketserver.ThreadingTCPServer):
        daemon_threads = True
        allow_reuse_address = True

    made = Server(("127.0.0.1", 0), Handler)
    threading.Thread(target=made.serve_forever, daemon=True).start()
    yield made.server_address[1]
    made.shutdown()
    made.server_close()


def test_redis_commands_have_spans_without_keys_or_values(fake_redis: int, seen: Seen) -> None:
    client = redis.Redis(host="127.0.0.1", port=fake_redis, protocol=2)
    client.set("customer:hunter2", "hunter2")
    client.close()

    async def get() -> None:
        other_client = redis.asyncio.Redis(host="127.0.0.1", port=fake_redis, protocol=2)
        await other_client.get("hunter2")
        await other_client.aclose()

    asyncio.run(get())
    commands = {s.name: s for s in seen.spans if s.kind is SpanKind.CLIENT}
    assert {"SET", "GET"} <= commands.keys()
    assert commands["SET"].attributes["db.system.name"] == "redis"
    assert commands["SET"].attributes["server.port"] == fake_redis
    assert "hunter2" not in str([dict(s.attributes) for s in seen.spans])


def test_a_library_imported_after_instrument_is_instrumented_too() -> None:
    program = f"""
import sys
sys.path[:0] = {sys.path!r}
from fastapi import FastAPI
from orders_obs import instrument
instrument(FastAPI(), service="late")
assert "sqlalchemy" not in sys.modules and "httpx" not in sys.modules
import sqlalchemy, httpx
from sqlalchemy import event
from sqlalchemy.engine import Engine
from orders_obs.telemetry.clients.sqlalchemy import _before
assert event.contains(Engine, "before_cursor_execute", _before)
assert httpx.HTTPTransport._orders_obs_installed
assert type(sqlalchemy.__loader__).__name__ == "SourceFileLoader"
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr.decode()


def test_importing_the_package_alone_loads_nothing_heavy() -> None:
    program = f"""
import sys
sys.path[:0] = {sys.path!r}
import orders_obs
heavy = {{"structlog", "prometheus_client", "opentelemetry", "fastapi", "boto3", "grafanalib", "yaml"}}
assert not heavy & set(sys.modules), heavy & set(sys.modules)
"""
    done = subprocess.run([sys.executable, "-S", "-c", program], capture_output=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr.decode()

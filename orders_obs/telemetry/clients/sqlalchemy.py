"""SQLAlchemy 2: a span and a duration for each statement and commit, failed connections, and the pools' connections."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from opentelemetry import trace
from opentelemetry.trace import SpanKind, Status, StatusCode
from sqlalchemy import event
from sqlalchemy.engine import Engine

from orders_obs._version import __version__
from orders_obs.telemetry.guard import guarded
from orders_obs.telemetry.metrics.api import metrics
from orders_obs.telemetry.record import qualified_name
from orders_obs.telemetry.traces.spans import client_span, record_exception

if TYPE_CHECKING:
    from orders_obs.settings import Settings

__all__ = ["install"]

_CALL = "_orders_obs_call"
_COMMIT = "_orders_obs_commits"
_UNKNOWN = "_OTHER"
_OPERATIONS = frozenset(
    {
        "select",
        "insert",
        "update",
        "delete",
        "merge",
        "create",
        "drop",
        "alter",
        "truncate",
        "call",
        "with",
        "pragma",
    }
)
# Semantic conventions' names of the systems that SQLAlchemy has dialects for, where they differ.
_SYSTEMS = {"mssql": "microsoft.sql_server", "oracle": "oracle.db"}


def install(_settings: Settings) -> None:
    """Listen to every engine of the process, those made already included."""
    if event.contains(Engine, "before_cursor_execute", _before):
        return
    event.listen(Engine, "before_cursor_execute", _before)
    event.listen(Engine, "after_cursor_execute", _after)
    event.listen(Engine, "handle_error", _failed)
    event.listen(Engine, "engine_connect", _connected)


def _connected(connection: Any) -> None:
    with guarded("clients.sqlalchemy"):
        pool = connection.engine.pool
        if hasattr(pool, "checkedout") and hasattr(pool, "checkedin"):
            metrics.computed.track_pool(pool)
        _time_commits(connection.engine)


def _time_commits(engine: Any) -> None:
    """Time what a commit waits for, often more than its statements did; SQLAlchemy has no event after one."""
    dialect = engine.dialect
    if _COMMIT in vars(dialect):
        return
    commit = dialect.do_commit
    attributes = {**_server(dialect, engine.url), "db.operation.name": "COMMIT"}

    def do_commit(connection: Any) -> None:
        start = time.perf_counter()
        try:
            with client_span("COMMIT", SpanKind.CLIENT, attributes):
                commit(connection)
        finally:
            metrics.record_query("commit", _UNKNOWN, time.perf_counter() - start)

    dialect.do_commit = do_commit
    setattr(dialect, _COMMIT, True)


def _server(dialect: Any, url: Any) -> dict[str, Any]:
    attributes: dict[str, Any] = {"db.system.name": _SYSTEMS.get(dialect.name, dialect.name)}
    if url.database:
        attributes["db.namespace"] = str(url.database).rpartition("/")[2]
    if url.host:
        attributes["server.address"] = url.host
        if url.port:
            attributes["server.port"] = url.port
    return attributes


def _before(
    conn: Any, _cursor: Any, statement: str, _parameters: Any, context: Any, _executemany: bool
) -> None:
    with guarded("clients.sqlalchemy"):
        operation, table = _target(statement, context)
        attributes: dict[str, Any] = {
            **_server(conn.dialect, conn.engine.url),
            "db.operation.name": operation.upper(),
            # The statement with its placeholders; values are never part of it where they are bound.
            "db.query.text": statement,
        }
        if table != _UNKNOWN:
            attributes["db.collection.name"] = table
        name = operation.upper() if table == _UNKNOWN else f"{operation.upper()} {table}"
        span = trace.get_tracer("orders_obs.sqlalchemy", __version__).start_span(
            name, kind=SpanKind.CLIENT, attributes=attributes
        )
        if context is not None:
            setattr(context, _CALL, (time.perf_counter(), span, operation, table))


def _after(
    _conn: Any, _cursor: Any, _statement: str, _parameters: Any, context: Any, _executemany: bool
) -> None:
    with guarded("clients.sqlalchemy"):
        _end(context, None)


def _failed(error: Any) -> None:
    with guarded("clients.sqlalchemy"):
        if error.connection is None or error.is_disconnect:
            metrics.database_connection_error()
        if error.execution_context is not None:
            _end(error.execution_context, error.original_exception)


def _end(context: Any, error: BaseException | None) -> None:
    call = getattr(context, _CALL, None)
    if call is None:
        return
    setattr(context, _CALL, None)
    start, span, operation, table = call
    metrics.record_query(operation, table, time.perf_counter() - start)
    if error is not None:
        span.set_attribute("error.type", qualified_name(error))
        record_exception(span, error)
        span.set_status(Status(StatusCode.ERROR))
    span.end()


def _target(statement: str, context: Any) -> tuple[str, str]:
    """Operation and table of a statement; a statement of several tables, or of text, names none."""
    first = statement.lstrip(" \t\r\n(").split(None, 1)[0].lower() if statement.strip() else ""
    operation = first if first in _OPERATIONS else _UNKNOWN.lower()
    compiled = getattr(context, "compiled", None)
    construct: Any = getattr(compiled, "statement", None)
    table = getattr(construct, "table", None)  # insert, update, delete
    if table is None and hasattr(construct, "get_final_froms"):
        froms = construct.get_final_froms()
        table = froms[0] if len(froms) == 1 else None
    name = getattr(table, "name", None)
    return operation, str(name) if isinstance(name, str) and not hasattr(table, "left") else _UNKNOWN

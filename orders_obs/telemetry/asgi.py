"""The ASGI adapter: drives a request record by what passes between the server and the application, and changes nothing of it."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING, Any, Protocol

from opentelemetry import context as otel_context

from orders_obs.redact import redact_text
from orders_obs.telemetry.context import bound, restore
from orders_obs.telemetry.guard import guarded, internal_error
from orders_obs.telemetry.health import Health
from orders_obs.telemetry.metrics.exposition import answer_metrics
from orders_obs.telemetry.record import CURRENT, RequestRecord

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping, MutableMapping

    from orders_obs.telemetry.runtime import Telemetry

    Scope = MutableMapping[str, Any]
    Message = MutableMapping[str, Any]
    Receive = Callable[[], Awaitable[Message]]
    Send = Callable[[Message], Awaitable[None]]
    ASGIApp = Callable[[Scope, Receive, Send], Awaitable[None]]

__all__ = ["ASGIMiddleware", "Routes"]

_IN_SCOPE = "orders_obs.record"
_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,128}\Z")
# The headers that are read; everything else is passed over with one look-up each.
_HEADERS = {
    name: name.decode()
    for name in (b"traceparent", b"tracestate", b"baggage", b"x-amzn-trace-id", b"host", b"user-agent")
}


class Routes(Protocol):
    """What is known of an application's routes."""

    def template(self, scope: Scope, entry: Scope) -> str:
        """The full template of the route that served a request.

        Args:
            scope: The scope as the application left it.
            entry: `path`, `root_path`, `method` and `type` as they were when the request came in.
        """

    def has(self, path: str) -> bool:
        """Whether the application itself answers this path."""


class ASGIMiddleware:
    """An ASGI application around another one.

    Args:
        app: The application.
        telemetry: What records go to.
        routes: What is known of its routes; None where nothing is, then every request is `__unmatched__`.
        checks: Readiness checks.
    """

    def __init__(
        self,
        app: ASGIApp,
        telemetry: Telemetry,
        routes: Routes | None = None,
        checks: Mapping[str, Callable[[], Any]] | None = None,
    ) -> None:
        self.app = app
        self._telemetry = telemetry
        self._routes = routes
        self._health = Health(checks or {})
        settings = telemetry.settings
        self._metrics_path = settings.metrics_path
        self._health_paths = (
            {f"{settings.health_path}/live": "live", f"{settings.health_path}/ready": "ready"}
            if settings.health_path
            else {}
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        kind = scope.get("type")
        if kind == "lifespan":
            await self.app(scope, receive, self._lifespan_send(send))
        elif kind == "websocket":
            scope.setdefault("fastapi.telemetry", None)
            await self.app(scope, receive, send)
        elif kind != "http" or _IN_SCOPE in scope:
            await self.app(scope, receive, send)
        elif not await self._own_answer(scope, send):
            await self._serve(scope, receive, send)

    async def _serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            exchange = _Exchange(self._telemetry, self._routes, scope, receive, send)
        except Exception:
            internal_error("asgi.begin")
            await self.app(scope, receive, send)
            return
        before = bound()
        token = CURRENT.set(exchange.record)
        context_token = None if exchange.context is None else otel_context.attach(exchange.context)
        try:
            await self.app(scope, exchange.receive, exchange.send)
        except BaseException as error:
            exchange.raised(error)
            raise
        else:
            exchange.returned()
        finally:
            if context_token is not None:
                otel_context.detach(context_token)
            CURRENT.reset(token)
            restore(before)

    async def _own_answer(self, scope: Scope, send: Send) -> bool:
        """Answer `/metrics` and the health paths, unless the application has such a route; whether that was done."""
        path = scope.get("path", "")
        if path != self._metrics_path and path not in self._health_paths:
            return False
        if not path or (self._routes is not None and self._routes.has(path)):
            return False
        if path in self._health_paths:
            if scope.get("method") not in ("GET", "HEAD"):
                return False
            await self._health.answer(self._health_paths[path], send, head=scope.get("method") == "HEAD")
        else:
            await answer_metrics(dict(scope), send, self._telemetry.metrics.registry)
        return True

    def _lifespan_send(self, send: Send) -> Send:
        async def watched(message: Message) -> None:
            kind = message.get("type")
            if kind == "lifespan.startup.complete":
                with guarded("asgi.startup"):
                    self._telemetry.delivery.begin()
                    self._telemetry.serving()
            elif kind in (
                "lifespan.shutdown.complete",
                "lifespan.shutdown.failed",
                "lifespan.startup.failed",
            ):
                with guarded("asgi.shutdown"):
                    await self._telemetry.delivery.flush_async()
            await send(message)

        return watched


class _Exchange:
    """One request: its record, and the server's `receive` and `send` as the application gets them."""

    def __init__(
        self, telemetry: Telemetry, routes: Routes | None, scope: Scope, receive: Receive, send: Send
    ) -> None:
        self._telemetry = telemetry
        self._routes = routes
        self._scope = scope
        self._receive = receive
        self._send = send
        self._complete = False
        self._told = False
        self._entry = {name: scope.get(name, "") for name in ("type", "method", "path", "root_path")}
        headers, request_id = self._read_headers(scope)
        self.record = record = _record(scope, headers)
        record.request_id = request_id or os.urandom(16).hex()
        telemetry.serving()
        record.span, self.context = telemetry.tracing.start(record, headers)
        telemetry.metrics.request_started(record)
        scope[_IN_SCOPE] = record
        # FastAPI's own telemetry looks for this key: one server span per request is enough, mounted applications included.
        if self.context is not None:
            scope.setdefault("fastapi.telemetry", None)

    async def receive(self) -> Message:
        """The server's message to the application; a client that left is noted."""
        message = await self._receive()
        if not self._complete and message.get("type") == "http.disconnect":
            with guarded("asgi.receive"):
                self.record.disconnect()
        return message

    async def send(self, message: Message) -> None:
        """The application's message to the server; only the request id is added."""
        kind = message.get("type")
        if kind == "http.response.start":
            message = self._started(message)
        try:
            await self._send(message)
        except OSError:  # what servers raise when the client is gone
            with guarded("asgi.send"):
                self.record.disconnect()
            raise
        if kind in ("http.response.body", "http.response.zerocopysend"):
            with guarded("asgi.send"):
                self.record.body(len(message.get("body") or b""))
            if not message.get("more_body"):
                self._last_byte()
        elif kind == "http.response.pathsend":
            self._last_byte()

    def returned(self) -> None:
        """The application is done."""
        with guarded("asgi.end"):
            self.record.end()
            self._tell()

    def raised(self, error: BaseException) -> None:
        """The application raised, or was cancelled."""
        with guarded("asgi.end"):
            if type(error).__name__ in ("CancelledError", "Cancelled"):
                # Cancelled by the server: hypercorn and proxies of test clients do so when the client leaves.
                self.record.disconnect("cancelled")
            else:
                self.record.fail(error)
            self._tell()

    def _started(self, message: Message) -> Message:
        try:
            self.record.start_response(int(message["status"]))
            headers = list(message.get("headers") or ())
            for name, value in self._added_headers():
                if not any(key.lower() == name for key, _ in headers):
                    headers.append((name, value))
        except Exception:
            internal_error("asgi.start")
            return message
        return {**message, "headers": headers}

    def _added_headers(self) -> list[tuple[bytes, bytes]]:
        settings = self._telemetry.settings
        added = []
        if settings.request_id_header:
            added.append((settings.request_id_header.encode("ascii"), self.record.request_id.encode("ascii")))
        if settings.traceresponse and self.record.span is not None:
            context = self.record.span.get_span_context()
            text = f"00-{context.trace_id:032x}-{context.span_id:016x}-{context.trace_flags:02x}"
            added.append((b"traceresponse", text.encode("ascii")))
        return added

    def _last_byte(self) -> None:
        self._complete = True
        with guarded("asgi.last_byte"):
            self.record.last_byte()
            # A 5xx may be the error page of an exception that is still on its way to us. Everything else is over now,
            # whatever the application goes on to do in the background.
            if self.record.status < 500:
                self.record.end()
                self._tell()

    def _tell(self) -> None:
        """Make sample, span and line from the record, once."""
        if self._told:
            return
        self._told = True
        with guarded("asgi.route"):
            if self._routes is not None:
                self.record.route = self._routes.template(self._scope, self._entry)
        self._telemetry.tell(self.record, span_is_ours=self.context is not None)

    def _read_headers(self, scope: Scope) -> tuple[dict[str, str], str]:
        headers: dict[str, str] = {}
        request_id = ""
        wanted = self._telemetry.settings.request_id_header.encode("ascii")
        for name, value in scope.get("headers") or ():
            known = _HEADERS.get(name)
            if known is not None:
                text = value.decode("latin-1")
                headers[known] = f"{headers[known]},{text}" if known in headers else text
            elif name == wanted and _REQUEST_ID.match(value.decode("latin-1")):
                request_id = value.decode("latin-1")
        return headers, request_id


def _record(scope: Scope, headers: Mapping[str, str]) -> RequestRecord:
    record = RequestRecord(str(scope.get("method") or ""), str(scope.get("path") or ""))
    record.scheme = str(scope.get("scheme") or "http")
    record.http_version = str(scope.get("http_version") or "")
    query = scope.get("query_string") or b""
    record.query = query.decode("latin-1") if isinstance(query, bytes) else str(query)
    record.host = redact_text(headers.get("host", ""))[:255]
    record.user_agent = redact_text(headers.get("user-agent", ""))[:512]
    client = scope.get("client")
    if isinstance(client, (tuple, list)) and client:
        record.client = str(client[0])
    return record

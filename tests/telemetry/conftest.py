"""A clean process for each test: no provider, no configuration, no handlers but those that the test sets."""

from __future__ import annotations

import json
import logging
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
import structlog
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.util._once import Once
from prometheus_client import REGISTRY

from orders_obs.telemetry import runtime
from orders_obs.telemetry.export.delivery import Delivery
from orders_obs.telemetry.export.lines import LineWriter


@dataclass
class Seen:
    """What a test's requests left behind: lines, spans, and how far metrics have gone since its start."""

    texts: list[str] = field(default_factory=list)
    exporter: InMemorySpanExporter = field(default_factory=InMemorySpanExporter)
    _before: dict[tuple[str, frozenset[tuple[str, str]]], float] = field(default_factory=dict)

    @property
    def lines(self) -> list[dict[str, Any]]:
        return [json.loads(text) for text in self.texts]

    @property
    def access(self) -> list[dict[str, Any]]:
        return [line for line in self.lines if line["event"] == "API metrics"]

    @property
    def spans(self) -> list[Any]:
        return list(self.exporter.get_finished_spans())

    @property
    def server_spans(self) -> list[Any]:
        return [span for span in self.spans if span.kind is trace.SpanKind.SERVER]

    def start(self) -> None:
        self._before = _samples()

    def changes(self, name: str) -> dict[frozenset[tuple[str, str]], float]:
        """How much each series of a metric went up or down."""
        return {
            labels: value - self._before.get((metric, labels), 0)
            for (metric, labels), value in _samples().items()
            if metric == name and value != self._before.get((metric, labels), 0)
        }

    def change(self, metric: str, /, **labels: str) -> float:
        return self.changes(metric).get(frozenset(labels.items()), 0)


def _samples() -> dict[tuple[str, frozenset[tuple[str, str]]], float]:
    return {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in REGISTRY.collect()
        for sample in family.samples
        if not sample.name.startswith(("python_", "process_"))
    }


def forget_provider() -> None:
    trace._TRACER_PROVIDER = None
    trace._TRACER_PROVIDER_SET_ONCE = Once()


@pytest.fixture(autouse=True)
def clean_process(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    root.handlers.clear()
    finders = list(sys.meta_path)
    monkeypatch.setattr(runtime, "_present", None)
    # A handler for SIGTERM and one at the interpreter's exit for every test would pile up.
    monkeypatch.setattr(Delivery, "chain_sigterm", lambda _self: None)
    structlog.reset_defaults()
    structlog.contextvars.clear_contextvars()
    forget_provider()
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    sys.meta_path[:] = finders
    structlog.reset_defaults()
    structlog.contextvars.clear_contextvars()
    forget_provider()


@pytest.fixture
def seen(monkeypatch: pytest.MonkeyPatch) -> Seen:
    """Lines are kept instead of written, spans go to memory through a provider that the application has set."""
    result = Seen()
    monkeypatch.setattr(LineWriter, "write", lambda _self, line: result.texts.append(line.decode()))
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(result.exporter))
    trace.set_tracer_provider(provider)
    result.start()
    return result


Message = dict[str, Any]


@dataclass
class Exchange:
    """One request through an ASGI application, without a server."""

    sent: list[Message]
    error: BaseException | None

    @property
    def status(self) -> int:
        return int(self.sent[0]["status"])

    @property
    def headers(self) -> dict[str, str]:
        return {key.decode().lower(): value.decode() for key, value in self.sent[0]["headers"]}

    @property
    def body(self) -> bytes:
        return b"".join(message.get("body", b"") for message in self.sent[1:])


Drive = Callable[..., Exchange]


@pytest.fixture
def drive() -> Drive:
    """`drive(app, "/path")` sends one request and returns what came back, the application's exception included."""
    import asyncio

    def run(
        app: Any,
        path: str = "/",
        method: str = "GET",
        headers: dict[str, str] | None = None,
        query: bytes = b"",
        body: bytes = b"",
        receive: Callable[[], Any] | None = None,
        send: Callable[[Message], Any] | None = None,
        scope: dict[str, Any] | None = None,
    ) -> Exchange:
        result = Exchange([], None)
        pending = [{"type": "http.request", "body": body, "more_body": False}]

        async def default_receive() -> Message:
            if pending:
                return pending.pop()
            await asyncio.Event().wait()
            raise AssertionError

        async def default_send(message: Message) -> None:
            result.sent.append(dict(message))
            if send is not None:
                await send(message)

        async def main() -> None:
            given = {
                "type": "http",
                "asgi": {"version": "3.0", "spec_version": "2.4"},
                "http_version": "1.1",
                "method": method,
                "scheme": "http",
                "path": path,
                "raw_path": path.encode("utf-8", "surrogateescape"),
                "query_string": query,
                "root_path": "",
                "headers": [
                    (k.lower().encode("latin-1"), v.encode("latin-1")) for k, v in (headers or {}).items()
                ],
                "client": ("127.0.0.1", 50000),
                "server": ("127.0.0.1", 8000),
                **(scope or {}),
            }
            try:
                await app(given, receive or default_receive, default_send)
            except BaseException as error:
                result.error = error
                if not isinstance(error, Exception) and not isinstance(error, asyncio.CancelledError):
                    raise

        asyncio.run(main())
        return result

    return run

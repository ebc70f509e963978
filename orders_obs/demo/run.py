"""The demonstration: services, traffic, and everything looked up again."""

from __future__ import annotations

import asyncio
import json
import sys
import time
from contextlib import ExitStack
from typing import TYPE_CHECKING

import httpx

from orders_obs._resources import resource_path
from orders_obs.alerts import load
from orders_obs.dashboards.queries import prometheus_queries
from orders_obs.demo.backends import EmbeddedBackend, LiveBackend
from orders_obs.demo.report import Report
from orders_obs.demo.services import Services
from orders_obs.demo.traffic import NORMAL, TROUBLE, Phase, Sent, follow_one, run_phase
from orders_obs.errors import EnvironmentFault, UserError
from orders_obs.sandbox import control, native, programs
from orders_obs.settings import Settings
from orders_obs.signals import SIGNALS

if TYPE_CHECKING:
    from collections.abc import Callable

    from orders_obs.demo.backends import Backend
    from orders_obs.sandbox.state import State

__all__ = ["demonstrate"]

_RECOVERY = 60.0
"""Seconds that alerts may take to be over."""
_SETTLE = 8.0
# Long enough for a scrape to see the followed order's exemplar before another request takes its bucket.
_QUIET = 2.5


def demonstrate(
    wanted: str, *, keep: Callable[[Report], None] | None = None, need_running: bool = False
) -> Report:
    """Run the demonstration, and end what it started.

    Args:
        wanted: `auto`, `embedded`, `native` or `docker`.
        keep: Shows the report; everything is then left running until Ctrl-C.
        need_running: Use the sandbox that runs, and start none.

    Raises:
        EnvironmentFault: Something does not come up.
        UserError: A setting in the environment cannot be used.
    """
    settings = Settings.load()
    if settings.problems:
        raise UserError(settings.problems[0], hint="correct the variable, or unset it")
    with ExitStack() as stack:
        services = stack.enter_context(Services())
        name, state = _sandbox(wanted, services, stack, need_running=need_running)
        alerts = load(resource_path("alerts")).resolve("demo").alerts
        backend: Backend
        if state is None:
            backend = EmbeddedBackend(services.url("orders-api") + "/metrics", alerts)
        else:
            backend = LiveBackend(state.urls, services.url("inbox"))
        stack.callback(backend.close)
        _say(f"backend: {name}; starting the orders API and the payments API")
        services.start(backend.otlp)
        expected = {(alert.name, alert.severity.name) for alert in alerts}
        report = asyncio.run(_traffic(name, services, backend, expected))
        _look_up(report, services, backend)
        report.addresses = {
            "orders-api": services.url("orders-api") + "/docs",
            **({} if state is None else state.urls),
        }
        report.addresses.pop("otlp_http", None)
        if keep is not None:
            keep(report)
            _hold()
        return report


def _sandbox(
    wanted: str, services: Services, stack: ExitStack, *, need_running: bool
) -> tuple[str, State | None]:
    """The sandbox to ask, started where that was needed; None is the embedded backend."""
    targets = {job: f"127.0.0.1:{services.ports[job]}" for job in ("orders-api", "payments-api")}
    webhook = services.url("inbox") + "/alerts"
    running = control.present()
    if running is None and need_running:
        raise EnvironmentFault("no sandbox runs", hint="`orders-obs sandbox up` starts one")
    if wanted == "embedded":
        return "embedded", None
    if running is not None and running.backend == "native" and wanted in ("auto", "native"):
        native.set_targets(targets, webhook)
        stack.callback(native.set_targets, control.TARGETS, control.WEBHOOK)
        return "native", control.up("native", targets, webhook)
    backend = "native" if wanted == "native" or not programs.missing(native.NEEDED) else None
    if backend is None:
        _say(
            "the real servers are not installed, so this is the embedded look: in memory, no PromQL, no notifications;"
        )
        _say("`orders-obs sandbox install` gets them, then run this again")
        return "embedded", None
    _say("starting collector, Jaeger, Prometheus and Alertmanager")
    state = control.up("native", targets, webhook)
    stack.callback(control.down)
    return "native", state


async def _traffic(name: str, services: Services, backend: Backend, expected: set[tuple[str, str]]) -> Report:
    sent = Sent()
    async with httpx.AsyncClient(base_url=services.url("orders-api"), timeout=10) as client:
        # The first request pays for imports and connections; the one that is followed should not.
        await follow_one(client)
        await asyncio.sleep(1)
        followed = await follow_one(client)
        await asyncio.sleep(_QUIET)
        _say("traffic: customers as usual")
        await run_phase(client, NORMAL, sent)
        _say("traffic: payments fail and are slow, orders pour in")
        await run_phase(client, TROUBLE, sent)
        _say("traffic: as usual again, until the alerts are over")
        state = _Over(backend, expected)
        await run_phase(client, _lasting(NORMAL, _RECOVERY), sent, until=state)
    return Report(name, followed, sent, expected=expected)


class _Over:
    """Whether every alert has fired and is over, asked once a second."""

    def __init__(self, backend: Backend, expected: set[tuple[str, str]]) -> None:
        self._backend = backend
        self._expected = expected
        self._next = 0.0

    def __call__(self) -> bool:
        if time.monotonic() < self._next:
            return False
        self._next = time.monotonic() + 1
        fired, over = self._backend.alerts()
        return self._expected <= fired and self._expected <= over


def _lasting(phase: Phase, seconds: float) -> Phase:
    return Phase(
        phase.name,
        seconds,
        create=phase.create,
        read=6,
        missing=phase.missing,
        list=phase.list,
        odd=phase.odd,
    )


def _look_up(report: Report, services: Services, backend: Backend) -> None:
    """Ask the backend for everything; what is on its way may take a moment to arrive."""
    trace_id = report.followed.trace_id
    deadline = time.monotonic() + _SETTLE
    while True:
        report.spans = backend.trace(trace_id)
        report.exemplar = backend.exemplar(trace_id)
        if {span.service for span in report.spans} >= {
            "orders-api",
            "payments-api",
        } and report.exemplar is not None:
            break
        if time.monotonic() > deadline:
            break
        time.sleep(0.3)
    report.lines = services.lines(trace_id)
    report.signals = {name: backend.signal(signal) for name, signal in SIGNALS.items()}
    report.fired, report.resolved = backend.alerts()
    dashboard = json.loads((resource_path("dashboards") / "orders-api-production.json").read_text())
    for query in prometheus_queries(dashboard, job="orders-api"):
        series = backend.query(query.expr)
        if series is not None:
            report.panels[query.panel] = series


def _hold() -> None:
    _say("running until Ctrl-C")
    try:
        while True:
            time.sleep(3600)
    except KeyboardInterrupt:
        _say("ending")


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)

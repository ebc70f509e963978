"""The demonstration: services, traffic, and everything looked up again."""

from __future__ import annotations

import asyncio
import json
import math
import signal
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

import httpx

from orders_obs._resources import resource_path
from orders_obs.alerts import load
from orders_obs.dashboards.preview.preview import Wishes, write_preview
from orders_obs.dashboards.queries import prometheus_queries
from orders_obs.demo.report import REPORTED, Report
from orders_obs.demo.stage import say, set_up
from orders_obs.demo.traffic import NORMAL, TROUBLE, Phase, Sent, follow_one, run_phase
from orders_obs.errors import EnvironmentFault, UserError
from orders_obs.sandbox.programs import cache_folder
from orders_obs.settings import Settings
from orders_obs.signals import SIGNALS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from orders_obs.alerts import Alert
    from orders_obs.demo.backends import Backend
    from orders_obs.demo.services import Services
    from orders_obs.demo.stage import Stage

__all__ = ["demonstrate"]

_RECOVERY = 60.0
"""Seconds that alerts may take to be over."""
_SETTLE = 8.0
_SHOWN = ("error_rate", "slow_requests", "orders_per_minute")
"""The alerts that the traffic of the demonstration fires."""
_PREVIEWED = ("orders-api-production", "service-overview", "service-objectives-demo")
"""The dashboards of the preview."""
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
    catalogue = load(resource_path("alerts")).resolve("demo")
    alerts = [alert for alert in catalogue.alerts if alert.name in _SHOWN]
    with _ending_on_sigterm(), set_up(wanted, alerts, need_running=need_running) as stage:
        every = {(alert.name, alert.severity.name) for alert in alerts}
        # Of one alert the worse severity mutes the other, so who notifies tells of the worst only.
        expected = _worst(alerts) if stage.backend.notifies else every
        began = time.time()
        report = asyncio.run(_traffic(stage, expected, every))
        report.muted = every - expected
        _look_up(report, stage.services, stage.backend)
        report.addresses = stage.addresses
        report.preview = _preview(stage, began)
        if keep is not None:
            keep(report)
            _hold()
        return report


def _worst(alerts: Sequence[Alert]) -> set[tuple[str, str]]:
    worst: dict[str, Alert] = {}
    for alert in alerts:
        known = worst.get(alert.name)
        if known is None or alert.severity.rank < known.severity.rank:
            worst[alert.name] = alert
    return {(alert.name, alert.severity.name) for alert in worst.values()}


@contextmanager
def _ending_on_sigterm() -> Iterator[None]:
    """SIGTERM ends the demonstration as Ctrl-C does: what it started is stopped."""

    def interrupt(_number: int, _frame: object) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


async def _traffic(stage: Stage, expected: set[tuple[str, str]], every: set[tuple[str, str]]) -> Report:
    sent = Sent()
    async with httpx.AsyncClient(base_url=stage.services.url("orders-api"), timeout=10) as client:
        # The first request pays for imports and connections; the one that is followed should not.
        await follow_one(client)
        await asyncio.sleep(1)
        followed = await follow_one(client)
        await asyncio.sleep(_QUIET)
        say("traffic: customers as usual")
        await run_phase(client, NORMAL, sent)
        say("traffic: payments fail and are slow, orders pour in")
        await run_phase(client, TROUBLE, sent)
        say("traffic: as usual again, until the alerts are over")
        over = _Over(stage.backend, expected, every)
        await run_phase(client, _lasting(NORMAL, _RECOVERY), sent, until=over)
    return Report(stage.name, followed, sent, expected=expected)


class _Over:
    """Whether every expected alert has fired, and all that fired of `every` are over, asked once a second."""

    def __init__(self, backend: Backend, expected: set[tuple[str, str]], every: set[tuple[str, str]]) -> None:
        self._backend = backend
        self._expected = expected
        self._every = every
        self._next = 0.0

    def __call__(self) -> bool:
        if time.monotonic() < self._next:
            return False
        self._next = time.monotonic() + 1
        fired, over = self._backend.alerts()
        return self._expected <= fired and self._every & fired <= over


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
    report.signals = {name: backend.signal(SIGNALS[name]) for name in REPORTED}
    report.fired, report.resolved = backend.alerts()
    report.firing = backend.evaluated()
    dashboard = json.loads((resource_path("dashboards") / "orders-api-production.json").read_text())
    for query in prometheus_queries(dashboard, job="orders-api"):
        series = backend.query(query.expr)
        if series is not None:
            report.panels[query.panel] = series


def _preview(stage: Stage, began: float) -> str:
    """The address of a page of the dashboards with the demonstration's data; empty where nobody understands PromQL."""
    prometheus = stage.addresses.get("prometheus")
    if prometheus is None:
        return ""
    files = [resource_path(f"dashboards/{name}.json") for name in _PREVIEWED]
    seconds = math.ceil(time.time() - began) + 5
    jaeger = stage.addresses.get("jaeger", "")
    wishes = Wishes(start=f"now-{seconds}s", end="now", scrape=1, jaeger=jaeger)
    out = cache_folder().absolute() / "demo" / "preview.html"
    try:
        write_preview(files, prometheus, out, wishes)
    except (EnvironmentFault, UserError) as error:
        say(f"no preview: {error}")
        return ""
    return out.as_uri()


def _hold() -> None:
    say("running until Ctrl-C")
    try:
        while True:
            time.sleep(3600)
    except KeyboardInterrupt:
        say("ending")

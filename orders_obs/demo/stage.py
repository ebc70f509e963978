"""Setting up what the demonstration runs on, and taking it down again in the other order."""

from __future__ import annotations

import sys
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from orders_obs.demo.backends import EmbeddedBackend, LiveBackend
from orders_obs.demo.services import ContainerServices, ProcessServices
from orders_obs.errors import EnvironmentFault
from orders_obs.sandbox import control, docker, native, programs

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from orders_obs.alerts import Alert
    from orders_obs.demo.backends import Backend
    from orders_obs.demo.services import Services
    from orders_obs.sandbox.state import State

__all__ = ["Stage", "set_up"]


@dataclass(frozen=True, slots=True)
class Stage:
    """What runs: the services, and where to look things up.

    Attributes:
        name: `embedded`, `native` or `docker`.
        services: The orders API, the payments API, the inbox.
        backend: What is asked.
        addresses: Pages to open, by name.
    """

    name: str
    services: Services
    backend: Backend
    addresses: dict[str, str]


@contextmanager
def set_up(wanted: str, alerts: Sequence[Alert], *, need_running: bool) -> Iterator[Stage]:
    """Start what is needed; it ends with the block, but for a sandbox that ran before.

    Args:
        wanted: `auto` (a sandbox that runs, else native programs that are installed, else Docker, else in memory), `embedded`,
            `native` or `docker`.
        alerts: What the embedded look evaluates.
        need_running: Only a sandbox that runs will do.

    Raises:
        EnvironmentFault: Something does not come up.
    """
    running = control.present()
    if need_running and running is None:
        raise EnvironmentFault("no sandbox runs", hint="`orders-obs sandbox up` starts one")
    name = _choose(wanted, running)
    with ExitStack() as stack:
        if name == "docker":
            try:
                stage = stack.enter_context(_in_containers(running))
            except EnvironmentFault as fault:
                if wanted == "docker" or need_running:
                    raise
                say(f"Docker did not do it ({fault}); looking in memory instead")
                stage = stack.enter_context(_in_memory(alerts))
        elif name == "native":
            stage = stack.enter_context(_in_processes(running))
        else:
            stage = stack.enter_context(_in_memory(alerts))
        yield stage


def say(text: str) -> None:
    """Tell what happens, on standard error."""
    print(text, file=sys.stderr, flush=True)


def _choose(wanted: str, running: State | None) -> str:
    if wanted != "auto":
        return wanted
    if running is not None:
        return running.backend
    if not programs.missing(native.NEEDED):
        return "native"
    if docker.answers():
        return "docker"
    say("the real servers are not installed, so this is a look in memory: no PromQL, no notifications;")
    say("`orders-obs sandbox install` gets them, then run this again")
    return "embedded"


@contextmanager
def _in_memory(alerts: Sequence[Alert]) -> Iterator[Stage]:
    with ProcessServices() as services:
        backend = EmbeddedBackend(services.url("orders-api") + "/metrics", alerts)
        try:
            yield _started("embedded", services, backend, {})
        finally:
            services.stop()
            backend.close()


@contextmanager
def _in_processes(running: State | None) -> Iterator[Stage]:
    with ProcessServices() as services:
        targets = {job: f"127.0.0.1:{services.ports[job]}" for job in ("orders-api", "payments-api")}
        if running is None:
            say("starting collector, Jaeger, Prometheus and Alertmanager")
        state = control.up("native", targets, services.url("inbox") + "/alerts")
        backend = LiveBackend(state.urls, services.url("inbox"))
        try:
            yield _started("native", services, backend, state.urls)
        finally:
            # The services first: they deliver what they have when they are told to end.
            services.stop()
            backend.close()
            if running is None:
                control.down()
            else:
                native.set_targets(control.TARGETS, control.WEBHOOK)


@contextmanager
def _in_containers(running: State | None) -> Iterator[Stage]:
    state = control.up("docker")
    try:
        with ContainerServices(state) as services:
            backend = LiveBackend(state.urls, services.url("inbox"))
            try:
                yield _started("docker", services, backend, state.urls)
            finally:
                backend.close()
    finally:
        if running is None:
            control.down()


def _started(name: str, services: Services, backend: Backend, urls: dict[str, str]) -> Stage:
    say(f"backend: {name}; starting the orders API and the payments API")
    services.start(backend.otlp)
    pages = {key: url for key, url in urls.items() if key != "otlp_http"}
    return Stage(name, services, backend, {"orders-api": services.url("orders-api") + "/docs", **pages})

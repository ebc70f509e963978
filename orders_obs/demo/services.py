"""The demonstration's services: the orders API, the payments API and the inbox of alerts, on loopback."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, Self

from orders_obs._resources import resource_path
from orders_obs.errors import EnvironmentFault
from orders_obs.sandbox import docker
from orders_obs.sandbox.state import free_port

if TYPE_CHECKING:
    from collections.abc import Iterable
    from types import TracebackType

    from orders_obs.sandbox.state import State

__all__ = ["ContainerServices", "ProcessServices", "Services"]

_APPS = {
    "inbox": ("orders_obs.demo.inbox:app", 8010),
    "payments-api": ("examples.orders_api.payments:app", 8001),
    "orders-api": ("examples.orders_api.app:app", 8000),
}
_APIS = ("orders-api", "payments-api")
_READY_WITHIN = 20.0
_STOP_WITHIN = 10.0


class Services(Protocol):
    """The three services, wherever they run."""

    def url(self, name: str) -> str:
        """The address of a service."""

    def start(self, otlp: str) -> None:
        """Start all, and wait until they answer.

        Args:
            otlp: Base address of the OTLP/HTTP receiver, as this machine sees it.

        Raises:
            EnvironmentFault: One does not come up.
        """

    def stop(self) -> None:
        """End those that run; a second time is harmless."""

    def lines(self, trace_id: str) -> list[dict[str, Any]]:
        """The log lines of both APIs that carry a trace id, in the order of their time."""


class ProcessServices:
    """The services as processes; as a context, they end with it.

    Their addresses are there before they run, so that Prometheus and Alertmanager can be told.
    """

    def __init__(self) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="orders-obs-demo-", ignore_cleanup_errors=True)
        self._processes: dict[str, subprocess.Popen[bytes]] = {}
        taken: set[int] = set()
        self.ports: dict[str, int] = {}
        for name, (_, preferred) in _APPS.items():
            self.ports[name] = free_port(preferred, taken)
            taken.add(self.ports[name])

    def url(self, name: str) -> str:
        """The address of a service."""
        return f"http://127.0.0.1:{self.ports[name]}"

    def start(self, otlp: str) -> None:
        """Start uvicorn for each."""
        environment = {
            **os.environ,
            "ORDERS_OBS_ENVIRONMENT": "demo",
            "OTEL_EXPORTER_OTLP_ENDPOINT": otlp,
            "OTEL_BSP_SCHEDULE_DELAY": "300",
            "ORDERS_PAYMENTS_URL": self.url("payments-api"),
            # Found from a checkout and from an installed wheel alike.
            "PYTHONPATH": os.pathsep.join(
                filter(None, (str(resource_path("examples").parent), os.environ.get("PYTHONPATH")))
            ),
        }
        environment.setdefault("ORDERS_DATABASE_URL", f"sqlite:///{Path(self._folder.name) / 'orders.db'}")
        for name, (app, _) in _APPS.items():
            command = [
                sys.executable,
                "-m",
                "uvicorn",
                app,
                "--host",
                "127.0.0.1",
                "--port",
                str(self.ports[name]),
            ]
            if name == "inbox":
                command.append("--no-access-log")
            with self._log(name).open("wb") as log:
                self._processes[name] = subprocess.Popen(
                    command, env=environment, stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT
                )
        for name in _APPS:
            self._await_ready(name)

    def stop(self) -> None:
        """End those that run, asking first."""
        for process in self._processes.values():
            process.terminate()
        deadline = time.monotonic() + _STOP_WITHIN
        for process in self._processes.values():
            try:
                process.wait(max(0.1, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        self._processes.clear()

    def lines(self, trace_id: str) -> list[dict[str, Any]]:
        """The log lines of both services that carry a trace id, in the order of their time."""
        return _with_trace(trace_id, (self._log(name).read_text(errors="replace") for name in _APIS))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()
        self._folder.cleanup()

    def _log(self, name: str) -> Path:
        return Path(self._folder.name) / f"{name}.log"

    def _await_ready(self, name: str) -> None:
        path = "/health/live" if name == "inbox" else "/health/ready"
        deadline = time.monotonic() + _READY_WITHIN
        while time.monotonic() < deadline:
            if self._processes[name].poll() is not None:
                break
            try:
                with urllib.request.urlopen(self.url(name) + path, timeout=2):  # noqa: S310  # an address of ours
                    return
            except (OSError, urllib.error.URLError):
                time.sleep(0.1)
        tail = self._log(name).read_text(errors="replace").splitlines()[-5:]
        raise EnvironmentFault(f"{name} does not come up" + "".join(f"\n    {line[:300]}" for line in tail))


class ContainerServices:
    """The services of the compose file's profile `demo`, whose images are built at the first start."""

    def __init__(self, state: State) -> None:
        self._state = state

    def url(self, name: str) -> str:
        """The address that the container publishes."""
        return f"http://127.0.0.1:{self._state.ports[name]}"

    def start(self, _otlp: str) -> None:
        """Build what is not built, and wait for the health checks; they send to the collector's own address."""
        arguments = ("--profile", "demo", "up", "--detach", "--build", "--wait", *_APPS)
        if docker.compose(self._state, *arguments).returncode != 0:
            raise EnvironmentFault(
                "docker compose could not start the services", hint="its own words stand above"
            )

    def stop(self) -> None:
        """Take the containers away."""
        docker.compose(self._state, "--profile", "demo", "rm", "--stop", "--force", *_APPS)

    def lines(self, trace_id: str) -> list[dict[str, Any]]:
        """From what Docker kept of their standard output."""
        return _with_trace(
            trace_id, [docker.read(self._state, "--profile", "demo", "logs", "--no-log-prefix", *_APIS)]
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()


def _with_trace(trace_id: str, texts: Iterable[str]) -> list[dict[str, Any]]:
    # A server says some things before it has our shape; those are no JSON.
    lines = [
        json.loads(line)
        for text in texts
        for line in text.splitlines()
        if trace_id in line and line.startswith("{")
    ]
    found = (line for line in lines if line.get("trace_id") == trace_id)
    return sorted(found, key=lambda line: str(line["timestamp"]))

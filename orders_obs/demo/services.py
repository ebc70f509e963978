"""The demonstration's services as processes of this machine, on loopback."""

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
from typing import TYPE_CHECKING, Any, Self

from orders_obs._resources import resource_path
from orders_obs.errors import EnvironmentFault
from orders_obs.sandbox.state import free_port

if TYPE_CHECKING:
    from types import TracebackType

__all__ = ["Services"]

_APPS = {
    "inbox": ("orders_obs.demo.inbox:app", 8010),
    "payments-api": ("examples.orders_api.payments:app", 8001),
    "orders-api": ("examples.orders_api.app:app", 8000),
}
_READY_WITHIN = 20.0
_STOP_WITHIN = 10.0


class Services:
    """The orders API, the payments API and the inbox of alerts; as a context, they end with it.

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
        """Start all, and wait until they answer.

        Args:
            otlp: Base address of the OTLP/HTTP receiver.

        Raises:
            EnvironmentFault: One does not come up.
        """
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
        found = []
        for name in ("orders-api", "payments-api"):
            for text in self._log(name).read_text(errors="replace").splitlines():
                if trace_id in text:
                    line = json.loads(text)
                    if line.get("trace_id") == trace_id:
                        found.append(line)
        return sorted(found, key=lambda line: str(line["timestamp"]))

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

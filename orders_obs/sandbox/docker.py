"""The sandbox as containers: `docker-compose.obs.yml`."""

from __future__ import annotations

import os
import secrets
import subprocess
from typing import TYPE_CHECKING

from orders_obs._resources import resource_path
from orders_obs.errors import EnvironmentFault
from orders_obs.sandbox import state
from orders_obs.sandbox.state import State, free_port, state_folder

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["answers", "compose", "down", "read", "up"]

_VARIABLES = {
    "OTLP_HTTP_PORT": ("otlp_http", 4318),
    "OTLP_GRPC_PORT": ("otlp_grpc", 4317),
    "COLLECTOR_HEALTH_PORT": ("collector_health", 13133),
    "JAEGER_PORT": ("jaeger", 16686),
    "ALERTMANAGER_PORT": ("alertmanager", 9093),
    "PROMETHEUS_PORT": ("prometheus", 9090),
    "GRAFANA_PORT": ("grafana", 3000),
    "ORDERS_PORT": ("orders-api", 8000),
    "PAYMENTS_PORT": ("payments-api", 8001),
    "INBOX_PORT": ("inbox", 8010),
}


def answers() -> bool:
    """Whether a Docker engine answers and has compose; the client alone is not enough."""
    for command in (["docker", "info"], ["docker", "compose", "version"]):
        try:
            done = subprocess.run(command, capture_output=True, timeout=10, check=False)
        except (OSError, subprocess.TimeoutExpired):
            return False
        if done.returncode != 0:
            return False
    return True


def up() -> State:
    """Start the containers and wait until they are healthy.

    Raises:
        EnvironmentFault: Docker could not start them.
    """
    present = state.load()
    current = present if present is not None and present.backend == "docker" else _fresh()
    _write_environment()
    state.save(current)
    done = compose(current, "up", "--detach", "--wait")
    if done.returncode != 0:
        compose(current, "down", "--volumes")
        state.remove()
        raise EnvironmentFault("docker compose could not start the sandbox", hint="its own words stand above")
    return current


def down(current: State) -> None:
    """Take the containers, their networks and volumes away."""
    compose(current, "--profile", "demo", "down", "--volumes", "--remove-orphans")
    state.remove()


def compose(current: State, *arguments: str) -> subprocess.CompletedProcess[bytes]:
    """Run `docker compose` on the sandbox's file, its output on standard error."""
    return subprocess.run(_command(arguments), env=_environment(current), stdout=2, check=False)


def read(current: State, *arguments: str) -> str:
    """Run `docker compose` on the sandbox's file, and return its output."""
    done = subprocess.run(_command(arguments), env=_environment(current), stdout=subprocess.PIPE, check=False)
    return done.stdout.decode("utf-8", "replace")


def _command(arguments: tuple[str, ...]) -> list[str]:
    file = resource_path("docker-compose.obs.yml")
    return ["docker", "compose", "--file", str(file), "--env-file", str(_environment_file()), *arguments]


def _environment(current: State) -> dict[str, str]:
    return {
        **os.environ,
        **{variable: str(current.ports[name]) for variable, (name, _) in _VARIABLES.items()},
    }


def _fresh() -> State:
    current = State("docker")
    taken: set[int] = set()
    for name, preferred in _VARIABLES.values():
        current.ports[name] = free_port(preferred, taken)
        taken.add(current.ports[name])
    current.urls = {
        name: f"http://127.0.0.1:{current.ports[name]}"
        for name in ("otlp_http", "prometheus", "alertmanager", "jaeger", "grafana")
    }
    return current


def _environment_file() -> Path:
    return state_folder() / "compose.env"


def _write_environment() -> None:
    """A password of Grafana's own for this machine, readable by its user only."""
    file = _environment_file()
    if not file.is_file():
        file.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w") as out:
            out.write(f"GRAFANA_ADMIN_PASSWORD={secrets.token_urlsafe(24)}\n")

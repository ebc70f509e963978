"""Starting and stopping the sandbox, whichever backend it has."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from orders_obs.errors import EnvironmentFault
from orders_obs.sandbox import docker, native, programs, state

if TYPE_CHECKING:
    from collections.abc import Mapping

    from orders_obs.sandbox.state import State

__all__ = ["Backend", "choose", "down", "present", "up"]

Backend = Literal["docker", "native"]

TARGETS = {"orders-api": "127.0.0.1:8000", "payments-api": "127.0.0.1:8001"}
WEBHOOK = "http://127.0.0.1:8010/alerts"


def choose(wanted: str) -> Backend | None:
    """The backend to use: the wanted one, or for `auto` Docker where an engine answers, else native where it is installed.

    Returns:
        None where `auto` finds neither.
    """
    if wanted == "docker" or (wanted == "auto" and docker.answers()):
        return "docker"
    if wanted == "native" or not programs.missing(native.NEEDED):
        return "native"
    return None


def up(wanted: str = "auto", targets: Mapping[str, str] | None = None, webhook: str = WEBHOOK) -> State:
    """Start the sandbox; what runs already is left running.

    Args:
        wanted: `auto`, `docker` or `native`.
        targets: Prometheus job to address; the demo's own where None.
        webhook: Where Alertmanager posts alerts.

    Raises:
        EnvironmentFault: There is no backend, or it does not come up.
    """
    running = present()
    backend = running.backend if running is not None and wanted == "auto" else choose(wanted)
    if running is not None and backend != running.backend:
        raise EnvironmentFault(
            f"a {running.backend} sandbox runs", hint="end it first: `orders-obs sandbox down`"
        )
    if backend is None:
        raise EnvironmentFault(
            "no Docker engine answers, and the native programs are not installed",
            hint="start Docker, or run `orders-obs sandbox install`",
        )
    return docker.up() if backend == "docker" else native.up(targets or TARGETS, webhook)


def present() -> State | None:
    """The sandbox that runs, None where none does."""
    current = state.load()
    if current is None or current.backend == "docker":
        return current
    return current if any(service.process() for service in current.services) else None


def down() -> bool:
    """End the sandbox and take away what it made; whether there was one."""
    current = state.load()
    if current is None:
        return False
    if current.backend == "docker":
        docker.down(current)
    else:
        native.down(current)
    return True

"""What runs, as a file: which processes are ours, and where they listen."""

from __future__ import annotations

import json
import os
import shutil
import socket
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import psutil

__all__ = ["Service", "State", "free_port", "load", "remove", "save", "state_folder"]


@dataclass(slots=True)
class Service:
    """A process of ours. `started` tells it from another one that got the same number later."""

    name: str
    pid: int
    started: float
    ready_url: str

    def process(self) -> psutil.Process | None:
        """The process, if it is still this one."""
        try:
            process = psutil.Process(self.pid)
            alive = abs(process.create_time() - self.started) < 1 and process.status() != psutil.STATUS_ZOMBIE
        except psutil.NoSuchProcess:
            return None
        return process if alive else None


@dataclass(slots=True)
class State:
    """A sandbox: its backend, its ports by name, its addresses by name, its processes (none of ours under Docker)."""

    backend: str
    ports: dict[str, int] = field(default_factory=dict)
    urls: dict[str, str] = field(default_factory=dict)
    services: list[Service] = field(default_factory=list)


def state_folder() -> Path:
    """Where the sandbox keeps what it needs while it runs: `ORDERS_OBS_STATE_DIR`, else the user's state folder."""
    own = os.environ.get("ORDERS_OBS_STATE_DIR")
    base = (
        Path(own)
        if own
        else Path(os.environ.get("XDG_STATE_HOME") or Path.home() / ".local/state") / "orders-obs"
    )
    return base / "sandbox"


def load() -> State | None:
    """The sandbox that was started last, None where there is none."""
    try:
        content: dict[str, Any] = json.loads((state_folder() / "state.json").read_text())
    except (FileNotFoundError, ValueError):
        return None
    content["services"] = [Service(**service) for service in content["services"]]
    return State(**content)


def save(state: State) -> None:
    """Write the state, whole or not at all."""
    folder = state_folder()
    folder.mkdir(parents=True, exist_ok=True)
    temporary = folder / ".state.json"
    temporary.write_text(json.dumps(asdict(state), indent=2))
    temporary.replace(folder / "state.json")


def remove() -> None:
    """Take away everything that the sandbox wrote."""
    folder = state_folder()
    shutil.rmtree(folder, ignore_errors=True)
    if (
        not os.environ.get("ORDERS_OBS_STATE_DIR")
        and folder.parent.is_dir()
        and not any(folder.parent.iterdir())
    ):
        folder.parent.rmdir()


def free_port(preferred: int, taken: set[int]) -> int:
    """The preferred port on loopback, or any free one where somebody has it."""
    for port in (preferred, 0):
        with socket.socket() as probe:
            # As servers do: a connection of a run just ended does not keep its port.
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            found: int = probe.getsockname()[1]
            if found not in taken:
                return found
    return free_port(0, taken)

"""The sandbox as processes of this machine, on loopback, with the configuration that the containers use."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
import urllib.error
import urllib.request
from typing import TYPE_CHECKING

import psutil

from orders_obs._resources import resource_path
from orders_obs.errors import EnvironmentFault
from orders_obs.sandbox import programs, state
from orders_obs.sandbox.state import Service, State, free_port, state_folder

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

__all__ = ["NEEDED", "down", "set_targets", "up"]

NEEDED = ("jaeger", "otelcol", "alertmanager", "prometheus")
"""The programs that run, in the order of starting."""

_PORTS = {
    "otlp_http": 4318,
    "otlp_grpc": 4317,
    "collector_health": 13133,
    "jaeger": 16686,
    "jaeger_grpc": 16685,
    "jaeger_otlp": 14317,
    "jaeger_health": 13134,
    "alertmanager": 9093,
    "prometheus": 9090,
}
_READY = {
    "jaeger": ("jaeger_health", "/status"),
    "otelcol": ("collector_health", "/"),
    "alertmanager": ("alertmanager", "/-/ready"),
    "prometheus": ("prometheus", "/-/ready"),
}
# Children of this very process; a sandbox that another command started has none here.
_children: dict[int, subprocess.Popen[bytes]] = {}
_READY_WITHIN = 30.0
_STOP_WITHIN = 8.0


def up(targets: Mapping[str, str], webhook: str) -> State:
    """Start what does not run, and wait until everything answers.

    Args:
        targets: Prometheus job to the address to scrape, such as `orders-api` to `127.0.0.1:8000`.
        webhook: Where Alertmanager posts alerts.

    Raises:
        EnvironmentFault: A program is not there, or does not come up; what was started by this call is stopped again.
    """
    lacking = programs.missing(NEEDED)
    if lacking:
        raise EnvironmentFault(
            f"not installed: {', '.join(program.name for program in lacking)}",
            hint="run `orders-obs sandbox install`",
        )
    present = state.load()
    current = present if present is not None and present.backend == "native" else State("native")
    alive = {service.name: service for service in current.services if service.process() is not None}
    if not alive:
        current = _fresh()
    _configure(current, targets, webhook)
    started: list[Service] = []
    try:
        for name in NEEDED:
            if name not in alive:
                service = _start(name, current)
                started.append(service)
                alive[name] = service
                current.services = list(alive.values())
                state.save(current)
        for service in started:
            _await_ready(service)
    except BaseException:
        _stop(started)
        if len(started) == len(alive):
            state.remove()
        raise
    return current


def down(current: State) -> None:
    """Stop our processes, by their own numbers, and take away what they wrote."""
    _stop(list(reversed(current.services)))
    state.remove()


def set_targets(targets: Mapping[str, str], webhook: str) -> None:
    """Point a running sandbox at other addresses; Prometheus and Alertmanager read the files again."""
    folder = state_folder()
    for job, address in targets.items():
        _write(folder / f"prometheus/targets/{job}.yml", f'- targets: ["{address}"]\n')
    _write(folder / "alertmanager/webhook-url", webhook)


def _fresh() -> State:
    current = State("native")
    taken: set[int] = set()
    for name, preferred in _PORTS.items():
        port = free_port(preferred, taken)
        if port != preferred:
            print(f"port {preferred} is taken; {name} is on {port}", file=sys.stderr)
        taken.add(port)
        current.ports[name] = port
    current.urls = {
        name: f"http://127.0.0.1:{current.ports[name]}"
        for name in ("otlp_http", "prometheus", "alertmanager", "jaeger")
    }
    return current


def _configure(current: State, targets: Mapping[str, str], webhook: str) -> None:
    """The shipped configuration with this machine's addresses, in the state folder."""
    folder = state_folder()
    source = resource_path("collector")
    for name in ("otelcol.yaml", "jaeger.yaml"):
        folder.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source / name, folder / name)
    for name in ("prometheus", "alertmanager"):
        shutil.copytree(source / name, folder / name, dirs_exist_ok=True)
    _write(
        folder / "prometheus/targets/alertmanager.yml",
        f'- targets: ["127.0.0.1:{current.ports["alertmanager"]}"]\n',
    )
    set_targets(targets, webhook)


def _start(name: str, current: State) -> Service:
    folder = state_folder()
    executable = programs.locate(name)
    assert executable is not None  # noqa: S101  # up() looked
    ports = {key: f"127.0.0.1:{port}" for key, port in current.ports.items()}
    environment = {
        **os.environ,
        "OTELCOL_HEALTH": ports["collector_health"],
        "OTELCOL_OTLP_GRPC": ports["otlp_grpc"],
        "OTELCOL_OTLP_HTTP": ports["otlp_http"],
        "JAEGER_OTLP_GRPC": ports["jaeger_otlp"],
        "JAEGER_HEALTH": ports["jaeger_health"],
        "JAEGER_HTTP": ports["jaeger"],
        "JAEGER_GRPC": ports["jaeger_grpc"],
        "JAEGER_OTLP": ports["jaeger_otlp"],
    }
    arguments = {
        "otelcol": ["--config", str(folder / "otelcol.yaml")],
        "jaeger": ["--config", f"file:{folder / 'jaeger.yaml'}"],
        "alertmanager": [
            f"--config.file={folder / 'alertmanager/demo.alertmanager.yml'}",
            f"--storage.path={folder / 'data/alertmanager'}",
            f"--web.listen-address={ports['alertmanager']}",
            "--cluster.listen-address=",
        ],
        "prometheus": [
            f"--config.file={folder / 'prometheus/prometheus.yml'}",
            f"--storage.tsdb.path={folder / 'data/prometheus'}",
            f"--web.listen-address={ports['prometheus']}",
            "--storage.tsdb.retention.time=1d",
            "--enable-feature=exemplar-storage",
            "--web.enable-otlp-receiver",
            "--scrape.discovery-reload-interval=1s",
        ],
    }[name]
    (folder / "data" / name).mkdir(parents=True, exist_ok=True)
    (folder / "logs").mkdir(exist_ok=True)
    with (folder / "logs" / f"{name}.log").open("ab") as log:
        process = subprocess.Popen(
            [executable, *arguments],
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            # Alertmanager reads its `url_file` relative to the folder it runs in.
            cwd=folder / "alertmanager" if name == "alertmanager" else folder,
        )
    _children[process.pid] = process
    port, path = _READY[name]
    return Service(
        name, process.pid, psutil.Process(process.pid).create_time(), f"http://{ports[port]}{path}"
    )


def _await_ready(service: Service) -> None:
    deadline = time.monotonic() + _READY_WITHIN
    while time.monotonic() < deadline:
        if service.process() is None:
            raise EnvironmentFault(f"{service.name} ended at once{_tail(service.name)}")
        try:
            with urllib.request.urlopen(service.ready_url, timeout=2):  # noqa: S310  # an address of ours
                return
        except (OSError, urllib.error.URLError):
            time.sleep(0.1)
    raise EnvironmentFault(
        f"{service.name} does not answer within {_READY_WITHIN:.0f} s{_tail(service.name)}"
    )


def _tail(name: str) -> str:
    file = state_folder() / "logs" / f"{name}.log"
    lines = file.read_text(errors="replace").splitlines()[-5:] if file.is_file() else []
    return "".join(f"\n    {line}" for line in lines)


def _stop(services: list[Service]) -> None:
    processes = [process for service in services if (process := service.process()) is not None]
    for process in processes:
        _ask(process.terminate)
    _, left = psutil.wait_procs(processes, timeout=_STOP_WITHIN)
    for process in left:
        _ask(process.kill)
    psutil.wait_procs(left, timeout=_STOP_WITHIN)
    for service in services:
        child = _children.pop(service.pid, None)
        if child is not None:
            child.wait(_STOP_WITHIN)


def _ask(action: object) -> None:
    try:
        action()  # type: ignore[operator]  # psutil's terminate and kill
    except psutil.NoSuchProcess:
        pass


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}")
    temporary.write_text(text)
    temporary.replace(path)

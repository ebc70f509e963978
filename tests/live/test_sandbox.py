"""The sandbox with the real programs."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from orders_obs.cli import main
from orders_obs.sandbox import control, native
from orders_obs.sandbox.state import State
from tests.live.conftest import ROOT, need

Program = Callable[[str], Path]


def test_the_programs_themselves_find_the_configuration_valid(program: Program) -> None:
    folder = ROOT / "collector"
    for command in (
        [program("otelcol"), "validate", "--config", folder / "otelcol.yaml"],
        [program("jaeger"), "validate", "--config", f"file:{folder / 'jaeger.yaml'}"],
        [program("promtool"), "check", "config", folder / "prometheus/prometheus.yml"],
        [program("amtool"), "check-config", folder / "alertmanager/demo.alertmanager.yml"],
    ):
        done = subprocess.run(
            [str(word) for word in command], capture_output=True, text=True, timeout=60, check=False
        )
        assert done.returncode == 0, done.stdout + done.stderr


def test_up_makes_everything_answer_on_loopback_only_and_a_second_up_changes_nothing(
    sandbox: State, capsys: pytest.CaptureFixture[str]
) -> None:
    for name, path in (("prometheus", "/-/ready"), ("alertmanager", "/-/ready"), ("jaeger", "/api/services")):
        with urllib.request.urlopen(sandbox.urls[name] + path, timeout=10) as response:
            assert response.status == 200
    pids = [service.pid for service in sandbox.services]
    assert len(pids) == len(native.NEEDED)
    listening = [
        connection.laddr.ip
        for pid in pids
        for connection in psutil.Process(pid).net_connections()
        if connection.status == psutil.CONN_LISTEN
    ]
    assert len(listening) >= 8
    assert set(listening) == {"127.0.0.1"}
    assert [service.pid for service in control.up("native").services] == pids
    assert main(["sandbox", "status", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["running"] == list(native.NEEDED)


def test_up_starts_again_what_has_died(sandbox: State) -> None:
    victim = next(service for service in sandbox.services if service.name == "alertmanager")
    psutil.Process(victim.pid).kill()
    native._children[victim.pid].wait(10)
    after = {service.name: service.pid for service in control.up("native").services}
    before = {service.name: service.pid for service in sandbox.services}
    assert {name for name in before if before[name] != after[name]} == {"alertmanager"}


def test_down_leaves_neither_process_nor_file(own_state: Path) -> None:
    need(*native.NEEDED)
    current = control.up("native")
    assert control.down()
    assert not any(psutil.pid_exists(service.pid) for service in current.services)
    assert not list(own_state.rglob("*"))


def test_a_taken_port_is_moved(own_state: Path, capsys: pytest.CaptureFixture[str]) -> None:
    need(*native.NEEDED)
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        ports = dict(native._PORTS, prometheus=port)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(native, "_PORTS", ports)
            current = control.up("native")
        try:
            assert current.ports["prometheus"] != port
            with urllib.request.urlopen(current.urls["prometheus"] + "/-/ready", timeout=10) as response:
                assert response.status == 200
        finally:
            control.down()
    assert f"port {port} is taken; prometheus is on" in capsys.readouterr().err


def test_a_sandbox_outlives_the_command_that_started_it(own_state: Path) -> None:
    need(*native.NEEDED)
    command = [sys.executable, "-m", "orders_obs.sandbox"]
    environment = {**os.environ, "ORDERS_OBS_STATE_DIR": str(own_state)}
    subprocess.run(
        [*command, "up", "--backend", "native"], env=environment, check=True, timeout=90, capture_output=True
    )
    current = control.present()
    assert current is not None
    assert all(service.process() for service in current.services)
    subprocess.run([*command, "down"], env=environment, check=True, timeout=60, capture_output=True)
    assert control.present() is None
    assert not any(service.process() for service in current.services)

"""Starting and stopping, without real servers."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from orders_obs.cli import main
from orders_obs.errors import EnvironmentFault
from orders_obs.sandbox import control, docker, native, programs, state
from orders_obs.sandbox.state import Service, State, free_port


@pytest.fixture(autouse=True)
def own_state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("ORDERS_OBS_STATE_DIR", str(tmp_path / "state"))
    return tmp_path / "state"


def test_a_taken_port_is_moved_and_a_free_one_kept() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        assert free_port(port, set()) != port
    assert free_port(port, set()) == port
    assert free_port(port, {port}) != port


def test_without_docker_and_without_programs_it_says_what_to_do(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(docker, "answers", lambda: False)
    monkeypatch.setattr(programs, "locate", lambda _name: None)
    assert main(["sandbox", "up"]) == 3
    assert "start Docker, or run `orders-obs sandbox install`" in capsys.readouterr().err
    with pytest.raises(EnvironmentFault, match="not installed: jaeger, otelcol, alertmanager, prometheus"):
        control.up("native")


def test_docker_is_used_only_where_an_engine_answers(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    client = tmp_path / "docker"
    client.write_text('#!/bin/sh\n[ "$1" = info ] && exit 1\nexit 0\n')
    client.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    assert not docker.answers()
    client.write_text("#!/bin/sh\nexit 0\n")
    assert docker.answers()
    assert control.choose("auto") == "docker"


def test_docker_gets_the_ports_and_a_password_that_only_its_user_can_read(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, own_state: Path
) -> None:
    calls = tmp_path / "calls"
    client = tmp_path / "docker"
    client.write_text(f'#!/bin/sh\necho "$@ $PROMETHEUS_PORT" >> {calls}\n')
    client.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    current = control.up("docker")
    assert current.urls["grafana"] == f"http://127.0.0.1:{current.ports['grafana']}"
    file = own_state / "sandbox/compose.env"
    assert file.stat().st_mode & 0o777 == 0o600
    password = file.read_text().partition("=")[2].strip()
    assert len(password) >= 24
    assert control.down()
    text = calls.read_text()
    assert "up --detach --wait" in text
    assert "down --volumes" in text
    assert str(current.ports["prometheus"]) in text
    assert password not in text
    assert not own_state.joinpath("sandbox").exists()


def test_down_ends_our_processes_by_their_own_number_and_no_other(own_state: Path) -> None:
    sleep = [sys.executable, "-c", "import time; time.sleep(60)"]
    ours, theirs = subprocess.Popen(sleep), subprocess.Popen(sleep)
    try:
        services = [
            Service("ours", ours.pid, psutil.Process(ours.pid).create_time(), ""),
            # A number that another process got after ours had ended.
            Service("recycled", theirs.pid, psutil.Process(theirs.pid).create_time() - 100, ""),
        ]
        state.save(State("native", services=services))
        assert control.present() is not None
        assert control.down()
        assert not psutil.pid_exists(ours.pid)
        assert theirs.poll() is None
        assert not own_state.joinpath("sandbox").exists()
        assert not control.down()
    finally:
        for process in (ours, theirs):
            process.kill()
            process.wait()


def test_a_state_file_that_is_broken_is_no_sandbox(own_state: Path) -> None:
    (own_state / "sandbox").mkdir(parents=True)
    (own_state / "sandbox/state.json").write_text("{")
    assert control.present() is None


def test_status_is_data_and_3_where_nothing_runs(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["sandbox", "status", "--json"]) == 3
    assert json.loads(capsys.readouterr().out) == {"backend": None, "urls": {}, "running": [], "stopped": []}
    assert main(["sandbox", "logs"]) == 3
    assert main(["sandbox", "down"]) == 0


@pytest.mark.parametrize("behaviour", ["exit 1", "sleep 60"])
def test_a_program_that_does_not_come_up_is_said_with_its_last_words_and_everything_is_stopped(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, own_state: Path, behaviour: str
) -> None:
    program = tmp_path / "program"
    program.write_text(f"#!/bin/sh\necho 'bad configuration'\n{behaviour}\n")
    program.chmod(0o755)
    monkeypatch.setattr(programs, "locate", lambda _name: program)
    monkeypatch.setattr(native, "_READY_WITHIN", 1.0)
    with pytest.raises(
        EnvironmentFault, match=r"jaeger (ended at once|does not answer).*\n.*bad configuration"
    ):
        control.up("native")
    assert not own_state.joinpath("sandbox").exists()
    assert not [p for p in psutil.Process(os.getpid()).children() if p.status() != psutil.STATUS_ZOMBIE]

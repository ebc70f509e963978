"""What the demonstration runs on, chosen and taken down again."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from orders_obs.demo import stage
from orders_obs.demo.services import ContainerServices
from orders_obs.errors import EnvironmentFault
from orders_obs.sandbox import control, docker, native, programs
from orders_obs.sandbox.state import State


@pytest.fixture(autouse=True)
def own_state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ORDERS_OBS_STATE_DIR", str(tmp_path / "state"))


@pytest.fixture
def fake_docker(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A client that notes what it is asked, answers `logs` with two lines, and fails where a file says so."""
    line = json.dumps({"timestamp": "2", "trace_id": "t1", "event": "second"})
    first = json.dumps({"timestamp": "1", "trace_id": "t1", "event": "first"})
    client = tmp_path / "bin/docker"
    client.parent.mkdir()
    client.write_text(
        f'#!/bin/sh\necho "$@" >> {tmp_path}/calls\n'
        f'case "$*" in *" logs "*) echo \'{line}\'; echo "not json t1x"; echo \'{first}\';; esac\n'
        f'case "$*" in *"--profile demo up "*) [ -e {tmp_path}/broken-services ] && exit 1;; '
        f'*" up "*) [ -e {tmp_path}/broken-sandbox ] && exit 1;; esac\nexit 0\n'
    )
    client.chmod(0o755)
    monkeypatch.setenv("PATH", f"{client.parent}:/usr/bin:/bin")
    return tmp_path


@pytest.mark.parametrize(
    ("wanted", "running", "installed", "engine", "chosen"),
    [
        ("embedded", None, True, True, "embedded"),
        ("auto", "native", False, False, "native"),
        ("auto", "docker", True, True, "docker"),
        ("auto", None, True, True, "native"),
        ("auto", None, False, True, "docker"),
        ("auto", None, False, False, "embedded"),
    ],
)
def test_auto_takes_what_runs_then_what_is_installed_then_docker_then_memory(
    monkeypatch: pytest.MonkeyPatch,
    wanted: str,
    running: str | None,
    installed: bool,
    engine: bool,
    chosen: str,
) -> None:
    monkeypatch.setattr(
        programs, "missing", lambda _names: [] if installed else [programs.PROGRAMS["jaeger"]]
    )
    monkeypatch.setattr(docker, "answers", lambda: engine)
    assert stage._choose(wanted, None if running is None else State(running)) == chosen


def test_services_in_containers_are_built_awaited_read_and_taken_away(fake_docker: Path) -> None:
    state = control.up("docker")
    with ContainerServices(state) as services:
        services.start("http://127.0.0.1:4318")
        assert services.url("orders-api") == f"http://127.0.0.1:{state.ports['orders-api']}"
        assert [line["event"] for line in services.lines("t1")] == ["first", "second"]
    calls = (fake_docker / "calls").read_text().splitlines()
    assert any(
        "--profile demo up --detach --build --wait inbox payments-api orders-api" in call for call in calls
    )
    assert "--profile demo rm --stop --force" in calls[-1]
    control.down()


@pytest.mark.parametrize("broken", ["sandbox", "services"])
def test_where_docker_does_not_do_it_auto_looks_in_memory(
    fake_docker: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], broken: str
) -> None:
    (fake_docker / f"broken-{broken}").touch()
    monkeypatch.setattr(programs, "missing", lambda _names=native.NEEDED: [programs.PROGRAMS["jaeger"]])

    class Nothing(Exception):  # noqa: N818
        pass

    def in_memory(_alerts: Any) -> Any:
        raise Nothing

    monkeypatch.setattr(stage, "_in_memory", in_memory)
    with pytest.raises(Nothing), stage.set_up("auto", [], need_running=False):
        pass
    assert "looking in memory instead" in capsys.readouterr().err
    assert control.present() is None
    with pytest.raises(EnvironmentFault), stage.set_up("docker", [], need_running=False):
        pass

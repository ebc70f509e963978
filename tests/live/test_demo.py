"""The whole line: a request on every screen."""

from __future__ import annotations

import itertools
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import psutil
import pytest

from orders_obs.sandbox import native, programs
from tests.live.conftest import need


def environment(own_state: Path) -> dict[str, str]:
    kept = {key: value for key, value in os.environ.items() if key != "ORDERS_OBS_RAISE_INTERNAL_ERRORS"}
    return {**kept, "ORDERS_OBS_STATE_DIR": str(own_state)}


def demo(own_state: Path, *words: str) -> tuple[int, dict[str, Any], str]:
    command = [sys.executable, "-m", "orders_obs", *words, "--json"]
    done = subprocess.run(
        command, env=environment(own_state), capture_output=True, text=True, timeout=240, check=False
    )
    return done.returncode, json.loads(done.stdout) if done.stdout else {}, done.stderr


@pytest.fixture(scope="module")
def demonstrations(
    tmp_path_factory: pytest.TempPathFactory,
) -> dict[str, tuple[int, dict[str, Any], str, Path]]:
    """Exit code, report, standard error and state folder of both backends, one beside the other."""
    folders = {name: tmp_path_factory.mktemp(name) for name in ("embedded", "native")}
    command = [sys.executable, "-m", "orders_obs", "demo", "--backend", "embedded", "--json"]
    output = folders["embedded"].parent / "embedded.json"
    with (
        output.open("w") as out,
        subprocess.Popen(
            command, env=environment(folders["embedded"]), stdout=out, stderr=subprocess.PIPE, text=True
        ) as embedded,
    ):
        assert embedded.stderr is not None
        # Its ports are taken then, so that the other looks for others.
        said = list(itertools.takewhile(lambda line: not line.startswith("traffic"), embedded.stderr))
        found = {}
        if not programs.missing(native.NEEDED):
            found["native"] = (*demo(folders["native"], "demo", "--backend", "native"), folders["native"])
        said += list(embedded.stderr)
        code = embedded.wait(120)
    report = json.loads(output.read_text() or "{}")
    output.unlink()
    return {**found, "embedded": (code, report, "".join(said), folders["embedded"])}


@pytest.mark.parametrize("backend", ["embedded", "native"])
def test_the_demonstration_finds_everything(demonstrations: Any, backend: str) -> None:
    if backend == "native":
        need(*native.NEEDED)
    code, report, error, own_state = demonstrations[backend]
    assert report.get("missing") == [], error
    assert code == 0
    assert report["backend"] == backend
    parts = report["breakdown_ms"]
    assert parts["payment"] > 10, "the payments API takes 15 ms"
    assert parts["total"] >= parts["payment"] + parts["other"] > 0
    told, muted, firing = ({tuple(alert) for alert in report[key]} for key in ("expected", "muted", "firing"))
    assert len(told | muted) == 5
    # Only Alertmanager mutes: of an alert that is critical the warning is not told.
    assert len(muted) == (2 if backend == "native" else 0)
    assert told | muted <= firing
    resolved = {tuple(alert) for alert in report["resolved"]}
    assert told <= resolved
    assert {tuple(alert) for alert in report["fired"]} & muted <= resolved, (
        "a warning that was told is told to be over"
    )
    assert bool(report["panels"]) == (backend == "native")
    assert not list(own_state.rglob("*")), "nothing is left"


def test_verify_follows_every_link_of_a_sandbox_that_runs_and_leaves_it_running(
    sandbox: Any, own_state: Path
) -> None:
    code, report, error = demo(own_state, "sandbox", "verify")
    assert report.get("missing") == [], error
    assert code == 0
    assert all(service.process() for service in sandbox.services)


def test_verify_without_a_sandbox_is_exit_code_3(own_state: Path) -> None:
    code, _, error = demo(own_state, "sandbox", "verify")
    assert code == 3
    assert "no sandbox runs" in error


@pytest.mark.parametrize("backend", ["embedded", "native"])
def test_a_demonstration_that_is_ended_half_way_leaves_nothing(own_state: Path, backend: str) -> None:
    if backend == "native":
        need(*native.NEEDED)
    command = [sys.executable, "-m", "orders_obs", "demo", "--backend", backend]
    environment = {**os.environ, "ORDERS_OBS_STATE_DIR": str(own_state)}
    process = subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True)
    assert process.stderr is not None
    with process.stderr as said:
        for line in said:
            if line.startswith("traffic"):
                break
        family = psutil.Process(process.pid).children(recursive=True)
        assert len(family) >= 3
        process.terminate()
        assert process.wait(60) == 130
    _, alive = psutil.wait_procs(family, timeout=10)
    assert alive == []
    assert not list(own_state.rglob("*"))

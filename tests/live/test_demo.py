"""The whole line: a request on every screen."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import psutil
import pytest

from orders_obs.sandbox import native
from tests.live.conftest import need


def demo(own_state: Path, *words: str) -> tuple[int, dict[str, Any], str]:
    command = [sys.executable, "-m", "orders_obs", *words, "--json"]
    environment = {
        key: value for key, value in os.environ.items() if key != "ORDERS_OBS_RAISE_INTERNAL_ERRORS"
    }
    environment["ORDERS_OBS_STATE_DIR"] = str(own_state)
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=240, check=False)
    return done.returncode, json.loads(done.stdout) if done.stdout else {}, done.stderr


@pytest.mark.parametrize("backend", ["embedded", "native"])
def test_the_demonstration_finds_everything(own_state: Path, backend: str) -> None:
    if backend == "native":
        need(*native.NEEDED)
    code, report, error = demo(own_state, "demo", "--backend", backend)
    assert report.get("missing") == [], error
    assert code == 0
    assert report["backend"] == backend
    parts = report["breakdown_ms"]
    assert parts["payment"] > 10, "the payments API takes 15 ms"
    assert parts["total"] >= parts["payment"] + parts["other"] > 0
    assert len(report["fired"]) == len(report["resolved"]) == 5
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

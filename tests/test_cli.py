"""Exit codes, and one line for what went wrong."""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from orders_obs import cli
from orders_obs._resources import resource_path
from orders_obs.alerts.compile.outputs import OUTPUTS
from orders_obs.cli import main
from orders_obs.errors import EnvironmentFault, UserError


@pytest.mark.parametrize(
    ("error", "code", "text"),
    [
        (
            UserError("is wrong", hint="do this", file="a.yaml", line=3),
            2,
            "orders-obs: a.yaml:3: is wrong; do this\n",
        ),
        (UserError("is wrong", file="a.yaml"), 2, "orders-obs: a.yaml: is wrong\n"),
        (EnvironmentFault("is gone", hint="start it"), 3, "orders-obs: is gone; start it\n"),
        (KeyboardInterrupt(), 130, "orders-obs: interrupted\n"),
        (ZeroDivisionError("x"), 70, "orders-obs: internal error: ZeroDivisionError: x"),
    ],
)
def test_each_way_to_fail_has_its_exit_code_and_one_line(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    error: BaseException,
    code: int,
    text: str,
) -> None:
    def run(_args: argparse.Namespace) -> int:
        raise error

    def build_parser() -> argparse.ArgumentParser:
        parser = argparse.ArgumentParser()
        parser.set_defaults(run=run, debug=False)
        return parser

    monkeypatch.setattr(cli, "build_parser", build_parser)
    assert main([]) == code
    captured = capsys.readouterr()
    assert captured.err.startswith(text)
    assert captured.err.count("\n") == 1
    assert captured.out == ""


@pytest.mark.parametrize(
    "words", [[], ["nothing"], ["alerts"], ["alerts", "build"], ["sandbox", "up", "--backend", "x"]]
)
def test_wrong_words_are_exit_code_2(words: list[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main(words)
    assert caught.value.code == 2


@pytest.mark.parametrize("part", ["demo", "alerts", "dashboards", "sandbox"])
def test_a_part_is_the_same_command_under_its_modules_name(part: str) -> None:
    for command in ([part], ["demo"] if part == "demo" else [part]):
        done = subprocess.run(
            [sys.executable, "-m", f"orders_obs.{command[0]}", "--help"],
            capture_output=True,
            text=True,
            timeout=60,
            check=True,
        )
        assert f"usage: orders-obs {part}" in done.stdout


def test_a_reader_that_leaves_is_no_fault(tmp_path: Path) -> None:
    command = (
        f"{sys.executable} -m orders_obs alerts show --json --catalogue {resource_path('alerts')} | head -n 1"
    )
    done = subprocess.run(command, shell=True, capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout == "{\n"
    assert done.stderr == ""


@pytest.fixture(scope="session")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Built without network from this checkout."""
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    subprocess.run(
        command, cwd=resource_path("pyproject.toml").parent, capture_output=True, timeout=120, check=True
    )
    (file,) = folder.glob("*.whl")
    return file


def test_a_wheel_carries_what_the_commands_need(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    for wanted in (
        "orders_obs/py.typed",
        "orders_obs/alerts/packages/http-service.yaml",
        "orders_obs/_data/alerts/service.yaml",
        "orders_obs/_data/collector/otelcol.yaml",
        "orders_obs/_data/collector/native/jaeger/go.sum",
        "orders_obs/_data/dashboards/orders-api-production.json",
        "orders_obs/_data/examples/orders_api/app.py",
        "orders_obs/_data/docker-compose.obs.yml",
    ):
        assert wanted in names


def test_the_commands_of_a_wheel_work_in_an_empty_folder(wheel: Path, tmp_path: Path) -> None:
    """On the catalogue that it carries."""
    installed, here = tmp_path / "installed", tmp_path / "here"
    zipfile.ZipFile(wheel).extractall(installed)
    here.mkdir()
    builds = [f"alerts build --engine {engine} --env production -o built/{engine}" for engine in OUTPUTS]
    for command in (
        "alerts lint --strict",
        "alerts show --resolved",
        "alerts explain error_rate",
        "alerts contract",
        "resolve --env production",
        *builds,
    ):
        done = subprocess.run(
            [sys.executable, "-W", "error", "-m", "orders_obs", *command.split()],
            cwd=here,
            env={**os.environ, "PYTHONPATH": str(installed)},
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert done.returncode == 0, f"{command}: {done.stderr}"
    made = {folder.name for folder in (here / "built").iterdir() if any(folder.iterdir())}
    assert made == set(OUTPUTS)
    where = [sys.executable, "-c", "import orders_obs; print(orders_obs.__file__)"]
    env = {**os.environ, "PYTHONPATH": str(installed)}
    found = subprocess.run(where, cwd=here, env=env, capture_output=True, text=True, timeout=60, check=True)
    assert found.stdout.startswith(str(installed))

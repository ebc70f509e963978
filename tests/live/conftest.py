"""Tests against the real servers. Where they are not installed a test is skipped visibly; in CI that is a failure."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from orders_obs.sandbox import control, native, programs
from orders_obs.sandbox.state import State
from tests.live.emulator import Emulator, running

ROOT = Path(__file__).resolve().parents[2]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if Path(item.fspath).parent == Path(__file__).parent:
            item.add_marker(pytest.mark.live)


def need(*names: str) -> None:
    lacking = [program.name for program in programs.missing(names)]
    if not lacking:
        return
    reason = f"not installed: {', '.join(lacking)}; run `orders-obs sandbox install`"
    if os.environ.get("CI"):
        pytest.fail(reason)
    pytest.skip(reason)


@pytest.fixture
def program() -> Callable[[str], Path]:
    """The path of a native program."""

    def find(name: str) -> Path:
        need(name)
        path = programs.locate(name)
        assert path is not None
        return path

    return find


@pytest.fixture(autouse=True)
def own_state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A sandbox of the tests' own, beside whatever sandbox runs on this machine."""
    monkeypatch.setenv("ORDERS_OBS_STATE_DIR", str(tmp_path / "state"))
    return tmp_path / "state"


@pytest.fixture
def sandbox() -> Iterator[State]:
    need(*native.NEEDED)
    current = control.up("native")
    yield current
    control.down()


@pytest.fixture(scope="module")
def emulator() -> Iterator[Emulator]:
    """An AWS account of a module's own."""
    with running() as current:
        yield current

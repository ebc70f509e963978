"""The charting library is the published one, byte for byte."""

from __future__ import annotations

import base64
import hashlib
import json
import os
from importlib import resources
from pathlib import Path

import pytest

JUDGE = Path(__file__).parent / "uplot"
VENDOR = resources.files("orders_obs.dashboards.preview").joinpath("vendor")
SAID = json.loads(VENDOR.joinpath("uplot.json").read_text())
PLACES = {
    "LICENSE": "LICENSE",
    "uPlot.iife.min.js": "dist/uPlot.iife.min.js",
    "uPlot.min.css": "dist/uPlot.min.css",
}


def integrity(content: bytes) -> str:
    return "sha512-" + base64.b64encode(hashlib.sha512(content).digest()).decode()


def test_every_vendored_file_has_the_hash_that_is_written_down() -> None:
    assert {name: integrity(VENDOR.joinpath(name).read_bytes()) for name in PLACES} == SAID["files"]
    assert "MIT License" in VENDOR.joinpath("LICENSE").read_text()


def test_the_lock_names_the_same_package() -> None:
    locked = json.loads((JUDGE / "package-lock.json").read_text())["packages"]["node_modules/uplot"]
    assert (locked["version"], locked["integrity"]) == (SAID["version"], SAID["integrity"])
    assert "resolved" not in locked


def test_the_vendored_files_are_those_of_the_package() -> None:
    package = JUDGE / "node_modules/uplot"
    if not package.is_dir():
        reason = "the npm package uplot is not fetched: run `make uplot`"
        if os.environ.get("CI"):
            pytest.fail(reason)
        pytest.skip(reason)
    for name, place in PLACES.items():
        assert VENDOR.joinpath(name).read_bytes() == (package / place).read_bytes(), name

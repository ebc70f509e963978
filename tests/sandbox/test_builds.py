"""The alerts of the sandbox are builds of the catalogue, and fresh."""

from __future__ import annotations

from pathlib import Path

import pytest

from orders_obs.cli import main

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize(
    ("engine", "folder", "files"),
    [
        ("prometheus", "collector/prometheus/rules", {"demo.rules.yml", "demo.rules.test.yml"}),
        ("alertmanager", "collector/alertmanager", {"demo.alertmanager.yml"}),
    ],
)
def test_what_the_sandbox_runs_is_what_the_catalogue_builds(
    tmp_path: Path, engine: str, folder: str, files: set[str]
) -> None:
    words = ["alerts", "build", "--engine", engine, "--env", "demo", "--catalogue", str(ROOT / "alerts")]
    assert main([*words, "-o", str(tmp_path)]) == 0
    built = {file.name: file.read_text() for file in tmp_path.iterdir()}
    assert built.keys() == files
    committed = {file.name: file.read_text() for file in (ROOT / folder).iterdir() if file.name in files}
    stale = sorted(name for name, text in built.items() if committed.get(name) != text)
    assert stale == [], f"stale in {folder}: {stale}; `make rules` builds them"
    others = {file.name for file in (ROOT / folder).glob("*.yml")} - files
    assert others == set(), f"not built from the catalogue: {others}"

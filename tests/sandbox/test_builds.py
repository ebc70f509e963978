"""The alerts of the sandbox are builds of the catalogue, and fresh."""

from __future__ import annotations

from pathlib import Path

import pytest

from orders_obs.cli import main

ROOT = Path(__file__).resolve().parents[2]


def texts(folder: Path, names: set[str]) -> dict[str, str]:
    """By their path in the folder, the files of these names and those in folders of these names."""
    paths = {path.relative_to(folder): path for path in folder.rglob("*") if path.is_file()}
    return {str(inside): path.read_text() for inside, path in paths.items() if inside.parts[0] in names}


@pytest.mark.parametrize(
    ("engine", "folder", "files"),
    [
        ("prometheus", "collector/prometheus/rules", {"demo.rules.yml", "demo.rules.tests"}),
        ("alertmanager", "collector/alertmanager", {"demo.alertmanager.yml"}),
    ],
)
def test_what_the_sandbox_runs_is_what_the_catalogue_builds(
    tmp_path: Path, engine: str, folder: str, files: set[str]
) -> None:
    words = ["alerts", "build", "--engine", engine, "--env", "demo", "--catalogue", str(ROOT / "alerts")]
    assert main([*words, "-o", str(tmp_path)]) == 0
    assert {file.name for file in tmp_path.iterdir()} == files
    built, committed = texts(tmp_path, files), texts(ROOT / folder, files)
    stale = sorted(name for name in built.keys() | committed if committed.get(name) != built.get(name))
    assert stale == [], f"stale in {folder}: {stale}; `make rules` builds them"
    others = {file.name for file in (ROOT / folder).glob("*.yml")} - files
    assert others == set(), f"not built from the catalogue: {others}"

"""Every example of the README runs."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from orders_obs.alerts import load
from orders_obs.alerts.compile.outputs import OUTPUTS, build
from orders_obs.alerts.lint.catalogue_rules import lint_catalogue

ROOT = Path(__file__).resolve().parents[1]
README = (ROOT / "README.md").read_text()
PYTHON = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
COMMANDS = [
    line.partition("#")[0].strip()
    for block in re.findall(r"```sh\n(.*?)```", README, re.DOTALL)
    for line in block.splitlines()
    if line.startswith(".venv/bin/")
]

CALL = """
import asyncio, httpx
async def call():
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://t") as client:
        answer = await client.post("/api/v1/orders?customer_id=c1")
        assert answer.status_code == 201 and answer.headers["x-request-id"], answer.text
        assert 'orders_created_total{status="success"} 1.0' in (await client.get("/metrics")).text
asyncio.run(call())
"""


def test_the_service_of_the_readme_answers_counts_and_logs() -> None:
    (example,) = PYTHON
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", example + CALL],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    created, access = done.stdout.splitlines()
    assert '"event":"order created"' in created
    assert '"customer_id":"c1"' in created
    assert '"event":"API metrics"' in access


@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_of_the_readme_does_what_it_says(command: str, tmp_path: Path) -> None:
    for folder in ("alerts", "dashboards"):
        (tmp_path / folder).mkdir()
        for file in (ROOT / folder).iterdir():
            if file.is_file():
                (tmp_path / folder / file.name).write_bytes(file.read_bytes())
    words = [sys.executable, "-m", "orders_obs", *shlex.split(command)[1:]]
    done = subprocess.run(words, cwd=tmp_path, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout or done.stderr


def test_the_catalogue_of_the_readme_builds_for_every_engine_and_has_no_findings(tmp_path: Path) -> None:
    (example,) = re.findall(r"```yaml\n(.*?)```", README, re.DOTALL)
    (tmp_path / "alerts.yaml").write_text(example)
    catalogue = load(tmp_path)
    for engine in OUTPUTS:
        files, _ = build(catalogue.resolve("production"), engine)
        assert all(files.values())
    assert lint_catalogue(catalogue) == []


def test_there_are_commands_to_run_and_every_link_leads_somewhere() -> None:
    assert len(COMMANDS) >= 4
    for page in [ROOT / "README.md", *(ROOT / "docs").rglob("*.md")]:
        for target in re.findall(r"\]\(([^)#]+)\)", page.read_text()):
            if "://" not in target:
                assert (page.parent / target).exists(), f"{page.name}: {target}"


def test_the_dashboard_of_the_docs_builds(tmp_path: Path) -> None:
    (example,) = re.findall(r"```python\n(.*?)```", (ROOT / "docs/dashboards.md").read_text(), re.DOTALL)
    source = tmp_path / "checkout.dashboard.py"
    source.write_text(example)
    words = [sys.executable, "-m", "orders_obs", "dashboards", "build", str(source)]
    subprocess.run(words, cwd=ROOT, capture_output=True, timeout=60, check=True)
    assert (tmp_path / "checkout.json").is_file()

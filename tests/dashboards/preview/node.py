"""The page's scripts in Node, for what needs no browser."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

__all__ = ["ASSETS", "evaluate"]

ASSETS = Path(__file__).resolve().parents[3] / "orders_obs/dashboards/preview/assets"


def evaluate(scripts: list[str], expression: str, value: Any = None) -> Any:
    """What an expression is, of `value` and of what the scripts define."""
    node = shutil.which("node")
    if node is None:
        reason = "node is not installed"
        if os.environ.get("CI"):
            pytest.fail(reason)
        pytest.skip(reason)
    source = "\n".join((ASSETS / f"{name}.js").read_text() for name in scripts)
    program = f"{source}\nconst value = JSON.parse(require('fs').readFileSync(0, 'utf8'));\nconsole.log(JSON.stringify({expression}));"
    done = subprocess.run(
        [node, "-e", program],
        input=json.dumps(value),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)

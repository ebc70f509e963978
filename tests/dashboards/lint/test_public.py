"""What the lint says of well-made dashboards that others publish, fetched as Go modules."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from orders_obs.dashboards.lint.files import lint_paths

DASHBOARDS = {
    "github.com/thanos-io/thanos": "examples/dashboards/*.json",
    "istio.io/istio": "manifests/addons/dashboards/*dashboard*.json",
    "github.com/traefik/traefik/v3": "contrib/grafana/*.json",
    "k8s.io/ingress-nginx": "deploy/grafana/dashboards/[a-z]*.json",
    "github.com/jaegertracing/jaeger": "monitoring/jaeger-mixin/dashboard*.json",
}
# Each was looked at: a row of Istio's Pilot dashboard is three lines high in the file and holds panels of ten; a panel of nginx's has
# no place, and a threshold of a column there no value.
REAL = {
    ("pilot-dashboard.gen.json", "grid-overlap"): 13,
    ("nginx.json", "grid-missing"): 1,
    ("nginx.json", "thresholds-unordered"): 1,
}


@pytest.fixture(scope="session")
def public() -> list[Path]:
    """The dashboards of five projects, which `make public-dashboards` has fetched."""
    go = shutil.which("go")
    folder = Path(__file__).parent / "public_dashboards"
    offline = {**os.environ, "GOPROXY": "off"}
    command = [go or "go", "mod", "download", "-json"]
    done = (
        subprocess.run(command, cwd=folder, env=offline, capture_output=True, text=True, timeout=120, check=False)
        if go
        else None
    )  # fmt: skip
    if done is None or done.returncode != 0:
        reason = "the public dashboards are not there: they need Go, and `make public-dashboards`"
        if os.environ.get("CI"):
            pytest.fail(reason)
        pytest.skip(reason)
    return [
        file
        for module in modules(done.stdout)
        if module["Path"] in DASHBOARDS
        for file in sorted(Path(module["Dir"]).glob(DASHBOARDS[module["Path"]]))
    ]


def modules(text: str) -> list[dict[str, Any]]:
    found, decoder = [], json.JSONDecoder()
    while text := text.strip():
        module, end = decoder.raw_decode(text)
        found.append(module)
        text = text[end:]
    return found


def test_of_well_made_public_dashboards_only_real_defects_are_reported(public: list[Path]) -> None:
    assert len(public) == 21
    findings, read, passed = lint_paths(public)
    assert (len(read), passed) == (21, [])
    said = Counter(
        (Path(finding.where.rpartition(":")[0] or finding.where).name, finding.rule)
        for finding in findings
        if finding.level != "info" and finding.rule != "rate-window-fixed"
    )
    assert said == REAL


def test_fixed_windows_are_reported_where_they_are_and_nowhere_else(public: list[Path]) -> None:
    """Grafana's own linter says the same of them."""
    findings, _, _ = lint_paths(public)
    said = [
        finding for finding in findings if finding.rule == "rate-window-fixed" and finding.level != "info"
    ]
    assert len(said) == 47
    for finding in said:
        file, _, line = finding.where.rpartition(":")
        near = Path(file).read_text().splitlines()[int(line) - 1 : int(line) + 60]
        assert re.search(r"rate.*\[\d+[sm]\]", "\n".join(near)), finding

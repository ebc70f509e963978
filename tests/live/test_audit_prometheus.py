"""The audit of rules against a real Prometheus, that scrapes itself."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest

from orders_obs.aws.audit.prometheus import audit_prometheus
from tests.live.scraped import free_address, ready, running, wait_for

_CONFIG = """\
global: {scrape_interval: 1s, evaluation_interval: 1s}
rule_files: [rules.yml]
scrape_configs: [{job_name: prometheus, static_configs: [{targets: ["ADDRESS"]}]}]
"""
_RULES = """\
groups:
  - name: own
    rules:
      - alert: PrometheusGone
        expr: up{job="prometheus"} == 0
        for: 5m
        labels: {severity: critical}
        annotations: {summary: gone, runbook_url: "https://wiki.example.com/gone"}
      - alert: NeverSpelled
        expr: sum(rate(promhttp_metric_handler_request_total[5m])) > 1000
        labels: {severity: warning}
        annotations: {summary: spelled, runbook_url: "https://wiki.example.com/spelled"}
      - alert: JobRenamed
        expr: up{job="was-renamed"} == 0
        labels: {severity: warning}
        annotations: {summary: renamed, runbook_url: "https://wiki.example.com/renamed"}
      - alert: Twice
        expr: up + on (instance) group_left () (up or label_replace(up, "x", "y", "", "")) > 1
        labels: {severity: warning}
        annotations: {summary: twice, runbook_url: "https://wiki.example.com/twice"}
"""


@pytest.fixture
def prometheus(program: Callable[[str], Path], tmp_path: Path) -> Iterator[str]:
    program("prometheus")
    address = free_address()
    (tmp_path / "prometheus.yml").write_text(_CONFIG.replace("ADDRESS", address))
    (tmp_path / "rules.yml").write_text(_RULES)
    words = [
        f"--config.file={tmp_path}/prometheus.yml", f"--storage.tsdb.path={tmp_path}/data", f"--web.listen-address={address}",
    ]  # fmt: skip
    with (
        running("prometheus", words, tmp_path),
        httpx.Client(base_url=f"http://{address}", timeout=10) as client,
    ):
        wait_for(lambda: ready(client))
        wait_for(lambda: _failing(client))
        yield f"http://{address}"


def _failing(client: httpx.Client) -> bool:
    """Whether it has scraped itself, so that the last rule has something to fail on."""
    (group,) = client.get("/api/v1/rules").json()["data"]["groups"]
    return bool(group["rules"][-1]["health"] == "err")


def test_what_is_wrong_with_the_rules_of_a_live_prometheus_is_found_and_nothing_else(prometheus: str) -> None:
    result = audit_prometheus(prometheus, datetime.now(UTC))
    assert result.count == 4
    assert result.gaps == ()
    assert {(issue.rule, issue.thing) for issue in result.issues if issue.level != "info"} == {
        ("no-alertmanager", prometheus),
        ("metric-not-there", "own/NeverSpelled"),
        ("series-not-there", "own/JobRenamed"),
        ("rule-failing", "own/Twice"),
    }

"""The command: what it prints, and when it fails."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import pytest

from orders_obs.alerts.contract.cli import add_arguments, run
from orders_obs.errors import UserError

ROOT = Path(__file__).resolve().parents[3]


def command(*words: str) -> int:
    parser = argparse.ArgumentParser()
    add_arguments(parser)
    return run(parser.parse_args(words))


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "pyproject.toml").write_text("")
    (tmp_path / "app.py").write_text(
        "from prometheus_client import Counter, Histogram\n"
        "ORDERS = Counter('orders', 'Orders.', ['status'])\n"
        "WAIT = Histogram('wait_seconds', 'Wait.', buckets=(0.1, 1, 5))\n"
    )
    (tmp_path / "team.rules.yml").write_text(
        "groups:\n  - name: g\n    rules:\n"
        "      - {alert: A, expr: 'rate(order_total[5m]) > 1'}\n"
        "      - {alert: B, expr: 'sum by (code) (rate(orders_total[5m])) > 1'}\n"
        "      - {alert: C, expr: 'histogram_quantile(0.9, rate(wait_seconds_bucket[5m])) > 5'}\n"
    )
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_a_project_is_read_where_one_stands_and_an_error_fails(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert command("--rules", "team.rules.yml") == 1
    out = capsys.readouterr()
    assert out.out.startswith("team.rules.yml:4: error: A: order_total is emitted by nothing that was read")
    assert "did you mean orders_total?" in out.out
    assert "2 metrics in 1 files of source" in out.err


def test_as_data_it_is_a_baseline(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert command("--rules", "team.rules.yml", "--json") == 1
    text = capsys.readouterr().out
    assert {f["rule"] for f in json.loads(text)["findings"]} >= {"metric-not-emitted", "label-not-emitted"}
    (project / "known.json").write_text(text)
    assert command("--rules", "team.rules.yml", "--baseline", "known.json", "--strict") == 0


def test_strict_makes_a_warning_an_error(project: Path) -> None:
    (project / "also.txt").write_text("order_total\n")
    words = ("--rules", "team.rules.yml", "--also", "also.txt")
    assert (command(*words), command(*words, "--strict")) == (0, 1)


def test_the_inventory_is_listed(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert command("--rules", "team.rules.yml", "--list") == 0
    text = capsys.readouterr().out
    assert "orders_total{status}  counter  app.py:2\n" in text
    assert "wait_seconds{}  histogram  app.py:3\n    buckets 0.1, 1, 5\n" in text
    assert command("--rules", "team.rules.yml", "--list", "--json") == 0
    rows = {row["name"]: row for row in json.loads(capsys.readouterr().out)["emitted"]}
    assert rows["wait_seconds"]["buckets"] == [0.1, 1.0, 5.0]
    assert rows["http_requests_total"]["where"] == "orders_obs"


def test_buckets_can_be_pasted(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert command("--rules", "team.rules.yml", "--buckets") == 0
    line = capsys.readouterr().out.splitlines()[-1]
    assert eval(f"dict({line})") == {"buckets": (0.1, 1.0, 5.0, 10.0, 25.0)}
    assert command("--rules", "team.rules.yml", "--buckets", "--json") == 0
    (row,) = json.loads(capsys.readouterr().out)["histograms"]
    assert row == {
        "histogram": "wait_seconds",
        "thresholds": [5.0],
        "now": [0.1, 1.0, 5.0],
        "buckets": [0.1, 1.0, 5.0, 10.0, 25.0],
    }


def test_without_a_project_only_our_own_metrics_are_known_and_that_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert command() == 0
    assert "only the metrics of orders_obs are known; name a folder with --source" in capsys.readouterr().err
    with pytest.raises(UserError, match="is not there"):
        command("--source", "nowhere")


def test_this_repository_keeps_the_contract(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(ROOT)
    assert command("--source", "examples", "--source", "orders_obs", "--strict") == 0
    assert all(": info: " in line or line.startswith("    ") for line in capsys.readouterr().out.splitlines())

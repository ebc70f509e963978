from __future__ import annotations

import json

import pytest

from tests.dashboards.grafana_server.server import Fault, Grafana
from tests.dashboards.publishing.site import Site

Capture = pytest.CaptureFixture[str]
WORDS = (
    "annotate",
    "--text",
    "orders-api 1.4.2",
    "--tags",
    "deploy,service:orders-api",
    "--version",
    "1.4.2",
    "--time",
    "1764000000000",
)


def test_a_deployment_is_marked_once_for_a_version(grafana: Grafana, site: Site, capsys: Capture) -> None:
    site.settings(f"    url: {grafana.url}\n    environment: production\n")
    assert site(*WORDS) == 0
    assert site(*WORDS) == 0
    assert site("annotate", "--text", "again", "--version", "1.4.3") == 0
    assert [(entry["time"], entry["text"], entry["tags"]) for entry in grafana.store.annotations[:1]] == [
        (
            1764000000000,
            "orders-api 1.4.2",
            ["deploy", "service:orders-api", "env:production", "version:1.4.2"],
        )
    ]
    assert len(grafana.store.annotations) == 2
    assert "is there already" in capsys.readouterr().err


def test_a_dry_run_marks_nothing(grafana: Grafana, site: Site, capsys: Capture) -> None:
    assert site(*WORDS, "--dry-run", "--json") == 0
    assert grafana.writes == []
    assert json.loads(capsys.readouterr().out)["new"] is True


@pytest.mark.parametrize(("kind", "code"), [("lose", 0), ("drop", 3), (502, 3)])
def test_a_lost_answer_ends_in_one_mark_or_is_said(
    grafana: Grafana, site: Site, capsys: Capture, kind: str | int, code: int
) -> None:
    grafana.faults = [Fault(kind, "POST")]
    assert site(*WORDS) == code
    outcomes = [
        json.loads(line)["outcome"] for line in capsys.readouterr().err.splitlines() if line.startswith("{")
    ]
    assert outcomes == ["unknown" if code else "done"]
    assert site(*WORDS) == 0
    assert len(grafana.store.annotations) == 1


def test_a_mark_without_a_version_is_wrong_input(site13: Site, grafana13: Grafana, capsys: Capture) -> None:
    assert site13("annotate", "--text", "x") == 2
    assert "a mark needs a version" in capsys.readouterr().err
    assert site13("annotate", "--text", " ", "--version", "1") == 2
    assert site13("annotate", "--text", "x", "--version", "1" * 100) == 2
    assert grafana13.writes == []

from __future__ import annotations

import json

import pytest

from tests.dashboards.grafana_server.server import TOKEN, Fault, Grafana
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
    said = capsys.readouterr().err
    assert "a mark needs a version, and no commit was found for" in said
    assert "--version" in said
    assert site13("annotate", "--text", " ", "--version", "1") == 2
    assert site13("annotate", "--text", "x", "--version", "1" * 100) == 2
    assert grafana13.writes == []


def test_another_text_for_the_same_version_is_another_mark_and_what_is_there_is_shown(
    grafana: Grafana, site: Site, capsys: Capture
) -> None:
    back = (
        "annotate",
        "--text",
        "rollback to 1.4.2",
        "--tags",
        "deploy,service:orders-api",
        "--version",
        "1.4.2",
    )
    assert site(*WORDS) == 0
    assert site(*back) == 0
    assert "there with these tags: orders-api 1.4.2, 2025-11-24 16:00:00 UTC" in capsys.readouterr().err
    assert site(*back) == 0
    assert "--again makes one more" in capsys.readouterr().err
    assert [entry["text"] for entry in grafana.store.annotations] == ["orders-api 1.4.2", "rollback to 1.4.2"]


@pytest.mark.parametrize("kind", [None, "lose"])
def test_the_same_mark_is_made_again_when_asked(grafana: Grafana, site: Site, kind: str | None) -> None:
    assert site(*WORDS) == 0
    grafana.faults = [Fault(kind, "POST")] if kind else []
    assert site(*WORDS[:-1], "1764000060000", "--again") == 0
    assert [entry["time"] for entry in grafana.store.annotations] == [1764000000000, 1764000060000]


@pytest.mark.parametrize(
    ("when", "said"),
    [
        ("1764000000", "is before the year 2000; it is in milliseconds: 1764000000000"),
        ("0", "is before the year 2000; it is in milliseconds of the epoch"),
        ("1764000000000000", "is more than a day ahead; it is in milliseconds of the epoch"),
    ],
)
def test_a_time_that_cannot_be_meant_is_wrong_input(
    site13: Site, grafana13: Grafana, capsys: Capture, when: str, said: str
) -> None:
    assert site13(*WORDS[:-1], when) == 2
    assert said in capsys.readouterr().err
    assert grafana13.requests == []


def test_a_secret_in_the_text_is_taken_out_before_it_is_sent(
    site13: Site, grafana13: Grafana, capsys: Capture
) -> None:
    for _ in range(2):
        assert site13("annotate", "--text", f"deployed with {TOKEN}", "--tags", TOKEN, "--version", "1") == 0
    assert [(entry["text"], entry["tags"]) for entry in grafana13.store.annotations] == [
        ("deployed with [REDACTED]", ["[REDACTED]", "version:1"])
    ]
    said = capsys.readouterr()
    assert "what looks like a secret was taken out" in said.err
    assert TOKEN not in said.out + said.err

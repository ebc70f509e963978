from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

import pytest

from orders_obs.dashboards.preview.cli import register
from orders_obs.errors import EnvironmentFault, UserError
from tests.dashboards.preview.boards import dashboard, panel
from tests.dashboards.preview.fake import Fake


def run(*words: str) -> int:
    parser = argparse.ArgumentParser()
    register(parser.add_subparsers(required=True))
    args = parser.parse_args(["preview", *words])
    code: int = args.run(args)
    return code


@pytest.fixture
def board(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.chdir(tmp_path)

    def write(*panels: dict[str, Any], **more: Any) -> str:
        Path("board.json").write_text(json.dumps(dashboard(*panels, **more)))
        return "board.json"

    return write


def test_a_page_is_written_and_what_it_shows_is_said(
    board: Any, server: Fake, capsys: pytest.CaptureFixture[str]
) -> None:
    file = board(panel("timeseries", "lines"), panel("logs", "x", title="Lines"))
    assert run(file, "--prometheus", server.url) == 0
    assert Path("preview.html").read_text().startswith("<!doctype html>")
    out, err = capsys.readouterr()
    assert out == ""
    assert "not drawn: Test: Lines: log lines are not read" in err
    assert "1 of 2 panels drawn; wrote preview.html" in err


@pytest.mark.parametrize(("words", "code"), [((), 0), (("--check",), 1)])
def test_a_query_that_fails_is_said_and_is_1_with_check(
    board: Any, server: Fake, capsys: pytest.CaptureFixture[str], words: tuple[str, ...], code: int
) -> None:
    assert run(board(panel("timeseries", "fails", title="Rate")), "--prometheus", server.url, *words) == code
    assert "failed: Test: Rate: bad_data: invalid parameter" in capsys.readouterr().err
    assert Path("preview.html").is_file()


def test_check_is_0_where_nothing_fails(board: Any, server: Fake) -> None:
    assert (
        run(board(panel("timeseries", "empty"), panel("logs", "x")), "--prometheus", server.url, "--check")
        == 0
    )


def test_a_variable_without_values_is_said_once_and_not_panel_by_panel(
    board: Any, server: Fake, capsys: pytest.CaptureFixture[str]
) -> None:
    job = {"name": "job", "type": "query", "query": "label_values(up, job)", "current": {"value": "checkout"}}
    file = board(*(panel("stat", "empty", title=f"S{at}") for at in range(3)), templating={"list": [job]})
    assert run(file, "--prometheus", server.url) == 0
    err = capsys.readouterr().err
    assert err.startswith("Test: job=checkout has no values here; there are orders-api, payments-api\n")
    assert "no data" not in err


def test_json_is_each_panel_as_data(board: Any, server: Fake, capsys: pytest.CaptureFixture[str]) -> None:
    run(board(panel("timeseries", "lines")), "--prometheus", server.url, "--json", "-o", "p.html")
    found = json.loads(capsys.readouterr().out)
    assert found["output"] == "p.html"
    assert found["panels"] == [{"dashboard": "Test", "title": "timeseries", "kind": "timeseries", "state": "ok", "reason": "", "series": 3, "notes": []}]  # fmt: skip


def test_a_dry_run_writes_nothing(board: Any, server: Fake) -> None:
    assert run(board(panel("timeseries", "lines")), "--prometheus", server.url, "--dry-run") == 0
    assert not Path("preview.html").exists()


def test_variables_and_times_are_given(board: Any, server: Fake) -> None:
    job = {"name": "job", "type": "query", "multi": True, "query": "label_values(up, job)"}
    file = board(panel("timeseries", "x{job=~'$job'}"), templating={"list": [job]})
    words = (
        "--var",
        "job=a",
        "--var",
        "job=b",
        "--from",
        "2026-03-18T13:00:00Z",
        "--to",
        "2026-03-18T14:00:00Z",
    )
    run(file, "--prometheus", server.url, *words)
    (asked,) = [values for _, path, values in server.asked if path == "/api/v1/query_range"]
    assert asked["query"] == "x{job=~'(a|b)'}"
    assert (asked["start"], asked["end"]) == ("1773838800", "1773842400")


@pytest.mark.parametrize(
    "words",
    [
        ("--var", "job"),
        ("--scrape-interval", "soon"),
        ("--timeout", "0"),
        ("--from", "yesterday"),
        ("--jaeger", "nowhere"),
    ],
)
def test_a_wrong_option_is_said(board: Any, server: Fake, words: tuple[str, ...]) -> None:
    with pytest.raises(UserError):
        run(board(), "--prometheus", server.url, *words)


def test_a_prometheus_that_is_not_there_is_a_fault_and_nothing_is_written(board: Any) -> None:
    with pytest.raises(EnvironmentFault):
        run(board(), "--prometheus", "http://127.0.0.1:1")
    assert not Path("preview.html").exists()

"""Findings are said the same way by every check."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from orders_obs.errors import UserError
from orders_obs.findings import Finding, exit_code, known, read_baseline, render, stricter, write_baseline

BAD = Finding("a-rule", "error", "f.yaml:3", "is wrong", "do it right")
ODD = Finding("b-rule", "warning", "f.yaml:1", "is odd")


def test_the_worst_comes_first_with_its_place_rule_and_remedy() -> None:
    assert render([ODD, BAD], as_json=False) == (
        "f.yaml:3: error: is wrong [a-rule]\n    do it right\nf.yaml:1: warning: is odd [b-rule]\n"
    )
    assert render([], as_json=False) == ""


def test_as_data_it_is_a_list_of_findings() -> None:
    assert json.loads(render([BAD], as_json=True)) == {
        "findings": [
            {
                "rule": "a-rule",
                "level": "error",
                "where": "f.yaml:3",
                "message": "is wrong",
                "hint": "do it right",
            }
        ]
    }


def test_only_an_error_is_a_reason_to_fail_unless_one_is_strict() -> None:
    assert (exit_code([ODD]), exit_code([ODD, BAD]), exit_code(stricter([ODD]))) == (0, 1, 1)


def test_a_baseline_hides_what_it_has_also_on_another_line(tmp_path: Path) -> None:
    write_baseline([ODD], tmp_path / "baseline.json")
    moved = Finding(ODD.rule, ODD.level, "f.yaml:9", ODD.message)
    assert known([moved, BAD], read_baseline(tmp_path / "baseline.json")) == ([BAD], 1)


@pytest.mark.parametrize("text", ["no json", '{"other": 1}', "[1]"])
def test_what_is_no_baseline_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "b.json").write_text(text)
    with pytest.raises(UserError, match="is no baseline; make one with --write-baseline FILE"):
        read_baseline(tmp_path / "b.json")
    with pytest.raises(UserError, match="cannot be read"):
        read_baseline(tmp_path / "none.json")


def test_of_one_level_and_file_the_first_line_comes_first() -> None:
    found = [Finding("r", "error", where, "m") for where in ("b:2", "a:101", "a:33", "a", "b:1")]
    places = [line.partition(": error")[0] for line in render(found, as_json=False).splitlines()]
    assert places == ["a", "a:33", "a:101", "b:1", "b:2"]

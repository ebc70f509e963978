from __future__ import annotations

from pathlib import Path

import pytest

from orders_obs.cli import main

GOOD = """
from orders_obs.dashboards.grafana import ModernDashboard, lay_out
from orders_obs.dashboards.panels import panel_of

dashboard = ModernDashboard(title="Mine", uid="mine", panels=lay_out([(8, [panel_of("http_requests")])]))
"""


def test_build_writes_json_beside_the_source_and_the_same_again(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    source = tmp_path / "mine.dashboard.py"
    source.write_text(GOOD)
    assert main(["dashboards", "build", str(source)]) == 0
    first = (tmp_path / "mine.json").read_bytes()
    assert main(["dashboards", "build", str(source)]) == 0
    assert (tmp_path / "mine.json").read_bytes() == first
    assert "unchanged" in capsys.readouterr().err


def test_check_is_1_for_a_stale_file_and_writes_nothing(tmp_path: Path) -> None:
    source = tmp_path / "mine.dashboard.py"
    source.write_text(GOOD)
    assert main(["dashboards", "build", "--check", str(source)]) == 1
    assert not (tmp_path / "mine.json").exists()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("x = 1\n", "mine.dashboard.py: defines no variable `dashboard`"),
        ("dashboard = (\n", "mine.dashboard.py:1: does not parse"),
        ("a = 1\nraise RuntimeError('no')\n", "mine.dashboard.py:2: does not run: RuntimeError: no"),
        (
            "from orders_obs.dashboards.panels import panel_of\npanel_of('nothing')\n",
            "mine.dashboard.py:2: does not run: KeyError",
        ),
    ],
)
def test_a_broken_file_is_one_error_with_file_and_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], text: str, expected: str
) -> None:
    source = tmp_path / "mine.dashboard.py"
    source.write_text(text)
    assert main(["dashboards", "build", str(source)]) == 2
    assert expected in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == [source]


def test_a_folder_without_dashboards_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["dashboards", "build"]) == 2
    assert "holds no dashboards" in capsys.readouterr().err

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from orders_obs.cli import main

ROOT = Path(__file__).resolve().parents[2]
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


def own_folder(tmp_path: Path, service: str | None) -> Path:
    """A folder with a copy of the set's sources, and a catalogue of its own where a service is named."""
    for source in (ROOT / "dashboards").glob("*.dashboard.py"):
        (tmp_path / source.name).write_text(source.read_text())
    if service:
        shutil.copytree(ROOT / "alerts", tmp_path / "alerts")
        for file in (tmp_path / "alerts").rglob("*.yaml"):
            file.write_text(file.read_text().replace("service: orders-api", f"service: {service}"))
    return tmp_path


def test_the_set_draws_the_alerts_of_the_folder_where_it_is_built(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(own_folder(tmp_path, "checkout"))
    assert main(["dashboards", "build", *map(str, sorted(Path().glob("*.dashboard.py")))]) == 0
    assert "shipped" not in capsys.readouterr().err
    for file in Path().glob("*.json"):
        variables = json.loads(file.read_text())["templating"]["list"]
        shown = [one["current"]["value"] for one in variables if one["name"] == "job"]
        assert shown in ([["checkout"]], []), file


def test_build_says_once_that_the_alerts_are_those_of_the_shipped_catalogue(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(own_folder(tmp_path, None))
    assert main(["dashboards", "build", *map(str, sorted(Path().glob("*.dashboard.py")))]) == 0
    assert capsys.readouterr().err.count("there is no folder alerts here") == 1
    for file in Path().glob("*.json"):
        assert file.read_bytes() == (ROOT / "dashboards" / file.name).read_bytes(), file


def test_a_dashboard_without_alerts_says_nothing_of_a_catalogue(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("mine.dashboard.py").write_text(GOOD)
    assert main(["dashboards", "build", "mine.dashboard.py"]) == 0
    assert "catalogue" not in capsys.readouterr().err


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("x = 1\n", "mine.dashboard.py: defines no variable `dashboard`"),
        ("dashboard = (\n", "mine.dashboard.py:1: does not parse"),
        ("a = 1\nraise RuntimeError('no')\n", "mine.dashboard.py:2: does not run: RuntimeError: no"),
        (
            "from orders_obs.dashboards.panels import panel_of\npanel_of('nothing')\n",
            "mine.dashboard.py:2: 'nothing' is no signal; ",
        ),
        (
            "from orders_obs.dashboards.panels import panel_of\n\npanel_of('http_request')\n",
            "mine.dashboard.py:3: 'http_request' is no signal; did you mean http_requests",
        ),
        (GOOD.replace("(8, [", "([").replace(")])]", ")])]"), "mine.dashboard.py:5: a row is 1 panels without a height"),
        (GOOD.replace('uid="mine"', 'uid="my dashboard"'), "mine.dashboard.py: the uid 'my dashboard' is one that Grafana refuses"),
    ],
)  # fmt: skip
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

"""`orders-obs dashboards lint` as a person calls it."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

import pytest

from orders_obs.dashboards.lint import cli, structure
from orders_obs.dashboards.lint.contract import against_contract
from orders_obs.dashboards.lint.files import lint_paths, read_dashboard
from orders_obs.errors import EnvironmentFault, UserError

ROOT = Path(__file__).resolve().parents[3]


def run(*words: Any) -> int:
    parser = argparse.ArgumentParser()
    cli.register(parser.add_subparsers(required=True))
    args = parser.parse_args(["lint", *map(str, words)])
    return int(args.run(args))


@pytest.fixture
def file(tmp_path: Path, good: dict[str, Any]) -> Path:
    path = tmp_path / "orders.json"
    path.write_text(json.dumps(good, indent=2))
    return path


def broken(file: Path) -> int:
    """Break the first query; the line of it."""
    content = json.loads(file.read_text())
    content["panels"][0]["targets"][0]["expr"] = "sum("
    file.write_text(json.dumps(content, indent=2))
    before = file.read_text().partition('"sum("')[0]
    return before[: before.rindex("      {\n          ")].count("\n") + 1


def test_a_clean_dashboard_exits_0_and_says_so(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(file) == 0
    out, err = capsys.readouterr()
    assert (out, err) == ("", "nothing found\n")


def test_an_error_exits_1_with_the_line_where_the_query_begins(
    file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    line = broken(file)
    assert run(file) == 1
    out, _ = capsys.readouterr()
    assert out.startswith(f"{file}:{line}: error: panel 'Requests', query A: `sum(` is no PromQL: ")
    assert "[promql-invalid]" in out


def test_findings_as_data_are_a_baseline_that_a_line_above_does_not_change(
    file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    broken(file)
    assert run(file, "--json") == 1
    out, _ = capsys.readouterr()
    (finding,) = json.loads(out)["findings"]
    assert finding["rule"] == "promql-invalid"
    baseline = tmp_path / "baseline"
    baseline.write_text(out)
    file.write_text("\n\n" + file.read_text())
    assert run(file, "--baseline", baseline) == 0


def test_strict_makes_a_warning_an_error(file: Path) -> None:
    content = json.loads(file.read_text()) | {"refresh": "1s"}
    file.write_text(json.dumps(content))
    assert run(file) == 0
    assert run(file, "--strict") == 1


def test_the_rules_are_listed_each_with_its_reason(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("--rules", "--json") == 0
    rules = json.loads(capsys.readouterr().out)["rules"]["dashboard"]
    assert rules["duplicate-ref-id"] == "Answers are told apart by refId, so of two of one refId one is lost."


def test_without_files_the_folder_dashboards_is_read(
    file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UserError, match="no dashboard is named"):
        run()
    (tmp_path / "dashboards").mkdir()
    file.rename(tmp_path / "dashboards/orders.json")
    (tmp_path / "dashboards/package.json").write_text('{"name": "x"}')
    assert run() == 0
    assert "1 dashboards read, 1 other JSON files passed over" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("{", "is not JSON"),
        ("[1]", "is no dashboard of Grafana"),
        ('{"name": "x"}', "is no dashboard of Grafana"),
        ("[" * 100_000, "is nested too deeply"),
    ],
)
def test_what_is_no_dashboard_is_refused_by_name(tmp_path: Path, content: str, message: str) -> None:
    path = tmp_path / "x.json"
    path.write_text(content)
    with pytest.raises(UserError, match=message):
        lint_paths([path])


@pytest.mark.parametrize("wrapper", ["dashboard", "spec"])
def test_a_dashboard_as_the_api_wraps_it_is_read(tmp_path: Path, good: dict[str, Any], wrapper: str) -> None:
    path = tmp_path / "x.json"
    path.write_text("\ufeff" + json.dumps({wrapper: good, "meta": {"version": 3}}))
    read = read_dashboard(path)
    assert read is not None
    assert read.dashboard == good


def test_links_are_held_against_the_dashboards_that_are_linted_together(
    tmp_path: Path, good: dict[str, Any]
) -> None:
    good["links"] = [{"title": "Payments", "type": "link", "url": "/d/payments/x", "targetBlank": False}]
    (tmp_path / "orders.json").write_text(json.dumps(good))
    assert lint_paths([tmp_path])[0] == []
    (tmp_path / "other.json").write_text(json.dumps(good | {"uid": "other", "links": []}))
    (finding,) = lint_paths([tmp_path])[0]
    assert (finding.rule, finding.where) == ("link-broken", f"{tmp_path / 'orders.json'}:1")
    (tmp_path / "third.json").write_text(json.dumps(good | {"uid": "payments", "links": []}))
    assert lint_paths([tmp_path])[0] == []


def test_the_contract_says_which_metrics_nobody_emits(
    file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    content = json.loads(file.read_text())
    content["panels"][0]["targets"][0]["expr"] = (
        'sum by (route) (rate(http_request_total{job=~"$job", instance=~"$instance"}[$__rate_interval]))'
    )
    file.write_text(json.dumps(content))
    assert run(file) == 0
    assert run(file, "--contract") == 1
    assert "http_request_total" in capsys.readouterr().out
    names = tmp_path / "names"
    names.write_text("http_request_total\n")
    assert run(file, "--contract", "--also", names) == 0


def test_the_contract_repeats_nothing_that_a_terminal_would_obey(file: Path, tmp_path: Path) -> None:
    text = file.read_text().replace("http_requests_total", "http_request_total")
    (tmp_path / "a\x1b[2J.json").write_text(text)
    found = against_contract([tmp_path / "a\x1b[2J.json"])
    assert "http_request_total" in found[0].message
    assert all((f.where + f.message + f.hint).isprintable() for f in found)


def test_of_this_projects_own_dashboards_each_metric_is_emitted_or_recorded() -> None:
    files = sorted((ROOT / "dashboards").glob("*.json"))
    found = against_contract(files, catalogue=str(ROOT / "alerts"))
    assert [finding for finding in found if finding.level == "error"] == []


def test_sources_without_the_contract_are_refused(file: Path) -> None:
    with pytest.raises(UserError, match="go with --contract"):
        run(file, "--source", "x")


def test_without_the_foundation_sdk_it_is_said_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    def gone(name: str) -> Any:
        raise ModuleNotFoundError(name)

    monkeypatch.setattr("importlib.import_module", gone)
    with pytest.raises(EnvironmentFault, match="foundation SDK") as fault:
        structure._module.__wrapped__("units")
    assert "orders-obs[dashboards]" in fault.value.hint


def test_a_broken_file_does_not_keep_the_others_from_being_judged(
    file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    broken(file)
    (tmp_path / "a.json").write_text("{")
    (tmp_path / "z.json").write_text("[")
    with pytest.raises(UserError, match="is not JSON") as fault:
        run(tmp_path)
    assert fault.value.file == tmp_path / "z.json"
    out, err = capsys.readouterr()
    assert "[promql-invalid]" in out
    assert f"orders-obs: {tmp_path / 'a.json'}:1: is not JSON" in err


def test_a_folder_without_a_dashboard_is_no_pass(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="holds no dashboard"):
        run(tmp_path)
    (tmp_path / "package.json").write_text('{"name": "x"}')
    with pytest.raises(UserError, match="holds no dashboard"):
        run(tmp_path)


def test_two_dashboards_of_one_uid_are_an_error(
    file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "other.json").write_text(file.read_text())
    assert run(tmp_path) == 1
    out, _ = capsys.readouterr()
    assert f"{tmp_path / 'other.json'}:1: error: the uid 'orders' is that of {file} too" in out
    assert run(file, tmp_path / "." / "orders.json") == 0


def test_the_source_of_a_dashboard_is_refused_with_the_name_of_what_is_built_from_it(tmp_path: Path) -> None:
    source = tmp_path / "orders.dashboard.py"
    source.write_text("dashboard = 1\n")
    with pytest.raises(UserError, match=r"is the source of a dashboard") as fault:
        run(source)
    assert fault.value.hint == f"give the built JSON, not the source: {tmp_path / 'orders.json'}"


def test_findings_are_in_the_order_of_their_lines(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    content = json.loads(file.read_text())
    for panel in content["panels"][:3]:
        panel["targets"][0]["expr"] = "sum("
    file.write_text(json.dumps(content, indent=2))
    assert run(file, "--json") == 1
    lines = [int(one["where"].rpartition(":")[2]) for one in json.loads(capsys.readouterr().out)["findings"]]
    assert lines == sorted(lines)
    assert lines[0] < 100 < lines[-1]

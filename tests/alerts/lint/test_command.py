"""`orders-obs alerts lint`: what it reads, what it prints, how it ends."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from orders_obs.alerts.lint.rules import BY_INPUT
from orders_obs.cli import main
from tests.alerts.lint.test_catalogue_rules import ROOT, SOUND
from tests.alerts.test_catalogue import write

ALARM = {
    "AlarmName": "errors",
    "Namespace": "AWS/ApplicationELB",
    "MetricName": "Errors",
    "Dimensions": [{"Name": "LoadBalancer", "Value": "app/shop/50dc6c495c0c9188"}],
    "Statistic": "Sum",
    "Period": 300,
    "EvaluationPeriods": 1,
    "Threshold": 5,
    "ComparisonOperator": "GreaterThanThreshold",
}
NAIVE = "groups: [{name: g, rules: [{alert: A, labels: {severity: page}, expr: 'histogram_quantile(0.99, x_seconds) > 1'}]}]\n"


def lint(capsys: pytest.CaptureFixture[str], *words: str | Path) -> tuple[int, str, str]:
    code = main(["alerts", "lint", *map(str, words)])
    captured = capsys.readouterr()
    return code, captured.out, captured.err


def test_without_a_file_it_reads_the_catalogue(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert lint(capsys, "--catalogue", ROOT / "alerts") == (0, "", "nothing found\n")
    path = write(tmp_path, SOUND.replace("when_missing: breach", "when_missing: keep"))
    code, out, err = lint(capsys, "--catalogue", path, "--env", "production")
    assert (code, err) == (1, "1 errors, 0 warnings, 0 worth knowing\n")
    assert out.startswith(f"{path}:33: error: hosts page: when the last one is gone")
    assert out.splitlines()[1] == "    say when_missing: breach"


def test_any_file_that_it_knows_is_told_by_its_content(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    write(tmp_path, SOUND)
    (tmp_path / "rules.yml").write_text(NAIVE)
    (tmp_path / "alarms.json").write_text(json.dumps({"MetricAlarms": [ALARM]}))
    (tmp_path / "other.json").write_text('{"some": "thing"}')
    (tmp_path / "part.yaml").write_text("catalogue: 1\nalerts: {}\n")
    code, out, err = lint(capsys, tmp_path, "--json")
    assert code == 1
    assert f"{tmp_path}: 3 files read, 2 of other kinds passed over" in err
    rules = {
        (Path(finding["where"].partition(":")[0]).name, finding["rule"])
        for finding in json.loads(out)["findings"]
    }
    assert {("rules.yml", "quantile-of-raw-histogram"), ("alarms.json", "metric-unknown")} <= rules
    assert not any(file in ("catalogue.yaml", "part.yaml", "other.json") for file, _ in rules)


def test_a_named_file_of_no_known_kind_is_refused(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    file = tmp_path / "other.json"
    file.write_text('{"some": "thing"}')
    code, out, err = lint(capsys, file)
    assert (code, out) == (2, "")
    assert "is nothing that lint knows; a catalogue, Prometheus rules, or alarms" in err
    code, _, err = lint(capsys, tmp_path / "none.yaml")
    assert (code, "cannot be read" in err) == (2, True)
    code, _, err = lint(capsys, file, "--env", "production")
    assert (code, "do not go with files" in err) == (2, True)


def test_warnings_are_errors_when_strict_and_silent_when_known(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    path = write(tmp_path, SOUND.replace("runbook_base: https://wiki.example.com/\n", ""))
    baseline = tmp_path / "baseline.json"
    assert lint(capsys, "--catalogue", path)[0] == 0
    assert lint(capsys, "--catalogue", path, "--strict")[0] == 1
    assert lint(capsys, "--catalogue", path, "--write-baseline", baseline)[0] == 0
    code, out, err = lint(capsys, "--catalogue", path, "--strict", "--baseline", baseline)
    assert (code, out) == (0, "")
    assert err == "0 errors, 0 warnings, 0 worth knowing, 6 in the baseline\n"
    assert lint(capsys, "--catalogue", path, "--write-baseline", tmp_path)[0] == 2


def test_the_rules_are_listed_with_their_reasons(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = lint(capsys, "--rules")
    assert code == 0
    assert all(name in out and why in out for rules in BY_INPUT.values() for name, why in rules.items())
    code, out, _ = lint(capsys, "--rules", "--json")
    assert json.loads(out) == {"rules": BY_INPUT}


def test_the_page_on_lint_has_every_rule_with_its_reason() -> None:
    page = (ROOT / "docs/lint.md").read_text()
    lacking = [
        name
        for rules in BY_INPUT.values()
        for name, why in rules.items()
        if f"| `{name}` |" not in page or why not in page
    ]
    assert lacking == []


@pytest.mark.parametrize("key", ["AlarmActions", "Dimensions"])
def test_aliases_that_stand_for_millions_of_values_are_refused(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, key: str
) -> None:
    lines = ["x0: &x0 [a, a, a, a, a, a, a, a, a, a]"]
    lines += [f"x{n}: &x{n} [{', '.join([f'*x{n - 1}'] * 10)}]" for n in range(1, 9)]
    resource = f"Resources: {{A: {{Type: 'AWS::CloudWatch::Alarm', Properties: {{{key}: *x8}}}}}}"
    file = tmp_path / "template.yaml"
    file.write_text("\n".join([*lines, resource]) + "\n")
    code, out, err = lint(capsys, file)
    assert (code, out) == (2, "")
    assert "its aliases stand for more than a million values" in err


def test_a_manifest_that_only_speaks_of_rules_is_passed_over(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    (tmp_path / "role.yaml").write_text("kind: ClusterRole\nrules: [{apiGroups: ['']}]\n")
    (tmp_path / "rules.yml").write_text(NAIVE)
    code, _, err = lint(capsys, tmp_path)
    assert code == 1
    assert "1 files read, 1 of other kinds passed over" in err

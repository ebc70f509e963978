"""The language: what it takes, what it refuses and how it says so."""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema
import pytest
import yaml

from orders_obs.alerts import load
from orders_obs.cli import main
from orders_obs.errors import UserError

ROOT = Path(__file__).resolve().parents[2]

GOOD = """\
catalogue: 1
service: shop
severities:
  critical: {page: true, topic: shop-critical}
  warning: {topic: shop-alerts}
environments:
  production: {account: "111122223333", region: eu-west-1, resources: {load_balancer: app/shop/1}}
  fast:
    every: 1s
    alerts:
      errors: {over: 5s, critical: {above: 50%}}
alerts:
  errors:
    signal: http_error_ratio
    critical: {above: 5%, over: 5m}
    warning: {above: 1%, over: 5m, breaching: 2 of 3}
    minimum: 100 requests
    when_missing: keep
  slow:
    signal: http_latency
    critical: {slower_than: 5s, above: 1%, over: 5m}
    minimum: 100 requests
  many:
    signal: orders_created
    warning: {above: 100 orders, over: 1m}
"""


def write(folder: Path, text: str) -> Path:
    path = folder / "catalogue.yaml"
    path.write_text(text)
    return path


def test_an_alert_is_what_its_words_say(tmp_path: Path) -> None:
    alerts = {(a.name, a.severity.name): a for a in load(write(tmp_path, GOOD)).resolve("production").alerts}
    warning = alerts["errors", "warning"]
    assert (warning.threshold, warning.over, warning.breaching, warning.samples) == (0.01, 300, 2, 3)
    assert (warning.minimum, warning.when_missing, warning.full_name) == (
        100,
        "keep",
        "shop-production-errors-warning",
    )
    assert warning.source.line == 16
    assert alerts["slow", "critical"].bound == 5
    assert alerts["many", "warning"].threshold == 100
    assert alerts["many", "warning"].when_missing == "ok"


def test_an_environment_overrides_what_it_names_and_nothing_else(tmp_path: Path) -> None:
    alerts = {(a.name, a.severity.name): a for a in load(write(tmp_path, GOOD)).resolve("fast").alerts}
    assert (alerts["errors", "critical"].threshold, alerts["errors", "critical"].over) == (0.5, 5)
    assert (alerts["errors", "warning"].threshold, alerts["errors", "warning"].over) == (0.01, 5)
    assert alerts["slow", "critical"].over == 300


@pytest.mark.parametrize(
    ("old", "new", "line", "said"),
    [
        ("above: 5%, over: 5m", "above: 5, over: 5m", 15, "'5' is no share; write 5% if that is what is meant"),
        ("above: 5%, over: 5m", "above: 150%, over: 5m", 15, "150% is no threshold of a share"),
        ("above: 5%, over: 5m", "above: 5%, over: 5", 15, "'5' is no duration; write it with its unit"),
        ("above: 5%, over: 5m", "above: 5%", 15, "does not say the length of a sample"),
        ("above: 5%, over: 5m", "above: 5%, below: 1%, over: 5m", 15, "exactly one of above, below, at_least and at_most"),
        ("above: 5%, over: 5m", "above: 5%, over: 90s", 15, "90s is no multiple of 1m"),
        ("above: 5%, over: 5m", "abvoe: 5%, over: 5m", 15, "abvoe: is not known in critical; did you mean above?"),
        ("2 of 3", "3 of 2", 16, "'3 of 2' is no M of N"),
        ("signal: http_error_ratio", "signal: http_eror_ratio", 14, "is no signal; did you mean http_error_ratio"),
        ("signal: http_error_ratio", "signal: deployment_done", 15, "is a condition, which has no meaning here"),
        ("    minimum: 100 requests\n    when_missing", "    when_missing", 15, "has no minimum"),
        ("minimum: 100 requests\n    when", "minimum: 100\n    when", 17, "'100' is no number of requests"),
        ("minimum: 100 requests\n    when", "minimum: 100 orders\n    when", 17, "'orders' is not what the signal counts"),
        ("when_missing: keep", "when_missing: ignore", 18, "'ignore' is no policy"),
        ("slower_than: 5s", "slower_than: 4s", 21, "4s is no bucket of http_request_duration_seconds"),
        ("slower_than: 5s, above", "above", 21, "does not say what is slow"),
        ("above: 100 orders", "above: 100 requests", 25, "'requests' is not what the signal counts; it counts orders"),
        ("  many:", "  errors:", 23, "errors: stands here a second time; the first is on line 13"),
        ("  many:", "  Many:", 23, "'Many' is no name"),
        ('account: "111122223333"', "account: 12", 7, "'12' is no AWS account"),
        ("      errors: {over", "      erors: {over", 11, "is no alert of this catalogue; did you mean errors?"),
        ("catalogue: 1", "catalogue: 2", 1, "is no version of the language"),
        ("service: shop\n", "", 1, "has no service"),
        ("alerts:\n  errors:", "alerts: [\n  errors:", 14, "is not YAML"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said_with_file_line_and_remedy_and_nothing_is_written(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], old: str, new: str, line: int, said: str
) -> None:
    assert GOOD.count(old) == 1
    path = write(tmp_path, GOOD.replace(old, new))
    out = tmp_path / "out"
    command = [
        "alerts",
        "build",
        "--engine",
        "prometheus",
        "--env",
        "production",
        "-o",
        str(out),
        "--catalogue",
        str(path),
    ]
    assert main(command) == 2
    error = capsys.readouterr().err
    assert error.startswith(f"orders-obs: {path}:{line}: ")
    assert said in error
    assert error.count("\n") == 1
    assert not out.exists()


def test_a_file_that_cannot_be_read_is_said(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="cannot be read: No such file"):
        load(tmp_path / "none.yaml")
    with pytest.raises(UserError, match="is empty"):
        load(write(tmp_path, ""))
    (tmp_path / "catalogue.yaml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(UserError, match="is not UTF-8"):
        load(tmp_path)


def test_an_unknown_environment_is_said_with_the_known_ones(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="did you mean production"):
        load(write(tmp_path, GOOD)).resolve("producton")


def test_show_prints_every_alert_and_where_it_stands(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["alerts", "show", "--env", "production", "--catalogue", str(ROOT / "alerts")]) == 0
    text = capsys.readouterr().out
    assert (
        "orders-api-production-error_rate-critical\n    fires while http_error_ratio is above 5% over 5m"
        in text
    )
    assert main(["alerts", "show", "--json", "--catalogue", str(ROOT / "alerts")]) == 0
    rows = json.loads(capsys.readouterr().out)["alerts"]
    assert {row["environment"] for row in rows} == {"production", "demo"}
    assert {row["kind"] for row in rows} == {"sampled", "burn", "event"}


def test_the_schema_for_editors_takes_the_shipped_catalogue_and_refuses_a_typo() -> None:
    schema = json.loads((ROOT / "alerts/catalogue.schema.json").read_text())
    jsonschema.Draft202012Validator.check_schema(schema)
    catalogue = yaml.safe_load((ROOT / "alerts/service.yaml").read_text())
    jsonschema.validate(catalogue, schema)
    jsonschema.validate(yaml.safe_load(GOOD), schema)
    catalogue["alerts"]["service_cpu"]["warning"]["abvoe"] = "5%"
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(catalogue, schema)

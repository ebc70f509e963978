"""An alert in words and numbers."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from orders_obs.alerts import Alert, load
from orders_obs.alerts.explain import explain, seconds_until
from orders_obs.cli import main
from tests.alerts.test_catalogue import GOOD, write

ROOT = Path(__file__).resolve().parents[2]


def alert(
    tmp_path: Path, condition: str, signal: str = "http_error_ratio", rest: str = "minimum: 100 requests"
) -> Alert:
    text = GOOD[: GOOD.index("alerts:\n  errors:")].replace(
        "      errors: {over: 5s, critical: {above: 50%}}\n", "      {}\n"
    )
    text += f"alerts:\n  one:\n    signal: {signal}\n    critical: {{{condition}}}\n    {rest}\n"
    return load(write(tmp_path, text)).resolve("production").alerts[0]


@pytest.mark.parametrize(
    ("condition", "before", "after", "expected"),
    [
        ("above: 5%, over: 5m", 0, 1, 60),  # a fifth of the sample is bad at the first look
        ("above: 5%, over: 5m", 0, 0.1, 180),  # 10 % of three fifths is 6 %; of two fifths it is 4 %
        ("above: 5%, over: 5m", 0, 0.05, None),  # a sample at the threshold does not breach
        ("above: 5%, over: 5m, breaching: 2 of 2", 0, 1, 360),  # the older sample has to breach too
        ("above: 5%, over: 5m, breaching: 1 of 2", 0, 1, 60),
        ("above: 5%, over: 5m", 1, 0, 300),  # until the last bad minute has left the sample
        ("above: 5%, over: 5m, breaching: 1 of 2", 1, 0, 600),
        ("below: 90%, over: 5m", 1, 0, 60),
        ("below: 90%, over: 5m", 1, 0.95, None),
    ],
)
def test_how_long_until_a_change_is_seen(
    tmp_path: Path, condition: str, before: float, after: float, expected: float | None
) -> None:
    assert seconds_until(alert(tmp_path, condition), before, after) == expected


def test_a_count_is_in_events_a_second(tmp_path: Path) -> None:
    made = alert(tmp_path, "above: 100 orders, over: 5m", "orders_created", "when_missing: ok")
    assert seconds_until(made, 0, 1) == 120  # 120 orders; after one minute there were 60
    assert seconds_until(made, 0, 0.2) is None
    assert seconds_until(made, 1, 0) == 240  # 60 of the last five minutes' orders are left


def test_the_rows_say_what_to_expect() -> None:
    alerts = load(ROOT / "alerts").resolve("production").alerts
    critical = next(alert for alert in alerts if alert.name == "error_rate")
    rows = dict(explain(critical).rows)
    assert rows["how fast"] == "at 100% after 1m; at 50% after 1m; at 10% after 3m"
    assert rows["recovers"] == "from 100% after 5m; from 50% after 5m; from 10% after 3m"
    assert rows["low traffic"] == "a sample with fewer than 100 events in 5m (20 a minute) is missing"
    assert rows["tells"] == (
        "on Alertmanager slack, pagerduty; on AWS topic orders-critical-production, slack, pagerduty; and pages"
    )
    assert rows["cloudwatch"].startswith("3 metrics, 0.30 USD a month at list price")


PLACE = """\
catalogue: 1
service: shop
severities: {critical: {%s}}
environments:
  production:
    account: "111122223333"
    region: eu-west-1
    resources: {cluster: shops, ecs_service: shop%s}
%s"""
CPU = "alerts: {cpu: {signal: service_cpu, critical: {above: 90%, over: 5m}}}\n"
SLACK = "page: true, topic: shop-critical, slack: secret:shop/slack"
NO_RELAY = "slack takes no message of SNS: name the relay as the resource relay_function"


@pytest.mark.parametrize(
    ("severity", "resources", "more", "told"),
    [
        (
            SLACK, "", "",
            f"on Alertmanager slack; on AWS nobody: topic shop-critical-production has no subscriber ({NO_RELAY}); and pages",
        ),
        (
            f"{SLACK}, email: [a@example.com]", "", "    engines: [cloudwatch]\n",
            f"topic shop-critical-production, a@example.com ({NO_RELAY}), and pages",
        ),
        (
            SLACK, ", relay_function: relay", "    engines: [cloudwatch]\n",
            "topic shop-critical-production, slack, and pages",
        ),
        (
            SLACK, "", "    engines: [cloudwatch]\n",
            f"nobody: topic shop-critical-production has no subscriber ({NO_RELAY})",
        ),
        (
            "topic: shop-critical, email: [a@example.com]", "", "    engines: [prometheus]\n",
            "nobody: the severity has no receiver there (no e-mail is sent without alertmanager: {smtp: …, from: …})",
        ),
        (
            '"page": true, topic: "arn:aws:sns:eu-west-1:111122223333:pages"', "", "    engines: [cloudwatch]\n",
            "topic pages, managed elsewhere, and pages",
        ),
    ],
)  # fmt: skip
def test_who_is_told_is_said_of_each_engine_as_it_is_there(
    severity: str, resources: str, more: str, told: str, tmp_path: Path
) -> None:
    text = PLACE % (severity, resources, more) + CPU
    (cpu,) = load(write(tmp_path, text)).resolve("production")
    assert dict(explain(cpu).rows)["tells"] == told


def test_what_an_engine_cannot_have_is_said_and_no_error(capsys: pytest.CaptureFixture[str]) -> None:
    words = ["alerts", "explain", "error_rate", "--env", "demo", "--catalogue", str(ROOT / "alerts")]
    assert main(words) == 0
    assert "cloudwatch   not there: demo has no such engine" in capsys.readouterr().out
    assert main([*words, "--json"]) == 0
    data = json.loads(capsys.readouterr().out)["alerts"]
    assert [row["name"] for row in data] == [
        "orders-api-demo-error_rate-critical",
        "orders-api-demo-error_rate-warning",
    ]


def test_an_unknown_alert_is_said_with_the_known_ones(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["alerts", "explain", "eror_rate", "--catalogue", str(ROOT / "alerts")]) == 2
    assert "did you mean error_rate?" in capsys.readouterr().err

"""Lint of a catalogue: every seeded defect is found at its line, its right form is left in peace."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from orders_obs.alerts import load
from orders_obs.alerts.lint import catalogue_rules
from orders_obs.alerts.lint.catalogue_rules import RULES, lint_catalogue
from orders_obs.errors import UserError
from orders_obs.findings import Finding
from orders_obs.signals import instruments
from tests.alerts.test_catalogue import write

ROOT = Path(__file__).resolve().parents[3]
TODAY = date(2026, 12, 1)

# Nothing is wrong with it; each defect below is one change of its text.
SOUND = """\
catalogue: 1
service: shop
owner: team-shop
runbook_base: https://wiki.example.com/
severities:
  page: {page: true, topic: shop-pages, slack: secret:shop/slack, pagerduty: secret:shop/pagerduty}
  team: {topic: shop-team, email: [team@example.com]}
  note: {log: true}
environments:
  production:
    account: "111122223333"
    region: eu-west-1
    traffic: 600 requests per minute
    alertmanager: {smtp: "mail.example.com:587", from: alerts@example.com}
    resources:
      load_balancer: app/shop/1
      target_group: targetgroup/shop/1
      db_instance: shop
      relay_function: relay
alerts:
  errors:
    signal: http_error_ratio
    minimum: 100 requests
    page: {above: 5%, over: 5m}
    team: {above: 2%, over: 5m}
  slow:
    signal: http_latency
    minimum: 100 requests
    team: {slower_than: 1s, above: 5%, over: 5m}
  hosts:
    signal: healthy_hosts
    when_missing: breach
    page: {below: 1 host, over: 1m, breaching: 3 of 3}
  orders:
    signal: orders_created
    team: {above: 50 orders, over: 5m}
  relay: {signal: relay_errors, page: {at_least: 1 error, over: 5m}}
  cpu:
    signal: rds_cpu
    team: {above: 80%, over: 5m}
"""

RAW = """\
  lag:
    severity: team
    raw:
      cloudwatch: {Namespace: AWS/RDS, MetricName: Nothing, Dimensions: [{Name: DBInstanceIdentifier, Value: shop}], Statistic: Maximum,
        Period: 60, EvaluationPeriods: 5, Threshold: 60, ComparisonOperator: GreaterThanThreshold, TreatMissingData: breaching}
      prometheus: {expr: "histogram_quantile(0.99, x_seconds_bucket) > 1"}
"""

DEFECTS = [
    ("cannot-be-built", "over: 5m}\n  slow", "over: 5m, breaching: 1 of 289}\n  slow", "look"),
    ("cannot-be-built", "      db_instance: shop\n", "", "db_instance"),
    ("evaluated-nowhere", "signal: rds_cpu", "signal: rds_cpu\n    engines: [prometheus]", "no engine of any environment"),
    ("minimum-out-of-reach", "600 requests per minute", "10 requests per minute", "50 requests in 5m, below the minimum of 100"),
    ("minimum-too-small", "100 requests\n    page", "20 requests\n    page", "one event among 20 is 5%"),
    ("severities-crossed", "team: {above: 2%", "team: {above: 5%", "fires no sooner than page"),
    ("severities-crossed", "team: {above: 2%, over: 5m}", "team: {above: 7%, over: 15m}", "fires no sooner than page"),
    ("missing-hides-outage", "when_missing: breach", "when_missing: keep", "when_missing: keep does not fire"),
    ("quiet-count", "above: 50 orders", "below: 5 orders", "when_missing: ok does not fire then"),
    ("outage-unseen", "page: {below: 1 host", "page: {above: 100 hosts", "no alert sees a total outage"),
    ("short-page", "over: 5m}\n    team: {above: 2%", "over: 1m}\n    team: {above: 2%", "a single spike"),
    ("slow-page", "over: 1m, breaching: 3 of 3", "over: 15m, breaching: 3 of 3", "pages 45m after"),
    ("nobody-told", ", email: [team@example.com]", "", "severity team: nobody is told on AWS"),
    ("nobody-told", "topic: shop-team, ", "", "severity team: nobody is told on AWS: it has no topic"),
    ("receiver-unreachable", "      relay_function: relay\n", "", "slack takes no message of SNS"),
    ("receiver-unreachable", "secret:shop/pagerduty", "file:pagerduty", "a file is not there"),
    ("page-by-email", "email:", "page: true, email:", "which wakes nobody"),
    ("relay-unwatched", "  relay: {signal: relay_errors, page: {at_least: 1 error, over: 5m}}\n", "", "nobody hears when the relay fails"),
    ("missing-runbook", "runbook_base: https://wiki.example.com/\n", "", "has no runbook"),
    ("missing-owner", "owner: team-shop\n", "", "nobody answers for it"),
    ("mutes-nothing", "alerts:\n", "mute: {m: {alerts: [cpu], severities: [page], at: '02:00', for: 1h, reason: r}}\nalerts:\n", "no alert has"),
    ("call-refused", "alerts:\n", "mute: {m: {at: '02:00', for: 1h, reason: " + "r" * 1100 + "}}\nalerts:\n", "AWS refuses shop-production-m: Description: 1100 characters"),
    ("mute-over", "alerts:\n", "mute: {m: {at: 2026-11-01T02:00, for: 1h, reason: r}}\nalerts:\n", "was over on 2026-11-01"),
    ("waiver-over", "alerts:\n", "lint: {ignore: [{rule: short-page, reason: r, until: 2026-11-30}]}\nalerts:\n", "ended on 2026-11-30"),
    ("waiver-unused", "alerts:\n", "lint: {ignore: [{rule: short-page, reason: r, until: 2026-12-01}]}\nalerts:\n", "waives nothing"),
    ("metric-unknown", SOUND[-40:], SOUND[-40:] + RAW, "Nothing"),
    ("quantile-of-raw-histogram", SOUND[-40:], SOUND[-40:] + RAW, "x_seconds_bucket"),
    (
        "expensive-alarm",
        "signal: rds_cpu\n    team: {above: 80%, over: 5m}",
        "slo: {signal: http_error_ratio, objective: 99.9%, page: team, ticket: none}\n    engines: [cloudwatch]",
        "1.70 USD",
    ),
]  # fmt: skip


def lint(folder: Path, text: str) -> list[Finding]:
    return lint_catalogue(load(write(folder, text)), today=TODAY)


def test_a_sound_catalogue_has_no_findings(tmp_path: Path) -> None:
    assert lint(tmp_path, SOUND) == []


@pytest.mark.parametrize(("rule", "old", "new", "said"), DEFECTS)
def test_a_seeded_defect_is_found_where_it_stands(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, rule: str, old: str, new: str, said: str
) -> None:
    if rule == "expensive-alarm":
        monkeypatch.setattr(catalogue_rules, "_DEAR_USD", 1.0)
    assert SOUND.count(old) >= 1
    text = SOUND.replace(old, new, 1)
    found = [finding for finding in lint(tmp_path, text) if finding.rule == rule]
    assert any(said in finding.message + finding.hint for finding in found), found
    file, _, line = found[0].where.rpartition(":")
    assert file == str(tmp_path / "catalogue.yaml")
    assert 1 <= int(line) <= len(text.splitlines())


def test_a_threshold_at_the_top_of_the_buckets_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = SOUND.replace("slower_than: 1s", "slower_than: 10s")
    (found,) = lint(tmp_path, text)
    assert (found.rule, "10s has 1 buckets" in found.message) == ("few-buckets-above", True)
    assert instruments.HTTP_REQUEST_DURATION.buckets[-2:] == (10.0, 30.0)


def test_each_rule_has_a_reason_and_a_seeded_defect() -> None:
    seeded = {rule for rule, *_ in DEFECTS} | {"few-buckets-above"}
    assert set(RULES) - seeded == set()
    assert all(why.endswith(".") for why in RULES.values())


def test_the_shipped_catalogue_has_no_findings() -> None:
    assert lint_catalogue(load(ROOT / "alerts")) == []


def test_what_is_wrong_in_one_environment_only_says_in_which(tmp_path: Path) -> None:
    text = SOUND.replace(
        "alerts:\n",
        "  test:\n    traffic: 10 requests per minute\n    alertmanager: {smtp: 'm:25', from: a@example.com}\nalerts:\n",
        1,
    )
    findings = [finding for finding in lint(tmp_path, text) if finding.rule == "minimum-out-of-reach"]
    assert len(findings) == 3
    assert all(finding.message.endswith(" (in test)") for finding in findings)
    assert lint_catalogue(load(tmp_path), environment="production", today=TODAY) == []
    with pytest.raises(UserError, match="there is no environment 'prod'"):
        lint_catalogue(load(tmp_path), environment="prod")


def test_a_demonstration_is_not_judged_by_its_traffic(tmp_path: Path) -> None:
    text = SOUND.replace(
        "    traffic: 600 requests per minute", "    every: 1s\n    faster: 60\n    engines: [prometheus]"
    )
    text = text.replace("100 requests\n    page", "10 requests\n    page")
    assert {finding.rule for finding in lint(tmp_path, text)} == {"evaluated-nowhere"}  # RDS is not there


def test_a_waiver_holds_for_its_rule_and_its_alert_until_its_day(tmp_path: Path) -> None:
    broken = SOUND.replace("100 requests\n    page", "20 requests\n    page")
    waiver = "lint: {ignore: [{rule: minimum-too-small, alert: %s, reason: r, until: %s}]}\nalerts:\n"

    def rules(alert: str, until: str) -> list[str]:
        return [
            finding.rule
            for finding in lint(tmp_path, broken.replace("alerts:\n", waiver % (alert, until), 1))
        ]

    assert rules("errors", "2026-12-01") == []
    assert rules("slow", "2026-12-01") == ["minimum-too-small", "waiver-unused"]
    assert rules("errors", "2026-11-30") == ["minimum-too-small", "waiver-over"]


def test_a_new_rule_is_a_warning_until_the_catalogue_says_its_version(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = SOUND.replace("when_missing: breach", "when_missing: keep")
    assert [finding.level for finding in lint(tmp_path, broken)] == ["error"]
    check = catalogue_rules._CHECKS["missing-hides-outage"]
    newer = catalogue_rules._Check(check.level, check.why, check.find, since=2)
    monkeypatch.setitem(catalogue_rules._CHECKS, "missing-hides-outage", newer)
    assert [finding.level for finding in lint(tmp_path, broken)] == ["warning"]


def test_every_alert_that_an_engine_refuses_is_named_at_once(tmp_path: Path) -> None:
    long = "over: 5m, breaching: 1 of 289}"
    text = SOUND.replace("over: 5m}\n  slow", f"{long}\n  slow").replace(
        "over: 5m}\n  hosts", f"{long}\n  hosts"
    )
    findings = lint(tmp_path, text)
    assert {
        finding.message.partition(":")[0] for finding in findings if finding.rule == "cannot-be-built"
    } == {
        "errors",
        "slow",
    }

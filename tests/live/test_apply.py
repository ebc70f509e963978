"""The catalogue and an account, from the first import to the last alarm: the commands against an emulator that keeps every field.

Mute rules, `EvaluationWindow` and the composite of anything but `ALARM(…) OR ALARM(…)` are not in it; the fake of `tests/aws/fake` has them.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.live.emulator import Emulator

pytestmark = pytest.mark.live
ACCOUNT = "111122223333"
SHOP = """\
catalogue: 1
service: shop
owner: team-shop
include: [old.yaml]
severities:
  critical: {{page: true, topic: shop-critical, email: [oncall@example.com], pagerduty: secret:shop/pager}}
  warning: {{topic: shop-alerts, email: [shop@example.com]}}
  info: {{log: true}}
environments:
  production:
    account: "111122223333"
    region: eu-west-1
    resources: {{load_balancer: app/shop/1, cluster: shops, ecs_service: shop}}
log_groups: [/shop/api]
alerts:
  cpu:
    signal: service_cpu
    warning: {{above: {cpu}, over: 1m, breaching: 5 of 5}}
  errors:
    signal: http_error_ratio
    minimum: 100 requests
    when_missing: ok
    critical: {{above: 5%, over: 5m}}
    warning: {{above: 1%, over: 5m}}
  failed: {{signal: deployment_failed, severity: critical}}
  done: {{signal: deployment_done, severity: info}}
"""
OLD = {
    "AlarmName": "High CPU (by hand)",
    "AlarmDescription": "made in the console, a long time ago",
    "Namespace": "AWS/ECS",
    "MetricName": "CPUUtilization",
    "Dimensions": [{"Name": "ServiceName", "Value": "shop"}, {"Name": "ClusterName", "Value": "shops"}],
    "Statistic": "Average",
    "Period": 300,
    "EvaluationPeriods": 2,
    "Threshold": 95.0,
    "ComparisonOperator": "GreaterThanThreshold",
    "AlarmActions": ["arn:aws:sns:eu-west-1:111122223333:ops"],
}
Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(emulator: Emulator, tmp_path: Path) -> Run:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    # Calls that the emulator does not know are not worth another try.
    environment |= emulator.environment(ACCOUNT) | {"AWS_MAX_ATTEMPTS": "1"}

    def command(*words: str, cpu: str = "80%") -> tuple[int, str, str]:
        (tmp_path / "shop.yaml").write_text(SHOP.format(cpu=cpu))
        done = subprocess.run(
            [sys.executable, "-m", "orders_obs", "alerts", *words, "--env", "production", "--catalogue", "shop.yaml"],
            cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=120, check=False,
        )  # fmt: skip
        return done.returncode, done.stdout, done.stderr

    return command


def _clean(result: tuple[int, str, str]) -> tuple[int, str, str]:
    """A command that does what it should: the emulator knows no function to invoke and lists no metric, which is said and is no failure here."""
    code, _, err = result
    assert code == 0, err[-3000:]
    return result


def _alarms(emulator: Emulator) -> dict[str, dict[str, Any]]:
    client = emulator.client("cloudwatch", ACCOUNT)
    answer = client.describe_alarms(AlarmTypes=["MetricAlarm", "CompositeAlarm"])
    return {alarm["AlarmName"]: alarm for alarm in (*answer["MetricAlarms"], *answer["CompositeAlarms"])}


def test_a7_a12_l1_r4_from_import_to_destroy(emulator: Emulator, run: Run, tmp_path: Path) -> None:
    cloudwatch, sns = emulator.client("cloudwatch", ACCOUNT), emulator.client("sns", ACCOUNT)
    secrets, logs, events = (emulator.client(name, ACCOUNT) for name in ("secretsmanager", "logs", "events"))
    secrets.create_secret(
        Name="shop/pager", SecretString="https://events.pagerduty.com/integration/CANARY0/enqueue"
    )
    cloudwatch.put_metric_alarm(**OLD)
    theirs = {**OLD, "AlarmName": "theirs", "Threshold": 12.0}
    cloudwatch.put_metric_alarm(**theirs)
    before = _alarms(emulator)["theirs"]

    # Import: the alarm as it is, in the catalogue's words, and nothing of it changes.
    (tmp_path / "old.yaml").write_text("catalogue: 1\nalerts: {}\n")
    code, _, err = run("import", OLD["AlarmName"], "--severity", "warning", "-o", "old.yaml", "--force")
    if code == 2:
        (tmp_path / "old.yaml").unlink()
        pytest.fail(err)
    assert code == 0, err
    code, out, err = run("plan", "--adopt", OLD["AlarmName"], "--json")
    assert code == 0, (out, err)
    changes = {change["name"]: change for change in json.loads(out)["changes"]}
    assert (changes[OLD["AlarmName"]]["action"], changes[OLD["AlarmName"]]["fields"]) == ("tag", [])

    # Plan and apply.
    _clean(run("plan", "--adopt", OLD["AlarmName"], "-o", "plan.json"))
    code, out, err = _clean(run("apply", "--adopt", OLD["AlarmName"], "--plan", "plan.json", "--json"))
    record = json.loads(out)
    assert (record["event"], record["account"], record["by"]) == (
        "applied",
        ACCOUNT,
        f"arn:aws:iam::{ACCOUNT}:root",
    )
    assert "CANARY" not in out + err + (tmp_path / "plan.json").read_text()
    _clean(run("plan", "--check"))
    _clean(run("drift"))

    # What is there, asked of the emulator.
    made = _alarms(emulator)
    assert {
        "shop-production-cpu-warning",
        "shop-production-errors-critical",
        "shop-production-errors-warning",
        OLD["AlarmName"],
    } <= set(made)
    assert made["shop-production-errors-warning"]["ActionsSuppressor"] == "shop-production-errors-critical"
    (group,) = logs.describe_log_groups(logGroupNamePrefix="/shop/api/production")["logGroups"]
    assert group.get("retentionInDays", 30) == 30
    pattern = json.loads(events.describe_rule(Name="shop-production-failed-critical")["EventPattern"])
    assert pattern["detail"]["eventName"] == ["SERVICE_DEPLOYMENT_FAILED"]
    (target,) = events.list_targets_by_rule(Rule="shop-production-failed-critical")["Targets"]
    assert target["Arn"].endswith(":shop-critical-production")
    told = sns.list_subscriptions_by_topic(TopicArn=target["Arn"])["Subscriptions"]
    assert {entry["Protocol"] for entry in told} == {"email", "https"}

    # A second apply writes nothing; a change is one change.
    assert run("apply", "--yes")[2].count("[1/") == 0
    code, out, _ = run("plan", cpu="90%")
    assert "Threshold: 80 -> 90" in out
    _clean(run("apply", "--yes", cpu="90%"))
    assert _alarms(emulator)["shop-production-cpu-warning"]["Threshold"] == 90.0

    # By hand: seen, and repaired.
    by_hand = {key: value for key, value in OLD.items() if key != "AlarmActions"} | {
        "AlarmName": "shop-production-cpu-warning"
    }
    cloudwatch.put_metric_alarm(**by_hand)
    code, out, _ = run("drift", cpu="90%")
    assert (code, "somebody changed it" in out, "Threshold: 95 -> 90" in out) == (1, True, True)
    _clean(run("apply", "--yes", cpu="90%"))
    _clean(run("drift", cpu="90%"))

    # Let go, and taken away; what is others' is as it was.
    _clean(run("release", OLD["AlarmName"], "--yes", cpu="90%"))
    _clean(run("destroy", "--yes", cpu="90%"))
    left = _alarms(emulator)
    assert set(left) == {OLD["AlarmName"], "theirs"}
    assert {key: left["theirs"][key] for key in theirs} == {key: before[key] for key in theirs}
    assert not [topic for topic in sns.list_topics()["Topics"] if ":shop-" in topic["TopicArn"]]
    code, out, _ = run("record", cpu="90%")
    assert out.count("applied") >= 4

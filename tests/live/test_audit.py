"""The audit against an AWS emulator: an account with one of each defect, and a sound one, each read by the command itself.

What the emulator lacks stands in tests/aws/audit, on stubs: mute rules; metrics that AWS lists by what a service sends (here they are
put, which AWS allows for no namespace of its own); the confirmation of a subscription, which the emulator takes for given except for
e-mail, which it keeps pending; alarms of logs; EvaluationState; the age of a state, which nobody can set.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from orders_obs.aws.audit.rules import RULES
from tests.live.emulator import REGION, Emulator

_SOUND, _BROKEN = "111122223333", "444455556666"
_ROOT = Path(__file__).resolve().parents[2]
_BY_DEPTH: dict[str, Any] = {
    "Namespace": "Orders", "MetricName": "Depth", "Statistic": "Maximum", "Period": 60, "EvaluationPeriods": 3, "Threshold": 100.0,
    "ComparisonOperator": "GreaterThanThreshold", "TreatMissingData": "notBreaching",
}  # fmt: skip


class Account:
    """An account of the emulator, with what a test puts there."""

    def __init__(self, emulator: Emulator, number: str) -> None:
        self.number = number
        self.cloudwatch, self.sns, self.events, self.kms, self.logs, self.sqs = (
            emulator.client(service, number) for service in ("cloudwatch", "sns", "events", "kms", "logs", "sqs")
        )  # fmt: skip
        self.topics: dict[str, str] = {}

    def arn(self, service: str, rest: str) -> str:
        return f"arn:aws:{service}:{REGION}:{self.number}:{rest}"

    def topic(
        self,
        name: str,
        *,
        heard: bool = True,
        services: tuple[str, ...] = ("cloudwatch", "events"),
        **attributes: str,
    ) -> str:
        topic: str = self.sns.create_topic(Name=name, Attributes=attributes)["TopicArn"]
        statements = [
            {
                "Sid": service,
                "Effect": "Allow",
                "Principal": {"Service": f"{service}.amazonaws.com"},
                "Action": "sns:Publish",
                "Resource": topic,
            }
            for service in services
        ]
        policy = json.dumps({"Version": "2012-10-17", "Statement": statements})
        self.sns.set_topic_attributes(TopicArn=topic, AttributeName="Policy", AttributeValue=policy)
        if heard:
            self.listen(topic)
        return topic

    def listen(self, topic: str, **attributes: str) -> None:
        queue = self.arn("sqs", "listens")
        self.sns.subscribe(
            TopicArn=topic, Protocol="sqs", Endpoint=queue, Attributes=attributes, ReturnSubscriptionArn=True
        )

    def alarm(self, name: str, *actions: str, queue: str = "orders", **settings: Any) -> None:
        made = _BY_DEPTH | {
            "AlarmName": name, "AlarmActions": list(actions), "OKActions": list(actions),
            "Dimensions": [{"Name": "queue", "Value": queue}],
        } | settings  # fmt: skip
        self.cloudwatch.put_metric_alarm(**{key: value for key, value in made.items() if value is not None})

    def composite(self, name: str, rule: str, *actions: str, **settings: Any) -> None:
        self.cloudwatch.put_composite_alarm(
            AlarmName=name, AlarmRule=rule, AlarmActions=list(actions), OKActions=list(actions), **settings
        )

    def sends(self, *queues: str) -> None:
        data = [
            {"MetricName": "Depth", "Dimensions": [{"Name": "queue", "Value": queue}], "Value": 1.0}
            for queue in queues
        ]
        self.cloudwatch.put_metric_data(Namespace="Orders", MetricData=data)

    def rule(self, name: str, pattern: Any, *targets: str) -> None:
        self.events.put_rule(Name=name, EventPattern=json.dumps(pattern))
        if targets:
            self.events.put_targets(
                Rule=name, Targets=[{"Id": str(number), "Arn": arn} for number, arn in enumerate(targets)]
            )

    def key(self, *services: str) -> str:
        statements: list[dict[str, Any]] = [
            {
                "Effect": "Allow",
                "Principal": {"AWS": f"arn:aws:iam::{self.number}:root"},
                "Action": "kms:*",
                "Resource": "*",
            }
        ]
        statements += [
            {
                "Effect": "Allow",
                "Principal": {"Service": f"{service}.amazonaws.com"},
                "Action": ["kms:Decrypt", "kms:GenerateDataKey*"],
                "Resource": "*",
            }
            for service in services
        ]
        policy = json.dumps({"Version": "2012-10-17", "Statement": statements})
        # Of symmetric keys, which SNS wants, this emulator makes none.
        made = self.kms.create_key(Policy=policy, KeySpec="RSA_2048", KeyUsage="ENCRYPT_DECRYPT")
        key: str = made["KeyMetadata"]["KeyId"]
        return key


def audit(emulator: Emulator, account: str, *words: str) -> tuple[int, dict[str, Any], str]:
    done = subprocess.run(
        [sys.executable, "-m", "orders_obs", "audit", "--json", *words],
        cwd=_ROOT, env={**os.environ, **emulator.environment(account)}, capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip
    assert done.returncode in (0, 1), done.stderr
    return done.returncode, json.loads(done.stdout), done.stderr


def bad(data: dict[str, Any]) -> set[tuple[str, str]]:
    return {(one["rule"], one["thing"]) for one in data["findings"] if one["level"] != "info"}


@pytest.fixture(scope="module")
def sound(emulator: Emulator) -> str:
    account = Account(emulator, _SOUND)
    account.sends("orders", "refunds")
    ops = account.topic("ops")
    account.alarm("depth-warning", ops)
    account.alarm(
        "depth-critical",
        account.topic("safe", KmsMasterKeyId=account.key("cloudwatch", "events")),
        Threshold=500.0,
    )
    account.alarm("child", queue="refunds")
    account.composite("any", f'ALARM("{account.arn("cloudwatch", "alarm:child")}")', ops)
    account.alarm("announced", queue="refunds", Threshold=7.0)
    account.rule("states", {"source": ["aws.cloudwatch"], "detail": {"alarmName": ["announced"]}}, ops)
    scaling = account.arn("autoscaling", "scalingPolicy:1:resource/ecs/service/a/b:policyName/c")
    account.alarm(
        "TargetTracking-service/a/b-AlarmLow-1",
        scaling,
        queue="refunds",
        AlarmDescription="DO NOT EDIT OR DELETE.",
        OKActions=[],
    )
    account.alarm("filtered-in", account.topic("by-body", heard=False), queue="refunds", Threshold=9.0)
    account.listen(account.arn("sns", "by-body"), FilterPolicyScope="MessageBody", FilterPolicy=json.dumps({"AlarmName": [{"prefix": "filtered-"}]}))  # fmt: skip
    return _SOUND


@pytest.fixture(scope="module")
def broken(emulator: Emulator) -> set[tuple[str, str]]:
    account = Account(emulator, _BROKEN)
    account.sends("orders", "Refunds")
    ops = account.topic("ops")
    found = set()

    def seed(rule: str, thing: str) -> str:
        found.add((rule, thing))
        return thing

    account.alarm(seed("metric-other-dimensions", "other-case"), ops, queue="refunds")
    account.alarm(seed("metric-other-dimensions", "other-set"), ops, Dimensions=[])
    account.alarm("dead", ops, MetricName="NobodySendsIt", TreatMissingData="missing")
    account.alarm(seed("no-action", "silent"), Threshold=11.0)
    account.alarm(seed("actions-disabled", "off"), ops, ActionsEnabled=False, Threshold=12.0)
    account.alarm(seed("missing-ok-action", "never-over-critical"), ops, OKActions=[], Threshold=13.0)
    account.alarm("twice", ops, Threshold=14.0)
    account.alarm(seed("duplicate-alarm", "twice-again"), ops, Threshold=14.0)
    account.alarm("to-nowhere", account.arn("sns", seed("topic-missing", "deleted")), Threshold=15.0)
    account.alarm("to-nobody", account.topic(seed("topic-unheard", "deaf"), heard=False), Threshold=16.0)
    half = account.topic(seed("subscription-pending", "half"))
    account.sns.subscribe(TopicArn=half, Protocol="email", Endpoint="new@example.com")
    account.alarm("to-half", half, Threshold=17.0)
    slack = account.topic(seed("subscription-slack", "slack"), heard=False)
    account.sns.subscribe(
        TopicArn=slack, Protocol="https", Endpoint="https://hooks.slack.com/services/T0/B0/very-secret"
    )
    account.alarm("to-slack", slack, Threshold=18.0)
    filtered = account.topic(seed("subscription-filter-drops", "filtered"), heard=False)
    account.listen(filtered, FilterPolicy=json.dumps({"severity": ["critical"]}))
    account.alarm("to-filter", filtered, Threshold=19.0)
    called = account.topic(seed("subscription-function-fails", "called"), heard=False)
    account.sns.subscribe(
        TopicArn=called, Protocol="lambda", Endpoint=account.arn("lambda", "function:deleted")
    )
    account.alarm("to-function", called, Threshold=20.0)
    account.alarm(
        seed("function-forbids", "runs-nothing"), account.arn("lambda", "function:deleted"), Threshold=21.0
    )
    account.alarm(
        "shut-out", account.topic(seed("topic-policy-forbids", "shut"), services=("events",)), Threshold=22.0
    )
    account.alarm(
        "no-key",
        account.topic(seed("topic-key-of-aws", "aws-key"), KmsMasterKeyId="alias/aws/sns"),
        Threshold=23.0,
    )
    account.alarm(
        "key-shut",
        account.topic(seed("topic-key-forbids", "shut-key"), KmsMasterKeyId=account.key("events")),
        Threshold=24.0,
    )
    ending = account.key("cloudwatch", "events")
    account.alarm(
        "key-ends",
        account.topic(seed("topic-key-unusable", "ending-key"), KmsMasterKeyId=ending),
        Threshold=25.0,
    )
    account.kms.schedule_key_deletion(KeyId=ending, PendingWindowInDays=7)
    account.alarm("elsewhere", f"arn:aws:sns:us-east-1:{_BROKEN}:ops", Threshold=26.0)
    seed("action-elsewhere", "elsewhere")
    account.composite(
        seed("composite-child-missing", "childless"),
        f'ALARM("{account.arn("cloudwatch", "alarm:gone")}")',
        ops,
    )
    account.composite(
        seed("suppressor-missing", "unsuppressed"), f'ALARM("{account.arn("cloudwatch", "alarm:twice")}")', ops,
        ActionsSuppressor="gone", ActionsSuppressorWaitPeriod=60, ActionsSuppressorExtensionPeriod=60,
    )  # fmt: skip
    account.rule(seed("rule-without-target", "aimless"), {"source": ["aws.rds"]})
    account.rule(
        seed("rule-target-missing", "to-no-topic"), {"source": ["aws.rds"]}, account.arn("sns", "deleted")
    )
    account.topic("for-alarms", services=("cloudwatch",))
    account.rule(
        seed("rule-target-forbids", "not-let-in"), {"source": ["aws.rds"]}, account.arn("sns", "for-alarms")
    )
    account.topic("unheard", heard=False)
    account.rule(
        seed("rule-topic-unheard", "to-unheard"), {"source": ["aws.rds"]}, account.arn("sns", "unheard")
    )
    account.rule(
        seed("event-pattern-matches-nothing", "never"),
        {"source": ["aws.ecs"], "detail": {"eventName": ["deploymentStateChanged"]}},
        ops,
    )
    account.alarm(
        seed("alarm-never-fires", "above-100"), ops, Namespace="AWS/RDS", MetricName="CPUUtilization", Statistic="Average", Threshold=100.0,
        Dimensions=[{"Name": "DBInstanceIdentifier", "Value": "orders"}], EvaluationPeriods=5, TreatMissingData="missing",
    )  # fmt: skip
    account.alarm(
        seed("missing-data-on-sparse", "sparse"), ops, Namespace="AWS/ApplicationELB", MetricName="HTTPCode_ELB_5XX_Count", Statistic="Sum",
        Dimensions=[{"Name": "LoadBalancer", "Value": "app/shop/0123456789abcdef"}], TreatMissingData="missing",
    )  # fmt: skip
    return found


# Those that the emulator cannot show, as the module says; each stands in tests/aws/audit/test_rules.py.
_NOT_HERE = {
    "action-failed", "alarm-unheard", "metric-dead", "delivery-failing", "evaluation-error", "evaluation-partial", "flapping", "insufficient-data",
    "mute-expired", "mute-for-ever", "mute-unknown-alarm", "muted-now", "never-changed", "stuck-in-alarm", "suppressor-stuck",
    "page-by-email-only", "nearly-duplicate", "duplicate-other-receivers", "rule-disabled", "subscription-plain-http", "subscription-without-dead-letters",
}  # fmt: skip


def test_nothing_is_wrong_with_a_sound_account(emulator: Emulator, sound: str) -> None:
    code, data, _ = audit(emulator, sound, "--history")
    assert bad(data) == set()
    assert code == 0
    assert data["summary"]["alarms"] == 7
    assert [one["action"] for one in data["places"][0]["not_looked_at"]] == ["cloudwatch:ListAlarmMuteRules"]
    assert "ecs:list_clusters" not in data["places"][0]["calls"]


def test_each_defect_is_found_and_nothing_else(emulator: Emulator, broken: set[tuple[str, str]]) -> None:
    code, data, _ = audit(emulator, _BROKEN)
    assert bad(data) == broken
    assert code == 1
    # Each alarm is new, so that its metric may not be listed yet; and without ECS and CodeDeploy a deployment may watch the other.
    known = {(one["rule"], one["thing"]): one for one in data["findings"]}
    assert "The alarm is new" in known["metric-dead", "dead"]["hint"]
    assert known["metric-dead", "dead"]["level"] == "info"
    assert "Whether a deployment watches it could not be asked" in known["no-action", "silent"]["hint"]
    assert {one["action"] for one in data["places"][0]["not_looked_at"]} >= {
        "ecs:ListClusters",
        "codedeploy:ListApplications",
    }
    assert {rule for rule, _ in broken} & set(RULES) == set(RULES) - _NOT_HERE
    assert "very-secret" not in json.dumps(data)


def test_both_accounts_are_audited_in_one_go_and_reported_as_one_page(
    emulator: Emulator, sound: str, broken: set[tuple[str, str]], tmp_path: Path
) -> None:
    config = tmp_path / "credentials"
    config.write_text("".join(
        f"[{name}]\naws_access_key_id = {number}\naws_secret_access_key = of-nobody\n" for name, number in (("good", sound), ("bad", _BROKEN))
    ))  # fmt: skip
    environment = {
        key: value
        for key, value in emulator.environment().items()
        if not key.startswith("AWS_ACCESS") and "SECRET" not in key
    }
    done = subprocess.run(
        [sys.executable, "-m", "orders_obs", "audit", "--profile", "good", "--profile", "bad", "--html", str(tmp_path / "a.html"), "--resume", str(tmp_path / "kept")],
        cwd=_ROOT, capture_output=True, text=True, timeout=300, check=False,
        env={**{key: value for key, value in os.environ.items() if not key.startswith("AWS_")}, **environment, "AWS_SHARED_CREDENTIALS_FILE": str(config)},
    )  # fmt: skip
    assert done.returncode == 1, done.stderr
    page = (tmp_path / "a.html").read_text()
    for text in (f"{sound}/{REGION}", f"{_BROKEN}/{REGION}", "metric-other-dimensions"):
        assert text in page
        assert text in done.stdout
    kept = (tmp_path / "kept").read_text()
    for secret in ("very-secret", "new@example.com"):
        assert secret not in page + done.stdout + kept

"""From an alarm through a topic of a real emulator to a receiver: signed, confirmed, told once; and what is forged is not."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.live.emulator import REGION, Emulator
from tests.relay.receivers import CANARY, Answered, Receiver, receiving

ROOT = Path(__file__).resolve().parents[2]
ACCOUNT = "111122223333"
CRITICAL = f"arn:aws:sns:{REGION}:{ACCOUNT}:orders-critical-production"
UNLISTED = f"arn:aws:sns:{REGION}:{ACCOUNT}:somebody-elses"
NAME = "orders-api-production-error_rate-critical"
DESCRIPTION = (
    "Error rate: fires while http_error_ratio is above 5% over 5m; a sample needs 100 events."
    " Runbook: https://wiki.example.com/runbooks/error_rate"
)
REASON = "Threshold Crossed: 1 out of the last 1 datapoints [0.0725 (25/11/26 08:30:00)] was greater than the threshold (0.05)"


@dataclass
class Running:
    url: str
    process: subprocess.Popen[str]
    log: Path
    talk: Path

    def post(self, body: dict[str, Any] | bytes) -> httpx.Response:
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        return httpx.post(self.url, content=content, headers={"Content-Type": "text/plain"}, timeout=30)

    def lines(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.log.read_text().splitlines()]

    def events(self) -> list[str]:
        return [line["event"] for line in self.lines()]


def awaited(condition: Callable[[], Any], seconds: float = 20) -> Any:
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        found = condition()
        if found:
            return found
        time.sleep(0.05)
    pytest.fail("it did not happen")


@contextmanager
def relay(emulator: Emulator, folder: Path, **settings: str) -> Iterator[Running]:
    """`orders-obs relay` as a process of its own."""
    log, talk = folder / "relay.jsonl", folder / "relay.err"
    environment = {
        name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "ORDERS_OBS_RELAY"))
    }
    environment |= emulator.environment(ACCOUNT)
    environment |= {"ORDERS_OBS_RELAY_EMULATOR": emulator.url, "ORDERS_OBS_RELAY_TOPICS": CRITICAL}
    environment |= {f"ORDERS_OBS_RELAY_{name}": value for name, value in settings.items()}
    with log.open("w") as out, talk.open("w") as err:
        command = [sys.executable, "-m", "orders_obs", "relay", "--port", "0"]
        process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=out, stderr=err, text=True)
    try:
        said = awaited(
            lambda: (
                [line for line in talk.read_text().splitlines() if line.startswith("listening on ")]
                or process.poll()
            )
        )
        assert isinstance(said, list), talk.read_text()
        yield Running(said[0].split()[2].rstrip(":"), process, log, talk)
    finally:
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=20) == 0


@pytest.fixture
def slack() -> Iterator[Receiver]:
    with receiving() as receiver:
        yield receiver


@pytest.fixture
def topic(emulator: Emulator) -> str:
    found: str = emulator.client("sns").create_topic(Name=CRITICAL.rpartition(":")[2])["TopicArn"]
    assert found == CRITICAL
    return found


def subscribed(emulator: Emulator, topic: str, endpoint: str) -> bool:
    """Whether a subscription is confirmed: the emulator lists one that is pending with an ARN, too."""
    sns = emulator.client("sns")
    for item in sns.list_subscriptions_by_topic(TopicArn=topic)["Subscriptions"]:
        if item["Endpoint"] == endpoint:
            attributes = sns.get_subscription_attributes(SubscriptionArn=item["SubscriptionArn"])[
                "Attributes"
            ]
            return bool(attributes["PendingConfirmation"] == "false")
    return False


def subscribe(emulator: Emulator, topic: str, endpoint: str) -> None:
    emulator.client("sns").subscribe(TopicArn=topic, Protocol="http", Endpoint=endpoint)


@contextmanager
def overheard(emulator: Emulator, topic: str) -> Iterator[Receiver]:
    """A second subscriber, which keeps what SNS posts as it was signed."""
    with receiving("/sns") as receiver:
        subscribe(emulator, topic, receiver.url)
        confirmation = awaited(lambda: receiver.got and receiver.got[0])
        assert httpx.get(confirmation["SubscribeURL"]).status_code == 200
        yield receiver


def put_alarm(emulator: Emulator) -> None:
    """An alarm of metric math, which the emulator keeps and does not evaluate."""
    metric = {"Namespace": "AWS/ApplicationELB", "MetricName": "RequestCount", "Dimensions": []}
    emulator.client("cloudwatch").put_metric_alarm(
        AlarmName=NAME,
        AlarmDescription=DESCRIPTION,
        AlarmActions=[CRITICAL],
        OKActions=[CRITICAL],
        ComparisonOperator="GreaterThanThreshold",
        Threshold=0.05,
        EvaluationPeriods=1,
        Metrics=[
            {"Id": "result", "Expression": "m1 / 100", "Label": "Error rate", "ReturnData": True},
            {"Id": "m1", "MetricStat": {"Metric": metric, "Period": 300, "Stat": "Sum"}, "ReturnData": False},
        ],
    )


def set_state(emulator: Emulator, state: str, reason: str = REASON) -> None:
    emulator.client("cloudwatch").set_alarm_state(AlarmName=NAME, StateValue=state, StateReason=reason)


@pytest.mark.parametrize("version", ["1", "2"])
def test_a1_an_alarm_is_told_in_slack_by_a_signed_delivery_and_what_is_forged_or_sent_again_is_not(
    emulator: Emulator, topic: str, slack: Receiver, tmp_path: Path, version: str
) -> None:
    emulator.client("sns").set_topic_attributes(
        TopicArn=topic, AttributeName="SignatureVersion", AttributeValue=version
    )
    settings = {"SLACK_WEBHOOK": slack.url, "LOG_GROUPS": "/orders/api/production"}
    with overheard(emulator, topic) as heard, relay(emulator, tmp_path, **settings) as running:
        subscribe(emulator, topic, running.url)
        awaited(lambda: subscribed(emulator, topic, running.url))
        put_alarm(emulator)
        set_state(emulator, "ALARM")
        assert slack.arrived.acquire(timeout=20)
        (told,) = slack.got
        text = json.dumps(told, ensure_ascii=False)
        assert told["text"].endswith(f"*CRITICAL*: Error rate · {NAME}")
        assert "*Value*\\n7.25%" in text
        assert "*Threshold*\\n&gt; 5%" in text
        assert "<https://wiki.example.com/runbooks/error_rate|Runbook>" in text
        assert (
            f"{REGION}.console.aws.amazon.com/cloudwatch/home?region={REGION}#alarmsV2:alarm/{NAME}|Alarm>"
            in text
        )
        assert "log-group/$252Forders$252Fapi$252Fproduction/log-events" in text
        assert "Since <!date^" in text
        assert told["attachments"][0]["color"] == "#c0392b"

        genuine = awaited(lambda: [body for body in heard.got if body["Type"] == "Notification"])[0]
        assert genuine["SignatureVersion"] == version
        assert running.post(genuine).json() == {"result": "replayed"}
        for field, value in [
            ("Message", genuine["Message"].replace("ALARM", "OK")),
            ("MessageId", "00000000-0000-0000-0000-000000000000"),
            ("Timestamp", "2026-11-25T08:30:00.000Z"),
            ("Subject", "all is well"),
            ("Signature", genuine["Signature"][:-8] + "AAAAAAA="),
        ]:
            answer = running.post(genuine | {field: value})
            assert (answer.status_code, answer.json()) == (403, {"result": "signature"}), field
        elsewhere = genuine["SigningCertURL"].replace("127.0.0.1", "localhost")
        assert running.post(genuine | {"SigningCertURL": elsewhere}).json() == {"result": "certificate"}
        assert running.post(genuine | {"TopicArn": UNLISTED}).json() == {"result": "topic"}
        assert running.post(genuine | {"Message": "x" * 262_145}).status_code == 413
        assert running.post(b"x" * 700_000).status_code == 413
        assert len(slack.got) == 1

        set_state(emulator, "OK", "all is well")
        assert slack.arrived.acquire(timeout=20)
        assert "*RECOVERED* (critical): Error rate" in slack.got[1]["text"]
        set_state(emulator, "INSUFFICIENT_DATA", "none")
        set_state(emulator, "OK", "data again")
        awaited(lambda: "ok after no data" in running.log.read_text())
        assert len(slack.got) == 2
    said = running.log.read_text() + running.talk.read_text()
    assert CANARY not in said
    assert "WARNING" in said
    emulator.client("sns").delete_topic(TopicArn=topic)


def test_a_subscription_to_a_topic_that_is_not_listed_is_not_confirmed(
    emulator: Emulator, topic: str, slack: Receiver, tmp_path: Path
) -> None:
    other = emulator.client("sns").create_topic(Name=UNLISTED.rpartition(":")[2])["TopicArn"]
    with relay(emulator, tmp_path, SLACK_WEBHOOK=slack.url) as running:
        subscribe(emulator, other, running.url)
        awaited(lambda: "refused" in running.events())
        assert not subscribed(emulator, other, running.url)
        assert "confirmed" not in running.events()
    assert next(line["reason"] for line in running.lines() if line["event"] == "refused") == "topic"


def test_r3_the_address_comes_from_secrets_manager_and_a_new_one_is_read_when_it_is_refused(
    emulator: Emulator, topic: str, slack: Receiver, tmp_path: Path
) -> None:
    secrets = emulator.client("secretsmanager")
    with receiving(f"/services/T000/B000/{CANARY}old") as old, overheard(emulator, topic) as heard:
        old.answers += [Answered(404, b"no_service")] * 5
        secrets.create_secret(Name="orders/slack-webhook", SecretString=old.url)
        queue = emulator.client("sqs").create_queue(QueueName="letters")["QueueUrl"]
        settings = {"SLACK_SECRET": "orders/slack-webhook", "LATE_AFTER": "0.000001", "DEAD_LETTERS": queue}
        with relay(emulator, tmp_path, **settings) as running:
            emulator.client("sns").publish(TopicArn=topic, Subject="first", Message="first")
            first = awaited(lambda: [body for body in heard.got if body["Type"] == "Notification"])[0]
            assert running.post(first).status_code == 502
            secrets.put_secret_value(SecretId="orders/slack-webhook", SecretString=slack.url)
            assert running.post(first).json() == {"result": "delivered"}
    assert old.paths == ["/services/T000/B000/CANARY0b5f3cold"] * 2
    (told,) = slack.got
    # A genuine message that is late is told, and says that it is late.
    assert "*CRITICAL* LATE: first" in told["text"]
    # What failed is in the queue, and that it was delivered after all.
    kept = emulator.client("sqs").receive_message(QueueUrl=queue, MaxNumberOfMessages=10)["Messages"]
    assert sorted(json.loads(letter["Body"])["outcome"] for letter in kept) == ["delivered later", "failed"]
    assert CANARY not in running.log.read_text() + running.talk.read_text() + json.dumps(kept)

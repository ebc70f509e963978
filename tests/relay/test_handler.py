"""The Lambda function: what it tells, what it raises for, and what it says of it."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from orders_obs.errors import UserError
from orders_obs.relay import handler
from tests.relay.receivers import CANARY, Answered, Receiver, receiving
from tests.relay.sns import ALARM, TOPIC, WARNINGS, notification, record


class Context:
    def get_remaining_time_in_millis(self) -> int:
        return 6000


@pytest.fixture
def slack(monkeypatch: pytest.MonkeyPatch) -> Iterator[Receiver]:
    monkeypatch.setattr(handler, "_relay", None)
    monkeypatch.setenv("AWS_LAMBDA_FUNCTION_NAME", "orders-alert-relay")
    monkeypatch.setenv("ORDERS_OBS_RELAY_TOPICS", TOPIC)
    with receiving() as receiver:
        monkeypatch.setenv("ORDERS_OBS_RELAY_SLACK_WEBHOOK", receiver.url)
        yield receiver


def invoke(*bodies: dict[str, Any]) -> dict[str, int]:
    return handler.lambda_handler({"Records": [record(body) for body in bodies]}, Context())


def lines(capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    out = capsys.readouterr().out
    assert CANARY not in out
    return [json.loads(line) for line in out.splitlines()]


def test_an_alarm_is_told(slack: Receiver, capsys: pytest.CaptureFixture[str]) -> None:
    assert invoke(notification(ALARM)) == {"delivered": 1, "dropped": 0}
    # The message of the test is of another day.
    assert slack.got[0]["text"].endswith(
        "*CRITICAL* LATE: Error rate · orders-api-production-error_rate-critical"
    )
    line, metric = lines(capsys)
    assert (line["event"], line["receiver"]) == ("delivered", "slack (env:ORDERS_OBS_RELAY_SLACK_WEBHOOK)")
    assert metric["RelayDelivered"] == 1
    assert metric["_aws"]["CloudWatchMetrics"] == [
        {
            "Namespace": "Orders/Relay",
            "Dimensions": [["FunctionName"]],
            "Metrics": [{"Name": "RelayDelivered", "Unit": "Count"}],
        }
    ]
    assert metric["FunctionName"] == "orders-alert-relay"


def test_a_genuine_message_is_told_however_old_it_is(slack: Receiver) -> None:
    from datetime import timedelta

    from tests.relay.sns import NOW

    invoke(notification(ALARM, at=NOW - timedelta(days=23)))
    assert " LATE: " in slack.got[0]["text"]


def test_a_message_that_comes_twice_is_told_once(slack: Receiver, capsys: pytest.CaptureFixture[str]) -> None:
    body = notification(ALARM)
    invoke(body)
    assert invoke(body) == {"delivered": 0, "dropped": 1}
    assert len(slack.got) == 1
    assert lines(capsys)[-1] | {"_aws": None} == {
        "_aws": None,
        "FunctionName": "orders-alert-relay",
        "Reason": "replayed",
        "RelayDropped": 1,
    }


def test_what_fails_raises_so_that_lambda_tries_again_and_is_told_then(slack: Receiver) -> None:
    slack.answers += [Answered(404, b"no_service")]
    body = notification(ALARM)
    with pytest.raises(handler.Undelivered, match="1 of 1 messages: failed"):
        invoke(body)
    assert invoke(body)["delivered"] == 1


def test_ok_after_no_data_is_dropped_and_counted(slack: Receiver, capsys: pytest.CaptureFixture[str]) -> None:
    body = notification(ALARM | {"NewStateValue": "OK", "OldStateValue": "INSUFFICIENT_DATA"})
    assert invoke(body) == {"delivered": 0, "dropped": 1}
    assert slack.got == []
    assert lines(capsys)[-1]["Reason"] == "ok after no data"


def test_one_message_that_fails_does_not_keep_the_others(slack: Receiver) -> None:
    with pytest.raises(handler.Undelivered, match="1 of 3 messages: topic"):
        invoke(notification("a"), notification("b", topic=WARNINGS), notification("c"))
    assert len(slack.got) == 2


@pytest.mark.parametrize(
    ("event", "reason"),
    [
        ({"Records": [record(notification(topic=WARNINGS))]}, "topic"),
        ({"Records": [record(notification("x" * 262_145))]}, "oversized"),
        ({"Records": [{"EventSource": "aws:sqs"}]}, "malformed"),
        ({"Records": []}, "malformed"),
        ({}, "malformed"),
        (None, "malformed"),
    ],
)
def test_what_is_refused_raises_too_so_that_a_person_finds_it(
    slack: Receiver, capsys: pytest.CaptureFixture[str], event: Any, reason: str
) -> None:
    with pytest.raises(handler.Undelivered, match=reason):
        handler.lambda_handler(event, Context())
    assert slack.got == []
    assert lines(capsys)[-1]["RelayRefused"] == 1


def test_a_receiver_that_has_the_message_does_not_get_it_again_when_another_failed(
    slack: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    with receiving("/hook") as other:
        monkeypatch.setenv("ORDERS_OBS_RELAY_WEBHOOK", other.url)
        other.answers += [Answered(404)]
        body = notification(ALARM)
        with pytest.raises(handler.Undelivered):
            invoke(body)
        assert invoke(body)["delivered"] == 1
        assert (len(slack.got), len(other.got)) == (1, 2)


def test_a_receiver_that_does_not_answer_leaves_the_others_their_time(
    slack: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    done = threading.Event()
    slack.answers += [Answered(hold=done.wait)] * 9
    with receiving("/hook") as other:
        monkeypatch.setenv("ORDERS_OBS_RELAY_WEBHOOK", other.url)
        other.answers += [Answered(503)]
        with pytest.raises(handler.Undelivered):
            invoke(notification(ALARM))
        done.set()
        assert len(other.got) == 2


def test_a_wrong_setting_is_told_with_each_event(slack: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ORDERS_OBS_RELAY_PORT", "x")
    for _ in range(2):
        with pytest.raises(UserError, match="ORDERS_OBS_RELAY_PORT"):
            invoke(notification(ALARM))
    monkeypatch.delenv("ORDERS_OBS_RELAY_PORT")
    assert invoke(notification(ALARM))["delivered"] == 1

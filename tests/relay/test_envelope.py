"""What is a message of SNS, and what is not."""

from __future__ import annotations

import contextlib
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orders_obs.relay.envelope import BODY_ROOM, Refused, parse_body, parse_record, parse_topic
from tests.relay.sns import NOW, TOPIC, confirmation, notification, record

LIMIT = 262_144


def refused(body: bytes | dict[str, Any], limit: int = LIMIT) -> str:
    with pytest.raises(Refused) as caught:
        parse_body(body if isinstance(body, bytes) else json.dumps(body).encode(), limit)
    return caught.value.reason


def test_the_http_form_and_lambdas_spelling_are_one_message() -> None:
    body = notification("text", message_id="22b80b92-fdea-4c2c-8f9d-bdfb0c7bf324")
    posted, invoked = parse_body(json.dumps(body).encode(), LIMIT), parse_record(record(body), LIMIT)
    for name in ("kind", "message_id", "topic", "message", "timestamp", "written", "subject"):
        assert getattr(posted, name) == getattr(invoked, name)
    assert posted.timestamp == NOW
    assert str(posted.topic) == TOPIC
    assert dict(invoked.attributes) == {"kind": "a test"}


def test_a_message_without_subject_has_none_in_either_form() -> None:
    body = notification(subject=None)
    assert parse_body(json.dumps(body).encode(), LIMIT).subject is None
    assert parse_record(record(body), LIMIT).subject is None


@pytest.mark.parametrize("name", ["Type", "MessageId", "TopicArn", "Message", "Timestamp"])
def test_what_every_message_has_must_be_there(name: str) -> None:
    body = notification()
    assert refused({key: value for key, value in body.items() if key != name}) == "malformed"
    assert refused(body | {name: 7}) == "malformed"


@pytest.mark.parametrize("name", ["Token", "SubscribeURL"])
def test_a_confirmation_has_a_token_and_an_address(name: str) -> None:
    assert refused({key: value for key, value in confirmation().items() if key != name}) == "malformed"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("Type", "Notifications"),
        ("MessageId", "a\nTimestamp\n2026"),
        ("MessageId", ""),
        ("TopicArn", "arn:aws:sqs:eu-west-1:111122223333:orders"),
        ("TopicArn", f"{TOPIC}\n"),
        ("Timestamp", "yesterday"),
        ("Timestamp", "2026-13-25T08:30:00.000Z"),
        ("Timestamp", "2026-11-25T08:30:00.000Z\nTopicArn"),
        ("Subject", "a\nTimestamp\n2026-11-25T08:30:00.000Z"),
        ("Subject", "x" * 513),
        ("SigningCertURL", "https://sns.eu-west-1.amazonaws.com/\nx"),
        ("Message", "\ud800"),
    ],
)
def test_a_field_in_another_form_is_refused(name: str, value: str) -> None:
    assert refused(notification() | {name: value}) == "malformed"


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"null",
        b"[]",
        b'"text"',
        b"{",
        b"\xff{}",
        b'{"Type": "Notification", "Type": "Notification"}',
        b"[" * 200_000,
    ],
)
def test_what_is_no_json_object_with_each_key_once_is_refused(body: bytes) -> None:
    assert refused(body) == "malformed"


def test_a_key_that_stands_twice_is_refused_since_readers_differ_in_which_they_take() -> None:
    body = json.dumps(notification())
    assert refused(body.replace("{", '{"Message": "all is well", ', 1).encode()) == "malformed"


def test_a_message_may_be_as_large_as_sns_allows_and_no_larger() -> None:
    fits = notification("ü" * (LIMIT // 2))
    assert len(parse_body(json.dumps(fits, ensure_ascii=False).encode(), LIMIT).message) == LIMIT // 2
    over = json.dumps(notification("ü" * (LIMIT // 2) + "x"), ensure_ascii=False).encode()
    assert refused(over) == "oversized"
    assert refused(b" " * (2 * LIMIT + BODY_ROOM + 1)) == "oversized"


@pytest.mark.parametrize(
    "event", [None, {}, {"EventSource": "aws:sqs", "Sns": {}}, {"EventSource": "aws:sns", "Sns": 1}]
)
def test_a_record_of_something_else_is_refused(event: Any) -> None:
    with pytest.raises(Refused):
        parse_record(event, LIMIT)


def test_a_function_gets_notifications_only() -> None:
    with pytest.raises(Refused):
        parse_record(record(confirmation()), LIMIT)


@pytest.mark.parametrize("partition", ["aws", "aws-cn", "aws-us-gov"])
def test_topics_of_every_partition_are_known(partition: str) -> None:
    topic = parse_topic(f"arn:{partition}:sns:us-gov-west-1:111122223333:orders.fifo")
    assert topic is not None
    assert topic.partition == partition


@given(
    st.binary(max_size=300)
    | st.recursive(st.none() | st.text() | st.integers(), lambda x: st.dictionaries(st.text(), x)).map(
        lambda v: json.dumps(v).encode()
    )
)
def test_whatever_is_posted_is_read_or_refused(body: bytes) -> None:
    with pytest.raises(Refused):
        parse_body(body, LIMIT)


@given(
    st.dictionaries(
        st.sampled_from(list(notification())), st.none() | st.text() | st.integers() | st.lists(st.text())
    )
)
def test_whatever_stands_in_a_field_it_is_read_or_refused(changed: dict[str, Any]) -> None:
    # Anything else that is raised fails the test.
    with contextlib.suppress(Refused):
        parse_body(json.dumps(notification() | changed).encode(), LIMIT)

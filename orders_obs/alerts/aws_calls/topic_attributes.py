"""Attributes of SNS topics, and the JSON documents among them that say how messages are delivered.

Source: API reference of CreateTopic and SetTopicAttributes; SNS developer guide, "Creating an HTTP/S delivery policy" and "Message
archiving for FIFO topics"; AWS::SNS::Topic for the display name.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from orders_obs.alerts.aws_calls.documents import read_json, utf8_size, whole
from orders_obs.alerts.aws_calls.policies import policy_problems, topic_kind
from orders_obs.alerts.aws_calls.problems import Problem
from orders_obs.alerts.aws_calls.reading import shown

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["MESSAGE_BYTES", "attribute_problems", "delivery_problems", "is_true", "protection_problems"]

MESSAGE_BYTES = 1024 * 1024
"""Bytes of a message and of a batch at most, if the topic's `MaximumMessageSize` is as large (Publish, PublishBatch)."""

_Check = Callable[[str, str, bool | None], Iterator[Problem]]
_SMALLEST_SIZE = 1024
_DISPLAY_NAME = 100
_ARCHIVE_DAYS = 365
_PROTECTION = 30_720
_RETRY_SECONDS = 3600
_RETRIES = 100
_ROLE = re.compile(r"arn:aws[a-z-]*:iam::\d{12}:role/.+", re.ASCII | re.DOTALL)
_KEY_NAME = re.compile(r"[A-Za-z0-9_-]+|alias/[A-Za-z0-9/_:-]+")
_KEY_ARN = re.compile(
    r"arn:aws[a-z-]*:kms:[a-z0-9-]+:\d{12}:(key/[A-Za-z0-9-]+|alias/[A-Za-z0-9/_:-]+)", re.ASCII
)
_PROTOCOLS = ("HTTP", "Firehose", "Lambda", "Application", "SQS")
_FEEDBACK = ("SuccessFeedbackRoleArn", "SuccessFeedbackSampleRate", "FailureFeedbackRoleArn")
_PLAIN = (
    "ArchivePolicy", "ContentBasedDeduplication", "DataProtectionPolicy", "DeliveryPolicy", "DisplayName", "FifoThroughputScope", "FifoTopic",
    "KmsMasterKeyId", "MaximumMessageSize", "Policy", "SignatureVersion", "TracingConfig",
)  # fmt: skip
_NAMES = frozenset({*_PLAIN, *(protocol + name for protocol in _PROTOCOLS for name in _FEEDBACK)})
_FIFO_ONLY = ("ArchivePolicy", "ContentBasedDeduplication", "FifoThroughputScope")
_RETRY_FIELDS = (
    "minDelayTarget", "maxDelayTarget", "numRetries", "numNoDelayRetries", "numMinDelayRetries", "numMaxDelayRetries", "backoffFunction",
)  # fmt: skip
_BACKOFFS = ("arithmetic", "exponential", "geometric", "linear")


def is_true(value: Any) -> bool:
    """Whether an attribute says yes; SNS takes any case."""
    return value is True or (isinstance(value, str) and value.lower() == "true")


def attribute_problems(
    path: str, name: str, value: Any, *, fifo: bool | None, topic: str
) -> Iterator[Problem]:
    """What is wrong with an attribute of a topic.

    Args:
        path: Of its value.
        name: Of the attribute.
        value: Its value; what is no text is left to the model.
        fifo: Whether the topic is one; None where it is not known.
        topic: Its ARN or its name.
    """
    if name not in _NAMES:
        yield Problem(path, f"a topic has no attribute {name!r} to set", ", ".join(_PLAIN))
        return
    if not isinstance(value, str):
        return
    if fifo is False and name in _FIFO_ONLY and value.lower() not in ("", "false", "{}"):
        yield Problem(
            path, f"{name} is for FIFO topics only", "a name that ends in .fifo, and FifoTopic", "fifo"
        )
    if name == "Policy":
        kind = topic_kind(arn=topic) if topic.startswith("arn:") else topic_kind(name=topic)
        yield from policy_problems(path, value, kind)
    elif name.endswith("RoleArn"):
        if value and not _ROLE.fullmatch(value):
            yield Problem(path, f"{shown(value)} is no role", "arn:aws:iam::ACCOUNT:role/NAME", "arn")
    elif name.endswith("SampleRate"):
        yield from _between(path, value, 0, 100)
    elif check := _CHECKS.get(name):
        yield from check(path, value, fifo)


def _between(path: str, value: Any, low: int, high: int) -> Iterator[Problem]:
    found = whole(value)
    if found is None or not low <= found <= high:
        yield Problem(path, f"{shown(value)} is no whole number from {low} to {high}", "", "range")


def _one_of(*values: str) -> _Check:
    def check(path: str, value: str, _fifo: bool | None) -> Iterator[Problem]:
        if value not in values:
            yield Problem(path, f"{value!r} is none of {', '.join(values)}", "", "enum")

    return check


def _truth(path: str, value: str, _fifo: bool | None) -> Iterator[Problem]:
    if value.lower() not in ("true", "false"):
        yield Problem(path, f"{value!r} is neither true nor false", "", "enum")


def _display_name(path: str, value: str, _fifo: bool | None) -> Iterator[Problem]:
    if len(value) > _DISPLAY_NAME:
        yield Problem(path, f"{len(value)} characters, and the limit is {_DISPLAY_NAME}", "", "limit")


def _size(path: str, value: str, _fifo: bool | None) -> Iterator[Problem]:
    yield from _between(path, value, _SMALLEST_SIZE, MESSAGE_BYTES)


def _key(path: str, value: str, _fifo: bool | None) -> Iterator[Problem]:
    if value and not _KEY_NAME.fullmatch(value) and not _KEY_ARN.fullmatch(value):
        yield Problem(path, f"{value!r} is no key of KMS", "its id, its ARN or alias/NAME")


def _tracing(path: str, value: str, fifo: bool | None) -> Iterator[Problem]:
    yield from _one_of("PassThrough", "Active")(path, value, fifo)
    if fifo and value == "Active":
        yield Problem(path, "tracing is for standard topics only", "PassThrough", "fifo")


def _archive(path: str, value: str, _fifo: bool | None) -> Iterator[Problem]:
    content, fault = _object(value)
    if fault:
        yield Problem(path, f"the archive policy {fault}", '{"MessageRetentionPeriod": "30"}', "json")
    elif content:
        yield from _between(path, content.get("MessageRetentionPeriod"), 1, _ARCHIVE_DAYS)


def protection_problems(path: str, value: Any, _fifo: bool | None = None) -> Iterator[Problem]:
    """What is wrong with a data protection policy."""
    if not isinstance(value, str) or not value:
        return
    if utf8_size(value) > _PROTECTION:
        yield Problem(path, f"{utf8_size(value)} bytes, and the limit is {_PROTECTION}", "", "limit")
    _, fault = _object(value)
    if fault:
        yield Problem(path, f"the data protection policy {fault}", "", "json")


def _topic_delivery(path: str, value: str, _fifo: bool | None) -> Iterator[Problem]:
    yield from delivery_problems(path, value, of_topic=True)


def delivery_problems(path: str, value: Any, *, of_topic: bool) -> Iterator[Problem]:
    """What is wrong with a delivery policy.

    Args:
        path: Of the argument.
        value: JSON text; empty takes the policy away.
        of_topic: The policy of a topic has those of its protocols in it, that of a subscription is one.
    """
    if not isinstance(value, str) or not value.strip():
        return
    content, fault = _object(value)
    if fault:
        yield Problem(path, f"the delivery policy {fault}", "", "json")
        return
    if of_topic:
        for protocol, policy in content.items():
            if protocol != "http":
                yield Problem(
                    path, f"a delivery policy is for http, and not for {protocol!r}", '{"http": {…}}'
                )
            elif not isinstance(policy, dict):
                yield Problem(path, f"{shown(policy)} is no delivery policy")
            else:
                yield from _retries(path, policy.get("defaultHealthyRetryPolicy"))
                yield from _rest(path, policy, "defaultThrottlePolicy", "defaultRequestPolicy")
    else:
        yield from _retries(path, content.get("healthyRetryPolicy"))
        yield from _rest(path, content, "throttlePolicy", "requestPolicy")


def _rest(path: str, policy: Mapping[str, Any], throttle: str, request: str) -> Iterator[Problem]:
    given = policy.get(throttle)
    most = given.get("maxReceivesPerSecond") if isinstance(given, dict) else None
    if given is not None and not isinstance(given, dict):
        yield Problem(path, f"{throttle} is no object")
    elif most is not None and ((found := whole(most)) is None or found < 1):
        yield Problem(
            path, f"maxReceivesPerSecond is a whole number from 1 on, and not {shown(most)}", "", "range"
        )
    if policy.get(request) is not None and not isinstance(policy[request], dict):
        yield Problem(path, f"{request} is no object")


def _retries(path: str, policy: Any) -> Iterator[Problem]:
    if policy is None:
        return
    if not isinstance(policy, dict):
        yield Problem(path, f"{shown(policy)} is no retry policy")
        return
    numbers = {name: whole(policy[name]) for name in _RETRY_FIELDS[:-1] if policy.get(name) is not None}
    for name, found in numbers.items():
        low, high = (1, _RETRY_SECONDS) if "Target" in name else (0, _RETRIES)
        if found is None or not low <= found <= high:
            yield Problem(
                path,
                f"{name} is a whole number from {low} to {high}, and not {shown(policy[name])}",
                "",
                "range",
            )
    given = {name: found for name, found in numbers.items() if found is not None}
    # Twenty seconds and three retries where nothing is said.
    low, high, total = (
        given.get("minDelayTarget", 20),
        given.get("maxDelayTarget", 20),
        given.get("numRetries", 3),
    )
    if {"minDelayTarget", "maxDelayTarget"} <= set(given) and low > high:
        yield Problem(path, f"minDelayTarget {low} is above maxDelayTarget {high}", "", "range")
    phases = sum(
        given.get(name, 0) for name in ("numNoDelayRetries", "numMinDelayRetries", "numMaxDelayRetries")
    )
    if "numRetries" in given and phases > total:
        yield Problem(path, f"the phases have {phases} retries, and numRetries is {total}", "", "range")
    least = given.get("numMinDelayRetries", 0) * low + given.get("numMaxDelayRetries", 0) * high
    if least > _RETRY_SECONDS:
        message = f"the retries take {least} seconds at least, and the limit is {_RETRY_SECONDS}"
        yield Problem(path, message, "", "limit")
    backoff = policy.get("backoffFunction")
    if backoff is not None and backoff not in _BACKOFFS:
        yield Problem(path, f"{shown(backoff)} is none of {', '.join(_BACKOFFS)}", "", "enum")


def _object(written: str) -> tuple[dict[str, Any], str]:
    """A JSON object, and why there is none."""
    if not written.strip():
        return {}, ""
    content, fault = read_json(written)
    if fault:
        return {}, f"is no JSON: {fault}"
    return (content, "") if isinstance(content, dict) else ({}, "is no JSON object")


_CHECKS: dict[str, _Check] = {
    "ArchivePolicy": _archive,
    "ContentBasedDeduplication": _truth,
    "DataProtectionPolicy": protection_problems,
    "DeliveryPolicy": _topic_delivery,
    "DisplayName": _display_name,
    "FifoThroughputScope": _one_of("Topic", "MessageGroup"),
    "FifoTopic": _truth,
    "KmsMasterKeyId": _key,
    "MaximumMessageSize": _size,
    "SignatureVersion": _one_of("1", "2"),
    "TracingConfig": _tracing,
}

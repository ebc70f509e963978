"""What SQS refuses of queues.

Source: API reference of CreateQueue and SetQueueAttributes.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from orders_obs.alerts.aws_calls.documents import read_json, whole
from orders_obs.alerts.aws_calls.policies import QUEUE, policy_problems
from orders_obs.alerts.aws_calls.problems import Problem
from orders_obs.alerts.aws_calls.reading import mapping, shown, text
from orders_obs.alerts.aws_calls.tagging import map_problems

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from orders_obs.alerts.aws_calls.problems import Rules

__all__ = ["RULES"]

_NAME = re.compile(r"[A-Za-z0-9_-]{1,80}")
_LONGEST = 80
_ARN = re.compile(r"arn:aws[a-z-]*:sqs:[a-z0-9-]+:\d{12}:[A-Za-z0-9_-]{1,80}(\.fifo)?", re.ASCII)
_RANGES = {
    "DelaySeconds": (0, 900),
    "MaximumMessageSize": (1024, 1_048_576),
    "MessageRetentionPeriod": (60, 1_209_600),
    "ReceiveMessageWaitTimeSeconds": (0, 20),
    "VisibilityTimeout": (0, 43_200),
    "KmsDataKeyReusePeriodSeconds": (60, 86_400),
}
_VALUES = {
    "FifoQueue": ("true", "false"),
    "ContentBasedDeduplication": ("true", "false"),
    "SqsManagedSseEnabled": ("true", "false"),
    "DeduplicationScope": ("messageGroup", "queue"),
    "FifoThroughputLimit": ("perQueue", "perMessageGroupId"),
}
_READ_ONLY = (
    "All", "ApproximateNumberOfMessages", "ApproximateNumberOfMessagesDelayed", "ApproximateNumberOfMessagesNotVisible", "CreatedTimestamp",
    "LastModifiedTimestamp", "QueueArn",
)  # fmt: skip
_PERMISSIONS = ("allowAll", "denyAll", "byQueue")
_SOURCES = 10


def _create_queue(arguments: Mapping[str, Any]) -> Iterator[Problem]:
    name = text(arguments.get("QueueName"))
    attributes = mapping(arguments.get("Attributes"))
    given = attributes.get("FifoQueue", "false")
    known = isinstance(given, str) and isinstance(arguments.get("Attributes", {}), dict)
    fifo = name.endswith(".fifo") if known and name is not None else None
    if name is not None:
        if not _NAME.fullmatch(name.removesuffix(".fifo")) or len(name) > _LONGEST:
            hint = "1 to 80 letters of ASCII, digits, hyphens and underscores; .fifo at the end of that of a FIFO queue"
            yield Problem("QueueName", f"{shown(name)} is no name of a queue", hint)
        elif fifo is not None and fifo != (str(given).lower() == "true"):
            said = "ends in .fifo, and FifoQueue is not true" if fifo else "does not end in .fifo"
            yield Problem("QueueName", f"{name!r} {said}", "FIFO queues have both, others neither", "fifo")
    yield from _attributes(attributes, fifo)
    yield from map_problems(arguments, "tags")


def _set_queue_attributes(arguments: Mapping[str, Any]) -> Iterator[Problem]:
    url = text(arguments.get("QueueUrl"))
    fifo = None if url is None else url.endswith(".fifo")
    attributes = mapping(arguments.get("Attributes"))
    yield from _attributes(attributes, fifo)


def _attributes(attributes: Mapping[str, Any], fifo: bool | None) -> Iterator[Problem]:
    for name, value in attributes.items():
        path = f"Attributes.{name}"
        if name in _READ_ONLY:
            yield Problem(path, f"{name} can be read, and not set")
        if not isinstance(value, str):
            continue
        if name in _RANGES:
            (low, high), found = _RANGES[name], whole(value)
            if found is None or not low <= found <= high:
                yield Problem(path, f"{shown(value)} is no whole number from {low} to {high}", "", "range")
        elif name in _VALUES and value.lower() not in {one.lower() for one in _VALUES[name]}:
            yield Problem(path, f"{value!r} is none of {', '.join(_VALUES[name])}", "", "enum")
        elif name == "Policy" and value:
            yield from policy_problems(path, value, QUEUE)
        elif name == "RedrivePolicy" and value:
            yield from _redrive(path, value, fifo)
        elif name == "RedriveAllowPolicy" and value:
            yield from _allow(path, value)
    if attributes.get("KmsMasterKeyId") and str(attributes.get("SqsManagedSseEnabled")).lower() == "true":
        yield Problem(
            "Attributes.SqsManagedSseEnabled", "a queue has one kind of encryption", "KmsMasterKeyId or this"
        )
    if (
        attributes.get("FifoThroughputLimit") == "perMessageGroupId"
        and attributes.get("DeduplicationScope") == "queue"
    ):
        message = "perMessageGroupId needs the DeduplicationScope messageGroup"
        yield Problem("Attributes.FifoThroughputLimit", message)


def _redrive(path: str, written: str, fifo: bool | None) -> Iterator[Problem]:
    content, fault = read_json(written)
    if fault or not isinstance(content, dict):
        yield Problem(
            path, f"the redrive policy is no JSON object{f': {fault}' if fault else ''}", "", "json"
        )
        return
    if not content:
        return
    queue = content.get("deadLetterTargetArn")
    if not isinstance(queue, str) or not _ARN.fullmatch(queue):
        yield Problem(
            path, f"deadLetterTargetArn {shown(queue)} is no queue", "arn:aws:sqs:REGION:ACCOUNT:QUEUE", "arn"
        )
    elif fifo is not None and queue.endswith(".fifo") != fifo:
        yield Problem(
            path, "the dead letters of a FIFO queue go to a FIFO queue, of others to others", "", "fifo"
        )
    count = content.get("maxReceiveCount")
    found = whole(count)
    if count is not None and (found is None or not 1 <= found <= 1000):
        yield Problem(path, f"maxReceiveCount {shown(count)} is no whole number from 1 to 1000", "", "range")


def _allow(path: str, written: str) -> Iterator[Problem]:
    content, fault = read_json(written)
    if fault or not isinstance(content, dict):
        yield Problem(path, f"the policy is no JSON object{f': {fault}' if fault else ''}", "", "json")
        return
    permission, sources = content.get("redrivePermission"), content.get("sourceQueueArns")
    if permission is not None and permission not in _PERMISSIONS:
        yield Problem(
            path, f"redrivePermission {shown(permission)} is none of {', '.join(_PERMISSIONS)}", "", "enum"
        )
    if sources is not None and permission != "byQueue":
        yield Problem(path, "sourceQueueArns goes with the redrivePermission byQueue only")
    if isinstance(sources, list) and len(sources) > _SOURCES:
        yield Problem(path, f"{len(sources)} queues, and the limit is {_SOURCES}", "allowAll", "limit")


def _tag_queue(arguments: Mapping[str, Any]) -> Iterator[Problem]:
    yield from map_problems(arguments, "Tags")


RULES: Rules = {
    "create_queue": (_create_queue,),
    "set_queue_attributes": (_set_queue_attributes,),
    "tag_queue": (_tag_queue,),
}

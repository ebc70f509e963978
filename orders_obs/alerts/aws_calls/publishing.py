"""What SNS refuses of messages.

Source: API reference of Publish and PublishBatch; SNS developer guide, "Amazon SNS message attributes". A subject may have a hundred
characters, against what the reference says.
"""

from __future__ import annotations

import re
import unicodedata
from typing import TYPE_CHECKING, Any

from orders_obs.alerts.aws_calls.documents import arn_problems, number_text, phone_fault, read_json, utf8_size
from orders_obs.alerts.aws_calls.problems import Problem
from orders_obs.alerts.aws_calls.reading import at, items, listed, mapping, shown, size, text
from orders_obs.alerts.aws_calls.topic_attributes import MESSAGE_BYTES

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from orders_obs.alerts.aws_calls.problems import Rules

__all__ = ["RULES", "TOPIC", "TOPIC_FORM", "topic_problems"]

TOPIC = r"arn:aws[a-z-]*:sns:[a-z0-9-]+:\d{12}:[A-Za-z0-9_-]{1,256}(?:\.fifo)?"
"""The ARN of a topic, as a regular expression."""

TOPIC_FORM = re.compile(TOPIC, re.ASCII)
_TARGET = re.compile(rf"{TOPIC}|arn:aws[a-z-]*:sns:[a-z0-9-]+:\d{{12}}:endpoint/.+", re.ASCII)
_SUBJECT = 100
_SMS = 1600
_ENTRIES = 10
_NAME = 256
_ENTRY_ID = re.compile(r"[A-Za-z0-9_-]{1,80}")
_TOKEN = re.compile(r"[A-Za-z0-9!\"#$%&'()*+,\-./:;<=>?@\[\\\]^_`{|}~]{1,128}")
_ATTRIBUTE = re.compile(r"[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*")
_TYPE = re.compile(r"(String|Number|Binary)(\..+)?", re.DOTALL)
_RESERVED = ("aws.", "amazon.")
# Of the reserved names these are taken: mobile push and text messages are steered with them.
_OWN = ("AWS.SNS.", "AWS.MM.")


def topic_problems(arguments: Mapping[str, Any], name: str = "TopicArn") -> Iterator[Problem]:
    """What is wrong with the ARN of a topic among the arguments."""
    yield from arn_problems(name, arguments.get(name), TOPIC_FORM, "arn:aws:sns:REGION:ACCOUNT:TOPIC")


def _publish(arguments: Mapping[str, Any]) -> Iterator[Problem]:
    given = [name for name in ("TopicArn", "TargetArn", "PhoneNumber") if name in arguments]
    if len(given) != 1:
        said = " and ".join(given) or "none"
        yield Problem("", f"one of TopicArn, TargetArn and PhoneNumber is wanted, and {said} is given")
    yield from topic_problems(arguments)
    yield from arn_problems(
        "TargetArn", arguments.get("TargetArn"), _TARGET, "of a topic, or of a mobile app on a device"
    )
    number, message = text(arguments.get("PhoneNumber")), text(arguments.get("Message"))
    if number is not None and (fault := phone_fault(number)):
        yield Problem("PhoneNumber", fault, "", "endpoint")
    if number is not None and message is not None and len(message) > _SMS:
        yield Problem(
            "Message", f"{len(message)} characters, and a text message has {_SMS} at most", "", "limit"
        )
    yield from _entry(arguments, "")
    topic = text(arguments.get("TopicArn")) or text(arguments.get("TargetArn"))
    yield from _order(arguments, "", topic)


def _publish_batch(arguments: Mapping[str, Any]) -> Iterator[Problem]:
    yield from topic_problems(arguments)
    name = "PublishBatchRequestEntries"
    if name not in arguments:
        return
    entries = listed(arguments[name])
    if isinstance(arguments[name], list | tuple) and not 1 <= len(entries) <= _ENTRIES:
        yield Problem(name, f"{len(entries)} messages, and a batch has 1 to {_ENTRIES}", "", "limit")
    if sum(_bytes(mapping(entry)) for entry in entries) > MESSAGE_BYTES:
        yield Problem(name, f"the messages are larger than {MESSAGE_BYTES} bytes together", "", "limit")
    seen: set[str] = set()
    for path, entry in items(arguments, name):
        identity = text(mapping(entry).get("Id"))
        if identity is not None:
            if not _ENTRY_ID.fullmatch(identity):
                hint = "1 to 80 letters of ASCII, digits, hyphens and underscores"
                yield Problem(f"{path}.Id", f"{shown(identity)} is no id", hint)
            if identity in seen:
                yield Problem(f"{path}.Id", f"the id {shown(identity)} stands twice in the batch")
            seen.add(identity)
        yield from _entry(mapping(entry), path)
        yield from _order(mapping(entry), path, text(arguments.get("TopicArn")))


def _bytes(entry: Mapping[str, Any]) -> int:
    return sum(size(entry.get(name, "")) for name in ("Message", "MessageAttributes")) - _names(entry)


def _names(entry: Mapping[str, Any]) -> int:
    """Bytes of the names `DataType`, `StringValue` and `BinaryValue`, which are no part of a message."""
    return sum(
        sum(len(key) for key in value if isinstance(key, str))
        for value in mapping(entry.get("MessageAttributes")).values()
        if mapping(value)
    )


def _entry(entry: Mapping[str, Any], path: str) -> Iterator[Problem]:
    message = text(entry.get("Message"))
    if message == "":
        yield Problem(at(path, "Message"), "the message is empty")
    if _bytes(entry) > MESSAGE_BYTES:
        yield Problem(
            at(path, "Message"), f"{_bytes(entry)} bytes, and the limit is {MESSAGE_BYTES}", "", "limit"
        )
    yield from _subject(at(path, "Subject"), text(entry.get("Subject")))
    structure = text(entry.get("MessageStructure"))
    if structure is not None and structure != "json":
        yield Problem(
            at(path, "MessageStructure"), f"{structure!r} is no structure", "json, or left out", "enum"
        )
    elif structure and message is not None:
        yield from _structured(at(path, "Message"), message)
    for name in ("MessageGroupId", "MessageDeduplicationId"):
        value = text(entry.get(name))
        if value is not None and not _TOKEN.fullmatch(value):
            hint = "1 to 128 letters of ASCII, digits and punctuation"
            yield Problem(at(path, name), f"{shown(value)} is none", hint)
    for name, value in mapping(entry.get("MessageAttributes")).items():
        yield from _attribute(f"{at(path, 'MessageAttributes')}.{name}", str(name), mapping(value))


def _subject(path: str, subject: str | None) -> Iterator[Problem]:
    if subject is None:
        return
    if not subject:
        yield Problem(path, "the subject is empty", "leave it out")
    if len(subject) > _SUBJECT:
        yield Problem(path, f"{len(subject)} characters, and the limit is {_SUBJECT}", "", "limit")
    if any(unicodedata.category(sign) == "Cc" for sign in subject):
        yield Problem(path, "a subject has no line breaks and control characters")


def _structured(path: str, message: str) -> Iterator[Problem]:
    content, fault = read_json(message)
    if fault or not isinstance(content, dict):
        yield Problem(path, f"the message is no JSON object{f': {fault}' if fault else ''}", "", "json")
    elif not isinstance(content.get("default"), str):
        yield Problem(
            path, 'the message has no text under "default"', "what protocols get that are not named"
        )


def _order(entry: Mapping[str, Any], path: str, topic: str | None) -> Iterator[Problem]:
    if topic is None or not TOPIC_FORM.fullmatch(topic):
        return
    if topic.endswith(".fifo"):
        if "MessageGroupId" not in entry:
            yield Problem(
                at(path, "MessageGroupId"),
                "MessageGroupId is missing, which a FIFO topic needs",
                "",
                "missing",
            )
    elif "MessageDeduplicationId" in entry:
        yield Problem(
            at(path, "MessageDeduplicationId"), "MessageDeduplicationId is for FIFO topics only", "", "fifo"
        )


def _attribute(path: str, name: str, value: Mapping[str, Any]) -> Iterator[Problem]:
    if not _ATTRIBUTE.fullmatch(name) or utf8_size(name) > _NAME:
        hint = f"1 to {_NAME} letters of ASCII, digits, _, - and single dots between them"
        yield Problem(path, f"{shown(name)} is no name of an attribute", hint)
    elif name.lower().startswith(_RESERVED) and not name.startswith(_OWN):
        yield Problem(path, f"names that begin as {name!r} does are AWS's own", "another name")
    kind = text(value.get("DataType"))
    if kind is None:
        return
    if not _TYPE.fullmatch(kind):
        yield Problem(
            f"{path}.DataType", f"{kind!r} is no type", "String, String.Array, Number, Binary", "enum"
        )
        return
    wanted, other = (
        ("BinaryValue", "StringValue") if kind.startswith("Binary") else ("StringValue", "BinaryValue")
    )
    if wanted not in value:
        said = f", and {other} is given" if other in value else ""
        yield Problem(f"{path}.{wanted}", f"{wanted} is missing, which {kind} needs{said}", "", "missing")
    elif value[wanted] in ("", b""):
        yield Problem(f"{path}.{wanted}", "the value is empty")
    elif kind == "Number" and isinstance(value[wanted], str) and not number_text(value[wanted].strip()):
        yield Problem(f"{path}.{wanted}", f"{shown(value[wanted])} is no number")


RULES: Rules = {"publish": (_publish,), "publish_batch": (_publish_batch,)}

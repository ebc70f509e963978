"""What SNS sends, over HTTP and to a Lambda function, as one record; whatever is not in that form is refused.

The string that SNS signs joins its fields by line breaks. So no field but the message may have one, or one signature would fit two messages.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Literal, cast

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = [
    "BODY_ROOM",
    "Envelope",
    "Kind",
    "Reason",
    "Refused",
    "TopicArn",
    "parse_body",
    "parse_record",
    "parse_topic",
]

Kind = Literal["Notification", "SubscriptionConfirmation", "UnsubscribeConfirmation"]
Reason = Literal["malformed", "oversized", "topic", "signature", "certificate", "stale", "busy", "address"]

BODY_ROOM = 65_536
"""Bytes of a body beside its message, which may take twice its size when it is written as JSON."""

_KINDS = ("Notification", "SubscriptionConfirmation", "UnsubscribeConfirmation")
_TOPIC = re.compile(
    r"arn:(aws(?:-[a-z]+)*):sns:([a-z]{2}(?:-[a-z]+)+-\d):(\d{12}):([A-Za-z0-9_-]{1,256}(?:\.fifo)?)"
)
_MESSAGE_ID = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_TIMESTAMP = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,6})?Z")
_TOKEN = re.compile(r"[A-Za-z0-9+/=_-]{1,1024}")
# SNS's own limit is 100 characters; emulators are less strict.
_SUBJECT = 512
_ADDRESS = 2048
# Lambda's spelling of what stands in the HTTP form.
_LAMBDA = {
    "SigningCertUrl": "SigningCertURL",
    "UnsubscribeUrl": "UnsubscribeURL",
    "SubscribeUrl": "SubscribeURL",
}


class Refused(Exception):  # noqa: N818  # a message that is turned away, not a fault of ours
    """A message is not taken.

    Args:
        reason: Why, as it is counted.
        message: Why, in a sentence that repeats nothing of what was sent.
    """

    def __init__(self, reason: Reason, message: str) -> None:
        super().__init__(message)
        self.reason = reason
        self.message = message


@dataclass(frozen=True, slots=True)
class TopicArn:
    """The parts of a topic's ARN."""

    partition: str
    region: str
    account: str
    name: str

    def __str__(self) -> str:
        return f"arn:{self.partition}:sns:{self.region}:{self.account}:{self.name}"


@dataclass(frozen=True, slots=True)
class Envelope:
    """One message of SNS.

    Attributes:
        kind: What it is.
        message_id: Its id, the same each time SNS tries again.
        topic: The topic.
        message: What was published.
        timestamp: When.
        written: The moment as it is written, which is what is signed.
        subject: What was published as its subject; None where nothing was.
        version: Of the signature: `1` or `2`.
        signature: In base64.
        certificate: The address of the certificate.
        subscribe: The address that confirms a subscription.
        token: Of a confirmation.
        attributes: Message attributes, name to value.
    """

    kind: Kind
    message_id: str
    topic: TopicArn
    message: str = field(repr=False)
    timestamp: datetime
    written: str
    subject: str | None = None
    version: str = ""
    signature: str = field(default="", repr=False)
    certificate: str = ""
    subscribe: str = field(default="", repr=False)
    token: str = field(default="", repr=False)
    attributes: tuple[tuple[str, str], ...] = ()


def parse_topic(text: str) -> TopicArn | None:
    """The parts of a topic's ARN; None where it is none."""
    match = _TOPIC.fullmatch(text)
    return TopicArn(*match.groups()) if match else None


def parse_body(body: bytes, limit: int) -> Envelope:
    """The message of an HTTP request.

    Args:
        body: What was posted.
        limit: Bytes that the message may have.

    Raises:
        Refused: It is no message of SNS, or a larger one.
    """
    if len(body) > 2 * limit + BODY_ROOM:
        raise Refused("oversized", "the request is larger than a message may be")
    try:
        found = json.loads(body.decode("utf-8"), object_pairs_hook=_once)
    except (ValueError, RecursionError):
        raise Refused(
            "malformed", "the request is no JSON object with each key once; is raw message delivery on?"
        ) from None
    if not isinstance(found, dict):
        raise Refused("malformed", "the request is no JSON object; is raw message delivery on?")
    return _envelope(found, limit)


def parse_record(record: Any, limit: int) -> Envelope:
    """The message of one record of a Lambda event.

    Raises:
        Refused: It is no message of SNS, or a larger one.
    """
    sns = record.get("Sns") if isinstance(record, dict) else None
    if not isinstance(sns, dict) or record.get("EventSource") != "aws:sns":
        raise Refused("malformed", "the record is not one of SNS")
    if sns.get("Type") != "Notification":
        raise Refused("malformed", "a function gets notifications only")
    return _envelope({**sns, **{http: sns.get(own) for own, http in _LAMBDA.items()}}, limit)


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a key stands twice")
    return found


def _envelope(found: Mapping[str, Any], limit: int) -> Envelope:
    kind = _text(found, "Type")
    if kind not in _KINDS:
        raise Refused("malformed", "Type is none that SNS has")
    message = _text(found, "Message")
    if _size(message) > limit:
        raise Refused("oversized", f"the message has more than {limit} bytes")
    topic = parse_topic(_text(found, "TopicArn"))
    if topic is None:
        raise Refused("malformed", "TopicArn is no ARN of a topic")
    written = _formed(found, "Timestamp", _TIMESTAMP)
    confirmation = kind != "Notification"
    return Envelope(
        kind=cast("Kind", kind),
        message_id=_formed(found, "MessageId", _MESSAGE_ID),
        topic=topic,
        message=message,
        timestamp=_moment(written),
        written=written,
        subject=None if found.get("Subject") is None or confirmation else _line(found, "Subject", _SUBJECT),
        version=_line(found, "SignatureVersion", 8, needed=False),
        signature=_line(found, "Signature", 4096, needed=False),
        certificate=_line(found, "SigningCertURL", _ADDRESS, needed=False),
        subscribe=_line(found, "SubscribeURL", _ADDRESS) if confirmation else "",
        token=_formed(found, "Token", _TOKEN) if confirmation else "",
        attributes=_attributes(found.get("MessageAttributes")),
    )


def _text(found: Mapping[str, Any], name: str) -> str:
    value = found.get(name)
    if not isinstance(value, str):
        raise Refused("malformed", f"{name} is missing, or no text")
    _size(value)
    return value


def _size(text: str) -> int:
    try:
        return len(text.encode("utf-8"))
    except UnicodeEncodeError:
        raise Refused("malformed", "a text has half of a character") from None


def _formed(found: Mapping[str, Any], name: str, form: re.Pattern[str]) -> str:
    text = _text(found, name)
    if form.fullmatch(text) is None:
        raise Refused("malformed", f"{name} is not in the form that SNS gives it")
    return text


def _line(found: Mapping[str, Any], name: str, longest: int, *, needed: bool = True) -> str:
    if not needed and found.get(name) is None:
        return ""
    text = _text(found, name)
    if len(text) > longest or any(ord(c) < 32 or c in "\x7f\x85\u2028\u2029" for c in text):
        raise Refused("malformed", f"{name} is longer than SNS allows, or has a line break")
    return text


def _moment(text: str) -> datetime:
    try:
        return datetime.fromisoformat(text).astimezone(UTC)
    except (ValueError, OverflowError):
        raise Refused("malformed", "Timestamp is no moment") from None


def _attributes(found: Any) -> tuple[tuple[str, str], ...]:
    if not isinstance(found, dict):
        return ()
    pairs = [(name, item.get("Value")) for name, item in found.items() if isinstance(item, dict)]
    return tuple((name, value) for name, value in pairs if isinstance(value, str))

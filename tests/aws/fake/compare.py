"""The same calls to the fake and to another stand-in for AWS, and where their answers may differ."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from botocore.exceptions import ClientError

__all__ = ["Step", "Unlike", "Unrefused", "differences"]

Clients = Callable[[str], Any]
# What a server makes up, or the time of day.
_OWN = {
    "ResponseMetadata", "AlarmConfigurationUpdatedTimestamp", "StateUpdatedTimestamp", "StateTransitionedTimestamp",
    "creationTime", "lastUpdatedTime", "lastIngestionTime", "ingestionTime", "eventId", "nextSequenceToken",
    "uploadSequenceToken", "NextToken", "nextToken", "nextForwardToken", "nextBackwardToken", "MessageId", "StateReason",
    "StateReasonData", "PaginationToken", "revisionId", "storedBytes",
}  # fmt: skip
_JSON = {
    "Policy",
    "FilterPolicy",
    "EventPattern",
    "RedrivePolicy",
    "policyDocument",
    "EffectiveDeliveryPolicy",
}
_UNORDERED = {"Tags": "Key", "Dimensions": "Name"}


@dataclass(frozen=True, slots=True)
class Step:
    """One call. A value `("subscription", TOPIC, PROTOCOL, ENDPOINT)` stands for the ARN that the server made up for it."""

    service: str
    operation: str
    arguments: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Unlike:
    """A member of an answer that is not compared.

    Attributes:
        operation: As `SERVICE.OPERATION`.
        member: Its name, wherever it stands in the answer; `*` is the whole answer, `code` the code of a refusal.
        why: What the other one does.
    """

    operation: str
    member: str
    why: str


@dataclass(frozen=True, slots=True)
class Unrefused:
    """A refusal that the other one lacks: such a call is not sent to it.

    Attributes:
        operation: As `SERVICE.OPERATION`.
        code: Of the refusal; `*` is any.
        why: What the other one does.
    """

    operation: str
    code: str
    why: str


def differences(
    fake: Clients,
    other: Clients,
    steps: Iterable[Step],
    unlike: Sequence[Unlike],
    unrefused: Sequence[Unrefused],
) -> list[str]:
    """Where the other one answers something else than the fake, in words."""
    found = []
    mine, theirs = _Side(fake), _Side(other)
    for number, step in enumerate(steps):
        name = f"{step.service}.{step.operation}"
        said = mine.answer(step)
        code = said.get("code", "")
        if code and any(one.operation == name and one.code in (code, "*") for one in unrefused):
            continue
        heard = theirs.answer(step)
        out = {one.member for one in unlike if one.operation == name}
        if "*" in out:
            continue
        left, right = _comparable(said, out), _comparable(heard, out)
        if left != right:
            found.append(f"{number}: {name} {step.arguments}\n  fake:  {left}\n  other: {right}")
    return found


class _Side:
    """A server, with the names that it made up."""

    def __init__(self, clients: Clients) -> None:
        self._clients: dict[str, Any] = {}
        self._connect = clients
        self._arns: dict[tuple[str, ...], str] = {}

    def _client(self, service: str) -> Any:
        if service not in self._clients:
            self._clients[service] = self._connect(service)
        return self._clients[service]

    def answer(self, step: Step) -> dict[str, Any]:
        arguments = {
            key: self._arns.get(value, f"{value[1]}:00000000-0000-4000-8000-000000000000")
            if isinstance(value, tuple)
            else copy.deepcopy(value)
            for key, value in step.arguments.items()
        }
        try:
            answer: dict[str, Any] = getattr(self._client(step.service), step.operation)(**arguments)
        except ClientError as error:
            return {"code": error.response["Error"]["Code"]}
        if step.operation == "subscribe":
            key = ("subscription", arguments["TopicArn"], arguments["Protocol"], arguments["Endpoint"])
            arn = self._arn(key)
            if arn:
                self._arns[key] = arn
        return self._named(answer)  # type: ignore[no-any-return]

    def _arn(self, key: tuple[str, ...]) -> str:
        """The ARN of a subscription: subscribing again says it, also of one that waits."""
        asked = dict(zip(("TopicArn", "Protocol", "Endpoint"), key[1:], strict=True))
        try:
            return str(self._client("sns").subscribe(**asked, ReturnSubscriptionArn=True)["SubscriptionArn"])
        except ClientError:
            return ""

    def _named(self, value: Any) -> Any:
        """The answer with a name that both sides share in the place of each ARN that this one made up."""
        known = {arn: "|".join(key) for key, arn in self._arns.items()}
        if isinstance(value, dict):
            return {key: self._named(item) for key, item in value.items()}
        if isinstance(value, list):
            return [self._named(item) for item in value]
        return known.get(value, value) if isinstance(value, str) else value


def _comparable(value: Any, out: set[str], name: str = "") -> Any:
    """What is compared of an answer: no times, no empty members, sets in order, JSON read."""
    if isinstance(value, dict):
        kept = {
            key: _comparable(item, out, key)
            for key, item in value.items()
            if key not in out and key not in _OWN
        }
        return {key: item for key, item in kept.items() if item not in ("", [], {}, None)}
    if isinstance(value, list):
        items = [_comparable(item, out, name) for item in value]
        if name in _UNORDERED or (items and all(isinstance(item, dict) for item in items)):
            return sorted(items, key=lambda item: json.dumps(item, sort_keys=True, default=str))
        return items
    if isinstance(value, datetime):
        return value.timestamp()
    if name in _JSON and isinstance(value, str) and value.startswith("{"):
        return _comparable(json.loads(value), set())
    return value

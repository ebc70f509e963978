"""What is managed: things of AWS, each with its settings in one form, its tags, and whose it is."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from orders_obs.aws.normal import digest

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = [
    "CONTENT_TAG",
    "HOLD_TAG",
    "KINDS",
    "OWN_TAGS",
    "SOURCE_TAG",
    "STACK_TAG",
    "TOLD_TAG",
    "Kind",
    "Owner",
    "Thing",
    "identity",
]

Kind = Literal[
    "log-group", "log-policy", "topic", "subscription", "metric-alarm", "composite-alarm", "rule", "mute-rule"
]
KINDS: tuple[Kind, ...] = (
    "log-group", "log-policy", "topic", "subscription", "metric-alarm", "composite-alarm", "rule", "mute-rule",
)  # fmt: skip
"""In the order in which they are made: what is referred to comes before what refers to it."""

CONTENT_TAG = "orders-obs:content"
"""Hash of the settings that were applied: where the settings have another one, somebody changed them since."""
SOURCE_TAG = "orders-obs:source"
"""Hash of the team's own words that they were made from."""
TOLD_TAG = "orders-obs:told"
"""On a topic: hashes of the subscriptions that were made."""
HOLD_TAG = "orders-obs:hold"
"""On an alarm: until when, by whom and why it is not to be changed."""
STACK_TAG = "aws:cloudformation:stack-name"
"""CloudFormation's own, on what a stack makes."""
_MADE = ("managed-by", "service", "environment", "alert-id", "severity", "page", "owner", "Name")
OWN_TAGS = frozenset({*_MADE, CONTENT_TAG, SOURCE_TAG, TOLD_TAG})
"""The tags that are ours to set and to take off; a hold is a person's."""


@dataclass(frozen=True, slots=True)
class Owner:
    """Whose things a catalogue manages: those that carry its tags.

    Attributes:
        service: Of the catalogue.
        environment: Its environment.
    """

    service: str
    environment: str

    @property
    def tags(self) -> dict[str, str]:
        """What the tags of such a thing say."""
        return {"managed-by": "orders-obs", "service": self.service, "environment": self.environment}

    def has(self, tags: Mapping[str, str]) -> bool:
        """Whether a thing with these tags is the owner's."""
        return all(tags.get(key) == value for key, value in self.tags.items())

    @staticmethod
    def named(tags: Mapping[str, str]) -> str:
        """Whose a thing with these tags is, in words; empty where no catalogue manages it."""
        if tags.get("managed-by") != "orders-obs":
            return ""
        return f"the catalogue of {tags.get('service', '?')} for {tags.get('environment', '?')}"


@dataclass(frozen=True, slots=True)
class Thing:
    """A thing as it should be, or as it is.

    Attributes:
        kind: What it is.
        name: What tells it from others of its kind in the account and region.
        settings: What people decide about it, in the one form of `normal.comparable`.
        tags: All of them on what is there; ours on what should be.
        arn: Its address; empty where it has none, or is not there yet.
        arguments: Of boto3's call that makes it; empty for what is there.
        state: Of an alarm that is there: `OK`, `ALARM` or `INSUFFICIENT_DATA`; of a subscription `confirmed` or `pending`.
        found: What is there beside the settings and is not ours: `Policy` of a topic as it stands and `Others`, the statements
            of it that others added, `Targets` of a rule that others added, `EvaluationState` of an alarm; of a subscription
            with a secret the `Address` that stands for what is there, and `Guessed` where the secret could not be read; and of
            its `DeliveryPolicy` what others set.
    """

    kind: Kind
    name: str
    settings: dict[str, Any]
    tags: dict[str, str] = field(default_factory=dict)
    arn: str = ""
    arguments: dict[str, Any] = field(default_factory=dict)
    state: str = ""
    found: dict[str, Any] = field(default_factory=dict)

    @property
    def identity(self) -> str:
        """`KIND/NAME`."""
        return identity(self.kind, self.name)

    @property
    def content(self) -> str:
        """Hash of the settings."""
        return digest(self.settings)

    @property
    def firing(self) -> bool:
        """Whether it is an alarm that fires now."""
        return self.state == "ALARM"

    @property
    def alert(self) -> tuple[str, str]:
        """Id and severity of the alert that it is of; empty texts where it is of none."""
        return self.tags.get("alert-id", ""), self.tags.get("severity", "")


def identity(kind: Kind, name: str) -> str:
    """What names a thing in plans and records: `KIND/NAME`."""
    return f"{kind}/{name}"

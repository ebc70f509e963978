"""What is there already and is to be imported, and why something cannot be."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from orders_obs.aws.normal import put_arguments

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["Existing", "Found", "Refusal", "alarm"]

Kind = Literal["metric-alarm", "composite-alarm", "rule"]
# What DescribeAlarms says of an alarm that nobody sets (botocore's model, MetricAlarm and CompositeAlarm).
_STATE = frozenset({
    "AlarmArn", "AlarmConfigurationUpdatedTimestamp", "StateValue", "StateReason", "StateReasonData", "StateUpdatedTimestamp",
    "StateTransitionedTimestamp", "EvaluationState", "ActionsSuppressedBy", "ActionsSuppressedReason", "Tags",
})  # fmt: skip
# A PromQL alarm has none of these; where AWS shows one all the same, asking for it would be refused (API reference of PutMetricAlarm).
_NOT_OF_PROMQL = ("EvaluationPeriods", "DatapointsToAlarm", "TreatMissingData", "Threshold")


@dataclass(frozen=True, slots=True)
class Existing:
    """An alarm, or a rule of Prometheus.

    Attributes:
        kind: What it is.
        name: On CloudWatch, or the rule's `alert`.
        arguments: Of boto3's call that makes it, tags left out; of a rule its words as Prometheus has them.
        tags: Its tags.
        arn: Its address; empty where it is not known.
        where: Its place in a file; empty for what AWS has.
        unknown: What is said of it that this version knows no argument for.
    """

    kind: Kind
    name: str
    arguments: dict[str, Any]
    tags: dict[str, str] = field(default_factory=dict)
    arn: str = ""
    where: str = ""
    unknown: tuple[str, ...] = ()

    @property
    def label(self) -> str:
        """What tells it from others in a message."""
        return f"{self.where}: {self.name}" if self.where else self.name


@dataclass(frozen=True, slots=True)
class Refusal:
    """Something that is not imported.

    Attributes:
        name: Of the alarm or rule.
        reason: Why, such as who owns it.
        step: What would release it.
        where: Its place in a file; empty for what AWS has.
    """

    name: str
    reason: str
    step: str
    where: str = ""

    def text(self) -> str:
        """For a terminal."""
        place = f"{self.where}: " if self.where else ""
        steps = "".join(f"\n    {line}" for line in self.step.splitlines())
        return f"{place}{self.name}: {self.reason}{steps}"


@dataclass(slots=True)
class Found:
    """What was read.

    Attributes:
        source: From where, for the head of what is written.
        things: What is to be imported, by name.
        refused: What cannot be.
        notes: What else there is to say.
    """

    source: str
    things: list[Existing] = field(default_factory=list)
    refused: list[Refusal] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def alarm(
    described: Mapping[str, Any], tags: Mapping[str, str], *, arn: str = "", where: str = ""
) -> Existing:
    """An alarm as `describe_alarms` or the arguments of a call have it."""
    arguments = put_arguments(described)
    if "EvaluationCriteria" in arguments:
        arguments = {key: value for key, value in arguments.items() if key not in _NOT_OF_PROMQL}
    unknown = sorted(
        key for key, value in described.items() if key not in _STATE and _says(key, value, arguments)
    )
    kind: Kind = "composite-alarm" if "AlarmRule" in described else "metric-alarm"
    return Existing(kind, str(described["AlarmName"]), arguments, dict(tags), arn, where, tuple(unknown))


def _says(key: str, value: Any, arguments: Mapping[str, Any]) -> bool:
    """Whether a key says something that the arguments do not have."""
    left_out = "EvaluationCriteria" in arguments and key in _NOT_OF_PROMQL
    return key not in arguments and value not in (None, "", [], {}) and not left_out

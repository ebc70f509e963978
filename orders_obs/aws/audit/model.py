"""What an audit reads of an account, and what it says of it."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from orders_obs.findings import Finding

if TYPE_CHECKING:
    from collections.abc import Mapping

    from orders_obs.findings import Level

__all__ = [
    "ABSENT",
    "SUBJECTS",
    "Absent",
    "Cost",
    "Delivery",
    "Gap",
    "Issue",
    "Listing",
    "Result",
    "Seen",
    "Subject",
]

Subject = Literal[
    "never fires", "reaches nobody", "hides an outage", "no recovery", "duplicate", "noise", "upkeep"
]
SUBJECTS: dict[Subject, str] = {
    "never fires": "can never fire",
    "reaches nobody": "reach nobody, or not everybody",
    "hides an outage": "hide an outage",
    "noise": "fire when nothing is wrong",
    "duplicate": "say what another alarm says",
    "no recovery": "have no message when it is over",
    "upkeep": "want a look",
}
"""What a finding is about, the worst first, to the end of the sentence `N alarms …`."""

Absent = Literal["absent"]
ABSENT: Absent = "absent"
"""What AWS says it does not have, which is not the same as what could not be looked at (None)."""


@dataclass(frozen=True, slots=True)
class Gap:
    """What could not be looked at.

    Attributes:
        action: The IAM action that it takes.
        why: `no right`, `not there` for an endpoint that lacks the operation, `failed`, or `unsure` where AWS has no answer.
        about: What it was for, in words.
        said: What AWS said, in a few words; never a secret.
        count: How many times.
    """

    action: str
    why: Literal["no right", "not there", "failed", "unsure"]
    about: str
    said: str = ""
    count: int = 1


@dataclass(frozen=True, slots=True)
class Listing:
    """The sets of dimensions under which a metric had values in the last two weeks.

    Attributes:
        sets: Each set by name of the dimension.
        complete: Whether these are all.
    """

    sets: tuple[Mapping[str, str], ...]
    complete: bool = True


@dataclass(frozen=True, slots=True)
class Delivery:
    """What SNS says of a topic's notifications over a week; None where nothing was published."""

    delivered: float
    failed: float


@dataclass(slots=True)
class Seen:
    """What was read of one account and region, as plain data. What could not be read is None, or not among the keys, and a gap.

    Attributes:
        account: Twelve digits.
        region: Such as `eu-west-1`.
        partition: `aws`, `aws-cn` or `aws-us-gov`.
        alarms: As `describe_alarms` has them, of all kinds, moments as ISO 8601 text.
        tags: Of the alarms, by ARN.
        metrics: By owning account (empty: this one), namespace and name.
        exact: Whether anything had values under exactly these dimensions: by owner, namespace, name and dimensions.
        related: Whether any metric of a namespace had values with these dimensions among its own.
        filtered: Whether a metric filter of CloudWatch Logs sends a metric, by namespace and name.
        topics: Attributes by ARN; `ABSENT` where there is no such topic.
        subscriptions: By ARN of the topic, addresses masked.
        keys: By what names them: manager, state, policy.
        functions: By ARN: policy (None where it has none) and concurrency.
        deliveries: By ARN of the topic, over a week.
        rules: Of EventBridge's default bus.
        targets: By name of the rule.
        log_groups: Names that there are among those that are targets.
        log_policies: Of CloudWatch Logs, as data.
        mutes: Alarm mute rules.
        deployments: Alarms that ECS or CodeDeploy deployments watch, each with who.
        deployments_complete: Whether these are all.
        transitions: By alarm, when it went to ALARM in the time that was looked at; None where nobody asked.
        failed_actions: By alarm: the action, when, and what AWS said.
        gaps: What could not be looked at.
        oldest: When the oldest answer was given, ISO 8601.
        newest: When the newest one was.
        kept: Answers that come from a file of an earlier run.
        calls: Calls made, by `service:operation`.
        warnings: What a person should know of the reading itself.
    """

    account: str
    region: str
    partition: str = "aws"
    alarms: list[dict[str, Any]] = field(default_factory=list)
    tags: dict[str, dict[str, str]] | None = None
    metrics: dict[tuple[str, str, str], Listing] = field(default_factory=dict)
    exact: dict[tuple[str, str, str, frozenset[tuple[str, str]]], bool] = field(default_factory=dict)
    related: dict[tuple[str, str, frozenset[tuple[str, str]]], bool] = field(default_factory=dict)
    filtered: dict[tuple[str, str], bool] = field(default_factory=dict)
    topics: dict[str, dict[str, Any] | Absent] = field(default_factory=dict)
    subscriptions: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    keys: dict[str, dict[str, Any] | Absent] = field(default_factory=dict)
    functions: dict[str, dict[str, Any] | Absent] = field(default_factory=dict)
    deliveries: dict[str, Delivery] = field(default_factory=dict)
    rules: list[dict[str, Any]] | None = None
    targets: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    log_groups: dict[str, bool] = field(default_factory=dict)
    log_policies: list[Any] | None = None
    mutes: list[dict[str, Any]] | None = None
    deployments: dict[str, str] = field(default_factory=dict)
    deployments_complete: bool = False
    transitions: dict[str, list[str]] | None = None
    failed_actions: dict[str, tuple[str, str, str]] = field(default_factory=dict)
    gaps: list[Gap] = field(default_factory=list)
    oldest: str = ""
    newest: str = ""
    kept: int = 0
    calls: dict[str, int] = field(default_factory=dict)
    warnings: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Issue:
    """A finding on an account.

    Attributes:
        rule: Its name.
        level: As `Finding` has it.
        subject: What it is about.
        place: `ACCOUNT/REGION`, or the address of a Prometheus.
        kind: Of the thing: `alarm`, `topic`, `rule`, `mute rule`, `group`, `server`.
        thing: Its name.
        message: What is wrong, without the thing's name.
        hint: What to do.
        alarms: The alarms that it touches.
    """

    rule: str
    level: Level
    subject: Subject
    place: str
    kind: str
    thing: str
    message: str
    hint: str = ""
    alarms: tuple[str, ...] = ()

    @property
    def finding(self) -> Finding:
        """As every check of the package has it."""
        touched = len(self.alarms)
        # The number is in the hint, since a baseline compares messages and more alarms make no new finding.
        tail = (
            f"It touches {touched} alarm{'s' if touched > 1 else ''}. "
            if self.kind != "alarm" and touched
            else ""
        )
        return Finding(
            self.rule,
            self.level,
            f"{self.place} {self.kind} {self.thing}",
            self.message,
            f"{tail}{self.hint}",
        )

    def as_data(self) -> dict[str, Any]:
        """For `--json`: what a finding has, and what an audit knows besides."""
        return {
            **asdict(self.finding),
            "subject": self.subject,
            "place": self.place,
            "kind": self.kind,
            "thing": self.thing,
            "alarms": list(self.alarms),
        }


@dataclass(frozen=True, slots=True)
class Cost:
    """What an alarm costs.

    Attributes:
        alarm: Its name.
        usd: A month at list price; None where the price depends on what a query matches.
        why: Of what it is made.
    """

    alarm: str
    usd: float | None
    why: str


@dataclass(frozen=True, slots=True)
class Result:
    """The audit of one account and region, or of one Prometheus.

    Attributes:
        place: `ACCOUNT/REGION`, or an address.
        count: Alarms that were looked at.
        there: Alarms that there are, where not all of them were to be looked at; None where all were.
        issues: What was found.
        gaps: What could not be looked at, each with the rules that it takes.
        costs: Dearest first.
        oldest: When the oldest answer was given.
        newest: When the newest one was.
        kept: Answers from a file of an earlier run.
        calls: Calls made.
        warnings: What a person should know of the reading itself.
        fault: Why nothing could be looked at; empty where something could.
        what: What is counted: `alarms` or `rules`.
    """

    place: str
    count: int = 0
    issues: tuple[Issue, ...] = ()
    gaps: tuple[tuple[Gap, tuple[str, ...]], ...] = ()
    costs: tuple[Cost, ...] = ()
    oldest: str = ""
    newest: str = ""
    kept: int = 0
    calls: Mapping[str, int] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()
    fault: str = ""
    what: str = "alarms"
    there: int | None = None

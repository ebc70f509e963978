"""What a catalogue says, once it is read: alerts, what they mean, where they stand and whom they reach."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import date

    from orders_obs.signals.model import Count, Event, Level, Presence, Ratio, Share, Statistic

    SampledSignal = Ratio | Share | Count | Level | Presence

__all__ = [
    "ENGINES",
    "PACKAGES",
    "Alert",
    "AlertmanagerSettings",
    "AnyAlert",
    "BurnAlert",
    "BurnWindow",
    "Comparison",
    "Engine",
    "Environment",
    "EventAlert",
    "Lookup",
    "Mode",
    "MuteWindow",
    "RawAlert",
    "Receiver",
    "ResolvedCatalogue",
    "Severity",
    "Source",
    "Waiver",
    "WhenMissing",
]

Comparison = Literal["above", "below", "at_least", "at_most"]
WhenMissing = Literal["ok", "breach", "keep", "unknown"]
Engine = Literal["prometheus", "cloudwatch", "cloudwatch-promql"]
Mode = Literal["live", "shadow", "disabled"]
PACKAGES = Path(__file__).with_name("packages")
"""The folder of the packages that are shipped."""
ENGINES: tuple[Engine, ...] = ("prometheus", "cloudwatch", "cloudwatch-promql")


@dataclass(frozen=True, slots=True)
class Source:
    """Where something is written."""

    file: Path
    line: int

    def __str__(self) -> str:
        return self.short if self.file.parent == PACKAGES else f"{self.file}:{self.line}"

    @property
    def short(self) -> str:
        """Without the folder, so that what is built is the same on every machine."""
        name = f"package:{self.file.stem}" if self.file.parent == PACKAGES else self.file.name
        return f"{name}:{self.line}"


@dataclass(frozen=True, slots=True)
class Receiver:
    """An address that is never written down: the name of a secret, or of a file that holds it.

    Attributes:
        kind: `slack`, `pagerduty` or `webhook`.
        store: `secret` (AWS Secrets Manager) or `file` (beside Alertmanager's configuration).
        name: The secret's or the file's name.
    """

    kind: Literal["slack", "pagerduty", "webhook"]
    store: Literal["secret", "file"]
    name: str


@dataclass(frozen=True, slots=True)
class Severity:
    """Whom an alert of this severity reaches.

    Attributes:
        name: The team's own word.
        rank: Place in the catalogue, 0 the worst; a worse one that fires mutes the others of the same alert.
        page: Whether somebody is called out of bed.
        topic: SNS topic, without the environment, which is added; or the ARN of a topic that is managed elsewhere.
        email: Addresses.
        receivers: Chat, pager and webhook.
        log: Whether it is only recorded where a person can query it.
        encrypt: Whether the topic is encrypted with a customer key.
        source: Where it is written.
    """

    name: str
    rank: int
    page: bool
    topic: str
    email: tuple[str, ...]
    receivers: tuple[Receiver, ...]
    log: bool
    encrypt: bool
    source: Source

    @property
    def own_topic(self) -> bool:
        """Whether the topic belongs to this catalogue."""
        return bool(self.topic) and not self.topic.startswith("arn:")

    def receiver(self, kind: str) -> Receiver | None:
        """Its receiver of a kind, if it has one."""
        return next((receiver for receiver in self.receivers if receiver.kind == kind), None)


@dataclass(frozen=True, slots=True)
class Lookup:
    """How the value of a resource is found: by tags, an SSM parameter, or the output of a stack; one of the three.

    Attributes:
        tags: Tags that exactly one resource of the right type has.
        ssm: Name of a parameter.
        stack: Name of a CloudFormation stack.
        output: Key of its output.
        source: Where it is written.
    """

    tags: tuple[tuple[str, str], ...]
    ssm: str
    stack: str
    output: str
    source: Source

    def as_data(self) -> dict[str, Any]:
        """As the lock has it."""
        if self.tags:
            return {"tag": dict(self.tags)}
        return {"ssm": self.ssm} if self.ssm else {"stack": self.stack, "output": self.output}


@dataclass(frozen=True, slots=True)
class AlertmanagerSettings:
    """What Alertmanager itself is told: times for grouping, as it writes them, and the way of e-mail.

    Attributes:
        group_wait: Before the first message of a group.
        group_interval: Between two messages of a group.
        repeat_interval: Before a message comes again.
        smarthost: HOST:PORT of the mail server; empty where Alertmanager sends no e-mail.
        sender: From whom the e-mail is.
        username: At the mail server, with the password in `secrets/smtp-password`; empty where it asks for none.
    """

    group_wait: str = "30s"
    group_interval: str = "5m"
    repeat_interval: str = "4h"
    smarthost: str = ""
    sender: str = ""
    username: str = ""


@dataclass(frozen=True, slots=True)
class Environment:
    """Where alerts are evaluated.

    Attributes:
        name: Such as `production`.
        every: Seconds between two looks.
        scrape: Seconds between two scrapes of the service.
        faster: By how much samples and windows are shorter there than the catalogue says; 1 but for demonstrations.
        engines: What evaluates alerts there.
        account: AWS account, twelve digits; empty where there is none.
        region: AWS region; empty where there is none.
        resources: Placeholder to the value that fills it, such as `load_balancer` to `app/orders/50dc6c495c0c9188`.
        lookups: Those that are looked up; in `resources` too once the lock has them.
        traffic: Typical requests per second; None where the catalogue does not say.
        keep_logs: Days for which log groups keep what they have.
        watchdog: Receiver of an alert that always fires, so that its absence can be noticed; None without.
        alertmanager: What Alertmanager is told.
        source: Where it is written.
    """

    name: str
    every: float
    scrape: float
    faster: int
    engines: tuple[Engine, ...]
    account: str
    region: str
    resources: dict[str, str]
    lookups: dict[str, Lookup]
    traffic: float | None
    keep_logs: int
    watchdog: Receiver | None
    alertmanager: AlertmanagerSettings
    source: Source


@dataclass(frozen=True, kw_only=True)
class AnyAlert:
    """What every alert has, of one severity in one environment.

    Attributes:
        name: As in the catalogue.
        alert_id: Outlives the name.
        was: Names that it had.
        service: Whose signal it is: the Prometheus `job`.
        environment: Where.
        severity: How bad.
        owner: Who answers for it.
        runbook: Address of its page.
        mode: `shadow` is evaluated and tells nobody.
        engines: What evaluates it; empty where the catalogue leaves it to the environment.
        source: Where its condition is written.
    """

    name: str
    alert_id: str
    was: tuple[str, ...]
    service: str
    environment: Environment
    severity: Severity
    owner: str
    runbook: str
    mode: Mode
    engines: tuple[Engine, ...]
    source: Source

    @property
    def full_name(self) -> str:
        """SERVICE-ENV-ALERT-SEVERITY, the name on CloudWatch."""
        return self.name_on_aws(self.name)

    def name_on_aws(self, name: str) -> str:
        """The name on CloudWatch that it has, or had, under this name."""
        return f"{self.service}-{self.environment.name}-{name}-{self.severity.name}"


@dataclass(frozen=True, kw_only=True)
class Alert(AnyAlert):
    """An alert on samples of a signal, with everything that decides when it fires.

    A *sample* is the signal over a stretch of `over` seconds. At each look the last `samples` adjacent samples count; the alert
    fires while at least `breaching` of them breach.

    Attributes:
        signal: What is watched.
        comparison: On which side of the threshold a sample breaches.
        threshold: A share from 0 to 1 for ratios and shares, a number of events for counts, the signal's unit for levels,
            1 for what must be there.
        bound: For a share: seconds above which a request is slow.
        over: Seconds of a sample.
        breaching: M of `M of N`.
        samples: N of `M of N`.
        minimum: Events below which a sample of a ratio or share is no sample.
        statistic: How the values of a level become a sample.
        when_missing: What a missing sample does.
    """

    signal: SampledSignal
    comparison: Comparison
    threshold: float
    bound: float | None
    over: float
    breaching: int
    samples: int
    minimum: int
    statistic: Statistic
    when_missing: WhenMissing

    @property
    def high_is_bad(self) -> bool:
        """Whether a sample breaches on the upper side of the threshold."""
        return self.comparison in ("above", "at_least")


@dataclass(frozen=True, slots=True)
class BurnWindow:
    """One pair of windows of a burn rate, both of which must burn.

    Attributes:
        long: Seconds.
        short: Seconds, a twelfth of `long`.
        factor: How many times faster than allowed the error budget is spent.
        threshold: The share of bad events from which that is so: factor times the budget.
        minimum: Events in the long window below which the pair says nothing: with fewer, one failure alone would burn.
    """

    long: float
    short: float
    factor: float
    threshold: float
    minimum: int


@dataclass(frozen=True, kw_only=True)
class BurnAlert(AnyAlert):
    """An alert on the error budget of an objective: fires while any of its pairs of windows burns.

    Attributes:
        signal: What is promised about.
        bound: For a latency: seconds above which a request is slow.
        objective: The share of good events that is promised, from 0 to 1.
        period: Seconds over which it is promised.
        windows: The pairs.
    """

    signal: Ratio | Share
    bound: float | None
    objective: float
    period: float
    windows: tuple[BurnWindow, ...]


@dataclass(frozen=True, kw_only=True)
class EventAlert(AnyAlert):
    """An alert that is an announcement: it tells each time, and is never over."""

    signal: Event


@dataclass(frozen=True, kw_only=True)
class RawAlert(AnyAlert):
    """An alert in an engine's own form; only that the engines mean the same is not claimed.

    Attributes:
        cloudwatch: Arguments of `put_metric_alarm`, or of `put_composite_alarm` where it has an `AlarmRule`. Name, description,
            actions and whether they are enabled take the place of what the severity gives; an empty one means none. None where it
            has none.
        prometheus: `expr` and, where wanted, `for`, `keep_firing_for`, `labels`, `annotations`; where it has an `alert`, it is that
            rule and nothing is added. None where it has none.
    """

    cloudwatch: dict[str, Any] | None
    prometheus: dict[str, Any] | None

    @property
    def full_name(self) -> str:
        """Its own name on CloudWatch where it says one."""
        return self.name_on_aws(self.name)

    def name_on_aws(self, name: str) -> str:
        """Its own name on CloudWatch where it says one, whatever the alert is called."""
        own = (self.cloudwatch or {}).get("AlarmName")
        return str(own) if own else super().name_on_aws(name)

    @property
    def composite(self) -> bool:
        """Whether it is a composite on CloudWatch."""
        return "AlarmRule" in (self.cloudwatch or {})


@dataclass(frozen=True, slots=True)
class MuteWindow:
    """A time in which alerts tell nobody; they are evaluated all the same.

    Attributes:
        name: As in the catalogue.
        alerts: Names of alerts; empty for all.
        severities: Names of severities; empty for all.
        days: 0 is Monday; empty for every day.
        on: The day of a window that comes once; None for one that comes again.
        minute: Minute of the day at which it begins.
        length: Minutes.
        timezone: IANA name.
        reason: Why.
        source: Where it is written.
    """

    name: str
    alerts: tuple[str, ...]
    severities: tuple[str, ...]
    days: tuple[int, ...]
    on: date | None
    minute: int
    length: int
    timezone: str
    reason: str
    source: Source

    def covers(self, alert: AnyAlert) -> bool:
        """Whether it mutes an alert."""
        return (not self.alerts or alert.name in self.alerts) and (
            not self.severities or alert.severity.name in self.severities
        )


@dataclass(frozen=True, slots=True)
class Waiver:
    """A finding of lint that a team lives with until a day.

    Attributes:
        rule: Of lint.
        alert: Name of the alert; empty for all.
        reason: Why.
        until: The last day.
        source: Where it is written.
    """

    rule: str
    alert: str
    reason: str
    until: date
    source: Source


@dataclass(frozen=True, slots=True)
class ResolvedCatalogue:
    """A catalogue as one environment sees it.

    Attributes:
        service: Whose alerts these are.
        owner: Who answers for them.
        environment: The environment.
        alerts: Alerts on samples.
        burns: Alerts on error budgets.
        events: Announcements.
        raws: Alerts in an engine's own form.
        severities: All of the catalogue, the worst first.
        mutes: Times in which alerts tell nobody.
        waivers: Findings that the team lives with.
        log_groups: Names of the log groups, the environment added.
        version: Of the language.
    """

    service: str
    owner: str
    environment: Environment
    alerts: tuple[Alert, ...]
    burns: tuple[BurnAlert, ...] = ()
    events: tuple[EventAlert, ...] = ()
    raws: tuple[RawAlert, ...] = ()
    severities: tuple[Severity, ...] = ()
    mutes: tuple[MuteWindow, ...] = ()
    waivers: tuple[Waiver, ...] = ()
    log_groups: tuple[str, ...] = ()
    version: int = 1

    def __iter__(self) -> Iterator[AnyAlert]:
        """Every alert: samples, budgets, announcements, raw ones."""
        yield from self.alerts
        yield from self.burns
        yield from self.events
        yield from self.raws

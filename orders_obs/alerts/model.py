"""What a catalogue says, once it is read: alerts, what they mean, where they stand and whom they reach."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from pathlib import Path

    from orders_obs.signals.model import Count, Ratio, Share

    AlertableSignal = Ratio | Share | Count

__all__ = ["Alert", "Comparison", "Environment", "ResolvedCatalogue", "Severity", "Source", "WhenMissing"]

Comparison = Literal["above", "below"]
WhenMissing = Literal["ok", "breach", "keep", "unknown"]


@dataclass(frozen=True, slots=True)
class Source:
    """Where something is written."""

    file: Path
    line: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}"


@dataclass(frozen=True, slots=True)
class Severity:
    """Whom an alert of this severity reaches.

    Attributes:
        name: The team's own word.
        page: Whether somebody is called out of bed.
        topic: SNS topic, without the environment, which is added.
    """

    name: str
    page: bool = False
    topic: str = ""


@dataclass(frozen=True, slots=True)
class Environment:
    """Where alerts are evaluated.

    Attributes:
        name: Such as `production`.
        every: Seconds between two looks.
        account: AWS account, twelve digits; empty where there is none.
        region: AWS region; empty where there is none.
        resources: Placeholder to the value that fills it, such as `load_balancer` to `app/orders/50dc6c495c0c9188`.
        source: Where it is written.
    """

    name: str
    every: float
    account: str
    region: str
    resources: dict[str, str]
    source: Source


@dataclass(frozen=True, slots=True)
class Alert:
    """One alert of one severity in one environment, with everything that decides when it fires.

    A *sample* is the signal over a stretch of `over` seconds. At each look the last `samples` adjacent samples count; the alert
    fires while at least `breaching` of them breach.

    Attributes:
        name: As in the catalogue.
        alert_id: Outlives the name.
        service: Whose signal it is: the Prometheus `job`.
        environment: Where.
        severity: How bad.
        signal: What is watched.
        comparison: On which side of the threshold a sample breaches.
        threshold: A share from 0 to 1 for ratios and shares, a number of events for counts.
        bound: For a share: seconds above which a request is slow.
        over: Seconds of a sample.
        breaching: M of `M of N`.
        samples: N of `M of N`.
        minimum: Events below which a sample of a ratio or share is no sample.
        when_missing: What a missing sample does.
        runbook: Address of its page.
        source: Where its condition is written.
    """

    name: str
    alert_id: str
    service: str
    environment: Environment
    severity: Severity
    signal: AlertableSignal
    comparison: Comparison
    threshold: float
    bound: float | None
    over: float
    breaching: int
    samples: int
    minimum: int
    when_missing: WhenMissing
    runbook: str
    source: Source

    @property
    def full_name(self) -> str:
        """SERVICE-ENV-ALERT-SEVERITY, the name on CloudWatch."""
        return f"{self.service}-{self.environment.name}-{self.name}-{self.severity.name}"


@dataclass(frozen=True, slots=True)
class ResolvedCatalogue:
    """A catalogue as one environment sees it."""

    service: str
    owner: str
    environment: Environment
    alerts: tuple[Alert, ...] = field(default=())

"""Whom a severity reaches in an environment: by Alertmanager, and by AWS, which cannot do all that the other can."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from orders_obs.alerts.model import Environment, Severity

__all__ = ["Way", "by_alertmanager", "by_aws", "ways"]


@dataclass(frozen=True, slots=True)
class Way:
    """One way to those who are told.

    Attributes:
        engine: `Alertmanager` or `AWS`.
        reached: Who is told by it.
        lost: Why others are not, each with what to do about it.
    """

    engine: str
    reached: tuple[str, ...]
    lost: tuple[str, ...]


def ways(severity: Severity, environment: Environment) -> list[Way]:
    """The ways of the environment's engines."""
    found = []
    if "prometheus" in environment.engines:
        found.append(by_alertmanager(severity, environment))
    if {"cloudwatch", "cloudwatch-promql"} & set(environment.engines):
        found.append(by_aws(severity, environment))
    return found


def by_alertmanager(severity: Severity, environment: Environment) -> Way:
    """Whom Alertmanager tells."""
    reached, lost = list[str](receiver.kind for receiver in severity.receivers), list[str]()
    if severity.email and environment.alertmanager.smarthost:
        reached.append("email")
    elif severity.email:
        lost.append("no e-mail is sent without alertmanager: {smtp: …, from: …}")
    return Way("Alertmanager", tuple(reached), tuple(lost))


def by_aws(severity: Severity, environment: Environment) -> Way:
    """Whom SNS tells."""
    if not severity.topic:
        return Way("AWS", (), ("it has no topic",))
    if not severity.own_topic:
        return Way("AWS", ("its topic, managed elsewhere",), ())
    reached, lost = list(severity.email), list[str]()
    for receiver in severity.receivers:
        if receiver.kind == "pagerduty" and receiver.store == "file":
            lost.append("a file is not there: name a secret for pagerduty")
        elif receiver.kind == "pagerduty" or "relay_function" in environment.resources:
            reached.append(receiver.kind)
        else:
            lost.append(
                f"{receiver.kind} takes no message of SNS: name the relay as the resource relay_function"
            )
    return Way("AWS", tuple(reached), tuple(lost))

"""What is no alarm: EventBridge's events as they are, RDS's own notifications, and texts.

An event does not carry the runbook of its rule, so it is found by the name of the shipped alert that listens to it.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from orders_obs.relay import links
from orders_obs.relay.alert import Alert, Status, moment, worded

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["is_event", "is_first_data", "is_rds", "read_event", "read_rds", "read_text"]

_HEADLINE = 140
_ECS = {
    "SERVICE_DEPLOYMENT_FAILED": ("Deployment failed", "deployment_failed"),
    "SERVICE_DEPLOYMENT_COMPLETED": ("Deployment done", ""),
    "SERVICE_DEPLOYMENT_IN_PROGRESS": ("Deployment in progress", ""),
    "SERVICE_TASK_START_IMPAIRED": ("Tasks not started", "tasks_not_placed"),
    "SERVICE_TASK_PLACEMENT_FAILURE": ("Tasks not placed", "tasks_not_placed"),
    "SERVICE_TASK_CONFIGURATION_FAILURE": ("Tasks not placed", "tasks_not_placed"),
}
_STATUSES: dict[str, Status] = {"ALARM": "firing", "OK": "recovered", "INSUFFICIENT_DATA": "unknown"}


def is_event(message: Mapping[str, Any]) -> bool:
    """Whether a message is an event of EventBridge."""
    texts = all(isinstance(message.get(key), str) for key in ("detail-type", "source", "time"))
    return texts and isinstance(message.get("detail"), dict)


def is_first_data(message: Mapping[str, Any]) -> bool:
    """Whether an event says that an alarm which had no data is well."""
    states = [message["detail"].get(key) for key in ("state", "previousState")]
    values = [state.get("value") if isinstance(state, dict) else None for state in states]
    return values == ["OK", "INSUFFICIENT_DATA"]


def is_rds(message: Mapping[str, Any]) -> bool:
    """Whether a message is one that RDS sends to a topic itself."""
    return isinstance(message.get("Event Source"), str) and isinstance(message.get("Event Message"), str)


def read_event(message: Mapping[str, Any], severity: str, region: str, runbooks: str) -> Alert:
    """What an event says."""
    detail: dict[str, Any] = message["detail"]
    kind = message["detail-type"]
    title, named, runbook, text = kind, "", "", ""
    status: Status = "happened"
    facts: list[tuple[str, str]] = []
    resources = message.get("resources")
    about = [worded(item) for item in resources] if isinstance(resources, list) else []
    found: list[tuple[str, str]] = []
    if kind in ("ECS Deployment State Change", "ECS Service Action"):
        event = worded(detail.get("eventName"))
        title, runbook = _ECS.get(event, (f"{kind}: {event}", ""))
        text = worded(detail.get("reason"))
        facts = [("Event", event), ("Deployment", worded(detail.get("deploymentId")))]
    elif kind.startswith("RDS DB"):
        title = f"{kind.removesuffix(' Event')}: {worded(detail.get('SourceIdentifier'))}"
        text, runbook = worded(detail.get("Message")), "database_down_event"
        facts = [
            ("Event", worded(detail.get("EventID"))),
            ("Categories", _listed(detail.get("EventCategories"))),
        ]
    elif kind.startswith("Application Auto Scaling"):
        most = detail.get("scaledToMax") is True
        title, runbook = ("Scaled to the maximum", "scaled_to_maximum") if most else ("Scaled", "")
        facts = [
            ("What", worded(detail.get("resourceId"))),
            (
                "Capacity",
                f"{worded(detail.get('oldDesiredCapacity'))} to {worded(detail.get('newDesiredCapacity'))}",
            ),
        ]
    elif kind == "CloudWatch Alarm State Change":
        named = worded(detail.get("alarmName"))
        state = detail.get("state")
        state = state if isinstance(state, dict) else {}
        title, text = named, worded(state.get("reason"))
        status = _STATUSES.get(worded(state.get("value")), "happened")
        found = [("Alarm", links.alarm(region, named))]
    else:
        text = json.dumps(detail, ensure_ascii=False, indent=1)
    return Alert(
        status=status,
        severity=severity,
        title=title,
        # Of an ARN, what follows the account.
        name=named or ", ".join(item.split(":", 5)[-1] for item in about[:3]),
        text=text,
        since=moment(message["time"]),
        facts=tuple((name, value) for name, value in facts if value),
        links=(*found, ("Runbook", links.runbook(runbooks, runbook))),
        source=f"EventBridge, {message['source']}",
        account=worded(message.get("account")),
        region=region,
    )


def read_rds(message: Mapping[str, Any], severity: str, region: str, runbooks: str) -> Alert:
    """What RDS says by its own subscription."""
    event = worded(message.get("Event ID")).rpartition("#")[2]
    name = worded(message.get("Source ID"))
    return Alert(
        status="happened",
        severity=severity,
        title=f"RDS {worded(message['Event Source'])}: {name}"
        if name
        else f"RDS {worded(message['Event Source'])}",
        name=name,
        text=worded(message["Event Message"]),
        since=moment(message.get("Event Time")),
        facts=(("Event", event),) if event else (),
        # "Identifier Link" is a place of the console; some messages have a second line there.
        links=(
            ("Console", (worded(message.get("Identifier Link")).splitlines() or [""])[0]),
            ("Runbook", links.runbook(runbooks, "database_down_event")),
        ),
        source="RDS event subscription",
        region=region,
    )


def read_text(text: str, subject: str | None, severity: str, region: str) -> Alert:
    """Whatever else there is, as the text that it is: AWS Budgets, a person's own message, a form that is not known."""
    lines = [line for line in text.splitlines() if line.strip()]
    title = subject or (lines[0] if lines and not lines[0].lstrip().startswith(("{", "[")) else "A message")
    return Alert(
        status="happened",
        severity=severity,
        title=title[:_HEADLINE].strip(),
        text=text.strip() or "(an empty message)",
        source="SNS",
        region=region,
    )


def _listed(value: Any) -> str:
    return ", ".join(worded(item) for item in value) if isinstance(value, list) else worded(value)

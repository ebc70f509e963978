"""An alarm of a live account: its settings as the lint reads them, and who made it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal

from orders_obs.alerts.lint.cloudwatch.views import AlarmView
from orders_obs.aws.kinds import parse_arn
from orders_obs.aws.normal import put_arguments

if TYPE_CHECKING:
    from collections.abc import Mapping

    from orders_obs.aws.audit.model import Seen

__all__ = ["Action", "Alarm", "action", "alarms_of", "is_paging"]

ActionKind = Literal["topic", "function", "machine", "ticket", "other"]

_BEANSTALK = re.compile(r"awseb-e-\w+-stack-")


@dataclass(frozen=True, slots=True)
class Action:
    """What an alarm does.

    Attributes:
        arn: Of the target.
        kind: `topic`, `function`, `machine` for what scales, stops or recovers something, `ticket` for an incident, an OpsItem or an
            investigation, or `other`.
        region: Where it is; empty where the ARN has none.
        account: Whose it is, likewise.
        name: The end of its ARN.
    """

    arn: str
    kind: ActionKind
    region: str
    account: str
    name: str


def action(arn: str) -> Action:
    """What an action's ARN says."""
    parts = parse_arn(arn)
    if parts is None:
        # `arn:aws:automate:REGION:ec2:recover` has no account.
        return Action(arn, "machine" if ":automate:" in arn else "other", "", "", arn)
    kind: ActionKind = "other"
    if parts.service == "sns":
        kind = "topic"
    elif parts.service == "lambda":
        kind = "function"
    elif parts.service in ("autoscaling", "automate", "swf"):
        kind = "machine"
    elif parts.service in ("ssm", "ssm-incidents", "aiops"):
        kind = "ticket"
    return Action(arn, kind, parts.region, parts.account, parts.resource.removeprefix("function:"))


class Alarm:
    """An alarm as `describe_alarms` has it.

    Args:
        described: Its entry.
        tags: Its tags; None where they could not be read.
    """

    def __init__(self, described: Mapping[str, Any], tags: Mapping[str, str] | None) -> None:
        self.described = described
        self.tags = tags
        self.name = str(described.get("AlarmName", ""))
        self.arn = str(described.get("AlarmArn", ""))
        self.state = str(described.get("StateValue", ""))
        self.enabled = described.get("ActionsEnabled", True) is not False

    @property
    def kind(self) -> Literal["metric", "composite", "log"]:
        """What it evaluates."""
        if "AlarmRule" in self.described:
            return "composite"
        return "log" if "ScheduledQueryConfiguration" in self.described else "metric"

    @cached_property
    def view(self) -> AlarmView:
        """Its arguments, as lint looks at them."""
        arguments = put_arguments(self.described)
        if self.tags:
            arguments["Tags"] = [{"Key": key, "Value": value} for key, value in self.tags.items()]
        return AlarmView(arguments, self.name)

    @property
    def since(self) -> str:
        """Since when it has its state, as ISO 8601; empty where AWS does not say."""
        moved, updated = (
            self.described.get(key) for key in ("StateTransitionedTimestamp", "StateUpdatedTimestamp")
        )
        return str(moved or updated or "")

    def actions(self, key: Literal["AlarmActions", "OKActions", "InsufficientDataActions"]) -> list[Action]:
        """What it does in a state."""
        return [action(str(arn)) for arn in self.described.get(key) or ()]

    @cached_property
    def maker(self) -> str:
        """The service that made it and looks after it; empty where a person did."""
        description = str(self.described.get("AlarmDescription", ""))
        if self.name.startswith("TargetTracking-") or "DO NOT EDIT OR DELETE" in description:
            return "auto scaling"
        if _BEANSTALK.match(self.name):
            return "Elastic Beanstalk"
        return ""

    @property
    def scales(self) -> bool:
        """Whether it drives a scaling policy, so that it is in ALARM while there is little to do."""
        return any(":autoscaling:" in did.arn for did in self.actions("AlarmActions"))

    @property
    def is_machine(self) -> bool:
        """Whether it drives a machine and tells nobody: it scales, stops or recovers something."""
        actions = self.actions("AlarmActions")
        return bool(actions) and all(did.kind == "machine" for did in actions)


def alarms_of(seen: Seen) -> list[Alarm]:
    """The alarms that were read, with their tags."""
    made = []
    for described in seen.alarms:
        tags = None if seen.tags is None else seen.tags.get(str(described.get("AlarmArn")), {})
        made.append(Alarm(described, tags))
    return made


def is_paging(alarm: Alarm) -> bool:
    """Whether an alarm says by its tags or its name that it pages somebody."""
    return alarm.view.severity == "critical"

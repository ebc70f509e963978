"""Who owns an alarm already, and how it is released: what somebody else's tool makes, that tool would take back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from orders_obs.aws.importing.existing import Refusal
from orders_obs.aws.session import UnknownCall
from orders_obs.aws.things import STACK_TAG, Owner
from orders_obs.errors import EnvironmentFault
from orders_obs.redact import redact_text

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Mapping

    from orders_obs.alerts.model import AnyAlert
    from orders_obs.aws.importing.existing import Existing
    from orders_obs.aws.session import Aws

__all__ = ["Owners", "Stack", "hint", "stack_of"]

_LOGICAL = "aws:cloudformation:logical-id"
_BEANSTALK = "elasticbeanstalk:environment-name"
_TOOLS = ("terraform", "opentofu", "pulumi", "cloudformation", "cdk", "ansible", "serverless")
_SAYING = ("managedby", "provisionedby", "createdby", "iac", "tool", "terraform")
# How the alarms of a scaling policy begin, and what Auto Scaling writes into them (Application Auto Scaling user guide, "Target
# tracking scaling policies": do not edit or delete them).
_SCALING, _HANDS_OFF = "TargetTracking-", "DO NOT EDIT OR DELETE"


@dataclass(frozen=True, slots=True)
class Stack:
    """A CloudFormation stack that owns an alarm; `logical` is the resource's id in it, empty where it is not known."""

    name: str
    logical: str = ""


class Owners:
    """Finds who owns an alarm.

    Args:
        owner: Who wants to import it.
        made: The catalogue's own alarms by name.
        states: What Terraform's states have: address and ARN by name.
        stack: Asks for the stack of an alarm; None where AWS is not asked.
        again: Names of alarms that were imported before, and are imported again.
    """

    def __init__(
        self,
        owner: Owner,
        made: Mapping[str, AnyAlert],
        states: Mapping[str, tuple[str, str]],
        stack: Callable[[Existing], Stack | None] | None = None,
        again: Collection[str] = (),
    ) -> None:
        self._owner = owner
        self._made = made
        self._states = states
        self._stack = stack
        self._again = again

    def refusal(self, thing: Existing) -> Refusal | None:
        """Why an alarm is not to be imported; None where nothing is against it.

        Raises:
            EnvironmentFault: AWS cannot be asked whose it is.
        """
        for find in (self._of_catalogues, self._of_aws, self._of_terraform, self._of_stacks, _unfit):
            said = find(thing)
            if said is not None:
                return Refusal(thing.name, said[0], said[1], thing.where)
        return None

    def _of_catalogues(self, thing: Existing) -> tuple[str, str] | None:
        alert = self._made.get(thing.name)
        if alert is not None:
            return (
                f"the catalogue has it already, as {alert.name} in {alert.source}",
                f"`orders-obs alerts apply --env {self._owner.environment} --adopt '{thing.name}'` makes it the catalogue's on AWS",
            )
        untag = f"aws cloudwatch untag-resource --resource-arn '{thing.arn}' --tag-keys managed-by"
        if self._owner.has(thing.tags):
            if thing.name in self._again:
                return None
            return (
                "it is of this catalogue by its tags, and no alert makes it: plan would delete it",
                f"{untag}    # and import it then",
            )
        other = Owner.named(thing.tags)
        return (f"it is of {other}", f"take it out of there first: {untag}") if other else None

    @staticmethod
    def _of_aws(thing: Existing) -> tuple[str, str] | None:
        description = str(thing.arguments.get("AlarmDescription", ""))
        if thing.name.startswith(_SCALING) or description.startswith(_HANDS_OFF):
            return (
                "it belongs to a scaling policy, which makes and deletes it",
                "leave it; it goes with the policy. An alert on the same metric may stand beside it",
            )
        environment = thing.tags.get(_BEANSTALK) or (
            thing.tags.get(STACK_TAG, "") if thing.tags.get(STACK_TAG, "").startswith("awseb-") else ""
        )
        if environment:
            return (
                f"it belongs to {environment} of Elastic Beanstalk, which makes it anew at each update",
                "take it out of the environment's configuration (.ebextensions, or its health settings), and make an alert of its own",
            )
        return None

    def _of_terraform(self, thing: Existing) -> tuple[str, str] | None:
        address, arn = self._states.get(thing.name, ("", ""))
        if not address or (arn and thing.arn and arn != thing.arn):
            return None
        step = (
            f"terraform state rm '{address}'    # and take its block out of the configuration\n"
            "or put this in place of the block, and apply (Terraform 1.7 and later):\n"
            f"removed {{\n  from = {_without_index(address)}\n  lifecycle {{\n    destroy = false\n  }}\n}}"
        )
        return f"a Terraform state has it as {address}", step

    def _of_stacks(self, thing: Existing) -> tuple[str, str] | None:
        tagged = thing.tags.get(STACK_TAG, "")
        stack: Stack | None = Stack(tagged, thing.tags.get(_LOGICAL, "")) if tagged else None
        if self._stack is not None:
            try:
                stack = self._stack(thing)
            except EnvironmentFault:
                # The tag says it as well; without it nothing does.
                if stack is None:
                    raise
        if stack is None:
            return None
        resource = stack.logical or "the alarm"
        step = (
            f"1. in the template give {resource} `DeletionPolicy: Retain`, and deploy the stack"
            " (CDK: alarm.applyRemovalPolicy(RemovalPolicy.RETAIN))\n"
            f"2. take {resource} out of the template, and deploy again: the alarm stays, and is nobody's"
        )
        named = f" as {stack.logical}" if stack.logical else ""
        return f"the CloudFormation stack {stack.name} owns it{named}", step


def hint(thing: Existing) -> str:
    """What the tags say of a tool that may own an alarm; empty where they say nothing."""
    for key, value in thing.tags.items():
        plain = key.lower().replace("-", "").replace("_", "").replace(":", "")
        named = next(
            (tool for tool in _TOOLS if tool in value.lower() or (tool in plain and value.lower() == "true")),
            "",
        )
        if named and (plain in _SAYING or named in plain):
            return (
                f"{thing.name}: its tag {key} says that {named} makes it:"
                " where that is still so, release it there first (--terraform-state FILE finds it in a state)"
            )
    return ""


def stack_of(aws: Aws, thing: Existing) -> Stack | None:
    """The stack that owns an alarm; None where none does.

    A stack that kept an alarm when it gave it up still lists it, and the alarm keeps the stack's tags; neither makes it the owner.

    Raises:
        EnvironmentFault: CloudFormation cannot be asked.
    """
    for identity in dict.fromkeys((thing.name, thing.arn)):
        try:
            answer = aws.call(
                "cloudformation", "describe_stack_resources", about=f"the stack of alarm {thing.name}", absent="ValidationError",
                PhysicalResourceId=identity,
            )  # fmt: skip
        except UnknownCall:
            # An emulator that has no stacks to look an alarm up in.
            return None
        for resource in (answer or {}).get("StackResources", ()):
            if resource.get("PhysicalResourceId") not in (thing.name, thing.arn):
                continue
            if str(resource.get("ResourceType", "")) not in (
                "AWS::CloudWatch::Alarm",
                "AWS::CloudWatch::CompositeAlarm",
            ):
                continue
            if not str(resource.get("ResourceStatus", "")).startswith("DELETE_"):
                return Stack(str(resource.get("StackName", "?")), str(resource.get("LogicalResourceId", "")))
    return None


def _without_index(address: str) -> str:
    """The address of a block: `removed` takes no instance."""
    parts, depth = [], 0
    for letter in address:
        depth += letter == "["
        if not depth:
            parts.append(letter)
        depth -= letter == "]"
    return "".join(parts)


def _unfit(thing: Existing) -> tuple[str, str] | None:
    """What cannot be kept as it is, or must not be written into a file."""
    if thing.unknown:
        return (
            f"it has {', '.join(thing.unknown)}, which this version cannot give back",
            "leave it, or take that out of the alarm",
        )
    for path, text in _texts(thing.arguments, ""):
        if redact_text(text) != text:
            return (
                f"its {path} holds what looks like a secret, which does not belong into a catalogue",
                "take it out of the alarm, and renew the secret: whoever may read alarms has read it",
            )
    return None


def _texts(value: Any, path: str) -> Iterator[tuple[str, str]]:
    if isinstance(value, str):
        yield path, value
    elif isinstance(value, dict):
        for key, child in value.items():
            yield from _texts(child, f"{path}.{key}" if path else str(key))
    elif isinstance(value, list | tuple):
        for index, child in enumerate(value):
            yield from _texts(child, f"{path}[{index}]")

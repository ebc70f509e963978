"""EventBridge rules: whether what they send arrives."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from orders_obs.aws.audit.checks_reach import told
from orders_obs.aws.audit.model import ABSENT
from orders_obs.aws.audit.policies import Request, allows
from orders_obs.aws.audit.reach import EVENTS, Sender
from orders_obs.aws.audit.read_reach import is_own

if TYPE_CHECKING:
    from collections.abc import Container, Iterator

    from orders_obs.aws.audit.model import Issue
    from orders_obs.aws.audit.reach import Reach
    from orders_obs.aws.audit.view import View

__all__ = ["events"]


def events(view: View, reach: Reach) -> Iterator[Issue]:
    """What is wrong with the rules of the default bus, and with their targets that are topics, functions or log groups."""
    by_alarms = told(view)
    for rule in view.seen.rules or ():
        name, targets = rule["Name"], view.seen.targets.get(rule["Name"])
        if targets is None:
            continue
        if not targets:
            yield view.issue(
                "rule-without-target", "rule", name, "has no target, so nothing happens when it matches"
            )
        elif rule.get("State") == "DISABLED":
            # A schedule that is off watches nothing.
            if not rule.get("scheduled") and any(":sns:" in str(target.get("Arn")) for target in targets):
                yield view.issue("rule-disabled", "rule", name, "is off, and it tells a topic")
        else:
            for target in targets:
                yield from _target(view, reach, rule, target, by_alarms)


def _target(
    view: View, reach: Reach, rule: dict[str, Any], target: dict[str, Any], by_alarms: Container[str]
) -> Iterator[Issue]:
    arn, name = str(target.get("Arn", "")), rule["Name"]
    # A target with a role is judged by the role's policy, which is not looked at.
    if target.get("RoleArn"):
        return
    if is_own(arn, "sns", view.seen):
        yield from _topic(view, reach, rule, arn, by_alarms)
    elif is_own(arn, "lambda", view.seen):
        said = reach.function(arn, EVENTS, str(rule.get("Arn", "")))
        if said.answer == "no":
            gone = view.seen.functions.get(arn) == ABSENT
            yield view.issue("rule-target-missing" if gone else "rule-target-forbids", "rule", name, said.why)
    elif is_own(arn, "logs", view.seen):
        yield from _log_group(view, rule, arn)


def _topic(
    view: View, reach: Reach, rule: dict[str, Any], arn: str, by_alarms: Container[str]
) -> Iterator[Issue]:
    name, topic = rule["Name"], arn.rpartition(":")[2]
    if view.seen.topics.get(arn) == ABSENT:
        yield view.issue("rule-target-missing", "rule", name, f"its target, topic {topic}, is not there")
        return
    sender = Sender(EVENTS, str(rule.get("Arn", "")))
    for said, what in (
        (reach.topic_policy(arn, sender), "its policy"),
        (reach.topic_key(arn, sender), "its key"),
    ):
        if said.answer == "no":
            why = "it is AWS's own key alias/aws/sns" if said.why == "alias/aws/sns" else said.why
            yield view.issue(
                "rule-target-forbids", "rule", name, f"topic {topic} does not let EventBridge publish by {what}: {why}"
            )  # fmt: skip
            return
    listed = view.seen.subscriptions.get(arn)
    # Of a topic that alarms tell it is said already.
    if (
        listed is not None
        and arn not in by_alarms
        and all(reach.heard(one, arn, None).answer == "no" for one in listed)
    ):
        yield view.issue(
            "rule-topic-unheard", "rule", name, f"its target, topic {topic}, has nobody who receives"
        )


def _log_group(view: View, rule: dict[str, Any], arn: str) -> Iterator[Issue]:
    group = arn.partition(":log-group:")[2].removesuffix(":*")
    if view.seen.log_groups.get(group) is False:
        yield view.issue(
            "rule-target-missing", "rule", rule["Name"], f"its target, log group {group}, is not there"
        )
        return
    if view.seen.log_policies is None:
        return
    resource = f"{arn.removesuffix(':*')}:*"
    context = {"aws:sourcearn": str(rule.get("Arn", "")), "aws:sourceaccount": view.seen.account}
    answers = {
        allows(policy, Request(service, "logs:PutLogEvents", text, context)).answer
        for policy in view.seen.log_policies
        for service in (EVENTS, "delivery.logs.amazonaws.com")
        for text in (resource, f"{resource.removesuffix('*')}log-stream:any", resource.removesuffix(":*"))
    }
    if not answers & {"yes", "unknown"}:
        yield view.issue(
            "rule-target-forbids", "rule", rule["Name"], f"no policy of CloudWatch Logs lets EventBridge write to {group}",
            "A resource policy that allows events.amazonaws.com and delivery.logs.amazonaws.com logs:CreateLogStream and logs:PutLogEvents.",
        )  # fmt: skip

"""Whether what is sent to a topic or a function arrives: by policy, key, subscription, filter and function, each yes, no or unknown."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Literal

from orders_obs.aws.audit.messages import alarm_message
from orders_obs.aws.audit.model import ABSENT
from orders_obs.aws.audit.patterns import matches
from orders_obs.aws.audit.policies import Request, Verdict, allows, document, same_for_all
from orders_obs.aws.audit.read_reach import is_own

if TYPE_CHECKING:
    from collections.abc import Iterable

    from orders_obs.aws.audit.alarms import Action, Alarm
    from orders_obs.aws.audit.model import Seen
    from orders_obs.aws.audit.view import View

__all__ = ["CLOUDWATCH", "EVENTS", "Heard", "Reach", "Sender", "hearers", "key_verdict"]

CLOUDWATCH, EVENTS = "cloudwatch.amazonaws.com", "events.amazonaws.com"
_FROM_ALARM = "lambda.alarms.cloudwatch.amazonaws.com"
_KEY_ACTIONS = ("kms:Decrypt", "kms:GenerateDataKey")


@dataclass(frozen=True, slots=True)
class Sender:
    """Who publishes.

    Attributes:
        service: Its principal.
        arn: Of the alarm or the event rule.
    """

    service: str
    arn: str


@dataclass(frozen=True, slots=True)
class Heard:
    """What becomes of a message at a subscription.

    Attributes:
        answer: Whether it is received.
        why: Where it is not: `pending`, `slack`, `filter`, `function`, `deleted`.
        said: In words.
    """

    answer: Literal["yes", "no", "unknown"]
    why: str = ""
    said: str = ""


def _context(sender: Sender, seen: Seen) -> dict[str, str | None]:
    context: dict[str, str | None] = {
        "aws:sourcearn": sender.arn,
        "aws:securetransport": "true",
        "aws:principalisawsservice": "true",
        "aws:sourceowner": None,
        "aws:principalaccount": None,
        "aws:principalorgid": None,
        "aws:principalarn": None,
        "aws:sourcevpc": None,
        "aws:sourcevpce": None,
    }
    if sender.service != EVENTS:
        context |= {"aws:sourceaccount": seen.account, "aws:sourceowner": seen.account}
    # Whether EventBridge sends aws:SourceAccount to a topic is documented in two ways, so it stays unknown.
    return context


class Reach:
    """The answers for one account.

    Args:
        view: The account.
    """

    def __init__(self, view: View) -> None:
        self.view = view
        self.seen = view.seen
        self.publishes = lru_cache(maxsize=None)(self._publishes)
        self.enciphers = lru_cache(maxsize=None)(self._enciphers)

    def topic_policy(self, topic: str, sender: Sender) -> Verdict:
        """Whether a topic's policy lets a sender publish."""
        found = self.seen.topics.get(topic)
        if not isinstance(found, dict):
            return Verdict("unknown", "it could not be read")
        policy = document(found.get("Policy"))
        if policy is not None and same_for_all(policy):
            sender = Sender(sender.service, "")
        return self.publishes(topic, sender)

    def _publishes(self, topic: str, sender: Sender) -> Verdict:
        found = self.seen.topics[topic]
        policy = document(found.get("Policy") if isinstance(found, dict) else None)
        if policy is None:
            return Verdict("unknown", "it has no policy that could be read")
        return allows(policy, Request(sender.service, "sns:Publish", topic, _context(sender, self.seen)))

    def topic_key(self, topic: str, sender: Sender) -> Verdict:
        """Whether the key of a topic lets a sender publish; yes where it has none."""
        found = self.seen.topics.get(topic)
        key = str(found.get("KmsMasterKeyId") or "") if isinstance(found, dict) else ""
        if not key:
            return Verdict("yes")
        held = self.seen.keys.get(key)
        policy = held.get("policy") if isinstance(held, dict) else None
        if policy is not None and same_for_all(policy):
            sender = Sender(sender.service, "")
        return self.enciphers(key, sender)

    def _enciphers(self, key: str, sender: Sender) -> Verdict:
        return key_verdict(self.seen, key, sender)

    def function(self, arn: str, service: str, source: str) -> Verdict:
        """Whether a function is there, on, and lets a service in."""
        found = self.seen.functions.get(arn)
        name = arn.split(":")[6] if arn.count(":") > 5 else arn
        if found is None:
            return Verdict("unknown", f"function {name} could not be looked at")
        if not isinstance(found, dict):
            return Verdict("no", f"function {name} is not there")
        if found.get("reserved") == 0:
            return Verdict("no", f"function {name} is off: its reserved concurrency is 0")
        if found.get("policy") is None:
            return Verdict("unknown", f"the policy of function {name} could not be read")
        context = {**_context(Sender(service, source), self.seen), "aws:sourceaccount": self.seen.account}
        said = allows(found["policy"], Request(service, "lambda:InvokeFunction", arn, context))
        if said.answer == "no":
            # A policy of a function names it with or without a qualifier.
            bare = ":".join(arn.split(":")[:7])
            again = allows(found["policy"], Request(service, "lambda:InvokeFunction", bare, context))
            if again.answer == "no":
                return Verdict("no", f"function {name} does not let {service} in: {said.why}")
            return again
        return said

    def heard(self, subscription: dict[str, Any], topic: str, alarm: Alarm | None) -> Heard:
        """What becomes of a message at a subscription; of what an event rule sends no filter is judged."""
        if subscription["slack"]:
            return Heard("no", "slack", "a Slack webhook, which cannot confirm and reads no message of SNS")
        if subscription.get("deleted"):
            return Heard("no", "deleted", "a subscription that is deleted")
        if not subscription["confirmed"]:
            return Heard("no", "pending", f"{_who(subscription)} has not confirmed")
        if subscription["protocol"] == "lambda" and is_own(subscription["address"], "lambda", self.seen):
            called = self.function(subscription["address"], "sns.amazonaws.com", topic)
            if called.answer == "no":
                return Heard("no", "function", called.why)
            if called.answer == "unknown":
                return Heard("unknown", "function", called.why)
        if not subscription.get("attributes"):
            return Heard("unknown", "", f"the settings of {_who(subscription)} could not be read")
        if not subscription.get("filter"):
            return Heard("yes")
        if alarm is None:
            return Heard("unknown")
        return self._filtered(subscription, alarm)

    def _filtered(self, subscription: dict[str, Any], alarm: Alarm) -> Heard:
        by_body = subscription["scope"] == "MessageBody"
        sample = alarm_message(alarm, self.seen) if by_body else {}
        passed = matches(subscription["filter"], sample)
        if passed is None:
            return Heard("unknown")
        if passed:
            return Heard("yes")
        on = (
            "what the message does not have"
            if by_body
            else "message attributes, of which CloudWatch sends none"
        )
        return Heard("no", "filter", f"the filter of {_who(subscription)} drops it: it asks for {on}")

    def of_topic(self, topic: str, sender: Sender, alarm: Alarm | None) -> Verdict:
        """Whether anybody receives what a sender publishes to a topic."""
        if not is_own(topic, "sns", self.seen):
            return Verdict("unknown", "it is in another account")
        if self.seen.topics.get(topic) == ABSENT:
            return Verdict("no", "the topic is not there")
        for said in (self.topic_policy(topic, sender), self.topic_key(topic, sender)):
            if said.answer == "no":
                return said
        if topic not in self.seen.subscriptions:
            return Verdict("unknown", "its subscriptions could not be read")
        listed = [self.heard(one, topic, alarm) for one in self.seen.subscriptions[topic]]
        if any(one.answer == "yes" for one in listed):
            return Verdict("yes")
        if any(one.answer == "unknown" for one in listed):
            return Verdict("unknown", "it is not known whether a subscription receives it")
        return Verdict("no", "; ".join(dict.fromkeys(one.said for one in listed)) or "it has no subscription")

    def of_action(self, action: Action, alarm: Alarm) -> Verdict:
        """Whether an action of an alarm does what it is for."""
        if action.kind == "topic":
            if action.region and action.region != self.seen.region:
                return Verdict("no", f"it is in {action.region}")
            return self.of_topic(action.arn, Sender(CLOUDWATCH, alarm.arn), alarm)
        if action.kind == "function" and is_own(action.arn, "lambda", self.seen):
            return self.function(action.arn, _FROM_ALARM, alarm.arn)
        return Verdict("unknown" if action.kind in ("function", "other") else "yes")


def key_verdict(seen: Seen, key: str, sender: Sender) -> Verdict:
    """Whether a key lets a sender encrypt for a topic."""
    if key.endswith("alias/aws/sns"):
        return Verdict("no", "alias/aws/sns")
    held = seen.keys.get(key)
    if held is None:
        return Verdict("unknown", "its key could not be read")
    if not isinstance(held, dict):
        return Verdict("no", f"key {key} is not there")
    if held.get("KeyManager") == "AWS":
        return Verdict("no", "alias/aws/sns")
    state = held.get("KeyState")
    if state in ("Disabled", "PendingDeletion", "PendingImport", "Unavailable", "PendingReplicaDeletion"):
        return Verdict("no", f"key {key} is {state}")
    if held.get("policy") is None:
        return Verdict("unknown", "the policy of its key could not be read")
    context = _context(sender, seen)
    said = [allows(held["policy"], Request(sender.service, action, "", context)) for action in _KEY_ACTIONS]
    for answer in ("no", "unknown"):
        for one in said:
            if one.answer == answer:
                return one
    return Verdict("yes")


def hearers(subscriptions: Iterable[dict[str, Any]]) -> str:
    """Subscriptions in words."""
    return ", ".join(_who(one) for one in subscriptions)


def _who(subscription: dict[str, Any]) -> str:
    address = subscription["address"]
    short = address.split(":")[-1] if address.startswith("arn:") else address
    return f"{subscription['protocol']} {short}"

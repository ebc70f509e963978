"""Rules on a file as a whole: whom its alarms tell, and which alarms belong together."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

from orders_obs.alerts.lint.cloudwatch.files import AlarmFile, Topic, Unknown, text_of
from orders_obs.alerts.lint.cloudwatch.views import AlarmView, Said

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = [
    "LIST",
    "STATE",
    "FileView",
    "Found",
    "actions",
    "actions_disabled",
    "alarm_name",
    "children",
    "duplicate_alarm",
    "insufficient_data_action",
    "missing_ok_action",
    "name_clash",
    "no_action",
    "slack_on_sns",
    "topic_key_of_aws",
    "topic_without_policy",
    "topic_without_subscription",
    "warning_above_critical",
]

Found = tuple[str, str, Said]
"""Where, the name of the thing, and what is said of it."""


class FileView:
    """A file with its alarms read."""

    def __init__(self, file: AlarmFile) -> None:
        self.file = file
        self.metric = [AlarmView(placed.arguments, placed.where) for placed in file.alarms]
        self.composite = [AlarmView(placed.arguments, placed.where) for placed in file.composites]
        self.alarms = [*self.metric, *self.composite]
        self.names: dict[str, AlarmView] = {}
        for alarm in self.alarms:
            self.names.setdefault(alarm.name, alarm)
        self.children = {alarm.name: children(alarm) for alarm in self.composite}
        self.used = {name for named in self.children.values() for _, name in named}
        self.used |= {
            alarm_name(alarm.arguments["ActionsSuppressor"])
            for alarm in self.composite
            if "ActionsSuppressor" in alarm.arguments
        }
        self.told = {
            action
            for alarm in self.alarms
            for key in ("AlarmActions", "OKActions")
            for action in actions(alarm, key) or ()
        }

    def is_told(self, topic: Topic) -> bool:
        """Whether an alarm of the file tells a topic."""
        return any(_is_topic(action, topic) for action in self.told)


def actions(alarm: AlarmView, key: str) -> list[Any] | None:
    """The actions for a state; None where they cannot be known."""
    value = alarm.arguments.get(key)
    if value is None:
        return []
    if not isinstance(value, list):
        return None
    return [action for action in value if isinstance(action, str | Unknown)]


def _is_topic(reference: Any, topic: Topic) -> bool:
    if reference in topic.names:
        return True
    end = text_of(reference).rpartition(":")[2]
    return ":sns:" in text_of(reference) and any(
        not isinstance(name, Unknown) and end == str(name).rpartition(":")[2] for name in topic.names
    )


def alarm_name(reference: Any) -> str:
    text = text_of(reference)
    return text.rpartition(":alarm:")[2] if ":alarm:" in text else text


STATE = re.compile(r"""\b(ALARM|OK|INSUFFICIENT_DATA)\s*\(\s*(?:"([^"]*)"|'([^']*)'|([^()"']+?))\s*\)""")
LIST = re.compile(r"\b(ALARM|OK|INSUFFICIENT_DATA)\s*,\s*\(([^()]*)\)")


def children(alarm: AlarmView) -> list[tuple[str, str]]:
    """The states that a composite asks for, each with the alarm's name."""
    rule = text_of(alarm.arguments.get("AlarmRule", ""))
    found = [
        (state, alarm_name(next(name for name in names if name)))
        for state, *names in STATE.findall(rule)
        if any(names)
    ]
    for state, listed in LIST.findall(rule):
        found += [
            (state, alarm_name(name.strip().strip("\"'"))) for name in listed.split(",") if name.strip()
        ]
    return list(dict.fromkeys(found))


# Actions


def no_action(view: FileView) -> Iterator[Found]:
    for alarm in view.alarms:
        if actions(alarm, "AlarmActions") == [] and alarm.name not in view.used:
            yield (
                alarm.where,
                alarm.name,
                Said(
                    "has no AlarmActions, so it tells nobody", "name a topic, or use it in a composite alarm"
                ),
            )


def actions_disabled(view: FileView) -> Iterator[Found]:
    for alarm in view.alarms:
        off = alarm.arguments.get("ActionsEnabled") is False
        if off and (actions(alarm, "AlarmActions") or alarm.name not in view.used):
            yield (
                alarm.where,
                alarm.name,
                Said(
                    "has its actions off, so it tells nobody",
                    "ActionsEnabled true; to be quiet for a while use a mute rule",
                ),
            )


def missing_ok_action(view: FileView) -> Iterator[Found]:
    for alarm in view.alarms:
        if (
            actions(alarm, "AlarmActions")
            and actions(alarm, "OKActions") == []
            and alarm.arguments.get("ActionsEnabled") is not False
        ):
            yield (
                alarm.where,
                alarm.name,
                Said("has no OKActions, so nobody hears that it is over", "the topic of its AlarmActions"),
            )


def insufficient_data_action(view: FileView) -> Iterator[Found]:
    for alarm in view.alarms:
        both = [
            text_of(action)
            for action in actions(alarm, "InsufficientDataActions") or ()
            if action in (actions(alarm, "AlarmActions") or ())
        ]
        if both:
            yield (
                alarm.where,
                alarm.name,
                Said(
                    "tells the same people of missing data as of an alarm",
                    "let TreatMissingData decide what missing data means, and drop InsufficientDataActions",
                ),
            )


# Topics


def slack_on_sns(view: FileView) -> Iterator[Found]:
    for subscription in view.file.subscriptions:
        # The address is a secret: it is looked at, never shown.
        if subscription.protocol in ("https", "http") and re.match(
            r"https?://hooks\.slack\.com\b", text_of(subscription.endpoint)
        ):
            yield (
                subscription.where,
                "a subscription",
                Said(
                    "a Slack webhook never confirms an SNS subscription and does not read SNS's format: nothing ever arrives",
                    "SNS to a function that formats and posts, or Amazon Q Developer in chat applications; keep the address out of the subscription, which shows it",
                ),
            )


def topic_key_of_aws(view: FileView) -> Iterator[Found]:
    for topic in view.file.topics:
        if re.search(r"alias/aws/sns$", text_of(topic.attributes.get("KmsMasterKeyId", ""))):
            yield (
                topic.where,
                _topic_name(topic),
                Said(
                    "is encrypted with alias/aws/sns, whose policy cannot let CloudWatch or EventBridge in: their messages are lost",
                    "a key of your own that allows cloudwatch.amazonaws.com and events.amazonaws.com kms:Decrypt and kms:GenerateDataKey*",
                ),
            )


def _topic_name(topic: Topic) -> str:
    known = sorted(str(name) for name in topic.names if not isinstance(name, Unknown))
    return min(known, key=len) if known else min((text_of(name) for name in topic.names), key=len)


def topic_without_policy(view: FileView) -> Iterator[Found]:
    for topic in view.file.topics:
        if topic.policy is None or not isinstance(topic.policy, dict) or not view.is_told(topic):
            continue
        # A policy that lets in an account or everybody may let CloudWatch in too, and so may what only AWS knows.
        principals = json.dumps(_principals(topic.policy), default=text_of)
        if not re.search(r"cloudwatch\.amazonaws\.com|\*|\$\{|arn:|\b\d{12}\b", principals):
            yield (
                topic.where,
                _topic_name(topic),
                Said(
                    "has a policy that does not let cloudwatch.amazonaws.com publish, and alarms tell it: their messages are lost",
                    "allow Service cloudwatch.amazonaws.com sns:Publish, conditioned on aws:SourceAccount",
                ),
            )


def _principals(policy: Any) -> list[Any]:
    statements = policy.get("Statement")
    listed = statements if isinstance(statements, list) else [statements]
    return [
        statement.get("Principal") if isinstance(statement, dict) else statement
        for statement in listed
        if not isinstance(statement, dict) or statement.get("Effect") != "Deny"
    ]


def topic_without_subscription(view: FileView) -> Iterator[Found]:
    for topic in view.file.topics:
        subscribed = any(
            _is_topic(subscription.topic, topic) or subscription.topic is None
            for subscription in view.file.subscriptions
        )
        if view.is_told(topic) and not subscribed:
            yield (
                topic.where,
                _topic_name(topic),
                Said(
                    "is told by alarms and has no subscription in this file",
                    "SNS takes messages that nobody receives: see that somebody does",
                ),
            )


# Alarms together


def _repeats(alarm: AlarmView) -> bool:
    """Whether a name may stand for many, one for each item."""
    return "each." in alarm.name or "count." in alarm.name


def name_clash(view: FileView) -> Iterator[Found]:
    first: dict[str, AlarmView] = {}
    for alarm in view.alarms:
        if "AlarmName" not in alarm.arguments or _repeats(alarm):
            continue
        if alarm.name in first:
            yield (
                alarm.where,
                alarm.name,
                Said(
                    f"stands twice, first at {first[alarm.name].where}: the second replaces the first without a word",
                    "a name is unique in an account and region",
                ),
            )
        first.setdefault(alarm.name, alarm)


def duplicate_alarm(view: FileView) -> Iterator[Found]:
    first: dict[object, AlarmView] = {}
    for alarm in view.metric:
        if alarm.signature is None or alarm.threshold is None or _repeats(alarm):
            continue
        identity = (
            alarm.signature,
            alarm.arguments.get("ComparisonOperator"),
            alarm.threshold,
            alarm.periods,
            alarm.datapoints,
            alarm.missing,
        )
        other = first.setdefault(identity, alarm)
        if other is not alarm and other.name != alarm.name:
            yield (
                alarm.where,
                alarm.name,
                Said(f"watches the same as {other.name}, with the same threshold", "keep one"),
            )


def warning_above_critical(view: FileView) -> Iterator[Found]:
    pairs: dict[object, dict[str, AlarmView]] = {}
    for alarm in view.metric:
        if (
            alarm.signature is not None
            and alarm.threshold is not None
            and alarm.severity
            and not _repeats(alarm)
        ):
            pairs.setdefault(alarm.signature, {}).setdefault(alarm.severity, alarm)
    for pair in pairs.values():
        if len(pair) < 2:
            continue
        warning, critical = pair["warning"], pair["critical"]
        low, high = warning.threshold or 0.0, critical.threshold or 0.0
        if (low > high) if warning.op[0] == ">" else (low < high):
            yield (
                warning.where,
                warning.name,
                Said(
                    f"warns at `{warning.condition}`, after {critical.name} has fired at `{critical.condition}`",
                    "the warning's threshold must be crossed first",
                ),
            )

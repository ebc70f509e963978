"""Where the other stand-ins for AWS are known to differ from the fake, and why: their gaps, seen by running them."""

from __future__ import annotations

from tests.aws.fake.compare import Unlike, Unrefused

__all__ = ["LOCALSTACK_UNLIKE", "LOCALSTACK_UNREFUSED", "MOTO_UNLIKE", "MOTO_UNREFUSED"]

_TAGS_OF_NOBODY = "takes tags of what is not there"
_SNS = (
    Unlike(
        "sns.get_topic_attributes",
        "EffectiveDeliveryPolicy",
        "is the part of a subscription, not that of a topic",
    ),
    Unlike("sns.get_topic_attributes", "SubscriptionsConfirmed", "is always 0"),
    Unlike("sns.get_subscription_attributes", "FilterPolicyScope", "is there without a FilterPolicy"),
)
_LOGS = (
    Unlike("logs.filter_log_events", "searchedLogStreams", "is filled (AWS: an empty list since May 2020)"),
)

MOTO_UNLIKE = (
    Unlike("cloudwatch.describe_alarms", "StateValue", "a new alarm is OK (AWS: INSUFFICIENT_DATA)"),
    Unlike("cloudwatch.describe_alarms_for_metric", "*", "matches by the metric's name alone"),
    Unlike("cloudwatch.delete_alarms", "code", "says nothing of names that it does not know"),
    Unlike("cloudwatch.untag_resource", "code", "does not find an alarm that has no tags"),
    *_SNS,
    *_LOGS,
    Unlike("logs.describe_log_groups", "logGroupClass", "is left out"),
)
MOTO_UNREFUSED = (
    Unrefused("cloudwatch.list_tags_for_resource", "*", _TAGS_OF_NOBODY),
    Unrefused("cloudwatch.untag_resource", "*", _TAGS_OF_NOBODY),
    Unrefused(
        "sns.create_topic",
        "InvalidParameter",
        "returns the topic, whatever attributes and tags it was asked for",
    ),
    Unrefused("events.put_rule", "InvalidEventPatternException", "crashes on a pattern that is no object"),
    Unrefused("logs.list_tags_for_resource", "*", _TAGS_OF_NOBODY),
    Unrefused("logs.tag_resource", "*", _TAGS_OF_NOBODY),
    Unrefused("logs.untag_resource", "*", _TAGS_OF_NOBODY),
    Unrefused(
        "logs.put_retention_policy",
        "InvalidParameterException",
        "looks for the group before it looks at the days",
    ),
)

LOCALSTACK_UNLIKE = (
    Unlike("cloudwatch.delete_alarms", "code", "says nothing of names that it does not know"),
    Unlike("cloudwatch.describe_alarms", "StateValue", "evaluates by a clock of its own"),
    Unlike(
        "cloudwatch.list_tags_for_resource",
        "*",
        "tags given at creation are lost (reference: alarm tags, part)",
    ),
    *_SNS,
    Unlike("sns.get_subscription_attributes", "SubscriptionPrincipal", "is a dummy"),
    Unlike(
        "events.remove_targets",
        "FailedEntryCount",
        "counts ids that the rule does not have (AWS: not documented)",
    ),
    Unlike(
        "events.remove_targets",
        "FailedEntries",
        "lists ids that the rule does not have (AWS: not documented)",
    ),
    *_LOGS,
)
LOCALSTACK_UNREFUSED = (
    Unrefused("cloudwatch.list_tags_for_resource", "*", _TAGS_OF_NOBODY),
    Unrefused("cloudwatch.tag_resource", "*", _TAGS_OF_NOBODY),
    Unrefused("cloudwatch.untag_resource", "*", _TAGS_OF_NOBODY),
    Unrefused("cloudwatch.put_composite_alarm", "ValidationError", "does not read the rule"),
    Unrefused(
        "cloudwatch.delete_alarms", "ValidationError", "deletes children, and several composite alarms"
    ),
    Unrefused("sns.list_tags_for_resource", "*", _TAGS_OF_NOBODY),
    Unrefused(
        "sns.create_topic", "InvalidParameter", "returns the topic, whatever attributes it was asked for"
    ),
    Unrefused("events.put_rule", "InvalidEventPatternException", "takes any text for a pattern"),
    Unrefused("logs.list_tags_for_resource", "*", _TAGS_OF_NOBODY),
    Unrefused("logs.tag_resource", "*", _TAGS_OF_NOBODY),
    Unrefused("logs.untag_resource", "*", _TAGS_OF_NOBODY),
    Unrefused(
        "logs.put_retention_policy",
        "InvalidParameterException",
        "looks for the group before it looks at the days",
    ),
)

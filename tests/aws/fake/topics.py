"""SNS: topics, their policies and tags, and subscriptions that a person has to confirm."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from tests.aws.fake.base import Answer, Args, Refused, Service, given, page, reads, tag_list, tag_map, writes

if TYPE_CHECKING:
    from tests.aws.fake.account import FakeAccount

__all__ = ["Topics"]

_PAGE = 100
_MOST_TAGS = 50
_BY_HAND = ("email", "email-json", "http", "https")
_PROTOCOLS = (*_BY_HAND, "sms", "sqs", "lambda", "application", "firehose")
_OF_TOPIC = (
    "DeliveryPolicy", "DisplayName", "MaximumMessageSize", "Policy", "TracingConfig", "SignatureVersion", "KmsMasterKeyId",
    "ArchivePolicy", "ContentBasedDeduplication", "FifoTopic", "FifoThroughputScope",
)  # fmt: skip
_FEEDBACK = re.compile(r"(HTTP|Firehose|Lambda|Application|SQS)(Success|Failure)Feedback(RoleArn|SampleRate)")
_OF_SUBSCRIPTION = (
    "DeliveryPolicy", "FilterPolicy", "FilterPolicyScope", "RawMessageDelivery", "RedrivePolicy", "SubscriptionRoleArn",
    "ReplayPolicy",
)  # fmt: skip
_JSON = ("Policy", "DeliveryPolicy", "FilterPolicy", "RedrivePolicy")
# The policy that a topic has by itself (SNS developer guide, "Amazon SNS access control": only the owner may).
_OWNERS = [
    "GetTopicAttributes", "SetTopicAttributes", "AddPermission", "RemovePermission", "DeleteTopic", "Subscribe",
    "ListSubscriptionsByTopic", "Publish",
]  # fmt: skip

# SNS developer guide, "Creating an HTTP/S delivery policy": the default.
_DELIVERY: dict[str, dict[str, Any]] = {
    "http": {
        "defaultHealthyRetryPolicy": {
            "minDelayTarget": 20, "maxDelayTarget": 20, "numRetries": 3, "numMaxDelayRetries": 0, "numNoDelayRetries": 0,
            "numMinDelayRetries": 0, "backoffFunction": "linear",
        },
        "disableSubscriptionOverrides": False,
        "defaultRequestPolicy": {"headerContentType": "text/plain; charset=UTF-8"},
    }
}  # fmt: skip


# SNS gives the delivery policy of a subscription with fields that nobody set (seen in answers that people publish).
_UNSET = {"sicklyRetryPolicy": None, "throttlePolicy": None, "requestPolicy": None, "guaranteed": False}


def _filled(policy: str) -> str:
    """A subscription's delivery policy, as SNS gives it back."""
    given = json.loads(policy)
    retries = _DELIVERY["http"]["defaultHealthyRetryPolicy"] | (given.get("healthyRetryPolicy") or {})
    return json.dumps(_UNSET | given | {"healthyRetryPolicy": retries})


@dataclass(slots=True)
class _Subscription:
    arn: str
    topic: str
    protocol: str
    endpoint: str
    pending: bool
    attributes: dict[str, str]


@dataclass(slots=True)
class _Topic:
    arn: str
    attributes: dict[str, str]
    tags: dict[str, str]
    given: dict[str, str]
    published: list[dict[str, Any]] = field(default_factory=list)


class Topics(Service):
    """Operations of `sns`."""

    name = "sns"

    def __init__(self, account: FakeAccount) -> None:
        super().__init__(account)
        self.topics: dict[str, _Topic] = {}
        self.subscriptions: dict[str, _Subscription] = {}
        self._made = 0

    def kept(self) -> dict[str, dict[str, Any]]:
        kept: dict[str, dict[str, Any]] = {
            f"topic/{arn}": {"Attributes": topic.attributes, "Tags": topic.tags}
            for arn, topic in self.topics.items()
        }
        for one in self.subscriptions.values():
            kept[f"subscription/{one.topic}/{one.protocol}/{one.endpoint}"] = {
                "SubscriptionArn": one.arn, "PendingConfirmation": one.pending, "Attributes": one.attributes,
            }  # fmt: skip
        return kept

    # --- topics

    @writes
    def create_topic(self, args: Args) -> Answer:
        name, attributes = args["Name"], args.get("Attributes", {})
        fifo = attributes.get("FifoTopic") == "true"
        if len(name) > 256 or not re.fullmatch(r"[A-Za-z0-9_-]+" + (r"\.fifo" if fifo else ""), name):
            raise Refused("InvalidParameter", "Invalid parameter: Topic Name")
        for key, value in attributes.items():
            self._check(key, value, _OF_TOPIC)
        arn, tags = self.arn(name), tag_map(args.get("Tags"))
        topic = self.topics.get(arn)
        if topic is None:
            self._few(tags)
            own = {"DisplayName": "", "Policy": self._default_policy(arn)} | attributes
            self.topics[arn] = _Topic(arn, own, tags, dict(attributes))
        else:
            if any(topic.attributes.get(key) != value for key, value in attributes.items()):
                raise Refused(
                    "InvalidParameter", "Invalid parameter: Attributes Reason: Topic already exists with different attributes"
                )  # fmt: skip
            if any(topic.tags.get(key) != value for key, value in tags.items()):
                raise Refused(
                    "InvalidParameter",
                    "Invalid parameter: Tags Reason: Topic already exists with different tags",
                )
        return {"TopicArn": arn}

    def _default_policy(self, arn: str) -> str:
        statement = {
            "Sid": "__default_statement_ID",
            "Effect": "Allow",
            "Principal": {"AWS": "*"},
            "Action": [f"SNS:{action}" for action in _OWNERS],
            "Resource": arn,
            "Condition": {"StringEquals": {"AWS:SourceOwner": self.account.account}},
        }
        return json.dumps(
            {"Version": "2008-10-17", "Id": "__default_policy_ID", "Statement": [statement]},
            separators=(",", ":"),
        )

    @reads
    def get_topic_attributes(self, args: Args) -> Answer:
        topic = self._topic(args["TopicArn"])
        own = [one for one in self.subscriptions.values() if one.topic == topic.arn]
        counted = {
            "TopicArn": topic.arn,
            "Owner": self.account.account,
            "SubscriptionsConfirmed": str(sum(not one.pending for one in own)),
            "SubscriptionsPending": str(sum(one.pending for one in own)),
            "SubscriptionsDeleted": "0",
            "EffectiveDeliveryPolicy": json.dumps(_DELIVERY),
        }
        return {"Attributes": self._written(topic.attributes) | counted}

    def _written(self, attributes: dict[str, str]) -> dict[str, str]:
        """The attributes; JSON with other spaces where the account shuffles, as AWS promises no text."""
        if not self.account.shuffles:
            return dict(attributes)
        return {
            key: json.dumps(json.loads(value), indent=1, sort_keys=True) if key in _JSON and value else value
            for key, value in attributes.items()
        }

    @writes
    def set_topic_attributes(self, args: Args) -> Answer:
        topic = self._topic(args["TopicArn"])
        key, value = args["AttributeName"], args.get("AttributeValue", "")
        self._check(key, value, _OF_TOPIC)
        if value or key == "DisplayName":
            topic.attributes[key] = value
        elif key == "Policy":
            topic.attributes[key] = self._default_policy(topic.arn)
        else:
            topic.attributes.pop(key, None)
        return {}

    @writes
    def delete_topic(self, args: Args) -> Answer:
        self.topics.pop(args["TopicArn"], None)
        for arn in [arn for arn, one in self.subscriptions.items() if one.topic == args["TopicArn"]]:
            del self.subscriptions[arn]
        return {}

    @reads
    def list_topics(self, args: Args) -> Answer:
        listed = {arn: {"TopicArn": arn} for arn in self.topics}
        found, token = page(listed, args.get("NextToken"), _PAGE, "InvalidParameter")
        return {"Topics": found} | given(NextToken=token)

    @writes
    def publish(self, args: Args) -> Answer:
        topic = self._topic(args.get("TopicArn") or args.get("TargetArn") or "")
        topic.published.append(args)
        return {"MessageId": self._id()}

    # --- subscriptions

    @writes
    def subscribe(self, args: Args) -> Answer:
        topic = self._topic(args["TopicArn"])
        protocol, endpoint = args["Protocol"], args.get("Endpoint", "")
        attributes = args.get("Attributes", {})
        if protocol not in _PROTOCOLS:
            raise Refused(
                "InvalidParameter", f"Invalid parameter: Amazon SNS does not support this protocol string: {protocol}"
            )  # fmt: skip
        self._check_endpoint(protocol, endpoint)
        for key, value in attributes.items():
            self._check(key, value, _OF_SUBSCRIPTION)
        one = self._find(topic.arn, protocol, endpoint)
        if one is None:
            mine = f":{self.account.account}:" in endpoint
            pending = protocol in _BY_HAND or (protocol in ("sqs", "lambda", "firehose") and not mine)
            one = _Subscription(
                f"{topic.arn}:{self._id()}", topic.arn, protocol, endpoint, pending, dict(attributes)
            )
            self.subscriptions[one.arn] = one
        elif any(one.attributes.get(key) != value for key, value in attributes.items()):
            raise Refused(
                "InvalidParameter",
                "Invalid parameter: Attributes Reason: Subscription already exists with different attributes",
            )
        shown = one.pending and not args.get("ReturnSubscriptionArn")
        return {"SubscriptionArn": "pending confirmation" if shown else one.arn}

    def _check_endpoint(self, protocol: str, endpoint: str) -> None:
        good = {
            "http": r"http://.+",
            "https": r"https://.+",
            "email": r"\S+@\S+",
            "email-json": r"\S+@\S+",
            "sqs": r"arn:aws[a-z-]*:sqs:[^:]+:\d{12}:.+",
            "lambda": r"arn:aws[a-z-]*:lambda:[^:]+:\d{12}:function:.+",
        }
        if not re.fullmatch(good.get(protocol, ".+"), endpoint):
            raise Refused("InvalidParameter", f"Invalid parameter: {protocol} endpoint {endpoint!r}")

    def _find(self, topic: str, protocol: str, endpoint: str) -> _Subscription | None:
        wanted = (topic, protocol, endpoint)
        return next(
            (s for s in self.subscriptions.values() if (s.topic, s.protocol, s.endpoint) == wanted), None
        )

    def confirm(self, topic: str, endpoint: str) -> None:
        """Somebody follows the link of the confirmation."""
        for one in self.subscriptions.values():
            if (one.topic, one.endpoint) == (topic, endpoint) and one.pending:
                one.pending = False
                return
        raise AssertionError(f"{endpoint} has nothing to confirm at {topic}")

    @reads
    def list_subscriptions_by_topic(self, args: Args) -> Answer:
        topic = self._topic(args["TopicArn"])
        listed = {arn: self._listed(one) for arn, one in self.subscriptions.items() if one.topic == topic.arn}
        found, token = page(listed, args.get("NextToken"), _PAGE, "InvalidParameter")
        return {"Subscriptions": found} | given(NextToken=token)

    @reads
    def list_subscriptions(self, args: Args) -> Answer:
        listed = {arn: self._listed(one) for arn, one in self.subscriptions.items()}
        found, token = page(listed, args.get("NextToken"), _PAGE, "InvalidParameter")
        return {"Subscriptions": found} | given(NextToken=token)

    def _listed(self, one: _Subscription) -> dict[str, str]:
        return {
            "SubscriptionArn": "PendingConfirmation" if one.pending else one.arn,
            "Owner": self.account.account,
            "Protocol": one.protocol,
            "Endpoint": one.endpoint,
            "TopicArn": one.topic,
        }

    @reads
    def get_subscription_attributes(self, args: Args) -> Answer:
        one = self._subscription(args["SubscriptionArn"])
        own = self._listed(one) | {
            "SubscriptionArn": one.arn,
            "PendingConfirmation": str(one.pending).lower(),
            "ConfirmationWasAuthenticated": str(one.protocol not in _BY_HAND).lower(),
            "RawMessageDelivery": "false",
        }
        if "FilterPolicy" in one.attributes:
            own["FilterPolicyScope"] = "MessageAttributes"
        kept = one.attributes | {
            key: _filled(value) for key, value in one.attributes.items() if key == "DeliveryPolicy"
        }
        return {"Attributes": own | self._written(kept)}

    @writes
    def set_subscription_attributes(self, args: Args) -> Answer:
        one = self._subscription(args["SubscriptionArn"])
        key, value = args["AttributeName"], args.get("AttributeValue", "")
        self._check(key, value, _OF_SUBSCRIPTION)
        if value:
            one.attributes[key] = value
        else:
            one.attributes.pop(key, None)
        return {}

    @writes
    def unsubscribe(self, args: Args) -> Answer:
        arn = args["SubscriptionArn"]
        self._well_formed(arn)
        one = self.subscriptions.get(arn)
        if one is not None and one.pending:
            raise Refused(
                "InvalidParameter",
                "Invalid parameter: SubscriptionArn Reason: Cannot unsubscribe a subscription that is pending confirmation",
            )
        self.subscriptions.pop(arn, None)
        return {}

    # --- tags

    @reads
    def list_tags_for_resource(self, args: Args) -> Answer:
        tags = tag_list(self._tags(args["ResourceArn"]))
        return {"Tags": tags[::-1] if self.account.shuffles else tags}

    @writes
    def tag_resource(self, args: Args) -> Answer:
        tags, new = self._tags(args["ResourceArn"]), tag_map(args["Tags"])
        self._few(tags | new)
        tags |= new
        return {}

    @writes
    def untag_resource(self, args: Args) -> Answer:
        tags = self._tags(args["ResourceArn"])
        for key in args["TagKeys"]:
            tags.pop(key, None)
        return {}

    def tagged(self) -> Iterator[tuple[str, str, dict[str, str]]]:
        """Type, ARN and tags, for the tagging API; the ARN of a topic has no type."""
        for topic in self.topics.values():
            yield "sns", topic.arn, topic.tags

    # --- in common

    def _tags(self, arn: str) -> dict[str, str]:
        if arn not in self.topics:
            raise Refused("ResourceNotFound", "Resource does not exist", 404)
        return self.topics[arn].tags

    def _few(self, tags: dict[str, str]) -> None:
        if len(tags) > _MOST_TAGS:
            raise Refused(
                "TagLimitExceeded", "Could not complete request: tag quota of per resource exceeded"
            )

    def _topic(self, arn: str) -> _Topic:
        self._well_formed(arn, "TopicArn")
        if arn not in self.topics:
            raise Refused("NotFound", "Topic does not exist", 404)
        return self.topics[arn]

    def _subscription(self, arn: str) -> _Subscription:
        self._well_formed(arn)
        if arn not in self.subscriptions:
            raise Refused("NotFound", "Subscription does not exist", 404)
        return self.subscriptions[arn]

    def _well_formed(self, arn: str, what: str = "SubscriptionArn") -> None:
        parts = arn.split(":")
        if len(parts) < 6:
            raise Refused(
                "InvalidParameter",
                f"Invalid parameter: {what} Reason: An ARN must have at least 6 elements, not {len(parts)}",
            )

    def _check(self, key: str, value: str, allowed: tuple[str, ...]) -> None:
        if key not in allowed and not (allowed is _OF_TOPIC and _FEEDBACK.fullmatch(key)):
            raise Refused("InvalidParameter", "Invalid parameter: AttributeName")
        if key in _JSON and value:
            try:
                json.loads(value)
            except ValueError:
                raise Refused("InvalidParameter", f"Invalid parameter: {key}: not JSON") from None

    def _id(self) -> str:
        self._made += 1
        return f"{self._made:08x}-0000-4000-8000-{self._made:012x}"

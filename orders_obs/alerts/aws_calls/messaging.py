"""What SNS refuses of topics and subscriptions.

Source: API reference of each operation; SNS developer guide, "Message delivery for FIFO topics", "Raw message delivery", "Dead-letter
queues", "Fanout to Firehose delivery streams".
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from orders_obs.alerts.aws_calls import publishing
from orders_obs.alerts.aws_calls.documents import arn_problems, phone_fault, read_arn, read_json
from orders_obs.alerts.aws_calls.filter_policies import SCOPES, filter_problems
from orders_obs.alerts.aws_calls.problems import Problem
from orders_obs.alerts.aws_calls.publishing import TOPIC, TOPIC_FORM, topic_problems
from orders_obs.alerts.aws_calls.reading import mapping, shown, text, texts
from orders_obs.alerts.aws_calls.tagging import key_problems
from orders_obs.alerts.aws_calls.tags import tag_problems
from orders_obs.alerts.aws_calls.topic_attributes import (
    attribute_problems,
    delivery_problems,
    is_true,
    protection_problems,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from orders_obs.alerts.aws_calls.problems import Rules

__all__ = ["RULES"]

_TOPIC_NAME = re.compile(r"[A-Za-z0-9_-]{1,256}")
_SUBSCRIPTION = re.compile(rf"{TOPIC}:[A-Za-z0-9-]+", re.ASCII)
_SUBSCRIPTION_FORM = "arn:aws:sns:REGION:ACCOUNT:TOPIC:ID, which a subscription has that is confirmed"
_PREFIX = r"arn:aws[a-z-]*:"
_PLACE = r"[a-z0-9-]+:\d{12}"
_QUEUE = re.compile(rf"{_PREFIX}sqs:{_PLACE}:[A-Za-z0-9_-]{{1,80}}(\.fifo)?", re.ASCII)
_QUEUE_FORM = "arn:aws:sqs:REGION:ACCOUNT:QUEUE"
_ENDPOINTS: dict[str, tuple[re.Pattern[str], str]] = {
    "http": (re.compile(r"http://[^\s/?#]+\S*", re.IGNORECASE), "a URL that begins with http://"),
    "https": (re.compile(r"https://[^\s/?#]+\S*", re.IGNORECASE), "a URL that begins with https://"),
    "email": (re.compile(r"[^@\s]+@[^@\s]+"), "an address such as team@example.com"),
    "email-json": (re.compile(r"[^@\s]+@[^@\s]+"), "an address such as team@example.com"),
    "sqs": (_QUEUE, _QUEUE_FORM),
    "lambda": (
        re.compile(rf"{_PREFIX}lambda:{_PLACE}:function:[A-Za-z0-9_-]+(:[$A-Za-z0-9_-]+)?", re.ASCII),
        "arn:aws:lambda:REGION:ACCOUNT:function:NAME",
    ),
    "firehose": (
        re.compile(rf"{_PREFIX}firehose:{_PLACE}:deliverystream/[A-Za-z0-9_.-]+", re.ASCII),
        "arn:aws:firehose:REGION:ACCOUNT:deliverystream/NAME",
    ),
    "application": (
        re.compile(rf"{_PREFIX}sns:{_PLACE}:endpoint/.+", re.ASCII),
        "arn:aws:sns:REGION:ACCOUNT:endpoint/PLATFORM/APPLICATION/ID",
    ),
}  # fmt: skip
_PROTOCOLS = (*_ENDPOINTS, "sms")
_RAW = ("http", "https", "sqs", "firehose")
_ATTRIBUTES = (
    "DeliveryPolicy", "FilterPolicy", "FilterPolicyScope", "RawMessageDelivery", "RedrivePolicy", "ReplayPolicy", "ReplayStatus",
    "SubscriptionRoleArn",
)  # fmt: skip
_ROLE = re.compile(rf"{_PREFIX}iam::\d{{12}}:role/.+", re.ASCII | re.DOTALL)
_LABEL_ACTIONS = frozenset(
    "AddPermission DeleteTopic GetDataProtectionPolicy GetTopicAttributes ListSubscriptionsByTopic ListTagsForResource Publish"
    " PutDataProtectionPolicy Receive RemovePermission SetTopicAttributes Subscribe".lower().split()
)
_ACCOUNT = re.compile(r"\d{12}", re.ASCII)


def _create_topic(arguments: Mapping[str, Any]) -> Iterator[Problem]:
    name = text(arguments.get("Name"))
    attributes = mapping(arguments.get("Attributes"))
    given = attributes.get("FifoTopic", "false")
    known = isinstance(given, str) and isinstance(arguments.get("Attributes", {}), dict)
    fifo = is_true(given) if known else None
    if name is not None:
        if not _TOPIC_NAME.fullmatch(name.removesuffix(".fifo")) or len(name) > 256:
            hint = "1 to 256 letters of ASCII, digits, underscores and hyphens; .fifo at the end of that of a FIFO topic"
            yield Problem("Name", f"{shown(name)} is no name of a topic", hint)
        elif fifo is not None and name.endswith(".fifo") != fifo:
            said = (
                "ends in .fifo, and FifoTopic is not true"
                if name.endswith(".fifo")
                else "does not end in .fifo"
            )
            yield Problem("Name", f"{name!r} {said}", "FIFO topics have both, others neither", "fifo")
    for key, value in attributes.items():
        path = f"Attributes.{key}"
        yield from attribute_problems(path, str(key), value, fifo=fifo, topic=name or "")
    yield from protection_problems("DataProtectionPolicy", arguments.get("DataProtectionPolicy"))
    yield from tag_problems(arguments)


def _set_topic_attributes(arguments: Mapping[str, Any]) -> Iterator[Problem]:
    yield from topic_problems(arguments)
    name, topic = text(arguments.get("AttributeName")), text(arguments.get("TopicArn"))
    if name == "FifoTopic":
        yield Problem("AttributeName", "a topic is FIFO or not from the beginning", "another topic", "fifo")
    elif name is not None:
        value = arguments.get("AttributeValue")
        fifo = None if topic is None else topic.endswith(".fifo")
        for problem in attribute_problems("AttributeValue", name, value, fifo=fifo, topic=topic or ""):
            unknown = problem.message.startswith("a topic has no attribute")
            yield Problem("AttributeName", problem.message, problem.hint) if unknown else problem


def _subscribe(arguments: Mapping[str, Any]) -> Iterator[Problem]:
    yield from topic_problems(arguments)
    topic, protocol = text(arguments.get("TopicArn")), text(arguments.get("Protocol"))
    endpoint = text(arguments.get("Endpoint"))
    if protocol is not None and protocol not in _PROTOCOLS:
        yield Problem("Protocol", f"there is no protocol {protocol!r}", ", ".join(_PROTOCOLS), "enum")
    elif protocol is not None:
        yield from _endpoint(protocol, endpoint)
        if topic and topic.endswith(".fifo") and protocol != "sqs":
            message = f"a FIFO topic has queues as subscribers only, and not {protocol}"
            yield Problem("Protocol", message, "sqs, and from the queue on", "fifo")
    fifo_queue = protocol == "sqs" and endpoint is not None and endpoint.endswith(".fifo")
    if fifo_queue and topic is not None and not topic.endswith(".fifo"):
        yield Problem(
            "Endpoint", "a FIFO queue cannot subscribe to a standard topic", "a standard queue", "fifo"
        )
    attributes = mapping(arguments.get("Attributes"))
    scope = attributes.get("FilterPolicyScope", SCOPES[0])
    for name, value in attributes.items():
        yield from _attribute(f"Attributes.{name}", str(name), value, text(scope), topic, protocol)
    known = isinstance(arguments.get("Attributes", {}), dict)
    if known and protocol == "firehose" and "SubscriptionRoleArn" not in attributes:
        yield Problem(
            "Attributes.SubscriptionRoleArn",
            "SubscriptionRoleArn is missing, which firehose needs",
            "",
            "missing",
        )


def _endpoint(protocol: str, endpoint: str | None) -> Iterator[Problem]:
    if endpoint is None:
        return
    if protocol == "sms":
        if fault := phone_fault(endpoint):
            yield Problem("Endpoint", fault, "", "endpoint")
        return
    form, wanted = _ENDPOINTS[protocol]
    if not form.fullmatch(endpoint):
        yield Problem("Endpoint", f"{shown(endpoint)} is no endpoint of {protocol}", wanted, "endpoint")


def _set_subscription_attributes(arguments: Mapping[str, Any]) -> Iterator[Problem]:
    yield from _subscription(arguments)
    name = text(arguments.get("AttributeName"))
    found = text(arguments.get("SubscriptionArn"))
    topic = found.rpartition(":")[0] if found and _SUBSCRIPTION.fullmatch(found) else None
    if name is None:
        return
    if name not in _ATTRIBUTES:
        yield Problem("AttributeName", f"a subscription has no attribute {name!r}", ", ".join(_ATTRIBUTES))
        return
    yield from _attribute("AttributeValue", name, arguments.get("AttributeValue", ""), None, topic, None)


def _attribute(
    path: str, name: str, value: Any, scope: str | None, topic: str | None, protocol: str | None
) -> Iterator[Problem]:
    if name not in _ATTRIBUTES:
        yield Problem(path, f"a subscription has no attribute {name!r}", ", ".join(_ATTRIBUTES))
    if not isinstance(value, str):
        return
    if name == "FilterPolicy":
        yield from filter_problems(path, value, scope)
    elif name == "FilterPolicyScope":
        if value not in SCOPES:
            yield Problem(path, f"{value!r} is none of {', '.join(SCOPES)}", "", "enum")
    elif name == "RawMessageDelivery":
        if value.lower() not in ("true", "false"):
            yield Problem(path, f"{value!r} is neither true nor false", "", "enum")
        elif protocol in _PROTOCOLS and protocol not in _RAW:
            yield Problem(
                path, f"{protocol} has no raw messages, and does not take false either", "leave it out"
            )
    elif name == "DeliveryPolicy":
        yield from delivery_problems(path, value, of_topic=False)
        if value.strip() not in ("", "{}") and protocol in _PROTOCOLS and protocol not in ("http", "https"):
            yield Problem(path, f"{protocol} has no delivery policy of one's own", "http and https have")
    elif name == "SubscriptionRoleArn":
        yield from arn_problems(path, value or None, _ROLE, "arn:aws:iam::ACCOUNT:role/NAME")
        if protocol in _PROTOCOLS and protocol != "firehose":
            yield Problem(path, f"SubscriptionRoleArn is for firehose only, and not for {protocol}")
    elif name == "RedrivePolicy":
        yield from _redrive(path, value, topic)
    elif name == "ReplayPolicy":
        yield from _replay(path, value, topic)


def _redrive(path: str, written: str, topic: str | None) -> Iterator[Problem]:
    if written.strip() in ("", "{}"):
        return
    content, fault = read_json(written)
    if fault or not isinstance(content, dict):
        message = f"the redrive policy is no JSON object{f': {fault}' if fault else ''}"
        yield Problem(path, message, '{"deadLetterTargetArn": "arn:aws:sqs:…"}', "json")
        return
    for name in content:
        if name != "deadLetterTargetArn":
            message = f"the redrive policy of a subscription has no {shown(name)}"
            yield Problem(
                path, message, "maxReceiveCount belongs to a queue's own redrive policy", "attribute"
            )
    queue = content.get("deadLetterTargetArn")
    if not isinstance(queue, str) or not _QUEUE.fullmatch(queue):
        yield Problem(path, f"deadLetterTargetArn {shown(queue)} is no queue", _QUEUE_FORM, "arn")
        return
    if topic is None or not TOPIC_FORM.fullmatch(topic):
        return
    if queue.endswith(".fifo") and not topic.endswith(".fifo"):
        yield Problem(path, "the dead letters of a standard topic go to a standard queue", "", "fifo")
    region = topic.split(":")[3]
    if queue.split(":")[3] != region:
        yield Problem(path, f"the queue for dead letters is not in {region}, where the topic is")


def _replay(path: str, written: str, topic: str | None) -> Iterator[Problem]:
    if written.strip() in ("", "{}"):
        return
    content, fault = read_json(written)
    if fault or not isinstance(content, dict):
        yield Problem(path, f"the replay policy is no JSON object{f': {fault}' if fault else ''}", "", "json")
    if topic is not None and not topic.endswith(".fifo"):
        yield Problem(path, "ReplayPolicy is for FIFO topics only", "", "fifo")


def _subscription(arguments: Mapping[str, Any]) -> Iterator[Problem]:
    yield from arn_problems(
        "SubscriptionArn", arguments.get("SubscriptionArn"), _SUBSCRIPTION, _SUBSCRIPTION_FORM
    )


def _confirm(arguments: Mapping[str, Any]) -> Iterator[Problem]:
    yield from topic_problems(arguments)
    if arguments.get("Token") == "":
        yield Problem("Token", "the token is empty")
    given = text(arguments.get("AuthenticateOnUnsubscribe"))
    if given is not None and given.lower() not in ("true", "false"):
        yield Problem("AuthenticateOnUnsubscribe", f"{given!r} is neither true nor false", "", "enum")


def _add_permission(arguments: Mapping[str, Any]) -> Iterator[Problem]:
    if "TopicArn" not in arguments:
        return
    yield from topic_problems(arguments)
    for path, account in texts(arguments, "AWSAccountId"):
        if not _ACCOUNT.fullmatch(account):
            yield Problem(path, f"{account!r} is no account", "twelve digits")
    for path, action in texts(arguments, "ActionName"):
        if action != "*" and action.lower() not in _LABEL_ACTIONS:
            yield Problem(path, f"{action!r} is no action on a topic", "such as Publish, without sns:")
    if arguments.get("Label") == "":
        yield Problem("Label", "the label is empty")


def _remove_permission(arguments: Mapping[str, Any]) -> Iterator[Problem]:
    if "TopicArn" in arguments:
        yield from topic_problems(arguments)


def _tag(arguments: Mapping[str, Any]) -> Iterator[Problem]:
    arn = read_arn(arguments.get("ResourceArn"))
    if "ResourceArn" not in arguments or (arn is not None and arn.service != "sns"):
        return  # of another service
    yield from topic_problems(arguments, "ResourceArn")
    yield from tag_problems(arguments)
    yield from key_problems(arguments)


def _protection(arguments: Mapping[str, Any]) -> Iterator[Problem]:
    if "DataProtectionPolicy" in arguments and "ResourceArn" in arguments:
        yield from topic_problems(arguments, "ResourceArn")
        yield from protection_problems("DataProtectionPolicy", arguments["DataProtectionPolicy"])


RULES: Rules = {
    "create_topic": (_create_topic,),
    "set_topic_attributes": (_set_topic_attributes,),
    "get_topic_attributes": (topic_problems,),
    "delete_topic": (topic_problems,),
    "list_subscriptions_by_topic": (topic_problems,),
    "subscribe": (_subscribe,),
    "confirm_subscription": (_confirm,),
    "unsubscribe": (_subscription,),
    "get_subscription_attributes": (_subscription,),
    "set_subscription_attributes": (_set_subscription_attributes,),
    "add_permission": (_add_permission,),
    "remove_permission": (_remove_permission,),
    "tag_resource": (_tag,),
    "untag_resource": (_tag,),
    "list_tags_for_resource": (_tag,),
    "put_data_protection_policy": (_protection,),
    **publishing.RULES,
}

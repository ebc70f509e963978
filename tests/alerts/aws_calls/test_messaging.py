"""What AWS refuses of SNS is refused here before any call, each rule with the place in AWS's documents; what it takes is not.

API: the API reference; GUIDE: the SNS developer guide; SEEN: an answer of AWS's that somebody reported.
"""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orders_obs.alerts.aws_calls import validate
from orders_obs.alerts.aws_calls.filter_policies import filter_problems

TOPIC = "arn:aws:sns:eu-west-1:111122223333:orders"
FIFO = f"{TOPIC}.fifo"
SUBSCRIPTION = f"{TOPIC}:7a1b2c3d-0000-4000-8000-123456789abc"
QUEUE = "arn:aws:sqs:eu-west-1:111122223333:dead"
ROLE = "arn:aws:iam::111122223333:role/sns"
STREAM = "arn:aws:firehose:eu-west-1:111122223333:deliverystream/orders"
FUNCTION = "arn:aws:lambda:eu-west-1:111122223333:function:relay"


def topic(**attributes: str) -> dict[str, Any]:
    return {"Name": "orders", "Attributes": attributes}


def fifo(**attributes: str) -> dict[str, Any]:
    return {"Name": "orders.fifo", "Attributes": {"FifoTopic": "true", **attributes}}


def setting(name: str, value: Any, arn: str = TOPIC) -> dict[str, Any]:
    written = value if isinstance(value, str) else json.dumps(value)
    return {"TopicArn": arn, "AttributeName": name, "AttributeValue": written}


def subscription(protocol: str, endpoint: str, arn: str = TOPIC, **attributes: Any) -> dict[str, Any]:
    written = {k: v if isinstance(v, str) else json.dumps(v) for k, v in attributes.items()}
    more = {"Attributes": written} if attributes else {}
    return {"TopicArn": arn, "Protocol": protocol, "Endpoint": endpoint, **more}


def filtered(policy: Any, scope: str = "MessageAttributes") -> dict[str, Any]:
    return subscription("sqs", QUEUE, FilterPolicy=policy, FilterPolicyScope=scope)


def message(**more: Any) -> dict[str, Any]:
    return {"TopicArn": TOPIC, "Message": "hello", **more}


def retries(**fields: Any) -> dict[str, Any]:
    return setting("DeliveryPolicy", {"http": {"defaultHealthyRetryPolicy": fields}})


def policy(**statement: Any) -> dict[str, Any]:
    whole = {
        "Effect": "Allow",
        "Principal": {"Service": "cloudwatch.amazonaws.com"},
        "Action": "sns:Publish",
        "Resource": TOPIC,
        **statement,
    }
    return setting("Policy", {"Version": "2012-10-17", "Statement": [whole]})


NAME = "API CreateTopic, Name"
ATTRIBUTES = "API CreateTopic, Attributes"
ENDPOINT = "API Subscribe, Endpoint"
SUBSCRIBED = "API Subscribe, Attributes"
FILTERS = "GUIDE filter policy constraints"
OPERATORS = "GUIDE string value matching, numeric value matching"
DELIVERY = "GUIDE creating an HTTP/S delivery policy"
PUBLISH = "API Publish"
GUIDE_FIFO = "GUIDE message delivery for FIFO topics"
QUOTAS = "GUIDE API permissions, policy quotas"
ATTRIBUTE = "GUIDE message attributes"

WRONG: list[tuple[str, str, dict[str, Any], str]] = [
    (NAME, "create_topic", {"Name": "orders alerts"}, "Name"),
    (NAME, "create_topic", {"Name": "orders.alerts"}, "Name"),
    (NAME, "create_topic", {"Name": "ördérs"}, "Name"),
    (NAME, "create_topic", {"Name": ""}, "Name"),
    (NAME, "create_topic", {"Name": "a" * 257}, "Name"),
    (NAME, "create_topic", {"Name": "orders.fifo"}, "Name"),
    (NAME, "create_topic", {"Name": "orders", "Attributes": {"FifoTopic": "true"}}, "Name"),
    (ATTRIBUTES, "create_topic", topic(Colour="red"), "Attributes.Colour"),
    (ATTRIBUTES, "create_topic", topic(SignatureVersion="3"), "Attributes.SignatureVersion"),
    (ATTRIBUTES, "create_topic", topic(TracingConfig="On"), "Attributes.TracingConfig"),
    (ATTRIBUTES, "create_topic", fifo(TracingConfig="Active"), "Attributes.TracingConfig"),
    (ATTRIBUTES, "create_topic", topic(HTTPSuccessFeedbackSampleRate="101"), "Attributes.HTTPSuccessFeedbackSampleRate"),
    (ATTRIBUTES, "create_topic", topic(SQSSuccessFeedbackSampleRate="half"), "Attributes.SQSSuccessFeedbackSampleRate"),
    (ATTRIBUTES, "create_topic", topic(LambdaFailureFeedbackRoleArn="sns"), "Attributes.LambdaFailureFeedbackRoleArn"),
    (ATTRIBUTES, "create_topic", topic(MaximumMessageSize="1000"), "Attributes.MaximumMessageSize"),
    (ATTRIBUTES, "create_topic", topic(MaximumMessageSize="1048577"), "Attributes.MaximumMessageSize"),
    (ATTRIBUTES, "create_topic", topic(ContentBasedDeduplication="true"), "Attributes.ContentBasedDeduplication"),
    (ATTRIBUTES, "create_topic", topic(FifoThroughputScope="Topic"), "Attributes.FifoThroughputScope"),
    (ATTRIBUTES, "create_topic", fifo(FifoThroughputScope="Group"), "Attributes.FifoThroughputScope"),
    (ATTRIBUTES, "create_topic", topic(ArchivePolicy='{"MessageRetentionPeriod": "30"}'), "Attributes.ArchivePolicy"),
    ("GUIDE message archiving: 1 to 365 days", "create_topic", fifo(ArchivePolicy='{"MessageRetentionPeriod": "366"}'), "Attributes.ArchivePolicy"),
    ("AWS::SNS::Topic, DisplayName", "create_topic", topic(DisplayName="a" * 101), "Attributes.DisplayName"),
    ("API KMS DescribeKey, KeyId", "create_topic", topic(KmsMasterKeyId="my key"), "Attributes.KmsMasterKeyId"),
    ("API KMS DescribeKey, KeyId", "create_topic", topic(KmsMasterKeyId=TOPIC), "Attributes.KmsMasterKeyId"),
    ("API CreateTopic, DataProtectionPolicy", "create_topic", {"Name": "orders", "DataProtectionPolicy": "{"}, "DataProtectionPolicy"),
    ("API CreateTopic, DataProtectionPolicy: 30,720", "create_topic", {"Name": "orders", "DataProtectionPolicy": json.dumps({"a": "b" * 31_000})}, "DataProtectionPolicy"),
    ("general reference, tagging: 50", "create_topic", {"Name": "orders", "Tags": [{"Key": f"k{n}", "Value": ""} for n in range(51)]}, "Tags"),
    ("general reference, tagging: aws:", "create_topic", {"Name": "orders", "Tags": [{"Key": "aws:x", "Value": ""}]}, "Tags[0].Key"),
    ("SEEN duplicate keys", "tag_resource", {"ResourceArn": TOPIC, "Tags": [{"Key": "a", "Value": "1"}, {"Key": "a", "Value": "2"}]}, "Tags[1].Key"),
    ("general reference, tagging: characters", "tag_resource", {"ResourceArn": TOPIC, "Tags": [{"Key": "a", "Value": "x;y"}]}, "Tags[0].Value"),
    ("general reference, tagging: aws:", "untag_resource", {"ResourceArn": TOPIC, "TagKeys": ["aws:x"]}, "TagKeys[0]"),
    ("API SetTopicAttributes", "set_topic_attributes", setting("Owner", "111122223333"), "AttributeName"),
    ("API SetTopicAttributes: FifoTopic is for CreateTopic", "set_topic_attributes", setting("FifoTopic", "true"), "AttributeName"),
    ("SEEN An ARN must have at least 6 elements", "set_topic_attributes", setting("DisplayName", "x", "orders"), "TopicArn"),
    ("API SetTopicAttributes, TopicArn", "delete_topic", {"TopicArn": QUEUE}, "TopicArn"),
    ("API SetTopicAttributes, Policy", "set_topic_attributes", setting("Policy", "{"), "AttributeValue"),
    (QUOTAS, "set_topic_attributes", policy(Resource=f"{TOPIC}-other"), "AttributeValue"),
    (QUOTAS, "set_topic_attributes", setting("Policy", {"Statement": [policy()] * 101}), "AttributeValue"),
    (QUOTAS, "set_topic_attributes", policy(Sid="a" * 31_000), "AttributeValue"),
    ("SEEN Policy statement action out of service scope!", "set_topic_attributes", policy(Action="sns:CreateTopic"), "AttributeValue"),
    ("SEEN Policy statement action out of service scope!", "set_topic_attributes", policy(Action="sqs:SendMessage"), "AttributeValue"),
    (DELIVERY, "set_topic_attributes", retries(numRetries=101), "AttributeValue"),
    (DELIVERY, "set_topic_attributes", retries(minDelayTarget=0), "AttributeValue"),
    (DELIVERY, "set_topic_attributes", retries(minDelayTarget=30, maxDelayTarget=20), "AttributeValue"),
    (DELIVERY, "set_topic_attributes", retries(maxDelayTarget=3601), "AttributeValue"),
    (DELIVERY, "set_topic_attributes", retries(backoffFunction="random"), "AttributeValue"),
    (DELIVERY, "set_topic_attributes", retries(numRetries=5, numNoDelayRetries=6), "AttributeValue"),
    ("GUIDE delivery retries: 3,600 seconds in all", "set_topic_attributes", retries(numRetries=10, numMaxDelayRetries=10, maxDelayTarget=600), "AttributeValue"),
    (DELIVERY, "set_topic_attributes", setting("DeliveryPolicy", {"http": {"defaultThrottlePolicy": {"maxReceivesPerSecond": 0}}}), "AttributeValue"),
    ("API Subscribe, Protocol", "subscribe", subscription("slack", "https://hooks.slack.com/x"), "Protocol"),
    (ENDPOINT, "subscribe", subscription("https", "http://example.com/hook"), "Endpoint"),
    (ENDPOINT, "subscribe", subscription("http", "https://example.com/hook"), "Endpoint"),
    (ENDPOINT, "subscribe", subscription("https", "example.com/hook"), "Endpoint"),
    (ENDPOINT, "subscribe", subscription("email", "orders-team"), "Endpoint"),
    (ENDPOINT, "subscribe", subscription("email", "a@example.com, b@example.com"), "Endpoint"),
    (ENDPOINT, "subscribe", subscription("sms", "0155 123"), "Endpoint"),
    (ENDPOINT, "subscribe", subscription("sms", "+1234567890123456"), "Endpoint"),
    ("SEEN SQS endpoint ARN", "subscribe", subscription("sqs", "https://sqs.eu-west-1.amazonaws.com/111122223333/q"), "Endpoint"),
    (ENDPOINT, "subscribe", subscription("lambda", "relay"), "Endpoint"),
    (ENDPOINT, "subscribe", subscription("lambda", QUEUE), "Endpoint"),
    (ENDPOINT, "subscribe", subscription("firehose", "orders", SubscriptionRoleArn=ROLE), "Endpoint"),
    (ENDPOINT, "subscribe", subscription("application", TOPIC), "Endpoint"),
    (GUIDE_FIFO, "subscribe", subscription("email", "team@example.com", FIFO), "Protocol"),
    (GUIDE_FIFO, "subscribe", subscription("lambda", FUNCTION, FIFO), "Protocol"),
    ("SEEN FIFO SQS Queues can not be subscribed to standard SNS topics", "subscribe", subscription("sqs", f"{QUEUE}.fifo"), "Endpoint"),
    (SUBSCRIBED, "subscribe", subscription("firehose", STREAM), "Attributes.SubscriptionRoleArn"),
    (SUBSCRIBED, "subscribe", subscription("sqs", QUEUE, SubscriptionRoleArn=ROLE), "Attributes.SubscriptionRoleArn"),
    (SUBSCRIBED, "subscribe", subscription("sqs", QUEUE, Colour="red"), "Attributes.Colour"),
    ("SEEN raw message, wrong value", "subscribe", subscription("sqs", QUEUE, RawMessageDelivery="yes"), "Attributes.RawMessageDelivery"),
    (SUBSCRIBED, "subscribe", subscription("email", "team@example.com", RawMessageDelivery="true"), "Attributes.RawMessageDelivery"),
    ("SEEN protocol lambda does not support raw message delivery, false neither", "subscribe", subscription("lambda", FUNCTION, RawMessageDelivery="false"), "Attributes.RawMessageDelivery"),
    ("GUIDE delivery retries: HTTP/S only", "subscribe", subscription("sqs", QUEUE, DeliveryPolicy={"healthyRetryPolicy": {"numRetries": 5}}), "Attributes.DeliveryPolicy"),
    (DELIVERY, "subscribe", subscription("https", "https://example.com", DeliveryPolicy={"healthyRetryPolicy": {"numRetries": 200}}), "Attributes.DeliveryPolicy"),
    ("SEEN deadLetterTargetArn is an invalid arn", "subscribe", subscription("sqs", QUEUE, RedrivePolicy={"deadLetterTargetArn": "dead"}), "Attributes.RedrivePolicy"),
    ("SEEN RedrivePolicy: Attribute maxReceiveCount is unknown", "subscribe", subscription("sqs", QUEUE, RedrivePolicy={"deadLetterTargetArn": QUEUE, "maxReceiveCount": 3}), "Attributes.RedrivePolicy"),
    ("SEEN RedrivePolicy: failed to parse JSON", "subscribe", subscription("sqs", QUEUE, RedrivePolicy="{invalidjson}"), "Attributes.RedrivePolicy"),
    ("GUIDE dead-letter queues: same region", "subscribe", subscription("sqs", QUEUE, RedrivePolicy={"deadLetterTargetArn": QUEUE.replace("eu-west-1", "us-east-1")}), "Attributes.RedrivePolicy"),
    ("GUIDE dead-letter queues: standard", "subscribe", subscription("sqs", QUEUE, RedrivePolicy={"deadLetterTargetArn": f"{QUEUE}.fifo"}), "Attributes.RedrivePolicy"),
    ("API Subscribe: FIFO only", "subscribe", subscription("sqs", QUEUE, ReplayPolicy={"PointType": "Timestamp"}), "Attributes.ReplayPolicy"),
    ("SEEN FilterPolicyScope: Invalid value", "subscribe", filtered({"a": ["b"]}, "Body"), "Attributes.FilterPolicyScope"),
    ("SEEN FilterPolicy: failed to parse JSON", "subscribe", filtered("{invalidjson}"), "Attributes.FilterPolicy"),
    (FILTERS, "subscribe", filtered(["a"]), "Attributes.FilterPolicy"),
    ("SEEN must be an object or an array", "subscribe", filtered({"key_a": "value_one"}), "Attributes.FilterPolicy"),
    ("SEEN scope MessageAttributes does not support nested", "subscribe", filtered({"object": {"key": [{"prefix": "auto-"}]}}), "Attributes.FilterPolicy"),
    ("SEEN can not have more than 5 keys", "subscribe", filtered({f"key_{n}": ["v"] for n in range(6)}), "Attributes.FilterPolicy"),
    (FILTERS, "subscribe", filtered({"a": [*"abcdef"], "b": [*"abcdef"], "c": [*"abcde"]}), "Attributes.FilterPolicy"),
    ("SEEN too complex: 3 x 4 x 2 x 3 x 1 x 3", "subscribe", filtered({"a": {"b": {"c": [*"1234"]}}, "d": {"e": [*"123"]}, "f": [*"123"]}, "MessageBody"), "Attributes.FilterPolicy"),
    (FILTERS, "subscribe", filtered({"a": ["x" * 262_144]}), "Attributes.FilterPolicy"),
    (OPERATORS, "subscribe", filtered({"a": []}), "Attributes.FilterPolicy"),
    (OPERATORS, "subscribe", filtered({"a": [{"contains": "x"}]}), "Attributes.FilterPolicy"),
    (OPERATORS, "subscribe", filtered({"a": [{"prefix": 1}]}), "Attributes.FilterPolicy"),
    (OPERATORS, "subscribe", filtered({"a": [{"exists": "true"}]}), "Attributes.FilterPolicy"),
    (OPERATORS, "subscribe", filtered({"a": [{"numeric": [">", "1"]}]}), "Attributes.FilterPolicy"),
    (OPERATORS, "subscribe", filtered({"a": [{"numeric": [">", 5, "<", 1]}]}), "Attributes.FilterPolicy"),
    (OPERATORS, "subscribe", filtered({"a": [{"numeric": ["<", 5, ">", 1]}]}), "Attributes.FilterPolicy"),
    (OPERATORS, "subscribe", filtered({"a": [{"cidr": "10.0.0.0"}]}), "Attributes.FilterPolicy"),
    (OPERATORS, "subscribe", filtered({"a": [{"prefix": "x", "suffix": "y"}]}), "Attributes.FilterPolicy"),
    (OPERATORS, "subscribe", filtered({"a": [{"anything-but": ["x", 1]}]}), "Attributes.FilterPolicy"),
    ("GUIDE AND/OR logic: reserved words", "subscribe", filtered({"$or": [{"numeric": 123}, {"prefix": "abc"}]}), "Attributes.FilterPolicy"),
    ("SEEN FakeAttribute", "set_subscription_attributes", {"SubscriptionArn": SUBSCRIPTION, "AttributeName": "FakeAttribute", "AttributeValue": "x"}, "AttributeName"),
    ("SEEN raw message, empty value", "set_subscription_attributes", {"SubscriptionArn": SUBSCRIPTION, "AttributeName": "RawMessageDelivery", "AttributeValue": ""}, "AttributeValue"),
    ("API Subscribe: no ARN yet", "set_subscription_attributes", {"SubscriptionArn": "PendingConfirmation", "AttributeName": "FilterPolicy", "AttributeValue": "{}"}, "SubscriptionArn"),
    ("API Subscribe: no ARN yet", "unsubscribe", {"SubscriptionArn": "pending confirmation"}, "SubscriptionArn"),
    ("API Unsubscribe", "unsubscribe", {"SubscriptionArn": TOPIC}, "SubscriptionArn"),
    ("API Unsubscribe", "get_subscription_attributes", {"SubscriptionArn": "PendingConfirmation"}, "SubscriptionArn"),
    ("API ConfirmSubscription", "confirm_subscription", {"TopicArn": TOPIC, "Token": "abc", "AuthenticateOnUnsubscribe": "yes"}, "AuthenticateOnUnsubscribe"),
    (PUBLISH, "publish", {"Message": "hello"}, ""),
    (PUBLISH, "publish", message(PhoneNumber="+14155550123"), ""),
    ("SEEN Invalid parameter: Empty message", "publish", message(Message=""), "Message"),
    (PUBLISH, "publish", message(Message="ä" * 600_000), "Message"),
    ("SEEN empty subject", "publish", message(Subject=""), "Subject"),
    (PUBLISH, "publish", message(Subject="a" * 101), "Subject"),
    (PUBLISH, "publish", message(Subject="a\nb"), "Subject"),
    (PUBLISH, "publish", message(Subject="a\x07"), "Subject"),
    (PUBLISH, "publish", message(MessageStructure="xml"), "MessageStructure"),
    ("SEEN missing default key", "publish", message(MessageStructure="json", Message='{"sqs": "x"}'), "Message"),
    ("SEEN invalid JSON", "publish", message(MessageStructure="json", Message='{"default": "x"} }'), "Message"),
    ("SEEN key is not string", "publish", message(MessageStructure="json", Message='{"default": {"a": "b"}}'), "Message"),
    ("SEEN randomstring:1", "publish", message(TopicArn="randomstring:1"), "TopicArn"),
    (PUBLISH, "publish", {"PhoneNumber": "+14155550123", "Message": "a" * 1601}, "Message"),
    (PUBLISH, "publish", {"PhoneNumber": "call me", "Message": "a"}, "PhoneNumber"),
    (PUBLISH, "publish", message(TopicArn=FIFO), "MessageGroupId"),
    (PUBLISH, "publish", message(MessageDeduplicationId="1"), "MessageDeduplicationId"),
    (PUBLISH, "publish", message(MessageGroupId="a b"), "MessageGroupId"),
    (ATTRIBUTE, "publish", message(MessageAttributes={"a..b": {"DataType": "String", "StringValue": "x"}}), "MessageAttributes.a..b"),
    (ATTRIBUTE, "publish", message(MessageAttributes={"AWS.x": {"DataType": "String", "StringValue": "x"}}), "MessageAttributes.AWS.x"),
    (ATTRIBUTE, "publish", message(MessageAttributes={"a": {"DataType": "Text", "StringValue": "x"}}), "MessageAttributes.a.DataType"),
    (ATTRIBUTE, "publish", message(MessageAttributes={"a": {"DataType": "Binary", "StringValue": "x"}}), "MessageAttributes.a.BinaryValue"),
    (ATTRIBUTE, "publish", message(MessageAttributes={"a": {"DataType": "String", "StringValue": ""}}), "MessageAttributes.a.StringValue"),
    (ATTRIBUTE, "publish", message(MessageAttributes={"a": {"DataType": "Number", "StringValue": "many"}}), "MessageAttributes.a.StringValue"),
    ("API PublishBatch: 10", "publish_batch", {"TopicArn": TOPIC, "PublishBatchRequestEntries": [{"Id": str(n), "Message": "x"} for n in range(11)]}, "PublishBatchRequestEntries"),
    ("API PublishBatch: unique", "publish_batch", {"TopicArn": TOPIC, "PublishBatchRequestEntries": [{"Id": "a", "Message": "x"}] * 2}, "PublishBatchRequestEntries[1].Id"),
    ("API PublishBatchRequestEntry, Id", "publish_batch", {"TopicArn": TOPIC, "PublishBatchRequestEntries": [{"Id": "a b", "Message": "x"}]}, "PublishBatchRequestEntries[0].Id"),
    ("API PublishBatch: 1 MiB", "publish_batch", {"TopicArn": TOPIC, "PublishBatchRequestEntries": [{"Id": str(n), "Message": "x" * 600_000} for n in range(2)]}, "PublishBatchRequestEntries"),
    ("API AddPermission", "add_permission", {"TopicArn": TOPIC, "Label": "a", "AWSAccountId": ["1111-2222-3333"], "ActionName": ["Publish"]}, "AWSAccountId[0]"),
    ("SEEN out of service scope", "add_permission", {"TopicArn": TOPIC, "Label": "a", "AWSAccountId": ["111122223333"], "ActionName": ["SendMessage"]}, "ActionName[0]"),
]  # fmt: skip

RIGHT: list[tuple[str, dict[str, Any]]] = [
    ("create_topic", {"Name": "orders_Alerts-1"}),
    ("create_topic", fifo(ContentBasedDeduplication="true", FifoThroughputScope="MessageGroup", ArchivePolicy='{"MessageRetentionPeriod": "30"}', SignatureVersion="2", DisplayName="TestTopic")),
    ("create_topic", topic(KmsMasterKeyId="alias/aws/sns", TracingConfig="Active", SignatureVersion="2", DisplayName="Orders")),
    ("create_topic", topic(KmsMasterKeyId="arn:aws:kms:eu-west-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab")),
    ("create_topic", topic(KmsMasterKeyId="mrk-1234abcd12ab34cd56ef1234567890ab", HTTPSuccessFeedbackRoleArn=ROLE, HTTPSuccessFeedbackSampleRate="100")),
    ("create_topic", {"Name": "orders", "Tags": [{"Key": "team", "Value": "ordérs 1_.:/=+-@"}]}),
    ("set_topic_attributes", setting("KmsMasterKeyId", "")),
    ("set_topic_attributes", setting("ArchivePolicy", "{}")),
    ("set_topic_attributes", policy(Action=["SNS:Publish", "sns:Subscribe"], Resource="*")),
    ("set_topic_attributes", policy(Action="sns:*")),
    ("set_topic_attributes", policy(Principal={"AWS": "*"}, Condition={"StringEquals": {"AWS:SourceOwner": "111122223333"}}, Sid="__default_statement_ID")),
    ("set_topic_attributes", retries(minDelayTarget=1, maxDelayTarget=60, numRetries=50, numNoDelayRetries=3, numMinDelayRetries=2, numMaxDelayRetries=35, backoffFunction="exponential")),
    ("set_topic_attributes", setting("DeliveryPolicy", {"http": {"defaultHealthyRetryPolicy": {"numRetries": 3}, "disableSubscriptionOverrides": False, "defaultRequestPolicy": {"headerContentType": "text/plain; charset=UTF-8"}}})),
    ("subscribe", subscription("https", "https://events.pagerduty.com/integration/x/enqueue?a=b", DeliveryPolicy={"healthyRetryPolicy": {"numRetries": 5}, "throttlePolicy": {"maxReceivesPerSecond": 10}})),
    ("subscribe", subscription("http", "http://user:secret@example.com:8080/hook", RawMessageDelivery="TrUe")),
    ("subscribe", subscription("email", "orders-team+alerts@example.com")),
    ("subscribe", subscription("email-json", "team@example.com")),
    ("subscribe", subscription("sms", "+14155550123")),
    ("subscribe", subscription("sms", "+1-415-555-0123")),
    ("subscribe", subscription("sqs", QUEUE, RawMessageDelivery="true", RedrivePolicy={"deadLetterTargetArn": QUEUE})),
    ("subscribe", subscription("sqs", f"{QUEUE}.fifo", FIFO)),
    ("subscribe", subscription("sqs", QUEUE, FIFO)),
    ("subscribe", subscription("lambda", f"{FUNCTION}:live")),
    ("subscribe", subscription("firehose", STREAM, SubscriptionRoleArn=ROLE, RawMessageDelivery="true")),
    ("subscribe", subscription("application", "arn:aws:sns:eu-west-1:111122223333:endpoint/GCM/app/1")),
    ("subscribe", {"TopicArn": TOPIC, "Protocol": "https"}),
    ("subscribe", subscription("sqs", QUEUE, FilterPolicyScope="MessageBody", FilterPolicy="")),
    ("subscribe", filtered({"customer_interests": ["rugby", "football"], "price_usd": [{"numeric": [">", 0, "<=", 100]}]})),
    ("subscribe", filtered({"a": [None, True, 1, -1.5, {"anything-but": "whatever"}]})),
    ("subscribe", filtered({"a": [{"anything-but": ["rugby", "tennis"]}, {"anything-but": {"prefix": "order-"}}, {"exists": False}]})),
    ("subscribe", filtered({"a": [{"prefix": "bas"}, {"suffix": "ball"}, {"equals-ignore-case": "tennis"}, {"cidr": "10.0.0.0/24"}]})),
    ("subscribe", filtered({"source": ["aws.cloudwatch"], "$or": [{"metricName": ["CPUUtilization", "ReadLatency"]}, {"namespace": ["AWS/EC2", "AWS/ES"]}]})),
    ("subscribe", filtered({"a": {"b": {"c": [*"1234"]}}, "d": {"e": [*"123"]}}, "MessageBody")),
    ("subscribe", filtered({"state": ["SUCCESS"], "severity": [{"exists": True}], "message": [{"exists": True}], "finding": {"a": [{"exists": True}], "b": [{"exists": True}], "c": [{"exists": True}]}}, "MessageBody")),
    ("set_subscription_attributes", {"SubscriptionArn": SUBSCRIPTION, "AttributeName": "FilterPolicy", "AttributeValue": '{"a": {"b": ["c"]}}'}),
    ("set_subscription_attributes", {"SubscriptionArn": SUBSCRIPTION, "AttributeName": "FilterPolicy", "AttributeValue": ""}),
    ("set_subscription_attributes", {"SubscriptionArn": SUBSCRIPTION, "AttributeName": "DeliveryPolicy", "AttributeValue": '{"healthyRetryPolicy":{"numRetries":5}}'}),
    ("unsubscribe", {"SubscriptionArn": SUBSCRIPTION}),
    ("confirm_subscription", {"TopicArn": TOPIC, "Token": "51b2ff3edb475b7d", "AuthenticateOnUnsubscribe": "true"}),
    ("publish", message(Subject="a" * 100)),
    ("publish", message(Subject="Größe: 5 µs", MessageGroupId="tenant-1")),
    ("publish", message(Message="x" * 300_000)),
    ("publish", message(MessageStructure="json", Message='{"default": "a", "default": "b", "sqs": 1}')),
    ("publish", {"TargetArn": TOPIC, "Message": "x"}),
    ("publish", {"PhoneNumber": "+14155550123", "Message": "x", "MessageAttributes": {"AWS.SNS.SMS.SMSType": {"DataType": "String", "StringValue": "Transactional"}}}),
    ("publish", message(TopicArn=FIFO, MessageGroupId="a", MessageDeduplicationId="b")),
    ("publish", message(MessageAttributes={"a": {"DataType": "String.Array", "StringValue": "[1]"}, "b.c": {"DataType": "Number", "StringValue": "-1.5e3"}, "d": {"DataType": "Binary", "BinaryValue": b"x"}})),
    ("publish_batch", {"TopicArn": TOPIC, "PublishBatchRequestEntries": [{"Id": str(n), "Message": "x"} for n in range(10)]}),
    ("add_permission", {"TopicArn": TOPIC, "Label": "grant", "AWSAccountId": ["111122223333"], "ActionName": ["Publish", "Subscribe"]}),
    ("tag_resource", {"ResourceArn": TOPIC, "Tags": [{"Key": "k1", "Value": "v1"}]}),
]  # fmt: skip


@pytest.mark.parametrize(
    ("source", "operation", "params", "path"), WRONG, ids=[f"{n}-{row[1]}" for n, row in enumerate(WRONG)]
)
def test_what_sns_refuses_is_refused_at_its_place(
    source: str, operation: str, params: dict[str, Any], path: str
):
    found = validate(operation, params)
    assert path in [problem.path for problem in found], f"{source}: {found}"
    assert all(problem.message and len(str(problem)) < 700 for problem in found)


@pytest.mark.parametrize(("operation", "params"), RIGHT, ids=[f"{n}-{row[0]}" for n, row in enumerate(RIGHT)])
def test_what_sns_takes_is_not_refused(operation: str, params: dict[str, Any]):
    assert validate(operation, params) == []


def test_the_scope_of_a_filter_that_is_not_known_lets_nested_keys_pass():
    nested = json.dumps({"a": {"b": ["c"]}})
    assert list(filter_problems("p", nested, None)) == []
    assert list(filter_problems("p", nested, "MessageAttributes"))


LEAVES = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=6)
JSON = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, max_size=4)
    | st.dictionaries(st.sampled_from(["$or", "a", "prefix", "numeric", "anything-but", "exists", "cidr", "wildcard"]), inner, max_size=3),
    max_leaves=15,
)  # fmt: skip


@settings(max_examples=300, deadline=None)
@given(JSON)
def test_no_filter_policy_raises(content: Any):
    for name in ("FilterPolicy", "RedrivePolicy", "DeliveryPolicy", "ReplayPolicy"):
        params = subscription("sqs", QUEUE)
        params["Attributes"] = {name: json.dumps(content)}
        assert all(problem.message for problem in validate("subscribe", params))


@pytest.mark.parametrize(
    "written", ["[" * 100_000, '{"a":' * 5000, "1" * 5000, '{"a": NaN}', "\ud800", '{"\\ud800": ["\\ud800"]}']
)
def test_json_that_no_reader_takes_is_a_problem_and_no_exception(written: str):
    for operation, params in (
        ("subscribe", {"TopicArn": TOPIC, "Protocol": "sqs", "Attributes": {"FilterPolicy": written}}),
        ("set_topic_attributes", setting("Policy", written)),
        ("put_rule", {"Name": "r", "EventPattern": written}),
        (
            "put_metric_filter",
            {"logGroupName": "g", "filterName": "f", "filterPattern": written, "metricTransformations": []},
        ),
    ):
        assert validate(operation, params) or "ud800" in ascii(written)

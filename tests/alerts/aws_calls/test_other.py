"""What AWS refuses of KMS, SQS, Lambda, Systems Manager, Secrets Manager and the tagging API is refused here; what it takes is not.

API: the API reference; GUIDE: the user guide of the service; SEEN: an answer of AWS's that somebody reported.
"""

from __future__ import annotations

import json
from typing import Any

import botocore.exceptions
import botocore.session
import pytest
from botocore import xform_name
from hypothesis import given, settings
from hypothesis import strategies as st

from orders_obs.alerts.aws_calls import _rules, events, find_problems, logs, messaging, other, validate
from tests.alerts.engines.conftest import CATALOGUES, build

PLACE = "eu-west-1:111122223333"
QUEUE = f"arn:aws:sqs:{PLACE}:dead"
KEY = f"arn:aws:kms:{PLACE}:key/1234abcd-12ab-34cd-56ef-1234567890ab"
ALIAS = f"arn:aws:kms:{PLACE}:alias/orders"
TOPIC = f"arn:aws:sns:{PLACE}:orders"


def permission(**more: Any) -> dict[str, Any]:
    return {
        "FunctionName": "relay",
        "StatementId": "sns",
        "Action": "lambda:InvokeFunction",
        "Principal": "sns.amazonaws.com",
        **more,
    }


def parameter(name: str = "/orders/url", **more: Any) -> dict[str, Any]:
    return {"Name": name, "Value": "x", "Type": "String", **more}


def queue(**attributes: Any) -> dict[str, Any]:
    written = {k: v if isinstance(v, str) else json.dumps(v) for k, v in attributes.items()}
    return {"QueueName": "orders", "Attributes": written}


CREATE_KEY = "API CreateKey"
ALIASES = "API CreateAlias"
PARAMETER = "API PutParameter"
SECRET = "API CreateSecret"
RESOURCES = "API GetResources"
CREATE_QUEUE = "API CreateQueue"
LAMBDA = "API Lambda AddPermission"

WRONG: list[tuple[str, str, dict[str, Any], str]] = [
    (ALIASES, "create_alias", {"AliasName": "orders", "TargetKeyId": KEY}, "AliasName"),
    (ALIASES, "create_alias", {"AliasName": "alias/aws/orders", "TargetKeyId": KEY}, "AliasName"),
    (ALIASES, "create_alias", {"AliasName": "alias/", "TargetKeyId": KEY}, "AliasName"),
    (ALIASES, "create_alias", {"AliasName": "alias/orders alerts", "TargetKeyId": KEY}, "AliasName"),
    (ALIASES, "create_alias", {"AliasName": "alias/orders", "TargetKeyId": ALIAS}, "TargetKeyId"),
    ("API DeleteAlias", "delete_alias", {"AliasName": "orders"}, "AliasName"),
    (CREATE_KEY, "create_key", {"KeySpec": "HMAC_256"}, "KeyUsage"),
    (CREATE_KEY, "create_key", {"KeySpec": "RSA_2048", "KeyUsage": "KEY_AGREEMENT"}, "KeyUsage"),
    (CREATE_KEY, "create_key", {"KeySpec": "ECC_SECG_P256K1", "KeyUsage": "ENCRYPT_DECRYPT"}, "KeyUsage"),
    (CREATE_KEY, "create_key", {"KeyUsage": "SIGN_VERIFY"}, "KeyUsage"),
    (CREATE_KEY, "create_key", {"XksKeyId": "1"}, "XksKeyId"),
    (CREATE_KEY, "create_key", {"Origin": "AWS_CLOUDHSM"}, "CustomKeyStoreId"),
    (CREATE_KEY, "create_key", {"Origin": "AWS_CLOUDHSM", "CustomKeyStoreId": "a", "MultiRegion": True}, "MultiRegion"),
    (CREATE_KEY, "create_key", {"CustomKeyStoreId": "a"}, "CustomKeyStoreId"),
    (CREATE_KEY, "create_key", {"Tags": [{"TagKey": "a", "TagValue": "1"}, {"TagKey": "a", "TagValue": "2"}]}, "Tags[1].TagKey"),
    (CREATE_KEY, "create_key", {"Tags": [{"TagKey": "aws:a", "TagValue": "1"}]}, "Tags[0].TagKey"),
    ("API ScheduleKeyDeletion", "schedule_key_deletion", {"KeyId": KEY, "PendingWindowInDays": 6}, "PendingWindowInDays"),
    ("API ScheduleKeyDeletion", "schedule_key_deletion", {"KeyId": ALIAS, "PendingWindowInDays": 7}, "KeyId"),
    ("API KMS TagResource", "tag_resource", {"KeyId": "alias/orders", "Tags": [{"TagKey": "a", "TagValue": "b"}]}, "KeyId"),
    (LAMBDA, "add_permission", permission(Qualifier="$LATEST"), "Qualifier"),
    (LAMBDA, "add_permission", permission(FunctionName="relay:$LATEST"), "FunctionName"),
    (LAMBDA, "add_permission", permission(FunctionName="a" * 65), "FunctionName"),
    (LAMBDA, "add_permission", permission(Principal="sns"), "Principal"),
    (LAMBDA, "add_permission", permission(Principal="sns.aws.amazon.com"), "Principal"),
    (LAMBDA, "add_permission", permission(Action="InvokeFunction"), "Action"),
    (LAMBDA, "add_permission", permission(StatementId="a b"), "StatementId"),
    (LAMBDA, "add_permission", permission(SourceAccount="1"), "SourceAccount"),
    ("SEEN FunctionUrlAuthType is only supported for lambda:InvokeFunctionUrl", "add_permission", permission(FunctionUrlAuthType="NONE"), "FunctionUrlAuthType"),
    (PARAMETER, "put_parameter", parameter("orders url"), "Name"),
    (PARAMETER, "put_parameter", parameter("aws-orders"), "Name"),
    (PARAMETER, "put_parameter", parameter("SSM-orders"), "Name"),
    (PARAMETER, "put_parameter", parameter("/aws/orders"), "Name"),
    (PARAMETER, "put_parameter", parameter("orders/url"), "Name"),
    (PARAMETER, "put_parameter", parameter("/a" * 16), "Name"),
    (PARAMETER, "put_parameter", parameter(f"arn:aws:ssm:{PLACE}:parameter/orders"), "Name"),
    (PARAMETER, "put_parameter", parameter(Value="x" * 8193), "Value"),
    (PARAMETER, "put_parameter", parameter(Value="x" * 4097, Tier="Standard"), "Value"),
    (PARAMETER, "put_parameter", parameter(Value="{{ssm:other}}"), "Value"),
    (PARAMETER, "put_parameter", {"Name": "orders", "Value": "x"}, "Type"),
    (PARAMETER, "put_parameter", parameter(KeyId="alias/orders"), "KeyId"),
    (PARAMETER, "put_parameter", parameter(Policies="[]", Tier="Standard"), "Policies"),
    ("SEEN tags and overwrite can't be used together", "put_parameter", parameter(Overwrite=True, Tags=[{"Key": "a", "Value": "b"}]), "Tags"),
    (PARAMETER, "put_parameter", parameter(DataType="number"), "DataType"),
    ("API GetParameter: no spaces", "get_parameter", {"Name": "/orders/ url"}, "Name"),
    ("API GetParameters", "get_parameters", {"Names": ["/orders", "a b"]}, "Names[1]"),
    ("API GetParametersByPath", "get_parameters_by_path", {"Path": "orders"}, "Path"),
    ("API ParameterStringFilter", "get_parameters_by_path", {"Path": "/", "ParameterFilters": [{"Key": "Name", "Values": ["a"]}]}, "ParameterFilters[0].Key"),
    (SECRET, "create_secret", {"Name": "orders url"}, "Name"),
    (SECRET, "create_secret", {"Name": "orders:url"}, "Name"),
    (SECRET, "create_secret", {"Name": "orders", "SecretString": "a", "SecretBinary": b"a"}, "SecretString"),
    (SECRET, "create_secret", {"Name": "orders", "ClientRequestToken": "a"}, "ClientRequestToken"),
    (SECRET, "create_secret", {"Name": "orders", "Tags": [{"Key": "aws:a", "Value": ""}]}, "Tags[0].Key"),
    ("SEEN Invalid name", "get_secret_value", {"SecretId": "orders url"}, "SecretId"),
    ("API DeleteSecret", "delete_secret", {"SecretId": "orders", "RecoveryWindowInDays": 6}, "RecoveryWindowInDays"),
    ("API DeleteSecret", "delete_secret", {"SecretId": "orders", "RecoveryWindowInDays": 7, "ForceDeleteWithoutRecovery": True}, "ForceDeleteWithoutRecovery"),
    (RESOURCES, "get_resources", {"ResourceARNList": [TOPIC], "TagFilters": [{"Key": "a"}]}, "ResourceARNList"),
    (RESOURCES, "get_resources", {"ResourcesPerPage": 101}, "ResourcesPerPage"),
    (RESOURCES, "get_resources", {"TagsPerPage": 99}, "TagsPerPage"),
    (RESOURCES, "get_resources", {"ExcludeCompliantResources": True}, "ExcludeCompliantResources"),
    (RESOURCES, "get_resources", {"TagFilters": [{"Key": "a"}] * 51}, "TagFilters"),
    ("API TagResources: 20", "tag_resources", {"ResourceARNList": [TOPIC] * 21, "Tags": {"a": "b"}}, "ResourceARNList"),
    ("API TagResources", "tag_resources", {"ResourceARNList": ["orders"], "Tags": {"a": "b"}}, "ResourceARNList[0]"),
    ("API TagResources", "tag_resources", {"ResourceARNList": [TOPIC], "Tags": {"aws:a": "b"}}, "Tags.aws:a"),
    (CREATE_QUEUE, "create_queue", {"QueueName": "orders dead"}, "QueueName"),
    (CREATE_QUEUE, "create_queue", {"QueueName": "a" * 81}, "QueueName"),
    (CREATE_QUEUE, "create_queue", {"QueueName": "orders.fifo"}, "QueueName"),
    (CREATE_QUEUE, "create_queue", queue(FifoQueue="true"), "QueueName"),
    (CREATE_QUEUE, "create_queue", queue(VisibilityTimeout="43201"), "Attributes.VisibilityTimeout"),
    (CREATE_QUEUE, "create_queue", queue(MessageRetentionPeriod="59"), "Attributes.MessageRetentionPeriod"),
    (CREATE_QUEUE, "create_queue", queue(DelaySeconds="soon"), "Attributes.DelaySeconds"),
    (CREATE_QUEUE, "create_queue", queue(QueueArn=QUEUE), "Attributes.QueueArn"),
    (CREATE_QUEUE, "create_queue", queue(RedrivePolicy={"deadLetterTargetArn": "dead", "maxReceiveCount": 3}), "Attributes.RedrivePolicy"),
    (CREATE_QUEUE, "create_queue", queue(RedrivePolicy={"deadLetterTargetArn": f"{QUEUE}.fifo", "maxReceiveCount": 3}), "Attributes.RedrivePolicy"),
    (CREATE_QUEUE, "create_queue", queue(RedriveAllowPolicy={"redrivePermission": "some"}), "Attributes.RedriveAllowPolicy"),
    (CREATE_QUEUE, "create_queue", queue(KmsMasterKeyId="alias/a", SqsManagedSseEnabled="true"), "Attributes.SqsManagedSseEnabled"),
    (CREATE_QUEUE, "create_queue", queue(Policy={"Statement": [{"Effect": "Allow", "Principal": "everybody", "Action": "sqs:SendMessage", "Resource": QUEUE}]}), "Attributes.Policy"),
]  # fmt: skip

RIGHT: list[tuple[str, dict[str, Any]]] = [
    ("create_alias", {"AliasName": "alias/orders/alerts_1", "TargetKeyId": KEY}),
    ("create_key", {}),
    ("create_key", {"Description": "d", "Tags": [{"TagKey": "a", "TagValue": ""}]}),
    ("create_key", {"KeySpec": "RSA_4096", "KeyUsage": "SIGN_VERIFY", "Origin": "EXTERNAL"}),
    ("create_key", {"KeySpec": "ECC_NIST_P256", "KeyUsage": "KEY_AGREEMENT"}),
    ("create_key", {"Origin": "EXTERNAL_KEY_STORE", "CustomKeyStoreId": "cks-1", "XksKeyId": "bb8"}),
    ("schedule_key_deletion", {"KeyId": KEY, "PendingWindowInDays": 7}),
    ("describe_key", {"KeyId": "alias/aws/sns"}),
    ("add_permission", permission(SourceArn=TOPIC)),
    ("add_permission", permission(FunctionName=f"arn:aws:lambda:{PLACE}:function:{'a' * 64}:live", Principal="111122223333")),
    ("add_permission", permission(Principal="arn:aws:iam::111122223333:role/x", Qualifier="3")),
    ("add_permission", permission(Principal="*", Action="lambda:InvokeFunctionUrl", FunctionUrlAuthType="NONE")),
    ("add_permission", permission(Principal="lambda.alexa.com", EventSourceToken="amzn1.ask.skill.1")),
    ("put_parameter", parameter()),
    ("put_parameter", parameter("orders.url_1-a", Type="SecureString", KeyId="alias/orders", Overwrite=True)),
    ("put_parameter", {"Name": "/orders", "Value": '{"a": {"b": 1}}', "Overwrite": True}),
    ("put_parameter", parameter(Value="x" * 8192, Tier="Advanced")),
    ("get_parameter", {"Name": "/orders/url:3"}),
    ("get_parameter", {"Name": f"arn:aws:ssm:{PLACE}:parameter/orders/url"}),
    ("get_parameter", {"Name": "/aws/service/ami-amazon-linux-latest/x"}),
    ("get_parameters_by_path", {"Path": "/orders", "ParameterFilters": [{"Key": "Label", "Values": ["a"]}]}),
    ("create_secret", {"Name": "orders/pagerduty_url+1@x.-abcdef", "SecretString": "a"}),
    ("get_secret_value", {"SecretId": "arn:aws:secretsmanager:eu-west-1:111122223333:secret:orders/url-AbCdEf"}),
    ("get_secret_value", {"SecretId": "rds!db-1234"}),
    ("delete_secret", {"SecretId": "orders", "RecoveryWindowInDays": 30}),
    ("get_resources", {"TagFilters": [{"Key": "a", "Values": ["b"]}], "ResourcesPerPage": 100, "ResourceTypeFilters": ["sns"], "PaginationToken": ""}),
    ("get_resources", {"ResourceARNList": [TOPIC]}),
    ("tag_resources", {"ResourceARNList": [TOPIC] * 20, "Tags": {"a": "b"}}),
    ("create_queue", {"QueueName": "orders.fifo", "Attributes": {"FifoQueue": "true", "ContentBasedDeduplication": "true"}}),
    ("create_queue", queue(RedrivePolicy={"deadLetterTargetArn": QUEUE, "maxReceiveCount": "3"}, VisibilityTimeout="0", Policy={"Statement": [{"Effect": "Allow", "Principal": {"Service": "sns.amazonaws.com"}, "Action": "sqs:SendMessage", "Resource": QUEUE}]})),
    ("tag_resource", {"SecretId": "orders", "Tags": [{"Key": "a", "Value": "b"}]}),
]  # fmt: skip


@pytest.mark.parametrize(
    ("source", "operation", "params", "path"), WRONG, ids=[f"{n}-{row[1]}" for n, row in enumerate(WRONG)]
)
def test_what_other_services_refuse_is_refused_at_its_place(
    source: str, operation: str, params: dict[str, Any], path: str
):
    found = validate(operation, params)
    assert path in [problem.path for problem in found], f"{source}: {found}"
    assert all(problem.message and len(str(problem)) < 700 for problem in found)


@pytest.mark.parametrize(("operation", "params"), RIGHT, ids=[f"{n}-{row[0]}" for n, row in enumerate(RIGHT)])
def test_what_other_services_take_is_not_refused(operation: str, params: dict[str, Any]):
    assert validate(operation, params) == []


@pytest.mark.parametrize("name", sorted(CATALOGUES))
def test_nothing_that_our_own_compiler_builds_is_refused(name: str):
    state = build(name).state
    calls: list[tuple[str, dict[str, Any]]] = []
    for topic in state.topics:
        arn = topic["Policy"]["Statement"][0]["Resource"]
        calls.append(("create_topic", {key: value for key, value in topic.items() if key != "Policy"}))
        policy = json.dumps(topic["Policy"])
        calls.append(
            ("set_topic_attributes", {"TopicArn": arn, "AttributeName": "Policy", "AttributeValue": policy})
        )
    calls += [
        ("subscribe", {key: value for key, value in subscription.items() if key != "Secret"})
        for subscription in state.subscriptions
    ]
    for rule in state.rules:
        calls.append(("put_rule", {key: value for key, value in rule.items() if key != "Targets"}))
        calls.append(("put_targets", {"Rule": rule["Name"], "Targets": rule["Targets"]}))
    for group in state.log_groups:
        calls.append(
            ("create_log_group", {key: value for key, value in group.items() if key != "retentionInDays"})
        )
        calls.append(("put_retention_policy", {key: value for key, value in group.items() if key != "tags"}))
    if state.log_policy:
        document = json.dumps(state.log_policy["policyDocument"])
        calls.append(("put_resource_policy", {**state.log_policy, "policyDocument": document}))
    if state.key:
        tags = [{"TagKey": tag["Key"], "TagValue": tag["Value"]} for tag in state.key["Tags"]]
        made = {
            "Policy": json.dumps(state.key["Policy"]),
            "Description": state.key["Description"],
            "Tags": tags,
        }
        calls.append(("create_key", made))
        calls.append(("create_alias", {"AliasName": state.key["Alias"], "TargetKeyId": KEY}))
    assert {call for call, _ in calls} or not state.topics
    assert {
        str(problem): arguments for call, arguments in calls for problem in validate(call, arguments)
    } == {}


def test_nothing_is_refused_that_aws_gives_as_an_example():
    examples = 0
    for service in ("kms", "secretsmanager", "lambda", "sns", "events", "logs", "ssm", "sqs"):
        loader = botocore.session.get_session().get_component("data_loader")
        try:
            content = loader.load_service_model(service, "examples-1")
        except botocore.exceptions.DataNotFoundError:
            continue
        for name, cases in content["examples"].items():
            operation = xform_name(name)
            if operation in _rules():
                examples += len(cases)
                assert [
                    problem for case in cases for problem in validate(operation, case.get("input", {}))
                ] == []
    assert examples > 20


VALUES = [params for table in (WRONG,) for _, _, params, _ in table]
NAMES = sorted(
    {name for params in VALUES for name in params}
    | {"Attributes", "Tags", "Targets", "Entries", "tags", "Policy", "EventPattern"}
)
ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8) | st.binary(max_size=3) | st.builds(object) | st.just("arn:aws:sns:a:111122223333:b"),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5) | st.integers() | st.sampled_from(["Id", "Arn", "Key", "Value"]), inner, max_size=3),
    max_leaves=8,
)  # fmt: skip


@pytest.mark.parametrize("module", [messaging, events, logs, other])
def test_no_rule_raises_whatever_the_arguments_are(module: Any):
    known = sorted({name for rules in module.RULES.values() for rule in rules for name in _names(rule)})

    @settings(max_examples=150, deadline=None)
    @given(st.dictionaries(st.sampled_from(sorted({*NAMES, *known})), ANYTHING, max_size=6))
    def check(params: dict[str, Any]) -> None:
        for rules in module.RULES.values():
            for rule in rules:
                assert all(problem.message for problem in rule(params))

    check()


@pytest.mark.parametrize(
    ("operation", "params"),
    [
        ("create_topic", {"Name": "orders.fifo", "Attributes": object()}),
        ("create_topic", {"Name": object(), "Attributes": {"FifoTopic": "true"}}),
        ("subscribe", {"TopicArn": object(), "Protocol": "firehose", "Attributes": object()}),
        (
            "set_topic_attributes",
            {"TopicArn": object(), "AttributeName": "TracingConfig", "AttributeValue": "Active"},
        ),
        ("create_queue", {"QueueName": "orders.fifo", "Attributes": object()}),
        ("put_rule", {"Name": "orders", "EventPattern": object()}),
        ("put_targets", {"Rule": "orders", "Targets": [{"Id": "a", "Arn": object()}]}),
        ("put_resource_policy", {"policyName": "a", "policyDocument": object()}),
        ("create_key", {"KeySpec": object(), "Origin": object()}),
    ],
    ids=str,
)
def test_what_is_not_known_yet_is_taken_to_be_right(operation: str, params: dict[str, Any]):
    assert find_problems(operation, params, unknown=(object,)) == []


def _names(rule: Any) -> list[str]:
    """The names of arguments that a rule reads: the texts in its code."""
    return [text for text in rule.__code__.co_consts if isinstance(text, str) and text.isidentifier()]

"""What EventBridge refuses of the targets of a rule.

Source: API reference of PutTargets, RemoveTargets and of each structure in them; EventBridge user guide, "Event bus targets", "Input
transformation", "Using dead-letter queues". Where a target needs a role or parameters, the messages of the service say so ("RoleArn is
required for target", "Parameter(s) SqsParameters must be specified for target").
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

from orders_obs.alerts.aws_calls.documents import Arn, arn_problems, read_arn, read_json
from orders_obs.alerts.aws_calls.problems import Problem
from orders_obs.alerts.aws_calls.reading import items, listed, mapping, number, shown, text

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from orders_obs.alerts.aws_calls.problems import Rules

__all__ = ["RULES", "dead_letter_problems"]

_PER_RULE = 5
_PER_REQUEST = 10
_INPUTS = ("Input", "InputPath", "InputTransformer")
_QUEUE = re.compile(r"arn:aws[a-z-]*:sqs:[a-z0-9-]+:\d{12}:[A-Za-z0-9_-]{1,80}", re.ASCII)
_ROLE = re.compile(r"arn:aws[a-z-]*:iam::\d{12}:role/.+", re.ASCII | re.DOTALL)
_PLACEHOLDER = re.compile(r"<([A-Za-z0-9_.-]+)>")
_QUOTED_PATH = re.compile(r"\[\s*['\"]")
# A number in the place of each placeholder, which neither an object's key nor JSON elsewhere can be without being found.
_MARK = "90210771"
_RESERVED = "aws.events."
_PREDEFINED = frozenset({
    "aws.events.rule-arn", "aws.events.rule-name", "aws.events.event.ingestion-time", "aws.events.event", "aws.events.event.json",
})  # fmt: skip
# By the service in the ARN and how the resource begins: which do without a role of one's own is open for all others.
_NEED_ROLE = (
    ("kinesis", "stream/"), ("states", "stateMachine:"), ("codepipeline", ""), ("codebuild", "project/"), ("ecs", "cluster/"),
    ("batch", "job-queue/"), ("firehose", "deliverystream/"), ("events", "api-destination/"),
)  # fmt: skip
# Which services' targets have parameters of a name; the first of them needs these.
_PARAMETERS: dict[str, tuple[tuple[str, ...], bool]] = {
    "KinesisParameters": (("kinesis",), False),
    "EcsParameters": (("ecs",), True),
    "BatchParameters": (("batch",), True),
    "SqsParameters": (("sqs",), False),
    "HttpParameters": (("execute-api", "events"), False),
    "RedshiftDataParameters": (("redshift", "redshift-serverless"), False),
    "SageMakerPipelineParameters": (("sagemaker",), False),
    "AppSyncParameters": (("appsync",), False),
}
_KNOWN = frozenset({
    "appsync", "batch", "codebuild", "codepipeline", "ecs", "events", "execute-api", "firehose", "kinesis", "lambda", "logs", "redshift",
    "redshift-serverless", "sagemaker", "sns", "sqs", "states",
})  # fmt: skip
_SUBNETS, _GROUPS, _GROUP = 16, 5, 255
_ARRAY, _ATTEMPTS = (2, 10_000), (1, 10)


def _put_targets(arguments: Mapping[str, Any]) -> Iterator[Problem]:
    given = listed(arguments.get("Targets"))
    names = [text(mapping(target).get("Id")) for target in given]
    if len(given) > _PER_RULE:
        message = f"{len(given)} targets, and a rule has {_PER_RULE} at most"
        yield Problem("Targets", message, "another rule with the same pattern", "limit")
    bus = read_arn(arguments.get("EventBusName"))
    for index, (path, target) in enumerate(items(arguments, "Targets")):
        name = names[index]
        if name is not None and name in names[:index]:
            yield Problem(f"{path}.Id", f"the id {name!r} stands twice", "each id once")
        yield from _target(mapping(target), path, bus)


def _target(target: Mapping[str, Any], path: str, bus: Arn | None) -> Iterator[Problem]:
    written = text(target.get("Arn"))
    arn = read_arn(written)
    if written is not None and arn is None:
        yield Problem(
            f"{path}.Arn", f"{shown(written)} is no ARN", "arn:aws:SERVICE:REGION:ACCOUNT:RESOURCE", "arn"
        )
    given = [name for name in _INPUTS if name in target]
    if len(given) > 1:
        yield Problem(path, f"{' and '.join(given)} exclude each other", "one of them")
    yield from arn_problems(f"{path}.RoleArn", target.get("RoleArn"), _ROLE, "arn:aws:iam::ACCOUNT:role/NAME")
    yield from _input(target, path, is_log=arn is not None and arn.service == "logs")
    yield from dead_letter_problems(f"{path}.DeadLetterConfig", target.get("DeadLetterConfig"))
    if arn is not None:
        yield from _kind(target, path, arn)
        other = bus is not None and arn.account not in ("", bus.account)
        if given and other and arn.service == "events" and arn.resource.startswith("event-bus/"):
            yield Problem(
                f"{path}.{given[0]}", "a bus of another account gets the whole event", f"leave {given[0]} out"
            )
    yield from _ecs(mapping(target.get("EcsParameters")), f"{path}.EcsParameters")
    yield from _batch(mapping(target.get("BatchParameters")), f"{path}.BatchParameters")
    yield from _run_command(mapping(target.get("RunCommandParameters")), f"{path}.RunCommandParameters")
    key = text(mapping(target.get("KinesisParameters")).get("PartitionKeyPath"))
    if key is not None:
        yield from _path(f"{path}.KinesisParameters.PartitionKeyPath", key)


def _kind(target: Mapping[str, Any], path: str, arn: Arn) -> Iterator[Problem]:
    """What the service of a target needs, and what is of another one."""
    if "RoleArn" not in target:
        for service, start in _NEED_ROLE:
            if arn.service == service and arn.resource.startswith(start):
                message = f"RoleArn is missing, which a target of {service} needs"
                yield Problem(
                    f"{path}.RoleArn", message, "a role that events.amazonaws.com may assume", "missing"
                )
    for name, (services, needed) in _PARAMETERS.items():
        if name in target and arn.service in _KNOWN and arn.service not in services:
            yield Problem(
                f"{path}.{name}", f"{name} is not for a target of {arn.service}", f"for {', '.join(services)}"
            )
        elif needed and name not in target and arn.service in services:
            yield Problem(
                f"{path}.{name}", f"{name} is missing, which a target of {arn.service} needs", "", "missing"
            )
    fifo = arn.resource.endswith(".fifo")
    if fifo and arn.service == "sns":
        yield Problem(f"{path}.Arn", "EventBridge sends to no FIFO topics", "a standard topic", "fifo")
    elif fifo and arn.service == "sqs" and "SqsParameters" not in target:
        yield Problem(
            f"{path}.SqsParameters",
            "SqsParameters is missing, which a FIFO queue needs",
            "MessageGroupId",
            "missing",
        )


def _input(target: Mapping[str, Any], path: str, *, is_log: bool) -> Iterator[Problem]:
    constant, selected = text(target.get("Input")), text(target.get("InputPath"))
    if constant:
        _, fault = read_json(constant)
        if fault:
            yield Problem(
                f"{path}.Input", f"the input is no JSON: {fault}", "a text is JSON in quotation marks", "json"
            )
    if selected:
        yield from _path(f"{path}.InputPath", selected)
    transformer = mapping(target.get("InputTransformer"))
    paths = mapping(transformer.get("InputPathsMap"))
    for name, value in paths.items():
        where = f"{path}.InputTransformer.InputPathsMap.{name}"
        if str(name).lower().startswith("aws."):
            yield Problem(where, f"{name!r}: names that begin with AWS. are AWS's own", "another name")
        if isinstance(value, str):
            yield from _path(where, value)
    template = text(transformer.get("InputTemplate"))
    if template:
        yield from _template(f"{path}.InputTransformer.InputTemplate", template, paths, is_log=is_log)


def _path(where: str, written: str) -> Iterator[Problem]:
    if not written.startswith("$"):
        yield Problem(where, f"{shown(written)} is no JSON path", "such as $.detail.state", "path")
    elif _QUOTED_PATH.search(written):
        yield Problem(
            where,
            f"{shown(written)} is in bracket notation",
            "in dot notation, such as $.detail.state",
            "path",
        )


def _template(where: str, template: str, paths: Mapping[str, Any], *, is_log: bool) -> Iterator[Problem]:
    unknown = [name for name in _PLACEHOLDER.findall(template) if name not in paths]
    for name in dict.fromkeys(unknown):
        if name not in _PREDEFINED:
            hint = ", ".join(paths) if not name.startswith(_RESERVED) else ", ".join(sorted(_PREDEFINED))
            yield Problem(
                where, f"the placeholder <{name}> is not in InputPathsMap", f"known: {hint}", "placeholder"
            )
    values, fault = _values(_PLACEHOLDER.sub(_MARK, template))
    if fault:
        hint = "JSON, or a text in quotation marks, with placeholders inside"
        yield Problem(where, f"the template is no JSON: {fault}", hint, "json")
    elif any(_MARK in key for value in values for key in _keys(value)):
        yield Problem(where, "a placeholder cannot be the key of an object", "in its value", "placeholder")
    elif is_log and not any(isinstance(value, dict) for value in values):
        yield Problem(where, "a log group takes a JSON object", '{"timestamp": <time>, "message": <text>}')


def _values(text: str) -> tuple[list[Any], str]:
    """The JSON values of a text one behind the other, as a template of several lines has them; and why they are none."""
    decoder, values, index = json.JSONDecoder(strict=False), [], 0
    try:
        while index < len(text):
            if text[index].isspace():
                index += 1
                continue
            value, index = decoder.raw_decode(text, index)
            values.append(value)
    except json.JSONDecodeError as error:
        return [], f"{error.msg} at line {error.lineno} column {error.colno}"
    except (ValueError, RecursionError):
        return [], "it cannot be read"
    return values, ""


def _keys(value: Any) -> Iterator[str]:
    todo = [value]
    while todo:
        one = todo.pop()
        if isinstance(one, dict):
            yield from one
            todo += one.values()
        elif isinstance(one, list):
            todo += one


def dead_letter_problems(path: str, config: Any) -> Iterator[Problem]:
    """What is wrong with where undeliverable events go: a standard queue."""
    queue = text(mapping(config).get("Arn"))
    if queue is not None and not _QUEUE.fullmatch(queue):
        said = "is a FIFO queue" if queue.endswith(".fifo") else "is no queue"
        yield Problem(
            f"{path}.Arn",
            f"{shown(queue)} {said}",
            "arn:aws:sqs:REGION:ACCOUNT:QUEUE, of a standard queue",
            "arn",
        )


def _ecs(parameters: Mapping[str, Any], path: str) -> Iterator[Problem]:
    launch = text(parameters.get("LaunchType"))
    if launch and parameters.get("CapacityProviderStrategy"):
        yield Problem(
            f"{path}.LaunchType", "LaunchType and CapacityProviderStrategy exclude each other", "one of them"
        )
    network = mapping(mapping(parameters.get("NetworkConfiguration")).get("awsvpcConfiguration"))
    if launch == "FARGATE" and "NetworkConfiguration" not in parameters:
        yield Problem(
            f"{path}.NetworkConfiguration",
            "NetworkConfiguration is missing, which FARGATE needs",
            "",
            "missing",
        )
    inner = f"{path}.NetworkConfiguration.awsvpcConfiguration"
    if network.get("AssignPublicIp") == "ENABLED" and launch in ("EC2", "EXTERNAL"):
        yield Problem(
            f"{inner}.AssignPublicIp", f"a public address is for FARGATE, and not for {launch}", "DISABLED"
        )
    for name, most in (("Subnets", _SUBNETS), ("SecurityGroups", _GROUPS)):
        if len(listed(network.get(name))) > most:
            yield Problem(
                f"{inner}.{name}",
                f"{len(listed(network[name]))} of them, and the limit is {most}",
                "",
                "limit",
            )
    group = text(parameters.get("Group"))
    if group is not None and len(group) > _GROUP:
        yield Problem(f"{path}.Group", f"{len(group)} characters, and the limit is {_GROUP}", "", "limit")
    for where, one in items(parameters, "PlacementConstraints", path):
        if mapping(one).get("type") == "distinctInstance" and "expression" in mapping(one):
            yield Problem(f"{where}.expression", "distinctInstance has no expression", "leave it out")
    based = [
        where
        for where, one in items(parameters, "CapacityProviderStrategy", path)
        if mapping(one).get("base")
    ]
    if len(based) > 1:
        yield Problem(f"{based[1]}.base", "one capacity provider has a base only")


def _batch(parameters: Mapping[str, Any], path: str) -> Iterator[Problem]:
    for outer, name, (low, high) in (
        ("ArrayProperties", "Size", _ARRAY),
        ("RetryStrategy", "Attempts", _ATTEMPTS),
    ):
        found = number(mapping(parameters.get(outer)).get(name))
        if found is not None and not low <= found <= high:
            yield Problem(f"{path}.{outer}.{name}", f"{found:g} is not from {low} to {high}", "", "range")


def _run_command(parameters: Mapping[str, Any], path: str) -> Iterator[Problem]:
    given = listed(parameters.get("RunCommandTargets"))
    if len(given) > 1:
        yield Problem(f"{path}.RunCommandTargets", f"{len(given)} blocks, and one is taken", "", "limit")
    for where, one in items(parameters, "RunCommandTargets", path):
        key = text(mapping(one).get("Key"))
        if key is not None and key != "InstanceIds" and not key.startswith("tag:"):
            yield Problem(f"{where}.Key", f"{shown(key)} is neither InstanceIds nor tag:NAME")


def _remove_targets(arguments: Mapping[str, Any]) -> Iterator[Problem]:
    given = listed(arguments.get("Ids"))
    if len(given) > _PER_REQUEST:
        yield Problem(
            "Ids", f"{len(given)} targets, and {_PER_REQUEST} go away at once", "several calls", "limit"
        )


RULES: Rules = {"put_targets": (_put_targets,), "remove_targets": (_remove_targets,)}

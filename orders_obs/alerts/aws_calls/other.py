"""What KMS, SQS, Lambda, Systems Manager, Secrets Manager and the tagging API refuse.

Source: API reference of each operation; Systems Manager user guide, "Parameter names" and "Parameter tiers".
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from orders_obs.alerts.aws_calls import keys, queues
from orders_obs.alerts.aws_calls.documents import read_arn, utf8_size
from orders_obs.alerts.aws_calls.policies import Kind, policy_problems
from orders_obs.alerts.aws_calls.policy_principals import service_fault
from orders_obs.alerts.aws_calls.problems import Problem
from orders_obs.alerts.aws_calls.reading import items, listed, mapping, number, shown, text, texts
from orders_obs.alerts.aws_calls.tagging import key_problems, map_problems
from orders_obs.alerts.aws_calls.tags import tag_problems

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from orders_obs.alerts.aws_calls.problems import Rules

__all__ = ["RULES"]

_FUNCTION_NAME = 64
_LATEST = "$LATEST"
_ACCOUNT = re.compile(r"\d{12}", re.ASCII)
_PARAMETER = re.compile(r"[A-Za-z0-9_./-]+")
_READ_PARAMETER = re.compile(r"[A-Za-z0-9_.:/-]+")
_LEVELS = 15
_PARAMETER_NAME = 1011
_STANDARD, _ADVANCED = 4096, 8192
_NO_PATH_FILTERS = ("DataType", "Name", "Path", "Tier")
_DATA_TYPES = ("text", "aws:ec2:image", "aws:ssm:integration")
_SECRET = re.compile(r"[A-Za-z0-9/_+=.@!-]+")
_RECOVERY = (7, 30)
_SECRET_POLICY = Kind("secretsmanager", complete=False)
_REPLICA_ONLY = ("SecretString", "SecretBinary", "Description", "AddReplicaRegions", "Type")
_PAGE = (1, 100)
_TAGS_PAGE = (100, 500)
_TYPES = 100
_NOT_WITH_ARNS = ("TagFilters", "ResourceTypeFilters", "ResourcesPerPage", "TagsPerPage", "PaginationToken")


def _add_permission(arguments: Mapping[str, Any]) -> Iterator[Problem]:
    if "FunctionName" not in arguments:
        return  # of SNS or SQS
    yield from _function(arguments)
    principal = text(arguments.get("Principal"))
    if (
        principal is not None
        and principal != "*"
        and not _ACCOUNT.fullmatch(principal)
        and not read_arn(principal)
    ):
        fault = service_fault(principal)
        if fault and not principal.startswith("o-"):
            yield Problem(
                "Principal", fault, "a service, an account of twelve digits, an ARN or *", "principal"
            )
    if "FunctionUrlAuthType" in arguments and arguments.get("Action") not in (
        "lambda:InvokeFunctionUrl",
        None,
    ):
        yield Problem("FunctionUrlAuthType", "FunctionUrlAuthType is for lambda:InvokeFunctionUrl only")


def _function(arguments: Mapping[str, Any]) -> Iterator[Problem]:
    name = text(arguments.get("FunctionName"))
    if name is None:
        return
    if name.endswith(f":{_LATEST}") or arguments.get("Qualifier") == _LATEST:
        where = "FunctionName" if name.endswith(f":{_LATEST}") else "Qualifier"
        yield Problem(where, f"the version {_LATEST} has no policy", "leave it out, or a version or alias")
    bare = name.partition(":")[0]
    if name.count(":") <= 1 and len(bare) > _FUNCTION_NAME:
        yield Problem(
            "FunctionName", f"{len(bare)} characters, and the limit is {_FUNCTION_NAME}", "", "limit"
        )


def _put_parameter(arguments: Mapping[str, Any]) -> Iterator[Problem]:
    name, kind = text(arguments.get("Name")), text(arguments.get("Type"))
    if name is not None:
        yield from _parameter_name(name)
    value = text(arguments.get("Value"))
    if value is not None:
        yield from _parameter_value(value, text(arguments.get("Tier")))
    if "Type" not in arguments and arguments.get("Overwrite", False) is False:
        yield Problem(
            "Type",
            "Type is missing, which a new parameter needs",
            "String, StringList, SecureString",
            "missing",
        )
    if "KeyId" in arguments and kind is not None and kind != "SecureString":
        yield Problem("KeyId", f"a parameter of the type {kind} is not encrypted", "SecureString")
    if arguments.get("Policies") and arguments.get("Tier") == "Standard":
        yield Problem("Policies", "a standard parameter has no policies", "Tier Advanced")
    if arguments.get("Overwrite") is True and listed(arguments.get("Tags")):
        yield Problem("Tags", "tags and Overwrite exclude each other", "add_tags_to_resource")
    data = text(arguments.get("DataType"))
    if data and data not in _DATA_TYPES:
        yield Problem("DataType", f"{data!r} is none of {', '.join(_DATA_TYPES)}", "", "enum")
    elif data == "aws:ec2:image" and kind is not None and kind != "String":
        yield Problem("DataType", f"an image is a String, and not a {kind}")
    yield from tag_problems(arguments)


def _parameter_name(name: str) -> Iterator[Problem]:
    if name.startswith("arn:"):
        yield Problem("Name", "an ARN is no name", "the name alone")
    elif not _PARAMETER.fullmatch(name):
        yield Problem(
            "Name", f"{shown(name)} is no name of a parameter", "letters of ASCII, digits and _ . - /"
        )
    else:
        if name.lstrip("/").lower().startswith(("aws", "ssm")):
            yield Problem(
                "Name", f"{shown(name)}: names that begin with aws or ssm are AWS's own", "another name"
            )
        if "/" in name and not name.startswith("/"):
            yield Problem(
                "Name", f"{shown(name)} is in a hierarchy, and does not begin with /", f"/{name}"[:80]
            )
        if len([level for level in name.split("/") if level]) > _LEVELS:
            yield Problem("Name", f"the name has more than {_LEVELS} levels", "", "limit")
        if len(name) > _PARAMETER_NAME:
            yield Problem("Name", f"{len(name)} characters, and the limit is {_PARAMETER_NAME}", "", "limit")


def _parameter_value(value: str, tier: str | None) -> Iterator[Problem]:
    if not value:
        yield Problem("Value", "the value is empty")
    most = _STANDARD if tier == "Standard" else _ADVANCED
    if utf8_size(value) > most:
        yield Problem("Value", f"{utf8_size(value)} bytes, and the limit is {most}", "", "limit")
    if re.search(r"\{\{[^{}]*\}\}", value):
        yield Problem("Value", "a value holds no other parameter in double braces", "the value itself")


def _parameter(path: str, name: str) -> Iterator[Problem]:
    if not _READ_PARAMETER.fullmatch(name):
        yield Problem(
            path, f"{shown(name)} is no name of a parameter", "letters of ASCII, digits and _ . - /"
        )


def _get_parameter(arguments: Mapping[str, Any]) -> Iterator[Problem]:
    name = text(arguments.get("Name"))
    if name is not None:
        yield from _parameter("Name", name)


def _get_parameters(arguments: Mapping[str, Any]) -> Iterator[Problem]:
    for path, name in texts(arguments, "Names"):
        yield from _parameter(path, name)


def _get_parameters_by_path(arguments: Mapping[str, Any]) -> Iterator[Problem]:
    path = text(arguments.get("Path"))
    if path is not None:
        if not path.startswith("/"):
            yield Problem("Path", f"{shown(path)} does not begin with /", f"/{path}"[:80])
        yield from _parameter("Path", path)
    for where, one in items(arguments, "ParameterFilters"):
        key = text(mapping(one).get("Key"))
        if key is not None and (key in _NO_PATH_FILTERS or key.startswith("tag:")):
            yield Problem(
                f"{where}.Key",
                f"parameters of a path are not found by {key!r}",
                "Type, KeyId or Label",
                "enum",
            )


def _create_secret(arguments: Mapping[str, Any]) -> Iterator[Problem]:
    name = text(arguments.get("Name"))
    if name is not None and not _SECRET.fullmatch(name):
        yield Problem(
            "Name", f"{shown(name)} is no name of a secret", "letters of ASCII, digits and / _ + = . @ -"
        )
    yield from _one_value(arguments)
    if "CrossAccountPrimaryARN" in arguments:
        for other in _REPLICA_ONLY:
            if other in arguments:
                yield Problem(other, f"a replica has the primary's {other}", "leave it out")
        if "KmsKeyId" not in arguments:
            yield Problem(
                "KmsKeyId", "KmsKeyId is missing, which a replica of another account needs", "", "missing"
            )
    yield from tag_problems(arguments)


def _one_value(arguments: Mapping[str, Any]) -> Iterator[Problem]:
    if "SecretString" in arguments and "SecretBinary" in arguments:
        yield Problem("SecretString", "SecretString and SecretBinary exclude each other", "one of them")


def _secret(arguments: Mapping[str, Any]) -> Iterator[Problem]:
    name = text(arguments.get("SecretId"))
    if name is not None and not read_arn(name) and not _SECRET.fullmatch(name):
        yield Problem(
            "SecretId",
            f"{shown(name)} is neither a name nor an ARN of a secret",
            "letters, digits and / _ + = . @ ! -",
        )


def _delete_secret(arguments: Mapping[str, Any]) -> Iterator[Problem]:
    days = number(arguments.get("RecoveryWindowInDays"))
    low, high = _RECOVERY
    if days is not None and not low <= days <= high:
        yield Problem("RecoveryWindowInDays", f"{days:g} is not from {low} to {high}", "", "range")
    if days is not None and arguments.get("ForceDeleteWithoutRecovery") is True:
        yield Problem(
            "ForceDeleteWithoutRecovery", "RecoveryWindowInDays and this exclude each other", "one of them"
        )


def _secret_policy(arguments: Mapping[str, Any]) -> Iterator[Problem]:
    if "SecretId" in arguments:
        yield from policy_problems("ResourcePolicy", arguments.get("ResourcePolicy"), _SECRET_POLICY)


def _tag_secret(arguments: Mapping[str, Any]) -> Iterator[Problem]:
    if "SecretId" in arguments:
        yield from _secret(arguments)
        yield from tag_problems(arguments)
        yield from key_problems(arguments)


def _get_resources(arguments: Mapping[str, Any]) -> Iterator[Problem]:
    others = [name for name in _NOT_WITH_ARNS if name in arguments and arguments[name] not in ("", [], ())]
    if "ResourceARNList" in arguments and others:
        yield Problem(
            "ResourceARNList", f"ResourceARNList and {', '.join(others)} exclude each other", "one of them"
        )
    for name, (low, high) in (("ResourcesPerPage", _PAGE), ("TagsPerPage", _TAGS_PAGE)):
        found = number(arguments.get(name))
        if found is not None and not low <= found <= high:
            yield Problem(name, f"{found:g} is not from {low} to {high}", "", "range")
    if len(listed(arguments.get("ResourceTypeFilters"))) > _TYPES:
        count = len(listed(arguments["ResourceTypeFilters"]))
        yield Problem("ResourceTypeFilters", f"{count} types, and the limit is {_TYPES}", "", "limit")
    if (
        arguments.get("ExcludeCompliantResources") is True
        and arguments.get("IncludeComplianceDetails", False) is False
    ):
        yield Problem("ExcludeCompliantResources", "it goes with IncludeComplianceDetails only", "both True")
    yield from _arns(arguments)


def _arns(arguments: Mapping[str, Any]) -> Iterator[Problem]:
    for path, arn in texts(arguments, "ResourceARNList"):
        if not arn.startswith("arn:"):
            yield Problem(path, f"{shown(arn)} is no ARN", "arn:aws:SERVICE:REGION:ACCOUNT:RESOURCE", "arn")


def _tag_resources(arguments: Mapping[str, Any]) -> Iterator[Problem]:
    yield from _arns(arguments)
    yield from map_problems(arguments, "Tags")


def _untag_resources(arguments: Mapping[str, Any]) -> Iterator[Problem]:
    yield from _arns(arguments)
    yield from key_problems(arguments)


def _joined(*given: Rules) -> Rules:
    joined: Rules = {}
    for rules in given:
        for name, some in rules.items():
            joined[name] = (*joined.get(name, ()), *some)
    return joined


RULES: Rules = _joined(
    keys.RULES,
    queues.RULES,
    {
        "add_permission": (_add_permission,),
        "put_parameter": (_put_parameter,),
        "get_parameter": (_get_parameter,),
        "delete_parameter": (_get_parameter,),
        "get_parameters": (_get_parameters,),
        "delete_parameters": (_get_parameters,),
        "get_parameters_by_path": (_get_parameters_by_path,),
        "create_secret": (_create_secret,),
        "put_secret_value": (_secret, _one_value),
        "update_secret": (_secret, _one_value),
        "get_secret_value": (_secret,),
        "describe_secret": (_secret,),
        "delete_secret": (_secret, _delete_secret),
        "put_resource_policy": (_secret_policy,),
        "tag_resource": (_tag_secret,),
        "untag_resource": (_tag_secret,),
        "get_resources": (_get_resources,),
        "tag_resources": (_tag_resources,),
        "untag_resources": (_untag_resources,),
    },
)

"""Policies of resources: the grammar of IAM's language, and what SNS, Logs, KMS and SQS add to it.

Source: IAM user guide, "Grammar of the IAM JSON policy language" and the pages on each element; SNS developer guide, "Amazon SNS API
permissions"; KMS developer guide, "Default key policy"; API reference of PutKeyPolicy, PutResourcePolicy. Names of elements are compared
without case, for AWS says nothing of it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any

from orders_obs.alerts.aws_calls.documents import read_json, utf8_size
from orders_obs.alerts.aws_calls.policy_conditions import condition_faults
from orders_obs.alerts.aws_calls.policy_principals import principal_faults
from orders_obs.alerts.aws_calls.problems import Problem
from orders_obs.alerts.aws_calls.reading import shown

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["KEY", "LOGS", "QUEUE", "Kind", "policy_problems", "statements_of", "topic_kind"]

_VERSIONS = ("2012-10-17", "2008-10-17")
_TOP = ("version", "id", "statement")
_STATEMENT = (
    "sid", "effect", "principal", "notprincipal", "action", "notaction", "resource", "notresource", "condition",
)  # fmt: skip
_ACTION = re.compile(r"\*|[A-Za-z0-9-]+:[A-Za-z0-9*?]+")
# What a statement in a topic's policy can be about, and what AWS does not say of (SNS developer guide, valid policy actions).
_TOPIC_ACTIONS = (
    "addpermission", "deletetopic", "getdataprotectionpolicy", "gettopicattributes", "listsubscriptionsbytopic", "listtagsforresource",
    "publish", "putdataprotectionpolicy", "removepermission", "settopicattributes", "subscribe",
    "confirmsubscription", "publishbatch", "receive", "tagresource", "untagresource",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Kind:
    """What a service wants of its policies.

    Attributes:
        service: The prefix of actions; others are refused where `actions` or `strict` says so.
        largest: Bytes.
        complete: Whether a statement needs an action and a resource.
        statements: The largest number.
        actions: Those that a policy can be about; empty where AWS does not say.
        resource: ARN of what has the policy; empty where it is not known.
        name: Its name, where the ARN is not known yet.
        identities: Whether users and roles can be principals by their ARNs.
    """

    service: str
    largest: int = 0
    complete: bool = True
    statements: int = 0
    actions: tuple[str, ...] = ()
    resource: str = ""
    name: str = ""
    identities: bool = True


KEY = Kind("kms", largest=32 * 1024, complete=False)
"""KMS quotas: 32 KB. A statement without action or resource has no effect, and is taken (PutKeyPolicy)."""

LOGS = Kind("logs", identities=False)
"""The size is in botocore's model. Accounts are taken as principals, and no ARNs, as people reported."""

QUEUE = Kind("sqs", complete=False)


def topic_kind(arn: str = "", name: str = "") -> Kind:
    """Of a topic: 30 KB, 100 statements, some actions, its own ARN as the resource (SNS developer guide, policy quotas)."""
    return Kind("sns", 30 * 1024, statements=100, actions=_TOPIC_ACTIONS, resource=arn, name=name)


def policy_problems(path: str, written: Any, kind: Kind) -> Iterator[Problem]:
    """What is wrong with a policy.

    Args:
        path: Of the argument.
        written: JSON text; anything else is left to the model.
        kind: Whose policy it is.
    """
    if not isinstance(written, str):
        return
    if kind.largest and utf8_size(written) > kind.largest:
        message = f"the policy has {utf8_size(written)} bytes, and the limit is {kind.largest}"
        yield Problem(path, message, "", "limit")
    content, fault = read_json(written)
    if fault:
        yield Problem(path, f"the policy is no JSON: {fault}", "", "json")
        return
    if not isinstance(content, dict):
        yield Problem(path, "the policy is no JSON object", "Version and Statement")
        return
    for place, message in _policy(content, kind):
        yield Problem(
            path, f"{place}: {message}" if place else message, "IAM user guide, policy grammar", "policy"
        )


def statements_of(content: Any) -> list[Mapping[str, Any]]:
    """The statements of a policy, with the names of their elements in lower case."""
    if not isinstance(content, Mapping):
        return []
    found = _lower(content).get("statement")
    given = found if isinstance(found, list) else [found]
    return [_lower(statement) for statement in given if isinstance(statement, Mapping)]


def _lower(element: Mapping[str, Any]) -> dict[str, Any]:
    return {name.lower(): value for name, value in element.items()}


def _policy(content: Mapping[str, Any], kind: Kind) -> Iterator[tuple[str, str]]:
    for name in content:
        if name.lower() not in _TOP:
            yield "", f"a policy has no element {name!r}: Version, Id, Statement"
    policy = _lower(content)
    if "version" in policy and policy["version"] not in _VERSIONS:
        yield "", f"the version {shown(policy['version'])} is none: {' or '.join(_VERSIONS)}"
    if not isinstance(policy.get("id", ""), str):
        yield "", "Id is no text"
    found = policy.get("statement")
    if not isinstance(found, dict | list) or not found:
        yield "", "the policy has no statement"
        return
    given = found if isinstance(found, list) else [found]
    if kind.statements and len(given) > kind.statements:
        yield "", f"{len(given)} statements, and the limit is {kind.statements}"
    names = [
        str(statement["Sid"]) for statement in given if isinstance(statement, dict) and statement.get("Sid")
    ]
    for name in sorted({name for name in names if names.count(name) > 1}):
        yield "", f"two statements have the Sid {name!r}"
    for index, statement in enumerate(given):
        place = f"Statement[{index}]" if isinstance(found, list) else "Statement"
        if not isinstance(statement, dict):
            yield place, f"{shown(statement)} is no statement"
        else:
            yield from ((place, fault) for fault in _statement(statement, kind))


def _statement(written: Mapping[str, Any], kind: Kind) -> Iterator[str]:
    for name in written:
        if name.lower() not in _STATEMENT:
            yield f"a statement has no element {name!r}"
    statement = _lower(written)
    if not isinstance(statement.get("sid", ""), str):
        yield "Sid is no text"
    if "effect" not in statement:
        yield "Effect is missing: Allow or Deny"
    elif statement["effect"] not in ("Allow", "Deny"):
        yield f"Effect is Allow or Deny, and not {shown(statement['effect'])}"
    for one in ("Principal", "Action", "Resource"):
        if one.lower() in statement and f"not{one.lower()}" in statement:
            yield f"{one} and Not{one} stand in one statement"
    if "principal" not in statement and "notprincipal" not in statement:
        yield "Principal is missing, which the policy of a resource needs"
    for name in ("principal", "notprincipal"):
        if name in statement:
            yield from principal_faults(statement[name], identities=kind.identities)
    yield from _actions(statement, kind)
    yield from _resources(statement, kind)
    if "condition" in statement:
        yield from condition_faults(statement["condition"])


def _actions(statement: Mapping[str, Any], kind: Kind) -> Iterator[str]:
    if kind.complete and "action" not in statement and "notaction" not in statement:
        yield "Action is missing"
    for name in ("action", "notaction"):
        if name not in statement:
            continue
        for action in _texts(statement[name]):
            if action is None:
                yield f"{name}: {shown(statement[name])} is no action, nor a list of them"
            elif not _ACTION.fullmatch(action):
                yield f"{action!r} is no action, such as {kind.service}:Publish"
            elif name == "action" and action != "*":
                yield from _action(action, kind)


def _action(action: str, kind: Kind) -> Iterator[str]:
    service, _, operation = action.lower().partition(":")
    if service != kind.service:
        if kind.service in ("sns", "logs"):
            yield f"{action!r} is no action of {kind.service}"
    elif kind.actions and not any(fnmatchcase(known, operation) for known in kind.actions):
        yield f"{action!r} is no action on a topic"


def _resources(statement: Mapping[str, Any], kind: Kind) -> Iterator[str]:
    if kind.complete and "resource" not in statement and "notresource" not in statement:
        yield "Resource is missing"
    for name in ("resource", "notresource"):
        if name not in statement:
            continue
        for resource in _texts(statement[name]):
            if resource is None:
                yield f"{name}: {shown(statement[name])} is no ARN, nor a list of them"
            elif not resource.startswith("arn:") and not re.search(r"[*?]|\$\{", resource):
                yield f"{resource!r} is no ARN, and not *"
            elif name == "resource" and not _own(resource, kind):
                yield f"the resource {resource!r} is not the topic that has the policy"


def _own(resource: str, kind: Kind) -> bool:
    """Whether a resource can be the one that has the policy."""
    if kind.service != "sns" or "${" in resource:
        return True
    pattern = resource.replace("[", "[[]")
    if kind.resource:
        return fnmatchcase(kind.resource, pattern)
    return not kind.name or "*" in resource or "?" in resource or resource.rpartition(":")[2] == kind.name


def _texts(value: Any) -> list[str | None]:
    """The texts of a text or a list of them; None for each that is none."""
    given = value if isinstance(value, list) and value else [value]
    return [one if isinstance(one, str) else None for one in given]

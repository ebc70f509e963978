"""Whether a policy of a resource lets an AWS service in: yes, no, or what only AWS can tell.

After the evaluation logic and the condition operators of the IAM user guide. What is not known of a request (a condition key that only
AWS fills in) makes the answer unknown, never wrong.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

__all__ = ["Request", "Verdict", "allows", "document", "same_for_all"]

Answer = Literal["yes", "no", "unknown"]


@dataclass(frozen=True, slots=True)
class Request:
    """What a service asks of a resource.

    Attributes:
        service: Its principal, such as `cloudwatch.amazonaws.com`.
        action: Such as `sns:Publish`.
        resource: ARN of the resource; empty in a key's policy, where the resource is the key itself.
        context: Condition keys that the request has, in lower case. A key with the value None is one that it surely lacks; one that is
            not here at all is unknown.
    """

    service: str
    action: str
    resource: str
    context: Mapping[str, str | None]


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether a request is allowed, and why it is not."""

    answer: Answer
    why: str = ""


def document(text: Any) -> Any:
    """A policy as data; None where there is none or it cannot be read."""
    if isinstance(text, str):
        try:
            return json.loads(text)
        except ValueError:
            return None
    return text if isinstance(text, dict) else None


def same_for_all(policy: Any) -> bool:
    """Whether a policy gives every alarm or rule the same answer."""
    return "sourcearn" not in json.dumps(policy).lower()


def allows(policy: Any, request: Request) -> Verdict:
    """Whether a policy allows a request."""
    if not isinstance(policy, dict):
        return Verdict("unknown", "its policy cannot be read")
    unsure = ""
    allowed = False
    refusals: list[str] = []
    for statement in _statements(policy):
        matched, why = _matches(statement, request)
        if statement.get("Effect") == "Deny":
            if matched is True:
                return Verdict("no", f"{_named(statement)} denies it")
            if matched is None:
                unsure = unsure or f"{_named(statement)} may deny it"
        elif matched is True:
            allowed = True
        elif matched is None:
            unsure = unsure or f"{_named(statement)} may allow it"
        elif why:
            refusals.append(f"{_named(statement)} {why}")
    if unsure:
        return Verdict("unknown", unsure)
    if allowed:
        return Verdict("yes")
    return Verdict("no", "; ".join(dict.fromkeys(refusals)) or f"no statement lets {request.service} in")


def _statements(policy: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    return [statement for statement in _listed(policy.get("Statement")) if isinstance(statement, dict)]


def _named(statement: Mapping[str, Any]) -> str:
    sid = statement.get("Sid")
    return f"statement {sid}" if isinstance(sid, str) and sid else "a statement"


def _listed(value: Any) -> list[Any]:
    if value is None:
        return []
    return value if isinstance(value, list) else [value]


def _matches(statement: Mapping[str, Any], request: Request) -> tuple[bool | None, str]:
    """Whether a statement is about a request, and if it is not for the conditions alone, which of them."""
    about = (_principal(statement, request.service), _action(statement, request.action),
             _resource(statement, request.resource))  # fmt: skip
    if False in about:
        return False, ""
    unmet = []
    unsure = None in about
    conditions = statement.get("Condition") or {}
    if not isinstance(conditions, dict):
        return None, ""
    for operator, wanted in conditions.items():
        for key, values in wanted.items() if isinstance(wanted, dict) else ():
            held = _holds(operator, str(key).lower(), [str(value) for value in _listed(values)], request)
            if held is False:
                unmet.append(f"{key} {' or '.join(map(str, _listed(values)))}")
            unsure = unsure or held is None
    if unmet:
        return False, f"lets it in only for {' and '.join(unmet)}"
    return (None if unsure else True), ""


def _principal(statement: Mapping[str, Any], service: str) -> bool | None:
    if "NotPrincipal" in statement:
        return None
    principal = statement.get("Principal")
    if principal == "*":
        return True
    if not isinstance(principal, dict):
        return False
    # A service is no account, so only everybody among the accounts lets one in.
    return "*" in _listed(principal.get("AWS")) or any(
        name in (service, "*") for name in _listed(principal.get("Service"))
    )


def _action(statement: Mapping[str, Any], action: str) -> bool:
    if "NotAction" in statement:
        return not _any_like(_listed(statement["NotAction"]), action, fold=True)
    return _any_like(_listed(statement.get("Action")), action, fold=True)


def _resource(statement: Mapping[str, Any], resource: str) -> bool | None:
    if not resource:
        return True
    patterns = _listed(statement.get("NotResource", statement.get("Resource")))
    if any("${" in str(pattern) for pattern in patterns):
        return None
    return _any_like(patterns, resource) is ("NotResource" not in statement)


def _any_like(patterns: Iterable[Any], text: str, *, fold: bool = False) -> bool:
    return any(_like(str(pattern), text, fold=fold) for pattern in patterns)


def _like(pattern: str, text: str, *, fold: bool = False) -> bool:
    return _glob(pattern.lower() if fold else pattern).fullmatch(text.lower() if fold else text) is not None


@lru_cache(maxsize=1024)
def _glob(pattern: str) -> re.Pattern[str]:
    # Neighbouring stars are one, so that matching stays linear in their number.
    squeezed = re.sub(r"\*+", "*", pattern)
    return re.compile(
        "".join({"*": ".*", "?": "."}.get(sign, re.escape(sign)) for sign in squeezed), re.DOTALL
    )


_SET = re.compile(r"(ForAnyValue|ForAllValues):(.+)\Z", re.IGNORECASE)


def _holds(operator: str, key: str, values: Sequence[str], request: Request) -> bool | None:
    """Whether a condition holds; None where only AWS knows."""
    quantified = _SET.match(operator)
    every = bool(quantified and quantified[1].lower() == "forallvalues")
    name = (quantified[2] if quantified else operator).lower()
    optional = name.endswith("ifexists")
    name = name.removesuffix("ifexists")
    if key not in request.context:
        return None
    has = request.context[key]
    if name == "null":
        return any((value.lower() == "true") is (has is None) for value in values)
    if has is None:
        # A negated operator is true of a key that is not there, as is one over all of its values.
        return optional or every or "not" in name
    if any("${" in value for value in values):
        return None
    test = _TESTS.get(name)
    return test(values, has) if test is not None else None


def _equals(values: Iterable[str], has: str) -> bool:
    return has in values


def _alike(values: Iterable[str], has: str) -> bool:
    return _any_like(values, has)


def _caseless(values: Iterable[str], has: str) -> bool:
    return has.lower() in {value.lower() for value in values}


_TESTS = {
    "stringequals": _equals,
    "stringnotequals": lambda values, has: not _equals(values, has),
    "stringequalsignorecase": _caseless,
    "stringnotequalsignorecase": lambda values, has: not _caseless(values, has),
    "stringlike": _alike,
    "stringnotlike": lambda values, has: not _alike(values, has),
    "arnequals": _alike,
    "arnlike": _alike,
    "arnnotequals": lambda values, has: not _alike(values, has),
    "arnnotlike": lambda values, has: not _alike(values, has),
    "bool": _caseless,
}

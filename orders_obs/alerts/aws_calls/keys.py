"""What KMS refuses of keys, their policies and aliases.

Source: API reference of each operation; KMS developer guide, "Default key policy" (the lockout safety check).
"""

from __future__ import annotations

import re
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any

from orders_obs.alerts.aws_calls.documents import read_json
from orders_obs.alerts.aws_calls.policies import KEY, policy_problems, statements_of
from orders_obs.alerts.aws_calls.problems import Problem
from orders_obs.alerts.aws_calls.reading import number, shown, text
from orders_obs.alerts.aws_calls.tagging import key_problems, named_problems

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from orders_obs.alerts.aws_calls.problems import Rules

__all__ = ["RULES"]

_ALIAS = re.compile(r"alias/[A-Za-z0-9/_:-]+")
_OWN_STORES = ("AWS_CLOUDHSM", "EXTERNAL_KEY_STORE")
_WINDOW = (7, 30)
_SYMMETRIC = "SYMMETRIC_DEFAULT"
_NIST = ("SIGN_VERIFY", "KEY_AGREEMENT")
_SIGNING = ("SIGN_VERIFY",)
# By how the name of a spec begins, the longest first.
_USAGES: tuple[tuple[str, tuple[str, ...]], ...] = (
    (_SYMMETRIC, ("ENCRYPT_DECRYPT",)),
    ("HMAC_", ("GENERATE_VERIFY_MAC",)),
    ("RSA_", ("ENCRYPT_DECRYPT", "SIGN_VERIFY")),
    ("ECC_SECG_", _SIGNING),
    ("ECC_NIST_EDWARDS", _SIGNING),
    ("ECC_NIST_", _NIST),
    ("ML_DSA_", _SIGNING),
    ("ML_KEM_", ("ENCAPSULATE_DECAPSULATE",)),
    ("SM2", ("ENCRYPT_DECRYPT", *_NIST)),
)


def _create_key(arguments: Mapping[str, Any]) -> Iterator[Problem]:
    yield from _policy(arguments)
    yield from named_problems(arguments, "TagKey", "TagValue")
    spec = text(arguments.get("KeySpec", arguments.get("CustomerMasterKeySpec", _SYMMETRIC)))
    yield from _usage(arguments, spec)
    origin = text(arguments.get("Origin", "AWS_KMS"))
    if origin is None:
        return
    if ("XksKeyId" in arguments) != (origin == "EXTERNAL_KEY_STORE"):
        said = "is missing, which the origin EXTERNAL_KEY_STORE needs"
        if "XksKeyId" in arguments:
            said = f"is for the origin EXTERNAL_KEY_STORE only, and not for {origin}"
        yield Problem("XksKeyId", f"XksKeyId {said}", "", "origin")
    if origin in _OWN_STORES:
        if "CustomKeyStoreId" not in arguments:
            message = f"CustomKeyStoreId is missing, which the origin {origin} needs"
            yield Problem("CustomKeyStoreId", message, "", "missing")
        if spec is not None and spec != _SYMMETRIC:
            yield Problem("KeySpec", f"a key store of one's own has no keys of {spec}", _SYMMETRIC)
        if arguments.get("MultiRegion") is True:
            yield Problem("MultiRegion", "a key store of one's own has no keys for several regions", "False")
    elif "CustomKeyStoreId" in arguments:
        yield Problem(
            "CustomKeyStoreId", f"a key of the origin {origin} is in no key store of one's own", "Origin"
        )


def _usage(arguments: Mapping[str, Any], spec: str | None) -> Iterator[Problem]:
    allowed = next((usages for start, usages in _USAGES if spec is not None and spec.startswith(start)), None)
    if allowed is None:
        return
    if "KeyUsage" not in arguments:
        if spec != _SYMMETRIC:
            yield Problem(
                "KeyUsage",
                f"KeyUsage is missing, which a key of {spec} needs",
                " or ".join(allowed),
                "missing",
            )
        return
    usage = text(arguments["KeyUsage"])
    if usage is not None and usage not in allowed:
        yield Problem("KeyUsage", f"a key of {spec} is not for {usage}", " or ".join(allowed))


def _put_key_policy(arguments: Mapping[str, Any]) -> Iterator[Problem]:
    yield from _key(arguments)
    name = text(arguments.get("PolicyName"))
    if name is not None and name != "default":
        yield Problem("PolicyName", f"the policy {name!r} cannot be set", "default", "enum")
    yield from _policy(arguments)


def _policy(arguments: Mapping[str, Any]) -> Iterator[Problem]:
    written = arguments.get("Policy")
    yield from policy_problems("Policy", written, KEY)
    if not isinstance(written, str) or arguments.get("BypassPolicyLockoutSafetyCheck", False) is not False:
        return
    content, fault = read_json(written)
    if (
        not fault
        and isinstance(content, dict)
        and not any(_administers(one) for one in statements_of(content))
    ):
        message = "nobody may change the policy with it, which locks the key"
        yield Problem("Policy", message, "kms:PutKeyPolicy or kms:* for arn:aws:iam::ACCOUNT:root", "lockout")


def _administers(statement: Mapping[str, Any]) -> bool:
    """Whether a statement may let somebody other than a service set the policy."""
    if statement.get("effect") != "Allow":
        return False
    principal = statement.get("principal", "*")
    if isinstance(principal, dict) and not {str(kind).lower() for kind in principal} - {"service"}:
        return False
    if "resource" not in statement and "notresource" not in statement:
        return False
    if "notaction" in statement:
        return True
    given = statement.get("action")
    actions = given if isinstance(given, list) else [given]
    return any(isinstance(one, str) and fnmatchcase("kms:putkeypolicy", one.lower()) for one in actions)


def _key(arguments: Mapping[str, Any], name: str = "KeyId") -> Iterator[Problem]:
    given = text(arguments.get(name))
    if given is not None and (given.startswith("alias/") or ":alias/" in given):
        yield Problem(
            name, f"{shown(given)} is an alias, which is not taken here", "the id or the ARN of the key"
        )


def _alias(arguments: Mapping[str, Any]) -> Iterator[Problem]:
    name = text(arguments.get("AliasName"))
    if name is None:
        return  # of Lambda
    if not _ALIAS.fullmatch(name):
        hint = "alias/ and letters, digits, /, _ and -"
        yield Problem("AliasName", f"{shown(name)} is no name of an alias", hint)
    yield from _key(arguments, "TargetKeyId")


def _new_alias(arguments: Mapping[str, Any]) -> Iterator[Problem]:
    name = text(arguments.get("AliasName"))
    if name is not None and name.startswith("alias/aws/"):
        yield Problem("AliasName", "aliases that begin with alias/aws/ are AWS's own", "another name")


def _schedule(arguments: Mapping[str, Any]) -> Iterator[Problem]:
    yield from _key(arguments)
    days = number(arguments.get("PendingWindowInDays"))
    low, high = _WINDOW
    if days is not None and not low <= days <= high:
        yield Problem("PendingWindowInDays", f"{days:g} is not from {low} to {high}", "", "range")


def _tag(arguments: Mapping[str, Any]) -> Iterator[Problem]:
    if "KeyId" not in arguments:
        return  # of another service
    yield from _key(arguments)
    yield from named_problems(arguments, "TagKey", "TagValue")
    yield from key_problems(arguments)


RULES: Rules = {
    "create_key": (_create_key,),
    "put_key_policy": (_put_key_policy,),
    "create_alias": (_alias, _new_alias),
    "update_alias": (_alias, _new_alias),
    "delete_alias": (_alias, _new_alias),
    "schedule_key_deletion": (_schedule,),
    "enable_key_rotation": (_key,),
    "disable_key_rotation": (_key,),
    "tag_resource": (_tag,),
    "untag_resource": (_tag,),
}

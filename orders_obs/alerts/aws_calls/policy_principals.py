"""Whom a policy is about.

Source: IAM user guide, "AWS JSON policy elements: Principal"; SNS developer guide, policy quotas (200 principals).
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from orders_obs.alerts.aws_calls.reading import shown

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["principal_faults", "service_fault"]

_KINDS = ("aws", "service", "federated", "canonicaluser")
_ACCOUNT = re.compile(r"\d{12}", re.ASCII)
_UNIQUE = re.compile(r"A[A-Z0-9]{15,127}")
_IDENTITY = re.compile(
    r"arn:aws[a-z-]*:(iam::(\d{12}|aws|cloudfront):(root|(user|role|oidc-provider|saml-provider|sts)/?.*|cloudfront:.*|user/.*)"
    r"|sts::\d{12}:(assumed-role|federated-user|self)/?.*)",
    re.ASCII | re.DOTALL,
)
_SERVICE = re.compile(r"[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+")
# The names of AWS's websites and of services in them, which are no principals, and endings cut short.
_WRONG = re.compile(r"(.+\.)?aws\.amazon\.com|.+\.amazonaws(\.co)?")


def principal_faults(principal: Any, *, identities: bool = True) -> Iterator[str]:
    """Why the value of `Principal` or `NotPrincipal` is none.

    Args:
        principal: The value.
        identities: Whether ARNs are taken.
    """
    if principal == "*":
        return
    if not isinstance(principal, dict) or not principal:
        yield f'Principal is "*" or such as {{"Service": "events.amazonaws.com"}}, and not {shown(principal)}'
        return
    for kind, value in principal.items():
        if kind.lower() not in _KINDS:
            yield f"there is no kind of principal {kind!r}: AWS, Service, Federated, CanonicalUser"
            continue
        given = value if isinstance(value, list) else [value]
        if not given:
            yield f"the list of principals under {kind} is empty"
        for one in given:
            if not isinstance(one, str) or not one:
                yield f"{shown(one)} is no principal"
            elif kind.lower() == "aws":
                yield from _identity(one)
                if not identities and one.startswith("arn:"):
                    yield f"{one!r} is an ARN, and accounts are taken by their number only"
            elif kind.lower() == "service" and (fault := service_fault(one)):
                yield fault


def _identity(one: str) -> Iterator[str]:
    if one == "*" or "${" in one or _ACCOUNT.fullmatch(one) or _UNIQUE.fullmatch(one):
        return
    if "*" in one or "?" in one:
        yield f"{one!r} has a wildcard, and a principal is * or a whole name"
    elif re.match(r"arn:aws[a-z-]*:iam::\d{12}:group/", one):
        yield f"{one!r} is a group, which is no principal"
    elif not _IDENTITY.fullmatch(one):
        yield f"{one!r} is no account, user, role or session"


def service_fault(name: str) -> str:
    """Why a name is surely no service's principal; empty where it may be one."""
    if name == "*" or "${" in name:
        return ""
    if not _SERVICE.fullmatch(name) or _WRONG.fullmatch(name.lower()):
        return f"{name!r} is no service, such as cloudwatch.amazonaws.com"
    return ""

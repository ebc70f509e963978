"""Real clients of the SDK whose calls end in a fake account: what botocore checks, pages and raises stays botocore's own."""

from __future__ import annotations

import copy
import re
from collections.abc import Callable
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import boto3.session
import botocore.session
from botocore import xform_name
from botocore.loaders import Loader
from botocore.utils import parse_timestamp

from tests.aws.fake.base import Refused

__all__ = ["connect"]

Handler = Callable[[str, str, dict[str, Any]], dict[str, Any]]
_LOADER = Loader()
"""Shared: reading the models of a service takes longer than a thousand calls."""
_PATTERNS: dict[str, re.Pattern[str] | None] = {}
# What each service calls an argument that breaks the model (model of cloudwatch, sns and logs; EventBridge and the
# tagging API answer so without listing it in their models).
_INVALID = {
    "cloudwatch": "ValidationError",
    "sns": "InvalidParameter",
    "logs": "InvalidParameterException",
    "resourcegroupstaggingapi": "InvalidParameterException",
}


def connect(handler: Handler, account: str, region: str) -> Any:
    """A boto3 session; `handler` gets service, operation (as boto3 names it) and arguments of each call, and answers or refuses."""
    core = botocore.session.Session()
    core.register_component("data_loader", _LOADER)
    core.set_credentials(account, "of-nobody")

    def keep(params: dict[str, Any], context: dict[str, Any], **_: Any) -> None:
        context["fake_arguments"] = params

    def answer(model: Any, context: dict[str, Any], **_: Any) -> tuple[Any, dict[str, Any]]:
        if context["client_region"] not in (region, "aws-global"):
            raise NotImplementedError(
                f"this account is in {region}, the client in {context['client_region']}"
            )
        arguments = _sent(context["fake_arguments"], model.input_shape)
        service = model.service_model.service_name
        try:
            broken = _broken(arguments, model.input_shape, "")
            parsed = handler(
                service, xform_name(model.name), arguments | ({_BROKEN: broken} if broken else {})
            )
        except Refused as refused:
            error = {"Code": refused.code, "Message": refused.message, "Type": "Sender"}
            return _response(refused.status), {"Error": error, "ResponseMetadata": _metadata(refused.status)}
        return _response(200), _received(parsed, model.output_shape) | {"ResponseMetadata": _metadata(200)}

    core.register("before-parameter-build", keep)
    core.register("before-call", answer)
    return boto3.session.Session(botocore_session=core, region_name=region)


_BROKEN = "$broken"


def refuse_broken(service: str, arguments: dict[str, Any]) -> dict[str, Any]:
    """The arguments, where the model of the service allows them."""
    broken = arguments.pop(_BROKEN, None)
    if broken:
        raise Refused(_INVALID.get(service, "ValidationException"), str(broken))
    return arguments


def _metadata(status: int) -> dict[str, Any]:
    return {"RequestId": "00000000-0000-0000-0000-000000000000", "HTTPStatusCode": status, "HTTPHeaders": {}, "RetryAttempts": 0}  # fmt: skip


def _response(status: int) -> Any:
    return SimpleNamespace(status_code=status, headers={}, content=b"", raw=None)


def _sent(value: Any, shape: Any) -> Any:
    """Arguments as they arrive: of the types of the model, and nobody else's objects."""
    kind = shape.type_name if shape is not None else ""
    if kind == "structure":
        return {name: _sent(item, shape.members[name]) for name, item in value.items() if item is not None}
    if kind == "list":
        return [_sent(item, shape.member) for item in value]
    if kind == "map":
        return {key: _sent(item, shape.value) for key, item in value.items()}
    if kind in ("double", "float"):
        return float(value)
    if kind == "timestamp":
        moment = parse_timestamp(value) if not isinstance(value, datetime) else value
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    return copy.deepcopy(value)


def _received(value: Any, shape: Any) -> Any:
    """An answer as the SDK would have parsed it. A member that the model lacks is a fault of the fake."""
    if shape is None:
        return {}
    kind = shape.type_name
    if kind == "structure":
        unknown = set(value) - set(shape.members)
        assert not unknown, f"{shape.name} has no {', '.join(sorted(unknown))}"
        return {
            name: _received(item, shape.members[name]) for name, item in value.items() if item is not None
        }
    if kind == "list":
        return [_received(item, shape.member) for item in value]
    if kind == "map":
        return {key: _received(item, shape.value) for key, item in value.items()}
    return copy.deepcopy(value)


def _broken(value: Any, shape: Any, path: str) -> str:
    """Which rule of the model (enum, min, max, pattern) an argument breaks; botocore checks types, names and `min` alone."""
    if shape is None:
        return ""
    kind, rules = shape.type_name, shape.metadata
    if kind == "structure":
        return next((b for n, v in value.items() if (b := _broken(v, shape.members[n], f"{path}.{n}"))), "")
    if kind == "map":
        return next((b for k, v in value.items() if (b := _broken(v, shape.value, f"{path}.{k}"))), "")
    if kind == "list":
        found = next((b for i, v in enumerate(value) if (b := _broken(v, shape.member, f"{path}[{i}]"))), "")
        return found or _outside(len(value), rules, path, "length")
    if kind == "string":
        if rules.get("enum") and value not in rules["enum"]:
            return f"{path[1:]}: '{value}' is none of {', '.join(rules['enum'])}"
        pattern = _pattern(rules["pattern"]) if "pattern" in rules else None
        if pattern is not None and not pattern.fullmatch(value):
            return f"{path[1:]}: '{value}' does not match {rules['pattern']}"
        return _outside(len(value), rules, path, "length")
    if kind in ("integer", "long", "double", "float"):
        return _outside(value, rules, path, "value")
    return ""


def _outside(number: float, rules: dict[str, Any], path: str, what: str) -> str:
    low, high = rules.get("min"), rules.get("max")
    if (low is not None and number < low) or (high is not None and number > high):
        return f"{path[1:]}: {what} {number} is not between {low} and {high}"
    return ""


def _pattern(text: str) -> re.Pattern[str] | None:
    """A pattern of Java's kind; None where Python's kind has no such thing."""
    if text not in _PATTERNS:
        try:
            _PATTERNS[text] = re.compile(text)
        except re.error:
            _PATTERNS[text] = None
    return _PATTERNS[text]

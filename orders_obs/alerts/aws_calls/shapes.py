"""The strict walk over botocore's own models: names, types, what is required, values of enumerations, sizes, patterns."""

from __future__ import annotations

import difflib
import math
import re
import warnings
from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from itertools import islice
from typing import TYPE_CHECKING, Any

from orders_obs.alerts.aws_calls.problems import Problem
from orders_obs.alerts.aws_calls.reading import at, shown

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

__all__ = ["EXCEPTIONS", "SERVICES", "find_operation", "has_botocore", "model_problems", "pattern_of"]

SERVICES = ("cloudwatch", "sns", "events", "logs", "kms", "ssm", "secretsmanager", "sts", "sqs", "iam", "lambda", "ecs", "rds",
            "elbv2", "elasticache", "cloudformation", "resourcegroupstaggingapi")  # fmt: skip
"""The services whose operations are looked up, those that are used most first."""

_SHARED = frozenset(
    {"add_permission", "add_tags_to_resource", "cancel_export_task", "create_alias", "create_capacity_provider", "create_user",
     "delete_alias", "delete_capacity_provider", "delete_endpoint", "delete_integration", "delete_resource_policy", "delete_rule",
     "delete_user", "describe_account_limits", "describe_engine_default_parameters", "describe_events", "describe_export_tasks",
     "get_data_protection_policy", "get_policy", "get_resource_policy", "list_aliases", "list_tags_for_resource",
     "put_data_protection_policy", "put_resource_policy", "remove_permission", "remove_tags_from_resource", "tag_resource",
     "untag_resource", "update_alias", "update_capacity_provider"}
)  # fmt: skip
"""Methods that more than one service has; for all others the models after the first that has it need not be read."""

EXCEPTIONS: dict[tuple[str, str, str], str] = {
    (
        "cloudwatch",
        "AnomalyDetectorMetricStat",
        "pattern",
    ): "the rules know the grammar of statistics, and say what is wrong",
    ("cloudwatch", "EntityKeyAttributesMap", "max"): "the text of the same model names five keys",
}
"""Constraints of the models that are not enforced, by service, shape and constraint, each with the reason."""

# Character classes of Java that Python writes otherwise; Python's are a little wider, and a refusal must be certain.
_CLASSES = {r"\p{L}": r"\w", r"\p{N}": r"\d", r"\p{Zs}": r"\s", r"\p{Z}": r"\s", r"\p{Alnum}": "A-Za-z0-9"}


_TYPES: dict[type, str] = {str: "text", bytes: "bytes", bool: "True or False", int: "a whole number", float: "a number", dict: "names and values",
                           list: "a list", tuple: "a list"}  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Walk:
    service: str
    unknown: tuple[type, ...]
    loose: bool


def has_botocore() -> bool:
    """Whether botocore, whose models this reads, is installed."""
    try:
        import botocore.session  # noqa: F401  # asked for, not used here
    except ImportError:
        return False
    return True


def find_operation(method: str, arguments: Mapping[str, Any]) -> tuple[str, Any] | None:
    """The service and the model of an operation.

    Where several services have a method of that name, the arguments decide: their names, then the service in an ARN among them.

    Args:
        method: boto3's name, such as `put_metric_alarm`.
        arguments: Its keyword arguments.

    Returns:
        None where none of `SERVICES` has it.
    """
    having = (
        (service, model) for service in SERVICES if (model := _operations(service).get(method)) is not None
    )
    found = list(having if method in _SHARED else islice(having, 1))
    if len(found) <= 1:
        return found[0] if found else None
    arns = [value for value in arguments.values() if isinstance(value, str) and value.startswith("arn:")]
    named = {arn.split(":")[2] for arn in arns if arn.count(":") >= 2}

    def fit(candidate: tuple[str, Any]) -> tuple[int, int, bool]:
        service, model = candidate
        shape = model.input_shape
        members = set(shape.members) if shape is not None else set()
        missing = sum(name not in arguments for name in (shape.required_members if shape is not None else ()))
        strange = sum(name not in members for name in arguments)
        return strange + missing, strange, service not in named

    return min(found, key=fit)


def model_problems(
    service: str,
    model: Any,
    arguments: Mapping[str, Any],
    *,
    unknown: tuple[type, ...] = (),
    loose: bool = False,
) -> Iterator[Problem]:
    """What the model of an operation says against arguments.

    Args:
        service: Name of the service.
        model: Of the operation, as `find_operation` gives it.
        arguments: Of the call.
        unknown: Types of values that stand for what is not known yet; they are taken to be right.
        loose: Take numbers and truth values that are written as text, as templates do.
    """
    shape = model.input_shape
    walk = _Walk(service, unknown, loose)
    if shape is None:
        for name in arguments:
            yield Problem(str(name), "the operation takes no arguments")
        return
    yield from _structure(walk, shape, arguments, "")


def _value(walk: _Walk, shape: Any, value: Any, path: str) -> Iterator[Problem]:
    if isinstance(value, walk.unknown):
        return
    if value is None:
        yield Problem(path, "None is no value", "leave it out")
        return
    kind = shape.type_name
    if kind == "structure":
        yield from _structure(walk, shape, value, path)
    elif kind == "list":
        yield from _list(walk, shape, value, path)
    elif kind == "map":
        yield from _map(walk, shape, value, path)
    else:
        yield from _scalar(walk, shape, value, path)


def _structure(walk: _Walk, shape: Any, value: Any, path: str) -> Iterator[Problem]:
    from collections.abc import Mapping

    if not isinstance(value, Mapping):
        if not getattr(shape, "is_document_type", False):
            yield _mistyped(path, value, "names and values")
        return
    for name in shape.required_members:
        if name not in value:
            yield Problem(at(path, name), f"{name} is missing, which is required", "", "missing")
    for name, child in value.items():
        if name not in shape.members:
            yield Problem(at(path, str(name)), f"{shown(name)} is no argument", _near(str(name), shape))
        else:
            yield from _value(walk, shape.members[name], child, at(path, name))
    if getattr(shape, "is_tagged_union", False) and sum(name in shape.members for name in value) != 1:
        yield Problem(
            path, f"exactly one of {', '.join(shape.members)} is wanted, and {len(value)} are given"
        )


def _near(name: str, shape: Any) -> str:
    near = difflib.get_close_matches(name, list(shape.members), 1)
    known = ", ".join(sorted(shape.members))
    return f"did you mean {near[0]}?" if near else f"known: {known}" if len(known) < 400 else ""


def _list(walk: _Walk, shape: Any, value: Any, path: str) -> Iterator[Problem]:
    if not isinstance(value, list | tuple):
        yield _mistyped(path, value, "a list")
        return
    yield from _bounds(walk, shape, len(value), path, "items")
    for index, item in enumerate(value):
        yield from _value(walk, shape.member, item, f"{path}[{index}]")


def _map(walk: _Walk, shape: Any, value: Any, path: str) -> Iterator[Problem]:
    from collections.abc import Mapping

    if not isinstance(value, Mapping):
        yield _mistyped(path, value, "names and values")
        return
    yield from _bounds(walk, shape, len(value), path, "entries")
    for key, child in value.items():
        where = at(path, str(key))
        yield from _value(walk, shape.key, key, where)
        yield from _value(walk, shape.value, child, where)


def _scalar(walk: _Walk, shape: Any, value: Any, path: str) -> Iterator[Problem]:
    kind = shape.type_name
    if kind in ("string", "character"):
        if not isinstance(value, str):
            if not (
                getattr(shape, "serialization", {}).get("jsonvalue")
                or (walk.loose and isinstance(value, int | float))
            ):
                yield _mistyped(path, value, "text")
        else:
            yield from _text(walk, shape, value, path)
    elif kind in ("integer", "long", "double", "float"):
        yield from _number(walk, shape, value, path, whole=kind in ("integer", "long"))
    elif kind == "boolean":
        if not isinstance(value, bool) and not (walk.loose and str(value).lower() in ("true", "false")):
            yield _mistyped(path, value, "True or False")
    elif kind == "timestamp":
        if not _is_time(value):
            yield _mistyped(path, value, "a time: a datetime, or ISO 8601 text")
    elif kind == "blob":
        if isinstance(value, str | bytes | bytearray):
            yield from _bounds(walk, shape, len(value), path, "bytes")
        elif not hasattr(value, "read"):
            yield _mistyped(path, value, "bytes")


def _number(walk: _Walk, shape: Any, value: Any, path: str, *, whole: bool) -> Iterator[Problem]:
    if walk.loose and isinstance(value, str):
        try:
            value = float(value)
        except ValueError:
            yield _mistyped(path, value, "a number")
            return
        value = int(value) if value.is_integer() else value
    if isinstance(value, bool) or not isinstance(value, int if whole else (int, float, Decimal)):
        yield _mistyped(path, value, "a whole number" if whole else "a number")
        return
    try:
        finite = math.isfinite(value)
    except (OverflowError, ValueError):
        finite = False
    if not finite:
        yield Problem(path, f"{shown(value)} is no number that AWS can take")
    else:
        yield from _bounds(walk, shape, value, path, "")


def _text(walk: _Walk, shape: Any, value: str, path: str) -> Iterator[Problem]:
    if not _is_unicode(value):
        yield Problem(path, "it is no valid Unicode")
        return
    yield from _bounds(walk, shape, len(value), path, "characters")
    shown_value = "the value" if shape.metadata.get("sensitive") else shown(value)
    if shape.enum and value not in shape.enum and (walk.service, shape.name, "enum") not in EXCEPTIONS:
        values = ", ".join(shape.enum) if len(shape.enum) <= 30 else f"{len(shape.enum)} values"
        yield Problem(path, f"{shown_value} is not among its values", values)
        return
    pattern = shape.metadata.get("pattern")
    if pattern and (walk.service, shape.name, "pattern") not in EXCEPTIONS:
        compiled = pattern_of(pattern)
        if compiled is not None and compiled.fullmatch(value) is None:
            yield Problem(
                path,
                f"{shown_value} is not of the form {pattern if len(pattern) <= 120 else 'that AWS asks for'}",
            )


def _bounds(walk: _Walk, shape: Any, size: Any, path: str, of: str) -> Iterator[Problem]:
    low, high = shape.metadata.get("min"), shape.metadata.get("max")
    count = f"{shown(size)} {of}".rstrip()
    if low is not None and size < low and (walk.service, shape.name, "min") not in EXCEPTIONS:
        yield Problem(path, f"{count}, and {low} is the least", "", "limit")
    if high is not None and size > high and (walk.service, shape.name, "max") not in EXCEPTIONS:
        yield Problem(path, f"{count}, and the limit is {high}", "", "limit")


def _mistyped(path: str, value: Any, wanted: str) -> Problem:
    # The value itself is not shown: it may be a secret in the wrong place.
    given = _TYPES.get(type(value), f"a {type(value).__name__}")
    return Problem(path, f"it is {given}, and {wanted} is wanted", "", "type")


def _is_time(value: Any) -> bool:
    """Whether botocore takes a value for a time: it reads more than ISO 8601."""
    from botocore.utils import parse_to_aware_datetime

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of time zones that dateutil does not know
            return not isinstance(value, bool) and parse_to_aware_datetime(value) is not None
    except Exception:  # dateutil raises errors of many kinds
        return False


def _is_unicode(value: str) -> bool:
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True


@cache
def pattern_of(pattern: str) -> re.Pattern[str] | None:
    """A pattern of the models in Python's own syntax; None where it has something that Python does not."""
    text = pattern
    for theirs, ours in _CLASSES.items():
        text = text.replace(theirs, ours)
    # Java takes a class before a hyphen for no range; Python wants the hyphen escaped.
    text = re.sub(r"(\\[wsd])-(?!\])", r"\1\\-", text)
    if r"\p" in text or r"\P" in text or "&&" in text:
        return None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", FutureWarning)
            return re.compile(text)
    except re.error:
        return None


@cache
def _operations(service: str) -> dict[str, Any]:
    """The operations of a service by boto3's names; none where botocore has no such service."""
    import botocore.exceptions
    import botocore.session
    from botocore import xform_name

    try:
        model = botocore.session.get_session().get_service_model(service)
    except (botocore.exceptions.UnknownServiceError, botocore.exceptions.DataNotFoundError):
        return {}
    return {xform_name(name): model.operation_model(name) for name in model.operation_names}

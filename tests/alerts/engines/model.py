"""A judge of calls that knows botocore's service models, and AWS's documented limits beside them.

botocore's own validator looks at types, required members and lower limits; patterns, enumerations and upper limits stand in the
model too, and AWS refuses what breaks them.
"""

from __future__ import annotations

import re
from functools import cache
from typing import Any

import botocore.session
from botocore.validate import ParamValidator

__all__ = ["faults"]

# Java's classes, which the models' patterns have.
_CLASSES = {r"\p{L}": r"\w", r"\p{Z}": r"\s", r"\p{N}": r"\d"}
# What AWS documents beside the model: (operation, path) to a pattern of the whole value.
_DOCUMENTED = {
    ("CreateTopic", "Name"): r"[A-Za-z0-9_-]{1,256}",
    ("CreateTopic", "Attributes"): r"KmsMasterKeyId",
    ("Subscribe", "Protocol"): r"http|https|email|email-json|sms|sqs|application|lambda|firehose",
    ("PutAlarmMuteRule", "Rule.Schedule.Expression"): (
        r"cron\([0-5]?\d ([01]?\d|2[0-3]) \* \* (\*|(SUN|MON|TUE|WED|THU|FRI|SAT)(,(SUN|MON|TUE|WED|THU|FRI|SAT))*)\)"
        r"|at\(\d{4}-\d\d-\d\dT\d\d:\d\d\)"
    ),
    ("PutAlarmMuteRule", "Rule.Schedule.Duration"): r"P(?=.)(\d+D)?(T(?=\d)(\d+H)?(\d+M)?)?",
    ("PutRetentionPolicy", "retentionInDays"): (
        "1|3|5|7|14|30|60|90|120|150|180|365|400|545|731|1096|1827|2192|2557|2922|3288|3653"
    ),
}
_TAG_VALUE = re.compile(r"[\w\s.:/=+\-@]*")


@cache
def _operation(service: str, operation: str) -> Any:
    return botocore.session.get_session().get_service_model(service).operation_model(operation)


def faults(service: str, operation: str, arguments: dict[str, Any]) -> list[str]:
    """What is wrong with the arguments of a call, as `PATH: what`; empty where nothing is."""
    shape = _operation(service, operation).input_shape
    report = ParamValidator().validate(arguments, shape)
    found = [report.generate_report()] if report.has_errors() else []
    found += _walk(operation, shape, arguments, "")
    return found


def _walk(operation: str, shape: Any, value: Any, path: str) -> list[str]:
    found = []
    allowed = _DOCUMENTED.get((operation, path))
    if allowed and shape.type_name != "map" and not re.fullmatch(allowed, str(value)):
        found.append(f"{path}: {value!r} is not as documented")
    low, high = shape.metadata.get("min"), shape.metadata.get("max")
    size = value if isinstance(value, int | float) else len(value)
    if (low is not None and size < low) or (high is not None and size > high):
        found.append(f"{path}: {size} is not in {low}..{high}")
    if shape.type_name == "structure":
        if shape.metadata.get("union") and len(value) != 1:
            found.append(f"{path}: exactly one member")
        for name, child in value.items():
            if name in shape.members:
                found += _walk(operation, shape.members[name], child, f"{path}.{name}".lstrip("."))
        if shape.name == "Tag" and not _TAG_VALUE.fullmatch(value.get("Value", value.get("TagValue", ""))):
            found.append(f"{path}: {value} is no tag")
    elif shape.type_name == "list":
        for child in value:
            found += _walk(operation, shape.member, child, path)
    elif shape.type_name == "map":
        if allowed:
            found += [
                f"{path}: {key!r} is not as documented" for key in value if not re.fullmatch(allowed, key)
            ]
        for key, child in value.items():
            found += _walk(operation, shape.key, key, f"{path}.{key}")
            found += _walk(operation, shape.value, child, f"{path}.{key}")
    elif shape.type_name == "string":
        found += _text(shape, value, path)
    return found


def _text(shape: Any, value: str, path: str) -> list[str]:
    found = []
    pattern = shape.metadata.get("pattern")
    if pattern:
        for theirs, ours in _CLASSES.items():
            pattern = pattern.replace(theirs, ours)
        if not re.fullmatch(pattern, value):
            found.append(f"{path}: {value!r} is not {pattern}")
    if shape.enum and value not in shape.enum:
        found.append(f"{path}: {value!r} is none of {shape.enum}")
    return found

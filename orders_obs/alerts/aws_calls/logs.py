"""What CloudWatch Logs refuses.

Source: API reference of each operation; CloudWatch Logs user guide, "Filter pattern syntax for metric filters" (values and dimensions).
"""

from __future__ import annotations

import re
import time
from typing import TYPE_CHECKING, Any

from orders_obs.alerts.aws_calls.documents import arn_problems, number_text, read_arn, utf8_size
from orders_obs.alerts.aws_calls.log_patterns import form_of, pattern_faults
from orders_obs.alerts.aws_calls.policies import LOGS, Kind, policy_problems
from orders_obs.alerts.aws_calls.problems import Problem
from orders_obs.alerts.aws_calls.reading import items, listed, mapping, number, shown, text, texts
from orders_obs.alerts.aws_calls.tagging import key_problems, map_problems
from orders_obs.alerts.catalogue import RETENTIONS

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from orders_obs.alerts.aws_calls.problems import Rule, Rules

__all__ = ["RULES"]

_PLACE = r"arn:aws[a-z-]*:logs:[a-z0-9-]+:\d{12}"
_GROUP_ARN = re.compile(rf"{_PLACE}:log-group:[A-Za-z0-9._/#-]{{1,512}}(:\*)?", re.ASCII)
_TAGGED = re.compile(
    rf"{_PLACE}:(log-group:[A-Za-z0-9._/#-]{{1,512}}|destination:[^:*]{{1,512}}|[a-z-]+:.+)", re.ASCII
)
_KEY = re.compile(r"arn:aws[a-z-]*:kms:[a-z0-9-]+:\d{12}:(key|alias)/.+", re.ASCII)
_ROLE = re.compile(r"arn:aws[a-z-]*:iam::\d{12}:role/.+", re.ASCII | re.DOTALL)
_DESTINATION = Kind("logs", largest=5120, complete=False)
_EVENTS_BYTES, _EVENT_EXTRA, _EVENT_BYTES = 1_048_576, 26, 1_048_576
_MILLISECONDS = 1000
_DAY = 86_400 * _MILLISECONDS
_PAST, _FUTURE = 14 * _DAY, 2 * 3_600 * _MILLISECONDS
_DIMENSIONS = 3
_SYSTEM_DIMENSIONS = ("@aws.account", "@aws.region")
_SYSTEM_FIELDS = (*_SYSTEM_DIMENSIONS, "@source.log")
_VALUE = re.compile(r"\$\S+")
_GROUPS = 50
_ONE_OF_GROUPS = ("logGroupName", "logGroupNames", "logGroupIdentifiers")
_GROUP_FILTERS = ("logGroupNamePrefix", "logGroupNamePattern", "accountIdentifiers", "logGroupClass")
_SOURCE = re.compile(r"\bSOURCE\b", re.IGNORECASE)
_BY_SQL = ("SQL", "PPL")
_BACKWARDS_FROM = 1_704_067_200 * _MILLISECONDS


def _create_log_group(arguments: Mapping[str, Any]) -> Iterator[Problem]:
    name = text(arguments.get("logGroupName"))
    if name is not None and name.startswith("aws/"):
        yield Problem("logGroupName", f"{shown(name)} begins with aws/, which no name may", "/aws/… may")
    yield from arn_problems("kmsKeyId", arguments.get("kmsKeyId"), _KEY, "arn:aws:kms:REGION:ACCOUNT:key/ID")
    yield from map_problems(arguments, "tags")


def _put_retention_policy(arguments: Mapping[str, Any]) -> Iterator[Problem]:
    days = number(arguments.get("retentionInDays"))
    if days is not None and days not in RETENTIONS:
        near = sorted(RETENTIONS, key=lambda kept: abs(kept - days))[:2]
        hint = (
            "to keep events for ever, delete_retention_policy"
            if days <= 0
            else " or ".join(map(str, sorted(near)))
        )
        yield Problem(
            "retentionInDays", f"events are kept for days that AWS names, and not for {days:g}", hint, "enum"
        )


def _put_resource_policy(arguments: Mapping[str, Any]) -> Iterator[Problem]:
    if "SecretId" in arguments:
        return  # of Secrets Manager
    for name in ("policyName", "policyDocument"):
        if name not in arguments or arguments[name] == "":
            yield Problem(name, f"{name} is missing, which is required", "", "missing")
    if arguments.get("policyDocument") != "":
        yield from policy_problems("policyDocument", arguments.get("policyDocument"), LOGS)
    yield from arn_problems("resourceArn", arguments.get("resourceArn"), _GROUP_ARN, "of a log group")


def _delete_resource_policy(arguments: Mapping[str, Any]) -> Iterator[Problem]:
    if "SecretId" in arguments or "ResourceArn" in arguments:
        return
    if "policyName" not in arguments and "resourceArn" not in arguments:
        yield Problem("policyName", "policyName is missing, which is required", "", "missing")
    yield from arn_problems("resourceArn", arguments.get("resourceArn"), _GROUP_ARN, "of a log group")


def _put_log_events(arguments: Mapping[str, Any]) -> Iterator[Problem]:
    total, before = 0, None
    now = time.time() * _MILLISECONDS
    taken: list[float] = []
    for path, event in items(arguments, "logEvents"):
        message, at = text(mapping(event).get("message")), number(mapping(event).get("timestamp"))
        size = utf8_size(message) + _EVENT_EXTRA if message is not None else 0
        total += size
        if size > _EVENT_BYTES:
            yield Problem(f"{path}.message", f"{size} bytes, and the limit is {_EVENT_BYTES}", "", "limit")
        if at is None:
            continue
        if before is not None and at < before:
            yield Problem(
                f"{path}.timestamp",
                "the events are not in the order of their times",
                "the oldest first",
                "order",
            )
        before = at
        if now - _PAST <= at <= now + _FUTURE:
            taken.append(at)
    if total > _EVENTS_BYTES:
        message = f"the events have {total} bytes, {_EVENT_EXTRA} for each among them, and the limit is {_EVENTS_BYTES}"
        yield Problem("logEvents", message, "several calls", "limit")
    if taken and max(taken) - min(taken) > _DAY:
        yield Problem(
            "logEvents", "the events of a call are 24 hours apart at most", "several calls", "limit"
        )


def _filter(arguments: Mapping[str, Any]) -> Iterator[Problem]:
    pattern = text(arguments.get("filterPattern"))
    for fault in pattern_faults(pattern) if pattern is not None else ():
        yield Problem("filterPattern", fault, "CloudWatch Logs user guide, filter pattern syntax", "pattern")


def _put_metric_filter(arguments: Mapping[str, Any]) -> Iterator[Problem]:
    yield from _filter(arguments)
    yield from _system(arguments, "emitSystemFieldDimensions", _SYSTEM_DIMENSIONS)
    system = len(listed(arguments.get("emitSystemFieldDimensions")))
    pattern = text(arguments.get("filterPattern"))
    for path, one in items(arguments, "metricTransformations"):
        transformation = mapping(one)
        value = text(transformation.get("metricValue"))
        if value is not None and not number_text(value) and not _VALUE.fullmatch(value):
            yield Problem(
                f"{path}.metricValue",
                f"{shown(value)} is neither a number nor a field",
                "1, $.latency or $bytes",
            )
        for name in ("metricName", "metricNamespace"):
            if transformation.get(name) == "":
                yield Problem(f"{path}.{name}", f"{name} is empty")
        dimensions = mapping(transformation.get("dimensions"))
        if not dimensions:
            continue
        where = f"{path}.dimensions"
        if len(dimensions) + system > _DIMENSIONS:
            message = f"{len(dimensions) + system} dimensions, and the limit is {_DIMENSIONS}"
            yield Problem(where, message, "", "limit")
        if transformation.get("defaultValue") is not None:
            yield Problem(
                f"{path}.defaultValue", "a metric with dimensions has no default value", "one of them"
            )
        if pattern is not None and form_of(pattern) in ("terms", "empty"):
            hint = "a pattern in braces or in brackets, whose fields the dimensions name"
            yield Problem(where, "a pattern of terms has no fields for dimensions", hint)
        for name, field in dimensions.items():
            if isinstance(field, str) and not field.startswith("$"):
                yield Problem(
                    f"{where}.{name}", f"{shown(field)} is no field of the event", "$.service or $ip"
                )


def _system(arguments: Mapping[str, Any], name: str, known: tuple[str, ...]) -> Iterator[Problem]:
    for path, field in texts(arguments, name):
        if field not in known:
            yield Problem(path, f"{field!r} is none of {', '.join(known)}", "", "enum")


def _put_subscription_filter(arguments: Mapping[str, Any]) -> Iterator[Problem]:
    yield from _filter(arguments)
    yield from _system(arguments, "emitSystemFields", _SYSTEM_FIELDS)
    yield from arn_problems("roleArn", arguments.get("roleArn"), _ROLE, "arn:aws:iam::ACCOUNT:role/NAME")
    written = text(arguments.get("destinationArn"))
    arn = read_arn(written)
    if written is None:
        return
    wanted = "a stream of Kinesis, a stream of Firehose, a Lambda function or a destination of Logs"
    if arn is None or arn.service not in ("kinesis", "firehose", "lambda", "logs"):
        yield Problem("destinationArn", f"{shown(written)} is no destination", wanted, "arn")
    elif arn.service in ("kinesis", "firehose") and "roleArn" not in arguments:
        yield Problem("roleArn", f"roleArn is missing, which {arn.service} needs", "", "missing")
    elif arn.service == "lambda" and "roleArn" in arguments:
        yield Problem(
            "roleArn", "a Lambda function takes no role; its own policy lets Logs in", "lambda add_permission"
        )


def _put_query_definition(arguments: Mapping[str, Any]) -> Iterator[Problem]:
    yield from _many_groups(arguments, "logGroupNames")
    if listed(arguments.get("parameters")) and arguments.get("queryLanguage") in _BY_SQL:
        yield Problem("parameters", "parameters are for Logs Insights QL only", "queryLanguage CWLI")
    seen: set[str] = set()
    for path, one in items(arguments, "parameters"):
        name = text(mapping(one).get("name"))
        if name is not None and name in seen:
            yield Problem(f"{path}.name", f"the parameter {name!r} stands twice")
        seen.add(name or "")


def _many_groups(arguments: Mapping[str, Any], name: str) -> Iterator[Problem]:
    count = len(listed(arguments.get(name)))
    if count > _GROUPS:
        yield Problem(name, f"{count} log groups, and the limit is {_GROUPS}", "", "limit")


def _start_query(arguments: Mapping[str, Any]) -> Iterator[Problem]:
    given = [name for name in _ONE_OF_GROUPS if name in arguments]
    query = arguments.get("queryString")
    said = (
        isinstance(query, str)
        and not _SOURCE.search(query)
        and arguments.get("queryLanguage", "CWLI") == "CWLI"
    )
    if len(given) > 1:
        yield Problem("", f"{' and '.join(given)} exclude each other", "one of them")
    elif not given and said:
        yield Problem(
            "", f"one of {', '.join(_ONE_OF_GROUPS)} is wanted", "or SOURCE in the query", "missing"
        )
    for name in given:
        yield from _many_groups(arguments, name)
    start, end = number(arguments.get("startTime")), number(arguments.get("endTime"))
    if start is not None and end is not None and end < start:
        yield Problem("endTime", "the time ends before it begins", "", "range")


def _identified(arguments: Mapping[str, Any]) -> Iterator[Problem]:
    given = [name for name in ("logGroupName", "logGroupIdentifier") if name in arguments]
    if len(given) != 1:
        said = "both are" if given else "none is"
        yield Problem(
            "", f"one of logGroupName and logGroupIdentifier is wanted, and {said} given", "", "missing"
        )


def _excluding(one: str, other: str) -> Rule:
    def rule(arguments: Mapping[str, Any]) -> Iterator[Problem]:
        if one in arguments and other in arguments:
            yield Problem(one, f"{one} and {other} exclude each other", "one of them")

    return rule


def _describe_log_groups(arguments: Mapping[str, Any]) -> Iterator[Problem]:
    others = [name for name in _GROUP_FILTERS if name in arguments]
    if "logGroupIdentifiers" in arguments and others:
        message = (
            f"logGroupIdentifiers goes with includeLinkedAccounts only, and not with {', '.join(others)}"
        )
        yield Problem("logGroupIdentifiers", message)


def _describe_log_streams(arguments: Mapping[str, Any]) -> Iterator[Problem]:
    if arguments.get("orderBy") == "LastEventTime" and "logStreamNamePrefix" in arguments:
        yield Problem(
            "logStreamNamePrefix", "streams by the time of their last event have no prefix", "LogStreamName"
        )


def _filter_log_events(arguments: Mapping[str, Any]) -> Iterator[Problem]:
    start = number(arguments.get("startTime"))
    if arguments.get("startFromHead") is False and start is not None and start < _BACKWARDS_FROM:
        yield Problem("startTime", "backwards, events are read from 2024 on only", "startFromHead", "range")


def _describe_metric_filters(arguments: Mapping[str, Any]) -> Iterator[Problem]:
    for one, other in (("metricName", "metricNamespace"), ("metricNamespace", "metricName")):
        if one in arguments and other not in arguments:
            yield Problem(other, f"{other} is missing, which {one} needs", "", "missing")


def _associate_kms_key(arguments: Mapping[str, Any]) -> Iterator[Problem]:
    given = [name for name in ("logGroupName", "resourceIdentifier") if name in arguments]
    if len(given) != 1:
        said = "both are" if given else "none is"
        yield Problem(
            "", f"one of logGroupName and resourceIdentifier is wanted, and {said} given", "", "missing"
        )
    yield from arn_problems("kmsKeyId", arguments.get("kmsKeyId"), _KEY, "arn:aws:kms:REGION:ACCOUNT:key/ID")


def _put_destination(arguments: Mapping[str, Any]) -> Iterator[Problem]:
    yield from arn_problems("roleArn", arguments.get("roleArn"), _ROLE, "arn:aws:iam::ACCOUNT:role/NAME")
    yield from map_problems(arguments, "tags")


def _put_destination_policy(arguments: Mapping[str, Any]) -> Iterator[Problem]:
    yield from policy_problems("accessPolicy", arguments.get("accessPolicy"), _DESTINATION)


def _create_export_task(arguments: Mapping[str, Any]) -> Iterator[Problem]:
    start, end = number(arguments.get("from")), number(arguments.get("to"))
    if start is not None and end is not None and end < start:
        yield Problem("to", "the time ends before it begins", "", "range")


def _tag(arguments: Mapping[str, Any]) -> Iterator[Problem]:
    arn = read_arn(arguments.get("resourceArn"))
    if "resourceArn" not in arguments or (arn is not None and arn.service != "logs"):
        return  # of another service
    yield from arn_problems(
        "resourceArn", arguments["resourceArn"], _TAGGED, "arn:aws:logs:REGION:ACCOUNT:log-group:NAME"
    )
    yield from map_problems(arguments, "tags")
    yield from key_problems(arguments, "tagKeys")


def _tag_log_group(arguments: Mapping[str, Any]) -> Iterator[Problem]:
    yield from map_problems(arguments, "tags")


RULES: Rules = {
    "create_log_group": (_create_log_group,),
    "put_retention_policy": (_put_retention_policy,),
    "put_resource_policy": (_put_resource_policy,),
    "delete_resource_policy": (_delete_resource_policy,),
    "put_log_events": (_put_log_events,),
    "put_metric_filter": (_put_metric_filter,),
    "test_metric_filter": (_filter,),
    "put_subscription_filter": (_put_subscription_filter,),
    "put_query_definition": (_put_query_definition,),
    "start_query": (_start_query,),
    "describe_log_groups": (_describe_log_groups, _excluding("logGroupNamePrefix", "logGroupNamePattern")),
    "describe_log_streams": (_identified, _describe_log_streams),
    "describe_metric_filters": (_describe_metric_filters,),
    "filter_log_events": (
        _identified,
        _filter,
        _filter_log_events,
        _excluding("logStreamNames", "logStreamNamePrefix"),
    ),
    "get_log_events": (_identified,),
    "associate_kms_key": (_associate_kms_key,),
    "put_destination": (_put_destination,),
    "put_destination_policy": (_put_destination_policy,),
    "create_export_task": (_create_export_task,),
    "tag_resource": (_tag,),
    "untag_resource": (_tag,),
    "list_tags_for_resource": (_tag,),
    "tag_log_group": (_tag_log_group,),
}

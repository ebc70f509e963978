"""What EventBridge refuses of rules, events and buses.

Source: API reference of each operation; EventBridge user guide, "Calculating PutEvents event entry size", and the pages that `patterns`,
`event_schedules` and `event_targets` name.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from orders_obs.alerts.aws_calls import event_targets
from orders_obs.alerts.aws_calls.documents import arn_problems, read_arn, read_json, utf8_size
from orders_obs.alerts.aws_calls.event_schedules import event_schedule_fault
from orders_obs.alerts.aws_calls.patterns import pattern_problems
from orders_obs.alerts.aws_calls.policies import Kind, policy_problems
from orders_obs.alerts.aws_calls.problems import Problem
from orders_obs.alerts.aws_calls.reading import items, listed, mapping, shown, text
from orders_obs.alerts.aws_calls.tagging import key_problems
from orders_obs.alerts.aws_calls.tags import tag_problems

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from orders_obs.alerts.aws_calls.problems import Rules

__all__ = ["RULES"]

_BUS = Kind("events", complete=False)
_ROLE = re.compile(r"arn:aws[a-z-]*:iam::\d{12}:role/.+", re.ASCII | re.DOTALL)
_ALL_EVENTS = "ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS"
_REQUEST = 1024 * 1024
_TIME = 14
_DETAIL_TYPE = 128
_DEEPEST = 1000
_LARGEST = 2**63
_EVENT_FIELDS = ("id", "account", "source", "time", "region", "resources", "detail-type")
_ENTRY_FIELDS = ("Source", "DetailType", "Detail")
_TAGGED = re.compile(r"arn:aws[a-z-]*:events:[a-z0-9-]+:\d{12}:(rule|event-bus)/.+", re.ASCII)
_PERMISSION = ("Action", "Principal", "StatementId", "Condition")


def _put_rule(arguments: Mapping[str, Any]) -> Iterator[Problem]:
    pattern, schedule = arguments.get("EventPattern"), arguments.get("ScheduleExpression")
    if pattern in (None, "") and schedule in (None, ""):
        yield Problem("", "a rule needs EventPattern or ScheduleExpression", "", "missing")
    if pattern != "":
        yield from pattern_problems("EventPattern", pattern)
    bus = text(arguments.get("EventBusName"))
    if isinstance(schedule, str) and schedule:
        if fault := event_schedule_fault(schedule):
            yield Problem(
                "ScheduleExpression", fault, "EventBridge user guide, cron and rate expressions", "schedule"
            )
        if bus is not None and bus.rpartition("event-bus/")[2] != "default":
            yield Problem("ScheduleExpression", "schedules run on the default bus only", "", "schedule")
    if arguments.get("State") == _ALL_EVENTS and bus is not None and _partner(bus):
        yield Problem("State", f"{_ALL_EVENTS} is not for buses of partners", "ENABLED")
    yield from arn_problems("RoleArn", arguments.get("RoleArn"), _ROLE, "arn:aws:iam::ACCOUNT:role/NAME")
    yield from tag_problems(arguments)


def _partner(bus: str) -> bool:
    return bus.rpartition("event-bus/")[2].startswith("aws.partner/")


def _test_event_pattern(arguments: Mapping[str, Any]) -> Iterator[Problem]:
    yield from pattern_problems("EventPattern", arguments.get("EventPattern"))
    written = text(arguments.get("Event"))
    if written is None:
        return
    content, fault = read_json(written)
    if fault or not isinstance(content, dict):
        yield Problem("Event", f"the event is no JSON object{f': {fault}' if fault else ''}", "", "json")
        return
    missing = [name for name in _EVENT_FIELDS if name not in content]
    if missing:
        yield Problem("Event", f"the event has no {', '.join(missing)}", "", "missing")


def _archive(arguments: Mapping[str, Any]) -> Iterator[Problem]:
    if arguments.get("EventPattern") != "":
        yield from pattern_problems("EventPattern", arguments.get("EventPattern"))


def _put_events(arguments: Mapping[str, Any]) -> Iterator[Problem]:
    total = 0
    for path, entry in items(arguments, "Entries"):
        yield from _entry(mapping(entry), path)
        total += _entry_size(mapping(entry))
    if total >= _REQUEST:
        yield Problem(
            "Entries", f"the entries have {total} bytes, and less than {_REQUEST} are taken", "", "limit"
        )


def _entry(entry: Mapping[str, Any], path: str) -> Iterator[Problem]:
    for name in _ENTRY_FIELDS:
        if name not in entry or entry[name] == "":
            yield Problem(
                f"{path}.{name}", f"{name} is missing, without which no event arrives", "", "missing"
            )
    source, kind, detail = (text(entry.get(name)) for name in _ENTRY_FIELDS)
    if source is not None and source.startswith("aws."):
        yield Problem(
            f"{path}.Source", f"{source!r}: sources that begin with aws. are AWS's own", "another name"
        )
    if kind is not None and len(kind) > _DETAIL_TYPE:
        yield Problem(
            f"{path}.DetailType", f"{len(kind)} characters, and the limit is {_DETAIL_TYPE}", "", "limit"
        )
    if not detail:
        return
    content, fault = read_json(detail)
    if fault or not isinstance(content, dict):
        yield Problem(
            f"{path}.Detail", f"the detail is no JSON object{f': {fault}' if fault else ''}", "", "json"
        )
        return
    todo: list[tuple[Any, int]] = [(content, 1)]
    while todo:
        value, depth = todo.pop()
        if depth > _DEEPEST:
            yield Problem(
                f"{path}.Detail", f"the detail is nested more than {_DEEPEST} levels deep", "", "limit"
            )
            return
        if isinstance(value, int) and not -_LARGEST <= value < _LARGEST:
            yield Problem(f"{path}.Detail", f"{shown(value)} is beyond 64 bits", "as text", "limit")
        if isinstance(value, dict | list):
            todo += [(one, depth + 1) for one in (value.values() if isinstance(value, dict) else value)]


def _entry_size(entry: Mapping[str, Any]) -> int:
    texts = [entry.get(name) for name in _ENTRY_FIELDS] + listed(entry.get("Resources"))
    return sum(utf8_size(one) for one in texts if isinstance(one, str)) + (_TIME if "Time" in entry else 0)


def _put_permission(arguments: Mapping[str, Any]) -> Iterator[Problem]:
    given = [name for name in _PERMISSION if name in arguments]
    if "Policy" in arguments:
        if given:
            yield Problem(
                "Policy",
                f"a policy stands for itself, and {', '.join(given)} is given with it",
                "one of them",
            )
        yield from policy_problems("Policy", arguments["Policy"], _BUS)
        return
    for name in _PERMISSION[:3]:
        if given and name not in arguments:
            yield Problem(name, f"{name} is missing, without a Policy", "", "missing")
    condition = mapping(arguments.get("Condition"))
    for name, only in (("Type", "StringEquals"), ("Key", "aws:PrincipalOrgID")):
        value = text(condition.get(name))
        if value is not None and value != only:
            yield Problem(f"Condition.{name}", f"{value!r} is not taken", only, "enum")


def _create_event_bus(arguments: Mapping[str, Any]) -> Iterator[Problem]:
    name = text(arguments.get("Name"))
    if name == "default":
        yield Problem("Name", "the bus default is there already", "another name")
    elif name is not None and "/" in name and not name.startswith("aws.partner/"):
        yield Problem(
            "Name", f"{shown(name)} has a /, which the names of partners' buses have only", "another name"
        )
    source = text(arguments.get("EventSourceName"))
    if source is not None and name is not None and source != name:
        yield Problem("Name", "the bus of a partner has the name of its event source", source)
    yield from event_targets.dead_letter_problems("DeadLetterConfig", arguments.get("DeadLetterConfig"))
    yield from tag_problems(arguments)


def _tag(arguments: Mapping[str, Any]) -> Iterator[Problem]:
    found = read_arn(arguments.get("ResourceARN"))
    if found is None or found.service != "events":
        return  # CloudWatch has the same arguments
    yield from arn_problems("ResourceARN", arguments["ResourceARN"], _TAGGED, "of a rule or an event bus")
    yield from tag_problems(arguments)
    yield from key_problems(arguments)


RULES: Rules = {
    "put_rule": (_put_rule,),
    "test_event_pattern": (_test_event_pattern,),
    "create_archive": (_archive,),
    "update_archive": (_archive,),
    "put_events": (_put_events,),
    "put_permission": (_put_permission,),
    "create_event_bus": (_create_event_bus,),
    "tag_resource": (_tag,),
    "untag_resource": (_tag,),
    "list_tags_for_resource": (_tag,),
    **event_targets.RULES,
}

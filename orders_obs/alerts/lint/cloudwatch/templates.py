"""Alarms of a CloudFormation template, with its references resolved as far as the template goes."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

from orders_obs.alerts.lint.cloudwatch.files import (
    AlarmFile,
    EventRule,
    Placed,
    Subscription,
    Topic,
    Unknown,
    number_of,
    text_of,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from orders_obs.alerts.lint.cloudwatch.files import Document, Place

__all__ = ["read"]

_ALARMS = ("AWS::CloudWatch::Alarm", "AWS::CloudWatch::CompositeAlarm")
_PLACEHOLDER = re.compile(r"\$\{([^!}][^}]*)\}")
_NUMBERS = ("Period", "EvaluationPeriods", "DatapointsToAlarm", "Threshold", "ActionsSuppressorWaitPeriod",
            "ActionsSuppressorExtensionPeriod", "EvaluationInterval")  # fmt: skip


def read(document: Document) -> AlarmFile:
    """The alarms, topics, subscriptions and event rules of a template.

    Raises:
        UserError: A resource is no mapping.
    """
    return _Template(document).read()


class _Absent:
    """`AWS::NoValue`."""


class _Template:
    def __init__(self, document: Document) -> None:
        self._document = document
        data = document.data
        self._resources: dict[str, dict[str, Any]] = {}
        self._places = document.root["Resources"]
        for name, made in data["Resources"].items():
            if not str(name).startswith("Fn::"):
                self._resources[str(name)] = self._places[name].mapping(made, f"resource {name}")
        parameters = data.get("Parameters")
        self._parameters = parameters if isinstance(parameters, dict) else {}
        self._names: dict[str, Any] = {}

    def read(self) -> AlarmFile:
        file = AlarmFile(self._document.path)
        policies = self._policies()
        for name, made in self._resources.items():
            place = self._places[name]
            kind = made.get("Type")
            if kind not in (*_ALARMS, "AWS::SNS::Topic", "AWS::SNS::Subscription", "AWS::Events::Rule"):
                continue
            properties = place["Properties"].mapping(made.get("Properties") or {}, f"`Properties` of {name}")
            resolved = self._value(properties)
            if not isinstance(resolved, dict):
                continue  # a macro makes it
            if kind in _ALARMS:
                arguments = {**_counted(resolved), "AlarmName": self._alarm_name(name)}
                (file.composites if kind == _ALARMS[1] else file.alarms).append(
                    Placed(arguments, place.where)
                )
            elif kind == "AWS::SNS::Topic":
                self._topic(file, name, resolved, policies, place)
            elif kind == "AWS::SNS::Subscription":
                endpoint = resolved.get("Endpoint", "unknown")
                file.subscriptions.append(
                    Subscription(resolved.get("TopicArn"), resolved.get("Protocol"), endpoint, place.where)
                )
            else:
                pattern = resolved.get("EventPattern")
                file.rules.append(
                    EventRule(resolved.get("Name", Unknown(f"${{{name}}}")), pattern, place.where)
                )
        return file

    def _topic(
        self,
        file: AlarmFile,
        name: str,
        resolved: Mapping[str, Any],
        policies: Mapping[Any, Any],
        place: Place,
    ) -> None:
        references = {Unknown(f"${{{name}}}"), Unknown(f"${{{name}.TopicArn}}")}
        names = references | ({resolved["TopicName"]} if "TopicName" in resolved else set())
        policy = next((policies[reference] for reference in references if reference in policies), None)
        file.topics.append(Topic(frozenset(names), resolved, policy, place.where))
        for subscription in resolved.get("Subscription") or ():
            if isinstance(subscription, dict):
                endpoint = subscription.get("Endpoint", "unknown")
                reference = Unknown(f"${{{name}}}")
                file.subscriptions.append(
                    Subscription(reference, subscription.get("Protocol"), endpoint, place.where)
                )

    def _policies(self) -> dict[Any, Any]:
        found = {}
        for made in self._resources.values():
            if made.get("Type") == "AWS::SNS::TopicPolicy" and isinstance(made.get("Properties"), dict):
                properties = self._value(made["Properties"])
                topics = properties.get("Topics")
                for topic in topics if isinstance(topics, list) else ():
                    found[topic] = properties.get("PolicyDocument")
        return found

    def _alarm_name(self, name: str) -> Any:
        """The name of an alarm; its logical id where CloudFormation makes the name."""
        if name not in self._names:
            self._names[name] = name  # a name that refers to itself ends here
            properties = self._resources[name].get("Properties")
            given = properties.get("AlarmName") if isinstance(properties, dict) else None
            self._names[name] = name if given is None else self._value(given)
        return self._names[name]

    def _value(self, value: Any) -> Any:
        if isinstance(value, dict):
            if len(value) == 1:
                key, content = next(iter(value.items()))
                if key == "Ref" or key.startswith("Fn::"):
                    return self._intrinsic(key, content)
            made = {key: self._value(child) for key, child in value.items()}
            return {key: child for key, child in made.items() if child is not _Absent}
        if isinstance(value, list):
            return [child for child in map(self._value, value) if child is not _Absent]
        if isinstance(value, str) and value.startswith("{{resolve:"):
            return Unknown(value)
        return value

    def _intrinsic(self, key: str, content: Any) -> Any:
        if key == "Ref" and isinstance(content, str):
            return self._ref(content)
        if key == "Fn::GetAtt" and isinstance(content, list) and len(content) == 2:
            return self._attribute(str(content[0]), text_of(self._value(content[1])))
        if key == "Fn::Sub":
            return self._sub(content)
        if key == "Fn::Join" and isinstance(content, list) and len(content) == 2:
            parts = self._value(content[1])
            if isinstance(content[0], str) and isinstance(parts, list):
                return _joined(content[0], parts)
        if key == "Fn::If" and isinstance(content, list) and len(content) == 3:
            one, other = self._value(content[1]), self._value(content[2])
            if one == other:
                return one
        return Unknown(f"${{{key} {json.dumps(content, sort_keys=True, default=str)}}}")

    def _ref(self, name: str) -> Any:
        if name == "AWS::NoValue":
            return _Absent
        if name in self._parameters:
            given = self._parameters[name]
            default = given.get("Default") if isinstance(given, dict) else None
            kind = str(given.get("Type", "")) if isinstance(given, dict) else ""
            known = default not in (None, "") and not kind.startswith("AWS::SSM::")
            if known and kind in ("CommaDelimitedList", "List<Number>"):
                return str(default).split(",")
            return default if known else Unknown(f"${{{name}}}")
        made = self._resources.get(name)
        if made is not None and made.get("Type") in _ALARMS:
            return self._alarm_name(name)
        return Unknown(f"${{{name}}}", str(made.get("Type", "")) if made else "")

    def _attribute(self, name: str, attribute: str) -> Any:
        made = self._resources.get(name)
        kind = str(made.get("Type", "")) if made else ""
        if kind in _ALARMS and attribute == "Arn":
            return _joined(
                "",
                [
                    Unknown("arn:aws:cloudwatch:${AWS::Region}:${AWS::AccountId}:alarm:"),
                    self._alarm_name(name),
                ],
            )
        return Unknown(f"${{{name}.{attribute}}}", f"{kind}.{attribute}")

    def _sub(self, content: Any) -> Any:
        own: Mapping[str, Any] = {}
        if isinstance(content, list) and len(content) == 2 and isinstance(content[1], dict):
            content, own = content
        if not isinstance(content, str):
            return Unknown("${Fn::Sub}")
        parts: list[Any] = []
        end = 0
        for found in _PLACEHOLDER.finditer(content):
            parts.append(content[end : found.start()].replace("${!", "${"))
            name = found[1].strip()
            if name in own:
                parts.append(self._value(own[name]))
            elif "." in name:
                parts.append(self._attribute(*name.split(".", 1)))
            else:
                parts.append(self._ref(name))
            end = found.end()
        return _joined("", [*parts, content[end:].replace("${!", "${")])


def _joined(separator: str, parts: list[Any]) -> Any:
    parts = [part for part in parts if part != ""] if not separator else parts
    if len(parts) == 1:
        return parts[0] if isinstance(parts[0], Unknown) else str(parts[0])
    text = separator.join(map(text_of, parts))
    return Unknown(text) if any(isinstance(part, Unknown) for part in parts) else text


def _counted(value: Any) -> Any:
    """The arguments with the numbers that a template may write as text."""
    if isinstance(value, list):
        return [_counted(child) for child in value]
    if not isinstance(value, dict):
        return value
    return {
        key: number_of(child)
        if key in _NUMBERS
        else child == "true"
        if key in ("ReturnData", "ActionsEnabled") and child in ("true", "false")
        else _counted(child)
        for key, child in value.items()
    }

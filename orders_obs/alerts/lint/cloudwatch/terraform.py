"""Alarms of Terraform: a JSON configuration, or what `terraform show -json` prints of a plan or a state."""

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
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from orders_obs.alerts.lint.cloudwatch.files import Document, Place

__all__ = ["read", "read_plan"]

_METRIC, _COMPOSITE = "aws_cloudwatch_metric_alarm", "aws_cloudwatch_composite_alarm"
_KINDS = (_METRIC, _COMPOSITE, "aws_sns_topic", "aws_sns_topic_policy", "aws_sns_topic_subscription", "aws_cloudwatch_event_rule")  # fmt: skip
_PLACEHOLDER = re.compile(r"(?<!\$)\$\{([^}]*)\}")
_RENAMED = {
    "evaluate_low_sample_count_percentiles": "EvaluateLowSampleCountPercentile",
    "ok_actions": "OKActions",
    "stat": "Stat",
}
_NUMBERS = (
    "period",
    "evaluation_periods",
    "datapoints_to_alarm",
    "threshold",
    "wait_period",
    "extension_period",
)


def read(document: Document) -> AlarmFile:
    """The alarms, topics, subscriptions and event rules of a `*.tf.json`.

    Raises:
        UserError: A block is no mapping.
    """
    configuration = _Configuration(document)
    found = [
        (place, f"{kind}.{name}", kind, configuration.resolved(content))
        for place, kind, name, content in configuration.blocks()
    ]
    return _file(document, found)


def read_plan(document: Document) -> AlarmFile:
    """The same of the output of `terraform show -json`.

    Raises:
        UserError: A module or a resource is no mapping.
    """
    data = document.data
    key = "planned_values" if "planned_values" in data else "values"
    changes = data.get("resource_changes")
    unknown = {
        change.get("address"): (change.get("change") or {}).get("after_unknown")
        for change in (changes if isinstance(changes, list) else ())
        if isinstance(change, dict)
    }
    found = []
    for place, made in _planned(document.root[key]["root_module"], data[key]["root_module"]):
        values = place.mapping(made.get("values") or {}, "`values`")
        address = str(made.get("address"))
        values = _with_unknown(values, unknown.get(made.get("address")), address)
        found.append((place, address, str(made.get("type")), values))
    return _file(document, found)


def _planned(place: Place, module: Any) -> Iterator[tuple[Place, dict[str, Any]]]:
    module = place.mapping(module, "a module")
    places = place["resources"]
    for index, content in enumerate(places.sequence(module.get("resources") or [], "`resources`")):
        here = places[index]
        made = here.mapping(content, "a resource")
        if made.get("mode", "managed") == "managed" and made.get("type") in _KINDS:
            yield here, made
    children = place["child_modules"].sequence(module.get("child_modules") or [], "`child_modules`")
    for index, child in enumerate(children):
        yield from _planned(place["child_modules"][index], child)


def _with_unknown(value: Any, unknown: Any, path: str) -> Any:
    """The values of a plan with those that are known after apply only."""
    if unknown is True:
        return Unknown(f"${{{path}}}")
    if isinstance(unknown, dict) and isinstance(value, dict):
        return value | {
            key: _with_unknown(value.get(key), child, f"{path}.{key}")
            for key, child in unknown.items()
            if child
        }
    if isinstance(unknown, list) and isinstance(value, list):
        more = [*unknown, *[False] * len(value)]
        return [_with_unknown(item, more[index], f"{path}[{index}]") for index, item in enumerate(value)]
    return value


class _Configuration:
    def __init__(self, document: Document) -> None:
        self._root = document.root
        self._data = document.data
        self._known: dict[str, Any] = {}
        for name, content in self._named("variable"):
            if isinstance(content, dict) and content.get("default") is not None:
                self._known[f"var.{name}"] = content["default"]
        for block in _blocks(self._data.get("locals")):
            for name, content in block.items() if isinstance(block, dict) else ():
                self._known[f"local.{name}"] = content
        for _, kind, name, content in self.blocks():
            if kind in (_METRIC, _COMPOSITE) and content.get("alarm_name") is not None:
                for attribute in ("alarm_name", "id"):
                    self._known[f"{kind}.{name}.{attribute}"] = content["alarm_name"]
                self._known[f"{kind}.{name}.arn"] = content["alarm_name"]

    def _named(self, key: str) -> Iterator[tuple[str, Any]]:
        for block in _blocks(self._data.get(key)):
            for name, content in block.items() if isinstance(block, dict) else ():
                for one in _blocks(content):
                    yield name, one

    def blocks(self) -> Iterator[tuple[Place, str, str, dict[str, Any]]]:
        """The resources of the kinds that are read."""
        root = self._root["resource"]
        listed = isinstance(self._data["resource"], list)
        for number, block in enumerate(_blocks(self._data["resource"])):
            at = root[number] if listed else root
            for kind, named in at.mapping(block, "`resource`").items():
                if kind not in _KINDS:
                    continue
                for index, made in enumerate(_blocks(named)):
                    here = at[kind][index] if isinstance(named, list) else at[kind]
                    for name, content in here.mapping(made, f"`{kind}`").items():
                        inside = content if isinstance(content, list) else [content]
                        for one in inside:
                            yield here[name], kind, name, here[name].mapping(one, f"{kind}.{name}")

    def resolved(self, content: Mapping[str, Any]) -> dict[str, Any]:
        """A block with what is known in its text filled in."""
        repeated = any(key in content for key in ("count", "for_each"))
        return {key: self._value(child, repeated=repeated) for key, child in content.items()}

    def _value(self, value: Any, *, repeated: bool, depth: int = 0) -> Any:
        if isinstance(value, dict):
            return {key: self._value(child, repeated=repeated, depth=depth) for key, child in value.items()}
        if isinstance(value, list):
            return [self._value(child, repeated=repeated, depth=depth) for child in value]
        if not isinstance(value, str) or "{" not in value:
            return value
        whole = _PLACEHOLDER.fullmatch(value)
        if whole and whole[1].strip() in self._known and depth < 10:
            return self._value(self._known[whole[1].strip()], repeated=repeated, depth=depth + 1)

        def filled(found: re.Match[str]) -> str:
            name = found[1].strip()
            if name not in self._known or depth >= 10:
                return found[0]
            known = self._value(self._known[name], repeated=repeated, depth=depth + 1)
            return known.text if isinstance(known, Unknown) else str(known)

        text = _PLACEHOLDER.sub(filled, value)
        left = _PLACEHOLDER.search(text)
        plain = text.replace("$${", "${").replace("%%{", "%{")
        if left or re.search(r"(?<!%)%\{", text):
            return Unknown(plain, _type_and_attribute(text))
        return plain


def _type_and_attribute(text: str) -> str:
    """`aws_lb.arn` of `${aws_lb.main.arn}` and `${aws_lb.main[0].arn}`."""
    found = re.fullmatch(r"\$\{(?:data\.)?(aws_\w+)\.\w+(?:\[[^\]]*\])?\.(\w+)\}", text)
    return f"{found[1]}.{found[2]}" if found else ""


def _blocks(value: Any) -> list[Any]:
    """A block may be written as an object or as a list of them."""
    return value if isinstance(value, list) else [] if value is None else [value]


# The provider's resources as boto3's arguments


def _file(document: Document, found: list[tuple[Place, str, str, dict[str, Any]]]) -> AlarmFile:
    file = AlarmFile(document.path)
    policies = {
        values.get("arn"): _data(values.get("policy"))
        for _, _, kind, values in found
        if kind == "aws_sns_topic_policy"
    }
    for place, address, kind, values in found:
        if kind == _METRIC:
            file.alarms.append(Placed(_metric_alarm(values), place.where))
        elif kind == _COMPOSITE:
            file.composites.append(Placed(_composite_alarm(values), place.where))
        elif kind == "aws_sns_topic":
            names = {Unknown(f"${{{address}.{attribute}}}") for attribute in ("arn", "id")}
            names |= {values[key] for key in ("name", "arn") if values.get(key) is not None}
            policy = _data(values.get("policy"))
            policy = next((policies[name] for name in names if name in policies), policy)
            attributes = (
                {"KmsMasterKeyId": values["kms_master_key_id"]} if values.get("kms_master_key_id") else {}
            )
            file.topics.append(Topic(frozenset(names), attributes, policy, place.where))
        elif kind == "aws_sns_topic_subscription":
            endpoint = values.get("endpoint")
            file.subscriptions.append(
                Subscription(
                    values.get("topic_arn"),
                    values.get("protocol"),
                    "unknown" if endpoint is None else endpoint,
                    place.where,
                )
            )
        elif kind == "aws_cloudwatch_event_rule":
            name = values.get("name") or Unknown(f"${{{address}}}")
            file.rules.append(EventRule(name, _data(values.get("event_pattern")), place.where))
    return file


def _data(value: Any) -> Any:
    """JSON text as data; what cannot be read is unknown."""
    if not isinstance(value, str) or not value:
        return value or None
    try:
        return json.loads(value)
    except ValueError:
        return Unknown(value)


def _metric_alarm(values: Mapping[str, Any]) -> dict[str, Any]:
    arguments = _arguments(values, ("dimensions", "metric_query", "tags", "tags_all"))
    if values.get("dimensions"):
        arguments["Dimensions"] = _dimensions(values["dimensions"])
    queries = values.get("metric_query")
    if isinstance(queries, Unknown) or values.get("dynamic"):
        arguments["Metrics"] = queries if isinstance(queries, Unknown) else Unknown("${dynamic}")
    elif queries:
        arguments["Metrics"] = [_query(query) for query in _blocks(queries) if isinstance(query, dict)]
    return arguments


def _composite_alarm(values: Mapping[str, Any]) -> dict[str, Any]:
    arguments = _arguments(values, ("actions_suppressor", "tags", "tags_all"))
    for suppressor in _blocks(values.get("actions_suppressor")):
        if isinstance(suppressor, dict):
            arguments["ActionsSuppressor"] = suppressor.get("alarm")
            for key, name in (("wait_period", "WaitPeriod"), ("extension_period", "ExtensionPeriod")):
                if suppressor.get(key) is not None:
                    arguments[f"ActionsSuppressor{name}"] = number_of(suppressor[key])
    return arguments


_OWN = ("alarm_name", "alarm_description", "alarm_rule", "actions_enabled", "comparison_operator", "datapoints_to_alarm",
        "evaluation_periods", "evaluate_low_sample_count_percentiles", "extended_statistic", "metric_name", "namespace", "period",
        "statistic", "threshold", "threshold_metric_id", "treat_missing_data", "unit", "alarm_actions", "ok_actions",
        "insufficient_data_actions")  # fmt: skip


def _arguments(values: Mapping[str, Any], handled: tuple[str, ...]) -> dict[str, Any]:
    arguments = {
        _RENAMED.get(key, _camel(key)): number_of(value) if key in _NUMBERS else value
        for key, value in values.items()
        if key in _OWN and key not in handled and value not in (None, "", [])
    }
    tags = values.get("tags") or values.get("tags_all")
    if isinstance(tags, dict):
        arguments["Tags"] = [{"Key": key, "Value": value} for key, value in tags.items()]
    return arguments


def _query(query: Mapping[str, Any]) -> dict[str, Any]:
    made: dict[str, Any] = {"Id": query.get("id"), "ReturnData": query.get("return_data") in (True, "true")}
    if isinstance(query.get("return_data"), Unknown):
        made["ReturnData"] = query["return_data"]
    for key in ("expression", "label", "period"):
        if query.get(key) not in (None, "", 0):
            made[_camel(key)] = number_of(query[key]) if key == "period" else query[key]
    for metric in _blocks(query.get("metric")):
        if isinstance(metric, dict):
            known = {
                "Namespace": metric.get("namespace"),
                "MetricName": metric.get("metric_name"),
                "Dimensions": _dimensions(metric.get("dimensions") or {}),
            }
            stat = {"Metric": known, "Period": number_of(metric.get("period")), "Stat": metric.get("stat")}
            made["MetricStat"] = stat | ({"Unit": metric["unit"]} if metric.get("unit") else {})
    return made


def _dimensions(value: Any) -> Any:
    if isinstance(value, list) and len(value) == 1:
        value = value[0]
    if not isinstance(value, dict):
        return Unknown("${dimensions}")
    return [{"Name": name, "Value": content} for name, content in value.items()]


def _camel(word: str) -> str:
    return "".join(part.capitalize() for part in word.split("_"))

"""CloudWatch alarms read from files that anybody wrote: boto3's JSON, CloudFormation, Terraform JSON, in one neutral form.

The neutral form is the arguments of boto3's `put_metric_alarm` and `put_composite_alarm`. What cannot be known without AWS is `Unknown`.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import yaml

from orders_obs.alerts.nodes import check_aliases, nested_deeply
from orders_obs.errors import UserError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

__all__ = [
    "AlarmFile",
    "Document",
    "EventRule",
    "Place",
    "Placed",
    "Subscription",
    "Topic",
    "Unknown",
    "number_of",
    "read_alarms",
    "text_of",
]


@dataclass(frozen=True, slots=True)
class Unknown:
    """A value that only AWS, or whoever applies the file, knows.

    Attributes:
        text: What is known of it, with `${…}` for the rest. Two of the same text are the same value.
        of: Where it refers to one resource: its type and attribute, such as `aws_lb.arn`.
    """

    text: str
    of: str = field(default="", compare=False)


def text_of(value: Any) -> str:
    """A value as text, an unknown one with its `${…}`."""
    return value.text if isinstance(value, Unknown) else str(value)


def number_of(value: Any) -> Any:
    """Text that is a number as one, everything else as it is."""
    if not isinstance(value, str):
        return value
    try:
        return float(value) if not value.lstrip("-").isdigit() else int(value)
    except ValueError:
        return value


@dataclass(frozen=True, slots=True)
class Placed:
    """The arguments of an alarm, and `FILE:LINE` of where it begins."""

    arguments: dict[str, Any]
    where: str


@dataclass(frozen=True, slots=True)
class Topic:
    """An SNS topic.

    Attributes:
        names: All by which something may refer to it: its name, its address, references.
        attributes: Such as `KmsMasterKeyId`.
        policy: Its policy where the file has one, as data; None where it has none.
        where: `FILE:LINE`.
    """

    names: frozenset[Any]
    attributes: Mapping[str, Any]
    policy: Any
    where: str


@dataclass(frozen=True, slots=True)
class Subscription:
    """An SNS subscription. `endpoint` may be a secret and is never shown; `unknown` where the file does not hold it."""

    topic: Any
    protocol: Any
    endpoint: Any = field(repr=False)
    where: str


@dataclass(frozen=True, slots=True)
class EventRule:
    """An EventBridge rule; `pattern` is data, None where there is none, `Unknown` where it cannot be known."""

    name: Any
    pattern: Any
    where: str


@dataclass(slots=True)
class AlarmFile:
    """What a file says of alarms and of whom they tell.

    Attributes:
        path: The file.
        alarms: Metric alarms.
        composites: Composite alarms.
        topics: SNS topics.
        subscriptions: SNS subscriptions.
        rules: EventBridge rules.
        complete: Whether every alarm that a composite may name is in it.
    """

    path: Path
    alarms: list[Placed] = field(default_factory=list)
    composites: list[Placed] = field(default_factory=list)
    topics: list[Topic] = field(default_factory=list)
    subscriptions: list[Subscription] = field(default_factory=list)
    rules: list[EventRule] = field(default_factory=list)
    complete: bool = False


# What stands in every file of a known form; the rest need not be parsed.
_MARKS = ("AlarmName", "MetricAlarms", "CompositeAlarms", "metric_alarms", "composite_alarms", "AWS::",
          "AWSTemplateFormatVersion", "aws_cloudwatch_", "aws_sns_", "planned_values", "root_module")  # fmt: skip
_LISTS = ("MetricAlarms", "CompositeAlarms", "metric_alarms", "composite_alarms")
_SERVICES = ("AWS::CloudWatch::", "AWS::SNS::", "AWS::Events::")


def read_alarms(text: str, path: Path) -> AlarmFile | None:
    """The alarms of a file.

    Known are: the output of `aws cloudwatch describe-alarms`, the arguments of one `put_metric_alarm` or a list of them, this
    product's own builds, CloudFormation templates (JSON or YAML), Terraform JSON and the output of `terraform show -json`.

    Args:
        text: Content of the file.
        path: Its name, for `FILE:LINE`.

    Returns:
        None where it is none of these.

    Raises:
        UserError: It is one, but broken.
    """
    from orders_obs.alerts.lint.cloudwatch import templates, terraform

    if not any(mark in text for mark in _MARKS):
        return None
    if nested_deeply(text):
        raise UserError("is nested too deeply", file=path, line=1)
    document = Document(text, path)
    data = document.data
    if isinstance(data, list):
        if data and all(isinstance(item, dict) and "AlarmName" in item for item in data):
            return _listed(
                AlarmFile(path), [(document.root, item) for item in _numbered(document.root, data)]
            )
        return None
    if not isinstance(data, dict):
        return None
    if any(key in data for key in _LISTS):
        return _calls(document)
    if "AlarmName" in data:
        return _listed(AlarmFile(path), [(document.root, (document.root, data))])
    resources = data.get("Resources")
    if isinstance(resources, dict) and _is_template(data, resources):
        return templates.read(document)
    if any(
        isinstance(data.get(key), dict) and "root_module" in data[key] for key in ("planned_values", "values")
    ):
        return terraform.read_plan(document)
    if "resource" in data and ("aws_cloudwatch_" in text or "aws_sns_" in text):
        return terraform.read(document)
    return None


def _is_template(data: Mapping[str, Any], resources: Mapping[str, Any]) -> bool:
    if "AWSTemplateFormatVersion" in data:
        return True
    kinds = [made.get("Type") for made in resources.values() if isinstance(made, dict)]
    return any(isinstance(kind, str) and kind.startswith(_SERVICES) for kind in kinds)


# Places


class Place:
    """Where a value stands, as far as the format says it."""

    __slots__ = ("_children", "_node", "line", "path")

    def __init__(self, path: Path, node: yaml.Node | None, line: int) -> None:
        self.path = path
        self.line = line
        self._node = node
        self._children: dict[Any, tuple[int, yaml.Node]] | None = None

    @property
    def where(self) -> str:
        """`FILE:LINE`."""
        return f"{self.path}:{self.line}"

    def __getitem__(self, key: str | int) -> Place:
        """The place of a child; its own line where the child is not found."""
        if self._children is None:
            self._children = dict(self._find())
        line, node = self._children.get(key, (self.line, None))
        return Place(self.path, node, line)

    def _find(self) -> Iterator[tuple[Any, tuple[int, yaml.Node]]]:
        if isinstance(self._node, yaml.MappingNode):
            for name, value in self._node.value:
                yield name.value, (name.start_mark.line + 1, value)
        elif isinstance(self._node, yaml.SequenceNode):
            for index, value in enumerate(self._node.value):
                yield index, (value.start_mark.line + 1, value)

    def fail(self, message: str, hint: str = "") -> UserError:
        """The error that says what is wrong here."""
        return UserError(message, hint=hint, file=self.path, line=self.line)

    def mapping(self, value: Any, name: str) -> dict[str, Any]:
        """A value that must be keys and values."""
        if not isinstance(value, dict):
            raise self.fail(f"{name} must be a mapping of keys and values")
        return value

    def sequence(self, value: Any, name: str) -> list[Any]:
        """A value that must be a list."""
        if not isinstance(value, list):
            raise self.fail(f"{name} must be a list")
        return value


# libyaml's parser is ten times as fast as the one in Python.
_Fast: type[Any] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class _Loader(_Fast):  # type: ignore[misc]  # one of two classes of the same shape
    """YAML with CloudFormation's short forms, made the long ones."""


def _intrinsic(loader: Any, suffix: str, node: yaml.Node) -> dict[str, Any]:
    if isinstance(node, yaml.ScalarNode):
        value: Any = loader.construct_scalar(node)
    elif isinstance(node, yaml.SequenceNode):
        value = loader.construct_sequence(node, deep=True)
    else:
        value = loader.construct_mapping(node, deep=True)
    if suffix == "GetAtt" and isinstance(value, str):
        value = value.split(".", 1)
    return {suffix if suffix in ("Ref", "Condition") else f"Fn::{suffix}": value}


_Loader.add_multi_constructor("!", _intrinsic)
# A date is text here, as in `Version: 2012-10-17`.
_Loader.add_constructor("tag:yaml.org,2002:timestamp", lambda loader, node: loader.construct_scalar(node))


class Document:
    """A file's data, and the places of its parts.

    Raises:
        UserError: It is neither JSON nor YAML.
    """

    def __init__(self, text: str, path: Path) -> None:
        self.path = path
        self.data: Any = None
        written_in_braces = text.lstrip("\ufeff \t\r\n")[:1] in ("{", "[")
        node = self._json(text) if written_in_braces else self._yaml(text)
        self.root = Place(path, node, 1)

    def _json(self, text: str) -> yaml.Node | None:
        try:
            self.data = json.loads(text.lstrip("\ufeff"))
        except json.JSONDecodeError as error:
            if self.path.suffix != ".json":
                # YAML may be written in braces too.
                return self._yaml(text)
            raise UserError(f"is not JSON: {error.msg}", file=self.path, line=error.lineno) from None
        except RecursionError:
            raise UserError("is nested too deeply", file=self.path, line=1) from None
        try:
            return yaml.compose(text, Loader=_Loader)
        except (yaml.YAMLError, RecursionError, ValueError):
            # The few things that JSON may hold and YAML may not cost the line numbers only.
            return None

    def _yaml(self, text: str) -> yaml.Node | None:
        loader = _Loader(text)
        try:
            node: yaml.Node | None = loader.get_single_node()
            if node is not None:
                check_aliases(self.path, node)
            self.data = None if node is None else loader.construct_document(node)
        except yaml.MarkedYAMLError as error:
            line = error.problem_mark.line + 1 if error.problem_mark else 1
            raise UserError(f"is not YAML: {error.problem}", file=self.path, line=line) from None
        except yaml.YAMLError as error:
            raise UserError(f"is not YAML: {error}", file=self.path, line=1) from None
        except (RecursionError, ValueError, TypeError) as error:
            raise UserError(f"is not YAML: {type(error).__name__}", file=self.path, line=1) from None
        finally:
            loader.dispose()
        return node


# Arguments of boto3's calls


def _numbered(place: Place, items: list[Any]) -> list[tuple[Place, Any]]:
    return [(place[index], item) for index, item in enumerate(items)]


def _listed(file: AlarmFile, items: list[tuple[Place, tuple[Place, Any]]]) -> AlarmFile:
    for _, (place, item) in items:
        arguments = place.mapping(item, "an alarm")
        to = file.composites if "AlarmRule" in arguments else file.alarms
        to.append(Placed(arguments, place.where))
    return file


def _calls(document: Document) -> AlarmFile:
    data, root = document.data, document.root
    # The output of describe-alarms names both kinds; a build has all of an environment.
    file = AlarmFile(document.path, complete=not ("MetricAlarms" in data and not data.get("CompositeAlarms")))
    for key in _LISTS:
        if data.get(key) is not None:
            items = _numbered(root[key], root[key].sequence(data[key], f"`{key}`"))
            _listed(file, [(root, item) for item in items])
    for place, topic in _parts(root, data, "topics"):
        policy = topic.get("Policy")
        named = topic.get("Name")
        names = {named, *(text for text in _resources(policy) if text.endswith(f":{named}"))}
        file.topics.append(Topic(frozenset(names), topic.get("Attributes") or {}, policy, place.where))
    for place, subscription in _parts(root, data, "subscriptions"):
        file.subscriptions.append(
            Subscription(
                subscription.get("TopicArn"),
                subscription.get("Protocol"),
                subscription.get("Endpoint", "unknown"),
                place.where,
            )
        )
    for place, rule in _parts(root, data, "rules"):
        pattern = rule.get("EventPattern")
        if isinstance(pattern, str):
            try:
                pattern = json.loads(pattern)
            except ValueError:
                raise place.fail("its `EventPattern` is not JSON") from None
        file.rules.append(EventRule(rule.get("Name"), pattern, place.where))
    return file


def _parts(root: Place, data: Mapping[str, Any], key: str) -> Iterator[tuple[Place, dict[str, Any]]]:
    if data.get(key) is None:
        return
    for place, item in _numbered(root[key], root[key].sequence(data[key], f"`{key}`")):
        yield place, place.mapping(item, f"an item of `{key}`")


def _resources(policy: Any) -> Iterator[str]:
    statements = policy.get("Statement") if isinstance(policy, dict) else None
    for statement in statements if isinstance(statements, list) else ():
        resource = statement.get("Resource") if isinstance(statement, dict) else None
        yield from (
            text for text in (resource if isinstance(resource, list) else [resource]) if isinstance(text, str)
        )

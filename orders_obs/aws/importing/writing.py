"""A part of the catalogue as YAML: whatever a text looks like, it is read as the same text."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import yaml

from orders_obs.alerts.raw import ACTIONS

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from orders_obs.aws.importing.existing import Existing

__all__ = ["Entry", "part", "raw_of"]

# Text that every reader of YAML takes for text without quotes; all other is in quotes.
_PLAIN = re.compile(
    r"[A-Za-z/][A-Za-z0-9_./-]*(?: [A-Za-z0-9_./-]+)*|arn:[A-Za-z0-9_./:-]*[A-Za-z0-9_/]", re.ASCII
)
_WORDS = frozenset(
    {"y", "n", "yes", "no", "on", "off", "true", "false", "null", "none", "nan", "inf", "infinity"}
)
_WHOLE = 2.0**53
"""Below this a float without a fraction is the same number as the integer."""


@dataclass(frozen=True, slots=True)
class Entry:
    """An alert of the part.

    Attributes:
        name: Of the alert.
        thing: From what it is.
        severity: Whom it tells, in the catalogue's name.
        comments: What is said beside it.
        readable: The words that would mean the same condition; empty where the language has none.
        findings: What lint says of it.
    """

    name: str
    thing: Existing
    severity: str
    comments: tuple[str, ...] = ()
    readable: tuple[str, ...] = ()
    findings: tuple[str, ...] = field(default=())


def part(entries: Sequence[Entry], environment: str, head: Iterable[str]) -> str:
    """The text of the part.

    Args:
        entries: Its alerts.
        environment: The one that has them.
        head: What its first lines say.
    """
    lines = [*map(_comment, head), "catalogue: 1", "alerts:"]
    for number, entry in enumerate(entries):
        lines += [*([""] if number else []), *(f"  {_comment(text)}" for text in entry.comments)]
        if entry.readable:
            lines.append("  # The same condition in the words of the catalogue:")
            lines += [f"  #   {line}" for line in entry.readable]
        text = yaml.dump(
            {entry.name: _words(entry, environment)},
            Dumper=_Dumper,
            sort_keys=False,
            default_flow_style=False,
            allow_unicode=True,
            width=math.inf,
        )
        lines += [f"  {line}" if line else "" for line in text.split("\n")[:-1]]
    return "\n".join(lines) + "\n"


def raw_of(thing: Existing) -> dict[str, Any]:
    """The raw form of an alarm or rule, with everything said that the catalogue would otherwise give."""
    if thing.kind == "rule":
        return {"prometheus": dict(thing.arguments)}
    said = {"AlarmName": thing.name, "AlarmDescription": "", "AlarmActions": [], "OKActions": []}
    arguments = {**said, **thing.arguments}
    if arguments.get("ActionsEnabled") is True:
        del arguments["ActionsEnabled"]
    head = {key: arguments.pop(key) for key in (*said, "ActionsEnabled", *ACTIONS) if key in arguments}
    return {"cloudwatch": {**head, **arguments}}


def _words(entry: Entry, environment: str) -> dict[str, Any]:
    engine = "prometheus" if entry.thing.kind == "rule" else "cloudwatch"
    return {
        "environments": _Row([environment]),
        "engines": _Row([engine]),
        "severity": entry.severity,
        "raw": _shaped(raw_of(entry.thing)),
    }


def _comment(text: str) -> str:
    """A comment in one line: nothing in it ends the line for a reader of YAML."""
    return f"# {''.join(letter if letter.isprintable() else ' ' for letter in text)}".rstrip()


class _Row(list[Any]):
    """A list in one line."""


class _Line(dict[str, Any]):
    """Keys and values in one line."""


def _shaped(value: Any, key: str = "") -> Any:
    """Plain data with what is short in one line: dimensions, and lists of nothing."""
    if isinstance(value, dict):
        shaped = {str(name): _shaped(child, str(name)) for name, child in value.items()}
        return _Line(shaped) if key == "Dimensions" else shaped
    if isinstance(value, list | tuple):
        items = [_shaped(child, key if key == "Dimensions" else "") for child in value]
        return items or _Row()
    if isinstance(value, float) and value.is_integer() and abs(value) < _WHOLE:
        return int(value)
    return value


class _Dumper(yaml.SafeDumper):
    """YAML in which text is text for readers of version 1.1 and 1.2 alike."""

    def ignore_aliases(self, data: Any) -> bool:
        """Each value is written where it stands."""
        del data
        return True

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:
        """Lists are indented below their key."""
        del indentless
        super().increase_indent(flow, False)


def _text(dumper: yaml.SafeDumper, value: str) -> yaml.Node:
    if _PLAIN.fullmatch(value) and value.lower() not in _WORDS:
        return dumper.represent_scalar("tag:yaml.org,2002:str", value)
    block = "\n" in value and all(line.isprintable() for line in value.split("\n"))
    return dumper.represent_scalar("tag:yaml.org,2002:str", value, style="|" if block else '"')


_Dumper.add_representer(str, _text)
_Dumper.add_representer(
    _Row, lambda dumper, value: dumper.represent_sequence("tag:yaml.org,2002:seq", value, flow_style=True)
)
_Dumper.add_representer(
    _Line,
    lambda dumper, value: dumper.represent_mapping("tag:yaml.org,2002:map", value.items(), flow_style=True),
)

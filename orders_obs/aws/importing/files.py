"""Alarms and rules of a file, of every kind that lint reads."""

from __future__ import annotations

import hashlib
import json
import re
from typing import TYPE_CHECKING, Any

from orders_obs.alerts import units
from orders_obs.alerts.lint.cloudwatch.files import Unknown, read_alarms
from orders_obs.alerts.nodes import Node, compose, did_you_mean, nested_deeply, read_text
from orders_obs.alerts.raw import exact
from orders_obs.aws.importing.existing import Existing, Found, Refusal, alarm
from orders_obs.errors import UserError
from orders_obs.redact import redact_text

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from orders_obs.alerts.lint.cloudwatch.files import Placed
    from orders_obs.alerts.model import Environment

__all__ = ["read_file", "rules_text"]

_RULE_WORDS = ("alert", "annotations", "expr", "for", "keep_firing_for", "labels", "record")
_GROUP_WORDS = ("interval", "labels", "limit", "name", "partial_response_strategy", "query_offset", "rules")
_LEFT_OUT = ("limit", "partial_response_strategy", "query_offset")
_DIGEST = 12
# A backslash that is escaped itself, or the two halves of a letter (RFC 8259, section 7).
_HALVES = re.compile(r"(\\\\)|\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}")


def read_file(path: Path, environment: Environment) -> Found:
    """The alarms or alerting rules of a file.

    Args:
        path: What `aws cloudwatch describe-alarms` prints, arguments of boto3's calls, a CloudFormation template, Terraform JSON, or
            rules of Prometheus.
        environment: Whose interval the rules would have.

    Raises:
        UserError: It cannot be read, or is none of these.
    """
    text = read_text(path)
    digest = hashlib.sha256(text.encode()).hexdigest()[:_DIGEST]
    found = Found(f"{path.name} (SHA-256 {digest}…)")
    file = read_alarms(text, path)
    if file is not None:
        for placed in (*file.alarms, *file.composites):
            _add_alarm(found, placed)
        _note_owner(found, text, path)
        return found
    text = rules_text(text)
    if nested_deeply(text):
        raise UserError("is nested too deeply", file=path, line=1)
    composed = compose(text, path)
    top = Node(path, composed, "the file") if composed is not None else None
    if top is None or not top.is_mapping or not {"groups", "spec"} & set(top.mapping()):
        raise UserError(
            "has no alarms and no rules that can be read",
            hint="the output of describe-alarms, boto3's arguments, a CloudFormation template, Terraform JSON, or rules of Prometheus",
            file=path,
        )
    words = top.mapping()
    groups = words.get("groups") or words["spec"].mapping().get("groups")
    for group in groups.sequence() if groups is not None else ():
        _add_group(found, group, environment)
    return found


def _add_alarm(found: Found, placed: Placed) -> None:
    arguments = placed.arguments
    name = arguments.get("AlarmName")
    if not isinstance(name, str) or not name:
        known = name.text if isinstance(name, Unknown) else "an alarm"
        found.refused.append(
            Refusal(known, "its name is not in the file", "import it by its name from AWS", placed.where)
        )
        return
    unknown = next(_unknown(arguments, ""), "")
    if unknown:
        found.refused.append(
            Refusal(
                name,
                f"its {unknown} is not in the file: only AWS knows it",
                "import it by its name from AWS",
                placed.where,
            )
        )
        return
    # A file may write numbers and flags as text; plain data is what AWS would have.
    found.things.append(
        alarm(
            json.loads(json.dumps(arguments, default=str)), _tags(arguments.get("Tags")), where=placed.where
        )
    )


def _unknown(value: Any, path: str) -> Iterator[str]:
    if isinstance(value, Unknown):
        yield f"{path} ({value.text})"
    elif isinstance(value, dict):
        for key, child in value.items():
            yield from _unknown(child, f"{path}.{key}" if path else str(key))
    elif isinstance(value, list):
        for index, child in enumerate(value):
            yield from _unknown(child, f"{path}[{index}]")


def _tags(value: Any) -> dict[str, str]:
    if isinstance(value, dict):
        return {str(key): str(content) for key, content in value.items()}
    pairs = [pair for pair in value if isinstance(pair, dict)] if isinstance(value, list) else []
    return {str(pair["Key"]): str(pair.get("Value", "")) for pair in pairs if "Key" in pair}


def _note_owner(found: Found, text: str, path: Path) -> None:
    """Who makes the alarms of a template or a configuration is not in it."""
    if "aws_cloudwatch_" in text:
        found.notes.append(
            f"{path}: what Terraform has applied stays in its state: take it out there (terraform state rm) before plan and apply"
        )
    elif "AWS::CloudWatch::" in text:
        found.notes.append(
            f"{path}: what a stack has made from this template it owns:"
            " give it DeletionPolicy: Retain, and take it out of the template, before plan and apply"
        )


# Rules of Prometheus


def rules_text(text: str) -> str:
    """The text of a rule file for a reader of YAML, which takes no letter that JSON escapes in two halves."""
    if text.lstrip()[:1] not in ("{", "["):
        return text
    return _HALVES.sub(lambda found: found[1] or json.loads(f'"{found[0]}"'), text)


def _add_group(found: Found, group: Node, environment: Environment) -> None:
    words = group.mapping(_GROUP_WORDS)
    name = words["name"].text() if "name" in words else "a group"
    every = units.duration_text(environment.every)
    if "interval" in words and words["interval"].text() not in (every, f"{environment.every:g}s"):
        found.notes.append(
            f"{group.source}: group {name} is evaluated every {words['interval'].text()},"
            f" and environment {environment.name} every {every}: its rules would be too"
        )
    for word in _LEFT_OUT:
        if word in words:
            found.notes.append(
                f"{words[word].source}: {word} of group {name} is left out: the catalogue's group has none"
            )
    shared = _texts(words["labels"]) if "labels" in words else {}
    recorded = []
    for rule in words["rules"].sequence() if "rules" in words else ():
        own = rule.mapping()
        if "record" in own:
            recorded.append(own["record"].text())
            continue
        _add_rule(found, rule, shared)
    if recorded:
        names = ", ".join(recorded[:5]) + (f" and {len(recorded) - 5} more" if len(recorded) > 5 else "")
        found.notes.append(
            f"{group.source}: the recording rules of group {name} are left out: {names}. Keep them loaded where alerts read them"
        )


def _add_rule(found: Found, node: Node, shared: dict[str, str]) -> None:
    own = node.mapping()
    if "alert" not in own or "expr" not in own:
        node.fail("is neither an alert nor a recording rule", "a rule has alert and expr")
    name = own["alert"].text()
    where = str(node.source)
    for word in own:
        if word not in _RULE_WORDS:
            found.refused.append(
                Refusal(name, f"its {word} is not known", did_you_mean(word, _RULE_WORDS), where)
            )
            return
    labels = {**shared, **(_texts(own["labels"]) if "labels" in own else {})}
    rule: dict[str, Any] = {"alert": name, "expr": own["expr"].text()}
    rule |= {word: own[word].text() for word in ("for", "keep_firing_for") if word in own}
    # Prometheus has no label with an empty value.
    rule["labels"] = {key: value for key, value in sorted(labels.items()) if value}
    rule["annotations"] = _texts(own["annotations"]) if "annotations" in own else {}
    rule = {key: value for key, value in rule.items() if value not in ("", {})}
    # Annotations and labels are templates, whose actions look like nothing secret.
    for path, text in _all_texts(rule):
        if redact_text(text) != text:
            found.refused.append(
                Refusal(
                    name, f"its {path} holds what looks like a secret, which does not belong into a catalogue",
                    "take it out of the rule first", where,
                )
            )  # fmt: skip
            return
    found.things.append(Existing("rule", name, rule, where=where))


def _texts(node: Node) -> dict[str, str]:
    return {key: exact(value) for key, value in sorted(node.mapping().items())}


def _all_texts(rule: dict[str, Any]) -> Iterator[tuple[str, str]]:
    for key, value in rule.items():
        if isinstance(value, dict):
            yield from ((f"{key}.{name}", text) for name, text in value.items())
        else:
            yield key, value

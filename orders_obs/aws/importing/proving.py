"""The proof that an import changes nothing: the written text is read, built, and compared with what is there, field by field."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from orders_obs.alerts.catalogue import load
from orders_obs.alerts.compile import prometheus
from orders_obs.alerts.compile.aws import compile_state
from orders_obs.aws.desired import desired_things
from orders_obs.aws.importing.target import EMPTY
from orders_obs.aws.normal import comparable
from orders_obs.errors import UserError
from orders_obs.redact import redact_text

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from orders_obs.alerts.model import ResolvedCatalogue
    from orders_obs.aws.importing.writing import Entry

__all__ = ["Proof", "prove", "refused_alone"]

_SHOWN = 200


@dataclass(slots=True)
class Proof:
    """What comparing gave.

    Attributes:
        differences: Each field in which what the catalogue makes is not what is there.
        also: What else of the catalogue's things is other with the import than without, such as a mute window that covers it.
    """

    differences: list[str] = field(default_factory=list)
    also: list[str] = field(default_factory=list)


def prove(catalogue: Path, environment: str, entries: Sequence[Entry], part: Path, text: str) -> Proof:
    """Read the catalogue with the part as if it were written, and compare.

    Args:
        catalogue: The file of the catalogue.
        environment: The environment.
        entries: What the part has.
        part: Where it is to be written.
        text: Its text.

    Raises:
        UserError: The catalogue cannot be read or built with it.
    """
    after = load(catalogue, parts={part: text}).resolve(environment)
    proof = Proof()
    rules = [entry for entry in entries if entry.thing.kind == "rule"]
    alarms = [entry for entry in entries if entry.thing.kind != "rule"]
    if alarms:
        _prove_alarms(proof, load(catalogue, parts={part: EMPTY}).resolve(environment), after, alarms)
    if rules:
        _prove_rules(proof, after, rules)
    return proof


def _prove_alarms(
    proof: Proof, before: ResolvedCatalogue, after: ResolvedCatalogue, entries: Sequence[Entry]
) -> None:
    made = {thing.identity: thing for thing in desired_things(compile_state(after), after.environment)}
    was = {thing.identity: thing for thing in desired_things(compile_state(before), before.environment)}
    for entry in entries:
        identity = f"{entry.thing.kind}/{entry.thing.name}"
        thing = made.pop(identity, None)
        if thing is None:
            proof.differences.append(f"{entry.thing.name}: the catalogue makes no such alarm")
            continue
        wanted = comparable(entry.thing.kind, entry.thing.arguments)
        proof.differences += _compared(entry.thing.name, wanted, thing.settings)
        was.pop(identity, None)
    for identity in sorted({*made, *was}):
        if identity not in was:
            proof.also.append(f"{identity} is new")
        elif identity not in made:
            proof.also.append(f"{identity} is gone")
        elif made[identity].settings != was[identity].settings:
            proof.also.append(f"{identity} changes")


def _prove_rules(proof: Proof, after: ResolvedCatalogue, entries: Sequence[Entry]) -> None:
    """Compare with the rules of the alerts, which are in the order of the catalogue."""
    group = prometheus.compile_rules(after)
    for entry in entries:
        own = [group.rules[place] for place in group.parts.get(entry.name, ())]
        rule = next((rule for rule in own if isinstance(rule, prometheus.AlertingRule)), None)
        if rule is None:
            proof.differences.append(f"{entry.thing.label}: the catalogue makes no such rule")
            continue
        made = {
            "alert": rule.alert,
            "expr": rule.expr,
            "for": rule.pending,
            "keep_firing_for": rule.keep,
            "labels": rule.labels,
            "annotations": rule.annotations,
        }
        made = {key: value for key, value in made.items() if value}
        wanted = {key: value for key, value in entry.thing.arguments.items() if value}
        proof.differences += _compared(entry.thing.label, wanted, made)


def _compared(name: str, wanted: dict[str, Any], made: dict[str, Any]) -> list[str]:
    return [
        f"{name}: {key} is {_shown(wanted.get(key))}, and the catalogue would make it {_shown(made.get(key))}"
        for key in sorted({*wanted, *made})
        if wanted.get(key) != made.get(key) or type(wanted.get(key)) is not type(made.get(key))
    ]


def _shown(value: Any) -> str:
    if value is None:
        return "not there"
    text = redact_text(json.dumps(value, ensure_ascii=False, sort_keys=True))
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"


def refused_alone(
    catalogue: Path, environment: str, entries: Sequence[Entry], part: Path, texts: Sequence[str]
) -> list[tuple[Entry, UserError]]:
    """Which entries cannot be read or built, each tried by itself, and why.

    Args:
        catalogue: The file of the catalogue.
        environment: The environment.
        entries: What was to be imported.
        part: Where it was to be written.
        texts: For each the text of a part with it alone.
    """
    found = []
    for entry, text in zip(entries, texts, strict=True):
        try:
            prove(catalogue, environment, [entry], part, text)
        except UserError as error:
            found.append((entry, error))
    return found

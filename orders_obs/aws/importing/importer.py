"""From what is there to a part of the catalogue: who owns it, what it is called, whom it tells, and the proof that nothing changes."""

from __future__ import annotations

import json
import os
from collections import Counter
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from orders_obs.alerts.catalogue import load
from orders_obs.alerts.compile.aws import compile_state
from orders_obs.alerts.compile.names import topic_arn
from orders_obs.alerts.compile.prometheus import WATCHDOG
from orders_obs.alerts.lint.cloudwatch.files import AlarmFile, Placed
from orders_obs.alerts.lint.cloudwatch.rules import lint_alarms
from orders_obs.alerts.lint.rule_files import lint_rules
from orders_obs.alerts.nodes import did_you_mean, read_text
from orders_obs.aws.importing.existing import Refusal
from orders_obs.aws.importing.files import rules_text
from orders_obs.aws.importing.naming import alert_names
from orders_obs.aws.importing.owners import Owners, hint
from orders_obs.aws.importing.proving import Proof, prove, refused_alone
from orders_obs.aws.importing.readable import readable
from orders_obs.aws.importing.target import EMPTY
from orders_obs.aws.importing.writing import Entry, part
from orders_obs.aws.things import OWN_TAGS, Owner
from orders_obs.errors import UserError
from orders_obs.redact import redact

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence

    from orders_obs.alerts.catalogue import Catalogue
    from orders_obs.alerts.model import AnyAlert, ResolvedCatalogue, Severity
    from orders_obs.aws.importing.existing import Existing, Found
    from orders_obs.aws.importing.owners import Stack
    from orders_obs.findings import Finding

__all__ = ["Importer", "Result"]

_SHOWN = 5


@dataclass(slots=True)
class Result:
    """What an import came to.

    Attributes:
        entries: What the part has.
        refused: What is not imported, and what would release it.
        proof: The comparison with what is there.
        notes: What else there is to say.
        text: The part; empty where there is none.
    """

    entries: list[Entry] = field(default_factory=list)
    refused: list[Refusal] = field(default_factory=list)
    proof: Proof = field(default_factory=Proof)
    notes: list[str] = field(default_factory=list)
    text: str = ""

    @property
    def adopted(self) -> list[tuple[str, str]]:
        """Name and ARN of each alarm that is to become the catalogue's on AWS."""
        return [(entry.thing.name, entry.thing.arn) for entry in self.entries if entry.thing.kind != "rule"]

    def as_data(self) -> dict[str, Any]:
        """For `--json`."""
        return {
            "imported": [
                {
                    "name": entry.thing.name,
                    "kind": entry.thing.kind,
                    "arn": entry.thing.arn,
                    "alert": entry.name,
                    "severity": entry.severity,
                    "readable": list(entry.readable),
                    "findings": list(entry.findings),
                }
                for entry in self.entries
            ],
            "refused": [asdict(refusal) for refusal in self.refused],
            "differences": self.proof.differences,
            "also": self.proof.also,
            "notes": self.notes,
        }


@dataclass(frozen=True, slots=True)
class Importer:
    """Makes a part of a catalogue.

    Attributes:
        catalogue: The catalogue.
        environment: The environment whose alarms they are.
        target: Where the part is to be written.
        states: What Terraform's states have: address and ARN by name.
        severities: The severity of an alarm by its name, where it is said.
        severity: That of all of which nothing else says it; empty where nothing is said.
        stack: Asks for the stack of an alarm; None where AWS is not asked.
        skip_refused: Whether the others are imported where one is refused.
    """

    catalogue: Catalogue
    environment: str
    target: Path
    states: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    severities: Mapping[str, str] = field(default_factory=dict)
    severity: str = ""
    stack: Callable[[Existing], Stack | None] | None = None
    skip_refused: bool = False

    def run(self, found: Found, when: str) -> Result:
        """Import what was found.

        Args:
            found: What was read.
            when: When, for the head of the part; empty for a file.

        Raises:
            UserError: A severity is not known, or the catalogue cannot be built.
            EnvironmentFault: AWS cannot be asked whose an alarm is.
        """
        base = self._base()
        resolved = base.resolve(self.environment)
        self._check_severities(resolved, found.things)
        result = Result(refused=list(found.refused), notes=list(found.notes))
        alarms = any(thing.kind != "rule" for thing in found.things)
        made = _made(resolved) if alarms else {}
        # What the part has that is to be written anew may carry the catalogue's tags already.
        again = set(_made(self.catalogue.resolve(self.environment))) - set(made) if alarms else set()
        owners = Owners(Owner(self.catalogue.service, self.environment), made, self.states, self.stack, again)
        kept: list[Existing] = []
        for thing in found.things:
            refusal = owners.refusal(thing) if thing.kind != "rule" else None
            if refusal is None:
                kept.append(thing)
            else:
                result.refused.append(refusal)
        if not kept or (result.refused and not self.skip_refused):
            return result
        result.notes += filter(None, map(hint, kept))
        entries = self._entries(kept, resolved, base.alert_names)
        result.notes += _about(entries, resolved)
        head = self._head(found, when)
        try:
            self._prove(result, entries, head)
        except UserError as error:
            texts = [part([entry], self.environment, head) for entry in entries]
            path = self.catalogue.path
            broken = refused_alone(path, self.environment, entries, self.target, texts)
            if not broken:
                raise
            result.refused += [_cannot(entry, reason) for entry, reason in broken]
            bad = {entry.name for entry, _ in broken}
            left = [entry for entry in entries if entry.name not in bad]
            if not self.skip_refused or not left:
                return result
            del error
            self._prove(result, left, head)
        return result

    def _prove(self, result: Result, entries: list[Entry], head: list[str]) -> None:
        text = part(entries, self.environment, head)
        result.proof = prove(self.catalogue.path, self.environment, entries, self.target, text)
        result.entries, result.text = entries, text

    def _head(self, found: Found, when: str) -> list[str]:
        read_at = f", read at {when}" if when else ""
        return [
            f"Imported by `orders-obs alerts import` for {self.environment} from {found.source}{read_at}.",
            "Each alarm and rule is kept as it is there, field by field. Include this file in the catalogue:",
            f"include: [{_from(self.target, self.catalogue.path.parent)}]",
        ]

    def _check_severities(self, resolved: ResolvedCatalogue, things: Sequence[Existing]) -> None:
        known = [severity.name for severity in resolved.severities]
        for name in (*self.severities.values(), *([self.severity] if self.severity else [])):
            if name not in known:
                raise UserError(f"{name!r} is no severity of the catalogue", hint=did_you_mean(name, known))
        names = {thing.name for thing in things}
        for name in self.severities:
            if name not in names:
                raise UserError(f"--severity-of names {name}, which is not imported", hint=did_you_mean(name, sorted(names)) if names else "")  # fmt: skip

    def _base(self) -> Catalogue:
        """The catalogue without the part that is to be written."""
        return load(self.catalogue.path, parts={self.target: EMPTY})

    def _entries(
        self, things: Sequence[Existing], resolved: ResolvedCatalogue, taken: Collection[str]
    ) -> list[Entry]:
        chosen = [self._severity_of(thing, resolved) for thing in things]
        unknown = [thing.label for thing, name in zip(things, chosen, strict=True) if not name]
        if unknown:
            more = f" and {len(unknown) - _SHOWN} more" if len(unknown) > _SHOWN else ""
            raise UserError(
                f"nothing says how bad it is: {', '.join(unknown[:_SHOWN])}{more}",
                hint="say --severity NAME for all of these, or --severity-of ALARM=NAME",
            )
        watchdog = [WATCHDOG] if resolved.environment.watchdog is not None else []
        often = Counter(thing.name for thing in things)
        identities = [
            # Rules of one name are told apart by their severities, where those differ.
            (
                f"{thing.name} {severity}" if often[thing.name] > 1 else thing.name,
                f"{self.environment}/{_identity(thing)}",
            )
            for thing, severity in zip(things, chosen, strict=True)
        ]
        names = alert_names(identities, [*taken, *watchdog])
        findings = _linted(things)
        severities = {severity.name: severity for severity in resolved.severities}
        entries = []
        for thing, name, severity, said in zip(things, names, chosen, findings, strict=True):
            words = readable(thing, resolved.environment, severities[severity])
            comments = (*_origin(thing), *(f"lint: {finding}" for finding in said))
            entries.append(Entry(name, thing, severity, comments, words, tuple(said)))
        return entries

    def _severity_of(self, thing: Existing, resolved: ResolvedCatalogue) -> str:
        """What is said, else the severity whose topic it tells, else what its tags or labels say, else the one for all."""
        if thing.name in self.severities:
            return self.severities[thing.name]
        if thing.kind != "rule":
            told = thing.arguments.get("AlarmActions", ())
            for severity in resolved.severities:
                if severity.topic and not severity.log and topic_arn(severity, resolved.environment) in told:
                    return severity.name
        said = thing.arguments.get("labels", {}) if thing.kind == "rule" else thing.tags
        words = {str(value).lower() for key, value in said.items() if key.lower() == "severity"}
        return next(
            (severity.name for severity in resolved.severities if severity.name in words), self.severity
        )


def _from(target: Path, folder: Path) -> str:
    """The path of a part as the catalogue names it."""
    return Path(os.path.relpath(target.resolve(), folder.resolve())).as_posix()


def _made(resolved: ResolvedCatalogue) -> dict[str, AnyAlert]:
    """The catalogue's own alarms by name; what belongs to an alert has its name, and more behind a dash."""
    state = compile_state(resolved)
    alerts = {alert.full_name: alert for alert in resolved}
    found = {}
    for alarm in (*state.metric_alarms, *state.composite_alarms):
        name = alarm["AlarmName"]
        owner = name
        while owner and owner not in alerts:
            owner = owner.rpartition("-")[0]
        if owner:
            found[name] = alerts[owner]
    return found


def _identity(thing: Existing) -> str:
    if thing.kind != "rule":
        return thing.name
    return json.dumps(thing.arguments, sort_keys=True)


def _origin(thing: Existing) -> list[str]:
    if thing.kind == "rule":
        return [f"Rule {thing.name}, {thing.where}"]
    kind = "Composite alarm" if thing.kind == "composite-alarm" else "Alarm"
    lines = [f"{kind} {thing.arn or thing.name}" + (f", {thing.where}" if thing.where else "")]
    tags = dict(sorted(redact(dict(thing.tags)).items()))
    if tags:
        lines.append("tags: " + ", ".join(f"{key}={value}" for key, value in tags.items()))
    return lines


def _linted(things: Sequence[Existing]) -> list[list[str]]:
    """What lint says of each."""
    alarms = AlarmFile(Path("alarms"))
    for number, thing in enumerate(things):
        if thing.kind == "rule":
            continue
        to = alarms.composites if thing.kind == "composite-alarm" else alarms.alarms
        to.append(
            Placed(
                {**thing.arguments, "Tags": [{"Key": k, "Value": v} for k, v in thing.tags.items()]},
                str(number),
            )
        )
    found: dict[str, list[Finding]] = {}
    for finding in lint_alarms(alarms):
        found.setdefault(finding.where, []).append(finding)
    files = {thing.where.rpartition(":")[0] for thing in things if thing.kind == "rule"}
    for file in sorted(files):
        for finding in lint_rules(rules_text(read_text(Path(file))), Path(file)):
            found.setdefault(finding.where, []).append(finding)
    said = []
    for number, thing in enumerate(things):
        own = found.get(thing.where if thing.kind == "rule" else str(number), [])
        if thing.arn:
            # AWS has the alarms that a composite refers to, or it would not have taken it.
            own = [finding for finding in own if finding.rule != "composite-child-unknown"]
        said.append(
            [
                f"{f.level}: {f.message.removeprefix(f'{thing.name}: ')} [{f.rule}]"
                + (f"; {f.hint}" if f.hint else "")
                for f in own
            ]
        )
    return said


def _about(entries: Sequence[Entry], resolved: ResolvedCatalogue) -> list[str]:
    """What people should know of how the imported stands in the catalogue."""
    severities: dict[str, Severity] = {severity.name: severity for severity in resolved.severities}
    notes = []
    for entry in entries:
        severity = severities[entry.severity]
        if entry.thing.kind == "rule":
            label = entry.thing.arguments.get("labels", {}).get("severity", "")
            if label != severity.name:
                has = f"the label severity={label}" if label else "no label severity"
                notes.append(
                    f"{entry.thing.label}: has {has}, so Alertmanager does not route it as {severity.name}"
                )
            continue
        own = sorted(OWN_TAGS & set(entry.thing.tags))
        if own:
            notes.append(
                f"{entry.thing.name}: its tags {', '.join(own)} become the catalogue's when it is adopted"
            )
        if severity.log:
            notes.append(
                f"{entry.thing.name}: severity {severity.name} only records, and its own actions stay: it tells whom it told"
            )
    return notes


def _cannot(entry: Entry, error: UserError) -> Refusal:
    return Refusal(
        entry.thing.name,
        f"the language cannot hold it: {error.message}",
        error.hint or "leave it as it is",
        entry.thing.where,
    )

"""Alarms that say what another one says, and what lint says of the settings of all of them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from orders_obs.alerts.lint.cloudwatch.rules import lint_alarms
from orders_obs.aws.audit.checks_metrics import are_there, fires_without_data
from orders_obs.aws.audit.model import Issue
from orders_obs.aws.audit.rules import REFUSED, REPLACED, subject_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from orders_obs.aws.audit.alarms import Alarm
    from orders_obs.aws.audit.view import View
    from orders_obs.findings import Level

__all__ = ["duplicates", "linted", "without_echoes"]

# What lint says of these says why there is no metric, and what to write instead.
_EXPLAINS_DEAD = ("dimension-set-unknown", "dimension-value-form", "metric-unknown")
_DEAD = ("metric-dead", "metric-other-dimensions")
_EXPLAINS_SILENT = (
    *_DEAD,
    *_EXPLAINS_DEAD,
    "unit-mismatch",
    "missing-data-on-sparse",
    "ratio-of-nothing",
    "evaluation-error",
)
_ACTIONS = 5
"""Actions that an alarm takes for a state (CloudWatch API reference, PutMetricAlarm)."""
_EXPLAINS_FIRING = (
    "alarm-always-fires",
    "missing-data-fires",
    "promql-always-fires",
    "threshold-scale",
    *_DEAD,
)


def linted(view: View) -> Iterator[Issue]:
    """What lint finds in the settings of alarms that people made, and in the patterns of event rules."""
    wanted = [alarm for alarm in view.alarms if not alarm.maker]
    # What has values is a metric, whatever is known of its service.
    there = {alarm.name for alarm in wanted if are_there(view, alarm)}
    firing = {alarm.name for alarm in wanted if fires_without_data(alarm)}
    for finding in lint_alarms(view.file(Path(view.place), wanted)):
        kind, _, thing = finding.where.partition(" ")
        if finding.rule in REPLACED or (finding.rule in _EXPLAINS_DEAD and thing in there):
            continue
        level: Level = "info" if finding.rule in REFUSED else finding.level
        silent = not (finding.rule in _EXPLAINS_DEAD and thing in firing)
        yield Issue(
            finding.rule, level, subject_of(finding.rule) if silent else "noise", view.place, kind, thing,
            finding.message.removeprefix(f"{thing}: "), finding.hint, (thing,) if kind == "alarm" else (),
        )  # fmt: skip


def duplicates(view: View) -> Iterator[Issue]:
    """Alarms on the same condition, and those on the same metric that tell the same people of the same thing."""
    same: dict[object, list[Alarm]] = {}
    alike: dict[object, list[Alarm]] = {}
    # What drives a machine is an alarm of its own beside the one that tells people.
    watching = [
        alarm
        for alarm in sorted(view.alarms, key=lambda alarm: alarm.name)
        if alarm.kind == "metric" and not alarm.maker and not alarm.is_machine
    ]
    for alarm in watching:
        if alarm.view.signature is None or alarm.view.threshold is None:
            continue
        same.setdefault(_condition(alarm), []).append(alarm)
        alike.setdefault((alarm.view.signature, _told(alarm)), []).append(alarm)
    for group in same.values():
        yield from _same(view, group)
    for first, *others in alike.values():
        for alarm in others:
            severities = {first.view.severity, alarm.view.severity}
            if not _told(first) or len(severities) > 1 or _condition(first) == _condition(alarm):
                continue
            yield view.issue(
                "nearly-duplicate", "alarm", alarm.name,
                f"watches the same as {first.name} ({alarm.view.condition}, and {first.view.condition}), and tells the same people",
                alarms=(alarm.name, first.name),
            )  # fmt: skip


def _condition(alarm: Alarm) -> tuple[object, ...]:
    view = alarm.view
    return view.signature, view.op, view.threshold, view.periods, view.datapoints, view.missing


def _told(alarm: Alarm) -> frozenset[str]:
    """Whom an alarm tells that it fires; nobody where its actions are off."""
    return frozenset(action.arn for action in alarm.actions("AlarmActions") if alarm.enabled)


def _does(alarm: Alarm) -> tuple[frozenset[str], ...]:
    """Whom an alarm tells of each state."""
    keys = ("AlarmActions", "OKActions", "InsufficientDataActions")
    return tuple(
        frozenset(action.arn for action in alarm.actions(key) if alarm.enabled)  # type: ignore[arg-type]
        for key in keys
    )


def _same(view: View, group: list[Alarm]) -> Iterator[Issue]:
    """What is to be said of alarms on one condition: those that tell the same say the same, the others must not just go."""
    firsts: dict[tuple[frozenset[str], ...], Alarm] = {}
    for alarm in group:
        first = firsts.setdefault(_does(alarm), alarm)
        if first is not alarm:
            yield view.issue(
                "duplicate-alarm", "alarm", alarm.name, f"watches the same as {first.name}, with the same settings",
                alarms=(alarm.name, first.name),
            )  # fmt: skip
    first, *others = firsts.values()
    most = max(len(frozenset().union(*told)) for told in zip(*firsts, strict=True))
    hint = (
        f"Together they have {most} actions, and one alarm takes {_ACTIONS}: first a topic that all of them are subscribed to, then one alarm."
        if most > _ACTIONS
        else ""
    )
    for alarm in others:
        told = (
            f"they tell different people ({_names(first)}, and {_names(alarm)})"
            if _told(first) != _told(alarm)
            else "they tell different people when it is over or has no data"
        )
        yield view.issue(
            "duplicate-other-receivers", "alarm", alarm.name, f"watches the same as {first.name}, with the same settings, and {told}",
            hint, alarms=(alarm.name, first.name),
        )  # fmt: skip


def _names(alarm: Alarm) -> str:
    named = sorted({action.name for action in alarm.actions("AlarmActions")}) if alarm.enabled else []
    return ", ".join(named) or "nobody"


def without_echoes(issues: list[Issue]) -> list[Issue]:
    """Findings without those that say again what another one of the same alarm has said better."""
    rules: dict[tuple[str, str], set[str]] = {}
    for issue in issues:
        if issue.level != "info":
            rules.setdefault((issue.kind, issue.thing), set()).add(issue.rule)
    kept = []
    for issue in issues:
        others = rules.get((issue.kind, issue.thing), set())
        echo = (
            (issue.rule in _DEAD and others & {*_EXPLAINS_DEAD})
            or (issue.rule == "insufficient-data" and others & {*_EXPLAINS_SILENT})
            or (issue.rule == "stuck-in-alarm" and others & {*_EXPLAINS_FIRING})
        )
        if not echo:
            kept.append(issue)
    return list(dict.fromkeys(kept))

"""Alarms that say what another one says, and what lint says of the settings of all of them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from orders_obs.alerts.lint.cloudwatch.rules import lint_alarms
from orders_obs.aws.audit.checks_metrics import are_there
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
    for finding in lint_alarms(view.file(Path(view.place), wanted)):
        kind, _, thing = finding.where.partition(" ")
        if finding.rule in REPLACED or (finding.rule in _EXPLAINS_DEAD and thing in there):
            continue
        level: Level = "info" if finding.rule in REFUSED else finding.level
        yield Issue(
            finding.rule, level, subject_of(finding.rule), view.place, kind, thing,
            finding.message.removeprefix(f"{thing}: "), finding.hint, (thing,) if kind == "alarm" else (),
        )  # fmt: skip


def duplicates(view: View) -> Iterator[Issue]:
    """Alarms on the same condition, and those on the same metric that tell the same people of the same thing."""
    same: dict[object, list[Alarm]] = {}
    alike: dict[object, list[Alarm]] = {}
    for alarm in view.alarms:
        # What drives a machine is an alarm of its own beside the one that tells people.
        if alarm.kind != "metric" or alarm.maker or alarm.is_machine or alarm.view.signature is None:
            continue
        if alarm.view.threshold is None:
            continue
        told = frozenset(action.arn for action in alarm.actions("AlarmActions"))
        watched = alarm.view.signature
        settings = (
            alarm.view.op,
            alarm.view.threshold,
            alarm.view.periods,
            alarm.view.datapoints,
            alarm.view.missing,
        )
        same.setdefault((watched, settings), []).append(alarm)
        alike.setdefault((watched, told), []).append(alarm)
    paired = set()
    for group in same.values():
        first, *others = sorted(group, key=lambda alarm: alarm.name)
        for alarm in others:
            paired.add(frozenset((first.name, alarm.name)))
            yield view.issue(
                "duplicate-alarm", "alarm", alarm.name, f"watches the same as {first.name}, with the same settings",
                alarms=(alarm.name, first.name),
            )  # fmt: skip
    for (_, told), group in alike.items():  # type: ignore[misc]
        first, *others = sorted(group, key=lambda alarm: alarm.name)
        for alarm in others:
            severities = {first.view.severity, alarm.view.severity}
            if not told or len(severities) > 1 or frozenset((first.name, alarm.name)) in paired:
                continue
            yield view.issue(
                "nearly-duplicate", "alarm", alarm.name,
                f"watches the same as {first.name} ({alarm.view.condition}, and {first.view.condition}), and tells the same people",
                alarms=(alarm.name, first.name),
            )  # fmt: skip


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

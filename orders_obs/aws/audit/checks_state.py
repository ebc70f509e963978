"""What an alarm's state and its history say of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from orders_obs.aws.audit.read_times import DAYS
from orders_obs.aws.audit.rules import RULES
from orders_obs.aws.audit.view import day

if TYPE_CHECKING:
    from collections.abc import Iterator

    from orders_obs.aws.audit.alarms import Alarm
    from orders_obs.aws.audit.model import Issue
    from orders_obs.aws.audit.view import View

__all__ = ["FIRING", "SILENT", "history", "states"]

SILENT = 7.0
"""Days in INSUFFICIENT_DATA from which on an alarm is said to watch nothing."""
FIRING = 14.0
"""Days in ALARM from which on nobody looks at it any more."""
_UNTRIED = 180.0
_FLAPS = 14
"""Times that an alarm fires in a week, twice a day, from which on it flaps."""
_SHOWN = 200


def states(view: View) -> Iterator[Issue]:
    """Alarms that CloudWatch cannot evaluate, and those that have not moved for long."""
    for alarm in view.alarms:
        said = str(alarm.described.get("EvaluationState") or "")
        reason = str(alarm.described.get("StateReason") or "")[:_SHOWN]
        if said == "EVALUATION_ERROR":
            yield view.issue(
                "evaluation-error", "alarm", alarm.name, "cannot be evaluated", f"CloudWatch says: {reason}"
            )
            continue
        if said in ("EVALUATION_FAILURE", "PARTIAL_DATA"):
            what = (
                "is evaluated on a part of its data"
                if said == "PARTIAL_DATA"
                else "could not be evaluated lately"
            )
            hint = f"CloudWatch says: {reason}. {RULES['evaluation-partial'].remedy}"
            yield view.issue("evaluation-partial", "alarm", alarm.name, f"{what} ({said})", hint)
        days = view.days(alarm.since)
        # An alarm that drives a scaling policy is in ALARM while there is little to do.
        if days is None or alarm.maker or alarm.scales or alarm.is_machine:
            continue
        if alarm.state == "INSUFFICIENT_DATA" and days >= SILENT:
            yield view.issue(
                "insufficient-data", "alarm", alarm.name, f"has had no data since {day(alarm.since)}",
                level="info" if _may_be_idle(alarm) else None,
            )  # fmt: skip
        elif alarm.state == "ALARM" and days >= FIRING:
            # One that only a composite reads may stand for the time of day.
            inner = not alarm.actions("AlarmActions") and view.used_by(alarm)
            yield view.issue(
                "stuck-in-alarm", "alarm", alarm.name, f"has been in ALARM since {day(alarm.since)}",
                level="info" if inner else None,
            )  # fmt: skip
        elif alarm.state == "OK" and days >= _UNTRIED:
            yield view.issue(
                "never-changed", "alarm", alarm.name, f"has not left OK since {day(alarm.since)}"
            )


def _may_be_idle(alarm: Alarm) -> bool:
    """Whether it counts what need not happen, so that no data are nothing wrong."""
    return (
        alarm.view.op in (">", ">=")
        and bool(alarm.view.compared)
        and all(
            series.stat in ("Sum", "SampleCount")
            or (series.known is not None and series.known.reported != "always")
            for series in alarm.view.compared
        )
    )


def history(view: View) -> Iterator[Issue]:
    """Alarms that flap, and actions that failed."""
    for alarm in view.alarms:
        fired = len((view.seen.transitions or {}).get(alarm.name, ()))
        if fired >= _FLAPS and not alarm.maker and not alarm.is_machine:
            yield view.issue(
                "flapping", "alarm", alarm.name, "comes and goes",
                f"It fired {fired} times in {DAYS} days. {RULES['flapping'].remedy}",
            )  # fmt: skip
        failed = view.seen.failed_actions.get(alarm.name)
        if failed:
            action, at, said = failed
            yield view.issue(
                "action-failed", "alarm", alarm.name, f"CloudWatch could not run its action on {action.rpartition(':')[2] or 'a target'}",
                f"At {at}: {said}. {RULES['action-failed'].remedy}",
            )  # fmt: skip

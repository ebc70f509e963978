"""What alarms do when they fire, when it is over, and what keeps them from it: actions, suppressors, mute rules."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from orders_obs.alerts.lint.cloudwatch.reach_rules import children
from orders_obs.aws.audit.alarms import is_paging
from orders_obs.aws.audit.rules import RULES
from orders_obs.aws.audit.schedules import covers_all
from orders_obs.aws.audit.view import day

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from orders_obs.aws.audit.alarms import Alarm
    from orders_obs.aws.audit.model import Issue
    from orders_obs.aws.audit.reach import Reach
    from orders_obs.aws.audit.view import View
    from orders_obs.findings import Level

__all__ = ["actions", "composites", "mutes", "unheard"]

_STUCK = 1.0
"""Days in ALARM from which on a suppressor is no passing thing."""
_SHOWN = 5
_DEPLOYMENT = re.compile(r"deploy|releas|roll[ _-]?(back|out)|blue[ _-]?green", re.IGNORECASE)


def actions(view: View, reach: Reach) -> Iterator[Issue]:
    """Alarms without an action, with actions off, on the wrong region or function, without a word when it is over."""
    for alarm in view.alarms:
        does = alarm.actions("AlarmActions")
        if not does:
            yield from _without(view, alarm)
        elif not alarm.enabled:
            yield view.issue(
                "actions-disabled", "alarm", alarm.name, "has its actions off, so it tells nobody"
            )
        for action in does:
            if action.kind == "topic" and action.region and action.region != view.seen.region:
                yield view.issue(
                    "action-elsewhere", "alarm", alarm.name, f"tells topic {action.name}, which is in {action.region}"
                )  # fmt: skip
            elif action.kind == "function":
                said = reach.of_action(action, alarm)
                if said.answer == "no":
                    yield view.issue("function-forbids", "alarm", alarm.name, said.why)
        people = [action for action in does if action.kind in ("topic", "function")]
        if people and alarm.enabled and not alarm.maker and not alarm.actions("OKActions"):
            yield view.issue(
                "missing-ok-action", "alarm", alarm.name, "has no OKActions, so nobody hears that it is over",
                level=None if is_paging(alarm) else "info",
            )  # fmt: skip


def _without(view: View, alarm: Alarm) -> Iterator[Issue]:
    if alarm.maker or view.used_by(alarm):
        return
    unread = view.seen.rules is None or any(rule["Name"] not in view.seen.targets for rule in view.seen.rules)
    unasked = [
        what
        for what, unknown in (("a deployment", not view.seen.deployments_complete), ("an event rule", unread))
        if unknown
    ]
    hint = RULES["no-action"].remedy
    level: Level | None = None
    # In the hint, since a baseline compares messages, and another caller's rights make no new finding.
    if unasked:
        hint = f"Whether {' or '.join(unasked)} watches it could not be asked. {hint}"
        if not view.seen.deployments_complete and _of_deployments(alarm):
            hint, level = f"Its name, description or tags speak of deployments. {hint}", "info"
    yield view.issue(
        "no-action", "alarm", alarm.name, "has no AlarmActions, so it tells nobody", hint, level=level
    )


def _of_deployments(alarm: Alarm) -> bool:
    """Whether its name, description or tags say that deployments watch it."""
    words = (
        alarm.name,
        str(alarm.described.get("AlarmDescription") or ""),
        *(f"{key} {value}" for key, value in (alarm.tags or {}).items()),
    )
    return any(_DEPLOYMENT.search(text) for text in words)


def unheard(view: View, reach: Reach, said: Iterable[Issue]) -> Iterator[Issue]:
    """Alarms whose every action ends nowhere, where no finding on a topic or on the alarm has said so."""
    known = {
        name
        for issue in said
        if issue.subject == "reaches nobody" and issue.level == "error"
        for name in issue.alarms
    }
    for alarm in view.alarms:
        does = alarm.actions("AlarmActions")
        if alarm.name in known or not does or not alarm.enabled or alarm.name in view.caught:
            continue
        ends = [(action, reach.of_action(action, alarm)) for action in does]
        if all(end.answer == "no" for _, end in ends):
            words = "; ".join(f"{action.name}: {end.why}" for action, end in ends)
            yield view.issue("alarm-unheard", "alarm", alarm.name, f"nobody receives what it sends: {words}")


def composites(view: View) -> Iterator[Issue]:
    """Composites that name alarms that are gone, and suppressors that suppress for ever."""
    for alarm in view.alarms:
        if alarm.kind != "composite":
            continue
        for name in dict.fromkeys(name for _, name in children(alarm.view)):
            if name not in view.by_name:
                yield view.issue(
                    "composite-child-missing",
                    "alarm",
                    alarm.name,
                    f"its rule names {name}, which is not there",
                )
        suppressor = view.suppressed_by.get(alarm.name, "")
        if not suppressor:
            continue
        found = view.by_name.get(suppressor)
        if found is None:
            yield view.issue(
                "suppressor-missing", "alarm", alarm.name, f"its suppressor {suppressor} is not there"
            )
        elif found.state == "ALARM":
            days = view.days(found.since)
            if days is not None and days >= _STUCK:
                yield view.issue(
                    "suppressor-stuck", "alarm", alarm.name,
                    f"its suppressor {suppressor} has been in ALARM since {day(found.since)}, so it tells nobody",
                )  # fmt: skip
            else:
                yield view.issue("muted-now", "alarm", alarm.name, f"its suppressor {suppressor} is in ALARM")


def mutes(view: View) -> Iterator[Issue]:
    """Mute rules that never end, that mute nothing, that are over, and the alarms that one mutes now."""
    wanted = {alarm.name for alarm in view.alarms}
    for rule in view.seen.mutes or ():
        name, status = str(rule.get("Name", "")), rule.get("Status")
        targets = (rule.get("MuteTargets") or {}).get("AlarmNames") or []
        touched = [target for target in targets if target in wanted]
        if targets and not touched and any(target in view.by_name for target in targets):
            continue
        if status == "EXPIRED":
            yield view.issue(
                "mute-expired", "mute rule", name, f"ended at {rule.get('ExpireDate', 'some time')}"
            )
            continue
        schedule = (rule.get("Rule") or {}).get("Schedule") or {}
        if covers_all(str(schedule.get("Expression", "")), str(schedule.get("Duration", ""))):
            end = rule.get("ExpireDate")
            yield view.issue(
                "mute-for-ever", "mute rule", name,
                f"mutes without a gap: {schedule.get('Expression')} for {schedule.get('Duration')}"
                + (f", until {end}" if end else ", and never ends"),
                level="warning" if end else None, alarms=touched,
            )  # fmt: skip
        elif status == "ACTIVE":
            yield view.issue("muted-now", "mute rule", name, f"mutes now: {_names(touched)}", alarms=touched)
        gone = [target for target in targets if target not in view.by_name]
        if gone:
            yield view.issue(
                "mute-unknown-alarm", "mute rule", name, f"mutes {_names(gone)}, of which there is none", alarms=touched
            )  # fmt: skip


def _names(names: list[str]) -> str:
    more = len(names) - _SHOWN
    return ", ".join(names[:_SHOWN]) + (f" and {more} more" if more > 0 else "")

"""Letting go: our tags taken off, and alarms put on hold for a time."""

from __future__ import annotations

from typing import TYPE_CHECKING

from orders_obs.alerts.nodes import did_you_mean
from orders_obs.aws.holds import hold_value
from orders_obs.aws.plan import Change, Plan
from orders_obs.aws.things import HOLD_TAG, OWN_TAGS
from orders_obs.errors import UserError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import date

    from orders_obs.aws.desired import Desired
    from orders_obs.aws.live import Live
    from orders_obs.aws.management import Management
    from orders_obs.aws.session import Aws
    from orders_obs.aws.things import Thing

__all__ = ["hold_alarms", "release_plan"]

_ALARMS = ("metric-alarm", "composite-alarm")
_TAGLESS = ("subscription", "log-policy")


def release_plan(desired: Desired, live: Live, names: Sequence[str], aws: Aws) -> Plan:
    """The plan that takes our tags off and changes nothing else.

    Args:
        desired: Whose things.
        live: What is there.
        names: Of alerts, or of things on AWS; all that is ours where there are none.
        aws: The session.

    Raises:
        UserError: There is nothing of ours by a name.
    """
    plan = Plan(desired.owner, aws.account, aws.region)
    ours = [
        thing
        for thing in live.things.values()
        if desired.owner.has(thing.tags) and thing.kind not in _TAGLESS
    ]
    for thing in _chosen(ours, names, desired) if names else ours:
        untag = tuple(sorted(key for key in thing.tags if key in {*OWN_TAGS, HOLD_TAG}))
        plan.changes.append(Change("release", thing, thing, "catalogue", untag=untag))
    return plan


def hold_alarms(
    managed: Management, name: str, until: date | None, reason: str, *, dry_run: bool
) -> list[str]:
    """Put the alarms of an alert on hold, or take the hold off.

    Args:
        managed: The environment.
        name: Of the alert, or of one alarm on AWS.
        until: The last day; None to take the hold off.
        reason: Why.
        dry_run: Whether only to say which alarms are meant.

    Returns:
        Their names.

    Raises:
        UserError: There is no alarm of ours by that name.
        EnvironmentFault: A tag cannot be set.
    """
    _, live = managed.plan()
    ours = [
        thing
        for thing in live.things.values()
        if thing.kind in _ALARMS and managed.desired.owner.has(thing.tags)
    ]
    chosen = _chosen(ours, [name], managed.desired)
    if dry_run:
        return [thing.name for thing in chosen]
    value = hold_value(until, reason, managed.aws.caller) if until else ""
    for thing in chosen:
        if value:
            tags = [{"Key": HOLD_TAG, "Value": value}]
            managed.aws.call(
                "cloudwatch", "tag_resource", about=thing.identity, ResourceARN=thing.arn, Tags=tags
            )
        else:
            managed.aws.call(
                "cloudwatch",
                "untag_resource",
                about=thing.identity,
                ResourceARN=thing.arn,
                TagKeys=[HOLD_TAG],
            )
    managed.note(
        {"event": "hold" if value else "hold off", "alarms": [thing.name for thing in chosen], "hold": value}
    )
    return [thing.name for thing in chosen]


def _chosen(ours: Iterable[Thing], names: Sequence[str], desired: Desired) -> list[Thing]:
    """The things that are named, by their own name or by that of their alert."""
    things = list(ours)
    found: dict[str, Thing] = {}
    for name in names:
        alert = desired.alert_ids.get(name, name)
        meant = [thing for thing in things if thing.name == name or thing.alert[0] == alert]
        if not meant:
            there = {thing.alert[0] for thing in things if thing.alert[0]}
            known = [
                *(alert for alert, identity in desired.alert_ids.items() if identity in there),
                *there,
                *(thing.name for thing in things),
            ]
            raise UserError(
                f"there is nothing of ours on AWS by the name {name!r}", hint=did_you_mean(name, known)
            )
        found |= {thing.identity: thing for thing in meant}
    return list(found.values())

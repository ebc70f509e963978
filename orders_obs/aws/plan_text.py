"""A plan for a person: what would change, setting by setting, and why."""

from __future__ import annotations

import json
from collections import Counter
from typing import TYPE_CHECKING, Any

from orders_obs.alerts.prices import bill
from orders_obs.redact import redact_text, redact_texts

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from orders_obs.aws.apply import Done
    from orders_obs.aws.desired import Desired
    from orders_obs.aws.live import Live
    from orders_obs.aws.management import Options
    from orders_obs.aws.plan import Change, Plan

__all__ = ["done_text", "plan_data", "plan_text", "summary"]

_SIGNS = {"create": "+", "update": "~", "tag": "~", "replace": "±", "delete": "-", "release": "-"}
_CAUSES = {
    "catalogue": "",
    "package": "a newer orders-obs makes it otherwise; the catalogue says the same as before",
    "by hand": "somebody changed it since the last apply",
    "adopted": "taken over",
    "interrupted": "an apply ended before its tags were set, or somebody changed them",
}
_SHOWN = 160
_FEW = 5
# Of what is made anew a person wants to know what it is for and whom it tells.
_TOLD = ("AlarmDescription", "AlarmActions", "Description", "retentionInDays", "KmsMasterKeyId")


def plan_text(plan: Plan, desired: Desired, live: Live, *, full: bool = False) -> str:
    """The plan as text.

    Args:
        plan: The plan.
        desired: What it leads to.
        live: What is there.
        full: Whether every setting of what is made anew is shown.
    """
    owner = plan.owner
    lines = [f"{owner.service} in {owner.environment}: account {plan.account}, region {plan.region}", ""]
    for change in plan.changes:
        lines += _change(change, full=full)
    for change, words in plan.held:
        lines.append(f"= on hold {change.identity}: {words}")
        lines += [f"      {line}" for line in _fields(change)]
    for thing in plan.orphans:
        lines.append(f"? orphan {thing.identity}: ours, and wanted no more; --prune takes it away")
    lines += [f"  {line}" for line in plan.others]
    lines += [f"note: {note}" for note in plan.notes]
    lines += _refusals(plan)
    lines += ["", summary(plan), _bills(desired, live)]
    return redact_text("\n".join(lines) + "\n")


def _refusals(plan: Plan) -> Iterator[str]:
    """Why it must not be applied; of what is refused for one reason the first few."""
    seen: Counter[str] = Counter()
    for finding in plan.refusals:
        seen[finding.rule] += 1
        if seen[finding.rule] <= _FEW:
            yield f"! {finding.where}: {finding.message} [{finding.rule}]"
            if finding.hint:
                yield f"      {finding.hint}"
    for rule, count in seen.items():
        if count > _FEW:
            yield f"! and {count - _FEW} more of [{rule}]; --json has them all"


def summary(plan: Plan) -> str:
    """The plan in one line."""
    counts: Counter[str] = Counter(change.action for change in plan.changes)
    parts = [f"{counts[action]} to {action}" for action in _SIGNS if counts[action]]
    more = [
        f"{len(part)} {word}"
        for part, word in (
            (plan.held, "on hold"),
            (plan.orphans, "orphaned"),
            (plan.refusals, "refused"),
        )
        if part
    ]
    return f"{', '.join(parts) or 'nothing to change'}; {', '.join([f'{plan.unchanged} as they should be', *more])}"


def plan_data(plan: Plan, desired: Desired, live: Live, options: Options | None = None) -> dict[str, Any]:
    """The plan as data, with the options that it was made with."""
    after, before = _priced(desired, live)
    data = {
        "plan": 1,
        "service": plan.owner.service,
        "environment": plan.owner.environment,
        "account": plan.account,
        "region": plan.region,
        "fingerprint": plan.fingerprint,
        "options": {"prune": options.prune, "adopt": list(options.adopt), "allow": list(options.allow)}
        if options
        else {},
        "changes": [change.as_data() for change in plan.changes],
        "held": [change.as_data() | {"hold": words} for change, words in plan.held],
        "orphans": [thing.identity for thing in plan.orphans],
        "others": plan.others,
        "refusals": [
            {"rule": f.rule, "where": f.where, "message": f.message, "hint": f.hint} for f in plan.refusals
        ],
        "notes": plan.notes,
        "unchanged": plan.unchanged,
        "usd_a_month": {"now": before.usd, "then": after.usd, "unpriced": after.unpriced},
    }
    cleaned: dict[str, Any] = redact_texts(data)
    return cleaned


def done_text(done: Iterable[Done]) -> str:
    """What was not done, and why."""
    lines = [f"{entry.outcome}: {entry.change.identity}: {entry.reason}" for entry in done if entry.reason]
    return redact_text("".join(f"{line}\n" for line in lines))


def _change(change: Change, *, full: bool) -> Iterator[str]:
    firing = ", which fires now" if change.live and change.live.firing else ""
    yield f"{_SIGNS[change.action]} {change.action} {change.identity}{firing}"
    for why in (_CAUSES[change.cause], change.note):
        if why:
            yield f"      ({why})"
    yield from (f"      {line}" for line in _fields(change, full=full))
    if change.action == "tag" or (change.tags and change.cause == "adopted"):
        yield from (f"      tag {key} = {value}" for key, value in change.tags.items())
    yield from (f"      tag {key} goes" for key in change.untag)


def _fields(change: Change, *, full: bool = True) -> Iterator[str]:
    if change.action == "delete":
        return
    for field in change.fields:
        if change.action == "create":
            if full or field.path in _TOLD:
                yield f"{field.path}: {_value(field.will)}"
        elif field.was is None:
            yield f"{field.path}: + {_value(field.will)}"
        elif field.will is None:
            yield f"{field.path}: - {_value(field.was)}"
        else:
            yield f"{field.path}: {_value(field.was)} -> {_value(field.will)}"


def _value(value: Any) -> str:
    text = value if isinstance(value, str) else json.dumps(value, sort_keys=True)
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}… ({len(text)} characters)"


def _priced(desired: Desired, live: Live) -> tuple[Any, Any]:
    alarms = [thing.settings for thing in desired.alarms]
    ours = [
        thing.settings
        for thing in live.things.values()
        if thing.kind in ("metric-alarm", "composite-alarm") and desired.owner.has(thing.tags)
    ]
    return bill(alarms), bill(ours)


def _bills(desired: Desired, live: Live) -> str:
    after, before = _priced(desired, live)
    return f"alarms: {after}" + (f"; now {before.usd:.2f}" if before.usd != after.usd else "")

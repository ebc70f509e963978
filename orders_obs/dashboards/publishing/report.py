"""A plan and its result for a person, and as data."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from orders_obs.dashboards.printable import printable
from orders_obs.dashboards.publishing.difference import lines
from orders_obs.redact import redact, redact_text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from orders_obs.dashboards.publishing.difference import Change
    from orders_obs.dashboards.publishing.plan import Item, Plan
    from orders_obs.dashboards.publishing.publish import Result

__all__ = ["as_data", "changes_as_data", "plan_text", "result_text", "summary"]

_SIGNS = {"create": "+", "update": "~", "delete": "-", "none": "="}


def plan_text(plan: Plan) -> str:
    """The plan: what is made (+), changed (~), deleted (-), refused (!), left (=)."""
    told = [plan.heading]
    for source in plan.sources:
        sign = "!" if source.refused else _SIGNS[source.action]
        state = source.refused or source.reason or {"none": "unchanged"}.get(source.action, source.action)
        told.append(f"  {sign} data source {source.uid}: {state}")
        told += [f"      {line}" for line in lines(source.changes)]
        told += [f"      sends {name} (its value is never shown)" for name in source.secrets]
        if source.hint:
            told.append(f"      {source.hint}")
    if plan.folder:
        told.append("  + folder: create")
    for item in plan.items:
        told += [f"  {line}" for line in _item(item)]
    told += [f"  note: {note}" for note in plan.notes]
    return "".join(f"{printable(redact_text(line))}\n" for line in told)


def summary(plan: Plan) -> str:
    """How many of each."""
    done: list[tuple[str, str, str]] = [(item.refused, item.action, item.state) for item in plan.items]
    done += [(source.refused, source.action, "") for source in plan.sources]
    counts: dict[str, int] = {}
    for refused, action, state in done:
        left = "no longer built" if state == "orphan" else "unchanged"
        word = "refused" if refused else left if action == "none" else f"to {action}"
        counts[word] = counts.get(word, 0) + 1
    if plan.folder:
        counts["to create"] = counts.get("to create", 0) + 1
    return ", ".join(f"{number} {word}" for word, number in sorted(counts.items()))


def result_text(result: Result) -> str:
    """What was done, what failed, what nobody knows, what was left."""
    told = []
    for outcome in result.outcomes:
        what = f"{outcome.action} {outcome.kind} {outcome.uid}"
        if outcome.outcome == "done":
            told.append(f"done: {what}{f' {outcome.address}' if outcome.address else ''}")
        elif outcome.outcome == "left":
            told.append(f"not tried: {what}")
        else:
            word = "unknown whether done" if outcome.outcome == "unknown" else "failed"
            told.append(f"{word}: {what}: {outcome.message}")
    return "".join(f"{printable(line)}\n" for line in told)


def as_data(plan: Plan, result: Result | None = None) -> dict[str, Any]:
    """The plan, and what came of it, as data."""
    data: dict[str, Any] = {
        "target": plan.target,
        "set": plan.set,
        "folder": "create" if plan.folder else "none",
        "datasources": [
            {
                "uid": source.uid,
                "action": source.action,
                "reason": source.reason,
                "refused": source.refused,
                "hint": source.hint,
                "changes": changes_as_data(source.changes),
                "secrets": list(source.secrets),
            }
            for source in plan.sources
        ],
        "dashboards": [
            {
                "uid": item.uid,
                "title": redact_text(item.title),
                "action": item.action,
                "state": item.state,
                "reason": item.reason,
                "refused": item.refused,
                "hint": item.hint if item.refused else "",
                "changes": changes_as_data((*item.changes, *item.also)),
                "saved_by": item.live.saved_by if item.live else "",
                "saved_at": item.live.saved_at if item.live else "",
            }
            for item in plan.items
        ],
        "notes": list(plan.notes),
    }
    if result is not None:
        data["writes"] = [asdict(outcome) for outcome in result.outcomes]
    return data


def changes_as_data(changes: Sequence[Change]) -> list[dict[str, Any]]:
    """Changes as data; what looks like a secret is replaced."""
    return [
        {
            "where": redact_text(change.where),
            "setting": redact_text(change.setting),
            "old": _value(change.setting, change.old),
            "new": _value(change.setting, change.new),
        }
        for change in changes
    ]


def _value(setting: str, value: Any) -> Any:
    return redact(value, "" if isinstance(value, dict | list) else setting.rpartition(".")[2])


def _item(item: Item) -> list[str]:
    sign = "!" if item.refused else _SIGNS[item.action]
    state = item.refused or item.reason or {"absent": "new"}.get(item.state, item.state)
    told = [f"{sign} {item.uid} ({item.title}): {state}"]
    foreign = item.state == "foreign"
    # Whoever adopts it has not seen it before.
    told += [f"    {line}" for line in lines((*item.changes, *item.also) if foreign else item.changes)]
    also = [change for change in item.also if not change.quiet]
    if also and item.action != "none" and not foreign:
        told.append(f"    and {len(also)} settings that the build does not name go")
    if item.refused and item.hint:
        told.append(f"    {item.hint}")
    return told

"""The audit of one account: what was read, held against every rule, and what could not be looked at."""

from __future__ import annotations

from typing import TYPE_CHECKING

from orders_obs.aws.audit.checks_actions import actions, composites, mutes, unheard
from orders_obs.aws.audit.checks_events import events
from orders_obs.aws.audit.checks_metrics import metrics
from orders_obs.aws.audit.checks_reach import topics
from orders_obs.aws.audit.checks_state import history, states
from orders_obs.aws.audit.checks_together import duplicates, linted, without_echoes
from orders_obs.aws.audit.cost import costs
from orders_obs.aws.audit.model import SUBJECTS, Gap, Result
from orders_obs.aws.audit.reach import Reach
from orders_obs.aws.audit.rules import RULES
from orders_obs.aws.audit.view import View
from orders_obs.aws.kinds import parse_arn

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import datetime

    from orders_obs.aws.audit.alarms import Alarm
    from orders_obs.aws.audit.model import Issue, Seen

__all__ = ["audit", "everything", "worst_first"]

_LEVELS = {"error": 0, "warning": 1, "info": 2}
_ORDER = {subject: number for number, subject in enumerate(SUBJECTS)}


def everything(_alarm: Alarm) -> bool:
    """Selects every alarm."""
    return True


def worst_first(issue: Issue) -> tuple[object, ...]:
    """A key that sorts findings: by level, by what they are about, those that touch most alarms first."""
    return (
        _LEVELS[issue.level], _ORDER[issue.subject], -len(issue.alarms), issue.place, issue.kind, issue.thing, issue.rule,
        issue.message,
    )  # fmt: skip


def audit(seen: Seen, now: datetime, selected: Callable[[Alarm], bool] = everything) -> Result:
    """What is wrong with the alarms of an account.

    Args:
        seen: What was read of it.
        now: The moment that ages are measured at.
        selected: Which alarms are checked; the event rules only where all are.
    """
    view = View(seen, now, selected)
    reach = Reach(view)
    issues = [*topics(view, reach), *actions(view, reach), *composites(view)]
    issues += unheard(view, reach, issues)
    issues += [*metrics(view), *states(view), *history(view), *linted(view), *duplicates(view), *mutes(view)]
    if selected is everything:
        issues += events(view, reach)
    else:
        issues = [issue for issue in issues if issue.kind != "rule"]
    gaps = [*seen.gaps, *_elsewhere(view)]
    return Result(
        place=view.place,
        count=len(view.alarms),
        issues=tuple(sorted(without_echoes(issues), key=worst_first)),
        gaps=tuple((gap, _rules_of(gap.action)) for gap in gaps),
        costs=costs(view.alarms),
        oldest=seen.oldest,
        newest=seen.newest,
        kept=seen.kept,
        calls=dict(seen.calls),
        warnings=tuple(seen.warnings),
        there=None if selected is everything else len(view.every),
    )


def _elsewhere(view: View) -> Iterator[Gap]:
    """Topics and functions of other accounts, whose owners alone can say whom they reach."""
    others: dict[str, set[str]] = {}
    for alarm in view.alarms:
        for action in alarm.actions("AlarmActions"):
            parts = parse_arn(action.arn)
            if action.kind in ("topic", "function") and parts and parts.account != view.seen.account:
                others.setdefault(
                    "sns:GetTopicAttributes" if action.kind == "topic" else "lambda:GetPolicy", set()
                ).add(action.arn)
    for needed, arns in others.items():
        accounts = ", ".join(sorted({parts.account for arn in arns if (parts := parse_arn(arn))}))
        yield Gap(
            needed, "unsure", f"actions in another account ({accounts})", "run the audit there too", len(arns)
        )


def _rules_of(action: str) -> tuple[str, ...]:
    return tuple(name for name, rule in RULES.items() if action in rule.needs)

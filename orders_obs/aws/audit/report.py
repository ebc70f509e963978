"""An audit for a terminal and as data: what hurts most first, each remedy once, and what was not looked at."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING, Any

from orders_obs.aws.audit.audit import worst_first
from orders_obs.aws.audit.cost import CAVEAT, total
from orders_obs.aws.audit.model import SUBJECTS

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from orders_obs.aws.audit.model import Gap, Issue, Result

__all__ = [
    "WASTED",
    "as_data",
    "by_level",
    "counted",
    "gap_text",
    "in_baseline",
    "levels",
    "nothing_wrong",
    "number_of",
    "read_text",
    "subjects",
    "text",
    "wasted",
]

WASTED = "of all that is for alarms that can never fire, or do what another one does"
_THINGS = 8
"""Things that are listed of one rule, where not all are asked for."""
_ALARMS = 4
_DEAREST = 5
_EMPTY = 3
"""Places without an alarm from which on they are one line."""
_LEVEL_WORDS = {"error": "ERROR", "warning": "WARNING", "info": "worth knowing"}


def subjects(issues: Sequence[Issue]) -> dict[str, int]:
    """How many alarms errors and warnings touch, by what they are about; things that are no alarm count for one without alarms."""
    found: dict[str, set[tuple[str, str]]] = {}
    for issue in issues:
        if issue.level != "info":
            touched = found.setdefault(issue.subject, set())
            touched |= {(issue.place, alarm) for alarm in issue.alarms} or {
                (issue.place, f"{issue.kind} {issue.thing}")
            }
    return {subject: len(found[subject]) for subject in SUBJECTS if subject in found}


def levels(issues: Sequence[Issue]) -> dict[str, int]:
    """How many findings there are of each level."""
    return {level: sum(issue.level == level for issue in issues) for level in _LEVEL_WORDS}


def by_level(issues: Sequence[Issue]) -> str:
    """How many findings there are of each level, in words."""
    found = levels(issues)
    words = [number_of(found[level], f"{level}s") for level in ("error", "warning")]
    return ", ".join([*words, f"{found['info']:,} worth knowing"])


def number_of(count: int, what: str) -> str:
    """A number with its noun, which is given in the plural."""
    return f"{count:,} {what.removesuffix('s') if count == 1 else what}"


def counted(result: Result) -> str:
    """How much was looked at, in words."""
    if result.there is not None and result.there != result.count:
        return f"{f'{result.count:,}' if result.count else 'none'} of {number_of(result.there, result.what)}"
    return number_of(result.count, result.what) if result.count else f"no {result.what} at all"


def nothing_wrong(results: Sequence[Result], issues: Sequence[Issue], kept: Sequence[Issue]) -> str:
    """What is to be said where there is neither an error nor a warning; empty where there is one, or nothing could be looked at."""
    looked = [result for result in results if not result.fault]
    if not looked or subjects(issues):
        return ""
    if kept:
        return f"Nothing new is wrong of what could be looked at; {in_baseline(kept)}."
    if not any(result.count or result.issues for result in looked):
        words = " and ".join(dict.fromkeys(result.what for result in looked))
        return f"There are no {words} there, so nothing was looked at: is it the right place?"
    return "Nothing is wrong of what could be looked at."


def in_baseline(kept: Sequence[Issue]) -> str:
    """How much a baseline has left out, in words."""
    return f"the baseline has {number_of(len(kept), 'findings')} ({by_level(kept)})"


def gap_text(gap: Gap) -> str:
    """What could not be looked at, in words."""
    times = f", {gap.count} times" if gap.count > 1 else ""
    if gap.why == "no right":
        return f"no right to {gap.action} ({gap.about}{times})"
    if gap.why == "not there":
        return f"the endpoint does not know {gap.action} ({gap.about})"
    if gap.why == "unsure":
        return f"{gap.about}{times}: {gap.said}"
    return f"{gap.action} failed ({gap.about}{times}): {gap.said}"


def read_text(result: Result) -> str:
    """When it was read, in words."""
    if not result.oldest:
        return ""
    said = f"read at {result.newest}"
    if result.kept:
        said += f"; {result.kept} answers are from an earlier run, the oldest of {result.oldest}"
    return said


def wasted(results: Sequence[Result], issues: Sequence[Issue]) -> float:
    """USD a month for alarms that can never fire, or do what another one does."""
    useless = {
        (issue.place, issue.thing)
        for issue in issues
        if issue.kind == "alarm"
        and ((issue.subject == "never fires" and issue.level == "error") or issue.rule == "duplicate-alarm")
    }
    return sum(
        cost.usd or 0.0
        for result in results
        for cost in result.costs
        if (result.place, cost.alarm) in useless
    )


def text(
    results: Sequence[Result], issues: Sequence[Issue], kept: Sequence[Issue] = (), *, everything: bool
) -> str:
    """For a terminal.

    Args:
        results: Of each account and region, and of each Prometheus.
        issues: What is to be said of all of them.
        kept: What a baseline has left out.
        everything: Whether to list what is only worth knowing too, and every alarm.
    """
    # Names come from the account, and a terminal obeys what is not printable.
    lines = (
        "".join(sign if sign.isprintable() else "?" for sign in line)
        for line in _lines(results, issues, kept, everything=everything)
    )
    return "\n".join(lines) + "\n"


def _lines(
    results: Sequence[Result], issues: Sequence[Issue], kept: Sequence[Issue], *, everything: bool
) -> Iterator[str]:
    empty = [result.place for result in results if _is_empty(result)]
    # With all regions of an account most have nothing, which is one line.
    for result in results:
        if not _is_empty(result) or len(empty) <= _EMPTY:
            yield from _head(result)
    if len(empty) > _EMPTY:
        yield f"no alarms in {len(empty)} more: {', '.join(empty)}"
    found = subjects(issues)
    said = nothing_wrong(results, issues, kept)
    if said:
        yield ""
        yield said
    if found:
        yield ""
        yield "Alarms and event rules that"
        for subject, count in found.items():
            yield f"{count:>6,}  {SUBJECTS[subject]}"  # type: ignore[index]
        if kept:
            yield f"Besides, {in_baseline(kept)}."
    several = len(results) > 1
    shown = [issue for issue in issues if everything or issue.level != "info"]
    for (level, subject, rule), group in groupby(_by_rule(shown), key=_of_rule):
        yield ""
        yield f"{_LEVEL_WORDS[level]}  {rule}  ({subject})"
        yield from _group(list(group), several=several, everything=everything)
    yield from _rest(results, issues, everything=everything)


def _is_empty(result: Result) -> bool:
    return not (
        result.count or result.there or result.fault or result.gaps or result.issues or result.warnings
    )


def _head(result: Result) -> Iterator[str]:
    if result.fault:
        yield f"{result.place}: could not be looked at: {result.fault}"
    else:
        yield f"{result.place}: {counted(result)}{_priced(result)}"
    if read_text(result):
        yield f"  {read_text(result)}"
    for warning in result.warnings:
        yield f"  {warning}"


def _of_rule(issue: Issue) -> tuple[str, str, str]:
    return issue.level, issue.subject, issue.rule


def _by_rule(issues: Sequence[Issue]) -> list[Issue]:
    """Worst first, those of one rule together, the rule that touches most alarms first."""
    weight: dict[tuple[str, str, str], int] = {}
    for issue in issues:
        weight[_of_rule(issue)] = weight.get(_of_rule(issue), 0) + max(len(issue.alarms), 1)
    return sorted(
        issues,
        key=lambda issue: (worst_first(issue)[:2], -weight[_of_rule(issue)], issue.rule, worst_first(issue)),
    )


def _group(group: list[Issue], *, several: bool, everything: bool) -> Iterator[str]:
    hints = {issue.hint for issue in group}
    for issue in group if everything else group[:_THINGS]:
        place = f"{issue.place} " if several else ""
        yield f"  {place}{issue.kind} {issue.thing}: {issue.message}"
        if issue.kind != "alarm" and issue.alarms:
            listed = issue.alarms if everything else issue.alarms[:_ALARMS]
            more = len(issue.alarms) - len(listed)
            yield (
                f"      {number_of(len(issue.alarms), 'alarms')}: {', '.join(listed)}"
                + (f" and {more} more" if more else "")
            )
        if len(hints) > 1 and issue.hint:
            yield f"      -> {issue.hint}"
    if len(group) > _THINGS and not everything:
        yield f"  and {len(group) - _THINGS} more: --all, --json or --html FILE has them"
    if len(hints) == 1 and group[0].hint:
        yield f"  -> {group[0].hint}"


def _rest(results: Sequence[Result], issues: Sequence[Issue], *, everything: bool) -> Iterator[str]:
    infos = levels(issues)["info"]
    if infos and not everything:
        yield ""
        yield f"{infos} more {'is' if infos == 1 else 'are'} worth knowing: --all, --json or --html FILE has them"
    if any(result.gaps for result in results):
        yield ""
        yield "NOT LOOKED AT"
        for result in results:
            place = f"{result.place} " if len(results) > 1 else ""
            for gap, rules in result.gaps:
                yield f"  {place}{gap_text(gap)}"
                if rules:
                    yield f"      so not, or not fully: {', '.join(rules)}"
    dearest = sorted(
        ((cost, result) for result in results for cost in result.costs if cost.usd),
        key=lambda pair: -(pair[0].usd or 0),
    )
    if dearest:
        yield ""
        yield f"DEAREST  (USD a month, {CAVEAT})"
        for cost, result in dearest if everything else dearest[:_DEAREST]:
            place = f"{result.place} " if len(results) > 1 else ""
            yield f"  {cost.usd:8.2f}  {place}{cost.alarm}  ({cost.why})"
        useless = wasted(results, issues)
        if useless:
            yield f"  {useless:8.2f}  {WASTED}"


def _priced(result: Result) -> str:
    if not result.costs:
        return ""
    unpriced = sum(cost.usd is None for cost in result.costs)
    tail = f", and {unpriced} whose price depends on what they read" if unpriced else ""
    return f", {total(result.costs):,.2f} USD a month at list price{tail}"


def as_data(
    results: Sequence[Result], issues: Sequence[Issue], at: str, kept: Sequence[Issue] = ()
) -> dict[str, Any]:
    """For `--json`; its `findings` are a baseline too."""
    return {
        "orders_obs_audit": 1,
        "at": at,
        "summary": {
            "alarms": sum(result.count for result in results if result.what == "alarms"),
            "alarms_by_subject": subjects(issues),
            "findings_by_level": levels(issues),
            "findings_in_baseline": levels(kept),
            "usd_a_month": round(sum(total(result.costs) for result in results), 2),
            "usd_a_month_wasted": round(wasted(results, issues), 2),
            "usd_caveat": CAVEAT,
        },
        "places": [_place(result) for result in results],
        "findings": [issue.as_data() for issue in issues],
    }


def _place(result: Result) -> dict[str, Any]:
    return {
        "place": result.place,
        result.what: result.count,
        f"{result.what}_there": result.count if result.there is None else result.there,
        "fault": result.fault,
        "oldest_answer": result.oldest,
        "newest_answer": result.newest,
        "answers_of_an_earlier_run": result.kept,
        "warnings": list(result.warnings),
        "calls": dict(result.calls),
        "not_looked_at": [
            {
                "action": gap.action,
                "why": gap.why,
                "about": gap.about,
                "said": gap.said,
                "times": gap.count,
                "rules": list(rules),
            }
            for gap, rules in result.gaps
        ],
        "costs": [{"alarm": cost.alarm, "usd_a_month": cost.usd, "why": cost.why} for cost in result.costs],
    }

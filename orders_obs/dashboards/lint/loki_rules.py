"""Rules on LogQL: what Loki refuses, and what does not fit the panel that shows it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from orders_obs.dashboards.lint.views import Said, text

if TYPE_CHECKING:
    from collections.abc import Iterator

    from orders_obs.dashboards.lint.views import DashboardView, Target

__all__ = ["logql_invalid", "logql_shape", "logql_window"]

_PAIRS = {")": "(", "]": "[", "}": "{"}
_METRIC = re.compile(
    r"\b(?:sum|avg|min|max|count|topk|bottomk|stddev|stdvar|sort|sort_desc|rate|rate_counter|count_over_time|bytes_rate"
    r"|bytes_over_time|absent_over_time|sum_over_time|avg_over_time|max_over_time|min_over_time|quantile_over_time"
    r"|first_over_time|last_over_time|stdvar_over_time|stddev_over_time|approx_topk|label_replace|vector)\s*(?:\(|by\b|without\b)"
)
_MATCHER = re.compile(r"\s*[\w.]+\s*(=~|!~|!=|=)\s*")


def _targets(view: DashboardView) -> Iterator[tuple[Target, str]]:
    for target in view.targets:
        words = text(target.json.get("expr"))
        if target.kind == "loki" and words.strip():
            yield target, words


def _code(words: str) -> tuple[str, str]:
    """The query with its texts empty, and what is wrong with its quotes."""
    pieces: list[str] = []
    quote, at = "", 0
    while at < len(words):
        letter = words[at]
        if quote:
            if letter == "\\" and quote == '"':
                at += 1
            elif letter == quote:
                quote = ""
                pieces.append(letter)
        elif letter == "#":
            end = words.find("\n", at)
            at = len(words) if end < 0 else end
        else:
            if letter in '"`':
                quote = letter
            pieces.append(letter)
        at += 1
    return "".join(pieces), f"a text that begins with {quote} does not end" if quote else ""


def _fault(words: str) -> str:
    code, fault = _code(words)
    if fault:
        return fault
    # `${var:regex}` has braces of its own.
    plain = re.sub(r"\$\{\w+(?:[.:][^${}]*)?\}|\[\[\w+(?::\w+)?\]\]", "x", code)
    open_ones: list[str] = []
    for letter in plain:
        if letter in "([{":
            open_ones.append(letter)
        elif letter in _PAIRS and (not open_ones or open_ones.pop() != _PAIRS[letter]):
            return f"a {letter} closes nothing"
    if open_ones:
        return f"a {open_ones[-1]} is not closed"
    if "{" not in plain:
        return "" if "$" in words or "vector(" in plain else "it has no stream selector {…}"
    first = plain[plain.index("{") + 1 : plain.index("}", plain.index("{"))]
    if not first.strip():
        return "the stream selector {} is empty"
    return "" if _MATCHER.match(first) or "x" in first else f"{{{first}}} is no stream selector"


def logql_invalid(view: DashboardView) -> Iterator[Said]:
    for target, words in _targets(view):
        if fault := _fault(words):
            yield Said(f"{target.name} is no LogQL: {fault}", '{app="orders"} |= "error"', target.json)
        elif _matches_all(words):
            yield Said(
                f"{target.name}: every matcher also takes an empty value, and Loki refuses that",
                'one with a value, or =~".+"',
                target.json,
            )


def _matches_all(words: str) -> bool:
    found = re.search(r"\{([^{}]*)\}", re.sub(r"\$\{\w+(?:[.:][^${}]*)?\}", "$x", words))
    if found is None:
        return False
    parts = re.findall(r'(?<![\w.])[\w.]+\s*(=~|!~|!=|=)\s*(?:"([^"]*)"|`([^`]*)`)', found[1])
    empty = [
        (op == "=~" and (one or other) in (".*", "", "^.*$"))
        or (op == "=" and not (one or other))
        or op in ("!=", "!~")
        for op, one, other in parts
    ]
    return bool(parts) and all(empty)


def logql_window(view: DashboardView) -> Iterator[Said]:
    for target, words in _targets(view):
        code, _ = _code(words)
        fixed = re.search(r"\[\s*(\d+(?:ms|s|m|h|d|w))+\s*\]", code)
        instant = target.json.get("queryType") == "instant" or target.json.get("instant") is True
        if fixed is not None and not instant:
            yield Said(
                f"{target.name} counts over {fixed[0]}, whatever the range: what is between two points of a long one is not counted",
                "[$__auto]",
                target.json,
            )


def logql_shape(view: DashboardView) -> Iterator[Said]:
    for target, words in _targets(view):
        code, fault = _code(words)
        if fault or "{" not in code:
            continue
        counts = _METRIC.search(code) is not None and "[" in code
        if target.panel.type in ("timeseries", "stat", "gauge", "bargauge") and not counts:
            if not target.panel.json.get("transformations"):
                yield Said(
                    f"{target.name} gives log lines, and the panel shows numbers",
                    "count_over_time({…}[$__auto]), or a panel of the type logs",
                    target.json,
                )
        elif target.panel.type == "logs" and counts:
            yield Said(
                f"{target.name} gives numbers, and the panel shows log lines",
                "the selector alone, or a graph",
                target.json,
            )

"""Grafana's variables in a query, each replaced by what may stand where it stands."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import re
    from collections.abc import Callable

    Instead = Callable[[re.Match[str], str, bool, str], str | None]

__all__ = ["fill"]

_QUOTES = "\"'`"
_BEFORE = 8


def fill(query: str, variable: re.Pattern[str], instead: Instead) -> str:
    """The query with its variables replaced, comments left out.

    Args:
        query: PromQL or LogQL with variables.
        variable: What a variable looks like.
        instead: Given the match, the quotation mark of the text that it stands in (empty outside of texts), whether it stands between
            brackets, and what comes before it: what takes its place, or None where it is no variable.
    """
    pieces: list[str] = []
    quote, in_range, at = "", False, 0
    while at < len(query):
        found = variable.match(query, at)
        if found is not None:
            value = instead(found, quote, in_range, "".join(pieces[-_BEFORE:]))
            if value is not None:
                pieces.append(value)
                at = found.end()
                continue
        letter = query[at]
        if quote:
            if letter == "\\" and quote != "`" and at + 1 < len(query):
                pieces.append(letter)
                at += 1
                letter = query[at]
            elif letter == quote:
                quote = ""
        elif letter in _QUOTES:
            quote = letter
        elif letter in "[]":
            in_range = letter == "["
        elif letter == "#":
            end = query.find("\n", at)
            at = len(query) if end < 0 else end
            continue
        pieces.append(letter)
        at += 1
    return "".join(pieces)

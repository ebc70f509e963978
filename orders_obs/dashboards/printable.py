"""Texts of dashboards and servers as a terminal may show them: on one line, and with nothing that it would obey."""

from __future__ import annotations

__all__ = ["printable"]


def printable(text: str) -> str:
    r"""A text with its control characters, line breaks and changes of direction as escapes, such as `\n` or `\x1b`."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)

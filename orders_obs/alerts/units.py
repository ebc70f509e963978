"""Quantities as the catalogue writes them: `5%`, `300ms`, `5m`, `100 requests`, `2 of 3`. Never a bare number."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from orders_obs.alerts.nodes import Node

__all__ = ["count", "duration", "duration_text", "m_of_n", "share"]

_DURATION = re.compile(r"(\d+(?:\.\d+)?)\s*(ms|s|m|h|d)\Z")
_SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
_PERCENT = re.compile(r"(\d+(?:\.\d+)?)\s*%\Z")
_COUNT = re.compile(r"(\d+)\s+([a-z]+)\Z")
_M_OF_N = re.compile(r"(\d+)\s+of\s+(\d+)\Z")


def duration(node: Node) -> float:
    """Seconds of `300ms`, `5s`, `5m`, `1h`, `1d`."""
    match = _DURATION.match(node.text())
    if match is None or float(match[1]) == 0:
        node.fail(f"{node.text()!r} is no duration", "write it with its unit, such as 300ms, 5s, 5m, 1h")
    return round(float(match[1]) * _SECONDS[match[2]], 6)


def share(node: Node) -> float:
    """`5%` as 0.05."""
    match = _PERCENT.match(node.text())
    if match is None:
        number = node.text()
        hint = (
            f"write {number}% if that is what is meant"
            if re.fullmatch(r"[\d.]+", number)
            else "write it as 5%"
        )
        node.fail(f"{number!r} is no share", hint)
    value = round(float(match[1]) / 100, 9)
    if not 0 < value < 1:
        node.fail(f"{node.text()} can never be crossed", "a share lies between 0% and 100%")
    return value


def count(node: Node, unit: str) -> int:
    """`100 requests` as 100.

    Args:
        node: The text.
        unit: The signal's UCUM annotation, such as `{request}`; the word may be its singular or plural.
    """
    word = unit.strip("{}")
    match = _COUNT.match(node.text())
    if match is None:
        node.fail(f"{node.text()!r} is no number of {word}s", f"write it with its unit, such as 100 {word}s")
    if match[2] not in (word, f"{word}s"):
        node.fail(f"{match[2]!r} is not what the signal counts", f"it counts {word}s")
    return int(match[1])


def m_of_n(node: Node) -> tuple[int, int]:
    """`2 of 3` as (2, 3)."""
    match = _M_OF_N.match(node.text())
    if match is None or not 1 <= int(match[1]) <= int(match[2]):
        node.fail(f"{node.text()!r} is no M of N", "such as 2 of 3: at least 2 of the last 3 samples breach")
    return int(match[1]), int(match[2])


def duration_text(seconds: float) -> str:
    """The shortest of Prometheus's ways to write a duration: 300 as `5m`, 0.3 as `300ms`."""
    milliseconds = round(seconds * 1000)
    if milliseconds == 0:
        return "0s"
    for unit, size in (("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1000)):
        if milliseconds % size == 0:
            return f"{milliseconds // size}{unit}"
    return f"{milliseconds}ms"

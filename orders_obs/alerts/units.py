"""Quantities as the catalogue writes them: `5%`, `300ms`, `5m`, `100 requests`, `2 of 3`. Never a bare number."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from orders_obs.alerts.nodes import Node

__all__ = ["amount", "count", "duration", "duration_text", "m_of_n", "per_second", "share"]

# So many digits as a float keeps.
_NUMBER = r"(\d{1,15}(?:\.\d{1,15})?)"
_DURATION = re.compile(rf"{_NUMBER}\s*(ms|s|m|h|d)\Z", re.ASCII)
_LONGEST = 3653 * 86_400.0
_SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
_PERCENT = re.compile(rf"{_NUMBER}\s*%\Z", re.ASCII)
_BYTES = re.compile(rf"{_NUMBER}\s*(B|kB|MB|GB|TB|KiB|MiB|GiB|TiB)\Z", re.ASCII)
_SIZES = {
    **{unit: 1000.0**power for power, unit in enumerate(("B", "kB", "MB", "GB", "TB"))},
    **{unit: 1024.0**power for power, unit in enumerate(("KiB", "MiB", "GiB", "TiB"), 1)},
}
_RATE = re.compile(rf"{_NUMBER}\s+requests?\s*(?:/|per)\s*(s|m|h|second|minute|hour)\Z", re.ASCII)
_COUNT = re.compile(r"(\d{1,15})\s+([a-z]+)\Z", re.ASCII)
_M_OF_N = re.compile(r"(\d{1,5})\s+of\s+(\d{1,5})\Z", re.ASCII)
_TO_MS = 1000


def duration(node: Node) -> float:
    """Seconds of `300ms`, `5s`, `5m`, `1h`, `1d`; whole milliseconds, which are the smallest that Prometheus knows."""
    match = _DURATION.match(node.text())
    if match is None or float(match[1]) == 0:
        node.fail(f"{node.text()!r} is no duration", "write it with its unit, such as 300ms, 5s, 5m, 1h")
    seconds = round(float(match[1]) * _SECONDS[match[2]], 6)
    if not seconds or round(seconds * _TO_MS, 6) % 1:
        node.fail(f"{node.text()!r} is no whole number of milliseconds", "Prometheus knows nothing shorter")
    if seconds > _LONGEST:
        node.fail(f"{node.text()!r} is longer than {_LONGEST // 86_400:.0f} days", "take a shorter one")
    return seconds


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
        node.fail(
            f"{node.text()} is no threshold of a share",
            "take one above 0% and below 100%; for any failure at all count them: at_least: 1 error",
        )
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


def amount(node: Node, unit: str) -> float:
    """A level in its base unit: `80%` as 0.8, `10GiB` in bytes, `30s` in seconds, `80 connections` as 80.

    Args:
        node: The text.
        unit: The signal's UCUM code.
    """
    if unit == "1":
        return share(node)
    if unit == "s":
        return duration(node)
    if unit != "By":
        return float(count(node, unit))
    match = _BYTES.match(node.text())
    if match is None:
        node.fail(f"{node.text()!r} is no number of bytes", "write it with its unit, such as 500MB, 10GiB")
    return float(match[1]) * _SIZES[match[2]]


def per_second(node: Node) -> float:
    """`600 requests per minute` as 10."""
    match = _RATE.match(node.text())
    if match is None:
        node.fail(f"{node.text()!r} is no traffic", "such as 600 requests per minute")
    return float(match[1]) / {"s": 1, "m": 60, "h": 3600}[match[2][0]]


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

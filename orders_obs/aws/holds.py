"""Holds: what a person has asked to be left as it is for a time, written on the alarm itself as a tag."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from orders_obs.alerts.compile.names import tag_value
from orders_obs.aws.things import HOLD_TAG

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date

__all__ = ["active", "hold_value", "over"]

_DAY = len("2026-01-01")


def hold_value(until: date, reason: str, caller: str) -> str:
    """The value of the tag: the last day, who, and why; what AWS takes in no tag is `_`."""
    who = caller.rpartition("/")[2]
    return tag_value(f"{until.isoformat()} {who}: {reason}")


def active(tags: Mapping[str, str], today: str) -> str:
    """The words of a hold that lasts; empty where there is none. One whose date cannot be read lasts."""
    value = tags.get(HOLD_TAG, "")
    return value if value and not over(tags, today) else ""


def over(tags: Mapping[str, str], today: str) -> str:
    """The tag of a hold whose last day has passed; empty where there is none.

    Args:
        tags: Of the alarm.
        today: ISO date.
    """
    value = tags.get(HOLD_TAG, "")[:_DAY]
    return HOLD_TAG if re.fullmatch(r"\d{4}-\d\d-\d\d", value) and today and value < today else ""

"""Event patterns of EventBridge and filter policies of SNS, held against a message: matches, does not, or unknown.

Both have one language with small differences (EventBridge user guide, "Event patterns"; SNS developer guide, "Subscription filter
policies"). An operator that is not known here makes the answer unknown.
"""

from __future__ import annotations

import re
from fnmatch import translate
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

__all__ = ["Free", "matches"]


class Free:
    """A value of a sample that may be any text, such as the reason of a state."""


_MISSING = object()


def matches(pattern: Any, sample: Mapping[str, Any], *, _depth: int = 0) -> bool | None:
    """Whether a message has what a pattern asks for; None where it depends on what the sample does not say."""
    if not isinstance(pattern, dict) or _depth > 20:
        return None
    answers = []
    for key, wanted in pattern.items():
        if key == "$or" and isinstance(wanted, list):
            answers.append(_any([matches(part, sample, _depth=_depth + 1) for part in wanted]))
            continue
        value = sample.get(key, _MISSING)
        if isinstance(wanted, dict):
            if isinstance(value, Free):
                answers.append(None)
            elif isinstance(value, dict):
                answers.append(matches(wanted, value, _depth=_depth + 1))
            elif isinstance(value, list) and value:
                inner = [matches(wanted, item, _depth=_depth + 1) for item in value if isinstance(item, dict)]
                answers.append(_any(inner))
            else:
                answers.append(matches(wanted, {}, _depth=_depth + 1))
        elif isinstance(wanted, list):
            answers.append(_any([_one(condition, value) for condition in wanted]))
        else:
            answers.append(None)
    if False in answers:
        return False
    return None if None in answers else True


def _any(answers: Sequence[bool | None]) -> bool | None:
    if True in answers:
        return True
    return None if None in answers else False


def _one(condition: Any, value: Any) -> bool | None:
    if isinstance(condition, dict):
        if len(condition) != 1:
            return None
        ((operator, wanted),) = condition.items()
        if operator == "exists":
            return (value is not _MISSING) is bool(wanted)
        if value is _MISSING:
            return False
        if isinstance(value, Free):
            return None
        if isinstance(value, list):
            return _any([_asked(operator, wanted, item) for item in value]) if value else False
        return _asked(operator, wanted, value)
    if value is _MISSING:
        return False
    if isinstance(value, Free):
        return None
    return condition in value if isinstance(value, list) else _same(condition, value)


def _same(wanted: Any, value: Any) -> bool:
    # True is no 1 in JSON.
    return isinstance(wanted, bool) is isinstance(value, bool) and wanted == value


def _asked(operator: str, wanted: Any, value: Any) -> bool | None:
    if operator == "anything-but":
        if isinstance(wanted, dict):
            inner = _one(wanted, value)
            return None if inner is None else not inner
        return not any(_same(item, value) for item in (wanted if isinstance(wanted, list) else [wanted]))
    if operator == "numeric" and isinstance(wanted, list):
        return _numeric(wanted, value)
    if isinstance(wanted, list) and operator in ("prefix", "suffix", "wildcard", "equals-ignore-case"):
        return _any([_asked(operator, item, value) for item in wanted])
    if (
        isinstance(wanted, dict)
        and set(wanted) == {"equals-ignore-case"}
        and operator in ("prefix", "suffix")
    ):
        wanted, value = str(wanted["equals-ignore-case"]).lower(), str(value).lower()
    if not isinstance(wanted, str):
        return None
    text = value if isinstance(value, str) else None
    if operator == "prefix":
        return text is not None and text.startswith(wanted)
    if operator == "suffix":
        return text is not None and text.endswith(wanted)
    if operator == "equals-ignore-case":
        return text is not None and text.lower() == wanted.lower()
    if operator == "wildcard":
        squeezed = re.sub(r"\*+", "*", wanted)
        only_stars = "".join(
            sign if sign == "*" else f"[{sign}]" if sign in "?[" else sign for sign in squeezed
        )
        return text is not None and re.match(translate(only_stars), text) is not None
    return None


def _numeric(wanted: Sequence[Any], value: Any) -> bool | None:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or len(wanted) % 2:
        return False if not len(wanted) % 2 else None
    tests: dict[Any, Callable[[Any], bool]] = {
        "=": lambda bound: bool(value == bound), "<": lambda bound: bool(value < bound), "<=": lambda bound: bool(value <= bound),
        ">": lambda bound: bool(value > bound), ">=": lambda bound: bool(value >= bound),
    }  # fmt: skip
    answers: list[bool | None] = []
    for sign, bound in zip(wanted[::2], wanted[1::2], strict=True):
        known = sign in tests and isinstance(bound, (int, float))
        answers.append(tests[sign](bound) if known else None)
    if False in answers:
        return False
    return None if None in answers else True

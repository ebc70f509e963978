"""Tags of CloudWatch's resources: how many, which characters, which are AWS's own."""

from __future__ import annotations

import unicodedata
from typing import TYPE_CHECKING, Any

from orders_obs.alerts.aws_calls.limits import limit
from orders_obs.alerts.aws_calls.problems import Problem
from orders_obs.alerts.aws_calls.reading import items, listed, mapping, text

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

__all__ = ["tag_key_problems", "tag_problems"]

# CloudWatch user guide, "Tagging your CloudWatch resources", tag restrictions; AWS general reference, "Tagging AWS resources".
_SIGNS = frozenset("_.:/=+-@")
_HINT = "letters, digits, spaces and _ . : / = + - @"


def tag_problems(arguments: Mapping[str, Any], name: str = "Tags", path: str = "") -> Iterator[Problem]:
    """What is wrong with a list of tags with `Key` and `Value`."""
    given = listed(arguments.get(name))
    most = limit("tags")
    where = f"{path}.{name}" if path else name
    if len(given) > most:
        yield Problem(where, f"{len(given)} tags, and the limit is {most}", "", "limit")
    seen: set[str] = set()
    for at, tag in items(arguments, name, path):
        key, value = text(mapping(tag).get("Key")), text(mapping(tag).get("Value"))
        if key is not None:
            yield from tag_key_problems(f"{at}.Key", key)
            if key in seen:
                yield Problem(f"{at}.Key", f"the tag {key!r} stands twice", "each key once")
            seen.add(key)
        if value is not None and (wrong := _wrong(value)):
            yield Problem(f"{at}.Value", f"a tag cannot hold {wrong!r}", _HINT)


def tag_key_problems(path: str, key: str) -> Iterator[Problem]:
    """What is wrong with the key of a tag."""
    if key.lower().startswith("aws:"):
        yield Problem(path, f"the tag {key!r} begins with aws:, which is AWS's own", "another name")
    elif wrong := _wrong(key):
        yield Problem(path, f"a tag cannot hold {wrong!r}", _HINT)


def _wrong(value: str) -> str:
    """The first character that no tag may hold."""
    for sign in value:
        if sign not in _SIGNS and unicodedata.category(sign)[0] not in "LNZM":
            return sign
    return ""

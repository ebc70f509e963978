"""Tags in the forms that services give them other than a list of `Key` and `Value`: names and values, `TagKey` and `TagValue`, keys alone."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from orders_obs.alerts.aws_calls.limits import limit
from orders_obs.alerts.aws_calls.problems import Problem
from orders_obs.alerts.aws_calls.reading import listed, mapping, texts
from orders_obs.alerts.aws_calls.tags import tag_key_problems, tag_problems

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

__all__ = ["key_problems", "map_problems", "named_problems"]


def map_problems(arguments: Mapping[str, Any], name: str) -> Iterator[Problem]:
    """What is wrong with tags as names and values."""
    given = mapping(arguments.get(name))
    if len(given) > limit("tags"):
        yield Problem(name, f"{len(given)} tags, and the limit is {limit('tags')}", "", "limit")
    for key, value in given.items():
        pair = {"Tags": [{"Key": key, "Value": value}]}
        yield from (replace(problem, path=f"{name}.{key}") for problem in tag_problems(pair))


def named_problems(
    arguments: Mapping[str, Any], key: str, value: str, name: str = "Tags"
) -> Iterator[Problem]:
    """What is wrong with a list of tags whose parts have other names.

    Args:
        arguments: Of the call.
        key: Name of the key's part, such as `TagKey`.
        value: Name of the value's part.
        name: Of the argument.
    """
    pairs = [
        {"Key": mapping(tag).get(key), "Value": mapping(tag).get(value)}
        for tag in listed(arguments.get(name))
    ]
    for problem in tag_problems({name: pairs}, name):
        path = problem.path
        for old, new in ((".Key", f".{key}"), (".Value", f".{value}")):
            if path.endswith(old):
                path = path.removesuffix(old) + new
        yield replace(problem, path=path)


def key_problems(arguments: Mapping[str, Any], name: str = "TagKeys") -> Iterator[Problem]:
    """What is wrong with the keys of tags to take away."""
    for path, key in texts(arguments, name):
        yield from tag_key_problems(path, key)

"""YAML whose every value knows its file and line, and the error that says so."""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING, Any, NoReturn

import yaml

from orders_obs.alerts.model import Source
from orders_obs.errors import UserError

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

__all__ = ["Node", "did_you_mean", "read"]


def read(path: Path) -> Node:
    """The one document of a file.

    Raises:
        UserError: The file cannot be read, or is no YAML.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise UserError(f"cannot be read: {error.strerror}", file=path) from None
    except UnicodeDecodeError:
        raise UserError("is not UTF-8 text", file=path) from None
    try:
        node = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else None
        raise UserError(f"is not YAML: {error.problem}", file=path, line=line) from None
    except yaml.YAMLError as error:
        raise UserError(f"is not YAML: {error}", file=path) from None
    if node is None:
        raise UserError("is empty", hint="a catalogue begins with `catalogue: 1`", file=path)
    return Node(path, node, "the file")


class Node:
    """A YAML value with its name and its place, which is the line of its key where it has one."""

    def __init__(self, path: Path, node: yaml.Node, name: str, key: yaml.Node | None = None) -> None:
        self._path = path
        self._node = node
        self._line = (key or node).start_mark.line + 1
        self.name = name

    @property
    def source(self) -> Source:
        """File and line."""
        return Source(self._path, self._line)

    def fail(self, message: str, hint: str = "") -> NoReturn:
        """Say what is wrong here."""
        raise UserError(f"{self.name}: {message}", hint=hint, file=self._path, line=self._line)

    def mapping(self, allowed: Iterable[str] | None = None) -> dict[str, Node]:
        """The values of a mapping by their keys.

        Args:
            allowed: The keys that it may have; any when None.
        """
        if not isinstance(self._node, yaml.MappingNode):
            self.fail("must be a mapping of keys and values")
        result: dict[str, Node] = {}
        lines: dict[str, int] = {}
        known = None if allowed is None else sorted(allowed)
        for key_node, value_node in self._node.value:
            key = Node(self._path, key_node, "a key").text()
            place = Node(self._path, key_node, key)
            if key in result:
                place.fail("stands here a second time", f"the first is on line {lines[key]}")
            if known is not None and key not in known:
                place.fail(f"is not known in {self.name}", did_you_mean(key, known))
            lines[key] = place.source.line
            result[key] = Node(self._path, value_node, key, key_node)
        return result

    @property
    def is_mapping(self) -> bool:
        """Whether it is keys and values."""
        return isinstance(self._node, yaml.MappingNode)

    @property
    def is_none(self) -> bool:
        """Whether it is the word `none`, which takes away what a layer below gives."""
        return isinstance(self._node, yaml.ScalarNode) and self._node.value == "none"

    def flow(self) -> str:
        """The value in one line of YAML."""
        return " ".join(yaml.serialize(_flowing(self._node), width=10_000).replace("\n...", "").split())

    def text(self) -> str:
        """A scalar as it is written."""
        if not isinstance(self._node, yaml.ScalarNode):
            self.fail("must be a single value")
        return str(self._node.value).strip()

    def sequence(self) -> list[Node]:
        """The values of a list."""
        if not isinstance(self._node, yaml.SequenceNode):
            self.fail("must be a list", "such as [a, b]")
        return [Node(self._path, value, f"an item of {self.name}") for value in self._node.value]

    def data(self) -> Any:
        """The value as plain data, for what is handed on unread."""
        loader = yaml.SafeLoader("")
        try:
            return loader.construct_object(self._node, deep=True)
        finally:
            loader.dispose()

    def flag(self) -> bool:
        """True or false."""
        text = self.text().lower()
        if text not in ("true", "false"):
            self.fail(f"{self.text()!r} is neither true nor false")
        return text == "true"


def _flowing(node: yaml.Node) -> yaml.Node:
    if isinstance(node, yaml.CollectionNode):
        children = [
            tuple(map(_flowing, child)) if isinstance(child, tuple) else _flowing(child)
            for child in node.value
        ]
        return type(node)(node.tag, children, flow_style=True)
    return node


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """The nearest known words, or all of them where none is near."""
    names = list(known)
    near = difflib.get_close_matches(word, names, 3)
    return f"did you mean {' or '.join(near)}?" if near else f"known: {', '.join(names)}"

"""YAML whose every value knows its file and line, and the error that says so."""

from __future__ import annotations

import difflib
import math
import re
from typing import TYPE_CHECKING, Any, NoReturn

import yaml

from orders_obs.alerts.model import Source
from orders_obs.errors import UserError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

__all__ = ["Node", "check_aliases", "compose", "did_you_mean", "loader", "nested_deeply", "read", "read_text"]

_NAMED = 20
"""So many known words are said where none is near."""
_DEEP = 200
_MOST = 1_000_000
"""So many values a document may hold, each alias counted with what it stands for."""
_BRACKETS = re.compile(r"[][{}]")
_INDENT = re.compile(rf"^[ ?:-]{{{_DEEP}}}", re.MULTILINE)


def read_text(path: Path) -> str:
    """The text of a file.

    Raises:
        UserError: The file cannot be read, or is no text.
    """
    try:
        return path.read_text(encoding="utf-8")
    except OSError as error:
        raise UserError(f"cannot be read: {error.strerror}", file=path) from None
    except UnicodeDecodeError:
        raise UserError("is not UTF-8 text", file=path) from None


def read(path: Path) -> Node:
    """The one document of a file.

    Raises:
        UserError: The file cannot be read, or is no YAML.
    """
    node = compose(read_text(path), path)
    if node is None:
        raise UserError("is empty", hint="a catalogue begins with `catalogue: 1`", file=path)
    return Node(path, node, "the file")


def compose(text: str, path: Path) -> yaml.Node | None:
    """The one document of a text, None where it is empty.

    Raises:
        UserError: It is no YAML.
    """
    try:
        node: yaml.Node | None = yaml.compose(text, Loader=loader(text))
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else None
        raise UserError(f"is not YAML: {error.problem}", file=path, line=line) from None
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        raise UserError(f"is not YAML: {error.reason}", file=path, line=line) from None
    except yaml.YAMLError as error:
        raise UserError(f"is not YAML: {error}", file=path) from None
    except RecursionError:
        raise UserError("is nested too deeply", file=path) from None
    if node is not None:
        check_aliases(path, node)
    return node


class Node:
    """A YAML value with its name and its place, which is the line of its key where it has one."""

    __slots__ = ("_line", "_node", "_path", "_values", "name")

    def __init__(self, path: Path, node: yaml.Node, name: str, key: yaml.Node | None = None) -> None:
        self._path = path
        self._node = node
        self._line = (key or node).start_mark.line + 1
        self._values: dict[str, Node] | None = None
        self.name = name

    @property
    def source(self) -> Source:
        """File and line."""
        return Source(self._path, self._line)

    def fail(self, message: str, hint: str = "") -> NoReturn:
        """Say what is wrong here."""
        raise UserError(f"{self.name}: {message}", hint=hint, file=self._path, line=self._line)

    def mapping(self, allowed: Iterable[str] | None = None) -> Mapping[str, Node]:
        """The values of a mapping by their keys.

        Args:
            allowed: The keys that it may have; any when None.
        """
        if self._values is None:
            self._values = self._read()
        if allowed is not None:
            known = frozenset(allowed)
            for key, value in self._values.items():
                if key not in known:
                    value.fail(f"is not known in {self.name}", did_you_mean(key, sorted(known)))
        return self._values

    def _read(self) -> dict[str, Node]:
        if not isinstance(self._node, yaml.MappingNode):
            self.fail("must be a mapping of keys and values")
        result: dict[str, Node] = {}
        for key_node, value_node in self._node.value:
            key = Node(self._path, key_node, "a key").text()
            value = Node(self._path, value_node, key, key_node)
            if key in result:
                value.fail("stands here a second time", f"the first is on line {result[key].source.line}")
            result[key] = value
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
        text: str = yaml.serialize(_flowing(self._node), width=math.inf, allow_unicode=True)
        return text.removesuffix("\n").removesuffix("\n...")

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
        """The value as plain data that JSON can hold, keys sorted, for what is handed on unread."""
        if isinstance(self._node, yaml.MappingNode):
            return {key: value.data() for key, value in sorted(self.mapping().items())}
        if isinstance(self._node, yaml.SequenceNode):
            return [value.data() for value in self.sequence()]
        loader = yaml.SafeLoader("")
        try:
            value = loader.construct_object(self._node)
        except (yaml.YAMLError, ValueError):
            self.fail(f"{self._node.value!r} is no value", "put text in quotes")
        finally:
            loader.dispose()
        if isinstance(value, float) and not math.isfinite(value):
            self.fail(f"{self._node.value!r} is no number", "put text in quotes")
        if value is not None and not isinstance(value, str | int | float):
            self.fail(f"{self._node.value!r} is neither text nor a number", "put text in quotes")
        return value

    def flag(self) -> bool:
        """True or false."""
        text = self.text().lower()
        if text not in ("true", "false"):
            self.fail(f"{self.text()!r} is neither true nor false")
        return text == "true"


def nested_deeply(text: str) -> bool:
    """Whether a text may nest so deeply that YAML's parser in C would end the process."""
    depth = deepest = 0
    for bracket in _BRACKETS.finditer(text):
        depth = depth + 1 if bracket[0] in "[{" else max(0, depth - 1)
        deepest = max(deepest, depth)
    return deepest > _DEEP or _INDENT.search(text) is not None


def loader(text: str) -> type[Any]:
    """PyYAML's safe loader: the one in C where it is there and the text is fit for it, which gives the same many times faster."""
    plain: type[Any] = yaml.SafeLoader
    return plain if nested_deeply(text) else getattr(yaml, "CSafeLoader", plain)


def check_aliases(path: Path, root: yaml.Node) -> None:
    """Refuse a value that holds itself, or stands for very many, as aliases can make one.

    Raises:
        UserError: The document is one.
    """
    sizes: dict[int, int] = {}
    above: set[int] = set()
    work = [(root, False)]
    while work:
        node, left = work.pop()
        if left:
            above.discard(id(node))
            size = 1 + sum(sizes.get(id(part), 1) for part in _parts(node))
            if size > _MOST:
                raise UserError(
                    "its aliases stand for more than a million values",
                    file=path,
                    line=node.start_mark.line + 1,
                )
            sizes[id(node)] = size
            continue
        if id(node) in above:
            raise UserError(
                "a value holds itself", hint="take the alias out", file=path, line=node.start_mark.line + 1
            )
        if id(node) in sizes or not isinstance(node, yaml.CollectionNode):
            continue
        above.add(id(node))
        work.append((node, True))
        work += [(part, False) for part in _parts(node)]


def _parts(node: Any) -> Iterator[yaml.Node]:
    for child in node.value:
        yield from child if isinstance(child, tuple) else (child,)


def _flowing(node: Any) -> yaml.Node:
    if isinstance(node, yaml.CollectionNode):
        children = [
            tuple(map(_flowing, child)) if isinstance(child, tuple) else _flowing(child)
            for child in node.value
        ]
        flowing: yaml.Node = type(node)(node.tag, children, flow_style=True)
        return flowing
    # Text of several lines stands in one line only in double quotes.
    style = '"' if "\n" in node.value else node.style if node.style in ("'", '"') else None
    return yaml.ScalarNode(node.tag, node.value, style=style)


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """The nearest known words, or all of them where none is near."""
    names = list(known)
    near = difflib.get_close_matches(word, names, 3)
    if near:
        return f"did you mean {' or '.join(near)}?"
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    return f"known: {', '.join(names[:_NAMED])}{more}"

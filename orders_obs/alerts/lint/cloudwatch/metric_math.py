"""CloudWatch's metric math read back as a tree: which series an expression reads, and through which functions."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = [
    "Call",
    "Infix",
    "Listed",
    "Name",
    "Number",
    "Term",
    "Text",
    "divisions",
    "factor",
    "names",
    "parse",
    "plain",
    "scale",
    "walk",
]


@dataclass(frozen=True, slots=True)
class Number:
    """A number."""

    value: float


@dataclass(frozen=True, slots=True)
class Text:
    """Quoted text."""

    value: str


@dataclass(frozen=True, slots=True)
class Name:
    """The id of another query."""

    value: str


@dataclass(frozen=True, slots=True)
class Call:
    """A function of arguments."""

    name: str
    arguments: tuple[Term, ...]


@dataclass(frozen=True, slots=True)
class Listed:
    """`[a, b]`."""

    items: tuple[Term, ...]


@dataclass(frozen=True, slots=True)
class Infix:
    """An operator between two terms; `-a` is `0 - a`."""

    op: str
    left: Term
    right: Term


Term = Number | Text | Name | Call | Listed | Infix

_TOKEN = re.compile(
    r"""\s*(?:(?P<number>\d+(?:\.\d*)?(?:[eE][+-]?\d+)?|\.\d+)|(?P<name>[A-Za-z_]\w*)|(?P<text>"[^"]*"|'[^']*')|(?P<op>\|\||&&|[<>=!]=|[-+*/^<>(),\[\]]))"""
)
# Whoever walks a deeper tree comes to the end of the stack; no alarm has one.
_MOST_BRANCHES = 150
_BRANCHES = re.compile(r"[-+*/^<>=&|(\[]")
_LEVELS: tuple[tuple[str, ...], ...] = (("OR", "||"), ("AND", "&&"), ("==", "!=", "<", ">", "<=", ">="), ("+", "-"), ("*", "/"), ("^",))  # fmt: skip


def parse(expression: str) -> Term | None:
    """The tree of an expression; None where it is none that this reads, such as a Metrics Insights query."""
    if len(_BRANCHES.findall(expression)) > _MOST_BRANCHES:
        return None
    tokens, end = [], 0
    text = expression.strip()
    while end < len(text):
        found = _TOKEN.match(text, end)
        if found is None:
            return None
        tokens.append((str(found.lastgroup), found[found.lastgroup or 0]))
        end = found.end()
    parser = _Parser(tokens)
    try:
        term = parser.level(0)
    except (_NotRead, RecursionError):
        return None
    return term if parser.at_end else None


class _NotRead(Exception):  # noqa: N818  # ends in None, never seen outside
    pass


class _Parser:
    def __init__(self, tokens: list[tuple[str, str]]) -> None:
        self._tokens = tokens
        self._at = 0

    @property
    def at_end(self) -> bool:
        return self._at == len(self._tokens)

    def _peek(self) -> tuple[str, str]:
        return self._tokens[self._at] if not self.at_end else ("", "")

    def _take(self, word: str) -> bool:
        kind, text = self._peek()
        if kind == "text" or text.upper() != word:
            return False
        self._at += 1
        return True

    def level(self, number: int) -> Term:
        if number == len(_LEVELS):
            return self._unary()
        left = self.level(number + 1)
        while True:
            op = next((word for word in _LEVELS[number] if self._take(word)), None)
            if op is None:
                return left
            left = Infix({"||": "OR", "&&": "AND"}.get(op, op), left, self.level(number + 1))

    def _unary(self) -> Term:
        if self._take("-"):
            return Infix("-", Number(0.0), self._unary())
        kind, text = self._peek()
        self._at += 1
        if kind == "number":
            return Number(float(text))
        if kind == "text":
            return Text(text[1:-1])
        if kind == "name":
            return Call(text.upper(), self._list(")")) if self._take("(") else Name(text)
        if text == "(":
            inner = self.level(0)
            if not self._take(")"):
                raise _NotRead
            return inner
        if text == "[":
            return Listed(self._list("]"))
        raise _NotRead

    def _list(self, end: str) -> tuple[Term, ...]:
        if self._take(end):
            return ()
        items = [self.level(0)]
        while self._take(","):
            items.append(self.level(0))
        if not self._take(end):
            raise _NotRead
        return tuple(items)


def walk(term: Term) -> Iterator[Term]:
    """A term and all within it."""
    yield term
    if isinstance(term, Infix):
        yield from walk(term.left)
        yield from walk(term.right)
    elif isinstance(term, Call | Listed):
        for child in term.arguments if isinstance(term, Call) else term.items:
            yield from walk(child)


def names(term: Term) -> list[str]:
    """The ids that a term reads, in their order."""
    return [part.value for part in walk(term) if isinstance(part, Name)]


def divisions(term: Term) -> Iterator[Infix]:
    """Each division of a term by something that is no number."""
    for part in walk(term):
        if isinstance(part, Infix) and part.op == "/" and names(part.right):
            yield part


def scale(term: Term) -> tuple[float, Infix | None]:
    """The factor that multiplies the one division of a term, and the division: 100 and `a/b` of `100 * a / b`.

    `(a / b) * 100`, `100 * (a / b)`, `(100 * a) / b` and `IF(condition, a / b * 100, 0)` are read; None in place of a division else.
    """
    if isinstance(term, Call) and term.name == "IF" and len(term.arguments) == 3:
        return scale(term.arguments[1])
    if isinstance(term, Call) and term.name == "FILL" and term.arguments:
        return scale(term.arguments[0])
    if isinstance(term, Infix) and term.op == "*":
        for number, other in ((term.left, term.right), (term.right, term.left)):
            if isinstance(number, Number):
                inner, found = scale(other)
                return number.value * inner, found
    if isinstance(term, Infix) and term.op == "/" and names(term.right):
        factor_above, part = factor(term.left)
        return factor_above, Infix("/", part, term.right)
    return 1.0, None


def factor(term: Term) -> tuple[float, Term]:
    """The number that multiplies a term, and the rest: 100 and `a` of `100 * a`."""
    if isinstance(term, Infix) and term.op == "*":
        for number, other in ((term.left, term.right), (term.right, term.left)):
            if isinstance(number, Number):
                inner, rest = factor(other)
                return number.value * inner, rest
    return 1.0, term


def plain(term: Term) -> list[str] | None:
    """The ids that a term adds up, each once and as it is or filled; None where it does anything else."""
    if isinstance(term, Name):
        return [term.value]
    if isinstance(term, Call) and term.name == "FILL" and term.arguments:
        return plain(term.arguments[0])
    if isinstance(term, Call) and term.name == "SUM" and len(term.arguments) == 1:
        inside = term.arguments[0]
        parts = [plain(item) for item in inside.items] if isinstance(inside, Listed) else [None]
    elif isinstance(term, Infix) and term.op == "+":
        parts = [plain(term.left), plain(term.right)]
    else:
        return None
    return None if None in parts else [name for part in parts for name in part or ()]

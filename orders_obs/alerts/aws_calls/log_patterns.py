"""Filter patterns of CloudWatch Logs: terms, JSON, space-delimited, regular expressions.

Source: CloudWatch Logs user guide, "Filter pattern syntax"; PutMetricFilter for the number of regular expressions.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Literal

from orders_obs.alerts.aws_calls.documents import number_text

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["Form", "form_of", "pattern_faults"]

Form = Literal["empty", "json", "delimited", "terms"]

_REGULAR = 2
_DEEPEST = 40
_REGEX = re.compile(r"%[^%]*%")
# What a regular expression may hold; blanks and the colon are named in some editions of the guide only.
_REGEX_SIGNS = re.compile(r"[A-Za-z0-9:_#=@/;,^$?\[\]{}|\\*+.\s-]*")
_STRING = r'"(?:[^"\\]|\\.)*"'
# The guide wants all signs in quotation marks; these are taken without them.
_TERM = re.compile(rf"[?-]?(?:{_STRING}|%[^%]*%|[\w=.*]+)|-")
_TOKEN = re.compile(
    rf"\s*(?:(?P<string>{_STRING})|(?P<regex>%[^%]*%)|(?P<sign>&&|\|\||!=|<=|>=|[=<>()])|(?P<path>\$(?:[^\s=<>()&|\"%!\[]|\[[^\]]*\])*)"
    r"|(?P<word>[^\s=<>()&|\"%!]+)|(?P<rest>.))",
    re.DOTALL,
)
_SELECTOR = re.compile(r"\$(?:\.[^.\[\]$]+|\.?\[[^\[\]]+\])(?:\.[^.\[\]$]+|\.?\[[^\[\]]+\])*")
# What a word without quotation marks cannot hold; wildcards, dots and the like may stand in one.
_QUOTE_THESE = re.compile(r"[@$\\]|[^\x00-\x7f]")
_SIGNS = ("=", "!=", "<", "<=", ">", ">=")


class _PatternError(ValueError):
    pass


class _TooDeepError(Exception):
    """Parentheses deeper than anybody writes, which are left to AWS."""


def form_of(pattern: str) -> Form:
    """Which of the forms a pattern has."""
    stripped = pattern.strip()
    if not stripped:
        return "empty"
    return {"{": "json", "[": "delimited"}.get(stripped[0], "terms")  # type: ignore[return-value]


def pattern_faults(pattern: str) -> Iterator[str]:
    """Why a filter pattern is none."""
    form, stripped = form_of(pattern), pattern.strip()
    if form == "empty":
        return
    bare = re.sub(_STRING, '""', stripped)
    regular = _REGEX.findall(bare)
    if len(regular) > _REGULAR:
        yield f"{len(regular)} regular expressions, and a pattern has {_REGULAR} at most"
    for one in regular:
        if not _REGEX_SIGNS.fullmatch(one[1:-1]):
            wrong = next(sign for sign in one[1:-1] if not _REGEX_SIGNS.fullmatch(sign))
            yield f"the regular expression {one} has {wrong!r}, which none can hold; its code \\x{ord(wrong):02x} can stand for it"
            return
    close = {"json": "}", "delimited": "]"}.get(form)
    if close and (not stripped.endswith(close) or len(stripped) < 2):
        yield f"a pattern that begins with {stripped[0]} ends with {close}"
        return
    try:
        if form == "json":
            _Json(stripped[1:-1]).read()
        elif form == "delimited":
            _delimited(stripped[1:-1])
        else:
            _terms(stripped)
    except _PatternError as error:
        yield str(error)
    except _TooDeepError:
        return


def _terms(text: str) -> None:
    index = 0
    while index < len(text):
        if text[index].isspace():
            index += 1
            continue
        found = _TERM.match(text, index)
        if found is None or (found.end() < len(text) and not text[found.end()].isspace()):
            word = text[index:].split(maxsplit=1)[0]
            raise _PatternError(
                f"the term {word!r} has other signs than letters, digits and underscores: in quotation marks"
            )
        index = found.end()


class _Json:
    """A reader of what stands between the braces of a JSON pattern."""

    def __init__(self, text: str) -> None:
        self._tokens = list(_tokens(text))
        self._at = 0

    def read(self) -> None:
        if not self._tokens:
            raise _PatternError("the pattern has no condition")
        self._either(0)
        if self._at < len(self._tokens):
            raise _PatternError(f"{self._tokens[self._at][1]!r} stands where && or || is wanted")

    def _either(self, depth: int) -> None:
        self._all(depth)
        while self._is("||"):
            self._at += 1
            self._all(depth)

    def _all(self, depth: int) -> None:
        self._one(depth)
        while self._is("&&"):
            self._at += 1
            self._one(depth)

    def _one(self, depth: int) -> None:
        if not self._is("("):
            self._condition()
            return
        if depth > _DEEPEST:
            raise _TooDeepError
        self._at += 1
        self._either(depth + 1)
        if not self._is(")"):
            self._next("a )")
            raise _PatternError(f"{self._tokens[self._at - 1][1]!r} stands where ) is wanted")
        self._at += 1

    def _condition(self) -> None:
        kind, selector = self._next("a selector such as $.level")
        if kind != "word" or not selector.startswith("$"):
            raise _PatternError(f"{selector!r} is no selector, which begins with $. as $.level does")
        if not _SELECTOR.fullmatch(selector):
            raise _PatternError(f"{selector!r} is no selector, such as $.level or $.users[0].id")
        kind, sign = self._next(f"a comparison behind {selector}")
        if kind == "word":
            self._state(selector, sign)
            return
        if sign not in _SIGNS:
            raise _PatternError(
                f"{sign!r} compares nothing: {', '.join(_SIGNS)}, IS NULL, IS TRUE, IS FALSE, NOT EXISTS"
            )
        kind, value = self._next(f"a value behind {selector} {sign}")
        if kind == "sign":
            raise _PatternError(f"{value!r} stands where the value of {selector} is wanted")
        _check_value(kind, sign, value)

    def _state(self, selector: str, word: str) -> None:
        if word.upper() == "EXISTS":
            return
        _, other = self._next(f"NULL, TRUE, FALSE or EXISTS behind {selector} {word}")
        said = f"{word} {other}".upper()
        if said == "IS NOT":
            self._next("NULL behind IS NOT")
        elif said not in ("IS NULL", "IS TRUE", "IS FALSE", "NOT EXISTS"):
            raise _PatternError(f"{selector} {word} {other}: IS NULL, IS TRUE, IS FALSE, NOT EXISTS")

    def _is(self, sign: str) -> bool:
        return self._at < len(self._tokens) and self._tokens[self._at] == ("sign", sign)

    def _next(self, wanted: str) -> tuple[str, str]:
        if self._at >= len(self._tokens):
            raise _PatternError(f"the pattern ends where {wanted} is wanted")
        self._at += 1
        return self._tokens[self._at - 1]


def _tokens(text: str) -> Iterator[tuple[str, str]]:
    text = text.strip()
    index = 0
    while index < len(text):
        found = _TOKEN.match(text, index)
        if found is None:
            return
        kind = found.lastgroup or "rest"
        if kind == "rest":
            raise _PatternError(
                f"{found[kind]!r} is not understood: signs of its own stand in quotation marks"
            )
        yield "word" if kind == "path" else kind, found[kind]
        index = found.end()


def _check_value(kind: str, sign: str, value: str) -> None:
    if sign in ("<", "<=", ">", ">="):
        if kind != "word" or not number_text(value):
            raise _PatternError(f"{sign} compares numbers, and {value} is none")
    elif kind == "word" and _QUOTE_THESE.search(value):
        raise _PatternError(f"{value!r} has signs that stand in quotation marks only")


def _delimited(text: str) -> None:
    """The fields of a space-delimited pattern: a name, conditions on it, or three dots."""
    bare = re.sub(rf"{_STRING}|%[^%]*%", lambda found: found[0].replace(",", " "), text)
    if not text.strip():
        raise _PatternError("the pattern has no field")
    start = 0
    for part in bare.split(","):
        field = text[start : start + len(part)].strip()
        start += len(part) + 1
        if field in ("", "...", "…"):
            continue
        if field.count('"') % 2:
            raise _PatternError(f"the field {field} has a quotation mark without its other one")
        for condition in re.split(r"&&|\|\|", re.sub(_STRING, '""', field)):
            _field(condition.strip(" ()\t\r\n"))


def _field(condition: str) -> None:
    found = re.fullmatch(r"([^=<>!]*?)\s*(!=|<=|>=|=|<|>)\s*(.*)", condition, re.DOTALL)
    if found is None:
        if re.search(r"\s", condition):
            raise _PatternError(f"{condition!r} is no field: fields are separated by commas")
        return
    if not found[1]:
        raise _PatternError(f"the condition {condition!r} has no field's name")
    if not found[3]:
        raise _PatternError(f"the condition {condition!r} has no value")
    if found[2] in ("<", "<=", ">", ">=") and not number_text(found[3]):
        raise _PatternError(f"{found[2]} compares numbers, and {found[3]} is none")

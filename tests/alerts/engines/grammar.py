"""Two small parsers, written from AWS's documentation: of composite alarm rules and of metric math.

Sources: "Create a composite alarm" (rule expressions) and "Using metric math" of the CloudWatch user guide.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

__all__ = ["MATH_FUNCTIONS", "Rule", "math_names", "rule"]

_RULE = re.compile(r'\s*(?:(?P<word>[A-Z_]+)|"(?P<name>[^"]+)"|(?P<sign>[()])|(?P<end>\Z))')
_STATES = ("ALARM", "OK", "INSUFFICIENT_DATA")
_MATH = re.compile(
    r"\s*(?:(?P<number>\d+(?:\.\d+)?)|(?P<word>[A-Za-z_]\w*)|(?P<sign>>=|<=|==|!=|&&|\|\||[-+*/^()<>,])|(?P<end>\Z))"
)
# AWS advises against the scalar functions in alarms, so they are not here.
MATH_FUNCTIONS = {"FILL": 2, "IF": 3}


@dataclass
class Rule:
    """What a rule refers to."""

    names: list[str] = field(default_factory=list)
    elements: int = 0


@dataclass
class _Words:
    pattern: re.Pattern[str]
    text: str
    at: int = 0

    def peek(self) -> tuple[str, str]:
        match = self.pattern.match(self.text, self.at)
        if match is None:
            raise ValueError(f"cannot be read from {self.text[self.at :]!r} on")
        return match.lastgroup or "", match[match.lastgroup or 0]

    def take(self) -> tuple[str, str]:
        found = self.peek()
        match = self.pattern.match(self.text, self.at)
        assert match is not None
        self.at = match.end()
        return found

    def expect(self, sign: str) -> None:
        if self.take() != ("sign", sign):
            raise ValueError(f"{sign} is missing before {self.text[self.at :]!r}")


def rule(text: str) -> Rule:
    """The alarms that a rule refers to.

    Raises:
        ValueError: It is no rule, or its meaning depends on a precedence that AWS does not state.
    """
    words, found = _Words(_RULE, text), Rule()
    _joined(words, found)
    if words.take()[0] != "end":
        raise ValueError(f"more than a rule: {text!r}")
    return found


def _joined(words: _Words, found: Rule) -> None:
    _term(words, found)
    joints = set()
    while words.peek() in (("word", "AND"), ("word", "OR")):
        joints.add(words.take()[1])
        found.elements += 1
        _term(words, found)
    if len(joints) > 1:
        raise ValueError("AND beside OR without parentheses")


def _term(words: _Words, found: Rule) -> None:
    kind, text = words.take()
    found.elements += 1
    if (kind, text) == ("sign", "("):
        _joined(words, found)
        words.expect(")")
    elif (kind, text) == ("word", "NOT"):
        _term(words, found)
    elif kind == "word" and text in _STATES:
        words.expect("(")
        kind, name = words.take()
        if kind != "name":
            raise ValueError(f"a name is wanted, not {name!r}")
        found.names.append(name)
        words.expect(")")
    elif (kind, text) not in (("word", "TRUE"), ("word", "FALSE")):
        raise ValueError(f"{text!r} is no condition")


def math_names(text: str) -> set[str]:
    """The ids that an expression refers to.

    Raises:
        ValueError: It is no expression, or calls what is not known.
    """
    words = _Words(_MATH, text)
    found = _sum(words)
    if words.take()[0] != "end":
        raise ValueError(f"more than an expression: {text!r}")
    return found


def _sum(words: _Words) -> set[str]:
    found = _value(words)
    while words.peek()[0] == "sign" and words.peek()[1] not in "(),":
        words.take()
        found |= _value(words)
    return found


def _value(words: _Words) -> set[str]:
    kind, text = words.take()
    if kind == "number":
        return set()
    if (kind, text) == ("sign", "("):
        found = _sum(words)
        words.expect(")")
        return found
    if kind == "word" and words.peek() == ("sign", "("):
        return _call(words, text)
    if kind == "word" and re.fullmatch(r"[a-z]\w*", text):
        return {text}
    raise ValueError(f"{text!r} is no value")


def _call(words: _Words, name: str) -> set[str]:
    words.expect("(")
    found, count = _sum(words), 1
    while words.peek() == ("sign", ","):
        words.take()
        found |= _sum(words)
        count += 1
    words.expect(")")
    if MATH_FUNCTIONS.get(name) != count:
        raise ValueError(f"{name} with {count} arguments")
    return found

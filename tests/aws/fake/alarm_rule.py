"""The rule of a composite alarm: what it refers to, and what it says about the states of its children.

Grammar from the text of PutCompositeAlarm in botocore's model and from the CloudWatch User Guide; AWS states no precedence, here NOT
binds tighter than AND, and AND tighter than OR.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

__all__ = ["RuleError", "parse"]

_TOKEN = re.compile(r'\s*(?:(?P<mark>[(),])|"(?P<quoted>[^"]*)"|(?P<word>[^\s(),"]+))')
_STATES = ("ALARM", "OK", "INSUFFICIENT_DATA")
States = Callable[[str], str]


class RuleError(Exception):
    """The text is no rule."""


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule that was read.

    Attributes:
        children: Names or ARNs that it refers to, in order.
        holds: Whether it is true for these states of alarms.
    """

    children: tuple[str, ...]
    holds: Callable[[States], bool]


def parse(text: str) -> Rule:
    """Read a rule.

    Raises:
        RuleError: It is none.
    """
    reader = _Reader(text)
    holds = reader.alternatives()
    if reader.rest():
        raise RuleError(f"unexpected {reader.rest()[0]}")
    return Rule(tuple(dict.fromkeys(reader.children)), holds)


class _Reader:
    def __init__(self, text: str) -> None:
        self.tokens: list[tuple[str, bool]] = []
        self.children: list[str] = []
        self.at = 0
        place, text = 0, text.rstrip()
        while place < len(text):
            match = _TOKEN.match(text, place)
            if match is None:
                raise RuleError(f"unexpected text at {place}")
            quoted = match["quoted"]
            self.tokens.append(
                (quoted, True) if quoted is not None else (match["mark"] or match["word"], False)
            )
            place = match.end()

    def rest(self) -> list[str]:
        return [text for text, _ in self.tokens[self.at :]]

    def take(self, *expected: str) -> str:
        if self.at >= len(self.tokens):
            raise RuleError("the rule ends too early")
        text, quoted = self.tokens[self.at]
        if expected and (quoted or text.upper() not in expected):
            raise RuleError(f"{text} where {' or '.join(expected)} was expected")
        self.at += 1
        return text

    def sees(self, *words: str) -> bool:
        return self.at < len(self.tokens) and self.tokens[self.at] in [(word, False) for word in words]

    def alternatives(self) -> Callable[[States], bool]:
        parts = [self.conjunction()]
        while self.sees("OR"):
            self.take()
            parts.append(self.conjunction())
        return lambda states: any(part(states) for part in parts)

    def conjunction(self) -> Callable[[States], bool]:
        parts = [self.negation()]
        while self.sees("AND"):
            self.take()
            parts.append(self.negation())
        return lambda states: all(part(states) for part in parts)

    def negation(self) -> Callable[[States], bool]:
        if self.sees("NOT"):
            self.take()
            inner = self.negation()
            return lambda states: not inner(states)
        return self.primary()

    def primary(self) -> Callable[[States], bool]:
        if self.sees("("):
            self.take()
            inner = self.alternatives()
            self.take(")")
            return inner
        word = self.take(*_STATES, "TRUE", "FALSE", "AT_LEAST").upper()
        if word in ("TRUE", "FALSE"):
            return lambda _: word == "TRUE"
        self.take("(")
        if word == "AT_LEAST":
            return self.at_least()
        name = self.child()
        self.take(")")
        return lambda states: states(name) == word

    def at_least(self) -> Callable[[States], bool]:
        count = self.take()
        if not re.fullmatch(r"\d+%?", count):
            raise RuleError(f"{count} is no count and no share")
        self.take(",")
        negated = self.sees("NOT")
        if negated:
            self.take()
        state = self.take(*_STATES)
        self.take(",")
        self.take("(")
        names = [self.child()]
        while self.sees(","):
            self.take()
            names.append(self.child())
        self.take(")")
        self.take(")")
        number = float(count.rstrip("%"))
        needed = number / 100 * len(names) if count.endswith("%") else number
        return lambda states: sum((states(name) == state) != negated for name in names) >= needed

    def child(self) -> str:
        if self.sees("(", ")", ","):
            raise RuleError("an alarm's name is missing")
        self.children.append(self.take())
        return self.children[-1]

"""The rule of a composite alarm, read as CloudWatch reads it: which alarms it names, and what in it cannot be read.

Source: PutCompositeAlarm, AlarmRule; the user guide's "Composite alarms", rule expressions and alarm references.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

__all__ = ["AlarmRule", "Child", "RuleError", "read_rule"]

_STATES = ("ALARM", "OK", "INSUFFICIENT_DATA")
# A name in double quotes may hold anything, `\"` for a quote; a bare one no blanks, parentheses and commas.
_TOKEN = re.compile(r'\s*(?:(?P<sign>[(),])|(?P<quoted>"(?:[^"\\]|\\.)*")|(?P<word>[^\s(),]+))', re.DOTALL)
_SHARE = re.compile(r"(\d{1,9})|(\d{1,9}(?:\.\d+)?)%", re.ASCII)
_EXAMPLE = 'ALARM("a") AND (OK("b") OR NOT ALARM("c"))'


class RuleError(ValueError):
    """A rule cannot be read; `hint` says what would be right."""

    def __init__(self, message: str, hint: str = _EXAMPLE) -> None:
        super().__init__(message)
        self.hint = hint


@dataclass(frozen=True, slots=True)
class Child:
    """An alarm that a rule asks for: the state, and the name or ARN as it is written."""

    state: str
    reference: str

    @property
    def name(self) -> str:
        """The alarm's name, also of an ARN."""
        return self.reference.rpartition(":alarm:")[2] or self.reference


@dataclass(slots=True)
class AlarmRule:
    """What a rule says.

    Attributes:
        children: The alarms that it asks for, in the order of the text.
        elements: Alarms, TRUE and FALSE, and pairs of parentheses that group.
    """

    children: list[Child] = field(default_factory=list)
    elements: int = 0


def read_rule(text: str) -> AlarmRule:
    """Read a rule. Upper and lower case of its words are the same.

    Raises:
        RuleError: CloudWatch cannot read it; the message says what and where.
    """
    return _Reader(text).read()


class _Reader:
    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0
        self._rule = AlarmRule()

    def read(self) -> AlarmRule:
        depth, wants_condition = 0, True
        while True:
            kind, word, place = self._next()
            upper = word.upper()
            if wants_condition:
                if word == "(" and kind == "sign":
                    depth += 1
                    self._rule.elements += 1
                elif kind == "word" and upper == "NOT":
                    pass
                elif kind == "word" and self._condition(upper):
                    wants_condition = False
                else:
                    raise self._unexpected(kind, word, place, "a condition")
            elif kind == "word" and upper in ("AND", "OR"):
                wants_condition = True
            elif word == ")" and kind == "sign":
                if not depth:
                    raise RuleError(f"a parenthesis closes at character {place + 1} and none is open")
                depth -= 1
            elif kind == "end":
                if depth:
                    raise RuleError(f"{_counted(depth, 'parenthesis', 'parentheses')} not closed")
                return self._rule
            else:
                raise self._unexpected(kind, word, place, "AND, OR or the end")

    def _condition(self, word: str) -> bool:
        """Read on after the first word of a condition; False where it begins none."""
        if word in ("TRUE", "FALSE"):
            self._rule.elements += 1
        elif word in _STATES:
            self._sign("(", word)
            self._child(word, f"{word}()")
            self._sign(")", word)
        elif word == "AT_LEAST":
            self._at_least()
        else:
            return False
        return True

    def _at_least(self) -> None:
        hint = 'AT_LEAST(2, ALARM, ("a", "b", "c")), or a share such as 50%'
        self._sign("(", "AT_LEAST")
        _, word, _ = self._next()
        share = _SHARE.fullmatch(word)
        if share is None:
            raise RuleError(f"AT_LEAST begins with a number or a percentage, and not with {word!r}", hint)
        self._sign(",", "AT_LEAST")
        _, state, _ = self._next()
        if state.upper() == "NOT":
            _, state, _ = self._next()
        if state.upper() not in _STATES:
            raise RuleError(f"AT_LEAST asks for a state, and {state!r} is none", hint)
        self._sign(",", "AT_LEAST")
        self._sign("(", "AT_LEAST")
        count = 0
        while True:
            self._child(state.upper(), "AT_LEAST()")
            count += 1
            kind, word, place = self._next()
            if (kind, word) == ("sign", ")"):
                break
            if (kind, word) != ("sign", ","):
                raise self._unexpected(kind, word, place, "a comma or the end of the list")
        self._sign(")", "AT_LEAST")
        if share[1] is None:
            if not 0 < float(share[2]) <= 100:
                raise RuleError(f"AT_LEAST asks for {share[0]} of its alarms", "above 0%, 100% at most")
        elif not 1 <= int(share[1]) <= count:
            raise RuleError(
                f"AT_LEAST asks for {share[1]} of {count} alarms", "from 1 to as many as it lists"
            )

    def _child(self, state: str, of: str) -> None:
        kind, word, place = self._next()
        if kind == "quoted":
            word = re.sub(r"\\(.)", r"\1", word[1:-1], flags=re.DOTALL)
        elif kind != "word":
            raise self._unexpected(kind, word, place, f"the name of an alarm in {of}")
        if not word.strip():
            raise RuleError(f"{of} names no alarm")
        self._rule.children.append(Child(state, word))
        self._rule.elements += 1

    def _sign(self, sign: str, of: str) -> None:
        kind, word, place = self._next()
        if (kind, word) != ("sign", sign):
            hint = (
                'put names with blanks, parentheses or commas in double quotes: ALARM("a name")'
                if sign == ")"
                else _EXAMPLE
            )
            raise RuleError(
                f"{sign!r} is wanted after {of} and its arguments, and {_named(kind, word)} stands at character {place + 1}",
                hint,
            )

    def _unexpected(self, kind: str, word: str, place: int, wanted: str) -> RuleError:
        return RuleError(
            f"{wanted} is wanted at character {place + 1}, and {_named(kind, word)} stands there"
        )

    def _next(self) -> tuple[str, str, int]:
        found = _TOKEN.match(self._text, self._at)
        if found is None:
            rest = self._text[self._at :]
            if rest.strip():  # nothing else than a quote without its end is no token
                raise RuleError(f"cannot be read from character {self._at + 1} on")
            return "end", "", len(self._text)
        kind = str(found.lastgroup)
        place = found.start(kind)
        if kind == "word" and found[kind].startswith('"'):
            raise RuleError(f"a double quote opens at character {place + 1} and none closes it")
        self._at = found.end()
        return kind, found[kind], place


def _named(kind: str, word: str) -> str:
    return "the end" if kind == "end" else word if len(word) <= 40 else f"{word[:40]}…"


def _counted(count: int, one: str, many: str) -> str:
    return f"{count} {one} is" if count == 1 else f"{count} {many} are"

"""JSON texts, ARNs and phone numbers inside arguments: read strictly, and never with an exception."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from orders_obs.alerts.aws_calls.problems import Problem

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["Arn", "arn_problems", "number_text", "phone_fault", "read_arn", "read_json", "utf8_size", "whole"]

# AWS general reference, "Amazon Resource Names": arn:partition:service:region:account:resource.
_ARN = re.compile(r"arn:([a-z0-9-]+):([a-zA-Z0-9-]+):([a-z0-9-]*):([a-zA-Z0-9-]*):(.+)", re.DOTALL)
_NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?", re.ASCII)
# E.164, with the separators that people write, which SNS takes out.
_PHONE = re.compile(r"\+?[1-9]\d{1,14}", re.ASCII)
_SEPARATORS = re.compile(r"[ ()./-]")


@dataclass(frozen=True, slots=True)
class Arn:
    """The parts of an ARN."""

    service: str
    region: str
    account: str
    resource: str


def read_arn(value: Any) -> Arn | None:
    """The parts of an ARN; None where the value is none."""
    found = _ARN.fullmatch(value) if isinstance(value, str) else None
    return Arn(found[2], found[3], found[4], found[5]) if found else None


def arn_problems(path: str, value: Any, form: re.Pattern[str], wanted: str) -> Iterator[Problem]:
    """What is wrong with an ARN of one kind.

    Args:
        path: Of the value.
        value: Anything; what is no text is left to the model.
        form: The whole ARN.
        wanted: The form for a person.
    """
    if isinstance(value, str) and not form.fullmatch(value):
        said = "is of another kind" if read_arn(value) else "is no ARN"
        yield Problem(path, f"{_short(value)} {said}", wanted, "arn")


def read_json(written: str) -> tuple[Any, str]:
    """The value of a JSON text, and why it is none; numbers such as NaN are none."""
    try:
        return json.loads(written, parse_constant=_no_constant), ""
    except json.JSONDecodeError as error:
        return None, f"{error.msg} at line {error.lineno} column {error.colno}"
    except ValueError as error:
        return None, str(error)
    except RecursionError:
        return None, "it is nested too deeply"


def utf8_size(value: str) -> int:
    """Bytes of a text in UTF-8; half of a surrogate pair counts as the three bytes it would take."""
    return len(value.encode("utf-8", "surrogatepass"))


def whole(value: Any) -> int | None:
    """A whole number, or one written as text, as attributes are; else None."""
    if isinstance(value, bool):
        return None
    if isinstance(value, int):
        return value
    if isinstance(value, str) and re.fullmatch(r"[+-]?\d{1,18}", value, re.ASCII):
        return int(value)
    return None


def number_text(value: str) -> bool:
    """Whether a text is a number, with sign, fraction and exponent."""
    return _NUMBER.fullmatch(value) is not None


def phone_fault(number: str) -> str:
    """Why a text is no phone number; empty where it is one."""
    if _PHONE.fullmatch(_SEPARATORS.sub("", number)):
        return ""
    return f"{_short(number)} is no phone number: E.164, such as +14155550123"


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is no JSON")


def _short(value: str) -> str:
    return repr(value if len(value) <= 80 else f"{value[:80]}…")

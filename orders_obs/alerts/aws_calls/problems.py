"""What is wrong with a request to AWS, and what a rule on one is."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

__all__ = ["Problem", "Rule", "Rules"]


@dataclass(frozen=True, slots=True)
class Problem:
    """One reason why AWS refuses a request.

    Attributes:
        path: Where in the arguments, such as `Metrics[2].Expression`; empty where it is the request as a whole.
        message: What is wrong, and the limit, in one sentence.
        hint: What would be right.
        kind: A short name of what is broken, such as `period`, for those who have said the same already; often empty.
    """

    path: str
    message: str
    hint: str = ""
    kind: str = ""

    def __str__(self) -> str:
        where = f"{self.path}: " if self.path and not self.message.startswith(self.path) else ""
        return f"{where}{self.message}{f'; {self.hint}' if self.hint else ''}"


Rule = Callable[[Mapping[str, Any]], Iterable[Problem]]
"""A rule: the arguments of a call in, the problems out. It must take arguments of any type."""

Rules = dict[str, tuple[Rule, ...]]
"""The rules of a module, by the name of boto3's method."""

"""What a command says when it cannot do what it was asked.

Every command of the package ends in one of five ways: 0, it is done; 1, it found something (findings of level error, or
changes where a check was asked for); 2, the input is wrong (`UserError`); 3, something outside could not be had or reached
(`EnvironmentFault`); 70, a fault of this package.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["EnvironmentFault", "UserError"]


class UserError(Exception):
    """The input is wrong: exit code 2, and nothing was started or written.

    Args:
        message: What is wrong, in one sentence.
        hint: What would be right.
        file: The file that holds the mistake, where there is one.
        line: Its line in `file`, counted from 1.

    `str()` of the error is the one line that a command prints: `FILE:LINE: message; hint`.
    """

    def __init__(
        self, message: str, *, hint: str = "", file: str | Path | None = None, line: int | None = None
    ) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.file = file
        self.line = line

    def __str__(self) -> str:
        where = "" if self.file is None else f"{self.file}:{self.line}: " if self.line else f"{self.file}: "
        return f"{where}{self.message}{f'; {self.hint}' if self.hint else ''}"


class EnvironmentFault(Exception):  # noqa: N818  # a fault of the surroundings, named for the exit code it leads to
    """Something outside the package is missing or does not answer: exit code 3.

    Args:
        message: What could not be had or reached.
        hint: What to do about it.
    """

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.message}{f'; {self.hint}' if self.hint else ''}"

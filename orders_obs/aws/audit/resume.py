"""What an audit has read, kept in a file so that an interrupted one goes on where it was.

A line of JSON for each answer, appended as it comes. Only what the checks need of an answer is in it; addresses of subscriptions are
masked before.
"""

from __future__ import annotations

import json
import os
import stat
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Self

from orders_obs.errors import UserError

if TYPE_CHECKING:
    from pathlib import Path
    from types import TracebackType

__all__ = ["Answers"]

_MARK, _FORMAT = "orders-obs audit", 1
_ANOTHER = "name one that is not there yet"


class Answers:
    """The answers that a file has.

    Args:
        path: The file; made where it is not there. None keeps nothing.

    Raises:
        UserError: It is none of ours, others may read it, or it cannot be read or written.
    """

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self._found: dict[str, tuple[Any, str]] = {}
        self._file: Any = None
        if path is None:
            return
        try:
            number = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)
            self._file = os.fdopen(number, "r+", encoding="utf-8")
            self._check(path)
            self._read()
        except (UserError, ValueError) as error:
            self.close()
            if isinstance(error, UserError):
                raise
            raise UserError("is no file of an audit", hint=_ANOTHER, file=path) from None
        except OSError as error:
            self.close()
            raise UserError(f"cannot be used: {error.strerror}", file=path) from None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __len__(self) -> int:
        return len(self._found)

    def close(self) -> None:
        """Close the file."""
        if self._file is not None:
            self._file.close()

    def get(self, key: str) -> tuple[Any, str] | None:
        """An answer, and when it was given; None where there is none."""
        return self._found.get(key)

    def put(self, key: str, answer: Any) -> str:
        """Keep an answer.

        Returns:
            When: now, as ISO 8601.

        Raises:
            UserError: The file cannot be written.
        """
        moment = datetime.now(UTC).isoformat(timespec="seconds")
        if self._file is not None:
            try:
                self._file.write(json.dumps({"key": key, "at": moment, "answer": answer}) + "\n")
                self._file.flush()
            except OSError as error:
                raise UserError(f"cannot be written: {error.strerror}", file=self._path) from None
        return moment

    def _check(self, path: Path) -> None:
        if stat.S_IMODE(os.fstat(self._file.fileno()).st_mode) & 0o077:
            raise UserError("may be read by others", hint="chmod 600, or name another file", file=path)
        head = self._file.readline()
        if not head:
            self._file.write(json.dumps({_MARK: _FORMAT}) + "\n")
            self._file.flush()
        elif json.loads(head) != {_MARK: _FORMAT}:
            raise UserError("is no file of an audit", hint=_ANOTHER, file=path)

    def _read(self) -> None:
        end = self._file.tell()
        # The last line may be half written where the run was ended by force.
        while line := self._file.readline():
            try:
                kept = json.loads(line)
                self._found[kept["key"]] = (kept["answer"], kept["at"])
            except (ValueError, KeyError, TypeError):
                break
            if not line.endswith("\n"):
                break
            end = self._file.tell()
        self._file.seek(end)
        self._file.truncate()

"""What an audit is at, on one line of a terminal, or now and then where there is none."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Self, TextIO

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType

__all__ = ["Progress"]

_BETWEEN = 5.0
"""Seconds between two lines where nobody watches a terminal."""
_WIDTH = 100


class Progress:
    """Tells what is read.

    Args:
        stream: Where to.
    """

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._live = stream.isatty()
        self._next = time.monotonic() + _BETWEEN
        self._written = False

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._written and self._live:
            self._stream.write("\r\x1b[K")
            self._stream.flush()

    def of(self, place: str) -> Callable[[str], None]:
        """What tells of one account and region."""

        def tell(about: str) -> None:
            # Names come from the account, and a terminal obeys what is not printable.
            line = "".join(sign if sign.isprintable() else "?" for sign in f"{place}: {about}")
            if self._live:
                self._stream.write(f"\r\x1b[K{line[:_WIDTH]}")
            elif time.monotonic() >= self._next:
                self._next = time.monotonic() + _BETWEEN
                self._stream.write(f"{line}\n")
            else:
                return
            self._written = True
            self._stream.flush()

        return tell

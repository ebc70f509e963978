"""The file of a part: written whole or not at all, and never in place of words that would be lost."""

from __future__ import annotations

import os
import tempfile
from typing import TYPE_CHECKING

from orders_obs.alerts.nodes import read
from orders_obs.errors import UserError

if TYPE_CHECKING:
    from collections.abc import Collection
    from pathlib import Path

__all__ = ["EMPTY", "check_lost", "check_target", "write_part"]

EMPTY = "catalogue: 1\n"
"""A part of no alerts."""
_OWN_WORDS = {"catalogue", "alerts"}


def check_target(target: Path, catalogue: Path, *, force: bool) -> None:
    """See that nothing is overwritten that was not asked to be, or that an import did not write.

    Raises:
        UserError: There is such a file.
    """
    if not target.exists():
        return
    if target.resolve() == catalogue.resolve():
        raise UserError(
            "is the catalogue itself", hint="name a file of its own with -o, and include it", file=target
        )
    if not force:
        raise UserError(
            "is there already, and is not overwritten",
            hint="name another file with -o, or say --force",
            file=target,
        )
    more = sorted(set(read(target).mapping()) - _OWN_WORDS)
    if more:
        raise UserError(
            f"has {', '.join(more)}, which no import writes", hint="name another file with -o", file=target
        )


def check_lost(target: Path, names: Collection[str]) -> None:
    """See that no alert of the part that is there would be gone, and its alarm with it.

    Args:
        target: The part.
        names: Of the alerts that the new one has.

    Raises:
        UserError: One would be.
    """
    if not target.is_file():
        return
    words = read(target).mapping()
    gone = sorted(set(words["alerts"].mapping()) - set(names)) if "alerts" in words else []
    if gone:
        raise UserError(
            f"has {', '.join(gone)}, which would be gone: apply would delete what they make",
            hint="import those too, or name another file with -o",
            file=target,
        )


def write_part(target: Path, text: str) -> None:
    """Write the part, whole or not at all.

    Raises:
        UserError: It cannot be written.
    """
    temporary = ""
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        handle, temporary = tempfile.mkstemp(prefix=f".{target.name}.", dir=target.parent)
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
        # As a file that is made anew would have it; that of mkstemp is for its owner alone.
        umask = os.umask(0)
        os.umask(umask)
        os.chmod(temporary, 0o666 & ~umask)  # noqa: PTH101
        os.replace(temporary, target)  # noqa: PTH105
        temporary = ""
    except OSError as error:
        raise UserError(
            f"cannot be written: {error.strerror}", hint="name another file with -o", file=target
        ) from None
    finally:
        if temporary and os.path.exists(temporary):  # noqa: PTH110
            os.unlink(temporary)  # noqa: PTH108

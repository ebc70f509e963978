"""The lock of resources: what the catalogue's lookups found, committed beside it, so that a build needs no network."""

from __future__ import annotations

import json
import os
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from orders_obs.errors import UserError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

__all__ = ["LOCK_NAME", "Locked", "read_lock", "render_lock", "write_lock"]

LOCK_NAME = "resources.lock.json"
_VERSION = 1


@dataclass(frozen=True, slots=True)
class Locked:
    """What one lookup found.

    Attributes:
        lookup: The lookup, as the catalogue had it then.
        value: What fills the placeholder.
        identity: What tells the resource from another one that takes its place, such as its ARN; where it is none of AWS's, the
            ARN of the parameter or stack that has the value.
    """

    lookup: dict[str, Any]
    value: str
    identity: str


def read_lock(path: Path) -> dict[str, dict[str, Locked]]:
    """The lock by environment and placeholder; empty where there is no file.

    Raises:
        UserError: It cannot be read, or is none.
    """
    if not path.exists():
        return {}
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        if content["version"] != _VERSION:
            raise UserError(
                f"is version {content['version']!r} of the lock, and this package reads {_VERSION}",
                hint="use the orders-obs that wrote it, or delete it and run orders-obs resolve for each environment",
                file=path,
            )
        return {
            environment: {
                name: Locked(dict(entry["from"]), str(entry["value"]), str(entry["identity"]))
                for name, entry in entries.items()
            }
            for environment, entries in content["environments"].items()
        }
    except OSError as error:
        raise UserError(f"cannot be read: {error.strerror}", file=path) from None
    except (ValueError, KeyError, TypeError, AttributeError):
        raise UserError(
            "is no lock of resources",
            hint="restore it from version control, or delete it and run orders-obs resolve for each environment",
            file=path,
        ) from None


def render_lock(lock: Mapping[str, Mapping[str, Locked]]) -> str:
    """The lock as JSON, the same text for the same content."""
    environments = {
        environment: {
            name: {"from": entry.lookup, "value": entry.value, "identity": entry.identity}
            for name, entry in sorted(entries.items())
        }
        for environment, entries in sorted(lock.items())
    }
    return json.dumps({"version": _VERSION, "environments": environments}, indent=2) + "\n"


def write_lock(path: Path, environment: str, entries: Mapping[str, Locked]) -> bool:
    """Make `entries` what the lock has for an environment; the others' stay as they are in the file now.

    The file is whole at every moment: it is written beside its place, then moved there.

    Returns:
        Whether the file had to be changed.

    Raises:
        UserError: It cannot be read or written, or is no lock.
    """
    lock: dict[str, Mapping[str, Locked]] = {**read_lock(path), environment: entries}
    if not entries:
        del lock[environment]
    text = render_lock(lock)
    # A lock that is a symbolic link stays one.
    place = path.resolve()
    if (place.read_text(encoding="utf-8") == text) if place.exists() else not lock:
        return False
    partial = place.with_name(f".{place.name}.{os.getpid()}")
    try:
        with partial.open("w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        partial.replace(place)
    except OSError as error:
        with suppress(OSError):
            partial.unlink()
        raise UserError(
            f"cannot be written: {error.strerror}; it is as it was",
            hint="look at the rights of its folder",
            file=path,
        ) from None
    return True

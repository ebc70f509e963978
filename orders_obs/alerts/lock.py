"""The lock of resources: what the catalogue's lookups found, committed beside it, so that a build needs no network."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from orders_obs.errors import UserError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

__all__ = ["LOCK_NAME", "Locked", "read_lock", "render_lock"]

LOCK_NAME = "resources.lock.json"
_VERSION = 1


@dataclass(frozen=True, slots=True)
class Locked:
    """What one lookup found.

    Attributes:
        lookup: The lookup, as the catalogue had it then.
        value: What fills the placeholder.
        identity: What tells the resource from another one that takes its place: its ARN, or the parameter's or stack's own.
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
                f"is version {content['version']!r} of the lock", hint="run orders-obs resolve", file=path
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
            "is no lock of resources", hint="run orders-obs resolve to make it anew", file=path
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

"""Bring what somebody changed in Grafana back to the code: the dashboard as the build would have written it, and what differs."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from orders_obs.dashboards.publishing.difference import Change, difference
from orders_obs.dashboards.publishing.marks import normal
from orders_obs.dashboards.publishing.prepare import restore

if TYPE_CHECKING:
    from pathlib import Path

    from orders_obs.dashboards.publishing.plan import Item
    from orders_obs.dashboards.publishing.server import Server

__all__ = ["SUFFIX", "Pulled", "pulled"]

SUFFIX = ".json.pulled"
"""Grafana's file provisioning, and the build, take `.json` for a dashboard; this is none."""


@dataclass(frozen=True, slots=True)
class Pulled:
    """A dashboard as it stands in Grafana.

    Attributes:
        uid: Its uid.
        title: Its title.
        file: Where it is written.
        text: JSON, in the form that the build writes.
        changes: From the build to what stands there; none where nothing builds it.
        saved_by: Who saved it last.
        saved_at: When.
        built: Whether a file builds it.
        replaces: Whether the file says something else by now.
    """

    uid: str
    title: str
    file: Path
    text: str
    changes: tuple[Change, ...]
    saved_by: str
    saved_at: str
    built: bool
    replaces: bool


def pulled(server: Server, item: Item, set_name: str, folder: Path | None) -> Pulled:
    """What stands in Grafana of a dashboard that is ours.

    Args:
        server: The target.
        item: The dashboard as the plan has it; it must be there.
        set_name: The set.
        folder: Where it is written; beside its source, or the settings file where nothing builds it, when None.
    """
    assert item.live is not None  # noqa: S101
    built = item.prepared.built if item.prepared else {}
    source = item.prepared.source if item.prepared else server.target.file.with_name(item.uid)
    content = restore(item.live.content, built, server.target, set_name, item.uid)
    name = source.name.removesuffix(".py").removesuffix(".dashboard").removesuffix(".json")
    file = (folder or source.parent) / f"{name}{SUFFIX}"
    text = json.dumps(content, indent=2, sort_keys=True, ensure_ascii=False) + "\n"
    changes = difference(normal(built, set_name), normal(content, set_name)) if built else ()
    return Pulled(
        uid=item.uid,
        title=item.title,
        file=file,
        text=text,
        changes=tuple(changes),
        saved_by=item.live.saved_by,
        saved_at=item.live.saved_at,
        built=item.prepared is not None,
        replaces=_other(file, text),
    )


def _other(file: Path, text: str) -> bool:
    try:
        return file.read_bytes() != text.encode(errors="backslashreplace")
    except OSError:
        return False

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
        changes: From the build to what stands there.
        saved_by: Who saved it last.
        saved_at: When.
    """

    uid: str
    title: str
    file: Path
    text: str
    changes: tuple[Change, ...]
    saved_by: str
    saved_at: str


def pulled(server: Server, item: Item, set_name: str, folder: Path | None) -> Pulled:
    """What stands in Grafana of a dashboard that is ours.

    Args:
        server: The target.
        item: The dashboard as the plan has it; it must be there and be built.
        set_name: The set.
        folder: Where it is written; beside its source when None.
    """
    assert item.live is not None  # noqa: S101
    assert item.prepared is not None  # noqa: S101
    content = restore(item.live.content, item.prepared, server.target, set_name)
    source = item.prepared.source
    name = source.name.removesuffix(".py").removesuffix(".dashboard").removesuffix(".json")
    return Pulled(
        uid=item.uid,
        title=item.title,
        file=(folder or source.parent) / f"{name}{SUFFIX}",
        text=json.dumps(content, indent=2, sort_keys=True, ensure_ascii=False) + "\n",
        changes=tuple(difference(normal(item.prepared.built, set_name), normal(content, set_name))),
        saved_by=item.live.saved_by,
        saved_at=item.live.saved_at,
    )

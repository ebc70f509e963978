"""Data sources: those that the settings describe are created and updated by uid; all others are left alone."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal
from urllib.parse import quote

from orders_obs.dashboards.publishing.api import mapping
from orders_obs.dashboards.publishing.client import Conflict, reading
from orders_obs.dashboards.publishing.difference import Change
from orders_obs.dashboards.publishing.tokens import read

if TYPE_CHECKING:
    from orders_obs.dashboards.publishing.server import Server
    from orders_obs.dashboards.publishing.targets import DataSource

__all__ = ["SourceItem", "plan_sources", "save_source"]


@dataclass(frozen=True, slots=True)
class SourceItem:
    """A data source and what becomes of it.

    Attributes:
        uid: Its uid at the target.
        title: Its name.
        action: What a publish does.
        source: As the settings describe it.
        changes: What differs; never a secret.
        secrets: Names of the secrets that are sent.
        refused: Why it must not be done; empty where it may.
        hint: What to do about a refusal.
        live: What stands there.
    """

    uid: str
    title: str
    action: Literal["create", "update", "none"]
    source: DataSource
    changes: tuple[Change, ...] = ()
    secrets: tuple[str, ...] = ()
    refused: str = ""
    hint: str = ""
    live: dict[str, Any] | None = None


def plan_sources(server: Server, *, send_secrets: bool) -> tuple[list[SourceItem], list[str]]:
    """What becomes of a target's data sources, and what is worth knowing of those that are only used.

    Args:
        server: The target.
        send_secrets: Whether secrets are sent though Grafana has some of that name: it never shows their values.

    Raises:
        EnvironmentFault: The target does not answer.
    """
    items: list[SourceItem] = []
    notes: list[str] = []
    for source in server.target.datasources.values():
        # Without the right to read data sources one can still publish dashboards.
        live = _live(server, source, absent=(404,) if source.managed else (403, 404))
        if source.managed:
            items.append(_item(source, live, send_secrets=send_secrets))
        elif live is None:
            notes.append(f"data source {source.uid} is not there, or the token may not see it")
        elif live.get("type") != source.type:
            notes.append(
                f"data source {source.uid} is of type {live.get('type')}, and the settings say {source.type}"
            )
    return items, notes


def save_source(server: Server, item: SourceItem) -> None:
    """Create or update a data source.

    Raises:
        UserError: A secret is not there, or Grafana does not take the data source.
        Conflict: Somebody changed it since it was read.
        EnvironmentFault: It failed.
    """
    source = item.source
    body = _merged(source, item.live or {})
    secure = {name: read(source.secure[name], f"{name} of data source {source.uid}") for name in item.secrets}
    server.client.hide(secure.values())
    if secure:
        body["secureJsonData"] = secure
    try:
        if item.live is None:
            server.client.post("/api/datasources", body, again=True)
        else:
            body["version"] = item.live.get("version", 0)
            server.client.put(f"/api/datasources/uid/{quote(source.uid)}", body)
    except Conflict:
        now = _live(server, source, absent=(404,))
        # An answer that was lost, and the call sent again: then it stands as we want it.
        if now is None or _differences(source, now):
            raise


def _live(server: Server, source: DataSource, *, absent: tuple[int, ...]) -> dict[str, Any] | None:
    answer = server.client.get(f"/api/datasources/uid/{quote(source.uid)}", absent=absent)
    if answer is None:
        return None
    with reading("a data source"):
        for key in ("jsonData", "secureJsonFields"):
            mapping(answer.get(key) or {})
        return mapping(answer)


def _item(source: DataSource, live: dict[str, Any] | None, *, send_secrets: bool) -> SourceItem:
    title = source.name or source.key
    if live is None:
        return SourceItem(source.uid, title, "create", source, secrets=tuple(source.secure))
    there = live.get("secureJsonFields") or {}
    secrets = tuple(name for name in source.secure if send_secrets or not there.get(name))
    changes = _differences(source, live)
    if not changes and not secrets:
        return SourceItem(source.uid, title, "none", source, live=live)
    if live.get("type") != source.type:
        refused = f"a data source of type {live.get('type')} has its uid"
    elif live.get("readOnly"):
        refused = "it is provisioned from a file, and Grafana changes no such data source"
    else:
        refused = ""
    return SourceItem(
        uid=source.uid,
        title=title,
        action="none" if refused else "update",
        source=source,
        changes=tuple(changes),
        secrets=secrets,
        refused=refused,
        hint="name only its uid in the settings, so that it is used as it is" if refused else "",
        live=live,
    )


def _merged(source: DataSource, live: dict[str, Any]) -> dict[str, Any]:
    """What stands there with ours on top: a PUT replaces all of it."""
    kept: dict[str, Any] = {
        key: live[key]
        for key in ("access", "url", "user", "database", "basicAuth", "basicAuthUser", "withCredentials", "isDefault", "jsonData")
        if key in live
    }  # fmt: skip
    settings = dict(source.settings)
    if "jsonData" in settings:
        settings["jsonData"] = (kept.get("jsonData") or {}) | settings["jsonData"]
    name = source.name or live.get("name", source.key)
    return {"access": "proxy", **kept, **settings, "uid": source.uid, "type": source.type, "name": name}


def _differences(source: DataSource, live: dict[str, Any]) -> list[Change]:
    """The settings that we name and that differ; what we do not name is the target's own."""
    wanted = dict(source.settings) | {"type": source.type} | ({"name": source.name} if source.name else {})
    ours = wanted.pop("jsonData", {})
    theirs = live.get("jsonData") or {}
    found = [Change("", key, live.get(key), value) for key, value in wanted.items() if live.get(key) != value]
    found += [
        Change("", f"jsonData.{key}", theirs.get(key), value)
        for key, value in ours.items()
        if theirs.get(key) != value
    ]
    return found

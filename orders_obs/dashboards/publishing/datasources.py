"""Data sources: those that the settings describe are created, and updated where publishing made them; all others are left alone.

Whose one is says a key of its `jsonData`: Grafana keeps what it does not know there, and shows it in no page.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal
from urllib.parse import quote

from orders_obs.dashboards.publishing.api import mapping
from orders_obs.dashboards.publishing.client import Conflict, Forbidden, reading
from orders_obs.dashboards.publishing.difference import Change
from orders_obs.dashboards.publishing.tokens import read
from orders_obs.redact import redact

if TYPE_CHECKING:
    from collections.abc import Collection

    from orders_obs.dashboards.publishing.server import Server
    from orders_obs.dashboards.publishing.targets import DataSource

__all__ = ["SourceItem", "plan_sources", "recorded", "save_source"]

_OWNER = "managedBy"
_KEPT = (
    "access",
    "url",
    "user",
    "database",
    "basicAuth",
    "basicAuthUser",
    "withCredentials",
    "isDefault",
    "jsonData",
)


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
        owner: What its `jsonData` says of us.
        reason: Why it is written; empty where the changes say it.
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
    owner: str = ""
    reason: str = ""


def plan_sources(
    server: Server,
    set_name: str,
    *,
    adopt: Collection[str] = (),
    send_secrets: bool = False,
    force: bool = False,
) -> tuple[list[SourceItem], list[str]]:
    """What becomes of a target's data sources, and what is worth knowing of those that are only used.

    Args:
        server: The target.
        set_name: The set.
        adopt: Uids of data sources that publishing did not make and that become its own.
        send_secrets: Whether secrets are sent though Grafana has some of that name: it never shows their values.
        force: Whether one that is only used may lack.

    Raises:
        EnvironmentFault: The target does not answer.
    """
    items: list[SourceItem] = []
    notes: list[str] = []
    for source in server.target.datasources.values():
        try:
            live = _live(server, source)
        except Forbidden:
            if source.managed:
                raise
            # Without the right to read data sources one can still publish dashboards.
            notes.append(f"data source {source.uid}: the token may not see whether it is there")
            continue
        if source.managed:
            items.append(_item(source, live, f"orders-obs:{set_name}", adopt, send_secrets=send_secrets))
        elif live is None and force:
            notes.append(f"data source {source.uid} is not there: what asks it shows an error")
        elif live is None:
            items.append(
                SourceItem(
                    uid=source.uid,
                    title=source.name or source.key,
                    action="none",
                    source=source,
                    refused="it is not there, and the settings only use it",
                    hint="make it, name its url in the settings, mend its uid, or publish all the same with --force",
                )
            )
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
    body = _merged(source, item.live or {}, item.owner)
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
        now = _live(server, source)
        # An answer that was lost, and the call sent again: then it stands as we want it.
        if now is None or _owner(now) != item.owner or _differences(source, now):
            raise


def recorded(item: SourceItem) -> dict[str, Any]:
    """What stood there and what is written, for the record of writes; of secrets only the names."""
    live = item.live or {}
    old = {key: live[key] for key in ("name", "type", *_KEPT) if key in live}
    new = _merged(item.source, live, item.owner)
    return {"old": redact(old), "new": redact(new), "sent": list(item.secrets)}


def _owner(live: dict[str, Any]) -> str:
    return str((live.get("jsonData") or {}).get(_OWNER) or "")


def _live(server: Server, source: DataSource) -> dict[str, Any] | None:
    answer = server.client.get(f"/api/datasources/uid/{quote(source.uid)}")
    if answer is None:
        return None
    with reading("a data source"):
        for key in ("jsonData", "secureJsonFields"):
            mapping(answer.get(key) or {})
        return mapping(answer)


def _item(
    source: DataSource, live: dict[str, Any] | None, owner: str, adopt: Collection[str], *, send_secrets: bool
) -> SourceItem:
    title = source.name or source.key
    if live is None:
        return SourceItem(source.uid, title, "create", source, secrets=tuple(source.secure), owner=owner)
    there = live.get("secureJsonFields") or {}
    secrets = tuple(name for name in source.secure if send_secrets or not there.get(name))
    changes = _differences(source, live)
    foreign = _owner(live) != owner
    adopted = foreign and source.uid in adopt
    if not changes and not secrets and not adopted:
        return SourceItem(source.uid, title, "none", source, live=live)
    hint = "name only its uid in the settings, so that it is used as it is"
    refused = ""
    if live.get("type") != source.type:
        refused = f"a data source of type {live.get('type')} has its uid"
    elif live.get("readOnly"):
        refused = "it is provisioned from a file, and Grafana changes no such data source"
    elif foreign and not adopted:
        refused = (
            f"it is managed by {_owner(live)}"
            if _owner(live)
            else "it is not ours: publishing did not make it"
        )
        hint = f"{hint}, or take it over with --adopt {source.uid}"
    if adopted:
        changes.append(Change("", f"jsonData.{_OWNER}", _owner(live) or None, owner))
    return SourceItem(
        uid=source.uid,
        title=title,
        action="none" if refused else "update",
        source=source,
        changes=tuple(changes),
        secrets=secrets,
        refused=refused,
        hint=hint if refused else "",
        live=live,
        owner=owner,
        reason="adopted" if adopted and not refused else "",
    )


def _merged(source: DataSource, live: dict[str, Any], owner: str) -> dict[str, Any]:
    """What stands there with ours on top: a PUT replaces all of it."""
    kept: dict[str, Any] = {key: live[key] for key in _KEPT if key in live}
    settings = dict(source.settings)
    settings["jsonData"] = (kept.get("jsonData") or {}) | settings.get("jsonData", {}) | {_OWNER: owner}
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

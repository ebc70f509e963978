"""What a publish would do, and what it refuses: compared by the hash of what was published, so that drift is told from staleness.

| hash of the build | last save | the dashboard is |
|---|---|---|
| the published one | ours | unchanged |
| another one | ours | stale: the build is newer |
| any | somebody else's | drifted: somebody changed it in Grafana |
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from orders_obs.dashboards.publishing.apis import MANAGER_KIND, identity
from orders_obs.dashboards.publishing.datasources import SourceItem, plan_sources
from orders_obs.dashboards.publishing.difference import Change, difference
from orders_obs.dashboards.publishing.marks import (
    Mark,
    defaults,
    digest,
    digest_of_defaults,
    normal,
    read_mark,
    same,
    set_tag,
)
from orders_obs.dashboards.publishing.prepare import stale_beside

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence

    from orders_obs.dashboards.publishing.api import Live
    from orders_obs.dashboards.publishing.prepare import Prepared
    from orders_obs.dashboards.publishing.server import Server

__all__ = ["Choices", "Item", "Plan", "examine", "make_plan"]

Action = Literal["create", "update", "delete", "none"]
State = Literal["absent", "unchanged", "stale", "drifted", "foreign", "provisioned", "orphan"]

_INITIAL = "Initial save"


@dataclass(frozen=True, slots=True)
class Choices:
    """What the caller decided beforehand.

    Attributes:
        adopt: Uids of dashboards without our mark that become ours.
        overwrite_drift: Whether changes made in Grafana are thrown away.
        prune: Whether ours that are no longer built are deleted.
        send_secrets: Whether the secrets of data sources are sent though they are there.
        force: Whether a data source that is only used may lack.
    """

    adopt: Collection[str] = ()
    overwrite_drift: bool = False
    prune: bool = False
    send_secrets: bool = False
    force: bool = False


@dataclass(frozen=True, slots=True)
class Item:
    """A dashboard and what becomes of it.

    Attributes:
        uid: Its uid.
        title: Its title.
        action: What a publish does.
        state: How it stands.
        reason: Why, in a sentence; empty where the state says it.
        refused: Why it must not be done; empty where it may.
        hint: What to do about a refusal.
        changes: What a publish changes.
        also: Settings in Grafana that the build does not name, which are likely Grafana's own defaults.
        prepared: What is sent; None for a deletion.
        live: What stands there; None where it is absent.
        mark: The mark of what stands there.
        drift: That somebody else saved it last, in a sentence; empty where nobody did.
    """

    uid: str
    title: str
    action: Action
    state: State
    reason: str = ""
    refused: str = ""
    hint: str = ""
    changes: tuple[Change, ...] = ()
    also: tuple[Change, ...] = ()
    prepared: Prepared | None = None
    live: Live | None = None
    mark: Mark | None = None
    drift: str = ""


@dataclass(frozen=True, slots=True)
class Plan:
    """What a publish does at a target.

    Attributes:
        target: Name of the target.
        heading: The target in a line.
        set: The set.
        folder: Whether the folder must be made.
        sources: Data sources.
        items: Dashboards.
        notes: What is worth knowing and stops nothing.
    """

    target: str
    heading: str
    set: str
    folder: bool
    sources: tuple[SourceItem, ...]
    items: tuple[Item, ...]
    notes: tuple[str, ...] = field(default=())

    @property
    def refused(self) -> bool:
        """Whether something must not be done, so that nothing is."""
        return any(item.refused for item in self.items) or any(source.refused for source in self.sources)

    @property
    def writes(self) -> int:
        """How many writes it takes."""
        sources = sum(source.action != "none" for source in self.sources)
        return self.folder + sources + sum(item.action != "none" for item in self.items)


def make_plan(
    server: Server,
    prepared: Sequence[Prepared],
    set_name: str,
    choices: Choices,
    *,
    built: Callable[[], Collection[str]] | None,
) -> Plan:
    """Compare builds with a target.

    Args:
        server: The target.
        prepared: The dashboards.
        set_name: The set.
        choices: What was decided.
        built: The uids that the files of the folder build, for whichever target; asked only where ours are found that this target
            does not have. None where ours that are no longer built are not looked for, as where only some files were named.

    Raises:
        UserError: A file of the folder does not build.
        EnvironmentFault: The target does not answer.
    """
    notes: list[str] = []
    folder = server.target.folder
    title = server.api.folder(folder.uid) if folder else ""
    if folder and title is not None and title != folder.title:
        notes.append(f"folder {folder.uid} is there as {title!r}; its title is left as it is")
    sources, said = plan_sources(
        server, set_name, adopt=choices.adopt, send_secrets=choices.send_secrets, force=choices.force
    )
    notes += said
    notes += _of_builds(prepared, editable=server.target.editable)
    items = [examine(server, dashboard, set_name, choices) for dashboard in prepared]
    known = {dashboard.uid for dashboard in prepared}
    if built is not None:
        orphans, others, alone = _orphans(server, set_name, known, built, choices)
        items += orphans
        if alone:
            notes.append(
                f"published from a file that is not of the folder, and is left alone: {', '.join(alone)}"
            )
        if others:
            notes.append(f"belongs to another target, and is left alone: {', '.join(others)}")
    known |= {source.uid for source in sources}
    notes += [f"--adopt {uid}: no such dashboard is built" for uid in choices.adopt if uid not in known]
    return Plan(
        target=server.target.name,
        heading=server.title,
        set=set_name,
        folder=folder is not None and title is None,
        sources=tuple(sources),
        items=tuple(items),
        notes=tuple(notes),
    )


def _of_builds(prepared: Sequence[Prepared], *, editable: bool) -> list[str]:
    notes: list[str] = []
    other = [
        dashboard.uid for dashboard in prepared if dashboard.built.get("editable", editable) is not editable
    ]
    if other:
        notes.append(
            f"`editable` of the target is sent, {str(editable).lower()}, and the build says otherwise: {', '.join(other)}"
        )
    alone = [f"{dashboard.uid} ({dashboard.source.name})" for dashboard in prepared if dashboard.alone]
    if alone:
        notes.append(
            f"not of the source folder, so that it is no part of what it publishes and prunes: {', '.join(alone)}"
        )
    stale = stale_beside({dashboard.source: dashboard.built for dashboard in prepared})
    if stale:
        notes.append(
            f"stale beside its source, which is what is published: {', '.join(stale)}; run `orders-obs dashboards build`"
        )
    return notes


def examine(server: Server, prepared: Prepared, set_name: str, choices: Choices) -> Item:
    """One dashboard compared with the target.

    Raises:
        EnvironmentFault: The target does not answer.
    """
    live = server.api.dashboard(prepared.uid)
    if live is None:
        return Item(prepared.uid, prepared.title, "create", "absent", prepared=prepared)
    mark = read_mark(live.content)
    common: dict[str, Any] = {
        "uid": prepared.uid,
        "title": prepared.title,
        "prepared": prepared,
        "live": live,
        "mark": mark,
    }
    if live.provisioned:
        return Item(
            action="none",
            state="provisioned",
            refused=f"it is provisioned from {live.provisioned}, and Grafana saves no such dashboard",
            hint="publish it one way only: take it out of the folder of files, or out of this target",
            **common,
        )
    changes, also = _compared(live, prepared, server, set_name)
    owner = _owner(live, mark, set_name)
    if owner:
        adopted = prepared.uid in choices.adopt and not owner.startswith("is managed")
        return Item(
            action="update" if adopted else "none",
            state="foreign",
            reason="adopted" if adopted else "",
            refused="" if adopted else f"it {owner}",
            hint="give the build another uid"
            if owner.startswith("is managed")
            else f"give the build another uid, or take it over with --adopt {prepared.uid}",
            changes=(*changes, *_defaults(live, None, prepared)),
            also=also,
            **common,
        )
    drift = _drift(server, live, mark, set_name)
    if drift:
        # What the new schema has beyond the classic one is not in what was read.
        equal = not live.new_schema and same(
            normal(live.content, set_name), normal(prepared.content, set_name)
        )
        return Item(
            action="update" if choices.overwrite_drift or equal else "none",
            state="drifted",
            reason="the build says the same by now" if equal else drift,
            refused="" if choices.overwrite_drift or equal else drift,
            drift=drift,
            hint="look with `diff`, keep it with `pull`, or throw it away with --overwrite-drift",
            changes=(*changes, *also),
            **common,
        )
    chosen = _defaults(live, mark, prepared)
    if (
        mark is not None
        and mark.digest == prepared.digest
        and mark.alone == prepared.alone
        and not chosen
        and not _around(live, server, set_name)
    ):
        return Item(action="none", state="unchanged", **common)
    if mark is not None and mark.alone != prepared.alone:
        chosen = (*chosen, Change("", "is of the source folder", not mark.alone, not prepared.alone))
    return Item(action="update", state="stale", changes=(*changes, *chosen), also=also, **common)


def _defaults(live: Live, mark: Mark | None, prepared: Prepared) -> tuple[Change, ...]:
    """Defaults of queried variables that were built anew since the last publish; what a person chose is none.

    Marks of earlier versions do not say which were published: there, what stands in Grafana is compared.
    """
    built = digest_of_defaults(prepared.content)
    published = mark.defaults if mark is not None else ""
    if mark is None or (built and not published):
        published = digest_of_defaults(live.content)
    if published == built:
        return ()
    before, after = dict(defaults(live.content)), dict(defaults(prepared.content))
    told = [
        Change(f"variable {name}", "current", _shown(before.get(name)), _shown(after.get(name)))
        for name in sorted({*before, *after})
        if before.get(name) != after.get(name)
    ]
    return tuple(told) or (Change("", "defaults of variables", "as published", "as built"),)


def _shown(current: Any) -> Any:
    """The value, where the text says no more."""
    plain = isinstance(current, dict) and current.get("text") == current.get("value")
    return current["value"] if plain and "value" in current else current


def _owner(live: Live, mark: Mark | None, set_name: str) -> str:
    """Whose it is; empty where it is ours."""
    ours = (MANAGER_KIND, identity(set_name))
    if live.manager is not None and live.manager != ours:
        return f"is managed by {live.manager[0]} {live.manager[1]}".rstrip()
    if mark is not None and mark.set != set_name:
        return f"belongs to the set {mark.set}"
    if mark is not None:
        return "" if mark.uid == live.uid else f"is a copy of {mark.uid}"
    if live.manager == ours or set_tag(set_name) in _tags(live.content):
        return ""  # somebody took the mark out of the description
    return "is not ours: it has no mark of this set"


def _tags(content: dict[str, Any]) -> list[Any]:
    tags = content.get("tags")
    return tags if isinstance(tags, list) else []


def _drift(server: Server, live: Live, mark: Mark | None, set_name: str) -> str:
    """That somebody else saved it last, in a sentence; empty where nobody did.

    Equal content is no drift, whoever saved it. Other content is none where the last save has our message and, as far as Grafana
    says it, is ours: then Grafana itself added to what was sent, as its migrations do.
    """
    by = f" by {live.saved_by}" if live.saved_by else ""
    at = f" at {live.saved_at}" if live.saved_at else ""
    if live.new_schema:
        return f"somebody saved it in Grafana's new schema ({live.stored}){by}{at}"
    if mark is None:
        return f"somebody changed it in Grafana and took the mark out of its description{by}{at}"
    if digest(live.content, set_name) == mark.digest:
        return ""
    said = f"somebody changed it in Grafana{by}{at}"
    if live.from_page or (live.saved_by and server.names and live.saved_by not in server.names):
        return said
    if live.message is not None:
        return "" if _says(live.message, mark) else said
    newest = server.last_save(live.uid)
    if newest is None:
        return f"it is not what was published{by}{at}, and the token may not read who saved it last"
    version, message = newest
    if _says(message, mark):
        return ""
    # The first save of all has Grafana's message, whoever made it, such as an import of what was exported and edited.
    if version == 1 and message == _INITIAL and live.saved_by in server.names:
        return ""
    return said


def _says(message: str, mark: Mark) -> bool:
    return f"sha256:{mark.digest}" in message


def _compared(
    live: Live, prepared: Prepared, server: Server, set_name: str
) -> tuple[tuple[Change, ...], tuple[Change, ...]]:
    """What differs, and apart from it what only Grafana has."""
    found = [
        change
        for change in difference(normal(live.content, set_name), normal(prepared.content, set_name))
        if (change.where, change.setting) != ("", "tags")
    ]
    # The set's tag is no difference of its own, and where tags are shown it is one of them.
    if live.content.get("tags") != prepared.content.get("tags"):
        found.append(Change("", "tags", live.content.get("tags"), prepared.content.get("tags")))
    changes = [change for change in found if change.new is not None or change.setting == "removed"]
    also = [change for change in found if change.new is None and change.setting != "removed"]
    return (*_around(live, server, set_name), *changes), tuple(also)


def _around(live: Live, server: Server, set_name: str) -> list[Change]:
    """What differs outside of the content: the folder, and whether Grafana's pages let people edit.

    That nobody manages it is no difference: some servers do not keep who does, and would be written to for ever. It is set with
    the next write.
    """
    found: list[Change] = []
    wanted = server.target.folder
    if not _in_folder(live, server):
        found.append(Change("", "folder", live.folder or "the top", wanted.uid if wanted else "the top"))
    if live.manager == (MANAGER_KIND, identity(set_name)) and live.locked == server.target.editable:
        found.append(Change("", "may be edited in Grafana", not live.locked, server.target.editable))
    return found


def _orphans(
    server: Server,
    set_name: str,
    known: Collection[str],
    built: Callable[[], Collection[str]],
    choices: Choices,
) -> tuple[list[Item], list[str], list[str]]:
    """Ours that no file builds any more, the uids of those that another target has, and of those from a file of their own.

    A copy that somebody made has our tag, and the uid of the original in its mark. The folder tells whose it was: a set may have
    several targets on one Grafana.
    """
    candidates = sorted(set(server.api.tagged(set_tag(set_name))) - set(known))
    still = set(built()) if candidates else set()
    found: list[Item] = []
    others: list[str] = []
    alone: list[str] = []
    for uid in candidates:
        live = server.api.dashboard(uid)
        mark = read_mark(live.content) if live else None
        if live is None or mark is None or _owner(live, mark, set_name) or live.provisioned:
            continue
        if uid in still or not _in_folder(live, server):
            others.append(uid)
            continue
        if mark.alone:
            alone.append(uid)
            continue
        drift = _drift(server, live, mark, set_name)
        refused = drift if choices.prune and drift and not choices.overwrite_drift else ""
        told = "no longer built" if choices.prune else "no longer built; --prune deletes it"
        if drift and not choices.prune:
            told = (
                f"no longer built, and {drift}: keep it with `pull {uid}`, "
                "or throw it away with --prune --overwrite-drift"
            )
        found.append(
            Item(
                uid=uid,
                title=live.title,
                action="delete" if choices.prune and not refused else "none",
                state="orphan",
                reason=told,
                refused=refused,
                hint="keep it with `pull`, or throw it away with --overwrite-drift" if refused else "",
                live=live,
                mark=mark,
                drift=drift,
            )
        )
    return found, others, alone


def _in_folder(live: Live, server: Server) -> bool:
    wanted = server.target.folder
    return live.folder in ((wanted.uid,) if wanted else ("", "general"))

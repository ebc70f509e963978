"""Carry out a plan: data sources, folder, dashboards, deletions; what was done, what was not and what nobody knows is always said."""

from __future__ import annotations

import sys
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from orders_obs.dashboards.printable import printable
from orders_obs.dashboards.publishing.api import MESSAGE_LIMIT
from orders_obs.dashboards.publishing.client import Conflict, Unanswered
from orders_obs.dashboards.publishing.datasources import plan_sources, recorded, save_source
from orders_obs.dashboards.publishing.marks import digest
from orders_obs.dashboards.publishing.plan import Choices, Item, examine
from orders_obs.dashboards.publishing.report import result_text
from orders_obs.errors import EnvironmentFault, UserError

if TYPE_CHECKING:
    from collections.abc import Callable

    from orders_obs.dashboards.publishing.api import Live
    from orders_obs.dashboards.publishing.audit import Audit
    from orders_obs.dashboards.publishing.datasources import SourceItem
    from orders_obs.dashboards.publishing.plan import Plan
    from orders_obs.dashboards.publishing.server import Server

__all__ = ["Outcome", "Result", "carry_out", "message_of"]


@dataclass(frozen=True, slots=True)
class Outcome:
    """One write.

    Attributes:
        kind: `dashboard`, `folder` or `datasource`.
        uid: Of what was written.
        action: `create`, `update` or `delete`.
        outcome: `done`, `failed`, `unknown`, or `left` where it was not tried.
        message: What went wrong; empty where nothing did.
        address: Where it is seen; empty where that is not known.
    """

    kind: str
    uid: str
    action: str
    outcome: str
    message: str = ""
    address: str = ""


@dataclass(slots=True)
class Result:
    """What came of a plan.

    Attributes:
        outcomes: Each write in its order.
        code: The exit code: 0, 1 where one was refused, 2 where Grafana does not take one, 3 where Grafana could not be had.
    """

    outcomes: list[Outcome] = field(default_factory=list)
    code: int = 0


@dataclass(frozen=True, slots=True)
class _Write:
    kind: str
    uid: str
    action: str
    run: Callable[[], str]
    more: dict[str, Any]
    of: int = 0


def carry_out(server: Server, plan: Plan, set_name: str, choices: Choices, audit: Audit) -> Result:
    """Do what a plan says.

    What Grafana does not take, and what somebody changed in the meantime, stops nothing else; where Grafana cannot be had, or a
    write cannot be recorded, all the rest is left. An interruption is recorded before it goes on.
    """
    result = Result()
    writes = [
        replace(write, of=plan.writes) for write in _writes(server, plan, set_name, choices, audit.revision)
    ]
    for number, write in enumerate(writes):
        try:
            address = write.run()
        except UserError as error:
            result.code = max(result.code, 1 if isinstance(error, Conflict | _Refused) else 2)
            recorded = _note(result, audit, write, "failed", str(error))
            if write.kind == "folder" and recorded:
                # What belongs in it would go nowhere.
                result.outcomes += _left(writes[number + 1 :])
                return result
        except EnvironmentFault as error:
            _note(result, audit, write, "unknown" if isinstance(error, Unanswered) else "failed", str(error))
            result.outcomes += _left(writes[number + 1 :])
            result.code = 3
            return result
        except BaseException as error:
            stopped = (
                "interrupted"
                if isinstance(error, KeyboardInterrupt)
                else f"{type(error).__name__} in orders-obs"
            )
            _note(result, audit, write, "unknown", stopped)
            result.outcomes += _left(writes[number + 1 :])
            print(result_text(result), end="", file=sys.stderr, flush=True)
            raise
        else:
            recorded = _note(result, audit, write, "done", "", address)
        if not recorded:
            result.outcomes += _left(writes[number + 1 :])
            result.code = 3
            return result
    return result


def message_of(set_name: str, digest: str, revision: str) -> str:
    """The message of a version: it says which set, what was published and from where."""
    text = f"orders-obs {set_name} sha256:{digest}"
    return (f"{text} {revision}" if revision else text)[:MESSAGE_LIMIT]


class _Refused(UserError):  # noqa: N818  # never leaves this module
    """Somebody changed a dashboard since the plan was made."""


def _left(writes: list[_Write]) -> list[Outcome]:
    return [Outcome(write.kind, write.uid, write.action, "left") for write in writes]


def _note(result: Result, audit: Audit, write: _Write, outcome: str, message: str, address: str = "") -> bool:
    """Keep and record what came of a write; whether it is recorded."""
    result.outcomes.append(Outcome(write.kind, write.uid, write.action, outcome, message, address))
    kept = audit.write(write.kind, write.uid, write.action, outcome, error=message, **write.more)
    if audit.file is not None:
        told = printable(f"{len(result.outcomes)} of {write.of}: {write.kind} {write.uid}")
        print(told, file=sys.stderr, flush=True)
    return kept


def _writes(server: Server, plan: Plan, set_name: str, choices: Choices, revision: str) -> list[_Write]:
    found = [
        _Write(
            "datasource",
            item.uid,
            item.action,
            _source_write(server, item, set_name),
            {"title": item.title, **recorded(item)},
        )
        for item in plan.sources
        if item.action != "none"
    ]
    if plan.folder and server.target.folder is not None:
        folder = server.target.folder

        def make_folder() -> str:
            server.api.create_folder(folder)
            return ""

        found.append(_Write("folder", folder.uid, "create", make_folder, {"title": folder.title}))
    for item in plan.items:
        if item.action != "none":
            more = {
                "title": item.title,
                "state": item.state,
                **_stood(item, set_name),
                "digest": item.prepared.digest if item.prepared else "",
            }
            found.append(
                _Write(
                    "dashboard",
                    item.uid,
                    item.action,
                    _dashboard_write(server, item, set_name, choices, revision, more),
                    more,
                )
            )
    return found


def _stood(item: Item, set_name: str) -> dict[str, Any]:
    """The hash of what stood there, and of what was published before where that is another."""
    was = digest(item.live.content, set_name) if item.live else ""
    published = item.mark.digest if item.mark else ""
    return {"was": was, "published": published if published != was else ""}


def _source_write(server: Server, item: SourceItem, set_name: str) -> Callable[[], str]:
    def run() -> str:
        try:
            save_source(server, item)
        except Unanswered:
            items, _ = plan_sources(server, set_name, force=True)
            if any(now.uid == item.uid and (now.action != "none" or now.refused) for now in items):
                raise
        return ""

    return run


def _dashboard_write(
    server: Server, item: Item, set_name: str, choices: Choices, revision: str, more: dict[str, Any]
) -> Callable[[], str]:
    def run() -> str:
        if item.action == "delete":
            _delete(server, item)
            return ""
        try:
            return _save(server, item, set_name, revision)
        except (Conflict, Unanswered) as error:
            return _second(server, item, set_name, choices, revision, error, more)

    return run


def _delete(server: Server, item: Item) -> None:
    """Delete a dashboard as it stood when it was looked at; one that is gone by now is done."""
    live = _as_seen(server, item)
    if live is None:
        return
    try:
        server.api.delete(live)
    except Conflict:
        if _as_seen(server, item) is not None:
            raise
    except Unanswered as error:
        try:
            live = _as_seen(server, item)
        except EnvironmentFault:
            raise error from None
        if live is not None:
            server.api.delete(live)


def _as_seen(server: Server, item: Item) -> Live | None:
    """The dashboard, read again; None where it is gone.

    Raises:
        _Refused: Somebody saved it since.
    """
    assert item.live is not None  # noqa: S101  # a deletion has one
    now = server.api.dashboard(item.uid)
    if now is not None and (now.lock, now.version, now.folder) != (
        item.live.lock,
        item.live.version,
        item.live.folder,
    ):
        raise _Refused("somebody changed it in the meantime", hint="look with `diff`")
    return now


def _save(server: Server, item: Item, set_name: str, revision: str) -> str:
    assert item.prepared is not None  # noqa: S101  # only a deletion has none
    folder = server.target.folder.uid if server.target.folder else ""
    settings = {
        "folder": folder,
        "message": message_of(set_name, item.prepared.digest, revision),
        "source": item.prepared.source.as_posix()
        if not item.prepared.source.is_absolute()
        else item.prepared.source.name,
    }
    if item.live is None:
        saved = server.api.create(item.uid, item.prepared.content, **settings)
    else:
        saved = server.api.update(item.live, item.prepared.content, **settings)
    return saved.address


def _second(
    server: Server,
    item: Item,
    set_name: str,
    choices: Choices,
    revision: str,
    error: Conflict | Unanswered,
    more: dict[str, Any],
) -> str:
    """Look again after a conflict, or after an answer that was lost: done, worth one more try, or somebody else's."""
    assert item.prepared is not None  # noqa: S101
    if isinstance(error, Conflict) and error.status in ("name-exists", "plugin-dashboard"):
        raise error
    before = item.live.version if item.live else 0
    # What was decided is decided for what stood there then, not for what somebody saved since.
    seen = replace(choices, adopt=(), overwrite_drift=False)
    try:
        now = examine(server, item.prepared, set_name, seen)
    except EnvironmentFault as again:
        if isinstance(error, Unanswered):
            raise error from again
        raise
    if now.state == "unchanged":
        return ""
    version = now.live.version if now.live else 0
    if version == before and (now.live is None) == (item.live is None):
        return _save(server, replace(item, live=now.live), set_name, revision)
    if now.refused or now.action == "none":
        raise _Refused(
            f"somebody changed it in the meantime: {now.refused or now.state}", hint="look with `diff`"
        )
    more |= _stood(now, set_name)
    return _save(server, now, set_name, revision)

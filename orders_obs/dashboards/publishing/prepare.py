"""From a built dashboard to what a target gets, and back: data sources of the target, mark, whether people may edit."""

from __future__ import annotations

import copy
import json
import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from orders_obs.dashboards.publishing.marks import Mark, digest, digest_of_defaults, unmarked, with_mark
from orders_obs.errors import UserError

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence
    from pathlib import Path

    from orders_obs.dashboards.publishing.targets import DataSource, Target

__all__ = ["Prepared", "built_for", "outside", "prepare", "restore", "stale_beside"]

# grafana/grafana pkg/services/dashboards/errors.go; docs: dashboard HTTP API.
_UID = re.compile(r"[A-Za-z0-9_-]{1,40}")
_TITLE = 5_000


@dataclass(frozen=True, slots=True)
class Prepared:
    """A dashboard as a target gets it.

    Attributes:
        uid: Its uid.
        title: Its title.
        source: The file that it was built from.
        built: As built.
        content: As it is sent, with mark and tag, without uid and version.
        digest: Of the content.
        alone: Whether its file is none of the source folder, and no file there builds its uid.
    """

    uid: str
    title: str
    source: Path
    built: dict[str, Any]
    content: dict[str, Any]
    digest: str
    alone: bool = False


def built_for(target: Target, files: Sequence[Path]) -> dict[Path, dict[str, Any]]:
    """The dashboards for a target by the file of each: built from code, or read where the file is JSON.

    Args:
        target: Its `dashboards` choose among the files of the folder where none are named.
        files: Those of the command line.

    Raises:
        UserError: A file is none, does not build, or the target names one that is not there.
    """
    if not files:
        from orders_obs.dashboards.build import SUFFIX, sources

        if not any(target.file.parent.glob(f"*{SUFFIX}")):
            raise UserError(
                "there are no dashboards beside the settings file",
                hint=f"files NAME{SUFFIX} are sought in its folder; name others on the command line",
                file=target.file,
            )
        files = sources(target.file.parent)
        names = {file.name.removesuffix(SUFFIX): file for file in files}
        for name in target.dashboards:
            if name not in names:
                raise UserError(
                    f"target {target.name}: there is no dashboard {name}",
                    hint=f"there are {', '.join(sorted(names))}",
                    file=target.file,
                    line=target.line,
                )
        files = [names[name] for name in target.dashboards] if target.dashboards else files
    code = [file for file in files if file.suffix != ".json"]
    found: dict[Path, dict[str, Any]] = {}
    if code:
        from orders_obs.dashboards.build import build

        found = {source: json.loads(text) for source, text in zip(code, build(code).values(), strict=True)}
    return found | {file: _read(file) for file in files if file.suffix == ".json"}


def outside(built: Mapping[Path, dict[str, Any]], target: Target) -> frozenset[str]:
    """The uids that the source folder does not build: those of files from elsewhere that were named.

    Raises:
        UserError: A file of the folder does not build.
    """
    from orders_obs.dashboards.build import SUFFIX

    folder = target.file.parent
    here = {file.resolve() for file in folder.glob(f"*{SUFFIX}")}
    # The JSON beside its source is the same dashboard.
    beside = here | {file.with_name(file.name.removesuffix(SUFFIX) + ".json") for file in here}
    foreign = {str(dashboard.get("uid")) for file, dashboard in built.items() if file.resolve() not in beside}
    if not foreign or not here:
        return frozenset(foreign)
    own = built_for(replace(target, dashboards=()), [])
    return frozenset(foreign - {str(dashboard.get("uid")) for dashboard in own.values()})


def stale_beside(built: Mapping[Path, dict[str, Any]]) -> list[str]:
    """The names of JSON files beside their source that say something else than it builds by now."""
    from orders_obs.dashboards.build import SUFFIX

    found: list[str] = []
    for source, dashboard in built.items():
        if not source.name.endswith(SUFFIX):
            continue
        file = source.with_name(source.name.removesuffix(SUFFIX) + ".json")
        try:
            same = json.loads(file.read_text(encoding="utf-8")) == dashboard
        except FileNotFoundError:
            continue
        except (OSError, ValueError):
            same = False
        if not same:
            found.append(file.name)
    return found


def prepare(
    built: Mapping[Path, dict[str, Any]], target: Target, name: str, alone: Collection[str] = ()
) -> list[Prepared]:
    """Dashboards as a target gets them.

    Args:
        built: By file.
        target: The target.
        name: The set.
        alone: The uids that the source folder does not build.

    Raises:
        UserError: One lacks what Grafana needs, or two have the same uid.
    """
    found: dict[str, Prepared] = {}
    for source, dashboard in built.items():
        uid, title = dashboard.get("uid"), dashboard.get("title")
        if not isinstance(uid, str) or not _UID.fullmatch(uid):
            raise UserError(
                f"its uid is {uid!r}", hint="set one of up to 40 letters, digits, _ and -", file=source
            )
        if not isinstance(title, str) or not title.strip() or len(title) > _TITLE:
            raise UserError("has no title, or one of more than 5000 characters", file=source)
        if uid in found:
            raise UserError(
                f"has the uid {uid} of {found[uid].source} too", hint="each needs its own", file=source
            )
        content = _with_sources(dashboard, target.datasources.values())
        content = {key: value for key, value in content.items() if key not in ("id", "uid", "version")}
        content["editable"] = target.editable
        hashed = digest(content, name)
        content = with_mark(content, Mark(name, uid, hashed, digest_of_defaults(content), uid in alone))
        found[uid] = Prepared(uid, title, source, dashboard, content, hashed, uid in alone)
    return list(found.values())


def restore(
    live: dict[str, Any], built: Mapping[str, Any], target: Target, name: str, uid: str
) -> dict[str, Any]:
    """What stands in Grafana as the build would have written it: the way back of `prepare`.

    Args:
        live: What stands there.
        built: The build; empty where nothing builds it any more.
        target: The target.
        name: The set.
        uid: Of the dashboard.
    """
    content = _without_sources(unmarked(live, name), target.datasources.values(), built)
    content = {key: value for key, value in content.items() if key not in ("id", "version", "iteration")}
    if content.get("editable") == target.editable and "editable" in built:
        content["editable"] = built["editable"]
    content["uid"] = uid
    return content


def _read(file: Path) -> dict[str, Any]:
    try:
        content = json.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise UserError(f"cannot be read: {error.strerror}", file=file) from None
    except ValueError:
        raise UserError("is not JSON", file=file) from None
    if not isinstance(content, dict) or "panels" not in content:
        raise UserError(
            "is no dashboard of the classic schema",
            hint="a JSON object with title, uid and panels",
            file=file,
        )
    return content


def _with_sources(dashboard: dict[str, Any], sources: Iterable[DataSource]) -> dict[str, Any]:
    """With the uids of a target's data sources, and variables that choose one set to it."""
    content: dict[str, Any] = copy.deepcopy(dashboard)
    by_key = {source.key: source for source in sources}
    _rename(content, {key: source.uid for key, source in by_key.items()})
    for variable in _variables(content):
        if variable.get("type") != "datasource":
            continue
        source = next((s for s in by_key.values() if s.type == variable.get("query")), None)
        if source is not None:
            text = source.name or (source.key if source.managed else source.uid)
            variable["current"] = {"selected": True, "text": text, "value": source.uid}
    return content


def _without_sources(
    live: dict[str, Any], sources: Iterable[DataSource], built: Mapping[str, Any]
) -> dict[str, Any]:
    content: dict[str, Any] = copy.deepcopy(live)
    by_key = {source.key: source for source in sources}
    _rename(content, {source.uid: key for key, source in by_key.items()})
    before = {str(variable.get("name")): variable for variable in _variables(built)}
    for variable in _variables(content):
        source = next((s for s in by_key.values() if s.type == variable.get("query")), None)
        chosen = (
            variable.get("current", {}).get("value") if isinstance(variable.get("current"), dict) else None
        )
        if variable.get("type") == "datasource" and source is not None and chosen == source.uid:
            old = before.get(str(variable.get("name")), {})
            variable.pop("current")
            if "current" in old:
                variable["current"] = old["current"]
    return content


def _variables(dashboard: Mapping[str, Any]) -> list[dict[str, Any]]:
    templating = dashboard.get("templating")
    entries = templating.get("list") if isinstance(templating, dict) else None
    return [entry for entry in (entries if isinstance(entries, list) else ()) if isinstance(entry, dict)]


def _rename(value: Any, uids: Mapping[str, str]) -> None:
    """Change the uid of every reference to a data source, in place."""
    if isinstance(value, list):
        for entry in value:
            _rename(entry, uids)
    elif isinstance(value, dict):
        for key, entry in value.items():
            if key == "datasource" and isinstance(entry, dict) and str(entry.get("uid")) in uids:
                entry["uid"] = uids[str(entry["uid"])]
            elif key == "datasourceUid" and isinstance(entry, str) and entry in uids:
                value[key] = uids[entry]
            else:
                _rename(entry, uids)

"""Rules on the dashboard as a whole: its name, its time, its links, its place."""

from __future__ import annotations

import functools
import re
from typing import TYPE_CHECKING, Any

from orders_obs.dashboards.lint.known import NEWEST_SCHEMA
from orders_obs.dashboards.lint.variable_rules import strings
from orders_obs.dashboards.lint.views import Said, listed, mapping, text
from orders_obs.redact import REDACTED, redact_text

if TYPE_CHECKING:
    from collections.abc import Iterator
    from collections.abc import Set as AbstractSet

    from orders_obs.dashboards.lint.views import DashboardView

__all__ = [
    "editable",
    "export_inputs",
    "instance_id",
    "link_broken",
    "link_forgets",
    "link_http",
    "link_same_tab",
    "no_panels",
    "no_title",
    "refresh_invalid",
    "refresh_too_fast",
    "schema_version",
    "secret",
    "time_invalid",
    "time_missing",
    "timezone_unknown",
    "uid_invalid",
    "uid_missing",
]

_UID = re.compile(r"[A-Za-z0-9_-]{1,40}")
_REFRESH = re.compile(r"(\d+(?:\.\d+)?)(ms|s|m|h|d)")
_SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
_SOONEST = 5
"""Seconds: what Grafana's `min_refresh_interval` is where nobody set it."""
_TIME = re.compile(r"now(?:[-+]\d+[smhdwMQyfq]+)*(?:/f?[smhdwMQyq])?|\d{4}-\d\d-\d\d.*|\d{10,13}|\$\{?\w+.*")
_OLD_SCHEMA = 36


def no_title(view: DashboardView) -> Iterator[Said]:
    if not text(view.json.get("title")).strip():
        yield Said("the dashboard has no title, so Grafana refuses it", "title: …")


def no_panels(view: DashboardView) -> Iterator[Said]:
    if not view.panels and not view.rows:
        yield Said("the dashboard has no panel", "give it one")


def uid_invalid(view: DashboardView) -> Iterator[Said]:
    uid = view.json.get("uid")
    if uid not in (None, "") and (not isinstance(uid, str) or not _UID.fullmatch(uid)):
        yield Said(f"the uid {uid!r:.60} is one that Grafana refuses", "at most 40 letters, digits, - and _")


def uid_missing(view: DashboardView) -> Iterator[Said]:
    if view.json.get("uid") in (None, ""):
        yield Said(
            "the dashboard has no uid, so each Grafana gives it another and links to it break",
            "a uid of its own, of at most 40 letters, digits, - and _",
        )


def instance_id(view: DashboardView) -> Iterator[Said]:
    if isinstance(view.json.get("id"), int) and not isinstance(view.json.get("id"), bool):
        yield Said(
            f"the id {view.json['id']} is a row in the database of one Grafana; another one has another dashboard there",
            "take `id` out, and go by the uid",
        )


def export_inputs(view: DashboardView) -> Iterator[Said]:
    if view.inputs:
        names = ", ".join(f"${{{name}}}" for name in list(view.inputs)[:3])
        yield Said(
            f"the dashboard was exported for sharing: only the import dialogue fills in {names}, a provisioned file and the API do not",
            "a variable of the type datasource in their place",
        )


def schema_version(view: DashboardView) -> Iterator[Said]:
    version = view.json.get("schemaVersion")
    if not isinstance(version, int) or isinstance(version, bool):
        yield Said(
            "the dashboard has no schemaVersion, so Grafana takes it for one of its first",
            f"schemaVersion: {NEWEST_SCHEMA}",
            level="warning",
        )
    elif version > NEWEST_SCHEMA:
        yield Said(
            f"schemaVersion {version} is newer than the newest known, {NEWEST_SCHEMA}",
            f"schemaVersion: {NEWEST_SCHEMA}",
        )
    elif version < _OLD_SCHEMA:
        yield Said(
            f"schemaVersion {version} is of Grafana 8 or older: it is migrated at each load, and some builds of Grafana 12 refuse below 21",
            "load it in today's Grafana, save it, and keep that JSON",
        )


# Time


def time_missing(view: DashboardView) -> Iterator[Said]:
    time = view.json.get("time")
    if not mapping(time).get("from") or not mapping(time).get("to"):
        yield Said(
            "the dashboard names no time range, so it opens with the last six hours",
            "time: {from: now-1h, to: now}",
        )


def time_invalid(view: DashboardView) -> Iterator[Said]:
    for key in ("from", "to"):
        value = mapping(view.json.get("time")).get(key)
        if isinstance(value, str) and value and not _TIME.fullmatch(value):
            yield Said(
                f"time.{key} {value!r:.60} is no time that Grafana reads", "such as now-1h, now or now/d"
            )


def refresh_invalid(view: DashboardView) -> Iterator[Said]:
    refresh = view.json.get("refresh")
    if isinstance(refresh, str) and refresh not in ("", "auto") and not _REFRESH.fullmatch(refresh):
        yield Said(f"refresh {refresh!r:.40} is no interval that Grafana reads", "such as 30s, 1m or 5m")


def refresh_too_fast(view: DashboardView) -> Iterator[Said]:
    refresh = text(view.json.get("refresh"))
    found = _REFRESH.fullmatch(refresh)
    if found is not None and float(found[1]) * _SECONDS[found[2]] < _SOONEST:
        yield Said(
            f"refresh {refresh} is more often than every {_SOONEST} seconds, which Grafana refuses unless it is set up for it",
            "10s or more",
        )


@functools.cache
def _zones() -> AbstractSet[str]:
    from zoneinfo import available_timezones

    return available_timezones()


def timezone_unknown(view: DashboardView) -> Iterator[Said]:
    zone = view.json.get("timezone")
    if not isinstance(zone, str) or zone.lower() in ("", "browser", "utc"):
        return
    if _zones() and zone not in _zones() and "$" not in zone:
        yield Said(f"timezone {zone!r:.60} is none", "browser, utc, or a name such as Europe/Berlin")


def editable(view: DashboardView) -> Iterator[Said]:
    if view.json.get("editable") is not False:
        yield Said(
            "the dashboard can be edited in Grafana, and what is changed there is not in this file: `publish` refuses such a drift",
            "editable: false",
        )


# Links


def _links(view: DashboardView) -> Iterator[tuple[str, dict[str, Any], Any]]:
    for link in listed(view.json.get("links")):
        yield f"link {text(link.get('title'))!r}", link, link
    for panel in view.panels:
        holders = [panel.json.get("links"), panel.defaults.get("links")]
        for override in listed(mapping(panel.json.get("fieldConfig")).get("overrides")):
            holders += [
                item.get("value") for item in listed(override.get("properties")) if item.get("id") == "links"
            ]
        for holder in holders:
            for link in listed(holder):
                yield f"{panel.name}, link {text(link.get('title'))!r}", link, panel.json


def link_broken(view: DashboardView, uids: AbstractSet[str]) -> Iterator[Said]:
    for name, link, at in _links(view):
        url = text(link.get("url"))
        found = re.match(r"/?d/([A-Za-z0-9_-]{1,60})(?:[/?]|\Z)", url)
        if uids and found is not None and found[1] not in uids:
            yield Said(
                f"{name} goes to the dashboard {found[1]!r}, which is not among the files",
                "correct the uid",
                at,
            )
        elif link.get("type") == "link" and not url:
            yield Said(f"{name} goes nowhere", "give it a url", at)


def link_forgets(view: DashboardView) -> Iterator[Said]:
    for link in listed(view.json.get("links")):
        if link.get("type") == "dashboards" and not (link.get("keepTime") or link.get("includeVars")):
            yield Said(
                f"link {text(link.get('title'))!r} opens the other dashboards with their own time and choices",
                "keepTime: true, includeVars: true",
                link,
            )


def link_http(view: DashboardView) -> Iterator[Said]:
    for name, link, at in _links(view):
        url = text(link.get("url"))
        if re.match(
            r"http://(?!localhost|127\.|\[::1\]|[^/]*\.(?:svc|local|internal)\b|[^/.]+(?:[:/]|\Z))", url
        ):
            yield Said(f"{name} goes over http", "https://", at)


def link_same_tab(view: DashboardView) -> Iterator[Said]:
    for name, link, at in _links(view):
        if re.match(r"https?://", text(link.get("url"))) and link.get("targetBlank") is not True:
            yield Said(f"{name} leaves Grafana in the same tab", "targetBlank: true", at)


# Secrets

_MATCHER = re.compile(r'(?<![\w.])[\w.]+\s*(?:=~|!~|!=|=)\s*(?:"[^"]*"|\'[^\']*\'|`[^`]*`)')
_ASKS = ("expr", "query", "definition", "rawSql", "expression", "logql")


def secret(view: DashboardView) -> Iterator[Said]:
    for path, words in strings(view.json):
        if path.rpartition(".")[2] in _ASKS:
            words = _MATCHER.sub("", words)  # noqa: PLW2901  # a label may be called `token`
        cleaned = redact_text(words)
        # A variable in the place of a secret is none.
        if cleaned != words and not re.search(r"[=:]\s*['\"]?\$|\$\{", words) and REDACTED in cleaned:
            yield Said(
                f"{path} holds what looks like a secret: {_around(cleaned)}",
                "a data source keeps secrets, a dashboard shows them to all who may see it",
            )


def _around(words: str) -> str:
    at = words.find(REDACTED)
    return " ".join(words[max(0, at - 30) : at + len(REDACTED)].split())

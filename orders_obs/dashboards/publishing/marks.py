"""Whose a dashboard is, and what was published: a mark in its description, a tag, and the hash of what counts of its JSON.

A save in Grafana keeps description and tags, in the old schema and in the new one; what else one adds to the JSON it loses.
"""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass
from typing import Any

__all__ = [
    "Mark",
    "defaults",
    "digest",
    "digest_of_defaults",
    "normal",
    "read_mark",
    "same",
    "set_tag",
    "unmarked",
    "with_mark",
]

_SENTENCE = "Published from code: a change made here is not kept unless it is pulled."
_MARK = re.compile(
    r"\s*(?:"
    + re.escape(_SENTENCE)
    + r")?\s*\[orders-obs ([\w-]+)/([\w-]+) sha256:([0-9a-f]{16})(?: defaults:([0-9a-f]{16}))?( alone)?\]\s*"
)
# What Grafana numbers, or a person's view sets, or an export adds.
_DROPPED = frozenset({"id", "uid", "version", "iteration", "__inputs", "__requires", "gnetId"})


@dataclass(frozen=True, slots=True)
class Mark:
    """What the mark says.

    Attributes:
        set: The set that owns the dashboard.
        uid: Its uid; another one on a copy.
        digest: Of what was published.
        defaults: Of the defaults of its queried variables, which what a person chooses replaces; empty where it has none, and in
            the marks of versions that did not say it.
        alone: Whether it came from a file that is none of the source folder, so that it is not missed there.
    """

    set: str
    uid: str
    digest: str
    defaults: str = ""
    alone: bool = False


def set_tag(name: str) -> str:
    """The tag of a set's dashboards."""
    return f"orders-obs:{name}"


def read_mark(dashboard: dict[str, Any]) -> Mark | None:
    """The mark of a dashboard; None where it has none."""
    found = _MARK.search(str(dashboard.get("description") or ""))
    return Mark(found[1], found[2], found[3], found[4] or "", bool(found[5])) if found else None


def with_mark(dashboard: dict[str, Any], mark: Mark) -> dict[str, Any]:
    """The dashboard with mark and tag."""
    plain = unmarked(dashboard, mark.set)
    text = str(plain.get("description") or "")
    defaults = f" defaults:{mark.defaults}" if mark.defaults else ""
    alone = " alone" if mark.alone else ""
    sentence = f"{_SENTENCE} [orders-obs {mark.set}/{mark.uid} sha256:{mark.digest}{defaults}{alone}]"
    return plain | {
        "description": f"{text}\n\n{sentence}" if text else sentence,
        "tags": [*plain.get("tags", ()), set_tag(mark.set)],
    }


def unmarked(dashboard: dict[str, Any], name: str) -> dict[str, Any]:
    """The dashboard without mark and tag of a set."""
    plain = dict(dashboard)
    if plain.get("description"):
        plain["description"] = _MARK.sub(" ", str(plain["description"])).strip()
    if isinstance(plain.get("tags"), list):
        plain["tags"] = [tag for tag in plain["tags"] if tag != set_tag(name)]
    return plain


def normal(dashboard: dict[str, Any], name: str) -> dict[str, Any]:
    """What counts of a dashboard: without mark and tag, numbers that Grafana gives, nulls, and the chosen values of queried variables.

    Args:
        dashboard: As built, or as Grafana gives it.
        name: The set.
    """
    plain = {key: value for key, value in unmarked(dashboard, name).items() if key not in _DROPPED}
    for key in ("description", "tags"):
        # Without the mark they may be empty, which says the same as none.
        if not plain.get(key):
            plain.pop(key, None)
    annotations = plain.get("annotations")
    if isinstance(annotations, dict) and isinstance(annotations.get("list"), list):
        # Grafana adds the built-in one where it lacks.
        kept = [
            entry for entry in annotations["list"] if not (isinstance(entry, dict) and entry.get("builtIn"))
        ]
        plain["annotations"] = annotations | {"list": kept}
    templating = plain.get("templating")
    if isinstance(templating, dict) and isinstance(templating.get("list"), list):
        plain["templating"] = templating | {"list": [_variable(entry) for entry in templating["list"]]}
    result: dict[str, Any] = _plain(plain)
    return result


def digest(dashboard: dict[str, Any], name: str) -> str:
    """Sixteen hexadecimal digits of the SHA-256 of what counts of a dashboard."""
    return _hash(normal(dashboard, name))


def defaults(dashboard: dict[str, Any]) -> list[tuple[str, Any]]:
    """The queried variables that have a value from the start, or that a person chose, each with it."""
    templating = dashboard.get("templating")
    entries = templating.get("list") if isinstance(templating, dict) else None
    return [
        (str(entry.get("name")), _plain(entry["current"]))
        for entry in (entries if isinstance(entries, list) else ())
        if isinstance(entry, dict) and entry.get("type") == "query" and entry.get("current")
    ]


def digest_of_defaults(dashboard: dict[str, Any]) -> str:
    """Sixteen hexadecimal digits of the SHA-256 of its defaults; empty where there are none."""
    found = defaults(dashboard)
    return _hash(found) if found else ""


def same(one: dict[str, Any], other: dict[str, Any]) -> bool:
    """Whether two dashboards, each as `normal` gives it, say the same; versions of panels' plugins say nothing."""
    return _text(_without_versions(one)) == _text(_without_versions(other))


def _text(value: Any) -> str:
    return json.dumps(value, sort_keys=True, ensure_ascii=False, separators=(",", ":"))


def _hash(value: Any) -> str:
    return hashlib.sha256(_text(value).encode(errors="surrogatepass")).hexdigest()[:16]


def _without_versions(panel: Any) -> Any:
    """A dashboard or a row without what Grafana writes into each panel by itself."""
    if not isinstance(panel, dict):
        return panel
    plain = {key: value for key, value in panel.items() if key != "pluginVersion"}
    if isinstance(plain.get("panels"), list):
        plain["panels"] = [_without_versions(entry) for entry in plain["panels"]]
    return plain


def _variable(entry: Any) -> Any:
    if isinstance(entry, dict) and entry.get("type") == "query":
        return {key: value for key, value in entry.items() if key not in ("current", "options")}
    return entry


def _plain(value: Any) -> Any:
    """Without nulls, and numbers as Go writes them: 1.0 comes back as 1."""
    if isinstance(value, dict):
        return {key: _plain(entry) for key, entry in value.items() if entry is not None}
    if isinstance(value, list):
        return [_plain(entry) for entry in value]
    if isinstance(value, float) and value.is_integer() and abs(value) < 2**53:
        return int(value)
    return value

"""What a panel says of its fields: the defaults, and the overrides that match a series or a column."""

from __future__ import annotations

import copy
import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["config_of", "defaults_of", "regex_matches", "shown_name"]

_KEPT = (
    "color", "custom", "decimals", "displayName", "links", "mappings", "max", "min", "noValue", "thresholds", "unit",
)  # fmt: skip
_KINDS: dict[str, Any] = {
    "color": dict, "custom": dict, "decimals": int | float, "displayName": str, "links": list, "mappings": list,
    "max": int | float, "min": int | float, "noValue": str, "thresholds": dict, "unit": str,
}  # fmt: skip
_LABEL = re.compile(r"\$\{__field\.labels\.(\w+)\}|\$\{__field\.labels\[[\"']?(\w+)[\"']?\]\}")
_PATTERN = re.compile(r"/(.*)/([gimsuy]*)", re.DOTALL)


def defaults_of(panel: Mapping[str, Any]) -> dict[str, Any]:
    """The defaults of a panel's fields, the keys that the page knows.

    Raises:
        TypeError: One is not what Grafana has there.
    """
    defaults = (panel.get("fieldConfig") or {}).get("defaults") or {}
    return _checked({key: copy.deepcopy(defaults[key]) for key in _KEPT if defaults.get(key) is not None})


def _checked(config: dict[str, Any]) -> dict[str, Any]:
    for key, kinds in _KINDS.items():
        value = config.get(key)
        if value is not None and (not isinstance(value, kinds) or isinstance(value, bool)):
            raise TypeError(f"{key} is {value!r}")
    color = config.get("color") or {}
    if not isinstance(color.get("mode", ""), str):
        raise TypeError(f"color.mode is {color['mode']!r}")
    steps = (config.get("thresholds") or {}).get("steps") or []
    for at, step in enumerate(steps if isinstance(steps, list) else [steps]):
        value = step.get("value", 0) if isinstance(step, dict) else ""
        # The first one is the base, whatever it holds: grafanalib writes the text "null".
        base = at == 0 and isinstance(step, dict)
        if not base and value is not None and not isinstance(value, int | float):
            raise TypeError(f"a threshold is {step!r}")
    if not all(isinstance(entry, dict) for entry in config.get("mappings") or ()):
        raise TypeError("a value mapping is no object")
    return config


def config_of(
    panel: Mapping[str, Any], name: str, *, ref: str = "", kind: str = "number", values: Any = ()
) -> dict[str, Any]:
    """The configuration of one field.

    Args:
        panel: As built.
        name: Of the field.
        ref: Of its query.
        kind: `number`, `string` or `time`.
        values: Of the field, for overrides that look at them.
    """
    config = defaults_of(panel)
    for override in (panel.get("fieldConfig") or {}).get("overrides") or ():
        if not isinstance(override, dict) or not _matches(
            override.get("matcher") or {}, name, ref, kind, values
        ):
            continue
        for change in override.get("properties") or ():
            _set(config, str(change.get("id", "")), copy.deepcopy(change.get("value")))
    return _checked(config)


def shown_name(config: Mapping[str, Any], name: str, labels: Mapping[str, str]) -> str:
    """The name that the configuration gives a field, else its own."""
    wanted = config.get("displayName")
    if not wanted:
        return name
    text = _LABEL.sub(lambda match: labels.get(match[1] or match[2], ""), str(wanted))
    return text.replace("${__field.name}", name).replace("${__field.displayName}", name) or name


def _set(config: dict[str, Any], path: str, value: Any) -> None:
    where = config
    *parents, last = path.split(".")
    for parent in parents:
        below = where.get(parent)
        if not isinstance(below, dict):
            below = where[parent] = {}
        where = below
    where[last] = value


def _matches(matcher: Mapping[str, Any], name: str, ref: str, kind: str, values: Any) -> bool:
    wanted, options = matcher.get("id"), matcher.get("options")
    if wanted == "byName":
        return bool(options == name)
    if wanted == "byRegexp":
        return regex_matches(str(options or ""), name)
    if wanted == "byNames":
        names = options.get("names") or () if isinstance(options, dict) else ()
        inverse = isinstance(options, dict) and options.get("mode") == "exclude"
        return (name in names) != inverse
    if wanted == "byFrameRefID":
        return bool(options == ref)
    if wanted == "byType":
        return bool(options == kind)
    if wanted == "byValue" and isinstance(options, dict):
        return _by_value(options, values)
    return False


def _by_value(options: Mapping[str, Any], values: Any) -> bool:
    from orders_obs.dashboards.preview.series import calculate

    found = calculate(str(options.get("reducer", "lastNotNull")), list(values))
    bound = options.get("value")
    if found is None or not isinstance(bound, int | float):
        return False
    tests = {"gt": found > bound, "gte": found >= bound, "lt": found < bound, "lte": found <= bound}
    return tests.get(str(options.get("op")), found == bound)


def regex_matches(pattern: str, text: str) -> bool:
    """Whether a text matches a pattern as Grafana writes it: `/…/i`, or a whole text; one that is none matches nothing."""
    slashed = _PATTERN.fullmatch(pattern)
    try:
        if slashed:
            return re.search(slashed[1], text, re.IGNORECASE if "i" in slashed[2] else 0) is not None
        return re.search(f"^{pattern}$", text) is not None
    except re.error:
        return False

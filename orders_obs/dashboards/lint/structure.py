"""Whether a dashboard has the shape of Grafana's own types, as the foundation SDK declares them.

The SDK's reader does not judge, and ends in an exception on what Grafana takes (a data source by its name, a CloudWatch query
without its mode); so the JSON is held against the annotations of its classes.
"""

from __future__ import annotations

import enum
import functools
import importlib
import types
import typing
import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from orders_obs.errors import EnvironmentFault

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from orders_obs.dashboards.lint.views import Panel

__all__ = ["Mismatch", "custom_fields", "mismatches", "units"]

_CLOUDWATCH = {"Metrics": "MetricsQuery", "Logs": "LogsQuery", "Annotations": "AnnotationQuery"}
_QUERIES = {
    "prometheus": ("prometheus", "Dataquery"),
    "loki": ("loki", "Dataquery"),
    "tempo": ("tempo", "TempoQuery"),
    "elasticsearch": ("elasticsearch", "Dataquery"),
}
_PANELS = frozenset(
    {
        *("annotationslist", "barchart", "bargauge", "candlestick", "canvas", "dashboardlist", "datagrid", "debug", "gauge"),
        *("geomap", "heatmap", "histogram", "logs", "news", "nodegraph", "piechart", "stat", "statetimeline"),
        *("statushistory", "table", "text", "timeseries", "trend", "xychart"),
    }
)  # fmt: skip
_MODULES = {"annolist": "annotationslist", "dashlist": "dashboardlist"}
_DEEPEST = 40


@dataclass(frozen=True, slots=True)
class Mismatch:
    """A place where the JSON and Grafana's types differ.

    Attributes:
        path: Such as `fieldConfig.defaults.decimals`, within its panel where it is in one.
        key: The last part of the path.
        message: What is wrong with it.
        unknown: Whether it is a key that the type does not have, and not a value of another type.
        known: The keys that the type has.
        at: The object that holds it.
    """

    path: str
    key: str
    message: str
    unknown: bool
    known: tuple[str, ...]
    at: Any


@functools.cache
def _module(name: str) -> Any:
    with warnings.catch_warnings():
        # The SDK tells whoever imports the v1 model to use v2.
        warnings.simplefilter("ignore", DeprecationWarning)
        try:
            return importlib.import_module(f"grafana_foundation_sdk.models.{name}")
        except ModuleNotFoundError:
            raise EnvironmentFault(
                "the foundation SDK, which has Grafana's types, is not installed",
                hint="pip install 'orders-obs[dashboards]'",
            ) from None


@functools.cache
def units() -> frozenset[str]:
    """The ids of Grafana's units."""
    content = vars(_module("units"))
    return frozenset(v for name, v in content.items() if isinstance(v, str) and not name.startswith("_"))


@functools.cache
def _fields(kind: type) -> dict[str, tuple[str, Any]]:
    """The fields of a type by their plain name, each with its name in JSON as far as it can be told, and its type."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        hints = typing.get_type_hints(kind)
    found = {}
    for attribute, hint in hints.items():
        name = attribute.removesuffix("_val") if attribute.endswith("_val") else attribute
        head, *rest = name.split("_")
        found[_plain(name)] = (head + "".join(word.capitalize() for word in rest), hint)
        found.setdefault(_plain(attribute), found[_plain(name)])
    return found


def _plain(name: str) -> str:
    return name.replace("_", "").lower()


def mismatches(dashboard: Mapping[str, Any], panels: list[Panel]) -> Iterator[tuple[Panel | None, Mismatch]]:
    """Where a dashboard, its panels, their options and queries differ from Grafana's types; None for what is in no panel."""
    model = _module("dashboard")
    own = {key: value for key, value in dashboard.items() if key != "panels"}
    for found in _walk(own, model.Dashboard, "", 0):
        yield None, found
    for panel in panels:
        for found in _of_panel(panel, model):
            yield panel, found


def _of_panel(panel: Panel, model: Any) -> Iterator[Mismatch]:
    yield from _walk(panel.json, model.Panel, "", 0)
    module = _panel_module(panel.type)
    if module is not None:
        if isinstance(panel.json.get("options"), dict) and hasattr(module, "Options"):
            yield from _walk(panel.json["options"], module.Options, "options", 0)
        custom = panel.defaults.get("custom")
        if isinstance(custom, dict) and hasattr(module, "FieldConfig"):
            yield from _walk(custom, module.FieldConfig, "fieldConfig.defaults.custom", 0)
    for target in panel.targets:
        kind = _query_type(target.kind, target.json)
        if kind is not None:
            where = f"query {target.json.get('refId', '?')!s:.10}"
            yield from _walk(target.json, kind, where, 0)


def _panel_module(name: str) -> Any:
    name = _MODULES.get(name, name.replace("-", ""))
    return _module(name) if name in _PANELS else None


def custom_fields(panel_type: str) -> Mapping[str, Any] | None:
    """The fields under `custom` of a panel by their plain names; None where the kind is not Grafana's own or has none."""
    module = _panel_module(panel_type)
    kind = getattr(module, "FieldConfig", None) if module is not None else None
    return None if kind is None else dict(_fields(kind).values())


def _query_type(kind: str, json: Mapping[str, Any]) -> type | None:
    if kind == "cloudwatch":
        # Grafana takes a query without a mode for one of metrics.
        name = _CLOUDWATCH.get(str(json.get("queryMode") or "Metrics"))
        return None if name is None else getattr(_module("cloudwatch"), name)
    if kind not in _QUERIES:
        return None
    module, name = _QUERIES[kind]
    return getattr(_module(module), name, None)


def _walk(value: dict[str, Any], kind: type, path: str, depth: int) -> Iterator[Mismatch]:
    fields = _fields(kind)
    for key, item in value.items():
        place = f"{path}.{key}" if path else key
        if _plain(key) not in fields:
            if not key.startswith("_"):
                yield Mismatch(
                    place, key, "is no key that Grafana knows here", True, tuple(name for name, _ in fields.values()), value
                )  # fmt: skip
            continue
        _, hint = fields[_plain(key)]
        yield from _judge(item, hint, place, key, value, depth + 1)


def _judge(value: Any, hint: Any, path: str, key: str, holder: Any, depth: int) -> Iterator[Mismatch]:
    # A null is what Grafana itself writes for what is not set.
    if value is None or hint is typing.Any or hint is object or depth > _DEEPEST:
        return
    origin = typing.get_origin(hint)
    if origin in (typing.Union, types.UnionType):
        choices = [choice for choice in typing.get_args(hint) if choice is not type(None)]
        if any(_takes(value, choice) for choice in choices):
            # Of several objects the one that fits best is not known, so only a lone one is looked into.
            if len(choices) == 1:
                yield from _judge(value, choices[0], path, key, holder, depth)
        else:
            yield _wrong(value, hint, path, key, holder)
        return
    if not _takes(value, hint):
        yield _wrong(value, hint, path, key, holder)
    elif origin is list:
        (inner,) = typing.get_args(hint)
        for index, item in enumerate(value):
            yield from _judge(item, inner, f"{path}[{index}]", key, holder, depth + 1)
    elif origin is dict:
        inner = typing.get_args(hint)[1]
        for name, item in value.items():
            yield from _judge(item, inner, f"{path}.{name}", key, value, depth + 1)
    elif isinstance(hint, type) and isinstance(value, dict) and _is_model(hint):
        yield from _walk(value, hint, path, depth)


def _takes(value: Any, hint: Any) -> bool:
    """Whether a value may stand where a type is asked for; what is inside an object is judged elsewhere."""
    origin = typing.get_origin(hint)
    if origin in (typing.Union, types.UnionType):
        return any(_takes(value, choice) for choice in typing.get_args(hint))
    if origin is typing.Literal:
        return value in typing.get_args(hint)
    if hint is type(None):
        return value is None
    if origin in (list, dict):
        return isinstance(value, origin)
    if hint is typing.Any or hint is object or not isinstance(hint, type):
        return True
    if issubclass(hint, enum.Enum):
        return not isinstance(value, dict | list) and value in [member.value for member in hint]
    if hint is bool:
        return isinstance(value, bool)
    if hint in (int, float):
        whole = hint is int and isinstance(value, float) and not value.is_integer()
        return isinstance(value, int | float) and not isinstance(value, bool) and not whole
    if hint is str:
        return isinstance(value, str)
    return isinstance(value, dict)


def _is_model(kind: type) -> bool:
    """Whether a class declares fields; the base of all queries has none."""
    return bool(_fields(kind)) and hasattr(kind, "from_json")


def _wrong(value: Any, hint: Any, path: str, key: str, holder: Any) -> Mismatch:
    shown = type(value).__name__ if isinstance(value, dict | list) else repr(value)
    return Mismatch(path, key, f"is {_short(shown)}, where Grafana has {_said(hint)}", False, (), holder)


def _said(hint: Any) -> str:
    origin = typing.get_origin(hint)
    if origin in (typing.Union, types.UnionType):
        return " or ".join(_said(choice) for choice in typing.get_args(hint) if choice is not type(None))
    if origin is typing.Literal:
        return " or ".join(repr(choice) for choice in typing.get_args(hint))
    if origin in (list, dict):
        return "a list" if origin is list else "an object"
    if isinstance(hint, type) and issubclass(hint, enum.Enum):
        return "one of " + ", ".join(repr(member.value) for member in hint)
    return {bool: "true or false", int: "a whole number", float: "a number", str: "a text"}.get(
        hint, "an object"
    )


def _short(words: str) -> str:
    return words if len(words) <= 60 else f"{words[:57]}..."

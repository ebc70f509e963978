"""What only FastAPI has.

Three of its names are private and pinned by tests (FastAPI 0.165): `_telemetry` on the application, `effective_route_context`
in the scope, and the scope's key `fastapi.telemetry`.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, MutableMapping, Sequence

__all__ = ["route_contexts", "selected_template", "switch_native_telemetry_off"]

_ASKED_FOR = ("tracer_provider", "meter_provider", "logger_provider", "auto_configure")
_SWITCHES = ("tracing", "metrics", "logs")


def switch_native_telemetry_off(app: Any) -> None:
    """Keep FastAPI from adding a second server span and second metrics, unless the application asked for them.

    It asked where it named a provider or automatic configuration; its server span is then used instead of ours.
    """
    config = getattr(app, "_telemetry", None)
    if not isinstance(config, dict) or any(config.get(name) for name in _ASKED_FOR):
        return
    for name in _SWITCHES:
        config[name] = False


def selected_template(scope: MutableMapping[str, Any]) -> str | None:
    """The template that FastAPI's router selected, prefixes of included routers in it."""
    fastapi_scope = scope.get("fastapi")
    if not isinstance(fastapi_scope, dict):
        return None
    context = fastapi_scope.get("effective_route_context")
    if context is None:
        return None
    found = getattr(getattr(context, "starlette_route", None) or context, "path_format", None)
    return found if isinstance(found, str) else None


def route_contexts(routes: Sequence[Any]) -> Iterable[Any]:
    """The routes with what including a router added to each; the routes themselves where FastAPI is absent or older."""
    routing = sys.modules.get("fastapi.routing")
    contexts = getattr(routing, "iter_route_contexts", None)
    return routes if contexts is None else contexts(routes)

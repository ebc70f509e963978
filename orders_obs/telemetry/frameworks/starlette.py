"""Starlette and FastAPI: outside their error handling, without changing the object; routes as full templates."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from starlette.routing import Host, Mount, WebSocketRoute, compile_path

from orders_obs.signals.instruments import NO_ROUTE
from orders_obs.telemetry.asgi import ASGIMiddleware
from orders_obs.telemetry.frameworks.fastapi import (
    route_contexts,
    selected_template,
    switch_native_telemetry_off,
)
from orders_obs.telemetry.runtime import start

if TYPE_CHECKING:
    import re
    from collections.abc import Callable, Iterator, Mapping, MutableMapping, Sequence

    from starlette.applications import Starlette

    from orders_obs.settings import Settings

__all__ = ["StarletteRoutes", "install"]

_MARK = "_orders_obs_installed"
# Applications mounted in applications; deeper ones are one route each.
_DEEPEST = 8


def install(app: Starlette, settings: Settings, checks: Mapping[str, Callable[[], Any]]) -> None:
    """Wrap the application's middleware stack, whenever it is built, so that nothing of it stands outside of us."""
    if getattr(app, _MARK, False):
        return
    telemetry = start(settings)
    routes = StarletteRoutes(app)
    build = app.build_middleware_stack

    def build_instrumented() -> ASGIMiddleware:
        return ASGIMiddleware(build(), telemetry, routes, checks)

    app.build_middleware_stack = build_instrumented  # type: ignore[method-assign]  # the seam that keeps the object
    app.middleware_stack = None  # built before us: built again at the next request
    setattr(app, _MARK, True)
    switch_native_telemetry_off(app)


@dataclass(slots=True)
class _Entry:
    """A route with its full pattern; a mount has the entries of its application."""

    pattern: re.Pattern[str]
    template: str
    methods: frozenset[str]
    mounted: list[_Entry] | None = None
    explicit: bool = True


@dataclass(slots=True)
class _Table:
    size: int = -1
    entries: list[_Entry] = field(default_factory=list)


class StarletteRoutes:
    """The templates of an application's routes.

    Where the framework left the matched route in the scope and no mount is involved, that is the answer. Everything else
    (mounts, wrong methods, redirects of slashes, paths without a route) is looked up in a table of full patterns, made when first
    needed and again when routes were added.
    """

    def __init__(self, app: Starlette) -> None:
        self._app = app
        self._table = _Table()

    def template(self, scope: MutableMapping[str, Any], entry: MutableMapping[str, Any]) -> str:
        """The full template of the route that served a request."""
        if scope.get("root_path", "") == entry["root_path"]:
            found = selected_template(scope)
            if found is None and not isinstance(scope.get("route"), (Mount, Host)):
                found = getattr(scope.get("route"), "path_format", None)
            if found:
                return str(found)
        path = _relative(entry["path"], entry["root_path"])
        return self._search(path, entry["method"])

    def has(self, path: str) -> bool:
        """Whether a route of the application, or of one mounted in it, answers this very path."""
        entries = self._entries()
        # A mount at the path is reached by the router's redirect to the path with a slash.
        paths = (path, path + "/") if getattr(self._app.router, "redirect_slashes", False) else (path,)
        return any(_answers(entry, candidate) for candidate in paths for entry in entries)

    def _search(self, path: str, method: str) -> str:
        entries = self._entries()
        found = _match(entries, path, method)
        if found.endswith(NO_ROUTE) and path != "/" and getattr(self._app.router, "redirect_slashes", False):
            other = path.rstrip("/") if path.endswith("/") else path + "/"
            redirected = _match(entries, other, method)
            found = found if redirected.endswith(NO_ROUTE) else redirected
        return found

    def _entries(self) -> list[_Entry]:
        routes = self._app.router.routes
        if self._table.size != len(routes):
            self._table = _Table(len(routes), list(_entries_of(routes)))
        return self._table.entries


def _entries_of(routes: Sequence[Any], depth: int = 0) -> Iterator[_Entry]:
    for route in route_contexts(routes):
        original = getattr(route, "original_route", route)
        if isinstance(original, Host):
            yield from _entries_of(getattr(original.app, "routes", ()), depth + 1)
            continue
        path = getattr(route, "path", None)
        if not isinstance(path, str):
            continue
        methods = frozenset(getattr(route, "methods", None) or ())
        if isinstance(original, Mount):
            pattern, template, _ = compile_path(path.rstrip("/") + "/{path:path}")
            below = original.routes if depth < _DEEPEST else []
            mounted = list(_entries_of(below, depth + 1)) if below else None
            template = template.removesuffix("/{path}")
            yield _Entry(pattern, template, methods, mounted, explicit=bool(template))
        elif not isinstance(original, WebSocketRoute):
            pattern, template, _ = compile_path(path)
            yield _Entry(pattern, template, methods)


def _match(entries: list[_Entry], path: str, method: str) -> str:
    """As the router does: the first entry that answers path and method, else the first that answers the path."""
    partial = ""
    for entry in entries:
        match = entry.pattern.match(path)
        if match is None:
            continue
        if entry.mounted is not None:
            below = _match(entry.mounted, "/" + match["path"], method)
            return entry.template + (below if below.startswith("/") else f"/{below}")
        if not entry.methods or method in entry.methods:
            return entry.template or NO_ROUTE
        partial = partial or entry.template
    return partial or NO_ROUTE


def _answers(entry: _Entry, path: str) -> bool:
    match = entry.pattern.match(path)
    if match is None:
        return False
    if entry.mounted is not None:
        return any(_answers(below, "/" + match["path"]) for below in entry.mounted)
    return entry.explicit


def _relative(path: str, root_path: str) -> str:
    if root_path and path.startswith(root_path) and path[len(root_path) :][:1] in ("", "/"):
        return path[len(root_path) :] or "/"
    return path

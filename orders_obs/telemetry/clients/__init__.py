"""Spans for what an application calls: databases, caches, other services. Each is instrumented when it is imported."""

from __future__ import annotations

import importlib
import importlib.util
import sys
from importlib.abc import Loader, MetaPathFinder
from typing import TYPE_CHECKING, Any

from orders_obs.telemetry.guard import guarded

if TYPE_CHECKING:
    from collections.abc import Sequence
    from importlib.machinery import ModuleSpec
    from types import ModuleType

    from orders_obs.settings import Settings

__all__ = ["instrument_clients"]

# The module whose import makes the library usable, and ours that instruments it.
_CLIENTS = {
    "sqlalchemy": "orders_obs.telemetry.clients.sqlalchemy",
    "httpx": "orders_obs.telemetry.clients.httpx",
    "redis": "orders_obs.telemetry.clients.redis",
}


def instrument_clients(settings: Settings) -> None:
    """Instrument each supported library, now where it is imported already, else right after its import."""
    waiting = {}
    for name, ours in _CLIENTS.items():
        if name in sys.modules:
            _install(ours, settings)
        else:
            waiting[name] = ours
    if waiting and not any(isinstance(finder, _AfterImport) for finder in sys.meta_path):
        sys.meta_path.insert(0, _AfterImport(waiting, settings))


def _install(ours: str, settings: Settings) -> None:
    with guarded(f"clients.{ours.rpartition('.')[2]}"):
        importlib.import_module(ours).install(settings)


class _AfterImport(MetaPathFinder):
    """Finds a waited-for module as Python would, and has its loader call us when the module is there."""

    def __init__(self, waiting: dict[str, str], settings: Settings) -> None:
        self._waiting = waiting
        self._settings = settings

    def find_spec(
        self,
        fullname: str,
        path: Sequence[str] | None,  # noqa: ARG002  # importlib names the arguments
        target: ModuleType | None = None,  # noqa: ARG002  # as above
    ) -> ModuleSpec | None:
        ours = self._waiting.pop(fullname, None)
        if ours is None:
            return None
        # Popped first: this look-up comes through here again.
        spec = importlib.util.find_spec(fullname)
        if spec is not None and spec.loader is not None:
            spec.loader = _Notify(spec.loader, ours, self._settings)
        return spec


class _Notify(Loader):
    def __init__(self, loader: Any, ours: str, settings: Settings) -> None:
        self._loader = loader
        self._ours = ours
        self._settings = settings

    def create_module(self, spec: ModuleSpec) -> ModuleType | None:
        module: ModuleType | None = self._loader.create_module(spec)
        return module

    def exec_module(self, module: ModuleType) -> None:
        # The module keeps its own loader, with everything that importlib.resources and pkgutil ask of it.
        if module.__spec__ is not None:
            module.__spec__.loader = self._loader
        module.__loader__ = self._loader
        self._loader.exec_module(module)
        _install(self._ours, self._settings)

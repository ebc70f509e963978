"""Puts the files that the commands need into the wheel, and not into an editable installation, which has the checkout."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

_SHIPPED = ("alerts", "collector", "dashboards", "examples", "docker-compose.obs.yml")


class ShippedFiles(BuildHookInterface):  # type: ignore[type-arg]  # generic only in the type stubs' eyes
    """The build hook that hatchling looks for in this file."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Add each shipped file or folder under `orders_obs/_data`."""
        if version == "standard":
            root = Path(self.root)
            build_data["force_include"].update(
                {str(root / name): f"orders_obs/_data/{name}" for name in _SHIPPED}
            )

"""Which catalogue a command means."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from orders_obs._resources import resource_path
from orders_obs.alerts.catalogue import load

if TYPE_CHECKING:
    from orders_obs.alerts.catalogue import Catalogue

__all__ = ["load_catalogue"]


def load_catalogue(named: Path | str | None) -> Catalogue:
    """The catalogue that is named, else the one in the folder `alerts` here, else the shipped one.

    Raises:
        UserError: It cannot be read or is wrong.
    """
    if named:
        return load(named)
    here = Path("alerts")
    return load(here if here.is_dir() else resource_path("alerts"))

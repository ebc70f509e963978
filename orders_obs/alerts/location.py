"""Which catalogue a command means."""

from __future__ import annotations

import sys
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
    if here.is_dir():
        return load(here)
    shipped = load(resource_path("alerts"))
    print(
        f"there is no folder alerts here: this is the shipped catalogue, of {shipped.service}",
        file=sys.stderr,
    )
    return shipped

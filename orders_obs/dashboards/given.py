"""What a dashboard's author gives by name: a signal, labels that split it, the catalogue whose alerts are drawn."""

from __future__ import annotations

from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path
from typing import TYPE_CHECKING

from orders_obs._resources import resource_path
from orders_obs.alerts import load
from orders_obs.alerts.catalogue import Catalogue
from orders_obs.alerts.nodes import did_you_mean
from orders_obs.errors import UserError
from orders_obs.signals import SIGNALS

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from orders_obs.alerts.model import ResolvedCatalogue
    from orders_obs.signals import Signal

__all__ = ["catalogue_of", "labels_of", "signal_named", "watching"]

_PRODUCTION = "production"
# The services whose shipped catalogue was taken for want of another, while somebody watches.
_SHIPPED: ContextVar[list[str] | None] = ContextVar("orders_obs_shipped_catalogue", default=None)


def catalogue_of(
    given: Catalogue | ResolvedCatalogue | None = None, environment: str = ""
) -> ResolvedCatalogue:
    """The catalogue whose alerts a dashboard draws, as an environment sees it.

    Args:
        given: A catalogue, or what one environment has of it; None for the one in the folder `alerts` here, else the shipped one.
        environment: Its environment. Else the only one that the catalogue has, or `production`.

    Raises:
        UserError: It cannot be read or is wrong, or has no such environment.
    """
    if given is None:
        here = Path("alerts")
        given = load(here if here.is_dir() else resource_path("alerts"))
        if not here.is_dir() and (shipped := _SHIPPED.get()) is not None:
            shipped.append(given.service)
    if not isinstance(given, Catalogue):
        return given
    only = given.environments[0] if len(given.environments) == 1 else _PRODUCTION
    return given.resolve(environment or only)


@contextmanager
def watching() -> Iterator[list[str]]:
    """Collects the service of each shipped catalogue that is taken meanwhile because there is no folder `alerts`."""
    shipped: list[str] = []
    token = _SHIPPED.set(shipped)
    try:
        yield shipped
    finally:
        _SHIPPED.reset(token)


def signal_named(name: str) -> Signal:
    """A signal by its name.

    Raises:
        UserError: There is none of that name.
    """
    if name not in SIGNALS:
        raise UserError(f"{name!r} is no signal", hint=did_you_mean(str(name), SIGNALS))
    return SIGNALS[name]


def labels_of(by: Sequence[str] | str) -> tuple[str, ...]:
    """Labels as a tuple; a text is one label, not its letters."""
    return (by,) if isinstance(by, str) else tuple(by)

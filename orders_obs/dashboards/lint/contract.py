"""The metrics and labels of dashboards against those that the code emits."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from orders_obs.alerts.contract.check import check
from orders_obs.alerts.contract.dashboards import dashboard_queries
from orders_obs.alerts.contract.known import library, read_also, well_known
from orders_obs.alerts.contract.sources import read_sources
from orders_obs.alerts.contract.used import Used, catalogue_queries
from orders_obs.alerts.location import load_catalogue
from orders_obs.dashboards.lint.views import printable

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from orders_obs.findings import Finding

__all__ = ["against_contract"]


def against_contract(
    paths: Iterable[Path],
    *,
    sources: Iterable[str] = (),
    also: Iterable[str] = (),
    catalogue: str | None = None,
) -> list[Finding]:
    """What dashboards ask for and nobody emits: findings of `orders-obs alerts contract` that are about the dashboards.

    Args:
        paths: Files of dashboards.
        sources: Folders of Python source that declare metrics. Without any, what `orders_obs` and well-known exporters emit is known.
        also: Files with more metrics.
        catalogue: Whose recording rules count as emitted; None for the one that is here, else the shipped one.

    Raises:
        UserError: A file or the catalogue cannot be read.
    """
    folders, files = list(sources), list(also)
    source = read_sources(folders)
    more = [metric for file in files for metric in read_also(file)]
    used = Used()
    for path in paths:
        used.add(dashboard_queries(path))
    places = {query.where for query in used.queries}
    used.add(catalogue_queries(load_catalogue(catalogue)))
    found = check(
        [*source.emitted, *library(source.calls), *more, *well_known()],
        used.queries,
        unread=source.unread,
        uses_ours=source.uses_ours or not (folders or more),
    )
    return [
        replace(
            finding,
            where=printable(finding.where),
            message=printable(finding.message),
            hint=printable(finding.hint),
        )
        for finding in found
        if finding.where in places
    ]

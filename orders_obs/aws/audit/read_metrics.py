"""Which of the metrics that alarms read had values in the last two weeks: one list of each name, not one call for each alarm."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from orders_obs.aws.audit.model import Listing

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from orders_obs.alerts.lint.cloudwatch.views import Series
    from orders_obs.aws.audit.alarms import Alarm
    from orders_obs.aws.audit.model import Seen
    from orders_obs.aws.audit.reading import Reader

__all__ = ["Reading", "dimensions", "is_of_aws", "read_metrics", "readings"]

_LISTED = 5000
"""Sets of dimensions of one name from which on each is asked for by itself: ten pages of ListMetrics."""

Reading = tuple[str, str, str]
"""Owning account (empty: this one), namespace and name."""


def dimensions(series: Series) -> frozenset[tuple[str, str]] | None:
    """The dimensions of what an alarm reads; None where one is no text."""
    values = series.values
    if values is None or not all(isinstance(value, str) for value in values.values()):
        return None
    return frozenset((name, str(value)) for name, value in values.items())


def readings(alarm: Alarm) -> Iterator[tuple[Reading, frozenset[tuple[str, str]], Series]]:
    """What an alarm reads, with the account that owns each."""
    owners = {str(query.get("Id", "")): str(query.get("AccountId") or "") for query in alarm.view.queries}
    for series in alarm.view.series:
        asked = dimensions(series)
        if series.namespace and series.name and asked is not None:
            yield (owners.get(series.id, ""), series.namespace, series.name), asked, series


def read_metrics(reader: Reader, seen: Seen, alarms: Iterable[Alarm]) -> None:
    """Read which metrics of the alarms there are, and of what is not there, whether the resource has any."""
    wanted: dict[Reading, set[frozenset[tuple[str, str]]]] = {}
    for alarm in alarms:
        for (owner, *rest), asked, _ in readings(alarm):
            reading = (owner if owner != seen.account else "", rest[0], rest[1])
            wanted.setdefault(reading, set()).add(asked)
    for number, (reading, sets) in enumerate(sorted(wanted.items(), key=lambda pair: pair[0]), 1):
        about = f"metric {reading[1]} {reading[2]} ({number} of {len(wanted)})"
        listing = _listing(reader, reading, about)
        if listing is None:
            continue
        seen.metrics[reading] = listing
        there = {frozenset(found.items()) for found in listing.sets}
        for asked in sorted(sets - there, key=sorted):
            _look_closer(reader, seen, reading, asked, listing)


def _listing(reader: Reader, reading: Reading, about: str) -> Listing | None:
    owner, namespace, name = reading
    found = reader.pages(
        "cloudwatch", "list_metrics", about=about, keep=_sets, Namespace=namespace, MetricName=name, **_of(owner),
        PaginationConfig={"MaxItems": _LISTED},
    )  # fmt: skip
    return None if found is None else Listing(tuple(found), complete=len(found) < _LISTED)


def _look_closer(
    reader: Reader, seen: Seen, reading: Reading, asked: frozenset[tuple[str, str]], listing: Listing
) -> None:
    owner, namespace, name = reading
    filters = [{"Name": key, "Value": value} for key, value in sorted(asked)]
    if not listing.complete:
        found = reader.pages(
            "cloudwatch", "list_metrics", about=f"metric {namespace} {name} of one alarm", keep=_sets, Namespace=namespace,
            MetricName=name, Dimensions=filters, **_of(owner), PaginationConfig={"MaxItems": _LISTED},
        )  # fmt: skip
        if found is None:
            return
        seen.exact[*reading, asked] = asked in {frozenset(one.items()) for one in found}
        if seen.exact[*reading, asked]:
            return
    if not listing.sets and not owner and not is_of_aws(namespace):
        _read_filters(reader, seen, namespace, name)
    if not asked or (owner, namespace, asked) in seen.related:
        return
    related = reader.pages(
        "cloudwatch", "list_metrics", about=f"anything of {namespace} about the same resource", keep=_sets,
        Namespace=namespace, Dimensions=filters, **_of(owner), PaginationConfig={"MaxItems": 1},
    )  # fmt: skip
    if related is not None:
        seen.related[owner, namespace, asked] = bool(related)


def is_of_aws(namespace: str) -> bool:
    """Whether a service of AWS sends the metrics of a namespace, and not an application."""
    return namespace.startswith(("AWS/", "ECS/", "ContainerInsights", "LambdaInsights"))


def _read_filters(reader: Reader, seen: Seen, namespace: str, name: str) -> None:
    if (namespace, name) in seen.filtered:
        return
    found = reader.pages(
        "logs", "describe_metric_filters", about=f"metric filters that send {namespace} {name}",
        keep=lambda page: [one.get("filterName") for one in page.get("metricFilters") or ()],
        metricNamespace=namespace, metricName=name,
    )  # fmt: skip
    if found is not None:
        seen.filtered[namespace, name] = bool(found)


def _of(owner: str) -> dict[str, Any]:
    return {"IncludeLinkedAccounts": True, "OwningAccount": owner} if owner else {}


def _sets(page: Mapping[str, Any]) -> list[Any]:
    return [
        {dimension["Name"]: dimension["Value"] for dimension in metric.get("Dimensions") or ()}
        for metric in page.get("Metrics") or ()
    ]

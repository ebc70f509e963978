"""The metrics that the library emits, as data: the one place where each name, label, unit and bucket stands."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

__all__ = [
    "CACHE_HIT_RATE",
    "CACHE_REQUESTS",
    "DATABASE_CONNECTION_ERRORS",
    "DATABASE_POOL_CONNECTIONS",
    "DATABASE_QUERY_DURATION",
    "ERRORS",
    "HTTP_REQUESTS",
    "HTTP_REQUESTS_IN_PROGRESS",
    "HTTP_REQUEST_DURATION",
    "INSTRUMENTS",
    "NO_ROUTE",
    "ORDERS_CREATED",
    "OTHER_METHOD",
    "OVERFLOW",
    "TELEMETRY_DROPPED",
    "TELEMETRY_EXPORTED",
    "TELEMETRY_INTERNAL_ERRORS",
    "Instrument",
    "Kind",
]

Kind = Literal["counter", "gauge", "histogram"]

NO_ROUTE = "__unmatched__"
"""The `route` of a request that no route of the application matches."""
OTHER_METHOD = "_OTHER"
"""The `method` of a request whose method is not one of HTTP's (semantic conventions 1.44)."""
OVERFLOW = "__overflow__"
"""The label value that takes the samples beyond a metric's budget of series."""


@dataclass(frozen=True, slots=True)
class Instrument:
    """A metric that the library emits.

    Attributes:
        name: As it stands on `/metrics`, unit included; a counter's ends in `_total`.
        kind: What Prometheus calls the metric's type.
        unit: A UCUM code: `s` for seconds, `1` for a share, `{request}` for a number of requests.
        help: What it says, in one sentence.
        labels: Label names in the order of exposition.
        buckets: Upper bounds of a histogram in its unit, ascending, without the infinite one.
        values: The values that a label can take, for labels whose values are known; they exist, at 0, from the start.
    """

    name: str
    kind: Kind
    unit: str
    help: str
    labels: tuple[str, ...] = ()
    buckets: tuple[float, ...] = ()
    values: tuple[tuple[str, tuple[str, ...]], ...] = ()


# A bound at every threshold that an alert uses (1 s, 5 s) and several above the highest: a quantile never exceeds the largest
# finite bound, so one at 5 s could not show a p99 above 5 s. 2 s is the demo's own threshold.
HTTP_REQUEST_DURATION = Instrument(
    "http_request_duration_seconds",
    "histogram",
    "s",
    "Time from accepting a request to the last byte of its response.",
    ("method", "route", "status"),
    buckets=(0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1.0, 2.0, 2.5, 5.0, 7.5, 10.0, 30.0),
)
HTTP_REQUESTS = Instrument(
    "http_requests_total", "counter", "{request}", "Requests that ended.", ("method", "route", "status")
)
HTTP_REQUESTS_IN_PROGRESS = Instrument(
    "http_requests_in_progress", "gauge", "{request}", "Requests that have not ended.", ("method",)
)
ERRORS = Instrument(
    "errors_total",
    "counter",
    "{error}",
    "Requests that ended with a status of 5xx or an exception.",
    ("route", "error_type"),
)
ORDERS_CREATED = Instrument(
    "orders_created_total",
    "counter",
    "{order}",
    "Attempts to create an order, by how they ended.",
    ("status",),
    values=(("status", ("success", "failed")),),
)
DATABASE_QUERY_DURATION = Instrument(
    "database_query_duration_seconds",
    "histogram",
    "s",
    "Time of a database call, from sending it to its result.",
    ("operation", "table"),
    buckets=(0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1.0, 5.0, 10.0),
)
DATABASE_CONNECTION_ERRORS = Instrument(
    "database_connection_errors_total",
    "counter",
    "{error}",
    "Attempts to connect to the database that failed.",
)
DATABASE_POOL_CONNECTIONS = Instrument(
    "database_pool_connections",
    "gauge",
    "{connection}",
    "Connections in the application's database pool, by state.",
    ("state",),
    values=(("state", ("used", "idle")),),
)
CACHE_REQUESTS = Instrument(
    "cache_requests_total",
    "counter",
    "{request}",
    "Look-ups in a cache, by result.",
    ("cache_name", "result"),
)
CACHE_HIT_RATE = Instrument(
    "cache_hit_rate",
    "gauge",
    "1",
    "Hits over look-ups of this process since its start; derive windows and sums from cache_requests_total.",
    ("cache_name",),
)
TELEMETRY_DROPPED = Instrument(
    "telemetry_dropped_total",
    "counter",
    "{item}",
    "Spans, log lines and samples that telemetry lost, by signal and reason.",
    ("signal", "reason"),
)
TELEMETRY_EXPORTED = Instrument(
    "telemetry_exported_total",
    "counter",
    "{item}",
    "Items that the receiving side has accepted.",
    ("signal",),
)
TELEMETRY_INTERNAL_ERRORS = Instrument(
    "telemetry_internal_errors_total",
    "counter",
    "{error}",
    "Faults of telemetry itself that were kept from the application.",
    ("where",),
)

INSTRUMENTS: dict[str, Instrument] = {
    instrument.name: instrument
    for instrument in (
        HTTP_REQUEST_DURATION,
        HTTP_REQUESTS,
        HTTP_REQUESTS_IN_PROGRESS,
        ERRORS,
        ORDERS_CREATED,
        DATABASE_QUERY_DURATION,
        DATABASE_CONNECTION_ERRORS,
        DATABASE_POOL_CONNECTIONS,
        CACHE_REQUESTS,
        CACHE_HIT_RATE,
        TELEMETRY_DROPPED,
        TELEMETRY_EXPORTED,
        TELEMETRY_INTERNAL_ERRORS,
    )
}

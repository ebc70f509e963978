"""What an application counts with: `from orders_obs import metrics`."""

from __future__ import annotations

import logging
import re
import threading
import time
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any

from prometheus_client import REGISTRY, CollectorRegistry

from orders_obs.errors import UserError
from orders_obs.signals import instruments
from orders_obs.signals.instruments import Instrument
from orders_obs.telemetry import guard
from orders_obs.telemetry.guard import guarded
from orders_obs.telemetry.metrics.computed import ComputedGauges
from orders_obs.telemetry.metrics.families import CounterFamily, GaugeFamily, HistogramFamily, register
from orders_obs.telemetry.record import CURRENT

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from orders_obs.signals.instruments import Kind
    from orders_obs.telemetry.record import RequestRecord

__all__ = ["Metrics", "metrics"]

_IN_QUERY: ContextVar[bool] = ContextVar("orders_obs_in_query", default=False)
_BUDGET = 2000
_log = logging.getLogger("orders_obs.metrics")
_NAME = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]*\Z")


class Metrics:
    """The metrics of this process.

    They are put into prometheus_client's default registry when first used, beside whatever the application has there.
    """

    def __init__(self, registry: CollectorRegistry = REGISTRY) -> None:
        self.registry = registry
        self.budget = _BUDGET
        self._hidden = CollectorRegistry()
        self._families: dict[str, CounterFamily | GaugeFamily | HistogramFamily] = {}
        self._lock = threading.RLock()
        self._computed: ComputedGauges | None = None
        guard.set_counter(
            lambda where: self._counter(instruments.TELEMETRY_INTERNAL_ERRORS).child(where).inc()
        )

    # --- what the requirement names -----------------------------------------------------------------------------

    @property
    def orders_created(self) -> CounterFamily:
        """`orders_created_total{status}`: `metrics.orders_created.labels(status="success").inc()`."""
        return self._counter(instruments.ORDERS_CREATED)

    @contextmanager
    def query(self, operation: str, table: str) -> Iterator[None]:
        """Time a database call: `with metrics.query("insert", "orders"): …`.

        Instrumented database calls inside the block get their spans and are not counted again.

        Args:
            operation: Such as `insert`; the label `operation`.
            table: The table it goes to; the label `table`.
        """
        token = _IN_QUERY.set(True)
        start = time.perf_counter()
        try:
            yield
        finally:
            _IN_QUERY.reset(token)
            self.record_query(operation, table, time.perf_counter() - start)

    def record_query(self, operation: str, table: str, seconds: float) -> None:
        """Count a database call that took `seconds`, for the metric and for the current request."""
        if _IN_QUERY.get():
            return
        with guarded("metrics.query"):
            self._histogram(instruments.DATABASE_QUERY_DURATION).child(operation, table).observe(seconds)
            record = CURRENT.get()
            if record is not None:
                record.add_database_call(seconds)

    def database_connection_error(self) -> None:
        """Count a failed attempt to connect to the database."""
        with guarded("metrics.database_connection_error"):
            self._counter(instruments.DATABASE_CONNECTION_ERRORS).child().inc()

    def cache_lookup(self, cache_name: str, *, hit: bool) -> None:
        """Count a look-up in a cache, for the metric and for the current request's `cache_hit`."""
        with guarded("metrics.cache_lookup"):
            self._counter(instruments.CACHE_REQUESTS).child(cache_name, "hit" if hit else "miss").inc()
            # Both results exist from a cache's first look-up, so that a ratio has both sides.
            self._counter(instruments.CACHE_REQUESTS).child(cache_name, "miss" if hit else "hit")
            self.computed.count_lookup(cache_name, hit=hit)
            record = CURRENT.get()
            if record is not None:
                record.add_cache_lookup(hit=hit)

    # --- a team's own -------------------------------------------------------------------------------------------

    def counter(
        self, name: str, help: str = "", *, labels: Mapping[str, Sequence[str]] | Sequence[str] = ()
    ) -> CounterFamily:
        """Declare a counter, or get the one that was declared.

        Args:
            name: Without `_total`, which is added.
            help: What it says, in one sentence.
            labels: Label names, or names with the values that exist, at 0, from the start.

        Raises:
            UserError: The name is taken by a metric of another kind or with other labels, or is no metric's name.
        """
        full = name if name.endswith("_total") else f"{name}_total"
        family = self._declared(full, "counter", "1", help, labels)
        assert isinstance(family, CounterFamily)  # noqa: S101  # _declared compared the kinds
        return family

    def gauge(
        self, name: str, help: str = "", *, labels: Mapping[str, Sequence[str]] | Sequence[str] = ()
    ) -> GaugeFamily:
        """Declare a gauge, or get the one that was declared; as `counter`."""
        family = self._declared(name, "gauge", "1", help, labels)
        assert isinstance(family, GaugeFamily)  # noqa: S101  # _declared compared the kinds
        return family

    def histogram(
        self,
        name: str,
        help: str = "",
        *,
        buckets: Sequence[float],
        labels: Mapping[str, Sequence[str]] | Sequence[str] = (),
    ) -> HistogramFamily:
        """Declare a histogram, or get the one that was declared; as `counter`.

        Args:
            name: With its unit, such as `refund_duration_seconds`.
            help: What it says, in one sentence.
            buckets: Upper bounds in that unit, ascending.
            labels: As for `counter`.
        """
        family = self._declared(name, "histogram", "1", help, labels, tuple(buckets))
        assert isinstance(family, HistogramFamily)  # noqa: S101  # _declared compared the kinds
        return family

    # --- for the rest of telemetry ------------------------------------------------------------------------------

    @property
    def computed(self) -> ComputedGauges:
        """The gauges that are worked out at each scrape."""
        with self._lock:
            if self._computed is None:
                self._computed = ComputedGauges()
                try:
                    self.registry.register(self._computed)
                except ValueError:
                    self._say_taken("cache_hit_rate or database_pool_connections")
            return self._computed

    def start(self, budget: int) -> None:
        """Make every metric of the requirement exist, so that a scrape shows it before its first event."""
        self.budget = budget
        for instrument in instruments.INSTRUMENTS.values():
            if instrument not in (instruments.CACHE_HIT_RATE, instruments.DATABASE_POOL_CONNECTIONS):
                self._family(instrument)
        self._counter(instruments.DATABASE_CONNECTION_ERRORS).child()
        self.computed  # noqa: B018  # registers itself

    def request_started(self, record: RequestRecord) -> None:
        """A request was accepted."""
        self._gauge(instruments.HTTP_REQUESTS_IN_PROGRESS).child(record.method).inc()

    def request_over(self, record: RequestRecord, exemplar: dict[str, str] | None) -> None:
        """A request ended: count it and its duration, from the record alone."""
        self._gauge(instruments.HTTP_REQUESTS_IN_PROGRESS).child(record.method).dec()
        labels = (record.method, record.route, str(record.status))
        self._counter(instruments.HTTP_REQUESTS).child(*labels).inc()
        self._histogram(instruments.HTTP_REQUEST_DURATION).child(*labels).observe(record.duration, exemplar)
        errors = self._counter(instruments.ERRORS)
        if record.server_fault:
            errors.child(record.route, record.error_type).inc()
        else:
            # The series exists from the route's first request, so that the first error is an increase.
            errors.child(record.route, "500")

    def dropped(self, signal: str, reason: str, amount: int = 1) -> None:
        """Telemetry lost something."""
        self._counter(instruments.TELEMETRY_DROPPED).child(signal, reason).inc(amount)

    def exported(self, signal: str, amount: int) -> None:
        """The receiving side accepted something."""
        self._counter(instruments.TELEMETRY_EXPORTED).child(signal).inc(amount)

    def _counter(self, instrument: Instrument) -> CounterFamily:
        return self._family(instrument)  # type: ignore[return-value]  # the instrument's kind says so

    def _gauge(self, instrument: Instrument) -> GaugeFamily:
        return self._family(instrument)  # type: ignore[return-value]  # the instrument's kind says so

    def _histogram(self, instrument: Instrument) -> HistogramFamily:
        return self._family(instrument)  # type: ignore[return-value]  # the instrument's kind says so

    def _family(self, instrument: Instrument) -> CounterFamily | GaugeFamily | HistogramFamily:
        family = self._families.get(instrument.name)
        if family is None:
            with self._lock:
                family = self._families.get(instrument.name)
                if family is None:
                    family = self._registered(instrument)
                    self._families[instrument.name] = family
        return family

    def _registered(self, instrument: Instrument) -> CounterFamily | GaugeFamily | HistogramFamily:
        try:
            return register(instrument, self.budget, self._overflowed, self.registry)
        except ValueError:
            if instrument.name not in instruments.INSTRUMENTS:
                raise
            # A metric of the application has the name. It stays; ours goes on where nobody sees it.
            self._say_taken(instrument.name)
            return register(instrument, self.budget, self._overflowed, self._hidden)

    def _say_taken(self, name: str) -> None:
        _log.warning("the application has a metric %s of its own, which is shown instead of ours", name)

    def _overflowed(self, name: str) -> None:
        if name != instruments.TELEMETRY_DROPPED.name:
            self.dropped("metrics", f"series_budget:{name}")

    def _declared(
        self,
        name: str,
        kind: Kind,
        unit: str,
        text: str,
        labels: Mapping[str, Sequence[str]] | Sequence[str],
        buckets: tuple[float, ...] = (),
    ) -> Any:
        names = tuple(labels)
        values = (
            tuple((key, tuple(value)) for key, value in labels.items()) if hasattr(labels, "items") else ()
        )
        if _NAME.match(name) is None:
            raise UserError(
                f"metric {name!r} cannot be declared",
                hint="letters, digits and _ are a name that every tool takes",
            )
        wanted = Instrument(name, kind, unit, text or name, names, buckets, values)
        with self._lock:
            existing = self._families.get(name)
            if existing is not None:
                have = existing.instrument
                if (have.kind, have.labels, have.buckets) != (kind, names, buckets):
                    raise UserError(
                        f"metric {name} is declared already, as a {have.kind} with labels ({', '.join(have.labels)})",
                        hint="declare it once and import it from there",
                    )
                return existing
            try:
                return self._family(wanted)
            except ValueError as error:
                raise UserError(f"metric {name} cannot be declared: {error}") from None


metrics = Metrics()
"""The metrics of this process."""

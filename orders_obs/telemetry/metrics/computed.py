"""Gauges that are worked out at each scrape: the cache's hit rate, and the connections in the database pool."""

from __future__ import annotations

import threading
import weakref
from typing import TYPE_CHECKING, Any

from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from orders_obs.signals.instruments import CACHE_HIT_RATE, DATABASE_POOL_CONNECTIONS
from orders_obs.telemetry.guard import guarded

if TYPE_CHECKING:
    from collections.abc import Iterable

    from prometheus_client.metrics_core import Metric

__all__ = ["ComputedGauges"]


class ComputedGauges(Collector):
    """A collector of prometheus_client whose values are derived when somebody looks."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._lookups: dict[str, list[int]] = {}
        self._pools: weakref.WeakSet[Any] = weakref.WeakSet()

    def count_lookup(self, cache_name: str, *, hit: bool) -> None:
        """Add a look-up to the cache's hit rate."""
        with self._lock:
            counts = self._lookups.setdefault(cache_name, [0, 0])
            counts[0] += hit
            counts[1] += 1

    def track_pool(self, pool: Any) -> None:
        """Count a pool's connections: anything with `checkedout()` and `checkedin()`, as SQLAlchemy's has."""
        with self._lock:
            self._pools.add(pool)

    def collect(self) -> Iterable[Metric]:
        """The families at this moment."""
        rate = GaugeMetricFamily(CACHE_HIT_RATE.name, CACHE_HIT_RATE.help, labels=CACHE_HIT_RATE.labels)
        with self._lock:
            lookups = {name: tuple(counts) for name, counts in self._lookups.items()}
            pools = list(self._pools)
        for name, (hits, total) in lookups.items():
            rate.add_metric([name], hits / total)
        yield rate
        connections = GaugeMetricFamily(
            DATABASE_POOL_CONNECTIONS.name,
            DATABASE_POOL_CONNECTIONS.help,
            labels=DATABASE_POOL_CONNECTIONS.labels,
        )
        used = idle = 0
        for pool in pools:
            with guarded("metrics.pool"):
                used += pool.checkedout()
                idle += pool.checkedin()
        connections.add_metric(["used"], used)
        connections.add_metric(["idle"], idle)
        yield connections

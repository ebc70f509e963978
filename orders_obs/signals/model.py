"""What one can watch: a quantity with an expression for each engine, independent of any alert or panel on it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from orders_obs.signals.instruments import Instrument

__all__ = [
    "CloudWatchMetric",
    "Count",
    "External",
    "Level",
    "Matcher",
    "Ratio",
    "Selector",
    "Share",
    "Signal",
]


@dataclass(frozen=True, slots=True)
class Matcher:
    """A condition on one label, as in PromQL: `label op "value"`."""

    label: str
    op: Literal["=", "!=", "=~", "!~"]
    value: str


@dataclass(frozen=True, slots=True)
class Selector:
    """The series of one instrument that satisfy all matchers."""

    instrument: Instrument
    matchers: tuple[Matcher, ...] = ()


@dataclass(frozen=True, slots=True)
class CloudWatchMetric:
    """A metric of CloudWatch with the dimensions that make it one series.

    Attributes:
        namespace: Such as `AWS/ApplicationELB`.
        name: Such as `HTTPCode_Target_5XX_Count`.
        dimensions: Pairs of dimension name and the placeholder that an environment's `resources` fill, such as
            `("LoadBalancer", "load_balancer")`.
        unit: CloudWatch's own word: `Count`, `Seconds`, `Percent`, `None`.
        sparse: True where the metric is reported only when it is not zero.
    """

    namespace: str
    name: str
    dimensions: tuple[tuple[str, str], ...] = ()
    unit: str = "Count"
    sparse: bool = False


@dataclass(frozen=True, slots=True)
class External:
    """A metric that another exporter gives.

    Attributes:
        name: Such as `pg_stat_activity_count`.
        of_service: Whether its `job` is the service's; an exporter of a database has a job of its own.
    """

    name: str
    of_service: bool = False


@dataclass(frozen=True, slots=True)
class _Named:
    name: str
    title: str
    description: str


@dataclass(frozen=True, slots=True)
class Ratio(_Named):
    """Some events over all events, a share from 0 to 1.

    `part` and `total` are the Prometheus side; each list of CloudWatch metrics is added up. `good_is_high` is True where a
    high share is the wanted state, as with a cache's hits.
    """

    part: Selector
    total: Selector
    cloudwatch_part: tuple[CloudWatchMetric, ...] = ()
    cloudwatch_total: tuple[CloudWatchMetric, ...] = ()
    good_is_high: bool = False


@dataclass(frozen=True, slots=True)
class Share(_Named):
    """The share of a histogram's events that lie above a bound (a latency above a threshold), from 0 to 1."""

    events: Selector
    cloudwatch: CloudWatchMetric | None = None


@dataclass(frozen=True, slots=True)
class Count(_Named):
    """A number of events."""

    events: Selector
    cloudwatch: CloudWatchMetric | None = None


@dataclass(frozen=True, slots=True)
class Level(_Named):
    """A quantity that is up or down at any moment.

    Attributes:
        unit: UCUM code of the quantity.
        prometheus: Alternatives, the first that has data counts: series of our own instruments, or of other exporters.
        cloudwatch: The same quantity there.
        statistic: How values of one sample become one, in CloudWatch's word.
    """

    unit: str
    prometheus: tuple[Selector | External, ...] = ()
    cloudwatch: CloudWatchMetric | None = None
    statistic: Literal["Average", "Maximum", "Minimum", "Sum"] = "Average"


Signal = Ratio | Share | Count | Level

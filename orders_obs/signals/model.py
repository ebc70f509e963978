"""What one can watch: a quantity with an expression for each engine, independent of any alert or panel on it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from orders_obs.signals.aws_metrics import aws_metric

if TYPE_CHECKING:
    from orders_obs.signals.instruments import Instrument

__all__ = [
    "CloudWatchMetric",
    "Count",
    "Event",
    "External",
    "Level",
    "Matcher",
    "Presence",
    "PromQL",
    "Ratio",
    "Selector",
    "Share",
    "Signal",
    "Statistic",
]

Statistic = Literal["Average", "Maximum", "Minimum"]


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
            `("LoadBalancer", "load_balancer")`. `@topics` and `@rules` stand for each topic and rule of the catalogue itself,
            `@rule:NAME` for the rule of one of its alerts.
        unit: CloudWatch's own word: `Count`, `Seconds`, `Percent`, `Bytes`, `None`; of an AWS metric, what AWS says.
        sparse: True where the metric is reported only when it is not zero; of an AWS metric, what AWS says.
    """

    namespace: str
    name: str
    dimensions: tuple[tuple[str, str], ...] = ()
    unit: str = ""
    sparse: bool = False

    def __post_init__(self) -> None:
        known = aws_metric(self.namespace, self.name)
        object.__setattr__(self, "unit", known.unit if known else self.unit or "Count")
        if known:
            object.__setattr__(self, "sparse", known.sparse)


@dataclass(frozen=True, slots=True)
class External:
    """A metric that another exporter gives.

    Attributes:
        name: Such as `pg_stat_activity_count`.
        of_service: Whether its `job` is the service's.
        job: The resource that names the exporter's own job, such as `postgres_job`; without it nothing tells two services'
            databases apart, so no alert uses it.
        label: The label that names the service, where the exporter reports on several.
    """

    name: str
    of_service: bool = False
    job: str = ""
    label: str = ""


@dataclass(frozen=True, slots=True)
class PromQL:
    """An expression that yields one value for the service.

    Attributes:
        expr: `$job` stands for the service's job, `$window` for a range that holds some scrapes.
        metric: What it reads.
        of: `increase` where the value is how much a counter grows each second, `zeros` where it is the number of series at 0.
    """

    expr: str
    metric: str
    of: Literal["increase", "zeros"]


@dataclass(frozen=True, slots=True)
class _Named:
    """What every signal has.

    `name` is its word in a catalogue, `title` heads a panel, `description` says what it is in a sentence. `elsewhere` says what
    would bring it to the engine that has no such data.
    """

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
    elsewhere: str = ""


@dataclass(frozen=True, slots=True)
class Share(_Named):
    """The share of a histogram's events that lie above a bound (a latency above a threshold), from 0 to 1."""

    events: Selector
    cloudwatch: CloudWatchMetric | None = None
    elsewhere: str = ""


@dataclass(frozen=True, slots=True)
class Count(_Named):
    """A number of events. `events` is None where only CloudWatch counts them, in `unit` then."""

    events: Selector | None = None
    cloudwatch: CloudWatchMetric | None = None
    unit: str = ""
    elsewhere: str = ""

    @property
    def counted(self) -> str:
        """The UCUM annotation of what is counted, such as `{order}`."""
        return self.events.instrument.unit if self.events else self.unit


@dataclass(frozen=True, slots=True)
class Level(_Named):
    """A quantity that is up or down at any moment.

    Attributes:
        unit: UCUM code of the quantity; `1` for a share from 0 to 1, `By` for bytes.
        prometheus: Alternatives, the first that has data counts: series of our own instruments, of other exporters, expressions.
        cloudwatch: The same quantity there.
        statistic: How values of one sample become one, in CloudWatch's word.
    """

    unit: str
    prometheus: tuple[Selector | External | PromQL, ...] = ()
    cloudwatch: CloudWatchMetric | None = None
    statistic: Statistic = "Average"
    elsewhere: str = ""


@dataclass(frozen=True, slots=True)
class Presence(_Named):
    """Something that reports as long as it is there.

    Attributes:
        prometheus: Alternatives, each 1 or more while it is there.
        cloudwatch: A metric that has values while it is there.
    """

    prometheus: tuple[External | PromQL, ...] = ()
    cloudwatch: CloudWatchMetric | None = None
    elsewhere: str = ""


@dataclass(frozen=True, slots=True)
class Event(_Named):
    """Something that AWS announces on EventBridge.

    Attributes:
        source: Such as `aws.ecs`.
        detail_types: Such as `ECS Deployment State Change`.
        detail: Pairs of a field of `detail`, with a dot before a field of its own, and the values that it may have.
        resource: The placeholder whose value must stand among the event's `resources`, or in the field `resource_field`.
        resource_field: Field of `detail` that names the resource; empty where `resources` does.
        beginning: Whether the value is only how the resource's name begins.
    """

    source: str
    detail_types: tuple[str, ...]
    detail: tuple[tuple[str, tuple[str | bool, ...]], ...] = ()
    resource: str = ""
    resource_field: str = ""
    beginning: bool = False
    elsewhere: str = ""


Signal = Ratio | Share | Count | Level | Presence | Event

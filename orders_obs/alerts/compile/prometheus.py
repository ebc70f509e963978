"""Prometheus recording and alerting rules.

Events are counted exactly, on both sides of a ratio (`increase()` extrapolates and misses a series' first events): the counter's last
value less its last value a sample ago, so that neither a failed scrape nor the end of an instance takes events away. It was 0 where the
process is young and was first scraped within the sample, where the counter fell, and where the series is younger than the sample while
its target was up. The backlog of a target that only Prometheus is new to is not counted.

Each sample is recorded as 1 where it breaches, 0 where it does not, nothing where it is missing. Adjacent samples are that record at
`offset k * over`; their sum is compared with M.

Windows of an error budget are too long for that: a counter's series do not live for days. They are sums of the counts between two looks,
which adjoin each other.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import yaml

from orders_obs.alerts.compile.engines import chosen, sources
from orders_obs.alerts.describe import breach, describe, number, title
from orders_obs.alerts.model import Alert, BurnAlert, RawAlert
from orders_obs.alerts.units import duration_text
from orders_obs.errors import UserError
from orders_obs.signals.model import Count, External, Level, Matcher, Presence, Ratio, Selector, Share
from orders_obs.signals.promql import label_set, le_literal, series

if TYPE_CHECKING:
    from collections.abc import Sequence

    from orders_obs.alerts.compile.engines import Difference
    from orders_obs.alerts.model import AnyAlert, Environment, ResolvedCatalogue
    from orders_obs.signals.model import PromQL, Statistic

__all__ = [
    "HOLD_SECONDS",
    "WATCHDOG",
    "AlertingRule",
    "RecordingRule",
    "RuleGroup",
    "compile_rules",
    "rate_window",
    "render",
]

WATCHDOG = "watchdog"
"""Name of the alert that always fires."""
_OVER_TIME: dict[Statistic, str] = {
    "Average": "avg_over_time",
    "Maximum": "max_over_time",
    "Minimum": "min_over_time",
}
_SIGNS = {"above": ">", "below": "<", "at_least": ">=", "at_most": "<="}
_HEAD = "# Built by `orders-obs alerts build --engine prometheus`; change the catalogue, not this file."
_YAML_WORDS = frozenset({"true", "false", "yes", "no", "on", "off", "y", "n", "null"})
_SCRAPES = 4
"""Scrapes that the range of a rate holds, so that one that fails leaves it a value."""

HOLD_SECONDS = 3600.0
"""How long `when_missing: keep` holds a firing alert after the service's last sample."""
_LOOKBACK = 300.0
"""Seconds after which Prometheus does not see the last value of a series any more, unless it is told otherwise."""


@dataclass(frozen=True, slots=True)
class RecordingRule:
    """A series that is worked out at each look."""

    record: str
    expr: str
    comment: str


@dataclass(frozen=True, slots=True)
class AlertingRule:
    """An alert of one severity; `pending` and `keep` are Prometheus's `for` and `keep_firing_for`, of raw forms only."""

    alert: str
    expr: str
    labels: dict[str, str]
    annotations: dict[str, str]
    comment: str
    pending: str = ""
    keep: str = ""


@dataclass(frozen=True, slots=True)
class RuleGroup:
    """Rules that are evaluated in order, at one interval.

    Attributes:
        rules: The rules.
        differences: What of the catalogue is not among them.
        parts: By the name of an alert the places in `rules` of all that it needs: its own, of each severity, and the series that they read.
    """

    name: str
    interval: str
    rules: list[RecordingRule | AlertingRule] = field(default_factory=list)
    differences: list[Difference] = field(default_factory=list)
    parts: dict[str, list[int]] = field(default_factory=dict)

    def part(self, alert: str) -> RuleGroup:
        """Of these rules those that one alert needs, in the same order."""
        return RuleGroup(self.name, self.interval, [self.rules[place] for place in self.parts[alert]])


def compile_rules(catalogue: ResolvedCatalogue) -> RuleGroup:
    """The rules of one environment: the counts and levels first, then each alert after its samples.

    Raises:
        UserError: An alert cannot be expressed.
    """
    environment = catalogue.environment
    found, differences = chosen(catalogue, "prometheus")
    shared: dict[str, RecordingRule] = {}
    own: list[tuple[str, RecordingRule | AlertingRule]] = []
    read: dict[str, set[str]] = {}
    for alert in found:
        recorded, rules = _rules_of(alert)
        shared.update((rule.record, rule) for rule in recorded)
        own += [(alert.name, rule) for rule in rules]
        read.setdefault(alert.name, set()).update(rule.record for rule in recorded)
    if environment.watchdog is not None:
        own.append((WATCHDOG, _watchdog(catalogue)))
    places = {record: place for place, record in enumerate(shared)}
    parts = {name: sorted(places[record] for record in records) for name, records in read.items()}
    for place, (name, _) in enumerate(own, start=len(shared)):
        parts.setdefault(name, []).append(place)
    return RuleGroup(
        f"{catalogue.service}-{environment.name}",
        duration_text(environment.every),
        [*shared.values(), *(rule for _, rule in own)],
        differences,
        parts,
    )


def render(group: RuleGroup, head: Sequence[str] = (_HEAD,)) -> str:
    """The rule file of a group, the same text for the same catalogue.

    Args:
        group: The rules.
        head: The comments that the file begins with.
    """
    lines = [
        *head,
        *(f"# Not here: {difference}" for difference in group.differences),
        "groups:",
        f"  - name: {_scalar(group.name)}",
        f"    interval: {group.interval}",
        "    rules:",
    ]
    for rule in group.rules:
        lines += [f"      # {line}" for line in rule.comment.splitlines()]
        if isinstance(rule, RecordingRule):
            lines.append(f"      - record: {_scalar(rule.record)}")
            lines += _block("expr", rule.expr)
        else:
            lines.append(f"      - alert: {_scalar(rule.alert)}")
            lines += _block("expr", rule.expr)
            for key, value in (("for", rule.pending), ("keep_firing_for", rule.keep)):
                if value:
                    lines.append(f"        {key}: {value}")
            for key, values in (("labels", rule.labels), ("annotations", rule.annotations)):
                lines += [f"        {key}:"] if values else []
                lines += [f"          {_key(name)}: {_scalar(value)}" for name, value in values.items()]
    return "\n".join(lines) + "\n"


def rate_window(environment: Environment) -> float:
    """Seconds of the range of a rate: some scrapes, and two looks."""
    return max(_SCRAPES * environment.scrape, 2 * environment.every)


class _Measured:
    """The recorded series that samples are made of.

    Attributes:
        rules: What records them.
        part: The series of a ratio's part, of the slow ones of a share, of a count's events; empty for a level.
        total: The series of all events; empty for a count or a level.
        level: The series of a level; empty for all others.
    """

    def __init__(self, service: str, environment: Environment) -> None:
        self.rules: list[RecordingRule] = []
        self.part = self.total = self.level = ""
        self._service = service
        self._environment = environment
        self._window = self._seen = ""

    @property
    def any(self) -> str:
        """The series that is there as long as the service is."""
        return self.total or self.part or self.level

    def sample(self, alert: Alert) -> None:
        """Record what an alert's samples are made of."""
        signal = alert.signal
        if isinstance(signal, Level | Presence):
            self._level(signal)
        else:
            self.events(signal, alert.bound, alert.over)

    def events(self, signal: Ratio | Share | Count, bound: float | None, seconds: float) -> None:
        """Record the counts of samples of `seconds`."""
        self._window = duration_text(seconds)
        self._seen = duration_text(max(seconds, _SCRAPES * self._environment.scrape))
        started = self._record(
            f"instance:started:{self._window}",
            _started(self._service, self._window, self._seen, seconds),
            f"Targets whose process was first scraped within the last {self._window}, soon after its start: it counted from 0.",
        )
        name = f"job:{signal.name}"
        if isinstance(signal, Count):
            assert signal.events is not None  # noqa: S101  # else the engine does not have it
            self.part = self._count(name, self._increase(signal.events, started), "Events")
        elif isinstance(signal, Ratio):
            self.total = self._count(f"{name}_all", self._increase(signal.total, started), "All events")
            part = f"{self._increase(signal.part, started)}\nor\n0 * {self.total}"
            self.part = self._count(
                f"{name}_part", part, "Those that the ratio is about; 0 where there are none"
            )
        else:
            assert bound is not None  # noqa: S101  # the catalogue gives every share a bound
            bucket = Selector(
                signal.events.instrument,
                (*signal.events.matchers, Matcher("le", "=", le_literal(bound))),
            )
            all_events = self._increase(signal.events, started, suffix="_count")
            self.total = self._count(f"{name}_all", all_events, "All events")
            slower = f"{self.total}\n-\n{self._increase(bucket, started, suffix='_bucket')}"
            text = duration_text(bound)
            self.part = self._count(f"{name}_slower_{text}", slower, f"Events slower than {text}")

    def sums(self, seconds: float, every: float) -> tuple[str, str]:
        """Record the sums of the counts over a long window; the part's and the total's series."""
        window, look = duration_text(seconds), duration_text(every)
        series = []
        for count in (self.part, self.total):
            name = count.partition("{")[0]
            record = f"{name.removesuffix(f':count{look}')}:sum{window}"
            series.append(
                self._record(
                    record,
                    f"sum_over_time({count}[{window}])",
                    f"The counts of {window}, one after the other.",
                )
            )
        return series[0], series[1]

    def _level(self, signal: Level | Presence) -> None:
        expr = "\nor\n".join(
            self._source(source, highest=isinstance(signal, Presence))
            for source in sources(signal, self._environment)
        )
        what = "At least 1 while it is there" if isinstance(signal, Presence) else "The level now"
        self.level = self._record(f"job:{signal.name}:level", expr, f"{what}.")

    def _source(self, source: Selector | External | PromQL, *, highest: bool) -> str:
        job = Matcher("job", "=", self._service)
        if isinstance(source, Selector):
            return f"sum by (job) ({series(source, job)})"
        together = "max" if highest else "sum"
        if isinstance(source, External):
            if source.of_service:
                return f"{together} by (job) ({source.name}{label_set((job,))})"
            exporter = label_set((Matcher("job", "=", self._environment.resources[source.job]),))
            return f'label_replace({together}({source.name}{exporter}), "job", "{self._service}", "", "")'
        window = duration_text(rate_window(self._environment))
        return source.expr.replace("$job", self._service).replace("$window", window)

    def _count(self, name: str, expr: str, what: str) -> str:
        return self._record(f"{name}:count{self._window}", expr, f"{what}, in one sample of {self._window}.")

    def _record(self, name: str, expr: str, comment: str) -> str:
        self.rules.append(RecordingRule(name, expr, comment))
        return _of_service(name, self._service)

    def _increase(self, selector: Selector, started: str, suffix: str = "") -> str:
        counter = series(selector, Matcher("job", "=", self._service), suffix=suffix)
        now, then = self._last(counter), self._last(counter, f" offset {self._window}")
        up = _of_service("up", self._service)
        was_up = f"max_over_time({up}[{self._seen}] offset {self._window}) == 1"
        return (
            "sum by (job) (\n"
            f"  {now}\n"
            f"  - (({then} <= {now} unless on (job, instance) {started})\n"
            f"    or (0 * {now} and on (job, instance) ({was_up} or {started})))\n"
            ")"
        )

    def _last(self, counter: str, offset: str = "") -> str:
        """A counter's value, and its last one where the scrape failed or the target is gone; not where a new process has none yet."""
        answers = f"{_of_service('up', self._service)}{offset} == 1"
        return f"({counter}{offset} or (last_over_time({counter}[{self._seen}]{offset}) unless on (job, instance) {answers}))"


def _started(service: str, window: str, seen: str, seconds: float) -> str:
    start = f"{_of_service('process_start_time_seconds', service)}[{seen}]"
    now, then = f"last_over_time({start})", f"last_over_time({start} offset {window})"
    # Young, and not scraped before the sample began: what it counted until its first scrape belongs to this sample and to no other.
    return f"{now} != {then}\nor\n({now} > time() - {number(2 * seconds)} unless {now} == {then})"


def _rules_of(alert: AnyAlert) -> tuple[list[RecordingRule], list[RecordingRule | AlertingRule]]:
    """What records the series that an alert reads, which others may read too; and the rules that are its own."""
    if isinstance(alert, RawAlert):
        return [], [_raw_rule(alert)]
    assert isinstance(alert, Alert | BurnAlert)  # noqa: S101  # announcements are not on Prometheus
    measured = _Measured(alert.service, alert.environment)
    if isinstance(alert, BurnAlert):
        expr = _burning(alert, measured)
        return measured.rules, [_alerting_rule(alert, expr)]
    measured.sample(alert)
    sample = _sample_rule(alert, measured)
    return measured.rules, [sample, _alerting_rule(alert, _expression(alert, sample, measured))]


def _sample_rule(alert: Alert, measured: _Measured) -> RecordingRule:
    sign, threshold = _SIGNS[alert.comparison], number(alert.threshold)
    if measured.level:
        over = duration_text(alert.over)
        expr = f"{_OVER_TIME[alert.statistic]}({measured.level}[{over}]) {sign} bool {threshold}"
    elif measured.total:
        expr = f"({measured.part} / {measured.total} {sign} bool {threshold})\nand\n{measured.total} >= {alert.minimum}"
    else:
        expr = f"{measured.part} {sign} bool {threshold}"
    gate = f", nothing below {alert.minimum} events" if alert.minimum else ""
    return RecordingRule(
        f"job:{alert.name}:{alert.severity.name}:breach{duration_text(alert.over)}",
        expr,
        f"{alert.source.short}: 1 where {breach(alert)}, else 0{gate}.",
    )


def _alerting_rule(alert: AnyAlert, expr: str, raw: dict[str, str] | None = None) -> AlertingRule:
    raw = raw or {}
    labels = {
        "severity": alert.severity.name,
        "service": alert.service,
        "env": alert.environment.name,
        "alert_id": alert.alert_id,
        **({"mode": "shadow"} if alert.mode == "shadow" else {}),
    }
    return AlertingRule(
        alert.name,
        expr,
        labels,
        {
            "summary": f"{alert.service} {alert.environment.name}: {title(alert).lower()}, {alert.severity.name}",
            "description": f"Fires while {describe(alert)}.",
            **({"owner": alert.owner} if alert.owner else {}),
            **({"runbook_url": alert.runbook} if alert.runbook else {}),
        },
        f"{alert.source.short}: fires while {describe(alert)}.",
        raw.get("for", ""),
        raw.get("keep_firing_for", ""),
    )


def _raw_rule(alert: RawAlert) -> AlertingRule:
    assert alert.prometheus is not None  # noqa: S101  # else the engine does not have it
    own = dict(alert.prometheus.get("labels") or {})
    said = dict(alert.prometheus.get("annotations") or {})
    rule = _alerting_rule(alert, alert.prometheus["expr"], alert.prometheus)
    if "alert" in alert.prometheus:
        # A rule that was there before keeps its labels; shadow tells nobody all the same.
        shadow = {"mode": "shadow"} if alert.mode == "shadow" else {}
        return replace(rule, alert=alert.prometheus["alert"], labels=own | shadow, annotations=said)
    for label in rule.labels:
        if label in own:
            raise UserError(
                f"{alert.name}: the label {label} is what the catalogue itself gives",
                hint="leave it out",
                file=alert.source.file,
                line=alert.source.line,
            )
    rule.labels.update({name: str(value) for name, value in own.items()})
    rule.annotations.update(said)
    return rule


def _watchdog(catalogue: ResolvedCatalogue) -> AlertingRule:
    return AlertingRule(
        WATCHDOG,
        "vector(1)",
        {
            "severity": "none",
            "service": catalogue.service,
            "env": catalogue.environment.name,
            "alert_id": WATCHDOG,
        },
        {
            "summary": f"{catalogue.service} {catalogue.environment.name}: alerts arrive",
            "description": "Fires always: where it does not arrive, no alert does.",
        },
        "Fires always: where it does not arrive, no alert does.",
    )


def _burning(alert: BurnAlert, measured: _Measured) -> str:
    every = alert.environment.every
    measured.events(alert.signal, alert.bound, every)
    pairs = []
    for window in alert.windows:
        part, total = measured.sums(window.long, every)
        short_part, short_total = measured.sums(window.short, every)
        threshold = number(window.threshold)
        pairs.append(
            f"(\n  {part} / {total} > {threshold}\n  and\n  {total} >= {window.minimum}\n  and\n"
            f"  {short_part} / {short_total} > {threshold}\n)"
        )
    return "\nor\n".join(pairs)


def _expression(alert: Alert, rule: RecordingRule, measured: _Measured) -> str:
    """The sum of the samples against M, with what a missing one stands for."""
    sample = _of_service(rule.record, alert.service)
    ends = [duration_text(index * alert.over) for index in range(alert.samples)]
    samples = [sample, *(f"{sample} offset {end}" for end in ends[1:])]
    missing = _constant(alert.service, 1 if alert.when_missing == "breach" else 0)
    expr = "\n+ ".join(f"({one} or on (job) {missing})" for one in samples) + f"\n>= {alert.breaching}"
    if alert.when_missing != "keep":
        return expr
    # A firing alert stays until the good samples alone rule out M breaching ones.
    zero = _constant(alert.service, 0)
    good = "\n    + ".join(f"(1 - {one} or on (job) {zero})" for one in samples)
    firing = (
        f'ALERTS{{alertname="{alert.name}",alertstate="firing",severity="{alert.severity.name}",'
        f'service="{alert.service}",env="{alert.environment.name}",job="{alert.service}"}}'
    )
    every = alert.environment.every
    if every >= _LOOKBACK:
        # What fired at the last look, and not at the one before it.
        firing = f"last_over_time({firing}[{duration_text(every * 1.5)}])"
    return (
        f"({expr})\n"
        "or\n"
        f"(\n  max by (job) ({firing})\n"
        f"  and on (job) (\n    {good}\n    < {alert.samples - alert.breaching + 1}\n  )\n"
        f"  and on (job) present_over_time({measured.any}[{duration_text(HOLD_SECONDS)}])\n)"
    )


def _of_service(name: str, service: str) -> str:
    return name + label_set((Matcher("job", "=", service),))


def _constant(service: str, value: int) -> str:
    return f'label_replace(vector({value}), "job", "{service}", "", "")'


def _scalar(value: str) -> str:
    if value.isascii() and value.isprintable():
        # As PyYAML would write it, which takes long.
        return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'
    return yaml.safe_dump(value, default_style='"', width=math.inf, allow_unicode=True).strip()


def _key(name: str) -> str:
    """A label's name; YAML takes some words for no text."""
    return _scalar(name) if name.lower() in _YAML_WORDS else name


def _block(key: str, text: str) -> list[str]:
    lines = text.split("\n")
    if not all(line.isprintable() for line in lines):
        return [f"        {key}: {_scalar(text)}"]
    return [f"        {key}: |-", *(f"          {line}" for line in lines)]

"""Prometheus recording and alerting rules.

Events are counted exactly, on both sides of a ratio (`increase()` extrapolates and misses a series' first events): the counter now
less what it was a sample ago. It was 0 where the process started within the sample, where the counter fell, and where the series is
younger than the sample while its target was up. The backlog of a target that only Prometheus is new to is not counted.

Each sample is recorded as 1 where it breaches, 0 where it does not, nothing where it is missing. Adjacent samples are that record at
`offset k * over`; their sum is compared with M.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import yaml

from orders_obs.alerts.describe import breach, describe, number
from orders_obs.alerts.units import duration_text
from orders_obs.signals.model import Count, Matcher, Ratio, Selector
from orders_obs.signals.promql import label_set, le_literal, series

if TYPE_CHECKING:
    from orders_obs.alerts.model import Alert, ResolvedCatalogue

__all__ = ["HOLD", "AlertingRule", "RecordingRule", "RuleGroup", "compile_rules", "render"]

HOLD = "1h"
"""How long `when_missing: keep` holds a firing alert after the service's last sample."""


@dataclass(frozen=True, slots=True)
class RecordingRule:
    """A series that is worked out at each look."""

    record: str
    expr: str
    comment: str


@dataclass(frozen=True, slots=True)
class AlertingRule:
    """An alert of one severity."""

    alert: str
    expr: str
    labels: dict[str, str]
    annotations: dict[str, str]
    comment: str


@dataclass(frozen=True, slots=True)
class RuleGroup:
    """Rules that are evaluated in order, at one interval."""

    name: str
    interval: str
    rules: list[RecordingRule | AlertingRule] = field(default_factory=list)


def compile_rules(catalogue: ResolvedCatalogue) -> RuleGroup:
    """The rules of one environment: the counts first, then each alert after its samples."""
    environment = catalogue.environment
    group = RuleGroup(f"{catalogue.service}-{environment.name}", duration_text(environment.every))
    counts: dict[str, RecordingRule] = {}
    alerts: list[RecordingRule | AlertingRule] = []
    for alert in catalogue.alerts:
        counted = _Counts(alert)
        counts.update((rule.record, rule) for rule in counted.rules)
        sample = _sample_rule(alert, counted)
        alerts += [sample, _alerting_rule(alert, sample, counted)]
    group.rules.extend(counts.values())
    group.rules.extend(alerts)
    return group


def render(group: RuleGroup) -> str:
    """The rule file of a group, the same text for the same catalogue."""
    lines = [
        "# Built by `orders-obs alerts build --engine prometheus`; change the catalogue, not this file.",
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
            for key, values in (("labels", rule.labels), ("annotations", rule.annotations)):
                lines.append(f"        {key}:")
                lines += [f"          {name}: {_scalar(value)}" for name, value in values.items()]
    return "\n".join(lines) + "\n"


class _Counts:
    """The recorded counts that an alert's samples are made of.

    Attributes:
        rules: What records them.
        part: The series of a ratio's part, of the slow ones of a share, of a count's events.
        total: The series of all events; empty for a count.
    """

    def __init__(self, alert: Alert) -> None:
        self.rules: list[RecordingRule] = []
        self.part = self.total = ""
        self._service = alert.service
        self._window = duration_text(alert.over)
        started = self._record(
            f"instance:started:{self._window}",
            _started(alert.service, self._window, alert.over),
            f"Targets whose process started within the last {self._window}: their counters were 0 before.",
        )
        signal = alert.signal
        name = f"job:{signal.name}"
        if isinstance(signal, Count):
            self.part = self._count(name, self._increase(signal.events, started), "Events")
        elif isinstance(signal, Ratio):
            self.total = self._count(f"{name}_all", self._increase(signal.total, started), "All events")
            part = f"{self._increase(signal.part, started)}\nor\n0 * {self.total}"
            self.part = self._count(
                f"{name}_part", part, "Those that the ratio is about; 0 where there are none"
            )
        else:
            assert alert.bound is not None  # noqa: S101  # the catalogue gives every share a bound
            bucket = Selector(
                signal.events.instrument,
                (*signal.events.matchers, Matcher("le", "=", le_literal(alert.bound))),
            )
            all_events = self._increase(signal.events, started, suffix="_count")
            self.total = self._count(f"{name}_all", all_events, "All events")
            slower = f"{self.total}\n-\n{self._increase(bucket, started, suffix='_bucket')}"
            bound = duration_text(alert.bound)
            self.part = self._count(f"{name}_slower_{bound}", slower, f"Events slower than {bound}")

    def _count(self, name: str, expr: str, what: str) -> str:
        return self._record(f"{name}:count{self._window}", expr, f"{what}, in one sample of {self._window}.")

    def _record(self, name: str, expr: str, comment: str) -> str:
        self.rules.append(RecordingRule(name, expr, comment))
        return _of_service(name, self._service)

    def _increase(self, selector: Selector, started: str, suffix: str = "") -> str:
        now = series(selector, Matcher("job", "=", self._service), suffix=suffix)
        up = _of_service("up", self._service)
        return (
            "sum by (job) (\n"
            f"  {now}\n"
            f"  - (({now} offset {self._window} <= {now} unless on (job, instance) {started})\n"
            f"    or (0 * {now} and on (job, instance) ({up} offset {self._window} == 1 or {started})))\n"
            ")"
        )


def _started(service: str, window: str, seconds: float) -> str:
    start = _of_service("process_start_time_seconds", service)
    return f"{start} != ({start} offset {window})\nor\n{start} > time() - {number(seconds)}"


def _sample_rule(alert: Alert, counts: _Counts) -> RecordingRule:
    sign = ">" if alert.comparison == "above" else "<"
    threshold = number(alert.threshold)
    if counts.total:
        expr = f"({counts.part} / {counts.total} {sign} bool {threshold})\nand\n{counts.total} >= {alert.minimum}"
    else:
        expr = f"{counts.part} {sign} bool {threshold}"
    gate = f", nothing below {alert.minimum} events" if alert.minimum else ""
    return RecordingRule(
        f"job:{alert.name}:{alert.severity.name}:breach{duration_text(alert.over)}",
        expr,
        f"{_place(alert)}: 1 where {breach(alert)}, else 0{gate}.",
    )


def _alerting_rule(alert: Alert, sample: RecordingRule, counts: _Counts) -> AlertingRule:
    labels = {
        "severity": alert.severity.name,
        "service": alert.service,
        "env": alert.environment.name,
        "alert_id": alert.alert_id,
    }
    return AlertingRule(
        alert.name,
        _expression(alert, _of_service(sample.record, alert.service), counts),
        labels,
        {
            "summary": f"{alert.service} {alert.environment.name}: {alert.signal.title.lower()}, {alert.severity.name}",
            "description": f"Fires while {describe(alert)}.",
            **({"runbook_url": alert.runbook} if alert.runbook else {}),
        },
        f"{_place(alert)}: fires while {describe(alert)}.",
    )


def _expression(alert: Alert, sample: str, counts: _Counts) -> str:
    """The sum of the samples against M, with what a missing one stands for."""
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
    return (
        f"({expr})\n"
        "or\n"
        f"(\n  max by (job) ({firing})\n"
        f"  and on (job) (\n    {good}\n    < {alert.samples - alert.breaching + 1}\n  )\n"
        f"  and on (job) present_over_time({counts.total or counts.part}[{HOLD}])\n)"
    )


def _of_service(name: str, service: str) -> str:
    return name + label_set((Matcher("job", "=", service),))


def _constant(service: str, value: int) -> str:
    return f'label_replace(vector({value}), "job", "{service}", "", "")'


def _place(alert: Alert) -> str:
    return f"{alert.source.file.name}:{alert.source.line}"


def _scalar(value: str) -> str:
    return yaml.safe_dump(value, default_style='"', width=10_000, allow_unicode=True).strip()


def _block(key: str, text: str) -> list[str]:
    return [f"        {key}: |-", *(f"          {line}" for line in text.splitlines())]

"""Prometheus recording and alerting rules.

Events are counted exactly, on both sides of a ratio (`increase()` extrapolates and misses a series' first events): the counter now
less the counter a sample ago; the whole counter where it was reset, or is younger than the sample while its target was up. A sample
ago the target must have been up: the backlog of a target that is new to Prometheus is not counted.

Adjacent samples are the recorded counts at `offset k * over`. A sample is 1 where it breaches, 0 where it does not, absent where it is
missing; their sum is compared with M.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import yaml

from orders_obs.alerts.units import duration_text
from orders_obs.signals.model import Count, Matcher, Ratio, Selector
from orders_obs.signals.promql import le_literal, series

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
    """The rules of one environment: recorded counts first, then the alerts on them."""
    environment = catalogue.environment
    group = RuleGroup(f"{catalogue.service}-{environment.name}", duration_text(environment.every))
    recorded: dict[str, RecordingRule] = {}
    alerts: list[AlertingRule] = []
    for alert in catalogue.alerts:
        counts = _Counts(alert)
        recorded.update((rule.record, rule) for rule in counts.rules)
        alerts.append(_alerting_rule(alert, counts))
    group.rules.extend(recorded.values())
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
    """The recorded counts that an alert's samples are made of."""

    def __init__(self, alert: Alert) -> None:
        signal = alert.signal
        window = duration_text(alert.over)
        job = Matcher("job", "=", alert.service)
        prefix = f"job:{signal.name}"
        self.rules: list[RecordingRule] = []
        self._job = f'{{job="{alert.service}"}}'
        if isinstance(signal, Count):
            self.part = self._record(
                f"{prefix}:count{window}", _increase(signal.events, job, window), "Events"
            )
            self.total = ""
            return
        if isinstance(signal, Ratio):
            part = _increase(signal.part, job, window)
            total = _increase(signal.total, job, window)
            self.total = self._record(f"{prefix}_all:count{window}", total, "All events")
            self.part = self._record(
                f"{prefix}_part:count{window}",
                f"{part}\nor\n0 * {self.total}",
                "Those that the ratio is about; 0 where there are none",
            )
            return
        assert alert.bound is not None  # noqa: S101  # the catalogue gives every share a bound
        total = _increase(signal.events, job, window, suffix="_count")
        bucket = Selector(
            signal.events.instrument, (*signal.events.matchers, Matcher("le", "=", le_literal(alert.bound)))
        )
        fast = _increase(bucket, job, window, suffix="_bucket")
        self.total = self._record(f"{prefix}_all:count{window}", total, "All events")
        bound = duration_text(alert.bound)
        self.part = self._record(
            f"{prefix}_slower_{bound}:count{window}",
            f"{self.total}\n-\n{fast}",
            f"Events slower than {bound}",
        )

    def _record(self, name: str, expr: str, what: str) -> str:
        window = name.rpartition(":count")[2]
        self.rules.append(RecordingRule(name, expr, f"{what}, in one sample of {window}."))
        return f"{name}{self._job}"

    def sample(self, alert: Alert, index: int) -> str:
        """1 or 0 for the sample that ended `index` samples ago; nothing where it is missing."""
        offset = f" offset {duration_text(index * alert.over)}" if index else ""
        sign = ">" if alert.comparison == "above" else "<"
        if not self.total:
            return f"({self.part}{offset} {sign} bool {_number(alert.threshold)})"
        return (
            f"((({self.part}{offset}) / ({self.total}{offset}) {sign} bool {_number(alert.threshold)})"
            f" and ({self.total}{offset}) >= {alert.minimum})"
        )


def _alerting_rule(alert: Alert, counts: _Counts) -> AlertingRule:
    labels = {
        "severity": alert.severity.name,
        "service": alert.service,
        "env": alert.environment.name,
        "alert_id": alert.alert_id,
    }
    return AlertingRule(
        alert.name,
        _expression(alert, counts),
        labels,
        {
            "summary": f"{alert.service} {alert.environment.name}: {alert.signal.title.lower()}, {alert.severity.name}",
            "description": f"Fires while {describe(alert)}.",
            **({"runbook_url": alert.runbook} if alert.runbook else {}),
        },
        f"{alert.source.file.name}:{alert.source.line}: fires while {describe(alert)}.",
    )


def describe(alert: Alert) -> str:
    """When an alert fires, in words and numbers."""
    if alert.bound is not None:
        what = f"requests slower than {duration_text(alert.bound)} are {alert.comparison} {_percent(alert.threshold)}"
    elif isinstance(alert.signal, Ratio):
        what = f"{alert.signal.name} is {alert.comparison} {_percent(alert.threshold)}"
    else:
        what = f"{alert.signal.name} is {alert.comparison} {_number(alert.threshold)}"
    text = f"{what} over {duration_text(alert.over)}"
    if alert.samples > 1:
        text += f", in {alert.breaching} of the last {alert.samples} samples"
    if alert.minimum:
        text += f"; a sample needs {alert.minimum} events"
    return text


def _expression(alert: Alert, counts: _Counts) -> str:
    """The sum of the samples against M, with what a missing one stands for."""
    job = f'label_replace(vector({{}}), "job", "{alert.service}", "", "")'
    fill = job.format(1 if alert.when_missing == "breach" else 0)
    samples = [counts.sample(alert, index) for index in range(alert.samples)]
    breaching = "\n+ ".join(f"({sample} or on (job) {fill})" for sample in samples)
    expr = f"{breaching}\n>= {alert.breaching}"
    if alert.when_missing == "keep":
        expr = f"(\n{expr}\n)\nor\n{_kept(alert, counts, samples, job.format(0))}"
    return expr


def _kept(alert: Alert, counts: _Counts, samples: list[str], zero: str) -> str:
    """A firing alert stays while its samples do not say it is over: fewer than N - M + 1 of them are good."""
    good = "\n+ ".join(f"(1 - {sample} or on (job) {zero})" for sample in samples)
    own = (
        f'ALERTS{{alertname="{alert.name}",alertstate="firing",severity="{alert.severity.name}",'
        f'service="{alert.service}",env="{alert.environment.name}",job="{alert.service}"}}'
    )
    last = counts.total or counts.part
    return (
        f"(max by (job) ({own})\nand on (job) (\n{good}\n< {alert.samples - alert.breaching + 1})\n"
        f"and on (job) present_over_time({last}[{HOLD}]))"
    )


def _increase(selector: Selector, job: Matcher, window: str, suffix: str = "") -> str:
    now = series(selector, job, suffix=suffix)
    return (
        "sum by (job) (\n"
        f"  {now}\n"
        f"  - (({now} offset {window} <= {now})\n"
        f"    or (0 * {now} and on (job, instance) (up{{job={_quoted(job.value)}}} offset {window} == 1)))\n"
        ")"
    )


def _quoted(value: str) -> str:
    return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _number(value: float) -> str:
    return f"{value:.9f}".rstrip("0").rstrip(".")


def _percent(value: float) -> str:
    return f"{_number(value * 100)}%"


def _scalar(value: str) -> str:
    return yaml.safe_dump(value, default_style='"', width=10_000, allow_unicode=True).strip()


def _block(key: str, text: str) -> list[str]:
    return [f"        {key}: |-", *(f"          {line}" for line in text.splitlines())]

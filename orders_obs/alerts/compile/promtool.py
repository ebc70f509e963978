"""Tests for `promtool test rules` beside the rules: each alert is shown silent, firing, and recovered, at the exact look.

What is expected comes from the plain sample rule on the generated events, so that promtool judges the compiled expressions
against what the alert means, and not against themselves.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import yaml

from orders_obs.alerts.compile.prometheus import compile_rules
from orders_obs.alerts.evaluate import SampleRule, ratio_sample
from orders_obs.alerts.units import duration_text
from orders_obs.signals.model import Count, Ratio
from orders_obs.signals.promql import le_literal

if TYPE_CHECKING:
    from collections.abc import Sequence

    from orders_obs.alerts.compile.prometheus import AlertingRule
    from orders_obs.alerts.model import Alert, ResolvedCatalogue

__all__ = ["render"]

_QUIET, _BAD, _AFTER = 3, 3, 4
"""Lengths of the three stretches, in windows of N samples."""


def render(catalogue: ResolvedCatalogue, rule_file: str) -> str:
    """The test file of one environment's rules.

    Args:
        catalogue: The environment.
        rule_file: Name of the rule file, in the same folder.
    """
    group = compile_rules(catalogue)
    rules = [rule for rule in group.rules if hasattr(rule, "alert")]
    every = duration_text(catalogue.environment.every)
    document = {
        "rule_files": [rule_file],
        # promtool ignores a group's own interval.
        "evaluation_interval": every,
        "tests": [_test(alert, rule, every) for alert, rule in zip(catalogue.alerts, rules, strict=True)],  # type: ignore[arg-type]  # those with `alert` are AlertingRule
    }
    head = "# Built by `orders-obs alerts build --engine prometheus`; run with `promtool test rules`.\n"
    return head + yaml.dump(document, Dumper=_NoAliases, sort_keys=False, width=1000, allow_unicode=True)


class _NoAliases(yaml.SafeDumper):
    def ignore_aliases(self, data: Any) -> bool:  # noqa: ARG002  # every test stands for itself
        return True


@dataclass(frozen=True, slots=True)
class _Story:
    """Events by look: how many in all, and how many of them bad."""

    total: list[int]
    bad: list[int]
    window: int

    def samples(self, alert: Alert, look: int) -> list[float | None]:
        """The last N samples at a look, oldest first."""
        return [self._sample(alert, look - back * self.window) for back in reversed(range(alert.samples))]

    def _sample(self, alert: Alert, end: int) -> float | None:
        start = end - self.window
        if start < 0:  # the target was not there a sample ago
            return None
        bad, total = sum(self.bad[start + 1 : end + 1]), sum(self.total[start + 1 : end + 1])
        return float(bad) if isinstance(alert.signal, Count) else ratio_sample(bad, total, alert.minimum)


def _test(alert: Alert, rule: AlertingRule, every: str) -> dict[str, Any]:
    story = _story(alert)
    fired, states = False, []
    for look in range(len(story.total)):
        fired = SampleRule.of(alert).fires(story.samples(alert, look), fired=fired)
        states.append(fired)
    first, last = states.index(True), len(states) - 1 - states[::-1].index(True)
    looks = [(first - 1, False), (first, True), (last, True), (last + 1, False), (len(states) - 1, False)]
    seconds = alert.environment.every
    selector = f'ALERTS{{alertname="{alert.name}",severity="{alert.severity.name}",alertstate="firing"}}'
    firing = [{"labels": _labels(alert, rule), "value": 1}]
    return {
        "name": f"{alert.name} {alert.severity.name}",
        "interval": every,
        "input_series": [{"series": name, "values": values} for name, values in _series(alert, story)],
        "promql_expr_test": [
            {
                "expr": selector,
                "eval_time": duration_text(look * seconds),
                "exp_samples": firing if fires else [],
            }
            for look, fires in looks
        ],
    }


def _labels(alert: Alert, rule: AlertingRule) -> str:
    labels = {"alertname": alert.name, "alertstate": "firing", "job": alert.service, **rule.labels}
    return "ALERTS{" + ",".join(f'{name}="{value}"' for name, value in labels.items()) + "}"


def _story(alert: Alert) -> _Story:
    window = round(alert.over / alert.environment.every)
    span = window * alert.samples
    quiet, bad, after = (span * factor for factor in (_QUIET, _BAD, _AFTER))
    if isinstance(alert.signal, Count):
        much = math.ceil(2 * (alert.threshold + 1) / window)
        events = [0] * (quiet + 1) + [much] * bad + [0] * after
        return _Story(events, events, window)
    per_look = max(4, math.ceil(3 * alert.minimum / window))
    worse = max(1, math.ceil(per_look * min(1.0, alert.threshold * 4)))
    return _Story(
        [0] + [per_look] * (quiet + bad + after), [0] * (quiet + 1) + [worse] * bad + [0] * after, window
    )


def _series(alert: Alert, story: _Story) -> list[tuple[str, str]]:
    signal = alert.signal
    target = f'job="{alert.service}",instance="127.0.0.1:8000"'
    request = f'{target},method="POST",route="/api/v1/orders"'
    up = (f"up{{{target}}}", f"1x{len(story.total) - 1}")
    good = [total - bad for total, bad in zip(story.total, story.bad, strict=True)]
    if isinstance(signal, Count):
        return [up, (f'{signal.events.instrument.name}{{{target},status="success"}}', _counter(story.bad))]
    if isinstance(signal, Ratio):
        name = signal.total.instrument.name
        # The series of errors is born with its first events, as in life.
        return [
            up,
            (f'{name}{{{request},status="201"}}', _counter(good)),
            (f'{name}{{{request},status="500"}}', _counter(story.bad, born=True)),
        ]
    assert alert.bound is not None  # noqa: S101  # the catalogue gives every share a bound
    name = signal.events.instrument.name
    status = f'{request},status="201"'
    return [
        up,
        (f"{name}_count{{{status}}}", _counter(story.total)),
        (f'{name}_bucket{{{status},le="{le_literal(alert.bound)}"}}', _counter(good)),
    ]


def _counter(events: Sequence[int], *, born: bool = False) -> str:
    """A counter's values in promtool's notation: a run of equal increments each."""
    value, parts, index = 0, [], 0
    while index < len(events):
        end = index
        while end < len(events) and events[end] == events[index]:
            end += 1
        step, length = events[index], end - index
        if born and value == 0 and step == 0:
            parts.append(f"_x{length}")
        else:
            parts.append(f"{value + step}+{step}x{length - 1}")
        value += step * length
        index = end
    return " ".join(parts)

"""Tests for `promtool test rules` beside the rules: each alert is shown silent, firing, and recovered, at the exact look.

What is expected comes from the plain sample rule on the generated events, so that promtool judges the compiled expressions
against what the alert means, and not against themselves. Another service in the same Prometheus does badly all the while.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from itertools import groupby, product
from typing import TYPE_CHECKING, Any

import yaml

from orders_obs.alerts.compile.prometheus import AlertingRule, compile_rules
from orders_obs.alerts.evaluate import SampleRule, ratio_sample
from orders_obs.alerts.units import duration_text
from orders_obs.signals.model import Count, Ratio
from orders_obs.signals.promql import le_literal

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from orders_obs.alerts.model import Alert, ResolvedCatalogue
    from orders_obs.signals.instruments import Instrument
    from orders_obs.signals.model import Matcher

__all__ = ["render"]

_PHASE = 2
"""Length of a phase, in windows of N samples: long enough to fire, and to be over."""
_MANY = 1000
"""Events of the other service at each look."""
_EXAMPLES = {
    "method": ("POST",),
    "route": ("/api/v1/orders",),
    "status": ("201", "500", "success"),
    "result": ("hit", "miss"),
}
"""Values of labels whose instrument does not declare them."""


def render(catalogue: ResolvedCatalogue, rule_file: str) -> str:
    """The test file of one environment's rules.

    Args:
        catalogue: The environment.
        rule_file: Name of the rule file, in the same folder.
    """
    rules = [rule for rule in compile_rules(catalogue).rules if isinstance(rule, AlertingRule)]
    every = duration_text(catalogue.environment.every)
    document = {
        "rule_files": [rule_file],
        # promtool ignores a group's own interval.
        "evaluation_interval": every,
        "tests": [_test(alert, rule, every) for alert, rule in zip(catalogue.alerts, rules, strict=True)],
    }
    head = "# Built by `orders-obs alerts build --engine prometheus`; run with `promtool test rules`.\n"
    return head + yaml.dump(document, Dumper=_NoAliases, sort_keys=False, width=1000, allow_unicode=True)


class _NoAliases(yaml.SafeDumper):
    def ignore_aliases(self, data: Any) -> bool:  # noqa: ARG002  # every test stands for itself
        return True


@dataclass(frozen=True, slots=True)
class _Story:
    """Events by look: how many in all, and how many of them are the part that the alert is about."""

    total: list[int]
    part: list[int]
    window: int

    def samples(self, alert: Alert, look: int) -> list[float | None]:
        """The last N samples at a look, oldest first."""
        return [self._sample(alert, look - back * self.window) for back in reversed(range(alert.samples))]

    def _sample(self, alert: Alert, end: int) -> float | None:
        start = end - self.window
        if start < 0:  # the target was not there a sample ago
            return None
        part, total = sum(self.part[start + 1 : end + 1]), sum(self.total[start + 1 : end + 1])
        return float(part) if isinstance(alert.signal, Count) else ratio_sample(part, total, alert.minimum)


def _test(alert: Alert, rule: AlertingRule, every: str) -> dict[str, Any]:
    story = _story(alert)
    fired, states = False, []
    for look in range(len(story.total)):
        fired = SampleRule.of(alert).fires(story.samples(alert, look), fired=fired)
        states.append(fired)
    seconds = alert.environment.every
    firing = [{"labels": _labels(alert, rule), "value": 1}]
    return {
        "name": f"{alert.name} {alert.severity.name}",
        "interval": every,
        "input_series": [{"series": name, "values": values} for name, values in _series(alert, story)],
        "promql_expr_test": [
            {
                "expr": f'ALERTS{{alertname="{alert.name}",severity="{alert.severity.name}",alertstate="firing"}}',
                "eval_time": duration_text(look * seconds),
                "exp_samples": firing if states[look] else [],
            }
            for look in _telling(states)
        ],
    }


def _telling(states: Sequence[bool]) -> list[int]:
    """The looks on both sides of each change, and the last."""
    changes = [look for look in range(1, len(states)) if states[look] != states[look - 1]]
    return sorted({look for change in changes for look in (change - 1, change)} | {len(states) - 1})


def _labels(alert: Alert, rule: AlertingRule) -> str:
    labels = {"alertname": alert.name, "alertstate": "firing", "job": alert.service, **rule.labels}
    return "ALERTS{" + ",".join(f'{name}="{value}"' for name, value in labels.items()) + "}"


def _story(alert: Alert) -> _Story:
    """Good, bad, good again, bad again, no events at all, good: (total, part) at each look."""
    window = round(alert.over / alert.environment.every)
    phase = _PHASE * window * alert.samples
    if isinstance(alert.signal, Count):
        fewer, more = math.floor(alert.threshold / 2 / window), math.ceil(2 * (alert.threshold + 1) / window)
        good, bad = (fewer, more) if alert.comparison == "above" else (more, fewer)
        first, good_again, bad_again = (good, good), (good, good), (bad, bad)
    else:
        total = max(math.ceil(2 / alert.threshold), math.ceil(3 * alert.minimum / window))
        low = math.floor(total * alert.threshold / 2)
        high = math.ceil(total * min(1.0, alert.threshold * 2))
        above = alert.comparison == "above"
        good_again, bad_again = ((total, low), (total, high)) if above else ((total, high), (total, low))
        # The first bad event is the first of its series, as in life.
        first = (total, 0) if above else good_again
    looks = [(0, 0)]
    for each in (first, bad_again, good_again, bad_again, (0, 0), good_again):
        looks += [each] * phase
    return _Story([total for total, _ in looks], [part for _, part in looks], window)


def _series(alert: Alert, story: _Story) -> Iterator[tuple[str, str]]:
    """The series of the service, and of another that does badly."""
    signal = alert.signal
    many = [0] + [_MANY] * (len(story.total) - 1)
    rest = [total - part for total, part in zip(story.total, story.part, strict=True)]
    nothing = [0] * len(many)
    for job, instance, total, part, other in (
        (alert.service, "127.0.0.1:8000", story.total, story.part, rest),
        ("another-service", "127.0.0.1:8001", many, many, nothing),
    ):
        target = f'job="{job}",instance="{instance}"'
        yield f"up{{{target}}}", f"1x{len(many) - 1}"
        if isinstance(signal, Count):
            name, labels = (
                signal.events.instrument.name,
                _example(signal.events.instrument, signal.events.matchers),
            )
            yield f"{name}{{{target}{labels}}}", _counter(part)
        elif isinstance(signal, Ratio):
            instrument, matchers = signal.total.instrument, signal.total.matchers
            own = _example(signal.part.instrument, (*matchers, *signal.part.matchers))
            others = _example(instrument, matchers, without=signal.part.matchers)
            yield f"{instrument.name}{{{target}{others}}}", _counter(other)
            yield f"{signal.part.instrument.name}{{{target}{own}}}", _counter(part, born=True)
        else:
            assert alert.bound is not None  # noqa: S101  # the catalogue gives every share a bound
            name, labels = (
                signal.events.instrument.name,
                _example(signal.events.instrument, signal.events.matchers),
            )
            yield f"{name}_count{{{target}{labels}}}", _counter(total)
            yield f'{name}_bucket{{{target}{labels},le="{le_literal(alert.bound)}"}}', _counter(other)


def _example(instrument: Instrument, matchers: Sequence[Matcher], *, without: Sequence[Matcher] = ()) -> str:
    """Labels of a series that the matchers choose and `without` does not, each preceded by a comma."""
    declared = dict(instrument.values)
    choices = [declared.get(label) or _EXAMPLES.get(label) or ("example",) for label in instrument.labels]
    for values in product(*choices):
        labels = dict(zip(instrument.labels, values, strict=True))
        if _chosen(labels, matchers) and not (without and _chosen(labels, without)):
            return "".join(f',{label}="{value}"' for label, value in labels.items())
    raise ValueError(f"no example of a series of {instrument.name} for its test")


def _chosen(labels: dict[str, str], matchers: Sequence[Matcher]) -> bool:
    def holds(matcher: Matcher) -> bool:
        value = labels.get(matcher.label, "")
        same = re.fullmatch(matcher.value, value) is not None if "~" in matcher.op else value == matcher.value
        return same != matcher.op.startswith("!")

    return all(holds(matcher) for matcher in matchers)


def _counter(events: Sequence[int], *, born: bool = False) -> str:
    """A counter's values in promtool's notation: a run of equal increments each.

    Args:
        events: How many came before each value.
        born: Whether the series begins with its first event.
    """
    value, parts = 0, []
    for step, run in groupby(events):
        length = len(list(run))
        unborn = born and value == step == 0
        parts.append(f"_x{length}" if unborn else f"{value + step}+{step}x{length - 1}")
        value += step * length
    return " ".join(parts)

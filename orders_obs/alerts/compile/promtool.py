"""Tests for `promtool test rules` in a folder beside the rules: each alert is shown silent, firing, and recovered, at the exact look.

What is expected comes from the plain sample rule on the generated events, so that promtool judges the compiled expressions
against what the alert means, and not against themselves. Another service in the same Prometheus does badly all the while.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from itertools import accumulate, groupby, product
from typing import TYPE_CHECKING, Any

import yaml

from orders_obs.alerts.compile.engines import chosen, sources
from orders_obs.alerts.compile.prometheus import HOLD_SECONDS, AlertingRule, rate_window
from orders_obs.alerts.compile.prometheus import render as render_rules
from orders_obs.alerts.evaluate import SampleRule, burning, level_sample, ratio_sample
from orders_obs.alerts.model import Alert, BurnAlert
from orders_obs.alerts.units import duration_text
from orders_obs.signals.model import Count, External, Level, Presence, PromQL, Ratio, Selector
from orders_obs.signals.promql import le_literal

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from orders_obs.alerts.compile.prometheus import RuleGroup
    from orders_obs.alerts.model import ResolvedCatalogue
    from orders_obs.signals.instruments import Instrument
    from orders_obs.signals.model import Matcher, Share

__all__ = ["folder", "is_part", "render"]

_HEAD = "# For `promtool test rules` only; built by `orders-obs alerts build --engine prometheus`."
# No ends of YAML files, so that nothing that takes the rule files of a folder and all below it deploys an alert twice.
_RULES, _TEST = ".rules", ".test"

_PHASE = 2
"""Length of a phase, in windows of N samples: long enough to fire, and to be over."""
_MANY = 1000
"""Events of the other service at each look."""
_OTHER = "another-service"
_OTHER_TARGETS = 5
"""Targets of the other service at most."""
_MOST_TARGETS = 500
"""Targets of a story at most: an alert on more of them has no test."""
_TIE = 1e-9
"""An average so near the threshold, relative to it, may round to either side of it."""
_EXAMPLES = {
    "method": ("POST",),
    "route": ("/api/v1/orders",),
    "status": ("201", "500", "success"),
    "result": ("hit", "miss"),
}
"""Values of labels whose instrument does not declare them."""


def folder(deployed: str) -> str:
    """Name of the folder of a rule file's tests, beside it.

    Args:
        deployed: Name of the rule file.
    """
    return f"{deployed.removesuffix('.yml')}.tests"


def is_part(path: Path) -> bool:
    """Whether a file is one that `render` gave, for whatever alert; by its name and first line.

    Raises:
        OSError: It cannot be read.
    """
    if path.suffix not in (_RULES, _TEST) or path.is_symlink() or not path.is_file():
        return False
    with path.open(encoding="utf-8", errors="replace") as file:
        return file.read(len(_HEAD) + 1) == f"{_HEAD}\n"


def render(catalogue: ResolvedCatalogue, group: RuleGroup, deployed: str) -> dict[str, str]:
    """By their names the files that test one environment's rules: for each alert a rule file with what it needs, and its tests.

    promtool evaluates each rule of a file in each of its tests, so that one file of all rules would take time by the square of
    their number. The rules of all parts together are those of the group: each part is a choice of them.

    Args:
        catalogue: The environment.
        group: Its rules.
        deployed: Name of the rule file that has them all, in the folder above.
    """
    rules = [rule for rule in group.rules if isinstance(rule, AlertingRule)]
    alerts, _ = chosen(catalogue, "prometheus")
    tests: dict[str, list[dict[str, Any]]] = {name: [] for name in group.parts}
    every = duration_text(catalogue.environment.every)
    # A raw form has no meaning but its own, so nothing can be expected of it here; a watchdog has no alert.
    for alert, rule in zip(alerts, rules, strict=False):
        if isinstance(alert, Alert | BurnAlert) and not _too_many_targets(alert):
            tests[alert.name].append(_test(alert, rule, every))
    written: dict[str, str] = {}
    files: dict[str, str] = {}
    for name, own in tests.items():
        what = f"the rules of {name}; what is deployed is {deployed}, which has those of all alerts."
        path = f"{folder(deployed)}/{name}"
        files[f"{path}{_RULES}"] = render_rules(group.part(name), (_HEAD, f"# Here are {what}"))
        text = _Text(written)
        text.lines += [
            _HEAD,
            f"# Tested are {what}",
            "rule_files:",
            f"- {text.scalar(f'{name}{_RULES}')}",
            # promtool ignores a group's own interval.
            f"evaluation_interval: {every}",
            "tests:"
            if own
            else f"tests: []  # of a raw form, a watchdog, or more than {_MOST_TARGETS} targets nothing is shown",
        ]
        for test in own:
            text.test(test)
        files[f"{path}{_TEST}"] = "\n".join(text.lines) + "\n"
    return files


class _Text:
    """A file's lines, as PyYAML would write them; each text is written once only for all files, since it is slow.

    Args:
        written: What was written before, by the text.
    """

    def __init__(self, written: dict[str, str]) -> None:
        self.lines: list[str] = []
        self._scalars = written

    def scalar(self, value: str) -> str:
        """A text as a value of YAML."""
        if value not in self._scalars:
            written = yaml.safe_dump(value, width=math.inf, allow_unicode=True)
            self._scalars[value] = written.removesuffix("\n").removesuffix("\n...")
        return self._scalars[value]

    def test(self, test: dict[str, Any]) -> None:
        """Add a test."""
        self.lines += [
            f"- name: {self.scalar(test['name'])}",
            f"  interval: {test['interval']}",
            "  input_series:",
        ]
        for series in test["input_series"]:
            self.lines += [
                f"  - series: {self.scalar(series['series'])}",
                f"    values: {self.scalar(series['values'])}",
            ]
        self.lines.append("  promql_expr_test:")
        for look in test["promql_expr_test"]:
            samples = look["exp_samples"]
            self.lines += [
                f"  - expr: {self.scalar(look['expr'])}",
                f"    eval_time: {look['eval_time']}",
                "    exp_samples:" if samples else "    exp_samples: []",
            ]
            for sample in samples:
                self.lines += [
                    f"    - labels: {self.scalar(sample['labels'])}",
                    f"      value: {sample['value']}",
                ]


@dataclass(frozen=True, slots=True)
class _Events:
    """Events by look: how many in all, and how many of them are the part that the alert is about."""

    total: list[int]
    part: list[int]

    def samples(self, alert: Alert, window: int) -> list[float | None]:
        """The sample that ends at each look."""
        totals, parts = list(accumulate(self.total)), list(accumulate(self.part))
        result: list[float | None] = [None] * min(
            window, len(totals)
        )  # the target was not there a sample ago
        for end in range(window, len(totals)):
            part, total = parts[end] - parts[end - window], totals[end] - totals[end - window]
            counted = isinstance(alert.signal, Count)
            result.append(float(part) if counted else ratio_sample(part, total, alert.minimum))
        return result

    def gone(self, looks: int) -> list[bool]:  # noqa: ARG002  # counts are there, if only as zeros
        """At each look, whether the service said nothing in the last so many."""
        return [False] * len(self.total)


@dataclass(frozen=True, slots=True)
class _Levels:
    """The level at each look, None where nothing reports."""

    values: list[float | None]

    def samples(self, alert: Alert, window: int) -> list[float | None]:
        """The sample that ends at each look."""
        # Few values differ, so how often each is there is all that moves on from look to look.
        inside: dict[float, int] = {}
        result: list[float | None] = []
        for end, value in enumerate(self.values):
            if value is not None:
                inside[value] = inside.get(value, 0) + 1
            left = self.values[end - window] if end >= window else None
            if left is not None:
                inside[left] -= 1
                if not inside[left]:
                    del inside[left]
            if inside and alert.statistic == "Average":
                result.append(sum(each * times for each, times in inside.items()) / sum(inside.values()))
            else:
                result.append(level_sample(list(inside), alert.statistic))
        return result

    def gone(self, looks: int) -> list[bool]:
        """At each look, whether the service said nothing in the last so many."""
        silent, result = looks, []
        for value in self.values:
            silent = silent + 1 if value is None else 0
            result.append(silent >= looks)
        return result


def _test(alert: Alert | BurnAlert, rule: AlertingRule, every: str) -> dict[str, Any]:
    if isinstance(alert, BurnAlert):
        events = _burning_story(alert)
        states, series = (
            _burning_states(alert, events),
            _event_series(alert.signal, alert.bound, alert.service, events),
        )
    else:
        story = _level_story(alert) if isinstance(alert.signal, Level | Presence) else _story(alert)
        states, series = _states(alert, _seen(alert, story)), _series(alert, story)
    seconds = alert.environment.every
    firing = [{"labels": _labels(alert, rule), "value": 1}]
    return {
        "name": f"{alert.name} {alert.severity.name}",
        "interval": every,
        "input_series": [{"series": name, "values": values} for name, values in series],
        "promql_expr_test": [
            {
                "expr": f'ALERTS{{alertname="{alert.name}",severity="{alert.severity.name}",alertstate="firing"}}',
                "eval_time": duration_text(look * seconds),
                "exp_samples": firing if states[look] else [],
            }
            for look in _telling(states)
        ],
    }


def _states(alert: Alert, story: _Events | _Levels) -> list[bool]:
    window = round(alert.over / alert.environment.every)
    samples = story.samples(alert, window)
    # Prometheus holds a firing alert for some time only after the service is gone.
    gone = story.gone(math.ceil(HOLD_SECONDS / alert.environment.every))
    rule, fired, states = SampleRule.of(alert), False, []
    for look in range(len(samples)):
        last = samples[look % window : look + 1 : window][-alert.samples :]
        fired = rule.fires(last, fired=fired and not gone[look])
        states.append(fired)
    return states


def _burning_states(alert: BurnAlert, events: _Events) -> list[bool]:
    return [False, *burning(events.part[1:], events.total[1:], alert.windows, alert.environment.every)]


def _telling(states: Sequence[bool]) -> list[int]:
    """The looks on both sides of each change, and the last."""
    changes = [look for look in range(1, len(states)) if states[look] != states[look - 1]]
    return sorted({look for change in changes for look in (change - 1, change)} | {len(states) - 1})


def _labels(alert: Alert | BurnAlert, rule: AlertingRule) -> str:
    labels = {"alertname": alert.name, "alertstate": "firing", "job": alert.service, **rule.labels}
    return "ALERTS{" + ",".join(f'{name}="{value}"' for name, value in labels.items()) + "}"


def _story(alert: Alert) -> _Events:
    """Good, bad, good again, bad again, no events at all, good: (total, part) at each look."""
    window = round(alert.over / alert.environment.every)
    phase = _PHASE * window * alert.samples
    if isinstance(alert.signal, Count):
        fewer, more = math.floor(alert.threshold / 2 / window), math.ceil(2 * (alert.threshold + 1) / window)
        good, bad = (fewer, more) if alert.high_is_bad else (more, fewer)
        first, good_again, bad_again = (good, good), (good, good), (bad, bad)
    else:
        total = max(math.ceil(2 / alert.threshold), math.ceil(3 * alert.minimum / window))
        low = math.floor(total * alert.threshold / 2)
        high = math.ceil(total * min(1.0, alert.threshold * 2))
        good_again, bad_again = (
            ((total, low), (total, high)) if alert.high_is_bad else ((total, high), (total, low))
        )
        # The first bad event is the first of its series, as in life.
        first = (total, 0) if alert.high_is_bad else good_again
    looks = [(0, 0)]
    for each in (first, bad_again, good_again, bad_again, (0, 0), good_again):
        looks += [each] * phase
    return _Events([total for total, _ in looks], [part for _, part in looks])


def _level_story(alert: Alert) -> _Levels:
    """Good, bad, good again, bad again, no data at all, good."""
    window = round(alert.over / alert.environment.every)
    low, high = alert.threshold / 2, alert.threshold * 2 or 1.0
    if isinstance(alert.signal, Presence) or _counts_targets(alert):
        low, high = max(0.0, math.ceil(alert.threshold) - 1.0), math.floor(alert.threshold) + 1.0
    story = _levels(alert, low, high, window)
    if alert.statistic == "Average" and alert.threshold and _ties(alert, _seen(alert, story), window):
        # 6w + 5 divides no k * w, so that no mixture of the two is the threshold itself.
        low, high = alert.threshold / 2, alert.threshold * (4 * window + 3) / (2 * window + 1)
        return _levels(alert, low, high, window)
    return story


def _levels(alert: Alert, low: float, high: float, window: int) -> _Levels:
    good, bad = (low, high) if alert.high_is_bad else (high, low)
    values: list[float | None] = [good]
    for each in (good, bad, good, bad, None, good):
        values += [each] * (_PHASE * window * alert.samples)
    return _Levels(values)


def _ties(alert: Alert, story: _Events | _Levels, window: int) -> bool:
    """Whether an average of the story is the threshold, where engines may round it to either side."""
    return not _counts_targets(alert) and any(
        sample is not None and math.isclose(sample, alert.threshold, rel_tol=_TIE)
        for sample in story.samples(alert, window)
    )


def _counts_targets(alert: Alert) -> bool:
    """Whether its level is a number of targets, which is whole."""
    if not isinstance(alert.signal, Level):
        return False
    source = sources(alert.signal, alert.environment)[0]
    return (isinstance(source, External) and source.of_service) or (
        isinstance(source, PromQL) and source.of == "zeros"
    )


def _too_many_targets(alert: Alert | BurnAlert) -> bool:
    return isinstance(alert, Alert) and _counts_targets(alert) and alert.threshold > _MOST_TARGETS


def _seen(alert: Alert, story: _Events | _Levels) -> _Events | _Levels:
    """The story as the rules can see it: how fast a counter grows is known from its second value on."""
    if isinstance(story, _Events) or not isinstance(alert.signal, Level | Presence):
        return story
    source = sources(alert.signal, alert.environment)[0]
    if not isinstance(source, PromQL) or source.of != "increase":
        return story
    points = round(rate_window(alert.environment) / alert.environment.every)
    seen: list[float | None] = []
    for look in range(len(story.values)):
        run: list[float] = []
        for value in reversed(story.values[max(0, look - points + 1) : look + 1]):
            if value is None:
                break
            run.append(value)
        # Two values of a counter are one increase.
        seen.append(sum(run[:-1]) / (len(run) - 1) if len(run) > 1 else None)
    return _Levels(seen)


def _burning_story(alert: BurnAlert) -> _Events:
    """Everything well, everything failing, everything well again; long enough for the shortest pair to fire, and for all to be over."""
    every = alert.environment.every
    quiet = round(alert.windows[0].short / every)
    total = math.ceil(max(window.minimum for window in alert.windows) / quiet) + 1
    clean = round(max(window.short for window in alert.windows) / every) + 2
    looks = [(0, 0)] + [(total, 0)] * quiet + [(total, total)] * (quiet * 3) + [(total, 0)] * clean
    return _Events([total for total, _ in looks], [part for _, part in looks])


def _series(alert: Alert, story: _Events | _Levels) -> Iterator[tuple[str, str]]:
    """The series of the service, and of another that does badly."""
    if isinstance(story, _Levels):
        assert isinstance(alert.signal, Level | Presence)  # noqa: S101  # these have levels
        yield from _level_series(alert, alert.signal, story.values)
    else:
        assert not isinstance(alert.signal, Level | Presence)  # noqa: S101  # these have events
        yield from _event_series(alert.signal, alert.bound, alert.service, story)


def _event_series(
    signal: Ratio | Share | Count, bound: float | None, service: str, story: _Events
) -> Iterator[tuple[str, str]]:
    many = [0] + [_MANY] * (len(story.total) - 1)
    rest = [total - part for total, part in zip(story.total, story.part, strict=True)]
    nothing = [0] * len(many)
    for job, instance, total, part, other in (
        (service, "127.0.0.1:8000", story.total, story.part, rest),
        (_OTHER, "127.0.0.1:8001", many, many, nothing),
    ):
        target = f'job="{job}",instance="{instance}"'
        yield f"up{{{target}}}", f"1x{len(many) - 1}"
        if isinstance(signal, Ratio):
            instrument, matchers = signal.total.instrument, signal.total.matchers
            own = _example(signal.part.instrument, (*matchers, *signal.part.matchers))
            others = _example(instrument, matchers, without=signal.part.matchers)
            yield f"{instrument.name}{{{target}{others}}}", _counter(other)
            yield f"{signal.part.instrument.name}{{{target}{own}}}", _counter(part, born=True)
            continue
        assert signal.events is not None  # noqa: S101  # else the engine does not have it
        name, labels = (
            signal.events.instrument.name,
            _example(signal.events.instrument, signal.events.matchers),
        )
        if isinstance(signal, Count):
            yield f"{name}{{{target}{labels}}}", _counter(part)
        else:
            assert bound is not None  # noqa: S101  # the catalogue gives every share a bound
            yield f"{name}_count{{{target}{labels}}}", _counter(total)
            yield f'{name}_bucket{{{target}{labels},le="{le_literal(bound)}"}}', _counter(other)


def _level_series(
    alert: Alert, signal: Level | Presence, values: list[float | None]
) -> Iterator[tuple[str, str]]:
    source = sources(signal, alert.environment)[0]
    worst: list[float | None] = [_MANY if alert.high_is_bad else 0] * len(values)
    resources = alert.environment.resources
    for job, levels in ((alert.service, values), (_OTHER, worst)):
        if isinstance(source, Selector):
            labels = _example(source.instrument, source.matchers)
            yield f'{source.instrument.name}{{job="{job}",instance="127.0.0.1:8000"{labels}}}', _gauge(levels)
        elif isinstance(source, External) and source.of_service:
            yield from _targets(job, levels, 1)
        elif isinstance(source, External):
            own = resources[source.job] if job == alert.service else job
            yield f'{source.name}{{job="{own}",instance="127.0.0.1:9187"}}', _gauge(levels)
        elif source.of == "increase":
            every = alert.environment.every
            growth = [None if level is None else level * every for level in levels]
            yield f'{source.metric}{{job="{job}",instance="127.0.0.1:8000"}}', _growing(growth)
        else:
            yield from _targets(job, levels, 0)


def _targets(job: str, levels: Sequence[float | None], up: int) -> Iterator[tuple[str, str]]:
    """So many targets as the level says have this value of `up`, the others the other one."""
    most = round(max(level for level in levels if level is not None))
    if job == _OTHER:
        most = min(most, _OTHER_TARGETS)
    for number in range(most + 1):
        values = [None if level is None else float(up if number < level else 1 - up) for level in levels]
        yield f'up{{job="{job}",instance="127.0.0.1:{8000 + number}"}}', _gauge(values)


def _gauge(values: Sequence[float | None]) -> str:
    """Values in promtool's notation; a gap begins with a marker of staleness, as a target that vanishes leaves it."""
    parts = []
    for value, run in groupby(values):
        length = len(list(run))
        if value is None:
            parts += ["stale", *([f"_x{length - 1}"] if length > 1 else [])]
        else:
            parts.append(f"{value:.12g}x{length - 1}")
    return " ".join(parts)


def _growing(growth: Sequence[float | None]) -> str:
    """A counter that grows by so much before each value."""
    total, values = 0.0, list[float | None]()
    for step in growth:
        total = round(total + (step or 0.0), 9)
        values.append(None if step is None else total)
    return " ".join(part for value in values for part in [_gauge([value])])


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

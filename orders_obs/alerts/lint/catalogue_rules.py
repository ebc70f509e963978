"""Lint of a catalogue: alerts that the language allows, and that yet can never fire, hide an outage, or reach nobody.

What the loader itself refuses is no finding: it is an error with file and line.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from orders_obs.alerts.compile import alertmanager, cloudwatch, eventbridge, prometheus, promql, sns
from orders_obs.alerts.compile.engines import missing_on
from orders_obs.alerts.describe import number
from orders_obs.alerts.explain import ALARM_METRIC_USD, COMPOSITE_USD, alarm_parts
from orders_obs.alerts.lint.calls import refused_calls
from orders_obs.alerts.lint.cloudwatch.call_rules import WHY as WHY_REFUSED
from orders_obs.alerts.lint.cloudwatch.rules import lint_alarm
from orders_obs.alerts.lint.rule_files import lint_rules
from orders_obs.alerts.model import ENGINES, Alert, BurnAlert, EventAlert, RawAlert
from orders_obs.alerts.reach import ways
from orders_obs.alerts.units import duration_text
from orders_obs.errors import UserError
from orders_obs.findings import Finding
from orders_obs.signals.model import Count, Level, Presence, Ratio, Share

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from datetime import date

    from orders_obs.alerts.catalogue import Catalogue
    from orders_obs.alerts.model import AnyAlert, ResolvedCatalogue, Severity, Source
    from orders_obs.alerts.reach import Way
    from orders_obs.findings import Level as FindingLevel

__all__ = ["RULES", "lint_catalogue"]

# A bill that somebody should have decided on: more than an objective with both its burn rates.
_DEAR_USD = 2.0
# Later than this a page comes too late to be one.
_SLOW_PAGE = 1800.0
_FEW_BUCKETS = 2
_SHORT = 60.0


def lint_catalogue(
    catalogue: Catalogue, *, environment: str = "", today: date | None = None
) -> list[Finding]:
    """What is wrong with a catalogue, in the order of its environments; waivers are applied.

    Args:
        catalogue: As `load` gives it.
        environment: Only this one; all when empty.
        today: The day on which waivers and mute windows are judged; the real one when None.

    Raises:
        UserError: There is no such environment.
    """
    today = today or datetime.now(UTC).date()
    every = [catalogue.resolve(name) for name in catalogue.environments]
    resolved = [catalogue.resolve(environment)] if environment else every
    names = [each.environment.name for each in resolved]
    somewhere = {name for each in every for name in _evaluated(each)}
    found: dict[_Key, dict[str, None]] = defaultdict(dict)
    for each in resolved:
        for name, check in _CHECKS.items():
            for said in check.find(each, today):
                if check.find is _nowhere and said.alert in somewhere:
                    continue
                found[_Key(said.rule or name, check, said)][each.environment.name] = None
    waived: set[tuple[str, str]] = set()
    findings = []
    for key, environments in found.items():
        waiver = next(
            (
                waiver
                for waiver in resolved[0].waivers
                if waiver.rule == key.rule and waiver.alert in ("", key.said.alert) and today <= waiver.until
            ),
            None,
        )
        if waiver is not None:
            waived.add((waiver.rule, waiver.alert))
            continue
        where = "" if len(environments) == len(names) else f" (in {', '.join(environments)})"
        level = key.said.level or key.check.level_in(resolved[0].version)
        findings.append(
            Finding(key.rule, level, str(key.said.place), key.said.message + where, key.said.hint)
        )
    if not environment:
        findings += _waivers(resolved[0], waived, today)
    return findings


@dataclass(frozen=True, slots=True)
class _Said:
    """What a check says.

    Attributes:
        alert: Name of the alert that it is about; empty where it is about more than one.
        place: Where it is written.
        message: What is wrong.
        hint: What would be right.
        rule: Another rule's name, where the check asks another lint.
        level: That rule's level.
    """

    alert: str
    place: Source
    message: str
    hint: str
    rule: str = ""
    level: FindingLevel | None = None


@dataclass(frozen=True, slots=True)
class _Check:
    """A rule of the lint; `since` is the version of the language from which on it is as grave as `level` says."""

    level: FindingLevel
    why: str
    find: Callable[[ResolvedCatalogue, date], Iterable[_Said]]
    since: int = 1

    def level_in(self, version: int) -> FindingLevel:
        """Its level for a catalogue: a new rule breaks no team's build before the team says so."""
        return "warning" if self.level == "error" and version < self.since else self.level


@dataclass(frozen=True, slots=True)
class _Key:
    rule: str
    check: _Check
    said: _Said


def _about(alert: AnyAlert, message: str, hint: str) -> _Said:
    return _Said(alert.name, alert.source, f"{alert.name} {alert.severity.name}: {message}", hint)


def _live(catalogue: ResolvedCatalogue) -> Iterator[AnyAlert]:
    return (alert for alert in catalogue if alert.mode == "live")


def _real(catalogue: ResolvedCatalogue) -> bool:
    """Whether people rely on the environment; one that is faster is for demonstrations, with the traffic of a demonstration."""
    return catalogue.environment.faster == 1


# Can it fire at all?


def _not_built(catalogue: ResolvedCatalogue, _: date) -> Iterator[_Said]:
    """What any engine of the environment refuses, each alert asked for itself where the whole cannot be built."""
    builds: dict[str, tuple[Callable[..., Any], ...]] = {
        "prometheus": (prometheus.compile_rules, alertmanager.configuration),
        "cloudwatch": (_classic, sns.compile_topics, sns.compile_key),
        "cloudwatch-promql": (promql.compile_alarms,),
    }
    for engine in catalogue.environment.engines:
        refused: dict[str, UserError] = {}
        for build in builds[engine]:
            try:
                build(catalogue)
            except UserError as error:
                refused[str(error)] = error
        if refused and engine == "cloudwatch":
            for alert in catalogue:
                if not missing_on(alert, "cloudwatch"):
                    try:
                        cloudwatch.compile_one(alert)
                    except UserError as error:
                        refused[str(error)] = error
        for said in refused.values():
            place = catalogue.environment.source if said.file is None else _source(said)
            yield _Said(said.message.partition(":")[0], place, said.message, said.hint)


def _classic(catalogue: ResolvedCatalogue) -> None:
    alarms = cloudwatch.compile_all(catalogue)
    cloudwatch.mute_rules(catalogue, alarms)
    eventbridge.compile_rules(catalogue, alarms)


def _source(error: UserError) -> Source:
    from orders_obs.alerts.model import Source

    return Source(Path(str(error.file)), error.line or 1)


def _nowhere(catalogue: ResolvedCatalogue, _: date) -> Iterator[_Said]:
    """Of a single environment; `lint_catalogue` asks whether another one evaluates the alert."""
    evaluated = set(_evaluated(catalogue))
    for alert in catalogue:
        if alert.name not in evaluated:
            hint = getattr(getattr(alert, "signal", None), "elsewhere", "") or "look at its engines"
            yield _about(alert, "no engine of any environment evaluates it", hint)


def _evaluated(catalogue: ResolvedCatalogue) -> Iterator[str]:
    """Names of the alerts that an engine of the environment evaluates."""
    for alert in catalogue:
        engines = [engine for engine in catalogue.environment.engines if engine in (alert.engines or ENGINES)]
        if not all(missing_on(alert, engine) for engine in engines):
            yield alert.name


def _minimum_out_of_reach(catalogue: ResolvedCatalogue, _: date) -> Iterator[_Said]:
    traffic = catalogue.environment.traffic
    if traffic is None:
        return
    for alert in _live(catalogue):
        for window, minimum in _minima(alert):
            events = traffic * window
            if minimum and events < minimum:
                yield _about(
                    alert,
                    f"typical traffic is {number(round(events, 1))} requests in {duration_text(window)}, below the minimum of"
                    f" {minimum}: it never says anything",
                    f"take a minimum below {max(1, int(events))}, a longer sample, or correct traffic",
                )


def _minima(alert: AnyAlert) -> Iterator[tuple[float, int]]:
    """Seconds and minimum of what counts requests of the service."""
    signal = getattr(alert, "signal", None)
    if not isinstance(signal, Ratio | Share) or not _of_requests(signal):
        return
    if isinstance(alert, Alert):
        yield alert.over, alert.minimum
    elif isinstance(alert, BurnAlert):
        yield from ((window.long, window.minimum) for window in alert.windows)


def _of_requests(signal: Ratio | Share) -> bool:
    selector = signal.total if isinstance(signal, Ratio) else signal.events
    return selector.instrument.name.startswith("http_request") and not selector.matchers


def _minimum_too_small(catalogue: ResolvedCatalogue, _: date) -> Iterator[_Said]:
    if not _real(catalogue):
        return
    for alert in _live(catalogue):
        if not isinstance(alert, Alert) or not alert.minimum or not alert.high_is_bad:
            continue
        alone = 1 / alert.minimum
        if alone > alert.threshold or (alert.comparison == "at_least" and alone == alert.threshold):
            yield _about(
                alert,
                f"one event among {alert.minimum} is {number(round(alone * 100, 2))}%, which alone is beyond the threshold of"
                f" {number(alert.threshold * 100)}%",
                f"take a minimum of at least {int(1 / alert.threshold) + (alert.comparison == 'at_least')}",
            )


def _few_buckets_above(catalogue: ResolvedCatalogue, _: date) -> Iterator[_Said]:
    for alert in catalogue:
        signal = getattr(alert, "signal", None)
        bound = getattr(alert, "bound", None)
        if not isinstance(signal, Share) or bound is None:
            continue
        buckets = signal.events.instrument.buckets
        above = sum(bucket > bound for bucket in buckets)
        if above < _FEW_BUCKETS:
            yield _about(
                alert,
                f"{duration_text(bound)} has {above} buckets of {signal.events.instrument.name} above it, so a graph cannot show how"
                " bad it is",
                "add two buckets above the highest threshold",
            )


def _crossed(catalogue: ResolvedCatalogue, _: date) -> Iterator[_Said]:
    """Severities of one alert of which the worse fires no later than the milder one, which then tells nobody ever."""
    by_name: dict[str, list[Alert]] = defaultdict(list)
    for alert in catalogue.alerts:
        by_name[alert.name].append(alert)
    for alerts in by_name.values():
        for worse, milder in pairwise(sorted(alerts, key=lambda alert: alert.severity.rank)):
            if worse.high_is_bad != milder.high_is_bad or worse.statistic != milder.statistic:
                continue
            sign = 1 if worse.high_is_bad else -1
            sooner = (
                sign * worse.threshold <= sign * milder.threshold
                and (worse.bound or 0) <= (milder.bound or 0)
                and worse.over * worse.breaching <= milder.over * milder.breaching
                and worse.breaching <= milder.breaching
                and worse.minimum <= milder.minimum
            )
            if sooner:
                yield _about(
                    milder,
                    f"fires no sooner than {worse.severity.name} ({worse.source.short}), which mutes it: nobody is ever told",
                    f"make {worse.severity.name} stricter, or take {milder.severity.name} away",
                )


def _below_nothing(catalogue: ResolvedCatalogue, _: date) -> Iterator[_Said]:
    for alert in catalogue.alerts:
        if isinstance(alert.signal, Count) and alert.when_missing != "breach" and not alert.high_is_bad:
            yield _about(
                alert,
                f"where nothing is counted at all samples are missing, and when_missing: {alert.when_missing} does not fire then",
                "say when_missing: breach, or alert on what must be there (absent_for)",
            )


# Does it see an outage?


def _hidden(catalogue: ResolvedCatalogue, _: date) -> Iterator[_Said]:
    for alert in catalogue.alerts:
        signal = alert.signal
        there = isinstance(signal, Level) and signal.unit in ("{host}", "{task}")
        if there and not alert.high_is_bad and alert.when_missing != "breach":
            yield _about(
                alert,
                f"when the last one is gone there may be no data either, and when_missing: {alert.when_missing} does not fire then",
                "say when_missing: breach",
            )


def _unseen(catalogue: ResolvedCatalogue, _: date) -> Iterator[_Said]:
    if not _real(catalogue):
        return
    live = list(_live(catalogue))
    blind = [alert for alert in live if isinstance(alert, Alert | BurnAlert) and any(_minima(alert))]
    sees = any(
        isinstance(alert, Alert)
        and (
            (isinstance(alert.signal, Presence) and alert.signal.name == "service")
            or (
                isinstance(alert.signal, Level)
                and alert.signal.unit in ("{host}", "{task}")
                and not alert.high_is_bad
            )
        )
        for alert in live
    )
    if blind and not sees:
        yield _about(
            blind[0],
            "shares say nothing when nothing answers, and no alert sees a total outage",
            "add one on healthy_hosts (below: 1 host, when_missing: breach), running_tasks, or service (absent_for: 5m)",
        )


def _short_sample(catalogue: ResolvedCatalogue, _: date) -> Iterator[_Said]:
    if not _real(catalogue):
        return
    for alert in _live(catalogue):
        if (
            isinstance(alert, Alert)
            and alert.severity.page
            and isinstance(alert.signal, Level | Ratio | Share)
            and alert.over <= _SHORT
            and alert.samples == 1
        ):
            yield _about(
                alert,
                f"pages for one sample of {duration_text(alert.over)}: a single spike wakes somebody",
                "take several samples, such as breaching: 2 of 3, or a longer one",
            )


def _slow_page(catalogue: ResolvedCatalogue, _: date) -> Iterator[_Said]:
    for alert in _live(catalogue):
        if isinstance(alert, Alert) and alert.severity.page and alert.over * alert.breaching > _SLOW_PAGE:
            yield _about(
                alert,
                f"pages {duration_text(alert.over * alert.breaching)} after it began at the latest",
                f"take samples that add up to {duration_text(_SLOW_PAGE)} or less, or a severity that does not page",
            )


# Does anybody hear of it?


def _nobody_told(catalogue: ResolvedCatalogue, _: date) -> Iterator[_Said]:
    for severity, found in _ways(catalogue):
        for way in found:
            if not way.reached:
                yield _Said(
                    "",
                    severity.source,
                    f"severity {severity.name}: nobody is told on {way.engine}"
                    + (f": {'; '.join(way.lost)}" if way.lost else ": it has no receiver"),
                    "give it a receiver, or log: true if it is to be recorded only",
                )


def _receiver_unreachable(catalogue: ResolvedCatalogue, _: date) -> Iterator[_Said]:
    for severity, found in _ways(catalogue):
        for way in found:
            if way.reached:
                for reason in way.lost:
                    message = f"severity {severity.name}: on {way.engine} {reason}"
                    yield _Said(
                        "", severity.source, message, "name what is needed, or take the receiver away"
                    )


def _ways(catalogue: ResolvedCatalogue) -> Iterator[tuple[Severity, list[Way]]]:
    """Of each severity that tells somebody, the ways to them."""
    used = {alert.severity.name for alert in _live(catalogue)}
    for severity in catalogue.severities:
        if severity.name in used and not severity.log:
            yield severity, ways(severity, catalogue.environment)


def _page_by_email(catalogue: ResolvedCatalogue, _: date) -> Iterator[_Said]:
    for severity in catalogue.severities:
        if severity.page and severity.email and not severity.receivers:
            yield _Said(
                "",
                severity.source,
                f"severity {severity.name} pages by e-mail alone, which wakes nobody",
                "add pagerduty: secret:NAME, or page: false",
            )


def _relay_unwatched(catalogue: ResolvedCatalogue, _: date) -> Iterator[_Said]:
    environment = catalogue.environment
    relay = environment.lookups.get("relay_function")
    if "relay_function" not in environment.resources and relay is None:
        return
    if not any(
        isinstance(alert, Alert) and alert.signal.name == "relay_errors" for alert in _live(catalogue)
    ):
        yield _Said(
            "",
            relay.source if relay else environment.source,
            f"environment {environment.name}: nobody hears when the relay fails, and with it Slack",
            "include: [package:relay]",
        )


def _without_runbook(catalogue: ResolvedCatalogue, _: date) -> Iterator[_Said]:
    lacking = [alert for alert in _live(catalogue) if not alert.runbook and not alert.severity.log]
    for alert in {alert.name: alert for alert in reversed(lacking)}.values():
        yield _Said(
            alert.name,
            alert.source,
            f"{alert.name}: has no runbook: who is told should not have to search for what to do",
            "say runbook: https://…, or runbook_base for all",
        )


def _without_owner(catalogue: ResolvedCatalogue, _: date) -> Iterator[_Said]:
    lacking = {alert.name: alert for alert in _live(catalogue) if not alert.owner}
    if lacking:
        first = next(iter(lacking.values()))
        others = f" and {len(lacking) - 1} others" if len(lacking) > 1 else ""
        message = f"{first.name}{others}: nobody answers for it"
        yield _Said(first.name, first.source, message, "say owner: TEAM for the catalogue or the alert")


# Prices, mutes


def _expensive(catalogue: ResolvedCatalogue, _: date) -> Iterator[_Said]:
    if "cloudwatch" not in catalogue.environment.engines:
        return
    for alert in catalogue:
        if isinstance(alert, EventAlert) or missing_on(alert, "cloudwatch"):
            continue
        try:
            metrics, composites = alarm_parts(alert)
        except UserError:
            continue
        price = metrics * ALARM_METRIC_USD + composites * COMPOSITE_USD
        if price > _DEAR_USD:
            yield _about(
                alert,
                f"costs {price:.2f} USD a month on CloudWatch ({metrics} metrics, {composites} composites)",
                "leave CloudWatch out (engines: [prometheus]), or watch fewer metrics",
            )


def _mutes_nothing(catalogue: ResolvedCatalogue, _: date) -> Iterator[_Said]:
    for window in catalogue.mutes:
        if not any(window.covers(alert) for alert in catalogue):
            message = f"mute {window.name}: no alert has both one of its names and one of its severities"
            yield _Said("", window.source, message, "correct its alerts or severities")


def _mute_over(catalogue: ResolvedCatalogue, today: date) -> Iterator[_Said]:
    for window in catalogue.mutes:
        if window.on is not None and (today - window.on).days * 1440 > window.minute + window.length:
            message = f"mute {window.name}: was over on {window.on.isoformat()} or soon after"
            yield _Said("", window.source, message, "take it out")


# Raw forms, by the lint of their own language


def _refused(catalogue: ResolvedCatalogue, _: date) -> Iterator[_Said]:
    for alert, name, problem in refused_calls(catalogue):
        where = "" if problem.message.startswith(problem.path) else f"{problem.path}: "
        message = f"AWS refuses {name}: {where}{problem.message}"
        if alert is not None:
            yield _about(alert, message, problem.hint)
        else:
            yield _Said("", catalogue.environment.source, message, problem.hint)


def _raw(catalogue: ResolvedCatalogue, _: date) -> Iterator[_Said]:
    for alert in catalogue.raws:
        findings: list[Finding] = []
        if alert.cloudwatch is not None and "cloudwatch" in catalogue.environment.engines:
            made = cloudwatch.compile_one(alert)
            (alarm,) = (*made.metric, *made.composite)
            findings += lint_alarm(alarm, str(alert.source))
        if alert.prometheus is not None and "prometheus" in catalogue.environment.engines:
            findings += lint_rules(_as_rule_file(alert), alert.source.file)
        for finding in findings:
            rule = (alert.prometheus or {}).get("alert", alert.name)
            message = finding.message.removeprefix(f"{alert.full_name}: ").removeprefix(f"{rule}: ")
            said = _about(alert, message, finding.hint)
            yield _Said(said.alert, said.place, said.message, said.hint, finding.rule, finding.level)


def _as_rule_file(alert: RawAlert) -> str:
    own = alert.prometheus or {}
    rule = {
        "alert": alert.name,
        **own,
        "annotations": {
            "summary": alert.name,
            "runbook_url": alert.runbook or "-",
            **(own.get("annotations") or {}),
        },
    }
    rule["labels"] = {"severity": alert.severity.name, **(rule.get("labels") or {})}
    return yaml.safe_dump({"groups": [{"name": alert.name, "rules": [rule]}]})


# Waivers


def _waivers(catalogue: ResolvedCatalogue, waived: set[tuple[str, str]], today: date) -> Iterator[Finding]:
    for waiver in catalogue.waivers:
        about = f"{waiver.rule}{f' of {waiver.alert}' if waiver.alert else ''}"
        if today > waiver.until:
            message = f"the waiver of {about} ended on {waiver.until.isoformat()}"
            hint = "mend what it waived, or give it a new end"
            yield Finding("waiver-over", "warning", str(waiver.source), message, hint)
        elif (waiver.rule, waiver.alert) not in waived:
            message = f"the waiver of {about} waives nothing"
            yield Finding("waiver-unused", "info", str(waiver.source), message, "take it out")


_CHECKS: dict[str, _Check] = {
    "cannot-be-built": _Check(
        "error",
        "An engine of the environment refuses the alert, so nothing of the catalogue can be built for it.",
        _not_built,
    ),
    "evaluated-nowhere": _Check(
        "error", "No engine of any environment has the alert, so it exists on paper only.", _nowhere
    ),
    "minimum-out-of-reach": _Check(
        "error",
        "With less traffic than the minimum every sample is missing, and the alert never says anything.",
        _minimum_out_of_reach,
    ),
    "minimum-too-small": _Check(
        "warning",
        "With so few events a single failure is beyond the threshold, and wakes somebody at night.",
        _minimum_too_small,
    ),
    "few-buckets-above": _Check(
        "warning",
        "A quantile never exceeds the largest finite bucket, so a graph stops at the threshold.",
        _few_buckets_above,
    ),
    "severities-crossed": _Check(
        "error",
        "The worse severity fires whenever the milder one does and mutes it, so the milder one never tells anybody.",
        _crossed,
    ),
    "missing-hides-outage": _Check(
        "error",
        "When all instances are gone their number may be gone with them, and only `breach` fires then.",
        _hidden,
    ),
    "quiet-count": _Check(
        "warning",
        "A counter that nobody reports has no samples, so too few events and no data look alike.",
        _below_nothing,
    ),
    "outage-unseen": _Check(
        "warning",
        "Error rates and latencies are shares of requests that were answered: a total outage has none.",
        _unseen,
    ),
    "short-page": _Check(
        "warning",
        "One short sample is noise more often than trouble, and a page for noise is soon ignored.",
        _short_sample,
    ),
    "slow-page": _Check(
        "warning", "Who is paged half an hour late could have been told in the morning.", _slow_page
    ),
    "nobody-told": _Check(
        "error", "SNS and Alertmanager take a message that nobody receives without a word.", _nobody_told
    ),
    "receiver-unreachable": _Check(
        "warning",
        "A receiver that an engine cannot reach looks like one that it can, until it matters.",
        _receiver_unreachable,
    ),
    "page-by-email": _Check("warning", "Nobody is woken by an e-mail.", _page_by_email),
    "relay-unwatched": _Check(
        "warning", "Where the relay fails, all that it should have told is silent too.", _relay_unwatched
    ),
    "missing-runbook": _Check(
        "warning", "Who is woken should not have to search for what to do.", _without_runbook
    ),
    "missing-owner": _Check("info", "An alert that nobody answers for is never mended.", _without_owner),
    "expensive-alarm": _Check(
        "warning",
        "Each metric of an expression is billed, so a burn rate can cost more than the rest together.",
        _expensive,
    ),
    "mutes-nothing": _Check(
        "warning", "A mute window that covers no alert mutes nothing when it is needed.", _mutes_nothing
    ),
    "mute-over": _Check("info", "A window that is over is forgotten until it hides something.", _mute_over),
    "call-refused": _Check("error", WHY_REFUSED, _refused),
    "raw": _Check("error", "A raw form is judged by the lint of its own language.", _raw),
}

RULES: dict[str, str] = {
    **{name: check.why for name, check in _CHECKS.items() if name != "raw"},
    "waiver-over": "A waiver is a promise with a day, and the day is over.",
    "waiver-unused": "What it waived is mended, so it would hide only what comes next.",
}
"""Each rule of this lint, and why it is one."""

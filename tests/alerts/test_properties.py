"""Random catalogues: what is built means what the words say, on every engine, and what is wrong is one error with its place."""

from __future__ import annotations

import json
import os
import random
import re
import string
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import botocore.session
import pytest
import yaml
from botocore.validate import ParamValidator
from hypothesis import HealthCheck, Phase, assume, given, settings
from hypothesis import strategies as st

from orders_obs.alerts import Alert, load
from orders_obs.alerts.catalogue import Catalogue
from orders_obs.alerts.compile.outputs import OUTPUTS, build
from orders_obs.alerts.evaluate import SampleRule, burning, burns
from orders_obs.alerts.model import AnyAlert, BurnWindow, EventAlert, ResolvedCatalogue
from orders_obs.alerts.nodes import Node
from orders_obs.errors import UserError
from orders_obs.signals import SIGNALS, Count, Level, Presence
from orders_obs.signals.model import Selector
from tests.alerts.random_catalogues import ENVIRONMENT, FAST, Drawn, Wanted, available, catalogues
from tests.alerts.read_back import Read, fires, read_alarm, read_rule, read_rules
from tests.alerts.rule_parts import assert_parts_are_the_rules

settings.register_profile("ci", derandomize=True)
settings.load_profile("ci" if os.environ.get("CI") else "default")
SLOW = [HealthCheck.too_slow, HealthCheck.data_too_large]
PHASES = (Phase.explicit, Phase.reuse, Phase.generate, Phase.shrink)
COMMON: dict[str, Any] = {"deadline": None, "suppress_health_check": SLOW, "phases": PHASES}
MODEL = botocore.session.get_session().get_service_model("cloudwatch")


@contextmanager
def folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory() as name:
        yield Path(name)


def read(drawn: Drawn, shuffle: Callable[[dict[str, Any]], dict[str, Any]] | None = None) -> Catalogue:
    with folder() as place:
        return load(drawn.write(place, shuffle))


def built(resolved: ResolvedCatalogue, engine: str) -> tuple[dict[str, str], set[str]]:
    """The files of an engine, and the names in its differences."""
    files, differences = build(resolved, engine)
    return files, {difference.name for difference in differences}


# --- What the words say


@settings(max_examples=60, **COMMON)
@given(catalogues())
def test_an_alert_means_what_its_words_say_whichever_layer_they_stand_in(drawn: Drawn) -> None:
    found = {(alert.name, alert.severity.name): alert for alert in read(drawn).resolve(ENVIRONMENT).alerts}
    assert found.keys() == {(each.name, each.severity) for each in drawn.wanted}
    for each in drawn.wanted:
        alert = found[each.name, each.severity]
        assert (alert.signal.name, alert.comparison, alert.bound, alert.mode) == (
            each.signal,
            each.side,
            each.bound,
            each.mode,
        )
        assert (alert.over, alert.breaching, alert.samples, alert.minimum, alert.when_missing) == (
            each.over,
            each.m,
            each.n,
            each.minimum,
            each.policy,
        )
        assert alert.threshold == each.threshold
        assert set(alert.engines) == set(each.engines)


@settings(max_examples=40, **COMMON)
@given(catalogues())
def test_what_show_prints_as_the_merged_words_is_a_catalogue_of_the_same_alerts(drawn: Drawn) -> None:
    catalogue = read(drawn)
    merged = yaml.safe_load(catalogue.merged_text(ENVIRONMENT))["alerts"]
    above = {
        word: value for word, value in drawn.top["environments"][ENVIRONMENT].items() if word != "alerts"
    }
    top = {
        word: value for word, value in drawn.top.items() if word not in ("include", "environments", "alerts")
    }
    again = read(Drawn({**top, "environments": {ENVIRONMENT: above}, "alerts": merged}, {}, []))

    def meant(resolved: ResolvedCatalogue) -> list[AnyAlert]:
        nowhere = next(iter(resolved)).source
        return [
            replace(
                alert,
                source=nowhere,
                severity=replace(alert.severity, source=nowhere),
                environment=replace(alert.environment, source=nowhere),
            )
            for alert in resolved
        ]

    first, second = meant(catalogue.resolve(ENVIRONMENT)), meant(again.resolve(ENVIRONMENT))
    nowhere = first[0].source
    assert first == [
        replace(
            alert,
            source=nowhere,
            severity=replace(alert.severity, source=nowhere),
            environment=replace(alert.environment, source=nowhere),
        )
        for alert in second
    ]


# --- What is built


@settings(max_examples=40, **COMMON)
@given(catalogues())
def test_every_alert_is_in_what_is_built_or_named_in_a_difference(drawn: Drawn) -> None:
    catalogue = read(drawn)
    for environment in catalogue.environments:
        resolved = catalogue.resolve(environment)
        for engine in OUTPUTS:
            if environment == FAST and engine not in ("prometheus", "alertmanager"):
                # A second is no period of CloudWatch, and the environment has no account.
                _refused(lambda resolved=resolved, engine=engine: built(resolved, engine))  # type: ignore[misc]
                continue
            files, differences = built(resolved, engine)
            there = _in_output(engine, next(iter(files.values())))
            for alert in resolved:
                if _belongs(alert, engine):
                    assert bool(_names(alert) & there) or bool({alert.name, alert.full_name} & differences), (
                        engine,
                        alert.full_name,
                    )


def _refused(act: Callable[[], Any]) -> bool:
    """Whether it is the user's error, which then says what and where; any other exception fails the test."""
    try:
        act()
    except UserError as refusal:
        error = refusal
    else:
        return False
    assert error.message
    assert error.file is not None
    assert error.line
    return True


def _names(alert: AnyAlert) -> set[str]:
    return {alert.full_name, f"id={alert.alert_id}"}


def _belongs(alert: AnyAlert, engine: str) -> bool:
    """Whether an output is one that an alert could be in, if the engine has its data."""
    event = isinstance(alert, EventAlert)
    if engine in ("alertmanager", "sns", "logs"):
        return False
    if engine == "eventbridge":
        return event
    if engine in ("aws", "cloudformation", "terraform"):
        return not alert.engines or bool({"cloudwatch", "cloudwatch-promql"} & set(alert.engines))
    if event:
        return engine != "cloudwatch"
    return not alert.engines or engine in alert.engines


def _in_output(engine: str, text: str) -> set[str]:
    """The full names of alarms, and the identities of alerts, that a text has."""
    if engine == "prometheus":
        rules = read_rules(text)
        return {f"id={rule['labels']['alert_id']}" for rule in rules.alerts.values()}
    if engine == "alertmanager":
        return set()
    found = set(re.findall(r'"(?:AlarmName|alarm_name)": "([^"]+)"', text))
    return found | {f"id={name}" for name in _identities(json.loads(text))}


def _identities(content: Any) -> Iterator[str]:
    if isinstance(content, dict):
        if content.get("Key") == "alert-id":
            yield content["Value"]
        if isinstance(content.get("tags"), dict) and "alert-id" in content["tags"]:
            yield content["tags"]["alert-id"]
        for value in content.values():
            yield from _identities(value)
    elif isinstance(content, list):
        for value in content:
            yield from _identities(value)


@settings(max_examples=25, **COMMON)
@given(catalogues(), st.randoms(use_true_random=False))
def test_the_same_catalogue_gives_the_same_text_in_whatever_order_its_keys_stand(
    drawn: Drawn, chance: random.Random
) -> None:
    def shuffle(words: dict[str, Any]) -> dict[str, Any]:
        keys = list(words)
        chance.shuffle(keys)
        return {key: words[key] for key in keys}

    first, second = (read(drawn, how).resolve(ENVIRONMENT) for how in (None, shuffle))
    for engine in OUTPUTS:
        assert built(first, engine) == built(second, engine), engine


@settings(max_examples=25, **COMMON)
@given(catalogues(), st.randoms(use_true_random=False))
def test_the_order_of_alerts_changes_only_the_order_of_what_is_built(
    drawn: Drawn, chance: random.Random
) -> None:
    def lines(top: dict[str, Any]) -> dict[str, list[str]]:
        resolved = read(replace(drawn, top=top)).resolve(ENVIRONMENT)
        # Comments name lines; commas depend on what is last.
        return {
            engine: sorted(
                line.strip().rstrip(",")
                for line in next(iter(built(resolved, engine)[0].values())).splitlines()
                if not line.strip().startswith("#")
            )
            for engine in ("prometheus", "cloudwatch", "aws")
        }

    names = list(drawn.top.get("alerts", {}))
    assume(len(names) > 1)
    mixed = sorted(names, key=lambda _: chance.random())
    assert lines(drawn.top) == lines(
        {**drawn.top, "alerts": {name: drawn.top["alerts"][name] for name in mixed}}
    )


@settings(max_examples=40, **COMMON)
@given(catalogues())
def test_alarms_are_what_botocores_model_takes_within_the_limits_of_cloudwatch(drawn: Drawn) -> None:
    files, _ = build(read(drawn).resolve(ENVIRONMENT), "aws")
    content = json.loads(next(iter(files.values())))
    names = [alarm["AlarmName"] for kind in ("metric_alarms", "composite_alarms") for alarm in content[kind]]
    assert len(names) == len(set(names))
    for kind, operation in (
        ("metric_alarms", "PutMetricAlarm"),
        ("composite_alarms", "PutCompositeAlarm"),
        ("mute_rules", "PutAlarmMuteRule"),
    ):
        shape = MODEL.operation_model(operation).input_shape
        for arguments in content[kind]:
            report = ParamValidator().validate(arguments, shape)
            assert not report.has_errors(), report.generate_report()
            assert len(arguments.get("AlarmName", "")) <= 255
            assert len(arguments.get("AlarmRule", "")) <= 10_240
            assert arguments.get("DatapointsToAlarm", 0) <= arguments.get("EvaluationPeriods", 0)
            # What a composite joins or is muted by is there, before it.
            for name in re.findall(r'ALARM\("([^"]+)"\)', arguments.get("AlarmRule", "")):
                assert names.index(name) < names.index(arguments["AlarmName"])
            assert arguments.get("ActionsSuppressor", arguments.get("AlarmName", "")) in ("", *names)


# --- Compile, and read back


def _policy(each: Wanted | Alert, policy: str) -> str:
    """On Prometheus an unknown sample is a good one."""
    return "ok" if policy == "unknown" else policy


@settings(max_examples=60, **COMMON)
@given(catalogues())
def test_a_classic_alarm_reads_back_as_the_alert_that_it_is_built_from(drawn: Drawn) -> None:
    resolved = read(drawn).resolve(ENVIRONMENT)
    files, _ = build(resolved, "cloudwatch")
    content = json.loads(next(iter(files.values())))
    alarms = [*content["metric_alarms"], *content["composite_alarms"]]
    topics = {severity.name: severity for severity in resolved.severities}
    service = drawn.top["service"]
    for each in drawn.wanted:
        if "cloudwatch" not in (each.engines or available(SIGNALS[each.signal])):
            continue
        severity = topics[each.severity]
        topic = severity.topic
        if topic and not topic.startswith("arn:"):
            topic = f"arn:aws:sns:eu-west-1:111122223333:{topic}-{ENVIRONMENT}"
        worse = {
            f"{service}-{ENVIRONMENT}-{other.name}-{other.severity}"
            for other in drawn.wanted
            if other.name == each.name
            and topics[other.severity].rank < severity.rank
            and topics[other.severity].topic
            and not topics[other.severity].log
            and other.mode == "live"
        }
        presence = isinstance(SIGNALS[each.signal], Presence)
        found = read_alarm(f"{service}-{ENVIRONMENT}-{each.name}-{each.severity}", alarms)
        assert replace(found, threshold=round(found.threshold, 12)) == Read(
            _cloudwatch_metrics(each.signal),
            each.side,
            round(each.threshold, 12),
            each.bound,
            each.over,
            each.m,
            each.n,
            each.minimum,
            each.policy,
            "SampleCount" if presence else each.statistic,
            each.mode == "live",
            each.severity,
            (topic,) if topic and not severity.log else (),
            frozenset(worse),
        )


def _cloudwatch_metrics(name: str) -> frozenset[str]:
    signal: Any = SIGNALS[name]
    several = getattr(signal, "cloudwatch_total", ()) + getattr(signal, "cloudwatch_part", ())
    return frozenset(f"{m.namespace}/{m.name}" for m in several or [signal.cloudwatch])


@settings(max_examples=60, **COMMON)
@given(catalogues())
def test_a_prometheus_rule_reads_back_as_the_alert_that_it_is_built_from(drawn: Drawn) -> None:
    catalogue = read(drawn)
    for environment in catalogue.environments:
        faster = 60 if environment == FAST else 1
        rules = read_rules(next(iter(build(catalogue.resolve(environment), "prometheus")[0].values())))
        for each in drawn.wanted:
            if "prometheus" not in (each.engines or available(SIGNALS[each.signal])):
                continue
            signal = SIGNALS[each.signal]
            statistic = (
                each.statistic
                if isinstance(signal, Level)
                else "Maximum"
                if isinstance(signal, Presence)
                else "events"
                if isinstance(signal, Count)
                else "share"
            )
            found = read_rule(each.name, each.severity, rules)
            assert replace(found, metrics=frozenset()) == Read(
                frozenset(),
                each.side,
                round(each.threshold, 12),
                each.bound,
                each.over / faster,
                each.m,
                each.n,
                each.minimum,
                _policy(each, each.policy),
                statistic,
                each.mode == "live",
                each.severity,
            )
            assert found.metrics == _series(each.signal)


@settings(max_examples=40, **COMMON)
@given(catalogues())
def test_the_parts_that_promtool_tests_are_together_the_deployed_rules(drawn: Drawn) -> None:
    catalogue = read(drawn)
    for environment in catalogue.environments:
        assert_parts_are_the_rules(build(catalogue.resolve(environment), "prometheus")[0])


def _series(name: str) -> frozenset[str]:
    """The series that Prometheus has of a signal, where every exporter is named."""
    named = {
        "database_connections": {"pg_stat_activity_count", "database_pool_connections"},
        "database": {"pg_up"},
        "running_tasks": {"up"},
        "service": {"up"},
        "service_cpu": {"process_cpu_seconds_total"},
        "unhealthy_hosts": {"up"},
        "healthy_hosts": {"up"},
    }
    if name in named:
        return frozenset(named[name])
    signal: Any = SIGNALS[name]
    if isinstance(signal, Level):
        return frozenset(
            source.instrument.name for source in signal.prometheus if isinstance(source, Selector)
        )
    selector = getattr(signal, "events", None) or signal.total
    instrument = selector.instrument.name
    return frozenset(
        {f"{instrument}_count", f"{instrument}_bucket"} if "duration" in instrument else {instrument}
    )


SAMPLE = st.sampled_from([0.0, 1.0, None])


@settings(max_examples=60, **COMMON)
@given(catalogues(most=2), st.data())
def test_on_any_samples_a_rule_fires_when_the_plain_sample_rule_does(
    drawn: Drawn, data: st.DataObject
) -> None:
    rules = read_rules(next(iter(build(read(drawn).resolve(ENVIRONMENT), "prometheus")[0].values())))
    for each in drawn.wanted:
        if (each.name, each.severity) not in rules.alerts:
            continue
        rule = SampleRule("at_least", 1.0, each.m, each.n, each.policy)  # type: ignore[arg-type]
        for _ in range(5):
            samples = data.draw(st.lists(SAMPLE, min_size=each.n, max_size=each.n))
            fired = data.draw(st.booleans())
            assert fires(rules.alerts[each.name, each.severity], samples, fired=fired) == rule.fires(
                samples, fired=fired
            ), (each, samples, fired)


# --- The meaning


@given(
    st.lists(SAMPLE, max_size=12),
    st.integers(1, 8),
    st.integers(1, 8),
    st.sampled_from(["ok", "breach", "keep", "unknown"]),
    st.booleans(),
)
@settings(max_examples=300, **COMMON)
def test_m_of_the_last_n_samples_decide_and_a_missing_one_does_what_the_policy_says(
    samples: list[float | None], m: int, n: int, policy: Any, fired: bool
) -> None:
    assume(m <= n)
    rule = SampleRule("above", 0.5, m, n, policy)
    last = ([None] * n + samples)[-n:]
    found = rule.fires(samples, fired=fired)

    def with_missing_as(value: float) -> bool:
        return sum(value if sample is None else sample for sample in last) >= m

    if policy == "keep":
        # It changes only to what every way to fill the gaps would say.
        best, worst = with_missing_as(0.0), with_missing_as(1.0)
        assert found == (best if best == worst else best or fired)
    else:
        assert found == with_missing_as(1.0 if policy == "breach" else 0.0)
        assert found == rule.fires(samples, fired=not fired)
    # More good samples never make it fire.
    better: list[float | None] = [0.0 if sample is None else sample for sample in last]
    assert not (rule.fires(better, fired=False) and not rule.fires(last, fired=True) and policy != "ok")


@settings(max_examples=100, **COMMON)
@given(
    st.lists(st.tuples(st.integers(0, 20), st.integers(0, 20)), min_size=1, max_size=40),
    st.integers(1, 3),
    st.sampled_from([0.01, 0.1, 0.5]),
    st.integers(1, 30),
)
def test_a_budget_burns_while_both_windows_of_a_pair_do(
    looks: list[tuple[int, int]], short: int, threshold: float, minimum: int
) -> None:
    part = [min(pair) for pair in looks]
    total = [max(pair) for pair in looks]
    window = BurnWindow(short * 12.0, float(short), 1.0, threshold, minimum)
    states = burning(part, total, [window], 1.0)
    for look in range(1, len(looks) + 1):
        long_bad, long_all = sum(part[:look][-12 * short :]), sum(total[:look][-12 * short :])
        short_bad, short_all = sum(part[:look][-short:]), sum(total[:look][-short:])
        burnt = long_all >= minimum and long_bad > threshold * long_all and short_bad > threshold * short_all
        assert states[look - 1] == burnt
        assert burns(part[:look], total[:look], [window], 1.0) == burnt


# --- What is wrong

WRONG_VALUES: dict[str, list[Any]] = {
    "over": ["5", "0m", "90", "7s", "5 minutes", "-1m", "1e3m", "0.0001ms"],
    "absent_for": ["5", "7s"],
    "breaching": ["3 of 2", "0 of 1", "2", "two of three"],
    "minimum": ["100", "0 requests", "100 orders"],
    "when_missing": ["ignore", "OK"],
    "statistic": ["mean"],
    "mode": ["off"],
    "engines": [["datadog"], []],
    "signal": ["http_eror_ratio"],
    "slower_than": ["4s", "5"],
    "was": [["Bad Name"]],
    "id": ["bad-name"],
    "above": ["5", "x%", "1 furlong"],
    "below": ["5", "x%", "1 furlong"],
    "at_least": ["5", "x%", "1 furlong"],
    "at_most": ["5", "x%", "1 furlong"],
}


@settings(max_examples=120, **COMMON)
@given(catalogues(most=3), st.data())
def test_a_mistake_is_one_error_with_its_line(drawn: Drawn, data: st.DataObject) -> None:
    places = [("catalogue.yaml", name, words) for name, words in drawn.top.get("alerts", {}).items()]
    for file, part in drawn.parts.items():
        places += [(file, name, words) for name, words in part["alerts"].items()]
    file, name, words = data.draw(st.sampled_from(places))
    overridden = (
        name in drawn.top["environments"][ENVIRONMENT].get("alerts", {})
        or sum(place[1] == name for place in places) > 1
    )
    # What a higher layer says otherwise is not wrong, so only what cannot be overridden is broken where there is one.
    kind = data.draw(st.sampled_from(["typo", "value"]))
    target = data.draw(st.sampled_from([words, *(v for v in words.values() if isinstance(v, dict))]))
    key = data.draw(st.sampled_from(sorted(target)))
    if kind == "typo":
        assume(key not in ("cloudwatch", "labels") and "cloudwatch" not in words.get("raw", {}))
        renamed = key + data.draw(st.sampled_from(string.ascii_lowercase))
        broken = {renamed if word == key else word: value for word, value in target.items()}
    else:
        assume(key in WRONG_VALUES and not overridden and target is not words.get("raw"))
        # A word that a condition says again is not read.
        assume(target is not words or not any(key in v for v in words.values() if isinstance(v, dict)))
        broken = {**target, key: data.draw(st.sampled_from(WRONG_VALUES[key]))}
    original = dict(target)
    target.clear()
    target.update(broken)
    try:
        with folder() as place:
            path = drawn.write(place)
            with pytest.raises(UserError) as caught:
                load(path)
            error = caught.value
            assert error.message
            assert error.file is not None
            if not overridden:
                assert Path(error.file).name == file
            line = Path(error.file).read_text().splitlines()[(error.line or 0) - 1]
            assert error.line
            assert name in line
    finally:
        target.clear()
        target.update(original)


@settings(max_examples=150, **COMMON)
@given(catalogues(most=2), st.data())
def test_text_with_something_changed_anywhere_is_read_or_refused_with_a_place(
    drawn: Drawn, data: st.DataObject
) -> None:
    with folder() as place:
        path = drawn.write(place)
        text = path.read_text()
        at = data.draw(st.integers(0, len(text)))
        cut = data.draw(st.integers(0, 3))
        new = data.draw(
            st.one_of(
                st.text(max_size=3),
                st.sampled_from(
                    [
                        "%",
                        "0",
                        "9" * 400,
                        " - ",
                        "{",
                        "]",
                        ": ",
                        "&a ",
                        "*a",
                        "none",
                        "٣",
                        "!!int ",
                        "\t",
                        '"',
                    ]
                ),
            )
        )
        path.write_text(text[:at] + new + text[at + cut :], encoding="utf-8", errors="replace")
        read_again: list[Catalogue] = []
        try:
            read_again.append(load(path))
        except UserError as refusal:
            error = refusal
            assert str(error).startswith(f"{place}/")  # nothing else may be raised, and often nothing is
        for catalogue in read_again:
            for environment in catalogue.environments:
                for engine in OUTPUTS:
                    _refused(
                        lambda c=catalogue, n=environment, e=engine: built(c.resolve(n), e)  # type: ignore[misc]
                    )


# --- Work


def _many(count: int) -> str:
    head = """\
catalogue: 1
service: shop
severities: {critical: {topic: shop-critical}, warning: {topic: shop-alerts}}
environments:
  production: {account: "111122223333", region: eu-west-1, resources: {load_balancer: app/shop/1}}
  staging: {every: 1m}
alerts:
"""
    alert = "{signal: http_error_ratio, minimum: 9 requests, critical: {above: 5%, over: 5m}, warning: {above: 1%, over: 5m}}"
    return head + "".join(f"  alert_{index}: {alert}\n" for index in range(count))


def test_reading_a_catalogue_takes_work_in_proportion_to_its_alerts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    counts = {"mapping": 0, "nodes": 0}
    mapping, init = Node.mapping, Node.__init__

    def counted_mapping(self: Node, *args: Any) -> Any:
        counts["mapping"] += 1
        return mapping(self, *args)

    def counted_init(self: Node, *args: Any) -> None:
        counts["nodes"] += 1
        init(self, *args)

    monkeypatch.setattr(Node, "mapping", counted_mapping)
    monkeypatch.setattr(Node, "__init__", counted_init)
    seen = []
    for count in (20, 40, 80):
        counts.update(mapping=0, nodes=0)
        path = tmp_path / "catalogue.yaml"
        path.write_text(_many(count))
        catalogue = load(path)
        assert catalogue.resolve("production") is catalogue.resolve("production")
        seen.append(dict(counts))
    for what in counts:
        first, second, third = (each[what] for each in seen)
        assert third - second == 2 * (second - first), what
        assert third < 80 * 20, what

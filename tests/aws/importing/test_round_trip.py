"""Whatever an alarm looks like, what is written for it makes the same alarm, field by field."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from orders_obs.alerts import load
from orders_obs.alerts.compile.aws import compile_state
from orders_obs.alerts.compile.composites import named_alarms
from orders_obs.aws.importing.existing import Found, alarm
from orders_obs.aws.importing.importer import Importer, Result
from orders_obs.aws.importing.naming import alert_names
from orders_obs.aws.importing.writing import Entry, part
from orders_obs.aws.normal import comparable, put_arguments
from tests.aws.importing.conftest import CATALOGUE
from tests.aws.importing.random_alarms import described, names, texts

SETTINGS = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])


def imported(folder: str, entries: list[dict[str, Any]]) -> tuple[Path, Result]:
    path = Path(folder) / "shop.yaml"
    path.write_text(CATALOGUE)
    found = Found("a test", [alarm(entry, {}, arn=entry["AlarmArn"]) for entry in entries])
    importer = Importer(load(path), "production", Path(folder) / "imported.yaml", severity="warning")
    return path, importer.run(found, "")


@given(described())
@SETTINGS
def test_an_alarm_comes_back_as_it_was(entries: list[dict[str, Any]]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path, result = imported(folder, entries)
        assert (result.refused, result.proof.differences) == ([], [])
        assert len(result.entries) == len(entries)
        # Once more without the proof's own help: the file, the include, the build.
        (path.parent / "imported.yaml").write_text(result.text, encoding="utf-8")
        path.write_text(CATALOGUE + "include: [imported.yaml]\n")
        state = compile_state(load(path).resolve("production"))
    made = {alarm["AlarmName"]: alarm for alarm in (*state.metric_alarms, *state.composite_alarms)}
    for entry in entries:
        kind = "composite-alarm" if "AlarmRule" in entry else "metric-alarm"
        assert comparable(kind, made[entry["AlarmName"]]) == comparable(kind, put_arguments(entry))
    places = {alarm["AlarmName"]: place for place, alarm in enumerate(state.composite_alarms)}
    for composite in state.composite_alarms:
        for child in named_alarms(composite):
            assert places.get(child, -1) < places[composite["AlarmName"]]


@given(described())
@settings(SETTINGS, max_examples=30)
def test_the_text_is_the_same_each_time_and_in_any_order(entries: list[dict[str, Any]]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        first = imported(folder, entries)[1]
        again = imported(folder, entries)[1]
        other = imported(folder, entries[::-1])[1]
    assert first.text == again.text
    named = {entry.thing.name: entry.name for entry in first.entries}
    assert named == {entry.thing.name: entry.name for entry in other.entries}


@given(st.lists(texts(0, 200), max_size=5))
@SETTINGS
def test_text_is_read_as_the_text_that_it_was(values: list[str]) -> None:
    arguments = {
        "AlarmName": "one",
        "AlarmDescription": values[0] if values else "",
        "Namespace": "A",
        "Dimensions": [{"Name": str(number), "Value": value} for number, value in enumerate(values)],
    }
    text = part([Entry("one", alarm(arguments, {}), "warning", tuple(values))], "production", values)
    for loader in (yaml.SafeLoader, getattr(yaml, "CSafeLoader", yaml.SafeLoader)):
        made = yaml.load(text, Loader=loader)["alerts"]["one"]["raw"]["cloudwatch"]
        assert made["AlarmDescription"] == arguments["AlarmDescription"]
        assert [each["Value"] for each in made.get("Dimensions", [])] == values


def test_what_another_reader_of_yaml_takes_for_no_text_is_in_quotes() -> None:
    words = ["y", "N", "on", "None", "1e3", "0o17", "2026-01-01", "=", "12:30", "inf"]
    dimensions = [{"Name": word, "Value": "x"} for word in words]
    text = part(
        [Entry("one", alarm({"AlarmName": "one", "Dimensions": dimensions}, {}), "warning")], "production", []
    )
    for word in words:
        assert f'Name: "{word}"' in text


@given(st.lists(names(), min_size=1, max_size=12, unique=True), st.randoms())
@SETTINGS
def test_names_are_of_the_language_unique_and_do_not_depend_on_the_order(
    found: list[str], chance: Any
) -> None:
    made = dict(zip(found, alert_names([(name, name) for name in found], ["taken"]), strict=True))
    assert len(set(made.values())) == len(found)
    for name in made.values():
        assert name != "taken"
        assert len(name) <= 63
        assert name.isascii()
        assert name.replace("_", "a").isalnum()
        assert name[0].isalpha()
        assert name == name.lower()
    mixed = list(found)
    chance.shuffle(mixed)
    assert dict(zip(mixed, alert_names([(name, name) for name in mixed], ["taken"]), strict=True)) == made


def test_names_are_readable_where_they_can_be() -> None:
    found = [
        "HighCPU-prod",
        "orders api p99 > 5s",
        "ECSServiceDown",
        "a-b",
        "a_b",
        "5xx",
        "Überlast",
        "✓",
        "x" * 80,
    ]
    made = alert_names([(name, name) for name in found], [])
    assert made[:3] == ["high_cpu_prod", "orders_api_p99_5s", "ecs_service_down"]
    assert made[3].startswith("a_b_")
    assert made[4].startswith("a_b_")
    assert made[3] != made[4]
    assert made[5:7] == ["alarm_5xx", "uberlast"]
    assert made[7].startswith("alarm_")
    assert made[8].startswith("x" * 56)

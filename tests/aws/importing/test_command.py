"""`alerts import`: what is there comes into the catalogue as it is, and nothing is written that is not proven."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from orders_obs.alerts import load
from orders_obs.alerts.compile.aws import compile_state
from orders_obs.aws.importing import proving
from orders_obs.aws.normal import comparable, put_arguments
from tests.aws.importing.conftest import TOPICS, World

Said = Callable[[], str]


def alarms_of(path: Path) -> dict[str, dict[str, Any]]:
    state = compile_state(load(path).resolve("production"))
    return {alarm["AlarmName"]: alarm for alarm in (*state.metric_alarms, *state.composite_alarms)}


def live(world: World, name: str) -> tuple[str, dict[str, Any]]:
    answer = world.client.describe_alarms(AlarmNames=[name], AlarmTypes=["MetricAlarm", "CompositeAlarm"])
    entries: list[dict[str, Any]] = [*answer["MetricAlarms"], *answer["CompositeAlarms"]]
    (entry,) = entries
    kind = "composite-alarm" if "AlarmRule" in entry else "metric-alarm"
    return kind, comparable(kind, put_arguments(entry))


def test_what_is_written_makes_the_alarm_that_is_there_once_it_is_included(world: World, said: Said) -> None:
    world.alarm(AlarmDescription="CPU: 80 % is % much\n\non: fire", OKActions=[f"{TOPICS}:other"])
    target = world.folder / "imported.yaml"
    assert world.run("cpu-high", "-o", str(target)) == 0
    world.include()
    kind, wanted = live(world, "cpu-high")
    assert comparable(kind, alarms_of(world.path)["cpu-high"]) == wanted
    words = said()
    assert "1 imported, and each is as it was" in words
    assert "--adopt cpu-high" in words
    assert yaml.safe_load(target.read_text())["alerts"]["cpu_high"]["severity"] == "warning"


def test_to_import_only_reads(world: World) -> None:
    world.alarm()
    before = len(world.account.writes)
    assert world.run("cpu-high", "-o", str(world.folder / "imported.yaml")) == 0
    assert len(world.account.writes) == before


def test_without_a_file_the_part_is_on_standard_output_and_talk_is_elsewhere(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    world.alarm()
    assert world.run("cpu-high") == 0
    captured = capsys.readouterr()
    assert set(yaml.safe_load(captured.out)["alerts"]) == {"cpu_high"}
    assert "1 imported" in captured.err
    assert list(world.folder.iterdir()) == [world.path]


def test_a_dry_run_writes_nothing(world: World, said: Said) -> None:
    world.alarm()
    target = world.folder / "imported.yaml"
    assert world.run("cpu-high", "-o", str(target), "--dry-run") == 0
    assert not target.exists()
    assert "AlarmName: cpu-high" in said()


def test_as_data_it_names_alarm_alert_and_what_to_adopt(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    address = world.alarm()
    target = world.folder / "imported.yaml"
    assert world.run("cpu-high", "-o", str(target), "--json") == 0
    data = json.loads(capsys.readouterr().out)
    assert (data["written"], data["refused"], data["differences"]) == (True, [], [])
    assert data["adopt"] == [{"name": "cpu-high", "arn": address}]
    (one,) = data["imported"]
    assert (one["name"], one["alert"], one["severity"]) == ("cpu-high", "cpu_high", "warning")
    assert data["text"] == target.read_text()


def test_a_tag_a_beginning_or_names_choose_the_alarms(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    world.alarm("a-one", {"team": "orders"})
    world.alarm("a-two", {"team": "other"})
    world.alarm("b-one", {"team": "orders"})

    def chosen(*arguments: str) -> set[str]:
        assert world.run(*arguments) == 0
        return set(yaml.safe_load(capsys.readouterr().out)["alerts"])

    assert chosen("--tag", "team=orders") == {"a_one", "b_one"}
    assert chosen("--prefix", "a-") == {"a_one", "a_two"}
    assert chosen("--prefix", "a-", "--tag", "team=orders") == {"a_one"}
    assert chosen("b-one", "a-two") == {"a_two", "b_one"}
    assert chosen("--prefix", "") == {"a_one", "a_two", "b_one"}


def test_where_there_is_no_index_of_tags_every_alarm_is_asked(world: World, said: Said) -> None:
    world.alarm("a-one", {"team": "orders"})
    world.alarm("a-two")
    world.account.without("get_resources")
    assert world.run("--tag", "team=orders") == 0
    words = said()
    assert "a_one:" in words
    assert "a_two:" not in words


def test_more_alarms_than_a_page_are_all_read(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    names = [f"alarm-{number:03}" for number in range(230)]
    for name in names:
        world.alarm(name)
    assert world.run(*names) == 0
    assert len(yaml.safe_load(capsys.readouterr().out)["alerts"]) == 230


def test_the_same_alarms_give_the_same_text(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    for name in ("b", "a", "HighCPU", "high-cpu"):
        world.alarm(name)
    texts = []
    for names in (("a", "b", "HighCPU", "high-cpu"), ("high-cpu", "HighCPU", "b", "a")):
        assert world.run(*names) == 0
        texts.append(capsys.readouterr().out.split("\n", 1)[1])
    assert texts[0] == texts[1]


def test_nothing_chosen_is_an_error_and_so_is_a_name_that_is_not_there(world: World, said: Said) -> None:
    world.alarm()
    assert world.run() == 2
    assert "nothing says which alarms are meant" in said()
    assert world.run("cpu-hihg") == 2
    assert "has no alarm cpu-hihg" in said()


def test_the_severity_is_that_of_the_topic_else_of_the_tag_else_it_is_asked_for(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    world.alarm("by-topic", {"severity": "warning"}, AlarmActions=[f"{TOPICS}:shop-critical-production"])
    world.alarm("by-tag", {"Severity": "Critical"}, AlarmActions=[])
    world.alarm("by-nothing", AlarmActions=[f"{TOPICS}:else"])
    assert world.run("--prefix", "by-") == 2
    assert "nothing says how bad it is: by-nothing" in capsys.readouterr().out
    assert world.run("--prefix", "by-", "--severity", "info", "--severity-of", "by-tag=warning") == 0
    alerts = yaml.safe_load(capsys.readouterr().out)["alerts"]
    assert {name: words["severity"] for name, words in alerts.items()} == {
        "by_topic": "critical", "by_tag": "warning", "by_nothing": "info",
    }  # fmt: skip
    assert world.run("by-topic", "--severity", "loud") == 2
    assert world.run("by-topic", "--severity-of", "by-topi=info") == 2


def test_a_file_that_is_there_is_not_overwritten(world: World, said: Said) -> None:
    world.alarm()
    target = world.folder / "imported.yaml"
    target.write_text("catalogue: 1\nalerts: {}\n")
    assert world.run("cpu-high", "-o", str(target)) == 2
    assert "is there already" in said()
    assert target.read_text() == "catalogue: 1\nalerts: {}\n"
    assert world.run("cpu-high", "-o", str(target), "--force") == 0
    assert "cpu_high" in target.read_text()


def test_force_takes_no_alert_and_no_other_word_away(world: World, said: Said) -> None:
    world.alarm("one")
    world.alarm("two")
    target = world.folder / "imported.yaml"
    assert world.run("one", "-o", str(target)) == 0
    world.include()
    text = target.read_text()
    said()
    assert world.run("two", "-o", str(target), "--force") == 2
    assert "has one, which would be gone" in said()
    assert target.read_text() == text
    assert world.run("one", "two", "-o", str(target), "--force") == 0
    assert set(alarms_of(world.path)) == {"one", "two", "shop-production-own_cpu-warning"}
    assert world.run("one", "-o", str(world.path), "--force") == 2
    assert "is the catalogue itself" in said()
    target.write_text("catalogue: 1\nmute: {}\nalerts: {}\n")
    assert world.run("one", "-o", str(target), "--force") == 2
    assert "has mute, which no import writes" in said()


def test_what_was_adopted_can_be_imported_again_together_with_more(world: World) -> None:
    ours = {"managed-by": "orders-obs", "service": "shop", "environment": "production"}
    address = world.alarm("one")
    world.alarm("two")
    target = world.folder / "imported.yaml"
    assert world.run("one", "-o", str(target)) == 0
    world.include()
    world.client.tag_resource(
        ResourceARN=address, Tags=[{"Key": key, "Value": value} for key, value in ours.items()]
    )
    assert world.run("one", "two", "-o", str(target), "--force") == 0


def test_where_the_catalogue_would_make_another_alarm_nothing_is_written(
    world: World, said: Said, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.alarm()
    target = world.folder / "imported.yaml"

    def changed(resolved: Any) -> Any:
        state = compile_state(resolved)
        for alarm in state.metric_alarms:
            alarm["Threshold"] = alarm["Threshold"] + 1
        return state

    monkeypatch.setattr(proving, "compile_state", changed)
    assert world.run("cpu-high", "-o", str(target)) == 1
    words = said()
    assert "difference: cpu-high: Threshold is 80, and the catalogue would make it 81" in words
    assert "AlarmName" not in words
    assert not target.exists()


def test_what_else_plan_will_show_is_said(world: World, said: Said) -> None:
    mute = 'mute:\n  nightly: {at: "02:00", for: 1h, reason: imports}\n'
    world.path.write_text(world.path.read_text() + mute)
    world.alarm()
    assert world.run("cpu-high") == 0
    assert "with the import mute-rule/shop-production-nightly changes, which plan will show" in said()


def test_only_recorded_severities_say_that_changes_of_state_will_be_recorded(
    world: World, said: Said
) -> None:
    world.alarm("one", AlarmActions=[f"{TOPICS}:else"])
    assert world.run("one", "--severity", "info") == 0
    words = said()
    assert "severity info only records" in words
    assert "rule/shop-production-alarm-states is new" in words


def test_an_alarm_is_in_its_own_environment_only(world: World) -> None:
    world.alarm()
    assert world.run("cpu-high", "-o", str(world.folder / "imported.yaml")) == 0
    world.include()
    catalogue = load(world.path)
    there = {name: {alert.name for alert in catalogue.resolve(name)} for name in catalogue.environments}
    assert {name for name, alerts in there.items() if "cpu_high" in alerts} == {"production"}


def test_the_readable_form_stands_beside_an_alarm_that_one_of_our_signals_would_make(
    world: World, said: Said, tmp_path: Path
) -> None:
    world.alarm(TreatMissingData="notBreaching")
    world.alarm("strange", MetricName="Strange", Namespace="Own")
    assert world.run("cpu-high", "strange") == 0
    text = said()
    lines = [line.strip().removeprefix("#").strip() for line in text.splitlines()]
    at = lines.index("signal: service_cpu")
    assert lines[at + 1] == "warning: {above: 80%, over: 5m, breaching: 2 of 2}"
    assert text.count("The same condition") == 1
    # What it says is what it means.
    world.path.write_text(world.path.read_text() + f"  readable:\n    {lines[at]}\n    {lines[at + 1]}\n")
    _, wanted = live(world, "cpu-high")
    made = comparable("metric-alarm", alarms_of(world.path)["shop-production-readable-warning"])
    head = {"AlarmName", "AlarmDescription", "AlarmActions", "OKActions"}
    assert {k: v for k, v in made.items() if k not in head} == {
        k: v for k, v in wanted.items() if k not in head
    }


def test_what_lint_says_stands_beside_each(world: World, said: Said) -> None:
    world.alarm(Dimensions=[{"Name": "ClusterNam", "Value": "shop"}])
    assert world.run("cpu-high") == 0
    assert "  # lint: error: " in said()


def test_adoption_waits_until_the_catalogue_has_the_alarm(world: World) -> None:
    address = world.alarm()
    target = world.folder / "imported.yaml"
    assert world.run("cpu-high", "-o", str(target)) == 0
    assert world.adopted == []
    world.include()
    assert world.run("cpu-high", "-o", str(target), "--force") == 0
    assert world.adopted == [("cpu-high", address)]


def test_credentials_of_another_account_are_refused(world: World, said: Said) -> None:
    world.alarm()
    assert world.run("cpu-high", env="elsewhere") == 2
    assert "444455556666" in said()
    assert world.run("cpu-high", env="local") == 2
    assert "no account and region" in said()


def test_what_aws_does_not_let_read_is_a_fault_and_nothing_is_written(world: World, said: Said) -> None:
    world.alarm()
    target = world.folder / "imported.yaml"
    world.account.fail("cloudwatch.list_tags_for_resource", "AccessDenied", times=99)
    assert world.run("cpu-high", "-o", str(target)) == 3
    assert "cloudwatch:ListTagsForResource" in said()
    assert not target.exists()


def test_a_folder_that_cannot_be_written_to_leaves_nothing(world: World, said: Said) -> None:
    world.alarm()
    (world.folder / "file").write_text("x")
    assert world.run("cpu-high", "-o", str(world.folder / "file" / "imported.yaml")) == 2
    assert {path.name for path in world.folder.iterdir()} == {"file", "shop.yaml"}


def test_the_policy_has_every_action_that_is_called_and_asks_nobody(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    assert world.run("--print-policy") == 0
    policy = json.loads(capsys.readouterr().out)
    assert not world.account.calls
    allowed = {
        action
        for statement in policy["Statement"]
        for action in (
            statement["Action"] if isinstance(statement["Action"], list) else [statement["Action"]]
        )
    }
    world.alarm("a-one", {"team": "orders"})
    world.account.calls.clear()
    assert world.run("--tag", "team=orders") == 0
    prefixes = {"resourcegroupstaggingapi": "tag"}
    called = {
        f"{prefixes.get(call.service, call.service)}:{call.operation.title().replace('_', '')}"
        for call in world.account.calls
        if call.service != "sts"
    }
    assert called == allowed


def test_another_region_than_the_environments_is_refused(world: World, said: Said) -> None:
    assert world.run("--prefix", "", "--region", "us-east-1") == 2
    assert "environment production is in eu-west-1, and not in us-east-1" in said()


def test_tags_that_adoption_would_take_are_named(world: World, said: Said) -> None:
    world.alarm(tags={"Name": "mine", "owner": "me", "team": "orders"})
    assert world.run("cpu-high") == 0
    assert "note: cpu-high: its tags Name, owner become the catalogue's when it is adopted" in said()

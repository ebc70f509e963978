"""The commands of an environment on AWS, as a person runs them."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from orders_obs.aws import session
from orders_obs.aws.pace import Pace
from orders_obs.aws.session import Aws
from orders_obs.cli import main
from tests.aws.fake import FakeAccount
from tests.aws.managed import SHOP, account

CPU = "shop-production-cpu-warning"
Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def fake(monkeypatch: pytest.MonkeyPatch) -> FakeAccount:
    made = account()

    def connect(region: str, profile: str = "", *, policy: str = "") -> Aws:
        return Aws(made.session(), region, policy=policy, pace=Pace(made.clock, made.sleep))

    monkeypatch.setattr(session, "connect", connect)
    return made


@pytest.fixture
def run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Run:
    def command(name: str, *words: str, text: str = SHOP) -> tuple[int, str, str]:
        path = tmp_path / "shop.yaml"
        path.write_text(text)
        code = main(["alerts", name, *words, "--env", "production", "--catalogue", str(path)])
        said = capsys.readouterr()
        return code, said.out, said.err

    return command


def test_a_plan_reads_like_a_review(fake: FakeAccount, run: Run):
    assert run("apply", "--yes")[0] == 0
    code, out, _ = run("plan", text=SHOP.replace("80%", "90%"))
    assert code == 0
    assert f"~ update metric-alarm/{CPU}" in out
    assert "Threshold: 80 -> 90" in out
    assert "1 to update; " in out
    assert "USD a month at list price" in out


def test_check_says_by_its_exit_code_that_something_would_change(fake: FakeAccount, run: Run):
    assert run("plan", "--check")[0] == 1
    run("apply", "--yes")
    assert run("plan", "--check")[0] == 0


def test_a_plan_as_data_has_each_change(fake: FakeAccount, run: Run):
    data = json.loads(run("plan", "--json")[1])
    assert {"action", "kind", "name", "cause", "fields"} <= set(data["changes"][0])
    assert data["fingerprint"]


def test_nothing_is_applied_where_nobody_can_be_asked(fake: FakeAccount, run: Run):
    code, _, err = run("apply")
    assert code == 2
    assert "--yes" in err
    assert not fake.writes


def test_a_dry_run_writes_nothing(fake: FakeAccount, run: Run):
    code, out, _ = run("apply", "--dry-run")
    assert code == 0
    assert "to create" in out
    assert not fake.writes


def test_a_saved_plan_is_applied_without_a_question(fake: FakeAccount, run: Run, tmp_path: Path):
    saved = str(tmp_path / "plan.json")
    assert run("plan", "-o", saved)[0] == 0
    assert run("apply", "--plan", saved)[0] == 0
    assert run("plan", "--check")[0] == 0


def test_a_saved_plan_is_not_applied_over_another_state(fake: FakeAccount, run: Run, tmp_path: Path):
    run("apply", "--yes")
    saved, text = str(tmp_path / "plan.json"), SHOP.replace("80%", "90%")
    run("plan", "-o", saved, text=text)
    fake.session().client("cloudwatch").delete_alarms(AlarmNames=[CPU])
    writes = len(fake.writes)
    code, _, err = run("apply", "--plan", saved, text=text)
    assert (code, len(fake.writes)) == (2, writes)
    assert "plan again" in err


@pytest.mark.parametrize(
    "content", ["", "[]", "{}", '{"service": "till", "environment": "production", "fingerprint": "x"}']
)
def test_what_is_no_plan_of_this_environment_is_refused(
    fake: FakeAccount, run: Run, tmp_path: Path, content: str
):
    saved = tmp_path / "plan.json"
    saved.write_text(content)
    code, _, err = run("apply", "--plan", str(saved))
    assert code == 2
    assert "plan.json" in err


def test_drift_is_what_a_person_changed_and_not_what_the_team_will(fake: FakeAccount, run: Run):
    run("apply", "--yes")
    assert run("drift")[0] == 0
    text = SHOP.replace("80%", "90%")
    code, out, err = run("drift", text=text)
    assert (code, out) == (0, "")
    assert "1 changes of the catalogue are not applied yet" in err
    client = fake.session().client("cloudwatch")
    client.delete_alarms(AlarmNames=["shop-production-errors-warning"])
    client.disable_alarm_actions(AlarmNames=[CPU])
    code, out, _ = run("drift")
    assert code == 1
    assert "ActionsEnabled: False -> True" in out.replace("false", "False").replace("true", "True")
    assert "+ create composite-alarm/shop-production-errors-warning" in out


def test_apply_repairs_what_drifted(fake: FakeAccount, run: Run):
    run("apply", "--yes")
    before = fake.snapshot()
    fake.session().client("cloudwatch").disable_alarm_actions(AlarmNames=[CPU])
    run("apply", "--yes")
    after = fake.snapshot()
    assert after[f"metric-alarm/{CPU}"] == before[f"metric-alarm/{CPU}"]


def test_the_record_of_an_apply_is_on_standard_output(fake: FakeAccount, run: Run):
    code, out, _ = run("apply", "--yes", "--json")
    record: dict[str, Any] = json.loads(out)
    assert code == 0
    assert record["event"] == "applied"
    assert {"by", "at", "ended", "revision", "run", "changes", "account", "region"} <= set(record)
    code, out, _ = run("record")
    assert "applied" in out
    entries = json.loads(run("record", "--json")[1])["entries"]
    assert any(entry.get("name") == CPU for entry in entries)


def test_a_hold_keeps_an_alarm_and_is_taken_off_again(fake: FakeAccount, run: Run):
    run("apply", "--yes")
    day = fake.clock.now().date().isoformat()
    code, out, _ = run("hold", "cpu", "--until", day, "--reason", "load test")
    assert (code, out.split()) == (0, [CPU])
    text = SHOP.replace("80%", "90%")
    assert "= on hold" in run("plan", text=text)[1]
    assert run("hold", "cpu", "--off")[0] == 0
    assert "~ update" in run("plan", text=text)[1]


@pytest.mark.parametrize(
    "words", [("cpu",), ("cpu", "--until", "2999-01-01"), ("cpu", "--until", "2020-01-01", "--reason", "x"), ("cpu", "--off", "--until", "2999-01-01")]
)  # fmt: skip
def test_a_hold_without_a_day_to_come_and_a_reason_is_refused(
    fake: FakeAccount, run: Run, words: tuple[str, ...]
):
    assert run("hold", *words)[0] == 2


def test_a_hold_on_what_is_not_there_says_what_is(fake: FakeAccount, run: Run):
    run("apply", "--yes")
    code, _, err = run("hold", "cpuu", "--off")
    assert code == 2
    assert "did you mean cpu" in err


def test_release_leaves_the_alarms_and_nobody_owns_them(fake: FakeAccount, run: Run):
    run("apply", "--yes")
    code, _, _ = run("release", "cpu", "--yes")
    assert code == 0
    assert f"metric-alarm/{CPU}" in fake.snapshot()
    code, out, _ = run("plan")
    assert code == 1
    assert "[not-ours]" in out
    assert run("apply", "--yes", "--adopt", CPU)[0] == 0


def test_destroy_takes_away_what_is_ours(fake: FakeAccount, run: Run):
    run("apply", "--yes")
    assert run("destroy", "--yes")[0] == 0
    assert not [
        name for name in fake.snapshot() if name.startswith(("metric-alarm", "composite", "topic", "rule"))
    ]


@pytest.mark.parametrize("command", ["plan", "apply", "drift", "destroy", "release", "record"])
def test_the_policy_is_printed_without_asking_anybody(run: Run, command: str):
    code, out, _ = run(command, "--print-policy")
    assert code == 0
    assert json.loads(out)["Version"] == "2012-10-17"


def test_a_region_that_is_not_the_environments_is_refused(fake: FakeAccount, run: Run):
    code, _, err = run("plan", "--region", "us-east-1")
    assert code == 2
    assert "is in eu-west-1" in err


def test_an_alert_that_was_never_applied_is_no_drift(fake: FakeAccount, run: Run):
    assert run("drift")[0] == 0
    run("apply", "--yes")
    more = SHOP + "  memory: {signal: service_memory, warning: {above: 90%, over: 1m}}\n"
    code, _, err = run("drift", text=more)
    assert code == 0
    assert "not applied yet" in err


def test_a_tag_that_somebody_took_off_is_drift(fake: FakeAccount, run: Run):
    run("apply", "--yes")
    arn = f"arn:aws:cloudwatch:eu-west-1:123456789012:alarm:{CPU}"
    fake.session().client("cloudwatch").untag_resource(ResourceARN=arn, TagKeys=["severity"])
    assert run("drift")[0] == 1


def test_who_does_not_hear_is_said_also_where_nothing_changes(fake: FakeAccount, run: Run):
    run("apply", "--yes")
    _, out, err = run("apply", "--yes")
    assert "nothing to change" in out
    assert "waits for confirmation" in err


def test_a_secret_in_what_a_person_wrote_is_in_no_saved_plan(fake: FakeAccount, run: Run, tmp_path: Path):
    run("apply", "--yes")
    client = fake.session().client("cloudwatch")
    (alarm,) = client.describe_alarms(AlarmNames=[CPU])["MetricAlarms"]
    kept = (
        "Namespace",
        "MetricName",
        "Dimensions",
        "Statistic",
        "Period",
        "EvaluationPeriods",
        "Threshold",
        "ComparisonOperator",
    )
    client.put_metric_alarm(
        AlarmName=CPU, AlarmDescription="password=hunter2", **{key: alarm[key] for key in kept}
    )
    saved = tmp_path / "plan.json"
    _, out, _ = run("plan", "-o", str(saved), "--json")
    assert "hunter2" not in out + saved.read_text()
    assert run("apply", "--plan", str(saved))[0] == 0


def test_an_apply_that_was_stopped_is_in_the_record(fake: FakeAccount, run: Run):
    fake.before("put_rule", lambda: (_ for _ in ()).throw(KeyboardInterrupt()))
    assert run("apply", "--yes")[0] == 130
    assert "apply interrupted" in run("record")[1]
    run("apply", "--yes")
    assert "apply applied" in run("record")[1]
    run("destroy", "--yes")
    assert "destroy applied" in run("record")[1]


def test_a_saved_plan_has_its_options_with_it(fake: FakeAccount, run: Run, tmp_path: Path):
    run("apply", "--yes")
    assert run("release", "cpu", "--yes")[0] == 0
    saved = str(tmp_path / "plan.json")
    assert run("plan", "--adopt", CPU, "-o", saved)[0] == 0
    assert run("apply", "--plan", saved)[0] == 0


def test_an_alert_is_held_by_its_name_also_where_its_id_is_another(fake: FakeAccount, run: Run):
    text = SHOP.replace("  cpu:\n", "  cpu_util:\n    id: cpu\n")
    run("apply", "--yes", text=text)
    day = fake.clock.now().date().isoformat()
    code, out, _ = run("hold", "cpu_util", "--until", day, "--reason", "test", text=text)
    assert (code, out.split()) == (0, ["shop-production-cpu_util-warning"])


def test_nobody_applies_the_example_that_is_shipped_by_mistake(
    fake: FakeAccount, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    monkeypatch.chdir(tmp_path)
    assert main(["alerts", "apply", "--yes", "--env", "production"]) == 2
    assert "there is no catalogue here" in capsys.readouterr().err
    assert not fake.writes

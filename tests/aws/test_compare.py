"""Two alarms side by side: from the history of a fake account to the verdict, and the arithmetic between them."""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, get_args

import pytest

from orders_obs.aws import session, shadow_cli
from orders_obs.aws.alarm_history import Past, Timeline, read_past, timeline
from orders_obs.aws.compare import Kind, compare
from orders_obs.aws.pace import Pace
from orders_obs.aws.session import Aws
from orders_obs.errors import EnvironmentFault, UserError
from tests.aws.fake import Clock, FakeAccount

RAW = (
    "{Namespace: AWS/RDS, MetricName: ReplicaLag, Statistic: Maximum, Period: 60, EvaluationPeriods: 10, Threshold: 60,"
    " ComparisonOperator: GreaterThanThreshold}"
)
CATALOGUE = f"""\
catalogue: 1
service: shop
severities:
  critical: {{page: true, topic: shop-critical}}
  warning: {{topic: shop-alerts}}
environments:
  production: {{account: "111122223333", region: eu-west-1}}
  here: {{}}
alerts:
  lag: {{mode: shadow, severity: warning, raw: {{cloudwatch: {RAW}}}}}
  slow: {{severity: warning, raw: {{cloudwatch: {RAW}}}}}
  elsewhere: {{severity: warning, raw: {{prometheus: {{expr: up}}}}}}
  told: {{signal: deployment_failed, severity: warning}}
  hosts: {{signal: unhealthy_hosts, over: 1m, critical: {{above: 2 hosts}}, warning: {{above: 1 hosts}}}}
"""
NEW, OLD = "shop-production-lag-warning", "old lag"
DAY = 24 * 60
BORN = datetime.now(UTC).replace(second=0, microsecond=0) - timedelta(days=20)


def run(*argv: str) -> int:
    parser = argparse.ArgumentParser()
    shadow_cli.register(parser.add_subparsers())
    args = parser.parse_args(argv)
    return int(args.run(args))


def alarm(account: FakeAccount, name: str, *, actions: bool = True) -> None:
    account.session().client("cloudwatch").put_metric_alarm(
        AlarmName=name, Namespace="AWS/RDS", MetricName="ReplicaLag", Statistic="Maximum", Period=60, EvaluationPeriods=1,
        Threshold=60, ComparisonOperator="GreaterThanThreshold", ActionsEnabled=actions,
    )  # fmt: skip


def at(account: FakeAccount, minute: float) -> None:
    """Go on to a minute since the account was opened, twenty days ago."""
    account.clock.seconds = minute * 60


def states(account: FakeAccount, *changes: tuple[float, str, str]) -> None:
    """Changes of state, by time: minute, alarm, state."""
    for minute, name, state in sorted(changes):
        at(account, minute)
        account.set_state(name, state)


@pytest.fixture
def account(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> FakeAccount:
    """An account with an old alarm, and a new one that was made ten days ago; both are OK."""
    made = FakeAccount(clock=Clock(born=BORN))
    alarm(made, OLD)
    at(made, 10 * DAY)
    alarm(made, NEW, actions=False)
    states(made, (10 * DAY + 1, OLD, "OK"), (10 * DAY + 1, NEW, "OK"))

    def connect(region: str, profile: str = "", *, policy: str = "") -> Aws:
        return Aws(made.session(), region, policy=policy, pace=Pace(made.clock, made.sleep))

    monkeypatch.setattr(session, "connect", connect)
    (tmp_path / "alerts").mkdir()
    (tmp_path / "alerts" / "shop.yaml").write_text(CATALOGUE)
    monkeypatch.chdir(tmp_path)
    return made


@pytest.fixture
def shown(capsys: pytest.CaptureFixture[str]) -> Callable[..., dict[str, Any]]:
    """What `compare lag` finds, as data."""

    def look(*more: str, name: str = "lag", old: str = OLD) -> dict[str, Any]:
        capsys.readouterr()
        assert run("compare", name, "--with", old, "--env", "production", "--json", *more) == 0
        data: dict[str, Any] = json.loads(capsys.readouterr().out)
        return data

    return look


def firing(account: FakeAccount, name: str, begin: float, end: float) -> list[tuple[float, str, str]]:
    return [(begin, name, "ALARM"), (end, name, "OK")]


Show = Callable[..., dict[str, Any]]


def test_a_new_alarm_that_fires_whenever_the_old_one_does_is_said_to(
    account: FakeAccount, shown: Show
) -> None:
    day = 15 * DAY
    states(
        account,
        *firing(account, OLD, day, day + 20), *firing(account, NEW, day + 3, day + 18),
        *firing(account, OLD, day + 500, day + 510), *firing(account, NEW, day + 498, day + 511),
    )  # fmt: skip
    found = shown()
    assert (found["outcome"], found["verdict"]) == (
        "met",
        "the new one fired whenever the old one did, 2 times",
    )
    assert found["minutes"] == {"both": 25.0, "only_old": 5.0, "only_new": 3.0, "unknown": 0.0}
    assert found["covered_share"] == pytest.approx(25 / 30)
    lags = [
        (e["kind"], e["new_later_at_begin_minutes"], e["new_later_at_end_minutes"]) for e in found["episodes"]
    ]
    assert lags == [("both", 3.0, -2.0), ("both", -2.0, 1.0)]


def test_a_firing_without_the_new_alarm_is_missed_and_check_exits_1(
    account: FakeAccount, shown: Show, capsys: pytest.CaptureFixture[str]
) -> None:
    day = 15 * DAY
    states(account, (day - 5, NEW, "INSUFFICIENT_DATA"), *firing(account, OLD, day, day + 20))
    found = shown()
    assert (found["outcome"], found["firings"]) == ("missed", {"met": 0, "missed": 1, "only_new": 0})
    assert found["episodes"][0]["meanwhile"] == ["INSUFFICIENT_DATA"]
    assert run("compare", "lag", "--with", OLD, "--env", "production", "--check") == 1
    said = capsys.readouterr().out
    assert "meanwhile the new one was INSUFFICIENT_DATA" in said
    assert "as the test says: ALARM" in said  # why the old one fired
    assert said.endswith("missed: the old one fired once, and the new one did not\n")


def test_days_without_a_firing_say_nothing(account: FakeAccount, shown: Show) -> None:
    found = shown("--days", "5")
    assert (found["outcome"], found["episodes"], found["covered_share"]) == ("quiet", [], None)
    assert found["verdict"] == "nothing fired in these days: this says nothing yet"
    assert run("compare", "lag", "--with", OLD, "--env", "production", "--check") == 0


def test_what_the_old_one_did_before_the_new_one_was_made_is_not_counted(
    account: FakeAccount, shown: Show, capsys: pytest.CaptureFixture[str]
) -> None:
    account.alarms.history.clear()
    account.alarms.all.pop(NEW)
    states(account, *firing(account, OLD, 9 * DAY, 9 * DAY + 30))
    at(account, 10 * DAY)
    alarm(account, NEW, actions=False)
    states(account, (10 * DAY + 2, NEW, "OK"))
    found = shown()
    assert (found["outcome"], found["firings"]["missed"]) == ("quiet", 0)
    assert [(e["kind"], e["meanwhile"], e["minutes"]) for e in found["episodes"]] == [
        ("not compared", ["ABSENT"], 30.0)
    ]
    assert found["compared_since"] == found["new"]["created"]
    run("compare", "lag", "--with", OLD, "--env", "production")
    assert f"{NEW} was made then; what was before counts for neither" in capsys.readouterr().out


def test_an_alarm_that_fires_all_the_time_is_not_praised(account: FakeAccount, shown: Show) -> None:
    day = 15 * DAY
    states(account, (11 * DAY, NEW, "ALARM"), *firing(account, OLD, day, day + 20))
    found = shown()
    assert found["outcome"] == "met"
    assert "it fired longer without the old one than the old one did at all" in found["verdict"]
    assert found["episodes"][0]["new"][0]["ended"] is False


def test_a_firing_that_just_began_is_not_missed_yet(account: FakeAccount, shown: Show) -> None:
    states(account, (20 * DAY - 4, OLD, "ALARM"))
    found = shown()
    assert (found["episodes"][0]["kind"], found["outcome"]) == ("too short", "quiet")


def test_a_long_firing_that_goes_on_is_missed(account: FakeAccount, shown: Show) -> None:
    states(account, (20 * DAY - 60, OLD, "ALARM"))
    assert shown()["outcome"] == "missed"


def test_a_firing_within_the_tolerance_belongs_together_and_beyond_it_does_not(
    account: FakeAccount, shown: Show
) -> None:
    day = 15 * DAY
    states(account, *firing(account, OLD, day, day + 5), *firing(account, NEW, day + 14, day + 20))
    assert shown()["outcome"] == "met"
    assert shown("--tolerance", "8")["firings"] == {"met": 0, "missed": 1, "only_new": 1}


def test_an_alarm_that_was_deleted_is_compared_by_what_is_left(
    account: FakeAccount, shown: Show, capsys: pytest.CaptureFixture[str]
) -> None:
    day = 15 * DAY
    states(account, (day, OLD, "ALARM"), (day + 2, NEW, "ALARM"))
    at(account, day + 10)
    account.session().client("cloudwatch").delete_alarms(AlarmNames=[OLD])
    states(account, (day + 12, NEW, "OK"), *firing(account, NEW, 17 * DAY, 17 * DAY + 10))
    found = shown()
    assert (found["outcome"], found["old"]["state"]) == ("met", "ABSENT")
    assert found["minutes"] == {"both": 8.0, "only_old": 2.0, "only_new": 0.0, "unknown": 0.0}
    assert [e["kind"] for e in found["episodes"]] == ["both", "not compared", "not compared"]
    run("compare", "lag", "--with", OLD, "--env", "production")
    said = capsys.readouterr()
    assert f"{OLD}: not there any more" in said.out
    assert f"{OLD} is not there any more; its history is" in said.err


def test_a_composite_alarm_is_compared_too(account: FakeAccount, shown: Show) -> None:
    account.session().client("cloudwatch").put_composite_alarm(
        AlarmName="any lag", AlarmRule=f'ALARM("{OLD}")'
    )
    day = 15 * DAY
    states(account, *firing(account, OLD, day, day + 20), *firing(account, NEW, day + 3, day + 18))
    assert shown(old="any lag")["firings"]["met"] == 1


def test_another_alert_is_named_by_its_own_name(account: FakeAccount, shown: Show) -> None:
    alarm(account, "shop-production-slow-warning")
    assert shown(old="slow")["old"]["name"] == "shop-production-slow-warning"
    assert shown(name=NEW, old="shop-production-slow-warning")["new"]["name"] == NEW


def test_flaps_and_minutes_without_data_are_counted(account: FakeAccount, shown: Show) -> None:
    day = 15 * DAY
    states(
        account,
        *firing(account, OLD, day, day + 30),
        *(change for k in range(5) for change in firing(account, NEW, day + 6 * k, day + 6 * k + 2)),
        (day + 100, NEW, "INSUFFICIENT_DATA"), (day + 140, NEW, "OK"),
    )  # fmt: skip
    found = shown()
    assert (found["new"]["flaps"], found["new"]["insufficient_data_minutes"]) == (4, 41.0)
    assert (found["old"]["flaps"], len(found["episodes"]), found["firings"]["met"]) == (0, 1, 1)


def test_many_pages_are_read_at_the_pace_that_aws_allows(account: FakeAccount, shown: Show) -> None:
    day = 15 * DAY
    account.strict_rate = True
    for k in range(130):
        states(account, *firing(account, OLD, day + 30 * k, day + 30 * k + 3))
    assert shown()["firings"]["missed"] == 130
    calls = [call for call in account.calls if call.operation == "describe_alarm_history"]
    assert len([call for call in calls if call.arguments["AlarmName"] == OLD]) == 4
    assert all(not call.error for call in calls)
    assert all({"MetricAlarm", "CompositeAlarm"} <= set(call.arguments["AlarmTypes"]) for call in calls)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("nothing", "--with", OLD), "there is no alert 'nothing' in production"),
        (("lag", "--with", "old lak"), "there is no alarm old lak"),
        (("lag", "--with", NEW), "is the alert itself"),
        (("lag", "--with", "lag"), "is the alert itself"),
        (("slow", "--with", OLD), "there is no alarm shop-production-slow-warning"),
        (("elsewhere", "--with", OLD), "is on no engine of CloudWatch"),
        (("told", "--with", OLD), "is an announcement"),
        (("hosts", "--with", OLD), "hosts is an alarm of each severity: critical and warning; say which"),
        (("hosts", "--with", OLD, "--severity", "note"), "hosts has no severity 'note'"),
        (("lag", "--with", OLD, "--days", "40"), "from 1 to 30"),
        (("lag", "--with", OLD, "--region", "us-east-1"), "is in eu-west-1, and not in us-east-1"),
        (("lag",), "with what is it to be compared"),
    ],
)
def test_what_cannot_be_compared_is_said(
    account: FakeAccount, arguments: tuple[str, ...], message: str
) -> None:
    with pytest.raises(UserError, match=message):
        run("compare", *arguments, "--env", "production")


def test_an_environment_without_an_account_has_nothing_to_compare(account: FakeAccount) -> None:
    with pytest.raises(UserError, match="environment here has no account and region"):
        run("compare", "slow", "--with", OLD, "--env", "here")


def test_without_the_right_to_history_the_failure_names_it(account: FakeAccount) -> None:
    account.fail("describe_alarm_history", "AccessDenied")
    with pytest.raises(EnvironmentFault, match="no right to cloudwatch:DescribeAlarmHistory"):
        run("compare", "lag", "--with", OLD, "--env", "production")


def test_the_policy_is_printed_and_nobody_asked(
    account: FakeAccount, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("compare", "lag", "--env", "production", "--print-policy") == 0
    actions = json.loads(capsys.readouterr().out)["Statement"][0]["Action"]
    assert actions == ["cloudwatch:DescribeAlarmHistory", "cloudwatch:DescribeAlarms"]
    assert not [call for call in account.calls if not call.write]


# --- histories that are not whole


def known(account: FakeAccount, name: str = OLD) -> Timeline:
    now = BORN + timedelta(days=20)
    start = now - timedelta(days=14)
    past = read_past(
        Aws(account.session(), "eu-west-1", pace=Pace(account.clock, account.sleep)), name, start
    )
    assert past is not None
    return timeline(past, start, now)


def seen(line: Timeline) -> list[tuple[str, float]]:
    return [(span.state, (span.begin - BORN) / timedelta(minutes=1)) for span in line.spans]


def test_data_that_is_cut_off_is_read_from_the_summary(account: FakeAccount) -> None:
    states(account, *firing(account, OLD, 15 * DAY, 15 * DAY + 20))
    for item in account.alarms.history:
        item["HistoryData"] = item["HistoryData"][:30]
    assert seen(known(account))[-2:] == [("ALARM", 15 * DAY), ("OK", 15 * DAY + 20)]
    assert known(account).notes == ()


def test_an_entry_that_cannot_be_read_is_what_the_next_one_says(account: FakeAccount) -> None:
    states(account, *firing(account, OLD, 15 * DAY, 15 * DAY + 20))
    account.alarms.history[-2] |= {"HistoryData": "[]", "HistorySummary": "?"}
    line = known(account)
    assert seen(line)[-2:] == [("ALARM", 15 * DAY), ("OK", 15 * DAY + 20)]
    assert line.notes == ("1 entries of its history could not be read",)
    account.alarms.history[-1] |= {"HistoryData": "", "HistorySummary": ""}
    assert seen(known(account))[-2:] == [("UNKNOWN", 15 * DAY), ("OK", 15 * DAY + 20)]  # the state now


def test_an_entry_that_is_missing_makes_the_time_unknown_and_not_good(account: FakeAccount) -> None:
    states(account, *firing(account, OLD, 15 * DAY, 15 * DAY + 20))
    del account.alarms.history[-2]
    line = known(account)
    assert seen(line)[-2:] == [("UNKNOWN", 10 * DAY + 1), ("OK", 15 * DAY + 20)]
    assert "an entry is missing" in line.notes[0]


def test_time_that_is_not_known_is_in_the_verdict(account: FakeAccount, shown: Show) -> None:
    states(account, *firing(account, OLD, 15 * DAY, 15 * DAY + 20))
    states(
        account, *firing(account, OLD, 16 * DAY, 16 * DAY + 20), *firing(account, NEW, 16 * DAY, 16 * DAY + 9)
    )
    del account.alarms.history[-6]
    found = shown()
    assert found["outcome"] == "met"
    assert "minutes the state of one of them is not known" in found["verdict"]


def test_an_alarm_without_changes_was_all_the_time_what_it_is(account: FakeAccount) -> None:
    account.alarms.history.clear()
    assert seen(known(account))[-1] == ("OK", 10 * DAY + 1)  # since StateTransitionedTimestamp
    assert seen(known(account))[0][0] == "UNKNOWN"
    account.alarms.all[OLD].transitioned = BORN
    assert seen(known(account)) == [("OK", 6 * DAY)]


def test_a_state_that_the_history_has_not_yet_counts_from_its_own_time(account: FakeAccount) -> None:
    states(account, (19 * DAY, OLD, "ALARM"))
    account.alarms.history.pop()
    assert seen(known(account))[-1] == ("ALARM", 19 * DAY)


def test_an_alarm_that_was_made_anew_was_not_there_in_between(account: FakeAccount) -> None:
    client = account.session().client("cloudwatch")
    at(account, 12 * DAY)
    client.delete_alarms(AlarmNames=[OLD])
    at(account, 13 * DAY)
    alarm(account, OLD)
    states(account, (13 * DAY + 1, OLD, "OK"))
    assert seen(known(account))[-4:] == [
        ("OK", 10 * DAY + 1), ("ABSENT", 12 * DAY), ("INSUFFICIENT_DATA", 13 * DAY), ("OK", 13 * DAY + 1),
    ]  # fmt: skip


def test_what_happened_at_one_moment_is_told_in_its_order(account: FakeAccount) -> None:
    at(account, 12 * DAY)
    alarm(account, "third")
    for state in ("OK", "ALARM", "OK", "ALARM"):
        account.set_state("third", state)
    line = known(account, "third")
    assert seen(line) == [("ABSENT", 6 * DAY), ("ALARM", 12 * DAY)]
    assert line.notes == ()
    at(account, 12 * DAY)
    account.session().client("cloudwatch").delete_alarms(AlarmNames=["third"])
    assert seen(known(account, "third")) == [("ABSENT", 6 * DAY)]


def test_beyond_what_is_promised_only_what_is_still_there_is_believed() -> None:
    now = BORN + timedelta(days=20)
    shown = {"AlarmName": "x", "StateValue": "OK", "StateTransitionedTimestamp": BORN, "ActionsEnabled": True}
    past = Past("x", (), shown)
    assert compare(past, past, now - timedelta(days=20), now).start == now - timedelta(days=14)


def test_the_page_has_every_kind_of_episode_and_every_outcome() -> None:
    text = (Path(__file__).resolve().parents[2] / "docs/shadow.md").read_text()
    for kind in get_args(Kind):
        assert f"| `{shadow_cli._KINDS.get(kind, kind)}` |" in text
    for outcome in ("met", "missed", "alone", "quiet", "nothing"):
        assert f"| `{outcome}`: " in text

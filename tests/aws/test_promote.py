"""Taking an alert out of shadow: which word of which file changes, and when nothing is written at all."""

from __future__ import annotations

import argparse
import io
import stat
import subprocess
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orders_obs.alerts import load
from orders_obs.alerts.catalogue import Catalogue
from orders_obs.alerts.compile.aws import compile_state
from orders_obs.alerts.nodes import Node, compose
from orders_obs.aws import promote, session, shadow_cli
from orders_obs.aws.pace import Pace
from orders_obs.aws.promote import prepare, write
from orders_obs.aws.session import Aws
from orders_obs.errors import UserError
from tests.aws.fake import Clock, FakeAccount

HEAD = """\
catalogue: 1
service: shop
severities: {warning: {topic: shop-alerts}}
"""
ENVIRONMENTS = """\
environments:
  production: {account: "111122223333", region: eu-west-1}
  staging: {account: "111122223333", region: eu-west-1}
"""
RAW = (
    "raw: {cloudwatch: {Namespace: AWS/RDS, MetricName: ReplicaLag, Statistic: Maximum, Period: 60, EvaluationPeriods: 1,"
    " Threshold: 60, ComparisonOperator: GreaterThanThreshold}}"
)
CATALOGUE = f"""\
{HEAD}{ENVIRONMENTS}alerts:
  # it was written by hand before
  lag:
    mode: shadow       # until both fired
    severity: warning
    {RAW}
  slow: {{severity: warning, mode: shadow, {RAW}}}
"""


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The file of a catalogue in the folder alerts."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "alerts").mkdir()
    path = Path("alerts/shop.yaml")
    path.write_text(CATALOGUE)
    return path


def run(*argv: str) -> int:
    parser = argparse.ArgumentParser()
    shadow_cli.register(parser.add_subparsers())
    args = parser.parse_args(argv)
    return int(args.run(args))


def promoted(path: Path, text: str | bytes, name: str = "lag", environment: str = "production") -> Any:
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    promotion = prepare(load(path), environment, name)
    write(promotion)
    return promotion


def modes(path: Path, name: str = "lag") -> dict[str, str]:
    catalogue = load(path)
    return {
        each: alert.mode
        for each in catalogue.environments
        for alert in catalogue.resolve(each)
        if alert.name == name
    }


# --- where the mode may stand


def test_one_word_of_the_file_changes_and_every_other_byte_stays(here: Path) -> None:
    promotion = promoted(here, CATALOGUE)
    assert here.read_text() == CATALOGUE.replace("mode: shadow       #", "mode: live       #")
    assert (promotion.line, promotion.environments) == (10, ("production", "staging"))
    assert modes(here) == {"production": "live", "staging": "live"}
    assert modes(here, "slow") == {"production": "shadow", "staging": "shadow"}
    made = compile_state(load(here).resolve("production")).metric_alarms
    assert {alarm["AlarmName"]: alarm["ActionsEnabled"] for alarm in made} == {
        "shop-production-lag-warning": True,
        "shop-production-slow-warning": False,
    }


def test_the_mode_of_an_alert_in_one_line_changes_where_it_stands(here: Path) -> None:
    promoted(here, CATALOGUE, "slow")
    assert here.read_text() == CATALOGUE.replace("warning, mode: shadow,", "warning, mode: live,")


@pytest.mark.parametrize("written", ["'shadow'", '"shadow"', "shadow"])
@pytest.mark.parametrize("key", ["mode", "'mode'", '"mode" ', "? mode\n    "])
def test_quotes_stay(here: Path, written: str, key: str) -> None:
    text = CATALOGUE.replace("mode: shadow       #", f"{key}: {written} #")
    promoted(here, text)
    assert here.read_text() == text.replace(
        f"{key}: {written} #", f"{key}: {written.replace('shadow', 'live')} #"
    )


def test_line_endings_marks_of_byte_order_and_letters_beyond_ascii_stay(here: Path) -> None:
    text = CATALOGUE.replace("by hand", "von Hand, später: ✓ 🎉").replace("\n", "\r\n")
    content = b"\xef\xbb\xbf" + text.encode()
    promoted(here, content)
    assert here.read_bytes() == content.replace(b"mode: shadow       #", b"mode: live       #")


def test_rights_of_the_file_and_a_symbolic_link_stay(here: Path, tmp_path: Path) -> None:
    here.write_text(CATALOGUE)
    here.chmod(0o640)
    link = tmp_path / "link.yaml"
    link.symlink_to(here.resolve())
    write(prepare(load(link), "production", "lag"))
    assert link.is_symlink()
    assert stat.S_IMODE(here.stat().st_mode) == 0o640
    assert modes(here)["production"] == "live"
    assert [path.name for path in here.parent.iterdir()] == [here.name]


def test_an_override_changes_for_its_environment_alone(here: Path) -> None:
    text = CATALOGUE.replace(
        "  staging: {account",
        "  test: {alerts: {lag: {mode: shadow}, slow: {mode: live}}}\n  staging: {account",
    ).replace(
        '  production: {account: "111122223333", region: eu-west-1}',
        '  production:\n    account: "111122223333"\n    region: eu-west-1\n    alerts:\n      lag:\n        mode: shadow # here',
    )
    promotion = promoted(here, text)
    assert here.read_text() == text.replace("mode: shadow # here", "mode: live # here")
    assert promotion.environments == ("production",)
    assert modes(here) == {"production": "live", "test": "shadow", "staging": "shadow"}


def test_the_alerts_own_mode_leaves_environments_with_another_one_as_they_are(here: Path) -> None:
    text = CATALOGUE.replace(
        "  staging: {account", "  test: {alerts: {lag: {mode: shadow}}}\n  staging: {account"
    )
    assert promoted(here, text).environments == ("production", "staging")
    assert modes(here) == {"production": "live", "test": "shadow", "staging": "live"}


def test_a_part_of_the_team_is_changed_and_said_to_be_one(here: Path) -> None:
    part = here.with_name("part.yml")
    part.write_text(f"alerts:\n  lag: {{mode: shadow, severity: warning, {RAW}}}\n")
    text = f"{HEAD}include: [package:rds-postgres, {{file: part.yml}}]\n{ENVIRONMENTS}alerts: {{lag: {{owner: us}}}}\n"
    text = text.replace("{warning", "{critical: {topic: a}, info: {log: true}, warning").replace(
        "region: eu-west-1", "region: eu-west-1, resources: {db_instance: shop}"
    )
    promotion = promoted(here, text)
    assert (promotion.file, promotion.included) == (part, True)
    assert part.read_text() == f"alerts:\n  lag: {{mode: live, severity: warning, {RAW}}}\n"
    assert here.read_text() == text
    assert modes(here)["staging"] == "live"


def test_over_a_part_in_shadow_the_catalogue_says_live_and_is_not_emptied(here: Path) -> None:
    part = here.with_name("part.yml")
    part.write_text(f"alerts:\n  lag: {{mode: shadow, severity: warning, {RAW}}}\n")
    promoted(here, f"{HEAD}include: [part.yml]\n{ENVIRONMENTS}alerts: {{lag: {{mode: shadow}}}}\n")
    assert modes(here) == {"production": "live", "staging": "live"}
    assert "mode: shadow" in part.read_text()


def test_what_a_shipped_package_has_in_shadow_is_said_and_not_changed(
    here: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shipped = tmp_path / "packages"
    shipped.mkdir()
    (shipped / "new.yaml").write_text(f"alerts:\n  lag: {{mode: shadow, severity: warning, {RAW}}}\n")
    monkeypatch.setattr("orders_obs.alerts.catalogue.PACKAGES", shipped)
    monkeypatch.setattr(promote, "PACKAGES", shipped)
    here.write_text(f"{HEAD}include: [package:new]\n{ENVIRONMENTS}alerts: {{}}\n")
    with pytest.raises(UserError, match="by package:new") as error:
        prepare(load(here), "production", "lag")
    assert "write into alerts/shop.yaml: alerts: {lag: {mode: live}}" in error.value.hint
    assert "environments: {production: {alerts: {lag: {mode: live}}}}" in error.value.hint


# --- what is refused

ANCHORED = CATALOGUE.replace("  lag:\n", "  lag: &same\n").replace(
    f"  slow: {{severity: warning, mode: shadow, {RAW}}}", "  slow: *same"
)


@pytest.mark.parametrize(
    ("text", "name", "message", "line"),
    [
        (ANCHORED, "lag", "lag: has the anchor &same, and is line 13 too", 9),
        (ANCHORED, "slow", "slow: stands on line 9, and here is only an alias", 13),
        (
            CATALOGUE.replace("mode: shadow       ", "mode: &m shadow ").replace("mode: shadow,", "mode: *m ,"),
            "slow", "mode: stands on line 10", 13,
        ),
        (
            CATALOGUE.replace("mode: shadow       ", "mode: &m shadow ").replace("mode: shadow,", "mode: *m ,"),
            "lag", "mode: has the anchor &m, and is line 13 too", 10,
        ),
        (CATALOGUE.replace("mode: shadow  ", "mode: &m shadow "), "lag", "is written in a way", 10),
        (CATALOGUE.replace("mode: shadow  ", "mode: !!str shadow "), "lag", "is written in a way", 10),
        (CATALOGUE.replace("mode: shadow  ", 'mode: "shado\\x77" '), "lag", "is written in a way", 10),
        (CATALOGUE.replace("mode: shadow  ", 'mode: " shadow" '), "lag", "is written in a way", 10),
        (CATALOGUE.replace("mode: shadow       # until both fired", "mode: >\n      shadow"), "lag", "is written in a way", 10),
        (CATALOGUE.replace("mode: shadow  ", "mode: live "), "lag", "is not in shadow in production: it is live", 10),
        (CATALOGUE.replace("mode: shadow  ", "#"), "lag", "is not in shadow in production: it is live", None),
        (CATALOGUE.replace("mode: shadow  ", "mode: disabled "), "lag", "is disabled in production", 10),
        (CATALOGUE, "lak", "there is no alert 'lak' in production; did you mean lag", None),
    ],
)  # fmt: skip
def test_on_any_doubt_nothing_is_written_and_the_line_is_said(
    here: Path, text: str, name: str, message: str, line: int | None
) -> None:
    here.write_text(text)
    with pytest.raises(UserError) as error:
        prepare(load(here), "production", name)
    assert message in str(error.value)
    assert error.value.line == line
    assert here.read_text() == text


def test_a_change_that_would_alter_more_is_refused(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever the reason is: what would be read is compared, alert by alert."""
    real = promote._loaded

    def other(path: Path, file: Path, text: str) -> Catalogue:
        return real(path, file, text.replace("Threshold: 60", "Threshold: 61", 1))

    monkeypatch.setattr(promote, "_loaded", other)
    with pytest.raises(UserError, match="would change more in production than that"):
        prepare(load(here), "production", "lag")


def test_a_file_that_somebody_changes_meanwhile_is_left_to_them(here: Path) -> None:
    promotion = prepare(load(here), "production", "lag")
    here.write_text(CATALOGUE + "# mine\n")
    with pytest.raises(UserError, match="was changed meanwhile"):
        write(promotion)
    assert here.read_text() == CATALOGUE + "# mine\n"
    assert [path.name for path in here.parent.iterdir()] == [here.name]


def test_a_file_that_cannot_be_written_is_as_it_was(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    promotion = prepare(load(here), "production", "lag")
    monkeypatch.setattr("os.access", lambda path, mode: False)
    with pytest.raises(UserError, match="it is read-only; it is as it was"):
        write(promotion)
    assert here.read_text() == CATALOGUE


# --- any text at all

_NAMES = ["lag", "slow", "calm", "other"]
_COMMENT = st.sampled_from(["", "", " # mode: shadow", " # {mode: shadow}", "  # ä✓ 'shadow"])
_MODE = st.sampled_from(["shadow", "'shadow'", '"shadow"', "live", "'live'"])


@st.composite
def _alert(draw: Any, name: str, indent: str, *, bare: bool = False) -> str:
    """An alert in one of the ways in which one may write it; of `bare` ones only the mode is said."""
    words = (
        []
        if bare
        else [f"runbook: {draw(st.sampled_from(['shadow', 'mode', 'x']))}", "severity: warning", RAW]
    )
    if bare or draw(st.booleans()):
        words.append(f"mode: {draw(_MODE)}")
    words = list(draw(st.permutations(words)))
    if draw(st.booleans()):
        gap = draw(st.sampled_from([" ", "", "\n" + indent + "    "]))
        inside = f",{gap or ' '}".join(words)
        return f"{indent}{name}: {{{gap}{inside}{gap}}}{draw(_COMMENT)}\n"
    deeper = indent + draw(st.sampled_from(["  ", "    "]))
    lines = [f"{deeper}{word}{draw(_COMMENT)}\n" for word in words]
    empty: str = draw(st.sampled_from(["", "\n", f"{deeper}# mode: shadow\n"]))
    return f"{indent}{name}:{draw(_COMMENT)}\n" + empty.join(lines)


@st.composite
def _catalogue(draw: Any) -> str:
    names: list[str] = draw(st.lists(st.sampled_from(_NAMES), min_size=1, unique=True))
    places = ""
    for environment in ("production", "staging"):
        places += f'  {environment}:\n    account: "111122223333"\n    region: eu-west-1\n'
        own = draw(st.lists(st.sampled_from(names), unique=True))
        if own:
            places += "    alerts:\n" + "".join(draw(_alert(name, "      ", bare=True)) for name in own)
    alerts = "alerts:\n" + "".join(draw(_alert(name, "  ")) for name in names)
    parts = [f"environments:\n{places}", alerts]
    text: str = HEAD + "".join(draw(st.permutations(parts)))
    ending: str = draw(st.sampled_from(["\n", "\r\n"]))
    return text.replace("\n", ending)


@settings(deadline=None)
@given(_catalogue(), st.sampled_from(_NAMES), st.sampled_from(["production", "staging"]))
def test_of_any_catalogue_only_that_alert_becomes_live(text: str, name: str, environment: str) -> None:
    def read(content: str) -> Catalogue:
        node = compose(content.replace("\r\n", "\n"), Path("x.yaml"))
        assert node is not None
        return Catalogue(Node(Path("x.yaml"), node, "the file"), Path("x.yaml"))

    before = read(text)
    was = {alert.name: alert.mode for alert in before.resolve(environment)}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Path, "read_bytes", lambda path: text.encode())
        if was.get(name) != "shadow":
            with pytest.raises(UserError):
                prepare(before, environment, name)
            return
        promotion = prepare(before, environment, name)
    assert len(promotion.before) - len(promotion.after) == 2  # shadow, live
    after = read(promotion.after.decode())
    assert environment in promotion.environments
    for each in ("production", "staging"):
        wanted = [
            replace(alert, mode="live") if alert.name == name and each in promotion.environments else alert
            for alert in before.resolve(each)
        ]
        assert list(after.resolve(each)) == wanted


# --- the command

BORN = datetime.now(UTC).replace(second=0, microsecond=0) - timedelta(days=20)


@pytest.fixture
def account(here: Path, monkeypatch: pytest.MonkeyPatch) -> FakeAccount:
    """An account with both alarms, each OK for ten days."""
    made = FakeAccount(clock=Clock(born=BORN))
    client = made.session().client("cloudwatch")
    for name in ("old lag", "shop-production-lag-warning"):
        client.put_metric_alarm(
            AlarmName=name, Namespace="AWS/RDS", MetricName="ReplicaLag", Statistic="Maximum", Period=60, EvaluationPeriods=1,
            Threshold=60, ComparisonOperator="GreaterThanThreshold", ActionsEnabled=name == "old lag",
        )  # fmt: skip
    made.clock.seconds = 10 * 86_400
    for name in made.alarms.all:
        made.set_state(name, "OK")
    monkeypatch.setattr(
        session, "connect",
        lambda region, profile="", *, policy="": Aws(
            made.session(), region, policy=policy, pace=Pace(made.clock, made.sleep)
        ),
    )  # fmt: skip
    return made


def fire(account: FakeAccount, *names: str) -> None:
    account.clock.seconds = 15 * 86_400
    for name in names:
        account.set_state(name, "ALARM")
    account.clock.seconds += 1200
    for name in names:
        account.set_state(name, "OK")


LAG = ("promote", "lag", "--env", "production")
NEW = "shop-production-lag-warning"


def test_without_a_comparison_nobody_is_told_anything(here: Path, account: FakeAccount) -> None:
    with pytest.raises(UserError, match="with what is it to be compared before it tells people"):
        run(*LAG, "--yes")
    assert here.read_text() == CATALOGUE


def test_after_a_comparison_it_is_written_and_what_comes_next_is_said(
    here: Path, account: FakeAccount, capsys: pytest.CaptureFixture[str]
) -> None:
    fire(account, "old lag", NEW)
    calls = len(account.writes)
    assert run(*LAG, "--with", "old lag", "--yes") == 0
    said = capsys.readouterr()
    assert said.out == "alerts/shop.yaml:10: lag is live in production, staging\n"
    assert "the new one fired whenever the old one did, once" in said.err
    assert "its mode stands on the alert, so also in staging" in said.err
    assert "old lag tells people too, until its actions are off" in said.err
    assert "AWS does not know yet: orders-obs alerts plan --env production, then apply" in said.err
    assert modes(here)["production"] == "live"
    assert len(account.writes) == calls  # the catalogue decides, and apply does it


def test_what_missed_a_firing_stays_in_shadow_unless_one_says_anyway(
    here: Path, account: FakeAccount
) -> None:
    fire(account, "old lag")
    with pytest.raises(UserError, match="lag stays in shadow: missed"):
        run(*LAG, "--with", "old lag", "--yes")
    assert here.read_text() == CATALOGUE
    assert run(*LAG, "--with", "old lag", "--yes", "--anyway") == 0
    assert modes(here)["production"] == "live"


def test_a_dry_run_prints_a_diff_that_patch_takes_and_writes_nothing(
    here: Path, account: FakeAccount, capsys: pytest.CaptureFixture[str]
) -> None:
    text = CATALOGUE.rstrip("\n")  # no end of line at the end of the file
    here.write_text(text)
    assert run("promote", "slow", "--env", "production", "--without-comparison", "--dry-run") == 0
    printed = capsys.readouterr().out
    assert here.read_text() == text
    assert [line[0] for line in printed.splitlines() if "mode: " in line and line[0] in "+-"] == ["-", "+"]
    subprocess.run(["git", "apply", "-"], input=printed, text=True, cwd="alerts", check=True)
    assert here.read_text() == text.replace("warning, mode: shadow,", "warning, mode: live,")


def test_nobody_at_a_terminal_means_no(
    here: Path, account: FakeAccount, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("yes\n"))
    with pytest.raises(UserError, match="nobody is there to be asked"):
        run(*LAG, "--without-comparison")
    assert here.read_text() == CATALOGUE


@pytest.mark.parametrize(("answer", "mode"), [("yes", "live"), ("y", "shadow"), ("", "shadow")])
def test_only_yes_does_it(here: Path, monkeypatch: pytest.MonkeyPatch, answer: str, mode: str) -> None:
    typed = io.StringIO(f"{answer}\n")
    monkeypatch.setattr(typed, "isatty", lambda: True)
    monkeypatch.setattr("sys.stdin", typed)
    if mode == "live":
        assert run(*LAG, "--without-comparison") == 0
    else:
        with pytest.raises(UserError, match="nothing was written"):
            run(*LAG, "--without-comparison")
    assert modes(here)["production"] == mode


def test_severities_that_were_not_compared_are_said_to_become_live_too(
    here: Path, account: FakeAccount, capsys: pytest.CaptureFixture[str]
) -> None:
    text = CATALOGUE.replace("{warning: {", "{critical: {topic: shop-critical}, warning: {")
    text = text.replace("region: eu-west-1}", "region: eu-west-1, resources: {db_instance: shop}}", 1)
    text += "  behind: {mode: shadow, signal: rds_replica_lag, over: 1m, critical: {above: 60s}, warning: {above: 9s}}\n"
    here.write_text(text.replace("  staging: {", "  staging: {resources: {db_instance: shop}, "))
    client = account.session().client("cloudwatch")
    arguments = {**account.alarms.all["old lag"].config, "AlarmName": "shop-production-behind-critical"}
    client.put_metric_alarm(**arguments)
    account.set_state("shop-production-behind-critical", "OK")
    fire(account, "old lag", "shop-production-behind-critical")
    with pytest.raises(UserError, match="is an alarm of each severity"):
        run("promote", "behind", "--env", "production", "--with", "old lag", "--yes")
    assert (
        run("promote", "shop-production-behind-critical", "--env", "production", "--with", "old lag", "--yes")
        == 0
    )
    assert "also what was not compared: warning\n" in capsys.readouterr().err


def test_the_shipped_catalogue_is_never_written_to(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UserError, match="there is no folder alerts here"):
        run(*LAG, "--without-comparison", "--yes")


def test_a_raw_form_whose_actions_are_off_is_said_to_stay_silent(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    here.write_text(CATALOGUE.replace("Threshold: 60,", "Threshold: 60, ActionsEnabled: false,"))
    assert run(*LAG, "--without-comparison", "--yes") == 0
    assert "ActionsEnabled: false, so it tells nobody all the same" in capsys.readouterr().err

"""The command, its reports and its exit codes."""

from __future__ import annotations

import argparse
import json
import re
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from orders_obs.aws import session
from orders_obs.aws.audit import cli
from orders_obs.aws.audit.html import page
from orders_obs.aws.audit.model import Issue, Result
from orders_obs.aws.audit.rules import RULES
from orders_obs.errors import EnvironmentFault, UserError
from tests.aws.audit.seeds import dims, sound
from tests.aws.audit.world import ACCOUNT, REGION, World

_HOSTILE = "</script><img src=x onerror=alert(1)>\"'`{{7*7}}&amp;\x1b[31m"


def audit(*words: str) -> int:
    parser = argparse.ArgumentParser()
    cli.register(parser.add_subparsers(required=True))
    args = parser.parse_args(["audit", *words])
    code: int = args.run(args)
    return code


@pytest.fixture
def worlds(monkeypatch: pytest.MonkeyPatch) -> dict[tuple[str, str], World]:
    """Accounts by profile and region, in place of AWS."""
    made: dict[tuple[str, str], World] = {}

    def connect(region: str, profile: str = "", *, policy: str = "") -> Any:
        if (profile, region) not in made:
            raise EnvironmentFault("credentials: no right here")
        return made[profile, region].aws()

    monkeypatch.setattr(session, "connect", connect)
    monkeypatch.setenv("AWS_DEFAULT_REGION", REGION)
    return made


def broken(**more: Any) -> World:
    world = sound(World(**more))
    world.alarm("bad", Dimensions=dims({"ClusterName": "gone"}))
    return world


def test_findings_of_level_error_are_exit_code_1_and_warnings_are_where_they_are_told_to_be(
    worlds: dict[tuple[str, str], World], capsys: pytest.CaptureFixture[str]
) -> None:
    worlds["", REGION] = broken()
    assert audit() == 1
    out = capsys.readouterr().out
    assert "ERROR  metric-dead" in out
    assert "alarm bad:" in out
    worlds["", REGION] = sound(World())
    assert audit() == 0
    assert audit("--strict") == 0
    worlds["", REGION].alarm("mute", AlarmActions=[], OKActions=[])
    assert audit() == 0
    assert audit("--strict") == 1


def test_data_has_all_findings_and_is_a_baseline(
    worlds: dict[tuple[str, str], World], capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    worlds["", REGION] = broken()
    assert audit("--json") == 1
    out = capsys.readouterr().out
    data = json.loads(out)
    (error,) = [finding for finding in data["findings"] if finding["level"] == "error"]
    assert (error["rule"], error["where"], error["subject"]) == (
        "metric-dead",
        f"{ACCOUNT}/{REGION} alarm bad",
        "never fires",
    )
    assert data["summary"]["alarms_by_subject"] == {"never fires": 1}
    assert data["summary"]["alarms"] == len(worlds["", REGION].alarms) + len(worlds["", REGION].composites)
    assert data["summary"]["usd_a_month_wasted"] == 0.1
    (tmp_path / "known.json").write_text(out)
    assert audit("--baseline", str(tmp_path / "known.json")) == 0
    assert audit("--write-baseline", str(tmp_path / "own.json")) == 0
    worlds["", REGION].alarm("bad-too", Dimensions=dims({"ClusterName": "gone-too"}))
    assert audit("--baseline", str(tmp_path / "own.json")) == 1
    out = capsys.readouterr().out
    assert "bad-too" in out
    assert "alarm bad:" not in out
    assert re.search(r"^Besides, the baseline has \d+ findings \(1 error, 0 warnings, \d+ worth knowing\)\.$", out, re.MULTILINE)  # fmt: skip


def test_several_accounts_and_regions_are_sections_and_one_that_cannot_be_read_stops_no_other(
    worlds: dict[tuple[str, str], World], capsys: pytest.CaptureFixture[str]
) -> None:
    worlds["one", REGION] = sound(World())
    worlds["two", REGION] = broken(account="999988887777")
    worlds["one", "us-east-1"] = World(region="us-east-1")
    assert audit("--profile", "one", "--profile", "two", "--region", REGION, "--region", "us-east-1") == 1
    out = capsys.readouterr().out
    assert f"{ACCOUNT}/{REGION}: " in out
    assert f"999988887777/{REGION} alarm bad" in out
    assert f"{ACCOUNT}/us-east-1: no alarms at all" in out
    assert "two/us-east-1: could not be looked at: credentials: no right here" in out


def test_the_same_account_by_two_profiles_is_read_once(
    worlds: dict[tuple[str, str], World], capsys: pytest.CaptureFixture[str]
) -> None:
    worlds["one", REGION] = worlds["two", REGION] = sound(World())
    assert audit("--profile", "one", "--profile", "two") == 0
    assert worlds["one", REGION].calls.count("cloudwatch:describe_alarms") == 1


def test_where_no_alarm_can_be_read_it_is_a_fault_of_the_surroundings(
    worlds: dict[tuple[str, str], World],
) -> None:
    worlds["", REGION] = World()
    worlds["", REGION].denied = {"describe_alarms"}
    with pytest.raises(EnvironmentFault, match="no right to cloudwatch:DescribeAlarms"):
        audit()


def test_all_regions_are_those_that_the_account_has(
    worlds: dict[tuple[str, str], World], capsys: pytest.CaptureFixture[str]
) -> None:
    worlds["", REGION] = broken()
    assert audit("--all-regions") == 1
    assert "ec2:describe_regions" in worlds["", REGION].calls
    worlds["", REGION].denied = {"describe_regions"}
    with pytest.raises(EnvironmentFault, match="no right to ec2:DescribeRegions"):
        audit("--all-regions")


def test_a_prefix_and_tags_choose_alarms_and_composites_still_know_the_others(
    worlds: dict[tuple[str, str], World], capsys: pytest.CaptureFixture[str]
) -> None:
    world = worlds["", REGION] = sound(World())
    for name in ("shop-bad", "other-bad"):
        world.alarm(name, Dimensions=dims({"ClusterName": "gone"}))
    world.composite("shop-any", 'ALARM("checkout-cpu")')
    world.rule("aimless", {"source": ["aws.rds"]})
    world.tags[world.arn("cloudwatch", "alarm:other-bad")] = {"team": "orders"}
    assert audit("--prefix", "shop-", "--json") == 1
    data = json.loads(capsys.readouterr().out)
    assert {finding["thing"] for finding in data["findings"]} == {"shop-bad"}
    assert data["summary"]["alarms"] == 2
    assert audit("--tag", "team=orders", "--json") == 1
    assert {one["thing"] for one in json.loads(capsys.readouterr().out)["findings"]} == {"other-bad"}
    world.denied = {"get_resources"}
    with pytest.raises(EnvironmentFault, match="tags of the alarms"):
        audit("--tag", "team=orders")
    with pytest.raises(UserError, match="is no tag"):
        audit("--tag", "team")


def test_what_could_not_be_looked_at_is_said_with_its_rules(
    worlds: dict[tuple[str, str], World], capsys: pytest.CaptureFixture[str]
) -> None:
    worlds["", REGION] = broken()
    worlds["", REGION].denied = {"get_topic_attributes"}
    assert audit() == 1
    out = capsys.readouterr().out
    assert "NOT LOOKED AT" in out
    assert "no right to sns:GetTopicAttributes" in out
    assert "topic-policy-forbids" in out[out.index("no right to sns:GetTopicAttributes") :]


def test_a_file_to_go_on_with_is_said_to_be_of_an_earlier_run(
    worlds: dict[tuple[str, str], World], capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    worlds["", REGION] = broken()
    assert audit("--resume", str(tmp_path / "kept")) == 1
    assert "earlier run" not in capsys.readouterr().out
    assert audit("--resume", str(tmp_path / "kept")) == 1
    said = capsys.readouterr()
    assert re.search(r"answers are from an earlier run, the oldest of 20\d\d-", said.out)
    assert "delete it to read anew" in said.err


def test_the_same_remedy_stands_once_and_long_lists_end(
    worlds: dict[tuple[str, str], World], capsys: pytest.CaptureFixture[str]
) -> None:
    world = worlds["", REGION] = World()
    world.topic("ops")
    for number in range(20):
        world.alarm(f"none-{number:02}", AlarmActions=[], OKActions=[])
    audit()
    out = capsys.readouterr().out
    assert out.count(RULES["no-action"].remedy) == 1
    assert "none-07" in out
    assert "none-08" not in out
    assert "and 12 more" in out
    audit("--all")
    assert "none-19" in capsys.readouterr().out


def test_names_from_the_account_send_no_commands_to_the_terminal(
    worlds: dict[tuple[str, str], World], capsys: pytest.CaptureFixture[str]
) -> None:
    world = worlds["", REGION] = World()
    world.alarm(_HOSTILE, AlarmActions=[], OKActions=[])
    audit("--all")
    assert "\x1b" not in "".join(capsys.readouterr())


def test_rules_and_policy_need_no_account(capsys: pytest.CaptureFixture[str]) -> None:
    assert audit("--rules") == 0
    out = capsys.readouterr().out
    assert all(rule in out for rule in RULES)
    assert audit("--rules", "--json") == 0
    assert set(json.loads(capsys.readouterr().out)["rules"]["live account"]) == set(RULES)
    assert audit("--print-policy") == 0
    assert "cloudwatch:DescribeAlarms" in json.loads(capsys.readouterr().out)["Statement"][0]["Action"]


def test_without_a_region_it_is_said_how_to_name_one(
    worlds: dict[tuple[str, str], World], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("AWS_DEFAULT_REGION")
    with pytest.raises(UserError, match="there is no region"):
        audit()
    with pytest.raises(UserError, match="nothing to look at"):
        audit("--no-aws")


def test_a_profile_that_there_is_none_of_is_wrong_input() -> None:
    with pytest.raises(UserError, match="nobody"):
        audit("--profile", "nobody")


def test_who_interrupts_it_is_told_how_to_go_on(
    worlds: dict[tuple[str, str], World], capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    world = worlds["", REGION] = sound(World())

    def ends(asked: object) -> dict[str, object]:
        raise KeyboardInterrupt

    world._list_rules = ends  # type: ignore[method-assign]
    with pytest.raises(KeyboardInterrupt):
        audit("--resume", str(tmp_path / "kept"))
    assert f"goes on from {tmp_path / 'kept'}" in capsys.readouterr().err
    with pytest.raises(KeyboardInterrupt):
        audit()
    assert "--resume FILE" in capsys.readouterr().err


def test_a_sound_account_is_said_to_be_one(
    worlds: dict[tuple[str, str], World], capsys: pytest.CaptureFixture[str]
) -> None:
    worlds["", REGION] = sound(World())
    assert audit() == 0
    assert "Nothing is wrong of what could be looked at." in capsys.readouterr().out


def test_where_a_baseline_has_all_findings_it_is_said_how_many(
    worlds: dict[tuple[str, str], World], capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    world = worlds["", REGION] = broken()
    world.alarm("mute", AlarmActions=[], OKActions=[])
    known, page_of = str(tmp_path / "known.json"), tmp_path / "report.html"
    assert audit("--write-baseline", known) == 0
    assert audit("--baseline", known, "--html", str(page_of)) == 0
    out = capsys.readouterr().out
    words = r"Nothing new is wrong of what could be looked at; the baseline has \d+ findings \(1 error, 1 warning, \d+ worth knowing\)\."
    found = re.search(words, out)
    assert found, out
    assert "Nothing is wrong" not in out
    assert found[0] in page_of.read_text()
    assert audit("--baseline", known, "--json") == 0
    data = json.loads(capsys.readouterr().out)
    assert data["summary"]["findings_in_baseline"] | {"info": 0} == {"error": 1, "warning": 1, "info": 0}


def test_an_account_without_alarms_is_not_called_sound(
    worlds: dict[tuple[str, str], World], capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    worlds["", REGION] = World()
    assert audit("--html", str(tmp_path / "report.html")) == 0
    out = capsys.readouterr().out
    assert f"{ACCOUNT}/{REGION}: no alarms at all" in out
    assert "There are no alarms there, so nothing was looked at" in out
    assert "Nothing is wrong" not in out
    assert "There are no alarms there" in (tmp_path / "report.html").read_text()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--prefix", "SHOP-"), "--prefix SHOP- matches none of 3 alarms; names are compared letter by letter: did you mean shop-?"),
        (("--prefix", "cpu"), "--prefix cpu matches none of 3 alarms; names must begin so; 2 have it further on, such as shop-cpu"),
        (("--prefix", "shpo-"), "did you mean one such as shop-"),
        (("--prefix", "zzz"), "--prefix zzz matches none of 3 alarms$"),
        (("--tag", "team=order"), "--tag team=order matches none of 3 alarms; did you mean orders?"),
        (("--tag", "Team=orders"), "did you mean team?"),
        (("--tag", "zzz=orders"), "keys of tags: team"),
        (("--tag", "team=zzz"), "values of team: orders, refunds"),
        (("--prefix", "zzz", "--tag", "team=zzz"), "--prefix zzz and --tag team=zzz matches none"),
        (("--prefix", "shop-", "--tag", "team=refunds"), "none of 3 alarms has all that is asked for: --prefix shop- alone 2, --tag team=refunds alone 1"),
    ],
)  # fmt: skip
def test_a_filter_that_matches_nothing_is_a_mistake_and_it_is_said_which_one(
    worlds: dict[tuple[str, str], World], words: tuple[str, ...], said: str
) -> None:
    world = worlds["", REGION] = World()
    world.topic("ops")
    for name, team in (("shop-cpu", "orders"), ("shop-disk", ""), ("other-cpu", "refunds")):
        world.alarm(name)
        if team:
            world.tags[world.arn("cloudwatch", f"alarm:{name}")] = {"team": team}
    with pytest.raises(UserError) as caught:
        audit(*words)
    assert re.search(said.replace("?", r"\?"), str(caught.value)), str(caught.value)


def test_a_filter_that_matches_nothing_in_one_of_several_places_is_none_of_theirs(
    worlds: dict[tuple[str, str], World], capsys: pytest.CaptureFixture[str]
) -> None:
    worlds["one", REGION] = sound(World())
    worlds["two", REGION] = World(account="999988887777")
    worlds["two", REGION].alarm("other")
    worlds["two", REGION].topic("ops")
    assert audit("--profile", "one", "--profile", "two", "--prefix", "checkout-") == 0
    out = capsys.readouterr().out
    assert f"{ACCOUNT}/{REGION}: 1 of {len(worlds['one', REGION].alarms) + 2} alarms" in out
    assert f"999988887777/{REGION}: none of 1 alarm" in out


def test_a_filter_where_there_are_no_alarms_says_so_and_what_could_not_be_looked_at(
    worlds: dict[tuple[str, str], World],
) -> None:
    worlds["", REGION] = World()
    with pytest.raises(UserError, match=f"--prefix shop- can match nothing: there are no alarms at all in {ACCOUNT}/{REGION};") as caught:  # fmt: skip
        audit("--prefix", "shop-", "--region", REGION, "--region", "us-east-1")
    assert "default/us-east-1: could not be looked at: credentials: no right here" in str(caught.value)


def test_where_nothing_can_be_read_a_filter_is_not_what_is_wrong(
    worlds: dict[tuple[str, str], World],
) -> None:
    with pytest.raises(EnvironmentFault, match="no right here"):
        audit("--prefix", "shop-")


# HTML


class Page(HTMLParser):
    """What a browser would make of a page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.texts: list[str] = []
        self.scripts: list[str] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in ("meta", "input", "img", "br"):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        (self.scripts if self.open and self.open[-1] in ("script", "style") else self.texts).append(data)


@pytest.fixture
def written(
    worlds: dict[tuple[str, str], World], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> Callable[[World], tuple[str, Page]]:
    def write(world: World) -> tuple[str, Page]:
        worlds["", REGION] = world
        audit("--html", str(tmp_path / "report.html"))
        text = (tmp_path / "report.html").read_text(encoding="utf-8")
        return text, Page(text)

    return write


def test_the_page_shows_hostile_names_as_text(written: Callable[[World], tuple[str, Page]]) -> None:
    world = broken()
    world.alarm(_HOSTILE, AlarmActions=[], OKActions=[])
    world.topics[world.arn("sns", "ops")]["Policy"] = "{}"
    world.alarm(
        "other",
        AlarmActions=[world.arn("sns", "x")],
        OKActions=[],
        EvaluationState="EVALUATION_ERROR",
        StateReason=_HOSTILE,
    )
    _, found = written(world)
    assert found.open == []
    assert "img" not in {tag for tag, _ in found.tags}
    assert len([tag for tag, _ in found.tags if tag == "script"]) == 1
    assert _HOSTILE in found.texts
    assert not [name for _, attributes in found.tags for name in attributes if name.startswith("on")]


def test_the_page_fetches_nothing_and_runs_only_its_own_script(
    written: Callable[[World], tuple[str, Page]],
) -> None:
    text, found = written(broken())
    (policy,) = [
        str(attributes["content"])
        for tag, attributes in found.tags
        if attributes.get("http-equiv") == "Content-Security-Policy"
    ]
    assert policy.startswith("default-src 'none'; style-src 'sha256-")
    assert "unsafe" not in policy
    for tag, attributes in found.tags:
        assert not {"src", "href", "style"} & set(attributes), tag
    assert "eval(" not in text
    assert "innerHTML" not in text
    assert "http://" not in text
    assert "https://" not in text


def test_the_script_and_the_style_are_those_that_the_policy_allows(
    written: Callable[[World], tuple[str, Page]],
) -> None:
    import base64
    import hashlib

    text, found = written(broken())
    for content in re.findall(r"<(?:script|style)>(.*?)</(?:script|style)>", text, re.DOTALL):
        digest = base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()
        assert f"'sha256-{digest}'" in str(next(a["content"] for _, a in found.tags if a.get("http-equiv")))


def test_the_page_has_the_summary_the_findings_by_thing_and_what_was_not_looked_at(
    written: Callable[[World], tuple[str, Page]],
) -> None:
    world = broken()
    world.denied = {"list_alarm_mute_rules"}
    text, found = written(world)
    order = [
        text.index(part) for part in ('class="tiles"', ">Findings<", ">Not looked at<", ">What costs most<")
    ]
    assert order == sorted(order)
    levels = [attributes["data-level"] for _, attributes in found.tags if "data-level" in attributes]
    assert levels[0] == "error"
    assert "bad" in found.texts
    assert any("no right to cloudwatch:ListAlarmMuteRules" in text for text in found.texts)


def test_the_page_counts_one_as_one_and_says_what_is_wasted(
    written: Callable[[World], tuple[str, Page]], capsys: pytest.CaptureFixture[str]
) -> None:
    world = World()
    topic = world.topic("deaf", hears=False)
    world.alarm("bad", AlarmActions=[topic], OKActions=[topic], Dimensions=dims({"ClusterName": "gone"}))
    text, found = written(world)
    assert "<li><b>1</b> alarm</li>" in text
    assert "1 alarms" not in text
    assert "1 alarm" in found.texts
    assert "<li><b>0.10</b> USD of all that is for alarms that can never fire" in text
    assert "2 errors, 0 warnings" in capsys.readouterr().err
    text, _ = written(sound(World()))
    assert "can never fire, or do" not in text


def test_an_account_without_findings_is_a_page_too() -> None:
    text = page([Result("111122223333/eu-west-1", fault="no credentials")], [], "2026-11-25")
    assert "Nothing was found" in text
    assert Page(text).open == []
    issue = Issue("no-action", "warning", "reaches nobody", "p", "alarm", "a", "m", "", ("a",))
    assert Page(page([Result("p", 1, (issue,))], [issue], "2026-11-25")).open == []

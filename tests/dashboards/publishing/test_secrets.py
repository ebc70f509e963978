"""The token is a canary: it must be in the requests, and in nothing else that leaves the process."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from orders_obs.dashboards.publishing.client import Client
from orders_obs.dashboards.publishing.marks import digest
from tests.dashboards.grafana_server.server import TOKEN, Fault, Grafana, Request
from tests.dashboards.publishing.site import Site

Capture = pytest.CaptureFixture[str]
PLAIN = "plainCanaryWithoutAnyShape"


def _clean(capsys: Capture, folder: Path) -> None:
    said = capsys.readouterr()
    written = "".join(path.read_text() for path in folder.rglob("*") if path.is_file())
    for canary in (TOKEN, PLAIN):
        assert canary not in said.out + said.err + written


def test_no_command_shows_the_token(grafana: Grafana, site: Site, capsys: Capture, tmp_path: Path) -> None:
    audit = tmp_path / "audit.jsonl"
    assert site("publish", "--audit", audit) == 0
    assert site("publish", "--json") == 0
    grafana.save_in_page("orders", lambda content: content.update(refresh="1h"))
    assert site("diff") == 1
    assert site("pull") == 0
    assert site("annotate", "--text", "deployed", "--version", "1") == 0
    assert site("provision", "-o", tmp_path / "provisioning") == 0
    assert TOKEN not in json.dumps([request.body for request in grafana.requests])
    _clean(capsys, tmp_path)


@pytest.mark.parametrize(
    "kind", [400, 401, 403, 409, 412, 422, 429, 500, 502, 503, 504, "html", "redirect", "cut", "drop"]
)
@pytest.mark.parametrize("method", ["GET", "P.*"])
def test_no_failure_shows_the_token_though_grafana_repeats_it(
    grafana13: Grafana, site13: Site, capsys: Capture, tmp_path: Path, kind: int | str, method: str
) -> None:
    grafana13.faults = [Fault(kind, method, times=99)]
    assert site13("publish") in (1, 2, 3)
    _clean(capsys, tmp_path)


def test_a_token_without_the_shape_of_one_is_hidden_too(
    grafana13: Grafana, site13: Site, capsys: Capture, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GRAFANA_TOKEN", PLAIN)
    assert site13("publish") == 3
    grafana13.faults = [Fault(500, path="/api/user")]
    assert site13("publish") == 3
    _clean(capsys, tmp_path)
    assert PLAIN not in repr(Client(grafana13.url, PLAIN))


def test_a_token_that_is_not_there_is_wrong_input(
    grafana13: Grafana, site13: Site, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("GRAFANA_TOKEN")
    assert site13("publish") == 2
    assert "the environment variable GRAFANA_TOKEN is empty" in capsys.readouterr().err
    assert grafana13.requests == []


def test_a_secret_in_a_dashboard_is_not_shown_in_a_diff(
    site13: Site, grafana13: Grafana, capsys: Capture, tmp_path: Path
) -> None:
    assert site13("publish") == 0
    grafana13.save_in_page("orders", lambda content: content.update(refresh=f"token={TOKEN}"))
    assert site13("diff") == 1
    assert site13("diff", "--json") == 1
    said = capsys.readouterr()
    assert TOKEN not in said.out + said.err


def test_a_secret_in_a_title_is_in_no_line(site13: Site, capsys: Capture, tmp_path: Path) -> None:
    site13.dashboard(title=f"Orders {TOKEN}")
    assert site13("publish") == 1
    assert site13("publish", "--without-lint", "--audit", tmp_path / "audit.jsonl") == 0
    said = capsys.readouterr()
    assert TOKEN not in said.out + said.err + (tmp_path / "audit.jsonl").read_text()


def test_the_audit_line_says_who_when_where_and_what(site13: Site, tmp_path: Path) -> None:
    audit = tmp_path / "audit.jsonl"
    assert site13("publish", "--audit", audit) == 0
    site13.dashboard(refresh="30s")
    assert site13("publish", "--audit", audit) == 0
    assert audit.stat().st_mode & 0o777 == 0o600
    lines = [json.loads(line) for line in audit.read_text().splitlines()]
    assert [(line["kind"], line["uid"], line["action"], line["outcome"]) for line in lines] == [
        ("folder", "shop", "create", "done"), ("dashboard", "orders", "create", "done"), ("dashboard", "orders", "update", "done"),
    ]  # fmt: skip
    last = lines[-1]
    assert last["by"]["grafana"] == "sa-1-publisher"
    assert last["by"]["local"]
    assert last["target"] == "test"
    assert last["time"].endswith("Z")
    assert last["was"] == lines[1]["digest"] != last["digest"]


def test_the_audit_line_of_overwritten_drift_has_the_hash_of_what_stood_there(
    grafana: Grafana, site: Site, tmp_path: Path
) -> None:
    audit = tmp_path / "audit.jsonl"
    assert site("publish") == 0
    grafana.save_in_page("orders", lambda content: content.update(refresh="9m"))
    theirs = digest(grafana.store.dashboards["orders"].content, "shop")
    assert site("publish", "--overwrite-drift", "--audit", audit) == 0
    line = json.loads(audit.read_text())
    assert line["was"] == theirs != line["digest"]
    assert line["published"] == line["digest"]


def test_the_audit_line_has_the_hash_of_what_another_publish_of_ours_put_there_in_the_meantime(
    grafana: Grafana, site: Site, tmp_path: Path
) -> None:
    other = Site(tmp_path / "other", grafana.url, more="    folder: {uid: shop, title: Shop}\n")
    other.dashboard(refresh="7m")

    def act(request: Request) -> None:
        if request.method in ("PUT", "POST"):
            grafana.before = None
            assert other("publish") == 0

    assert site("publish") == 0
    site.dashboard(refresh="30s")
    grafana.before = act
    audit = tmp_path / "audit.jsonl"
    assert site("publish", "--audit", audit) == 0
    versions = grafana.store.dashboards["orders"].versions
    assert [version.content["refresh"] for version in versions] == ["10s", "7m", "30s"]
    assert json.loads(audit.read_text())["was"] == digest(versions[1].content, "shop")


def test_each_write_is_told_once_though_it_is_recorded_in_a_file(
    site13: Site, tmp_path: Path, capsys: Capture
) -> None:
    assert site13("publish", "--audit", tmp_path / "audit.jsonl") == 0
    said = capsys.readouterr()
    assert (said.out + said.err).count("done: create dashboard orders") == 1
    assert "2 of 2: dashboard orders" in said.err


def test_an_audit_file_that_cannot_be_written_stops_before_the_first_write(
    site13: Site, grafana13: Grafana, tmp_path: Path, capsys: Capture
) -> None:
    assert site13("publish", "--audit", tmp_path / "none" / "audit.jsonl") == 2
    assert "cannot be written" in capsys.readouterr().err
    assert grafana13.writes == []


def test_a_write_whose_line_cannot_be_written_is_said_and_the_rest_is_left(
    site13: Site, grafana13: Grafana, tmp_path: Path, capsys: Capture
) -> None:
    log = tmp_path / "log"
    log.mkdir()

    def go_away(request: Request) -> None:
        if request.method == "POST" and log.exists():
            log.rename(tmp_path / "moved")

    grafana13.before = go_away
    assert site13("publish", "--audit", log / "audit.jsonl") == 3
    said = capsys.readouterr()
    assert "done: create folder shop" in said.out
    assert "not tried: create dashboard orders" in said.out
    assert "audit.jsonl: cannot be written" in said.err
    line = next(json.loads(line) for line in said.err.splitlines() if line.startswith("{"))
    assert (line["kind"], line["uid"], line["outcome"]) == ("folder", "shop", "done")
    assert grafana13.store.folders == {"shop": "Shop"}
    assert grafana13.store.dashboards == {}


def test_a_mark_whose_line_cannot_be_written_is_said(
    site13: Site, grafana13: Grafana, tmp_path: Path, capsys: Capture
) -> None:
    log = tmp_path / "log"
    log.mkdir()

    def go_away(request: Request) -> None:
        if request.method == "POST":
            log.rename(tmp_path / "moved")

    grafana13.before = go_away
    assert site13("annotate", "--text", "x", "--version", "1", "--audit", log / "audit.jsonl") == 3
    said = capsys.readouterr().err
    assert "the annotation is made" in said
    assert '"outcome": "done"' in said


def test_a_line_of_the_audit_stays_json_whatever_is_taken_out_of_it(site13: Site, capsys: Capture) -> None:
    site13.dashboard(title='Login token="canary99" errors')
    assert site13("publish", "--without-lint") == 0
    said = capsys.readouterr()
    lines = [json.loads(line) for line in said.err.splitlines() if line.startswith("{")]
    assert lines[-1]["title"] == 'Login token="[REDACTED]" errors'
    assert "canary99" not in said.out + said.err


def test_a_secret_deep_in_a_setting_is_not_shown(site13: Site, grafana13: Grafana, capsys: Capture) -> None:
    def secret(content: dict[str, object]) -> None:
        content["links"] = [{"title": "x", "auth": {"clientSecret": "hunter2-canary"}}]
        content["clientSecret"] = "hunter2-canary"

    assert site13("publish") == 0
    grafana13.save_in_page("orders", secret)
    assert site13("diff") == 1
    assert site13("diff", "--json") == 1
    assert site13("pull", "--dry-run") == 0
    said = capsys.readouterr()
    assert "clientSecret" in said.out
    assert "canary" not in said.out + said.err

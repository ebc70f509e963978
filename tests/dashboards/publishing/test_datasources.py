from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import pytest

from tests.dashboards.grafana_server.server import Fault, Grafana, Request
from tests.dashboards.publishing.site import Site

Capture = pytest.CaptureFixture[str]
CANARY = "hunter2-canary"
SETTINGS = """\
    datasources:
      prometheus:
        uid: amp
        name: AMP
        url: http://prometheus.example.com
        jsonData: {httpMethod: POST}
        secureJsonData: {basicAuthPassword: {env: PROM_PASSWORD}}
      jaeger: {uid: shared-jaeger}
"""


@pytest.fixture
def stocked(site: Site, grafana: Grafana, monkeypatch: pytest.MonkeyPatch) -> Site:
    monkeypatch.setenv("PROM_PASSWORD", CANARY)
    site.settings(f"    url: {grafana.url}\n{SETTINGS}")
    grafana.store.datasources["shared-jaeger"] = {
        "uid": "shared-jaeger", "type": "jaeger", "name": "Jaeger", "url": "http://j", "readOnly": True, "version": 1,
    }  # fmt: skip
    return site


def test_a_described_data_source_is_made_once_and_another_is_only_used(
    grafana: Grafana, stocked: Site
) -> None:
    before = dict(grafana.store.datasources["shared-jaeger"])
    assert stocked("publish") == 0
    made = grafana.store.datasources["amp"]
    assert (made["type"], made["name"], made["access"], made["jsonData"]) == (
        "prometheus",
        "AMP",
        "proxy",
        {"httpMethod": "POST", "managedBy": "orders-obs:shop"},
    )
    assert grafana.store.secrets["amp"] == {"basicAuthPassword": CANARY}
    assert grafana.store.datasources["shared-jaeger"] == before
    grafana.forget()
    assert stocked("publish") == 0
    assert grafana.writes == []


def test_dashboards_use_the_targets_data_sources(grafana: Grafana, stocked: Site) -> None:
    assert stocked("publish") == 0
    content = grafana.store.dashboards["orders"].content
    assert content["panels"][1]["datasource"]["uid"] == "shared-jaeger"
    assert content["panels"][1]["targets"][0]["datasource"]["uid"] == "shared-jaeger"
    assert content["panels"][0]["datasource"]["uid"] == "${datasource}"
    assert content["templating"]["list"][0]["current"]["value"] == "amp"


def test_a_difference_is_updated_and_what_is_not_named_stays(
    grafana: Grafana, stocked: Site, capsys: Capture
) -> None:
    assert stocked("publish") == 0
    grafana.store.datasources["amp"] |= {"url": "http://old", "basicAuthUser": "reader"}
    grafana.store.datasources["amp"]["jsonData"] |= {"httpMethod": "GET", "timeInterval": "15s"}
    assert stocked("publish") == 0
    out = capsys.readouterr().out
    assert "url: http://old -> http://prometheus.example.com" in out
    assert "jsonData.httpMethod: GET -> POST" in out
    now = grafana.store.datasources["amp"]
    assert (now["url"], now["basicAuthUser"]) == ("http://prometheus.example.com", "reader")
    assert now["jsonData"] == {"httpMethod": "POST", "timeInterval": "15s", "managedBy": "orders-obs:shop"}
    assert grafana.store.secrets["amp"] == {"basicAuthPassword": CANARY}


def test_a_secret_is_sent_where_it_lacks_or_when_asked_and_never_shown(
    grafana: Grafana, stocked: Site, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert stocked("publish") == 0
    monkeypatch.setenv("PROM_PASSWORD", f"{CANARY}-new")
    assert stocked("publish") == 0
    assert grafana.store.secrets["amp"] == {"basicAuthPassword": CANARY}
    assert stocked("publish", "--send-secrets") == 0
    assert grafana.store.secrets["amp"] == {"basicAuthPassword": f"{CANARY}-new"}
    said = capsys.readouterr()
    assert "sends basicAuthPassword (its value is never shown)" in said.out
    assert CANARY not in said.out + said.err


def test_a_provisioned_data_source_is_refused(grafana: Grafana, stocked: Site, capsys: Capture) -> None:
    assert stocked("publish") == 0
    grafana.store.datasources["amp"] |= {"readOnly": True, "url": "http://old"}
    grafana.forget()
    assert stocked("publish") == 1
    assert "it is provisioned from a file" in capsys.readouterr().out
    assert grafana.writes == []


def test_a_uid_of_another_type_is_refused(grafana: Grafana, stocked: Site, capsys: Capture) -> None:
    grafana.store.datasources["amp"] = {
        "uid": "amp",
        "type": "loki",
        "name": "L",
        "readOnly": False,
        "version": 1,
    }
    assert stocked("publish") == 1
    assert "a data source of type loki has its uid" in capsys.readouterr().out


def test_what_is_only_used_and_lacks_is_refused_unless_it_is_forced(
    grafana: Grafana, stocked: Site, capsys: Capture
) -> None:
    del grafana.store.datasources["shared-jaeger"]
    assert stocked("publish") == 1
    said = capsys.readouterr().out
    assert "! data source shared-jaeger: it is not there, and the settings only use it" in said
    assert "--force" in said
    assert grafana.writes == []
    assert stocked("publish", "--force") == 0
    assert "note: data source shared-jaeger is not there" in capsys.readouterr().out


@pytest.mark.parametrize("kind", [429, 503, "lose", "drop"])
def test_a_save_whose_answer_is_lost_ends_well(grafana: Grafana, stocked: Site, kind: Any) -> None:
    grafana.faults = [Fault(kind, "POST", "/api/datasources")]
    assert stocked("publish") == 0
    grafana.store.datasources["amp"]["url"] = "http://old"
    grafana.faults = [Fault(kind, "PUT", "/api/datasources")]
    assert stocked("publish") == 0
    assert grafana.store.datasources["amp"]["url"] == "http://prometheus.example.com"


def test_a_secret_that_is_not_there_writes_nothing_else_wrongly(
    grafana: Grafana, stocked: Site, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("PROM_PASSWORD")
    assert stocked("publish") == 2
    assert "PROM_PASSWORD is empty" in capsys.readouterr().out
    assert "amp" not in grafana.store.datasources


def test_data_sources_without_the_right_to_read_them_are_no_obstacle(tmp_path: Path) -> None:
    with Grafana(13) as grafana:
        grafana.lacks = {"GET /api/datasources"}
        site = Site(tmp_path / "d", grafana.url, more="    datasources: {jaeger: {uid: j}}\n")
        site.dashboard()
        assert site("publish") == 0


def test_a_data_source_keeps_its_name_and_its_access_unless_the_settings_say_them(
    grafana: Grafana, site: Site, capsys: Capture
) -> None:
    grafana.store.datasources["amp"] = {
        "id": 1, "orgId": 1, "version": 1, "readOnly": False, "uid": "amp", "name": "Prometheus (prod)", "type": "prometheus",
        "access": "direct", "url": "https://x", "jsonData": {},
    }  # fmt: skip
    grafana.store.secrets["amp"] = {}
    more = f"    url: {grafana.url}\n    datasources: {{prometheus: {{uid: amp, jsonData: {{httpMethod: POST}}}}}}\n"
    site.settings(more)
    assert site("publish", "--adopt", "amp") == 0
    assert "name:" not in capsys.readouterr().out
    now = grafana.store.datasources["amp"]
    assert (now["name"], now["access"], now["jsonData"]) == (
        "Prometheus (prod)",
        "direct",
        {"httpMethod": "POST", "managedBy": "orders-obs:shop"},
    )
    assert site("diff") == 0
    site.settings(more.replace("uid: amp", "uid: new"))
    assert site("publish") == 0
    made = grafana.store.datasources["new"]
    assert (made["name"], made["access"]) == ("prometheus", "proxy")
    assert site("diff") == 0


THEIRS: dict[str, Any] = {
    "id": 1, "orgId": 1, "version": 1, "readOnly": False, "uid": "amp", "name": "Platform", "type": "prometheus",
    "access": "proxy", "url": "https://platform", "jsonData": {"httpMethod": "GET", "httpHeaderName1": "X-Scope"},
}  # fmt: skip


@pytest.mark.parametrize(
    ("owner", "said"),
    [
        ("", "it is not ours: publishing did not make it"),
        ("orders-obs:billing", "it is managed by orders-obs:billing"),
    ],
)
def test_another_teams_data_source_is_never_touched_unasked(
    grafana: Grafana, stocked: Site, capsys: Capture, owner: str, said: str
) -> None:
    theirs = copy.deepcopy(THEIRS)
    if owner:
        theirs["jsonData"]["managedBy"] = owner
    grafana.store.datasources["amp"] = theirs
    grafana.store.secrets["amp"] = {}
    for words in ((), ("--overwrite-drift",), ("--send-secrets",), ("--adopt", "orders")):
        assert stocked("publish", *words) == 1
    out = capsys.readouterr().out
    assert f"! data source amp: {said}" in out
    assert (
        "name only its uid in the settings, so that it is used as it is, or take it over with --adopt amp"
        in out
    )
    assert grafana.writes == []
    assert stocked("diff", "--json") == 1
    source = json.loads(capsys.readouterr().out)["datasources"][0]
    assert source["refused"] == said
    assert "--adopt amp" in source["hint"]
    assert stocked("publish", "--adopt", "amp") == 0
    out = capsys.readouterr().out
    assert "~ data source amp: adopted" in out
    assert "url: https://platform -> http://prometheus.example.com" in out
    now = grafana.store.datasources["amp"]
    assert now["jsonData"] == {
        "httpMethod": "POST",
        "httpHeaderName1": "X-Scope",
        "managedBy": "orders-obs:shop",
    }
    assert stocked("diff") == 0


def test_a_lost_answer_to_a_data_source_that_is_not_made_is_not_taken_for_done(
    grafana: Grafana, stocked: Site, capsys: Capture
) -> None:
    """Somebody else made one of that uid in the meantime."""

    def act(request: Request) -> None:
        if request.method == "POST" and request.path == "/api/datasources":
            grafana.store.datasources["amp"] = copy.deepcopy(THEIRS)

    grafana.before = act
    grafana.faults = [Fault("drop", "POST", "/api/datasources", times=9)]
    assert stocked("publish") == 3
    assert "unknown whether done: create datasource amp" in capsys.readouterr().out


def test_the_audit_line_of_a_data_source_has_old_and_new_settings_without_secrets(
    grafana: Grafana, stocked: Site, tmp_path: Path
) -> None:
    grafana.store.datasources["amp"] = copy.deepcopy(THEIRS) | {
        "url": "https://reader:hunter2-canary@platform"
    }
    grafana.store.datasources["amp"]["jsonData"]["apiKey"] = CANARY
    grafana.store.secrets["amp"] = {}
    audit = tmp_path / "audit.jsonl"
    assert stocked("publish", "--adopt", "amp", "--audit", audit) == 0
    line = json.loads(audit.read_text().splitlines()[0])
    assert (line["kind"], line["action"], line["sent"]) == ("datasource", "update", ["basicAuthPassword"])
    assert line["old"]["url"] == "https://[REDACTED]@platform"
    assert line["old"]["jsonData"] == {
        "httpMethod": "GET",
        "httpHeaderName1": "X-Scope",
        "apiKey": "[REDACTED]",
    }
    assert line["new"]["url"] == "http://prometheus.example.com"
    assert line["new"]["jsonData"]["managedBy"] == "orders-obs:shop"
    assert CANARY not in audit.read_text()


def test_an_equal_data_source_that_somebody_made_in_the_meantime_is_not_taken_for_ours(
    grafana: Grafana, stocked: Site, capsys: Capture
) -> None:
    def act(request: Request) -> None:
        if request.method == "POST" and request.path == "/api/datasources":
            ours = {"name": "AMP", "url": "http://prometheus.example.com", "jsonData": {"httpMethod": "POST"}}
            grafana.store.datasources["amp"] = THEIRS | ours

    grafana.before = act
    assert stocked("publish") == 1
    assert "failed: create datasource amp" in capsys.readouterr().out

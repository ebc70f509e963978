from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from orders_obs.dashboards.publishing.marks import digest, read_mark
from tests.dashboards.grafana_server.server import Fault, Grafana
from tests.dashboards.publishing.site import BUILT, Site

Capture = pytest.CaptureFixture[str]


def _steps(value: float) -> Any:
    def change(content: dict[str, Any]) -> None:
        content["panels"][0]["fieldConfig"]["defaults"]["thresholds"]["steps"][1]["value"] = value

    return change


def test_a_publish_makes_folder_and_dashboards_and_a_second_one_writes_nothing(
    grafana: Grafana, site: Site
) -> None:
    site.dashboard("payments")
    assert site("publish") == 0
    assert grafana.store.folders == {"shop": "Shop"}
    assert {uid: known.folder for uid, known in grafana.store.dashboards.items()} == {
        "orders": "shop",
        "payments": "shop",
    }
    grafana.forget()
    assert site("publish") == 0
    assert grafana.requests
    assert grafana.writes == []


def test_what_is_published_is_the_build_with_mark_and_tag_and_left_editable(
    grafana: Grafana, site: Site
) -> None:
    assert site("publish") == 0
    content = grafana.store.dashboards["orders"].content
    assert content["editable"] is True
    assert content["tags"] == ["orders-obs", "orders-obs:shop"]
    assert content["description"].startswith("What the orders API does.\n\nPublished from code")
    mark = read_mark(content)
    assert mark is not None
    assert (mark.set, mark.uid, mark.digest) == ("shop", "orders", digest(content, "shop"))
    assert content["panels"] == BUILT["panels"]
    assert not {"id", "uid", "version"} & set(content)


def test_a_target_may_keep_people_from_editing(grafana: Grafana, site: Site) -> None:
    site.settings(f"    url: {grafana.url}\n    editable: false\n")
    assert site("publish") == 0
    known = grafana.store.dashboards["orders"]
    assert known.content["editable"] is False
    assert "grafana.app/managerAllowsEdits" not in known.annotations
    grafana.forget()
    assert site("publish") == 0
    assert grafana.writes == []


@pytest.mark.parametrize(("major", "paths"), [(10, "/api/"), (11, "/api/"), (12, "/api/"), (13, "/apis/")])
def test_the_api_is_chosen_by_what_the_server_serves(tmp_path: Path, major: int, paths: str) -> None:
    with Grafana(major) as grafana:
        site = Site(tmp_path / "d", grafana.url)
        site.dashboard()
        assert site("publish") == 0
        assert [request.path.startswith(paths) for request in grafana.writes] == [True]


@pytest.mark.parametrize(
    ("major", "api", "paths"), [(12, "apis", "/apis/dashboard.grafana.app/v1beta1/"), (13, "legacy", "/api/")]
)
def test_a_target_may_name_its_api(tmp_path: Path, major: int, api: str, paths: str) -> None:
    with Grafana(major) as grafana:
        site = Site(tmp_path / "d", grafana.url, more=f"    api: {api}\n")
        site.dashboard()
        assert site("publish") == 0
        assert site("publish") == 0
        assert [request.path.startswith(paths) for request in grafana.writes] == [True]


def test_apis_on_a_server_without_them_is_wrong_input(tmp_path: Path, capsys: Capture) -> None:
    with Grafana(11) as grafana:
        site = Site(tmp_path / "d", grafana.url, more="    api: apis\n")
        site.dashboard()
        assert site("publish") == 2
        assert "has no /apis paths" in capsys.readouterr().err


def test_another_organization_has_another_namespace(tmp_path: Path) -> None:
    with Grafana(13, org=7) as grafana:
        site = Site(tmp_path / "d", grafana.url, more="    org: 7\n")
        site.dashboard()
        assert site("publish") == 0
        assert "/namespaces/org-7/" in grafana.writes[0].path


def test_a_token_of_another_organization_is_refused_before_anything_is_read(
    tmp_path: Path, capsys: Capture
) -> None:
    with Grafana(13, org=7) as grafana:
        site = Site(tmp_path / "d", grafana.url)
        site.dashboard()
        assert site("publish") == 2
        assert "the token is of organization 7, and the settings say 1" in capsys.readouterr().err
        assert grafana.writes == []


def test_a_newer_build_is_stale_and_is_written_with_a_diff_by_panel(
    grafana: Grafana, site: Site, capsys: Capture
) -> None:
    assert site("publish") == 0
    site.dashboard(change=_steps(0.03))
    capsys.readouterr()
    assert site("publish") == 0
    said = capsys.readouterr()
    assert "~ orders (Orders): stale" in said.out
    assert 'panel "Error rate": threshold red: 0.05 -> 0.03' in said.out
    assert (
        grafana.store.dashboards["orders"].content["panels"][0]["fieldConfig"]["defaults"]["thresholds"][
            "steps"
        ][1]["value"]
        == 0.03
    )


def test_a_setting_taken_out_of_the_build_goes_in_grafana_too(grafana: Grafana, site: Site) -> None:
    assert site("publish") == 0
    site.dashboard(change=lambda content: content["panels"][0]["fieldConfig"]["defaults"].pop("min"))
    assert site("publish") == 0
    assert "min" not in grafana.store.dashboards["orders"].content["panels"][0]["fieldConfig"]["defaults"]


def test_check_and_dry_run_write_nothing(grafana: Grafana, site: Site, capsys: Capture) -> None:
    assert site("publish", "--dry-run") == 0
    assert site("publish", "--check") == 1
    assert site("diff") == 1
    assert grafana.writes == []
    assert "+ orders (Orders): new" in capsys.readouterr().out
    assert site("publish") == 0
    grafana.forget()
    assert site("publish", "--check") == 0
    assert site("diff") == 0
    assert grafana.writes == []


def test_named_files_are_published_alone_and_may_be_built_json(
    grafana: Grafana, site: Site, tmp_path: Path
) -> None:
    built = tmp_path / "built.json"
    built.write_text(json.dumps(BUILT | {"uid": "built", "title": "Built"}))
    assert site("publish", built) == 0
    assert set(grafana.store.dashboards) == {"built"}


def test_a_target_may_choose_among_the_dashboards(grafana: Grafana, site: Site, capsys: Capture) -> None:
    site.dashboard("payments")
    site.settings(f"    url: {grafana.url}\n    dashboards: [payments]\n")
    assert site("publish") == 0
    assert set(grafana.store.dashboards) == {"payments"}
    site.settings(f"    url: {grafana.url}\n    dashboards: [payment]\n")
    assert site("publish") == 2
    assert "there is no dashboard payment; there are orders, payments" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("top", "said"),
    [
        ({"uid": "x" * 41}, "uid"),
        ({"uid": "a/b"}, "uid"),
        ({"uid": None}, "uid"),
        ({"title": ""}, "has no title"),
    ],
)
def test_what_grafana_would_refuse_is_said_before_anything_is_sent(
    site13: Site, grafana13: Grafana, capsys: Capture, top: dict[str, Any], said: str
) -> None:
    site13.dashboard(**top)
    assert site13("publish") == 2
    assert said in capsys.readouterr().err
    assert grafana13.requests == []


def test_two_dashboards_of_one_uid_are_wrong_input(site13: Site, grafana13: Grafana, capsys: Capture) -> None:
    site13.dashboard("second", uid="orders")
    assert site13("publish") == 2
    assert "too; each needs its own" in capsys.readouterr().err
    assert grafana13.requests == []


def test_a_folder_of_another_title_is_used_and_left(grafana: Grafana, site: Site, capsys: Capture) -> None:
    grafana.store.folders["shop"] = "Renamed by somebody"
    assert site("publish") == 0
    assert grafana.store.folders == {"shop": "Renamed by somebody"}
    assert "its title is left as it is" in capsys.readouterr().out


def test_json_says_the_plan_and_what_was_written(grafana: Grafana, site: Site, capsys: Capture) -> None:
    assert site("publish", "--json") == 0
    data = json.loads(capsys.readouterr().out)
    assert [(item["uid"], item["state"], item["action"]) for item in data["dashboards"]] == [
        ("orders", "absent", "create")
    ]
    assert [(write["kind"], write["outcome"]) for write in data["writes"]] == [
        ("folder", "done"),
        ("dashboard", "done"),
    ]
    grafana.save_in_page("orders", _steps(0.1))
    assert site("diff", "--json") == 1
    data = json.loads(capsys.readouterr().out)
    assert data["dashboards"][0]["changes"] == [
        {"where": 'panel "Error rate"', "setting": "threshold red", "old": 0.1, "new": 0.05}
    ]
    assert data["dashboards"][0]["saved_by"] == "user:u000000002"


def test_a_folder_that_cannot_be_made_leaves_its_dashboards(
    grafana: Grafana, site: Site, capsys: Capture
) -> None:
    grafana.faults = [Fault(409, "POST", "folders")]
    assert site("publish") == 1
    out = capsys.readouterr().out
    assert "failed: create folder shop" in out
    assert "not tried: create dashboard orders" in out
    assert grafana.store.dashboards == {}


def test_the_projects_own_dashboards_go_to_grafana_and_a_second_publish_writes_nothing(
    grafana: Grafana, site: Site
) -> None:
    files = sorted((Path(__file__).resolve().parents[3] / "dashboards").glob("*.json"))
    assert files
    assert site("publish", *files) == 0
    assert len(grafana.store.dashboards) == len(files)
    grafana.forget()
    assert site("publish", *files) == 0
    assert grafana.writes == []

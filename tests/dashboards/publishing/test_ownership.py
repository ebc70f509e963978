"""Whose a dashboard is, what people changed in it, and what is never touched."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import pytest

from tests.dashboards.grafana_server.server import Grafana
from tests.dashboards.publishing.site import BUILT, Site

Capture = pytest.CaptureFixture[str]


def _steps(value: float) -> Any:
    def change(content: dict[str, Any]) -> None:
        content["panels"][0]["fieldConfig"]["defaults"]["thresholds"]["steps"][1]["value"] = value

    return change


def _retitle(title: str) -> Any:
    def change(content: dict[str, Any]) -> None:
        content["panels"][0]["title"] = title

    return change


def test_the_manager_is_the_sets_and_the_same_in_every_version(site13: Site, grafana13: Grafana) -> None:
    """Grafana refuses to change it: this literal must never change either."""
    assert site13("publish") == 0
    annotations = grafana13.store.dashboards["orders"].annotations
    assert annotations["grafana.app/managedBy"] == "kubectl"
    assert annotations["grafana.app/managerId"] == "orders-obs:shop"
    assert annotations["grafana.app/managerAllowsEdits"] == "true"
    assert annotations["grafana.app/sourcePath"] == "orders.dashboard.py"
    assert annotations["grafana.app/sourceChecksum"] in annotations["grafana.app/message"]


def test_an_upgrade_from_12_to_13_needs_no_write_and_the_next_write_sets_the_manager(
    site13: Site, grafana13: Grafana
) -> None:
    site13.settings(f"    url: {grafana13.url}\n    api: legacy\n")
    assert site13("publish") == 0
    site13.settings(f"    url: {grafana13.url}\n")
    grafana13.forget()
    assert site13("publish") == 0
    assert grafana13.writes == []
    site13.dashboard(refresh="30s")
    assert site13("publish") == 0
    assert grafana13.store.dashboards["orders"].annotations["grafana.app/managerId"] == "orders-obs:shop"


def test_what_others_noted_on_a_dashboard_stays(site13: Site, grafana13: Grafana) -> None:
    assert site13("publish") == 0
    grafana13.store.dashboards["orders"].annotations["example.com/cost-center"] = "7"
    site13.dashboard(refresh="30s")
    assert site13("publish") == 0
    assert grafana13.store.dashboards["orders"].annotations["example.com/cost-center"] == "7"


def test_what_a_person_changed_is_drift_and_is_not_overwritten(
    grafana: Grafana, site: Site, capsys: Capture
) -> None:
    assert site("publish") == 0
    grafana.save_in_page("orders", _steps(0.1))
    grafana.forget()
    capsys.readouterr()
    assert site("publish") == 1
    said = capsys.readouterr()
    assert "! orders (Orders): somebody changed it in Grafana by user:u000000002" in said.out
    assert 'panel "Error rate": threshold red: 0.1 -> 0.05' in said.out
    assert "refused: nothing was written" in said.err
    site.dashboard(refresh="30s")
    site.dashboard("payments")
    assert site("publish") == 1
    assert grafana.writes == []
    assert site("publish", "--overwrite-drift") == 0
    assert grafana.store.dashboards["orders"].content["panels"] == BUILT["panels"]
    assert site("publish", "--check") == 0


def test_a_save_that_changed_nothing_is_no_drift(grafana: Grafana, site: Site) -> None:
    assert site("publish") == 0
    grafana.save_in_page("orders", lambda _: None)
    site.dashboard(refresh="30s")
    assert site("publish") == 0


def test_a_chosen_value_saved_with_a_variable_is_no_drift(grafana: Grafana, site: Site) -> None:
    def choose(content: dict[str, Any]) -> None:
        content["templating"]["list"][1]["current"] = {"text": "payments", "value": "payments"}

    assert site("publish") == 0
    grafana.save_in_page("orders", choose)
    assert site("publish", "--check") == 0


def test_what_grafana_adds_to_what_was_sent_is_no_drift(tmp_path: Path) -> None:
    for keeps_message in (True, False):
        with Grafana(13, adds_defaults=True, keeps_message=keeps_message) as grafana:
            site = Site(tmp_path / str(keeps_message), grafana.url)
            site.dashboard()
            assert site("publish") == 0
            assert grafana.store.dashboards["orders"].content["panels"][0]["repeatDirection"] == "h"
            grafana.forget()
            assert site("publish") == 0
            assert grafana.writes == []
            site.dashboard(refresh="30s")
            assert site("publish") == 0
            assert len(grafana.writes) == 1
            assert site("publish", "--check") == 0
            grafana.save_in_page("orders", _steps(0.1))
            assert site("publish") == 1


def test_a_server_that_keeps_no_annotations_is_not_written_to_for_ever(tmp_path: Path) -> None:
    with Grafana(13, drops_annotations=True, adds_defaults=True) as grafana:
        site = Site(tmp_path / "d", grafana.url)
        site.dashboard()
        assert site("publish") == 0
        site.dashboard(refresh="30s")
        assert site("publish") == 0
        grafana.forget()
        assert site("publish") == 0
        assert grafana.writes == []


def test_a_token_that_may_not_read_versions_makes_other_content_drift(
    tmp_path: Path, capsys: Capture
) -> None:
    with Grafana(13, adds_defaults=True, keeps_message=False) as grafana:
        grafana.lacks = {"GET /versions"}
        site = Site(tmp_path / "d", grafana.url)
        site.dashboard()
        assert site("publish") == 0
        assert site("publish", "--check") == 1
        assert "the token may not read who saved it last" in capsys.readouterr().out


def test_a_dashboard_saved_in_the_new_schema_is_drift(
    site13: Site, grafana13: Grafana, capsys: Capture
) -> None:
    assert site13("publish") == 0
    grafana13.save_in_page("orders", lambda _: None, stored="v2")
    assert site13("publish") == 1
    assert "somebody saved it in Grafana's new schema (v2)" in capsys.readouterr().out


def test_the_mark_taken_out_of_the_description_is_drift_and_it_stays_ours(
    grafana: Grafana, site: Site, capsys: Capture
) -> None:
    assert site("publish") == 0
    grafana.save_in_page("orders", lambda content: content.update(description="Mine now."))
    assert site("publish") == 1
    assert "took the mark out of its description" in capsys.readouterr().out
    assert site("publish", "--overwrite-drift") == 0


def test_a_build_that_says_what_a_person_saved_is_written_without_being_asked(
    grafana: Grafana, site: Site, capsys: Capture
) -> None:
    assert site("publish") == 0
    grafana.save_in_page("orders", _steps(0.1))
    site.dashboard(change=_steps(0.1))
    assert site("publish") == 0
    assert "the build says the same by now" in capsys.readouterr().out
    assert site("publish", "--check") == 0


def test_a_dashboard_moved_by_hand_is_moved_back(grafana: Grafana, site: Site, capsys: Capture) -> None:
    assert site("publish") == 0
    grafana.store.folders["other"] = "Other"
    grafana.store.dashboards["orders"].folder = "other"
    assert site("publish") == 0
    assert "folder: other -> shop" in capsys.readouterr().out
    assert grafana.store.dashboards["orders"].folder == "shop"


def _others(grafana: Grafana, **more: Any) -> None:
    content = copy.deepcopy(BUILT) | {"title": "Somebody's"}
    grafana.store.save("orders", content, folder="", message="", by="admin", **more)


def test_a_dashboard_of_somebody_else_is_never_touched(grafana: Grafana, site: Site, capsys: Capture) -> None:
    _others(grafana)
    for words in ((), ("--overwrite-drift",), ("--prune",)):
        assert site("publish", *words) == 1
    assert grafana.writes == []
    assert "it is not ours: it has no mark of this set" in capsys.readouterr().out
    assert site("publish", "--adopt", "orders") == 0
    assert grafana.store.dashboards["orders"].content["title"] == "Orders"
    assert site("publish", "--check") == 0


def test_a_dashboard_of_another_set_is_somebody_elses(grafana: Grafana, site: Site, capsys: Capture) -> None:
    assert site("publish") == 0
    site.settings(f"    url: {grafana.url}\n", set_name="billing")
    assert site("publish") == 1
    out = capsys.readouterr().out
    assert "belongs to the set shop" in out or "is managed by kubectl orders-obs:shop" in out


def test_a_dashboard_that_another_tool_manages_cannot_be_adopted(
    site13: Site, grafana13: Grafana, capsys: Capture
) -> None:
    _others(grafana13, annotations={"grafana.app/managedBy": "terraform", "grafana.app/managerId": "team-b"})
    assert site13("publish", "--adopt", "orders") == 1
    assert "is managed by terraform team-b" in capsys.readouterr().out
    assert grafana13.writes == []


def test_a_dashboard_provisioned_from_a_file_is_refused(
    grafana: Grafana, site: Site, capsys: Capture
) -> None:
    _others(
        grafana,
        annotations={
            "grafana.app/managedBy": "classic-file-provisioning",
            "grafana.app/sourcePath": "orders.json",
        },
    )
    grafana.store.dashboards["orders"].provisioned = "orders.json"
    assert site("publish", "--adopt", "orders") == 1
    assert "it is provisioned from orders.json" in capsys.readouterr().out
    assert grafana.writes == []


def test_prune_deletes_only_ours_that_are_no_longer_built(
    grafana: Grafana, site: Site, capsys: Capture
) -> None:
    gone = site.dashboard("gone")
    assert site("publish") == 0
    gone.unlink()
    # A copy that somebody made keeps tag and description; one more is not ours at all.
    copied = copy.deepcopy(grafana.store.dashboards["gone"].content) | {"title": "Copy"}
    grafana.store.save("copy", copied, folder="", message="", by="admin")
    grafana.store.save(
        "theirs", {"title": "Theirs", "tags": ["orders-obs"]}, folder="", message="", by="admin"
    )
    grafana.page_size = 1
    assert site("publish") == 0
    assert "no longer built; --prune deletes it" in capsys.readouterr().out
    assert set(grafana.store.dashboards) == {"orders", "gone", "copy", "theirs"}
    assert site("publish", "--prune", "--dry-run") == 0
    assert "- gone (Gone): no longer built" in capsys.readouterr().out
    assert site("publish", "--prune") == 0
    assert set(grafana.store.dashboards) == {"orders", "copy", "theirs"}


def test_prune_keeps_what_a_person_changed(grafana: Grafana, site: Site) -> None:
    gone = site.dashboard("gone")
    assert site("publish") == 0
    grafana.save_in_page("gone", _retitle("Better"))
    gone.unlink()
    assert site("publish", "--prune") == 1
    assert "gone" in grafana.store.dashboards
    assert site("publish", "--prune", "--overwrite-drift") == 0
    assert "gone" not in grafana.store.dashboards


def test_prune_with_named_files_is_wrong_input(site13: Site, grafana13: Grafana, capsys: Capture) -> None:
    assert site13("publish", "--prune", site13.folder / "orders.dashboard.py") == 2
    assert grafana13.requests == []
    assert "only some files are named" in capsys.readouterr().err


def test_a_save_in_the_pages_is_drift_though_our_message_stands_there_still(tmp_path: Path) -> None:
    with Grafana(13, pages_keep_message=True) as grafana:
        site = Site(tmp_path / "d", grafana.url)
        site.dashboard()
        assert site("publish") == 0
        grafana.save_in_page("orders", _steps(0.1))
        assert site("publish") == 1


def test_ours_are_looked_for_by_name_and_not_by_reading_every_dashboard(
    site13: Site, grafana13: Grafana
) -> None:
    assert site13("publish") == 0
    assert not any(
        request.path.partition("?")[0].endswith("/dashboards")
        for request in grafana13.requests
        if request.method == "GET"
    )


def test_ours_are_found_without_the_old_search(tmp_path: Path) -> None:
    with Grafana(13, has_search=False) as grafana:
        site = Site(tmp_path / "d", grafana.url)
        site.dashboard()
        gone = site.dashboard("gone")
        assert site("publish") == 0
        gone.unlink()
        grafana.store.save("theirs", {"title": "Theirs"}, folder="", message="", by="admin")
        grafana.page_size = 1
        assert site("publish", "--prune") == 0
        assert set(grafana.store.dashboards) == {"orders", "theirs"}


def test_to_adopt_a_dashboard_is_not_to_throw_away_what_people_changed(grafana: Grafana, site: Site) -> None:
    assert site("publish") == 0
    grafana.save_in_page("orders", _steps(0.1))
    assert site("publish", "--adopt", "orders") == 1

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from orders_obs.dashboards.publishing.provisioning import DASHBOARDS
from tests.dashboards.publishing.site import Site, run

Capture = pytest.CaptureFixture[str]
ROOT = Path(__file__).resolve().parents[3]


def test_the_sandboxs_files_are_what_the_command_writes() -> None:
    assert run(["provision", "--check", "-o", str(ROOT / "collector/grafana/provisioning")]) == 0


def test_the_provider_reads_where_the_sandbox_mounts_the_built_dashboards() -> None:
    compose = yaml.safe_load((ROOT / "docker-compose.obs.yml").read_text())
    assert f"./dashboards:{DASHBOARDS}:ro" in compose["services"]["grafana"]["volumes"]


def test_a_file_that_says_something_else_is_found_and_made_right(tmp_path: Path, capsys: Capture) -> None:
    words = ["provision", "-o", str(tmp_path)]
    assert run([*words, "--check"]) == 1
    assert list(tmp_path.iterdir()) == []
    assert run(words) == 0
    assert run([*words, "--check"]) == 0
    file = tmp_path / "datasources/orders-obs.yaml"
    file.write_text(file.read_text().replace("9090", "9091"))
    assert run([*words, "--check"]) == 1
    assert "says something else" in capsys.readouterr().err


def test_a_targets_data_sources_keep_their_secrets_in_the_environment(tmp_path: Path) -> None:
    site = Site(tmp_path / "d", "https://grafana.example.com", more=(
        "    folder: {uid: shop, title: Shop}\n    org: 2\n    datasources:\n      prometheus:\n        url: http://p\n"
        "        jsonData: {query: 'x{$__tags}'}\n        secureJsonData: {basicAuthPassword: {env: PROM_PASSWORD}}\n      jaeger: {uid: j}\n"
    ))  # fmt: skip
    assert site("provision", "--target", "test", "-o", tmp_path / "out", "--path", "/boards") == 0
    sources = yaml.safe_load((tmp_path / "out/datasources/orders-obs.yaml").read_text())["datasources"]
    assert sources == [
        {
            "name": "prometheus", "uid": "prometheus", "type": "prometheus", "access": "proxy", "url": "http://p", "orgId": 2,
            "jsonData": {"query": "x{$$__tags}"}, "secureJsonData": {"basicAuthPassword": "${PROM_PASSWORD}"},
        }
    ]  # fmt: skip
    provider = yaml.safe_load((tmp_path / "out/dashboards/orders-obs.yaml").read_text())["providers"][0]
    assert (provider["folderUid"], provider["orgId"], provider["options"]) == ("shop", 2, {"path": "/boards"})


def test_a_secret_that_a_file_cannot_name_is_wrong_input(tmp_path: Path, capsys: Capture) -> None:
    site = Site(tmp_path / "d", "https://grafana.example.com", more=(
        "    datasources: {prometheus: {url: 'http://p', secureJsonData: {password: {secret: prom}}}}\n"
    ))  # fmt: skip
    assert site("provision", "--target", "test", "-o", tmp_path / "out") == 2
    assert "which Grafana's files cannot name" in capsys.readouterr().err


def test_a_target_that_names_its_dashboards_needs_a_folder_of_its_own(
    tmp_path: Path, capsys: Capture
) -> None:
    site = Site(tmp_path / "d", "https://grafana.example.com", more="    dashboards: [orders]\n")
    words = ("provision", "--target", "test", "-o", tmp_path / "out")
    assert site(*words) == 2
    assert "takes every dashboard of its folder" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()
    assert site(*words, "--path", "/boards/orders") == 0


def test_files_let_nobody_edit_as_the_built_dashboards_say(tmp_path: Path) -> None:
    site = Site(tmp_path / "d", "https://grafana.example.com", more="    editable: true\n")
    assert site("provision", "--target", "test", "-o", tmp_path / "out") == 0
    provider = yaml.safe_load((tmp_path / "out/dashboards/orders-obs.yaml").read_text())["providers"][0]
    assert provider["allowUiUpdates"] is False


def test_a_file_that_somebody_else_made_is_left_unless_it_is_forced(tmp_path: Path, capsys: Capture) -> None:
    theirs = tmp_path / "datasources/orders-obs.yaml"
    theirs.parent.mkdir()
    theirs.write_text("apiVersion: 1\ndatasources: []\n")
    assert run(["provision", "-o", str(tmp_path)]) == 2
    assert "was not made by this command; nothing was written" in capsys.readouterr().err
    assert theirs.read_text() == "apiVersion: 1\ndatasources: []\n"
    assert not (tmp_path / "dashboards").exists()
    assert run(["provision", "-o", str(tmp_path), "--check"]) == 1
    assert run(["provision", "-o", str(tmp_path), "--force"]) == 0
    assert "prometheus:9090" in theirs.read_text()

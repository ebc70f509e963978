"""docker-compose.obs.yml: fits the Compose specification, and nothing of it is open to the network."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.obs.yml").read_text())
SERVICES: dict[str, Any] = COMPOSE["services"]


@pytest.fixture(scope="session")
def compose_schema() -> dict[str, Any]:
    """The specification's own JSON Schema, from the Go module of its reference implementation, which `make` has fetched."""
    go = shutil.which("go")
    command = [go or "go", "mod", "download", "-json", "github.com/compose-spec/compose-go/v2"]
    folder = Path(__file__).parent / "compose_spec"
    offline = {**os.environ, "GOPROXY": "off"}
    done = (
        subprocess.run(command, cwd=folder, env=offline, capture_output=True, timeout=120, check=False)
        if go
        else None
    )
    if done is None or done.returncode != 0:
        reason = "the Compose specification's schema is not there: it needs Go, and `make compose-schema`"
        if os.environ.get("CI"):
            pytest.fail(reason)
        pytest.skip(reason)
    module = Path(json.loads(done.stdout)["Dir"])
    content: dict[str, Any] = json.loads((module / "schema/compose-spec.json").read_text())
    return content


def test_it_fits_the_compose_specification(compose_schema: dict[str, Any]) -> None:
    validator = jsonschema.Draft7Validator(compose_schema)
    assert [error.message for error in validator.iter_errors(COMPOSE)] == []
    broken = {**COMPOSE, "services": {**SERVICES, "x": {"imagge": "y"}}}
    assert list(validator.iter_errors(broken))


@pytest.mark.parametrize("name", SERVICES)
def test_a_service_listens_on_loopback_only_and_has_a_memory_limit(name: str) -> None:
    service = SERVICES[name]
    assert all(port.startswith("127.0.0.1:") for port in service["ports"])
    assert service["mem_limit"]


@pytest.mark.parametrize("name", SERVICES)
def test_a_services_version_is_pinned_and_what_it_mounts_is_there_and_read_only(name: str) -> None:
    service = SERVICES[name]
    if "image" in service:
        assert re.search(r":v?\d+\.\d+\.\d+$", service["image"])
    else:
        assert (ROOT / service["build"]["dockerfile"]).is_file()
    for mount in service.get("volumes", []):
        source, _, mode = mount.split(":")
        assert (ROOT / source).exists()
        assert mode == "ro"


def test_grafana_has_no_default_password() -> None:
    assert SERVICES["grafana"]["environment"]["GF_SECURITY_ADMIN_PASSWORD"].startswith(
        "${GRAFANA_ADMIN_PASSWORD:?"
    )


def test_those_that_others_wait_for_have_a_health_check() -> None:
    for service in SERVICES.values():
        for name, how in service.get("depends_on", {}).items():
            assert how["condition"] == "service_started" or "healthcheck" in SERVICES[name]


def test_the_versions_are_those_of_the_native_programs() -> None:
    from orders_obs.sandbox.programs import PROGRAMS

    for service, program in (
        ("collector", "otelcol"),
        ("jaeger", "jaeger"),
        ("prometheus", "prometheus"),
        ("alertmanager", "alertmanager"),
    ):
        assert SERVICES[service]["image"].rpartition(":")[2].lstrip("v") == PROGRAMS[program].version


def test_grafanas_data_sources_have_the_uids_that_the_dashboards_use() -> None:
    provisioned = yaml.safe_load(
        (ROOT / "collector/grafana/provisioning/datasources/orders-obs.yaml").read_text()
    )
    sources = {source["uid"]: source for source in provisioned["datasources"]}
    assert {"prometheus", "jaeger"} <= sources.keys()
    (link,) = sources["prometheus"]["jsonData"]["exemplarTraceIdDestinations"]
    assert link == {"name": "trace_id", "datasourceUid": "jaeger"}
    provider = yaml.safe_load(
        (ROOT / "collector/grafana/provisioning/dashboards/orders-obs.yaml").read_text()
    )
    mounted = [mount.split(":")[1] for mount in SERVICES["grafana"]["volumes"]]
    assert provider["providers"][0]["options"]["path"] in mounted

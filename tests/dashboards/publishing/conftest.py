from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from orders_obs.dashboards.publishing import client
from tests.dashboards.grafana_server.server import TOKEN, Grafana
from tests.dashboards.publishing.site import Site


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client, "PACE", client.Pace(connect=5, read=5, sleep=lambda _: None))
    monkeypatch.setenv("GRAFANA_TOKEN", TOKEN)
    for name in ("http_proxy", "https_proxy", "all_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture(params=[10, 11, 12, 13])
def grafana(request: pytest.FixtureRequest) -> Iterator[Grafana]:
    """Each generation of Grafana: the old API with its conflicts, and both APIs."""
    with Grafana(request.param) as server:
        yield server


@pytest.fixture
def grafana13() -> Iterator[Grafana]:
    with Grafana(13) as server:
        yield server


@pytest.fixture
def site(tmp_path: Path, grafana: Grafana) -> Site:
    site = Site(tmp_path / "dashboards", grafana.url, more="    folder: {uid: shop, title: Shop}\n")
    site.dashboard()
    return site


@pytest.fixture
def site13(tmp_path: Path, grafana13: Grafana) -> Site:
    site = Site(tmp_path / "dashboards", grafana13.url, more="    folder: {uid: shop, title: Shop}\n")
    site.dashboard()
    return site

"""From a catalogue through a real Prometheus and a real Alertmanager to the one who is told: what is told, and what is not."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import httpx
import pytest

from orders_obs.alerts import load
from orders_obs.alerts.compile import alertmanager
from tests.live.conftest import need
from tests.live.scraped import (
    Prometheus,
    Server,
    Target,
    free_address,
    ready,
    running,
    running_prometheus,
    wait_for,
)

CATALOGUE = """\
catalogue: 1
service: shop
severities:
  critical: {page: true, webhook: file:critical-url}
  warning: {webhook: file:warning-url}
  info: {log: true}
environments:
  test:
    every: 1s
    scrape: 1s
    watchdog: file:watchdog-url
    alertmanager: {group_wait: 0s, group_interval: 1s}
alerts:
  error_rate:
    signal: http_error_ratio
    minimum: 5 requests
    when_missing: keep
    critical: {above: 50%, over: 2s}
    warning: {above: 5%, over: 2s}
  rehearsed:
    mode: shadow
    signal: http_error_ratio
    minimum: 5 requests
    critical: {above: 5%, over: 2s}
  busy:
    signal: http_requests
    info: {above: 5 requests, over: 2s}
"""


@dataclass(frozen=True, slots=True)
class Told:
    """One alert of one notification: to whom, of which alert, and whether it fires or is resolved."""

    receiver: str
    alert: str
    severity: str
    status: str


@dataclass(frozen=True, slots=True)
class Line:
    """The whole line, from the service to those who are told."""

    shop: Target
    prometheus: Prometheus
    alertmanager: httpx.Client
    server: Server

    def told(self) -> list[Told]:
        return [
            Told(receiver, alert["labels"]["alertname"], alert["labels"]["severity"], alert["status"])
            for receiver, payload in list(self.server.posted)
            for alert in payload["alerts"]
        ]

    def firing(self) -> set[tuple[str, str]]:
        """What fires in Prometheus: alert and severity."""
        found = self.prometheus.query('ALERTS{alertstate="firing"}')
        return {(one["metric"]["alertname"], one["metric"]["severity"]) for one in found}

    def muted_by(self, alert: str, severity: str) -> list[str]:
        """The severities of the alerts that mute one in Alertmanager."""
        every: list[dict[str, Any]] = self.alertmanager.get("/api/v2/alerts").json()
        by_id = {one["fingerprint"]: one["labels"]["severity"] for one in every}
        return [
            by_id.get(muting, "")
            for one in every
            if (one["labels"]["alertname"], one["labels"]["severity"]) == (alert, severity)
            for muting in one["status"]["inhibitedBy"]
        ]

    def traffic_until(self, what: Callable[[], bool], *, good: int, bad: int) -> None:
        """The same traffic each second, until something is so."""
        for _ in range(30):
            self.shop.add(good=good, bad=bad)
            self.shop.await_scrape()
            if what():
                return
        pytest.fail(f"it did not come; firing: {self.firing()}, told: {self.told()}")


@pytest.fixture
def line(tmp_path: Path) -> Iterator[Line]:
    need("prometheus", "alertmanager")
    path = tmp_path / "catalogue.yaml"
    path.write_text(CATALOGUE)
    catalogue = load(path).resolve("test")
    server = Server()
    for receiver in ("critical", "warning", "watchdog"):
        (tmp_path / f"{receiver}-url").write_text(f"http://{server.address}/{receiver}")
    (tmp_path / "alertmanager.yml").write_text(alertmanager.render(*alertmanager.configuration(catalogue)))
    address = free_address()
    words = [
        f"--config.file={tmp_path / 'alertmanager.yml'}",
        f"--storage.path={tmp_path / 'alertmanager'}",
        f"--web.listen-address={address}",
        "--cluster.listen-address=",
    ]
    try:
        with (
            running("alertmanager", words, tmp_path),
            httpx.Client(base_url=f"http://{address}", timeout=10) as client,
        ):
            wait_for(lambda: ready(client))
            with running_prometheus(
                tmp_path, server, [catalogue], address, rule_query_offset="1s"
            ) as prometheus:
                shop = server.add("shop", "a")
                prometheus.tell()
                yield Line(shop, prometheus, client, server)
    finally:
        server.close()


def test_a_warning_is_told_the_worse_one_mutes_it_and_both_are_told_to_be_over(line: Line) -> None:
    warned = Told("warning", "error_rate", "warning", "firing")
    paged = Told("critical", "error_rate", "critical", "firing")
    warning_over, page_over = (replace(one, status="resolved") for one in (warned, paged))

    line.traffic_until(lambda: warned in line.told(), good=18, bad=2)
    assert paged not in line.told()
    assert line.muted_by("error_rate", "warning") == []

    line.traffic_until(
        lambda: paged in line.told() and line.muted_by("error_rate", "warning") == ["critical"],
        good=2,
        bad=18,
    )
    assert not {warning_over, page_over} & set(line.told())

    line.traffic_until(lambda: page_over in line.told(), good=20, bad=0)
    line.traffic_until(lambda: warning_over in line.told(), good=20, bad=0)
    # One notification of each, in all that time.
    told = [one for one in line.told() if one.alert == "error_rate"]
    assert sorted(told, key=str) == sorted([warned, paged, warning_over, page_over], key=str)


def test_shadow_and_log_only_alerts_fire_and_tell_nobody_while_the_watchdog_is_heard(line: Line) -> None:
    silent = {("rehearsed", "critical"), ("busy", "info")}
    paged = Told("critical", "error_rate", "critical", "firing")
    line.traffic_until(lambda: silent <= line.firing() and paged in line.told(), good=2, bad=18)
    # Alertmanager has them as well: it is its routes that tell nobody.
    line.traffic_until(lambda: silent <= {*active(line.alertmanager)}, good=2, bad=18)
    watched = Told("watchdog", "watchdog", "none", "firing")
    wait_for(lambda: watched in line.told())
    assert {one.alert for one in line.told()} == {"error_rate", "watchdog"}


def active(client: httpx.Client) -> list[tuple[str, str]]:
    return [
        (one["labels"]["alertname"], one["labels"]["severity"]) for one in client.get("/api/v2/alerts").json()
    ]

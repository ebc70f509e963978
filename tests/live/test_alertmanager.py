"""Alertmanager takes the configuration, and tells whom the catalogue says, when it says."""

from __future__ import annotations

import contextlib
import json
import socket
import subprocess
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import yaml

from orders_obs.alerts import ResolvedCatalogue, load
from orders_obs.alerts.compile import alertmanager, prometheus
from orders_obs.alerts.compile.prometheus import WATCHDOG
from tests.alerts.engines.conftest import CATALOGUES
from tests.live.conftest import ROOT

Program = Callable[[str], Path]
Labels = dict[str, str]

PATIENCE = 30.0


def rendered(catalogue: ResolvedCatalogue, folder: Path) -> Path:
    path = folder / "alertmanager.yml"
    path.write_text(alertmanager.render(*alertmanager.configuration(catalogue)))
    return path


def alert_labels(catalogue: ResolvedCatalogue) -> list[Labels]:
    """The labels with which Prometheus sends each alert."""
    (group,) = yaml.safe_load(prometheus.render(prometheus.compile_rules(catalogue)))["groups"]
    return [
        {"alertname": rule["alert"], "job": catalogue.service, **rule["labels"]}
        for rule in group["rules"]
        if "alert" in rule
    ]


def routed(amtool: Path, config: Path, labels: Labels) -> list[str]:
    """The receivers that hear of an alert, by amtool."""
    words = [f"{name}={value}" for name, value in labels.items()]
    done = subprocess.run(
        [amtool, "config", "routes", "test", f"--config.file={config}", *words],
        check=True, capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    return done.stdout.strip().split(",")


@pytest.mark.parametrize(
    ("path", "environment"),
    [
        (CATALOGUES["shipped"], "production"),
        (CATALOGUES["shipped"], "demo"),
        (CATALOGUES["wide"], "production"),
        (CATALOGUES["wide"], "small"),
    ],
)
def test_amtool_takes_the_configuration_and_routes_each_alert_as_the_catalogue_says(
    program: Program, tmp_path: Path, path: Path, environment: str
) -> None:
    amtool = program("amtool")
    catalogue = load(path).resolve(environment)
    config = rendered(catalogue, tmp_path)
    checked = subprocess.run(
        [amtool, "check-config", config], capture_output=True, text=True, timeout=60, check=False
    )
    assert checked.returncode == 0, checked.stdout + checked.stderr
    receivers = {
        severity.name
        for severity in catalogue.severities
        if not severity.log
        and (severity.receivers or (severity.email and catalogue.environment.alertmanager.smarthost))
    }
    sent = alert_labels(catalogue)
    assert len(sent) >= 8
    for labels in sent:
        severity = labels.get("severity", "")
        heard = [severity] if severity in receivers and labels.get("mode") != "shadow" else ["nobody"]
        if labels["alertname"] == WATCHDOG:
            heard = [WATCHDOG]
        assert routed(amtool, config, labels) == heard, labels
    stranger = {"alertname": "error_rate", "severity": next(iter(receivers)), "env": environment}
    assert routed(amtool, config, {**stranger, "service": "somebody-elses"}) == ["nobody"]
    here = {**stranger, "service": catalogue.service}
    assert routed(amtool, config, here | {"env": "elsewhere"}) == ["nobody"]
    assert routed(amtool, config, here | {"severity": "unheard-of"}) == ["nobody"]


def test_amtool_is_awake(program: Program, tmp_path: Path) -> None:
    config = rendered(load(ROOT / "alerts").resolve("production"), tmp_path)
    config.write_text(config.read_text().replace("receiver: warning", "receiver: nobody-knows"))
    assert subprocess.run(
        [program("amtool"), "check-config", config], capture_output=True, check=False
    ).returncode


@dataclass
class Inbox:
    """What receivers got: receiver, status and labels of each alert, in the order of arrival."""

    got: list[tuple[str, str, Labels]] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def take(self, message: dict[str, Any]) -> None:
        with self.lock:
            for alert in message["alerts"]:
                self.got.append((message["receiver"], alert["status"], alert["labels"]))

    def has(self, receiver: str, status: str, labels: Labels) -> bool:
        with self.lock:
            return (receiver, status, labels) in self.got

    def of(self, name: str) -> list[tuple[str, str]]:
        """Receiver and status of each message on an alert."""
        with self.lock:
            return [
                (receiver, status) for receiver, status, labels in self.got if labels["alertname"] == name
            ]


@contextlib.contextmanager
def receiver_of(inbox: Inbox) -> Iterator[str]:
    """A webhook on loopback; its address."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            inbox.take(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            """Nothing: a test's output is its own."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def until(condition: Callable[[], Any], what: str) -> Any:
    """Wait for a condition; its value."""
    end = time.monotonic() + PATIENCE
    while not (found := condition()):
        assert time.monotonic() < end, f"not within {PATIENCE:g} s: {what}"
        time.sleep(0.02)
    return found


@dataclass
class Alertmanager:
    """A running Alertmanager."""

    url: str
    catalogue: ResolvedCatalogue
    inbox: Inbox

    def call(self, path: str, body: Any = None) -> Any:
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.url + path, data, {"Content-Type": "application/json"})
        with urllib.request.urlopen(request, timeout=10) as answer:
            text = answer.read()
        return json.loads(text) if text else None

    def ready(self) -> bool:
        try:
            with urllib.request.urlopen(f"{self.url}/-/ready", timeout=10):
                return True
        except (urllib.error.URLError, ConnectionError):
            return False

    def labels(self, alert: str, severity: str) -> Labels:
        (labels,) = [
            labels
            for labels in alert_labels(self.catalogue)
            if (labels["alertname"], labels["severity"]) == (alert, severity)
        ]
        return labels

    def send(self, labels: Labels, *, over: bool = False) -> Labels:
        now = datetime.now(UTC)
        alert: dict[str, Any] = {"labels": labels, "startsAt": (now - timedelta(minutes=1)).isoformat()}
        alert["endsAt"] = (now if over else now + timedelta(hours=1)).isoformat()
        self.call("/api/v2/alerts", [alert])
        return labels

    def seen(self, labels: Labels) -> dict[str, Any] | None:
        """Alertmanager's own view of an alert."""
        alerts: list[dict[str, Any]] = self.call("/api/v2/alerts")
        return next((alert for alert in alerts if alert["labels"] == labels), None)

    def held_back(self, labels: Labels) -> dict[str, Any]:
        """Its status in its group, once it is held back: only there mute windows are said."""

        def found() -> dict[str, Any] | None:
            groups: list[dict[str, Any]] = self.call("/api/v2/alerts/groups")
            statuses = [a["status"] for group in groups for a in group["alerts"] if a["labels"] == labels]
            return next((status for status in statuses if status["state"] == "suppressed"), None)

        status: dict[str, Any] = until(found, f"{labels} held back")
        return status

    def told(self, labels: Labels, status: str = "firing") -> None:
        """Wait until the receiver of its severity has heard of an alert."""
        until(lambda: self.inbox.has(labels["severity"], status, labels), f"{status}: {labels}")


def shop(now: datetime) -> str:
    """A catalogue with a mute window that is open, and one that is over."""
    opened, past = ((now - timedelta(minutes=minutes)).strftime("%H:%M") for minutes in (10, 180))
    return f"""\
catalogue: 1
service: shop
severities:
  critical: {{page: true, webhook: file:webhook-url}}
  warning: {{webhook: file:webhook-url}}
environments:
  test:
    alertmanager: {{group_wait: 0s, group_interval: 1s}}
    watchdog: file:webhook-url
alerts:
  error_rate:
    signal: http_error_ratio
    minimum: 10 requests
    critical: {{above: 5%, over: 5m}}
    warning: {{above: 1%, over: 5m}}
  orders: {{signal: orders_created, warning: {{above: 100 orders, over: 1m}}}}
  batch: {{signal: errors, warning: {{above: 5 errors, over: 1m}}}}
  finished: {{signal: errors, warning: {{above: 5 errors, over: 5m}}}}
  tried: {{signal: errors, mode: shadow, critical: {{above: 5 errors, over: 1m}}}}
mute:
  opened: {{alerts: [batch], at: "{opened}", for: 2h, reason: a batch runs}}
  past: {{alerts: [finished], at: "{past}", for: 1h, reason: it is over}}
"""


@pytest.fixture
def manager(program: Program, tmp_path: Path) -> Iterator[Alertmanager]:
    binary = program("alertmanager")
    (tmp_path / "catalogue.yaml").write_text(shop(datetime.now(UTC)))
    catalogue = load(tmp_path / "catalogue.yaml").resolve("test")
    config, inbox = rendered(catalogue, tmp_path), Inbox()
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    words = [
        f"--config.file={config}", f"--storage.path={tmp_path / 'data'}", f"--web.listen-address=127.0.0.1:{port}",
        "--cluster.listen-address=",
    ]  # fmt: skip
    log = tmp_path / "log"
    with receiver_of(inbox) as address, log.open("w") as out:
        (tmp_path / "webhook-url").write_text(address)
        process = subprocess.Popen([binary, *words], cwd=tmp_path, stdout=out, stderr=out)
        try:
            running = Alertmanager(f"http://127.0.0.1:{port}", catalogue, inbox)
            until(lambda: process.poll() is not None or running.ready(), "Alertmanager is ready")
            assert process.poll() is None, log.read_text()
            yield running
        finally:
            process.terminate()
            process.wait(10)


def test_critical_mutes_the_warning_of_the_same_alert_only_and_being_over_is_told(
    manager: Alertmanager,
) -> None:
    critical = manager.send(manager.labels("error_rate", "critical"))
    manager.told(critical)
    warning = manager.send(manager.labels("error_rate", "warning"))
    status = manager.held_back(warning)
    firing = manager.seen(critical)
    assert firing is not None
    assert status["inhibitedBy"] == [firing["fingerprint"]]
    # Not the warning of another alert.
    manager.told(manager.send(manager.labels("orders", "warning")))
    # And not that of another service, which is nobody's here.
    foreign = manager.send({**warning, "service": "payments"})
    seen = until(lambda: manager.seen(foreign), "the alert of the other service")
    assert seen["status"]["inhibitedBy"] == []
    assert seen["receivers"] == [{"name": "nobody"}]
    assert manager.inbox.of("error_rate") == [("critical", "firing")]
    # Over: it is told, and the warning has its say.
    manager.send(critical, over=True)
    manager.told(critical, "resolved")
    manager.told(warning)
    manager.send(warning, over=True)
    manager.told(warning, "resolved")
    assert manager.inbox.of("error_rate") == [
        ("critical", "firing"), ("critical", "resolved"), ("warning", "firing"), ("warning", "resolved"),
    ]  # fmt: skip


def test_an_open_mute_window_tells_nobody_and_one_that_is_past_does_not_mute(manager: Alertmanager) -> None:
    muted = manager.send(manager.labels("batch", "warning"))
    assert manager.held_back(muted)["mutedBy"] == ["opened"]
    late = manager.send(manager.labels("finished", "warning"))
    manager.told(late)
    # It goes on being evaluated: it is there, and firing, and nobody hears of it.
    seen = manager.seen(muted)
    assert seen is not None
    assert seen["receivers"] == [{"name": "warning"}]
    assert manager.inbox.of("batch") == []


def test_what_is_in_shadow_is_known_and_tells_nobody_and_mutes_nothing(manager: Alertmanager) -> None:
    shadow = manager.send(manager.labels("tried", "critical"))
    assert shadow["mode"] == "shadow"
    seen = until(lambda: manager.seen(shadow), "the alert in shadow")
    assert seen["receivers"] == [{"name": "nobody"}]
    # Alertmanager had its turn: what came later has been told, the worse one's own warning among it.
    manager.told(manager.send({**shadow, "severity": "warning", "mode": "live"}))
    manager.told(manager.send(manager.labels("orders", "warning")))
    assert [found for found in manager.inbox.of("tried") if found[0] != "warning"] == []


def test_the_watchdog_is_heard_at_once(manager: Alertmanager) -> None:
    labels = {"alertname": WATCHDOG, "service": "shop", "env": "test", "severity": "none"}
    manager.send(labels)
    until(lambda: manager.inbox.has(WATCHDOG, "firing", labels), "the watchdog")

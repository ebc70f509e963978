from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from orders_obs.aws.audit.prometheus import audit_prometheus
from orders_obs.aws.audit.rules import PROMETHEUS_RULES
from orders_obs.errors import UserError
from tests.aws.audit.world import NOW

_SOUND = {
    "name": "HighErrors",
    "type": "alerting",
    "query": 'sum(rate(http_requests_total{job="shop",status=~"5.."}[5m])) / sum(rate(http_requests_total{job="shop"}[5m])) > 0.05 and sum(rate(http_requests_total{job="shop"}[5m])) > 1',
    "duration": 300,
    "labels": {"severity": "critical"},
    "annotations": {"summary": "errors", "runbook_url": "https://wiki.example.com/errors"},
    "health": "ok",
    "alerts": [],
}


class Server:
    """A Prometheus as its HTTP API shows it."""

    def __init__(self) -> None:
        self.rules: list[dict[str, Any]] = [dict(_SOUND)]
        self.names = ["http_requests_total", "up"]
        self.jobs = {"shop"}
        self.managers: dict[str, Any] = {
            "activeAlertmanagers": [{"url": "http://am:9093"}],
            "droppedAlertmanagers": [],
        }
        self.took = 0.01
        self.broken: set[str] = set()
        self.authorization: str | None = None
        self.url = ""

    def alert(self, **more: Any) -> None:
        self.rules.append(_SOUND | {"name": "Bad"} | more)

    def answer(self, path: str, query: dict[str, list[str]]) -> Any:
        if path == "/api/v1/rules":
            return {
                "groups": [
                    {
                        "name": "shop",
                        "file": "/etc/rules.yml",
                        "interval": 60,
                        "evaluationTime": self.took,
                        "rules": self.rules,
                    }
                ]
            }
        if path == "/api/v1/label/__name__/values":
            assert float(query["start"][0]) < float(query["end"][0])
            return self.names
        if path == "/api/v1/series":
            return [{"job": job} for job in self.jobs if f'job="{job}"' in query["match[]"][0]]
        assert path == "/api/v1/alertmanagers", path
        return self.managers


@pytest.fixture
def server() -> Iterator[Server]:
    made = Server()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            parts = urlsplit(self.path)
            made.authorization = self.headers.get("authorization")
            broken = parts.path in made.broken
            body = (
                b"no"
                if broken
                else json.dumps(
                    {"status": "success", "data": made.answer(parts.path, parse_qs(parts.query))}
                ).encode()
            )
            self.send_response(500 if broken else 200)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: Any) -> None:
            pass

    httpd = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=httpd.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    made.url = f"http://127.0.0.1:{httpd.server_port}"
    yield made
    httpd.shutdown()
    thread.join()
    httpd.server_close()


def found(server: Server) -> list[tuple[str, str]]:
    return [
        (issue.rule, issue.thing)
        for issue in audit_prometheus(server.url, NOW).issues
        if issue.level != "info"
    ]


def test_nothing_is_wrong_with_a_sound_prometheus(server: Server) -> None:
    server.alert(name="Gone", query='absent(up{job="gone"})')
    server.rules.append(
        {
            "name": "shop:requests:rate5m",
            "type": "recording",
            "query": 'sum(rate(http_requests_total{job="shop"}[5m]))',
            "health": "ok",
        }
    )
    assert found(server) == []
    assert audit_prometheus(server.url, NOW).count == 3


def test_a_rule_on_a_metric_that_is_not_there_is_found(server: Server) -> None:
    server.alert(query="http_request_total > 5")
    assert ("metric-not-there", "shop/Bad") in found(server)


def test_a_counter_of_failures_that_never_happened_is_only_worth_knowing(server: Server) -> None:
    server.alert(query="increase(payment_failures_total[5m]) > 5")
    assert found(server) == []


def test_of_alternatives_one_that_is_there_is_enough(server: Server) -> None:
    server.alert(query='http_requests_total{job="shop"} > 5 or requests_total > 5')
    assert ("metric-not-there", "shop/Bad") not in found(server)


def test_a_job_that_is_no_target_any_more_is_found(server: Server) -> None:
    server.alert(query='up{job="renamed"} == 0')
    assert ("series-not-there", "shop/Bad") in found(server)


def test_a_rule_that_fails_one_that_fires_for_weeks_and_a_slow_group_are_found(server: Server) -> None:
    server.alert(health="err", lastError="many-to-many matching not allowed")
    server.alert(
        name="Old",
        alerts=[
            {
                "state": "firing",
                "activeAt": (NOW - timedelta(days=30)).isoformat().replace("+00:00", ".123456789Z"),
            }
        ],
    )
    server.took = 90.0
    assert set(found(server)) >= {
        ("rule-failing", "shop/Bad"),
        ("stuck-firing", "shop/Old"),
        ("group-too-slow", "shop"),
    }


def test_alerts_without_an_alertmanager_reach_nobody(server: Server) -> None:
    server.managers = {"activeAlertmanagers": [], "droppedAlertmanagers": [{"url": "http://old:9093"}]}
    assert found(server) == [("no-alertmanager", server.url), ("alertmanager-dropped", server.url)]
    server.rules = []
    assert found(server) == []


def test_what_lint_says_of_rule_files_it_says_of_live_rules(server: Server) -> None:
    server.alert(query='histogram_quantile(0.99, rate(http_requests_total{job="shop"}[5m])) > 5')
    named = dict(found(server))
    assert (
        "quantile-of-raw-histogram" in named
        or "quantile-without-le" in named
        or "quantile-threshold-out-of-reach" in named
    )


def test_what_does_not_answer_is_a_gap_and_the_rest_still_runs(server: Server) -> None:
    server.alert(query="gone > 5")
    server.broken = {"/api/v1/alertmanagers"}
    result = audit_prometheus(server.url, NOW)
    assert [gap.action for gap, _ in result.gaps] == ["/api/v1/alertmanagers"]
    assert "metric-not-there" in {issue.rule for issue in result.issues}
    server.broken = {"/api/v1/rules"}
    assert "HTTP 500" in audit_prometheus(server.url, NOW).fault


def test_a_password_in_the_address_is_sent_and_never_shown(server: Server) -> None:
    result = audit_prometheus(server.url.replace("http://", "http://me:hunter2@"), NOW)
    assert server.authorization == "Basic bWU6aHVudGVyMg=="
    assert "hunter2" not in repr(result)


def test_an_address_that_is_none_is_said_to_be_none() -> None:
    for url in ("prometheus:9090", "file:///etc/passwd", "http://"):
        with pytest.raises(UserError, match="wants an address"):
            audit_prometheus(url, NOW)


def test_each_rule_on_prometheus_has_a_test() -> None:
    assert set(PROMETHEUS_RULES) == {
        "metric-not-there", "series-not-there", "rule-failing", "stuck-firing", "group-too-slow", "no-alertmanager", "alertmanager-dropped",
    }  # fmt: skip

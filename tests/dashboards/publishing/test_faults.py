"""What happens when Grafana, or what stands before it, does not do its part; and when the command is killed."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from orders_obs.dashboards.publishing import client
from orders_obs.dashboards.publishing.client import Client, Pace
from orders_obs.errors import EnvironmentFault
from tests.dashboards.grafana_server.server import TOKEN, Fault, Grafana, Request
from tests.dashboards.publishing.site import Site

Capture = pytest.CaptureFixture[str]
ROOT = Path(__file__).resolve().parents[3]
SAVES = r"/api/dashboards/db|/dashboards(/orders)?$"


@pytest.fixture
def three(site: Site) -> Site:
    site.dashboard("alpha")
    site.dashboard("zulu")
    return site


def _outcomes(text: str) -> list[tuple[str, str]]:
    lines = [json.loads(line) for line in text.splitlines() if line.startswith("{")]
    return [(line["uid"], line["outcome"]) for line in lines]


@pytest.mark.parametrize(
    ("kind", "said"),
    [
        (401, "Grafana does not take the token"),
        (403, "the service account has no right to it"),
        (500, "500"),
        ("html", "is no Grafana API: GET /api/user answers text/html (200)"),
        ("redirect", "sends elsewhere (302 to /login?token=[REDACTED])"),
    ],
)
def test_a_server_that_does_not_answer_as_grafana_is_the_surroundings_fault(
    grafana: Grafana, site: Site, capsys: Capture, kind: str | int, said: str
) -> None:
    path = "/api/user" if kind != 403 else "dashboards/(uid/)?orders"
    grafana.faults = [Fault(kind, "GET", path, times=9)]
    assert site("publish") == 3
    err = capsys.readouterr().err
    assert said in err
    assert TOKEN not in err
    assert grafana.writes == []


def test_html_on_the_first_call_is_no_grafana(grafana13: Grafana, site13: Site, capsys: Capture) -> None:
    grafana13.faults = [Fault("html", path="/api/health")]
    assert site13("publish") == 3
    assert "is no Grafana API" in capsys.readouterr().err


@pytest.mark.parametrize("kind", [429, 502, 503, 504, "drop", "lose", "cut"])
def test_a_read_is_tried_again_and_the_publish_goes_through(
    grafana: Grafana, site: Site, kind: str | int
) -> None:
    grafana.faults = [Fault(kind, "GET", times=3)]
    assert site("publish") == 0
    assert set(grafana.store.dashboards) == {"orders"}


@pytest.mark.parametrize("kind", [400, 404, 409, 418, 500])
def test_a_call_that_grafana_refused_is_not_sent_again(grafana13: Grafana, kind: int) -> None:
    grafana13.faults = [Fault(kind, path="/api/thing", times=9)]
    calls = Client(grafana13.url, TOKEN, pace=Pace(sleep=lambda _: None))
    with pytest.raises(Exception):  # noqa: B017  # which one is another test's
        calls.put("/api/thing", {})
    assert len(grafana13.requests) == 1


@pytest.mark.parametrize(("kind", "sent"), [(429, 4), (502, 1), (503, 1), (504, 1), ("drop", 1), ("lose", 1)])
def test_a_post_is_sent_again_only_when_it_was_surely_not_taken(
    grafana13: Grafana, kind: str | int, sent: int
) -> None:
    grafana13.faults = [Fault(kind, path="/api/thing", times=9)]
    calls = Client(grafana13.url, TOKEN, pace=Pace(sleep=lambda _: None))
    with pytest.raises(EnvironmentFault):
        calls.post("/api/thing", {})
    assert len(grafana13.requests) == sent


def test_waits_grow_and_obey_what_the_server_asks(grafana13: Grafana) -> None:
    waited: list[float] = []
    calls = Client(grafana13.url, TOKEN, pace=Pace(sleep=waited.append))
    grafana13.faults = [
        Fault(503, path="/api/org", times=2),
        Fault(429, path="/api/org", headers=(("Retry-After", "7"),)),
    ]
    assert calls.get("/api/org")["id"] == 1
    assert 0.25 <= waited[0] <= 0.5 <= waited[1] <= 1
    assert waited[2] == 7


def test_a_server_that_asks_for_a_long_wait_is_left_alone(grafana13: Grafana) -> None:
    waited: list[float] = []
    calls = Client(grafana13.url, TOKEN, pace=Pace(sleep=waited.append))
    grafana13.faults = [Fault(429, headers=(("Retry-After", "3600"),), times=9)]
    with pytest.raises(EnvironmentFault):
        calls.get("/api/org")
    assert waited == []


def test_nothing_at_the_address_is_said(tmp_path: Path, capsys: Capture) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    site = Site(tmp_path / "d", f"http://127.0.0.1:{port}")
    site.dashboard()
    assert site("publish") == 3
    assert "cannot be reached" in capsys.readouterr().err


def test_a_server_that_hangs_is_given_up(grafana13: Grafana) -> None:
    grafana13.faults = [Fault("hang", times=9)]
    calls = Client(grafana13.url, TOKEN, pace=Pace(read=0.05, attempts=2, sleep=lambda _: None))
    with pytest.raises(EnvironmentFault, match="no answer came: timed out"):
        calls.get("/api/org")
    assert len(grafana13.requests) == 2


@pytest.mark.parametrize("kind", [429, 503, "drop", "lose"])
def test_a_save_whose_answer_is_lost_ends_in_one_version(
    grafana: Grafana, site: Site, kind: str | int
) -> None:
    grafana.faults = [Fault(kind, "PUT|POST", SAVES)]
    assert site("publish") == 0
    assert [version.number for version in grafana.store.dashboards["orders"].versions] == [1]
    site.dashboard(refresh="30s")
    grafana.faults = [Fault(kind, "PUT|POST", SAVES)]
    assert site("publish") == 0
    assert [version.number for version in grafana.store.dashboards["orders"].versions] == [1, 2]
    assert site("publish", "--check") == 0


def test_a_fault_half_way_says_what_is_written_unknown_and_left(
    grafana: Grafana, three: Site, capsys: Capture
) -> None:
    """Reads fail too, so that nobody can look whether the save was done."""

    def break_down(request: Request) -> None:
        if request.method != "GET" and '"title": "Orders"' in json.dumps(request.body):
            grafana.faults = [Fault("drop", times=99)]

    grafana.before = break_down
    assert three("publish") == 3
    said = capsys.readouterr()
    assert "done: create dashboard alpha" in said.out
    assert "unknown whether done: create dashboard orders" in said.out
    assert "not tried: create dashboard zulu" in said.out
    assert "not all of it was written" in said.err
    assert _outcomes(said.err) == [("shop", "done"), ("alpha", "done"), ("orders", "unknown")]
    grafana.before, grafana.faults = None, []
    assert three("publish") == 0
    assert set(grafana.store.dashboards) == {"alpha", "orders", "zulu"}
    grafana.forget()
    assert three("publish") == 0
    assert grafana.writes == []


@pytest.mark.parametrize("status", [401, 403, 500])
def test_a_refusal_half_way_leaves_the_rest_and_is_said(
    grafana: Grafana, three: Site, capsys: Capture, status: int
) -> None:
    def break_down(request: Request) -> None:
        if request.method != "GET" and '"title": "Orders"' in json.dumps(request.body):
            grafana.faults = [Fault(status, times=99)]

    grafana.before = break_down
    assert three("publish") == 3
    assert "not tried: create dashboard zulu" in capsys.readouterr().out
    assert set(grafana.store.dashboards) == {"alpha"}


def test_a_dashboard_that_grafana_does_not_take_stops_no_other(
    grafana13: Grafana, site13: Site, capsys: Capture
) -> None:
    def wrong(content: dict[str, Any]) -> None:
        content["panels"][0]["fieldConfig"]["defaults"]["thresholds"]["steps"][0]["value"] = "null"

    site13.dashboard("alpha", wrong)
    assert site13("publish", "--without-lint") == 2
    said = capsys.readouterr().out
    assert "failed: create dashboard alpha: " in said
    assert "spec.panels.0.fieldConfig.defaults.thresholds.steps: conflicting values" in said
    assert set(grafana13.store.dashboards) == {"orders"}


def test_a_quota_is_said(tmp_path: Path, capsys: Capture) -> None:
    for major in (11, 13):
        with Grafana(major, quota=0) as grafana:
            site = Site(tmp_path / str(major), grafana.url)
            site.dashboard()
            assert site("publish") == 3
            assert "Grafana's quota is reached" in capsys.readouterr().out


def test_a_title_that_is_taken_in_grafana_10_is_said(tmp_path: Path, capsys: Capture) -> None:
    with Grafana(10) as grafana:
        grafana.store.save("other", {"title": "Orders"}, folder="", message="", by="admin")
        site = Site(tmp_path / "d", grafana.url)
        site.dashboard()
        assert site("publish") == 1
        assert "A dashboard with the same name in the folder already exists" in capsys.readouterr().out
        assert set(grafana.store.dashboards) == {"other"}


def _between(grafana: Grafana, change: Any) -> None:
    """Something that happens once, right before a save arrives."""

    def act(request: Request) -> None:
        if request.method in ("PUT", "POST") and "dashboards" in request.path:
            grafana.before = None
            change()

    grafana.before = act


def test_a_person_who_saves_at_the_same_moment_loses_nothing(
    grafana: Grafana, site: Site, capsys: Capture
) -> None:
    assert site("publish") == 0
    site.dashboard(refresh="30s")
    _between(grafana, lambda: grafana.save_in_page("orders", lambda content: content.update(refresh="1h")))
    assert site("publish") == 1
    assert "somebody changed it in the meantime" in capsys.readouterr().out
    assert grafana.store.dashboards["orders"].content["refresh"] == "1h"


def test_leave_to_overwrite_is_for_what_stood_there_not_for_what_came_since(
    grafana: Grafana, site: Site
) -> None:
    assert site("publish") == 0
    grafana.save_in_page("orders", lambda content: content.update(refresh="2h"))
    _between(grafana, lambda: grafana.save_in_page("orders", lambda content: content.update(refresh="1h")))
    assert site("publish", "--overwrite-drift") == 1
    assert grafana.store.dashboards["orders"].content["refresh"] == "1h"


def test_two_publishes_at_once_end_well(grafana: Grafana, site: Site) -> None:
    other = Site(site.folder.parent / "other", grafana.url, more="    folder: {uid: shop, title: Shop}\n")
    other.dashboard()
    _between(grafana, lambda: other("publish"))
    assert site("publish") == 0
    assert len(grafana.store.dashboards["orders"].versions) == 1
    site.dashboard(refresh="30s")
    other.dashboard(refresh="30s")
    _between(grafana, lambda: other("publish"))
    assert site("publish") == 0
    assert len(grafana.store.dashboards["orders"].versions) == 2


def test_somebody_who_makes_the_same_uid_at_the_same_moment_keeps_it(grafana: Grafana, site: Site) -> None:
    def theirs() -> None:
        grafana.store.save("orders", {"title": "Theirs", "panels": []}, folder="", message="", by="admin")

    _between(grafana, theirs)
    assert site("publish", "--adopt", "orders") == 1
    assert grafana.store.dashboards["orders"].content["title"] == "Theirs"


@pytest.fixture
def started(grafana: Grafana, three: Site) -> Iterator[subprocess.Popen[str]]:
    """A publish in a process of its own, held in the middle: one dashboard is saved, the second is being sent."""

    def hold(request: Request) -> None:
        if request.method != "GET" and '"title": "Orders"' in json.dumps(request.body):
            grafana.faults = [Fault("hang", request.method)]
            grafana.before = None

    grafana.before = hold
    code = "import sys; from tests.dashboards.publishing.site import run; sys.exit(run(sys.argv[1:]))"
    process = subprocess.Popen(
        [sys.executable, "-c", code, "publish", "--targets", str(three.targets)],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=os.environ | {"PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    assert grafana.arrived.wait(60)
    yield process
    process.kill()
    process.communicate()


def test_a_publish_killed_in_the_middle_is_finished_by_the_next(
    grafana: Grafana, three: Site, started: subprocess.Popen[str]
) -> None:
    started.kill()
    started.communicate()
    grafana.released.set()
    assert set(grafana.store.dashboards) == {"alpha"}
    assert three("publish") == 0
    assert set(grafana.store.dashboards) == {"alpha", "orders", "zulu"}
    assert all(len(known.versions) == 1 for known in grafana.store.dashboards.values())


def test_a_publish_ended_by_sigterm_says_what_it_did(
    grafana: Grafana, started: subprocess.Popen[str]
) -> None:
    started.send_signal(signal.SIGTERM)
    _, err = started.communicate(timeout=60)
    assert started.returncode != 0
    assert "done: create dashboard alpha" in err
    assert "unknown whether done: create dashboard orders: interrupted" in err
    assert "not tried: create dashboard zulu" in err
    assert _outcomes(err) == [("shop", "done"), ("alpha", "done"), ("orders", "unknown")]


def test_the_default_limits_are_the_documented_ones() -> None:
    pace = client.Pace()
    assert (pace.connect, pace.read, pace.attempts) == (10, 30, 4)

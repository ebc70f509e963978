"""A server, or what stands before it, that answers something odd; and texts that a terminal would obey."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.dashboards.grafana_server.answers import Answer
from tests.dashboards.grafana_server.server import Grafana, Request
from tests.dashboards.publishing.site import Site

Capture = pytest.CaptureFixture[str]


def _answers(grafana: Grafana, path: str, answer: Callable[[], Answer]) -> None:
    usual = grafana.answer
    grafana.answer = (  # type: ignore[method-assign]
        lambda request, token: answer() if path in request.path else usual(request, token)
    )


DEEP = b"[" * 200_000 + b"]" * 200_000
DEEP_ENOUGH = b'{"database":' + b"[" * 400 + b"]" * 400 + b"}"


@pytest.mark.parametrize(
    ("path", "answer"),
    [
        ("/api/health", Answer(200, None, raw=DEEP)),
        ("/api/health", Answer(200, None, raw=DEEP_ENOUGH)),
        ("/api/user", Answer(200, [])),
        ("/api/user", Answer(200, "x")),
        ("/api/org", Answer(200, [1])),
        ("/api/search", Answer(200, [1])),
        ("/api/search", Answer(200, {"a": 1})),
        ("/api/search", Answer(200, [{}])),
        ("orders", Answer(200, {})),
        ("orders", Answer(200, [])),
        ("orders", Answer(200, {"dashboard": [], "meta": 1, "metadata": 1, "spec": 2})),
        ("orders", Answer(200, {"dashboard": {"version": "x"}, "metadata": {"name": "orders"}, "spec": {"panels": 1}})),
        ("/folders/", Answer(200, [])),
        ("/api/datasources", Answer(200, [])),
    ],
)  # fmt: skip
def test_an_odd_answer_is_no_grafana_api(
    grafana: Grafana, site: Site, capsys: Capture, path: str, answer: Answer
) -> None:
    site.settings(
        f"    url: {grafana.url}\n    folder: {{uid: shop, title: Shop}}\n    datasources: {{jaeger: {{uid: j}}}}\n"
    )
    _answers(grafana, path, lambda: answer)
    code = site("publish", "--dry-run")
    said = capsys.readouterr().err
    if code == 0:
        # The one odd answer that this API does not look at.
        assert "spec" in str(answer.data)
        return
    assert code == 3
    assert "is no Grafana API" in said


ODD: tuple[Any, ...] = (
    1,
    "x",
    [1, "x"],
    {"list": 1},
    {"list": [1, {"name": {}, "current": 1, "type": "query"}]},
)
PANEL = {
    "title": {}, "type": [], "gridPos": 1, "targets": [1, {"refId": {}}], "datasource": {"uid": {}}, "panels": [1, {"panels": 2}],
    "fieldConfig": {"defaults": {"thresholds": {"steps": [1, {"color": {}}]}}},
}  # fmt: skip


@pytest.mark.parametrize(
    "key", ["panels", "links", "tags", "templating", "annotations", "title", "description"]
)
@pytest.mark.parametrize("value", [*ODD, [PANEL]])
def test_whatever_a_dashboard_holds_is_compared_and_pulled(
    grafana13: Grafana, site13: Site, key: str, value: Any
) -> None:
    site13.settings(f"    url: {grafana13.url}\n    datasources: {{jaeger: {{uid: j}}}}\n")
    grafana13.store.datasources["j"] = {"uid": "j", "type": "jaeger", "name": "J"}
    assert site13("publish") == 0
    grafana13.save_in_page("orders", lambda content: content.update({key: value}))
    assert site13("diff") == 1
    assert site13("pull") == 0


def test_an_odd_answer_to_a_save_that_was_taken_is_done(grafana: Grafana, site: Site) -> None:
    usual = grafana.answer

    def odd(request: Request, token: str) -> Answer:
        answer = usual(request, token)
        return Answer(answer.status, []) if request.method in ("POST", "PUT") else answer

    grafana.answer = odd  # type: ignore[method-assign]
    assert site("publish") == 0
    assert set(grafana.store.dashboards) == {"orders"}


@pytest.mark.parametrize(
    "data", [[], "x", {"message": [1], "details": 1}, {"details": {"causes": 5}}, {"details": {"causes": [1, {}]}, "reason": {}}]
)  # fmt: skip
@pytest.mark.parametrize("status", [400, 403, 409, 422, 429, 500, 503])
def test_an_odd_error_is_a_failure_like_another(
    grafana13: Grafana, site13: Site, capsys: Capture, data: Any, status: int
) -> None:
    usual = grafana13.answer

    def odd(request: Request, token: str) -> Answer:
        if request.method == "GET":
            return usual(request, token)
        return Answer(status, data, headers={"Retry-After": "\xb2"})

    grafana13.answer = odd  # type: ignore[method-assign]
    assert site13("publish") in (1, 2, 3)
    assert "failed" in (said := capsys.readouterr().out) or "unknown" in said


def test_the_same_page_of_a_search_for_ever_has_an_end(grafana: Grafana, site: Site) -> None:
    asked = 0

    def same() -> Answer:
        nonlocal asked
        asked += 1
        return Answer(200, [{"uid": "x"}]) if asked < 50 else Answer(418, {})

    _answers(grafana, "/api/search", same)
    assert site("publish", "--dry-run") == 0
    assert asked == 2


def test_the_same_page_of_a_list_for_ever_has_an_end(tmp_path: Path) -> None:
    asked = 0

    def same() -> Answer:
        nonlocal asked
        asked += 1
        items = [{"metadata": {"name": "x"}, "spec": {}}]
        return Answer(200, {"items": items, "metadata": {"continue": "a"}}) if asked < 50 else Answer(418, {})

    with Grafana(13, has_search=False) as grafana:
        site = Site(tmp_path / "d", grafana.url)
        site.dashboard()
        _answers(grafana, "/dashboards?", same)
        assert site("publish", "--dry-run") == 0
        assert asked == 2


def test_an_organization_said_as_text_is_the_same_one(grafana: Grafana, site: Site) -> None:
    _answers(grafana, "/api/org", lambda: Answer(200, {"id": "1"}))
    assert site("publish") == 0


ESCAPE = "\x1b]0;pwned\x07\x1b[2J\x9b1;1H\n  = orders (Orders): unchanged\u202e\ud800"


def _nothing_to_obey(text: str) -> None:
    assert [line for line in text.splitlines() if not line.isprintable()] == []
    assert "\n  = orders (Orders): unchanged" not in text


@pytest.mark.parametrize("command", ["diff", "pull", "publish"])
@pytest.mark.parametrize("more", [(), ("--json",)])
def test_no_text_of_a_dashboard_or_a_server_is_obeyed_by_a_terminal(
    grafana: Grafana, site: Site, capsys: Capture, command: str, more: tuple[str, ...]
) -> None:
    def change(content: dict[str, Any]) -> None:
        content["panels"][0]["title"] = ESCAPE
        content["panels"][1][ESCAPE] = ESCAPE
        content["refresh"] = ESCAPE

    assert site("publish") == 0
    grafana.save_in_page("orders", change, by=f"user:{ESCAPE}")
    _answers(grafana, "/api/health", lambda: Answer(200, {"database": "ok", "version": ESCAPE}))
    _answers(grafana, "/api/user", lambda: Answer(200, {"login": ESCAPE}))
    capsys.readouterr()
    assert site(command, *more) == (0 if command == "pull" else 1)
    said = capsys.readouterr()
    assert "pwned" in said.out
    _nothing_to_obey(said.out + said.err)
    if more:
        json.loads(said.out)


def test_no_text_of_an_error_or_of_a_build_is_obeyed_by_a_terminal(
    grafana: Grafana, site: Site, capsys: Capture
) -> None:
    site.dashboard(title=f"Orders {ESCAPE}")
    assert site("publish") == 0
    _answers(grafana, "orders", lambda: Answer(500, {"message": ESCAPE}))
    assert site("publish") == 3
    said = capsys.readouterr()
    assert "pwned" in said.err
    _nothing_to_obey(said.out + said.err)

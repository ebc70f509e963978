"""A dashboard, a server that answers, and what the page then holds."""

from __future__ import annotations

import contextlib
import copy
import json
import tempfile
import threading
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orders_obs.dashboards.preview.preview import Preview, Wishes, look, write_preview
from orders_obs.dashboards.preview.prometheus import PASSWORD, TOKEN, USER
from orders_obs.errors import EnvironmentFault, UserError
from tests.dashboards.preview.boards import dashboard, every_kind, panel, query
from tests.dashboards.preview.fake import TRACE, Fake, fake

NOW = datetime(2026, 3, 18, 13, 45, 30, tzinfo=UTC)
ROOT = Path(__file__).resolve().parents[3]


def saved(folder: Path, board: dict[str, Any]) -> Path:
    file = folder / "board.json"
    file.write_text(json.dumps(board))
    return file


def seen(
    folder: Path, server: Fake, *panels: dict[str, Any], wishes: Wishes | None = None, **more: Any
) -> Preview:
    return look([saved(folder, dashboard(*panels, **more))], server.url, wishes, now=NOW)


def first(found: Preview) -> dict[str, Any]:
    panels: list[dict[str, Any]] = found.data["dashboards"][0]["sections"][0]["panels"]
    return panels[0]


def job(*values: str, **more: Any) -> dict[str, Any]:
    variable = {"name": "job", "type": "query", "query": {"query": "label_values(up, job)"}, "multi": True}
    return {"list": [variable | {"current": {"value": list(values)}} | more]}


def test_a_chosen_value_that_there_is_not_is_said_once_with_those_that_there_are(
    tmp_path: Path, server: Fake
) -> None:
    panels = [panel("timeseries", 'empty{job=~"$job"}', title=title) for title in ("One", "Two")]
    found = seen(tmp_path, server, *panels, templating=job("checkout"))
    said = "job=checkout has no values here; there are orders-api, payments-api"
    assert found.data["dashboards"][0]["absent"] == [said]
    assert found.absent() == [f"Test: {said}"]


@pytest.mark.parametrize("values", [("orders-api",), ("checkout", "orders-api"), ("$__all",), ()])
def test_nothing_is_said_of_a_value_that_is_there_nor_of_all(
    tmp_path: Path, server: Fake, values: tuple[str, ...]
) -> None:
    board = panel("timeseries", 'empty{job=~"$job"}')
    assert seen(tmp_path, server, board, templating=job(*values, includeAll=True)).absent() == []


def test_nobody_asks_for_values_where_every_panel_has_data(tmp_path: Path, server: Fake) -> None:
    found = seen(tmp_path, server, panel("timeseries", 'x{job=~"$job"}'), templating=job("checkout"))
    assert found.absent() == []
    assert not [path for _, path, _ in server.asked if "/label/" in path]


def test_every_kind_of_panel_is_drawn_or_says_why_not(tmp_path: Path, server: Fake) -> None:
    found = look([saved(tmp_path, every_kind())], server.url, now=NOW)
    states = {panel["title"]: panel["state"] for panel in found.panels()}
    assert {title for title, state in states.items() if state != "ok"} == {"Fails", "Empty", "CloudWatch"}
    assert (states["Fails"], states["Empty"], states["CloudWatch"]) == ("error", "empty", "placeholder")
    assert len(found.failed()) == 1
    assert "parse error" in found.failed()[0]


def test_a_range_query_is_asked_as_grafana_asks_it(tmp_path: Path, server: Fake) -> None:
    expr = 'sum(rate(x{job=~"$job"}[$__rate_interval]))'
    job = {"name": "job", "type": "query", "multi": True, "current": {"value": ["a", "b"]}}
    seen(tmp_path, server, panel("timeseries", expr), templating={"list": [job]})
    (asked,) = [values for _, path, values in server.asked if path == "/api/v1/query_range"]
    assert asked["query"] == 'sum(rate(x{job=~"(a|b)"}[60s]))'
    assert asked["step"] == "15"
    assert float(asked["start"]) % 15 == float(asked["end"]) % 15 == 0
    assert float(asked["end"]) - float(asked["start"]) == 3600


def test_the_scrape_interval_makes_the_step_and_the_rate_interval(tmp_path: Path, server: Fake) -> None:
    seen(
        tmp_path,
        server,
        panel("timeseries", "x[$__rate_interval]", w=24),
        wishes=Wishes(scrape=1, start="now-15m"),
    )
    assert server.asked[-1][2]["query"] == "x[4s]"
    assert server.asked[-1][2]["step"] == "1"


def test_the_panels_own_interval_is_the_least_step(tmp_path: Path, server: Fake) -> None:
    seen(tmp_path, server, panel("timeseries", "x[$__interval]", interval="2m"))
    assert server.asked[-1][2]["query"] == "x[120s]"


def test_an_instant_query_is_asked_at_the_end(tmp_path: Path, server: Fake) -> None:
    seen(
        tmp_path,
        server,
        panel("table", query("rows", instant=True, range=False)),
        wishes=Wishes(end="now-5m"),
    )
    assert server.asked[-1][1] == "/api/v1/query"
    assert float(server.asked[-1][2]["time"]) == NOW.timestamp() - 300


def test_a_hidden_query_is_not_asked(tmp_path: Path, server: Fake) -> None:
    seen(tmp_path, server, panel("timeseries", query("a"), query("b", hide=True)))
    assert server.queries() == ["a"]


def test_of_two_queries_one_that_fails_is_said_beside_what_the_other_brings(
    tmp_path: Path, server: Fake
) -> None:
    drawn = first(seen(tmp_path, server, panel("timeseries", "lines", "fails")))
    assert drawn["state"] == "error"
    assert "B: bad_data" in drawn["reason"]
    assert len(drawn["series"]) == 3


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        ({"type": "cloudwatch", "uid": "x"}, "CloudWatch is not asked"),
        ({"type": "loki", "uid": "x"}, "Loki is not asked"),
        ({"uid": "${logs}"}, "Loki is not asked"),
        ("Loki", "Loki is not asked"),
        ({"uid": "-- Dashboard --"}, "the result of another panel"),
        ({"type": "__expr__", "uid": "__expr__"}, "an expression that Grafana computes"),
        ({"type": "jaeger", "uid": "x"}, "--jaeger URL asks one"),
    ],
)
def test_a_source_that_is_not_asked_is_named_with_its_query(
    tmp_path: Path, server: Fake, source: Any, reason: str
) -> None:
    logs = {"name": "logs", "type": "datasource", "query": "loki"}
    target = {"refId": "A", "datasource": source, "expr": '{job="x"} |= "error"'}
    drawn = first(seen(tmp_path, server, panel("timeseries", target), templating={"list": [logs]}))
    assert drawn["state"] == "placeholder"
    assert reason in drawn["reason"]
    assert drawn["queries"][0]["text"] == '{job="x"} |= "error"'


def test_a_sum_of_cloudwatch_is_shown_with_the_hidden_metrics_that_it_is_made_of(
    tmp_path: Path, server: Fake
) -> None:
    source = {"type": "cloudwatch", "uid": "x"}
    metric = {"datasource": source, "id": "m1", "hide": True, "namespace": "AWS/ECS", "metricName": "CPU", "statistic": "Sum", "dimensions": {"Cluster": ["a"]}}  # fmt: skip
    total = {"datasource": source, "id": "e1", "expression": "m1 / 2"}
    drawn = first(seen(tmp_path, server, panel("timeseries", total, metric)))
    assert [one["text"] for one in drawn["queries"]] == ["e1 = m1 / 2", "m1 = Sum AWS/ECS CPU {Cluster=a}"]


@pytest.mark.parametrize("source", [None, {"type": "prometheus", "uid": "x"}, {"uid": "${datasource}"}, "Prometheus", "${DS_MINE}", {"type": "grafana-amazonprometheus-datasource"}])  # fmt: skip
def test_a_prometheus_is_known_however_it_is_named(tmp_path: Path, server: Fake, source: Any) -> None:
    more: dict[str, Any] = {
        "templating": {"list": [{"name": "datasource", "type": "datasource", "query": "prometheus"}]},
        "__inputs": [{"name": "DS_MINE", "type": "datasource", "pluginId": "prometheus"}],
    }
    target = {"refId": "A", "datasource": source, "expr": "lines"}
    assert first(seen(tmp_path, server, panel("timeseries", target), **more))["state"] == "ok"


@pytest.mark.parametrize(
    ("kind", "reason"),
    [
        ("graph", "gone from Grafana 12"),
        ("nodeGraph", "is not drawn"),
        ("logs", "log lines"),
        ("", "is not drawn"),
    ],
)
def test_a_kind_that_is_not_drawn_says_so_and_shows_its_query(
    tmp_path: Path, server: Fake, kind: str, reason: str
) -> None:
    drawn = first(seen(tmp_path, server, panel(kind, "lines")))
    assert (drawn["state"], drawn["queries"][0]["text"]) == ("placeholder", "lines")
    assert reason in drawn["reason"]
    assert server.queries() == []


def test_buckets_lose_what_the_ones_below_them_hold(tmp_path: Path, server: Fake) -> None:
    drawn = first(seen(tmp_path, server, panel("heatmap", query("buckets", format="heatmap"))))
    assert [bucket["label"] for bucket in drawn["buckets"]] == ["0.1", "0.5", "1", "2.5", "+Inf"]
    assert {value for bucket in drawn["buckets"] for value in bucket["values"]} == {10.0}


def test_exemplars_are_points_with_a_link_where_there_is_a_jaeger(tmp_path: Path, server: Fake) -> None:
    graph = panel("timeseries", query("lines", exemplar=True))
    assert first(seen(tmp_path, server, graph))["exemplars"][0]["link"] is None
    (point,) = first(seen(tmp_path, server, graph, wishes=Wishes(jaeger=server.url)))["exemplars"]
    assert (point["value"], point["link"]) == (0.2, f"{server.url}/trace/{TRACE}")


def test_traces_are_rows_that_link(tmp_path: Path, server: Fake) -> None:
    target = {"refId": "A", "datasource": {"type": "jaeger"}, "queryType": "search", "service": "orders-api"}
    drawn = first(seen(tmp_path, server, panel("table", target), wishes=Wishes(jaeger=server.url)))
    assert [column["name"] for column in drawn["columns"]] == [
        "Trace ID",
        "Trace name",
        "Start time",
        "Duration",
    ]
    assert drawn["columns"][3]["config"]["unit"] == "s"
    assert drawn["links"] == {TRACE: f"{server.url}/trace/{TRACE}"}


def test_annotations_are_stretches_or_the_times_that_are_their_values(tmp_path: Path, server: Fake) -> None:
    entries = [
        {"enable": True, "name": "Firing", "expr": "states one", "step": "1m"},
        {
            "enable": True,
            "name": "Starts",
            "expr": "moments",
            "useValueForTime": True,
            "titleFormat": "Started {{job}}",
        },
        {"enable": False, "name": "Off", "expr": "fails"},
        {"enable": True, "name": "Deployments", "datasource": {"uid": "-- Grafana --"}},
    ]
    board = seen(tmp_path, server, annotations={"list": entries}).data["dashboards"][0]
    starts = [mark for mark in board["marks"] if mark["name"] == "Starts"]
    assert [(mark["start"], mark["end"], mark["text"]) for mark in starts] == [
        (starts[0]["end"], starts[0]["start"], "Started")
    ]
    assert any(mark["end"] > mark["start"] for mark in board["marks"] if mark["name"] == "Firing")
    assert board["problems"] == []
    assert board["notes"] == ["annotations 'Deployments': Grafana itself is not asked by a preview"]


def test_more_series_than_can_be_told_apart_are_said(
    tmp_path: Path, server: Fake, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("orders_obs.dashboards.preview.drawing.MOST_SERIES", 2)
    drawn = first(seen(tmp_path, server, panel("timeseries", "lines")))
    assert len(drawn["series"]) == 2
    assert drawn["notes"] == ["2 of 3 series are drawn"]


def test_a_transformation_that_is_not_done_is_a_note_on_the_panel(tmp_path: Path, server: Fake) -> None:
    steps = [{"id": "calculateField", "options": {}}]
    assert (
        "calculateField"
        in first(seen(tmp_path, server, panel("timeseries", "lines", transformations=steps)))["notes"][0]
    )
    assert (
        "calculateField"
        in first(seen(tmp_path, server, panel("table", "lines", transformations=steps)))["notes"][0]
    )


def test_no_more_than_four_panels_are_asked_for_at_once(tmp_path: Path, server: Fake) -> None:
    panels = [panel("timeseries", "slow", y=8 * at) for at in range(10)]
    done = threading.Event()

    def release() -> None:
        # Four wait; were a fifth let through, it would have been here by the time that the last of the four is.
        while server.most_at_once < 4 and not done.is_set():
            done.wait(0.01)
        server.released.set()

    helper = threading.Thread(target=release)
    helper.start()
    try:
        seen(tmp_path, server, *panels)
    finally:
        done.set()
        helper.join()
    assert server.most_at_once == 4


@pytest.mark.parametrize(
    "env", [{TOKEN: "tok-3f9c1e77"}, {USER: "reader", PASSWORD: "pw-3f9c1e77"}], ids=["token", "password"]
)
def test_credentials_are_never_in_the_page(
    tmp_path: Path, server: Fake, monkeypatch: pytest.MonkeyPatch, env: dict[str, str]
) -> None:
    for name, value in env.items():
        monkeypatch.setenv(name, value)
    out = tmp_path / "p.html"
    write_preview(saved(tmp_path, every_kind()), server.url, out, now=NOW)
    assert all("Authorization" in headers for headers in server.headers)
    text = out.read_text()
    assert "3f9c1e77" not in text
    assert "Authorization" not in text


def test_the_page_of_the_same_data_is_the_same(tmp_path: Path, server: Fake) -> None:
    pages = []
    for name in ("a", "b"):
        write_preview(saved(tmp_path, every_kind()), server.url, tmp_path / name, now=NOW)
        pages.append((tmp_path / name).read_bytes())
    assert pages[0] == pages[1]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a", "b", "board.json"]


def test_the_projects_own_dashboards_are_read_and_none_of_their_queries_is_left_with_a_variable(
    tmp_path: Path, server: Fake
) -> None:
    files = sorted((ROOT / "dashboards").glob("*.json"))
    assert files
    found = look(files, server.url, Wishes(jaeger=server.url), now=NOW)
    assert found.failed() == []
    asked = [values["query"] for _, _, values in server.asked if "query" in values]
    assert [expr for expr in asked if "$" in expr.replace('$"', "").replace("$|", "").replace("$)", "")] == []


def test_a_variable_that_no_dashboard_has_is_said(tmp_path: Path, server: Fake) -> None:
    with pytest.raises(UserError, match="--var nobody: no dashboard has this variable"):
        seen(tmp_path, server, wishes=Wishes(values={"nobody": ["x"]}))


def test_a_range_that_ends_before_it_begins_is_refused(tmp_path: Path, server: Fake) -> None:
    with pytest.raises(UserError, match="ends before it begins"):
        seen(tmp_path, server, wishes=Wishes(start="now", end="now-1h"))


def test_what_cannot_be_written_is_a_fault_and_leaves_nothing(tmp_path: Path, server: Fake) -> None:
    (tmp_path / "taken").mkdir()
    with pytest.raises(EnvironmentFault, match="cannot be written"):
        write_preview(saved(tmp_path, dashboard()), server.url, tmp_path / "taken", now=NOW)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["board.json", "taken"]


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Every place in a JSON value but its root."""
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [found for key, below in inner for found in [(*path, key), *places(below, (*path, key))]]


BOARD = every_kind()
WRONG = [None, [], {}, "x", 3, -1.5, True, [None], {"a": None}, [["x"]], "${job}"]


@given(st.lists(st.tuples(st.sampled_from(places(BOARD)), st.sampled_from(WRONG)), min_size=1, max_size=4))
@settings(max_examples=60, deadline=None)
def test_whatever_is_wrong_in_the_json_the_page_is_made_or_the_error_is_the_users(
    changes: list[tuple[tuple[Any, ...], Any]],
) -> None:
    board = copy.deepcopy(BOARD)
    for path, value in changes:
        where = board
        try:
            for key in path[:-1]:
                where = where[key]
            where[path[-1]] = copy.deepcopy(value)
        except (KeyError, IndexError, TypeError):
            continue
    with fake() as server, tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "p.html"
        with contextlib.suppress(UserError):
            write_preview(saved(Path(folder), board), server.url, out, now=NOW)
            assert out.read_text().endswith("</html>\n")


@pytest.mark.parametrize(
    ("defaults", "reason"),
    [
        ({"unit": 3}, "unit is 3"),
        ({"color": {"mode": []}}, "color.mode is []"),
        (
            {"thresholds": {"steps": [{"color": "green", "value": None}, {"color": "red", "value": "high"}]}},
            "a threshold is",
        ),
    ],
)
def test_a_panel_that_cannot_be_read_says_why_and_the_others_are_drawn(
    tmp_path: Path, server: Fake, defaults: dict[str, Any], reason: str
) -> None:
    found = seen(
        tmp_path, server, panel("timeseries", "lines", defaults=defaults), panel("timeseries", "lines", y=8)
    )
    assert [one["state"] for one in found.panels()] == ["error", "ok"]
    assert reason in found.panels()[0]["reason"]


def test_the_base_that_grafanalib_writes_as_a_text_is_a_base(tmp_path: Path, server: Fake) -> None:
    steps = [{"color": "green", "value": "null"}, {"color": "red", "value": 1}]
    drawn = first(
        seen(tmp_path, server, panel("timeseries", "lines", defaults={"thresholds": {"steps": steps}}))
    )
    assert drawn["state"] == "ok"

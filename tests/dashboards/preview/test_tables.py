from __future__ import annotations

from typing import Any

import pytest

from orders_obs.dashboards.preview.prometheus import Answer
from orders_obs.dashboards.preview.tables import Frame, instant_frame, transformed

FRAME = Frame(["Time", "route", "Value"], [[1.0, "/b", 2.0], [1.0, "/a", None], [1.0, "/c", 5.0]], {"Time": "time", "Value": "number"}, "A")  # fmt: skip


def after(step: str, options: dict[str, Any], *frames: Frame) -> Frame:
    (frame, *rest), left_out = transformed(list(frames or (FRAME,)), [{"id": step, "options": options}])
    assert (rest, left_out) == ([], [])
    return frame


def test_an_instant_query_is_a_row_for_each_series() -> None:
    answer = Answer(
        "vector", [{"metric": {"b": "2"}, "value": [7, "1.5"]}, {"metric": {"a": "1"}, "value": [7, "NaN"]}]
    )
    frame = instant_frame(answer, "B", several=True)
    assert frame.columns == ["Time", "a", "b", "Value #B"]
    assert frame.rows == [[7.0, None, "2", 1.5], [7.0, "1", None, None]]
    assert instant_frame(answer, "B", several=False).columns[-1] == "Value"


def test_organize_hides_orders_and_renames() -> None:
    options = {
        "excludeByName": {"Time": True},
        "indexByName": {"Value": 0, "route": 1},
        "renameByName": {"Value": "Errors"},
    }
    frame = after("organize", options)
    assert frame.columns == ["Errors", "route"]
    assert frame.rows[0] == [2.0, "/b"]
    assert frame.kind("Errors") == "number"


@pytest.mark.parametrize(("desc", "routes"), [(True, ["/c", "/b", "/a"]), (False, ["/a", "/b", "/c"])])
def test_sort_puts_what_is_missing_at_the_small_end(desc: bool, routes: list[str]) -> None:
    frame = after("sortBy", {"sort": [{"field": "Value", "desc": desc}]})
    assert [row[1] for row in frame.rows] == routes


@pytest.mark.parametrize(
    ("options", "columns"),
    [
        ({"include": {"names": ["route"]}}, ["route"]),
        ({"include": {"pattern": "/Val|Ti/"}}, ["Time", "Value"]),
        ({"exclude": {"names": ["Time"]}}, ["route", "Value"]),
    ],
)
def test_columns_are_filtered_by_name(options: dict[str, Any], columns: list[str]) -> None:
    assert after("filterFieldsByName", options).columns == columns


@pytest.mark.parametrize(
    ("test", "routes"),
    [
        ({"id": "greater", "options": {"value": 2}}, ["/c"]),
        ({"id": "greaterOrEqual", "options": {"value": "2"}}, ["/b", "/c"]),
        ({"id": "lower", "options": {"value": 3}}, ["/b"]),
        ({"id": "between", "options": {"from": 1, "to": 3}}, ["/b"]),
        ({"id": "equal", "options": {"value": "5"}}, ["/c"]),
        ({"id": "notEqual", "options": {"value": 5}}, ["/b", "/a"]),
        ({"id": "isNull"}, ["/a"]),
        ({"id": "isNotNull"}, ["/b", "/c"]),
    ],
)
def test_rows_are_filtered_by_value(test: dict[str, Any], routes: list[str]) -> None:
    rule = {"fieldName": "Value", "config": test}
    assert [
        row[1] for row in after("filterByValue", {"type": "include", "match": "any", "filters": [rule]}).rows
    ] == routes


def test_merge_makes_one_row_of_what_agrees() -> None:
    other = Frame(["Time", "route", "Value #B"], [[1.0, "/a", 9.0]], {"Value #B": "number"}, "B")
    frame = after("merge", {}, FRAME, other)
    assert frame.columns == ["Time", "route", "Value", "Value #B"]
    assert frame.rows[1] == [1.0, "/a", None, 9.0]


def test_a_join_is_by_its_column_and_numbers_what_has_the_same_name() -> None:
    other = Frame(["Time", "route", "Value"], [[1.0, "/a", 9.0]], {"Value": "number"}, "B")
    frame = after("joinByField", {"byField": "route", "mode": "inner"}, FRAME, other)
    assert frame.columns == ["route", "Time", "Value", "Time 2", "Value 2"]
    assert frame.rows == [["/a", 1.0, None, 1.0, 9.0]]


def test_reduce_is_a_row_for_each_column_of_numbers() -> None:
    frame = after("reduce", {"reducers": ["max", "lastNotNull"]})
    assert frame.rows == [["Value", 5.0, 2.0]]


def test_limit_and_rename_by_pattern() -> None:
    assert len(after("limit", {"limitField": 2}).rows) == 2
    assert after("renameByRegex", {"regex": "(.*)ue", "renamePattern": "$1ve"}).columns == [
        "Time",
        "route",
        "Valve",
    ]


def test_a_transformation_that_is_not_done_is_said_and_one_that_is_off_is_not() -> None:
    frames, left_out = transformed([FRAME], [{"id": "groupBy"}, {"id": "histogram", "disabled": True}])
    assert (frames, left_out) == ([FRAME], ["groupBy"])

from __future__ import annotations

from typing import Any

import pytest

from orders_obs.dashboards.preview.fields import config_of, shown_name
from orders_obs.dashboards.preview.prometheus import Answer
from orders_obs.dashboards.preview.series import calculate, of_matrix


def matrix(*metrics: dict[str, str], values: list[list[Any]] | None = None) -> Answer:
    return Answer("matrix", [{"metric": metric, "values": values or [[0, "1"]]} for metric in metrics])


def names(answer: Answer, **target: str) -> list[str]:
    return [one.name for one in of_matrix(answer, {"expr": "sum(x)", **target}, [0])]


@pytest.mark.parametrize(
    ("metrics", "legend", "expected"),
    [
        ([{"route": "/a", "job": "x"}], "{{route}} of {{ job }}", ["/a of x"]),
        ([{"route": "/a"}], "{{absent}}", ['{route="/a"}']),
        ([{}], "{{absent}}", ["Value"]),
        ([{}], "__auto", ["sum(x)"]),
        ([{"route": "/a"}, {"route": "/b"}], "__auto", ["/a", "/b"]),
        ([{"route": "/a"}], "__auto", ['{route="/a"}']),
        ([{"__name__": "m", "a": "1", "b": "2"}], "", ['m{a="1", b="2"}']),
    ],
)
def test_a_series_is_named_as_grafana_names_it(
    metrics: list[dict[str, str]], legend: str, expected: list[str]
) -> None:
    assert names(matrix(*metrics), legendFormat=legend) == expected


def test_what_is_no_number_and_what_is_missing_are_gaps() -> None:
    answer = matrix({}, values=[[0, "1"], [30, "NaN"], [45, "+Inf"], [60, "2.5"]])
    (found,) = of_matrix(answer, {}, [0, 15, 30, 45, 60])
    assert found.values == [1, None, None, None, 2.5]


# What `reduceField` of Grafana's own package `@grafana/data` 13.2.3 gives.
REDUCED: list[tuple[list[float | None], dict[str, float | None]]] = [
    (
        [1.0, 3.0, 2.0, 4.0, None],
        {
            "sum": 10, "max": 4, "min": 1, "logmin": 1, "mean": 2.5, "last": None, "first": 1, "lastNotNull": 4,
            "firstNotNull": 1, "count": 4, "countAll": 5, "allIsNull": 0, "allIsZero": 0, "range": 3, "diff": 3, "delta": 2,
            "step": -1, "diffperc": 300, "median": 2.5, "variance": 1.25, "stdDev": 1.118033988749895, "changeCount": 3,
            "distinctCount": 4, "p16": 1, "p17": 2, "p50": 3, "p83": 3, "p84": 4, "p99": 4, "unheard": None,
        },
    ),
    (
        [None, 5.0, 5.0, 0.0, 2.5, 7.0],
        {
            "sum": 19.5, "max": 7, "min": 0, "logmin": 2.5, "mean": 3.9, "last": 7, "first": None, "lastNotNull": 7,
            "firstNotNull": 5, "count": 5, "countAll": 6, "allIsNull": 0, "allIsZero": 0, "range": 7, "diff": 2, "delta": 4.5,
            "step": -5, "diffperc": 40, "median": 5, "variance": 5.84, "stdDev": 2.416609194718914, "changeCount": 3,
            "distinctCount": 4, "p12": 0, "p13": 2.5, "p37": 2.5, "p38": 5, "p87": 5, "p88": 7,
        },
    ),
]  # fmt: skip


@pytest.mark.parametrize(("values", "expected"), REDUCED)
def test_a_legend_computes_what_grafana_computes(
    values: list[float | None], expected: dict[str, float | None]
) -> None:
    got = {name: calculate(name, values) for name in expected}
    assert got == {name: None if value is None else pytest.approx(value) for name, value in expected.items()}


@pytest.mark.parametrize(
    "name", ["lastNotNull", "min", "mean", "p50", "delta", "diffperc", "stdDev", "logmin"]
)
def test_of_nothing_nothing_is_computed(name: str) -> None:
    assert calculate(name, [None, None]) is None
    assert calculate(name, []) is None


def overridden(matcher: str, options: Any, name: str = "errors", **more: Any) -> Any:
    override = {"matcher": {"id": matcher, "options": options}, "properties": [{"id": "unit", "value": "ms"}, {"id": "custom.axisPlacement", "value": "right"}]}  # fmt: skip
    panel = {
        "fieldConfig": {"defaults": {"unit": "s", "custom": {"fillOpacity": 5}}, "overrides": [override]}
    }
    return config_of(panel, name, **more)


@pytest.mark.parametrize(
    ("matcher", "options", "more"),
    [
        ("byName", "errors", {}),
        ("byRegexp", "/^ERR/i", {}),
        ("byRegexp", "err.*", {}),
        ("byNames", {"names": ["errors"]}, {}),
        ("byNames", {"names": ["other"], "mode": "exclude"}, {}),
        ("byFrameRefID", "B", {"ref": "B"}),
        ("byType", "number", {}),
        ("byValue", {"reducer": "max", "op": "gte", "value": 5}, {"values": [1.0, 5.0]}),
    ],
)
def test_an_override_changes_the_field_that_it_matches(
    matcher: str, options: Any, more: dict[str, Any]
) -> None:
    assert overridden(matcher, options, **more) == {
        "unit": "ms",
        "custom": {"fillOpacity": 5, "axisPlacement": "right"},
    }


@pytest.mark.parametrize(
    ("matcher", "options"),
    [
        ("byName", "Errors"),
        ("byRegexp", "rr"),
        ("byRegexp", "/[/"),
        ("byFrameRefID", "A"),
        ("byType", "time"),
        ("other", 1),
    ],
)
def test_an_override_leaves_other_fields_alone(matcher: str, options: Any) -> None:
    assert overridden(matcher, options, ref="B")["unit"] == "s"


def test_a_display_name_may_hold_labels() -> None:
    config = {"displayName": "${__field.labels.route}: ${__field.name}"}
    assert shown_name(config, "m", {"route": "/a"}) == "/a: m"
    assert shown_name({}, "m", {}) == "m"

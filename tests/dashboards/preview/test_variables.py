from __future__ import annotations

from typing import Any

import promql_parser
import pytest
from hypothesis import given
from hypothesis import strategies as st

from orders_obs.dashboards.preview.interpolate import Value, fill
from orders_obs.dashboards.preview.prometheus import Api
from orders_obs.dashboards.preview.times import Range
from orders_obs.dashboards.preview.variables import Variables, macros, resolve
from orders_obs.errors import UserError
from tests.dashboards.preview.fake import Fake

SPAN = Range(1000, 4600)
ONE = Value(("a.b",), text="A")
TWO = Value(("a.b", "c|d"), text="A + C", many=True)


def variable(kind: str = "query", **more: Any) -> dict[str, Any]:
    return {"name": "job", "type": kind, "query": "label_values(up, job)", **more}


def resolved(server: Fake, *entries: dict[str, Any], **given_values: list[str]) -> Variables:
    return resolve({"templating": {"list": list(entries)}}, given_values, Api(server.url), SPAN)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('up{job=~"$two"}', 'up{job=~"(a\\\\.b|c\\\\|d)"}'),
        ('up{job=~"${two}"}', 'up{job=~"(a\\\\.b|c\\\\|d)"}'),
        ('up{job=~"[[two]]"}', 'up{job=~"(a\\\\.b|c\\\\|d)"}'),
        ('up{job="$one"}', 'up{job="a.b"}'),
        ("${two:regex}", "(a\\.b|c\\|d)"),
        ("${two:pipe}", "a.b|c|d"),
        ("${two:csv}", "a.b,c|d"),
        ("${two:glob}", "{a.b,c|d}"),
        ("${two:json}", '["a.b", "c|d"]'),
        ("${two:doublequote}", '"a.b","c|d"'),
        ("${two:text} ${two.text}", "A + C A + C"),
        ("$twofold $unknown $", "$twofold $unknown $"),
        ("rate(x[$__rate_interval]) / $__range_s", "rate(x[60s]) / 3600"),
        ("$__interval ${__interval_ms} $__range", "15s 15000 3600s"),
        ("$__from $__to", "1000000 4600000"),
    ],
)
def test_a_variable_is_filled_in_as_its_format_asks(text: str, expected: str) -> None:
    values = {"one": ONE, "two": TWO, **macros(SPAN, 15, 15)}
    assert fill(text, values, default="promql") == expected


@given(
    st.lists(
        st.text(st.characters(codec="utf-8", exclude_characters="\n\r"), min_size=1), min_size=1, max_size=3
    )
)
def test_no_value_of_a_variable_of_several_breaks_out_of_its_string(values: list[str]) -> None:
    clean = tuple(value.replace('"', "") for value in values)
    expr = fill('up{job=~"$v"}', {"v": Value(clean, many=True)}, default="promql")
    # Prometheus's own parser wants a pattern; what it finds is one matcher.
    parsed: Any = promql_parser.parse(expr)
    assert len(parsed.matchers.matchers) == 1


@given(st.text(st.characters(codec="utf-8", exclude_characters="\n\r")))
def test_no_single_value_breaks_out_of_its_string(value: str) -> None:
    expr = fill('up{job="$v"}', {"v": Value((value,))}, default="promql")
    parsed: Any = promql_parser.parse(expr)
    (matcher,) = parsed.matchers.matchers
    assert matcher.value == value


def test_the_value_that_a_dashboard_was_saved_with_is_taken(server: Fake) -> None:
    found = resolved(server, variable(current={"value": ["orders-api"]}, multi=True))
    assert found.values["job"] == Value(("orders-api",), text="orders-api", many=True)
    assert server.asked == []


def test_a_given_value_takes_the_place_of_the_saved_one(server: Fake) -> None:
    found = resolved(server, variable(current={"value": "a"}, multi=True), job=["b", "c"])
    assert found.values["job"].values == ("b", "c")


def test_without_a_saved_value_prometheus_is_asked_and_the_first_one_taken(server: Fake) -> None:
    found = resolved(server, variable())
    assert found.values["job"].values == ("orders-api",)
    assert [(path, asked["match[]"]) for _, path, asked in server.asked] == [
        ("/api/v1/label/job/values", "up")
    ]


def test_all_is_every_value_that_prometheus_has(server: Fake) -> None:
    found = resolved(
        server, variable(includeAll=True, multi=True, current={"value": ["$__all"], "text": ["All"]})
    )
    assert found.values["job"].values == ("orders-api", "payments-api")
    assert found.shown == [("job", "All")]


def test_all_is_the_variables_own_value_for_it_where_it_has_one(server: Fake) -> None:
    found = resolved(server, variable(includeAll=True, allValue=".+", current={"value": "$__all"}))
    assert fill('"$job"', found.values, default="promql") == '".+"'


def test_a_regex_takes_what_matches_and_its_group(server: Fake) -> None:
    found = resolved(server, variable(includeAll=True, regex="/^(?<value>\\w+)-api$/", sort=2))
    assert found.values["job"].values == ("payments", "orders")


def test_a_variable_made_of_another_comes_after_it_whatever_the_order(server: Fake) -> None:
    route = variable(name="route", query='label_values(http{job=~"$job"}, route)')
    resolved(server, route, variable(current={"value": "orders-api"}))
    assert server.asked[-1][2]["match[]"] == 'http{job=~"orders-api"}'


@pytest.mark.parametrize(
    ("entry", "expected"),
    [
        (variable("custom", query="Label : value, b"), "value"),
        (variable("custom", query="a\\,b,c"), "a,b"),
        (variable("constant", query="fixed"), "fixed"),
        (variable("textbox", query="typed"), "typed"),
        (variable("interval", query="1m,5m", current={"value": "5m"}), "5m"),
        (
            variable("interval", query="1m,5m", current={"value": "$__auto_interval_job"}, auto_count=36),
            "100s",
        ),
        (variable(query={"query": "label_names()", "refId": "x"}), "instance"),
        (variable(query="metrics(pay)"), "payments-api"),
        (variable(query="query_result(one)"), "one{} 0.3 4600000"),
    ],
)
def test_each_kind_of_variable_has_its_value(server: Fake, entry: dict[str, Any], expected: str) -> None:
    found = resolved(server, entry)
    assert found.values["job"].values[0] == expected
    assert found.problems == []


def test_a_query_that_fails_is_said_and_the_rest_goes_on(server: Fake) -> None:
    found = resolved(server, variable(query="query_result(fails)"), variable("constant", name="b", query="2"))
    assert "variable job: bad_data" in found.problems[0]
    assert found.values["b"].values == ("2",)


def test_variables_in_a_circle_end(server: Fake) -> None:
    one = variable(name="a", query="label_values(x{b='$b'}, l)")
    other = variable(name="b", query="label_values(x{a='$a'}, l)")
    assert set(resolved(server, one, other).values) >= {"a", "b"}


def test_two_values_for_a_variable_of_one_are_refused(server: Fake) -> None:
    with pytest.raises(UserError, match="takes one value"):
        resolved(server, variable(), job=["a", "b"])


def test_ad_hoc_filters_are_said_to_be_left_out(server: Fake) -> None:
    found = resolved(server, variable("adhoc", filters=[{"key": "a", "operator": "=", "value": "b"}]))
    assert found.notes == ["variable job: ad hoc filters are not applied"]

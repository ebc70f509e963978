"""Orders that follow from what composite alarms depend on."""

from __future__ import annotations

import os
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orders_obs.aws.composites import children, cycle, parents_first
from orders_obs.aws.things import Thing
from tests.aws.fake.alarm_rule import parse

settings.register_profile("ci", derandomize=True)
settings.load_profile("ci" if os.environ.get("CI") else "default")
NAMES = ("a", "b-c", "d.e", "f/g", "h i", "ALARM", "x,y")


@pytest.mark.parametrize(
    ("rule", "found"),
    [
        ('ALARM("a")', {"a"}),
        ("ALARM(a)", {"a"}),
        ("OK( b-c ) AND NOT (INSUFFICIENT_DATA(\"d.e\"))", {"b-c", "d.e"}),
        ('ALARM("h i") OR ALARM(a)', {"h i", "a"}),
        ('ALARM("arn:aws:cloudwatch:eu-west-1:111122223333:alarm:a")', {"a"}),
        ("AT_LEAST(2, ALARM, (a, \"b-c\", d.e))", {"a", "b-c", "d.e"}),
        ("AT_LEAST(50%, NOT OK, (a, b-c)) OR ALARM(f/g)", {"a", "b-c", "f/g"}),
        ('ALARM("OK(not-one)")', {"OK(not-one)"}),
        ("TRUE", set()),
        ("NOT FALSE", set()),
        ("", set()),
    ],
)  # fmt: skip
def test_the_names_in_a_rule_are_read(rule: str, found: set[str]) -> None:
    assert children({"AlarmRule": rule}) == found


def test_an_alarm_depends_on_its_suppressor_too() -> None:
    assert children(
        {"AlarmRule": "ALARM(a)", "ActionsSuppressor": "arn:aws:cloudwatch:eu-west-1:1:alarm:s"}
    ) == {"a", "s"}


@st.composite
def rules(draw: st.DrawFn, depth: int = 2) -> str:
    if depth == 0 or draw(st.booleans()):
        name = draw(st.sampled_from(NAMES))
        quoted = f'"{name}"' if " " in name or "," in name or draw(st.booleans()) else name
        space = draw(st.sampled_from(["", " "]))
        if draw(st.integers(0, 4)) == 0:
            return f'AT_LEAST({draw(st.sampled_from(["1", "50%"]))}, {draw(st.sampled_from(["ALARM", "NOT OK"]))}, ({quoted}, "a"))'
        state = draw(st.sampled_from(["ALARM", "OK", "INSUFFICIENT_DATA"]))
        return f"{state}({space}{quoted}{space})"
    left, right = draw(rules(depth - 1)), draw(rules(depth - 1))
    return draw(st.sampled_from([f"{left} AND {right}", f"({left}) OR NOT ({right})", f"NOT {left}"]))


@settings(max_examples=200, deadline=None)
@given(rules())
def test_what_is_read_is_what_a_parser_of_the_grammar_reads(rule: str) -> None:
    assert children({"AlarmRule": rule}) == set(parse(rule).children)


def composite(name: str, *needs: str) -> Thing:
    rule = " OR ".join(f'ALARM("{need}")' for need in needs) or "FALSE"
    return Thing("composite-alarm", name, {"AlarmRule": rule})


graphs = st.lists(
    st.tuples(st.integers(0, 6), st.lists(st.integers(0, 8), max_size=3)), max_size=7, unique_by=lambda pair: pair[0]
)  # fmt: skip


@settings(max_examples=300, deadline=None)
@given(graphs)
def test_none_comes_after_one_that_it_depends_on_unless_it_is_cut(graph: list[tuple[int, list[int]]]) -> None:
    things = [composite(f"n{name}", *(f"n{need}" for need in needs)) for name, needs in graph]
    order, cut = parents_first(things)
    assert sorted(thing.name for thing in order) == sorted(thing.name for thing in things)
    turns = {thing.name: turn for turn, thing in enumerate(order)}
    for thing in things:
        if thing not in cut:
            assert all(
                turns[thing.name] <= turns[child] for child in children(thing.settings) if child in turns
            )
    # Nothing is cut that is in no circle.
    circles = cycle({thing.name: thing.settings for thing in things})
    assert bool(cut) == bool(circles)
    assert {thing.name for thing in cut} <= set(circles)


@settings(max_examples=300, deadline=None)
@given(graphs)
def test_a_circle_is_seen_exactly_where_a_walk_comes_back(graph: list[tuple[int, list[int]]]) -> None:
    needs: dict[str, Any] = {f"n{name}": {f"n{need}" for need in wanted} for name, wanted in graph}

    def comes_back(start: str) -> bool:
        seen: set[str] = set()
        open_ = [start]
        while open_:
            for child in needs.get(open_.pop(), ()):
                if child == start:
                    return True
                if child not in seen:
                    seen.add(child)
                    open_.append(child)
        return False

    found = cycle({name: composite(name, *wanted).settings for name, wanted in needs.items()})
    in_circles = {name for name in needs if comes_back(name)}
    assert bool(found) == bool(in_circles)
    assert in_circles <= set(found)

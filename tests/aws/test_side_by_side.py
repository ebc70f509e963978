"""The arithmetic of a comparison, over random histories: minutes, firings, and which belong together."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from orders_obs.aws.alarm_history import Past, Span, Timeline, _Entry, timeline
from orders_obs.aws.compare import Comparison, Firing, pair, side_by_side

BORN = datetime(2026, 1, 1, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
_LINE = st.lists(
    st.tuples(st.integers(1, 40), st.sampled_from(["OK", "ALARM", "INSUFFICIENT_DATA", "UNKNOWN", "ABSENT"])),
    min_size=1, max_size=14,
)  # fmt: skip


@settings(deadline=None)
@given(_LINE, _LINE, st.integers(0, 25))
def test_every_firing_minute_is_counted_exactly_once(
    one: list[tuple[int, str]], other: list[tuple[int, str]], tolerance: int
) -> None:
    def lengthened(line: list[tuple[int, str]], length: int) -> list[tuple[int, str]]:
        lacking = length - sum(minutes for minutes, _ in line)
        return [*line, (lacking, line[-1][1])] if lacking else line

    length = max(sum(n for n, _ in one), sum(n for n, _ in other))
    lines, by_minute = [], []
    for line in (lengthened(one, length), lengthened(other, length)):
        by_minute.append([state for n, state in line for _ in range(n)])
        lines.append(as_timeline(by_minute[-1]))
    check(side_by_side(lines[0], lines[1], tolerance * MINUTE), *by_minute)


@settings(deadline=None)
@given(
    st.lists(
        st.tuples(st.integers(1, 40), st.sampled_from(["OK", "ALARM", "INSUFFICIENT_DATA"])), min_size=1
    ),
    st.integers(0, 60),
)
def test_a_history_says_the_state_of_every_minute_also_before_its_first_entry(
    line: list[tuple[int, str]], kept_from: int
) -> None:
    minutes = [state for length, state in line for _ in range(length)]
    changes = [n for n, (a, b) in enumerate(pairwise(minutes), 1) if a != b]
    items = [
        _Entry(BORN + n * MINUTE, "state", minutes[n - 1], minutes[n]) for n in changes if n >= kept_from
    ]
    now = {
        "StateValue": minutes[-1],
        "StateTransitionedTimestamp": BORN + (changes[-1] if changes else 0) * MINUTE,
        "ActionsEnabled": True,
    }
    start = min(kept_from, len(minutes) - 1)
    found = timeline(Past("x", tuple(items), now), BORN + start * MINUTE, BORN + len(minutes) * MINUTE)
    said = [span.state for span in found.spans for _ in range((span.end - span.begin) // MINUTE)]
    assert said == minutes[start:]


def as_timeline(minutes: list[str]) -> Timeline:
    edges = [0, *(n for n, (a, b) in enumerate(pairwise(minutes), 1) if a != b), len(minutes)]
    spans = [Span(BORN + a * MINUTE, BORN + b * MINUTE, minutes[a]) for a, b in pairwise(edges)]
    return Timeline("x", tuple(spans), minutes[-1], actions=True, created=None)


def check(found: Comparison, old: list[str], new: list[str]) -> None:
    pairs = list(zip(old, new, strict=True))
    seen = [both for both in pairs if not {"UNKNOWN", "ABSENT"} & set(both)]
    assert found.compared == len(seen) * MINUTE
    assert found.both == seen.count(("ALARM", "ALARM")) * MINUTE
    assert found.only_old == sum(a == "ALARM" != b for a, b in seen) * MINUTE
    assert found.only_new == sum(a != "ALARM" == b for a, b in seen) * MINUTE
    assert found.blind_new == sum(b == "INSUFFICIENT_DATA" for _, b in seen) * MINUTE
    for minutes, side in ((old, "old"), (new, "new")):
        counted = [
            number
            for episode in found.episodes
            for each in getattr(episode, side)
            for number in range((each.begin - BORN) // MINUTE, (each.end - BORN) // MINUTE)
        ]
        assert sorted(counted) == [number for number, state in enumerate(minutes) if state == "ALARM"]


_FIRINGS = st.lists(st.tuples(st.integers(1, 30), st.integers(1, 30)), max_size=12)


def firings(gaps: list[tuple[int, int]]) -> list[Firing]:
    moment, made = BORN, []
    for gap, length in gaps:
        begin = moment + gap * MINUTE
        moment = begin + length * MINUTE
        made.append(Firing(begin, moment))
    return made


@settings(deadline=None)
@given(_FIRINGS, _FIRINGS, st.integers(0, 25))
def test_firings_belong_together_exactly_where_they_are_near(
    one: list[tuple[int, int]], other: list[tuple[int, int]], tolerance: int
) -> None:
    old, new, apart = firings(one), firings(other), tolerance * MINUTE
    episodes = pair(old, new, apart)
    for side, every in (("old", old), ("new", new)):
        assert sorted((f for e in episodes for f in getattr(e, side)), key=lambda f: f.begin) == every
    place = {
        (side, f.begin): n
        for n, e in enumerate(episodes)
        for side in ("old", "new")
        for f in getattr(e, side)
    }
    near = {
        (a.begin, b.begin) for a in old for b in new if a.begin - apart <= b.end and b.begin - apart <= a.end
    }
    assert all(place["old", a] == place["new", b] for a, b in near)
    for a in old:
        assert (episodes[place["old", a.begin]].kind == "both") == any(x == a.begin for x, _ in near)
    for b in new:
        assert (episodes[place["new", b.begin]].kind == "both") == any(x == b.begin for _, x in near)
    for episode in episodes:  # and nothing is together that no chain joins
        for before, after in pairwise(sorted((*episode.old, *episode.new), key=lambda f: (f.begin, f.end))):
            assert after.begin - before.end <= apart or any(
                f.end >= after.begin - apart
                for f in (*episode.old, *episode.new)
                if f.begin <= after.begin and f is not after
            )

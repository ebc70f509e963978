"""Two alarms side by side: when each fired, which firings belong together, and whether the new one missed any of the old one's."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from dataclasses import dataclass
from datetime import timedelta
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Literal

from orders_obs.aws.alarm_history import ABSENT, PROMISED_DAYS, UNKNOWN, timeline

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from orders_obs.aws.alarm_history import Past, Timeline

__all__ = ["TOLERANCE", "Comparison", "Episode", "Firing", "Kind", "compare", "pair", "side_by_side"]

Kind = Literal["both", "only old", "only new", "too short", "not compared"]
TOLERANCE = timedelta(minutes=10)
"""Time by which one alarm may be later than the other: samples and periods of some minutes make that much."""
_NOTHING = timedelta()
_ALARM = "ALARM"


@dataclass(frozen=True, slots=True)
class Firing:
    """A time in which an alarm was in ALARM.

    Attributes:
        begin: Its beginning.
        end: Its end.
        begun: Whether it began there; else it had begun before one could look.
        ended: Whether it ended there; else it went on, or one cannot look further.
        reason: Why CloudWatch says it fired.
    """

    begin: datetime
    end: datetime
    begun: bool = True
    ended: bool = True
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Episode:
    """Firings that belong together.

    Attributes:
        kind: Which of the two fired. `too short`: one did, so near to where one can look no further that the other may still have
            come or gone. `not compared`: one did while of the other nothing is known.
        old: Those of the old alarm, in order.
        new: Those of the new alarm, in order.
        meanwhile: States in which the other alarm was while only one fired.
    """

    kind: Kind
    old: tuple[Firing, ...] = ()
    new: tuple[Firing, ...] = ()
    meanwhile: tuple[str, ...] = ()

    @property
    def begin(self) -> datetime:
        """When the first one began."""
        return min(firing.begin for firing in (*self.old, *self.new))

    @property
    def end(self) -> datetime:
        """When the last one ended."""
        return max(firing.end for firing in (*self.old, *self.new))

    @property
    def later_at_begin(self) -> timedelta | None:
        """How much later than the old one the new one began; negative where it was earlier, None where that cannot be said."""
        if self.kind != "both" or not (self.old[0].begun and self.new[0].begun):
            return None
        return self.new[0].begin - self.old[0].begin

    @property
    def later_at_end(self) -> timedelta | None:
        """How much later than the old one the new one ended."""
        if self.kind != "both" or not (self.old[-1].ended and self.new[-1].ended):
            return None
        return self.new[-1].end - self.old[-1].end

    @property
    def reason(self) -> str:
        """Why the first one fired."""
        return next((firing.reason for firing in (*self.old, *self.new) if firing.reason), "")


@dataclass(frozen=True, slots=True)
class Comparison:
    """What two alarms did over the same time.

    Attributes:
        old: The old alarm.
        new: The new alarm.
        start: From when on the history was looked at.
        until: To when.
        comparable: The times of which both alarms' states are known.
        episodes: All firings, each in one, by time.
        tolerance: By how much one may be later than the other.
        both: How long both fired, of the comparable time, as the next ones.
        only_old: How long only the old one did.
        only_new: How long only the new one did.
        blind_old: How long the old one was in INSUFFICIENT_DATA.
        blind_new: How long the new one was.
        flaps_old: How often the old one fired again within the tolerance.
        flaps_new: How often the new one did.
    """

    old: Timeline
    new: Timeline
    start: datetime
    until: datetime
    comparable: tuple[tuple[datetime, datetime], ...]
    episodes: tuple[Episode, ...]
    tolerance: timedelta
    both: timedelta
    only_old: timedelta
    only_new: timedelta
    blind_old: timedelta
    blind_new: timedelta
    flaps_old: int
    flaps_new: int

    @property
    def compared(self) -> timedelta:
        """For how long both could be looked at."""
        return sum((end - begin for begin, end in self.comparable), _NOTHING)

    @property
    def since(self) -> datetime | None:
        """From when on it says anything."""
        return self.comparable[0][0] if self.comparable else None

    @property
    def share(self) -> float | None:
        """Of the time that the old one fired, the share in which the new one did too; None where it did not fire."""
        fired = self.both + self.only_old
        return self.both / fired if fired else None

    @property
    def met(self) -> int:
        """Firings of the old one that the new one fired with."""
        return sum(len(episode.old) for episode in self.episodes if episode.kind == "both")

    @property
    def missed(self) -> tuple[Episode, ...]:
        """Firings of the old one without the new one."""
        return tuple(episode for episode in self.episodes if episode.kind == "only old")

    @property
    def alone(self) -> tuple[Episode, ...]:
        """Firings of the new one without the old one."""
        return tuple(episode for episode in self.episodes if episode.kind == "only new")

    @property
    def unknown(self) -> timedelta:
        """How long both alarms may have existed, and the state of one is not known any more."""
        lost = _NOTHING
        for begin, end, old, new in _together(self.old, self.new):
            if UNKNOWN in (old, new) and ABSENT not in (old, new):
                lost += end - begin
        return lost

    @property
    def outcome(self) -> str:
        """`missed`, `met`, `alone` (only the new one fired), `quiet` (neither did) or `nothing` (there is no time to compare)."""
        if self.missed:
            return "missed"
        if not self.comparable:
            return "nothing"
        return "met" if self.met else "alone" if self.alone else "quiet"

    def verdict(self) -> str:
        """The outcome in a sentence or two, no better than it is."""
        met, alone = self.met, len(self.alone)
        fired = met + len(self.missed)
        text = {
            "missed": "missed: the old one fired once, and the new one did not"
            if fired == 1
            else f"missed: the old one fired {fired} times, {len(self.missed)} of them without the new one",
            "nothing": "there is no time of which both alarms' states are known: this says nothing yet",
            "met": f"the new one fired whenever the old one did, {_times(met)}",
            "alone": f"the old one did not fire in these days, and the new one did, {_times(alone)}: this does not say yet that it"
            " finds what the old one finds",
            "quiet": "nothing fired in these days: this says nothing yet",
        }[self.outcome]
        if alone and self.outcome in ("missed", "met"):
            text += f"; alone it fired {_times(alone)}"
        if self.outcome in ("missed", "met") and self.only_new > self.both + self.only_old:
            text += "; it fired longer without the old one than the old one did at all"
        if self.unknown:
            text += (
                f"; of {self.unknown // timedelta(minutes=1)} minutes the state of one of them is not known"
            )
        return text

    def as_data(self) -> dict[str, Any]:
        """For JSON; times in UTC, lengths in minutes."""
        return {
            "outcome": self.outcome,
            "verdict": self.verdict(),
            "from": _iso(self.start),
            "until": _iso(self.until),
            "compared_since": _iso(self.since),
            "compared_minutes": _minutes(self.compared),
            "tolerance_minutes": _minutes(self.tolerance),
            "old": _side(self.old, self.blind_old, self.flaps_old),
            "new": _side(self.new, self.blind_new, self.flaps_new),
            "minutes": {
                "both": _minutes(self.both),
                "only_old": _minutes(self.only_old),
                "only_new": _minutes(self.only_new),
                "unknown": _minutes(self.unknown),
            },
            "covered_share": self.share,
            "firings": {"met": self.met, "missed": len(self.missed), "only_new": len(self.alone)},
            "episodes": [_row(episode) for episode in self.episodes],
        }


def compare(
    old: Past, new: Past, start: datetime, now: datetime, tolerance: timedelta = TOLERANCE
) -> Comparison:
    """What two alarms did over the same time.

    Args:
        old: What AWS says of the old alarm.
        new: And of the new one.
        start: From when on.
        now: The end; what the history has of later, by a clock that is ahead of this one, moves it.
        tolerance: By how much one may be later than the other.
    """
    pasts = (old, new)
    # What is older than is promised may be gone already, unless something as old is still there.
    oldest = min((past.first for past in pasts if past.first), default=now)
    start = max(start, min(now - timedelta(days=PROMISED_DAYS), oldest))
    start = max(start, *(past.first for past in pasts if past.cut and past.first), start)
    until = max(now, *(past.last for past in pasts if past.last), now)
    return side_by_side(timeline(old, start, until), timeline(new, start, until), tolerance)


def side_by_side(old: Timeline, new: Timeline, tolerance: timedelta = TOLERANCE) -> Comparison:
    """What two alarms did whose states are known.

    Args:
        old: The old alarm.
        new: The new alarm, over the same time.
        tolerance: By how much one may be later than the other.
    """
    lines = old, new
    start, until = old.spans[0].begin, old.spans[-1].end
    known = (UNKNOWN, ABSENT)
    comparable: list[tuple[datetime, datetime]] = []
    lengths = dict.fromkeys(("both", "old", "new", "blind_old", "blind_new"), _NOTHING)
    for begin, end, *states in _together(*lines):
        if any(state in known for state in states):
            continue
        if comparable and comparable[-1][1] == begin:
            comparable[-1] = (comparable[-1][0], end)
        else:
            comparable.append((begin, end))
        firing = [state == _ALARM for state in states]
        if any(firing):
            lengths["both" if all(firing) else "old" if firing[0] else "new"] += end - begin
        for name, state in zip(("blind_old", "blind_new"), states, strict=True):
            if state == "INSUFFICIENT_DATA":
                lengths[name] += end - begin
    fired = [_firings(line, comparable, until) for line in lines]
    aside = [_firings(line, _outside(comparable, start, until), until) for line in lines]
    episodes = pair(fired[0], fired[1], tolerance)
    episodes += [Episode("not compared", old=(firing,)) for firing in aside[0]]
    episodes += [Episode("not compared", new=(firing,)) for firing in aside[1]]
    episodes = [_with_other(episode, *lines) for episode in episodes]
    return Comparison(
        *lines,
        start,
        until,
        tuple(comparable),
        tuple(sorted(episodes, key=lambda episode: (episode.begin, episode.end, episode.kind))),
        tolerance,
        lengths["both"],
        lengths["old"],
        lengths["new"],
        lengths["blind_old"],
        lengths["blind_new"],
        *(_flaps(firings, tolerance) for firings in fired),
    )


def pair(old: Sequence[Firing], new: Sequence[Firing], tolerance: timedelta = TOLERANCE) -> list[Episode]:
    """Put firings together that overlap, or would if one alarm were a little earlier or later.

    Args:
        old: Of the old alarm, by time, apart from each other.
        new: Of the new alarm, likewise.
        tolerance: By how much they may be apart.

    Returns:
        Episodes; each firing is in exactly one.
    """
    begins = [firing.begin for firing in new]
    ends = [firing.end for firing in new]
    episodes: list[Episode] = []
    group: list[Firing] = []
    first = last = 0
    """Of `new`, those that belong to the group."""
    taken = 0
    for firing in old:
        low = bisect_left(ends, firing.begin - tolerance)
        high = bisect_right(begins, firing.end + tolerance)
        if low >= high:
            episodes.append(Episode(_alone("only old", firing, tolerance), old=(firing,)))
            continue
        if group and low < last:
            group.append(firing)
            last = max(last, high)
        else:
            if group:
                episodes.append(Episode("both", tuple(group), tuple(new[first:last])))
            episodes += _news(new[taken:low], tolerance)
            group, first, last = [firing], low, high
        taken = last
    if group:
        episodes.append(Episode("both", tuple(group), tuple(new[first:last])))
    return episodes + _news(new[taken:], tolerance)


def _news(firings: Sequence[Firing], tolerance: timedelta) -> list[Episode]:
    return [Episode(_alone("only new", firing, tolerance), new=(firing,)) for firing in firings]


def _alone(kind: Kind, firing: Firing, tolerance: timedelta) -> Kind:
    """Whether the other one had time to fire too."""
    whole = firing.begun and firing.ended
    return kind if whole or firing.end - firing.begin > tolerance else "too short"


def _with_other(episode: Episode, old: Timeline, new: Timeline) -> Episode:
    if episode.kind == "both":
        return episode
    line = new if episode.old else old
    states = (span.state for span in line.spans if span.begin < episode.end and span.end > episode.begin)
    return Episode(episode.kind, episode.old, episode.new, tuple(dict.fromkeys(states)))


def _together(old: Timeline, new: Timeline) -> list[tuple[datetime, datetime, str, str]]:
    """Both alarms' states, over stretches in which neither changes."""
    stretches = []
    left, right = 0, 0
    while left < len(old.spans) and right < len(new.spans):
        one, other = old.spans[left], new.spans[right]
        begin, end = max(one.begin, other.begin), min(one.end, other.end)
        if begin < end:
            stretches.append((begin, end, one.state, other.state))
        left += one.end == end
        right += other.end == end
    return stretches


def _outside(
    comparable: Sequence[tuple[datetime, datetime]], start: datetime, until: datetime
) -> list[tuple[datetime, datetime]]:
    edges = [start, *(at for stretch in comparable for at in stretch), until]
    return [(begin, end) for begin, end in zip(edges[::2], edges[1::2], strict=True) if begin < end]


def _firings(line: Timeline, within: Sequence[tuple[datetime, datetime]], until: datetime) -> list[Firing]:
    found = []
    for number, span in enumerate(line.spans):
        if span.state != _ALARM:
            continue
        # What came right after a time of which nothing is known may have begun in it.
        begun = number > 0 and line.spans[number - 1].state != UNKNOWN
        ended = span.end < until and line.spans[number + 1].state != UNKNOWN
        for begin, end in within:
            low, high = max(begin, span.begin), min(end, span.end)
            if low < high:
                found.append(
                    Firing(low, high, begun and low == span.begin, ended and high == span.end, span.reason)
                )
    return found


def _flaps(firings: Sequence[Firing], tolerance: timedelta) -> int:
    return sum(
        before.ended and after.begun and after.begin - before.end <= tolerance
        for before, after in pairwise(firings)
    )


def _side(line: Timeline, blind: timedelta, flaps: int) -> dict[str, Any]:
    return {
        "name": line.name,
        "state": line.state,
        "actions_enabled": line.actions,
        "created": _iso(line.created),
        "insufficient_data_minutes": _minutes(blind),
        "flaps": flaps,
        "notes": list(line.notes),
    }


def _row(episode: Episode) -> dict[str, Any]:
    later = [episode.later_at_begin, episode.later_at_end]
    begin, end = (None if by is None else _minutes(by) for by in later)
    return {
        "kind": episode.kind,
        "begin": _iso(episode.begin),
        "end": _iso(episode.end),
        "minutes": _minutes(episode.end - episode.begin),
        "new_later_at_begin_minutes": begin,
        "new_later_at_end_minutes": end,
        "meanwhile": list(episode.meanwhile),
        "reason": episode.reason,
        **{
            side: [
                {
                    "begin": _iso(firing.begin), "end": _iso(firing.end), "begun": firing.begun, "ended": firing.ended,
                }
                for firing in firings
            ]
            for side, firings in (("old", episode.old), ("new", episode.new))
        },
    }  # fmt: skip


def _iso(at: datetime | None) -> str | None:
    return at.isoformat(timespec="seconds") if at else None


def _minutes(length: timedelta) -> float:
    return round(length.total_seconds() / 60, 1)


def _times(count: int) -> str:
    return "once" if count == 1 else f"{count} times"

"""None is told twice, and what failed is told when it comes again."""

from __future__ import annotations

import stat
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from orders_obs.errors import EnvironmentFault
from orders_obs.relay.replay import Seen
from tests.relay.sns import NOW


def test_an_id_is_kept_once_it_was_delivered_and_not_before() -> None:
    seen = Seen(3600, clock=NOW.timestamp)
    assert seen.begin("a") == "new"
    assert seen.begin("a") == "busy"
    seen.end("a", NOW, delivered=False)
    assert seen.begin("a") == "new"
    seen.end("a", NOW, delivered=True)
    assert seen.begin("a") == "seen"
    assert seen.begin("b") == "new"


def test_what_is_forgotten_is_too_old_to_be_taken() -> None:
    now = [NOW.timestamp()]
    seen = Seen(3600, clock=lambda: now[0])
    seen.begin("a")
    seen.end("a", NOW, delivered=True)
    now[0] += 3500
    assert seen.begin("a") == "seen"
    assert not seen.stale(NOW)
    now[0] += 101
    seen.begin("b")
    seen.end("b", datetime.fromtimestamp(now[0], UTC), delivered=True)
    assert seen.begin("a") == "new"
    assert seen.stale(NOW)


def test_memory_is_bounded_and_what_went_for_room_is_too_old_to_be_taken() -> None:
    seen = Seen(86_400, most=100, clock=NOW.timestamp)
    moments = [NOW - timedelta(seconds=1000 - number) for number in range(300)]
    for number, moment in enumerate(moments):
        seen.begin(str(number))
        seen.end(str(number), moment, delivered=True)
    for number, moment in enumerate(moments):
        known = seen.begin(str(number)) == "seen"
        assert known != seen.stale(moment), number
    assert len(vars(seen)["_ids"]) == 100


def test_ids_in_a_file_outlive_the_process_and_only_the_owner_reads_them(tmp_path: Path) -> None:
    path = tmp_path / "seen"
    first = Seen(3600, str(path), clock=NOW.timestamp)
    for name in ("a", "b"):
        first.begin(name)
        first.end(name, NOW, delivered=True)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    with path.open("a") as out:
        out.write('["c", 17')
    second = Seen(3600, str(path), clock=NOW.timestamp)
    assert [second.begin(name) for name in ("a", "b", "c")] == ["seen", "seen", "new"]
    later = Seen(3600, str(path), clock=lambda: NOW.timestamp() + 3601)
    assert later.begin("a") == "new"
    assert path.read_text() == ""


def test_a_file_that_cannot_be_used_is_said_at_the_start(tmp_path: Path) -> None:
    for path in (tmp_path, tmp_path / "nowhere" / "seen"):
        with pytest.raises(EnvironmentFault, match="ids of messages cannot be kept"):
            Seen(3600, str(path))


def test_the_file_does_not_grow_for_ever(tmp_path: Path) -> None:
    path = tmp_path / "seen"
    seen = Seen(3600, str(path), most=10, clock=NOW.timestamp)
    for number in range(200):
        seen.begin(str(number))
        seen.end(str(number), NOW, delivered=True)
    assert len(path.read_text().splitlines()) <= 22

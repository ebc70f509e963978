from __future__ import annotations

from datetime import UTC, datetime

import pytest

from orders_obs.dashboards.preview.series import grid
from orders_obs.dashboards.preview.times import as_seconds, duration_text, moment, rate_interval, step_of
from orders_obs.errors import UserError

NOW = datetime(2026, 3, 18, 13, 45, 30, tzinfo=UTC)  # a Wednesday


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("now", "2026-03-18T13:45:30"),
        ("now-1h", "2026-03-18T12:45:30"),
        ("now-1d-2h", "2026-03-17T11:45:30"),
        ("now+5m", "2026-03-18T13:50:30"),
        ("now/d", "2026-03-18T00:00:00"),
        ("now-1d/d", "2026-03-17T00:00:00"),
        ("now/w", "2026-03-16T00:00:00"),
        ("now/M", "2026-03-01T00:00:00"),
        ("now/y", "2026-01-01T00:00:00"),
        ("2026-03-18T13:00:00Z", "2026-03-18T13:00:00"),
        ("2026-03-18T13:00:00", "2026-03-18T13:00:00"),
        ("2026-03-18T13:00:00+02:00", "2026-03-18T11:00:00"),
        ("1773838800", "2026-03-18T13:00:00"),
        ("1773838800000", "2026-03-18T13:00:00"),
    ],
)
def test_a_time_is_read_as_grafana_reads_it(text: str, expected: str) -> None:
    assert datetime.fromtimestamp(moment(text, NOW), UTC) == datetime.fromisoformat(expected + "+00:00")


@pytest.mark.parametrize("text", ["", "yesterday", "now-", "now-1x", "now-999999999999y", "12"])
def test_what_is_no_time_is_said(text: str) -> None:
    with pytest.raises(UserError):
        moment(text, NOW)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("15s", 15),
        ("1m30s", 90),
        (">1m", 60),
        ("250ms", 0.25),
        ("1.5h", 5400),
        ("x", None),
        ("", None),
        ("1m x", None),
    ],
)
def test_a_length_of_time_is_read(text: str, seconds: float | None) -> None:
    assert as_seconds(text) == seconds


@pytest.mark.parametrize(
    ("seconds", "text"), [(15, "15s"), (3600, "3600s"), (0.25, "250ms"), (1.5, "1500ms")]
)
def test_a_length_of_time_is_written_so_that_prometheus_reads_it(seconds: float, text: str) -> None:
    assert duration_text(seconds) == text


@pytest.mark.parametrize(
    ("span", "points", "least", "step"),
    [
        (3600, 800, 15, 15),  # the scrape interval is coarser than the pixels
        (3600, 800, 1, 5),  # 4.5 s are rounded to 5
        (86400, 800, 15, 120),  # 108 s
        (7 * 86400, 500, 15, 1200),  # 1209.6 s
        (10 * 31536000, 1_000_000, 1, 10 * 31536000 / 11000),  # Prometheus takes 11 000 points
    ],
)
def test_the_step_is_the_one_that_grafana_takes(span: float, points: int, least: float, step: float) -> None:
    assert step_of(span, points, least) == pytest.approx(step)


@pytest.mark.parametrize(("step", "scrape", "rate"), [(15, 15, 60), (60, 15, 75), (5, 1, 6), (1, 1, 4)])
def test_the_rate_interval_is_a_step_and_a_scrape_and_four_scrapes_at_least(
    step: float, scrape: float, rate: float
) -> None:
    assert rate_interval(step, scrape) == rate


def test_the_times_of_a_graph_are_whole_multiples_of_its_step() -> None:
    assert grid(1003, 1062, 15) == [990, 1005, 1020, 1035, 1050]

"""Every kind of alert means on Prometheus what the language says: births, restarts, gaps, each policy. The judge is promtool."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
import yaml

from orders_obs.alerts import load
from orders_obs.alerts.compile import prometheus
from orders_obs.cli import main
from orders_obs.signals import SIGNALS, Count, Share
from tests.live.conftest import ROOT

Program = Callable[[str], Path]


def judge(program: Program, *files: Path) -> str:
    """What promtool has against test files; nothing where they pass."""
    done = subprocess.run(
        [program("promtool"), "test", "rules", *files],
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    return "" if done.returncode == 0 else done.stdout + done.stderr


def every_kind(name: str, side: str) -> str:
    """A catalogue with one signal, under every policy, with one sample and with several."""
    signal = SIGNALS[name]
    if isinstance(signal, Count):
        minimum, slower, bounds = "", "", ("7 orders", "50 orders")
    else:
        minimum, slower, bounds = "minimum: 20 requests", "", ("5%", "99.5%")
    if isinstance(signal, Share):
        slower = "slower_than: 1s, "
    alerts = [
        f"""
  {policy}_{index}:
    signal: {name}
    when_missing: {policy}
    {minimum}
    critical: {{{slower}{side}: {bound}, over: 3m, breaching: {m_of_n}}}"""
        for policy in ("ok", "breach", "keep", "unknown")
        for index, (m_of_n, bound) in enumerate(zip(("1 of 1", "2 of 3"), bounds, strict=True))
    ]
    return f"""\
catalogue: 1
service: shop
severities: {{critical: {{}}}}
environments: {{test: {{}}}}
alerts:{"".join(alerts)}
"""


@pytest.mark.parametrize("side", ["above", "below"])
@pytest.mark.parametrize("signal", ["http_error_ratio", "cache_hit_ratio", "http_latency", "orders_created"])
def test_each_kind_of_alert_fires_and_is_over_when_the_plain_sample_rule_says(
    program: Program, tmp_path: Path, signal: str, side: str
) -> None:
    path = tmp_path / "catalogue.yaml"
    path.write_text(every_kind(signal, side))
    build = ["alerts", "build", "--engine", "prometheus", "--env", "test", "--catalogue", str(path)]
    assert main([*build, "-o", str(tmp_path)]) == 0
    tests = sorted((tmp_path / "test.rules.tests").glob("*.test"))
    assert len(tests) == 8
    assert judge(program, *tests) == ""


UP = 'up{job="orders-api",instance="a"}'
START = 'process_start_time_seconds{job="orders-api",instance="a"}'
GOOD, BAD = (
    f'http_requests_total{{job="orders-api",instance="a",method="GET",route="/",status="{status}"}}'
    for status in (200, 500)
)
ALL_COUNT, BAD_COUNT = "job:http_error_ratio_all:count5m", "job:http_error_ratio_part:count5m"
FIRING = 'count(ALERTS{alertname="error_rate",severity="critical",alertstate="firing"}) or vector(0)'


def check(
    program: Program,
    folder: Path,
    series: Mapping[str, str],
    expected: Mapping[tuple[str, str], float | None],
    *,
    interval: str = "1m",
) -> None:
    """Show the production rules some series.

    Args:
        series: promtool's notation of values.
        expected: Expression and time, and its one value; None where there is none.
        interval: Between two values of a series: the scrape interval.
    """
    resolved = load(ROOT / "alerts").resolve("production")
    (folder / "rules.yml").write_text(prometheus.render(prometheus.compile_rules(resolved)))
    looks = [
        {
            # An aggregation, because a rule's name is a label that promtool would want to see.
            "expr": f"sum({expr})",
            "eval_time": time,
            "exp_samples": [] if value is None else [{"value": value}],
        }
        for (expr, time), value in expected.items()
    ]
    test = {
        "interval": interval,
        "input_series": [{"series": name, "values": values} for name, values in series.items()],
        "promql_expr_test": looks,
    }
    document = {"rule_files": ["rules.yml"], "evaluation_interval": "1m", "tests": [test]}
    (folder / "test.yml").write_text(yaml.safe_dump(document))
    assert judge(program, folder / "test.yml") == ""


def test_a_restart_counts_each_event_after_it_also_where_the_counter_is_past_its_old_value(
    program: Program, tmp_path: Path
) -> None:
    series = {
        UP: "1x20",
        START: "0x10 630x9",
        GOOD: "0+900x10 4000+1800x9",
        BAD: "_x11 30+20x9",
    }
    expected: dict[tuple[str, str], float | None] = {
        (ALL_COUNT, "10m"): 4500,
        # At minute 13 the counter is at 7600; five minutes before, in the old process, it was at 7200.
        (ALL_COUNT, "13m"): 7600 + 70,
        (BAD_COUNT, "13m"): 70,
        # From then on the sample begins in the new process.
        (ALL_COUNT, "18m"): 5 * 1820,
        **{(FIRING, f"{minute}m"): 0 for minute in range(10, 20)},
    }
    check(program, tmp_path, series, expected)


def test_a_restart_between_two_scrapes_is_seen_while_the_sample_begins_between_them(
    program: Program, tmp_path: Path
) -> None:
    series = {
        UP: "1x30",
        START: "0x14 640x15",
        # Scraped at second 630, before the restart, and at 675: the sample of minute 16 begins at 660.
        GOOD: "0+100x14 5000+1000x15",
    }
    check(program, tmp_path, series, {(ALL_COUNT, "16m"): 11000}, interval="45s")


def test_a_new_target_counts_from_its_processs_start_and_an_old_process_only_from_its_first_sample_on(
    program: Program, tmp_path: Path
) -> None:
    def series(start: int) -> dict[str, str]:
        return {UP: "_x10 1x20", START: f"_x10 {start}x20", GOOD: "_x10 300+60x20"}

    check(program, tmp_path, series(start=540), {(ALL_COUNT, "12m"): 420, (ALL_COUNT, "16m"): 300})
    check(program, tmp_path, series(start=-9999), {(ALL_COUNT, "12m"): None, (ALL_COUNT, "16m"): 300})


@pytest.mark.parametrize("seconds", [5, 15, 60])
def test_no_event_is_lost_or_counted_twice_between_adjacent_samples(
    program: Program, tmp_path: Path, seconds: int
) -> None:
    """Events of the first and of the last seconds of each minute alike."""
    per_minute = 60 // seconds
    bursts = [0]
    for minute in range(30):
        first, last = 3 + minute, 5 + 2 * minute
        steps = [first, *[0] * (per_minute - 2), last] if per_minute > 1 else [first + last]
        for step in steps:
            bursts.append(bursts[-1] + step)
    in_minute = [8 + 3 * minute for minute in range(30)]
    series = {UP: f"1x{30 * per_minute}", GOOD: " ".join(map(str, bursts))}
    expected: dict[tuple[str, str], float | None] = {
        (ALL_COUNT, f"{minute}m"): sum(in_minute[minute - 5 : minute]) for minute in range(6, 30)
    }
    check(program, tmp_path, series, expected, interval=f"{seconds}s")


def test_an_alert_that_keeps_its_state_is_held_for_an_hour_after_the_services_last_sample(
    program: Program, tmp_path: Path
) -> None:
    gone = "stale _x120"
    series = {UP: f"1x20 {gone}", GOOD: f"0+60x20 {gone}", BAD: f"0+60x20 {gone}"}
    expected: dict[tuple[str, str], float | None] = {
        (FIRING, "20m"): 1,
        # What it did in its last minutes stays in the samples that hold them.
        (ALL_COUNT, "21m"): 480,
        (ALL_COUNT, "24m"): 120,
        (ALL_COUNT, "25m"): None,
        (FIRING, "83m"): 1,
        (FIRING, "84m"): 0,
    }
    check(program, tmp_path, series, expected)


def test_an_alert_that_keeps_its_state_outlasts_a_service_without_traffic_and_ends_with_good_traffic(
    program: Program, tmp_path: Path
) -> None:
    quiet = 180
    series = {
        UP: f"1x{quiet + 60}",
        GOOD: f"0+60x20 1200x{quiet} 1260+60x30",
        BAD: f"0+60x20 1200x{quiet + 31}",
    }
    expected: dict[tuple[str, str], float | None] = {
        (FIRING, "20m"): 1,
        (FIRING, f"{quiet + 20}m"): 1,
        (FIRING, f"{quiet + 30}m"): 0,
    }
    check(program, tmp_path, series, expected)


def test_a_scrape_that_fails_takes_no_event_from_any_sample(program: Program, tmp_path: Path) -> None:
    series = {
        UP: "1x9 0 1x20",
        GOOD: "0+60x9 stale 660+60x19",
        BAD: "0+6x9 stale 66+6x19",
    }
    expected: dict[tuple[str, str], float | None] = {
        (ALL_COUNT, "9m"): 330,
        # The last value is a minute old; the next sample has what is missing.
        (ALL_COUNT, "10m"): 264,
        (BAD_COUNT, "10m"): 24,
        **{(ALL_COUNT, f"{minute}m"): 330 for minute in (11, 12, 13, 14, 16, 17)},
        (ALL_COUNT, "15m"): 396,
    }
    check(program, tmp_path, series, expected)


def test_instances_that_follow_each_other_are_no_dip(program: Program, tmp_path: Path) -> None:
    """A rolling deployment: what the old instance did stays in the samples that hold it."""
    new_up, new_start, new_good = (text.replace('"a"', '"b"') for text in (UP, START, GOOD))
    series = {
        UP: "1x10 stale",
        START: "-9999x10 stale",
        GOOD: "0+200x10 stale",
        new_up: "_x11 1x20",
        new_start: "_x11 600x20",
        new_good: "_x11 200+200x20",
    }
    expected: dict[tuple[str, str], float | None] = {
        (ALL_COUNT, f"{minute}m"): 1000 for minute in range(9, 20)
    }
    check(program, tmp_path, series, expected)

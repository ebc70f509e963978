"""The rules, judged by promtool: what fires, what does not, and when it is over."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from orders_obs.cli import main
from tests.live.conftest import ROOT

Program = Callable[[str], Path]


@pytest.mark.parametrize("environment", ["demo", "production"])
def test_every_alert_is_silent_fires_and_is_over_at_the_look_that_its_meaning_says(
    program: Program, tmp_path: Path, environment: str
) -> None:
    words = [
        "alerts",
        "build",
        "--engine",
        "prometheus",
        "--env",
        environment,
        "-o",
        str(tmp_path),
        "--catalogue",
        str(ROOT / "alerts"),
    ]
    assert main(words) == 0
    promtool = program("promtool")
    rules = tmp_path / f"{environment}.rules.yml"
    subprocess.run([promtool, "check", "rules", "--lint=all", "--lint-fatal", rules], check=True, timeout=60)
    folder = tmp_path / f"{environment}.rules.tests"
    tests = sorted(folder.glob("*.test"))
    assert len(tests) >= 10
    done = subprocess.run(
        [promtool, "test", "rules", *tests], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    # The judge is awake: a threshold moved by hand is seen.
    part = folder / "error_rate.rules"
    text = part.read_text()
    moved = text.replace("> bool 0.05)", "> bool 0.5)").replace("> bool 0.1)", "> bool 0.9)")
    assert moved != text
    part.write_text(moved)
    awake = subprocess.run(
        [promtool, "test", "rules", folder / "error_rate.test"], capture_output=True, timeout=60, check=False
    )
    assert awake.returncode != 0


UP = 'up{job="orders-api",instance="a"}'
REQUESTS = 'http_requests_total{job="orders-api",instance="a",method="GET",route="/",status="%s"}'


def promtool_says(
    program: Program, tmp_path: Path, series: dict[str, str], expr: str, at: str, interval: str = "1m"
) -> str:
    """The values of an expression, by promtool, on given series and the production rules."""
    import yaml

    words = [
        "alerts",
        "build",
        "--engine",
        "prometheus",
        "--env",
        "production",
        "-o",
        str(tmp_path),
        "--catalogue",
        str(ROOT / "alerts"),
    ]
    assert main(words) == 0
    test = {
        "rule_files": ["production.rules.yml"],
        "evaluation_interval": "1m",
        "tests": [
            {
                "interval": interval,
                "input_series": [{"series": name, "values": values} for name, values in series.items()],
                "promql_expr_test": [
                    {"expr": expr, "eval_time": at, "exp_samples": [{"labels": "x", "value": -1}]}
                ],
            }
        ],
    }
    file = tmp_path / "probe.yml"
    file.write_text(yaml.safe_dump(test))
    done = subprocess.run(
        [program("promtool"), "test", "rules", file], capture_output=True, text=True, timeout=60, check=False
    )
    text = done.stdout + done.stderr
    return text[text.index("got:") :]


BAD = "job:http_error_ratio_part:count5m"


@pytest.mark.parametrize("interval", ["5s", "15s", "60s"])
def test_events_are_counted_exactly_at_any_scrape_interval_births_included(
    program: Program, tmp_path: Path, interval: str
) -> None:
    looks = 1200 // int(interval[:-1])
    seconds = int(interval[:-1])
    series = {
        UP: f"1x{looks}",
        REQUESTS % 200: f"0+{seconds}x{looks}",
        # Born with seven events, twelve minutes in.
        REQUESTS % 500: f"_x{720 // seconds} 7+0x{looks - 720 // seconds}",
    }
    assert f'{{__name__="{BAD}", job="orders-api"}} 7E+00' in promtool_says(
        program, tmp_path, series, BAD, "14m", interval
    )


@pytest.mark.parametrize(
    ("up", "bad", "expected"),
    [
        # Restarted at minute 11: what came since counts; the events before it in this sample are lost.
        ("1x20", "0+2x10 0+2x9", "4E+00"),
        # New to Prometheus, with a past: its backlog is not counted.
        ("_x10 1x10", "_x10 1000+0x9", "nil"),
        # Back after being away for more than two samples: neither.
        ("1x2 0x8 1x10", "0+2x2 stale _x8 1000+0x9", "nil"),
        # Back after being away for less: what it did meanwhile is known to have come since its last scrape.
        ("1x5 0x3 1x10", "0+2x5 stale _x3 1000+0x9", "9.9E+02"),
    ],
)
def test_a_restart_or_a_new_target_counts_no_backlog(
    program: Program, tmp_path: Path, up: str, bad: str, expected: str
) -> None:
    series = {UP: up, REQUESTS % 500: bad}
    assert expected in promtool_says(program, tmp_path, series, f"{BAD} > 0", "13m")

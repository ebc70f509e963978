"""How the time of the alert compiler grows with the number of alerts.

Each step is set beside a plain baseline in the same run, PyYAML reading the same file and `json` writing it, so that the figures of two
machines can be compared. Exits 1 where the time of a step grows clearly faster than the alerts.

    python benchmarks/alerts_scale.py            # 10, 100, 1,000 and 3,000 alerts
    python benchmarks/alerts_scale.py 10 100
"""

from __future__ import annotations

import gc
import json
import math
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

import yaml

from orders_obs.alerts import load
from orders_obs.alerts.compile.outputs import OUTPUTS, build
from orders_obs.errors import UserError

if TYPE_CHECKING:
    from collections.abc import Callable

    from orders_obs.alerts.catalogue import Catalogue

SIZES = (10, 100, 1000, 3000)
ENVIRONMENT = "production"
STEEPEST = 1.3
"""An exponent above it is clearly worse than linear."""
SHORTEST = 0.02
"""Seconds below which a step is too short for its growth to say anything."""
HEAD = """\
catalogue: 1
service: shop
owner: team-orders
runbook_base: https://wiki.example.com/
severities:
  critical: {page: true, topic: shop-critical}
  warning: {topic: shop-alerts, email: [team@example.com]}
  note: {log: true}
environments:
  production:
    account: "111122223333"
    region: eu-west-1
    resources: {load_balancer: app/shop/1, target_group: targetgroup/shop/1, cluster: shops, ecs_service: shop, db_instance: shop,
                cache_cluster: shop-001, postgres_job: postgres, relay_function: relay}
    alerts: {alert_0: {minimum: 200 requests}}
  staging: {every: 1m, engines: [prometheus]}
mute:
  nightly: {at: "02:00", for: 90m, reason: orders are imported}
alerts:
"""
ALERTS = (
    "{signal: http_error_ratio, minimum: 100 requests, critical: {above: 5%, over: 5m}, warning: {above: 1%, over: 5m, breaching: 2 of 3}}",
    "{signal: http_latency, minimum: 100 requests, when_missing: keep, critical: {slower_than: 5s, above: 1%, over: 5m}}",
    "{signal: orders_created, warning: {above: 100 orders, over: 1m, breaching: 2 of 2}}",
    "{signal: service_cpu, warning: {above: 80%, over: 5m, breaching: 2 of 2}, when_missing: keep}",
    "{signal: rds_free_storage, critical: {below: 2GiB, over: 5m}, warning: {below: 10GiB, over: 5m}}",
    "{signal: database, critical: {absent_for: 5m}}",
    "{signal: errors, note: {at_least: 5 errors, over: 5m}}",
    "{signal: deployment_failed, severity: critical}",
    "{slo: {signal: http_error_ratio, objective: 99.9%}}",
    "{mode: shadow, severity: warning, raw: {prometheus: {expr: 'up == 0', for: 5m}}}",
)


def main(sizes: tuple[int, ...]) -> int:
    """Measure, print the table, and say by the exit code whether everything grows no faster than the alerts."""
    seconds: dict[str, dict[int, float]] = {}
    for size in sizes:
        for step, fastest in measured(size).items():
            seconds.setdefault(step, {})[size] = fastest
    base = seconds["baseline"]
    print(f"{'':22}" + "".join(f"{f'{size} alerts':>28}" for size in sizes) + f"{'exponent':>10}")
    steep = []
    for step, taken in seconds.items():
        cells = [
            f"{taken[size]:9.3f} s {taken[size] / size * 1e6:6.0f} us {taken[size] / base[size]:6.2f}x"
            if size in taken
            else "-"
            for size in sizes
        ]
        growth = exponent(taken)
        if growth is not None and growth > STEEPEST:
            steep.append(step)
        said = "-" if growth is None else f"{growth:.2f}"
        print(f"{step:22}" + "".join(f"{cell:>28}" for cell in cells) + f"{said:>10}")
    print("Each cell: seconds, microseconds for each alert, and how many times the baseline.")
    for step in steep:
        print(f"{step} grows faster than the alerts", file=sys.stderr)
    return int(bool(steep))


def measured(size: int) -> dict[str, float]:
    """Seconds of each step at a number of alerts; a step that refuses such a catalogue is left out."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "catalogue.yaml"
        path.write_text(HEAD + "".join(f"  alert_{n}: {ALERTS[n % len(ALERTS)]}\n" for n in range(size)))
        result = {
            "baseline": best(lambda: json.dumps(yaml.safe_load(path.read_text()))),
            "load": best(lambda: load(path)),
        }
        catalogue = load(path)
        resolved = catalogue.resolve(ENVIRONMENT)
        lint = linter()
        if lint is not None:
            result["lint"] = best(lambda: lint(catalogue))
        for engine in OUTPUTS:
            try:
                result[f"build {engine}"] = best(lambda engine=engine: build(resolved, engine))  # type: ignore[misc]
            except UserError as error:
                print(f"build {engine} at {size} alerts: {error.message}; {error.hint}", file=sys.stderr)
        return result


def linter() -> Callable[[Catalogue], object] | None:
    """What lints a catalogue, where it is there."""
    try:
        from orders_obs.alerts.lint.catalogue_rules import lint_catalogue
    except ImportError:
        return None
    return lint_catalogue


def best(act: Callable[[], object]) -> float:
    """Seconds of the fastest of three runs, or of one where it is long; the garbage collector rests, as `timeit` has it."""
    fastest = math.inf
    gc.collect()
    gc.disable()
    try:
        for _ in range(3):
            begin = time.perf_counter()
            act()
            fastest = min(fastest, time.perf_counter() - begin)
            if fastest > 1:
                break
    finally:
        gc.enable()
    return fastest


def exponent(taken: dict[int, float]) -> float | None:
    """By which power of the number of alerts the time grows, at the two largest sizes; None where they say nothing."""
    sizes = sorted(size for size, seconds in taken.items() if seconds >= SHORTEST)[-2:]
    if len(sizes) < 2:
        return None
    first, second = sizes
    return math.log(taken[second] / taken[first]) / math.log(second / first)


if __name__ == "__main__":
    sys.exit(main(tuple(int(size) for size in sys.argv[1:]) or SIZES))

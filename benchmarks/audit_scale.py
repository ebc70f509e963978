"""How many calls an audit makes of an account with many alarms, how long AWS's quotas make it take, and how long its own work takes.

The account is played in this process behind real clients of the SDK (tests/aws/audit/world.py): a topic for each fifty alarms, a metric
name for each ten, an event rule for each twenty, one alarm in ten wrong. What AWS itself takes to answer is not in it; the time at AWS's
pace is what orders_obs.aws.pace waits at least. Exits 1 where the calls, the checks or the reports grow clearly faster than the alarms;
the time of reading is mostly that of the account played, and is only shown.

    python benchmarks/audit_scale.py             # 10, 100, 1,000 and 3,000 alarms
    python benchmarks/audit_scale.py 10 100
"""

from __future__ import annotations

import json
import math
import sys
import time
from collections import Counter
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from botocore import xform_name
from botocore.session import get_session

from orders_obs.aws.audit.audit import audit
from orders_obs.aws.audit.html import page
from orders_obs.aws.audit.report import as_data, text
from orders_obs.aws.pace import seconds_for
from tests.aws.audit.world import NOW, World

SIZES = (10, 100, 1000, 3000)
STEEPEST = 1.3
"""An exponent above it is clearly worse than linear."""
_OWN = ("checking", "text, data and page")
SHORTEST = 0.05
"""Seconds below which a time is too short for its growth to say anything."""


def account(size: int) -> World:
    """An account with so many alarms."""
    world = World()
    topics = [world.topic(f"team-{number}") for number in range(max(1, size // 50))]
    for number in range(size):
        name, topic = f"depth-{number // 10}", topics[number % len(topics)]
        queue = {"queue": f"q{number}"}
        world.alarm(
            f"alarm-{number:05}", AlarmActions=[topic], OKActions=[topic], Namespace="Orders", MetricName=name, Statistic="Maximum",
            Dimensions=[{"Name": "queue", "Value": f"q{number}"}],
        )  # fmt: skip
        if number % 10:
            world.metrics.append(("Orders", name, queue))
    for number in range(size // 20):
        world.rule(f"rule-{number}", {"source": ["aws.rds"]}, topics[number % len(topics)])
    return world


def main(sizes: tuple[int, ...]) -> int:
    """Measure, print the tables, and say by the exit code whether everything grows no faster than the alarms."""
    calls: dict[str, dict[int, int]] = {}
    seconds: dict[str, dict[int, float]] = {}
    for size in sizes:
        made, taken = measured(size)
        for operation, count in made.items():
            calls.setdefault(operation, {})[size] = count
        for step, spent in taken.items():
            seconds.setdefault(step, {})[size] = spent
    print(f"{'calls':42}" + "".join(f"{f'{size} alarms':>14}" for size in sizes))
    for operation, found in sorted(calls.items()):
        print(f"{operation:42}" + "".join(f"{found.get(size, 0):>14}" for size in sizes))
    totals = {size: sum(found.get(size, 0) for found in calls.values()) for size in sizes}
    print(f"{'all':42}" + "".join(f"{totals[size]:>14}" for size in sizes))
    print()
    print(f"{'seconds':42}" + "".join(f"{f'{size} alarms':>14}" for size in sizes) + f"{'exponent':>10}")
    steep = []
    for step, spans in seconds.items():
        growth = exponent(spans)
        if step in _OWN and growth is not None and growth > STEEPEST:
            steep.append(step)
        said = "-" if growth is None else f"{growth:.2f}"
        print(f"{step:42}" + "".join(f"{spans[size]:>14.2f}" for size in sizes) + f"{said:>10}")
    growth = exponent({size: float(count) for size, count in totals.items()})
    if growth is not None and growth > STEEPEST:
        steep.append("number of calls")
    for step in steep:
        print(f"{step} grows faster than the alarms", file=sys.stderr)
    return int(bool(steep))


def measured(size: int) -> tuple[Counter[str], dict[str, float]]:
    """Calls by operation, and seconds of each step."""
    world = account(size)
    begin = time.perf_counter()
    seen = world.read()
    read = time.perf_counter()
    result = audit(seen, NOW)
    checked = time.perf_counter()
    text([result], result.issues, everything=True)
    json.dumps(as_data([result], result.issues, ""))
    page([result], result.issues, "")
    written = time.perf_counter()
    assert len([issue for issue in result.issues if issue.rule == "metric-dead"]) == size // 10
    made = Counter(seen.calls)
    taken = {
        "at AWS's pace": seconds_for({_api(operation): count for operation, count in made.items()}),
        "reading (the SDK and the account played)": read - begin,
        "checking": checked - read,
        "text, data and page": written - checked,
    }
    return made, taken


def _api(operation: str) -> str:
    """AWS's name of `service:operation`."""
    service, _, name = operation.partition(":")
    known = get_session().get_service_model(service).operation_names
    return next(str(one) for one in known if xform_name(one) == name)


def exponent(taken: dict[int, float]) -> float | None:
    """By which power of the number of alarms something grows, at the two largest sizes; None where they say nothing."""
    sizes = sorted(size for size, spent in taken.items() if spent >= SHORTEST)[-2:]
    if len(sizes) < 2:
        return None
    first, second = sizes
    return math.log(taken[second] / taken[first]) / math.log(second / first)


if __name__ == "__main__":
    sys.exit(main(tuple(int(size) for size in sys.argv[1:]) or SIZES))

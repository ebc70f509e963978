"""What planning and applying cost as the number of alarms grows: calls of AWS, time at the pace that AWS allows, and our own.

An account in memory answers, so that no call takes time; the clock is virtual and moves on only where the pace waits. Exits 1 where the time
of our own grows clearly faster than the alarms.

    python benchmarks/apply_scale.py            # 100, 300 and 1,000 alarms
    python benchmarks/apply_scale.py 10 100
"""

from __future__ import annotations

import gc
import math
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

sys.path.insert(0, str(Path(__file__).parent.parent))

from orders_obs.alerts import load
from orders_obs.aws.desired import Desired
from orders_obs.aws.guards import Revision
from orders_obs.aws.management import Management
from orders_obs.aws.pace import Pace
from orders_obs.aws.record import Record
from orders_obs.aws.session import Aws
from tests.aws.fake import FakeAccount

if TYPE_CHECKING:
    from collections.abc import Callable

SIZES = (100, 300, 1000)
STEEPEST = 1.3
"""An exponent above it is clearly worse than linear."""
ACCOUNT, REGION = "111122223333", "eu-west-1"
HEAD = """\
catalogue: 1
service: shop
severities:
  critical: {page: true, topic: shop-critical, email: [a@example.com]}
  warning: {topic: shop-alerts, email: [team@example.com]}
environments:
  production:
    account: "111122223333"
    region: eu-west-1
    resources: {load_balancer: app/shop/1, target_group: targetgroup/shop/1, cluster: shops, ecs_service: shop, db_instance: shop}
alerts:
"""
# Two alerts make two metric alarms and one composite alarm each, one makes one metric alarm: seven alarms.
ALERTS = (
    "{signal: service_cpu, critical: {above: 90%, over: 5m}, warning: {above: 80%, over: 5m}}",
    "{signal: rds_free_storage, critical: {below: 2GiB, over: 5m}, warning: {below: 10GiB, over: 5m}}",
    "{signal: service_memory, warning: {above: 80%, over: 5m}}",
)
ALARMS = 7 / 3


@dataclass
class Step:
    """What a step took."""

    calls: Counter[str] = field(default_factory=Counter)
    paced: float = 0.0
    seconds: float = 0.0


def main(sizes: tuple[int, ...]) -> int:
    """Measure, print, and say by the exit code whether our own time grows no faster than the alarms."""
    taken = {size: measured(size) for size in sizes}
    names = list(taken[sizes[0]])
    steep = []
    for name in names:
        print(f"{name}")
        calls = Counter[str]()
        for steps in taken.values():
            calls |= steps[name].calls
        for operation in sorted(calls):
            cells = "".join(f"{steps[name].calls[operation]:>14}" for steps in taken.values())
            print(f"  {operation:40}{cells}")
        own = {size: steps[name].seconds for size, steps in taken.items()}
        growth = exponent(own)
        print(f"  {'calls':40}" + "".join(f"{steps[name].calls.total():>14}" for steps in taken.values()))
        print(
            f"  {'seconds at the pace of AWS':40}"
            + "".join(f"{steps[name].paced:14.1f}" for steps in taken.values())
        )
        print(
            f"  {'seconds of our own':40}"
            + "".join(f"{s:14.2f}" for s in own.values())
            + f"   exponent {growth:.2f}"
        )
        if growth > STEEPEST:
            steep.append(name)
    print(f"Columns: {', '.join(f'{size} alarms' for size in sizes)}.")
    for name in steep:
        print(f"{name} grows faster than the alarms", file=sys.stderr)
    return int(bool(steep))


def measured(size: int) -> dict[str, Step]:
    """Each step at about so many alarms."""
    count = round(size / ALARMS)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "catalogue.yaml"
        path.write_text(HEAD + "".join(f"  a{n}: {ALERTS[n % len(ALERTS)]}\n" for n in range(count)))
        desired = Desired(load(path), "production")
    account = FakeAccount(ACCOUNT, REGION)
    clock = account.clock
    aws = Aws(account.session(), REGION, pace=Pace(clock, clock.sleep))
    record = Record(aws, desired.record_group, desired.record_tags, clock=lambda: clock.now().timestamp())
    managed = Management(aws, desired, Revision("", changed=False, folder=Path()), record)
    # Clients are made once, and their making is the SDK's.
    managed.plan()
    plan, _ = managed.plan()
    result = {"plan of nothing there": step(account, managed.plan)}
    result["first apply"] = step(account, lambda: managed.apply(plan))
    result["plan of all there"] = step(account, managed.plan)
    result["empty apply"] = step(account, lambda: managed.apply(managed.plan()[0]))
    return result


def step(account: FakeAccount, act: Callable[[], object]) -> Step:
    """What something took."""
    account.calls.clear()
    gc.collect()
    paced, begin = account.clock(), time.perf_counter()
    act()
    seconds = time.perf_counter() - begin
    calls = Counter(f"{call.service}.{call.operation}" for call in account.calls)
    return Step(calls, account.clock() - paced, seconds)


def exponent(taken: dict[int, float]) -> float:
    """By which power of the number of alarms the time grows, at the two largest sizes; 0 where there is one."""
    sizes = sorted(taken)[-2:]
    if len(sizes) < 2:
        return 0.0
    first, second = sizes
    return math.log(taken[second] / taken[first]) / math.log(second / first)


if __name__ == "__main__":
    sys.exit(main(tuple(int(size) for size in sys.argv[1:]) or SIZES))

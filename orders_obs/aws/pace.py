"""How fast the APIs of AWS may be called: evenly spaced calls, below the quota of each.

The quotas are those of an account and region as a whole: deployments and other tools live on the same ones.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["CALLS_PER_SECOND", "Pace", "seconds_for"]

CALLS_PER_SECOND: dict[str, float] = {
    # CloudWatch service quotas; reading stays below it, since ECS watches its deployments' alarms on the same quota.
    "PutMetricAlarm": 3,
    "PutCompositeAlarm": 3,
    "PutAlarmMuteRule": 3,
    "DeleteAlarms": 3,
    "DeleteAlarmMuteRule": 3,
    "SetAlarmState": 3,
    "EnableAlarmActions": 3,
    "DisableAlarmActions": 3,
    "DescribeAlarmHistory": 3,
    "DescribeAlarms": 6,
    "DescribeAlarmsForMetric": 6,
    "ListMetrics": 15,
    "GetMetricData": 10,
    # Amazon SNS endpoints and quotas.
    "ListSubscriptionsByTopic": 20,
    "Subscribe": 20,
    "Unsubscribe": 20,
    # CloudWatch Logs quotas.
    "DescribeLogGroups": 5,
    "DescribeLogStreams": 5,
    "CreateLogGroup": 5,
    "FilterLogEvents": 3,
}
"""By the API's name of an operation."""
_READ, _WRITE = 10.0, 4.0
"""Of an operation that the quotas do not name."""
_READS = ("Describe", "Get", "List", "Filter", "Test")


def _rate(operation: str) -> float:
    given = CALLS_PER_SECOND.get(operation)
    return given if given is not None else _READ if operation.startswith(_READS) else _WRITE


def seconds_for(operations: dict[str, int]) -> float:
    """How long so many calls of each operation take at least, one after the other."""
    return sum(count / _rate(operation) for operation, count in operations.items())


@dataclass(slots=True)
class Pace:
    """Waits before a call until its operation may be called again.

    Attributes:
        clock: Seconds that only grow.
        sleep: Waits for so many seconds.
    """

    clock: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep
    _free_at: dict[str, float] = field(default_factory=dict)

    def wait(self, operation: str) -> None:
        """Wait for the operation's turn.

        Args:
            operation: The API's name, such as `PutMetricAlarm`.
        """
        now = self.clock()
        at = max(now, self._free_at.get(operation, now))
        self._free_at[operation] = at + 1 / _rate(operation)
        if at > now:
            self.sleep(at - now)

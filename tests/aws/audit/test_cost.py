from __future__ import annotations

from typing import Any

from orders_obs.aws.audit.cost import total
from tests.aws.audit.world import World

_NONE = dict.fromkeys(("Namespace", "MetricName", "Dimensions", "Statistic", "Period"))


def stat(name: str, period: int = 60) -> dict[str, Any]:
    metric = {"Namespace": "Orders", "MetricName": name}
    return {
        "Id": name,
        "MetricStat": {"Metric": metric, "Period": period, "Stat": "Sum"},
        "ReturnData": False,
    }


def test_each_metric_of_an_alarm_is_paid_for_and_the_dearest_is_first() -> None:
    world = World()
    world.alarm("one")
    world.alarm("fast", Period=10)
    world.alarm(
        "three", **_NONE, Metrics=[stat("a"), stat("b"), stat("c"), {"Id": "e", "Expression": "a + b + c"}]
    )
    band = {"Id": "band", "Expression": "ANOMALY_DETECTION_BAND(a, 2)"}
    world.alarm("odd", **_NONE, Threshold=None, ThresholdMetricId="band", ComparisonOperator="GreaterThanUpperThreshold", Metrics=[stat("a") | {"ReturnData": True}, band])  # fmt: skip
    world.alarm(
        "query", **_NONE, Metrics=[{"Id": "q", "Expression": "SELECT MAX(Depth) FROM Orders", "Period": 60}]
    )
    world.alarm("promql", **_NONE, EvaluationCriteria={"PromQLCriteria": {"Query": "up == 0"}})
    world.logs.append({"AlarmName": "log", "ScheduledQueryConfiguration": {"QueryString": "x"}})
    world.composite("any", 'ALARM("one")')
    costs = world.result().costs
    assert [(cost.alarm, cost.usd) for cost in costs] == [
        ("any", 0.5), ("fast", 0.3), ("odd", 0.3), ("three", 0.3), ("one", 0.1), ("log", None), ("promql", None), ("query", None),
    ]  # fmt: skip
    assert round(total(costs), 2) == 1.5

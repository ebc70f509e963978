"""What goes to an address over https is tried for close to an hour, the most that SNS allows."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from orders_obs.alerts.aws_calls import validate
from orders_obs.alerts.compile import sns
from tests.alerts.test_engines import HEAD, catalogue

LONGEST = 3600
"""Seconds (SNS developer guide, "Amazon SNS message delivery retries")."""
SEVERITY = "topic: shop-critical, pagerduty: secret:shop/pager"
ONE = HEAD.replace("topic: shop-critical", SEVERITY)
TWO = HEAD.replace("topic: shop-critical", f"{SEVERITY}}}, urgent: {{{SEVERITY}")
ALERT = "  cpu: {signal: service_cpu, critical: {above: 90%, over: 5m}}\n"
# AWS names the ways in which a delay grows from the least to the most, and does not say how they are worked out.
GROWTH: dict[str, Callable[[float, float, float], float]] = {
    "not at all": lambda low, _high, _part: low,
    "all at once": lambda _low, high, _part: high,
    "evenly": lambda low, high, part: low + (high - low) * part,
    "by a factor": lambda low, high, part: low * (high / low) ** part,
}


def subscriptions(head: str, folder: Path) -> list[dict[str, Any]]:
    return sns.compile_subscriptions(catalogue(folder, ALERT, head))[0]


def policy_of(folder: Path) -> dict[str, Any]:
    (made,) = [one for one in subscriptions(ONE, folder) if one["Protocol"] == "https"]
    content: dict[str, Any] = json.loads(made["Attributes"]["DeliveryPolicy"])
    return content


@pytest.mark.parametrize("growth", GROWTH)
def test_the_retries_last_for_most_of_an_hour_and_no_longer(growth: str, tmp_path: Path) -> None:
    retries = policy_of(tmp_path)["healthyRetryPolicy"]
    low, high = retries["minDelayTarget"], retries["maxDelayTarget"]
    first, last = retries["numMinDelayRetries"], retries["numMaxDelayRetries"]
    grown = retries["numRetries"] - retries["numNoDelayRetries"] - first - last
    assert grown > 0
    assert retries["numRetries"] <= 100
    steps = [GROWTH[growth](low, high, step / (grown - 1)) for step in range(grown)]
    total = first * low + sum(steps) + last * high
    # With room for one delay that is counted otherwise than here.
    assert 0.9 * LONGEST < total <= LONGEST - high
    assert 3355 <= total <= 3530


def test_aws_takes_it(tmp_path: Path) -> None:
    (made,) = [one for one in subscriptions(ONE, tmp_path) if one["Protocol"] == "https"]
    arguments = {key: value for key, value in made.items() if key != "Secret"}
    assert validate("subscribe", {**arguments, "Endpoint": "https://events.example.com/x"}) == []


def test_two_severities_that_share_a_topic_and_an_address_subscribe_it_once(tmp_path: Path) -> None:
    found = [one["Protocol"] for one in subscriptions(TWO, tmp_path)]
    assert found.count("https") == 1

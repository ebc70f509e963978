"""Two small catalogues between which there is every kind of change, and an account in which an apply of the second meets everything."""

from __future__ import annotations

from typing import Any

from orders_obs.aws.things import Thing
from tests.alerts.random_catalogues import ACCOUNT, REGION
from tests.aws.by_hand import Damage, settle
from tests.aws.fake import Call
from tests.aws.worlds import (
    CANARY,
    World,
    of_text,
)

__all__ = [
    "CPU", "EVENT", "FIRST", "HEAD", "SECOND", "SLO", "STORAGE", "assert_ordered", "at", "changed", "settled", "worn",
]  # fmt: skip

HEAD = """\
catalogue: 1
service: shop
owner: team
severities:
  critical: {page: true, topic: shop-critical, pagerduty: "secret:orders/address", email: [a@example.com]}
  warning: {topic: shop-alerts, email: [team@example.com]}
  note: {log: true}
environments:
  production:
    account: "111122223333"
    region: eu-west-1
    resources: {load_balancer: app/shop/1, target_group: targetgroup/shop/1, cluster: shops, ecs_service: shop, db_instance: shop, cache_cluster: shop-001,
                postgres_job: postgres, relay_function: relay}
mute:
  nightly: {at: "02:00", for: 90m, reason: orders are imported}
alerts:
"""
CPU = "  cpu: {signal: service_cpu, critical: {above: 90%, over: 5m}, warning: {above: 80%, over: 5m}}\n"
STORAGE = "  storage: {signal: rds_free_storage, warning: {below: 10GiB, over: 5m}}\n"
EVENT = "  deployed: {signal: deployment_failed, severity: critical}\n"
NOTE = "  done: {signal: deployment_done, severity: note}\n"
SLO = "  slo: {slo: {signal: http_error_ratio, objective: 99.9%, page: critical, ticket: none}, minimum: 100 requests}\n"
MEMORY = "  memory: {signal: service_memory, warning: {above: 80%, over: 5m}}\n"
FIRST = HEAD + CPU + STORAGE + MEMORY + EVENT + NOTE + SLO
# Each kind of change: two alarms change their types, one way and the other; parts, a rule and a subscription go; others come and change.
SECOND = HEAD.replace("a@example", "b@example").replace("02:00", "03:00") + (
    "  cpu: {signal: service_cpu, warning: {above: 70%, over: 5m}}\n"
    "  storage: {signal: rds_free_storage, critical: {below: 2GiB, over: 5m}, warning: {below: 10GiB, over: 5m}}\n"
    "  memory: {signal: service_memory, warning: {above: 70%, over: 5m}}\n"
    "  done: {signal: deployment_done, severity: note}\n"
    "  waiting: {signal: tasks_not_placed, severity: critical}\n"
    "  slo: {slo: {signal: http_error_ratio, objective: 99%, page: critical, ticket: warning}, minimum: 100 requests}\n"
)


def changed(text: str, **words: str) -> str:
    for old, new in words.items():
        text = text.replace(old, new)
    return text


def worn() -> World:
    """An account in which an apply meets everything: what the first catalogue made, confirmed, damaged, and with things of others in between."""
    world = World()
    assert world.apply(of_text(FIRST)).complete
    for endpoint in ("a@example.com", CANARY):
        world.account.confirm(f"arn:aws:sns:{REGION}:{ACCOUNT}:shop-critical-production", endpoint)
    for act in (
        Damage("circle", 0, 0), Damage("policy", 0, 1), Damage("policy", 1, 2), Damage("policy", 3, 1), Damage("subscription", 0, 4), Damage("rule", 1, 2), Damage("rule", 1, 4),
        Damage("logs", 0, 1), Damage("delete alarm", 1, 0),
    ):  # fmt: skip
        act.do(world)
    settle(world, ("alarm", "prefixed", "topic", "catalogue"), of_text(SECOND))
    world.account.calls.clear()
    return world


def settled(world: World) -> dict[str, Any]:
    """All that is kept, but the record and the numbers that the server gives to subscriptions."""
    kept = world.snapshot()
    for key, thing in kept.items():
        if key.startswith("subscription/"):
            thing.pop("SubscriptionArn")
    return kept


def assert_ordered(calls: list[Call]) -> None:
    """What is referred to is there first (the account itself refuses much of it), and what goes goes last."""
    made: dict[str, int] = {}
    for number, call in enumerate(calls):
        if call.operation == "create_topic":
            made[f"arn:aws:sns:{REGION}:{ACCOUNT}:{call.arguments['Name']}"] = number
    for number, call in enumerate(calls):
        arguments = call.arguments
        topics = [arguments.get("TopicArn", ""), *arguments.get("AlarmActions", [])]
        topics += [target["Arn"] for target in arguments.get("Targets", [])]
        assert all(made.get(topic, -1) <= number for topic in topics), call
    names = [_of(call) for call in calls]
    gone = [
        number
        for number, call in enumerate(calls)
        if call.operation
        in ("delete_alarms", "delete_rule", "delete_topic", "unsubscribe", "delete_alarm_mute_rule")
        # Of another type under the same name.
        and names[number] not in names[number + 1 :]
    ]
    last = max(
        (n for n, call in enumerate(calls) if call.operation.startswith(("create_topic", "put_m", "put_c", "put_rule", "subscribe"))
         and not (call.operation == "put_composite_alarm" and call.arguments["AlarmRule"] == "FALSE")),
        default=-1,
    )  # fmt: skip
    assert not gone or min(gone) > last, [names[n] for n in gone]


def _of(call: Call) -> str:
    names = call.arguments.get("AlarmNames", [""])
    return str(call.arguments.get("AlarmName") or names[0] or call.arguments.get("Name") or call)


def at(world: World, thing: Thing) -> Any:
    """What is kept of a thing."""
    kept = world.account.snapshot()
    if thing.kind == "subscription":
        topic, protocol, endpoint = thing.name.split(" ")
        endpoint = CANARY if endpoint.startswith("<") else endpoint
        return kept.get(f"subscription/arn:aws:sns:{REGION}:{ACCOUNT}:{topic}/{protocol}/{endpoint}")
    if thing.kind in ("metric-alarm", "composite-alarm"):
        found = kept.get(f"metric-alarm/{thing.name}") or kept.get(f"composite-alarm/{thing.name}")
        # A composite that depends on it may have changed its state.
        return {k: v for k, v in found.items() if not k.startswith("State")} if found else None
    return kept.get(f"{thing.kind}/{thing.arn if thing.kind == 'topic' else thing.name}")

"""What people do to an account by hand, and what of other people's is in it.

It goes to the services of the fake themselves, so that it stands in no trace of calls.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from hypothesis import strategies as st

from orders_obs.aws.desired import Desired
from tests.alerts.random_catalogues import ACCOUNT, ENVIRONMENT, REGION
from tests.aws.worlds import OWN_TAGS, PREFIX, SERVICE, World, ours

__all__ = ["Damage", "damages", "foreigners", "metric", "settle", "statement"]

# --- What people do by hand


@dataclass(frozen=True)
class Damage:
    """One act: what is done, and to which of the things that it can be done to."""

    act: str
    which: int
    other: int

    def do(self, world: World) -> None:
        _ACTS[self.act](world, self.which, self.other)


def _pick(world: World, kind: str, which: int) -> str | None:
    names = sorted(key for key in ours(world.snapshot()) if key.startswith(f"{kind}/"))
    return names[which % len(names)] if names else None


def _alarm_names(world: World) -> list[str]:
    return sorted(name for name, alarm in world.account.alarms.all.items())


def _delete_alarm(world: World, which: int, _other: int) -> None:
    for kind in ("composite-alarm", "metric-alarm")[which % 2 :]:
        key = _pick(world, kind, which)
        if key and world.hand("cloudwatch", "delete_alarms", AlarmNames=[key.partition("/")[2]]):
            return


def _change_alarm(world: World, which: int, other: int) -> None:
    key = _pick(world, "metric-alarm", which)
    if not key:
        return
    config = copy.deepcopy(world.account.alarms.all[key.partition("/")[2]].config)
    if other % 5 == 0 and "Threshold" in config:
        config["Threshold"] += 1
    elif other % 5 == 1:
        config["ActionsEnabled"] = not config["ActionsEnabled"]
    elif other % 5 == 2:
        config["AlarmActions"] = [f"arn:aws:sns:{REGION}:{ACCOUNT}:somewhere"]
    elif other % 5 == 3:
        config["AlarmDescription"] = "changed"
    elif "EvaluationCriteria" not in config:  # TreatMissingData means nothing there
        config["TreatMissingData"] = (
            "breaching" if config.get("TreatMissingData") != "breaching" else "missing"
        )
    world.hand("cloudwatch", "put_metric_alarm", **config)


def _tags_of(world: World, kind: str, which: int) -> dict[str, str] | None:
    key = _pick(world, kind, which)
    if key is None:
        return None
    name = key.partition("/")[2]
    if kind in ("metric-alarm", "composite-alarm"):
        return world.account.alarms.all[name].tags
    if kind == "topic":
        return world.account.topics.topics[name].tags
    if kind == "rule":
        return world.account.events.rules[name].tags
    return world.account.logs.groups[name].tags if kind == "log-group" else None


_TAGGED = ("metric-alarm", "composite-alarm", "topic", "rule", "log-group")


def _change_tags(world: World, which: int, other: int) -> None:
    tags = _tags_of(world, _TAGGED[which % len(_TAGGED)], other)
    if tags is None:
        return
    act = (which // 5) % 5
    if act == 0:
        tags.clear()
    elif act == 1:
        tags.pop("orders-obs:content", None)
    elif act == 2:
        tags["other-cost-center"] = "42"
    elif act == 3:
        tags["severity"] = "changed"
    else:
        tags["Name"] = "changed"


def _edit_composite(world: World, which: int, other: int) -> None:
    key = _pick(world, "composite-alarm", which)
    names = _alarm_names(world)
    if not key or not names:
        return
    config = copy.deepcopy(world.account.alarms.all[key.partition("/")[2]].config)
    for period in ("ActionsSuppressor", "ActionsSuppressorWaitPeriod", "ActionsSuppressorExtensionPeriod"):
        config.pop(period, None)
    first, second = names[other % len(names)], names[which % len(names)]
    config["AlarmRule"] = (f'ALARM("{first}") OR OK({second})', f'NOT ALARM("{first}")', "TRUE")[other % 3]
    world.hand("cloudwatch", "put_composite_alarm", **config)


def _circle(world: World, which: int, other: int) -> None:
    """Composites that depend on each other; on one another's way, or on themselves by way of all of them."""
    names = [
        key.partition("/")[2] for key in sorted(ours(world.snapshot())) if key.startswith("composite-alarm/")
    ]
    for name, following in zip(names, [*names[1:], *names[:1]], strict=True):
        config = copy.deepcopy(world.account.alarms.all[name].config)
        config["AlarmRule"] = f'ALARM("{following}")'
        world.hand("cloudwatch", "put_composite_alarm", **config)


def _change_type(world: World, which: int, other: int) -> None:
    kind = ("metric-alarm", "composite-alarm")[which % 2]
    key = _pick(world, kind, other)
    if not key:
        return
    name = key.partition("/")[2]
    alarm = world.account.alarms.all[name]
    tags = [{"Key": k, "Value": v} for k, v in alarm.tags.items()]
    used = [parent for parent in world.account.alarms.all.values() if name in parent.children]
    if used:
        rules = {parent.config["AlarmName"]: parent.config["AlarmRule"] for parent in used}
        for parent in used:
            world.hand("cloudwatch", "put_composite_alarm", **{**parent.config, "AlarmRule": "FALSE"})
    if world.hand("cloudwatch", "delete_alarms", AlarmNames=[name]):
        if kind == "metric-alarm":
            world.hand("cloudwatch", "put_composite_alarm", AlarmName=name, AlarmRule="FALSE", Tags=tags)
        else:
            world.hand("cloudwatch", "put_metric_alarm", **metric(name), Tags=tags)
    for parent in used:
        rule = rules[parent.config["AlarmName"]]
        world.hand("cloudwatch", "put_composite_alarm", **{**parent.config, "AlarmRule": rule})


def metric(name: str) -> dict[str, Any]:
    return {
        "AlarmName": name, "Namespace": "AWS/RDS", "MetricName": "CPUUtilization", "Statistic": "Average", "Period": 60,
        "EvaluationPeriods": 3, "Threshold": 70.0, "ComparisonOperator": "GreaterThanThreshold",
    }  # fmt: skip


def _topic_policy(world: World, which: int, other: int) -> None:
    key = _pick(world, "topic", which)
    if not key:
        return
    topic = world.account.topics.topics[key.partition("/")[2]]
    policy = json.loads(topic.attributes["Policy"])
    if any(statement["Sid"] == f"Other{which % 3}" for statement in policy["Statement"]):
        return
    if other % 4 == 0:
        policy["Statement"] = [statement(topic.arn, which)]
    elif other % 4 == 1:
        policy["Statement"].append(statement(topic.arn, which))
    elif other % 4 == 2:
        policy["Statement"] = policy["Statement"][1:] or [statement(topic.arn, which)]
    else:
        policy["Statement"][0]["Effect"] = "Deny"
    topic.attributes["Policy"] = json.dumps(policy)


def statement(arn: str, which: int) -> dict[str, Any]:
    return {
        "Sid": f"Other{which % 3}", "Effect": "Allow", "Principal": {"Service": "budgets.amazonaws.com"}, "Action": "SNS:Publish",
        "Resource": arn,
    }  # fmt: skip


def _topic(world: World, which: int, other: int) -> None:
    key = _pick(world, "topic", which)
    if key and other % 2:
        world.hand("sns", "delete_topic", TopicArn=key.partition("/")[2])
    elif key:
        world.account.topics.topics[key.partition("/")[2]].attributes["KmsMasterKeyId"] = "alias/aws/sns"


def _subscription(world: World, which: int, other: int) -> None:
    found = sorted(world.account.topics.subscriptions)
    if not found:
        return
    one = world.account.topics.subscriptions[found[which % len(found)]]
    if other % 5 == 0:
        del world.account.topics.subscriptions[one.arn]
    elif other % 5 == 1:
        one.pending = False
    elif other % 5 == 2:
        one.pending = False
        one.attributes["FilterPolicy"] = '{"kind":["none"]}'
    elif other % 5 == 3:
        one.pending = False
        one.attributes["RawMessageDelivery"] = "true"
    else:
        world.hand(
            "sns", "subscribe", TopicArn=one.topic, Protocol="email", Endpoint=f"other{which % 3}@example.com"
        )


def _rule(world: World, which: int, other: int) -> None:
    key = _pick(world, "rule", which)
    if not key:
        return
    rule = world.account.events.rules[key.partition("/")[2]]
    act = other % 6
    if act == 0:
        rule.config["State"] = "DISABLED"
    elif act == 1:
        rule.targets.clear()
    elif act == 2:
        rule.targets[f"other{which % 2}"] = {
            "Id": f"other{which % 2}",
            "Arn": f"arn:aws:sqs:{REGION}:{ACCOUNT}:q",
        }
    elif act == 3:
        rule.config["EventPattern"] = '{"source":["aws.ec2"]}'
    elif act == 4:
        for target in rule.targets.values():
            target.pop("InputTransformer", None)
            target["Input"] = '"x"'
    else:
        del world.account.events.rules[rule.config["Name"]]


def _logs(world: World, which: int, other: int) -> None:
    if other % 3 == 0:
        world.account.logs.policies.clear()
        return
    key = _pick(world, "log-group", which)
    if not key:
        return
    group = world.account.logs.groups[key.partition("/")[2]]
    if other % 3 == 1:
        group.config["retentionInDays"] = 1
    else:
        group.config.pop("retentionInDays", None)


def _mute(world: World, which: int, other: int) -> None:
    mutes = world.account.alarms.mutes.rules
    if mutes:
        name = sorted(mutes)[which % len(mutes)]
        if other % 2:
            del mutes[name]
        else:
            mutes[name].config["Description"] = "changed"


def _state(world: World, which: int, other: int) -> None:
    names = [name for name, alarm in world.account.alarms.all.items() if alarm.kind == "MetricAlarm"]
    if names:
        world.account.set_state(sorted(names)[which % len(names)], ("ALARM", "OK")[other % 2])


_ACTS: dict[str, Callable[[World, int, int], None]] = {
    "delete alarm": _delete_alarm,
    "change alarm": _change_alarm,
    "tags": _change_tags,
    "edit composite": _edit_composite,
    "circle": _circle,
    "type": _change_type,
    "policy": _topic_policy,
    "topic": _topic,
    "subscription": _subscription,
    "rule": _rule,
    "logs": _logs,
    "mute": _mute,
    "state": _state,
}


def damages(least: int = 0, most: int = 8) -> st.SearchStrategy[list[Damage]]:
    """What people did by hand."""
    one = st.builds(Damage, st.sampled_from(sorted(_ACTS)), st.integers(0, 59), st.integers(0, 59))
    return st.lists(one, min_size=least, max_size=most)


# --- What is other people's


def _other_alarm(world: World, _wanted: Desired) -> None:
    world.hand("cloudwatch", "put_metric_alarm", **metric("other-cpu"), Tags=[{"Key": "team", "Value": "x"}])
    world.hand("cloudwatch", "put_composite_alarm", AlarmName="other-any", AlarmRule='ALARM("other-cpu")')


def _prefixed(world: World, _wanted: Desired) -> None:
    world.hand("cloudwatch", "put_metric_alarm", **metric(f"{PREFIX}other"))
    world.hand("cloudwatch", "put_composite_alarm", AlarmName=f"{PREFIX}others", AlarmRule="FALSE")
    world.hand("events", "put_rule", Name=f"{PREFIX}other", EventPattern='{"source":["aws.ecs"]}')
    world.hand("logs", "create_log_group", logGroupName=f"/aws/events/{PREFIX}other")
    world.hand(
        "cloudwatch", "put_alarm_mute_rule", Name=f"{PREFIX}other", MuteTargets={"AlarmNames": [f"{PREFIX}other"]},
        Rule={"Schedule": {"Expression": "cron(0 2 * * ? *)", "Duration": "PT1H"}},
    )  # fmt: skip


def _other_topic(world: World, _wanted: Desired) -> None:
    world.hand("sns", "create_topic", Name="other-alerts", Tags=[{"Key": "managed-by", "Value": "terraform"}])
    arn = f"arn:aws:sns:{REGION}:{ACCOUNT}:other-alerts"
    world.hand("sns", "subscribe", TopicArn=arn, Protocol="email", Endpoint="other@example.com")
    world.hand("logs", "put_resource_policy", policyName="other", policyDocument="{}")


def _other_catalogue(world: World, _wanted: Desired) -> None:
    """Another environment of ours, whose names begin as this one's do, and another service."""
    for service, environment in ((SERVICE, f"{ENVIRONMENT}-eu"), ("other", ENVIRONMENT)):
        tags = {
            **OWN_TAGS,
            "service": service,
            "environment": environment,
            "alert-id": "alert_0",
            "severity": "critical",
        }
        listed = [{"Key": key, "Value": value} for key, value in tags.items()]
        name = f"{service}-{environment}-alert_0-critical"
        world.hand("cloudwatch", "put_metric_alarm", **metric(name), Tags=listed)
        world.hand(
            "cloudwatch",
            "put_composite_alarm",
            AlarmName=f"{name}-any",
            AlarmRule=f"ALARM({name})",
            Tags=listed,
        )
        world.hand("events", "put_rule", Name=name, EventPattern='{"source":["aws.ecs"]}', Tags=listed)
        world.hand("sns", "create_topic", Name=f"{service}-{environment}-topic", Tags=listed)
        world.hand("logs", "create_log_group", logGroupName=f"/aws/events/{name}", tags=tags)


def _user(world: World, wanted: Desired) -> None:
    """A composite of others that depends on alarms of ours."""
    names = [key.partition("/")[2] for key in sorted(ours(world.snapshot())) if "-alarm/" in key]
    if names:
        rule = " OR ".join(f'ALARM("{name}")' for name in names[:2])
        world.hand("cloudwatch", "put_composite_alarm", AlarmName="other-user", AlarmRule=rule)


def _clash(world: World, wanted: Desired) -> None:
    """Others have what the catalogue wants to have."""
    theirs = [{"Key": key, "Value": value} for key, value in {**OWN_TAGS, "service": "other"}.items()]
    for number, alarm in enumerate(wanted.alarms):
        if alarm.name not in world.account.alarms.all:
            world.hand(
                "cloudwatch", "put_metric_alarm", **metric(alarm.name), Tags=theirs if number % 2 else []
            )
            return


_FOREIGN: dict[str, Callable[[World, Desired], None]] = {
    "alarm": _other_alarm,
    "prefixed": _prefixed,
    "topic": _other_topic,
    "catalogue": _other_catalogue,
    "user": _user,
    "clash": _clash,
}


def foreigners() -> st.SearchStrategy[list[str]]:
    """Which things of others are there."""
    return st.lists(st.sampled_from(sorted(_FOREIGN)), unique=True, max_size=len(_FOREIGN))


def settle(world: World, foreign: Iterable[str], wanted: Desired) -> None:
    """Put the things of others there."""
    for name in foreign:
        _FOREIGN[name](world, wanted)

"""Accounts as plan and apply may find them: what another catalogue left, damaged by hand, with things of other people beside and in between.

What is done by hand goes to the services of the fake themselves, so that it stands in no trace of calls.
"""

from __future__ import annotations

import copy
import json
import tempfile
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from hypothesis import assume
from hypothesis import strategies as st

from orders_obs.alerts import load
from orders_obs.aws.desired import Desired
from orders_obs.aws.guards import ALLOWED, Revision
from orders_obs.aws.management import Applied, Management, Options
from orders_obs.aws.pace import Pace
from orders_obs.aws.plan import Plan
from orders_obs.aws.record import Record
from orders_obs.aws.session import Aws
from orders_obs.errors import UserError
from tests.alerts.random_catalogues import ACCOUNT, ENVIRONMENT, REGION, Drawn, catalogues
from tests.aws.fake import FakeAccount, Killed
from tests.aws.fake.base import Refused
from tests.aws.fake.wire import connect

__all__ = [
    "ALL", "CANARY", "Damage", "World", "damages", "desired_by", "desires", "foreigners", "of_text", "ours", "wanted_state",
]  # fmt: skip

CANARY = "https://hooks.example.com/CANARY-a1b2c3d4e5f6"
"""What the secret holds: it may stand in the subscription and nowhere else."""
ALL = Options(prune=True, allow=tuple(ALLOWED))
"""Everything that a person can let through."""
SERVICE = "shop"
OWN_TAGS = {"managed-by": "orders-obs", "service": SERVICE, "environment": ENVIRONMENT}
PREFIX = f"{SERVICE}-{ENVIRONMENT}-"
RECORD = f"log-group//orders-obs/{SERVICE}-{ENVIRONMENT}"
_NOWHERE = Revision("", changed=False, folder=Path())


@dataclass
class World:
    """An account, and the people who use it.

    Attributes:
        account: The fake.
        others: Keys of the snapshot that are other people's.
        told: What was said while something was done.
    """

    account: FakeAccount = field(default_factory=lambda: new_account())
    others: set[str] = field(default_factory=set)
    told: list[str] = field(default_factory=list)

    def copy(self) -> World:
        """The same once more, of its own."""
        return World(copy.deepcopy(self.account), set(self.others))

    def manage(self, desired: Desired, revision: Revision = _NOWHERE) -> Management:
        """A new process that manages the account."""
        pace = Pace(self.account.clock, self.account.sleep)
        aws = _PROCESSES.begin(self.account, pace)
        clock = self.account.clock
        record = Record(aws, desired.record_group, desired.record_tags, clock=lambda: clock.now().timestamp())
        return Management(aws, desired, revision, record, self.told.append)

    def plan(self, desired: Desired, options: Options = ALL) -> Plan:
        return self.manage(desired).plan(options)[0]

    def apply(self, desired: Desired, options: Options = ALL) -> Applied:
        """Plan and apply in one process."""
        managed = self.manage(desired)
        return managed.apply(managed.plan(options)[0], options)

    def hand(self, service: str, operation: str, **arguments: Any) -> bool:
        """Somebody calls AWS; whether AWS took it."""
        try:
            getattr(self.account.services[service], operation)(arguments)
        except Refused:
            return False
        return True

    def snapshot(self) -> dict[str, Any]:
        """What is kept, without the record, which grows, and without the states of alarms."""
        kept = self.account.snapshot()
        kept.pop(RECORD, None)
        for thing in kept.values():
            thing.pop("StateValue", None)
            thing.pop("StateReason", None)
        return kept

    def foreign(self) -> dict[str, Any]:
        """What is other people's, whole, and what they put into our things."""
        kept = self.snapshot()
        mine = ours(kept)
        found: dict[str, Any] = {key: value for key, value in kept.items() if key not in mine}
        for key, thing in kept.items():
            if key.startswith("topic/") and key in mine:
                statements = json.loads(thing["Attributes"]["Policy"])["Statement"]
                found[f"{key} statements"] = [s for s in statements if str(s.get("Sid")).startswith("Other")]
            if key.startswith("rule/") and key in mine:
                found[f"{key} targets"] = {k: v for k, v in thing["Targets"].items() if k.startswith("other")}
            tags = thing.get("Tags", thing.get("tags", {}))
            found[f"{key} tags"] = {k: v for k, v in tags.items() if k.startswith("other")}
        return {key: value for key, value in found.items() if value}

    def harmed(self, before: dict[str, Any], adopted: Iterable[str] = ()) -> list[str]:
        """What of other people's is not as it was, but for what is taken over; a tag goes along with the thing of ours that it is on."""
        after, kept = self.foreign(), self.snapshot()
        return [
            f"{key}: {after.get(key)} instead of {value}"
            for key, value in before.items()
            if after.get(key) != value
            and not any(key.endswith((f"/{name}", f":{name}")) for name in adopted)
            and not (key.endswith(" tags") and key.removesuffix(" tags") not in kept)
        ]

    def lapse(self) -> None:
        """Wait until no lock is held any more."""
        self.account.clock.seconds += 1000


class _Processes:
    """Sessions with clients that are made once: making them takes longer than what is done with them. One process is at work at a time."""

    def __init__(self) -> None:
        self._boto: Any = None
        self._clients: dict[str, Any] = {}
        self._account: FakeAccount | None = None
        self._number = 0
        self._aws: Aws | None = None

    def begin(self, account: FakeAccount, pace: Pace) -> Aws:
        """A new process, which a kill ends as it does one with clients of its own."""
        if self._aws is not None:
            for client in self._aws._clients.values():
                client.meta.events.unregister("provide-client-params", self._aws._paced)
        account._sessions += 1
        self._account, self._number = account, account._sessions
        self._aws = Aws(self, REGION, pace=pace)
        return self._aws

    def client(self, service: str) -> Any:
        if service not in self._clients:
            self._boto = self._boto or connect(self._answer, ACCOUNT, REGION)
            self._clients[service] = self._boto.client(service)
        return self._clients[service]

    def _answer(self, service: str, operation: str, arguments: dict[str, Any]) -> dict[str, Any]:
        assert self._account is not None
        if self._number <= self._account._dead:
            raise Killed("this process was killed before")
        return self._account._handle(service, operation, arguments)


_PROCESSES = _Processes()


def new_account() -> FakeAccount:
    account = FakeAccount(ACCOUNT, REGION)
    account.seed_secret("orders/address", CANARY)
    for alias in ("alias/shop-production-alerts", "alias/shop-production", "alias/shop-alerts"):
        account.seed_key(alias.removeprefix("alias/"), alias=alias)
    return account


def ours(snapshot: dict[str, Any]) -> set[str]:
    """Keys of what is ours: by its tags; subscriptions that `Told` or a person's name give away are seen to by the tests."""
    found = set()
    for key, thing in snapshot.items():
        tags = thing.get("Tags", thing.get("tags", {}))
        if tags and all(tags.get(name) == value for name, value in OWN_TAGS.items()):
            found.add(key)
        if key.startswith("log-policy/") and "RulesToGroup" in thing["policyDocument"]:
            found.add(key)
        if key.startswith("subscription/") and "other" not in key:
            found.add(key)
    return found


def of_text(text: str, environment: str = ENVIRONMENT) -> Desired:
    """What the text of a catalogue wants."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "catalogue.yaml"
        path.write_text(text)
        return Desired(load(path), environment)


def desired_by(drawn: Drawn) -> Desired | None:
    """What a catalogue wants; None where it wants what its engines cannot have."""
    drawn.top["service"] = SERVICE
    with tempfile.TemporaryDirectory() as folder:
        try:
            return Desired(load(drawn.write(Path(folder))), ENVIRONMENT)
        except UserError:
            return None


@st.composite
def desires(draw: st.DrawFn, *, most: int = 4) -> Desired:
    """What some catalogue of the service wants, with at least one alarm or rule."""
    desired = desired_by(draw(catalogues(most=most)))
    assume(desired is not None and any(t.kind in ("metric-alarm", "rule") for t in desired.things.values()))
    assert desired is not None
    return desired


def wanted_state(desired: Desired) -> dict[str, Any]:
    """What an account has where nothing was before: by key of the snapshot."""
    world = World()
    applied = world.apply(desired)
    assert applied.complete, applied.failed or applied.unread
    return _plain(world.snapshot())


def _plain(kept: dict[str, Any]) -> dict[str, Any]:
    """Without what the server makes up, what others put there, and what is only written along: the hash of words that made no difference."""
    kept = copy.deepcopy(kept)
    for key, thing in kept.items():
        if key.startswith("subscription/"):
            thing.pop("SubscriptionArn")
            thing.pop("PendingConfirmation")
            thing["Attributes"] = {k: v for k, v in thing["Attributes"].items() if v not in ("{}", "false")}
        if key.startswith("topic/"):
            policy = json.loads(thing["Attributes"]["Policy"])
            policy["Statement"] = [
                s for s in policy["Statement"] if not str(s.get("Sid")).startswith("Other")
            ]
            thing["Attributes"]["Policy"] = policy
        if "Targets" in thing:
            thing["Targets"] = {k: v for k, v in thing["Targets"].items() if not k.startswith("other")}
        for name in ("Tags", "tags"):
            if name in thing:
                thing[name] = {
                    k: v for k, v in thing[name].items() if k not in ("orders-obs:source", "orders-obs:told") and not k.startswith("other")
                }
    return kept


def differences(world: World, wanted: dict[str, Any]) -> list[str]:
    """Where the account is not as it should be."""
    found = _plain(world.snapshot())
    return [
        f"{key}: {found.get(key)} instead of {value}" for key, value in wanted.items() if found.get(key) != value
    ]


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
    else:
        config["TreatMissingData"] = "breaching" if config.get("TreatMissingData") != "breaching" else "missing"
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
    names = [key.partition("/")[2] for key in sorted(ours(world.snapshot())) if key.startswith("composite-alarm/")]
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
            world.hand("cloudwatch", "put_metric_alarm", **_metric(name), Tags=tags)
    for parent in used:
        rule = rules[parent.config["AlarmName"]]
        world.hand("cloudwatch", "put_composite_alarm", **{**parent.config, "AlarmRule": rule})


def _metric(name: str) -> dict[str, Any]:
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
    if other % 4 == 0:
        policy["Statement"] = [_statement(topic.arn, which)]
    elif other % 4 == 1:
        policy["Statement"].append(_statement(topic.arn, which))
    elif other % 4 == 2:
        policy["Statement"] = policy["Statement"][1:] or [_statement(topic.arn, which)]
    else:
        policy["Statement"][0]["Effect"] = "Deny"
    topic.attributes["Policy"] = json.dumps(policy)


def _statement(arn: str, which: int) -> dict[str, Any]:
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
        rule.targets[f"other{which % 2}"] = {"Id": f"other{which % 2}", "Arn": f"arn:aws:sqs:{REGION}:{ACCOUNT}:q"}
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
    world.hand("cloudwatch", "put_metric_alarm", **_metric("other-cpu"), Tags=[{"Key": "team", "Value": "x"}])
    world.hand("cloudwatch", "put_composite_alarm", AlarmName="other-any", AlarmRule='ALARM("other-cpu")')


def _prefixed(world: World, _wanted: Desired) -> None:
    world.hand("cloudwatch", "put_metric_alarm", **_metric(f"{PREFIX}other"))
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
        tags = {**OWN_TAGS, "service": service, "environment": environment, "alert-id": "alert_0", "severity": "critical"}
        listed = [{"Key": key, "Value": value} for key, value in tags.items()]
        name = f"{service}-{environment}-alert_0-critical"
        world.hand("cloudwatch", "put_metric_alarm", **_metric(name), Tags=listed)
        world.hand("cloudwatch", "put_composite_alarm", AlarmName=f"{name}-any", AlarmRule=f"ALARM({name})", Tags=listed)
        world.hand("events", "put_rule", Name=name, EventPattern='{"source":["aws.ecs"]}', Tags=listed)
        world.hand("sns", "create_topic", Name=f"{service}-{environment}-topic", Tags=listed)
        world.hand("logs", "create_log_group", logGroupName=f"/aws/events/{name}", tags=tags)


_FOREIGN: dict[str, Callable[[World, Desired], None]] = {
    "alarm": _other_alarm,
    "prefixed": _prefixed,
    "topic": _other_topic,
    "catalogue": _other_catalogue,
}


def foreigners() -> st.SearchStrategy[list[str]]:
    """Which things of others are there."""
    return st.lists(st.sampled_from(sorted(_FOREIGN)), unique=True, max_size=len(_FOREIGN))


def settle(world: World, foreign: Iterable[str], wanted: Desired) -> None:
    """Put the things of others there."""
    for name in foreign:
        _FOREIGN[name](world, wanted)


def adopting(plan: Plan, options: Options) -> Options:
    """The options with which what lost its tags is taken over again."""
    names = [finding.where.partition("/")[2] for finding in plan.refusals if finding.rule == "not-ours"]
    return replace(options, adopt=(*options.adopt, *names))

"""Accounts as plan and apply may find them: what another catalogue left, damaged by hand, with things of other people beside and in between."""

from __future__ import annotations

import copy
import json
import tempfile
from collections.abc import Iterable
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
    "ALL", "CANARY", "ENVIRONMENT", "OWN_TAGS", "PREFIX", "RECORD", "SERVICE", "World", "adopting", "desired_by", "desires", "differences",
    "of_text", "ours", "wanted_state",
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


def new_account() -> FakeAccount:
    account = FakeAccount(ACCOUNT, REGION)
    account.seed_secret("orders/address", CANARY)
    for alias in ("alias/shop-production-alerts", "alias/shop-production", "alias/shop-alerts"):
        account.seed_key(alias.removeprefix("alias/"), alias=alias)
    return account


@dataclass
class World:
    """An account, and the people who use it.

    Attributes:
        account: The fake.
        others: Keys of the snapshot that are other people's.
        told: What was said while something was done.
    """

    account: FakeAccount = field(default_factory=new_account)
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
                    k: v
                    for k, v in thing[name].items()
                    if k not in ("orders-obs:source", "orders-obs:told") and not k.startswith("other")
                }
    return kept


def differences(world: World, wanted: dict[str, Any]) -> list[str]:
    """Where the account is not as it should be."""
    found = _plain(world.snapshot())
    return [
        f"{key}: {found.get(key)} instead of {value}"
        for key, value in wanted.items()
        if found.get(key) != value
    ]


def adopting(plan: Plan, options: Options) -> Options:
    """The options with which what lost its tags is taken over again."""
    names = [finding.where.partition("/")[2] for finding in plan.refusals if finding.rule == "not-ours"]
    return replace(options, adopt=(*options.adopt, *names))

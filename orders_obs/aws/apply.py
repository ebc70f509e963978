"""Makes a plan true: each thing is looked at once more right before it is written, and what is done is recorded as it is done.

Between that look and the write somebody else may write too: AWS has no conditional put. What depends on a thing that failed is not begun.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from orders_obs.aws.calls import Call, calls_for, loosened
from orders_obs.aws.composites import children
from orders_obs.aws.desired import told_digests, told_value, topic_of
from orders_obs.aws.guards import senders
from orders_obs.aws.live import read_thing
from orders_obs.aws.normal import comparable
from orders_obs.aws.pace import seconds_for
from orders_obs.aws.receivers import why_not
from orders_obs.aws.session import SessionLost
from orders_obs.aws.things import TOLD_TAG
from orders_obs.errors import EnvironmentFault
from orders_obs.redact import REDACTED

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from orders_obs.aws.desired import Desired
    from orders_obs.aws.plan import Change, Plan
    from orders_obs.aws.record import Lock, Record
    from orders_obs.aws.session import Aws
    from orders_obs.aws.things import Thing

__all__ = ["Done", "Outcome", "apply_plan"]

Outcome = Literal["done", "failed", "not begun"]
_BATCH = 25
"""Changes after which the record is written."""
_SOON = 1.0
_TAGGED_BY_CLOUDWATCH = ("metric-alarm", "composite-alarm", "mute-rule")
_BEGINNING = len("https://") + 8
"""Characters that give an address away."""
_TAGLESS = ("subscription", "log-policy")
_ALARMS = ("metric-alarm", "composite-alarm")
_ACTIONS = ("AlarmActions", "OKActions", "InsufficientDataActions")


@dataclass(frozen=True, slots=True)
class Done:
    """What became of a change.

    Attributes:
        change: The change.
        outcome: What became of it.
        reason: Why it was not done.
    """

    change: Change
    outcome: Outcome
    reason: str = ""

    def as_data(self) -> dict[str, Any]:
        """For JSON."""
        return self.change.as_data() | {"outcome": self.outcome, "reason": self.reason}


def apply_plan(
    aws: Aws,
    desired: Desired,
    plan: Plan,
    record: Record,
    lock: Lock,
    run: dict[str, Any],
    progress: Callable[[str], None] = lambda _: None,
) -> list[Done]:
    """Do what a plan says.

    Args:
        aws: The session.
        desired: What the plan was made for.
        plan: The plan.
        record: Where what is done is recorded.
        lock: The right to do it.
        run: What each entry of the record says of this run.
        progress: Told of each change, and how long the rest will take.

    Returns:
        What became of each change. A failure is no error: it is among them.
    """
    return _Run(aws, desired, plan, record, lock, run, progress).all()


def _operations(changes: list[Change]) -> Counter[str]:
    count: Counter[str] = Counter()
    for change in changes:
        for call in calls_for(change, change.live):
            count["".join(word.capitalize() for word in call.operation.split("_"))] += 1
    return count


@dataclass(slots=True)
class _Run:
    aws: Aws
    desired: Desired
    plan: Plan
    record: Record
    lock: Lock
    run: dict[str, Any]
    progress: Callable[[str], None]
    _done: list[Done] = field(default_factory=list)
    _recorded: int = 0
    _loose: dict[str, dict[str, Any]] = field(default_factory=dict)

    def all(self) -> list[Done]:
        changes = self.plan.changes
        seconds = [seconds_for(_operations([change])) for change in changes]
        left = sum(seconds)
        stopped = ""
        # What was not made as it should be, by what it is known by to what depends on it.
        lacking: dict[str, str] = {}
        try:
            for number, change in enumerate(changes):
                reason = stopped or self._waits(change, lacking)
                if reason:
                    self._done.append(Done(change, "not begun", reason))
                    lacking.setdefault(_known_as(change.thing), change.identity)
                    continue
                self.progress(
                    f"[{number + 1}/{len(changes)}] {change.action} {change.identity}"
                    + (f", about {left:.0f} s left" if left >= 10 else "")
                )
                left -= seconds[number]
                try:
                    if self.record.nearly_over(self.lock):
                        self.record.renew(self.lock)
                    reason = self._one(change)
                except SessionLost as lost:
                    self._done.append(Done(change, "failed", str(lost)))
                    stopped = str(lost)
                    continue
                except EnvironmentFault as fault:
                    reason = str(fault)
                self._done.append(Done(change, "failed" if reason else "done", reason))
                if reason:
                    lacking[_known_as(change.thing)] = change.identity
                if len(self._done) - self._recorded >= _BATCH or self.record.nearly_over(self.lock):
                    try:
                        self._note()
                    except EnvironmentFault as fault:
                        stopped = f"what is done could not be recorded: {fault}"
        finally:
            self._last_note()
        return self._done

    def _waits(self, change: Change, lacking: dict[str, str]) -> str:
        """Why a change is not begun; empty where nothing that it depends on is lacking."""
        if not lacking:
            return ""
        if change.action == "delete":
            return f"{next(iter(lacking.values()))} was not made as it should be: nothing goes before that is"
        if change.action in ("tag", "release"):
            return ""
        needed = next((lacking[name] for name in _needs(change.thing) if name in lacking), "")
        return f"it depends on {needed}, which was not made as it should be" if needed else ""

    def _one(self, change: Change) -> str:
        """Do one change; why it was not done, or an empty text."""
        now = read_thing(self.aws, self.desired, change.thing)
        if change.action == "delete" and now is None:
            return ""
        reason = self._moved(change, now)
        if reason:
            return reason
        if change.action in ("replace", "delete"):
            for composite in self.plan.loosened.get(change.thing.name, ()):
                reason = self._loosen(composite, change.thing.name)
                if reason:
                    return f"{composite.identity} depends on it: {reason}"
        for call in calls_for(change, now):
            self._send(call, change.identity)
        if change.thing.kind == "subscription":
            self._tell(change, now)
        made = now is None or change.action == "replace"
        if made and change.thing.kind in _TAGGED_BY_CLOUDWATCH:
            self._see_tags(change.thing)
        return ""

    def _loosen(self, composite: Thing, name: str) -> str:
        """Make a composite depend on nothing where it depends on what goes; why it was not done, or an empty text."""
        if composite.name in self._loose:
            return ""
        now = read_thing(self.aws, self.desired, composite)
        if now is None or name not in children(now.settings):
            return ""
        if now.settings != composite.settings or now.tags != composite.tags:
            return "somebody has changed it since the plan was made; plan again"
        call = loosened(composite)
        self._send(call, composite.identity)
        self._loose[composite.name] = comparable(composite.kind, call.arguments)
        return ""

    def _see_tags(self, thing: Thing) -> None:
        """See that what was made is marked as ours: without the right to tag, or on an emulator, the tags of a put are dropped."""
        answer = self._tags_of(thing)
        if answer is None:
            # What was just made may not be readable yet.
            self.aws.pace.sleep(_SOON)
            answer = self._tags_of(thing)
        if answer is not None and answer != thing.tags:
            pairs = [{"Key": key, "Value": value} for key, value in thing.tags.items()]
            self._send(
                Call("cloudwatch", "tag_resource", {"ResourceARN": thing.arn, "Tags": pairs}), thing.identity
            )

    def _tags_of(self, thing: Thing) -> dict[str, str] | None:
        answer = self.aws.call(
            "cloudwatch",
            "list_tags_for_resource",
            about=thing.identity,
            absent="ResourceNotFound",
            ResourceARN=thing.arn,
        )
        return None if answer is None else {tag["Key"]: tag["Value"] for tag in answer.get("Tags", [])}

    def _tell(self, change: Change, now: Thing | None) -> None:
        """Have the topic's tag say of the subscriptions that are there which are ours."""
        topic = self.desired.things.get(f"topic/{topic_of(change.thing)}")
        if topic is None:
            return
        answer = (
            self.aws.call("sns", "list_tags_for_resource", about=topic.identity, ResourceArn=topic.arn) or {}
        )
        tags = {tag["Key"]: tag["Value"] for tag in answer.get("Tags", [])}
        before = set(tags.get(TOLD_TAG, "").split())
        if change.action == "delete":
            after = before - told_digests(now or change.thing)
        else:
            there = read_thing(self.aws, self.desired, change.thing)
            after = before | told_digests(there) if there else before
        arguments: dict[str, Any] = {"ResourceArn": topic.arn}
        if after and after != before:
            tag = {"Key": TOLD_TAG, "Value": told_value(after)}
            self._send(Call("sns", "tag_resource", arguments | {"Tags": [tag]}), topic.identity)
        elif after != before:
            self._send(Call("sns", "untag_resource", arguments | {"TagKeys": [TOLD_TAG]}), topic.identity)

    def _moved(self, change: Change, now: Thing | None) -> str:
        """Why the change must not be made any more: the thing is not what the plan saw."""
        if now is None:
            return "" if change.live is None else "it is gone since the plan was made; plan again"
        if change.live is None:
            return "somebody has made it since the plan was made; plan again"
        seen = self._loose.get(now.name) if now.kind == "composite-alarm" else None
        if now.kind != change.live.kind or now.settings != (seen or change.live.settings):
            return "somebody has changed it since the plan was made; plan again"
        if now.kind not in _TAGLESS and now.tags != change.live.tags:
            return "somebody has changed its tags since the plan was made; plan again"
        if change.action == "delete" and now.kind in ("topic", "rule") and now.found != change.live.found:
            return "somebody has added to it since the plan was made, which would go with it; plan again"
        if change.action == "delete" and now.kind == "topic":
            users = senders(self.aws, now.arn, self.plan)
            if users:
                return f"{users[0]} sends to it since the plan was made; plan again"
        if change.action in ("replace", "delete") and now.firing and not change.live.firing:
            return "it fires since the plan was made, and would go; plan again"
        return ""

    def _send(self, call: Call, about: str) -> None:
        arguments = dict(call.arguments)
        endpoint = ""
        if call.secret:
            answer = self.aws.call(
                "secretsmanager",
                "get_secret_value",
                about=f"{about}: secret {call.secret}",
                SecretId=call.secret,
            )
            endpoint = arguments["Endpoint"] = (answer or {}).get("SecretString", "").strip()
            problem = why_not(endpoint)
            if problem:
                raise EnvironmentFault(
                    f"{about}: what secret {call.secret} holds {problem}",
                    hint="store the address of the receiver's SNS integration in it",
                )
        try:
            answer = self.aws.call(call.service, call.operation, about=about, **arguments) or {}
        except EnvironmentFault as fault:
            if not endpoint:
                raise
            raise EnvironmentFault(_without(endpoint, fault.message), hint=fault.hint) from None
        failed = answer.get("FailedEntries") or []
        if answer.get("FailedEntryCount") or failed:
            said = "; ".join(
                f"target {entry.get('TargetId', '?')}: {entry.get('ErrorCode', '')} {entry.get('ErrorMessage', '')}".rstrip()
                for entry in failed
            )
            raise EnvironmentFault(
                f"{about}: {call.operation} was done in part only: {said or 'AWS does not say which'}"
            )

    def _note(self) -> None:
        """Write what is new into the record, and keep the lock."""
        new = self._done[self._recorded :]
        events = [
            {**self.run, "event": "change", **done.as_data()} for done in new if done.outcome != "not begun"
        ]
        if events:
            self.record.write(events)
        self._recorded = len(self._done)
        if self.record.nearly_over(self.lock):
            self.record.renew(self.lock)

    def _last_note(self) -> None:
        try:
            self._note()
        except EnvironmentFault as fault:
            # What was done is said all the same.
            self.progress(f"what was done last could not be recorded: {fault}")


def _without(endpoint: str, text: str) -> str:
    """A text without a secret address, also where it ends in the midst of it."""
    text = text.replace(endpoint, REDACTED)
    begin = text.find(endpoint[:_BEGINNING])
    return text if begin < 0 else f"{text[:begin]}{REDACTED}"


def _known_as(thing: Thing) -> str:
    """What a thing is known by to what depends on it: alarms of both types have one name space, and there is one policy of logs."""
    if thing.kind == "log-policy":
        return thing.kind
    return f"alarm/{thing.name}" if thing.kind in _ALARMS else thing.identity


def _needs(thing: Thing) -> Iterator[str]:
    """What a thing depends on: an alarm whose topic is missing tells nobody."""
    settings = thing.settings
    if thing.kind == "subscription":
        yield f"topic/{topic_of(thing)}"
    elif thing.kind in _ALARMS:
        for name in _ACTIONS:
            yield from map(_addressed, settings.get(name, []))
        if thing.kind == "composite-alarm":
            yield from (f"alarm/{name}" for name in sorted(children(settings)))
    elif thing.kind == "rule":
        targets = [_addressed(target.get("Arn", "")) for target in settings.get("Targets", {}).values()]
        yield from targets
        if any(target.startswith("log-group/") for target in targets):
            yield "log-policy"
    elif thing.kind == "mute-rule":
        yield from (f"alarm/{name}" for name in settings["MuteTargets"]["AlarmNames"])


def _addressed(arn: str) -> str:
    """The identity of a topic or log group by its ARN; of anything else the ARN."""
    service, _, rest = arn.partition(":")[2].partition(":")[2].partition(":")
    name = rest.split(":", 2)[-1]
    if service == "sns":
        return f"topic/{name}"
    return f"log-group/{name.removeprefix('log-group:').removesuffix(':*')}" if service == "logs" else arn

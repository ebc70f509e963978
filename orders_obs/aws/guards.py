"""What must not happen by mistake: each guard refuses, says why, and names the way past it where there is one."""

from __future__ import annotations

import subprocess
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from orders_obs.alerts.aws_calls import validate
from orders_obs.aws.alarm_pages import alarm_pages
from orders_obs.aws.calls import calls_for
from orders_obs.aws.composites import children, cycle
from orders_obs.aws.desired import MOST_TOLD
from orders_obs.aws.receivers import why_not
from orders_obs.aws.session import Denied, UnknownCall
from orders_obs.aws.things import TOLD_TAG
from orders_obs.findings import Finding

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator
    from pathlib import Path

    from orders_obs.aws.desired import Desired
    from orders_obs.aws.live import Live
    from orders_obs.aws.plan import Plan
    from orders_obs.aws.record import Record
    from orders_obs.aws.session import Aws
    from orders_obs.aws.things import Thing

__all__ = ["ALLOWED", "Allowed", "Revision", "check", "revision_of", "senders"]

Allowed = Literal["deletions", "empty", "older", "firing"]
ALLOWED: dict[Allowed, str] = {
    "deletions": "more than a fifth of what is ours goes",
    "empty": "a catalogue without alerts",
    "older": "a revision that does not come after the one that was applied",
    "firing": "an alarm that fires now is deleted or renamed",
}
"""What the guards let through when asked, and what that is."""
_DELETIONS = 0.2
_ALARMS = ("metric-alarm", "composite-alarm")


@dataclass(frozen=True, slots=True)
class Revision:
    """The state of the catalogue's repository.

    Attributes:
        commit: Its commit; empty where it is in none.
        changed: Whether files of the catalogue differ from the commit.
        folder: Where.
    """

    commit: str
    changed: bool
    folder: Path

    def __str__(self) -> str:
        return f"{self.commit}{'+' if self.changed else ''}"

    def knows(self, commit: str) -> bool:
        """Whether that commit is in this clone."""
        return _git(self.folder, "cat-file", "-e", f"{commit}^{{commit}}") is not None

    def descends_from(self, commit: str) -> bool:
        """Whether it is that commit or comes after it."""
        return _git(self.folder, "merge-base", "--is-ancestor", commit, self.commit) is not None


def revision_of(folder: Path) -> Revision:
    """The revision of the repository that a folder is in; an empty one where it is in none or git is not there."""
    commit = _git(folder, "rev-parse", "HEAD") or ""
    return Revision(commit, bool(commit and _git(folder, "status", "--porcelain", "--", ".")), folder)


def check(
    plan: Plan,
    desired: Desired,
    live: Live,
    aws: Aws,
    record: Record,
    revision: Revision,
    allowed: Collection[Allowed] = (),
) -> list[Finding]:
    """Why a plan must not be applied; what it refuses itself not repeated.

    Raises:
        EnvironmentFault: Something that must be looked at cannot be.
    """
    found = [
        *_empty(desired, allowed),
        *_many(plan, desired, live, allowed),
        *_firing(plan, allowed),
        *_circles(desired),
        *_refused_by_aws(plan),
    ]
    if plan.changes:
        found += [
            *_key(plan, desired, aws),
            *_secrets(plan, aws),
            *_topics(plan, aws),
            *_in_use(plan, desired, live, aws),
            *_older(record, revision, allowed),
        ]
    return found


def _empty(desired: Desired, allowed: Collection[Allowed]) -> Iterator[Finding]:
    kinds = {thing.kind for thing in desired.things.values()}
    if not kinds & {*_ALARMS, "rule"} and "empty" not in allowed:
        yield _finding(
            "catalogue-empty", desired.owner.environment, "the catalogue has no alert here", "empty"
        )


def _many(plan: Plan, desired: Desired, live: Live, allowed: Collection[Allowed]) -> Iterator[Finding]:
    """Of what watches: topics and logs have guards of their own, and what took another name is not lost."""
    kinds = (*_ALARMS, "rule")
    ours = [t for t in live.things.values() if t.kind in kinds and desired.owner.has(t.tags)]
    gone = [c for c in plan.changes if c.action == "delete" and c.thing.kind in kinds and not c.superseded]
    if len(gone) > _DELETIONS * len(ours) and "deletions" not in allowed:
        message = f"{len(gone)} of the {len(ours)} alarms and rules that are ours would go"
        yield _finding("deletions-many", desired.owner.environment, message, "deletions")


def _firing(plan: Plan, allowed: Collection[Allowed]) -> Iterator[Finding]:
    for change in plan.changes:
        if (
            change.action in ("delete", "replace")
            and change.live
            and change.live.firing
            and "firing" not in allowed
        ):
            yield _finding("alarm-firing", change.live.identity, "it fires now, and would go", "firing")


def _finding(rule: str, where: str, message: str, allow: Allowed) -> Finding:
    return Finding(rule, "error", where, message, f"look again; --allow {allow} where it is meant")


def _circles(desired: Desired) -> Iterator[Finding]:
    composites = {
        thing.name: thing.settings for thing in desired.things.values() if thing.kind == "composite-alarm"
    }
    found = cycle(composites)
    if found:
        message = "these depend on each other in a circle, and would never be evaluated"
        yield Finding("composite-cycle", "error", ", ".join(found), message, "change the rule of one of them")


def _refused_by_aws(plan: Plan) -> Iterator[Finding]:
    for change in plan.changes:
        for call in calls_for(change, change.live):
            arguments = call.arguments | ({"Endpoint": "https://secret.example.com"} if call.secret else {})
            for problem in validate(call.operation, arguments):
                message = f"AWS would refuse {call.operation}: {problem}"
                yield Finding("call-refused", "error", change.identity, message)


def _key(plan: Plan, desired: Desired, aws: Aws) -> Iterator[Finding]:
    if not desired.key or not any(change.thing.kind == "topic" for change in plan.changes):
        return
    answer = aws.call("kms", "describe_key", about=f"key {desired.key}", absent="NotFound", KeyId=desired.key)
    if answer is None:
        hint = "make it from the export: `orders-obs alerts build --engine cloudformation`, or terraform"
        yield Finding(
            "key-missing", "error", desired.key, "is not there, and topics are encrypted with it", hint
        )
    elif answer["KeyMetadata"].get("KeyState", "Enabled") != "Enabled":
        state = answer["KeyMetadata"]["KeyState"]
        yield Finding("key-missing", "error", desired.key, f"cannot be used: it is {state}", "enable the key")


def _secrets(plan: Plan, aws: Aws) -> Iterator[Finding]:
    for change in plan.changes:
        secret = change.thing.arguments.get("Secret") if change.action == "create" else None
        if not secret:
            continue
        about = f"secret {secret}"
        known = aws.call(
            "secretsmanager", "describe_secret", about=about, absent="ResourceNotFound", SecretId=secret
        )
        if known is None or known.get("DeletedDate"):
            hint = "store the address of the receiver's SNS integration in Secrets Manager under this name"
            yield Finding("secret-missing", "error", change.identity, f"secret {secret} is not there", hint)
            continue
        try:
            answer = aws.call("secretsmanager", "get_secret_value", about=about, SecretId=secret) or {}
        except Denied:
            # Whoever only plans need not see it; the apply looks.
            continue
        problem = why_not(answer.get("SecretString", "").strip())
        if problem:
            hint = "store the address of the receiver's SNS integration in it"
            yield Finding(
                "secret-unfit", "error", change.identity, f"what secret {secret} holds {problem}", hint
            )


def _topics(plan: Plan, aws: Aws) -> Iterator[Finding]:
    """No topic goes that an alarm or a rule still sends to."""
    for change in plan.changes:
        if change.thing.kind != "topic":
            continue
        told = change.thing.tags.get(TOLD_TAG, "").split()
        if len(told) >= MOST_TOLD:
            message = (
                f"more subscribe to it than its tag can name ({MOST_TOLD}; one by a secret counts twice)"
            )
            yield Finding("subscriptions-many", "error", change.identity, message, "use a mailing list")
        if change.action == "delete":
            users = senders(aws, change.thing.arn, plan)
            if users:
                message = f"would go, and these send to it: {', '.join(users[:5])}" + (
                    f" and {len(users) - 5} more" if len(users) > 5 else ""
                )
                hint = f"give them another topic, or keep it: `alerts release {change.thing.name}`"
                yield Finding("topic-in-use", "error", change.identity, message, hint)


def senders(aws: Aws, topic: str, plan: Plan) -> list[str]:
    """The alarms and rules that send to a topic, but for those that this plan deletes or makes send elsewhere."""
    changed = {
        change.thing.name
        for change in plan.changes
        if change.action == "delete"
        or (change.action in ("update", "replace") and topic not in str(change.thing.settings))
    }
    try:
        pages = alarm_pages(aws, ActionPrefix=topic)
    except UnknownCall:
        # An emulator that fails over it.
        pages = alarm_pages(aws)
    found = [
        alarm["AlarmName"]
        for page in pages
        for alarm in (*page["MetricAlarms"], *page["CompositeAlarms"], *page.get("LogAlarms", ()))
        if any(
            topic in alarm.get(name, ()) for name in ("AlarmActions", "OKActions", "InsufficientDataActions")
        )
    ]
    with suppress(UnknownCall):
        rules = aws.pages("events", "list_rule_names_by_target", about="rules", TargetArn=topic)
        found += [name for page in rules for name in page["RuleNames"]]
    return sorted({name for name in found if name not in changed})


def _in_use(plan: Plan, desired: Desired, live: Live, aws: Aws) -> Iterator[Finding]:
    going = {
        change.live.name: change.live
        for change in plan.changes
        if change.action in ("delete", "replace") and change.live and change.live.kind in _ALARMS
    }
    if not going:
        return
    # What of ours depends on it the plan sees to.
    own = {thing.name for thing in live.things.values() if desired.owner.has(thing.tags)}
    for name, user in _users(going, own, desired, aws):
        message = f"is used by {user}, which is not ours, and would go"
        yield Finding("alarm-in-use", "error", going[name].identity, message, "take it out there first")


def _users(going: dict[str, Thing], own: set[str], desired: Desired, aws: Aws) -> Iterator[tuple[str, str]]:
    for name, thing in going.items():
        for action in thing.settings.get("AlarmActions", []):
            if ":autoscaling:" in action:
                yield name, f"autoscaling policy {action.rpartition('policyName/')[2] or action}"
    pages = aws.pages(
        "cloudwatch",
        "describe_alarms",
        about="composite alarms",
        AlarmTypes=["CompositeAlarm"],
        MaxRecords=100,
    )
    for composite in (composite for page in pages for composite in page["CompositeAlarms"]):
        if composite["AlarmName"] not in own:
            for name in sorted(children(composite) & set(going)):
                yield name, f"composite alarm {composite['AlarmName']}"
    resources = desired.environment.resources
    cluster, service = resources.get("cluster"), resources.get("ecs_service")
    if cluster and service:
        # Where ECS is not known, no deployment watches an alarm.
        with suppress(UnknownCall):
            yield from _deployments(cluster, service, going, aws)


def _deployments(cluster: str, service: str, going: dict[str, Thing], aws: Aws) -> Iterator[tuple[str, str]]:
    answer = aws.call(
        "ecs", "describe_services", about=f"ECS service {service}", absent="ClusterNotFound",
        cluster=cluster, services=[service],
    )  # fmt: skip
    for found in (answer or {}).get("services", []):
        for name in _gates(found):
            if name in going:
                yield name, f"the deployments of ECS service {service}"


def _gates(service: dict[str, Any]) -> list[str]:
    alarms = service.get("deploymentConfiguration", {}).get("alarms", {})
    return list(alarms.get("alarmNames", []))


def _older(record: Record, revision: Revision, allowed: Collection[Allowed]) -> Iterator[Finding]:
    # Whatever began has perhaps written, also where its end is not known; what lets go follows from no revision.
    last = record.last("started")
    applied = str((last or {}).get("revision", "")).removesuffix("+")
    if not applied or applied == revision.commit or "older" in allowed:
        return
    if not revision.commit:
        message = f"revision {applied[:12]} was applied, and this catalogue is in no repository"
        yield _finding("revision-older", record.group, message, "older")
    elif not revision.knows(applied):
        message = f"revision {applied[:12]} was applied, and this clone does not know it"
        hint = "fetch the history (git fetch --unshallow); --allow older where it is gone for good"
        yield Finding("revision-older", "error", record.group, message, hint)
    elif not revision.descends_from(applied):
        message = f"revision {applied[:12]} was applied, and {revision.commit[:12]} does not come after it"
        yield _finding("revision-older", record.group, message, "older")


def _git(folder: Path, *words: str) -> str | None:
    try:
        done = subprocess.run(
            ["git", "-C", str(folder), *words], capture_output=True, text=True, timeout=20, check=False
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.strip() if done.returncode == 0 else None

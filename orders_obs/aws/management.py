"""One environment of a catalogue on AWS: plan, apply, verify, record, in the order that makes each of them mean something."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from orders_obs._version import __version__
from orders_obs.aws import guards
from orders_obs.aws.apply import apply_plan
from orders_obs.aws.live import read_live
from orders_obs.aws.plan import make_plan
from orders_obs.aws.record import Record
from orders_obs.aws.session import SessionLost
from orders_obs.aws.verify import verify
from orders_obs.errors import EnvironmentFault, UserError

if TYPE_CHECKING:
    from collections.abc import Callable

    from orders_obs.aws.apply import Done
    from orders_obs.aws.desired import Desired
    from orders_obs.aws.guards import Allowed, Revision
    from orders_obs.aws.live import Live
    from orders_obs.aws.plan import Plan
    from orders_obs.aws.session import Aws
    from orders_obs.findings import Finding

__all__ = ["Applied", "Management", "Options", "refuse", "same_as"]

_SOON = 2.0
"""Seconds after which what was written is readable, as a rule."""


@dataclass(frozen=True, slots=True)
class Options:
    """What a person asks of a plan beyond its catalogue.

    Attributes:
        prune: Whether our orphans go.
        adopt: Names of things to take over.
        allow: What the guards let through.
        break_lock: Whether to take the lock from whoever has it.
        destroy: Whether all that is ours shall go, whatever the catalogue wants.
    """

    prune: bool = False
    adopt: tuple[str, ...] = ()
    allow: tuple[Allowed, ...] = ()
    break_lock: bool = False
    destroy: bool = False


@dataclass(slots=True)
class Applied:
    """What an apply did.

    Attributes:
        plan: What it did.
        done: What became of each change.
        left: What a plan finds still to be done afterwards.
        findings: What was found wrong with what is there now.
        record: The entry of the record.
        unread: Why what was applied could not be looked at afterwards; empty where it was.
    """

    plan: Plan
    done: list[Done]
    left: Plan | None = None
    findings: list[Finding] = field(default_factory=list)
    record: dict[str, Any] = field(default_factory=dict)
    unread: str = ""

    @property
    def failed(self) -> list[Done]:
        """The changes that were not done."""
        return [entry for entry in self.done if entry.outcome != "done"]

    @property
    def complete(self) -> bool:
        """Whether AWS is as the catalogue says."""
        return not self.failed and not self.unread and not (self.left and self.left.changes)


class Management:
    """A catalogue's environment on AWS.

    Args:
        aws: The session.
        desired: What the catalogue wants.
        revision: Of the catalogue's repository.
        record: The record of changes.
        progress: Told what is going on.

    Raises:
        UserError: The session is another account's.
    """

    def __init__(
        self,
        aws: Aws,
        desired: Desired,
        revision: Revision,
        record: Record | None = None,
        progress: Callable[[str], None] = lambda _: None,
    ) -> None:
        aws.require(desired.environment)
        self.aws = aws
        self.desired = desired
        self.revision = revision
        self.record = record or Record(aws, desired.record_group, desired.record_tags)
        self.progress = progress

    def plan(self, options: Options = Options()) -> tuple[Plan, Live]:
        """What would be done, and what is there.

        Raises:
            EnvironmentFault: Something cannot be read.
        """
        live = read_live(self.aws, self.desired, self.progress)
        live.begun = self.record.begun()
        desired = self.desired.emptied() if options.destroy else self.desired
        plan = make_plan(
            desired,
            live,
            account=self.aws.account,
            region=self.aws.region,
            prune=options.prune,
            adopt=options.adopt,
            today=self._now().date().isoformat(),
        )
        self.progress("checking the calls that would be made")
        plan.refusals += guards.check(
            plan, desired, live, self.aws, self.record, self.revision, options.allow
        )
        return plan, live

    def note(self, entry: dict[str, Any]) -> None:
        """Write something into the record.

        Raises:
            EnvironmentFault: It cannot be written.
        """
        self.record.open()
        self.record.write([{**self._run(), **entry}])

    def apply(
        self, plan: Plan, options: Options = Options(), *, again: bool = True, what: str = "apply"
    ) -> Applied:
        """Do what a plan says, if what it was made from is still so.

        Args:
            plan: The plan.
            options: Those that it was made with.
            what: What the record calls it.
            again: Whether it is made anew before and after, and held against it; a plan that follows from no catalogue is not.

        Raises:
            UserError: The plan is refused, somebody else is at work, or what is there has changed.
            EnvironmentFault: The lock or the record cannot be had.
        """
        refuse(plan)
        if not plan.changes:
            return Applied(plan, [])
        self.record.open()
        lock = self.record.acquire(force=options.break_lock)
        try:
            now = self._still(plan, options) if again else plan
            run = {**self._run(), "what": what}
            # Before the first write: whatever becomes of this process, what was there before is known.
            self.record.write(
                [
                    {**run, "event": "started", "fingerprint": plan.fingerprint, "changes": len(now.changes)},
                    *({**run, "event": "planned", **change.as_data()} for change in now.changes),
                ]
            )
            done = apply_plan(self.aws, self.desired, now, self.record, lock, run, self.progress)
            applied = Applied(now, done)
            if again:
                self._look_again(applied, options, run)
            applied.record = self._entry(applied, run)
            self._end(applied)
            return applied
        finally:
            self._release(lock)

    def _still(self, plan: Plan, options: Options) -> Plan:
        """The plan made anew, which is the same."""
        now, _ = self.plan(options)
        refuse(now)
        same_as(plan, now)
        return now

    def _look_again(self, applied: Applied, options: Options, run: dict[str, Any]) -> None:
        try:
            applied.left, live = self.plan(options)
            if applied.left.changes and not applied.failed:
                # What was just written may not be readable yet.
                self.aws.pace.sleep(_SOON)
                applied.left, live = self.plan(options)
            # Of destroyed things nothing is expected to be there.
            wanted = set() if options.destroy else set(self.desired.things)
            self.record.write_state(run, wanted & set(live.things))
            names = {entry.change.thing.name for entry in applied.done}
            if options.destroy:
                return
            applied.findings = verify(self.aws, self.desired, live, names, self.progress)
        except EnvironmentFault as fault:
            applied.unread = str(fault)

    def _run(self) -> dict[str, Any]:
        return {
            "run": uuid.uuid4().hex[:12],
            "at": self._now().isoformat(timespec="seconds"),
            "by": self.aws.caller,
            "service": self.desired.owner.service,
            "environment": self.desired.owner.environment,
            "account": self.aws.account,
            "region": self.aws.region,
            "revision": str(self.revision),
            "orders_obs": __version__,
        }

    def _entry(self, applied: Applied, run: dict[str, Any]) -> dict[str, Any]:
        event = "applied" if applied.complete else "applied in part"
        changes = [
            {
                "action": entry.change.action,
                "thing": entry.change.identity,
                "outcome": entry.outcome,
                **({"reason": entry.reason} if entry.reason else {}),
            }
            for entry in applied.done
        ]
        return {**run, "event": event, "ended": self._now().isoformat(timespec="seconds"), "changes": changes}

    def _end(self, applied: Applied) -> None:
        """Write the end into the record; where that fails, what was done stands in it all the same."""
        try:
            brief = {key: value for key, value in applied.record.items() if key != "changes"}
            self.record.write(
                [{**brief, "done": len(applied.done) - len(applied.failed), "failed": len(applied.failed)}]
            )
        except EnvironmentFault as fault:
            applied.unread = applied.unread or str(fault)

    def _release(self, lock: Any) -> None:
        try:
            self.record.release(lock)
        except SessionLost:
            self.progress("the lock could not be given back; it lapses by itself")
        except EnvironmentFault as fault:
            self.progress(f"the lock could not be given back, and lapses by itself: {fault}")

    def _now(self) -> datetime:
        return datetime.fromtimestamp(self.record.clock(), tz=UTC)


def refuse(plan: Plan) -> None:
    """See to it that a plan may be applied.

    Raises:
        UserError: It may not.
    """
    if plan.refusals:
        first = plan.refusals[0]
        more = f"; and {len(plan.refusals) - 1} more" if len(plan.refusals) > 1 else ""
        raise UserError(f"nothing was applied: {first.where}: {first.message}{more}", hint=first.hint)


def same_as(plan: Plan, now: Plan) -> None:
    """See to it that what a plan was made from is still so.

    Raises:
        UserError: It is not.
    """
    if plan.fingerprint == now.fingerprint:
        return
    before, after = ({change.identity: change.as_data() for change in p.changes} for p in (plan, now))
    moved = sorted(name for name in {*before, *after} if before.get(name) != after.get(name))
    raise UserError(
        f"nothing was applied: what is there, or the catalogue, has changed since the plan was made: {', '.join(moved[:5]) or 'a setting'}"
        + (f" and {len(moved) - 5} more" if len(moved) > 5 else ""),
        hint="plan again, and look at it",
    )

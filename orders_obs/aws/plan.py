"""The difference between what a catalogue wants and what AWS has, as changes that a person can review.

Names are identity, tags are ownership: what has a wanted name and carries other tags is somebody else's, and refuses the plan. What is ours
and is not wanted any more goes where its alert is still there (its parts took other names), and else stays until `prune`.
"""

from __future__ import annotations

import shlex
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Literal

from orders_obs.aws import holds
from orders_obs.aws.composites import children, parents_first
from orders_obs.aws.desired import told_digests, told_value, topic_of
from orders_obs.aws.field_changes import FieldChange, field_changes
from orders_obs.aws.normal import digest
from orders_obs.aws.things import CONTENT_TAG, KINDS, OWN_TAGS, SOURCE_TAG, STACK_TAG, TOLD_TAG, Owner, Thing
from orders_obs.findings import Finding

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from orders_obs.aws.desired import Desired
    from orders_obs.aws.live import Live

__all__ = ["Action", "Cause", "Change", "FieldChange", "Plan", "make_plan"]

Action = Literal["create", "update", "tag", "replace", "delete", "release"]
"""`tag` changes tags alone; `replace` makes an alarm of another type under the name; `release` takes our tags off."""
Cause = Literal["catalogue", "package", "by hand", "adopted", "interrupted"]
"""Why: the team's own words; a newer orders-obs; somebody changed what is there; it was not ours yet; an apply did not get to its tags."""

_ALARMS = ("metric-alarm", "composite-alarm")
_SID = "RulesToGroup"
_UNTAGGED = ("subscription", "log-policy")


@dataclass(frozen=True, slots=True)
class Change:
    """One thing to change.

    Attributes:
        action: What happens to it.
        thing: As it should be; as it is where it goes.
        live: As it is; None where it is not there.
        cause: Why.
        fields: The settings that differ.
        tags: Tags to set.
        untag: Tags to take off.
        note: What a person should know.
        superseded: Whether it goes because another name took its place.
    """

    action: Action
    thing: Thing
    live: Thing | None
    cause: Cause
    fields: tuple[FieldChange, ...] = ()
    tags: dict[str, str] = field(default_factory=dict)
    untag: tuple[str, ...] = ()
    note: str = ""
    superseded: bool = False

    @property
    def identity(self) -> str:
        """Of the thing."""
        return self.thing.identity

    def as_data(self) -> dict[str, Any]:
        """For JSON."""
        return {
            "action": self.action,
            "kind": self.thing.kind,
            "name": self.thing.name,
            "alert": self.thing.alert[0],
            "severity": self.thing.alert[1],
            "cause": self.cause,
            "state": self.live.state if self.live else "",
            "fields": [{"path": f.path, "was": f.was, "will": f.will} for f in self.fields],
            "tags": self.tags,
            "untag": list(self.untag),
            "note": self.note,
        }


@dataclass(slots=True)
class Plan:
    """What would be done.

    Attributes:
        owner: Whose things.
        account: Of AWS.
        region: Of AWS.
        changes: In the order in which they are made.
        unchanged: How many things are as they should be.
        orphans: Ours, wanted no more, and left until they are pruned.
        held: What somebody put on hold, which differs and stays as it is, with the words of the hold.
        others: What others added to our things, which stays.
        refusals: Why it must not be applied.
        notes: What a person should know.
        loosened: By the name of an alarm that goes, the composites that depend on nothing for a moment so that it can.
    """

    owner: Owner
    account: str
    region: str
    changes: list[Change] = field(default_factory=list)
    unchanged: int = 0
    orphans: list[Thing] = field(default_factory=list)
    held: list[tuple[Change, str]] = field(default_factory=list)
    others: list[str] = field(default_factory=list)
    refusals: list[Finding] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    loosened: dict[str, list[Thing]] = field(default_factory=dict)

    @property
    def deletions(self) -> list[Change]:
        """The changes by which something goes."""
        return [change for change in self.changes if change.action == "delete"]

    @property
    def fingerprint(self) -> str:
        """Hash of everything that would be done, and of what it was made from."""
        return digest(
            [
                [self.owner.service, self.owner.environment, self.account, self.region],
                [
                    [_decided(change), change.thing.settings, change.live.settings if change.live else None]
                    for change in self.changes
                ],
            ]
        )


def make_plan(
    desired: Desired,
    live: Live,
    *,
    account: str,
    region: str,
    prune: bool = False,
    adopt: Collection[str] = (),
    today: str = "",
) -> Plan:
    """Hold what is wanted against what is there.

    Args:
        desired: What is wanted.
        live: What is there.
        account: Whose account it is.
        region: Which region.
        prune: Whether our orphans go.
        adopt: Names of things that are not ours yet and shall be.
        today: ISO date, for holds that are over.
    """
    plan = Plan(desired.owner, account, region, notes=list(live.notes))
    differ = _Differences(desired, live, plan, frozenset(adopt), today)
    changes = [change for thing in desired.things.values() for change in differ.wanted(thing)]
    changes += differ.unwanted(prune=prune)
    changes = differ.needed(changes)
    changes += differ.loosen(changes)
    plan.changes = _ordered(changes)
    unknown = sorted(set(adopt) - {thing.name for thing in desired.things.values()})
    for name in unknown:
        plan.refusals.append(
            Finding(
                "adopt-unknown",
                "error",
                name,
                "is no name of a thing that the catalogue wants",
                "see the names in the plan",
            )
        )
    return plan


class _Differences:
    def __init__(self, desired: Desired, live: Live, plan: Plan, adopt: frozenset[str], today: str) -> None:
        self._desired = desired
        self._live = live
        self._plan = plan
        self._adopt = adopt
        self._today = today
        self._by_name = {thing.name: thing for thing in live.things.values() if thing.kind in _ALARMS}

    def wanted(self, thing: Thing) -> Iterator[Change]:
        """What is to be done so that a wanted thing is as it should be."""
        found = self._live.things.get(thing.identity)
        if found is None and thing.kind in _ALARMS:
            found = self._by_name.get(thing.name)
        if thing.kind == "topic":
            thing = self._told(thing)
        if found is None:
            yield Change("create", thing, None, "catalogue", tuple(field_changes({}, thing.settings)))
            return
        ours = self._is_ours(found)
        # What another catalogue manages it would want back.
        adopted = thing.name in self._adopt and not Owner.named(found.tags)
        if not (adopted or ours):
            self._refuse(found)
            return
        stack = found.tags.get(STACK_TAG)
        if adopted and not ours and stack:
            message = f"the CloudFormation stack {stack} owns it"
            hint = "give it `DeletionPolicy: Retain` there, deploy, take it out, deploy again; then adopt it"
            self._plan.refusals.append(Finding("stack-owns", "error", found.identity, message, hint))
            return
        self._say_others(found)
        change = self._change(thing, found, adopted=adopted)
        if change is None:
            self._plan.unchanged += 1
            return
        held = holds.active(found.tags, self._today)
        if held:
            self._plan.held.append((change, held))
        else:
            yield change

    def _change(self, thing: Thing, found: Thing, *, adopted: bool) -> Change | None:
        tags = {key: value for key, value in thing.tags.items() if found.tags.get(key) != value}
        untag = tuple(sorted(key for key in found.tags if key in OWN_TAGS and key not in thing.tags))
        over = holds.over(found.tags, self._today)
        untag += (over,) if over else ()
        if set(tags) == {SOURCE_TAG}:
            # Words that made no difference are no reason to write.
            tags = {}
        fields = tuple(field_changes(found.settings, thing.settings))
        if found.kind != thing.kind:
            note = f"a {found.kind.replace('-', ' ')} has the name now: it is deleted first, and its history with it"
            return Change("replace", thing, found, "catalogue", fields, thing.tags, note=note)
        if fields:
            return Change(
                "update", thing, found, self._cause(thing, found, adopted=adopted), fields, tags, untag
            )
        if not tags and not untag:
            return None
        if adopted:
            return Change("tag", thing, found, "adopted", (), thing.tags, untag)
        interrupted = not untag and set(tags) <= {CONTENT_TAG, SOURCE_TAG, TOLD_TAG}
        return Change("tag", thing, found, "interrupted" if interrupted else "catalogue", (), tags, untag)

    def _cause(self, thing: Thing, found: Thing, *, adopted: bool) -> Cause:
        if adopted:
            return "adopted"
        applied = found.tags.get(CONTENT_TAG)
        if thing.kind in _UNTAGGED or (applied and applied != found.content):
            return "by hand"
        if not applied:
            # It goes along with what is made in one call, and comes last where there are more.
            return "interrupted"
        source, now = found.tags.get(SOURCE_TAG), thing.tags.get(SOURCE_TAG)
        return "package" if source and source == now else "catalogue"

    def unwanted(self, *, prune: bool) -> Iterator[Change]:
        """What is to be done with what is ours and not wanted."""
        names = {thing.name for thing in self._desired.things.values() if thing.kind in _ALARMS}
        kept = {thing.alert for thing in self._desired.things.values()} | self._desired.renamed
        for identity, found in self._live.things.items():
            if (
                identity in self._desired.things
                or (found.kind in _ALARMS and found.name in names)
                or found.name == self._desired.record_group
            ):
                continue
            if not self._is_ours(found):
                if found.kind == "subscription":
                    self._plan.others.append(f"{found.name}: subscribed by others; stays")
                continue
            superseded = found.kind in (*_ALARMS, "rule") and found.alert[0] != "" and found.alert in kept
            held = holds.active(found.tags, self._today)
            if held:
                self._plan.held.append((Change("delete", found, found, "catalogue"), held))
            elif found.kind == "log-group" and not superseded:
                # What is in a log is nobody's to delete along with an alert.
                if prune:
                    note = "the group and what is in it stay"
                    untag = tuple(sorted(key for key in found.tags if key in OWN_TAGS))
                    yield Change("release", found, found, "catalogue", untag=untag, note=note)
                else:
                    self._plan.orphans.append(found)
            elif found.kind == "subscription" and f"topic/{topic_of(found)}" not in self._desired.things:
                # It goes with its topic.
                continue
            elif found.kind == "subscription" and found.state == "pending":
                self._plan.notes.append(
                    f"{found.name}: not confirmed, so that it cannot be taken back; it lapses by itself"
                )
            elif superseded or prune:
                note = "another name took its place" if superseded else ""
                self._used(found)
                gone = tuple(field_changes(found.settings, {}))
                yield Change("delete", found, found, "catalogue", gone, note=note, superseded=superseded)
            else:
                self._plan.orphans.append(found)

    def needed(self, changes: list[Change]) -> list[Change]:
        """The changes without the deletions of what a composite of ours depends on that stays as it is: AWS would refuse them."""
        while True:
            changed = {change.thing.name for change in changes}
            staying = [
                thing
                for thing in self._live.things.values()
                if thing.kind == "composite-alarm"
                and self._desired.owner.has(thing.tags)
                and thing.name not in changed
            ]
            users = {name: thing for thing in staying for name in children(thing.settings)}
            kept = [
                change
                for change in changes
                if change.action == "delete" and change.thing.kind in _ALARMS and change.thing.name in users
            ]
            if not kept:
                break
            changes = [change for change in changes if change not in kept]
            self._plan.orphans += [change.thing for change in kept]
            self._plan.notes += [
                f"{change.identity}: stays for as long as {users[change.thing.name].name} depends on it"
                for change in kept
            ]
        for change in changes:
            user = users.get(change.thing.name) if change.action == "replace" else None
            if user is not None and user.identity not in self._wanted_as_it_is():
                message = (
                    f"must be made anew, and {user.name}, which is ours and stays as it is, depends on it"
                )
                self._plan.refusals.append(
                    Finding("alarm-needed", "error", change.identity, message, "end the hold, or --prune")
                )
        return changes

    def _wanted_as_it_is(self) -> set[str]:
        """Identities of what is wanted and not on hold."""
        held = {change.identity for change, _ in self._plan.held}
        return set(self._desired.things) - held

    def loosen(self, changes: list[Change]) -> list[Change]:
        """Note which composites stand in the way of what goes: AWS deletes no alarm that a composite depends on.

        Returns:
            The changes that make those whole again that are as they should be.
        """
        composites = [
            thing
            for thing in self._live.things.values()
            if thing.kind == "composite-alarm" and self._desired.owner.has(thing.tags)
        ]
        gone = [change.thing for change in changes if change.action == "delete"]
        _, cut = parents_first(thing for thing in gone if thing.kind == "composite-alarm")
        for thing in gone:
            in_the_way = [composite for composite in cut if thing.name in children(composite.settings)]
            if in_the_way:
                self._plan.loosened[thing.name] = in_the_way
        changed = {change.thing.name for change in changes if change.action != "tag"}
        again: dict[str, Change] = {}
        for change in changes:
            if change.action != "replace":
                continue
            name = change.thing.name
            for composite in composites:
                if name not in children(composite.settings):
                    continue
                self._plan.loosened.setdefault(name, []).append(composite)
                wanted = self._desired.things.get(composite.identity)
                if wanted is not None and composite.name not in changed:
                    note = f"depends on nothing while {name} is made anew"
                    again[composite.name] = Change("update", wanted, composite, "catalogue", note=note)
        # The settings come first, so tags that differ are set along with them.
        for change in [change for change in changes if change.action == "tag" and change.thing.name in again]:
            changes.remove(change)
            again[change.thing.name] = replace(
                again[change.thing.name], tags=change.tags, untag=change.untag, cause=change.cause
            )
        return list(again.values())

    def _is_ours(self, found: Thing) -> bool:
        if found.kind == "log-policy":
            document = found.settings.get("policyDocument", {})
            statements = document.get("Statement", []) if isinstance(document, dict) else []
            return any(isinstance(part, dict) and part.get("Sid") == _SID for part in statements)
        if found.kind == "subscription":
            return found.identity in self._desired.things or bool(
                told_digests(found) & self._told_on(topic_of(found))
            )
        return self._desired.owner.has(found.tags) or self._just_made(found)

    def _just_made(self, found: Thing) -> bool:
        """Whether an apply that was stopped made it and did not get to its tags, where those do not go along with what is made."""
        wanted = self._desired.things.get(found.identity)
        begun = wanted is not None and found.identity in self._live.begun
        return begun and not found.tags and wanted is not None and found.settings == wanted.settings

    def _told_on(self, name: str) -> set[str]:
        topic = self._live.things.get(f"topic/{name}")
        told = topic.tags.get(TOLD_TAG, "") if topic and self._desired.owner.has(topic.tags) else ""
        return set(told.split())

    def _told(self, topic: Thing) -> Thing:
        """The topic with what is to be known of the subscriptions of ours that are there.

        Of one whose address a secret holds also a digest of the address, so that it is known when the secret holds another one.
        """
        told = self._told_on(topic.name)
        known = set(topic.tags.get(TOLD_TAG, "").split())
        for thing in self._live.things.values():
            if thing.kind == "subscription" and topic_of(thing) == topic.name:
                sure = thing.identity in self._desired.things and not thing.found.get("Guessed")
                known |= told_digests(thing) if sure else told_digests(thing) & told
        return replace(topic, tags={**topic.tags, TOLD_TAG: told_value(known)}) if known else topic

    def _used(self, found: Thing) -> None:
        """Refuse that something goes together with what others added to it."""
        used = [f"target {name}" for name in found.found.get("Targets", {})] if found.kind == "rule" else []
        if found.kind == "topic":
            used += [
                f"statement {part.get('Sid') or 'without Sid'} of its policy"
                for part in found.found["Others"]
            ]
            used += [
                f"subscription {thing.name.partition(' ')[2]}"
                for thing in self._live.things.values()
                if thing.kind == "subscription" and topic_of(thing) == found.name and not self._is_ours(thing)
            ]
        if used:
            message = f"would go, and with it what others added: {', '.join(used)}"
            hint = "take that out there first, or release it"
            self._plan.refusals.append(
                Finding(f"{found.kind}-in-use", "error", found.identity, message, hint)
            )

    def _refuse(self, found: Thing) -> None:
        owner = Owner.named(found.tags)
        if owner:
            message = f"belongs to {owner}"
            hint = (
                "name the topic by its ARN: one catalogue manages it, and it is external to others"
                if found.kind == "topic"
                else "give the alert another name, or release it there first"
            )
        else:
            message = "is there already, and nothing says that it is ours"
            hint = f"look at it, and take it over with --adopt {shlex.quote(found.name)}; or give the alert another name"
        self._plan.refusals.append(Finding("not-ours", "error", found.identity, message, hint))

    def _say_others(self, found: Thing) -> None:
        for key, target in found.found.get("Targets", {}).items():
            self._plan.others.append(
                f"{found.identity}: target {key} ({target.get('Arn', '')}) is others'; stays"
            )
        for statement in found.found.get("Others", []):
            self._plan.others.append(
                f"{found.identity}: statement {statement.get('Sid') or 'without Sid'} of its policy is others'; stays"
            )


def _ordered(changes: list[Change]) -> list[Change]:
    """What is referred to is made first, and goes last; of composites what depends on others goes first."""
    made = [change for change in changes if change.action != "delete"]
    gone = [change for change in changes if change.action == "delete"]
    made.sort(key=lambda change: KINDS.index(change.thing.kind))
    order, _ = parents_first(change.thing for change in gone if change.thing.kind == "composite-alarm")
    turns = {thing.name: turn for turn, thing in enumerate(order)}
    gone.sort(key=lambda change: (-KINDS.index(change.thing.kind), turns.get(change.thing.name, 0)))
    return [*made, *gone]


def _decided(change: Change) -> dict[str, Any]:
    """What a person looked at; an alarm's state is of the moment, and the guards look at it anew."""
    return {key: value for key, value in change.as_data().items() if key != "state"}

"""An account that was read, as the checks look at it: which alarms are asked about, who uses which, who is told."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import cached_property
from typing import TYPE_CHECKING

from orders_obs.alerts.lint.cloudwatch.files import AlarmFile, EventRule, Placed
from orders_obs.alerts.lint.cloudwatch.reach_rules import FileView, alarm_name
from orders_obs.aws.audit.alarms import Alarm, alarms_of
from orders_obs.aws.audit.messages import alarm_event, any_alarm_event
from orders_obs.aws.audit.model import Issue
from orders_obs.aws.audit.patterns import matches
from orders_obs.aws.audit.rules import RULES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

    from orders_obs.aws.audit.model import Seen, Subject
    from orders_obs.aws.audit.read_metrics import Reading
    from orders_obs.findings import Level

__all__ = ["View", "day"]


class View:
    """An account with its alarms read.

    Args:
        seen: What was read.
        now: The moment that ages are measured at.
        selected: Which alarms are to be checked.
    """

    def __init__(
        self, seen: Seen, now: datetime, selected: Callable[[Alarm], bool] = lambda _alarm: True
    ) -> None:
        self.seen = seen
        self.now = now
        self.every = alarms_of(seen)
        self.alarms = [alarm for alarm in self.every if selected(alarm)]
        self.by_name = {alarm.name: alarm for alarm in self.every}

    @property
    def place(self) -> str:
        """Account and region."""
        return f"{self.seen.account}/{self.seen.region}"

    def file(self, path: Path, alarms: Iterable[Alarm]) -> AlarmFile:
        """Alarms and the event rules, as lint reads them; each place is the kind and the name."""
        made = AlarmFile(path, complete=True)
        for alarm in alarms:
            if alarm.kind != "log":
                to = made.composites if alarm.kind == "composite" else made.alarms
                to.append(Placed(dict(alarm.view.arguments), f"alarm {alarm.name}"))
        made.rules = [
            EventRule(rule["Name"], rule.get("pattern"), f"rule {rule['Name']}")
            for rule in self.seen.rules or ()
        ]
        return made

    @cached_property
    def structure(self) -> FileView:
        """Every alarm of the account, for which composite names which."""
        from pathlib import Path

        return FileView(self.file(Path(self.place), self.every))

    @cached_property
    def sent(self) -> dict[Reading, frozenset[frozenset[tuple[str, str]]]]:
        """The sets of dimensions under which metrics had values in the last two weeks."""
        return {
            reading: frozenset(frozenset(found.items()) for found in listing.sets)
            for reading, listing in self.seen.metrics.items()
        }

    @cached_property
    def suppressed_by(self) -> dict[str, str]:
        """Composites, each with the name of its suppressor."""
        return {
            alarm.name: alarm_name(alarm.described["ActionsSuppressor"])
            for alarm in self.every
            if alarm.described.get("ActionsSuppressor")
        }

    @cached_property
    def caught(self) -> dict[str, str]:
        """Alarms whose changes of state an event rule with a target takes, each with the rule."""
        found: dict[str, str] = {}
        anything = any_alarm_event(self.seen)
        for rule in self.seen.rules or ():
            pattern = rule.get("pattern")
            if rule.get("State") == "DISABLED" or not self.seen.targets.get(rule["Name"]):
                continue
            # Most rules are about something else, which need not be asked for each alarm.
            if not isinstance(pattern, dict) or matches(pattern, anything) is False:
                continue
            for alarm in self.every:
                if alarm.name not in found and matches(pattern, alarm_event(alarm, self.seen)) is not False:
                    found[alarm.name] = rule["Name"]
        return found

    def used_by(self, alarm: Alarm) -> str:
        """Who looks at an alarm besides its own actions, in words; empty where nobody is known to."""
        if alarm.name in self.structure.used:
            return "a composite alarm"
        return self.seen.deployments.get(alarm.name, "") or (
            f"event rule {self.caught[alarm.name]}" if alarm.name in self.caught else ""
        )

    def days(self, moment: str) -> float | None:
        """How many days ago a moment was; None where it is not known."""
        try:
            then = datetime.fromisoformat(moment)
        except ValueError:
            return None
        return (self.now - (then if then.tzinfo else then.replace(tzinfo=UTC))).total_seconds() / 86_400

    def issue(
        self,
        rule: str,
        kind: str,
        thing: str,
        message: str,
        hint: str = "",
        *,
        level: Level | None = None,
        subject: Subject | None = None,
        alarms: Iterable[str] = (),
    ) -> Issue:
        """A finding by a rule of the audit; hint, level and subject are the rule's where none is given."""
        known = RULES[rule]
        return Issue(
            rule, level or known.level, subject or known.subject, self.place, kind, thing, message, hint or known.remedy,
            tuple(dict.fromkeys(alarms)) or ((thing,) if kind == "alarm" else ()),
        )  # fmt: skip


def day(moment: str) -> str:
    """The day of a moment, which a later run says too, as a span of time would not."""
    return moment.partition("T")[0]

"""CloudWatch's alarms: metric and composite ones in one name space, their states, history and tags."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

from tests.aws.fake.alarm_checks import check_metric_alarm
from tests.aws.fake.alarm_rule import RuleError, parse
from tests.aws.fake.base import Answer, Args, Refused, Service, given, page, reads, tag_list, tag_map, writes
from tests.aws.fake.metrics import Metrics
from tests.aws.fake.mutes import Mutes

if TYPE_CHECKING:
    from tests.aws.fake.account import FakeAccount

__all__ = ["Alarm", "Alarms"]

_LISTS = ("OKActions", "AlarmActions", "InsufficientDataActions")
_MOST_TAGS = 50
_COMPOSITE, _METRIC, _LOG = "CompositeAlarm", "MetricAlarm", "LogAlarm"
_ACTIONS = {"OK": "OKActions", "ALARM": "AlarmActions", "INSUFFICIENT_DATA": "InsufficientDataActions"}


@dataclass(slots=True)
class Alarm:
    """An alarm as the account keeps it."""

    kind: str
    config: dict[str, Any]
    arn: str
    tags: dict[str, str]
    configured: datetime
    state: str = "INSUFFICIENT_DATA"
    reason: str = "Unchecked: Initial alarm creation"
    reason_data: str | None = None
    evaluation: str | None = None
    updated: datetime | None = None
    transitioned: datetime | None = None
    children: tuple[str, ...] = ()
    """Names, of a composite alarm."""
    extra: dict[str, Any] = field(default_factory=dict)
    """What an answer has besides, such as ActionsSuppressedBy."""


class Alarms(Service):
    """Operations of `cloudwatch`."""

    name = "cloudwatch"

    def __init__(self, account: FakeAccount) -> None:
        super().__init__(account)
        self.all: dict[str, Alarm] = {}
        self.history: list[dict[str, Any]] = []
        self.metrics = Metrics(account)
        self.mutes = Mutes(account)

    def __getattr__(self, name: str) -> Any:
        """Metrics and mute rules are operations of the same service."""
        for part in (self.__dict__.get("metrics"), self.__dict__.get("mutes")):
            if hasattr(type(part), name):
                return getattr(part, name)
        raise AttributeError(name)

    def kept(self) -> dict[str, dict[str, Any]]:
        kinds = {_COMPOSITE: "composite-alarm", _METRIC: "metric-alarm", _LOG: "log-alarm"}
        return {
            f"{kinds[alarm.kind]}/{name}": {
                **alarm.config, "Tags": alarm.tags, "StateValue": alarm.state, "StateReason": alarm.reason,
            }
            for name, alarm in self.all.items()
        } | self.mutes.kept()  # fmt: skip

    # --- put

    @writes
    def put_metric_alarm(self, args: Args) -> Answer:
        check_metric_alarm(args)
        self._put(_METRIC, args, ())
        return {}

    @writes
    def put_composite_alarm(self, args: Args) -> Answer:
        try:
            rule = parse(args["AlarmRule"])
        except RuleError as error:
            raise Refused("ValidationError", f"AlarmRule is invalid: {error}") from None
        children = tuple(self._name(child) for child in rule.children)
        lacking = [child for child in children if child not in self.all]
        if lacking:
            raise Refused(
                "ValidationError",
                f"Could not save the composite alarm as alarms [{', '.join(lacking)}] in the alarm rule do not exist",
            )
        if len(children) > 100:
            raise Refused("ValidationError", "AlarmRule refers to more than 100 alarms")
        suppressor = args.get("ActionsSuppressor")
        periods = ("ActionsSuppressorWaitPeriod", "ActionsSuppressorExtensionPeriod")
        if suppressor and any(period not in args for period in periods):
            raise Refused("ValidationError", f"ActionsSuppressor needs {' and '.join(periods)}")
        if not suppressor and any(period in args for period in periods):
            raise Refused("ValidationError", "the periods need an ActionsSuppressor")
        if suppressor and self._name(suppressor) not in self.all:
            raise Refused("ValidationError", f"ActionsSuppressor {suppressor} does not exist")
        known = args["AlarmName"] in self.all
        alarm = self._put(_COMPOSITE, args, children)
        if known:
            self._settle(alarm)
        return {}

    def _put(self, kind: str, args: Args, children: tuple[str, ...]) -> Alarm:
        config = {key: value for key, value in args.items() if key != "Tags"}
        config.setdefault("ActionsEnabled", True)
        for name in _LISTS:
            config.setdefault(name, [])
        if kind == _METRIC and "EvaluationCriteria" not in config:
            config.setdefault("Dimensions", [])
        name = config["AlarmName"]
        alarm = self.all.get(name)
        if alarm is not None and alarm.kind != kind:
            raise Refused("ValidationError", f"{name} is the name of an alarm of another type: {alarm.kind}")
        if alarm is None:
            tags = tag_map(args.get("Tags"))
            self._few(tags)
            alarm = Alarm(kind, config, self.arn(f"alarm:{name}"), tags, self.now)
            alarm.updated = alarm.transitioned = self.now
            if "EvaluationCriteria" in config:
                alarm.state = "OK"
            self.all[name] = alarm
            self._record(alarm, "ConfigurationUpdate", f'Alarm "{name}" created', {"type": "Create"})
        else:
            alarm.config, alarm.configured = config, self.now
            self._record(alarm, "ConfigurationUpdate", f'Alarm "{name}" updated', {"type": "Update"})
        alarm.children = children
        return alarm

    def _name(self, reference: str) -> str:
        """The name of an alarm that a rule or a suppressor gives by name or by ARN."""
        return reference.removeprefix(self.arn("alarm:"))

    # --- states

    def become(
        self, name: str, state: str, reason: str, evaluation: str | None = None, data: str | None = None
    ) -> None:
        """A new state, with what follows from it: a record, the actions' records, and the composite alarms above."""
        alarm = self.all[name]
        if evaluation is not None:
            alarm.evaluation = evaluation or None
        before = (alarm.state, alarm.reason)
        alarm.state, alarm.reason, alarm.reason_data, alarm.updated = state, reason, data, self.now
        if before[0] == state:
            return
        alarm.transitioned = self.now
        what = {
            "version": "1.0",
            "oldState": {"stateValue": before[0], "stateReason": before[1]},
            "newState": {"stateValue": state, "stateReason": reason},
        }
        self._record(alarm, "StateUpdate", f"Alarm updated from {before[0]} to {state}", what)
        if alarm.config["ActionsEnabled"]:
            for action in alarm.config[_ACTIONS[state]]:
                summary = f"Successfully executed action {action}"
                self._record(
                    alarm, "Action", summary, {"actionState": "Succeeded", "notificationResource": action}
                )
        for parent in list(self.all.values()):
            if name in parent.children:
                self._settle(parent)

    def _settle(self, composite: Alarm) -> None:
        """Evaluate a composite alarm; one in a cycle stays as it is (evaluation stops, says PutCompositeAlarm)."""
        if self._cyclic(composite):
            return
        rule = parse(composite.config["AlarmRule"])
        holds = rule.holds(lambda child: self.all[self._name(child)].state)
        state = "ALARM" if holds else "OK"
        name = composite.config["AlarmName"]
        if state != composite.state:
            self.become(name, state, f"{composite.arn} transitioned to {state}")

    def _cyclic(self, composite: Alarm) -> bool:
        seen, open_ = set(), list(composite.children)
        while open_:
            name = open_.pop()
            if name == composite.config["AlarmName"]:
                return True
            if name not in seen and name in self.all:
                seen.add(name)
                open_ += self.all[name].children
        return False

    @writes
    def set_alarm_state(self, args: Args) -> Answer:
        if args["AlarmName"] not in self.all:
            raise Refused("ResourceNotFound", f"{args['AlarmName']} does not exist", 404)
        data = args.get("StateReasonData")
        try:
            json.loads(data or "{}")
        except ValueError:
            raise Refused("InvalidFormat", "StateReasonData is not JSON") from None
        self.become(args["AlarmName"], args["StateValue"], args["StateReason"], data=data)
        return {}

    # --- describe

    @reads
    def describe_alarms(self, args: Args) -> Answer:
        relatives = [key for key in ("ChildrenOfAlarmName", "ParentsOfAlarmName") if key in args]
        if relatives:
            if set(args) - {relatives[0], "MaxRecords", "NextToken"}:
                raise Refused("ValidationError", f"{relatives[0]} goes with no other parameter")
            chosen = self._relatives(relatives[0], args[relatives[0]])
        else:
            if "AlarmNames" in args and "AlarmNamePrefix" in args:
                raise Refused("ValidationError", "AlarmNames and AlarmNamePrefix exclude each other")
            chosen = {f"{alarm.kind}/{name}": alarm for name, alarm in self._chosen(args)}
        found, token = page(chosen, args.get("NextToken"), args.get("MaxRecords", 50), "InvalidNextToken")
        answer: Answer = {"MetricAlarms": [], "CompositeAlarms": [], "LogAlarms": []}
        for alarm in found:
            shown = self._shown(alarm) if not relatives else self._glimpse(alarm, relatives[0])
            answer[f"{alarm.kind}s"].append(shown)
        return answer | given(NextToken=token)

    def _chosen(self, args: Args) -> Iterator[tuple[str, Alarm]]:
        kinds = args.get("AlarmTypes") or [_METRIC]
        for name, alarm in self.all.items():
            actions = [action for key in _LISTS for action in alarm.config.get(key, [])]
            if (
                alarm.kind in kinds
                and ("AlarmNames" not in args or name in args["AlarmNames"])
                and name.startswith(args.get("AlarmNamePrefix", ""))
                and alarm.state == args.get("StateValue", alarm.state)
                and ("ActionPrefix" not in args or any(a.startswith(args["ActionPrefix"]) for a in actions))
            ):
                yield name, alarm

    def _relatives(self, which: str, name: str) -> dict[str, Alarm]:
        if name not in self.all:
            raise Refused("ResourceNotFound", f"{name} does not exist", 404)
        if which == "ChildrenOfAlarmName":
            if self.all[name].kind != _COMPOSITE:
                raise Refused("ValidationError", f"{name} is no composite alarm")
            return {child: self.all[child] for child in self.all[name].children}
        return {other: alarm for other, alarm in self.all.items() if name in alarm.children}

    def _glimpse(self, alarm: Alarm, which: str) -> dict[str, Any]:
        shown = {"AlarmName": alarm.config["AlarmName"], "AlarmArn": alarm.arn}
        if which == "ChildrenOfAlarmName":
            shown |= given(StateValue=alarm.state, StateUpdatedTimestamp=alarm.updated)
        return shown

    def _shown(self, alarm: Alarm) -> dict[str, Any]:
        shown = copy.deepcopy(alarm.config) | given(
            AlarmArn=alarm.arn,
            StateValue=alarm.state,
            StateReason=alarm.reason,
            StateReasonData=alarm.reason_data,
            StateUpdatedTimestamp=alarm.updated,
            StateTransitionedTimestamp=alarm.transitioned,
            AlarmConfigurationUpdatedTimestamp=alarm.configured,
        )
        if alarm.kind != _COMPOSITE:
            shown |= given(EvaluationState=alarm.evaluation)
        shown |= alarm.extra
        if self.account.fills_defaults and alarm.kind == _METRIC and "EvaluationCriteria" not in shown:
            shown.setdefault("TreatMissingData", "missing")
            shown.setdefault("DatapointsToAlarm", shown["EvaluationPeriods"])
            for query in shown.get("Metrics", []):
                query.setdefault("ReturnData", True)
                if "MetricStat" in query:
                    query["MetricStat"]["Metric"].setdefault("Dimensions", [])
        if self.account.shuffles:
            for key in ("Dimensions", "Metrics"):
                if key in shown:
                    shown[key].reverse()
            for query in shown.get("Metrics", []):
                query.get("MetricStat", {}).get("Metric", {}).get("Dimensions", []).reverse()
        return shown

    @reads
    def describe_alarms_for_metric(self, args: Args) -> Answer:
        keys = ("MetricName", "Namespace", "Statistic", "ExtendedStatistic", "Period", "Unit")
        wanted = _dimensions(args)
        found = [
            self._shown(alarm)
            for _, alarm in sorted(self.all.items())
            if alarm.kind == _METRIC
            and all(alarm.config.get(key) == args[key] for key in keys if key in args)
            and _dimensions(alarm.config) == wanted
        ]
        return {"MetricAlarms": found}

    @reads
    def describe_alarm_history(self, args: Args) -> Answer:
        kinds = args.get("AlarmTypes") or [_METRIC]
        # The text says that without AlarmTypes only metric alarms come back, also for a name.
        chosen = [
            item
            for item in self.history
            if item["AlarmType"] in kinds
            and item["AlarmName"] == args.get("AlarmName", item["AlarmName"])
            and item["HistoryItemType"] == args.get("HistoryItemType", item["HistoryItemType"])
            and item["Timestamp"] >= args.get("StartDate", item["Timestamp"])
            and item["Timestamp"] <= args.get("EndDate", item["Timestamp"])
        ]
        if args.get("ScanBy", "TimestampDescending") == "TimestampDescending":
            chosen.reverse()
        numbered = {f"{number:09}": item for number, item in enumerate(chosen)}
        found, token = page(numbered, args.get("NextToken"), args.get("MaxRecords", 100), "InvalidNextToken")
        return {"AlarmHistoryItems": found} | given(NextToken=token)

    def _record(self, alarm: Alarm, what: str, summary: str, data: dict[str, Any]) -> None:
        self.history.append(
            {
                "AlarmName": alarm.config["AlarmName"],
                "AlarmType": alarm.kind,
                "Timestamp": self.now,
                "HistoryItemType": what,
                "HistorySummary": summary,
                "HistoryData": json.dumps(data),
            }
        )

    # --- delete, enable, disable

    @writes
    def delete_alarms(self, args: Args) -> Answer:
        names = list(dict.fromkeys(args["AlarmNames"]))
        found = [self.all[name] for name in names if name in self.all]
        if sum(alarm.kind == _COMPOSITE for alarm in found) > 1:
            raise Refused("ValidationError", "at most one composite alarm can be deleted in one call")
        if any(alarm.kind == _LOG for alarm in found) and len(names) > 1:
            raise Refused("ValidationError", "log alarms cannot be batch deleted")
        # Whether AWS lets a child go together with its only composite alarm is not documented: here it does not.
        needed = {child for alarm in self.all.values() for child in self._needed(alarm)}
        held = [name for name in names if name in needed and name in self.all]
        if held:
            ending = "them" if len(held) > 1 else "it"
            raise Refused(
                "ValidationError",
                f"Cannot delete {','.join(held)} as there are composite alarm(s) depending on {ending}.",
            )
        for alarm in found:
            name = alarm.config["AlarmName"]
            del self.all[name]
            self._record(alarm, "ConfigurationUpdate", f'Alarm "{name}" deleted', {"type": "Delete"})
        lacking = [name for name in names if name not in {alarm.config["AlarmName"] for alarm in found}]
        if lacking:  # Those with correct names are deleted all the same, says the text.
            raise Refused("ResourceNotFound", f"alarms [{', '.join(lacking)}] do not exist", 404)
        return {}

    def _needed(self, alarm: Alarm) -> tuple[str, ...]:
        suppressor = alarm.config.get("ActionsSuppressor")
        return (*alarm.children, *([self._name(suppressor)] if suppressor else []))

    @writes
    def enable_alarm_actions(self, args: Args) -> Answer:
        return self._switch(args, on=True)

    @writes
    def disable_alarm_actions(self, args: Args) -> Answer:
        return self._switch(args, on=False)

    def _switch(self, args: Args, *, on: bool) -> Answer:
        # The model knows no error for a name that there is not.
        for name in args["AlarmNames"]:
            alarm = self.all.get(name)
            if alarm is not None:
                alarm.config["ActionsEnabled"], alarm.configured = on, self.now
                self._record(alarm, "ConfigurationUpdate", f'Alarm "{name}" updated', {"type": "Update"})
        return {}

    # --- tags

    @reads
    def list_tags_for_resource(self, args: Args) -> Answer:
        tags = tag_list(self._tags(args["ResourceARN"]))
        return {"Tags": tags[::-1] if self.account.shuffles else tags}

    @writes
    def tag_resource(self, args: Args) -> Answer:
        tags = self._tags(args["ResourceARN"])
        new = tag_map(args["Tags"])
        self._few(tags | new)
        tags |= new
        return {}

    @writes
    def untag_resource(self, args: Args) -> Answer:
        tags = self._tags(args["ResourceARN"])
        for key in args["TagKeys"]:
            tags.pop(key, None)
        return {}

    def _tags(self, arn: str) -> dict[str, str]:
        by_arn = {alarm.arn: alarm.tags for alarm in self.all.values()} | self.mutes.tags()
        if arn not in by_arn:
            raise Refused("ResourceNotFoundException", f"{arn} does not exist", 404)
        return by_arn[arn]

    def _few(self, tags: dict[str, str]) -> None:
        if len(tags) > _MOST_TAGS:
            raise Refused("InvalidParameterValue", f"more than {_MOST_TAGS} tags")

    def tagged(self) -> Iterator[tuple[str, str, dict[str, str]]]:
        """Type, ARN and tags, for the tagging API."""
        for alarm in self.all.values():
            yield "cloudwatch:alarm", alarm.arn, alarm.tags


def _dimensions(of: dict[str, Any]) -> dict[str, str]:
    return {dimension["Name"]: dimension["Value"] for dimension in of.get("Dimensions", [])}

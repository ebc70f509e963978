"""EventBridge: rules of the default bus and their targets."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from tests.aws.fake.base import Answer, Args, Refused, Service, given, page, reads, tag_list, tag_map, writes

if TYPE_CHECKING:
    from tests.aws.fake.account import FakeAccount

__all__ = ["EventRules"]

_PAGE = 100
_ENTRIES, _TARGETS, _MOST_TAGS = 10, 5, 50
_INPUTS = ("Input", "InputPath", "InputTransformer")


@dataclass(slots=True)
class _Rule:
    config: dict[str, Any]
    arn: str
    tags: dict[str, str]
    targets: dict[str, dict[str, Any]] = field(default_factory=dict)
    managed_by: str | None = None


class EventRules(Service):
    """Operations of `events`."""

    name = "events"

    def __init__(self, account: FakeAccount) -> None:
        super().__init__(account)
        self.rules: dict[str, _Rule] = {}

    def kept(self) -> dict[str, dict[str, Any]]:
        return {
            f"rule/{name}": {**rule.config, "Tags": rule.tags, "Targets": rule.targets, **given(ManagedBy=rule.managed_by)}
            for name, rule in self.rules.items()
        }  # fmt: skip

    def seed_managed_rule(self, name: str, managed_by: str, pattern: str) -> None:
        """A rule that a service of AWS made for itself."""
        config = {"Name": name, "EventPattern": pattern, "State": "ENABLED"}
        self.rules[name] = _Rule(config, self.arn(f"rule/{name}"), {}, managed_by=managed_by)

    # --- rules

    @writes
    def put_rule(self, args: Args) -> Answer:
        self._bus(args)
        if "EventPattern" not in args and "ScheduleExpression" not in args:
            raise Refused(
                "ValidationException", "Parameter(s) EventPattern or ScheduleExpression must be specified."
            )
        try:
            pattern = json.loads(args.get("EventPattern", "{}"))
        except ValueError:
            raise Refused(
                "InvalidEventPatternException", "Event pattern is not valid. Reason: no JSON"
            ) from None
        if not isinstance(pattern, dict):
            raise Refused(
                "InvalidEventPatternException", "Event pattern is not valid. Reason: Filter is not an object"
            )
        config = {key: value for key, value in args.items() if key not in ("Tags", "EventBusName")}
        config.setdefault("State", "ENABLED")
        name = args["Name"]
        known = self.rules.get(name)
        if known is None:
            tags = tag_map(args.get("Tags"))
            self._few(tags)
            self.rules[name] = _Rule(config, self.arn(f"rule/{name}"), tags)
        else:
            self._own(known)
            known.config = config
        return {"RuleArn": self.rules[name].arn}

    @reads
    def describe_rule(self, args: Args) -> Answer:
        self._bus(args)
        return self._shown(self._rule(args["Name"])) | {"CreatedBy": self.account.account}

    @reads
    def list_rules(self, args: Args) -> Answer:
        self._bus(args)
        chosen = {
            name: self._shown(rule)
            for name, rule in self.rules.items()
            if name.startswith(args.get("NamePrefix", ""))
        }
        found, token = page(chosen, args.get("NextToken"), args.get("Limit", _PAGE), "ValidationException")
        return {"Rules": found} | given(NextToken=token)

    def _shown(self, rule: _Rule) -> dict[str, Any]:
        return copy.deepcopy(rule.config) | given(
            Arn=rule.arn, EventBusName="default", ManagedBy=rule.managed_by
        )

    @writes
    def delete_rule(self, args: Args) -> Answer:
        self._bus(args)
        rule = self.rules.get(args["Name"])
        if rule is None:
            return {}
        self._own(rule, force=args.get("Force", False))
        if rule.targets:
            raise Refused("ValidationException", "Rule can't be deleted since it has targets.")
        del self.rules[args["Name"]]
        return {}

    @writes
    def enable_rule(self, args: Args) -> Answer:
        return self._switch(args, "ENABLED")

    @writes
    def disable_rule(self, args: Args) -> Answer:
        return self._switch(args, "DISABLED")

    def _switch(self, args: Args, state: str) -> Answer:
        self._bus(args)
        rule = self._rule(args["Name"])
        self._own(rule)
        rule.config["State"] = state
        return {}

    # --- targets

    @writes
    def put_targets(self, args: Args) -> Answer:
        self._bus(args)
        rule = self._rule(args["Rule"])
        self._own(rule)
        targets = args["Targets"]
        if len(targets) > _ENTRIES:
            raise Refused("ValidationException", f"more than {_ENTRIES} targets in a request")
        for target in targets:
            if sum(key in target for key in _INPUTS) > 1:
                raise Refused(
                    "ValidationException",
                    f"Only one of Input, InputPath, or InputTransformer must be provided for target {target['Id']}.",
                )
        if len({target["Id"] for target in targets}) != len(targets):
            raise Refused("ValidationException", "a target's Id is there twice")
        if len({*rule.targets, *(target["Id"] for target in targets)}) > _TARGETS:
            raise Refused(
                "LimitExceededException", "The requested resource exceeds the maximum number allowed."
            )
        failed = self._failed("put_targets", targets[0]["Id"])
        for target in targets:
            if not (failed and target["Id"] == failed[0]["TargetId"]):
                rule.targets[target["Id"]] = target
        return {"FailedEntryCount": len(failed), "FailedEntries": failed}

    @writes
    def remove_targets(self, args: Args) -> Answer:
        self._bus(args)
        rule = self._rule(args["Rule"])
        self._own(rule, force=args.get("Force", False))
        if len(args["Ids"]) > _ENTRIES:
            raise Refused("ValidationException", f"more than {_ENTRIES} targets in a request")
        failed = self._failed("remove_targets", args["Ids"][0])
        for name in args["Ids"]:
            if not (failed and name == failed[0]["TargetId"]):
                rule.targets.pop(name, None)
        return {"FailedEntryCount": len(failed), "FailedEntries": failed}

    def _failed(self, operation: str, name: str) -> list[dict[str, str]]:
        asked = self.account.partly(operation)
        return [{"TargetId": name, "ErrorCode": asked[0], "ErrorMessage": asked[1]}] if asked else []

    @reads
    def list_targets_by_rule(self, args: Args) -> Answer:
        self._bus(args)
        rule = self._rule(args["Rule"])
        found, token = page(
            rule.targets, args.get("NextToken"), args.get("Limit", _PAGE), "ValidationException"
        )
        return {"Targets": found} | given(NextToken=token)

    @reads
    def list_rule_names_by_target(self, args: Args) -> Answer:
        self._bus(args)
        chosen = {
            name: name
            for name, rule in self.rules.items()
            if any(target["Arn"] == args["TargetArn"] for target in rule.targets.values())
        }
        found, token = page(chosen, args.get("NextToken"), args.get("Limit", _PAGE), "ValidationException")
        return {"RuleNames": found} | given(NextToken=token)

    # --- tags

    @reads
    def list_tags_for_resource(self, args: Args) -> Answer:
        tags = tag_list(self._tags(args["ResourceARN"]))
        return {"Tags": tags[::-1] if self.account.shuffles else tags}

    @writes
    def tag_resource(self, args: Args) -> Answer:
        tags, new = self._tags(args["ResourceARN"]), tag_map(args["Tags"])
        self._few(tags | new)
        tags |= new
        return {}

    @writes
    def untag_resource(self, args: Args) -> Answer:
        tags = self._tags(args["ResourceARN"])
        for key in args["TagKeys"]:
            tags.pop(key, None)
        return {}

    def tagged(self) -> Iterator[tuple[str, str, dict[str, str]]]:
        """Type, ARN and tags, for the tagging API."""
        for rule in self.rules.values():
            yield "events:rule", rule.arn, rule.tags

    # --- in common

    def _tags(self, arn: str) -> dict[str, str]:
        return self._rule(arn.rpartition("rule/")[2]).tags

    def _few(self, tags: dict[str, str]) -> None:
        if len(tags) > _MOST_TAGS:
            raise Refused("LimitExceededException", f"more than {_MOST_TAGS} tags")

    def _rule(self, name: str) -> _Rule:
        if name not in self.rules:
            raise Refused("ResourceNotFoundException", f"Rule {name} does not exist on EventBus default.")
        return self.rules[name]

    def _bus(self, args: Args) -> None:
        bus = args.get("EventBusName", "default")
        if bus not in ("default", self.arn("event-bus/default")):
            raise Refused("ResourceNotFoundException", f"Event bus {bus} does not exist.")

    def _own(self, rule: _Rule, *, force: bool = False) -> None:
        if rule.managed_by and not force:
            raise Refused("ManagedRuleException", f"Rule is managed by {rule.managed_by}.")

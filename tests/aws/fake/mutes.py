"""CloudWatch's alarm mute rules (text of PutAlarmMuteRule and its neighbours in botocore's model)."""

from __future__ import annotations

import copy
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from tests.aws.fake.base import Answer, Args, Refused, Service, given, page, reads, tag_map, writes

if TYPE_CHECKING:
    from tests.aws.fake.account import FakeAccount

__all__ = ["Mutes"]


@dataclass(slots=True)
class _Mute:
    config: dict[str, Any]
    arn: str
    tags: dict[str, str]
    updated: datetime


class Mutes(Service):
    """Part of `cloudwatch`."""

    name = "cloudwatch"

    def __init__(self, account: FakeAccount) -> None:
        super().__init__(account)
        self.rules: dict[str, _Mute] = {}

    def kept(self) -> dict[str, dict[str, Any]]:
        return {f"mute-rule/{name}": {**mute.config, "Tags": mute.tags} for name, mute in self.rules.items()}

    def tags(self) -> dict[str, dict[str, str]]:
        """Tags by ARN. That TagResource takes the ARN of a mute rule is taken from PutAlarmMuteRule's having tags at all."""
        return {mute.arn: mute.tags for mute in self.rules.values()}

    @writes
    def put_alarm_mute_rule(self, args: Args) -> Answer:
        expression = args["Rule"]["Schedule"]["Expression"]
        if not expression.startswith(("cron(", "at(")):
            raise Refused("ValidationError", f"{expression} is neither cron() nor at()")
        config = {key: value for key, value in args.items() if key != "Tags"}
        known = self.rules.get(args["Name"])
        # What tags do on an update is not documented; other operations of the service ignore them.
        tags = known.tags if known else tag_map(args.get("Tags"))
        self.rules[args["Name"]] = _Mute(config, self.arn(f"alarm-mute-rule:{args['Name']}"), tags, self.now)
        return {}

    @reads
    def get_alarm_mute_rule(self, args: Args) -> Answer:
        mute = self.rules.get(args["AlarmMuteRuleName"])
        if mute is None:
            raise Refused("ResourceNotFoundException", f"{args['AlarmMuteRuleName']} does not exist", 404)
        return copy.deepcopy(mute.config) | self._times(mute)

    @writes
    def delete_alarm_mute_rule(self, args: Args) -> Answer:
        self.rules.pop(args["AlarmMuteRuleName"], None)
        return {}

    @reads
    def list_alarm_mute_rules(self, args: Args) -> Answer:
        alarm = args.get("AlarmName")
        if alarm is not None and alarm not in self.account.alarms.all:
            raise Refused("ResourceNotFoundException", f"{alarm} does not exist", 404)
        chosen = {
            name: given(ExpireDate=mute.config.get("ExpireDate")) | self._times(mute)
            for name, mute in self.rules.items()
            if alarm is None or alarm in mute.config.get("MuteTargets", {}).get("AlarmNames", [])
        }
        statuses = args.get("Statuses")
        if statuses:
            chosen = {name: shown for name, shown in chosen.items() if shown["Status"] in statuses}
        found, token = page(chosen, args.get("NextToken"), args.get("MaxRecords", 50), "InvalidNextToken")
        return {"AlarmMuteRuleSummaries": found} | given(NextToken=token)

    def _times(self, mute: _Mute) -> dict[str, Any]:
        ended = mute.config.get("ExpireDate")
        return {
            "AlarmMuteRuleArn": mute.arn,
            # When one mutes is not worked out here.
            "Status": "EXPIRED" if ended is not None and ended <= self.now else "SCHEDULED",
            "LastUpdatedTimestamp": mute.updated,
            "MuteType": "ONE_TIME"
            if mute.config["Rule"]["Schedule"]["Expression"].startswith("at(")
            else "RECURRING",
        }

"""CloudWatch Logs: groups, streams, events, resource policies."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from tests.aws.fake.base import Answer, Args, Refused, Service, given, page, reads, writes

if TYPE_CHECKING:
    from tests.aws.fake.account import FakeAccount

__all__ = ["Logs"]

_PAGE = 50
_EVENTS = 10_000
_POLICIES, _MOST_TAGS = 10, 50
_DAYS = (
    1,
    3,
    5,
    7,
    14,
    30,
    60,
    90,
    120,
    150,
    180,
    365,
    400,
    545,
    731,
    1096,
    1827,
    2192,
    2557,
    2922,
    3288,
    3653,
)
_PAST, _FUTURE, _BATCH = 14 * 86_400_000, 2 * 3_600_000, 24 * 3_600_000


@dataclass(slots=True)
class _Stream:
    name: str
    created: int
    events: list[dict[str, Any]] = field(default_factory=list)


@dataclass(slots=True)
class _Group:
    config: dict[str, Any]
    tags: dict[str, str]
    created: int
    streams: dict[str, _Stream] = field(default_factory=dict)


class Logs(Service):
    """Operations of `logs`."""

    name = "logs"

    def __init__(self, account: FakeAccount) -> None:
        super().__init__(account)
        self.groups: dict[str, _Group] = {}
        self.policies: dict[str, dict[str, Any]] = {}
        self._made = 0

    def kept(self) -> dict[str, dict[str, Any]]:
        kept: dict[str, dict[str, Any]] = {
            f"log-group/{name}": {
                **group.config,
                "tags": group.tags,
                "streams": {
                    stream.name: [(event["timestamp"], event["message"]) for event in stream.events]
                    for stream in group.streams.values()
                },
            }
            for name, group in self.groups.items()
        }
        return kept | {
            f"log-policy/{name}": {"policyDocument": policy["policyDocument"]} for name, policy in self.policies.items()
        }  # fmt: skip

    # --- groups

    @writes
    def create_log_group(self, args: Args) -> Answer:
        name = args["logGroupName"]
        if name in self.groups:
            raise Refused("ResourceAlreadyExistsException", "The specified log group already exists")
        self._few(args.get("tags", {}))
        config = {key: value for key, value in args.items() if key != "tags"}
        config.setdefault("logGroupClass", "STANDARD")
        self.groups[name] = _Group(config, dict(args.get("tags", {})), self.account.clock.millis())
        return {}

    @reads
    def describe_log_groups(self, args: Args) -> Answer:
        if "logGroupNamePrefix" in args and "logGroupNamePattern" in args:
            raise Refused(
                "InvalidParameterException", "LogGroup name prefix and LogGroup name pattern are mutually exclusive"
            )  # fmt: skip
        listed = args.get("logGroupIdentifiers")
        chosen = {
            name: self._shown(name, group)
            for name, group in self.groups.items()
            if name.startswith(args.get("logGroupNamePrefix", ""))
            and args.get("logGroupNamePattern", "").lower() in name.lower()
            and group.config["logGroupClass"] == args.get("logGroupClass", group.config["logGroupClass"])
            and (listed is None or name in listed or self.arn(f"log-group:{name}") in listed)
        }
        found, token = page(
            chosen, args.get("nextToken"), args.get("limit", _PAGE), "InvalidParameterException"
        )
        return {"logGroups": found} | given(nextToken=token)

    def _shown(self, name: str, group: _Group) -> dict[str, Any]:
        arn = self.arn(f"log-group:{name}")
        return {
            **group.config,
            "arn": f"{arn}:*",
            "logGroupArn": arn,
            "creationTime": group.created,
            "metricFilterCount": 0,
            "storedBytes": 0,
        }

    @writes
    def put_retention_policy(self, args: Args) -> Answer:
        if args["retentionInDays"] not in _DAYS:
            raise Refused("InvalidParameterException", f"retentionInDays must be one of {_DAYS}")
        self._group(args).config["retentionInDays"] = args["retentionInDays"]
        return {}

    @writes
    def delete_retention_policy(self, args: Args) -> Answer:
        self._group(args).config.pop("retentionInDays", None)
        return {}

    @writes
    def delete_log_group(self, args: Args) -> Answer:
        group = self._group(args)
        if group.config.get("deletionProtectionEnabled"):
            raise Refused("ValidationException", "the log group is protected from deletion")
        del self.groups[args["logGroupName"]]
        return {}

    # --- tags

    @reads
    def list_tags_for_resource(self, args: Args) -> Answer:
        return {"tags": dict(self._tags(args["resourceArn"]))}

    @writes
    def tag_resource(self, args: Args) -> Answer:
        tags = self._tags(args["resourceArn"])
        self._few(tags | args["tags"])
        tags |= args["tags"]
        return {}

    @writes
    def untag_resource(self, args: Args) -> Answer:
        tags = self._tags(args["resourceArn"])
        for key in args["tagKeys"]:
            tags.pop(key, None)
        return {}

    def tagged(self) -> Iterator[tuple[str, str, dict[str, str]]]:
        """Type, ARN and tags, for the tagging API."""
        for name, group in self.groups.items():
            yield "logs:log-group", self.arn(f"log-group:{name}"), group.tags

    def _tags(self, arn: str) -> dict[str, str]:
        prefix = self.arn("log-group:")
        if not arn.startswith(prefix) or arn[len(prefix) :] not in self.groups:
            raise Refused("ResourceNotFoundException", "The specified resource does not exist.")
        return self.groups[arn[len(prefix) :]].tags

    def _few(self, tags: dict[str, str]) -> None:
        if len(tags) > _MOST_TAGS:
            raise Refused("TooManyTagsException", f"more than {_MOST_TAGS} tags")

    # --- resource policies

    @writes
    def put_resource_policy(self, args: Args) -> Answer:
        name = args["policyName"]
        if name not in self.policies and len(self.policies) >= _POLICIES:
            raise Refused("LimitExceededException", "Resource limit exceeded.")
        self.policies[name] = {
            "policyName": name,
            "policyDocument": args["policyDocument"],
            "lastUpdatedTime": self.account.clock.millis(),
        }
        return {"resourcePolicy": dict(self.policies[name])}

    @reads
    def describe_resource_policies(self, args: Args) -> Answer:
        found, token = page(
            self.policies, args.get("nextToken"), args.get("limit", _PAGE), "InvalidParameterException"
        )
        return {"resourcePolicies": found} | given(nextToken=token)

    @writes
    def delete_resource_policy(self, args: Args) -> Answer:
        if self.policies.pop(args.get("policyName", ""), None) is None:
            raise Refused(
                "ResourceNotFoundException", f"Policy with name [{args.get('policyName')}] does not exist"
            )
        return {}

    # --- streams and events

    @writes
    def create_log_stream(self, args: Args) -> Answer:
        group, name = self._group(args), args["logStreamName"]
        if name in group.streams:
            raise Refused("ResourceAlreadyExistsException", "The specified log stream already exists")
        group.streams[name] = _Stream(name, self.account.clock.millis())
        return {}

    @writes
    def delete_log_stream(self, args: Args) -> Answer:
        self._stream(args)
        del self._group(args).streams[args["logStreamName"]]
        return {}

    @reads
    def describe_log_streams(self, args: Args) -> Answer:
        by_time = args.get("orderBy") == "LastEventTime"
        if by_time and "logStreamNamePrefix" in args:
            raise Refused(
                "InvalidParameterException", "Cannot order by LastEventTime with a logStreamNamePrefix."
            )
        group = self._group(args)
        chosen = [s for n, s in group.streams.items() if n.startswith(args.get("logStreamNamePrefix", ""))]
        chosen.sort(
            key=lambda s: (max((e["timestamp"] for e in s.events), default=0) if by_time else 0, s.name)
        )
        if args.get("descending"):
            chosen.reverse()
        numbered = {f"{number:09}": self._stream_shown(args, stream) for number, stream in enumerate(chosen)}
        found, token = page(
            numbered, args.get("nextToken"), args.get("limit", _PAGE), "InvalidParameterException"
        )
        return {"logStreams": found} | given(nextToken=token)

    def _stream_shown(self, args: Args, stream: _Stream) -> dict[str, Any]:
        times = [event["timestamp"] for event in stream.events]
        return given(
            logStreamName=stream.name,
            creationTime=stream.created,
            firstEventTimestamp=min(times, default=None),
            lastEventTimestamp=max(times, default=None),
            lastIngestionTime=max((event["ingestionTime"] for event in stream.events), default=None),
            arn=self.arn(f"log-group:{self._name(args)}:log-stream:{stream.name}"),
            storedBytes=0,
        )

    @writes
    def put_log_events(self, args: Args) -> Answer:
        stream = self._stream(args)
        times = [event["timestamp"] for event in args["logEvents"]]
        if times != sorted(times):
            raise Refused(
                "InvalidParameterException",
                "Log events in a single PutLogEvents request must be in chronological order.",
            )
        if times[-1] - times[0] > _BATCH:
            raise Refused(
                "InvalidParameterException", "The batch of log events in a single PutLogEvents request cannot span more than 24 hours."
            )  # fmt: skip
        now = self.account.clock.millis()
        old = sum(time < now - _PAST for time in times)
        new = sum(time > now + _FUTURE for time in times)
        for event in args["logEvents"][old : len(times) - new]:
            self._made += 1
            stream.events.append({**event, "ingestionTime": now, "eventId": f"{self._made:056}"})
        rejected = given(
            tooOldLogEventEndIndex=old or None, tooNewLogEventStartIndex=len(times) - new if new else None
        )
        return {"nextSequenceToken": f"{self._made:056}"} | given(rejectedLogEventsInfo=rejected or None)

    @reads
    def get_log_events(self, args: Args) -> Answer:
        events = [event for event in _ordered(self._stream(args).events) if _within(event, args, last=False)]
        size = args.get("limit", _EVENTS)
        token = args.get("nextToken", "")
        if token:
            start = int(token[2:]) if token.startswith("f/") else max(0, int(token[2:]) - size)
            end = start + size if token.startswith("f/") else int(token[2:])
        elif args.get("startFromHead"):
            start, end = 0, size
        else:
            start, end = max(0, len(events) - size), len(events)
        keys = ("timestamp", "message", "ingestionTime")
        return {
            "events": [{key: event[key] for key in keys} for event in events[start:end]],
            "nextForwardToken": f"f/{min(end, len(events)):056}",
            "nextBackwardToken": f"b/{start:056}",
        }

    @reads
    def filter_log_events(self, args: Args) -> Answer:
        names = args.get("logStreamNames")
        if names and "logStreamNamePrefix" in args:
            raise Refused(
                "InvalidParameterException", "logStreamNames and logStreamNamePrefix exclude each other"
            )
        pattern = args.get("filterPattern", "").strip()
        if pattern.startswith(("{", "[", "%", "-", "?")):
            raise NotImplementedError(f"the fake has no filter pattern such as {pattern}")
        words = (
            [word.strip('"') for word in pattern.split()]
            if not pattern.startswith('"')
            else [pattern.strip('"')]
        )
        events = [
            {**event, "logStreamName": stream.name}
            for stream in self._group(args).streams.values()
            if (not names or stream.name in names)
            and stream.name.startswith(args.get("logStreamNamePrefix", ""))
            for event in stream.events
            if _within(event, args, last=True) and all(word in event["message"] for word in words)
        ]
        numbered = {f"{number:09}": event for number, event in enumerate(_ordered(events))}
        found, token = page(
            numbered, args.get("nextToken"), args.get("limit", _EVENTS), "InvalidParameterException"
        )
        return {"events": found, "searchedLogStreams": []} | given(nextToken=token)

    # --- in common

    def _name(self, args: Args) -> str:
        text = str(args.get("logGroupName") or args.get("logGroupIdentifier") or "")
        return text.removeprefix(self.arn("log-group:")).removesuffix(":*")

    def _group(self, args: Args) -> _Group:
        if self._name(args) not in self.groups:
            raise Refused("ResourceNotFoundException", "The specified log group does not exist.")
        return self.groups[self._name(args)]

    def _stream(self, args: Args) -> _Stream:
        group = self._group(args)
        if args["logStreamName"] not in group.streams:
            raise Refused("ResourceNotFoundException", "The specified log stream does not exist.")
        return group.streams[args["logStreamName"]]


def _ordered(events: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return sorted(events, key=lambda event: (event["timestamp"], event["eventId"]))


def _within(event: dict[str, Any], args: Args, *, last: bool) -> bool:
    """Whether an event is in the range; its end counts for FilterLogEvents, and not for GetLogEvents."""
    time: int = event["timestamp"]
    if time < args.get("startTime", time):
        return False
    return "endTime" not in args or (time <= args["endTime"] if last else time < args["endTime"])

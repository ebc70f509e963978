"""What AWS has of the things that a catalogue wants or owns: read in pages and batches, nothing else looked at.

The index of tags names what the catalogue owns. It runs behind, and emulators lack it; so what begins with the catalogue's own names is
looked at too, and what has a wanted name and is not in the index is asked for its tags.
"""

from __future__ import annotations

import copy
import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from orders_obs.aws.alarm_pages import alarm_pages
from orders_obs.aws.desired import address_name, subscription_name
from orders_obs.aws.normal import comparable, digest, put_arguments
from orders_obs.aws.session import Denied, UnknownCall
from orders_obs.aws.subscriptions import delivery_of_others, subscription_settings
from orders_obs.aws.things import OWN_TAGS, SOURCE_TAG, Thing, identity

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from orders_obs.aws.desired import Desired
    from orders_obs.aws.session import Aws
    from orders_obs.aws.things import Kind

__all__ = ["Live", "read_live", "read_thing"]

_NAMES = 100
"""Names that DescribeAlarms takes at once (API reference)."""
_ALARM_KINDS = ("metric-alarm", "composite-alarm")
_OWN_SIDS = ("Owner", "CloudWatchAlarms", "EventBridgeRules", "RdsEvents")
_DEFAULT_SID = "__default_statement_ID"
"""Of the policy that SNS gives a new topic, with which its account administers it."""
# The ARN of a topic has no type.
_INDEXED = ("cloudwatch", "sns", "events:rule", "logs:log-group")
_DELETED = "Deleted"
_RULE = ("Description", "EventPattern", "ScheduleExpression", "State", "RoleArn")
_OWN_TARGETS = ("topic", "log")


@dataclass(slots=True)
class Live:
    """What is there.

    Attributes:
        things: By identity: what has a wanted name, and what is the owner's.
        notes: What could not be looked at, and what that means.
        begun: What a run meant to make that did not come to its end.
    """

    things: dict[str, Thing] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    begun: set[str] = field(default_factory=set)

    def add(self, thing: Thing) -> None:
        """Add a thing."""
        self.things[thing.identity] = thing


def read_live(aws: Aws, desired: Desired, progress: Callable[[str], None] = lambda _: None) -> Live:
    """Read what is there.

    Args:
        aws: The session.
        desired: What is wanted, which says where to look.
        progress: Told what is being read.

    Raises:
        EnvironmentFault: Something cannot be read.
    """
    return _Reader(aws, desired, progress).read()


def read_thing(aws: Aws, desired: Desired, thing: Thing) -> Thing | None:
    """One thing as it is now, with its tags; None where it is not there.

    Raises:
        EnvironmentFault: It cannot be read.
    """
    reader = _Reader(aws, desired, lambda _: None)
    reader.one(thing)
    found = reader.live.things
    if thing.kind in _ALARM_KINDS:
        # One name space: an alarm of the other type may have the name.
        return next((alarm for alarm in found.values() if alarm.name == thing.name), None)
    return found.get(thing.identity)


class _Reader:
    def __init__(self, aws: Aws, desired: Desired, progress: Callable[[str], None]) -> None:
        self._aws = aws
        self._desired = desired
        self._progress = progress
        self._prefix = f"{desired.owner.service}-{desired.owner.environment}-"
        self._index: dict[str, dict[str, str]] = {}
        self._secrets: dict[str, str | None] = {}
        self.live = Live()

    def read(self) -> Live:
        self._progress("reading the index of tags")
        self._read_index()
        self._progress("reading alarms")
        self._alarms()
        self._progress("reading mute rules, topics and subscriptions")
        self._mute_rules(self._wanted("mute-rule"))
        wanted = self._wanted("topic")
        for name in sorted({*wanted, *self._owned(":sns:", 5)}):
            try:
                self._topic(name)
            except Denied as fault:
                if name in wanted:
                    raise
                self.live.notes.append(
                    f"topic {name} is ours, wanted no more, and cannot be looked at: {fault}"
                )
        self._progress("reading rules and log groups")
        self._rules()
        for name in sorted({*self._wanted("log-group"), *self._owned(":log-group:", 6)}):
            self._log_group(name)
        self._log_policy()
        return self.live

    def one(self, thing: Thing) -> None:
        kind = thing.kind
        if kind in _ALARM_KINDS:
            self._keep_alarms(self._described([thing.name]))
        elif kind == "topic":
            self._topic(thing.name)
        elif kind == "subscription":
            self._topic(thing.name.split(" ")[0])
        elif kind == "rule":
            self._rule(
                self._aws.call(
                    "events",
                    "describe_rule",
                    about=f"rule {thing.name}",
                    absent="ResourceNotFound",
                    Name=thing.name,
                )
            )
        elif kind == "log-group":
            self._log_group(thing.name)
        elif kind == "log-policy":
            self._log_policy()
        else:
            self._mute_rule(thing.name)

    # -- the index of tags ------------------------------------------------------------------------------------------------

    def _read_index(self) -> None:
        filters = [{"Key": key, "Values": [value]} for key, value in self._desired.owner.tags.items()]
        try:
            pages = self._aws.pages(
                "resourcegroupstaggingapi", "get_resources", about="the index of tags",
                TagFilters=filters, ResourceTypeFilters=list(_INDEXED), ResourcesPerPage=100,
            )  # fmt: skip
        except UnknownCall:
            self.live.notes.append(
                f"there is no index of tags here: what is ours and is not named {self._prefix}… is not found"
            )
            return
        for page in pages:
            for entry in page["ResourceTagMappingList"]:
                self._index[entry["ResourceARN"]] = _pairs(entry["Tags"])

    def _wanted(self, *kinds: Kind) -> list[str]:
        return [thing.name for thing in self._desired.things.values() if thing.kind in kinds]

    def _owned(self, part: str, field_number: int) -> list[str]:
        """The names of what the index has of a kind."""
        return [
            address.split(":", field_number)[field_number].removesuffix(":*").removeprefix("log-group:")
            for address in self._index
            if part in address
        ]

    def _tags(
        self, service: str, kind: Kind, name: str, address: str, settings: dict[str, Any] | None = None
    ) -> dict[str, str]:
        """All tags of a thing. The index runs behind: it is believed where all is as wanted, so that nothing follows from it."""
        wanted, indexed = self._desired.things.get(identity(kind, name)), self._index.get(address)
        if indexed and wanted and _own(indexed) == _own(wanted.tags) and settings in (None, wanted.settings):
            return indexed
        key = "resourceArn" if service == "logs" else "ResourceArn" if service == "sns" else "ResourceARN"
        about = f"{kind.replace('-', ' ')} {name}"
        answer = self._aws.call(
            service, "list_tags_for_resource", about=about, absent="ResourceNotFound", **{key: address}
        )
        if answer is None:
            return {}
        return _pairs(answer.get("Tags", [])) if service != "logs" else dict(answer.get("tags", {}))

    # -- alarms -----------------------------------------------------------------------------------------------------------

    def _alarms(self) -> None:
        found = [
            alarm
            for page in alarm_pages(self._aws, AlarmNamePrefix=self._prefix)
            for alarm in _alarms_of(page)
        ]
        read = {alarm["AlarmName"] for alarm in found}
        others = {*self._wanted("metric-alarm", "composite-alarm"), *self._owned(":alarm:", 6)} - read
        # What begins as ours do was read already, or is not there.
        found += self._described(sorted(name for name in others if not name.startswith(self._prefix)))
        self._keep_alarms(found)

    def _described(self, names: list[str]) -> list[dict[str, Any]]:
        return [
            alarm
            for start in range(0, len(names), _NAMES)
            for page in alarm_pages(self._aws, AlarmNames=names[start : start + _NAMES])
            for alarm in _alarms_of(page)
        ]

    def _keep_alarms(self, found: Iterable[dict[str, Any]]) -> None:
        for alarm in found:
            kind: Kind = "composite-alarm" if "AlarmRule" in alarm else "metric-alarm"
            name, address = alarm["AlarmName"], alarm["AlarmArn"]
            settings = comparable(kind, put_arguments(alarm))
            self.live.add(
                Thing(
                    kind,
                    name,
                    settings,
                    self._tags("cloudwatch", kind, name, address, settings),
                    address,
                    state=alarm["StateValue"],
                    found={key: alarm[key] for key in ("EvaluationState", "StateReason") if alarm.get(key)},
                )
            )

    def _mute_rules(self, wanted: list[str]) -> None:
        try:
            pages = self._listed_mute_rules()
        except UnknownCall:
            if wanted:
                raise
            self.live.notes.append("there are no mute rules here: none is looked at")
            return
        names = {page["AlarmMuteRuleArn"].rpartition(":")[2] for page in pages}
        for name in sorted(names):
            if name in wanted or name.startswith(self._prefix):
                self._mute_rule(name)

    def _listed_mute_rules(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = []
        more: dict[str, str] = {}
        while True:
            answer = self._aws.call("cloudwatch", "list_alarm_mute_rules", about="mute rules", **more) or {}
            found += answer.get("AlarmMuteRuleSummaries", [])
            if not answer.get("NextToken"):
                return found
            more = {"NextToken": answer["NextToken"]}

    def _mute_rule(self, name: str) -> None:
        rule = self._aws.call(
            "cloudwatch", "get_alarm_mute_rule", about=f"mute rule {name}", absent="ResourceNotFound",
            AlarmMuteRuleName=name,
        )  # fmt: skip
        if rule is None:
            return
        address = rule["AlarmMuteRuleArn"]
        tags = self._tags("cloudwatch", "mute-rule", name, address)
        self.live.add(Thing("mute-rule", name, comparable("mute-rule", put_arguments(rule)), tags, address))

    # -- topics and who subscribes -------------------------------------------------------------------------------------------

    def _topic(self, name: str) -> None:
        address = self._aws.arn("sns", name)
        about = f"topic {name}"
        answer = self._aws.call(
            "sns", "get_topic_attributes", about=about, absent="NotFound", TopicArn=address
        )
        if answer is None:
            return
        attributes = answer["Attributes"]
        policy = _document(attributes.get("Policy", ""))
        statements = [part for part in policy.get("Statement", []) if isinstance(part, dict)]
        own: dict[str, Any] = {}
        for part in statements:
            if part.get("Sid") in _OWN_SIDS:
                # One of ours that is there twice is not as it should be.
                sid = part["Sid"]
                own[sid] = [own[sid], part] if sid in own else part
        key = attributes.get("KmsMasterKeyId", "")
        told = [
            subscription
            for page in self._aws.pages("sns", "list_subscriptions_by_topic", about=about, TopicArn=address)
            for subscription in page["Subscriptions"]
            # SNS lists for a while who has unsubscribed.
            if subscription["SubscriptionArn"] != _DELETED
        ]
        self.live.add(
            Thing(
                "topic",
                name,
                comparable("topic", {"KmsMasterKeyId": key, "Statements": own}),
                self._tags("sns", "topic", name, address),
                address,
                found={
                    "Others": _others(statements, self._aws.account),
                    "Subscribers": sorted(digest([entry["Protocol"], entry["Endpoint"]]) for entry in told),
                },
            )
        )
        for subscription in told:
            self._subscription(subscription)

    def _subscription(self, subscription: dict[str, Any]) -> None:
        pending = not subscription["SubscriptionArn"].startswith("arn:")
        topic, protocol, endpoint = (subscription[key] for key in ("TopicArn", "Protocol", "Endpoint"))
        attributes: dict[str, str] = {}
        if not pending:
            answer = self._aws.call(
                "sns", "get_subscription_attributes", about=f"subscription of {subscription['TopicArn']}",
                absent="NotFound", SubscriptionArn=subscription["SubscriptionArn"],
            )  # fmt: skip
            if answer is None:
                # It went while this was read.
                return
            attributes = answer["Attributes"]
            pending = attributes.get("PendingConfirmation") == "true"
        others = delivery_of_others(attributes)
        for shown, known in self._named(topic, protocol, endpoint).items():
            name = subscription_name(topic, protocol, shown)
            wanted = self._desired.things.get(identity("subscription", name))
            if pending or known.get("Guessed"):
                # Of one that waits SNS shows and changes nothing, and one that is perhaps others' is not to be changed.
                settings = copy.deepcopy(wanted.settings) if wanted else {}
            else:
                settings = subscription_settings(attributes, wanted)
            found = {**known, "DeliveryPolicy": others} if others else known
            self.live.add(
                Thing(
                    "subscription",
                    name,
                    settings,
                    arn="" if pending else subscription["SubscriptionArn"],
                    state="pending" if pending else "confirmed",
                    found=found,
                )
            )

    def _named(self, topic: str, protocol: str, endpoint: str) -> dict[str, dict[str, Any]]:
        """An endpoint, or the names of the secrets that hold it, with what is known; of an address that is not wanted no more than a hash."""
        if protocol not in ("http", "https"):
            return {endpoint: {}}
        address = address_name(endpoint)
        named: dict[str, dict[str, Any]] = {}
        for thing in self._desired.things.values():
            secret = thing.arguments.get("Secret")
            if secret and thing.arguments["TopicArn"] == topic and self._secret(secret) in (endpoint, None):
                known = {"Address": subscription_name(topic, protocol, address)}
                named[f"<{secret}>"] = known if self._secret(secret) else {**known, "Guessed": True}
        return named or {address: {}}

    def _secret(self, name: str) -> str | None:
        """What a secret holds; None where it may not be read, so that what is there is taken to be right."""
        if name not in self._secrets:
            self._secrets[name] = None
            try:
                answer = self._aws.call(
                    "secretsmanager",
                    "get_secret_value",
                    about=f"secret {name}",
                    absent="ResourceNotFound",
                    SecretId=name,
                )
            except Denied:
                self.live.notes.append(
                    f"secret {name} cannot be read, so that whether its address subscribes is not compared"
                )
            else:
                self._secrets[name] = (answer or {}).get("SecretString", "").strip()
        return self._secrets[name]

    # -- rules and logs ------------------------------------------------------------------------------------------------------

    def _rules(self) -> None:
        found: list[dict[str, Any]] = []
        pages = self._aws.pages("events", "list_rules", about="rules", NamePrefix=self._prefix)
        found += [rule for page in pages for rule in page["Rules"]]
        read = {rule["Name"] for rule in found}
        for name in sorted(
            {*self._wanted("rule"), *(n.removeprefix("rule/") for n in self._owned(":rule/", 5))} - read
        ):
            if not name.startswith(self._prefix):
                answer = self._aws.call(
                    "events", "describe_rule", about=f"rule {name}", absent="ResourceNotFound", Name=name
                )
                found += [answer] if answer else []
        for rule in found:
            self._rule(rule)

    def _rule(self, rule: dict[str, Any] | None) -> None:
        if rule is None:
            return
        name, address = rule["Name"], rule["Arn"]
        tags = self._tags("events", "rule", name, address)
        pages = self._aws.pages("events", "list_targets_by_rule", about=f"rule {name}", Rule=name)
        targets = {target["Id"]: target for page in pages for target in page["Targets"]}
        wanted = self._desired.things.get(f"rule/{name}")
        own = {*_OWN_TARGETS, *(wanted.settings["Targets"] if wanted else ())}
        asked = {key: rule[key] for key in _RULE if key in rule} | {
            "Targets": {key: value for key, value in targets.items() if key in own}
        }
        try:
            settings = comparable("rule", asked)
        except ValueError:
            settings = asked
        others = {key: value for key, value in targets.items() if key not in own}
        self.live.add(
            Thing("rule", name, settings, tags, address, found={"Targets": others} if others else {})
        )

    def _log_group(self, name: str) -> None:
        pages = self._aws.pages(
            "logs", "describe_log_groups", about=f"log group {name}", logGroupNamePrefix=name
        )
        for group in (
            group for page in pages for group in page["logGroups"] if group["logGroupName"] == name
        ):
            address = self._aws.arn("logs", f"log-group:{name}")
            settings = {"retentionInDays": group["retentionInDays"]} if "retentionInDays" in group else {}
            self.live.add(
                Thing("log-group", name, settings, self._tags("logs", "log-group", name, address), address)
            )

    def _log_policy(self) -> None:
        wanted = self._wanted("log-policy")
        own = f"{self._prefix}events"
        pages = self._aws.pages(
            "logs", "describe_resource_policies", about="resource policies of CloudWatch Logs"
        )
        for policy in (policy for page in pages for policy in page["resourcePolicies"]):
            if policy["policyName"] in (*wanted, own):
                document = _document(policy["policyDocument"])
                settings = comparable("log-policy", {"policyDocument": document})
                self.live.add(Thing("log-policy", policy["policyName"], settings))


def _alarms_of(page: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield from page.get("MetricAlarms", [])
    yield from page.get("CompositeAlarms", [])
    yield from page.get("LogAlarms", [])


def _own(tags: dict[str, str]) -> dict[str, str]:
    return {key: value for key, value in tags.items() if key in OWN_TAGS and key != SOURCE_TAG}


def _pairs(tags: list[dict[str, str]]) -> dict[str, str]:
    return {tag["Key"]: tag["Value"] for tag in tags}


def _document(text: str) -> dict[str, Any]:
    try:
        content = json.loads(text or "{}")
    except ValueError:
        return {}
    return content if isinstance(content, dict) else {}


def _others(statements: list[dict[str, Any]], account: str) -> list[dict[str, Any]]:
    """The statements of a topic's policy that others put there; SNS's own default, as it gives it, is nobody's."""
    return [
        part
        for part in statements
        if part.get("Sid") not in _OWN_SIDS
        and not (part.get("Sid") == _DEFAULT_SID and _kept_to(part.get("Condition"), account))
    ]


def _kept_to(condition: Any, account: str) -> bool:
    """Whether a condition lets in nobody but an account, as that of SNS's default statement does."""
    equals = condition.get("StringEquals") if isinstance(condition, dict) else None
    return isinstance(equals, dict) and {key.lower(): value for key, value in equals.items()} == {
        "aws:sourceowner": account
    }

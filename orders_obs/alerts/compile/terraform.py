"""The desired state as Terraform JSON, for a team that moves to, or stays with, Terraform."""

from __future__ import annotations

import hashlib
import json
import re
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Self

from orders_obs.alerts.compile.composites import named_alarms
from orders_obs.alerts.compile.engines import Difference
from orders_obs.alerts.compile.names import rule_name
from orders_obs.alerts.model import EventAlert

if TYPE_CHECKING:
    from orders_obs.alerts.compile.aws import DesiredState
    from orders_obs.alerts.model import ResolvedCatalogue

__all__ = ["document"]

# What stands under the same name in an alarm and in the provider's resource, which writes it in snake case.
_ALARM = (
    "AlarmName", "AlarmDescription", "ActionsEnabled", "ComparisonOperator", "DatapointsToAlarm", "EvaluationPeriods",
    "EvaluateLowSampleCountPercentile", "ExtendedStatistic", "MetricName", "Namespace", "Period", "Statistic", "Threshold",
    "ThresholdMetricId", "TreatMissingData", "Unit",
)  # fmt: skip
_COMPOSITE_OWN = ("AlarmName", "AlarmDescription", "AlarmRule", "ActionsEnabled")
_COMPOSITE = (
    *_COMPOSITE_OWN, "ActionsSuppressor", "ActionsSuppressorWaitPeriod", "ActionsSuppressorExtensionPeriod",
)  # fmt: skip
_RENAMED = {"EvaluateLowSampleCountPercentile": "evaluate_low_sample_count_percentiles"}
_HANDLED = ("AlarmActions", "OKActions", "InsufficientDataActions", "Dimensions", "Metrics", "Tags")
_PROVIDER = "~> 6.0"
_NEWER = "are newer than the AWS provider's types that this document keeps to"


def document(
    catalogue: ResolvedCatalogue, state: DesiredState, *, imports: bool = False
) -> tuple[dict[str, Any], list[Difference]]:
    """The document of one environment, and what the AWS provider cannot express.

    Args:
        catalogue: The environment.
        state: Its desired state.
        imports: Whether to add `import` blocks, for resources that are there already.
    """
    return _Document(catalogue, state).build(imports=imports)


class _Document:
    def __init__(self, catalogue: ResolvedCatalogue, state: DesiredState) -> None:
        self._catalogue = catalogue
        self._state = state
        self._resources: dict[str, dict[str, Any]] = {}
        self._data: dict[str, dict[str, Any]] = {}
        self._imports: list[dict[str, str]] = []
        self._differences: list[Difference] = []
        self._topics: dict[str, str] = {}
        self._alerts = {alert.full_name: alert for alert in catalogue}

    def build(self, *, imports: bool) -> tuple[dict[str, Any], list[Difference]]:
        environment = self._catalogue.environment
        self._sns()
        self._logs()
        self._alarms()
        self._rules()
        result: dict[str, Any] = {
            "terraform": {"required_providers": {"aws": {"source": "hashicorp/aws", "version": _PROVIDER}}},
            # The wrong account is refused by the provider.
            "provider": {
                "aws": [{"region": environment.region, "allowed_account_ids": [environment.account]}]
            },
            "resource": {kind: dict(sorted(made.items())) for kind, made in sorted(self._resources.items())},
        }
        if self._data:
            result["data"] = self._data
        moved = self._moved()
        if moved:
            result["moved"] = moved
        if imports:
            result["import"] = sorted(self._imports, key=lambda block: block["to"])
            if self._state.key:
                reason = "not imported: a key is by its id, which only AWS knows; import the key and its alias by hand"
                self._differences.append(Difference(self._state.key["Alias"], "", reason))
        return result, self._differences

    def _add(self, kind: str, name: str, content: dict[str, Any], *, identity: str = "") -> str:
        """Add a resource; its address."""
        label = _label(name)
        made = self._resources.setdefault(kind, {})
        if label in made:
            # Names that differ in their punctuation only.
            label += "_" + hashlib.sha256(name.encode()).hexdigest()[:8]
        made[label] = _escaped(content)
        address = f"{kind}.{label}"
        if identity:
            self._imports.append({"to": address, "id": identity})
        return address

    def _sns(self) -> None:
        state = self._state
        if state.key:
            name = state.key["Alias"].removeprefix("alias/")
            policy = json.dumps(state.key["Policy"], sort_keys=True)
            key = self._add(
                "aws_kms_key",
                name,
                {
                    "description": state.key["Description"],
                    "enable_key_rotation": True,
                    "policy": policy,
                    "tags": _tags(state.key["Tags"]),
                },
            )
            alias = {"name": state.key["Alias"], "target_key_id": _Reference(f"{key}.key_id")}
            # Neither is imported: a key is by its id, which only AWS knows, and an alias alone would be moved to a new key.
            self._add("aws_kms_alias", name, alias)
        for topic in state.topics:
            arn = next(statement["Resource"] for statement in topic["Policy"]["Statement"])
            content: dict[str, Any] = {"name": topic["Name"], "tags": _tags(topic["Tags"])}
            if "KmsMasterKeyId" in topic["Attributes"]:
                content["kms_master_key_id"] = topic["Attributes"]["KmsMasterKeyId"]
            address = self._add("aws_sns_topic", topic["Name"], content, identity=arn)
            self._topics[arn] = address
            policy = json.dumps(topic["Policy"], sort_keys=True)
            policy_content = {"arn": _Reference(f"{address}.arn"), "policy": policy}
            self._add("aws_sns_topic_policy", topic["Name"], policy_content, identity=arn)
        for subscription in state.subscriptions:
            self._subscription(subscription)

    def _subscription(self, subscription: dict[str, Any]) -> None:
        topic = subscription["TopicArn"]
        secret, protocol = subscription.get("Secret"), subscription["Protocol"]
        label = (
            f"{topic.rpartition(':')[2]}-{protocol}-{secret or subscription['Endpoint'].rpartition(':')[2]}"
        )
        content: dict[str, Any] = {"topic_arn": self._topic(topic), "protocol": protocol}
        if secret:
            self._data.setdefault("aws_secretsmanager_secret_version", {})[_label(secret)] = {
                "secret_id": secret
            }
            content["endpoint"] = _Reference(
                f"data.aws_secretsmanager_secret_version.{_label(secret)}.secret_string"
            )
            # PagerDuty confirms by itself.
            content["endpoint_auto_confirms"] = True
        else:
            content["endpoint"] = subscription["Endpoint"]
        policy = subscription.get("Attributes", {}).get("DeliveryPolicy")
        if policy:
            content["delivery_policy"] = policy
        self._add("aws_sns_topic_subscription", label, content)
        if protocol == "lambda":
            permission = {
                "action": "lambda:InvokeFunction",
                "function_name": subscription["Endpoint"],
                "principal": "sns.amazonaws.com",
                "source_arn": self._topic(topic),
            }
            self._add("aws_lambda_permission", label, permission)

    def _logs(self) -> None:
        for group in self._state.log_groups:
            name = group["logGroupName"]
            content = {"name": name, "retention_in_days": group["retentionInDays"], "tags": group["tags"]}
            self._add("aws_cloudwatch_log_group", name, content, identity=name)
        policy = self._state.log_policy
        if policy:
            text = json.dumps(policy["policyDocument"], sort_keys=True)
            content = {"policy_name": policy["policyName"], "policy_document": text}
            self._add(
                "aws_cloudwatch_log_resource_policy",
                policy["policyName"],
                content,
                identity=policy["policyName"],
            )

    def _alarms(self) -> None:
        addresses: dict[str, str] = {}
        for alarm in self._state.metric_alarms:
            name = alarm["AlarmName"]
            if "EvaluationCriteria" in alarm:
                self._without(name, f"PromQL alarms {_NEWER}")
                continue
            for key in sorted(set(alarm) - {*_ALARM, *_HANDLED}):
                self._without(name, f"alarms with {key} {_NEWER}")
            content = {_RENAMED.get(key, _snake(key)): alarm[key] for key in _ALARM if key in alarm}
            content |= self._told(alarm)
            if "Dimensions" in alarm:
                content["dimensions"] = _dimensions(alarm["Dimensions"])
            if "Metrics" in alarm:
                content["metric_query"] = [_query(query) for query in alarm["Metrics"]]
            addresses[name] = self._add("aws_cloudwatch_metric_alarm", name, content, identity=name)
        for composite in self._state.composite_alarms:
            name = composite["AlarmName"]
            for key in sorted(set(composite) - {*_COMPOSITE, *_HANDLED}):
                self._without(name, f"composite alarms with {key} {_NEWER}")
            content = {_snake(key): composite[key] for key in _COMPOSITE_OWN if key in composite}
            content |= self._told(composite)
            if "ActionsSuppressor" in composite:
                content["actions_suppressor"] = {
                    "alarm": composite["ActionsSuppressor"],
                    "wait_period": composite["ActionsSuppressorWaitPeriod"],
                    "extension_period": composite["ActionsSuppressorExtensionPeriod"],
                }
            content["depends_on"] = sorted(
                addresses[child] for child in named_alarms(composite) if child in addresses
            )
            addresses[name] = self._add("aws_cloudwatch_composite_alarm", name, content, identity=name)
        prefix = f"{self._catalogue.service}-{self._catalogue.environment.name}-"
        places = {f"{prefix}{window.name}": window.source.short for window in self._catalogue.mutes}
        for mute in self._state.mute_rules:
            place = places.get(mute["Name"]) or places.get(re.sub(r"-\d+$", "", mute["Name"]), "")
            reason = f"not in Terraform: mute rules {_NEWER}"
            self._differences.append(Difference(mute["Name"], place, reason))

    def _rules(self) -> None:
        for rule in self._state.rules:
            content = {
                "name": rule["Name"],
                "description": rule["Description"],
                "event_pattern": rule["EventPattern"],
                "state": rule["State"],
                "tags": _tags(rule["Tags"]),
            }
            address = self._add(
                "aws_cloudwatch_event_rule", rule["Name"], content, identity=f"default/{rule['Name']}"
            )
            for target in rule["Targets"]:
                name = f"{rule['Name']}-{target['Id']}"
                identity = f"{rule['Name']}/{target['Id']}"
                target_content = {
                    "rule": _Reference(f"{address}.name"),
                    "target_id": target["Id"],
                    "arn": self._topic(target["Arn"]),
                }
                self._add("aws_cloudwatch_event_target", name, target_content, identity=identity)

    def _told(self, alarm: dict[str, Any]) -> dict[str, Any]:
        content: dict[str, Any] = {"tags": _tags(alarm["Tags"])}
        for key, name in (
            ("AlarmActions", "alarm_actions"),
            ("OKActions", "ok_actions"),
            ("InsufficientDataActions", "insufficient_data_actions"),
        ):
            if key in alarm:
                content[name] = [self._topic(arn) for arn in alarm[key]]
        return content

    def _topic(self, arn: str) -> str:
        """A reference to a topic of ours, else the address itself."""
        return _Reference(f"{self._topics[arn]}.arn") if arn in self._topics else arn

    def _moved(self) -> list[dict[str, str]]:
        """What an alert had under its old names, and what belongs to it: alarms of its windows, targets of its rule."""
        blocks = []
        for alert in self._catalogue:
            if not alert.was:
                continue
            named = rule_name if isinstance(alert, EventAlert) else str
            new = _label(named(alert.full_name))
            names = [*(_label(named(alert.name_on_aws(old))) for old in alert.was), new]
            # A chain, as what moved from two places is refused.
            blocks += [
                {
                    "from": f"{kind}.{before}{label[len(new) :]}",
                    "to": f"{kind}.{after}{label[len(new) :]}",
                }
                for kind, made in self._resources.items()
                for label in made
                if label == new or label.startswith(f"{new}-")
                for before, after in pairwise(names)
                # A raw form's own name outlives the alert's.
                if before != after
            ]
        return blocks

    def _without(self, name: str, reason: str) -> None:
        # What belongs to an alert has its name, and more behind a dash.
        owner = name
        while owner and owner not in self._alerts:
            owner = owner.rpartition("-")[0]
        place = self._alerts[owner].source.short if owner else ""
        self._differences.append(Difference(name, place, f"not in Terraform: {reason}"))


class _Reference(str):
    """Text that Terraform is to evaluate; all other text is taken as it is."""

    __slots__ = ()

    def __new__(cls, expression: str) -> Self:
        return super().__new__(cls, f"${{{expression}}}")


def _escaped(value: Any) -> Any:
    if isinstance(value, _Reference):
        return str(value)
    if isinstance(value, str):
        return value.replace("${", "$${").replace("%{", "%%{")
    if isinstance(value, dict):
        return {key: _escaped(child) for key, child in value.items()}
    if isinstance(value, list):
        return [_escaped(child) for child in value]
    return value


def _query(query: dict[str, Any]) -> dict[str, Any]:
    content: dict[str, Any] = {"id": query["Id"], "return_data": query["ReturnData"]}
    for key in ("Expression", "Label", "Period"):
        if key in query:
            content[key.lower()] = query[key]
    if "MetricStat" in query:
        stat = query["MetricStat"]
        metric = {
            "namespace": stat["Metric"]["Namespace"],
            "metric_name": stat["Metric"]["MetricName"],
            "dimensions": _dimensions(stat["Metric"].get("Dimensions", [])),
            "period": stat["Period"],
            "stat": stat["Stat"],
        }
        if "Unit" in stat:
            metric["unit"] = stat["Unit"]
        content["metric"] = metric
    return content


def _dimensions(dimensions: list[dict[str, str]]) -> dict[str, str]:
    return {dimension["Name"]: dimension["Value"] for dimension in dimensions}


def _tags(tags: list[dict[str, str]]) -> dict[str, str]:
    return {tag["Key"]: tag["Value"] for tag in tags}


def _snake(word: str) -> str:
    return re.sub(r"(?<!^)(?=[A-Z])", "_", word).lower()


def _label(name: str) -> str:
    """A label: letters, digits, _ and -, not a digit first."""
    label = re.sub(r"[^A-Za-z0-9_-]+", "_", name).strip("_")
    return label if not label[:1].isdigit() else f"_{label}"

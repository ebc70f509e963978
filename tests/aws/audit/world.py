"""An account for the audit, behind real clients of the SDK: dictionaries that a test fills, and reads alone are answered."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

from orders_obs.aws.audit.account import read_account
from orders_obs.aws.audit.audit import audit, everything
from orders_obs.aws.audit.model import Issue, Result, Seen
from orders_obs.aws.audit.reading import READS
from orders_obs.aws.audit.resume import Answers
from orders_obs.aws.pace import Pace
from orders_obs.aws.session import Aws
from tests.aws.fake.base import Refused
from tests.aws.fake.wire import connect

ACCOUNT, REGION = "111122223333", "eu-west-1"
NOW = datetime(2026, 11, 25, 12, 0, tzinfo=UTC)
LOAD_BALANCER = {"LoadBalancer": "app/shop/0123456789abcdef"}
TARGET_GROUP = {**LOAD_BALANCER, "TargetGroup": "targetgroup/shop/0123456789abcdef"}


def arn(service: str, rest: str, account: str = ACCOUNT, region: str = REGION) -> str:
    return f"arn:aws:{service}:{region}:{account}:{rest}"


def publish_policy(topic: str, *services: str, **condition: Any) -> dict[str, Any]:
    return {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Sid": f"Let{service.partition('.')[0]}",
                "Effect": "Allow",
                "Principal": {"Service": service},
                "Action": "sns:Publish",
                "Resource": topic,
                **({"Condition": condition} if condition else {}),
            }
            for service in services
        ],
    }


class World:
    """An account and region, as dictionaries.

    Attributes:
        calls: Every call, as `service:operation`.
        denied: Operations that the caller has no right to; `lacking`: that the endpoint does not know.
    """

    def __init__(self, account: str = ACCOUNT, region: str = REGION) -> None:
        self.account, self.region = account, region
        self.alarms: list[dict[str, Any]] = []
        self.composites: list[dict[str, Any]] = []
        self.logs: list[dict[str, Any]] = []
        self.tags: dict[str, dict[str, str]] = {}
        self.metrics: list[tuple[str, str, dict[str, str]]] = []
        self.topics: dict[str, dict[str, str]] = {}
        self.subscriptions: dict[str, list[dict[str, Any]]] = {}
        self.attributes: dict[str, dict[str, str]] = {}
        self.keys: dict[str, dict[str, Any]] = {}
        self.functions: dict[str, dict[str, Any]] = {}
        self.rules: list[dict[str, Any]] = []
        self.targets: dict[str, list[dict[str, Any]]] = {}
        self.groups: list[str] = []
        self.filters: set[tuple[str, str]] = set()
        self.known_types = {"MetricAlarm", "CompositeAlarm", "LogAlarm"}
        self.log_policies: list[dict[str, Any]] = []
        self.mutes: list[dict[str, Any]] = []
        self.services: list[dict[str, Any]] = []
        self.deployment_groups: list[dict[str, Any]] = []
        self.values: dict[str, list[float]] = {}
        self.history: list[dict[str, Any]] = []
        self._counted = 0
        self._named: dict[tuple[str, str], list[tuple[str, dict[str, str]]]] = {}
        self.calls: list[str] = []
        self.denied: set[str] = set()
        self.lacking: set[str] = set()
        self.session = connect(self._handle, account, region)

    # What a test says

    def alarm(self, name: str, **settings: Any) -> dict[str, Any]:
        """A sound metric alarm, but for the settings."""
        made: dict[str, Any] = {
            "AlarmName": name,
            "AlarmArn": self.arn("cloudwatch", f"alarm:{name}"),
            "ActionsEnabled": True,
            "AlarmActions": [self.arn("sns", "ops")],
            "OKActions": [self.arn("sns", "ops")],
            "StateValue": "OK",
            "StateTransitionedTimestamp": NOW - timedelta(days=3),
            "StateUpdatedTimestamp": NOW - timedelta(days=3),
            "AlarmConfigurationUpdatedTimestamp": NOW - timedelta(days=300),
            "Namespace": "AWS/ECS",
            "MetricName": "CPUUtilization",
            "Dimensions": [{"Name": "ClusterName", "Value": name}],
            "Statistic": "Average",
            "Period": 60,
            "EvaluationPeriods": 5,
            "DatapointsToAlarm": 3,
            "Threshold": 80.0,
            "ComparisonOperator": "GreaterThanThreshold",
            "TreatMissingData": "missing",
        } | settings
        made = {key: value for key, value in made.items() if value is not None}
        self.alarms.append(made)
        if made.get("Namespace") == "AWS/ECS" and made.get("Dimensions") == [
            {"Name": "ClusterName", "Value": name}
        ]:
            self.metrics.append(("AWS/ECS", "CPUUtilization", {"ClusterName": name}))
        return made

    def composite(self, name: str, rule: str, **settings: Any) -> dict[str, Any]:
        made = {
            "AlarmName": name,
            "AlarmArn": self.arn("cloudwatch", f"alarm:{name}"),
            "AlarmRule": rule,
            "ActionsEnabled": True,
            "AlarmActions": [self.arn("sns", "ops")],
            "OKActions": [self.arn("sns", "ops")],
            "StateValue": "OK",
            "StateTransitionedTimestamp": NOW - timedelta(days=3),
            "StateUpdatedTimestamp": NOW - timedelta(days=3),
        } | settings
        made = {key: value for key, value in made.items() if value is not None}
        self.composites.append(made)
        return made

    def topic(self, name: str, *, hears: bool = True, policy: Any = "own", **attributes: str) -> str:
        """A topic that CloudWatch and EventBridge may publish to; somebody hears it unless the test says otherwise."""
        topic = self.arn("sns", name)
        if policy == "own":
            policy = publish_policy(topic, "cloudwatch.amazonaws.com", "events.amazonaws.com")
        self.topics[topic] = {"TopicArn": topic, "Policy": json.dumps(policy), **attributes}
        self.subscriptions[topic] = []
        if hears:
            self.subscribe(topic, "email", "on-call@example.com")
        return topic

    def subscribe(
        self, topic: str, protocol: str, endpoint: str, *, pending: bool = False, **attributes: str
    ) -> str:
        number = sum(map(len, self.subscriptions.values()))
        subscription = "PendingConfirmation" if pending else f"{topic}:0000000{number}"
        self.subscriptions[topic].append(
            {
                "SubscriptionArn": subscription,
                "Owner": self.account,
                "Protocol": protocol,
                "Endpoint": endpoint,
                "TopicArn": topic,
            }
        )
        if not pending:
            self.attributes[subscription] = {"PendingConfirmation": "false", **attributes}
        return subscription

    def function(self, name: str, *services: str, reserved: int | None = None) -> str:
        function = self.arn("lambda", f"function:{name}")
        statements = [
            {
                "Sid": service,
                "Effect": "Allow",
                "Principal": {"Service": service},
                "Action": "lambda:InvokeFunction",
                "Resource": function,
            }
            for service in services
        ]
        self.functions[name] = {"policy": {"Statement": statements}, "reserved": reserved}
        return function

    def rule(self, name: str, pattern: Any, *targets: str, **settings: Any) -> None:
        self.rules.append(
            {"Name": name, "Arn": self.arn("events", f"rule/{name}"), "State": "ENABLED", "EventPattern": json.dumps(pattern), **settings}
        )  # fmt: skip
        self.targets[name] = [{"Id": str(number), "Arn": target} for number, target in enumerate(targets)]

    def arn(self, service: str, rest: str) -> str:
        return arn(service, rest, self.account, self.region)

    # What the audit makes of it

    def aws(self) -> Aws:
        return Aws(self.session, self.region, pace=Pace(sleep=lambda _seconds: None))

    def read(self, answers: Answers | None = None, **options: Any) -> Seen:
        options = dict[str, Any](now=NOW, selected=everything, history=False) | options
        return read_account(
            self.aws(), Answers(None) if answers is None else answers, lambda _about: None, **options
        )

    def result(self, **options: Any) -> Result:
        return audit(self.read(**options), NOW, options.get("selected", everything))

    def found(self, **options: Any) -> list[Issue]:
        """What is worse than worth knowing."""
        return [issue for issue in self.result(**options).issues if issue.level != "info"]

    # The calls

    def _handle(self, service: str, operation: str, arguments: dict[str, Any]) -> dict[str, Any]:
        self.calls.append(f"{service}:{operation}")
        if (service, operation) == ("sts", "get_caller_identity"):
            return {
                "Account": self.account,
                "Arn": f"arn:aws:sts::{self.account}:assumed-role/audit/me",
                "UserId": "AROA:me",
            }
        assert (service, operation) in READS, f"{service}:{operation} is no read of the audit"
        if operation in self.denied:
            code = "AuthorizationError" if service == "sns" else "AccessDenied"
            raise Refused(code, f"not authorized to perform {operation}", 403)
        if operation in self.lacking:
            raise Refused("InvalidAction", "unknown")
        answer: dict[str, Any] = getattr(self, f"_{operation}")(arguments)
        return answer

    def _describe_alarms(self, asked: dict[str, Any]) -> dict[str, Any]:
        if not set(asked["AlarmTypes"]) <= self.known_types:
            raise Refused("ValidationError", "AlarmTypes")
        every = [
            *(("MetricAlarms", one) for one in self.alarms),
            *(("CompositeAlarms", one) for one in self.composites),
            *(("LogAlarms", one) for one in self.logs),
        ]
        start, size = int(asked.get("NextToken", 0)), asked.get("MaxRecords", 50)
        page: dict[str, Any] = {"MetricAlarms": [], "CompositeAlarms": [], "LogAlarms": []}
        for kind, one in every[start : start + size]:
            page[kind].append(one)
        return page | ({"NextToken": str(start + size)} if start + size < len(every) else {})

    def _describe_alarm_history(self, asked: dict[str, Any]) -> dict[str, Any]:
        return {
            "AlarmHistoryItems": [
                one for one in self.history if one["HistoryItemType"] == asked["HistoryItemType"]
            ]
        }

    def _list_metrics(self, asked: dict[str, Any]) -> dict[str, Any]:
        if len(self.metrics) != self._counted:
            self._counted, self._named = len(self.metrics), {}
            for namespace, name, dimensions in self.metrics:
                for key in ((namespace, name), (namespace, "")):
                    self._named.setdefault(key, []).append((name, dimensions))
        found = [
            {
                "Namespace": asked["Namespace"],
                "MetricName": name,
                "Dimensions": [{"Name": k, "Value": v} for k, v in dimensions.items()],
            }
            for name, dimensions in self._named.get((asked["Namespace"], asked.get("MetricName", "")), [])
            if all(dimensions.get(one["Name"]) == one["Value"] for one in asked.get("Dimensions", []))
        ]
        start = int(asked.get("NextToken", 0))
        return {"Metrics": found[start : start + 500]} | (
            {"NextToken": str(start + 500)} if start + 500 < len(found) else {}
        )

    def _get_metric_data(self, asked: dict[str, Any]) -> dict[str, Any]:
        assert len(asked["MetricDataQueries"]) <= 500
        results = []
        for query in asked["MetricDataQueries"]:
            metric = query["MetricStat"]["Metric"]
            values = self.values.get(f"{metric['Dimensions'][0]['Value']} {metric['MetricName']}", [])
            results.append({"Id": query["Id"], "Values": values, "Timestamps": [NOW] * len(values)})
        return {"MetricDataResults": results}

    def _list_alarm_mute_rules(self, asked: dict[str, Any]) -> dict[str, Any]:
        return {
            "AlarmMuteRuleSummaries": [
                {
                    "AlarmMuteRuleArn": self.arn("cloudwatch", f"alarm-mute-rule:{one['Name']}"),
                    "Status": one["Status"],
                }
                for one in self.mutes
            ]
        }

    def _get_alarm_mute_rule(self, asked: dict[str, Any]) -> dict[str, Any]:
        return next(one for one in self.mutes if one["Name"] == asked["AlarmMuteRuleName"])

    def _get_resources(self, asked: dict[str, Any]) -> dict[str, Any]:
        return {
            "ResourceTagMappingList": [
                {"ResourceARN": name, "Tags": [{"Key": k, "Value": v} for k, v in tags.items()]}
                for name, tags in self.tags.items()
            ]
        }

    def _get_topic_attributes(self, asked: dict[str, Any]) -> dict[str, Any]:
        return {"Attributes": self._there(self.topics, asked["TopicArn"], "NotFound")}

    def _list_subscriptions_by_topic(self, asked: dict[str, Any]) -> dict[str, Any]:
        return {"Subscriptions": self._there(self.subscriptions, asked["TopicArn"], "NotFound")}

    def _get_subscription_attributes(self, asked: dict[str, Any]) -> dict[str, Any]:
        return {"Attributes": self._there(self.attributes, asked["SubscriptionArn"], "NotFound")}

    def _describe_key(self, asked: dict[str, Any]) -> dict[str, Any]:
        key = self._there(self.keys, asked["KeyId"].removeprefix("alias/"), "NotFoundException")
        return {
            "KeyMetadata": {
                "KeyId": asked["KeyId"].removeprefix("alias/"), "AWSAccountId": self.account, "KeyState": key.get("state", "Enabled"),
                "KeyManager": key.get("manager", "CUSTOMER"),
            }
        }  # fmt: skip

    def _get_key_policy(self, asked: dict[str, Any]) -> dict[str, Any]:
        return {"Policy": json.dumps(self.keys[asked["KeyId"]]["policy"])}

    def _get_function_concurrency(self, asked: dict[str, Any]) -> dict[str, Any]:
        function = self._there(self.functions, asked["FunctionName"], "ResourceNotFoundException")
        return {} if function["reserved"] is None else {"ReservedConcurrentExecutions": function["reserved"]}

    def _get_policy(self, asked: dict[str, Any]) -> dict[str, Any]:
        function = self._there(self.functions, asked["FunctionName"], "ResourceNotFoundException")
        if not function["policy"]["Statement"]:
            raise Refused("ResourceNotFoundException", "no policy", 404)
        return {"Policy": json.dumps(function["policy"])}

    def _list_rules(self, asked: dict[str, Any]) -> dict[str, Any]:
        return {"Rules": self.rules}

    def _list_targets_by_rule(self, asked: dict[str, Any]) -> dict[str, Any]:
        return {"Targets": self.targets[asked["Rule"]]}

    def _describe_log_groups(self, asked: dict[str, Any]) -> dict[str, Any]:
        return {
            "logGroups": [
                {"logGroupName": one} for one in self.groups if one.startswith(asked["logGroupNamePrefix"])
            ]
        }

    def _describe_metric_filters(self, asked: dict[str, Any]) -> dict[str, Any]:
        sent = (asked["metricNamespace"], asked["metricName"]) in self.filters
        return {"metricFilters": [{"filterName": "errors"}] if sent else []}

    def _describe_resource_policies(self, asked: dict[str, Any]) -> dict[str, Any]:
        return {
            "resourcePolicies": [
                {"policyName": "p", "policyDocument": json.dumps(one)} for one in self.log_policies
            ]
        }

    def _list_clusters(self, asked: dict[str, Any]) -> dict[str, Any]:
        return {"clusterArns": [self.arn("ecs", "cluster/shops")] if self.services else []}

    def _list_services(self, asked: dict[str, Any]) -> dict[str, Any]:
        return {
            "serviceArns": [self.arn("ecs", f"service/shops/{one['serviceName']}") for one in self.services]
        }

    def _describe_services(self, asked: dict[str, Any]) -> dict[str, Any]:
        assert len(asked["services"]) <= 10
        return {"services": self.services}

    def _list_applications(self, asked: dict[str, Any]) -> dict[str, Any]:
        return {"applications": ["shop"] if self.deployment_groups else []}

    def _list_deployment_groups(self, asked: dict[str, Any]) -> dict[str, Any]:
        return {
            "applicationName": "shop",
            "deploymentGroups": [one["deploymentGroupName"] for one in self.deployment_groups],
        }

    def _batch_get_deployment_groups(self, asked: dict[str, Any]) -> dict[str, Any]:
        return {"deploymentGroupsInfo": self.deployment_groups}

    def _describe_regions(self, asked: dict[str, Any]) -> dict[str, Any]:
        return {"Regions": [{"RegionName": self.region}]}

    @staticmethod
    def _there(kept: dict[str, Any], name: str, code: str) -> Any:
        if name not in kept:
            raise Refused(code, "there is no such thing", 404)
        return kept[name]

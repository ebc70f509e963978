"""Reads of an account, and nothing but reads: each is counted, kept for a later run, and where it is not allowed becomes a gap."""

from __future__ import annotations

import json
from collections import Counter
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Literal

from orders_obs.aws.audit.model import ABSENT, Gap
from orders_obs.aws.session import Denied, Refused, SessionLost, UnknownCall, Unreached
from orders_obs.errors import EnvironmentFault

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from orders_obs.aws.audit.model import Absent
    from orders_obs.aws.audit.resume import Answers
    from orders_obs.aws.session import Aws

__all__ = ["READS", "Reader", "plain", "policy"]

# Every call that an audit makes, to the IAM action that it takes.
READS: dict[tuple[str, str], str] = {
    ("cloudwatch", "describe_alarms"): "cloudwatch:DescribeAlarms",
    ("cloudwatch", "describe_alarm_history"): "cloudwatch:DescribeAlarmHistory",
    ("cloudwatch", "list_metrics"): "cloudwatch:ListMetrics",
    ("cloudwatch", "get_metric_data"): "cloudwatch:GetMetricData",
    ("cloudwatch", "list_alarm_mute_rules"): "cloudwatch:ListAlarmMuteRules",
    ("cloudwatch", "get_alarm_mute_rule"): "cloudwatch:GetAlarmMuteRule",
    ("resourcegroupstaggingapi", "get_resources"): "tag:GetResources",
    ("sns", "get_topic_attributes"): "sns:GetTopicAttributes",
    ("sns", "list_subscriptions_by_topic"): "sns:ListSubscriptionsByTopic",
    ("sns", "get_subscription_attributes"): "sns:GetSubscriptionAttributes",
    ("kms", "describe_key"): "kms:DescribeKey",
    ("kms", "get_key_policy"): "kms:GetKeyPolicy",
    ("lambda", "get_function_concurrency"): "lambda:GetFunctionConcurrency",
    ("lambda", "get_policy"): "lambda:GetPolicy",
    ("events", "list_rules"): "events:ListRules",
    ("events", "list_targets_by_rule"): "events:ListTargetsByRule",
    ("logs", "describe_log_groups"): "logs:DescribeLogGroups",
    ("logs", "describe_metric_filters"): "logs:DescribeMetricFilters",
    ("logs", "describe_resource_policies"): "logs:DescribeResourcePolicies",
    ("ecs", "list_clusters"): "ecs:ListClusters",
    ("ecs", "list_services"): "ecs:ListServices",
    ("ecs", "describe_services"): "ecs:DescribeServices",
    ("codedeploy", "list_applications"): "codedeploy:ListApplications",
    ("codedeploy", "list_deployment_groups"): "codedeploy:ListDeploymentGroups",
    ("codedeploy", "batch_get_deployment_groups"): "codedeploy:BatchGetDeploymentGroups",
    ("ec2", "describe_regions"): "ec2:DescribeRegions",
}
_ASKED_FOR = {"cloudwatch:DescribeAlarmHistory": "history", "ec2:DescribeRegions": "all_regions"}

_NEEDED = ("cloudwatch", "sns")
_SAID = 200


def policy(*, history: bool, all_regions: bool) -> dict[str, Any]:
    """The least IAM policy with which an audit looks at everything.

    Most of it knows no resources, and the rest is asked of whatever an alarm names, so it is allowed on all; each action only reads.
    `sts:GetCallerIdentity`, which is called too, needs no right.
    """
    asked = {"history": history, "all_regions": all_regions}
    actions = sorted(action for action in READS.values() if asked.get(_ASKED_FOR.get(action, ""), True))
    return {
        "Version": "2012-10-17",
        "Statement": [{"Sid": "OrdersObsAudit", "Effect": "Allow", "Action": actions, "Resource": "*"}],
    }


class Reader:
    """The reads of one account and region.

    Args:
        aws: Of the account and region.
        answers: What an earlier run has read.
        progress: Told of each read before it is made.
    """

    def __init__(self, aws: Aws, answers: Answers, progress: Callable[[str], None]) -> None:
        self._aws = aws
        self._answers = answers
        self._progress = progress
        self._gaps: dict[tuple[str, str], Gap] = {}
        self._moments: list[str] = []
        self._away: set[str] = set()
        self.kept = 0
        self.calls: Counter[str] = Counter()

    @property
    def gaps(self) -> list[Gap]:
        """What could not be read."""
        return list(self._gaps.values())

    @property
    def oldest(self) -> str:
        """When the oldest answer was given."""
        return min(self._moments, default="")

    @property
    def newest(self) -> str:
        """When the newest answer was given."""
        return max(self._moments, default="")

    def pages(
        self,
        service: str,
        operation: str,
        *,
        about: str,
        keep: Callable[[Mapping[str, Any]], list[Any]],
        **arguments: Any,
    ) -> list[Any] | None:
        """Every page of a call.

        Args:
            service: As boto3 names it.
            operation: Likewise.
            about: For what it is.
            keep: What is needed of a page, as plain data.
            arguments: Of the operation.

        Returns:
            What is kept of the pages; None where it could not be read.

        Raises:
            EnvironmentFault: The credentials are none any more, so that nothing can be read.
        """
        # No error of AWS has that code.
        answer = self.pages_of(service, operation, about=about, absent="-", keep=keep, **arguments)
        return answer if isinstance(answer, list) else None

    def pages_of(
        self,
        service: str,
        operation: str,
        *,
        about: str,
        absent: str,
        keep: Callable[[Mapping[str, Any]], list[Any]],
        **arguments: Any,
    ) -> list[Any] | Absent | None:
        """Every page of a call about something that may not be there.

        Args:
            service: As boto3 names it.
            operation: Likewise.
            about: For what it is.
            absent: The code by which AWS says that there is no such thing.
            keep: What is needed of a page, as plain data.
            arguments: Of the operation.

        Returns:
            As `pages`; `ABSENT` where there is no such thing.

        Raises:
            EnvironmentFault: As `pages`.
        """

        def read() -> list[Any] | Absent:
            try:
                pages = self._aws.pages(service, operation, about=about, **arguments)
            except Refused as fault:
                if fault.code == absent:
                    return ABSENT
                raise
            self.calls[f"{service}:{operation}"] += len(pages)
            return [item for page in pages for item in keep(plain(page))]

        answer: list[Any] | Absent | None = self._read(service, operation, about, arguments, read)
        return answer

    def call(
        self,
        service: str,
        operation: str,
        *,
        about: str,
        keep: Callable[[Mapping[str, Any]], dict[str, Any]],
        absent: str = "",
        **arguments: Any,
    ) -> dict[str, Any] | Absent | None:
        """One call.

        Args:
            service: As boto3 names it.
            operation: Likewise.
            about: For what it is.
            keep: What is needed of the answer, as plain data.
            absent: The code by which AWS says that there is no such thing.
            arguments: Of the operation.

        Returns:
            What is kept of the answer; `ABSENT` where there is no such thing; None where it could not be read.

        Raises:
            EnvironmentFault: As `pages`.
        """

        def read() -> dict[str, Any] | Absent:
            self.calls[f"{service}:{operation}"] += 1
            answer = self._aws.call(service, operation, about=about, absent=absent, **arguments)
            return ABSENT if answer is None else keep(plain(answer))

        answer: dict[str, Any] | Absent | None = self._read(service, operation, about, arguments, read)
        return answer

    def gap(
        self,
        action: str,
        why: Literal["no right", "not there", "failed", "unsure"],
        about: str,
        said: str = "",
    ) -> None:
        """Note what could not be looked at."""
        known = self._gaps.get((action, why))
        self._gaps[action, why] = Gap(
            action, why, known.about if known else about, said, known.count + 1 if known else 1
        )

    def _read(
        self,
        service: str,
        operation: str,
        about: str,
        arguments: Mapping[str, Any],
        read: Callable[[], Any],
    ) -> Any:
        action = READS[service, operation]
        key = json.dumps(
            [self._aws.account, self._aws.region, service, operation, plain(arguments)], sort_keys=True
        )
        kept = self._answers.get(key)
        if kept is not None:
            self.kept += 1
            self._moments.append(kept[1])
            return kept[0]
        if (action, "not there") in self._gaps or service in self._away:
            return None
        self._progress(about)
        try:
            answer = read()
        except EnvironmentFault as fault:
            self._fail(service, action, about, fault)
            return None
        self._moments.append(self._answers.put(key, answer))
        return answer

    def _fail(self, service: str, action: str, about: str, fault: EnvironmentFault) -> None:
        said = fault.message.removeprefix(f"{about}: ")
        # Not every region has every service, and what an audit needs least may be out of reach.
        away = isinstance(fault, Unreached) and service not in _NEEDED
        # Without the alarms there is nothing to audit.
        if action == "cloudwatch:DescribeAlarms" or (isinstance(fault, SessionLost) and not away):
            raise fault
        if away:
            self._away.add(service)
        if isinstance(fault, Denied):
            self.gap(action, "no right", about)
        elif isinstance(fault, UnknownCall):
            self.gap(action, "not there", about)
        else:
            self.gap(action, "failed", about, said[:_SAID])


def plain(value: Any) -> Any:
    """An answer as JSON has it: moments as ISO 8601 in UTC, without what the transport adds."""
    if isinstance(value, dict):
        return {str(key): plain(item) for key, item in value.items() if key != "ResponseMetadata"}
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    if isinstance(value, datetime):
        return (value if value.tzinfo else value.replace(tzinfo=UTC)).astimezone(UTC).isoformat()
    if isinstance(value, bytes):
        return value.decode(errors="replace")
    return value

"""CloudWatch Logs: groups with retention, and the policy without which EventBridge cannot write into one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from orders_obs.alerts.compile.names import arn, event_log_group, tags

if TYPE_CHECKING:
    from collections.abc import Sequence

    from orders_obs.alerts.model import ResolvedCatalogue

__all__ = ["compile_groups", "compile_policy"]


def compile_groups(catalogue: ResolvedCatalogue, rules: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """The log groups: `logGroupName` and `tags` of `create_log_group`, `retentionInDays` of `put_retention_policy`.

    Args:
        catalogue: The environment.
        rules: The EventBridge rules, of which some may write into a group.
    """
    environment = catalogue.environment
    names = list(catalogue.log_groups)
    if _recording(rules):
        names.append(event_log_group(catalogue.service, environment))
    return [
        {
            "logGroupName": name,
            "retentionInDays": environment.keep_logs,
            "tags": {
                tag["Key"]: tag["Value"]
                for tag in tags(catalogue.service, environment, Name=name, owner=catalogue.owner)
            },
        }
        for name in names
    ]


def compile_policy(catalogue: ResolvedCatalogue, rules: Sequence[dict[str, Any]]) -> dict[str, Any] | None:
    """`policyName` of `put_resource_policy`, and the document as data; None where no rule writes into a group."""
    if not _recording(rules):
        return None
    environment = catalogue.environment
    group = event_log_group(catalogue.service, environment)
    return {
        "policyName": f"{catalogue.service}-{environment.name}-events",
        "policyDocument": {
            "Version": "2012-10-17",
            "Statement": [
                {
                    "Sid": "RulesToGroup",
                    "Effect": "Allow",
                    "Principal": {"Service": ["delivery.logs.amazonaws.com", "events.amazonaws.com"]},
                    "Action": ["logs:CreateLogStream", "logs:PutLogEvents"],
                    "Resource": arn(environment, "logs", f"log-group:{group}:*"),
                }
            ],
        },
    }


def _recording(rules: Sequence[dict[str, Any]]) -> bool:
    return any(":log-group:" in target["Arn"] for rule in rules for target in rule["Targets"])

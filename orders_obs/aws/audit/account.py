"""Everything that an audit reads of one account and region, in the order of what it needs first."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from orders_obs.aws.audit.alarms import Alarm, alarms_of
from orders_obs.aws.audit.model import ABSENT, Seen
from orders_obs.aws.audit.read_metrics import read_metrics
from orders_obs.aws.audit.read_reach import read_reach
from orders_obs.aws.audit.read_times import read_history
from orders_obs.aws.audit.reading import Reader
from orders_obs.aws.audit.view import View
from orders_obs.errors import EnvironmentFault
from orders_obs.redact import redact_text

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

    from orders_obs.aws.audit.resume import Answers
    from orders_obs.aws.session import Aws

__all__ = ["read_account"]

_UNNEEDED = ("StateReasonData",)
_FREE_TEXT = ("AlarmDescription", "StateReason")
_KINDS = ("MetricAlarms", "CompositeAlarms", "LogAlarms")
_SERVICES = 10
"""Services that one DescribeServices takes."""
_GROUPS = 100
"""Deployment groups that one BatchGetDeploymentGroups takes."""


def read_account(
    aws: Aws,
    answers: Answers,
    progress: Callable[[str], None],
    *,
    now: datetime,
    selected: Callable[[Alarm], bool],
    history: bool,
) -> Seen:
    """Read what the checks need.

    Every alarm is read, since composites name others; the rest only for those that are selected.

    Args:
        aws: Of the account and region.
        answers: What an earlier run has read.
        progress: Told of each read.
        now: The moment that spans end at.
        selected: Which alarms are to be checked.
        history: Whether to read the alarms' history, at 3 calls a second.

    Raises:
        EnvironmentFault: The alarms cannot be read at all.
    """
    reader = Reader(aws, answers, progress)
    seen = Seen(aws.account, aws.region, aws.partition)
    seen.alarms = _read_alarms(reader)
    if seen.alarms:
        seen.tags = _tags(reader)
        chosen = [alarm for alarm in alarms_of(seen) if selected(alarm)]
        read_metrics(reader, seen, chosen)
        seen.mutes = _mutes(reader)
        read_reach(reader, seen, chosen, now)
        view = View(seen, now, selected)
        if any(_may_be_watched(alarm) and not view.used_by(alarm) for alarm in chosen):
            seen.deployments_complete = _deployments(reader, seen.deployments)
        if history:
            read_history(reader, seen, now)
    seen.gaps = reader.gaps
    seen.oldest, seen.newest, seen.kept, seen.calls = (
        reader.oldest, reader.newest, reader.kept, dict(reader.calls),
    )  # fmt: skip
    return seen


def _read_alarms(reader: Reader) -> list[dict[str, Any]]:
    def read(*types: str) -> list[dict[str, Any]]:
        found = reader.pages(
            "cloudwatch", "describe_alarms", about="alarms", keep=_alarms, AlarmTypes=list(types), PaginationConfig={"PageSize": 100}
        )  # fmt: skip
        return found or []

    try:
        return read("MetricAlarm", "CompositeAlarm", "LogAlarm")
    except EnvironmentFault as fault:
        # Alarms of logs are of 2026, and not every partition knows them yet.
        if "Validation" not in fault.message and "InvalidParameter" not in fault.message:
            raise
        return read("MetricAlarm", "CompositeAlarm")


def _alarms(page: Mapping[str, Any]) -> list[Any]:
    return [_alarm(entry) for kind in _KINDS for entry in page.get(kind) or ()]


def _alarm(entry: Mapping[str, Any]) -> dict[str, Any]:
    kept = {key: value for key, value in entry.items() if key not in _UNNEEDED}
    for key in _FREE_TEXT:
        if isinstance(kept.get(key), str):
            kept[key] = redact_text(kept[key])
    if "ScheduledQueryConfiguration" in kept:
        # A query may hold what somebody looked for.
        kept["ScheduledQueryConfiguration"] = {}
    return kept


def _tags(reader: Reader) -> dict[str, dict[str, str]] | None:
    listed = reader.pages(
        "resourcegroupstaggingapi", "get_resources", about="tags of alarms",
        keep=lambda page: list(page.get("ResourceTagMappingList") or ()),
        ResourceTypeFilters=["cloudwatch:alarm"], PaginationConfig={"PageSize": 100},
    )  # fmt: skip
    if listed is None:
        return None
    return {
        str(mapping["ResourceARN"]): {tag["Key"]: tag["Value"] for tag in mapping.get("Tags") or ()}
        for mapping in listed
    }


def _mutes(reader: Reader) -> list[dict[str, Any]] | None:
    listed = reader.pages(
        "cloudwatch", "list_alarm_mute_rules", about="mute rules",
        keep=lambda page: list(page.get("AlarmMuteRuleSummaries") or ()),
    )  # fmt: skip
    if listed is None:
        return None
    rules = []
    for summary in listed:
        name = str(summary.get("AlarmMuteRuleArn", "")).rpartition(":")[2]
        found = reader.call(
            "cloudwatch", "get_alarm_mute_rule", about=f"mute rule {name}", absent="ResourceNotFound",
            keep=lambda answer: {key: value for key, value in answer.items() if key != "Description"},
            AlarmMuteRuleName=name,
        )  # fmt: skip
        if found == ABSENT:
            continue
        rules.append({**summary, "Name": name, **(found or {})})
    return rules


def _may_be_watched(alarm: Alarm) -> bool:
    """Whether it is told from a forgotten alarm only by a deployment that watches it."""
    return not alarm.maker and not alarm.described.get("AlarmActions")


def _deployments(reader: Reader, watched: dict[str, str]) -> bool:
    """Note the alarms that deployments watch, each with who does; whether all could be read."""
    known = _ecs(reader, watched)
    return _codedeploy(reader, watched) and known


def _ecs(reader: Reader, watched: dict[str, str]) -> bool:
    clusters = reader.pages(
        "ecs", "list_clusters", about="ECS clusters", keep=lambda page: list(page.get("clusterArns") or ())
    )  # fmt: skip
    known = clusters is not None
    for cluster in clusters or ():
        short = cluster.rpartition("/")[2]
        services = reader.pages(
            "ecs", "list_services", about=f"ECS services of {short}",
            keep=lambda page: list(page.get("serviceArns") or ()), cluster=cluster, PaginationConfig={"PageSize": 100},
        )  # fmt: skip
        known = known and services is not None
        for first in range(0, len(services or ()), _SERVICES):
            found = reader.call(
                "ecs", "describe_services", about=f"alarms of the deployments of ECS cluster {short}", keep=_service_alarms,
                cluster=cluster, services=(services or [])[first : first + _SERVICES],
            )  # fmt: skip
            known = known and found is not None
            if isinstance(found, dict):
                watched.update(found)
    return known


def _service_alarms(answer: Mapping[str, Any]) -> dict[str, Any]:
    return {
        name: f"deployments of ECS service {service.get('serviceName')}"
        for service in answer.get("services") or ()
        for name in ((service.get("deploymentConfiguration") or {}).get("alarms") or {}).get("alarmNames")
        or ()
    }


def _codedeploy(reader: Reader, watched: dict[str, str]) -> bool:
    applications = reader.pages(
        "codedeploy", "list_applications", about="CodeDeploy applications",
        keep=lambda page: list(page.get("applications") or ()),
    )  # fmt: skip
    known = applications is not None
    for application in applications or ():
        groups = reader.pages(
            "codedeploy", "list_deployment_groups", about=f"CodeDeploy groups of {application}",
            keep=lambda page: list(page.get("deploymentGroups") or ()), applicationName=application,
        )  # fmt: skip
        known = known and groups is not None
        for first in range(0, len(groups or ()), _GROUPS):
            found = reader.call(
                "codedeploy", "batch_get_deployment_groups", about=f"alarms of CodeDeploy's {application}", keep=_group_alarms,
                applicationName=application, deploymentGroupNames=(groups or [])[first : first + _GROUPS],
            )  # fmt: skip
            known = known and found is not None
            if isinstance(found, dict):
                watched.update(found)
    return known


def _group_alarms(answer: Mapping[str, Any]) -> dict[str, Any]:
    return {
        alarm["name"]: f"CodeDeploy deployments of {group.get('applicationName')}"
        for group in answer.get("deploymentGroupsInfo") or ()
        for alarm in (group.get("alarmConfiguration") or {}).get("alarms") or ()
        if alarm.get("name")
    }

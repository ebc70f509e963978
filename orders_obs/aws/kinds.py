"""The kinds of resources that alerts watch: how CloudWatch names one, what its ARN is, and what tells it from its successor."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

    from orders_obs.aws.session import Aws

__all__ = ["KINDS", "Arn", "Found", "Kind", "Target", "parse_arn"]

_ARN = re.compile(r"arn:(aws[a-z-]*):([a-z0-9-]+):([a-z0-9-]*):(\d{12}|):(\S+)\Z")
# Engines whose instances RDS lists too, with metrics in a namespace of their own (RDS user guide, DescribeDBInstances).
_NAMESPACES = {"docdb": "AWS/DocDB", "neptune": "AWS/Neptune"}


@dataclass(frozen=True, slots=True)
class Arn:
    """The parts of an ARN; `resource` is what follows the account."""

    partition: str
    service: str
    region: str
    account: str
    resource: str


def parse_arn(text: str) -> Arn | None:
    """The parts of an ARN; None where it is none."""
    match = _ARN.match(text)
    return Arn(*match.groups()) if match else None


@dataclass(frozen=True, slots=True)
class Target:
    """What a resource is asked for by: its value as CloudWatch has it and, for an ECS service, its cluster."""

    value: str
    cluster: str = ""


@dataclass(frozen=True, slots=True)
class Found:
    """A resource that is there.

    Attributes:
        value: As CloudWatch has it.
        identity: What tells it from another one that takes its place.
        fault: Why it will not do all the same; empty where it will.
    """

    value: str
    identity: str
    fault: str = ""


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of resource.

    Attributes:
        what: In words.
        service: In the ARN.
        type: In the type of the tagging API, after the service.
        form: Of the value, in words.
        pattern: Of the value.
        prefix: Pattern of what an ARN has between account and value; with a group `cluster` for an ECS service.
        action: IAM action that the look at it needs.
        scope: What the action is allowed on: the end of an ARN, or `*` where it knows no resources.
        find: Looks at it; None where it is not there any more.
        title: The value's part that a successor of the same name has too.
    """

    what: str
    service: str
    type: str
    form: str
    pattern: str
    prefix: str
    action: str
    scope: str
    find: Callable[[Aws, Target, str], Found | None]
    title: Callable[[str], str] = str

    def fits(self, text: str) -> bool:
        """Whether a text has the form of a value."""
        return re.fullmatch(self.pattern, text) is not None

    def target(self, arn: Arn) -> Target | None:
        """What an ARN of this kind points at; None where it is of another kind."""
        match = re.fullmatch(f"{self.prefix}(?P<value>{self.pattern})", arn.resource)
        if arn.service != self.service or match is None:
            return None
        return Target(match["value"], match.groupdict().get("cluster") or "")


def _first(
    aws: Aws, service: str, operation: str, key: str, absent: str, about: str, **arguments: Any
) -> Mapping[str, Any]:
    """The first of what a call lists; empty where there is none."""
    answer = aws.call(service, operation, about=about, absent=absent, **arguments)
    listed = (answer or {}).get(key) or [{}]
    return dict(listed[0])


def _load_balancer(aws: Aws, target: Target, about: str) -> Found | None:
    arn = aws.arn("elasticloadbalancing", f"loadbalancer/{target.value}")
    found = _first(
        aws, "elbv2", "describe_load_balancers", "LoadBalancers", "LoadBalancerNotFound", about, LoadBalancerArns=[arn]
    )  # fmt: skip
    return Found(target.value, found["LoadBalancerArn"]) if found else None


def _target_group(aws: Aws, target: Target, about: str) -> Found | None:
    arn = aws.arn("elasticloadbalancing", target.value)
    found = _first(
        aws, "elbv2", "describe_target_groups", "TargetGroups", "TargetGroupNotFound", about, TargetGroupArns=[arn]
    )  # fmt: skip
    return Found(target.value, found["TargetGroupArn"]) if found else None


def _cluster(aws: Aws, target: Target, about: str) -> Found | None:
    found = _first(aws, "ecs", "describe_clusters", "clusters", "", about, clusters=[target.value])
    # One that was deleted is listed for a while (API reference of ECS, Cluster).
    gone = found.get("status") in (None, "DEPROVISIONING", "FAILED", "INACTIVE")
    return None if gone else Found(found["clusterName"], found["clusterArn"])


def _ecs_service(aws: Aws, target: Target, about: str) -> Found | None:
    found = _first(
        aws, "ecs", "describe_services", "services", "ClusterNotFound", about,
        cluster=target.cluster, services=[target.value],
    )  # fmt: skip
    # One that is deleted is DRAINING, then INACTIVE, and listed for a while (API reference of ECS, Service).
    if found.get("status") in (None, "DRAINING", "INACTIVE"):
        return None
    return Found(found["serviceName"], _born(found["serviceArn"], found.get("createdAt")))


def _db_instance(aws: Aws, target: Target, about: str) -> Found | None:
    found = _first(
        aws, "rds", "describe_db_instances", "DBInstances", "DBInstanceNotFound", about, DBInstanceIdentifier=target.value
    )  # fmt: skip
    if not found or found.get("DBInstanceStatus") == "deleting":
        return None
    namespace = _NAMESPACES.get(str(found.get("Engine")), "")
    fault = f"is an instance of {found.get('Engine')}, whose metrics are in {namespace}" if namespace else ""
    return Found(found["DBInstanceIdentifier"], found["DbiResourceId"], fault)


def _cache_cluster(aws: Aws, target: Target, about: str) -> Found | None:
    found = _first(
        aws, "elasticache", "describe_cache_clusters", "CacheClusters", "CacheClusterNotFound", about,
        CacheClusterId=target.value,
    )  # fmt: skip
    if not found or found.get("CacheClusterStatus") in ("deleted", "deleting"):
        return None
    return Found(found["CacheClusterId"], _born(found["ARN"], found.get("CacheClusterCreateTime")))


def _function(aws: Aws, target: Target, about: str) -> Found | None:
    found = aws.call(
        "lambda", "get_function_configuration", about=about, absent="ResourceNotFound", FunctionName=target.value
    )  # fmt: skip
    return Found(found["FunctionName"], found["FunctionArn"]) if found else None


def _born(arn: str, moment: datetime | None) -> str:
    """An ARN that a successor has too, told apart by the moment of creation."""
    return f"{arn} of {moment.astimezone(UTC).isoformat(timespec='seconds')}" if moment else arn


def _middle(value: str) -> str:
    return value.split("/")[1]


_OF_ECS = "[A-Za-z0-9_-]{1,255}"

KINDS: dict[str, Kind] = {
    "load_balancer": Kind(
        what="application load balancer",
        service="elasticloadbalancing",
        type="loadbalancer",
        form="app/NAME/ID (CloudFormation's LoadBalancerFullName)",
        pattern="app/[A-Za-z0-9-]{1,32}/[0-9a-z]+",
        prefix="loadbalancer/",
        action="elasticloadbalancing:DescribeLoadBalancers",
        scope="*",
        find=_load_balancer,
        title=_middle,
    ),
    "target_group": Kind(
        what="target group",
        service="elasticloadbalancing",
        type="targetgroup",
        form="targetgroup/NAME/ID (CloudFormation's TargetGroupFullName)",
        pattern="targetgroup/[A-Za-z0-9-]{1,32}/[0-9a-z]+",
        prefix="",
        action="elasticloadbalancing:DescribeTargetGroups",
        scope="*",
        find=_target_group,
        title=_middle,
    ),
    "cluster": Kind(
        what="ECS cluster",
        service="ecs",
        type="cluster",
        form="the cluster's name",
        pattern=_OF_ECS,
        prefix="cluster/",
        action="ecs:DescribeClusters",
        scope="cluster/*",
        find=_cluster,
    ),
    "ecs_service": Kind(
        what="ECS service",
        service="ecs",
        type="service",
        form="the service's name",
        pattern=_OF_ECS,
        # service/NAME is the form of services from before the long ARNs.
        prefix=f"service/(?:(?P<cluster>{_OF_ECS})/)?",
        action="ecs:DescribeServices",
        scope="service/*",
        find=_ecs_service,
    ),
    "db_instance": Kind(
        what="DB instance",
        service="rds",
        type="db",
        form="the instance's identifier",
        pattern="[A-Za-z][A-Za-z0-9-]{0,62}",
        prefix="db:",
        action="rds:DescribeDBInstances",
        scope="db:*",
        find=_db_instance,
    ),
    "cache_cluster": Kind(
        what="cache cluster",
        service="elasticache",
        type="cluster",
        form="the id of one cache cluster, such as orders-001",
        pattern="[A-Za-z][A-Za-z0-9-]{0,49}",
        prefix="cluster:",
        action="elasticache:DescribeCacheClusters",
        scope="cluster:*",
        find=_cache_cluster,
    ),
    "relay_function": Kind(
        what="Lambda function",
        service="lambda",
        type="function",
        form="the function's name, without version or alias",
        pattern="[A-Za-z0-9_-]{1,64}",
        prefix="function:",
        action="lambda:GetFunctionConfiguration",
        scope="function:*",
        find=_function,
    ),
}
"""By the placeholder that one fills."""

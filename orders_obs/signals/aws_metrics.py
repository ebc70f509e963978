"""Metrics that AWS publishes, as data: what an alarm may name, with which dimensions, and when there is a value at all.

Sources: the metrics page of each service's user guide (Application Load Balancer, ECS, Container Insights for ECS, RDS, ElastiCache,
SNS, EventBridge, Lambda, CloudWatch Logs), as of November 2026. A namespace that is not here is unknown, not wrong.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

__all__ = ["AWS_METRICS", "AWS_NAMESPACES", "AwsMetric", "Reported", "aws_metric"]

Reported = Literal["always", "non-zero", "traffic"]


@dataclass(frozen=True, slots=True)
class AwsMetric:
    """A metric of an AWS service.

    Attributes:
        namespace: Such as `AWS/ApplicationELB`.
        name: Such as `HTTPCode_Target_5XX_Count`.
        unit: CloudWatch's word: `Count`, `Seconds`, `Percent`, `Bytes`, `None`, …
        kind: `count` for events, whose one meaningful statistic is Sum; `level` for what is up or down; `timing` for measured
            times, of which percentiles exist.
        dimensions: The sets of dimensions under which values exist; any other combination never has one.
        reported: `always` while the resource exists, only when `non-zero`, or with `traffic`.
    """

    namespace: str
    name: str
    unit: str
    kind: Literal["count", "level", "timing"]
    dimensions: tuple[frozenset[str], ...]
    reported: Reported

    @property
    def statistics(self) -> frozenset[str]:
        """The statistics that say something of it."""
        if self.kind == "count":
            return frozenset({"Sum", "SampleCount"})
        return frozenset({"Average", "Minimum", "Maximum", "SampleCount"})

    @property
    def sparse(self) -> bool:
        """Whether it is reported only when it is not zero."""
        return self.reported == "non-zero"


def _sets(*names: str) -> tuple[frozenset[str], ...]:
    return tuple(frozenset(name.split("+")) if name else frozenset() for name in names)


_ALB = _sets("LoadBalancer", "LoadBalancer+AvailabilityZone")
_TARGETS = _sets(
    "LoadBalancer",
    "LoadBalancer+AvailabilityZone",
    "LoadBalancer+TargetGroup",
    "LoadBalancer+TargetGroup+AvailabilityZone",
)
_HOSTS = _sets("LoadBalancer+TargetGroup", "LoadBalancer+TargetGroup+AvailabilityZone")
_ECS = _sets("ClusterName", "ClusterName+ServiceName")
_INSIGHTS_SERVICE = _sets("ClusterName+ServiceName")
_INSIGHTS = _sets("ClusterName", "ClusterName+ServiceName", "ClusterName+TaskDefinitionFamily")
_RDS = _sets(
    "DBInstanceIdentifier",
    "DBClusterIdentifier",
    "DBClusterIdentifier+Role",
    "DatabaseClass",
    "EngineName",
    "",
)
_CACHE = _sets("CacheClusterId", "CacheClusterId+CacheNodeId")
_TOPIC = _sets("TopicName")
_RULE = _sets("RuleName", "EventBusName+RuleName")
_FUNCTION = _sets("FunctionName", "FunctionName+Resource", "")
_LOG_GROUP = _sets("LogGroupName", "LogGroupName+DestinationType+FilterName", "")

# (namespace, names separated by spaces, unit, kind, dimension sets, reported)
_TABLE: tuple[tuple[str, str, str, str, tuple[frozenset[str], ...], Reported], ...] = (
    ("AWS/ApplicationELB", "RequestCount", "Count", "count", _TARGETS, "traffic"),
    ("AWS/ApplicationELB", ("HTTPCode_Target_2XX_Count HTTPCode_Target_3XX_Count HTTPCode_Target_4XX_Count "
     "HTTPCode_Target_5XX_Count"), "Count", "count", _TARGETS, "non-zero"),
    ("AWS/ApplicationELB", "TargetConnectionErrorCount", "Count", "count", _TARGETS, "non-zero"),
    ("AWS/ApplicationELB", ("HTTPCode_ELB_3XX_Count HTTPCode_ELB_4XX_Count HTTPCode_ELB_5XX_Count HTTPCode_ELB_500_Count "
     "HTTPCode_ELB_502_Count HTTPCode_ELB_503_Count HTTPCode_ELB_504_Count RejectedConnectionCount "
     "ClientTLSNegotiationErrorCount"), "Count", "count", _ALB, "non-zero"),
    ("AWS/ApplicationELB", "NewConnectionCount ActiveConnectionCount", "Count", "count", _ALB, "traffic"),
    ("AWS/ApplicationELB", "ProcessedBytes", "Bytes", "count", _ALB, "traffic"),
    ("AWS/ApplicationELB", "ConsumedLCUs", "Count", "level", _sets("LoadBalancer"), "always"),
    ("AWS/ApplicationELB", "TargetResponseTime", "Seconds", "timing", _TARGETS, "traffic"),
    ("AWS/ApplicationELB", "HealthyHostCount UnHealthyHostCount", "Count", "level", _HOSTS, "always"),
    ("AWS/ApplicationELB", "RequestCountPerTarget", "Count", "count",
     _sets("TargetGroup", "LoadBalancer+TargetGroup"), "traffic"),
    ("AWS/ECS", "CPUUtilization MemoryUtilization", "Percent", "level", _ECS, "always"),
    ("AWS/ECS", "CPUReservation MemoryReservation GPUReservation", "Percent", "level", _sets("ClusterName"), "always"),
    ("ECS/ContainerInsights", "RunningTaskCount DesiredTaskCount PendingTaskCount DeploymentCount TaskSetCount", "Count",
     "level", _INSIGHTS_SERVICE, "always"),
    ("ECS/ContainerInsights", "TaskCount ServiceCount ContainerInstanceCount", "Count", "level", _sets("ClusterName"), "always"),
    ("ECS/ContainerInsights", "CpuUtilized CpuReserved", "None", "level", _INSIGHTS, "always"),
    ("ECS/ContainerInsights", "MemoryUtilized MemoryReserved", "Megabytes", "level", _INSIGHTS, "always"),
    ("ECS/ContainerInsights", "NetworkRxBytes NetworkTxBytes", "Bytes/Second", "level", _INSIGHTS, "always"),
    ("ECS/ContainerInsights", "RestartCount", "Count", "count", _INSIGHTS_SERVICE, "always"),
    ("AWS/RDS", "CPUUtilization", "Percent", "level", _RDS, "always"),
    ("AWS/RDS", "DatabaseConnections", "Count", "level", _RDS, "always"),
    ("AWS/RDS", "FreeableMemory FreeStorageSpace SwapUsage FreeLocalStorage BinLogDiskUsage", "Bytes", "level", _RDS, "always"),
    ("AWS/RDS", "ReadIOPS WriteIOPS", "Count/Second", "level", _RDS, "always"),
    ("AWS/RDS", "ReadLatency WriteLatency CommitLatency", "Seconds", "timing", _RDS, "always"),
    ("AWS/RDS", "ReadThroughput WriteThroughput NetworkReceiveThroughput NetworkTransmitThroughput", "Bytes/Second", "level",
     _RDS, "always"),
    ("AWS/RDS", "ReplicaLag", "Seconds", "level", _RDS, "always"),
    ("AWS/RDS", "AuroraReplicaLag AuroraReplicaLagMaximum", "Milliseconds", "level", _RDS, "always"),
    ("AWS/RDS", "EngineUptime", "Seconds", "level", _RDS, "always"),
    ("AWS/RDS", "DBLoad DBLoadCPU DBLoadNonCPU", "None", "level", _RDS, "always"),
    ("AWS/RDS", "DiskQueueDepth", "Count", "level", _RDS, "always"),
    ("AWS/RDS", "BurstBalance EBSByteBalance% EBSIOBalance%", "Percent", "level", _RDS, "always"),
    ("AWS/RDS", "CPUCreditBalance CPUCreditUsage", "Count", "level", _RDS, "always"),
    ("AWS/RDS", "MaximumUsedTransactionIDs", "Count", "level", _RDS, "always"),
    ("AWS/RDS", "Deadlocks", "Count/Second", "level", _RDS, "always"),
    ("AWS/ElastiCache", ("CPUUtilization EngineCPUUtilization DatabaseMemoryUsagePercentage "
     "DatabaseCapacityUsagePercentage CacheHitRate"), "Percent", "level", _CACHE, "always"),
    ("AWS/ElastiCache", ("CacheHits CacheMisses Evictions Reclaimed NewConnections AuthenticationFailures "
     "GetTypeCmds SetTypeCmds"), "Count", "count", _CACHE, "always"),
    ("AWS/ElastiCache", "CurrConnections CurrItems", "Count", "level", _CACHE, "always"),
    ("AWS/ElastiCache", "FreeableMemory SwapUsage BytesUsedForCache", "Bytes", "level", _CACHE, "always"),
    ("AWS/ElastiCache", "ReplicationLag", "Seconds", "level", _CACHE, "always"),
    ("AWS/ElastiCache", "NetworkBytesIn NetworkBytesOut", "Bytes", "count", _CACHE, "always"),
    ("AWS/SNS", ("NumberOfMessagesPublished NumberOfNotificationsDelivered NumberOfNotificationsFailed "
     "NumberOfNotificationsFilteredOut NumberOfNotificationsFilteredOut-InvalidAttributes "
     "NumberOfNotificationsFilteredOut-NoMessageAttributes NumberOfNotificationsFilteredOut-InvalidMessageBody "
     "NumberOfNotificationsRedrivenToDlq NumberOfNotificationsFailedToRedriveToDlq"), "Count", "count", _TOPIC, "non-zero"),
    ("AWS/SNS", "PublishSize", "Bytes", "level", _TOPIC, "traffic"),
    ("AWS/Events", ("Invocations FailedInvocations TriggeredRules ThrottledRules InvocationsSentToDlq "
     "InvocationsFailedToBeSentToDlq"), "Count", "count", _RULE, "non-zero"),
    ("AWS/Events", "MatchedEvents", "Count", "count", (*_RULE, *_sets("")), "non-zero"),
    ("AWS/Lambda", "Invocations Errors Throttles", "Count", "count", _FUNCTION, "traffic"),
    ("AWS/Lambda", "DeadLetterErrors DestinationDeliveryFailures", "Count", "count", _FUNCTION, "non-zero"),
    ("AWS/Lambda", "Duration", "Milliseconds", "timing", _FUNCTION, "traffic"),
    ("AWS/Lambda", "ConcurrentExecutions", "Count", "level", _FUNCTION, "traffic"),
    ("AWS/Lambda", "IteratorAge", "Milliseconds", "level", _FUNCTION, "traffic"),
    ("AWS/Logs", "IncomingLogEvents DeliveryErrors DeliveryThrottling ForwardedLogEvents", "Count", "count", _LOG_GROUP, "traffic"),
    ("AWS/Logs", "IncomingBytes ForwardedBytes", "Bytes", "count", _LOG_GROUP, "traffic"),
)  # fmt: skip

AWS_METRICS: dict[tuple[str, str], AwsMetric] = {
    (namespace, name): AwsMetric(namespace, name, unit, kind, dimensions, reported)  # type: ignore[arg-type]  # the table's words
    for namespace, names, unit, kind, dimensions, reported in _TABLE
    for name in names.split()
}
AWS_NAMESPACES: frozenset[str] = frozenset(namespace for namespace, _ in AWS_METRICS)


def aws_metric(namespace: str, name: str) -> AwsMetric | None:
    """The metric of that name, or None where it is not known."""
    return AWS_METRICS.get((namespace, name))

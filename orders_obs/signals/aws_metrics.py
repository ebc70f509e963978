"""Metrics that AWS publishes, as data: what an alarm may name, with which dimensions, and when there is a value at all.

Sources: the metrics page of each service's user guide (Application Load Balancer, ECS, Container Insights for ECS, RDS, ElastiCache,
SNS, EventBridge, Lambda, CloudWatch Logs), as of November 2026. A namespace that is not here is unknown, not wrong.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

__all__ = [
    "AWS_METRICS",
    "AWS_NAMESPACES",
    "AWS_OTHER_NAMES",
    "AwsMetric",
    "Reported",
    "aws_metric",
    "aws_names",
]

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
_BUS = (*_RULE, *_sets("EventBusName", ""))
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
     "ClientTLSNegotiationErrorCount DesyncMitigationMode_NonCompliant_Request_Count HTTP_Redirect_Url_Limit_Exceeded_Count "
     "ELBAuthError ELBAuthFailure"), "Count", "count", _ALB, "non-zero"),
    ("AWS/ApplicationELB", "TargetTLSNegotiationErrorCount LambdaInternalError LambdaUserError", "Count", "count", _TARGETS,
     "non-zero"),
    ("AWS/ApplicationELB", "IPv6RequestCount GrpcRequestCount HTTP_Fixed_Response_Count HTTP_Redirect_Count RuleEvaluations", "Count",
     "count", _ALB, "traffic"),
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
    ("AWS/RDS", "ReadLatency WriteLatency", "Seconds", "timing", _RDS, "always"),
    ("AWS/RDS", ("CommitLatency SelectLatency InsertLatency UpdateLatency DeleteLatency DMLLatency DDLLatency"), "Milliseconds",
     "timing", _RDS, "always"),
    ("AWS/RDS", "CheckpointLag", "Seconds", "level", _RDS, "always"),
    ("AWS/RDS", "OldestReplicationSlotLag ReplicationSlotDiskUsage TransactionLogsDiskUsage", "Bytes", "level", _RDS, "always"),
    ("AWS/RDS", "BufferCacheHitRatio", "Percent", "level", _RDS, "always"),
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
    ("AWS/Events", ("FailedInvocations DeadLetterInvocations InvocationsSentToDlq InvocationsFailedToBeSentToDlq"), "Count", "count",
     _RULE, "non-zero"),
    ("AWS/Events", "Invocations TriggeredRules ThrottledRules MatchedEvents", "Count", "count", _BUS, "non-zero"),
    ("AWS/Lambda", "Invocations Errors Throttles", "Count", "count", _FUNCTION, "traffic"),
    ("AWS/Lambda", "DeadLetterErrors DestinationDeliveryFailures", "Count", "count", _FUNCTION, "non-zero"),
    ("AWS/Lambda", "Duration", "Milliseconds", "timing", _FUNCTION, "traffic"),
    ("AWS/Lambda", "ConcurrentExecutions", "Count", "level", _FUNCTION, "traffic"),
    ("AWS/Lambda", "IteratorAge", "Milliseconds", "level", _FUNCTION, "traffic"),
    ("AWS/Logs", "IncomingLogEvents DeliveryErrors DeliveryThrottling ForwardedLogEvents", "Count", "count", _LOG_GROUP, "traffic"),
    ("AWS/Logs", "IncomingBytes ForwardedBytes", "Bytes", "count", _LOG_GROUP, "traffic"),
)  # fmt: skip

# Further names that the same pages list. What is known of them is that they exist.
_OTHER: dict[str, str] = {
    "AWS/ApplicationELB": (
        "BYoIPUtilPercentage DroppedInvalidHeaderRequestCount ForwardedInvalidHeaderRequestCount IPv6ProcessedBytes "
        "NonStickyRequestCount PeakLCUs LowReputationPacketsDropped LowReputationRequestsDenied ZonalShiftedHostCount "
        "AnomalousHostCount MitigatedHostCount HealthyStateDNS HealthyStateRouting UnhealthyRoutingRequestCount UnhealthyStateDNS "
        "UnhealthyStateRouting LambdaTargetProcessedBytes ELBAuthLatency ELBAuthRefreshTokenSuccess ELBAuthSuccess "
        "ELBAuthUserClaimsSizeExceeded"
    ),
    "AWS/ECS": (
        "EBSFilesystemUtilization ActiveConnectionCount NewConnectionCount ProcessedBytes RequestCount GrpcRequestCount "
        "HTTPCode_Target_2XX_Count HTTPCode_Target_3XX_Count HTTPCode_Target_4XX_Count HTTPCode_Target_5XX_Count "
        "RequestCountPerTarget TargetProcessedBytes TargetResponseTime ClientTLSNegotiationErrorCount "
        "TargetTLSNegotiationErrorCount"
    ),
    "ECS/ContainerInsights": (
        "ContainerCpuReserved ContainerCpuUtilization ContainerCpuUtilized ContainerEphemeralStorageReserved "
        "ContainerEphemeralStorageUtilized ContainerEphemeralStorageUtilzation ContainerMemoryReserved ContainerMemoryUtilization "
        "ContainerMemoryUtilized ContainerNetworkRxBytes ContainerNetworkTxBytes ContainerStorageReadBytes "
        "ContainerStorageWriteBytes EBSFilesystemSize EBSFilesystemUtilized EphemeralStorageReserved EphemeralStorageUtilized "
        "StorageReadBytes StorageWriteBytes TaskCpuUtilization TaskEBSFilesystemUtilization TaskEphemeralStorageUtilization "
        "TaskMemoryUtilization UnHealthyContainerHealthStatus instance_cpu_limit instance_cpu_reserved_capacity "
        "instance_cpu_usage_total instance_cpu_utilization instance_filesystem_utilization instance_memory_limit "
        "instance_memory_reserved_capacity instance_memory_utilization instance_memory_working_set instance_network_total_bytes "
        "instance_number_of_running_tasks"
    ),
    "AWS/RDS": (
        "ACUUtilization AbortedClients ActiveTransactions AuroraBinlogReplicaLag AuroraDMLRejectedMasterFull "
        "AuroraDMLRejectedWriterFull AuroraEstimatedSharedMemoryBytes AuroraForwardingReplicaCommitThroughput "
        "AuroraForwardingReplicaDMLLatency AuroraForwardingReplicaDMLThroughput AuroraForwardingReplicaErrorSessionsLimit "
        "AuroraForwardingReplicaOpenSessions AuroraForwardingReplicaReadWaitLatency AuroraForwardingWriterDMLThroughput "
        "AuroraForwardingWriterOpenSessions AuroraForwardingWriterTotalSessions AuroraGlobalDBDataTransferBytes "
        "AuroraGlobalDBProgressLag AuroraGlobalDBRPOLag AuroraGlobalDBReplicatedWriteIO AuroraGlobalDBReplicationLag "
        "AuroraMemoryHealthState AuroraMemoryNumDeclinedSqlTotal AuroraMemoryNumKillConnTotal AuroraMemoryNumKillQueryTotal "
        "AuroraMillisecondsSpentInOomRecovery AuroraNumOomRecoverySuccessful AuroraNumOomRecoveryTriggered "
        "AuroraOptimizedReadsCacheHitRatio AuroraReplicaLagMinimum AuroraSlowConnectionHandleCount AuroraSlowHandshakeCount "
        "AuroraVolumeBytesLeftTotal Aurora_pq_bytes_returned Aurora_pq_max_concurrent_requests Aurora_pq_pages_pushed_down "
        "Aurora_pq_request_attempted Aurora_pq_request_executed Aurora_pq_request_failed Aurora_pq_request_in_progress "
        "Aurora_pq_request_not_chosen Aurora_pq_request_not_chosen_below_min_rows Aurora_pq_request_not_chosen_column_bit "
        "Aurora_pq_request_not_chosen_column_geometry Aurora_pq_request_not_chosen_column_lob "
        "Aurora_pq_request_not_chosen_column_virtual Aurora_pq_request_not_chosen_custom_charset "
        "Aurora_pq_request_not_chosen_fast_ddl Aurora_pq_request_not_chosen_few_pages_outside_buffer_pool "
        "Aurora_pq_request_not_chosen_full_text_index Aurora_pq_request_not_chosen_high_buffer_pool_pct "
        "Aurora_pq_request_not_chosen_index_hint Aurora_pq_request_not_chosen_innodb_table_format "
        "Aurora_pq_request_not_chosen_long_trx Aurora_pq_request_not_chosen_no_where_clause "
        "Aurora_pq_request_not_chosen_range_scan Aurora_pq_request_not_chosen_row_length_too_long "
        "Aurora_pq_request_not_chosen_small_table Aurora_pq_request_not_chosen_temporary_table "
        "Aurora_pq_request_not_chosen_tx_isolation Aurora_pq_request_not_chosen_unsupported_access "
        "Aurora_pq_request_not_chosen_unsupported_storage_type Aurora_pq_request_not_chosen_update_delete_stmts "
        "Aurora_pq_request_throttled BacktrackChangeRecordsCreationRate BacktrackChangeRecordsStored BacktrackWindowActual "
        "BacktrackWindowAlert BackupRetentionPeriodStorageUsed BlockedTransactions CPUSurplusCreditBalance "
        "CPUSurplusCreditsCharged CommitThroughput ConnectionAttempts DBLoadRelativeToNumVCPUs DDLThroughput DMLThroughput "
        "DeleteThroughput DiskQueueDepthLogVolume FailedSQLServerAgentJobsCount ForwardingMasterDMLLatency "
        "ForwardingMasterDMLThroughput ForwardingMasterOpenSessions ForwardingReplicaDMLLatency ForwardingReplicaDMLThroughput "
        "ForwardingReplicaOpenSessions ForwardingReplicaReadWaitLatency ForwardingReplicaReadWaitThroughput "
        "ForwardingReplicaSelectLatency ForwardingReplicaSelectThroughput ForwardingWriterDMLLatency "
        "ForwardingWriterDMLThroughput ForwardingWriterOpenSessions FreeEphemeralStorage FreeLocalStoragePercent "
        "FreeStorageSpaceLogVolume IamDbAuthConnectionRequests InsertThroughput LoginFailures NetworkThroughput NumBinaryLogFiles "
        "PurgeBoundary PurgeFinishedPoint Queries RDSToAuroraPostgreSQLReplicaLag ReadIOPSEphemeralStorage ReadIOPSLocalStorage "
        "ReadIOPSLogVolume ReadLatencyEphemeralStorage ReadLatencyLocalStorage ReadLatencyLogVolume "
        "ReadThroughputEphemeralStorage ReadThroughputLocalStorage ReadThroughputLogVolume ReplicationChannelLag "
        "ResultSetCacheHitRatio RollbackSegmentHistoryListLength RowLockTime SelectThroughput ServerlessDatabaseCapacity "
        "SnapshotStorageUsed StorageNetworkReceiveThroughput StorageNetworkThroughput StorageNetworkTransmitThroughput "
        "SumBinaryLogSize TempStorageIOPS TempStorageThroughput TotalBackupStorageBilled TransactionAgeMaximum "
        "TransactionLogsGeneration TruncateFinishedPoint UpdateThroughput VolumeBytesLeftTotal VolumeBytesUsed VolumeReadIOPs "
        "VolumeWriteIOPs WriteIOPSEphemeralStorage WriteIOPSLocalStorage WriteIOPSLogVolume WriteLatencyEphemeralStorage "
        "WriteLatencyLocalStorage WriteLatencyLogVolume WriteThroughputEphemeralStorage WriteThroughputLocalStorage "
        "WriteThroughputLogVolume"
    ),
    "AWS/SNS": (
        "NumberOfNotificationsFilteredOut-MessageAttributes NumberOfNotificationsFilteredOut-MessageBody SMSMonthToDateSpentUSD "
        "SMSSuccessRate"
    ),
    "AWS/ElastiCache": (
        "ActiveDefragHits BytesReadFromDisk BytesReadIntoMemcached BytesUsedForCacheItems BytesUsedForHash "
        "BytesWrittenOutFromMemcached BytesWrittenToDisk CPUCreditBalance CPUCreditUsage CasBadval CasHits CasMisses "
        "ChannelAuthorizationFailures ClusterBasedCmds ClusterBasedCmdsLatency CmdConfigGet CmdConfigSet CmdFlush CmdGet CmdSet "
        "CmdTouch CommandAuthorizationFailures CurrConfig CurrVolatileItems DB0AverageTTL "
        "DatabaseCapacityUsageCountedForEvictPercentage DatabaseMemoryUsageCountedForEvictPercentage DecrHits DecrMisses "
        "DeleteHits DeleteMisses ErrorCount EvalBasedCmds EvalBasedCmdsLatency EvictedUnfetched ExpiredUnfetched "
        "GeoSpatialBasedCmds GeoSpatialBasedCmdsLatency GetHits GetMisses GetTypeCmdsLatency GlobalDatastoreReplicationLag "
        "HashBasedCmds HashBasedCmdsLatency HyperLogLogBasedCmds HyperLogLogBasedCmdsLatency IamAuthenticationExpirations "
        "IamAuthenticationThrottling IncrHits IncrMisses IsMaster JsonBasedCmds JsonBasedCmdsLatency JsonBasedGetCmds "
        "JsonBasedGetCmdsLatency JsonBasedSetCmds JsonBasedSetCmdsLatency KeyAuthorizationFailures KeyBasedCmds "
        "KeyBasedCmdsLatency KeysTracked ListBasedCmds ListBasedCmdsLatency MasterLinkHealthStatus MemoryFragmentationRatio "
        "NetworkBandwidthInAllowanceExceeded NetworkBandwidthOutAllowanceExceeded NetworkConntrackAllowanceExceeded "
        "NetworkLinkLocalAllowanceExceeded NetworkMaxBytesIn NetworkMaxBytesOut NetworkMaxPacketsIn NetworkMaxPacketsOut "
        "NetworkPacketsIn NetworkPacketsOut NetworkPacketsPerSecondAllowanceExceeded NewItems NonKeyTypeCmds "
        "NonKeyTypeCmdsLatency NumItemsReadFromDisk NumItemsWrittenToDisk PubSubBasedCmds PubSubBasedCmdsLatency ReplicationBytes "
        "SaveInProgress SetBasedCmds SetBasedCmdsLatency SetTypeCmdsLatency SlabsMoved SortedSetBasedCmds "
        "SortedSetBasedCmdsLatency StreamBasedCmds StreamBasedCmdsLatency StringBasedCmds StringBasedCmdsLatency "
        "SuccessfulReadRequestLatency SuccessfulWriteRequestLatency TouchHits TouchMisses TrafficManagementActive UnusedMemory"
    ),
    "AWS/Lambda": (
        "AsyncEventAge AsyncEventsDropped AsyncEventsReceived ClaimedAccountConcurrency DeletedEventCount DroppedEventCount "
        "FailedInvokeEventCount FilteredOutEventCount InvokedEventCount OffsetLag OnFailureDestinationDeliveredEventCount "
        "OversizedRecordCount PolledEventCount PostRuntimeExtensionsDuration ProvisionedConcurrencyInvocations "
        "ProvisionedConcurrencySpilloverInvocations ProvisionedConcurrencyUtilization ProvisionedConcurrentExecutions "
        "ProvisionedPollers RecursiveInvocationsDropped UnreservedConcurrentExecutions"
    ),
    "AWS/Events": ("Events InvocationAttempts InvocationsCreated"),
}
AWS_OTHER_NAMES: dict[str, frozenset[str]] = {
    namespace: frozenset(names.split()) for namespace, names in _OTHER.items()
}

AWS_METRICS: dict[tuple[str, str], AwsMetric] = {
    (namespace, name): AwsMetric(namespace, name, unit, kind, dimensions, reported)  # type: ignore[arg-type]  # the table's words
    for namespace, names, unit, kind, dimensions, reported in _TABLE
    for name in names.split()
}
AWS_NAMESPACES: frozenset[str] = frozenset(namespace for namespace, _ in AWS_METRICS)


def aws_metric(namespace: str, name: str) -> AwsMetric | None:
    """The metric of that name, or None where it is not known."""
    return AWS_METRICS.get((namespace, name))


_NAMES: dict[str, frozenset[str]] = {
    namespace: AWS_OTHER_NAMES.get(namespace, frozenset())
    | {name for space, name in AWS_METRICS if space == namespace}
    for namespace in AWS_NAMESPACES
}


def aws_names(namespace: str) -> frozenset[str]:
    """Every name of a namespace that is known to exist."""
    return _NAMES.get(namespace, frozenset())

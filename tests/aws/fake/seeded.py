"""What other people made, and plan and audit look at: the caller, tags, secrets, functions, keys, scaling policies, ECS services."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from tests.aws.fake.base import Answer, Args, Refused, Service, given, page, reads, tag_list, writes

if TYPE_CHECKING:
    from tests.aws.fake.account import FakeAccount

__all__ = ["SEEDED", "Sts", "Tagging"]


class Sts(Service):
    name = "sts"

    @reads
    def get_caller_identity(self, args: Args) -> Answer:
        account = self.account.account
        return {
            "Account": account, "Arn": f"arn:aws:sts::{account}:assumed-role/deploy/ci", "UserId": "AROAEXAMPLE:ci",
        }  # fmt: skip


class Tagging(Service):
    """Sees alarms, topics, rules and log groups that have tags."""

    name = "resourcegroupstaggingapi"

    @reads
    def get_resources(self, args: Args) -> Answer:
        if "ResourceARNList" in args and ("ResourceTypeFilters" in args or "TagFilters" in args):
            raise Refused("InvalidParameterException", "ResourceARNList goes with no filter")
        wanted = args.get("ResourceTypeFilters")
        parts = (self.account.alarms, self.account.topics, self.account.events, self.account.logs)
        chosen = {
            arn: {"ResourceARN": arn, "Tags": tag_list(tags)}
            for part in parts
            for kind, arn, tags in part.tagged()
            if tags
            and (not wanted or kind in wanted or kind.split(":")[0] in wanted)
            and arn in args.get("ResourceARNList", [arn])
            and all(
                one["Key"] in tags and (not one.get("Values") or tags[one["Key"]] in one["Values"])
                for one in args.get("TagFilters", [])
            )
        }
        size = args.get("ResourcesPerPage", 100)
        found, token = page(chosen, args.get("PaginationToken"), size, "PaginationTokenExpiredException")
        # An empty token, and not none, ends the pages.
        return {"ResourceTagMappingList": found, "PaginationToken": token or ""}


class Secrets(Service):
    name = "secretsmanager"

    def __init__(self, account: FakeAccount) -> None:
        super().__init__(account)
        self._secrets: dict[str, tuple[dict[str, Any], str | None]] = {}

    def seed_secret(self, name: str, value: str | None = "of-nobody", **more: Any) -> str:
        """A secret; None is one without a value. Returns its ARN."""
        arn = self.arn(f"secret:{name}-Ab12Cd")
        self._secrets[name] = ({"ARN": arn, "Name": name, "CreatedDate": self.now, **more}, value)
        return arn

    @reads
    def describe_secret(self, args: Args) -> Answer:
        return dict(self._secret(args)[0])

    @reads
    def get_secret_value(self, args: Args) -> Answer:
        known, value = self._secret(args)
        if known.get("DeletedDate"):
            raise Refused(
                "InvalidRequestException",
                "You can't perform this operation on the secret because it was marked for deletion.",
            )
        if value is None:
            raise Refused(
                "ResourceNotFoundException", "Secrets Manager can't find the specified secret value for staging label: AWSCURRENT"
            )  # fmt: skip
        return {
            "ARN": known["ARN"], "Name": known["Name"], "CreatedDate": known["CreatedDate"], "SecretString": value,
            "VersionStages": ["AWSCURRENT"],
        }  # fmt: skip

    def _secret(self, args: Args) -> tuple[dict[str, Any], str | None]:
        for name, (known, value) in self._secrets.items():
            # An ARN may lack the six letters at its end (user guide of Secrets Manager, "partial ARN").
            if args["SecretId"] in (name, known["ARN"], known["ARN"][:-7]):
                return known, value
        raise Refused("ResourceNotFoundException", "Secrets Manager can't find the specified secret.")


class Functions(Service):
    name = "lambda"

    def __init__(self, account: FakeAccount) -> None:
        super().__init__(account)
        self._functions: dict[str, dict[str, Any]] = {}
        self._policies: dict[str, list[dict[str, Any]]] = {}

    def kept(self) -> dict[str, dict[str, Any]]:
        return {
            f"function/{name}": {**config, "Policy": self._policies[name]}
            for name, config in self._functions.items()
        }

    def seed_function(self, name: str, **more: Any) -> str:
        """A function that nobody may call yet. Returns its ARN."""
        arn = self.arn(f"function:{name}")
        self._functions[name] = {"FunctionName": name, "FunctionArn": arn, "State": "Active", **more}
        self._policies[name] = []
        return arn

    @reads
    def get_function_configuration(self, args: Args) -> Answer:
        return dict(self._functions[self._name(args)])

    @reads
    def get_policy(self, args: Args) -> Answer:
        statements = self._policies[self._name(args)]
        if not statements:
            raise Refused("ResourceNotFoundException", "The resource you requested does not exist.", 404)
        policy = {"Version": "2012-10-17", "Id": "default", "Statement": statements}
        return {
            "Policy": json.dumps(policy),
            "RevisionId": f"{len(statements):08}-0000-4000-8000-000000000000",
        }

    @writes
    def add_permission(self, args: Args) -> Answer:
        name = self._name(args)
        statements = self._policies[name]
        if any(known["Sid"] == args["StatementId"] for known in statements):
            raise Refused(
                "ResourceConflictException", f"The statement id ({args['StatementId']}) provided already exists.", 409
            )  # fmt: skip
        principal = args["Principal"]
        condition: dict[str, Any] = {}
        if "SourceArn" in args:
            condition["ArnLike"] = {"AWS:SourceArn": args["SourceArn"]}
        if "SourceAccount" in args:
            condition["StringEquals"] = {"AWS:SourceAccount": args["SourceAccount"]}
        statement = {
            "Sid": args["StatementId"],
            "Effect": "Allow",
            "Principal": {"Service" if principal.endswith(".amazonaws.com") else "AWS": principal},
            "Action": args["Action"],
            "Resource": self._functions[name]["FunctionArn"],
        } | given(Condition=condition or None)
        statements.append(statement)
        return {"Statement": json.dumps(statement)}

    @writes
    def remove_permission(self, args: Args) -> Answer:
        statements = self._policies[self._name(args)]
        if all(known["Sid"] != args["StatementId"] for known in statements):
            raise Refused("ResourceNotFoundException", f"Statement {args['StatementId']} is not found", 404)
        statements[:] = [known for known in statements if known["Sid"] != args["StatementId"]]
        return {}

    def _name(self, args: Args) -> str:
        name: str = args["FunctionName"].rpartition("function:")[2]
        if name not in self._functions:
            raise Refused(
                "ResourceNotFoundException", f"Function not found: {self.arn(f'function:{name}')}", 404
            )
        return name


class Keys(Service):
    name = "kms"

    def __init__(self, account: FakeAccount) -> None:
        super().__init__(account)
        self._keys: dict[str, tuple[dict[str, Any], str]] = {}
        self._aliases: dict[str, str] = {}

    def seed_key(
        self, key: str, policy: dict[str, Any] | None = None, *, alias: str = "", **more: Any
    ) -> str:
        """A key; `alias` begins with `alias/`. Returns its ARN."""
        arn = self.arn(f"key/{key}")
        metadata = {
            "KeyId": key,
            "Arn": arn,
            "Enabled": True,
            "KeyState": "Enabled",
            "KeyManager": "CUSTOMER",
            **more,
        }
        self._keys[key] = (metadata, json.dumps(policy or {"Version": "2012-10-17", "Statement": []}))
        if alias:
            self._aliases[alias] = key
        return arn

    @reads
    def describe_key(self, args: Args) -> Answer:
        return {"KeyMetadata": self._key(args, aliases=True)[0]}

    @reads
    def get_key_policy(self, args: Args) -> Answer:
        # Takes no alias, says the text.
        return {"Policy": self._key(args, aliases=False)[1], "PolicyName": "default"}

    @reads
    def list_aliases(self, args: Args) -> Answer:
        listed = {
            alias: {"AliasName": alias, "AliasArn": self.arn(alias), "TargetKeyId": key}
            for alias, key in self._aliases.items()
            if args.get("KeyId", key) in (key, self.arn(f"key/{key}"))
        }
        found, token = page(listed, args.get("Marker"), args.get("Limit", 50), "InvalidMarkerException")
        return {"Aliases": found, "Truncated": token is not None} | given(NextMarker=token)

    def _key(self, args: Args, *, aliases: bool) -> tuple[dict[str, Any], str]:
        name = args["KeyId"].removeprefix(self.arn(""))
        if aliases:
            name = self._aliases.get(name, name)
        name = name.removeprefix("key/")
        if name not in self._keys:
            raise Refused("NotFoundException", f"Key '{args['KeyId']}' does not exist")
        return self._keys[name]


class ScalingPolicies(Service):
    name = "application-autoscaling"

    def __init__(self, account: FakeAccount) -> None:
        super().__init__(account)
        self._policies: dict[str, dict[str, Any]] = {}

    def seed_scaling_policy(
        self, name: str, namespace: str, resource: str, alarms: tuple[str, ...], **more: Any
    ) -> str:
        """A policy of Application Auto Scaling that alarms (by name) steer. Returns its ARN."""
        arn = f"arn:aws:autoscaling:{self.account.region}:{self.account.account}:scalingPolicy:1:resource/{namespace}/{resource}:policyName/{name}"  # fmt: skip
        self._policies[arn] = {
            "PolicyARN": arn,
            "PolicyName": name,
            "ServiceNamespace": namespace,
            "ResourceId": resource,
            "ScalableDimension": "ecs:service:DesiredCount",
            "PolicyType": "StepScaling",
            "Alarms": _alarms(self.account, alarms),
            "CreationTime": self.now,
            **more,
        }
        return arn

    @reads
    def describe_scaling_policies(self, args: Args) -> Answer:
        keys = ("ServiceNamespace", "ResourceId", "ScalableDimension")
        chosen = {
            arn: policy
            for arn, policy in self._policies.items()
            if all(policy[key] == args[key] for key in keys if key in args)
            and policy["PolicyName"] in args.get("PolicyNames", [policy["PolicyName"]])
        }
        found, token = page(
            chosen, args.get("NextToken"), args.get("MaxResults", 10), "InvalidNextTokenException"
        )
        return {"ScalingPolicies": found} | given(NextToken=token)


class GroupPolicies(Service):
    name = "autoscaling"

    def __init__(self, account: FakeAccount) -> None:
        super().__init__(account)
        self._policies: dict[str, dict[str, Any]] = {}

    def seed_group_policy(self, name: str, group: str, alarms: tuple[str, ...], **more: Any) -> str:
        """A policy of an EC2 Auto Scaling group that alarms (by name) steer. Returns its ARN."""
        arn = self.arn(f"scalingPolicy:1:autoScalingGroupName/{group}:policyName/{name}")
        self._policies[arn] = {
            "PolicyARN": arn, "PolicyName": name, "AutoScalingGroupName": group, "PolicyType": "SimpleScaling",
            "Alarms": _alarms(self.account, alarms), **more,
        }  # fmt: skip
        return arn

    @reads
    def describe_policies(self, args: Args) -> Answer:
        chosen = {
            arn: policy
            for arn, policy in self._policies.items()
            if policy["AutoScalingGroupName"]
            == args.get("AutoScalingGroupName", policy["AutoScalingGroupName"])
            and policy["PolicyName"] in args.get("PolicyNames", [policy["PolicyName"]])
            and policy["PolicyType"] in args.get("PolicyTypes", [policy["PolicyType"]])
        }
        found, token = page(chosen, args.get("NextToken"), args.get("MaxRecords", 50), "InvalidNextToken")
        return {"ScalingPolicies": found} | given(NextToken=token)


class Ecs(Service):
    name = "ecs"

    def __init__(self, account: FakeAccount) -> None:
        super().__init__(account)
        self._services: dict[str, dict[str, dict[str, Any]]] = {}

    def seed_cluster(self, cluster: str) -> str:
        """A cluster. Returns its ARN."""
        self._services.setdefault(cluster, {})
        return self.arn(f"cluster/{cluster}")

    def seed_service(self, cluster: str, name: str, *, alarms: tuple[str, ...] = (), **more: Any) -> str:
        """A service, with the alarms (by name) that stop its deployments. Returns its ARN."""
        arn = self.arn(f"service/{cluster}/{name}")
        configuration: dict[str, Any] = {"maximumPercent": 200, "minimumHealthyPercent": 100}
        if alarms:
            configuration["alarms"] = {"alarmNames": list(alarms), "enable": True, "rollback": True}
        self.seed_cluster(cluster)
        self._services[cluster][name] = {
            "serviceArn": arn,
            "serviceName": name,
            "clusterArn": self.arn(f"cluster/{cluster}"),
            "status": "ACTIVE",
            "createdAt": self.now,
            "deploymentConfiguration": configuration,
            "deployments": [],
            **more,
        }
        return arn

    @reads
    def list_clusters(self, args: Args) -> Answer:
        listed = {cluster: self.arn(f"cluster/{cluster}") for cluster in self._services}
        found, token = page(
            listed, args.get("nextToken"), args.get("maxResults", 100), "InvalidParameterException"
        )
        return {"clusterArns": found} | given(nextToken=token)

    @reads
    def list_services(self, args: Args) -> Answer:
        listed = {name: service["serviceArn"] for name, service in self._cluster(args).items()}
        found, token = page(
            listed, args.get("nextToken"), args.get("maxResults", 10), "InvalidParameterException"
        )
        return {"serviceArns": found} | given(nextToken=token)

    @reads
    def describe_services(self, args: Args) -> Answer:
        if len(args["services"]) > 10:
            raise Refused("InvalidParameterException", "services can have at most 10 items.")
        services, found, failures = self._cluster(args), [], []
        for asked in args["services"]:
            name = asked.rpartition("/")[2]
            if name in services:
                found.append(services[name])
            else:
                failures.append({"arn": self.arn(f"service/{name}"), "reason": "MISSING"})
        return {"services": found, "failures": failures}

    def _cluster(self, args: Args) -> dict[str, dict[str, Any]]:
        name = args.get("cluster", "default").rpartition("/")[2]
        if name not in self._services:
            raise Refused("ClusterNotFoundException", "Cluster not found.")
        return self._services[name]


def _alarms(account: FakeAccount, names: tuple[str, ...]) -> list[dict[str, str]]:
    return [{"AlarmName": name, "AlarmARN": account.alarms.arn(f"alarm:{name}")} for name in names]


SEEDED: tuple[type[Service], ...] = (Secrets, Functions, Keys, ScalingPolicies, GroupPolicies, Ecs)

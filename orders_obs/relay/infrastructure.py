"""What the relay is in AWS, as CloudFormation or Terraform JSON: the function, its rights, its queue, its log, and alarms on itself.

The subscription is not here: the catalogue has it, where an environment names the resource `relay_function`.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from orders_obs.relay.package import HANDLER

if TYPE_CHECKING:
    from orders_obs.relay.envelope import TopicArn

__all__ = ["Deployment", "cloudformation", "terraform"]

_RUNTIME, _ARCHITECTURE = "python3.13", "arm64"
_MEMORY, _TIMEOUT = 256, 60
_RETRIES, _EVENT_AGE = 2, 21_600
_LOGS_KEPT, _LETTERS_KEPT = 30, 1_209_600
_ASSUMED = {
    "Version": "2012-10-17",
    "Statement": [
        {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
    ],
}


@dataclass(frozen=True, slots=True)
class Deployment:
    """What is to be there.

    Attributes:
        name: Of the function.
        environment: Whose alerts it tells.
        topics: Whose messages it takes, all of one account and region.
        alarms_topic: Where the alarms on itself go: one with a second path.
        secrets: Names or ARNs of the secrets that it reads.
        variables: Its settings.
        key: ARN of the key that encrypts the secrets; empty for AWS's own.
        concurrent: Instances that are reserved for it, and at most run; 0 for as many as the account allows.
    """

    name: str
    environment: str
    topics: tuple[TopicArn, ...]
    alarms_topic: TopicArn
    secrets: tuple[str, ...]
    variables: tuple[tuple[str, str], ...]
    key: str = ""
    concurrent: int = 5

    @property
    def tags(self) -> dict[str, str]:
        """Tags of each resource."""
        return {"managed-by": "orders-obs", "environment": self.environment, "part": "relay"}


def cloudformation(deployment: Deployment) -> dict[str, Any]:
    """The template. Its parameters say where the zip is."""
    tags = [{"Key": key, "Value": value} for key, value in deployment.tags.items()]
    resources: dict[str, Any] = {
        "DeadLetters": {
            "Type": "AWS::SQS::Queue",
            # What could not be delivered is not to go with a stack.
            "DeletionPolicy": "Retain",
            "UpdateReplacePolicy": "Retain",
            "Properties": {
                "QueueName": f"{deployment.name}-dead-letters",
                "MessageRetentionPeriod": _LETTERS_KEPT,
                "SqsManagedSseEnabled": True,
                "Tags": tags,
            },
        },
        "Logs": {
            "Type": "AWS::Logs::LogGroup",
            "DeletionPolicy": "Delete",
            "UpdateReplacePolicy": "Delete",
            "Properties": {
                "LogGroupName": f"/aws/lambda/{deployment.name}",
                "RetentionInDays": _LOGS_KEPT,
                "Tags": tags,
            },
        },
        "Role": {
            "Type": "AWS::IAM::Role",
            "Properties": {
                "AssumeRolePolicyDocument": _ASSUMED,
                "Policies": [
                    {
                        "PolicyName": "relay",
                        "PolicyDocument": _policy(
                            deployment,
                            {"Fn::GetAtt": ["Logs", "Arn"]},
                            {"Fn::GetAtt": ["DeadLetters", "Arn"]},
                        ),
                    }
                ],
                "Tags": tags,
            },
        },
        "Function": {
            "Type": "AWS::Lambda::Function",
            "Properties": {
                "FunctionName": deployment.name,
                "Description": f"Tells Slack what SNS says of {deployment.environment}",
                "Runtime": _RUNTIME,
                "Architectures": [_ARCHITECTURE],
                "Handler": HANDLER,
                "Code": {"S3Bucket": {"Ref": "CodeBucket"}, "S3Key": {"Ref": "CodeKey"}},
                "Role": {"Fn::GetAtt": ["Role", "Arn"]},
                "MemorySize": _MEMORY,
                "Timeout": _TIMEOUT,
                **({"ReservedConcurrentExecutions": deployment.concurrent} if deployment.concurrent else {}),
                "DeadLetterConfig": {"TargetArn": {"Fn::GetAtt": ["DeadLetters", "Arn"]}},
                "Environment": {"Variables": dict(deployment.variables)},
                "LoggingConfig": {"LogGroup": {"Ref": "Logs"}},
                "Tags": tags,
            },
        },
        "Retries": {
            "Type": "AWS::Lambda::EventInvokeConfig",
            "Properties": {
                "FunctionName": {"Ref": "Function"},
                "Qualifier": "$LATEST",
                "MaximumRetryAttempts": _RETRIES,
                "MaximumEventAgeInSeconds": _EVENT_AGE,
            },
        },
    }
    for number, topic in enumerate(deployment.topics, 1):
        resources[f"Permission{number}"] = {
            "Type": "AWS::Lambda::Permission",
            "Properties": {
                "Action": "lambda:InvokeFunction",
                "FunctionName": {"Ref": "Function"},
                "Principal": "sns.amazonaws.com",
                "SourceArn": str(topic),
            },
        }
    for label, alarm in _alarms(deployment).items():
        resources[label] = {"Type": "AWS::CloudWatch::Alarm", "Properties": {**alarm, "Tags": tags}}
    return {
        "AWSTemplateFormatVersion": "2010-09-09",
        "Description": f"The relay of alerts of {deployment.environment}; made by orders-obs relay template",
        "Parameters": {
            "CodeBucket": {
                "Type": "String",
                "Description": "The bucket that has the zip of orders-obs relay package",
            },
            "CodeKey": {"Type": "String", "Description": "The zip's key; another one for each version"},
        },
        "Resources": resources,
        "Outputs": {
            "FunctionArn": {
                "Description": "For the catalogue: relay_function: {stack: THIS, output: FunctionArn}",
                "Value": {"Fn::GetAtt": ["Function", "Arn"]},
            },
            "DeadLettersUrl": {"Description": "What could not be delivered", "Value": {"Ref": "DeadLetters"}},
        },
    }


def terraform(deployment: Deployment) -> dict[str, Any]:
    """The document. The zip is `relay.zip` beside it."""
    topic = deployment.topics[0]
    named = {"function_name": "${aws_lambda_function.relay.function_name}"}
    policy = _policy(
        deployment, "${aws_cloudwatch_log_group.relay.arn}:*", "${aws_sqs_queue.dead_letters.arn}"
    )
    resources: dict[str, dict[str, Any]] = {
        "aws_cloudwatch_log_group": {
            "relay": {
                "name": f"/aws/lambda/{deployment.name}",
                "retention_in_days": _LOGS_KEPT,
                "tags": deployment.tags,
            }
        },
        "aws_cloudwatch_metric_alarm": {
            label: _of_terraform(alarm, deployment) for label, alarm in _terraform_alarms(deployment).items()
        },
        "aws_iam_role": {
            "relay": {
                "name_prefix": f"{deployment.name[:37]}-",
                "assume_role_policy": json.dumps(_ASSUMED),
                "tags": deployment.tags,
            }
        },
        "aws_iam_role_policy": {
            "relay": {"name": "relay", "role": "${aws_iam_role.relay.id}", "policy": json.dumps(policy)}
        },
        "aws_lambda_function": {
            "relay": {
                "function_name": deployment.name,
                "description": f"Tells Slack what SNS says of {deployment.environment}",
                "runtime": _RUNTIME,
                "architectures": [_ARCHITECTURE],
                "handler": HANDLER,
                "filename": "${path.module}/relay.zip",
                "source_code_hash": '${filebase64sha256("${path.module}/relay.zip")}',
                "role": "${aws_iam_role.relay.arn}",
                "memory_size": _MEMORY,
                "timeout": _TIMEOUT,
                **(
                    {"reserved_concurrent_executions": deployment.concurrent} if deployment.concurrent else {}
                ),
                "dead_letter_config": [{"target_arn": "${aws_sqs_queue.dead_letters.arn}"}],
                "environment": [{"variables": dict(deployment.variables)}],
                "logging_config": [
                    {"log_format": "Text", "log_group": "${aws_cloudwatch_log_group.relay.name}"}
                ],
                "depends_on": ["aws_iam_role_policy.relay"],
                "tags": deployment.tags,
            }
        },
        "aws_lambda_function_event_invoke_config": {
            "relay": {**named, "maximum_retry_attempts": _RETRIES, "maximum_event_age_in_seconds": _EVENT_AGE}
        },
        "aws_lambda_permission": {
            f"topic_{number}": {
                **named,
                "action": "lambda:InvokeFunction",
                "principal": "sns.amazonaws.com",
                "source_arn": str(listed),
            }
            for number, listed in enumerate(deployment.topics, 1)
        },
        "aws_sqs_queue": {
            "dead_letters": {
                "name": f"{deployment.name}-dead-letters",
                "message_retention_seconds": _LETTERS_KEPT,
                "sqs_managed_sse_enabled": True,
                "tags": deployment.tags,
            }
        },
    }
    return {
        "terraform": {"required_providers": {"aws": {"source": "hashicorp/aws", "version": "~> 6.0"}}},
        # The wrong account is refused by the provider.
        "provider": {"aws": [{"region": topic.region, "allowed_account_ids": [topic.account]}]},
        "resource": resources,
        "output": {
            "function_arn": {
                "description": "For the catalogue: relay_function: ARN",
                "value": "${aws_lambda_function.relay.arn}",
            },
            "dead_letters_url": {
                "description": "What could not be delivered",
                "value": "${aws_sqs_queue.dead_letters.url}",
            },
        },
    }


def _policy(deployment: Deployment, logs: Any, letters: Any) -> dict[str, Any]:
    """What the function may do; the ARNs of its log group, with `:*`, and queue are written in the engine's own way."""
    topic = deployment.topics[0]
    statements: list[dict[str, Any]] = [
        {
            "Sid": "Logs",
            "Effect": "Allow",
            "Action": ["logs:CreateLogStream", "logs:PutLogEvents"],
            "Resource": logs,
        },
        {"Sid": "DeadLetters", "Effect": "Allow", "Action": "sqs:SendMessage", "Resource": letters},
    ]
    if deployment.secrets:
        secrets = [_secret_arn(name, topic) for name in deployment.secrets]
        statements.append(
            {
                "Sid": "Addresses",
                "Effect": "Allow",
                "Action": "secretsmanager:GetSecretValue",
                "Resource": secrets,
            }
        )
    if deployment.key:
        via = f"secretsmanager.{topic.region}.amazonaws.com{'.cn' if topic.partition == 'aws-cn' else ''}"
        statements.append(
            {
                "Sid": "AddressesKey",
                "Effect": "Allow",
                "Action": "kms:Decrypt",
                "Resource": deployment.key,
                "Condition": {"StringEquals": {"kms:ViaService": via}},
            }
        )
    return {"Version": "2012-10-17", "Statement": statements}


def _secret_arn(name: str, topic: TopicArn) -> str:
    """The ARN of a secret; six characters of Secrets Manager's own stand after its name."""
    if name.startswith("arn:"):
        return name
    return f"arn:{topic.partition}:secretsmanager:{topic.region}:{topic.account}:secret:{name}-??????"


def _alarms(deployment: Deployment) -> dict[str, dict[str, Any]]:
    """Alarms on the relay itself. They go to a topic that pages by a path which does not pass it."""
    shared = {
        "EvaluationPeriods": 1,
        "DatapointsToAlarm": 1,
        "Threshold": 1,
        "ComparisonOperator": "GreaterThanOrEqualToThreshold",
        "TreatMissingData": "notBreaching",
        "AlarmActions": [str(deployment.alarms_topic)],
        "OKActions": [str(deployment.alarms_topic)],
    }
    return {
        "ErrorsAlarm": {
            "AlarmName": f"{deployment.name}-errors-critical",
            "AlarmDescription": "Relay fails: fires while the relay's function fails at least once in 1m.",
            "Namespace": "AWS/Lambda",
            "MetricName": "Errors",
            "Dimensions": [{"Name": "FunctionName", "Value": deployment.name}],
            "Statistic": "Sum",
            "Period": 60,
            **shared,
        },
        "DeadLettersAlarm": {
            "AlarmName": f"{deployment.name}-dead-letters-critical",
            "AlarmDescription": "Alerts not delivered: fires while the relay's dead-letter queue has at least 1 message.",
            "Namespace": "AWS/SQS",
            "MetricName": "ApproximateNumberOfMessagesVisible",
            "Dimensions": [{"Name": "QueueName", "Value": f"{deployment.name}-dead-letters"}],
            "Statistic": "Maximum",
            "Period": 300,
            **shared,
        },
    }


def _terraform_alarms(deployment: Deployment) -> dict[str, dict[str, Any]]:
    alarms = _alarms(deployment)
    return {"errors": alarms["ErrorsAlarm"], "dead_letters": alarms["DeadLettersAlarm"]}


def _of_terraform(alarm: dict[str, Any], deployment: Deployment) -> dict[str, Any]:
    return {
        "alarm_name": alarm["AlarmName"],
        "alarm_description": alarm["AlarmDescription"],
        "namespace": alarm["Namespace"],
        "metric_name": alarm["MetricName"],
        "dimensions": {item["Name"]: item["Value"] for item in alarm["Dimensions"]},
        "statistic": alarm["Statistic"],
        "period": alarm["Period"],
        "evaluation_periods": alarm["EvaluationPeriods"],
        "datapoints_to_alarm": alarm["DatapointsToAlarm"],
        "threshold": alarm["Threshold"],
        "comparison_operator": alarm["ComparisonOperator"],
        "treat_missing_data": alarm["TreatMissingData"],
        "alarm_actions": alarm["AlarmActions"],
        "ok_actions": alarm["OKActions"],
        "tags": deployment.tags,
    }

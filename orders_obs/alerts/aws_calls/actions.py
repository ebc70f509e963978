"""Actions of alarms: which ARNs CloudWatch takes, for which alarm.

Source: PutMetricAlarm, PutCompositeAlarm and PutLogAlarm, valid values of AlarmActions, OKActions and InsufficientDataActions.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from orders_obs.alerts.aws_calls.problems import Problem
from orders_obs.alerts.aws_calls.reading import listed, mapping, texts

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

__all__ = ["ACTIONS", "action_problems", "arn_service", "is_ec2_action"]

ACTIONS = ("AlarmActions", "OKActions", "InsufficientDataActions")

_ARN = re.compile(r"arn:(aws[a-z-]*):([a-z0-9-]+):([a-z0-9-]*):(\d{12}|):?(.*)", re.DOTALL)
_REGION, _ACCOUNT = r"[a-z0-9-]+", r"\d{12}"
_VERBS = "(stop|terminate|reboot|recover)"
_FORMS: dict[str, tuple[re.Pattern[str], str]] = {
    "automate": (
        re.compile(rf"arn:aws[a-z-]*:automate:{_REGION}(:{_ACCOUNT})?:ec2:{_VERBS}"),
        "arn:aws:automate:REGION:ec2:stop, terminate, reboot or recover",
    ),
    "swf": (
        re.compile(
            rf"arn:aws[a-z-]*:swf:{_REGION}:{_ACCOUNT}:action/actions/AWS_EC2\.InstanceId\.{_VERBS}/1\.0", re.IGNORECASE
        ),
        "arn:aws:swf:REGION:ACCOUNT:action/actions/AWS_EC2.InstanceId.Stop/1.0",
    ),
    "sns": (
        re.compile(rf"arn:aws[a-z-]*:sns:{_REGION}:{_ACCOUNT}:[A-Za-z0-9_-]{{1,256}}(\.fifo)?"),
        "arn:aws:sns:REGION:ACCOUNT:TOPIC",
    ),
    "lambda": (
        re.compile(rf"arn:aws[a-z-]*:lambda:{_REGION}:{_ACCOUNT}:function:[A-Za-z0-9_-]+(:[$A-Za-z0-9_-]+)?"),
        "arn:aws:lambda:REGION:ACCOUNT:function:NAME, with :VERSION or :ALIAS after it",
    ),
    "autoscaling": (
        re.compile(rf"arn:aws[a-z-]*:autoscaling:{_REGION}:{_ACCOUNT}:scalingPolicy:.+:policyName/.+", re.DOTALL),
        "arn:aws:autoscaling:REGION:ACCOUNT:scalingPolicy:ID:autoScalingGroupName/GROUP:policyName/POLICY",
    ),
    "ssm": (
        re.compile(rf"arn:aws[a-z-]*:ssm:{_REGION}:{_ACCOUNT}:opsitem:[1-4](#CATEGORY=[A-Za-z]+)?"),
        "arn:aws:ssm:REGION:ACCOUNT:opsitem:SEVERITY, from 1 to 4, with #CATEGORY=NAME after it",
    ),
    "ssm-incidents": (
        re.compile(rf"arn:aws[a-z-]*:ssm-incidents:[a-z0-9-]*:{_ACCOUNT}:response-?plan/.+", re.DOTALL),
        "arn:aws:ssm-incidents::ACCOUNT:responseplan/NAME",
    ),
    "aiops": (
        re.compile(rf"arn:aws[a-z-]*:aiops:{_REGION}:{_ACCOUNT}:investigation-group[:/].+", re.DOTALL),
        "arn:aws:aiops:REGION:ACCOUNT:investigation-group:ID",
    ),
}  # fmt: skip
_EC2 = ("automate", "swf")
_ALL_TEXT = (
    "SNS topics, Lambda functions, EC2 and Auto Scaling actions, OpsItems, incidents, investigation groups"
)


def arn_service(text: str) -> str:
    """The service of an ARN; empty where it is none."""
    found = _ARN.fullmatch(text)
    return found[2] if found else ""


def is_ec2_action(text: str) -> bool:
    """Whether an action stops, terminates, reboots or recovers an instance."""
    return arn_service(text) in _EC2


def action_problems(arguments: Mapping[str, Any], alarm: str) -> Iterator[Problem]:
    """What is wrong with the actions of an alarm.

    Args:
        arguments: Of the call.
        alarm: `metric`, `math`, `anomaly`, `promql`, `composite` or `log`.
    """
    for name in ACTIONS:
        for path, action in texts(arguments, name):
            yield from _problems(path, name, action, alarm, arguments)


def _problems(
    path: str, name: str, action: str, alarm: str, arguments: Mapping[str, Any]
) -> Iterator[Problem]:
    service = arn_service(action)
    if service not in _FORMS:
        said = f"{service} is no service that an alarm acts on" if service else f"{action!r} is no ARN"
        yield Problem(path, said, _ALL_TEXT)
        return
    pattern, form = _FORMS[service]
    if not pattern.fullmatch(action):
        yield Problem(path, f"{action!r} is no action of {service}", form)
    if service in _EC2:
        yield from _on_ec2(path, alarm, arguments)
    elif service == "autoscaling" and alarm in ("composite", "log", "anomaly"):
        kinds = {
            "composite": "a composite alarm",
            "log": "a log alarm",
            "anomaly": "an alarm on an anomaly band",
        }
        yield Problem(path, f"{kinds[alarm]} cannot have Auto Scaling actions", "an alarm with a threshold")
    elif service == "aiops" and (alarm == "log" or name != "AlarmActions"):
        yield Problem(
            path,
            "an investigation is started by AlarmActions of a metric or composite alarm only",
            "move it there",
        )
    elif service == "ssm-incidents" and alarm == "log":
        yield Problem(
            path, "a log alarm starts no incidents", "an SNS topic, a Lambda function or an OpsItem"
        )


def _on_ec2(path: str, alarm: str, arguments: Mapping[str, Any]) -> Iterator[Problem]:
    hint = "an alarm on one metric, with the dimension InstanceId"
    kinds = {"math": "an alarm on metric math", "anomaly": "an alarm on an anomaly band", "promql": "a PromQL alarm",
             "composite": "a composite alarm", "log": "a log alarm"}  # fmt: skip
    if alarm in kinds:
        yield Problem(path, f"{kinds[alarm]} cannot have EC2 actions", hint, "ec2-action")
        return
    given = arguments.get("Dimensions", [])
    dimensions = listed(given)
    # A list that is not known, or a name in it that is not, may hold the instance.
    if isinstance(given, list | tuple) and all(
        isinstance(mapping(one).get("Name"), str) for one in dimensions
    ):
        names = [mapping(one)["Name"] for one in dimensions]
        if "InstanceId" not in names:
            yield Problem(
                path, "an EC2 action needs an alarm on an instance, and it has no dimension InstanceId", hint
            )

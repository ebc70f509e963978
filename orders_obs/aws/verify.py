"""After an apply: whether the alarms that are there can be evaluated, and whether somebody hears of them."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from orders_obs.aws.session import SessionLost
from orders_obs.errors import EnvironmentFault
from orders_obs.findings import Finding

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from orders_obs.aws.desired import Desired
    from orders_obs.aws.live import Live
    from orders_obs.aws.session import Aws
    from orders_obs.aws.things import Thing

__all__ = ["look_again", "verify"]

_CONFIRM = (
    "the message that SNS sent there has a link; it lapses after two days, and the next apply subscribes anew"
)


def verify(
    aws: Aws, desired: Desired, live: Live, names: set[str], progress: Callable[[str], None] = lambda _: None
) -> list[Finding]:
    """Look at what was applied.

    Args:
        aws: The session.
        desired: What was wanted.
        live: What is there now.
        names: Of the alarms whose metrics are looked up; others were looked at before.
        progress: Told what is being looked at.

    What cannot be looked at for lack of a right is said as a finding.

    Raises:
        EnvironmentFault: The session is lost.
    """
    progress("looking at what was applied")
    found = look_again(desired, live)
    for check in (partial(_invoked, aws, desired), partial(_published, aws, desired, names)):
        try:
            found += list(check())
        except SessionLost:
            raise
        except EnvironmentFault as fault:
            found.append(Finding("not-looked-at", "info", desired.owner.environment, str(fault)))
    return found


def look_again(desired: Desired, live: Live) -> list[Finding]:
    """What is wrong with what is there, as far as it shows without a further call: alarms that fail, topics that reach nobody."""
    return [*_evaluated(desired, live), *_subscribed(desired, live)]


def _evaluated(desired: Desired, live: Live) -> Iterator[Finding]:
    for thing in desired.alarms:
        found = live.things.get(thing.identity)
        state = found.found.get("EvaluationState", "") if found else ""
        if state in ("EVALUATION_ERROR", "EVALUATION_FAILURE"):
            reason = found.found.get("StateReason", "") if found else ""
            yield Finding(
                "evaluation-failed",
                "error",
                thing.identity,
                f"CloudWatch cannot evaluate it ({state}): {reason}",
            )
        elif state == "PARTIAL_DATA":
            yield Finding(
                "evaluation-partial",
                "warning",
                thing.identity,
                "CloudWatch evaluates it on a part of its data",
            )


def _subscribed(desired: Desired, live: Live) -> Iterator[Finding]:
    reached: dict[str, list[Thing]] = {}
    for thing in live.things.values():
        if thing.kind == "subscription":
            reached.setdefault(thing.name.split(" ")[0], []).append(thing)
    for topic in desired.things.values():
        if topic.kind != "topic":
            continue
        found = reached.get(topic.name, [])
        for subscription in found:
            if subscription.state == "pending":
                message = "waits for confirmation: until then nothing gets there"
                yield Finding("subscription-pending", "warning", subscription.identity, message, _CONFIRM)
        if not found:
            message = "nobody subscribes to it: what is sent to it is lost"
            yield Finding(
                "topic-without-subscription",
                "warning",
                topic.identity,
                message,
                "; ".join(desired.unreached.get(topic.name, ()))
                or "give its severity email, slack or pagerduty",
            )


def _invoked(aws: Aws, desired: Desired) -> Iterator[Finding]:
    """Whether SNS may invoke the functions that subscribe."""
    for thing in desired.things.values():
        arguments = thing.arguments
        if thing.kind != "subscription" or arguments.get("Protocol") != "lambda":
            continue
        function, topic = arguments["Endpoint"], arguments["TopicArn"]
        answer = aws.call(
            "lambda",
            "get_policy",
            about=f"function {function.rpartition(':')[2]}",
            absent="ResourceNotFound",
            FunctionName=function,
        )
        if answer is None or topic not in answer["Policy"]:
            name = function.rpartition(":")[2]
            message = f"function {name} is not there, or lets SNS not in for {topic.rpartition(':')[2]}"
            yield Finding(
                "relay-not-invoked", "error", thing.identity, message,
                f"`orders-obs relay template` makes it so; or: aws lambda add-permission --function-name {name}"
                f" --statement-id {topic.rpartition(':')[2]} --action lambda:InvokeFunction --principal sns.amazonaws.com --source-arn {topic}",
            )  # fmt: skip


def _published(aws: Aws, desired: Desired, names: set[str]) -> Iterator[Finding]:
    """Whether anything was ever published under just these dimensions; CloudWatch lists what had values in two weeks."""
    listed: dict[tuple[str, str], list[list[tuple[str, str]]]] = {}
    for thing in desired.alarms:
        if thing.name not in names:
            continue
        for namespace, name, dimensions in dict.fromkeys(_metrics(thing.settings)):
            key = (namespace, name)
            if key not in listed:
                pages = aws.pages(
                    "cloudwatch",
                    "list_metrics",
                    about=f"metric {namespace} {name}",
                    Namespace=namespace,
                    MetricName=name,
                )
                listed[key] = [
                    sorted((d["Name"], d["Value"]) for d in metric["Dimensions"])
                    for page in pages
                    for metric in page["Metrics"]
                ]
            if sorted(dimensions) not in listed[key]:
                shown = ", ".join(f"{n}={v}" for n, v in dimensions) or "no dimensions"
                other = f"; under others there is, such as {_shown(listed[key][0])}" if listed[key] else ""
                message = f"{namespace} {name} with {shown} had no value in the last two weeks{other}"
                yield Finding(
                    "metric-without-data",
                    "warning",
                    thing.identity,
                    message,
                    "it may be new, or come only when something fails",
                )


def _metrics(settings: dict[str, Any]) -> Iterator[tuple[str, str, tuple[tuple[str, str], ...]]]:
    metrics = [
        query["MetricStat"]["Metric"] for query in settings.get("Metrics", []) if "MetricStat" in query
    ]
    if "MetricName" in settings:
        metrics.append(settings)
    for metric in metrics:
        dimensions = tuple((d["Name"], d["Value"]) for d in metric.get("Dimensions", []))
        yield metric["Namespace"], metric["MetricName"], dimensions


def _shown(dimensions: list[tuple[str, str]]) -> str:
    return ", ".join(f"{name}={value}" for name, value in dimensions) or "none"

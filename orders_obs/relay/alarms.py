"""CloudWatch's alarms: of one metric, of metric math, composite, of PromQL, and with contributors.

The forms: CloudWatch user guide, "Notifying users on alarm changes", which has the first and the third; the others add to it, so whatever is
not known is passed over. An alarm that this package made says in its description what fires it, and the runbook.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from orders_obs.relay import links
from orders_obs.relay.alert import Alert, Status, moment, worded

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["is_alarm", "is_first_data", "read_alarm"]

_OURS = re.compile(
    r"(?P<title>[^\n]{1,200}?): fires while (?P<when>.+?)\.(?: Runbook: (?P<runbook>\S+))?", re.DOTALL
)
_RUNBOOK = re.compile(r"(?i)\brunbook\b\s*(?:url)?\s*[:=]\s*(https?://\S+)")
# Threshold Crossed: 1 out of the last 1 datapoints [7.25 (25/11/26 08:30:00)] was greater than the threshold (5.0) …
_POINTS = re.compile(r"datapoints? \[([^\]]{1,2000})\]")
_POINT = re.compile(r"\s*([-+]?\d[\d.]*(?:[eE][-+]?\d+)?)\s*\(")
# What the description says of the threshold: "above 5%", "below 10GiB", "at least 1 host".
_BREACH = re.compile(
    r"(?:above|below|at least|at most) (\d+(?:\.\d+)?)(%|[KMG]iB|B|ms|s|m|h| (?!over|in)[a-z]+)?(?=[\s,;.]|$)"
)
_STATUSES: dict[str, Status] = {"ALARM": "firing", "OK": "recovered", "INSUFFICIENT_DATA": "unknown"}
_COMPARED = {
    "GreaterThanThreshold": ">",
    "GreaterThanOrEqualToThreshold": ">=",
    "LessThanThreshold": "<",
    "LessThanOrEqualToThreshold": "<=",
    "GreaterThanUpperThreshold": "above the band of",
    "LessThanLowerThreshold": "below the band of",
    "LessThanLowerOrGreaterThanUpperThreshold": "outside the band of",
}
_CHILDREN = 10
_DIMENSIONS = 8


def is_alarm(message: Mapping[str, Any]) -> bool:
    """Whether a message is an alarm's."""
    return isinstance(message.get("AlarmName"), str) and message.get("NewStateValue") in _STATUSES


def is_first_data(message: Mapping[str, Any]) -> bool:
    """Whether an alarm that had no data says that all is well: it tells nothing that anybody was told before."""
    return message.get("NewStateValue") == "OK" and message.get("OldStateValue") == "INSUFFICIENT_DATA"


def read_alarm(message: Mapping[str, Any], severity: str, region: str) -> Alert:
    """What an alarm says.

    Args:
        message: Its message.
        severity: How bad it is.
        region: The code of its region.
    """
    name = worded(message["AlarmName"])
    description = worded(message.get("AlarmDescription")).strip()
    ours = _OURS.fullmatch(description)
    runbook = (ours["runbook"] or "") if ours else _first(_RUNBOOK, description)
    status = _STATUSES[message["NewStateValue"]]
    facts = [*_measured(message, ours["when"] if ours else ""), *_more(message)]
    reason = worded(message.get("NewStateReason"))
    text = f"Fires while {ours['when']}." if ours else description
    before = worded(message.get("OldStateValue"))
    if before:
        facts.append(("State", f"{message['NewStateValue']} (was {before})"))
    return Alert(
        status=status,
        severity=severity,
        title=ours["title"] if ours else name,
        name=name,
        text=f"{text}\n{reason}".strip(),
        since=moment(message.get("StateChangeTime")),
        facts=tuple(facts),
        links=(("Alarm", links.alarm(region, name)), ("Runbook", runbook)),
        source="CloudWatch composite alarm" if "AlarmRule" in message else "CloudWatch alarm",
        account=worded(message.get("AWSAccountId")),
        region=region,
    )


def _first(form: re.Pattern[str], text: str) -> str:
    match = form.search(text)
    return match[1].rstrip(".,;)") if match else ""


def _measured(message: Mapping[str, Any], when: str) -> list[tuple[str, str]]:
    """Value and threshold, in the unit in which the description says the threshold."""
    trigger = message.get("Trigger")
    if not isinstance(trigger, dict):
        return []
    threshold = trigger.get("Threshold")
    threshold = (
        float(threshold) if isinstance(threshold, int | float) and not isinstance(threshold, bool) else None
    )
    scale, unit = _unit(when, threshold)
    facts = []
    values = _values(worded(message.get("NewStateReason")))
    if values:
        facts.append(("Value", ", ".join(f"{value / scale:.6g}{unit}" for value in values)))
    compared = _COMPARED.get(worded(trigger.get("ComparisonOperator")), "")
    if threshold is not None and compared:
        facts.append(("Threshold", f"{compared} {threshold / scale:.6g}{unit}"))
    return facts


def _values(reason: str) -> list[float]:
    """The values that the reason names, newest first as CloudWatch writes them."""
    match = _POINTS.search(reason)
    return [float(value) for value in _POINT.findall(match[1])[:5]] if match else []


def _unit(when: str, threshold: float | None) -> tuple[float, str]:
    """By what a value is divided, and the unit that it then has."""
    found = _BREACH.findall(when)
    if len(found) != 1 or not threshold or float(found[0][0]) == 0:
        return 1.0, ""
    return threshold / float(found[0][0]), found[0][1]


def _more(message: Mapping[str, Any]) -> list[tuple[str, str]]:
    """What is measured, and what it comes from."""
    facts = []
    trigger = message.get("Trigger")
    if isinstance(trigger, dict):
        metric = "/".join(
            text for text in (worded(trigger.get("Namespace")), worded(trigger.get("MetricName"))) if text
        )
        if metric:
            facts.append(("Metric", metric))
        dimensions = trigger.get("Dimensions")
        if isinstance(dimensions, list):
            pairs = [(_of(item, "name"), _of(item, "value")) for item in dimensions if isinstance(item, dict)]
            if pairs:
                facts.append(
                    ("Dimensions", "\n".join(f"{name}: {value}" for name, value in pairs[:_DIMENSIONS]))
                )
    children = message.get("TriggeringChildren")
    if isinstance(children, list) and children:
        facts.append(("Because of", "\n".join(_child(child) for child in children[:_CHILDREN])))
    contributor = _contributor(message)
    if contributor:
        facts.append(("Contributor", contributor))
    return facts


def _of(item: Mapping[str, Any], name: str) -> str:
    return worded(item.get(name, item.get(name.capitalize())))


def _child(child: Any) -> str:
    if not isinstance(child, dict):
        return worded(child)
    state = child.get("State")
    value = worded(state.get("Value")) if isinstance(state, dict) else worded(state)
    name = worded(child.get("Arn")).partition(":alarm:")[2] or worded(child.get("Arn"))
    return f"{name} ({value})" if value else name


def _contributor(message: Mapping[str, Any]) -> str:
    """Which series an alarm of several speaks of. How it is spelled in a message is not documented; in the API it is ContributorAttributes."""
    for key, value in message.items():
        if key.endswith("ContributorAttributes") and isinstance(value, dict):
            return "\n".join(f"{name}: {worded(item)}" for name, item in list(value.items())[:_DIMENSIONS])
        if key.endswith("Contributor") and isinstance(value, dict):
            return _contributor(value)
    return ""

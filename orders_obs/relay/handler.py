"""The Lambda function that SNS invokes.

AWS has checked who invokes it, so no signature is looked at. What fails raises, so that Lambda tries again and then puts the event into the
function's dead-letter queue; a warm instance remembers what it delivered.
"""

from __future__ import annotations

import os
from typing import Any

from orders_obs.relay.envelope import Refused, parse_record
from orders_obs.relay.log import Log
from orders_obs.relay.relay import Relay
from orders_obs.relay.settings import RelaySettings

__all__ = ["Undelivered", "lambda_handler"]

_MARGIN = 3.0
"""Seconds before the function's end that are kept for saying what happened."""
_relay: Relay | None = None


class Undelivered(Exception):  # noqa: N818  # what Lambda shows as the function's error
    """Some messages of an event were refused or not delivered; the lines before say which and why."""


def lambda_handler(event: Any, context: Any) -> dict[str, int]:
    """Tell what an event of SNS says.

    Args:
        event: Records of SNS.
        context: Of the invocation.

    Returns:
        How many messages were delivered and dropped.

    Raises:
        Undelivered: One was refused, or a receiver did not take it.
        UserError: The settings cannot be used.
    """
    relay = _warm()
    counts = {"delivered": 0, "dropped": 0}
    failed: list[str] = []
    records = event.get("Records") if isinstance(event, dict) else None
    if not isinstance(records, list) or not records:
        relay.log.write("refused", reason="malformed", detail="the event has no records")
        failed.append("malformed")
        records = []
    for index, record in enumerate(records):
        # Each record has its share of what time is left.
        seconds = max(1.0, (context.get_remaining_time_in_millis() / 1000 - _MARGIN) / (len(records) - index))
        outcome = _one(relay, record, seconds)
        if outcome in counts:
            counts[outcome] += 1
        else:
            failed.append(outcome)
    relay.log.flush_metrics()
    if failed:
        raise Undelivered(f"{len(failed)} of {len(records)} messages: {', '.join(sorted(set(failed)))}")
    return counts


def _one(relay: Relay, record: Any, seconds: float) -> str:
    try:
        envelope = parse_record(record, relay.settings.max_bytes)
        relay.check_topic(envelope)
    except Refused as refused:
        relay.log.write("refused", reason=refused.reason, detail=refused.message)
        return refused.reason
    return relay.notify(envelope, seconds).outcome


def _warm() -> Relay:
    """The relay of this instance, made at its first event: a setting that is wrong is told with each event, and never in silence."""
    global _relay  # noqa: PLW0603  # Lambda keeps a module between events
    if _relay is None:
        _relay = Relay(RelaySettings.load(), Log(function=os.environ.get("AWS_LAMBDA_FUNCTION_NAME", "")))
    return _relay

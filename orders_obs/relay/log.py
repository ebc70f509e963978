"""One JSON line for each thing that the relay did, and counts in CloudWatch's embedded metric format.

A line names the message by its id and topic; it has neither its text nor an address.
"""

from __future__ import annotations

import json
import sys
import threading
import time
from collections import Counter
from typing import TYPE_CHECKING, Any, Literal, TextIO

from orders_obs.redact import redact_text

if TYPE_CHECKING:
    from orders_obs.relay.envelope import Envelope

__all__ = ["NAMESPACE", "Log"]

NAMESPACE = "Orders/Relay"

_METRICS = {
    "delivered": "RelayDelivered",
    "failed": "RelayFailed",
    "dropped": "RelayDropped",
    "refused": "RelayRefused",
}


class Log:
    """Writes lines, and counts.

    Args:
        out: Where to; standard output when None.
        function: Name of the Lambda function; empty where counts are not written as metrics.
    """

    def __init__(self, out: TextIO | None = None, function: str = "") -> None:
        self._out = out
        self._function = function
        self._counts: Counter[tuple[str, str]] = Counter()
        self._lock = threading.Lock()

    def write(self, event: str, envelope: Envelope | None = None, **fields: Any) -> None:
        """One line, and one more in its count where the event is one of those that are counted."""
        about = (
            {"message_id": envelope.message_id, "topic": str(envelope.topic)} if envelope is not None else {}
        )
        with self._lock:
            if event in _METRICS:
                self._counts[
                    event, str(fields.get("reason") or "") if event in ("dropped", "refused") else ""
                ] += 1
        level = "error" if event == "failed" else "warning" if event == "refused" else "info"
        self._line({"level": level, "event": event, **about, **fields})

    def say(self, level: Literal["info", "warning", "error"], text: str) -> None:
        """One line in words."""
        self._line({"level": level, "event": "note", "note": text})

    def flush_metrics(self) -> None:
        """What was counted since the last time, as metrics; nothing outside a Lambda function."""
        with self._lock:
            counts, self._counts = self._counts, Counter()
        if not self._function:
            return
        for (event, reason), count in sorted(counts.items()):
            name = _METRICS[event]
            dimensions = ["FunctionName", "Reason"] if reason else ["FunctionName"]
            metric = {
                "Namespace": NAMESPACE,
                "Dimensions": [dimensions],
                "Metrics": [{"Name": name, "Unit": "Count"}],
            }
            line = {
                "_aws": {"Timestamp": int(time.time() * 1000), "CloudWatchMetrics": [metric]},
                "FunctionName": self._function,
                name: count,
            }
            self._raw(line | ({"Reason": reason} if reason else {}))

    def _line(self, fields: dict[str, Any]) -> None:
        shown = {
            key: redact_text(value) if isinstance(value, str) else value
            for key, value in fields.items()
            if value is not None
        }
        now = time.time()
        stamp = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(now)) + f".{int(now % 1 * 1000):03}Z"
        self._raw({"timestamp": stamp, **shown})

    def _raw(self, line: dict[str, Any]) -> None:
        out = self._out or sys.stdout
        with self._lock:
            out.write(json.dumps(line) + "\n")
            out.flush()

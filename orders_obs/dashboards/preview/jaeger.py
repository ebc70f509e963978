"""A search for traces in Jaeger, and the address of a trace."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

from orders_obs.dashboards.preview.prometheus import Api, QueryFailed, checked_address

if TYPE_CHECKING:
    from collections.abc import Mapping

    from orders_obs.dashboards.preview.times import Range

__all__ = ["Jaeger"]

_TRACE = re.compile(r"[0-9a-fA-F]{16,32}")
_PAIR = re.compile(r'([\w.\-]+)=("(?:[^"\\]|\\.)*"|\S+)')
_MOST = 100


class Jaeger:
    """One server, which also serves the page of a trace.

    Args:
        url: Its address.
        timeout: Seconds that a call may take.

    Raises:
        UserError: The address is none.
    """

    def __init__(self, url: str, *, timeout: float = 30) -> None:
        self.url = checked_address(url, "--jaeger")
        # The credentials are Prometheus's alone.
        self._api = Api(self.url, timeout=timeout, env=None)

    def link(self, trace: str) -> str | None:
        """The page of a trace; None where it is no trace's id."""
        return f"{self.url}/trace/{trace}" if _TRACE.fullmatch(trace) else None

    def search(self, words: Mapping[str, str], limit: Any, span: Range) -> list[dict[str, Any]]:
        """Traces, newest first: `trace`, `link`, `name`, `start` in seconds, `duration` in seconds.

        Args:
            words: `service`, `operation`, `tags` in logfmt, `minDuration`, `maxDuration`.
            limit: Traces at the most.
            span: When they began.

        Raises:
            QueryFailed: There is no answer.
        """
        most = min(limit, _MOST) if isinstance(limit, int) and limit > 0 else 20
        parameters = {
            "service": words["service"],
            "start": str(round(span.start * 1_000_000)),
            "end": str(round(span.end * 1_000_000)),
            "limit": str(most),
        }
        parameters |= {
            key: words[key] for key in ("operation", "minDuration", "maxDuration") if words.get(key)
        }
        tags = {key: value.strip('"') for key, value in _PAIR.findall(words.get("tags", ""))}
        if tags:
            parameters["tags"] = json.dumps(tags)
        data = self._api.get_any("/api/traces", **parameters)
        found = data.get("data") if isinstance(data, dict) else None
        if not isinstance(found, list):
            raise QueryFailed("the answer is not Jaeger's")
        rows = [self._row(trace) for trace in found if isinstance(trace, dict) and trace.get("spans")]
        return sorted(rows, key=lambda row: row["start"], reverse=True)[:most]

    def _row(self, trace: Mapping[str, Any]) -> dict[str, Any]:
        spans = trace["spans"]
        ids = {span.get("spanID") for span in spans}
        roots = [s for s in spans if not any(r.get("spanID") in ids for r in s.get("references") or ())]
        root = min(roots or spans, key=lambda span: span.get("startTime", 0))
        start = min(span.get("startTime", 0) for span in spans)
        end = max(span.get("startTime", 0) + span.get("duration", 0) for span in spans)
        process = (trace.get("processes") or {}).get(root.get("processID")) or {}
        trace_id = str(trace.get("traceID", ""))
        return {
            "trace": trace_id,
            "link": self.link(trace_id),
            "name": f"{process.get('serviceName', '')}: {root.get('operationName', '')}",
            "start": start / 1e6,
            "duration": (end - start) / 1e6,
        }

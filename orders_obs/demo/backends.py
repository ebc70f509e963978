"""Where the demonstration looks things up: the real servers, or what it keeps in memory itself."""

from __future__ import annotations

import math
import time
from typing import TYPE_CHECKING, Any, Protocol

import httpx

from orders_obs.demo.receiver import TraceReceiver
from orders_obs.demo.sampler import Exemplar, Sampler
from orders_obs.demo.spans import TraceSpan
from orders_obs.errors import EnvironmentFault
from orders_obs.signals import Count, Level, Matcher, Ratio, Share, promql

if TYPE_CHECKING:
    from collections.abc import Sequence

    from orders_obs.alerts import Alert
    from orders_obs.signals import Signal

__all__ = ["Backend", "EmbeddedBackend", "LiveBackend"]

_JOB = Matcher("job", "=", "orders-api")


class Backend(Protocol):
    """What the report asks for. Alerts are pairs of name and severity."""

    notifies: bool
    """Whether alerts are delivered, and not only evaluated."""

    @property
    def otlp(self) -> str:
        """Base address of the OTLP/HTTP receiver."""

    def trace(self, trace_id: str) -> list[TraceSpan]:
        """The spans of a trace that are there by now."""

    def exemplar(self, trace_id: str) -> Exemplar | None:
        """The exemplar of the request's duration that leads to a trace."""

    def signal(self, signal: Signal) -> float | None:
        """What a signal reads over the last minute."""

    def alerts(self) -> tuple[set[tuple[str, str]], set[tuple[str, str]]]:
        """The alerts that fired, and those of them that are over."""

    def evaluated(self) -> set[tuple[str, str]]:
        """The alerts that fired, delivered or muted."""

    def query(self, expr: str) -> int | None:
        """How many series an expression has now; None where nobody understands PromQL."""

    def close(self) -> None:
        """Let go of what was opened."""


class EmbeddedBackend:
    """In memory, for looking only: no PromQL, no notifications."""

    notifies = False

    def __init__(self, metrics_url: str, alerts: Sequence[Alert]) -> None:
        self._receiver = TraceReceiver()
        self._sampler = Sampler(metrics_url, alerts)

    @property
    def otlp(self) -> str:
        """Of the receiver in this process."""
        return self._receiver.url

    def trace(self, trace_id: str) -> list[TraceSpan]:
        """What the receiver got."""
        return self._receiver.trace(trace_id)

    def exemplar(self, trace_id: str) -> Exemplar | None:
        """What a scrape showed."""
        return self._sampler.exemplars.get(trace_id)

    def signal(self, signal: Signal) -> float | None:
        """From the counters of the last minute."""
        return self._sampler.value(signal)

    def alerts(self) -> tuple[set[tuple[str, str]], set[tuple[str, str]]]:
        """By the plain sample rule."""
        return set(self._sampler.fired), set(self._sampler.resolved)

    def evaluated(self) -> set[tuple[str, str]]:
        """Those of the sampler."""
        return self.alerts()[0]

    def query(self, _expr: str) -> int | None:
        """Nobody here understands PromQL."""
        return None

    def close(self) -> None:
        """Stop receiver and sampler."""
        self._sampler.close()
        self._receiver.close()


class LiveBackend:
    """The real Jaeger, Prometheus and Alertmanager; the last is believed by what arrived in the inbox.

    Args:
        urls: `otlp_http`, `jaeger`, `prometheus`.
        inbox: Address of the inbox of alerts.
    """

    notifies = True

    def __init__(self, urls: dict[str, str], inbox: str) -> None:
        self._urls = urls
        self._inbox = inbox
        self._client = httpx.Client(timeout=5)
        self._since = time.time()

    @property
    def otlp(self) -> str:
        """Of the collector."""
        return self._urls["otlp_http"]

    def trace(self, trace_id: str) -> list[TraceSpan]:
        """Asks Jaeger."""
        answer = self._get(f"{self._urls['jaeger']}/api/traces/{trace_id}", missing_is_empty=True)
        return [
            _jaeger_span(span, found["processes"])
            for found in answer.get("data") or ()
            for span in found["spans"]
        ]

    def exemplar(self, trace_id: str) -> Exemplar | None:
        """Asks Prometheus."""
        answer = self._get(
            f"{self._urls['prometheus']}/api/v1/query_exemplars",
            query=f"http_request_duration_seconds_bucket{promql.label_set((_JOB,))}",
            start=self._since - 5,
            end=time.time() + 5,
        )
        for series in answer["data"]:
            for exemplar in series["exemplars"]:
                if exemplar["labels"].get("trace_id") == trace_id:
                    return Exemplar(
                        trace_id, float(exemplar["value"]), series["seriesLabels"].get("route", "")
                    )
        return None

    def signal(self, signal: Signal) -> float | None:
        """Asks Prometheus."""
        result = self._vector(expression(signal))
        return float(result[0]["value"][1]) if result else None

    def alerts(self) -> tuple[set[tuple[str, str]], set[tuple[str, str]]]:
        """Asks the inbox what Alertmanager brought."""
        fired: set[tuple[str, str]] = set()
        over: set[tuple[str, str]] = set()
        for alert in self._get(f"{self._inbox}/alerts"):
            key = alert["labels"]["alertname"], alert["labels"]["severity"]
            if alert["status"] == "firing":
                fired.add(key)
                over.discard(key)
            elif key in fired:
                over.add(key)
        return fired, over

    def evaluated(self) -> set[tuple[str, str]]:
        """Asks Prometheus."""
        span = f"{math.ceil(time.time() - self._since) + 1}s"
        fired = self._vector(
            f'max by (alertname, severity) (max_over_time(ALERTS{{alertstate="firing"}}[{span}]))'
        )
        return {(series["metric"]["alertname"], series["metric"]["severity"]) for series in fired}

    def query(self, expr: str) -> int | None:
        """Asks Prometheus."""
        return len(self._vector(expr))

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def _vector(self, expr: str) -> list[Any]:
        result: list[Any] = self._get(f"{self._urls['prometheus']}/api/v1/query", query=expr)["data"][
            "result"
        ]
        return result

    def _get(self, url: str, *, missing_is_empty: bool = False, **parameters: Any) -> Any:
        try:
            answer = self._client.get(url, params=parameters)
            if answer.status_code == 404 and missing_is_empty:
                return {}
            answer.raise_for_status()
            return answer.json()
        except (httpx.HTTPError, ValueError) as error:
            raise EnvironmentFault(f"{url} does not answer as it should ({type(error).__name__})") from error


def expression(signal: Signal) -> str:
    """A signal as the report reads it: a share, events per second, a latency's p99, a level."""
    if isinstance(signal, Ratio):
        return promql.ratio(signal, _JOB, window="1m")
    if isinstance(signal, Share):
        return promql.quantile(0.99, signal.events, _JOB, window="1m")
    if isinstance(signal, Level):
        return promql.level(signal, _JOB)
    assert isinstance(signal, Count)  # noqa: S101  # the report shows no other kinds
    assert signal.events is not None  # noqa: S101  # nor what only CloudWatch counts
    return promql.rate(signal.events, _JOB, window="1m")


def _jaeger_span(span: dict[str, Any], processes: dict[str, Any]) -> TraceSpan:
    attributes = {tag["key"]: tag["value"] for tag in span["tags"]}
    parents = [reference["spanID"] for reference in span["references"] if reference["refType"] == "CHILD_OF"]
    return TraceSpan(
        span["spanID"],
        parents[0] if parents else "",
        processes[span["processID"]]["serviceName"],
        span["operationName"],
        str(attributes.get("span.kind", "internal")),
        int(span["startTime"]),
        int(span["duration"]),
        attributes,
    )

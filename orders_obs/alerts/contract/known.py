"""Metrics that no source declares: the library's own, those of every scrape and process, exporters', and a team's list."""

from __future__ import annotations

import math
import re
from pathlib import Path
from typing import TYPE_CHECKING

from prometheus_client.openmetrics.parser import text_string_to_metric_families as parse_openmetrics
from prometheus_client.parser import text_string_to_metric_families as parse_text

from orders_obs.alerts.contract.model import Emitted
from orders_obs.alerts.nodes import read_text
from orders_obs.errors import UserError
from orders_obs.signals import SIGNALS
from orders_obs.signals.instruments import INSTRUMENTS, OVERFLOW
from orders_obs.signals.model import External

if TYPE_CHECKING:
    from collections.abc import Mapping

    from prometheus_client import Metric

    from orders_obs.alerts.contract.model import Kind

__all__ = ["EXPORTERS", "library", "read_also", "well_known"]

EXPORTERS: Mapping[str, str] = {
    "alertmanager": "Alertmanager",
    "aws": "a CloudWatch exporter",
    "blackbox": "blackbox_exporter",
    "cadvisor": "cAdvisor",
    "container": "cAdvisor",
    "ecs": "a CloudWatch or ECS exporter",
    "go": "a program in Go",
    "grafana": "Grafana",
    "jvm": "a program on the JVM",
    "kube": "kube-state-metrics",
    "kubelet": "the kubelet",
    "machine": "cAdvisor",
    "mysql": "mysqld_exporter",
    "nginx": "an NGINX exporter",
    "node": "node_exporter",
    "otelcol": "the OpenTelemetry collector",
    "pg": "postgres_exporter",
    "probe": "blackbox_exporter",
    "prometheus": "Prometheus itself",
    "rabbitmq": "RabbitMQ",
    "redis": "redis_exporter",
    "traefik": "Traefik",
    "windows": "windows_exporter",
}
"""First words of names that widespread exporters give their metrics, and whose they are."""

_PYTHON_INFO = ("implementation", "major", "minor", "patchlevel", "version")
# Prometheus: "Jobs and instances", "Alerting rules". prometheus_client: process_, platform_ and gc_collector.
_WELL_KNOWN: tuple[tuple[str, Kind, tuple[str, ...] | None], ...] = (
    ("up", "gauge", ()),
    ("scrape_duration_seconds", "gauge", ()),
    ("scrape_samples_scraped", "gauge", ()),
    ("scrape_samples_post_metric_relabeling", "gauge", ()),
    ("scrape_series_added", "gauge", ()),
    ("scrape_timeout_seconds", "gauge", ()),
    ("scrape_sample_limit", "gauge", ()),
    ("scrape_body_size_bytes", "gauge", ()),
    ("ALERTS", "gauge", None),
    ("ALERTS_FOR_STATE", "gauge", None),
    ("process_cpu_seconds_total", "counter", ()),
    ("process_start_time_seconds", "gauge", ()),
    ("process_resident_memory_bytes", "gauge", ()),
    ("process_virtual_memory_bytes", "gauge", ()),
    ("process_virtual_memory_max_bytes", "gauge", ()),
    ("process_open_fds", "gauge", ()),
    ("process_max_fds", "gauge", ()),
    ("process_network_receive_bytes_total", "counter", ()),
    ("process_network_transmit_bytes_total", "counter", ()),
    ("python_info", "gauge", _PYTHON_INFO),
    ("python_gc_objects_collected_total", "counter", ("generation",)),
    ("python_gc_objects_uncollectable_total", "counter", ("generation",)),
    ("python_gc_collections_total", "counter", ("generation",)),
)


def library(calls: Mapping[str, Mapping[str, tuple[str, ...]]] | None = None) -> list[Emitted]:
    """The library's own instruments.

    Args:
        calls: Values of their labels that an application gives, by metric and label.
    """
    found = []
    for instrument in INSTRUMENTS.values():
        more = (calls or {}).get(instrument.name, {})
        values = tuple(
            (label, tuple(dict.fromkeys((*known, *more.get(label, ()), OVERFLOW))))
            for label, known in instrument.values
        )
        found.append(
            Emitted(
                instrument.name,
                instrument.kind,
                "orders_obs",
                "library",
                instrument.labels,
                instrument.buckets or None,
                values,
                declared_values=True,
                unit=instrument.unit,
            )
        )
    return found


def well_known() -> list[Emitted]:
    """What Prometheus, a Python process and the exporters that the signals read give."""
    found = [Emitted(name, kind, "every scrape", "well-known", labels) for name, kind, labels in _WELL_KNOWN]
    names = {metric.name for metric in found}
    for signal in SIGNALS.values():
        for source in getattr(signal, "prometheus", ()):
            if isinstance(source, External) and source.name not in names:
                names.add(source.name)
                found.append(
                    Emitted(source.name, "gauge", f"an exporter, for the signal {signal.name}", "exporter")
                )
    return found


def read_also(path: Path | str) -> list[Emitted]:
    """A team's list of metrics: one name a line, or the text that a `/metrics` answers with.

    The text gives types, labels and buckets exactly. A line that begins with `#` in a list is a comment.

    Raises:
        UserError: It cannot be read, or is neither.
    """
    path = Path(path)
    text = read_text(path)
    lines = [(number, line.strip()) for number, line in enumerate(text.splitlines(), 1)]
    named = [(number, line) for number, line in lines if line and not line.startswith("#")]
    if named and all(re.fullmatch(r"[a-zA-Z_:][a-zA-Z0-9_:]*", name) for _, name in named):
        return [_listed(name, f"{path}:{number}") for number, name in named]
    try:
        parse = parse_openmetrics if text.rstrip().endswith("# EOF") else parse_text
        families = list(parse(text))
    except (ValueError, KeyError, IndexError) as error:
        raise UserError(
            f"is neither a list of names nor the text of a /metrics: {error}",
            hint="one name a line, or save what /metrics answers",
            file=path,
        ) from None
    places = _places(lines)
    return [metric for family in families for metric in _exposed(family, path, places)]


def _listed(name: str, where: str) -> Emitted:
    for suffix in ("_bucket", "_count", "_sum"):
        if name.endswith(suffix):
            return Emitted(name, "unknown", where, "file")
    return Emitted(name, "counter" if name.endswith("_total") else "unknown", where, "file")


def _places(lines: list[tuple[int, str]]) -> dict[str, int]:
    places: dict[str, int] = {}
    for number, line in lines:
        words = line.split()
        name = (
            words[2]
            if line.startswith(("# TYPE ", "# HELP ")) and len(words) > 2
            else re.split(r"[{\s]", line)[0]
        )
        places.setdefault(name, number)
    return places


_SUFFIXES: Mapping[str, tuple[str, ...]] = {
    "histogram": ("_bucket", "_count", "_sum"),
    "summary": ("_count", "_sum"),
    "gaugehistogram": ("_bucket", "_gcount", "_gsum"),
}


def _exposed(family: Metric, path: Path, places: Mapping[str, int]) -> list[Emitted]:
    kind: Kind = "unknown" if family.type in ("untyped", "unknown") else family.type  # type: ignore[assignment]  # the parser's words
    suffixes = _SUFFIXES.get(kind, ())
    own = [sample for sample in family.samples if not sample.name.endswith("_created")]
    names = dict.fromkeys(
        next((sample.name.removesuffix(s) for s in suffixes if sample.name.endswith(s)), sample.name)
        for sample in own
    )
    if not names:
        ending = {"counter": "_total", "info": "_info"}.get(kind, "")
        names = {f"{family.name.removesuffix(ending)}{ending}": None}
    found = []
    for name in names:
        # The parser gives each counter the ending that Prometheus leaves away where the program does.
        shown = name if name in places or kind != "counter" else name.removesuffix("_total")
        samples = [
            sample for sample in own if sample.name == name or sample.name.removeprefix(name) in suffixes
        ]
        labels = dict.fromkeys(label for sample in samples for label in sample.labels if label != "le")
        bounds = {float(s.labels["le"]) for s in samples if "le" in s.labels}
        line = places.get(shown) or places.get(family.name)
        found.append(
            Emitted(
                shown,
                kind,
                f"{path}:{line}" if line else str(path),
                "file",
                tuple(labels) if samples else None,
                tuple(sorted(bounds - {math.inf})) if bounds else None,
                unit=family.unit,
            )
        )
    created = dict.fromkeys(sample.name for sample in family.samples if sample.name.endswith("_created"))
    return [*found, *(Emitted(name, "gauge", str(path), "file") for name in created)]

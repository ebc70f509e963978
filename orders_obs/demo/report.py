"""What the demonstration found, as text for a terminal and as data."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field, replace
from typing import TYPE_CHECKING, Any

from orders_obs.demo.spans import break_down, root_of
from orders_obs.demo.traffic import Sent
from orders_obs.signals import SIGNALS, Count, Level, Ratio

if TYPE_CHECKING:
    from orders_obs.demo.sampler import Exemplar
    from orders_obs.demo.spans import Breakdown, TraceSpan
    from orders_obs.demo.traffic import Followed

__all__ = ["REPORTED", "Report", "render"]

_WIDTH = 100
_BAR = 34
REPORTED = (
    "http_requests", "http_error_ratio", "http_latency", "errors", "orders_created", "database_latency", "cache_hit_ratio",
    "database_connections", "running_tasks",
)  # fmt: skip
"""The signals that the report shows: those of the dashboard."""


@dataclass(slots=True)
class Report:
    """What was found by asking the backend.

    Attributes:
        backend: `embedded`, `native` or `docker`.
        followed: The order that was followed.
        sent: The traffic.
        spans: The followed order's trace.
        lines: Its log lines.
        exemplar: The one that leads to its trace.
        signals: Every signal's value.
        fired: Alerts that fired: name and severity.
        resolved: Those that are over.
        expected: Alerts that should have fired and be over.
        muted: Alerts that should have fired, and of which nobody is told while a worse severity of the same fires.
        firing: Alerts that fired, delivered or muted.
        panels: Series of each dashboard query; empty where nobody understands PromQL.
        addresses: What to open, by name.
        preview: Address of the page of the dashboards; empty where there is none.
    """

    backend: str
    followed: Followed
    sent: Sent
    spans: list[TraceSpan] = field(default_factory=list)
    lines: list[dict[str, Any]] = field(default_factory=list)
    exemplar: Exemplar | None = None
    signals: dict[str, float | None] = field(default_factory=dict)
    fired: set[tuple[str, str]] = field(default_factory=set)
    resolved: set[tuple[str, str]] = field(default_factory=set)
    expected: set[tuple[str, str]] = field(default_factory=set)
    muted: set[tuple[str, str]] = field(default_factory=set)
    firing: set[tuple[str, str]] = field(default_factory=set)
    panels: dict[str, int] = field(default_factory=dict)
    addresses: dict[str, str] = field(default_factory=dict)
    preview: str = ""

    @property
    def breakdown(self) -> Breakdown | None:
        """Where the followed request's time went."""
        root = root_of(self.spans, "orders-api")
        return None if root is None else break_down(self.spans, root)

    def missing(self) -> list[str]:
        """What should have been found and was not; empty when all is well."""
        problems = []
        if self.followed.status != 201:
            problems.append(f"the order was not created: status {self.followed.status}")
        services = {span.service for span in self.spans}
        problems += [
            f"the trace holds no span of {name}"
            for name in ("orders-api", "payments-api")
            if name not in services
        ]
        breakdown = self.breakdown
        if breakdown is not None:
            parts = {"database": breakdown.database, "payment": breakdown.payment, "cache": breakdown.cache}
            problems += [f"the trace shows no time for {name}" for name, spent in parts.items() if spent <= 0]
        logged = {line.get("service") for line in self.lines}
        problems += [
            f"no log line of {name} carries the trace id"
            for name in ("orders-api", "payments-api")
            if name not in logged
        ]
        access = [line for line in self.lines if line.get("event") == "API metrics"]
        if not any(line.get("request_id") == self.followed.request_id for line in access):
            problems.append("no access line carries the response's request id")
        if self.exemplar is None:
            problems.append("no exemplar leads to the trace")
        problems += [f"signal {name} has no value" for name, value in self.signals.items() if value is None]
        problems += [
            f"alert {name} ({severity}) did not fire"
            for name, severity in sorted((self.expected - self.fired) | (self.muted - self.firing))
        ]
        problems += [
            f"alert {name} ({severity}) fired and is not over"
            for name, severity in sorted((self.expected & self.fired) - self.resolved)
        ]
        problems += [f"panel {name} has no data" for name, series in self.panels.items() if not series]
        return problems

    def as_data(self) -> dict[str, Any]:
        """For `--json`."""
        # asdict() would make a counter of pairs of a Counter.
        data = asdict(replace(self, sent=Sent()))
        data["sent"] = {"kinds": dict(self.sent.kinds), "statuses": dict(self.sent.statuses)}
        data["fired"], data["resolved"] = sorted(self.fired), sorted(self.resolved)
        data["expected"] = sorted(self.expected)
        data["muted"] = sorted(self.muted)
        data["firing"] = sorted(self.firing)
        data["breakdown_ms"] = None if self.breakdown is None else asdict(self.breakdown)
        data["missing"] = self.missing()
        return data


def render(report: Report, *, color: bool) -> str:
    """The report as text, at most 100 columns wide."""
    paint = _Paint(color)
    parts = [
        _waterfall(report, paint),
        _lines(report, paint),
        _exemplar(report, paint),
        _signals(report, paint),
        _alerts(report, paint),
        _panels(report, paint),
        _preview(report, paint),
        _addresses(report, paint),
        _verdict(report, paint),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


class _Paint:
    def __init__(self, color: bool) -> None:
        self._color = color

    def title(self, text: str) -> str:
        return f"\x1b[1m{text}\x1b[0m" if self._color else text

    def good(self, text: str) -> str:
        return f"\x1b[32m{text}\x1b[0m" if self._color else text

    def bad(self, text: str) -> str:
        return f"\x1b[31m{text}\x1b[0m" if self._color else text

    def dim(self, text: str) -> str:
        return f"\x1b[2m{text}\x1b[0m" if self._color else text


def _waterfall(report: Report, paint: _Paint) -> str:
    followed = report.followed
    rows = [paint.title("One order, followed"), f"  order {followed.order_id}  trace {followed.trace_id}"]
    root = root_of(report.spans, "orders-api")
    breakdown = report.breakdown
    if root is None or breakdown is None:
        return "\n".join([*rows, paint.bad("  its trace was not found")])
    rows.append("")
    for depth, span in _tree(report.spans):
        offset = round((span.start - root.start) / max(1, root.duration) * _BAR)
        offset = min(max(0, offset), _BAR - 1)
        length = min(max(1, round(span.duration / max(1, root.duration) * _BAR)), _BAR - offset)
        bar = " " * offset + "█" * length
        name = ("  " * depth + span.name)[:34]
        rows.append(f"  {span.service:13.13} {name:34} {bar:{_BAR}} {span.duration / 1000:8.2f} ms")
    rows += [
        "",
        (
            f"  total {breakdown.total:.1f} ms = database {breakdown.database:.1f} + payment {breakdown.payment:.1f}"
            f" + cache {breakdown.cache:.2f} + other {breakdown.other:.1f}"
        ),
    ]
    return "\n".join(rows)


def _tree(spans: list[TraceSpan]) -> list[tuple[int, TraceSpan]]:
    children: dict[str, list[TraceSpan]] = {}
    ids = {span.span_id for span in spans}
    for span in sorted(spans, key=lambda s: (s.start, -s.duration)):
        children.setdefault(span.parent_id if span.parent_id in ids else "", []).append(span)
    rows: list[tuple[int, TraceSpan]] = []
    pending = [(0, span) for span in reversed(children.get("", []))]
    while pending:
        depth, span = pending.pop()
        rows.append((depth, span))
        pending += [(depth + 1, child) for child in reversed(children.get(span.span_id, []))]
    return rows


def _lines(report: Report, paint: _Paint) -> str:
    rows = [paint.title("Its log lines, by the same trace id")]
    for line in report.lines:
        text = f"  {str(line['timestamp'])[11:23]} {line['service']:13} {line['level']:7} {line['event']}"
        if line["event"] == "API metrics":
            text += (
                f"  {line['endpoint']} {line['status_code']} in {line['response_time_ms']:.1f} ms,"
                f" database {line['db_query_time_ms']:.1f} ms"
            )
        elif "order_id" in line:
            text += f"  order_id={line['order_id']}"
        rows.append(text[:_WIDTH])
    return "\n".join(rows if report.lines else [*rows, paint.bad("  none was found")])


def _exemplar(report: Report, paint: _Paint) -> str:
    rows = [paint.title("Its exemplar")]
    if report.exemplar is None:
        return "\n".join([*rows, paint.bad("  none was found")])
    rows.append(
        f"  http_request_duration_seconds  {report.exemplar.route}  {report.exemplar.value * 1000:.1f} ms"
        f"  → trace {report.exemplar.trace_id[:16]}…"
    )
    return "\n".join(rows)


def _signals(report: Report, paint: _Paint) -> str:
    rows = [paint.title("Signals, over the last minute")]
    rows += [
        f"  {SIGNALS[name].title:22} {_value(name, value, report.backend)}"
        for name, value in report.signals.items()
    ]
    return "\n".join(rows)


def _value(name: str, value: float | None, backend: str) -> str:
    if value is None:
        return "no value"
    signal = SIGNALS[name]
    if isinstance(signal, Ratio):
        return f"{value * 100:.1f} %"
    if isinstance(signal, Count):
        return f"{value:.2f} a second"
    if isinstance(signal, Level):
        return f"{value:.0f}"
    return f"{value * 1000:.1f} ms {'on average' if backend == 'embedded' else 'p99'}"


def _alerts(report: Report, paint: _Paint) -> str:
    rows = [paint.title("Alerts")]
    for key in sorted(report.expected | report.fired):
        fired = paint.good("fired") if key in report.fired else paint.bad("did not fire")
        if key in report.resolved:
            over = paint.good("recovered")
        else:
            # An objective's windows are longer than the demonstration.
            over = paint.bad("not over") if key in report.expected else paint.dim("still firing")
        rows.append(f"  {key[0]:20} {key[1]:10} {fired}" + (f", {over}" if key in report.fired else ""))
    for name, severity in sorted(report.muted - report.fired):
        fired = paint.good("fired") if (name, severity) in report.firing else paint.bad("did not fire")
        rows.append(f"  {name:20} {severity:10} {fired}, muted by the worse one")
    return "\n".join(rows)


def _panels(report: Report, paint: _Paint) -> str:
    if not report.panels:
        return ""
    rows = [paint.title("Dashboard queries with data")]
    rows += [
        f"  {name:28} {paint.good(f'{series} series') if series else paint.bad('no data')}"
        for name, series in report.panels.items()
    ]
    return "\n".join(rows)


def _preview(report: Report, paint: _Paint) -> str:
    if not report.preview:
        return ""
    return "\n".join([paint.title("The dashboards as a page, to open in a browser"), f"  {report.preview}"])


def _addresses(report: Report, paint: _Paint) -> str:
    rows = [paint.title("To open, while it runs (`--keep` leaves it running)")]
    rows += [f"  {name:14} {address}" for name, address in report.addresses.items()]
    return "\n".join(rows)


def _verdict(report: Report, paint: _Paint) -> str:
    problems = report.missing()
    if not problems:
        return paint.good(
            f"Everything was found ({report.backend} backend, {sum(report.sent.kinds.values())} requests sent)."
        )
    return "\n".join([paint.bad("Not found:"), *(f"  - {problem}" for problem in problems)])

"""Dashboards, asked and drawn: what `orders-obs dashboards preview` does, and what others call."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from orders_obs.dashboards.preview.asking import Context
from orders_obs.dashboards.preview.drawing import draw, unreadable
from orders_obs.dashboards.preview.jaeger import Jaeger
from orders_obs.dashboards.preview.marks import marks
from orders_obs.dashboards.preview.prometheus import Api
from orders_obs.dashboards.preview.reading import read, sections
from orders_obs.dashboards.preview.times import Range, moment
from orders_obs.dashboards.preview.variables import absent, resolve
from orders_obs.errors import EnvironmentFault, UserError
from orders_obs.redact import redact_url

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from orders_obs.dashboards.preview.reading import Placed

__all__ = ["Preview", "Wishes", "look", "write_preview"]

_AT_ONCE = 4
"""Panels that are asked for at the same time: what a browser of one person asks of a Prometheus."""


@dataclass(frozen=True, slots=True)
class Wishes:
    """How a preview is made.

    Attributes:
        start: When the graphs begin, such as `now-1h`; empty: as the dashboard says.
        end: When they end.
        values: Of variables, by name.
        jaeger: Address of a Jaeger; empty where there is none.
        scrape: Seconds between scrapes, as Grafana's data source has them (its default is 15).
        timeout: Seconds that one query may take.
        progress: Told of each panel that is drawn: how many are, of how many.
    """

    start: str = ""
    end: str = ""
    values: Mapping[str, Sequence[str]] = field(default_factory=dict)
    jaeger: str = ""
    scrape: float = 15
    timeout: float = 30
    progress: Callable[[int, int], None] = lambda _done, _of: None


@dataclass(frozen=True, slots=True)
class Preview:
    """What was drawn.

    Attributes:
        data: What the page holds.
    """

    data: dict[str, Any]

    def panels(self) -> list[dict[str, Any]]:
        """Every panel: `dashboard`, `title`, `kind`, `state`, `reason`, `series`, `notes`.

        The state is `ok`, `empty` (no data), `error` (a query failed) or `placeholder` (it cannot be drawn).
        """
        return [
            {
                "dashboard": dashboard["title"],
                "title": panel["title"],
                "kind": panel["kind"],
                "state": panel["state"],
                "reason": panel.get("reason", ""),
                "series": len(panel.get("series") or panel.get("buckets") or panel.get("rows") or ()),
                "notes": panel["notes"],
            }
            for dashboard in self.data["dashboards"]
            for section in dashboard["sections"]
            for panel in section["panels"]
        ]

    def absent(self) -> list[str]:
        """Why panels are empty: values of variables that there are not, in words, with the dashboard."""
        return [
            f"{dashboard['title']}: {text}"
            for dashboard in self.data["dashboards"]
            for text in dashboard["absent"]
        ]

    def failed(self) -> list[str]:
        """What failed, in words: queries, variables, annotations."""
        problems = [
            f"{panel['dashboard']}: {panel['title'] or 'untitled'}: {panel['reason']}"
            for panel in self.panels()
            if panel["state"] == "error"
        ]
        return problems + [
            f"{dashboard['title']}: {problem}"
            for dashboard in self.data["dashboards"]
            for problem in dashboard["problems"]
        ]


def look(
    files: Sequence[Path], prometheus: str, wishes: Wishes | None = None, *, now: datetime | None = None
) -> Preview:
    """Read dashboards and ask for their data; nothing is written.

    Args:
        files: Built dashboards.
        prometheus: Address of the API.
        wishes: How.
        now: What `now` means; the present when None.

    Raises:
        UserError: A file, an address, a time or a variable is wrong.
        EnvironmentFault: The API cannot be reached.
    """
    wishes = wishes or Wishes()
    now = now or datetime.now(UTC)
    dashboards = [read(file) for file in files]
    api = Api(prometheus, timeout=wishes.timeout)
    jaeger = Jaeger(wishes.jaeger, timeout=wishes.timeout) if wishes.jaeger else None
    known = {
        str(entry.get("name"))
        for dashboard in dashboards
        for entry in (dashboard.get("templating") or {}).get("list") or ()
        if isinstance(entry, dict)
    }
    for name in wishes.values:
        if name not in known:
            has = ", ".join(sorted(known)) or "none"
            raise UserError(f"--var {name}: no dashboard has this variable", hint=f"they have {has}")
    spans = [_span(dashboard, wishes, now) for dashboard in dashboards]
    api.probe()
    drawn = [
        _dashboard(dashboard, api, jaeger, span, wishes)
        for dashboard, span in zip(dashboards, spans, strict=True)
    ]
    return Preview(
        {
            "dashboards": drawn,
            "generated": now.timestamp(),
            "jaeger": redact_url(jaeger.url) if jaeger else "",
            "prometheus": redact_url(api.url),
        }
    )


def write_preview(
    dashboard_path: Path | list[Path],
    prometheus_url: str,
    out: Path,
    wishes: Wishes | None = None,
    *,
    now: datetime | None = None,
) -> Preview:
    """Write the page of one or several dashboards.

    Args:
        dashboard_path: Built dashboards.
        prometheus_url: Address of the API.
        out: The file that is written; it is replaced whole.
        wishes: How.
        now: What `now` means; the present when None.

    Raises:
        UserError: A file, an address, a time or a variable is wrong.
        EnvironmentFault: The API cannot be reached, or the file cannot be written.
    """
    from orders_obs.dashboards.preview.page import page

    files = dashboard_path if isinstance(dashboard_path, list) else [dashboard_path]
    found = look(files, prometheus_url, wishes, now=now)
    beside = out.with_name(f".{out.name}.part")
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        beside.write_text(page(found.data), encoding="utf-8")
        beside.replace(out)
    except OSError as error:
        beside.unlink(missing_ok=True)
        raise EnvironmentFault(f"{out} cannot be written: {error.strerror}") from None
    return found


def _span(dashboard: Mapping[str, Any], wishes: Wishes, now: datetime) -> Range:
    own = dashboard.get("time") or {}
    start = moment(wishes.start or str(own.get("from") or "now-1h"), now)
    end = moment(wishes.end or str(own.get("to") or "now"), now)
    if end - start < 1:
        raise UserError("the range ends before it begins", hint="such as --from now-1h --to now")
    return Range(start, end)


def _panel(context: Context, placed: Placed, at: int) -> dict[str, Any]:
    """One panel; what is wrong with it is its own and not the page's."""
    try:
        return draw(context, placed, at)
    except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError) as error:
        return unreadable(placed, at, error)


def _dashboard(
    dashboard: Mapping[str, Any], api: Api, jaeger: Jaeger | None, span: Range, wishes: Wishes
) -> dict[str, Any]:
    own = {
        str(e.get("name"))
        for e in (dashboard.get("templating") or {}).get("list") or ()
        if isinstance(e, dict)
    }
    given = {name: values for name, values in wishes.values.items() if name in own}
    variables = resolve(dashboard, given, api, span)
    inputs = {
        str(entry.get("name")): str(entry.get("pluginId"))
        for entry in dashboard.get("__inputs") or ()
        if isinstance(entry, dict) and entry.get("type") == "datasource"
    }
    context = Context(api, jaeger, span, wishes.scrape, variables.values, variables.sources, inputs)
    rows = sections(dashboard, variables.values)
    placed = [panel for row in rows for panel in row.panels]
    drawn: list[dict[str, Any]] = []
    with ThreadPoolExecutor(_AT_ONCE, "preview") as pool:
        futures = [pool.submit(_panel, context, panel, at) for at, panel in enumerate(placed)]
        try:
            for future in futures:
                drawn.append(future.result())
                wishes.progress(len(drawn), len(placed))
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise
    empty = any(panel["state"] == "empty" for panel in drawn)
    annotations, problems, notes = marks(dashboard, context)
    left = iter(drawn)
    return {
        "absent": absent(dashboard, variables, api, span) if empty else [],
        "description": str(dashboard.get("description") or ""),
        "from": span.start,
        "marks": annotations,
        "notes": [*variables.notes, *notes],
        "problems": [*variables.problems, *problems],
        "sections": [
            {"title": row.title, "collapsed": row.collapsed, "panels": [next(left) for _ in row.panels]}
            for row in rows
        ],
        "sync": bool(dashboard.get("graphTooltip")),
        "tags": [str(tag) for tag in dashboard.get("tags") or ()],
        "timezone": str(dashboard.get("timezone") or "browser"),
        "title": str(dashboard.get("title") or "Untitled"),
        "to": span.end,
        "uid": str(dashboard.get("uid") or ""),
        "variables": variables.shown,
    }

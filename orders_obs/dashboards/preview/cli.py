"""`orders-obs dashboards preview`: dashboards as one HTML page with real data."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import argparse

__all__ = ["register"]


def register(commands: Any) -> None:
    """Add `preview` to the sub-commands of `dashboards`."""
    parser: argparse.ArgumentParser = commands.add_parser(
        "preview", help="an HTML page of dashboards with data of a Prometheus; no Grafana is needed"
    )
    parser.add_argument("files", nargs="+", type=Path, metavar="FILE", help="built dashboards (JSON)")
    parser.add_argument(
        "--prometheus",
        required=True,
        metavar="URL",
        help="the HTTP API of a Prometheus, or of what answers like one",
    )
    parser.add_argument(
        "--jaeger", default="", metavar="URL", help="searches traces, and links exemplars to theirs"
    )
    parser.add_argument(
        "--from", default="", dest="start", metavar="TIME", help="such as now-1h (default: the dashboard's)"
    )
    parser.add_argument(
        "--to", default="", dest="end", metavar="TIME", help="such as now (default: the dashboard's)"
    )
    parser.add_argument(
        "--var",
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="a variable's value; may be repeated, also for one variable",
    )
    parser.add_argument(
        "--scrape-interval",
        default="15s",
        metavar="LENGTH",
        help="as the data source in Grafana has it (default: 15s); $__rate_interval is made of it",
    )
    parser.add_argument(
        "--timeout", type=float, default=30, metavar="SECONDS", help="of one query (default: 30)"
    )
    parser.add_argument(
        "-o", "--output", type=Path, default=Path("preview.html"), help="default: preview.html"
    )
    parser.add_argument("--check", action="store_true", help="exit 1 if a query fails")
    parser.add_argument("--dry-run", action="store_true", help="ask for everything, write nothing")
    parser.add_argument("--json", action="store_true", help="what each panel shows, as data")
    parser.set_defaults(run=_preview)


def _preview(args: argparse.Namespace) -> int:
    from orders_obs.dashboards.preview.preview import Wishes, look, write_preview
    from orders_obs.dashboards.preview.times import as_seconds
    from orders_obs.errors import UserError

    scrape = as_seconds(args.scrape_interval)
    if not scrape:
        raise UserError(
            f"--scrape-interval {args.scrape_interval!r} is no length of time", hint="such as 15s"
        )
    if not 0 < args.timeout < 3600:
        raise UserError("--timeout is more than 0 and less than 3600 seconds")
    wishes = Wishes(
        start=args.start, end=args.end, values=_values(args.var), jaeger=args.jaeger, scrape=scrape,
        timeout=args.timeout, progress=_progress if sys.stderr.isatty() else lambda _done, _of: None,
    )  # fmt: skip
    if args.dry_run:
        found = look(args.files, args.prometheus, wishes)
    else:
        found = write_preview(args.files, args.prometheus, args.output, wishes)
    panels, failed = found.panels(), found.failed()
    if args.json:
        import json

        print(
            json.dumps(
                {
                    "output": None if args.dry_run else str(args.output),
                    "panels": panels,
                    "failed": failed,
                    "absent": found.absent(),
                },
                indent=2,
            )
        )
    for text in found.absent():
        print(text, file=sys.stderr)
    for problem in failed:
        print(f"failed: {problem}", file=sys.stderr)
    # Where the variable is the reason, it is said once.
    told = {dashboard["title"] for dashboard in found.data["dashboards"] if dashboard["absent"]}
    for panel in panels:
        if panel["state"] == "placeholder" or (panel["state"] == "empty" and panel["dashboard"] not in told):
            what = panel["reason"] or "no data"
            print(f"not drawn: {panel['dashboard']}: {panel['title'] or 'untitled'}: {what}", file=sys.stderr)
    drawn = sum(panel["state"] == "ok" for panel in panels)
    written = "" if args.dry_run else f"; wrote {args.output}"
    print(f"{drawn} of {len(panels)} panels drawn{written}", file=sys.stderr)
    return 1 if args.check and failed else 0


def _values(texts: list[str]) -> dict[str, list[str]]:
    from orders_obs.errors import UserError

    found: dict[str, list[str]] = {}
    for text in texts:
        name, equals, value = text.partition("=")
        if not equals or not name:
            raise UserError(f"--var {text!r} is no NAME=VALUE")
        found.setdefault(name, []).append(value)
    return found


def _progress(done: int, of: int) -> None:
    print(f"\r{done} of {of} panels", end="\n" if done == of else "", file=sys.stderr, flush=True)

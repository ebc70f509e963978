"""`orders-obs alerts contract`: whether what alerts and dashboards use is what the code emits."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from orders_obs import findings

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence

    from orders_obs.alerts.contract.model import Emitted, Query
    from orders_obs.alerts.contract.sources import Source
    from orders_obs.alerts.contract.used import Used

__all__ = ["add_arguments", "run"]

_PROJECT = ("pyproject.toml", "setup.py", "setup.cfg")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Give a parser the command's arguments."""
    parser.add_argument(
        "--source",
        action="append",
        metavar="DIR",
        help="Python source that declares metrics; several times (default: here, where a pyproject.toml is)",
    )
    parser.add_argument("--tests", action="store_true", help="read the source's tests too")
    parser.add_argument(
        "--also",
        action="append",
        metavar="FILE",
        help="more metrics: a name a line, or the text of a /metrics",
    )
    parser.add_argument(
        "--catalogue",
        help="a file or folder (default: alerts/ here, else the shipped one; none where --rules is given)",
    )
    parser.add_argument(
        "--rules", action="append", metavar="FILE", help="a Prometheus rule file; several times"
    )
    parser.add_argument(
        "--dashboards",
        action="append",
        metavar="PATH",
        help="a Grafana dashboard as JSON, or a folder of them (default: dashboards/ here, where there is one)",
    )
    parser.add_argument(
        "--target-label",
        action="append",
        metavar="NAME",
        help="a label that your scrapes add to every metric",
    )
    shape = parser.add_mutually_exclusive_group()
    shape.add_argument("--list", action="store_true", help="list what is emitted instead")
    shape.add_argument(
        "--buckets", action="store_true", help="give the buckets that the alerts' thresholds need instead"
    )
    findings.add_arguments(parser)


def run(args: argparse.Namespace) -> int:
    """Run the command: 1 where a finding is an error, else 0.

    Raises:
        UserError: Something that it is to read is not there, or is wrong.
    """
    from orders_obs.alerts.contract.check import check, recorded
    from orders_obs.alerts.contract.known import library, read_also, well_known
    from orders_obs.alerts.contract.sources import read_sources

    folders = _sources(args)
    source = read_sources(folders, tests=args.tests)
    also = [metric for file in args.also or () for metric in read_also(file)]
    emitted = [*source.emitted, *library(source.calls), *also, *well_known()]
    used = _used(args)
    if args.list:
        sys.stdout.write(_listed([*emitted, *recorded(used.queries)], as_json=args.json))
        return 0
    if args.buckets:
        sys.stdout.write(_buckets(emitted, used.queries, as_json=args.json))
        return 0
    found = [
        *source.findings,
        *used.findings,
        *check(
            emitted,
            used.queries,
            unread=source.unread,
            uses_ours=source.uses_ours or not (folders or also),
            target_labels=args.target_label or (),
        ),
    ]
    print(_summary(source, emitted, used), file=sys.stderr)
    return findings.report(found, args)


def _sources(args: argparse.Namespace) -> list[str]:
    if args.source:
        return list(args.source)
    if any(Path(name).is_file() for name in _PROJECT):
        return ["."]
    if not args.also:
        print(
            "there is no project here: only the metrics of orders_obs are known; name a folder with --source",
            file=sys.stderr,
        )
    return []


def _used(args: argparse.Namespace) -> Used:
    from orders_obs.alerts.contract.dashboards import dashboard_queries
    from orders_obs.alerts.contract.used import Used, catalogue_queries, rule_file_queries
    from orders_obs.alerts.location import load_catalogue

    used = Used()
    if args.catalogue or not args.rules:
        used.add(catalogue_queries(load_catalogue(args.catalogue)))
    for file in args.rules or ():
        used.add(rule_file_queries(file))
    for path in args.dashboards or (["dashboards"] if Path("dashboards").is_dir() else []):
        used.add(dashboard_queries(path))
    return used


def _summary(source: Source, emitted: Sequence[Emitted], used: Used) -> str:
    own = len({metric.name for metric in source.emitted})
    ours = sum(metric.origin == "library" for metric in emitted)
    return (
        f"{own} metrics in {source.files} files of source, {ours} of orders_obs; "
        f"{len(used.queries)} queries of alerts, rules and dashboards"
    )


def _listed(emitted: Sequence[Emitted], *, as_json: bool) -> str:
    from orders_obs.alerts.contract.model import Inventory

    shown = sorted(Inventory(emitted).shown, key=lambda metric: (metric.name, metric.where))
    if as_json:
        rows = [
            {**asdict(metric), "values": dict(metric.values), "series": list(metric.series)}
            for metric in shown
        ]
        return json.dumps({"emitted": rows}, indent=2) + "\n"
    lines = []
    for metric in shown:
        labels = "?" if metric.labels is None else ", ".join(metric.labels)
        unit = f", unit {metric.unit}" if metric.unit else ""
        lines.append(f"{metric.name}{{{labels}}}  {metric.kind}{unit}  {metric.where}")
        if metric.buckets is not None:
            lines.append(f"    buckets {', '.join(f'{bound:g}' for bound in metric.buckets)}")
        for label, values in metric.values:
            lines.append(f"    {label} is one of {', '.join(values)}")
    return "".join(f"{line}\n" for line in lines)


def _buckets(emitted: Sequence[Emitted], queries: Sequence[Query], *, as_json: bool) -> str:
    from orders_obs.alerts.contract.model import Inventory
    from orders_obs.alerts.contract.thresholds import buckets_for, thresholds

    inventory = Inventory(emitted)
    bounds: dict[str, set[float]] = {}
    for asked in thresholds(queries):
        bounds.setdefault(asked.histogram, set()).add(asked.bound)
    rows: list[dict[str, Any]] = []
    for name in sorted(bounds):
        now = inventory.buckets(f"{name}_bucket")
        rows.append(
            {
                "histogram": name,
                "thresholds": sorted(bounds[name]),
                "now": list(now) if now is not None else None,
                "buckets": list(buckets_for(bounds[name], now or ())),
            }
        )
    if as_json:
        return json.dumps({"histograms": rows}, indent=2) + "\n"
    lines = []
    for row in rows:
        lines.append(
            f"# {row['histogram']}: thresholds {', '.join(f'{bound:g}' for bound in row['thresholds'])}"
        )
        if row["now"] == row["buckets"]:
            lines.append("# as it is")
        lines.append(f"buckets=({', '.join(map(repr, row['buckets']))}),")
    return "".join(f"{line}\n" for line in lines)

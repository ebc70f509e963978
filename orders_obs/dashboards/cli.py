"""`orders-obs dashboards`: build the JSON that Grafana loads, check it, bring it there, look at it."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

from orders_obs.dashboards.lint import cli as lint
from orders_obs.dashboards.preview import cli as preview
from orders_obs.dashboards.publishing import cli as publishing

if TYPE_CHECKING:
    import argparse

__all__ = ["register"]


def register(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command to a parser."""
    parser = subparsers.add_parser("dashboards", help="Grafana dashboards: build them from code")
    commands = parser.add_subparsers(dest="subcommand", required=True, metavar="COMMAND")
    build = commands.add_parser("build", help="write NAME.json for each NAME.dashboard.py")
    build.add_argument("files", nargs="*", type=Path, help="dashboard files (default: those in dashboards/)")
    build.add_argument("-o", "--output", type=Path, help="a folder (default: beside each source)")
    build.add_argument("--check", action="store_true", help="write nothing; exit 1 if a file would change")
    build.set_defaults(run=_build)
    lint.register(commands)
    publishing.register(commands)
    preview.register(commands)


def _build(args: argparse.Namespace) -> int:
    from orders_obs.dashboards.build import build, sources

    built = build(args.files or sources(Path("dashboards")), args.output)
    changed = [
        path for path, text in built.items() if not path.is_file() or path.read_text(encoding="utf-8") != text
    ]
    if args.check:
        for path in changed:
            print(f"{path} is stale: run `orders-obs dashboards build`", file=sys.stderr)
        return 1 if changed else 0
    for path, text in built.items():
        if path in changed:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        print(f"{'wrote' if path in changed else 'unchanged'} {path}", file=sys.stderr)
    return 0

"""`orders-obs dashboards lint`: what is wrong with a dashboard, whoever made it."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

from orders_obs import findings
from orders_obs.errors import UserError
from orders_obs.redact import redact_text

if TYPE_CHECKING:
    import argparse

__all__ = ["register"]

_FOLDER = Path("dashboards")


def register(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add `lint` to the sub-commands of `orders-obs dashboards`."""
    lint = commands.add_parser(
        "lint", help="find what is wrong with dashboards: shape, layout, variables, queries"
    )
    lint.add_argument(
        "files",
        nargs="*",
        type=Path,
        metavar="FILE",
        help="dashboards as Grafana exports them or its API wraps them, or folders of them (default: dashboards/)",
    )
    lint.add_argument("--rules", action="store_true", help="list the rules, and why each is one")
    lint.add_argument(
        "--contract",
        action="store_true",
        help="also hold metrics and labels against what the code emits, as `alerts contract` does",
    )
    lint.add_argument(
        "--source",
        action="append",
        metavar="DIR",
        help="with --contract: Python source that declares metrics; several times",
    )
    lint.add_argument(
        "--also",
        action="append",
        metavar="FILE",
        help="with --contract: more metrics: a name a line, or the text of a /metrics",
    )
    lint.add_argument(
        "--catalogue",
        help="with --contract: whose recording rules count as emitted (default: alerts/ here, else the shipped one)",
    )
    findings.add_arguments(lint)
    lint.set_defaults(run=_lint)


def _lint(args: argparse.Namespace) -> int:
    if args.rules:
        from orders_obs.dashboards.lint.rules import RULES

        print(findings.list_rules({"dashboard": RULES}, as_json=args.json), end="")
        return 0
    if (args.source or args.also or args.catalogue) and not args.contract:
        raise UserError("--source, --also and --catalogue go with --contract", hint="add it")
    from orders_obs.dashboards.lint.files import lint_paths

    if not args.files and not _FOLDER.is_dir():
        raise UserError("no dashboard is named", hint="name files or folders: lint FILE…")
    broken: list[UserError] = []
    found, read, passed = lint_paths(args.files or [_FOLDER], broken=broken)
    if args.contract:
        from orders_obs.dashboards.lint.contract import against_contract

        found += against_contract(
            read, sources=args.source or (), also=args.also or (), catalogue=args.catalogue
        )
    if len(read) != 1 or passed:
        print(f"{len(read)} dashboards read, {len(passed)} other JSON files passed over", file=sys.stderr)
    code = findings.report(found, args) if read else 0
    if not broken:
        return code
    # The others were judged, but what could not be is no pass.
    for error in broken[:-1]:
        print(f"orders-obs: {redact_text(str(error))}", file=sys.stderr)
    raise broken[-1]
